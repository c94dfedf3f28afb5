//! Exports: a view, or one concept of it, in any format.

use std::io::Write;
use std::sync::Arc;

use super::{Registry, View};
use crate::exchange::{self, Format, Outgoing, OutgoingConcept};
use crate::model::Result;
use crate::projection::{Entry, Found};

impl Registry {
    /// Writes all concepts of a view, one at a time.
    ///
    /// # Errors
    /// [`crate::model::Code::File`] when the writer fails; [`crate::model::Code::InvalidParameter`] for a
    /// format that is only read.
    pub fn export(&self, view: &View, format: Format, out: &mut dyn Write) -> Result<()> {
        let edition = Outgoing {
            vocabulary: view.vocabulary(),
            version: view.version.as_deref(),
            point: view.edition.point(),
            count: view.edition.len(),
            concepts: Box::new(view.edition.entries().map(outgoing)),
        };
        exchange::write(format, edition, out)
    }

    /// Writes one concept of a view; `false` when the view does not have it.
    ///
    /// # Errors
    /// As [`Registry::export`].
    pub fn export_concept(&self, view: &View, key: &str, format: Format, out: &mut dyn Write) -> Result<bool> {
        let Found::Here(entry) = view.find(key) else { return Ok(false) };
        let edition = Outgoing {
            vocabulary: view.vocabulary(),
            version: view.version.as_deref(),
            point: view.edition.point(),
            count: 1,
            concepts: Box::new(std::iter::once(outgoing(entry))),
        };
        exchange::write(format, edition, out)?;
        Ok(true)
    }
}

fn outgoing(entry: Entry<'_>) -> OutgoingConcept {
    let state = &entry.saying().state;
    OutgoingConcept {
        uuid: entry.uuid(),
        content: Arc::new(entry.said().content()),
        valid: state.valid(),
        registered: state.registered().from(),
        is_top: entry.parents().len() == 0,
        children: entry.children().map(|c| c.uuid()).collect(),
    }
}
