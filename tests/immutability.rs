//! What is said stays said: the database itself refuses to change it, and where somebody takes the guards away,
//! `verify` names the first row that is wrong.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use begreb::exchange::Format;
use begreb::model::Code;
use common::{World, edition, on_every_database};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

const A: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const B: &str = "bbbbbbbb-0000-4000-8000-000000000002";

/// A connection past the registry, as whoever holds the database has it.
enum Raw {
    Lite(SqliteConnection),
    Pg(PgConnection),
}

impl Raw {
    async fn open(w: &World) -> Self {
        match w.database {
            "sqlite" => Self::Lite(SqliteConnection::connect(&w.address).await.expect("the file opens")),
            _ => Self::Pg(PgConnection::connect(&w.address).await.expect("the server answers")),
        }
    }

    /// Runs a statement; the answer is how many rows it changed, or what the database said.
    async fn run(&mut self, sql: &str) -> Result<u64, String> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Lite(c) => sqlx::raw_sql(sql).execute(c).await.map(|d| d.rows_affected()),
            Self::Pg(c) => sqlx::raw_sql(sql).execute(c).await.map(|d| d.rows_affected()),
        }
        .map_err(|e| e.to_string())
    }

    async fn number(&mut self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Lite(c) => sqlx::query_scalar(sql).fetch_one(c).await,
            Self::Pg(c) => sqlx::query_scalar(sql).fetch_one(c).await,
        }
        .expect("a number")
    }

    async fn text(&mut self, sql: &str) -> String {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Lite(c) => sqlx::query_scalar(sql).fetch_one(c).await,
            Self::Pg(c) => sqlx::query_scalar(sql).fetch_one(c).await,
        }
        .expect("a text")
    }

    /// Takes the guards of a table away, and tampers with it; foreign keys look away.
    async fn tamper(&mut self, table: &str, sql: &str) {
        let guards: &[&str] = match table {
            "state" => &["state_no_overlap", "state_only_closes", "state_no_delete"],
            "version" => &["version_no_update", "version_no_delete"],
            "change" => &["change_no_update", "change_no_delete"],
            "content" => &["content_no_update", "content_no_delete"],
            "concept" => &["concept_no_update", "concept_no_delete"],
            _ => &[],
        };
        match self {
            Self::Lite(_) => drop(self.run("PRAGMA foreign_keys = OFF").await.expect("a pragma")),
            Self::Pg(_) => drop(self.run("SET session_replication_role = replica").await.expect("a setting")),
        }
        for guard in guards {
            let on = if matches!(self, Self::Pg(_)) { format!(" ON {table}") } else { String::new() };
            self.run(&format!("DROP TRIGGER {guard}{on}")).await.expect("the guard was there");
        }
        let rows = self.run(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
        assert!(rows > 0, "{sql} did nothing");
    }
}

/// Two versions and a correction: open states, closed ones, retired concepts.
async fn with_history(w: &World) {
    let editions = [
        ("1", "2020-01-01", format!("notation,uuid,preferred.da\nA,{A},a\nB,{B},b\n")),
        ("2", "2022-01-01", format!("notation,uuid,preferred.da\nA,{A},aa\nC,,c\n")),
        ("1.1", "2020-01-01", format!("notation,uuid,preferred.da\nA,{A},a rettet\nB,{B},b\n")),
    ];
    for ((label, day, file), hour) in editions.iter().zip(12..) {
        w.clock.set(&format!("2026-11-22T{hour}:00:00Z"));
        let mut request = edition("koder", Format::Csv, file.as_bytes(), label, day);
        request.accept_new = true;
        w.import(request).await.expect("it is lawful");
    }
    w.registry.verify().await.expect("whole");
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_what_was_said() {
    on_every_database(async |w| {
        with_history(&w).await;
        let mut raw = Raw::open(&w).await;
        let forever = i64::MAX;
        assert!(raw.number("SELECT count(*) FROM state WHERE closed IS NULL").await > 0);
        assert!(raw.number("SELECT count(*) FROM state WHERE closed IS NOT NULL").await > 0);
        let other = "(SELECT max(digest) FROM content c WHERE c.digest <> state.content)";
        let mut statements: Vec<String> = Vec::new();
        for which in ["closed IS NULL", "closed IS NOT NULL"] {
            for set in [
                format!("content = {other}"),
                "valid_from = valid_from - 1".into(),
                "valid_to = valid_to - 1".into(),
                "registered_from = registered_from - 1".into(),
                "opened = 1".into(),
                format!("concept = '{B}'"),
            ] {
                statements.push(format!("UPDATE state SET {set} WHERE {which} AND concept = '{A}'"));
            }
            statements.push(format!("DELETE FROM state WHERE {which}"));
        }
        statements.extend([
            "UPDATE state SET registered_to = registered_to - 1 WHERE closed IS NOT NULL".into(),
            "UPDATE state SET closed = 1 WHERE closed IS NOT NULL".into(),
            format!("UPDATE state SET registered_to = {forever}, closed = NULL WHERE closed IS NOT NULL"),
            // Closing a state may not carry another change along.
            "UPDATE state SET registered_to = registered_from + 1, closed = 1, valid_to = valid_to - 1 WHERE closed IS NULL".into(),
            // Another state over one that is there.
            format!(
                "INSERT INTO state SELECT concept, registered_from + 1, {forever}, valid_from, valid_to, content, opened, NULL
                 FROM state WHERE closed IS NULL AND concept = '{A}'"
            ),
            "DELETE FROM state".into(),
            "UPDATE version SET body = '{}'".into(),
            "UPDATE version SET label = 'x' WHERE label = '1'".into(),
            "UPDATE version SET effective = effective - 1".into(),
            "UPDATE version SET registered = registered - 1".into(),
            "DELETE FROM version WHERE label = '1'".into(),
            "UPDATE change SET body = '{}' WHERE seq = 2".into(),
            "UPDATE change SET actor = 'x'".into(),
            "UPDATE change SET seq = seq + 1000".into(),
            "DELETE FROM change WHERE seq = (SELECT max(seq) FROM change)".into(),
            "UPDATE content SET body = '{}'".into(),
            "UPDATE content SET digest = digest".into(),
            "DELETE FROM content".into(),
            format!("UPDATE concept SET uuid = '{}' WHERE uuid = '{A}'", uuid::Uuid::nil()),
            "UPDATE concept SET vocabulary = vocabulary".into(),
            format!("DELETE FROM concept WHERE uuid = '{A}'"),
            // To write over a row is to change it.
            "INSERT INTO content SELECT digest, '{}' FROM content WHERE true ON CONFLICT (digest) DO UPDATE SET body = '{}'".into(),
        ]);
        if w.database == "postgres" {
            for table in ["state", "version", "change", "content", "concept"] {
                statements.push(format!("TRUNCATE {table} CASCADE"));
            }
        }
        for sql in &statements {
            let said = raw.run(sql).await.expect_err(sql);
            assert!(said.contains("begreb: "), "{sql}: {said}");
        }
        w.registry.verify().await.expect("nothing was changed");
        w.reopened().await.verify().await.expect("nothing was changed");
    })
    .await;
}

#[tokio::test]
async fn sqlite_refuses_to_write_over_rows() {
    on_every_database(async |w| {
        if w.database != "sqlite" {
            return;
        }
        with_history(&w).await;
        let mut raw = Raw::open(&w).await;
        let mut taken = Vec::new();
        for sql in [
            "REPLACE INTO content SELECT digest, '{}' FROM content",
            "REPLACE INTO version SELECT uuid, vocabulary, label, effective - 1, registered, body, change FROM version",
            "REPLACE INTO change SELECT seq, at, 'x', kind, vocabulary, subject, body, previous, hash FROM change",
            "REPLACE INTO concept SELECT uuid, vocabulary FROM concept",
            "REPLACE INTO state SELECT concept, registered_from, registered_to, valid_from, valid_to - 1, content, opened, closed FROM state",
        ] {
            if raw.run(sql).await.is_ok() {
                taken.push(sql);
            }
        }
        assert!(taken.is_empty(), "these were taken:\n{}", taken.join("\n"));
        w.registry.verify().await.expect("nothing was changed");
    })
    .await;
}

#[tokio::test]
async fn verify_names_the_first_row_that_is_wrong() {
    let of_a = format!("concept = '{A}'");
    let cases: Vec<Case> = vec![
        ("change", "UPDATE change SET body = '{}' WHERE seq = 3".into(), "change 3: its seal is broken", ""),
        ("change", "UPDATE change SET actor = 'x' WHERE seq = 3".into(), "change 3: its seal is broken", ""),
        ("change", "UPDATE change SET at = at + 1 WHERE seq = 2".into(), "change 2: its seal is broken", ""),
        ("change", "UPDATE change SET hash = previous WHERE seq = 4".into(), "change 4: its seal is broken", ""),
        ("change", "DELETE FROM change WHERE seq = 3".into(), "change 3: it is missing", ""),
        (
            "change",
            "DELETE FROM change WHERE seq = (SELECT max(seq) FROM change)".into(),
            "change {n}: it is missing",
            "SELECT max(seq) FROM change",
        ),
        (
            "log_head",
            "UPDATE log_head SET hash = '1111111111111111111111111111111111111111111111111111111111111111'".into(),
            "change {n}: the head of the log names another seal",
            "SELECT max(seq) FROM change",
        ),
        (
            "content",
            "UPDATE content SET body = replace(body, 'rettet', 'rettet igen') WHERE body LIKE '%rettet%'".into(),
            "content {n}: its digest is another",
            "SELECT digest FROM content WHERE body LIKE '%rettet%'",
        ),
        (
            "state",
            format!("UPDATE state SET valid_to = valid_to - 1 WHERE {of_a} AND closed IS NOT NULL"),
            "state of {a}",
            "",
        ),
        (
            "state",
            format!("UPDATE state SET valid_from = valid_from + 1 WHERE {of_a} AND closed IS NULL"),
            "state of {a}",
            "",
        ),
        (
            "state",
            format!(
                "UPDATE state SET content = (SELECT content FROM state b WHERE b.concept = '{B}' LIMIT 1) WHERE {of_a}"
            ),
            "state of {a}",
            "",
        ),
        (
            "state",
            format!("UPDATE state SET registered_to = registered_to - 1 WHERE {of_a} AND closed IS NOT NULL"),
            "state of {a}",
            "",
        ),
        ("state", format!("DELETE FROM state WHERE {of_a} AND closed IS NOT NULL"), "{a}", ""),
        (
            "version",
            "UPDATE version SET body = replace(body, '\"label\":\"1.1\"', '\"label\":\"1.2\"') WHERE label = '1.1'"
                .into(),
            "version 1.",
            "",
        ),
        (
            "version",
            "UPDATE version SET body = replace(body, '\"concepts\":2', '\"concepts\":3') WHERE label = '2'".into(),
            "version koder 2: the log tells another",
            "",
        ),
    ];
    tampered(cases).await;
}

#[tokio::test]
async fn verify_names_these_rows_too() {
    let of_a = format!("concept = '{A}'");
    tampered(vec![
        ("state", format!("DELETE FROM state WHERE {of_a}"), "{a}", ""),
        ("state", format!("UPDATE state SET opened = 1 WHERE {of_a} AND closed IS NULL"), "{a}", ""),
        ("state", format!("UPDATE state SET closed = 1 WHERE {of_a} AND closed IS NOT NULL"), "{a}", ""),
        ("version", "DELETE FROM version WHERE label = '2'".into(), "version koder 2", ""),
        ("version", "UPDATE version SET label = 'x' WHERE label = '2'".into(), "version x", ""),
        ("version", "UPDATE version SET effective = effective - 1 WHERE label = '2'".into(), "version 2", ""),
        ("vocabulary", "UPDATE vocabulary SET body = replace(body, 'mirror', 'direct')".into(), "vocabulary koder", ""),
        ("concept", format!("DELETE FROM concept WHERE uuid = '{B}'"), "{b}", ""),
    ])
    .await;
}

/// The table, what is done to it, what the refusal must name, and the query that fills in `{n}` there.
type Case = (&'static str, String, &'static str, &'static str);

async fn tampered(cases: Vec<Case>) {
    let mut wrong = Vec::new();
    for (table, sql, names, from) in cases {
        on_every_database(async |w| {
            with_history(&w).await;
            let mut raw = Raw::open(&w).await;
            let number = match from {
                "" => String::new(),
                query if query.contains("digest") => raw.text(query).await,
                query => raw.number(query).await.to_string(),
            };
            let names = names.replace("{n}", &number).replace("{a}", A).replace("{b}", B);
            raw.tamper(table, &sql).await;
            match w.registry.verify().await {
                Ok(_) => wrong.push(format!("{}: not noticed: {sql}", w.database)),
                Err(refusal) if refusal.code != Code::Corrupt => {
                    wrong.push(format!("{}: {} after {sql}: {}", w.database, refusal.code.as_str(), refusal.en));
                }
                Err(refusal) if !refusal.en.contains(&names) => {
                    wrong.push(format!("{}: '{names}' is not named after {sql}: {}", w.database, refusal.en));
                }
                Err(_) => {}
            }
            // A registry that is opened on it afterwards does not come up clean either.
            if let Ok(again) = begreb::registry::Registry::open(
                begreb::store::Store::open(&w.address).await.expect("the database opens"),
                w.clock.clone(),
                begreb::registry::Settings::default(),
            )
            .await
                && again.verify().await.is_ok()
            {
                wrong.push(format!("{}: not noticed when opened anew: {sql}", w.database));
            }
        })
        .await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_was_tampered_with_first_is_named_first() {
    on_every_database(async |w| {
        with_history(&w).await;
        let mut raw = Raw::open(&w).await;
        raw.tamper("change", "UPDATE change SET body = '{}' WHERE seq IN (3, 5)").await;
        let refusal = w.registry.verify().await.expect_err("it is damaged");
        assert!(refusal.en.contains("change 3:") && refusal.da.contains("change 3:"), "{refusal}");
    })
    .await;
}
