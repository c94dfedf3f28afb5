//! The index: which contents have which words and keys. A content of a concept is written once and never changed;
//! when it holds is a matter of the planes, so that one index serves every point of the two times.

use std::collections::BTreeMap;
use std::sync::Arc;

use tantivy::directory::RamDirectory;
use tantivy::index::SegmentId;
use tantivy::schema::{FAST, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{TextAnalyzer, WhitespaceTokenizer};
use tantivy::{DocSet, Index, IndexSettings, IndexWriter, Searcher, TERMINATED, TantivyDocument, Term};

use uuid::Uuid;

use super::fold::{code_key, name_key, words};
use super::lexicon::{Count, Counts, place, token};
use crate::model::{Code, Content, Refusal, Result, TermStatus};
use crate::projection::Map;

/// The longest beginning of a name that is indexed by itself, in characters; names with a longer one stand together among
/// the keys.
pub const LONGEST_START: usize = 10;
/// The longest key that is indexed, in bytes.
const LONGEST_KEY: usize = 400;
/// More new contents than this are written by two threads.
const MANY: usize = 20_000;

/// The kinds of key, each a letter before a colon.
pub mod kind {
    /// A preferred term.
    pub const PREFERRED: char = 'p';
    /// An admitted or deprecated term.
    pub const OTHER: char = 'o';
    /// A hidden term.
    pub const HIDDEN: char = 'h';
    /// A notation or an alias.
    pub const CODE: char = 'c';
    /// What follows the first word of a preferred term.
    pub const LATER: char = 'l';
    /// What follows the first word of another term, or the first part of a notation.
    pub const LATER_OTHER: char = 'm';
    /// A notation or an alias that is a uuid: nobody begins to type one.
    pub const UUID: char = 'u';
    /// The paragraph in a term or a notation: what follows its last paragraph sign.
    pub const PARAGRAPH: char = 'g';
    /// A facet.
    pub const FACET: char = 'f';
    /// A language that the concept has a term in.
    pub const LANGUAGE: char = 's';
    /// What the concept is mapped to: an IRI, and the namespace that it stands in.
    pub const MAPPING: char = 'x';
}

#[derive(Clone, Copy)]
struct Fields {
    number: Field,
    key: Field,
    start: Field,
    places: [Field; 4],
}

/// The index as it is written; what is read of it is a [`Shelf`].
pub struct Writing {
    index: Index,
    fields: Fields,
}

/// A content that is to be indexed.
pub struct Page {
    /// Its number.
    pub number: u32,
    /// What it says.
    pub content: Content,
}

fn broken(what: &tantivy::TantivyError) -> Refusal {
    Refusal::new(
        Code::Internal,
        format!("søgeindekset kunne ikke bygges: {what}"),
        format!("the search index could not be built: {what}"),
    )
}

impl Writing {
    /// An empty index.
    ///
    /// # Errors
    /// [`Code::Internal`].
    pub fn new() -> Result<Self> {
        let mut schema = Schema::builder();
        let text = |record| {
            let indexing =
                TextFieldIndexing::default().set_tokenizer("spaced").set_index_option(record).set_fieldnorms(false);
            TextOptions::default().set_indexing_options(indexing)
        };
        let keys = text(IndexRecordOption::Basic);
        let words = text(IndexRecordOption::WithFreqsAndPositions);
        let fields = Fields {
            number: schema.add_u64_field("number", FAST),
            key: schema.add_text_field("key", keys.clone()),
            start: schema.add_text_field("start", keys),
            places: ["preferred", "other", "definition", "note"].map(|name| schema.add_text_field(name, words.clone())),
        };
        let directory = RamDirectory::create();
        let index = Index::create(directory, schema.build(), IndexSettings::default()).map_err(|e| broken(&e))?;
        index.tokenizers().register("spaced", TextAnalyzer::from(WhitespaceTokenizer::default()));
        Ok(Self { index, fields })
    }

    /// Writes new contents; answers how often their words stand where.
    ///
    /// # Errors
    /// [`Code::Internal`]; nothing is added then.
    pub fn add(&self, pages: &(dyn Fn(usize) -> Page + Sync), count: usize) -> Result<BTreeMap<Box<str>, Counts>> {
        let threads = if count > MANY { 2 } else { 1 };
        let memory = if count > MANY { 96 << 20 } else { 16 << 20 };
        let writer: IndexWriter =
            self.index.writer_with_num_threads(threads, memory * threads).map_err(|e| broken(&e))?;
        let part = |from: usize| -> Result<BTreeMap<Box<str>, Counts>> {
            let mut seen = BTreeMap::new();
            for i in (from..count).step_by(threads) {
                let page = pages(i);
                writer.add_document(self.document(&page, &mut seen)).map_err(|e| broken(&e))?;
            }
            Ok(seen)
        };
        let seen = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|from| scope.spawn(move || part(from))).collect();
            let mut seen = part(0)?;
            for other in others {
                merge(&mut seen, other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok(seen)
        })?;
        let mut writer = writer;
        writer.commit().map_err(|e| broken(&e))?;
        writer.wait_merging_threads().map_err(|e| broken(&e))?;
        Ok(seen)
    }

    fn document(&self, page: &Page, seen: &mut BTreeMap<Box<str>, Counts>) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_u64(self.fields.number, u64::from(page.number));
        let content = page.content.fields();
        let mut places: Vec<(u8, &str, &str)> = Vec::new();
        for term in &content.terms {
            let (place, kind, later) = match term.status {
                TermStatus::Preferred => (place::PREFERRED, kind::PREFERRED, Some(kind::LATER)),
                TermStatus::Admitted | TermStatus::Deprecated => (place::OTHER, kind::OTHER, Some(kind::LATER_OTHER)),
                TermStatus::Hidden => (place::OTHER, kind::HIDDEN, None),
            };
            let language = term.language.primary();
            places.push((place, language, &term.value));
            let name = name_key(&term.value);
            self.add_key(&mut document, kind, language, &name);
            if let Some(later) = later {
                self.add_starts(&mut document, kind, later, language, &name);
            }
            self.add_key(&mut document, kind::LANGUAGE, "", language);
            self.add_paragraph(&mut document, &term.value);
        }
        let codes = content.notation.iter().map(String::as_str).chain(content.aliases.iter().map(|a| a.value.as_str()));
        for (i, code) in codes.enumerate() {
            // Its digits would answer those who begin to type a paragraph.
            let is_uuid = is_uuid(code);
            let kind = if is_uuid { kind::UUID } else { kind::CODE };
            self.add_key(&mut document, kind, "", &code_key(code));
            let is_notation = i == 0 && content.notation.is_some() && !is_uuid;
            if is_notation {
                self.add_paragraph(&mut document, code);
                self.add_starts(&mut document, kind::CODE, kind::LATER_OTHER, "", &code_key(code));
            }
            // A code that is written as words is found by its words: `SEL § 83 a` by `§ 83 a`.
            if code.contains(' ') {
                places.push((place::OTHER, "da", code));
                if is_notation {
                    let name = name_key(code);
                    let later = name.split_once('_').map_or("", |(_, later)| later);
                    self.add_start(&mut document, kind::LATER_OTHER, "da", later);
                    self.add_key(&mut document, kind::LATER_OTHER, "da", later);
                }
            }
        }
        places.extend(content.definitions.iter().map(|d| (place::DEFINITION, d.language.primary(), d.text.as_str())));
        places.extend(content.notes.iter().map(|n| (place::NOTE, n.language.primary(), n.text.as_str())));
        let laws: Vec<String> = content
            .legal_basis
            .iter()
            .map(|l| format!("{} {}", l.law, l.paragraph.as_deref().unwrap_or_default()))
            .collect();
        places.extend(laws.iter().map(|law| (place::NOTE, "da", law.as_str())));
        self.add_words(&mut document, &places, seen);
        if let Some(facet) = &content.facet {
            self.add_key(&mut document, kind::FACET, "", &name_key(facet));
        }
        for mapping in &content.mappings {
            let target = mapping.target.as_str();
            self.add_key(&mut document, kind::MAPPING, "", target);
            if let Some(end) = target.rfind(['/', '#']) {
                self.add_key(&mut document, kind::MAPPING, "", &target[..end]);
            }
        }
        document
    }

    fn add_key(&self, document: &mut TantivyDocument, kind: char, language: &str, key: &str) {
        if let Some(key) = key_token(kind, language, key) {
            document.add_text(self.fields.key, key);
        }
    }

    fn add_paragraph(&self, document: &mut TantivyDocument, text: &str) {
        if let Some((_, paragraph)) = text.rsplit_once('§') {
            self.add_key(document, kind::PARAGRAPH, "", &code_key(paragraph));
        }
    }

    /// The beginnings of a name and of what follows each of its words.
    fn add_starts(&self, document: &mut TantivyDocument, first: char, later: char, language: &str, name: &str) {
        self.add_start(document, first, language, name);
        for (i, _) in name.match_indices('_') {
            self.add_start(document, later, language, &name[i + 1..]);
            self.add_key(document, later, language, &name[i + 1..]);
        }
    }

    fn add_start(&self, document: &mut TantivyDocument, kind: char, language: &str, name: &str) {
        let ends = name.char_indices().skip(1).map(|(i, _)| i).chain([name.len()]);
        let mut all = String::new();
        for end in ends.take(LONGEST_START).filter(|end| *end > 0 && !name[..*end].ends_with('_')) {
            if let Some(key) = key_token(kind, language, &name[..end]) {
                all.push_str(&key);
                all.push(' ');
            }
        }
        if !all.is_empty() {
            document.add_text(self.fields.start, all);
        }
    }

    /// The words of all texts; each text a value of its own, so that a phrase does not reach from one into the next.
    fn add_words(
        &self,
        document: &mut TantivyDocument,
        places: &[(u8, &str, &str)],
        seen: &mut BTreeMap<Box<str>, Counts>,
    ) {
        let mut counted: Map<(&str, String), u8> = Map::default();
        for (place, language, text) in places {
            let alone = *place == place::PREFERRED && words(text).nth(1).is_none();
            let mut tokens = String::with_capacity(text.len() * 2);
            for word in words(text) {
                let folded = word.folded();
                tokens.push_str(&token(language, &folded));
                tokens.push(' ');
                let is_word = !folded.bytes().any(|b| b.is_ascii_digit());
                if is_word && folded.len() <= LONGEST_KEY {
                    let counts = counted.entry((language, folded)).or_insert_with_key(|(_, folded)| {
                        if !seen.contains_key(*language) {
                            seen.insert((*language).into(), Counts::default());
                        }
                        let counts = seen.get_mut(*language).expect("it was just put there");
                        if let Some(count) = counts.get_mut(&**folded) {
                            count.documents += 1;
                        } else {
                            let plain = word.text.to_lowercase().into();
                            counts.insert(folded.as_str().into(), Count { plain, documents: 1, places: 0 });
                        }
                        0
                    });
                    *counts |= place | if alone { place::ALONE } else { 0 };
                }
            }
            let at = place::ALL.iter().position(|p| p == place).unwrap_or_default();
            document.add_text(self.fields.places[at], tokens);
        }
        for ((language, folded), places) in counted {
            if let Some(count) = seen.get_mut(language).and_then(|counts| counts.get_mut(&*folded)) {
                count.places |= places;
            }
        }
    }

    /// What can be read of the index now; what `previous` has read already is taken over.
    ///
    /// # Errors
    /// [`Code::Internal`].
    pub fn shelf(&self, previous: Option<&Shelf>) -> Result<Shelf> {
        let reader = self
            .index
            .reader_builder()
            .reload_policy(tantivy::ReloadPolicy::Manual)
            .try_into()
            .map_err(|e| broken(&e))?;
        let reader: tantivy::IndexReader = reader;
        let searcher = reader.searcher();
        let mut numbers = Vec::new();
        for segment in searcher.segment_readers() {
            let id = segment.segment_id();
            let known = previous.and_then(|p| p.numbers.iter().find(|(known, _)| *known == id));
            let list = match known {
                Some((_, list)) => list.clone(),
                None => {
                    let column = segment.fast_fields().u64("number").map_err(|e| broken(&e))?;
                    (0..segment.max_doc()).map(|doc| column.first(doc).unwrap_or_default() as u32).collect()
                }
            };
            numbers.push((id, list));
        }
        Ok(Shelf { searcher, numbers, fields: self.fields })
    }
}

/// Adds counts to counts.
pub fn merge(into: &mut BTreeMap<Box<str>, Counts>, from: BTreeMap<Box<str>, Counts>) {
    for (language, counts) in from {
        let known = into.entry(language).or_default();
        for (folded, count) in counts {
            match known.get_mut(&folded) {
                Some(known) => {
                    known.documents += count.documents;
                    known.places |= count.places;
                }
                None => drop(known.insert(folded, count)),
            }
        }
    }
}

/// Whether a code is a uuid, with hyphens or low lines.
fn is_uuid(code: &str) -> bool {
    Uuid::try_parse(&code.replace('_', "-")).is_ok()
}

/// A key as the index has it.
fn key_token(kind: char, language: &str, key: &str) -> Option<String> {
    let key: String = key.split_whitespace().collect();
    (!key.is_empty() && key.len() <= LONGEST_KEY).then(|| format!("{kind}{language}:{key}"))
}

/// The index as it was at one moment: the same for whoever holds it.
#[derive(Clone)]
pub struct Shelf {
    searcher: Searcher,
    /// For each segment, the numbers of its contents.
    numbers: Vec<(SegmentId, Arc<[u32]>)>,
    fields: Fields,
}

impl Shelf {
    fn each(&self, field: Field, token: &str, record: IndexRecordOption, found: &mut dyn FnMut(u32)) -> Option<()> {
        let term = Term::from_field_text(field, token);
        for (segment, (_, numbers)) in self.searcher.segment_readers().iter().zip(&self.numbers) {
            let index = segment.inverted_index(field).ok()?;
            let Some(mut postings) = index.read_postings(&term, record).ok()? else { continue };
            let mut doc = postings.doc();
            while doc != TERMINATED {
                found(numbers[doc as usize]);
                doc = postings.advance();
            }
        }
        Some(())
    }

    /// The contents that have a word in a place.
    pub fn with_word(&self, place: u8, token: &str, found: &mut dyn FnMut(u32)) {
        let Some(at) = place::ALL.iter().position(|p| *p == place) else { return };
        let _ = self.each(self.fields.places[at], token, IndexRecordOption::Basic, found);
    }

    /// The contents that have some words one after another in a place.
    pub fn with_phrase(&self, place: u8, tokens: &[String], found: &mut dyn FnMut(u32)) {
        if let [token] = tokens {
            self.with_word(place, token, found);
            return;
        }
        let Some(at) = place::ALL.iter().position(|p| *p == place) else { return };
        let terms = tokens.iter().map(|t| Term::from_field_text(self.fields.places[at], t)).collect();
        let phrase = tantivy::query::PhraseQuery::new(terms);
        let scoring = tantivy::query::EnableScoring::disabled_from_searcher(&self.searcher);
        let Ok(weight) = tantivy::query::Query::weight(&phrase, scoring) else { return };
        for (segment, (_, numbers)) in self.searcher.segment_readers().iter().zip(&self.numbers) {
            let Ok(mut scorer) = weight.scorer(segment, 1.0) else { continue };
            while scorer.doc() != TERMINATED {
                found(numbers[scorer.doc() as usize]);
                scorer.advance();
            }
        }
    }

    /// The contents that have a key.
    pub fn with_key(&self, kind: char, language: &str, key: &str, found: &mut dyn FnMut(u32)) {
        if let Some(token) = key_token(kind, language, key) {
            let _ = self.each(self.fields.key, &token, IndexRecordOption::Basic, found);
        }
    }

    /// The contents of which a name of a kind begins so.
    pub fn with_start(&self, kind: char, language: &str, start: &str, found: &mut dyn FnMut(u32)) {
        let Some(token) = key_token(kind, language, start) else { return };
        if start.chars().nth(LONGEST_START).is_none() {
            let _ = self.each(self.fields.start, &token, IndexRecordOption::Basic, found);
        } else {
            let _ = self.range(&token, usize::MAX, &mut |number| {
                found(number);
                true
            });
        }
    }

    /// The first codes that begin so, as they sort: of each segment as many as `found` takes until it says that they
    /// are enough.
    pub fn first_codes(&self, start: &str, most: usize, found: &mut dyn FnMut(u32) -> bool) {
        if let Some(token) = key_token(kind::CODE, "", start) {
            let _ = self.range(&token, most, found);
        }
    }

    /// The contents with a key that begins so, until `most` of a segment are taken: keys stand sorted, so that it costs
    /// what it finds.
    fn range(&self, start: &str, most: usize, found: &mut dyn FnMut(u32) -> bool) -> Option<()> {
        // No key holds this byte, so that it comes after every key that begins so.
        let after = [start.as_bytes(), &[0xff]].concat();
        for (segment, (_, numbers)) in self.searcher.segment_readers().iter().zip(&self.numbers) {
            let index = segment.inverted_index(self.fields.key).ok()?;
            let mut terms = index.terms().range().ge(start).lt(&after).into_stream().ok()?;
            let mut taken = 0;
            while taken < most && terms.advance() {
                let mut postings = index.read_postings_from_terminfo(terms.value(), IndexRecordOption::Basic).ok()?;
                let mut doc = postings.doc();
                while doc != TERMINATED {
                    taken += usize::from(found(numbers[doc as usize]));
                    doc = postings.advance();
                }
            }
        }
        Some(())
    }
}
