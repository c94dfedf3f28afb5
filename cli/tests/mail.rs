//! `begreb mail` and the mail options of `begreb serve`, as their user meets them.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use common::Folder;
use serde_json::{Value, json};

#[test]
fn who_runs_the_registry_sees_its_mail() {
    let f = Folder::new("status");
    f.told(&["account", "create", "--name", "Anne", "--mail", "anne@example.dk"], 0);
    let status = f.told(&["mail", "status"], 0);
    assert_eq!((&status["position"], &status["behind"]), (&Value::Null, &Value::Null), "mail was never turned on");
    assert_eq!(status["letters"]["doubt"], 0);
    assert_eq!(f.told(&["mail", "list"], 0), json!([]));
    assert_eq!(f.told(&["mail", "list", "--state", "lost"], 1)["code"], "invalid-parameter");
    let id = "0b6c8a1e-6d0f-5c43-9a39-3a8f0d9f3c11";
    for verb in ["resend", "drop"] {
        assert_eq!(f.told(&["mail", verb, id], 1)["code"], "not-found");
        assert_eq!(f.told(&["mail", verb, "x"], 1)["code"], "invalid-identifier");
    }
    assert_eq!(f.told(&["digest", "list"], 0), json!([]));
    assert_eq!(f.told(&["digest", "list", "--state", "paused"], 0), json!([]));
    assert_eq!(f.told(&["digest", "list", "--state", "asleep"], 1)["code"], "invalid-parameter");
    for verb in ["pause", "resume", "remove"] {
        assert_eq!(f.told(&["digest", verb, id], 1)["code"], "unknown-subscription");
        assert_eq!(f.told(&["digest", verb, "x"], 1)["code"], "invalid-identifier");
    }
    let text = f.run(&["mail", "status"]);
    assert_eq!(String::from_utf8_lossy(&text.stdout), "Mail has not been turned on.\n");
}

#[test]
fn what_mail_cannot_be_sent_with_is_told_at_once() {
    let f = Folder::new("options");
    std::fs::write(f.0.join("two"), "a\nb\n").expect("a file");
    let serve = |arguments: &[&str]| {
        let all = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        let refusal = f.told(&all, 2);
        (refusal["code"].as_str().expect("a code").to_owned(), refusal["place"]["name"].as_str().map(ToOwned::to_owned))
    };
    let from = "Begreb <begreb@example.dk>";
    let cases: [(&[&str], &str, &str); 5] = [
        (&["--smtp", "mail.example.dk", "--mail-from", from], "invalid-parameter", "--smtp"),
        (&["--smtp", "smtp://a:b@mail.example.dk", "--mail-from", from], "invalid-parameter", "--smtp"),
        (&["--smtp", "smtp://a@mail.example.dk", "--mail-from", from], "invalid-parameter", "--smtp"),
        (&["--smtp", "smtp://mail.example.dk", "--mail-from", "Begreb"], "invalid-mail", "--mail-from"),
        (
            &["--smtp", "smtp://a@mail.example.dk", "--mail-from", from, "--smtp-password-file", "two"],
            "invalid-parameter",
            "--smtp-password-file",
        ),
    ];
    for (arguments, code, place) in cases {
        assert_eq!(serve(arguments), (code.to_owned(), Some(place.to_owned())), "{arguments:?}");
    }
}
