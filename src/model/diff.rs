//! What changed between two readings of a vocabulary, told in the types that a vendor acts on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::content::Content;
use super::meaning::Meaning;
use super::parts::{RelationKind, TermStatus};
use super::text::Language;

/// The types of change. One concept may have several.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ConceptChangeKind {
    /// It was not there before.
    Added,
    /// It is there no longer.
    Retired,
    /// Its notation may not be used any longer; another one is used now.
    Recoded,
    /// A preferred term is another.
    Renamed,
    /// A definition is another, by more than white space.
    Redefined,
    /// It stands under another concept.
    Moved,
    /// It was retired, and several concepts replace it.
    Split,
    /// It was retired, and one concept replaces it together with others.
    Merged,
    /// It was retired, and one concept replaces it alone.
    Replaced,
    /// It is mapped to other concepts elsewhere, or otherwise.
    Remapped,
    /// Something else was changed: a synonym, a note, a relation, a spelling.
    Edited,
    /// Only its place among its siblings was changed.
    Reordered,
    /// It is no longer kept up, and says what it said. No difference between two readings: only an event tells it.
    Passivated,
}

impl ConceptChangeKind {
    /// All types, most important first.
    pub const ALL: [Self; 13] = [
        Self::Added,
        Self::Retired,
        Self::Recoded,
        Self::Renamed,
        Self::Redefined,
        Self::Moved,
        Self::Split,
        Self::Merged,
        Self::Replaced,
        Self::Remapped,
        Self::Edited,
        Self::Reordered,
        Self::Passivated,
    ];
}

/// The items of a field that only one of the two readings has.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// The field, by its name in the JSON of a concept.
    pub field: String,
    /// What was there and is no longer.
    pub before: Vec<Value>,
    /// What is there and was not.
    pub after: Vec<Value>,
}

/// How one side of a change is called.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Side {
    /// The notation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notation: Option<String>,
    /// The preferred term, Danish first.
    pub label: String,
}

/// A concept named in what is told of another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Reference {
    /// The uuid.
    pub uuid: Uuid,
    /// The notation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notation: Option<String>,
    /// The preferred term: in the reader's language where there is one, Danish in what is told to all.
    pub label: String,
}

impl Reference {
    /// How it is called in running text: its notation and its term.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} {}", self.notation.as_deref().unwrap_or_default(), self.label).trim().to_owned()
    }
}

/// What happened to one concept.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConceptChange {
    /// The concept.
    pub uuid: Uuid,
    /// What happened, most important first.
    pub kinds: Vec<ConceptChangeKind>,
    /// Of one that is redefined: whether it means something else, as those said who wrote it. Absent when they said
    /// nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<Meaning>,
    /// How it was called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Side>,
    /// How it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Side>,
    /// What replaces a retired concept, as it is called then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced_by: Vec<Reference>,
    /// The differences, field by field; none for what was added or retired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
}

impl ConceptChange {
    /// The same, with what was said of the meaning; nothing is said of what is not redefined.
    #[must_use]
    pub fn meaning(self, said: impl FnOnce() -> Option<Meaning>) -> Self {
        let meaning = if self.kinds.contains(&ConceptChangeKind::Redefined) { said() } else { None };
        Self { meaning, ..self }
    }

    /// Which concepts it newly replaces, where it says nothing else that matters: what went tells the same.
    #[must_use]
    pub fn only_replaces(&self) -> Option<Vec<Uuid>> {
        if self.kinds != [ConceptChangeKind::Edited] {
            return None;
        }
        let (mut replaced, is_replaces) = (Vec::new(), |value: &Value| value["kind"] == "replaces");
        for field in self.fields.iter().filter(|f| f.field != "rank") {
            let only = field.field == "relations" && field.before.is_empty() && field.after.iter().all(is_replaces);
            if !only {
                return None;
            }
            for relation in &field.after {
                replaced.push(relation["target"].as_str()?.parse().ok()?);
            }
        }
        Some(replaced).filter(|replaced| !replaced.is_empty())
    }
}

/// Whether a concept that is on both sides has another definition, by more than white space.
#[must_use]
pub fn redefines(before: Option<&Content>, after: Option<&Content>) -> bool {
    before.zip(after).is_some_and(|(before, after)| definitions(before) != definitions(after))
}

/// The definitions word by word, with for whom they are.
fn definitions(content: &Content) -> Vec<(Language, Option<String>, String)> {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let definitions = content.fields().definitions.iter();
    definitions.map(|d| (d.language.clone(), d.audience.clone(), words(&d.text))).collect()
}

/// The typed changes of the concepts that differ; each is given with its content before and after.
/// Concepts that are equal on both sides may be left out or given. The answer is in the order given.
#[must_use]
pub fn diff(pairs: &[(Uuid, Option<&Content>, Option<&Content>)]) -> Vec<ConceptChange> {
    // Who replaces whom, as said by the later reading and not by the earlier.
    let mut replaced_by: BTreeMap<Uuid, Vec<Reference>> = BTreeMap::new();
    let mut replaces: BTreeMap<Uuid, usize> = BTreeMap::new();
    for (uuid, before, after) in pairs {
        let Some(after) = after else { continue };
        for target in after.targets(RelationKind::Replaces) {
            if before.is_none_or(|b| b.targets(RelationKind::Replaces).all(|t| t != target)) {
                replaced_by.entry(target).or_default().push(reference(*uuid, after));
                *replaces.entry(*uuid).or_default() += 1;
            }
        }
    }
    pairs
        .iter()
        .filter_map(|(uuid, before, after)| {
            let (kinds, fields) = match (before, after) {
                (None, None) => return None,
                (None, Some(_)) => (vec![ConceptChangeKind::Added], Vec::new()),
                (Some(_), None) => (vec![retirement(*uuid, &replaced_by, &replaces)], Vec::new()),
                (Some(b), Some(a)) if b == a => return None,
                (Some(b), Some(a)) => alteration(b, a),
            };
            let retired = after.is_none();
            Some(ConceptChange {
                uuid: *uuid,
                kinds,
                meaning: None,
                before: before.map(side),
                after: after.map(side),
                replaced_by: if retired { replaced_by.get(uuid).cloned().unwrap_or_default() } else { Vec::new() },
                fields,
            })
        })
        .collect()
}

fn side(content: &Content) -> Side {
    Side { notation: content.fields().notation.clone(), label: content.label("da").to_owned() }
}

fn reference(uuid: Uuid, content: &Content) -> Reference {
    let Side { notation, label } = side(content);
    Reference { uuid, notation, label }
}

fn retirement(
    uuid: Uuid,
    replaced_by: &BTreeMap<Uuid, Vec<Reference>>,
    replaces: &BTreeMap<Uuid, usize>,
) -> ConceptChangeKind {
    match replaced_by.get(&uuid).map(Vec::as_slice) {
        None | Some([]) => ConceptChangeKind::Retired,
        Some([one]) if replaces[&one.uuid] > 1 => ConceptChangeKind::Merged,
        Some([_]) => ConceptChangeKind::Replaced,
        Some(_) => ConceptChangeKind::Split,
    }
}

fn alteration(before: &Content, after: &Content) -> (Vec<ConceptChangeKind>, Vec<FieldChange>) {
    let (b, a) = (before.fields(), after.fields());
    let mut kinds = Vec::new();
    let is_code = |code: &str| a.notation.as_deref() == Some(code) || a.aliases.iter().any(|x| x.value == code);
    if b.notation.as_deref().is_some_and(|code| !is_code(code)) {
        kinds.push(ConceptChangeKind::Recoded);
    }
    let preferred = |c: &Content| {
        let terms = c.fields().terms.iter().filter(|t| t.status == TermStatus::Preferred);
        terms.map(|t| (t.language.clone(), t.value.clone())).collect::<Vec<_>>()
    };
    // A language that is new is an addition, not another name.
    let now = preferred(after);
    if preferred(before).iter().any(|(language, value)| !now.iter().any(|(l, v)| l == language && v == value)) {
        kinds.push(ConceptChangeKind::Renamed);
    }
    if definitions(before) != definitions(after) {
        kinds.push(ConceptChangeKind::Redefined);
    }
    let parents = |c: &Content| {
        let mut parents: Vec<Uuid> = c.parents().collect();
        parents.sort();
        parents
    };
    if parents(before) != parents(after) {
        kinds.push(ConceptChangeKind::Moved);
    }
    if b.mappings != a.mappings {
        kinds.push(ConceptChangeKind::Remapped);
    }
    let fields = field_changes(before, after);
    if kinds.is_empty() {
        let order_only = fields.iter().all(|f| f.field == "rank");
        kinds.push(if order_only { ConceptChangeKind::Reordered } else { ConceptChangeKind::Edited });
    }
    (kinds, fields)
}

fn field_changes(before: &Content, after: &Content) -> Vec<FieldChange> {
    let object = |c: &Content| match serde_json::to_value(c.fields()) {
        Ok(Value::Object(map)) => map,
        _ => serde_json::Map::new(),
    };
    let (before, after) = (object(before), object(after));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let items = |value: Option<&Value>| match value {
        None => Vec::new(),
        Some(Value::Array(items)) => items.clone(),
        Some(one) => vec![one.clone()],
    };
    names
        .into_iter()
        .filter_map(|name| {
            let (b, a) = (items(before.get(name)), items(after.get(name)));
            let gone: Vec<Value> = b.iter().filter(|x| !a.contains(x)).cloned().collect();
            let come: Vec<Value> = a.iter().filter(|x| !b.contains(x)).cloned().collect();
            let same = gone.is_empty() && come.is_empty();
            (!same).then(|| FieldChange { field: name.clone(), before: gone, after: come })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Alias, ContentFields, Definition, Language, Relation, Term};

    fn concept(change: impl FnOnce(&mut ContentFields)) -> Content {
        let mut f = ContentFields {
            notation: Some("J1".into()),
            terms: vec![Term::plain(Language::danish(), TermStatus::Preferred, "Egenomsorg")],
            definitions: vec![Definition::plain(Language::danish(), "at klare sig selv")],
            relations: vec![Relation::plain(RelationKind::Generic, Uuid::from_u128(9))],
            rank: Some(1),
            ..ContentFields::default()
        };
        change(&mut f);
        Content::new(f).unwrap()
    }

    #[test]
    fn every_type_of_alteration() {
        use ConceptChangeKind::*;
        type Alter = fn(&mut ContentFields);
        let cases: [(Alter, &[ConceptChangeKind]); 9] = [
            (|f| f.notation = Some("K1".into()), &[Recoded]),
            (
                |f| {
                    f.notation = Some("K1".into());
                    f.aliases = vec![Alias::plain("J1")];
                },
                &[Edited],
            ),
            (|f| f.terms[0].value = "Selvpleje".into(), &[Renamed]),
            (|f| f.terms.push(Term::plain(Language::english(), TermStatus::Preferred, "self-care")), &[Edited]),
            (|f| f.definitions[0].text = "at  klare\u{a0}sig selv".into(), &[Edited]),
            (|f| f.definitions[0].text = "at klare alt selv".into(), &[Redefined]),
            (|f| f.relations.clear(), &[Moved]),
            (|f| f.rank = Some(2), &[Reordered]),
            (
                |f| {
                    f.terms[0].value = "x".into();
                    f.definitions.clear();
                },
                &[Renamed, Redefined],
            ),
        ];
        for (i, (alter, expected)) in cases.into_iter().enumerate() {
            let (before, after) = (concept(|_| ()), concept(alter));
            let changes = diff(&[(Uuid::nil(), Some(&before), Some(&after))]);
            assert_eq!(changes[0].kinds, expected, "case {i}");
        }
        let same = concept(|_| ());
        assert!(diff(&[(Uuid::nil(), Some(&same), Some(&same))]).is_empty());
    }

    #[test]
    fn retirement_says_what_took_over() {
        let [a, b, x, y] = [1, 2, 3, 4].map(Uuid::from_u128);
        let old = concept(|_| ());
        let replacing = |targets: &[Uuid]| {
            let targets = targets.to_vec();
            concept(move |f| {
                f.relations = targets.iter().map(|t| Relation::plain(RelationKind::Replaces, *t)).collect()
            })
        };
        let kind = |pairs: &[(Uuid, Option<&Content>, Option<&Content>)]| {
            let changes = diff(pairs);
            (changes[0].kinds[0], changes[0].replaced_by.iter().map(|r| r.uuid).collect::<Vec<_>>())
        };
        let (one, both) = (replacing(&[a]), replacing(&[a, b]));
        assert_eq!(kind(&[(a, Some(&old), None)]), (ConceptChangeKind::Retired, vec![]));
        assert_eq!(kind(&[(a, Some(&old), None), (x, None, Some(&one))]), (ConceptChangeKind::Replaced, vec![x]));
        assert_eq!(
            kind(&[(a, Some(&old), None), (b, Some(&old), None), (x, None, Some(&both))]),
            (ConceptChangeKind::Merged, vec![x])
        );
        assert_eq!(
            kind(&[(a, Some(&old), None), (x, None, Some(&one)), (y, None, Some(&one))]),
            (ConceptChangeKind::Split, vec![x, y])
        );
        let named = diff(&[(a, Some(&old), None), (x, None, Some(&one))]).remove(0).replaced_by.remove(0);
        assert_eq!(named.text(), "J1 Egenomsorg");
    }

    #[test]
    fn what_only_takes_over_from_others_is_told_from_what_says_more() {
        let (gone, x) = (Uuid::from_u128(1), Uuid::from_u128(3));
        let replacing = Relation::plain(RelationKind::Replaces, gone);
        let only = |alter: &dyn Fn(&mut ContentFields)| {
            let (before, after) = (concept(|_| ()), concept(|f| alter(f)));
            diff(&[(x, Some(&before), Some(&after))]).pop().and_then(|change| change.only_replaces())
        };
        assert_eq!(only(&|f| f.relations.push(replacing.clone())), Some(vec![gone]));
        assert_eq!(
            only(&|f| {
                f.relations.push(replacing.clone());
                f.rank = Some(7);
            }),
            Some(vec![gone])
        );
        assert_eq!(only(&|f| f.rank = Some(7)), None, "it stands elsewhere");
        assert_eq!(only(&|f| f.relations.push(Relation::plain(RelationKind::SeeAlso, gone))), None);
        assert_eq!(
            only(&|f| {
                f.relations.push(replacing.clone());
                f.definitions[0].text = "at klare alt selv".into();
            }),
            None,
            "it is redefined too"
        );
        assert_eq!(
            only(&|f| {
                f.relations.push(replacing.clone());
                f.terms.push(Term::plain(Language::english(), TermStatus::Preferred, "self-care"));
            }),
            None,
            "it has another term too"
        );
    }
}
