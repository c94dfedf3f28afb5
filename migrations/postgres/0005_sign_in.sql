-- Signing in at an OpenID provider: who an account is there, and which grants came from there. About persons, as the
-- tables of people are: these rows may be erased.

CREATE TABLE sign_in_identity (
    uuid    TEXT PRIMARY KEY,
    issuer  TEXT NOT NULL,
    subject TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES account (uuid),
    UNIQUE (issuer, subject),
    UNIQUE (issuer, account)
);
CREATE INDEX sign_in_identity_account ON sign_in_identity (account);

-- A grant without a row here was given by hand.
CREATE TABLE grant_origin (
    granted  TEXT PRIMARY KEY REFERENCES granted (uuid) ON DELETE CASCADE,
    provider TEXT NOT NULL
);

-- An answer of a provider opens one session. Forgotten when it would be too late for it anyway.
CREATE TABLE sign_in_used (
    digest  TEXT PRIMARY KEY,
    expires BIGINT NOT NULL
);

CREATE TRIGGER sign_in_identity_no_update BEFORE UPDATE ON sign_in_identity
FOR EACH ROW EXECUTE FUNCTION begreb_refuse('an identity is linked or unlinked, never changed');
CREATE TRIGGER grant_origin_no_update BEFORE UPDATE ON grant_origin
FOR EACH ROW EXECUTE FUNCTION begreb_refuse('a grant keeps its origin');
