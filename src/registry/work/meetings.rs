//! Mandates and meetings of groups. A mandate may be read by everybody; meetings by the group, by those who may read
//! drafts, and by those who administer people.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Registry;
use super::super::pages::{Paged, Pages};
use super::super::permission::{Actor, Command, not_signed_in, permit};
use super::answers::StampAnswer;
use super::{Under, begin, none, unlawful};
use crate::model::{Code, Group, Instant, Place, Result, new_uuid};
use crate::store::Write;
use crate::workflow::{
    AgendaItem, Attendance, Draft, ItemKind, Line, Mandate, Meeting, Prose, Stamp, Work, WorkStep, capped, out_of_turn,
};

/// A meeting to call.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeetingRequest {
    /// When it is held.
    #[schema(value_type = String)]
    pub at: Instant,
    /// Where.
    #[serde(default)]
    pub place: Option<Line>,
    /// The agenda; its items are numbered from 1.
    #[serde(default)]
    pub agenda: Vec<AgendaItem>,
}

/// What is to be changed of a meeting; what is absent stays, and `"place": null` takes the place away.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeetingChange {
    /// When it is held.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub at: Option<Instant>,
    /// Where.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub place: Option<Option<Line>>,
    /// The agenda, all of it.
    #[serde(default)]
    pub agenda: Option<Vec<AgendaItem>>,
}

/// `null` is something that was said.
fn said<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Line>>, D::Error> {
    Deserialize::deserialize(from).map(Some)
}

/// What is to happen to a meeting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MeetingCommand {
    /// Time, place or agenda are others.
    Change(MeetingChange),
    /// It is called off.
    Cancel(Prose),
    /// It was held: who was there, and who could not come.
    Hold(Vec<Attendance>),
    /// The minutes were written, or written again.
    Minute(Prose),
}

/// A mandate as it was given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct GivenMandate {
    /// When, and by whom, it was put on record.
    pub recorded: StampAnswer,
    /// The mandate.
    #[serde(flatten)]
    pub mandate: Mandate,
}

/// The mandates of a group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct MandateAnswer {
    /// The group.
    pub group: Uuid,
    /// The mandate that counts.
    pub current: GivenMandate,
    /// Those before, the last first.
    pub earlier: Vec<GivenMandate>,
}

/// A meeting.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MeetingAnswer {
    /// For ever.
    pub uuid: Uuid,
    /// The group.
    pub group: Uuid,
    /// When it was called, and by whom.
    pub called: StampAnswer,
    /// When it is held.
    #[schema(value_type = String)]
    pub at: Instant,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Line>,
    /// The agenda.
    pub agenda: Vec<ItemAnswer>,
    /// Who was there, and who could not come; absent before it was held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attendance: Option<Vec<Attendance>>,
    /// The minutes that count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<MinutesAnswer>,
    /// The minutes before, the last first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier_minutes: Vec<MinutesAnswer>,
    /// When it was called off, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<CancelledAnswer>,
}

/// An agenda item, with its number.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct ItemAnswer {
    /// From 1.
    pub number: usize,
    /// The item.
    #[serde(flatten)]
    pub item: AgendaItem,
}

/// Minutes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct MinutesAnswer {
    /// When, and by whom, they were written.
    #[serde(flatten)]
    pub stamp: StampAnswer,
    /// What they say.
    pub text: String,
}

/// A meeting was called off.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct CancelledAnswer {
    /// When, and by whom.
    #[serde(flatten)]
    pub stamp: StampAnswer,
    /// Why.
    pub reason: String,
}

impl MeetingAnswer {
    fn new(group: Uuid, meeting: &Meeting) -> Self {
        let minutes = |(stamp, text): &(Stamp, Prose)| MinutesAnswer { stamp: stamp.into(), text: text.to_string() };
        let cancelled =
            |(stamp, why): &(Stamp, Prose)| CancelledAnswer { stamp: stamp.into(), reason: why.to_string() };
        let items = meeting.agenda.iter().enumerate();
        Self {
            uuid: meeting.uuid,
            group,
            called: (&meeting.stamp).into(),
            at: meeting.at,
            place: meeting.place.clone(),
            agenda: items.map(|(i, item)| ItemAnswer { number: i + 1, item: item.clone() }).collect(),
            attendance: meeting.attendance.clone(),
            minutes: meeting.minutes.last().map(minutes),
            earlier_minutes: meeting.minutes.iter().rev().skip(1).map(minutes).collect(),
            cancelled: meeting.cancelled.as_ref().map(cancelled),
        }
    }
}

impl Registry {
    /// The mandate of a group, and all before it. Everybody may read it.
    ///
    /// # Errors
    /// [`Code::NotFound`] for a group that has none.
    pub fn mandate(&self, group: Uuid) -> Result<MandateAnswer> {
        mandates(&*self.matter::<Work>(group)?)
    }

    /// Gives a group a mandate, or another one. The same once more changes nothing.
    ///
    /// # Errors
    /// [`Code::NotAllowed`], [`Code::NotFound`] for a group, [`Code::Unlawful`].
    pub async fn give_mandate(&self, actor: &Actor, group: Uuid, mandate: Mandate) -> Result<MandateAnswer> {
        permit(actor, Command::Mandate, None)?;
        let endless = |field: &str| unlawful(field, "det er ikke et tidspunkt", "that is not an instant");
        if mandate.given.is_some_and(|at| !at.is_finite()) {
            return Err(endless("given"));
        }
        if let Some(at) = mandate.deadlines.iter().position(|d| !d.by.is_finite()) {
            return Err(endless(&format!("deadlines[{at}].by")));
        }
        capped("deadlines", mandate.deadlines.len(), Mandate::MOST)?;
        capped("vocabularies", mandate.vocabularies.len(), Mandate::MOST)?;
        for (at, vocabulary) in mandate.vocabularies.iter().enumerate() {
            self.vocabulary_by(*vocabulary).map_err(|r| r.at(Place::field(format!("vocabularies[{at}]"))))?;
        }
        let (mut write, stamp) = self.lock(actor).await?;
        active(&mut write, group).await?;
        if let Some(by) = mandate.given_by {
            active(&mut write, by).await.map_err(|r| r.at(Place::field("givenBy")))?;
        }
        let (write, work) = match self.work_in(write, group, stamp.clone()).await? {
            Ok(mut under) => {
                if under.matter.mandate() == Some(&mandate) {
                    return mandates(&under.matter);
                }
                under.step(WorkStep::Mandated { group, mandate }).await?;
                (under.write, under.matter)
            }
            Err(mut write) => {
                let work: Work = begin(&mut write, group, &stamp, WorkStep::Mandated { group, mandate }).await?;
                (write, work)
            }
        };
        self.settle(write).await?;
        mandates(&work)
    }

    /// The meetings of a group, the earliest first.
    ///
    /// # Errors
    /// [`Code::NotSignedIn`], [`Code::NotAllowed`], [`Code::NotFound`]; as [`Pages::since`].
    pub async fn meetings(&self, actor: &Actor, group: Uuid, pages: &Pages) -> Result<Paged<MeetingAnswer>> {
        self.may_attend(actor, group).await?;
        let snapshot = self.snapshot();
        let meetings = snapshot.matters.get::<Work>(group).map(|w| w.meetings.clone()).unwrap_or_default();
        let page = pages.since(meetings, |m| (m.at, m.uuid))?;
        let items = page.items.iter().map(|m| MeetingAnswer::new(group, m)).collect();
        Ok(Paged { items, total: page.total, next: page.next })
    }

    /// A meeting.
    ///
    /// # Errors
    /// As [`Registry::meetings`].
    pub async fn meeting(&self, actor: &Actor, uuid: Uuid) -> Result<MeetingAnswer> {
        if matches!(actor, Actor::Public) {
            return Err(not_signed_in());
        }
        let group = self.snapshot().matters.whole_of(uuid).ok_or_else(|| none(uuid))?;
        self.may_attend(actor, group).await?;
        Ok(MeetingAnswer::new(group, self.matter::<Work>(group)?.meeting(uuid)?))
    }

    /// Calls a meeting.
    ///
    /// # Errors
    /// [`Code::NotAllowed`], [`Code::NotFound`] for a group or a draft, [`Code::Phase`] for a draft that was not
    /// recommended to the group, [`Code::Unlawful`].
    pub async fn call_meeting(&self, actor: &Actor, group: Uuid, request: MeetingRequest) -> Result<MeetingAnswer> {
        permit(actor, Command::CallMeeting, None)?;
        let (mut write, stamp) = self.lock(actor).await?;
        active(&mut write, group).await?;
        self.lawful_agenda(&mut write, group, &request.agenda).await?;
        let MeetingRequest { at, place, agenda } = request;
        let meeting = new_uuid(self.dice())?;
        let step = WorkStep::Called { group, meeting, at, place, agenda };
        let (write, work) = match self.work_in(write, group, stamp.clone()).await? {
            Ok(mut under) => {
                under.step(step).await?;
                (under.write, under.matter)
            }
            Err(mut write) => {
                let work: Work = begin(&mut write, group, &stamp, step).await?;
                (write, work)
            }
        };
        self.settle(write).await?;
        Ok(MeetingAnswer::new(group, work.meeting(meeting)?))
    }

    /// Changes a meeting, calls it off, or puts on record how it went.
    ///
    /// # Errors
    /// [`Code::NotAllowed`], [`Code::NotFound`], [`Code::Phase`], [`Code::Unlawful`].
    pub async fn change_meeting(&self, actor: &Actor, uuid: Uuid, command: MeetingCommand) -> Result<MeetingAnswer> {
        permit(actor, Command::CallMeeting, None)?;
        let group = self.snapshot().matters.whole_of(uuid).ok_or_else(|| none(uuid))?;
        let mut under = self.under::<Work>(actor, group).await?;
        let step = match command {
            MeetingCommand::Change(change) => {
                let now = under.matter.meeting(uuid)?.clone();
                let agenda = change.agenda.unwrap_or(now.agenda);
                self.lawful_agenda(&mut under.write, group, &agenda).await?;
                let (at, place) = (change.at.unwrap_or(now.at), change.place.unwrap_or(now.place));
                WorkStep::Recalled { meeting: uuid, at, place, agenda }
            }
            MeetingCommand::Cancel(reason) => WorkStep::Cancelled { meeting: uuid, reason },
            MeetingCommand::Hold(attendance) => {
                let members = active(&mut under.write, group).await?.members;
                if let Some(at) = attendance.iter().position(|a| !members.contains(&a.member)) {
                    let (da, en) = ("kun medlemmer af gruppen deltager", "only members of the group attend");
                    return Err(unlawful(&format!("attendance[{at}].member"), da, en));
                }
                if under.matter.meeting(uuid)?.at > under.stamp.at {
                    return Err(out_of_turn("mødet er ikke begyndt", "the meeting has not begun"));
                }
                WorkStep::Held { meeting: uuid, attendance }
            }
            MeetingCommand::Minute(minutes) => WorkStep::Minuted { meeting: uuid, minutes },
        };
        under.step(step).await?;
        let answer = MeetingAnswer::new(group, under.matter.meeting(uuid)?);
        self.settle(under.write).await?;
        Ok(answer)
    }

    /// The work of a group under the lock, or the write as it was when the group has none yet.
    async fn work_in(&self, mut write: Write, group: Uuid, stamp: Stamp) -> Result<Result<Under<Work>, Write>> {
        match self.matter_in::<Work>(&mut write, group).await {
            Ok(matter) => Ok(Ok(Under { write, matter, uuid: group, stamp })),
            Err(refusal) if refusal.code == Code::NotFound => Ok(Err(write)),
            Err(refusal) => Err(refusal),
        }
    }

    /// Refuses items about drafts that are not there, and decisions on drafts that were not laid before the group.
    async fn lawful_agenda(&self, write: &mut Write, group: Uuid, agenda: &[AgendaItem]) -> Result<()> {
        // Before each item is looked up.
        capped("agenda", agenda.len(), Meeting::MOST_ITEMS)?;
        for (at, item) in agenda.iter().enumerate() {
            let Some(draft) = item.draft else { continue };
            let place = || Place::field(format!("agenda[{at}].draft"));
            let draft = self.matter_in::<Draft>(write, draft).await.map_err(|r| r.at(place()))?;
            let last = draft.recommendations().last();
            let laid = last.is_some_and(|r| r.committee == group && r.recalled.is_none());
            if item.kind == ItemKind::Decision && !laid {
                let (da, en) = ("kladden er ikke indstillet til gruppen", "the draft was not recommended to the group");
                return Err(out_of_turn(da, en).at(place()));
            }
        }
        Ok(())
    }

    /// Lets in who may read a group's meetings: its members, who may read drafts of some vocabulary, who administers.
    async fn may_attend(&self, actor: &Actor, group: Uuid) -> Result<()> {
        if matches!(actor, Actor::Public) {
            return Err(not_signed_in());
        }
        let people = self.store.people().await?;
        let found = people.groups.into_iter().find(|g| g.uuid == group).ok_or_else(|| none(group))?;
        if self.attends(actor, &found) {
            return Ok(());
        }
        permit(actor, Command::ReadDrafts, None)
    }
}

/// Whether somebody is a member of a group.
pub(super) fn sits_in(actor: &Actor, group: &Group) -> bool {
    matches!(actor, Actor::Account(caller) if group.members.contains(&caller.account))
}

/// The group, which must be there and active, as a write sees it.
async fn active(write: &mut Write, group: Uuid) -> Result<Group> {
    let found = write.people().await?.groups.into_iter().find(|g| g.uuid == group && g.active);
    found.ok_or_else(|| none(group).at(Place::field("group")))
}

fn mandates(work: &Work) -> Result<MandateAnswer> {
    let given = |(stamp, mandate): &(Stamp, Mandate)| GivenMandate { recorded: stamp.into(), mandate: mandate.clone() };
    let mut all = work.mandates.iter().rev().map(given);
    let current = all.next().ok_or_else(|| none(work.group))?;
    Ok(MandateAnswer { group: work.group, current, earlier: all.collect() })
}
