//! `begreb subscription`.

use std::collections::BTreeSet;

use begreb::model::{Code, EventFilter, Owner, Refusal, Slug};
use begreb::registry::{
    Pages, Registry, ReplayRequest, SecretRequest, Settings, SubscriptionAnswer, SubscriptionRequest,
};
use serde_json::json;
use uuid::Uuid;

use super::account::{find, tell};
use crate::context::{Context, Missing, Opened, operator};
use crate::lang::say;
use crate::print::Table;
use crate::stop::{Result, named};

const EXAMPLES: &str = "\
Tell a system of everything that happens to FSIII; the secret that is printed verifies what it is sent:
  begreb subscription create anne@example.dk https://system.example.dk/begreb --vocabulary fsiii

Which there are, and how it goes with one:
  begreb subscription list
  begreb subscription deliveries 0b6c8a1e-6d0f-4c43-9a39-3a8f0d9f3c11

What could not be delivered for five days, sent again; or everything after a position of the log:
  begreb subscription replay 0b6c8a1e-6d0f-4c43-9a39-3a8f0d9f3c11 --all
  begreb subscription replay 0b6c8a1e-6d0f-4c43-9a39-3a8f0d9f3c11 --after 4711

It works on the database itself, also while a server runs; `begreb serve` does the sending. See docs/webhooks.md.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Subscription {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// List the subscriptions
    List,
    /// Make a webhook for an account, and print its secret
    Create {
        /// The mail address of the account
        mail: String,
        /// Where it goes
        url: String,
        /// What its owner calls it
        #[arg(long, default_value = "")]
        description: String,
        /// A vocabulary that it asks for; may stand several times [default: all]
        #[arg(long, value_name = "SLUG")]
        vocabulary: Vec<String>,
        /// A code set of the account's: only what touches its codes is told
        #[arg(long, value_name = "ID")]
        code_set: Option<String>,
        /// How many events a message may have, 1 to 100
        #[arg(long, default_value_t = 1, value_name = "N")]
        batch: u16,
        /// The position of the log after which it begins [default: now]
        #[arg(long, value_name = "POSITION")]
        after: Option<i64>,
        /// Let it go to an address that is not public, or by http; the server must be told the same
        #[arg(long)]
        webhook_allow_private: bool,
    },
    /// Send nothing for now; nothing is lost
    Pause {
        /// The subscription
        id: String,
    },
    /// Go on where it was
    Resume {
        /// The subscription
        id: String,
    },
    /// End it: its address, secrets and dead letters are erased
    End {
        /// The subscription
        id: String,
    },
    /// Make another secret, and print it
    Rotate {
        /// The subscription
        id: String,
        /// For how many hours the present one signs as well, at most 168
        #[arg(long, default_value_t = 24, value_name = "HOURS")]
        overlap: u32,
    },
    /// Send a test
    Test {
        /// The subscription
        id: String,
    },
    /// List what was tried, the newest first
    Deliveries {
        /// The subscription
        id: String,
        /// At most so many
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: i64,
    },
    /// List what was given up
    Dead {
        /// The subscription
        id: String,
    },
    /// Send again
    #[command(group(clap::ArgGroup::new("which").required(true).args(["letter", "all", "after"])))]
    Replay {
        /// The subscription
        id: String,
        /// One dead letter
        #[arg(long, value_name = "ID")]
        letter: Option<String>,
        /// All dead letters
        #[arg(long)]
        all: bool,
        /// Everything after a position of the log
        #[arg(long, value_name = "POSITION")]
        after: Option<i64>,
    },
}

impl Subscription {
    pub async fn run(self, context: &Context) -> Result {
        context.needs_database("subscription")?;
        let webhooks_allow_private = matches!(self.what, What::Create { webhook_allow_private: true, .. });
        let settings = Settings { webhooks_allow_private, ..Settings::default() };
        let work = async |opened: &Opened| self.what.run(context, &opened.registry).await;
        context.with(Missing::Refused, settings, work).await
    }
}

impl What {
    async fn run(self, context: &Context, registry: &Registry) -> Result {
        let (lang, actor) = (context.lang, operator());
        match self {
            Self::List => {
                let all = registry.subscriptions(&actor, true).await?;
                tell(context, &all, || {
                    let mut table = Table::right([2, 3]);
                    for s in &all {
                        let behind = (s.head - s.position).max(0).to_string();
                        let cells = [s.uuid.to_string(), s.state.to_string(), behind, s.attempts.to_string()];
                        table.row(cells.into_iter().chain([s.url.clone(), s.description.clone()]));
                    }
                    table.text("")
                })
            }
            Self::Create { mail, url, description, vocabulary, code_set, batch, after, .. } => {
                let account = find(registry, &mail).await?;
                let slugs = vocabulary.iter().map(|v| v.parse::<Slug>()).collect::<std::result::Result<_, _>>();
                let vocabularies: BTreeSet<_> = slugs.map_err(|r| r.at(named("--vocabulary")))?;
                let code_set = code_set.as_deref().map(subscription).transpose()?;
                let request = SubscriptionRequest {
                    kind: begreb::model::SubscriptionKind::Webhook,
                    url,
                    description,
                    filter: EventFilter { vocabularies, code_set, ..EventFilter::default() },
                    batch: Some(batch),
                    owner: Default::default(),
                    after,
                };
                let owner = Some(Owner::Account(account.uuid));
                let made = registry.create_subscription(&actor, owner, request).await?;
                tell(context, &made, || format!("{}\n{}\n", made.subscription.uuid, made.secret))
            }
            Self::Pause { id } => told(context, &registry.pause_subscription(&actor, subscription(&id)?).await?),
            Self::Resume { id } => told(context, &registry.resume_subscription(&actor, subscription(&id)?).await?),
            Self::End { id } => {
                let uuid = subscription(&id)?;
                registry.end_subscription(&actor, uuid).await?;
                tell(context, &json!({ "ended": uuid }), || say!(lang, "{uuid} er afsluttet.\n", "{uuid} is ended.\n"))
            }
            Self::Rotate { id, overlap } => {
                let request = SecretRequest { overlap_hours: Some(overlap) };
                let made = registry.rotate_secret(&actor, subscription(&id)?, request).await?;
                tell(context, &made, || format!("{}\n", made.secret))
            }
            Self::Test { id } => {
                let test = registry.test_subscription(&actor, subscription(&id)?).await?;
                tell(context, &test, || format!("{}\n", test.message))
            }
            Self::Deliveries { id, limit } => {
                let pages = Pages { limit: Some(limit), cursor: None };
                let rows = registry.deliveries(&actor, subscription(&id)?, &pages).await?.items;
                tell(context, &rows, || {
                    let mut table = Table::right([4]);
                    for r in &rows {
                        let status = r.status.map(|s| s.to_string()).unwrap_or_default();
                        let cells = [r.at.to_string(), r.message.clone(), r.outcome.clone(), status];
                        table.row(cells.into_iter().chain([r.milliseconds.to_string(), line(&r.answer)]));
                    }
                    table.text("")
                })
            }
            Self::Dead { id } => {
                let letters = registry.dead_letters(&actor, subscription(&id)?).await?;
                tell(context, &letters, || {
                    let mut table = Table::right([2]);
                    for l in &letters {
                        let cells = [l.uuid.to_string(), l.since.to_string(), l.attempts.to_string()];
                        table.row(cells.into_iter().chain([line(&l.answer)]));
                    }
                    table.text("")
                })
            }
            Self::Replay { id, letter, all, after } => {
                let dead_letter = letter.as_deref().map(subscription).transpose()?;
                let request = ReplayRequest { dead_letter, all: all.then_some(true), after };
                let replayed = registry.replay(&actor, subscription(&id)?, request).await?;
                tell(context, &replayed, || match (replayed.dead_letters, replayed.position) {
                    (Some(n), _) => say!(lang, "{n} sendes igen.\n", "{n} are sent again.\n"),
                    (_, Some(n)) => say!(lang, "Alt efter {n} sendes igen.\n", "Everything after {n} is sent again.\n"),
                    _ => String::new(),
                })
            }
        }
    }
}

fn told(context: &Context, answer: &SubscriptionAnswer) -> Result {
    let (uuid, state) = (answer.uuid, answer.state);
    tell(context, answer, || format!("{uuid} {state}\n"))
}

/// An answer on one line, and not too long.
fn line(answer: &str) -> String {
    answer.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(80).collect()
}

fn subscription(id: &str) -> std::result::Result<Uuid, Refusal> {
    id.parse().map_err(|_| {
        let (da, en) = ("det er ikke et uuid", "that is not a uuid");
        Refusal::new(Code::InvalidIdentifier, da, en).at(named(id)).allowed(["begreb subscription list"])
    })
}
