//! The JSON of an object, in the keys and the order of the 2019 implementation: what is empty is left out.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Egenskab, Indhold, Kind, Objekt, Reference, Registrering, Relation, Tilstand, Virkning, time};
use crate::model::Instant;

/// Something of an object of a kind.
struct Of<'a, T: ?Sized>(Kind, &'a T);

impl Serialize for Objekt {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("id", &self.uuid)?;
        let all: Vec<_> = self.registreringer.iter().map(|r| Of(self.kind, r)).collect();
        map.serialize_entry("registreringer", &all)?;
        map.end()
    }
}

/// The edge of a registrering. `graenseindikator` says that the edge itself belongs to it.
struct Tidspunkt {
    at: Instant,
    included: bool,
}

impl Serialize for Tidspunkt {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("tidsstempeldatotid", &time::registrering(self.at))?;
        if self.included {
            map.serialize_entry("graenseindikator", &true)?;
        }
        map.end()
    }
}

impl Serialize for Of<'_, Registrering> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Of(kind, r) = *self;
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("fratidspunkt", &Tidspunkt { at: r.registered.from(), included: true })?;
        map.serialize_entry("tiltidspunkt", &Tidspunkt { at: r.registered.to(), included: false })?;
        map.serialize_entry("livscykluskode", r.livscykluskode.name())?;
        map.serialize_entry("brugerref", &r.brugerref)?;
        if let Some(note) = r.note.as_ref().filter(|note| !note.is_empty()) {
            map.serialize_entry("note", note)?;
        }
        let Indhold { attributter, tilstande, relationer } = &r.indhold;
        if !attributter.is_empty() {
            map.serialize_entry("attributter", &BTreeMap::from([(kind.egenskaber(), every(kind, attributter))]))?;
        }
        if !tilstande.is_empty() {
            map.serialize_entry("tilstande", &BTreeMap::from([(kind.publiceret(), every(kind, tilstande))]))?;
        }
        if !relationer.is_empty() {
            let relationer: BTreeMap<_, _> = relationer.iter().map(|(name, list)| (*name, every(kind, list))).collect();
            map.serialize_entry("relationer", &relationer)?;
        }
        map.end()
    }
}

fn every<T>(kind: Kind, list: &[T]) -> Vec<Of<'_, T>> {
    list.iter().map(|element| Of(kind, element)).collect()
}

impl Serialize for Of<'_, Egenskab> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Of(kind, e) = *self;
        let mut map = to.serialize_map(None)?;
        for name in kind.fields() {
            if let Some(text) = e.fields.get(name).filter(|text| !text.is_empty()) {
                map.serialize_entry(name, text)?;
            }
        }
        if !e.soegeord.is_empty() {
            map.serialize_entry("soegeord", &e.soegeord)?;
        }
        map.serialize_entry("virkning", &e.virkning)?;
        map.end()
    }
}

impl Serialize for Of<'_, Tilstand> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("publiceret", self.1.publiceret.name())?;
        map.serialize_entry("virkning", &self.1.virkning)?;
        map.end()
    }
}

impl Serialize for Of<'_, Relation> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let r = self.1;
        let mut map = to.serialize_map(None)?;
        match &r.til {
            Reference::Uuid(uuid) => map.serialize_entry("uuid", uuid)?,
            Reference::Urn(urn) => map.serialize_entry("urn", urn)?,
        }
        if let Some(objekttype) = r.objekttype.as_ref().filter(|o| !o.is_empty()) {
            map.serialize_entry("objekttype", objekttype)?;
        }
        map.serialize_entry("virkning", &r.virkning)?;
        map.end()
    }
}

impl Serialize for Virkning {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("from", &time::virkning(self.period.from()))?;
        map.serialize_entry("to", &time::virkning(self.period.to()))?;
        map.serialize_entry("from_included", &true)?;
        map.serialize_entry("to_included", &false)?;
        if let Some(aktoerref) = self.aktoerref {
            map.serialize_entry("aktoerref", &aktoerref)?;
        }
        if let Some(kode) = self.aktoertypekode {
            map.serialize_entry("aktoertypekode", &kode)?;
        }
        if let Some(note) = self.notetekst.as_ref().filter(|note| !note.is_empty()) {
            map.serialize_entry("notetekst", note)?;
        }
        map.end()
    }
}
