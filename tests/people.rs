//! People and rights through the front door: from the one-time link of the first start to a token that may publish
//! one vocabulary and nothing else; and everything that must be refused on the way.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::Request;
use begreb::exchange::Format;
use begreb::http::HttpOptions;
use begreb::model::{Clock, Command, Digest, Instant, Role, Secret};
use begreb::registry::{About, AccountRequest, Actor, GiveRequest, RIGHTS, TokenRequest, permit};
use begreb::store::{Session, Store};
use common::{Answer, World, edition, on_every_database, operator};
use proptest::prelude::*;
use serde_json::{Value, json};

const SITE: &str = "http://127.0.0.1:8080";
const PASSWORD: &str = "korrekt hest batteri";
const ANNE: (&str, &str) = ("Anne Ærlig", "anne.aerlig@example.dk");
const BO: (&str, &str) = ("Bo Bidrager", "bo.bidrager@kommune.example.dk");
const FILE: &str = "notation,preferred.da\nA,a\nB,b\n";

/// How a request is made.
#[derive(Clone, Default)]
struct As {
    cookie: Option<String>,
    token: Option<String>,
    origin: Option<&'static str>,
}

impl As {
    fn token(secret: &str) -> Self {
        Self { token: Some(secret.to_owned()), ..Self::default() }
    }

    async fn ask(&self, w: &World, method: &str, uri: &str, body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(origin) = self.origin {
            request = request.header("origin", origin);
        }
        w.send(request.body(Body::from(body.to_owned())).expect("a request")).await
    }

    async fn json(&self, w: &World, method: &str, uri: &str, body: Value, status: u16) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.ask(w, method, &format!("/api/v1{uri}"), &body).await.with(status);
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }
}

async fn form(w: &World, uri: &str, fields: &[(&str, &str)], origin: &str) -> Answer {
    let body = form_urlencoded(fields);
    let request = Request::post(uri).header("origin", origin).header("accept-language", "en");
    w.send(request.body(Body::from(body)).expect("a request")).await
}

fn form_urlencoded(fields: &[(&str, &str)]) -> String {
    fields.iter().map(|(n, v)| format!("{n}={}", common::encoded(v))).collect::<Vec<_>>().join("&")
}

async fn try_sign_in(w: &World, mail: &str, password: &str) -> Answer {
    w.post("/api/v1/sign-in", json!({ "mail": mail, "password": password }).to_string()).await
}

/// Signs in by the API; the session asks from our own pages.
async fn sign_in(w: &World, mail: &str) -> As {
    let answer = try_sign_in(w, mail, PASSWORD).await.ok();
    let cookie = answer.header("set-cookie");
    let cookie = cookie.split(';').next().expect("a cookie").to_owned();
    As { cookie: Some(cookie), token: None, origin: Some(SITE) }
}

/// Follows a link to a form and sends it.
async fn follow(w: &World, link: &str, person: Option<(&str, &str)>) -> Answer {
    let uri = link.strip_prefix(SITE).expect("it begins with our address");
    let page = w.get(uri).await.ok();
    assert_eq!(page.text().contains("name=\"mail\""), person.is_some());
    let key = uri.split_once("key=").expect("it has a key").1;
    let (name, mail) = person.unwrap_or_default();
    let fields = [("key", key), ("name", name), ("mail", mail), ("password", PASSWORD), ("again", PASSWORD)];
    form(w, "/setup", &fields, SITE).await
}

/// A registry with a first administrator, Anne, who is signed in.
async fn with_anne(w: &World) -> As {
    let link = w.registry.first_link(&operator()).await.expect("a link").expect("there is no administrator");
    follow(w, &link, Some(ANNE)).await.with(303);
    sign_in(w, ANNE.1).await
}

/// An account with a password, and its uuid.
async fn account(w: &World, admin: &As, person: (&str, &str)) -> String {
    let body = json!({ "name": person.0, "mail": person.1 });
    let made = admin.json(w, "POST", "/accounts", body, 201).await;
    follow(w, made["link"].as_str().expect("a link"), None).await.with(303);
    made["account"]["uuid"].as_str().expect("a uuid").to_owned()
}

async fn give(w: &World, admin: &As, account: &str, role: Role, vocabulary: Option<&str>) -> String {
    let mut body = json!({ "account": account, "role": role });
    if let Some(v) = vocabulary {
        body["vocabulary"] = v.into();
    }
    admin.json(w, "POST", "/grants", body, 201).await["uuid"].as_str().expect("a uuid").to_owned()
}

async fn with_vocabularies(w: &World) {
    for slug in ["koder", "andre"] {
        w.import(edition(slug, Format::Csv, FILE.as_bytes(), "1", "2020-01-01")).await.expect("it is lawful");
    }
}

fn import(slug: &str, label: &str) -> String {
    format!("/api/v1/vocabularies/{slug}/import?format=csv&version={label}&effective=2021-01-01")
}

#[tokio::test]
async fn from_the_first_link_to_a_token_for_one_vocabulary() {
    on_every_database(async |w| {
        with_vocabularies(&w).await;
        let nobody = As::default();
        assert_eq!(nobody.ask(&w, "POST", &import("koder", "2"), FILE).await.with(401).code(), "not-signed-in");

        let link = w.registry.first_link(&operator()).await.expect("a link").expect("no administrator yet");
        let newer = w.registry.first_link(&operator()).await.expect("a link").expect("still none");
        let replaced = w.get(link.strip_prefix(SITE).unwrap()).await.with(410);
        assert!(replaced.text().contains("bed om et nyt") && !replaced.text().contains("<form method"), "a page");
        follow(&w, &newer, Some(ANNE)).await.with(303);
        w.get(newer.strip_prefix(SITE).unwrap()).await.with(410);
        assert_eq!(w.registry.first_link(&operator()).await.expect("no fault"), None);

        let anne = sign_in(&w, ANNE.1).await;
        let me = anne.json(&w, "GET", "/me", Value::Null, 200).await;
        assert_eq!((&me["mail"], &me["roles"][0]["role"]), (&json!(ANNE.1), &json!("administrator")));
        assert_eq!(me["signedIn"], json!({ "by": "password" }));
        // An administrator administers people; publishing is another role.
        assert_eq!(anne.ask(&w, "POST", &import("koder", "2"), FILE).await.with(403).code(), "forbidden");

        let bo = account(&w, &anne, BO).await;
        give(&w, &anne, &bo, Role::Publisher, Some("koder")).await;
        give(&w, &anne, &bo, Role::Publisher, Some("andre")).await;
        let session = sign_in(&w, BO.1).await;
        let wish = json!({ "name": "ci", "commands": ["publish"], "vocabularies": ["koder"], "days": 30 });
        let made = session.json(&w, "POST", "/tokens", wish, 201).await;
        let secret = made["secret"].as_str().expect("a secret").to_owned();
        assert!(secret.starts_with("begreb_") && secret.len() == 50);
        let listed = session.json(&w, "GET", "/tokens", Value::Null, 200).await;
        assert_eq!(listed[0]["uuid"], made["uuid"]);
        assert!(!listed.to_string().contains(&secret), "shown once");
        // Another name, the same secret; nobody else's token.
        let uri = format!("/tokens/{}", made["uuid"].as_str().unwrap());
        let renamed = session.json(&w, "PATCH", &uri, json!({ "name": "byg" }), 200).await;
        let before = w.position().await;
        assert_eq!((&renamed["name"], &renamed["expires"]), (&json!("byg"), &listed[0]["expires"]));
        session.json(&w, "PATCH", &uri, json!({ "name": "byg" }), 200).await;
        assert_eq!(w.position().await, before, "the same name is no change");
        anne.json(&w, "PATCH", &uri, json!({ "name": "mit" }), 404).await;

        let token = As::token(&secret);
        let done = token.ask(&w, "POST", &import("koder", "2"), "notation,preferred.da\nA,a\nB,bb\n").await.with(201);
        assert_eq!(done.json()["verdict"], "published");
        let again = "/api/v1/vocabularies/koder/publish?version=3&from=1&effective=2022-01-01";
        token.ask(&w, "POST", again, "").await.with(201);
        for (method, uri) in [
            ("POST", import("andre", "2").as_str()),
            ("POST", import("ny", "1").as_str()),
            ("POST", "/api/v1/vocabularies/andre/publish?version=3&from=1&effective=2022-01-01"),
            ("GET", "/api/v1/accounts"),
            ("GET", "/api/v1/me"),
            ("GET", "/api/v1/tokens"),
            ("POST", "/api/v1/tokens"),
        ] {
            let body = if uri.ends_with("tokens") { r#"{"name":"x","commands":["publish"]}"# } else { FILE };
            assert_eq!(token.ask(&w, method, uri, body).await.with(403).code(), "forbidden", "{uri}");
        }
        // What it did stands in the log under the account's uuid.
        let store = Store::open(&w.address).await.expect("the database opens");
        let log = store.changes(0, 1000).await.expect("the log");
        assert!(log.iter().any(|c| c.kind == "version.published" && c.actor == format!("account:{bo}")));
        // Public readings look at no credentials, not even at wrong ones.
        As::token("wrong").ask(&w, "GET", "/api/v1/vocabularies/koder/concepts", "").await.ok();

        session.json(&w, "DELETE", &format!("/tokens/{}", made["uuid"].as_str().unwrap()), Value::Null, 204).await;
        assert_eq!(token.ask(&w, "POST", &import("koder", "4"), FILE).await.with(401).code(), "not-signed-in");
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

/// One request for each command, harmless when it is let through: the status tells.
fn asks(command: Command) -> Vec<(&'static str, String, &'static str)> {
    let none = "00000000-0000-4000-8000-000000000000";
    let at = |path: &str| format!("/api/v1{path}");
    match command {
        // A new vocabulary takes both; alone it has no address yet.
        Command::Frame => vec![],
        Command::Publish => vec![
            ("POST", import("koder", "x") + "&dryRun=true", FILE),
            ("POST", at("/vocabularies/koder/publish?version=x&from=1&effective=2022-01-01&dryRun=true"), ""),
        ],
        Command::ReadPeople => ["/organisations", "/accounts", "/groups", "/grants"].map(|p| ("GET", at(p), "")).into(),
        Command::ManageOrganisations => {
            vec![
                ("POST", at("/organisations"), "{\"name\":\"o\"}"),
                ("PATCH", at(&format!("/organisations/{none}")), "{}"),
            ]
        }
        Command::ManageAccounts => vec![
            ("POST", at("/accounts"), "{\"name\":\"x\",\"mail\":\"anne.aerlig@example.dk\"}"),
            ("PATCH", at(&format!("/accounts/{none}")), "{}"),
            ("DELETE", at(&format!("/accounts/{none}")), ""),
            ("POST", at(&format!("/accounts/{none}/link")), ""),
        ],
        Command::ManageGroups => vec![
            ("POST", at("/groups"), "{\"name\":\"g\",\"kind\":\"committee\"}"),
            ("PATCH", at(&format!("/groups/{none}")), "{}"),
        ],
        Command::Grant => vec![
            ("POST", at("/grants"), "{\"role\":\"reader\",\"account\":\"00000000-0000-4000-8000-000000000000\"}"),
            ("DELETE", at(&format!("/grants/{none}")), ""),
        ],
        Command::RevokeTokens => {
            vec![("GET", at("/tokens?all=true"), ""), ("DELETE", at(&format!("/accounts/{none}/sessions")), "")]
        }
        Command::OwnAccount => vec![
            ("GET", at("/me"), ""),
            ("GET", at("/me/sessions"), ""),
            ("DELETE", at(&format!("/me/sessions/{none}")), ""),
        ],
        Command::OwnTokens => vec![("GET", at("/tokens"), ""), ("DELETE", at(&format!("/tokens/{none}")), "")],
        Command::OwnSubscriptions => vec![
            ("GET", at("/subscriptions"), ""),
            ("POST", at("/subscriptions"), "{\"url\":\"https://192.168.0.1/\"}"),
            ("GET", at(&format!("/subscriptions/{none}")), ""),
            ("PATCH", at(&format!("/subscriptions/{none}")), "{}"),
            ("DELETE", at(&format!("/subscriptions/{none}")), ""),
            ("POST", at(&format!("/subscriptions/{none}/pause")), ""),
            ("POST", at(&format!("/subscriptions/{none}/resume")), ""),
            ("POST", at(&format!("/subscriptions/{none}/secret")), ""),
            ("POST", at(&format!("/subscriptions/{none}/test")), ""),
            ("POST", at(&format!("/subscriptions/{none}/replay")), "{\"all\":true}"),
            ("GET", at(&format!("/subscriptions/{none}/deliveries")), ""),
            ("GET", at(&format!("/subscriptions/{none}/dead-letters")), ""),
        ],
        Command::ManageSubscriptions => vec![("GET", at("/subscriptions?all=true"), "")],
        // What others keep is not there for those who may not see it: tests/code_sets.rs.
        Command::OwnCodeSets => vec![
            ("GET", at("/code-sets"), ""),
            ("POST", at("/code-sets"), "{\"name\":\"s\",\"codes\":[\"A\"]}"),
            ("GET", at(&format!("/code-sets/{none}/tasks")), ""),
            ("GET", at("/usages"), ""),
        ],
        // What is about a draft, a group or a request takes one that is there: those are walked where they are made.
        _ => vec![],
    }
}

#[tokio::test]
async fn every_cell_of_the_table_at_every_address() {
    on_every_database(async |w| {
        with_vocabularies(&w).await;
        let anne = with_anne(&w).await;
        let mut who: Vec<(Option<Role>, As)> = Vec::new();
        for (i, role) in [None].into_iter().chain(Role::ALL.iter().copied().map(Some)).enumerate() {
            let mail = format!("p{i}@example.dk");
            let uuid = account(&w, &anne, ("P", &mail)).await;
            if let Some(role) = role {
                give(&w, &anne, &uuid, role, None).await;
            }
            who.push((role, sign_in(&w, &mail).await));
        }
        for right in RIGHTS {
            for (method, uri, body) in asks(right.command) {
                let nobody = As::default().ask(&w, method, &uri, body).await;
                assert_eq!(nobody.with(401).code(), "not-signed-in", "{method} {uri}");
                for (role, session) in &who {
                    let may = right.about == About::Oneself || role.is_some_and(|r| right.roles.contains(&r));
                    let status = session.ask(&w, method, &uri, body).await.status;
                    assert_eq!(status != 403 && status != 401, may, "{role:?}: {method} {uri}: {status}");
                }
            }
        }
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

/// A request that was recognised, and then waited for its turn to write while what it had was taken, is refused.
#[tokio::test]
async fn what_is_taken_while_a_request_waits_is_gone() {
    on_every_database(async |w| {
        with_vocabularies(&w).await;
        let link = w.registry.first_link(&operator()).await.expect("a link").expect("no administrator yet");
        follow(&w, &link, Some(ANNE)).await.with(303);
        let anne = sign_in(&w, ANNE.1).await;
        let bo = account(&w, &anne, BO).await;
        let grant = give(&w, &anne, &bo, Role::Publisher, Some("koder")).await;
        let session = sign_in(&w, BO.1).await;
        let wish = json!({ "name": "ci", "commands": ["publish"], "days": 30 });
        let made = session.json(&w, "POST", "/tokens", wish, 201).await;
        let secret = Secret::shown(made["secret"].as_str().expect("a secret"));
        let waiting = w.registry.by_token(&secret).await.expect("it is recognised");
        let import = async |actor: &Actor, label: &str| {
            let request = edition("koder", Format::Csv, FILE.as_bytes(), label, "2023-01-01");
            w.registry.import(actor, request).await.map_err(|refusal| refusal.code.as_str())
        };
        anne.json(&w, "DELETE", &format!("/grants/{grant}"), Value::Null, 204).await;
        assert_eq!(import(&waiting, "7").await.expect_err("its rights were taken"), "busy");
        give(&w, &anne, &bo, Role::Publisher, Some("koder")).await;
        let waiting = w.registry.by_token(&secret).await.expect("it is recognised");
        session
            .json(&w, "DELETE", &format!("/tokens/{}", made["uuid"].as_str().expect("a uuid")), Value::Null, 204)
            .await;
        assert_eq!(import(&waiting, "8").await.expect_err("its token was revoked"), "not-signed-in");
    })
    .await;
}

#[tokio::test]
async fn what_is_revoked_expired_or_deactivated_stops_at_once() {
    on_every_database(async |w| {
        with_vocabularies(&w).await;
        let anne = with_anne(&w).await;
        let bo = account(&w, &anne, BO).await;
        let grant = give(&w, &anne, &bo, Role::Publisher, None).await;
        let (one, two) = (sign_in(&w, BO.1).await, sign_in(&w, BO.1).await);
        let wish = |days| json!({ "name": "t", "commands": ["publish"], "days": days });
        let secret = |made: &Value| As::token(made["secret"].as_str().expect("a secret"));
        let short = secret(&one.json(&w, "POST", "/tokens", wish(1), 201).await);
        let long = secret(&one.json(&w, "POST", "/tokens", wish(366), 201).await);
        for wrong in [json!({ "name": "t", "commands": [] }), json!({ "name": "t", "commands": ["grant"] }), wish(367)]
        {
            let answer = one.ask(&w, "POST", "/api/v1/tokens", &wrong.to_string()).await;
            assert!(matches!(answer.status, 400 | 422), "{}", answer.text());
        }
        let dry = import("koder", "x") + "&dryRun=true";
        short.ask(&w, "POST", &dry, FILE).await.ok();

        // Signing out ends this session and no other.
        one.json(&w, "POST", "/sign-out", Value::Null, 204).await;
        assert_eq!(one.ask(&w, "GET", "/api/v1/me", "").await.with(401).code(), "not-signed-in");
        let sessions = two.json(&w, "GET", "/me/sessions", Value::Null, 200).await;
        assert_eq!((sessions.as_array().unwrap().len(), &sessions[0]["current"]), (1, &json!(true)));
        assert!(one.ask(&w, "GET", "/me", "").await.with(303).header("location") == "/sign-in");

        // A role that is taken is gone from sessions and tokens that were opened before.
        anne.json(&w, "DELETE", &format!("/grants/{grant}"), Value::Null, 204).await;
        assert_eq!(long.ask(&w, "POST", &dry, FILE).await.with(403).code(), "forbidden");
        give(&w, &anne, &bo, Role::Publisher, None).await;
        long.ask(&w, "POST", &dry, FILE).await.ok();

        let activate = async |active: bool| {
            anne.json(&w, "PATCH", &format!("/accounts/{bo}"), json!({ "active": active }), 200).await
        };
        activate(false).await;
        assert_eq!(two.ask(&w, "GET", "/api/v1/me", "").await.with(401).code(), "not-signed-in");
        assert_eq!(long.ask(&w, "POST", &dry, FILE).await.with(401).code(), "not-signed-in");
        assert_eq!(try_sign_in(&w, BO.1, PASSWORD).await.with(401).code(), "wrong-credentials");
        activate(true).await;
        assert_eq!(two.ask(&w, "GET", "/api/v1/me", "").await.with(401).code(), "not-signed-in", "it was ended");
        // Whoever was let out begins with new secrets: those that were about meanwhile stay worth nothing.
        assert_eq!(long.ask(&w, "POST", &dry, FILE).await.with(401).code(), "not-signed-in", "it was revoked");
        let back = sign_in(&w, BO.1).await;
        assert_eq!(back.json(&w, "GET", "/tokens", Value::Null, 200).await, json!([]));
        let short = secret(&back.json(&w, "POST", "/tokens", wish(1), 201).await);
        let long = secret(&back.json(&w, "POST", "/tokens", wish(366), 201).await);

        // The accounts of an organisation that is not active cannot do anything.
        let made = anne.json(&w, "POST", "/organisations", json!({ "name": "Kommunen" }), 201).await;
        let at = format!("/organisations/{}", made["uuid"].as_str().unwrap());
        anne.json(&w, "PATCH", &format!("/accounts/{bo}"), json!({ "organisation": made["uuid"] }), 200).await;
        long.ask(&w, "POST", &dry, FILE).await.ok();
        anne.json(&w, "PATCH", &at, json!({ "active": false }), 200).await;
        assert_eq!(long.ask(&w, "POST", &dry, FILE).await.with(401).code(), "not-signed-in");
        anne.json(&w, "PATCH", &at, json!({ "active": true }), 200).await;
        // Its people did nothing: what they have works again.
        long.ask(&w, "POST", &dry, FILE).await.ok();
        // An organisation can be left: null is not the same as nothing said.
        let at = format!("/accounts/{bo}");
        let same = anne.json(&w, "PATCH", &at, json!({ "name": BO.0 }), 200).await;
        assert_eq!(same["organisation"], made["uuid"]);
        let left = anne.json(&w, "PATCH", &at, json!({ "organisation": null }), 200).await;
        assert_eq!(left["organisation"], Value::Null);

        // Nobody may leave the registry without an administrator.
        let me = anne.json(&w, "GET", "/me", Value::Null, 200).await;
        let mine = format!("/accounts/{}", me["uuid"].as_str().unwrap());
        let answer = anne.ask(&w, "PATCH", &format!("/api/v1{mine}"), "{\"active\":false}").await;
        assert_eq!(answer.with(409).code(), "last-administrator");
        let answer = anne.ask(&w, "DELETE", &format!("/api/v1{mine}"), "").await;
        assert_eq!(answer.with(409).code(), "last-administrator");

        // A new password ends the other sessions.
        let three = sign_in(&w, ANNE.1).await;
        let change = json!({ "current": "forkert forkert", "password": "et helt nyt kodeord" });
        three.json(&w, "PUT", "/me/password", change, 401).await;
        let change = json!({ "current": PASSWORD, "password": "et helt nyt kodeord" });
        three.json(&w, "PUT", "/me/password", change, 204).await;
        anne.json(&w, "GET", "/me", Value::Null, 401).await;
        three.json(&w, "GET", "/me", Value::Null, 200).await;

        w.clock.set("2026-11-23T11:59:59Z");
        short.ask(&w, "POST", &dry, FILE).await.ok();
        w.clock.set("2026-11-23T12:00:00Z");
        assert_eq!(short.ask(&w, "POST", &dry, FILE).await.with(401).code(), "expired");
        assert_eq!(three.ask(&w, "GET", "/api/v1/me", "").await.with(401).code(), "expired");
        long.ask(&w, "POST", &dry, FILE).await.ok();
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn nobody_learns_who_has_an_account_nor_tries_without_end() {
    on_every_database(async |w| {
        let anne = with_anne(&w).await;
        let invited = json!({ "name": BO.0, "mail": BO.1 });
        anne.json(&w, "POST", "/accounts", invited, 201).await;
        // Wrong password, no password set yet, no such account, and no address at all.
        let mut answers = Vec::new();
        for mail in [ANNE.1, BO.1, "ingen@example.dk", "", "x\u{0}"] {
            let answer = try_sign_in(&w, mail, "forkert adgangskode").await.with(401);
            assert!(answer.header("set-cookie").is_empty());
            assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"begreb\"");
            answers.push((answer.body.clone(), answer.headers.clone()));
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "the same bytes");
        // Five attempts are free, then each waits twice as long; also where there is no account.
        for mail in [ANNE.1, "ingen@example.dk"] {
            for _ in 0..4 {
                try_sign_in(&w, mail, "forkert adgangskode").await.with(401);
            }
            let told = try_sign_in(&w, mail, PASSWORD).await.with(429);
            assert_eq!((told.code().as_str(), told.header("retry-after").as_str()), ("too-many-attempts", "1"));
        }
        w.clock.set("2026-11-22T12:00:01Z");
        try_sign_in(&w, ANNE.1, "forkert adgangskode").await.with(401);
        assert_eq!(try_sign_in(&w, ANNE.1, PASSWORD).await.with(429).header("retry-after"), "2");
        w.clock.set("2026-11-22T12:00:03Z");
        try_sign_in(&w, ANNE.1, PASSWORD).await.ok();
        try_sign_in(&w, ANNE.1, PASSWORD).await.ok();
        // The page says no more than the API.
        let fields = |mail| [("mail", mail), ("password", "forkert adgangskode")];
        let page = form(&w, "/sign-in", &fields("anden@example.dk"), SITE).await.with(401);
        let known = form(&w, "/sign-in", &fields(ANNE.1), SITE).await.with(401);
        assert_eq!(page.text().replace("anden@example.dk", ANNE.1), known.text());
        // One address that tries many accounts is slowed down, wherever it says that it is.
        let w = w.with_options(&HttpOptions { trust_forwarded: true, ..HttpOptions::default() });
        let from = async |n: usize, address: &str| {
            let body = json!({ "mail": format!("n{n}@example.dk"), "password": "x" }).to_string();
            w.post_as("/api/v1/sign-in", body, &[("x-forwarded-for", address)]).await.status
        };
        for n in 0..20 {
            assert_eq!(from(n, &format!("10.0.0.{n}, 192.0.2.1")).await, 401);
        }
        assert_eq!((from(20, "192.0.2.1").await, from(20, "192.0.2.2").await), (429, 401));
    })
    .await;
}

#[tokio::test]
async fn a_stranger_locks_nobody_out() {
    on_every_database(async |w| {
        with_anne(&w).await;
        let w = w.with_options(&HttpOptions { trust_forwarded: true, ..HttpOptions::default() });
        let from = async |address: &str, password: &str| {
            let body = json!({ "mail": ANNE.1, "password": password }).to_string();
            w.post_as("/api/v1/sign-in", body, &[("x-forwarded-for", address)]).await.status
        };
        for n in 0..8 {
            assert_eq!(from("192.0.2.1", "forkert adgangskode").await, if n < 5 { 401 } else { 429 });
        }
        assert_eq!(from("192.0.2.1", PASSWORD).await, 429, "who guesses waits");
        assert_eq!(from("192.0.2.2", PASSWORD).await, 200, "the person does not");
    })
    .await;
}

#[tokio::test]
async fn sessions_and_tokens_are_bounded() {
    on_every_database(async |w| {
        let anne = with_anne(&w).await;
        let wish = |n: usize| json!({ "name": format!("t{n}"), "commands": ["publish"], "days": 1 });
        for n in 0..50 {
            anne.json(&w, "POST", "/tokens", wish(n), 201).await;
        }
        let refused = anne.ask(&w, "POST", "/api/v1/tokens", &wish(50).to_string()).await.with(409);
        assert_eq!(refused.code(), "too-many-tokens");
        let tokens = anne.json(&w, "GET", "/tokens", Value::Null, 200).await;
        let one = tokens[7]["uuid"].as_str().expect("a uuid");
        anne.json(&w, "DELETE", &format!("/tokens/{one}"), Value::Null, 204).await;
        anne.json(&w, "POST", "/tokens", wish(50), 201).await;

        // 49 more without the work of as many passwords, and one through the door.
        let me = anne.json(&w, "GET", "/me", Value::Null, 200).await;
        let account = me["uuid"].as_str().expect("a uuid").parse().expect("a uuid");
        let (store, now) = (Store::open(&w.address).await.expect("it opens"), w.clock.now().micros());
        let mut write = store.write("test", w.clock.now()).await.expect("the lock is free");
        for n in 1..50_u8 {
            let at = |seconds: i64| Instant::from_micros(now + seconds * 1_000_000);
            let (created, expires) = (at(n.into()), at(3600));
            let session = Session { uuid: uuid::Uuid::from_u128(n.into()), account, created, expires };
            write.open_session(&session, Digest::of([n]), 50).await.expect("a row");
        }
        write.commit().await.expect("a commit");
        w.clock.set("2026-11-22T12:01:00Z");
        anne.json(&w, "GET", "/me", Value::Null, 200).await;
        let last = sign_in(&w, ANNE.1).await;
        assert_eq!(anne.ask(&w, "GET", "/api/v1/me", "").await.with(401).code(), "not-signed-in", "the oldest ended");
        let sessions = last.json(&w, "GET", "/me/sessions", Value::Null, 200).await;
        assert_eq!(sessions.as_array().map(Vec::len), Some(50));
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn lists_come_page_by_page() {
    on_every_database(async |w| {
        let anne = with_anne(&w).await;
        for n in 0..5 {
            anne.json(&w, "POST", "/organisations", json!({ "name": format!("o{n}") }), 201).await;
        }
        let (mut next, mut seen) = (Some("/api/v1/organisations?limit=2".to_owned()), Vec::new());
        while let Some(uri) = next {
            let answer = anne.ask(&w, "GET", &uri, "").await.ok();
            assert_eq!(answer.header("x-total-count"), "5");
            let page = answer.json();
            seen.extend(
                page.as_array().expect("a list").iter().map(|o| o["uuid"].as_str().expect("a uuid").to_owned()),
            );
            next = answer.header("link").strip_suffix(">; rel=\"next\"").map(|l| l.trim_start_matches('<').to_owned());
        }
        let all = anne.json(&w, "GET", "/organisations", Value::Null, 200).await;
        let all: Vec<_> = all.as_array().expect("a list").iter().map(|o| o["uuid"].as_str().expect("a uuid")).collect();
        assert_eq!((seen.len(), seen), (5, all.iter().map(ToString::to_string).collect::<Vec<_>>()));
        for list in ["organisations", "accounts", "groups", "grants", "tokens", "tokens?all=true", "me/sessions"] {
            let with =
                |parameter: &str| format!("/api/v1/{list}{}{parameter}", if list.contains('?') { '&' } else { '?' });
            let one = anne.ask(&w, "GET", &with("limit=1"), "").await.ok();
            assert!(one.json().as_array().is_some_and(|l| l.len() <= 1) && !one.header("x-total-count").is_empty());
            assert_eq!(anne.ask(&w, "GET", &with("limit=0"), "").await.with(400).code(), "invalid-parameter", "{list}");
            assert_eq!(anne.ask(&w, "GET", &with("cursor=x"), "").await.with(400).code(), "invalid-cursor", "{list}");
            assert_eq!(anne.ask(&w, "GET", &with("page=2"), "").await.with(400).code(), "unknown-parameter", "{list}");
        }
    })
    .await;
}

#[tokio::test]
async fn who_cannot_sign_in_does_not_administer() {
    on_every_database(async |w| {
        let anne = with_anne(&w).await;
        let made = anne.json(&w, "POST", "/accounts", json!({ "name": BO.0, "mail": BO.1 }), 201).await;
        let bo = made["account"]["uuid"].as_str().expect("a uuid");
        give(&w, &anne, bo, Role::Administrator, None).await;
        let me = anne.json(&w, "GET", "/me", Value::Null, 200).await;
        let mine = format!("/accounts/{}", me["uuid"].as_str().expect("a uuid"));
        let leave = anne.ask(&w, "PATCH", &format!("/api/v1{mine}"), "{\"active\":false}").await.with(409);
        assert_eq!(leave.code(), "last-administrator", "nobody else can get in");
        follow(&w, made["link"].as_str().expect("a link"), None).await.with(303);
        anne.json(&w, "PATCH", &mine, json!({ "active": false }), 200).await;
    })
    .await;
}

#[tokio::test]
async fn requests_in_somebody_elses_name_are_refused() {
    on_every_database(async |w| {
        let anne = with_anne(&w).await;
        let fields = [("mail", ANNE.1), ("password", PASSWORD)];
        let signed = form(&w, "/sign-in", &fields, SITE).await.with(303);
        assert_eq!(signed.header("location"), "/me");
        let cookie = signed.header("set-cookie");
        for part in ["begreb=", "; Path=/", "; HttpOnly", "; SameSite=Strict", "; Max-Age=43200"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains("Secure") && !cookie.contains("Domain"), "{cookie}");
        let evil = "https://evil.example";
        assert_eq!(form(&w, "/sign-in", &fields, evil).await.with(403).code(), "foreign-origin");
        assert_eq!(form(&w, "/sign-in", &fields, "null").await.with(403).code(), "foreign-origin");
        for origin in [None, Some(evil), Some("null"), Some("http://127.0.0.1:8081")] {
            let asked = As { origin, ..anne.clone() };
            for (method, uri) in [("POST", "/api/v1/sign-out"), ("POST", "/sign-out"), ("POST", "/api/v1/accounts")] {
                let refused = asked.ask(&w, method, uri, "{}").await.with(403);
                assert_eq!(refused.code(), "foreign-origin", "{origin:?} {uri}");
            }
            // Readings change nothing; another site's page can ask, and is not let to see the answer.
            let read = asked.ask(&w, "GET", "/api/v1/me", "").await.ok();
            assert_eq!(read.header("access-control-allow-origin"), "*");
            assert_eq!(read.header("access-control-allow-credentials"), "");
            assert_eq!(read.header("cache-control"), "no-store");
        }
        let preflight = [("origin", evil), ("access-control-request-method", "DELETE")];
        let preflight = w.ask("OPTIONS", "/api/v1/accounts", &preflight).await;
        assert_eq!(preflight.header("access-control-allow-credentials"), "");
        assert!(!preflight.header("access-control-allow-methods").contains("DELETE"));
        anne.json(&w, "GET", "/me", Value::Null, 200).await;
        let page = anne.ask(&w, "GET", "/me", "").await.ok();
        assert!(page.text().contains(ANNE.0) && page.header("content-security-policy").contains("form-action 'self'"));
        for strange in ["Basic eA==", "Bearer", "Bearer ", "x"] {
            let answer = w.ask("GET", "/api/v1/me", &[("authorization", strange), ("cookie", "begreb=x")]).await;
            assert_eq!(answer.with(401).code(), "not-signed-in", "{strange}");
        }
        // A body that cannot be read is not repeated.
        let answer = w.post("/api/v1/sign-in", "{\"mail\":\"a\",\"password\":[\"hemmelig\"]}").await.with(400);
        assert!(!answer.text().contains("hemmelig") && answer.code() == "invalid-body");
    })
    .await;
}

#[tokio::test]
async fn a_person_can_be_erased_and_the_log_stays_whole() {
    on_every_database(async |w| {
        with_vocabularies(&w).await;
        let anne = with_anne(&w).await;
        let bo = account(&w, &anne, BO).await;
        give(&w, &anne, &bo, Role::Publisher, Some("koder")).await;
        let group = json!({ "name": "Arbejdsgruppen", "kind": "workingGroup", "members": [bo] });
        let group = anne.json(&w, "POST", "/groups", group, 201).await;
        let grant = json!({ "group": group["uuid"], "role": "contributor" });
        anne.json(&w, "POST", "/grants", grant, 201).await;
        let session = sign_in(&w, BO.1).await;
        assert_eq!(session.json(&w, "GET", "/me", Value::Null, 200).await["roles"].as_array().unwrap().len(), 2);
        let made = session.json(&w, "POST", "/tokens", json!({ "name": "bos", "commands": ["publish"] }), 201).await;
        let token = As::token(made["secret"].as_str().expect("a secret"));
        token.ask(&w, "POST", &import("koder", "2"), FILE).await.with(201);

        // A backup carries people over, hashed, and neither sessions nor links.
        let mut backup = Vec::new();
        w.registry.backup(&mut backup).await.expect("a backup");
        for address in ["sqlite::memory:".to_owned()].into_iter().chain(begreb::testing::postgres_address().await) {
            let store = Store::open(&address).await.expect("a new database");
            store.restore(backup.as_slice()).await.expect("it is whole");
            let people = store.people().await.expect("people");
            assert_eq!(people, w.registry.people(&operator()).await.expect("people"));
            let digest = Secret::shown(made["secret"].as_str().unwrap()).digest();
            assert!(store.token(digest).await.expect("an answer").is_some());
            let bo = people.accounts.iter().find(|a| a.mail.as_str() == BO.1).expect("Bo");
            assert!(store.sessions(bo.uuid).await.expect("an answer").is_empty());
        }

        anne.json(&w, "DELETE", &format!("/accounts/{bo}"), Value::Null, 204).await;
        anne.json(&w, "GET", &format!("/accounts/{bo}"), Value::Null, 404).await;
        assert_eq!(session.ask(&w, "GET", "/api/v1/me", "").await.with(401).code(), "not-signed-in");
        assert_eq!(token.ask(&w, "POST", &import("koder", "3"), FILE).await.with(401).code(), "not-signed-in");
        let group =
            anne.json(&w, "GET", &format!("/groups/{}", group["uuid"].as_str().unwrap()), Value::Null, 200).await;
        assert_eq!(group["members"], json!([]));
        let store = Store::open(&w.address).await.expect("the database opens");
        for change in store.changes(0, 10_000).await.expect("the log") {
            let row = serde_json::to_string(&change).expect("JSON");
            for personal in ["Anne", "anne", "Bidrager", "bidrager", "argon2", "bos", made["secret"].as_str().unwrap()]
            {
                assert!(!row.contains(personal), "{row}");
            }
        }
        let verified = w.registry.verify().await.expect("all is whole");
        w.reopened().await.verify().await.expect("also after a new start");
        assert_eq!(verified.changes, w.position().await);

        // What was given is not changed on the way, and a right that nobody gave is found.
        let stretched = "UPDATE granted SET vocabulary = NULL";
        let grants = "INSERT INTO granted (uuid, account, role)
            SELECT '00000000-0000-4000-8000-000000000001', uuid, 'publisher' FROM account";
        match w.database {
            "sqlite" => {
                let mut c = <sqlx::SqliteConnection as sqlx::Connection>::connect(&w.address).await.expect("it opens");
                let refused = sqlx::raw_sql(stretched).execute(&mut c).await.expect_err("it is guarded");
                assert!(refused.to_string().contains("never changed"), "{refused}");
                sqlx::raw_sql(grants).execute(&mut c).await.expect("a row");
            }
            _ => {
                let mut c = <sqlx::PgConnection as sqlx::Connection>::connect(&w.address).await.expect("it answers");
                let refused = sqlx::raw_sql(stretched).execute(&mut c).await.expect_err("it is guarded");
                assert!(refused.to_string().contains("never changed"), "{refused}");
                sqlx::raw_sql(grants).execute(&mut c).await.expect("a row");
            }
        }
        let found = w.registry.verify().await.expect_err("the log does not tell it");
        assert!(found.en.contains("grant 00000000-0000-4000-8000-000000000001"), "{found}");
    })
    .await;
}

/// What is done to two accounts, a group and a vocabulary.
#[derive(Clone, Copy, Debug)]
enum Step {
    Give { to: u8, role: usize, vocabulary: u8 },
    Take(usize),
    Join(u8),
    Leave(u8),
    Active(u8, bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..3_u8, 0..Role::ALL.len(), 0..3_u8).prop_map(|(to, role, vocabulary)| Step::Give { to, role, vocabulary }),
        2 => (0..8_usize).prop_map(Step::Take),
        1 => (0..2_u8).prop_map(Step::Join),
        1 => (0..2_u8).prop_map(Step::Leave),
        2 => (0..3_u8, any::<bool>()).prop_map(|(who, active)| Step::Active(who, active)),
    ];
    proptest::collection::vec(step, 1..14)
}

#[test]
fn no_sequence_gives_more_than_the_grants_say() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(20));
    let done = runner.run(&steps(), |steps| {
        runtime.block_on(async {
            // Too many databases for a server: the rules are the same there.
            let w = World::open("sqlite").await.expect("a world");
            walk(&w, &steps).await;
        });
        Ok(())
    });
    done.expect("no sequence does");
}

/// A token that carries all that a token can.
async fn token_for(w: &World, account: uuid::Uuid) -> Secret {
    let commands = RIGHTS.iter().filter(|r| r.token).map(|r| r.command).collect();
    let request = TokenRequest { name: "t".parse().unwrap(), commands, vocabularies: None, days: None };
    Secret::shown(&w.registry.create_token(&operator(), Some(account), request).await.unwrap().secret)
}

async fn walk(w: &World, steps: &[Step]) {
    use begreb::registry::{AccountChange, GroupChange, GroupRequest};
    with_vocabularies(w).await;
    let (r, o) = (&w.registry, operator());
    let mut accounts = Vec::new();
    let mut tokens = Vec::new();
    for name in ["a", "b"] {
        let mail = format!("{name}@example.dk").parse().unwrap();
        let request = AccountRequest { name: name.parse().unwrap(), mail, organisation: None };
        let account = r.create_account(&o, request).await.unwrap().account.uuid;
        tokens.push(token_for(w, account).await);
        accounts.push(account);
    }
    let group = "g".parse().unwrap();
    let group = GroupRequest { name: group, kind: begreb::model::GroupKind::Committee, members: BTreeSet::new() };
    let group = r.create_group(&o, group).await.unwrap().uuid;
    let snapshot = r.snapshot();
    let vocabularies: Vec<_> = snapshot.planes().iter().map(|p| p.vocabulary().clone()).collect();
    let slugs: Vec<_> = vocabularies.iter().map(|v| v.slug().clone()).collect();
    // What the steps say, kept beside: grants by receiver (0 and 1 the accounts, 2 the group).
    let mut given: BTreeMap<uuid::Uuid, (u8, Role, Option<usize>)> = BTreeMap::new();
    let (mut members, mut active) = (BTreeSet::new(), [true; 3]);
    for step in steps {
        match *step {
            Step::Give { to, role, vocabulary } => {
                let (role, v) = (Role::ALL[role], (vocabulary < 2).then_some(usize::from(vocabulary)));
                let account = accounts.get(usize::from(to)).copied();
                let slug = v.map(|v| slugs[v].clone());
                let request =
                    GiveRequest { account, group: account.is_none().then_some(group), role, vocabulary: slug };
                match r.give(&o, request).await {
                    Ok(grant) => drop(given.insert(grant.uuid, (to, role, v))),
                    Err(_) => assert!(role == Role::Administrator && v.is_some()),
                }
            }
            Step::Take(n) => {
                if let Some(uuid) = given.keys().nth(n).copied() {
                    r.take(&o, uuid).await.unwrap();
                    given.remove(&uuid);
                }
            }
            Step::Join(n) | Step::Leave(n) => {
                if matches!(step, Step::Join(_)) {
                    members.insert(n)
                } else {
                    members.remove(&n)
                };
                let members = members.iter().map(|m: &u8| accounts[usize::from(*m)]).collect();
                let change = GroupChange { members: Some(members), ..GroupChange::default() };
                r.change_group(&o, group, change).await.unwrap();
            }
            Step::Active(who, is) => {
                active[usize::from(who)] = is;
                if let Some(account) = accounts.get(usize::from(who)) {
                    let change = AccountChange { active: Some(is), ..AccountChange::default() };
                    r.change_account(&o, *account, change).await.unwrap();
                    // Its token was revoked; it gets a new one when it is let in again.
                    if is {
                        tokens[usize::from(who)] = token_for(w, *account).await;
                    }
                } else {
                    let change = GroupChange { active: Some(is), ..GroupChange::default() };
                    r.change_group(&o, group, change).await.unwrap();
                }
            }
        }
        for (n, token) in tokens.iter().enumerate() {
            let n = u8::try_from(n).unwrap();
            let actor = match r.by_token(token).await {
                Ok(actor) => actor,
                Err(_) => {
                    assert!(!active[usize::from(n)], "{steps:?}");
                    Actor::Public
                }
            };
            for right in RIGHTS {
                for (i, v) in vocabularies.iter().enumerate() {
                    let has = |(to, role, of): &(u8, Role, Option<usize>)| {
                        let reaches = right.about == About::People || of.is_none_or(|of| of == i);
                        let mine = *to == n || (*to == 2 && members.contains(&n) && active[2]);
                        mine && reaches && right.roles.contains(role)
                    };
                    let own = right.about == About::Oneself;
                    let expected = active[usize::from(n)] && right.token && (own || given.values().any(has));
                    let may = permit(&actor, right.command, Some(v)).is_ok();
                    assert_eq!(may, expected, "{n} {:?} {} after {steps:?}", right.command, v.slug());
                }
            }
        }
    }
    r.verify().await.expect("all is whole");
}

/// A form of files as browsers send it.
fn form_of(files: &[(&str, &str)]) -> String {
    let part = |(name, text): &(&str, &str)| {
        format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n{text}\r\n")
    };
    files.iter().map(part).collect::<String>() + "--x--\r\n"
}

#[tokio::test]
async fn a_file_comes_with_who_is_who() {
    on_every_database(async |w| {
        with_vocabularies(&w).await;
        let admin = with_anne(&w).await;
        let bo = account(&w, &admin, BO).await;
        give(&w, &admin, &bo, Role::Publisher, None).await;
        let secret = token_for(&w, bo.parse().expect("a uuid")).await;
        let send = async |files: &[(&str, &str)]| {
            let request = Request::post(import("koder", "2"))
                .header("authorization", format!("Bearer {}", secret.expose()))
                .header("content-type", "multipart/form-data; boundary=x");
            w.send(request.body(Body::from(form_of(files))).expect("a request")).await
        };
        let a = w.json("/api/v1/vocabularies/koder/concepts/A").await["uuid"].as_str().unwrap().to_owned();
        let file = "notation,preferred.da\nA1,a\nB,b\n";
        for (files, code) in [
            (&[("identity", "code,uuid\n")][..], "invalid-body"),
            (&[("file", file), ("file", file)], "invalid-body"),
            (&[("file", file), ("other", "")], "invalid-body"),
            (&[("file", file), ("identity", "code,uuid\nA1,x\n")], "invalid-identifier"),
        ] {
            assert_eq!(send(files).await.with(400).code(), code, "{files:?}");
        }
        let pairs = format!("code,uuid\nA1,{a}\n");
        let done = send(&[("file", file), ("identity", &pairs)]).await.with(201).json();
        assert_eq!((&done["manifest"]["added"], &done["manifest"]["retired"]), (&json!(0), &json!(0)), "{done}");
        let renamed = w.json("/api/v1/vocabularies/koder/concepts/A1").await;
        assert_eq!(renamed["uuid"], json!(a));
    })
    .await;
}
