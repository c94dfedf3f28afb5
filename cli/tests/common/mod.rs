//! What the tests of the command line share: a folder of its own for each, and real processes in it.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

/// A folder of its own, gone with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    /// A new one; no two tests of a file give it the same name.
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("begreb-cli-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// The command, in this folder, and with nothing that the environment of the tests says.
    pub fn begreb(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_begreb"));
        command.current_dir(&self.0).args(arguments).env("LANG", "en_GB.UTF-8");
        for name in ["BEGREB_DB", "BEGREB_AMQP", "BEGREB_AMQP_PASSWORD", "BEGREB_SMTP_PASSWORD"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs a command.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.begreb(arguments).output().expect("begreb runs")
    }

    /// Runs a command that ends so, and reads its JSON.
    #[track_caller]
    pub fn told(&self, arguments: &[&str], status: i32) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {out}{err}");
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {out}{err}"))
    }

    /// Runs a command that must succeed, and reads its JSON.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.told(arguments, 0)
    }

    /// What holds the registry against itself says.
    #[track_caller]
    pub fn verify(&self) -> Value {
        self.json(&["verify"])
    }

    /// Runs a command that must succeed, and reads what it says.
    #[track_caller]
    pub fn said(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).expect("a file");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a process wrote.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
