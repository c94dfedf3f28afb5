//! Backup and restore, the same file for both databases: gzip over lines of JSON, one array for each row,
//! with the digest of all lines at the end. A backup of SQLite can be restored into PostgreSQL and back.

use std::io::{BufRead, BufReader, Read, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::{ColumnIndex, Database, Decode, Row, Type};

use super::{Head, Link, Store, broken, run, sql};
use crate::model::{Code, Instant, Refusal, Result};

/// A table of the backup: its name, how it is read and written, and the type of each column: text, integer,
/// and the two that may be absent.
struct Table {
    name: &'static str,
    read: sql::Sql,
    write: sql::Sql,
    columns: &'static [Column],
}

#[derive(Clone, Copy)]
enum Column {
    T,
    I,
    O,
    N,
}

use Column::{I, N, O, T};

/// The tables, each after those that it refers to. Sessions, one-time links, used answers of providers and errands are left out: a backup
/// that is restored must not let anyone in who was let out since. Passwords and tokens are there as they are stored, hashed.
/// Mail is left out too: a backup holds no letters, and a restored registry begins to tell from then on. Of subscriptions
/// the secrets are left out: they are paused, so that a copy of a registry tells nobody anything until it is asked to.
const TABLES: [Table; 21] = [
    Table { name: "change", read: sql::CHANGES, write: sql::CHANGES_INSERT, columns: &[I, I, T, T, T, T, T, T, T] },
    Table { name: "vocabulary", read: sql::VOCABULARIES, write: sql::VOCABULARIES_INSERT, columns: &[T, T, T, I] },
    Table { name: "concept", read: sql::CONCEPTS, write: sql::CONCEPTS_INSERT, columns: &[T, T] },
    Table { name: "content", read: sql::CONTENTS, write: sql::CONTENTS_INSERT, columns: &[T, T] },
    Table { name: "state", read: sql::STATES, write: sql::STATES_INSERT, columns: &[T, I, I, I, I, T, I, O] },
    Table { name: "version", read: sql::VERSIONS, write: sql::VERSIONS_INSERT, columns: &[T, T, T, I, I, T, I] },
    Table { name: "organisation", read: sql::ORGANISATIONS, write: sql::ORGANISATIONS_INSERT, columns: &[T, T, I] },
    Table { name: "account", read: sql::ACCOUNTS, write: sql::ACCOUNTS_INSERT, columns: &[T, T, T, N, I, N] },
    Table { name: "people_group", read: sql::GROUPS, write: sql::GROUPS_INSERT, columns: &[T, T, T, I] },
    Table { name: "member", read: sql::MEMBERS, write: sql::MEMBERS_INSERT, columns: &[T, T] },
    Table { name: "granted", read: sql::GRANTS, write: sql::GRANTS_INSERT, columns: &[T, N, N, T, N] },
    Table { name: "grant_origin", read: sql::GRANT_ORIGINS, write: sql::GRANT_ORIGINS_INSERT, columns: &[T, T] },
    Table { name: "sign_in_identity", read: sql::IDENTITIES, write: sql::IDENTITIES_INSERT, columns: &[T, T, T, T] },
    Table { name: "token", read: sql::TOKENS, write: sql::TOKENS_INSERT, columns: &[T, T, T, T, T, I, I] },
    Table { name: "step", read: sql::STEPS, write: sql::STEPS_INSERT, columns: &[T, I, T, T, I, T, T, I] },
    Table { name: "contact", read: sql::CONTACTS, write: sql::CONTACTS_INSERT, columns: &[T, T, T, N] },
    Table { name: "attachment", read: sql::ATTACHMENTS, write: sql::ATTACHMENTS_INSERT, columns: &[T, T, T, T, I] },
    Table {
        name: "subscription",
        read: sql::SUBSCRIPTIONS_KEPT,
        write: sql::SUBSCRIPTIONS_INSERT,
        columns: &[T, T, N, N, N, T, N, I, I, T, T, I],
    },
    Table {
        name: "usage",
        read: sql::USAGES,
        write: sql::USAGES_INSERT,
        columns: &[T, T, T, T, N, N, T, T, N, I, I, I, I, I],
    },
    Table { name: "usage_code", read: sql::USAGE_CODES, write: sql::USAGE_CODES_INSERT, columns: &[T, T, T, N, I] },
    Table {
        name: "usage_hidden",
        read: sql::USAGES_HIDDEN,
        write: sql::USAGES_HIDDEN_INSERT,
        columns: &[T, T, T, T, I],
    },
];

/// The longest line of a backup that a restore takes, in bytes.
const LONGEST_LINE: u64 = 64 << 20;

/// What a backup holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BackupSummary {
    /// How many rows.
    pub rows: u64,
    /// The position of the change log.
    pub position: i64,
    /// The seal of the last change.
    pub hash: String,
    /// SHA-256 of the lines before the last, uncompressed.
    pub digest: String,
}

impl Store {
    /// Writes everything as it stands at one moment; writers are not held up.
    ///
    /// # Errors
    /// [`Code::Database`], [`Code::File`].
    pub async fn backup(&self, out: impl std::io::Write) -> Result<BackupSummary> {
        let mut facts = self.facts().await?;
        let mut out = Lines { out: GzEncoder::new(out, Compression::fast()), hasher: Sha256::new(), rows: 0 };
        out.line(&json!({ "begreb": "backup", "format": 1 }))?;
        let Head { seq, hash, .. } = facts.head().await?;
        for table in &TABLES {
            run!(facts.link(), table.read, |q, c| {
                let mut rows = sqlx::query(q).fetch(c);
                while let Some(row) = rows.try_next().await.map_err(broken)? {
                    out.line(&json!([table.name, values(&row, table.columns)]))?;
                    out.rows += 1;
                }
            });
        }
        let digest = crate::model::Digest::from_hasher(out.hasher.clone()).to_string();
        let summary = BackupSummary { rows: out.rows, position: seq, hash, digest };
        out.line(&json!(summary))?;
        out.out.finish().map_err(failed)?;
        Ok(summary)
    }

    /// Fills an empty database from a backup; all of it, or nothing.
    ///
    /// # Errors
    /// [`Code::DatabaseInUse`] when the database is not empty, [`Code::Syntax`] and [`Code::Corrupt`] with the
    /// line when the file is not a whole backup.
    pub async fn restore(&self, from: impl Read) -> Result<BackupSummary> {
        let mut write = self.write("restore", Instant::BEGINNING).await?;
        if write.head().seq != 0 {
            return Err(Refusal::new(
                Code::DatabaseInUse,
                "databasen er ikke tom; en sikkerhedskopi kan kun lægges i en tom",
                "the database is not empty; a backup can only be restored into an empty one",
            ));
        }
        let mut lines = Reader { lines: BufReader::new(GzDecoder::new(from)), line: 0, text: String::new() };
        let first: Value = lines.next()?;
        if first != json!({ "begreb": "backup", "format": 1 }) {
            return Err(lines.wrong("it does not begin as a backup of Begreb"));
        }
        let mut hasher = Sha256::new();
        hasher.update(&lines.text);
        let (mut rows, mut last) = (0, None);
        let mut batch: Vec<Value> = Vec::new();
        let mut table = 0;
        let summary: BackupSummary = loop {
            let value: Value = lines.next()?;
            let Value::Array(mut row) = value else {
                break serde_json::from_value(value).map_err(|e| lines.wrong(&e.to_string()))?;
            };
            hasher.update(&lines.text);
            let (Some(Value::Array(values)), Some(Value::String(name)), true) = (row.pop(), row.pop(), row.is_empty())
            else {
                return Err(lines.wrong("it is not a row"));
            };
            let place = TABLES.iter().position(|t| t.name == name && t.columns.len() == values.len());
            let Some(place) = place.filter(|p| *p >= table) else {
                return Err(lines.wrong("it is not a row of a table that may come here"));
            };
            if place != table || batch.len() >= 2_000 {
                write.batches(TABLES[table].write, batch.drain(..)).await?;
                table = place;
            }
            sound(&name, &values, last.as_ref()).map_err(|why| lines.wrong(&why))?;
            if name == "change" {
                last = Some(values.clone());
            }
            rows += 1;
            batch.push(Value::Array(values));
        };
        write.batches(TABLES[table].write, batch.drain(..)).await?;
        let digest = crate::model::Digest::from_hasher(hasher).to_string();
        let head = last.as_ref().and_then(|row| {
            let at = Instant::from_micros(row[1].as_i64()?);
            Some(Head { seq: row[0].as_i64()?, at, hash: row[8].as_str()?.to_owned() })
        });
        let agrees =
            head.as_ref().map_or(summary.position == 0, |h| h.seq == summary.position && h.hash == summary.hash);
        if digest != summary.digest || rows != summary.rows || !agrees {
            return Err(lines.wrong("the rows are not those that the last line promises"));
        }
        if let Some(head) = head {
            write.continue_from(head);
        }
        write.forget_mail().await?;
        write.forget_mox().await?;
        write.commit().await?;
        Ok(summary)
    }
}

/// Whether a row agrees with what it says of itself: a change with its seal and the row before, a content with
/// its digest.
fn sound(table: &str, row: &[Value], before: Option<&Vec<Value>>) -> std::result::Result<(), String> {
    let text = |i: usize| row[i].as_str().unwrap_or_default();
    match table {
        "content" if crate::model::Digest::of(text(1)).to_string() != text(0) => {
            Err(format!("content {}: its digest is another", text(0)))
        }
        "change" => {
            let uuid = |i| uuid::Uuid::parse_str(text(i)).unwrap_or_default();
            let change = crate::model::Change {
                seq: row[0].as_i64().unwrap_or_default(),
                at: Instant::from_micros(row[1].as_i64().unwrap_or_default()),
                actor: text(2).into(),
                kind: text(3).into(),
                vocabulary: uuid(4),
                subject: uuid(5),
                body: text(6).into(),
                previous: text(7).into(),
                hash: text(8).into(),
            };
            let previous = before.and_then(|b| b[8].as_str()).unwrap_or(crate::model::GENESIS);
            let whole = change.hash == change.seal_of() && change.previous == previous;
            if whole { Ok(()) } else { Err(format!("change {}: its seal is broken", change.seq)) }
        }
        _ => Ok(()),
    }
}

struct Lines<W: std::io::Write> {
    out: GzEncoder<W>,
    hasher: Sha256,
    rows: u64,
}

impl<W: std::io::Write> Lines<W> {
    fn line(&mut self, value: &Value) -> Result<()> {
        let line = format!("{value}\n");
        self.hasher.update(&line);
        self.out.write_all(line.as_bytes()).map_err(failed)
    }
}

struct Reader<R: Read> {
    lines: BufReader<GzDecoder<R>>,
    line: u64,
    text: String,
}

impl<R: Read> Reader<R> {
    fn next(&mut self) -> Result<Value> {
        self.text.clear();
        self.line += 1;
        let read = (&mut self.lines).take(LONGEST_LINE).read_line(&mut self.text);
        match read {
            Ok(0) => Err(self.wrong("it ends before its last line")),
            Ok(_) => serde_json::from_str(&self.text).map_err(|e| self.wrong(&e.to_string())),
            Err(e) => Err(self.wrong(&e.to_string())),
        }
    }

    fn wrong(&self, why: &str) -> Refusal {
        Refusal::new(
            Code::Corrupt,
            format!("filen er ikke en hel sikkerhedskopi: {why}"),
            format!("the file is not a whole backup: {why}"),
        )
        .at(crate::model::Place { line: Some(self.line), ..Default::default() })
    }
}

fn values<R: Row>(row: &R, columns: &[Column]) -> Value
where
    usize: ColumnIndex<R>,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Option<String>: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
    R::Database: Database,
{
    let value = |(i, column): (usize, &Column)| match column {
        T => json!(row.get::<String, _>(i)),
        I => json!(row.get::<i64, _>(i)),
        O => json!(row.get::<Option<i64>, _>(i)),
        N => json!(row.get::<Option<String>, _>(i)),
    };
    columns.iter().enumerate().map(value).collect()
}

fn failed(error: std::io::Error) -> Refusal {
    Refusal::new(
        Code::File,
        format!("sikkerhedskopien kan ikke skrives: {error}"),
        format!("the backup cannot be written: {error}"),
    )
}
