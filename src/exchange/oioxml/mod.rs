//! OIO XML: KOMBIT's klassifikation, facet and klasse objects in an envelope of ours.
//!
//! Every object is exactly valid by KOMBIT's own schema (Støttesystemet Klassifikation 6.0) and can be cut
//! out of the envelope. What an OIO klasse cannot say, or has no room for, stands beside it in our
//! `BegrebUdvidelse`, which tells the whole content of the concept; so the klasse is only a view of it, made
//! by [`klasse::Klasse::of`] and by nothing else. The reader takes the extension's word where there is one,
//! and counts it as a loss when the klasse beside it says otherwise; where there is none, it takes what the
//! klasse says. The envelope's schema is `schemas/begreb-klassifikation-2026-11-22.xsd`.

use std::io::{self, Write};

use super::{Incoming, Outgoing, ReadOptions};
use crate::model::Result;

mod chars;
mod codes;
mod extension;
pub(super) mod facets;
pub(super) mod klasse;
mod object;
pub mod operation;
mod parser;
mod read;
#[cfg(test)]
mod tests;
mod tree;
mod write;
mod xml;

pub use facets::{facets_of, is_stand_in, keep_stand_in};

/// The namespace of the envelope. Dated: another shape gets another date.
const BEGREB: &str = "http://begreb.dk/xml/schemas/2026/11/22/";
/// The namespace of KOMBIT's klassifikation objects.
const KLASSIFIKATION: &str = "http://stoettesystemerne.dk/klassifikation/klassifikation/6/";
/// The namespace of KOMBIT's facet objects.
const FACET: &str = "http://stoettesystemerne.dk/klassifikation/facet/6/";
/// The namespace of KOMBIT's klasse objects.
const KLASSE: &str = "http://stoettesystemerne.dk/klassifikation/klasse/6/";
/// The namespace of what sag and dokument objects share.
const SAGDOK: &str = "urn:oio:sagdok:3.0.0";

pub(super) fn read(bytes: &[u8], options: &ReadOptions) -> Result<Incoming> {
    read::envelope(super::utf8(bytes)?, options)
}

pub(super) fn write(edition: Outgoing<'_>, out: &mut dyn Write) -> io::Result<()> {
    write::envelope(edition, out)
}
