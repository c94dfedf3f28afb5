//! The register of use: who uses a concept, for everybody, and for those who are about to change it.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::permission::{Actor, Command, permit};
use super::super::{Registry, View};
use super::hiding::is_public;
use crate::exchange::paper::UsedBy;
use crate::model::{ConceptChangeKind, Link, Name, Result, Side, UsageForm, UsageKind, Visibility, Vocabulary};
use crate::projection::Snapshot;

/// Something that uses a concept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct UserOfConcept {
    /// What it is.
    pub kind: UsageKind,
    /// What it is called.
    pub name: Name,
    /// Where more is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// How it is known.
    pub form: UsageForm,
    /// The use itself.
    pub uuid: Uuid,
    /// The organisation that answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Name>,
    /// Why everybody is not told of it, though it says that it is public; told to those who make versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<String>,
}

/// What uses a concept.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, ToSchema)]
pub struct ConceptUsages {
    /// How many there are of each kind, as far as one is told of them.
    pub counts: BTreeMap<UsageKind, u64>,
    /// How many there are that do not say who they are; told to those who make versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<u64>,
    /// Those that say so.
    pub usages: Vec<UserOfConcept>,
}

/// What uses a concept that a draft changes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct DraftUsage {
    /// The concept.
    pub concept: Uuid,
    /// What the draft does to it.
    pub kinds: Vec<ConceptChangeKind>,
    /// How it is called in the version below.
    pub before: Side,
    /// What uses it.
    #[serde(flatten)]
    pub used: ConceptUsages,
}

impl Registry {
    /// What uses a concept: all that is public; for those who make versions of its vocabulary also what is for them, and
    /// how many there are beside.
    ///
    /// # Errors
    /// [`crate::model::Code::UnknownConcept`].
    pub fn concept_usages(&self, actor: &Actor, view: &View, key: &str) -> Result<ConceptUsages> {
        let concept = self.concept(view, key, "da")?.uuid;
        Ok(used(&self.snapshot(), concept, makes(actor, view.plane.vocabulary())))
    }

    /// What uses a concept, for the papers of those who make versions; nothing when nothing does.
    pub(in crate::registry) fn used_by(&self, concept: Uuid) -> Option<UsedBy> {
        let used = used(&self.snapshot(), concept, true);
        // What does not stand on the pages of the vocabulary does not stand in its papers.
        let kept_out = used.usages.iter().filter(|u| u.hidden.is_some()).count() as u64;
        let hidden = used.hidden.unwrap_or_default() + kept_out;
        let shown = used.usages.iter().filter(|u| u.hidden.is_none());
        let names: Vec<String> = shown.map(|u| u.name.to_string()).collect();
        (hidden > 0 || !names.is_empty()).then_some(UsedBy { names, hidden })
    }

    /// What uses the concepts that a draft changes or retires: those that nothing uses are left out.
    ///
    /// # Errors
    /// As [`Registry::draft`].
    pub fn draft_usages(&self, actor: &Actor, draft: Uuid) -> Result<Vec<DraftUsage>> {
        let draft = self.draft(actor, draft)?;
        let snapshot = self.snapshot();
        let changes = draft.changes().into_iter().filter_map(|change| {
            let used = used(&snapshot, change.uuid, true);
            let nobody = used.usages.is_empty() && used.hidden.unwrap_or_default() == 0;
            // What is new is used by nobody yet.
            let before = change.before.filter(|_| !nobody)?;
            Some(DraftUsage { concept: change.uuid, kinds: change.kinds, before, used })
        });
        Ok(changes.collect())
    }
}

fn makes(actor: &Actor, vocabulary: &Vocabulary) -> bool {
    !matches!(actor, Actor::Public) && permit(actor, Command::ReadDrafts, Some(vocabulary)).is_ok()
}

fn used(snapshot: &Snapshot, concept: Uuid, makers: bool) -> ConceptUsages {
    let mut used = ConceptUsages { hidden: makers.then_some(0), ..ConceptUsages::default() };
    let owner = snapshot.planes().iter().find(|p| !p.sayings(concept).is_empty()).map(|p| p.vocabulary().uuid());
    for using in snapshot.usages.of(concept) {
        let usage = &using.usage;
        let hidden = using.hidden.iter().find(|h| Some(h.vocabulary) == owner).map(|h| h.reason.clone());
        let shown = match usage.visibility {
            Visibility::Public if is_public(usage) && hidden.is_none() => true,
            Visibility::Public | Visibility::Makers => makers,
            Visibility::Hidden => false,
        };
        if !shown {
            used.hidden.iter_mut().for_each(|n| *n += 1);
            continue;
        }
        *used.counts.entry(usage.kind).or_default() += 1;
        let (name, link) = (usage.name.clone(), usage.link.clone());
        let organisation = snapshot.usages.organisation(usage).cloned();
        let (kind, form, uuid) = (usage.kind, usage.form, usage.uuid);
        used.usages.push(UserOfConcept { kind, name, link, form, uuid, organisation, hidden });
    }
    used.usages.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    used
}
