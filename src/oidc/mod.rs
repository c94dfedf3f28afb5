//! Signing in at OpenID providers: the conversation with them, and nothing of what follows from it here.
//!
//! Called by `registry`; calls the model. It is the one room that asks other machines: in bounded time, for answers of
//! bounded size, by https alone (but of this machine itself), and without following anyone elsewhere. Time and chance
//! are passed in.

mod claims;
mod kept;
mod outside;
mod provider;
mod settings;

pub use claims::Person;
pub use kept::Kept;
pub use provider::Provider;
pub use settings::{MailProof, OrganisationMap, OrganisationTarget, ProviderSettings, RoleMap, RoleTarget};
