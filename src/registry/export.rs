//! Exports: a view, or one concept of it, in any format.

use std::cell::RefCell;
use std::io::Write;
use std::sync::Arc;

use super::{Registry, View};
use crate::exchange::{self, Format, Outgoing, OutgoingConcept};
use crate::model::Result;
use crate::projection::rdf::{Take, Tell};
use crate::projection::{Entry, Found};

/// Tells views to the graphs, with the triples of their exports.
pub struct Telling;

impl Tell for Telling {
    fn tell(view: &View, take: Take<'_>) -> Result<()> {
        // What is being told: the concept that was last asked for.
        let now = RefCell::new(None);
        let entries = view.edition.entries().inspect(|entry| *now.borrow_mut() = Some(entry.said().clone()));
        let mut refused = None;
        let told = exchange::triples(edition(view, entries.map(outgoing)), &mut |triple| {
            take(now.borrow().as_ref(), triple).map_err(|refusal| {
                refused = Some(refusal);
                std::io::ErrorKind::Other.into()
            })
        });
        refused.map_or(told, Err)
    }
}

fn edition<'a>(view: &'a View, concepts: impl Iterator<Item = OutgoingConcept> + 'a) -> Outgoing<'a> {
    Outgoing {
        vocabulary: view.vocabulary(),
        version: view.version.as_deref(),
        point: view.edition.point(),
        count: view.edition.len(),
        concepts: Box::new(concepts),
    }
}

impl Registry {
    /// Writes all concepts of a view, one at a time.
    ///
    /// # Errors
    /// [`crate::model::Code::File`] when the writer fails; [`crate::model::Code::InvalidParameter`] for a
    /// format that is only read.
    pub fn export(&self, view: &View, format: Format, out: &mut dyn Write) -> Result<()> {
        exchange::write(format, edition(view, view.edition.entries().map(outgoing)), out)
    }

    /// Writes the frame of a vocabulary without its concepts.
    ///
    /// # Errors
    /// As [`Registry::export`].
    pub fn export_frame(&self, view: &View, format: Format, out: &mut dyn Write) -> Result<()> {
        self.export_these(view, format, Vec::new(), out)
    }

    /// Writes one concept of a view; where the view is not pinned, also one that is not in force there, as it
    /// was last.
    ///
    /// # Errors
    /// As [`Registry::export`] and [`Registry::concept`].
    pub fn export_concept(&self, view: &View, key: &str, format: Format, out: &mut dyn Write) -> Result<()> {
        let concept = match view.find(key) {
            Found::Here(entry) => outgoing(entry),
            _ => {
                let uuid = self.concept(view, key, "da")?.uuid;
                let nearest = view.plane.nearest(uuid, view.edition.point());
                let saying = nearest.ok_or_else(|| super::read::unknown_concept(view, key))?;
                OutgoingConcept {
                    uuid,
                    content: Arc::new(saying.state.content().content()),
                    valid: saying.state.valid(),
                    registered: saying.state.registered().from(),
                    is_top: saying.state.content().parents.is_empty(),
                    children: Vec::new(),
                }
            }
        };
        self.export_these(view, format, vec![concept], out)
    }

    fn export_these(
        &self,
        view: &View,
        format: Format,
        these: Vec<OutgoingConcept>,
        out: &mut dyn Write,
    ) -> Result<()> {
        let edition = Outgoing {
            vocabulary: view.vocabulary(),
            version: view.version.as_deref(),
            point: view.edition.point(),
            count: these.len(),
            concepts: Box::new(these.into_iter()),
        };
        exchange::write(format, edition, out)
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
