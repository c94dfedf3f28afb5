//! An object as others send it: JSON that is trusted in nothing. What is wrong is refused with its path.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Aktoertype, Kind, Publiceret, Reference, Soegeord, Virkning, time};
use crate::model::{Code, Period, Place, Refusal, Result};

/// The largest object that is read, in bytes.
const LARGEST: usize = 4 << 20;

/// The most elements of an object: attributes, states, relations and index words together.
const MOST: usize = 2000;

/// The longest text, in bytes.
const LONGEST: usize = 1 << 20;

/// How an object is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Whole: Opret, Importer.
    Whole,
    /// What is to be otherwise: Ret.
    Partial,
}

/// The target of a relation and what it is; nothing clears.
pub type Target = Option<(Reference, Option<String>)>;

/// States with their periods; one that says nothing clears.
pub type GivenTilstande = Vec<(Option<Publiceret>, Virkning)>;

/// An object as it is given.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Given {
    /// Why.
    pub note: Option<String>,
    /// Whether it is to be passivated.
    pub passiv: bool,
    /// The attributes; an empty list clears them.
    pub attributter: Option<Vec<GivenEgenskab>>,
    /// The states; an empty list clears them, and so does an element without one, over its period.
    pub tilstande: Option<GivenTilstande>,
    /// The relations, by name; none of the lists is empty.
    pub relationer: BTreeMap<&'static str, Vec<(Target, Virkning)>>,
}

/// Attributes as they are given over a period.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GivenEgenskab {
    /// The fields that are given; an empty text clears.
    pub fields: BTreeMap<&'static str, String>,
    /// The index words, if they are given.
    pub soegeord: Option<Vec<Soegeord>>,
    /// When.
    pub virkning: Virkning,
}

/// Reads an object.
///
/// # Errors
/// [`Code::Syntax`] when the bytes are no JSON object, or an empty one; [`Code::TooLarge`]; [`Code::InvalidBody`] or
/// [`Code::InvalidTime`] with the path of what is wrong.
pub fn read(kind: Kind, mode: Mode, bytes: &[u8]) -> Result<Given> {
    let object = object_of(bytes)?;
    if object.is_empty() {
        return Err(no_object());
    }
    Reader { kind, mode, elements: 0 }.given(object)
}

/// Reads the body of Slet: nothing, or a note.
///
/// # Errors
/// As [`read`].
pub fn read_note(bytes: &[u8]) -> Result<Option<String>> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let mut object = object_of(bytes)?;
    let note = object.remove("note").map(|v| text(v, "note")).transpose()?;
    if let Some(name) = object.keys().next() {
        return Err(unexpected(name, name, &["note"]));
    }
    Ok(note.filter(|n| !n.is_empty()))
}

fn object_of(bytes: &[u8]) -> Result<Map<String, Value>> {
    if bytes.len() > LARGEST {
        let (da, en) = ("objektet er større end 4 MiB", "the object is larger than 4 MiB");
        return Err(Refusal::new(Code::TooLarge, da, en));
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(no_object()),
    }
}

fn no_object() -> Refusal {
    Refusal::new(Code::Syntax, "kroppen er ikke et JSON-objekt med indhold", "the body is no JSON object with content")
}

struct Reader {
    kind: Kind,
    mode: Mode,
    elements: usize,
}

impl Reader {
    fn given(&mut self, mut object: Map<String, Value>) -> Result<Given> {
        let mut given = Given { note: object.remove("note").map(|v| text(v, "note")).transpose()?, ..Given::default() };
        given.note = given.note.filter(|n| !n.is_empty());
        if self.mode == Mode::Partial
            && let Some(value) = object.remove("livscyklus")
        {
            let word = text(value, "livscyklus")?;
            if !word.eq_ignore_ascii_case("passiv") && !word.eq_ignore_ascii_case("passiveret") {
                let (da, en) = ("livscyklus kan kun blive »Passiv«", "livscyklus can only become 'Passiv'");
                return Err(wrong("livscyklus", da, en).allowed(["Passiv"]));
            }
            // What else is given is ignored.
            return Ok(Given { note: given.note, passiv: true, ..Given::default() });
        }
        if let Some(value) = object.remove("attributter") {
            given.attributter = self.attributter(value)?;
        }
        if let Some(value) = object.remove("tilstande") {
            given.tilstande = self.tilstande(value)?;
        }
        if let Some(value) = object.remove("relationer") {
            given.relationer = self.relationer(value)?;
        }
        let allowed = ["note", "attributter", "tilstande", "relationer"];
        match object.keys().next() {
            Some(name) => Err(unexpected(name, name, &allowed)),
            None => Ok(given),
        }
    }

    fn attributter(&mut self, value: Value) -> Result<Option<Vec<GivenEgenskab>>> {
        let name = self.kind.egenskaber();
        let mut groups = dict(value, "attributter")?;
        let group = groups.remove(name);
        if let Some(other) = groups.keys().next() {
            return Err(unexpected(&format!("attributter.{other}"), other, &[name]));
        }
        let path = format!("attributter.{name}");
        let each = |this: &mut Self, value, path: &str| this.egenskab(value, path);
        group.map(|value| self.every(value, &path, each)).transpose()
    }

    fn egenskab(&mut self, value: Value, path: &str) -> Result<GivenEgenskab> {
        let mut element = dict(value, path)?;
        let virkning = self.virkning(&mut element, path)?;
        let mut soegeord = None;
        if self.kind == Kind::Klasse
            && let Some(value) = element.remove("soegeord")
        {
            let path = format!("{path}.soegeord");
            soegeord = Some(self.every(value, &path, |_, value, path| word(value, path))?);
        }
        let mut fields = BTreeMap::new();
        for (name, value) in element {
            let path = format!("{path}.{name}");
            let known = self.kind.fields().iter().find(|f| **f == name);
            let Some(known) = known else { return Err(unexpected(&path, &name, self.kind.fields())) };
            fields.insert(*known, text(value, &path)?);
        }
        if self.mode == Mode::Whole
            && let Some(missing) = self.kind.mandatory().iter().find(|m| fields.get(*m).is_none_or(String::is_empty))
        {
            let (da, en) = (format!("»{missing}« mangler"), format!("'{missing}' is a required property"));
            return Err(wrong(&format!("{path}.{missing}"), da, en));
        }
        Ok(GivenEgenskab { fields, soegeord, virkning })
    }

    fn tilstande(&mut self, value: Value) -> Result<Option<GivenTilstande>> {
        let name = self.kind.publiceret();
        let mut groups = dict(value, "tilstande")?;
        // Ret takes the short name too; one of them.
        let short = if self.mode == Mode::Partial { groups.remove("publiceret") } else { None };
        let group = match (groups.remove(name), short) {
            (Some(_), Some(_)) => {
                let (da, en) = (format!("både »{name}« og »publiceret«"), format!("both '{name}' and 'publiceret'"));
                return Err(wrong("tilstande.publiceret", da, en));
            }
            (long, short) => long.or(short),
        };
        if let Some(other) = groups.keys().next() {
            return Err(unexpected(&format!("tilstande.{other}"), other, &[name]));
        }
        let path = format!("tilstande.{name}");
        group.map(|value| self.every(value, &path, Self::tilstand)).transpose()
    }

    fn tilstand(&mut self, value: Value, path: &str) -> Result<(Option<Publiceret>, Virkning)> {
        let mut element = dict(value, path)?;
        let virkning = self.virkning(&mut element, path)?;
        let at = format!("{path}.publiceret");
        let state = element.remove("publiceret").ok_or_else(|| missing(&at, "publiceret"))?;
        let state = text(state, &at)?;
        if let Some(other) = element.keys().next() {
            return Err(unexpected(&format!("{path}.{other}"), other, &["publiceret", "virkning"]));
        }
        let known = Publiceret::ALL.into_iter().find(|p| p.name() == state);
        if known.is_none() && !(state.is_empty() && self.mode == Mode::Partial) {
            let state = shown(&state);
            let (da, en) = (format!("»{state}« er ingen tilstand"), format!("'{state}' is not one of the states"));
            return Err(wrong(&at, da, en).allowed(Publiceret::ALL.map(Publiceret::name)));
        }
        Ok((known, virkning))
    }

    fn relationer(&mut self, value: Value) -> Result<BTreeMap<&'static str, Vec<(Target, Virkning)>>> {
        let mut relations = BTreeMap::new();
        for (name, value) in dict(value, "relationer")? {
            let path = format!("relationer.{name}");
            let known = self.kind.relations().find(|r| *r == name);
            let Some(known) = known else {
                return Err(unexpected(&path, &name, &self.kind.relations().collect::<Vec<_>>()));
            };
            let list = self.every(value, &path, Self::relation)?;
            // An empty list counts as absent.
            if !list.is_empty() {
                relations.insert(known, list);
            }
        }
        Ok(relations)
    }

    fn relation(&mut self, value: Value, path: &str) -> Result<(Target, Virkning)> {
        let mut element = dict(value, path)?;
        let virkning = self.virkning(&mut element, path)?;
        let mut take = |name: &str| -> Result<Option<String>> {
            element.remove(name).map(|v| text(v, &format!("{path}.{name}"))).transpose()
        };
        let (uuid, urn, objekttype) = (take("uuid")?, take("urn")?, take("objekttype")?);
        if let Some(other) = element.keys().next() {
            return Err(unexpected(&format!("{path}.{other}"), other, &["uuid", "urn", "objekttype", "virkning"]));
        }
        let objekttype = objekttype.filter(|o| !o.is_empty());
        let set = |text: &Option<String>| text.as_ref().is_some_and(|t| !t.is_empty());
        let target = match (&uuid, &urn) {
            (Some(text), _) if set(&uuid) && !set(&urn) => {
                let path = format!("{path}.uuid");
                let (da, en) =
                    (format!("»{}« er ikke en uuid", shown(text)), format!("'{}' is not a uuid", shown(text)));
                Reference::Uuid(Uuid::try_parse(text).map_err(|_| wrong(&path, da, en))?)
            }
            (_, Some(text)) if set(&urn) && !set(&uuid) => {
                let lawful = text.strip_prefix("urn:").is_some_and(|rest| !rest.is_empty());
                if !lawful || text.len() > 2000 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
                    let (da, en) =
                        (format!("»{}« er ikke en URN", shown(text)), format!("'{}' is not a URN", shown(text)));
                    return Err(wrong(&format!("{path}.urn"), da, en).allowed(["urn:…"]));
                }
                Reference::Urn(text.clone())
            }
            // Both there and both empty: nothing, over the period.
            (Some(_), Some(_)) if !set(&uuid) && !set(&urn) => return Ok((None, virkning)),
            _ => {
                let (da, en) = ("der skal være netop én af uuid og urn", "exactly one of uuid and urn is needed");
                return Err(wrong(path, da, en).allowed(["uuid", "urn"]));
            }
        };
        Ok((Some((target, objekttype)), virkning))
    }

    /// Reads a list, element by element.
    fn every<T>(
        &mut self,
        value: Value,
        path: &str,
        mut each: impl FnMut(&mut Self, Value, &str) -> Result<T>,
    ) -> Result<Vec<T>> {
        let Value::Array(list) = value else { return Err(mistyped(path, "list", &value)) };
        self.elements += list.len();
        if self.elements > MOST {
            let (da, en) = (format!("flere end {MOST} elementer"), format!("more than {MOST} elements"));
            return Err(Refusal::new(Code::TooLarge, da, en).at(Place::field(path)));
        }
        list.into_iter().enumerate().map(|(i, value)| each(self, value, &format!("{path}[{i}]"))).collect()
    }

    fn virkning(&self, element: &mut Map<String, Value>, path: &str) -> Result<Virkning> {
        let path = format!("{path}.virkning");
        let mut v = dict(element.remove("virkning").ok_or_else(|| missing(&path, "virkning"))?, &path)?;
        let mut instant = |name: &str| {
            let path = format!("{path}.{name}");
            let value = v.remove(name).ok_or_else(|| missing(&path, name))?;
            time::parse(&text(value, &path)?).map_err(|r| r.at(Place::field(path)))
        };
        let (from, to) = (instant("from")?, instant("to")?);
        let period = Period::new(from, to).map_err(|r| r.at(Place::field(path.as_str())))?;
        for name in ["from_included", "to_included"] {
            match v.remove(name) {
                None | Some(Value::Bool(_)) => {}
                Some(other) => return Err(mistyped(&format!("{path}.{name}"), "bool", &other)),
            }
        }
        let mut optional = |name: &str| -> Result<Option<String>> {
            let text = v.remove(name).map(|v| text(v, &format!("{path}.{name}"))).transpose()?;
            Ok(text.filter(|t| !t.is_empty()))
        };
        let (who, what, notetekst) = (optional("aktoerref")?, optional("aktoertypekode")?, optional("notetekst")?);
        if let Some(other) = v.keys().next() {
            let allowed = ["from", "to", "from_included", "to_included", "aktoerref", "aktoertypekode", "notetekst"];
            return Err(unexpected(&format!("{path}.{other}"), other, &allowed));
        }
        let aktoerref = who.map(|who| {
            let (da, en) = (format!("»{}« er ikke en uuid", shown(&who)), format!("'{}' is not a uuid", shown(&who)));
            Uuid::try_parse(&who).map_err(|_| wrong(&format!("{path}.aktoerref"), da, en))
        });
        let aktoertypekode = what.map(|what| {
            let known = serde_json::from_value::<Aktoertype>(Value::String(what.clone()));
            let (da, en) =
                (format!("»{}« er ingen aktørtype", shown(&what)), format!("'{}' is no aktoertype", shown(&what)));
            known.map_err(|_| wrong(&format!("{path}.aktoertypekode"), da, en))
        });
        Ok(Virkning {
            period,
            aktoerref: aktoerref.transpose()?,
            aktoertypekode: aktoertypekode.transpose()?,
            notetekst,
        })
    }
}

/// An index word: a list of three texts, or an object as it is shown.
fn word(value: Value, path: &str) -> Result<Soegeord> {
    let parts = match value {
        Value::Array(list) => {
            let count = list.len();
            let texts = list.into_iter().enumerate().map(|(i, v)| text(v, &format!("{path}[{i}]")));
            <[String; 3]>::try_from(texts.collect::<Result<Vec<_>>>()?).map_err(|_| {
                let (da, en) = (
                    format!("et søgeord har tre dele og ikke {count}"),
                    format!("an index word has three parts, not {count}"),
                );
                wrong(path, da, en).allowed(["soegeordidentifikator", "beskrivelse", "soegeordskategori"])
            })?
        }
        Value::Object(mut object) => {
            let names = ["soegeordidentifikator", "beskrivelse", "soegeordskategori"];
            let mut take = |name: &str| {
                let value = object.remove(name).map(|v| text(v, &format!("{path}.{name}")));
                value.transpose().map(Option::unwrap_or_default)
            };
            let parts = [take(names[0])?, take(names[1])?, take(names[2])?];
            if let Some(other) = object.keys().next() {
                return Err(unexpected(&format!("{path}.{other}"), other, &names));
            }
            parts
        }
        other => return Err(mistyped(path, "list", &other)),
    };
    let [soegeordidentifikator, beskrivelse, soegeordskategori] = parts;
    if soegeordidentifikator.trim().is_empty() {
        return Err(wrong(path, "søgeordet er tomt", "the index word is empty"));
    }
    Ok(Soegeord { soegeordidentifikator, beskrivelse, soegeordskategori })
}

fn dict(value: Value, path: &str) -> Result<Map<String, Value>> {
    match value {
        Value::Object(object) => Ok(object),
        other => Err(mistyped(path, "dict", &other)),
    }
}

/// A text: one that all formats can hold and no terminal obeys.
fn text(value: Value, path: &str) -> Result<String> {
    let Value::String(text) = value else { return Err(mistyped(path, "str", &value)) };
    if text.len() > LONGEST {
        let (da, en) = ("teksten er længere end 1 MiB", "the text is longer than 1 MiB");
        return Err(Refusal::new(Code::TooLarge, da, en).at(Place::field(path)));
    }
    let lawful = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    if !text.chars().all(lawful) {
        let (da, en) = ("teksten indeholder styretegn", "the text holds control characters");
        return Err(wrong(path, da, en).allowed(["tab and line breaks"]));
    }
    Ok(text)
}

fn mistyped(path: &str, wanted: &str, found: &Value) -> Refusal {
    let name = match found {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    };
    let found = shown(&found.to_string());
    wrong(
        path,
        format!("»{path}« skal være {wanted} og er {name}: {found}"),
        format!("expected {wanted} for '{path}', found {name}: {found}"),
    )
    .allowed([wanted])
}

fn missing(path: &str, name: &str) -> Refusal {
    wrong(path, format!("»{name}« mangler"), format!("'{name}' is a required property"))
}

fn unexpected(path: &str, name: &str, allowed: &[&str]) -> Refusal {
    let name = shown(name);
    let unique: BTreeSet<&str> = allowed.iter().copied().collect();
    wrong(
        path,
        format!("»{name}« hører ikke til her"),
        format!("Additional properties are not allowed ('{name}' was unexpected)"),
    )
    .allowed(unique)
}

fn wrong(path: &str, da: impl Into<String>, en: impl Into<String>) -> Refusal {
    Refusal::new(Code::InvalidBody, da, en).at(Place::field(shown(path)))
}

/// So much of a text as an answer repeats.
fn shown(text: &str) -> String {
    text.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read_json(mode: Mode, value: &Value) -> Result<Given> {
        read(Kind::Klasse, mode, value.to_string().as_bytes())
    }

    fn virkning() -> Value {
        json!({"from": "2026-01-01", "to": "infinity"})
    }

    fn klasse() -> Value {
        json!({
            "note": "n",
            "attributter": {"klasseegenskaber": [{
                "brugervendtnoegle": "A", "titel": "a", "soegeord": [["x", "y", "z"]],
                "virkning": {"from": "2026-01-01", "to": "infinity", "from_included": true, "to_included": false,
                    "aktoerref": Uuid::max(), "aktoertypekode": "Bruger", "notetekst": "t"}}]},
            "tilstande": {"klassepubliceret": [{"publiceret": "Publiceret", "virkning": virkning()}]},
            "relationer": {"facet": [{"uuid": Uuid::max(), "objekttype": "Facet", "virkning": virkning()}],
                "mapninger": [{"urn": "urn:x", "virkning": virkning()}], "sideordnede": []},
        })
    }

    #[test]
    fn a_whole_object_is_read() {
        let given = read_json(Mode::Whole, &klasse()).unwrap();
        assert_eq!(given.note.as_deref(), Some("n"));
        let attributes = &given.attributter.as_ref().unwrap()[0];
        assert_eq!(attributes.fields["titel"], "a");
        assert_eq!(attributes.soegeord.as_ref().unwrap()[0].soegeordskategori, "z");
        assert_eq!(attributes.virkning.aktoertypekode, Some(Aktoertype::Bruger));
        assert_eq!(given.tilstande.unwrap()[0].0, Some(Publiceret::Publiceret));
        let names: Vec<_> = given.relationer.keys().copied().collect();
        assert_eq!(names, ["facet", "mapninger"], "an empty list counts as absent");
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_path() {
        type Spoil = fn(&mut Value);
        let cases: [(Spoil, &str); 22] = [
            (|v| v["andet"] = json!(1), "andet"),
            (|v| v["note"] = json!(1), "note"),
            (|v| v["livscyklus"] = json!("Passiv"), "livscyklus"),
            (|v| v["relationer"] = json!("x"), "relationer"),
            (|v| v["attributter"] = json!([]), "attributter"),
            (|v| v["attributter"]["andre"] = json!([]), "attributter.andre"),
            (|v| v["tilstande"]["publiceret"] = json!([]), "tilstande.publiceret"),
            (|v| v["relationer"]["facetter"] = json!([]), "relationer.facetter"),
            (|v| v["relationer"]["facet"][0]["uuid"] = json!("x"), "relationer.facet[0].uuid"),
            (|v| v["relationer"]["facet"][0]["urn"] = json!("urn:x"), "relationer.facet[0]"),
            (|v| v["relationer"]["mapninger"][0]["urn"] = json!("x"), "relationer.mapninger[0].urn"),
            (|v| v["relationer"]["mapninger"][0]["indeks"] = json!(1), "relationer.mapninger[0].indeks"),
            (
                |v| v["tilstande"]["klassepubliceret"][0]["publiceret"] = json!("Ja"),
                "tilstande.klassepubliceret[0].publiceret",
            ),
            (
                |v| v["tilstande"]["klassepubliceret"][0]["publiceret"] = json!(""),
                "tilstande.klassepubliceret[0].publiceret",
            ),
            (|v| v["attributter"]["klasseegenskaber"][0]["titel"] = json!(""), "attributter.klasseegenskaber[0].titel"),
            (
                |v| v["attributter"]["klasseegenskaber"][0]["titel"] = json!("a\u{0}"),
                "attributter.klasseegenskaber[0].titel",
            ),
            (|v| v["attributter"]["klasseegenskaber"][0]["navn"] = json!(""), "attributter.klasseegenskaber[0].navn"),
            (
                |v| v["attributter"]["klasseegenskaber"][0]["soegeord"][0] = json!(["a", "b"]),
                "attributter.klasseegenskaber[0].soegeord[0]",
            ),
            (
                |v| v["attributter"]["klasseegenskaber"][0]["virkning"]["from"] = json!("i går"),
                "attributter.klasseegenskaber[0].virkning.from",
            ),
            (
                |v| v["attributter"]["klasseegenskaber"][0]["virkning"]["to"] = json!("2026-01-01"),
                "attributter.klasseegenskaber[0].virkning",
            ),
            (
                |v| v["attributter"]["klasseegenskaber"][0]["virkning"]["aktoertypekode"] = json!("Kat"),
                "attributter.klasseegenskaber[0].virkning.aktoertypekode",
            ),
            (
                |v| v["attributter"]["klasseegenskaber"][0]["virkning"] = json!({}),
                "attributter.klasseegenskaber[0].virkning.from",
            ),
        ];
        for (spoil, path) in cases {
            let mut value = klasse();
            spoil(&mut value);
            let refusal = read_json(Mode::Whole, &value).expect_err(path);
            assert_eq!(refusal.place.field.as_deref(), Some(path), "{refusal}");
        }
    }

    #[test]
    fn what_is_no_object_is_nothing() {
        for wrong in ["", "{", "[]", "1", "{}", "null", "\"x\"", "\u{feff}{}"] {
            assert_eq!(read(Kind::Facet, Mode::Partial, wrong.as_bytes()).unwrap_err().code, Code::Syntax, "{wrong}");
        }
        assert_eq!(read(Kind::Facet, Mode::Whole, &vec![b' '; LARGEST + 1]).unwrap_err().code, Code::TooLarge);
        let many: Vec<Value> = (0..=MOST).map(|_| json!({"urn": "urn:x", "virkning": virkning()})).collect();
        let many = json!({"relationer": {"mapninger": many}});
        assert_eq!(read_json(Mode::Partial, &many).unwrap_err().code, Code::TooLarge);
    }

    #[test]
    fn a_partial_object_may_say_less_and_clear() {
        let given = read_json(
            Mode::Partial,
            &json!({
                "attributter": {"klasseegenskaber": [{"omfang": "", "virkning": virkning()}]},
                "tilstande": {"publiceret": [{"publiceret": "", "virkning": virkning()}]},
                "relationer": {"ejer": [{"uuid": "", "urn": "", "virkning": virkning()}]},
            }),
        );
        let given = given.unwrap();
        assert_eq!(given.attributter.unwrap()[0].fields["omfang"], "");
        assert_eq!(given.tilstande.unwrap()[0].0, None);
        assert_eq!(given.relationer["ejer"][0].0, None);
        let passive = read_json(Mode::Partial, &json!({"livscyklus": "PASSIV", "note": "n", "relationer": 1})).unwrap();
        assert!(passive.passiv && passive.note.as_deref() == Some("n") && passive.relationer.is_empty());
        assert!(read_json(Mode::Partial, &json!({"livscyklus": "Aktiv"})).is_err());
        assert_eq!(read_note(b" ").unwrap(), None);
        assert_eq!(read_note(b"{\"note\": \"n\"}").unwrap().as_deref(), Some("n"));
        assert!(read_note(b"{\"x\": 1}").is_err() && read_note(b"[]").is_err());
    }

    /// JSON of any shape, with the names of the format in it.
    fn any_json() -> impl Strategy<Value = Value> {
        let name = prop::sample::select(vec![
            "note",
            "attributter",
            "klasseegenskaber",
            "tilstande",
            "klassepubliceret",
            "publiceret",
            "relationer",
            "facet",
            "virkning",
            "from",
            "to",
            "uuid",
            "urn",
            "titel",
            "soegeord",
            "livscyklus",
            "x",
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
            Just(json!("infinity")),
            Just(json!("2026-01-01")),
            Just(json!("Publiceret")),
        ];
        leaf.prop_recursive(6, 48, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((name.clone(), inner), 0..5)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for kind in Kind::ALL {
                let _ = (read(kind, Mode::Whole, &bytes), read(kind, Mode::Partial, &bytes), read_note(&bytes));
            }
        }

        #[test]
        fn no_json_is_too_strange(value in any_json()) {
            for kind in Kind::ALL {
                for mode in [Mode::Whole, Mode::Partial] {
                    let _ = read(kind, mode, value.to_string().as_bytes());
                }
            }
        }
    }
}
