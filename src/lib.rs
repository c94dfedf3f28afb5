//! Begreb: a terminology and classification registry for the Danish social sector.
//!
//! The map. A command goes down: `http` or the command line (`cli/`) calls `registry`, which plans with the rules
//! of `model` and writes through `store`: facts and change log in one transaction. A reading comes back up:
//! `projection` follows the change log and holds every vocabulary in memory; `registry` answers from there.
//! Formats stand apart: `exchange` turns bytes into editions and editions into bytes.
//!
//! `ARCHITECTURE.md` says which room may call which, and follows a command and a reading through them.

/// What goes out by itself: readers of the change log. Mail by SMTP.
pub mod delivery;
/// The formats, one file or folder each, reader and writer side by side: FHIR, SKOS, CSV, JSON, OIO XML.
pub mod exchange;
/// The doors over HTTP: the read API, identifiers with content negotiation, pages, health and metrics.
pub mod http;
/// What a concept, a state, a version and a change are; every rule that needs no database. Pure.
pub mod model;
/// The conversation with OpenID providers: what is asked of them, and whether what they answer is proven.
pub mod oidc;
/// What reads come from: immutable editions in memory, kept in step with the change log.
pub mod projection;
/// What is doubtful about an edition, told to those who work on it. Pure.
pub mod quality;
/// The façade: every command and query that a user can make, by name.
pub mod registry;
/// The only SQL: SQLite or PostgreSQL, the change log, backup and restore.
pub mod store;
#[doc(hidden)]
pub mod testing;
/// How a version comes to be: drafts, hearings, decisions, change requests; state machines. Pure.
pub mod workflow;
