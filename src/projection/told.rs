//! What the log tells of a vocabulary beside its states: every frame it had, who registered what, and what
//! was said of meanings.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use uuid::Uuid;

use super::Map;
use crate::model::{Instant, Meaning, OioObject, Result, Vocabulary};
use crate::store::RegistrationRow;

/// The account or the door that registered something, as the log names it.
type Name = Arc<str>;

/// What a registration by OIO Klassifikation says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct OwnWords {
    /// What was done.
    pub livscykluskode: String,
    /// Why.
    #[serde(default)]
    pub note: Option<String>,
}

/// The body of an act, as far as it is read here.
#[derive(Deserialize)]
struct Act {
    oio: Option<OwnWords>,
    #[serde(default)]
    meaning: Option<Meaning>,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Told {
    frames: BTreeMap<Instant, Arc<Vocabulary>>,
    actors: BTreeMap<Instant, Name>,
    own: Map<Uuid, Vec<(Instant, OwnWords)>>,
    meanings: Map<Uuid, Vec<(Instant, Meaning)>>,
}

impl Told {
    /// Takes in one more row; rows come in the order of the log.
    ///
    /// # Errors
    /// [`crate::model::Code::Corrupt`].
    pub fn take(&mut self, row: RegistrationRow) -> Result<()> {
        self.actors.insert(row.at, row.actor.into());
        match row.kind.as_str() {
            "vocabulary.created" | "vocabulary.changed" => {
                let frame: Vocabulary = serde_json::from_str(&row.body).map_err(|e| corrupt(&e))?;
                self.take_own(row.at, &frame);
                self.frames.insert(row.at, Arc::new(frame));
            }
            "version.published" => {}
            _ => {
                let act: Act = serde_json::from_str(&row.body).map_err(|e| corrupt(&e))?;
                if let Some(words) = act.oio {
                    self.own.entry(row.subject).or_default().push((row.at, words));
                }
                if let Some(meaning) = act.meaning {
                    self.meanings.entry(row.subject).or_default().push((row.at, meaning));
                }
            }
        }
        Ok(())
    }

    /// What OIO's registrations of the klassifikation and the facets say of themselves stands in the frame: what is
    /// another than in the frame before was said with this one.
    fn take_own(&mut self, at: Instant, frame: &Vocabulary) {
        let before = self.frames.values().next_back().map(|f| all_oio(f)).unwrap_or_default();
        for (uuid, oio) in all_oio(frame) {
            if before.iter().any(|(u, o)| (*u, *o) == (uuid, oio)) {
                continue;
            }
            let words = OwnWords { livscykluskode: oio.livscykluskode.clone(), note: oio.note.clone() };
            self.own.entry(uuid).or_default().push((at, words));
        }
    }

    /// The frames, each from when it was registered.
    pub fn frames(&self) -> impl DoubleEndedIterator<Item = (Instant, &Arc<Vocabulary>)> + ExactSizeIterator {
        self.frames.iter().map(|(at, frame)| (*at, frame))
    }

    /// The frame as it was said at an instant: the last that was registered by then, else the first of all.
    #[must_use]
    pub fn frame_at(&self, registered: Instant) -> Option<&Arc<Vocabulary>> {
        let last = self.frames.range(..=registered).next_back();
        last.or_else(|| self.frames.first_key_value()).map(|(_, frame)| frame)
    }

    /// Who registered what was registered at an instant, where the log was read for it: frames, versions, and what came
    /// by OIO Klassifikation.
    #[must_use]
    pub fn actor(&self, at: Instant) -> Option<&str> {
        self.actors.get(&at).map(|name| &**name)
    }

    /// Whether anything was ever said of the meaning of a concept.
    #[must_use]
    pub fn speaks_of(&self, concept: Uuid) -> bool {
        self.meanings.contains_key(&concept)
    }

    /// What was said of the meaning of a concept with what was registered of it at an instant.
    #[must_use]
    pub fn meaning(&self, concept: Uuid, at: Instant) -> Option<Meaning> {
        self.meanings.get(&concept)?.iter().find(|(then, _)| *then == at).map(|(_, meaning)| *meaning)
    }

    /// What the registrations of a concept say of themselves.
    #[must_use]
    pub fn own(&self, concept: Uuid) -> &[(Instant, OwnWords)] {
        self.own.get(&concept).map_or(&[], Vec::as_slice)
    }
}

/// What OIO says in a frame: of the klassifikation and of each facet, also of those that were deleted.
fn all_oio(frame: &Vocabulary) -> Vec<(Uuid, &OioObject)> {
    let f = frame.fields();
    let facets = f.facets.iter().chain(&f.deleted_facets).map(|facet| (facet.uuid, &facet.oio));
    let all = facets.chain([(f.uuid, &f.oio)]);
    all.filter_map(|(uuid, oio)| Some((uuid, oio.as_ref()?))).collect()
}

fn corrupt(error: &dyn std::fmt::Display) -> crate::model::Refusal {
    crate::model::Refusal::new(
        crate::model::Code::Corrupt,
        format!("en række i ændringsloggen kan ikke læses: {error}"),
        format!("a row of the change log cannot be read: {error}"),
    )
}
