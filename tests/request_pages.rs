//! The pages of change requests as a browser uses them: asking, answering, what is shown to whom, and that nothing typed
//! is lost.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use begreb::delivery::{Post, RequestLetters, SecurityNotices, Sender, Smtp};
use begreb::model::{Governance, Role};
use begreb::registry::{DraftRequest, EditRequest, Made, Precondition};
use common::crew::{Person, group, person, vocabulary};
use common::page::{bare, has, has_not, led};
use common::{World, on_every_database};
use serde_json::json;
use sqlx::{Connection, PgConnection, Row, SqliteConnection};
use uuid::Uuid;

const A: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const B: &str = "bbbbbbbb-0000-4000-8000-000000000002";

/// Who takes part.
struct Crew {
    secretary: Person,
    asker: Person,
    publisher: Person,
    nobody: Person,
    group: Uuid,
}

async fn crew(w: &World) -> Crew {
    let file =
        format!("notation,uuid,preferred.da,definition.da\nA,{A},afklaring,det at afklare noget\nB,{B},bistand,\n");
    vocabulary(w, "koder", Governance::Direct, &file).await;
    let secretary = person(w, "Sanne", &[Role::Secretary]).await;
    Crew {
        group: group(w, "Arbejdsgruppen", "workingGroup", &[&secretary]).await,
        secretary,
        asker: person(w, "Bo", &[]).await,
        publisher: person(w, "Pia", &[Role::Publisher]).await,
        nobody: Person::default(),
    }
}

/// What an attribute of the first tag with some text says.
#[track_caller]
fn attribute(page: &str, tag: &str, name: &str) -> String {
    let from = page.find(tag).unwrap_or_else(|| panic!("{tag}: {page}"));
    let value = page[from..].split_once(&format!("{name}=\"")).expect("the attribute").1;
    value.split('"').next().unwrap_or_default().replace("&#38;", "&").replace("&#34;", "\"")
}

async fn asked(w: &World, c: &Crew, title: &str, term: &str) -> String {
    let fields = [
        ("vocabulary", "koder"),
        ("about", A),
        ("title", title),
        ("text", "Fordi ordet er uklart."),
        ("organisation", "Nordkøbing"),
        ("term", term),
        ("definition", "det at afklare noget"),
    ];
    bare(&led(c.asker.fill(w, "/change-requests", &fields).await))
}

#[tokio::test]
async fn somebody_asks_from_the_page_of_a_concept_and_loses_no_word() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let concept = c.nobody.read(&w, "/id/koder/A").await.ok();
        let form = attribute(&concept.text(), "class=\"button\"", "href");
        assert_eq!(form, format!("/change-requests/new?vocabulary=koder&amp;concept={A}"));
        let form = form.replace("&amp;", "&");
        let page = c.asker.read(&w, &form).await.ok();
        assert_eq!(page.header("cache-control"), "no-store");
        has(&page, &["A afklaring", "value=\"afklaring\"", ">det at afklare noget</textarea>"]);
        has_not(&page, &["id=\"mail\""]);
        assert_eq!(attribute(&page.text(), "name=\"about\"", "value"), A);

        // What is missing is named, and led to; what was typed is there.
        let typed = [
            ("vocabulary", "koder"),
            ("about", A),
            ("title", ""),
            ("text", "Fordi <det> er \"uklart\".\r\nOg for kort."),
            ("term", "udredning"),
            ("definition", "det at udrede noget"),
        ];
        let no = c.asker.fill(&w, "/change-requests", &typed).await;
        assert_eq!(no.status, 400, "{}", no.text());
        has(
            &no,
            &[
                "<title>Fejl: ",
                "role=\"alert\"",
                "Feltet skal udfyldes",
                "<a href=\"#title\">Overskrift</a>",
                "Fordi &#60;det&#62; er &#34;uklart&#34;.",
                "value=\"udredning\"",
                ">det at udrede noget</textarea>",
            ],
        );
        assert_eq!(attribute(&no.text(), "id=\"title\"", "aria-invalid"), "true");
        let long = "x".repeat(301);
        let fields: Vec<_> = typed.iter().map(|(n, v)| (*n, if *n == "title" { long.as_str() } else { v })).collect();
        has(
            &c.asker.fill(&w, "/change-requests", &fields).await.with(400),
            &["Skriv én linje med højst 300 tegn", &long],
        );

        let fields: Vec<_> = typed.iter().map(|(n, v)| (*n, if *n == "title" { "Et bedre ord" } else { v })).collect();
        let place = led(c.asker.fill(&w, "/change-requests", &fields).await);
        let page = c.asker.read(&w, &place).await.ok();
        has(
            &page,
            &[
                "Tak. Ønsket er modtaget.",
                "i kø",
                "<del>afklaring</del>",
                "<ins>udredning</ins>",
                "Træk ønsket tilbage",
                "<a href=\"/id/koder/A\">A afklaring</a>",
            ],
        );
        has_not(&page, &["/acceptance", "/outcome", "/assignment"]);
        let bare = bare(&place);
        // Nobody else sees it; who handles requests does.
        has(&c.nobody.read(&w, &bare).await.with(404), &["Det går ikke"]);
        has_not(&c.nobody.read(&w, "/change-requests").await.ok(), &["Et bedre ord"]);
        has(
            &c.asker.read(&w, "/change-requests?vocabulary=koder&state=queued").await.ok(),
            &["Et bedre ord", "1 ønske"],
        );
        let queue = c.secretary.read(&w, &format!("/change-requests?vocabulary=koder&concept={A}&state=")).await.ok();
        has(&queue, &["De ældste først", "Et bedre ord"]);
        let page = c.secretary.read(&w, &bare).await.ok();
        has(&page, &["/acceptance", "/outcome", "/assignment", "<dd>Bo</dd>", "Arbejdsgruppen"]);
        has_not(&page, &["Træk ønsket tilbage"]);

        // Who may not answer is told so, and what they wrote is theirs.
        let forbidden = [("outcome", "declined"), ("close-reason", "Jeg synes ikke om det.")];
        let no = c.asker.fill(&w, &format!("{bare}/outcome"), &forbidden).await.with(403);
        assert!(no.header("content-type").starts_with("text/html"), "{}", no.text());
        has(&no, &["Det har din konto ikke ret til", "Jeg synes ikke om det."]);
        has_not(&no, &["Send igen"]);
        let no = c.nobody.fill(&w, &format!("{bare}/withdrawal"), &[]).await.with(401);
        has(&no, &["/sign-in"]);
        let no = c.secretary.fill(&w, &format!("{bare}/withdrawal"), &[]).await.with(403);
        has(&no, &["Ønsket er en andens"]);
        let gone = led(c.asker.fill(&w, &format!("{bare}/withdrawal"), &[]).await);
        has(&c.asker.read(&w, &gone).await.ok(), &["Ønsket er trukket tilbage.", "trukket tilbage</span>"]);
        let late = c.asker.fill(&w, &format!("{bare}/withdrawal"), &[]).await.with(409);
        has(&late, &["Ønsket er afsluttet"]);

        // A text without a proposal; a new concept; an address that is none.
        let text = [("vocabulary", "koder"), ("title", "Ryd op"), ("text", "Der er for meget.")];
        let page = c.asker.read(&w, &led(c.asker.fill(&w, "/change-requests", &text).await)).await.ok();
        has_not(&page, &["Det, der foreslås"]);
        let new = [
            ("vocabulary", "koder"),
            ("title", "Et nyt"),
            ("text", "Det mangler."),
            ("notation", "C"),
            ("definition", "det at mangle"),
        ];
        let no = c.asker.fill(&w, "/change-requests", &new).await.with(422);
        has(&no, &["Et nyt begreb skal have en term", "<a href=\"#term\">Term</a>", "value=\"C\""]);
        let new: Vec<_> = new.into_iter().chain([("term", "mangel")]).collect();
        let page = c.asker.read(&w, &led(c.asker.fill(&w, "/change-requests", &new).await)).await.ok();
        has(&page, &["<ins>mangel</ins>", "<ins>C</ins>", "<ins>det at mangle</ins>"]);
        let wrong = [("vocabulary", "koder"), ("concept", "Q"), ("title", "x"), ("text", "y")];
        has(
            &c.asker.fill(&w, "/change-requests", &wrong).await.with(404),
            &["<a href=\"#concept\">Begreb</a>", "value=\"Q\""],
        );
        for wrong in ["/change-requests/x", "/change-requests/new?vocabulary=ingen", "/change-requests?state=x"] {
            let no = c.asker.read(&w, wrong).await;
            assert!(no.status >= 400 && no.header("content-type").starts_with("text/html"), "{wrong}: {}", no.text());
        }
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn the_secretariat_takes_on_refers_and_answers() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let (first, second) =
            (asked(&w, &c, "Det første", "udredning").await, asked(&w, &c, "Det andet", "udredning").await);
        let group = c.group.to_string();

        let no = c.secretary.fill(&w, &format!("{first}/assignment"), &[("track", &group)]).await.with(400);
        has(&no, &["<a href=\"#assign-reason\">Begrundelse</a>", &format!("<option value=\"{group}\" selected>")]);
        let fields = [("track", group.as_str()), ("assign-reason", "Det er stort.")];
        let place = led(c.secretary.fill(&w, &format!("{first}/assignment"), &fields).await);
        has(
            &c.secretary.read(&w, &place).await.ok(),
            &["Arbejdsgruppen", "Det er stort.", "Sanne", "under behandling"],
        );
        // Now everybody sees what was asked, and never by whom.
        let seen = c.nobody.read(&w, &first).await.ok();
        has(&seen, &["Det første", "Nordkøbing", "under behandling", "<ins>udredning</ins>"]);
        has_not(&seen, &["Bo</dd>", "Sanne", "Det er stort."]);
        // A small draft is not for what a group has taken on.
        has_not(&c.secretary.read(&w, &first).await.ok(), &["en ny, lille kladde"]);

        // Answered otherwise.
        let duplicate = [("outcome", "duplicate"), ("close-reason", "Der er bedt om det.")];
        let no = c.secretary.fill(&w, &format!("{second}/outcome"), &duplicate).await.with(400);
        has(
            &no,
            &[
                "<a href=\"#duplicate\">Det andet ønske</a>",
                "Der er bedt om det.",
                "value=\"duplicate\" required checked",
            ],
        );
        let other = first.rsplit('/').next().unwrap_or_default();
        let duplicate: Vec<_> = duplicate.into_iter().chain([("duplicate", other)]).collect();
        let no = c.secretary.fill(&w, &format!("{second}/outcome"), &[("close-reason", "x y")]).await.with(422);
        has(&no, &["Vælg, hvad svaret er", "<a href=\"#outcome-declined\">"]);
        let place = led(c.secretary.fill(&w, &format!("{second}/outcome"), &duplicate).await);
        has(
            &c.secretary.read(&w, &place).await.ok(),
            &["Ønsket er besvaret.", "Der er bedt om det samme før", "Sanne"],
        );
        let seen = c.nobody.read(&w, &second).await.ok();
        has(&seen, &["Der er bedt om det.", &format!("<a href=\"{first}\">Det andet ønske</a>")]);
        has_not(&seen, &["Sanne", "Bo</dd>"]);
        let late = c.secretary.fill(&w, &format!("{second}/outcome"), &duplicate).await.with(409);
        has(&late, &["Det er ikke gemt", "Ønsket er afsluttet"]);
        let filter = c.nobody.read(&w, "/change-requests?vocabulary=koder&state=closed").await.ok();
        has(&filter, &["Det andet", "Der er bedt om det."]);
        has_not(&filter, &["Det første"]);
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn what_is_accepted_becomes_an_edit_and_its_story_is_told_both_ways() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let request = asked(&w, &c, "Et bedre ord", "udredning").await;
        let accept = format!("{request}/acceptance");
        let no = c.secretary.fill(&w, &accept, &[("draft", "new"), ("what", "proposal")]).await.with(400);
        has(&no, &["<a href=\"#accept-reason\">Begrundelse</a>"]);
        let fields = [("draft", "new"), ("what", "proposal"), ("accept-reason", "Det er et bedre ord.")];
        let no = c.asker.fill(&w, &accept, &fields).await.with(403);
        has(&no, &["Det er et bedre ord."]);
        let place = led(c.secretary.fill(&w, &accept, &fields).await);
        let page = c.secretary.read(&w, &place).await.ok();
        has(&page, &["Ønsket er imødekommet", "Det er et bedre ord.", "rettelse 1 i en kladde"]);
        let draft =
            attribute(&page.text(), "<a href=\"/drafts/", "href").rsplit('/').next().unwrap_or_default().to_owned();
        has_not(&c.nobody.read(&w, &request).await.ok(), &["/drafts/", "Sanne"]);
        let publish = json!({ "version": "2" });
        c.publisher.send(&w, "POST", &format!("/drafts/{draft}/publication"), publish).await.with(201);
        has(&c.nobody.read(&w, &request).await.ok(), &[&format!("<a href=\"/id/koder/versions/2/{A}\">2</a>")]);
        let concept = c.nobody.read(&w, "/id/koder/A").await.ok();
        has(&concept, &[&format!("<a href=\"{request}\">ændringsønske</a>: Det er et bedre ord."), "udredning"]);
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

/// A draft in which the concept reads otherwise by now.
async fn draft(w: &World, c: &Crew) -> Uuid {
    let request = DraftRequest {
        vocabulary: "koder".parse().unwrap(),
        title: "Gruppens kladde".parse().unwrap(),
        purpose: None,
        group: None,
        base: None,
        minor: false,
    };
    let secretary = c.secretary.actor(w).await;
    let draft = w.registry.open_draft(&secretary, request).await.expect("it is lawful").uuid;
    let content = serde_json::from_value(json!({
        "notation": "A", "terms": [{ "language": "da", "value": "afklaring", "status": "preferred" }],
        "notes": [{ "kind": "scope", "language": "da", "text": "Gruppens note." }],
    }))
    .expect("content");
    let why = EditRequest { reason: "note".parse().unwrap(), because: None, meaning: None };
    let made = Made::Whole(Box::new(content));
    w.registry.edit_concept(&secretary, draft, "A", made, &Precondition::Any, why).await.expect("it is lawful");
    draft
}

#[tokio::test]
async fn nobody_overwrites_what_a_draft_says_by_now_unseen() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let proposed = asked(&w, &c, "Et bedre ord", "udredning").await;
        let text = [("vocabulary", "koder"), ("about", A), ("title", "Skriv om"), ("text", "Ordet er uklart.")];
        let text = bare(&led(c.asker.fill(&w, "/change-requests", &text).await));
        let draft = draft(&w, &c).await.to_string();
        has(&c.secretary.read(&w, &proposed).await.ok(), &["Gruppens kladde", "en ny, lille kladde"]);

        // As proposed: the note of the group would go.
        let fields = [("draft", draft.as_str()), ("what", "proposal"), ("accept-reason", "Enig i ordet.")];
        let no = c.secretary.fill(&w, &format!("{proposed}/acceptance"), &fields).await.with(412);
        has(&no, &["Gem alligevel", "<del>Gruppens note.</del>", "<ins>udredning</ins>", "Enig i ordet."]);
        let seen = attribute(&no.text(), "name=\"seen\"", "value");
        let stale: Vec<_> = fields.into_iter().chain([("seen", "\"x\"")]).collect();
        has(&c.secretary.fill(&w, &format!("{proposed}/acceptance"), &stale).await.with(412), &["Gem alligevel"]);
        let again: Vec<_> = fields.into_iter().chain([("seen", seen.as_str())]).collect();
        led(c.secretary.fill(&w, &format!("{proposed}/acceptance"), &again).await);
        let said = c.secretary.get(&w, &format!("/drafts/{draft}/concepts/A")).await.ok().json();
        assert_eq!(said["content"]["terms"][0]["value"], "udredning");

        // In words of one's own, made of what is in force: the draft says something else.
        let page = c.secretary.read(&w, &text).await.ok();
        let tag = attribute(&page.text(), "name=\"tag\"", "value");
        has(&page, &["value=\"afklaring\"", ">det at afklare noget</textarea>"]);
        let fields = [
            ("draft", draft.as_str()),
            ("tag", tag.as_str()),
            ("term", "opklaring"),
            ("definition", "det at opklare noget"),
            ("accept-reason", "Sådan."),
        ];
        let no = c.secretary.fill(&w, &format!("{text}/acceptance"), &fields).await.with(412);
        has(
            &no,
            &[
                "<del>udredning</del>",
                "<ins>opklaring</ins>",
                "value=\"opklaring\"",
                ">det at opklare noget</textarea>",
            ],
        );
        // In a new draft nothing stands in the way.
        let new: Vec<_> = fields.iter().map(|(n, v)| (*n, if *n == "draft" { "new" } else { v })).collect();
        let wrong: Vec<_> = new.iter().copied().chain([("meaning", "måske")]).collect();
        let no = c.secretary.fill(&w, &format!("{text}/acceptance"), &wrong).await.with(400);
        has(&no, &["<a href=\"#meaning\">Betydning</a>", "value=\"opklaring\""]);
        let new: Vec<_> = new.into_iter().chain([("meaning", "changed")]).collect();
        let place = led(c.secretary.fill(&w, &format!("{text}/acceptance"), &new).await);
        let page = c.secretary.read(&w, &place).await.ok();
        has(&page, &["imødekommet"]);
        let draft = attribute(&page.text(), "<a href=\"/drafts/", "href");
        has(&c.secretary.read(&w, &format!("{draft}/edits")).await.ok(), &["Definitionen: anden betydning"]);
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn who_was_signed_out_meanwhile_loses_nothing_and_other_sites_send_nothing() {
    on_every_database(async |w| {
        let mut c = crew(&w).await;
        let request = asked(&w, &c, "Et bedre ord", "udredning").await;
        w.clock.set("2026-11-23T12:00:00Z");
        let fields = [("outcome", "declined"), ("close-reason", "Ordet er \"lovens\" eget.")];
        let no = c.secretary.fill(&w, &format!("{request}/outcome"), &fields).await.with(401);
        has(
            &no,
            &["Send igen", "Ordet er &#34;lovens&#34; eget.", &format!("action=\"{request}/outcome\""), "/sign-in"],
        );
        let value = attribute(&no.text(), "name=\"close-reason\"", "value");
        c.secretary.sign_in(&w, "Sanne").await;
        let again = [("outcome", "declined"), ("close-reason", value.as_str())];
        led(c.secretary.fill(&w, &format!("{request}/outcome"), &again).await);
        has(&c.nobody.read(&w, &request).await.ok(), &["Ordet er &#34;lovens&#34; eget.", "Ikke imødekommet"]);

        let foreign = [("origin", "https://evil.example"), ("content-type", "application/x-www-form-urlencoded")];
        let no = w.ask("POST", "/change-requests", &foreign).await.with(403);
        assert_eq!(no.code(), "foreign-origin");
        let english = w.ask("GET", "/change-requests", &[("accept-language", "en")]).await.ok();
        has(&english, &["<html lang=\"en\">", "Change requests", "Propose a change"]);
    })
    .await;
}

/// The secret at the end of the link in the last letter.
async fn secret(w: &World) -> String {
    let sql = "SELECT body FROM letter WHERE body IS NOT NULL ORDER BY change DESC, uuid";
    let body: String = match w.database {
        "sqlite" => {
            let mut c = SqliteConnection::connect(&w.address).await.expect("the file opens");
            sqlx::query(sql).fetch_all(&mut c).await.expect("rows")[0].get(0)
        }
        _ => {
            let mut c = PgConnection::connect(&w.address).await.expect("the server answers");
            sqlx::query(sql).fetch_all(&mut c).await.expect("rows")[0].get(0)
        }
    };
    let link = body.lines().find(|l| l.contains("/change-requests/confirm/")).expect("a link").to_owned();
    link.rsplit('/').next().expect("a secret").trim().to_owned()
}

#[tokio::test]
async fn somebody_without_an_account_confirms_by_mail() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let form = format!("/change-requests/new?vocabulary=koder&concept={A}");
        let page = c.nobody.read(&w, &form).await.ok();
        has(&page, &["Registret sender ikke mail"]);
        has_not(&page, &["id=\"mail\"", "Send ønsket"]);
        let from = Sender::new("Begreb <begreb@registry.example.dk>").expect("a sender");
        let smtp = Smtp::new("smtp://127.0.0.1:9", None, false, from).expect("an address");
        let post = Post::new(w.registry.clone(), vec![Box::new(SecurityNotices), Box::new(RequestLetters)], smtp);
        post.start().await.expect("mail is turned on");
        post.compose().await.expect("what was before makes no letters");

        has(&c.nobody.read(&w, &form).await.ok(), &["id=\"mail\"", "id=\"name\"", "Send ønsket"]);
        let fields = [
            ("vocabulary", "koder"),
            ("about", A),
            ("title", "Udefra"),
            ("text", "Ordet er ukendt."),
            ("term", "udredning"),
            ("name", "Ulla Udefra"),
        ];
        let no = c.nobody.fill(&w, "/change-requests", &fields).await.with(401);
        has(
            &no,
            &["<a href=\"#mail\">Mailadresse</a>", "Ordet er ukendt.", "value=\"Ulla Udefra\"", "value=\"udredning\""],
        );
        let wrong: Vec<_> = fields.into_iter().chain([("mail", "ulla")]).collect();
        has(&c.nobody.fill(&w, "/change-requests", &wrong).await, &["Det er ikke en mailadresse", "value=\"ulla\""]);
        let fields: Vec<_> = fields.into_iter().chain([("mail", "ulla@example.dk")]).collect();
        let place = led(c.nobody.fill(&w, "/change-requests", &fields).await);
        has(&c.nobody.read(&w, &place).await.ok(), &["Vi har sendt et link til din mailadresse."]);
        has_not(&c.secretary.read(&w, "/change-requests").await.ok(), &["Udefra"]);
        post.compose().await.expect("letters");
        let confirm = format!("/change-requests/confirm/{}", secret(&w).await);
        has(&c.nobody.read(&w, &confirm).await.ok(), &["Bekræft ønsket"]);
        has(&c.nobody.fill(&w, &confirm, &[]).await.ok(), &["»Udefra« er modtaget"]);
        let queue = c.secretary.read(&w, "/change-requests").await.ok();
        let request = attribute(&queue.text(), "<li><h2><a href=\"/change-requests/", "href");
        has(&c.secretary.read(&w, &request).await.ok(), &["Ulla Udefra &lt;ulla@example.dk&gt;"]);
        let outcome = [("outcome", "declined"), ("close-reason", "Ordet er lovens.")];
        led(c.secretary.fill(&w, &format!("{request}/outcome"), &outcome).await);
        let seen = c.nobody.read(&w, &request).await.ok();
        has(&seen, &["Ordet er lovens."]);
        has_not(&seen, &["Ulla", "ulla@"]);
    })
    .await;
}
