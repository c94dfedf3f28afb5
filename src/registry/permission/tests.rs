use super::*;
use crate::model::{Kind, Language, Text, VocabularyFields};

fn vocabulary(uuid: u128, governance: Governance) -> Vocabulary {
    Vocabulary::new(VocabularyFields {
        uuid: Uuid::from_u128(uuid),
        slug: "v".parse().unwrap(),
        titles: vec![Text::new(Language::danish(), "V").unwrap()],
        descriptions: vec![],
        kind: Kind::CodeList,
        governance,
        four_eyes: false,
        namespace: "https://v.example/".into(),
        identifiers: vec![],
        owner: None,
        contact: None,
        licence: None,
        languages: vec![Language::danish()],
        facets: vec![],
        oio: None,
        deleted_facets: vec![],
    })
    .unwrap()
}

fn account(held: &[(Role, Option<u128>)], by: By) -> Actor {
    let held = held.iter().map(|(role, v)| Held { role: *role, vocabulary: v.map(Uuid::from_u128) }).collect();
    Actor::Account(Caller { account: Uuid::from_u128(9), held, by })
}

fn session() -> By {
    By::Session(Uuid::nil())
}

const MODES: [Governance; 4] = [Governance::Hearing, Governance::Committee, Governance::Direct, Governance::Mirror];

/// What the table says of a command, written out by hand: who may, whether a token may, what it is about, and in which
/// phases of a draft. A slip in one of them is seen.
fn expected(command: Command) -> (&'static [Role], bool, About, &'static [Phase]) {
    use About::{Oneself, People, Vocabulary};
    use Phase::{Adopted, Drafting, Heard, InHearing, InReview, OnHold, Recommended};
    use Role::{Administrator, Chair, CommitteeMember, Contributor, HearingParty, Publisher, Reader, Secretary};
    match command {
        Command::Frame => (&[Publisher, Administrator], true, Vocabulary, &[]),
        Command::Govern => (&[Administrator], false, Vocabulary, &[]),
        Command::Publish => (&[Publisher], true, Vocabulary, &[]),
        // What is shown beside the concepts of a vocabulary is answered for by whoever publishes it.
        Command::HideUsages => (&[Publisher, Administrator], true, Vocabulary, &[]),
        // All who take part in the making of a version, and who administers.
        Command::ReadDrafts => {
            (&[Reader, Contributor, Secretary, CommitteeMember, Chair, Publisher, Administrator], true, Vocabulary, &[])
        }
        // The group drafts, with its secretariat.
        Command::OpenDraft => (&[Contributor, Secretary], true, Vocabulary, &[]),
        Command::EditDraft => (&[Contributor, Secretary], true, Vocabulary, &[Drafting, InReview, Heard]),
        Command::Comment => (
            &[Reader, Contributor, Secretary, CommitteeMember, Chair, Publisher],
            true,
            Vocabulary,
            &[Drafting, InReview, InHearing, Heard, Recommended, Adopted, OnHold],
        ),
        Command::SteerDraft => {
            (&[Secretary], true, Vocabulary, &[Drafting, InReview, InHearing, Heard, Recommended, Adopted, OnHold])
        }
        // The secretariat runs the hearing and lays the result before the committee.
        Command::HoldHearing => (&[Secretary], true, Vocabulary, &[Drafting, InReview, InHearing, Heard]),
        Command::AnswerHearing => (
            &[Reader, Contributor, Secretary, HearingParty, CommitteeMember, Chair, Publisher],
            true,
            Vocabulary,
            &[InHearing, Heard],
        ),
        Command::Dispose => (&[Contributor, Secretary], true, Vocabulary, &[InHearing, Heard]),
        Command::Recommend => (&[Secretary], true, Vocabulary, &[Drafting, InReview, Heard]),
        Command::Mandate | Command::CallMeeting => (&[Secretary, Chair], true, People, &[]),
        // The committee's word is its chair's to record, by hand and on what was laid before it.
        Command::Decide => (&[Chair], false, Vocabulary, &[Recommended]),
        Command::Approve => (
            &[Contributor, Secretary, CommitteeMember, Chair, Publisher],
            false,
            Vocabulary,
            &[Drafting, InReview, Heard, Adopted],
        ),
        // Adopted, or finished where no decision is needed.
        Command::PublishDraft => (&[Publisher], true, Vocabulary, &[Drafting, InReview, Heard, Adopted]),
        Command::HandleRequests => (&[Secretary], true, Vocabulary, &[]),
        Command::Certify => (&[Secretary, Publisher], true, Vocabulary, &[]),
        Command::ReadPeople => (&[Secretary, Administrator], true, People, &[]),
        Command::ManageOrganisations => (&[Administrator], true, People, &[]),
        Command::ManageAccounts
        | Command::ManageGroups
        | Command::Grant
        | Command::RevokeTokens
        | Command::ManageSubscriptions
        | Command::ManageCodeSets => (&[Administrator], false, People, &[]),
        Command::OwnAccount | Command::OwnTokens => (Role::ALL, false, Oneself, &[]),
        // A system may subscribe, and keep its own set up to date.
        Command::OwnSubscriptions | Command::OwnCodeSets => (Role::ALL, true, Oneself, &[]),
    }
}

#[test]
fn every_cell_of_the_table() {
    let operator = Actor::Operator("o".into());
    for command in Command::ALL {
        let (roles, by_token, about, _) = expected(*command);
        let own = about == About::Oneself;
        let about_vocabulary = about == About::Vocabulary;
        for mode in MODES {
            let (here, there) = (vocabulary(1, mode), vocabulary(2, mode));
            let governed = *command != Command::Publish || matches!(mode, Governance::Direct | Governance::Mirror);
            let may = |actor: &Actor, v: &Vocabulary| permit(actor, *command, Some(v)).is_ok();
            assert!(!may(&Actor::Public, &here));
            assert_eq!(may(&operator, &here), !own && governed, "operator {command} {mode:?}");
            assert_eq!(may(&account(&[], session()), &here), own, "no role {command}");
            for role in Role::ALL {
                let named = format!("{role} {command} {mode:?}");
                let has = roles.contains(role);
                let all = account(&[(*role, None)], session());
                assert_eq!(may(&all, &here), has && governed, "{named}");
                assert_eq!(permit(&all, *command, None).is_ok(), has, "{named}, of none");
                if *role == Role::Administrator {
                    continue;
                }
                let one = account(&[(*role, Some(1))], session());
                assert_eq!(may(&one, &here), has && governed, "{named}, here");
                assert_eq!(may(&one, &there), has && governed && !about_vocabulary, "{named}, there");
                assert_eq!(permit(&one, *command, None).is_ok(), has && !about_vocabulary, "{named}, of none");
            }
            let everything = Scope::new(Command::ALL.iter().copied().collect(), None).unwrap();
            let all: Vec<_> = Role::ALL.iter().map(|r| (*r, None)).collect();
            let token = account(&all, By::Token(Uuid::nil(), everything));
            assert_eq!(may(&token, &here), by_token && governed, "token {command} {mode:?}");
        }
    }
}

/// Role × command × phase: who may, may only in the phases; who may not, may in none.
#[test]
fn every_phase_of_every_cell() {
    for command in Command::ALL {
        let (roles, _, about, phases) = expected(*command);
        for mode in MODES {
            let here = vocabulary(1, mode);
            let governed = *command != Command::Publish || matches!(mode, Governance::Direct | Governance::Mirror);
            for phase in Phase::ALL {
                let in_phase = phases.is_empty() || phases.contains(phase);
                let code = |actor: &Actor| permit_in(actor, *command, &here, *phase).err().map(|r| r.code);
                assert_eq!(code(&Actor::Public), Some(Code::NotSignedIn), "{command} {phase}");
                for role in Role::ALL {
                    let named = format!("{role} {command} {mode:?} {phase}");
                    let expected = match (about, roles.contains(role)) {
                        (About::Oneself, _) => None,
                        (_, false) => Some(Code::NotAllowed),
                        (_, true) if !governed => Some(Code::Governance),
                        (_, true) if !in_phase => Some(Code::Phase),
                        (_, true) => None,
                    };
                    assert_eq!(code(&account(&[(*role, None)], session())), expected, "{named}");
                }
            }
        }
    }
}

#[test]
fn a_token_is_never_more_than_its_scope_nor_than_its_account() {
    let (here, there) = (vocabulary(1, Governance::Direct), vocabulary(2, Governance::Direct));
    let scope = |v: Option<u128>| {
        let some = v.map(|v| [Uuid::from_u128(v)].into());
        By::Token(Uuid::nil(), Scope::new([Command::Publish].into(), some).unwrap())
    };
    let publisher: &[_] = &[(Role::Publisher, None), (Role::Administrator, None)];
    let narrow = account(publisher, scope(Some(1)));
    assert!(permit(&narrow, Command::Publish, Some(&here)).is_ok());
    for (command, v) in [
        (Command::Publish, Some(&there)),
        (Command::Publish, None),
        (Command::Frame, Some(&here)),
        (Command::ReadPeople, None),
        (Command::OwnTokens, None),
    ] {
        assert_eq!(permit(&narrow, command, v).unwrap_err().code, Code::NotAllowed, "{command}");
    }
    let wide = account(&[(Role::Publisher, Some(1))], scope(None));
    assert!(permit(&wide, Command::Publish, Some(&here)).is_ok());
    assert!(permit(&wide, Command::Publish, Some(&there)).is_err());
}

#[test]
fn the_table_has_every_command_once_and_stands_in_the_documentation() {
    for command in Command::ALL {
        assert_eq!(RIGHTS.iter().filter(|r| r.command == *command).count(), 1, "{command}");
    }
    let page = include_str!("../../../docs/rights.md");
    assert!(page.contains(&rights_table()), "docs/rights.md should have this table:\n{}", rights_table());
}
