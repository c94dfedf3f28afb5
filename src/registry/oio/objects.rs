//! From states, frames and versions to registreringer.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use super::Window;
use super::frames::Frames;
use crate::exchange::oio::{ANONYMOUS, Indhold, Kind, Livscykluskode, Registrering, part::Framed};
use crate::model::{Governance, Instant, Period, Version};
use crate::projection::{OwnWords, Plane, Saying};

/// The registreringer of an object, before anything is made of them.
pub(super) struct Line<'p> {
    plane: &'p Plane,
    frames: &'p Frames,
    kind: Kind,
    uuid: Uuid,
    /// Of a klasse, everything that was said of it.
    sayings: Vec<&'p Arc<Saying>>,
    /// When each begins, in order; each ends where the next begins.
    begins: Vec<Instant>,
}

impl<'p> Line<'p> {
    /// Those of an object.
    pub(super) fn of(plane: &'p Plane, frames: &'p Frames, kind: Kind, uuid: Uuid) -> Self {
        let sayings = if kind == Kind::Klasse { plane.kept(uuid) } else { Vec::new() };
        let mut line = Self { plane, frames, kind, uuid, sayings, begins: Vec::new() };
        line.begins = match kind {
            Kind::Klasse => line.of_states(),
            Kind::Klassifikation | Kind::Facet => line.of_frames(),
        };
        line
    }

    fn of_states(&self) -> Vec<Instant> {
        let edges = self.sayings.iter().flat_map(|s| [s.state.registered().from(), s.state.registered().to()]);
        let mut begins: Vec<Instant> = edges.filter(|at| at.is_finite()).collect();
        begins.extend(self.plane.told().own(self.uuid).iter().map(|(at, _)| *at));
        if let Some(first) = begins.iter().min().copied() {
            let later = self.frames.giving().filter(|(at, ..)| *at > first);
            begins.extend(later.filter(|given| self.gets_otherwise(given)).map(|(at, ..)| at));
        }
        begins.sort_unstable();
        begins.dedup();
        begins
    }

    /// Whether a frame gives the klasse something else than the one before: another owner, or another facet.
    fn gets_otherwise(&self, (at, before, now): &(Instant, &Framed, &Framed)) -> bool {
        let said = self.sayings.iter().filter(|s| s.state.registered().contains(*at));
        let mut codes = said.map(|s| s.state.content().facet.as_deref());
        codes.any(|code| before.owner() != now.owner() || before.facet(code) != now.facet(code))
    }

    /// The instants of frames at which something else is said of it; of a klassifikation those of versions too, as long
    /// as it is not deleted.
    fn of_frames(&self) -> Vec<Instant> {
        let versions = self.plane.versions().iter().map(|v| v.registered);
        let all: BTreeSet<Instant> = self.frames.instants().chain(versions.clone()).collect();
        let versions: BTreeSet<Instant> =
            if self.kind == Kind::Klassifikation { versions.collect() } else { BTreeSet::new() };
        let own: BTreeSet<Instant> = self.plane.told().own(self.uuid).iter().map(|(at, _)| *at).collect();
        let is_deleted = |at| self.frames.at(at).is_some_and(Framed::is_deleted);
        let mut said = None;
        let another = |at: &Instant| {
            let now = self.framed(*at);
            let differs = now != said;
            said = now;
            differs || own.contains(at) || (versions.contains(at) && !is_deleted(*at))
        };
        all.into_iter().filter(another).collect()
    }

    /// The registreringer that the window shows, newest first, with what they say in it.
    pub(super) fn registreringer(&self, window: &Window) -> Vec<Registrering> {
        let shown = self.periods().filter(|(_, registered)| window.shows(*registered));
        let mut all: Vec<Registrering> = shown.map(|(n, registered)| self.whole(n, registered, window)).collect();
        all.reverse();
        all
    }

    /// The number and the period of each registrering, oldest first.
    pub(super) fn periods(&self) -> impl Iterator<Item = (usize, Period)> + '_ {
        let ends = self.begins.iter().skip(1).copied().chain([Instant::FOREVER]);
        let periods = self.begins.iter().zip(ends).enumerate();
        periods.filter_map(|(n, (from, to))| Some((n, Period::between(*from, to)?)))
    }

    fn whole(&self, n: usize, registered: Period, window: &Window) -> Registrering {
        let at = registered.from();
        let mut indhold = match window.konsolider {
            true => self.indhold(at, Period::ALWAYS).consolidated().within(window.virkning),
            false => self.indhold(at, window.virkning),
        };
        indhold.sort(self.kind);
        Registrering {
            registered,
            livscykluskode: self.livscykluskode(n, at),
            brugerref: self.brugerref(at),
            note: self.note(at),
            indhold,
        }
    }

    /// What is said at an instant of registered time of what holds at some time of a period.
    pub(super) fn indhold(&self, at: Instant, virkning: Period) -> Indhold {
        let mut indhold = Indhold::default();
        match self.kind {
            Kind::Klasse => {
                for saying in self.sayings(at).into_iter().filter(|s| s.state.valid().overlaps(virkning)) {
                    indhold += self.klasse(at, saying);
                }
            }
            Kind::Klassifikation | Kind::Facet => {
                // What is deleted tells what it said last.
                let said = self.framed(at).or_else(|| self.last_framed(at));
                indhold = said.unwrap_or_default().within(virkning);
            }
        }
        indhold
    }

    /// What one state says at an instant of registered time.
    pub(super) fn klasse(&self, at: Instant, saying: &Saying) -> Indhold {
        let content = saying.state.content().content();
        let framed = self.frames.at(at);
        framed.map(|f| f.klasse(self.uuid, content.fields(), saying.state.valid())).unwrap_or_default()
    }

    /// The states that hold at an instant of registered time; of what is deleted, those that held last.
    pub(super) fn sayings(&self, at: Instant) -> Vec<&'p Arc<Saying>> {
        let all = &self.sayings;
        let said: Vec<_> = all.iter().copied().filter(|s| s.state.registered().contains(at)).collect();
        if !said.is_empty() {
            return said;
        }
        let ended = || all.iter().copied().filter(|s| s.state.registered().to() <= at);
        let last = ended().map(|s| s.state.registered().to()).max();
        ended().filter(|s| Some(s.state.registered().to()) == last).collect()
    }

    /// The frame at an instant of registered time.
    pub(super) fn frame(&self, at: Instant) -> Option<&'p Framed> {
        self.frames.at(at)
    }

    /// What the frame says of the klassifikation or the facet at an instant of registered time.
    fn framed(&self, at: Instant) -> Option<Indhold> {
        let known = self.plane.versions().iter().filter(|v| v.registered <= at);
        self.frames.at(at)?.object(self.kind, self.uuid, known.map(|v| v.effective).min())
    }

    fn last_framed(&self, at: Instant) -> Option<Indhold> {
        self.frames.instants().rev().filter(|from| *from <= at).find_map(|from| self.framed(from))
    }

    /// Whether something is said at an instant of registered time.
    fn is_said(&self, at: Instant) -> bool {
        match self.kind {
            Kind::Klasse => self.sayings.iter().any(|s| s.state.registered().contains(at)),
            Kind::Klassifikation | Kind::Facet => self.framed(at).is_some(),
        }
    }

    /// What happened at the registrering of a number, that began at an instant.
    pub(super) fn livscykluskode(&self, n: usize, at: Instant) -> Livscykluskode {
        let before = n.checked_sub(1).and_then(|n| self.begins.get(n));
        match (self.own_code(at), before) {
            (Some(code), _) => code,
            _ if !self.is_said(at) => Livscykluskode::Slettet,
            (None, None) if self.is_imported(at) => Livscykluskode::Importeret,
            (None, None) => Livscykluskode::Opstaaet,
            (None, Some(before)) if self.was_deleted(*before) => Livscykluskode::Importeret,
            (None, Some(_)) => Livscykluskode::Rettet,
        }
    }

    fn own_code(&self, at: Instant) -> Option<Livscykluskode> {
        self.own(at).and_then(|w| Livscykluskode::ALL.into_iter().find(|l| l.name() == w.livscykluskode))
    }

    /// Whether it was deleted at the registrering that began at an instant. A klassifikation that OIO deleted is still a
    /// vocabulary.
    fn was_deleted(&self, at: Instant) -> bool {
        !self.is_said(at) || self.own_code(at) == Some(Livscykluskode::Slettet)
    }

    /// Whether what was registered at an instant came from a file, or from an outside authority.
    fn is_imported(&self, at: Instant) -> bool {
        let from_file = self.versions_at(at).any(|v| v.manifest.source.is_some());
        from_file || self.plane.vocabulary().fields().governance == Governance::Mirror
    }

    /// Who registered what was registered at an instant: an account, else [`ANONYMOUS`].
    pub(super) fn brugerref(&self, at: Instant) -> Uuid {
        let actor = self.plane.told().actor(at).and_then(|name| name.strip_prefix("account:"));
        actor.and_then(|uuid| Uuid::try_parse(uuid).ok()).unwrap_or(ANONYMOUS)
    }

    /// Why: the note of the registration itself, else the versions that were published with it.
    pub(super) fn note(&self, at: Instant) -> Option<String> {
        if let Some(words) = self.own(at) {
            return words.note.clone();
        }
        let of = |v: &Arc<Version>| match &v.decision {
            Some(decision) => format!("Version {}: {decision}", v.label),
            None => format!("Version {}", v.label),
        };
        let notes: Vec<String> = self.versions_at(at).map(of).collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }

    fn own(&self, at: Instant) -> Option<&'p OwnWords> {
        self.plane.told().own(self.uuid).iter().find(|(own, _)| *own == at).map(|(_, words)| words)
    }

    fn versions_at(&self, at: Instant) -> impl Iterator<Item = &'p Arc<Version>> {
        self.plane.versions().iter().filter(move |v| v.registered == at)
    }
}
