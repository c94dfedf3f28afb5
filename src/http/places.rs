//! Places for those who stay a while: streams, and those who wait for news. So many in all, and a part of them for one
//! client, so that nobody can take them all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What part of all places one client may have: a house may stand behind one address, and so does everybody who comes
/// by a proxy that is not trusted.
const PART: usize = 4;

/// The places of one kind.
pub struct Places {
    all: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    count: usize,
    by: HashMap<String, usize>,
}

/// A place that is taken, until it is dropped.
pub struct Place {
    places: Arc<Places>,
    client: String,
}

impl Places {
    /// So many places.
    pub fn new(all: usize) -> Arc<Self> {
        Arc::new(Self { all, taken: Mutex::default() })
    }

    /// A place for a client, if there is one. Clients that are not known (`""`) are not counted one by one.
    pub fn take(self: &Arc<Self>, client: String) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.by.get(&client).copied().unwrap_or_default();
        if taken.count >= self.all || (!client.is_empty() && own >= self.all / PART) {
            return None;
        }
        taken.count += 1;
        taken.by.insert(client.clone(), own + 1);
        Some(Place { places: self.clone(), client })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.count = taken.count.saturating_sub(1);
        let left = taken.by.get(&self.client).map_or(0, |own| own.saturating_sub(1));
        if left == 0 {
            taken.by.remove(&self.client);
        } else {
            taken.by.insert(std::mem::take(&mut self.client), left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_has_a_part_and_all_have_no_more_than_there_are() {
        let places = Places::new(8);
        let greedy: Vec<Place> = (0..10).filter_map(|_| places.take("greedy".into())).collect();
        assert_eq!(greedy.len(), 2);
        let others: Vec<Place> = (0..10).filter_map(|n| places.take(n.to_string())).collect();
        assert_eq!(others.len(), 6);
        assert!(places.take(String::new()).is_none());
        drop(greedy);
        let unknown: Vec<Place> = (0..10).filter_map(|_| places.take(String::new())).collect();
        assert_eq!(unknown.len(), 2);
        drop((others, unknown));
        let taken = places.taken.lock().unwrap();
        assert_eq!((taken.count, taken.by.len()), (0, 0));
    }
}
