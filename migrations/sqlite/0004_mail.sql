-- Mail. The outbox is not part of the facts: its rows hold addresses for a while and may be emptied. What stays of a
-- row is its key and its state, so that no letter is sent a second time.

-- How far the log has been read for letters; null until mail is turned on for the first time. The row is also the lock
-- between those who write letters and those who erase people.
CREATE TABLE mail_position (
    id  INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER
) STRICT;
INSERT INTO mail_position (id, seq) VALUES (1, NULL);

CREATE TABLE letter (
    uuid      TEXT PRIMARY KEY,
    change    INTEGER NOT NULL REFERENCES change (seq),
    recipient TEXT NOT NULL,
    kind      TEXT NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('queued', 'begun', 'doubt', 'sent', 'refused', 'givenUp', 'dropped')),
    attempts  INTEGER NOT NULL,
    tries     INTEGER NOT NULL,
    created   INTEGER NOT NULL,
    since     INTEGER NOT NULL,
    due       INTEGER NOT NULL,
    done      INTEGER,
    secret    INTEGER NOT NULL CHECK (secret IN (0, 1)),
    answer    TEXT,
    mail      TEXT,
    name      TEXT,
    language  TEXT NOT NULL,
    subject   TEXT,
    body      TEXT,
    UNIQUE (change, recipient, kind),
    CHECK (state NOT IN ('queued', 'doubt') OR (mail IS NOT NULL AND subject IS NOT NULL AND body IS NOT NULL)),
    CHECK ((done IS NULL) = (state IN ('queued', 'begun')))
) STRICT;
CREATE INDEX letter_state ON letter (state, due);
CREATE INDEX letter_recipient ON letter (recipient);

CREATE TRIGGER letter_stays_sent BEFORE UPDATE ON letter
WHEN OLD.state IN ('sent', 'dropped') AND NEW.state <> OLD.state
BEGIN SELECT RAISE(ABORT, 'begreb: a letter that was sent or dropped is not sent again'); END;
CREATE TRIGGER letter_keeps_key BEFORE UPDATE OF uuid, change, recipient, kind ON letter
BEGIN SELECT RAISE(ABORT, 'begreb: a letter keeps its key'); END;
CREATE TRIGGER letter_no_delete BEFORE DELETE ON letter
BEGIN SELECT RAISE(ABORT, 'begreb: the row of a letter keeps it from being sent twice'); END;
CREATE TRIGGER mail_position_moves_on BEFORE UPDATE ON mail_position
WHEN NEW.seq < OLD.seq
BEGIN SELECT RAISE(ABORT, 'begreb: the log is not read twice for letters'); END;
