//! Laying a draft over another version: what both sides changed, field by field. Nothing is dropped silently: each
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
    /// Both changed it, in different fields; both changes stand.
    Joined,
    /// Both made the same of it.
    Same,
    /// Both changed the same field; somebody chose.
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
        } else if let Some(items) = items_joined(b, t, o) {
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

/// A list of which each side added other items and neither took away what the other changed: both additions.
fn items_joined(base: Option<&Value>, theirs: Option<&Value>, ours: Option<&Value>) -> Option<Value> {
    let list = |v: Option<&Value>| match v {
        None => Some(Vec::new()),
        Some(Value::Array(items)) => Some(items.clone()),
        Some(_) => None,
    };
    let (base, theirs, ours) = (list(base)?, list(theirs)?, list(ours)?);
    let gone = |side: &[Value]| base.iter().filter(|x| !side.contains(x)).cloned().collect::<Vec<_>>();
    let come = |side: &[Value]| side.iter().filter(|x| !base.contains(x)).cloned().collect::<Vec<_>>();
    let (gone_t, gone_o) = (gone(&theirs), gone(&ours));
    let (come_t, come_o) = (come(&theirs), come(&ours));
    // A changed item is one gone and one come; that two changed items are not the same one cannot be seen.
    let changes = |gone: &[Value], come: &[Value]| !gone.is_empty() && !come.is_empty();
    if changes(&gone_t, &come_t) || changes(&gone_o, &come_o) || gone_t.iter().any(|x| gone_o.contains(x)) {
        return None;
    }
    let stay = base.into_iter().filter(|x| !gone_t.contains(x) && !gone_o.contains(x));
    let new = come_o.iter().filter(|x| !come_t.contains(x)).cloned();
    Some(Value::Array(stay.chain(come_t.iter().cloned()).chain(new).collect()))
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
