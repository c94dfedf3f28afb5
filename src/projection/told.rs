//! What the log tells of a vocabulary beside its states: every frame it had, and who registered what.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use uuid::Uuid;

use super::Map;
use crate::model::{Instant, OioObject, Result, Vocabulary};
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
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Told {
    frames: BTreeMap<Instant, Arc<Vocabulary>>,
    actors: BTreeMap<Instant, Name>,
    own: Map<Uuid, Vec<(Instant, OwnWords)>>,
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

    /// The frame as it was said at an instant.
    #[must_use]
    pub fn frame(&self, at: Instant) -> Option<&Arc<Vocabulary>> {
        self.frames.range(..=at).next_back().map(|(_, frame)| frame)
    }

    /// Who registered what was registered at an instant, where the log was read for it: frames, versions, and what came
    /// by OIO Klassifikation.
    #[must_use]
    pub fn actor(&self, at: Instant) -> Option<&str> {
        self.actors.get(&at).map(|name| &**name)
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
