//! The change log as a feed: read on, waited for, streamed, as Atom and as a Linked Data Event Stream; and the days
//! that come.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use begreb::exchange::Format;
use begreb::model::Code;
use common::{Answer, World, edition, on_every_database, operator};
use insta::assert_snapshot;
use serde_json::Value;

const FIRST: &str = "notation,parent,preferred.da,definition.da,mapping.exact\n\
    A,,afklaring,det at finde ud af noget,\n\
    B,A,bistand,hjælp,\n\
    C,A,samtale,ord imellem,https://example.dk/c\n\
    D,,dagtilbud,noget om dagen,\n";

/// A is renamed, B is replaced by E, C moves and is mapped otherwise, D only stands elsewhere.
const SECOND: &str = "notation,parent,preferred.da,definition.da,mapping.exact,replaces\n\
    A,,udredning,det at finde ud af noget,,\n\
    C,D,samtale,ord imellem,https://example.dk/c2,\n\
    D,,dagtilbud,noget om dagen,,\n\
    E,A,støtte,hjælp,,B\n";

async fn import(w: &World, file: &str, label: &str, effective: &str) {
    let mut request = edition("proeve", Format::Csv, file.as_bytes(), label, effective);
    request.accept_new = true;
    w.import(request).await.expect("it is lawful");
}

/// One version that was in force before anybody heard of it, and one that is said ahead.
async fn scene(w: &World) {
    import(w, FIRST, "2025", "2025-01-01").await;
    w.clock.set("2026-11-23T08:00:00Z");
    // What is said of B once more would be a guess of the import's: it is retired, and E says that it replaces it.
    import(w, SECOND, "2027", "2027-02-01").await;
}

/// All events after a position, read `limit` at a time.
async fn read_all(w: &World, query: &str, limit: usize) -> Vec<Value> {
    let (mut events, mut after) = (Vec::new(), 0);
    loop {
        let answer = w.json(&format!("/api/v1/changes?after={after}&limit={limit}{query}")).await;
        events.extend(answer["events"].as_array().unwrap().clone());
        let position = answer["position"].as_i64().unwrap();
        assert!(position >= after);
        after = position;
        if !answer["more"].as_bool().unwrap() {
            return events;
        }
    }
}

fn told(events: &[Value]) -> Vec<String> {
    let one = |e: &Value| {
        let concept = &e["concept"];
        let name = concept["after"]["notation"].as_str().or(concept["before"]["notation"].as_str()).unwrap_or_default();
        let kinds: Vec<&str> = concept["kinds"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let end = if e["endsTransaction"] == true { " ." } else { "" };
        let (r#type, from) = (e["type"].as_str().unwrap(), e["validFrom"].as_str().unwrap_or_default());
        format!(
            "{type} {name} {} {} {}{end}",
            kinds.join("+"),
            e["version"].as_str().unwrap_or_default(),
            &from.get(..10).unwrap_or_default()
        )
    };
    events.iter().map(|e| one(e).split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[tokio::test]
async fn the_log_is_read_in_order_and_typed() {
    on_every_database(async |w| {
        scene(&w).await;
        let whole = w.get("/api/v1/changes").await.ok();
        assert_snapshot!("feed", whole.shown());
        let all = whole.json()["events"].as_array().unwrap().clone();
        assert_snapshot!("feed-told", told(&all).join("\n"));
        for limit in [1, 2, 3, 7, 1000] {
            assert_eq!(read_all(&w, "", limit).await, all, "{limit} at a time");
        }
        // Filtered, it is what one would pick oneself.
        let renamed = read_all(&w, "&kind=renamed,replaced", 2).await;
        assert_eq!(
            told(&renamed),
            ["concept.stated A renamed 2027 2027-02-01", "concept.retired B replaced 2027 2027-02-01"]
        );
        let published = read_all(&w, "&type=version.published&vocabulary=proeve", 1).await;
        assert_eq!(told(&published), ["version.published 2025 2025-01-01 .", "version.published 2027 2027-02-01 ."]);
        let e = all.iter().find(|e| e["concept"]["after"]["notation"] == "E").unwrap()["subject"].as_str().unwrap();
        assert_eq!(read_all(&w, &format!("&concept={e}"), 5).await.len(), 1);
        // Another node says the same, and a log that was read on is not cached for ever before it is.
        let beside = w.beside().await;
        assert_eq!(beside.get("/api/v1/changes").await.text(), whole.text());
        assert_eq!(whole.header("cache-control"), "public, no-cache");
        let part = w.get("/api/v1/changes?limit=2").await.ok();
        assert_eq!(part.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(part.header("link"), "</api/v1/changes?limit=2&after=2>; rel=\"next\"");
    })
    .await;
}

#[tokio::test]
async fn days_that_come_are_told_once() {
    on_every_database(async |w| {
        scene(&w).await;
        let before = w.position().await;
        w.registry.tick().await.unwrap();
        assert_eq!(w.position().await, before, "nothing has come yet");
        // The Danish day begins an hour before that in UTC.
        w.clock.set("2027-01-31T22:59:59Z");
        w.registry.tick().await.unwrap();
        assert_eq!(w.position().await, before);
        w.clock.set("2027-01-31T23:00:00Z");
        w.registry.tick().await.unwrap();
        let beside = w.beside().await;
        beside.registry.tick().await.unwrap();
        w.registry.tick().await.unwrap();
        let after = w.json(&format!("/api/v1/changes?after={before}")).await;
        let mut lines = told(after["events"].as_array().unwrap());
        let last = lines.pop().unwrap();
        lines.sort();
        assert_eq!(
            lines,
            [
                "concept.effective A renamed 2027 2027-02-01",
                "concept.effective B replaced 2027 2027-02-01",
                "concept.effective C moved+remapped 2027 2027-02-01",
                "concept.effective D reordered 2027 2027-02-01",
                "concept.effective E added 2027 2027-02-01",
            ]
        );
        assert_eq!(last, "edition.effective 2027 2027-02-01 .");
        // What is published today, or for a day that has gone, was told when it was published.
        let known = w.position().await;
        w.clock.set("2027-03-01T09:00:00Z");
        import(&w, FIRST, "2027-03", "2027-03-01").await;
        let published = w.position().await;
        assert!(published > known);
        w.registry.tick().await.unwrap();
        assert_eq!(w.position().await, published);
        // The day after a node was down for a year is told, too.
        import(&w, SECOND, "2027-04", "2027-04-01").await;
        let published = w.position().await;
        w.clock.set("2028-04-01T09:00:00Z");
        let beside = w.beside().await;
        beside.registry.tick().await.unwrap();
        let told_late = beside.json(&format!("/api/v1/changes?after={published}&type=edition.effective")).await;
        assert_eq!(told(told_late["events"].as_array().unwrap()), ["edition.effective 2027-04 2027-04-01 ."]);
        beside.registry.verify().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn who_waits_is_answered_when_something_happens() {
    on_every_database(async |w| {
        import(&w, FIRST, "2025", "2025-01-01").await;
        let head = w.position().await;
        let uri = format!("/api/v1/changes?after={head}&wait=30&type=version.published");
        let (answer, ()) = tokio::join!(w.get(&uri), async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            import(&w, SECOND, "2027", "2027-02-01").await;
        });
        assert_eq!(told(answer.ok().json()["events"].as_array().unwrap()), ["version.published 2027 2027-02-01 ."]);
        // Nothing happens: the answer comes by itself, and says how far the log was read.
        let head = w.position().await;
        let nothing = w.json(&format!("/api/v1/changes?after={head}&wait=1")).await;
        assert_eq!(nothing, serde_json::json!({ "events": [], "position": head, "more": false }));
    })
    .await;
}

/// A stream that is being read.
struct Stream(axum::body::BodyDataStream, String);

impl Stream {
    async fn open(w: &World, uri: &str, last: Option<i64>) -> Self {
        let mut request = Request::builder().uri(uri).header("accept-encoding", "gzip");
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let response = w.opened(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(!response.headers().contains_key("content-encoding"), "a stream is not gathered up");
        Self(response.into_body().into_data_stream(), String::new())
    }

    /// The next event: its id, type and data.
    async fn next(&mut self) -> (i64, String, Value) {
        use futures::StreamExt;
        loop {
            if let Some((event, rest)) = self.1.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": "));
                    line.unwrap_or_default().to_owned()
                };
                let read =
                    (field("id").parse().unwrap(), field("event"), serde_json::from_str(&field("data")).unwrap());
                self.1 = rest.to_owned();
                return read;
            }
            let more = tokio::time::timeout(Duration::from_secs(10), self.0.next()).await.expect("it is told");
            self.1.push_str(std::str::from_utf8(&more.expect("it goes on").unwrap()).unwrap());
        }
    }
}

#[tokio::test]
async fn a_stream_tells_what_happens_and_goes_on_where_it_was() {
    on_every_database(async |w| {
        import(&w, FIRST, "2025", "2025-01-01").await;
        let mut from_now = Stream::open(&w, "/api/v1/changes/stream", None).await;
        let mut from_start = Stream::open(&w, "/api/v1/changes/stream?after=0", None).await;
        import(&w, SECOND, "2027", "2027-02-01").await;
        let all = read_all(&w, "", 100).await;
        for event in &all {
            let (id, r#type, data) = from_start.next().await;
            assert_eq!((id, &data), (event["position"].as_i64().unwrap(), event));
            assert_eq!(r#type, event["type"].as_str().unwrap());
        }
        let (first, ..) = from_now.next().await;
        let expected = all.iter().position(|e| e["version"] == "2027").unwrap();
        assert_eq!(first, all[expected]["position"].as_i64().unwrap());
        // It broke off in the middle of the second publication, on another node.
        let mut again = Stream::open(&w.beside().await, "/api/v1/changes/stream?after=0", Some(first)).await;
        for event in &all[expected + 1..] {
            assert_eq!(again.next().await.2, *event);
        }
    })
    .await;
}

#[tokio::test]
async fn the_atom_feed_is_paged_towards_the_past() {
    on_every_database(async |w| {
        scene(&w).await;
        w.clock.set("2027-02-02T08:00:00Z");
        w.registry.tick().await.unwrap();
        assert_snapshot!("atom", w.get("/api/v1/changes.atom").await.ok().shown());
        let english = w.ask("GET", "/api/v1/changes.atom?kind=renamed", &[("accept-language", "en")]).await.ok();
        assert_snapshot!("atom-renamed", english.shown());
        let retired = w.get("/api/v1/changes.atom?type=concept.retired").await.ok().text();
        assert!(retired.contains("Brug i stedet: E støtte</summary>"), "{retired}");
        // Many pages, no entry twice and none lost.
        for n in 0..60 {
            import(
                &w,
                if n % 2 == 0 { FIRST } else { SECOND },
                &format!("v{n}"),
                &format!("2028-01-{:02}", n % 28 + 1),
            )
            .await;
        }
        let (mut ids, mut uri) = (Vec::new(), "/api/v1/changes.atom?type=version.published".to_owned());
        loop {
            let page = w.get(&uri).await.ok().text();
            ids.extend(page.split("<id>").skip(2).map(|s| s.split("</id>").next().unwrap().to_owned()));
            let Some(next) = page.split("rel=\"next\"").nth(1) else { break };
            let href = next.split("href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
            uri = href.split("8080").nth(1).unwrap().to_owned();
        }
        assert_eq!(ids.len(), 62);
        ids.dedup();
        assert_eq!(ids.len(), 62);
    })
    .await;
}

#[tokio::test]
async fn the_event_stream_has_pages_that_stay() {
    on_every_database(async |w| {
        scene(&w).await;
        let first = w.get("/ldes/proeve").await.ok();
        assert_snapshot!("ldes", first.shown());
        assert_eq!(first.header("cache-control"), "public, no-cache", "the last page grows");
        for format in ["nt", "jsonld"] {
            let page = w.get(&format!("/ldes/proeve?format={format}")).await.ok();
            assert!(page.text().contains("https://w3id.org/ldes#EventStream"), "{format}");
        }
        // A large publication: it goes over pages, all but the last are full and stay.
        let mut file = FIRST.to_owned();
        for n in 0..600 {
            file.push_str(&format!("X{n},A,nummer {n},et tal,\n"));
        }
        import(&w, &file, "2029", "2029-01-01").await;
        let (mut uri, mut members, mut pages) = ("/ldes/proeve".to_owned(), 0, Vec::new());
        loop {
            let page = w.ask("GET", &uri, &[("accept", "application/n-triples")]).await.ok();
            members += page.text().matches("<https://w3id.org/tree#member>").count();
            let next =
                page.text().lines().find_map(|l| Some(l.split_once("<https://w3id.org/tree#node> <")?.1.to_owned()));
            pages.push((uri, page));
            let Some(next) = next else { break };
            uri = next.split("8080").nth(1).unwrap().split('>').next().unwrap().to_owned();
        }
        let said = read_all(&w, "&type=concept.stated,concept.retired,version.published", 1000).await;
        assert_eq!(members, said.len());
        assert!(pages.len() >= 3);
        import(&w, FIRST, "2030", "2030-01-01").await;
        let beside = w.beside().await;
        for (uri, page) in &pages[..pages.len() - 1] {
            assert_eq!(page.header("cache-control"), "public, max-age=31536000, immutable", "{uri}");
            let again = beside.ask("GET", uri, &[("accept", "application/n-triples")]).await.ok();
            assert_eq!(again.text(), page.text(), "{uri} stays");
        }
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused() {
    on_every_database(async |w| {
        import(&w, FIRST, "2025", "2025-01-01").await;
        let refused: Vec<(&str, &[(&str, &str)])> = vec![
            ("/api/v1/changes?after=-1", &[]),
            ("/api/v1/changes?after=99", &[]),
            ("/api/v1/changes?after=x", &[]),
            ("/api/v1/changes?limit=0", &[]),
            ("/api/v1/changes?limit=1001", &[]),
            ("/api/v1/changes?wait=61", &[]),
            ("/api/v1/changes?vocabulary=ukendt", &[]),
            ("/api/v1/changes?type=concept.moved", &[]),
            ("/api/v1/changes?kind=flyttet", &[]),
            ("/api/v1/changes?concept=A", &[]),
            ("/api/v1/changes?since=1", &[]),
            ("/api/v1/changes/stream", &[("last-event-id", "x")]),
            ("/api/v1/changes/stream", &[("last-event-id", "99")]),
            ("/api/v1/changes.atom?before=99", &[]),
            ("/ldes/ukendt", &[]),
            ("/ldes/proeve?after=99", &[]),
            ("/ldes/proeve?format=rdf", &[]),
            ("/ldes/proeve", &[("accept", "image/png")]),
        ];
        let mut shown = String::new();
        for (uri, headers) in refused {
            let answer: Answer = w.ask("GET", uri, headers).await;
            let problem = answer.json();
            let (code, detail) = (answer.code(), problem["detail"].as_str().unwrap_or_default().to_owned());
            shown.push_str(&format!("{} {uri} {headers:?}\n  {code}: {detail}\n", answer.status));
        }
        assert_snapshot!("feed-refused", shown);
    })
    .await;
}

#[tokio::test]
async fn a_title_stands_on_one_line_since_letters_and_feeds_name_it() {
    on_every_database(async |w| {
        let long = "x".repeat(301);
        for (title, lawful) in [
            ("A\r\nBcc: x@example.dk", false),
            ("\u{202e}redok", false),
            ("\u{1b}[2J", false),
            (long.as_str(), false),
            ("Koder", true),
        ] {
            let frame = serde_json::json!({ "titles": [{ "language": "da", "text": title }], "kind": "codeList",
                "governance": "direct", "languages": ["da"] });
            let frame = serde_json::from_value(frame).unwrap();
            let put = w.registry.put_frame(&operator(), "titler".parse().unwrap(), frame).await;
            let refused = put.err().map(|r| (r.code, r.place.field));
            let expected = (!lawful).then(|| (Code::InvalidText, Some("titles".to_owned())));
            assert_eq!(refused, expected, "{title:?}");
        }
    })
    .await;
}
