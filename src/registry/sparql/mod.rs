//! SPARQL queries over the graphs, each within a budget.
//!
//! [`gate`] looks at the text before the parser does, [`rewrite`] changes what has no bound, [`work`] parses,
//! evaluates and writes the answer on a thread of the [`Pool`]. Nothing is written to, fetched or loaded.

mod functions;
mod gate;
mod pool;
mod rewrite;
mod work;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use oxrdf::{Literal, NamedNode, Term};
use tokio::sync::oneshot;

pub use pool::Pool;
pub use work::rdf_format;

use super::{Registry, Telling};
use crate::exchange::Format;
use crate::model::{Code, Refusal, Result};
use crate::projection::rdf::{Brake, Graphs};

/// What queries may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SparqlLimits {
    /// How long a query may run.
    pub time: Duration,
    /// How many bytes it may hold, its answer included.
    pub memory: usize,
    /// How many rows or triples its answer may have.
    pub rows: usize,
    /// How many triples the graphs of the versions that it names may have together, and those that are kept for the
    /// queries to come.
    pub versions: usize,
    /// How many queries run at once.
    pub concurrency: usize,
    /// How many queries of one client run at once.
    pub per_client: usize,
}

impl Default for SparqlLimits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(10),
            memory: 256 << 20,
            rows: 100_000,
            versions: 4_000_000,
            concurrency: 4,
            per_client: 2,
        }
    }
}

/// The formats of the answers to SELECT and ASK.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SolutionFormat {
    /// SPARQL results in JSON.
    Json,
    /// SPARQL results in XML.
    Xml,
    /// SPARQL results in CSV.
    Csv,
    /// SPARQL results in TSV.
    Tsv,
}

/// How the caller takes the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// As a file: in a format for SELECT and ASK, in another for CONSTRUCT and DESCRIBE.
    File(Option<SolutionFormat>, Option<Format>),
    /// As the first rows of a table.
    Table(usize),
}

/// A query, as it was asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The text.
    pub text: String,
    /// The graphs that the default graph is merged of, instead of what the text says.
    pub default_graphs: Vec<String>,
    /// The named graphs, instead of what the text says.
    pub named_graphs: Vec<String>,
    /// How the answer is taken.
    pub wanted: Wanted,
    /// Who asks; queries of nobody in particular count for all.
    pub client: Option<IpAddr>,
}

/// An answer.
#[derive(Debug)]
pub struct Solved {
    /// The position of the change log at which the graphs were read.
    pub position: i64,
    /// How many rows or triples there are.
    pub rows: usize,
    /// The answer itself.
    pub answer: Answer,
}

/// An answer, as it was wanted.
#[derive(Debug)]
pub enum Answer {
    /// Bytes and their media type.
    File(Vec<u8>, &'static str),
    /// Column heads, and the first rows.
    Table(Vec<String>, Vec<Vec<Option<Term>>>),
    /// ASK, as a table would show it.
    Truth(bool),
}

impl Registry {
    /// Answers a query. It waits up to a second for its turn.
    ///
    /// # Errors
    /// [`Code::Syntax`], [`Code::UpdateRefused`], [`Code::ServiceRefused`], [`Code::UnknownGraph`],
    /// [`Code::NotAcceptable`]; [`Code::TooLarge`], [`Code::TooDeep`] for the text; [`Code::QueryTime`],
    /// [`Code::QueryMemory`], [`Code::QueryRows`], [`Code::QuerySize`] for what it takes; [`Code::Busy`],
    /// [`Code::TooManyQueries`] when it finds no turn.
    pub async fn sparql(&self, question: Question) -> Result<Solved> {
        if question.text.trim().is_empty() {
            let (da, en) = ("forespørgslen er tom", "the query is empty");
            return Err(Refusal::new(Code::InvalidParameter, da, en).at(crate::model::Place::field("query")));
        }
        let seen = gate::pass(&question.text)?;
        let graphs = self.rdf.get(&self.projections).await?;
        let turn = self.queries.turn(question.client).await?;
        let limits = &self.settings.sparql;
        let deadline = Instant::now() + limits.time;
        let abandoned = Arc::new(AtomicBool::new(false));
        // Set when this future is dropped: the caller hung up, or has its answer.
        let _given_up = GivenUp(abandoned.clone());
        let brake = Brake { deadline, memory: limits.memory, abandoned };
        let now = self.clock.now().to_string();
        let now = Literal::new_typed_literal(now, NamedNode::new_unchecked(oxrdf::vocab::xsd::DATE_TIME.as_str()));
        let work = work::Work {
            question,
            seen,
            graphs,
            projections: self.projections.clone(),
            limits: limits.clone(),
            brake,
            now,
        };
        let (sender, receiver) = oneshot::channel();
        self.queries.run(Box::new(move || {
            let _turn = turn;
            let _ = sender.send(work.run());
        }))?;
        // The thread stops by itself; but no answer waits for it.
        match tokio::time::timeout_at((deadline + Duration::from_millis(50)).into(), receiver).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => {
                let (da, en) = ("forespørgslen slog fejl hos os", "the query failed, by a fault of ours");
                Err(Refusal::new(Code::Internal, da, en))
            }
            Err(_) => Err(work::too_long(limits)),
        }
    }

    /// The graphs, if they have been built.
    #[must_use]
    pub fn graphs(&self) -> Option<Arc<Graphs<Telling>>> {
        self.rdf.now()
    }

    /// How many queries are running.
    #[must_use]
    pub fn queries_running(&self) -> usize {
        self.queries.running()
    }
}

struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}
