//! The graphs: every vocabulary as RDF triples in memory, for queries.
//!
//! A [`Segment`] is one immutable graph: triples of numbers, sorted twice so that every pattern is a slice or a few.
//! [`Terms`] gives terms their numbers; texts that a concept's stored JSON holds are not held again. [`Graphs`] is
//! one segment for each vocabulary, derived of a snapshot and swapped as a whole; segments of vocabularies that did
//! not change are taken over. [`Dataset`] is what one query sees; it is read by oxigraph's evaluator. [`Brake`] stops
//! a query that takes more than it may.

mod brake;
mod dataset;
mod graphs;
mod segment;
mod terms;

pub use brake::{Brake, Ended, Stopped, count_down, look, stop_for, under};
pub use dataset::{Dataset, Merged, Name, Scan, Value};
pub use graphs::{Choice, Graph, Graphs, Take, Tell};
pub use segment::Segment;
pub use terms::{Growing, Terms};
