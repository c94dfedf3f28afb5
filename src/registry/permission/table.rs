//! The table of who may do what: data, that `permit` evaluates, that `docs/rights.md` shows and that the tests
//! walk cell by cell.

use std::fmt::Write as _;

use crate::model::Role::{Administrator, Publisher, Secretary};
use crate::model::{Command, Role};

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
}

const fn right(command: Command, about: About, roles: &'static [Role]) -> Right {
    Right { command, about, roles, token: false, undecided: false }
}

/// Who may do what. A command that is not here may nobody give; the operator, who holds the database itself, may
/// give all but those about oneself.
pub const RIGHTS: &[Right] = &[
    Right { token: true, ..right(Command::Frame, About::Vocabulary, &[Publisher, Administrator]) },
    Right { token: true, undecided: true, ..right(Command::Publish, About::Vocabulary, &[Publisher]) },
    Right { token: true, ..right(Command::ReadPeople, About::People, &[Secretary, Administrator]) },
    Right { token: true, ..right(Command::ManageOrganisations, About::People, &[Administrator]) },
    right(Command::ManageAccounts, About::People, &[Administrator]),
    right(Command::ManageGroups, About::People, &[Administrator]),
    right(Command::Grant, About::People, &[Administrator]),
    right(Command::RevokeTokens, About::People, &[Administrator]),
    right(Command::OwnAccount, About::Oneself, Role::ALL),
    right(Command::OwnTokens, About::Oneself, Role::ALL),
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
    table.push_str(" operator | token |\n|---|---|---|");
    table.push_str(&"---|".repeat(Role::ALL.len() + 2));
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
        let _ = writeln!(table, " {} | {} |", mark(!oneself, "yes"), if right.token { "yes" } else { "–" });
    }
    table
}
