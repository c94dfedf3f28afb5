//! A real mail server for tests, in a process of its own: told how to behave, stopped and started again.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::common::{node_modules, root};

/// The mail server of a test.
pub struct Server {
    /// The process, what it is told by, and what it says; none while it is down.
    running: Option<(Child, ChildStdin, BufReader<ChildStdout>)>,
    options: Value,
    /// What it had taken in when it went down.
    taken: Vec<Value>,
    pub port: u16,
}

impl Server {
    pub fn start() -> Self {
        Self::with(&json!({}))
    }

    pub fn with(options: &Value) -> Self {
        let port = options["port"].as_u64().and_then(|p| u16::try_from(p).ok()).unwrap_or(0);
        let mut server = Self { running: None, options: options.clone(), taken: Vec::new(), port };
        server.up();
        server
    }

    /// Starts it, at the port that it had.
    pub fn up(&mut self) {
        let mut options = self.options.clone();
        options["port"] = json!(self.port);
        let mut process = Command::new("node")
            .arg(root().join("tests/smtp/server.js"))
            .arg(options.to_string())
            .env("NODE_PATH", node_modules("smtp", "smtp-server-3.21.6"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let told = process.stdin.take().expect("a pipe");
        let said = BufReader::new(process.stdout.take().expect("a pipe"));
        self.running = Some((process, told, said));
        self.port = self.hear()["ready"].as_u64().and_then(|p| u16::try_from(p).ok()).expect("a port");
    }

    /// Ends it at once.
    pub fn down(&mut self) {
        self.taken = self.mails();
        if let Some((mut process, ..)) = self.running.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Whether it is there.
    pub fn is_up(&self) -> bool {
        self.running.is_some()
    }

    fn hear(&mut self) -> Value {
        let (.., said) = self.running.as_mut().expect("it is up");
        let mut line = String::new();
        said.read_line(&mut line).expect("the mail server speaks");
        serde_json::from_str(&line).expect("JSON")
    }

    fn ask(&mut self, what: &Value) -> Value {
        let (_, told, _) = self.running.as_mut().expect("it is up");
        writeln!(told, "{what}").expect("the mail server listens");
        self.hear()
    }

    /// How it behaves from now on.
    pub fn behave(&mut self, mode: Value) {
        self.ask(&json!({ "mode": mode }));
    }

    /// Everything that it has taken in.
    pub fn mails(&mut self) -> Vec<Value> {
        if self.running.is_none() {
            return self.taken.clone();
        }
        let here = self.ask(&json!({ "list": true }))["mails"].as_array().expect("a list").clone();
        self.taken.iter().cloned().chain(here).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((mut process, ..)) = self.running.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
