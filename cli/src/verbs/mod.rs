//! The verbs, one file each: its options, its examples, what it calls, how it tells the answer.

use begreb::registry::At;

use crate::context::Context;
use crate::stop::Result;

mod account;
mod backup;
mod check;
mod diff;
mod digest;
mod export;
mod grant;
mod group;
mod history;
mod identity;
mod import;
mod mail;
mod mox;
mod organisation;
mod publish;
mod pull;
mod rebuild;
mod restore;
mod search;
mod serve;
mod serve_mail;
mod serve_mox;
mod serve_webhooks;
mod show;
mod subscription;
mod token;
mod validate;
mod verify;

/// What can be done.
#[derive(clap::Subcommand, Debug)]
pub enum Verb {
    /// Serve the registry: the read API, identifiers, exports and web pages
    Serve(Box<serve::Serve>),
    /// Take in an edition of a vocabulary from a file and publish it
    Import(import::Import),
    /// Pair the codes and uuids of a file in which every concept stands twice
    Identity(identity::MakeIdentity),
    /// Write a vocabulary in any format
    Export(export::Export),
    /// Publish again what the registry has: a return to an earlier version, or another date
    Publish(publish::Publish),
    /// Tell what changed between two versions or dates
    Diff(diff::Diff),
    /// Check codes: valid or not, why not, what replaces them
    Validate(validate::Validate),
    /// Check a file of codes: what is retired or will be, what changes ahead, what never was
    Check(check::Check),
    /// Search the texts of all vocabularies, at any time, or complete what is being typed
    Search(search::Search),
    /// Show a vocabulary and its versions, or a concept and its history
    Show(show::Show),
    /// Check the whole registry: the chain of changes, every digest, every version
    Verify(verify::Verify),
    /// Build everything that is read from the facts anew, and check it
    Rebuild(rebuild::Rebuild),
    /// Create accounts, give them roles, let nobody in with them any more
    Account(account::Account),
    /// Make organisations known, and say who works there
    Organisation(organisation::Organisation),
    /// Form groups: working groups, committees, secretariats
    Group(group::Group),
    /// Give roles to accounts and groups, and take them back
    Grant(grant::Grant),
    /// Make the tokens by which programs ask, and revoke them
    Token(token::Token),
    /// Make webhooks, see how they go, send again what could not be delivered
    Subscription(subscription::Subscription),
    /// See who is told by mail digests, pause, resume and end them
    Digest(digest::Digest),
    /// See what became of the mail, send a letter again, or let one not be sent
    Mail(mail::Mail),
    /// Tell what changes to other systems by message, and carry out their commands (MOX, AMQP)
    Mox(Box<mox::MoxVerb>),
    /// Keep a verified copy of vocabularies, to be used without the network
    Pull(pull::Pull),
    /// Write everything to one file
    Backup(backup::Backup),
    /// Fill an empty database from a backup
    Restore(restore::Restore),
}

impl Verb {
    /// Whether an option of the verb itself asks for JSON.
    pub fn wants_json(&self) -> bool {
        matches!(self, Self::Check(check) if check.is_json())
    }

    /// Does it.
    pub async fn run(self, context: &Context) -> Result {
        match self {
            Self::Serve(verb) => verb.run(context).await,
            Self::Import(verb) => verb.run(context).await,
            Self::Identity(verb) => verb.run(context),
            Self::Export(verb) => verb.run(context).await,
            Self::Publish(verb) => verb.run(context).await,
            Self::Diff(verb) => verb.run(context).await,
            Self::Validate(verb) => verb.run(context).await,
            Self::Check(verb) => verb.run(context).await,
            Self::Search(verb) => verb.run(context).await,
            Self::Show(verb) => verb.run(context).await,
            Self::Verify(verb) => verb.run(context).await,
            Self::Rebuild(verb) => verb.run(context).await,
            Self::Account(verb) => verb.run(context).await,
            Self::Organisation(verb) => verb.run(context).await,
            Self::Group(verb) => verb.run(context).await,
            Self::Grant(verb) => verb.run(context).await,
            Self::Token(verb) => verb.run(context).await,
            Self::Subscription(verb) => verb.run(context).await,
            Self::Digest(verb) => verb.run(context).await,
            Self::Mail(verb) => verb.run(context).await,
            Self::Mox(verb) => verb.run(context).await,
            Self::Pull(verb) => verb.run(context).await,
            Self::Backup(verb) => verb.run(context).await,
            Self::Restore(verb) => verb.run(context).await,
        }
    }
}

/// The point at which a vocabulary is read.
#[derive(clap::Args, Debug)]
pub struct Reading {
    /// Read exactly what a version holds
    #[arg(long, value_name = "LABEL", conflicts_with_all = ["date", "registered"])]
    version: Option<String>,
    /// Read what is in force on a day (YYYY-MM-DD) [default: today]
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
    /// Read what the registry said at an instant (2024-11-01T12:00:00Z)
    #[arg(long, value_name = "INSTANT")]
    registered: Option<String>,
}

impl Reading {
    fn at(self) -> At {
        At { version: self.version, date: self.date, registered: self.registered }
    }
}

/// The formats of `--format`.
fn formats() -> impl clap::builder::TypedValueParser<Value = begreb::exchange::Format> {
    use begreb::exchange::Format;
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(Format::ALL.map(Format::name)).try_map(|name| name.parse::<Format>())
}
