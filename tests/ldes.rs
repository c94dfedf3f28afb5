//! A Linked Data Event Stream as a client takes it: it knows nothing but the addresses in the pages, keeps what the pages
//! say, and makes of it what the registry says it published.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::collections::{BTreeMap, BTreeSet};

use begreb::exchange::{self, Format, ReadOptions};
use begreb::model::{Governance, Instant, Language};
use begreb::registry::identity;
use common::crew::vocabulary;
use common::{Answer, World, edition, on_every_database};
use oxrdf::dataset::CanonicalizationAlgorithm;
use oxrdf::{Graph, NamedOrBlankNode, Term, Triple};
use oxrdfio::{RdfFormat, RdfParser};
use serde_json::{Value, json};

const CREATED: &str = "http://purl.org/dc/terms/created";
const VERSION_OF: &str = "http://purl.org/dc/terms/isVersionOf";
const TYPE: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
const START: &str = "http://publications.europa.eu/ontology/euvoc#startDate";
const END: &str = "http://publications.europa.eu/ontology/euvoc#endDate";
const FOREVER: &str = "public, max-age=31536000, immutable";

fn tree(name: &str) -> String {
    format!("https://w3id.org/tree#{name}")
}

fn ldes(name: &str) -> String {
    format!("https://w3id.org/ldes#{name}")
}

/// Triples by their subject.
#[derive(Default)]
struct Triples(BTreeMap<String, Vec<(String, Term)>>);

impl Triples {
    fn of(answer: &Answer, format: RdfFormat) -> Self {
        let mut all = Self::default();
        for quad in RdfParser::from_format(format).for_slice(&answer.body) {
            let quad = quad.unwrap_or_else(|e| panic!("{}: {e}", answer.asked));
            let entry = all.0.entry(quad.subject.to_string()).or_default();
            entry.push((quad.predicate.into_string(), quad.object));
        }
        all
    }

    fn told(&self, subject: &str, predicate: &str) -> Vec<&Term> {
        let all = self.0.get(subject).into_iter().flatten();
        all.filter(|(p, _)| p == predicate).map(|(_, o)| o).collect()
    }

    /// The one thing that is told.
    #[track_caller]
    fn one(&self, subject: &str, predicate: &str) -> String {
        match self.told(subject, predicate)[..] {
            [one] => said(one),
            ref all => panic!("{subject} {predicate}: {all:?}"),
        }
    }

    fn is_a(&self, subject: &str, class: &str) -> bool {
        self.told(subject, TYPE).into_iter().any(|t| said(t) == class)
    }
}

/// A node as it is a subject; a literal's value.
fn said(term: &Term) -> String {
    match term {
        Term::NamedNode(node) => node.as_str().to_owned(),
        Term::Literal(literal) => literal.value().to_owned(),
        other => other.to_string(),
    }
}

fn iri(address: &str) -> String {
    format!("<{address}>")
}

/// What a client has read of a stream.
#[derive(Default)]
struct Client {
    stream: String,
    pages: Vec<String>,
    /// The members, in the order in which they came, with all that belongs to each.
    members: Vec<(String, Triples)>,
}

impl Client {
    /// Walks all pages from the address that people are given.
    async fn walk(w: &World, entry: &str, format: RdfFormat) -> Self {
        let mut client = Self::default();
        let found = client.page(w, entry, format).await;
        client.stream = found.0.keys().find(|s| found.is_a(s, &ldes("EventStream"))).expect("a stream").clone();
        for (path, meant) in [("timestampPath", CREATED), ("versionOfPath", VERSION_OF)] {
            assert_eq!(found.one(&client.stream, &ldes(path)), meant);
        }
        // Nothing is ever taken away: there is no policy that says so.
        assert!(found.told(&client.stream, &ldes("retentionPolicy")).is_empty());
        let root = found.one(&client.stream, &tree("view"));
        let mut todo = vec![(root, None)];
        let mut seen = BTreeSet::new();
        while let Some((page, least)) = todo.pop() {
            assert!(seen.insert(page.clone()), "{page} is led to twice");
            let triples = client.page(w, &page, format).await;
            assert!(triples.is_a(&iri(&page), &tree("Node")), "{page}");
            client.take(&triples, least.as_deref());
            for relation in triples.told(&iri(&page), &tree("relation")) {
                let relation = relation.to_string();
                assert!(triples.is_a(&relation, &tree("GreaterThanOrEqualToRelation")), "{page}");
                assert_eq!(triples.one(&relation, &tree("path")), CREATED);
                let value = triples.told(&relation, &tree("value"))[0];
                assert!(value.to_string().ends_with("XMLSchema#dateTime>"), "{value}");
                todo.push((triples.one(&relation, &tree("node")), Some(said(value))));
            }
            client.pages.push(page);
        }
        client
    }

    async fn page(&self, w: &World, address: &str, format: RdfFormat) -> Triples {
        let path = address.strip_prefix("http://127.0.0.1:8080").unwrap_or(address);
        let page = w.ask("GET", path, &[("accept", format.media_type())]).await.ok();
        let triples = Triples::of(&page, format);
        let leads = triples.0.values().flatten().any(|(p, _)| *p == tree("relation"));
        let keeps = if leads { FOREVER } else { "public, no-cache" };
        assert_eq!(page.header("cache-control"), keeps, "{address}");
        triples
    }

    /// Takes the members of a page in: those of a page that a relation leads to are no earlier than it says.
    fn take(&mut self, page: &Triples, least: Option<&str>) {
        let mut members: Vec<String> =
            page.told(&self.stream, &tree("member")).into_iter().map(ToString::to_string).collect();
        members.sort_by_key(|m| page.one(m, "https://begreb.dk/ns#position").parse::<u64>().expect("a number"));
        for member in members {
            let created: Instant = page.one(&member, CREATED).parse().expect("an instant");
            assert!(least.is_none_or(|l| l.parse::<Instant>().expect("an instant") <= created), "{member}");
            let mut own = Triples::default();
            let mut todo = vec![member.clone()];
            while let Some(subject) = todo.pop() {
                let Some(triples) = page.0.get(&subject).filter(|_| !own.0.contains_key(&subject)) else { continue };
                let inner = member.trim_end_matches('>');
                let belongs = |o: &&Term| o.is_blank_node() || o.to_string().starts_with(&format!("{inner}/"));
                todo.extend(triples.iter().map(|(_, o)| o).filter(belongs).map(ToString::to_string));
                own.0.insert(subject, triples.clone());
            }
            self.members.push((member, own));
        }
    }

    /// What was in force on a day, as it was known at an instant: the graph of the concepts.
    fn state(&self, valid: Instant, registered: Instant) -> Graph {
        let mut now: BTreeMap<String, Option<&(String, Triples)>> = BTreeMap::new();
        for one in &self.members {
            let (member, own) = one;
            let created: Instant = own.one(member, CREATED).parse().expect("an instant");
            let edge = |predicate: &str| own.told(member, predicate).first().map(|t| instant(&said(t)));
            let (from, to) = (edge(START).unwrap_or(Instant::BEGINNING), edge(END).unwrap_or(Instant::FOREVER));
            let scheme = own.is_a(member, "http://www.w3.org/2004/02/skos/core#ConceptScheme");
            if scheme || created > registered || valid < from || valid >= to {
                continue;
            }
            let is_gone = own.is_a(member, "https://www.w3.org/ns/activitystreams#Delete");
            now.insert(own.one(member, VERSION_OF), (!is_gone).then_some(one));
        }
        let mut graph = Graph::new();
        for (concept, (member, own)) in now.iter().filter_map(|(c, one)| Some((c, (*one)?))) {
            let back = |node: &str| match node.strip_prefix(member.trim_matches(['<', '>'])) {
                Some("") => concept.clone(),
                Some(rest) => format!("{concept}#{}", rest.trim_start_matches('/')),
                None => node.to_owned(),
            };
            for (subject, triples) in &own.0 {
                for (predicate, object) in triples.iter().filter(|(p, o)| !is_of_stream(p, o)) {
                    let subject = match subject.strip_prefix("_:") {
                        Some(blank) => NamedOrBlankNode::from(oxrdf::BlankNode::new_unchecked(blank)),
                        None => oxrdf::NamedNode::new_unchecked(back(subject.trim_matches(['<', '>']))).into(),
                    };
                    let object = match object {
                        Term::NamedNode(node) => oxrdf::NamedNode::new_unchecked(back(node.as_str())).into(),
                        other => other.clone(),
                    };
                    let predicate = oxrdf::NamedNode::new_unchecked(predicate);
                    graph.insert(&Triple::new(subject, predicate, object));
                }
            }
        }
        graph
    }
}

fn instant(text: &str) -> Instant {
    let text = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    text.parse().expect("an instant")
}

/// Whether a triple of a member is about the event and not about the concept.
fn is_of_stream(predicate: &str, object: &Term) -> bool {
    let own = ["position", "transaction", "endsTransaction", "meaning"].map(|n| format!("https://begreb.dk/ns#{n}"));
    [CREATED, VERSION_OF, "http://www.w3.org/2002/07/owl#versionInfo"].contains(&predicate)
        || own.iter().any(|p| p == predicate)
        || (predicate == TYPE && said(object).starts_with("https://www.w3.org/ns/activitystreams#"))
}

/// What an export says of its concepts, but for what it says of the scheme, and the other way round of the hierarchy.
fn published(answer: &Answer, namespace: &str) -> Graph {
    let triples = Triples::of(answer, RdfFormat::NTriples);
    let skos = |name: &str| format!("http://www.w3.org/2004/02/skos/core#{name}");
    let mut graph = Graph::new();
    for (subject, triples) in &triples.0 {
        let subject: NamedOrBlankNode = match subject.strip_prefix("_:") {
            Some(blank) => oxrdf::BlankNode::new_unchecked(blank).into(),
            None => oxrdf::NamedNode::new_unchecked(subject.trim_matches(['<', '>'])).into(),
        };
        let of_concept = match &subject {
            NamedOrBlankNode::NamedNode(node) => {
                node.as_str().strip_prefix(namespace).is_some_and(|k| k.len() >= 36 && !k.starts_with("facet-"))
            }
            NamedOrBlankNode::BlankNode(_) => true,
        };
        for (predicate, object) in triples.iter().filter(|(p, _)| of_concept && *p != skos("narrower")) {
            let predicate = oxrdf::NamedNode::new_unchecked(predicate);
            graph.insert(&Triple::new(subject.clone(), predicate, object.clone()));
        }
    }
    graph
}

#[track_caller]
fn assert_same(mut left: Graph, mut right: Graph, what: &str) {
    left.canonicalize(CanonicalizationAlgorithm::Unstable);
    right.canonicalize(CanonicalizationAlgorithm::Unstable);
    let lines = |g: &Graph| g.iter().map(|t| t.to_string()).collect::<BTreeSet<_>>();
    let (left, right) = (lines(&left), lines(&right));
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).take(20).cloned().collect::<Vec<_>>();
    assert!(
        left == right,
        "{what}\nonly rebuilt: {:#?}\nonly published: {:#?}",
        only(&left, &right),
        only(&right, &left)
    );
}

/// Rebuilds each version of a vocabulary out of its stream.
async fn every_version_is_rebuilt(w: &World, slug: &str, format: RdfFormat) -> Client {
    let client = Client::walk(w, &format!("/ldes/{slug}"), format).await;
    for version in w.json(&format!("/api/v1/vocabularies/{slug}/versions")).await.as_array().expect("versions") {
        let text = |name: &str| version[name].as_str().expect("text");
        let at = |name: &str| text(name).parse().expect("an instant");
        let label = text("label");
        let export = format!("/api/v1/vocabularies/{slug}/export?format=nt&version={label}");
        let export = published(&w.get(&export).await.ok(), &format!("http://127.0.0.1:8080/id/{slug}/"));
        assert!(!export.is_empty());
        assert_same(client.state(at("effective"), at("registered")), export, &format!("{slug} {label} {format}"));
    }
    client
}

const HEADING: &str = "notation;note.scope.da;alias;mapping.exact;more";

/// A concept with what becomes nodes beside it: a term, a definition, a law and an alias that tell more of themselves.
fn row(n: u32, term: &str, source: &str, mapping: &str) -> String {
    let more = json!({
        "terms": [{"language": "da", "status": "preferred", "value": term, "source": source}],
        "definitions": [{"language": "da", "text": "et tal", "source": source}],
        "legalBasis": [{"law": "Serviceloven", "paragraph": format!("§ {n}")}],
        "aliases": [{"value": format!("g{n}"), "system": "urn:gammel"}],
    });
    format!("X{n};en note;a{n};{mapping};\"{}\"\n", more.to_string().replace('"', "\"\""))
}

#[tokio::test]
async fn a_client_that_walks_all_pages_has_what_was_published() {
    on_every_database(async |w| {
        let first: String = (0..300).map(|n| row(n, &format!("nummer {n}"), "kilde", "")).collect();
        vocabulary(&w, "koder", Governance::Direct, &format!("{HEADING}\n{first}")).await;
        type Scene = (&'static str, &'static str, fn(u32) -> Option<String>);
        let scenes: [Scene; 3] = [
            // Every seventh is gone; every third is renamed; the others have the same term from another source.
            ("2", "2024-01-01", |n| match n {
                n if n % 7 == 0 => None,
                n if n % 3 == 0 => Some(row(n, &format!("tal {n}"), "kilde", &format!("https://example.dk/{n}"))),
                n => Some(row(n, &format!("nummer {n}"), "en anden kilde", "")),
            }),
            // Ahead of time, and then a correction of what was in force.
            ("3", "2030-01-01", |n| Some(row(n, &format!("nummer {n}"), "en tredje kilde", ""))),
            ("2.1", "2024-06-01", |n| (n != 5).then(|| row(n, &format!("rettet {n}"), "kilde", ""))),
        ];
        for (at, (label, day, row)) in scenes.into_iter().enumerate() {
            w.clock.set(&format!("2026-11-23T1{at}:00:00Z"));
            let rows: String = (0..300).filter_map(row).collect();
            let file = format!("{HEADING}\n{rows}");
            let mut request = edition("koder", Format::Csv, file.as_bytes(), label, day);
            request.accept_new = true;
            w.import(request).await.expect("it is lawful");
        }
        for format in [RdfFormat::NTriples, RdfFormat::Turtle] {
            let client = every_version_is_rebuilt(&w, "koder", format).await;
            assert!(client.pages.len() > 3 && client.members.len() > 800, "{}", client.members.len());
        }
    })
    .await;
}

#[tokio::test]
async fn the_real_editions_are_rebuilt_too() {
    let days = ["2020-09-08", "2023-05-17", "2023-06-22", "2024-05-30", "2024-10-31"];
    let files: Option<Vec<Vec<u8>>> = days.iter().map(|day| common::kl(&format!("FSIII-{day}.json"))).collect();
    let Some(files) = files else { return };
    let options = ReadOptions { language: Language::danish(), namespace: None };
    let last = exchange::read(Format::Fhir, &files[4], &options).expect("KL's file is taken in");
    let identity = identity(&last).expect("KL's twins can be told apart");
    on_every_database(async |w| {
        for (at, (day, bytes)) in days.iter().zip(&files).enumerate() {
            w.clock.set(&format!("2026-11-23T1{at}:00:00Z"));
            let mut request = edition("fsiii", Format::Fhir, bytes, day, day);
            request.identity = identity.clone();
            w.import(request).await.unwrap_or_else(|r| panic!("{day}: {r:?}"));
        }
        let versions: Value = w.json("/api/v1/vocabularies/fsiii/versions").await;
        assert_eq!(versions.as_array().map(Vec::len), Some(5), "{versions}");
        every_version_is_rebuilt(&w, "fsiii", RdfFormat::NTriples).await;
    })
    .await;
}
