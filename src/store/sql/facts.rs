//! The change log, vocabularies, concepts, contents, states and versions.

use super::Sql;

statements! {
    /// Takes the writers' lock on PostgreSQL; SQLite has it from BEGIN IMMEDIATE.
    HEAD_LOCK = { "SELECT seq, at, hash FROM log_head WHERE id = 1", "SELECT seq, at, hash FROM log_head WHERE id = 1 FOR UPDATE" };
    HEAD = "SELECT seq, at, hash FROM log_head WHERE id = 1";
    HEAD_MOVE = "UPDATE log_head SET seq = $1, at = $2, hash = $3 WHERE id = 1";
    /// Wakes the followers of other processes; SQLite's poll.
    NOTIFY = { "SELECT CAST($1 AS TEXT)", "SELECT CAST(pg_notify('begreb', $1) AS TEXT)" };

    CHANGES_INSERT = ["INSERT INTO change (seq, at, actor, kind, vocabulary, subject, body, previous, hash)
        SELECT CAST(r.value->>0 AS BIGINT), CAST(r.value->>1 AS BIGINT), r.value->>2, r.value->>3, r.value->>4,
               r.value->>5, r.value->>6, r.value->>7, r.value->>8 FROM" "WHERE true"];
    CHANGES_AFTER = "SELECT seq, at, actor, kind, vocabulary, subject, body, previous, hash FROM change
        WHERE seq > $1 ORDER BY seq LIMIT $2";
    /// The whole log, for the backup.
    CHANGES = "SELECT seq, at, actor, kind, vocabulary, subject, body, previous, hash FROM change ORDER BY seq";
    /// The vocabularies whose frame, content or versions were touched; what is only worked on is not.
    CHANGED_VOCABULARIES = "SELECT DISTINCT vocabulary FROM change WHERE seq > $1 AND seq <= $2
        AND kind IN ('vocabulary.created', 'vocabulary.changed', 'concept.stated', 'concept.retired', 'concept.passivated',
            'version.published')";

    /// What a plane needs of the log itself: every frame, who published, what OIO's registrations say of themselves, and
    /// what was said of meanings.
    REGISTRATIONS = "SELECT vocabulary, subject, at, actor, kind, body FROM change WHERE seq > $1 AND seq <= $2
        AND (kind IN ('vocabulary.created', 'vocabulary.changed', 'version.published')
            OR (kind IN ('concept.stated', 'concept.retired', 'concept.passivated')
                AND (body LIKE '%\"oio\":{%' OR body LIKE '%\"meaning\":\"%')))
        ORDER BY seq";
    /// The last day that was told of each vocabulary, in the body of the row.
    EFFECTS_TOLD = "SELECT c.vocabulary, c.body FROM change AS c JOIN (SELECT vocabulary, MAX(seq) AS seq FROM change
        WHERE kind = 'edition.effective' GROUP BY vocabulary) AS last ON last.seq = c.seq";

    VOCABULARY_INSERT = "INSERT INTO vocabulary (uuid, slug, body, change) VALUES ($1, $2, $3, $4)";
    VOCABULARIES_INSERT = ["INSERT INTO vocabulary (uuid, slug, body, change)
        SELECT r.value->>0, r.value->>1, r.value->>2, CAST(r.value->>3 AS BIGINT) FROM" "WHERE true"];
    VOCABULARY_UPDATE = "UPDATE vocabulary SET body = $2, change = $3 WHERE uuid = $1";
    VOCABULARIES = "SELECT uuid, slug, body, change FROM vocabulary ORDER BY slug";

    CONCEPTS_INSERT = ["INSERT INTO concept (uuid, vocabulary) SELECT r.value->>0, r.value->>1 FROM" "WHERE true"];
    CONCEPT_OWNERS = ["SELECT c.uuid, c.vocabulary FROM concept c WHERE c.uuid IN (SELECT r.value->>0 FROM" ")"];
    CONCEPTS = "SELECT uuid, vocabulary FROM concept ORDER BY uuid";

    CONTENTS_INSERT = ["INSERT INTO content (digest, body) SELECT r.value->>0, r.value->>1 FROM"
        "WHERE true ON CONFLICT (digest) DO NOTHING"];
    CONTENTS = "SELECT digest, body FROM content ORDER BY digest";

    STATES_INSERT = ["INSERT INTO state
            (concept, registered_from, registered_to, valid_from, valid_to, content, opened, closed)
        SELECT r.value->>0, CAST(r.value->>1 AS BIGINT), CAST(r.value->>2 AS BIGINT), CAST(r.value->>3 AS BIGINT),
               CAST(r.value->>4 AS BIGINT), r.value->>5, CAST(r.value->>6 AS BIGINT), CAST(r.value->>7 AS BIGINT)
        FROM" "WHERE true"];
    STATES_CLOSE = ["UPDATE state SET registered_to = CAST(r.value->>3 AS BIGINT), closed = CAST(r.value->>4 AS BIGINT)
        FROM" "WHERE state.concept = r.value->>0 AND state.registered_from = CAST(r.value->>1 AS BIGINT)
          AND state.valid_from = CAST(r.value->>2 AS BIGINT)"];
    /// Everything said of a vocabulary's concepts.
    STATES_OF = "SELECT s.concept, s.registered_from, s.registered_to, s.valid_from, s.valid_to, s.content, c.body
        FROM concept k JOIN state s ON s.concept = k.uuid JOIN content c ON c.digest = s.content
        WHERE k.vocabulary = $1";
    /// What was opened or closed after a position of the log.
    STATES_TOUCHED = "SELECT s.concept, s.registered_from, s.registered_to, s.valid_from, s.valid_to, s.content, c.body
        FROM state s JOIN concept k ON k.uuid = s.concept JOIN content c ON c.digest = s.content
        WHERE k.vocabulary = $1 AND s.concept IN (
            SELECT o.concept FROM state o WHERE o.opened > $2
            UNION SELECT x.concept FROM state x WHERE x.closed > $2)";
    /// Every state, for the verification and the backup.
    STATES = "SELECT concept, registered_from, registered_to, valid_from, valid_to, content, opened, closed
        FROM state ORDER BY concept, registered_from, valid_from";

    VERSION_INSERT = "INSERT INTO version (uuid, vocabulary, label, effective, registered, body, change)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    VERSIONS_INSERT = ["INSERT INTO version (uuid, vocabulary, label, effective, registered, body, change)
        SELECT r.value->>0, r.value->>1, r.value->>2, CAST(r.value->>3 AS BIGINT), CAST(r.value->>4 AS BIGINT),
               r.value->>5, CAST(r.value->>6 AS BIGINT) FROM" "WHERE true"];
    VERSIONS_OF = "SELECT body, uuid, label, effective, registered FROM version WHERE vocabulary = $1
        ORDER BY effective, registered";
    VERSIONS = "SELECT uuid, vocabulary, label, effective, registered, body, change FROM version ORDER BY change";
}
