//! Replies to what answers say, and edits that come of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Registry;
use super::super::permission::{Actor, Command, permit_in};
use super::answers_hearing::{AnswerAnswer, ItemEditAnswer};
use super::edits::{EditRequest, OperationRequest, Precondition, draft_precondition, precondition, unknown};
use super::unlawful;
use crate::model::{ContentFields, Meaning, Result};
use crate::workflow::{Because, DraftStep, Operation, Part, Prose, Ruling};

/// A reply to an item of an answer.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DispositionRequest {
    /// What became of it.
    pub ruling: Ruling,
    /// Why.
    pub reason: Prose,
    /// The numbers of the edits that it led to.
    #[serde(default)]
    pub edits: Vec<usize>,
}

/// What an item of an answer asks for, done: an operation, or the content of the concept that the item is about.
#[derive(Clone, PartialEq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemEditRequest {
    /// What is done; this or `content`.
    #[serde(default)]
    pub operation: Option<OperationRequest>,
    /// What is said of the concept from now on; this or `operation`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub content: Option<ContentFields<String>>,
    /// What became of the item; accommodated when absent.
    #[serde(default)]
    pub ruling: Option<Ruling>,
    /// Why.
    pub reason: Prose,
    /// Whether what it redefines means something else than in the version below.
    #[serde(default)]
    pub meaning: Option<Meaning>,
}

impl Registry {
    /// Replies to an item of an answer; an earlier reply stays on record, the last one counts.
    ///
    /// # Errors
    /// [`crate::model::Code::NotFound`], [`crate::model::Code::Phase`].
    pub async fn dispose(
        &self,
        actor: &Actor,
        hearing: Uuid,
        answer: Uuid,
        item: usize,
        request: DispositionRequest,
    ) -> Result<AnswerAnswer> {
        let mut under = self.hearing_for(actor, hearing, Command::Dispose).await?;
        let DispositionRequest { ruling, reason, edits } = request;
        under.step(DraftStep::Disposed { hearing, answer, item, ruling, reason, edits }).await?;
        let found = under.matter.hearing(hearing)?;
        let shown = AnswerAnswer::new(found, found.answered(answer)?, true);
        self.settle(under.write).await?;
        Ok(shown)
    }

    /// Makes what an item asks for an edit of the draft, and replies to the item with that edit: both or neither.
    ///
    /// # Errors
    /// As [`Registry::edit_draft`] and [`Registry::dispose`].
    pub async fn edit_by_item(
        &self,
        actor: &Actor,
        hearing: Uuid,
        (answer, item): (Uuid, usize),
        request: ItemEditRequest,
        matches: &Precondition,
    ) -> Result<ItemEditAnswer> {
        let mut under = self.hearing_for(actor, hearing, Command::Dispose).await?;
        let vocabulary = self.vocabulary_by(under.matter.vocabulary)?;
        permit_in(actor, Command::EditDraft, &vocabulary, under.matter.phase(under.stamp.at))?;
        let about = under.matter.hearing(hearing)?.item(answer, item)?.concept;
        let operation = match (request.operation, request.content, about) {
            (Some(wanted), None, _) => {
                draft_precondition(&under.matter, matches)?;
                self.operation(&self.desk(&under.matter)?, wanted)?
            }
            (None, Some(fields), Some(concept)) => {
                let desk = self.desk(&under.matter)?;
                let now = desk.said(concept).ok_or_else(|| unknown(&concept.to_string()))?;
                precondition(&desk, Some(concept), Some(&now), matches, || serde_json::json!(fields))?;
                Operation::Change(Part { concept, content: desk.content(fields, &BTreeMap::new())? })
            }
            (None, Some(_), None) => {
                let (da, en) = (
                    "et generelt punkt er ikke om et begreb; brug operation",
                    "a general item is about no concept; use operation",
                );
                return Err(unlawful("content", da, en));
            }
            _ => return Err(unlawful("operation", "enten operation eller content", "either operation or content")),
        };
        let because = Some(Because::Answer { hearing, answer, item });
        let edit = EditRequest { reason: request.reason.clone(), because, meaning: request.meaning };
        let edit = self.operate(&mut under, operation, edit).await?;
        let ruling = request.ruling.unwrap_or(Ruling::Accommodated);
        let (reason, edits) = (request.reason, vec![edit.number]);
        under.step(DraftStep::Disposed { hearing, answer, item, ruling, reason, edits }).await?;
        let found = under.matter.hearing(hearing)?;
        let answer = AnswerAnswer::new(found, found.answered(answer)?, true);
        self.settle(under.write).await?;
        Ok(ItemEditAnswer { edit, answer })
    }
}
