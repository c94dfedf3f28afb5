//! Search and suggestions: from parameters to a question of the search projection, and from its hits to answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::answer::{Reference, Status};
use super::list::Cursor;
use super::query::{unknown_version, unknown_vocabulary};
use super::read::{named, unknown_concept};
use super::{At, Registry};
use crate::model::{Code, Digest, Kind, Language, NoteKind, Place, Point, Refusal, Result, Slug, TermStatus};
use crate::projection::search::{
    Beginning, Fragment, Hit, Hits, Matched, Pen, Question, Search, Standing, Tier, Why, sort_key,
};
use crate::projection::{Edition, Found, Plane};

/// The most hits on one page.
const LARGEST_PAGE: usize = 1000;
/// The most suggestions.
const MOST_SUGGESTIONS: usize = 100;
/// The most texts of a concept that say why it was found.
const MOST_MATCHES: usize = 4;

/// What is searched for, and where.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchFilter {
    /// Words in any form and order, half a word, a phrase in quotes, a notation or another identifier.
    #[param(example = "hjemmehjælp", required = true)]
    pub q: Option<String>,
    /// Only these vocabularies: slugs with commas between.
    #[param(example = "fsiii,ffb")]
    pub vocabulary: Option<String>,
    /// Only vocabularies of these kinds: `terminology`, `classification`, `codeList`, `legalBasis`.
    pub kind: Option<String>,
    /// Only concepts that stand so: `inForce`, `future`, `retired`, with commas between. A version has only the first.
    pub status: Option<String>,
    /// Only texts in this language.
    #[param(example = "da")]
    pub language: Option<String>,
    /// Only concepts of this facet.
    pub facet: Option<String>,
    /// Only what stands below this concept, or is it: a notation, uuid or alias of the one vocabulary searched.
    pub under: Option<String>,
    /// Only this level; 1 is the top.
    pub level: Option<u16>,
    /// Only concepts with a mapping to this vocabulary (slug) or IRI.
    pub mapping: Option<String>,
    /// `relevance` (usual), `term` or `notation`.
    pub sort: Option<Sort>,
}

/// The order of hits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Sort {
    /// Best first.
    #[default]
    Relevance,
    /// By the preferred term, as Danish sorts.
    Term,
    /// By the notation, numbers by their size.
    Notation,
}

/// What was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchAnswer {
    /// How many concepts on all pages.
    pub total: usize,
    /// No concept answers all of the query: these answer some of it.
    pub partial: bool,
    /// Words that no text has, and what they were taken to be misspelt for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<Correction>,
    /// How many of each vocabulary, by slug.
    pub vocabularies: BTreeMap<String, usize>,
    /// How many of each status.
    pub statuses: BTreeMap<String, usize>,
    /// The hits of this page.
    pub hits: Vec<SearchHit>,
    /// The cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A word that was taken to be misspelt.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Correction {
    /// As it was typed.
    pub word: String,
    /// The words of the texts that it may be; letters as they are compared (`ae` for `æ`).
    pub taken: Vec<String>,
}

/// A concept that was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchHit {
    /// The uuid.
    pub uuid: Uuid,
    /// The IRI.
    pub iri: String,
    /// The vocabulary.
    pub vocabulary: Slug,
    /// Whether it may be used at the point that was read.
    pub status: Status,
    /// The notation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notation: Option<String>,
    /// The preferred term.
    pub label: String,
    /// The concepts directly above.
    pub broader: Vec<Reference>,
    /// What answers the query best.
    pub why: SearchWhy,
    /// What to use instead: the hit is there for a deprecated or hidden term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_instead: Option<String>,
    /// What replaces a concept that is not in force.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaced_by: Vec<Reference>,
    /// The texts that answer the query, with what answers marked.
    pub matches: Vec<Match>,
}

/// What of a concept answers a query; the best is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum SearchWhy {
    /// The notation or another identifier is the query.
    Code,
    /// A preferred term is the query.
    PreferredTerm,
    /// Another term is the query.
    OtherTerm,
    /// A term or the notation begins with the query.
    Beginning,
    /// All words stand in terms.
    Terms,
    /// All words stand in terms and definitions.
    Definition,
    /// All words stand in the concept, some only in notes.
    Notes,
    /// Some of the words stand in the concept.
    Some,
}

/// A text of a concept that answers the query.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Match {
    /// Which text it is.
    pub field: MatchField,
    /// The status of a term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<TermStatus>,
    /// The kind of a note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<NoteKind>,
    /// Its language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The text in pieces; of a long one the part around what answers.
    pub pieces: Vec<Piece>,
}

/// The texts of a concept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are those of the concept's members")]
pub enum MatchField {
    Notation,
    Alias,
    Term,
    Definition,
    Note,
    LegalBasis,
}

/// A piece of a text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Piece {
    /// The piece.
    pub text: String,
    /// Whether it answers the query.
    #[serde(rename = "match", skip_serializing_if = "std::ops::Not::not")]
    pub marked: bool,
}

/// Suggestions for what is being typed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SuggestAnswer {
    /// The suggestions, best first.
    pub suggestions: Vec<Suggestion>,
}

/// A suggested concept.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Suggestion {
    /// The term or notation that begins so.
    pub matched: String,
    /// The status of that term; absent for a notation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term_status: Option<TermStatus>,
    /// What to use instead, when that term is deprecated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_instead: Option<String>,
    /// The uuid.
    pub uuid: Uuid,
    /// The IRI.
    pub iri: String,
    /// The vocabulary.
    pub vocabulary: Slug,
    /// Whether it may be used at the point that was read.
    pub status: Status,
    /// The notation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notation: Option<String>,
    /// The preferred term.
    pub label: String,
    /// The concepts directly above.
    pub broader: Vec<Reference>,
}

/// Where a search looks: its filter, resolved.
struct Where {
    at: Point,
    vocabularies: Vec<Uuid>,
    standings: Vec<Standing>,
    language: Option<String>,
    mapping: Option<String>,
    /// The concept to stay below, by vocabulary.
    under: Option<(Arc<Plane>, Uuid)>,
}

impl Registry {
    /// The search index as it is now.
    ///
    /// # Errors
    /// [`Code::NotReady`] while it is being built for the first time.
    async fn index(&self) -> Result<Arc<Search>> {
        self.search.get(&self.projections).await
    }

    /// Searches the texts of all vocabularies at a point of the two times. `limit` is at most 1000.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] and [`Code::TooLarge`] for a query or a filter that cannot be used,
    /// [`Code::UnknownVocabulary`], [`Code::UnknownVersion`], [`Code::UnknownConcept`] for what they name,
    /// [`Code::InvalidCursor`], [`Code::NotReady`].
    pub async fn search(
        &self,
        filter: &SearchFilter,
        at: &At,
        limit: usize,
        cursor: Option<&str>,
        language: &str,
    ) -> Result<SearchAnswer> {
        check_limit(limit, LARGEST_PAGE)?;
        let search = self.index().await?;
        let text = filter.q.as_deref().ok_or_else(no_query)?;
        let mut place = self.place(&search, filter, at)?;
        // Pages go on with the reading of the first: what is registered meanwhile is not in it.
        place.at.registered = place.at.registered.min(search.registered());
        let check = |point: Point| {
            let bytes = Digest::of(format!("{filter:?}{at:?}{}{}", point.valid.micros(), point.registered.micros()));
            u32::from_be_bytes(bytes.bytes()[..4].try_into().unwrap_or_default())
        };
        let mut after = None;
        if let Some(text) = cursor {
            let cursor = Cursor::decode(text).filter(|c| c.check() == check(c.point())).ok_or_else(borrowed_cursor)?;
            (place.at, after) = (cursor.point(), Some(cursor.last()));
        }
        let hits = self.hits(&search, filter, &place, text)?;
        let page = match filter.sort.unwrap_or_default() {
            Sort::Relevance => search.ranked(&hits, after, limit + 1),
            sort => sorted(&search, &hits, sort, language, after, limit + 1),
        };
        let mut page = page.ok_or_else(borrowed_cursor)?;
        let more = page.len() > limit;
        page.truncate(limit);
        let next =
            page.last().filter(|_| more).map(|hit| Cursor::new(place.at, hit.saying.concept, check(place.at)).encode());
        let pen = search.pen(&hits);
        let corrections = hits.corrections().into_iter().map(|(word, taken)| Correction { word, taken });
        let statuses = hits.by_standing.iter().map(|(standing, n)| (status_name(*standing).to_owned(), *n));
        Ok(SearchAnswer {
            total: hits.total(),
            partial: hits.total() > 0 && hits.is_partial(),
            corrections: corrections.collect(),
            vocabularies: hits.by_vocabulary.clone(),
            statuses: statuses.collect(),
            hits: page.iter().map(|hit| self.search_hit(&pen, hit, place.at, language)).collect(),
            next,
        })
    }

    /// Suggests concepts for what is being typed. `limit` is at most 100.
    ///
    /// # Errors
    /// As [`Registry::search`].
    pub async fn suggest(&self, filter: &SearchFilter, at: &At, limit: usize, language: &str) -> Result<SuggestAnswer> {
        check_limit(limit, MOST_SUGGESTIONS)?;
        let search = self.index().await?;
        let text = filter.q.as_deref().ok_or_else(no_query)?;
        let place = self.place(&search, filter, at)?;
        let (vocabularies, standings) = (&*place.vocabularies, &*place.standings);
        let beginning =
            Beginning { text, at: place.at, vocabularies, standings, language: place.language.as_deref(), limit };
        let suggestion = |found: crate::projection::search::Suggested| {
            let said = found.saying.state.content();
            let label = said.label(language);
            let deprecated = found.status == Some(TermStatus::Deprecated);
            Suggestion {
                use_instead: deprecated.then(|| found.use_instead.unwrap_or_else(|| label.to_owned())),
                matched: found.matched,
                term_status: found.status,
                uuid: found.saying.concept,
                iri: found.plane.vocabulary().iri(found.saying.concept),
                vocabulary: found.plane.vocabulary().slug().clone(),
                status: status(found.standing),
                notation: said.notation.as_deref().map(ToOwned::to_owned),
                label: label.to_owned(),
                broader: broader(&found.plane, said, place.at, language),
            }
        };
        Ok(SuggestAnswer { suggestions: search.suggest(&beginning)?.into_iter().map(suggestion).collect() })
    }

    fn hits(&self, search: &Search, filter: &SearchFilter, place: &Where, text: &str) -> Result<Hits> {
        let editions: BTreeMap<Uuid, Arc<Edition>> = match (&place.under, filter.level) {
            (None, None) => BTreeMap::new(),
            _ => {
                let snapshot = self.snapshot();
                let planes = snapshot
                    .planes()
                    .iter()
                    .filter(|p| place.vocabularies.is_empty() || place.vocabularies.contains(&p.vocabulary().uuid()));
                planes.map(|p| (p.vocabulary().uuid(), self.projections.edition(p, place.at))).collect()
            }
        };
        let only = |plane: &Plane, concept: Uuid| {
            let edition = editions.get(&plane.vocabulary().uuid());
            edition.and_then(|edition| Some((edition, edition.get(concept)?))).is_some_and(|(edition, entry)| {
                let below = place
                    .under
                    .as_ref()
                    .is_none_or(|(_, above)| edition.get(*above).is_some_and(|above| entry.is_below(above)));
                below && filter.level.is_none_or(|level| entry.level() == level)
            })
        };
        let in_hierarchy = place.under.is_some() || filter.level.is_some();
        search.find(&Question {
            text,
            at: place.at,
            vocabularies: &place.vocabularies,
            standings: &place.standings,
            language: place.language.as_deref(),
            facet: filter.facet.as_deref(),
            mapping: place.mapping.as_deref(),
            only: in_hierarchy.then_some(&only),
        })
    }

    /// Resolves the names of a filter.
    fn place(&self, search: &Search, filter: &SearchFilter, at: &At) -> Result<Where> {
        let snapshot = self.snapshot();
        let mut planes: Vec<Arc<Plane>> = Vec::new();
        for slug in list(filter.vocabulary.as_deref()) {
            let known = || snapshot.planes().iter().map(|p| p.vocabulary().slug().to_string());
            let refuse = || unknown_vocabulary(slug).at(Place::field("vocabulary")).allowed(known());
            planes.push(snapshot.by_slug(slug).cloned().ok_or_else(refuse)?);
        }
        let mut restricted = !planes.is_empty();
        if let Some(text) = &filter.kind {
            let kinds =
                list(Some(text)).map(|name| one_of::<Kind>("kind", name, &KINDS)).collect::<Result<Vec<_>>>()?;
            if !restricted {
                planes = snapshot.planes().to_vec();
            }
            planes.retain(|p| kinds.contains(&p.vocabulary().fields().kind));
            restricted = true;
        }
        let standing = |name| Ok(standing(one_of::<Status>("status", name, &STATUSES)?));
        let mut standings = list(filter.status.as_deref()).map(standing).collect::<Result<Vec<_>>>()?;
        let point = match &at.version {
            None => self.point(at)?.0,
            Some(label) => {
                let [plane] = &planes[..] else { return Err(one_vocabulary("version")) };
                let known = plane.versions().iter().map(|v| v.label.to_string());
                let version = plane.version(label).ok_or_else(|| unknown_version(label, known))?;
                if at.date.is_some() || at.registered.is_some() {
                    // The refusal of both together is the view's.
                    self.view(plane.vocabulary().slug().as_str(), at)?;
                }
                standings.retain(|s| *s == Standing::InForce);
                if standings.is_empty() && filter.status.is_none() {
                    standings.push(Standing::InForce);
                }
                version.point()
            }
        };
        let under = match &filter.under {
            None => None,
            Some(key) => {
                let [plane] = &planes[..] else { return Err(one_vocabulary("under")) };
                let view = self.projections.view(plane, point, false, false);
                match view.find(key) {
                    Found::Here(entry) => Some((plane.clone(), entry.uuid())),
                    _ => return Err(unknown_concept(&view, key).at(Place::field("under"))),
                }
            }
        };
        if let Some(facet) = &filter.facet {
            let searched = if restricted { &planes[..] } else { snapshot.planes() };
            let facets: Vec<&str> =
                searched.iter().flat_map(|p| &p.vocabulary().fields().facets).map(|f| &*f.code).collect();
            if !facets.contains(&facet.as_str()) {
                return Err(unusable("facet", facet).allowed(facets));
            }
        }
        let mapping = filter.mapping.as_ref().map(|to| match snapshot.by_slug(to) {
            Some(plane) => plane.vocabulary().fields().namespace.clone(),
            None => to.clone(),
        });
        if let Some(to) = &mapping
            && !to.contains(':')
        {
            let known = snapshot.planes().iter().map(|p| p.vocabulary().slug().to_string());
            return Err(unusable("mapping", to).allowed(known.chain(["an IRI".to_owned()])));
        }
        let mut vocabularies: Vec<Uuid> = planes.iter().map(|p| p.vocabulary().uuid()).collect();
        if restricted && vocabularies.is_empty() {
            // Kinds that no vocabulary is of: nothing is searched.
            vocabularies.push(Uuid::nil());
        }
        let language = language_of(search, filter.language.as_deref())?;
        Ok(Where { at: point, vocabularies, standings, language, mapping, under })
    }

    fn search_hit(&self, pen: &Pen<'_>, hit: &Hit, at: Point, language: &str) -> SearchHit {
        let said = hit.saying.state.content();
        let label = said.label(language).to_owned();
        let matched = pen.why(hit, MOST_MATCHES);
        let discouraged = |m: &&Matched| matches!(m.field, Why::Term(TermStatus::Deprecated | TermStatus::Hidden));
        let by_code = hit.tier == Tier::Code;
        let use_instead = matched.first().filter(discouraged).filter(|_| !by_code);
        let use_instead = use_instead.map(|m| m.use_instead.clone().unwrap_or_else(|| label.clone()));
        let shown = matched.into_iter().filter(|m| m.field != Why::Term(TermStatus::Hidden));
        let retired = hit.standing == Standing::Retired;
        SearchHit {
            uuid: hit.saying.concept,
            iri: hit.plane.vocabulary().iri(hit.saying.concept),
            vocabulary: hit.plane.vocabulary().slug().clone(),
            status: status(hit.standing),
            notation: said.notation.as_deref().map(ToOwned::to_owned),
            broader: broader(&hit.plane, said, at, language),
            why: why(hit.tier),
            use_instead,
            replaced_by: match retired {
                true => self.replacements(&hit.plane, hit.saying.concept, language),
                false => Vec::new(),
            },
            matches: shown.map(matches).collect(),
            label,
        }
    }
}

/// The hits after one by term or notation; at most `limit`. `None` when that one is no hit.
fn sorted(
    search: &Search,
    hits: &Hits,
    sort: Sort,
    language: &str,
    after: Option<Uuid>,
    limit: usize,
) -> Option<Vec<Hit>> {
    let key = |hit: &Hit| {
        let said = hit.saying.state.content();
        let notation = said.notation.as_deref().unwrap_or_default();
        let by_term = (false, sort_key(said.label(language)), hit.saying.concept);
        match sort {
            // What has no notation comes last.
            Sort::Notation if notation.is_empty() => (true, by_term.1, by_term.2),
            Sort::Notation => (false, sort_key(notation), hit.saying.concept),
            _ => by_term,
        }
    };
    let mut all: Vec<_> = search.all(hits).map(|hit| (key(&hit), hit)).collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    let begin = match after {
        None => 0,
        Some(uuid) => all.iter().position(|(_, hit)| hit.saying.concept == uuid)? + 1,
    };
    Some(all.into_iter().skip(begin).take(limit).map(|(_, hit)| hit).collect())
}

fn broader(plane: &Plane, said: &crate::projection::Said, at: Point, language: &str) -> Vec<Reference> {
    said.parents.iter().filter_map(|parent| plane.nearest(*parent, at)).map(|saying| named(saying, language)).collect()
}

fn matches(matched: Matched) -> Match {
    let (mut status, mut kind) = (None, None);
    let field = match matched.field {
        Why::Notation => MatchField::Notation,
        Why::Alias => MatchField::Alias,
        Why::Term(of) => {
            status = Some(of);
            MatchField::Term
        }
        Why::Definition => MatchField::Definition,
        Why::Note(of) => {
            kind = Some(of);
            MatchField::Note
        }
        Why::LegalBasis => MatchField::LegalBasis,
    };
    let piece = |Fragment { text, marked }| Piece { text, marked };
    Match {
        field,
        status,
        kind,
        language: matched.language,
        pieces: matched.fragments.into_iter().map(piece).collect(),
    }
}

fn why(tier: Tier) -> SearchWhy {
    match tier {
        Tier::Code => SearchWhy::Code,
        Tier::PreferredTerm => SearchWhy::PreferredTerm,
        Tier::OtherTerm => SearchWhy::OtherTerm,
        Tier::Prefix => SearchWhy::Beginning,
        Tier::Terms => SearchWhy::Terms,
        Tier::Definition => SearchWhy::Definition,
        Tier::Notes => SearchWhy::Notes,
        Tier::Some => SearchWhy::Some,
    }
}

/// The names of statuses, as they are written in JSON.
const STATUSES: [&str; 3] = ["inForce", "future", "retired"];
/// The names of kinds.
const KINDS: [&str; 4] = ["terminology", "classification", "codeList", "legalBasis"];

fn status(standing: Standing) -> Status {
    match standing {
        Standing::InForce => Status::InForce,
        Standing::Future => Status::Future,
        Standing::Retired => Status::Retired,
    }
}

fn standing(status: Status) -> Standing {
    match status {
        Status::InForce => Standing::InForce,
        Status::Future => Standing::Future,
        Status::Retired => Standing::Retired,
    }
}

fn status_name(standing: Standing) -> &'static str {
    STATUSES[standing as usize]
}

/// The elements of a list with commas between.
fn list(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.into_iter().flat_map(|t| t.split(',')).map(str::trim).filter(|t| !t.is_empty())
}

fn one_of<T: serde::de::DeserializeOwned>(field: &'static str, name: &str, allowed: &[&str]) -> Result<T> {
    let read = serde_json::from_value(serde_json::Value::String(name.to_owned()));
    read.map_err(|_| unusable(field, name).allowed(allowed.iter().copied()))
}

fn language_of(search: &Search, language: Option<&str>) -> Result<Option<String>> {
    let Some(tag) = language else { return Ok(None) };
    let known = || search.languages().map(ToOwned::to_owned).collect::<Vec<_>>();
    let refuse = |r: Refusal| Refusal { allowed: known(), ..r }.at(Place::field("language"));
    let language: Language = tag.parse().map_err(refuse)?;
    let primary = language.primary();
    if !search.languages().any(|l| l == primary) {
        return Err(unusable("language", tag).allowed(known()));
    }
    Ok(Some(primary.to_owned()))
}

fn unusable(field: &'static str, value: &str) -> Refusal {
    let value: String = value.chars().take(80).collect();
    let (da, en) = (format!("{field} kan ikke være »{value}«"), format!("{field} cannot be '{value}'"));
    Refusal::new(Code::InvalidParameter, da, en).at(Place::field(field))
}

fn one_vocabulary(field: &'static str) -> Refusal {
    let (da, en) = (
        format!("{field} kræver, at der søges i netop ét ordforråd"),
        format!("{field} takes a search in just one vocabulary"),
    );
    Refusal::new(Code::InvalidParameter, da, en).at(Place::field(field)).allowed(["vocabulary=SLUG"])
}

fn no_query() -> Refusal {
    let (da, en) = ("der er intet at søge efter", "there is nothing to search for");
    Refusal::new(Code::InvalidParameter, da, en).at(Place::field("q")).allowed(["q=hjemmehjælp"])
}

fn borrowed_cursor() -> Refusal {
    let (da, en) = ("cursoren hører ikke til denne søgning", "the cursor does not belong to this search");
    Refusal::new(Code::InvalidCursor, da, en)
        .at(Place::field("cursor"))
        .allowed(["the cursor of the Link header of the page before"])
}

fn check_limit(limit: usize, most: usize) -> Result<()> {
    if (1..=most).contains(&limit) {
        return Ok(());
    }
    let (da, en) = (format!("{limit} er ikke et lovligt antal"), format!("{limit} is not a lawful number"));
    Err(Refusal::new(Code::InvalidParameter, da, en).at(Place::field("limit")).allowed([format!("1..{most}")]))
}
