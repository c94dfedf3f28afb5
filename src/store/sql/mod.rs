//! Every SQL statement of the registry. One text for both databases; where they must differ, both texts
//! stand side by side. A test prepares each of them on both.

/// A statement, in the dialects of the two databases.
#[derive(Clone, Copy)]
pub(in crate::store) struct Sql {
    pub(in crate::store) lite: &'static str,
    pub(in crate::store) pg: &'static str,
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:tt;)*) => {
        $($(#[$doc])* pub(in crate::store) const $name: Sql = sql!($text);)*

        /// Each of them, for the test that prepares them.
        #[cfg(test)]
        pub(in crate::store) const ALL: &[(&str, Sql)] = &[$((stringify!($name), $name),)*];
    };
}

macro_rules! sql {
    ($text:literal) => {
        Sql { lite: $text, pg: $text }
    };
    ({ $lite:literal, $pg:literal }) => {
        Sql { lite: $lite, pg: $pg }
    };
    // A set of rows handed over as one JSON array of arrays, read as r.value.
    ([$before:literal $after:literal]) => {
        Sql {
            lite: concat!($before, " json_each($1) AS r ", $after),
            pg: concat!($before, " json_array_elements(CAST($1 AS json)) AS r(value) ", $after),
        }
    };
}

mod delivery;
mod facts;
mod people;
mod work;

pub(super) use self::delivery::*;
pub(super) use self::facts::*;
pub(super) use self::people::*;
pub(super) use self::work::*;

/// Every statement, for the test that prepares them.
#[cfg(test)]
pub(super) const ALL: [&[(&str, Sql)]; 4] = [delivery::ALL, facts::ALL, people::ALL, work::ALL];
