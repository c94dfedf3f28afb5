-- What is worked on: steps of drafts, of groups, of change requests and of certifications. A step is a fact; the state of
-- a matter is its steps in order.

CREATE TABLE step (
    matter     TEXT NOT NULL,
    number     BIGINT NOT NULL,
    kind       TEXT NOT NULL,
    vocabulary TEXT NOT NULL,
    at         BIGINT NOT NULL,
    actor      TEXT NOT NULL,
    body       TEXT NOT NULL,
    change     BIGINT NOT NULL UNIQUE REFERENCES change (seq),
    PRIMARY KEY (matter, number),
    CHECK (number > 0)
);

-- Who has no account and is written to: personal, and may be erased.
CREATE TABLE contact (
    uuid         TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    mail         TEXT NOT NULL,
    organisation TEXT
);

-- What waits for somebody: a link that was sent, an answer that is being written. Swept when it has run out.
CREATE TABLE errand (
    uuid    TEXT PRIMARY KEY,
    kind    TEXT NOT NULL,
    matter  TEXT NOT NULL,
    subject TEXT NOT NULL,
    contact TEXT,
    digest  TEXT UNIQUE,
    body    TEXT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX errand_subject ON errand (matter, subject, kind);
CREATE INDEX errand_expires ON errand (expires);

-- The bytes of files that belong to answers, in base64. What they are called stands in the step.
CREATE TABLE attachment (
    uuid    TEXT PRIMARY KEY,
    matter  TEXT NOT NULL,
    owner   TEXT NOT NULL,
    body    TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX attachment_owner ON attachment (owner);

CREATE TRIGGER step_no_update BEFORE UPDATE ON step
FOR EACH ROW EXECUTE FUNCTION begreb_refuse('a step is never changed');
CREATE TRIGGER step_no_delete BEFORE DELETE ON step
FOR EACH ROW EXECUTE FUNCTION begreb_refuse('a step is never deleted');
CREATE TRIGGER attachment_no_update BEFORE UPDATE OF uuid, matter, body, created ON attachment
FOR EACH ROW EXECUTE FUNCTION begreb_refuse('a file keeps its bytes');
CREATE TRIGGER contact_keeps_uuid BEFORE UPDATE OF uuid ON contact
FOR EACH ROW EXECUTE FUNCTION begreb_refuse('a contact keeps its uuid');
CREATE TRIGGER step_no_truncate BEFORE TRUNCATE ON step
FOR EACH STATEMENT EXECUTE FUNCTION begreb_refuse('a step is never deleted');
