//! What OIO says and the registry has no field for: laid over the view of the fields, and taken from what is given.

use uuid::Uuid;

use super::{Aktoertype, Egenskab, Indhold, Kind, Publiceret, Reference, Relation, Soegeord, Tilstand, Virkning};
use crate::model::{ContentFields, OioAssertion, OioHidden, OioLink, OioObject, OioPart, OioSpan, Period};

/// What begins the name of a target that is named by uuid.
const UUID: &str = "urn:uuid:";

/// Lays what is kept beside the fields of a concept over what its fields say as a klasse, over one period.
pub fn overlay(indhold: &mut Indhold, f: &ContentFields, period: Period) {
    if f.terms.is_empty() {
        // Attributes were never said, or cleared.
        indhold.attributter.clear();
    }
    let Some(oio) = &f.oio else { return };
    for egenskab in &mut indhold.attributter {
        egenskab.virkning = virkning(period, &oio.egenskaber);
        if let Some(text) = &oio.integrationsdata {
            egenskab.fields.insert("integrationsdata", text.clone());
        }
        words(egenskab, oio);
    }
    let state = match oio.publiceret {
        None => Some(Publiceret::Publiceret),
        Some(OioHidden::IkkePubliceret) => Some(Publiceret::IkkePubliceret),
        Some(OioHidden::Uoplyst) => None,
    };
    let virkning_of_state = virkning(period, &oio.tilstand);
    indhold.tilstande =
        state.into_iter().map(|publiceret| Tilstand { publiceret, virkning: virkning_of_state.clone() }).collect();
    for r in &oio.relationer {
        let Some(name) = Kind::Klasse.relations().find(|n| *n == r.navn) else { continue };
        let told = Relation {
            til: reference(&r.til),
            objekttype: r.objekttype.clone(),
            virkning: virkning(period, &r.virkning),
        };
        let list = indhold.relationer.entry(name).or_default();
        match list.iter_mut().find(|there| there.til == told.til) {
            Some(there) => {
                let objekttype = told.objekttype.clone().or_else(|| there.objekttype.take());
                *there = Relation { objekttype, ..told };
            }
            // The field no longer has it.
            None if r.har_felt => {}
            None if Kind::Klasse.single().contains(&name) => *list = vec![told],
            None => list.push(told),
        }
    }
    indhold.relationer.retain(|_, list| !list.is_empty());
}

/// Descriptions and categories that terms cannot say, of words that are there.
fn words(egenskab: &mut Egenskab, oio: &crate::model::OioExtras) {
    let title = egenskab.fields.get("titel").cloned();
    for word in &oio.soegeord {
        let told = Soegeord {
            soegeordidentifikator: word.soegeordidentifikator.clone(),
            beskrivelse: word.beskrivelse.clone(),
            soegeordskategori: word.soegeordskategori.clone(),
        };
        let same = |s: &&mut Soegeord| s.soegeordidentifikator == word.soegeordidentifikator;
        match egenskab.soegeord.iter_mut().find(same) {
            Some(there) => *there = told,
            // The title may be an index word too.
            None if title.as_ref() == Some(&word.soegeordidentifikator) => egenskab.soegeord.push(told),
            None => {}
        }
    }
}

/// A period with whoever asserts what holds over it.
#[must_use]
pub fn virkning(period: Period, by: &OioAssertion) -> Virkning {
    let kind = by
        .aktoertypekode
        .as_ref()
        .and_then(|code| serde_json::from_value::<Aktoertype>(serde_json::Value::String(code.clone())).ok());
    Virkning { period, aktoerref: by.aktoerref, aktoertypekode: kind, notetekst: by.notetekst.clone() }
}

/// Who asserts what holds over a period.
#[must_use]
pub fn assertion(virkning: &Virkning) -> OioAssertion {
    OioAssertion {
        aktoerref: virkning.aktoerref,
        aktoertypekode: virkning.aktoertypekode.map(|kind| format!("{kind:?}")),
        notetekst: virkning.notetekst.clone(),
    }
}

/// The target of a name.
#[must_use]
pub fn reference(name: &str) -> Reference {
    let uuid = name.strip_prefix(UUID).and_then(|text| Uuid::try_parse(text).ok());
    uuid.map_or_else(|| Reference::Urn(name.to_owned()), Reference::Uuid)
}

/// The name of a target.
#[must_use]
pub fn name(target: &Reference) -> String {
    match target {
        Reference::Uuid(uuid) => format!("{UUID}{uuid}"),
        Reference::Urn(urn) => urn.clone(),
    }
}

/// What is kept of a klassifikation or a facet, as its content; periods that are none, which only a hand could have
/// written, are left out.
#[must_use]
pub fn indhold(kind: Kind, oio: &OioObject) -> Indhold {
    let span = |span: &OioSpan| span.period().ok().map(|period| virkning(period, &span.virkning));
    let attributter = oio.egenskaber.iter().filter_map(|part| {
        let fields = kind.fields().iter().filter_map(|f| Some((*f, part.felter.get(*f)?.clone())));
        Some(Egenskab { fields: fields.collect(), soegeord: Vec::new(), virkning: span(&part.gaelder)? })
    });
    let tilstande = oio.tilstande.iter().filter_map(|part| {
        let name = part.felter.get("publiceret")?;
        let publiceret = Publiceret::ALL.into_iter().find(|p| p.name() == name)?;
        Some(Tilstand { publiceret, virkning: span(&part.gaelder)? })
    });
    let mut indhold =
        Indhold { attributter: attributter.collect(), tilstande: tilstande.collect(), ..Indhold::default() };
    for link in &oio.relationer {
        let name = kind.relations().find(|n| *n == link.navn);
        let (Some(name), Some(virkning)) = (name, span(&link.gaelder)) else { continue };
        let relation = Relation { til: reference(&link.til), objekttype: link.objekttype.clone(), virkning };
        indhold.relationer.entry(name).or_default().push(relation);
    }
    indhold.sort(kind);
    indhold
}

/// What is to be kept of a klassifikation or a facet.
#[must_use]
pub fn kept(indhold: &Indhold, livscykluskode: &str, note: Option<String>) -> OioObject {
    let span = |v: &Virkning| OioSpan { from: v.period.from(), to: v.period.to(), virkning: assertion(v) };
    let part = |e: &Egenskab| OioPart {
        felter: e.fields.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect(),
        gaelder: span(&e.virkning),
    };
    let state = |t: &Tilstand| OioPart {
        felter: [("publiceret".to_owned(), t.publiceret.name().to_owned())].into(),
        gaelder: span(&t.virkning),
    };
    let links = indhold.relationer.iter().flat_map(|(name, list)| {
        list.iter().map(|r| OioLink {
            gaelder: span(&r.virkning),
            navn: (*name).to_owned(),
            objekttype: r.objekttype.clone(),
            til: self::name(&r.til),
        })
    });
    OioObject {
        egenskaber: indhold.attributter.iter().map(part).collect(),
        livscykluskode: livscykluskode.to_owned(),
        note,
        relationer: links.collect(),
        tilstande: indhold.tilstande.iter().map(state).collect(),
    }
}
