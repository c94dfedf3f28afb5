//! Begreb: a terminology and classification registry for the Danish social sector.
pub mod exchange;
pub mod model;
