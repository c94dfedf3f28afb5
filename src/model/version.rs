//! A version: a named point in the plane of the two times, with its manifest.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use super::canonical::{Digest, canonical_json};
use super::identifier::Label;
use super::parts::Statement;
use super::time::{Instant, Point};

/// A published version. Its bytes are the same for ever; a correction is a new version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// The uuid.
    pub uuid: Uuid,
    /// The vocabulary.
    pub vocabulary: Uuid,
    /// The label, unique in the vocabulary.
    pub label: Label,
    /// From when it is in force.
    pub effective: Instant,
    /// When it was registered.
    pub registered: Instant,
    /// Who decided, and where that is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// What it holds.
    pub manifest: Manifest,
    /// Triples of the source that belong to no concept and that the registry has no field for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<Statement>,
}

impl Version {
    /// The point in the plane that the version names.
    #[must_use]
    pub fn point(&self) -> Point {
        Point { valid: self.effective, registered: self.registered }
    }
}

/// What a version holds, so that whoever has it can see that they have all of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// How many concepts it has.
    pub concepts: u64,
    /// How many of them the version in force before did not have.
    pub added: u64,
    /// How many have other content than in the version in force before.
    pub changed: u64,
    /// How many the version in force before had and this has not.
    pub retired: u64,
    /// SHA-256 over the canonical form (docs/canonical-form.md).
    pub digest: Digest,
    /// The file that it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Origin>,
}

/// The file that a version was made from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Origin {
    /// The format: `fhir`, `ttl`, `csv`, …
    pub format: String,
    /// SHA-256 of the file's bytes.
    pub digest: Digest,
    /// The file's size in bytes.
    pub bytes: u64,
}

/// Computes the digest of a version over its canonical form: for each concept, in the order of the version
/// (parents before children, siblings in order), one line `{"content":…,"uuid":"…"}` in canonical JSON, without
/// the content's `rank`, whose number depends on what was imported before; when the version has statements of
/// its own, one line `{"statements":[…]}` after them. Lines end with LF.
#[derive(Default)]
pub struct VersionHasher {
    hasher: Sha256,
    /// How many concepts were added.
    pub concepts: u64,
}

/// Canonical content before and after its `rank`. A quote inside a JSON string is written `\"`, so the bytes
/// `"rank":` stand only where the member does.
fn around_rank(content: &str) -> (&str, &str) {
    let Some(start) = content.find("\"rank\":") else { return (content, "") };
    let end = content[start..].find([',', '}']).map_or(content.len(), |n| start + n);
    // The comma goes with it: the one after, or, for the last member, the one before.
    match content[end..].strip_prefix(',') {
        Some(rest) => (&content[..start], rest),
        None => (content[..start].strip_suffix(',').unwrap_or(&content[..start]), &content[end..]),
    }
}

impl VersionHasher {
    /// Adds the next concept; `content` is its canonical JSON.
    pub fn concept(&mut self, uuid: Uuid, content: &str) {
        let (before, after) = around_rank(content);
        self.concepts += 1;
        self.hasher.update(b"{\"content\":");
        self.hasher.update(before);
        self.hasher.update(after);
        self.hasher.update(format!(",\"uuid\":\"{uuid}\"}}\n"));
    }

    /// The digest, after the version's own statements.
    #[must_use]
    pub fn finish(mut self, statements: &[Statement]) -> Digest {
        if !statements.is_empty() {
            let line = canonical_json(&serde_json::json!({ "statements": statements }));
            self.hasher.update(line);
            self.hasher.update(b"\n");
        }
        Digest::from_hasher(self.hasher)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_is_left_out_wherever_it_stands() {
        for (content, left) in [
            (r#"{"notation":"a","rank":-7,"terms":[]}"#, r#"{"notation":"a","terms":[]}"#),
            (r#"{"rank":7,"terms":[]}"#, r#"{"terms":[]}"#),
            (r#"{"notation":"a","rank":7}"#, r#"{"notation":"a"}"#),
            (r#"{"rank":7}"#, "{}"),
            (r#"{"notation":"\"rank\":1,"}"#, r#"{"notation":"\"rank\":1,"}"#),
            (r#"{"notation":"\"rank\":1,","rank":2}"#, r#"{"notation":"\"rank\":1,"}"#),
        ] {
            let (before, after) = around_rank(content);
            assert_eq!(format!("{before}{after}"), left);
        }
    }
}
