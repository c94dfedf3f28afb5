//! What is doubtful about an edition, though it is lawful: told to those who work on it. Pure.
//!
//! Called by `registry`; calls the model. What is *not* lawful is refused by the plan of a publication
//! (`registry/plan/`), whose refusal is shown beside these.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::model::{Content, Kind, Language, RelationKind, TermStatus};

/// How much a finding weighs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Weight {
    /// It will be refused when the draft is recommended or published.
    Error,
    /// Somebody should look at it.
    Warning,
}

/// Something that somebody should look at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Finding {
    /// How much it weighs.
    pub weight: Weight,
    /// The stable name of the rule.
    pub rule: &'static str,
    /// The concept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concept: Option<Uuid>,
    /// The other concepts that it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Uuid>,
    /// What it is, in Danish.
    pub da: String,
    /// What it is, in English.
    pub en: String,
}

/// What is doubtful about some concepts of an edition.
pub struct Inspection<'a> {
    /// The whole edition.
    pub edition: &'a [(Uuid, Arc<Content>)],
    /// What kind of vocabulary it is: definitions are expected of a terminology.
    pub kind: Kind,
    /// The language in which definitions are expected.
    pub language: &'a Language,
}

impl Inspection<'_> {
    /// The findings about the concepts that `about` names, in the order of the edition.
    #[must_use]
    pub fn findings(&self, about: impl Fn(Uuid) -> bool) -> Vec<Finding> {
        let there: HashMap<Uuid, &Content> = self.edition.iter().map(|(u, c)| (*u, &**c)).collect();
        let mut by_term: BTreeMap<(&Language, String), Vec<Uuid>> = BTreeMap::new();
        let mut by_definition: HashMap<&str, Vec<Uuid>> = HashMap::new();
        for (uuid, content) in self.edition {
            for term in content.fields().terms.iter().filter(|t| t.status == TermStatus::Preferred) {
                by_term.entry((&term.language, term.value.to_lowercase())).or_default().push(*uuid);
            }
            for definition in &content.fields().definitions {
                by_definition.entry(definition.text.trim()).or_default().push(*uuid);
            }
        }
        let mut found = Vec::new();
        for (uuid, content) in self.edition.iter().filter(|(u, _)| about(*u)) {
            self.of_one(*uuid, content, &there, &mut found);
            let others = |list: Option<&Vec<Uuid>>| -> Vec<Uuid> {
                list.into_iter().flatten().copied().filter(|o| o != uuid).take(20).collect()
            };
            for term in content.fields().terms.iter().filter(|t| t.status == TermStatus::Preferred) {
                let same = others(by_term.get(&(&term.language, term.value.to_lowercase())));
                let parents: Vec<Uuid> = content.parents().collect();
                let beside = |o: &Uuid| there.get(o).is_some_and(|c| c.parents().collect::<Vec<_>>() == parents);
                if same.iter().any(beside) {
                    found.push(warning(
                        "same-term",
                        *uuid,
                        same,
                        (
                            format!("begreber ved siden af har også den foretrukne term »{}«", term.value),
                            format!("concepts beside it have the preferred term '{}' too", term.value),
                        ),
                    ));
                }
            }
            for definition in &content.fields().definitions {
                let same = others(by_definition.get(definition.text.trim()));
                if !same.is_empty() {
                    found.push(warning(
                        "same-definition",
                        *uuid,
                        same,
                        (
                            "andre begreber er defineret med de samme ord".into(),
                            "other concepts are defined by the same words".into(),
                        ),
                    ));
                }
            }
        }
        found
    }

    fn of_one(&self, uuid: Uuid, content: &Content, there: &HashMap<Uuid, &Content>, found: &mut Vec<Finding>) {
        let gone = |kinds: &[RelationKind]| -> Vec<Uuid> {
            let relations = content.fields().relations.iter().filter(|r| kinds.contains(&r.kind));
            relations.map(|r| r.target).filter(|t| !there.contains_key(t)).collect()
        };
        let above = gone(&[RelationKind::Generic, RelationKind::Partitive]);
        if !above.is_empty() {
            found.push(warning(
                "retired-parent",
                uuid,
                above,
                ("overbegrebet er ikke i udgaven".into(), "the concept above is not in the edition".into()),
            ));
        }
        let beside = gone(&[RelationKind::Associative, RelationKind::SeeAlso, RelationKind::LegalCombination]);
        if !beside.is_empty() {
            found.push(warning(
                "retired-target",
                uuid,
                beside,
                (
                    "en relation peger på et begreb, der ikke er i udgaven".into(),
                    "a relation leads to a concept that is not in the edition".into(),
                ),
            ));
        }
        let fields = content.fields();
        if self.kind == Kind::Terminology && !fields.definitions.iter().any(|d| d.language == *self.language) {
            found.push(warning(
                "no-definition",
                uuid,
                Vec::new(),
                (
                    format!("begrebet har ingen definition på {}", self.language),
                    format!("the concept has no definition in {}", self.language),
                ),
            ));
        }
        // ISO 704, 6.5.2: a definition that holds what it defines says nothing.
        for definition in &fields.definitions {
            let text = definition.text.to_lowercase();
            let itself = |t: &&crate::model::Term| {
                t.language == definition.language
                    && t.status == TermStatus::Preferred
                    && holds(&text, &t.value.to_lowercase())
            };
            if let Some(term) = fields.terms.iter().find(itself) {
                found.push(warning(
                    "circular-definition",
                    uuid,
                    Vec::new(),
                    (
                        format!("definitionen bruger selv termen »{}«", term.value),
                        format!("the definition uses the term '{}' itself", term.value),
                    ),
                ));
            }
        }
    }
}

/// Whether a text holds a term as words of their own.
fn holds(text: &str, term: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    text.match_indices(term)
        .any(|(at, _)| edge(text[..at].chars().next_back()) && edge(text[at + term.len()..].chars().next()))
}

fn warning(rule: &'static str, concept: Uuid, others: Vec<Uuid>, (da, en): (String, String)) -> Finding {
    Finding { weight: Weight::Warning, rule, concept: Some(concept), others, da, en }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ContentFields, Definition, Relation, Term};

    fn concept(n: u128, term: &str, definition: Option<&str>, under: Option<u128>) -> (Uuid, Arc<Content>) {
        let content = Content::new(ContentFields {
            terms: vec![Term::plain(Language::danish(), TermStatus::Preferred, term)],
            definitions: definition.map(|d| Definition::plain(Language::danish(), d)).into_iter().collect(),
            relations: under.map(|u| Relation::plain(RelationKind::Generic, Uuid::from_u128(u))).into_iter().collect(),
            ..ContentFields::default()
        });
        (Uuid::from_u128(n), Arc::new(content.unwrap()))
    }

    #[test]
    fn each_rule_finds_its_case_and_no_other() {
        let edition = [
            concept(1, "støtte", Some("hjælp til en person"), None),
            concept(2, "omsorg", None, Some(1)),
            concept(3, "pleje", Some("pleje af en person"), Some(9)),
            concept(4, "Omsorg", Some("det at drage omsorg-fri"), Some(1)),
            concept(5, "hjemmehjælp", Some("hjælp til en person"), Some(1)),
            concept(6, "hjælp", Some("hjælpemiddel"), Some(1)),
        ];
        let look = |kind| {
            let inspection = Inspection { edition: &edition, kind, language: &Language::danish() };
            let found = inspection.findings(|_| true).into_iter();
            found.map(|f| (f.rule, f.concept.unwrap().as_u128())).collect::<Vec<_>>()
        };
        let classes = [
            ("same-definition", 1),
            ("same-term", 2),
            ("retired-parent", 3),
            ("circular-definition", 3),
            ("circular-definition", 4),
            ("same-term", 4),
            ("same-definition", 5),
        ];
        assert_eq!(look(Kind::Classification), classes);
        assert_eq!(look(Kind::Terminology).iter().filter(|(rule, _)| *rule == "no-definition").count(), 1);
    }
}
