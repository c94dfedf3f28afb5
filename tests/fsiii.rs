//! KL's real publications of FSIII and FFB, 2020 to 2024: one concept is one concept through its whole history.
//! The files stand beside the project; nothing of them is kept here but counts and codes.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use begreb::exchange::{self, Format, ReadOptions};
use begreb::model::{Code, Language};
use begreb::registry::{Identity, Matched, Outcome, Verdict, identity};
use common::{World, edition, kl, on_every_database, pages};
use serde_json::{Value, json};

const V: &str = "/api/v1/vocabularies/fsiii";
const EDITIONS: [(&str, usize); 5] =
    [("2020-09-08", 333), ("2023-05-17", 367), ("2023-06-22", 335), ("2024-05-30", 404), ("2024-10-31", 414)];

fn file(day: &str) -> Option<Vec<u8>> {
    kl(&format!("FSIII-{day}.json"))
}

/// An entry of a file, by our own walk of its JSON.
#[derive(Clone, Debug)]
struct Seen {
    code: String,
    display: String,
    definition: Option<String>,
    parent: Option<String>,
    level: u64,
}

fn walk(bytes: &[u8]) -> Vec<Seen> {
    fn below(concepts: &Value, parent: Option<&str>, level: u64, out: &mut Vec<Seen>) {
        for concept in concepts.as_array().into_iter().flatten() {
            let text = |name: &str| concept[name].as_str().map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
            let code = text("code").expect("a code");
            out.push(Seen {
                code: code.clone(),
                display: text("display").expect("a display"),
                definition: text("definition"),
                parent: parent.map(ToOwned::to_owned),
                level,
            });
            below(&concept["concept"], Some(&code), level + 1, out);
        }
    }
    let mut out = Vec::new();
    below(&serde_json::from_slice::<Value>(bytes).expect("JSON")["concept"], None, 1, &mut out);
    out
}

/// The identity of the codes, from the edition that has both.
fn who_is_who(bytes: &[u8]) -> Identity {
    let options = ReadOptions { language: Language::danish(), namespace: None };
    let incoming = exchange::read(Format::Fhir, bytes, &options).expect("KL's file is taken in");
    identity(&incoming).expect("KL's twins can be told apart")
}

/// The five editions in a registry, oldest first; `None` where KL's files are not.
async fn all_five(w: &World) -> Option<Identity> {
    let identity = who_is_who(&file("2024-10-31")?);
    for (day, count) in EDITIONS {
        let bytes = file(day)?;
        let mut request = edition("fsiii", Format::Fhir, &bytes, day, day);
        request.identity = identity.clone();
        let report = w.import(request).await.unwrap_or_else(|r| panic!("{day}: {r:?}"));
        assert_eq!(report.verdict, Verdict::Published);
        assert_eq!(report.manifest.concepts, count as u64, "{day}");
    }
    Some(identity)
}

async fn list(w: &World, at: &str) -> Vec<Value> {
    let list = w.json(&format!("{V}/concepts?limit=10000&{at}")).await;
    list["concepts"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn the_identity_of_the_edition_that_has_both() {
    let Some(bytes) = file("2024-10-31") else { return };
    let identity = who_is_who(&bytes);
    assert_eq!(identity.len(), 414);
    // A file of it is read back.
    assert_eq!(Identity::read(&identity.write()).expect("two columns"), identity);
    // Every pair stands in the file: a code that is no uuid, and a uuid; none twice, none left over.
    let seen = walk(&bytes);
    let codes: BTreeSet<&str> = seen.iter().map(|s| s.code.as_str()).collect();
    let uuids: BTreeSet<String> = codes.iter().filter_map(|c| identity.get(c)).map(|u| u.to_string()).collect();
    assert_eq!(uuids.len(), 414);
    assert!(uuids.iter().all(|u| codes.contains(u.as_str())));
    // The twins have the same path of titles.
    let by_code: HashMap<&str, &Seen> = seen.iter().map(|s| (s.code.as_str(), s)).collect();
    let path = |code: &str| {
        let (mut path, mut at) = (Vec::new(), Some(code));
        while let Some(seen) = at.and_then(|c| by_code.get(c)) {
            path.push(seen.display.as_str());
            at = seen.parent.as_deref();
        }
        path
    };
    for code in codes {
        if let Some(uuid) = identity.get(code) {
            assert_eq!(path(code), path(&uuid.to_string()), "{code}");
        }
    }
}

#[tokio::test]
async fn five_editions_of_one_classification() {
    on_every_database(async |w| {
        let Some(identity) = all_five(&w).await else { return };
        for (day, count) in EDITIONS {
            let version = w.json(&format!("{V}/versions/{day}")).await;
            assert_eq!(version["manifest"]["concepts"], count);
            let answer = w.get(&format!("{V}/concepts?version={day}&limit=1")).await.ok();
            assert_eq!(answer.header("x-total-count"), count.to_string());
            let by_day = w.get(&format!("{V}/concepts?date={day}&limit=1")).await.ok();
            assert_eq!(by_day.header("x-total-count"), count.to_string());
        }
        // J1.4 is one concept through all five, by its code and by its uuid, in each of them and outside.
        let uuid = identity.get("J1.4").expect("J1.4 has a uuid").to_string();
        for at in EDITIONS
            .map(|(day, _)| format!("?version={day}"))
            .iter()
            .map(String::as_str)
            .chain(["", "?date=2010-01-01"])
        {
            let by_code = w.get(&format!("{V}/concepts/J1.4{at}")).await.ok();
            let by_uuid = w.get(&format!("{V}/concepts/{uuid}{at}")).await.ok();
            assert_eq!(by_code.body, by_uuid.body, "{at}");
            assert_eq!(by_code.json()["uuid"], uuid, "{at}");
        }
        let by_code = w.get(&format!("{V}/concepts/J1.4/history")).await.ok();
        assert_eq!(by_code.body, w.get(&format!("{V}/concepts/{uuid}/history")).await.ok().body);
        let told: BTreeSet<String> = by_code.json()["states"]
            .as_array()
            .expect("states")
            .iter()
            .flat_map(|s| s["versions"].as_array().expect("versions").clone())
            .map(|v| v.as_str().expect("a label").to_owned())
            .collect();
        assert_eq!(told, EDITIONS.iter().map(|(day, _)| (*day).to_owned()).collect());
        // Both names are codes of it that may be used today.
        for code in ["J1.4", &uuid] {
            let item = json!({ "system": "urn:oid:1.2.208.176.2.21", "code": code });
            assert_eq!(w.post("/api/v1/validate", item.to_string()).await.ok().json()["result"], "valid", "{code}");
            let resolved = w.json(&format!("/api/v1/resolve?system=fsiii&code={code}")).await;
            assert_eq!((&resolved["uuid"], &resolved["status"]), (&json!(uuid), &json!("inForce")));
        }
        assert_eq!(w.json("/api/v1/vocabularies").await[0]["concepts"], 414);
        w.registry.verify().await.expect("whole");
    })
    .await;
}

#[tokio::test]
async fn codes_with_wildcards_and_ranges() {
    on_every_database(async |w| {
        if all_five(&w).await.is_none() {
            return;
        }
        let codes = async |at: &str| -> Vec<String> {
            let list = list(&w, at).await;
            list.iter().map(|c| c["notation"].as_str().expect("a code").to_owned()).collect()
        };
        for (day, count) in EDITIONS {
            let Some(bytes) = file(day) else { return };
            let expected: BTreeSet<String> =
                walk(&bytes).into_iter().map(|s| s.code).filter(|c| c.starts_with("J1")).collect();
            let told = codes(&format!("version={day}&codes=J1*")).await;
            assert_eq!(told.iter().cloned().collect::<BTreeSet<_>>(), expected, "{day}");
            assert_eq!(told.len(), if day == "2024-05-30" { 0 } else { 9 }, "{day} of {count}");
        }
        assert_eq!(codes("version=2023-05-17&codes=J1.2-J1.4").await, ["J1.2", "J1.3", "J1.4"]);
        assert_eq!(codes("version=2023-05-17&codes=J1.7-J1*").await, ["J1.7", "J1.8"]);
        assert_eq!(codes("version=2023-05-17&codes=J1.8,J1").await, ["J1", "J1.8"]);
        assert_eq!(codes("version=2023-05-17&parent=J1").await.len(), 8);
        assert_eq!(codes("version=2024-10-31&parent=J1&codes=*4").await, ["J1.4"]);
        assert_eq!(codes("version=2024-10-31&level=1").await.len(), 17);
    })
    .await;
}

#[tokio::test]
async fn hierarchy_order_and_texts_are_those_of_the_files() {
    on_every_database(async |w| {
        let Some(identity) = all_five(&w).await else { return };
        for (day, count) in EDITIONS {
            let Some(bytes) = file(day) else { return };
            let uuid_of = |code: &str| identity.get(code).map_or_else(|| code.to_owned(), |u| u.to_string());
            // Of two twins the one that is written by uuid counts.
            let seen: Vec<Seen> = walk(&bytes);
            let uuids: BTreeSet<String> = seen.iter().map(|s| s.code.clone()).collect();
            let twin = |s: &Seen| identity.get(&s.code).is_some_and(|u| uuids.contains(&u.to_string()));
            let seen: Vec<&Seen> = seen.iter().filter(|s| !twin(s)).collect();
            assert_eq!(seen.len(), count, "{day}");
            let told = list(&w, &format!("version={day}")).await;
            assert_eq!(told.len(), count, "{day}");
            for (entry, concept) in seen.iter().zip(&told) {
                // A code that KL dropped before it wrote uuids has none in the identity file.
                let known = identity.get(&entry.code).is_some() || entry.code.len() == 36;
                if known {
                    assert_eq!(concept["uuid"], uuid_of(&entry.code), "{day}: the order");
                } else {
                    assert_eq!(concept["notation"], entry.code, "{day}: the order");
                }
                assert_eq!(concept["level"], entry.level, "{day} {}", entry.code);
                assert_eq!(concept["terms"][0]["value"], entry.display, "{day} {}", entry.code);
                let definition = concept.get("definitions").and_then(|d| d[0]["text"].as_str());
                assert_eq!(definition.map(str::trim), entry.definition.as_deref(), "{day} {}", entry.code);
                let above: Vec<&str> = concept["broader"]
                    .as_array()
                    .expect("a list")
                    .iter()
                    .map(|b| b["uuid"].as_str().expect("a uuid"))
                    .collect();
                let parent = entry.parent.as_ref().map(|p| {
                    let at = seen.iter().position(|s| s.code == *p).expect("the parent is in the file");
                    told[at]["uuid"].as_str().expect("a uuid")
                });
                assert_eq!(above, parent.into_iter().collect::<Vec<_>>(), "{day} {}", entry.code);
            }
        }
    })
    .await;
}

/// What changed from one file to the next, by our own count.
fn expected_changes(before: &[Seen], after: &[Seen], identity: &Identity) -> BTreeMap<&'static str, u64> {
    let name = |code: &str| identity.get(code).map_or_else(|| code.to_owned(), |u| u.to_string());
    fn by_name(seen: &[Seen], name: impl Fn(&str) -> String) -> BTreeMap<String, Vec<Seen>> {
        let mut all: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
        for s in seen {
            all.entry(name(&s.code)).or_default().push(s.clone());
        }
        // The twin that is written by uuid counts, with the other's code.
        all.values_mut().for_each(|twins| twins.sort_by_key(|s| s.code.len() != 36));
        all
    }
    let (before, after) = (by_name(before, name), by_name(after, name));
    let words = |s: &Seen| s.definition.as_deref().map(|d| d.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut counts = BTreeMap::new();
    let mut count = |kind, yes: bool| {
        if yes {
            *counts.entry(kind).or_insert(0) += 1;
        }
        yes
    };
    for key in before.keys().chain(after.keys().filter(|k| !before.contains_key(*k))) {
        match (before.get(key), after.get(key)) {
            (Some(_), None) => drop(count("retired", true)),
            (None, Some(_)) => drop(count("added", true)),
            (Some(b), Some(a)) => {
                // The code that people use is the notation; the others are aliases.
                let notation = |twins: &[Seen]| twins.last().map(|s| s.code.clone());
                let codes = |twins: &[Seen]| twins.iter().map(|s| s.code.clone()).collect::<Vec<_>>();
                count("recoded", notation(b).is_some_and(|code| !codes(a).contains(&code)));
                count("renamed", b[0].display != a[0].display);
                count("redefined", words(&b[0]) != words(&a[0]));
                let parent = |s: &Seen| s.parent.as_deref().map(name);
                count("moved", parent(&b[0]) != parent(&a[0]));
            }
            (None, None) => {}
        }
    }
    counts
}

#[tokio::test]
async fn the_changes_between_editions_are_counted_right() {
    on_every_database(async |w| {
        let Some(identity) = all_five(&w).await else { return };
        for (from, to) in (0..5).flat_map(|a| (0..5).map(move |b| (a, b))).filter(|(a, b)| a < b) {
            let (from, to) = (EDITIONS[from].0, EDITIONS[to].0);
            let (Some(before), Some(after)) = (file(from), file(to)) else { return };
            let changes = w.json(&format!("{V}/changes?from={from}&to={to}")).await;
            let expected = expected_changes(&walk(&before), &walk(&after), &identity);
            let told: BTreeMap<&str, u64> = changes["counts"]
                .as_object()
                .expect("counts")
                .iter()
                .map(|(k, n)| (k.as_str(), n.as_u64().expect("a number")))
                // What is only told beside these: another order, an alias that came.
                .filter(|(k, _)| !matches!(*k, "reordered" | "edited"))
                .collect();
            assert_eq!(told, expected, "{from} to {to}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_same_file_again_changes_nothing() {
    on_every_database(async |w| {
        let Some(identity) = all_five(&w).await else { return };
        let (position, head) = (w.position().await, w.registry.progress().await.expect("the head").1);
        w.clock.set("2026-12-24T12:00:00Z");
        for (day, _) in EDITIONS {
            let Some(bytes) = file(day) else { return };
            let mut request = edition("fsiii", Format::Fhir, &bytes, day, day);
            request.identity = identity.clone();
            assert_eq!(w.import(request).await.expect("it is there").verdict, Verdict::AlreadyThere, "{day}");
            // The same bytes need no identity file to be known again.
            let plain = edition("fsiii", Format::Fhir, &bytes, day, day);
            assert_eq!(w.import(plain).await.expect("it is there").verdict, Verdict::AlreadyThere, "{day}");
            // The same content in another layout.
            let spread =
                serde_json::to_vec_pretty(&serde_json::from_slice::<Value>(&bytes).expect("JSON")).expect("JSON");
            let mut request = edition("fsiii", Format::Fhir, &spread, day, day);
            request.identity = identity.clone();
            assert_eq!(w.import(request).await.expect("it is there").verdict, Verdict::AlreadyThere, "{day}");
        }
        // The same label with other content, or from another day.
        let (Some(bytes), Some(older)) = (file("2024-10-31"), file("2024-05-30")) else { return };
        let mut other = edition("fsiii", Format::Fhir, &older, "2024-10-31", "2024-10-31");
        other.identity = identity.clone();
        assert_eq!(w.import(other).await.expect_err("other content").code, Code::LabelTaken);
        let moved = edition("fsiii", Format::Fhir, &bytes, "2024-10-31", "2024-11-01");
        assert_eq!(w.import(moved).await.expect_err("another day").code, Code::LabelTaken);
        assert_eq!(w.position().await, position);
        assert_eq!(w.registry.progress().await.expect("the head").1, head, "not a byte of the log");
    })
    .await;
}

#[tokio::test]
async fn without_the_identity_file_doubt_is_refused_with_a_list() {
    on_every_database(async |w| {
        for (day, _) in &EDITIONS[..3] {
            let Some(bytes) = file(day) else { return };
            w.import(edition("fsiii", Format::Fhir, &bytes, day, day)).await.expect("codes tell who is who");
        }
        let position = w.position().await;
        let Some(bytes) = file("2024-05-30") else { return };
        for dry_run in [true, false] {
            let mut request = edition("fsiii", Format::Fhir, &bytes, "2024-05-30", "2024-05-30");
            request.dry_run = dry_run;
            let refusal = w.import(request).await.expect_err("nobody can tell");
            assert_eq!(refusal.code, Code::Doubt);
            assert!(refusal.items.len() > 100, "{} lines", refusal.items.len());
            assert!(refusal.allowed.iter().any(|a| a.contains("--identity")), "{:?}", refusal.allowed);
        }
        assert_eq!(w.position().await, position);
        assert_eq!(w.json(&format!("{V}/versions")).await.as_array().map(Vec::len), Some(3));
        w.registry.verify().await.expect("whole");
        // They may be taken as new ones, when somebody says so.
        let mut request = edition("fsiii", Format::Fhir, &bytes, "2024-05-30", "2024-05-30");
        (request.accept_new, request.dry_run) = (true, true);
        let plan = w.import(request).await.expect("somebody said so");
        assert!(plan.manifest.retired > 100);
    })
    .await;
}

#[tokio::test]
async fn the_edition_with_twins_can_come_first() {
    on_every_database(async |w| {
        let Some(newest) = file("2024-10-31") else { return };
        let report =
            w.import(edition("fsiii", Format::Fhir, &newest, "2024-10-31", "2024-10-31")).await.expect("lawful");
        assert_eq!((report.twins, report.manifest.concepts), (414, 414));
        // What is known now tells who is who; the older editions need no file.
        let Some(bytes) = file("2024-05-30") else { return };
        let report =
            w.import(edition("fsiii", Format::Fhir, &bytes, "2024-05-30", "2024-05-30")).await.expect("lawful");
        assert_eq!(report.manifest.concepts, 404);
        let Some(bytes) = file("2020-09-08") else { return };
        let mut request = edition("fsiii", Format::Fhir, &bytes, "2020-09-08", "2020-09-08");
        request.identity = who_is_who(&newest);
        let report = w.import(request).await.expect("lawful");
        assert_eq!(report.manifest.concepts, 333);
        let uuid = who_is_who(&newest).get("J1.4").expect("a uuid");
        assert_eq!(w.json(&format!("{V}/concepts/J1.4?version=2020-09-08")).await["uuid"], uuid.to_string());
        w.registry.verify().await.expect("whole");
    })
    .await;
}

#[tokio::test]
async fn the_plan_tells_what_happens_to_each_concept() {
    on_every_database(async |w| {
        let Some(newest) = file("2024-10-31") else { return };
        let identity = who_is_who(&newest);
        let Some(bytes) = file("2020-09-08") else { return };
        let plan = |day: &str, bytes| {
            let mut request = edition("fsiii", Format::Fhir, bytes, day, day);
            request.identity = identity.clone();
            request.dry_run = true;
            request
        };
        let report = w.import(plan("2020-09-08", &bytes)).await.expect("a plan");
        assert_eq!((report.verdict, report.created), (Verdict::Planned, true));
        assert!(report.concepts.iter().all(|c| c.outcome == Outcome::New));
        assert_eq!(w.position().await, 0, "a plan changes nothing");
        assert_eq!(w.json("/api/v1/vocabularies").await, json!([]));
        let mut real = plan("2020-09-08", &bytes);
        real.dry_run = false;
        w.import(real).await.expect("published");
        let Some(bytes) = file("2023-05-17") else { return };
        let report = w.import(plan("2023-05-17", &bytes)).await.expect("a plan");
        let count = |outcome| report.concepts.iter().filter(|c| c.outcome == outcome).count() as u64;
        let m = &report.manifest;
        assert_eq!(
            (count(Outcome::New), count(Outcome::Changed), count(Outcome::Retired)),
            (m.added, m.changed, m.retired)
        );
        assert_eq!(count(Outcome::Unchanged), report.unchanged);
        assert_eq!(m.concepts, 367);
        assert_eq!(333 + m.added - m.retired, 367);
        let told: u64 = report.matched.values().sum();
        assert_eq!(told, 367);
        assert!(report.matched.contains_key(&Matched::Identity), "{:?}", report.matched);
        assert_eq!(w.json(&format!("{V}/versions")).await.as_array().map(Vec::len), Some(1));
    })
    .await;
}

#[tokio::test]
async fn all_pages_of_a_real_edition() {
    on_every_database(async |w| {
        let Some(bytes) = file("2024-05-30") else { return };
        w.import(edition("fsiii", Format::Fhir, &bytes, "1", "2024-05-30")).await.expect("lawful");
        let whole = list(&w, "version=1").await;
        let mut all = Vec::new();
        for answer in pages(&w, &format!("{V}/concepts?version=1&limit=37")).await {
            all.extend(answer.json()["concepts"].as_array().expect("a list").clone());
        }
        assert!(all == whole, "page by page the list is another");
    })
    .await;
}

#[tokio::test]
async fn three_editions_of_ffb() {
    on_every_database(async |w| {
        let editions = [("2020-09-08", 219), ("2023-05-17", 220), ("2024-06-03", 220)];
        for (day, count) in editions {
            let Some(bytes) = kl(&format!("FFB-{day}.json")) else { return };
            let report = w.import(edition("ffb", Format::Fhir, &bytes, day, day)).await.expect("uuids tell who is who");
            assert_eq!(report.manifest.concepts, count, "{day}");
            let list = w.json(&format!("/api/v1/vocabularies/ffb/concepts?version={day}&limit=1000")).await;
            let seen = walk(&bytes);
            let told: Vec<(String, u64)> = list["concepts"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|c| (c["uuid"].as_str().expect("a uuid").to_owned(), c["level"].as_u64().expect("a level")))
                .collect();
            assert_eq!(told, seen.iter().map(|s| (s.code.to_lowercase(), s.level)).collect::<Vec<_>>(), "{day}");
        }
        let deepest = w.json("/api/v1/vocabularies/ffb/concepts?level=7").await;
        assert_eq!(deepest["total"], 8);
        for (from, to) in [(0, 1), (1, 2), (0, 2)] {
            let (from, to) = (editions[from].0, editions[to].0);
            let (Some(a), Some(b)) = (kl(&format!("FFB-{from}.json")), kl(&format!("FFB-{to}.json"))) else { return };
            let expected = expected_changes(&walk(&a), &walk(&b), &Identity::default());
            let changes = w.json(&format!("/api/v1/vocabularies/ffb/changes?from={from}&to={to}")).await;
            let told: BTreeMap<&str, u64> = changes["counts"]
                .as_object()
                .expect("counts")
                .iter()
                .map(|(k, n)| (k.as_str(), n.as_u64().expect("a number")))
                .filter(|(k, _)| !matches!(*k, "reordered" | "edited"))
                .collect();
            assert_eq!(told, expected, "{from} to {to}");
        }
        w.registry.verify().await.expect("whole");
    })
    .await;
}
