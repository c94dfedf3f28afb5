//! The whole story, from a mandate over drafts, hearing, decision and publication to a change request: told command by
//! command through the front door, each refused to a wrong role first. After each command the process is killed and
//! started again, and everybody reads what they read before. Then the same among several nodes.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use begreb::model::{Command, Role};
use begreb::registry::RIGHTS;
use common::crew::{Person, group, person};
use common::{Answer, World, on_every_database};
use insta::assert_snapshot;
use serde_json::{Value, json};
use uuid::Uuid;

/// The commands of the workflow, each with a role that may not give it.
const WRONG: &[(Command, Role)] = &[
    (Command::Frame, Role::Secretary),
    (Command::Govern, Role::Publisher),
    (Command::ReadDrafts, Role::HearingParty),
    (Command::OpenDraft, Role::Reader),
    (Command::EditDraft, Role::Chair),
    (Command::Comment, Role::HearingParty),
    (Command::SteerDraft, Role::Contributor),
    (Command::HoldHearing, Role::Contributor),
    (Command::AnswerHearing, Role::Administrator),
    (Command::Dispose, Role::Chair),
    (Command::Recommend, Role::Contributor),
    (Command::Mandate, Role::CommitteeMember),
    (Command::CallMeeting, Role::CommitteeMember),
    (Command::Decide, Role::Secretary),
    (Command::Approve, Role::Administrator),
    (Command::PublishDraft, Role::Secretary),
    (Command::HandleRequests, Role::Contributor),
    (Command::Certify, Role::Chair),
];

/// The commands of the table that are about something else.
const ELSEWHERE: &[Command] = &[
    Command::Publish,
    Command::ReadPeople,
    Command::ManageOrganisations,
    Command::ManageAccounts,
    Command::ManageGroups,
    Command::Grant,
    Command::RevokeTokens,
    Command::OwnAccount,
    Command::OwnTokens,
    Command::OwnSubscriptions,
    Command::ManageSubscriptions,
    Command::OwnCodeSets,
    Command::ManageCodeSets,
    Command::HideUsages,
];

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text: {value}")).to_owned()
}

/// What is to be done.
struct Wish<'a> {
    command: Command,
    method: &'a str,
    uri: &'a str,
    body: Value,
    headers: Vec<(&'a str, &'a str)>,
}

fn wish<'a>(command: Command, method: &'a str, uri: &'a str, body: Value) -> Wish<'a> {
    Wish { command, method, uri, body, headers: Vec::new() }
}

/// A registry, somebody of each role, and what has come of the story so far.
struct Story {
    w: World,
    people: BTreeMap<Role, Person>,
    committee: Uuid,
    group: Uuid,
    /// What is read before and after the process is killed: addresses below `/api/v1`.
    read: Vec<String>,
    /// What was done.
    done: BTreeSet<Command>,
}

impl Story {
    async fn new(w: World) -> Self {
        let mut people = BTreeMap::new();
        for role in Role::ALL {
            people.insert(*role, person(&w, role.as_str(), &[*role]).await);
        }
        let of = |role: Role| &people[&role];
        let members = [of(Role::Chair), of(Role::CommitteeMember), of(Role::Reader)];
        let committee = group(&w, "Begrebsstyregruppen", "committee", &members).await;
        let makers = [of(Role::Secretary), of(Role::Contributor)];
        let group = group(&w, "Arbejdsgruppen", "workingGroup", &makers).await;
        Self { w, people, committee, group, read: Vec::new(), done: BTreeSet::new() }
    }

    fn of(&self, role: Role) -> &Person {
        &self.people[&role]
    }

    /// What everybody reads now: makers, those who hear, and the public.
    async fn seen(&self) -> Vec<String> {
        let nobody = Person::default();
        let mut seen = Vec::new();
        for uri in &self.read {
            for who in [self.of(Role::Secretary), self.of(Role::HearingParty), &nobody] {
                let answer = who.get(&self.w, uri).await;
                seen.push(format!("etag: {}\n{}", answer.header("etag"), answer.shown()));
            }
        }
        seen
    }

    /// Kills the process and starts another: everybody reads what they read before, and all is whole.
    async fn survive(&mut self) {
        let before = self.seen().await;
        self.w.restart().await;
        for (before, after) in before.into_iter().zip(self.seen().await) {
            assert_eq!(before, after, "after the process was killed");
        }
        self.w.registry.verify().await.expect("all is whole");
    }

    /// Gives a command, which a wrong role may not give, and kills the process after it.
    async fn tell(&mut self, role: Role, wish: Wish<'_>, status: u16) -> Answer {
        let (_, wrong) = WRONG.iter().find(|(c, _)| *c == wish.command).expect("a command of the workflow");
        let uri = format!("/api/v1{}", wish.uri);
        let position = self.w.position().await;
        let refused = self.of(*wrong).ask(&self.w, wish.method, &uri, &wish.body, &wish.headers).await;
        // Who has no role answers a public hearing as everybody does: by a confirmed mail address, where there is mail.
        let expected = if wish.command == Command::AnswerHearing { (401, "not-signed-in") } else { (403, "forbidden") };
        assert_eq!((refused.status, refused.code().as_str()), expected, "{}", refused.asked);
        assert_eq!(self.w.position().await, position, "a refusal changes nothing");
        let answer = self.of(role).ask(&self.w, wish.method, &uri, &wish.body, &wish.headers).await.with(status);
        self.done.insert(wish.command);
        self.survive().await;
        answer
    }

    /// Somebody with a link does something.
    async fn by_link(&mut self, link: &str, method: &str, uri: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {link}");
        let headers = [("authorization", bearer.as_str())];
        let answer = Person::default().ask(&self.w, method, &format!("/api/v1{uri}"), &body, &headers).await;
        self.survive().await;
        answer
    }

    /// The clock goes on while no process runs.
    async fn later(&mut self, now: &str) {
        self.w.clock.set(now);
        self.w.restart().await;
        for (role, person) in &mut self.people {
            person.sign_in(&self.w, role.as_str()).await;
        }
        self.survive().await;
    }

    /// The clock's own steps are laid down; what is read is what was read before.
    async fn tick(&mut self, readings: &[&str]) {
        let nobody = Person::default();
        let mut before = Vec::new();
        for uri in readings {
            before.push(nobody.get(&self.w, uri).await.ok().text());
        }
        self.w.registry.tick().await.expect("time is kept");
        for (uri, before) in readings.iter().zip(before) {
            assert_eq!(nobody.get(&self.w, uri).await.ok().text(), before, "told or not, it is so");
        }
        self.survive().await;
    }

    async fn snapshot(&self, name: &str, role: Role, uri: &str) {
        assert_snapshot!(name, self.of(role).get(&self.w, uri).await.ok().shown());
    }

    /// What a draft says of a concept, and its tag.
    async fn concept(&self, draft: &str, key: &str) -> (Value, String) {
        let said = self.of(Role::Reader).get(&self.w, &format!("{draft}/concepts/{key}")).await.ok().json();
        (said["content"].clone(), text(&said["etag"]))
    }
}

fn frame() -> Value {
    json!({
        "uuid": "0b0b0b0b-0000-4000-8000-000000000001", "kind": "terminology", "governance": "hearing", "fourEyes": true,
        "titles": [{ "language": "da", "text": "Begreber om botilbud" }],
        "namespace": "https://begreb.example.dk/id/botilbud/",
    })
}

fn content(notation: &str, term: &str, definition: &str, above: Option<&str>) -> Value {
    let relations: Vec<_> = above.iter().map(|a| json!({ "kind": "generic", "target": a })).collect();
    json!({
        "notation": notation, "relations": relations,
        "terms": [{ "language": "da", "status": "preferred", "value": term }],
        "definitions": [{ "language": "da", "text": definition }],
    })
}

fn uuid_at(answer: &Answer, root: &str) -> String {
    format!("{root}/{}", text(&answer.json()["uuid"]))
}

/// From nothing to a draft with three concepts, which the group has looked through.
async fn drafted(s: &mut Story) -> String {
    use Role::{Administrator, Contributor, HearingParty, Publisher, Reader, Secretary};
    let botilbud = "/vocabularies/botilbud";
    s.read.extend(
        [botilbud, "/vocabularies", "/drafts", "/hearings", "/decisions", "/change-requests"].map(str::to_owned),
    );
    let mut plain = frame();
    (plain["governance"], plain["fourEyes"]) = ("committee".into(), false.into());
    s.tell(Publisher, wish(Command::Frame, "PUT", botilbud, plain), 201).await;
    s.tell(Administrator, wish(Command::Govern, "PUT", botilbud, frame()), 200).await;
    let mandate = format!("/groups/{}/mandate", s.group);
    s.read.push(mandate.clone());
    let body = json!({ "purpose": "Fælles begreber.", "scope": "Voksne.", "text": "Gruppen afgrænser.", "givenBy": s.committee });
    s.tell(Secretary, wish(Command::Mandate, "PUT", &mandate, body), 200).await;

    let body = json!({ "vocabulary": "botilbud", "title": "Første udgave", "group": s.group });
    let draft = uuid_at(&s.tell(Secretary, wish(Command::OpenDraft, "POST", "/drafts", body), 201).await, "/drafts");
    for part in
        ["", "/concepts", "/edits", "/comments", "/findings", "/preview", "/diff?format=md&language=da", "/hearings"]
    {
        s.read.push(format!("{draft}{part}"));
    }
    s.tell(Reader, wish(Command::ReadDrafts, "GET", &draft, Value::Null), 200).await;
    for (notation, term, definition, above) in [
        ("B1", "botilbud", "socialt tilbud, der består af en bolig og støtte til at bo i den", None),
        ("B2", "midlertidigt botilbud", "botilbud til et midlertidigt ophold", Some("B1")),
        ("B3", "længerevarende botilbud", "botilbud til et ophold uden udløb", Some("B1")),
    ] {
        let uri = format!("{draft}/concepts/{notation}?reason=begyndelsen");
        let wish = wish(Command::EditDraft, "PUT", &uri, content(notation, term, definition, above));
        s.tell(Contributor, Wish { headers: vec![("if-none-match", "*")], ..wish }, 201).await;
    }
    let (said, tag) = s.concept(&draft, "B2").await;
    let uri = format!("/api/v1{draft}/concepts/B2?reason=x");
    let unsaid = s.of(Contributor).ask(&s.w, "PUT", &uri, &said, &[]).await;
    assert_eq!(unsaid.with(428).code(), "precondition-required");
    let stale = s.of(Contributor).ask(&s.w, "PUT", &uri, &said, &[("if-match", "\"x\"")]).await;
    assert_eq!(stale.with(412).code(), "precondition-failed");
    let uri = format!("{draft}/concepts/B2?reason=klarere");
    let better =
        content("B2", "midlertidigt botilbud", "botilbud, der er beregnet til et midlertidigt ophold", Some("B1"));
    let edit = wish(Command::EditDraft, "PUT", &uri, better);
    s.tell(Secretary, Wish { headers: vec![("if-match", &tag)], ..edit }, 200).await;
    let body = json!({ "topic": { "concept": "B3", "field": "definitions" }, "text": "Hvad er »uden udløb«?" });
    s.tell(Reader, wish(Command::Comment, "POST", &format!("{draft}/comments"), body), 201).await;
    s.tell(Secretary, wish(Command::SteerDraft, "POST", &format!("{draft}/phase"), json!({ "step": "review" })), 200)
        .await;
    s.of(HearingParty).get(&s.w, &draft).await.with(403);
    s.snapshot("draft", Secretary, &draft).await;
    draft
}

/// The hearing: three parties, of whom one is late, and an account that answers; every item gets its reply.
async fn heard(s: &mut Story, draft: &str) -> (String, String) {
    use Role::{Contributor, HearingParty, Secretary};
    let plan = json!({ "title": "Høring over botilbud", "letter": "Kære alle\nHvad siger I?", "audience": "public",
        "opens": "2026-12-01T08:00:00Z", "deadline": "2026-12-29T08:00:00Z" });
    let planned = s.tell(Secretary, wish(Command::HoldHearing, "POST", &format!("{draft}/hearings"), plan), 201).await;
    let hearing = uuid_at(&planned, "/hearings");
    for part in ["", "/answers", "/parties", "/note?format=md"] {
        s.read.push(format!("{hearing}{part}"));
    }
    let mut links = Vec::new();
    for (name, organisation) in [("nord", "Nordkøbing"), ("syd", "Sydby"), ("lev", "Leverandørforeningen")] {
        let body = json!({ "organisation": organisation, "name": "Postkassen", "mail": format!("{name}@example.dk") });
        let parties = format!("{hearing}/parties");
        let party =
            uuid_at(&s.tell(Secretary, wish(Command::HoldHearing, "POST", &parties, body), 201).await, &parties);
        let link = format!("{party}/link");
        let link = wish(Command::HoldHearing, "POST", &link, Value::Null);
        links.push(text(&s.tell(Secretary, link, 201).await.json()["secret"]));
    }

    // It opens while nobody runs; told or not, the draft is frozen.
    let early = s.by_link(&links[0], "POST", &format!("{hearing}/answers"), json!({ "submit": true })).await;
    assert_eq!(early.with(409).code(), "phase");
    s.later("2026-12-01T08:00:00Z").await;
    let retire = format!("/api/v1{draft}/concepts/B3?reason=x");
    for _ in 0..2 {
        let frozen = s.of(Contributor).ask(&s.w, "DELETE", &retire, &Value::Null, &[("if-match", "*")]).await;
        assert_eq!(frozen.with(409).code(), "phase");
        s.tick(&[&hearing]).await;
    }
    s.snapshot("hearing", HearingParty, &hearing).await;

    let answers = format!("{hearing}/answers");
    let (_, tag) = s.concept(draft, "B2").await;
    let concepts = s.of(Secretary).get(&s.w, &format!("{draft}/concepts")).await.ok().json();
    let of = |key: &str| {
        let all = concepts.as_array().expect("a list").iter();
        all.clone().find(|c| c["content"]["notation"] == key).map_or(Value::Null, |c| c["uuid"].clone())
    };
    let body =
        json!({ "items": [{ "concept": of("B2"), "agreeDefinition": false, "comment": "Skriv, at det er aftalt." }] });
    let begun = uuid_at(&s.by_link(&links[0], "POST", &answers, body).await.with(201), &answers);
    s.by_link(&links[0], "POST", &format!("{begun}/submission"), Value::Null).await.ok();
    let body = json!({ "submit": true, "items": [{ "concept": of("B3"), "agreeTerm": false, "comment": "Ordet er for langt." }] });
    let disputes = uuid_at(&s.by_link(&links[1], "POST", &answers, body).await.with(201), &answers);
    let body = json!({ "submit": true, "items": [{ "comment": "Et godt udkast." }] });
    let own = uuid_at(&s.tell(HearingParty, wish(Command::AnswerHearing, "POST", &answers, body), 201).await, &answers);

    // The deadline comes while nobody runs.
    s.later("2026-12-29T08:00:00Z").await;
    let over = s.by_link(&links[0], "POST", &format!("{begun}/withdrawal"), Value::Null).await;
    assert_eq!(over.with(409).code(), "phase");
    s.tick(&[&hearing]).await;
    let body = json!({ "submit": true, "items": [{ "comment": "Vi når det ikke inden årsskiftet." }] });
    let late = s.by_link(&links[2], "POST", &answers, body).await.with(201);
    assert_eq!(late.json()["late"], true);
    let late = uuid_at(&late, &answers);

    let body = json!({ "reason": "Det er aftalt.", "content": content("B2", "midlertidigt botilbud",
        "botilbud, der er beregnet til et aftalt, midlertidigt ophold", Some("B1")) });
    let uri = format!("{begun}/items/1/edit");
    let edit = Wish { headers: vec![("if-match", &tag)], ..wish(Command::Dispose, "POST", &uri, body) };
    let edited = s.tell(Contributor, edit, 201).await.json();
    assert_eq!(edited["edit"]["because"]["answer"]["item"], 1);
    let complete = format!("{hearing}/completion");
    let missing = s.of(Secretary).send(&s.w, "POST", &complete, Value::Null).await.with(409).json();
    assert_eq!(missing["items"].as_array().map(Vec::len), Some(3), "{missing}");
    for (answer, ruling, reason) in [
        (&disputes, "no", "Ordet er lovens."),
        (&own, "outOfScope", "Tak."),
        (&late, "outOfScope", "Fristen er ikke i høring."),
    ] {
        let uri = format!("{answer}/items/1/disposition");
        let body = json!({ "ruling": ruling, "reason": reason });
        s.tell(Contributor, wish(Command::Dispose, "PUT", &uri, body), 200).await;
    }
    s.tell(Secretary, wish(Command::HoldHearing, "POST", &complete, Value::Null), 200).await;
    s.snapshot("note", HearingParty, &format!("{hearing}/note?format=md")).await;
    (hearing, begun)
}

/// Recommended, decided at a meeting, approved by a second pair of eyes, published.
async fn decided(s: &mut Story, draft: &str) -> String {
    use Role::{Chair, CommitteeMember, Publisher, Reader, Secretary};
    let body = json!({ "committee": s.committee, "text": "Vedtag den." });
    let recommend = format!("{draft}/recommendations");
    let recommended = s.tell(Secretary, wish(Command::Recommend, "POST", &recommend, body), 201).await.json();
    let digest = text(&recommended["recommendations"][0]["digest"]);
    let frozen = format!("/api/v1{draft}/concepts/B3?reason=x");
    let frozen = s.of(Role::Contributor).ask(&s.w, "DELETE", &frozen, &Value::Null, &[("if-match", "*")]).await;
    assert_eq!(frozen.with(409).code(), "phase");

    let uuid = draft.trim_start_matches("/drafts/").to_owned();
    let meetings = format!("/groups/{}/meetings", s.committee);
    s.read.push(meetings.clone());
    let body = json!({ "at": "2027-01-12T09:00:00Z", "place": "Lokale 3",
        "agenda": [{ "kind": "decision", "title": "Begreber om botilbud", "draft": uuid }] });
    let meeting = uuid_at(&s.tell(Chair, wish(Command::CallMeeting, "POST", &meetings, body), 201).await, "/meetings");
    s.later("2027-01-12T11:00:00Z").await;
    let members = [Chair, CommitteeMember, Reader].map(|r| s.of(r).uuid);
    let there: Vec<_> = members.iter().map(|m| json!({ "member": m, "present": true })).collect();
    let attendance = format!("{meeting}/attendance");
    s.tell(Secretary, wish(Command::CallMeeting, "PUT", &attendance, json!({ "attendance": there })), 200).await;

    let votes: Vec<_> =
        members.iter().zip(["for", "for", "against"]).map(|(m, v)| json!({ "member": m, "vote": v })).collect();
    let decide = |digest: &str| {
        json!({ "draft": uuid, "meeting": meeting.trim_start_matches("/meetings/"), "item": 1, "digest": digest,
            "outcome": "adopted", "voting": "vote", "votes": votes, "effective": "2027-02-01",
            "dissent": [{ "members": [members[2]], "statement": "Ordet »længerevarende« er for langt." }] })
    };
    let other = s.of(Chair).send(&s.w, "POST", "/decisions", decide(&"0".repeat(64))).await;
    assert_eq!(other.with(409).code(), "other-content");
    let decision = s.tell(Chair, wish(Command::Decide, "POST", "/decisions", decide(&digest)), 201).await;
    let decision = uuid_at(&decision, "/decisions");
    s.read.push(decision.clone());

    // Who wrote it cannot publish it alone, and what a committee decided cannot be published from another day.
    let publication = format!("{draft}/publication");
    let author = s.of(Role::Contributor).uuid;
    let grant = json!({ "account": author, "role": "publisher" });
    s.of(Role::Administrator).send(&s.w, "POST", "/grants", grant).await.with(201);
    let label = json!({ "version": "1" });
    let alone = s.of(Role::Contributor).send(&s.w, "POST", &publication, label.clone()).await;
    assert_eq!(alone.with(409).code(), "four-eyes");
    let sooner = json!({ "version": "1", "effective": "2027-01-01" });
    let sooner = s.of(Publisher).send(&s.w, "POST", &publication, sooner).await;
    assert_eq!(sooner.with(409).code(), "other-content");
    let approvals = format!("{draft}/approvals");
    s.tell(Chair, wish(Command::Approve, "POST", &approvals, json!({ "digest": digest })), 201).await;
    let published = wish(Command::PublishDraft, "POST", &publication, label);
    s.read.extend(["/vocabularies/botilbud/versions", "/vocabularies/botilbud/concepts/B2/history"].map(str::to_owned));
    s.tell(Role::Contributor, published, 201).await;
    let version = s.w.json("/api/v1/vocabularies/botilbud/versions/1").await;
    assert_eq!(version["manifest"]["digest"], json!(digest), "what was decided");
    decision
}

/// The version is certified, and somebody asks for a change of it, which becomes a draft: no small one, since a
/// definition would be another.
async fn changed(s: &mut Story) -> String {
    use Role::{HearingParty, Secretary};
    let certifications = "/vocabularies/botilbud/versions/1/certifications";
    s.read.push(certifications.to_owned());
    let body = json!({ "reviewer": "OIO-komitéen" });
    s.tell(Secretary, wish(Command::Certify, "POST", certifications, body), 201).await;
    let body = json!({ "vocabulary": "botilbud", "concept": "B1", "title": "Støtte er ikke nok", "text": "Omsorg hører med.",
        "proposal": content("B1", "botilbud", "socialt tilbud, der består af en bolig samt støtte og omsorg", None) });
    let asked = s.of(HearingParty).send(&s.w, "POST", "/change-requests", body).await.with(201);
    let request = uuid_at(&asked, "/change-requests");
    s.read.push(request.clone());
    s.survive().await;
    let body = json!({ "draft": null, "reason": "Enig." });
    let accept = format!("{request}/acceptance");
    let accepted = s.tell(Secretary, wish(Command::HandleRequests, "POST", &accept, body), 200).await.json();
    assert_eq!((&accepted["draft"]["minor"], &accepted["draft"]["base"]["label"]), (&json!(false), &json!("1")));
    // So it takes a hearing.
    let recommend = format!("/drafts/{}/recommendations", text(&accepted["draft"]["uuid"]));
    let body = json!({ "committee": s.committee, "text": "Vedtag den." });
    let unheard = s.of(Secretary).send(&s.w, "POST", &recommend, body).await;
    assert_eq!(unheard.with(409).code(), "governance");
    request
}

#[tokio::test]
async fn the_whole_story_and_every_process_is_killed() {
    on_every_database(async |w| {
        let mut s = Story::new(w).await;
        let draft = drafted(&mut s).await;
        let (hearing, answer) = heard(&mut s, &draft).await;
        let decision = decided(&mut s, &draft).await;
        s.snapshot("published", Role::Secretary, &draft).await;
        // Everybody reads it now, and how it came about: answer, edit, decision, version.
        let nobody = Person::default();
        s.later("2027-02-01T00:00:00Z").await;
        assert_snapshot!("decision", nobody.get(&s.w, &decision).await.ok().shown());
        let history = nobody.get(&s.w, "/vocabularies/botilbud/concepts/B2/history").await.ok();
        assert_snapshot!("history", history.shown());
        let state = &history.json()["states"][0];
        let edits = state["because"].as_array().expect("edits");
        let last = &edits[edits.len() - 1]["answer"];
        assert_eq!(format!("/hearings/{}", text(&last["hearing"])), hearing);
        assert!(answer.ends_with(&text(&last["answer"])));
        assert_eq!(format!("/decisions/{}", text(&state["decision"])), decision);
        let changes = nobody.get(&s.w, "/vocabularies/botilbud/changes?from=2027-01-31&to=1").await.ok();
        assert_snapshot!("changes", changes.shown());
        let request = changed(&mut s).await;
        let request = nobody.get(&s.w, &request).await.ok().json();
        assert_eq!((&request["state"], &request["by"]), (&json!("accepted"), &Value::Null), "{request}");

        let table: BTreeSet<_> = RIGHTS.iter().map(|r| r.command).filter(|c| !ELSEWHERE.contains(c)).collect();
        assert_eq!(s.done, table, "every command of the workflow was given, and refused to a wrong role");
    })
    .await;
}

/// Waits until somebody reads what they should; a node follows the others within moments.
async fn until(w: &World, who: &Person, uri: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..400 {
        let answer = who.get(w, uri).await;
        if answer.status == 200 && wanted(&answer.json()) {
            return answer.json();
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{uri}: the other node does not see it: {}", who.get(w, uri).await.text());
}

#[tokio::test]
async fn several_nodes_work_on_one_matter() {
    on_every_database(async |one| {
        let two = one.beside().await;
        let followers = [&one, &two].map(|w| {
            let registry = w.registry.clone();
            tokio::spawn(async move { registry.follow().await })
        });
        let mut secretary = person(&one, "Sanne", &[Role::Secretary, Role::Administrator]).await;
        let mut contributor = person(&one, "Karla", &[Role::Contributor]).await;
        secretary.send(&one, "PUT", "/vocabularies/botilbud", frame()).await.with(201);
        until(&two, &secretary, "/vocabularies/botilbud", |v| v["slug"] == "botilbud").await;

        // A draft that is opened here is edited there, and the edit is read here.
        let body = json!({ "vocabulary": "botilbud", "title": "Første udgave" });
        let draft = uuid_at(&secretary.send(&two, "POST", "/drafts", body).await.with(201), "/drafts");
        let b1 = format!("/api/v1{draft}/concepts/B1?reason=ny");
        until(&one, &contributor, &draft, |d| d["phase"] == "drafting").await;
        let body = content("B1", "botilbud", "bolig med støtte", None);
        contributor.ask(&one, "PUT", &b1, &body, &[("if-none-match", "*")]).await.with(201);
        let concept = format!("{draft}/concepts/B1");
        let said = until(&two, &secretary, &concept, |c| c["content"]["notation"] == "B1").await;

        // Both change the same content at once, each on a node of their own: one of them is told of the other.
        let tag = text(&said["etag"]);
        let (mine, yours) = (content("B1", "botilbud", "min", None), content("B1", "botilbud", "din", None));
        let headers = [("if-match", tag.as_str())];
        let (first, second) = tokio::join!(
            secretary.ask(&one, "PUT", &b1, &mine, &headers),
            contributor.ask(&two, "PUT", &b1, &yours, &headers)
        );
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "{} {}", first.text(), second.text());
        let (stands, refused) = if first.status == 200 { (first, second) } else { (second, first) };
        assert_eq!(refused.code(), "precondition-failed");
        for node in [&one, &two] {
            until(node, &secretary, &concept, |c| c["content"] == stands.json()["content"]).await;
        }

        // A hearing that is planned here opens there, by the clock; both say the same, and it is told once.
        let plan = json!({ "title": "Høring", "letter": "Hvad siger I?", "audience": "public", "opens": "2026-12-01" });
        let hearings = format!("{draft}/hearings");
        let hearing = uuid_at(&secretary.send(&one, "POST", &hearings, plan).await.with(201), "/hearings");
        until(&two, &secretary, &hearing, |h| h["stage"] == "planned").await;
        one.clock.set("2026-12-02T00:00:00Z");
        secretary.sign_in(&one, "Sanne").await;
        contributor.sign_in(&two, "Karla").await;
        for node in [&one, &two] {
            assert_eq!(node.json(&format!("/api/v1{hearing}")).await["stage"], "open");
            let frozen = contributor.ask(node, "PUT", &b1, &mine, &[("if-match", "*")]).await;
            assert_eq!(frozen.with(409).code(), "phase");
        }
        let before = one.position().await;
        let (a, b) = tokio::join!(one.registry.tick(), two.registry.tick());
        a.expect("time is kept");
        b.expect("time is kept");
        assert_eq!(one.position().await, before + 1, "it is told once");
        // A right that is taken on one node is gone on the other.
        let grants = secretary.get(&one, "/grants").await.ok().json();
        let mine = grants.as_array().expect("a list").iter().find(|g| g["role"] == "contributor").expect("a grant");
        let grant = format!("/grants/{}", text(&mine["uuid"]));
        secretary.send(&one, "DELETE", &grant, Value::Null).await.with(204);
        assert_eq!(contributor.get(&two, &draft).await.with(403).code(), "forbidden");
        for node in [&one, &two] {
            node.registry.verify().await.expect("all is whole");
        }
        followers.into_iter().for_each(|f| f.abort());
    })
    .await;
}
