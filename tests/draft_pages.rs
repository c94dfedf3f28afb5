//! The pages of drafts as a browser uses them: each form is read off the page that has it, filled in, and sent as it
//! stands there.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use axum::body::Body;
use axum::http::Request;
use begreb::model::{Governance, Role};
use common::crew::{Person, govern, group, person, vocabulary};
use common::{Answer, World, encoded, on_every_database};
use regex::Regex;
use serde_json::{Value, json};

const SITE: &str = "http://127.0.0.1:8080";
const PASSWORD: &str = "korrekt hest batteri";
const CSV: &str = "notation,preferred.da,definition.da,parent\nA,tilbud,noget der ydes,\nB,botilbud,tilbud med bolig,A\nC,dagtilbud,tilbud om dagen,A\n";

/// A browser in which somebody is signed in, or nobody.
#[derive(Clone, Default)]
struct Browser {
    cookie: Option<String>,
    english: bool,
}

/// A form as a page has it.
#[derive(Clone, Debug)]
struct Form {
    action: String,
    fields: Vec<(String, String)>,
    buttons: Vec<(String, String)>,
}

impl Browser {
    async fn of(w: &World, name: &str) -> Self {
        let mail = format!("{}@example.dk", name.to_lowercase());
        let body = json!({ "mail": mail, "password": PASSWORD }).to_string();
        let cookie = w.post("/api/v1/sign-in", body).await.ok().header("set-cookie");
        Self { cookie: cookie.split(';').next().map(ToOwned::to_owned), english: false }
    }

    async fn send(&self, w: &World, method: &str, uri: &str, origin: &str, body: String) -> Answer {
        let mut request = Request::builder().method(method).uri(uri.split('#').next().expect("a place"));
        request = request.header("accept-language", if self.english { "en" } else { "da" });
        if method == "POST" {
            request = request.header("origin", origin).header("content-type", "application/x-www-form-urlencoded");
        }
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        w.send(request.body(Body::from(body)).expect("a request")).await
    }

    async fn get(&self, w: &World, uri: &str) -> Answer {
        self.send(w, "GET", uri, "", String::new()).await
    }

    async fn post(&self, w: &World, form: &Form) -> Answer {
        self.send(w, "POST", &form.action, SITE, form.body()).await
    }

    /// Sends a form that is taken, and follows where it leads.
    async fn go(&self, w: &World, form: &Form) -> Answer {
        let done = self.post(w, form).await.with(303);
        self.get(w, &done.header("location")).await.ok()
    }

    /// The form of a page.
    async fn form(&self, w: &World, uri: &str) -> Form {
        let page = self.get(w, uri).await.ok();
        form_to(&page, uri.split('?').next().expect("a path"))
    }
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&#60;", "<").replace("&#62;", ">").replace("&#34;", "\"").replace("&#39;", "'");
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#38;", "&").replace("&amp;", "&")
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, from) = tag.split_once(&format!(" {name}=\""))?;
    Some(unescaped(from.split_once('"')?.0))
}

/// A pattern that is used for every page; to compile one takes longer than the page.
fn pattern(text: &'static str) -> Regex {
    static KNOWN: LazyLock<Mutex<HashMap<&'static str, Regex>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().expect("it is whole");
    known.entry(text).or_insert_with(|| Regex::new(text).expect("lawful")).clone()
}

/// The form of a page that leads to an address that ends so.
#[track_caller]
fn form_to(page: &Answer, ends: &str) -> Form {
    let html = page.text();
    let forms = pattern(r#"(?s)<form method="post" action="([^"]*)">(.*?)</form>"#);
    let found = forms.captures_iter(&html).find(|f| unescaped(&f[1]).ends_with(ends));
    let found = found.unwrap_or_else(|| panic!("{}: no form to {ends}: {html}", page.asked));
    let tags = r#"(?s)<input[^>]*>|<textarea[^>]*>(.*?)</textarea>|<select[^>]*>(.*?)</select>|<button[^>]*>"#;
    let (mut fields, mut buttons) = (Vec::new(), Vec::new());
    let option = pattern(r#"<option value="([^"]*)"( selected)?>"#);
    for tag in pattern(tags).captures_iter(&found[2]) {
        let (whole, open) = (&tag[0], tag[0].split('>').next().expect("a tag").to_owned());
        let Some(name) = attribute(&open, "name") else { continue };
        let value = attribute(&open, "value").unwrap_or_default();
        if whole.starts_with("<button") {
            buttons.push((name, value));
        } else if let Some(text) = tag.get(1) {
            let text = text.as_str();
            fields.push((name, unescaped(text.strip_prefix('\n').unwrap_or(text)).replace('\n', "\r\n")));
        } else if let Some(options) = tag.get(2) {
            let all: Vec<_> = option.captures_iter(options.as_str()).collect();
            let chosen = all.iter().find(|o| o.get(2).is_some()).or(all.first());
            fields.push((name, chosen.map(|o| unescaped(&o[1])).unwrap_or_default()));
        } else if !matches!(attribute(&open, "type").as_deref(), Some("checkbox" | "radio"))
            || open.contains(" checked")
        {
            fields.push((name, value));
        }
    }
    Form { action: unescaped(&found[1]), fields, buttons }
}

impl Form {
    /// The form with a field filled in. The page must have the field.
    #[track_caller]
    fn with(mut self, name: &str, value: &str) -> Self {
        let field = self.fields.iter_mut().find(|(n, _)| n == name);
        field.unwrap_or_else(|| panic!("the form has no field {name}")).1 = value.to_owned();
        self
    }

    /// The form with a box ticked, or a choice made.
    fn chosen(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(n, _)| n != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The form sent by a button.
    #[track_caller]
    fn by(self, value: &str) -> Self {
        let (name, value) = self.buttons.iter().find(|(_, v)| v == value).cloned().expect("the form has the button");
        self.chosen(&name, &value)
    }

    fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str())
    }

    /// The name of the first empty row of a part: `term-2`.
    fn room(&self, part: &str, main: &str) -> String {
        let empty = |(name, value): &&(String, String)| {
            name.starts_with(&format!("{part}-")) && name.ends_with(&format!("-{main}")) && value.is_empty()
        };
        let name = &self.fields.iter().find(empty).expect("there is room").0;
        name.strip_suffix(&format!("-{main}")).expect("it ends so").to_owned()
    }

    fn body(&self) -> String {
        self.fields.iter().map(|(n, v)| format!("{}={}", encoded(n), encoded(v))).collect::<Vec<_>>().join("&")
    }
}

/// A page that is one, in the right language, and nobody else's to keep.
#[track_caller]
fn page(answer: &Answer, status: u16) -> String {
    let text = answer.text();
    assert_eq!(answer.status, status, "{}: {text}", answer.asked);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{}", answer.asked);
    assert_eq!(answer.header("cache-control"), "no-store", "{}", answer.asked);
    assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{}", answer.asked);
    text
}

/// A vocabulary with its people, each in a browser.
struct Crew {
    sanne: Browser,
    karla: Browser,
    rita: Browser,
    pia: Browser,
    people: Vec<Person>,
}

async fn crew(w: &World, governance: Governance) -> Crew {
    vocabulary(w, "ord", Governance::Direct, CSV).await;
    govern(w, "ord", governance, false).await;
    let mut people = Vec::new();
    for (name, roles) in [
        ("Sanne", &[Role::Secretary][..]),
        ("Karla", &[Role::Contributor]),
        ("Rita", &[Role::Reader]),
        ("Pia", &[Role::Publisher]),
    ] {
        people.push(person(w, name, roles).await);
    }
    let of = async |name| Browser::of(w, name).await;
    Crew { sanne: of("Sanne").await, karla: of("Karla").await, rita: of("Rita").await, pia: of("Pia").await, people }
}

/// Opens a draft by its form; its address.
async fn open(w: &World, who: &Browser, title: &str) -> String {
    let form = who.get(w, "/drafts/new").await.ok();
    let form = form_to(&form, "/drafts").with("vocabulary", "ord").with("title", title);
    who.post(w, &form).await.with(303).header("location")
}

/// Adds a concept by its form.
async fn add(w: &World, who: &Browser, draft: &str, code: &str, term: &str, above: &str) {
    let form = who.form(w, &format!("{draft}/new-concept")).await;
    let form = form.with("notation", code).with("term-0-value", term).with("definition-0-text", "begreb for prøven");
    who.go(w, &form.with("relation-0-target", above).with("reason", "savnes").by("save")).await;
}

/// What the API says of a concept in the draft.
async fn said(w: &World, who: &Browser, draft: &str, key: &str) -> Value {
    who.get(w, &format!("/api/v1{draft}/concepts/{key}")).await.ok().json()
}

#[tokio::test]
async fn a_version_comes_about_in_a_browser() {
    on_every_database(async |w| {
        let c = crew(&w, Governance::Direct).await;
        group(&w, "Arbejdsgruppen", "workingGroup", &[]).await;
        let list = page(&c.sanne.get(&w, "/drafts").await, 200);
        assert!(list.contains("Der er ingen kladder.") && list.contains("Opret kladde"), "{list}");

        let form = form_to(&c.sanne.get(&w, "/drafts/new").await.ok(), "/drafts");
        let refused = c.sanne.post(&w, &form.clone().with("purpose", "Fælles <ord> & \"mere\"")).await;
        assert!(page(&refused, 400).contains("Det er ikke gemt"));
        let again = form_to(&refused, "/drafts");
        assert_eq!(again.get("purpose"), "Fælles <ord> & \"mere\"", "nothing typed is lost");
        let draft = c.sanne.post(&w, &again.with("title", "Anden udgave").chosen("minor", "yes")).await.with(303);
        let draft = draft.header("location");
        let text = page(&c.karla.get(&w, &draft).await, 200);
        for told in ["Anden udgave", "under udarbejdelse", "version 1", "lille ændring", "Sanne", "&#60;ord&#62; &#38;"]
        {
            assert!(text.contains(told), "{told}: {text}");
        }
        let list = page(&c.rita.get(&w, "/drafts?vocabulary=ord&phase=drafting").await, 200);
        assert!(list.contains("1 kladde") && !list.contains("Opret kladde"));
        assert!(page(&c.rita.get(&w, "/drafts?vocabulary=&phase=heard").await, 200).contains("Der er ingen kladder."));
        page(&c.rita.get(&w, "/drafts?phase=nix").await, 400);
        page(&c.rita.get(&w, "/drafts?nix=1").await, 400);
        let english = Browser { english: true, ..c.rita.clone() };
        assert!(page(&english.get(&w, &draft).await, 200).contains("Concepts that the draft changes"));

        // A concept with several rows; the code of the one above is looked up on the way.
        let form = c.karla.form(&w, &format!("{draft}/new-concept")).await;
        let form = form.with("notation", "D 1").with("term-0-value", "aflastning").with("term-0-source", "Loven");
        let found = c.karla.post(&w, &form.with("lookup", "tilb").by("find")).await;
        let text = page(&found, 200);
        assert!(text.contains("3 fundet") && text.contains("Tilføj B"), "{text}");
        let form = form_to(&found, "/new-concept").by("generic B");
        let form = form_to(&c.karla.post(&w, &form).await, "/new-concept");
        assert_eq!((form.get("relation-0-target"), form.get("term-0-source")), ("B", "Loven"));
        let more = form_to(&c.karla.post(&w, &form.by("more")).await, "/new-concept");
        assert!(
            more.fields.iter().filter(|(n, v)| n.starts_with("term-") && n.ends_with("-value") && v.is_empty()).count()
                >= 4
        );
        let (term, law) = (more.room("term", "value"), more.room("law", "law"));
        let more = more.with(&format!("{term}-value"), "aflaste").with(&format!("{law}-law"), "Serviceloven");
        let more = more.with(&format!("{law}-paragraph"), "§ 84").with("definition-0-text", "støtte\r\nfor en tid");
        let made = c.karla.go(&w, &more.with("reason", "savnes").by("save")).await;
        let text = page(&made, 200);
        assert!(text.contains("aflastning") && text.contains("class=\"status\">ny</span>"), "{text}");
        let now = said(&w, &c.karla, &draft, "D%201").await;
        assert_eq!(now["content"]["terms"][1]["value"], "aflaste");
        assert_eq!(now["content"]["terms"][0]["source"], "Loven");
        assert_eq!(now["content"]["definitions"][0]["text"], "støtte\nfor en tid");
        assert_eq!(now["content"]["legalBasis"][0], json!({ "law": "Serviceloven", "paragraph": "§ 84" }));
        assert_eq!(now["content"]["relations"][0]["kind"], "generic");

        // Changed, and a row taken away; what is not changed stays byte for byte.
        let at = format!("{draft}/concepts/D%201");
        let changed = form_to(&c.karla.get(&w, &at).await.ok(), now["uuid"].as_str().expect("a uuid"));
        let untouched = c.karla.post(&w, &changed.clone().with("reason", "intet").by("save")).await;
        assert!(page(&untouched, 409).contains("ændrer ikke noget"));
        let changed = changed.with("term-1-value", "").with("notation", "D2").with("reason", "kortere");
        let text = page(&c.karla.go(&w, &changed.by("save")).await, 200);
        assert!(text.contains("D2"));
        let now = said(&w, &c.karla, &draft, "D2").await;
        assert_eq!(now["content"]["terms"].as_array().expect("terms").len(), 1);
        let edits = page(&c.karla.get(&w, &format!("{draft}/edits")).await, 200);
        assert!(
            edits.contains("kortere") && edits.contains("Karla") && edits.contains("Fortryd rettelse 2"),
            "{edits}"
        );
        let undo = c.karla.form(&w, &format!("{draft}/edits/2/undo")).await;
        let refused = c.karla.post(&w, &undo).await;
        assert!(
            page(&refused, 400).contains("skriv en begrundelse") || refused.text().contains("Skriv en begrundelse")
        );
        c.karla.go(&w, &undo.with("reason", "alligevel ikke")).await;
        assert_eq!(said(&w, &c.karla, &draft, "D%201").await["content"]["terms"].as_array().expect("terms").len(), 2);

        // Between two moments, and against the version below: words marked.
        let text = page(&c.rita.get(&w, &format!("{draft}?from=1&to=2")).await, 200);
        assert!(text.contains("<del>D 1</del>") || text.contains("<del>"), "{text}");
        let text = page(&c.rita.get(&w, &draft).await, 200);
        assert!(text.contains("<ins>") && text.contains("aflastning"));
        page(&c.rita.get(&w, &format!("{draft}?from=99")).await, 400);

        let publish = c.pia.form(&w, &format!("{draft}/publish")).await;
        let taken = c.pia.post(&w, &publish.clone().with("version", "1")).await;
        assert!(page(&taken, 409).contains("Det er ikke gemt"));
        let text = page(&c.pia.go(&w, &publish.with("version", "2").with("effective", "2026-11-22")).await, 200);
        assert!(text.contains("publiceret") && text.contains("/id/ord/versions/2"), "{text}");
        assert_eq!(w.json("/api/v1/vocabularies/ord/concepts/D%201").await["validFrom"], "2026-11-22T00:00:00Z");
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn concepts_are_moved_split_merged_replaced_and_retired() {
    on_every_database(async |w| {
        let c = crew(&w, Governance::Direct).await;
        let draft = open(&w, &c.sanne, "Ny orden").await;
        let operation = async |key: &str, name: &str| {
            let answer = c.karla.get(&w, &format!("{draft}/concepts/{key}/{name}")).await.ok();
            form_to(&answer, &format!("/{name}"))
        };

        let split = operation("B", "split").await;
        let one =
            split.clone().with("notation-1", "B1").with("term-1", "midlertidigt botilbud").with("reason", "to slags");
        let refused = c.karla.post(&w, &one).await;
        assert!(page(&refused, 422).contains("Det er ikke gemt"));
        assert_eq!(form_to(&refused, "/split").get("term-1"), "midlertidigt botilbud");
        let nameless = c.karla.post(&w, &one.clone().with("notation-2", "B2")).await;
        assert!(page(&nameless, 422).contains("href=\"#term-2\""));
        c.karla.go(&w, &one.with("notation-2", "B2").with("term-2", "længerevarende botilbud")).await;
        let new = said(&w, &c.karla, &draft, "B2").await;
        assert_eq!(
            new["content"]["relations"].as_array().expect("relations").len(),
            2,
            "where it stood, and what it replaces"
        );
        let old = page(&c.karla.get(&w, &format!("{draft}/concepts/B")).await, 200);
        assert!(old.contains("lader begrebet udgå") && old.contains("Fortryd rettelse 1"), "{old}");

        let moved = operation("C", "move").await;
        assert_eq!(moved.get("target-1"), "A");
        let wrong = c.karla.post(&w, &moved.clone().with("target-2", "nix").with("reason", "r")).await;
        assert!(page(&wrong, 404).contains("href=\"#target-2\""));
        c.karla.go(&w, &moved.with("target-1", "B1").with("reason", "hører under")).await;
        let now = said(&w, &c.karla, &draft, "C").await;
        assert_eq!(now["content"]["relations"][0]["target"], said(&w, &c.karla, &draft, "B1").await["uuid"]);

        let merge = operation("B1", "merge").await;
        let alone = c.karla.post(&w, &merge.clone().with("reason", "én")).await;
        assert!(page(&alone, 422).contains("href=\"#others\""));
        // Somebody else does something meanwhile: the form is shown anew, and can be sent again.
        add(&w, &c.sanne, &draft, "E", "et andet", "A").await;
        let merge =
            merge.with("others", "B2").with("definition-1", "tilbud med bolig, kort eller langt").with("reason", "én");
        let lost = c.karla.post(&w, &merge).await;
        page(&lost, 412);
        c.karla.go(&w, &form_to(&lost, "/merge")).await;
        let now = said(&w, &c.karla, &draft, "B1").await;
        assert_eq!(now["content"]["definitions"][0]["text"], "tilbud med bolig, kort eller langt");
        page(&c.karla.get(&w, &format!("{draft}/concepts/B2")).await, 404);

        let replace = operation("C", "replace").await;
        assert_eq!(replace.get("term-1"), "dagtilbud");
        let there = c.karla.post(&w, &replace.clone().with("notation-1", "E").with("reason", "r")).await;
        page(&there, 409);
        c.karla.go(&w, &form_to(&there, "/replace").with("notation-1", "C2").with("reason", "ny lov")).await;
        assert!(said(&w, &c.karla, &draft, "C").await["content"].is_null());

        let retire = operation("E", "retire").await;
        assert!(
            page(&c.karla.go(&w, &retire.with("reason", "overflødigt")).await, 200).contains("lader begrebet udgå")
        );
        page(&c.karla.get(&w, &format!("{draft}/concepts/E/retire")).await, 404);
        page(&c.karla.get(&w, &format!("{draft}/concepts/A/nix")).await, 404);
        let text = page(&c.karla.get(&w, &format!("{draft}/concepts?q=BO")).await, 200);
        assert!(text.contains("B1 midlertidigt botilbud") && !text.contains("dagtilbud"), "{text}");
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn a_lost_race_shows_both_texts_and_lets_one_choose() {
    on_every_database(async |w| {
        let c = crew(&w, Governance::Direct).await;
        let draft = open(&w, &c.sanne, "Sammen").await;
        let uuid = said(&w, &c.karla, &draft, "B").await["uuid"].as_str().expect("a uuid").to_owned();
        let at = format!("{draft}/concepts/{uuid}");
        let (first, second) = (c.sanne.form(&w, &at).await, c.karla.form(&w, &at).await);
        let first = first.with("definition-0-text", "tilbud med egen bolig").with("reason", "klarere");
        c.sanne.go(&w, &first.by("save")).await;
        let note = second.room("note", "text");
        let mine =
            second.with("definition-0-text", "tilbud med bolig og støtte").with(&format!("{note}-text"), "min note");
        let lost = c.karla.post(&w, &mine.with("reason", "støtten").by("save")).await;
        let text = page(&lost, 412);
        for told in
            ["En anden har rettet begrebet imens", "tilbud med egen bolig", "Sanne", "klarere", "<ins>", "min note"]
        {
            assert!(text.contains(told), "{told}: {text}");
        }
        assert_eq!(said(&w, &c.karla, &draft, "B").await["content"]["definitions"][0]["text"], "tilbud med egen bolig");
        // One's own words, put together with theirs.
        let again = form_to(&lost, &uuid);
        assert_eq!((again.get("definition-0-text"), again.get("reason")), ("tilbud med bolig og støtte", "støtten"));
        c.karla.go(&w, &again.with("definition-0-text", "tilbud med egen bolig og støtte").by("save")).await;
        let now = said(&w, &c.karla, &draft, "B").await;
        assert_eq!(now["content"]["definitions"][0]["text"], "tilbud med egen bolig og støtte");
        assert_eq!(now["content"]["notes"][0]["text"], "min note");

        // It was retired meanwhile: to save is to bring it back.
        let mine = c.karla.form(&w, &at).await.with("notation", "B9").with("reason", "ny kode");
        let retire = c.sanne.get(&w, &format!("{at}/retire")).await.ok();
        c.sanne.go(&w, &form_to(&retire, "/retire").with("reason", "væk")).await;
        let lost = c.karla.post(&w, &mine.by("save")).await;
        assert!(page(&lost, 412).contains("ladet begrebet udgå"));
        c.karla.go(&w, &form_to(&lost, &uuid).by("save")).await;
        assert_eq!(said(&w, &c.karla, &draft, "B9").await["uuid"], uuid.as_str());

        // A form that was made of an older draft does not overwrite title and purpose silently.
        let described = c.sanne.form(&w, &format!("{draft}/describe")).await;
        add(&w, &c.karla, &draft, "E", "et andet", "A").await;
        let lost = c.sanne.post(&w, &described.with("title", "Sammen igen")).await;
        page(&lost, 412);
        let again = form_to(&lost, "/describe");
        assert_eq!(again.get("title"), "Sammen igen");
        assert!(page(&c.sanne.go(&w, &again).await, 200).contains("Sammen igen"));
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_comes_back_with_all_that_was_written() {
    on_every_database(async |w| {
        let c = crew(&w, Governance::Direct).await;
        let draft = open(&w, &c.sanne, "Fejl").await;
        let form = c.karla.form(&w, &format!("{draft}/new-concept")).await;
        let form = form.with("notation", "X").with("term-0-value", "<b>x</b>").with("reason", "prøve").by("save");
        let attempts = [
            (form.clone().with("relation-0-target", "findes ikke"), 422, "#relations"),
            (form.clone().with("term-0-language", "d4nsk!"), 400, "#term-0-language"),
            (form.clone().with("law-0-paragraph", "§ 1"), 422, "#law-0-law"),
            (form.clone().with("reason", ""), 400, "#reason"),
            (form.clone().with("notation", "A"), 409, "#notation"),
            (form.clone().with("term-0-value", ""), 422, "#terms"),
        ];
        for (sent, status, place) in attempts {
            let refused = c.karla.post(&w, &sent).await;
            let text = page(&refused, status);
            assert!(text.contains(&format!("href=\"{place}\"")), "{place}: {text}");
            assert!(text.contains(&format!("id=\"{}\"", &place[1..])), "{place} is on the page");
            assert!(!text.contains("<b>x</b>"), "what was written stays text");
            let again = form_to(&refused, "/new-concept");
            for (name, value) in sent.fields.iter().filter(|(n, v)| n != "do" && !v.is_empty()) {
                assert_eq!(again.get(name), value, "{name}");
            }
        }
        c.karla.go(&w, &form).await;

        // Nobody is signed in any more: what was written is there, and can be sent again.
        let nobody = Browser::default();
        let expired = nobody.post(&w, &form.clone().with("notation", "Y")).await;
        let text = page(&expired, 401);
        assert!(text.contains("&#60;b&#62;x&#60;/b&#62;") && text.contains("/sign-in"), "{text}");
        c.karla.go(&w, &form_to(&expired, "/new-concept")).await;
        assert_eq!(said(&w, &c.karla, &draft, "Y").await["content"]["terms"][0]["value"], "<b>x</b>");
        assert_eq!(nobody.get(&w, &draft).await.with(303).header("location"), "/sign-in");
        assert_eq!(nobody.get(&w, "/drafts").await.with(303).header("location"), "/sign-in");

        // Another site's page gets nothing done, and nothing handed on.
        for who in [&c.karla, &nobody] {
            let foreign = who.send(&w, "POST", &form.action, "https://evil.example", form.body()).await;
            let text = foreign.text();
            assert!(matches!(foreign.status, 401 | 403), "{text}");
            assert!(!text.contains("<form method=\"post\"") && !text.contains("prøve"), "{text}");
        }
        page(&c.karla.get(&w, "/drafts/nix").await, 404);
        page(&c.karla.get(&w, &format!("{draft}/concepts/nix")).await, 404);
        page(&c.karla.get(&w, &format!("{draft}/edits/99/undo")).await, 404);
        page(&c.karla.get(&w, &format!("{draft}/phase/nix")).await, 404);
    })
    .await;
}

#[tokio::test]
async fn who_may_not_does_not_see_the_button_and_is_refused() {
    on_every_database(async |w| {
        let c = crew(&w, Governance::Hearing).await;
        let draft = open(&w, &c.sanne, "Ret og uret").await;
        let concept = format!("{draft}/concepts/B");
        let places =
            ["/new-concept", "/hearing", "/recommend", "/publish", "/describe", "/phase/hold", "/phase/withdraw"];
        let seen = |text: &str| -> Vec<&str> {
            places.into_iter().filter(|p| text.contains(&format!("href=\"{draft}{p}\""))).collect()
        };
        let overview = async |who: &Browser| page(&who.get(&w, &draft).await, 200);
        assert!(seen(&overview(&c.rita).await).is_empty());
        assert_eq!(seen(&overview(&c.karla).await), ["/new-concept"]);
        // What the vocabulary's governance asks for comes first: nobody may publish yet.
        assert!(seen(&overview(&c.pia).await).is_empty());
        assert_eq!(
            seen(&overview(&c.sanne).await),
            ["/new-concept", "/hearing", "/recommend", "/describe", "/phase/hold", "/phase/withdraw"]
        );
        let text = page(&c.rita.get(&w, &concept).await, 200);
        assert!(text.contains("tilbud med bolig") && !text.contains("name=\"reason\""), "{text}");
        page(&c.rita.get(&w, &format!("{draft}/new-concept")).await, 403);
        page(&c.rita.get(&w, "/drafts/new").await, 403);

        let form = c.karla.form(&w, &format!("{draft}/new-concept")).await.with("notation", "X");
        let form = form.with("term-0-value", "mine ord").with("reason", "r").by("save");
        let posts = [
            (&c.rita, form.clone()),
            (&c.karla, c.sanne.form(&w, &format!("{draft}/hearing")).await.with("title", "mine ord")),
            (&c.karla, c.sanne.form(&w, &format!("{draft}/phase/hold")).await.with("reason", "mine ord")),
            (&c.karla, c.sanne.form(&w, &format!("{draft}/describe")).await.with("title", "mine ord")),
        ];
        for (who, form) in posts {
            let form = if form.action.ends_with("/hearing") { form.with("letter", "Kære alle") } else { form };
            let refused = who.post(&w, &form).await;
            let text = page(&refused, 403);
            assert!(text.contains("Det går ikke") && text.contains("mine ord"), "{}: {text}", form.action);
        }
        assert_eq!(c.karla.get(&w, &format!("/api/v1{draft}")).await.ok().json()["steps"], 1);
        // A draft that rests: the form was open when it was put to rest.
        let hold = c.sanne.form(&w, &format!("{draft}/phase/hold")).await.with("reason", "ferie");
        assert!(page(&c.sanne.go(&w, &hold).await, 200).contains("sat i bero"));
        let late = c.karla.post(&w, &form).await;
        assert!(page(&late, 409).contains("Det er ikke gemt"));
        assert_eq!(form_to(&late, "/new-concept").get("term-0-value"), "mine ord");
        let text = overview(&c.sanne).await;
        assert!(text.contains("/phase/resume") && !text.contains("/new-concept"));
        let resume = c.sanne.form(&w, &format!("{draft}/phase/resume")).await.with("reason", "tilbage");
        assert!(page(&c.sanne.go(&w, &resume).await, 200).contains("under udarbejdelse"));
        let review = c.sanne.form(&w, &format!("{draft}/phase/review")).await;
        assert!(page(&c.sanne.go(&w, &review).await, 200).contains("til kvalitetssikring"));
        let withdraw = c.sanne.form(&w, &format!("{draft}/phase/withdraw")).await.with("reason", "opgivet");
        let text = page(&c.sanne.go(&w, &withdraw).await, 200);
        assert!(text.contains("trukket") && seen(&text).is_empty(), "{text}");
        assert_eq!(c.people.len(), 4);
    })
    .await;
}

#[tokio::test]
async fn what_is_said_of_a_draft_stands_in_threads() {
    on_every_database(async |w| {
        let c = crew(&w, Governance::Direct).await;
        let draft = open(&w, &c.sanne, "Snak").await;
        let comments = format!("{draft}/comments");
        let form = c.rita.form(&w, &comments).await;
        assert!(page(&c.rita.post(&w, &form).await, 400).contains("href=\"#text\""));
        let text = page(&c.rita.go(&w, &form.with("text", "Hvorfor <nu>?\r\nOg hvad så?")).await, 200);
        assert!(text.contains("Hvorfor &#60;nu&#62;?\nOg hvad så?") && text.contains("Rita"), "{text}");
        let at = format!("{draft}/concepts/B");
        let begin = form_to(&c.karla.get(&w, &at).await.ok(), "/comments");
        let text = page(&c.karla.go(&w, &begin.with("field", "definitions").with("text", "For snævert?")).await, 200);
        assert!(text.contains("B botilbud: definitioner") && text.contains("For snævert?"), "{text}");
        let reply = form_to(&c.sanne.get(&w, &at).await.ok(), "/comments/2").with("text", "Nej.");
        let text = page(&c.sanne.go(&w, &reply).await, 200);
        assert!(
            text.contains("Nej.") && text.contains("<h1><span class=\"soft\">B</span>"),
            "it leads back to the concept"
        );
        let empty = form_to(&c.sanne.get(&w, &at).await.ok(), "/comments/2");
        assert!(page(&c.sanne.post(&w, &empty).await, 400).contains("Nej."), "with what was said before");
        let list = page(&c.rita.get(&w, &comments).await, 200);
        assert!(list.contains("Åbne kommentarer (2)") && list.contains("thread-2"));
        let settle = form_to(&c.karla.get(&w, &comments).await.ok(), "/comments/1/settlement");
        let text = page(&c.karla.go(&w, &settle).await, 200);
        assert!(text.contains("afsluttet") && text.contains("Åbn tråden igen"));
        assert!(!page(&c.rita.get(&w, &comments).await, 200).contains("Hvorfor"));
        let again = form_to(&c.rita.get(&w, &format!("{comments}?settled=yes")).await.ok(), "/comments/1/settlement");
        c.rita.go(&w, &again).await;
        assert!(page(&c.rita.get(&w, &comments).await, 200).contains("Åbne kommentarer (2)"));
        page(&c.rita.get(&w, &format!("{comments}/99")).await, 404);
    })
    .await;
}

#[tokio::test]
async fn an_overtaken_draft_is_laid_over_the_new_version_conflict_by_conflict() {
    on_every_database(async |w| {
        let c = crew(&w, Governance::Direct).await;
        let slow = open(&w, &c.sanne, "Langsom").await;
        let change = async |who: &Browser, draft: &str, key: &str, text: &str| {
            let uuid = said(&w, who, draft, key).await["uuid"].as_str().expect("a uuid").to_owned();
            let form = who.form(&w, &format!("{draft}/concepts/{uuid}")).await;
            who.go(&w, &form.with("definition-0-text", text).with("reason", "r").by("save")).await;
            uuid
        };
        let b = change(&c.karla, &slow, "B", "tilbud med bolig og støtte").await;
        change(&c.karla, &slow, "C", "tilbud i dagtimerne").await;
        let quick = open(&w, &c.sanne, "Hurtig").await;
        change(&c.sanne, &quick, "B", "tilbud med bolig og pleje").await;
        let publish =
            c.pia.form(&w, &format!("{quick}/publish")).await.with("version", "2").with("effective", "2026-11-22");
        c.pia.go(&w, &publish).await;

        let text = page(&c.karla.get(&w, &slow).await, 200);
        assert!(text.contains("overhalet") && text.contains("/rebase"), "{text}");
        let form = c.karla.form(&w, &format!("{slow}/rebase")).await;
        let refused = c.karla.post(&w, &form.clone().with("onto", "nix").with("reason", "ny version")).await;
        assert!(page(&refused, 404).contains("href=\"#onto\""));
        let conflict = c.karla.post(&w, &form.with("reason", "ny version")).await;
        let text = page(&conflict, 409);
        assert!(text.contains("B botilbud") && text.contains("pleje</ins>") && text.contains("støtte</ins>"), "{text}");
        assert!(!text.contains("dagtimerne"), "what is in no conflict is not asked about");
        let form = form_to(&conflict, "/rebase");
        assert_eq!(form.get("reason"), "ny version");
        let text = page(&c.karla.go(&w, &form.chosen(&format!("take-{b}"), "ours")).await, 200);
        assert!(text.contains("version 2") && !text.contains("overhalet"), "{text}");
        assert_eq!(
            said(&w, &c.karla, &slow, "B").await["content"]["definitions"][0]["text"],
            "tilbud med bolig og støtte"
        );
        assert_eq!(said(&w, &c.karla, &slow, "C").await["content"]["definitions"][0]["text"], "tilbud i dagtimerne");
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn a_hearing_and_a_recommendation_begin_on_the_page() {
    on_every_database(async |w| {
        let c = crew(&w, Governance::Hearing).await;
        let committee = group(&w, "Styregruppen", "committee", &[]).await;
        let draft = open(&w, &c.sanne, "Til høring").await;
        add(&w, &c.karla, &draft, "E", "nyt begreb", "A").await;
        let form = c.sanne.form(&w, &format!("{draft}/hearing")).await;
        assert_eq!(form.get("title"), "Til høring");
        let form = form.with("letter", "Kære parter").with("audience", "invited").with("deadline", "2026-12-24");
        let wrong =
            c.sanne.post(&w, &form.clone().with("parties", "Nordby Kommune; Nina; nina@example.dk\r\nSydby")).await;
        let text = page(&wrong, 400);
        assert!(text.contains("Linje 2") && text.contains("href=\"#parties\""), "{text}");
        let form = form_to(&wrong, "/hearing");
        let form =
            form.with("parties", "Nordby Kommune; Nina; nina@example.dk\r\n\r\nNordby Kommune; Nina; nina@example.dk");
        let text = page(&c.sanne.go(&w, &form).await, 200);
        assert!(text.contains("Kære parter") && text.contains("Nordby Kommune"), "{text}");
        let text = page(&c.sanne.get(&w, &draft).await, 200);
        assert!(text.contains("i høring") && !text.contains("/new-concept") && !text.contains("/recommend"), "{text}");
        let hearing = c.sanne.get(&w, &format!("/api/v1{draft}/hearings")).await.ok().json()[0].clone();
        assert_eq!(hearing["deadline"], "2026-12-24T00:00:00Z");
        assert_eq!(hearing["parties"], 1);

        // Four weeks later.
        w.clock.set("2026-12-24T08:00:00Z");
        let sanne = Browser::of(&w, "Sanne").await;
        let text = page(&sanne.get(&w, &draft).await, 200);
        assert!(text.contains(">hørt<") && text.contains("value=\"hearing\""), "{text}");
        let uuid = hearing["uuid"].as_str().expect("a uuid");
        sanne.send(&w, "POST", &format!("/api/v1/hearings/{uuid}/completion"), SITE, String::new()).await.ok();
        let form = sanne.form(&w, &format!("{draft}/recommend")).await.with("text", "Vedtag den.");
        let refused = sanne.post(&w, &form).await;
        assert!(page(&refused, 422).contains("href=\"#committee\""));
        let form = form_to(&refused, "/recommend");
        assert_eq!(form.get("text"), "Vedtag den.");
        let text = page(&sanne.go(&w, &form.with("committee", &committee.to_string())).await, 200);
        assert!(text.contains("indstillet") && text.contains("Styregruppen") && text.contains("Vedtag den."), "{text}");
        let recall = sanne.form(&w, &format!("{draft}/phase/recall")).await.with("reason", "en fejl");
        let text = page(&sanne.go(&w, &recall).await, 200);
        assert!(text.contains("Kaldt tilbage") && text.contains("en fejl"), "{text}");
    })
    .await;
}

#[tokio::test]
async fn four_eyes_look_at_the_page_and_approve_what_they_see() {
    on_every_database(async |w| {
        let c = crew(&w, Governance::Direct).await;
        govern(&w, "ord", Governance::Direct, true).await;
        let draft = open(&w, &c.sanne, "Fire øjne").await;
        person(&w, "Paul", &[Role::Publisher, Role::Contributor]).await;
        let paul = Browser::of(&w, "Paul").await;
        add(&w, &paul, &draft, "E", "nyt begreb", "A").await;
        let publish =
            paul.form(&w, &format!("{draft}/publish")).await.with("version", "2").with("effective", "2026-11-22");
        assert!(page(&paul.post(&w, &publish).await, 409).contains("Det er ikke gemt"));
        assert!(!page(&c.rita.get(&w, &draft).await, 200).contains("Godkend dette indhold"));
        let approve = form_to(&c.karla.get(&w, &draft).await.ok(), "/approve");
        // What was looked at is not what it says any more.
        add(&w, &paul, &draft, "F", "et til", "A").await;
        assert!(page(&c.karla.post(&w, &approve).await, 409).contains("Det går ikke"));
        let approve = form_to(&c.karla.get(&w, &draft).await.ok(), "/approve");
        let text = page(&c.karla.go(&w, &approve).await, 200);
        assert!(text.contains("Karla godkendte"), "{text}");
        assert!(page(&paul.go(&w, &publish).await, 200).contains("publiceret"));
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}
