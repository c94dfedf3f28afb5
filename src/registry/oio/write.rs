//! Opret, Importer, Ret, Passiver and Slet: one object, one registration, one transaction.
//!
//! A command goes the way of all others: the writers' lock, what there is under it, the right, the plan, the facts with
//! their row in the log, the commit. Written is only where the governance of the vocabulary is `direct`. A klasse's
//! periods become one act on its concept; those of a klassifikation and a facet are kept in the frame, which has no valid
//! time. No version names what is registered so: it lies between versions, until one is published over it.

mod checks;
mod frames;

use std::sync::Arc;

use uuid::Uuid;

use super::made::Made;
use super::objects::Line;
use super::{Registry, home};
use crate::exchange::oio::apply::{Into, Known};
use crate::exchange::oio::incoming::Given;
use crate::exchange::oio::merge::{sections, update, whole};
use crate::exchange::oio::part::Framed;
use crate::exchange::oio::{Indhold, Kind, Livscykluskode, Reference};
use crate::model::{
    Code, Content, Governance, Instant, OioRegistration, Period, Place, Refusal, Result, State, Timeline, Vocabulary,
    new_uuid,
};
use crate::projection::{Plane, Saying, Snapshot};
use crate::registry::permission::{Actor, Command, permit};
use crate::registry::work::Precondition;
use crate::store::{Act, Write};

/// The distance between the ranks of neighbours.
const SPACE: i64 = 1 << 16;

/// What is to be done with an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Order {
    /// Opret: a new object with a new uuid.
    Opret(Given),
    /// Importer: an object of this uuid, whole.
    Importer(Uuid, Given),
    /// Ret or, where the object says so, Passiver.
    Ret(Uuid, Given),
    /// Slet, with a note.
    Slet(Uuid, Option<String>),
}

/// What came of an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// The object.
    pub uuid: Uuid,
    /// When its current registrering was registered.
    pub registered: Option<Instant>,
}

/// How far the life of an object has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Life {
    Absent,
    Active,
    Passive,
    Deleted,
}

/// An object as it is under the lock.
struct There {
    life: Life,
    /// When its current registrering was registered.
    registered: Option<Instant>,
}

/// What an order registers.
struct Registering {
    life: Livscykluskode,
    note: Option<String>,
}

impl Registry {
    /// Carries out an order on an object of a kind.
    ///
    /// # Errors
    /// [`Code::NotSignedIn`], [`Code::NotAllowed`], [`Code::Governance`] where a hearing, a committee or somebody else
    /// rules; [`Code::NotFound`]; [`Code::Conflict`] when the object is another than the caller read, with the present
    /// entity tag; [`Code::InvalidBody`] and what the model refuses. Nothing is changed then.
    pub async fn oio_write(&self, actor: &Actor, kind: Kind, order: Order, made_of: &Precondition) -> Result<Written> {
        let (mut write, _) = self.lock(actor).await?;
        let head = write.facts().head().await?;
        // Nobody else writes now: what readings have is what there is.
        self.reach(head.seq).await?;
        let snapshot = self.snapshot();
        let uuid = match &order {
            Order::Opret(_) => new_uuid(self.dice())?,
            Order::Importer(uuid, _) | Order::Ret(uuid, _) | Order::Slet(uuid, _) => *uuid,
        };
        let found = home(&snapshot, &self.oio, kind, uuid);
        let there = match &found {
            Some((plane, made)) => There::of(plane, made, kind, uuid),
            None => There { life: Life::Absent, registered: None },
        };
        let plane = found.map(|(plane, _)| plane);
        if there.life == Life::Absent && matches!(order, Order::Ret(..) | Order::Slet(..)) {
            return Err(absent(kind, uuid, matches!(order, Order::Slet(..))));
        }
        there.meets(made_of)?;
        if there.life == Life::Absent
            && Kind::ALL.iter().any(|other| home(&snapshot, &self.oio, *other, uuid).is_some())
        {
            let (da, en) = (format!("{uuid} er noget andet"), format!("{uuid} is something else"));
            return Err(Refusal::new(Code::Exists, da, en).at(Place::field("uuid")));
        }
        let registering = registering(kind, uuid, &order, there.life)?;
        let desk = Desk { registry: self, actor, snapshot: &snapshot, uuid, there: &there };
        let done = match kind {
            Kind::Klasse => desk.klasse(&mut write, plane, order, registering).await?,
            Kind::Facet => desk.facet(&mut write, plane, order, registering).await?,
            Kind::Klassifikation => desk.klassifikation(&mut write, plane, order, registering).await?,
        };
        let registered = if done { Some(write.at()) } else { there.registered };
        if done {
            self.settle(write).await?;
        }
        Ok(Written { uuid, registered })
    }
}

/// What an order does to the life of an object, if it may.
fn registering(kind: Kind, uuid: Uuid, order: &Order, life: Life) -> Result<Registering> {
    let illegal = |to: &str| {
        let name = kind.name();
        let now = if life == Life::Deleted { "slettet" } else { "passiveret" };
        Refusal::new(
            Code::InvalidBody,
            format!("objektet er {now} og kan kun importeres igen"),
            format!("Error updating {name} with uuid [{uuid}], Invalid [livscyklus] transition to [{to}]"),
        )
        .allowed(["PUT (Importer)"])
    };
    let (to, note) = match order {
        Order::Opret(given) => (Livscykluskode::Opstaaet, &given.note),
        Order::Importer(_, given) if life == Life::Active => (Livscykluskode::Rettet, &given.note),
        Order::Importer(_, given) => (Livscykluskode::Importeret, &given.note),
        Order::Ret(_, given) if given.passiv => (Livscykluskode::Passiveret, &given.note),
        Order::Ret(_, given) => (Livscykluskode::Rettet, &given.note),
        Order::Slet(_, note) => (Livscykluskode::Slettet, note),
    };
    if matches!(order, Order::Ret(..)) && life != Life::Active {
        return Err(illegal(to.name()));
    }
    Ok(Registering { life: to, note: note.clone() })
}

/// An order being carried out.
struct Desk<'a> {
    registry: &'a Registry,
    actor: &'a Actor,
    snapshot: &'a Arc<Snapshot>,
    uuid: Uuid,
    there: &'a There,
}

/// What is said over a period; nothing when the concept is not in force.
type Part = (Period, Option<Arc<Content>>);

impl Desk<'_> {
    /// What is made of a vocabulary.
    fn made(&self, plane: &Arc<Plane>) -> Arc<Made> {
        self.registry.oio.of(plane)
    }

    /// Whether the actor may write in a vocabulary.
    fn permit(&self, command: Command, vocabulary: &Vocabulary) -> Result<()> {
        let (slug, url) = (vocabulary.slug(), &self.registry.settings.public_url);
        let (da, en) = match vocabulary.fields().governance {
            Governance::Direct => return permit(self.actor, command, Some(vocabulary)),
            Governance::Hearing => {
                ("udgives kun efter høring og beslutning", "is published only after a hearing and a decision")
            }
            Governance::Committee => {
                ("udgives kun efter beslutning i et udvalg", "is published only after a decision of a committee")
            }
            Governance::Mirror => {
                ("vedligeholdes af en anden myndighed", "is kept by another authority, whose editions are imported")
            }
        };
        let drafts = format!("{url}/api/v1/drafts");
        Err(Refusal::new(
            Code::Governance,
            format!("ordforrådet {slug} {da}; foreslå ændringen som en kladde: {drafts}"),
            format!("the vocabulary {slug} {en}; propose the change as a draft: {drafts}"),
        )
        .allowed([drafts]))
    }

    /// Writes a klasse. Whether anything was written.
    async fn klasse(
        &self,
        write: &mut Write,
        plane: Option<&Arc<Plane>>,
        order: Order,
        registering: Registering,
    ) -> Result<bool> {
        let new = match &order {
            Order::Opret(given) | Order::Importer(_, given) if self.there.life == Life::Absent => {
                Some(whole(Kind::Klasse, given.clone())?)
            }
            _ => None,
        };
        let plane = match (plane, &new) {
            (Some(plane), _) => plane,
            (None, Some(new)) => self.home(new)?,
            (None, None) => return Err(absent(Kind::Klasse, self.uuid, false)),
        };
        let vocabulary = plane.vocabulary();
        self.permit(Command::Publish, vocabulary)?;
        let made = self.made(plane);
        let framed = &*made.now;
        let all = plane.kept(self.uuid);
        let base = last_said(&all);
        let old = said(framed, self.uuid, &base);
        let revived = matches!(self.there.life, Life::Passive | Life::Deleted);
        let parts = match order {
            Order::Slet(..) if self.there.life == Life::Deleted => return Ok(false),
            Order::Slet(..) => base.iter().map(|s| (s.state.valid(), None)).collect(),
            Order::Ret(_, given) if given.passiv => Vec::new(),
            Order::Ret(_, given) => self.parts(plane, framed, &base, &update(Kind::Klasse, old, given)?)?,
            Order::Importer(_, given) if revived => {
                whole(Kind::Klasse, given.clone())?;
                let mut parts = self.parts(plane, framed, &base, &update(Kind::Klasse, old, given)?)?;
                if parts.is_empty() {
                    // It is taken up again as it was.
                    let same = base.iter().map(|s| (s.state.valid(), Some(Arc::new(s.state.content().content()))));
                    parts.extend(same);
                }
                parts
            }
            Order::Opret(given) | Order::Importer(_, given) => {
                let new = new.map_or_else(|| whole(Kind::Klasse, given), Ok)?;
                self.parts(plane, framed, &base, &new)?
            }
        };
        if parts.is_empty() && registering.life != Livscykluskode::Passiveret {
            return Ok(false);
        }
        let below = checks::Below::of(plane, self.uuid);
        for (period, content) in &parts {
            if let Some(content) = content {
                checks::unique(plane, self.uuid, *period, content)?;
                checks::hierarchy(plane, &below, *period, content)?;
            }
        }
        self.lay_down(write, vocabulary.uuid(), &all, &parts, registering).await?;
        Ok(true)
    }

    /// The vocabulary that a new klasse belongs to: its facet's, else its superordinate klasse's.
    fn home(&self, new: &Indhold) -> Result<&Arc<Plane>> {
        let targets = |name: &str| {
            let uuids = new.relationer.get(name).into_iter().flatten().filter_map(|r| match &r.til {
                Reference::Uuid(uuid) => Some(*uuid),
                Reference::Urn(_) => None,
            });
            uuids.collect::<Vec<Uuid>>()
        };
        let planes = self.snapshot.planes();
        if let Some(&facet) = targets("facet").first() {
            let home = planes.iter().find(|p| self.made(p).now.has_facet(facet));
            return home.ok_or_else(|| {
                let (da, en) = (format!("facetten {facet} findes ikke"), format!("there is no facet {facet}"));
                Refusal::new(Code::UnknownTarget, da, en).at(Place::field("relationer.facet"))
            });
        }
        let parents = targets("overordnetklasse");
        let home = planes.iter().find(|p| parents.iter().any(|parent| !p.kept(*parent).is_empty()));
        home.ok_or_else(|| {
            let (da, en) = ("en ny klasse hører til en facet", "a new klasse belongs to a facet");
            Refusal::new(Code::InvalidBody, da, en).at(Place::field("relationer.facet")).allowed(["relationer.facet"])
        })
    }

    /// What is to be said of which period, where that is something else than what is said.
    fn parts(&self, plane: &Arc<Plane>, framed: &Framed, base: &[&Arc<Saying>], new: &Indhold) -> Result<Vec<Part>> {
        let known = |uuid: Uuid| match uuid == self.uuid || !plane.kept(uuid).is_empty() {
            true => Known::Here,
            false if self.snapshot.planes().iter().any(|p| !p.kept(uuid).is_empty()) => Known::Elsewhere,
            false => Known::Nowhere,
        };
        let language = plane.vocabulary().default_language().clone();
        let into = Into { framed, uuid: self.uuid, language: &language, known: &known };
        let gone = self.there.life == Life::Deleted;
        let contents: Vec<(Period, Content)> =
            base.iter().map(|s| (s.state.valid(), s.state.content().content())).collect();
        let rank = contents.first().map_or_else(|| next_rank(plane), |(_, c)| c.fields().rank);
        let mut parts: Vec<Part> = Vec::new();
        let mut kept = false;
        for (period, section) in sections(new, contents.iter().map(|(valid, _)| *valid)) {
            let was = contents.iter().find(|(valid, _)| valid.contains(period.from())).map(|(_, c)| c);
            let is = match into.content(was.map(Content::fields), &section, period)? {
                Some(mut fields) => {
                    fields.rank = fields.rank.or(rank);
                    Some(Content::new(fields)?)
                }
                None => None,
            };
            kept |= is.is_some();
            if is.as_ref() == was.filter(|_| !gone) {
                continue;
            }
            match parts.last_mut() {
                // Neighbours that say the same are one.
                Some((before, content)) if before.to() == period.from() && content.as_deref() == is.as_ref() => {
                    *before = Period::new(before.from(), period.to())?;
                }
                _ => parts.push((period, is.map(Arc::new))),
            }
        }
        if !kept {
            let (da, en) =
                ("der bliver intet tilbage af objektet; brug DELETE", "nothing is left of the object; use DELETE");
            return Err(Refusal::new(Code::InvalidBody, da, en).allowed(["DELETE (Slet)"]));
        }
        Ok(parts)
    }

    async fn lay_down(
        &self,
        write: &mut Write,
        vocabulary: Uuid,
        all: &[&Arc<Saying>],
        parts: &[Part],
        registering: Registering,
    ) -> Result<()> {
        let mut contents = std::collections::HashMap::new();
        let states: Vec<State<Arc<Content>>> = all
            .iter()
            .map(|s| {
                let said = s.state.content();
                let content: &mut Arc<Content> =
                    contents.entry(said.digest).or_insert_with(|| Arc::new(said.content()));
                State::new(s.state.registered(), s.state.valid(), content.clone())
            })
            .collect();
        if states.is_empty() {
            write.create_concepts(vocabulary, &[self.uuid]).await?;
        }
        let line = Timeline::from_states(states)?;
        let revision = line.plan_all(write.at(), parts)?;
        let oio = OioRegistration { livscykluskode: registering.life.name().to_owned(), note: registering.note };
        let (concept, states, oio) = (self.uuid, line.states(), Some(&oio));
        let act = Act { concept, parts, oio, meaning: None, states, revision: &revision };
        write.act(vocabulary, &[act]).await
    }
}

impl There {
    fn of(plane: &Plane, made: &Made, kind: Kind, uuid: Uuid) -> Self {
        let line = Line::of(plane, &made.frames, kind, uuid);
        let last = line.periods().last();
        // What the frame gives to every klasse does not take one up again.
        let passive = kind == Kind::Klasse && plane.passive_since(uuid).is_some();
        let life = match last.map(|(n, period)| line.livscykluskode(n, period.from())) {
            None => Life::Absent,
            Some(Livscykluskode::Slettet) => Life::Deleted,
            _ if passive => Life::Passive,
            Some(Livscykluskode::Passiveret) => Life::Passive,
            Some(_) => Life::Active,
        };
        Self { life, registered: last.map(|(_, period)| period.from()) }
    }

    /// Holds what the caller read against what there is.
    fn meets(&self, made_of: &Precondition) -> Result<()> {
        let failed = |da: &str, en: &str| Err(Refusal::new(Code::PreconditionFailed, da, en));
        let present = self.registered.map(etag);
        let matches = |tag: &String| {
            let of = tag.trim_matches('"').split('-').next();
            !tag.starts_with("W/") && present.as_deref().map(|p| p.trim_matches('"')) == of
        };
        match (made_of, &present) {
            (Precondition::Unsaid, _) | (Precondition::Any, Some(_)) | (Precondition::Absent, None) => Ok(()),
            (Precondition::Any | Precondition::Tags(_), None) => {
                failed("objektet findes ikke", "there is no such object")
            }
            (Precondition::Absent, Some(_)) => failed("objektet findes", "the object exists"),
            (Precondition::Tags(tags), Some(_)) if tags.iter().any(matches) => Ok(()),
            (Precondition::Tags(_), Some(present)) => Err(Refusal::new(
                Code::Conflict,
                "objektet er ændret, siden det blev læst",
                "the object has been changed since it was read",
            )
            .conflict(serde_json::json!({ "etag": present }))),
        }
    }
}

/// The entity tag of a registrering, as `If-Match` may name it; that of Læs goes on with a digest.
#[must_use]
pub fn etag(registered: Instant) -> String {
    format!("\"{:x}\"", registered.micros())
}

/// What is said now; of what is deleted, what was said last.
fn last_said<'p>(all: &[&'p Arc<Saying>]) -> Vec<&'p Arc<Saying>> {
    let last = all.iter().map(|s| s.state.registered().to()).max();
    all.iter().filter(|s| Some(s.state.registered().to()) == last).copied().collect()
}

fn said(framed: &Framed, uuid: Uuid, states: &[&Arc<Saying>]) -> Indhold {
    let mut old = Indhold::default();
    for s in states {
        old += framed.klasse(uuid, s.state.content().content().fields(), s.state.valid());
    }
    old
}

/// The place after all others.
fn next_rank(plane: &Plane) -> Option<i64> {
    let ranks = plane.all_concepts().flat_map(|uuid| plane.kept(uuid)).map(|s| s.state.content().rank);
    Some(ranks.filter(|r| *r != i64::MAX).max().unwrap_or(0).saturating_add(SPACE))
}

fn absent(kind: Kind, uuid: Uuid, deleting: bool) -> Refusal {
    let title = kind.title();
    let of = if deleting { "." } else { " in service Klassifikation" };
    let en = format!("No {title} with ID {uuid} found{of}");
    Refusal::new(Code::NotFound, format!("der er ingen {title} {uuid} i Klassifikation"), en)
}
