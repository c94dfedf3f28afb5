//! What a group works by: its mandate, its meetings, their minutes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::draft::no;
use super::{Line, Matter, Prose, Stamp, capped, out_of_turn};
use crate::model::{ChangeKind, Code, Instant, Place, Refusal, Result};

/// The most members that attendance tells of.
const MOST_ATTENDANCE: usize = 1_000;
/// The most meetings of a group.
const MOST_MEETINGS: usize = 10_000;
/// The most often a mandate is given, or the minutes of a meeting are written.
const MOST_TIMES: usize = 1_000;

/// What a group is to do (kommissorium).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mandate {
    /// What it is for.
    pub purpose: Prose,
    /// What it covers, and what it does not.
    pub scope: Prose,
    /// The mandate as it was given.
    pub text: Prose,
    /// When it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub given: Option<Instant>,
    /// Who gave it: a committee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_by: Option<Uuid>,
    /// What must be done by when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deadlines: Vec<Due>,
    /// The vocabularies that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vocabularies: Vec<Uuid>,
}

/// Something that must be done by a day.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Due {
    /// What.
    pub what: Line,
    /// By when.
    #[schema(value_type = String)]
    pub by: Instant,
}

/// What an agenda item is for (dagsordenspunkt: B, D, E).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ItemKind {
    /// For decision (beslutning).
    Decision,
    /// For discussion (drøftelse).
    Discussion,
    /// For information (efterretning, orientering).
    Information,
}

/// An agenda item.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgendaItem {
    /// What it is for.
    pub kind: ItemKind,
    /// What it is called.
    pub title: Line,
    /// What is to be known before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Prose>,
    /// The draft that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Uuid>,
}

/// Who was there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attendance {
    /// The account of the member.
    pub member: Uuid,
    /// Whether the member was there.
    pub present: bool,
}

/// A meeting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meeting {
    /// For ever.
    pub uuid: Uuid,
    /// When it was called, and by whom.
    pub stamp: Stamp,
    /// When it is held.
    pub at: Instant,
    /// Where.
    pub place: Option<Line>,
    /// The agenda; its items are numbered from 1.
    pub agenda: Vec<AgendaItem>,
    /// Who was there; none before it was held.
    pub attendance: Option<Vec<Attendance>>,
    /// The minutes, all that were ever written; the last ones count.
    pub minutes: Vec<(Stamp, Prose)>,
    /// When it was called off, and why.
    pub cancelled: Option<(Stamp, Prose)>,
}

impl Mandate {
    /// The most deadlines, and the most vocabularies.
    pub const MOST: usize = 200;
}

impl Meeting {
    /// The most items of an agenda.
    pub const MOST_ITEMS: usize = 200;

    /// The accounts of those who were there.
    pub fn present(&self) -> impl Iterator<Item = Uuid> + '_ {
        self.attendance.iter().flatten().filter(|a| a.present).map(|a| a.member)
    }
}

/// A step of a group's work.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is the one of the state that it sets")]
pub enum WorkStep {
    /// The group is given a mandate, or another one.
    Mandated { group: Uuid, mandate: Mandate },
    /// A meeting is called, of a group that may have no mandate of its own.
    Called {
        group: Uuid,
        meeting: Uuid,
        at: Instant,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<Line>,
        agenda: Vec<AgendaItem>,
    },
    /// Time, place or agenda are others; not once the meeting was held.
    Recalled {
        meeting: Uuid,
        at: Instant,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<Line>,
        agenda: Vec<AgendaItem>,
    },
    /// A meeting is called off.
    Cancelled { meeting: Uuid, reason: Prose },
    /// The meeting was held.
    Held { meeting: Uuid, attendance: Vec<Attendance> },
    /// Minutes were written, or written again.
    Minuted { meeting: Uuid, minutes: Prose },
}

/// The work of a group as its steps have made it. Its uuid is the group's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Work {
    /// The group.
    pub group: Uuid,
    /// The mandates, all that were ever given; the last one counts.
    pub mandates: Vec<(Stamp, Mandate)>,
    /// The meetings.
    pub meetings: Vec<Meeting>,
    /// The last step.
    pub last: Stamp,
    steps: i64,
}

impl Matter for Work {
    type Step = WorkStep;

    const KIND: &'static str = "work";

    fn begin(uuid: Uuid, stamp: &Stamp, step: WorkStep) -> Result<Self> {
        let mut work = Self { group: uuid, mandates: Vec::new(), meetings: Vec::new(), last: stamp.clone(), steps: 0 };
        work.take(stamp, step)?;
        Ok(work)
    }

    fn take(&mut self, stamp: &Stamp, step: WorkStep) -> Result<()> {
        self.taken(stamp, step)?;
        self.last = stamp.clone();
        self.steps += 1;
        Ok(())
    }

    fn kind(step: &WorkStep) -> ChangeKind {
        match step {
            WorkStep::Mandated { .. } => ChangeKind::GroupMandated,
            _ => ChangeKind::MeetingChanged,
        }
    }

    fn steps(&self) -> i64 {
        self.steps
    }

    fn vocabulary(&self) -> Uuid {
        Uuid::nil()
    }
}

impl Work {
    /// The mandate that counts.
    #[must_use]
    pub fn mandate(&self) -> Option<&Mandate> {
        self.mandates.last().map(|(_, m)| m)
    }

    /// A meeting.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub fn meeting(&self, uuid: Uuid) -> Result<&Meeting> {
        self.meetings.iter().find(|m| m.uuid == uuid).ok_or_else(|| no("meeting", &uuid.to_string()))
    }

    fn meeting_mut(&mut self, uuid: Uuid) -> Result<&mut Meeting> {
        let found = self.meetings.iter_mut().find(|m| m.uuid == uuid);
        let found = found.ok_or_else(|| no("meeting", &uuid.to_string()))?;
        if found.cancelled.is_some() {
            return Err(out_of_turn("mødet er aflyst", "the meeting was called off"));
        }
        Ok(found)
    }

    fn taken(&mut self, stamp: &Stamp, step: WorkStep) -> Result<()> {
        match step {
            WorkStep::Mandated { group, .. } | WorkStep::Called { group, .. } if group != self.group => {
                Err(no("group", &group.to_string()))
            }
            WorkStep::Mandated { mandate, .. } => {
                capped("deadlines", mandate.deadlines.len(), Mandate::MOST)?;
                capped("vocabularies", mandate.vocabularies.len(), Mandate::MOST)?;
                capped("mandates", self.mandates.len() + 1, MOST_TIMES)?;
                self.mandates.push((stamp.clone(), mandate));
                Ok(())
            }
            WorkStep::Called { meeting, at, place, agenda, .. } => {
                lawful(at, &agenda)?;
                capped("meetings", self.meetings.len() + 1, MOST_MEETINGS)?;
                if self.meetings.iter().any(|m| m.uuid == meeting) {
                    return Err(Refusal::new(Code::Exists, "mødet er der", "the meeting is there"));
                }
                self.meetings.push(Meeting {
                    uuid: meeting,
                    stamp: stamp.clone(),
                    at,
                    place,
                    agenda,
                    attendance: None,
                    minutes: Vec::new(),
                    cancelled: None,
                });
                Ok(())
            }
            WorkStep::Recalled { meeting, at, place, agenda } => {
                lawful(at, &agenda)?;
                let found = self.not_held(meeting)?;
                (found.at, found.place, found.agenda) = (at, place, agenda);
                Ok(())
            }
            WorkStep::Cancelled { meeting, reason } => {
                self.not_held(meeting)?.cancelled = Some((stamp.clone(), reason));
                Ok(())
            }
            WorkStep::Held { meeting, attendance } => {
                capped("attendance", attendance.len(), MOST_ATTENDANCE)?;
                let mut seen = std::collections::BTreeSet::new();
                if !attendance.iter().any(|a| a.present) || !attendance.iter().all(|a| seen.insert(a.member)) {
                    let (da, en) =
                        ("hver er nævnt én gang, og nogen var der", "each is named once, and somebody was there");
                    return Err(Refusal::new(Code::Unlawful, da, en).at(Place::field("attendance")));
                }
                self.not_held(meeting)?.attendance = Some(attendance);
                Ok(())
            }
            WorkStep::Minuted { meeting, minutes } => {
                let found = self.meeting_mut(meeting)?;
                if found.attendance.is_none() {
                    return Err(out_of_turn("mødet er ikke holdt", "the meeting was not held"));
                }
                capped("minutes", found.minutes.len() + 1, MOST_TIMES)?;
                found.minutes.push((stamp.clone(), minutes));
                Ok(())
            }
        }
    }

    fn not_held(&mut self, meeting: Uuid) -> Result<&mut Meeting> {
        let found = self.meeting_mut(meeting)?;
        if found.attendance.is_some() {
            return Err(out_of_turn("mødet er holdt", "the meeting was held"));
        }
        Ok(found)
    }
}

fn lawful(at: Instant, agenda: &[AgendaItem]) -> Result<()> {
    if !at.is_finite() {
        let (da, en) = ("mødet har ingen tid", "the meeting has no time");
        return Err(Refusal::new(Code::Unlawful, da, en).at(Place::field("at")));
    }
    capped("agenda", agenda.len(), Meeting::MOST_ITEMS)
}
