//! The SPARQL endpoint through the router: the protocol, the graphs, what is refused, and what is stopped.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use begreb::exchange::Format;
use begreb::http::HttpOptions;
use begreb::registry::SparqlLimits;
use common::{Answer, World, edition, encoded, kl, on_every_database};
use insta::assert_snapshot;
use oxrdf::{Dataset, Graph, Triple};
use oxrdfio::{RdfFormat, RdfParser};
use serde_json::Value;

// Memory is counted as in the program.
#[global_allocator]
static METER: begreb_meter::Meter = begreb_meter::Meter;

const GRAPH: &str = "http://127.0.0.1:8080/id/serviceparagraffer";
const JSON: &str = "application/sparql-results+json";

async fn ask(w: &World, query: &str, accept: &str) -> Answer {
    w.ask("GET", &format!("/sparql?query={}", encoded(query)), &[("accept", accept)]).await
}

async fn post(w: &World, media: &str, body: impl Into<Body>, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method("POST").uri("/sparql").header("content-type", media);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    w.send(request.body(body.into()).expect("a request")).await
}

async fn rows(w: &World, query: &str) -> Vec<Value> {
    let answer = ask(w, query, JSON).await.ok().json();
    answer["results"]["bindings"].as_array().expect("rows").clone()
}

async fn count(w: &World, query: &str) -> u64 {
    let rows = rows(w, query).await;
    rows[0]["n"]["value"].as_str().expect("a number").parse().expect("a number")
}

fn graph(bytes: &[u8], format: RdfFormat) -> Graph {
    let quads = RdfParser::from_format(format).for_slice(bytes);
    let mut graph: Graph = quads.map(|q| Triple::from(q.expect("lawful RDF"))).collect();
    graph.canonicalize(oxrdf::graph::CanonicalizationAlgorithm::Unstable);
    graph
}

fn lines(graph: &Graph) -> BTreeSet<String> {
    graph.iter().map(|t| t.to_string()).collect()
}

#[tokio::test]
async fn the_graph_is_the_export() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        if let Some(bytes) = kl("FSIII-2024-10-31.json") {
            w.import(edition("fsiii", Format::Fhir, &bytes, "2024-10-31", "2024-10-31")).await.expect("it is taken in");
        }
        for slug in w.registry.vocabularies().iter().map(|v| v.vocabulary.slug.to_string()) {
            let export = w.get(&format!("/api/v1/vocabularies/{slug}/export?format=ttl")).await.ok();
            let expected = lines(&graph(&export.body, RdfFormat::Turtle));
            let iri = GRAPH.replace("serviceparagraffer", &slug);
            for query in [
                format!("CONSTRUCT {{ ?s ?p ?o }} FROM <{iri}> WHERE {{ ?s ?p ?o }}"),
                format!("CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{iri}> {{ ?s ?p ?o }} }}"),
            ] {
                let told = ask(&w, &query, "application/n-triples").await.ok();
                assert_eq!(lines(&graph(&told.body, RdfFormat::NTriples)), expected, "{slug}");
            }
            assert!(count(&w, &format!("SELECT (COUNT(*) AS ?n) FROM <{iri}> {{ ?s ?p ?o }}")).await > 100);
        }
    })
    .await;
}

#[tokio::test]
async fn a_version_is_a_graph() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let version = format!("{GRAPH}/versions/2010-12-08");
        let export = w.get("/api/v1/vocabularies/serviceparagraffer/export?format=nt&version=2010-12-08").await.ok();
        let expected = lines(&graph(&export.body, RdfFormat::NTriples));
        let all = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }";
        for uri in [
            format!("/sparql?format=nt&query={}", encoded(&all.replace("WHERE", &format!("FROM <{version}> WHERE")))),
            format!("/sparql?format=nt&query={}&default-graph-uri={}", encoded(all), encoded(&version)),
            format!(
                "/sparql?format=nt&query={}",
                encoded(&format!("CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{version}> {{ ?s ?p ?o }} }}"))
            ),
            format!(
                "/sparql?format=nt&named-graph-uri={}&query={}",
                encoded(&version),
                encoded("CONSTRUCT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }")
            ),
        ] {
            let told = w.get(&uri).await.ok();
            assert_eq!(lines(&graph(&told.body, RdfFormat::NTriples)), expected, "{uri}");
        }
        // What is in force and a past version, merged: what both say is said once.
        let merged = format!("SELECT (COUNT(*) AS ?n) FROM <{GRAPH}> FROM <{version}> {{ ?s ?p ?o }}");
        let counted = count(&w, &merged).await as usize;
        let distinct = merged.replace("COUNT(*)", "COUNT(DISTINCT *)");
        assert_eq!(counted, count(&w, &distinct).await as usize);
        assert!(counted > expected.len());
        // Only what is in force is listed; an unknown graph is empty.
        let listed = rows(&w, "SELECT ?g { GRAPH ?g {} }").await;
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0]["g"]["value"], GRAPH);
        assert_eq!(count(&w, &format!("SELECT (COUNT(*) AS ?n) {{ GRAPH <{GRAPH}/x> {{ ?s ?p ?o }} }}")).await, 0);
        // With FROM, no graph has a name but those of FROM NAMED.
        let none = format!("SELECT (COUNT(*) AS ?n) FROM <{GRAPH}> {{ GRAPH ?g {{ ?s ?p ?o }} }}");
        assert_eq!(count(&w, &none).await, 0);
        let named = format!("SELECT (COUNT(*) AS ?n) FROM NAMED <{GRAPH}> {{ ?s ?p ?o }}");
        assert_eq!(count(&w, &named).await, 0);
    })
    .await;
}

/// Graphs of versions are built within what a query may take, and side by side.
#[tokio::test(flavor = "multi_thread")]
async fn versions_have_a_budget() {
    on_every_database(async |w| {
        let table = |n: usize| {
            let row = |i: usize| format!("K{i},begreb {i} udgave {}\n", if i.is_multiple_of(2) { n } else { 0 });
            format!("notation,preferred.da\n{}", (0..800).map(row).collect::<String>()).into_bytes()
        };
        for n in 1..=5 {
            let day = format!("2020-01-{n:02}");
            w.import(edition("proeve", Format::Csv, &table(n), &format!("v{n}"), &day)).await.expect("an edition");
        }
        let iri = |n: usize| GRAPH.replace("serviceparagraffer", &format!("proeve/versions/v{n}"));
        let from = |list: &[usize]| {
            let from: String = list.iter().map(|n| format!("FROM <{}> ", iri(*n))).collect();
            format!("SELECT (COUNT(*) AS ?n) {from} {{ ?s ?p ?o }}")
        };
        let said = |n: usize| {
            format!(
                "PREFIX skos: <http://www.w3.org/2004/02/skos/core#> SELECT (COUNT(*) AS ?n) FROM <{}> \
                 {{ ?s skos:prefLabel ?l FILTER(STRENDS(?l, \"udgave {n}\")) }}",
                iri(n)
            )
        };
        // With next to no time it is refused, the thread is given back, and nothing half remains.
        let short = w.with_queries(SparqlLimits { time: Duration::from_millis(30), ..SparqlLimits::default() }).await;
        // Everything but the version is at hand.
        let _ = ask(&short, "ASK {}", JSON).await;
        assert_eq!(ask(&short, &from(&[1]), JSON).await.with(504).code(), "query-time");
        let began = Instant::now();
        while short.registry.queries_running() > 0 && began.elapsed() < Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let freed = began.elapsed();
        assert!(freed < Duration::from_secs(1), "{freed:?}");
        let w = short.with_queries(SparqlLimits { concurrency: 8, per_client: 8, ..SparqlLimits::default() }).await;
        ask(&w, "ASK {}", JSON).await.ok();
        // Who hangs up midway leaves nothing half; the next who asks builds it.
        let hurried = tokio::time::timeout(Duration::from_millis(20), ask(&w, &from(&[1]), JSON)).await;
        assert!(hurried.is_err(), "building takes longer");
        let began = Instant::now();
        while w.registry.queries_running() > 0 && began.elapsed() < Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        eprintln!("given up after {freed:?} and {:?}", began.elapsed());
        // The same version is built once, others beside it.
        let (first, second, third, again) = (said(1), said(2), said(3), said(2));
        let (a, b, c, d) = tokio::join!(count(&w, &first), count(&w, &second), count(&w, &third), count(&w, &again));
        assert_eq!((a, b, c, d), (400, 400, 400, 400));
        // The numbers of all are those of one numbering, whoever came first.
        let differ = format!(
            "PREFIX skos: <http://www.w3.org/2004/02/skos/core#> SELECT (COUNT(*) AS ?n) {{ \
             GRAPH <{}> {{ ?s skos:prefLabel ?l }} FILTER NOT EXISTS {{ GRAPH <{}> {{ ?s skos:prefLabel ?l }} }} }}",
            iri(1),
            iri(3)
        );
        assert_eq!(count(&w, &differ).await, 400);
        for n in 1..=5 {
            let export = w.get(&format!("/api/v1/vocabularies/proeve/export?format=nt&version=v{n}")).await.ok();
            let all = format!("CONSTRUCT {{ ?s ?p ?o }} FROM <{}> WHERE {{ ?s ?p ?o }}", iri(n));
            let told = ask(&w, &all, "application/n-triples").await.ok();
            let sorted = |bytes: &[u8]| {
                let quads = RdfParser::from_format(RdfFormat::NTriples).for_slice(bytes);
                // Blank nodes have other names.
                let name = |t: String| {
                    t.split(' ').map(|p| if p.starts_with("_:") { "_:" } else { p }).collect::<Vec<_>>().join(" ")
                };
                let mut all: Vec<String> = quads.map(|q| name(Triple::from(q.expect("RDF")).to_string())).collect();
                all.sort();
                all
            };
            assert!(sorted(&told.body) == sorted(&export.body), "version {n}");
        }
        // Room for one version and a half: one is answered, also when it is named twice, two are refused.
        let one = count(&w, &from(&[1])).await as usize;
        let versions = one * 3 / 2;
        let w = w.with_queries(SparqlLimits { versions, ..SparqlLimits::default() }).await;
        assert_eq!(count(&w, &from(&[1, 1])).await as usize, one);
        let twice = format!("SELECT (COUNT(*) AS ?n) FROM <{0}> FROM NAMED <{0}> {{ ?s ?p ?o }}", iri(1));
        assert_eq!(count(&w, &twice).await as usize, one);
        let answer = ask(&w, &from(&[1, 2]), JSON).await.with(413);
        assert_eq!(
            (answer.code().as_str(), answer.json()["allowed"][0].as_str()),
            ("too-large", Some(versions.to_string().as_str()))
        );
        // The others make room for each other.
        for n in [2, 3, 4, 5, 1] {
            assert_eq!(count(&w, &said(n)).await, 400, "{n}");
        }
        // A name that no graph has is told before anything is built.
        let unknown = from(&[2]).replace("{ ?s", "FROM <urn:x:none> { ?s");
        assert_eq!(ask(&w, &unknown, JSON).await.code(), "unknown-graph");
    })
    .await;
}

#[tokio::test]
async fn the_protocol() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let select = "PREFIX skos: <http://www.w3.org/2004/02/skos/core#> \
            SELECT ?begreb ?navn ?intet { ?begreb skos:notation \"SEL\" ; skos:prefLabel ?navn OPTIONAL { ?begreb skos:x ?intet } } \
            ORDER BY ?navn";
        let construct = "PREFIX skos: <http://www.w3.org/2004/02/skos/core#> \
            CONSTRUCT { ?begreb skos:prefLabel ?navn } WHERE { ?begreb skos:notation \"SEL\" ; skos:prefLabel ?navn }";
        let truth = "ASK { ?s a <http://www.w3.org/2004/02/skos/core#Concept> }";
        for (name, query, media) in [
            ("json", select, JSON),
            ("xml", select, "application/sparql-results+xml"),
            ("csv", select, "text/csv"),
            ("tsv", select, "text/tab-separated-values"),
            ("ask_json", truth, JSON),
            ("ask_xml", truth, "application/sparql-results+xml"),
            ("ask_csv", truth, "text/csv"),
            ("construct_ttl", construct, "text/turtle"),
            ("construct_nt", construct, "application/n-triples"),
            ("construct_rdf", construct, "application/rdf+xml"),
            ("construct_jsonld", construct, "application/ld+json"),
        ] {
            let by_get = ask(&w, query, media).await.ok();
            assert_snapshot!(name, by_get.shown());
            let format = name.rsplit('_').next().expect("a name");
            let form = format!("query={}&format={format}", encoded(query));
            let by_form = post(&w, "application/x-www-form-urlencoded", form, &[]).await.ok();
            let by_body = post(&w, "application/sparql-query; charset=UTF-8", query.to_owned(), &[("accept", media)]).await.ok();
            assert_eq!(by_get.body, by_form.body, "{name}");
            assert_eq!(by_get.body, by_body.body, "{name}");
            assert_eq!(by_get.header("access-control-allow-origin"), "*");
            assert_eq!(by_get.header("begreb-log-position"), w.position().await.to_string());
            let known = by_get.header("etag");
            let again = w.ask("GET", &format!("/sparql?query={}", encoded(query)), &[("accept", media), ("if-none-match", &known)]).await;
            assert_eq!((again.status, again.body.len()), (304, 0), "{name}");
            let head = w.ask("HEAD", &format!("/sparql?query={}", encoded(query)), &[("accept", media)]).await.ok();
            assert_eq!(head.header("content-type"), by_get.header("content-type"));
        }
        let old = Request::builder()
            .method("POST")
            .uri(format!("/sparql?default-graph-uri={}", encoded(&format!("{GRAPH}/versions/2010-12-08"))))
            .header("content-type", "application/sparql-query");
        let old = w.send(old.body("SELECT (COUNT(*) AS ?n) { ?s a ?c }".into()).expect("a request")).await.ok();
        assert_ne!(old.json(), ask(&w, "SELECT (COUNT(*) AS ?n) { ?s a ?c }", JSON).await.json());
        // Plain JSON is the same bytes under the name that was asked for.
        assert_eq!(ask(&w, select, "application/json").await.ok().header("content-type"), "application/json");
        assert_eq!(ask(&w, select, "*/*").await.ok().header("content-type"), JSON);
        let preflight = [("origin", "https://x.example"), ("access-control-request-method", "POST")];
        let preflight = w.ask("OPTIONS", "/sparql", &preflight).await.ok();
        assert!(preflight.header("access-control-allow-methods").contains("POST"));
        assert_eq!(w.ask("PUT", "/sparql", &[]).await.with(405).code(), "method-not-allowed");
        assert_eq!(ask(&w, select, "image/png").await.with(406).code(), "not-acceptable");
        assert_eq!(ask(&w, select, "text/turtle").await.with(406).code(), "not-acceptable");
        assert_eq!(ask(&w, construct, "text/csv").await.with(406).code(), "not-acceptable");
    })
    .await;
}

#[tokio::test]
async fn descriptions() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        assert_snapshot!("service", w.ask("GET", "/sparql", &[("accept", "text/turtle")]).await.shown());
        assert_snapshot!("void", w.get("/.well-known/void").await.shown());
        assert_snapshot!("catalog", w.get("/api/v1/catalog?format=ttl").await.shown());
        for address in ["/sparql", "/.well-known/void", "/api/v1/catalog"] {
            let mut told: Vec<BTreeSet<String>> = Vec::new();
            for (media, format) in [
                ("text/turtle", RdfFormat::Turtle),
                ("application/n-triples", RdfFormat::NTriples),
                ("application/rdf+xml", RdfFormat::RdfXml),
                ("application/ld+json", RdfFormat::JsonLd { profile: Default::default() }),
            ] {
                let answer = w.ask("GET", address, &[("accept", media)]).await.ok();
                assert!(answer.header("content-type").starts_with(media), "{address} {media}");
                told.push(lines(&graph(&answer.body, format)));
            }
            assert!(told[0].len() > 10 && told.iter().all(|t| *t == told[0]), "{address}: all syntaxes say the same");
        }
        assert_eq!(w.get("/api/v1/catalog").await.ok().header("content-type"), "application/ld+json");
        assert_eq!(w.ask("GET", "/api/v1/catalog", &[("accept", "application/json")]).await.ok().status, 200);
        // The numbers of VoID are those of the graph.
        let triples = count(&w, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }").await;
        assert!(w.get("/.well-known/void").await.ok().text().contains(&format!("void:triples {triples}")));
        let ready = w.json("/health/ready").await;
        assert_eq!(ready["projections"]["rdf"]["behind"], 0, "{ready}");
        let metrics = w.get("/metrics").await.ok().text();
        for line in ["begreb_projection_behind{projection=\"rdf\"} 0", "begreb_sparql_queries_total{outcome=\"ok\"} 1"]
        {
            assert!(metrics.contains(line), "{line} in {metrics}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_page() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        if let Some(bytes) = kl("FSIII-2024-10-31.json") {
            w.import(edition("fsiii", Format::Fhir, &bytes, "2024-10-31", "2024-10-31")).await.expect("it is taken in");
        }
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let page = w.ask("GET", "/sparql", &[("accept", browser)]).await.ok();
        assert!(page.header("content-security-policy").contains("form-action 'self'"));
        assert!(page.text().contains("Spørg graferne") && page.text().contains("<textarea"));
        let english = w.ask("GET", "/sparql", &[("accept", browser), ("accept-language", "en")]).await.ok();
        assert!(english.text().contains("Ask the graphs"));
        let examples: Vec<String> = page
            .text()
            .split("<li><a href=\"")
            .skip(1)
            .map(|part| part.split('"').next().expect("an address").replace("&#38;", "&").replace("&amp;", "&"))
            .collect();
        assert!(examples.len() >= 7, "{examples:?}");
        for example in examples {
            let answer = w.get(&example).await.ok().text();
            let json = w.get(&example.replace("format=html", "format=json")).await.ok().json();
            let found = json["results"]["bindings"].as_array().map_or(json.as_array().map_or(0, Vec::len), Vec::len);
            eprintln!("{found} rows: {}", example.chars().take(60).collect::<String>());
            let words = example.contains("ORDER+BY+%3Ford");
            assert!(found > 0 || words, "{example} answers something");
            assert!(answer.contains("<table>"), "{example}");
        }
        let wrong = w.ask("GET", "/sparql?query=SELECT+%7B", &[("accept", browser)]).await.with(400);
        assert!(wrong.text().contains("role=\"alert\"") && wrong.text().contains("line 1"));
        let unsafe_text =
            w.ask("GET", "/sparql?query=%3C/textarea%3E%3Cscript%3E", &[("accept", browser)]).await.with(400);
        assert!(!unsafe_text.text().contains("<script>"));
        assert_eq!(
            w.ask("GET", "/sparql?format=html&query=ASK%7B%7D", &[]).await.ok().text().matches("<strong>ja").count(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn bad_input() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let q = |text: &str| format!("/sparql?query={}", encoded(text));
        let mut shown = String::new();
        for uri in [
            "/sparql?query=".to_owned(),
            "/sparql?query=%20%0A".into(),
            "/sparql?query=ASK%7B%7D&query=ASK%7B%7D".into(),
            "/sparql?query=ASK%7B%7D&timeout=5".into(),
            "/sparql?query=ASK%7B%7D&format=pdf".into(),
            "/sparql?query=%FF%FE".into(),
            "/sparql?default-graph-uri=urn:x".into(),
            "/sparql?update=DROP+ALL".into(),
            q("SELECT ?x WHERE {\n  ?x ?y \n}"),
            q("INSERT DATA { <urn:a> <urn:b> <urn:c> }"),
            q("LOAD <http://x.example/>"),
            q("SELECT * { SERVICE <http://x.example/> { ?s ?p ?o } }"),
            q("SELECT * { SERVICE SILENT <http://x.example/> { ?s ?p ?o } }"),
            q("SELECT * FROM <http://x.example/> { ?s ?p ?o }"),
            q("SELECT (<http://x.example/f>(1) AS ?x) {}"),
            q("SELECT * { ?s ex:p ?o }"),
            q(&format!("SELECT * {{ {}?s ?p ?o{} }}", "{".repeat(120), "}".repeat(120))),
            q("\u{0}\u{1}"),
            format!("/sparql?query=ASK%7B%7D&default-graph-uri={}", encoded("urn:x:unknown")),
        ] {
            let answer = w.get(&uri).await;
            shown.push_str(&answer.shown());
            shown.push_str("\n\n");
        }
        assert_snapshot!("bad_addresses", shown);
        let mut shown = String::new();
        for (media, body) in [
            ("application/sparql-query", b"".to_vec()),
            ("application/sparql-query", b"SELECT *\n{ \xff }".to_vec()),
            ("application/sparql-query; charset=latin1", b"ASK {}".to_vec()),
            ("application/sparql-update", b"DROP ALL".to_vec()),
            ("text/plain", b"ASK {}".to_vec()),
            ("application/json", b"{}".to_vec()),
            ("application/x-www-form-urlencoded", b"".to_vec()),
            ("application/x-www-form-urlencoded", b"update=DROP%20ALL".to_vec()),
            ("application/x-www-form-urlencoded", b"\x80\x81=\xff".to_vec()),
            ("application/sparql-query", (0..=255).collect()),
            ("application/sparql-query", vec![b'a'; 1 << 20]),
            ("application/x-www-form-urlencoded", [b"query=".to_vec(), vec![b'a'; 1 << 20]].concat()),
        ] {
            let answer = post(&w, media, body, &[]).await;
            shown.push_str(&format!("{media}\n{}\n\n", answer.shown()));
        }
        assert_snapshot!("bad_bodies", shown);
    })
    .await;
}

/// What a query is stopped for, and how soon; meanwhile others are answered.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_queries_are_stopped() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        if let Some(bytes) = kl("FSIII-2024-10-31.json") {
            w.import(edition("fsiii", Format::Fhir, &bytes, "2024-10-31", "2024-10-31")).await.expect("it is taken in");
        }
        let limits = SparqlLimits { time: Duration::from_millis(250), memory: 48 << 20, rows: 20_000, ..SparqlLimits::default() };
        let w = w.with_queries(limits).await;
        count(&w, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }").await;
        let chain = |step: &str| {
            let binds: String = (1..40).map(|i| format!("BIND({} AS ?x{i}) ", step.replace('#', &format!("?x{}", i - 1)))).collect();
            format!("SELECT * {{ BIND(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" AS ?x0) {binds} }}")
        };
        let values: String = (0..5000).map(|n| format!("{n} ")).collect();
        let optionals: String = (0..30).map(|n| format!("OPTIONAL {{ ?s{n} ?p{n} ?o{n} }} ")).collect();
        let unions = "{ {} UNION {} } ".repeat(40);
        let empties = format!("VALUES () {{ {} }} ", "() ".repeat(50)).repeat(6);
        let undefs = format!("{{ VALUES ?u {{ {} }} }} ", "UNDEF ".repeat(60)).repeat(6);
        let nothing = "{ SELECT ?nothing { ?s ?p ?o } } ".repeat(4);
        let ors = "||(?s = ?o)".repeat(900);
        // A text of 1 MiB, by doubling.
        let dear = |then: &str| {
            let binds: String = (1..16).map(|i| format!("BIND(CONCAT(?x{0}, ?x{0}) AS ?x{i}) ", i - 1)).collect();
            format!("SELECT (COUNT(*) AS ?n) {{ BIND(\"{}\" AS ?x0) {binds} {then} }}", "aababbbaabbabaab".repeat(2))
        };
        let limit = ["query-time", "query-memory", "query-rows", "query-size"];
        let hostile: Vec<(&str, String, &[&str])> = vec![
            ("cartesian rows", "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }".into(), &limit),
            ("cartesian count", "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }".into(), &limit),
            ("cartesian exists", "ASK { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(STR(?c) = CONCAT(STR(?f), STR(?i), \"x\")) }".into(), &limit),
            ("offset", "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } OFFSET 1000000000000".into(), &limit),
            ("path closure", "SELECT (COUNT(*) AS ?n) { ?a (!<urn:x>|^<urn:y>)* ?b . ?b (!<urn:x>)* ?c }".into(), &limit),
            ("path of paths", "SELECT (COUNT(*) AS ?n) { ?a ((!<urn:x>)*/(!<urn:y>)*)* ?b }".into(), &limit),
            ("sort", "SELECT ?a { ?a ?b ?c . ?d ?e ?f } ORDER BY DESC(STR(?c)) STR(?f) LIMIT 1".into(), &limit),
            ("group", "SELECT ?a ?d (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } GROUP BY ?a ?d".into(), &limit),
            ("distinct", "SELECT (COUNT(DISTINCT *) AS ?n) { ?a ?b ?c . ?d ?e ?f }".into(), &limit),
            ("group_concat", "SELECT (GROUP_CONCAT(?c) AS ?x) { ?a ?b ?c . ?d ?e ?f }".into(), &limit),
            ("concat chain", chain("CONCAT(#, #)"), &limit),
            ("replace chain", chain("REPLACE(#, \"a\", \"aa\")"), &limit),
            ("encode chain", format!("SELECT * {{ BIND(\"§§§§§§§§§§§§§§§§§§\" AS ?x0) {} }}", (1..40).map(|i| format!("BIND(ENCODE_FOR_URI(CONCAT(?x{0}, ?x{0})) AS ?x{i}) ", i - 1)).collect::<String>()), &limit),
            ("replace at once", format!("SELECT (REPLACE(\"{}\", \"a\", \"{}\") AS ?x) {{}}", "a".repeat(20_000), "b".repeat(20_000)), &limit),
            ("regex", "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f FILTER(REGEX(CONCAT(STR(?c), STR(?f)), \"(a+)+$\")) }".into(), &limit),
            ("regex computed", "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f FILTER(REGEX(STR(?c), CONCAT(\"(x{50}){50}\", STR(?f)))) }".into(), &limit),
            ("regex dear", dear("FILTER(REGEX(?x15, \"([ab]{0,90}a){0,90}[cd]\"))"), &["query-size"]),
            ("regex dear, computed", dear("FILTER(REGEX(?x15, CONCAT(\"([ab]{0,90}a){0,90}\", \"[cd]\")))"), &["query-size"]),
            ("replace dear", dear("BIND(REPLACE(?x15, \"([ab]{0,90}a){0,90}[cd]\", \"$1\") AS ?y)"), &["query-size"]),
            ("replace again and again", dear("BIND(REPLACE(?x15, \"[ab]*c|a\", \"x\") AS ?y)"), &limit),
            ("optionals", format!("SELECT (COUNT(*) AS ?n) {{ {optionals} }}"), &limit),
            ("unions of nothing", format!("SELECT (COUNT(*) AS ?n) {{ {unions} }}"), &limit),
            ("values of nothing", format!("SELECT (COUNT(*) AS ?n) {{ {empties} }}"), &limit),
            ("values undefined", format!("SELECT (COUNT(*) AS ?n) {{ {undefs} }}"), &limit),
            ("subqueries of nothing", format!("SELECT (COUNT(*) AS ?n) {{ {nothing} }}"), &limit),
            ("values joined", format!("SELECT (COUNT(*) AS ?n) {{ VALUES ?x {{ {values} }} VALUES ?y {{ {values} }} ?s ?p ?o }}"), &limit),
            ("minus", "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f MINUS { ?a ?b ?x . ?g ?h ?i } }".into(), &limit),
            ("exists each", "SELECT (COUNT(*) AS ?n) { ?a ?b ?c FILTER EXISTS { ?d ?e ?f . ?g ?h ?i FILTER(?f = <urn:x>) } }".into(), &limit),
            ("or chain", format!("SELECT (COUNT(*) AS ?n) {{ ?s ?p ?o . ?a ?b ?c FILTER(?s = ?a{ors}) }}"), &limit),
            ("describe", "DESCRIBE * { ?s ?p ?o . ?a ?b ?c }".into(), &limit),
            ("construct", "CONSTRUCT { ?a ?b ?f } { ?a ?b ?c . ?d ?e ?f }".into(), &limit),
            ("brackets", format!("SELECT * {{ ?s ?p ?o FILTER({}1{}) }}", "(".repeat(10_000), ")".repeat(10_000)), &["too-deep"]),
            ("negations", format!("SELECT * {{ ?s ?p ?o FILTER({}1{}) }}", "!(".repeat(60), ")".repeat(60)), &["too-deep"]),
            ("replaces", format!("SELECT * {{ ?s ?p ?o FILTER({}?o{}) }}", "REPLACE(".repeat(60), ",'a','b')".repeat(60)), &["too-deep"]),
            ("triples", format!("SELECT * {{ {} }}", "?s ?p ?o. ".repeat(5000)), &["too-large"]),
            ("ors", format!("SELECT * {{ ?s ?p ?o FILTER(?s{}) }}", "||?o".repeat(16_000)), &["too-large"]),
            ("unions", format!("SELECT * {{ {{}} {} }}", "UNION{}".repeat(9000)), &["too-large"]),
            ("path steps", format!("SELECT * {{ ?s <urn:a>{} ?o }}", "/<urn:a>".repeat(7000)), &["too-large"]),
            ("large", format!("SELECT * {{ ?s ?p \"{}\" }}", "x".repeat(1 << 20)), &["too-large"]),
        ];
        for (name, query, codes) in hostile {
            let began = Instant::now();
            let asked = post(&w, "application/sparql-query", query, &[("accept", "application/sparql-results+json, text/turtle")]);
            let simple = async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                let began = Instant::now();
                ask(&w, "ASK { ?s a <http://www.w3.org/2004/02/skos/core#Concept> }", JSON).await.ok();
                began.elapsed()
            };
            let (answer, simple) = tokio::join!(asked, simple);
            let took = began.elapsed();
            let code = answer.code();
            let free = Instant::now();
            while w.registry.queries_running() > 0 && free.elapsed() < Duration::from_secs(20) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let (took_ms, simple_ms, free) = (took.as_millis(), simple.as_millis(), free.elapsed().as_millis());
            eprintln!("{name:24} {code:13} {took_ms:5} ms   beside it {simple_ms:4} ms   thread free after {free:4} ms");
            assert!(codes.contains(&code.as_str()), "{name}: {code}");
            assert!(took < Duration::from_secs(8), "{name}: {took:?}");
            assert!(simple < Duration::from_secs(5), "{name}: beside it {simple:?}");
            if name.starts_with("regex") || name.starts_with("replace") {
                assert!(free < 1000, "{name}: the thread is free after {free} ms");
            }
        }
        assert_eq!(w.registry.queries_running(), 0, "every thread is given back");
    })
    .await;
}

/// A pattern that is written out is compiled once: many rows cost what the search costs.
#[tokio::test]
async fn patterns_over_all_labels() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let all = "{ ?s ?p ?l . ?t a <http://www.w3.org/2004/02/skos/core#Concept> FILTER(ISLITERAL(?l)) ";
        let time = async |then: &str| {
            let began = Instant::now();
            (count(&w, &format!("SELECT (COUNT(*) AS ?n) {all} {then} }}")).await, began.elapsed())
        };
        let (rows, without) = time("").await;
        let (found, with) = time("FILTER(CONTAINS(LCASE(STR(?l)), \"lov\"))").await;
        let (matched, regex) = time("FILTER(REGEX(STR(?l), \"lov\", \"i\"))").await;
        let (replaced, replace) = time("FILTER(REPLACE(STR(?l), \"lov\", \"\", \"i\") != STR(?l))").await;
        eprintln!("{rows} rows: {without:?}; CONTAINS {with:?}; REGEX {regex:?}; REPLACE {replace:?}");
        assert!(found > 0 && found == matched && found == replaced, "{found} {matched} {replaced}");
        let (many, dear) = time("FILTER(REGEX(STR(?l), \"^\\\\p{L}+ .*\\\\w+\", \"i\"))").await;
        eprintln!("{many} rows, a large pattern: {dear:?}");
        assert!(many > 0);
        // Boundaries of words match nothing, and are passed.
        let row = "SELECT (REPLACE(\"æb c\", \"\\\\b\", \"-\") AS ?n) {}";
        assert_eq!(self::rows(&w, row).await[0]["n"]["value"], "-æb- -c-");
    })
    .await;
}

#[tokio::test]
async fn rows_are_limited_and_never_cut() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let w = w.with_queries(SparqlLimits { rows: 10, ..SparqlLimits::default() }).await;
        assert_eq!(rows(&w, "SELECT * { ?s ?p ?o } LIMIT 10").await.len(), 10);
        let answer = ask(&w, "SELECT * { ?s ?p ?o } LIMIT 11", JSON).await.with(413);
        assert_eq!(answer.code(), "query-rows");
        assert_eq!(answer.json()["allowed"][0], "10");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_are_taken() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let limits = SparqlLimits { time: Duration::from_millis(1500), concurrency: 2, ..SparqlLimits::default() };
        let w = w.with_queries(limits).await;
        let slow = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }";
        let late = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            ask(&w, "ASK {}", JSON).await
        };
        let (a, b, late) = tokio::join!(ask(&w, slow, JSON), ask(&w, slow, JSON), late);
        assert_eq!((a.code().as_str(), b.code().as_str()), ("query-time", "query-time"));
        assert_eq!(late.with(503).code(), "busy");
        assert_eq!(ask(&w, "ASK {}", JSON).await.ok().status, 200);
        // One client has its own limit, another is not held up by it.
        let w = w
            .with_queries(SparqlLimits { time: Duration::from_millis(1500), per_client: 1, ..SparqlLimits::default() })
            .await;
        let w = w.with_options(&HttpOptions { trust_forwarded: true, ..HttpOptions::default() });
        let of = async |client: &str, query: &str| {
            let uri = format!("/sparql?query={}", encoded(query));
            w.ask("GET", &uri, &[("accept", JSON), ("x-forwarded-for", client)]).await
        };
        let second = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            (of("10.0.0.1, 192.0.2.1", "ASK {}").await, of("192.0.2.1, 192.0.2.2", "ASK {}").await)
        };
        let (first, (again, other)) = tokio::join!(of("192.0.2.1", slow), second);
        assert_eq!(first.code(), "query-time");
        assert_eq!(again.header("retry-after"), "1");
        assert_eq!(again.with(429).code(), "too-many-queries");
        assert_eq!(other.ok().status, 200);
    })
    .await;
}

/// While an edition is imported, every reader sees all of it or nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_graph_is_swapped_as_a_whole() {
    on_every_database(async |w| {
        let table = |n: usize| {
            let row = |i: usize| format!("K{i},begreb {i} udgave {n}\n");
            format!("notation,preferred.da\n{}", (0..400).map(row).collect::<String>()).into_bytes()
        };
        w.import(edition("proeve", Format::Csv, &table(0), "v0", "2020-01-01")).await.expect("a first edition");
        let following = w.registry.clone();
        let follower = tokio::spawn(async move { following.follow().await });
        assert!(w.registry.derived_passed(w.position().await, Duration::from_secs(10)).await || {
            tokio::time::sleep(Duration::from_millis(500)).await;
            w.registry.derived_passed(w.position().await, Duration::from_secs(10)).await
        });
        let done = Arc::new(AtomicBool::new(false));
        let query = "PREFIX skos: <http://www.w3.org/2004/02/skos/core#> \
            SELECT ?udgave (COUNT(*) AS ?n) { ?s skos:prefLabel ?l BIND(STRAFTER(STR(?l), \"udgave \") AS ?udgave) } GROUP BY ?udgave";
        let reading = async {
            let (mut seen, mut reads) = (BTreeSet::new(), 0);
            while !done.load(Ordering::SeqCst) {
                let found = rows(&w, query).await;
                assert_eq!(found.len(), 1, "one edition at a time: {found:?}");
                assert_eq!(found[0]["n"]["value"], "400");
                seen.insert(found[0]["udgave"]["value"].to_string());
                reads += 1;
            }
            (seen, reads)
        };
        let writing = async {
            for n in 1..=8 {
                let (label, day) = (format!("v{n}"), format!("2021-01-{n:02}"));
                w.import(edition("proeve", Format::Csv, &table(n), &label, &day)).await.expect("an edition");
                assert!(w.registry.derived_passed(w.position().await, Duration::from_secs(10)).await);
            }
            done.store(true, Ordering::SeqCst);
        };
        let ((seen, reads), ()) = tokio::join!(reading, writing);
        eprintln!("{reads} reads saw the editions {seen:?}");
        assert_eq!(rows(&w, query).await[0]["udgave"]["value"], "8");
        // Terms that no graph has any more are not kept for ever.
        let graphs = w.registry.graphs().expect("they were built");
        let used: BTreeSet<u32> = graphs.graphs().iter().flat_map(|g| g.segment.triples()).flatten().collect();
        eprintln!("{} terms, {} of them used", graphs.terms().len(), used.len());
        assert!(graphs.terms().len() <= used.len() * 5 / 2);
        follower.abort();
    })
    .await;
}

/// Rows that are told apart as a whole, and what is counted is what the standard says.
#[tokio::test]
async fn distinct_rows() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let union = "{ { SELECT ?x { VALUES ?x { 1 } } } UNION { SELECT ?x { VALUES ?x { 1 } } } }";
        for (counted, expected) in
            [(union, 1), ("{ {} UNION {} }", 1), ("{ VALUES () { () () } }", 1), ("{ FILTER(false) }", 0)]
        {
            let query = format!("SELECT (COUNT(DISTINCT *) AS ?n) {counted}");
            assert_eq!(count(&w, &query).await, expected, "{query}");
            let query = format!("SELECT (COUNT(*) AS ?n) {{ SELECT DISTINCT * {counted} }}");
            assert_eq!(count(&w, &query).await, expected, "{query}");
            assert_eq!(rows(&w, &format!("SELECT DISTINCT * {counted}")).await.len() as u64, expected, "{counted}");
        }
        // The variable of GRAPH is one of the row, inside and outside.
        let all = count(&w, &format!("SELECT (COUNT(*) AS ?n) {{ GRAPH <{GRAPH}> {{ ?s ?p ?o }} }}")).await;
        for query in [
            "SELECT ?g (COUNT(DISTINCT *) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g",
            "SELECT ?g ?n { GRAPH ?g { SELECT ?g (COUNT(DISTINCT *) AS ?n) { ?s ?p ?o } GROUP BY ?g } }",
            "SELECT ?n { GRAPH ?g { SELECT (COUNT(DISTINCT *) AS ?n) { ?s ?p ?o } } }",
        ] {
            let found = rows(&w, query).await;
            assert_eq!(found[0]["n"]["value"], all.to_string(), "{query}: {found:?}");
            assert!(!query.starts_with("SELECT ?g") || found[0]["g"]["value"] == GRAPH, "{query}: {found:?}");
        }
    })
    .await;
}

/// The evaluator over our graphs answers as it does over oxrdf's own dataset.
#[tokio::test]
async fn answers_are_those_of_another_dataset() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let nt = w.get("/api/v1/vocabularies/serviceparagraffer/export?format=nt").await.ok();
        let parsed = RdfParser::from_format(RdfFormat::NTriples).for_slice(&nt.body);
        let dataset: Dataset = parsed.map(|q| q.expect("lawful")).collect();
        let prefix = "PREFIX skos: <http://www.w3.org/2004/02/skos/core#> PREFIX dct: <http://purl.org/dc/terms/> ";
        for query in [
            "SELECT ?s ?p { ?s ?p \"SEL\" }",
            "SELECT ?s ?l { ?s skos:prefLabel ?l } ORDER BY ?l LIMIT 20 OFFSET 5",
            "SELECT ?a (COUNT(?b) AS ?n) { ?b a skos:Concept ; skos:broader* ?a } GROUP BY ?a ORDER BY ?a",
            "SELECT DISTINCT ?p { ?s ?p ?o } ORDER BY ?p",
            "SELECT (COUNT(*) AS ?n) { ?s ?p ?o . OPTIONAL { ?o skos:broader ?x } }",
            "SELECT ?l { ?s skos:prefLabel ?l FILTER(CONTAINS(LCASE(?l), \"lov\")) } ORDER BY ?l",
            "SELECT ?s { ?s a skos:Concept MINUS { ?s skos:broader ?x } } ORDER BY ?s",
            "SELECT ?s { ?s a skos:Concept FILTER NOT EXISTS { ?x skos:broader ?s } } ORDER BY ?s LIMIT 9",
            "SELECT (GROUP_CONCAT(?n; SEPARATOR='|') AS ?x) { SELECT ?n { ?s skos:notation ?n } ORDER BY ?n LIMIT 7 }",
            "SELECT ?x ?y { VALUES (?x ?y) { (1 UNDEF) (UNDEF 2) (UNDEF UNDEF) } } ORDER BY ?x ?y",
            "SELECT (CONCAT(?n, \"-\", REPLACE(?n, \"(S)(E)\", \"$2$1\")) AS ?x) { ?s skos:notation ?n } ORDER BY ?x LIMIT 9",
            "SELECT ?c { {} UNION { ?c a skos:ConceptScheme } } ORDER BY ?c",
            "SELECT (COUNT(*) AS ?n) { { SELECT ?x { ?s ?p ?o } LIMIT 3 } { SELECT ?y {} } }",
            "SELECT (SUM(?n) AS ?x) { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p }",
            "SELECT ?o { <http://127.0.0.1:8080/id/serviceparagraffer> dct:title ?o } ORDER BY ?o",
            "SELECT (COUNT(DISTINCT *) AS ?n) { { SELECT ?x { VALUES ?x { 1 2 } } } UNION { SELECT ?x { VALUES ?x { 1 } } } }",
            "SELECT (COUNT(DISTINCT *) AS ?n) { {} UNION {} }",
            "SELECT (COUNT(DISTINCT *) AS ?n) { VALUES () { () () } }",
            "SELECT (COUNT(DISTINCT *) AS ?n) { VALUES (?x ?y) { (1 UNDEF) (UNDEF UNDEF) (UNDEF UNDEF) } }",
            "SELECT ?x (COUNT(DISTINCT *) AS ?n) { VALUES (?x ?y) { (1 1) (1 1) (2 1) (2 2) } } GROUP BY ?x ORDER BY ?x",
            "SELECT ?k (COUNT(DISTINCT *) AS ?n) (SUM(?y) AS ?m) { VALUES (?x ?y) { (1 1) (1 1) (2 1) (2 2) } } GROUP BY (?x * 2 AS ?k) ORDER BY ?k",
            "SELECT (COUNT(DISTINCT *) AS ?n) { ?s a skos:Concept ; skos:notation ?c OPTIONAL { ?s skos:broader ?b } }",
            "SELECT (COUNT(DISTINCT *) AS ?n) { { SELECT (COUNT(DISTINCT *) AS ?n) { {} UNION {} } } UNION { SELECT (1 AS ?n) {} } }",
            "SELECT (COUNT(DISTINCT *) AS ?n) { { SELECT ?x { VALUES ?x { 1 2 } } } MINUS { SELECT ?x { VALUES ?x { 1 } } } }",
            "SELECT (COUNT(DISTINCT *) AS ?n) { { SELECT ?x { VALUES ?x { 1 2 } } } MINUS { SELECT ?y { VALUES ?y { 1 } } } }",
            "SELECT DISTINCT * { { SELECT ?x { VALUES ?x { 1 } } } UNION { SELECT ?x { VALUES ?x { 1 } } } }",
            "SELECT DISTINCT * { {} UNION {} }",
            "SELECT ?x ?y { { SELECT DISTINCT * { { VALUES ?x { 1 } } UNION { SELECT ?x { VALUES ?x { 1 } } } } } { SELECT DISTINCT * { {} UNION {} } } }",
            "SELECT (COUNT(*) AS ?n) { { SELECT DISTINCT * { {} UNION {} } } UNION { SELECT REDUCED ?x { VALUES ?x { 1 1 } } } }",
            "SELECT ?x { { SELECT ?x { VALUES ?x { 1 2 } } } MINUS { SELECT ?x { VALUES ?x { 1 } } } }",
            "SELECT ?x { { SELECT ?x { VALUES ?x { 1 2 } } } MINUS { SELECT ?y { VALUES ?y { 1 } } } } ORDER BY ?x",
            "SELECT ?x { { VALUES ?x { 1 2 } } MINUS {} } ORDER BY ?x",
            "SELECT (COUNT(*) AS ?n) { {} MINUS {} }",
        ] {
            let query = format!("{prefix}{query}");
            let ours = ask(&w, &query, "text/tab-separated-values").await.ok().text();
            let parsed = spargebra::SparqlParser::new().parse_query(&query).expect("SPARQL");
            let results = spareval::QueryEvaluator::new();
            let spareval::QueryResults::Solutions(solutions) =
                results.prepare(&parsed).execute(&dataset).expect("an answer")
            else {
                panic!("rows")
            };
            let serializer = sparesults::QueryResultsSerializer::from_format(sparesults::QueryResultsFormat::Tsv);
            let mut out = serializer.serialize_solutions_to_writer(Vec::new(), solutions.variables().to_vec()).expect("a head");
            for solution in solutions {
                out.serialize(&solution.expect("a row")).expect("a row");
            }
            let expected = String::from_utf8(out.finish().expect("the end")).expect("text");
            assert_eq!(ours, expected, "{query}");
        }
    })
    .await;
}
