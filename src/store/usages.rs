//! Code sets and declared uses on disk.

use serde_json::{Value, json};
use sqlx::Row;
use uuid::Uuid;

use super::facts::Facts;
use super::write::Write;
use super::{Link, Store, broken, corrupt, run, sql, uuid};
use crate::model::{ChangeKind, Instant, Name, Refusal, Result, Usage, UsedCode, canonical_json, codes_digest};

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
        let row: Option<UsageRow> = run!(self.link(), sql::USAGE, |q, c| {
            let row = sqlx::query(q).bind(usage.to_string()).fetch_optional(c).await.map_err(broken)?;
            row.as_ref().map(|r| read!(r)).transpose()?
        });
        Ok(row.and_then(|r| r.usage))
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
    /// Registers a use or changes it. `old` are its codes before and `new` those from now on.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn put_usage(
        &mut self,
        kind: ChangeKind,
        usage: &Usage,
        old: &[UsedCode],
        new: &[UsedCode],
    ) -> Result<()> {
        let body = canonical_json(&usage.told(codes_digest(new)));
        let seq = self.record(kind, Uuid::nil(), usage.uuid, body);
        self.flush().await?;
        self.batches(sql::USAGES_INSERT, [row(usage, false, seq)].into_iter()).await?;
        let has = |codes: &[UsedCode]| codes.iter().cloned().collect::<std::collections::BTreeSet<UsedCode>>();
        let (before, after) = (has(old), has(new));
        let names: std::collections::BTreeSet<_> = new.iter().map(|c| (&c.system, &c.code)).collect();
        let gone = before.iter().filter(|c| !names.contains(&(&c.system, &c.code)));
        let gone: Vec<Value> = gone.map(|c| json!([usage.uuid, c.system, c.code])).collect();
        self.batches(sql::USAGE_CODES_OUT, gone.into_iter()).await?;
        let come = after.difference(&before);
        let come: Vec<Value> =
            come.map(|c| json!([usage.uuid, c.system, c.code, c.concept, c.added.micros()])).collect();
        self.batches(sql::USAGE_CODES_INSERT, come.into_iter()).await
    }

    /// Ends a use: its codes, and what it was called, are gone.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn end_usage(&mut self, usage: &Usage) -> Result<()> {
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
