//! What a meeting can decide, as a table.

use super::*;

fn recommendation() -> Recommendation {
    Recommendation {
        uuid: id(400),
        stamp: by(0, 1),
        committee: id(0xc0),
        text: prose("vedtag det"),
        after_hearing: None,
        digest: digest(1),
        concepts: 1,
        edits: 1,
        from: Phase::Drafting,
        recalled: None,
    }
}

fn member(n: u128) -> Uuid {
    id(0xacc0 + n)
}

/// A meeting of the members 1 to 5, of whom 5 was not there, with an item of each kind about the draft, and one about
/// another draft.
fn meeting() -> Meeting {
    let item = |kind, draft| AgendaItem { kind, title: line("Punkt"), text: None, draft: Some(id(draft)) };
    Meeting {
        uuid: id(0xee),
        stamp: by(0, 1),
        at: t(1),
        place: None,
        agenda: vec![
            item(ItemKind::Decision, 0xd),
            item(ItemKind::Discussion, 0xd),
            item(ItemKind::Information, 0xd),
            item(ItemKind::Decision, 0xe),
        ],
        attendance: Some((1..6).map(|n| Attendance { member: member(n), present: n < 5 }).collect()),
        minutes: vec![],
        cancelled: None,
    }
}

fn wish(outcome: Outcome) -> Wish {
    Wish {
        uuid: id(500),
        at: t(2),
        item: 1,
        digest: digest(1),
        outcome,
        voting: Voting::Consensus,
        votes: vec![],
        remarks: Some(prose("bemærkning")),
        dissent: vec![],
        effective: None,
    }
}

/// Votes of the members from 1: `f`or, `a`gainst, neither (`-`).
fn votes(text: &str) -> Vec<VoteCast> {
    let vote = |c| match c {
        'f' => Vote::For,
        'a' => Vote::Against,
        _ => Vote::Abstains,
    };
    text.chars().zip(1..).map(|(c, n)| VoteCast { member: member(n), vote: vote(c) }).collect()
}

const OUTCOMES: [Outcome; 4] = [Outcome::Adopted, Outcome::AdoptedWithRemarks, Outcome::Returned, Outcome::Rejected];

/// The field that is refused, or nothing.
fn refused(meeting: &Meeting, wish: Wish) -> Option<String> {
    let decided = decide(id(0xd), &recommendation(), meeting, wish.clone());
    match decided {
        Ok(decision) => {
            assert_eq!((decision.recommendation, decision.committee), (id(400), id(0xc0)));
            assert_eq!((decision.meeting, decision.item, decision.digest), (meeting.uuid, wish.item, digest(1)));
            assert_eq!((decision.outcome, decision.voting, decision.votes), (wish.outcome, wish.voting, wish.votes));
            assert_eq!((decision.remarks, decision.dissent), (wish.remarks, wish.dissent));
            None
        }
        Err(r) => Some(r.place.field.unwrap_or_else(|| format!("{:?}", r.code))),
    }
}

#[test]
fn votes_and_outcomes() {
    // The votes, and whether they adopt. Who abstains counts on neither side; as many against as for is not enough.
    let table = [("f", true), ("ffff", true), ("fffa", true), ("f---", true), ("ffa-", true)];
    let not = [("ffaa", false), ("faaa", false), ("a", false), ("----", false), ("fa--", false)];
    for (cast, adopts) in table.into_iter().chain(not) {
        for outcome in OUTCOMES {
            let wish = Wish { voting: Voting::Vote, votes: votes(cast), ..wish(outcome) };
            let expected = if outcome.adopts() && !adopts { Some("outcome".into()) } else { None };
            assert_eq!(refused(&meeting(), wish), expected, "{cast} {outcome:?}");
        }
    }
    for outcome in OUTCOMES {
        assert_eq!(refused(&meeting(), wish(outcome)), None);
        let wrong = Wish { votes: votes("f"), ..wish(outcome) };
        assert_eq!(refused(&meeting(), wrong).unwrap(), "votes", "with consensus there is no vote");
        let wrong = Wish { voting: Voting::Vote, ..wish(outcome) };
        assert_eq!(refused(&meeting(), wrong).unwrap(), "votes", "a vote has votes");
        let bare = Wish { remarks: None, ..wish(outcome) };
        let expected = (outcome != Outcome::Adopted).then(|| "remarks".to_owned());
        assert_eq!(refused(&meeting(), bare), expected, "{outcome:?}");
    }
}

#[test]
fn who_was_not_there_has_no_say() {
    let vote = |votes| Wish { voting: Voting::Vote, votes, ..wish(Outcome::Adopted) };
    let cast = |n| VoteCast { member: member(n), vote: Vote::For };
    assert_eq!(refused(&meeting(), vote(vec![cast(1), cast(5)])).unwrap(), "votes", "absent");
    assert_eq!(refused(&meeting(), vote(vec![cast(1), cast(9)])).unwrap(), "votes", "not a member");
    assert_eq!(refused(&meeting(), vote(vec![cast(1), cast(1)])).unwrap(), "votes", "twice");
    let dissent = |members: &[u128]| Wish {
        dissent: vec![Dissent {
            members: members.iter().map(|n| member(*n)).collect(),
            statement: prose("vi er uenige"),
        }],
        ..vote(votes("ffaa"))
    };
    for (members, lawful) in [(&[3, 4][..], true), (&[3], true), (&[3, 5], false), (&[9], false), (&[], false)] {
        let wish = Wish { votes: votes("fffa"), ..dissent(members) };
        assert_eq!(refused(&meeting(), wish), (!lawful).then(|| "dissent".into()), "{members:?}");
    }
}

#[test]
fn only_a_meeting_that_was_held_decides_what_it_had_for_decision() {
    for (item, lawful) in [(0, false), (1, true), (2, false), (3, false), (4, false), (5, false), (usize::MAX, false)] {
        let wish = Wish { item, ..wish(Outcome::Adopted) };
        assert_eq!(refused(&meeting(), wish), (!lawful).then(|| "item".into()), "{item}");
    }
    let unheld = Meeting { attendance: None, ..meeting() };
    assert_eq!(refused(&unheld, wish(Outcome::Adopted)).unwrap(), "Phase");
    let other = Wish { digest: digest(2), ..wish(Outcome::Adopted) };
    let refusal = decide(id(0xd), &recommendation(), &meeting(), other).unwrap_err();
    assert_eq!((refusal.code, refusal.place.field.as_deref()), (Code::OtherContent, Some("digest")));
}

#[test]
fn a_meeting_where_nobody_was_is_not_held() {
    let called = WorkStep::Called { group: id(0xc0), meeting: id(0xee), at: t(1), place: None, agenda: vec![] };
    let mut work = Work::begin(id(0xc0), &by(0, 1), called).unwrap();
    let attended = |present: &[bool]| {
        let attendance = present.iter().zip(1..).map(|(p, n)| Attendance { member: member(n), present: *p });
        WorkStep::Held { meeting: id(0xee), attendance: attendance.collect() }
    };
    for nobody in [&[][..], &[false], &[false, false]] {
        assert_eq!(work.take(&by(2, 1), attended(nobody)).unwrap_err().code, Code::Unlawful);
    }
    work.take(&by(2, 1), attended(&[false, true])).unwrap();
    assert_eq!(work.meetings[0].present().collect::<Vec<_>>(), [member(2)]);
}
