//! Objects of OIO Klassifikation in tests: written and read over HTTP.

use serde_json::{Value, json};

use super::crew::Person;
use super::{Answer, World};

/// The whole of both times of what is valid.
pub const ALL: &str = "virkningFra=-infinity&virkningTil=infinity";

pub fn always() -> Value {
    json!({"from": "-infinity", "to": "infinity"})
}

pub fn since(day: &str) -> Value {
    json!({"from": day, "to": "infinity"})
}

pub async fn write(w: &World, who: &Person, method: &str, path: &str, body: Value) -> Answer {
    let headers = [("content-type", "application/json")];
    who.ask(w, method, &format!("/klassifikation/{path}"), &body, &headers).await
}

/// Creates an object; its uuid.
pub async fn create(w: &World, who: &Person, kind: &str, body: Value) -> String {
    let made = write(w, who, "POST", kind, body).await.with(201).json();
    made["uuid"].as_str().expect("a uuid").to_owned()
}

/// The current registrering, with all that holds at any time.
pub async fn read(w: &World, kind: &str, uuid: &str) -> Value {
    let read = w.get(&format!("/klassifikation/{kind}/{uuid}?{ALL}")).await.ok().json();
    read[uuid][0]["registreringer"][0].clone()
}

/// A klassifikation with a facet: their uuids.
pub async fn home(w: &World, who: &Person) -> (String, String) {
    let klassifikation = create(
        w,
        who,
        "klassifikation",
        json!({
            "attributter": {"klassifikationegenskaber": [{"brugervendtnoegle": "Koder", "virkning": always()}]},
            "tilstande": {"klassifikationpubliceret": [{"publiceret": "Publiceret", "virkning": always()}]},
        }),
    )
    .await;
    let facet = create(
        w,
        who,
        "facet",
        json!({
            "attributter": {"facetegenskaber": [{"brugervendtnoegle": "F", "virkning": always()}]},
            "tilstande": {"facetpubliceret": [{"publiceret": "Publiceret", "virkning": always()}]},
            "relationer": {"facettilhoerer": [{"uuid": klassifikation, "virkning": always()}]},
        }),
    )
    .await;
    (klassifikation, facet)
}

/// A klasse in a facet, with the same virkning for all of it.
pub fn klasse(facet: &str, key: &str, title: &str, virkning: &Value) -> Value {
    json!({
        "attributter": {"klasseegenskaber": [{"brugervendtnoegle": key, "titel": title, "virkning": virkning}]},
        "tilstande": {"klassepubliceret": [{"publiceret": "Publiceret", "virkning": virkning}]},
        "relationer": {"facet": [{"uuid": facet, "virkning": virkning}]},
    })
}

/// `from..to: field, field, …` of the attributes, in the order of time; days without their time.
pub fn attributes(registrering: &Value, fields: &[&str]) -> Vec<String> {
    let list = registrering["attributter"]["klasseegenskaber"].as_array().cloned().unwrap_or_default();
    let line = |e: &Value| {
        let day =
            |edge: &str| e["virkning"][edge].as_str().map_or("?", |t| t.split(' ').next().unwrap_or(t)).to_owned();
        let texts: Vec<&str> = fields.iter().map(|f| e[*f].as_str().unwrap_or("-")).collect();
        format!("{}..{}: {}", day("from"), day("to"), texts.join(", "))
    };
    let mut lines: Vec<String> = list.iter().map(line).collect();
    lines.sort();
    lines
}

/// Whether a concept of `vocabulary` is in force on a day, as all other readers see it.
pub async fn in_force(w: &World, vocabulary: &str, key: &str, day: &str) -> bool {
    let answer = w.get(&format!("/api/v1/vocabularies/{vocabulary}/concepts/{key}?date={day}")).await;
    answer.status == 200 && answer.json()["status"] == "inForce"
}

pub fn uuids(registrering: &Value, name: &str) -> Vec<String> {
    let list = registrering["relationer"][name].as_array().cloned().unwrap_or_default();
    list.iter().map(|r| r["uuid"].as_str().or(r["urn"].as_str()).unwrap_or("?").to_owned()).collect()
}

pub async fn verified(w: &World) {
    w.registry.verify().await.expect("states, frames and log agree");
    w.reopened().await.verify().await.expect("and so they do for another process");
}
