//! What those are shown who are about to change many concepts, or concepts that others use; and the pages of a large code
//! set.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use axum::body::Body;
use axum::http::Request;
use begreb::exchange::Format;
use begreb::model::{Governance, Role};
use common::crew::{Person, govern, group, member, person, vocabulary};
use common::{Answer, World, edition, on_every_database};
use serde_json::{Value, json};

/// A vocabulary with so many concepts.
async fn many(w: &World, count: usize) {
    let rows: String = (0..count).map(|n| format!("X{n},nummer {n},et tal\n")).collect();
    vocabulary(w, "koder", Governance::Direct, &format!("notation,preferred.da,definition.da\n{rows}")).await;
}

/// A draft that says something else of the first so many concepts.
async fn draft(w: &World, who: &Person, title: &str, count: usize, changed: usize) -> String {
    let open = json!({ "vocabulary": "koder", "title": title });
    let draft = who.send(w, "POST", "/drafts", open).await.with(201).json();
    let draft = draft["uuid"].as_str().expect("a uuid").to_owned();
    let row =
        |n| if n < changed { format!("X{n},tal {n},et helt andet tal\n") } else { format!("X{n},nummer {n},et tal\n") };
    let file: String = (0..count).map(row).collect();
    let uri = format!("/api/v1/drafts/{draft}/import?format=csv&reason=andre+tal");
    let mut request = Request::post(uri).header("cookie", who.cookie()).header("origin", "http://127.0.0.1:8080");
    request = request.header("if-match", "*");
    let body = Body::from(format!("notation,preferred.da,definition.da\n{file}"));
    w.send(request.body(body).expect("a request")).await.with(201);
    draft
}

#[tokio::test]
async fn the_page_of_a_large_recommendation_is_bounded_and_leads_to_the_whole() {
    on_every_database(async |w| {
        many(&w, 400).await;
        govern(&w, "koder", Governance::Committee, false).await;
        let (secretary, chair) =
            (person(&w, "Sanne", &[Role::Secretary]).await, person(&w, "Christa", &[Role::Chair]).await);
        let committee = group(&w, "Styregruppen", "committee", &[&chair]).await;
        let mut sizes = Vec::new();
        for changed in [90, 150, 400] {
            let draft = draft(&w, &secretary, &format!("{changed} ændringer"), 400, changed).await;
            let request = json!({ "committee": committee, "text": "Vedtag." });
            secretary.send(&w, "POST", &format!("/drafts/{draft}/recommendations"), request).await.with(201);
            let page = chair.read(&w, &format!("/recommendations/{draft}")).await.ok().text();
            let told = page.matches("et helt andet").count() + page.matches("helt andet</ins>").count();
            let whole =
                format!("http://127.0.0.1:8080/api/v1/drafts/{draft}/diff?from=in-force&#38;to=now&#38;format=html");
            let amp = whole.replace("&#38;", "&amp;");
            let leads = page.contains(&whole) || page.contains(&amp);
            assert_eq!(leads, changed > 100, "{changed}: {page}");
            assert!(page.contains(&format!("<td class=\"short\">{changed}</td>")), "{changed}: all are counted");
            if changed > 100 {
                assert!(page.contains(&format!("De første 100 af {changed} begreber er vist.")), "{page}");
                let all =
                    chair.get(&w, &format!("/drafts/{draft}/diff?from=in-force&to=now&format=html")).await.ok().text();
                assert_eq!(all.matches("<h3 ").count() - page.matches("<h4 ").count(), changed - 100, "{told}");
            }
            sizes.push(page.len());
        }
        assert!(sizes[2] < sizes[1] + 2_000, "it does not grow: {sizes:?}");
    })
    .await;
}

#[tokio::test]
async fn a_group_sees_on_its_pages_and_papers_who_uses_what_it_changes() {
    on_every_database(async |w| {
        many(&w, 5).await;
        govern(&w, "koder", Governance::Hearing, false).await;
        let (anne, secretary) = (member(&w, "Anne", "Aarhus", &[]).await, person(&w, "Sif", &[Role::Secretary]).await);
        for (name, visibility) in [("Åbent", "public"), ("For <grupper>", "makers"), ("Hemmeligt", "hidden")] {
            let body = json!({ "name": name, "visibility": visibility, "vocabulary": "koder", "codes": ["X0", "X4"] });
            anne.send(&w, "POST", "/code-sets", body).await.with(201);
        }
        let draft = draft(&w, &secretary, "Andre tal", 5, 2).await;
        let page = secretary.read(&w, &format!("/drafts/{draft}")).await.ok().text();
        let words = "For &#60;grupper&#62; (system); Åbent (system); 1 mere uden navn";
        assert!(page.contains(&format!("Bruges af: {words}")), "{page}");
        assert_eq!(page.matches("Bruges af: ").count(), 1, "nothing uses X1, and X4 is not changed: {page}");
        assert!(!page.contains("Hemmeligt"));
        // Before it is changed, too.
        for (key, used) in [("X0", true), ("X4", true), ("X1", false)] {
            let concept = secretary.read(&w, &format!("/drafts/{draft}/concepts/{key}")).await.ok().text();
            assert_eq!(concept.contains(words), used, "{key}: {concept}");
        }
        assert!(!secretary.read(&w, &format!("/drafts/{draft}/new-concept")).await.ok().text().contains("Bruges af"));
        // The paper, in every form of it.
        let diff = format!("/drafts/{draft}/diff");
        let json = secretary.get(&w, &diff).await.ok().json();
        let of = |code: &str| {
            let all = json["concepts"].as_array().expect("concepts").iter();
            all.clone().find(|c| c["before"]["notation"] == code).expect("it is changed")["usedBy"].clone()
        };
        assert_eq!(of("X0"), json!({ "names": ["For <grupper>", "Åbent"], "hidden": 1 }));
        assert_eq!(of("X1"), Value::Null);
        for (format, words) in [
            ("md", "For \\<grupper\\>; Åbent; 1 mere uden navn"),
            ("html", "For &lt;grupper&gt;; Åbent; 1 mere uden navn"),
        ] {
            let paper = secretary.get(&w, &format!("{diff}?format={format}&language=da")).await.ok().text();
            assert!(paper.contains(words) && !paper.contains("Hemmeligt"), "{paper}");
        }
        // The public, which a hearing asks, is told nothing of what is for those who make versions.
        let plan = json!({ "title": "Høring", "letter": "Hvad siger I?", "audience": "public", "opens": null,
            "deadline": "2026-12-20T12:00:00Z" });
        let hearing = secretary.send(&w, "POST", &format!("/drafts/{draft}/hearings"), plan).await.with(201).json();
        let hearing = hearing["uuid"].as_str().expect("a uuid");
        let open = w.ask("GET", &format!("/hearings/{hearing}"), &[("accept", "text/html")]).await.ok().text();
        assert!(!open.contains("grupper") && !open.contains("uden navn"), "{open}");
    })
    .await;
}

/// Sends a form with a file in it, as a browser does.
async fn upload(w: &World, who: &Person, uri: &str, fields: &[(&str, &str)], file: Option<&[u8]>) -> Answer {
    let mut body: Vec<u8> = Vec::new();
    for (name, value) in fields {
        body.extend(format!("--q\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    let name = file.map_or("", |_| "koder.csv");
    let head = format!("content-disposition: form-data; name=\"file\"; filename=\"{name}\"");
    body.extend(format!("--q\r\n{head}\r\ncontent-type: application/octet-stream\r\n\r\n").bytes());
    body.extend(file.unwrap_or_default());
    body.extend(b"\r\n--q--\r\n");
    let request = Request::post(uri).header("cookie", who.cookie()).header("origin", "http://127.0.0.1:8080");
    let request = request.header("accept-language", "da").header("content-type", "multipart/form-data; boundary=q");
    w.send(request.body(Body::from(body)).expect("a request")).await
}

#[tokio::test]
async fn a_code_set_of_ten_thousand_codes_is_uploaded_and_paged() {
    on_every_database(async |w| {
        many(&w, 1_000).await;
        // Ahead of time, 500 of them are renamed.
        let row = |n: usize| format!("X{n},{} {n},et tal\n", if n < 500 { "tal" } else { "nummer" });
        let file: String = (0..1_000).map(row).collect();
        let file = format!("notation,preferred.da,definition.da\n{file}");
        w.import(edition("koder", Format::Csv, file.as_bytes(), "2", "2027-01-01")).await.expect("it is lawful");
        let anne = person(&w, "Anne", &[]).await;
        // As Excel writes it, with headings of its own.
        let rows: String = (0..10_000).map(|n| format!("{n};X{n};\"ø\"\r\n")).collect();
        let table = format!("Nr;Ydelseskode;Bemærkning\r\n{rows}");
        let bytes: Vec<u8> = table.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
        let fields = [("name", "Stort system"), ("vocabulary", "koder"), ("visibility", "makers"), ("codes", "")];
        let wrong = upload(&w, &anne, "/code-sets", &fields, Some(&bytes)).await.with(422).text();
        assert!(wrong.contains("sig, hvilken det er") && wrong.contains("Stort system"), "{wrong}");
        let column: Vec<_> = fields.into_iter().chain([("column", "Ydelseskode")]).collect();
        let made = upload(&w, &anne, "/code-sets", &column, Some(&bytes)).await.with(303).header("location");

        // What must be done, two hundred at a time; nothing is left out and nothing is told twice.
        let page = anne.read(&w, &made).await.ok().text();
        assert!(page.contains("1–200 af 500") && page.contains("1–200 af 9000"), "{page}");
        let codes_on = |page: &str| -> Vec<String> {
            let rows = page.split("<tr><td>2027-01-01</td>").skip(1);
            rows.filter_map(|r| Some(r.split("\">").nth(1)?.split('<').next()?.to_owned())).collect()
        };
        let (mut seen, mut at) = (Vec::new(), made.clone());
        loop {
            let page = anne.read(&w, &at).await.ok().text();
            assert!(page.len() < 400_000, "{}", page.len());
            seen.extend(codes_on(&page));
            let table = page.split("id=\"coming\"").nth(1).expect("a table").split("<form").next().expect("its end");
            let Some(next) = table.split("rel=\"next\" href=\"").nth(1) else { break };
            at = next.split('"').next().expect("an address").replace("&#38;", "&").replace("&amp;", "&");
            at = at.split('#').next().expect("an address").to_owned();
        }
        let distinct: std::collections::BTreeSet<&String> = seen.iter().collect();
        assert_eq!((seen.len(), distinct.len()), (500, 500));
        assert!(codes_on(&anne.read(&w, &format!("{made}?before=2026-12-31")).await.ok().text()).is_empty());
        for wild in ["coming=99", "coming=0", "coming=-5", "past=7&unresolved=1000"] {
            anne.read(&w, &format!("{made}?{wild}")).await.ok();
        }
        anne.read(&w, &format!("{made}?coming=x")).await.with(400);

        // All the codes, page by page.
        let (mut count, mut at, mut pages) = (0, format!("{made}/codes"), 0);
        loop {
            let page = anne.read(&w, &at).await.ok().text();
            count += page.matches("<tr><td>koder</td>").count();
            pages += 1;
            let Some(next) = page.split("rel=\"next\" href=\"").nth(1) else { break };
            at = next.split('"').next().expect("an address").replace("&#38;", "&").replace("&amp;", "&");
        }
        assert_eq!((count, pages), (10_000, 50));
        anne.read(&w, &format!("{made}/codes?cursor=x")).await.with(400);
        let bo = person(&w, "Bo", &[]).await;
        bo.read(&w, &format!("{made}/codes")).await.with(404);

        // A file takes the place of all codes; every bad row is told with its line and column.
        let codes = format!("{made}/codes");
        let bad = upload(&w, &anne, &codes, &[("command", "replace")], Some(b"kode;x\nA\x07;1\nB;2\nC\x08;3\n")).await;
        let bad = bad.with(400).text();
        assert!(bad.contains("linje 2, kolonne 1") && bad.contains("linje 4, kolonne 1"), "{bad}");
        let both = upload(&w, &anne, &codes, &[("command", "replace"), ("codes", "X1")], Some(b"X2")).await;
        assert!(both.with(400).text().contains("vælg det ene"));
        upload(&w, &anne, &codes, &[("command", "replace")], Some(b"PK\x03\x04\x14\0")).await.with(400);
        upload(&w, &anne, &codes, &[("command", "replace")], None).await.with(422);
        let json = br#"["X1", {"code": "X2"}]"#;
        let done = upload(&w, &anne, &codes, &[("command", "replace"), ("vocabulary", "koder")], Some(json)).await;
        assert!(done.ok().text().contains("2 koder, heraf 0"));
        upload(&w, &bo, &codes, &[("command", "replace")], Some(b"X3")).await.with(404);
    })
    .await;
}
