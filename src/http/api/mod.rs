//! The registry's own API, under `/api/v1`. One file for each group of addresses; the document at
//! `/api/openapi.json` is made of the same routes.

mod about;
mod certifications;
mod changes;
mod check;
mod code_sets;
mod concepts;
mod decisions;
mod digests;
mod drafts;
mod edits;
mod export;
mod feed;
mod hearings;
mod lookup;
mod me;
mod meetings;
mod people;
mod publish;
mod requests;
pub mod search;
mod subscriptions;
mod vocabularies;

pub use super::app::App;
pub use check::apart;
pub use edits::long;
pub use feed::Closing;
pub use hearings::{served, tongue};
pub use publish::turn;
pub use search::aside;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::peer::TrustForwarded;
use super::problem::Problem;
use super::{HttpOptions, ldes, sparql};
use crate::registry::ConceptDocument;

/// The document's own parts; the paths come from the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Begreb",
        description = "Begreber og klassifikationer for det sociale område. Concepts and classifications of the \
            Danish social sector, readable at any point of two times: `version=`, or `date=` with `registered=`. \
            Nothing given means in force today, as known now. Unknown parameters are refused. Lists are paged by \
            `limit` and `cursor` (see the `Link` header). Errors are problem documents (RFC 9457) with a stable \
            `code`, in Danish or English by `Accept-Language`.",
        license(name = "EUPL-1.2", identifier = "EUPL-1.2")
    ),
    components(schemas(ConceptDocument, Problem))
)]
pub struct Document;

/// The routes, with their documentation.
pub fn router(options: &HttpOptions) -> OpenApiRouter<App> {
    // Only what waits for something can take too long: a body, or the digest of a whole export.
    let timeout = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, options.timeout);
    let waiting = OpenApiRouter::new()
        .routes(routes!(export::whole))
        .routes(routes!(lookup::validate))
        .routes(routes!(check::check))
        .routes(routes!(changes::migration))
        .routes(routes!(code_sets::sets, code_sets::create))
        .routes(routes!(code_sets::codes_of, code_sets::replace, code_sets::add))
        .routes(routes!(code_sets::remove))
        .routes(routes!(code_sets::usages, code_sets::declare))
        .routes(routes!(code_sets::concepts_of, code_sets::replace_concepts))
        .routes(routes!(publish::import))
        .routes(routes!(publish::publish))
        .routes(routes!(edits::import))
        .routes(routes!(decisions::recommend))
        .routes(routes!(decisions::approve))
        .routes(routes!(decisions::publish))
        .routes(routes!(hearings::attach))
        .layer(DefaultBodyLimit::max(options.body_limit))
        .layer(timeout);
    let people = OpenApiRouter::new()
        .routes(routes!(me::sign_in))
        .routes(routes!(me::sign_out))
        .routes(routes!(me::me))
        .routes(routes!(me::password))
        .routes(routes!(me::sessions))
        .routes(routes!(me::end_session))
        .routes(routes!(me::tokens, me::create_token))
        .routes(routes!(me::revoke_token, me::rename_token))
        .routes(routes!(me::identities))
        .routes(routes!(me::unlink))
        .routes(routes!(people::organisations, people::create_organisation))
        .routes(routes!(people::organisation, people::change_organisation))
        .routes(routes!(people::accounts, people::create_account))
        .routes(routes!(people::account, people::change_account, people::erase_account))
        .routes(routes!(people::erase_contact))
        .routes(routes!(people::invite))
        .routes(routes!(people::end_sessions))
        .routes(routes!(people::identities))
        .routes(routes!(people::unlink))
        .routes(routes!(people::groups, people::create_group))
        .routes(routes!(people::group, people::change_group))
        .routes(routes!(people::grants, people::give))
        .routes(routes!(people::take))
        .routes(routes!(meetings::mandate, meetings::give_mandate))
        .routes(routes!(meetings::meetings, meetings::call))
        .routes(routes!(meetings::meeting, meetings::change))
        .routes(routes!(meetings::cancel))
        .routes(routes!(meetings::attendance))
        .routes(routes!(meetings::minutes))
        .routes(routes!(requests::requests, requests::ask))
        .routes(routes!(requests::confirm))
        .routes(routes!(requests::request))
        .routes(routes!(requests::assign))
        .routes(routes!(requests::outcome))
        .routes(routes!(requests::accept))
        .routes(routes!(requests::withdraw))
        .routes(routes!(requests::of_concept))
        .routes(routes!(certifications::certifications, certifications::submit))
        .routes(routes!(certifications::certification))
        .routes(routes!(certifications::verdict))
        .routes(routes!(certifications::links))
        .layer(axum::Extension(TrustForwarded(options.trust_forwarded)));
    let hearings = OpenApiRouter::new()
        .routes(routes!(hearings::of_draft, hearings::plan))
        .routes(routes!(hearings::all))
        .routes(routes!(hearings::one, hearings::replan))
        .routes(routes!(hearings::cancel))
        .routes(routes!(hearings::extend))
        .routes(routes!(hearings::complete))
        .routes(routes!(hearings::parties, hearings::invite))
        .routes(routes!(hearings::party))
        .routes(routes!(hearings::link))
        .routes(routes!(hearings::answers, hearings::answer))
        .routes(routes!(hearings::one_answer, hearings::change_answer))
        .routes(routes!(hearings::submit))
        .routes(routes!(hearings::withdraw))
        .routes(routes!(hearings::file, hearings::detach))
        .routes(routes!(hearings::dispose))
        .routes(routes!(hearings::edit))
        .routes(routes!(hearings::note))
        .layer(axum::Extension(TrustForwarded(options.trust_forwarded)));
    let v1 = OpenApiRouter::new()
        .routes(routes!(vocabularies::list))
        .routes(routes!(vocabularies::one, vocabularies::put))
        .routes(routes!(vocabularies::versions))
        .routes(routes!(vocabularies::version))
        .routes(routes!(vocabularies::days))
        .routes(routes!(concepts::list))
        .routes(routes!(concepts::one))
        .routes(routes!(concepts::history))
        .routes(routes!(concepts::ancestors))
        .routes(routes!(concepts::descendants))
        .routes(routes!(concepts::children))
        .routes(routes!(concepts::mappings))
        .routes(routes!(changes::between))
        .routes(routes!(lookup::resolve))
        .routes(routes!(sparql::catalog))
        .routes(routes!(search::search))
        .routes(routes!(search::suggest))
        .merge(feeds(options))
        .merge(waiting)
        .merge(drafts())
        .merge(code_sets())
        .merge(people)
        .merge(subscribers(options))
        .merge(hearings);
    let sparql = OpenApiRouter::new()
        .routes(routes!(sparql::get, sparql::post))
        .routes(routes!(sparql::void))
        .layer(axum::Extension(TrustForwarded(options.trust_forwarded)));
    OpenApiRouter::with_openapi(Document::openapi()).nest("/api/v1", v1).routes(routes!(ldes::page)).merge(sparql)
}

/// The routes of the feed, where some stay for long and are counted.
fn feeds(options: &HttpOptions) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(feed::feed))
        .routes(routes!(feed::stream))
        .routes(routes!(feed::atom))
        .layer(axum::Extension(TrustForwarded(options.trust_forwarded)))
}

/// The routes of subscriptions.
fn subscribers(options: &HttpOptions) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(digests::of, digests::ask))
        .routes(routes!(digests::confirm))
        .routes(routes!(subscriptions::subscriptions, subscriptions::subscribe))
        .routes(routes!(
            subscriptions::subscription,
            subscriptions::change_subscription,
            subscriptions::end_subscription
        ))
        .routes(routes!(subscriptions::pause))
        .routes(routes!(subscriptions::resume))
        .routes(routes!(subscriptions::secret))
        .routes(routes!(subscriptions::test))
        .routes(routes!(subscriptions::replay))
        .routes(routes!(subscriptions::deliveries))
        .routes(routes!(subscriptions::dead_letters))
        .layer(axum::Extension(TrustForwarded(options.trust_forwarded)))
}

/// The routes of drafts and decisions.
fn drafts() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(drafts::all, drafts::open))
        .routes(routes!(drafts::one, drafts::describe))
        .routes(routes!(drafts::phase))
        .routes(routes!(drafts::rebase))
        .routes(routes!(drafts::comments, drafts::comment))
        .routes(routes!(drafts::reply))
        .routes(routes!(drafts::settle))
        .routes(routes!(edits::concepts))
        .routes(routes!(edits::concept, edits::put, edits::patch, edits::retire))
        .routes(routes!(edits::edits, edits::operate))
        .routes(routes!(edits::edit))
        .routes(routes!(edits::undo))
        .routes(routes!(decisions::findings))
        .routes(routes!(decisions::preview))
        .routes(routes!(decisions::diff))
        .routes(routes!(decisions::decisions, decisions::decide))
        .routes(routes!(decisions::decision))
}

/// The routes of code sets and the register of use that wait for nothing long.
fn code_sets() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(code_sets::set, code_sets::change, code_sets::end))
        .routes(routes!(code_sets::tasks))
        .routes(routes!(code_sets::acknowledge))
        .routes(routes!(code_sets::events))
        .routes(routes!(code_sets::usage, code_sets::change_usage, code_sets::end_usage))
        .routes(routes!(code_sets::of_concept))
        .routes(routes!(code_sets::hide, code_sets::show))
        .routes(routes!(code_sets::of_draft))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::problem::status;
    use crate::model::{Code, Refusal};

    const DOCS: &str = include_str!("../../../docs/api.md");

    /// The cells of the rows whose first cell is a word in code.
    fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
        let row = |line: &'static str| {
            let (first, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
            Some((first, rest.split(" | ").next()?))
        };
        DOCS.lines().filter_map(row)
    }

    #[test]
    fn every_address_stands_in_the_documentation_with_its_methods() {
        let (_, document) = router(&HttpOptions::default()).split_for_parts();
        let document = serde_json::to_value(&document).expect("it is JSON");
        let mut told = 0;
        for (path, methods) in document["paths"].as_object().expect("paths") {
            let Some(path) = path.strip_prefix("/api/v1") else { continue };
            let name = match path.strip_prefix("/vocabularies/{vocabulary}") {
                Some(rest) => format!("V{rest}"),
                None => path.to_owned(),
            };
            let said = rows().find(|(address, _)| *address == name).unwrap_or_else(|| panic!("{name} is not told"));
            let mut said: Vec<&str> = said.1.split(' ').collect();
            let mut there: Vec<String> =
                methods.as_object().expect("methods").keys().map(|m| m.to_uppercase()).collect();
            said.sort_unstable();
            there.sort_unstable();
            assert_eq!(said, there, "{name}");
            told += 1;
        }
        assert!(told > 80, "{told}");
    }

    #[test]
    fn every_code_stands_in_the_documentation_with_its_status() {
        for code in Code::ALL {
            let found = rows().find(|(name, _)| *name == code.as_str());
            let (_, said) = found.unwrap_or_else(|| panic!("{} is not told", code.as_str()));
            let is = status(&Refusal::new(*code, "", "")).as_u16();
            assert_eq!(said, is.to_string(), "{}", code.as_str());
        }
    }
}
