//! Organisations, groups, grants and tokens at the command line, and what `begreb serve` says of signing in.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use common::Folder;

#[test]
fn organisations_groups_and_grants() {
    let f = Folder::new("groups");
    for name in ["anne", "bo"] {
        f.told(&["account", "create", "--name", name, "--mail", &format!("{name}@example.dk")], 0);
    }
    f.told(&["organisation", "create", "Nordkøbing"], 0);
    f.told(&["organisation", "add", "Nordkøbing", "anne@example.dk"], 0);
    let listed = f.said(&["organisation", "list"]);
    assert!(listed.starts_with("Nordkøbing") && listed.contains(" 1 "), "{listed}");
    f.told(&["organisation", "rename", "Nordkøbing", "Nordkøbing Kommune"], 0);
    assert_eq!(f.told(&["organisation", "deactivate", "Nordkøbing Kommune"], 0)["active"], false);
    assert_eq!(f.told(&["organisation", "deactivate", "Nordkøbing Kommune", "--undo"], 0)["active"], true);
    assert_eq!(f.told(&["organisation", "add", "Nordkøbing", "bo@example.dk"], 1)["code"], "not-found");
    assert_eq!(
        f.told(&["organisation", "add", "Nordkøbing Kommune", "bo@example.dk", "--undo"], 1)["code"],
        "not-found"
    );
    // Two of one name are told apart by their uuid.
    let twin = f.told(&["organisation", "create", "Nordkøbing Kommune"], 0);
    assert_eq!(f.told(&["organisation", "deactivate", "Nordkøbing Kommune"], 1)["code"], "identity-in-doubt");
    f.told(&["organisation", "deactivate", twin["uuid"].as_str().expect("a uuid")], 0);

    f.told(&["group", "create", "Udvalget", "committee", "--member", "anne@example.dk"], 0);
    assert_eq!(f.told(&["group", "create", "X", "choir"], 1)["code"], "invalid-parameter");
    assert_eq!(f.told(&["group", "add", "Udvalget", "bo@example.dk"], 0)["members"].as_array().map(Vec::len), Some(2));
    assert_eq!(f.said(&["group", "remove", "Udvalget", "anne@example.dk"]), "Udvalget: 1 members.\n");
    assert_eq!(f.told(&["group", "remove", "Udvalget", "anne@example.dk"], 1)["code"], "not-found");
    f.told(&["group", "rename", "Udvalget", "Styregruppen"], 0);
    assert!(f.said(&["group", "list"]).contains("bo@example.dk"));

    let given = f.told(&["grant", "give", "committeeMember", "--group", "Styregruppen"], 0);
    f.told(&["grant", "give", "publisher", "--account", "anne@example.dk"], 0);
    assert_eq!(f.told(&["grant", "list"], 0).as_array().map(Vec::len), Some(2));
    let text = f.said(&["grant", "list"]);
    assert!(text.contains("Styregruppen") && text.contains("anne@example.dk"), "{text}");
    let taken = f.told(&["grant", "take", "committeeMember", "--group", "Styregruppen"], 0);
    assert_eq!(taken["taken"]["uuid"], given["uuid"]);
    assert_eq!(f.told(&["grant", "take", "reader", "--account", "anne@example.dk"], 1)["code"], "not-found");
    assert_eq!(f.run(&["grant", "give", "reader"]).status.code(), Some(2), "whom?");
    f.told(&["group", "deactivate", "Styregruppen"], 0);
    f.told(&["verify"], 0);
}

#[test]
fn tokens_are_renamed_and_links_to_providers_undone() {
    let f = Folder::new("tokens");
    f.told(&["account", "create", "--name", "Anne", "--mail", "anne@example.dk", "--role", "publisher"], 0);
    let made = f.told(&["token", "create", "anne@example.dk", "--name", "gammel", "--command", "publish"], 0);
    let uuid = made["uuid"].as_str().expect("a uuid");
    assert_eq!(f.told(&["token", "rename", uuid, "ny"], 0)["name"], "ny");
    assert_eq!(f.told(&["token", "list"], 0)[0]["name"], "ny");
    assert_eq!(f.told(&["token", "rename", "x", "ny"], 1)["code"], "invalid-identifier");
    let other = "0b6c8a1e-6d0f-5c43-9a39-3a8f0d9f3c11";
    assert_eq!(f.told(&["token", "rename", other, "ny"], 1)["code"], "not-found");
    assert_eq!(f.told(&["account", "identities", "anne@example.dk"], 0), serde_json::json!([]));
    assert_eq!(f.told(&["account", "unlink", "anne@example.dk", "test"], 1)["code"], "not-found");
    f.told(&["verify"], 0);
}

#[test]
fn nobody_is_locked_out_of_everything() {
    let f = Folder::new("local");
    let output = f.run(&["serve", "--listen", "127.0.0.1:0", "--no-local-sign-in"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nobody could sign in"));
}

/// A server, gone with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn who_is_who_goes_through_a_server() {
    let f = Folder::new("identity");
    std::fs::write(f.0.join("1.csv"), "notation,preferred.da\nA,a\nB,b\n").expect("a file");
    std::fs::write(f.0.join("2.csv"), "notation,preferred.da\nA1,a\nB,b\n").expect("a file");
    let import = |file, label: &'static str, day: &'static str| {
        ["import", "--vocabulary", "koder", file, "--version", label, "--effective", day]
    };
    f.told(&import("1.csv", "1", "2024-01-01"), 0);
    f.told(&["account", "create", "--name", "Anne", "--mail", "anne@example.dk", "--role", "publisher"], 0);
    let made = f.told(&["token", "create", "anne@example.dk", "--name", "x", "--command", "publish"], 0);
    let uuid = f.told(&["show", "koder", "A"], 0)["uuid"].as_str().expect("a uuid").to_owned();
    std::fs::write(f.0.join("identity.csv"), format!("code,uuid\nA1,{uuid}\n")).expect("a file");
    std::fs::write(f.0.join("broken.csv"), "code,uuid\nA1,x\n").expect("a file");

    let serve = f.begreb(&["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut server = Server(serve.expect("begreb serves"));
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    let url = line.split_once(" at ").and_then(|(_, rest)| rest.split(' ').next()).expect("where it is ready");
    let there = ["--server", url, "--token", made["secret"].as_str().expect("a secret")];
    let broken = [&import("2.csv", "2", "2025-01-01")[..], &["--identity", "broken.csv"], &there].concat();
    let refused = f.told(&broken, 1);
    assert_eq!((&refused["code"], &refused["place"]["name"]), (&"invalid-identifier".into(), &"broken.csv".into()));
    let lawful = [&import("2.csv", "2", "2025-01-01")[..], &["--identity", "identity.csv"], &there].concat();
    let done = f.told(&lawful, 0);
    assert_eq!((&done["manifest"]["added"], &done["manifest"]["retired"]), (&0.into(), &0.into()), "{done}");
    drop(server);
    assert_eq!(f.told(&["show", "koder", "A1"], 0)["uuid"], uuid.as_str());
}
