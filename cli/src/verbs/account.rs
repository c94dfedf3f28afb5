//! `begreb account`.

use begreb::model::{Account as Person, Code, Mail, Name, Password, Refusal, Role, Slug};
use begreb::registry::{AccountChange, AccountRequest, GiveRequest, Registry, Settings};
use serde_json::json;

use crate::context::{Context, Missing, Opened, operator};
use crate::lang::say;
use crate::print::{self, Table};
use crate::source;
use crate::stop::{Result, named};

const EXAMPLES: &str = "\
Somebody who publishes FSIII; the link that is printed leads once to a form where the person sets a password:
  begreb account create --name \"Anne Jensen\" --mail anne@example.dk --role publisher --vocabulary fsiii \\
    --public-url https://begreb.example.dk

Who there is, and what they may:
  begreb account list

One role more, and the same taken back:
  begreb account grant anne@example.dk secretary
  begreb account grant anne@example.dk secretary --take

Nobody gets in any more with this account; and everything that is known of the person is erased:
  begreb account deactivate anne@example.dk
  begreb account erase anne@example.dk

Somebody else comes from a provider for this account; the link to who came before is undone:
  begreb account identities anne@example.dk
  begreb account unlink anne@example.dk https://login.example.dk

A password from a file, when no mail and no link will do; it is one line:
  begreb account password anne@example.dk < password.txt

It works on the database itself: whoever holds that may do all of this. Roles: docs/rights.md.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Account {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// Create an account, and print the link by which its person sets a password
    Create {
        /// What the person is called
        #[arg(long)]
        name: String,
        /// What the account signs in with
        #[arg(long)]
        mail: String,
        /// A role to begin with
        #[arg(long)]
        role: Option<String>,
        /// The one vocabulary of that role [default: all]
        #[arg(long, value_name = "SLUG", requires = "role")]
        vocabulary: Option<String>,
        /// What the addresses of the registry begin with
        #[arg(long, env = "BEGREB_PUBLIC_URL", value_name = "URL")]
        public_url: Option<String>,
    },
    /// List the accounts with their roles
    List,
    /// Let nobody in with an account any more
    Deactivate {
        /// The mail address of the account
        mail: String,
        /// Let its person in again
        #[arg(long)]
        undo: bool,
    },
    /// Erase everything that is known of an account's person
    Erase {
        /// The mail address of the account
        mail: String,
    },
    /// Set the password of an account: one line from standard input
    Password {
        /// The mail address of the account
        mail: String,
    },
    /// List who an account is at the OpenID providers
    Identities {
        /// The mail address of the account
        mail: String,
    },
    /// Undo the link of an account to somebody at a provider, and sign the account out
    Unlink {
        /// The mail address of the account
        mail: String,
        /// The link: its uuid, or the short name or issuer of the provider
        identity: String,
    },
    /// Give an account a role, or take it back
    Grant {
        /// The mail address of the account
        mail: String,
        /// The role
        role: String,
        /// The one vocabulary [default: all]
        #[arg(long, value_name = "SLUG")]
        vocabulary: Option<String>,
        /// Take it back
        #[arg(long)]
        take: bool,
    },
}

impl Account {
    pub async fn run(self, context: &Context) -> Result {
        context.needs_database("account")?;
        let mut settings = Settings::default();
        let mut missing = Missing::Refused;
        if let What::Create { public_url, .. } = &self.what {
            missing = Missing::Made;
            if let Some(url) = public_url {
                settings.public_url = url.trim_end_matches('/').to_owned();
            }
        }
        context.with(missing, settings, async |opened: &Opened| self.what.run(context, &opened.registry).await).await
    }
}

impl What {
    async fn run(self, context: &Context, registry: &Registry) -> Result {
        let (lang, actor) = (context.lang, operator());
        match self {
            Self::Create { name, mail, role, vocabulary, .. } => {
                let name: Name = name.parse().map_err(|r: Refusal| r.at(named("--name")))?;
                let mail: Mail = mail.parse().map_err(|r: Refusal| r.at(named("--mail")))?;
                // What is wrong with the role is told before there is an account.
                let role = role.map(|r| role_of(registry, &r, vocabulary.as_deref())).transpose()?;
                let made = registry.create_account(&actor, AccountRequest { name, mail, organisation: None }).await?;
                if let Some((role, vocabulary)) = role {
                    let account = Some(made.account.uuid);
                    registry.give(&actor, GiveRequest { account, group: None, role, vocabulary }).await?;
                }
                let (mail, link) = (&made.account.mail, &made.link);
                tell(context, &made, || {
                    say!(
                        lang,
                        "{mail} er oprettet. Linket virker én gang, i 24 timer:\n{link}\n",
                        "{mail} is created. The link works once, for 24 hours:\n{link}\n"
                    )
                })
            }
            Self::List => {
                let (people, grants) = (registry.people(&actor).await?, registry.grants(&actor).await?);
                let roles = |person: &Person| {
                    let own = grants.iter().filter(|g| g.to == begreb::model::Grantee::Account(person.uuid));
                    let one = |g: &begreb::registry::GrantAnswer| match &g.vocabulary {
                        Some(v) => format!("{} ({v})", g.role),
                        None => g.role.to_string(),
                    };
                    own.map(one).collect::<Vec<_>>().join(", ")
                };
                let answer = json!({ "accounts": people.accounts, "grants": grants });
                tell(context, &answer, || {
                    let mut table = Table::right([]);
                    for person in &people.accounts {
                        let state = if person.active { "" } else { lang.say("lukket", "deactivated") };
                        let cells = [person.mail.to_string(), person.name.to_string(), roles(person), state.to_owned()];
                        table.row(cells);
                    }
                    table.text("")
                })
            }
            Self::Deactivate { mail, undo } => {
                let account = find(registry, &mail).await?;
                let change = AccountChange { active: Some(undo), ..AccountChange::default() };
                let done = registry.change_account(&actor, account.uuid, change).await?;
                tell(context, &done, || match undo {
                    true => say!(lang, "{mail} kan logge ind igen.\n", "{mail} may sign in again.\n"),
                    false => say!(lang, "{mail} kan ikke logge ind mere.\n", "{mail} may not sign in any more.\n"),
                })
            }
            Self::Erase { mail } => {
                let account = find(registry, &mail).await?;
                registry.erase_account(&actor, account.uuid).await?;
                let uuid = account.uuid;
                tell(context, &json!({ "erased": uuid }), || say!(lang, "{uuid} er slettet.\n", "{uuid} is erased.\n"))
            }
            Self::Password { mail } => {
                let account = find(registry, &mail).await?;
                let mut line = String::new();
                std::io::stdin().read_line(&mut line).map_err(|e| {
                    Refusal::new(Code::File, format!("kan ikke læse: {e}"), format!("cannot read: {e}"))
                        .at(named("stdin"))
                })?;
                let password = Password::new(line.trim_end_matches(['\r', '\n']))?;
                registry.set_password(&actor, account.uuid, &password).await?;
                tell(context, &json!({ "account": account.uuid }), || {
                    say!(
                        lang,
                        "Adgangskoden er sat, og {mail} er logget ud.\n",
                        "The password is set, and {mail} is signed out.\n"
                    )
                })
            }
            Self::Identities { mail } => {
                let account = find(registry, &mail).await?;
                let identities = registry.identities(&actor, Some(account.uuid)).await?;
                tell(context, &identities, || {
                    let mut table = Table::right([]);
                    for i in &identities {
                        table.row([i.uuid.to_string(), i.issuer.clone(), i.subject.clone()]);
                    }
                    table.text("")
                })
            }
            Self::Unlink { mail, identity } => {
                let account = find(registry, &mail).await?;
                let identities = registry.identities(&actor, Some(account.uuid)).await?;
                let is = |i: &&begreb::registry::IdentityAnswer| {
                    i.uuid.to_string() == identity || i.issuer == identity || i.provider.as_deref() == Some(&*identity)
                };
                let found: Vec<_> = identities.iter().filter(is).collect();
                let found = the_one(&found, &identity, "begreb account identities MAIL")?;
                registry.unlink_identity(&actor, Some(account.uuid), found.uuid).await?;
                let issuer = &found.issuer;
                tell(context, &json!({ "unlinked": found }), || {
                    say!(
                        lang,
                        "{mail} hører ikke længere til nogen hos {issuer}, og er logget ud.\n",
                        "{mail} belongs to nobody at {issuer} any more, and is signed out.\n"
                    )
                })
            }
            Self::Grant { mail, role, vocabulary, take } => {
                let account = find(registry, &mail).await?;
                let (role, vocabulary) = role_of(registry, &role, vocabulary.as_deref())?;
                if !take {
                    let request = GiveRequest { account: Some(account.uuid), group: None, role, vocabulary };
                    let given = registry.give(&actor, request).await?;
                    return tell(context, &given, || say!(lang, "{mail} er {role}.\n", "{mail} is {role}.\n"));
                }
                let to = begreb::model::Grantee::Account(account.uuid);
                let slug = vocabulary.map(|v| v.to_string());
                let grants = registry.grants(&actor).await?;
                let Some(grant) = grants.into_iter().find(|g| g.to == to && g.role == role && g.vocabulary == slug)
                else {
                    let (da, en) = ("den rolle har kontoen ikke", "the account does not have that role");
                    return Err(Refusal::new(Code::NotFound, da, en).at(named(&mail)).into());
                };
                registry.take(&actor, grant.uuid).await?;
                tell(context, &json!({ "taken": grant }), || {
                    say!(lang, "{mail} er ikke længere {role}.\n", "{mail} is no longer {role}.\n")
                })
            }
        }
    }
}

/// A role, and the vocabulary that it is for.
pub fn role_of(registry: &Registry, role: &str, vocabulary: Option<&str>) -> Result<(Role, Option<Slug>)> {
    let role = role.parse()?;
    let Some(slug) = vocabulary else { return Ok((role, None)) };
    registry.vocabulary(slug).map_err(|r| r.at(named("--vocabulary")))?;
    Ok((role, Some(slug.parse()?)))
}

/// The account of a mail address.
pub async fn find(registry: &Registry, mail: &str) -> Result<Person> {
    let wanted: Mail = mail.parse().map_err(|r: Refusal| r.at(named(mail)))?;
    let accounts = registry.people(&operator()).await?.accounts;
    let found = accounts.into_iter().find(|a| a.mail == wanted);
    Ok(found.ok_or_else(|| {
        Refusal::new(Code::NotFound, "ingen konto har den mailadresse", "no account has that mail address")
            .at(named(mail))
    })?)
}

/// The one that a name or a uuid means.
pub fn the_one<'f, T>(found: &[&'f T], key: &str, list: &str) -> Result<&'f T> {
    match found {
        [one] => Ok(one),
        [] => {
            Err(Refusal::new(Code::NotFound, "den er der ikke", "there is none").at(named(key)).allowed([list]).into())
        }
        _ => {
            let (da, en) = ("flere hedder sådan; brug uuid'en", "several are called so; use the uuid");
            Err(Refusal::new(Code::Doubt, da, en).at(named(key)).allowed([list]).into())
        }
    }
}

/// Tells people or programs.
pub fn tell(context: &Context, answer: &impl serde::Serialize, text: impl FnOnce() -> String) -> Result {
    print::out(&if context.json { format!("{}\n", source::json(answer)?) } else { text() });
    Ok(())
}
