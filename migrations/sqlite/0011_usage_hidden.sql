-- The uses that those who publish a vocabulary do not show on its pages. The change log tells it by uuids and the digest
-- of the reason; the reason stands here alone, and goes with the use.
CREATE TABLE usage_hidden (
    uuid       TEXT PRIMARY KEY,
    usage      TEXT NOT NULL REFERENCES usage (uuid),
    vocabulary TEXT NOT NULL REFERENCES vocabulary (uuid),
    reason     TEXT NOT NULL,
    at         INTEGER NOT NULL,
    UNIQUE (usage, vocabulary)
) STRICT;

CREATE TRIGGER usage_hidden_no_update BEFORE UPDATE ON usage_hidden
BEGIN SELECT RAISE(ABORT, 'begreb: a use is shown again and hidden anew, never hidden otherwise'); END;
