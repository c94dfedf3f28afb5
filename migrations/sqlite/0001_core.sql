-- The facts, the versions and the log. Instants are microseconds since 1970 in UTC; the largest and the
-- smallest 64-bit number are the infinities. Uuids are lower-case text, digests 64 hexadecimal digits.

CREATE TABLE log_head (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    seq  INTEGER NOT NULL,
    at   INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;
INSERT INTO log_head (id, seq, at, hash)
VALUES (1, 0, -9223372036854775808, '0000000000000000000000000000000000000000000000000000000000000000');

CREATE TABLE change (
    seq        INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    actor      TEXT NOT NULL,
    kind       TEXT NOT NULL,
    vocabulary TEXT NOT NULL,
    subject    TEXT NOT NULL,
    body       TEXT NOT NULL,
    previous   TEXT NOT NULL,
    hash       TEXT NOT NULL
) STRICT;

CREATE TABLE vocabulary (
    uuid   TEXT PRIMARY KEY,
    slug   TEXT NOT NULL UNIQUE,
    body   TEXT NOT NULL,
    change INTEGER NOT NULL REFERENCES change (seq)
) STRICT;

CREATE TABLE concept (
    uuid       TEXT PRIMARY KEY,
    vocabulary TEXT NOT NULL REFERENCES vocabulary (uuid)
) STRICT, WITHOUT ROWID;
CREATE INDEX concept_vocabulary ON concept (vocabulary);

CREATE TABLE content (
    digest TEXT PRIMARY KEY,
    body   TEXT NOT NULL
) STRICT;

CREATE TABLE state (
    concept         TEXT NOT NULL REFERENCES concept (uuid),
    registered_from INTEGER NOT NULL,
    registered_to   INTEGER NOT NULL,
    valid_from      INTEGER NOT NULL,
    valid_to        INTEGER NOT NULL,
    content         TEXT NOT NULL REFERENCES content (digest),
    opened          INTEGER NOT NULL REFERENCES change (seq),
    closed          INTEGER REFERENCES change (seq),
    PRIMARY KEY (concept, registered_from, valid_from),
    CHECK (registered_from < registered_to),
    CHECK (valid_from < valid_to),
    CHECK ((registered_to = 9223372036854775807) = (closed IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX state_opened ON state (opened);
CREATE INDEX state_closed ON state (closed) WHERE closed IS NOT NULL;

CREATE TABLE version (
    uuid       TEXT PRIMARY KEY,
    vocabulary TEXT NOT NULL REFERENCES vocabulary (uuid),
    label      TEXT NOT NULL,
    effective  INTEGER NOT NULL,
    registered INTEGER NOT NULL,
    body       TEXT NOT NULL,
    change     INTEGER NOT NULL REFERENCES change (seq),
    UNIQUE (vocabulary, label)
) STRICT;

-- What is said stays said: the database itself refuses.

CREATE TRIGGER state_no_overlap BEFORE INSERT ON state
WHEN EXISTS (
    SELECT 1 FROM state s
    WHERE s.concept = NEW.concept
      AND s.registered_from < NEW.registered_to AND NEW.registered_from < s.registered_to
      AND s.valid_from < NEW.valid_to AND NEW.valid_from < s.valid_to
)
BEGIN SELECT RAISE(ABORT, 'begreb: two states of one concept may not overlap'); END;

CREATE TRIGGER state_only_closes BEFORE UPDATE ON state
WHEN OLD.registered_to <> 9223372036854775807
  OR NEW.registered_to = 9223372036854775807
  OR NEW.concept <> OLD.concept OR NEW.registered_from <> OLD.registered_from
  OR NEW.valid_from <> OLD.valid_from OR NEW.valid_to <> OLD.valid_to
  OR NEW.content <> OLD.content OR NEW.opened <> OLD.opened
BEGIN SELECT RAISE(ABORT, 'begreb: a state is closed once and never otherwise changed'); END;

CREATE TRIGGER state_no_delete BEFORE DELETE ON state
BEGIN SELECT RAISE(ABORT, 'begreb: a state is never deleted'); END;

CREATE TRIGGER version_no_update BEFORE UPDATE ON version
BEGIN SELECT RAISE(ABORT, 'begreb: a published version is never changed'); END;
CREATE TRIGGER version_no_delete BEFORE DELETE ON version
BEGIN SELECT RAISE(ABORT, 'begreb: a published version is never deleted'); END;

CREATE TRIGGER change_no_update BEFORE UPDATE ON change
BEGIN SELECT RAISE(ABORT, 'begreb: the change log is never changed'); END;
CREATE TRIGGER change_no_delete BEFORE DELETE ON change
BEGIN SELECT RAISE(ABORT, 'begreb: the change log is never deleted'); END;

CREATE TRIGGER content_no_update BEFORE UPDATE ON content
BEGIN SELECT RAISE(ABORT, 'begreb: content is never changed'); END;
CREATE TRIGGER content_no_delete BEFORE DELETE ON content
BEGIN SELECT RAISE(ABORT, 'begreb: content is never deleted'); END;

-- INSERT OR REPLACE deletes without asking the delete triggers: nothing is put in the place of what is there.
CREATE TRIGGER version_no_replace BEFORE INSERT ON version
WHEN EXISTS (SELECT 1 FROM version v WHERE v.uuid = NEW.uuid OR (v.vocabulary = NEW.vocabulary AND v.label = NEW.label))
BEGIN SELECT RAISE(ABORT, 'begreb: a published version is never replaced'); END;
CREATE TRIGGER change_no_replace BEFORE INSERT ON change
WHEN EXISTS (SELECT 1 FROM change c WHERE c.seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'begreb: the change log is never replaced'); END;
CREATE TRIGGER content_no_replace BEFORE INSERT ON content
WHEN EXISTS (SELECT 1 FROM content c WHERE c.digest = NEW.digest AND c.body <> NEW.body)
BEGIN SELECT RAISE(ABORT, 'begreb: content is never replaced'); END;
CREATE TRIGGER concept_no_replace BEFORE INSERT ON concept
WHEN EXISTS (SELECT 1 FROM concept c WHERE c.uuid = NEW.uuid)
BEGIN SELECT RAISE(ABORT, 'begreb: a concept is never replaced'); END;

CREATE TRIGGER concept_no_update BEFORE UPDATE ON concept
BEGIN SELECT RAISE(ABORT, 'begreb: a concept keeps its uuid and its vocabulary'); END;
CREATE TRIGGER concept_no_delete BEFORE DELETE ON concept
BEGIN SELECT RAISE(ABORT, 'begreb: a concept is never deleted'); END;
