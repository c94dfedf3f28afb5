//! The figures of docs/performance.md on the graphs: `cargo bench --bench sparql [-- SIZE…]`. The ten kinds of
//! queries are held against the same evaluator over `oxrdf::Dataset`, and hostile queries against their deadline.

mod generator;

use std::sync::Arc;
use std::time::{Duration, Instant as Stopwatch};

use begreb::exchange::Format;
use begreb::model::{Clock, Instant};
use begreb::registry::{
    Actor, At, Identity, ImportRequest, Question, Registry, Settings, SolutionFormat, SparqlLimits, Wanted,
};
use begreb::store::Store;
use generator::code_system;
use oxrdf::Dataset;
use oxrdfio::{RdfFormat, RdfParser};
use spareval::{QueryEvaluator, QueryResults};
use spargebra::SparqlParser;

#[global_allocator]
static ALLOCATOR: begreb_meter::Meter = begreb_meter::Meter;

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Instant {
        "2026-11-22T12:00:00Z".parse().expect("an instant")
    }
}

fn main() {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 10_000, 100_000] } else { sizes };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    println!("| concepts | what | figure | held against |");
    println!("|---:|---|---:|---|");
    for size in sizes {
        let folder = std::env::temp_dir().join(format!("begreb-bench-sparql-{}-{size}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        runtime.block_on(measure(size, &folder.join("bench.db")));
        let _ = std::fs::remove_dir_all(&folder);
    }
}

fn row(size: usize, what: &str, figure: &str, against: &str) {
    println!("| {size} | {what} | {figure} | {against} |");
}

async fn open(database: &std::path::Path, sparql: SparqlLimits) -> Registry {
    let store = Store::open(&format!("sqlite:{}", database.display())).await.expect("a database");
    let settings = Settings { sparql, ..Settings::default() };
    Registry::open(store, Arc::new(FixedClock), settings).await.expect("a registry")
}

fn question(text: &str) -> Question {
    Question {
        text: text.into(),
        default_graphs: vec![],
        named_graphs: vec![],
        wanted: Wanted::File(Some(SolutionFormat::Json), Some(Format::Nt)),
        client: None,
    }
}

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().unwrap_or(0) * 1024
}

async fn measure(size: usize, database: &std::path::Path) {
    let limits = SparqlLimits { rows: 10_000_000, memory: 4 << 30, ..SparqlLimits::default() };
    let registry = open(database, limits).await;
    let bytes = code_system(size, 0, 0);
    let import = ImportRequest {
        meaning: None,
        vocabulary: "bench".parse().expect("a slug"),
        format: Format::Fhir,
        bytes: &bytes,
        label: Some("v1".parse().expect("a label")),
        effective: Some("2020-01-01T00:00:00Z".parse().expect("an instant")),
        identity: Identity::default(),
        accept_new: false,
        dry_run: false,
        language: None,
        decision: None,
        frame: None,
    };
    registry.import(&Actor::Operator("bench".into()), import).await.expect("an edition");
    let began = Stopwatch::now();
    registry.sparql(question("ASK {}")).await.expect("an answer");
    let built = began.elapsed();
    let graphs = registry.graphs().expect("they were built");
    let triples: usize = graphs.graphs().iter().map(|g| g.segment.len()).sum();
    let segments: usize = graphs.graphs().iter().map(|g| g.segment.bytes()).sum();
    row(size, "triples", &triples.to_string(), "");
    let rate = triples as f64 / built.as_secs_f64();
    row(size, "build of the graph", &format!("{:.2} s, {rate:.0} triples/s", built.as_secs_f64()), "");
    let per = |bytes: usize| format!("{} B/triple, {} B/concept", bytes / triples, bytes / size);
    row(size, "memory: triples", &per(segments), "");
    row(size, "memory: terms", &per(graphs.terms().bytes()), "");

    let view = registry.view("bench", &At::default()).expect("a view");
    let mut nt = Vec::new();
    registry.export(&view, Format::Nt, &mut nt).expect("an export");
    let before = resident();
    let parsed = RdfParser::from_format(RdfFormat::NTriples).for_slice(&nt);
    let dataset: Dataset = parsed.map(|q| q.expect("lawful")).collect();
    row(size, "memory: oxrdf::Dataset", &per(resident().saturating_sub(before)), "");
    drop(nt);
    let middle = view.edition.at((size / 2) as u32);
    let concept = view.vocabulary().iri(middle.uuid());
    let parent = view.vocabulary().iri(view.edition.at(0).uuid());
    let label = middle.said().label("da").to_owned();
    let skos = "PREFIX skos: <http://www.w3.org/2004/02/skos/core#> ";
    let queries = [
        ("Q1 one concept", format!("SELECT * {{ <{concept}> ?p ?o }}")),
        ("Q2 by label", format!("SELECT * {{ ?s skos:prefLabel \"{label}\"@da }}")),
        ("Q3 narrower and labels", format!("SELECT * {{ <{parent}> skos:narrower ?n . ?n skos:prefLabel ?l }}")),
        ("Q4 broader+", format!("SELECT * {{ <{concept}> skos:broader+ ?b }}")),
        ("Q5 count", "SELECT (COUNT(*) AS ?n) { ?s a skos:Concept }".into()),
        ("Q6 ORDER BY LIMIT 50", "SELECT * { ?s skos:inScheme ?x ; skos:prefLabel ?l } ORDER BY ?l LIMIT 50".into()),
        ("Q7 broader* to the top", format!("SELECT (COUNT(*) AS ?n) {{ ?s skos:broader* <{parent}> }}")),
        ("Q8 CONTAINS", "SELECT * { ?s skos:prefLabel ?l FILTER(CONTAINS(?l, \"krise\")) } LIMIT 100000".into()),
        ("Q9 GROUP BY", "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p".into()),
        ("Q10 CONSTRUCT", "CONSTRUCT { ?s skos:prefLabel ?l } WHERE { ?s skos:prefLabel ?l }".into()),
    ];
    for (name, text) in queries {
        let text = format!("{skos}{text}");
        let asked = question(&text);
        let mut times = Vec::new();
        let all = Stopwatch::now();
        while times.len() < 5 || (times.len() < 500 && all.elapsed() < Duration::from_secs(2)) {
            let began = Stopwatch::now();
            registry.sparql(asked.clone()).await.expect("an answer");
            times.push(began.elapsed());
        }
        let mut others = Vec::new();
        let all = Stopwatch::now();
        while others.len() < 3 || (others.len() < 500 && all.elapsed() < Duration::from_secs(2)) {
            let began = Stopwatch::now();
            drain(&text, &dataset);
            others.push(began.elapsed());
        }
        row(size, name, &format!("{} µs", median(&mut times)), &format!("oxrdf::Dataset {} µs", median(&mut others)));
    }
    drop((registry, dataset));
    hostile(size, database).await;
}

fn drain(text: &str, dataset: &Dataset) {
    let query = SparqlParser::new().parse_query(text).expect("SPARQL");
    let evaluator = QueryEvaluator::new();
    match evaluator.prepare(&query).execute(dataset).expect("an answer") {
        QueryResults::Solutions(rows) => rows.for_each(|r| drop(r.expect("a row"))),
        QueryResults::Graph(triples) => triples.for_each(|t| drop(t.expect("a triple"))),
        QueryResults::Boolean(_) => {}
    }
}

fn median(times: &mut [Duration]) -> u128 {
    times.sort_unstable();
    times[times.len() / 2].as_micros()
}

/// How long after its deadline a query's answer comes, and its thread is free.
async fn hostile(size: usize, database: &std::path::Path) {
    let time = Duration::from_secs(1);
    let registry = open(database, SparqlLimits { time, ..SparqlLimits::default() }).await;
    registry.sparql(question("ASK {}")).await.expect("an answer");
    let chain: String = (1..30).map(|i| format!("BIND(REPLACE(?x{}, \"a\", \"aa\") AS ?x{i}) ", i - 1)).collect();
    let values: String = (0..5000).map(|n| format!("{n} ")).collect();
    let many = |n: usize, part: &str| part.repeat(n);
    for (name, text) in [
        ("cartesian", "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }".to_owned()),
        ("unbounded paths", "SELECT (COUNT(*) AS ?n) { ?a (!<urn:x>)* ?b . ?b (!<urn:y>)* ?c }".into()),
        ("ORDER BY", "SELECT ?a { ?a ?b ?c . ?d ?e ?f } ORDER BY DESC(STR(?c)) STR(?f) LIMIT 1".into()),
        ("ORDER BY all", "SELECT ?a { ?a ?b ?c } ORDER BY DESC(LCASE(STR(?c))) UCASE(STR(?b)) LIMIT 1".into()),
        ("GROUP BY", "SELECT ?a ?d (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f } GROUP BY ?a ?d".into()),
        ("DISTINCT", "SELECT (COUNT(DISTINCT *) AS ?n) { ?a ?b ?c . ?d ?e ?f }".into()),
        ("GROUP_CONCAT", "SELECT (GROUP_CONCAT(?c) AS ?x) { ?a ?b ?c . ?d ?e ?f }".into()),
        ("REPLACE chain", format!("SELECT * {{ BIND(\"aaaaaaaa\" AS ?x0) {chain} }}")),
        ("unions of nothing", format!("SELECT (COUNT(*) AS ?n) {{ {} }}", many(40, "{ {} UNION {} } "))),
        ("VALUES joined", format!("SELECT * {{ VALUES ?x {{ {values} }} VALUES ?y {{ {values} }} ?s ?p ?o }}")),
        ("16 000 times ||", format!("SELECT * {{ ?s ?p ?o FILTER(?s{}) }} LIMIT 1", many(16_000, "||?o"))),
        ("16 000 times &&", format!("SELECT * {{ ?s ?p ?o FILTER(?s{}) }}", many(16_000, "&&?o"))),
        ("5 000 times || =", format!("SELECT * {{ ?s ?p ?o FILTER(?s = ?o{}) }}", many(5_000, "||(?s=?o)"))),
        ("1 999 times ||", format!("SELECT * {{ ?s ?p ?o FILTER(?s{}) }} LIMIT 1", many(1_999, "||?o"))),
        ("150 OPTIONAL", format!("SELECT * {{ {} }} LIMIT 1", many(149, "OPTIONAL { ?s ?p ?o } "))),
        (
            "290 OPTIONAL apart",
            format!(
                "SELECT * {{ {} }} LIMIT 1",
                (0..145).map(|n| format!("OPTIONAL {{ ?s{n} ?p{n} ?o{n} }}")).collect::<String>()
            ),
        ),
        (
            "290 triples",
            format!("SELECT * {{ {} }} LIMIT 1", (0..290).map(|n| format!("?a{n} ?b ?c.")).collect::<String>()),
        ),
        (
            "290 triples apart",
            format!("SELECT * {{ {} }} LIMIT 1", (0..290).map(|n| format!("?a{n} ?b{n} ?c{n}.")).collect::<String>()),
        ),
        ("149 UNION", format!("SELECT * {{ {{}} {} }} LIMIT 1", many(140, "UNION{}"))),
        ("290 steps", format!("SELECT * {{ ?s <urn:a>{} ?o }} LIMIT 1", many(280, "/<urn:a>"))),
        (
            "290 alternatives",
            format!("SELECT (COUNT(*) AS ?n) {{ ?s (<urn:a>{})* ?o }} LIMIT 1", many(280, "|<urn:a>")),
        ),
        ("2 500 OPTIONAL", format!("SELECT * {{ {} }} LIMIT 1", many(2_500, "OPTIONAL { ?s ?p ?o } "))),
        (
            "5 000 triples",
            format!("SELECT * {{ {} }} LIMIT 1", (0..5_000).map(|n| format!("?a{n} ?b ?c.")).collect::<String>()),
        ),
        ("9 000 UNION", format!("SELECT * {{ {{}} {} }} LIMIT 1", many(9_000, "UNION{}"))),
        ("1 500 paths", format!("SELECT * {{ ?s <urn:a>{} ?o }} LIMIT 1", many(6_000, "/<urn:a>"))),
        ("30 000 IN", format!("SELECT * {{ ?s ?p ?o FILTER(?o IN (1{})) }} LIMIT 1", many(30_000, ",1"))),
    ] {
        let began = Stopwatch::now();
        let answer = registry.sparql(question(&text)).await;
        let took = began.elapsed();
        let freed = Stopwatch::now();
        while registry.queries_running() > 0 && freed.elapsed() < Duration::from_secs(60) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let how = answer.map_or_else(|r| r.code.as_str(), |_| "ok");
        let figure = format!("{how}, {} ms, thread free {} ms later", took.as_millis(), freed.elapsed().as_millis());
        row(size, &format!("hostile: {name}"), &figure, "1000 ms, at most 100 ms more");
    }
}
