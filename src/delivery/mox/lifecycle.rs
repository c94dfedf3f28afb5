//! The livscykluskode of an object at an event: what the interface says of the registrering that the event tells of.

use crate::model::{Event, EventType, Governance, Instant};
use crate::projection::Plane;

use super::command::Objekttype;

/// What happened to an object when the event was registered.
pub(super) fn lifecycle(plane: &Plane, event: &Event, objekttype: Objekttype) -> &'static str {
    let at = event.at;
    if objekttype != Objekttype::Klasse {
        return match event.r#type {
            EventType::VocabularyCreated if is_imported(plane, at) => "Importeret",
            EventType::VocabularyCreated => "Opstaaet",
            _ => "Rettet",
        };
    }
    let sayings = plane.sayings(event.subject);
    let is_said = |at: Instant| sayings.iter().any(|s| s.state.registered().contains(at));
    if !is_said(at) {
        return "Slettet";
    }
    let was_ever = sayings.iter().any(|s| s.state.registered().from() < at);
    if was_ever {
        // What was said up to the moment itself; nothing when it had been given up.
        let was_said = sayings.iter().map(|s| s.state.registered()).any(|r| r.from() < at && r.to() >= at);
        return if was_said { "Rettet" } else { "Importeret" };
    }
    if is_imported(plane, at) { "Importeret" } else { "Opstaaet" }
}

/// Whether what was registered at an instant came from a file, or from an outside authority.
fn is_imported(plane: &Plane, at: Instant) -> bool {
    plane.versions().iter().any(|v| v.registered == at && v.manifest.source.is_some())
        || plane.vocabulary().fields().governance == Governance::Mirror
}
