//! The facets of a vocabulary by code and by uuid. OIO has classes only in facets; a vocabulary without any
//! is written with one, whose uuid is made of the vocabulary's, so that the reader knows it again.

use std::collections::HashMap;

use uuid::Uuid;

use crate::model::Vocabulary;

/// The uuid of the facet that stands for a vocabulary without facets.
pub(in crate::exchange) fn stand_in(vocabulary: Uuid, code: &str) -> Uuid {
    Uuid::new_v5(&vocabulary, code.as_bytes())
}

/// The uuids of a vocabulary's facets as they are told: its own, or the one that stands for it when it has none.
#[must_use]
pub fn facets_of(vocabulary: &Vocabulary) -> Vec<Uuid> {
    let facets = &vocabulary.fields().facets;
    match facets.is_empty() {
        true => vec![stand_in(vocabulary.uuid(), vocabulary.slug().as_str())],
        false => facets.iter().map(|f| f.uuid).collect(),
    }
}

/// See the module.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::exchange) struct Facets {
    /// The facet of every class, when the vocabulary has none of its own.
    pub stand_in: Option<Uuid>,
    by_code: HashMap<String, Uuid>,
    by_uuid: HashMap<Uuid, String>,
}

impl Facets {
    /// Those of a vocabulary.
    pub fn of(vocabulary: &Vocabulary) -> Self {
        let mut facets = Self::default();
        for facet in &vocabulary.fields().facets {
            facets.add(facet.uuid, &facet.code);
        }
        if facets.by_code.is_empty() {
            facets.stand_in = Some(stand_in(vocabulary.uuid(), vocabulary.slug().as_str()));
        }
        facets
    }

    /// One more.
    pub fn add(&mut self, uuid: Uuid, code: &str) {
        self.by_code.insert(code.to_owned(), uuid);
        self.by_uuid.insert(uuid, code.to_owned());
    }

    /// The facet that a class with this code belongs to.
    pub fn uuid(&self, code: Option<&str>) -> Option<Uuid> {
        self.stand_in.or_else(|| self.by_code.get(code?).copied())
    }

    /// The code of a facet.
    pub fn code(&self, uuid: Uuid) -> Option<&str> {
        self.by_uuid.get(&uuid).map(String::as_str)
    }
}
