//! The answers of KOMBIT's operations Læs, List and Søg: the objects of [`crate::exchange::oio`] with their
//! registreringer and virkninger, exactly valid by KOMBIT's `…Operationer.xsd`.
//!
//! What those schemas have no room for is left out: `integrationsdata`, `objekttype`, the code `Rettet`, and of a
//! relation of which there may be only one, all periods but the last.

use std::io::{self, Write};

use uuid::Uuid;

use super::chars::fit;
use super::klasse::{IndexWord, Reference, longest};
use super::object;
use super::xml::Xml;
use super::{FACET, KLASSE, KLASSIFIKATION, SAGDOK};
use crate::exchange::oio::{Egenskab, Kind, Livscykluskode, Objekt, Publiceret, Registrering, Relation, Virkning};

/// The length of a note in KOMBIT's schema, in characters.
const NOTE: usize = 1024;

/// The status of an answer that is one.
const FINE: &str = "20";

/// The attributes of a kind: the names in JSON and XML, in the order of the schema, with how long a text may be.
fn attributes(kind: Kind) -> &'static [(&'static str, &'static str, usize)] {
    match kind {
        Kind::Klassifikation => &[
            ("brugervendtnoegle", "sd:BrugervendtNoegleTekst", longest::KEY),
            ("kaldenavn", "sd:TitelTekst", longest::TITLE),
            ("beskrivelse", "sd:BeskrivelseTekst", longest::DESCRIPTION),
            ("ophavsret", "sd:OphavsretTekst", longest::COPYRIGHT),
        ],
        Kind::Facet => &[
            ("brugervendtnoegle", "sd:BrugervendtNoegleTekst", longest::KEY),
            ("beskrivelse", "sd:BeskrivelseTekst", longest::DESCRIPTION),
            ("opbygning", "sd:OpbygningTekst", longest::SCOPE),
            ("ophavsret", "sd:OphavsretTekst", longest::COPYRIGHT),
            ("plan", "sd:PlanIdentifikator", longest::KEY),
            ("supplement", "sd:SupplementTekst", longest::SCOPE),
            ("retskilde", "sd:RetskildeTekst", longest::LEGAL_SOURCE),
        ],
        Kind::Klasse => &[
            ("brugervendtnoegle", "sd:BrugervendtNoegleTekst", longest::KEY),
            ("beskrivelse", "sd:BeskrivelseTekst", longest::DESCRIPTION),
            ("eksempel", "sd:EksempelTekst", longest::EXAMPLE),
            ("omfang", "sd:OmfangTekst", longest::SCOPE),
            ("titel", "sd:TitelTekst", longest::TITLE),
            ("retskilde", "sd:RetskildeTekst", longest::LEGAL_SOURCE),
            ("aendringsnotat", "sd:AendringsnotatTekst", longest::CHANGE_NOTE),
        ],
    }
}

/// The relations of a kind: the names in JSON and XML, in the order of the schema.
fn relations(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::Klassifikation => &[("ansvarlig", "sd:Ansvarlig"), ("ejer", "sd:Ejer")],
        Kind::Facet => &[
            ("ansvarlig", "sd:Ansvarlig"),
            ("ejer", "sd:Ejer"),
            ("facettilhoerer", "sd:FacetTilhoerer"),
            ("redaktoerer", "sd:Redaktoerer"),
        ],
        Kind::Klasse => &[
            ("ansvarlig", "sd:Ansvarlig"),
            ("ejer", "sd:Ejer"),
            ("erstatter", "sd:Erstatter"),
            ("facet", "sd:Facet"),
            ("lovligekombinationer", "sd:LovligeKombinationer"),
            ("mapninger", "sd:Mapninger"),
            ("overordnetklasse", "sd:OverordnetKlasse"),
            ("redaktoerer", "sd:Redaktoerer"),
            ("sideordnede", "sd:Sideordnede"),
            ("tilfoejelser", "sd:Tilfoejelser"),
        ],
    }
}

fn namespace(kind: Kind) -> &'static str {
    match kind {
        Kind::Klassifikation => KLASSIFIKATION,
        Kind::Facet => FACET,
        Kind::Klasse => KLASSE,
    }
}

/// The answer to Læs.
///
/// # Errors
/// When the writer fails.
pub fn read(object: &Objekt, out: &mut dyn Write) -> io::Result<()> {
    answer("LaesOutput", object.kind, std::slice::from_ref(object), out)
}

/// The answer to List, of objects of one kind.
///
/// # Errors
/// When the writer fails.
pub fn list(kind: Kind, objects: &[Objekt], out: &mut dyn Write) -> io::Result<()> {
    answer("ListOutput", kind, objects, out)
}

/// The answer to Søg.
///
/// # Errors
/// When the writer fails.
pub fn found(kind: Kind, uuids: &[Uuid], out: &mut dyn Write) -> io::Result<()> {
    document("SoegOutput", kind, out, |x| {
        status(x)?;
        if uuids.is_empty() {
            return Ok(());
        }
        let one = |x: &mut Xml<'_>, uuid: &Uuid| x.leaf("sd:UUIDIdentifikator", &uuid.to_string());
        x.element("sd:IdListe", |x| uuids.iter().try_for_each(|uuid| one(x, uuid)))
    })
}

fn document(
    name: &str,
    kind: Kind,
    out: &mut dyn Write,
    body: impl FnOnce(&mut Xml<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut x = Xml::new(out)?;
    let namespaces = format!(" xmlns:{}=\"{}\" xmlns:sd=\"{SAGDOK}\"", kind.name(), namespace(kind));
    x.element_with(&format!("{}:{name}", kind.name()), &namespaces, body)?;
    x.finish()
}

fn status(x: &mut Xml<'_>) -> io::Result<()> {
    x.element("sd:StandardRetur", |x| x.leaf("sd:StatusKode", FINE))
}

fn answer(name: &str, kind: Kind, objects: &[Objekt], out: &mut dyn Write) -> io::Result<()> {
    document(name, kind, out, |x| {
        status(x)?;
        objects.iter().try_for_each(|object| {
            x.element(&format!("{}:FiltreretOejebliksbillede", kind.name()), |x| {
                let uuid = object.uuid.to_string();
                x.element(&format!("{}:ObjektType", kind.name()), |x| x.leaf("sd:UUIDIdentifikator", &uuid))?;
                object.registreringer.iter().try_for_each(|r| registration(x, kind, r))
            })
        })
    })
}

fn registration(x: &mut Xml<'_>, kind: Kind, r: &Registrering) -> io::Result<()> {
    let prefixed = |name: &str| format!("{}:{name}", kind.name());
    x.element(&prefixed("Registrering"), |x| {
        if let Some(note) = &r.note {
            x.leaf("sd:NoteTekst", &fit(note, NOTE))?;
        }
        if let Some(stamp) = object::date_time(r.registered.from()) {
            x.leaf("sd:Tidspunkt", &stamp)?;
        }
        // KOMBIT's list has no code for it.
        if r.livscykluskode != Livscykluskode::Rettet {
            x.leaf("sd:LivscyklusKode", r.livscykluskode.name())?;
        }
        x.element("sd:BrugerRef", |x| x.leaf("sd:UUIDIdentifikator", &r.brugerref.to_string()))?;
        let said = &r.indhold;
        x.element(&prefixed("AttributListe"), |x| said.attributter.iter().try_for_each(|e| properties(x, kind, e)))?;
        x.element(&prefixed("TilstandListe"), |x| {
            said.tilstande.iter().try_for_each(|t| {
                x.element(&prefixed("PubliceretStatus"), |x| {
                    effect(x, &t.virkning)?;
                    let is = t.publiceret == Publiceret::Publiceret;
                    x.leaf("sd:ErPubliceretIndikator", if is { "true" } else { "false" })
                })
            })
        })?;
        x.element(&prefixed("RelationListe"), |x| {
            relations(kind).iter().try_for_each(|(name, element)| {
                let all = said.relationer.get(name).map_or(&[][..], Vec::as_slice);
                let room: Vec<&Relation> = match kind.single().contains(name) {
                    true => all.iter().max_by_key(|r| r.virkning.period).into_iter().collect(),
                    false => all.iter().collect(),
                };
                room.into_iter().filter(|r| r.til.fits()).try_for_each(|r| relation(x, element, r))
            })
        })
    })
}

fn properties(x: &mut Xml<'_>, kind: Kind, e: &Egenskab) -> io::Result<()> {
    x.element(&format!("{}:Egenskab", kind.name()), |x| {
        effect(x, &e.virkning)?;
        for (name, element, longest) in attributes(kind) {
            if let Some(text) = e.fields.get(name).filter(|text| *name != "plan" || is_plan(text)) {
                x.leaf(element, &fit(text, *longest))?;
            }
        }
        e.soegeord.iter().try_for_each(|word| {
            let some = |text: &String| Some(text.clone()).filter(|t| !t.is_empty());
            let word = IndexWord {
                identifier: word.soegeordidentifikator.clone(),
                description: some(&word.beskrivelse),
                category: some(&word.soegeordskategori),
            };
            object::write_index_word(x, &word.fitted())
        })
    })
}

/// Whether KOMBIT's schema has room for a plan: a number from 1 to 100. In JSON it is any text.
fn is_plan(text: &str) -> bool {
    text.parse::<u8>().is_ok_and(|n| (1..=100).contains(&n) && n.to_string() == text)
}

fn relation(x: &mut Xml<'_>, element: &str, r: &Relation) -> io::Result<()> {
    x.element(element, |x| {
        effect(x, &r.virkning)?;
        x.element("sd:ReferenceID", |x| reference(x, &r.til))
    })
}

fn reference(x: &mut Xml<'_>, to: &Reference) -> io::Result<()> {
    match to {
        Reference::Uuid(uuid) => x.leaf("sd:UUIDIdentifikator", &uuid.to_string()),
        Reference::Urn(urn) => x.leaf("sd:URNIdentifikator", urn),
    }
}

fn effect(x: &mut Xml<'_>, virkning: &Virkning) -> io::Result<()> {
    x.element("sd:Virkning", |x| {
        object::write_period(x, virkning.period)?;
        if let Some(aktoer) = virkning.aktoerref {
            x.element("sd:AktoerRef", |x| x.leaf("sd:UUIDIdentifikator", &aktoer.to_string()))?;
        }
        if let Some(kode) = virkning.aktoertypekode {
            x.leaf("sd:AktoerTypeKode", kode.name())?;
        }
        virkning.notetekst.as_ref().map_or(Ok(()), |note| x.leaf("sd:NoteTekst", &fit(note, NOTE)))
    })
}
