//! Which entry of a file is which concept, where the file itself is in two minds.
//!
//! KL wrote concepts of FSIII with a code like `J1.4`, later with a uuid, and in one edition with both: every
//! concept stood there twice. Such *twins* are recognised by the path of their titles; where several share a
//! path, the definition decides; what is left in doubt is refused, never guessed.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use crate::exchange::{Incoming, IncomingConcept, Key, Loss};
use crate::model::{Alias, Code, Definition, Place, Refusal, RelationKind, Result, TermStatus};

/// A code and the uuid of the concept that it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity(BTreeMap<String, Uuid>);

impl Identity {
    /// Nobody: codes tell who is who.
    #[must_use]
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// Reads an identity file: two columns, code and uuid, with or without a heading.
    ///
    /// # Errors
    /// [`Code::Syntax`] or [`Code::InvalidIdentifier`] with the row; [`Code::DuplicateCode`] when a code is
    /// given two uuids.
    pub fn read(text: &str) -> Result<Self> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut pairs = BTreeMap::new();
        for (record, row) in reader.records().zip(1..) {
            let wrong = |code, da: String, en: String| Err(Refusal::new(code, da, en).at(Place::row(row)));
            let Ok(record) = record else {
                return wrong(Code::Syntax, "rækken kan ikke læses".into(), "the row cannot be read".into());
            };
            if row == 1 && record.get(0) == Some("code") && record.get(1) == Some("uuid") {
                continue;
            }
            let (Some(code), Some(uuid), 2) = (record.get(0), record.get(1), record.len()) else {
                return wrong(
                    Code::Syntax,
                    format!("rækken har {} felter og ikke to", record.len()),
                    format!("the row has {} fields and not two", record.len()),
                );
            };
            let Ok(uuid) = Uuid::try_parse(uuid.trim()) else {
                return wrong(
                    Code::InvalidIdentifier,
                    format!("»{uuid}« er ikke en uuid"),
                    format!("'{uuid}' is not a uuid"),
                );
            };
            if pairs.insert(code.trim().to_owned(), uuid).is_some_and(|other| other != uuid) {
                return wrong(
                    Code::DuplicateCode,
                    format!("koden »{code}« står med to uuid'er"),
                    format!("the code '{code}' has two uuids"),
                );
            }
        }
        if pairs.is_empty() {
            let (da, en) = ("identitetsfilen er tom", "the identity file is empty");
            return Err(Refusal::new(Code::Incomplete, da, en).allowed(["begreb identity FILE > IDENTITY-FILE"]));
        }
        Ok(Self(pairs))
    }

    /// Writes an identity file.
    ///
    /// # Panics
    /// Never: memory takes what is written.
    #[must_use]
    pub fn write(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["code", "uuid"]).expect("memory takes it");
        for (code, uuid) in &self.0 {
            writer.write_record([code.as_str(), &uuid.to_string()]).expect("memory takes it");
        }
        String::from_utf8(writer.into_inner().expect("memory takes it")).expect("it was text")
    }

    /// The uuid of a code.
    #[must_use]
    pub fn get(&self, code: &str) -> Option<Uuid> {
        self.0.get(code).copied()
    }

    /// How many codes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The paths of preferred terms from the top, one for each concept of a file; the first parent counts.
pub(super) fn paths(concepts: &[IncomingConcept]) -> Vec<Vec<&str>> {
    let by_key: HashMap<&Key, usize> =
        concepts.iter().enumerate().flat_map(|(i, c)| c.keys.iter().map(move |k| (k, i))).collect();
    let parent = |i: usize| {
        let up = |r: &&crate::model::Relation<Key>| matches!(r.kind, RelationKind::Generic | RelationKind::Partitive);
        concepts[i].content.relations.iter().find(up).and_then(|r| by_key.get(&r.target)).copied()
    };
    let title = |i: usize| {
        let terms = &concepts[i].content.terms;
        terms.iter().find(|t| t.status == TermStatus::Preferred).map_or("", |t| t.value.as_str())
    };
    (0..concepts.len())
        .map(|i| {
            let mut path = vec![title(i)];
            let mut at = i;
            // A cycle is refused later; here it must only end.
            while let Some(up) = parent(at).filter(|_| path.len() <= crate::exchange::DEEPEST) {
                path.push(title(up));
                at = up;
            }
            path.reverse();
            path
        })
        .collect()
}

/// Two entries of a file that are one concept: the positions of the one written by uuid and the other.
type Twins = (usize, usize);

fn twins(concepts: &[IncomingConcept]) -> Result<Vec<Twins>> {
    let mut by_path: BTreeMap<Vec<&str>, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (i, path) in paths(concepts).into_iter().enumerate() {
        let (by_uuid, by_code) = by_path.entry(path).or_default();
        // Only a code that *is* a uuid makes an entry the uuid half; a uuid beside a code is no twin.
        let is_uuid = concepts[i].keys.first().is_some_and(|k| Uuid::try_parse(&k.0).is_ok());
        if is_uuid { by_uuid.push(i) } else { by_code.push(i) }
    }
    let (mut found, mut doubts) = (Vec::new(), Vec::new());
    for (path, (by_uuid, by_code)) in by_path {
        match (&by_uuid[..], &by_code[..]) {
            ([], _) | (_, []) => {}
            ([u], [c]) => found.push((*u, *c)),
            _ => {
                let mut by_definition: BTreeMap<&[Definition], (Vec<usize>, Vec<usize>)> = BTreeMap::new();
                for &u in &by_uuid {
                    by_definition.entry(&concepts[u].content.definitions).or_default().0.push(u);
                }
                for &c in &by_code {
                    by_definition.entry(&concepts[c].content.definitions).or_default().1.push(c);
                }
                let (mut left_uuid, mut left_code) = (Vec::new(), Vec::new());
                for (us, cs) in by_definition.into_values() {
                    match (&us[..], &cs[..]) {
                        ([u], [c]) => found.push((*u, *c)),
                        _ => {
                            left_uuid.extend(us);
                            left_code.extend(cs);
                        }
                    }
                }
                if !left_uuid.is_empty() && !left_code.is_empty() {
                    let names = left_uuid.iter().chain(&left_code).map(|&i| concepts[i].keys[0].0.as_str());
                    doubts.push(format!("{}: {}", path.join(" › "), names.collect::<Vec<_>>().join(", ")));
                }
            }
        }
    }
    if doubts.is_empty() {
        return Ok(found);
    }
    Err(Refusal::new(
        Code::Doubt,
        format!("{} grupper af begreber med samme titler kan ikke parres", doubts.len()),
        format!("{} groups of concepts with equal titles cannot be paired", doubts.len()),
    )
    .items(doubts))
}

/// The identity of the codes in a file that has twins.
///
/// # Errors
/// [`Code::Doubt`] with the list of what cannot be paired.
pub fn identity(incoming: &Incoming) -> Result<Identity> {
    let concepts = &incoming.concepts;
    let pairs = twins(concepts)?;
    let pair = |(u, c): Twins| Some((concepts[c].keys[0].0.clone(), concepts[u].uuid?));
    Ok(Identity(pairs.into_iter().filter_map(pair).collect()))
}

/// Folds twins into one concept each: the code that people use is its notation, the uuid its identity and an
/// alias. The answer is how many pairs there were.
///
/// # Errors
/// [`Code::Doubt`] with the list of what cannot be paired.
pub(super) fn fold(incoming: &mut Incoming) -> Result<usize> {
    let pairs = twins(&incoming.concepts)?;
    let mut differ = 0;
    let mut gone = vec![false; incoming.concepts.len()];
    for &(u, c) in &pairs {
        let code = incoming.concepts[c].clone();
        let one = &mut incoming.concepts[u];
        differ += u64::from(one.content.definitions != code.content.definitions);
        one.content.aliases.push(Alias::plain(one.keys[0].0.clone()));
        one.content.notation = code.content.notation;
        one.content.terms.extend(code.content.terms.into_iter().filter(|t| t.status != TermStatus::Preferred));
        one.content.relations.extend(code.content.relations);
        one.keys.splice(0..0, code.keys);
        gone[c] = true;
    }
    let mut gone = gone.into_iter();
    incoming.concepts.retain(|_| !gone.next().unwrap_or(false));
    if differ > 0 {
        incoming.losses.push(Loss {
            what: "definition of a twin".into(),
            why: "the two entries of one concept are defined differently; the one written by uuid was taken".into(),
            count: differ,
        });
    }
    Ok(pairs.len())
}
