//! The shapes of hearings in the JSON API.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::{EditAnswer, StampAnswer};
use super::requests::ContactAnswer;
use crate::model::{ConceptChangeKind, ContentFields, Instant, Mail, Meaning, Slug};
use crate::workflow::{
    AnswerState, Attachment, Audience, Disposition, Extension, Hearing, HearingStage, Party, Readable, Ruling, Stamp,
};

/// A hearing in a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HearingSummary {
    /// For ever.
    pub uuid: Uuid,
    /// The draft that is heard.
    pub draft: Uuid,
    /// The slug of the vocabulary.
    pub vocabulary: Slug,
    /// What it is called.
    pub title: String,
    /// Who may answer.
    pub audience: Audience,
    /// When answers can be read by all.
    pub readable: Readable,
    /// Where it stands.
    pub stage: HearingStage,
    /// When it opens.
    #[schema(value_type = String)]
    pub opens: Instant,
    /// The deadline, with its extensions: the first instant that is too late.
    #[schema(value_type = String)]
    pub deadline: Instant,
    /// How many parties are invited.
    pub parties: usize,
    /// How many answers the asker may read.
    pub answers: usize,
}

/// A hearing.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HearingAnswer {
    /// What stands in lists.
    #[serde(flatten)]
    pub summary: HearingSummary,
    /// The hearing letter (høringsbrev).
    pub letter: String,
    /// When it was planned.
    pub planned: StampAnswer,
    /// How the deadline was moved out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<ExtensionAnswer>,
    /// When it was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed: Option<StampAnswer>,
    /// When it was called off, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<(StampAnswer, String)>,
    /// How many edits the draft had when it was frozen; absent before the hearing has opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<usize>,
    /// What is asked of each concept.
    pub questions: Vec<QuestionAnswer>,
    /// What is heard, as it was when the hearing opened.
    pub heard: Vec<HeardAnswer>,
}

/// A question of the form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct QuestionAnswer {
    /// The member of an item that answers it.
    pub field: &'static str,
    /// The question, in Danish.
    pub da: &'static str,
    /// The question, in English.
    pub en: &'static str,
}

/// What is asked of each concept.
pub(super) const QUESTIONS: [QuestionAnswer; 3] = [
    QuestionAnswer { field: "agreeTerm", da: "Er I enige i termen?", en: "Do you agree to the term?" },
    QuestionAnswer {
        field: "agreeDefinition",
        da: "Er I enige i definitionen?",
        en: "Do you agree to the definition?",
    },
    QuestionAnswer { field: "comment", da: "Bemærkninger", en: "Comments" },
];

/// A concept that is heard.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct HeardAnswer {
    /// The concept.
    pub uuid: Uuid,
    /// What it is called: notation and term.
    pub name: String,
    /// How it differs from the version below, most important first.
    pub kinds: Vec<ConceptChangeKind>,
    /// Of one that is redefined: whether it means something else, as those say who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<Meaning>,
    /// What the version below said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub before: Option<ContentFields>,
    /// What the draft said; absent when the concept is to go out of force.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub after: Option<ContentFields>,
}

/// The deadline was moved out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct ExtensionAnswer {
    /// When, and by whom.
    #[serde(flatten)]
    pub stamp: StampAnswer,
    /// The deadline before.
    #[schema(value_type = String)]
    pub from: Instant,
    /// The deadline after.
    #[schema(value_type = String)]
    pub to: Instant,
    /// Why.
    pub reason: String,
}

impl From<&Extension> for ExtensionAnswer {
    fn from(e: &Extension) -> Self {
        Self { stamp: (&e.stamp).into(), from: e.from, to: e.to, reason: e.reason.to_string() }
    }
}

/// A party of a hearing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct PartyAnswer {
    /// The party itself.
    pub uuid: Uuid,
    /// The organisation.
    pub organisation: String,
    /// When it was invited, and by whom.
    pub invited: StampAnswer,
    /// Whether it has answered.
    pub answered: bool,
    /// Who is written to; only for those who make the draft, and gone when the person was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactAnswer>,
}

impl PartyAnswer {
    pub(super) fn new(hearing: &Hearing, party: &Party, invited: &Stamp, contact: Option<ContactAnswer>) -> Self {
        Self {
            uuid: party.uuid,
            organisation: party.organisation.to_string(),
            invited: invited.into(),
            answered: hearing.answer_of(party.uuid).is_some(),
            contact,
        }
    }
}

/// The personal link of a party: shown now and never again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct LinkAnswer {
    /// The party.
    pub party: Uuid,
    /// The address of the page where it answers.
    pub link: String,
    /// What a program sends as `Authorization: Bearer`.
    pub secret: String,
    /// From when it leads nowhere; the end of the hearing may come before.
    #[schema(value_type = String)]
    pub expires: Instant,
}

/// Where an answer stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum AnswerStage {
    /// It is being written; only its writer can see it.
    Draft,
    /// It is submitted.
    Submitted,
    /// It was taken back, or another took its place.
    Withdrawn,
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnswerAnswer {
    /// The answer itself.
    pub uuid: Uuid,
    /// The hearing.
    pub hearing: Uuid,
    /// Where it stands.
    pub stage: AnswerStage,
    /// The party that answers; somebody else, in a public hearing, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub party: Option<Uuid>,
    /// In whose name.
    pub organisation: String,
    /// When it was submitted, and by whom: the receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted: Option<StampAnswer>,
    /// Whether the deadline had passed.
    pub late: bool,
    /// When it was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<StampAnswer>,
    /// The answer that this one took the place of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<Uuid>,
    /// The items; none when there are no remarks.
    pub items: Vec<AnswerItemAnswer>,
    /// The files.
    pub attachments: Vec<Attachment>,
}

/// An item of an answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnswerItemAnswer {
    /// Its number in the answer, from 1.
    pub number: usize,
    /// The concept; general when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concept: Option<Uuid>,
    /// Whether the term is agreed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agree_term: Option<bool>,
    /// Whether the definition is agreed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agree_definition: Option<bool>,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The replies that were given, the last one counts; for all when the hearing is completed, and until then for
    /// those who make the draft.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dispositions: Vec<DispositionAnswer>,
}

/// A reply to an item.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct DispositionAnswer {
    /// When, and by whom.
    #[serde(flatten)]
    pub stamp: StampAnswer,
    /// What became of it.
    pub ruling: Ruling,
    /// Why.
    pub reason: String,
    /// The numbers of the edits that it led to.
    pub edits: Vec<usize>,
}

impl From<&Disposition> for DispositionAnswer {
    fn from(d: &Disposition) -> Self {
        Self { stamp: (&d.stamp).into(), ruling: d.ruling, reason: d.reason.to_string(), edits: d.edits.clone() }
    }
}

impl AnswerItemAnswer {
    pub(super) fn new(number: usize, item: &crate::workflow::AnswerItem, dispositions: Vec<DispositionAnswer>) -> Self {
        Self {
            number,
            concept: item.concept,
            agree_term: item.agree_term,
            agree_definition: item.agree_definition,
            comment: item.comment.as_ref().map(ToString::to_string),
            dispositions,
        }
    }
}

impl AnswerAnswer {
    pub(super) fn new(hearing: &Hearing, state: &AnswerState, with_replies: bool) -> Self {
        let answer = &state.answer;
        let item = |(i, item)| {
            let replies = state.dispositions.get(i).filter(|_| with_replies);
            AnswerItemAnswer::new(i + 1, item, replies.into_iter().flatten().map(Into::into).collect())
        };
        Self {
            uuid: answer.uuid,
            hearing: hearing.uuid,
            stage: if state.withdrawn.is_some() { AnswerStage::Withdrawn } else { AnswerStage::Submitted },
            party: answer.party,
            organisation: answer.organisation.to_string(),
            submitted: Some((&state.stamp).into()),
            late: state.late,
            withdrawn: state.withdrawn.as_ref().map(Into::into),
            instead_of: answer.instead_of,
            items: answer.items.iter().enumerate().map(item).collect(),
            attachments: answer.attachments.clone(),
        }
    }
}

/// An answer that waits for its mail address to be confirmed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct PendingAnswer {
    /// The hearing.
    pub hearing: Uuid,
    /// Where the link was sent.
    pub mail: Mail,
    /// From when it is forgotten.
    #[schema(value_type = String)]
    pub expires: Instant,
}

/// An item of an answer became an edit of the draft.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct ItemEditAnswer {
    /// The edit.
    pub edit: EditAnswer,
    /// The answer, with the reply.
    pub answer: AnswerAnswer,
}
