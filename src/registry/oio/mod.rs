//! OIO Klassifikation: the registry's objects as klassifikation, facet and klasse, with registreringer and virkninger.
//!
//! A registrering is an instant at which some state of the object was registered. Of a klasse those are the instants of
//! its concept's states (and of frames that give every klasse another owner or facet), of a klassifikation those of its
//! frames and versions, of a facet those at which its frame says something else of it. Everything comes from the
//! snapshot: there is no second store. What each part of a registrering is on our states is told in docs/oio.md.

mod frames;
mod hand;
mod index;
mod made;
mod objects;
mod pattern;
mod search;
mod write;

use std::sync::Arc;

use uuid::Uuid;

pub(in crate::registry) use made::Makings;
pub use pattern::Pattern;
pub use search::{Criterion, Search};
pub use write::{Order, Written, etag};

use self::made::Made;
use self::objects::Line;
use super::Registry;
use crate::exchange::oio::{Kind, Livscykluskode, Objekt};
use crate::model::{Code, Instant, Period, Refusal, Result};
use crate::projection::{Plane, Snapshot};

/// The most whole objects of one answer.
pub const MOST_OBJECTS: usize = 10_000;

/// What is read of each object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// What holds at some time of this period.
    pub virkning: Period,
    /// What was registered at some time of this period; the current registrering when absent.
    pub registrering: Option<Period>,
    /// Whether neighbours that say the same are shown as one.
    pub konsolider: bool,
}

impl Window {
    /// What holds now, as known now.
    #[must_use]
    pub fn now(now: Instant) -> Self {
        Self { virkning: at(now), registrering: None, konsolider: false }
    }

    /// Whether a registrering over a period is in it.
    fn shows(&self, registered: Period) -> bool {
        self.registrering.map_or(registered.is_open(), |asked| asked.overlaps(registered))
    }
}

/// The period of one instant.
#[must_use]
pub fn at(instant: Instant) -> Period {
    let last = Instant::from_micros(Instant::FOREVER.micros() - 1);
    let from = instant.min(last);
    Period::between(from, from.next()).unwrap_or(Period::ALWAYS)
}

/// What a search found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// How many there are on all pages.
    pub total: usize,
    /// Those on this page, by brugervendtnoegle and then uuid.
    pub uuids: Vec<Uuid>,
}

impl Registry {
    /// Læs: one object.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is none in the window; [`Code::Gone`] when it is deleted there.
    pub fn oio_read(&self, kind: Kind, uuid: Uuid, window: &Window) -> Result<Objekt> {
        let found = self.oio_object(&self.snapshot(), kind, uuid, window).ok_or_else(|| {
            let title = kind.title();
            Refusal::new(
                Code::NotFound,
                format!("der er ingen {title} {uuid} i Klassifikation"),
                format!("No {title} with ID {uuid} found in service Klassifikation"),
            )
        })?;
        match found.registreringer.first().map(|r| r.livscykluskode) {
            Some(Livscykluskode::Slettet) => {
                Err(Refusal::new(Code::Gone, "objektet er slettet", "This object has been deleted."))
            }
            _ => Ok(found),
        }
    }

    /// List: the objects of some uuids, in their order; those that are not there are left out.
    ///
    /// # Errors
    /// [`Code::TooLarge`] for more than [`MOST_OBJECTS`].
    pub fn oio_list(&self, kind: Kind, uuids: &[Uuid], window: &Window) -> Result<Vec<Objekt>> {
        if uuids.len() > MOST_OBJECTS {
            return Err(Refusal::new(
                Code::TooLarge,
                format!("{} hele objekter er for mange; hent dem i flere sider", uuids.len()),
                format!("{} whole objects are too many for one answer; use maximalantalresultater", uuids.len()),
            )
            .allowed([format!("maximalantalresultater=1..{MOST_OBJECTS}")]));
        }
        let snapshot = self.snapshot();
        Ok(uuids.iter().filter_map(|uuid| self.oio_object(&snapshot, kind, *uuid, window)).collect())
    }

    /// Søg: the uuids of the objects that have all of what is searched for in one registrering.
    #[must_use]
    pub fn oio_search(&self, kind: Kind, search: &Search) -> Found {
        search::run(&self.snapshot(), &self.oio, kind, search)
    }

    /// An object, as far as the window shows it.
    fn oio_object(&self, snapshot: &Snapshot, kind: Kind, uuid: Uuid, window: &Window) -> Option<Objekt> {
        let (plane, made) = home(snapshot, &self.oio, kind, uuid)?;
        let registreringer = Line::of(plane, &made.frames, kind, uuid).registreringer(window);
        (!registreringer.is_empty()).then_some(Objekt { kind, uuid, registreringer })
    }
}

/// The vocabulary that an object is, or was, in, with what is made of it.
fn home<'s>(snapshot: &'s Snapshot, makings: &Makings, kind: Kind, uuid: Uuid) -> Option<(&'s Arc<Plane>, Arc<Made>)> {
    let mut planes = snapshot.planes().iter();
    match kind {
        Kind::Klassifikation => snapshot.by_uuid(uuid).map(|plane| (plane, makings.of(plane))),
        Kind::Klasse => {
            let plane = planes.find(|plane| plane.everything(uuid).next().is_some())?;
            Some((plane, makings.of(plane)))
        }
        Kind::Facet => planes.find_map(|plane| {
            let made = makings.of(plane);
            made.frames.facets().contains(&uuid).then_some((plane, made))
        }),
    }
}
