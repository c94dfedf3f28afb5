//! Reading a vocabulary at a point: which version, what changed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::answer::VersionName;
use super::{Registry, View};
use crate::model::{
    Code, ConceptChange, ConceptChangeKind, Instant, Place, Point, Refusal, Result, Slug, diff, parse_date,
};
use crate::projection::Plane;

/// The point at which a vocabulary is read. Nothing given: in force today, as known now.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct At {
    /// The label of a version: read exactly what it holds.
    #[param(example = "2024-10-31")]
    pub version: Option<String>,
    /// A calendar day (`YYYY-MM-DD`): read what is in force on it.
    #[param(example = "2023-06-22")]
    pub date: Option<String>,
    /// An instant (RFC 3339): read what the registry said then. Only with `date` or alone.
    #[param(example = "2026-11-22T12:00:00Z")]
    pub registered: Option<String>,
}

/// One side of a comparison.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Edge {
    /// The version in force there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionName>,
    /// The instant in valid time.
    #[schema(value_type = String)]
    pub valid: Instant,
    /// How many concepts it has.
    pub concepts: usize,
}

/// The typed changes between two readings.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct ChangesAnswer {
    /// The vocabulary.
    pub vocabulary: Slug,
    /// The earlier reading.
    pub from: Edge,
    /// The later reading.
    pub to: Edge,
    /// How many changes of each type.
    pub counts: std::collections::BTreeMap<ConceptChangeKind, u64>,
    /// The changes, in the order of the later reading; what is gone comes last.
    pub changes: Vec<ConceptChange>,
}

impl Registry {
    /// The vocabulary of a slug, as it is now.
    ///
    /// # Errors
    /// [`Code::UnknownVocabulary`].
    pub fn plane(&self, slug: &str) -> Result<Arc<Plane>> {
        self.snapshot().by_slug(slug).cloned().ok_or_else(|| unknown_vocabulary(slug))
    }

    /// Reads a vocabulary at a point.
    ///
    /// # Errors
    /// [`Code::UnknownVocabulary`], [`Code::UnknownVersion`], [`Code::InvalidDate`], [`Code::InvalidTime`], or
    /// [`Code::InvalidParameter`] for a version together with a date.
    pub fn view(&self, slug: &str, at: &At) -> Result<View> {
        let plane = self.plane(slug)?;
        if let Some(label) = &at.version {
            if at.date.is_some() || at.registered.is_some() {
                return Err(Refusal::new(
                    Code::InvalidParameter,
                    "en version er et punkt for sig; den kan ikke læses med date eller registered",
                    "a version is a point of its own; it cannot be read with date or registered",
                )
                .at(Place::field("version"))
                .allowed(["version", "date, registered"]));
            }
            let version = plane
                .version(label)
                .ok_or_else(|| unknown_version(label, plane.versions().iter().map(|v| v.label.to_string())))?
                .clone();
            let edition = self.projections.edition(&plane, version.point());
            let at = version.point();
            return Ok(View { plane, edition, at, version: Some(version), named: true, pinned: true });
        }
        let (point, pinned) = self.point(at)?;
        let named = at.date.is_some() || at.registered.is_some();
        Ok(self.projections.view(&plane, point, named, pinned))
    }

    /// The point of a date and a registered time, in any vocabulary, and whether what is read there can never change.
    ///
    /// # Errors
    /// [`Code::InvalidDate`], [`Code::InvalidTime`].
    pub(super) fn point(&self, at: &At) -> Result<(Point, bool)> {
        let field = |name: &'static str| move |r: Refusal| r.at(Place::field(name));
        let valid = match &at.date {
            Some(date) => Instant::from_date(parse_date(date).map_err(field("date"))?),
            None => self.projections.today(),
        };
        let registered = match &at.registered {
            Some(text) => text.parse::<Instant>().map_err(field("registered"))?,
            None => Instant::FOREVER,
        };
        // Later than the last row of the log is what is known now. Up to that row nothing can be added: rows to
        // come are registered later, so the reading is for ever.
        let pinned = registered <= self.snapshot().at;
        let registered = if pinned { registered } else { Instant::FOREVER };
        Ok((Point { valid, registered }, pinned && at.date.is_some()))
    }

    /// A version label or a date, whichever the text is: the later is tried when there is no such version.
    ///
    /// # Errors
    /// [`Code::UnknownVersion`] when it is neither.
    pub(super) fn edge(
        &self,
        plane: &Arc<Plane>,
        text: Option<&str>,
        registered: Instant,
        field: &'static str,
    ) -> Result<View> {
        let Some(text) = text else {
            let today = Point { valid: self.projections.today(), registered };
            return Ok(self.projections.view(plane, today, false, false));
        };
        if plane.version(text).is_none()
            && let Ok(date) = parse_date(text)
        {
            let at = Point { valid: Instant::from_date(date), registered };
            return Ok(self.projections.view(plane, at, true, false));
        }
        let at = At { version: Some(text.to_owned()), ..At::default() };
        let named = |r: Refusal| Refusal { place: Place::field(field), ..r };
        self.view(plane.vocabulary().slug().as_str(), &at).map_err(named)
    }

    /// The typed changes from one version or date to another; `to` is today when absent. Dates are read as the
    /// registry knew them at `registered`, now when absent.
    ///
    /// # Errors
    /// [`Code::UnknownVocabulary`], [`Code::UnknownVersion`], [`Code::InvalidTime`].
    pub fn changes(&self, slug: &str, from: &str, to: Option<&str>, registered: Option<&str>) -> Result<ChangesAnswer> {
        let plane = self.plane(slug)?;
        let known = match registered {
            Some(text) => text.parse().map_err(|r: Refusal| r.at(Place::field("registered")))?,
            None => Instant::FOREVER,
        };
        let known = if known > self.snapshot().at { Instant::FOREVER } else { known };
        let (before, after) = (self.edge(&plane, Some(from), known, "from")?, self.edge(&plane, to, known, "to")?);
        let here = |view: &View, uuid: Uuid| view.edition.get(uuid).map(|e| e.said().clone());
        let kept = after.edition.entries().map(|e| e.uuid());
        let gone = before.edition.entries().map(|e| e.uuid()).filter(|u| after.edition.get(*u).is_none());
        let differs = |uuid: &Uuid| here(&before, *uuid).map(|s| s.digest) != here(&after, *uuid).map(|s| s.digest);
        let content = |view: &View, uuid: Uuid| here(view, uuid).map(|said| said.content());
        let differing: Vec<Uuid> = kept.chain(gone).filter(differs).collect();
        let contents: Vec<_> = differing.iter().map(|u| (*u, content(&before, *u), content(&after, *u))).collect();
        let pairs: Vec<_> = contents.iter().map(|(u, b, a)| (*u, b.as_ref(), a.as_ref())).collect();
        let said = |change: ConceptChange| {
            let uuid = change.uuid;
            change.meaning(|| plane.meaning(uuid, before.at, after.at))
        };
        let changes: Vec<ConceptChange> = diff(&pairs).into_iter().map(said).collect();
        let mut counts = std::collections::BTreeMap::new();
        for kind in changes.iter().flat_map(|c| &c.kinds) {
            *counts.entry(*kind).or_default() += 1;
        }
        let edge = |view: &View| Edge {
            version: view.version.as_deref().map(VersionName::new),
            valid: view.at.valid,
            concepts: view.edition.len(),
        };
        Ok(ChangesAnswer {
            vocabulary: plane.vocabulary().slug().clone(),
            from: edge(&before),
            to: edge(&after),
            counts,
            changes,
        })
    }
}

pub(super) fn unknown_vocabulary(slug: &str) -> Refusal {
    Refusal::new(
        Code::UnknownVocabulary,
        format!("der er intet ordforråd »{slug}«"),
        format!("there is no vocabulary '{slug}'"),
    )
}

pub(super) fn unknown_version(label: &str, known: impl Iterator<Item = String>) -> Refusal {
    Refusal::new(
        Code::UnknownVersion,
        format!("der er ingen version »{label}«"),
        format!("there is no version '{label}'"),
    )
    .at(Place::field("version"))
    .allowed(known)
}
