//! Single stories: what went wrong once, or would be easy to get wrong.

use std::collections::BTreeMap;

use super::*;

fn refused(draft: &mut Draft, at: i64, who: u128, step: DraftStep) -> Code {
    let before = draft.clone();
    let refusal = draft.take(&by(at, who), step).unwrap_err();
    assert_eq!(*draft, before, "a refused step changed the draft");
    refusal.code
}

fn taken(draft: &mut Draft, at: i64, who: u128, step: DraftStep) {
    draft.take(&by(at, who), step).unwrap();
}

#[test]
fn an_extension_that_is_refused_leaves_the_deadline() {
    let mut draft = in_phase(Phase::Heard);
    taken(&mut draft, 10, 1, edited(7, 2, 3));
    assert_eq!(refused(&mut draft, 11, 1, extended(100, 99)), Code::Phase);
    assert_eq!((draft.hearings()[0].plan.deadline, draft.hearings()[0].extensions.len()), (t(6), 0));
}

#[test]
fn an_extension_after_the_deadline_freezes_again() {
    let mut draft = in_phase(Phase::Heard);
    taken(&mut draft, 10, 1, disposed(100, 200, 1));
    taken(&mut draft, 11, 2, answered(100, answer(201, 0)));
    taken(&mut draft, 12, 1, extended(100, 20));
    assert_eq!(draft.phase(t(12)), Phase::InHearing);
    taken(&mut draft, 19, 2, answered(100, answer(202, 0)));
    taken(&mut draft, 20, 2, answered(100, answer(203, 0)));
    let late: Vec<bool> = draft.hearings()[0].answers.iter().map(|a| a.late).collect();
    assert_eq!(late, [false, true, false, true], "what came late came late");
    assert_eq!(draft.phase(t(20)), Phase::Heard);
    taken(&mut draft, 20, 1, completed(100));
}

#[test]
fn to_undo_across_a_rebase_is_not_to_undo_the_other_version() {
    // Both changed 1 otherwise, and the draft's was chosen: before the edit is no longer what the version says.
    let mut draft = drafted([edited(7, 1, 2)]);
    let ours = [(id(7), Resolution::Take(Choice::Ours))].into();
    let merged = merge(draft.proposals(), |_| content(3), &ours).unwrap();
    taken(&mut draft, 5, 2, DraftStep::Rebased { onto: base(1), reason: prose("ny"), merged });
    assert_eq!(refused(&mut draft, 6, 1, undone(1)), Code::Conflict);
    // The other version did the same.
    let mut draft = drafted([edited(7, 1, 2)]);
    let merged = merge(draft.proposals(), |_| content(2), &BTreeMap::new()).unwrap();
    taken(&mut draft, 5, 2, DraftStep::Rebased { onto: base(1), reason: prose("ny"), merged });
    assert_eq!(refused(&mut draft, 6, 1, undone(1)), Code::Conflict);
    assert!(draft.changes().is_empty());
    // The other version left it alone: it can be taken back, and so can what came after the rebase.
    let mut draft = drafted([edited(7, 1, 2)]);
    let merged = merge(draft.proposals(), |_| content(1), &BTreeMap::new()).unwrap();
    taken(&mut draft, 5, 2, DraftStep::Rebased { onto: base(1), reason: prose("ny"), merged });
    taken(&mut draft, 6, 1, edited(7, 2, 3));
    taken(&mut draft, 7, 1, undone(3));
    taken(&mut draft, 7, 1, undone(1));
    assert!(draft.changes().is_empty());
}

#[test]
fn what_came_back_to_where_it_began_follows_the_other_version() {
    let mut draft = drafted([edited(7, 1, 2), undone(1)]);
    let merged = merge(draft.proposals(), |_| content(3), &BTreeMap::new()).unwrap();
    taken(&mut draft, 5, 2, DraftStep::Rebased { onto: base(1), reason: prose("ny"), merged });
    assert_eq!(draft.proposals()[&id(7)].content, content(3));
    assert!(draft.changes().is_empty());
    assert_eq!(refused(&mut draft, 6, 1, undone(2)), Code::Conflict, "to redo is to edit what that version says");
}

#[test]
fn taken_back_four_times_every_other_one_stands() {
    let mut draft = drafted([edited(7, 1, 2)]);
    for n in 1..5 {
        taken(&mut draft, 10, 2, undone(n));
        let marks: Vec<bool> = draft.edits().iter().map(|e| e.undone.is_some()).collect();
        let expected: Vec<bool> = (0..=n).map(|i| (n - i) % 2 == 1).collect();
        assert_eq!(marks, expected, "after {n}");
        let stands = n % 2 == 0;
        assert_eq!(draft.authors().contains(&account(1)), stands);
        assert_eq!(draft.proposals()[&id(7)].differs(), stands);
    }
}

#[test]
fn who_approved_and_then_wrote_is_not_the_second() {
    let mut draft = drafted([edited(7, 1, 2)]);
    taken(&mut draft, 5, 2, DraftStep::Approved { digest: digest(1) });
    assert_eq!(draft.second_eyes(&account(1), digest(1)).unwrap(), account(2));
    assert_eq!(draft.second_eyes(&account(1), digest(2)).unwrap_err().code, Code::FourEyes, "other content by now");
    taken(&mut draft, 6, 2, edited(7, 2, 3));
    assert_eq!(draft.second_eyes(&account(1), digest(1)).unwrap_err().code, Code::FourEyes);
    taken(&mut draft, 7, 1, undone(2));
    assert_eq!(draft.second_eyes(&account(1), digest(1)).unwrap(), account(2), "it is the approved content again");
    assert_eq!(refused(&mut draft, 8, 1, DraftStep::Approved { digest: digest(1) }), Code::FourEyes);
}

#[test]
fn who_takes_back_decides_what_it_says_as_who_wrote_it() {
    let mut draft = drafted([edited(7, 1, 2), edited(8, 1, 2)]);
    taken(&mut draft, 5, 2, undone(1));
    assert!(draft.authors().into_iter().eq([&account(1), &account(2)]));
    assert_eq!(refused(&mut draft, 6, 2, DraftStep::Approved { digest: digest(1) }), Code::FourEyes);
    assert!(draft.second_eyes(&account(2), digest(1)).is_err());
    assert_eq!(draft.second_eyes(&account(3), digest(1)).unwrap(), account(3));
    // Taken back in its turn it decides nothing any more; who did that does.
    taken(&mut draft, 7, 3, undone(3));
    assert!(draft.authors().into_iter().eq([&account(1), &account(3)]));
    assert_eq!(draft.second_eyes(&account(2), digest(1)).unwrap(), account(2));
}

#[test]
fn why_a_draft_rests_or_was_given_up_can_be_read() {
    let draft = drafted([held(), resumed(), withdrawn()]);
    let moves: Vec<_> = draft.moves().iter().map(|m| (m.to, m.reason.as_str(), m.stamp.at)).collect();
    let expected =
        [(Phase::OnHold, "ferie", t(1)), (Phase::Drafting, "videre", t(2)), (Phase::Withdrawn, "opgivet", t(3))];
    assert_eq!(moves, expected);
}

#[test]
fn it_goes_on_where_it_rested() {
    for phase in [Phase::Drafting, Phase::InReview, Phase::Heard] {
        let mut draft = in_phase(phase);
        taken(&mut draft, 50, 1, held());
        assert_eq!(draft.phase(t(5_000)), Phase::OnHold);
        taken(&mut draft, 51, 1, resumed());
        assert_eq!(draft.phase(t(51)), phase);
    }
}

#[test]
fn a_planned_hearing_must_be_called_off_before_rest_or_end() {
    let mut draft = drafted([edited(7, 1, 2), planned(100, 50, 60)]);
    for step in [held(), withdrawn(), recommended(400, 1), published(1, None), planned(101, 70, 80)] {
        assert_eq!(refused(&mut draft, 10, 1, step), Code::Phase);
    }
    taken(&mut draft, 20, 1, edited(7, 2, 3));
    assert_eq!(draft.phase(t(50)), Phase::InHearing);
    assert_eq!(refused(&mut draft, 50, 1, edited(7, 3, 1)), Code::Phase);
    draft.advance(t(50));
    assert_eq!(draft.hearings()[0].snapshot, Some(2), "edits went on until it opened");
    // Nobody asked from before it opened until after it closed.
    let mut asleep = drafted([edited(7, 1, 2), planned(100, 50, 60)]);
    taken(&mut asleep, 70, 1, edited(7, 2, 3));
    assert_eq!((asleep.phase(t(70)), asleep.hearings()[0].snapshot), (Phase::Heard, Some(1)));
}

#[test]
fn a_second_hearing_opens_and_closes_like_the_first() {
    let mut draft = in_phase(Phase::Heard);
    taken(&mut draft, 10, 1, disposed(100, 200, 1));
    taken(&mut draft, 10, 1, completed(100));
    taken(&mut draft, 11, 1, planned(101, 20, 30));
    assert_eq!([15, 20, 30].map(|h| draft.phase(t(h))), [Phase::Heard, Phase::InHearing, Phase::Heard]);
    assert_eq!(refused(&mut draft, 31, 2, answered(100, answer(201, 1))), Code::Phase, "the first is over");
    let mut off = draft.clone();
    assert_eq!(refused(&mut off, 31, 1, cancelled(101)), Code::Phase);
    taken(&mut draft, 31, 1, completed(101));
    taken(&mut draft, 31, 1, recommended(400, 1));
}

#[test]
fn a_draft_that_rests_or_is_given_up_is_not_answered() {
    for (step, phase) in [(held(), Phase::OnHold), (withdrawn(), Phase::Withdrawn)] {
        let mut draft = in_phase(Phase::Heard);
        taken(&mut draft, 10, 1, step);
        assert_eq!(refused(&mut draft, 11, 2, answered(100, answer(201, 1))), Code::Phase);
        assert_eq!(refused(&mut draft, 11, 2, invited(100, 301)), Code::Phase);
        assert_eq!(draft.phase(t(11)), phase);
        // What the clock did is told all the same.
        taken(&mut draft, 11, 2, DraftStep::HearingClosed { hearing: id(100) });
    }
}

#[test]
fn who_waits_for_a_reply_gets_one_before_it_goes_on() {
    let mut draft = in_phase(Phase::Heard);
    assert_eq!(refused(&mut draft, 10, 1, recommended(400, 1)), Code::Phase);
    assert_eq!(refused(&mut draft, 10, 2, published(1, None)), Code::Phase);
    assert_eq!(refused(&mut draft, 10, 2, completed(100)), Code::Phase);
    taken(&mut draft, 10, 1, disposed(100, 200, 1));
    taken(&mut draft, 10, 1, completed(100));
    taken(&mut draft, 10, 1, recommended(400, 1));
}

fn attached(n: u128, items: usize) -> Answer {
    let name = line("høringssvar.pdf");
    let file = Attachment { uuid: id(1), name, media_type: "application/pdf".into(), size: 1, digest: digest(0) };
    Answer { attachments: vec![file], ..answer(n, items) }
}

#[test]
fn a_file_comes_with_an_item_that_can_be_replied_to() {
    let mut draft = in_phase(Phase::InHearing);
    assert_eq!(refused(&mut draft, 10, 2, answered(100, attached(201, 0))), Code::Unlawful);
    taken(&mut draft, 10, 2, answered(100, attached(201, 1)));
    taken(&mut draft, 10, 2, answered(100, answer(202, 0)));
}

#[test]
fn answers_take_the_place_of_the_same_partys_only() {
    let mut draft = drafted([edited(7, 1, 2), planned(100, 4, 20), invited(100, 300), invited(100, 301)]);
    let of = |n, party: u128, instead: Option<u128>| {
        answered(100, Answer { party: Some(id(party)), instead_of: instead.map(id), ..answer(n, 1) })
    };
    let standing = |d: &Draft| d.hearings()[0].standing().map(|a| a.answer.uuid.as_u128()).collect::<Vec<_>>();
    taken(&mut draft, 5, 1, of(200, 300, None));
    taken(&mut draft, 6, 1, answered(100, answer(201, 1)));
    // One hand that writes for several parties takes away none of them.
    assert_eq!(refused(&mut draft, 7, 1, of(202, 301, Some(200))), Code::Unlawful);
    assert_eq!(refused(&mut draft, 7, 1, of(202, 301, Some(201))), Code::Unlawful);
    assert_eq!(refused(&mut draft, 7, 1, of(202, 300, Some(201))), Code::Unlawful);
    let public = |instead| answered(100, Answer { instead_of: Some(id(instead)), ..answer(203, 1) });
    assert_eq!(refused(&mut draft, 7, 1, public(200)), Code::Unlawful);
    assert_eq!(refused(&mut draft, 7, 2, public(201)), Code::Phase, "somebody else's");
    assert_eq!(refused(&mut draft, 7, 1, public(299)), Code::NotFound);
    taken(&mut draft, 8, 1, of(204, 300, None));
    taken(&mut draft, 9, 1, public(201));
    assert_eq!(standing(&draft), [204, 203]);
    // The deadline has passed: what came in time stands, and late ones take the place of late ones.
    assert_eq!(refused(&mut draft, 20, 1, of(205, 300, Some(204))), Code::Phase);
    taken(&mut draft, 20, 1, of(206, 300, None));
    taken(&mut draft, 21, 1, of(207, 300, None));
    assert_eq!(standing(&draft), [204, 203, 207]);
    assert_eq!(draft.hearings()[0].answer_of(id(300)).unwrap().answer.uuid, id(204));
    assert_eq!(draft.hearings()[0].answers.len(), 6, "all were kept");
}

#[test]
fn a_meeting_decides_an_item_once() {
    let mut draft = drafted([edited(7, 1, 2), recommended(400, 1), decided(1, 400, 1, Outcome::Returned)]);
    taken(&mut draft, 10, 1, edited(7, 2, 3));
    taken(&mut draft, 11, 1, recommended(401, 2));
    let again = |item| {
        let decision = Decision { item, ..decision(2, 401, 2, Outcome::Adopted) };
        DraftStep::Decided { decision }
    };
    assert_eq!(refused(&mut draft, 12, 1, again(1)), Code::Phase);
    taken(&mut draft, 12, 1, again(2));
    assert_eq!(draft.phase(t(12)), Phase::Adopted);
}

#[test]
fn what_is_published_is_what_was_decided() {
    let mut draft = drafted([edited(7, 1, 2), recommended(400, 1)]);
    for (of, recommendation) in [(2, 400), (1, 401)] {
        let other = decided(1, recommendation, of, Outcome::Adopted);
        assert_eq!(refused(&mut draft, 5, 1, other), Code::OtherContent);
    }
    let decision = Decision { effective: Some(t(1000)), ..decision(1, 400, 1, Outcome::Adopted) };
    taken(&mut draft, 5, 1, DraftStep::Decided { decision });
    assert_eq!(refused(&mut draft, 6, 1, published(2, Some(1))), Code::OtherContent);
    assert_eq!(refused(&mut draft, 6, 1, published(1, Some(2))), Code::NotFound);
    let DraftStep::Published { mut publication } = published(1, Some(1)) else { unreachable!() };
    publication.effective = t(999);
    assert_eq!(refused(&mut draft, 6, 1, DraftStep::Published { publication }), Code::OtherContent);
    taken(&mut draft, 6, 1, published(1, Some(1)));
}

#[test]
fn an_edit_names_a_concept_once_and_is_an_edit() {
    let mut draft = drafted([]);
    let DraftStep::Edited { effects, reason, .. } = edited(7, 1, 2) else { unreachable!() };
    let two = vec![effects[0].clone(), Effect { after: content(3), ..effects[0].clone() }];
    let step = |kind, effects: &[Effect]| DraftStep::Edited {
        kind,
        reason: reason.clone(),
        because: None,
        meaning: None,
        effects: effects.to_vec(),
    };
    assert_eq!(refused(&mut draft, 1, 1, step(EditKind::Change, &two)), Code::Unlawful);
    assert_eq!(refused(&mut draft, 1, 1, step(EditKind::Undo, &effects)), Code::Phase);
    assert_eq!(refused(&mut draft, 1, 1, step(EditKind::Rebase, &effects)), Code::Phase);
}

#[test]
fn what_a_vocabulary_asks_of_hearings() {
    use crate::model::Governance::{Committee, Direct, Hearing, Mirror};
    let heard = |draft: &Draft| [Hearing, Committee, Direct, Mirror].map(|g| draft.heard_enough(g).is_ok());
    assert_eq!(heard(&in_phase(Phase::Drafting)), [false, true, true, true]);
    let mut draft = in_phase(Phase::Heard);
    assert_eq!(heard(&draft), [false; 4], "somebody waits for a reply");
    taken(&mut draft, 10, 1, disposed(100, 200, 1));
    taken(&mut draft, 10, 1, completed(100));
    assert_eq!(heard(&draft), [true; 4]);
    let called_off = drafted([edited(7, 1, 2), planned(100, 4, 6), cancelled(100)]);
    assert_eq!(heard(&called_off), [false, true, true, true]);
    // A minor draft needs none while it is minor: no other name, nothing new, nothing gone.
    let noted = |text: &str| {
        let mut fields = (*content(1).unwrap()).clone().into_fields();
        let (kind, language) = (crate::model::NoteKind::Scope, Language::danish());
        fields.notes = vec![crate::model::Note { kind, language, text: text.into() }];
        Some(Arc::new(Content::new(fields).unwrap()))
    };
    for (after, minor) in [(noted("en note"), true), (content(2), false), (None, false)] {
        let mut draft = Draft::begin(id(0xd), &by(0, 1), opened(true)).unwrap();
        let effects = vec![Effect { concept: id(7), before: content(1), after }];
        let (kind, reason) = (EditKind::Change, prose("fordi"));
        taken(&mut draft, 1, 1, DraftStep::Edited { kind, reason, because: None, meaning: None, effects });
        assert_eq!(draft.heard_enough(Hearing).is_ok(), minor);
    }
}
