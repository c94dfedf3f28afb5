//! The two times. *Valid time* (OIO: virkning) is when something holds; *registered time* (OIO:
//! registrering) is when the registry said so. Both are instants in UTC with microseconds; a calendar day
//! is the instant at which it begins in UTC, so `2024-10-31` is `2024-10-31T00:00:00Z`.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::refusal::{Code, Refusal, Result};

/// A calendar day, without a time zone.
pub type Date = jiff::civil::Date;

/// Where "now" comes from. Passed in everywhere, so that a test can set it.
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Instant;
}

/// An instant in UTC, in microseconds since 1970, or one of the two infinities.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// Before every instant.
    pub const BEGINNING: Self = Self(i64::MIN);
    /// After every instant: the open end of what is current.
    pub const FOREVER: Self = Self(i64::MAX);

    /// From microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z; the infinities are `i64::MIN` and `i64::MAX`.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The instant at which a calendar day begins (midnight UTC).
    #[must_use]
    pub fn from_date(date: Date) -> Self {
        Self::of_day(date).unwrap_or(Self::FOREVER)
    }

    /// The instant at which a day begins, if it can be written as an instant everywhere (the last days of the
    /// year 9999 cannot) and lies in our era.
    fn of_day(date: Date) -> Option<Self> {
        let midnight = date.to_zoned(TimeZone::UTC).ok()?.timestamp();
        (date.year() >= 1).then_some(Self(midnight.as_microsecond()))
    }

    /// The calendar day in UTC in which the instant lies; `None` for the infinities.
    #[must_use]
    pub fn date(self) -> Option<Date> {
        self.timestamp().map(|t| t.to_zoned(TimeZone::UTC).date())
    }

    /// Neither infinity.
    #[must_use]
    pub fn is_finite(self) -> bool {
        self != Self::BEGINNING && self != Self::FOREVER
    }

    /// The next representable instant: one microsecond later.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    fn timestamp(self) -> Option<Timestamp> {
        if self.is_finite() { Timestamp::from_microsecond(self.0).ok() } else { None }
    }
}

impl From<Timestamp> for Instant {
    fn from(value: Timestamp) -> Self {
        Self(value.as_microsecond())
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.timestamp() {
            Some(t) => write!(f, "{t}"),
            None if self.0 < 0 => f.write_str("-infinity"),
            None => f.write_str("infinity"),
        }
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Instant {
    type Err = Refusal;

    /// An RFC 3339 timestamp, a calendar day, `infinity` or `-infinity`.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "infinity" => return Ok(Self::FOREVER),
            "-infinity" => return Ok(Self::BEGINNING),
            _ => {}
        }
        if text.len() == 10 && text.parse::<Date>().is_ok() {
            return parse_date(text).map(Self::from_date);
        }
        text.parse::<Timestamp>().map(Self::from).map_err(|_| {
            Refusal::new(
                Code::InvalidTime,
                format!("»{text}« er ikke et tidspunkt"),
                format!("'{text}' is not an instant"),
            )
            .allowed(["2024-10-31", "2024-10-31T12:00:00Z"])
        })
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|r: Refusal| serde::de::Error::custom(r))
    }
}

/// A calendar day written `YYYY-MM-DD`.
///
/// # Errors
/// [`Code::InvalidDate`] when the text is not a day of the calendar.
pub fn parse_date(text: &str) -> Result<Date> {
    let lawful = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    match text.parse::<Date>() {
        Ok(date) if lawful && Instant::of_day(date).is_some() => Ok(date),
        _ => {
            Err(Refusal::new(Code::InvalidDate, format!("»{text}« er ikke en dato"), format!("'{text}' is not a date"))
                .allowed(["YYYY-MM-DD", "0001-01-01 to 9999-12-30; what has no end is left out"]))
        }
    }
}

/// The calendar day in Denmark at an instant: the day that "today" means to the users of the registry.
#[must_use]
pub fn today_in_denmark(now: Instant) -> Date {
    now.timestamp().map_or(Date::MAX, |t| DENMARK.to_datetime(t).date())
}

static DENMARK: LazyLock<TimeZone> = LazyLock::new(|| TimeZone::get("Europe/Copenhagen").unwrap_or(TimeZone::UTC));

/// Day and time of day in Denmark, as a form has them: `2026-11-22T14:05`; empty for what is no moment.
#[must_use]
pub fn clock_in_denmark(at: Instant) -> String {
    at.timestamp().map_or_else(String::new, |t| DENMARK.to_datetime(t).strftime("%Y-%m-%dT%H:%M").to_string())
}

/// The instant of a day and a time of day in Denmark: `2026-11-22T14:05`, with seconds or without. Of an hour that comes
/// twice the first is meant; one that does not come is the hour after.
///
/// # Errors
/// [`Code::InvalidTime`].
pub fn parse_in_denmark(text: &str) -> Result<Instant> {
    let wrong = || {
        let text: String = text.chars().take(80).collect();
        let (da, en) = (format!("»{text}« er ikke dag og klokkeslæt"), format!("'{text}' is not a day and a time"));
        Refusal::new(Code::InvalidTime, da, en).allowed(["YYYY-MM-DDTHH:MM"])
    };
    let lawful = text.len() <= 19 && text.as_bytes().get(10) == Some(&b'T');
    let local = text.parse::<jiff::civil::DateTime>().ok().filter(|_| lawful).ok_or_else(wrong)?;
    let in_our_era = Instant::of_day(local.date()).is_some();
    let zoned = local.to_zoned(DENMARK.clone()).ok().filter(|_| in_our_era).ok_or_else(wrong)?;
    Ok(Instant(zoned.timestamp().as_microsecond()))
}

/// A half-open period `[from, to)`, never empty.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Period {
    from: Instant,
    to: Instant,
}

impl Period {
    /// All of time.
    pub const ALWAYS: Self = Self { from: Instant::BEGINNING, to: Instant::FOREVER };

    /// `[from, to)`.
    ///
    /// # Errors
    /// [`Code::EmptyPeriod`] when `to` is not after `from`.
    pub fn new(from: Instant, to: Instant) -> Result<Self> {
        Self::between(from, to).ok_or_else(|| {
            Refusal::new(
                Code::EmptyPeriod,
                format!("perioden slutter ({to}), før den begynder ({from})"),
                format!("the period ends ({to}) before it begins ({from})"),
            )
        })
    }

    /// `[from, to)`, or nothing when that is empty.
    #[must_use]
    pub fn between(from: Instant, to: Instant) -> Option<Self> {
        (from < to).then_some(Self { from, to })
    }

    /// `[from, ∞)`.
    ///
    /// # Errors
    /// [`Code::EmptyPeriod`] when `from` is infinity itself.
    pub fn since(from: Instant) -> Result<Self> {
        Self::new(from, Instant::FOREVER)
    }

    /// The first instant of the period.
    #[must_use]
    pub fn from(self) -> Instant {
        self.from
    }

    /// The first instant after the period.
    #[must_use]
    pub fn to(self) -> Instant {
        self.to
    }

    /// Whether the period has no end yet.
    #[must_use]
    pub fn is_open(self) -> bool {
        self.to == Instant::FOREVER
    }

    /// Whether an instant lies in the period; `from` does, `to` does not.
    #[must_use]
    pub fn contains(self, at: Instant) -> bool {
        self.from <= at && at < self.to
    }

    /// Whether two periods share an instant.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }

    /// What two periods share.
    #[must_use]
    pub fn intersect(self, other: Self) -> Option<Self> {
        Self::between(self.from.max(other.from), self.to.min(other.to))
    }

    /// What of this period lies before `at`.
    #[must_use]
    pub fn before(self, at: Instant) -> Option<Self> {
        Self::between(self.from, self.to.min(at))
    }

    /// What of this period lies at or after `at`.
    #[must_use]
    pub fn after(self, at: Instant) -> Option<Self> {
        Self::between(self.from.max(at), self.to)
    }
}

/// A point in the plane of the two times: what held at `valid`, as the registry knew it at `registered`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Point {
    /// The instant in valid time.
    pub valid: Instant,
    /// The instant in registered time; [`Instant::FOREVER`] means "as known now".
    pub registered: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_reads_what_it_writes() {
        for text in ["2024-10-31T00:00:00Z", "2024-10-31T12:34:56.789012Z", "infinity", "-infinity"] {
            assert_eq!(text.parse::<Instant>().unwrap().to_string(), text);
        }
        assert_eq!("2024-10-31".parse::<Instant>().unwrap().to_string(), "2024-10-31T00:00:00Z");
        assert_eq!("2024-10-31T02:00:00+02:00".parse::<Instant>().unwrap().to_string(), "2024-10-31T00:00:00Z");
    }

    #[test]
    fn a_date_that_is_none_is_refused() {
        for text in [
            "2023-02-29",
            "2024-13-01",
            "20241031",
            "31-10-2024",
            "",
            "2024-10-31 ",
            "i morgen",
            "9999-12-31",
            "0000-01-01",
        ] {
            assert_eq!(parse_date(text).unwrap_err().code, Code::InvalidDate, "{text}");
        }
    }

    #[test]
    fn today_is_the_danish_day() {
        let case = |t: &str| today_in_denmark(t.parse().unwrap()).to_string();
        assert_eq!(case("2026-11-22T22:59:00Z"), "2026-11-22");
        assert_eq!(case("2026-11-22T23:00:00Z"), "2026-11-23");
        assert_eq!(case("2026-06-30T22:00:00Z"), "2026-07-01");
    }

    #[test]
    fn a_time_of_day_is_the_danish_one() {
        for (text, instant) in [
            ("2026-11-22T14:05", "2026-11-22T13:05:00Z"),
            ("2026-07-01T00:30", "2026-06-30T22:30:00Z"),
            ("2026-03-29T02:30", "2026-03-29T01:30:00Z"),
            ("2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
        ] {
            assert_eq!(parse_in_denmark(text).unwrap().to_string(), instant, "{text}");
        }
        assert_eq!(clock_in_denmark("2026-11-22T13:05:00Z".parse().unwrap()), "2026-11-22T14:05");
        assert_eq!(clock_in_denmark(Instant::FOREVER), "");
        for text in [
            "",
            "2026-11-22",
            "i morgen",
            "2026-11-22T25:00",
            "2026-11-22 14:05",
            "2026-11-22T14:05Z",
            "-000001-01-01T00:00",
        ] {
            assert_eq!(parse_in_denmark(text).unwrap_err().code, Code::InvalidTime, "{text}");
        }
    }

    #[test]
    fn a_period_is_half_open() {
        let p = Period::new(Instant(1), Instant(3)).unwrap();
        assert!(p.contains(Instant(1)) && p.contains(Instant(2)) && !p.contains(Instant(3)));
        assert!(Period::new(Instant(3), Instant(3)).is_err());
        assert_eq!(p.before(Instant(1)), None);
        assert_eq!(p.after(Instant(2)), Period::between(Instant(2), Instant(3)));
    }
}
