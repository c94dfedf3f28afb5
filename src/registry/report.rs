//! What a publication says it did.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::plan::{Matched, Outcome, Plan, Planned};
use crate::exchange::Loss;
use crate::model::{Instant, Label, Manifest, Slug, Version, Vocabulary};

/// What came of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// It was published.
    Published,
    /// It would be published: a dry run.
    Planned,
    /// It is there already: nothing was changed.
    AlreadyThere,
}

/// What an import or a publication did, or would do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportReport {
    /// What came of it.
    pub verdict: Verdict,
    /// The vocabulary.
    pub vocabulary: Slug,
    /// Whether the vocabulary was created.
    pub created: bool,
    /// The label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
    /// From when it is in force.
    #[schema(value_type = String)]
    pub effective: Instant,
    /// Until when: the effective date of the version that takes over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub until: Option<Instant>,
    /// The counts and the digest.
    pub manifest: Manifest,
    /// How many concepts stay as they are.
    pub unchanged: u64,
    /// How many pairs of entries were one concept.
    pub twins: usize,
    /// How the entries were found to be concepts, with counts.
    pub matched: BTreeMap<Matched, u64>,
    /// What could not be taken over.
    pub losses: Vec<Loss>,
    /// One line for each concept.
    pub concepts: Vec<Planned>,
    /// The position of the change log after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
}

/// The report when the version is there already.
pub(super) fn already_there(vocabulary: &Vocabulary, version: &Version) -> ImportReport {
    ImportReport {
        verdict: Verdict::AlreadyThere,
        vocabulary: vocabulary.slug().clone(),
        created: false,
        label: Some(version.label.clone()),
        effective: version.effective,
        until: None,
        manifest: version.manifest.clone(),
        unchanged: version.manifest.concepts,
        twins: 0,
        matched: BTreeMap::new(),
        losses: Vec::new(),
        concepts: Vec::new(),
        position: None,
    }
}

/// The report of a plan.
pub(super) fn report(
    vocabulary: &Vocabulary,
    created: bool,
    label: Option<Label>,
    effective: Instant,
    plan: &Plan,
) -> ImportReport {
    let mut matched = BTreeMap::new();
    for how in plan.concepts.iter().filter_map(|c| c.matched) {
        *matched.entry(how).or_default() += 1;
    }
    ImportReport {
        verdict: Verdict::Planned,
        vocabulary: vocabulary.slug().clone(),
        created,
        label,
        effective,
        until: Some(plan.valid.to()).filter(|t| t.is_finite()),
        manifest: plan.manifest.clone(),
        unchanged: plan.concepts.iter().filter(|c| c.outcome == Outcome::Unchanged).count() as u64,
        twins: plan.twins,
        matched,
        losses: plan.losses.clone(),
        concepts: plan.concepts.clone(),
        position: None,
    }
}
