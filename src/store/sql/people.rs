//! Organisations, accounts, groups, grants, tokens, sessions, and the ways to sign in.

use super::Sql;

statements! {
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
}
