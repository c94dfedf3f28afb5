//! What was decided where the process leaves a doubt.

use std::collections::BTreeMap;

use super::*;

fn refused(draft: &mut Draft, at: i64, who: u128, step: DraftStep) -> Refusal {
    let before = draft.clone();
    let refusal = draft.take(&by(at, who), step).unwrap_err();
    assert_eq!(*draft, before, "a refused step changed the draft");
    refusal
}

fn taken(draft: &mut Draft, at: i64, who: u128, step: DraftStep) {
    draft.take(&by(at, who), step).unwrap();
}

fn taken_back(answer: u128) -> DraftStep {
    DraftStep::AnswerWithdrawn { hearing: id(100), answer: id(answer) }
}

#[test]
fn an_answer_with_an_early_reply_is_taken_back_until_the_deadline() {
    let mut draft = drafted([edited(7, 1, 2), planned(100, 4, 20)]);
    taken(&mut draft, 5, 2, answered(100, answer(200, 1)));
    taken(&mut draft, 5, 2, answered(100, answer(201, 1)));
    for answer in [200, 201] {
        taken(&mut draft, 6, 1, disposed(100, answer, 1));
    }
    assert_eq!(refused(&mut draft, 7, 1, taken_back(200)).code, Code::Phase, "it is another's");
    taken(&mut draft, 7, 2, taken_back(200));
    assert_eq!(refused(&mut draft, 8, 2, taken_back(200)).code, Code::Phase, "once is enough");
    assert_eq!(refused(&mut draft, 20, 2, taken_back(201)).code, Code::Phase, "the deadline");
    let hearing = &draft.hearings()[0];
    let state = hearing.answered(id(200)).unwrap();
    assert_eq!((state.withdrawn.as_ref(), state.dispositions[0].len()), (Some(&by(7, 2)), 1), "the reply stays");
    assert_eq!(hearing.standing().count(), 1);
    taken(&mut draft, 21, 1, completed(100));
}

#[test]
fn another_answer_takes_the_place_of_one_with_an_early_reply() {
    let of_party = |n| answered(100, Answer { party: Some(id(300)), ..answer(n, 1) });
    let mut draft = drafted([edited(7, 1, 2), planned(100, 4, 20), invited(100, 300)]);
    taken(&mut draft, 5, 2, of_party(200));
    taken(&mut draft, 6, 1, disposed(100, 200, 1));
    taken(&mut draft, 7, 2, of_party(201));
    assert_eq!(draft.hearings()[0].undisposed(), [(id(201), 1)]);
    // What came late, and has its reply, stands: it has no deadline ahead of it.
    taken(&mut draft, 20, 2, of_party(202));
    taken(&mut draft, 21, 1, disposed(100, 202, 1));
    assert_eq!(refused(&mut draft, 22, 2, of_party(203)).code, Code::Phase);
}

#[test]
fn a_meeting_before_the_recommendation_does_not_decide_it() {
    let recommended = |at| Recommendation {
        uuid: id(400),
        stamp: Stamp { at, by: account(1) },
        committee: id(0xc0),
        text: prose("vedtag det"),
        after_hearing: None,
        digest: digest(1),
        concepts: 1,
        edits: 1,
        from: Phase::Drafting,
        recalled: None,
    };
    let (kind, title) = (ItemKind::Decision, line("Punkt"));
    let meeting = Meeting {
        uuid: id(0xee),
        stamp: by(0, 1),
        at: t(10),
        place: None,
        agenda: vec![AgendaItem { kind, title, text: None, draft: Some(id(0xd)) }],
        attendance: Some(vec![Attendance { member: id(1), present: true }]),
        minutes: vec![],
        cancelled: None,
    };
    let wish = Wish {
        uuid: id(500),
        at: t(50),
        item: 1,
        digest: digest(1),
        outcome: Outcome::Adopted,
        voting: Voting::Consensus,
        votes: vec![],
        remarks: None,
        dissent: vec![],
        effective: None,
    };
    let within = |seconds: i64| Instant::from_micros(t(10).micros() + seconds * 1_000_000);
    for (at, lawful) in [(t(9), true), (t(10), true), (within(59), true), (within(60), false), (t(11), false)] {
        let decided = decide(id(0xd), &recommended(at), &meeting, wish.clone());
        assert_eq!(decided.is_ok(), lawful, "{at}");
        if let Err(refusal) = decided {
            assert_eq!((refusal.code, refusal.place.field.as_deref()), (Code::Unlawful, Some("meeting")));
        }
    }
}

/// An edit that an item of an answer led to.
fn asked_for(concept: u128, before: u8, after: u8) -> DraftStep {
    let DraftStep::Edited { kind, reason, effects, .. } = edited(concept, before, after) else { unreachable!() };
    let because = Some(Because::Answer { hearing: id(100), answer: id(200), item: 1 });
    DraftStep::Edited { kind, reason, because, meaning: None, effects }
}

/// What was changed since the hearing: concept, edits, and whether answers led to them.
fn since(draft: &Draft) -> Vec<(u128, Vec<usize>, bool)> {
    let since = draft.since_hearing(draft.edits().len(), draft.last.at).unwrap().unwrap();
    since.into_iter().map(|s| (s.concept.as_u128(), s.edits, s.answered)).collect()
}

#[test]
fn what_no_answer_led_to_after_the_hearing_is_explained() {
    let mut draft = in_phase(Phase::Heard);
    let why = prose("en fejl");
    assert!(draft.explained(None).is_ok());
    taken(&mut draft, 10, 1, asked_for(7, 2, 3));
    assert_eq!(since(&draft), [(7, vec![2], true)]);
    assert!(draft.explained(None).is_ok());
    // A concept that nobody was asked about, and one that was changed once more than it was asked for.
    taken(&mut draft, 11, 1, edited(8, 1, 2));
    assert_eq!(since(&draft), [(7, vec![2], true), (8, vec![3], false)]);
    let refusal = draft.explained(None).unwrap_err();
    assert_eq!((refusal.code, refusal.place.field.as_deref()), (Code::Unlawful, Some("afterHearing")));
    assert_eq!(refusal.items, [id(8).to_string()]);
    assert!(draft.explained(Some(&why)).is_ok());
    taken(&mut draft, 12, 1, undone(3));
    assert_eq!(since(&draft), [(7, vec![2], true)], "it is as if it had not been");
    taken(&mut draft, 13, 1, edited(7, 3, 4));
    assert_eq!(since(&draft), [(7, vec![2, 5], false)]);
    // A reply may name an edit, too.
    let (ruling, reason, edits) = (Ruling::Partly, prose("også det"), vec![5]);
    let step = DraftStep::Disposed { hearing: id(100), answer: id(200), item: 1, ruling, reason, edits };
    taken(&mut draft, 14, 1, step);
    assert_eq!(since(&draft), [(7, vec![2, 5], true)]);
    // To take back what was heard is a change of it.
    taken(&mut draft, 15, 1, undone(5));
    taken(&mut draft, 15, 1, undone(2));
    assert_eq!(since(&draft), []);
    taken(&mut draft, 15, 1, undone(1));
    assert_eq!(since(&draft), [(7, vec![8], false)]);
    assert!(draft.explained(None).is_err());
}

#[test]
fn what_was_never_heard_has_nothing_after_it() {
    let draft = in_phase(Phase::Drafting);
    assert!(draft.explained(None).is_ok());
    assert_eq!(draft.explained(Some(&prose("x"))).unwrap_err().place.field.as_deref(), Some("afterHearing"));
    let called_off = drafted([edited(7, 1, 2), planned(100, 4, 6), cancelled(100), edited(7, 2, 3)]);
    assert_eq!(called_off.since_hearing(2, t(9)).unwrap(), None);
    // A hearing that came later says nothing of what was recommended before it.
    let mut draft = drafted([edited(7, 1, 2), edited(7, 2, 3)]);
    taken(&mut draft, 3, 1, planned(100, 10, 20));
    draft.advance(t(10));
    assert_eq!(draft.since_hearing(2, t(9)).unwrap(), None);
    assert_eq!(draft.since_hearing(2, t(10)).unwrap(), Some(vec![]));
    assert!(draft.since_hearing(3, t(10)).is_err());
}

#[test]
fn a_rebase_after_the_hearing_changes_what_was_heard() {
    let noted = |n: u8, text: &str| {
        let mut fields = (*content(n).unwrap()).clone().into_fields();
        fields.facet = Some(text.into());
        Some(Arc::new(Content::new(fields).unwrap()))
    };
    let mut draft = in_phase(Phase::Heard);
    let merged = merge(draft.proposals(), |_| noted(1, "ny"), &BTreeMap::new()).unwrap();
    taken(&mut draft, 10, 1, DraftStep::Rebased { onto: base(1), reason: prose("ny"), merged });
    assert_eq!(since(&draft), [(7, vec![2], false)]);
}

#[test]
fn what_was_readable_when_a_hearing_was_called_off_stays_so() {
    for (readable, after) in [(Readable::AtOnce, true), (Readable::AfterDeadline, false)] {
        let planned =
            |opens| DraftStep::HearingPlanned { hearing: id(100), plan: HearingPlan { readable, ..plan(opens, 20) } };
        let mut draft = drafted([edited(7, 1, 2), planned(4)]);
        taken(&mut draft, 5, 2, answered(100, answer(200, 1)));
        assert_eq!(draft.hearings()[0].is_readable(t(5)), after);
        taken(&mut draft, 6, 1, cancelled(100));
        for at in [6, 30] {
            assert_eq!(draft.hearings()[0].is_readable(t(at)), after);
        }
        // Nobody has read anything of a hearing that never opened.
        let mut early = drafted([edited(7, 1, 2), planned(10)]);
        taken(&mut early, 6, 1, cancelled(100));
        assert!(!early.hearings()[0].is_readable(t(30)));
    }
}

#[test]
fn an_empty_draft_is_called_empty() {
    let mut draft = drafted([edited(7, 1, 2), undone(1)]);
    assert_eq!(refused(&mut draft, 5, 1, recommended(400, 1)).code, Code::EmptyDraft);
    assert_eq!(drafted([]).changes_something().unwrap_err().code, Code::EmptyDraft);
}

#[test]
fn lists_are_as_long_as_they_may_be_and_no_longer() {
    let field = |r: Refusal| {
        assert_eq!(r.code, Code::TooLarge, "{r}");
        (r.place.field.unwrap(), r.allowed[0].clone())
    };
    let reply = |edits: usize| DraftStep::Disposed {
        hearing: id(100),
        answer: id(200),
        item: 1,
        ruling: Ruling::No,
        reason: prose("nej"),
        edits: vec![1; edits],
    };
    let mut draft = in_phase(Phase::Heard);
    assert_eq!(field(refused(&mut draft, 10, 1, reply(1_001))), ("edits".into(), "1000".into()));
    for _ in 0..100 {
        taken(&mut draft, 10, 1, reply(1_000));
    }
    assert_eq!(field(refused(&mut draft, 10, 1, reply(1))), ("dispositions".into(), "100".into()));
    let mut open = in_phase(Phase::InHearing);
    for n in 1..=100 {
        taken(&mut open, 50, 1, extended(100, 10_000 + n));
    }
    assert_eq!(field(refused(&mut open, 50, 1, extended(100, 20_000))).0, "extensions");
    let wide = HearingPlan { concepts: vec![id(7); Hearing::MOST_ASKED + 1], ..plan(60, 70) };
    let step = DraftStep::HearingPlanned { hearing: id(101), plan: wide };
    assert_eq!(field(refused(&mut in_phase(Phase::Drafting), 50, 1, step)).0, "concepts");

    let called = |n: u128, items: usize| {
        let item = AgendaItem { kind: ItemKind::Discussion, title: line("Punkt"), text: None, draft: None };
        WorkStep::Called { group: id(1), meeting: id(n), at: t(1), place: None, agenda: vec![item; items] }
    };
    let mut work = Work::begin(id(1), &by(0, 1), called(1, Meeting::MOST_ITEMS)).unwrap();
    assert_eq!(field(work.take(&by(1, 1), called(2, 201)).unwrap_err()), ("agenda".into(), "200".into()));
    let present = |n: usize| Attendance { member: id(n as u128), present: true };
    let attended = |n: usize| WorkStep::Held { meeting: id(1), attendance: (0..n).map(present).collect() };
    assert_eq!(field(work.take(&by(1, 1), attended(1_001)).unwrap_err()), ("attendance".into(), "1000".into()));
    work.take(&by(1, 1), attended(1_000)).unwrap();
    let minuted = WorkStep::Minuted { meeting: id(1), minutes: prose("referat") };
    for _ in 0..1_000 {
        work.take(&by(1, 1), minuted.clone()).unwrap();
    }
    assert_eq!(field(work.take(&by(1, 1), minuted).unwrap_err()).0, "minutes");
    for n in 2..=10_000 {
        work.take(&by(1, 1), called(n, 0)).unwrap();
    }
    assert_eq!(field(work.take(&by(1, 1), called(10_001, 0)).unwrap_err()), ("meetings".into(), "10000".into()));

    let submitted = RequestStep::Submitted {
        vocabulary: id(1),
        concept: None,
        title: line("Ønske"),
        text: prose("tekst"),
        organisation: None,
        proposal: None,
    };
    let mut asked = ChangeRequest::begin(id(2), &by(0, 1), submitted).unwrap();
    let assigned = RequestStep::Assigned { track: Track::Secretariat, reason: prose("vores") };
    for _ in 0..100 {
        asked.take(&by(1, 1), assigned.clone()).unwrap();
    }
    assert_eq!(field(asked.take(&by(1, 1), assigned).unwrap_err()).0, "assignments");
}
