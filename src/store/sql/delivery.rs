//! What goes out: letters, messages, subscriptions and their deliveries, digests; and who uses which concepts.

use super::Sql;

statements! {
    /// The row is locked on PostgreSQL by those who lay letters down and those who empty them.
    MAIL_POSITION_LOCK = { "SELECT seq FROM mail_position WHERE id = 1", "SELECT seq FROM mail_position WHERE id = 1 FOR UPDATE" };
    MAIL_POSITION = "SELECT seq FROM mail_position WHERE id = 1";
    MAIL_POSITION_MOVE = "UPDATE mail_position SET seq = $1 WHERE id = 1";
    /// Mail is turned on for the first time: what happened before is not told any more.
    MAIL_START = "UPDATE mail_position SET seq = (SELECT h.seq FROM log_head h WHERE h.id = 1)
        WHERE id = 1 AND seq IS NULL";
    /// A database that a backup was laid into tells nothing of what the backup holds.
    MAIL_FORGET = "UPDATE mail_position SET seq = NULL WHERE id = 1";
    /// Nothing is laid down for somebody who was erased after the facts were read, at $12.
    LETTER_LAY = "INSERT INTO letter (uuid, change, recipient, kind, state, attempts, tries, created, since, due, mail, name,
            language, subject, body, secret, unsubscribe)
        SELECT $1, CAST($2 AS BIGINT), $3, $4, 'queued', 0, 0, CAST($5 AS BIGINT), CAST($5 AS BIGINT),
            CAST($5 AS BIGINT), $6, $7, $8, $9, $10, CAST($11 AS BIGINT), $13
        WHERE NOT EXISTS (SELECT 1 FROM change c WHERE c.seq > $12 AND c.subject = $3 AND c.kind LIKE '%.erased')
        ON CONFLICT DO NOTHING";
    /// The attempt is on record before anybody speaks to a mail server; until $2 it is this sender's. Digests of one go in
    /// their order, and none while it is paused.
    LETTER_CLAIM = {
        "UPDATE letter SET state = 'begun', attempts = attempts + 1, tries = tries + 1, due = $2
        WHERE uuid = (SELECT l.uuid FROM letter l WHERE l.state = 'queued' AND l.due <= $1 AND NOT (l.kind = 'digest' AND (
                EXISTS (SELECT 1 FROM subscription s WHERE s.contact = l.recipient AND s.kind = 'digest'
                    AND s.state = 'paused')
                OR EXISTS (SELECT 1 FROM letter e WHERE e.recipient = l.recipient AND e.kind = 'digest'
                    AND e.change < l.change AND e.state IN ('queued', 'begun'))))
            ORDER BY l.due, l.change, l.uuid LIMIT 1)
        RETURNING uuid, change, kind, attempts, tries, created, since, mail, name, language, subject, body,
            unsubscribe, recipient",
        "UPDATE letter SET state = 'begun', attempts = attempts + 1, tries = tries + 1, due = $2
        WHERE uuid = (SELECT l.uuid FROM letter l WHERE l.state = 'queued' AND l.due <= $1 AND NOT (l.kind = 'digest' AND (
                EXISTS (SELECT 1 FROM subscription s WHERE s.contact = l.recipient AND s.kind = 'digest'
                    AND s.state = 'paused')
                OR EXISTS (SELECT 1 FROM letter e WHERE e.recipient = l.recipient AND e.kind = 'digest'
                    AND e.change < l.change AND e.state IN ('queued', 'begun'))))
            ORDER BY l.due, l.change, l.uuid LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING uuid, change, kind, attempts, tries, created, since, mail, name, language, subject, body,
            unsubscribe, recipient"
    };
    /// How an attempt ended. One that was emptied meanwhile stays empty, and is not tried again. With $7 of 1 the time for
    /// which it may be tried begins anew.
    LETTER_SETTLE = "UPDATE letter SET
            since = CASE WHEN CAST($7 AS BIGINT) = 1 THEN CAST($4 AS BIGINT) ELSE since END,
            state = CASE WHEN mail IS NULL AND $3 IN ('doubt', 'queued') THEN 'dropped' ELSE $3 END,
            done = CASE WHEN $3 = 'queued' AND mail IS NOT NULL THEN NULL ELSE CAST($4 AS BIGINT) END,
            due = $5,
            answer = CASE WHEN mail IS NULL THEN NULL ELSE CAST($6 AS TEXT) END,
            body = CASE WHEN secret = 1 AND $3 NOT IN ('doubt', 'queued') THEN NULL ELSE body END
        WHERE uuid = $1 AND attempts = $2
          AND (state IN ('begun', 'doubt') OR ($3 = 'sent' AND state IN ('queued', 'refused', 'givenUp')))";
    /// Attempts of which nobody told the end.
    LETTERS_DOUBT = "UPDATE letter SET state = CASE WHEN mail IS NULL THEN 'dropped' ELSE 'doubt' END, done = $1
        WHERE state = 'begun' AND due <= $1";
    /// The same of digests, which go at least once: they are tried again.
    LETTERS_AGAIN = "UPDATE letter SET state = 'queued' WHERE state = 'begun' AND due <= $1 AND kind = 'digest'
        AND mail IS NOT NULL";
    /// A digest goes on: what waits for it is tried at once, and for as long as a new letter.
    LETTERS_RETRY = "UPDATE letter SET tries = 0, since = $2, due = $2
        WHERE recipient = $1 AND kind = 'digest' AND state = 'queued'";
    LETTER_RESEND = "UPDATE letter SET state = 'queued', tries = 0, since = $2, due = $2, done = NULL, answer = NULL
        WHERE uuid = $1 AND state IN ('doubt', 'refused', 'givenUp') AND body IS NOT NULL";
    LETTER_DROP = "UPDATE letter SET state = 'dropped', done = $2, answer = NULL, mail = NULL, name = NULL,
            subject = NULL, body = NULL, unsubscribe = NULL
        WHERE uuid = $1 AND state IN ('queued', 'doubt', 'refused', 'givenUp')";
    /// Somebody is erased.
    LETTERS_EMPTY = "UPDATE letter SET
            done = CASE WHEN state IN ('queued', 'doubt') THEN CAST($2 AS BIGINT) ELSE done END,
            state = CASE WHEN state IN ('queued', 'doubt') THEN 'dropped' ELSE state END,
            answer = NULL, mail = NULL, name = NULL, subject = NULL, body = NULL, unsubscribe = NULL
        WHERE recipient = $1";
    /// What was done before $1 is emptied; what was in doubt for so long is not sent any more.
    LETTERS_FORGET = "UPDATE letter SET state = CASE WHEN state = 'doubt' THEN 'dropped' ELSE state END,
            answer = NULL, mail = NULL, name = NULL, subject = NULL, body = NULL, unsubscribe = NULL
        WHERE done <= $1 AND mail IS NOT NULL";
    /// What is held back with a digest is not due.
    LETTERS_COUNT = "SELECT l.state, COUNT(*), MIN(CASE WHEN s.uuid IS NULL THEN l.due END)
        FROM letter l LEFT JOIN subscription s ON s.contact = l.recipient AND s.kind = 'digest' AND s.state = 'paused'
            AND l.kind = 'digest' GROUP BY l.state";
    LETTERS_LIST = "SELECT uuid, change, recipient, kind, state, attempts, created, due, done, answer, mail, subject
        FROM letter WHERE $1 = '' OR state = $1 ORDER BY change DESC, uuid LIMIT $2";
    LETTER_STATE = "SELECT state FROM letter WHERE uuid = $1";
    USAGES_INSERT = ["INSERT INTO usage (uuid, form, kind, name, link, contact, visibility, owner, organisation,
            acknowledged, acknowledged_at, created, ended, change)
        SELECT r.value->>0, r.value->>1, r.value->>2, r.value->>3, r.value->>4, r.value->>5, r.value->>6, r.value->>7,
               r.value->>8, CAST(r.value->>9 AS BIGINT), CAST(r.value->>10 AS BIGINT), CAST(r.value->>11 AS BIGINT),
               CAST(r.value->>12 AS BIGINT), CAST(r.value->>13 AS BIGINT) FROM" "WHERE true
        ON CONFLICT (uuid) DO UPDATE SET kind = excluded.kind, name = excluded.name, link = excluded.link,
            contact = excluded.contact, visibility = excluded.visibility, organisation = excluded.organisation,
            acknowledged = excluded.acknowledged, acknowledged_at = excluded.acknowledged_at, ended = excluded.ended,
            change = excluded.change"];
    USAGES = "SELECT uuid, form, kind, name, link, contact, visibility, owner, organisation, acknowledged,
        acknowledged_at, created, ended, change FROM usage ORDER BY uuid";
    /// What was touched after a position of the log.
    USAGES_AFTER = "SELECT uuid, form, kind, name, link, contact, visibility, owner, organisation, acknowledged,
        acknowledged_at, created, ended, change FROM usage WHERE change > $1 ORDER BY change";
    USAGE = "SELECT uuid, form, kind, name, link, contact, visibility, owner, organisation, acknowledged,
        acknowledged_at, created, ended, change FROM usage WHERE uuid = $1";
    /// Whom to ask is forgotten with the person who said so.
    USAGE_CONTACTS_FORGET = "UPDATE usage SET contact = NULL WHERE owner = $1";
    USAGE_CODES_INSERT = ["INSERT INTO usage_code (usage, system, code, concept, added)
        SELECT r.value->>0, r.value->>1, r.value->>2, r.value->>3, CAST(r.value->>4 AS BIGINT) FROM" "WHERE true
        ON CONFLICT (usage, system, code) DO UPDATE SET concept = excluded.concept, added = excluded.added"];
    USAGE_CODES_OUT = ["DELETE FROM usage_code WHERE (usage, system, code) IN
        (SELECT r.value->>0, r.value->>1, r.value->>2 FROM" ")"];
    USAGE_CODES_END = "DELETE FROM usage_code WHERE usage = $1";
    USAGE_CODES_OF = "SELECT system, code, concept, added FROM usage_code WHERE usage = $1";
    USAGE_CODES = "SELECT usage, system, code, concept, added FROM usage_code ORDER BY usage, system, code";
    /// The follower reads it again.
    USAGE_TOUCH = "UPDATE usage SET change = $2 WHERE uuid = $1";
    USAGES_HIDDEN = "SELECT uuid, usage, vocabulary, reason, at FROM usage_hidden ORDER BY uuid";
    USAGES_HIDDEN_INSERT = ["INSERT INTO usage_hidden (uuid, usage, vocabulary, reason, at)
        SELECT r.value->>0, r.value->>1, r.value->>2, r.value->>3, CAST(r.value->>4 AS BIGINT) FROM" ""];
    USAGE_HIDDEN_OF = "SELECT uuid, usage, vocabulary, reason, at FROM usage_hidden WHERE usage = $1 ORDER BY vocabulary";
    USAGE_HIDDEN_OUT = "DELETE FROM usage_hidden WHERE uuid = $1";
    /// Once each.
    USAGE_CONCEPTS_OF = "SELECT DISTINCT concept FROM usage_code WHERE usage = $1 AND concept IS NOT NULL";

    LETTERS_BEYOND = "SELECT uuid FROM letter WHERE change > $1 ORDER BY change, uuid LIMIT 1";

    /// The log is told under a name for the first time: from where was asked, at most from its end.
    MOX_START = "INSERT INTO mox_position (name, seq, owner, held_until)
        SELECT $1, CASE WHEN CAST($2 AS BIGINT) < h.seq THEN CAST($2 AS BIGINT) ELSE h.seq END, '', 0
        FROM log_head h WHERE h.id = 1 ON CONFLICT DO NOTHING";
    /// Nobody else holds it at $3; until $4 it is ours.
    MOX_CLAIM = "UPDATE mox_position SET owner = $2, held_until = $4
        WHERE name = $1 AND (owner = $2 OR held_until <= $3) RETURNING seq";
    /// Nothing when somebody else has taken it by now.
    MOX_MOVE = "UPDATE mox_position SET seq = $4, held_until = $5 WHERE name = $1 AND owner = $2 AND seq = $3";
    MOX_RELEASE = "UPDATE mox_position SET held_until = 0 WHERE name = $1 AND owner = $2";
    MOX_POSITIONS = "SELECT name, seq FROM mox_position ORDER BY name";
    /// A database that a backup was laid into tells nothing of what the backup holds.
    MOX_FORGET = "DELETE FROM mox_position";
    MOX_COMMAND_BEGIN = "INSERT INTO mox_command (besked, digest, begun) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    MOX_COMMAND = "SELECT digest, status, answer FROM mox_command WHERE besked = $1";
    MOX_COMMAND_SETTLE = "UPDATE mox_command SET status = $2, answer = $3 WHERE besked = $1 AND status IS NULL";
    MOX_COMMAND_RELEASE = "DELETE FROM mox_command WHERE besked = $1 AND status IS NULL";
    MOX_COMMANDS_FORGET = "DELETE FROM mox_command WHERE begun <= $1";
    SUBSCRIPTIONS_INSERT = ["INSERT INTO subscription (uuid, kind, account, organisation, contact, state, why, created,
            changed, filter, settings, passed, attempts, due, claim, held, edition)
        SELECT r.value->>0, r.value->>1, r.value->>2, r.value->>3, r.value->>4, r.value->>5, r.value->>6,
            CAST(r.value->>7 AS BIGINT), CAST(r.value->>8 AS BIGINT), r.value->>9, r.value->>10,
            CAST(r.value->>11 AS BIGINT), 0, 0, 0, 0, 0 FROM" "WHERE true"];
    /// For the backup: whoever restores it has no secrets to sign with. A digest needs none; it goes on from what the
    /// backup holds, as all mail does.
    SUBSCRIPTIONS_KEPT = "SELECT s.uuid, s.kind, s.account, s.organisation, s.contact,
            CASE WHEN s.kind = 'digest' THEN s.state ELSE 'paused' END,
            CASE WHEN s.kind = 'digest' THEN s.why ELSE 'restored' END, s.created, s.changed, s.filter, s.settings,
            CASE WHEN s.kind = 'digest' THEN (SELECT h.seq FROM log_head h WHERE h.id = 1) ELSE s.passed END
        FROM subscription s WHERE s.state <> 'ended' ORDER BY s.uuid";
    /// All that have not ended.
    SUBSCRIPTIONS = "SELECT uuid, kind, account, organisation, contact, state, why, created, changed, filter, settings,
            passed, attempts, since, due, edition, tested
        FROM subscription WHERE state <> 'ended' ORDER BY created, uuid";
    SUBSCRIPTIONS_OF = "SELECT uuid, kind, account, organisation, contact, state, why, created, changed, filter,
            settings, passed, attempts, since, due, edition, tested
        FROM subscription WHERE state <> 'ended' AND (account = $1 OR organisation = $2) ORDER BY created, uuid";
    SUBSCRIPTION = "SELECT uuid, kind, account, organisation, contact, state, why, created, changed, filter, settings,
            passed, attempts, since, due, edition, tested
        FROM subscription WHERE state <> 'ended' AND uuid = $1";
    /// What was under way does not count; what is tried is put together anew.
    SUBSCRIPTION_CHANGE = "UPDATE subscription SET filter = $2, settings = $3, pending = NULL, edition = edition + 1
        WHERE uuid = $1";
    SUBSCRIPTION_STATE = "UPDATE subscription SET state = $2, why = $3, changed = $4, due = 0, attempts = 0,
            since = NULL
        WHERE uuid = $1";
    SUBSCRIPTION_EMPTY = "UPDATE subscription SET settings = '{}', edition = edition + 1 WHERE uuid = $1";
    SUBSCRIPTION_REWIND = "UPDATE subscription SET passed = $2, due = $3, pending = NULL, attempts = 0, since = NULL,
            edition = edition + 1
        WHERE uuid = $1 AND state <> 'ended'";
    SUBSCRIPTION_TESTED = "UPDATE subscription SET tested = $2
        WHERE uuid = $1 AND state <> 'ended' AND COALESCE(tested, 0) <= $3";
    SUBSCRIPTIONS_COUNT = "SELECT s.state, COUNT(*), COUNT(CASE WHEN s.attempts > 0 THEN 1 END)
        FROM subscription s WHERE s.kind = $1 AND s.state <> 'ended' GROUP BY s.state";

    SECRET_ADD = "INSERT INTO subscription_secret (subscription, number, secret, until)
        SELECT $1, COALESCE(MAX(number), 0) + 1, $2, CAST($3 AS BIGINT) FROM subscription_secret WHERE subscription = $1";
    /// Those before the newest are good until an instant, or for shorter.
    SECRETS_UNTIL = "UPDATE subscription_secret SET until = $2 WHERE subscription = $1 AND until > $2";
    SECRETS_OUT = "DELETE FROM subscription_secret WHERE subscription = $1";
    SECRETS_EDITION = "UPDATE subscription SET edition = edition + 1 WHERE uuid = $1";
    SECRETS_SWEEP = "DELETE FROM subscription_secret WHERE until <= $1";
    SECRETS_COUNT = "SELECT COUNT(*) FROM subscription_secret WHERE subscription = $1 AND until > $2";
    /// The newest first, as the signatures stand in a request.
    SECRETS = ["SELECT s.subscription, s.secret, s.until FROM subscription_secret s WHERE s.subscription IN (
        SELECT r.value->>0 FROM" ") ORDER BY s.subscription, s.number DESC"];

    /// Those that nobody delivers now and that have something to deliver, perhaps: whether they want it, their filter
    /// tells. Whose owner may not sign in is told nothing.
    SUBSCRIPTIONS_READY = "SELECT s.uuid, s.edition, s.passed, s.attempts, s.filter, s.state, s.due,
            (SELECT COUNT(*) FROM delivery_aside q WHERE q.subscription = s.uuid AND q.queued = 1)
        FROM subscription s LEFT JOIN account a ON a.uuid = s.account
            LEFT JOIN organisation o ON o.uuid = COALESCE(s.organisation, a.organisation)
        WHERE s.kind = $1 AND s.held <= $2 AND s.state <> 'ended'
          AND COALESCE(a.active, 1) = 1 AND COALESCE(o.active, 1) = 1
          AND ((s.state = 'active' AND s.due <= $2 AND s.passed < $3)
            OR EXISTS (SELECT 1 FROM delivery_aside q WHERE q.subscription = s.uuid AND q.queued = 1))
        ORDER BY s.due, s.uuid";
    SUBSCRIPTIONS_CLAIM = ["UPDATE subscription SET claim = claim + 1, held = $2 FROM"
        "WHERE uuid = r.value->>0 AND held <= $3 AND state <> 'ended'
        RETURNING uuid, claim, edition, passed, pending, attempts, since, due, filter, settings, state"];
    /// What came of it, for those whose claim still stands; nothing but the claim when the owner said otherwise meanwhile.
    SUBSCRIPTIONS_SETTLE = ["UPDATE subscription SET
            passed = CASE WHEN edition = CAST(r.value->>2 AS BIGINT) THEN CAST(r.value->>3 AS BIGINT) ELSE passed END,
            pending = CASE WHEN edition = CAST(r.value->>2 AS BIGINT) THEN CAST(r.value->>4 AS BIGINT) ELSE pending END,
            attempts = CASE WHEN edition = CAST(r.value->>2 AS BIGINT) THEN CAST(r.value->>5 AS BIGINT) ELSE attempts END,
            since = CASE WHEN edition = CAST(r.value->>2 AS BIGINT) THEN CAST(r.value->>6 AS BIGINT) ELSE since END,
            due = CASE WHEN edition = CAST(r.value->>2 AS BIGINT) THEN CAST(r.value->>7 AS BIGINT) ELSE due END,
            held = CAST(r.value->>8 AS BIGINT) FROM"
        "WHERE uuid = r.value->>0 AND claim = CAST(r.value->>1 AS BIGINT) RETURNING uuid, edition, state"];
    DELIVERIES_INSERT = ["INSERT INTO delivery (subscription, message, first, last, events, attempt, at, took, outcome,
            status, answer)
        SELECT r.value->>0, r.value->>1, CAST(r.value->>2 AS BIGINT), CAST(r.value->>3 AS BIGINT),
            CAST(r.value->>4 AS BIGINT), CAST(r.value->>5 AS BIGINT), CAST(r.value->>6 AS BIGINT),
            CAST(r.value->>7 AS BIGINT), r.value->>8, CAST(r.value->>9 AS BIGINT), r.value->>10 FROM" "WHERE true"];
    DELIVERIES_OF = "SELECT number, message, first, last, events, attempt, at, took, outcome, status, answer
        FROM delivery WHERE subscription = $1 AND number < $2 ORDER BY number DESC LIMIT $3";
    DELIVERIES_COUNT = "SELECT COUNT(*) FROM delivery WHERE subscription = $1";
    DELIVERIES_SWEEP = "DELETE FROM delivery WHERE at <= $1";
    ASIDES_INSERT = ["INSERT INTO delivery_aside (uuid, subscription, kind, queued, message, positions, attempts, since,
            at, status, answer)
        SELECT r.value->>0, r.value->>1, r.value->>2, CAST(r.value->>3 AS BIGINT), r.value->>4, r.value->>5,
            CAST(r.value->>6 AS BIGINT), CAST(r.value->>7 AS BIGINT), CAST(r.value->>8 AS BIGINT),
            CAST(r.value->>9 AS BIGINT), r.value->>10 FROM" "WHERE true ON CONFLICT (uuid) DO NOTHING"];
    ASIDE_OUT = "DELETE FROM delivery_aside WHERE uuid = $1";
    /// A dead letter that was tried once more in vain lies still, and with it those that would come after it.
    ASIDES_BACK = "UPDATE delivery_aside SET queued = 0 WHERE subscription = $1 AND kind = 'dead'";
    ASIDE_TRIED = "UPDATE delivery_aside SET attempts = attempts + 1, at = $2, status = $3, answer = $4 WHERE uuid = $1";
    /// Tests first: somebody waits.
    ASIDE_NEXT = "SELECT uuid, kind, queued, message, positions, attempts, since, at, status, answer FROM delivery_aside
        WHERE subscription = $1 AND queued = 1 ORDER BY kind DESC, since, uuid LIMIT 1";
    ASIDES_DEAD = "SELECT uuid, kind, queued, message, positions, attempts, since, at, status, answer FROM delivery_aside
        WHERE subscription = $1 AND kind = 'dead' ORDER BY since, uuid";
    ASIDES_DEAD_COUNT = "SELECT COUNT(*) FROM delivery_aside WHERE kind = 'dead'";
    ASIDES_REPLAY = "UPDATE delivery_aside SET queued = 1 WHERE subscription = $1 AND kind = 'dead'
        AND ($2 = '' OR uuid = $2)";
    ASIDES_OUT = "DELETE FROM delivery_aside WHERE subscription = $1";
    /// The digests whose time has come, in the order of their uuids, with where they go.
    DIGESTS_DUE = "SELECT s.uuid, s.edition, s.passed, s.due, s.filter, s.settings, c.uuid, c.mail
        FROM subscription s JOIN contact c ON c.uuid = s.contact
        WHERE s.kind = 'digest' AND s.state = 'active' AND s.due <= $1 AND s.uuid > $2 ORDER BY s.uuid LIMIT $3";
    /// A digest was laid down: only one who found it where it was may say so.
    DIGEST_PASS = "UPDATE subscription SET passed = $4, due = $5
        WHERE uuid = $1 AND edition = $2 AND passed = $3 AND state = 'active'";
    /// Nothing happened for them.
    DIGESTS_MOVE = ["UPDATE subscription SET passed = CAST(r.value->>3 AS BIGINT), due = CAST(r.value->>4 AS BIGINT) FROM"
        "WHERE uuid = r.value->>0 AND edition = CAST(r.value->>1 AS BIGINT) AND passed = CAST(r.value->>2 AS BIGINT)
          AND state = 'active'"];
    /// Where digests go, what waits for each, how often the first of that was tried, and what was answered.
    DIGESTS_STAND = "SELECT s.uuid, c.mail, COUNT(l.uuid), MAX(l.tries),
            (SELECT e.answer FROM letter e WHERE e.recipient = c.uuid AND e.kind = 'digest'
                AND e.state IN ('queued', 'begun') ORDER BY e.change LIMIT 1)
        FROM subscription s JOIN contact c ON c.uuid = s.contact
            LEFT JOIN letter l ON l.recipient = c.uuid AND l.kind = 'digest' AND l.state IN ('queued', 'begun')
        WHERE s.kind = 'digest' AND s.state <> 'ended' GROUP BY s.uuid, c.uuid, c.mail ORDER BY s.uuid";
    DIGEST_LETTERS_COUNT = "SELECT CASE WHEN l.state = 'sent' THEN 'sent' WHEN l.state = 'dropped' THEN 'dropped'
                WHEN l.state NOT IN ('queued', 'begun') THEN 'failed' WHEN s.state = 'paused' THEN 'held'
                WHEN l.tries > 0 AND l.state = 'queued' THEN 'failing' ELSE 'waiting' END, COUNT(*)
        FROM letter l LEFT JOIN subscription s ON s.contact = l.recipient AND s.kind = 'digest'
        WHERE l.kind = 'digest' GROUP BY 1";
    DIGESTS_COUNT = "SELECT COUNT(*) FROM subscription s WHERE s.kind = 'digest' AND s.state <> 'ended'";
    DIGESTS_OF_MAIL = "SELECT s.uuid, s.kind, s.account, s.organisation, s.contact, s.state, s.why, s.created, s.changed,
            s.filter, s.settings, s.passed, s.attempts, s.since, s.due, s.edition, s.tested
        FROM subscription s JOIN contact c ON c.uuid = s.contact
        WHERE s.kind = 'digest' AND s.state <> 'ended' AND c.mail = $1 ORDER BY s.created, s.uuid";
    SUBSCRIPTIONS_OF_CONTACT = "SELECT s.uuid, s.kind, s.account, s.organisation, s.contact, s.state, s.why, s.created,
            s.changed, s.filter, s.settings, s.passed, s.attempts, s.since, s.due, s.edition, s.tested
        FROM subscription s WHERE s.state <> 'ended' AND s.contact = $1 ORDER BY s.created, s.uuid";
    SUBSCRIPTIONS_SWEEP = "DELETE FROM subscription WHERE state = 'ended' AND changed <= $1";
}
