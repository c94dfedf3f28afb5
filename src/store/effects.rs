//! The days that have come: told in the log, so that those who read it hear of what takes effect without a write.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::Row;
use uuid::Uuid;

use super::facts::Facts;
use super::{Link, Write, broken, run, sql, uuid};
use crate::model::{ChangeKind, Code, Instant, Refusal, Result, canonical_json};

/// The body of such a row: the day.
#[derive(Serialize, Deserialize)]
struct Effective {
    from: Instant,
}

impl Facts {
    /// The last day that was told of each vocabulary.
    ///
    /// # Errors
    /// [`Code::Database`], [`Code::Corrupt`].
    pub async fn effects_told(&mut self) -> Result<BTreeMap<Uuid, Instant>> {
        let rows: Vec<(String, String)> = run!(self.link(), sql::EFFECTS_TOLD, |q, c| {
            let rows = sqlx::query(q).fetch_all(c).await.map_err(broken)?;
            rows.iter().map(|r| (r.get(0), r.get(1))).collect()
        });
        let day = |body: &str| {
            serde_json::from_str::<Effective>(body).map_err(|e| {
                let (da, en) = ("en ændring i loggen kan ikke læses", "a change of the log cannot be read");
                Refusal::new(Code::Corrupt, format!("{da}: {e}"), format!("{en}: {e}"))
            })
        };
        rows.iter().map(|(vocabulary, body)| Ok((uuid(vocabulary)?, day(body)?.from))).collect()
    }
}

impl Write {
    /// Tells that a day has come from which a vocabulary says otherwise of some concepts: a row for each, and one for
    /// the vocabulary after them.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn tell_effective(&mut self, vocabulary: Uuid, from: Instant, concepts: &[Uuid]) -> Result<()> {
        let body = canonical_json(&Effective { from });
        for concept in concepts {
            self.record(ChangeKind::ConceptEffective, vocabulary, *concept, body.clone());
        }
        self.record(ChangeKind::EditionEffective, vocabulary, vocabulary, body);
        self.flush().await
    }
}
