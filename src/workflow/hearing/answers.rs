//! What is said in a hearing, and the replies.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::draft::no;
use super::super::{Audience, Author, HearingStage, Line, Prose, Stamp, capped, out_of_turn};
use super::{Hearing, MOST, too_many};
use crate::model::{Code, Digest, Place, Refusal, Result};

/// The most replies that one item is given, and the most edits that a reply names.
const MOST_REPLIES: (usize, usize) = (100, 1_000);

/// What a party says of one concept, or in general.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AnswerItem {
    /// The concept; general when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concept: Option<Uuid>,
    /// Whether the term is agreed to; absent when nothing was said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agree_term: Option<bool>,
    /// Whether the definition is agreed to; absent when nothing was said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agree_definition: Option<bool>,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Prose>,
}

/// A file that belongs to an answer; its bytes lie in a table of their own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attachment {
    /// The file itself.
    pub uuid: Uuid,
    /// What it is called.
    pub name: Line,
    /// Its media type.
    pub media_type: String,
    /// How many bytes.
    pub size: u64,
    /// SHA-256 of the bytes.
    pub digest: Digest,
}

/// An answer, as it was submitted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answer {
    /// The answer itself.
    pub uuid: Uuid,
    /// The party that answers; somebody else, in a public hearing, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Uuid>,
    /// In whose name: an organisation, or a person who wants to be named.
    pub organisation: Line,
    /// The items; none when the party has no remarks.
    pub items: Vec<AnswerItem>,
    /// The files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The answer that this one takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<Uuid>,
}

/// What became of what an item asks for (ISO-like names of lovkvalitet's høringsnotat).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Ruling {
    /// It was done (imødekommet).
    Accommodated,
    /// Part of it was done (delvist imødekommet).
    Partly,
    /// It was not done (ikke imødekommet).
    No,
    /// It is not what the hearing was about (uden for høringens emne).
    OutOfScope,
}

/// The reply to an item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disposition {
    /// When, and by whom.
    pub stamp: Stamp,
    /// What became of it.
    pub ruling: Ruling,
    /// Why.
    pub reason: Prose,
    /// The numbers of the edits that it led to.
    pub edits: Vec<usize>,
}

/// Where an answer stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AnswerState {
    /// The answer.
    pub answer: Answer,
    /// When it was submitted, and by whom.
    pub stamp: Stamp,
    /// Whether the deadline had passed.
    pub late: bool,
    /// When it was taken back, and by whom; also when another took its place.
    pub withdrawn: Option<Stamp>,
    /// The replies to its items, all that were ever given; the last one counts.
    pub dispositions: Vec<Vec<Disposition>>,
}

impl AnswerState {
    /// The reply that counts, to each item.
    pub fn replies(&self) -> impl Iterator<Item = Option<&Disposition>> + '_ {
        self.dispositions.iter().map(|d| d.last())
    }
}

impl Hearing {
    /// An answer.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub fn answered(&self, uuid: Uuid) -> Result<&AnswerState> {
        self.answers.iter().find(|a| a.answer.uuid == uuid).ok_or_else(|| no("answer", &uuid.to_string()))
    }

    /// The answer of a party that stands; the one that came in time, when another one came late.
    #[must_use]
    pub fn answer_of(&self, party: Uuid) -> Option<&AnswerState> {
        self.standing().find(|a| a.answer.party == Some(party))
    }

    /// The answers that stand: submitted, and not taken back.
    pub fn standing(&self) -> impl Iterator<Item = &AnswerState> + '_ {
        self.answers.iter().filter(|a| a.withdrawn.is_none())
    }

    /// An item of an answer; items are numbered from 1.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub fn item(&self, answer: Uuid, item: usize) -> Result<&AnswerItem> {
        let found = self.answered(answer)?;
        let said = item.checked_sub(1).and_then(|i| found.answer.items.get(i));
        said.ok_or_else(|| no("item", &format!("{answer}/{item}")))
    }

    /// The items of standing answers that have no reply: answer, and number of the item.
    #[must_use]
    pub fn undisposed(&self) -> Vec<(Uuid, usize)> {
        let each = |a: &AnswerState| {
            let uuid = a.answer.uuid;
            let open = a.dispositions.iter().enumerate().filter(|(_, d)| d.is_empty());
            open.map(|(i, _)| (uuid, i + 1)).collect::<Vec<_>>()
        };
        self.standing().flat_map(each).collect()
    }

    pub(in super::super) fn answer(&mut self, stamp: &Stamp, answer: Answer) -> Result<()> {
        self.need(stamp.at, &[HearingStage::Open, HearingStage::Closed])?;
        if self.answers.len() >= MOST.1 || answer.items.len() > MOST.2 || answer.attachments.len() > MOST.3 {
            return Err(too_many());
        }
        if self.answers.iter().any(|a| a.answer.uuid == answer.uuid) {
            return Err(Refusal::new(Code::Exists, "svaret er der", "the answer is there"));
        }
        match answer.party {
            Some(party) => drop(self.party(party)?),
            None if self.plan.audience == Audience::Public => {}
            None => {
                let (da, en) = ("høringen er for inviterede", "the hearing is for those who are invited");
                return Err(Refusal::new(Code::NotAllowed, da, en));
            }
        }
        let empty = |i: &AnswerItem| i.agree_term.is_none() && i.agree_definition.is_none() && i.comment.is_none();
        if let Some(at) = answer.items.iter().position(empty) {
            let (da, en) = ("et punkt siger ikke noget", "an item says nothing");
            return Err(Refusal::new(Code::Unlawful, da, en).at(Place::field(format!("items[{at}]"))));
        }
        let general = |i: &AnswerItem| i.concept.is_none() && (i.agree_term.is_some() || i.agree_definition.is_some());
        if let Some(at) = answer.items.iter().position(general) {
            let (da, en) = (
                "kun om et begreb kan man være enig i term og definition",
                "only of a concept can term and definition be agreed to",
            );
            return Err(Refusal::new(Code::Unlawful, da, en).at(Place::field(format!("items[{at}]"))));
        }
        if answer.items.is_empty() && !answer.attachments.is_empty() {
            // Only items get replies: what stands in a file would never get one.
            let (da, en) = ("et punkt skal sige, hvad filerne handler om", "an item must say what the files are about");
            return Err(Refusal::new(Code::Unlawful, da, en).at(Place::field("items")));
        }
        let late = self.stage(stamp.at) == HearingStage::Closed;
        if let Some(old) = self.instead_of(&answer, late)? {
            self.take_back(stamp, old)?;
        }
        let dispositions = vec![Vec::new(); answer.items.len()];
        self.answers.push(AnswerState { answer, stamp: stamp.clone(), late, withdrawn: None, dispositions });
        Ok(())
    }

    /// The answer that another takes the place of: what a party said before, also when it does not say so. What came
    /// in time stands when the deadline has passed, and what comes late stands beside it.
    fn instead_of(&self, answer: &Answer, late: bool) -> Result<Option<Uuid>> {
        let open = |a: &&AnswerState| !late || a.late;
        let before = |party| self.standing().filter(open).find(|a| a.answer.party == Some(party));
        let own = answer.party.and_then(before).map(|a| a.answer.uuid);
        let Some(named) = answer.instead_of else { return Ok(own) };
        let old = self.answered(named)?;
        if late && !old.late {
            return Err(out_of_turn(
                "fristen er gået, og svaret kom i tide; det står, og et nyt står ved siden af",
                "the deadline has passed, and the answer came in time; it stands, and a new one stands beside it",
            ));
        }
        if old.answer.party != answer.party || own.is_some_and(|own| own != named) {
            let (da, en) = ("det er ikke den samme parts svar", "that is not the answer of the same party");
            return Err(Refusal::new(Code::Unlawful, da, en).at(Place::field("insteadOf")));
        }
        Ok(Some(named))
    }

    pub(in super::super) fn withdraw(&mut self, stamp: &Stamp, answer: Uuid) -> Result<()> {
        self.need(stamp.at, &[HearingStage::Open])?;
        self.take_back(stamp, answer)
    }

    /// Only who submitted an answer may take it back; also when it was replied to early, and then the reply stays on
    /// record. What came late has no deadline ahead of it: once replied to, it stands.
    fn take_back(&mut self, stamp: &Stamp, answer: Uuid) -> Result<()> {
        let open = self.stage(stamp.at) == HearingStage::Open;
        let found = self.answers.iter_mut().find(|a| a.answer.uuid == answer);
        let found = found.ok_or_else(|| no("answer", &answer.to_string()))?;
        let own = found.stamp.by == stamp.by || matches!(stamp.by, Author::Operator(_));
        if !own || found.withdrawn.is_some() {
            return Err(out_of_turn(
                "svaret er en andens eller er trukket tilbage",
                "the answer is somebody else's, or was taken back",
            ));
        }
        if !open && found.dispositions.iter().any(|d| !d.is_empty()) {
            let (da, en) = ("fristen er gået, og der er svaret på det", "the deadline has passed, and it has a reply");
            return Err(out_of_turn(da, en));
        }
        found.withdrawn = Some(stamp.clone());
        Ok(())
    }

    pub(in super::super) fn dispose(
        &mut self,
        stamp: &Stamp,
        answer: Uuid,
        item: usize,
        ruling: Ruling,
        reason: Prose,
        edits: Vec<usize>,
    ) -> Result<()> {
        self.need(stamp.at, &[HearingStage::Open, HearingStage::Closed])?;
        capped("edits", edits.len(), MOST_REPLIES.1)?;
        self.item(answer, item)?;
        let found = self.answers.iter_mut().find(|a| a.answer.uuid == answer && a.withdrawn.is_none());
        let found = found.ok_or_else(|| out_of_turn("svaret er trukket tilbage", "the answer was taken back"))?;
        capped("dispositions", found.dispositions[item - 1].len() + 1, MOST_REPLIES.0)?;
        found.dispositions[item - 1].push(Disposition { stamp: stamp.clone(), ruling, reason, edits });
        Ok(())
    }
}
