//! What a message asks for: the headers and the body of a MOX command, read and checked. Pure.
//!
//! What is wrong is refused with the status and the body that the interface has for it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::port::{Answer, Ask};
pub use crate::exchange::oio::Kind as Objekttype;
use crate::model::{Digest, Secret};

/// The largest body of a command.
const BODY: usize = 16 << 20;
/// The most bytes of a body that says nothing.
const NOTHING: usize = 1 << 10;
/// The most bytes of the parameters of a command.
const QUERY: usize = 64 << 10;
/// The most bytes of a header that are repeated in a refusal.
const SHOWN: usize = 80;

/// What a command asks to be done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operation {
    /// Opret; with an objektID Importer.
    Create,
    /// Læs.
    Read,
    /// Søg.
    Search,
    /// List.
    List,
    /// Ret.
    Update,
    /// Passiver.
    Passivate,
    /// Slet.
    Delete,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 7] =
        [Self::Create, Self::Read, Self::Search, Self::List, Self::Update, Self::Passivate, Self::Delete];

    /// The word in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Search => "search",
            Self::List => "list",
            Self::Update => "update",
            Self::Passivate => "passivate",
            Self::Delete => "delete",
        }
    }

    /// Whether it changes something.
    #[must_use]
    pub fn writes(self) -> bool {
        !matches!(self, Self::Read | Self::Search | Self::List)
    }

    fn needs_id(self) -> bool {
        matches!(self, Self::Read | Self::Update | Self::Passivate | Self::Delete)
    }
}

/// The value of a header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Header {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Something else: a table, bytes that are no text, …
    Other,
}

impl Header {
    /// How many bytes there are of a text; none of anything else.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Number(_) | Self::Other => 0,
        }
    }
}

/// The headers of a message.
pub type Headers = BTreeMap<String, Header>;

/// The headers of a command. Those that begin with `x-` are a broker's, and are not looked at.
const KNOWN: [&str; 10] = [
    "autorisation",
    "beskedID",
    "beskedversion",
    "objektID",
    "objektreference",
    "objekttype",
    "operation",
    "query",
    "type",
    "beskedtype",
];

/// A command.
#[derive(Clone, Debug)]
pub struct Command {
    /// The message's own identifier; every command that changes something has one.
    pub besked: Option<Uuid>,
    /// What makes this command another than one with the same identifier.
    pub digest: Digest,
    /// What it asks.
    pub ask: Ask,
}

/// What the headers of a message say: all that is read of it before it is known whether who sent it may have anything
/// done.
#[derive(Clone, Debug)]
pub struct Head {
    besked: Option<Uuid>,
    /// What it asks, without its body.
    pub ask: Ask,
}

impl Head {
    /// Reads headers.
    ///
    /// # Errors
    /// The answer to give when they are not those of a command.
    pub fn read(headers: &Headers) -> Result<Self, Answer> {
        let unknown: Vec<&str> =
            headers.keys().map(String::as_str).filter(|k| !KNOWN.contains(k) && !k.starts_with("x-")).collect();
        if !unknown.is_empty() {
            return Err(bad(format!("Unsupported header(s): {}", shown(&unknown.join(", ")))));
        }
        version(headers)?;
        let operation = word(headers, "operation", Operation::ALL, Operation::name)?;
        let objekttype = word(headers, "objekttype", Objekttype::ALL, Objekttype::name)?;
        let id = uuid(headers, "objektID")?;
        if id.is_none() && operation.needs_id() {
            return Err(bad(format!("objektID is required for the operation {}", operation.name())));
        }
        if id.is_some() && operation == Operation::Search {
            return Err(bad("objektID is not a header of the operation search: put uuid into query".into()));
        }
        let besked = uuid(headers, "beskedID")?;
        if besked.is_none() && operation.writes() {
            let why = "beskedID is required for an operation that changes something, so that it is carried out once";
            return Err(bad(why.into()));
        }
        let query = query(headers)?;
        if operation.writes() && !query.is_empty() {
            let names: Vec<&str> = query.iter().map(|(name, _)| name.as_str()).collect();
            return Err(bad(format!("Unsupported argument(s): {}", shown(&names.join(", ")))));
        }
        let token = token(headers)?;
        Ok(Self { besked, ask: Ask { operation, objekttype, id, query, body: None, token } })
    }

    /// The command of these headers, with its body.
    ///
    /// # Errors
    /// The answer to give when that is no body of such a command.
    pub fn with(self, headers: &Headers, body: &[u8]) -> Result<Command, Answer> {
        let content = content(self.ask.operation, body)?;
        let digest = digest(headers, body);
        Ok(Command { besked: self.besked, digest, ask: Ask { body: content, ..self.ask } })
    }
}

impl Command {
    /// Reads a message.
    ///
    /// # Errors
    /// The answer to give when it is not a command.
    pub fn read(headers: &Headers, body: &[u8]) -> Result<Self, Answer> {
        Head::read(headers)?.with(headers, body)
    }
}

/// A refusal in the form that the interface has.
pub(super) fn bad(message: String) -> Answer {
    Answer { status: 400, body: json!({ "message": message }) }
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

fn text<'h>(headers: &'h Headers, name: &str) -> Result<Option<&'h str>, Answer> {
    match headers.get(name) {
        None => Ok(None),
        Some(Header::Text(text)) => Ok(Some(text.as_str()).filter(|t| !t.is_empty())),
        Some(_) => Err(bad(format!("{name} is not a text"))),
    }
}

fn version(headers: &Headers) -> Result<(), Answer> {
    match headers.get("beskedversion") {
        None | Some(Header::Number(1)) => Ok(()),
        Some(Header::Text(text)) if text.trim() == "1" => Ok(()),
        Some(_) => Err(bad("beskedversion is not 1".into())),
    }
}

fn word<T: Copy>(
    headers: &Headers,
    name: &str,
    all: impl IntoIterator<Item = T>,
    of: fn(T) -> &'static str,
) -> Result<T, Answer> {
    let all: Vec<T> = all.into_iter().collect();
    let allowed = || all.iter().map(|one| of(*one)).collect::<Vec<_>>().join(", ");
    let Some(text) = text(headers, name)? else {
        return Err(bad(format!("{name} is missing; it is one of: {}", allowed())));
    };
    let found = all.iter().copied().find(|one| of(*one).eq_ignore_ascii_case(text));
    found.ok_or_else(|| bad(format!("'{}' is not a known {name}; it is one of: {}", shown(text), allowed())))
}

fn uuid(headers: &Headers, name: &str) -> Result<Option<Uuid>, Answer> {
    let Some(text) = text(headers, name)? else { return Ok(None) };
    Uuid::parse_str(text).map(Some).map_err(|_| bad(format!("'{}' is not a uuid in {name}", shown(text))))
}

fn token(headers: &Headers) -> Result<Option<Secret>, Answer> {
    let Some(text) = text(headers, "autorisation")? else { return Ok(None) };
    let token = text.trim();
    let token = token.get(..7).filter(|s| s.eq_ignore_ascii_case("bearer ")).map_or(token, |_| token[7..].trim());
    if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
        let body = json!({ "message": "autorisation is not a token" });
        return Err(Answer { status: 401, body });
    }
    Ok(Some(Secret::shown(token)))
}

/// The parameters: an object of names and values, each a text, a number, a truth or a list of those.
fn query(headers: &Headers) -> Result<Vec<(String, String)>, Answer> {
    let Some(text) = text(headers, "query")? else { return Ok(Vec::new()) };
    if text.len() > QUERY {
        return Err(bad("query is too long".into()));
    }
    let parsed: Value = serde_json::from_str(text).map_err(|e| bad(format!("query is not JSON: {e}")))?;
    let Value::Object(parameters) = parsed else { return Err(bad("query is not a JSON object".into())) };
    let mut query = Vec::new();
    for (name, value) in parameters {
        let values = match value {
            Value::Array(values) => values,
            one => vec![one],
        };
        for value in values {
            let value = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(truth) => truth.to_string(),
                _ => return Err(bad(format!("'{}' in query is neither a text nor a list of texts", shown(&name)))),
            };
            query.push((name.clone(), value));
        }
    }
    Ok(query)
}

/// The body that an operation is sent with.
fn content(operation: Operation, body: &[u8]) -> Result<Option<Value>, Answer> {
    if body.len() > BODY {
        let message = format!("the body is larger than {BODY} bytes");
        return Err(Answer { status: 413, body: json!({ "message": message }) });
    }
    let body = body.trim_ascii();
    // Nobody needs to be known for these: what cannot be `{}` is not looked at.
    if !operation.writes() && body.len() > NOTHING {
        return Err(takes_none(operation));
    }
    let object = if body.is_empty() {
        None
    } else {
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Some(object),
            // What running servers answer to a body that is no object.
            Ok(_) | Err(_) if operation.writes() => return Err(Answer { status: 400, body: json!({ "uuid": null }) }),
            Ok(_) => return Err(bad("the body is not a JSON object".into())),
            Err(e) => return Err(bad(format!("the body is not JSON: {e}"))),
        }
    };
    let object = object.filter(|o| !o.is_empty());
    match operation {
        Operation::Create | Operation::Update => match object {
            Some(object) => Ok(Some(Value::Object(object))),
            None => Err(Answer { status: 400, body: json!({ "uuid": null }) }),
        },
        Operation::Passivate => Ok(Some(Value::Object(passive(object)))),
        Operation::Delete => Ok(object.map(Value::Object)),
        Operation::Read | Operation::Search | Operation::List if object.is_some() => Err(takes_none(operation)),
        Operation::Read | Operation::Search | Operation::List => Ok(None),
    }
}

fn takes_none(operation: Operation) -> Answer {
    bad(format!("the operation {} takes no body: put the parameters into query", operation.name()))
}

/// The interface passivates by a change that says so.
fn passive(object: Option<Map<String, Value>>) -> Map<String, Value> {
    let mut object = object.unwrap_or_default();
    object.insert("livscyklus".into(), json!("Passiv"));
    object
}

/// Of everything that a command says; what is between two parts cannot be moved into one of them.
fn digest(headers: &Headers, body: &[u8]) -> Digest {
    let mut said = Vec::with_capacity(body.len() + 256);
    for name in KNOWN {
        let value = match headers.get(name) {
            Some(Header::Text(text)) => text.clone(),
            Some(Header::Number(number)) => number.to_string(),
            Some(Header::Other) | None => String::new(),
        };
        said.extend_from_slice(&value.len().to_be_bytes());
        said.extend_from_slice(value.as_bytes());
    }
    said.extend_from_slice(body);
    Digest::of(said)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "88888888-8888-4888-8888-888888888888";
    const BESKED: &str = "11111111-1111-4111-8111-111111111111";

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), Header::Text((*v).to_owned()))).collect()
    }

    fn message(answer: &Answer) -> String {
        answer.body["message"].as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn a_command_is_read_off_its_headers_and_body() {
        let mut given = headers(&[
            ("autorisation", "Bearer begreb_t_x"),
            ("beskedID", BESKED),
            ("objekttype", "Klasse"),
            ("objektID", ID),
            ("operation", "update"),
            ("type", "Manuel"),
            ("x-death", "?"),
        ]);
        given.insert("beskedversion".into(), Header::Number(1));
        let command = Command::read(&given, br#"{"note":"n"}"#).unwrap();
        assert_eq!(command.besked.unwrap().to_string(), BESKED);
        assert_eq!((command.ask.operation, command.ask.objekttype), (Operation::Update, Objekttype::Klasse));
        assert_eq!(command.ask.id.unwrap().to_string(), ID);
        assert_eq!(command.ask.token.unwrap().expose(), "begreb_t_x");
        assert_eq!(command.ask.body, Some(json!({ "note": "n" })));
        let query = r#"{"bvn":"A%","vilkaarligattr":["x","y"],"foersteresultat":0,"list":true}"#;
        let given = headers(&[("objekttype", "klasse"), ("operation", "search"), ("query", query)]);
        let search = Command::read(&given, b"{}").unwrap().ask.query;
        let search: Vec<_> = search.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let wanted = [
            ("bvn", "A%"),
            ("foersteresultat", "0"),
            ("list", "true"),
            ("vilkaarligattr", "x"),
            ("vilkaarligattr", "y"),
        ];
        assert_eq!(search, wanted);
        let given =
            headers(&[("beskedID", BESKED), ("objekttype", "facet"), ("operation", "passivate"), ("objektID", ID)]);
        let passivate = Command::read(&given, br#"{"note":"n"}"#).unwrap();
        assert_eq!(passivate.ask.body, Some(json!({ "livscyklus": "Passiv", "note": "n" })));
    }

    #[test]
    fn what_is_no_command_is_refused_with_its_reason() {
        let read = [("objekttype", "klasse"), ("operation", "read"), ("objektID", ID)];
        let update = [("objekttype", "klasse"), ("operation", "update"), ("objektID", ID), ("beskedID", BESKED)];
        let with = |base: &[(&'static str, &'static str)], more: &[(&'static str, &'static str)]| {
            let mut all = headers(base);
            all.extend(headers(more));
            all
        };
        let cases: [(Headers, &[u8], &str); 17] = [
            (headers(&[]), b"", "operation is missing"),
            (with(&read, &[("operation", "upload")]), b"", "'upload' is not a known operation"),
            (with(&read, &[("objekttype", "sag")]), b"", "'sag' is not a known objekttype"),
            (with(&read, &[("objektID", "7")]), b"", "'7' is not a uuid in objektID"),
            (with(&read, &[("objektID", "")]), b"", "objektID is required"),
            (with(&read, &[("beskedID", "x")]), b"", "'x' is not a uuid in beskedID"),
            (with(&read, &[("beskedversion", "2")]), b"", "beskedversion is not 1"),
            (with(&read, &[("farve", "rød"), ("form", "rund")]), b"", "Unsupported header(s): farve, form"),
            (with(&read, &[("query", "bvn=A")]), b"", "query is not JSON"),
            (with(&read, &[("query", "[]")]), b"", "query is not a JSON object"),
            (with(&read, &[("query", r#"{"bvn":{}}"#)]), b"", "'bvn' in query is neither"),
            (with(&read, &[]), b"{\"a\":1}", "the operation read takes no body"),
            (with(&read, &[]), b"<xml/>", "the body is not JSON"),
            (with(&read, &[]), b"[]", "the body is not a JSON object"),
            (with(&read, &[("operation", "search")]), b"", "put uuid into query"),
            (with(&update, &[("beskedID", "")]), b"{\"note\":\"\"}", "beskedID is required"),
            (with(&update, &[("query", r#"{"bvn":"A"}"#)]), b"{\"note\":\"\"}", "Unsupported argument(s): bvn"),
        ];
        for (given, body, why) in cases {
            let answer = Command::read(&given, body).unwrap_err();
            assert_eq!(answer.status, 400, "{why}");
            assert!(message(&answer).contains(why), "{why}: {}", message(&answer));
        }
        for body in ["", "{}", "[]", "not JSON", "7"] {
            let answer = Command::read(&headers(&update), body.as_bytes()).unwrap_err();
            assert_eq!((answer.status, answer.body), (400, json!({ "uuid": null })), "{body}");
        }
        let token = with(&update, &[("autorisation", "to ord")]);
        assert_eq!(Command::read(&token, b"{\"note\":\"\"}").unwrap_err().status, 401);
        let long = Command::read(&headers(&update), &vec![b' '; BODY + 1]).unwrap_err();
        assert_eq!(long.status, 413);
        let mut other = headers(&read);
        other.insert("objektID".into(), Header::Other);
        assert_eq!(message(&Command::read(&other, b"").unwrap_err()), "objektID is not a text");
    }

    #[test]
    fn a_command_with_other_words_has_another_digest() {
        let base = [("objekttype", "klasse"), ("operation", "update"), ("objektID", ID), ("beskedID", BESKED)];
        let digest = |more: &[(&str, &str)], body: &str| {
            let mut all = headers(&base);
            all.extend(headers(more));
            Command::read(&all, body.as_bytes()).unwrap().digest
        };
        let one = digest(&[], r#"{"note":"a"}"#);
        assert_eq!(one, digest(&[("x-delivery-count", "2")], r#"{"note":"a"}"#));
        assert_ne!(one, digest(&[], r#"{"note":"b"}"#));
        assert_ne!(one, digest(&[("autorisation", "t")], r#"{"note":"a"}"#));
        assert_ne!(one, digest(&[("operation", "create")], r#"{"note":"a"}"#));
    }

    proptest! {
        /// Whatever comes is either a command or refused with a 4xx and a body.
        #[test]
        fn nothing_brings_it_down(
            pairs in prop::collection::vec(("(operation|objekttype|objektID|query|autorisation|beskedID|[a-z]{1,3})", "(read|klasse|\\{\"a\":\\[1\\]\\}|bearer é|\\PC{0,12})"), 0..8),
            body in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let given: Headers = pairs.into_iter().map(|(k, v)| (k, Header::Text(v))).collect();
            if let Err(answer) = Command::read(&given, &body) {
                prop_assert!((400..500).contains(&answer.status));
                prop_assert!(answer.body.is_object());
            }
        }
    }
}
