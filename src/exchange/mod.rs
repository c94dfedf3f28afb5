//! Formats: one file each, reader and writer side by side.
//!
//! Knows the model and nothing else: no store, no HTTP, no clock. Called by `registry` (and the command
//! line through it). A reader turns bytes into an [`Incoming`] edition in which concepts name each other by
//! [`Key`]; it never guesses and never drops anything silently: what it cannot take over is a [`Loss`].
//! A writer turns an [`Outgoing`] edition into bytes, one concept at a time.

use std::io::{Read, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::model::{
    Code, Content, ContentFields, Instant, Language, Period, Place, Point, Refusal, Result, Statement, Text, Version,
    Vocabulary,
};

mod charset;
mod codes;
mod csv;
mod fhir;
mod json;
mod migration;
pub mod oio;
mod oioxml;
pub mod paper;
mod rdf;

pub use codes::{Columns, LARGEST_LIST, ListedCode, MOST_CODES, codes, codes_in};
pub use migration::{Fate, Migration, MigrationEnd, MigrationFormat, MigrationLine, MigrationSide};
pub use oioxml::{facets_of as oio_facets, is_stand_in, keep_stand_in};
pub use rdf::{EventMember, EventPage, PREFIXES, event_page};

/// The deepest hierarchy that is taken in.
pub const DEEPEST: usize = 1000;

/// The largest file that is taken in, in bytes.
pub const LARGEST: u64 = 1 << 30;

/// The formats that can be read or written, by the names in `--format` and `?format=`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// FHIR R4 CodeSystem, JSON.
    Fhir,
    /// SKOS in Turtle.
    Ttl,
    /// SKOS in N-Triples.
    Nt,
    /// SKOS in RDF/XML.
    Rdf,
    /// SKOS in JSON-LD.
    Jsonld,
    /// A table with one row for each concept.
    Csv,
    /// The registry's own JSON.
    Json,
    /// OIO XML: klassifikation, facet and klasse objects in an envelope of ours.
    Oioxml,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 8] =
        [Self::Fhir, Self::Ttl, Self::Nt, Self::Rdf, Self::Jsonld, Self::Csv, Self::Json, Self::Oioxml];

    /// The formats that can be read.
    pub const READ: [Self; 8] = Self::ALL;

    /// The formats that can be written.
    pub const WRITTEN: [Self; 7] = [Self::Ttl, Self::Nt, Self::Rdf, Self::Jsonld, Self::Csv, Self::Json, Self::Oioxml];

    /// The name in `--format` and `?format=`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fhir => "fhir",
            Self::Ttl => "ttl",
            Self::Nt => "nt",
            Self::Rdf => "rdf",
            Self::Jsonld => "jsonld",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Oioxml => "oioxml",
        }
    }

    /// The media type that is sent.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Fhir => "application/fhir+json",
            Self::Ttl => "text/turtle; charset=utf-8",
            Self::Nt => "application/n-triples; charset=utf-8",
            Self::Rdf => "application/rdf+xml",
            Self::Jsonld => "application/ld+json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Oioxml => "application/xml",
        }
    }

    /// The usual ending of a file name.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Fhir | Self::Json => "json",
            Self::Oioxml => "xml",
            other => other.name(),
        }
    }
}

impl std::str::FromStr for Format {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|f| f.name() == text).ok_or_else(|| {
            Refusal::new(
                Code::InvalidParameter,
                format!("»{text}« er ikke et format"),
                format!("'{text}' is not a format"),
            )
            .allowed(Self::ALL.map(Self::name))
        })
    }
}

/// How a file names a concept: as a code of the vocabulary, as an IRI, or as a uuid (lower case, hyphened).
/// Codes and IRIs are compared byte for byte.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub String);

/// An edition as a file tells it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Incoming {
    /// What the file says of the vocabulary.
    pub frame: Frame,
    /// The concepts, in the order of the file.
    pub concepts: Vec<IncomingConcept>,
    /// Triples that belong to no concept and have no field.
    pub statements: Vec<Statement>,
    /// What could not be taken over.
    pub losses: Vec<Loss>,
}

/// What a file says of the vocabulary itself; all of it optional.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frame {
    /// The IRI or URL of the vocabulary.
    pub iri: Option<String>,
    /// Titles, one for each language.
    pub titles: Vec<Text>,
    /// Descriptions.
    pub descriptions: Vec<Text>,
    /// Other identifiers: `urn:oid:…`.
    pub identifiers: Vec<String>,
    /// The version that the file claims to be. Never trusted as a label.
    pub claimed_version: Option<String>,
    /// The licence, an IRI.
    pub licence: Option<String>,
    /// The languages of its texts, most frequent first.
    pub languages: Vec<Language>,
    /// The facets: code and titles.
    pub facets: Vec<(String, Vec<Text>)>,
}

/// A concept as a file tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncomingConcept {
    /// Every name by which the file may refer to it: code, IRI, uuid. The first is the one to show.
    pub keys: Vec<Key>,
    /// The uuid, when the file says it outright (its code or a column *is* the uuid).
    pub uuid: Option<Uuid>,
    /// What is said of it; targets are keys. `rank` is unset: the order of the file decides.
    pub content: ContentFields<Key>,
    /// Where it stands in the file.
    pub place: Place,
}

/// Something in a file that could not be taken over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Loss {
    /// What it was: `property 'inactive'`, `element 'experimental'`, …
    pub what: String,
    /// Why it was not taken over.
    pub why: String,
    /// How many times.
    pub count: u64,
}

/// What a reader needs to be told.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// The language of texts that name none.
    pub language: Language,
    /// What IRIs of concepts of this vocabulary begin with, when the vocabulary exists already; the rest is
    /// then the uuid.
    pub namespace: Option<String>,
}

/// Reads an edition.
///
/// # Errors
/// [`Code::Syntax`], [`Code::Encoding`], [`Code::Forbidden`], [`Code::Incomplete`], [`Code::TooLarge`],
/// [`Code::TooDeep`] or what the model refuses; always with the place in the file. Never panics, whatever
/// the bytes; memory is bounded by a small multiple of the file.
pub fn read(format: Format, bytes: &[u8], options: &ReadOptions) -> Result<Incoming> {
    if bytes.len() as u64 > LARGEST {
        return Err(Refusal::new(Code::TooLarge, "filen er større end 1 GiB", "the file is larger than 1 GiB"));
    }
    match format {
        Format::Fhir => fhir::read(bytes, options),
        Format::Ttl | Format::Nt | Format::Rdf | Format::Jsonld => rdf::read(format, bytes, options),
        Format::Csv => csv::read(bytes, options),
        Format::Json => json::read(bytes, options),
        Format::Oioxml => oioxml::read(bytes, options),
    }
}

/// An edition to be written.
pub struct Outgoing<'a> {
    /// The vocabulary.
    pub vocabulary: &'a Vocabulary,
    /// The version, when the point is one.
    pub version: Option<&'a Version>,
    /// The point in the two times.
    pub point: Point,
    /// How many concepts there will be.
    pub count: usize,
    /// The concepts, parents before children and siblings in order.
    pub concepts: Box<dyn Iterator<Item = OutgoingConcept> + 'a>,
}

/// A concept to be written.
#[derive(Clone)]
pub struct OutgoingConcept {
    /// The uuid.
    pub uuid: Uuid,
    /// Its content.
    pub content: Arc<Content>,
    /// The period over which the registry says so.
    pub valid: Period,
    /// Since when it says so.
    pub registered: Instant,
    /// Whether it has no parent in this edition.
    pub is_top: bool,
    /// The concepts directly below it in this edition, in order.
    pub children: Vec<Uuid>,
}

/// Writes an edition.
///
/// # Errors
/// [`Code::File`] when the writer fails; [`Code::InvalidParameter`] for a format that is only read.
pub fn write(format: Format, edition: Outgoing<'_>, out: &mut dyn Write) -> Result<()> {
    let done = match format {
        Format::Ttl | Format::Nt | Format::Rdf | Format::Jsonld => rdf::write(format, edition, out),
        Format::Csv => csv::write(edition, out),
        Format::Json => json::write(edition, out),
        Format::Oioxml => oioxml::write(edition, out),
        Format::Fhir => {
            return Err(Refusal::new(
                Code::InvalidParameter,
                "FHIR kan læses, men ikke skrives",
                "FHIR can be read but not written",
            )
            .allowed(Format::WRITTEN.map(Format::name)));
        }
    };
    done.map_err(|e| Refusal::new(Code::File, format!("kan ikke skrive: {e}"), format!("cannot write: {e}")))
}

/// Tells an edition as RDF triples, one at a time: those of the Turtle file, in its order. The prefixes of the file
/// are [`PREFIXES`].
///
/// # Errors
/// [`Code::File`] with what `take` fails with, or for a namespace or a statement that is no RDF.
pub fn triples(edition: Outgoing<'_>, take: &mut dyn FnMut(oxrdf::TripleRef<'_>) -> std::io::Result<()>) -> Result<()> {
    rdf::triples(edition, take)
        .map_err(|e| Refusal::new(Code::File, format!("kan ikke skrive: {e}"), format!("cannot write: {e}")))
}

/// Reads all of a file, up to [`LARGEST`].
///
/// # Errors
/// [`Code::File`], [`Code::TooLarge`].
pub fn read_bytes(source: &mut dyn Read, name: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let failed = |e: std::io::Error| {
        Refusal::new(Code::File, format!("kan ikke læse {name}: {e}"), format!("cannot read {name}: {e}"))
    };
    source.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Refusal::new(
            Code::TooLarge,
            format!("{name} er større end 1 GiB"),
            format!("{name} is larger than 1 GiB"),
        ));
    }
    Ok(bytes)
}

/// Text that must be UTF-8, without the byte-order mark.
fn utf8(bytes: &[u8]) -> Result<&str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count() as u64 + 1;
        Refusal::new(Code::Encoding, "filen er ikke UTF-8", "the file is not UTF-8")
            .at(Place { line: Some(line), ..Place::default() })
            .allowed(["UTF-8"])
    })
}
