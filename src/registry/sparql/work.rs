//! One query on its thread: parsed, evaluated and written out, until it is done or has taken what it may.

use std::sync::{Arc, LazyLock};

use oxrdf::{Literal, Term};
use oxrdfio::RdfSerializer;
use sparesults::{QueryResultsFormat, QueryResultsSerializer};
use spareval::{QueryDatasetSpecification, QueryEvaluationError, QueryResults};
use spargebra::{Query, SparqlParser};

use super::gate::Seen;
use super::rewrite::Rewriter;
use super::{Answer, Question, SolutionFormat, Solved, SparqlLimits, Wanted, functions};
use crate::exchange::{Format, PREFIXES};
use crate::model::{Code, Place, Refusal, Result};
use crate::projection::Projections;
use crate::projection::rdf::{Brake, Choice, Dataset, Ended, Graphs, Stopped, under};
use crate::registry::Telling;

impl SolutionFormat {
    fn results(self) -> QueryResultsFormat {
        match self {
            Self::Json => QueryResultsFormat::Json,
            Self::Xml => QueryResultsFormat::Xml,
            Self::Csv => QueryResultsFormat::Csv,
            Self::Tsv => QueryResultsFormat::Tsv,
        }
    }

    /// The media type that is sent.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/sparql-results+json",
            Self::Xml => "application/sparql-results+xml",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Tsv => "text/tab-separated-values; charset=utf-8",
        }
    }
}

/// A query and all that its answer is made of.
pub struct Work {
    pub question: Question,
    pub seen: Seen,
    pub graphs: Arc<Graphs<Telling>>,
    pub projections: Arc<Projections>,
    pub limits: SparqlLimits,
    pub brake: Brake,
    pub now: Literal,
}

impl Work {
    /// Answers.
    pub fn run(self) -> Result<Solved> {
        let parsed = self.braked(|| self.parse())?;
        let (query, choice) = parsed;
        // Graphs of past versions stay when the query is gone: they are not counted as its memory, but as triples.
        let brake = Brake { memory: usize::MAX, ..self.brake.clone() };
        let budget = self.limits.versions;
        let dataset = match self.under(brake, || self.graphs.dataset(&choice, &self.projections, budget))? {
            Ok(dataset) => dataset,
            Err(iri) => return Err(self.unknown_graph(&iri)),
        };
        let (rows, answer) = self.braked(|| self.answer(query, dataset))?;
        Ok(Solved { position: self.graphs.position, rows, answer })
    }

    fn braked<R>(&self, work: impl FnOnce() -> Result<R>) -> Result<R> {
        self.under(self.brake.clone(), work)
    }

    fn under<R>(&self, brake: Brake, work: impl FnOnce() -> Result<R>) -> Result<R> {
        match under(brake, work) {
            Ok(done) => done,
            Err(Ended::Stopped(why)) => Err(stopped(why, &self.limits)),
            Err(Ended::Panicked(_)) => {
                let (da, en) = ("forespørgslen slog fejl hos os", "the query failed, by a fault of ours");
                Err(Refusal::new(Code::Internal, da, en))
            }
        }
    }

    fn parse(&self) -> Result<(Query, Choice)> {
        let text = self.question.text.as_str();
        let query = PARSER.clone().parse_query(text).map_err(|e| {
            if self.seen.update {
                let (da, en) = (
                    "endepunktet kan kun spørges; det ændrer intet",
                    "the endpoint answers queries only; it changes nothing",
                );
                return Refusal::new(Code::UpdateRefused, da, en).allowed(["SELECT", "ASK", "CONSTRUCT", "DESCRIBE"]);
            }
            syntax(&e.to_string())
        })?;
        let mut rewriter = Rewriter::new(self.now.clone());
        let query = rewriter.query(query)?;
        let said = query.dataset();
        let (default, named) = (&self.question.default_graphs, &self.question.named_graphs);
        let choice = if default.is_empty() && named.is_empty() {
            let iris = |list: &[oxrdf::NamedNode]| list.iter().map(|n| n.as_str().to_owned()).collect();
            Choice {
                default: said.map(|d| iris(&d.default)),
                named: said.map(|d| d.named.as_deref().map(iris).unwrap_or_default()),
                mentioned: rewriter.graphs,
            }
        } else {
            // The protocol goes before the text (SPARQL 1.1 Protocol, 2.1.4).
            Choice { default: Some(default.clone()), named: Some(named.clone()), mentioned: rewriter.graphs }
        };
        Ok((query, choice))
    }

    fn unknown_graph(&self, iri: &str) -> Refusal {
        let iri: String = iri.chars().take(200).collect();
        let known = self.graphs.graphs().iter();
        let known = known.flat_map(|graph| {
            let namespace = &graph.view.vocabulary().fields().namespace;
            let versions = graph.view.plane.versions().iter().map(move |v| format!("{namespace}versions/{}", v.label));
            std::iter::once(graph.iri.as_str().to_owned()).chain(versions)
        });
        Refusal::new(
            Code::UnknownGraph,
            format!("der er ingen graf <{iri}>; intet hentes andetstedsfra"),
            format!("there is no graph <{iri}>; nothing is loaded from elsewhere"),
        )
        .items(known.take(200))
    }

    fn answer(&self, query: Query, dataset: Dataset) -> Result<(usize, Answer)> {
        let evaluator = functions::evaluator();
        let mut prepared = evaluator.prepare(&query);
        // Which graphs there are was settled with the dataset.
        *prepared.dataset_mut() = QueryDatasetSpecification::new();
        match prepared.execute(dataset).map_err(|e| failed(&e))? {
            QueryResults::Boolean(truth) => match self.question.wanted {
                Wanted::Table(_) => Ok((1, Answer::Truth(truth))),
                Wanted::File(format, _) => {
                    let format = format.ok_or_else(|| not_acceptable("ASK", &SOLUTIONS))?;
                    let serializer = QueryResultsSerializer::from_format(format.results());
                    let bytes = serializer.serialize_boolean_to_writer(Vec::new(), truth).map_err(unwritten)?;
                    Ok((1, Answer::File(bytes, format.media_type())))
                }
            },
            QueryResults::Solutions(solutions) => {
                let variables = solutions.variables().to_vec();
                let mut count = 0;
                match self.question.wanted {
                    Wanted::Table(most) => {
                        let mut rows = Vec::new();
                        for solution in solutions {
                            let solution = solution.map_err(|e| failed(&e))?;
                            self.count(&mut count)?;
                            if rows.len() < most {
                                rows.push(solution.values().to_vec());
                            }
                        }
                        let heads = variables.iter().map(|v| v.as_str().to_owned()).collect();
                        Ok((count, Answer::Table(heads, rows)))
                    }
                    Wanted::File(format, _) => {
                        let format = format.ok_or_else(|| not_acceptable("SELECT", &SOLUTIONS))?;
                        let serializer = QueryResultsSerializer::from_format(format.results());
                        let mut out =
                            serializer.serialize_solutions_to_writer(Vec::new(), variables).map_err(unwritten)?;
                        for solution in solutions {
                            let solution = solution.map_err(|e| failed(&e))?;
                            self.count(&mut count)?;
                            out.serialize(&solution).map_err(unwritten)?;
                        }
                        Ok((count, Answer::File(out.finish().map_err(unwritten)?, format.media_type())))
                    }
                }
            }
            QueryResults::Graph(triples) => {
                let mut count = 0;
                match self.question.wanted {
                    Wanted::Table(most) => {
                        let mut rows = Vec::new();
                        for triple in triples {
                            let triple = triple.map_err(|e| failed(&e))?;
                            self.count(&mut count)?;
                            if rows.len() < most {
                                let parts = [triple.subject.into(), triple.predicate.into(), triple.object];
                                rows.push(parts.map(|t: Term| Some(t)).to_vec());
                            }
                        }
                        let heads = ["subject", "predicate", "object"].map(str::to_owned).to_vec();
                        Ok((count, Answer::Table(heads, rows)))
                    }
                    Wanted::File(_, format) => {
                        let format = format.ok_or_else(|| not_acceptable("CONSTRUCT", &GRAPHS))?;
                        let mut serializer = RdfSerializer::from_format(rdf_format(format));
                        for (name, iri) in PREFIXES {
                            serializer = serializer.with_prefix(name, iri).expect("our prefixes are IRIs");
                        }
                        let mut out = serializer.for_writer(Vec::new());
                        for triple in triples {
                            let triple = triple.map_err(|e| failed(&e))?;
                            self.count(&mut count)?;
                            out.serialize_triple(&triple).map_err(unwritten)?;
                        }
                        Ok((count, Answer::File(out.finish().map_err(unwritten)?, format.media_type())))
                    }
                }
            }
        }
    }

    /// Counts a row of the answer.
    fn count(&self, rows: &mut usize) -> Result<()> {
        *rows += 1;
        if *rows > self.limits.rows {
            let most = self.limits.rows;
            return Err(Refusal::new(
                Code::QueryRows,
                format!("svaret har mere end {most} rækker; spørg om færre med LIMIT"),
                format!("the answer has more than {most} rows; ask for fewer with LIMIT"),
            )
            .allowed([most.to_string()]));
        }
        Ok(())
    }
}

/// The syntax of a format for graphs.
pub fn rdf_format(format: Format) -> oxrdfio::RdfFormat {
    use oxrdfio::{JsonLdProfileSet, RdfFormat};
    match format {
        Format::Nt => RdfFormat::NTriples,
        Format::Rdf => RdfFormat::RdfXml,
        Format::Jsonld => RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() },
        _ => RdfFormat::Turtle,
    }
}

static PARSER: LazyLock<SparqlParser> = LazyLock::new(|| {
    let prefixes = PREFIXES.into_iter().chain(OTHERS);
    prefixes
        .fold(SparqlParser::new(), |parser, (name, iri)| parser.with_prefix(name, iri).expect("our prefixes are IRIs"))
});

/// Prefixes that queries need not declare, beside those of the exports.
const OTHERS: [(&str, &str); 2] =
    [("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"), ("rdfs", "http://www.w3.org/2000/01/rdf-schema#")];

const SOLUTIONS: [&str; 4] =
    ["application/sparql-results+json", "application/sparql-results+xml", "text/csv", "text/tab-separated-values"];
const GRAPHS: [&str; 4] = ["text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json"];

fn not_acceptable(form: &str, offers: &[&str]) -> Refusal {
    Refusal::new(
        Code::NotAcceptable,
        format!("ingen af formaterne for {form} er blandt dem, du tager imod"),
        format!("none of the formats for {form} is one that you accept"),
    )
    .allowed(offers.iter().copied())
}

fn stopped(why: Stopped, limits: &SparqlLimits) -> Refusal {
    match why {
        Stopped::Time | Stopped::Abandoned => too_long(limits),
        Stopped::Memory => {
            let most = limits.memory >> 20;
            Refusal::new(
                Code::QueryMemory,
                format!("forespørgslen brugte mere end {most} MiB"),
                format!("the query took more than {most} MiB"),
            )
            .allowed([limits.memory.to_string()])
        }
        Stopped::Size => Refusal::new(
            Code::QuerySize,
            "forespørgslen lavede en tekst på mere end 1 MiB",
            "the query made a text of more than 1 MiB",
        )
        .allowed(["1048576"]),
        Stopped::Pattern => Refusal::new(
            Code::QuerySize,
            "et mønster i REGEX eller REPLACE er for stort for den tekst, der søges i",
            "a pattern of REGEX or REPLACE is too large for the text that is searched",
        )
        .allowed([functions::DEAREST_SEARCH.to_string()]),
    }
}

/// The refusal of a query whose time is over.
pub fn too_long(limits: &SparqlLimits) -> Refusal {
    let seconds = limits.time.as_secs_f64();
    Refusal::new(
        Code::QueryTime,
        format!("forespørgslen tog mere end {seconds} sekunder"),
        format!("the query took more than {seconds} seconds"),
    )
    .allowed([seconds.to_string()])
}

fn failed(error: &QueryEvaluationError) -> Refusal {
    // What is left is what the query asks for and nobody has: a function of its own.
    Refusal::new(
        Code::Syntax,
        format!("forespørgslen kan ikke besvares: {error}"),
        format!("the query cannot be answered: {error}"),
    )
}

fn unwritten(error: impl std::fmt::Display) -> Refusal {
    Refusal::new(
        Code::Internal,
        format!("svaret kan ikke skrives: {error}"),
        format!("the answer cannot be written: {error}"),
    )
}

/// The parser's message is `error at LINE:COLUMN: expected …`, with everything that it would have taken.
fn syntax(message: &str) -> Refusal {
    let place = message.strip_prefix("error at ").and_then(|rest| {
        let (line, rest) = rest.split_once(':')?;
        let (column, what) = rest.split_once(": ")?;
        Some((Place::line(line.parse().ok()?, column.parse().ok()?), what))
    });
    let (place, what) = place.unwrap_or((Place::default(), message));
    let what: String =
        if what.chars().count() > 300 { what.chars().take(300).chain(['…']).collect() } else { what.to_owned() };
    Refusal::new(Code::Syntax, format!("det er ikke SPARQL 1.1: {what}"), format!("this is not SPARQL 1.1: {what}"))
        .at(place)
}
