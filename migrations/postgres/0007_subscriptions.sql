-- Subscriptions: who is told of what, and how far. A subscription is its owner's and may be changed and ended; the change
-- log tells that by uuids and what is asked for, never by addresses or secrets. What stands here beside it is how
-- delivery goes, which is no fact of the registry.

CREATE TABLE subscription (
    uuid         TEXT PRIMARY KEY,
    kind         TEXT NOT NULL,
    -- Whose it is: an account, an organisation, or somebody without an account.
    account      TEXT,
    organisation TEXT,
    contact      TEXT,
    state        TEXT NOT NULL CHECK (state IN ('active', 'paused', 'ended')),
    why          TEXT,
    created      BIGINT NOT NULL,
    changed      BIGINT NOT NULL,
    filter       TEXT NOT NULL,
    settings     TEXT NOT NULL,
    -- The last row of the log that is done with.
    passed       BIGINT NOT NULL,
    -- The last row of what is being tried, how often it was, since when, and when it is tried next.
    pending      BIGINT,
    attempts     BIGINT NOT NULL,
    since        BIGINT,
    due          BIGINT NOT NULL,
    -- Who delivers has claimed it, with a number of its own, until an instant.
    claim        BIGINT NOT NULL,
    held         BIGINT NOT NULL,
    -- Grows when its owner says otherwise: what was under way then does not count.
    edition      BIGINT NOT NULL,
    tested       BIGINT,
    CHECK (account IS NOT NULL OR organisation IS NOT NULL OR contact IS NOT NULL)
);
CREATE INDEX subscription_ready ON subscription (kind, state, due);
CREATE INDEX subscription_account ON subscription (account);
CREATE INDEX subscription_organisation ON subscription (organisation);

-- What is signed with: the newest, and those before it while they are still good. Not in a backup.
CREATE TABLE subscription_secret (
    subscription TEXT NOT NULL REFERENCES subscription (uuid),
    number       BIGINT NOT NULL,
    secret       TEXT NOT NULL,
    until        BIGINT NOT NULL,
    PRIMARY KEY (subscription, number)
);

-- What goes beside the order: dead letters, and tests that were asked for.
CREATE TABLE delivery_aside (
    uuid         TEXT PRIMARY KEY,
    subscription TEXT NOT NULL REFERENCES subscription (uuid),
    kind         TEXT NOT NULL CHECK (kind IN ('dead', 'test')),
    queued       BIGINT NOT NULL CHECK (queued IN (0, 1)),
    message      TEXT NOT NULL,
    positions    TEXT NOT NULL,
    attempts     BIGINT NOT NULL,
    since        BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    status       BIGINT,
    answer       TEXT NOT NULL
);
CREATE INDEX delivery_aside_subscription ON delivery_aside (subscription, queued, kind);

-- What was tried, and what came of it; kept for a while.
CREATE TABLE delivery (
    number       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription TEXT NOT NULL,
    message      TEXT NOT NULL,
    first        BIGINT NOT NULL,
    last         BIGINT NOT NULL,
    events       BIGINT NOT NULL,
    attempt      BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    took         BIGINT NOT NULL,
    outcome      TEXT NOT NULL,
    status       BIGINT,
    answer       TEXT NOT NULL
);
CREATE INDEX delivery_subscription ON delivery (subscription, number);
CREATE INDEX delivery_at ON delivery (at);
