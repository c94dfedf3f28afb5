//! Every SQL statement of the registry. One text for both databases; where they must differ, both texts
//! stand side by side. A test prepares each of them on both.

/// A statement, in the dialects of the two databases.
#[derive(Clone, Copy)]
pub(super) struct Sql {
    pub(super) lite: &'static str,
    pub(super) pg: &'static str,
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:tt;)*) => {
        $($(#[$doc])* pub(super) const $name: Sql = sql!($text);)*

        /// Every statement, for the test that prepares them.
        #[cfg(test)]
        pub(super) const ALL: &[(&str, Sql)] = &[$((stringify!($name), $name),)*];
    };
}

macro_rules! sql {
    ($text:literal) => {
        Sql { lite: $text, pg: $text }
    };
    ({ $lite:literal, $pg:literal }) => {
        Sql { lite: $lite, pg: $pg }
    };
    // A set of rows handed over as one JSON array of arrays, read as r.value.
    ([$before:literal $after:literal]) => {
        Sql {
            lite: concat!($before, " json_each($1) AS r ", $after),
            pg: concat!($before, " json_array_elements(CAST($1 AS json)) AS r(value) ", $after),
        }
    };
}

statements! {
    /// Takes the writers' lock on PostgreSQL; SQLite has it from BEGIN IMMEDIATE.
    HEAD_LOCK = { "SELECT seq, at, hash FROM log_head WHERE id = 1", "SELECT seq, at, hash FROM log_head WHERE id = 1 FOR UPDATE" };
    HEAD = "SELECT seq, at, hash FROM log_head WHERE id = 1";
    HEAD_MOVE = "UPDATE log_head SET seq = $1, at = $2, hash = $3 WHERE id = 1";
    /// Wakes the followers of other processes; SQLite's poll.
    NOTIFY = { "SELECT CAST($1 AS TEXT)", "SELECT CAST(pg_notify('begreb', $1) AS TEXT)" };

    CHANGES_INSERT = ["INSERT INTO change (seq, at, actor, kind, vocabulary, subject, body, previous, hash)
        SELECT CAST(r.value->>0 AS BIGINT), CAST(r.value->>1 AS BIGINT), r.value->>2, r.value->>3, r.value->>4,
               r.value->>5, r.value->>6, r.value->>7, r.value->>8 FROM" "WHERE true"];
    CHANGES_AFTER = "SELECT seq, at, actor, kind, vocabulary, subject, body, previous, hash FROM change
        WHERE seq > $1 ORDER BY seq LIMIT $2";
    /// The whole log, for the backup.
    CHANGES = "SELECT seq, at, actor, kind, vocabulary, subject, body, previous, hash FROM change ORDER BY seq";
    /// The vocabularies whose frame, content or versions were touched; what is only worked on is not.
    CHANGED_VOCABULARIES = "SELECT DISTINCT vocabulary FROM change WHERE seq > $1 AND seq <= $2
        AND kind IN ('vocabulary.created', 'vocabulary.changed', 'concept.stated', 'concept.retired', 'concept.passivated',
            'version.published')";

    /// What a plane needs of the log itself: every frame, who published, what OIO's registrations say of themselves, and
    /// what was said of meanings.
    REGISTRATIONS = "SELECT vocabulary, subject, at, actor, kind, body FROM change WHERE seq > $1 AND seq <= $2
        AND (kind IN ('vocabulary.created', 'vocabulary.changed', 'version.published')
            OR (kind IN ('concept.stated', 'concept.retired', 'concept.passivated') 
                AND (body LIKE '%\"oio\":{%' OR body LIKE '%\"meaning\":\"%')))
        ORDER BY seq";
    /// The last day that was told of each vocabulary, in the body of the row.
    EFFECTS_TOLD = "SELECT c.vocabulary, c.body FROM change AS c JOIN (SELECT vocabulary, MAX(seq) AS seq FROM change
        WHERE kind = 'edition.effective' GROUP BY vocabulary) AS last ON last.seq = c.seq";

    VOCABULARY_INSERT = "INSERT INTO vocabulary (uuid, slug, body, change) VALUES ($1, $2, $3, $4)";
    VOCABULARIES_INSERT = ["INSERT INTO vocabulary (uuid, slug, body, change)
        SELECT r.value->>0, r.value->>1, r.value->>2, CAST(r.value->>3 AS BIGINT) FROM" "WHERE true"];
    VOCABULARY_UPDATE = "UPDATE vocabulary SET body = $2, change = $3 WHERE uuid = $1";
    VOCABULARIES = "SELECT uuid, slug, body, change FROM vocabulary ORDER BY slug";

    CONCEPTS_INSERT = ["INSERT INTO concept (uuid, vocabulary) SELECT r.value->>0, r.value->>1 FROM" "WHERE true"];
    CONCEPT_OWNERS = ["SELECT c.uuid, c.vocabulary FROM concept c WHERE c.uuid IN (SELECT r.value->>0 FROM" ")"];
    CONCEPTS = "SELECT uuid, vocabulary FROM concept ORDER BY uuid";

    CONTENTS_INSERT = ["INSERT INTO content (digest, body) SELECT r.value->>0, r.value->>1 FROM"
        "WHERE true ON CONFLICT (digest) DO NOTHING"];
    CONTENTS = "SELECT digest, body FROM content ORDER BY digest";

    STATES_INSERT = ["INSERT INTO state
            (concept, registered_from, registered_to, valid_from, valid_to, content, opened, closed)
        SELECT r.value->>0, CAST(r.value->>1 AS BIGINT), CAST(r.value->>2 AS BIGINT), CAST(r.value->>3 AS BIGINT),
               CAST(r.value->>4 AS BIGINT), r.value->>5, CAST(r.value->>6 AS BIGINT), CAST(r.value->>7 AS BIGINT)
        FROM" "WHERE true"];
    STATES_CLOSE = ["UPDATE state SET registered_to = CAST(r.value->>3 AS BIGINT), closed = CAST(r.value->>4 AS BIGINT)
        FROM" "WHERE state.concept = r.value->>0 AND state.registered_from = CAST(r.value->>1 AS BIGINT)
          AND state.valid_from = CAST(r.value->>2 AS BIGINT)"];
    /// Everything said of a vocabulary's concepts.
    STATES_OF = "SELECT s.concept, s.registered_from, s.registered_to, s.valid_from, s.valid_to, s.content, c.body
        FROM concept k JOIN state s ON s.concept = k.uuid JOIN content c ON c.digest = s.content
        WHERE k.vocabulary = $1";
    /// What was opened or closed after a position of the log.
    STATES_TOUCHED = "SELECT s.concept, s.registered_from, s.registered_to, s.valid_from, s.valid_to, s.content, c.body
        FROM state s JOIN concept k ON k.uuid = s.concept JOIN content c ON c.digest = s.content
        WHERE k.vocabulary = $1 AND s.concept IN (
            SELECT o.concept FROM state o WHERE o.opened > $2
            UNION SELECT x.concept FROM state x WHERE x.closed > $2)";
    /// Every state, for the verification and the backup.
    STATES = "SELECT concept, registered_from, registered_to, valid_from, valid_to, content, opened, closed
        FROM state ORDER BY concept, registered_from, valid_from";

    VERSION_INSERT = "INSERT INTO version (uuid, vocabulary, label, effective, registered, body, change)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    VERSIONS_INSERT = ["INSERT INTO version (uuid, vocabulary, label, effective, registered, body, change)
        SELECT r.value->>0, r.value->>1, r.value->>2, CAST(r.value->>3 AS BIGINT), CAST(r.value->>4 AS BIGINT),
               r.value->>5, CAST(r.value->>6 AS BIGINT) FROM" "WHERE true"];
    VERSIONS_OF = "SELECT body, uuid, label, effective, registered FROM version WHERE vocabulary = $1
        ORDER BY effective, registered";
    VERSIONS = "SELECT uuid, vocabulary, label, effective, registered, body, change FROM version ORDER BY change";

    ORGANISATION_PUT = "INSERT INTO organisation (uuid, name, active) VALUES ($1, $2, $3)
        ON CONFLICT (uuid) DO UPDATE SET name = excluded.name, active = excluded.active";
    ORGANISATIONS_INSERT = ["INSERT INTO organisation (uuid, name, active)
        SELECT r.value->>0, r.value->>1, CAST(r.value->>2 AS BIGINT) FROM" "WHERE true"];
    ORGANISATIONS = "SELECT uuid, name, active FROM organisation ORDER BY uuid";

    ACCOUNT_PUT = "INSERT INTO account (uuid, name, mail, organisation, active) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (uuid) DO UPDATE SET name = excluded.name, mail = excluded.mail,
            organisation = excluded.organisation, active = excluded.active";
    ACCOUNT_PASSWORD = "UPDATE account SET password = $2 WHERE uuid = $1";
    ACCOUNT_ERASE = "DELETE FROM account WHERE uuid = $1";
    ACCOUNTS_INSERT = ["INSERT INTO account (uuid, name, mail, organisation, active, password)
        SELECT r.value->>0, r.value->>1, r.value->>2, r.value->>3, CAST(r.value->>4 AS BIGINT), r.value->>5
        FROM" "WHERE true"];
    ACCOUNTS = "SELECT uuid, name, mail, organisation, active, password FROM account ORDER BY uuid";
    /// The accounts that have a way in, whether they may use it now or not. Each way to sign in has its line here.
    WAYS_IN = "SELECT uuid FROM account WHERE password IS NOT NULL
        UNION SELECT account FROM sign_in_identity ORDER BY 1";
    ACCOUNT = "SELECT uuid, name, mail, organisation, active, password FROM account WHERE uuid = $1";
    /// Who signs in; an account counts while it and its organisation are active.
    ACCOUNT_BY_MAIL = "SELECT a.uuid, a.password FROM account a LEFT JOIN organisation o ON o.uuid = a.organisation
        WHERE a.mail = $1 AND a.active = 1 AND COALESCE(o.active, 1) = 1";
    ACCOUNT_BY_UUID = "SELECT a.uuid, a.password FROM account a LEFT JOIN organisation o ON o.uuid = a.organisation
        WHERE a.uuid = $1 AND a.active = 1 AND COALESCE(o.active, 1) = 1";

    GROUP_PUT = "INSERT INTO people_group (uuid, name, kind, active) VALUES ($1, $2, $3, $4)
        ON CONFLICT (uuid) DO UPDATE SET name = excluded.name, kind = excluded.kind, active = excluded.active";
    GROUPS_INSERT = ["INSERT INTO people_group (uuid, name, kind, active)
        SELECT r.value->>0, r.value->>1, r.value->>2, CAST(r.value->>3 AS BIGINT) FROM" "WHERE true"];
    GROUPS = "SELECT uuid, name, kind, active FROM people_group ORDER BY uuid";
    MEMBERS_OUT = "DELETE FROM member WHERE people_group = $1";
    MEMBERS_INSERT = ["INSERT INTO member (people_group, account)
        SELECT r.value->>0, r.value->>1 FROM" "WHERE true"];
    MEMBERS = "SELECT people_group, account FROM member ORDER BY people_group, account";

    GRANTS_INSERT = ["INSERT INTO granted (uuid, account, people_group, role, vocabulary)
        SELECT r.value->>0, r.value->>1, r.value->>2, r.value->>3, r.value->>4 FROM" "WHERE true"];
    GRANT_TAKE = "DELETE FROM granted WHERE uuid = $1";
    GRANTS = "SELECT g.uuid, g.account, g.people_group, g.role, g.vocabulary, o.provider
        FROM granted g LEFT JOIN grant_origin o ON o.granted = g.uuid ORDER BY g.uuid";
    GRANT_ORIGINS_INSERT = ["INSERT INTO grant_origin (granted, provider)
        SELECT r.value->>0, r.value->>1 FROM" "WHERE true"];
    GRANT_ORIGINS = "SELECT granted, provider FROM grant_origin ORDER BY granted";
    /// What an account has: its own, and what its active groups have.
    HELD = "SELECT g.role, g.vocabulary FROM granted g WHERE g.account = $1
        UNION SELECT g.role, g.vocabulary FROM granted g JOIN people_group p ON p.uuid = g.people_group
            JOIN member m ON m.people_group = p.uuid WHERE m.account = $1 AND p.active = 1
        ORDER BY 1, 2";

    TOKENS_INSERT = ["INSERT INTO token (uuid, digest, account, name, scope, created, expires)
        SELECT r.value->>0, r.value->>1, r.value->>2, r.value->>3, r.value->>4, CAST(r.value->>5 AS BIGINT),
               CAST(r.value->>6 AS BIGINT) FROM" "WHERE true"];
    TOKEN_REVOKE = "DELETE FROM token WHERE uuid = $1";
    TOKENS = "SELECT uuid, digest, account, name, scope, created, expires FROM token ORDER BY created, uuid";
    TOKENS_OF = "SELECT uuid, digest, account, name, scope, created, expires FROM token WHERE account = $1
        ORDER BY created, uuid";
    TOKEN_BY_UUID = "SELECT uuid, digest, account, name, scope, created, expires FROM token WHERE uuid = $1";
    TOKEN_BY_DIGEST = "SELECT uuid, digest, account, name, scope, created, expires FROM token WHERE digest = $1";

    /// All sessions of an account but those that were opened last.
    SESSIONS_KEEP = "DELETE FROM session WHERE account = $1 AND uuid NOT IN (
        SELECT uuid FROM session WHERE account = $1 ORDER BY created DESC, uuid DESC LIMIT $2)";
    SESSION_OPEN = "INSERT INTO session (digest, uuid, account, created, expires) VALUES ($1, $2, $3, $4, $5)";
    SESSION_END = "DELETE FROM session WHERE uuid = $1 AND account = $2";
    SESSIONS_END_BUT = "DELETE FROM session WHERE account = $1 AND uuid <> $2";
    SESSIONS_END = "DELETE FROM session WHERE account = $1";
    SESSIONS_SWEEP = "DELETE FROM session WHERE expires <= $1";
    SESSIONS_OF = "SELECT uuid, account, created, expires FROM session WHERE account = $1 ORDER BY created, uuid";
    SESSION_BY_DIGEST = "SELECT uuid, account, created, expires FROM session WHERE digest = $1";

    IDENTITIES_INSERT = ["INSERT INTO sign_in_identity (uuid, issuer, subject, account)
        SELECT r.value->>0, r.value->>1, r.value->>2, r.value->>3 FROM" "WHERE true"];
    IDENTITY_OUT = "DELETE FROM sign_in_identity WHERE uuid = $1";
    IDENTITIES = "SELECT uuid, issuer, subject, account FROM sign_in_identity ORDER BY uuid";
    /// Nothing is inserted when the answer was used before.
    ANSWER_USE = "INSERT INTO sign_in_used (digest, expires) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING";
    ANSWER_USED = "SELECT digest FROM sign_in_used WHERE digest = $1";
    ANSWERS_SWEEP = "DELETE FROM sign_in_used WHERE expires <= $1";

    LINK_MAKE = "INSERT INTO one_time_link (digest, account, expires) VALUES ($1, $2, $3)";
    LINK_FIND = "SELECT account, expires FROM one_time_link WHERE digest = $1";
    /// One that was used, and all others to the same.
    LINKS_OUT = "DELETE FROM one_time_link WHERE COALESCE(account, '') = $1";
    LINKS_SWEEP = "DELETE FROM one_time_link WHERE expires <= $1";

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

    /// The row is locked on PostgreSQL by those who lay letters down and those who empty them.
    MAIL_POSITION_LOCK = { "SELECT seq FROM mail_position WHERE id = 1", "SELECT seq FROM mail_position WHERE id = 1 FOR UPDATE" };
    MAIL_POSITION = "SELECT seq FROM mail_position WHERE id = 1";
    MAIL_POSITION_MOVE = "UPDATE mail_position SET seq = $1 WHERE id = 1";
    /// Mail is turned on for the first time: what happened before is not told any more.
    MAIL_START = "UPDATE mail_position SET seq = (SELECT h.seq FROM log_head h WHERE h.id = 1)
        WHERE id = 1 AND seq IS NULL";
    /// A database that a backup was laid into tells nothing of what the backup holds.
    MAIL_FORGET = "UPDATE mail_position SET seq = NULL WHERE id = 1";
    /// Nothing is laid down for somebody who was erased after the facts were read, at $12.
    LETTER_LAY = "INSERT INTO letter (uuid, change, recipient, kind, state, attempts, tries, created, since, due, mail, name,
            language, subject, body, secret, unsubscribe)
        SELECT $1, CAST($2 AS BIGINT), $3, $4, 'queued', 0, 0, CAST($5 AS BIGINT), CAST($5 AS BIGINT),
            CAST($5 AS BIGINT), $6, $7, $8, $9, $10, CAST($11 AS BIGINT), $13
        WHERE NOT EXISTS (SELECT 1 FROM change c WHERE c.seq > $12 AND c.subject = $3 AND c.kind LIKE '%.erased')
        ON CONFLICT DO NOTHING";
    /// The attempt is on record before anybody speaks to a mail server; until $2 it is this sender's. Digests of one go in
    /// their order, and none while it is paused.
    LETTER_CLAIM = {
        "UPDATE letter SET state = 'begun', attempts = attempts + 1, tries = tries + 1, due = $2
        WHERE uuid = (SELECT l.uuid FROM letter l WHERE l.state = 'queued' AND l.due <= $1 AND NOT (l.kind = 'digest' AND (
                EXISTS (SELECT 1 FROM subscription s WHERE s.contact = l.recipient AND s.kind = 'digest'
                    AND s.state = 'paused')
                OR EXISTS (SELECT 1 FROM letter e WHERE e.recipient = l.recipient AND e.kind = 'digest'
                    AND e.change < l.change AND e.state IN ('queued', 'begun'))))
            ORDER BY l.due, l.change, l.uuid LIMIT 1)
        RETURNING uuid, change, kind, attempts, tries, created, since, mail, name, language, subject, body,
            unsubscribe, recipient",
        "UPDATE letter SET state = 'begun', attempts = attempts + 1, tries = tries + 1, due = $2
        WHERE uuid = (SELECT l.uuid FROM letter l WHERE l.state = 'queued' AND l.due <= $1 AND NOT (l.kind = 'digest' AND (
                EXISTS (SELECT 1 FROM subscription s WHERE s.contact = l.recipient AND s.kind = 'digest'
                    AND s.state = 'paused')
                OR EXISTS (SELECT 1 FROM letter e WHERE e.recipient = l.recipient AND e.kind = 'digest'
                    AND e.change < l.change AND e.state IN ('queued', 'begun'))))
            ORDER BY l.due, l.change, l.uuid LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING uuid, change, kind, attempts, tries, created, since, mail, name, language, subject, body,
            unsubscribe, recipient"
    };
    /// How an attempt ended. One that was emptied meanwhile stays empty, and is not tried again.
    LETTER_SETTLE = "UPDATE letter SET
            state = CASE WHEN mail IS NULL AND $3 IN ('doubt', 'queued') THEN 'dropped' ELSE $3 END,
            done = CASE WHEN $3 = 'queued' AND mail IS NOT NULL THEN NULL ELSE CAST($4 AS BIGINT) END,
            due = $5,
            answer = CASE WHEN mail IS NULL THEN NULL ELSE CAST($6 AS TEXT) END,
            body = CASE WHEN secret = 1 AND $3 NOT IN ('doubt', 'queued') THEN NULL ELSE body END
        WHERE uuid = $1 AND attempts = $2
          AND (state IN ('begun', 'doubt') OR ($3 = 'sent' AND state IN ('queued', 'refused', 'givenUp')))";
    /// Attempts of which nobody told the end.
    LETTERS_DOUBT = "UPDATE letter SET state = CASE WHEN mail IS NULL THEN 'dropped' ELSE 'doubt' END, done = $1
        WHERE state = 'begun' AND due <= $1";
    /// The same of digests, which go at least once: they are tried again.
    LETTERS_AGAIN = "UPDATE letter SET state = 'queued' WHERE state = 'begun' AND due <= $1 AND kind = 'digest'
        AND mail IS NOT NULL";
    /// A digest goes on: what waits for it is tried at once, and for as long as a new letter.
    LETTERS_RETRY = "UPDATE letter SET tries = 0, since = $2, due = $2
        WHERE recipient = $1 AND kind = 'digest' AND state = 'queued'";
    LETTER_RESEND = "UPDATE letter SET state = 'queued', tries = 0, since = $2, due = $2, done = NULL, answer = NULL
        WHERE uuid = $1 AND state IN ('doubt', 'refused', 'givenUp') AND body IS NOT NULL";
    LETTER_DROP = "UPDATE letter SET state = 'dropped', done = $2, answer = NULL, mail = NULL, name = NULL,
            subject = NULL, body = NULL, unsubscribe = NULL
        WHERE uuid = $1 AND state IN ('queued', 'doubt', 'refused', 'givenUp')";
    /// Somebody is erased.
    LETTERS_EMPTY = "UPDATE letter SET
            done = CASE WHEN state IN ('queued', 'doubt') THEN CAST($2 AS BIGINT) ELSE done END,
            state = CASE WHEN state IN ('queued', 'doubt') THEN 'dropped' ELSE state END,
            answer = NULL, mail = NULL, name = NULL, subject = NULL, body = NULL, unsubscribe = NULL
        WHERE recipient = $1";
    /// What was done before $1 is emptied; what was in doubt for so long is not sent any more.
    LETTERS_FORGET = "UPDATE letter SET state = CASE WHEN state = 'doubt' THEN 'dropped' ELSE state END,
            answer = NULL, mail = NULL, name = NULL, subject = NULL, body = NULL, unsubscribe = NULL
        WHERE done <= $1 AND mail IS NOT NULL";
    /// What is held back with a digest is not due.
    LETTERS_COUNT = "SELECT l.state, COUNT(*), MIN(CASE WHEN s.uuid IS NULL THEN l.due END)
        FROM letter l LEFT JOIN subscription s ON s.contact = l.recipient AND s.kind = 'digest' AND s.state = 'paused'
            AND l.kind = 'digest' GROUP BY l.state";
    LETTERS_LIST = "SELECT uuid, change, recipient, kind, state, attempts, created, due, done, answer, mail, subject
        FROM letter WHERE $1 = '' OR state = $1 ORDER BY change DESC, uuid LIMIT $2";
    LETTER_STATE = "SELECT state FROM letter WHERE uuid = $1";
    USAGES_INSERT = ["INSERT INTO usage (uuid, form, kind, name, link, contact, visibility, owner, organisation,
            acknowledged, acknowledged_at, created, ended, change)
        SELECT r.value->>0, r.value->>1, r.value->>2, r.value->>3, r.value->>4, r.value->>5, r.value->>6, r.value->>7,
               r.value->>8, CAST(r.value->>9 AS BIGINT), CAST(r.value->>10 AS BIGINT), CAST(r.value->>11 AS BIGINT),
               CAST(r.value->>12 AS BIGINT), CAST(r.value->>13 AS BIGINT) FROM" "WHERE true
        ON CONFLICT (uuid) DO UPDATE SET kind = excluded.kind, name = excluded.name, link = excluded.link,
            contact = excluded.contact, visibility = excluded.visibility, organisation = excluded.organisation,
            acknowledged = excluded.acknowledged, acknowledged_at = excluded.acknowledged_at, ended = excluded.ended,
            change = excluded.change"];
    USAGES = "SELECT uuid, form, kind, name, link, contact, visibility, owner, organisation, acknowledged,
        acknowledged_at, created, ended, change FROM usage ORDER BY uuid";
    /// What was touched after a position of the log.
    USAGES_AFTER = "SELECT uuid, form, kind, name, link, contact, visibility, owner, organisation, acknowledged,
        acknowledged_at, created, ended, change FROM usage WHERE change > $1 ORDER BY change";
    USAGE = "SELECT uuid, form, kind, name, link, contact, visibility, owner, organisation, acknowledged,
        acknowledged_at, created, ended, change FROM usage WHERE uuid = $1";
    /// Whom to ask is forgotten with the person who said so.
    USAGE_CONTACTS_FORGET = "UPDATE usage SET contact = NULL WHERE owner = $1";
    USAGE_CODES_INSERT = ["INSERT INTO usage_code (usage, system, code, concept, added)
        SELECT r.value->>0, r.value->>1, r.value->>2, r.value->>3, CAST(r.value->>4 AS BIGINT) FROM" "WHERE true
        ON CONFLICT (usage, system, code) DO UPDATE SET concept = excluded.concept, added = excluded.added"];
    USAGE_CODES_OUT = ["DELETE FROM usage_code WHERE (usage, system, code) IN
        (SELECT r.value->>0, r.value->>1, r.value->>2 FROM" ")"];
    USAGE_CODES_END = "DELETE FROM usage_code WHERE usage = $1";
    USAGE_CODES_OF = "SELECT system, code, concept, added FROM usage_code WHERE usage = $1";
    USAGE_CODES = "SELECT usage, system, code, concept, added FROM usage_code ORDER BY usage, system, code";
    /// Once each.
    USAGE_CONCEPTS_OF = "SELECT DISTINCT concept FROM usage_code WHERE usage = $1 AND concept IS NOT NULL";

    LETTERS_BEYOND = "SELECT uuid FROM letter WHERE change > $1 ORDER BY change, uuid LIMIT 1";

    /// The log is told under a name for the first time: from where was asked, at most from its end.
    MOX_START = "INSERT INTO mox_position (name, seq, owner, held_until)
        SELECT $1, CASE WHEN CAST($2 AS BIGINT) < h.seq THEN CAST($2 AS BIGINT) ELSE h.seq END, '', 0
        FROM log_head h WHERE h.id = 1 ON CONFLICT DO NOTHING";
    /// Nobody else holds it at $3; until $4 it is ours.
    MOX_CLAIM = "UPDATE mox_position SET owner = $2, held_until = $4
        WHERE name = $1 AND (owner = $2 OR held_until <= $3) RETURNING seq";
    /// Nothing when somebody else has taken it by now.
    MOX_MOVE = "UPDATE mox_position SET seq = $4, held_until = $5 WHERE name = $1 AND owner = $2 AND seq = $3";
    MOX_RELEASE = "UPDATE mox_position SET held_until = 0 WHERE name = $1 AND owner = $2";
    MOX_POSITIONS = "SELECT name, seq FROM mox_position ORDER BY name";
    /// A database that a backup was laid into tells nothing of what the backup holds.
    MOX_FORGET = "DELETE FROM mox_position";
    MOX_COMMAND_BEGIN = "INSERT INTO mox_command (besked, digest, begun) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    MOX_COMMAND = "SELECT digest, status, answer FROM mox_command WHERE besked = $1";
    MOX_COMMAND_SETTLE = "UPDATE mox_command SET status = $2, answer = $3 WHERE besked = $1 AND status IS NULL";
    MOX_COMMAND_RELEASE = "DELETE FROM mox_command WHERE besked = $1 AND status IS NULL";
    MOX_COMMANDS_FORGET = "DELETE FROM mox_command WHERE begun <= $1";
    SUBSCRIPTIONS_INSERT = ["INSERT INTO subscription (uuid, kind, account, organisation, contact, state, why, created,
            changed, filter, settings, passed, attempts, due, claim, held, edition)
        SELECT r.value->>0, r.value->>1, r.value->>2, r.value->>3, r.value->>4, r.value->>5, r.value->>6,
            CAST(r.value->>7 AS BIGINT), CAST(r.value->>8 AS BIGINT), r.value->>9, r.value->>10,
            CAST(r.value->>11 AS BIGINT), 0, 0, 0, 0, 0 FROM" "WHERE true"];
    /// For the backup: whoever restores it has no secrets to sign with. A digest needs none; it goes on from what the
    /// backup holds, as all mail does.
    SUBSCRIPTIONS_KEPT = "SELECT s.uuid, s.kind, s.account, s.organisation, s.contact,
            CASE WHEN s.kind = 'digest' THEN s.state ELSE 'paused' END,
            CASE WHEN s.kind = 'digest' THEN s.why ELSE 'restored' END, s.created, s.changed, s.filter, s.settings,
            CASE WHEN s.kind = 'digest' THEN (SELECT h.seq FROM log_head h WHERE h.id = 1) ELSE s.passed END
        FROM subscription s WHERE s.state <> 'ended' ORDER BY s.uuid";
    /// All that have not ended.
    SUBSCRIPTIONS = "SELECT uuid, kind, account, organisation, contact, state, why, created, changed, filter, settings,
            passed, attempts, since, due, edition, tested
        FROM subscription WHERE state <> 'ended' ORDER BY created, uuid";
    SUBSCRIPTIONS_OF = "SELECT uuid, kind, account, organisation, contact, state, why, created, changed, filter,
            settings, passed, attempts, since, due, edition, tested
        FROM subscription WHERE state <> 'ended' AND (account = $1 OR organisation = $2) ORDER BY created, uuid";
    SUBSCRIPTION = "SELECT uuid, kind, account, organisation, contact, state, why, created, changed, filter, settings,
            passed, attempts, since, due, edition, tested
        FROM subscription WHERE state <> 'ended' AND uuid = $1";
    /// What was under way does not count; what is tried is put together anew.
    SUBSCRIPTION_CHANGE = "UPDATE subscription SET filter = $2, settings = $3, pending = NULL, edition = edition + 1
        WHERE uuid = $1";
    SUBSCRIPTION_STATE = "UPDATE subscription SET state = $2, why = $3, changed = $4, due = 0, attempts = 0,
            since = NULL
        WHERE uuid = $1";
    SUBSCRIPTION_EMPTY = "UPDATE subscription SET settings = '{}', edition = edition + 1 WHERE uuid = $1";
    SUBSCRIPTION_REWIND = "UPDATE subscription SET passed = $2, due = $3, pending = NULL, attempts = 0, since = NULL,
            edition = edition + 1
        WHERE uuid = $1 AND state <> 'ended'";
    SUBSCRIPTION_TESTED = "UPDATE subscription SET tested = $2
        WHERE uuid = $1 AND state <> 'ended' AND COALESCE(tested, 0) <= $3";
    SUBSCRIPTIONS_COUNT = "SELECT s.state, COUNT(*), COUNT(CASE WHEN s.attempts > 0 THEN 1 END)
        FROM subscription s WHERE s.kind = $1 AND s.state <> 'ended' GROUP BY s.state";

    SECRET_ADD = "INSERT INTO subscription_secret (subscription, number, secret, until)
        SELECT $1, COALESCE(MAX(number), 0) + 1, $2, CAST($3 AS BIGINT) FROM subscription_secret WHERE subscription = $1";
    /// Those before the newest are good until an instant, or for shorter.
    SECRETS_UNTIL = "UPDATE subscription_secret SET until = $2 WHERE subscription = $1 AND until > $2";
    SECRETS_OUT = "DELETE FROM subscription_secret WHERE subscription = $1";
    SECRETS_EDITION = "UPDATE subscription SET edition = edition + 1 WHERE uuid = $1";
    SECRETS_SWEEP = "DELETE FROM subscription_secret WHERE until <= $1";
    SECRETS_COUNT = "SELECT COUNT(*) FROM subscription_secret WHERE subscription = $1 AND until > $2";
    /// The newest first, as the signatures stand in a request.
    SECRETS = ["SELECT s.subscription, s.secret, s.until FROM subscription_secret s WHERE s.subscription IN (
        SELECT r.value->>0 FROM" ") ORDER BY s.subscription, s.number DESC"];

    /// Those that nobody delivers now and that have something to deliver, perhaps: whether they want it, their filter
    /// tells. Whose owner may not sign in is told nothing.
    SUBSCRIPTIONS_READY = "SELECT s.uuid, s.edition, s.passed, s.attempts, s.filter, s.state, s.due,
            (SELECT COUNT(*) FROM delivery_aside q WHERE q.subscription = s.uuid AND q.queued = 1)
        FROM subscription s LEFT JOIN account a ON a.uuid = s.account
            LEFT JOIN organisation o ON o.uuid = COALESCE(s.organisation, a.organisation)
        WHERE s.kind = $1 AND s.held <= $2 AND s.state <> 'ended'
          AND COALESCE(a.active, 1) = 1 AND COALESCE(o.active, 1) = 1
          AND ((s.state = 'active' AND s.due <= $2 AND s.passed < $3)
            OR EXISTS (SELECT 1 FROM delivery_aside q WHERE q.subscription = s.uuid AND q.queued = 1))
        ORDER BY s.due, s.uuid";
    SUBSCRIPTIONS_CLAIM = ["UPDATE subscription SET claim = claim + 1, held = $2 FROM"
        "WHERE uuid = r.value->>0 AND held <= $3 AND state <> 'ended'
        RETURNING uuid, claim, edition, passed, pending, attempts, since, due, filter, settings, state"];
    /// What came of it, for those whose claim still stands; nothing but the claim when the owner said otherwise meanwhile.
    SUBSCRIPTIONS_SETTLE = ["UPDATE subscription SET
            passed = CASE WHEN edition = CAST(r.value->>2 AS BIGINT) THEN CAST(r.value->>3 AS BIGINT) ELSE passed END,
            pending = CASE WHEN edition = CAST(r.value->>2 AS BIGINT) THEN CAST(r.value->>4 AS BIGINT) ELSE pending END,
            attempts = CASE WHEN edition = CAST(r.value->>2 AS BIGINT) THEN CAST(r.value->>5 AS BIGINT) ELSE attempts END,
            since = CASE WHEN edition = CAST(r.value->>2 AS BIGINT) THEN CAST(r.value->>6 AS BIGINT) ELSE since END,
            due = CASE WHEN edition = CAST(r.value->>2 AS BIGINT) THEN CAST(r.value->>7 AS BIGINT) ELSE due END,
            held = CAST(r.value->>8 AS BIGINT) FROM"
        "WHERE uuid = r.value->>0 AND claim = CAST(r.value->>1 AS BIGINT) RETURNING uuid, edition, state"];
    DELIVERIES_INSERT = ["INSERT INTO delivery (subscription, message, first, last, events, attempt, at, took, outcome,
            status, answer)
        SELECT r.value->>0, r.value->>1, CAST(r.value->>2 AS BIGINT), CAST(r.value->>3 AS BIGINT),
            CAST(r.value->>4 AS BIGINT), CAST(r.value->>5 AS BIGINT), CAST(r.value->>6 AS BIGINT),
            CAST(r.value->>7 AS BIGINT), r.value->>8, CAST(r.value->>9 AS BIGINT), r.value->>10 FROM" "WHERE true"];
    DELIVERIES_OF = "SELECT number, message, first, last, events, attempt, at, took, outcome, status, answer
        FROM delivery WHERE subscription = $1 AND number < $2 ORDER BY number DESC LIMIT $3";
    DELIVERIES_COUNT = "SELECT COUNT(*) FROM delivery WHERE subscription = $1";
    DELIVERIES_SWEEP = "DELETE FROM delivery WHERE at <= $1";
    ASIDES_INSERT = ["INSERT INTO delivery_aside (uuid, subscription, kind, queued, message, positions, attempts, since,
            at, status, answer)
        SELECT r.value->>0, r.value->>1, r.value->>2, CAST(r.value->>3 AS BIGINT), r.value->>4, r.value->>5,
            CAST(r.value->>6 AS BIGINT), CAST(r.value->>7 AS BIGINT), CAST(r.value->>8 AS BIGINT),
            CAST(r.value->>9 AS BIGINT), r.value->>10 FROM" "WHERE true ON CONFLICT (uuid) DO NOTHING"];
    ASIDE_OUT = "DELETE FROM delivery_aside WHERE uuid = $1";
    /// A dead letter that was tried once more in vain lies still, and with it those that would come after it.
    ASIDES_BACK = "UPDATE delivery_aside SET queued = 0 WHERE subscription = $1 AND kind = 'dead'";
    ASIDE_TRIED = "UPDATE delivery_aside SET attempts = attempts + 1, at = $2, status = $3, answer = $4 WHERE uuid = $1";
    /// Tests first: somebody waits.
    ASIDE_NEXT = "SELECT uuid, kind, queued, message, positions, attempts, since, at, status, answer FROM delivery_aside
        WHERE subscription = $1 AND queued = 1 ORDER BY kind DESC, since, uuid LIMIT 1";
    ASIDES_DEAD = "SELECT uuid, kind, queued, message, positions, attempts, since, at, status, answer FROM delivery_aside
        WHERE subscription = $1 AND kind = 'dead' ORDER BY since, uuid";
    ASIDES_DEAD_COUNT = "SELECT COUNT(*) FROM delivery_aside WHERE kind = 'dead'";
    ASIDES_REPLAY = "UPDATE delivery_aside SET queued = 1 WHERE subscription = $1 AND kind = 'dead'
        AND ($2 = '' OR uuid = $2)";
    ASIDES_OUT = "DELETE FROM delivery_aside WHERE subscription = $1";
    /// The digests whose time has come, in the order of their uuids, with where they go.
    DIGESTS_DUE = "SELECT s.uuid, s.edition, s.passed, s.due, s.filter, s.settings, c.uuid, c.mail
        FROM subscription s JOIN contact c ON c.uuid = s.contact
        WHERE s.kind = 'digest' AND s.state = 'active' AND s.due <= $1 AND s.uuid > $2 ORDER BY s.uuid LIMIT $3";
    /// A digest was laid down: only one who found it where it was may say so.
    DIGEST_PASS = "UPDATE subscription SET passed = $4, due = $5
        WHERE uuid = $1 AND edition = $2 AND passed = $3 AND state = 'active'";
    /// Nothing happened for them.
    DIGESTS_MOVE = ["UPDATE subscription SET passed = CAST(r.value->>3 AS BIGINT), due = CAST(r.value->>4 AS BIGINT) FROM"
        "WHERE uuid = r.value->>0 AND edition = CAST(r.value->>1 AS BIGINT) AND passed = CAST(r.value->>2 AS BIGINT)
          AND state = 'active'"];
    /// Where digests go, what waits for each, how often the first of that was tried, and what was answered.
    DIGESTS_STAND = "SELECT s.uuid, c.mail, COUNT(l.uuid), MAX(l.tries),
            (SELECT e.answer FROM letter e WHERE e.recipient = c.uuid AND e.kind = 'digest'
                AND e.state IN ('queued', 'begun') ORDER BY e.change LIMIT 1)
        FROM subscription s JOIN contact c ON c.uuid = s.contact
            LEFT JOIN letter l ON l.recipient = c.uuid AND l.kind = 'digest' AND l.state IN ('queued', 'begun')
        WHERE s.kind = 'digest' AND s.state <> 'ended' GROUP BY s.uuid, c.uuid, c.mail ORDER BY s.uuid";
    DIGEST_LETTERS_COUNT = "SELECT CASE WHEN l.state = 'sent' THEN 'sent' WHEN l.state = 'dropped' THEN 'dropped'
                WHEN l.state NOT IN ('queued', 'begun') THEN 'failed' WHEN s.state = 'paused' THEN 'held'
                WHEN l.tries > 0 AND l.state = 'queued' THEN 'failing' ELSE 'waiting' END, COUNT(*)
        FROM letter l LEFT JOIN subscription s ON s.contact = l.recipient AND s.kind = 'digest'
        WHERE l.kind = 'digest' GROUP BY 1";
    DIGESTS_COUNT = "SELECT COUNT(*) FROM subscription s WHERE s.kind = 'digest' AND s.state <> 'ended'";
    DIGESTS_OF_MAIL = "SELECT s.uuid, s.kind, s.account, s.organisation, s.contact, s.state, s.why, s.created, s.changed,
            s.filter, s.settings, s.passed, s.attempts, s.since, s.due, s.edition, s.tested
        FROM subscription s JOIN contact c ON c.uuid = s.contact
        WHERE s.kind = 'digest' AND s.state <> 'ended' AND c.mail = $1 ORDER BY s.created, s.uuid";
    SUBSCRIPTIONS_OF_CONTACT = "SELECT s.uuid, s.kind, s.account, s.organisation, s.contact, s.state, s.why, s.created,
            s.changed, s.filter, s.settings, s.passed, s.attempts, s.since, s.due, s.edition, s.tested
        FROM subscription s WHERE s.state <> 'ended' AND s.contact = $1 ORDER BY s.created, s.uuid";
    SUBSCRIPTIONS_SWEEP = "DELETE FROM subscription WHERE state = 'ended' AND changed <= $1";
}
