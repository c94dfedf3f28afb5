//! Instants as the services of the field write them: in the manner of PostgreSQL, in UTC.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use crate::model::{Code, Instant, Refusal, Result};

/// An instant as it is read: `2026-01-01`, `2026-01-01 12:00:00.5`, `2026-01-01T12:00+01:00`, `infinity`, `-infinity`.
/// Without an offset it is UTC. A plus that came as a space, as it does where an address was not encoded, is a plus.
///
/// # Errors
/// [`Code::InvalidTime`].
pub fn parse(text: &str) -> Result<Instant> {
    let trimmed = text.trim();
    match trimmed.to_ascii_lowercase().as_str() {
        "infinity" => return Ok(Instant::FOREVER),
        "-infinity" => return Ok(Instant::BEGINNING),
        _ => {}
    }
    finite(trimmed).ok_or_else(|| {
        let shown: String = text.chars().take(80).collect();
        Refusal::new(
            Code::InvalidTime,
            format!("»{shown}« er ikke et tidspunkt"),
            format!("invalid input syntax for type timestamp with time zone: \"{shown}\""),
        )
        .allowed(["2026-01-01", "2026-01-01T12:00:00+01:00", "infinity", "-infinity"])
    })
}

fn finite(text: &str) -> Option<Instant> {
    if !text.is_ascii() || text.len() > 40 || text.len() < 10 {
        return None;
    }
    let (date, rest) = text.split_at(10);
    let plain = date.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    let date: jiff::civil::Date = date.parse().ok().filter(|_| plain)?;
    let (time, offset) = match rest.strip_prefix(['T', 't', ' ']) {
        None if rest.is_empty() => return at(date.to_datetime(jiff::civil::Time::midnight()), Offset::UTC),
        None => return None,
        Some(rest) => match rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.'))) {
            None => (rest, ""),
            Some(end) => rest.split_at(end),
        },
    };
    at(date.to_datetime(clock(time)?), offset_of(offset)?)
}

/// `12`, `12:00`, `12:00:00`, `12:00:00.123456`.
fn clock(text: &str) -> Option<jiff::civil::Time> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':').map(two_digits);
    let (hour, minute, second) = (parts.next()??, parts.next().unwrap_or(Some(0))?, parts.next().unwrap_or(Some(0))?);
    if parts.next().is_some() || !fraction.bytes().all(|b| b.is_ascii_digit()) || fraction.len() > 9 {
        return None;
    }
    let nanoseconds = format!("{fraction:0<9}").parse().ok()?;
    jiff::civil::Time::new(hour, minute, second, nanoseconds).ok()
}

/// Nothing, `Z`, `+01`, `+0100`, `+01:00`, and the same with a space for the plus.
fn offset_of(text: &str) -> Option<Offset> {
    let text = text.trim_end();
    if text.is_empty() || text.eq_ignore_ascii_case("z") || text.eq_ignore_ascii_case(" utc") {
        return Some(Offset::UTC);
    }
    let text = text.strip_prefix(' ').filter(|t| t.starts_with(['+', '-'])).unwrap_or(text);
    let (sign, digits) = text.split_at_checked(1)?;
    let sign = match sign {
        "+" | " " => 1,
        "-" => -1,
        _ => return None,
    };
    let digits: String = digits.chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (two_digits(&digits)?, 0),
        4 => (two_digits(&digits[..2])?, two_digits(&digits[2..])?),
        _ => return None,
    };
    let seconds = sign * (i32::from(hours) * 3600 + i32::from(minutes) * 60);
    Offset::from_seconds(seconds).ok().filter(|_| minutes < 60)
}

fn two_digits(text: &str) -> Option<i8> {
    (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// The instant, if it lies in our era and can be written everywhere.
fn at(local: DateTime, offset: Offset) -> Option<Instant> {
    let zoned = local.to_zoned(TimeZone::fixed(offset)).ok()?.timestamp();
    let lawful = |t: Timestamp| t.checked_add(SignedDuration::from_hours(24)).is_ok();
    let era = |t: Timestamp| t.to_zoned(TimeZone::UTC).year() >= 1;
    (lawful(zoned) && era(zoned)).then(|| Instant::from(zoned))
}

/// The instant as a virkning shows it: `2026-07-01 00:00:00+00`, with as many decimals as it has.
#[must_use]
pub fn virkning(at: Instant) -> String {
    let text = at.to_string();
    match text.strip_suffix('Z') {
        Some(local) => format!("{}+00", local.replacen('T', " ", 1)),
        None => text,
    }
}

/// The instant as a registrering shows it: `2026-06-20T09:15:00.123456+00:00`.
#[must_use]
pub fn registrering(at: Instant) -> String {
    let text = at.to_string();
    text.strip_suffix('Z').map(|local| format!("{local}+00:00")).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_postgresql_reads_is_read() {
        for (text, shown) in [
            ("2026-01-01", "2026-01-01 00:00:00+00"),
            ("2014-05-19 12:02:32", "2014-05-19 12:02:32+00"),
            ("2026-01-01T12:00:00+01:00", "2026-01-01 11:00:00+00"),
            ("2026-01-01T12:00:00 01:00", "2026-01-01 11:00:00+00"),
            ("2026-01-01 12:00:00 +01:00", "2026-01-01 11:00:00+00"),
            ("2026-01-01 12:00-0130", "2026-01-01 13:30:00+00"),
            ("2026-01-01t12:00:00.5z", "2026-01-01 12:00:00.5+00"),
            ("2026-06-20T09:15:00.123456+00", "2026-06-20 09:15:00.123456+00"),
            ("infinity", "infinity"),
            ("-Infinity", "-infinity"),
            ("0001-01-01", "0001-01-01 00:00:00+00"),
        ] {
            assert_eq!(virkning(parse(text).expect(text)), shown, "{text}");
        }
        assert_eq!(registrering(parse("2026-06-20 09:15:00.123456").unwrap()), "2026-06-20T09:15:00.123456+00:00");
        assert_eq!(registrering(Instant::FOREVER), "infinity");
    }

    #[test]
    fn other_texts_are_refused() {
        for wrong in [
            "",
            "now",
            "2026",
            "2026-1-1",
            "2026-13-01",
            "2026-02-30",
            "2026-01-01T",
            "2026-01-01T25:00",
            "20260101",
            "2026-01-01T12:00:00:00",
            "2026-01-01T12:00+1",
            "2026-01-01T12:00+01:99",
            "2026-01-01x",
            "+infinity",
            "2026-01-01T12:00:00æ",
            "9999-12-31",
            "0000-01-01",
            "0001-01-01T00:00:00+01:00",
            "2026-01-01T1:00",
        ] {
            assert_eq!(parse(wrong).expect_err(wrong).code, Code::InvalidTime, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in ".{0,45}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_is_shown_is_read(micros in -62_135_596_800_000_000i64..253_400_000_000_000_000) {
            let at = Instant::from_micros(micros);
            prop_assert_eq!(parse(&virkning(at)).unwrap(), at);
            prop_assert_eq!(parse(&registrering(at)).unwrap(), at);
        }
    }
}
