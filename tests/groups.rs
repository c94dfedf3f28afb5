//! Mandates, meetings and certifications through the front door: what they show, who may, what is refused, and that the
//! verification finds steps that somebody tampered with.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use begreb::model::{Code, Governance, Role};
use begreb::registry::{
    DraftRequest, EditRequest, OperationRequest, PartRequest, Precondition, RecommendRequest, Registry, Settings,
};
use begreb::store::Store;
use common::crew::{Person, group, person, vocabulary};
use common::{Folder, World, on_every_database};
use insta::assert_snapshot;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use uuid::Uuid;

const A: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const NONE: &str = "00000000-0000-4000-8000-000000000009";

async fn with_vocabulary(w: &World) {
    let file = format!("notation,uuid,preferred.da\nA,{A},a\nB,,b\n");
    vocabulary(w, "koder", Governance::Direct, &file).await;
}

/// Who takes part.
struct Crew {
    secretary: Person,
    chair: Person,
    member: Person,
    reader: Person,
    stranger: Person,
    administrator: Person,
    committee: Uuid,
}

async fn crew(w: &World) -> Crew {
    with_vocabulary(w).await;
    let secretary = person(w, "Sanne", &[Role::Secretary]).await;
    let chair = person(w, "Christa", &[Role::Chair]).await;
    let member = person(w, "Mads", &[]).await;
    let reader = person(w, "Lone", &[Role::Reader]).await;
    let stranger = person(w, "Frede", &[Role::HearingParty]).await;
    let administrator = person(w, "Anne", &[Role::Administrator]).await;
    let committee = group(w, "Begrebsstyregruppen", "committee", &[&chair, &member]).await;
    Crew { secretary, chair, member, reader, stranger, administrator, committee }
}

fn mandate(purpose: &str) -> Value {
    json!({
        "purpose": purpose,
        "scope": "Voksne med funktionsnedsættelse; ikke børn.",
        "text": "Gruppen udarbejder begreber.\n\nDen mødes hver måned.",
        "given": "2026-10-01",
        "deadlines": [{ "what": "Første udkast", "by": "2027-03-01" }],
    })
}

fn code(answer: &common::Answer) -> (u16, String) {
    (answer.status, answer.code())
}

#[tokio::test]
async fn a_group_has_a_mandate_that_everybody_reads_and_every_earlier_one() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let uri = format!("/groups/{}/mandate", c.committee);
        let nobody = Person::default();
        assert_eq!(code(&nobody.get(&w, &uri).await), (404, "not-found".into()));
        for (who, status) in [(&nobody, 401), (&c.member, 403), (&c.reader, 403), (&c.administrator, 403)] {
            who.send(&w, "PUT", &uri, mandate("Et formål")).await.with(status);
        }
        c.secretary.send(&w, "PUT", &uri, mandate("Et formål")).await.ok();
        let before = w.position().await;
        c.secretary.send(&w, "PUT", &uri, mandate("Et formål")).await.ok();
        assert_eq!(w.position().await, before, "the same once more is nothing new");
        c.chair.send(&w, "PUT", &uri, mandate("Et andet formål")).await.ok();
        let shown = nobody.get(&w, &uri).await.ok();
        assert_eq!(shown.json()["current"]["purpose"], "Et andet formål");
        assert_eq!(shown.json()["earlier"][0]["recorded"]["by"], format!("account:{}", c.secretary.uuid));
        assert_snapshot!("mandate", shown.shown());

        for (body, expected) in [
            (json!({}), (400, "invalid-body")),
            (json!({ "purpose": " ", "scope": "x", "text": "x" }), (400, "invalid-text")),
            (mandate_with("other", json!(1)), (400, "invalid-body")),
            (mandate_with("vocabularies", json!([NONE])), (404, "unknown-vocabulary")),
            (mandate_with("givenBy", json!(NONE)), (404, "not-found")),
            (mandate_with("deadlines", json!([{ "what": "x", "by": "9999-99-99" }])), (400, "invalid-time")),
        ] {
            let answer = c.secretary.send(&w, "PUT", &uri, body.clone()).await;
            assert_eq!(code(&answer), (expected.0, expected.1.into()), "{body}: {}", answer.text());
        }
        let none = format!("/groups/{NONE}/mandate");
        assert_eq!(code(&c.secretary.send(&w, "PUT", &none, mandate("x")).await), (404, "not-found".into()));
        assert_eq!(code(&c.secretary.get(&w, "/groups/x/mandate").await), (400, "invalid-identifier".into()));
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

fn mandate_with(field: &str, value: Value) -> Value {
    let mut body = mandate("x");
    body[field] = value;
    body
}

/// A draft that was laid before the committee.
async fn recommended(w: &World, c: &Crew) -> Uuid {
    let secretary = c.secretary.actor(w).await;
    let request = DraftRequest {
        vocabulary: "koder".parse().unwrap(),
        title: "En kladde".parse().unwrap(),
        purpose: None,
        group: None,
        base: None,
        minor: false,
    };
    let draft = w.registry.open_draft(&secretary, request).await.expect("it is lawful").uuid;
    let content = serde_json::from_value(json!({
        "notation": "C", "terms": [{ "language": "da", "value": "c", "status": "preferred" }],
    }))
    .expect("content");
    let add = OperationRequest::Add(PartRequest { concept: None, content });
    let why = EditRequest { reason: "ny".parse().unwrap(), because: None, meaning: None };
    w.registry.edit_draft(&secretary, draft, add, &Precondition::Unsaid, why).await.expect("it is lawful");
    let request = RecommendRequest { committee: c.committee, after_hearing: None, text: "Vedtag den".parse().unwrap() };
    w.registry.recommend(&secretary, draft, request).await.expect("it is lawful");
    draft
}

#[tokio::test]
async fn a_meeting_from_its_call_to_its_last_minutes() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let draft = recommended(&w, &c).await;
        let uri = format!("/groups/{}/meetings", c.committee);
        let call = json!({
            "at": "2026-11-22T14:00:00Z",
            "place": "Lokale 3",
            "agenda": [
                { "kind": "decision", "title": "Vedtagelse", "draft": draft },
                { "kind": "discussion", "title": "Drøftelse", "text": "Hvad nu?" },
                { "kind": "information", "title": "Orientering" },
            ],
        });
        let nobody = Person::default();
        for (who, status) in [(&nobody, 401), (&c.member, 403), (&c.reader, 403), (&c.administrator, 403)] {
            who.send(&w, "POST", &uri, call.clone()).await.with(status);
        }
        let made = c.secretary.send(&w, "POST", &uri, call.clone()).await.with(201);
        assert_snapshot!("meeting_called", made.shown().replace(&draft.to_string(), "DRAFT"));
        let meeting = format!("/meetings/{}", made.json()["uuid"].as_str().expect("a uuid"));

        // Who may see it.
        for (who, status) in [
            (&nobody, 401),
            (&c.stranger, 403),
            (&c.member, 200),
            (&c.reader, 200),
            (&c.chair, 200),
            (&c.administrator, 200),
        ] {
            who.get(&w, &meeting).await.with(status);
            who.get(&w, &uri).await.with(status);
        }
        // Who may change it.
        for (who, status) in [(&nobody, 401), (&c.member, 403), (&c.reader, 403), (&c.stranger, 403)] {
            who.send(&w, "PATCH", &meeting, json!({})).await.with(status);
            who.send(&w, "POST", &format!("{meeting}/cancellation"), json!({ "reason": "x" })).await.with(status);
            let there = json!({ "attendance": [{ "member": c.member.uuid, "present": true }] });
            who.send(&w, "PUT", &format!("{meeting}/attendance"), there).await.with(status);
            who.send(&w, "PUT", &format!("{meeting}/minutes"), json!({ "minutes": "x" })).await.with(status);
        }

        let change = json!({ "at": "2026-11-22T15:00:00Z", "place": null });
        let changed = c.chair.send(&w, "PATCH", &meeting, change).await.ok().json();
        assert_eq!((&changed["at"], changed.get("place")), (&json!("2026-11-22T15:00:00Z"), None));
        assert_eq!(changed["agenda"].as_array().map(Vec::len), Some(3), "what is absent stays");

        let hold = |members: &[(Uuid, bool)]| {
            let each = members.iter().map(|(member, present)| json!({ "member": member, "present": present }));
            json!({ "attendance": each.collect::<Vec<_>>() })
        };
        let (attendance, minutes) = (format!("{meeting}/attendance"), format!("{meeting}/minutes"));
        let both = [(c.chair.uuid, true), (c.member.uuid, false)];
        let early = c.secretary.send(&w, "PUT", &attendance, hold(&both)).await;
        assert_eq!(code(&early), (409, "phase".into()), "it has not begun");
        assert_eq!(
            code(&c.secretary.send(&w, "PUT", &minutes, json!({ "minutes": "x" })).await),
            (409, "phase".into())
        );
        w.clock.set("2026-11-22T17:00:00Z");
        let wrong = [hold(&[(c.reader.uuid, true)]), hold(&[]), hold(&[(c.chair.uuid, true), (c.chair.uuid, false)])];
        for wrong in wrong {
            assert_eq!(code(&c.secretary.send(&w, "PUT", &attendance, wrong).await), (422, "unlawful".into()));
        }
        c.secretary.send(&w, "PUT", &attendance, hold(&both)).await.ok();
        assert_eq!(code(&c.secretary.send(&w, "PUT", &attendance, hold(&both)).await), (409, "phase".into()), "once");
        c.secretary.send(&w, "PUT", &minutes, json!({ "minutes": "Vi mødtes." })).await.ok();
        c.chair.send(&w, "PUT", &minutes, json!({ "minutes": "Vi mødtes, og alle var enige." })).await.ok();
        let cancel = c.chair.send(&w, "POST", &format!("{meeting}/cancellation"), json!({ "reason": "x" })).await;
        assert_eq!(code(&cancel), (409, "phase".into()), "it was held");
        let shown = c.member.get(&w, &meeting).await.ok();
        assert_eq!(shown.json()["minutes"]["text"], "Vi mødtes, og alle var enige.");
        assert_eq!(shown.json()["earlierMinutes"][0]["text"], "Vi mødtes.");
        assert_snapshot!("meeting_minuted", shown.shown().replace(&draft.to_string(), "DRAFT"));
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_on_an_agenda_is_refused_and_lists_come_page_by_page() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let draft = recommended(&w, &c).await;
        let other = group(&w, "En anden", "committee", &[&c.chair]).await;
        let uri = format!("/groups/{}/meetings", c.committee);
        let at = "2026-12-01";
        let decide = |draft: &str| json!([{ "kind": "decision", "title": "x", "draft": draft }]);
        let many: Vec<Value> = (0..201).map(|_| json!({ "kind": "information", "title": "x" })).collect();
        for (uri, body, expected) in [
            (&uri, json!({}), (400, "invalid-body")),
            (&uri, json!({ "at": "i morgen" }), (400, "invalid-time")),
            (&uri, json!({ "at": at, "agenda": [{ "kind": "party", "title": "x" }] }), (400, "invalid-body")),
            (&uri, json!({ "at": at, "agenda": [{ "kind": "decision", "title": "x\ny" }] }), (400, "invalid-text")),
            (&uri, json!({ "at": at, "agenda": decide(NONE) }), (404, "not-found")),
            (&uri, json!({ "at": at, "agenda": many }), (413, "too-large")),
            (
                &format!("/groups/{other}/meetings"),
                json!({ "at": at, "agenda": decide(&draft.to_string()) }),
                (409, "phase"),
            ),
            (&format!("/groups/{NONE}/meetings"), json!({ "at": at }), (404, "not-found")),
        ] {
            let answer = c.secretary.send(&w, "POST", uri, body.clone()).await;
            assert_eq!(code(&answer), (expected.0, expected.1.into()), "{body}: {}", answer.text());
        }
        // What is only discussed may be anybody's draft.
        let discuss = json!({ "at": at, "agenda": [{ "kind": "discussion", "title": "x", "draft": draft }] });
        c.secretary.send(&w, "POST", &format!("/groups/{other}/meetings"), discuss).await.with(201);

        for day in ["2027-03-01", "2027-01-01", "2027-02-01"] {
            c.secretary.send(&w, "POST", &uri, json!({ "at": day })).await.with(201);
        }
        let first = c.member.get(&w, &format!("{uri}?limit=2")).await.ok();
        assert_eq!(first.header("x-total-count"), "3");
        let days = |a: &common::Answer| {
            a.json().as_array().unwrap().iter().map(|m| m["at"].as_str().unwrap()[..10].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(days(&first), ["2027-01-01", "2027-02-01"]);
        let next = first.header("link");
        let next = next.trim_start_matches("</api/v1").split('>').next().expect("a link").to_owned();
        assert_eq!(days(&c.member.get(&w, &next).await.ok()), ["2027-03-01"]);
        for (query, expected) in
            [("limit=0", "invalid-parameter"), ("cursor=x", "invalid-cursor"), ("x=1", "unknown-parameter")]
        {
            assert_eq!(code(&c.member.get(&w, &format!("{uri}?{query}")).await), (400, expected.into()));
        }
        // One that was called off stays so.
        let list = c.member.get(&w, &uri).await.ok().json();
        let meeting = format!("/meetings/{}", list[0]["uuid"].as_str().expect("a uuid"));
        let off = json!({ "reason": "Sygdom" });
        let shown = c.chair.send(&w, "POST", &format!("{meeting}/cancellation"), off.clone()).await.ok().json();
        assert_eq!(shown["cancelled"]["reason"], "Sygdom");
        assert_eq!(code(&c.chair.send(&w, "PATCH", &meeting, json!({})).await), (409, "phase".into()));
        assert_eq!(
            code(&c.chair.send(&w, "POST", &format!("{meeting}/cancellation"), off).await),
            (409, "phase".into())
        );
        assert_eq!(
            code(&c.chair.send(&w, "PATCH", &format!("/meetings/{NONE}"), json!({})).await),
            (404, "not-found".into())
        );
    })
    .await;
}

#[tokio::test]
async fn a_version_is_certified_on_record() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let nobody = Person::default();
        let version = "/vocabularies/koder/versions/1";
        let uri = format!("{version}/certifications");
        let links = json!([{ "concept": A, "element": "https://example.dk/skema#a" }, { "element": "https://example.dk/skema" }]);
        let submit = json!({ "reviewer": "OIO-komitéen", "reference": "2026-17", "links": links });
        for (who, status) in [(&nobody, 401), (&c.member, 403), (&c.chair, 403), (&c.administrator, 403)] {
            who.send(&w, "POST", &uri, submit.clone()).await.with(status);
        }
        assert_eq!(nobody.get(&w, &uri).await.ok().json(), json!([]));
        for (body, expected) in [
            (json!({ "reviewer": "" }), (400, "invalid-text")),
            (json!({ "reviewer": "x", "links": [{ "concept": NONE, "element": "a:b" }] }), (422, "unlawful")),
            (json!({ "reviewer": "x", "links": [{ "element": "ikke en IRI" }] }), (422, "unlawful")),
        ] {
            let answer = c.secretary.send(&w, "POST", &uri, body.clone()).await;
            assert_eq!(code(&answer), (expected.0, expected.1.into()), "{body}: {}", answer.text());
        }
        let gone = "/vocabularies/koder/versions/9/certifications";
        assert_eq!(code(&c.secretary.send(&w, "POST", gone, submit.clone()).await), (404, "unknown-version".into()));
        let made = c.secretary.send(&w, "POST", &uri, submit).await.with(201).json();
        let one = format!("/certifications/{}", made["uuid"].as_str().expect("a uuid"));
        assert!(nobody.get(&w, version).await.ok().json().get("certification").is_none(), "nothing was said yet");

        let verdict = |verdict: &str| json!({ "verdict": verdict, "reasons": "Definitionen af a mangler." });
        let judge = format!("{one}/verdict");
        for (who, status) in [(&nobody, 401), (&c.chair, 403), (&c.member, 403)] {
            who.send(&w, "POST", &judge, verdict("certified")).await.with(status);
            who.send(&w, "PUT", &format!("{one}/links"), json!({ "links": [] })).await.with(status);
        }
        c.secretary.send(&w, "POST", &judge, verdict("conditional")).await.ok();
        c.secretary.send(&w, "PUT", &format!("{one}/links"), json!({ "links": [{ "concept": A, "element": "urn:x" }] })).await.ok();
        w.clock.set("2026-11-22T18:00:00Z");
        c.secretary.send(&w, "POST", &judge, verdict("certified")).await.ok();
        assert_eq!(code(&c.secretary.send(&w, "POST", &judge, verdict("rejected")).await), (409, "phase".into()));
        assert_snapshot!("certification", nobody.get(&w, &one).await.ok().shown());
        let shown = nobody.get(&w, version).await.ok();
        let told = json!({ "uuid": made["uuid"], "verdict": "certified", "at": "2026-11-22T18:00:00Z" });
        assert_eq!(shown.json()["certification"], told);
        assert_eq!(shown.header("cache-control"), "public, no-cache", "what is said of it may come later");
        assert_eq!(nobody.get(&w, "/vocabularies/koder/versions").await.ok().json()[0]["certification"], told);
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

/// Past the registry, as whoever holds the database: the guards are taken away first.
async fn tamper(w: &World, sql: &str) {
    let sqls = match w.database {
        "sqlite" => vec![
            "PRAGMA foreign_keys = OFF",
            "DROP TRIGGER IF EXISTS step_no_update",
            "DROP TRIGGER IF EXISTS step_no_delete",
            sql,
        ],
        _ => vec!["SET session_replication_role = replica", sql],
    };
    match w.database {
        "sqlite" => {
            let mut c = SqliteConnection::connect(&w.address).await.expect("the file opens");
            for sql in sqls {
                sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut c).await.expect(sql);
            }
        }
        _ => {
            let mut c = PgConnection::connect(&w.address).await.expect("the server answers");
            for sql in sqls {
                sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut c).await.expect(sql);
            }
        }
    }
}

#[tokio::test]
async fn steps_that_somebody_tampered_with_are_found_and_named() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let uri = format!("/groups/{}/mandate", c.committee);
        for purpose in ["et", "to", "tre"] {
            c.secretary.send(&w, "PUT", &uri, mandate(purpose)).await.ok();
        }
        let found = w.registry.verify().await.expect("all is whole");
        assert_eq!(found.steps, 3);
        let step = format!("matter = '{}' AND number = 2", c.committee);
        let keep = "CREATE TABLE kept AS SELECT * FROM step";
        tamper(&w, keep).await;
        for (sql, named) in [
            (format!("UPDATE step SET body = REPLACE(body, '\"to\"', '\"2\"') WHERE {step}"), "step 2"),
            (format!("UPDATE step SET actor = 'account:{NONE}' WHERE {step}"), "step 2"),
            (format!("UPDATE step SET actor = 'clock' WHERE {step}"), "step 2"),
            (format!("UPDATE step SET at = at - 1 WHERE {step}"), "step 2"),
            (format!("UPDATE step SET kind = 'draft' WHERE {step}"), "step 2"),
            (format!("UPDATE step SET vocabulary = '{NONE}' WHERE {step}"), "step 2"),
            (format!("DELETE FROM step WHERE {step}"), "step 2"),
            (format!("DELETE FROM step WHERE matter = '{}'", c.committee), "step 1"),
            (format!("DELETE FROM step WHERE matter = '{}' AND number = 3", c.committee), "step 3"),
            (
                format!(
                    "INSERT INTO step SELECT matter, 4, kind, vocabulary, at, actor, body, (SELECT seq FROM change WHERE \
                     kind = 'group.created') FROM step WHERE {step}"
                ),
                "step 4",
            ),
        ] {
            tamper(&w, &sql).await;
            let refusal = w.registry.verify().await.expect_err(&sql);
            assert_eq!(refusal.code, Code::Corrupt, "{sql}");
            assert!(refusal.en.contains(named) && refusal.en.contains(&c.committee.to_string()), "{sql}: {}", refusal.en);
            tamper(&w, "DELETE FROM step").await;
            tamper(&w, "INSERT INTO step SELECT * FROM kept").await;
            w.registry.verify().await.expect("as it was");
        }
    })
    .await;
}

#[tokio::test]
async fn a_backup_keeps_everything_that_is_worked_on() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let draft = recommended(&w, &c).await;
        c.secretary.send(&w, "PUT", &format!("/groups/{}/mandate", c.committee), mandate("et")).await.ok();
        let call = json!({ "at": "2026-12-01", "agenda": [{ "kind": "decision", "title": "x", "draft": draft }] });
        let made =
            c.secretary.send(&w, "POST", &format!("/groups/{}/meetings", c.committee), call).await.with(201).json();
        let submit = json!({ "reviewer": "OIO-komitéen" });
        c.secretary.send(&w, "POST", "/vocabularies/koder/versions/1/certifications", submit).await.with(201);
        let mut backup = Vec::new();
        w.registry.backup(&mut backup).await.expect("it is written");

        let folder = Folder::new();
        let store = Store::open(&format!("sqlite:{}", folder.path().join("new.db").display())).await.expect("it opens");
        store.restore(&backup[..]).await.expect("it is whole");
        let restored = Registry::open(store, w.clock.clone(), Settings::default()).await.expect("it opens");
        let (was, is) = (w.registry.verify().await.expect("whole"), restored.verify().await.expect("whole"));
        assert_eq!(was, is);
        assert_eq!(restored.mandate(c.committee).unwrap(), w.registry.mandate(c.committee).unwrap());
        let meeting = made["uuid"].as_str().unwrap().parse().unwrap();
        let operator = common::operator();
        let (was, is) = (w.registry.meeting(&operator, meeting).await, restored.meeting(&operator, meeting).await);
        assert_eq!(was.unwrap(), is.unwrap());
        let of = |r: &Registry| r.certifications("koder", "1").unwrap();
        assert_eq!(of(&restored), of(&w.registry));
        assert_eq!(restored.draft(&operator, draft).unwrap(), w.registry.draft(&operator, draft).unwrap());
    })
    .await;
}
