-- The uses that those who publish a vocabulary do not show on its pages. The change log tells it by uuids and the digest
-- of the reason; the reason stands here alone, and goes with the use.
CREATE TABLE usage_hidden (
    uuid       TEXT PRIMARY KEY,
    usage      TEXT NOT NULL REFERENCES usage (uuid),
    vocabulary TEXT NOT NULL REFERENCES vocabulary (uuid),
    reason     TEXT NOT NULL,
    at         BIGINT NOT NULL,
    UNIQUE (usage, vocabulary)
);

CREATE TRIGGER usage_hidden_no_update BEFORE UPDATE ON usage_hidden
FOR EACH ROW EXECUTE FUNCTION begreb_refuse('a use is shown again and hidden anew, never hidden otherwise');
