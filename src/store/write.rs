//! A write: one transaction in which facts and their rows in the change log are laid down together.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::facts::{Facts, Tx};
use super::reading::head;
use super::{Db, Head, Link, Store, broken, run, sql};
use crate::model::{
    Change, ChangeKind, Content, Digest, Instant, Meaning, OioRegistration, Period, Result, Revision, State, Version,
    Vocabulary, canonical_json,
};

/// How many rows are handed to the database at a time.
pub(super) const BATCH: usize = 10_000;

/// A transaction that holds the writers' lock. Dropped without [`Write::commit`], it leaves nothing.
pub struct Write {
    pub(super) tx: Facts,
    head: Head,
    at: Instant,
    actor: String,
    changes: Vec<Change>,
}

/// One act on one concept: from now on the registry says something of each of some periods.
pub struct Act<'a> {
    /// The concept.
    pub concept: Uuid,
    /// The periods, none of which overlap, each with what is said of it: content, or with `None` that the concept is
    /// retired. There may be none, when `oio` tells what was done.
    pub parts: &'a [(Period, Option<Arc<Content>>)],
    /// What a registration by OIO Klassifikation says of itself.
    pub oio: Option<&'a OioRegistration>,
    /// Of one that is redefined: whether it means something else, as was said.
    pub meaning: Option<Meaning>,
    /// The concept's states before the act, as the revision counts them.
    pub states: &'a [State<Arc<Content>>],
    /// What the act does to them.
    pub revision: &'a Revision<Arc<Content>>,
}

impl Store {
    /// Begins a write by `actor` at `now`, waiting for the writers' lock. The registration instant is `now`,
    /// or just after the last one when the clock has not moved since.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn write(&self, actor: &str, now: Instant) -> Result<Write> {
        let mut tx = Facts(match &self.db {
            Db::Lite { write, .. } => Tx::Lite(write.begin_with("BEGIN IMMEDIATE").await.map_err(broken)?),
            Db::Pg(pool) => Tx::Pg(pool.begin().await.map_err(broken)?),
        });
        let head = head(tx.link(), sql::HEAD_LOCK).await?;
        let at = head.next(now);
        Ok(Write { tx, head, at, actor: actor.to_owned(), changes: Vec::new() })
    }
}

impl Write {
    /// The registration instant of everything in this write.
    #[must_use]
    pub fn at(&self) -> Instant {
        self.at
    }

    /// Who writes.
    pub(super) fn actor(&self) -> &str {
        &self.actor
    }

    /// The facts as this write sees them; nobody else writes meanwhile.
    pub fn facts(&mut self) -> &mut Facts {
        &mut self.tx
    }

    /// Seals a fact into the log; its row is written with the facts that follow or at the commit.
    pub(super) fn record(&mut self, kind: ChangeKind, vocabulary: Uuid, subject: Uuid, body: String) -> i64 {
        let (seq, previous) = (self.head.seq + 1, std::mem::take(&mut self.head.hash));
        let change = Change::seal(seq, self.at, &self.actor, kind, vocabulary, subject, body, &previous);
        self.head = Head { seq, at: self.at, hash: change.hash.clone() };
        self.changes.push(change);
        seq
    }

    /// Creates a vocabulary.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], also when the slug is taken.
    pub async fn create_vocabulary(&mut self, vocabulary: &Vocabulary) -> Result<()> {
        let (uuid, body) = (vocabulary.uuid(), canonical_json(vocabulary));
        let seq = self.record(ChangeKind::VocabularyCreated, uuid, uuid, body.clone());
        self.flush().await?;
        run!(self.tx.link(), sql::VOCABULARY_INSERT, |q, c| {
            let query = sqlx::query(q).bind(uuid.to_string()).bind(vocabulary.slug().to_string());
            query.bind(body).bind(seq).execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    /// Changes the frame of a vocabulary; slug and uuid stay.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn change_vocabulary(&mut self, vocabulary: &Vocabulary) -> Result<()> {
        let (uuid, body) = (vocabulary.uuid(), canonical_json(vocabulary));
        let seq = self.record(ChangeKind::VocabularyChanged, uuid, uuid, body.clone());
        self.flush().await?;
        run!(self.tx.link(), sql::VOCABULARY_UPDATE, |q, c| {
            sqlx::query(q).bind(uuid.to_string()).bind(body).bind(seq).execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    /// Creates concepts in a vocabulary.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], also when one exists.
    pub async fn create_concepts(&mut self, vocabulary: Uuid, concepts: &[Uuid]) -> Result<()> {
        let rows: Vec<Value> = concepts.iter().map(|c| json!([c, vocabulary])).collect();
        self.batches(sql::CONCEPTS_INSERT, rows.into_iter()).await
    }

    /// Lays down acts on concepts: a row in the log for each of their periods, the states that they close, those that
    /// they open.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn act(&mut self, vocabulary: Uuid, acts: &[Act<'_>]) -> Result<()> {
        for acts in acts.chunks(BATCH) {
            let (mut contents, mut closed, mut opened) = (Vec::new(), Vec::new(), Vec::new());
            for act in acts {
                let digests: Vec<Option<Digest>> = act
                    .parts
                    .iter()
                    .map(|(_, content)| {
                        let body = content.as_ref()?.canonical();
                        let digest = Digest::of(&body);
                        contents.push((digest, body));
                        Some(digest)
                    })
                    .collect();
                let rows = told(act, &digests);
                // What the act does is laid down under the first of its rows.
                let mut first = None;
                for (kind, body) in rows {
                    let seq = self.record(kind, vocabulary, act.concept, body);
                    first.get_or_insert(seq);
                }
                let seq = first.unwrap_or(self.head.seq);
                for &i in &act.revision.closed {
                    let s = &act.states[i];
                    let key = (s.registered().from().micros(), s.valid().from().micros());
                    closed.push(json!([act.concept, key.0, key.1, self.at.micros(), seq]));
                }
                for s in &act.revision.opened {
                    let same = |(_, c): &(Period, Option<_>)| c.as_ref().is_some_and(|c| Arc::ptr_eq(c, s.content()));
                    let told = act.parts.iter().position(same).and_then(|i| digests[i]);
                    let v = s.valid();
                    // Planned before the lock was taken, it is registered when this write is.
                    let edges = [self.at, Instant::FOREVER, v.from(), v.to()].map(Instant::micros);
                    let digest = told.unwrap_or_else(|| s.content().digest());
                    opened.push(json!([act.concept, edges[0], edges[1], edges[2], edges[3], digest, seq, null]));
                }
            }
            self.flush().await?;
            // In the order of the index: neighbours in a batch are neighbours on disk.
            contents.sort_unstable_by_key(|content: &(Digest, String)| content.0);
            let contents = contents.into_iter().map(|(digest, body)| json!([digest, body]));
            self.batches(sql::CONTENTS_INSERT, contents).await?;
            self.batches(sql::STATES_CLOSE, closed.into_iter()).await?;
            self.batches(sql::STATES_INSERT, opened.into_iter()).await?;
        }
        Ok(())
    }

    /// Publishes a version.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], also when the label is taken.
    pub async fn publish(&mut self, version: &Version) -> Result<()> {
        let body = canonical_json(version);
        let seq = self.record(ChangeKind::VersionPublished, version.vocabulary, version.uuid, body.clone());
        self.flush().await?;
        run!(self.tx.link(), sql::VERSION_INSERT, |q, c| {
            let query = sqlx::query(q).bind(version.uuid.to_string()).bind(version.vocabulary.to_string());
            let query = query.bind(version.label.to_string());
            let query = query.bind(version.effective.micros()).bind(version.registered.micros());
            query.bind(body).bind(seq).execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    /// Commits; the answer is the position of the log after it.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`]: then nothing was committed.
    pub async fn commit(mut self) -> Result<i64> {
        self.flush().await?;
        let Head { seq, at, hash } = self.head.clone();
        run!(self.tx.link(), sql::HEAD_MOVE, |q, c| {
            sqlx::query(q).bind(seq).bind(at.micros()).bind(hash).execute(c).await.map_err(broken)?;
        });
        run!(self.tx.link(), sql::NOTIFY, |q, c| {
            sqlx::query(q).bind(seq.to_string()).fetch_optional(c).await.map_err(broken)?;
        });
        match self.tx.0 {
            Tx::Lite(tx) => tx.commit().await.map_err(broken)?,
            Tx::Pg(tx) => tx.commit().await.map_err(broken)?,
        }
        Ok(seq)
    }

    pub(super) async fn flush(&mut self) -> Result<()> {
        let changes = std::mem::take(&mut self.changes);
        let rows = changes.into_iter().map(|c| {
            json!([c.seq, c.at.micros(), c.actor, c.kind, c.vocabulary, c.subject, c.body, c.previous, c.hash])
        });
        self.batches(sql::CHANGES_INSERT, rows).await
    }

    /// Hands rows to a statement that takes them as one JSON array, [`BATCH`] at a time.
    pub(super) async fn batches(&mut self, statement: sql::Sql, rows: impl Iterator<Item = Value>) -> Result<()> {
        let mut rows = rows.peekable();
        while rows.peek().is_some() {
            let batch = Value::from_iter(rows.by_ref().take(BATCH)).to_string();
            run!(self.tx.link(), statement, |q, c| {
                sqlx::query(q).bind(batch).execute(c).await.map_err(broken)?;
            });
        }
        Ok(())
    }

    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    /// Takes over a log as it was, for a restore: the head becomes what the last row says.
    pub(super) fn continue_from(&mut self, head: Head) {
        self.head = head;
    }
}

/// An act as its rows in the log tell it: one for each period; one that says only what was done, where there is none.
fn told(act: &Act<'_>, digests: &[Option<Digest>]) -> Vec<(ChangeKind, String)> {
    let mut rows: Vec<(ChangeKind, Value)> = act
        .parts
        .iter()
        .zip(digests)
        .map(|((valid, _), digest)| {
            let mut body = json!({ "from": valid.from(), "to": valid.to() });
            match digest {
                Some(digest) => {
                    body["content"] = json!(digest);
                    (ChangeKind::ConceptStated, body)
                }
                None => (ChangeKind::ConceptRetired, body),
            }
        })
        .collect();
    if rows.is_empty() {
        rows.push((ChangeKind::ConceptPassivated, json!({})));
    }
    if let Some(oio) = act.oio {
        rows[0].1["oio"] = json!(oio);
    }
    if let Some(meaning) = act.meaning {
        rows[0].1["meaning"] = json!(meaning);
    }
    rows.into_iter().map(|(kind, body)| (kind, canonical_json(&body))).collect()
}
