//! A page of a Linked Data Event Stream (LDES 1.0, TREE): what was said of concepts, each time as an object of its own.
//!
//! A member is a concept as it was said at one position of the log: its triples are those of the exports, with the
//! member for the concept. What is retired is an `as:Delete`. Members of one transaction name it, and the last of them
//! says that it is the last.

use std::io::{self, BufWriter, Write};

use oxrdf::vocab::xsd;
use oxrdf::{
    BlankNode, Literal, NamedNodeRef, NamedOrBlankNode, NamedOrBlankNodeRef, Term as Node, TermRef, TripleRef,
};
use oxrdfio::RdfSerializer;

use super::super::{Format, Outgoing, OutgoingConcept};
use super::node::instant;
use super::syntax;
use super::vocab::{PREFIXES, activity, begreb, dct, euvoc, ldes, owl, rdf, skos, tree};
use super::write::{invalid, iri, literal, named_node, triples};
use crate::model::{ConceptChangeKind, Event, EventType, Instant, Point, Vocabulary};

/// A page of a stream.
pub struct EventPage<'a> {
    /// The address of the stream.
    pub stream: &'a str,
    /// The address of its first page.
    pub root: &'a str,
    /// The address of this page.
    pub page: &'a str,
    /// The address of the next page, once this one is full.
    pub next: Option<&'a str>,
    /// What happened.
    pub members: Vec<EventMember<'a>>,
}

/// A member of a stream.
pub struct EventMember<'a> {
    /// The event.
    pub event: &'a Event,
    /// The frame of the vocabulary when it happened: one that came later is not what was said.
    pub vocabulary: &'a Vocabulary,
    /// What was said of a concept, if that is what happened.
    pub concept: Option<OutgoingConcept>,
}

/// Writes a page.
///
/// # Errors
/// What the writer fails with; [`io::ErrorKind::InvalidData`] for what the syntax cannot say.
pub fn event_page(format: Format, page: &EventPage<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut serializer = RdfSerializer::from_format(syntax(format));
    let ours = [("ldes", ldes::NS), ("tree", tree::NS), ("as", activity::NS)];
    for (name, iri) in PREFIXES.iter().copied().chain(ours) {
        serializer = serializer.with_prefix(name, iri).map_err(invalid)?;
    }
    let mut serializer = serializer.for_writer(BufWriter::new(out));
    let mut put = |triple: TripleRef<'_>| serializer.serialize_triple(triple);
    stream(page, &mut put)?;
    for one in &page.members {
        member(page, one, &mut put)?;
    }
    serializer.finish()?.flush()
}

type Put<'a> = dyn FnMut(TripleRef<'_>) -> io::Result<()> + 'a;

/// Says one thing of a node; predicates are constants of `vocab`.
fn say(put: &mut Put<'_>, subject: &NamedOrBlankNode, predicate: &str, object: &Node) -> io::Result<()> {
    let predicate = NamedNodeRef::new_unchecked(predicate);
    put(TripleRef { subject: subject.as_ref(), predicate, object: object.as_ref() })
}

fn stream(page: &EventPage<'_>, put: &mut Put<'_>) -> io::Result<()> {
    let stream = NamedOrBlankNode::from(named_node(page.stream)?);
    let node = NamedOrBlankNode::from(named_node(page.page)?);
    let yes = Node::from(Literal::new_typed_literal("true", xsd::BOOLEAN));
    let of_stream = [
        (rdf::TYPE, iri(ldes::EVENT_STREAM)),
        (ldes::TIMESTAMP_PATH, iri(dct::CREATED)),
        (ldes::SEQUENCE_PATH, iri(begreb::POSITION)),
        (ldes::VERSION_OF_PATH, iri(dct::IS_VERSION_OF)),
        (ldes::VERSION_CREATE_PATH, iri(rdf::TYPE)),
        (ldes::VERSION_CREATE_OBJECT, iri(activity::CREATE)),
        (ldes::VERSION_UPDATE_PATH, iri(rdf::TYPE)),
        (ldes::VERSION_UPDATE_OBJECT, iri(activity::UPDATE)),
        (ldes::VERSION_DELETE_PATH, iri(rdf::TYPE)),
        (ldes::VERSION_DELETE_OBJECT, iri(activity::DELETE)),
        (ldes::TRANSACTION_PATH, iri(begreb::TRANSACTION)),
        (ldes::TRANSACTION_FINALIZED_PATH, iri(begreb::ENDS_TRANSACTION)),
        (ldes::TRANSACTION_FINALIZED_OBJECT, yes),
        (tree::VIEW, Node::from(named_node(page.root)?)),
    ];
    of_stream.iter().try_for_each(|(predicate, object)| say(put, &stream, predicate, object))?;
    say(put, &node, rdf::TYPE, &iri(tree::NODE))?;
    let Some(next) = page.next else { return Ok(()) };
    let relation = NamedOrBlankNode::from(BlankNode::new_unchecked("next"));
    say(put, &node, tree::RELATION, &relation.clone().into())?;
    say(put, &relation, tree::TO_NODE, &Node::from(named_node(next)?))?;
    let last = page.members.last().map(|last| created(last.event.at));
    // A transaction may go on over the page: what follows is no earlier.
    let kind = if last.is_some() { tree::GREATER_OR_EQUAL } else { tree::ANY_RELATION };
    say(put, &relation, rdf::TYPE, &iri(kind))?;
    let Some(last) = last else { return Ok(()) };
    say(put, &relation, tree::PATH, &iri(dct::CREATED))?;
    say(put, &relation, tree::VALUE, &last)
}

/// Always a timestamp, also at midnight: times are compared as one datatype.
fn created(at: Instant) -> Node {
    Literal::new_typed_literal(at.to_string(), xsd::DATE_TIME).into()
}

fn member(page: &EventPage<'_>, one: &EventMember<'_>, put: &mut Put<'_>) -> io::Result<()> {
    let EventMember { event, vocabulary, concept } = one;
    let is_version = event.r#type == EventType::VersionPublished;
    let namespace = &vocabulary.fields().namespace;
    let object = if is_version {
        named_node(namespace.strip_suffix(['/', '#']).unwrap_or(namespace))?
    } else {
        named_node(&vocabulary.iri(event.subject))?
    };
    let member = NamedOrBlankNode::from(named_node(&member_iri(page, event))?);
    let transaction = named_node(&format!("{}#transaction-{}", page.stream, event.at.micros()))?;
    let stream = NamedOrBlankNode::from(named_node(page.stream)?);
    say(put, &stream, tree::MEMBER, &member.clone().into())?;
    say(put, &member, rdf::TYPE, &iri(activity_of(event)))?;
    say(put, &member, dct::IS_VERSION_OF, &object.clone().into())?;
    say(put, &member, dct::CREATED, &created(event.at))?;
    let position = Literal::new_typed_literal(event.position.to_string(), xsd::INTEGER);
    say(put, &member, begreb::POSITION, &position.into())?;
    say(put, &member, begreb::TRANSACTION, &transaction.into())?;
    if event.ends_transaction {
        let yes = Literal::new_typed_literal("true", xsd::BOOLEAN);
        say(put, &member, begreb::ENDS_TRANSACTION, &yes.into())?;
    }
    if let Some(version) = &event.version {
        say(put, &member, owl::VERSION_INFO, &literal(version.as_str()))?;
    }
    if let Some(meaning) = event.concept.as_ref().and_then(|change| change.meaning) {
        say(put, &member, begreb::MEANING, &literal(meaning.as_str()))?;
    }
    let Some(concept) = concept else {
        let class = if is_version { skos::CONCEPT_SCHEME } else { skos::CONCEPT };
        say(put, &member, rdf::TYPE, &iri(class))?;
        let period = [(euvoc::START_DATE, event.valid_from), (euvoc::END_DATE, event.valid_to)];
        let mut period = period.into_iter().filter_map(|(predicate, at)| Some((predicate, at?)));
        return period.try_for_each(|(predicate, at)| say(put, &member, predicate, &instant(at)));
    };
    told(page, one, concept, &member, put)
}

fn member_iri(page: &EventPage<'_>, event: &Event) -> String {
    format!("{}#member-{}", page.stream, event.position)
}

/// What an event did to what its member is a version of.
fn activity_of(event: &Event) -> &'static str {
    let is = |kind| event.concept.as_ref().is_some_and(|c| c.kinds.contains(&kind));
    match event.r#type {
        EventType::ConceptRetired => activity::DELETE,
        _ if is(ConceptChangeKind::Added) => activity::CREATE,
        _ => activity::UPDATE,
    }
}

/// The triples of a concept, with the member for the concept. What they say of the scheme, or of other concepts, is
/// theirs to say.
fn told(
    page: &EventPage<'_>,
    &EventMember { event, vocabulary, .. }: &EventMember<'_>,
    concept: &OutgoingConcept,
    member: &NamedOrBlankNode,
    put: &mut Put<'_>,
) -> io::Result<()> {
    let own = vocabulary.iri(event.subject);
    let edition = Outgoing {
        vocabulary,
        version: None,
        point: Point { valid: concept.valid.from(), registered: concept.registered },
        count: 1,
        concepts: Box::new(std::iter::once(concept.clone())),
    };
    // Nodes without a name are numbered anew in each concept.
    let blank = |node: &str| BlankNode::new_unchecked(format!("p{}{node}", event.position));
    // What is named after the concept is named after the member: of another member it says something else.
    let named = |node: &str| -> io::Result<Option<oxrdf::NamedNode>> {
        let rest = node.strip_prefix(&own).filter(|rest| rest.starts_with(['#', '-', '/']));
        rest.map(|rest| named_node(&format!("{}/{}", member_iri(page, event), &rest[1..]))).transpose()
    };
    triples(edition, &mut |triple| {
        let subject = match triple.subject {
            NamedOrBlankNodeRef::NamedNode(node) if node.as_str() == own => member.clone(),
            NamedOrBlankNodeRef::NamedNode(node) => match named(node.as_str())? {
                Some(node) => node.into(),
                None => return Ok(()),
            },
            NamedOrBlankNodeRef::BlankNode(node) => blank(node.as_str()).into(),
        };
        let object = match triple.object {
            TermRef::BlankNode(node) => blank(node.as_str()).into(),
            TermRef::NamedNode(node) => match named(node.as_str())? {
                Some(node) => node.into(),
                None => node.into_owned().into(),
            },
            other => other.into_owned(),
        };
        put(TripleRef { subject: subject.as_ref(), predicate: triple.predicate, object: object.as_ref() })
    })
}
