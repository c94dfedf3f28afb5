//! What an object may hold, for those who ask: the lists of `/fields` and the JSON Schema of `/schema`.

use serde_json::{Map, Value, json};

use super::{Aktoertype, Kind, Publiceret};

/// The names that an object of a kind has, by group, and what is special of an attribute.
#[must_use]
pub fn fields(kind: Kind) -> Value {
    let mut attributes = kind.fields().to_vec();
    let mut special: Map<String, Value> =
        kind.mandatory().iter().map(|name| ((*name).to_owned(), json!({ "mandatory": true }))).collect();
    if kind == Kind::Klasse {
        attributes.push("soegeord");
        special.insert("soegeord".to_owned(), json!({ "type": "soegeord" }));
    }
    json!({
        "attributter": { "egenskaber": attributes },
        "attributter_metadata": { "egenskaber": special },
        "tilstande": { "publiceret": Publiceret::ALL.map(Publiceret::name) },
        "relationer_nul_til_en": kind.single(),
        "relationer_nul_til_mange": kind.several(),
    })
}

/// The JSON Schema (draft 6) of an object of a kind as it is sent in, and as it is shown.
#[must_use]
pub fn schema(kind: Kind) -> Value {
    let text = json!({ "type": "string" });
    let mut attributes: Map<String, Value> = kind.fields().iter().map(|f| ((*f).to_owned(), text.clone())).collect();
    if kind == Kind::Klasse {
        attributes.insert("soegeord".to_owned(), soegeord());
    }
    attributes.insert("virkning".to_owned(), json!({ "$ref": "#/definitions/virkning" }));
    let mandatory: Vec<&str> = kind.mandatory().iter().copied().chain(["virkning"]).collect();
    let relations: Map<String, Value> = kind
        .relations()
        .map(|name| (name.to_owned(), json!({ "type": "array", "items": { "$ref": "#/definitions/relation" } })))
        .collect();
    let states = Publiceret::ALL.map(Publiceret::name);
    json!({
        "$schema": "http://json-schema.org/draft-06/schema#",
        "title": kind.title(),
        "type": "object",
        "properties": {
            "note": text,
            "livscyklus": { "type": "string" },
            "attributter": object(
                json!({ kind.egenskaber(): list(object(Value::Object(attributes), &mandatory)) }),
                &[kind.egenskaber()],
            ),
            "tilstande": object(
                json!({ kind.publiceret(): list(object(
                    json!({ "publiceret": { "enum": states }, "virkning": { "$ref": "#/definitions/virkning" } }),
                    &["publiceret", "virkning"],
                )) }),
                &[kind.publiceret()],
            ),
            "relationer": object(Value::Object(relations), &[]),
        },
        "required": ["attributter", "tilstande"],
        "additionalProperties": false,
        "definitions": { "virkning": virkning(), "relation": relation() },
    })
}

fn object(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "minItems": 1, "items": items })
}

/// A list of three texts on the way in, an object on the way out.
fn soegeord() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "array",
        "items": { "type": "array", "items": text, "minItems": 3, "maxItems": 3 },
    })
}

fn virkning() -> Value {
    object(
        json!({
            "from": { "type": "string" },
            "to": { "type": "string" },
            "from_included": { "type": "boolean" },
            "to_included": { "type": "boolean" },
            "aktoerref": uuid(),
            "aktoertypekode": { "enum": Aktoertype::ALL.map(Aktoertype::name) },
            "notetekst": { "type": "string" },
        }),
        &["from", "to"],
    )
}

fn uuid() -> Value {
    json!({ "type": "string", "pattern": "^[a-fA-F0-9]{8}(-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}$" })
}

/// One of the three: by uuid, by URN, or cleared.
fn relation() -> Value {
    let one = |mut properties: Map<String, Value>| {
        let required: Vec<String> = properties.keys().cloned().chain(["virkning".to_owned()]).collect();
        properties.insert("virkning".to_owned(), json!({ "$ref": "#/definitions/virkning" }));
        properties.insert("objekttype".to_owned(), json!({ "type": "string" }));
        let required: Vec<&str> = required.iter().map(String::as_str).collect();
        object(Value::Object(properties), &required)
    };
    let of = |pairs: &[(&str, Value)]| pairs.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
    let empty = json!({ "enum": [""] });
    json!({ "oneOf": [
        one(of(&[("uuid", uuid())])),
        one(of(&[("urn", json!({ "type": "string", "pattern": "^urn:." }))])),
        one(of(&[("uuid", empty.clone()), ("urn", empty)])),
    ] })
}
