//! `begreb grant`.

use begreb::model::{Code, Grantee, Refusal};
use begreb::registry::{GiveRequest, GrantAnswer, Registry};
use serde_json::json;

use super::account::{find, role_of, tell};
use super::group;
use crate::context::{Context, operator};
use crate::lang::say;
use crate::print::Table;
use crate::stop::{Result, named};

const EXAMPLES: &str = "\
A role of a group in one vocabulary, and one of an account in all:
  begreb grant give contributor --group Arbejdsgruppen --vocabulary fsiii
  begreb grant give publisher --account anne@example.dk

Who has what, and the same taken back:
  begreb grant list
  begreb grant take publisher --account anne@example.dk

It works on the database itself. What a provider's claims gave, they give again. Roles: docs/rights.md.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Grant {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// Give a role
    Give(Which),
    /// Take a role back
    Take(Which),
    /// List who has which role, where, and by whom it was given
    List,
}

#[derive(clap::Args, Debug)]
struct Which {
    /// The role
    role: String,
    /// The mail address of the account
    #[arg(long, value_name = "MAIL", required_unless_present = "group", conflicts_with = "group")]
    account: Option<String>,
    /// The name or uuid of the group
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// The one vocabulary [default: all]
    #[arg(long, value_name = "SLUG")]
    vocabulary: Option<String>,
}

impl Grant {
    pub async fn run(self, context: &Context) -> Result {
        context.on_database("grant", async |registry: &Registry| self.what.run(context, registry).await).await
    }
}

impl What {
    async fn run(self, context: &Context, registry: &Registry) -> Result {
        let (lang, actor) = (context.lang, operator());
        match self {
            Self::Give(which) => {
                let (who, to) = which.to(registry).await?;
                let (role, vocabulary) = role_of(registry, &which.role, which.vocabulary.as_deref())?;
                let (account, group) = match to {
                    Grantee::Account(account) => (Some(account), None),
                    Grantee::Group(group) => (None, Some(group)),
                };
                let given = registry.give(&actor, GiveRequest { account, group, role, vocabulary }).await?;
                tell(context, &given, || say!(lang, "{who} er {role}.\n", "{who} is {role}.\n"))
            }
            Self::Take(which) => {
                let (who, to) = which.to(registry).await?;
                let (role, vocabulary) = role_of(registry, &which.role, which.vocabulary.as_deref())?;
                let slug = vocabulary.map(|v| v.to_string());
                let is = |g: &GrantAnswer| g.to == to && g.role == role && g.vocabulary == slug;
                let Some(grant) = registry.grants(&actor).await?.into_iter().find(is) else {
                    let (da, en) = ("den rolle er ikke givet", "that role was not given");
                    return Err(Refusal::new(Code::NotFound, da, en).at(named(&who)).into());
                };
                registry.take(&actor, grant.uuid).await?;
                tell(context, &json!({ "taken": grant }), || {
                    say!(lang, "{who} er ikke længere {role}.\n", "{who} is no longer {role}.\n")
                })
            }
            Self::List => {
                let (people, grants) = (registry.people(&actor).await?, registry.grants(&actor).await?);
                tell(context, &grants, || {
                    let mut table = Table::right([]);
                    for g in &grants {
                        let who = match g.to {
                            Grantee::Account(a) => {
                                people.accounts.iter().find(|x| x.uuid == a).map(|x| x.mail.to_string())
                            }
                            Grantee::Group(p) => people.groups.iter().find(|x| x.uuid == p).map(|x| x.name.to_string()),
                        };
                        let there = g.vocabulary.clone().unwrap_or_default();
                        let by = g.origin.clone().unwrap_or_default();
                        table.row([who.unwrap_or_default(), g.role.to_string(), there, by]);
                    }
                    table.text("")
                })
            }
        }
    }
}

impl Which {
    /// Who is meant: how they are called, and who that is.
    async fn to(&self, registry: &Registry) -> Result<(String, Grantee)> {
        match (&self.account, &self.group) {
            (_, Some(key)) => {
                let found = group::find(registry, key).await?;
                Ok((found.name.to_string(), Grantee::Group(found.uuid)))
            }
            (mail, None) => {
                let mail = mail.as_deref().unwrap_or_default();
                Ok((mail.to_owned(), Grantee::Account(find(registry, mail).await?.uuid)))
            }
        }
    }
}
