//! Oneself: signing in and out, sessions, tokens.

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::App;
use crate::http::params::{Nothing, Params, uuid};
use crate::http::private::{body, json, list, nothing, whole};
use crate::http::problem::{Failure, Refused};
use crate::http::who::{From, Origin, Who, foreign, origin, session_secret, set_cookie};
use crate::model::{Name, Password, Result};
use crate::registry::{IdentityAnswer, MadeToken, MeAnswer, Pages, SessionAnswer, TokenAnswer, TokenRequest};

type Answer = Result<Response, Failure>;

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The mail address of the account.
    mail: String,
    /// Its password.
    password: String,
}

/// Who is signed in now.
#[derive(Serialize, ToSchema)]
pub struct SignedInAnswer {
    /// The account.
    account: Uuid,
    /// How many seconds the session lasts.
    seconds: i64,
}

/// Another password for oneself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The present one.
    current: String,
    /// The new one: 12 characters or more.
    password: String,
}

/// Another name of a token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenChange {
    /// What its owner calls it.
    name: Name,
}

/// Whose tokens.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Whose {
    /// `true` for everyone's; that takes the right to `revoke-tokens`.
    all: Option<bool>,
}

/// Signs in; the answer sets the cookie of a session. No account and a wrong password are answered alike. After a
/// few attempts each next one must wait, twice as long each time.
#[utoipa::path(post, path = "/sign-in", operation_id = "signIn", tag = "me", request_body = SignIn,
    responses((status = 200, body = SignedInAnswer), Refused<401>, Refused<429>))]
pub async fn sign_in(
    State(app): State<App>,
    From(peer): From,
    headers: HeaderMap,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let url = &app.settings().public_url;
    if origin(&headers, url) == Origin::Foreign {
        return Err(foreign().into());
    }
    let SignIn { mail, password } = body(&bytes)?;
    let signed_in = app.sign_in(&mail, &password, &peer).await?;
    let answer = SignedInAnswer { account: signed_in.account, seconds: signed_in.seconds };
    let mut response = json(StatusCode::OK, &answer)?;
    if let Some(cookie) = set_cookie(url, Some(&signed_in)) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Ends the session that asks, and takes its cookie away.
#[utoipa::path(post, path = "/sign-out", operation_id = "signOut", tag = "me",
    responses((status = 204), Refused<401>, Refused<403>))]
pub async fn sign_out(State(app): State<App>, Who(actor): Who, _: Params<Nothing>) -> Answer {
    app.sign_out(&actor).await?;
    let mut response = nothing();
    if let Some(cookie) = set_cookie(&app.settings().public_url, None) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Who asks, and what they may.
#[utoipa::path(get, path = "/me", operation_id = "me", tag = "me",
    responses((status = 200, body = MeAnswer), Refused<401>, Refused<403>))]
pub async fn me(State(app): State<App>, Who(actor): Who, headers: HeaderMap, _: Params<Nothing>) -> Answer {
    let secret = session_secret(&headers, &app.settings().public_url);
    Ok(json(StatusCode::OK, &app.me_by(&actor, secret.as_ref()).await?)?)
}

/// Who one is at the providers that one signs in at.
#[utoipa::path(get, path = "/me/identities", operation_id = "identities", tag = "me",
    responses((status = 200, body = [IdentityAnswer]), Refused<401>))]
pub async fn identities(State(app): State<App>, Who(actor): Who, _: Params<Nothing>) -> Answer {
    Ok(whole(&app.identities(&actor, None).await?)?)
}

/// Undoes the link to somebody at a provider. One's other sessions end; the last way in stays.
#[utoipa::path(delete, path = "/me/identities/{uuid}", operation_id = "unlinkIdentity", tag = "me",
    params(("uuid" = String, Path, description = "The link")),
    responses((status = 204), Refused<404>, Refused<409>))]
pub async fn unlink(State(app): State<App>, Who(actor): Who, Path(of): Path<String>, _: Params<Nothing>) -> Answer {
    app.unlink_identity(&actor, None, uuid(&of)?).await?;
    Ok(nothing())
}

/// Changes one's own password; one's other sessions end.
#[utoipa::path(put, path = "/me/password", operation_id = "changePassword", tag = "me", request_body = PasswordChange,
    responses((status = 204), Refused<401>, Refused<422>, Refused<429>))]
pub async fn password(
    State(app): State<App>,
    Who(actor): Who,
    From(peer): From,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let PasswordChange { current, password } = body(&bytes)?;
    app.change_password(&actor, &current, &Password::new(password)?, &peer).await?;
    Ok(nothing())
}

/// One's own sessions, oldest first.
#[utoipa::path(get, path = "/me/sessions", operation_id = "sessions", tag = "me", params(Pages),
    responses((status = 200, body = [SessionAnswer]), Refused<401>))]
pub async fn sessions(
    State(app): State<App>,
    Who(actor): Who,
    OriginalUri(uri): OriginalUri,
    Params(pages, ..): Params<Pages>,
) -> Answer {
    Ok(list(&pages.since(app.sessions(&actor).await?, |s| (s.created, s.uuid))?, &uri)?)
}

/// Ends one of one's own sessions.
#[utoipa::path(delete, path = "/me/sessions/{uuid}", operation_id = "endSession", tag = "me",
    params(("uuid" = String, Path, description = "The session")),
    responses((status = 204), Refused<404>))]
pub async fn end_session(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    _: Params<Nothing>,
) -> Answer {
    app.end_session(&actor, uuid(&of)?).await?;
    Ok(nothing())
}

/// One's own tokens, oldest first.
#[utoipa::path(get, path = "/tokens", operation_id = "tokens", tag = "me", params(Whose, Pages),
    responses((status = 200, body = [TokenAnswer]), Refused<401>, Refused<403>))]
pub async fn tokens(
    State(app): State<App>,
    Who(actor): Who,
    OriginalUri(uri): OriginalUri,
    Params(whose, pages, _): Params<Whose, Pages>,
) -> Answer {
    let tokens = app.tokens(&actor, whose.all.unwrap_or(false)).await?;
    Ok(list(&pages.since(tokens, |t| (t.created, t.uuid))?, &uri)?)
}

/// Makes a token. Its secret is in this answer and in no other.
#[utoipa::path(post, path = "/tokens", operation_id = "createToken", tag = "me", request_body = TokenRequest,
    responses((status = 201, body = MadeToken), Refused<403>, Refused<422>))]
pub async fn create_token(State(app): State<App>, Who(actor): Who, _: Params<Nothing>, bytes: Bytes) -> Answer {
    let request: TokenRequest = body(&bytes)?;
    Ok(json(StatusCode::CREATED, &app.create_token(&actor, None, request).await?)?)
}

/// Gives one of one's own tokens another name. Its secret stays.
#[utoipa::path(patch, path = "/tokens/{uuid}", operation_id = "renameToken", tag = "me",
    params(("uuid" = String, Path, description = "The token")), request_body = TokenChange,
    responses((status = 200, body = TokenAnswer), Refused<403>, Refused<404>))]
pub async fn rename_token(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let TokenChange { name } = body(&bytes)?;
    Ok(json(StatusCode::OK, &app.rename_token(&actor, uuid(&of)?, name).await?)?)
}

/// Revokes a token: one's own, or with the right to `revoke-tokens` any.
#[utoipa::path(delete, path = "/tokens/{uuid}", operation_id = "revokeToken", tag = "me",
    params(("uuid" = String, Path, description = "The token")),
    responses((status = 204), Refused<404>))]
pub async fn revoke_token(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    _: Params<Nothing>,
) -> Answer {
    app.revoke_token(&actor, uuid(&of)?).await?;
    Ok(nothing())
}
