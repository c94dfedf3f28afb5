-- The facts, the versions and the log. Instants are microseconds since 1970 in UTC; the largest and the
-- smallest 64-bit number are the infinities. Uuids are lower-case text, digests 64 hexadecimal digits.

CREATE TABLE log_head (
    id   BIGINT PRIMARY KEY CHECK (id = 1),
    seq  BIGINT NOT NULL,
    at   BIGINT NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO log_head (id, seq, at, hash)
VALUES (1, 0, -9223372036854775808, '0000000000000000000000000000000000000000000000000000000000000000');

CREATE TABLE change (
    seq        BIGINT PRIMARY KEY,
    at         BIGINT NOT NULL,
    actor      TEXT NOT NULL,
    kind       TEXT NOT NULL,
    vocabulary TEXT NOT NULL,
    subject    TEXT NOT NULL,
    body       TEXT NOT NULL,
    previous   TEXT NOT NULL,
    hash       TEXT NOT NULL
);

CREATE TABLE vocabulary (
    uuid   TEXT PRIMARY KEY,
    slug   TEXT NOT NULL UNIQUE,
    body   TEXT NOT NULL,
    change BIGINT NOT NULL REFERENCES change (seq)
);

CREATE TABLE concept (
    uuid       TEXT PRIMARY KEY,
    vocabulary TEXT NOT NULL REFERENCES vocabulary (uuid)
);
CREATE INDEX concept_vocabulary ON concept (vocabulary);

CREATE TABLE content (
    digest TEXT PRIMARY KEY,
    body   TEXT NOT NULL
);

CREATE TABLE state (
    concept         TEXT NOT NULL REFERENCES concept (uuid),
    registered_from BIGINT NOT NULL,
    registered_to   BIGINT NOT NULL,
    valid_from      BIGINT NOT NULL,
    valid_to        BIGINT NOT NULL,
    content         TEXT NOT NULL REFERENCES content (digest),
    opened          BIGINT NOT NULL REFERENCES change (seq),
    closed          BIGINT REFERENCES change (seq),
    PRIMARY KEY (concept, registered_from, valid_from),
    CHECK (registered_from < registered_to),
    CHECK (valid_from < valid_to),
    CHECK ((registered_to = 9223372036854775807) = (closed IS NULL))
);
CREATE INDEX state_opened ON state (opened);
CREATE INDEX state_closed ON state (closed) WHERE closed IS NOT NULL;

CREATE TABLE version (
    uuid       TEXT PRIMARY KEY,
    vocabulary TEXT NOT NULL REFERENCES vocabulary (uuid),
    label      TEXT NOT NULL,
    effective  BIGINT NOT NULL,
    registered BIGINT NOT NULL,
    body       TEXT NOT NULL,
    change     BIGINT NOT NULL REFERENCES change (seq),
    UNIQUE (vocabulary, label)
);

-- What is said stays said: the database itself refuses.

CREATE FUNCTION begreb_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'begreb: %', TG_ARGV[0]; END $$;

CREATE FUNCTION begreb_state_no_overlap() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF EXISTS (
        SELECT 1 FROM state s
        WHERE s.concept = NEW.concept
          AND s.registered_from < NEW.registered_to AND NEW.registered_from < s.registered_to
          AND s.valid_from < NEW.valid_to AND NEW.valid_from < s.valid_to
    ) THEN RAISE EXCEPTION 'begreb: two states of one concept may not overlap'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER state_no_overlap BEFORE INSERT ON state
FOR EACH ROW EXECUTE FUNCTION begreb_state_no_overlap();

CREATE TRIGGER state_only_closes BEFORE UPDATE ON state FOR EACH ROW
WHEN (OLD.registered_to <> 9223372036854775807
   OR NEW.registered_to = 9223372036854775807
   OR NEW.concept <> OLD.concept OR NEW.registered_from <> OLD.registered_from
   OR NEW.valid_from <> OLD.valid_from OR NEW.valid_to <> OLD.valid_to
   OR NEW.content <> OLD.content OR NEW.opened <> OLD.opened)
EXECUTE FUNCTION begreb_refuse('a state is closed once and never otherwise changed');

CREATE TRIGGER state_no_delete BEFORE DELETE ON state
FOR EACH ROW EXECUTE FUNCTION begreb_refuse('a state is never deleted');

CREATE TRIGGER version_no_update BEFORE UPDATE ON version
FOR EACH ROW EXECUTE FUNCTION begreb_refuse('a published version is never changed');
CREATE TRIGGER version_no_delete BEFORE DELETE ON version
FOR EACH ROW EXECUTE FUNCTION begreb_refuse('a published version is never deleted');

CREATE TRIGGER change_no_update BEFORE UPDATE ON change
FOR EACH ROW EXECUTE FUNCTION begreb_refuse('the change log is never changed');
CREATE TRIGGER change_no_delete BEFORE DELETE ON change
FOR EACH ROW EXECUTE FUNCTION begreb_refuse('the change log is never deleted');

CREATE TRIGGER content_no_update BEFORE UPDATE ON content
FOR EACH ROW EXECUTE FUNCTION begreb_refuse('content is never changed');
CREATE TRIGGER content_no_delete BEFORE DELETE ON content
FOR EACH ROW EXECUTE FUNCTION begreb_refuse('content is never deleted');

CREATE TRIGGER concept_no_update BEFORE UPDATE ON concept
FOR EACH ROW EXECUTE FUNCTION begreb_refuse('a concept keeps its uuid and its vocabulary');
CREATE TRIGGER concept_no_delete BEFORE DELETE ON concept
FOR EACH ROW EXECUTE FUNCTION begreb_refuse('a concept is never deleted');

-- TRUNCATE is a delete that row triggers do not see.
CREATE TRIGGER state_no_truncate BEFORE TRUNCATE ON state
FOR EACH STATEMENT EXECUTE FUNCTION begreb_refuse('a state is never deleted');
CREATE TRIGGER version_no_truncate BEFORE TRUNCATE ON version
FOR EACH STATEMENT EXECUTE FUNCTION begreb_refuse('a published version is never deleted');
CREATE TRIGGER change_no_truncate BEFORE TRUNCATE ON change
FOR EACH STATEMENT EXECUTE FUNCTION begreb_refuse('the change log is never deleted');
CREATE TRIGGER content_no_truncate BEFORE TRUNCATE ON content
FOR EACH STATEMENT EXECUTE FUNCTION begreb_refuse('content is never deleted');
CREATE TRIGGER concept_no_truncate BEFORE TRUNCATE ON concept
FOR EACH STATEMENT EXECUTE FUNCTION begreb_refuse('a concept is never deleted');
