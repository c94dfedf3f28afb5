//! Tokens: what programs ask with.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Registry;
use super::super::permission::{Actor, By, not_signed_in, permit, right_to};
use super::manage::account_of;
use super::missing;
use crate::model::{Code, Command, Instant, Name, Place, Refusal, Result, Scope, Secret, Slug, Token, new_uuid};

/// What stands before every token, so that one that was left somewhere can be found.
const PREFIX: &str = "begreb_";

/// The longest that a token is worth something, in days.
const LONGEST: u32 = 366;

/// How many tokens of an account are worth something at once.
const MOST: usize = 50;

/// A token to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// What its owner calls it.
    pub name: Name,
    /// What it may do of what the account may do.
    pub commands: BTreeSet<Command>,
    /// The slugs of the only vocabularies that it is good for; all that the account has when absent.
    #[serde(default)]
    pub vocabularies: Option<BTreeSet<Slug>>,
    /// How many days it is worth something, at most 366; 90 when absent.
    #[serde(default)]
    pub days: Option<u32>,
}

/// A token, without its secret.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct TokenAnswer {
    /// The token itself.
    pub uuid: Uuid,
    /// Whose it is.
    pub account: Uuid,
    /// What its owner calls it.
    pub name: Name,
    /// What it may do of what the account may do.
    pub commands: BTreeSet<Command>,
    /// The only vocabularies that it is good for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocabularies: Option<Vec<String>>,
    /// When it was made.
    #[schema(value_type = String)]
    pub created: Instant,
    /// From when it is worth nothing.
    #[schema(value_type = String)]
    pub expires: Instant,
}

/// A token that was made, with its secret: shown now and never again.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MadeToken {
    /// What is sent as `Authorization: Bearer`.
    pub secret: String,
    /// The token.
    #[serde(flatten)]
    pub token: TokenAnswer,
}

impl Registry {
    /// The account of a token's secret, with what it has been given now and what the token may do of it.
    ///
    /// # Errors
    /// [`Code::NotSignedIn`] when there is no such token or its account is not active, [`Code::Expired`].
    pub async fn by_token(&self, secret: &Secret) -> Result<Actor> {
        let token = self.store.token(secret.digest()).await?.ok_or_else(not_signed_in)?;
        if token.expires <= self.clock.now() {
            return Err(Refusal::new(Code::Expired, "tokenet er udløbet", "the token has run out"));
        }
        self.caller(token.account, By::Token(token.uuid, token.scope)).await
    }

    /// Makes a token for the account that asks; for the operator, for any account.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::Unlawful`] for a command that no token carries, an empty scope or too many
    /// days; [`Code::TooManyTokens`], [`Code::UnknownVocabulary`], [`Code::Database`].
    pub async fn create_token(&self, actor: &Actor, account: Option<Uuid>, request: TokenRequest) -> Result<MadeToken> {
        let account = match (actor, account) {
            (Actor::Operator(_), Some(account)) => account,
            _ => {
                permit(actor, Command::OwnTokens, None)?;
                actor.account()?.account
            }
        };
        if let Some(never) = request.commands.iter().find(|c| right_to(**c).is_none_or(|r| !r.token)) {
            let carried = Command::ALL.iter().filter(|c| right_to(**c).is_some_and(|r| r.token));
            return Err(Refusal::new(
                Code::Unlawful,
                format!("et token kan ikke få {never}: det kræver en person, der er logget ind"),
                format!("a token cannot carry {never}: it takes a person who is signed in"),
            )
            .at(Place::field("commands"))
            .allowed(carried.map(|c| c.as_str())));
        }
        let days = request.days.unwrap_or(90);
        if !(1..=LONGEST).contains(&days) {
            let (da, en) =
                ("så mange dage kan et token ikke gælde", "a token cannot be worth something for that many days");
            return Err(Refusal::new(Code::Unlawful, da, en).at(Place::field("days")).allowed(["1–366"]));
        }
        let vocabularies = request.vocabularies.map(|slugs| {
            slugs.iter().map(|slug| self.vocabulary_of(slug).map(|v| v.uuid())).collect::<Result<BTreeSet<Uuid>>>()
        });
        let scope = Scope::new(request.commands, vocabularies.transpose()?)?;
        let secret = Secret::new(self.dice(), PREFIX)?;
        let (mut write, people) = self.change_people(actor).await?;
        account_of(&people, account)?;
        let created = self.clock.now();
        if people.tokens.iter().filter(|t| t.account == account && t.expires > created).count() >= MOST {
            return Err(Refusal::new(
                Code::TooManyTokens,
                format!("kontoen har allerede {MOST} tokens; tilbagekald et først"),
                format!("the account has {MOST} tokens already; revoke one first"),
            )
            .allowed([MOST.to_string()]));
        }
        let expires = Instant::from_micros(created.micros().saturating_add(i64::from(days) * 86_400_000_000));
        let token = Token { uuid: new_uuid(self.dice())?, account, name: request.name, scope, created, expires };
        write.add_token(&token, secret.digest()).await?;
        self.keep(write, actor).await?;
        Ok(MadeToken { secret: secret.expose().to_owned(), token: self.token_answer(&token) })
    }

    /// The tokens of the account that asks; with `all`, everyone's.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::Database`].
    pub async fn tokens(&self, actor: &Actor, all: bool) -> Result<Vec<TokenAnswer>> {
        permit(actor, if all { Command::RevokeTokens } else { Command::OwnTokens }, None)?;
        let own = if all { None } else { Some(actor.account()?.account) };
        Ok(self.store.tokens(own).await?.iter().map(|t| self.token_answer(t)).collect())
    }

    /// Gives a token another name: one's own; the operator, any.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::NotFound`], also for another's token.
    pub async fn rename_token(&self, actor: &Actor, token: Uuid, name: Name) -> Result<TokenAnswer> {
        let own = match actor {
            Actor::Operator(_) => None,
            _ => {
                permit(actor, Command::OwnTokens, None)?;
                Some(actor.account()?.account)
            }
        };
        let (mut write, people) = self.change_people(actor).await?;
        let found = people.tokens.into_iter().find(|t| t.uuid == token && own.is_none_or(|own| own == t.account));
        let mut found = found.ok_or_else(|| missing("token", token))?;
        if found.name != name {
            found.name = name;
            write.rename_token(&found).await?;
            self.keep(write, actor).await?;
        }
        Ok(self.token_answer(&found))
    }

    /// Revokes a token: one's own, or with the right to it any. It is worth nothing from then on.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::NotFound`], also for another's token without the right to it.
    pub async fn revoke_token(&self, actor: &Actor, token: Uuid) -> Result<()> {
        let any = permit(actor, Command::RevokeTokens, None);
        if any.is_err() {
            permit(actor, Command::OwnTokens, None)?;
        }
        let (mut write, people) = self.change_people(actor).await?;
        let mine = |account: Uuid| actor.account().is_ok_and(|caller| caller.account == account);
        let found = people.tokens.iter().find(|t| t.uuid == token && (any.is_ok() || mine(t.account)));
        let found = found.ok_or_else(|| missing("token", token))?;
        write.revoke_token(found.uuid).await?;
        self.keep(write, actor).await
    }

    fn token_answer(&self, token: &Token) -> TokenAnswer {
        let vocabularies = token.scope.vocabularies().map(|some| some.iter().map(|v| self.slug_of(*v)).collect());
        TokenAnswer {
            uuid: token.uuid,
            account: token.account,
            name: token.name.clone(),
            commands: token.scope.commands().clone(),
            vocabularies,
            created: token.created,
            expires: token.expires,
        }
    }
}
