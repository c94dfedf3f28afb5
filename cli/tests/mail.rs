//! `begreb mail` and the mail options of `begreb serve`, as their user meets them.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("begreb-cli-mail-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_begreb"));
        command.current_dir(&self.0).args(arguments).env_remove("BEGREB_DB").env("LANG", "en_GB.UTF-8");
        command.env_remove("BEGREB_SMTP_PASSWORD").output().expect("begreb runs")
    }

    /// Runs a command that ends so, and reads its JSON.
    fn json(&self, arguments: &[&str], status: i32) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {out}{err}");
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {out}{err}"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn who_runs_the_registry_sees_its_mail() {
    let f = Folder::new("status");
    f.json(&["account", "create", "--name", "Anne", "--mail", "anne@example.dk"], 0);
    let status = f.json(&["mail", "status"], 0);
    assert_eq!((&status["position"], &status["behind"]), (&Value::Null, &Value::Null), "mail was never turned on");
    assert_eq!(status["letters"]["doubt"], 0);
    assert_eq!(f.json(&["mail", "list"], 0), json!([]));
    assert_eq!(f.json(&["mail", "list", "--state", "lost"], 1)["code"], "invalid-parameter");
    let id = "0b6c8a1e-6d0f-5c43-9a39-3a8f0d9f3c11";
    for verb in ["resend", "drop"] {
        assert_eq!(f.json(&["mail", verb, id], 1)["code"], "not-found");
        assert_eq!(f.json(&["mail", verb, "x"], 1)["code"], "invalid-identifier");
    }
    assert_eq!(f.json(&["digest", "list"], 0), json!([]));
    assert_eq!(f.json(&["digest", "list", "--state", "paused"], 0), json!([]));
    assert_eq!(f.json(&["digest", "list", "--state", "asleep"], 1)["code"], "invalid-parameter");
    for verb in ["pause", "resume", "remove"] {
        assert_eq!(f.json(&["digest", verb, id], 1)["code"], "unknown-subscription");
        assert_eq!(f.json(&["digest", verb, "x"], 1)["code"], "invalid-identifier");
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
        let refusal = f.json(&all, 2);
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
