//! What every handler works on.

use std::sync::Arc;

use crate::registry::Registry;

/// The registry, which the handlers share.
pub type App = Arc<Registry>;
