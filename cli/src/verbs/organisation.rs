//! `begreb organisation`.

use begreb::model::{Code, Name, Organisation as Works, Refusal};
use begreb::registry::{AccountChange, OrganisationChange, Registry};

use super::account::{self, tell};
use crate::context::{Context, operator};
use crate::lang::say;
use crate::print::Table;
use crate::stop::{Result, named};

const EXAMPLES: &str = "\
An organisation, and somebody who works there:
  begreb organisation create \"Nordkøbing Kommune\"
  begreb organisation add \"Nordkøbing Kommune\" anne@example.dk

Nobody who works there gets in any more:
  begreb organisation deactivate \"Nordkøbing Kommune\"

It works on the database itself. An organisation is named by its name or its uuid.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Organisation {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// Make an organisation known
    Create {
        /// What it is called
        name: String,
    },
    /// List the organisations, each with how many work there
    List,
    /// Call an organisation something else
    Rename {
        /// The organisation
        organisation: String,
        /// What it is called from now on
        name: String,
    },
    /// Say that an account works there
    Add {
        /// The organisation
        organisation: String,
        /// The mail address of the account
        mail: String,
        /// It works there no longer
        #[arg(long)]
        undo: bool,
    },
    /// Let nobody in who works there any more
    Deactivate {
        /// The organisation
        organisation: String,
        /// Let its people in again
        #[arg(long)]
        undo: bool,
    },
}

impl Organisation {
    pub async fn run(self, context: &Context) -> Result {
        context.on_database("organisation", async |registry: &Registry| self.what.run(context, registry).await).await
    }
}

impl What {
    async fn run(self, context: &Context, registry: &Registry) -> Result {
        let (lang, actor) = (context.lang, operator());
        match self {
            Self::Create { name } => {
                let name: Name = name.parse().map_err(|r: Refusal| r.at(named(&name)))?;
                let made = registry.create_organisation(&actor, name).await?;
                let (name, uuid) = (&made.name, made.uuid);
                tell(context, &made, || say!(lang, "{name} er oprettet: {uuid}\n", "{name} is created: {uuid}\n"))
            }
            Self::List => {
                let people = registry.people(&actor).await?;
                tell(context, &people.organisations, || {
                    let mut table = Table::right([1]);
                    for o in &people.organisations {
                        let works = people.accounts.iter().filter(|a| a.organisation == Some(o.uuid)).count();
                        let state = if o.active { "" } else { lang.say("lukket", "deactivated") };
                        table.row([o.name.to_string(), works.to_string(), o.uuid.to_string(), state.to_owned()]);
                    }
                    table.text("")
                })
            }
            Self::Rename { organisation, name } => {
                let found = find(registry, &organisation).await?;
                let name: Name = name.parse().map_err(|r: Refusal| r.at(named(&name)))?;
                let change = OrganisationChange { name: Some(name), active: None };
                let done = registry.change_organisation(&actor, found.uuid, change).await?;
                let (old, new) = (&found.name, &done.name);
                tell(context, &done, || say!(lang, "{old} hedder nu {new}.\n", "{old} is called {new} now.\n"))
            }
            Self::Add { organisation, mail, undo } => {
                let found = find(registry, &organisation).await?;
                let person = account::find(registry, &mail).await?;
                if undo && person.organisation != Some(found.uuid) {
                    let (da, en) = ("kontoen arbejder der ikke", "the account does not work there");
                    return Err(Refusal::new(Code::NotFound, da, en).at(named(&mail)).into());
                }
                let works = (!undo).then_some(found.uuid);
                let change = AccountChange { organisation: Some(works), ..AccountChange::default() };
                let done = registry.change_account(&actor, person.uuid, change).await?;
                let name = &found.name;
                tell(context, &done, || match undo {
                    false => say!(lang, "{mail} arbejder hos {name}.\n", "{mail} works at {name}.\n"),
                    true => say!(lang, "{mail} arbejder ikke hos {name}.\n", "{mail} does not work at {name}.\n"),
                })
            }
            Self::Deactivate { organisation, undo } => {
                let found = find(registry, &organisation).await?;
                let change = OrganisationChange { name: None, active: Some(undo) };
                let done = registry.change_organisation(&actor, found.uuid, change).await?;
                let name = &done.name;
                tell(context, &done, || match undo {
                    true => say!(lang, "{name} er åben igen.\n", "{name} is open again.\n"),
                    false => say!(lang, "{name} er lukket.\n", "{name} is closed.\n"),
                })
            }
        }
    }
}

/// The organisation of a name or a uuid.
async fn find(registry: &Registry, key: &str) -> Result<Works> {
    let all = registry.people(&operator()).await?.organisations;
    let is = |o: &&Works| o.uuid.to_string() == key || o.name.as_str() == key;
    let found: Vec<&Works> = all.iter().filter(is).collect();
    Ok(account::the_one(&found, key, "begreb organisation list")?.clone())
}
