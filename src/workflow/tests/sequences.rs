//! Whatever is tried, in whatever order, by whomever: what always holds of a draft.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::random::{edits, run, tries};
use super::*;

type Said = BTreeMap<Uuid, Option<Arc<Content>>>;

fn said(draft: &Draft) -> Said {
    draft.proposals().iter().map(|(u, p)| (*u, p.content.clone())).collect()
}

/// A draft as the clock has it at an instant.
fn at(draft: &Draft, instant: Instant) -> Draft {
    let mut draft = draft.clone();
    draft.advance(instant);
    draft
}

fn after(instant: Instant, hours: i64) -> Instant {
    Instant::from_micros(instant.micros() + hours * HOUR)
}

/// Every text that stands in a step, as people wrote it.
fn words(step: &DraftStep) -> Vec<String> {
    fn walk(value: &serde_json::Value, out: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) if text.contains('<') || text.starts_with("term ") => {
                out.push(text.clone())
            }
            serde_json::Value::Array(items) => items.iter().for_each(|v| walk(v, out)),
            // What the version below says is that version's to keep.
            serde_json::Value::Object(map) => {
                map.iter().filter(|(name, _)| *name != "base").for_each(|(_, v)| walk(v, out));
            }
            _ => {}
        }
    }
    let mut out = Vec::new();
    // What a draft is called and a hearing's plan are replaced by later ones; the steps have them.
    if !matches!(
        step,
        DraftStep::Described { .. } | DraftStep::HearingPlanned { .. } | DraftStep::HearingReplanned { .. }
    ) {
        walk(&serde_json::to_value(step).unwrap(), &mut out);
    }
    out
}

/// What holds of every draft at every instant from its last step on.
fn lawful(draft: &Draft, instant: Instant) {
    let now = at(draft, instant);
    let phase = now.phase(instant);
    assert_eq!(phase, draft.phase(instant), "to tell what the clock did does not change it");
    assert_eq!(at(&now, instant), now, "said twice is said once");
    let under_way: Vec<&Hearing> = now.hearings().iter().filter(|h| !h.is_over()).collect();
    assert!(under_way.len() <= 1, "one hearing at a time");
    let Some(hearing) = under_way.first() else {
        assert_ne!(phase, Phase::InHearing);
        return;
    };
    assert_eq!(hearing.uuid, now.hearings().last().unwrap().uuid);
    match hearing.stage(instant) {
        HearingStage::Planned => assert!(phase.is_editable(), "{phase} with a planned hearing"),
        HearingStage::Open => assert_eq!(phase, Phase::InHearing),
        HearingStage::Closed => assert!(matches!(phase, Phase::Heard | Phase::OnHold | Phase::Withdrawn), "{phase}"),
        stage => panic!("{stage:?} is the end of a hearing"),
    }
    let opened = hearing.stage(instant) != HearingStage::Planned;
    assert_eq!(hearing.snapshot.is_some(), opened);
    if phase == Phase::InHearing {
        assert_eq!(hearing.snapshot, Some(now.edits().len()), "what is heard is what stands");
    }
}

/// What a step that was taken must have found and made.
fn earned(before: &Draft, stamp: &Stamp, step: &DraftStep, draft: &Draft) {
    let found = before.phase(stamp.at);
    let phase = draft.phase(stamp.at);
    if !found.is_editable() {
        assert_eq!(said(before), said(draft), "{step:?} changed content in {found}");
        assert_eq!(before.edits().len(), draft.edits().len());
    }
    if matches!(found, Phase::Published | Phase::Rejected | Phase::Withdrawn) {
        assert_eq!(found, phase, "the end is the end");
    }
    assert_eq!(phase == Phase::Published, draft.publication().is_some());
    match step {
        DraftStep::HearingCompleted { hearing } => {
            let hearing = draft.hearing(*hearing).unwrap();
            assert!(stamp.at >= hearing.plan.deadline);
            for answer in hearing.standing() {
                let replies: Vec<_> = answer.replies().collect();
                assert_eq!(replies.len(), answer.answer.items.len());
                assert!(replies.iter().all(Option::is_some), "an item has no reply");
                assert!(!replies.is_empty() || answer.answer.attachments.is_empty(), "a file has no reply");
            }
        }
        DraftStep::Answered { hearing, answer } => {
            let hearing = draft.hearing(*hearing).unwrap();
            let state = hearing.answered(answer.uuid).unwrap();
            assert_eq!(state.late, stamp.at >= hearing.plan.deadline);
            for party in hearing.parties.iter().map(|(p, _)| p.uuid) {
                let standing =
                    |late| hearing.standing().filter(|a| a.late == late && a.answer.party == Some(party)).count();
                assert!(standing(false) <= 1 && standing(true) <= 1, "a party has one answer");
            }
            let in_time = |d: &Draft| d.hearings().last().unwrap().standing().filter(|a| !a.late).count();
            assert!(!state.late || in_time(before) == in_time(draft), "a late answer takes away one that was in time");
        }
        DraftStep::AnswerWithdrawn { hearing, .. } => {
            assert!(stamp.at < draft.hearing(*hearing).unwrap().plan.deadline)
        }
        DraftStep::Recommended { .. } | DraftStep::Published { .. } => {
            assert!(before.hearings().iter().all(Hearing::is_over), "somebody waits for a reply");
            if let DraftStep::Published { publication } = step {
                let decision = draft.decisions().last().filter(|_| found == Phase::Adopted);
                assert_eq!(decision.map(|d| d.uuid), publication.decision);
                assert!(decision.is_none_or(|d| d.digest == publication.digest && d.outcome.adopts()));
                assert!(decision.is_none_or(|d| d.effective.is_none_or(|e| e == publication.effective)));
                assert!(decision.is_some() || found.is_editable());
            }
        }
        DraftStep::Decided { decision } => {
            let recommendation = before.recommendations().last().unwrap();
            assert_eq!(found, Phase::Recommended);
            assert_eq!((recommendation.uuid, recommendation.digest), (decision.recommendation, decision.digest));
            assert_eq!(recommendation.edits, draft.edits().len(), "edited since it was recommended");
        }
        _ => {}
    }
}

/// Who wrote content may not be the second pair of eyes, and content that stands has a writer that counts.
fn two_pairs(draft: &Draft) {
    let authors = draft.authors();
    for (concept, proposal) in draft.proposals().iter().filter(|(_, p)| p.differs()) {
        let wrote = |e: &&Edit| {
            e.kind != EditKind::Undo && e.effects.iter().any(|x| x.concept == *concept && x.after == proposal.content)
        };
        assert!(draft.edits().iter().filter(wrote).any(|e| authors.contains(&e.stamp.by)), "nobody wrote {concept}");
    }
    for who in
        (0..4).map(account).chain([Author::Clock, Author::Contact(id(0xc0417)), Author::Operator("drift".into())])
    {
        for of in (0..3).map(digest) {
            let Ok(second) = draft.second_eyes(&who, of) else { continue };
            assert!(!authors.contains(&second), "an author is the second pair of eyes");
            assert!(matches!(second, Author::Account(_) | Author::Operator(_)));
            let approved = draft.approvals().iter().any(|a| a.stamp.by == second && a.digest == of);
            assert!(second == who || approved, "{second} has not looked at it");
        }
    }
}

proptest! {
    /// A refused step changes nothing; a step that is taken was earned; and whatever was said can be read.
    #[test]
    fn nothing_unlawful_and_no_word_lost(tries in tries(60), ask in 0i64..40) {
        let (draft, taken) = run(&tries, |before, stamp, step, outcome, after_it| {
            if outcome.is_err() {
                assert_eq!(before, after_it, "a refused step changed the draft: {step:?}");
            } else {
                earned(before, stamp, step, after_it);
                assert_eq!(before.steps() + 1, after_it.steps());
            }
            let last = after_it.last.at;
            for instant in [last, after(last, ask), after(last, 1000)] {
                lawful(after_it, instant);
            }
        });
        two_pairs(&draft);
        let kept = format!(
            "{:?}{:?}{:?}{:?}{:?}{:?}",
            draft.edits(), draft.threads(), draft.hearings(), draft.recommendations(), draft.decisions(), draft.moves()
        );
        for (_, step) in &taken {
            for word in words(step) {
                prop_assert!(kept.contains(&word), "{word:?} is lost: {step:?}");
            }
        }
    }

    /// The steps that were taken make the same draft again, read from what is written, and whoever asks meanwhile.
    #[test]
    fn replayed_it_is_the_same(tries in tries(60), asks in prop::collection::vec(0i64..9, 60)) {
        let (draft, taken) = run(&tries, |_, _, _, _, _| ());
        let read = |step: &DraftStep| -> DraftStep { serde_json::from_str(&serde_json::to_string(step).unwrap()).unwrap() };
        let mut again = Draft::begin(draft.uuid, &taken[0].0, read(&taken[0].1)).unwrap();
        for (i, (stamp, step)) in taken.iter().enumerate().skip(1) {
            let between = after(again.last.at, asks[i % asks.len()]).min(stamp.at);
            again.advance(between);
            // Somebody whose clock is behind asks too.
            again.advance(again.last.at);
            prop_assert!(again.take(stamp, read(step)).is_ok(), "refused when replayed: {:?}", step);
        }
        again.advance(draft.last.at);
        prop_assert_eq!(&draft, &again);
        let end = after(draft.last.at, 1000);
        prop_assert_eq!(at(&draft, end), at(&again, end));
    }

    /// Every moment is what a naive model says, and the last one is now.
    #[test]
    fn moments_agree_with_a_naive_model(tries in edits(30)) {
        let mut model: Vec<Said> = vec![Said::new()];
        let mut first: Said = Said::new();
        let (draft, _) = run(&tries, |before, _, _, outcome, after_it| {
            if outcome.is_ok() {
                for (concept, proposal) in after_it.proposals() {
                    let known = before.proposals().get(concept);
                    first.entry(*concept).or_insert_with(|| known.map_or(proposal.base.clone(), |k| k.content.clone()));
                }
                model.push(said(after_it));
            }
        });
        prop_assert_eq!(model.len(), draft.edits().len() + 1);
        for (n, known) in model.iter().enumerate() {
            let mut expected = first.clone();
            expected.extend(known.clone());
            prop_assert_eq!(draft.moment(n).unwrap(), expected);
        }
        prop_assert_eq!(draft.moment(draft.edits().len()).unwrap(), said(&draft));
        prop_assert!(draft.moment(draft.edits().len() + 1).is_err());
    }

    /// To take back and to take that back is to do nothing; refused is exactly what would take away other words.
    #[test]
    fn what_is_undone_can_be_redone(tries in edits(30)) {
        let (draft, _) = run(&tries, |_, _, _, _, _| ());
        two_pairs(&draft);
        let mut bases: Vec<BTreeMap<Uuid, Option<Arc<Content>>>> = vec![BTreeMap::new()];
        run(&tries, |_, _, _, outcome, now| {
            if outcome.is_ok() {
                bases.push(now.proposals().iter().map(|(u, p)| (*u, p.base.clone())).collect());
            }
        });
        for (i, edit) in draft.edits().iter().enumerate() {
            let number = i + 1;
            let standing = draft.edits().iter().enumerate();
            let by_one = standing.filter(|(_, e)| e.undoes == Some(number) && e.undone.is_none()).count();
            prop_assert!(edit.undone.is_none() || by_one >= 1, "{number} is taken back by nothing that stands");
            let same = edit.effects.iter().all(|e| draft.proposals()[&e.concept].content == e.after);
            let laid = edit.effects.iter().any(|e| {
                bases[number..].windows(2).any(|w| w[0].get(&e.concept) != w[1].get(&e.concept))
            });
            let may = edit.undone.is_none() && edit.kind != EditKind::Rebase && same && !laid;
            let mut other = draft.clone();
            let stamp = Stamp { at: draft.last.at, by: account(3) };
            let done = other.take(&stamp, undone(number));
            prop_assert_eq!(done.is_ok(), may, "edit {}: {:?}", number, done);
            if !may {
                continue;
            }
            for effect in edit.effects.iter() {
                prop_assert_eq!(&other.proposals()[&effect.concept].content, &effect.before);
            }
            let by = other.edits().len();
            prop_assert_eq!(other.edits()[i].undone, Some(by));
            other.take(&stamp, undone(by)).unwrap();
            prop_assert_eq!(said(&other), said(&draft));
            // Who undid and redid decided what it says.
            let (before, redoer) = (draft.authors(), account(3));
            prop_assert!(other.authors().into_iter().all(|a| before.contains(a) || *a == redoer));
            prop_assert!(other.authors().contains(&redoer) && other.authors().is_superset(&before));
            let marks = |d: &Draft| d.edits()[..draft.edits().len()].iter().map(|e| e.undone).collect::<Vec<_>>();
            prop_assert_eq!(marks(&other), marks(&draft));
        }
    }

    /// Whoever wrote and whoever approved: an author alone is never enough.
    #[test]
    fn an_author_alone_is_never_enough(
        wrote in prop::collection::vec((0u128..4, 0u8..2), 1..8),
        approved in prop::collection::vec((0u128..4, 0u8..2), 0..8),
        more in prop::collection::vec(0u128..4, 0..2),
        publisher in 0u128..4,
        of in 0u8..2,
    ) {
        let mut draft = Draft::begin(id(0xd), &by(0, 9), opened(false)).unwrap();
        let mut last = 1;
        let mut write = |draft: &mut Draft, who| {
            let to = last % 4 + 1;
            draft.take(&by(2, who), edited(7, last, to)).unwrap();
            last = to;
        };
        let mut authors: BTreeSet<u128> = BTreeSet::new();
        for (who, _) in &wrote {
            write(&mut draft, *who);
            authors.insert(*who);
        }
        let mut approvals = Vec::new();
        for (who, digest_of) in approved {
            let done = draft.take(&by(2, who), DraftStep::Approved { digest: digest(digest_of) });
            prop_assert_eq!(done.is_ok(), !authors.contains(&who));
            if done.is_ok() {
                approvals.push((who, digest_of));
            }
        }
        for who in more {
            write(&mut draft, who);
            authors.insert(who);
        }
        let eyes = |who: u128| !authors.contains(&who);
        let enough = eyes(publisher) || approvals.iter().any(|(who, d)| *d == of && eyes(*who));
        prop_assert_eq!(draft.second_eyes(&account(publisher), digest(of)).is_ok(), enough);
    }
}

/// The properties above speak of something: every phase is reached, and every step both taken and refused.
#[test]
fn the_sequences_come_everywhere() {
    let mut runner = TestRunner::deterministic();
    let strategy = tries(120);
    let mut phases = BTreeSet::new();
    let mut seen: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for _ in 0..400 {
        let tries = strategy.new_tree(&mut runner).unwrap().current();
        run(&tries, |_, stamp, step, outcome, draft| {
            phases.insert(draft.phase(stamp.at.max(draft.last.at)));
            let name = serde_json::to_value(step).unwrap()["step"].as_str().unwrap().to_owned();
            let count = seen.entry(name).or_default();
            if outcome.is_ok() { count.0 += 1 } else { count.1 += 1 }
        });
    }
    assert_eq!(phases.into_iter().collect::<Vec<_>>(), Phase::ALL);
    assert_eq!(seen.len(), 26, "{seen:?}");
    assert!(seen.values().all(|(taken, refused)| *taken > 0 && *refused > 0), "{seen:?}");
}
