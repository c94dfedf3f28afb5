//! Signing in at a real OpenID provider (npm's oidc-provider, which these tests start) through the front door: as a
//! browser does, over the provider's own forms; and everything that must be refused on the way.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Request};
use begreb::exchange::Format;
use begreb::model::{Digest, Role, Secret};
use begreb::oidc::{MailProof, OrganisationMap, OrganisationTarget, ProviderSettings, RoleMap, RoleTarget};
use begreb::registry::{AccountChange, AccountRequest, GiveRequest, OrganisationChange};
use begreb::store::Store;
use common::{Answer, World, edition, operator};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use uuid::Uuid;

const SITE: &str = "http://127.0.0.1:8080";
/// How long the provider may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(60);
const MAIL: &str = "anne.aerlig@example.dk";

/// A provider, gone with the test.
struct Idp {
    process: Child,
    issuer: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Drop for Idp {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The provider with what npm installs for it, in a folder of its own beside what cargo builds. Installed once for each
/// lock file; tests that run beside each other wait for the one that does.
fn installed() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc");
    let lock = fs::read_to_string(source.join("package-lock.json")).expect("it is in the project");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("oidc-{}", &Digest::of(lock).to_string()[..16]));
    fs::create_dir_all(&folder).expect("a folder can be made");
    let turn = fs::File::create(folder.join("turn")).expect("a file can be made");
    turn.lock().expect("the file can be locked");
    for file in ["package.json", "package-lock.json", "provider.mjs"] {
        fs::copy(source.join(file), folder.join(file)).expect("a copy");
    }
    let done = folder.join("installed");
    if !done.exists() {
        let npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&folder)
            .stdin(Stdio::null())
            .output()
            .expect("these tests need node and npm: npm is not on PATH");
        let why = String::from_utf8_lossy(&npm.stderr).into_owned();
        assert!(npm.status.success(), "npm could not install the OpenID provider (is its registry in reach?):\n{why}");
        fs::write(done, "").expect("a file can be made");
    }
    folder
}

impl Idp {
    fn start() -> Self {
        let mut process = Command::new("node")
            .args(["provider.mjs", &format!("{SITE}/sign-in/test/callback")])
            .current_dir(installed())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need node: it is not on PATH");
        let out = process.stdout.take().expect("it is piped");
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let said = BufReader::new(out).lines().map_while(Result::ok).find(|line| line.starts_with('{'));
            let _ = tell.send(said);
        });
        let said = told.recv_timeout(PATIENCE).ok().flatten();
        let said = said.expect("the provider starts; try: node tests/oidc/provider.mjs");
        let said: Value = serde_json::from_str(&said).expect("a line of JSON");
        let issuer = said["issuer"].as_str().expect("an issuer").to_owned();
        Self { process, issuer, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// How we are set up to ask it.
    fn settings(&self) -> ProviderSettings {
        ProviderSettings {
            name: "test".parse().expect("a slug"),
            da: "Prøvelogin".parse().expect("a name"),
            en: "Test sign-in".parse().expect("a name"),
            issuer: self.issuer.clone(),
            client_id: "begreb".into(),
            client_secret: Some(Secret::shown("a secret of the test and of no one else")),
            scopes: vec!["email".into(), "profile".into()],
            mail_claim: "email".into(),
            name_claim: "name".into(),
            mail_proof: MailProof::Claim,
            create: true,
            organisation: None,
            roles: None,
        }
    }

    async fn ask(&self, method: &str, uri: &str, cookies: &str, body: String) -> (u16, HeaderMap, String) {
        let request = Request::builder().method(method).uri(uri).header(COOKIE, cookies);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.body(Full::from(body)).expect("a request");
        let answered = tokio::time::timeout(PATIENCE, self.client.request(request)).await;
        let response = answered.expect("the provider answers in time").expect("the provider answers");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("the answer is whole").to_bytes();
        (head.status.as_u16(), head.headers, String::from_utf8_lossy(&body).into_owned())
    }

    /// Sets people and mode.
    async fn control(&self, what: Value) {
        let done = self.ask("POST", &format!("{}/control", self.issuer), "", what.to_string()).await;
        assert_eq!(done.0, 200);
    }

    /// Sets who there is: one person, `anne`, with claims beside name and mail address.
    async fn anne(&self, claims: Value) {
        let mut anne = json!({ "name": "Anne Ærlig", "email": MAIL, "email_verified": true });
        for (name, value) in claims.as_object().expect("claims") {
            anne[name] = value.clone();
        }
        self.control(json!({ "mode": "honest", "people": { "anne": anne } })).await;
    }

    async fn mode(&self, mode: &str) {
        self.control(json!({ "mode": mode })).await;
    }

    /// Sets the clock of a world to the provider's, some seconds off: tokens are made at its time.
    async fn clock(&self, w: &World, off: i64) {
        let (_, headers, _) = self.ask("POST", &format!("{}/control", self.issuer), "", "{}".into()).await;
        let date = headers["date"].to_str().expect("a date");
        let date = jiff::fmt::rfc2822::parse(date).expect("a date").timestamp();
        w.clock.set(&(date + jiff::SignedDuration::from_secs(off)).to_string());
    }

    /// What a person does there: signs in and consents. Answers with where they are sent back to.
    async fn walk(&self, address: &str, login: &str) -> String {
        let mut cookies: BTreeMap<String, String> = BTreeMap::new();
        let (mut method, mut uri, mut body) = ("GET", address.to_owned(), String::new());
        for _ in 0..12 {
            let sent: Vec<String> = cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            let (status, headers, page) = self.ask(method, &uri, &sent.join("; "), std::mem::take(&mut body)).await;
            keep(&mut cookies, &headers);
            if status == 303 || status == 302 {
                let to = headers[LOCATION].to_str().expect("an address").to_owned();
                if to.starts_with(SITE) {
                    return to;
                }
                (method, uri) = ("GET", if to.starts_with('/') { format!("{}{to}", self.issuer) } else { to });
                continue;
            }
            assert_eq!(status, 200, "{uri}: {page}");
            let action = page.split("action=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a form");
            uri = if action.starts_with('/') { format!("{}{action}", self.issuer) } else { action.to_owned() };
            let is_login = page.contains("value=\"login\"");
            body = if is_login { format!("prompt=login&login={login}&password=x") } else { "prompt=consent".into() };
            method = "POST";
        }
        panic!("the provider never came to an end");
    }
}

fn keep(cookies: &mut BTreeMap<String, String>, headers: &HeaderMap) {
    for cookie in headers.get_all(SET_COOKIE) {
        let text = cookie.to_str().expect("it is ASCII");
        let (name, value) = text.split(';').next().and_then(|c| c.split_once('=')).expect("a cookie");
        if value.is_empty() || text.contains("Max-Age=0") {
            cookies.remove(name);
        } else {
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// A browser, as far as our site sees it.
#[derive(Default)]
struct Browser(BTreeMap<String, String>);

impl Browser {
    async fn get(&mut self, w: &World, uri: &str) -> Answer {
        let sent: Vec<String> = self.0.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let headers = [("cookie", sent.join("; ")), ("accept-language", "en".to_owned())];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let answer = w.ask("GET", uri, &headers).await;
        keep(&mut self.0, &answer.headers);
        answer
    }

    /// To the provider and back; answers with the address of the way back, not asked for yet.
    async fn go(&mut self, w: &World, idp: &Idp, login: &str) -> String {
        idp.clock(w, 0).await;
        let left = self.get(w, "/sign-in/test").await.with(303);
        let back = idp.walk(&left.header("location"), login).await;
        back.strip_prefix(SITE).expect("it leads to us").to_owned()
    }

    /// All the way.
    async fn sign_in(&mut self, w: &World, idp: &Idp, login: &str) -> Answer {
        let back = self.go(w, idp, login).await;
        self.get(w, &back).await
    }

    async fn me(&mut self, w: &World) -> Value {
        self.get(w, "/api/v1/me").await.ok().json()
    }
}

/// Signs in with a new browser, which must succeed; what is said of oneself then.
async fn signed_in(w: &World, idp: &Idp, login: &str) -> Value {
    let mut browser = Browser::default();
    browser.sign_in(w, idp, login).await.ok();
    browser.me(w).await
}

/// Signs in with a new browser, which must be refused.
async fn refused(w: &World, idp: &Idp, login: &str, status: u16) -> String {
    let mut browser = Browser::default();
    let code = browser.sign_in(w, idp, login).await.with(status).code();
    assert!(!browser.0.contains_key("begreb"), "no session");
    code
}

/// Runs a test on every database, with one provider.
async fn with_provider(change: impl Fn(&mut ProviderSettings), mut test: impl AsyncFnMut(World, &Idp)) {
    let idp = Idp::start();
    for database in ["sqlite", "postgres"] {
        let Some(w) = World::open(database).await else { continue };
        let mut settings = idp.settings();
        change(&mut settings);
        idp.anne(json!({})).await;
        idp.clock(&w, 0).await;
        let w = w.with_providers(vec![settings]).await;
        eprintln!("on {database}: {}", w.address);
        test(w, &idp).await;
    }
}

async fn account(w: &World, mail: &str) -> Uuid {
    let (name, mail) = ("Anne Allerede".parse().expect("a name"), mail.parse().expect("an address"));
    let request = AccountRequest { name, mail, organisation: None };
    w.registry.create_account(&operator(), request).await.expect("it is lawful").account.uuid
}

async fn give(w: &World, account: Uuid, role: Role, vocabulary: Option<&str>) {
    let vocabulary = vocabulary.map(|v| v.parse().expect("a slug"));
    let request = GiveRequest { account: Some(account), group: None, role, vocabulary };
    w.registry.give(&operator(), request).await.expect("it is lawful");
}

/// The roles in `/me`, as `role` or `role@vocabulary`.
fn roles(me: &Value) -> Vec<String> {
    let role = |r: &Value| match r["vocabulary"].as_str() {
        Some(v) => format!("{}@{v}", r["role"].as_str().expect("a role")),
        None => r["role"].as_str().expect("a role").to_owned(),
    };
    me["roles"].as_array().expect("roles").iter().map(role).collect()
}

fn role(value: &str, role: Role, vocabulary: Option<&str>) -> (String, RoleTarget) {
    (value.to_owned(), RoleTarget { role, vocabulary: vocabulary.map(|v| v.parse().expect("a slug")) })
}

fn mapped(settings: &mut ProviderSettings) {
    let values = vec![
        role("editors", Role::Publisher, Some("koder")),
        role("editors", Role::Contributor, None),
        role("lost", Role::Publisher, Some("ukendt")),
        role("admins", Role::Administrator, None),
    ];
    settings.roles = Some(RoleMap { claim: "realm_access.roles".into(), values });
    let values = [
        ("751".to_owned(), OrganisationTarget::Name("Aarhus Kommune".parse().expect("a name"))),
        ("0".to_owned(), OrganisationTarget::Uuid(Uuid::max())),
    ];
    settings.organisation = Some(OrganisationMap { claim: "org".into(), values: values.into() });
}

#[tokio::test]
async fn the_first_sign_in_makes_an_account_and_the_second_finds_it() {
    with_provider(
        |_| {},
        async |w, idp| {
            let mut browser = Browser::default();
            let page = browser.get(&w, "/sign-in").await.ok();
            assert!(page.text().contains("href=\"/sign-in/test\"") && page.text().contains("Test sign-in"));
            let danish = w.get("/sign-in").await.ok();
            assert!(danish.text().contains("Prøvelogin"));

            let left = browser.get(&w, "/sign-in/test?next=/id/koder%3Fdate%3D2024-01-01").await.with(303);
            let kept = left.header("set-cookie");
            assert!(kept.contains("HttpOnly; SameSite=Lax; Max-Age=600"), "{kept}");
            let to = left.header("location");
            for part in ["response_type=code", "code_challenge_method=S256", "code_challenge=", "nonce=", "state="] {
                assert!(to.contains(part), "{part} in {to}");
            }
            assert!(to.starts_with(&format!("{}/auth?", idp.issuer)) && to.contains("scope=openid+email+profile"));
            let back = idp.walk(&to, "anne").await;
            let arrived = browser.get(&w, back.strip_prefix(SITE).unwrap()).await.ok();
            // A page and no redirect: the session's cookie is SameSite=Strict.
            let on = "content=\"0; url=/id/koder?date=2024-01-01\"";
            assert!(arrived.text().contains(on), "{}", arrived.text());
            assert!(arrived.header("set-cookie").contains("begreb-sign-in=; Path=/"));
            assert!(arrived.header("set-cookie").contains("SameSite=Strict; Max-Age=43200"));
            let me = browser.me(&w).await;
            assert_eq!((&me["mail"], &me["name"]), (&json!(MAIL), &json!("Anne Ærlig")));
            assert_eq!(roles(&me), [""; 0], "an account is nothing more");

            // Found by issuer and subject: also with another mail address, and none that is proven.
            idp.anne(json!({ "email": "other@example.dk", "email_verified": false })).await;
            let again = signed_in(&w, idp, "anne").await;
            assert_eq!((&again["uuid"], &again["mail"]), (&me["uuid"], &json!(MAIL)));

            // No password was set: nobody gets in by one.
            let local = w.post("/api/v1/sign-in", json!({ "mail": MAIL, "password": "" }).to_string()).await;
            assert_eq!(local.with(401).code(), "wrong-credentials");
            // Signing out ends the session here.
            let cookie = format!("begreb={}", browser.0["begreb"]);
            let headers = [("cookie", cookie.as_str()), ("origin", SITE)];
            w.ask("POST", "/api/v1/sign-out", &headers).await.with(204);
            assert_eq!(browser.get(&w, "/api/v1/me").await.with(401).code(), "not-signed-in");

            // The log names the account and nobody.
            let log =
                Store::open(&w.address).await.expect("the database opens").changes(0, 1000).await.expect("the log");
            let linked = log.iter().filter(|c| c.kind == "identity.linked").collect::<Vec<_>>();
            assert_eq!(linked.len(), 1);
            assert!(linked[0].body.contains(me["uuid"].as_str().unwrap()));
            for change in &log {
                let row = format!("{change:?}").to_lowercase();
                assert!(!row.contains("anne") && !row.contains("example.dk") && !row.contains(&idp.issuer), "{row}");
            }
            w.registry.verify().await.expect("all is whole");

            // A backup has the identities with it.
            let mut backup = Vec::new();
            w.registry.backup(&mut backup).await.expect("it can be written");
            let copy = World::open("sqlite").await.expect("a database");
            let store = Store::open(&copy.address).await.expect("the database opens");
            store.restore(backup.as_slice()).await.expect("it is whole");
            let copy = copy.with_providers(vec![idp.settings()]).await;
            assert_eq!(signed_in(&copy, idp, "anne").await["uuid"], me["uuid"]);
            copy.registry.verify().await.expect("all is whole");
        },
    )
    .await;
}

#[tokio::test]
async fn an_account_is_linked_by_a_proven_mail_address_alone() {
    with_provider(
        |_| {},
        async |w, idp| {
            let there = account(&w, "anne.aerlig@EXAMPLE.dk").await;
            for unproven in [json!({ "email_verified": false }), json!({ "email_verified": null })] {
                idp.anne(unproven).await;
                assert_eq!(refused(&w, idp, "anne", 403).await, "mail-unproven");
            }
            for missing in [json!({ "email": null }), json!({ "email": "" }), json!({ "email": "no address" })] {
                idp.anne(missing).await;
                assert_eq!(refused(&w, idp, "anne", 403).await, "mail-unproven");
            }
            // Nor is an account made that would wait for the owner of the address.
            idp.anne(json!({ "email": "nobody@example.dk", "email_verified": false })).await;
            assert_eq!(refused(&w, idp, "anne", 403).await, "mail-unproven");
            assert_eq!(w.registry.people(&operator()).await.expect("people").accounts.len(), 1);

            idp.anne(json!({})).await;
            let me = signed_in(&w, idp, "anne").await;
            assert_eq!((&me["uuid"], &me["name"]), (&json!(there), &json!("Anne Allerede")));

            // The address passes to somebody else at the provider: not the account with it.
            let heir = json!({ "heir": { "name": "Arving", "email": MAIL, "email_verified": true } });
            idp.control(json!({ "people": heir })).await;
            assert_eq!(refused(&w, idp, "heir", 409).await, "exists");
            w.registry.verify().await.expect("all is whole");
        },
    )
    .await;
}

#[tokio::test]
async fn no_account_is_made_where_none_shall_be() {
    with_provider(
        |s| {
            s.create = false;
            s.mail_proof = MailProof::Trusted;
        },
        async |w, idp| {
            idp.anne(json!({ "email_verified": false })).await;
            assert_eq!(refused(&w, idp, "anne", 403).await, "no-account");
            let there = account(&w, MAIL).await;
            assert_eq!(signed_in(&w, idp, "anne").await["uuid"], json!(there), "the provider is trusted");
        },
    )
    .await;
}

#[tokio::test]
async fn roles_and_organisation_agree_with_the_claims() {
    with_provider(mapped, async |w, idp| {
        let file = b"notation,preferred.da\nA,a\n";
        w.import(edition("koder", Format::Csv, file, "1", "2020-01-01")).await.expect("it is lawful");
        let there = account(&w, MAIL).await;
        give(&w, there, Role::Reader, None).await;
        give(&w, there, Role::Contributor, None).await;

        let editor = json!({ "org": "751", "realm_access": { "roles": ["editors", "lost", "nothing"] } });
        idp.anne(editor.clone()).await;
        let me = signed_in(&w, idp, "anne").await;
        assert_eq!(roles(&me), ["contributor", "publisher@koder", "reader"]);
        let people = w.registry.people(&operator()).await.expect("people");
        let name = people.organisations[0].name.as_str();
        assert_eq!((people.organisations.len(), name), (1, "Aarhus Kommune"));
        assert_eq!(me["organisation"], json!(people.organisations[0].uuid));
        let given = w.registry.grants(&operator()).await.expect("grants");
        assert_eq!(given.iter().filter(|g| g.origin.as_deref() == Some("test")).count(), 2);

        // Once more: nothing changes, and nothing is told.
        let before = w.position().await;
        signed_in(&w, idp, "anne").await;
        assert_eq!(w.position().await, before);

        // Given by hand beside the provider's, it is there twice and stays once.
        give(&w, there, Role::Publisher, Some("koder")).await;
        let admin = json!({ "org": "0", "realm_access": { "roles": "admins" } });
        idp.anne(admin).await;
        let me = signed_in(&w, idp, "anne").await;
        assert_eq!(roles(&me), ["administrator", "contributor", "publisher@koder", "reader"]);
        assert_eq!(me["organisation"], json!(people.organisations[0].uuid), "there is no such organisation");

        // The last administrator does not go by a claim; nor does she get in as what she is no longer.
        idp.anne(editor).await;
        assert_eq!(refused(&w, idp, "anne", 409).await, "last-administrator");
        let other = account(&w, "bo@example.dk").await;
        give(&w, other, Role::Administrator, None).await;
        assert_eq!(refused(&w, idp, "anne", 409).await, "last-administrator", "the other one has no way in");
        let password = begreb::model::Password::new("korrekt hest batteri").expect("a password");
        w.registry.set_password(&operator(), other, &password).await.expect("it is lawful");
        assert_eq!(roles(&signed_in(&w, idp, "anne").await), ["contributor", "publisher@koder", "reader"]);

        // No claim, no roles: what was given by hand stays.
        idp.anne(json!({})).await;
        assert_eq!(roles(&signed_in(&w, idp, "anne").await), ["contributor", "publisher@koder", "reader"]);
        let given = w.registry.grants(&operator()).await.expect("grants");
        assert!(given.iter().all(|g| g.origin.is_none()), "{given:?}");
        w.registry.verify().await.expect("all is whole");

        // A role that is in no map is nobody's, whatever it is called.
        idp.anne(json!({ "realm_access": { "roles": ["administrator", "publisher"] }, "roles": ["admins"] })).await;
        assert!(!roles(&signed_in(&w, idp, "anne").await).contains(&"administrator".to_owned()));

        // A provider that hides the claims takes nothing.
        idp.anne(json!({ "realm_access": { "roles": ["editors"] } })).await;
        signed_in(&w, idp, "anne").await;
        let before = w.position().await;
        idp.mode("no-info").await;
        assert_eq!(refused(&w, idp, "anne", 503).await, "provider-unreachable");
        idp.mode("foreign-info").await;
        assert_eq!(refused(&w, idp, "anne", 401).await, "provider-token");
        assert_eq!(w.position().await, before);
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_for_one_browser_and_one_time() {
    with_provider(
        |_| {},
        async |w, idp| {
            // Used once, with all that the browser had kept.
            let mut browser = Browser::default();
            let back = browser.go(&w, idp, "anne").await;
            let kept = browser.0.clone();
            browser.get(&w, &back).await.ok();
            assert_eq!(Browser(kept).get(&w, &back).await.with(403).code(), "sign-in-used");
            assert_eq!(browser.get(&w, &back).await.with(403).code(), "sign-in-state", "nothing is kept any more");

            // Another's answer, and none that anybody asked for.
            let mut victim = Browser::default();
            let mine = victim.go(&w, idp, "anne").await;
            let theirs = Browser::default().go(&w, idp, "anne").await;
            let kept = victim.0.clone();
            assert_eq!(victim.get(&w, &theirs).await.with(403).code(), "sign-in-state");
            assert_eq!(Browser::default().get(&w, &mine).await.with(403).code(), "sign-in-state");
            let twice = format!("{mine}&state=x");
            for odd in ["/sign-in/test/callback", "/sign-in/test/callback?code=x", twice.as_str()] {
                assert_eq!(Browser(kept.clone()).get(&w, odd).await.with(403).code(), "sign-in-state", "{odd}");
            }
            let mixed = mine.replace("iss=http", "iss=https");
            assert!(mixed != mine, "the provider says who it is");
            assert_eq!(Browser(kept.clone()).get(&w, &mixed).await.with(403).code(), "sign-in-state");
            // What was kept, changed.
            let mut changed = kept.clone();
            let cookie = changed.get_mut("begreb-sign-in").expect("it is kept");
            *cookie = format!("{}.{}", cookie.rsplit_once('.').expect("parts").0, "L2V2aWw");
            assert_eq!(Browser(changed).get(&w, &mine).await.with(403).code(), "sign-in-state");

            // A code that the provider does not know.
            let forged = mine.replace("code=", "code=x");
            assert_eq!(Browser(kept.clone()).get(&w, &forged).await.with(403).code(), "provider-refused");
            // The provider, or the person, said no; in words for whoever reads pages.
            let state = mine.split("state=").nth(1).and_then(|s| s.split('&').next()).expect("a state");
            let no = format!("/sign-in/test/callback?error=access_denied&error_description=%3Cb%3Enej&state={state}");
            assert_eq!(Browser(kept.clone()).get(&w, &no).await.with(403).code(), "provider-refused");
            let cookie = format!("begreb-sign-in={}", kept["begreb-sign-in"]);
            let html = [("cookie", cookie.as_str()), ("accept", "text/html,*/*;q=0.8")];
            let page = w.ask("GET", &no, &html).await.with(403);
            assert!(
                page.header("content-type").starts_with("text/html") && page.header("set-cookie").contains("Max-Age=0")
            );
            let text = page.text();
            assert!(text.contains("lod dig ikke komme ind") && !text.contains("<b>") && text.contains("/sign-in/test"));

            // Too late.
            idp.clock(&w, 600).await;
            assert_eq!(Browser(kept.clone()).get(&w, &mine).await.with(403).code(), "sign-in-state");
            idp.clock(&w, 0).await;
            Browser(kept).get(&w, &mine).await.ok();
            assert_eq!(w.get("/sign-in/other").await.with(404).code(), "unknown-provider");
            assert_eq!(w.get("/sign-in/other/callback").await.with(404).code(), "unknown-provider");
        },
    )
    .await;
}

#[tokio::test]
async fn a_token_must_prove_who_it_is() {
    with_provider(
        |_| {},
        async |w, idp| {
            for mode in [
                "other-key",
                "unknown-key",
                "wrong-nonce",
                "no-nonce",
                "wrong-audience",
                "wrong-issuer",
                "expired",
                "from-the-future",
                "unsigned",
                "by-secret",
                "no-token",
            ] {
                idp.mode(mode).await;
                eprintln!("  {mode}");
                assert_eq!(refused(&w, idp, "anne", 401).await, "provider-token", "{mode}");
            }
            assert_eq!(w.position().await, 0, "nothing was done");

            // By our clock it has run out: it lasts two minutes there, and ours is a minute's grace beyond.
            idp.mode("honest").await;
            let mut browser = Browser::default();
            let back = browser.go(&w, idp, "anne").await;
            idp.clock(&w, 190).await;
            assert_eq!(browser.get(&w, &back).await.with(401).code(), "provider-token");
            signed_in(&w, idp, "anne").await;

            // The provider changes its keys: they are asked for again, but not for every token that is wrong.
            idp.mode("rotated").await;
            assert_eq!(refused(&w, idp, "anne", 401).await, "provider-token");
            let mut browser = Browser::default();
            let back = browser.go(&w, idp, "anne").await;
            idp.clock(&w, 40).await;
            browser.get(&w, &back).await.ok();
        },
    )
    .await;
}

#[tokio::test]
async fn who_was_let_out_stays_out() {
    with_provider(
        |_| {},
        async |w, idp| {
            let me = signed_in(&w, idp, "anne").await;
            let uuid: Uuid = me["uuid"].as_str().expect("a uuid").parse().expect("a uuid");
            let change = |active| AccountChange { active: Some(active), ..AccountChange::default() };
            w.registry.change_account(&operator(), uuid, change(false)).await.expect("it is lawful");
            assert_eq!(refused(&w, idp, "anne", 403).await, "account-closed");
            w.registry.change_account(&operator(), uuid, change(true)).await.expect("it is lawful");
            signed_in(&w, idp, "anne").await;

            let organisation = w.registry.create_organisation(&operator(), "O".parse().unwrap()).await.expect("lawful");
            let change = AccountChange { organisation: Some(Some(organisation.uuid)), ..AccountChange::default() };
            w.registry.change_account(&operator(), uuid, change).await.expect("it is lawful");
            let closed = OrganisationChange { active: Some(false), ..OrganisationChange::default() };
            w.registry.change_organisation(&operator(), organisation.uuid, closed).await.expect("it is lawful");
            assert_eq!(refused(&w, idp, "anne", 403).await, "account-closed");

            // Erased, nothing of the person is left: whoever comes is somebody new.
            w.registry.erase_account(&operator(), uuid).await.expect("it is lawful");
            assert!(w.registry.people(&operator()).await.expect("people").identities.is_empty());
            w.registry.verify().await.expect("all is whole");
            assert_ne!(signed_in(&w, idp, "anne").await["uuid"], json!(uuid));
        },
    )
    .await;
}

#[tokio::test]
async fn nobody_is_led_elsewhere() {
    with_provider(
        |_| {},
        async |w, _| {
            for next in [
                "https://evil.example",
                "//evil.example",
                "/%5Cevil.example",
                "%5C%5Cevil.example",
                "/%09/evil.example",
                "/%0a/evil.example",
                "%20/me",
                "javascript:alert(1)",
                "me",
                "",
            ] {
                let answer = w.get(&format!("/sign-in/test?next={next}")).await.with(400);
                assert_eq!((answer.code().as_str(), answer.header("set-cookie").as_str()), ("invalid-parameter", ""));
            }
            assert_eq!(w.get("/sign-in/test?to=/me").await.with(400).code(), "unknown-parameter");
        },
    )
    .await;
}

#[tokio::test]
async fn a_provider_that_is_down_holds_up_nothing_else() {
    with_provider(
        |_| {},
        async |w, idp| {
            let mut past = 0;
            for mode in ["down", "huge", "elsewhere", "other-issuer", "garbage"] {
                idp.mode(mode).await;
                past += 10;
                idp.clock(&w, past).await;
                let answer = w.get("/sign-in/test").await.with(503);
                assert_eq!(
                    (answer.code().as_str(), answer.header("retry-after").as_str()),
                    ("provider-unreachable", "5")
                );
            }
            let html = w.ask("GET", "/sign-in/test", &[("accept", "text/html")]).await.with(503);
            assert!(html.text().contains("Prøvelogin« svarer ikke") && html.text().contains("name=\"password\""));
            w.get("/sign-in").await.ok();
            // It is up again: asked after a pause, and not by everyone who comes meanwhile.
            idp.mode("honest").await;
            assert_eq!(w.get("/sign-in/test").await.with(503).code(), "provider-unreachable");
            idp.clock(&w, past + 10).await;
            w.get("/sign-in/test").await.with(303);
            // What it said is believed for a while, and longer than that when it says nothing new.
            idp.mode("down").await;
            idp.clock(&w, past + 1000).await;
            w.get("/sign-in/test").await.with(303);
            idp.clock(&w, past + 8000).await;
            w.get("/sign-in/test").await.with(303);
        },
    )
    .await;
}

#[tokio::test]
async fn a_slow_provider_is_not_waited_for() {
    let idp = Idp::start();
    idp.mode("slow").await;
    let w = World::open("sqlite").await.expect("a database").with_providers(vec![idp.settings()]).await;
    let answer = tokio::time::timeout(Duration::from_secs(15), w.get("/sign-in/test")).await;
    assert_eq!(answer.expect("it ends by itself").with(503).code(), "provider-unreachable");
}

#[tokio::test]
async fn who_signed_in_there_is_told_so_and_may_sign_out_there() {
    with_provider(
        |_| {},
        async |w, idp| {
            let mut browser = Browser::default();
            browser.sign_in(&w, idp, "anne").await.ok();
            let me = browser.me(&w).await;
            assert_eq!(me["signedIn"], json!({ "by": "provider", "provider": "test" }));

            // What it belongs to there can be undone, but not as the last way in.
            let cookie = format!("begreb={}", browser.0["begreb"]);
            let ours = [("cookie", cookie.as_str()), ("origin", SITE)];
            let identities = browser.get(&w, "/api/v1/me/identities").await.ok().json();
            assert_eq!((&identities[0]["provider"], &identities[0]["subject"]), (&json!("test"), &json!("anne")));
            let link = format!("/api/v1/me/identities/{}", identities[0]["uuid"].as_str().expect("a uuid"));
            assert_eq!(w.ask("DELETE", &link, &ours).await.with(409).code(), "last-way-in");
            let other = format!("/api/v1/me/identities/{}", Uuid::max());
            assert_eq!(w.ask("DELETE", &other, &ours).await.with(404).code(), "not-found");

            // An administrator may: then the one who comes next with the proven address is linked.
            let account: Uuid = me["uuid"].as_str().expect("a uuid").parse().expect("a uuid");
            let identity = identities[0]["uuid"].as_str().expect("a uuid").parse().expect("a uuid");
            w.registry.unlink_identity(&operator(), Some(account), identity).await.expect("it is there");
            assert_eq!(browser.get(&w, "/api/v1/me").await.with(401).code(), "not-signed-in");
            assert_eq!(signed_in(&w, idp, "anne").await["uuid"], me["uuid"]);

            // Signing out tells of the session that goes on there, and leads to its end.
            let mut browser = Browser::default();
            browser.sign_in(&w, idp, "anne").await.ok();
            let cookie = format!("begreb={}", browser.0["begreb"]);
            let page = w.ask("POST", "/sign-out", &[("cookie", &cookie), ("origin", SITE)]).await.ok();
            let address = format!("href=\"{}/session/end?client_id=begreb\"", idp.issuer);
            assert!(page.text().contains(&address), "{}", page.text());
            assert!(page.header("set-cookie").contains("begreb=; Path=/"));
            assert_eq!(browser.get(&w, "/api/v1/me").await.with(401).code(), "not-signed-in");
            w.registry.verify().await.expect("all is whole");
        },
    )
    .await;
}

#[tokio::test]
async fn where_nobody_signs_in_by_a_password_the_operators_link_still_does() {
    let idp = Idp::start();
    for database in ["sqlite", "postgres"] {
        let Some(w) = World::open(database).await else { continue };
        idp.anne(json!({})).await;
        let w = w.without_local_sign_in(vec![idp.settings()]).await;
        let page = w.get("/sign-in").await.ok().text();
        assert!(page.contains("href=\"/sign-in/test\"") && !page.contains("type=\"password\""), "{page}");
        let body = json!({ "mail": MAIL, "password": "korrekt hest batteri" }).to_string();
        assert_eq!(w.post("/api/v1/sign-in", body).await.with(403).code(), "local-sign-in-off");
        let form = Request::post("/sign-in").header("origin", SITE).body(format!("mail={MAIL}&password=x").into());
        w.send(form.expect("a request")).await.with(403);

        let (name, mail) = ("Drift".parse().expect("a name"), "drift@example.dk".parse().expect("an address"));
        let request = AccountRequest { name, mail, organisation: None };
        let link = w.registry.create_account(&operator(), request).await.expect("it is lawful").link;
        let key = link.split_once("key=").expect("a key").1.to_owned();
        let body = format!("key={key}&password=korrekt-hest-batteri&again=korrekt-hest-batteri");
        let used = Request::post("/setup").header("origin", SITE).body(body.clone().into()).expect("a request");
        let entered = w.send(used).await.with(303);
        assert_eq!(entered.header("location"), "/me");
        let cookie = entered.header("set-cookie").split(';').next().expect("a cookie").to_owned();
        let me = w.ask("GET", "/api/v1/me", &[("cookie", &cookie)]).await.ok().json();
        assert_eq!((&me["name"], &me["signedIn"]), (&json!("Drift"), &json!({ "by": "password" })));
        let again = Request::post("/setup").header("origin", SITE).body(body.into()).expect("a request");
        w.send(again).await.with(410);

        // A password is no way in here: the link to the provider is the last one.
        let mut browser = Browser::default();
        browser.sign_in(&w, &idp, "anne").await.ok();
        let identity = browser.get(&w, "/api/v1/me/identities").await.ok().json();
        let link = format!("/api/v1/me/identities/{}", identity[0]["uuid"].as_str().expect("a uuid"));
        let cookie = format!("begreb={}", browser.0["begreb"]);
        let kept = w.ask("DELETE", &link, &[("cookie", &cookie), ("origin", SITE)]).await;
        assert_eq!(kept.with(409).code(), "last-way-in");
    }
}

#[tokio::test]
async fn nobody_sets_out_without_end() {
    let idp = Idp::start();
    let Some(w) = World::open("sqlite").await else { return };
    let w = w.with_providers(vec![idp.settings()]).await;
    for _ in 0..100 {
        w.get("/sign-in/test").await.with(303);
    }
    let refused = w.get("/sign-in/test").await.with(429);
    assert_eq!((refused.code(), refused.header("retry-after")), ("too-many-attempts".into(), "1".into()));
    w.clock.set("2026-11-22T12:00:01Z");
    w.get("/sign-in/test").await.with(303);
}
