//! Writing the envelope: what it is, the vocabulary, its facets, its classes one at a time.

use std::io::{self, Write};

use uuid::Uuid;

use super::chars::{fit, fits};
use super::facets::{Facets, told};
use super::klasse::{Klasse, Reference, longest};
use super::object::{self, Times};
use super::xml::Xml;
use super::{BEGREB, FACET, KLASSE, KLASSIFIKATION, SAGDOK, extension};
use crate::exchange::{Outgoing, OutgoingConcept};
use crate::model::{Governance, Period, Text, Vocabulary};

/// Writes all of it.
pub(super) fn envelope(edition: Outgoing<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (vocabulary, version) = (edition.vocabulary, edition.version);
    let facets = Facets::of(vocabulary);
    let owner = vocabulary.fields().owner.as_deref().and_then(Reference::to_organisation).filter(Reference::fits);
    let from_file = version.is_some_and(|v| v.manifest.source.is_some());
    let times = Times {
        valid: Period::since(edition.point.valid).unwrap_or(Period::ALWAYS),
        registered: version.map_or(edition.point.registered, |v| v.registered),
        imported: from_file || vocabulary.fields().governance == Governance::Mirror,
    };
    let mut x = Xml::new(out)?;
    x.element_with("KlassifikationUdtraek", &namespaces(), |x| {
        header(x, &edition)?;
        classification(x, vocabulary, owner.as_ref(), times)?;
        all_facets(x, vocabulary, owner.as_ref(), times)?;
        for concept in edition.concepts {
            class(x, &concept, &facets, owner.as_ref(), times)?;
        }
        Ok(())
    })?;
    x.finish()
}

fn namespaces() -> String {
    [("", BEGREB), (":klassifikation", KLASSIFIKATION), (":facet", FACET), (":klasse", KLASSE), (":sd", SAGDOK)]
        .map(|(prefix, namespace)| format!(" xmlns{prefix}=\"{namespace}\""))
        .concat()
}

fn header(x: &mut Xml<'_>, edition: &Outgoing<'_>) -> io::Result<()> {
    let f = edition.vocabulary.fields();
    x.element("UdtraekHoved", |x| {
        if let Some(version) = edition.version {
            x.leaf("VersionIdentifikator", version.label.as_str())?;
            x.leaf("IndholdAftrykIdentifikator", &version.manifest.digest.to_string())?;
        }
        x.instant("VirkningDatoTid", Some(edition.point.valid))?;
        x.instant("RegistreringDatoTid", Some(edition.point.registered))?;
        x.leaf("KlasseAntalKvantitet", &edition.count.to_string())?;
        x.leaf("sd:UUIDIdentifikator", &f.uuid.to_string())?;
        x.leaf("KortnavnIdentifikator", f.slug.as_str())?;
        x.text("NavnerumIdentifikator", &f.namespace)?;
        x.optional("EjerTekst", f.owner.as_ref())?;
        x.optional("LicensIdentifikator", f.licence.as_ref())?;
        x.texts("TitelListe", &f.titles)?;
        x.texts("BeskrivelseListe", &f.descriptions)?;
        plain_list(x, "FremmedListe", "FremmedIdentifikator", f.identifiers.iter().map(String::as_str))?;
        plain_list(x, "SprogListe", "SprogKode", f.languages.iter().map(|l| l.as_str()))?;
        x.list("FacetListe", "FacetBetegnelse", &f.facets, |x, facet| {
            x.leaf("sd:UUIDIdentifikator", &facet.uuid.to_string())?;
            x.text("FacetKodeTekst", &facet.code)?;
            x.texts("TitelListe", &facet.titles)
        })?;
        extension::write_statements(x, edition.version.map_or(&[], |v| v.statements.as_slice()))
    })
}

fn plain_list<'a>(
    x: &mut Xml<'_>,
    list: &str,
    item: &str,
    texts: impl ExactSizeIterator<Item = &'a str>,
) -> io::Result<()> {
    if texts.len() == 0 {
        return Ok(());
    }
    x.element(list, |x| texts.into_iter().try_for_each(|t| x.text(item, t)))
}

fn classification(x: &mut Xml<'_>, vocabulary: &Vocabulary, owner: Option<&Reference>, times: Times) -> io::Result<()> {
    let f = vocabulary.fields();
    let properties = |x: &mut Xml<'_>| {
        x.leaf("sd:BrugervendtNoegleTekst", &key(f.slug.as_str(), f.uuid))?;
        x.leaf("sd:TitelTekst", &fit(vocabulary.title("da"), longest::TITLE))?;
        if let Some(text) = Text::choose(&f.descriptions, "da") {
            x.leaf("sd:BeskrivelseTekst", &fit(text, longest::DESCRIPTION))?;
        }
        f.licence.as_ref().map_or(Ok(()), |l| x.leaf("sd:OphavsretTekst", &fit(l, longest::COPYRIGHT)))
    };
    let relations = |x: &mut Xml<'_>| object::write_owner(x, owner, times);
    object::write(x, &object::KLASSIFIKATION, f.uuid, times, properties, relations)
}

fn all_facets(x: &mut Xml<'_>, vocabulary: &Vocabulary, owner: Option<&Reference>, times: Times) -> io::Result<()> {
    let f = vocabulary.fields();
    told(f).iter().try_for_each(|facet| {
        let properties = |x: &mut Xml<'_>| {
            x.leaf("sd:BrugervendtNoegleTekst", &key(&facet.code, facet.uuid))?;
            let title = Text::choose(&facet.titles, "da");
            title.map_or(Ok(()), |t| x.leaf("sd:TitelTekst", &fit(t, longest::TITLE)))
        };
        object::write(x, &object::FACET, facet.uuid, times, properties, |x| {
            object::write_owner(x, owner, times)?;
            object::write_relations(x, "sd:FacetTilhoerer", &[Reference::Uuid(f.uuid)], times)
        })
    })
}

fn class(
    x: &mut Xml<'_>,
    concept: &OutgoingConcept,
    facets: &Facets,
    owner: Option<&Reference>,
    edition: Times,
) -> io::Result<()> {
    let times = Times { valid: concept.valid, registered: concept.registered, ..edition };
    let content = concept.content.fields();
    x.element("KlasseUdtraek", |x| {
        object::write_klasse(x, &Klasse::of(concept.uuid, content, facets).fitted(), owner, times)?;
        extension::write(x, content)
    })
}

/// The user's key of an object: its code, or its uuid when there is no room for that.
fn key(code: &str, uuid: Uuid) -> String {
    if fits(code, longest::KEY) { code.to_owned() } else { uuid.to_string() }
}
