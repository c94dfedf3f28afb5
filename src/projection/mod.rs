//! What public reads come from: immutable snapshots in memory, rebuilt from the facts at any time.
//!
//! A [`Plane`] is everything ever said of one vocabulary; an [`Edition`] is the reading of it at one point
//! of the two times. States are shared between editions, never copied. The [`Follower`] reads the change
//! log and nothing else, and swaps in a new snapshot as a whole. Called by `registry`; calls `store`,
//! `workflow` and the model.

mod derived;
mod edition;
mod events;
mod follower;
mod matters;
mod meaning;
mod plane;
pub mod rdf;
mod said;
pub mod search;
mod told;
mod tree;
mod usages;

/// A map with a cheap hash: what it holds is the registry's own, so that nobody gains by making keys collide.
type Map<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;

/// A set with a cheap hash, as [`Map`].
type Set<T> = std::collections::HashSet<T, foldhash::fast::RandomState>;

pub use derived::{Derive, Derived};
pub use edition::{Edition, Entry};
pub use events::events;
pub use follower::{Follower, Projections, Snapshot};
pub use matters::{Kept, Matters, read as read_step};
pub use plane::{Found, Plane, View};
pub use said::{Said, Saying};
pub use told::{OwnWords, Told};
pub(crate) use tree::Tree;
pub use usages::{Usages, Using};
