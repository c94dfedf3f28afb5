//! Steps of matters, contacts, errands and attachments.

use super::Sql;

statements! {
    STEPS_INSERT = ["INSERT INTO step (matter, number, kind, vocabulary, at, actor, body, change)
        SELECT r.value->>0, CAST(r.value->>1 AS BIGINT), r.value->>2, r.value->>3, CAST(r.value->>4 AS BIGINT),
               r.value->>5, r.value->>6, CAST(r.value->>7 AS BIGINT) FROM" "WHERE true"];
    STEPS_AFTER = "SELECT matter, number, kind, vocabulary, at, actor, body, change FROM step
        WHERE change > $1 AND change <= $2 ORDER BY change LIMIT $3";
    STEPS_OF = "SELECT matter, number, kind, vocabulary, at, actor, body, change FROM step
        WHERE matter = $1 AND number > $2 ORDER BY number";
    STEPS = "SELECT matter, number, kind, vocabulary, at, actor, body, change FROM step ORDER BY change";

    CONTACT_PUT = "INSERT INTO contact (uuid, name, mail, organisation) VALUES ($1, $2, $3, $4)
        ON CONFLICT (uuid) DO UPDATE SET name = excluded.name, mail = excluded.mail, organisation = excluded.organisation";
    CONTACTS_INSERT = ["INSERT INTO contact (uuid, name, mail, organisation)
        SELECT r.value->>0, r.value->>1, r.value->>2, r.value->>3 FROM" "WHERE true"];
    CONTACT = "SELECT uuid, name, mail, organisation FROM contact WHERE uuid = $1";
    /// For the backup, which has no errands: whoever has not confirmed anything is not kept there either.
    CONTACTS = "SELECT uuid, name, mail, organisation FROM contact c WHERE NOT EXISTS (SELECT 1 FROM errand e
        WHERE e.contact = c.uuid AND e.kind IN ('pending-answer', 'pending-request', 'pending-digest')) ORDER BY uuid";
    CONTACT_ERASE = "DELETE FROM contact WHERE uuid = $1";
    /// What waited for somebody who is erased, the files of answers that were never submitted first.
    CONTACT_ATTACHMENTS = "DELETE FROM attachment WHERE owner IN (SELECT e.uuid FROM errand e WHERE e.contact = $1
        AND e.kind = 'answer-draft')";
    CONTACT_ERRANDS = "DELETE FROM errand WHERE contact = $1";

    ERRAND_PUT = "INSERT INTO errand (uuid, kind, matter, subject, contact, digest, body, expires)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (uuid) DO UPDATE SET body = excluded.body, expires = excluded.expires";
    ERRAND_BY_DIGEST = "SELECT uuid, kind, matter, subject, contact, body, expires FROM errand WHERE digest = $1";
    ERRANDS_OF = "SELECT uuid, kind, matter, subject, contact, body, expires FROM errand
        WHERE matter = $1 AND subject = $2 AND kind = $3 ORDER BY uuid";
    ERRANDS_COUNT = "SELECT COUNT(*) FROM errand WHERE kind = $1";
    /// How many errands of a kind wait for one mail address.
    ERRANDS_FOR_MAIL = "SELECT COUNT(*) FROM errand e JOIN contact c ON c.uuid = e.contact
        WHERE e.kind = $1 AND c.mail = $2";
    ERRAND = "SELECT uuid, kind, matter, subject, contact, body, expires FROM errand WHERE uuid = $1";
    /// The link of an errand, made when the letter that holds it is composed.
    ERRAND_LINK = "UPDATE errand SET digest = $2 WHERE uuid = $1 AND digest IS NULL";
    ERRANDS_COUNT_OF = "SELECT COUNT(*) FROM errand WHERE matter = $1 AND subject = $2 AND kind = $3";
    ERRANDS_RUN_OUT = "SELECT COUNT(*) FROM errand WHERE expires <= $1";
    ERRANDS_DROP_OF = "DELETE FROM errand WHERE matter = $1 AND subject = $2 AND kind = $3";
    ERRAND_DROP = "DELETE FROM errand WHERE uuid = $1";
    ERRANDS_SWEEP = "DELETE FROM errand WHERE expires <= $1";
    /// The contacts of errands that ran out and led nowhere.
    CONTACTS_SWEEP = "DELETE FROM contact WHERE uuid IN (SELECT e.contact FROM errand e WHERE e.expires <= $1
        AND e.kind IN ('pending-answer', 'pending-request', 'pending-digest'))";

    /// The files of answers that nobody submitted in time: an answer and its errand have one uuid.
    ATTACHMENTS_SWEEP = "DELETE FROM attachment WHERE owner IN (SELECT e.uuid FROM errand e WHERE e.expires <= $1
        AND e.kind = 'answer-draft')";
    ATTACHMENT_PUT = "INSERT INTO attachment (uuid, matter, owner, body, created) VALUES ($1, $2, $3, $4, $5)";
    ATTACHMENTS_INSERT = ["INSERT INTO attachment (uuid, matter, owner, body, created)
        SELECT r.value->>0, r.value->>1, r.value->>2, r.value->>3, CAST(r.value->>4 AS BIGINT) FROM" "WHERE true"];
    ATTACHMENT = "SELECT uuid, matter, owner, body, created FROM attachment WHERE uuid = $1";
    ATTACHMENTS = "SELECT uuid, matter, owner, body, created FROM attachment ORDER BY uuid";
    ATTACHMENT_DROP = "DELETE FROM attachment WHERE uuid = $1 AND owner = $2";
}
