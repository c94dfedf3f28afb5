//! What is made of a vocabulary for OIO: made once for each plane, on demand, and of what was made of the plane before.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use uuid::Uuid;

use super::frames::Frames;
use super::index::{Base, Depth, Index};
use crate::exchange::oio::part::Framed;
use crate::projection::Plane;

/// A plane, and what was made of it.
type Of = (Weak<Plane>, Arc<Made>);

/// What was made of the planes that were read last, by the uuids of their vocabularies.
#[derive(Default)]
pub(in crate::registry) struct Makings(Mutex<HashMap<Uuid, Of>>);

impl Makings {
    /// What is made of a plane.
    pub(super) fn of(&self, plane: &Arc<Plane>) -> Arc<Made> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let uuid = plane.vocabulary().uuid();
        let before = known.get(&uuid);
        // The weak reference keeps the address from being given to another.
        if let Some((_, made)) = before.filter(|(of, _)| of.as_ptr() == Arc::as_ptr(plane)) {
            return made.clone();
        }
        let made = Arc::new(Made::of(plane, before.map(|(_, made)| &**made)));
        known.insert(uuid, (Arc::downgrade(plane), made.clone()));
        made
    }
}

/// See the module.
pub(super) struct Made {
    /// The frames.
    pub frames: Frames,
    /// The frame as it is said now.
    pub now: Arc<Framed>,
    shallow: Shelf,
    deep: Shelf,
}

/// A place for an index, with what the last one was made of.
#[derive(Default)]
struct Shelf {
    earlier: Option<Arc<Base>>,
    index: OnceLock<Index>,
}

impl Shelf {
    fn after(earlier: Option<&Self>) -> Self {
        let base = earlier.and_then(|e| e.index.get().map(|index| index.base.clone()).or_else(|| e.earlier.clone()));
        Self { earlier: base, index: OnceLock::new() }
    }
}

impl Made {
    fn of(plane: &Plane, earlier: Option<&Self>) -> Self {
        let frames = Frames::of(plane, earlier.map(|e| &e.frames));
        let now = frames.last().cloned().unwrap_or_else(|| Arc::new(Framed::of(plane.vocabulary())));
        let shelf = |of: fn(&Self) -> &Shelf| Shelf::after(earlier.map(of));
        Self { frames, now, shallow: shelf(|e| &e.shallow), deep: shelf(|e| &e.deep) }
    }

    /// The index of a plane, which must be the one that this was made of.
    pub(super) fn index(&self, plane: &Plane, depth: Depth) -> &Index {
        let shelf = match depth {
            Depth::Shallow => &self.shallow,
            Depth::Deep => &self.deep,
        };
        shelf.index.get_or_init(|| Index::of(plane, &self.now, depth, shelf.earlier.as_ref()))
    }
}
