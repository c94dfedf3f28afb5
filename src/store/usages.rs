//! Code sets and declared uses on disk.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sqlx::Row;
use uuid::Uuid;

use super::facts::Facts;
use super::write::{BATCH, Write};
use super::{Link, Store, broken, corrupt, run, sql, uuid};
use crate::model::{
    ChangeKind, Digest, Hiding, Instant, Name, Refusal, Result, Usage, UsedCode, canonical_json, codes_digest,
};

/// A use as it lies on disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsageRow {
    /// The use; nothing when it has ended.
    pub usage: Option<Usage>,
    /// Its uuid.
    pub uuid: Uuid,
    /// The row of the log that told of it last.
    pub change: i64,
}

/// What becomes of the codes of a use, made ready before the writers' lock is taken: nobody waits while a hundred
/// thousand codes are compared and hashed.
pub struct CodesToWrite {
    digest: Digest,
    /// Rows for the statements that take them, some at a time.
    out: Vec<String>,
    come: Vec<String>,
}

impl CodesToWrite {
    /// From codes to others.
    #[must_use]
    pub fn new(usage: Uuid, old: &[UsedCode], new: &[UsedCode]) -> Self {
        let (before, after): (BTreeSet<&UsedCode>, BTreeSet<&UsedCode>) = (old.iter().collect(), new.iter().collect());
        let names: BTreeSet<_> = new.iter().map(|c| (&c.system, &c.code)).collect();
        let gone = before.iter().filter(|c| !names.contains(&(&c.system, &c.code)));
        let out = batches(gone.map(|c| json!([usage, c.system, c.code])));
        let come = after.difference(&before);
        let come = batches(come.map(|c| json!([usage, c.system, c.code, c.concept, c.added.micros()])));
        Self { digest: codes_digest(new), out, come }
    }

    /// The codes stay as they are.
    fn none(digest: Digest) -> Self {
        Self { digest, out: Vec::new(), come: Vec::new() }
    }
}

fn batches(rows: impl Iterator<Item = Value>) -> Vec<String> {
    let (mut rows, mut all) = (rows.peekable(), Vec::new());
    while rows.peek().is_some() {
        all.push(Value::from_iter(rows.by_ref().take(BATCH)).to_string());
    }
    all
}

/// Reads a row of either database.
macro_rules! read {
    ($r:expr) => {{
        let r = $r;
        let texts = [r.get(0), r.get(1), r.get(2), r.get(3), r.get(6), r.get(7)];
        let more: [Option<&str>; 3] = [r.get(4), r.get(5), r.get(8)];
        let numbers: [i64; 5] = [r.get(9), r.get(10), r.get(11), r.get(12), r.get(13)];
        taken(texts, more, numbers)
    }};
}

impl Store {
    /// The uses that were touched after a position of the log.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn usages(&self, after: i64) -> Result<Vec<UsageRow>> {
        run!(self.take().await?.link(), sql::USAGES_AFTER, |q, c| {
            let rows = sqlx::query(q).bind(after).fetch_all(c).await.map_err(broken)?;
            rows.iter().map(|r| read!(r)).collect()
        })
    }

    /// The concepts of a use, each once, in order.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn usage_concepts(&self, usage: Uuid) -> Result<Vec<Uuid>> {
        let mut concepts: Vec<Uuid> = run!(self.take().await?.link(), sql::USAGE_CONCEPTS_OF, |q, c| {
            let rows = sqlx::query(q).bind(usage.to_string()).fetch_all(c).await.map_err(broken)?;
            rows.iter().map(|r| uuid(r.get(0))).collect::<Result<_>>()?
        });
        concepts.sort_unstable();
        Ok(concepts)
    }

    /// The codes of a use, by vocabulary and code.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn usage_codes(&self, usage: Uuid) -> Result<Vec<UsedCode>> {
        codes(self.take().await?.link(), usage).await
    }

    /// Where a use is hidden, by vocabulary.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn usage_hidden(&self, usage: Uuid) -> Result<Vec<Hiding>> {
        hidden(self.take().await?.link(), sql::USAGE_HIDDEN_OF, Some(usage)).await
    }

    /// What organisations are called.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn organisation_names(&self) -> Result<Vec<(Uuid, Name)>> {
        run!(self.take().await?.link(), sql::ORGANISATIONS, |q, c| {
            let rows = sqlx::query(q).fetch_all(c).await.map_err(broken)?;
            let name = |of: &str, name: &str| Ok((uuid(of)?, name.parse().map_err(|r: Refusal| corrupt(&r.en))?));
            rows.iter().map(|r| name(r.get(0), r.get(1))).collect()
        })
    }
}

impl Facts {
    /// Every use, also those that have ended.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn usages(&mut self) -> Result<Vec<UsageRow>> {
        run!(self.link(), sql::USAGES, |q, c| {
            let rows = sqlx::query(q).fetch_all(c).await.map_err(broken)?;
            rows.iter().map(|r| read!(r)).collect()
        })
    }

    /// One use, as these facts have it.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn usage(&mut self, usage: Uuid) -> Result<Option<Usage>> {
        Ok(self.usage_row(usage).await?.and_then(|r| r.usage))
    }

    /// One use with the row of the log that told of it last.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn usage_row(&mut self, usage: Uuid) -> Result<Option<UsageRow>> {
        let row: Option<UsageRow> = run!(self.link(), sql::USAGE, |q, c| {
            let row = sqlx::query(q).bind(usage.to_string()).fetch_optional(c).await.map_err(broken)?;
            row.as_ref().map(|r| read!(r)).transpose()?
        });
        Ok(row)
    }

    /// Where a use is hidden, by vocabulary.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn usage_hidden(&mut self, usage: Uuid) -> Result<Vec<Hiding>> {
        hidden(self.link(), sql::USAGE_HIDDEN_OF, Some(usage)).await
    }

    /// All that is hidden.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn usages_hidden(&mut self) -> Result<Vec<Hiding>> {
        hidden(self.link(), sql::USAGES_HIDDEN, None).await
    }

    /// The codes of a use, by vocabulary and code.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn usage_codes(&mut self, usage: Uuid) -> Result<Vec<UsedCode>> {
        codes(self.link(), usage).await
    }
}

impl Write {
    /// Registers a use or changes it, with what becomes of its codes.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn put_usage(&mut self, kind: ChangeKind, usage: &Usage, codes: CodesToWrite) -> Result<()> {
        let body = canonical_json(&usage.told(codes.digest));
        let seq = self.record(kind, Uuid::nil(), usage.uuid, body);
        self.flush().await?;
        self.batches(sql::USAGES_INSERT, [row(usage, false, seq)].into_iter()).await?;
        for (statement, batches) in [(sql::USAGE_CODES_OUT, codes.out), (sql::USAGE_CODES_INSERT, codes.come)] {
            for batch in batches {
                self.texts(statement, &[Some(batch)]).await?;
            }
        }
        Ok(())
    }

    /// Changes a use whose codes stay.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn describe_usage(&mut self, usage: &Usage) -> Result<()> {
        #[derive(serde::Deserialize)]
        struct Told {
            codes: Digest,
        }
        // The row that told of it last has their digest, unless it told of something else: then they are read.
        let last = self.facts().usage_row(usage.uuid).await?.map_or(0, |row| row.change);
        let row = self.facts().changes(last - 1, 1).await?.into_iter().find(|row| row.subject == usage.uuid);
        let told = row.and_then(|row| serde_json::from_str(&row.body).ok()).map(|told: Told| told.codes);
        let digest = match told {
            Some(digest) => digest,
            None => codes_digest(&self.facts().usage_codes(usage.uuid).await?),
        };
        self.put_usage(ChangeKind::UsageChanged, usage, CodesToWrite::none(digest)).await
    }

    /// A use is not shown in a vocabulary, for the reason that is told from now on.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn hide_usage(&mut self, hiding: &Hiding) -> Result<()> {
        let uuid = hiding.uuid();
        let seq = self.record(ChangeKind::HidingBegun, Uuid::nil(), uuid, canonical_json(&hiding.told()));
        self.flush().await?;
        self.texts(sql::USAGE_HIDDEN_OUT, &[Some(uuid.to_string())]).await?;
        let row = json!([uuid, hiding.usage, hiding.vocabulary, hiding.reason, hiding.at.micros()]);
        self.batches(sql::USAGES_HIDDEN_INSERT, [row].into_iter()).await?;
        self.touch_usage(hiding.usage, seq).await
    }

    /// A use that was hidden is shown again.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn show_usage(&mut self, hiding: &Hiding) -> Result<()> {
        let seq = self.record(ChangeKind::HidingEnded, Uuid::nil(), hiding.uuid(), canonical_json(&json!({})));
        self.flush().await?;
        self.texts(sql::USAGE_HIDDEN_OUT, &[Some(hiding.uuid().to_string())]).await?;
        self.touch_usage(hiding.usage, seq).await
    }

    /// Followers read a use again.
    async fn touch_usage(&mut self, usage: Uuid, seq: i64) -> Result<()> {
        run!(self.tx.link(), sql::USAGE_TOUCH, |q, c| {
            sqlx::query(q).bind(usage.to_string()).bind(seq).execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    /// Ends a use: its codes, and what it was called, are gone.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn end_usage(&mut self, usage: &Usage) -> Result<()> {
        for hiding in self.facts().usage_hidden(usage.uuid).await? {
            self.show_usage(&hiding).await?;
        }
        let seq = self.record(ChangeKind::UsageEnded, Uuid::nil(), usage.uuid, canonical_json(&json!({})));
        self.flush().await?;
        let mut emptied = row(usage, true, seq);
        for (place, value) in [(3, json!("")), (4, Value::Null), (5, Value::Null)] {
            emptied[place] = value;
        }
        self.texts(sql::USAGE_CODES_END, &[Some(usage.uuid.to_string())]).await?;
        self.batches(sql::USAGES_INSERT, [emptied].into_iter()).await
    }
}

async fn hidden(link: Link<'_>, statement: sql::Sql, usage: Option<Uuid>) -> Result<Vec<Hiding>> {
    run!(link, statement, |q, c| {
        let mut query = sqlx::query(q);
        if let Some(usage) = usage {
            query = query.bind(usage.to_string());
        }
        let rows = query.fetch_all(c).await.map_err(broken)?;
        let hiding = |of: &str, vocabulary: &str, reason: &str, at: i64| {
            let (usage, vocabulary) = (uuid(of)?, uuid(vocabulary)?);
            Ok(Hiding { usage, vocabulary, reason: reason.to_owned(), at: Instant::from_micros(at) })
        };
        rows.iter().map(|r| hiding(r.get(1), r.get(2), r.get(3), r.get(4))).collect()
    })
}

fn row(usage: &Usage, ended: bool, change: i64) -> Value {
    let Usage { uuid, form, kind, name, link, contact, visibility, owner, organisation, acknowledged, created } = usage;
    let (seq, at) = (acknowledged.0, acknowledged.1.micros());
    json!([
        uuid,
        form,
        kind,
        name,
        link,
        contact,
        visibility,
        owner,
        organisation,
        seq,
        at,
        created.micros(),
        i64::from(ended),
        change
    ])
}

fn taken(texts: [&str; 6], more: [Option<&str>; 3], numbers: [i64; 5]) -> Result<UsageRow> {
    let [of, form, kind, name, visibility, owner] = texts;
    let [link, contact, organisation] = more;
    let [acknowledged, acknowledged_at, created, ended, change] = numbers;
    let of = uuid(of)?;
    if ended == 1 {
        return Ok(UsageRow { usage: None, uuid: of, change });
    }
    let unreadable = |r: Refusal| corrupt(&format!("usage {of}: {}", r.en));
    let usage = Usage {
        uuid: of,
        form: form.parse().map_err(unreadable)?,
        kind: kind.parse().map_err(unreadable)?,
        name: name.parse().map_err(unreadable)?,
        link: link.map(str::parse).transpose().map_err(unreadable)?,
        contact: contact.map(str::parse::<Name>).transpose().map_err(unreadable)?,
        visibility: visibility.parse().map_err(unreadable)?,
        owner: uuid(owner)?,
        organisation: organisation.map(uuid).transpose()?,
        acknowledged: (acknowledged, Instant::from_micros(acknowledged_at)),
        created: Instant::from_micros(created),
    };
    Ok(UsageRow { usage: Some(usage), uuid: of, change })
}

async fn codes(link: Link<'_>, usage: Uuid) -> Result<Vec<UsedCode>> {
    let mut codes: Vec<UsedCode> = run!(link, sql::USAGE_CODES_OF, |q, c| {
        let rows = sqlx::query(q).bind(usage.to_string()).fetch_all(c).await.map_err(broken)?;
        let code = |system: &str, code: &str, concept: Option<&str>, added: i64| {
            let (system, code, concept) = (system.to_owned(), code.to_owned(), concept.map(uuid).transpose()?);
            Ok(UsedCode { system, code, concept, added: Instant::from_micros(added) })
        };
        rows.iter().map(|r| code(r.get(0), r.get(1), r.get(2), r.get(3))).collect::<Result<_>>()?
    });
    codes.sort_unstable();
    Ok(codes)
}
