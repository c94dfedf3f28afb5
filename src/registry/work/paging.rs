//! Lists of what is worked on, page by page. Each item has a key by which the list is sorted; a cursor is the key of
//! the last item of a page, so that what comes or goes meanwhile moves nothing else.

use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::model::{Code, Place, Refusal, Result};

/// The most items on one page.
const LARGEST_PAGE: usize = 1_000;
/// How many when nothing is said.
const USUAL_PAGE: i64 = 100;

/// Where an item stands: by a number or an instant, then by its uuid.
pub type Key = (i64, Uuid);

/// How a list is paged.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WorkPaging {
    /// How many on a page: 1 to 1000, usually 100.
    pub limit: Option<i64>,
    /// Where to go on: from the `Link` header of the page before.
    pub cursor: Option<String>,
}

/// A page of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slice<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// How many there are on all pages.
    pub total: usize,
    /// The cursor of the page after this one.
    pub next: Option<String>,
}

impl WorkPaging {
    /// The page of a list that is wanted; the list is sorted by `key`.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] for the limit, [`Code::InvalidCursor`].
    pub fn cut<T>(&self, mut all: Vec<T>, key: impl Fn(&T) -> Key) -> Result<Slice<T>> {
        let wanted = self.limit.unwrap_or(USUAL_PAGE);
        let limit = usize::try_from(wanted).ok().filter(|n| (1..=LARGEST_PAGE).contains(n)).ok_or_else(|| {
            let (da, en) = (format!("limit kan ikke være »{wanted}«"), format!("limit cannot be '{wanted}'"));
            Refusal::new(Code::InvalidParameter, da, en)
                .at(Place::field("limit"))
                .allowed([format!("1..{LARGEST_PAGE}")])
        })?;
        all.sort_by_key(|item| key(item));
        let total = all.len();
        if let Some(cursor) = &self.cursor {
            let last = decode(cursor).ok_or_else(|| {
                let (da, en) = ("markøren er ikke fra denne liste", "the cursor is not one of this list");
                Refusal::new(Code::InvalidCursor, da, en).at(Place::field("cursor"))
            })?;
            all.drain(..all.partition_point(|item| key(item) <= last));
        }
        let more = all.len() > limit;
        all.truncate(limit);
        let next = all.last().filter(|_| more).map(|item| encode(key(item)));
        Ok(Slice { items: all, total, next })
    }
}

impl<T> Slice<T> {
    /// The same page with each item told otherwise.
    ///
    /// # Errors
    /// What `tell` refuses.
    pub fn try_map<U>(self, tell: impl FnMut(T) -> Result<U>) -> Result<Slice<U>> {
        let items = self.items.into_iter().map(tell).collect::<Result<_>>()?;
        Ok(Slice { items, total: self.total, next: self.next })
    }
}

fn encode((number, uuid): Key) -> String {
    // `{:x}` writes two's complement.
    format!("{number:x}.{}", uuid.simple())
}

fn decode(cursor: &str) -> Option<Key> {
    let (number, uuid) = cursor.split_once('.')?;
    let number = u64::from_str_radix(number, 16).ok()?;
    Some((number.cast_signed(), Uuid::try_parse(uuid).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging(limit: i64, cursor: Option<String>) -> WorkPaging {
        WorkPaging { limit: Some(limit), cursor }
    }

    #[test]
    fn every_item_is_on_one_page_though_others_come_and_go() {
        let key = |n: &i64| (*n, Uuid::from_u128(n.unsigned_abs().into()));
        let first = paging(2, None).cut(vec![5, -3, 9, 0], key).unwrap();
        assert_eq!((first.items, first.total), (vec![-3, 0], 4));
        let second = paging(2, first.next).cut(vec![-4, -3, 5, 7, 9], key).unwrap();
        assert_eq!((second.items, second.total), (vec![5, 7], 5));
        let last = paging(2, second.next).cut(vec![9], key).unwrap();
        assert_eq!((last.items, last.next), (vec![9], None));
    }

    #[test]
    fn limits_and_cursors_that_nobody_was_given() {
        let cut = |limit, cursor: Option<&str>| {
            paging(limit, cursor.map(ToOwned::to_owned)).cut(vec![1], |n| (*n, Uuid::nil())).map(|s| s.items.len())
        };
        for limit in [0, -1, 1001, i64::MIN] {
            assert_eq!(cut(limit, None).unwrap_err().code, Code::InvalidParameter, "{limit}");
        }
        for cursor in ["", ".", "x", "1", "1.2", "-1.00000000000000000000000000000000", "fffffffffffffffff.0"] {
            assert_eq!(cut(1, Some(cursor)).unwrap_err().code, Code::InvalidCursor, "{cursor}");
        }
    }
}
