-- People and what they were given. Unlike the facts of the registry these rows may be changed and erased: they are
-- about persons. The change log tells what was done, by uuids and roles alone, and stays whole.

CREATE TABLE organisation (
    uuid   TEXT PRIMARY KEY,
    name   TEXT NOT NULL,
    active INTEGER NOT NULL CHECK (active IN (0, 1))
) STRICT;

CREATE TABLE account (
    uuid         TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    mail         TEXT NOT NULL UNIQUE,
    organisation TEXT REFERENCES organisation (uuid),
    active       INTEGER NOT NULL CHECK (active IN (0, 1)),
    password     TEXT
) STRICT;

CREATE TABLE people_group (
    uuid   TEXT PRIMARY KEY,
    name   TEXT NOT NULL,
    kind   TEXT NOT NULL,
    active INTEGER NOT NULL CHECK (active IN (0, 1))
) STRICT;

CREATE TABLE member (
    people_group TEXT NOT NULL REFERENCES people_group (uuid),
    account      TEXT NOT NULL REFERENCES account (uuid),
    PRIMARY KEY (people_group, account)
) STRICT;
CREATE INDEX member_account ON member (account);

CREATE TABLE granted (
    uuid         TEXT PRIMARY KEY,
    account      TEXT REFERENCES account (uuid),
    people_group TEXT REFERENCES people_group (uuid),
    role         TEXT NOT NULL,
    vocabulary   TEXT REFERENCES vocabulary (uuid),
    CHECK ((account IS NULL) <> (people_group IS NULL)),
    CHECK (role <> 'administrator' OR vocabulary IS NULL)
) STRICT;
CREATE INDEX granted_account ON granted (account);
CREATE INDEX granted_group ON granted (people_group);

-- Secrets are stored as their SHA-256: they are 256 bits of chance.

CREATE TABLE token (
    uuid    TEXT PRIMARY KEY,
    digest  TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL REFERENCES account (uuid),
    name    TEXT NOT NULL,
    scope   TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    CHECK (created < expires)
) STRICT;
CREATE INDEX token_account ON token (account);

CREATE TABLE session (
    digest  TEXT PRIMARY KEY,
    uuid    TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL REFERENCES account (uuid),
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX session_account ON session (account);

-- Leads once to a form where a password is set: of an account, or of the first administrator when there is none.
CREATE TABLE one_time_link (
    digest  TEXT PRIMARY KEY,
    account TEXT REFERENCES account (uuid),
    expires INTEGER NOT NULL
) STRICT;

-- What was given is taken back and given anew, never changed on the way.
CREATE TRIGGER granted_no_update BEFORE UPDATE ON granted
BEGIN SELECT RAISE(ABORT, 'begreb: a grant is given or taken, never changed'); END;
CREATE TRIGGER token_no_update BEFORE UPDATE ON token
BEGIN SELECT RAISE(ABORT, 'begreb: a token is made or revoked, never changed'); END;
CREATE TRIGGER session_no_update BEFORE UPDATE ON session
BEGIN SELECT RAISE(ABORT, 'begreb: a session is opened or ended, never changed'); END;
CREATE TRIGGER one_time_link_no_update BEFORE UPDATE ON one_time_link
BEGIN SELECT RAISE(ABORT, 'begreb: a link is handed out or used, never changed'); END;
CREATE TRIGGER account_keeps_uuid BEFORE UPDATE OF uuid ON account
BEGIN SELECT RAISE(ABORT, 'begreb: an account keeps its uuid'); END;
CREATE TRIGGER people_group_keeps_uuid BEFORE UPDATE OF uuid ON people_group
BEGIN SELECT RAISE(ABORT, 'begreb: a group keeps its uuid'); END;
CREATE TRIGGER organisation_keeps_uuid BEFORE UPDATE OF uuid ON organisation
BEGIN SELECT RAISE(ABORT, 'begreb: an organisation keeps its uuid'); END;
