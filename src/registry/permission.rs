//! Who may do what: the one place where it is decided, below every door.

use crate::model::{Code, Governance, Refusal, Result, Vocabulary};

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    /// Someone who holds the database itself: the command line, and what `serve` does by itself.
    Operator(String),
    /// Anyone at a public door.
    Public,
}

impl Actor {
    /// The name that stands in the change log.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Operator(name) => format!("operator:{name}"),
            Self::Public => "public".into(),
        }
    }
}

/// What can be asked for that changes something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// Create a vocabulary or change its frame.
    Frame,
    /// Publish a version without the decision of a committee.
    Publish,
}

/// Whether an actor may give a command, on a vocabulary when it exists.
///
/// # Errors
/// [`Code::Governance`] when it may not.
pub fn permit(actor: &Actor, command: Command, vocabulary: Option<&Vocabulary>) -> Result<()> {
    if *actor == Actor::Public {
        return Err(Refusal::new(
            Code::Governance,
            "det kræver adgang til databasen",
            "this takes access to the database",
        ));
    }
    let governance = vocabulary.map(|v| v.fields().governance);
    match (command, governance) {
        (Command::Publish, Some(mode)) if !mode.publishes_without_decision() => Err(Refusal::new(
            Code::Governance,
            "ordforrådet udgives kun efter en beslutning",
            "the vocabulary is published only after a decision",
        )
        .allowed([Governance::Direct, Governance::Mirror].map(|g| format!("{g:?}").to_lowercase()))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, Language, Text, VocabularyFields};

    #[test]
    fn every_cell_of_the_table() {
        let vocabulary = |governance| {
            Vocabulary::new(VocabularyFields {
                uuid: uuid::Uuid::nil(),
                slug: "v".parse().unwrap(),
                titles: vec![Text::new(Language::danish(), "V").unwrap()],
                descriptions: vec![],
                kind: Kind::CodeList,
                governance,
                namespace: "https://v.example/".into(),
                identifiers: vec![],
                owner: None,
                contact: None,
                licence: None,
                languages: vec![Language::danish()],
                facets: vec![],
            })
            .unwrap()
        };
        let operator = Actor::Operator("o".into());
        for (governance, may_publish) in [
            (Governance::Hearing, false),
            (Governance::Committee, false),
            (Governance::Direct, true),
            (Governance::Mirror, true),
        ] {
            let v = vocabulary(governance);
            assert_eq!(permit(&operator, Command::Publish, Some(&v)).is_ok(), may_publish, "{governance:?}");
            assert!(permit(&operator, Command::Frame, Some(&v)).is_ok());
            assert!(permit(&Actor::Public, Command::Publish, Some(&v)).is_err());
            assert!(permit(&Actor::Public, Command::Frame, Some(&v)).is_err());
        }
        assert!(permit(&Actor::Public, Command::Frame, None).is_err());
    }
}
