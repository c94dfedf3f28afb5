//! A version made of one that is here and the concepts that were said anew since. What comes of it is held against the
//! digest of the bytes that the server would send: when they are not the same, the whole is fetched instead.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use begreb::model::{Code, Instant, Refusal, Slug, Version, canonical_json};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::fetch::{Client, Log};
use super::manifest::Summing;
use super::{Listed, edition};
use crate::stop::{Result, Stop, file};

/// The most concepts that are asked for one by one.
const MOST: usize = 300;
/// The whole is fetched when more than this part of the concepts would be: one in so many.
const PART: usize = 3;

/// The members of a concept's answer that are its content.
const CONTENT: [&str; 13] = [
    "aliases",
    "definitions",
    "facet",
    "legalBasis",
    "mappings",
    "notation",
    "notes",
    "oio",
    "rank",
    "relations",
    "statements",
    "subjectFields",
    "terms",
];

/// Writes a version into a file, out of another and what changed; how many concepts were fetched, or nothing when it
/// cannot be done this way.
///
/// # Errors
/// What the server refuses; a file that cannot be written.
pub fn rebuild(
    client: &Client,
    slug: &Slug,
    listed: &Listed,
    base: &Path,
    log: &Log,
    into: &Path,
) -> Result<Option<usize>> {
    let Some(touched) = &log.touched else { return Ok(None) };
    let most = usize::try_from(listed.manifest.concepts).unwrap_or(usize::MAX) / PART;
    if touched.len() > most.min(MOST) {
        return Ok(None);
    }
    let Ok(mut base) = Base::read(base) else { return Ok(None) };
    let order = client.order(slug, &listed.label)?;
    let fetched: Vec<Uuid> =
        order.iter().copied().filter(|u| touched.contains(u) || !base.lines.contains_key(u)).collect();
    if fetched.len() > most.min(MOST) || order.len() as u64 != listed.manifest.concepts {
        return Ok(None);
    }
    let mut anew = HashMap::with_capacity(fetched.len());
    for uuid in fetched {
        let Some(line) = line(uuid, &client.concept(slug, &listed.label, uuid)?) else { return Ok(None) };
        anew.insert(uuid, line);
    }
    let failed = |e: &std::io::Error| Stop::from(file(into, e));
    let out = File::create(into).map_err(|e| failed(&e))?;
    let mut out = BufWriter::with_capacity(1 << 16, Summing::new(out));
    let written = base.write(listed, &order, &anew, &mut out).and_then(|()| out.flush());
    written.map_err(|e| failed(&e))?;
    let out = out.into_inner().map_err(|e| failed(e.error()))?;
    let (out, _, sum) = out.finish();
    out.sync_all().map_err(|e| failed(&e))?;
    let same = client.digest(slug, &listed.label)? == *sum.bytes();
    Ok(same.then_some(anew.len()))
}

/// The version that is built on.
struct Base {
    file: File,
    vocabulary: String,
    version: Version,
    statements: String,
    /// Where the line of each concept stands, without its comma.
    lines: HashMap<Uuid, (u64, usize)>,
}

impl Base {
    fn read(path: &Path) -> begreb::model::Result<Self> {
        let edition = edition::read(path)?;
        let mut lines = edition::lines(path)?;
        let vocabulary = lines.line()?.to_owned();
        for _ in 0..3 {
            lines.line()?;
        }
        let mut places = HashMap::new();
        loop {
            let start = lines.offset;
            let line = lines.line()?;
            if line == "]," {
                break;
            }
            let line = line.strip_suffix(',').unwrap_or(line);
            if let Some(uuid) = uuid_of(line) {
                places.insert(uuid, (start, line.len()));
            }
        }
        // What is no version is nothing to build one on.
        let version = edition.version.ok_or_else(|| Refusal::new(Code::Corrupt, "ingen version", "no version"))?;
        let statements = canonical_json(&version.statements);
        let file = File::open(path).map_err(|e| file(path, &e))?;
        Ok(Self { file, vocabulary, version, statements, lines: places })
    }

    fn write(
        &mut self,
        listed: &Listed,
        order: &[Uuid],
        anew: &HashMap<Uuid, String>,
        out: &mut dyn Write,
    ) -> std::io::Result<()> {
        let version = Version {
            uuid: listed.uuid,
            vocabulary: self.version.vocabulary,
            label: listed.label.clone(),
            effective: listed.effective,
            registered: listed.registered,
            decision: listed.decision.clone(),
            manifest: listed.manifest.clone(),
            statements: Vec::new(),
        };
        let point = json!({ "valid": version.effective, "registered": version.registered });
        writeln!(out, "{}", self.vocabulary)?;
        writeln!(out, "\"version\":{},", canonical_json(&version))?;
        writeln!(out, "\"point\":{},", canonical_json(&point))?;
        write!(out, "\"concepts\":[")?;
        for (index, uuid) in order.iter().enumerate() {
            out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
            match anew.get(uuid) {
                Some(line) => out.write_all(line.as_bytes())?,
                None => out.write_all(&self.line(*uuid)?)?,
            }
        }
        writeln!(out, "\n],\n\"statements\":{}}}", self.statements)
    }

    fn line(&mut self, uuid: Uuid) -> std::io::Result<Vec<u8>> {
        let (start, length) = self.lines.get(&uuid).copied().ok_or(std::io::ErrorKind::NotFound)?;
        let mut line = vec![0; length];
        self.file.seek(SeekFrom::Start(start))?;
        self.file.read_exact(&mut line)?;
        Ok(line)
    }
}

/// The uuid of a line that was read and found lawful.
fn uuid_of(line: &str) -> Option<Uuid> {
    // A quote inside a text is written \", so these bytes stand only where the member does; it is the last of its name.
    let (_, rest) = line.rsplit_once(",\"uuid\":\"")?;
    Uuid::try_parse(rest.get(..36)?).ok()
}

/// The line of a concept, from the answer of the API.
fn line(uuid: Uuid, answer: &Value) -> Option<String> {
    let members = answer.as_object()?;
    if answer["uuid"].as_str() != Some(&uuid.to_string()) {
        return None;
    }
    let content: Map<String, Value> =
        CONTENT.iter().filter_map(|n| Some(((*n).to_owned(), members.get(*n)?.clone()))).collect();
    let content = canonical_json(&content);
    let instant = |name: &str| answer[name].as_str().and_then(|t| t.parse::<Instant>().ok());
    let (from, registered) = (instant("validFrom")?, instant("registeredFrom")?);
    let to = instant("validTo").map_or_else(|| "null".to_owned(), |to| format!("\"{to}\""));
    Some(format!(
        "{{\"content\":{content},\"registeredFrom\":\"{registered}\",\"uuid\":\"{uuid}\",\"validFrom\":\"{from}\",\"validTo\":{to}}}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_made_of_what_the_api_says() {
        let uuid: Uuid = "c4ca5ea2-0f0b-4dc1-8f0e-57b5d0c1d001".parse().unwrap();
        let answer = json!({
            "uuid": uuid.to_string(), "iri": "x", "status": "inForce", "level": 1, "broader": [], "narrowerCount": 0,
            "validFrom": "2024-01-01T00:00:00Z", "registeredFrom": "2024-01-01T10:00:00.5Z",
            "terms": [{"value": "a,\"uuid\":\"", "status": "preferred", "language": "da"}], "notation": "A", "rank": 3,
        });
        let line = line(uuid, &answer).unwrap();
        assert_eq!(
            line,
            "{\"content\":{\"notation\":\"A\",\"rank\":3,\"terms\":[{\"language\":\"da\",\"status\":\"preferred\",\
             \"value\":\"a,\\\"uuid\\\":\\\"\"}]},\"registeredFrom\":\"2024-01-01T10:00:00.5Z\",\
             \"uuid\":\"c4ca5ea2-0f0b-4dc1-8f0e-57b5d0c1d001\",\"validFrom\":\"2024-01-01T00:00:00Z\",\"validTo\":null}"
        );
        assert_eq!(uuid_of(&line), Some(uuid));
        assert_eq!(super::line(Uuid::nil(), &answer), None, "another concept was sent");
    }
}
