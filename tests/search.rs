//! Search and suggestions through the front door: what is found and why, filters, time, pages, bad wishes.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use begreb::exchange::Format;
use common::{World, edition, encoded, on_every_database, pages};
use insta::assert_snapshot;
use serde_json::{Value, json};

const HEAD: [&str; 12] = [
    "notation",
    "parent",
    "alias",
    "preferred.da",
    "preferred.en",
    "admitted.da",
    "hidden.da",
    "definition.da",
    "note.scope.da",
    "mapping.exact",
    "replaces",
    "more",
];

/// A table: each row by what is said in some of its columns.
fn table(rows: &[&[(&str, &str)]]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEAD).expect("a row");
    for row in rows {
        assert!(row.iter().all(|(name, _)| HEAD.contains(name)), "{row:?}");
        let cell = |name: &&str| row.iter().find(|(n, _)| n == name).map_or("", |(_, value)| *value);
        writer.write_record(HEAD.iter().map(cell)).expect("a row");
    }
    writer.into_inner().expect("a table")
}

type Row<'a> = &'a [(&'a str, &'a str)];

const CARE: Row<'_> = &[("notation", "Ø"), ("preferred.da", "Omsorg"), ("preferred.en", "Care")];
const HOME_HELP: Row<'_> = &[
    ("notation", "Ø1.1"),
    ("parent", "Ø"),
    ("alias", "83-1"),
    ("preferred.da", "Hjemmehjælp"),
    ("preferred.en", "Home help"),
    ("admitted.da", "hjælp i hjemmet"),
    ("hidden.da", "rengøringskone"),
    ("definition.da", "Praktisk og personlig hjælp, som ydes i borgerens eget hjem."),
    ("note.scope.da", "Omfatter også indkøb og tøjvask."),
    ("mapping.exact", "https://andet.example/id/x/1"),
    (
        "more",
        r#"{"terms":[{"language":"da","status":"deprecated","value":"hjemmeservice","reason":"forældet","useInstead":"Hjemmehjælp"}]}"#,
    ),
];
const DWELLING: Row<'_> = &[
    ("notation", "Ø1.2"),
    ("parent", "Ø"),
    ("preferred.da", "Plejebolig"),
    ("preferred.en", "Nursing dwelling"),
    ("definition.da", "Bolig med personale, der dækker beboernes behov for omsorg."),
];
const TRAINING: Row<'_> = &[("notation", "T"), ("preferred.da", "Træning")];
const SHEEP: Row<'_> = &[("notation", "Ø3"), ("parent", "Ø"), ("preferred.da", "Får på græs")];
const FATHER: Row<'_> = &[("notation", "Ø4"), ("parent", "Ø"), ("preferred.da", "Far til barn")];
const STREET: Row<'_> = &[("notation", "Ø5"), ("parent", "Ø"), ("preferred.da", "Aaløkke ældrecenter")];

/// Our paragraphs, and `ydelser` in three versions: the second renames, moves and retires; the third is to come.
async fn fill(w: &World) {
    w.load_paragraphs().await;
    let meals = |name| -> Vec<(&str, &str)> { vec![("notation", "Ø2"), ("parent", "Ø"), ("preferred.da", name)] };
    let escort =
        |parent| -> Vec<(&str, &str)> { vec![("notation", "Ø6"), ("parent", parent), ("preferred.da", "Ledsagelse")] };
    let (before, after) = (meals("Madservice"), meals("Måltidsservice"));
    let (here, there) = (escort("Ø"), escort("T"));
    let again: Row<'_> = &[("notation", "T1"), ("parent", "T"), ("preferred.da", "Genoptræning")];
    let kept: Row<'_> =
        &[("notation", "T2"), ("parent", "T"), ("preferred.da", "Vedligeholdende træning"), ("replaces", "T1")];
    let coming: Row<'_> = &[("notation", "Ø9"), ("parent", "Ø"), ("preferred.da", "Velfærdsteknologi")];
    let same = [CARE, HOME_HELP, DWELLING, SHEEP, FATHER, STREET, TRAINING];
    let first = [&same[..], &[&before, &here, again]].concat();
    let second = [&same[..], &[&after, &there, kept]].concat();
    let third = [&second[..], &[coming]].concat();
    for (label, effective, at, rows) in [
        ("1", "2024-01-01", "2026-11-22T12:00:00Z", first),
        ("2", "2025-01-01", "2026-11-22T13:00:00Z", second),
        ("3", "2027-01-01", "2026-11-22T14:00:00Z", third),
    ] {
        w.clock.set(at);
        let bytes = table(&rows);
        let mut request = edition("ydelser", Format::Csv, &bytes, label, effective);
        request.accept_new = true;
        w.import(request).await.expect("it is lawful");
    }
    w.clock.set("2026-11-22T15:00:00Z");
}

/// A list long enough for pages: its numbers come in another order than its names.
fn list(n: usize, word: &str) -> Vec<u8> {
    let mut text = "notation,parent,preferred.da,definition.da\nL,,liste,\n".to_owned();
    for i in 0..n {
        let more = if i % 3 == 0 { "støtte og støttende hjælp" } else { "hjælp" };
        let _ = writeln!(text, "L{i},L,{word} {},{more} nummer {i}", (i * 7) % n);
    }
    text.into_bytes()
}

fn search(q: &str) -> String {
    format!("/api/v1/search?q={}", encoded(q))
}

fn suggest(q: &str) -> String {
    format!("/api/v1/suggest?q={}", encoded(q))
}

/// Whole answers, one after the other.
async fn told(w: &World, asked: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (why, uri) in asked {
        let answer = w.json(uri).await;
        let _ = writeln!(text, "## {why}: {uri}\n{}\n", serde_json::to_string_pretty(&answer).expect("JSON"));
    }
    text
}

fn names(answer: &Value) -> Vec<String> {
    let list = answer["hits"].as_array().or(answer["suggestions"].as_array()).expect("a list");
    let name = |hit: &Value| hit["notation"].as_str().or(hit["label"].as_str()).expect("a name").to_owned();
    list.iter().map(name).collect()
}

async fn found(w: &World, uri: &str) -> Vec<String> {
    names(&w.json(uri).await)
}

#[tokio::test]
async fn what_is_found_and_why() {
    on_every_database(async |w| {
        fill(&w).await;
        let of = |q: &str| format!("{}&vocabulary=ydelser&limit=2", search(q));
        let asked = [
            ("exact", of("hjemmehjælp")),
            ("another term", of("hjælp i hjemmet")),
            ("a deprecated term", of("hjemmeservice")),
            ("a hidden term", of("rengøringskone")),
            ("a beginning", of("hjemmehj")),
            ("a part of a compound", of("bolig")),
            ("an inflected word", of("plejeboligernes")),
            ("misspelt", of("hjemmehjelp")),
            ("a phrase", of("\"personlig hjælp\"")),
            ("another order", of("hjemmet i hjælp")),
            ("a code", of("ø1.1")),
            ("a code without its point is another", of("Ø11")),
            ("an alias", of("83-1")),
            ("in a definition", of("personale")),
            ("in a note", of("tøjvask")),
            ("some words", of("hjemmehjælp bolig træning")),
            ("English", format!("{}&language=en", of("home"))),
            ("none", of("vandmand")),
        ];
        assert_snapshot!("found", told(&w, &asked).await);
    })
    .await;
}

#[tokio::test]
async fn a_hidden_term_is_found_by_and_never_shown() {
    on_every_database(async |w| {
        fill(&w).await;
        for q in ["rengøringskone", "rengøringsk", "rengoeringskone"] {
            let answer = w.get(&search(q)).await.ok();
            assert_eq!(names(&answer.json())[0], "Ø1.1", "{q}");
            let text = serde_json::to_string(&answer.json()["hits"]).expect("JSON");
            assert!(!text.contains("rengøringskone"), "{q}: {text}");
        }
        let page = w.get(&format!("/search?q={}", encoded("rengøringskone"))).await.ok().text();
        assert_eq!(page.matches("rengøringskone").count(), 3, "only as it was asked for: title, box, heading");
        assert_eq!(found(&w, &suggest("rengør")).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn phrases_and_letters() {
    on_every_database(async |w| {
        fill(&w).await;
        let of = |q: &str| format!("{}&vocabulary=ydelser", search(q));
        // The words of a phrase stand together; those of a query anywhere.
        assert_eq!(found(&w, &of("\"borgerens hjem\"")).await, Vec::<String>::new());
        assert_eq!(found(&w, &of("borgerens hjem")).await, ["Ø1.1"]);
        // Only what was read for something else is told as such.
        let answer = w.json(&of("hjemmehjelp bolig")).await;
        let read: Vec<_> = answer["corrections"].as_array().into_iter().flatten().map(|c| &c["word"]).collect();
        assert_eq!(read, ["hjemmehjelp"], "{answer}");
        assert_eq!(w.json(&of("hjælp bolig træning")).await.get("corrections"), None);
        // å is not a; æ, ø and å may be written with two letters.
        assert_eq!(found(&w, &of("får")).await, ["Ø3"]);
        assert_eq!(found(&w, &of("faar")).await, ["Ø3"]);
        assert_eq!(found(&w, &of("far")).await, ["Ø4"]);
        for q in ["åløkke ældrecenter", "aaloekke aeldrecenter", "Åløkke Ældrecenter", "AALØKKE"] {
            assert_eq!(found(&w, &of(q)).await, ["Ø5"], "{q}");
        }
        for q in ["ø1.1", "oe1.1", "Ø 1.1"] {
            assert_eq!(found(&w, &of(q)).await[0], "Ø1.1", "{q}");
        }
        let paragraph = |q: &str| format!("{}&vocabulary=serviceparagraffer&limit=1", search(q));
        for q in ["SEL § 107", "sel §107", "sel107", "Serviceloven § 107", "§ 107"] {
            assert_eq!(found(&w, &paragraph(q)).await, ["SEL § 107"], "{q}");
        }
    })
    .await;
}

#[tokio::test]
async fn filters() {
    on_every_database(async |w| {
        fill(&w).await;
        let hits = async |q: &str, more: &str| found(&w, &format!("{}{more}", search(q))).await;
        assert_eq!(hits("omsorg", "&vocabulary=ydelser").await, ["Ø", "Ø1.2"]);
        assert_eq!(hits("omsorg", "&vocabulary=ydelser,serviceparagraffer&limit=1").await, ["Ø"]);
        assert!(hits("omsorg", "&vocabulary=serviceparagraffer").await.iter().all(|n| n != "Ø"));
        assert_eq!(hits("træning", "&vocabulary=ydelser&level=1").await, ["T"]);
        assert_eq!(hits("træning", "&vocabulary=ydelser&under=T&level=2").await, ["T2"]);
        assert_eq!(hits("træning", "&vocabulary=ydelser&under=%C3%98").await, Vec::<String>::new());
        assert_eq!(hits("ledsagelse", "&vocabulary=ydelser&under=T").await, ["Ø6"], "it has moved");
        assert_eq!(hits("ledsagelse", "&vocabulary=ydelser&under=T&version=1").await, Vec::<String>::new());
        assert_eq!(hits("ledsagelse", "&vocabulary=ydelser&under=%C3%98&date=2024-06-01").await, ["Ø6"]);
        assert_eq!(hits("genoptræning", "&vocabulary=ydelser&status=retired").await, ["T1"]);
        assert_eq!(hits("genoptræning", "&vocabulary=ydelser&status=inForce,future").await, Vec::<String>::new());
        assert_eq!(hits("velfærdsteknologi", "&status=future").await, ["Ø9"]);
        assert_eq!(hits("velfærdsteknologi", "&status=inForce").await, Vec::<String>::new());
        assert_eq!(hits("hjemmehjælp", "&mapping=https://andet.example/id/x/&vocabulary=ydelser").await, ["Ø1.1"]);
        assert_eq!(hits("hjemmehjælp", "&mapping=https://andet.example/id/x/1").await, ["Ø1.1"]);
        assert_eq!(hits("hjemmehjælp", "&mapping=ydelser").await, Vec::<String>::new());
        assert_eq!(hits("home", "&language=en&vocabulary=ydelser").await, ["Ø1.1"]);
        assert_eq!(hits("home", "&language=da&vocabulary=ydelser&status=inForce").await, Vec::<String>::new());
        assert_eq!(hits("træning", "&vocabulary=ydelser&kind=legalBasis").await, Vec::<String>::new());
        let all = hits("lov", "&vocabulary=serviceparagraffer&limit=1000").await;
        let laws = hits("lov", "&vocabulary=serviceparagraffer&facet=lov&limit=1000").await;
        assert!(!laws.is_empty() && laws.len() < all.len() && laws.iter().all(|n| !n.contains('§')), "{laws:?}");
        let kind = w.json("/api/v1/vocabularies/serviceparagraffer").await["kind"].clone();
        let kind = kind.as_str().expect("a kind");
        assert_eq!(hits("lov", &format!("&kind={kind}&vocabulary=serviceparagraffer&limit=1000")).await, all);
        // What is empty is not asked for; suggestions take the same filters.
        assert_eq!(hits("omsorg", "&vocabulary=ydelser&kind=&status=").await, ["Ø", "Ø1.2"]);
        let begun = async |q: &str, more: &str| found(&w, &format!("{}{more}", suggest(q))).await;
        assert_eq!(begun("tr", "&vocabulary=ydelser").await, ["T", "T2"]);
        assert_eq!(begun("tr", "&vocabulary=ydelser&level=1").await, ["T"]);
        assert_eq!(begun("hjem", "&mapping=https://andet.example/id/x/").await, ["Ø1.1"]);
        assert_eq!(begun("le", "&vocabulary=ydelser&under=T").await, ["Ø6"]);
        assert_eq!(begun("le", "&vocabulary=ydelser&under=T&version=1").await, Vec::<String>::new());
        assert_eq!(begun("lov", "&vocabulary=serviceparagraffer&facet=lov&limit=1").await.len(), 1);
        assert_eq!(w.get(&format!("{}&sort=term", suggest("tr"))).await.with(400).code(), "invalid-parameter");
    })
    .await;
}

#[tokio::test]
async fn what_was_said_then_is_found_then() {
    on_every_database(async |w| {
        fill(&w).await;
        let hits = async |q: &str, more: &str| found(&w, &format!("{}&vocabulary=ydelser{more}", search(q))).await;
        let none = Vec::<String>::new();
        // A renamed concept: today it is found by its name of today.
        assert_eq!(hits("måltidsservice", "").await, ["Ø2"]);
        for q in ["\"madservice\"", "madservice"] {
            assert_eq!(hits(q, "").await, none, "{q}");
        }
        for then in ["&version=1", "&date=2024-06-01", "&date=2025-06-01&registered=2026-11-22T12:30:00Z"] {
            assert_eq!(hits("\"madservice\"", then).await, ["Ø2"], "{then}");
            assert_eq!(hits("\"måltidsservice\"", then).await, none, "{then}");
            assert_eq!(hits("genoptræning", &format!("{then}&status=inForce")).await, ["T1"], "{then}");
            assert_eq!(hits("velfærdsteknologi", &format!("{then}&status=inForce")).await, none, "{then}");
        }
        assert_eq!(hits("\"madservice\"", "&version=2").await, none);
        // A version holds what it holds, and neither what came after nor what was before.
        assert_eq!(hits("genoptræning", "&version=2").await, none);
        assert_eq!(hits("genoptræning", "&version=2&status=retired").await, none);
        assert_eq!(hits("velfærdsteknologi", "&version=2").await, none);
        assert_eq!(hits("velfærdsteknologi", "&version=3").await, ["Ø9"]);
        // Before anything was said, nothing is found; before a version was registered, it was not known.
        assert_eq!(hits("hjemmehjælp", "&registered=2026-11-22T11:00:00Z").await, none);
        assert_eq!(hits("velfærdsteknologi", "&registered=2026-11-22T13:30:00Z").await, none);
        assert_eq!(hits("velfærdsteknologi", "&date=2027-01-01&status=inForce").await, ["Ø9"]);
        let asked = [
            ("retired today", format!("{}&vocabulary=ydelser", search("genoptræning"))),
            ("in a version", format!("{}&vocabulary=ydelser&version=1", search("genoptræning"))),
            ("to come", format!("{}&vocabulary=ydelser", search("velfærdsteknologi"))),
        ];
        assert_snapshot!("time", told(&w, &asked).await);
    })
    .await;
}

#[tokio::test]
async fn counts_are_of_all_pages() {
    on_every_database(async |w| {
        fill(&w).await;
        let bytes = list(45, "indsats");
        w.import(edition("liste", Format::Csv, &bytes, "1", "2024-01-01")).await.expect("it is lawful");
        let answer = w.get(&format!("{}&limit=3", search("hjælp"))).await.ok();
        let json = answer.json();
        let sum = |name: &str| json[name].as_object().expect("counts").values().filter_map(Value::as_u64).sum::<u64>();
        let total = json["total"].as_u64().expect("a number");
        assert_eq!((sum("vocabularies"), sum("statuses")), (total, total));
        assert_eq!(answer.header("x-total-count"), total.to_string());
        assert_eq!(json["vocabularies"]["liste"], 45);
        assert_eq!(json["hits"].as_array().map(Vec::len), Some(3));
        // Narrowed, each count is what the answer has then.
        for (slug, n) in json["vocabularies"].as_object().expect("counts") {
            assert_eq!(w.json(&format!("{}&vocabulary={slug}", search("hjælp"))).await["total"], *n, "{slug}");
        }
        for (status, n) in json["statuses"].as_object().expect("counts") {
            assert_eq!(w.json(&format!("{}&status={status}", search("hjælp"))).await["total"], *n, "{status}");
        }
    })
    .await;
}

#[tokio::test]
async fn pages_are_walked_once_also_while_more_comes() {
    on_every_database(async |w| {
        fill(&w).await;
        let bytes = list(45, "indsats");
        w.import(edition("liste", Format::Csv, &bytes, "1", "2024-01-01")).await.expect("it is lawful");
        for (turn, sort) in ["", "&sort=relevance", "&sort=term", "&sort=notation"].into_iter().enumerate() {
            let asked = format!("{}{sort}", search("hjælp nummer"));
            let whole = found(&w, &format!("{asked}&limit=1000")).await;
            assert!(whole.len() >= 45, "{sort}");
            let walk =
                |answers: &[common::Answer]| -> Vec<String> { answers.iter().flat_map(|a| names(&a.json())).collect() };
            assert_eq!(walk(&pages(&w, &format!("{asked}&limit=7")).await), whole, "{sort}");
            // Between two pages comes much that has the same words.
            let first = w.get(&format!("{asked}&limit=7")).await.ok();
            let next = first.header("link").trim_start_matches('<').replace(">; rel=\"next\"", "");
            w.clock.set(&format!("2026-11-22T16:{turn:02}:00Z"));
            let (label, day) = (format!("k{turn}"), format!("2026-0{}-01", turn + 1));
            let bytes = list(60, &format!("hjælp til indsats{turn} nummer"));
            w.import(edition("liste", Format::Csv, &bytes, &label, &day)).await.expect("it is lawful");
            let other = list(80, &format!("nummer{turn} hjælpsom"));
            w.import(edition(&format!("ny{turn}"), Format::Csv, &other, "1", "2024-01-01")).await.expect("lawful");
            let mut all = vec![first];
            all.extend(pages(&w, &next).await);
            assert_eq!(walk(&all), whole, "{sort}: while an import came between");
            let bytes = list(45, "indsats");
            let day = format!("2026-0{}-02", turn + 1);
            w.import(edition("liste", Format::Csv, &bytes, &format!("l{turn}"), &day)).await.expect("it is lawful");
        }
        let by_code =
            found(&w, &format!("{}&vocabulary=liste&status=inForce&sort=notation&limit=12", search("nummer"))).await;
        assert_eq!(by_code[8..], ["L8", "L9", "L10", "L11"]);
        let by_term = w.json(&format!("{}&vocabulary=liste&status=inForce&sort=term&limit=12", search("nummer"))).await;
        assert_eq!(by_term["hits"][11]["label"], "indsats 11");
    })
    .await;
}

#[tokio::test]
async fn a_cursor_belongs_to_its_search() {
    on_every_database(async |w| {
        fill(&w).await;
        let asked = format!("{}&limit=1", search("træning"));
        let cursor = w.json(&asked).await["next"].as_str().expect("a cursor").to_owned();
        assert_eq!(names(&w.json(&format!("{asked}&cursor={cursor}")).await).len(), 1);
        // How many are on a page may change on the way.
        w.get(&format!("{}&limit=2&cursor={cursor}", search("træning"))).await.ok();
        let mut spoilt: Vec<String> = ["", ".", "x", "0.0.0.0", "æ", "…"].map(ToOwned::to_owned).to_vec();
        spoilt.push(format!("{cursor}0"));
        spoilt.push(cursor[1..].to_owned());
        for (at, byte) in cursor.bytes().enumerate() {
            let other = if byte == b'0' { '1' } else { '0' };
            spoilt.push(format!("{}{other}{}", &cursor[..at], &cursor[at + 1..]));
        }
        for text in spoilt {
            let answer = w.get(&format!("{asked}&cursor={}", encoded(&text))).await;
            assert_eq!(answer.status, 400, "{text}: {}", answer.text());
            assert_eq!(answer.code(), "invalid-cursor", "{text}");
        }
        for other in ["&sort=term", "&status=inForce", "&vocabulary=ydelser", "&date=2026-11-22", "&language=da"] {
            let answer = w.get(&format!("{asked}{other}&cursor={cursor}")).await.with(400);
            assert_eq!(answer.code(), "invalid-cursor", "{other}");
        }
        let answer = w.get(&format!("{}&limit=1&cursor={cursor}", search("pleje"))).await.with(400);
        assert_eq!(answer.code(), "invalid-cursor");
    })
    .await;
}

#[tokio::test]
async fn bad_wishes_are_refused_with_what_is_allowed() {
    on_every_database(async |w| {
        fill(&w).await;
        let mut text = String::new();
        for (what, uri, status) in [
            ("no query", "/api/v1/search".to_owned(), 400),
            ("empty", search(""), 400),
            ("spaces", search(" \t "), 400),
            ("only punctuation", search("!?.,;:()[]{}"), 400),
            ("empty quotes", search("\"\""), 400),
            ("a NUL alone", search("\0"), 400),
            ("10 000 characters", search(&"a".repeat(10_000)), 413),
            ("many words", search(&"ord ".repeat(100)), 413),
            ("an unknown vocabulary", format!("{}&vocabulary=ydelser,ingen", search("x")), 404),
            ("an unknown kind", format!("{}&kind=bog", search("x")), 400),
            ("an unknown status", format!("{}&status=afgået", search("x")), 400),
            ("an unknown language", format!("{}&language=fr", search("x")), 400),
            ("no language", format!("{}&language=dansk_", search("x")), 400),
            ("an unknown facet", format!("{}&facet=farve", search("x")), 400),
            ("an unknown mapping", format!("{}&mapping=ingen", search("x")), 400),
            ("an unknown sort", format!("{}&sort=length", search("x")), 400),
            ("below what is not", format!("{}&vocabulary=ydelser&under=X", search("x")), 404),
            ("below in several", format!("{}&under=T", search("x")), 400),
            ("a version of several", format!("{}&version=1", search("x")), 400),
            ("an unknown version", format!("{}&vocabulary=ydelser&version=9", search("x")), 404),
            ("a version and a date", format!("{}&vocabulary=ydelser&version=1&date=2024-01-01", search("x")), 400),
            ("no date", format!("{}&date=i-morgen", search("x")), 400),
            ("level 0", format!("{}&level=0", search("x")), 400),
            ("a level that is no number", format!("{}&level=a", search("x")), 400),
            ("limit -1", format!("{}&limit=-1", search("x")), 400),
            ("limit 0", format!("{}&limit=0", search("x")), 400),
            ("limit 1001", format!("{}&limit=1001", search("x")), 400),
            ("an unknown parameter", format!("{}&ord=x", search("x")), 400),
            ("twice", format!("{}&q=y", search("x")), 400),
            ("suggest: no query", "/api/v1/suggest".to_owned(), 400),
            ("suggest: punctuation", suggest("!"), 400),
            ("suggest: long", suggest(&"a".repeat(10_000)), 413),
            ("suggest: limit 101", format!("{}&limit=101", suggest("x")), 400),
            ("suggest: format", format!("{}&format=xml", suggest("x")), 400),
            ("suggest: a sort", format!("{}&sort=term", suggest("x")), 400),
        ] {
            let uri = uri.replace('å', "%C3%A5");
            let mut shown = Vec::new();
            for language in ["da", "en"] {
                let answer = w.ask("GET", &uri, &[("accept-language", language)]).await;
                assert_eq!(answer.status, status, "{what}: {}", answer.text());
                let problem = answer.json();
                assert_eq!(problem["code"], answer.code());
                assert!(problem["where"].is_object(), "{what}: {problem}");
                shown.push(problem);
            }
            assert_ne!(shown[0]["title"], shown[1]["title"], "{what}");
            let (da, en) = (&shown[0], &shown[1]);
            let _ = writeln!(
                text,
                "{what}: {} {}\n  {}\n  {}\n  {} {}",
                da["status"], da["code"], da["title"], en["title"], da["where"], da["allowed"]
            );
        }
        assert_snapshot!("refused", text);
    })
    .await;
}

#[tokio::test]
async fn strange_queries_are_answered() {
    on_every_database(async |w| {
        fill(&w).await;
        for q in [
            "hjemmehjælp\0",
            "hjemme\u{1}hjælp\u{7f}",
            "\"uparret",
            "a\" \"b\" \"",
            "»hjemmehjælp«",
            ".*",
            "a.*",
            "(hjemme|hjælp)",
            "[a-z]+$",
            "\\",
            "hjemmehjælp\\",
            "title:hjælp AND -x",
            "+hjælp -mad ~2 ^3",
            "\u{202e}pjæhlemmejh",
            "عربي مساعدة",
            "עברית",
            "居家帮助",
            "😀 hjælp",
            "e\u{301}e\u{301}",
            "%00%",
            "' OR 1=1 --",
            "<script>alert(1)</script>",
            "{{7*7}}",
            "a_b_c",
            "ß ŉ ǰ İ ı",
            "\u{feff}hjælp",
            "a\u{300}\u{300}\u{300}",
            "1",
            "§",
            "i",
            "og",
        ] {
            for uri in [search(q), suggest(q), format!("/search?q={}", encoded(q))] {
                let answer = w.get(&uri).await;
                assert!(matches!(answer.status, 200 | 400), "{q:?}: {} {}", answer.status, answer.text());
                assert!(!answer.text().contains("<script>"), "{q:?}");
            }
        }
        // Bytes that are no text, and half an escape.
        for uri in ["/api/v1/search?q=%ff%fe", "/api/v1/search?q=%", "/api/v1/search?q=%zz", "/search?q=%ff"] {
            let answer = w.get(uri).await;
            assert!(answer.status < 500, "{uri}: {}", answer.text());
        }
        let long = "ab".repeat(250);
        w.get(&search(&long)).await.ok();
        w.get(&suggest(&long)).await.ok();
    })
    .await;
}

#[tokio::test]
async fn suggestions() {
    on_every_database(async |w| {
        fill(&w).await;
        let of = |q: &str| format!("{}&vocabulary=ydelser", suggest(q));
        let asked = [
            ("a beginning", of("hj")),
            ("a deprecated term", of("hjemmes")),
            ("a later word", of("græ")),
            ("a notation", of("ø1")),
            ("misspelt", of("hjemmehjelp")),
            ("two letters for one", of("maal")),
            ("of then", format!("{}&date=2024-06-01", of("mad"))),
            ("not as it was once called", of("madserv")),
            ("nothing", of("vandmand")),
        ];
        assert_snapshot!("suggested", told(&w, &asked).await);
        assert_eq!(found(&w, &of("får")).await, ["Ø3"]);
        assert_eq!(found(&w, &of("far")).await, ["Ø4"]);
        // The same for browsers.
        let by_name = w.get(&format!("{}&format=opensearch", of("hjem"))).await.ok();
        let accept = [("accept", "application/x-suggestions+json")];
        let by_accept = w.ask("GET", &of("hjem"), &accept).await.ok();
        assert_eq!(by_name.body, by_accept.body);
        assert_snapshot!("suggested_opensearch", by_name.shown());
    })
    .await;
}

#[tokio::test]
async fn the_search_page() {
    on_every_database(async |w| {
        fill(&w).await;
        let page = |q: &str| format!("/search?q={}", encoded(q));
        let english = [("accept-language", "en")];
        let mut answer = w.get(&format!("{}&vocabulary=ydelser", page("hjælp træning"))).await.ok();
        assert!(answer.text().contains("Intet begreb har alle ordene"), "{}", answer.text());
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("form-action 'self'") && policy.contains("default-src 'none'"), "{policy}");
        assert!(!answer.text().contains("<script"));
        answer = w.get(&page("hjemmeservice")).await.ok();
        let main = |text: &str| text.split_once("<body>").expect("a body").1.to_owned();
        assert_snapshot!("page", main(&answer.text()));
        let answer = w.ask("GET", &format!("{}&limit=1", page("genoptræning")), &english).await.ok();
        assert_snapshot!("page_english", main(&answer.text()));
        // Nothing asked for is no mistake; a mistake is told on the page.
        for nothing in ["/search", "/search?q=", "/search?q=+", "/search?q=&vocabulary="] {
            assert!(w.get(nothing).await.ok().text().contains("Søg i begreber"), "{nothing}");
        }
        for (wrong, status, said) in [
            ("/search?q=%22%22", 400, "der er intet ord at søge efter"),
            ("/search?q=x&vocabulary=ingen", 404, "ydelser"),
            ("/search?q=x&frobnicate=1", 400, "frobnicate"),
            ("/search?q=x&cursor=x", 400, "cursoren"),
            ("/search?q=x&level=a", 400, "level"),
        ] {
            let answer = w.get(wrong).await.with(status);
            assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{wrong}");
            assert_eq!(answer.header("cache-control"), "no-store", "{wrong}");
            assert!(answer.text().contains(said), "{wrong}: {}", answer.text());
        }
        // The pages lead through all hits, and each hit to a page at the same point.
        let (mut next, mut links) =
            (Some("/search?q=tr%C3%A6ning&vocabulary=ydelser&limit=1&date=2024-06-01".to_owned()), vec![]);
        while let Some(uri) = next {
            let text = w.get(&uri).await.ok().text();
            let hrefs = |before: &str| -> Vec<String> {
                let parts = text.split(before).skip(1);
                parts.filter_map(|p| p.split_once('"')).map(|(href, _)| href.replace("&#38;", "&")).collect()
            };
            links.extend(hrefs("<a href=\"/id/").into_iter().map(|rest| format!("/id/{rest}")));
            next = hrefs("<a rel=\"next\" href=\"").into_iter().next();
            assert!(links.len() < 1000, "the pages have no end");
        }
        let whole = w.json("/api/v1/search?q=tr%C3%A6ning&vocabulary=ydelser&limit=1000&date=2024-06-01").await;
        assert!(links.len() == 2 && links.len() == names(&whole).len(), "{links:?}");
        assert_eq!(links.iter().collect::<BTreeSet<_>>().len(), links.len());
        for link in links {
            assert!(link.ends_with("?date=2024-06-01"), "{link}");
            w.ask("GET", &link, &[("accept", "text/html")]).await.ok();
        }
        // What is typed stays text.
        let text = w.get(&page("\"><img src=x onerror=y> hjælp")).await.ok().text();
        assert!(!text.contains("<img"), "{text}");
    })
    .await;
}

#[tokio::test]
async fn browsers_may_take_it_up() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        for path in ["/", "/search", "/id/serviceparagraffer", "/id/serviceparagraffer/SEL"] {
            let text = w.ask("GET", path, &[("accept", "text/html")]).await.ok().text();
            assert!(text.contains(r#"<form role="search" action="/search"><label for="q">"#), "{path}");
            assert!(text.contains(r#"type="application/opensearchdescription+xml""#), "{path}");
        }
        assert_snapshot!("opensearch", w.get("/opensearch.xml").await.ok().shown());
    })
    .await;
}

#[tokio::test]
async fn an_empty_registry_finds_nothing() {
    on_every_database(async |w| {
        let none = json!({"total": 0, "partial": false, "vocabularies": {}, "statuses": {}, "hits": []});
        assert_eq!(w.json(&search("hjælp")).await, none);
        assert_eq!(w.json(&suggest("hj")).await, json!({ "suggestions": [] }));
        assert!(w.get("/search?q=x").await.ok().text().contains("Intet fundet"));
        // A dry run is not found either: what is not published does not exist.
        let bytes = list(3, "indsats");
        let dry = begreb::registry::ImportRequest {
            dry_run: true,
            ..edition("liste", Format::Csv, &bytes, "1", "2024-01-01")
        };
        w.import(dry).await.expect("it is lawful");
        assert_eq!(w.json(&search("indsats")).await, none);
    })
    .await;
}
