//! Code sets, what their keepers must do, and the register of use.

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::about::About;
use crate::exchange::{Columns, ListedCode, codes_in};
use crate::http::negotiate::{Caller, language};
use crate::http::params::{Nothing, Params, not_one_of, uuid};
use crate::http::private::{body, json, list, made, nothing, whole};
use crate::http::problem::{Failure, Refused};
use crate::http::upload::List;
use crate::http::who::Who;
use crate::model::{Event, Result, UsageForm, UsedCode};
use crate::registry::{
    At, CodesAnswer, CodesCommand, ConceptUsages, DraftUsage, HideRequest, Pages, TasksAnswer, UsageAnswer,
    UsageChange, UsageRequest,
};

type Answer = Result<Response, Failure>;

/// Of which vocabulary codes are that name none.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Usual {
    /// The vocabulary of codes that name none: slug, uuid, IRI, OID or FHIR url.
    #[param(example = "fsiii")]
    vocabulary: Option<String>,
}

/// Before when.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Before {
    /// Only what must be done before this day (`YYYY-MM-DD`), which is what takes effect on it or earlier; everything
    /// that is decided when absent.
    #[param(example = "2027-01-01")]
    before: Option<String>,
}

/// Which codes of a set.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Only {
    /// Those alone that name no concept.
    unresolved: Option<bool>,
}

/// From where in the change log.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct After {
    /// The position after which to go on: from the answer before.
    after: Option<i64>,
    /// How many events at most: 1 to 1 000, usually 100.
    limit: Option<i64>,
}

/// Up to where changes have been dealt with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeRequest {
    /// The position of the change log: from the answer that told what there was to do.
    position: i64,
}

/// Events that touch the concepts of a code set.
#[derive(Serialize, ToSchema)]
pub struct CodeSetEvents {
    /// The events, in the order of the log.
    #[schema(value_type = Vec<Event>)]
    events: Vec<std::sync::Arc<Event>>,
    /// Go on after this position; as long as it is before the head there may be more.
    position: i64,
    /// Where the log ends.
    head: i64,
}

const SET: UsageForm = UsageForm::CodeSet;
const DECLARED: UsageForm = UsageForm::Declaration;

/// The code sets that one keeps, alone or with others of the same organisation.
#[utoipa::path(get, path = "/code-sets", operation_id = "codeSets", tag = "code sets", params(Pages),
    responses((status = 200, body = [UsageAnswer]), Refused<401>))]
pub async fn sets(
    State(app): State<App>,
    Who(actor): Who,
    OriginalUri(uri): OriginalUri,
    Params(pages, ..): Params<Pages>,
) -> Answer {
    Ok(list(&app.usages(&actor, SET, &pages).await?, &uri)?)
}

/// Registers the codes that a system uses. Changes before this are not told; codes that cannot be used today are.
#[utoipa::path(post, path = "/code-sets", operation_id = "createCodeSet", tag = "code sets",
    request_body = UsageRequest,
    responses((status = 201, body = CodesAnswer), Refused<400>, Refused<401>, Refused<413>))]
pub async fn create(State(app): State<App>, Who(actor): Who, _: Params<Nothing>, bytes: Bytes) -> Answer {
    let answer = app.declare(&actor, SET, body(&bytes)?).await?;
    Ok(made(&answer, &format!("/api/v1/code-sets/{}", answer.usage.uuid))?)
}

/// One code set.
#[utoipa::path(get, path = "/code-sets/{uuid}", operation_id = "codeSet", tag = "code sets",
    params(("uuid" = String, Path, description = "The code set")),
    responses((status = 200, body = UsageAnswer), Refused<404>))]
pub async fn set(About { app, actor, of }: About) -> Answer {
    Ok(json(StatusCode::OK, &app.usage(&actor, SET, of).await?)?)
}

/// Changes what is said of a code set; what is absent stays.
#[utoipa::path(patch, path = "/code-sets/{uuid}", operation_id = "changeCodeSet", tag = "code sets",
    params(("uuid" = String, Path, description = "The code set")), request_body = UsageChange,
    responses((status = 200, body = UsageAnswer), Refused<404>))]
pub async fn change(About { app, actor, of }: About, bytes: Bytes) -> Answer {
    Ok(json(StatusCode::OK, &app.change_usage(&actor, SET, of, body(&bytes)?).await?)?)
}

/// Ends a code set: its codes and what it was called are forgotten.
#[utoipa::path(delete, path = "/code-sets/{uuid}", operation_id = "endCodeSet", tag = "code sets",
    params(("uuid" = String, Path, description = "The code set")),
    responses((status = 204), Refused<404>))]
pub async fn end(About { app, actor, of }: About) -> Answer {
    app.end_usage(&actor, SET, of).await?;
    Ok(nothing())
}

/// The codes of a code set, those that have been there longest first, as JSON; each with the concept that it names.
#[utoipa::path(get, path = "/code-sets/{uuid}/codes", operation_id = "codesOfSet", tag = "code sets",
    params(("uuid" = String, Path, description = "The code set"), Only, Pages),
    responses((status = 200, body = [UsedCode]), Refused<404>))]
pub async fn codes_of(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    OriginalUri(uri): OriginalUri,
    Params(only, pages, _): Params<Only, Pages>,
) -> Answer {
    let unresolved = only.unresolved.unwrap_or(false);
    Ok(list(&app.usage_codes(&actor, SET, uuid(&of)?, unresolved, &pages).await?, &uri)?)
}

/// Says which codes a code set has: a table (CSV) or JSON, up to 100 000 codes and 10 MB. What names no concept is told
/// line by line, and kept.
#[utoipa::path(put, path = "/code-sets/{uuid}/codes", operation_id = "replaceCodes", tag = "code sets",
    params(("uuid" = String, Path, description = "The code set"), Usual, Columns),
    request_body(content((Vec<ListedCode> = "application/json"), (String = "text/csv"))),
    responses((status = 200, body = CodesAnswer), Refused<400>, Refused<413>))]
pub async fn replace(app: State<App>, who: Who, of: Path<String>, usual: Params<Usual, Columns>, list: List) -> Answer {
    put(app, who, of, usual, list, CodesCommand::Replace).await
}

/// Puts codes into a code set.
#[utoipa::path(post, path = "/code-sets/{uuid}/codes", operation_id = "addCodes", tag = "code sets",
    params(("uuid" = String, Path, description = "The code set"), Usual, Columns),
    request_body(content((Vec<ListedCode> = "application/json"), (String = "text/csv"))),
    responses((status = 200, body = CodesAnswer), Refused<400>, Refused<413>))]
pub async fn add(app: State<App>, who: Who, of: Path<String>, usual: Params<Usual, Columns>, list: List) -> Answer {
    put(app, who, of, usual, list, CodesCommand::Add).await
}

/// Takes codes out of a code set.
#[utoipa::path(post, path = "/code-sets/{uuid}/codes/remove", operation_id = "removeCodes", tag = "code sets",
    params(("uuid" = String, Path, description = "The code set"), Usual, Columns),
    request_body(content((Vec<ListedCode> = "application/json"), (String = "text/csv"))),
    responses((status = 200, body = CodesAnswer), Refused<400>, Refused<413>))]
pub async fn remove(app: State<App>, who: Who, of: Path<String>, usual: Params<Usual, Columns>, list: List) -> Answer {
    put(app, who, of, usual, list, CodesCommand::Remove).await
}

async fn put(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    Params(usual, columns, _): Params<Usual, Columns>,
    List(bytes): List,
    command: CodesCommand,
) -> Answer {
    let of = uuid(&of)?;
    // What somebody else sends is not even read.
    app.keeps_code_set(&actor, of).await?;
    let listed = super::check::apart(move || codes_in(&bytes, &columns)).await?;
    let answer = app.change_codes(&actor, SET, of, command, listed, usual.vocabulary).await?;
    Ok(json(StatusCode::OK, &answer)?)
}

/// What must be done before a day: what takes effect on it or earlier, and what is not acknowledged.
#[utoipa::path(get, path = "/code-sets/{uuid}/tasks", operation_id = "tasks", tag = "code sets",
    params(("uuid" = String, Path, description = "The code set"), Before),
    responses((status = 200, body = TasksAnswer), Refused<404>))]
pub async fn tasks(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    Params(before, ..): Params<Before>,
    Caller(headers): Caller,
) -> Answer {
    let tasks = app.tasks(&actor, uuid(&of)?, before.before.as_deref(), &language(&headers), 0).await?;
    Ok(json(StatusCode::OK, &tasks)?)
}

/// Says that what happened up to a position of the change log has been dealt with.
#[utoipa::path(post, path = "/code-sets/{uuid}/acknowledge", operation_id = "acknowledge", tag = "code sets",
    params(("uuid" = String, Path, description = "The code set")), request_body = AcknowledgeRequest,
    responses((status = 200, body = UsageAnswer), Refused<400>, Refused<404>))]
pub async fn acknowledge(About { app, actor, of }: About, bytes: Bytes) -> Answer {
    let AcknowledgeRequest { position } = body(&bytes)?;
    Ok(json(StatusCode::OK, &app.acknowledge(&actor, of, position).await?)?)
}

/// The events of the change log that touch the concepts of a code set, and those that replace them.
#[utoipa::path(get, path = "/code-sets/{uuid}/events", operation_id = "codeSetEvents", tag = "code sets",
    params(("uuid" = String, Path, description = "The code set"), After),
    responses((status = 200, body = CodeSetEvents), Refused<404>))]
pub async fn events(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    Params(after, ..): Params<After>,
) -> Answer {
    let limit = after.limit.unwrap_or(100);
    let refuse = || not_one_of("limit", &limit.to_string(), &["1..1000"]);
    let most = usize::try_from(limit).ok().filter(|n| (1..=1_000).contains(n)).ok_or_else(refuse)?;
    let found = app.code_set_events(&actor, uuid(&of)?, after.after.unwrap_or(0), most).await?;
    let answer = CodeSetEvents { events: found.events, position: found.position, head: found.head };
    Ok(json(StatusCode::OK, &answer)?)
}

/// The uses that one has declared.
#[utoipa::path(get, path = "/usages", operation_id = "usages", tag = "code sets", params(Pages),
    responses((status = 200, body = [UsageAnswer]), Refused<401>))]
pub async fn usages(
    State(app): State<App>,
    Who(actor): Who,
    OriginalUri(uri): OriginalUri,
    Params(pages, ..): Params<Pages>,
) -> Answer {
    Ok(list(&app.usages(&actor, DECLARED, &pages).await?, &uri)?)
}

/// Declares that a system, a form, statistics or a law uses concepts.
#[utoipa::path(post, path = "/usages", operation_id = "declareUsage", tag = "code sets", request_body = UsageRequest,
    responses((status = 201, body = CodesAnswer), Refused<401>, Refused<422>))]
pub async fn declare(State(app): State<App>, Who(actor): Who, _: Params<Nothing>, bytes: Bytes) -> Answer {
    let answer = app.declare(&actor, DECLARED, body(&bytes)?).await?;
    Ok(made(&answer, &format!("/api/v1/usages/{}", answer.usage.uuid))?)
}

/// One declared use.
#[utoipa::path(get, path = "/usages/{uuid}", operation_id = "usage", tag = "code sets",
    params(("uuid" = String, Path, description = "The use")),
    responses((status = 200, body = UsageAnswer), Refused<404>))]
pub async fn usage(About { app, actor, of }: About) -> Answer {
    Ok(json(StatusCode::OK, &app.usage(&actor, DECLARED, of).await?)?)
}

/// Changes what is said of a declared use; what is absent stays.
#[utoipa::path(patch, path = "/usages/{uuid}", operation_id = "changeUsage", tag = "code sets",
    params(("uuid" = String, Path, description = "The use")), request_body = UsageChange,
    responses((status = 200, body = UsageAnswer), Refused<404>))]
pub async fn change_usage(About { app, actor, of }: About, bytes: Bytes) -> Answer {
    Ok(json(StatusCode::OK, &app.change_usage(&actor, DECLARED, of, body(&bytes)?).await?)?)
}

/// Takes a declared use back.
#[utoipa::path(delete, path = "/usages/{uuid}", operation_id = "endUsage", tag = "code sets",
    params(("uuid" = String, Path, description = "The use")),
    responses((status = 204), Refused<404>))]
pub async fn end_usage(About { app, actor, of }: About) -> Answer {
    app.end_usage(&actor, DECLARED, of).await?;
    Ok(nothing())
}

/// The concepts of a declared use, as they were given.
#[utoipa::path(get, path = "/usages/{uuid}/concepts", operation_id = "conceptsOfUsage", tag = "code sets",
    params(("uuid" = String, Path, description = "The use"), Pages),
    responses((status = 200, body = [UsedCode]), Refused<404>))]
pub async fn concepts_of(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    OriginalUri(uri): OriginalUri,
    Params(pages, ..): Params<Pages>,
) -> Answer {
    Ok(list(&app.usage_codes(&actor, DECLARED, uuid(&of)?, false, &pages).await?, &uri)?)
}

/// Says which concepts a declared use has; each must be one.
#[utoipa::path(put, path = "/usages/{uuid}/concepts", operation_id = "replaceConcepts", tag = "code sets",
    params(("uuid" = String, Path, description = "The use"), Usual, Columns),
    request_body(content((Vec<ListedCode> = "application/json"), (String = "text/csv"))),
    responses((status = 200, body = CodesAnswer), Refused<400>, Refused<422>))]
pub async fn replace_concepts(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    Params(usual, columns, _): Params<Usual, Columns>,
    List(bytes): List,
) -> Answer {
    let (of, command) = (uuid(&of)?, CodesCommand::Replace);
    app.usage(&actor, DECLARED, of).await?;
    let listed = super::check::apart(move || codes_in(&bytes, &columns)).await?;
    Ok(json(StatusCode::OK, &app.change_codes(&actor, DECLARED, of, command, listed, usual.vocabulary).await?)?)
}

/// What uses a concept: systems, forms, statistics and laws that say so. Those who make versions of the vocabulary see
/// also what is shown to them alone, and how many there are beside.
#[utoipa::path(get, path = "/vocabularies/{vocabulary}/concepts/{key}/usages", operation_id = "usagesOfConcept",
    tag = "concepts", params(("vocabulary" = String, Path), ("key" = String, Path, description = "Notation, uuid or alias")),
    responses((status = 200, body = ConceptUsages), Refused<404>))]
pub async fn of_concept(
    State(app): State<App>,
    Who(actor): Who,
    Path((vocabulary, key)): Path<(String, String)>,
    _: Params<Nothing>,
) -> Answer {
    let view = app.view(&vocabulary, &At::default())?;
    Ok(json(StatusCode::OK, &app.concept_usages(&actor, &view, &key)?)?)
}

/// Says that a use is not shown to everybody on the pages of a vocabulary any more, and why. Those who keep it are told
/// the reason, and so are those who make versions.
#[utoipa::path(put, path = "/vocabularies/{vocabulary}/usages/{uuid}/hidden", operation_id = "hideUsage",
    tag = "code sets", params(("vocabulary" = String, Path), ("uuid" = String, Path, description = "The use")),
    request_body = HideRequest,
    responses((status = 204), Refused<400>, Refused<401>, Refused<403>, Refused<404>))]
pub async fn hide(
    State(app): State<App>,
    Who(actor): Who,
    Path((vocabulary, of)): Path<(String, String)>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    app.hide_usage(&actor, &vocabulary, uuid(&of)?, body(&bytes)?).await?;
    Ok(nothing())
}

/// Shows a use again that was hidden.
#[utoipa::path(delete, path = "/vocabularies/{vocabulary}/usages/{uuid}/hidden", operation_id = "showUsage",
    tag = "code sets", params(("vocabulary" = String, Path), ("uuid" = String, Path, description = "The use")),
    responses((status = 204), Refused<401>, Refused<403>, Refused<404>))]
pub async fn show(
    State(app): State<App>,
    Who(actor): Who,
    Path((vocabulary, of)): Path<(String, String)>,
    _: Params<Nothing>,
) -> Answer {
    app.show_usage(&actor, &vocabulary, uuid(&of)?).await?;
    Ok(nothing())
}

/// What uses the concepts that a draft changes or retires.
#[utoipa::path(get, path = "/drafts/{draft}/usages", operation_id = "usagesOfDraft", tag = "drafts",
    params(("draft" = String, Path, description = "The draft")),
    responses((status = 200, body = [DraftUsage]), Refused<401>, Refused<404>))]
pub async fn of_draft(About { app, actor, of }: About) -> Answer {
    Ok(whole(&app.draft_usages(&actor, of)?)?)
}
