//! Begreb: a terminology and classification registry for the Danish social sector.
pub mod exchange;
pub mod http;
pub mod model;
pub mod projection;
pub mod registry;
pub mod store;
#[doc(hidden)]
pub mod testing;
