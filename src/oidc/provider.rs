//! One provider: what it says of itself, where people are sent, and whether what comes back is proven.

use std::fmt;

use chrono::{DateTime, Utc};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClientAuthMethod, CoreErrorResponseType,
    CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthType, AuthorizationCode, ClaimsVerificationError, Client, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdToken, IdTokenFields, IssuerUrl,
    LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, ProviderMetadataWithLogout,
    RedirectUrl, RequestTokenError, Scope, SignatureVerificationError, StandardErrorResponse, StandardTokenResponse,
    SubjectIdentifier, TokenResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::claims::{Claims, Person};
use super::kept::Kept;
use super::outside::{Outside, chain};
use super::settings::{ProviderSettings, may_be_asked};
use crate::model::{Clock, Code, Instant, Place, Refusal, Result};

/// How long what a provider says of itself is believed, in seconds.
const BELIEVED: i64 = 3600;
/// How long after a failure it is not asked again, in seconds: while it is down, nobody waits for it in a row.
const PAUSE: i64 = 5;
/// How old its keys must be before a token by another key makes us ask for them again, in seconds.
const KEYS_STAND: i64 = 30;
/// How far the clocks of two machines may be apart, in seconds.
const SKEW: i64 = 60;

/// The claims that no standard names.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct More(Map<String, Value>);

impl AdditionalClaims for More {}

impl fmt::Debug for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("More(…)")
    }
}

type Token = IdToken<More, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type Fields = IdTokenFields<
    More,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Conversation = Client<
    More,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A provider that people may sign in at.
pub struct Provider {
    settings: ProviderSettings,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    outside: Outside,
    known: Mutex<Known>,
}

/// What is known of a provider by now: it is asked when somebody comes, not when the server starts.
#[derive(Default)]
struct Known {
    said: Option<(ProviderMetadataWithLogout, Instant)>,
    failed: Option<Instant>,
}

impl Provider {
    /// A provider, and where it sends people back to. It is not asked yet.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] with the field of the settings.
    pub fn new(settings: ProviderSettings, redirect: String) -> Result<Self> {
        let issuer = settings.check()?;
        // As it was written: an issuer with a final slash is another than one without.
        debug_assert!(may_be_asked(&issuer));
        let wrong = |field: &str, e: &dyn fmt::Display| {
            let (da, en) = (format!("det er ikke en adresse: {e}"), format!("that is not an address: {e}"));
            Refusal::new(Code::InvalidParameter, da, en).at(Place::field(field))
        };
        let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|e| wrong("issuer", &e))?;
        let redirect = RedirectUrl::new(redirect).map_err(|e| wrong("public-url", &e))?;
        let outside = Outside::new().map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))?;
        Ok(Self { settings, issuer, redirect, outside, known: Mutex::default() })
    }

    /// How it is set up.
    #[must_use]
    pub fn settings(&self) -> &ProviderSettings {
        &self.settings
    }

    /// Where a browser is sent to sign in.
    ///
    /// # Errors
    /// [`Code::ProviderUnreachable`].
    pub async fn address(&self, clock: &dyn Clock, kept: &Kept) -> Result<String> {
        let (conversation, _) = self.conversation(clock, false).await?;
        let (state, nonce) = (CsrfToken::new(kept.state()), Nonce::new(kept.nonce()));
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(kept.verifier()));
        let scopes = self.settings.scopes.iter().filter(|s| *s != "openid").map(|s| Scope::new(s.clone()));
        let request = conversation
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce)
            .add_scopes(scopes)
            .set_pkce_challenge(challenge);
        Ok(request.url().0.into())
    }

    /// Where a browser is sent to sign out, when the provider says so of itself. What it does not say, or cannot say now,
    /// is no reason not to sign out here.
    pub async fn sign_out(&self, clock: &dyn Clock) -> Option<String> {
        self.conversation(clock, false).await.ok()?;
        let known = self.known.lock().await;
        let (said, _) = known.said.as_ref()?;
        let end = said.additional_metadata().end_session_endpoint.clone()?;
        if !may_be_asked(end.url()) {
            return None;
        }
        let request = LogoutRequest::from(end).set_client_id(ClientId::new(self.settings.client_id.clone()));
        Some(request.http_get_url().into())
    }

    /// Who it is that came back with a code: the code is exchanged for a token, which must be signed by the provider,
    /// made for us, for this beginning, and not have run out.
    ///
    /// # Errors
    /// [`Code::ProviderUnreachable`], [`Code::ProviderRefused`] when it takes the code from nobody or not from us,
    /// [`Code::ProviderToken`].
    pub async fn person(&self, clock: &dyn Clock, kept: &Kept, code: String) -> Result<Person> {
        let (conversation, methods) = self.conversation(clock, false).await?;
        let conversation = conversation.set_auth_type(methods);
        let request = conversation.exchange_code(AuthorizationCode::new(code)).map_err(|e| self.unreachable(&e))?;
        let request = request.set_pkce_verifier(PkceCodeVerifier::new(kept.verifier()));
        let answer = request.request_async(&self.outside).await.map_err(|e| match e {
            RequestTokenError::ServerResponse(refused) => self.refused(&refused.to_string()),
            RequestTokenError::Parse(ref why, _) => self.unreachable(why),
            other => self.unreachable(&other),
        })?;
        let token = answer.id_token().ok_or_else(|| self.unproven(&"there is no ID token"))?;
        let (subject, mut claims) = match self.proven(&conversation, clock, kept, token) {
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
                // Providers change their keys.
                let (conversation, _) = self.conversation(clock, true).await?;
                self.proven(&conversation, clock, kept, token)
            }
            other => other,
        }
        .map_err(|e| self.unproven(&e))?;
        if !claims.suffice(&self.settings) && conversation.user_info_url().is_some() {
            let request = conversation
                .user_info(answer.access_token().clone(), Some(subject.clone()))
                .map_err(|e| self.unreachable(&e))?;
            let info = request.request_async::<More, _, CoreGenderClaim>(&self.outside).await;
            // Without it roles would look as if they had been taken.
            let info = info.map_err(|e| match e {
                openidconnect::UserInfoError::ClaimsVerification(why) => self.unproven(&why),
                other => self.unreachable(&other),
            })?;
            claims.add(Claims::new(serde_json::to_value(&info).map_err(|e| self.unproven(&e))?));
        }
        let (issuer, subject) = (self.settings.issuer.clone(), subject.as_str().to_owned());
        Ok(Person::read(&self.settings, issuer, subject, &claims))
    }

    /// The claims of a token that is what it must be.
    fn proven(
        &self,
        conversation: &Conversation,
        clock: &dyn Clock,
        kept: &Kept,
        token: &Token,
    ) -> Result<(SubjectIdentifier, Claims), ClaimsVerificationError> {
        let now = clock.now().micros();
        let at = |micros: i64| DateTime::<Utc>::from_timestamp_micros(micros).unwrap_or_default();
        let (earliest, latest) = (at(now.saturating_sub(SKEW * 1_000_000)), at(now.saturating_add(SKEW * 1_000_000)));
        let verifier = conversation
            .id_token_verifier()
            .set_allowed_algs(SIGNATURES)
            .set_time_fn(move || earliest)
            .set_issue_time_verifier_fn(move |issued| {
                if issued <= latest { Ok(()) } else { Err("it was issued in the future".to_owned()) }
            });
        let claims = token.claims(&verifier, &Nonce::new(kept.nonce()))?;
        // Claims that were lost would look like roles that were taken.
        let value = serde_json::to_value(claims).map_err(|e| ClaimsVerificationError::Other(e.to_string()))?;
        Ok((claims.subject().clone(), Claims::new(value)))
    }

    /// What is needed to talk: what the provider says of itself, fetched when it is not known or too old.
    async fn conversation(&self, clock: &dyn Clock, keys_are_old: bool) -> Result<(Conversation, AuthType)> {
        let mut known = self.known.lock().await;
        let now = clock.now();
        let age = |then: &Instant| now.micros().saturating_sub(then.micros()).abs() / 1_000_000;
        let believed = if keys_are_old { KEYS_STAND } else { BELIEVED };
        let fresh = known.said.as_ref().is_some_and(|(_, at)| age(at) < believed);
        if !fresh {
            if known.failed.as_ref().is_some_and(|at| age(at) < PAUSE) {
                return Err(self.down());
            }
            match ProviderMetadataWithLogout::discover_async(self.issuer.clone(), &self.outside).await {
                Ok(said) => *known = Known { said: Some((said, now)), failed: None },
                Err(error) => {
                    known.failed = Some(now);
                    // What was known is better than nothing while the provider says nothing new.
                    if keys_are_old || known.said.is_none() {
                        return Err(self.unreachable(&error));
                    }
                    tracing::warn!(provider = %self.settings.name, error = %chain(&error), "no new discovery document");
                }
            }
        }
        let Some((said, _)) = &known.said else { return Err(self.down()) };
        self.talk(said)
    }

    fn talk(&self, said: &ProviderMetadataWithLogout) -> Result<(Conversation, AuthType)> {
        if !may_be_asked(said.authorization_endpoint().url()) || said.token_endpoint().is_none() {
            let (da, en) = ("dens adresser kan ikke bruges", "its addresses cannot be used");
            return Err(Refusal::new(Code::ProviderUnreachable, da, en).at(Place::field(self.settings.name.as_str())));
        }
        let methods = said.token_endpoint_auth_methods_supported();
        let takes = |method| methods.is_some_and(|m| m.contains(&method));
        // Basic where nothing is said (OpenID Connect Discovery 1.0, section 3).
        let post = takes(CoreClientAuthMethod::ClientSecretPost) && !takes(CoreClientAuthMethod::ClientSecretBasic);
        let secret = self.settings.client_secret.as_ref().map(|s| ClientSecret::new(s.expose().to_owned()));
        let client = ClientId::new(self.settings.client_id.clone());
        let conversation = Client::from_provider_metadata(said.clone(), client, secret);
        let conversation = conversation.set_redirect_uri(self.redirect.clone());
        Ok((conversation, if post { AuthType::RequestBody } else { AuthType::BasicAuth }))
    }

    /// The refusal when a provider does not answer as one. Why stands in our log; whoever wants in cannot mend it.
    fn unreachable(&self, why: &dyn std::error::Error) -> Refusal {
        tracing::warn!(provider = %self.settings.name, error = %chain(why), "the sign-in provider does not answer as one");
        self.down()
    }

    fn down(&self) -> Refusal {
        let Self { settings, .. } = self;
        Refusal::new(
            Code::ProviderUnreachable,
            format!("»{}« svarer ikke; prøv igen om lidt", settings.da),
            format!("'{}' does not answer; try again in a while", settings.en),
        )
        .retry_after(PAUSE.unsigned_abs())
    }

    /// The refusal when the provider says no.
    pub fn refused(&self, why: &str) -> Refusal {
        let why: String = why.chars().filter(|c| !c.is_control()).take(200).collect();
        tracing::warn!(provider = %self.settings.name, %why, "the sign-in provider refused");
        let Self { settings, .. } = self;
        Refusal::new(
            Code::ProviderRefused,
            format!("»{}« lod dig ikke komme ind: {why}", settings.da),
            format!("'{}' did not let you in: {why}", settings.en),
        )
    }

    fn unproven(&self, why: &dyn fmt::Display) -> Refusal {
        tracing::warn!(provider = %self.settings.name, %why, "what the sign-in provider sent does not prove who it is");
        let Self { settings, .. } = self;
        Refusal::new(
            Code::ProviderToken,
            format!("det, »{}« sendte, beviser ikke, hvem du er", settings.da),
            format!("what '{}' sent does not prove who you are", settings.en),
        )
    }
}

/// The signatures that prove something: those by a key that the provider alone has.
const SIGNATURES: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];
