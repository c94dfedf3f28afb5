//! Drafts and decisions through the front door: from an empty vocabulary to published versions, two people at once,
//! what is overtaken, what is refused, and who may do what.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use begreb::model::Role;
use begreb::store::Store;
use common::{Answer, World, encoded, on_every_database, operator};
use insta::assert_snapshot;
use regex::Regex;
use serde_json::{Value, json};

const SITE: &str = "http://127.0.0.1:8080";
const PASSWORD: &str = "korrekt hest batteri";
const NONE: &str = "00000000-0000-4000-8000-000000000000";

/// A session of somebody, or nobody's.
#[derive(Clone, Default)]
struct As {
    cookie: Option<String>,
    uuid: String,
}

impl As {
    async fn send(&self, w: &World, method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{uri}"));
        request = request.header("origin", SITE).header("accept-language", "en");
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        w.send(request.body(Body::from(body.to_owned())).expect("a request")).await
    }

    async fn get(&self, w: &World, uri: &str) -> Answer {
        self.send(w, "GET", uri, &[], "").await
    }

    async fn post(&self, w: &World, uri: &str, body: Value) -> Answer {
        self.send(w, "POST", uri, &[], &body.to_string()).await
    }

    /// PUT of a concept, made of the content with a tag, or new.
    async fn put(&self, w: &World, draft: &str, key: &str, tag: Option<&str>, content: Value) -> Answer {
        let made_of = tag.map_or(("if-none-match", "*"), |tag| ("if-match", tag));
        let uri = format!("/drafts/{draft}/concepts/{}?reason=r", encoded(key));
        self.send(w, "PUT", &uri, &[made_of], &content.to_string()).await
    }

    /// Gives a concept that is there other content.
    async fn change(&self, w: &World, draft: &str, key: &str, content: Value) -> Value {
        let now = self.get(w, &format!("/drafts/{draft}/concepts/{}", encoded(key))).await.ok();
        self.put(w, draft, key, Some(&now.header("etag")), content).await.ok().json()
    }

    /// Opens a draft; its uuid.
    async fn open(&self, w: &World, vocabulary: &str, title: &str) -> String {
        let body = json!({ "vocabulary": vocabulary, "title": title });
        let opened = self.post(w, "/drafts", body).await.with(201).json();
        opened["uuid"].as_str().expect("a uuid").to_owned()
    }

    async fn edit(&self, w: &World, draft: &str, body: Value, status: u16) -> Value {
        self.post(w, &format!("/drafts/{draft}/edits"), body).await.with(status).json()
    }

    async fn publish(&self, w: &World, draft: &str, version: &str, effective: &str) -> Answer {
        let body = json!({ "version": version, "effective": effective });
        self.post(w, &format!("/drafts/{draft}/publication"), body).await
    }

    /// The digest that a publication would have.
    async fn digest(&self, w: &World, draft: &str) -> String {
        let preview = self.get(w, &format!("/drafts/{draft}/preview")).await.ok().json();
        preview["manifest"]["digest"].as_str().expect("a digest").to_owned()
    }
}

async fn form(w: &World, uri: &str, fields: &[(&str, &str)]) -> Answer {
    let body = fields.iter().map(|(n, v)| format!("{n}={}", encoded(v))).collect::<Vec<_>>().join("&");
    let request = Request::post(uri).header("origin", SITE);
    w.send(request.body(Body::from(body)).expect("a request")).await
}

async fn sign_in(w: &World, mail: &str) -> As {
    let answer = w.post("/api/v1/sign-in", json!({ "mail": mail, "password": PASSWORD }).to_string()).await.ok();
    let cookie = answer.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    As { cookie: Some(cookie), uuid: answer.json()["account"].as_str().expect("a uuid").to_owned() }
}

/// A registry with an administrator.
async fn administrator(w: &World) -> As {
    let link = w.registry.first_link(&operator()).await.expect("a link").expect("there is no administrator");
    set_password(w, &link, "Anne", "anne@example.dk").await;
    sign_in(w, "anne@example.dk").await
}

async fn set_password(w: &World, link: &str, name: &str, mail: &str) {
    let key = link.split_once("key=").expect("it has a key").1;
    let fields = [("key", key), ("name", name), ("mail", mail), ("password", PASSWORD), ("again", PASSWORD)];
    form(w, "/setup", &fields).await.with(303);
}

/// An account with roles, in one vocabulary or in all, that is signed in.
async fn account(w: &World, admin: &As, name: &str, roles: &[Role], vocabulary: Option<&str>) -> As {
    let mail = format!("{name}@example.dk");
    let made = admin.post(w, "/accounts", json!({ "name": name, "mail": mail })).await.with(201).json();
    set_password(w, made["link"].as_str().expect("a link"), "", "").await;
    for role in roles {
        let grant = json!({ "account": made["account"]["uuid"], "role": role, "vocabulary": vocabulary });
        admin.post(w, "/grants", grant).await.with(201);
    }
    sign_in(w, &mail).await
}

/// Makes a vocabulary without a version.
async fn vocabulary(w: &World, admin: &As, slug: &str, governance: &str, four_eyes: bool) {
    let frame = frame(slug, governance, four_eyes);
    admin.send(w, "PUT", &format!("/vocabularies/{slug}"), &[], &frame.to_string()).await.with(201);
}

fn frame(slug: &str, governance: &str, four_eyes: bool) -> Value {
    json!({ "titles": [{ "language": "da", "text": slug }], "kind": "terminology", "governance": governance,
        "fourEyes": four_eyes })
}

fn content(notation: &str, term: &str, definition: &str) -> Value {
    json!({ "notation": notation, "terms": [{ "language": "da", "value": term, "status": "preferred" }],
        "definitions": [{ "language": "da", "text": definition }] })
}

fn below(mut content: Value, parent: &str) -> Value {
    content["relations"] = json!([{ "kind": "generic", "target": parent }]);
    content
}

/// A vocabulary `ord` that an editor publishes, with version 1: A, and below it B and C.
async fn with_version(w: &World, admin: &As, editor: &As, four_eyes: bool) {
    vocabulary(w, admin, "ord", "direct", four_eyes).await;
    let draft = editor.open(w, "ord", "Første udgave").await;
    editor.put(w, &draft, "A", None, content("A", "tilbud", "noget, der ydes")).await.with(201);
    for (key, term) in [("B", "botilbud"), ("C", "dagtilbud")] {
        editor.put(w, &draft, key, None, below(content(key, term, "tilbud, hvor man er"), "A")).await.with(201);
    }
    editor.publish(w, &draft, "1", "2026-01-01").await.with(201);
}

/// An answer as a snapshot shows it: uuids by their order, tags and instants of today left out.
fn shown(answer: &Answer) -> String {
    let text = answer.shown();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let uuid = Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").expect("it is lawful");
    let named = uuid.replace_all(&text, |found: &regex::Captures<'_>| {
        let next = known.len() + 1;
        format!("<uuid {}>", known.entry(found[0].to_owned()).or_insert(next))
    });
    let digest = Regex::new("[0-9a-f]{64}").expect("it is lawful");
    let named = digest.replace_all(&named, "<digest>");
    let now = Regex::new(r"2026-11-22T12:00:00(\.\d+)?Z").expect("it is lawful");
    now.replace_all(&named, "<now>").into_owned()
}

fn codes(edits: &Value) -> Vec<&str> {
    edits.as_array().expect("a list").iter().map(|e| e["kind"].as_str().expect("a kind")).collect()
}

#[tokio::test]
async fn from_an_empty_vocabulary_to_a_second_version() {
    on_every_database(async |w| {
        let anne = administrator(&w).await;
        vocabulary(&w, &anne, "ord", "direct", false).await;
        // Before its first version it is there, and reads empty.
        assert_snapshot!("vocabulary_without_version", shown(&w.get("/api/v1/vocabularies/ord").await.ok()));
        assert_eq!(w.json("/api/v1/vocabularies/ord/concepts").await["total"], 0);
        assert_eq!(w.json("/api/v1/vocabularies/ord/versions").await, json!([]));
        let bo = account(&w, &anne, "bo", &[Role::Contributor, Role::Secretary], Some("ord")).await;
        let pia = account(&w, &anne, "pia", &[Role::Publisher], Some("ord")).await;

        let body = json!({ "vocabulary": "ord", "title": "Første udgave", "purpose": "Fælles ord." });
        let opened = bo.post(&w, "/drafts", body).await.with(201);
        assert_snapshot!("draft_opened", shown(&opened));
        let first = opened.json()["uuid"].as_str().expect("a uuid").to_owned();
        assert_eq!(opened.header("location"), format!("/api/v1/drafts/{first}"));
        assert_eq!(opened.header("etag"), "\"1\"");
        // Keys with spaces and signs, as the sector's codes have them.
        let paragraph = content("SEL § 83 a", "rehabiliteringsforløb", "forløb, der er tidsafgrænset");
        bo.put(&w, &first, "SEL § 83 a", None, paragraph).await.with(201);
        bo.put(&w, &first, "A", None, content("A", "tilbud", "noget, der ydes")).await.with(201);
        bo.put(&w, &first, "B", None, below(content("B", "botilbud", "tilbud med bolig"), "A")).await.with(201);
        let read = bo.get(&w, &format!("/drafts/{first}/concepts/SEL%20%C2%A7%2083%20a")).await.ok();
        assert_snapshot!("draft_concept", shown(&read));
        let (uri, tag) = (format!("/drafts/{first}/concepts/SEL%20%C2%A7%2083%20a"), read.header("etag"));
        let known = bo.send(&w, "GET", &uri, &[("if-none-match", &tag)], "").await.with(304);
        assert!(known.body.is_empty() && known.header("cache-control") == "no-store");
        // Drafts are not what the public reads.
        assert_eq!(w.get("/api/v1/vocabularies/ord/concepts/A").await.with(404).code(), "unknown-concept");

        let digest = pia.digest(&w, &first).await;
        let done = pia.publish(&w, &first, "1", "2026-01-01").await.with(201).json();
        assert_eq!((&done["verdict"], &done["manifest"]["digest"]), (&json!("published"), &json!(digest)));
        let version = w.json("/api/v1/vocabularies/ord/versions/1").await;
        assert_eq!(version["manifest"]["digest"], digest.as_str());
        assert_eq!(w.json("/api/v1/vocabularies/ord/concepts/SEL%20%C2%A7%2083%20a").await["validFrom"], "2026-01-01T00:00:00Z");
        let over = bo.get(&w, &format!("/drafts/{first}")).await.ok().json();
        assert_eq!((&over["phase"], &over["publication"]["label"]), (&json!("published"), &json!("1")));
        assert_eq!(bo.put(&w, &first, "X", None, content("X", "x", "x")).await.with(409).code(), "phase");

        // The second version: every kind of edit.
        let second = bo.open(&w, "ord", "Anden udgave").await;
        bo.edit(&w, &second, json!({ "kind": "add", "content": content("C", "dagtilbud", "tilbud om dagen"), "reason": "savnes" }), 201).await;
        bo.change(&w, &second, "A", content("A", "tilbud", "noget, der ydes til borgere")).await;
        let patch = json!([{ "op": "add", "path": "/notes", "value": [{ "kind": "scope", "language": "da", "text": "Uden tag." }] }]);
        let at = format!("/drafts/{second}/concepts/A");
        let tag = bo.get(&w, &at).await.ok().header("etag");
        let headers = [("if-match", tag.as_str()), ("content-type", "application/json-patch+json")];
        bo.send(&w, "PATCH", &format!("{at}?reason=tydeligere"), &headers, &patch.to_string()).await.ok();
        let split = json!({ "kind": "split", "old": "B", "reason": "to slags", "into": [
            { "content": below(content("B1", "midlertidigt botilbud", "botilbud for en tid"), "A") },
            { "content": below(content("B2", "længerevarende botilbud", "botilbud uden frist"), "A") } ] });
        bo.edit(&w, &second, split, 201).await;
        bo.edit(&w, &second, json!({ "kind": "move", "concept": "C", "under": [{ "kind": "generic", "target": "A" }], "reason": "hører under" }), 201).await;
        let merged = json!({ "kind": "merge", "old": ["B1", "B2"], "into": { "content": below(content("B3", "bosted", "tilbud med bolig"), "A") }, "reason": "én slags" });
        bo.edit(&w, &second, merged, 201).await;
        let undo = |n: usize| format!("/drafts/{second}/edits/{n}/undo");
        let undone = bo.post(&w, &undo(6), json!({ "reason": "to slags alligevel" })).await.with(201);
        assert_eq!(undone.json()["undoes"], 6);
        let redone = bo.post(&w, &undo(7), json!({ "reason": "nej, én" })).await.with(201);
        assert_eq!((&redone.json()["number"], &redone.json()["undoes"]), (&json!(8), &json!(7)));
        bo.post(&w, &undo(8), json!({ "reason": "jo, to" })).await.with(201);
        bo.edit(&w, &second, json!({ "kind": "replace", "old": "SEL § 83 a", "new": { "content": content("SL § 83 a", "rehabilitering", "forløb med mål") }, "reason": "ny lov" }), 201).await;
        let tag = bo.get(&w, &format!("/drafts/{second}/concepts/C")).await.ok().header("etag");
        let retired = bo.send(&w, "DELETE", &format!("/drafts/{second}/concepts/C?reason=nej"), &[("if-match", &tag)], "").await.ok();
        assert_eq!(retired.json()["kind"], "retire");
        let edits = bo.get(&w, &format!("/drafts/{second}/edits")).await.ok();
        assert_eq!(codes(&edits.json()), ["add", "change", "change", "split", "move", "merge", "undo", "undo", "undo", "replace", "retire"]);
        assert_snapshot!("edits", shown(&edits));
        assert_eq!(bo.get(&w, &format!("/drafts/{second}/edits/4")).await.ok().json()["kind"], "split");
        assert_snapshot!("draft_concepts", shown(&bo.get(&w, &format!("/drafts/{second}/concepts")).await.ok()));

        assert_snapshot!("findings", shown(&bo.get(&w, &format!("/drafts/{second}/findings?all=true")).await.ok()));
        assert_snapshot!("preview", shown(&bo.get(&w, &format!("/drafts/{second}/preview")).await.ok()));
        for format in ["json", "md", "html"] {
            let diff = bo.get(&w, &format!("/drafts/{second}/diff?from=base&to=now&format={format}&language=da")).await.ok();
            let text = shown(&diff);
            // The look of the page is its paper's matter.
            let text = text.split_once("</head>").map_or(text.clone(), |(_, body)| body.to_owned());
            assert_snapshot!(format!("diff_{format}"), text);
        }
        let early = bo.get(&w, &format!("/drafts/{second}/diff?from=0&to=1")).await.ok().json();
        assert_eq!((&early["count"], &early["concepts"][0]["kinds"][0]), (&json!(1), &json!("added")));
        let accepted = bo.send(&w, "GET", &format!("/drafts/{second}/diff"), &[("accept", "text/markdown")], "").await.ok();
        assert!(accepted.text().starts_with("# Changes of ord"), "{}", accepted.text());

        let digest = bo.digest(&w, &second).await;
        let published = pia.publish(&w, &second, "2", "2026-06-01").await.with(201).json();
        assert_eq!(published["manifest"]["digest"], digest.as_str());
        // The history leads from the state to the edits, and to nobody's name.
        let history = w.get("/api/v1/vocabularies/ord/concepts/A/history").await.ok();
        assert!(!history.text().contains(&bo.uuid));
        assert_snapshot!("history", shown(&history));
        assert_snapshot!("draft_published", shown(&bo.get(&w, &format!("/drafts/{second}")).await.ok()));
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn two_people_at_once_lose_nothing() {
    on_every_database(async |w| {
        let anne = administrator(&w).await;
        let bo = account(&w, &anne, "bo", &[Role::Contributor, Role::Publisher], None).await;
        let ida = account(&w, &anne, "ida", &[Role::Contributor], None).await;
        with_version(&w, &anne, &bo, false).await;
        let draft = bo.open(&w, "ord", "Sammen").await;
        let at = format!("/drafts/{draft}/concepts/B?reason=r");
        let tag = bo.get(&w, &format!("/drafts/{draft}/concepts/B")).await.ok().header("etag");
        let text = |t: &str| below(content("B", t, "tilbud, hvor man er"), "A").to_string();

        let unsaid = bo.send(&w, "PUT", &at, &[], &text("x")).await.with(428);
        assert_eq!(unsaid.code(), "precondition-required");
        assert_eq!(bo.send(&w, "DELETE", &at, &[], "").await.with(428).code(), "precondition-required");
        bo.send(&w, "PUT", &at, &[("if-match", &tag)], &text("bosted")).await.ok();
        let late = ida.send(&w, "PUT", &at, &[("if-match", &tag)], &text("hjem")).await.with(412);
        let told = late.json();
        assert_eq!(told["conflict"]["current"]["content"]["terms"][0]["value"], "bosted");
        assert_eq!(told["conflict"]["yours"]["terms"][0]["value"], "hjem");
        assert_eq!(told["conflict"]["current"]["edit"]["by"], format!("account:{}", bo.uuid));
        assert_snapshot!("two_writers", shown(&late));
        // With the tag of what there is now, it goes through.
        let now = told["conflict"]["current"]["etag"].as_str().expect("a tag").to_owned();
        ida.send(&w, "PUT", &at, &[("if-match", &now)], &text("hjem")).await.ok();
        assert_eq!(bo.put(&w, &draft, "B", None, json!({"terms": []})).await.with(412).code(), "precondition-failed");

        // Many at the same instant, all made of the same: exactly one wins.
        let tag = bo.get(&w, &format!("/drafts/{draft}/concepts/B")).await.ok().header("etag");
        let headers = [("if-match", tag.as_str())];
        let bodies: Vec<String> = (0..6).map(|i| text(&format!("ord {i}"))).collect();
        let writers = bodies.iter().enumerate().map(|(i, body)| {
            let who = if i % 2 == 0 { &bo } else { &ida };
            who.send(&w, "PUT", &at, &headers, body)
        });
        let mut statuses: Vec<u16> = futures::future::join_all(writers).await.iter().map(|a| a.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412, 412, 412]);
        // And many new ones of one code.
        let new = content("N", "ny", "en, der er ny").to_string();
        let uri = format!("/drafts/{draft}/concepts/N?reason=r");
        let writers = (0..4).map(|_| bo.send(&w, "PUT", &uri, &[("if-none-match", "*")], &new));
        let mut statuses: Vec<u16> = futures::future::join_all(writers).await.iter().map(|a| a.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 412, 412, 412]);

        // What puts other words where there are some says which draft it was made of.
        let merge = json!({ "kind": "merge", "old": ["B", "C"], "into": { "concept": "C", "content": below(content("C", "dagtilbud", "begge"), "A") }, "reason": "r" });
        assert_eq!(bo.edit(&w, &draft, merge.clone(), 428).await["code"], "precondition-required");
        let edits = format!("/drafts/{draft}/edits");
        let stale = bo.send(&w, "POST", &edits, &[("if-match", "\"1\"")], &merge.to_string()).await.with(412);
        assert_eq!(stale.code(), "precondition-failed");
        let now = bo.get(&w, &format!("/drafts/{draft}")).await.ok().header("etag");
        bo.send(&w, "POST", &edits, &[("if-match", &now)], &merge.to_string()).await.with(201);
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn taking_back_and_importing() {
    on_every_database(async |w| {
        let anne = administrator(&w).await;
        let bo = account(&w, &anne, "bo", &[Role::Contributor, Role::Publisher], None).await;
        with_version(&w, &anne, &bo, false).await;
        let draft = bo.open(&w, "ord", "Frem og tilbage").await;
        bo.change(&w, &draft, "A", content("A", "ydelse", "noget, der ydes")).await;
        bo.change(&w, &draft, "A", content("A", "indsats", "noget, der ydes")).await;
        let undo = |n: usize| format!("/drafts/{draft}/edits/{n}/undo");
        let late = bo.post(&w, &undo(1), json!({ "reason": "r" })).await.with(409);
        assert_eq!((late.code().as_str(), &late.json()["items"]), ("conflict", &json!(["2"])));
        bo.post(&w, &undo(2), json!({ "reason": "r" })).await.with(201);
        assert_eq!(bo.post(&w, &undo(2), json!({ "reason": "r" })).await.with(409).code(), "phase");
        bo.post(&w, &undo(1), json!({ "reason": "r" })).await.with(201);
        assert_eq!(bo.post(&w, &undo(9), json!({ "reason": "r" })).await.with(404).code(), "not-found");
        assert_eq!(bo.get(&w, &format!("/drafts/{draft}/concepts")).await.ok().json(), json!([]));
        // A draft that says what the version says changes nothing that could be published.
        let concept = bo.get(&w, &format!("/drafts/{draft}/concepts/A")).await.ok().json();
        assert_eq!((&concept["kinds"], &concept["edit"]), (&json!([]), &json!(4)));

        let file = "notation,preferred.da,definition.da,parent\nA,tilbud,\"noget, der ydes\",\nB,bosted,\"tilbud, hvor man er\",A\nD,døgntilbud,hele døgnet,A\n";
        let import = format!("/drafts/{draft}/import?format=csv&reason=fra%20regnearket");
        assert_eq!(bo.send(&w, "POST", &import, &[], file).await.with(428).code(), "precondition-required");
        let old = [("if-match", "\"2\"")];
        assert_eq!(bo.send(&w, "POST", &import, &old, file).await.with(412).code(), "precondition-failed");
        let tag = bo.get(&w, &format!("/drafts/{draft}")).await.ok().header("etag");
        let done = bo.send(&w, "POST", &import, &[("if-match", &tag)], file).await.with(201);
        assert_snapshot!("imported", shown(&done));
        let tag = bo.get(&w, &format!("/drafts/{draft}")).await.ok().header("etag");
        let again = bo.send(&w, "POST", &import, &[("if-match", &tag)], file).await.with(409);
        assert_eq!(again.code(), "phase", "the file changes nothing");
        bo.post(&w, &undo(5), json!({ "reason": "r" })).await.with(201);
        assert_eq!(bo.get(&w, &format!("/drafts/{draft}/concepts")).await.ok().json(), json!([]));

        // What will be refused is told while one works: a code that is there twice, a concept that goes from under others.
        let twice = json!({ "kind": "add", "content": content("B", "et andet", "noget"), "reason": "r" });
        bo.edit(&w, &draft, twice, 201).await;
        let findings = bo.get(&w, &format!("/drafts/{draft}/findings")).await.ok();
        assert_snapshot!("findings_twice", shown(&findings));
        assert_eq!(findings.json()[0]["rule"], "duplicate-code");
        assert_eq!(bo.get(&w, &format!("/drafts/{draft}/preview")).await.with(422).code(), "duplicate-code");
        assert_eq!(bo.publish(&w, &draft, "2", "2026-02-01").await.with(422).code(), "duplicate-code");
        bo.post(&w, &undo(7), json!({ "reason": "r" })).await.with(201);
        bo.edit(&w, &draft, json!({ "kind": "retire", "concepts": ["A"], "reason": "r" }), 201).await;
        // Those below it are not changed, but somebody should look at them.
        let left = bo.get(&w, &format!("/drafts/{draft}/findings")).await.ok().json();
        let rules: Vec<&str> = left.as_array().expect("a list").iter().map(|f| f["rule"].as_str().expect("a rule")).collect();
        assert_eq!(rules, ["retired-parent", "retired-parent"]);
        assert_eq!(w.json("/api/v1/vocabularies/ord/versions").await.as_array().expect("a list").len(), 1);
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn an_overtaken_draft_is_laid_over_the_new_version() {
    on_every_database(async |w| {
        let anne = administrator(&w).await;
        let bo = account(&w, &anne, "bo", &[Role::Contributor, Role::Publisher], None).await;
        with_version(&w, &anne, &bo, false).await;
        let (slow, quick) = (bo.open(&w, "ord", "Langsom").await, bo.open(&w, "ord", "Hurtig").await);
        let a = |definition: &str| content("A", "tilbud", definition);
        let c = |term: &str, definition: &str| below(content("C", term, definition), "A");
        // A: both, otherwise. B: only the slow one. C: both, in different fields. N: both the same.
        bo.change(&w, &slow, "A", a("noget, der ydes af kommunen")).await;
        bo.change(&w, &slow, "B", below(content("B", "bosted", "tilbud, hvor man er"), "A")).await;
        bo.change(&w, &slow, "C", c("dagsted", "tilbud, hvor man er")).await;
        bo.put(&w, &slow, "N", None, content("N", "ny", "noget nyt")).await.with(201);
        bo.change(&w, &quick, "A", a("noget, der ydes af regionen")).await;
        bo.change(&w, &quick, "C", c("dagtilbud", "tilbud om dagen")).await;
        bo.put(&w, &quick, "N", None, content("N", "ny", "noget nyt")).await.with(201);
        bo.publish(&w, &quick, "2", "2026-06-01").await.with(201);

        let overtaken = bo.get(&w, &format!("/drafts/{slow}")).await.ok().json();
        assert_eq!(overtaken["overtaken"], true);
        let refused = bo.publish(&w, &slow, "3", "2026-07-01").await.with(409);
        assert_eq!(refused.code(), "overtaken");
        let rebase = format!("/drafts/{slow}/rebase");
        let conflict = bo.post(&w, &rebase, json!({ "reason": "ny version" })).await.with(409);
        assert_snapshot!("rebase_conflict", shown(&conflict));
        assert_eq!(conflict.code(), "conflict");
        let listed = conflict.json()["conflict"].clone();
        assert_eq!((listed.as_array().expect("a list").len(), &listed[0]["fields"]), (1, &json!(["definitions"])));
        let concept = listed[0]["concept"].clone();
        let both = json!({ "reason": "r", "settled": [{ "concept": concept, "take": "ours", "content": a("x") }] });
        assert_eq!(bo.post(&w, &rebase, both).await.with(422).code(), "unlawful");
        let said = json!({ "reason": "ny version", "settled": [{ "concept": concept, "content": a("noget, der ydes af begge") }] });
        let done = bo.post(&w, &rebase, said).await.ok();
        assert_snapshot!("rebased", shown(&done));
        let mut how: Vec<String> = done.json()["concepts"].as_array().expect("a list").iter().map(|c| c["how"].as_str().expect("how").to_owned()).collect();
        how.sort();
        assert_eq!(how, ["joined", "kept", "same", "settled"]);
        assert_eq!(bo.post(&w, &rebase, json!({ "reason": "igen" })).await.with(409).code(), "phase");
        let joined = bo.get(&w, &format!("/drafts/{slow}/concepts/C")).await.ok().json();
        assert_eq!(joined["content"]["terms"][0]["value"], "dagsted");
        assert_eq!(joined["content"]["definitions"][0]["text"], "tilbud om dagen");

        assert_eq!(bo.publish(&w, &slow, "2", "2026-07-01").await.with(409).code(), "label-taken");
        assert_eq!(bo.publish(&w, &slow, "3", "2026-03-01").await.with(409).code(), "overtaken", "another version is below");
        bo.publish(&w, &slow, "3", "2026-07-01").await.with(201);
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn four_eyes_see_exactly_what_is_published() {
    on_every_database(async |w| {
        let anne = administrator(&w).await;
        let bo = account(&w, &anne, "bo", &[Role::Contributor, Role::Publisher], None).await;
        let pia = account(&w, &anne, "pia", &[Role::Publisher], None).await;
        let chair = account(&w, &anne, "chair", &[Role::Chair], None).await;
        vocabulary(&w, &anne, "ord", "direct", true).await;
        let draft = bo.open(&w, "ord", "Med to").await;
        bo.put(&w, &draft, "A", None, content("A", "tilbud", "noget")).await.with(201);
        let alone = bo.publish(&w, &draft, "1", "2026-01-01").await.with(409);
        assert_snapshot!("four_eyes", shown(&alone));
        let approvals = format!("/drafts/{draft}/approvals");
        let seen = bo.digest(&w, &draft).await;
        assert_eq!(bo.post(&w, &approvals, json!({ "digest": seen })).await.with(409).code(), "four-eyes");
        chair.post(&w, &approvals, json!({ "digest": seen })).await.with(201);
        // What was looked at is not what there is after another edit.
        bo.change(&w, &draft, "A", content("A", "tilbud", "noget andet")).await;
        assert_eq!(bo.publish(&w, &draft, "1", "2026-01-01").await.with(409).code(), "four-eyes");
        assert_eq!(chair.post(&w, &approvals, json!({ "digest": seen })).await.with(409).code(), "other-content");
        let seen = bo.digest(&w, &draft).await;
        chair.post(&w, &approvals, json!({ "digest": seen })).await.with(201);
        bo.publish(&w, &draft, "1", "2026-01-01").await.with(201);
        let done = bo.get(&w, &format!("/drafts/{draft}")).await.ok().json();
        assert_eq!(done["publication"]["second"], format!("account:{}", chair.uuid));
        // Somebody who wrote nothing in it is the second pair.
        let draft = bo.open(&w, "ord", "Med en anden").await;
        bo.change(&w, &draft, "A", content("A", "tilbud", "noget tredje")).await;
        pia.publish(&w, &draft, "2", "2026-02-01").await.with(201);
        let done = bo.get(&w, &format!("/drafts/{draft}")).await.ok().json();
        assert_eq!(done["publication"]["second"], format!("account:{}", pia.uuid));
    })
    .await;
}

#[tokio::test]
async fn what_lies_with_a_committee_is_frozen() {
    on_every_database(async |w| {
        let anne = administrator(&w).await;
        let bo = account(&w, &anne, "bo", &[Role::Contributor, Role::Secretary, Role::Publisher, Role::Chair], None).await;
        vocabulary(&w, &anne, "ord", "committee", false).await;
        let group = async |kind: &str| {
            let body = json!({ "name": kind, "kind": kind, "members": [bo.uuid] });
            anne.post(&w, "/groups", body).await.with(201).json()["uuid"].as_str().expect("a uuid").to_owned()
        };
        let (committee, workers) = (group("committee").await, group("workingGroup").await);
        let draft = bo.open(&w, "ord", "Til styregruppen").await;
        let change = async |body: Value| { bo.send(&w, "PATCH", &format!("/drafts/{draft}"), &[], &body.to_string()).await };
        assert_eq!(change(json!({ "group": workers, "purpose": "p" })).await.ok().json()["group"], workers);
        let described = change(json!({ "group": null, "title": "Til udvalget" })).await.ok();
        assert_eq!((&described.json()["group"], &described.json()["purpose"]), (&Value::Null, &json!("p")));
        assert_eq!(change(json!({ "group": NONE })).await.with(404).code(), "not-found");
        let stale = bo.send(&w, "PATCH", &format!("/drafts/{draft}"), &[("if-match", "\"1\"")], "{}").await.with(412);
        assert_eq!(stale.code(), "precondition-failed");

        let recommend = async |to: &str| {
            bo.post(&w, &format!("/drafts/{draft}/recommendations"), json!({ "committee": to, "text": "Vedtag." })).await
        };
        assert_eq!(recommend(&committee).await.with(409).code(), "empty-draft", "it says nothing");
        bo.put(&w, &draft, "A", None, content("A", "tilbud", "noget")).await.with(201);
        assert_eq!(recommend(&workers).await.with(422).code(), "unlawful");
        assert_eq!(recommend(NONE).await.with(404).code(), "not-found");
        let phase = async |body: Value| bo.post(&w, &format!("/drafts/{draft}/phase"), body).await;
        phase(json!({ "step": "review" })).await.ok();
        assert_eq!(phase(json!({ "step": "review" })).await.with(409).code(), "phase");
        phase(json!({ "step": "hold", "reason": "sommer" })).await.ok();
        assert_eq!(recommend(&committee).await.with(409).code(), "phase");
        assert_eq!(phase(json!({ "step": "resume", "reason": "efterår" })).await.ok().json()["phase"], "inReview");
        let digest = bo.digest(&w, &draft).await;
        let laid = recommend(&committee).await.with(201);
        assert_snapshot!("recommended", shown(&laid));
        assert_eq!(laid.json()["recommendations"][0]["digest"], digest.as_str());

        assert_eq!(bo.put(&w, &draft, "B", None, content("B", "b", "b")).await.with(409).code(), "phase");
        assert_eq!(bo.publish(&w, &draft, "1", "2026-01-01").await.with(409).code(), "phase");
        let decide = json!({ "draft": draft, "meeting": NONE, "item": 1, "digest": digest, "outcome": "adopted", "voting": "consensus" });
        assert_eq!(bo.post(&w, "/decisions", decide).await.with(404).code(), "not-found", "there was no such meeting");
        assert_eq!(phase(json!({ "step": "recall", "reason": "en fejl" })).await.ok().json()["phase"], "inReview");
        assert_eq!(bo.publish(&w, &draft, "1", "2026-01-01").await.with(409).code(), "governance");
        phase(json!({ "step": "withdraw", "reason": "opgivet" })).await.ok();
        for body in [json!({ "step": "resume", "reason": "r" }), json!({ "step": "withdraw", "reason": "r" })] {
            assert_eq!(phase(body).await.with(409).code(), "phase");
        }
        assert_eq!(w.json("/api/v1/decisions").await, json!([]));
        assert_eq!(w.get(&format!("/api/v1/decisions/{NONE}")).await.with(404).code(), "not-found");
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn comments_in_threads_and_lists_in_pages() {
    on_every_database(async |w| {
        let anne = administrator(&w).await;
        let bo = account(&w, &anne, "bo", &[Role::Contributor, Role::Publisher], None).await;
        with_version(&w, &anne, &bo, false).await;
        let ida = account(&w, &anne, "ida", &[Role::Reader], Some("ord")).await;
        let draft = bo.open(&w, "ord", "Snak").await;
        let comments = format!("/drafts/{draft}/comments");
        for topic in [json!({}), json!({ "concept": "A" }), json!({ "concept": "A", "field": "definitions" })] {
            bo.post(&w, &comments, json!({ "topic": topic, "text": "Hvad med dette?" })).await.with(201);
        }
        for (topic, status, code) in [
            (json!({ "concept": "Z" }), 404, "unknown-concept"),
            (json!({ "field": "terms" }), 422, "unlawful"),
            (json!({ "concept": "A", "field": "nonsense" }), 422, "unlawful"),
            (json!({ "page": 1 }), 400, "invalid-body"),
        ] {
            let wrong = bo.post(&w, &comments, json!({ "topic": topic, "text": "?" })).await.with(status);
            assert_eq!(wrong.code(), code, "{topic}");
        }
        ida.post(&w, &format!("{comments}/3"), json!({ "text": "Enig." })).await.with(201);
        let settle = async |n: u32, settled: bool| {
            bo.post(&w, &format!("{comments}/{n}/settlement"), json!({ "settled": settled })).await
        };
        settle(3, true).await.ok();
        assert_eq!(bo.get(&w, &format!("/drafts/{draft}")).await.ok().json()["openThreads"], 2);
        ida.post(&w, &format!("{comments}/3"), json!({ "text": "Nej, vent." })).await.with(201);
        settle(1, true).await.ok();
        settle(1, false).await.ok();
        assert_eq!(settle(4, true).await.with(404).code(), "not-found");
        assert_snapshot!("comments", shown(&bo.get(&w, &comments).await.ok()));

        // Every list, page by page, is the list.
        for i in 0..5 {
            bo.open(&w, "ord", &format!("Nr. {i}")).await;
        }
        for key in ["K1", "K2", "K3"] {
            bo.put(&w, &draft, key, None, content(key, key, key)).await.with(201);
        }
        for list in
            ["/drafts".to_owned(), comments, format!("/drafts/{draft}/edits"), format!("/drafts/{draft}/concepts")]
        {
            let whole = bo.get(&w, &list).await.ok();
            let (mut pieces, mut next) = (Vec::new(), Some(format!("{list}?limit=2")));
            while let Some(uri) = next {
                let page = bo.get(&w, &uri).await.ok();
                assert_eq!(page.header("x-total-count"), whole.header("x-total-count"));
                pieces.extend(page.json().as_array().expect("a list").clone());
                let link = page.header("link");
                next = link.strip_suffix(">; rel=\"next\"").map(|l| l.trim_start_matches("</api/v1").to_owned());
                assert!(pieces.len() < 50);
            }
            assert_eq!(Value::Array(pieces), whole.json(), "{list}");
        }
        let some = async |query: &str| {
            bo.get(&w, &format!("/drafts?{query}")).await.ok().json().as_array().expect("a list").len()
        };
        assert_eq!((some("phase=drafting").await, some("phase=published").await), (6, 1));
        assert_eq!((some("vocabulary=ord").await, some(&format!("group={NONE}")).await), (7, 0));
    })
    .await;
}

/// One request for each address, by who may make it; harmless where it is let through.
fn addresses(draft: &str) -> Vec<(&'static str, String, Value, &'static [Role])> {
    use Role::{Administrator, Chair, CommitteeMember, Contributor, Publisher, Reader, Secretary};
    const READ: &[Role] = &[Reader, Contributor, Secretary, CommitteeMember, Chair, Publisher, Administrator];
    const SPEAK: &[Role] = &[Reader, Contributor, Secretary, CommitteeMember, Chair, Publisher];
    const WRITE: &[Role] = &[Contributor, Secretary];
    let d = |rest: &str| format!("/drafts/{draft}{rest}");
    let nothing = Value::Null;
    let reason = || json!({ "reason": "r" });
    let zero = "0".repeat(64);
    vec![
        ("GET", d(""), nothing.clone(), READ),
        ("GET", d("/concepts"), nothing.clone(), READ),
        ("GET", d("/concepts/A"), nothing.clone(), READ),
        ("GET", d("/edits"), nothing.clone(), READ),
        ("GET", d("/edits/1"), nothing.clone(), READ),
        ("GET", d("/findings"), nothing.clone(), READ),
        ("GET", d("/preview"), nothing.clone(), READ),
        ("GET", d("/diff"), nothing.clone(), READ),
        ("GET", d("/comments"), nothing.clone(), READ),
        ("POST", "/drafts".into(), json!({ "vocabulary": "ord", "title": "t" }), WRITE),
        ("PUT", d("/concepts/A?reason=r"), content("A", "a", "a"), WRITE),
        ("DELETE", d("/concepts/A?reason=r"), nothing.clone(), WRITE),
        ("POST", d("/edits"), json!({ "kind": "retire", "concepts": ["Z"], "reason": "r" }), WRITE),
        ("POST", d("/edits/99/undo"), reason(), WRITE),
        ("POST", d("/import?format=csv&reason=r"), nothing.clone(), WRITE),
        ("POST", d("/rebase"), json!({ "reason": "r", "onto": "nej" }), WRITE),
        ("POST", d("/comments"), json!({ "topic": { "concept": "Z" }, "text": "t" }), SPEAK),
        ("POST", d("/comments/99"), json!({ "text": "t" }), SPEAK),
        ("POST", d("/comments/99/settlement"), json!({ "settled": true }), SPEAK),
        ("PATCH", d(""), json!({}), &[Secretary]),
        ("POST", d("/phase"), json!({ "step": "resume", "reason": "r" }), &[Secretary]),
        (
            "POST",
            d("/approvals"),
            json!({ "digest": zero }),
            &[Contributor, Secretary, CommitteeMember, Chair, Publisher],
        ),
        ("POST", d("/publication"), json!({ "version": "1" }), &[Publisher]),
        ("PUT", "/vocabularies/ord".into(), frame("ord", "direct", false), &[Publisher, Administrator]),
        ("PUT", "/vocabularies/ord".into(), frame("ord", "direct", true), &[Administrator]),
        ("PUT", "/vocabularies/ord".into(), frame("ord", "direct", false), &[Administrator]),
    ]
}

#[tokio::test]
async fn every_address_for_every_role() {
    on_every_database(async |w| {
        let anne = administrator(&w).await;
        let bo = account(&w, &anne, "bo", &[Role::Contributor, Role::Publisher], None).await;
        with_version(&w, &anne, &bo, false).await;
        let other = frame("andet", "direct", false).to_string();
        anne.send(&w, "PUT", "/vocabularies/andet", &[], &other).await.with(201);
        let draft = bo.open(&w, "ord", "Rettigheder").await;
        bo.change(&w, &draft, "A", content("A", "ydelse", "noget, der ydes")).await;
        let mut who = Vec::new();
        for role in Role::ALL {
            let here = account(&w, &anne, &format!("{role}-here"), &[*role], (*role != Role::Administrator).then_some("ord")).await;
            who.push((Some(*role), here));
            if *role != Role::Administrator {
                // The same role in another vocabulary is worth nothing in this one.
                who.push((None, account(&w, &anne, &format!("{role}-there"), &[*role], Some("andet")).await));
            }
        }
        who.push((None, account(&w, &anne, "none", &[], None).await));
        for (method, uri, body, roles) in addresses(&draft) {
            let body = if body.is_null() { String::new() } else { body.to_string() };
            let nobody = As::default().send(&w, method, &uri, &[], &body).await.with(401);
            assert_eq!(nobody.code(), "not-signed-in", "{method} {uri}");
            for (role, session) in &who {
                let may = role.is_some_and(|r| roles.contains(&r));
                let status = session.send(&w, method, &uri, &[], &body).await.status;
                assert_eq!(status != 403, may, "{role:?}: {method} {uri}: {status}");
                assert!(status != 401 && status < 500, "{role:?}: {method} {uri}: {status}");
            }
        }
        // Recommending and deciding take a committee; who may not does not get so far.
        for (role, session) in &who {
            let decide = json!({ "draft": draft, "meeting": NONE, "item": 1, "digest": "0".repeat(64), "outcome": "adopted", "voting": "consensus" });
            let status = session.post(&w, "/decisions", decide).await.status;
            assert_eq!(status, if *role == Some(Role::Chair) { 409 } else { 403 }, "{role:?}");
        }
        // A list tells of what one may read, and of nothing else.
        for (role, session) in &who {
            let seen = session.get(&w, "/drafts?vocabulary=ord").await.ok().json().as_array().expect("a list").len();
            let reads = role.is_some_and(|r| r != Role::HearingParty);
            assert_eq!(seen > 0, reads, "{role:?}");
        }
        assert_eq!(As::default().get(&w, "/drafts").await.with(401).code(), "not-signed-in");
    })
    .await;
}

#[tokio::test]
async fn the_frame_of_a_vocabulary() {
    on_every_database(async |w| {
        let anne = administrator(&w).await;
        vocabulary(&w, &anne, "ord", "committee", true).await;
        let pia = account(&w, &anne, "pia", &[Role::Publisher], Some("ord")).await;
        let put = async |who: &As, slug: &str, frame: &Value| {
            who.send(&w, "PUT", &format!("/vocabularies/{slug}"), &[], &frame.to_string()).await
        };
        // A new one takes the right in all vocabularies.
        assert_eq!(put(&pia, "nyt", &frame("nyt", "direct", false)).await.with(403).code(), "forbidden");
        let mut titled = frame("ord", "committee", true);
        titled["titles"] = json!([{ "language": "da", "text": "Ord" }, { "language": "en", "text": "Words" }]);
        titled["facets"] = json!([{ "code": "f", "titles": [{ "language": "da", "text": "Facet" }] }]);
        titled["licence"] = json!("https://creativecommons.org/publicdomain/zero/1.0/");
        let changed = put(&pia, "ord", &titled).await.ok();
        assert_snapshot!("framed", shown(&changed));
        let facet = changed.json()["facets"][0]["uuid"].clone();
        let position = w.position().await;
        assert_eq!(put(&pia, "ord", &titled).await.ok().json()["facets"][0]["uuid"], facet);
        assert_eq!(w.position().await, position, "said twice it is the same");
        // Whoever publishes cannot put the committee out of the way.
        for (governance, four_eyes) in [("direct", true), ("committee", false)] {
            let (mut loose, was) = (titled.clone(), w.position().await);
            (loose["governance"], loose["fourEyes"]) = (json!(governance), json!(four_eyes));
            let refused = put(&pia, "ord", &loose).await.with(403);
            assert_eq!(refused.json()["where"]["field"], "govern");
            assert_eq!(w.position().await, was);
        }
        let mut direct = titled.clone();
        (direct["governance"], direct["fourEyes"]) = (json!("direct"), json!(false));
        put(&anne, "ord", &direct).await.ok();
        let store = Store::open(&w.address).await.expect("the database opens");
        let log = store.changes(0, 1000).await.expect("the log");
        let last = log.last().expect("a row");
        assert_eq!(
            (last.kind.as_str(), last.actor.as_str()),
            ("vocabulary.changed", format!("account:{}", anne.uuid).as_str())
        );
        assert_eq!(w.json("/api/v1/vocabularies/ord").await["governance"], "direct");

        for (field, value, status, code) in [
            ("kind", json!("codeList"), 409, "immutable"),
            ("uuid", json!(NONE), 409, "immutable"),
            ("namespace", json!("https://andet.example/"), 409, "immutable"),
            ("titles", json!([]), 422, "unlawful"),
            ("titles", json!([{ "language": "da", "text": " " }]), 400, "invalid-text"),
            ("titles", json!([{ "language": "da", "text": "a" }, { "language": "da", "text": "b" }]), 422, "unlawful"),
            ("facets", json!([{ "code": "f", "titles": [] }, { "code": "f", "titles": [] }]), 422, "unlawful"),
            ("owner", json!("x".repeat(301)), 400, "invalid-text"),
            ("governance", json!("anarchy"), 400, "invalid-body"),
            ("colour", json!("red"), 400, "invalid-body"),
        ] {
            let mut wrong = direct.clone();
            wrong[field] = value.clone();
            assert_eq!(put(&anne, "ord", &wrong).await.with(status).code(), code, "{field} {value}");
        }
        assert_eq!(put(&anne, "Store_Ord", &direct).await.with(400).code(), "invalid-slug");
        let mut same = frame("andet", "direct", false);
        same["uuid"] = w.json("/api/v1/vocabularies/ord").await["uuid"].clone();
        assert_eq!(put(&anne, "andet", &same).await.with(409).code(), "exists");
        // Mirrors take no drafts.
        vocabulary(&w, &anne, "spejl", "mirror", false).await;
        let bo = account(&w, &anne, "bo", &[Role::Contributor], None).await;
        let refused = bo.post(&w, "/drafts", json!({ "vocabulary": "spejl", "title": "t" })).await.with(409);
        assert_eq!(refused.code(), "governance");
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_told_and_changes_nothing() {
    on_every_database(async |w| {
        let anne = administrator(&w).await;
        let bo = account(&w, &anne, "bo", &[Role::Contributor, Role::Secretary, Role::Publisher], None).await;
        with_version(&w, &anne, &bo, false).await;
        let draft = bo.open(&w, "ord", "Dårlige").await;
        let position = w.position().await;
        let d = |rest: &str| format!("/drafts/{draft}{rest}");
        let a = content("A", "a", "a").to_string();
        let any = ("if-match", "*");
        let patch = ("content-type", "application/json-patch+json");
        let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
        let long = format!("{{\"notation\":\"{}\"}}", "x".repeat(3 << 20));
        // Each copy doubles what there is; a thousand of them would be more than any machine has.
        let bomb = json!((0..60).map(|i| json!({ "op": "copy", "from": "/notes", "path": format!("/notes/{i}/text") })).collect::<Vec<_>>());
        let grow = {
            let mut steps = vec![json!({ "op": "add", "path": "/x", "value": ["x".repeat(1000)] })];
            steps.extend((0..40).map(|_| json!({ "op": "copy", "from": "/x", "path": "/x/0" })));
            json!(steps)
        };
        let many = json!(vec![json!({ "op": "test", "path": "/notation", "value": "A" }); 1_001]);
        type Bad<'a> = (&'a str, String, Vec<(&'a str, &'a str)>, String, u16, &'a str);
        let cases: Vec<Bad<'_>> = vec![
            ("GET", "/drafts?fase=x".into(), vec![], String::new(), 400, "unknown-parameter"),
            ("GET", "/drafts?phase=x".into(), vec![], String::new(), 400, "invalid-parameter"),
            ("GET", "/drafts?group=x".into(), vec![], String::new(), 400, "invalid-identifier"),
            ("GET", "/drafts?vocabulary=nej".into(), vec![], String::new(), 404, "unknown-vocabulary"),
            ("GET", "/drafts?limit=0".into(), vec![], String::new(), 400, "invalid-parameter"),
            ("GET", "/drafts?limit=x".into(), vec![], String::new(), 400, "invalid-parameter"),
            ("GET", "/drafts?cursor=x".into(), vec![], String::new(), 400, "invalid-cursor"),
            ("GET", "/drafts/x".into(), vec![], String::new(), 400, "invalid-identifier"),
            ("GET", format!("/drafts/{NONE}"), vec![], String::new(), 404, "not-found"),
            ("GET", d("?x=1"), vec![], String::new(), 400, "unknown-parameter"),
            ("GET", d("/concepts/Z"), vec![], String::new(), 404, "unknown-concept"),
            ("GET", d("/edits/0"), vec![], String::new(), 404, "not-found"),
            ("GET", d("/edits/x"), vec![], String::new(), 400, "invalid-identifier"),
            ("GET", d("/edits/99999999999999999999"), vec![], String::new(), 400, "invalid-identifier"),
            ("GET", d("/diff?from=x"), vec![], String::new(), 400, "invalid-parameter"),
            ("GET", d("/diff?from=7"), vec![], String::new(), 404, "not-found"),
            ("GET", d("/diff?from=hearing"), vec![], String::new(), 404, "not-found"),
            ("GET", d("/diff?format=pdf"), vec![], String::new(), 400, "invalid-parameter"),
            ("GET", d("/diff?language=fr"), vec![], String::new(), 400, "invalid-parameter"),
            ("GET", d("/diff"), vec![("accept", "image/png")], String::new(), 406, "not-acceptable"),
            ("GET", d("/findings?all=maybe"), vec![], String::new(), 400, "invalid-parameter"),
            ("POST", "/drafts".into(), vec![], String::new(), 400, "invalid-body"),
            ("POST", "/drafts".into(), vec![], "{".into(), 400, "invalid-body"),
            ("POST", "/drafts".into(), vec![], "[]".into(), 400, "invalid-body"),
            ("POST", "/drafts".into(), vec![], deep.clone(), 400, "invalid-body"),
            ("POST", "/drafts".into(), vec![], json!({ "vocabulary": "ord", "title": "t", "x": 1 }).to_string(), 400, "invalid-body"),
            ("POST", "/drafts".into(), vec![], json!({ "vocabulary": "ord", "title": "a\nb" }).to_string(), 400, "invalid-text"),
            ("POST", "/drafts".into(), vec![], json!({ "vocabulary": "nej", "title": "t" }).to_string(), 404, "unknown-vocabulary"),
            ("POST", "/drafts".into(), vec![], json!({ "vocabulary": "ord", "title": "t", "base": "9" }).to_string(), 404, "unknown-version"),
            ("POST", "/drafts".into(), vec![], json!({ "vocabulary": "ord", "title": "t", "group": NONE }).to_string(), 404, "not-found"),
            ("PUT", d("/concepts/A"), vec![any], a.clone(), 400, "invalid-parameter"),
            ("PUT", d("/concepts/A?reason="), vec![any], a.clone(), 400, "invalid-text"),
            ("PUT", d("/concepts/A?reason=r&answer=x"), vec![any], a.clone(), 400, "invalid-parameter"),
            ("PUT", d(&format!("/concepts/A?reason=r&answer={NONE}/{NONE}/1/2")), vec![any], a.clone(), 400, "invalid-parameter"),
            ("PUT", d(&format!("/concepts/A?reason=r&answer={NONE}/{NONE}/1")), vec![any], a.clone(), 404, "not-found"),
            ("PUT", d(&format!("/concepts/A?reason=r&request={NONE}")), vec![any], a.clone(), 404, "not-found"),
            ("PUT", d(&format!("/concepts/A?reason=r&request={NONE}&answer={NONE}/{NONE}/1")), vec![any], a.clone(), 400, "invalid-parameter"),
            ("PUT", d("/concepts/A?reason=r"), vec![("if-match", "nonsense")], a.clone(), 400, "invalid-parameter"),
            ("PUT", d("/concepts/A?reason=r"), vec![("if-none-match", "\"x\"")], a.clone(), 400, "invalid-parameter"),
            ("PUT", d("/concepts/A?reason=r"), vec![any, ("if-none-match", "*")], a.clone(), 400, "invalid-parameter"),
            ("PUT", d("/concepts/A?reason=r"), vec![("if-match", "\"x\"")], a.clone(), 412, "precondition-failed"),
            ("PUT", d("/concepts/A?reason=r"), vec![any], "{\"colour\":1}".into(), 400, "invalid-body"),
            ("PUT", d("/concepts/A?reason=r"), vec![any], "{\"notation\":\"A\"}".into(), 422, "preferred-term"),
            ("PUT", d("/concepts/A?reason=r"), vec![any], below(content("A", "a", "a"), "Z").to_string(), 422, "unknown-target"),
            ("PUT", d("/concepts/A?reason=r"), vec![any], long, 413, "too-large"),
            ("PUT", d("/concepts/Q?reason=r"), vec![any], content("Q", "q", "q").to_string(), 412, "precondition-failed"),
            ("PUT", d("/concepts/Q?reason=r"), vec![("if-none-match", "*")], content("W", "q", "q").to_string(), 422, "unlawful"),
            ("DELETE", d("/concepts/Z?reason=r"), vec![any], String::new(), 404, "unknown-concept"),
            ("PATCH", d("/concepts/A?reason=r"), vec![any], "[]".into(), 415, "unsupported-type"),
            ("PATCH", d("/concepts/A?reason=r"), vec![any, ("content-type", "application/json")], "[]".into(), 415, "unsupported-type"),
            ("PATCH", d("/concepts/A?reason=r"), vec![patch], "[]".into(), 428, "precondition-required"),
            ("PATCH", d("/concepts/A?reason=r"), vec![any, patch], "[]".into(), 409, "phase"),
            ("PATCH", d("/concepts/A?reason=r"), vec![any, patch], "{}".into(), 400, "invalid-body"),
            ("PATCH", d("/concepts/A?reason=r"), vec![any, patch], deep, 400, "invalid-body"),
            ("PATCH", d("/concepts/A?reason=r"), vec![any, patch], json!([{ "op": "remove", "path": "/nej" }]).to_string(), 400, "invalid-body"),
            ("PATCH", d("/concepts/A?reason=r"), vec![any, patch], json!([{ "op": "add", "path": "/nej", "value": 1 }]).to_string(), 400, "invalid-body"),
            ("PATCH", d("/concepts/A?reason=r"), vec![any, patch], bomb.to_string(), 400, "invalid-body"),
            ("PATCH", d("/concepts/A?reason=r"), vec![any, patch], grow.to_string(), 413, "too-large"),
            ("PATCH", d("/concepts/A?reason=r"), vec![any, patch], many.to_string(), 413, "too-large"),
            ("POST", d("/edits"), vec![], json!({ "kind": "add", "content": {} }).to_string(), 400, "invalid-body"),
            ("POST", d("/edits"), vec![], json!({ "kind": "explode", "reason": "r" }).to_string(), 400, "invalid-body"),
            ("POST", d("/edits"), vec![], json!({ "kind": "retire", "concepts": [], "reason": "r" }).to_string(), 422, "unlawful"),
            ("POST", d("/edits"), vec![], json!({ "kind": "retire", "concepts": ["A"], "reason": "r", "x": 1 }).to_string(), 400, "invalid-body"),
            ("POST", d("/edits"), vec![], json!({ "kind": "retire", "concepts": ["A"], "reason": 7 }).to_string(), 400, "invalid-body"),
            ("POST", d("/edits"), vec![], json!({ "kind": "retire", "concepts": ["A"], "reason": "r", "because": { "whim": 1 } }).to_string(), 400, "invalid-body"),
            ("POST", d("/edits"), vec![], json!({ "kind": "retire", "concepts": ["A"], "reason": "r", "because": { "answer": { "hearing": NONE, "answer": NONE, "item": 1, "x": 1 } } }).to_string(), 400, "invalid-body"),
            ("POST", d("/edits"), vec![], json!({ "kind": "retire", "concepts": ["A", "A"], "reason": "r" }).to_string(), 422, "unlawful"),
            ("POST", d("/edits"), vec![], json!({ "kind": "split", "old": "A", "into": [], "reason": "r" }).to_string(), 422, "unlawful"),
            ("POST", d("/edits"), vec![], json!({ "kind": "merge", "old": ["A"], "into": { "content": content("Q", "q", "q") }, "reason": "r" }).to_string(), 422, "unlawful"),
            ("POST", d("/edits"), vec![], json!({ "kind": "add", "concept": "A", "content": content("A", "a", "a"), "reason": "r" }).to_string(), 409, "exists"),
            ("POST", d("/edits"), vec![], json!({ "kind": "move", "concept": "B", "under": [{ "kind": "seeAlso", "target": "A" }], "reason": "r" }).to_string(), 422, "unlawful"),
            ("POST", d("/import?reason=r"), vec![any], "x".into(), 400, "invalid-parameter"),
            ("POST", d("/import?format=csv"), vec![any], "x".into(), 400, "invalid-parameter"),
            ("POST", d("/import?format=json&reason=r"), vec![any], "{".into(), 400, "syntax"),
            ("POST", d("/rebase"), vec![], json!({ "reason": "r", "onto": "9" }).to_string(), 404, "unknown-version"),
            ("POST", d("/rebase"), vec![], json!({ "reason": "r", "onto": "1" }).to_string(), 409, "phase"),
            ("POST", d("/phase"), vec![], json!({ "step": "fly" }).to_string(), 400, "invalid-body"),
            ("POST", d("/phase"), vec![], json!({ "step": "hold" }).to_string(), 400, "invalid-body"),
            ("POST", d("/phase"), vec![], json!({ "step": "review", "reason": "r" }).to_string(), 400, "invalid-body"),
            ("POST", d("/approvals"), vec![], json!({ "digest": "x" }).to_string(), 400, "invalid-identifier"),
            ("POST", d("/publication"), vec![], json!({ "version": "a b/c" }).to_string(), 400, "invalid-label"),
            ("POST", d("/publication"), vec![], json!({ "version": "2", "effective": "snart" }).to_string(), 400, "invalid-time"),
            ("POST", d("/publication"), vec![], json!({ "version": "2", "effective": "2026-02-30" }).to_string(), 400, "invalid-time"),
            ("GET", "/decisions?x=1".into(), vec![], String::new(), 400, "unknown-parameter"),
            ("GET", "/decisions/x".into(), vec![], String::new(), 400, "invalid-identifier"),
            ("DELETE", d(""), vec![], String::new(), 405, "method-not-allowed"),
        ];
        let mut wrong = Vec::new();
        for (method, uri, headers, body, status, code) in cases {
            let answer = bo.send(&w, method, &uri, &headers, &body).await;
            let is_problem = answer.header("content-type") == "application/problem+json";
            let got = if is_problem { answer.code() } else { answer.text() };
            if (answer.status, got.as_str()) != (status, code) {
                let body: String = body.chars().take(200).collect();
                wrong.push(format!("{method} {uri} {headers:?} {body}: {} {got}: {} {}", answer.status, status, code));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(w.position().await, position, "nothing was changed");
    })
    .await;
}
