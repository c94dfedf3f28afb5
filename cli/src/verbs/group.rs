//! `begreb group`.

use begreb::model::{Code, Group as People, GroupKind, Name, Refusal};
use begreb::registry::{GroupChange, GroupRequest, Registry};

use super::account::{self, tell};
use crate::context::{Context, operator};
use crate::lang::say;
use crate::print::Table;
use crate::stop::{Result, named};

const EXAMPLES: &str = "\
A committee with its members, and what all of them may do:
  begreb group create Begrebsstyregruppen committee --member christa@example.dk --member mads@example.dk
  begreb grant give committeeMember --group Begrebsstyregruppen

One member more, and one fewer:
  begreb group add Begrebsstyregruppen mette@example.dk
  begreb group remove Begrebsstyregruppen mads@example.dk

It works on the database itself. A group is named by its name or its uuid. Kinds: workingGroup, committee,
secretariat, hearingParties.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Group {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// Form a group
    Create {
        /// What it is called
        name: String,
        /// What it is
        kind: String,
        /// The mail address of a member; may stand several times
        #[arg(long, value_name = "MAIL")]
        member: Vec<String>,
    },
    /// List the groups with their members
    List,
    /// Call a group something else
    Rename {
        /// The group
        group: String,
        /// What it is called from now on
        name: String,
    },
    /// Take an account into a group
    Add {
        /// The group
        group: String,
        /// The mail address of the account
        mail: String,
    },
    /// Take an account out of a group
    Remove {
        /// The group
        group: String,
        /// The mail address of the account
        mail: String,
    },
    /// Let its members no longer have what the group was given
    Deactivate {
        /// The group
        group: String,
        /// Let them have it again
        #[arg(long)]
        undo: bool,
    },
}

impl Group {
    pub async fn run(self, context: &Context) -> Result {
        context.on_database("group", async |registry: &Registry| self.what.run(context, registry).await).await
    }
}

impl What {
    async fn run(self, context: &Context, registry: &Registry) -> Result {
        let (lang, actor) = (context.lang, operator());
        match self {
            Self::Create { name, kind, member } => {
                let name: Name = name.parse().map_err(|r: Refusal| r.at(named(&name)))?;
                let kind: GroupKind = kind.parse().map_err(|r: Refusal| r.at(named(&kind)))?;
                let mut members = std::collections::BTreeSet::new();
                for mail in &member {
                    members.insert(account::find(registry, mail).await?.uuid);
                }
                let made = registry.create_group(&actor, GroupRequest { name, kind, members }).await?;
                let (name, uuid) = (&made.name, made.uuid);
                tell(context, &made, || say!(lang, "{name} er dannet: {uuid}\n", "{name} is formed: {uuid}\n"))
            }
            Self::List => {
                let people = registry.people(&actor).await?;
                tell(context, &people.groups, || {
                    let mut table = Table::right([]);
                    for g in &people.groups {
                        let mail = |m| people.accounts.iter().find(|a| a.uuid == m).map(|a| a.mail.to_string());
                        let members: Vec<String> = g.members.iter().filter_map(|m| mail(*m)).collect();
                        let state = if g.active { "" } else { lang.say("lukket", "deactivated") };
                        table.row([g.name.to_string(), g.kind.to_string(), members.join(", "), state.to_owned()]);
                    }
                    table.text("")
                })
            }
            Self::Rename { group, name } => {
                let name: Name = name.parse().map_err(|r: Refusal| r.at(named(&name)))?;
                let change = GroupChange { name: Some(name), ..GroupChange::default() };
                changed(context, registry, &find(registry, &group).await?, change).await
            }
            Self::Add { group, mail } => {
                let (found, person) = (find(registry, &group).await?, account::find(registry, &mail).await?);
                let mut members = found.members.clone();
                members.insert(person.uuid);
                let change = GroupChange { members: Some(members), ..GroupChange::default() };
                changed(context, registry, &found, change).await
            }
            Self::Remove { group, mail } => {
                let (found, person) = (find(registry, &group).await?, account::find(registry, &mail).await?);
                let mut members = found.members.clone();
                if !members.remove(&person.uuid) {
                    let (da, en) = ("kontoen er ikke med i gruppen", "the account is not in the group");
                    return Err(Refusal::new(Code::NotFound, da, en).at(named(&mail)).into());
                }
                let change = GroupChange { members: Some(members), ..GroupChange::default() };
                changed(context, registry, &found, change).await
            }
            Self::Deactivate { group, undo } => {
                let change = GroupChange { active: Some(undo), ..GroupChange::default() };
                changed(context, registry, &find(registry, &group).await?, change).await
            }
        }
    }
}

async fn changed(context: &Context, registry: &Registry, group: &People, change: GroupChange) -> Result {
    let done = registry.change_group(&operator(), group.uuid, change).await?;
    let (lang, name, n) = (context.lang, &done.name, done.members.len());
    let state = if done.active { "" } else { lang.say(", lukket", ", deactivated") };
    tell(context, &done, || say!(lang, "{name}: {n} medlemmer{state}.\n", "{name}: {n} members{state}.\n"))
}

/// The group of a name or a uuid.
pub async fn find(registry: &Registry, key: &str) -> Result<People> {
    let all = registry.people(&operator()).await?.groups;
    let found: Vec<&People> = all.iter().filter(|g| g.uuid.to_string() == key || g.name.as_str() == key).collect();
    Ok(account::the_one(&found, key, "begreb group list")?.clone())
}
