//! Merging, against what must hold of every merge.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::model::{Alias, Definition, Mapping, MappingKind, Note, NoteKind, Relation, RelationKind, Text};

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
    // Another synonym instead of the same one: it may be one synonym, written in two ways.
    assert_eq!(merged(with(6, 2), with(6, 4)), Err(vec!["terms".into()]));
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

/// A small world of lists: of each, which items there are and what is said of them beside what makes them the items
/// that they are.
type Lists = [[u8; 3]; 5];

fn listed(c: Lists) -> Arc<Content> {
    let language = |i: usize| ["da", "en", "de"][i].parse::<Language>().unwrap();
    let there = |list: [u8; 3]| list.into_iter().enumerate().filter(|(_, n)| *n > 0);
    let said = |n: u8| (n > 1).then(|| format!("kilde{n}"));
    let term = |(i, n): (usize, u8)| Term {
        source: said(n),
        ..Term::plain(Language::danish(), TermStatus::Admitted, format!("ord{i}"))
    };
    let main = Term::plain(Language::danish(), TermStatus::Preferred, "hovedord".to_owned());
    let definition = |(i, n): (usize, u8)| Definition {
        source: said(n),
        ..Definition::plain(language(i), format!("definition{n}"))
    };
    let note = |(i, n): (usize, u8)| Note { kind: NoteKind::Scope, language: language(i), text: format!("note{n}") };
    let relation = |(i, n): (usize, u8)| Relation {
        criterion: said(n).map(|text| Text { language: Language::danish(), text }).into_iter().collect(),
        ..Relation::plain(RelationKind::Generic, id(50 + i as u128))
    };
    let mapping = |(i, n): (usize, u8)| Mapping {
        kind: if n > 1 { MappingKind::Close } else { MappingKind::Exact },
        target: format!("https://example.dk/{i}"),
    };
    let fields = ContentFields {
        terms: std::iter::once(main).chain(there(c[0]).map(term)).collect(),
        definitions: there(c[1]).map(definition).collect(),
        notes: there(c[2]).map(note).collect(),
        relations: there(c[3]).map(relation).collect(),
        mappings: there(c[4]).map(mapping).collect(),
        ..ContentFields::default()
    };
    Arc::new(Content::new(fields).unwrap())
}

/// The words of a content: every text that stands in it, as often as it stands there.
fn words(content: &Content) -> BTreeMap<String, usize> {
    fn gather(value: &serde_json::Value, words: &mut BTreeMap<String, usize>) {
        match value {
            serde_json::Value::String(text) => *words.entry(text.clone()).or_default() += 1,
            serde_json::Value::Array(items) => items.iter().for_each(|v| gather(v, words)),
            serde_json::Value::Object(members) => members.values().for_each(|v| gather(v, words)),
            _ => {}
        }
    }
    let mut found = BTreeMap::new();
    gather(&serde_json::Value::Object(object(content)), &mut found);
    found
}

#[test]
fn two_sides_do_different_things_to_one_concept() {
    // What stands below; what each side makes of another item of each list; and both.
    let base: Lists = [[1, 1, 0], [1, 1, 0], [1, 1, 0], [1, 1, 0], [1, 1, 0]];
    let merged = |theirs: Lists, ours: Lists| {
        let proposal = Proposal { base: Some(listed(base)), content: Some(listed(ours)), edit: 1 };
        merge(&[(id(1), proposal)].into(), |_| Some(listed(theirs)), &BTreeMap::new())
            .map(|mut m| m.remove(0).content.unwrap())
            .map_err(|c| c[0].fields.clone())
    };
    for (theirs, ours, both) in [([2, 1, 0], [1, 2, 0], [2, 2, 0]), ([0, 1, 0], [1, 1, 1], [0, 1, 1])] {
        assert_eq!(merged([theirs; 5], [ours; 5]).unwrap(), listed([both; 5]));
    }
    // One item in two ways: somebody is asked; of a term and a relation their sources and criteria are what differs.
    for (list, name) in ["terms", "definitions", "notes", "relations", "mappings"].into_iter().enumerate() {
        let with = |items: [u8; 3]| {
            let mut lists = base;
            lists[list] = items;
            lists
        };
        let one = merged(with([2, 1, 0]), with([0, 1, 0]));
        assert_eq!(one, Err(vec![name.into()]), "changed and taken away");
        let fine = merged(with([0, 1, 0]), with([0, 1, 0])).unwrap();
        assert_eq!(fine, listed(with([0, 1, 0])));
    }
}

proptest! {
    /// What a side added is there after a merge, or somebody is asked; and what each side did to different items is
    /// never a conflict.
    #[test]
    fn no_word_is_lost(
        base in prop::array::uniform5(prop::array::uniform3(0u8..3)),
        theirs in prop::array::uniform5(prop::array::uniform3(0u8..3)),
        ours in prop::array::uniform5(prop::array::uniform3(0u8..3)),
        from in prop::array::uniform5(prop::array::uniform3(0u8..4)),
    ) {
        let mix = |other: Lists, mine: u8| -> Lists {
            std::array::from_fn(|l| {
                std::array::from_fn(|i| if from[l][i] == mine || from[l][i] == 3 { other[l][i] } else { base[l][i] })
            })
        };
        let (theirs, ours) = (mix(theirs, 1), mix(ours, 2));
        let [b, t, o] = [base, theirs, ours].map(listed);
        let proposal = Proposal { base: Some(b.clone()), content: Some(o.clone()), edit: 1 };
        let merged = merge(&[(id(1), proposal)].into(), |_| Some(t.clone()), &BTreeMap::new());
        let apart = from.iter().flatten().all(|n| *n != 3);
        // Notes and mappings are the items that they are by all that they say: a change is one gone and one come.
        match merged {
            Ok(merged) => {
                let after = words(merged[0].content.as_ref().unwrap());
                let [b, t, o] = [b, t, o].map(|c| words(&c));
                let of = |words: &BTreeMap<String, usize>, word: &String| words.get(word).copied().unwrap_or_default();
                for word in t.keys().chain(o.keys()) {
                    let added = of(&t, word) > of(&b, word) || of(&o, word) > of(&b, word);
                    prop_assert!(!added || of(&after, word) > 0, "{} is lost", word);
                }
                prop_assert!(after.keys().all(|word| of(&t, word) + of(&o, word) + of(&b, word) > 0));
            }
            Err(conflicts) => prop_assert!(!apart, "{:?}", conflicts[0].fields),
        }
    }
}
