//! SKOS in Turtle, N-Triples, RDF/XML and JSON-LD.
//!
//! Knows the model and the parsers of `oxrdfio`; knows no store. `graph` turns bytes into triples grouped by
//! subject and refuses what is unsafe; `read` turns subjects into concepts, `satellites` reads the nodes
//! beside them, `relations` ties them together, `frame` reads the scheme, `statements` keeps the rest; `write`
//! goes the other way, one concept at a time; `vocab` lists every IRI, our own with a comment; `node` holds
//! the small steps between values and nodes.
//!
//! # How fields are written
//!
//! | field | triples of the concept |
//! |---|---|
//! | terms | `skos:prefLabel`, `altLabel`, `hiddenLabel`, `mdl:deprecatedLabel`; a `skosxl:Label` besides for a term that is deprecated or has a form or source |
//! | definitions | `skos:definition`; an `euvoc:XlNote` besides when it has an audience, a source or a relation to it |
//! | notes | the SKOS documentation properties, `mdl:applicationNote` |
//! | notation | `skos:notation`, plain |
//! | alias, alone | `dct:identifier`, a plain literal (also when it is an IRI) |
//! | alias of a system | `skos:notation` of that datatype, when there is a notation to tell it from |
//! | any other alias | `adms:identifier`, a node with `skos:notation`, `begreb:system` and dates |
//! | legal basis | `mdl:legalSource`: a plain literal, the ELI, or a node |
//! | generic, partitive | `skos:broader` and `narrower`, `xkos:isPartOf` and `hasPart`; a skosno relation node for the criterion |
//! | associative | a `skosno:AssociativeConceptRelation`; never `skos:related`, which is "see also" |
//! | see also | `skos:related`; `begreb:seeAlso` where SKOS forbids it (S27: not between a concept and its ancestor) |
//! | validity of the state | `euvoc:startDate`, `euvoc:endDate` |
//!
//! The order of concepts is the order of the file. A node beside a concept is taken in only when writing the
//! fields gives the same triples back; otherwise its fields are read *and* its triples are kept.

use oxrdfio::{JsonLdProfileSet, RdfFormat};

use super::Format;

mod frame;
mod graph;
mod ldes;
mod node;
mod read;
mod relations;
mod satellites;
mod statements;
#[cfg(test)]
mod tests;
mod vocab;
mod write;

pub use ldes::{EventMember, EventPage, event_page};
pub use vocab::PREFIXES;

pub(super) use read::read;
pub(super) use write::{triples, write};

/// The syntax of a format; Turtle for one that is not RDF, which the caller never passes.
fn syntax(format: Format) -> RdfFormat {
    match format {
        Format::Nt => RdfFormat::NTriples,
        Format::Rdf => RdfFormat::RdfXml,
        Format::Jsonld => RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() },
        _ => RdfFormat::Turtle,
    }
}
