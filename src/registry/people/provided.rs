//! Signing in at an OpenID provider: whose account it is, and that what its claims gave agrees with them.

use uuid::Uuid;

use super::super::Registry;
use super::administrators;
use super::manage::lawful;
use super::sessions::SignedIn;
use crate::model::{
    Account, ChangeKind, Code, ForeignIdentity, Grant, Grantee, Mail, Name, Organisation, Refusal, Result, Role, Slug,
    new_uuid,
};
use crate::oidc::{Kept, OrganisationTarget, Person, Provider, ProviderSettings};
use crate::store::{People, Write};

/// A person on the way to a provider.
#[derive(Clone, Debug)]
pub struct Leaving {
    /// Where the browser goes.
    pub address: String,
    /// What it keeps meanwhile: a secret.
    pub keeps: String,
    /// For how many seconds.
    pub seconds: i64,
}

/// What a provider sent somebody back with.
#[derive(Clone, Default)]
pub struct CameBack {
    /// What we gave along.
    pub state: Option<String>,
    /// What is exchanged for a token.
    pub code: Option<String>,
    /// That the provider refused, and why.
    pub error: Option<String>,
    /// Who the provider says it is.
    pub issuer: Option<String>,
}

/// Where somebody who signed in at a provider goes, with a session.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// The session.
    pub signed_in: SignedIn,
    /// A path of this site.
    pub next: String,
}

impl Registry {
    /// The same registry with OpenID providers that people may sign in at. None of them is asked yet.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`], [`Code::Exists`] for two of one name.
    pub fn with_providers(mut self, providers: Vec<ProviderSettings>) -> Result<Self> {
        for settings in providers {
            let name = settings.name.clone();
            if self.doorkeeper.providers.iter().any(|p| p.settings().name == name) {
                let (da, en) = (format!("der er to udbydere »{name}«"), format!("there are two providers '{name}'"));
                return Err(Refusal::new(Code::Exists, da, en).at(crate::model::Place::field("name")));
            }
            let redirect = format!("{}/sign-in/{name}/callback", self.settings.public_url);
            self.doorkeeper.providers.push(Provider::new(settings, redirect)?);
        }
        Ok(self)
    }

    /// The providers that people may sign in at.
    pub fn providers(&self) -> impl Iterator<Item = &ProviderSettings> {
        self.doorkeeper.providers.iter().map(Provider::settings)
    }

    /// Sends somebody to a provider. `peer` is where they are: who sets out again and again without arriving waits.
    ///
    /// # Errors
    /// [`Code::UnknownProvider`], [`Code::InvalidParameter`] when `next` leads elsewhere, [`Code::TooManyAttempts`],
    /// [`Code::ProviderUnreachable`].
    pub async fn leave_for(&self, provider: &str, next: &str, peer: &str) -> Result<Leaving> {
        let provider = self.provider(provider)?;
        self.doorkeeper.leaving.knock(self.clock.now(), peer)?;
        let kept = Kept::new(self.dice(), self.clock.now(), &provider.settings().name, next)?;
        let address = provider.address(self.clock(), &kept).await?;
        let (keeps, seconds) = kept.cookie();
        Ok(Leaving { address, keeps, seconds })
    }

    /// Opens a session for somebody who comes back from a provider with what their browser kept.
    ///
    /// # Errors
    /// [`Code::UnknownProvider`]; [`Code::SignInState`] when this browser did not ask, or too long ago;
    /// [`Code::SignInUsed`]; what the provider and its token make of it; [`Code::MailUnproven`],
    /// [`Code::NoAccount`], [`Code::AccountClosed`], [`Code::Exists`] when the account is somebody else's there,
    /// [`Code::LastAdministrator`]; [`Code::Database`].
    pub async fn come_back(&self, provider: &str, kept: Option<&str>, with: CameBack, peer: &str) -> Result<Arrived> {
        let provider = self.provider(provider)?;
        let kept = kept.and_then(|k| Kept::read(&provider.settings().name, k)).ok_or_else(not_asked)?;
        if with.state != Some(kept.state()) || kept.expires() <= self.clock.now() {
            return Err(not_asked());
        }
        // RFC 9207: an answer that another provider made is not this one's.
        if with.issuer.is_some_and(|issuer| issuer != provider.settings().issuer) {
            return Err(not_asked());
        }
        if self.store.answer_is_used(kept.used()).await? {
            return Err(used());
        }
        let code = match (with.error, with.code) {
            (Some(error), _) => return Err(provider.refused(&error)),
            (None, Some(code)) => code,
            (None, None) => return Err(not_asked()),
        };
        let person = provider.person(self.clock(), &kept, code).await?;
        let signed_in = self.let_in(provider.settings(), &kept, &person).await?;
        self.doorkeeper.leaving.arrived(self.clock.now(), peer);
        Ok(Arrived { signed_in, next: kept.next().to_owned() })
    }

    fn provider(&self, name: &str) -> Result<&Provider> {
        let mut providers = self.doorkeeper.providers.iter();
        providers.find(|p| p.settings().name.as_str() == name).ok_or_else(|| {
            let (da, en) = ("der er ingen sådan udbyder af login", "there is no such provider to sign in at");
            Refusal::new(Code::UnknownProvider, da, en).allowed(self.providers().map(|p| p.name.to_string()))
        })
    }

    /// All of it in one write: the account, where it works, what it was given, and the session.
    async fn let_in(&self, settings: &ProviderSettings, kept: &Kept, person: &Person) -> Result<SignedIn> {
        let mut write = self.store.write(&format!("provider:{}", settings.name), self.clock.now()).await?;
        if !write.use_answer(kept.used(), kept.expires()).await? {
            return Err(used());
        }
        let people = write.people().await?;
        let account = self.account_for(&mut write, &people, settings, person).await?;
        if write.active_account(account.uuid).await?.is_none() {
            return Err(closed());
        }
        self.works_at(&mut write, &people, settings, person, &account).await?;
        self.agree(&mut write, &people, settings, person, account.uuid).await?;
        // The organisation may be another now, and closed.
        if write.active_account(account.uuid).await?.is_none() {
            return Err(closed());
        }
        let now = administrators(&write.people().await?);
        if now.is_empty() && !administrators(&people).is_empty() {
            return Err(Refusal::new(
                Code::LastAdministrator,
                "udbyderen siger ikke længere, at du administrerer registret, og så ville ingen kunne",
                "the provider no longer says that you administer the registry, and nobody would be left who can",
            ));
        }
        if !now.is_empty() {
            write.drop_links(None).await?;
        }
        let signed_in = self.open_session(&mut write, account.uuid, Some(&settings.name)).await?;
        write.commit().await?;
        self.follower.catch_up().await?;
        Ok(signed_in)
    }

    /// The account of a person: by who they are at the provider; the first time by a proven mail address.
    async fn account_for(
        &self,
        write: &mut Write,
        people: &People,
        settings: &ProviderSettings,
        person: &Person,
    ) -> Result<Account> {
        let here = |i: &&ForeignIdentity| i.issuer == person.issuer && i.subject == person.subject;
        if let Some(identity) = people.identities.iter().find(here) {
            return super::manage::account_of(people, identity.account).cloned();
        }
        let mail: Mail = person.mail.as_deref().and_then(|m| m.parse().ok()).ok_or_else(|| {
            let (da, en) = ("udbyderen oplyser ingen mailadresse", "the provider names no mail address");
            Refusal::new(Code::MailUnproven, da, en)
        })?;
        // Also for a new account: whoever came first would else wait there for the owner of the address.
        if !person.mail_is_proven {
            return Err(Refusal::new(
                Code::MailUnproven,
                "udbyderen har ikke bekræftet, at mailadressen er din",
                "the provider has not confirmed that the mail address is yours",
            ));
        }
        let account = match people.accounts.iter().find(|a| a.mail == mail) {
            Some(account) => {
                // Mail addresses pass from one person to the next.
                if people.identities.iter().any(|i| i.issuer == person.issuer && i.account == account.uuid) {
                    return Err(Refusal::new(
                        Code::Exists,
                        "mailadressens konto hører til en anden hos udbyderen; tal med en administrator",
                        "the account of the mail address is somebody else's at the provider; ask an administrator",
                    ));
                }
                account.clone()
            }
            None if settings.create => {
                let name = person.name.as_deref().and_then(|n| n.parse().ok());
                let name = name.map_or_else(|| mail.as_str().parse::<Name>(), Ok)?;
                let account = Account { uuid: new_uuid(self.dice())?, name, mail, organisation: None, active: true };
                lawful(&account, people)?;
                write.put_account(ChangeKind::AccountCreated, &account).await?;
                account
            }
            None => {
                return Err(Refusal::new(
                    Code::NoAccount,
                    "der er ingen konto med din mailadresse; bed en administrator om en",
                    "there is no account of your mail address; ask an administrator for one",
                ));
            }
        };
        let (issuer, subject) = (person.issuer.clone(), person.subject.clone());
        let identity = ForeignIdentity { uuid: new_uuid(self.dice())?, issuer, subject, account: account.uuid };
        write.link_identity(&identity).await?;
        Ok(account)
    }

    /// Puts an account into the organisation that its claims mean; where they mean none, it stays where it is.
    async fn works_at(
        &self,
        write: &mut Write,
        people: &People,
        settings: &ProviderSettings,
        person: &Person,
        account: &Account,
    ) -> Result<()> {
        let Some(map) = &settings.organisation else { return Ok(()) };
        let Some(target) = person.organisations.iter().find_map(|v| map.values.get(v)) else { return Ok(()) };
        let there = |is: &dyn Fn(&Organisation) -> bool| people.organisations.iter().find(|o| is(o)).map(|o| o.uuid);
        let organisation = match target {
            OrganisationTarget::Uuid(uuid) => match there(&|o| o.uuid == *uuid) {
                Some(uuid) => uuid,
                None => {
                    tracing::warn!(provider = %settings.name, %uuid, "claims mean an organisation that there is not");
                    return Ok(());
                }
            },
            OrganisationTarget::Name(name) => match there(&|o| o.name == *name) {
                Some(uuid) => uuid,
                None => {
                    let new = Organisation { uuid: new_uuid(self.dice())?, name: name.clone(), active: true };
                    write.put_organisation(ChangeKind::OrganisationCreated, &new).await?;
                    new.uuid
                }
            },
        };
        if account.organisation == Some(organisation) {
            return Ok(());
        }
        let moved = Account { organisation: Some(organisation), ..account.clone() };
        write.put_account(ChangeKind::AccountChanged, &moved).await?;
        self.pause_those_of_left_sets(write, moved.uuid, moved.organisation).await
    }

    /// Makes what a provider gave an account agree with its claims. What others gave is not looked at.
    async fn agree(
        &self,
        write: &mut Write,
        people: &People,
        settings: &ProviderSettings,
        person: &Person,
        account: Uuid,
    ) -> Result<()> {
        let to = Grantee::Account(account);
        let wanted = self.meant(settings, person);
        let given = people.grants.iter().filter(|g| g.to() == to && g.origin() == Some(&settings.name));
        let given: Vec<&Grant> = given.collect();
        for grant in &given {
            if !wanted.contains(&(grant.role(), grant.vocabulary())) {
                write.take_back(grant).await?;
            }
        }
        for (role, vocabulary) in wanted {
            if !given.iter().any(|g| (g.role(), g.vocabulary()) == (role, vocabulary)) {
                let grant = Grant::new(new_uuid(self.dice())?, to, role, vocabulary)?;
                write.give(&grant.from_provider(Some(settings.name.clone()))).await?;
            }
        }
        Ok(())
    }

    /// The roles that a person's claims mean, each once.
    fn meant(&self, settings: &ProviderSettings, person: &Person) -> Vec<(Role, Option<Uuid>)> {
        let mut meant = Vec::new();
        let values = settings.roles.iter().flat_map(|r| &r.values);
        for (_, target) in values.filter(|(value, _)| person.roles.contains(value)) {
            let vocabulary = match target.vocabulary.as_ref().map(|v: &Slug| (v, self.vocabulary_of(v))) {
                None => None,
                Some((_, Ok(vocabulary))) => Some(vocabulary.uuid()),
                Some((slug, Err(_))) => {
                    // It may come yet; a role in all vocabularies is not what was meant.
                    tracing::warn!(provider = %settings.name, vocabulary = %slug, "claims mean an unknown vocabulary");
                    continue;
                }
            };
            if !meant.contains(&(target.role, vocabulary)) {
                meant.push((target.role, vocabulary));
            }
        }
        meant
    }
}

fn not_asked() -> Refusal {
    Refusal::new(
        Code::SignInState,
        "svaret passer ikke til et login, der er begyndt i denne browser for højst 10 minutter siden; begynd forfra",
        "the answer belongs to no sign-in that this browser began within the last 10 minutes; begin again",
    )
}

fn used() -> Refusal {
    let (da, en) = ("svaret er brugt; begynd forfra", "the answer has been used; begin again");
    Refusal::new(Code::SignInUsed, da, en)
}

fn closed() -> Refusal {
    Refusal::new(
        Code::AccountClosed,
        "kontoen, eller dens organisation, er lukket",
        "the account, or its organisation, is closed",
    )
}
