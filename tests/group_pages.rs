//! The pages of groups, meetings, recommendations and decisions as a browser uses them.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use begreb::model::{Governance, Role};
use common::crew::{Person, group, person, vocabulary};
use common::page::{bare, has, has_not, led};
use common::{World, on_every_database};
use serde_json::{Value, json};
use uuid::Uuid;

const A: &str = "aaaaaaaa-0000-4000-8000-000000000001";

/// Who takes part.
struct Crew {
    secretary: Person,
    chair: Person,
    member: Person,
    reader: Person,
    stranger: Person,
    publisher: Person,
    nobody: Person,
    committee: Uuid,
}

async fn crew(w: &World) -> Crew {
    let file = format!("notation,uuid,preferred.da,definition.da\nA,{A},afklaring,det at afklare noget\nB,,bistand,\n");
    vocabulary(w, "koder", Governance::Direct, &file).await;
    let anne = person(w, "Anne", &[Role::Administrator]).await;
    let frame = json!({ "titles": [{ "language": "da", "text": "koder" }], "kind": "codeList",
        "governance": "hearing", "languages": ["da"] });
    let any = [("if-match", "*"), ("content-type", "application/json")];
    anne.ask(w, "PUT", "/api/v1/vocabularies/koder", &frame, &any).await.ok();
    let chair = person(w, "Christa", &[Role::Chair]).await;
    let member = person(w, "Mads", &[]).await;
    Crew {
        committee: group(w, "Begrebsstyregruppen", "committee", &[&chair, &member]).await,
        secretary: person(w, "Sanne", &[Role::Secretary]).await,
        reader: person(w, "Lone", &[Role::Reader]).await,
        stranger: person(w, "Frede", &[Role::HearingParty]).await,
        publisher: person(w, "Pia", &[Role::Publisher]).await,
        nobody: Person::default(),
        chair,
        member,
    }
}

impl Crew {
    /// Everybody signs in again: a session lasts half a day.
    async fn sign_in(&mut self, w: &World) {
        let all = [
            (&mut self.secretary, "Sanne"),
            (&mut self.chair, "Christa"),
            (&mut self.member, "Mads"),
            (&mut self.publisher, "Pia"),
        ];
        for (who, name) in all {
            who.sign_in(w, name).await;
        }
    }
}

#[tokio::test]
async fn a_mandate_is_written_on_a_page_and_read_by_all() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let page = format!("/groups/{}", c.committee);
        let form = format!("{page}/mandate");
        // Without a mandate it is for those who work with it.
        has_not(&c.nobody.read(&w, "/groups").await.ok(), &["Begrebsstyregruppen"]);
        has(&c.nobody.read(&w, &page).await.with(404), &["Det går ikke"]);
        has(&c.member.read(&w, "/groups").await.ok(), &["Begrebsstyregruppen", "2 medlemmer"]);
        let seen = c.member.read(&w, &page).await.ok();
        has(&seen, &["<li>Christa</li>", "<li>Mads</li>", "udvalg, der beslutter", "intet kommissorium"]);
        has_not(&seen, &["/mandate", "/meetings/new"]);
        has(&c.secretary.read(&w, &page).await.ok(), &["/mandate", "/meetings/new"]);
        for (who, status) in [(&c.nobody, 401), (&c.member, 403), (&c.reader, 403)] {
            let no = who.read(&w, &form).await.with(status);
            has(&no, &["Det går ikke"]);
            let typed = [("purpose", "Et formål, som er mit."), ("scope", "x"), ("text", "y")];
            has(&who.fill(&w, &form, &typed).await.with(status), &["Et formål, som er mit."]);
        }

        let vocabulary = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"koder").to_string();
        let fields = [
            ("purpose", "Fælles begreber."),
            ("scope", "Voksne; ikke børn."),
            ("text", "Gruppen beslutter.\r\nDen mødes hver måned."),
            ("given", "2026-10-01"),
            ("vocabulary", vocabulary.as_str()),
            ("due-what-0", "Første udkast"),
            ("due-by-0", "2027-03-01"),
            ("due-what-1", ""),
            ("due-by-1", ""),
        ];
        // More rows: nothing is saved, nothing lost.
        let more: Vec<_> = fields.into_iter().chain([("do", "more")]).collect();
        let again = c.secretary.fill(&w, &form, &more).await.ok();
        has(&again, &["Fælles begreber.", "value=\"Første udkast\"", "value=\"2027-03-01\"", "due-what-4", " checked"]);
        has_not(&again, &["due-what-5", "role=\"alert\""]);
        let wrong: Vec<_> = fields.iter().map(|(n, v)| (*n, if *n == "due-by-0" { "snart" } else { v })).collect();
        let no = c.secretary.fill(&w, &form, &wrong).await.with(400);
        has(&no, &["»snart« er ikke en dato", "<a href=\"#due-by-0\">Frist</a>", "Voksne; ikke børn."]);
        let wrong: Vec<_> = fields.iter().map(|(n, v)| (*n, if *n == "scope" { " " } else { v })).collect();
        has(&c.secretary.fill(&w, &form, &wrong).await.with(400), &["<a href=\"#scope\">Afgrænsning</a>"]);

        let place = led(c.secretary.fill(&w, &form, &fields).await);
        has(&c.secretary.read(&w, &place).await.ok(), &["Kommissoriet er gemt.", "Første udkast", "2027-03-01"]);
        let second: Vec<_> =
            fields.iter().map(|(n, v)| (*n, if *n == "purpose" { "Et andet formål." } else { v })).collect();
        led(c.chair.fill(&w, &form, &second).await);
        let seen = c.nobody.read(&w, &page).await.ok();
        has(
            &seen,
            &["Et andet formål.", "Tidligere kommissorium", "Fælles begreber.", "<a href=\"/id/koder\">koder</a>"],
        );
        has_not(&seen, &["Christa", "Mads", "Møder</h2>"]);
        has(&c.nobody.read(&w, "/groups").await.ok(), &["Begrebsstyregruppen", "Et andet formål."]);
        has(&c.chair.read(&w, &form).await.ok(), &[">Et andet formål.</textarea>", "value=\"2026-10-01\""]);
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn a_meeting_is_called_held_and_minuted_on_pages() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let group = format!("/groups/{}", c.committee);
        let (new, call) = (format!("{group}/meetings/new"), format!("{group}/meetings"));
        c.member.read(&w, &new).await.with(403);
        let form = c.chair.read(&w, &new).await.ok();
        has(&form, &["type=\"datetime-local\"", "til beslutning", "til drøftelse", "til efterretning"]);
        let fields = [
            ("at", "2026-11-22T15:30"),
            ("place", "Lokale 3"),
            ("item-title-0", "Velkomst"),
            ("item-kind-0", "information"),
            ("item-text-0", ""),
            ("item-title-1", ""),
            ("item-kind-1", "discussion"),
            ("item-title-2", "Hvad nu?"),
            ("item-kind-2", "discussion"),
            ("item-text-2", "Planen for foråret."),
        ];
        let no: Vec<_> = fields.iter().map(|(n, v)| (*n, if *n == "at" { "i morgen" } else { v })).collect();
        let no = c.chair.fill(&w, &call, &no).await.with(400);
        has(&no, &["<a href=\"#at\">Dag og klokkeslæt</a>", "value=\"Lokale 3\"", "Planen for foråret."]);
        let no: Vec<_> = fields.iter().map(|(n, v)| (*n, if *n == "item-title-2" { "" } else { v })).collect();
        has(&c.chair.fill(&w, &call, &no).await.with(400), &["<a href=\"#item-title-2\">Dagsorden</a>"]);
        has(&c.member.fill(&w, &call, &fields).await.with(403), &["Planen for foråret."]);
        let place = led(c.chair.fill(&w, &call, &fields).await);
        let meeting = bare(&place);
        let page = c.chair.read(&w, &place).await.ok();
        has(&page, &["Mødet er indkaldt.", "kl. 15.30", "Lokale 3", "Velkomst", "Hvad nu?", "til efterretning"]);
        has_not(&page, &["Hvem var til stede?"]);
        let seen = c.member.read(&w, &meeting).await.ok();
        has_not(&seen, &["/change\"", "Aflys", "Skriv referat"]);
        c.stranger.read(&w, &meeting).await.with(403);
        c.nobody.read(&w, &meeting).await.with(401);
        has(&c.member.read(&w, &group).await.ok(), &["2026-11-22 kl. 15.30", "indkaldt"]);

        // Changed; what is typed again is all of it.
        let change = format!("{meeting}/change");
        has(&c.chair.read(&w, &change).await.ok(), &["value=\"2026-11-22T15:30\"", "value=\"Velkomst\""]);
        let changed =
            [("at", "2026-11-22T16:00"), ("place", ""), ("item-title-0", "Kun dette"), ("item-kind-0", "discussion")];
        has(&c.chair.read(&w, &led(c.chair.fill(&w, &change, &changed).await)).await.ok(), &["kl. 16.00", "Kun dette"]);
        has_not(&c.chair.read(&w, &meeting).await.ok(), &["Lokale 3", "Velkomst"]);

        // Not before its time; then once.
        let (chair, member) = (c.chair.uuid.to_string(), c.member.uuid.to_string());
        let there = [("member", chair.as_str()), ("present", &chair), ("member", &member)];
        let attendance = format!("{meeting}/attendance");
        has(&c.chair.fill(&w, &attendance, &there).await.with(409), &["Mødet er ikke begyndt"]);
        w.clock.set("2026-11-22T16:00:00Z");
        let page = c.chair.read(&w, &meeting).await.ok();
        has(&page, &["Hvem var til stede?", "Christa", "Mads"]);
        let nobody = [("member", chair.as_str()), ("member", &member)];
        has(&c.chair.fill(&w, &attendance, &nobody).await.with(422), &["<a href=\"#attendance\">Fremmøde</a>"]);
        led(c.chair.fill(&w, &attendance, &there).await);
        let page = c.member.read(&w, &meeting).await.ok();
        has(&page, &["<li>Christa</li>", "<li>Mads <span class=\"soft\">(fraværende)"]);
        let minutes = format!("{meeting}/minutes");
        has(&c.member.fill(&w, &minutes, &[("minutes", "Mit eget referat.")]).await.with(403), &["Mit eget referat."]);
        has(&c.chair.fill(&w, &minutes, &[("minutes", "")]).await.with(400), &["<a href=\"#minutes\">Referat</a>"]);
        led(c.secretary.fill(&w, &minutes, &[("minutes", "Vi mødtes.")]).await);
        led(c.chair.fill(&w, &minutes, &[("minutes", "Vi mødtes, og alle var enige.")]).await);
        let page = c.member.read(&w, &meeting).await.ok();
        has(&page, &["Vi mødtes, og alle var enige.", "Tidligere referat", "Vi mødtes.</div>", "Christa"]);
        let cancel = format!("{meeting}/cancellation");
        has(&c.chair.fill(&w, &cancel, &[("reason", "Sygdom i huset.")]).await.with(409), &["Mødet er holdt"]);

        let other = bare(&led(c.chair.fill(&w, &call, &[("at", "2026-12-22T16:00"), ("place", "")]).await));
        let off = led(c.chair.fill(&w, &format!("{other}/cancellation"), &[("reason", "Jul.")]).await);
        has(&c.member.read(&w, &off).await.ok(), &["Aflyst", "Jul.", "aflyst</span>"]);
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

fn content(term: &str, definition: &str) -> Value {
    json!({
        "notation": "A",
        "terms": [{ "language": "da", "value": term, "status": "preferred" }],
        "definitions": [{ "language": "da", "text": definition }],
    })
}

/// A draft that was heard: one answer, which became an edit.
async fn heard(w: &World, c: &mut Crew) -> (String, String, String) {
    let open = json!({ "vocabulary": "koder", "title": "Klarere ord" });
    let draft = c.secretary.send(w, "POST", "/drafts", open).await.with(201).json();
    let draft = draft["uuid"].as_str().expect("a uuid").to_owned();
    let concept = format!("/api/v1/drafts/{draft}/concepts/A");
    let any = [("if-match", "*"), ("content-type", "application/json")];
    let body = content("udredning", "det at udrede noget");
    c.secretary.ask(w, "PUT", &format!("{concept}?reason=klarere"), &body, &any).await.ok();
    let plan = json!({ "title": "Høring over ord", "letter": "Hvad siger I?", "audience": "public",
        "opens": null, "deadline": "2026-12-20T12:00:00Z" });
    let hearing = c.secretary.send(w, "POST", &format!("/drafts/{draft}/hearings"), plan).await.with(201).json();
    let hearing = hearing["uuid"].as_str().expect("a uuid").to_owned();
    let said =
        json!({ "submit": true, "items": [{ "concept": A, "agreeDefinition": false, "comment": "Skriv hvad." }] });
    let answer = c.secretary.send(w, "POST", &format!("/hearings/{hearing}/answers"), said).await.with(201).json();
    let answer = answer["uuid"].as_str().expect("a uuid").to_owned();
    w.clock.set("2026-12-21T12:00:00Z");
    w.registry.tick().await.expect("the clock");
    c.sign_in(w).await;
    let edit = json!({ "content": content("udredning", "det at udrede en sag"), "reason": "Sagen er nævnt." });
    let item = format!("/api/v1/hearings/{hearing}/answers/{answer}/items/1/edit");
    c.secretary.ask(w, "POST", &item, &edit, &any).await.with(201);
    c.secretary.send(w, "POST", &format!("/hearings/{hearing}/completion"), Value::Null).await.ok();
    let request = json!({ "committee": c.committee, "text": "Vedtag de klarere ord." });
    c.secretary.send(w, "POST", &format!("/drafts/{draft}/recommendations"), request).await.with(201);
    (draft, hearing, answer)
}

#[tokio::test]
async fn a_committee_sees_what_is_proposed_decides_and_its_decision_is_told_both_ways() {
    on_every_database(async |w| {
        let mut c = crew(&w).await;
        let (draft, hearing, answer) = heard(&w, &mut c).await;
        let recommendation = format!("/recommendations/{draft}");
        let page = c.chair.read(&w, &recommendation).await.ok();
        let digest = c.chair.get(&w, &format!("/drafts/{draft}")).await.ok().json();
        let digest = digest["recommendations"][0]["digest"].as_str().expect("a digest").to_owned();
        has(
            &page,
            &[
                "Vedtag de klarere ord.",
                &digest,
                "Ændret siden høringen",
                "Ændret i forhold til den gældende version",
                "<del>noget</del><ins>en sag</ins>",
                "<del>afklaring</del>",
                "på ingen dagsorden",
            ]
            .map(|p| if p == "på ingen dagsorden" { "Kladden er ikke på dagsordenen" } else { p }),
        );
        let ids: Vec<&str> = page.text().leak().split(" id=\"").skip(1).filter_map(|p| p.split('"').next()).collect();
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "an id twice: {ids:?}");
        has_not(
            &c.secretary.read(&w, &recommendation).await.ok(),
            &["Hvad blev besluttet?", "Kladden er ikke på dagsordenen"],
        );
        c.nobody.read(&w, &recommendation).await.with(401);
        c.member.read(&w, &recommendation).await.with(403);
        let group = format!("/groups/{}", c.committee);
        has(&c.chair.read(&w, &group).await.ok(), &["Indstillet til gruppen", &recommendation]);

        // The meeting.
        let fields = [
            ("at", "2026-12-21T13:00"),
            ("item-title-0", "Klarere ord"),
            ("item-kind-0", "decision"),
            ("item-draft-0", draft.as_str()),
        ];
        let call = format!("{group}/meetings");
        let meeting = bare(&led(c.chair.fill(&w, &call, &fields).await));
        has(&c.chair.read(&w, &meeting).await.ok(), &[&format!("{recommendation}?meeting="), "Klarere ord"]);
        has(&c.chair.read(&w, &recommendation).await.ok(), &["Før fremmødet til protokol, når mødet er holdt"]);
        let (chair, member) = (c.chair.uuid.to_string(), c.member.uuid.to_string());
        let there = [("member", chair.as_str()), ("present", &chair), ("member", &member), ("present", &member)];
        led(c.chair.fill(&w, &format!("{meeting}/attendance"), &there).await);
        has(
            &c.chair.read(&w, &recommendation).await.ok(),
            &["Hvad blev besluttet?", "Christa</label>", "Mads</label>"],
        );

        // The decision, with what can be wrong about it; nothing typed is lost.
        let decide = format!("{recommendation}/decision");
        let of = meeting.rsplit('/').next().unwrap_or_default().to_owned();
        let (for_chair, for_member) = (format!("vote-{chair}"), format!("vote-{member}"));
        let fields = [
            ("meeting", of.as_str()),
            ("item", "1"),
            ("digest", digest.as_str()),
            ("outcome", "adoptedWithRemarks"),
            ("voting", "vote"),
            (for_chair.as_str(), "for"),
            (for_member.as_str(), "against"),
            ("remarks", "Ordlisten følger."),
            ("minority-member-0", member.as_str()),
            ("minority-text-0", "Ordet »udredning« er lovens om noget andet."),
        ];
        let with = |name: &'static str, value: &'static str| -> Vec<(&str, &str)> {
            fields.iter().map(|(n, v)| (*n, if *n == name { value } else { *v })).collect()
        };
        let no = c.chair.fill(&w, &decide, &fields).await.with(422);
        has(
            &no,
            &[
                "Der er ikke flertal for",
                "<a href=\"#outcome-adopted\">Afgørelse</a>",
                "Ordlisten følger.",
                "er lovens om",
            ],
        );
        has(
            &no,
            &["value=\"adoptedWithRemarks\" required aria", "value=\"against\" selected"]
                .map(|p| p.trim_end_matches(" required aria")),
        );
        let other = "0".repeat(64).leak();
        has(
            &c.chair.fill(&w, &decide, &with("digest", other)).await.with(409),
            &["Det indstillede indhold er", "Ordlisten følger."],
        );
        let no = c.chair.fill(&w, &decide, &with("minority-member-0", "")).await.with(422);
        has(&no, &["Sig, hvem mindretallet er", "<a href=\"#minority-text-0\">Mindretal</a>"]);
        let no = c.chair.fill(&w, &decide, &with("outcome", "")).await.with(422);
        has(&no, &["Der er ikke valgt noget"]);
        let more: Vec<_> = fields.iter().copied().chain([("do", "more")]).collect();
        has(
            &c.chair.fill(&w, &decide, &more).await.ok(),
            &["minority-text-1", "er lovens om", "value=\"against\" selected"],
        );
        let no = c.secretary.fill(&w, &decide, &fields).await.with(403);
        has(&no, &["Ordlisten følger.", "er lovens om"]);
        let abstains: Vec<_> =
            fields.iter().map(|(n, v)| (*n, if *n == for_member { "abstains" } else { *v })).collect();
        let place = led(c.chair.fill(&w, &decide, &abstains).await);
        let decision = bare(&place);
        has(
            &c.chair.read(&w, &place).await.ok(),
            &[
                "Afgørelsen er ført til protokol.",
                "Vedtaget med bemærkninger",
                "Ordlisten følger.",
                "<li>Christa: for</li>",
                "<li>Mads: hverken for eller imod</li>",
                "er lovens om noget andet.",
                &digest,
                "Sagen er nævnt.",
                &format!("/hearings/{hearing}#answer-{answer}"),
            ],
        );
        has(&c.member.read(&w, &meeting).await.ok(), &["Klarere ord"]);
        has(&c.chair.read(&w, &meeting).await.ok(), &[&decision, "Vedtaget med bemærkninger"]);
        has_not(&c.chair.read(&w, &recommendation).await.ok(), &["Hvad blev besluttet?"]);
        c.nobody.read(&w, &decision).await.with(404);
        has_not(&c.nobody.read(&w, "/decisions").await.ok(), &["Klarere ord"]);

        // Published: everybody reads what was decided, how many voted how, and never who.
        let publish = json!({ "version": "2" });
        c.publisher.send(&w, "POST", &format!("/drafts/{draft}/publication"), publish).await.with(201);
        let seen = c.nobody.read(&w, &decision).await.ok();
        has(
            &seen,
            &[
                "version 2",
                "for: 1",
                "hverken for eller imod: 1",
                "1 medlem:",
                "er lovens om noget andet.",
                "A udredning",
            ],
        );
        has_not(&seen, &["Mads", "Christa", "/meetings/", "/recommendations/"]);
        has(&c.nobody.read(&w, "/decisions").await.ok(), &["Klarere ord", &decision]);
        let concept = c.nobody.read(&w, "/id/koder/A").await.ok();
        has(
            &concept,
            &[
                &format!("<a href=\"/hearings/{hearing}#answer-{answer}\">høringssvar</a>: Sagen er nævnt."),
                &format!("<a href=\"{decision}\">afgørelsen</a>"),
            ],
        );
        let heard = c.nobody.read(&w, &format!("/hearings/{hearing}")).await.ok();
        has(&heard, &[&format!("id=\"answer-{answer}\""), "Ændringen er udgivet", &decision, "/id/koder/versions/2"]);
        has(&c.nobody.read(&w, "/id/koder").await.ok(), &[&decision]);
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn what_reviewers_said_is_shown_on_the_version() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let page = "/id/koder/versions/1";
        has_not(&c.nobody.read(&w, page).await.ok(), &["certificering"]);
        let links = json!([{ "concept": A, "element": "https://example.dk/skema#a" }, { "element": "urn:x" }]);
        let submit = json!({ "reviewer": "OIO-komitéen", "reference": "2026-17", "links": links });
        let uri = "/vocabularies/koder/versions/1/certifications";
        let made = c.secretary.send(&w, "POST", uri, submit).await.with(201).json();
        has(&c.nobody.read(&w, page).await.ok(), &["OIO-komitéen", "2026-17", "Der er ikke svaret endnu."]);
        let verdict = json!({ "verdict": "conditional", "reasons": "Definitionen af a <mangler>." });
        let judge = format!("/certifications/{}/verdict", made["uuid"].as_str().expect("a uuid"));
        c.secretary.send(&w, "POST", &judge, verdict).await.ok();
        has(
            &c.nobody.read(&w, page).await.ok(),
            &[
                "certificeret med forbehold",
                "Definitionen af a &#60;mangler&#62;.",
                "<a href=\"https://example.dk/skema#a\">",
                "<code>urn:x</code>",
                "Skemaelementer (2)",
            ],
        );
        has(&c.nobody.read(&w, "/id/koder").await.ok(), &["<td>certificeret med forbehold</td>"]);
    })
    .await;
}
