//! What was decided where the process leaves a doubt, and what is sent to break the doors of the work: through the front
//! door, each with the answer that it gets.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use begreb::model::{Governance, Role};
use common::crew::{Person, group, person, vocabulary};
use common::{Answer, World, on_every_database, operator};
use serde_json::{Value, json};
use uuid::Uuid;

const FILE: &str = "notation,preferred.da,definition.da\nA,afklaring,det at finde ud af noget\nB,bistand,hjælp\n";

struct Crew {
    secretary: Person,
    contributor: Person,
    chair: Person,
    answerer: Person,
    nobody: Person,
    committee: Uuid,
}

async fn crew(w: &World, governance: &str) -> Crew {
    vocabulary(w, "koder", Governance::Direct, FILE).await;
    let frame = json!({ "titles": [{ "language": "da", "text": "Koder" }], "kind": "codeList",
        "governance": governance, "languages": ["da"] });
    let frame = serde_json::from_value(frame).expect("a frame");
    w.registry.put_frame(&operator(), "koder".parse().expect("a slug"), frame).await.expect("it is lawful");
    let secretary = person(w, "Sanne", &[Role::Secretary, Role::Publisher]).await;
    let contributor = person(w, "Karla", &[Role::Contributor]).await;
    let chair = person(w, "Christa", &[Role::Chair]).await;
    let answerer = person(w, "Frede", &[Role::HearingParty]).await;
    let committee = group(w, "Begrebsstyregruppen", "committee", &[&chair]).await;
    Crew { secretary, contributor, chair, answerer, nobody: Person::default(), committee }
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text: {value}")).to_owned()
}

/// Gives one concept other content, made of what it is.
async fn change(w: &World, who: &Person, draft: &str, key: &str, change: impl FnOnce(&mut Value)) -> Answer {
    let uri = format!("/drafts/{draft}/concepts/{key}");
    let now = who.get(w, &uri).await.ok().json();
    let mut content = now["content"].clone();
    change(&mut content);
    let tag = text(&now["etag"]);
    who.ask(w, "PUT", &format!("/api/v1{uri}?reason=klarere"), &content, &[("if-match", &tag)]).await
}

fn noted(text: &'static str) -> impl FnOnce(&mut Value) {
    move |content| content["notes"] = json!([{ "kind": "scope", "language": "da", "text": text }])
}

fn defined(text: &'static str) -> impl FnOnce(&mut Value) {
    move |content| content["definitions"][0]["text"] = text.into()
}

async fn opened(w: &World, c: &Crew) -> String {
    let body = json!({ "vocabulary": "koder", "title": "Koder 2" });
    text(&c.secretary.send(w, "POST", "/drafts", body).await.with(201).json()["uuid"])
}

impl Crew {
    /// A public hearing that is open until an instant, and whose answers are readable at once.
    async fn hearing(&self, w: &World, draft: &str, deadline: &str) -> String {
        let plan = json!({ "title": "Høring", "letter": "Hvad siger I?", "audience": "public", "readable": "atOnce",
            "deadline": deadline });
        let made = self.secretary.send(w, "POST", &format!("/drafts/{draft}/hearings"), plan).await.with(201);
        format!("/hearings/{}", text(&made.json()["uuid"]))
    }

    /// An answer of one general item.
    async fn answered(&self, w: &World, hearing: &str) -> String {
        let body = json!({ "submit": true, "items": [{ "comment": "Vi er ikke enige." }] });
        let made = self.answerer.send(w, "POST", &format!("{hearing}/answers"), body).await.with(201);
        format!("{hearing}/answers/{}", text(&made.json()["uuid"]))
    }

    async fn reply(&self, w: &World, answer: &str) -> Answer {
        let body = json!({ "ruling": "no", "reason": "Det er lovens ord." });
        self.secretary.send(w, "PUT", &format!("{answer}/items/1/disposition"), body).await
    }

    async fn recommend(&self, w: &World, draft: &str, after: Option<&str>) -> Answer {
        let mut body = json!({ "committee": self.committee, "text": "Vedtag den." });
        if let Some(after) = after {
            body["afterHearing"] = after.into();
        }
        self.secretary.send(w, "POST", &format!("/drafts/{draft}/recommendations"), body).await
    }

    /// A meeting that was held, with the draft for decision.
    async fn met(&self, w: &World, draft: &str, at: &str) -> String {
        let agenda = json!([{ "kind": "decision", "title": "Koder", "draft": draft }]);
        let body = json!({ "at": at, "agenda": agenda });
        let called = self.chair.send(w, "POST", &format!("/groups/{}/meetings", self.committee), body).await;
        let meeting = text(&called.with(201).json()["uuid"]);
        let body = json!({ "attendance": [{ "member": self.chair.uuid, "present": true }] });
        self.chair.send(w, "PUT", &format!("/meetings/{meeting}/attendance"), body).await.ok();
        meeting
    }
}

#[tokio::test]
async fn an_answer_goes_back_with_its_early_reply_and_a_cancelled_hearing_stays_readable() {
    on_every_database(async |mut w| {
        let c = crew(&w, "hearing").await;
        let draft = opened(&w, &c).await;
        change(&w, &c.contributor, &draft, "A", defined("det at undersøge en sag")).await.ok();
        let hearing = c.hearing(&w, &draft, "2026-12-20").await;
        let invited = json!({ "organisation": "Nordkøbing", "name": "Nina", "mail": "nina@example.dk" });
        let party = c.secretary.send(&w, "POST", &format!("{hearing}/parties"), invited).await.with(201).json();
        let link = format!("{hearing}/parties/{}/link", text(&party["uuid"]));
        let link = text(&c.secretary.send(&w, "POST", &link, Value::Null).await.with(201).json()["secret"]);
        let bearer = format!("Bearer {link}");
        let by_link = [("authorization", bearer.as_str())];

        // The reply came early; the answer can be taken back all the same, and the reply stays.
        let taken = c.answered(&w, &hearing).await;
        c.reply(&w, &taken).await.ok();
        let back = c.answerer.send(&w, "POST", &format!("{taken}/withdrawal"), Value::Null).await.ok().json();
        assert_eq!(back["stage"], "withdrawn");
        assert_eq!(code(&c.reply(&w, &taken).await), (409, "phase".into()));
        let kept = c.secretary.get(&w, &taken).await.ok().json();
        assert_eq!(kept["items"][0]["dispositions"][0]["reason"], "Det er lovens ord.");
        assert_eq!(code(&c.nobody.get(&w, &taken).await), (404, "not-found".into()));

        // Called off: who could read what was said still can, and nobody says more.
        let stands = c.answered(&w, &hearing).await;
        c.nobody.get(&w, &stands).await.ok();
        let answers = format!("/api/v1{hearing}/answers");
        let body = json!({ "submit": true, "items": [{ "comment": "Godt." }] });
        let of_party = c.nobody.ask(&w, "POST", &answers, &body, &by_link).await.with(201).json();
        let reason = json!({ "reason": "fejl i brevet" });
        c.secretary.send(&w, "POST", &format!("{hearing}/cancellation"), reason).await.ok();
        w.restart().await;
        for who in [&c.nobody, &c.answerer, &c.secretary] {
            assert_eq!(who.get(&w, &stands).await.ok().json()["items"][0]["comment"], "Vi er ikke enige.");
        }
        let own = format!("{answers}/{}", text(&of_party["uuid"]));
        assert_eq!(
            c.nobody.ask(&w, "GET", &own, &Value::Null, &by_link).await.ok().json()["organisation"],
            "Nordkøbing"
        );
        for (method, uri) in [("POST", &answers), ("PUT", &own), ("POST", &format!("{own}/withdrawal"))] {
            let refused = c.nobody.ask(&w, method, uri, &json!({ "items": [] }), &by_link).await;
            assert_eq!(code(&refused), (409, "phase".into()), "{method} {uri}");
        }
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn what_was_changed_after_the_hearing_is_shown_and_explained() {
    on_every_database(async |w| {
        let c = crew(&w, "hearing").await;
        let draft = opened(&w, &c).await;
        assert_eq!(code(&c.recommend(&w, &draft, None).await), (409, "empty-draft".into()));
        change(&w, &c.contributor, &draft, "A", defined("det at undersøge en sag")).await.ok();
        let hearing = c.hearing(&w, &draft, "2026-11-22T13:00:00Z").await;
        let answer = c.answered(&w, &hearing).await;
        w.clock.set("2026-11-22T13:00:00Z");
        // One edit that the answer asks for, one that nobody asked for.
        let a = c.secretary.get(&w, &format!("/drafts/{draft}/concepts/A")).await.ok().json();
        let mut content = a["content"].clone();
        defined("det at afdække en sag")(&mut content);
        let operation = json!({ "operation": { "kind": "retire", "concepts": ["B"] }, "reason": "bruges ikke" });
        c.secretary.send(&w, "POST", &format!("{answer}/items/1/edit"), operation).await.with(201);
        c.secretary.send(&w, "POST", &format!("{hearing}/completion"), Value::Null).await.ok();
        let uri = format!("/api/v1/drafts/{draft}/concepts/A?reason=endnu%20klarere");
        c.contributor.ask(&w, "PUT", &uri, &content, &[("if-match", &text(&a["etag"]))]).await.ok();

        let diff = c.secretary.get(&w, &format!("/drafts/{draft}/diff")).await.ok().json();
        let marked: Vec<_> = diff["concepts"].as_array().unwrap().iter().map(|c| &c["sinceHearing"]).collect();
        assert_eq!(marked, [&json!(true), &json!(true)]);
        let until = c.secretary.get(&w, &format!("/drafts/{draft}/diff?to=1")).await.ok().json();
        assert!(until["concepts"][0].get("sinceHearing").is_none(), "{until}");
        let page = c.secretary.get(&w, &format!("/drafts/{draft}/diff?format=md&language=da")).await.ok().text();
        assert_eq!(page.matches("ændret efter høringen").count(), 2, "{page}");

        let refused = c.recommend(&w, &draft, None).await;
        assert_eq!(code(&refused), (422, "unlawful".into()));
        let refused = refused.json();
        assert_eq!((&refused["where"]["field"], &refused["items"]), (&json!("afterHearing"), &json!([a["uuid"]])));
        let recommended = c.recommend(&w, &draft, Some("Gruppen fandt et bedre ord.")).await.with(201).json();
        let told = &recommended["recommendations"][0];
        assert_eq!(told["afterHearing"], "Gruppen fandt et bedre ord.");
        let mut since = told["sinceHearing"].as_array().unwrap().clone();
        since.sort_by_key(|s| s["edits"][0].as_i64());
        let shown: Vec<_> = since.iter().map(|s| (&s["kinds"], &s["edits"], &s["answered"])).collect();
        let (retired, redefined) = (json!(["retired"]), json!(["redefined"]));
        let (two, three) = (json!([2]), json!([3]));
        assert_eq!(shown, [(&retired, &two, &json!(true)), (&redefined, &three, &json!(false))]);

        // A meeting that was held before cannot have decided it.
        let decide = async |meeting: &str| {
            let body = json!({ "draft": draft, "meeting": meeting, "item": 1, "digest": told["digest"],
                "outcome": "adopted", "voting": "consensus" });
            c.chair.send(&w, "POST", "/decisions", body).await
        };
        let before = c.met(&w, &draft, "2026-11-22T12:59:00Z").await;
        let refused = decide(&before).await;
        assert_eq!(code(&refused), (422, "unlawful".into()));
        assert_eq!(refused.json()["where"]["field"], "meeting");
        let now = c.met(&w, &draft, "2026-11-22T13:00:00Z").await;
        decide(&now).await.with(201);
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn what_was_never_heard_has_nothing_to_explain() {
    on_every_database(async |w| {
        let c = crew(&w, "committee").await;
        let draft = opened(&w, &c).await;
        change(&w, &c.contributor, &draft, "A", noted("en note")).await.ok();
        change(&w, &c.contributor, &draft, "A", noted("en anden note")).await.ok();
        let refused = c.recommend(&w, &draft, Some("fordi")).await;
        assert_eq!(
            (code(&refused), &refused.json()["where"]["field"]),
            ((422, "unlawful".into()), &json!("afterHearing"))
        );

        // Who takes back another's edit decides what the draft says, and is not the second pair of eyes.
        let digest = async || {
            let preview = c.secretary.get(&w, &format!("/drafts/{draft}/preview")).await.ok().json();
            json!({ "digest": preview["manifest"]["digest"] })
        };
        let approval = format!("/drafts/{draft}/approvals");
        c.secretary.send(&w, "POST", &approval, digest().await).await.with(201);
        let undo = json!({ "reason": "den første var bedre" });
        c.secretary.send(&w, "POST", &format!("/drafts/{draft}/edits/2/undo"), undo).await.with(201);
        let refused = c.secretary.send(&w, "POST", &approval, digest().await).await;
        assert_eq!(code(&refused), (409, "four-eyes".into()));
        c.recommend(&w, &draft, None).await.with(201);
    })
    .await;
}

#[tokio::test]
async fn two_drafts_change_different_words_of_one_concept() {
    on_every_database(async |w| {
        let c = crew(&w, "direct").await;
        let synonyms = |words: [&str; 2]| {
            let term = |word: &str| json!({ "language": "da", "status": "admitted", "value": word });
            json!([{ "language": "da", "status": "preferred", "value": "afklaring" }, term(words[0]), term(words[1])])
        };
        let set = |words: [&'static str; 2]| move |content: &mut Value| content["terms"] = synonyms(words);
        let publish = async |draft: &str, version: &str, day: &str| {
            let body = json!({ "version": version, "effective": day });
            c.secretary.send(&w, "POST", &format!("/drafts/{draft}/publication"), body).await.with(201)
        };
        let first = opened(&w, &c).await;
        change(&w, &c.contributor, &first, "A", set(["undersøgelse", "udredning"])).await.ok();
        publish(&first, "2", "2026-11-21").await;
        let (ours, theirs) = (opened(&w, &c).await, opened(&w, &c).await);
        change(&w, &c.contributor, &ours, "A", set(["undersøgelse", "belysning"])).await.ok();
        change(&w, &c.contributor, &theirs, "A", set(["opklaring", "udredning"])).await.ok();
        publish(&theirs, "3", "2026-11-22").await;
        let karla = &c.contributor;
        let rebased = karla.send(&w, "POST", &format!("/drafts/{ours}/rebase"), json!({ "reason": "ny udgave" })).await;
        assert_eq!(rebased.ok().json()["concepts"][0]["how"], "joined");
        let both = karla.get(&w, &format!("/drafts/{ours}/concepts/A")).await.ok().json();
        assert_eq!(both["content"]["terms"], synonyms(["belysning", "opklaring"]));
    })
    .await;
}

#[tokio::test]
async fn a_request_opens_a_draft_of_its_kind() {
    on_every_database(async |w| {
        let c = crew(&w, "hearing").await;
        let history = c.nobody.get(&w, "/vocabularies/koder/concepts/A/history").await.ok().json();
        type Spoil = fn(&mut Value);
        let cases: [(Spoil, bool); 2] =
            [(|content| noted("en note")(content), true), (|content| defined("noget helt andet")(content), false)];
        for (change, minor) in cases {
            let mut proposal = history["states"][0]["content"].clone();
            change(&mut proposal);
            let body = json!({ "vocabulary": "koder", "concept": "A", "title": "Ret A", "text": "fordi", "proposal": proposal });
            let asked = c.answerer.send(&w, "POST", "/change-requests", body).await.with(201).json();
            let accepted = json!({ "draft": null, "reason": "enig" });
            let uri = format!("/change-requests/{}/acceptance", text(&asked["uuid"]));
            let accepted = c.secretary.send(&w, "POST", &uri, accepted).await.ok().json();
            assert_eq!(accepted["draft"]["minor"], minor);
            assert_eq!(accepted["draft"]["edits"], 1);
            let draft = text(&accepted["draft"]["uuid"]);
            let recommended = c.recommend(&w, &draft, None).await;
            assert_eq!(recommended.status, if minor { 201 } else { 409 }, "{}", recommended.text());
        }
        // What cannot be done opens no draft.
        let drafts = c.secretary.get(&w, "/drafts").await.ok().header("x-total-count");
        let body = json!({ "vocabulary": "koder", "title": "Nyt", "text": "mangler" });
        let asked = c.answerer.send(&w, "POST", "/change-requests", body).await.with(201).json();
        let uri = format!("/change-requests/{}/acceptance", text(&asked["uuid"]));
        let refused = c.secretary.send(&w, "POST", &uri, json!({ "draft": null, "reason": "enig" })).await;
        assert_eq!(code(&refused), (422, "unlawful".into()));
        assert_eq!(c.secretary.get(&w, "/drafts").await.ok().header("x-total-count"), drafts);
    })
    .await;
}

#[tokio::test]
async fn what_is_sent_to_break_the_doors_is_refused() {
    on_every_database(async |w| {
        let c = crew(&w, "committee").await;
        let draft = opened(&w, &c).await;
        let before = w.position().await;
        // A list is no object, whatever order its members stand in.
        for (method, uri, body) in [
            ("POST", "/drafts".to_owned(), json!(["koder", "Titel"])),
            ("PATCH", format!("/drafts/{draft}"), json!([])),
            ("POST", format!("/drafts/{draft}/comments"), json!([{}, "tekst"])),
            ("POST", "/change-requests".to_owned(), json!(["koder", "A", "x", "y"])),
        ] {
            let refused = c.secretary.send(&w, method, &uri, body).await;
            assert_eq!(code(&refused), (400, "invalid-body".into()), "{method} {uri}");
        }
        // Text that reads otherwise than it is written, or cannot be seen.
        for title in ["a\u{202e}fdp.exe", "\u{200b}", "a\u{2028}b", "\u{feff}", "a\u{2066}b"] {
            let refused = c.secretary.send(&w, "PATCH", &format!("/drafts/{draft}"), json!({ "title": title })).await;
            assert_eq!(code(&refused), (400, "invalid-text".into()), "{title:?}");
        }
        // Lists beyond their length, each with how long it may be.
        let attendance = vec![json!({ "member": c.chair.uuid, "present": true }); 1_001];
        let item = json!({ "kind": "information", "title": "Punkt" });
        let meetings = format!("/groups/{}/meetings", c.committee);
        let meeting =
            c.chair.send(&w, "POST", &meetings, json!({ "at": "2026-11-22T12:00:00Z" })).await.with(201).json();
        let held = format!("/meetings/{}/attendance", text(&meeting["uuid"]));
        let votes = vec![json!({ "member": c.chair.uuid, "vote": "for" }); 1_001];
        change(&w, &c.contributor, &draft, "A", noted("en note")).await.ok();
        let recommended = c.recommend(&w, &draft, None).await.with(201).json();
        let digest = &recommended["recommendations"][0]["digest"];
        let decision = json!({ "draft": draft, "meeting": meeting["uuid"], "item": 1, "digest": digest,
            "outcome": "adopted", "voting": "vote", "votes": votes });
        let other = opened(&w, &c).await;
        let edits = format!("/drafts/{other}/edits");
        let retired = json!({ "kind": "retire", "concepts": vec!["A"; 10_001], "reason": "x" });
        for (who, method, uri, body, field, most) in [
            (&c.chair, "POST", &meetings, json!({ "at": "2026-12-01", "agenda": vec![item; 201] }), "agenda", "200"),
            (&c.chair, "PUT", &held, json!({ "attendance": attendance }), "attendance", "1000"),
            (&c.chair, "POST", &"/decisions".to_owned(), decision, "votes", "1000"),
            (&c.secretary, "POST", &edits, retired, "concepts", "10000"),
        ] {
            let refused = who.send(&w, method, uri, body).await;
            assert_eq!(code(&refused), (413, "too-large".into()), "{field}");
            let refused = refused.json();
            assert_eq!((&refused["where"]["field"], &refused["allowed"]), (&json!(field), &json!([most])));
        }
        assert!(w.position().await > before);
        // A thousand copies of a large note are measured once each.
        let large = "x".repeat(5_000);
        let uri = format!("/api/v1/drafts/{other}/concepts/B");
        let now = c.secretary.get(&w, &format!("/drafts/{other}/concepts/B")).await.ok().json();
        let mut patch = vec![
            json!({ "op": "add", "path": "/notes", "value": [{ "kind": "scope", "language": "da", "text": large }] }),
        ];
        patch.extend(vec![json!({ "op": "copy", "from": "/notes/0", "path": "/notes/-" }); 999]);
        let headers = [("if-match", now["etag"].as_str().unwrap()), ("content-type", "application/json-patch+json")];
        let began = std::time::Instant::now();
        let refused = c.secretary.ask(&w, "PATCH", &format!("{uri}?reason=x"), &json!(patch), &headers).await;
        assert_eq!(code(&refused), (413, "too-large".into()));
        assert!(began.elapsed().as_secs() < 5, "it took {:?}", began.elapsed());
    })
    .await;
}
