//! A draft laid open: what it says of every concept, and what differs between its moments.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

use super::super::Registry;
use super::super::permission::{Actor, Command, permit};
use crate::model::{
    Code, ConceptChange, Content, ContentFields, Place, Point, Refusal, RelationKind, Result, Side, Version, diff,
};
use crate::projection::{Edition, Plane};
use crate::quality::{Finding, Inspection, Weight};
use crate::workflow::{Draft, Hearing, Proposal};

/// A moment of a draft.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// The version below, as it is now.
    Base,
    /// The version in force today.
    InForce,
    /// When the last hearing opened.
    Hearing,
    /// After so many edits.
    Edit(usize),
    /// Now.
    Now,
}

impl FromStr for Moment {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "base" => Ok(Self::Base),
            "in-force" => Ok(Self::InForce),
            "hearing" => Ok(Self::Hearing),
            "now" => Ok(Self::Now),
            _ => text.parse().map(Self::Edit).map_err(|_| {
                let text: String = text.chars().take(80).collect();
                let (da, en) =
                    (format!("»{text}« er ikke et tidspunkt i kladden"), format!("'{text}' is not a moment"));
                Refusal::new(Code::InvalidParameter, da, en).allowed([
                    "base",
                    "in-force",
                    "hearing",
                    "now",
                    "the number of an edit",
                ])
            }),
        }
    }
}

/// The content of a concept on both sides.
pub type Sides = (Option<Arc<Content>>, Option<Arc<Content>>);

/// What differs between two moments, with the content on both sides, ready for a paper.
pub struct Paper {
    /// The draft.
    pub draft: Arc<Draft>,
    /// The typed changes.
    pub changes: Vec<ConceptChange>,
    /// The content of each changed concept on both sides.
    pub sides: BTreeMap<Uuid, Sides>,
    /// What every concept that is named there is called.
    pub names: BTreeMap<Uuid, Side>,
}

/// A draft over the edition that it lies over.
pub(super) struct Desk<'d> {
    pub(super) draft: &'d Draft,
    pub(super) plane: Arc<Plane>,
    pub(super) base: Option<Arc<Edition>>,
    pub(super) version: Option<Arc<Version>>,
}

impl Desk<'_> {
    /// What the version below says of a concept.
    pub(super) fn below(&self, concept: Uuid) -> Option<Arc<Content>> {
        let entry = self.base.as_ref()?.get(concept)?;
        Some(Arc::new(entry.said().content()))
    }

    /// What the draft says of a concept.
    pub(super) fn said(&self, concept: Uuid) -> Option<Arc<Content>> {
        match self.draft.proposals().get(&concept) {
            Some(proposal) => proposal.content.clone(),
            None => self.below(concept),
        }
    }

    /// The concept that a key names in the draft: a uuid, a notation, an alias.
    pub(super) fn find(&self, key: &str) -> Option<Uuid> {
        if let Some(uuid) = Uuid::try_parse(key).ok().filter(|u| self.knows(*u)) {
            return Some(uuid);
        }
        let called = |c: &Content| {
            let f = c.fields();
            f.notation.as_deref() == Some(key) || f.aliases.iter().any(|a| a.value == key)
        };
        let proposed = self.draft.proposals().iter().find(|(_, p)| p.content.as_deref().is_some_and(called));
        let below = || {
            let there = self.plane.called(key).iter().copied();
            let mut there = there.filter(|u| self.said(*u).is_some_and(|c| called(&c)));
            there.next()
        };
        let gone = || {
            let retired = |p: &Proposal| p.content.is_none() && p.base.as_deref().is_some_and(called);
            self.draft.proposals().iter().find(|(_, p)| retired(p)).map(|(u, _)| *u)
        };
        proposed.map(|(u, _)| *u).or_else(below).or_else(gone)
    }

    /// Whether the draft or the version below has, or had, a concept.
    fn knows(&self, concept: Uuid) -> bool {
        self.draft.proposals().contains_key(&concept) || self.base.as_ref().is_some_and(|b| b.get(concept).is_some())
    }

    /// The content of a request, with its targets known. Only what is replaced may be out of force.
    ///
    /// # Errors
    /// [`Code::UnknownTarget`], or what [`Content::new`] refuses. `also` are concepts that the same request makes.
    pub(super) fn content(&self, fields: ContentFields<String>, also: &BTreeMap<String, Uuid>) -> Result<Content> {
        let replaced: Vec<String> =
            fields.relations.iter().filter(|r| r.kind == RelationKind::Replaces).map(|r| r.target.clone()).collect();
        let resolve = |key: String| {
            let known = also.get(&key).copied().or_else(|| self.find(&key));
            let former = || {
                let once = replaced.contains(&key).then(|| self.plane.called(&key).first().copied()).flatten();
                let uuid = Uuid::try_parse(&key).ok();
                once.or(uuid.filter(|u| replaced.contains(&key) || !self.plane.sayings(*u).is_empty()))
            };
            known.or_else(former).ok_or_else(|| {
                let (da, en) = (format!("begrebet »{key}« findes ikke"), format!("there is no concept '{key}'"));
                Refusal::new(Code::UnknownTarget, da, en).at(Place::field("relations"))
            })
        };
        Content::new(fields.try_map_targets(resolve)?)
    }

    /// The whole edition that the draft makes: what is below in its order, then what is new.
    pub(super) fn edition(&self) -> Vec<(Uuid, Arc<Content>)> {
        let mut edition = Vec::new();
        for entry in self.base.iter().flat_map(|b| b.entries()) {
            match self.draft.proposals().get(&entry.uuid()) {
                Some(Proposal { content: Some(content), .. }) => edition.push((entry.uuid(), content.clone())),
                Some(_) => {}
                None => edition.push((entry.uuid(), Arc::new(entry.said().content()))),
            }
        }
        let below = |u: &Uuid| self.base.as_ref().is_some_and(|b| b.get(*u).is_some());
        let mut new: Vec<_> = self.draft.proposals().iter().filter(|(u, _)| !below(u)).collect();
        new.sort_by_key(|(_, p)| p.edit);
        edition.extend(new.into_iter().filter_map(|(u, p)| Some((*u, p.content.clone()?))));
        edition
    }

    /// What a concept is called: notation and preferred term.
    pub(super) fn name(&self, concept: Uuid) -> Option<Side> {
        let proposal = self.draft.proposals().get(&concept);
        let content = self.said(concept).or_else(|| proposal.and_then(|p| p.base.clone())).or_else(|| {
            let said = self.plane.sayings(concept).last()?;
            Some(Arc::new(said.state.content().content()))
        })?;
        Some(Side { notation: content.fields().notation.clone(), label: content.label("da").to_owned() })
    }
}

impl Registry {
    /// A draft over the version that it lies over.
    pub(super) fn desk<'d>(&self, draft: &'d Draft) -> Result<Desk<'d>> {
        let plane = self.snapshot().by_uuid(draft.vocabulary).cloned();
        let plane = plane.ok_or_else(|| super::none(draft.vocabulary))?;
        let version = match &draft.base {
            None => None,
            Some(base) => {
                let found = plane.versions().iter().find(|v| v.uuid == base.version).cloned();
                Some(found.ok_or_else(|| super::none(base.version))?)
            }
        };
        let base = version.as_ref().map(|v| self.projections.edition(&plane, v.point()));
        Ok(Desk { draft, plane, base, version })
    }

    /// The version in force today, as known now.
    pub(super) fn in_force(&self, plane: &Plane) -> Option<Arc<Version>> {
        let now = Point { valid: self.projections.today(), registered: crate::model::Instant::FOREVER };
        plane.version_at(now).cloned()
    }

    /// A draft, for one who may read drafts of its vocabulary.
    ///
    /// # Errors
    /// [`Code::NotFound`], [`Code::NotSignedIn`], [`Code::NotAllowed`].
    pub fn draft(&self, actor: &Actor, uuid: Uuid) -> Result<Arc<Draft>> {
        if matches!(actor, Actor::Public) {
            return Err(super::super::permission::not_signed_in());
        }
        let draft = self.matter::<Draft>(uuid)?;
        permit(actor, Command::ReadDrafts, Some(&*self.vocabulary_by(draft.vocabulary)?))?;
        Ok(draft)
    }

    /// What differs between two moments of a draft.
    ///
    /// # Errors
    /// As [`Registry::draft`]; [`Code::NotFound`] for a moment that it does not have.
    pub fn draft_paper(&self, actor: &Actor, uuid: Uuid, from: Moment, to: Moment) -> Result<Paper> {
        let draft = self.draft(actor, uuid)?;
        self.paper(draft, from, to)
    }

    /// What differs between two moments, for whoever was let in.
    pub(super) fn paper(&self, mut draft: Arc<Draft>, from: Moment, to: Moment) -> Result<Paper> {
        // What the clock did since the last step counts: a hearing has opened, and so there is what was heard.
        Arc::make_mut(&mut draft).advance(self.clock.now());
        let desk = self.desk(&draft)?;
        let in_force = self.in_force(&desk.plane).map(|v| self.projections.edition(&desk.plane, v.point()));
        let (before, after) = (self.side(&desk, from)?, self.side(&desk, to)?);
        let mut touched: std::collections::BTreeSet<Uuid> = desk.draft.proposals().keys().copied().collect();
        if [from, to].contains(&Moment::InForce) {
            // Another version may differ anywhere.
            let both = in_force.iter().chain(&desk.base);
            touched.extend(both.flat_map(|e| e.entries().map(|x| x.uuid()).collect::<Vec<_>>()));
        }
        let say = |side: &Held, concept: Uuid| match side {
            Held::Below => desk.draft.proposals().get(&concept).map_or_else(|| desk.below(concept), |p| p.base.clone()),
            Held::Moment(said) => said.get(&concept).cloned().unwrap_or_else(|| desk.below(concept)),
            Held::InForce => {
                let entry = in_force.as_ref().and_then(|e| e.get(concept));
                entry.map(|e| Arc::new(e.said().content()))
            }
        };
        let sides: BTreeMap<_, _> =
            touched.into_iter().map(|u| (u, (say(&before, u), say(&after, u)))).filter(|(_, (a, b))| a != b).collect();
        let pairs: Vec<_> = sides.iter().map(|(u, (a, b))| (*u, a.as_deref(), b.as_deref())).collect();
        // What is said of the meaning is said against the version below, and of no other pair of moments.
        let meanings = match (from, self.edits_at(&desk, to)?) {
            (Moment::Base | Moment::InForce, Some(edits)) => desk.draft.meanings(edits),
            _ => BTreeMap::new(),
        };
        let said = |uuid: Uuid| {
            let before = sides.get(&uuid).and_then(|(before, _)| before.as_ref());
            let base = desk.draft.proposals().get(&uuid).and_then(|p| p.base.as_ref());
            meanings.get(&uuid).copied().filter(|_| before == base)
        };
        let told = |change: ConceptChange| {
            let uuid = change.uuid;
            change.meaning(|| said(uuid))
        };
        let changes: Vec<ConceptChange> = diff(&pairs).into_iter().map(told).collect();
        let named = sides
            .values()
            .flat_map(|(a, b)| a.iter().chain(b))
            .flat_map(|c| c.fields().relations.iter().map(|r| r.target).collect::<Vec<_>>());
        let all = sides.keys().copied().chain(named);
        let names = all.filter_map(|u| Some((u, desk.name(u)?))).collect();
        Ok(Paper { draft: draft.clone(), changes, sides, names })
    }

    fn side(&self, desk: &Desk<'_>, moment: Moment) -> Result<Held> {
        match (self.edits_at(desk, moment)?, moment) {
            (Some(edits), _) => Ok(Held::Moment(desk.draft.moment(edits)?)),
            (None, Moment::InForce) => Ok(Held::InForce),
            (None, _) => Ok(Held::Below),
        }
    }

    /// How many edits the draft had at a moment; nothing at those that are of a version.
    fn edits_at(&self, desk: &Desk<'_>, moment: Moment) -> Result<Option<usize>> {
        let edits = match moment {
            Moment::Base | Moment::InForce => return Ok(None),
            Moment::Now => desk.draft.edits().len(),
            Moment::Edit(number) => number,
            Moment::Hearing => {
                let heard = desk.draft.hearings().iter().rev().filter(|h| !h.is_cancelled()).find_map(snapshot);
                heard.ok_or_else(|| {
                    let (da, en) = ("kladden har ikke været hørt", "the draft has not been heard");
                    Refusal::new(Code::NotFound, da, en)
                })?
            }
        };
        Ok(Some(edits))
    }

    /// What is doubtful about a draft, and what will be refused: of all its concepts, or of those it changes.
    ///
    /// # Errors
    /// As [`Registry::draft`].
    pub fn draft_findings(&self, actor: &Actor, uuid: Uuid, all: bool) -> Result<Vec<Finding>> {
        let draft = self.draft(actor, uuid)?;
        self.findings(&draft, all)
    }

    pub(super) fn findings(&self, draft: &Draft, all: bool) -> Result<Vec<Finding>> {
        let desk = self.desk(draft)?;
        let edition = desk.edition();
        let vocabulary = desk.plane.vocabulary();
        let inspection =
            Inspection { edition: &edition, kind: vocabulary.fields().kind, language: vocabulary.default_language() };
        let changed = |u: &Uuid| all || draft.proposals().get(u).is_some_and(Proposal::differs);
        let mut found = inspection.findings(|_| true);
        // A change is also seen by those around it: what it leaves without a parent, what it now looks like.
        found.retain(|f| f.concept.iter().chain(&f.others).any(changed));
        if let Err(refusal) = self.preview(&desk) {
            found.insert(0, refused(&refusal));
        }
        Ok(found)
    }
}

fn snapshot(hearing: &Hearing) -> Option<usize> {
    hearing.snapshot
}

/// What a publication would refuse.
fn refused(refusal: &Refusal) -> Finding {
    let concept = refusal.place.field.as_deref().and_then(|f| Uuid::try_parse(f).ok());
    let items = if refusal.items.is_empty() { String::new() } else { format!(" ({})", refusal.items.join(", ")) };
    Finding {
        weight: Weight::Error,
        rule: refusal.code.as_str(),
        concept,
        others: Vec::new(),
        da: format!("{}{items}", refusal.da),
        en: format!("{}{items}", refusal.en),
    }
}

/// What is said at a moment.
enum Held {
    Below,
    InForce,
    Moment(BTreeMap<Uuid, Option<Arc<Content>>>),
}
