//! Merging, against what must hold of every merge.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::model::{Alias, Definition, Note, NoteKind, Relation, RelationKind};

/// A small world of contents: each choice is one field.
type Choices = [u8; 7];

fn fields(c: Choices) -> ContentFields {
    let da = Language::danish;
    let (some, pick) = (|n: u8| (n > 0).then(|| format!("x{n}")), |n: u8| (0..3u8).filter(move |i| n & (1 << i) != 0));
    let admitted = pick(c[6]).map(|i| Term::plain(da(), TermStatus::Admitted, format!("s{i}")));
    ContentFields {
        notation: some(c[0] % 3),
        facet: some(c[1] % 3),
        rank: Some(i64::from(c[2] % 3)).filter(|n| *n > 0),
        terms: [Term::plain(da(), TermStatus::Preferred, format!("t{}", c[3] % 3))]
            .into_iter()
            .chain(admitted)
            .collect(),
        definitions: some(c[4] % 3).map(|text| Definition::plain(da(), text)).into_iter().collect(),
        notes: pick(c[5]).map(|i| Note { kind: NoteKind::Scope, language: da(), text: format!("n{i}") }).collect(),
        aliases: pick(c[5] / 8).map(|i| Alias::plain(format!("a{i}"))).collect(),
        relations: pick(c[6] / 8).map(|i| Relation::plain(RelationKind::SeeAlso, id(50 + u128::from(i)))).collect(),
        ..ContentFields::default()
    }
}

fn made(c: Option<Choices>) -> Option<Arc<Content>> {
    c.map(|c| Arc::new(Content::new(fields(c)).unwrap()))
}

fn contents() -> impl Strategy<Value = Option<Choices>> {
    prop::option::weighted(0.85, prop::array::uniform7(0u8..64))
}

fn object(content: &Content) -> serde_json::Map<String, serde_json::Value> {
    serde_json::from_str(&content.canonical()).unwrap()
}

/// Of each concept: what was below, what the other version says, what the draft says; often two of them agree.
fn concepts() -> impl Strategy<Value = BTreeMap<Uuid, [Option<Arc<Content>>; 3]>> {
    let one = (contents(), contents(), contents(), 0u8..5, prop::array::uniform7(0u8..3)).prop_map(
        |(base, theirs, ours, how, from)| {
            // Mostly each side changes only some of the choices.
            let near = |other: Option<Choices>, mine: u8| match (base, other) {
                (Some(b), Some(o)) => Some(std::array::from_fn(|i| if from[i] == mine { o[i] } else { b[i] })),
                _ => other,
            };
            let (theirs, ours) = if how > 0 { (near(theirs, 1), near(ours, 2)) } else { (theirs, ours) };
            let all = match how {
                1 => [base, base, ours],
                2 => [base, theirs, base],
                3 => [base, theirs, theirs],
                _ => [base, theirs, ours],
            };
            all.map(made)
        },
    );
    prop::collection::btree_map((1u128..20).prop_map(Uuid::from_u128), one, 0..6)
}

fn proposals(of: &BTreeMap<Uuid, [Option<Arc<Content>>; 3]>) -> BTreeMap<Uuid, Proposal> {
    of.iter().map(|(u, [b, _, o])| (*u, Proposal { base: b.clone(), content: o.clone(), edit: 1 })).collect()
}

proptest! {
    /// Every concept comes out once, as what it must be, and resolutions settle what is left.
    #[test]
    fn every_concept_comes_out_once(of in concepts(), choices in prop::collection::vec(0u8..3, 6)) {
        let proposals = proposals(&of);
        let theirs = |u: Uuid| of[&u][1].clone();
        let conflicts = merge(&proposals, theirs, &BTreeMap::new()).err().unwrap_or_default();
        let unsettled: BTreeSet<Uuid> = conflicts.iter().map(|c| c.concept).collect();
        prop_assert_eq!(unsettled.len(), conflicts.len());
        let say = made(Some([1; 7])).unwrap();
        let resolution = |i: usize| match choices[i % choices.len()] {
            0 => Resolution::Take(Choice::Ours),
            1 => Resolution::Take(Choice::Theirs),
            _ => Resolution::Say(say.clone()),
        };
        let settled: BTreeMap<Uuid, Resolution> = unsettled.iter().enumerate().map(|(i, u)| (*u, resolution(i))).collect();
        if let Some(last) = unsettled.last() {
            let mut fewer = settled.clone();
            fewer.remove(last);
            let left = merge(&proposals, theirs, &fewer).unwrap_err();
            prop_assert_eq!(left.iter().map(|c| c.concept).collect::<Vec<_>>(), vec![*last]);
        }
        let merged = merge(&proposals, theirs, &settled).expect("all is settled");
        prop_assert!(merged.iter().map(|m| m.concept).eq(of.keys().copied()));
        for m in &merged {
            let [base, theirs, ours] = &of[&m.concept];
            prop_assert_eq!(&m.base, theirs);
            prop_assert_eq!(m.how == Merging::Settled, unsettled.contains(&m.concept));
            match m.how {
                Merging::Kept if theirs == base => prop_assert_eq!(&m.content, ours),
                Merging::Kept => prop_assert!(ours == base && m.content == *theirs),
                // Of two new concepts of one code the place among siblings does not count.
                Merging::Same => prop_assert!(m.content == *theirs && (theirs == ours || base.is_none())),
                Merging::Settled => match &settled[&m.concept] {
                    Resolution::Take(Choice::Ours) => prop_assert_eq!(&m.content, ours),
                    Resolution::Take(Choice::Theirs) => prop_assert_eq!(&m.content, theirs),
                    Resolution::Say(said) => prop_assert_eq!(m.content.as_ref(), Some(said)),
                },
                Merging::Joined => {
                    let [b, t, o, c] = [base, theirs, ours, &m.content].map(|c| object(c.as_ref().unwrap()));
                    joined(&b, &t, &o, &c)?;
                }
            }
        }
        for c in &conflicts {
            let [base, theirs, ours] = &of[&c.concept];
            prop_assert!(theirs != base && theirs != ours && ours != base);
            let one_gone = theirs.is_none() || ours.is_none();
            prop_assert_eq!(c.fields.is_empty(), one_gone);
        }
    }

    /// Over the version it lies over already, nothing changes; and a draft takes what a merge makes.
    #[test]
    fn laid_over_the_same_it_is_the_same(of in concepts()) {
        let proposals = proposals(&of);
        let merged = merge(&proposals, |u| of[&u][0].clone(), &BTreeMap::new()).unwrap();
        for m in merged {
            prop_assert_eq!(m.how, Merging::Kept);
            prop_assert_eq!(&m.content, &of[&m.concept][2]);
        }
    }
}

/// A field that one side changed is as that side has it; of a list that both changed every addition is there, and
/// nothing that a side took away.
fn joined(
    b: &serde_json::Map<String, serde_json::Value>,
    t: &serde_json::Map<String, serde_json::Value>,
    o: &serde_json::Map<String, serde_json::Value>,
    c: &serde_json::Map<String, serde_json::Value>,
) -> std::result::Result<(), TestCaseError> {
    let names: BTreeSet<&String> = b.keys().chain(t.keys()).chain(o.keys()).chain(c.keys()).collect();
    for name in names {
        let [b, t, o, c] = [b, t, o, c].map(|m| m.get(name));
        if o == b || o == t {
            prop_assert_eq!(c, t, "{}", name);
        } else if t == b || name == "rank" {
            prop_assert_eq!(c, o, "{}", name);
        } else {
            let items = |v: Option<&serde_json::Value>| v.and_then(|v| v.as_array().cloned()).unwrap_or_default();
            let [b, t, o, c] = [b, t, o, c].map(items);
            for side in [&t, &o] {
                prop_assert!(side.iter().filter(|x| !b.contains(x)).all(|x| c.contains(x)), "an addition is lost");
                prop_assert!(b.iter().filter(|x| !side.contains(x)).all(|x| !c.contains(x)), "it came back");
            }
            prop_assert!(b.iter().filter(|x| t.contains(x) && o.contains(x)).all(|x| c.contains(x)));
            prop_assert!(c.iter().all(|x| b.contains(x) || t.contains(x) || o.contains(x)));
        }
    }
    Ok(())
}

#[test]
fn what_two_sides_do_to_one_field() {
    let start: Choices = [1, 1, 1, 1, 1, 1, 1];
    let with = |i: usize, n: u8| {
        let mut c = start;
        c[i] = n;
        c
    };
    let merged = |theirs: Choices, ours: Choices| {
        let proposal = Proposal { base: made(Some(start)), content: made(Some(ours)), edit: 1 };
        merge(&[(id(1), proposal)].into(), |_| made(Some(theirs)), &BTreeMap::new())
            .map(|mut m| (m[0].how, m.remove(0).content.unwrap()))
            .map_err(|c| c[0].fields.clone())
    };
    // The same term, the same notation, the same definition otherwise: somebody must look.
    assert_eq!(merged(with(3, 2), with(3, 0)), Err(vec!["terms".into()]));
    assert_eq!(merged(with(0, 2), with(0, 0)), Err(vec!["notation".into()]));
    assert_eq!(merged(with(4, 2), with(4, 0)), Err(vec!["definitions".into()]));
    // Another place among siblings on both sides: the draft's.
    let (how, content) = merged(with(2, 2), with(2, 0)).unwrap();
    assert_eq!((how, content.fields().rank), (Merging::Joined, None));
    // A synonym each: both.
    let (how, content) = merged(with(6, 1 | 2), with(6, 1 | 4)).unwrap();
    let terms: Vec<&str> = content.fields().terms.iter().map(|t| t.value.as_str()).collect();
    assert_eq!((how, terms), (Merging::Joined, vec!["t1", "s0", "s1", "s2"]));
    // Two fields: both.
    let (how, content) = merged(with(0, 2), with(4, 2)).unwrap();
    assert_eq!((how, content), (Merging::Joined, made(Some([2, 1, 1, 1, 2, 1, 1])).unwrap()));
    // Each a definition where there was none: lawful each, not together.
    let none = |c: Choices| {
        let mut c = c;
        c[4] = 0;
        c
    };
    let proposal = Proposal { base: made(Some(none(start))), content: made(Some(with(4, 1))), edit: 1 };
    let both = merge(&[(id(1), proposal)].into(), |_| made(Some(with(4, 2))), &BTreeMap::new());
    assert_eq!(both.unwrap_err()[0].fields, ["definitions"]);
}
