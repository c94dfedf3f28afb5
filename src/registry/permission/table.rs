//! The table of who may do what: data, that `permit` evaluates, that `docs/rights.md` shows and that the tests
//! walk cell by cell.

use std::fmt::Write as _;

use crate::model::Role::{
    Administrator, Chair, CommitteeMember, Contributor, HearingParty, Publisher, Reader, Secretary,
};
use crate::model::{Command, Role};
use crate::workflow::Phase;

/// What a command is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About {
    /// A vocabulary: a role in that vocabulary, or in all, is needed. To make a new one takes a role in all.
    Vocabulary,
    /// People: the role is needed in any vocabulary.
    People,
    /// Oneself: every account may.
    Oneself,
}

/// A row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Right {
    /// The command.
    pub command: Command,
    /// What it is about.
    pub about: About,
    /// The roles that may.
    pub roles: &'static [Role],
    /// Whether a token may carry it. What leads to more rights, or to another's account, takes a person.
    pub token: bool,
    /// Whether it may be done only where the governance of the vocabulary publishes without a decision.
    pub undecided: bool,
    /// The phases of a draft in which it may be done; in any, or not about a draft, when there are none.
    pub phases: &'static [Phase],
}

const fn right(command: Command, about: About, roles: &'static [Role]) -> Right {
    Right { command, about, roles, token: false, undecided: false, phases: &[] }
}

/// A row about a draft.
const fn draft(command: Command, roles: &'static [Role], phases: &'static [Phase]) -> Right {
    Right { token: true, phases, ..right(command, About::Vocabulary, roles) }
}

/// Those who take part in the making of a version.
const MAKERS: &[Role] = &[Reader, Contributor, Secretary, CommitteeMember, Chair, Publisher, Administrator];

/// Who may do what. A command that is not here may nobody give; the operator, who holds the database itself, may
/// give all but those about oneself.
pub const RIGHTS: &[Right] = &[
    Right { token: true, ..right(Command::Frame, About::Vocabulary, &[Publisher, Administrator]) },
    // Who publishes must not be able to put the committee, or the second pair of eyes, out of the way.
    right(Command::Govern, About::Vocabulary, &[Administrator]),
    Right { token: true, undecided: true, ..right(Command::Publish, About::Vocabulary, &[Publisher]) },
    draft(Command::ReadDrafts, MAKERS, &[]),
    draft(Command::OpenDraft, &[Contributor, Secretary], &[]),
    draft(Command::EditDraft, &[Contributor, Secretary], Phase::EDITABLE),
    draft(Command::Comment, &[Reader, Contributor, Secretary, CommitteeMember, Chair, Publisher], Phase::OPEN),
    draft(Command::SteerDraft, &[Secretary], Phase::OPEN),
    draft(Command::HoldHearing, &[Secretary], &[Phase::Drafting, Phase::InReview, Phase::InHearing, Phase::Heard]),
    draft(
        Command::AnswerHearing,
        &[Reader, Contributor, Secretary, HearingParty, CommitteeMember, Chair, Publisher],
        &[Phase::InHearing, Phase::Heard],
    ),
    draft(Command::Dispose, &[Contributor, Secretary], &[Phase::InHearing, Phase::Heard]),
    draft(Command::Recommend, &[Secretary], Phase::EDITABLE),
    Right { token: true, ..right(Command::Mandate, About::People, &[Secretary, Chair]) },
    Right { token: true, ..right(Command::CallMeeting, About::People, &[Secretary, Chair]) },
    // The voice of a committee is a person's.
    Right { token: false, ..draft(Command::Decide, &[Chair], &[Phase::Recommended]) },
    Right {
        token: false,
        ..draft(
            Command::Approve,
            &[Contributor, Secretary, CommitteeMember, Chair, Publisher],
            &[Phase::Drafting, Phase::InReview, Phase::Heard, Phase::Adopted],
        )
    },
    draft(Command::PublishDraft, &[Publisher], &[Phase::Drafting, Phase::InReview, Phase::Heard, Phase::Adopted]),
    draft(Command::HandleRequests, &[Secretary], &[]),
    draft(Command::Certify, &[Secretary, Publisher], &[]),
    Right { token: true, ..right(Command::ReadPeople, About::People, &[Secretary, Administrator]) },
    Right { token: true, ..right(Command::ManageOrganisations, About::People, &[Administrator]) },
    right(Command::ManageAccounts, About::People, &[Administrator]),
    right(Command::ManageGroups, About::People, &[Administrator]),
    right(Command::Grant, About::People, &[Administrator]),
    right(Command::RevokeTokens, About::People, &[Administrator]),
    right(Command::OwnAccount, About::Oneself, Role::ALL),
    right(Command::OwnTokens, About::Oneself, Role::ALL),
    // What is told there is public: a program may ask for it.
    Right { token: true, ..right(Command::OwnSubscriptions, About::Oneself, Role::ALL) },
    right(Command::ManageSubscriptions, About::People, &[Administrator]),
    Right { token: true, ..right(Command::OwnCodeSets, About::Oneself, Role::ALL) },
    right(Command::ManageCodeSets, About::People, &[Administrator]),
    // Who answers for what the pages of a vocabulary say.
    Right { token: true, ..right(Command::HideUsages, About::Vocabulary, &[Publisher, Administrator]) },
];

/// The row of a command.
#[must_use]
pub fn right_to(command: Command) -> Option<&'static Right> {
    RIGHTS.iter().find(|right| right.command == command)
}

/// The table in Markdown, as it stands in `docs/rights.md`.
#[must_use]
pub fn rights_table() -> String {
    let mut table = String::from("| command | nobody | any account |");
    for role in Role::ALL {
        let _ = write!(table, " {role} |");
    }
    table.push_str(" operator | token | phases of the draft |\n|---|---|---|");
    table.push_str(&"---|".repeat(Role::ALL.len() + 3));
    table.push('\n');
    for right in RIGHTS {
        let oneself = right.about == About::Oneself;
        let decided = if right.undecided { "*" } else { "" };
        let mark = |may: bool, how: &str| if may { format!("{how}{decided}") } else { "–".into() };
        let _ = write!(table, "| `{}` | – | {} |", right.command, mark(oneself, "own"));
        for role in Role::ALL {
            let how = match (right.about, *role) {
                (About::Oneself, _) => "own",
                (About::Vocabulary, Administrator) | (About::People, _) => "yes",
                (About::Vocabulary, _) => "within",
            };
            let _ = write!(table, " {} |", mark(right.roles.contains(role), how));
        }
        let phases: Vec<&str> = right.phases.iter().map(|p| p.as_str()).collect();
        let phases = if phases.is_empty() { "–".into() } else { phases.join(", ") };
        let token = if right.token { "yes" } else { "–" };
        let _ = writeln!(table, " {} | {token} | {phases} |", mark(!oneself, "yes"));
    }
    table
}
