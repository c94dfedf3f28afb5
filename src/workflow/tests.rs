//! The workflow against hand-written tables and naive models.

mod deciding;
mod faults;
mod lines;
mod merging;
mod random;
mod rules;
mod sequences;
mod table;

use super::*;
use crate::model::{Content, ContentFields, Digest, Instant, Label, Language, Term, TermStatus};
use std::sync::Arc;

/// An hour, in microseconds.
pub(crate) const HOUR: i64 = 3_600_000_000;

/// So many hours after the beginning.
pub(crate) fn t(hours: i64) -> Instant {
    Instant::from_micros(1_700_000_000_000_000 + hours * HOUR)
}

pub(crate) fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub(crate) fn account(n: u128) -> Author {
    Author::Account(id(0xacc0 + n))
}

pub(crate) fn by(hours: i64, who: u128) -> Stamp {
    Stamp { at: t(hours), by: account(who) }
}

pub(crate) fn prose(text: impl AsRef<str>) -> Prose {
    text.as_ref().parse().unwrap()
}

pub(crate) fn line(text: impl AsRef<str>) -> Line {
    text.as_ref().parse().unwrap()
}

pub(crate) fn digest(n: u8) -> Digest {
    Digest::of([n])
}

/// Content with a Danish preferred term; nothing for 0.
pub(crate) fn content(n: u8) -> Option<Arc<Content>> {
    let terms = vec![Term::plain(Language::danish(), TermStatus::Preferred, format!("term {n}"))];
    (n > 0).then(|| Arc::new(Content::new(ContentFields { terms, ..ContentFields::default() }).unwrap()))
}

pub(crate) fn opened(minor: bool) -> DraftStep {
    let (vocabulary, title) = (id(1), line("Kladde"));
    DraftStep::Opened { vocabulary, title, purpose: None, group: None, base: Some(base(0)), minor }
}

pub(crate) fn base(n: u128) -> Base {
    let label: Label = format!("v{n}").parse().unwrap();
    Base { version: id(0xba5e + n), label }
}

pub(crate) fn edited(concept: u128, before: u8, after: u8) -> DraftStep {
    DraftStep::Edited {
        kind: EditKind::Change,
        reason: prose("fordi"),
        because: None,
        meaning: None,
        effects: vec![Effect { concept: id(concept), before: content(before), after: content(after) }],
    }
}

pub(crate) fn undone(edit: usize) -> DraftStep {
    DraftStep::Undone { edit, reason: prose("fortrudt") }
}

pub(crate) fn commented() -> DraftStep {
    DraftStep::Commented { thread: None, topic: Topic::default(), text: prose("en bemærkning") }
}

pub(crate) fn plan(opens: i64, deadline: i64) -> HearingPlan {
    HearingPlan {
        title: line("Høring"),
        letter: prose("Kære alle"),
        audience: Audience::Public,
        readable: Readable::AfterDeadline,
        opens: t(opens),
        deadline: t(deadline),
        concepts: vec![],
    }
}

pub(crate) fn planned(hearing: u128, opens: i64, deadline: i64) -> DraftStep {
    DraftStep::HearingPlanned { hearing: id(hearing), plan: plan(opens, deadline) }
}

pub(crate) fn answer(n: u128, items: usize) -> Answer {
    let item = |i| AnswerItem {
        concept: None,
        agree_term: None,
        agree_definition: None,
        comment: Some(prose(format!("svar {n} punkt {i}"))),
    };
    Answer {
        uuid: id(n),
        party: None,
        organisation: line("Kommunen"),
        items: (0..items).map(item).collect(),
        attachments: vec![],
        instead_of: None,
    }
}

pub(crate) fn answered(hearing: u128, answer: Answer) -> DraftStep {
    DraftStep::Answered { hearing: id(hearing), answer }
}

pub(crate) fn disposed(hearing: u128, answer: u128, item: usize) -> DraftStep {
    DraftStep::Disposed {
        hearing: id(hearing),
        answer: id(answer),
        item,
        ruling: Ruling::No,
        reason: prose("nej"),
        edits: vec![],
    }
}

pub(crate) fn invited(hearing: u128, n: u128) -> DraftStep {
    let party = Party { uuid: id(n), organisation: line("Parten"), contact: id(n + 0x1000) };
    DraftStep::PartyInvited { hearing: id(hearing), party }
}

pub(crate) fn extended(hearing: u128, deadline: i64) -> DraftStep {
    DraftStep::HearingExtended { hearing: id(hearing), deadline: t(deadline), reason: prose("ferie") }
}

pub(crate) fn recommended(n: u128, of: u8) -> DraftStep {
    DraftStep::Recommended {
        recommendation: id(n),
        committee: id(0xc0),
        text: prose("vedtag det"),
        after_hearing: None,
        digest: digest(of),
        concepts: 1,
    }
}

pub(crate) fn decision(n: u128, recommendation: u128, of: u8, outcome: Outcome) -> Decision {
    Decision {
        uuid: id(n),
        at: t(0),
        recommendation: id(recommendation),
        committee: id(0xc0),
        meeting: id(0xee),
        item: n as usize,
        digest: digest(of),
        outcome,
        voting: Voting::Consensus,
        votes: vec![],
        remarks: Some(prose("til referat")),
        dissent: vec![],
        effective: None,
    }
}

pub(crate) fn decided(n: u128, recommendation: u128, of: u8, outcome: Outcome) -> DraftStep {
    DraftStep::Decided { decision: decision(n, recommendation, of, outcome) }
}

pub(crate) fn published(of: u8, decision: Option<u128>) -> DraftStep {
    let (version, label, effective) = (id(0x7e), "v9".parse().unwrap(), t(1000));
    let decision = decision.map(id);
    DraftStep::Published {
        publication: Publication { version, label, effective, digest: digest(of), decision, second: None },
    }
}

pub(crate) fn held() -> DraftStep {
    DraftStep::Held { reason: prose("ferie") }
}

pub(crate) fn resumed() -> DraftStep {
    DraftStep::Resumed { reason: prose("videre") }
}

pub(crate) fn withdrawn() -> DraftStep {
    DraftStep::Withdrawn { reason: prose("opgivet") }
}

pub(crate) fn completed(hearing: u128) -> DraftStep {
    DraftStep::HearingCompleted { hearing: id(hearing) }
}

pub(crate) fn cancelled(hearing: u128) -> DraftStep {
    DraftStep::HearingCancelled { hearing: id(hearing), reason: prose("aflyst") }
}

/// A draft that has taken some steps, one an hour: the first at 0, by account 1.
pub(crate) fn drafted(steps: impl IntoIterator<Item = DraftStep>) -> Draft {
    let mut draft = Draft::begin(id(0xd), &by(0, 1), opened(false)).unwrap();
    for (i, step) in steps.into_iter().enumerate() {
        draft.take(&by(i as i64 + 1, 1), step.clone()).unwrap_or_else(|r| panic!("{step:?}: {r:?}"));
    }
    draft
}

/// A draft with one edit of concept 7 and the thread 1, in a phase at hour 50 and since; what has been heard was
/// hearing 100, with the answer 200 of one item. In [`Phase::Heard`] the hearing is closed, not completed.
pub(crate) fn in_phase(phase: Phase) -> Draft {
    let hearing = || vec![planned(100, 4, 10_000), invited(100, 300), answered(100, answer(200, 1))];
    let start = || vec![edited(7, 1, 2), commented()];
    let then = |more: Vec<DraftStep>| drafted(start().into_iter().chain(more));
    let committee = |outcome| then(vec![recommended(400, 1), decided(500, 400, 1, outcome)]);
    match phase {
        Phase::Drafting => then(vec![]),
        Phase::InReview => then(vec![DraftStep::SentToReview]),
        Phase::InHearing => then(hearing()),
        Phase::Heard => then(vec![planned(100, 4, 6), invited(100, 300), answered(100, answer(200, 1))]),
        Phase::Recommended => then(vec![recommended(400, 1)]),
        Phase::Adopted => committee(Outcome::Adopted),
        Phase::Published => {
            then(vec![recommended(400, 1), decided(500, 400, 1, Outcome::Adopted), published(1, Some(500))])
        }
        Phase::Rejected => committee(Outcome::Rejected),
        Phase::Withdrawn => then(vec![withdrawn()]),
        Phase::OnHold => then(vec![held()]),
    }
}
