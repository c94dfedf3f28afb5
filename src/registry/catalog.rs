//! What there is, told in RDF: the graphs as VoID, the vocabularies as a DCAT catalog, the endpoint by the
//! vocabulary for SPARQL services.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use oxrdf::vocab::{rdf, xsd};
use oxrdf::{BlankNode, Literal, NamedNode, NamedOrBlankNode, Term, Triple};
use oxrdfio::RdfSerializer;

use super::sparql::rdf_format;
use super::{Registry, Telling, VocabularyAnswer};
use crate::exchange::{Format, PREFIXES};
use crate::model::{Code, Instant, Refusal, Result, Text};
use crate::projection::rdf::{Graph, Graphs};

const DCAT: &str = "http://www.w3.org/ns/dcat#";
const DCT: &str = "http://purl.org/dc/terms/";
const FOAF: &str = "http://xmlns.com/foaf/0.1/";
const SD: &str = "http://www.w3.org/ns/sparql-service-description#";
const VOID: &str = "http://rdfs.org/ns/void#";
const SKOS_CONCEPT: &str = "http://www.w3.org/2004/02/skos/core#Concept";

/// What the answers of the endpoint can be written in, by the names of the W3C.
const RESULTS: [&str; 8] = [
    "http://www.w3.org/ns/formats/SPARQL_Results_JSON",
    "http://www.w3.org/ns/formats/SPARQL_Results_XML",
    "http://www.w3.org/ns/formats/SPARQL_Results_CSV",
    "http://www.w3.org/ns/formats/SPARQL_Results_TSV",
    "http://www.w3.org/ns/formats/Turtle",
    "http://www.w3.org/ns/formats/N-Triples",
    "http://www.w3.org/ns/formats/RDF_XML",
    "http://www.w3.org/ns/formats/JSON-LD",
];

/// Triples as they are gathered.
#[derive(Default)]
struct Told {
    triples: Vec<Triple>,
    blanks: usize,
}

impl Told {
    fn say(&mut self, subject: &NamedOrBlankNode, predicate: String, object: impl Into<Term>) {
        self.triples.push(Triple::new(subject.clone(), NamedNode::new_unchecked(predicate), object));
    }

    fn is_a(&mut self, subject: &NamedOrBlankNode, class: String) {
        self.triples.push(Triple::new(subject.clone(), rdf::TYPE, NamedNode::new_unchecked(class)));
    }

    fn texts(&mut self, subject: &NamedOrBlankNode, predicate: &str, texts: &[Text]) {
        for text in texts {
            let literal = Literal::new_language_tagged_literal_unchecked(&text.text, text.language.as_str());
            self.say(subject, predicate.to_owned(), literal);
        }
    }

    fn both(&mut self, subject: &NamedOrBlankNode, predicate: &str, da: &str, en: &str) {
        for (tag, text) in [("da", da), ("en", en)] {
            let literal = Literal::new_language_tagged_literal_unchecked(text, tag);
            self.say(subject, predicate.to_owned(), literal);
        }
    }

    /// A node without a name that hangs from another.
    fn beside(&mut self, subject: &NamedOrBlankNode, predicate: String) -> NamedOrBlankNode {
        self.blanks += 1;
        let node = BlankNode::new_unchecked(format!("n{}", self.blanks));
        self.say(subject, predicate, node.clone());
        node.into()
    }

    fn write(mut self, format: Format) -> Result<Vec<u8>> {
        // What is said of a thing stands together, in the order in which things were first told of.
        let mut order = HashMap::new();
        for triple in &self.triples {
            let next = order.len();
            order.entry(triple.subject.clone()).or_insert(next);
        }
        self.triples.sort_by_key(|triple| order[&triple.subject]);
        let mut serializer = RdfSerializer::from_format(rdf_format(format));
        let more = [("void", VOID), ("foaf", FOAF), ("sd", SD)];
        for (name, iri) in PREFIXES.into_iter().chain(more) {
            serializer = serializer.with_prefix(name, iri).map_err(unwritten)?;
        }
        let mut out = serializer.for_writer(Vec::new());
        for triple in &self.triples {
            out.serialize_triple(triple).map_err(unwritten)?;
        }
        out.finish().map_err(unwritten)
    }
}

fn unwritten(error: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::Internal, format!("kan ikke skrives: {error}"), format!("cannot be written: {error}"))
}

fn iri(text: impl Into<String>) -> NamedNode {
    NamedNode::new_unchecked(text)
}

fn number(n: usize) -> Literal {
    Literal::new_typed_literal(n.to_string(), xsd::INTEGER)
}

fn instant(at: Instant) -> Literal {
    Literal::new_typed_literal(at.to_string(), xsd::DATE_TIME)
}

/// An IRI where the text is one, else the text.
fn node(text: &str) -> Term {
    let web = ["http://", "https://", "mailto:", "urn:"].iter().any(|scheme| text.starts_with(scheme));
    match NamedNode::new(text) {
        Ok(iri) if web => iri.into(),
        _ => Literal::new_simple_literal(text).into(),
    }
}

impl Registry {
    /// The graphs, as VoID.
    ///
    /// # Errors
    /// [`Code::NotReady`] while they are built for the first time.
    pub async fn void(&self, format: Format) -> Result<Vec<u8>> {
        let graphs = self.rdf.get(&self.projections).await?;
        let url = &self.settings.public_url;
        let mut told = Told::default();
        let this = NamedOrBlankNode::from(iri(format!("{url}/.well-known/void")));
        told.is_a(&this, format!("{VOID}DatasetDescription"));
        let all = NamedOrBlankNode::from(iri(format!("{url}/.well-known/void#dataset")));
        told.say(&this, format!("{FOAF}topic"), term(&all));
        told.is_a(&all, format!("{VOID}Dataset"));
        told.both(&all, &format!("{DCT}title"), "Alle ordforråd", "All vocabularies");
        told.say(&all, format!("{VOID}sparqlEndpoint"), iri(format!("{url}/sparql")));
        told.say(&all, format!("{VOID}triples"), number(graphs.graphs().iter().map(|g| g.segment.len()).sum()));
        for (_, prefix) in PREFIXES {
            told.say(&all, format!("{VOID}vocabulary"), iri(prefix));
        }
        for graph in graphs.graphs() {
            told.say(&all, format!("{VOID}subset"), graph.iri.clone());
            self.void_of(&graphs, graph, &mut told);
        }
        told.write(format)
    }

    fn void_of(&self, graphs: &Arc<Graphs<Telling>>, graph: &Graph, told: &mut Told) {
        let (url, terms) = (&self.settings.public_url, graphs.terms());
        let vocabulary = graph.view.vocabulary();
        let fields = vocabulary.fields();
        let this = NamedOrBlankNode::from(graph.iri.clone());
        told.is_a(&this, format!("{VOID}Dataset"));
        told.texts(&this, &format!("{DCT}title"), &fields.titles);
        told.texts(&this, &format!("{DCT}description"), &fields.descriptions);
        if let Some(licence) = &fields.licence {
            told.say(&this, format!("{DCT}license"), node(licence));
        }
        if let Some(version) = &graph.view.version {
            told.say(&this, format!("{DCT}modified"), instant(version.registered));
        }
        told.say(&this, format!("{VOID}sparqlEndpoint"), iri(format!("{url}/sparql")));
        told.say(&this, format!("{VOID}uriSpace"), Literal::new_simple_literal(&fields.namespace));
        for format in ["ttl", "nt", "rdf", "jsonld"] {
            let dump = format!("{url}/api/v1/vocabularies/{}/export?format={format}", vocabulary.slug());
            told.say(&this, format!("{VOID}dataDump"), iri(dump));
        }
        told.say(&this, format!("{VOID}triples"), number(graph.segment.len()));
        told.say(&this, format!("{VOID}distinctSubjects"), number(graph.segment.subjects().len()));
        told.say(&this, format!("{VOID}properties"), number(graph.segment.predicates().count()));
        let a = terms.iri(rdf::TYPE.as_str());
        let classes = a.map(|a| graph.segment.objects(a)).unwrap_or_default();
        let concepts = terms.iri(SKOS_CONCEPT).and_then(|c| classes.iter().find(|(class, _)| *class == c));
        told.say(&this, format!("{VOID}entities"), number(concepts.map_or(0, |(_, n)| *n)));
        told.say(&this, format!("{VOID}classes"), number(classes.len()));
        // By IRI: numbers depend on what was numbered before.
        let named = |list: Vec<(u32, usize)>| -> BTreeMap<String, (Term, usize)> {
            list.into_iter().map(|(t, n)| (terms.term(t), n)).map(|(t, n)| (t.to_string(), (t, n))).collect()
        };
        for (class, n) in named(classes).into_values() {
            let part = told.beside(&this, format!("{VOID}classPartition"));
            told.say(&part, format!("{VOID}class"), class);
            told.say(&part, format!("{VOID}entities"), number(n));
        }
        for (property, n) in named(graph.segment.predicates().collect()).into_values() {
            let part = told.beside(&this, format!("{VOID}propertyPartition"));
            told.say(&part, format!("{VOID}property"), property);
            told.say(&part, format!("{VOID}triples"), number(n));
        }
    }

    /// The endpoint, by the vocabulary for SPARQL services.
    ///
    /// # Errors
    /// [`Code::NotReady`] while the graphs are built for the first time.
    pub async fn service_description(&self, format: Format) -> Result<Vec<u8>> {
        let graphs = self.rdf.get(&self.projections).await?;
        let url = &self.settings.public_url;
        let mut told = Told::default();
        let this = NamedOrBlankNode::from(iri(format!("{url}/sparql#service")));
        told.is_a(&this, format!("{SD}Service"));
        told.both(&this, &format!("{DCT}title"), "SPARQL-endepunkt", "SPARQL endpoint");
        told.say(&this, format!("{SD}endpoint"), iri(format!("{url}/sparql")));
        told.say(&this, format!("{SD}supportedLanguage"), iri(format!("{SD}SPARQL11Query")));
        for format in RESULTS {
            told.say(&this, format!("{SD}resultFormat"), iri(format));
        }
        let dataset = told.beside(&this, format!("{SD}defaultDataset"));
        told.is_a(&dataset, format!("{SD}Dataset"));
        let default = told.beside(&dataset, format!("{SD}defaultGraph"));
        told.is_a(&default, format!("{SD}Graph"));
        let all = graphs.graphs().iter().map(|g| g.segment.len()).sum();
        told.say(&default, format!("{VOID}triples"), number(all));
        for graph in graphs.graphs() {
            let named = told.beside(&dataset, format!("{SD}namedGraph"));
            told.is_a(&named, format!("{SD}NamedGraph"));
            told.say(&named, format!("{SD}name"), graph.iri.clone());
            let held = told.beside(&named, format!("{SD}graph"));
            told.is_a(&held, format!("{SD}Graph"));
            told.texts(&held, &format!("{DCT}title"), &graph.view.vocabulary().fields().titles);
            told.say(&held, format!("{VOID}triples"), number(graph.segment.len()));
        }
        told.write(format)
    }

    /// The vocabularies and their versions, as a DCAT catalog.
    ///
    /// # Errors
    /// [`Code::Internal`] when it cannot be written.
    pub fn catalog(&self, format: Format) -> Result<Vec<u8>> {
        let url = &self.settings.public_url;
        let mut told = Told::default();
        let this = NamedOrBlankNode::from(iri(format!("{url}/api/v1/catalog")));
        told.is_a(&this, format!("{DCAT}Catalog"));
        told.both(
            &this,
            &format!("{DCT}title"),
            "Begreber og klassifikationer for det sociale område",
            "Concepts and classifications of the Danish social sector",
        );
        told.both(
            &this,
            &format!("{DCT}description"),
            "Ordforråd med alle deres versioner, som kan læses på enhver dag.",
            "Vocabularies with all their versions, readable at any day.",
        );
        told.say(&this, format!("{FOAF}homepage"), iri(format!("{url}/")));
        for language in ["DAN", "ENG"] {
            told.say(&this, format!("{DCT}language"), language_iri(language));
        }
        let vocabularies = self.vocabularies();
        let mut latest = None;
        for answer in &vocabularies {
            latest = latest.max(self.dataset_of(&this, answer, &mut told)?);
        }
        if let Some(latest) = latest {
            told.say(&this, format!("{DCT}modified"), instant(latest));
        }
        let services = [
            ("sparql", "SPARQL-endepunkt", "SPARQL endpoint", "https://www.w3.org/TR/sparql11-protocol/"),
            ("api/v1", "Grænseflade for programmer", "Interface for programs", "https://spec.openapis.org/oas/v3.1.0"),
        ];
        for (path, da, en, standard) in services {
            let service = NamedOrBlankNode::from(iri(format!("{url}/{path}#service")));
            told.say(&this, format!("{DCAT}service"), term(&service));
            told.is_a(&service, format!("{DCAT}DataService"));
            told.both(&service, &format!("{DCT}title"), da, en);
            told.say(&service, format!("{DCAT}endpointURL"), iri(format!("{url}/{path}")));
            let description = if path == "sparql" { "sparql" } else { "api/openapi.json" };
            told.say(&service, format!("{DCAT}endpointDescription"), iri(format!("{url}/{description}")));
            told.say(&service, format!("{DCT}conformsTo"), iri(standard));
            for answer in &vocabularies {
                told.say(&service, format!("{DCAT}servesDataset"), iri(&*answer.iri));
            }
        }
        told.write(format)
    }

    /// Tells of a vocabulary as a dataset; answers when it was last added to.
    fn dataset_of(
        &self,
        catalog: &NamedOrBlankNode,
        answer: &VocabularyAnswer,
        told: &mut Told,
    ) -> Result<Option<Instant>> {
        let fields = &answer.vocabulary;
        let this = NamedOrBlankNode::from(iri(&*answer.iri));
        told.say(catalog, format!("{DCAT}dataset"), term(&this));
        told.is_a(&this, format!("{DCAT}Dataset"));
        told.texts(&this, &format!("{DCT}title"), &fields.titles);
        told.texts(&this, &format!("{DCT}description"), &fields.descriptions);
        told.say(&this, format!("{DCT}identifier"), Literal::new_simple_literal(fields.slug.as_str()));
        for identifier in &fields.identifiers {
            told.say(&this, format!("{DCT}identifier"), Literal::new_simple_literal(identifier));
        }
        for language in &fields.languages {
            let known = match language.primary() {
                "da" => language_iri("DAN").into(),
                "en" => language_iri("ENG").into(),
                _ => Term::from(Literal::new_simple_literal(language.as_str())),
            };
            told.say(&this, format!("{DCT}language"), known);
        }
        if let Some(owner) = &fields.owner {
            let agent = told.beside(&this, format!("{DCT}publisher"));
            told.is_a(&agent, format!("{FOAF}Agent"));
            told.say(&agent, format!("{FOAF}name"), Literal::new_simple_literal(owner));
        }
        if let Some(licence) = &fields.licence {
            told.say(&this, format!("{DCT}license"), node(licence));
        }
        told.say(&this, format!("{DCAT}landingPage"), iri(&*answer.iri));
        let of_day = format!("{}/api/v1/vocabularies/{}/export", self.settings.public_url, fields.slug);
        self.distributions(&this, &format!("{of_day}?format="), fields.licence.as_deref(), told);
        let versions = self.versions(fields.slug.as_str())?;
        for version in &versions {
            let of_version = NamedOrBlankNode::from(iri(&*version.iri));
            told.say(&this, format!("{DCAT}hasVersion"), term(&of_version));
            told.is_a(&of_version, format!("{DCAT}Dataset"));
            told.texts(&of_version, &format!("{DCT}title"), &fields.titles);
            told.say(&of_version, format!("{DCAT}isVersionOf"), term(&this));
            told.say(&of_version, format!("{DCAT}version"), Literal::new_simple_literal(version.label.as_str()));
            told.say(&of_version, format!("{DCT}issued"), instant(version.registered));
            told.say(&of_version, format!("{DCT}valid"), instant(version.effective));
            let address = format!("{of_day}?version={}&format=", version.label);
            self.distributions(&of_version, &address, fields.licence.as_deref(), told);
        }
        let modified = versions.iter().map(|v| v.registered).max();
        if let Some(modified) = modified {
            told.say(&this, format!("{DCT}modified"), instant(modified));
        }
        if let Some(version) = &answer.version {
            let in_force = iri(format!("{}versions/{}", fields.namespace, version.label));
            told.say(&this, format!("{DCAT}hasCurrentVersion"), in_force);
        }
        Ok(modified)
    }

    fn distributions(&self, of: &NamedOrBlankNode, address: &str, licence: Option<&str>, told: &mut Told) {
        for format in Format::WRITTEN {
            let this = NamedOrBlankNode::from(iri(format!("{address}{}", format.name())));
            told.say(of, format!("{DCAT}distribution"), term(&this));
            told.is_a(&this, format!("{DCAT}Distribution"));
            told.say(&this, format!("{DCAT}accessURL"), term(&this));
            told.say(&this, format!("{DCAT}downloadURL"), term(&this));
            let media = format.media_type().split(';').next().unwrap_or_default();
            let media = format!("https://www.iana.org/assignments/media-types/{media}");
            told.say(&this, format!("{DCAT}mediaType"), iri(media));
            if let Some(licence) = licence {
                told.say(&this, format!("{DCT}license"), node(licence));
            }
        }
    }
}

fn term(node: &NamedOrBlankNode) -> Term {
    node.clone().into()
}

fn language_iri(code: &str) -> NamedNode {
    iri(format!("http://publications.europa.eu/resource/authority/language/{code}"))
}
