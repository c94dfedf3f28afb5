//! People in tests: accounts with their roles, signed in, who ask over HTTP.

use axum::body::Body;
use axum::http::Request;
use begreb::exchange::Format;
use begreb::model::{Governance, Kind, Language, Password, Role, Secret, Text, VocabularyFields};
use begreb::registry::{AccountRequest, Actor, GiveRequest, GroupRequest};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, World, edition, operator};

const SITE: &str = "http://127.0.0.1:8080";
const PASSWORD: &str = "korrekt hest batteri";

/// A vocabulary with its first version, in force since 2020.
pub async fn vocabulary(w: &World, slug: &str, governance: Governance, csv: &str) {
    let danish = Language::danish();
    let mut request = edition(slug, Format::Csv, csv.as_bytes(), "1", "2020-01-01");
    // Its editions come from a file the first time; how it is governed from then on is another matter.
    let frame = VocabularyFields {
        uuid: Uuid::new_v5(&Uuid::NAMESPACE_URL, slug.as_bytes()),
        slug: slug.parse().expect("a slug"),
        titles: vec![Text::new(danish.clone(), slug).expect("a title")],
        descriptions: vec![],
        kind: Kind::CodeList,
        governance,
        four_eyes: false,
        namespace: format!("{SITE}/id/{slug}/"),
        identifiers: vec![],
        owner: None,
        contact: None,
        licence: None,
        languages: vec![danish],
        facets: vec![],
        oio: None,
        deleted_facets: vec![],
    };
    request.frame = Some(frame);
    w.import(request).await.expect("it is lawful");
}

/// Says how versions of a vocabulary come about from now on.
pub async fn govern(w: &World, slug: &str, governance: Governance, four_eyes: bool) {
    let frame = json!({ "titles": [{ "language": "da", "text": slug }], "kind": "codeList",
        "governance": governance, "fourEyes": four_eyes, "languages": ["da"] });
    let frame = serde_json::from_value(frame).expect("a frame");
    w.registry.put_frame(&operator(), slug.parse().expect("a slug"), frame).await.expect("it is lawful");
}

/// Somebody who asks; nobody in particular without a cookie.
#[derive(Clone, Default)]
pub struct Person {
    pub uuid: Uuid,
    cookie: Option<String>,
}

/// Somebody with a role in all vocabularies, signed in.
pub async fn person(w: &World, name: &str, roles: &[Role]) -> Person {
    let mail = format!("{}@example.dk", name.to_lowercase());
    let request =
        AccountRequest { name: name.parse().expect("a name"), mail: mail.parse().expect("a mail"), organisation: None };
    let made = w.registry.create_account(&operator(), request).await.expect("it is lawful");
    let key = Secret::shown(made.link.split_once("key=").expect("a key").1);
    w.registry.use_link(&key, &Password::new(PASSWORD).expect("long enough")).await.expect("the link works");
    let uuid = made.account.uuid;
    for role in roles {
        let request = GiveRequest { account: Some(uuid), group: None, role: *role, vocabulary: None };
        w.registry.give(&operator(), request).await.expect("it is lawful");
    }
    let body = serde_json::json!({ "mail": mail, "password": PASSWORD }).to_string();
    let cookie = w.post("/api/v1/sign-in", body).await.ok().header("set-cookie");
    Person { uuid, cookie: Some(cookie.split(';').next().expect("a cookie").to_owned()) }
}

/// Somebody of an organisation of their own.
pub async fn member(w: &World, name: &str, organisation: &str, roles: &[Role]) -> Person {
    let person = person(w, name, roles).await;
    let organisation = organisation.parse().expect("a name");
    let organisation = w.registry.create_organisation(&operator(), organisation).await.expect("it is lawful").uuid;
    let change = serde_json::from_value(json!({ "organisation": organisation })).expect("a change");
    w.registry.change_account(&operator(), person.uuid, change).await.expect("it is lawful");
    person
}

/// A group.
pub async fn group(w: &World, name: &str, kind: &str, members: &[&Person]) -> Uuid {
    let members = members.iter().map(|p| p.uuid).collect();
    let (name, kind) = (name.parse().expect("a name"), kind.parse().expect("a kind"));
    w.registry.create_group(&operator(), GroupRequest { name, kind, members }).await.expect("it is lawful").uuid
}

impl Person {
    /// Sends a request.
    pub async fn ask(&self, w: &World, method: &str, uri: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie).header("origin", SITE);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        w.send(request.body(body).expect("a request")).await
    }

    /// Sends a request whose body is no JSON.
    pub async fn ask_raw(&self, w: &World, method: &str, uri: &str, body: String, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie).header("origin", SITE);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        w.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// Signs in once more, under the name of this person: a session lasts half a day.
    pub async fn sign_in(&mut self, w: &World, name: &str) {
        let mail = format!("{}@example.dk", name.to_lowercase());
        let body = serde_json::json!({ "mail": mail, "password": PASSWORD }).to_string();
        let cookie = w.post("/api/v1/sign-in", body).await.ok().header("set-cookie");
        self.cookie = cookie.split(';').next().map(str::to_owned);
    }

    /// The cookie of the session; empty for nobody.
    pub fn cookie(&self) -> &str {
        self.cookie.as_deref().unwrap_or_default()
    }

    /// GET under `/api/v1`.
    pub async fn get(&self, w: &World, uri: &str) -> Answer {
        self.ask(w, "GET", &format!("/api/v1{uri}"), &Value::Null, &[]).await
    }

    /// A request with a body under `/api/v1`.
    pub async fn send(&self, w: &World, method: &str, uri: &str, body: Value) -> Answer {
        self.ask(w, method, &format!("/api/v1{uri}"), &body, &[]).await
    }

    /// A page, in Danish.
    pub async fn read(&self, w: &World, uri: &str) -> Answer {
        self.ask(w, "GET", uri, &Value::Null, &[("accept-language", "da"), ("accept", "text/html")]).await
    }

    /// Sends a form from one of our pages, in Danish.
    pub async fn fill(&self, w: &World, uri: &str, fields: &[(&str, &str)]) -> Answer {
        let one = |(name, value): &(&str, &str)| format!("{}={}", super::encoded(name), super::encoded(value));
        let body = fields.iter().map(one).collect::<Vec<_>>().join("&");
        let mut request = Request::post(uri)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept-language", "da")
            .header("origin", SITE);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        w.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// The actor that the registry takes this person for.
    pub async fn actor(&self, w: &World) -> Actor {
        let Some((_, secret)) = self.cookie.as_deref().and_then(|c| c.split_once('=')) else { return Actor::Public };
        w.registry.by_session(&Secret::shown(secret)).await.expect("a session")
    }
}
