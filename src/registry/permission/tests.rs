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

/// The table once more, written out by hand: a slip in one of them is seen.
fn expected(command: Command) -> (&'static [Role], bool) {
    use Role::{Administrator, Publisher, Secretary};
    match command {
        Command::Frame => (&[Publisher, Administrator], true),
        Command::Publish => (&[Publisher], true),
        Command::ReadPeople => (&[Secretary, Administrator], true),
        Command::ManageOrganisations => (&[Administrator], true),
        Command::ManageAccounts | Command::ManageGroups | Command::Grant | Command::RevokeTokens => {
            (&[Administrator], false)
        }
        Command::OwnAccount | Command::OwnTokens => (Role::ALL, false),
    }
}

#[test]
fn every_cell_of_the_table() {
    let operator = Actor::Operator("o".into());
    for command in Command::ALL {
        let (roles, by_token) = expected(*command);
        let own = matches!(command, Command::OwnAccount | Command::OwnTokens);
        let about_vocabulary = matches!(command, Command::Frame | Command::Publish);
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
