//! The phases in the table of rights, against what drafts really take.

use super::*;
use crate::workflow::tests::{
    answer, answered, by, cancelled, commented, completed, decided, digest, disposed, drafted, edited, extended, held,
    id, in_phase, invited, plan, planned, published, recommended, resumed, t, undone, withdrawn,
};
use crate::workflow::{Draft, DraftStep, Matter as _, Outcome};

/// Drafts that have come so far, in the ways that matter to hearings.
fn witnesses(phase: Phase) -> Vec<Draft> {
    let mut all = vec![in_phase(phase)];
    if phase == Phase::Heard {
        let mut done = in_phase(phase);
        for step in [disposed(100, 200, 1), completed(100)] {
            done.take(&by(40, 1), step).unwrap();
        }
        all.push(done);
    }
    let with_hearing = |more: Vec<DraftStep>| {
        let steps = vec![edited(7, 1, 2), planned(100, 4, 6), invited(100, 300), answered(100, answer(200, 1))];
        let mut draft = drafted(steps);
        for step in more {
            draft.take(&by(40, 1), step).unwrap();
        }
        draft
    };
    match phase {
        // A closed hearing below a draft that rests or was given up.
        Phase::OnHold => all.push(with_hearing(vec![held()])),
        Phase::Withdrawn => all.push(with_hearing(vec![withdrawn()])),
        Phase::Recommended => {
            all.push(with_hearing(vec![disposed(100, 200, 1), completed(100), recommended(400, 1)]));
        }
        _ => {}
    }
    all
}

/// The steps that a command takes.
fn steps(command: Command) -> Vec<DraftStep> {
    match command {
        Command::EditDraft => vec![edited(7, 2, 3), undone(1)],
        Command::Comment => vec![commented()],
        Command::SteerDraft => vec![
            DraftStep::Described { title: "Ny".parse().unwrap(), purpose: None, group: None },
            DraftStep::SentToReview,
            held(),
            resumed(),
            withdrawn(),
            DraftStep::Recalled { reason: "fejl".parse().unwrap() },
        ],
        Command::HoldHearing => vec![
            planned(101, 60, 70),
            DraftStep::HearingReplanned { hearing: id(100), plan: plan(60, 70) },
            cancelled(100),
            extended(100, 20_000),
            invited(100, 301),
            completed(100),
        ],
        Command::AnswerHearing => {
            vec![answered(100, answer(201, 1)), DraftStep::AnswerWithdrawn { hearing: id(100), answer: id(200) }]
        }
        Command::Dispose => vec![disposed(100, 200, 1)],
        Command::Recommend => vec![recommended(401, 1)],
        Command::Decide => vec![decided(501, 400, 1, Outcome::Adopted)],
        Command::Approve => vec![DraftStep::Approved { digest: digest(1) }],
        Command::PublishDraft => vec![published(1, Some(500)), published(1, None)],
        other => panic!("{other} has phases, and no step is known for it"),
    }
}

/// What the table allows in a phase, some draft in that phase takes; what it does not, none takes.
#[test]
fn the_table_has_the_phases_in_which_steps_are_taken() {
    let mut seen = 0;
    for right in RIGHTS.iter().filter(|right| !right.phases.is_empty()) {
        for phase in Phase::ALL {
            let taken = witnesses(*phase).iter().any(|draft| {
                assert_eq!(draft.phase(t(50)), *phase);
                steps(right.command).into_iter().any(|step| draft.clone().take(&by(50, 2), step).is_ok())
            });
            // An answer is taken back by the one who gave it.
            let own = witnesses(*phase)
                .iter()
                .any(|draft| steps(right.command).into_iter().any(|step| draft.clone().take(&by(50, 1), step).is_ok()));
            assert_eq!(right.phases.contains(phase), taken || own, "{} in {phase}", right.command);
            seen += 1;
        }
    }
    assert!(seen >= 100, "ten commands have phases");
}
