//! Signing in and out.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Registry;
use super::super::permission::{Actor, By, not_signed_in, permit};
use super::manage::account_of;
use super::missing;
use crate::model::{
    Account, Code, Command, Instant, Mail, Password, Place, Refusal, Result, Role, Secret, Slug, new_uuid,
};
use crate::store::{Session, Write};

/// How long a session lasts, in hours: a working day.
const HOURS: i64 = 12;

/// How many sessions an account has at once; one more ends the one that was opened first.
const MOST: i64 = 50;

/// What stands between the provider and the chance in the secret of a session; neither has it.
const BY: char = '.';

/// A session that was opened.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The account.
    pub account: Uuid,
    /// What is sent back with each request; shown now and never again.
    pub secret: Secret,
    /// How many seconds it is worth something.
    pub seconds: i64,
}

/// A session, without its secret.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct SessionAnswer {
    /// The session itself.
    pub uuid: Uuid,
    /// When it was opened.
    #[schema(value_type = String)]
    pub created: Instant,
    /// From when it is worth nothing.
    #[schema(value_type = String)]
    pub expires: Instant,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// Who asks, and what they may.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Me {
    /// The account.
    #[serde(flatten)]
    pub account: Account,
    /// Its roles, its own and those of its groups.
    pub roles: Vec<MyRole>,
}

/// How somebody signed in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(tag = "by", rename_all = "camelCase")]
pub enum Door {
    /// By mail address and password, or by a link.
    Password,
    /// At an OpenID provider.
    Provider {
        /// Its short name.
        #[schema(value_type = String)]
        provider: Slug,
    },
}

/// Who asks, what they may, and how they were recognised.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MeAnswer {
    /// Who, and what they may.
    #[serde(flatten)]
    pub me: Me,
    /// How they signed in.
    pub signed_in: Door,
}

/// A role that one has.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MyRole {
    /// The role.
    pub role: Role,
    /// The slug of the one vocabulary; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocabulary: Option<String>,
}

impl Registry {
    /// Opens a session for whoever knows mail address and password. No account, no password and a wrong one are
    /// answered alike, after the same work.
    ///
    /// # Errors
    /// [`Code::LocalSignInOff`], [`Code::WrongCredentials`], [`Code::TooManyAttempts`], [`Code::Database`].
    pub async fn sign_in(&self, mail: &str, password: &str, peer: &str) -> Result<SignedIn> {
        let lawful: Option<Mail> = mail.parse().ok();
        let mail = lawful.as_ref().map_or_else(|| mail.trim().to_lowercase(), ToString::to_string);
        if !self.doorkeeper.local {
            return Err(Refusal::new(
                Code::LocalSignInOff,
                "her logger man ikke ind med adgangskode; brug en af udbyderne",
                "nobody signs in by a password here; use one of the providers",
            )
            .allowed(self.providers().map(|p| p.name.to_string())));
        }
        self.doorkeeper.throttle.begin(self.clock.now(), &mail, peer)?;
        let found = match &lawful {
            Some(mail) => self.store.account_by_mail(mail.as_str()).await?,
            None => None,
        };
        let stored = found.as_ref().and_then(|f| f.password.clone());
        let is = self.doorkeeper.hasher.is(password, stored).await?;
        let Some(found) = found.filter(|_| is) else { return Err(wrong_credentials()) };
        self.doorkeeper.throttle.succeeded(self.clock.now(), &mail, peer);
        let mut write = self.store.write("sign-in", self.clock.now()).await?;
        // Once more under the lock: a password that was changed meanwhile opens nothing.
        if write.active_account(found.uuid).await?.as_ref() != Some(&found) {
            return Err(wrong_credentials());
        }
        let signed_in = self.open_session(&mut write, found.uuid, None).await?;
        write.commit().await?;
        Ok(signed_in)
    }

    /// Opens a session within a write, for an account that was recognised: by a provider when one is named. That stands
    /// in the secret itself, whose digest proves it: nobody can say otherwise.
    pub(super) async fn open_session(
        &self,
        write: &mut Write,
        account: Uuid,
        provider: Option<&Slug>,
    ) -> Result<SignedIn> {
        let kind = provider.map_or_else(String::new, |p| format!("{p}{BY}"));
        let secret = Secret::new(self.dice(), &kind)?;
        let created = self.clock.now();
        let expires = Instant::from_micros(created.micros().saturating_add(HOURS * 3_600_000_000));
        let session = Session { uuid: new_uuid(self.dice())?, account, created, expires };
        write.open_session(&session, secret.digest(), MOST).await?;
        Ok(SignedIn { account, secret, seconds: HOURS * 3600 })
    }

    /// The account of a session's secret, with what it has been given now.
    ///
    /// # Errors
    /// [`Code::NotSignedIn`] when there is no such session or its account is not active, [`Code::Expired`].
    pub async fn by_session(&self, secret: &Secret) -> Result<Actor> {
        let session = self.store.session(secret.digest()).await?.ok_or_else(not_signed_in)?;
        if session.expires <= self.clock.now() {
            let (da, en) = ("sessionen er udløbet; log ind igen", "the session has run out; sign in again");
            return Err(Refusal::new(Code::Expired, da, en));
        }
        self.caller(session.account, By::Session(session.uuid)).await
    }

    /// Ends the session that asks.
    ///
    /// # Errors
    /// [`Code::NotSignedIn`], [`Code::Database`].
    pub async fn sign_out(&self, actor: &Actor) -> Result<()> {
        let caller = actor.account()?;
        let By::Session(session) = caller.by else { return Err(not_signed_in()) };
        self.end(caller.account, session).await.map(drop)
    }

    /// The sessions of the account that asks.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::Database`].
    pub async fn sessions(&self, actor: &Actor) -> Result<Vec<SessionAnswer>> {
        permit(actor, Command::OwnAccount, None)?;
        let caller = actor.account()?;
        let now = self.clock.now();
        let sessions = self.store.sessions(caller.account).await?.into_iter().filter(|s| s.expires > now);
        let answer = |Session { uuid, created, expires, .. }| SessionAnswer {
            uuid,
            created,
            expires,
            current: caller.by == By::Session(uuid),
        };
        Ok(sessions.map(answer).collect())
    }

    /// Ends a session of the account that asks.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::NotFound`], [`Code::Database`].
    pub async fn end_session(&self, actor: &Actor, session: Uuid) -> Result<()> {
        permit(actor, Command::OwnAccount, None)?;
        let ended = self.end(actor.account()?.account, session).await?;
        if ended { Ok(()) } else { Err(missing("session", session)) }
    }

    /// Ends every session of an account.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::NotFound`], [`Code::Database`].
    pub async fn end_sessions(&self, actor: &Actor, account: Uuid) -> Result<()> {
        permit(actor, Command::RevokeTokens, None)?;
        let (mut write, people) = self.change_people(actor).await?;
        account_of(&people, account)?;
        write.end_sessions(account).await?;
        self.keep(write, actor).await
    }

    /// Who asks, and what they may.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::Database`].
    pub async fn me(&self, actor: &Actor) -> Result<Me> {
        permit(actor, Command::OwnAccount, None)?;
        let caller = actor.account()?;
        let account = self.store.account(caller.account).await?.ok_or_else(not_signed_in)?;
        let role = |h: &super::Held| MyRole { role: h.role, vocabulary: h.vocabulary.map(|v| self.slug_of(v)) };
        Ok(Me { account, roles: caller.held.iter().map(role).collect() })
    }

    /// Who asks, what they may, and how they were recognised: by the secret of their session when it was one.
    ///
    /// # Errors
    /// As [`Registry::me`].
    pub async fn me_by(&self, actor: &Actor, session: Option<&Secret>) -> Result<MeAnswer> {
        let me = self.me(actor).await?;
        let signed_in = match session.and_then(provider_of) {
            Some(provider) => Door::Provider { provider },
            None => Door::Password,
        };
        Ok(MeAnswer { me, signed_in })
    }

    /// Where somebody who signs out here can sign out at the provider, too: when their session was opened there, and
    /// it offers that.
    pub async fn sign_out_at(&self, session: &Secret) -> Option<(&crate::oidc::ProviderSettings, String)> {
        let name = provider_of(session)?;
        let provider = self.doorkeeper.providers.iter().find(|p| p.settings().name == name)?;
        let address = provider.sign_out(self.clock()).await?;
        Some((provider.settings(), address))
    }

    /// Changes the password of the account that asks, who must know the present one. Its other sessions end.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::WrongCredentials`], [`Code::TooManyAttempts`], [`Code::Database`].
    pub async fn change_password(&self, actor: &Actor, current: &str, new: &Password, peer: &str) -> Result<()> {
        permit(actor, Command::OwnAccount, None)?;
        let caller = actor.account()?;
        let key = caller.account.to_string();
        self.doorkeeper.throttle.begin(self.clock.now(), &key, peer)?;
        let found = self.store.active_account(caller.account).await?.ok_or_else(not_signed_in)?;
        let before = found.password.clone();
        if !self.doorkeeper.hasher.is(current, found.password).await? {
            let (da, en) = ("den nuværende adgangskode er en anden", "the present password is another");
            return Err(Refusal::new(Code::WrongCredentials, da, en).at(Place::field("current")));
        }
        self.doorkeeper.throttle.succeeded(self.clock.now(), &key, peer);
        let stored = self.doorkeeper.hasher.hash(new, self.dice()).await?;
        let mut write = self.store.write(&actor.name(), self.clock.now()).await?;
        self.still(actor).await?;
        // Who knew the password that another change has replaced meanwhile does not replace that.
        let present = write.active_account(caller.account).await?.ok_or_else(not_signed_in)?;
        if present.password != before {
            return Err(not_signed_in());
        }
        write.set_password(caller.account, &stored).await?;
        match caller.by {
            By::Session(this) => write.end_sessions_but(caller.account, this).await?,
            By::Token(..) => write.end_sessions(caller.account).await?,
        }
        self.commit(write).await.map(drop)
    }

    async fn end(&self, account: Uuid, session: Uuid) -> Result<bool> {
        let mut write = self.store.write("sign-out", self.clock.now()).await?;
        let ended = write.end_session(account, session).await?;
        write.commit().await?;
        Ok(ended)
    }
}

/// The provider at which the session of a secret was opened.
fn provider_of(session: &Secret) -> Option<Slug> {
    session.expose().split_once(BY).and_then(|(provider, _)| provider.parse().ok())
}

fn wrong_credentials() -> Refusal {
    Refusal::new(
        Code::WrongCredentials,
        "mailadresse og adgangskode passer ikke sammen",
        "mail address and password do not belong together",
    )
}
