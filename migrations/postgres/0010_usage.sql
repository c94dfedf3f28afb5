-- Who uses which concepts: the code sets of systems, and what was declared. The change log tells what was done, by uuids
-- and the digest of the codes; names and contacts stand here alone, and may be changed and emptied.
CREATE TABLE usage (
    uuid            TEXT PRIMARY KEY,
    form            TEXT NOT NULL CHECK (form IN ('codeSet', 'declaration')),
    kind            TEXT NOT NULL,
    name            TEXT NOT NULL,
    link            TEXT,
    contact         TEXT,
    visibility      TEXT NOT NULL,
    owner           TEXT NOT NULL,
    organisation    TEXT,
    acknowledged    BIGINT NOT NULL,
    acknowledged_at BIGINT NOT NULL,
    created         BIGINT NOT NULL,
    ended           BIGINT NOT NULL CHECK (ended IN (0, 1)),
    change          BIGINT NOT NULL REFERENCES change (seq)
);
CREATE INDEX usage_change ON usage (change);

CREATE TABLE usage_code (
    usage   TEXT NOT NULL REFERENCES usage (uuid),
    system  TEXT NOT NULL,
    code    TEXT NOT NULL,
    concept TEXT,
    added   BIGINT NOT NULL,
    PRIMARY KEY (usage, system, code)
);

CREATE TRIGGER usage_keeps_itself BEFORE UPDATE ON usage
FOR EACH ROW WHEN (NEW.uuid <> OLD.uuid OR NEW.form <> OLD.form OR NEW.owner <> OLD.owner OR NEW.created <> OLD.created)
EXECUTE FUNCTION begreb_refuse('a use keeps its uuid, form, owner and beginning');
CREATE TRIGGER usage_moves_on BEFORE UPDATE ON usage
FOR EACH ROW WHEN (NEW.acknowledged < OLD.acknowledged OR NEW.change < OLD.change OR NEW.ended < OLD.ended)
EXECUTE FUNCTION begreb_refuse('what was acknowledged or ended stays so');
CREATE TRIGGER usage_no_delete BEFORE DELETE ON usage
FOR EACH ROW EXECUTE FUNCTION begreb_refuse('a use is ended, never deleted');
CREATE TRIGGER usage_no_truncate BEFORE TRUNCATE ON usage
FOR EACH STATEMENT EXECUTE FUNCTION begreb_refuse('a use is ended, never deleted');
