//! `begreb token`.

use std::collections::BTreeSet;

use begreb::model::{Code, Command, Name, Refusal, Slug};
use begreb::registry::{Registry, TokenRequest};
use serde_json::json;

use super::account::{find, tell};
use crate::context::{Context, operator};
use crate::lang::say;
use crate::print::Table;
use crate::stop::{Result, named};

const EXAMPLES: &str = "\
A token by which a program publishes FSIII for 30 days, and does nothing else; it is printed once:
  begreb token create anne@example.dk --name \"KL's build\" --command publish --vocabulary fsiii --days 30

Which there are, and one of them revoked:
  begreb token list
  begreb token revoke 0b6c8a1e-6d0f-4c43-9a39-3a8f0d9f3c11

It works on the database itself. A token may do no more than its account: see docs/rights.md.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Token {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// Make a token for an account, and print its secret
    Create {
        /// The mail address of the account
        mail: String,
        /// What it is called
        #[arg(long)]
        name: String,
        /// What it may do; may stand several times
        #[arg(long, required = true)]
        command: Vec<String>,
        /// A vocabulary that it is good for; may stand several times [default: all that the account has]
        #[arg(long, value_name = "SLUG")]
        vocabulary: Vec<String>,
        /// How many days, at most 366
        #[arg(long, default_value_t = 90)]
        days: u32,
    },
    /// List the tokens, without their secrets
    List,
    /// Call a token something else; its secret stays
    Rename {
        /// The token: its uuid, not its secret
        token: String,
        /// What it is called from now on
        name: String,
    },
    /// Make a token worth nothing
    Revoke {
        /// The token: its uuid, not its secret
        token: String,
    },
}

impl Token {
    pub async fn run(self, context: &Context) -> Result {
        context.on_database("token", async |registry: &Registry| self.what.run(context, registry).await).await
    }
}

impl What {
    async fn run(self, context: &Context, registry: &Registry) -> Result {
        let (lang, actor) = (context.lang, operator());
        match self {
            Self::Create { mail, name, command, vocabulary, days } => {
                let account = find(registry, &mail).await?;
                let name: Name = name.parse().map_err(|r: Refusal| r.at(named("--name")))?;
                let commands = command.iter().map(|c| c.parse::<Command>()).collect::<std::result::Result<_, _>>();
                let commands: BTreeSet<_> = commands.map_err(|r| r.at(named("--command")))?;
                let slugs = vocabulary.iter().map(|v| v.parse::<Slug>()).collect::<std::result::Result<_, _>>();
                let slugs: BTreeSet<_> = slugs.map_err(|r| r.at(named("--vocabulary")))?;
                let vocabularies = (!slugs.is_empty()).then_some(slugs);
                let request = TokenRequest { name, commands, vocabularies, days: Some(days) };
                let made = registry.create_token(&actor, Some(account.uuid), request).await?;
                tell(context, &made, || format!("{}\n", made.secret))
            }
            Self::List => {
                let tokens = registry.tokens(&actor, true).await?;
                tell(context, &tokens, || {
                    let mut table = Table::right([]);
                    for t in &tokens {
                        let commands: Vec<&str> = t.commands.iter().map(|c| c.as_str()).collect();
                        let there = t.vocabularies.as_ref().map(|v| v.join(", ")).unwrap_or_default();
                        let cells = [t.uuid.to_string(), t.name.to_string(), commands.join(", "), there];
                        table.row(cells.into_iter().chain([t.expires.to_string()]));
                    }
                    table.text("")
                })
            }
            Self::Rename { token, name } => {
                let name: Name = name.parse().map_err(|r: Refusal| r.at(named(&name)))?;
                let renamed = registry.rename_token(&actor, uuid_of(&token)?, name).await?;
                let name = &renamed.name;
                tell(context, &renamed, || say!(lang, "Det hedder nu {name}.\n", "It is called {name} now.\n"))
            }
            Self::Revoke { token } => {
                let uuid = uuid_of(&token)?;
                registry.revoke_token(&actor, uuid).await?;
                tell(context, &json!({ "revoked": uuid }), || {
                    say!(lang, "{uuid} er tilbagekaldt.\n", "{uuid} is revoked.\n")
                })
            }
        }
    }
}

fn uuid_of(token: &str) -> Result<uuid::Uuid> {
    Ok(token.parse().map_err(|_| {
        let (da, en) = ("det er ikke et tokens uuid", "that is not the uuid of a token");
        Refusal::new(Code::InvalidIdentifier, da, en).allowed(["begreb token list"])
    })?)
}
