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
    acknowledged    INTEGER NOT NULL,
    acknowledged_at INTEGER NOT NULL,
    created         INTEGER NOT NULL,
    ended           INTEGER NOT NULL CHECK (ended IN (0, 1)),
    change          INTEGER NOT NULL REFERENCES change (seq)
) STRICT;
CREATE INDEX usage_change ON usage (change);

CREATE TABLE usage_code (
    usage   TEXT NOT NULL REFERENCES usage (uuid),
    system  TEXT NOT NULL,
    code    TEXT NOT NULL,
    concept TEXT,
    added   INTEGER NOT NULL,
    PRIMARY KEY (usage, system, code)
) STRICT;

CREATE TRIGGER usage_keeps_itself BEFORE UPDATE OF uuid, form, owner, created ON usage
WHEN NEW.uuid <> OLD.uuid OR NEW.form <> OLD.form OR NEW.owner <> OLD.owner OR NEW.created <> OLD.created
BEGIN SELECT RAISE(ABORT, 'begreb: a use keeps its uuid, form, owner and beginning'); END;
CREATE TRIGGER usage_moves_on BEFORE UPDATE ON usage
WHEN NEW.acknowledged < OLD.acknowledged OR NEW.change < OLD.change OR NEW.ended < OLD.ended
BEGIN SELECT RAISE(ABORT, 'begreb: what was acknowledged or ended stays so'); END;
CREATE TRIGGER usage_no_delete BEFORE DELETE ON usage
BEGIN SELECT RAISE(ABORT, 'begreb: a use is ended, never deleted'); END;
