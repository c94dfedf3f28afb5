//! A hearing: others are asked what they think of a frozen draft, and every answer gets its reply.

mod answers;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use self::answers::{Answer, AnswerItem, AnswerState, Attachment, Disposition, Ruling};
use super::draft::no;
use super::{Line, Prose, Stamp, capped, out_of_turn};
use crate::model::{Code, Content, Instant, Place, Refusal, Result};

/// Who may answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Audience {
    /// Anybody.
    Public,
    /// Those who are invited.
    Invited,
}

/// When answers can be read by all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Readable {
    /// As soon as they are submitted.
    AtOnce,
    /// When the deadline has passed.
    AfterDeadline,
}

/// What a hearing is to be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HearingPlan {
    /// What it is called.
    pub title: Line,
    /// The hearing letter (høringsbrev).
    pub letter: Prose,
    /// Who may answer.
    pub audience: Audience,
    /// When answers can be read by all.
    pub readable: Readable,
    /// When it opens; the draft is frozen from then on.
    #[schema(value_type = String)]
    pub opens: Instant,
    /// The deadline: the first instant that is too late.
    #[schema(value_type = String)]
    pub deadline: Instant,
    /// The concepts that are asked about; all that the draft changes when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub concepts: Vec<Uuid>,
}

/// Where a hearing stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum HearingStage {
    /// It has not opened.
    Planned,
    /// It can be answered.
    Open,
    /// The deadline has passed; answers are weighed, and later ones are marked.
    Closed,
    /// Every item has its reply.
    Completed,
    /// It was called off.
    Cancelled,
}

/// The deadline was moved out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Extension {
    /// When, and by whom.
    pub stamp: Stamp,
    /// The deadline before.
    pub from: Instant,
    /// The deadline after.
    pub to: Instant,
    /// Why.
    pub reason: Prose,
}

/// Somebody who is asked to answer. Who the contact is stands in a table that may be erased.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Party {
    /// The party itself.
    pub uuid: Uuid,
    /// The organisation.
    pub organisation: Line,
    /// The person there: a contact.
    pub contact: Uuid,
}

/// A hearing as its steps have made it.
#[derive(Clone, PartialEq, Debug)]
pub struct Hearing {
    /// For ever.
    pub uuid: Uuid,
    /// When it was planned, and by whom.
    pub stamp: Stamp,
    /// What it is; the deadline with its extensions.
    pub plan: HearingPlan,
    /// How many edits the draft had when it was frozen; none before the hearing has opened.
    pub snapshot: Option<usize>,
    /// What the version below said then of what the draft touched: a later rebase changes what is below, not what was
    /// heard.
    pub below: BTreeMap<Uuid, Option<Arc<Content>>>,
    /// The extensions.
    pub extensions: Vec<Extension>,
    /// The parties, each with when it was invited.
    pub parties: Vec<(Party, Stamp)>,
    /// The answers.
    pub answers: Vec<AnswerState>,
    /// When it was told that it had opened.
    pub told_opened: Option<Stamp>,
    /// When it was told that it had closed; no longer after an extension.
    pub told_closed: Option<Stamp>,
    /// The deadline that parties were last reminded of.
    pub reminded: Option<Instant>,
    /// When it was completed.
    pub completed: Option<Stamp>,
    /// When it was called off, and why.
    pub cancelled: Option<(Stamp, Prose)>,
}

/// What the clock did to a hearing and nobody has told yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Untold {
    /// It has opened.
    pub opened: bool,
    /// Those who have not answered are to be reminded.
    pub reminder: bool,
    /// It has closed.
    pub closed: bool,
}

/// The most parties and the most answers of a hearing, and the most items and files of an answer.
const MOST: (usize, usize, usize, usize) = (5_000, 20_000, 2_000, Hearing::MOST_FILES);
/// The most often a deadline is moved out.
const MOST_EXTENSIONS: usize = 100;

/// How long before the deadline those who have not answered are reminded, in microseconds: seven days.
const REMINDED_BEFORE: i64 = 7 * 86_400_000_000;

impl Hearing {
    /// The most files of an answer.
    pub const MOST_FILES: usize = 10;
    /// The most concepts that a plan names.
    pub const MOST_ASKED: usize = 10_000;

    /// A hearing that is planned.
    ///
    /// # Errors
    /// [`Code::Unlawful`] when it would end before it begins, or open in the past.
    pub(super) fn planned(uuid: Uuid, stamp: &Stamp, plan: HearingPlan) -> Result<Self> {
        lawful(&plan, stamp.at)?;
        Ok(Self {
            uuid,
            stamp: stamp.clone(),
            plan,
            snapshot: None,
            below: BTreeMap::new(),
            extensions: Vec::new(),
            parties: Vec::new(),
            answers: Vec::new(),
            told_opened: None,
            told_closed: None,
            reminded: None,
            completed: None,
            cancelled: None,
        })
    }

    /// Where it stands at an instant.
    #[must_use]
    pub fn stage(&self, at: Instant) -> HearingStage {
        if self.cancelled.is_some() {
            HearingStage::Cancelled
        } else if self.completed.is_some() {
            HearingStage::Completed
        } else if at < self.plan.opens {
            HearingStage::Planned
        } else if at < self.plan.deadline {
            HearingStage::Open
        } else {
            HearingStage::Closed
        }
    }

    /// Whether it was called off.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.is_some()
    }

    /// Whether nothing more happens in it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.cancelled.is_some() || self.completed.is_some()
    }

    /// When those who have not answered are reminded; never in a hearing that is too short for it.
    #[must_use]
    pub fn reminds(&self) -> Option<Instant> {
        let at = Instant::from_micros(self.plan.deadline.micros().saturating_sub(REMINDED_BEFORE));
        Some(at).filter(|at| *at > self.plan.opens)
    }

    /// What the clock has to tell at an instant and has not told.
    #[must_use]
    pub fn untold(&self, at: Instant) -> Untold {
        let stage = self.stage(at);
        let has_opened = !matches!(stage, HearingStage::Planned | HearingStage::Cancelled);
        let is_due = self.reminds().is_some_and(|due| due <= at) && self.reminded != Some(self.plan.deadline);
        Untold {
            opened: has_opened && self.told_opened.is_none(),
            reminder: stage == HearingStage::Open && is_due,
            closed: matches!(stage, HearingStage::Closed | HearingStage::Completed) && self.told_closed.is_none(),
        }
    }

    /// The next instant after another at which the clock has something to tell.
    #[must_use]
    pub fn next(&self, after: Instant) -> Option<Instant> {
        if self.is_over() {
            return None;
        }
        let times = [Some(self.plan.opens), self.reminds(), Some(self.plan.deadline)];
        times.into_iter().flatten().filter(|t| *t > after).min()
    }

    /// Whether everybody may read the answers at an instant. What was readable when a hearing was called off stays so.
    #[must_use]
    pub fn is_readable(&self, at: Instant) -> bool {
        let at_once = self.plan.readable == Readable::AtOnce;
        match self.stage(at) {
            HearingStage::Planned => false,
            HearingStage::Cancelled => at_once && self.snapshot.is_some(),
            HearingStage::Open => at_once,
            HearingStage::Closed | HearingStage::Completed => true,
        }
    }

    /// A party.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub fn party(&self, uuid: Uuid) -> Result<&Party> {
        let found = self.parties.iter().find(|(p, _)| p.uuid == uuid);
        found.map(|(p, _)| p).ok_or_else(|| no("party", &uuid.to_string()))
    }

    fn need(&self, at: Instant, stages: &[HearingStage]) -> Result<()> {
        let stage = self.stage(at);
        if stages.contains(&stage) {
            return Ok(());
        }
        let name = |s: &HearingStage| match s {
            HearingStage::Planned => "planned",
            HearingStage::Open => "open",
            HearingStage::Closed => "closed",
            HearingStage::Completed => "completed",
            HearingStage::Cancelled => "cancelled",
        };
        Err(out_of_turn(
            format!("det kan ikke gøres, når høringen er »{}«", name(&stage)),
            format!("this cannot be done while the hearing is '{}'", name(&stage)),
        )
        .allowed(stages.iter().map(name)))
    }

    pub(super) fn replan(&mut self, stamp: &Stamp, plan: HearingPlan) -> Result<()> {
        self.need(stamp.at, &[HearingStage::Planned])?;
        lawful(&plan, stamp.at)?;
        self.plan = plan;
        Ok(())
    }

    pub(super) fn cancel(&mut self, stamp: &Stamp, reason: Prose) -> Result<()> {
        self.need(stamp.at, &[HearingStage::Planned, HearingStage::Open])?;
        self.cancelled = Some((stamp.clone(), reason));
        Ok(())
    }

    pub(super) fn extend(&mut self, stamp: &Stamp, deadline: Instant, reason: Prose) -> Result<()> {
        self.need(stamp.at, &[HearingStage::Planned, HearingStage::Open, HearingStage::Closed])?;
        capped("extensions", self.extensions.len() + 1, MOST_EXTENSIONS)?;
        let from = self.plan.deadline;
        if deadline <= from || deadline <= stamp.at || !deadline.is_finite() {
            let (da, en) = ("den nye frist skal ligge senere", "the new deadline must be later");
            return Err(Refusal::new(Code::Unlawful, da, en)
                .at(Place::field("deadline"))
                .allowed([format!("> {from}")]));
        }
        // An answer that came between the two deadlines came too late when it came; that stays said.
        self.extensions.push(Extension { stamp: stamp.clone(), from, to: deadline, reason });
        self.plan.deadline = deadline;
        self.told_closed = None;
        Ok(())
    }

    pub(super) fn tell_opened(&mut self, stamp: &Stamp) -> Result<()> {
        if self.told_opened.is_some() || self.stage(stamp.at) == HearingStage::Planned || self.is_cancelled() {
            return Err(out_of_turn("det er sagt, eller ikke sket", "it has been told, or has not happened"));
        }
        self.told_opened = Some(stamp.clone());
        Ok(())
    }

    pub(super) fn tell_closed(&mut self, stamp: &Stamp) -> Result<()> {
        let closed = matches!(self.stage(stamp.at), HearingStage::Closed | HearingStage::Completed);
        if self.told_closed.is_some() || !closed {
            return Err(out_of_turn("det er sagt, eller ikke sket", "it has been told, or has not happened"));
        }
        self.told_closed = Some(stamp.clone());
        Ok(())
    }

    /// Reminds of the deadline; once of each.
    pub(super) fn remind(&mut self, stamp: &Stamp) -> Result<()> {
        if !self.untold(stamp.at).reminder {
            return Err(out_of_turn("der er ikke noget at minde om", "there is nothing to remind of"));
        }
        self.reminded = Some(self.plan.deadline);
        Ok(())
    }

    pub(super) fn invite(&mut self, stamp: &Stamp, party: Party) -> Result<()> {
        self.need(stamp.at, &[HearingStage::Planned, HearingStage::Open, HearingStage::Closed])?;
        if self.parties.len() >= MOST.0 {
            return Err(too_many());
        }
        if self.parties.iter().any(|(p, _)| p.uuid == party.uuid || p.contact == party.contact) {
            let (da, en) = ("den part er inviteret", "that party is invited");
            return Err(Refusal::new(Code::Exists, da, en).at(Place::field("party")));
        }
        self.parties.push((party, stamp.clone()));
        Ok(())
    }

    pub(super) fn complete(&mut self, stamp: &Stamp) -> Result<()> {
        self.need(stamp.at, &[HearingStage::Closed])?;
        let open = self.undisposed();
        if !open.is_empty() {
            let (da, en) = match open.len() {
                1 => ("1 punkt har ikke fået svar".into(), "1 item has no reply".into()),
                n => (format!("{n} punkter har ikke fået svar"), format!("{n} items have no reply")),
            };
            return Err(out_of_turn(da, en).items(open.into_iter().map(|(a, i)| format!("{a}/{i}"))));
        }
        self.completed = Some(stamp.clone());
        Ok(())
    }
}

fn lawful(plan: &HearingPlan, now: Instant) -> Result<()> {
    let wrong = |field: &str, da: &str, en: &str| Err(Refusal::new(Code::Unlawful, da, en).at(Place::field(field)));
    capped("concepts", plan.concepts.len(), Hearing::MOST_ASKED)?;
    if plan.opens < now || !plan.opens.is_finite() {
        return wrong("opens", "en høring kan ikke åbne i fortiden", "a hearing cannot open in the past");
    }
    if plan.deadline <= plan.opens || !plan.deadline.is_finite() {
        return wrong("deadline", "fristen skal ligge efter åbningen", "the deadline must be after the opening");
    }
    Ok(())
}

fn too_many() -> Refusal {
    Refusal::new(Code::TooLarge, "der er for mange", "there are too many").allowed([
        format!("{} parties", MOST.0),
        format!("{} answers", MOST.1),
        format!("{} items", MOST.2),
        format!("{} files", MOST.3),
    ])
}
