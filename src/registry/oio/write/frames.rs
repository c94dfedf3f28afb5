//! Klassifikation and facet: parts of the frame of a vocabulary.

use std::sync::Arc;

use uuid::Uuid;

use super::{Desk, Life, Order, Registering};
use crate::exchange::keep_stand_in;
use crate::exchange::oio::extras::{kept, name};
use crate::exchange::oio::merge::{update, whole};
use crate::exchange::oio::{Egenskab, Indhold, Kind, Reference, Relation};
use crate::model::{
    Code, Facet, Governance, Instant, Kind as VocabularyKind, Language, Place, Refusal, Result, Slug, Text, Vocabulary,
    VocabularyFields,
};
use crate::projection::Plane;
use crate::registry::permission::{Command, permit};
use crate::store::Write;

impl Desk<'_> {
    /// Writes a klassifikation: the frame of a vocabulary. Whether anything was written.
    pub(super) async fn klassifikation(
        &self,
        write: &mut Write,
        plane: Option<&Arc<Plane>>,
        order: Order,
        registering: Registering,
    ) -> Result<bool> {
        let kind = Kind::Klassifikation;
        let Some(plane) = plane else {
            permit(self.actor, Command::Frame, None)?;
            let (Order::Opret(given) | Order::Importer(_, given)) = order else { return Ok(false) };
            let new = whole(kind, given)?;
            let vocabulary = self.vocabulary(&new, &registering)?;
            write.create_vocabulary(&vocabulary).await?;
            return Ok(true);
        };
        let vocabulary = plane.vocabulary();
        self.permit(Command::Frame, vocabulary)?;
        let old = self.framed(plane, kind);
        let Some(new) = self.changed(kind, order, old.clone())? else { return Ok(false) };
        let mut fields = vocabulary.fields().clone();
        retold(&mut fields, &at(&old, self.now()), &at(&new, self.now()))?;
        fields.oio = Some(kept(&new, registering.life.name(), registering.note));
        write.change_vocabulary(&Vocabulary::new(fields)?).await?;
        Ok(true)
    }

    /// Writes a facet. Whether anything was written.
    pub(super) async fn facet(
        &self,
        write: &mut Write,
        plane: Option<&Arc<Plane>>,
        order: Order,
        registering: Registering,
    ) -> Result<bool> {
        let kind = Kind::Facet;
        let fresh = match &order {
            Order::Opret(given) | Order::Importer(_, given) if self.there.life == Life::Absent => {
                Some(whole(kind, given.clone())?)
            }
            _ => None,
        };
        let plane = match (plane, &fresh) {
            (Some(plane), _) => plane,
            (None, Some(new)) => self.holder(new)?,
            (None, None) => return Ok(false),
        };
        let vocabulary = plane.vocabulary();
        self.permit(Command::Frame, vocabulary)?;
        let mut fields = vocabulary.fields().clone();
        if let Some(new) = fresh {
            belongs(&new, fields.uuid)?;
            let attributes = at(&new, self.now());
            let code = attributes.fields.get("brugervendtnoegle").cloned().unwrap_or_default();
            let oio = Some(kept(&new, registering.life.name(), registering.note));
            let titles = titles_of(&attributes, vocabulary.default_language())?;
            free(plane, &fields, &code)?;
            fields.facets.push(Facet { uuid: self.uuid, code, oio, titles });
            if plane.has_bare() {
                keep_stand_in(&mut fields, vocabulary.fields());
            }
            write.change_vocabulary(&Vocabulary::new(fields)?).await?;
            return Ok(true);
        }
        let here = |all: &[Facet]| all.iter().position(|f| f.uuid == self.uuid);
        let old = match fields.deleted_facets.iter().find(|f| f.uuid == self.uuid) {
            Some(Facet { oio: Some(oio), .. }) => crate::exchange::oio::extras::indhold(kind, oio),
            _ => self.framed(plane, kind),
        };
        let deleting = matches!(order, Order::Slet(..));
        let Some(new) = self.changed(kind, order, old.clone())? else { return Ok(false) };
        belongs(&new, fields.uuid)?;
        let mut facet = match (here(&fields.facets), here(&fields.deleted_facets)) {
            (Some(i), _) => fields.facets.remove(i),
            (None, Some(i)) => fields.deleted_facets.remove(i),
            (None, None) => return Err(stand_in()),
        };
        let (was, is) = (at(&old, self.now()), at(&new, self.now()));
        if was.fields.get("beskrivelse") != is.fields.get("beskrivelse") {
            facet.titles = titles_of(&is, vocabulary.default_language())?;
        }
        facet.oio = Some(kept(&new, registering.life.name(), registering.note));
        let place = vocabulary.fields().facets.iter().position(|f| f.uuid == self.uuid);
        match (deleting, place) {
            (true, _) => fields.deleted_facets.push(facet),
            (false, Some(i)) => fields.facets.insert(i, facet),
            (false, None) => fields.facets.push(facet),
        }
        write.change_vocabulary(&Vocabulary::new(fields)?).await?;
        Ok(true)
    }

    /// What an order makes of an object of the frame; nothing when it stays as it is.
    fn changed(&self, kind: Kind, order: Order, old: Indhold) -> Result<Option<Indhold>> {
        let revived = matches!(self.there.life, Life::Passive | Life::Deleted);
        let new = match order {
            Order::Slet(..) if self.there.life == Life::Deleted => return Ok(None),
            Order::Slet(..) => return Ok(Some(old)),
            Order::Ret(_, given) if given.passiv => return Ok(Some(old)),
            Order::Ret(_, given) => update(kind, old.clone(), given)?,
            Order::Importer(_, given) if revived => {
                whole(kind, given.clone())?;
                return update(kind, old, given).map(Some);
            }
            Order::Opret(given) | Order::Importer(_, given) => whole(kind, given)?,
        };
        if new.attributter.is_empty() {
            let (da, en) = ("der bliver ingen egenskaber tilbage; brug DELETE", "no attributes are left; use DELETE");
            let field = format!("attributter.{}", kind.egenskaber());
            return Err(Refusal::new(Code::InvalidBody, da, en).at(Place::field(field)).allowed(["DELETE (Slet)"]));
        }
        Ok(Some(new).filter(|new| *new != old))
    }

    /// What is said of an object of the frame now, sorted.
    fn framed(&self, plane: &Arc<Plane>, kind: Kind) -> Indhold {
        let published = plane.versions().iter().map(|v| v.effective).min();
        let mut old = self.made(plane).now.object(kind, self.uuid, published).unwrap_or_default();
        old.sort(kind);
        old
    }

    /// The vocabulary that a new facet belongs to.
    fn holder(&self, new: &Indhold) -> Result<&Arc<Plane>> {
        let told = new.relationer.get("facettilhoerer").and_then(|list| list.first()).map(|r| &r.til);
        let plane = match told {
            Some(Reference::Uuid(uuid)) => self.snapshot.by_uuid(*uuid),
            _ => None,
        };
        plane.ok_or_else(|| {
            let (da, en) =
                ("en facet hører til en klassifikation, der findes", "a facet belongs to a klassifikation that exists");
            Refusal::new(Code::UnknownTarget, da, en).at(Place::field("relationer.facettilhoerer"))
        })
    }

    /// A vocabulary as a new klassifikation tells it.
    fn vocabulary(&self, new: &Indhold, registering: &Registering) -> Result<Vocabulary> {
        let attributes = at(new, self.now());
        let language = Language::danish();
        let key = attributes.fields.get("brugervendtnoegle").map_or("", String::as_str);
        let slug = self.slug(key)?;
        let mut fields = VocabularyFields {
            uuid: self.uuid,
            namespace: format!("{}/id/{slug}/", self.registry.settings.public_url),
            slug,
            titles: vec![Text::new(language.clone(), key)?],
            descriptions: Vec::new(),
            kind: VocabularyKind::Classification,
            governance: Governance::Direct,
            four_eyes: false,
            identifiers: Vec::new(),
            owner: None,
            contact: None,
            licence: None,
            languages: vec![language],
            facets: Vec::new(),
            oio: None,
            deleted_facets: Vec::new(),
        };
        retold(&mut fields, &Today::default(), &at(new, self.now()))?;
        fields.oio = Some(kept(new, registering.life.name(), registering.note.clone()));
        Vocabulary::new(fields)
    }

    /// The short name that a key makes: `SOC-BEGREB` is `soc-begreb`.
    fn slug(&self, key: &str) -> Result<Slug> {
        let mut text = String::new();
        for c in key.to_lowercase().chars() {
            match c {
                'æ' => text.push_str("ae"),
                'ø' => text.push_str("oe"),
                'å' => text.push_str("aa"),
                'a'..='z' | '0'..='9' => text.push(c),
                _ if text.ends_with('-') => {}
                _ => text.push('-'),
            }
        }
        let text: String = text.trim_matches('-').chars().take(60).collect();
        let text = if text.starts_with(|c: char| c.is_ascii_lowercase()) { text } else { format!("k-{text}") };
        let slug: Slug = text.trim_end_matches('-').parse()?;
        if self.snapshot.by_slug(slug.as_str()).is_some() {
            let (da, en) = (format!("ordforrådet {slug} findes"), format!("the vocabulary {slug} exists"));
            let field = "attributter.klassifikationegenskaber.brugervendtnoegle";
            return Err(Refusal::new(Code::Exists, da, en).at(Place::field(field)));
        }
        Ok(slug)
    }

    fn now(&self) -> Instant {
        self.registry.clock.now()
    }
}

/// What is said at one time of an object of the frame.
#[derive(Default)]
struct Today {
    fields: std::collections::BTreeMap<&'static str, String>,
    owner: Option<String>,
}

/// What holds now, else what comes first, else what held last.
fn at(indhold: &Indhold, now: Instant) -> Today {
    let attributes = || indhold.attributter.iter();
    let here = |e: &&Egenskab| e.virkning.period.contains(now);
    let from = |e: &&Egenskab| e.virkning.period.from();
    let egenskab = attributes()
        .find(here)
        .or_else(|| attributes().filter(|e| from(e) > now).min_by_key(from))
        .or_else(|| attributes().max_by_key(from));
    let owners = || indhold.relationer.get("ejer").into_iter().flatten();
    let begins = |r: &&Relation| r.virkning.period.from();
    let owner = owners().find(|r| r.virkning.period.contains(now)).or_else(|| owners().min_by_key(begins));
    Today {
        fields: egenskab.map(|e| e.fields.clone()).unwrap_or_default(),
        owner: owner.map(|r| match &r.til {
            Reference::Uuid(uuid) => uuid.to_string(),
            Reference::Urn(_) => name(&r.til),
        }),
    }
}

/// What is said otherwise than before, in the fields of the frame. Short name and codes stay what they were made.
fn retold(fields: &mut VocabularyFields, was: &Today, is: &Today) -> Result<()> {
    let language = fields.languages.first().cloned().unwrap_or_else(Language::danish);
    let changed = |name: &str| is.fields.get(name).filter(|text| was.fields.get(name) != Some(*text));
    let cleared = |name: &str| was.fields.contains_key(name) && !is.fields.contains_key(name);
    if let Some(text) = changed("kaldenavn") {
        set(&mut fields.titles, Text::new(language.clone(), text)?);
    }
    if let Some(text) = changed("beskrivelse") {
        set(&mut fields.descriptions, Text::new(language.clone(), text)?);
    }
    if cleared("beskrivelse") {
        let gone = shown(&fields.descriptions, &language);
        fields.descriptions.retain(|t| t.language != gone);
    }
    // A licence is an IRI; another text is kept for those who wrote it.
    let iri = |text: &&String| text.contains(':') && !text.contains(char::is_whitespace);
    if let Some(text) = changed("ophavsret") {
        fields.licence = Some(text).filter(iri).cloned();
    }
    if cleared("ophavsret") {
        fields.licence = None;
    }
    if was.owner != is.owner {
        fields.owner.clone_from(&is.owner);
    }
    Ok(())
}

/// The language of the text that a Danish reader sees.
fn shown(texts: &[Text], otherwise: &Language) -> Language {
    let danish = texts.iter().find(|t| t.language.primary() == "da").or_else(|| texts.first());
    danish.map_or_else(|| otherwise.clone(), |t| t.language.clone())
}

/// Sets the text that a Danish reader sees.
fn set(texts: &mut Vec<Text>, text: Text) {
    let language = shown(texts, &text.language);
    match texts.iter_mut().find(|t| t.language == language) {
        Some(there) => there.text = text.text,
        None => texts.push(text),
    }
}

/// The name of a facet: what it is said to be, else its key.
fn titles_of(attributes: &Today, language: &Language) -> Result<Vec<Text>> {
    let text = attributes.fields.get("beskrivelse").or_else(|| attributes.fields.get("brugervendtnoegle"));
    text.map(|text| Text::new(language.clone(), text)).transpose().map(|t| t.into_iter().collect())
}

/// A facet stays in its klassifikation.
fn belongs(facet: &Indhold, klassifikation: Uuid) -> Result<()> {
    let elsewhere = |r: &&Relation| r.til != Reference::Uuid(klassifikation);
    match facet.relationer.get("facettilhoerer").into_iter().flatten().find(elsewhere) {
        None => Ok(()),
        Some(_) => Err(Refusal::new(
            Code::Immutable,
            "en facet kan ikke flyttes til en anden klassifikation",
            "a facet cannot be moved to another klassifikation",
        )
        .at(Place::field("relationer.facettilhoerer"))),
    }
}

/// A new facet does not take the klasser of one that was deleted: they name it by its code.
fn free(plane: &Plane, fields: &VocabularyFields, code: &str) -> Result<()> {
    let Some(gone) = fields.deleted_facets.iter().find(|f| f.code == code) else { return Ok(()) };
    let uses = |uuid: Uuid| {
        let mut states = plane.everything(uuid).filter(|s| s.state.is_current());
        states.any(|s| s.state.content().facet.as_deref() == Some(code))
    };
    if !plane.all_concepts().any(uses) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::Exists,
        format!("koden »{code}« har den slettede facet {}, som stadig har klasser", gone.uuid),
        format!("the code '{code}' is that of the deleted facet {}, which still has classes", gone.uuid),
    )
    .at(Place::field("attributter.facetegenskaber.brugervendtnoegle"))
    .allowed([format!("PUT /klassifikation/facet/{}", gone.uuid)]))
}

/// The refusal for the facet that stands for a vocabulary without any.
fn stand_in() -> Refusal {
    Refusal::new(
        Code::Immutable,
        "facetten står for et ordforråd uden facetter og kan ikke ændres",
        "the facet stands for a vocabulary without facets and cannot be changed",
    )
    .allowed(["POST /klassifikation/facet"])
}
