//! From subjects to concepts.

use std::collections::{HashMap, HashSet};

use oxrdf::{Literal, NamedOrBlankNode, Term as Node};
use uuid::Uuid;

use super::super::{Format, Incoming, IncomingConcept, Key, ReadOptions};
use super::frame::Scheme;
use super::graph::{Graph, Losses, is_iri};
use super::node::{is_plain, mapping_kind, merge_terms, note_kind, plain, reference, second_preferred};
use super::relations::Link;
use super::statements::Keeper;
use super::vocab::{adms, begreb, dct, euvoc, mdl, rdf, skos, skosxl};
use crate::model::{
    Alias, Code, ContentFields, Definition, Language, Mapping, Note, Place, Refusal, Result, Term, TermStatus, Text,
};

/// Reads an edition from RDF.
///
/// # Errors
/// [`Code::Syntax`], [`Code::Encoding`], [`Code::Forbidden`], [`Code::TooLarge`]; [`Code::Incomplete`] when
/// there is no concept; [`Code::PreferredTerm`], [`Code::InvalidLanguage`] and [`Code::InvalidText`] with the
/// IRI of the concept.
pub(in crate::exchange) fn read(format: Format, bytes: &[u8], options: &ReadOptions) -> Result<Incoming> {
    let mut losses = Losses::default();
    let graph = Graph::parse(format, bytes, &mut losses)?;
    let mut reader = Reader::new(&graph, options, losses)?;
    let mut drafts = Vec::with_capacity(reader.concepts.len());
    for number in 0..reader.concepts.len() {
        drafts.push(reader.concept(number)?);
    }
    reader.finish(drafts)
}

/// What is known while a file is read.
pub(super) struct Reader<'g> {
    /// The triples.
    pub(super) graph: &'g Graph,
    /// What the reader was told.
    pub(super) options: &'g ReadOptions,
    /// What could not be taken over.
    pub(super) losses: Losses,
    /// Of each subject: its number, when it is a concept.
    pub(super) number: Vec<Option<usize>>,
    /// Of each concept: the subject.
    concepts: Vec<usize>,
    /// Of each subject: whether all of it has a field, or is kept with a concept.
    pub(super) used: Vec<bool>,
    /// The scheme.
    pub(super) scheme: Scheme<'g>,
    /// The relations, whichever end says them.
    pub(super) links: Vec<Link>,
    languages: HashMap<String, Language>,
}

/// A concept that is being read.
pub(super) struct Draft<'g> {
    /// Its number.
    pub(super) number: usize,
    /// Its IRI.
    pub(super) iri: &'g str,
    uuid: Option<Uuid>,
    /// What is said of it.
    pub(super) fields: ContentFields<Key>,
    notations: Vec<&'g Literal>,
    /// Which definition there is for a language and an audience.
    defined: HashMap<(Language, Option<String>), usize>,
    /// The texts of the definitions.
    texts: HashSet<(Language, String)>,
    /// Whether `euvoc` dates are the registry's own, to be dropped.
    own_dates: bool,
    /// The triples without a field, by position.
    kept: Vec<usize>,
}

impl Draft<'_> {
    fn place(&self) -> Place {
        Place::field(self.iri)
    }
}

impl<'g> Reader<'g> {
    fn new(graph: &'g Graph, options: &'g ReadOptions, losses: Losses) -> Result<Self> {
        let mut number = vec![None; graph.subjects.len()];
        let mut concepts = Vec::new();
        for (at, subject) in graph.subjects.iter().enumerate() {
            let looks_like_one = subject.says(skos::PREF_LABEL)
                && [skos::IN_SCHEME, skos::TOP_CONCEPT_OF, skos::BROADER].iter().any(|p| subject.says(p));
            if subject.has(rdf::TYPE, skos::CONCEPT) || looks_like_one && !subject.has(rdf::TYPE, skos::CONCEPT_SCHEME)
            {
                number[at] = Some(concepts.len());
                concepts.push(at);
            }
        }
        if concepts.is_empty() {
            return Err(Refusal::new(
                Code::Incomplete,
                "filen indeholder ingen begreber (skos:Concept)",
                "the file holds no concepts (skos:Concept)",
            ));
        }
        let scheme = Scheme::choose(graph, &concepts);
        let used = vec![false; graph.subjects.len()];
        Ok(Self {
            graph,
            options,
            losses,
            number,
            concepts,
            used,
            scheme,
            links: Vec::new(),
            languages: HashMap::new(),
        })
    }

    /// Reads one concept; relations are collected in `links`, since the other end may say them.
    fn concept(&mut self, number: usize) -> Result<Draft<'g>> {
        let subject = &self.graph.subjects[self.concepts[number]];
        let mut d = Draft {
            number,
            iri: subject.iri(),
            uuid: None,
            fields: ContentFields::default(),
            notations: Vec::new(),
            defined: HashMap::new(),
            texts: HashSet::new(),
            own_dates: self.scheme.is_ours && !subject.says(begreb::KEEPS_DATES),
            kept: Vec::new(),
        };
        if matches!(subject.name, NamedOrBlankNode::NamedNode(_)) {
            d.uuid = self.uuid(d.iri);
            if d.uuid.is_none() {
                d.fields.aliases.push(Alias::plain(d.iri));
            }
        }
        // Definitions with a source first: the plain ones only repeat them.
        for sourced in [true, false] {
            for (at, (predicate, object)) in subject.triples.iter().enumerate() {
                let predicate = predicate.as_str();
                if (predicate == euvoc::XL_DEFINITION) == sourced && !self.triple(&mut d, predicate, object)? {
                    d.kept.push(at);
                }
            }
        }
        self.settle_terms(&mut d)?;
        settle_notations(&mut d);
        Ok(d)
    }

    /// The uuid that an IRI says outright: under the vocabulary's namespace, or under the scheme's IRI in a file
    /// that the registry wrote.
    pub(super) fn uuid(&self, iri: &str) -> Option<Uuid> {
        let own = self.options.namespace.as_deref().and_then(|namespace| iri.strip_prefix(namespace));
        let ours = self.scheme.iri.filter(|_| self.scheme.is_ours).and_then(|scheme| iri.strip_prefix(scheme));
        let own = own.or_else(|| ours.and_then(|rest| rest.strip_prefix(['/', '#'])));
        let written = own.or_else(|| iri.strip_prefix("urn:uuid:"))?;
        let uuid = Uuid::try_parse(written).ok()?;
        uuid.hyphenated().to_string().eq_ignore_ascii_case(written).then_some(uuid)
    }

    /// Takes one triple of a concept; `false` when it has no field.
    fn triple(&mut self, d: &mut Draft<'g>, predicate: &str, o: &'g Node) -> Result<bool> {
        Ok(match predicate {
            rdf::TYPE => is_iri(o, skos::CONCEPT),
            skos::IN_SCHEME | skos::TOP_CONCEPT_OF => self.scheme.iri.is_some_and(|iri| is_iri(o, iri)),
            skos::PREF_LABEL => self.label(d, TermStatus::Preferred, o)?,
            skos::ALT_LABEL => self.label(d, TermStatus::Admitted, o)?,
            skos::HIDDEN_LABEL => self.label(d, TermStatus::Hidden, o)?,
            mdl::DEPRECATED_LABEL => self.label(d, TermStatus::Deprecated, o)?,
            skosxl::PREF_LABEL => self.xl_label(d, TermStatus::Preferred, o)?,
            skosxl::ALT_LABEL => self.xl_label(d, TermStatus::Admitted, o)?,
            skosxl::HIDDEN_LABEL => self.xl_label(d, TermStatus::Hidden, o)?,
            begreb::DEPRECATED_XL_LABEL => self.xl_label(d, TermStatus::Deprecated, o)?,
            skos::DEFINITION => self.definition(d, o)?,
            euvoc::XL_DEFINITION => self.xl_definition(d, o)?,
            skos::NOTATION => notation(d, o),
            dct::IDENTIFIER => alias(d, o),
            adms::IDENTIFIER if self.satellite(o).is_some() => self.alias_node(d, o),
            // It is written with Dublin Core's property, so the triple itself is kept.
            adms::IDENTIFIER => {
                alias(d, o);
                false
            }
            dct::SUBJECT => self.text(d, o)?.map(|text| d.fields.subject_fields.push(text)).is_some(),
            mdl::LEGAL_SOURCE => self.legal_basis(d, o),
            begreb::FACET => facet(d, o),
            begreb::KEEPS_DATES => self.scheme.is_ours,
            euvoc::START_DATE | euvoc::END_DATE => d.own_dates,
            _ => return self.note_or_relation(d, predicate, o),
        })
    }

    fn note_or_relation(&mut self, d: &mut Draft<'g>, predicate: &str, o: &'g Node) -> Result<bool> {
        if let Some(kind) = note_kind(predicate) {
            let text = self.text(d, o)?;
            return Ok(text.map(|t| d.fields.notes.push(Note { kind, language: t.language, text: t.text })).is_some());
        }
        if let Some(kind) = mapping_kind(predicate) {
            let target = reference(o).filter(|_| matches!(o, Node::NamedNode(_)) || plain(o).is_some());
            return Ok(target.map(|target| d.fields.mappings.push(Mapping { kind, target })).is_some());
        }
        self.relation(d, predicate, o)
    }

    /// A text with its language; nothing for what is no text, or an empty one.
    pub(super) fn text_at(&mut self, iri: &str, o: &Node) -> Result<Option<Text>> {
        let Node::Literal(literal) = o else { return Ok(None) };
        let trimmed = literal.value().trim();
        let language = match literal.language() {
            _ if trimmed.is_empty() => return Ok(None),
            Some(tag) => self.language(tag).map_err(|r| r.at(Place::field(iri)))?,
            None if !is_plain(literal) => return Ok(None),
            None => {
                let language = self.options.language.clone();
                self.losses.add("text without a language", &format!("it is taken to be in {language}"));
                language
            }
        };
        if trimmed.len() != literal.value().len() {
            self.losses.add("white space around a text", "texts are kept without it");
        }
        Text::new(language, trimmed).map(Some).map_err(|r| r.at(Place::field(iri)))
    }

    /// The language of a tag; a file has few, each many times.
    fn language(&mut self, tag: &str) -> Result<Language> {
        if let Some(language) = self.languages.get(tag) {
            return Ok(language.clone());
        }
        let language: Language = tag.parse()?;
        self.languages.insert(tag.to_owned(), language.clone());
        Ok(language)
    }

    /// The same, of a concept.
    pub(super) fn text(&mut self, d: &Draft<'g>, o: &Node) -> Result<Option<Text>> {
        self.text_at(d.iri, o)
    }

    fn label(&mut self, d: &mut Draft<'g>, status: TermStatus, o: &Node) -> Result<bool> {
        let Some(text) = self.text(d, o)? else { return Ok(false) };
        d.fields.terms.push(Term::plain(text.language, status, text.text));
        Ok(true)
    }

    fn definition(&mut self, d: &mut Draft<'g>, o: &Node) -> Result<bool> {
        let Some(Text { language, text }) = self.text(d, o)? else { return Ok(false) };
        let key = (language, text);
        if d.texts.contains(&key) {
            return Ok(true);
        }
        let taken = define(d, Definition::plain(key.0, key.1));
        if !taken {
            self.losses.add("second definition in one language", "the triple is kept as a statement");
        }
        Ok(taken)
    }

    fn settle_terms(&mut self, d: &mut Draft<'g>) -> Result<()> {
        if merge_terms(&mut d.fields.terms) {
            self.losses
                .add("label given twice", "a term has one status, form and source in a language; the first is kept");
        }
        match second_preferred(&d.fields.terms) {
            None => Ok(()),
            Some(term) => Err(Refusal::new(
                Code::PreferredTerm,
                format!(
                    "begrebet {} har to foretrukne termer på {}: »{}« er den anden",
                    d.iri, term.language, term.value
                ),
                format!(
                    "the concept {} has two preferred terms in {}: '{}' is the second",
                    d.iri, term.language, term.value
                ),
            )
            .at(d.place())),
        }
    }

    /// How other concepts name a concept.
    pub(super) fn key(&self, number: usize) -> Key {
        let subject = &self.graph.subjects[self.concepts[number]];
        match &subject.name {
            NamedOrBlankNode::NamedNode(n) => Key(n.as_str().to_owned()),
            NamedOrBlankNode::BlankNode(_) => Key(format!("_:c{number}")),
        }
    }

    fn finish(mut self, mut drafts: Vec<Draft<'g>>) -> Result<Incoming> {
        self.settle_links(&mut drafts);
        let (mut frame, scheme_rest) = self.frame()?;
        frame.languages = languages(&drafts);
        let mut keeper = Keeper::new(self.graph, &self.number, std::mem::take(&mut self.used));
        let mut concepts = Vec::with_capacity(drafts.len());
        for d in drafts {
            let number = d.number;
            let place = d.place();
            let mut content = d.fields;
            content.statements = keeper.concept(self.concepts[number], &d.kept);
            let mut keys = vec![self.key(number)];
            keys.extend(d.uuid.map(|uuid| Key(uuid.to_string())).filter(|key| *key != keys[0]));
            concepts.push(IncomingConcept { keys, uuid: d.uuid, content, place });
        }
        let statements = keeper.document(self.scheme.at, &scheme_rest);
        Ok(Incoming { frame, concepts, statements, losses: self.losses.0 })
    }
}

/// The languages of what is said, most frequent first.
fn languages(drafts: &[Draft<'_>]) -> Vec<Language> {
    let mut counts: HashMap<&Language, usize> = HashMap::new();
    for d in drafts {
        let f = &d.fields;
        let terms = f.terms.iter().map(|t| &t.language);
        let texts = f.definitions.iter().map(|x| &x.language).chain(f.notes.iter().map(|n| &n.language));
        terms.chain(texts).for_each(|l| *counts.entry(l).or_default() += 1);
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    counts.into_iter().map(|(language, _)| language.clone()).collect()
}

/// Adds a definition, unless there is another for its language and audience.
pub(super) fn define(d: &mut Draft<'_>, new: Definition) -> bool {
    let key = (new.language.clone(), new.audience.clone());
    if let Some(at) = d.defined.get(&key) {
        return d.fields.definitions[*at] == new;
    }
    d.defined.insert(key, d.fields.definitions.len());
    d.texts.insert((new.language.clone(), new.text.clone()));
    d.fields.definitions.push(new);
    true
}

fn notation<'g>(d: &mut Draft<'g>, o: &'g Node) -> bool {
    match o {
        Node::Literal(l) if l.language().is_none() && !l.value().trim().is_empty() => d.notations.push(l),
        _ => return false,
    }
    true
}

/// The first notation, plain ones before typed ones, is the concept's own; a typed one is an alias besides,
/// and so are all others.
fn settle_notations(d: &mut Draft<'_>) {
    let mut notations = std::mem::take(&mut d.notations);
    notations.sort_by_key(|l| (!is_plain(l), l.value(), l.datatype().as_str()));
    for (i, literal) in notations.into_iter().enumerate() {
        if i == 0 {
            d.fields.notation = Some(literal.value().to_owned());
        }
        if i > 0 || !is_plain(literal) {
            let system = Some(literal.datatype().as_str().to_owned());
            d.fields.aliases.push(Alias { system, ..Alias::plain(literal.value()) });
        }
    }
}

/// A bare identifier; `false` when it would not be written so again.
fn alias(d: &mut Draft<'_>, o: &Node) -> bool {
    let tagged = matches!(o, Node::Literal(l) if l.language().is_some());
    if let Some(value) = reference(o).filter(|_| !tagged) {
        d.fields.aliases.push(Alias::plain(value));
    }
    plain(o).is_some()
}

fn facet(d: &mut Draft<'_>, o: &Node) -> bool {
    let Some(code) = plain(o).filter(|_| d.fields.facet.is_none()) else { return false };
    d.fields.facet = Some(code.to_owned());
    true
}
