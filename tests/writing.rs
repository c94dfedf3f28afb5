//! Writers beside each other: who plans holds up nobody, who waited plans anew, who gave up has changed nothing, and a
//! verification sees one moment.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use begreb::exchange::Format;
use begreb::http::HttpOptions;
use begreb::model::{Clock, Code, Command, Governance, Result, Role, Slug, Vocabulary, VocabularyFields};
use begreb::registry::{
    AccountRequest, GiveRequest, ImportReport, ImportRequest, PublishRequest, TokenRequest, Verdict,
};
use begreb::store::{Store, Write};
use common::{World, edition, on_every_database, operator};

const FILE: &str = "notation,preferred.da\nA,a\nB,b\n";
const OTHER: &str = "notation,preferred.da\nA,aa\nB,b\n";

fn csv<'a>(bytes: &'a str, label: &str, effective: &str) -> ImportRequest<'a> {
    edition("koder", Format::Csv, bytes.as_bytes(), label, effective)
}

/// Somebody else, in another process, who holds the writers' lock.
async fn other_writer(w: &World) -> Write {
    let store = Store::open(&w.address).await.expect("the database opens");
    store.write("another", w.clock.now()).await.expect("the lock is free")
}

async fn a_while() {
    tokio::time::sleep(Duration::from_millis(400)).await;
}

/// An import that has to wait for the lock, while its holder does something and commits.
async fn import_while(
    w: &World,
    request: ImportRequest<'_>,
    change: impl AsyncFnOnce(&mut Write),
) -> Result<ImportReport> {
    let mut write = other_writer(w).await;
    let changing = async {
        a_while().await;
        change(&mut write).await;
        write.commit().await.expect("a commit");
    };
    tokio::join!(w.import(request), changing).0
}

#[tokio::test]
async fn planning_waits_for_nobody_and_holds_up_nobody() {
    on_every_database(async |w| {
        w.import(csv(FILE, "1", "2020-01-01")).await.expect("it is lawful");
        let write = other_writer(&w).await;
        let waiting = Duration::from_secs(5);
        let dry = ImportRequest { dry_run: true, ..csv(OTHER, "2", "2021-01-01") };
        let planned = tokio::time::timeout(waiting, w.import(dry)).await.expect("a dry run takes no lock");
        assert_eq!(planned.expect("a plan").verdict, Verdict::Planned);
        // What is there already, and what is refused, waits for nobody either.
        let there = tokio::time::timeout(waiting, w.import(csv(FILE, "1", "2020-01-01"))).await.expect("it is told");
        assert_eq!(there.expect("no fault").verdict, Verdict::AlreadyThere);
        let refused =
            tokio::time::timeout(waiting, w.import(csv("notation,preferred.da\nA,a\nA,b\n", "3", "2022-01-01")));
        assert_eq!(refused.await.expect("it is told").expect_err("a code is there twice").code, Code::DuplicateCode);
        let again = PublishRequest {
            vocabulary: "koder".parse().expect("a slug"),
            label: "3".parse().expect("a label"),
            effective: w.clock.now(),
            from: None,
            decision: None,
            dry_run: true,
        };
        let again = tokio::time::timeout(waiting, w.registry.publish(&operator(), again)).await.expect("it is told");
        assert_eq!(again.expect("a plan").verdict, Verdict::Planned);
        drop(write);
    })
    .await;
}

#[tokio::test]
async fn what_changes_while_a_writer_waits_is_seen() {
    on_every_database(async |w| {
        w.import(csv(FILE, "1", "2020-01-01")).await.expect("it is lawful");

        // The clock goes on, and something else is registered: the states bear the instant of their own commit.
        let done = import_while(&w, csv(OTHER, "2", "2021-01-01"), async |write| {
            w.clock.set("2026-11-22T13:00:00Z");
            let other = vocabulary("andre", Governance::Direct);
            write.create_vocabulary(&other).await.expect("a row");
        });
        let done = done.await.expect("the other vocabulary does not concern it");
        assert_eq!((done.verdict, done.manifest.changed), (Verdict::Published, 1));
        w.registry.verify().await.expect("states, versions and log agree");

        // Somebody publishes the same label first.
        let sooner = import_while(&w, csv(FILE, "3", "2022-01-01"), async |write| {
            let versions = write.facts().versions(uuid_of(&w)).await.expect("the versions");
            let mut version = versions.into_iter().next().expect("there is one");
            version.uuid = uuid::Uuid::new_v5(&version.vocabulary, b"version/3");
            version.label = "3".parse().expect("a label");
            version.registered = write.at();
            write.publish(&version).await.expect("a row");
        });
        assert_eq!(sooner.await.expect_err("another effective date").code, Code::LabelTaken);

        // Somebody makes the vocabulary that the file would have made.
        let request = edition("nye", Format::Csv, FILE.as_bytes(), "1", "2020-01-01");
        let made = import_while(&w, request, async |write| {
            write.create_vocabulary(&vocabulary("nye", Governance::Committee)).await.expect("a row");
        });
        assert_eq!(made.await.expect_err("it takes a decision now").code, Code::Governance);

        // The rules of the vocabulary become others.
        let ruled = import_while(&w, csv(OTHER, "4", "2023-01-01"), async |write| {
            let all = write.facts().vocabularies().await.expect("the vocabularies");
            let mine = all.into_iter().find(|v| v.slug().as_str() == "koder").expect("it is there");
            let fields = VocabularyFields { governance: Governance::Committee, ..mine.fields().clone() };
            write.change_vocabulary(&Vocabulary::new(fields).expect("it is lawful")).await.expect("a row");
        });
        assert_eq!(ruled.await.expect_err("it takes a decision now").code, Code::Governance);
    })
    .await;
}

fn vocabulary(slug: &str, governance: Governance) -> Vocabulary {
    let slug: Slug = slug.parse().expect("a slug");
    let language = begreb::model::Language::danish();
    let fields = VocabularyFields {
        uuid: uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, format!("test/{slug}").as_bytes()),
        titles: vec![begreb::model::Text::new(language.clone(), slug.as_str()).expect("a title")],
        namespace: format!("https://example.dk/{slug}/"),
        languages: vec![language],
        descriptions: Vec::new(),
        kind: begreb::model::Kind::Classification,
        governance,
        four_eyes: false,
        identifiers: Vec::new(),
        owner: None,
        contact: None,
        licence: None,
        facets: Vec::new(),
        oio: None,
        deleted_facets: vec![],
        slug,
    };
    Vocabulary::new(fields).expect("it is lawful")
}

fn uuid_of(w: &World) -> uuid::Uuid {
    w.registry.snapshot().by_slug("koder").expect("it is there").vocabulary().uuid()
}

/// Somebody who publishes everything, by a token.
async fn publisher(w: &World) -> String {
    let (r, o) = (&w.registry, operator());
    let request = AccountRequest {
        name: "Pia".parse().expect("a name"),
        mail: "pia@example.dk".parse().expect("an address"),
        organisation: None,
    };
    let account = r.create_account(&o, request).await.expect("an account").account.uuid;
    let grant = GiveRequest { account: Some(account), group: None, role: Role::Publisher, vocabulary: None };
    r.give(&o, grant).await.expect("a role");
    let (name, commands) = ("t".parse().expect("a name"), [Command::Publish].into());
    let request = TokenRequest { name, commands, vocabularies: None, days: None };
    r.create_token(&o, Some(account), request).await.expect("a token").secret
}

#[tokio::test]
async fn what_was_given_up_is_never_committed() {
    on_every_database(async |w| {
        w.import(csv(FILE, "1", "2020-01-01")).await.expect("it is lawful");
        let token = publisher(&w).await;
        let w = w.with_options(&HttpOptions { timeout: Duration::from_millis(300), ..HttpOptions::default() });
        let import = |label: &str| {
            let uri = format!("/api/v1/vocabularies/koder/import?format=csv&version={label}&effective=2021-01-01");
            let request = Request::post(uri).header("authorization", format!("Bearer {token}"));
            request.body(Body::from(OTHER)).expect("a request")
        };
        let again = Request::post("/api/v1/vocabularies/koder/publish?version=x&from=1&effective=2022-01-01");
        let again = again.header("authorization", format!("Bearer {token}")).body(Body::empty()).expect("a request");
        let (before, write) = (w.position().await, other_writer(&w).await);
        // The clock gives up on both while they wait for the lock.
        let (one, two) = tokio::join!(w.send(import("2")), w.send(again));
        assert_eq!((one.with(504).code(), two.with(504).code()), ("timeout".into(), "timeout".into()));
        // And so does a caller who hangs up.
        let hung_up = tokio::time::timeout(Duration::from_millis(100), w.send(import("3"))).await;
        assert!(hung_up.is_err(), "it was still waiting");
        drop(write);
        a_while().await;
        assert_eq!(w.position().await, before, "the lock was free, and nobody took it any more");
        assert_eq!(w.send(import("2")).await.with(201).json()["verdict"], "published");
    })
    .await;
}

#[tokio::test]
async fn a_verification_sees_one_moment() {
    on_every_database(async |w| {
        w.import(csv(FILE, "0", "2020-01-01")).await.expect("it is lawful");
        let other = w.reopened().await;
        let writing = async {
            for n in 1..=40 {
                let (bytes, label) = (format!("notation,preferred.da\nA,a{n}\nB,b\nC{n},c\n"), n.to_string());
                let request = ImportRequest { accept_new: true, ..csv(&bytes, &label, "2021-01-01") };
                other.import(&operator(), request).await.expect("it is lawful");
                let (organisation, o) = ("o".parse().expect("a name"), operator());
                w.registry.create_organisation(&o, organisation).await.expect("a row");
            }
        };
        let verifying = async {
            let mut positions = Vec::new();
            while positions.last().is_none_or(|last| *last < 120) && positions.len() < 400 {
                positions.push(w.registry.verify().await.expect("it is whole at every moment").changes);
            }
            positions
        };
        let ((), positions) = tokio::join!(writing, verifying);
        assert!(positions.windows(2).any(|p| p[0] < p[1]), "it was verified while others wrote: {positions:?}");
    })
    .await;
}

#[tokio::test]
async fn a_decision_is_a_line_of_text() {
    on_every_database(async |w| {
        let decided = |text: &str| ImportRequest { decision: Some(text.to_owned()), ..csv(FILE, "1", "2020-01-01") };
        for wrong in ["", "  ", "a\nb", "a\u{0}b", "a\u{202e}b", &"x".repeat(2001)] {
            let refusal = w.import(decided(wrong)).await.expect_err("it is no line of text");
            assert_eq!((refusal.code, refusal.place.field.as_deref()), (Code::InvalidText, Some("decision")));
        }
        w.import(decided(&"æ".repeat(2000))).await.expect("2000 characters");
    })
    .await;
}

/// Who else may use the machine does not read people and digests of secrets out of the files.
#[cfg(unix)]
#[tokio::test]
async fn database_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let w = World::open("sqlite").await.expect("a world");
    w.import(csv(FILE, "1", "2020-01-01")).await.expect("it is lawful");
    let mut seen = 0;
    for entry in std::fs::read_dir(w.folder.path()).expect("the folder") {
        let entry = entry.expect("a file");
        let mode = entry.metadata().expect("its mode").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.path());
        seen += 1;
    }
    assert!(seen >= 3, "the database, its -wal and its -shm");
}
