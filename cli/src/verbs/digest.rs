//! `begreb digest`.

use begreb::model::{Code, Refusal, SubscriptionState};
use begreb::registry::{KeptDigest, Registry, Settings};
use serde_json::json;
use uuid::Uuid;

use super::account::tell;
use crate::context::{Context, Missing, Opened, operator};
use crate::lang::say;
use crate::print::Table;
use crate::stop::{Result, named};

const EXAMPLES: &str = "\
Which mail digests are paused, where they go, what waits, and what the mail server said:
  begreb digest list --state paused

Let one go on where it was; end one, and erase its address:
  begreb digest resume 0b6c8a1e-6d0f-4c43-9a39-3a8f0d9f3c11
  begreb digest remove 0b6c8a1e-6d0f-4c43-9a39-3a8f0d9f3c11

It works on the database itself, also while a server runs; `begreb serve` does the sending. See docs/digests.md.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Digest {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// List the digests that were confirmed
    List {
        /// Only those that stand so: active or paused
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
    },
    /// Send nothing for now; nothing is lost
    Pause {
        /// The digest
        id: String,
    },
    /// Go on where it was; what waits is sent
    Resume {
        /// The digest
        id: String,
    },
    /// End it, and erase the address
    Remove {
        /// The digest
        id: String,
    },
}

impl Digest {
    pub async fn run(self, context: &Context) -> Result {
        context.needs_database("digest")?;
        let work = async |opened: &Opened| self.what.run(context, &opened.registry).await;
        context.with(Missing::Refused, Settings::default(), work).await
    }
}

impl What {
    async fn run(self, context: &Context, registry: &Registry) -> Result {
        let (lang, actor) = (context.lang, operator());
        match self {
            Self::List { state } => {
                let state = state.map(|s| s.parse::<SubscriptionState>()).transpose();
                let state = state.map_err(|r| r.at(named("--state")))?;
                let mut all = registry.digests(&actor).await?;
                all.retain(|one| state.is_none_or(|state| one.state == state));
                tell(context, &all, || list(&all))
            }
            Self::Pause { id } => {
                let uuid = digest(&id)?;
                registry.pause_digest(&actor, uuid).await?;
                told(context, registry, uuid).await
            }
            Self::Resume { id } => {
                let uuid = digest(&id)?;
                registry.resume_digest(&actor, uuid).await?;
                told(context, registry, uuid).await
            }
            Self::Remove { id } => {
                let uuid = digest(&id)?;
                registry.remove_digest(&actor, uuid).await?;
                let text = || say!(lang, "{uuid} er afsluttet.\n", "{uuid} is ended.\n");
                tell(context, &json!({ "ended": uuid }), text)
            }
        }
    }
}

/// One line each: where it stands, what waits, how often that was tried, where it goes, and what was answered.
fn list(all: &[KeptDigest]) -> String {
    let mut table = Table::right([3, 4]);
    for one in all {
        let why = one.paused_because.map(|why| why.to_string()).unwrap_or_default();
        let counts = [one.waiting.to_string(), one.tries.to_string()];
        let words = [one.mail.clone().unwrap_or_default(), one.answer.as_deref().map(line).unwrap_or_default()];
        let cells = [one.digest.uuid.to_string(), one.state.to_string(), why];
        table.row(cells.into_iter().chain(counts).chain(words));
    }
    table.text("")
}

async fn told(context: &Context, registry: &Registry, uuid: Uuid) -> Result {
    let all = registry.digests(&operator()).await?;
    let Some(one) = all.into_iter().find(|one| one.digest.uuid == uuid) else { return Ok(()) };
    tell(context, &one, || format!("{uuid} {}\n", one.state))
}

/// An answer on one line, and not too long.
fn line(answer: &str) -> String {
    answer.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(80).collect()
}

fn digest(id: &str) -> std::result::Result<Uuid, Refusal> {
    id.parse().map_err(|_| {
        let (da, en) = ("det er ikke et uuid", "that is not a uuid");
        Refusal::new(Code::InvalidIdentifier, da, en).at(named(id)).allowed(["begreb digest list"])
    })
}
