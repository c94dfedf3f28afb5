//! Random steps: mostly such as could be taken as things stand, and some that could not.

use proptest::prelude::*;

use super::*;

/// What is to be tried next: the kind of step, three choices, who, and how much later.
pub(super) type Try = (usize, u8, u8, u8, u8, i64);

/// The kinds of step, as often as they are to be tried.
const KINDS: &[(u8, Kind)] = &[
    (12, Kind::Edit),
    (6, Kind::Undo),
    (3, Kind::Rebase),
    (3, Kind::Comment),
    (1, Kind::Settle),
    (2, Kind::Review),
    (2, Kind::Hold),
    (3, Kind::Resume),
    (1, Kind::Withdraw),
    (1, Kind::Describe),
    (6, Kind::Plan),
    (1, Kind::Replan),
    (1, Kind::Cancel),
    (1, Kind::Opened),
    (1, Kind::Closed),
    (2, Kind::Extend),
    (4, Kind::Invite),
    (10, Kind::Answer),
    (2, Kind::TakeBack),
    (10, Kind::Dispose),
    (6, Kind::Complete),
    (5, Kind::Recommend),
    (2, Kind::Recall),
    (5, Kind::Decide),
    (3, Kind::Approve),
    (3, Kind::Publish),
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Edit,
    Undo,
    Rebase,
    Comment,
    Settle,
    Review,
    Hold,
    Resume,
    Withdraw,
    Describe,
    Plan,
    Replan,
    Cancel,
    Opened,
    Closed,
    Extend,
    Invite,
    Answer,
    TakeBack,
    Dispose,
    Complete,
    Recommend,
    Recall,
    Decide,
    Approve,
    Publish,
}

/// Sequences of up to `most` tries.
pub(super) fn tries(most: usize) -> impl Strategy<Value = Vec<Try>> {
    let all: usize = KINDS.iter().map(|(often, _)| usize::from(*often)).sum();
    let one = (0..all, any::<u8>(), any::<u8>(), any::<u8>(), 0u8..5, -1i64..8);
    prop::collection::vec(one, 1..most)
}

/// Sequences of edits, undos and rebases only.
pub(super) fn edits(most: usize) -> impl Strategy<Value = Vec<Try>> {
    let one = (0usize..21, any::<u8>(), any::<u8>(), any::<u8>(), 0u8..4, 0i64..2);
    prop::collection::vec(one, 1..most)
}

/// The stamp of a try. Every fifth author is a contact, every now and then the clock goes back.
pub(super) fn stamp(draft: &Draft, (kind, .., who, later): Try) -> Stamp {
    let at = Instant::from_micros(draft.last.at.micros() + later * HOUR);
    let by = match (who, kind % 3) {
        (4, 0) => Author::Contact(id(0xc0417)),
        (4, 1) => Author::Operator("drift".into()),
        (4, _) => Author::Clock,
        (who, _) => account(u128::from(who)),
    };
    Stamp { at, by }
}

/// The step of a try. `n` makes its texts its own.
pub(super) fn step(draft: &Draft, n: usize, (kind, a, b, c, _, _): Try, at: Instant) -> DraftStep {
    let mut left = kind;
    let kind = KINDS.iter().find(|(often, _)| {
        let here = left < usize::from(*often);
        left = left.saturating_sub(usize::from(*often));
        here
    });
    let kind = kind.map_or(Kind::Edit, |(_, kind)| *kind);
    let word = |what: &str| prose(format!("{what} <{n}>"));
    let fresh = |room: u128| id(room * 1_000_000 + n as u128);
    let hearing = draft.hearings().last().map_or(id(77), |h| h.uuid);
    let last = draft.hearings().last();
    let answers = last.map_or(&[][..], |h| &h.answers[..]);
    let some_answer = answers.get(usize::from(a) % answers.len().max(1)).map_or(id(78), |a| a.answer.uuid);
    let of = draft.recommendations().last();
    match kind {
        Kind::Edit => {
            let one = |concept: u8, to: u8| {
                let concept = id(u128::from(concept % 4) + 1);
                // What nobody has touched is there as its first content.
                let before = draft.proposals().get(&concept).map_or(content(1), |p| p.content.clone());
                let stale = c % 16 == 0;
                Effect { concept, before: if stale { content(4) } else { before }, after: content(to % 4) }
            };
            let mut effects = vec![one(a, b)];
            if c % 4 == 1 {
                effects.push(one(a.wrapping_add(c / 4), b / 4));
            }
            let because = (c % 8 == 3).then_some(Because::Answer { hearing, answer: some_answer, item: 1 });
            DraftStep::Edited { kind: EditKind::Change, reason: word("rettet"), because, meaning: None, effects }
        }
        Kind::Undo => {
            let count = draft.edits().len();
            // Mostly one of the last.
            let edit = if c % 4 == 0 { usize::from(a) % (count + 2) } else { count.saturating_sub(usize::from(a % 3)) };
            DraftStep::Undone { edit, reason: word("taget tilbage") }
        }
        Kind::Rebase => {
            let theirs = |concept: Uuid| match (u128::from(a) + concept.as_u128()) % 3 {
                0 => content(b % 5),
                1 => content(c % 5),
                _ => draft.proposals().get(&concept).and_then(|p| p.base.clone()),
            };
            let choice = if c % 2 == 0 { Choice::Ours } else { Choice::Theirs };
            let said = |u: &Uuid| {
                (*u, if b % 3 == 0 { Resolution::Say(content(5).unwrap()) } else { Resolution::Take(choice) })
            };
            let settled = draft.proposals().keys().map(said).collect();
            let mut merged = merge(draft.proposals(), theirs, &settled).expect("all is settled");
            if c % 8 == 0 {
                merged.pop();
            }
            DraftStep::Rebased { onto: base(n as u128 + 1), reason: word("flyttet"), merged }
        }
        Kind::Comment => {
            let thread = (a % 2 == 0).then_some(usize::from(b) % 4);
            let concept = (b % 2 == 0).then(|| id(u128::from(c % 4) + 1));
            let topic = Topic { concept, field: (c % 3 == 0).then(|| "terms".into()) };
            DraftStep::Commented { thread, topic, text: word("sagt") }
        }
        Kind::Settle => DraftStep::Settled { thread: usize::from(a) % 3, settled: b % 2 == 0 },
        Kind::Review => DraftStep::SentToReview,
        Kind::Hold => DraftStep::Held { reason: word("hvil") },
        Kind::Resume => DraftStep::Resumed { reason: word("videre") },
        Kind::Withdraw => DraftStep::Withdrawn { reason: word("trukket") },
        Kind::Describe => DraftStep::Described { title: line("Ny"), purpose: Some(word("formål")), group: None },
        Kind::Plan | Kind::Replan => {
            let hours = |from: Instant, hours: i64| Instant::from_micros(from.micros() + hours * HOUR);
            let opens = hours(at, i64::from(a % 8) - 1);
            let plan = HearingPlan {
                audience: if c % 4 == 0 { Audience::Invited } else { Audience::Public },
                letter: word("brev"),
                opens,
                deadline: hours(opens, i64::from(b % 24)),
                ..plan(0, 1)
            };
            if kind == Kind::Plan {
                DraftStep::HearingPlanned { hearing: if c % 32 == 1 { hearing } else { fresh(1) }, plan }
            } else {
                DraftStep::HearingReplanned { hearing, plan }
            }
        }
        Kind::Cancel => DraftStep::HearingCancelled { hearing, reason: word("aflyst") },
        Kind::Opened => DraftStep::HearingOpened { hearing },
        Kind::Closed => DraftStep::HearingClosed { hearing },
        Kind::Extend => {
            let from = last.map_or(at, |h| h.plan.deadline.max(at));
            let deadline = Instant::from_micros(from.micros() + (i64::from(a % 16) - 1) * HOUR);
            DraftStep::HearingExtended { hearing, deadline, reason: word("udsat") }
        }
        Kind::Invite => {
            let party = Party { uuid: id(u128::from(a % 4) + 300), organisation: line("Part"), contact: fresh(2) };
            DraftStep::PartyInvited { hearing, party }
        }
        Kind::Answer => {
            let party = (a % 2 == 0).then(|| id(u128::from(a / 2 % 4) + 300));
            let item = |i: u8| AnswerItem {
                concept: (i % 2 == 1).then(|| id(1)),
                agree_term: (i % 2 == 1).then_some(b % 2 == 0),
                agree_definition: None,
                comment: (i.is_multiple_of(2) || c % 16 != 0).then(|| word("svar")),
            };
            let attachment = Attachment {
                uuid: fresh(3),
                name: line(format!("fil <{n}>")),
                media_type: "application/pdf".into(),
                size: 1,
                digest: digest(c),
            };
            let answer = Answer {
                uuid: if c % 32 == 7 { some_answer } else { fresh(4) },
                party,
                organisation: line(format!("Kommune <{n}>")),
                items: (0..b % 3).map(item).collect(),
                attachments: if c % 4 == 1 { vec![attachment] } else { vec![] },
                instead_of: (c % 4 == 2).then_some(some_answer),
            };
            DraftStep::Answered { hearing, answer }
        }
        Kind::TakeBack => DraftStep::AnswerWithdrawn { hearing, answer: some_answer },
        Kind::Dispose => {
            let open = last.map(Hearing::undisposed).unwrap_or_default();
            let (answer, item) = open.first().copied().unwrap_or((some_answer, usize::from(b % 3)));
            let edits = if c % 4 == 0 { vec![usize::from(c / 4) % (draft.edits().len() + 2)] } else { vec![] };
            DraftStep::Disposed { hearing, answer, item, ruling: Ruling::Partly, reason: word("fordi"), edits }
        }
        Kind::Complete => DraftStep::HearingCompleted { hearing },
        Kind::Recommend => DraftStep::Recommended {
            recommendation: fresh(5),
            committee: id(0xc0),
            text: word("indstilling"),
            after_hearing: (b % 2 == 0).then(|| word("efter")),
            digest: digest(a % 3),
            concepts: 1,
        },
        Kind::Recall => DraftStep::Recalled { reason: word("kaldt tilbage") },
        Kind::Decide => {
            let outcome = match b % 8 {
                0 => Outcome::Rejected,
                1 | 2 => Outcome::Returned,
                3 => Outcome::AdoptedWithRemarks,
                _ => Outcome::Adopted,
            };
            let decision = Decision {
                uuid: fresh(6),
                recommendation: of.map_or(id(79), |r| r.uuid),
                digest: if a % 8 == 0 { digest(9) } else { of.map_or(digest(9), |r| r.digest) },
                meeting: id(u128::from(c % 8)),
                remarks: Some(word("bemærkning")),
                dissent: vec![Dissent { members: [id(1)].into(), statement: word("mindretal") }],
                effective: (c % 2 == 0).then(|| t(1000)),
                ..decision(1, 0, 0, outcome)
            };
            DraftStep::Decided { decision }
        }
        Kind::Approve => DraftStep::Approved { digest: digest(a % 3) },
        Kind::Publish => {
            let adopted = draft.adopted();
            let publication = Publication {
                version: fresh(7),
                label: "v9".parse().unwrap(),
                effective: if b % 8 == 0 { t(1) } else { t(1000) },
                digest: if a % 4 == 0 { digest(a % 3) } else { adopted.map_or(digest(1), |d| d.digest) },
                decision: if c % 4 == 0 { None } else { adopted.map(|d| d.uuid) },
                second: None,
            };
            DraftStep::Published { publication }
        }
    }
}

/// A draft by whatever of some tries it takes, with the steps that it took. `see` is shown the draft before, the
/// stamp, the step, what became of it, and the draft after.
pub(super) fn run(
    tries: &[Try],
    mut see: impl FnMut(&Draft, &Stamp, &DraftStep, &Result<()>, &Draft),
) -> (Draft, Vec<(Stamp, DraftStep)>) {
    let first = (by(0, 1), opened(false));
    let mut draft = Draft::begin(id(0xd), &first.0, first.1.clone()).unwrap();
    let mut taken = vec![first];
    for (n, one) in tries.iter().enumerate() {
        let stamp = stamp(&draft, *one);
        let step = step(&draft, n, *one, stamp.at);
        let before = draft.clone();
        let outcome = draft.take(&stamp, step.clone());
        see(&before, &stamp, &step, &outcome, &draft);
        if outcome.is_ok() {
            taken.push((stamp, step));
        }
    }
    (draft, taken)
}
