//! OIO Klassifikation: the registry's objects as klassifikation, facet and klasse, with registreringer and virkninger.
//!
//! A registrering is an instant at which some state of the object was registered. Of a klasse those are the instants of
//! its concept's states (and of frames that give every klasse another owner or facet), of a klassifikation those of its
//! frames and versions, of a facet those at which its frame says something else of it. Everything comes from the
//! snapshot: there is no second store. What each part of a registrering is on our states is told in docs/oio.md.

mod objects;
mod search;
mod write;

use std::sync::Arc;

use uuid::Uuid;

pub use search::{Criterion, Pattern, Search};
pub use write::{Order, Written, etag};

use self::objects::{Line, facets_of};
use super::Registry;
use crate::exchange::oio::{Kind, Livscykluskode, Objekt, part::Framed};
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
        let found = object(&self.snapshot(), kind, uuid, window).ok_or_else(|| {
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
        let planes = Framing::default();
        Ok(uuids.iter().filter_map(|uuid| planes.object(&snapshot, kind, *uuid, window)).collect())
    }

    /// Søg: the uuids of the objects that have all of what is searched for in one registrering.
    #[must_use]
    pub fn oio_search(&self, kind: Kind, search: &Search) -> Found {
        search::run(&self.snapshot(), kind, search)
    }
}

/// Whether an object is, or was, in a vocabulary.
fn has(plane: &Plane, kind: Kind, uuid: Uuid) -> bool {
    match kind {
        Kind::Klassifikation => plane.vocabulary().uuid() == uuid,
        Kind::Facet => facets_of(plane).contains(&uuid),
        Kind::Klasse => !plane.kept(uuid).is_empty(),
    }
}

/// An object, as far as the window shows it.
fn object(snapshot: &Snapshot, kind: Kind, uuid: Uuid, window: &Window) -> Option<Objekt> {
    Framing::default().object(snapshot, kind, uuid, window)
}

/// The vocabularies as OIO sees them, each made once for a request.
#[derive(Default)]
struct Framing(std::cell::RefCell<std::collections::HashMap<Uuid, Arc<Frames>>>);

impl Framing {
    fn of(&self, plane: &Plane) -> Arc<Frames> {
        let mut known = self.0.borrow_mut();
        known.entry(plane.vocabulary().uuid()).or_insert_with(|| Arc::new(Frames::of(plane))).clone()
    }

    fn object(&self, snapshot: &Snapshot, kind: Kind, uuid: Uuid, window: &Window) -> Option<Objekt> {
        let plane = snapshot.planes().iter().find(|plane| has(plane, kind, uuid))?;
        let frames = self.of(plane);
        let line = Line::of(plane, &frames, kind, uuid);
        let registreringer = line.registreringer(window);
        (!registreringer.is_empty()).then_some(Objekt { kind, uuid, registreringer })
    }
}

/// The frames of a vocabulary as OIO sees them, each from when it was registered.
struct Frames {
    all: Vec<(Instant, Framed)>,
    /// When every klasse was given something else.
    giving: Vec<Instant>,
}

impl Frames {
    fn of(plane: &Plane) -> Self {
        let all: Vec<(Instant, Framed)> = plane.told().frames().map(|(at, frame)| (at, Framed::of(frame))).collect();
        let others = all.windows(2).filter(|w| !w[0].1.gives_as(&w[1].1));
        Self { giving: others.map(|w| w[1].0).collect(), all }
    }

    /// The frame as it was said at an instant; the first one before that.
    fn at(&self, registered: Instant) -> Option<&Framed> {
        let known = self.all.partition_point(|(at, _)| *at <= registered);
        self.all.get(known.saturating_sub(1)).map(|(_, framed)| framed)
    }
}
