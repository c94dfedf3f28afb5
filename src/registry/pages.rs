//! Lists of people, and of what is worked on, page by page. A cursor names the last one of the page before, so that what comes
//! and goes meanwhile moves nothing.

use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::model::{Code, Instant, Place, Refusal, Result};

/// The most on one page.
const LARGEST: usize = 10_000;
/// How many are on a page when it is not said.
const USUAL: i64 = 100;

/// Where an item stands: by a number or an instant, then by its uuid.
pub type Key = (i64, Uuid);

/// How a list is asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Pages {
    /// How many on a page: 1 to 10 000, usually 100.
    pub limit: Option<i64>,
    /// Where to go on: from the `Link` header of the page before.
    pub cursor: Option<String>,
}

/// A page of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Paged<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// How many there are on all pages.
    pub total: usize,
    /// The cursor of the page after this one.
    pub next: Option<String>,
}

impl Pages {
    /// The page of a list that is ordered by uuid.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] for a limit out of bounds, [`Code::InvalidCursor`].
    pub fn of<T>(&self, items: Vec<T>, uuid: impl Fn(&T) -> Uuid) -> Result<Paged<T>> {
        self.cut(items, |item| (0, uuid(item)))
    }

    /// The page of a list that is ordered by an instant, oldest first.
    ///
    /// # Errors
    /// As [`Pages::of`].
    pub fn since<T>(&self, items: Vec<T>, key: impl Fn(&T) -> (Instant, Uuid)) -> Result<Paged<T>> {
        self.cut(items, |item| {
            let (at, uuid) = key(item);
            (at.micros(), uuid)
        })
    }

    /// The page of a list that is ordered by a key.
    ///
    /// # Errors
    /// As [`Pages::of`].
    pub fn cut<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> Key) -> Result<Paged<T>> {
        let limit = self.limit()?;
        let after = self.cursor.as_deref().map(decoded).transpose()?;
        // A key may be dear to make.
        items.sort_by_cached_key(&key);
        let total = items.len();
        let from = after.map_or(0, |after| items.partition_point(|item| key(item) <= after));
        let mut items = items.split_off(from);
        let is_last = items.len() <= limit;
        items.truncate(limit);
        let next = items.last().filter(|_| !is_last).map(|last| encoded(key(last)));
        Ok(Paged { items, total, next })
    }

    /// How many are wanted of a list that is ordered by a number, and the number that the page before ended with.
    ///
    /// # Errors
    /// As [`Pages::of`].
    pub(super) fn numbered(&self) -> Result<(usize, Option<i64>)> {
        let after = self.cursor.as_deref().map(decoded).transpose()?;
        Ok((self.limit()?, after.map(|(number, _)| number)))
    }

    /// The cursor of the page after a number.
    pub(super) fn after_number(number: i64) -> String {
        encoded((number, Uuid::nil()))
    }

    fn limit(&self) -> Result<usize> {
        let wanted = self.limit.unwrap_or(USUAL);
        usize::try_from(wanted).ok().filter(|limit| (1..=LARGEST).contains(limit)).ok_or_else(|| {
            let (da, en) = (format!("limit kan ikke være »{wanted}«"), format!("limit cannot be '{wanted}'"));
            Refusal::new(Code::InvalidParameter, da, en).at(Place::field("limit")).allowed([format!("1..{LARGEST}")])
        })
    }
}

impl<T> Paged<T> {
    /// The same page with each item told otherwise.
    ///
    /// # Errors
    /// What `tell` refuses.
    pub fn try_map<U>(self, tell: impl FnMut(T) -> Result<U>) -> Result<Paged<U>> {
        let items = self.items.into_iter().map(tell).collect::<Result<_>>()?;
        Ok(Paged { items, total: self.total, next: self.next })
    }
}

fn encoded((number, uuid): Key) -> String {
    // `{:x}` writes two's complement.
    format!("{number:x}.{}", uuid.simple())
}

fn decoded(text: &str) -> Result<Key> {
    let parts = text.split_once('.').and_then(|(number, uuid)| {
        Some((u64::from_str_radix(number, 16).ok()?.cast_signed(), Uuid::try_parse(uuid).ok()?))
    });
    parts.ok_or_else(|| {
        let (da, en) = ("markøren er ikke fra denne liste", "the cursor is not from this list");
        Refusal::new(Code::InvalidCursor, da, en).at(Place::field("cursor"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_go_on_after_what_was_last_also_when_it_is_gone() {
        let uuids: Vec<Uuid> = (1..=7).map(Uuid::from_u128).collect();
        let page = |items: &[Uuid], cursor: Option<String>| {
            Pages { limit: Some(3), cursor }.of(items.to_vec(), |uuid| *uuid).unwrap()
        };
        let first = page(&uuids, None);
        assert_eq!((&first.items[..], first.total), (&uuids[..3], 7));
        let without: Vec<Uuid> = uuids.iter().copied().filter(|u| *u != uuids[2]).collect();
        let second = page(&without, first.next);
        assert_eq!((&second.items[..], second.total), (&uuids[3..6], 6));
        let third = page(&without, second.next);
        assert_eq!((&third.items[..], third.next), (&uuids[6..], None));
        for wrong in ["", ".", "x", "1.x", "g.00000000000000000000000000000001"] {
            let pages = Pages { limit: None, cursor: Some(wrong.into()) };
            assert_eq!(pages.of(uuids.clone(), |u| *u).unwrap_err().code, Code::InvalidCursor, "{wrong}");
        }
        for wrong in [0, -1, 10_001] {
            let pages = Pages { limit: Some(wrong), cursor: None };
            assert_eq!(pages.of(uuids.clone(), |u| *u).unwrap_err().code, Code::InvalidParameter, "{wrong}");
        }
    }
}
