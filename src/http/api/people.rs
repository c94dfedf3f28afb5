//! Organisations, accounts, groups and grants.

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::App;
use crate::http::params::{Nothing, Params, uuid};
use crate::http::private::{body, json, list, nothing, whole};
use crate::http::problem::{Failure, Refused};
use crate::http::who::Who;
use crate::model::{Account, Code, Group, Name, Organisation, Place, Refusal, Result};
use crate::registry::{
    AccountChange, AccountRequest, GiveRequest, GrantAnswer, GroupChange, GroupRequest, IdentityAnswer, Invited,
    OrganisationChange, Pages,
};

type Answer = Result<Response, Failure>;

/// The one of a list.
fn one<T: serde::Serialize>(found: Option<&T>, uuid: &str) -> Answer {
    let missing = || {
        let (da, en) = (format!("der er ingen {uuid}"), format!("there is no {uuid}"));
        Refusal::new(Code::NotFound, da, en).at(Place::field("uuid"))
    };
    Ok(json(StatusCode::OK, found.ok_or_else(missing)?)?)
}

/// An organisation to make known.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganisationRequest {
    /// What it is called.
    name: Name,
}

/// Every organisation.
#[utoipa::path(get, path = "/organisations", operation_id = "organisations", tag = "people", params(Pages),
    responses((status = 200, body = [Organisation]), Refused<401>, Refused<403>))]
pub async fn organisations(
    State(app): State<App>,
    Who(actor): Who,
    OriginalUri(uri): OriginalUri,
    Params(pages, ..): Params<Pages>,
) -> Answer {
    Ok(list(&pages.of(app.people(&actor).await?.organisations, |o| o.uuid)?, &uri)?)
}

/// Makes an organisation known.
#[utoipa::path(post, path = "/organisations", operation_id = "createOrganisation", tag = "people",
    request_body = OrganisationRequest,
    responses((status = 201, body = Organisation), Refused<401>, Refused<403>))]
pub async fn create_organisation(State(app): State<App>, Who(actor): Who, _: Params<Nothing>, bytes: Bytes) -> Answer {
    let OrganisationRequest { name } = body(&bytes)?;
    Ok(json(StatusCode::CREATED, &app.create_organisation(&actor, name).await?)?)
}

/// One organisation.
#[utoipa::path(get, path = "/organisations/{uuid}", operation_id = "organisation", tag = "people",
    params(("uuid" = String, Path, description = "The organisation")),
    responses((status = 200, body = Organisation), Refused<404>))]
pub async fn organisation(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    _: Params<Nothing>,
) -> Answer {
    let (people, uuid) = (app.people(&actor).await?, uuid(&of)?);
    one(people.organisations.iter().find(|o| o.uuid == uuid), &of)
}

/// Changes an organisation; what is absent stays. The accounts of one that is not active cannot sign in.
#[utoipa::path(patch, path = "/organisations/{uuid}", operation_id = "changeOrganisation", tag = "people",
    params(("uuid" = String, Path, description = "The organisation")), request_body = OrganisationChange,
    responses((status = 200, body = Organisation), Refused<404>, Refused<409>))]
pub async fn change_organisation(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let change: OrganisationChange = body(&bytes)?;
    Ok(json(StatusCode::OK, &app.change_organisation(&actor, uuid(&of)?, change).await?)?)
}

/// Every account.
#[utoipa::path(get, path = "/accounts", operation_id = "accounts", tag = "people", params(Pages),
    responses((status = 200, body = [Account]), Refused<401>, Refused<403>))]
pub async fn accounts(
    State(app): State<App>,
    Who(actor): Who,
    OriginalUri(uri): OriginalUri,
    Params(pages, ..): Params<Pages>,
) -> Answer {
    Ok(list(&pages.of(app.people(&actor).await?.accounts, |a| a.uuid)?, &uri)?)
}

/// Creates an account. The answer has the link by which its person sets a password; it works once, for 24 hours.
#[utoipa::path(post, path = "/accounts", operation_id = "createAccount", tag = "people", request_body = AccountRequest,
    responses((status = 201, body = Invited), Refused<403>, Refused<409>))]
pub async fn create_account(State(app): State<App>, Who(actor): Who, _: Params<Nothing>, bytes: Bytes) -> Answer {
    let request: AccountRequest = body(&bytes)?;
    Ok(json(StatusCode::CREATED, &app.create_account(&actor, request).await?)?)
}

/// One account.
#[utoipa::path(get, path = "/accounts/{uuid}", operation_id = "account", tag = "people",
    params(("uuid" = String, Path, description = "The account")),
    responses((status = 200, body = Account), Refused<404>))]
pub async fn account(State(app): State<App>, Who(actor): Who, Path(of): Path<String>, _: Params<Nothing>) -> Answer {
    let (people, uuid) = (app.people(&actor).await?, uuid(&of)?);
    one(people.accounts.iter().find(|a| a.uuid == uuid), &of)
}

/// Changes an account; what is absent stays, and `"organisation": null` takes the organisation away. One that is
/// deactivated is signed out, and its tokens are revoked.
#[utoipa::path(patch, path = "/accounts/{uuid}", operation_id = "changeAccount", tag = "people",
    params(("uuid" = String, Path, description = "The account")), request_body = AccountChange,
    responses((status = 200, body = Account), Refused<404>, Refused<409>))]
pub async fn change_account(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let change: AccountChange = body(&bytes)?;
    Ok(json(StatusCode::OK, &app.change_account(&actor, uuid(&of)?, change).await?)?)
}

/// Erases what is known of an account's person. What the account did stays, under its uuid alone.
#[utoipa::path(delete, path = "/accounts/{uuid}", operation_id = "eraseAccount", tag = "people",
    params(("uuid" = String, Path, description = "The account")),
    responses((status = 204), Refused<404>, Refused<409>))]
pub async fn erase_account(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    _: Params<Nothing>,
) -> Answer {
    app.erase_account(&actor, uuid(&of)?).await?;
    Ok(nothing())
}

/// Erases what is known of somebody without an account: name, mail address, letters, and what waited for them. What
/// they said stays, under the name of the organisation.
#[utoipa::path(delete, path = "/contacts/{uuid}", operation_id = "eraseContact", tag = "people",
    params(("uuid" = String, Path, description = "The contact")),
    responses((status = 204), Refused<401>, Refused<403>, Refused<404>))]
pub async fn erase_contact(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    _: Params<Nothing>,
) -> Answer {
    app.erase_contact(&actor, uuid(&of)?).await?;
    Ok(nothing())
}

/// Hands out a new link by which the person of an account sets a password.
#[utoipa::path(post, path = "/accounts/{uuid}/link", operation_id = "invite", tag = "people",
    params(("uuid" = String, Path, description = "The account")),
    responses((status = 201, body = Invited), Refused<404>))]
pub async fn invite(State(app): State<App>, Who(actor): Who, Path(of): Path<String>, _: Params<Nothing>) -> Answer {
    Ok(json(StatusCode::CREATED, &app.invite(&actor, uuid(&of)?).await?)?)
}

/// Signs an account out everywhere.
#[utoipa::path(delete, path = "/accounts/{uuid}/sessions", operation_id = "endSessions", tag = "people",
    params(("uuid" = String, Path, description = "The account")),
    responses((status = 204), Refused<404>))]
pub async fn end_sessions(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    _: Params<Nothing>,
) -> Answer {
    app.end_sessions(&actor, uuid(&of)?).await?;
    Ok(nothing())
}

/// Who an account is at the providers that people sign in at.
#[utoipa::path(get, path = "/accounts/{uuid}/identities", operation_id = "accountIdentities", tag = "people",
    params(("uuid" = String, Path, description = "The account")),
    responses((status = 200, body = [IdentityAnswer]), Refused<403>, Refused<404>))]
pub async fn identities(State(app): State<App>, Who(actor): Who, Path(of): Path<String>, _: Params<Nothing>) -> Answer {
    Ok(whole(&app.identities(&actor, Some(uuid(&of)?)).await?)?)
}

/// Undoes the link of an account to somebody at a provider, and signs the account out. The next who comes from there
/// with the proven mail address of the account is linked to it.
#[utoipa::path(delete, path = "/accounts/{uuid}/identities/{identity}", operation_id = "unlinkAccountIdentity", tag = "people",
    params(("uuid" = String, Path, description = "The account"), ("identity" = String, Path, description = "The link")),
    responses((status = 204), Refused<403>, Refused<404>, Refused<409>))]
pub async fn unlink(
    State(app): State<App>,
    Who(actor): Who,
    Path((of, identity)): Path<(String, String)>,
    _: Params<Nothing>,
) -> Answer {
    app.unlink_identity(&actor, Some(uuid(&of)?), uuid(&identity)?).await?;
    Ok(nothing())
}

/// Every group.
#[utoipa::path(get, path = "/groups", operation_id = "groups", tag = "people", params(Pages),
    responses((status = 200, body = [Group]), Refused<401>, Refused<403>))]
pub async fn groups(
    State(app): State<App>,
    Who(actor): Who,
    OriginalUri(uri): OriginalUri,
    Params(pages, ..): Params<Pages>,
) -> Answer {
    Ok(list(&pages.of(app.people(&actor).await?.groups, |g| g.uuid)?, &uri)?)
}

/// Forms a group.
#[utoipa::path(post, path = "/groups", operation_id = "createGroup", tag = "people", request_body = GroupRequest,
    responses((status = 201, body = Group), Refused<403>, Refused<404>))]
pub async fn create_group(State(app): State<App>, Who(actor): Who, _: Params<Nothing>, bytes: Bytes) -> Answer {
    let request: GroupRequest = body(&bytes)?;
    Ok(json(StatusCode::CREATED, &app.create_group(&actor, request).await?)?)
}

/// One group.
#[utoipa::path(get, path = "/groups/{uuid}", operation_id = "group", tag = "people",
    params(("uuid" = String, Path, description = "The group")),
    responses((status = 200, body = Group), Refused<404>))]
pub async fn group(State(app): State<App>, Who(actor): Who, Path(of): Path<String>, _: Params<Nothing>) -> Answer {
    let (people, uuid) = (app.people(&actor).await?, uuid(&of)?);
    one(people.groups.iter().find(|g| g.uuid == uuid), &of)
}

/// Changes a group; what is absent stays, and `members` are all of them.
#[utoipa::path(patch, path = "/groups/{uuid}", operation_id = "changeGroup", tag = "people",
    params(("uuid" = String, Path, description = "The group")), request_body = GroupChange,
    responses((status = 200, body = Group), Refused<404>, Refused<409>))]
pub async fn change_group(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let change: GroupChange = body(&bytes)?;
    Ok(json(StatusCode::OK, &app.change_group(&actor, uuid(&of)?, change).await?)?)
}

/// Every grant.
#[utoipa::path(get, path = "/grants", operation_id = "grants", tag = "people", params(Pages),
    responses((status = 200, body = [GrantAnswer]), Refused<401>, Refused<403>))]
pub async fn grants(
    State(app): State<App>,
    Who(actor): Who,
    OriginalUri(uri): OriginalUri,
    Params(pages, ..): Params<Pages>,
) -> Answer {
    Ok(list(&pages.of(app.grants(&actor).await?, |g| g.uuid)?, &uri)?)
}

/// Gives a role to an account or a group, in one vocabulary or in all.
#[utoipa::path(post, path = "/grants", operation_id = "give", tag = "people", request_body = GiveRequest,
    responses((status = 201, body = GrantAnswer), Refused<403>, Refused<404>))]
pub async fn give(State(app): State<App>, Who(actor): Who, _: Params<Nothing>, bytes: Bytes) -> Answer {
    let request: GiveRequest = body(&bytes)?;
    Ok(json(StatusCode::CREATED, &app.give(&actor, request).await?)?)
}

/// Takes a role back.
#[utoipa::path(delete, path = "/grants/{uuid}", operation_id = "take", tag = "people",
    params(("uuid" = String, Path, description = "The grant")),
    responses((status = 204), Refused<404>, Refused<409>))]
pub async fn take(State(app): State<App>, Who(actor): Who, Path(of): Path<String>, _: Params<Nothing>) -> Answer {
    app.take(&actor, uuid(&of)?).await?;
    Ok(nothing())
}
