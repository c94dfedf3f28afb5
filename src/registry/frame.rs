//! The frame of a vocabulary: how it is first made, and how it changes.

use uuid::Uuid;

use super::Registry;
use super::permission::{Actor, Command, permit};
use crate::exchange::Frame;
use crate::model::{
    Code, Facet, Governance, Kind, Language, Refusal, Result, Slug, Text, Vocabulary, VocabularyFields,
};

impl Registry {
    /// Changes the frame of a vocabulary: titles, descriptions, contact and what else may change. Slug, uuid,
    /// namespace, kind and governance stay. Nothing is written when it is so already, or when there is no such
    /// vocabulary yet: the first import creates it.
    ///
    /// # Errors
    /// [`Code::Immutable`] when something that stays is another.
    pub async fn set_frame(&self, actor: &Actor, fields: VocabularyFields) -> Result<()> {
        let wanted = Vocabulary::new(fields)?;
        let known = self.snapshot().by_slug(wanted.slug().as_str()).map(|p| p.vocabulary().clone());
        permit(actor, Command::Frame, known.as_deref())?;
        let Some(known) = known.filter(|known| **known != wanted) else { return Ok(()) };
        let (old, new) = (known.fields(), wanted.fields());
        // The namespace is what it was made: an address given away is not taken back.
        let wanted = Vocabulary::new(VocabularyFields { namespace: old.namespace.clone(), ..new.clone() })?;
        if (old.uuid, old.kind, old.governance) != (new.uuid, new.kind, new.governance) {
            return Err(Refusal::new(
                Code::Immutable,
                format!("ordforrådet {} findes med en anden uuid, art eller styring", old.slug),
                format!("the vocabulary {} exists with another uuid, kind or governance", old.slug),
            ));
        }
        if *known == wanted {
            return Ok(());
        }
        let mut write = self.store.write(&actor.name(), self.clock.now()).await?;
        write.change_vocabulary(&wanted).await?;
        self.commit(write).await.map(drop)
    }

    /// The frame of a vocabulary that a file brings along.
    pub(super) fn frame(&self, slug: &Slug, frame: &Frame, language: &Language) -> VocabularyFields {
        let namespace = format!("{}/id/{slug}/", self.settings.public_url);
        let mut identifiers: Vec<String> = frame.iri.iter().cloned().chain(frame.identifiers.clone()).collect();
        identifiers.dedup();
        let name = identifiers.first().cloned().unwrap_or_else(|| namespace.clone());
        let uuid = Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes());
        let titles = if frame.titles.is_empty() {
            vec![Text { language: language.clone(), text: slug.to_string() }]
        } else {
            frame.titles.clone()
        };
        let mut languages = frame.languages.clone();
        if languages.is_empty() {
            languages.push(language.clone());
        }
        let facet = |(code, titles): &(String, Vec<Text>)| Facet {
            uuid: Uuid::new_v5(&uuid, format!("facet/{code}").as_bytes()),
            code: code.clone(),
            titles: titles.clone(),
        };
        VocabularyFields {
            uuid,
            slug: slug.clone(),
            titles,
            descriptions: frame.descriptions.clone(),
            kind: Kind::Classification,
            governance: Governance::Mirror,
            four_eyes: false,
            namespace,
            identifiers,
            owner: None,
            contact: None,
            licence: frame.licence.clone(),
            languages,
            facets: frame.facets.iter().map(facet).collect(),
        }
    }
}
