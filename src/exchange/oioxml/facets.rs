//! The facets of a vocabulary by code and by uuid. OIO has classes only in facets; a vocabulary without any
//! is written with one, whose uuid is made of the vocabulary's, so that the reader knows it again. It stays when the
//! vocabulary gets facets of its own ([`keep_stand_in`]): what was told to be in it is not without a facet from one day to
//! the next. A facet that is deleted goes on being named by the classes that it had.

use std::collections::HashMap;

use uuid::Uuid;

use crate::model::{Facet, Vocabulary, VocabularyFields};

/// The uuid of the facet that stands for a vocabulary without facets.
pub(in crate::exchange) fn stand_in(vocabulary: Uuid, code: &str) -> Uuid {
    Uuid::new_v5(&vocabulary, code.as_bytes())
}

fn stand_in_facet(f: &VocabularyFields) -> Facet {
    let uuid = stand_in(f.uuid, f.slug.as_str());
    Facet { uuid, code: f.slug.to_string(), oio: None, titles: f.titles.clone() }
}

/// The facets of a vocabulary as they are told: its own, or the one that stands for it when it has none. That one can be
/// deleted too, when it had become one of its own.
pub(in crate::exchange) fn told(f: &VocabularyFields) -> Vec<Facet> {
    let stand_in = || Some(stand_in_facet(f)).filter(|s| f.deleted_facets.iter().all(|gone| gone.uuid != s.uuid));
    if f.facets.is_empty() { stand_in().into_iter().collect() } else { f.facets.clone() }
}

/// Keeps the facet that stood for a vocabulary without facets when it gets its first ones: concepts without a facet
/// stay in it.
pub fn keep_stand_in(wanted: &mut VocabularyFields, known: &VocabularyFields) {
    let mut stand_in = stand_in_facet(known);
    let is_there = wanted.facets.iter().chain(&wanted.deleted_facets).any(|f| f.uuid == stand_in.uuid);
    if !known.facets.is_empty() || wanted.facets.is_empty() || is_there {
        return;
    }
    if wanted.facets.iter().any(|f| f.code == stand_in.code) {
        stand_in.code = stand_in.uuid.to_string();
    }
    wanted.facets.push(stand_in);
}

/// Whether a facet is the one that stood for a vocabulary without facets.
#[must_use]
pub fn is_stand_in(vocabulary: &VocabularyFields, facet: Uuid) -> bool {
    stand_in(vocabulary.uuid, vocabulary.slug.as_str()) == facet
}

/// The uuids of a vocabulary's facets as they are told.
#[must_use]
pub fn facets_of(vocabulary: &Vocabulary) -> Vec<Uuid> {
    told(vocabulary.fields()).iter().map(|f| f.uuid).collect()
}

/// See the module.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::exchange) struct Facets {
    /// The facet of the classes without one: of every class when the vocabulary has no facets of its own.
    pub stand_in: Option<Uuid>,
    by_code: HashMap<String, Uuid>,
    by_uuid: HashMap<Uuid, String>,
    /// The facets that were deleted, by code and by uuid.
    gone: HashMap<String, Uuid>,
    codes_gone: HashMap<Uuid, String>,
}

impl Facets {
    /// Those of a vocabulary.
    pub fn of(vocabulary: &Vocabulary) -> Self {
        let (mut facets, f) = (Self::default(), vocabulary.fields());
        for facet in &f.facets {
            facets.add(facet.uuid, &facet.code);
        }
        for facet in &f.deleted_facets {
            facets.gone.insert(facet.code.clone(), facet.uuid);
            facets.codes_gone.insert(facet.uuid, facet.code.clone());
        }
        let stand_in = stand_in(f.uuid, f.slug.as_str());
        let is_told = facets.by_uuid.contains_key(&stand_in) || facets.codes_gone.contains_key(&stand_in);
        facets.stand_in = Some(stand_in).filter(|_| is_told || facets.by_code.is_empty());
        facets
    }

    /// One more.
    pub fn add(&mut self, uuid: Uuid, code: &str) {
        self.by_code.insert(code.to_owned(), uuid);
        self.by_uuid.insert(uuid, code.to_owned());
    }

    /// The facet that a class with this code belongs to; a deleted one, where it is that.
    pub fn uuid(&self, code: Option<&str>) -> Option<Uuid> {
        let Some(code) = code else { return self.stand_in };
        let known = self.by_code.get(code).or_else(|| self.gone.get(code)).copied();
        known.or_else(|| self.stand_in.filter(|_| self.by_code.is_empty()))
    }

    /// The code of a facet, also of a deleted one.
    pub fn code(&self, uuid: Uuid) -> Option<&str> {
        self.by_uuid.get(&uuid).or_else(|| self.codes_gone.get(&uuid)).map(String::as_str)
    }

    /// The codes of the classes that are in a facet, an empty one for those without; nothing when it may be any.
    pub fn codes_in(&self, uuid: Uuid) -> Option<Vec<&str>> {
        let stands = self.stand_in == Some(uuid);
        if stands && self.by_code.is_empty() {
            return None;
        }
        let named = self.by_uuid.get(&uuid).into_iter().chain(self.codes_gone.get(&uuid)).map(String::as_str);
        Some(named.chain(stands.then_some("")).collect())
    }

    /// Whether there is such a facet: classes may be put into it.
    pub fn has(&self, uuid: Uuid) -> bool {
        let stands = self.by_uuid.is_empty() && self.stand_in == Some(uuid) && !self.codes_gone.contains_key(&uuid);
        stands || self.by_uuid.contains_key(&uuid)
    }
}
