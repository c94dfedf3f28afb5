//! `begreb subscription` and the webhook options of `begreb serve`, as their user meets them.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use common::Folder;
use serde_json::json;

#[test]
fn who_runs_the_registry_makes_and_sees_webhooks() {
    let f = Folder::new("verbs");
    f.told(&["account", "create", "--name", "Anne", "--mail", "anne@example.dk"], 0);
    assert_eq!(f.told(&["subscription", "list"], 0), json!([]));
    let url = "https://system.example.dk/begreb";
    let create = |arguments: &[&str], status| f.told(&[&["subscription", "create"], arguments].concat(), status);
    let made = create(&["anne@example.dk", url, "--description", "Omsorg", "--batch", "10", "--after", "0"], 0);
    assert!(made["secret"].as_str().is_some_and(|s| s.starts_with("whsec_")));
    assert_eq!((&made["url"], &made["batch"], &made["position"]), (&json!(url), &json!(10), &json!(0)));
    assert_eq!(create(&["bo@example.dk", url], 1)["code"], "not-found");
    assert_eq!(create(&["anne@example.dk", "http://127.0.0.1/"], 1)["code"], "forbidden-target");
    assert_eq!(create(&["anne@example.dk", url, "--vocabulary", "fsiii"], 1)["code"], "unknown-vocabulary");
    let local = create(&["anne@example.dk", "http://127.0.0.1:9/", "--webhook-allow-private"], 0);
    let id = made["uuid"].as_str().expect("a uuid");
    let on = |verb: &[&str], status| f.told(&[&["subscription"], verb].concat(), status);
    assert_eq!(on(&["pause", id], 0)["state"], "paused");
    assert_eq!(on(&["resume", id], 0)["state"], "active");
    assert_ne!(on(&["rotate", id, "--overlap", "1"], 0)["secret"], made["secret"]);
    assert_eq!(on(&["rotate", id, "--overlap", "169"], 1)["code"], "unlawful");
    assert!(on(&["test", id], 0)["message"].as_str().is_some_and(|m| m.starts_with("msg_")));
    assert_eq!(on(&["test", id], 1)["code"], "too-soon");
    assert_eq!(on(&["deliveries", id], 0), json!([]));
    assert_eq!(on(&["dead", id], 0), json!([]));
    assert_eq!(on(&["replay", id, "--all"], 0)["deadLetters"], 0);
    assert_eq!(on(&["replay", id, "--after", "1"], 0)["position"], 1);
    assert_eq!(on(&["replay", id, "--after", "9999"], 1)["code"], "invalid-parameter");
    assert_eq!(f.run(&["subscription", "replay", id]).status.code(), Some(2), "which?");
    assert_eq!(on(&["end", local["uuid"].as_str().expect("a uuid")], 0)["ended"], local["uuid"]);
    assert_eq!(on(&["pause", "x"], 1)["code"], "invalid-identifier");
    assert_eq!(on(&["pause", "0b6c8a1e-6d0f-5c43-9a39-3a8f0d9f3c11"], 1)["code"], "unknown-subscription");
    let list = f.run(&["subscription", "list"]);
    let text = String::from_utf8_lossy(&list.stdout);
    assert!(text.contains(id) && text.contains("Omsorg") && text.lines().count() == 1, "{text}");
    f.told(&["verify"], 0);
}

#[test]
fn what_webhooks_cannot_be_sent_with_is_told_at_once() {
    let f = Folder::new("options");
    std::fs::write(f.0.join("none.pem"), "no certificate").expect("a file");
    for (path, code) in [("none.pem", "invalid-parameter"), ("missing.pem", "file")] {
        let refusal = f.told(&["serve", "--listen", "127.0.0.1:0", "--webhook-ca", path], 2);
        assert_eq!(refusal["code"], code, "{refusal}");
    }
}
