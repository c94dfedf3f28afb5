//! Where what stands in a version comes from: answer or request, edit, decision, version. A reading of the matters.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Registry;
use super::super::permission::Actor;
use crate::model::{Instant, Result, Side};
use crate::projection::Snapshot;
use crate::workflow::{Because, Draft, Edit, EditKind};

/// An edit that made a concept read as it does. Public with the version: it names what was done, and nobody.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct Reason {
    /// The draft.
    pub draft: Uuid,
    /// The number of the edit in it, from 1.
    pub edit: usize,
    /// Of what kind it was.
    pub kind: EditKind,
    /// Why.
    pub reason: String,
    /// When.
    #[schema(value_type = String)]
    pub at: Instant,
    /// `answer` or `request`: what led to it.
    #[serde(flatten)]
    pub because: Option<Because>,
}

/// The drafts that became versions of a vocabulary, by version.
pub(in super::super) struct Published(HashMap<Uuid, Arc<Draft>>);

impl Registry {
    /// The drafts that became versions of a vocabulary.
    pub(in super::super) fn published_drafts(&self, snapshot: &Snapshot, vocabulary: Uuid) -> Published {
        let drafts = snapshot.matters.all::<Draft>().filter(|d| d.vocabulary == vocabulary);
        Published(drafts.filter_map(|d| Some((d.publication()?.version, d.clone()))).collect())
    }
}

impl Published {
    /// Why a version says what it says of a concept: the edits that stand, and the decision that was carried out.
    pub(in super::super) fn why(&self, version: Uuid, concept: Uuid) -> (Vec<Reason>, Option<Uuid>) {
        let Some(draft) = self.0.get(&version) else { return (Vec::new(), None) };
        (reasons(draft, concept), draft.publication().and_then(|p| p.decision))
    }
}

/// The edits of a draft that stand and touch a concept.
fn reasons(draft: &Draft, concept: Uuid) -> Vec<Reason> {
    let touches = |(_, e): &(usize, &Edit)| e.effects.iter().any(|effect| effect.concept == concept);
    standing(draft).filter(touches).map(|(number, e)| reason(draft, number, e)).collect()
}

/// The edits of a draft that stand, with their numbers.
fn standing(draft: &Draft) -> impl Iterator<Item = (usize, &Edit)> {
    let stands = |(_, e): &(usize, &Edit)| e.undone.is_none() && e.undoes.is_none();
    draft.edits().iter().enumerate().map(|(i, e)| (i + 1, e)).filter(stands)
}

fn reason(draft: &Draft, number: usize, edit: &Edit) -> Reason {
    Reason {
        draft: draft.uuid,
        edit: number,
        kind: edit.kind,
        reason: edit.reason.to_string(),
        at: edit.stamp.at,
        because: edit.because,
    }
}

/// A concept that a decision was about, with the edits that led there.
#[derive(Clone, PartialEq, Debug)]
pub struct DecidedConcept {
    /// The concept.
    pub uuid: Uuid,
    /// How it is called, or was before it went.
    pub name: Side,
    /// The edits that stand.
    pub reasons: Vec<Reason>,
}

impl Registry {
    /// The concepts that a decision was about, each with what led to it: for whoever may read the decision.
    ///
    /// # Errors
    /// As [`Registry::decision`].
    pub fn decided_concepts(&self, actor: &Actor, decision: Uuid) -> Result<Vec<DecidedConcept>> {
        let draft = self.matter::<Draft>(self.decision(actor, decision)?.draft)?;
        let desk = self.desk(&draft)?;
        let mut why: HashMap<Uuid, Vec<Reason>> = HashMap::new();
        for (number, edit) in standing(&draft) {
            for effect in edit.effects.iter() {
                why.entry(effect.concept).or_default().push(reason(&draft, number, edit));
            }
        }
        let differs = draft.proposals().iter().filter(|(_, p)| p.differs()).map(|(uuid, _)| *uuid);
        let mut one = |uuid| {
            let name = desk.name(uuid)?;
            Some(DecidedConcept { uuid, name, reasons: why.remove(&uuid).unwrap_or_default() })
        };
        let mut found: Vec<DecidedConcept> = differs.filter_map(&mut one).collect();
        found.sort_by(|a, b| (&a.name.notation, &a.name.label).cmp(&(&b.name.notation, &b.name.label)));
        Ok(found)
    }
}
