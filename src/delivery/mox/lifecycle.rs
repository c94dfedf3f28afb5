//! The livscykluskode of an object at an event: what the interface says of the registrering that the event tells of.

use uuid::Uuid;

use super::command::Objekttype;
use crate::exchange::oio::Objekt;
use crate::model::{Code, Event, EventType, Governance, Instant};
use crate::projection::Plane;
use crate::registry::Registry;
use crate::registry::oio::{Window, at};

/// What happened to an object when the event was registered: what whoever then reads the object is told. The event of
/// an object of which nothing was registered just then (a facet, when a version is published) is a correction.
pub(super) fn lifecycle(
    registry: &Registry,
    plane: &Plane,
    event: &Event,
    (kind, uuid): (Objekttype, Uuid),
) -> &'static str {
    let window = Window { virkning: at(event.at), registrering: Some(at(event.at)), konsolider: false };
    match registry.oio_read(kind, uuid, &window) {
        Ok(objekt) => match objekt.registreringer.first() {
            Some(one) if one.registered.from() == event.at => one.livscykluskode.name(),
            _ => otherwise(plane, event),
        },
        Err(refusal) if refusal.code == Code::Gone => "Slettet",
        Err(_) => otherwise(plane, event),
    }
}

/// The facets that the event deleted.
pub(super) fn deleted_facets(registry: &Registry, plane: &Plane, event: &Event) -> Vec<Uuid> {
    let window = Window { virkning: at(event.at), registrering: Some(at(event.at)), konsolider: false };
    let gone: Vec<Uuid> = plane.vocabulary().fields().deleted_facets.iter().map(|f| f.uuid).collect();
    let begins = |o: &Objekt| o.registreringer.first().is_some_and(|r| r.registered.from() == event.at);
    let told = registry.oio_list(Objekttype::Facet, &gone, &window).unwrap_or_default();
    told.into_iter().filter(begins).map(|o| o.uuid).collect()
}

/// Of an object that the interface does not show at that moment.
fn otherwise(plane: &Plane, event: &Event) -> &'static str {
    match event.r#type {
        EventType::VocabularyCreated if is_imported(plane, event.at) => "Importeret",
        EventType::VocabularyCreated => "Opstaaet",
        _ => "Rettet",
    }
}

/// Whether what was registered at an instant came from a file, or from an outside authority.
fn is_imported(plane: &Plane, at: Instant) -> bool {
    plane.versions().iter().any(|v| v.registered == at && v.manifest.source.is_some())
        || plane.vocabulary().fields().governance == Governance::Mirror
}
