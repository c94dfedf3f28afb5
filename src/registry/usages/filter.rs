//! The events that a code set asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use uuid::Uuid;

use super::super::Registry;
use super::super::permission::Actor;
use super::none;
use crate::model::{EventFilter, Result, UsageForm};
use crate::projection::{Plane, Using};

/// A filter with what it was made of.
struct Made {
    using: Weak<Using>,
    planes: Vec<Weak<Plane>>,
    filter: Arc<EventFilter>,
}

/// The filters that were made, each until its set or a vocabulary is another.
#[derive(Default)]
pub(in crate::registry) struct Filters(Mutex<BTreeMap<Uuid, Made>>);

impl Registry {
    /// The events that a code set asks for as it is now: about its concepts and those that ever replaced them. Ask for it
    /// at every reading: the set changes, and so does what replaces what.
    ///
    /// # Errors
    /// [`crate::model::Code::NotFound`] when there is no such set, or it has ended.
    pub fn codeset_filter(&self, uuid: Uuid) -> Result<Arc<EventFilter>> {
        let snapshot = self.snapshot();
        let mut made = self.codeset_filters.0.lock().unwrap_or_else(PoisonError::into_inner);
        let using = snapshot.usages.get(uuid).filter(|u| u.usage.form == UsageForm::CodeSet);
        let Some(using) = using else {
            made.remove(&uuid);
            return Err(none(uuid));
        };
        if let Some(there) = made.get(&uuid) {
            let same = |w: &Weak<Plane>, p: &Arc<Plane>| std::ptr::eq(w.as_ptr(), Arc::as_ptr(p));
            let planes = there.planes.len() == snapshot.planes().len()
                && there.planes.iter().zip(snapshot.planes()).all(|(w, p)| same(w, p));
            if planes && std::ptr::eq(there.using.as_ptr(), Arc::as_ptr(using)) {
                return Ok(there.filter.clone());
            }
        }
        let filter = Arc::new(EventFilter { concepts: asked_for(using, snapshot.planes()), ..EventFilter::default() });
        let planes = snapshot.planes().iter().map(Arc::downgrade).collect();
        made.insert(uuid, Made { using: Arc::downgrade(using), planes, filter: filter.clone() });
        Ok(filter)
    }

    /// Whether somebody keeps a code set: only they may have its events sent.
    ///
    /// # Errors
    /// [`crate::model::Code::NotSignedIn`]; [`crate::model::Code::NotFound`], also when it is somebody else's.
    pub async fn keeps_code_set(&self, actor: &Actor, uuid: Uuid) -> Result<()> {
        self.kept(actor, UsageForm::CodeSet, uuid).await.map(drop)
    }
}

/// The concepts of a set, and those that ever replaced them, and so on.
fn asked_for(using: &Using, planes: &[Arc<Plane>]) -> BTreeSet<Uuid> {
    let (mut concepts, mut next) = (BTreeSet::new(), using.concepts.to_vec());
    while let Some(concept) = next.pop() {
        if concepts.insert(concept) {
            next.extend(planes.iter().flat_map(|p| p.ever_replaced_by(concept)));
        }
    }
    // A filter without concepts asks for all; a set without concepts asks for nothing, and no concept is nil.
    concepts.insert(Uuid::nil());
    concepts
}
