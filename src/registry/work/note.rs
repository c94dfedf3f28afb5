//! The papers of a hearing, filled from what happened: the note (høringsnotat), and all answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::super::Registry;
use super::super::permission::Visitor;
use super::hearings::{Heard, Sight};
use super::none;
use crate::exchange::paper::{
    AnswerItem, AnswerParty, Answers, Changed, ConceptHearing, ConceptPaper, Disposition, Extension, HearingNote,
    HearingParty, HearingPeriod, NotePaper, PartyAnswer, Remark, Tongue, Wording,
};
use crate::model::{Content, Instant, Result, Side, TermStatus, Vocabulary, diff};
use crate::workflow::{AnswerState, Hearing, Ruling};

impl Registry {
    /// The note of a hearing: for those who make the draft at any time, for others who see it when it is completed.
    ///
    /// # Errors
    /// [`crate::model::Code::NotFound`], also when it is not for their eyes.
    pub fn hearing_note(&self, visitor: &Visitor, hearing: Uuid) -> Result<NotePaper> {
        let sight = self.sight(visitor, hearing)?;
        if !sight.shows_replies(visitor) {
            return Err(none(hearing));
        }
        let heard = self.heard(&sight.draft, &sight.hearing)?;
        let now = self.after(&sight)?;
        let h = &sight.hearing;
        let of = |concept: Option<Uuid>| remarks(h, concept);
        let asked = heard.iter().map(|one| {
            let after = now.get(&one.concept).cloned().unwrap_or_else(|| one.after.clone());
            concept_of(one, after.as_ref(), of(Some(one.concept)), &|u| self.side_of(&sight, u))
        });
        let extensions = h.extensions.iter().map(|e| Extension {
            at: e.stamp.at,
            from: e.from,
            to: e.to,
            reason: e.reason.to_string(),
        });
        let fields = sight.vocabulary.fields();
        let note = HearingNote {
            title: h.plan.title.to_string(),
            vocabulary: title(&sight.vocabulary),
            version: sight.draft.title.to_string(),
            authority: fields.owner.clone(),
            generated: sight.now,
            period: HearingPeriod {
                opened: h.plan.opens,
                deadline: h.plan.deadline,
                extensions: extensions.collect(),
                closed: h.told_closed.as_ref().map(|_| h.plan.deadline),
            },
            letter: h.plan.letter.to_string(),
            parties: h.parties.iter().map(|(p, invited)| party(h, p.uuid, &p.organisation, invited.at)).collect(),
            general: of(None),
            concepts: asked.collect(),
        };
        Ok(note.into())
    }

    /// What the draft says after the hearing of the concepts that it touches: when it was completed, or now.
    fn after(&self, sight: &Sight) -> Result<BTreeMap<Uuid, Option<Arc<Content>>>> {
        let edits = sight.draft.edits();
        let count = match &sight.hearing.completed {
            Some(completed) => edits.iter().take_while(|e| e.stamp.at <= completed.at).count(),
            None => edits.len(),
        };
        sight.draft.moment(count)
    }

    fn side_of(&self, sight: &Sight, concept: Uuid) -> Side {
        let desk = self.desk(&sight.draft).ok();
        let said = desk.and_then(|d| d.said(concept).or_else(|| d.below(concept)));
        said.map_or_else(|| Side { notation: None, label: concept.to_string() }, |c| side(&c))
    }

    /// All answers to a hearing that somebody may read, ready for a spreadsheet.
    ///
    /// # Errors
    /// [`crate::model::Code::NotFound`].
    pub fn hearing_answers(&self, visitor: &Visitor, hearing: Uuid) -> Result<Answers> {
        let sight = self.sight(visitor, hearing)?;
        let h = &sight.hearing;
        let heard: BTreeMap<Uuid, Heard> =
            self.heard(&sight.draft, h)?.into_iter().map(|one| (one.concept, one)).collect();
        let with_replies = sight.shows_replies(visitor);
        let read = h.standing().filter(|a| visitor.reads(&sight.vocabulary, h, a, sight.now));
        let mut items = Vec::new();
        for state in read {
            let row = row_of(h, state);
            if state.answer.items.is_empty() {
                items.push(row.clone());
            }
            for (item, reply) in state.answer.items.iter().zip(state.replies()) {
                let one = item.concept.and_then(|c| heard.get(&c));
                let said = one.and_then(|o| o.after.as_ref().or(o.before.as_ref()));
                let reply = reply.filter(|_| with_replies);
                let number = |n: &usize| {
                    let edit = n.checked_sub(1).and_then(|i| sight.draft.edits().get(i));
                    edit.map(|e| format!("{n}: {}", e.reason))
                };
                items.push(AnswerItem {
                    notation: said.and_then(|c| c.fields().notation.clone()),
                    term: said.map(|c| c.label("da").to_owned()),
                    agrees_term: item.agree_term,
                    agrees_definition: item.agree_definition,
                    comment: item.comment.as_ref().map(ToString::to_string).unwrap_or_default(),
                    disposition: reply.map(|d| ruling(d.ruling)),
                    reason: reply.map(|d| d.reason.to_string()).unwrap_or_default(),
                    edit: reply
                        .map(|d| d.edits.iter().filter_map(number).collect::<Vec<_>>().join("\n"))
                        .unwrap_or_default(),
                    ..row.clone()
                });
            }
        }
        let parties = h.parties.iter().map(|(p, invited)| {
            let said = party(h, p.uuid, &p.organisation, invited.at);
            AnswerParty {
                hearing: h.plan.title.to_string(),
                party: said.organisation.clone(),
                organisation: said.organisation,
                invited: said.invited,
                answer: said.answer,
                submitted: said.submitted,
                late: said.late,
            }
        });
        Ok(Answers { title: h.plan.title.to_string(), generated: sight.now, items, parties: parties.collect() })
    }
}

/// A moment as people in Denmark read it: the day, and the time of day where it is not midnight.
#[must_use]
pub fn moment(at: Instant, danish: bool) -> String {
    crate::exchange::paper::moment(at, if danish { Tongue::Danish } else { Tongue::English })
}

/// What a vocabulary is called, Danish first.
fn title(vocabulary: &Vocabulary) -> String {
    let titles = &vocabulary.fields().titles;
    let danish = titles.iter().find(|t| t.language.as_str() == "da").or(titles.first());
    danish.map_or_else(|| vocabulary.slug().to_string(), |t| t.text.clone())
}

fn side(content: &Content) -> Side {
    Side { notation: content.fields().notation.clone(), label: content.label("da").to_owned() }
}

/// What a concept is called and what that means, Danish first.
fn wording(content: &Content) -> Wording {
    let f = content.fields();
    let preferred = |t: &&crate::model::Term| t.status == TermStatus::Preferred;
    let language = f.terms.iter().filter(preferred).find(|t| t.value == content.label("da")).map(|t| &t.language);
    let definition = f.definitions.iter().find(|d| Some(&d.language) == language && d.audience.is_none());
    let definition = definition.or(f.definitions.first());
    Wording { term: content.label("da").to_owned(), definition: definition.map(|d| d.text.clone()) }
}

fn ruling(ruling: Ruling) -> Disposition {
    match ruling {
        Ruling::Accommodated => Disposition::Accommodated,
        Ruling::Partly => Disposition::Partly,
        Ruling::No => Disposition::Not,
        Ruling::OutOfScope => Disposition::OutOfScope,
    }
}

/// In whose name an answer is: the party's, and what it calls itself where that is something else.
fn name_of_answer(hearing: &Hearing, state: &AnswerState) -> String {
    let called = state.answer.organisation.to_string();
    let invited = state.answer.party.and_then(|p| hearing.party(p).ok()).map(|p| p.organisation.to_string());
    match invited {
        Some(invited) if invited != called => format!("{invited} ({called})"),
        _ => called,
    }
}

fn row_of(hearing: &Hearing, state: &AnswerState) -> AnswerItem {
    AnswerItem {
        hearing: hearing.plan.title.to_string(),
        party: name_of_answer(hearing, state),
        organisation: state.answer.organisation.to_string(),
        submitted: Some(state.stamp.at),
        late: state.late,
        ..AnswerItem::default()
    }
}

fn party(hearing: &Hearing, uuid: Uuid, organisation: &crate::workflow::Line, invited: Instant) -> HearingParty {
    let state = hearing.answer_of(uuid);
    HearingParty {
        organisation: organisation.to_string(),
        invited,
        answer: match state {
            None => PartyAnswer::None,
            Some(s) if s.answer.items.is_empty() => PartyAnswer::NoRemarks,
            Some(_) => PartyAnswer::Remarks,
        },
        submitted: state.map(|s| s.stamp.at),
        late: state.is_some_and(|s| s.late),
    }
}

/// What was said of a concept, or in general.
fn remarks(hearing: &Hearing, concept: Option<Uuid>) -> Vec<Remark> {
    let each = |state: &AnswerState| {
        let pairs = state.answer.items.iter().zip(state.replies()).filter(|(item, _)| item.concept == concept);
        let remark = pairs.map(|(item, reply)| Remark {
            party: name_of_answer(hearing, state),
            agrees_term: item.agree_term,
            agrees_definition: item.agree_definition,
            comment: item.comment.as_ref().map(ToString::to_string).unwrap_or_default(),
            late: state.late,
            disposition: reply.map(|d| ruling(d.ruling)),
            reason: reply.map(|d| d.reason.to_string()).unwrap_or_default(),
        });
        remark.collect::<Vec<_>>()
    };
    hearing.standing().flat_map(each).collect()
}

fn concept_of(
    heard: &Heard,
    after: Option<&Arc<Content>>,
    remarks: Vec<Remark>,
    name: &dyn Fn(Uuid) -> Side,
) -> ConceptHearing {
    let (was, is) = (heard.after.as_deref(), after.map(|c| &**c));
    let changes = diff(&[(heard.concept, was, is)]);
    let changed = changes.first().map(|change| ConceptPaper::new(&Changed { change, before: was, after: is }, name));
    let either = is.or(was).or(heard.before.as_deref());
    ConceptHearing {
        uuid: heard.concept,
        notation: either.and_then(|c| c.fields().notation.clone()),
        before: was.map(wording),
        retired: heard.before.as_deref().filter(|_| was.is_none()).map(wording),
        after: is.map(wording),
        remarks,
        changed,
    }
}
