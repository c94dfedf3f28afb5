-- Messages to and from other systems over AMQP. None of it is facts: a backup does not hold it.

-- How far the log was told under a name, and which node tells it, until when.
CREATE TABLE mox_position (
    name       TEXT PRIMARY KEY,
    seq        BIGINT NOT NULL,
    owner      TEXT NOT NULL,
    held_until BIGINT NOT NULL
);

-- Commands that were taken in, by their beskedID, so that none is carried out twice. One without an answer was begun,
-- and nobody knows its end.
CREATE TABLE mox_command (
    besked TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    begun  BIGINT NOT NULL,
    status BIGINT,
    answer TEXT,
    CHECK ((status IS NULL) = (answer IS NULL))
);
CREATE INDEX mox_command_begun ON mox_command (begun);

CREATE TRIGGER mox_position_moves_on BEFORE UPDATE ON mox_position
FOR EACH ROW WHEN (NEW.seq < OLD.seq)
EXECUTE FUNCTION begreb_refuse('the log is not told twice under one name');
CREATE TRIGGER mox_command_stays BEFORE UPDATE ON mox_command
FOR EACH ROW WHEN (OLD.status IS NOT NULL)
EXECUTE FUNCTION begreb_refuse('a command that was answered keeps its answer');
