//! Search and suggestions: from parameters to a question of the search projection, and from its hits to answers.

mod answer;
mod place;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use uuid::Uuid;

pub use self::answer::{
    Correction, Match, MatchField, Piece, SearchAnswer, SearchFilter, SearchHit, SearchWhy, Sort, SuggestAnswer,
    Suggestion,
};
use self::place::{Where, status, status_name};
use crate::model::{Code, Digest, Instant, Place, Point, Refusal, Result, TermStatus};
use crate::projection::search::{
    Beginning, Fragment, Hit, Hits, Matched, Only, Pen, Question, Search, Standing, Tier, Why, fold, sort_key,
};
use crate::projection::{Edition, Plane};
use crate::registry::answer::Reference;
use crate::registry::list::Cursor;
use crate::registry::read::named;
use crate::registry::{At, Registry};

/// The most hits on one page.
const LARGEST_PAGE: usize = 1000;
/// The most suggestions.
const MOST_SUGGESTIONS: usize = 100;
/// How long a search waits for an index that is behind what it names.
const BEHIND: Duration = Duration::from_secs(2);
/// How many earlier indexes are held for those who read page by page.
const MOST_PAGED: usize = 3;
/// The most texts of a concept that say why it was found.
const MOST_MATCHES: usize = 4;

/// The indexes that pages are read of, the latest first.
pub(super) type Paged = Mutex<VecDeque<Arc<Search>>>;

impl Registry {
    /// The search index as it is now.
    ///
    /// # Errors
    /// [`Code::NotReady`] while it is being built for the first time.
    async fn index(&self) -> Result<Arc<Search>> {
        self.search.get(&self.projections).await
    }

    /// The index, once it has read what was registered by a point that the caller names.
    async fn reaching(&self, search: Arc<Search>, at: &At, point: Point) -> Result<Arc<Search>> {
        let named = at.version.is_some() || at.registered.is_some();
        if !named || point.registered == Instant::FOREVER || point.registered <= search.registered() {
            return Ok(search);
        }
        self.search.passed(self.snapshot().position, BEHIND).await;
        let search = self.index().await?;
        if point.registered <= search.registered() {
            return Ok(search);
        }
        Err(Refusal::new(
            Code::NotReady,
            "søgeindekset har endnu ikke læst så langt; prøv igen om et øjeblik",
            "the search index has not read so far yet; try again in a moment",
        ))
    }

    /// The index whose pages a cursor goes on with, while it is still held: in it nothing has moved since.
    fn index_of(&self, point: Point) -> Option<Arc<Search>> {
        let paged = self.paged.lock().unwrap_or_else(PoisonError::into_inner);
        paged.iter().find(|s| s.registered() == point.registered).cloned()
    }

    /// Holds an index while pages of it are being read, until a few later ones are.
    fn hold(&self, search: &Arc<Search>) {
        let mut paged = self.paged.lock().unwrap_or_else(PoisonError::into_inner);
        if !paged.iter().any(|s| s.registered() == search.registered()) {
            paged.push_front(search.clone());
            paged.truncate(MOST_PAGED);
        }
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
        let mut search = self.index().await?;
        let text = filter.q.as_deref().ok_or_else(no_query)?;
        let mut place = self.place(&search, filter, at)?;
        search = self.reaching(search, at, place.at).await?;
        // Pages go on with the reading of the first: what is registered meanwhile is not in it.
        place.at.registered = place.at.registered.min(search.registered());
        let check = |point: Point| {
            let (valid, registered) = (point.valid.micros(), point.registered.micros());
            let bytes = Digest::of(format!("{filter:?}{at:?}{language}{valid}.{registered}"));
            u32::from_be_bytes(bytes.bytes()[..4].try_into().unwrap_or_default())
        };
        let mut after = None;
        if let Some(text) = cursor {
            let cursor = Cursor::decode(text).filter(|c| c.check() == check(c.point())).ok_or_else(borrowed_cursor)?;
            (place.at, after) = (cursor.point(), Some(cursor.last()));
            search = self.index_of(place.at).unwrap_or(search);
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
        if next.is_some() {
            self.hold(&search);
        }
        let pen = search.pen(&hits);
        let page: Vec<SearchHit> = page.iter().map(|hit| self.search_hit(&pen, hit, place.at, language)).collect();
        let spelt = |taken: Vec<String>| taken.into_iter().map(|word| spelling(word, &page)).collect();
        let corrections = hits.corrections().into_iter();
        let corrections = corrections.map(|(word, taken)| Correction { word, taken: spelt(taken) }).collect();
        let statuses = hits.by_standing.iter().map(|(standing, n)| (status_name(*standing).to_owned(), *n));
        Ok(SearchAnswer {
            total: hits.total(),
            partial: hits.total() > 0 && hits.is_partial(),
            corrections,
            vocabularies: hits.by_vocabulary.clone(),
            statuses: statuses.collect(),
            hits: page,
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
        let search = self.reaching(search, at, place.at).await?;
        if filter.sort.is_some() {
            return Err(no_order());
        }
        let only = self.in_hierarchy(filter, &place);
        let beginning = Beginning { question: question(filter, &place, text, only.as_deref()), limit };
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
        let only = self.in_hierarchy(filter, place);
        search.find(&question(filter, place, text, only.as_deref()))
    }

    /// Whether a concept stands where a filter wants it in the hierarchy; nothing when that is anywhere.
    fn in_hierarchy(&self, filter: &SearchFilter, place: &Where) -> Option<Box<Only>> {
        let (under, level) = (place.under.as_ref().map(|(_, above)| *above), filter.level);
        if under.is_none() && level.is_none() {
            return None;
        }
        let snapshot = self.snapshot();
        let searched =
            |p: &&Arc<Plane>| place.vocabularies.is_empty() || place.vocabularies.contains(&p.vocabulary().uuid());
        let edition = |p: &Arc<Plane>| (p.vocabulary().uuid(), self.projections.edition(p, place.at));
        let editions: BTreeMap<Uuid, Arc<Edition>> = snapshot.planes().iter().filter(searched).map(edition).collect();
        Some(Box::new(move |plane: &Plane, concept: Uuid| {
            let edition = editions.get(&plane.vocabulary().uuid());
            edition.and_then(|edition| Some((edition, edition.get(concept)?))).is_some_and(|(edition, entry)| {
                let below = under.is_none_or(|above| edition.get(above).is_some_and(|above| entry.is_below(above)));
                below && level.is_none_or(|level| entry.level() == level)
            })
        }))
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

/// A filter as a question of the index.
fn question<'q>(filter: &'q SearchFilter, place: &'q Where, text: &'q str, only: Option<&'q Only>) -> Question<'q> {
    Question {
        text,
        at: place.at,
        vocabularies: &place.vocabularies,
        standings: &place.standings,
        language: place.language.as_deref(),
        facet: filter.facet.as_deref(),
        mapping: place.mapping.as_deref(),
        only,
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

/// A word as the hits spell it, in lower case; letters are compared as the index does.
fn spelling(word: String, hits: &[SearchHit]) -> String {
    let pieces = hits.iter().flat_map(|hit| &hit.matches).flat_map(|m| &m.pieces).filter(|p| p.marked);
    let mut spelt = pieces.map(|p| p.text.to_lowercase()).filter(|text| fold(text) == word);
    spelt.next().unwrap_or(word)
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

fn no_query() -> Refusal {
    let (da, en) = ("der er intet at søge efter", "there is nothing to search for");
    Refusal::new(Code::InvalidParameter, da, en).at(Place::field("q")).allowed(["q=hjemmehjælp"])
}

fn no_order() -> Refusal {
    let (da, en) = ("forslag har deres egen rækkefølge", "suggestions have an order of their own");
    Refusal::new(Code::InvalidParameter, da, en).at(Place::field("sort")).allowed(["no sort"])
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
