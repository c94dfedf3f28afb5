//! Reading: how answers are made from a view of the projections.

use std::sync::Arc;

use serde_json::value::RawValue;
use uuid::Uuid;

use super::answer::{
    ConceptAnswer, HistoryAnswer, HistoryState, Reference, Status, VersionAnswer, VersionName, VocabularyAnswer,
};
use super::{Registry, View};
use crate::model::{Code, Instant, Period, Point, Refusal, Result, State, Version};
use crate::projection::{Entry, Found, Plane, Said, Saying};

fn end(period: Period) -> Option<Instant> {
    Some(period.to()).filter(|t| t.is_finite())
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

fn reference(entry: Entry<'_>, language: &str) -> Reference {
    named(entry.saying(), language)
}

pub(super) fn named(saying: &Saying, language: &str) -> Reference {
    let said = saying.state.content();
    Reference {
        uuid: saying.concept,
        notation: said.notation.as_deref().map(ToOwned::to_owned),
        label: said.label(language).to_owned(),
    }
}

impl Registry {
    /// Every vocabulary, by slug.
    #[must_use]
    pub fn vocabularies(&self) -> Vec<VocabularyAnswer> {
        self.snapshot().planes().iter().map(|p| self.vocabulary_answer(p)).collect()
    }

    /// One vocabulary.
    ///
    /// # Errors
    /// [`Code::UnknownVocabulary`].
    pub fn vocabulary(&self, slug: &str) -> Result<VocabularyAnswer> {
        Ok(self.vocabulary_answer(&*self.plane(slug)?))
    }

    fn vocabulary_answer(&self, plane: &Plane) -> VocabularyAnswer {
        let now = Point { valid: self.projections.today(), registered: Instant::FOREVER };
        let fields = plane.vocabulary().fields().clone();
        VocabularyAnswer {
            iri: fields.namespace.trim_end_matches(['/', '#']).to_owned(),
            vocabulary: fields,
            deleted: plane.vocabulary().is_deleted(),
            concepts: self.projections.edition(plane, now).len(),
            versions: plane.versions().len(),
            version: plane.version_at(now).map(|v| VersionName::new(v)),
        }
    }

    /// The versions of a vocabulary, newest first, each with the date at which another takes over.
    ///
    /// # Errors
    /// [`Code::UnknownVocabulary`].
    pub fn versions(&self, slug: &str) -> Result<Vec<VersionAnswer>> {
        let plane = self.plane(slug)?;
        let mut answers: Vec<VersionAnswer> = plane.versions().iter().map(|v| version_answer(&plane, v)).collect();
        let mut certified = self.certified(plane.vocabulary().uuid());
        for answer in &mut answers {
            answer.certification = certified.remove(&answer.uuid);
        }
        let mut until = None;
        for answer in answers.iter_mut().rev() {
            answer.until = until;
            until = Some(answer.effective);
        }
        answers.reverse();
        Ok(answers)
    }

    /// One version. Its manifest is the same for ever; what reviewers say of it may come later.
    ///
    /// # Errors
    /// [`Code::UnknownVocabulary`], [`Code::UnknownVersion`].
    pub fn version(&self, slug: &str, label: &str) -> Result<VersionAnswer> {
        let plane = self.plane(slug)?;
        let known = || plane.versions().iter().map(|v| v.label.to_string());
        let version = plane.version(label).ok_or_else(|| super::query::unknown_version(label, known()))?;
        let certification = self.certified(plane.vocabulary().uuid()).remove(&version.uuid);
        Ok(VersionAnswer { certification, ..version_answer(&plane, version) })
    }

    /// A concept as it is read in a view. Where the view is not pinned, a concept that is not in force
    /// answers too, with what replaces it.
    ///
    /// # Errors
    /// [`Code::UnknownConcept`]; in a pinned view [`Code::NotInVersion`] with what is known of it.
    pub fn concept(&self, view: &View, key: &str, language: &str) -> Result<ConceptAnswer> {
        match view.find(key) {
            Found::Here(entry) => Ok(concept_here(view, entry, language)),
            Found::Nothing => Err(unknown_concept(view, key)),
            Found::Elsewhere(_) if view.pinned => Err(self.not_in_version(view, key, language)),
            Found::Elsewhere(uuid) => {
                let nearest = view.plane.nearest(uuid, view.edition.point());
                let saying = nearest.ok_or_else(|| self.not_in_version(view, key, language))?;
                Ok(self.concept_elsewhere(view, saying, language))
            }
        }
    }

    fn concept_elsewhere(&self, view: &View, saying: &Saying, language: &str) -> ConceptAnswer {
        let (registered, valid) = (saying.state.registered(), saying.state.valid());
        let said = saying.state.content();
        let at = Point { valid: valid.from(), registered: Instant::FOREVER };
        let parents = said.parents.iter().filter_map(|p| view.plane.nearest(*p, at));
        ConceptAnswer {
            uuid: saying.concept,
            iri: view.vocabulary().iri(saying.concept),
            vocabulary: view.vocabulary().slug().clone(),
            version: None,
            status: if valid.from() > view.edition.point().valid { Status::Future } else { Status::Retired },
            valid_from: valid.from(),
            valid_to: end(valid),
            registered_from: registered.from(),
            level: None,
            broader: parents.map(|p| named(p, language)).collect(),
            narrower_count: 0,
            replaced_by: self.replacements(&view.plane, saying.concept, language),
            said: said.clone(),
        }
    }

    /// What replaces a concept, as known now.
    pub(super) fn replacements(&self, plane: &Plane, concept: Uuid, language: &str) -> Vec<Reference> {
        let now = Point { valid: self.projections.today(), registered: Instant::FOREVER };
        let by = plane.replaced_by(concept).iter().filter_map(|u| plane.nearest(*u, now));
        by.map(|s| named(s, language)).collect()
    }

    fn not_in_version(&self, view: &View, key: &str, language: &str) -> Refusal {
        let mut items = Vec::new();
        if let Found::Elsewhere(uuid) = view.find(key) {
            for s in view.plane.sayings(uuid).iter().filter(|s| s.state.is_current()) {
                let said = s.state.content();
                let code = said.notation.as_deref().unwrap_or_default();
                let (from, to) = (s.state.valid().from(), s.state.valid().to());
                items.push(format!("{uuid} {code} {} [{from}, {to})", said.label(language)));
            }
            for by in self.replacements(&view.plane, uuid, language) {
                items.push(format!("→ {} {} {}", by.uuid, by.notation.unwrap_or_default(), by.label));
            }
        }
        let refusal = match &view.version {
            Some(version) => Refusal::new(
                Code::NotInVersion,
                format!("»{key}« er et begreb i ordforrådet, men ikke i versionen {}", version.label),
                format!("'{key}' is a concept of the vocabulary but not in the version {}", version.label),
            ),
            None => Refusal::new(
                Code::NothingInForce,
                "ordforrådet havde endnu intet i kraft på den dag",
                "the vocabulary had nothing in force yet on that day",
            ),
        };
        refusal.items(items)
    }

    /// The history of a concept: what is known now of all times, or, with `ever`, also what was said before
    /// and is no longer. Read at a point: what was known then of the time until then.
    ///
    /// # Errors
    /// [`Code::UnknownVocabulary`], [`Code::UnknownConcept`], or as [`Registry::view`].
    pub fn history(&self, slug: &str, key: &str, at: &super::At, ever: bool) -> Result<HistoryAnswer> {
        let view = self.view(slug, at)?;
        let uuid = match view.find(key) {
            Found::Here(entry) => entry.uuid(),
            Found::Elsewhere(uuid) => uuid,
            Found::Nothing => return Err(unknown_concept(&view, key)),
        };
        let plane = &view.plane;
        let sayings = plane.sayings(uuid);
        let published = self.published_drafts(&self.snapshot(), plane.vocabulary().uuid());
        let state = |s: &Arc<Saying>| {
            // A version was read off the state that held when it was registered; a later registration may
            // have split that state without changing what it says.
            let reads_so = |v: &&Arc<Version>| {
                s.state.valid().contains(v.effective)
                    && sayings
                        .iter()
                        .any(|o| o.state.covers(v.point()) && o.state.content().digest == s.state.content().digest)
            };
            let versions: Vec<&Arc<Version>> = plane.versions().iter().filter(reads_so).collect();
            // It came by the version that first said so; those after it let it stand.
            let came = versions.iter().min_by_key(|v| v.registered);
            let (because, decision) = came.map(|v| published.why(v.uuid, uuid)).unwrap_or_default();
            HistoryState {
                valid_from: s.state.valid().from(),
                valid_to: end(s.state.valid()),
                registered_from: s.state.registered().from(),
                registered_to: end(s.state.registered()),
                versions: versions.iter().map(|v| v.label.clone()).collect(),
                because,
                decision,
                content: raw(&s.state.content().json),
            }
        };
        let dated = at.version.is_some() || at.date.is_some();
        let limit = Point { valid: if dated { view.edition.point().valid } else { Instant::FOREVER }, ..view.at };
        let known = |s: &State<Arc<Said>>| {
            let registered = s.registered();
            if ever {
                registered.from() <= limit.registered
            } else {
                s.covers(Point { valid: s.valid().from(), ..limit })
            }
        };
        let in_time = |s: &State<Arc<Said>>| s.valid().from() <= limit.valid;
        let mut states: Vec<&Arc<Saying>> = sayings.iter().filter(|s| known(&s.state) && in_time(&s.state)).collect();
        if !ever {
            states.sort_by_key(|s| s.state.valid());
        }
        Ok(HistoryAnswer {
            uuid,
            iri: plane.vocabulary().iri(uuid),
            vocabulary: plane.vocabulary().slug().clone(),
            states: states.into_iter().map(state).collect(),
        })
    }
}

fn version_answer(plane: &Plane, version: &Version) -> VersionAnswer {
    let slug = plane.vocabulary().slug();
    VersionAnswer {
        vocabulary: slug.clone(),
        uuid: version.uuid,
        iri: format!("{}versions/{}", plane.vocabulary().fields().namespace, version.label),
        label: version.label.clone(),
        effective: version.effective,
        until: None,
        registered: version.registered,
        decision: version.decision.clone(),
        certification: None,
        manifest: version.manifest.clone(),
    }
}

pub(super) fn concept_here(view: &View, entry: Entry<'_>, language: &str) -> ConceptAnswer {
    let state = &entry.saying().state;
    ConceptAnswer {
        uuid: entry.uuid(),
        iri: view.vocabulary().iri(entry.uuid()),
        vocabulary: view.vocabulary().slug().clone(),
        version: view.version.as_deref().map(VersionName::new),
        status: Status::InForce,
        valid_from: state.valid().from(),
        valid_to: end(state.valid()),
        registered_from: state.registered().from(),
        level: Some(entry.level()),
        broader: entry.parents().map(|p| reference(p, language)).collect(),
        narrower_count: entry.children().len(),
        replaced_by: Vec::new(),
        said: entry.said().clone(),
    }
}

pub(super) fn unknown_concept(view: &View, key: &str) -> Refusal {
    let slug = view.vocabulary().slug();
    let key: String = key.chars().take(200).collect();
    Refusal::new(
        Code::UnknownConcept,
        format!("»{key}« har aldrig været et begreb i {slug}"),
        format!("'{key}' has never been a concept of {slug}"),
    )
}
