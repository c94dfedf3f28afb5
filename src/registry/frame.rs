//! The frame of a vocabulary: how it is first made, and how it changes.

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::permission::{Actor, Command, permit};
use super::{Registry, VocabularyAnswer};
use crate::exchange::{Frame, is_stand_in, keep_stand_in};
use crate::model::{
    Code, Facet, Governance, Kind, Language, Place, Refusal, Result, Slug, Text, Vocabulary, VocabularyFields,
};
use crate::workflow::Line;

/// The frame of a vocabulary, whole: what is absent is taken away, or as it is usual.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FrameRequest {
    /// The uuid, for ever; made of the namespace when absent.
    #[serde(default)]
    pub uuid: Option<Uuid>,
    /// The titles, one for each language.
    pub titles: Vec<Text>,
    /// What it is about.
    #[serde(default)]
    pub descriptions: Vec<Text>,
    /// What it is. It stays what it was made.
    pub kind: Kind,
    /// How a version comes to be. To change it takes the right to `govern`.
    pub governance: Governance,
    /// Whether who wrote a draft cannot publish it alone. To change it takes the right to `govern`.
    #[serde(default)]
    pub four_eyes: bool,
    /// What the IRIs of its concepts begin with; it stays what it was made.
    #[serde(default)]
    pub namespace: Option<String>,
    /// What others call it: OID as `urn:oid:…`, FHIR url.
    #[serde(default)]
    pub identifiers: Vec<Line>,
    /// The organisation that owns it.
    #[serde(default)]
    pub owner: Option<Line>,
    /// Where to write.
    #[serde(default)]
    pub contact: Option<Line>,
    /// The licence, an IRI.
    #[serde(default)]
    pub licence: Option<Line>,
    /// Its languages; texts without one are in the first. Danish when there are none.
    #[serde(default)]
    pub languages: Vec<Language>,
    /// Its facets.
    #[serde(default)]
    pub facets: Vec<FacetRequest>,
}

/// A facet.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FacetRequest {
    /// The code, unique in the vocabulary.
    pub code: Line,
    /// The uuid, for ever; as it was, else made of the code, when absent.
    #[serde(default)]
    pub uuid: Option<Uuid>,
    /// Its name.
    pub titles: Vec<Text>,
}

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
        let mut wanted = VocabularyFields { namespace: old.namespace.clone(), ..new.clone() };
        self.keep_told(&mut wanted, old);
        no_code_of_deleted(&wanted)?;
        let wanted = Vocabulary::new(wanted)?;
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

    /// Creates a vocabulary, which has no version yet, or changes its frame. Whether it was created is told with it.
    ///
    /// # Errors
    /// [`Code::Immutable`] for another uuid, kind or namespace, [`Code::Exists`], or what `permit` and the model
    /// refuse.
    pub async fn put_frame(
        &self,
        actor: &Actor,
        slug: Slug,
        request: FrameRequest,
    ) -> Result<(VocabularyAnswer, bool)> {
        let (mut write, _) = self.lock(actor).await?;
        self.reach(write.facts().head().await?.seq).await?;
        let vocabularies = write.facts().vocabularies().await?;
        let known = vocabularies.iter().find(|v| *v.slug() == slug);
        permit(actor, Command::Frame, known)?;
        let wanted = self.wanted(&slug, request, known.map(Vocabulary::fields))?;
        match known {
            Some(known) if *known == wanted => drop(write),
            Some(known) => {
                let rules = |v: &Vocabulary| (v.fields().governance, v.fields().four_eyes);
                if rules(known) != rules(&wanted) {
                    permit(actor, Command::Govern, Some(known))?;
                }
                write.change_vocabulary(&wanted).await?;
                self.settle(write).await?;
            }
            None => {
                if let Some(same) = vocabularies.iter().find(|v| v.uuid() == wanted.uuid()) {
                    let same = same.slug();
                    let da = format!("det ordforråd findes under kortnavnet {same}");
                    let en = format!("that vocabulary exists under the slug {same}");
                    return Err(Refusal::new(Code::Exists, da, en)
                        .at(Place::field("uuid"))
                        .allowed([same.to_string()]));
                }
                write.create_vocabulary(&wanted).await?;
                self.settle(write).await?;
            }
        }
        Ok((self.vocabulary(slug.as_str())?, known.is_none()))
    }

    /// What a request makes of the frame of a vocabulary.
    fn wanted(&self, slug: &Slug, request: FrameRequest, known: Option<&VocabularyFields>) -> Result<Vocabulary> {
        let usual =
            || known.map_or_else(|| format!("{}/id/{slug}/", self.settings.public_url), |k| k.namespace.clone());
        let namespace = request.namespace.unwrap_or_else(usual);
        let made = || known.map_or_else(|| Uuid::new_v5(&Uuid::NAMESPACE_URL, namespace.as_bytes()), |k| k.uuid);
        let uuid = request.uuid.unwrap_or_else(made);
        if let Some(known) = known {
            let stays = [
                ("uuid", known.uuid == uuid),
                ("kind", known.kind == request.kind),
                ("namespace", known.namespace == namespace),
            ];
            if let Some((field, _)) = stays.into_iter().find(|(_, same)| !same) {
                let (da, en) = (format!("{field} kan ikke ændres"), format!("{field} cannot be changed"));
                return Err(Refusal::new(Code::Immutable, da, en).at(Place::field(field)));
            }
        }
        let lawful = |texts: Vec<Text>, field: &str| {
            let texts = texts.into_iter().map(|t| Text::new(t.language, &t.text));
            texts.collect::<Result<Vec<_>>>().map_err(|r| r.at(Place::field(field)))
        };
        // A title stands in headings and in the subjects of letters.
        let one_line = |texts: Vec<Text>, field: &str| {
            let line = |t: &Text| t.text.parse::<Line>().map(drop);
            texts.iter().try_for_each(line).map_err(|r| r.at(Place::field(field)))?;
            lawful(texts, field)
        };
        let facet = |f: FacetRequest| {
            // Also a deleted one: it comes again with the classes that it had.
            let mut facets = known.into_iter().flat_map(|k| k.facets.iter().chain(&k.deleted_facets));
            let there = facets.find(|x| x.code == f.code.as_str()).map(|x| x.uuid);
            let made = || Uuid::new_v5(&uuid, format!("facet/{}", f.code).as_bytes());
            let titles = one_line(f.titles, "facets")?;
            Ok(Facet { uuid: f.uuid.or(there).unwrap_or_else(made), code: f.code.into(), oio: None, titles })
        };
        let languages = if request.languages.is_empty() { vec![Language::danish()] } else { request.languages };
        let mut fields = VocabularyFields {
            uuid,
            slug: slug.clone(),
            titles: one_line(request.titles, "titles")?,
            descriptions: lawful(request.descriptions, "descriptions")?,
            kind: request.kind,
            governance: request.governance,
            four_eyes: request.four_eyes,
            namespace,
            identifiers: request.identifiers.into_iter().map(Into::into).collect(),
            owner: request.owner.map(Into::into),
            contact: request.contact.map(Into::into),
            licence: request.licence.map(Into::into),
            languages,
            facets: request.facets.into_iter().map(facet).collect::<Result<_>>()?,
            oio: None,
            deleted_facets: Vec::new(),
        };
        if let Some(known) = known {
            self.keep_told(&mut fields, known);
            no_code_of_deleted(&fields)?;
        }
        Vocabulary::new(fields)
    }

    /// What was told of a vocabulary and its facets stays told, where a frame from another door does not say otherwise.
    pub(super) fn keep_told(&self, wanted: &mut VocabularyFields, known: &VocabularyFields) {
        keep_oio(wanted, known);
        // The facet that stood for the vocabulary is one of its own since it has others: no list of facets knows it.
        let stood = |f: &&Facet| is_stand_in(known, f.uuid) && wanted.facets.iter().all(|w| w.uuid != f.uuid);
        let stood = known.facets.iter().find(stood).cloned();
        let is_wanted = !wanted.facets.is_empty();
        wanted.facets.extend(stood.filter(|_| is_wanted));
        let gone = |f: &&Facet| !is_stand_in(known, f.uuid) && wanted.facets.iter().all(|w| w.uuid != f.uuid);
        wanted.deleted_facets.extend(known.facets.iter().filter(gone).cloned().collect::<Vec<_>>());
        if self.snapshot().by_uuid(known.uuid).is_some_and(|plane| plane.has_bare()) {
            keep_stand_in(wanted, known);
        }
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
            oio: None,
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
            oio: None,
            deleted_facets: Vec::new(),
        }
    }
}

/// Refuses to give the code of a deleted facet to another: concepts name their facet by its code, and would come along.
fn no_code_of_deleted(fields: &VocabularyFields) -> Result<()> {
    let gone = |f: &&Facet| fields.deleted_facets.iter().find(|d| d.code == f.code && d.uuid != f.uuid).map(|d| d.uuid);
    let Some((facet, gone)) = fields.facets.iter().find_map(|f| Some((f, gone(&f)?))) else { return Ok(()) };
    let da = format!("koden »{}« har den slettede facet {gone}", facet.code);
    let en = format!("the code '{}' is that of the deleted facet {gone}", facet.code);
    Err(Refusal::new(Code::Immutable, da, en).at(Place::field("facets")).allowed([gone.to_string()]))
}

/// What OIO says of a frame and its facets stays, as long as nobody says otherwise by another door: periods and notes
/// that were said of other words are no longer true.
fn keep_oio(wanted: &mut VocabularyFields, known: &VocabularyFields) {
    let said = |f: &VocabularyFields| {
        (f.titles.clone(), f.descriptions.clone(), f.owner.clone(), f.licence.clone(), f.contact.clone())
    };
    if said(wanted) == said(known) {
        wanted.oio = known.oio.clone();
    }
    for facet in &mut wanted.facets {
        let same = |f: &&Facet| f.uuid == facet.uuid && f.code == facet.code && f.titles == facet.titles;
        facet.oio = known.facets.iter().find(same).and_then(|f| f.oio.clone());
    }
    let back = |f: &&Facet| wanted.facets.iter().all(|w| w.uuid != f.uuid);
    wanted.deleted_facets = known.deleted_facets.iter().filter(back).cloned().collect();
}
