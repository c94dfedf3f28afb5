//! From bytes to triples grouped by subject, in one pass; and what is refused before or during it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use oxrdf::{BlankNode, GraphName, NamedNode, NamedOrBlankNode, Quad, Term as Node};
use oxrdfio::{RdfParser, RdfSyntaxError};
use quick_xml::events::Event;

use super::super::{Format, Loss, utf8};
use super::syntax;
use crate::model::{Code, Place, Refusal, Result};

/// The most triples that are taken in.
const MOST_TRIPLES: u64 = 50_000_000;

/// The longest value of an XML entity: a namespace fits, a bomb does not.
const LONGEST_ENTITY: usize = 256;

/// How many bytes all entities of a file may expand to, besides eight times its size.
const MOST_EXPANSION: usize = 64 << 20;

/// What could not be taken over, counted by kind.
#[derive(Default)]
pub(super) struct Losses(pub(super) Vec<Loss>);

impl Losses {
    /// Counts one; the kinds are few.
    pub(super) fn add(&mut self, what: &str, why: &str) {
        match self.0.iter_mut().find(|l| l.what == what && l.why == why) {
            Some(loss) => loss.count += 1,
            None => self.0.push(Loss { what: what.to_owned(), why: why.to_owned(), count: 1 }),
        }
    }
}

/// A subject with its triples, in the order of the file.
pub(super) struct Subject {
    /// The subject itself.
    pub(super) name: NamedOrBlankNode,
    /// Its triples.
    pub(super) triples: Vec<(NamedNode, Node)>,
}

impl Subject {
    /// Whether it has a triple.
    pub(super) fn has(&self, predicate: &str, object: &str) -> bool {
        self.triples.iter().any(|(p, o)| p.as_str() == predicate && is_iri(o, object))
    }

    /// Whether it has a triple with the predicate.
    pub(super) fn says(&self, predicate: &str) -> bool {
        self.triples.iter().any(|(p, _)| p.as_str() == predicate)
    }

    /// Its IRI; of a blank node the label.
    pub(super) fn iri(&self) -> &str {
        match &self.name {
            NamedOrBlankNode::NamedNode(n) => n.as_str(),
            NamedOrBlankNode::BlankNode(b) => b.as_str(),
        }
    }
}

/// Whether a node is the IRI.
pub(super) fn is_iri(node: &Node, iri: &str) -> bool {
    matches!(node, Node::NamedNode(n) if n.as_str() == iri)
}

/// The triples of a file.
#[derive(Default)]
pub(super) struct Graph {
    /// The subjects, in the order in which they first appear.
    pub(super) subjects: Vec<Subject>,
    index: HashMap<NamedOrBlankNode, usize>,
    references: HashMap<BlankNode, u32>,
}

impl Graph {
    /// Parses a file.
    pub(super) fn parse(format: Format, bytes: &[u8], losses: &mut Losses) -> Result<Self> {
        let text = utf8(bytes)?;
        if format == Format::Rdf {
            refuse_entities(text)?;
        }
        match format {
            // The parser takes the end of the file for the end of the document.
            Format::Rdf => whole_xml(text.as_bytes())?,
            // The parser descends into JSON by calling itself.
            Format::Jsonld => shallow_json(text.as_bytes())?,
            _ => {}
        }
        let remote = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&remote);
        let parser = RdfParser::from_format(syntax(format)).for_slice(text).with_document_loader(move |_| {
            asked.store(true, Ordering::Relaxed);
            Err("remote contexts are not fetched".into())
        });
        let mut graph = Self::default();
        let mut count = 0;
        for quad in parser {
            let quad = quad.map_err(|e| refusal(&e, remote.load(Ordering::Relaxed)))?;
            count += 1;
            if count > MOST_TRIPLES {
                return Err(Refusal::new(
                    Code::TooLarge,
                    "filen har mere end 50 millioner tripler",
                    "the file has more than 50 million triples",
                ));
            }
            if quad.graph_name == GraphName::DefaultGraph {
                graph.insert(quad);
            } else {
                losses.add("triple of a named graph", "only the default graph is read");
            }
        }
        Ok(graph)
    }

    fn insert(&mut self, quad: Quad) {
        if let Node::BlankNode(blank) = &quad.object {
            match self.references.get_mut(blank) {
                Some(count) => *count = count.saturating_add(1),
                None => drop(self.references.insert(blank.clone(), 1)),
            }
        }
        let triple = (quad.predicate, quad.object);
        // Files tell one subject at a time.
        if let Some(last) = self.subjects.last_mut()
            && last.name == quad.subject
        {
            last.triples.push(triple);
            return;
        }
        if let Some(&at) = self.index.get(&quad.subject) {
            self.subjects[at].triples.push(triple);
            return;
        }
        self.index.insert(quad.subject.clone(), self.subjects.len());
        self.subjects.push(Subject { name: quad.subject, triples: vec![triple] });
    }

    /// Where a node stands among the subjects.
    pub(super) fn find(&self, node: &Node) -> Option<usize> {
        match node {
            Node::NamedNode(n) => self.index.get(&NamedOrBlankNode::from(n.clone())).copied(),
            Node::BlankNode(b) => self.index.get(&NamedOrBlankNode::from(b.clone())).copied(),
            Node::Literal(_) => None,
        }
    }

    /// How many triples have a blank node as their object.
    pub(super) fn references(&self, blank: &BlankNode) -> u32 {
        self.references.get(blank).copied().unwrap_or(0)
    }
}

/// The deepest JSON or XML that is taken in. RDF is flat: what is nested deeper says nothing more.
const DEEPEST_NESTING: usize = 200;

fn too_deep() -> Refusal {
    Refusal::new(
        Code::TooDeep,
        format!("filen er indlejret dybere end {DEEPEST_NESTING} niveauer"),
        format!("the file is nested deeper than {DEEPEST_NESTING} levels"),
    )
}

/// Every element that begins also ends, and something was there.
fn whole_xml(text: &[u8]) -> Result<()> {
    let mut reader = quick_xml::Reader::from_reader(text);
    let (mut depth, mut elements) = (0usize, 0u64);
    loop {
        let line = |at: u64| {
            let before = &text[..usize::try_from(at).unwrap_or(text.len()).min(text.len())];
            Place { line: Some(before.iter().filter(|b| **b == b'\n').count() as u64 + 1), ..Place::default() }
        };
        match reader.read_event() {
            Ok(Event::Start(_)) => {
                depth += 1;
                elements += 1;
                if depth > DEEPEST_NESTING {
                    return Err(too_deep().at(line(reader.buffer_position())));
                }
            }
            Ok(Event::Empty(_)) => elements += 1,
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Eof) if depth == 0 && elements > 0 => return Ok(()),
            Ok(Event::Eof) => {
                let (da, en) = ("filen slutter, før dokumentet gør", "the file ends before the document does");
                return Err(Refusal::new(Code::Syntax, da, en).at(line(text.len() as u64)));
            }
            Ok(_) => {}
            Err(e) => {
                let at = reader.error_position();
                let (da, en) = (format!("filen er ikke XML: {e}"), format!("the file is not XML: {e}"));
                return Err(Refusal::new(Code::Syntax, da, en).at(line(at)));
            }
        }
    }
}

/// No object or array lies deeper than [`DEEPEST_NESTING`]; what is no JSON at all is the parser's to refuse.
fn shallow_json(text: &[u8]) -> Result<()> {
    let (mut depth, mut in_string, mut escaped, mut line) = (0usize, false, false, 1u64);
    for byte in text {
        match byte {
            b'\n' => line += 1,
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST_NESTING {
            return Err(too_deep().at(Place { line: Some(line), ..Place::default() }));
        }
    }
    Ok(())
}

fn refusal(error: &RdfSyntaxError, remote: bool) -> Refusal {
    let message = error.to_string();
    // A relative reference fails before it is asked for.
    if remote || message.starts_with("Invalid remote context URL") {
        return Refusal::new(
            Code::Forbidden,
            "filen henviser til en JSON-LD-kontekst på nettet; den bliver ikke hentet",
            "the file refers to a JSON-LD context on the net; it is not fetched",
        )
        .at(Place::field("@context"))
        .allowed(["a context inside the file"]);
    }
    // The parser of RDF/XML says so when the declaration names another encoding.
    if message.starts_with("Only UTF-8") {
        return Refusal::new(Code::Encoding, "filen er ikke UTF-8", "the file is not UTF-8").allowed(["UTF-8"]);
    }
    let refusal = Refusal::new(
        Code::Syntax,
        format!("filen kan ikke læses: {message}"),
        format!("the file cannot be read: {message}"),
    );
    match error.location() {
        Some(at) => refusal.at(Place::line(at.start.line + 1, at.start.column + 1)),
        None => refusal,
    }
}

/// Refuses entities that reach out of the file or blow it up; the plain kind that abbreviates namespaces
/// passes. Looks at every declaration, wherever it stands, so that no comment or attribute can hide one.
fn refuse_entities(text: &str) -> Result<()> {
    const DECLARATION: &str = "<!ENTITY";
    let mut lengths: HashMap<&str, usize> = HashMap::new();
    for (at, _) in text.match_indices(DECLARATION) {
        let (name, value) = plain_entity(&text[at + DECLARATION.len()..]).ok_or_else(|| forbidden(text, at))?;
        let longest = lengths.entry(name).or_insert(0);
        *longest = value.len().max(*longest);
    }
    if lengths.is_empty() {
        return Ok(());
    }
    let bound = MOST_EXPANSION.saturating_add(text.len().saturating_mul(8));
    let mut expansion = 0_usize;
    for (at, _) in text.match_indices('&') {
        let name = text[at + 1..].split(|c: char| c == ';' || c.is_whitespace() || c == '<').next().unwrap_or_default();
        expansion = expansion.saturating_add(lengths.get(name).copied().unwrap_or(0));
        if expansion > bound {
            return Err(forbidden(text, at));
        }
    }
    Ok(())
}

/// Name and value of an entity, when the value is short, stands in quotes and refers to nothing.
fn plain_entity(declaration: &str) -> Option<(&str, &str)> {
    let (name, rest) = declaration.trim_start().split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    // The value ends nearby, or it is too long: a file of openings must not be searched to its end each time.
    let rest = &rest.as_bytes()[1..];
    let end = rest.iter().take(LONGEST_ENTITY + 1).position(|b| *b == quote as u8)?;
    let value = std::str::from_utf8(&rest[..end]).ok()?;
    (!name.starts_with('%') && !value.contains(['&', '%', '<'])).then_some((name, value))
}

fn forbidden(text: &str, at: usize) -> Refusal {
    let before = &text.as_bytes()[..at];
    let line = before.iter().filter(|b| **b == b'\n').count() as u64 + 1;
    let column = before.iter().rev().take_while(|b| **b != b'\n').count() as u64 + 1;
    Refusal::new(
        Code::Forbidden,
        "filen erklærer XML-entiteter, der henviser til andet eller udvider sig",
        "the file declares XML entities that refer to something else or blow it up",
    )
    .at(Place::line(line, column))
    .allowed(["<!ENTITY name \"namespace\">"])
}
