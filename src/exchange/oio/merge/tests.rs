use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::exchange::oio::incoming::{Mode, read};
use crate::exchange::oio::{Publiceret, Reference, time};
use crate::model::Instant;

fn given(mode: Mode, value: &Value) -> Given {
    read(Kind::Klasse, mode, value.to_string().as_bytes()).unwrap()
}

fn virkning(from: &str, to: &str) -> Value {
    json!({"from": from, "to": to})
}

/// Title A, description x, published and with a parent and two mappings, from 2020 on.
fn before() -> Indhold {
    let v = json!({"from": "2020-01-01", "to": "infinity", "aktoerref": "11111111-1111-4111-8111-111111111111",
        "aktoertypekode": "Organisation", "notetekst": "gammel"});
    let value = json!({
        "attributter": {"klasseegenskaber": [{"brugervendtnoegle": "K", "titel": "A", "beskrivelse": "x",
            "soegeord": [["ord", "", "synonym"]], "virkning": v}]},
        "tilstande": {"klassepubliceret": [{"publiceret": "Publiceret", "virkning": v}]},
        "relationer": {
            "overordnetklasse": [{"uuid": "55555555-5555-4555-8555-555555555555", "virkning": v}],
            "mapninger": [{"urn": "urn:a", "virkning": v}, {"urn": "urn:b", "virkning": v}]},
    });
    whole(Kind::Klasse, given(Mode::Whole, &value)).unwrap()
}

fn after(value: Value) -> Result<Indhold> {
    update(Kind::Klasse, before(), given(Mode::Partial, &value))
}

/// The attributes as `from: title/description/note`.
fn attributes(indhold: &Indhold) -> Vec<String> {
    let mut lines: Vec<_> = indhold
        .attributter
        .iter()
        .map(|e| {
            let field = |name| e.fields.get(name).map_or("-", String::as_str);
            let (p, note) = (e.virkning.period, e.virkning.notetekst.as_deref().unwrap_or("-"));
            let day = |i: Instant| i.date().map_or(i.to_string(), |d| d.to_string());
            format!("{}..{}: {}/{}/{note}", day(p.from()), day(p.to()), field("titel"), field("beskrivelse"))
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn a_class_is_renamed_from_a_date() {
    let new = after(
        json!({"attributter": {"klasseegenskaber": [{"titel": "B", "virkning": virkning("2026-07-01", "infinity")}]}}),
    );
    let new = new.unwrap();
    assert_eq!(attributes(&new), ["2020-01-01..2026-07-01: A/x/gammel", "2026-07-01..infinity: B/x/-"]);
    assert!(new.attributter.iter().all(|e| e.soegeord.len() == 1), "words that are not given are inherited");
    assert_eq!((new.tilstande, new.relationer), (before().tilstande, before().relationer), "what is left out stays");
}

#[test]
fn attributes_are_split_cleared_and_inserted() {
    for (elements, expected) in [
        // In the middle of what is there.
        (
            json!([{"titel": "B", "virkning": virkning("2022-01-01", "2023-01-01")}]),
            &[
                "2020-01-01..2022-01-01: A/x/gammel",
                "2022-01-01..2023-01-01: B/x/-",
                "2023-01-01..infinity: A/x/gammel",
            ][..],
        ),
        // Over the beginning: outside of it as given, which takes what is mandatory.
        (
            json!([{"brugervendtnoegle": "K", "titel": "B", "virkning": virkning("2019-01-01", "2021-01-01")}]),
            &["2019-01-01..2020-01-01: B/-/-", "2020-01-01..2021-01-01: B/x/-", "2021-01-01..infinity: A/x/gammel"],
        ),
        // An empty text clears one field.
        (
            json!([{"beskrivelse": "", "virkning": virkning("2020-01-01", "infinity")}]),
            &["2020-01-01..infinity: A/-/-"],
        ),
        // Two that do not overlap.
        (
            json!([{"titel": "B", "virkning": virkning("2021-01-01", "2022-01-01")}, {"titel": "C", "virkning": virkning("2022-01-01", "infinity")}]),
            &["2020-01-01..2021-01-01: A/x/gammel", "2021-01-01..2022-01-01: B/x/-", "2022-01-01..infinity: C/x/-"],
        ),
        (json!([]), &[]),
    ] {
        let new = after(json!({"attributter": {"klasseegenskaber": elements}})).unwrap();
        assert_eq!(attributes(&new), expected);
    }
}

#[test]
fn states_are_split_and_cleared() {
    let states = |value: Value| {
        let new = after(json!({"tilstande": {"klassepubliceret": value}})).unwrap();
        new.tilstande.iter().map(|t| (t.publiceret, time::virkning(t.virkning.period.from()))).collect::<Vec<_>>()
    };
    let state = |name: &str| json!([{"publiceret": name, "virkning": virkning("2026-01-01", "infinity")}]);
    let first = (Publiceret::Publiceret, "2020-01-01 00:00:00+00".to_owned());
    let second = (Publiceret::IkkePubliceret, "2026-01-01 00:00:00+00".to_owned());
    assert_eq!(states(state("IkkePubliceret")), [first.clone(), second]);
    assert_eq!(states(state("")), [first]);
    assert_eq!(states(json!([])), []);
}

#[test]
fn relations_are_split_replaced_and_cleared() {
    let targets = |relationer: Value| {
        let new = after(json!({ "relationer": relationer })).unwrap();
        let shown = |r: &Relation| match &r.til {
            Reference::Uuid(uuid) => format!("{:.2} {}", uuid.to_string(), time::virkning(r.virkning.period.from())),
            Reference::Urn(urn) => urn.clone(),
        };
        new.relationer.into_iter().map(|(n, l)| (n, l.iter().map(shown).collect())).collect::<BTreeMap<_, Vec<_>>>()
    };
    let v = virkning("2026-01-01", "infinity");
    let other = "66666666-6666-4666-8666-666666666666";
    let parent = "55 2020-01-01 00:00:00+00".to_owned();
    let one = targets(json!({"overordnetklasse": [{"uuid": other, "virkning": v}]}));
    assert_eq!(one["overordnetklasse"], [parent.clone(), "66 2026-01-01 00:00:00+00".to_owned()]);
    assert_eq!(one["mapninger"], ["urn:a", "urn:b"]);
    let cleared = targets(json!({"overordnetklasse": [{"uuid": "", "urn": "", "virkning": v}]}));
    assert_eq!(cleared["overordnetklasse"], [parent]);
    assert_eq!(
        targets(json!({"mapninger": [{"urn": "urn:c", "virkning": v}]}))["mapninger"],
        ["urn:c"],
        "the whole list"
    );
    assert_eq!(targets(json!({"mapninger": []}))["mapninger"], ["urn:a", "urn:b"], "an empty list counts as absent");
    assert!(!targets(json!({"mapninger": [{"uuid": "", "urn": "", "virkning": v}]})).contains_key("mapninger"));
    assert_eq!(targets(json!({})).len(), 2, "no relations given, none changed");
}

#[test]
fn what_cannot_be_is_refused() {
    let twice = |group: &str, name: &str, element: &dyn Fn(Value) -> Value| {
        let list = [element(virkning("2020-01-01", "2022-01-01")), element(virkning("2021-01-01", "2023-01-01"))];
        json!({ group: { name: list } })
    };
    let parent = |v| json!({"uuid": "55555555-5555-4555-8555-555555555555", "virkning": v});
    for (value, path) in [
        (
            twice("attributter", "klasseegenskaber", &|v| json!({"titel": "B", "virkning": v})),
            "attributter.klasseegenskaber",
        ),
        (
            twice("tilstande", "klassepubliceret", &|v| json!({"publiceret": "Publiceret", "virkning": v})),
            "tilstande.klassepubliceret",
        ),
        (twice("relationer", "overordnetklasse", &parent), "relationer.overordnetklasse"),
        (
            json!({"attributter": {"klasseegenskaber": [{"titel": "", "virkning": virkning("2020-01-01", "infinity")}]}}),
            "attributter.klasseegenskaber[0]",
        ),
        (
            json!({"attributter": {"klasseegenskaber": [{"titel": "B", "virkning": virkning("2010-01-01", "2021-01-01")}]}}),
            "attributter.klasseegenskaber[0]",
        ),
    ] {
        let refusal = after(value).expect_err(path);
        assert_eq!((refusal.code, refusal.place.field.as_deref()), (Code::InvalidBody, Some(path)));
    }
    let several = twice("relationer", "mapninger", &|v| json!({"urn": "urn:x", "virkning": v}));
    assert!(after(several).is_ok(), "of several, periods may overlap");
    for (group, name) in [("attributter", "klasseegenskaber"), ("tilstande", "klassepubliceret")] {
        for lacking in [json!({}), json!({ name: [] })] {
            let mut value = json!({
                "attributter": {"klasseegenskaber": [{"brugervendtnoegle": "K", "titel": "A", "virkning": virkning("2020-01-01", "infinity")}]},
                "tilstande": {"klassepubliceret": [{"publiceret": "Publiceret", "virkning": virkning("2020-01-01", "infinity")}]},
            });
            value[group] = lacking;
            let refusal = whole(Kind::Klasse, given(Mode::Whole, &value)).expect_err("something is lacking");
            assert_eq!(refusal.place.field, Some(format!("{group}.{name}")));
        }
    }
}

fn day(n: i64) -> Instant {
    if n >= 20 { Instant::FOREVER } else { Instant::from_micros(n) }
}

fn element(from: i64, length: i64, title: u8) -> Egenskab {
    let period = Period::new(day(from), day(from + length)).unwrap();
    let fields = [("brugervendtnoegle", "K".to_owned()), ("titel", title.to_string())];
    Egenskab { fields: fields.into(), soegeord: Vec::new(), virkning: period.into() }
}

/// Elements that do not overlap.
fn elements() -> impl Strategy<Value = Vec<Egenskab>> {
    prop::collection::vec((0i64..19, 1i64..6, 0u8..4), 0..6).prop_map(|all| {
        let mut list: Vec<Egenskab> = Vec::new();
        for (from, length, title) in all {
            let one = element(from, length, title);
            if list.iter().all(|e| !e.virkning.period.overlaps(one.virkning.period)) {
                list.push(one);
            }
        }
        list
    })
}

fn title_at(list: &[Egenskab], n: i64) -> Option<String> {
    let here: Vec<_> = list.iter().filter(|e| e.virkning.period.contains(day(n))).collect();
    assert!(here.len() <= 1, "two overlap");
    here.first().map(|e| e.fields["titel"].clone())
}

proptest! {
    /// Over the given periods what is given, outside of them what was there, and never two at once.
    #[test]
    fn outside_the_given_periods_nothing_changes(old in elements(), new in elements()) {
        let indhold = Indhold { attributter: old.clone(), ..Indhold::default() };
        let as_given = |e: &Egenskab| GivenEgenskab { fields: e.fields.clone(), soegeord: None, virkning: e.virkning.clone() };
        let given = Given { attributter: (!new.is_empty()).then(|| new.iter().map(as_given).collect()), ..Given::default() };
        let made = update(Kind::Klasse, indhold, given).unwrap();
        for n in 0..20 {
            prop_assert_eq!(title_at(&made.attributter, n), title_at(&new, n).or_else(|| title_at(&old, n)));
        }
        // Sections say the same, each over a period of its own.
        let sections = sections(&made, std::iter::empty());
        for n in 0..20 {
            let here: Vec<_> = sections.iter().filter(|(p, _)| p.contains(day(n))).collect();
            let title = here.first().and_then(|(_, s)| s.egenskab.as_ref()).map(|e| e.fields["titel"].clone());
            prop_assert!(here.len() <= 1);
            prop_assert_eq!(title, title_at(&made.attributter, n));
        }
    }
}
