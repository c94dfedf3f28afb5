//! Laying a draft over another version: what both sides changed, field by field, and in lists item by item. Nothing is dropped silently: each
//! concept of the draft comes out with what was done to it, or with a conflict that somebody must settle.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Proposal;
use crate::model::{Content, ContentFields};

/// What comes of a concept when the draft is laid over another version.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Merging {
    /// The other version left it alone.
    Kept,
    /// Both changed it, in different fields or items; both changes stand.
    Joined,
    /// Both made the same of it.
    Same,
    /// Both changed the same field or item; somebody chose.
    Settled,
}

/// A concept of a draft as it lies over another version.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merged {
    /// The concept.
    pub concept: Uuid,
    /// How it came about.
    pub how: Merging,
    /// What the other version says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Arc<Content>>,
    /// What the draft says over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Arc<Content>>,
}

/// What both sides changed, each in its own way.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct Conflict {
    /// The concept.
    pub concept: Uuid,
    /// The fields, by their names in JSON; none when one side retired the concept.
    pub fields: Vec<String>,
    /// What the version below says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<ContentFields<String>>,
    /// What the other version says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theirs: Option<ContentFields<String>>,
    /// What the draft says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ours: Option<ContentFields<String>>,
}

/// Which side to take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Choice {
    /// The draft, whole.
    Ours,
    /// The other version, whole.
    Theirs,
}

/// How somebody settles a conflict.
#[derive(Clone, PartialEq, Debug)]
pub enum Resolution {
    /// One side.
    Take(Choice),
    /// Something else.
    Say(Arc<Content>),
}

/// Lays the proposals of a draft over another version. `theirs` tells what it says of a concept; `settled` tells how
/// conflicts are to be settled.
///
/// # Errors
/// The conflicts that are not settled, or the refusal of what two lawful changes make together.
pub fn merge(
    proposals: &BTreeMap<Uuid, Proposal>,
    theirs: impl Fn(Uuid) -> Option<Arc<Content>>,
    settled: &BTreeMap<Uuid, Resolution>,
) -> Result<Vec<Merged>, Vec<Conflict>> {
    let mut merged = Vec::new();
    let mut conflicts = Vec::new();
    for (&concept, p) in proposals {
        let theirs = theirs(concept);
        let done = |how, content: Option<Arc<Content>>| Merged { concept, how, base: theirs.clone(), content };
        let (base, ours) = (&p.base, &p.content);
        let plain = if theirs == *base {
            Ok(done(Merging::Kept, ours.clone()))
        } else if theirs == *ours {
            Ok(done(Merging::Same, ours.clone()))
        } else if ours == base {
            // The draft came back to where it began.
            Ok(done(Merging::Kept, theirs.clone()))
        } else {
            match (base, &theirs, ours) {
                (Some(b), Some(t), Some(o)) => joined(b, t, o).map(|c| done(Merging::Joined, Some(Arc::new(c)))),
                (None, Some(t), Some(o)) => match unlike(t, o) {
                    fields if fields.is_empty() => Ok(done(Merging::Same, theirs.clone())),
                    fields => Err(fields),
                },
                _ => Err(Vec::new()),
            }
        };
        match (plain, settled.get(&concept)) {
            (Ok(one), _) => merged.push(one),
            (Err(_), Some(Resolution::Take(Choice::Ours))) => merged.push(done(Merging::Settled, ours.clone())),
            (Err(_), Some(Resolution::Take(Choice::Theirs))) => merged.push(done(Merging::Settled, theirs.clone())),
            (Err(_), Some(Resolution::Say(content))) => merged.push(done(Merging::Settled, Some(content.clone()))),
            (Err(fields), None) => conflicts.push(Conflict {
                concept,
                fields,
                base: base.as_deref().map(named),
                theirs: theirs.as_deref().map(named),
                ours: ours.as_deref().map(named),
            }),
        }
    }
    if conflicts.is_empty() { Ok(merged) } else { Err(conflicts) }
}

/// The fields in which two new concepts of one code differ. Their place does not count: the version that has one gave
/// it one.
fn unlike(theirs: &Content, ours: &Content) -> Vec<String> {
    let (theirs, ours) = (object(theirs), object(ours));
    let names: BTreeSet<&String> = theirs.keys().chain(ours.keys()).filter(|n| *n != "rank").collect();
    names.into_iter().filter(|n| theirs.get(*n) != ours.get(*n)).cloned().collect()
}

/// Both changes, field by field; the fields that both changed otherwise.
fn joined(base: &Content, theirs: &Content, ours: &Content) -> std::result::Result<Content, Vec<String>> {
    let (base, theirs, ours) = (object(base), object(theirs), object(ours));
    let names: BTreeSet<&String> = base.keys().chain(theirs.keys()).chain(ours.keys()).collect();
    let mut out = Map::new();
    let mut conflicts = Vec::new();
    for name in names {
        let (b, t, o) = (base.get(name), theirs.get(name), ours.get(name));
        let value = if o == b || o == t {
            t.cloned()
        } else if t == b {
            o.cloned()
        } else if let Some(items) = items_joined(name, b, t, o) {
            Some(items)
        } else if name == "rank" {
            // Only the order means anything, and it is given anew when the version is made.
            o.cloned()
        } else {
            conflicts.push(name.clone());
            continue;
        };
        if let Some(value) = value {
            out.insert(name.clone(), value);
        }
    }
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    // Two changes that are lawful each but not together: somebody must look at it.
    match serde_json::from_value::<ContentFields>(Value::Object(out)) {
        Ok(fields) => Content::new(fields).map_err(|r| vec![r.place.field.unwrap_or_else(|| "terms".into())]),
        Err(_) => Err(vec!["terms".into()]),
    }
}

/// A list that both sides changed, item by item: each item as the side has it that changed it. Nothing when both
/// changed one item, or an item went on both sides and something else came: then they may be the same item, changed
/// in two ways.
fn items_joined(name: &str, base: Option<&Value>, theirs: Option<&Value>, ours: Option<&Value>) -> Option<Value> {
    let (base, theirs, ours) = (Keyed::of(name, base)?, Keyed::of(name, theirs)?, Keyed::of(name, ours)?);
    let gone = |side: &Keyed<'_>| base.keys().filter(|k| side.get(k).is_none()).cloned().collect::<BTreeSet<_>>();
    let come = |side: &Keyed<'_>| side.keys().filter(|k| base.get(k).is_none()).cloned().collect::<BTreeSet<_>>();
    let both_gone = gone(&theirs).intersection(&gone(&ours)).next().is_some();
    if both_gone && come(&theirs) != come(&ours) {
        return None;
    }
    let mut joined = Vec::new();
    let new = theirs.keys().chain(ours.keys()).filter(|k| base.get(k).is_none());
    let mut seen = BTreeSet::new();
    for key in base.keys().chain(new).filter(|k| seen.insert(*k)) {
        let (b, t, o) = (base.get(key), theirs.get(key), ours.get(key));
        let item = if o == b || o == t {
            t
        } else if t == b {
            o
        } else {
            return None;
        };
        joined.extend(item.cloned());
    }
    Some(Value::Array(joined))
}

/// The items of a list, each under what makes it the item that it is, in their order.
struct Keyed<'v> {
    order: Vec<String>,
    items: BTreeMap<String, &'v Value>,
}

impl<'v> Keyed<'v> {
    /// Nothing for what is no list, or has two items of one key.
    fn of(name: &str, list: Option<&'v Value>) -> Option<Self> {
        let items = match list {
            None => &[][..],
            Some(Value::Array(items)) => items,
            Some(_) => return None,
        };
        let mut keyed = Self { order: Vec::new(), items: BTreeMap::new() };
        for item in items {
            let key = key(name, item);
            keyed.order.push(key.clone());
            if keyed.items.insert(key, item).is_some() {
                return None;
            }
        }
        Some(keyed)
    }

    fn keys(&self) -> impl Iterator<Item = &String> + '_ {
        self.order.iter()
    }

    fn get(&self, key: &str) -> Option<&'v Value> {
        self.items.get(key).copied()
    }
}

/// What makes an item of a list the item that it is; the whole of it where nothing less does.
fn key(name: &str, item: &Value) -> String {
    let members: &[&str] = match name {
        "terms" => &["language", "status", "value"],
        "definitions" => &["language", "audience"],
        "relations" | "mappings" => &["kind", "target"],
        _ => return item.to_string(),
    };
    Value::from_iter(members.iter().map(|m| item.get(*m).cloned().unwrap_or_default())).to_string()
}

fn object(content: &Content) -> Map<String, Value> {
    match serde_json::to_value(content.fields()) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// The content with targets as text, as the API has it.
fn named(content: &Content) -> ContentFields<String> {
    let fields = content.clone().into_fields();
    fields.try_map_targets(|t| Ok(t.to_string())).unwrap_or_default()
}
