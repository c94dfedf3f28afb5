-- Messages to and from other systems over AMQP. None of it is facts: a backup does not hold it.

-- How far the log was told under a name, and which node tells it, until when.
CREATE TABLE mox_position (
    name       TEXT PRIMARY KEY,
    seq        INTEGER NOT NULL,
    owner      TEXT NOT NULL,
    held_until INTEGER NOT NULL
) STRICT;

-- Commands that were taken in, by their beskedID, so that none is carried out twice. One without an answer was begun,
-- and nobody knows its end.
CREATE TABLE mox_command (
    besked TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    begun  INTEGER NOT NULL,
    status INTEGER,
    answer TEXT,
    CHECK ((status IS NULL) = (answer IS NULL))
) STRICT;
CREATE INDEX mox_command_begun ON mox_command (begun);

CREATE TRIGGER mox_position_moves_on BEFORE UPDATE ON mox_position WHEN NEW.seq < OLD.seq
BEGIN SELECT RAISE(ABORT, 'begreb: the log is not told twice under one name'); END;
CREATE TRIGGER mox_command_stays BEFORE UPDATE ON mox_command WHEN OLD.status IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'begreb: a command that was answered keeps its answer'); END;
