//! What goes out by itself: readers of the change log. Mail by SMTP, webhooks, and messages over AMQP ([`mox`]).
//!
//! Called by `cli` (`begreb serve` runs the [`Post`]); calls `registry`, `store` and the model. A [`Composer`] says
//! which letters a row of the log makes; the [`Post`] lays them down in the outbox together with how far the log has
//! been read, and sends them by [`Smtp`]. No letter is composed twice, and none is sent twice by itself: see
//! `docs/mail.md`. [`Webhooks`] sends events to those who subscribe, at least once and in order: see `docs/webhooks.md`. [`Digests`] gathers events
//! into letters for those who asked for them: see `docs/digests.md`.

mod composer;
mod digests;
mod hearings;
mod letter;
pub mod mox;
mod post;
mod requests;
mod security;
mod smtp;
mod webhooks;

pub use composer::{Composed, Composer, Desk};
pub use digests::{DigestLetters, Digests};
pub use hearings::HearingLetters;
pub use letter::{Letter, LetterKind, LetterLanguage};
pub use post::{Patience, Post};
pub use requests::RequestLetters;
pub use security::SecurityNotices;
pub use smtp::{Outcome, Protection, Sender, Smtp};
pub use webhooks::{Courier, RetryPlan, Webhooks};
