//! KOMBIT's objects: uuid, registrering, virkning and relations, writer and reader side by side.

use std::io;

use uuid::Uuid;

use super::klasse::{IndexWord, Klasse, Reference};
use super::tree::{Element, Losses, Ns};
use super::xml::Xml;
use crate::model::{Code, Instant, Period, Result};

/// The names of one kind of object.
pub(super) struct Names {
    object: &'static str,
    registration: &'static str,
    attributes: &'static str,
    properties: &'static str,
    states: &'static str,
    published: &'static str,
    relations: &'static str,
}

macro_rules! names {
    ($prefix:literal, $object:literal) => {
        Names {
            object: concat!($prefix, $object),
            registration: concat!($prefix, "Registrering"),
            attributes: concat!($prefix, "AttributListe"),
            properties: concat!($prefix, "Egenskab"),
            states: concat!($prefix, "TilstandListe"),
            published: concat!($prefix, "PubliceretStatus"),
            relations: concat!($prefix, "RelationListe"),
        }
    };
}

/// Of a klassifikation.
pub(super) const KLASSIFIKATION: Names = names!("klassifikation:", "Klassifikation");
/// Of a facet.
pub(super) const FACET: Names = names!("facet:", "Facet");
/// Of a klasse.
pub(super) const KLASSE: Names = names!("klasse:", "Klasse");

/// When an object holds and since when the registry says so.
#[derive(Clone, Copy)]
pub(super) struct Times {
    /// Virkning.
    pub valid: Period,
    /// Registrering.
    pub registered: Instant,
    /// Whether it came from a file.
    pub imported: bool,
}

/// Writes an object. `properties` and `relations` write what comes after the virkning.
pub(super) fn write(
    x: &mut Xml<'_>,
    names: &Names,
    uuid: Uuid,
    times: Times,
    properties: impl FnOnce(&mut Xml<'_>) -> io::Result<()>,
    relations: impl FnOnce(&mut Xml<'_>) -> io::Result<()>,
) -> io::Result<()> {
    x.element(names.object, |x| {
        x.leaf("sd:UUIDIdentifikator", &uuid.to_string())?;
        x.element(names.registration, |x| {
            if let Some(stamp) = date_time(times.registered) {
                x.leaf("sd:Tidspunkt", &stamp)?;
            }
            x.leaf("sd:LivscyklusKode", if times.imported { "Importeret" } else { "Opstaaet" })?;
            x.element(names.attributes, |x| {
                x.element(names.properties, |x| {
                    write_effect(x, times)?;
                    properties(x)
                })
            })?;
            x.element(names.states, |x| {
                x.element(names.published, |x| {
                    write_effect(x, times)?;
                    x.leaf("sd:ErPubliceretIndikator", "true")
                })
            })?;
            x.element(names.relations, relations)
        })
    })
}

/// Writes a klasse.
pub(super) fn write_klasse(x: &mut Xml<'_>, k: &Klasse, owner: Option<&Reference>, times: Times) -> io::Result<()> {
    let properties = |x: &mut Xml<'_>| {
        let text = |x: &mut Xml<'_>, name, text: Option<&String>| text.map_or(Ok(()), |t| x.leaf(name, t));
        x.leaf("sd:BrugervendtNoegleTekst", &k.key)?;
        text(x, "sd:BeskrivelseTekst", k.description.as_ref())?;
        text(x, "sd:EksempelTekst", k.example.as_ref())?;
        text(x, "sd:OmfangTekst", k.scope.as_ref())?;
        text(x, "sd:TitelTekst", k.title.as_ref())?;
        text(x, "sd:RetskildeTekst", k.legal_source.as_ref())?;
        text(x, "sd:AendringsnotatTekst", k.change_note.as_ref())?;
        k.index_words.iter().try_for_each(|word| write_index_word(x, word))
    };
    write(x, &KLASSE, k.uuid, times, properties, |x| {
        write_owner(x, owner, times)?;
        write_relations(x, "sd:Erstatter", &k.replaces, times)?;
        write_relations(x, "sd:Facet", k.facet.as_slice(), times)?;
        write_relations(x, "sd:LovligeKombinationer", &k.combinations, times)?;
        write_relations(x, "sd:Mapninger", &k.mappings, times)?;
        write_relations(x, "sd:OverordnetKlasse", k.parent.as_slice(), times)?;
        write_relations(x, "sd:Sideordnede", &k.see_also, times)
    })
}

/// Writes an index word of a klasse.
pub(super) fn write_index_word(x: &mut Xml<'_>, word: &IndexWord) -> io::Result<()> {
    let text = |x: &mut Xml<'_>, name, text: Option<&String>| text.map_or(Ok(()), |t| x.leaf(name, t));
    x.element("klasse:Soegeord", |x| {
        x.leaf("sd:SoegeordIdentifikator", &word.identifier)?;
        text(x, "sd:BeskrivelseTekst", word.description.as_ref())?;
        text(x, "sd:SoegeordKategoriTekst", word.category.as_ref())
    })
}

/// Writes the owner of an object, who is responsible for it too: the registry knows only one.
pub(super) fn write_owner(x: &mut Xml<'_>, owner: Option<&Reference>, times: Times) -> io::Result<()> {
    ["sd:Ansvarlig", "sd:Ejer"]
        .into_iter()
        .try_for_each(|name| owner.map_or(Ok(()), |owner| write_relations(x, name, std::slice::from_ref(owner), times)))
}

/// Writes relations of one name.
pub(super) fn write_relations(x: &mut Xml<'_>, name: &str, to: &[Reference], times: Times) -> io::Result<()> {
    to.iter().try_for_each(|target| {
        x.element(name, |x| {
            write_effect(x, times)?;
            x.element("sd:ReferenceID", |x| match target {
                Reference::Uuid(uuid) => x.leaf("sd:UUIDIdentifikator", &uuid.to_string()),
                Reference::Urn(urn) => x.leaf("sd:URNIdentifikator", urn),
            })
        })
    })
}

fn write_effect(x: &mut Xml<'_>, times: Times) -> io::Result<()> {
    x.element("sd:Virkning", |x| write_period(x, times.valid))
}

/// Writes the two ends of a virkning.
pub(super) fn write_period(x: &mut Xml<'_>, period: Period) -> io::Result<()> {
    let limit = |x: &mut Xml<'_>, name, at| {
        x.element(name, |x| match date_time(at) {
            Some(stamp) => x.leaf("sd:TidsstempelDatoTid", &stamp),
            None => x.leaf("sd:GraenseIndikator", "true"),
        })
    };
    limit(x, "sd:FraTidspunkt", period.from())?;
    limit(x, "sd:TilTidspunkt", period.to())
}

/// The instant as `xs:dateTime`, which knows neither infinity nor the years before the first.
pub(super) fn date_time(at: Instant) -> Option<String> {
    Some(at.to_string()).filter(|t| t.starts_with(|c: char| c.is_ascii_digit()) && !t.starts_with("0000"))
}

/// An object that has been read: one registrering of it, and one set of properties.
pub(super) struct Object {
    /// Its uuid.
    pub uuid: Uuid,
    /// The properties.
    pub properties: Element,
    /// The relations.
    pub relations: Option<Element>,
    /// Until when the properties hold.
    until: Instant,
}

/// Reads the newest registrering of an object, and of its properties those that hold longest. Nothing when
/// the object has been passivated or deleted.
pub(super) fn read(mut e: Element, ns: Ns, losses: &mut Losses) -> Result<Option<Object>> {
    let uuid = e.need_uuid()?;
    let mut dated = Vec::new();
    for mut registration in e.take_all(ns, "Registrering") {
        let at = registration.text_in(Ns::Sagdok, "Tidspunkt")?.map(|t| instant(&registration, &t)).transpose()?;
        dated.push((at, registration));
    }
    let Some(mut registration) = newest(dated, losses) else { return Err(e.lacks("Registrering")) };
    let life = registration.text_in(Ns::Sagdok, "LivscyklusKode")?;
    if let Some("Passiveret" | "Slettet") = life.as_deref().map(str::trim) {
        losses.add(e.shown(), "it is passivated or deleted");
        return Ok(None);
    }
    let Some(mut attributes) = registration.take(ns, "AttributListe") else {
        return Err(registration.lacks("AttributListe"));
    };
    let mut dated = Vec::new();
    for mut properties in attributes.take_all(ns, "Egenskab") {
        dated.push((read_effect(&mut properties)?, properties));
    }
    let until = dated.iter().map(|(until, _)| *until).max().unwrap_or(Instant::FOREVER);
    let Some(properties) = newest(dated, losses) else { return Err(attributes.lacks("Egenskab")) };
    read_states(&mut registration, ns, losses)?;
    let relations = registration.take(ns, "RelationListe");
    [attributes, registration, e].into_iter().for_each(|e| e.finish(losses));
    Ok(Some(Object { uuid, properties, relations, until }))
}

impl Object {
    /// Takes the relations of one name that hold as long as the properties do.
    pub fn take(&mut self, name: &str, losses: &mut Losses) -> Result<Vec<Reference>> {
        let Some(list) = &mut self.relations else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for mut relation in list.take_all(Ns::Sagdok, name) {
            let until = read_effect(&mut relation)?;
            let reference = read_reference(&mut relation, losses)?;
            if until < self.until {
                losses.add(format!("element '{}'", relation.shown()), "it had ended");
            } else {
                found.extend(reference);
            }
            relation.finish(losses);
        }
        Ok(found)
    }

    /// Takes the only relation of a name.
    pub fn take_one(&mut self, name: &str, losses: &mut Losses) -> Result<Option<Reference>> {
        let mut found = self.take(name, losses)?.into_iter();
        let first = found.next();
        found.for_each(|_| losses.add(format!("element 'sd:{name}'"), "there can be only one"));
        Ok(first)
    }

    /// Takes a text of the properties.
    pub fn text(&mut self, name: &str) -> Result<Option<String>> {
        self.properties.text_in(Ns::Sagdok, name)
    }

    /// Counts what is left over.
    pub fn finish(self, losses: &mut Losses) {
        self.properties.finish(losses);
        self.relations.into_iter().for_each(|e| e.finish(losses));
    }
}

/// Reads a klasse. Its owner is a loss, unless our extension beside it shows that the file is of our making: then
/// it is only the vocabulary's, written once more.
pub(super) fn read_klasse(e: Element, is_ours: bool, losses: &mut Losses) -> Result<Option<Klasse>> {
    let Some(mut o) = read(e, Ns::Klasse, losses)? else { return Ok(None) };
    let mut index_words = Vec::new();
    for mut word in o.properties.take_all(Ns::Klasse, "Soegeord") {
        index_words.push(IndexWord {
            identifier: word.text_in(Ns::Sagdok, "SoegeordIdentifikator")?.unwrap_or_default(),
            description: word.text_in(Ns::Sagdok, "BeskrivelseTekst")?,
            category: word.text_in(Ns::Sagdok, "SoegeordKategoriTekst")?,
        });
        word.finish(losses);
    }
    if is_ours {
        o.take_one("Ansvarlig", losses)?;
        o.take_one("Ejer", losses)?;
    }
    let klasse = Klasse {
        uuid: o.uuid,
        key: o.text("BrugervendtNoegleTekst")?.unwrap_or_default(),
        description: o.text("BeskrivelseTekst")?,
        example: o.text("EksempelTekst")?,
        scope: o.text("OmfangTekst")?,
        title: o.text("TitelTekst")?,
        legal_source: o.text("RetskildeTekst")?,
        change_note: o.text("AendringsnotatTekst")?,
        index_words,
        replaces: o.take("Erstatter", losses)?,
        facet: o.take_one("Facet", losses)?,
        combinations: o.take("LovligeKombinationer", losses)?,
        mappings: o.take("Mapninger", losses)?,
        parent: o.take_one("OverordnetKlasse", losses)?,
        see_also: o.take("Sideordnede", losses)?,
    };
    o.finish(losses);
    Ok(Some(klasse))
}

/// The one with the greatest date, the last of several; the others are losses.
fn newest<T: Ord + Copy>(mut dated: Vec<(T, Element)>, losses: &mut Losses) -> Option<Element> {
    let newest = dated.iter().enumerate().max_by_key(|(_, (at, _))| *at)?.0;
    let (_, chosen) = dated.remove(newest);
    for (_, other) in dated {
        losses.add(format!("element '{}'", other.shown()), "a file tells one edition; the newest was taken");
    }
    Some(chosen)
}

fn read_reference(relation: &mut Element, losses: &mut Losses) -> Result<Option<Reference>> {
    let Some(mut id) = relation.take(Ns::Sagdok, "ReferenceID") else { return Ok(None) };
    let uuid = id.text_in(Ns::Sagdok, "UUIDIdentifikator")?.map(|t| id.uuid(&t)).transpose()?;
    let urn = id.text_in(Ns::Sagdok, "URNIdentifikator")?;
    id.finish(losses);
    Ok(uuid.map(Reference::Uuid).or(urn.map(Reference::Urn)))
}

fn read_states(registration: &mut Element, ns: Ns, losses: &mut Losses) -> Result<()> {
    let Some(mut states) = registration.take(ns, "TilstandListe") else { return Ok(()) };
    for mut state in states.take_all(ns, "PubliceretStatus") {
        read_effect(&mut state)?;
        if let Some("false" | "0") = state.text_in(Ns::Sagdok, "ErPubliceretIndikator")?.as_deref().map(str::trim) {
            losses.add(format!("element '{}'", state.shown()), "a concept of an edition is published");
        }
        state.finish(losses);
    }
    states.finish(losses);
    Ok(())
}

/// Takes the virkning of something: until when it holds. From when is the edition's business.
fn read_effect(e: &mut Element) -> Result<Instant> {
    let Some(mut effect) = e.take(Ns::Sagdok, "Virkning") else { return Ok(Instant::FOREVER) };
    effect.take(Ns::Sagdok, "FraTidspunkt");
    let mut until = Instant::FOREVER;
    if let Some(mut to) = effect.take(Ns::Sagdok, "TilTidspunkt")
        && let Some(stamp) = to.text_in(Ns::Sagdok, "TidsstempelDatoTid")?
    {
        until = instant(&to, &stamp)?;
    }
    effect.leave_to(e);
    Ok(until)
}

/// An `xs:dateTime`; without a zone it is UTC.
fn instant(e: &Element, text: &str) -> Result<Instant> {
    let text = text.trim();
    text.parse().or_else(|_| format!("{text}Z").parse()).map_err(|_| {
        let shown: String = text.chars().take(80).collect();
        e.refuse(Code::InvalidTime, format!("»{shown}« er ikke et tidspunkt"), format!("'{shown}' is not an instant"))
    })
}
