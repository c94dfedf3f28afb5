//! Days and moments as a reader in Denmark reads them: the order of ISO 8601, the clock of Denmark.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Tongue;
use crate::model::{Instant, today_in_denmark};

/// `2026-11-22`; with the time of day in Denmark where the instant is not the beginning of a day in UTC, which is how
/// the registry writes a calendar day: `2026-11-22 kl. 14.05` or `2026-11-22 14:05`.
#[must_use]
pub fn moment(at: Instant, tongue: Tongue) -> String {
    match (is_day(at), denmark(at)) {
        (false, Some(local)) => local.strftime(tongue.choose("%Y-%m-%d kl. %H.%M", "%Y-%m-%d %H:%M")).to_string(),
        _ => day(at),
    }
}

/// `2026-11-22`, the day in Denmark.
pub(super) fn day(at: Instant) -> String {
    match at.date() {
        Some(date) if is_day(at) => date.to_string(),
        Some(_) => today_in_denmark(at).to_string(),
        None => "–".to_owned(),
    }
}

fn is_day(at: Instant) -> bool {
    at.date().is_some_and(|date| Instant::from_date(date) == at)
}

fn denmark(at: Instant) -> Option<jiff::Zoned> {
    static DENMARK: LazyLock<TimeZone> = LazyLock::new(|| TimeZone::get("Europe/Copenhagen").unwrap_or(TimeZone::UTC));
    let stamp = Timestamp::from_microsecond(at.micros()).ok().filter(|_| at.is_finite())?;
    Some(stamp.to_zoned(DENMARK.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_day_and_a_moment_is_danish() {
        for (at, da, en, date) in [
            ("2026-11-22", "2026-11-22", "2026-11-22", "2026-11-22"),
            ("2026-11-22T13:05:59Z", "2026-11-22 kl. 14.05", "2026-11-22 14:05", "2026-11-22"),
            ("2026-06-30T22:30:00Z", "2026-07-01 kl. 00.30", "2026-07-01 00:30", "2026-07-01"),
            ("infinity", "–", "–", "–"),
        ] {
            let at: Instant = at.parse().unwrap();
            assert_eq!(moment(at, Tongue::Danish), da);
            assert_eq!(moment(at, Tongue::English), en);
            assert_eq!(day(at), date);
        }
    }
}
