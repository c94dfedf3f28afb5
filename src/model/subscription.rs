//! Who is told of what: subscriptions, of whatever kind of delivery.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::refusal::{Code, Place, Refusal, Result};
use super::{EventFilter, Instant, parse_in_denmark, today_in_denmark, unprintable};

/// Whose a subscription is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Owner {
    /// One account.
    Account(Uuid),
    /// An organisation: all of its accounts may change it.
    Organisation(Uuid),
    /// Somebody without an account.
    Contact(Uuid),
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $da:literal, $en:literal { $($(#[$one:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "camelCase")]
        pub enum $name { $($(#[$one])* $variant,)* }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word as it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = Refusal;

            fn from_str(text: &str) -> Result<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text).ok_or_else(|| {
                    let text: String = text.chars().take(80).collect();
                    let (da, en) = (format!("»{text}« er ikke {}", $da), format!("'{text}' is not {}", $en));
                    Refusal::new(Code::InvalidParameter, da, en).allowed(Self::ALL.iter().map(|one| one.as_str()))
                })
            }
        }
    };
}

words! {
    /// How a subscription is delivered.
    SubscriptionKind, "en slags abonnement", "a kind of subscription" {
        /// A signed request to an address of the owner's for each event, or for each batch of them.
        Webhook = "webhook",
        /// A letter now and then.
        Digest = "digest",
    }
}

words! {
    /// Where a subscription stands.
    SubscriptionState, "et abonnements tilstand", "the state of a subscription" {
        /// It is delivered.
        Active = "active",
        /// It is not delivered for now; nothing is lost meanwhile.
        Paused = "paused",
        /// It is not delivered any more.
        Ended = "ended",
    }
}

words! {
    /// Why a subscription is paused.
    PausedBecause, "en grund til en pause", "a reason to pause" {
        /// Its owner said so, or an administrator.
        Asked = "asked",
        /// Its receiver answered 410: it is gone.
        Gone = "gone",
        /// A mail server does not take its letters.
        Refused = "refused",
        /// The registry was restored from a backup, which has no secrets.
        Restored = "restored",
        /// The code set that it goes by has ended.
        CodeSetEnded = "codeSetEnded",
    }
}

words! {
    /// How often a digest is sent.
    Frequency, "hvor tit der sendes", "how often it is sent" {
        /// Soon after something happened; what happens within a few minutes comes in one letter.
        AtOnce = "atOnce",
        /// In the morning, when something happened.
        Daily = "daily",
        /// On Monday morning, when something happened.
        Weekly = "weekly",
    }
}

words! {
    /// The language of a digest.
    DigestLanguage, "et sprog, der sendes på", "a language that is sent in" {
        /// Danish.
        Da = "da",
        /// English.
        En = "en",
    }
}

impl Frequency {
    /// How long the next letter waits for more, where letters are sent at once; in minutes.
    const PAUSE: i64 = 5;

    /// When a digest is looked at next, after one of an instant. Mornings are Danish ones, and begin at six.
    #[must_use]
    pub fn next(self, now: Instant) -> Instant {
        let weekday = match self {
            Self::AtOnce => return Instant::from_micros(now.micros().saturating_add(Self::PAUSE * 60_000_000)),
            Self::Daily => None,
            Self::Weekly => Some(1),
        };
        let mut day = today_in_denmark(now);
        for _ in 0..9 {
            let morning = parse_in_denmark(&format!("{day}T06:00")).unwrap_or(Instant::FOREVER);
            if morning > now && weekday.is_none_or(|w| day.weekday().to_monday_one_offset() == w) {
                return morning;
            }
            let Ok(tomorrow) = day.tomorrow() else { break };
            day = tomorrow;
        }
        Instant::FOREVER
    }
}

/// What an owner calls a subscription: one line of up to 200 characters, perhaps none.
///
/// # Errors
/// [`Code::InvalidText`].
pub fn description(text: &str) -> Result<String> {
    let text = text.trim();
    if text.chars().count() <= 200 && !text.chars().any(unprintable) {
        return Ok(text.to_owned());
    }
    let (da, en) = ("det kan ikke være en beskrivelse", "that cannot be a description");
    let refusal = Refusal::new(Code::InvalidText, da, en).at(Place::field("description"));
    Err(refusal.allowed(["one line of up to 200 characters"]))
}

impl EventFilter {
    /// The most of each that a filter may name.
    pub const MOST: usize = 1000;

    /// Refuses a filter that would be long to ask.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn bounded(self) -> Result<Self> {
        let sizes = [("vocabularies", self.vocabularies.len()), ("concepts", self.concepts.len())];
        match sizes.iter().find(|(_, size)| *size > Self::MOST) {
            None => Ok(self),
            Some((field, _)) => {
                let (da, en) = ("filteret nævner for mange", "the filter names too many");
                let refusal = Refusal::new(Code::TooLarge, da, en).at(Place::field(format!("filter.{field}")));
                Err(refusal.allowed([Self::MOST.to_string()]))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_written_as_they_are_read() {
        for state in SubscriptionState::ALL {
            assert_eq!(state.as_str().parse::<SubscriptionState>().unwrap(), *state);
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
        assert_eq!("x".parse::<SubscriptionKind>().unwrap_err().allowed, ["webhook", "digest"]);
    }

    #[test]
    fn when_a_digest_is_looked_at_next() {
        let cases = [
            (Frequency::AtOnce, "2026-11-23T08:00:00Z", "2026-11-23T08:05:00Z"),
            (Frequency::Daily, "2026-11-23T04:59:59Z", "2026-11-23T05:00:00Z"),
            (Frequency::Daily, "2026-11-23T05:00:00Z", "2026-11-24T05:00:00Z"),
            (Frequency::Daily, "2026-12-31T23:30:00Z", "2027-01-01T05:00:00Z"),
            // The night in which clocks are put forward.
            (Frequency::Daily, "2027-03-27T06:00:00Z", "2027-03-28T04:00:00Z"),
            (Frequency::Weekly, "2026-11-23T04:59:59Z", "2026-11-23T05:00:00Z"),
            (Frequency::Weekly, "2026-11-23T05:00:00Z", "2026-11-30T05:00:00Z"),
            (Frequency::Weekly, "2026-11-25T12:00:00Z", "2026-11-30T05:00:00Z"),
        ];
        for (frequency, now, next) in cases {
            let at = |text: &str| text.parse::<Instant>().unwrap();
            assert_eq!(frequency.next(at(now)), at(next), "{frequency} after {now}");
        }
    }

    #[test]
    fn what_is_too_long_is_refused() {
        assert_eq!(description("  a b ").unwrap(), "a b");
        assert!(description(&"a".repeat(201)).is_err() && description("a\nb").is_err());
        let concepts = (0..=EventFilter::MOST as u128).map(Uuid::from_u128).collect();
        let filter = EventFilter { concepts, ..EventFilter::default() };
        assert_eq!(filter.bounded().unwrap_err().code, Code::TooLarge);
    }
}
