//! What is laid before a committee, and what it decides.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ItemKind, Meeting, Phase, Prose, Stamp, capped, out_of_turn};
use crate::model::{Code, Digest, Instant, Place, Refusal, Result};

/// A minute, in microseconds.
const MINUTE: i64 = 60_000_000;

/// The most votes and the most minorities of a decision.
const MOST: usize = 1_000;

/// A draft laid before a committee (indstilling).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recommendation {
    /// For ever.
    pub uuid: Uuid,
    /// When, and by whom.
    pub stamp: Stamp,
    /// The group that is to decide.
    pub committee: Uuid,
    /// What it is recommended to do, and why.
    pub text: Prose,
    /// Why concepts were changed after the hearing that no answer led to.
    pub after_hearing: Option<Prose>,
    /// The digest of the whole edition that the draft makes.
    pub digest: Digest,
    /// How many concepts that edition has.
    pub concepts: u64,
    /// How many edits the draft had.
    pub edits: usize,
    /// Where the draft came from, and goes back to when it is returned.
    pub from: Phase,
    /// When it was taken back before it was decided, and why.
    pub recalled: Option<(Stamp, Prose)>,
}

/// What a committee decides.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DecisionOutcome)]
pub enum Outcome {
    /// It is to be published.
    Adopted,
    /// It is to be published, with remarks for the record.
    AdoptedWithRemarks,
    /// The group works on.
    Returned,
    /// It is the end of the draft.
    Rejected,
}

impl Outcome {
    /// Whether the draft may be published.
    #[must_use]
    pub fn adopts(self) -> bool {
        matches!(self, Self::Adopted | Self::AdoptedWithRemarks)
    }
}

/// How it was decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Voting {
    /// Nobody was against.
    Consensus,
    /// By vote.
    Vote,
}

/// A vote.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Vote {
    /// For.
    For,
    /// Against.
    Against,
    /// Neither.
    Abstains,
}

/// How a member voted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoteCast {
    /// The account of the member.
    pub member: Uuid,
    /// The vote.
    pub vote: Vote,
}

/// What a minority wants to have on record (mindretalsudtalelse).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dissent {
    /// The accounts of the members.
    pub members: BTreeSet<Uuid>,
    /// Their statement.
    pub statement: Prose,
}

/// A decision.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Decision {
    /// For ever.
    pub uuid: Uuid,
    /// When it was recorded.
    #[schema(value_type = String)]
    pub at: Instant,
    /// The recommendation that was decided.
    pub recommendation: Uuid,
    /// The committee.
    pub committee: Uuid,
    /// Its meeting.
    pub meeting: Uuid,
    /// The number of the agenda item, from 1.
    pub item: usize,
    /// The digest of the content that was decided on: what is published is this, or nothing.
    pub digest: Digest,
    /// What was decided.
    pub outcome: Outcome,
    /// How.
    pub voting: Voting,
    /// The votes, when there was one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<VoteCast>,
    /// Remarks for the record; needed unless it was adopted as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remarks: Option<Prose>,
    /// What minorities want on record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dissent: Vec<Dissent>,
    /// From when the version is to be in force, when the committee says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub effective: Option<Instant>,
}

/// What a committee is said to have decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wish {
    /// The decision's uuid.
    pub uuid: Uuid,
    /// When it is recorded.
    pub at: Instant,
    /// The agenda item, from 1.
    pub item: usize,
    /// The digest of the content, as the committee saw it.
    pub digest: Digest,
    /// What was decided.
    pub outcome: Outcome,
    /// How.
    pub voting: Voting,
    /// The votes.
    pub votes: Vec<VoteCast>,
    /// Remarks.
    pub remarks: Option<Prose>,
    /// Minorities.
    pub dissent: Vec<Dissent>,
    /// From when.
    pub effective: Option<Instant>,
}

/// The decision of a meeting on a recommendation.
///
/// # Errors
/// [`Code::Unlawful`] with the field, when the meeting did not have the item or was held before the recommendation,
/// who voted was not there, or the votes say otherwise than the outcome; [`Code::TooLarge`]; [`Code::OtherContent`] when it was other content that was decided on.
pub fn decide(draft: Uuid, recommendation: &Recommendation, meeting: &Meeting, wish: Wish) -> Result<Decision> {
    let unlawful = |field: &str, da: &str, en: &str| Err(Refusal::new(Code::Unlawful, da, en).at(Place::field(field)));
    if wish.digest != recommendation.digest {
        return Err(Refusal::new(
            Code::OtherContent,
            format!("det indstillede indhold er {}", recommendation.digest),
            format!("the content recommended is {}", recommendation.digest),
        )
        .at(Place::field("digest")));
    }
    capped("votes", wish.votes.len(), MOST)?;
    capped("dissent", wish.dissent.len(), MOST)?;
    let item = wish.item.checked_sub(1).and_then(|i| meeting.agenda.get(i));
    if !item.is_some_and(|i| i.kind == ItemKind::Decision && i.draft == Some(draft)) {
        let (da, en) = (
            "mødet har ikke kladden på dagsordenen til beslutning",
            "the meeting does not have the draft on its agenda for decision",
        );
        return unlawful("item", da, en);
    }
    if meeting.attendance.is_none() {
        return Err(out_of_turn(
            "mødet er ikke holdt: fremmødet mangler",
            "the meeting was not held: attendance is missing",
        ));
    }
    // A meeting is called to the minute; what was recommended within it was there.
    if meeting.at.micros().saturating_add(MINUTE) <= recommendation.stamp.at.micros() {
        let (da, en) = (
            "mødet blev holdt, før kladden blev indstillet; et senere møde er vejen",
            "the meeting was held before the draft was recommended; a later meeting is the way",
        );
        return unlawful("meeting", da, en);
    }
    let present: BTreeSet<Uuid> = meeting.present().collect();
    let mut seen = BTreeSet::new();
    if !wish.votes.iter().all(|v| present.contains(&v.member) && seen.insert(v.member)) {
        let (da, en) = ("kun de fremmødte stemmer, og kun én gang", "only those present vote, and only once");
        return unlawful("votes", da, en);
    }
    let count = |vote| wish.votes.iter().filter(|v| v.vote == vote).count();
    match wish.voting {
        Voting::Consensus if !wish.votes.is_empty() => {
            return unlawful("votes", "ved enighed stemmes der ikke", "with consensus there is no vote");
        }
        Voting::Vote if wish.votes.is_empty() => {
            return unlawful("votes", "stemmerne mangler", "the votes are missing");
        }
        Voting::Vote if wish.outcome.adopts() && count(Vote::For) <= count(Vote::Against) => {
            return unlawful("outcome", "der er ikke flertal for", "there is no majority for it");
        }
        _ => {}
    }
    if wish.outcome != Outcome::Adopted && wish.remarks.is_none() {
        return unlawful("remarks", "bemærkningerne mangler", "the remarks are missing");
    }
    let member = |d: &Dissent| !d.members.is_empty() && d.members.is_subset(&present);
    if !wish.dissent.iter().all(member) {
        let (da, en) = ("et mindretal er nogle af de fremmødte", "a minority is some of those present");
        return unlawful("dissent", da, en);
    }
    Ok(Decision {
        uuid: wish.uuid,
        at: wish.at,
        recommendation: recommendation.uuid,
        committee: recommendation.committee,
        meeting: meeting.uuid,
        item: wish.item,
        digest: wish.digest,
        outcome: wish.outcome,
        voting: wish.voting,
        votes: wish.votes,
        remarks: wish.remarks,
        dissent: wish.dissent,
        effective: wish.effective,
    })
}
