//! Every phase of a draft, stage of a hearing and state of a request against every step, written out by hand.

use super::*;

const PHASES: [(char, Phase); 10] = [
    ('D', Phase::Drafting),
    ('R', Phase::InReview),
    ('H', Phase::InHearing),
    ('C', Phase::Heard),
    ('I', Phase::Recommended),
    ('A', Phase::Adopted),
    ('P', Phase::Published),
    ('X', Phase::Rejected),
    ('W', Phase::Withdrawn),
    ('O', Phase::OnHold),
];

/// `Ok`, or the code of the refusal. The draft is not changed by a refusal.
fn outcome(draft: &Draft, at: i64, who: u128, step: DraftStep) -> Option<Code> {
    let mut after = draft.clone();
    let refused = after.take(&by(at, who), step).err().map(|r| r.code);
    assert!(refused.is_none() || after == *draft, "a refused step changed the draft");
    refused
}

/// A step, and the phases in which it is taken; in all others it is refused as out of turn.
fn rows() -> Vec<(&'static str, DraftStep)> {
    let onto = Base { version: id(0x99), label: "v2".parse().unwrap() };
    let merged = vec![Merged { concept: id(7), how: Merging::Kept, base: content(1), content: content(2) }];
    let described = DraftStep::Described { title: line("Ny"), purpose: None, group: None };
    let comment = DraftStep::Commented { thread: Some(1), topic: Topic::default(), text: prose("og") };
    vec![
        ("", opened(false)),
        ("DRHCIAO", described),
        ("DRC", edited(7, 2, 3)),
        ("DRC", undone(1)),
        ("DRC", DraftStep::Rebased { onto, reason: prose("ny version"), merged }),
        ("DRHCIAO", comment),
        ("DRHCIAO", DraftStep::Settled { thread: 1, settled: true }),
        ("D", DraftStep::SentToReview),
        ("DRC", held()),
        ("O", resumed()),
        ("DRCIAO", withdrawn()),
        ("I", DraftStep::Recalled { reason: prose("fejl") }),
        ("I", decided(501, 400, 1, Outcome::Adopted)),
        ("DRCA", DraftStep::Approved { digest: digest(1) }),
    ]
}

#[test]
fn every_phase_and_every_step() {
    for (name, phase) in PHASES {
        let draft = in_phase(phase);
        assert_eq!(draft.phase(t(50)), phase, "{name}");
        for (taken, step) in rows() {
            let expected = if taken.contains(name) { None } else { Some(Code::Phase) };
            assert_eq!(outcome(&draft, 50, 2, step.clone()), expected, "{phase}: {step:?}");
        }
    }
    assert_eq!(PHASES.len(), Phase::ALL.len());
}

/// The steps that look at hearings: what is heard must come to its end, so that in "heard" the closed hearing stops
/// some of them.
#[test]
fn every_phase_and_the_steps_that_wait_for_hearings() {
    type Row = (&'static str, fn() -> DraftStep);
    let free: &[Row] = &[
        ("DRC", || planned(101, 60, 70)),
        ("DRC", || recommended(401, 1)),
        ("DRC", || published(1, None)),
        ("A", || published(1, Some(500))),
    ];
    for (name, phase) in PHASES {
        let mut draft = in_phase(phase);
        for (taken, step) in free {
            if phase == Phase::Heard && taken.contains('C') {
                assert_eq!(outcome(&draft, 50, 2, step()), Some(Code::Phase), "an item has no reply: {:?}", step());
            }
        }
        if phase == Phase::Heard {
            draft.take(&by(50, 1), disposed(100, 200, 1)).unwrap();
            draft.take(&by(50, 1), completed(100)).unwrap();
        }
        for (taken, step) in free {
            let refused = outcome(&draft, 50, 2, step());
            // An adopted draft without the decision is refused for want of it.
            let expected = match (taken.contains(name), phase, step()) {
                (true, ..) => None,
                (_, Phase::Adopted, DraftStep::Published { .. }) => Some(Code::NotFound),
                _ => Some(Code::Phase),
            };
            assert_eq!(refused, expected, "{phase}: {:?}", step());
        }
    }
}

/// Each stage of a hearing, in a draft where nothing else stands in the way, against each step of a hearing.
#[test]
fn every_stage_and_every_step_of_a_hearing() {
    let planned_one = || drafted([edited(7, 1, 2), planned(100, 20, 30), invited(100, 300)]);
    let with_answer = || {
        let mut draft = planned_one();
        draft.take(&by(21, 1), answered(100, answer(200, 1))).unwrap();
        draft
    };
    let completed_one = || {
        let mut draft = with_answer();
        draft.take(&by(31, 1), disposed(100, 200, 1)).unwrap();
        draft.take(&by(31, 1), completed(100)).unwrap();
        draft
    };
    let called_off = || {
        let mut draft = with_answer();
        draft.take(&by(22, 1), cancelled(100)).unwrap();
        draft
    };
    let stages: [(char, HearingStage, Draft, i64); 5] = [
        ('P', HearingStage::Planned, planned_one(), 10),
        ('O', HearingStage::Open, with_answer(), 25),
        ('C', HearingStage::Closed, with_answer(), 30),
        ('D', HearingStage::Completed, completed_one(), 35),
        ('X', HearingStage::Cancelled, called_off(), 25),
    ];
    let rows: Vec<(&str, DraftStep)> = vec![
        ("P", DraftStep::HearingReplanned { hearing: id(100), plan: plan(40, 50) }),
        ("PO", cancelled(100)),
        ("POC", extended(100, 60)),
        ("POC", invited(100, 301)),
        ("OC", answered(100, answer(201, 1))),
        ("O", DraftStep::AnswerWithdrawn { hearing: id(100), answer: id(200) }),
        ("OC", disposed(100, 200, 1)),
        ("", completed(100)),
        // What the clock did is told also when the hearing is over; not when it was called off.
        ("OCD", DraftStep::HearingOpened { hearing: id(100) }),
        ("CD", DraftStep::HearingClosed { hearing: id(100) }),
    ];
    for (name, stage, draft, at) in &stages {
        assert_eq!(draft.hearings()[0].stage(t(*at)), *stage);
        for (taken, step) in &rows {
            let expected = if taken.contains(*name) { None } else { Some(Code::Phase) };
            assert_eq!(outcome(draft, *at, 1, step.clone()), expected, "{stage:?}: {step:?}");
        }
    }
    let mut replied = with_answer();
    replied.take(&by(26, 2), disposed(100, 200, 1)).unwrap();
    assert_eq!(outcome(&replied, 29, 2, completed(100)), Some(Code::Phase), "it is still open");
    assert_eq!(outcome(&replied, 30, 2, completed(100)), None);
}

#[test]
fn every_state_and_every_step_of_a_request() {
    let submitted = RequestStep::Submitted {
        vocabulary: id(1),
        concept: None,
        title: line("Et ønske"),
        text: prose("det mangler"),
        organisation: None,
        proposal: None,
    };
    let assigned = RequestStep::Assigned { track: Track::Secretariat, reason: prose("mindre") };
    let accepted = RequestStep::Accepted { draft: id(0xd), edit: 1, reason: prose("ja") };
    let closed = |outcome, duplicate_of| RequestStep::Closed { outcome, reason: prose("nej"), duplicate_of };
    let declined = closed(RequestOutcome::Declined, None);
    let start = ChangeRequest::begin(id(9), &by(0, 1), submitted.clone()).unwrap();
    let after = |step: &RequestStep| {
        let mut request = start.clone();
        request.take(&by(1, 1), step.clone()).unwrap();
        request
    };
    let states = [
        (true, RequestState::Queued, start.clone()),
        (true, RequestState::Assigned, after(&assigned)),
        (false, RequestState::Accepted, after(&accepted)),
        (false, RequestState::Closed, after(&declined)),
        (false, RequestState::Withdrawn, after(&RequestStep::Withdrawn)),
    ];
    let rows = [
        (false, submitted),
        (true, assigned.clone()),
        (true, accepted.clone()),
        (true, declined.clone()),
        (true, closed(RequestOutcome::OutOfScope, None)),
        (true, closed(RequestOutcome::Duplicate, Some(id(8)))),
        (false, closed(RequestOutcome::Duplicate, None)),
        (false, closed(RequestOutcome::Duplicate, Some(id(9)))),
        (false, closed(RequestOutcome::Declined, Some(id(8)))),
        (false, closed(RequestOutcome::Accepted, None)),
        (true, RequestStep::Withdrawn),
    ];
    for (open, state, request) in &states {
        assert_eq!(request.state, *state);
        for (lawful, step) in &rows {
            let mut next = request.clone();
            let refused = next.take(&by(2, 1), step.clone()).err().map(|r| r.code);
            let expected = if *open && *lawful { None } else { Some(Code::Phase) };
            assert_eq!(refused, expected, "{state:?}: {step:?}");
            assert!(refused.is_none() || next == *request);
        }
        let mut next = request.clone();
        assert!(next.take(&by(2, 2), RequestStep::Withdrawn).is_err(), "only who asked takes it back");
    }
    for step in [assigned, accepted, declined, RequestStep::Withdrawn] {
        assert!(ChangeRequest::begin(id(9), &by(0, 1), step).is_err());
    }
}

#[test]
fn no_step_but_the_first_makes_a_draft() {
    for (_, step) in rows().into_iter().skip(1) {
        assert_eq!(Draft::begin(id(1), &by(0, 1), step).unwrap_err().code, Code::Phase);
    }
}
