//! Who is told of what: subscriptions, of whatever kind of delivery.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::refusal::{Code, Place, Refusal, Result};
use super::{EventFilter, unprintable};

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
        /// The registry was restored from a backup, which has no secrets.
        Restored = "restored",
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
    fn what_is_too_long_is_refused() {
        assert_eq!(description("  a b ").unwrap(), "a b");
        assert!(description(&"a".repeat(201)).is_err() && description("a\nb").is_err());
        let concepts = (0..=EventFilter::MOST as u128).map(Uuid::from_u128).collect();
        let filter = EventFilter { concepts, ..EventFilter::default() };
        assert_eq!(filter.bounded().unwrap_err().code, Code::TooLarge);
    }
}
