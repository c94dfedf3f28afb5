//! A running Begreb, asked over HTTP: the addresses of its API and nothing of its insides.

use std::io::{Read, Write};
use std::time::Duration;

use begreb::model::{Code, Refusal};
use begreb::registry::At;
use serde_json::Value;
use ureq::http::Response;
use ureq::typestate::WithoutBody;
use ureq::{Agent, Body, RequestBuilder};

use crate::lang::{Lang, say};
use crate::stop::{Problem, Result, named};

/// The largest answer that is kept in memory.
const LARGEST: u64 = 1 << 30;

/// The most codes that are sent to be validated at once.
const BATCH: usize = 500;

/// A running Begreb.
pub struct Server {
    base: String,
    agent: Agent,
    lang: Lang,
}

impl Server {
    /// The server at an address.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] when it is no address.
    pub fn new(url: &str, lang: Lang) -> begreb::model::Result<Self> {
        let lawful = ["http://", "https://"].iter().any(|s| url.strip_prefix(s).is_some_and(|rest| !rest.is_empty()));
        if !lawful || url.contains(char::is_whitespace) {
            return Err(Refusal::new(
                Code::InvalidParameter,
                format!("»{url}« er ikke adressen på en server"),
                format!("'{url}' is not the address of a server"),
            )
            .at(named("--server"))
            .allowed(["http://127.0.0.1:8080", "https://begreb.example"]));
        }
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(Duration::from_secs(120)))
            .user_agent(concat!("begreb/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Ok(Self { base: url.trim_end_matches('/').to_owned(), agent, lang })
    }

    /// The JSON of an address.
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<String> {
        self.text(self.open(path, query, "application/json")?)
    }

    /// All items of a list, page after page.
    pub fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut next = Some(format!("{}{path}", self.base));
        while let Some(url) = next {
            let response = self.checked(self.agent.get(&url).header("accept", "application/json"), &url)?;
            let link = response.headers().get("link").and_then(|l| l.to_str().ok()).and_then(next_of);
            next = link.map(|link| if link.starts_with('/') { format!("{}{link}", origin(&self.base)) } else { link });
            items.extend(self.items(&self.text(response)?)?);
        }
        Ok(items)
    }

    /// The answers for codes.
    pub fn validate(&self, items: &[Value]) -> Result<Vec<Value>> {
        let mut answers = Vec::with_capacity(items.len());
        for batch in items.chunks(BATCH) {
            let url = format!("{}/api/v1/validate", self.base);
            let body = serde_json::json!({ "items": batch }).to_string();
            let request = self.agent.post(&url).header("accept", "application/json");
            let request = request.header("accept-language", self.lang.tag()).header("content-type", "application/json");
            let response = self.answered(request.send(&body), &url)?;
            answers.extend(self.items(&self.text(response)?)?);
        }
        if answers.len() == items.len() { Ok(answers) } else { Err(self.strange("/api/v1/validate").into()) }
    }

    /// Sends bytes, in the name of a token's account.
    pub fn send(&self, path: &str, query: &[(&str, &str)], token: Option<&str>, body: &[u8]) -> Result<Value> {
        self.send_as("application/octet-stream", path, query, token, body)
    }

    /// Sends several files in one form, in the name of a token's account.
    pub fn send_form(
        &self,
        path: &str,
        query: &[(&str, &str)],
        token: Option<&str>,
        files: &[(&str, &[u8])],
    ) -> Result<Value> {
        let boundary = boundary(files);
        let mut body = Vec::new();
        for (name, bytes) in files {
            let head = format!("content-disposition: form-data; name=\"{name}\"; filename=\"{name}\"");
            body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        self.send_as(&format!("multipart/form-data; boundary={boundary}"), path, query, token, &body)
    }

    fn send_as(
        &self,
        media: &str,
        path: &str,
        query: &[(&str, &str)],
        token: Option<&str>,
        body: &[u8],
    ) -> Result<Value> {
        let url = self.address(path, query);
        let request = self.agent.post(&url).header("accept", "application/json");
        let request = request.header("accept-language", self.lang.tag()).header("content-type", media);
        let request = match token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        let text = self.text(self.answered(request.send(body), &url)?)?;
        Ok(serde_json::from_str(&text).map_err(|_| self.strange(path))?)
    }

    /// Copies the bytes of an address.
    pub fn copy(&self, path: &str, query: &[(&str, &str)], out: &mut dyn Write) -> Result {
        let mut body = self.open(path, query, "*/*")?.into_body().into_reader();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let n = body.read(&mut buffer).map_err(|e| self.silent(path, &e))?;
            if n == 0 {
                return Ok(());
            }
            let written = out.write_all(&buffer[..n]);
            written
                .map_err(|e| Refusal::new(Code::File, format!("kan ikke skrive: {e}"), format!("cannot write: {e}")))?;
        }
    }

    fn address(&self, path: &str, query: &[(&str, &str)]) -> String {
        let mut url = format!("{}{path}", self.base);
        for (i, (name, value)) in query.iter().enumerate() {
            url.push(if i == 0 { '?' } else { '&' });
            url.push_str(&format!("{name}={}", encode(value)));
        }
        url
    }

    fn open(&self, path: &str, query: &[(&str, &str)], accept: &str) -> Result<Response<Body>> {
        let url = self.address(path, query);
        self.checked(self.agent.get(&url).header("accept", accept), &url)
    }

    fn checked(&self, request: RequestBuilder<WithoutBody>, url: &str) -> Result<Response<Body>> {
        self.answered(request.header("accept-language", self.lang.tag()).call(), url)
    }

    fn answered(
        &self,
        response: std::result::Result<Response<Body>, ureq::Error>,
        url: &str,
    ) -> Result<Response<Body>> {
        let mut response = response.map_err(|e| self.silent(url, &e))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.body_mut().with_config().limit(LARGEST).read_to_string().unwrap_or_default();
        let problem = serde_json::from_str(&text).ok().and_then(Problem::read);
        let lang = self.lang;
        Err(problem
            .unwrap_or_else(|| {
                let what = say!(lang, "serveren svarede {status} på {url}", "the server answered {status} to {url}");
                Problem::new("unexpected-answer", what)
            })
            .into())
    }

    fn text(&self, mut response: Response<Body>) -> Result<String> {
        let text = response.body_mut().with_config().limit(LARGEST).read_to_string();
        Ok(text.map_err(|e| self.silent(&self.base, &e))?.trim_end().to_owned())
    }

    /// The items of a list: the answer itself, or its one member that is a list.
    fn items(&self, text: &str) -> Result<Vec<Value>> {
        let items = match serde_json::from_str(text) {
            Ok(Value::Array(items)) => Some(items),
            Ok(Value::Object(members)) => members.into_iter().find_map(|(_, value)| match value {
                Value::Array(items) => Some(items),
                _ => None,
            }),
            _ => None,
        };
        items.ok_or_else(|| self.strange(&self.base).into())
    }

    /// The server did not answer as one.
    pub fn strange(&self, what: &str) -> Problem {
        let (lang, base) = (self.lang, &self.base);
        let text = say!(
            lang,
            "{base} svarede ikke, som en Begreb-server gør ({what})",
            "{base} did not answer as a Begreb server does ({what})"
        );
        Problem::new("unexpected-answer", text)
    }

    fn silent(&self, what: &str, error: &dyn std::fmt::Display) -> Problem {
        let lang = self.lang;
        Problem::new("unreachable", say!(lang, "{what} svarer ikke: {error}", "{what} does not answer: {error}"))
    }
}

/// What stands between the parts of a form, and in none of them.
fn boundary(files: &[(&str, &[u8])]) -> String {
    let within = |b: &String| files.iter().any(|(_, bytes)| bytes.windows(b.len()).any(|w| w == b.as_bytes()));
    let mut boundary = "begreb-0".to_owned();
    let mut n = 0_u64;
    while within(&boundary) {
        n += 1;
        boundary = format!("begreb-{n}");
    }
    boundary
}

/// A part of a path or a query, percent-encoded (RFC 3986).
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// The parameters of a reading.
pub fn query(at: &At) -> Vec<(&'static str, &str)> {
    let all = [("version", &at.version), ("date", &at.date), ("registered", &at.registered)];
    all.into_iter().filter_map(|(name, value)| value.as_deref().map(|v| (name, v))).collect()
}

/// The address of the next page in a `Link` header.
pub fn next_of(link: &str) -> Option<String> {
    link.split(',').find_map(|part| {
        let (address, rest) = part.trim().strip_prefix('<')?.split_once('>')?;
        rest.contains("rel=\"next\"").then(|| address.to_owned())
    })
}

/// Scheme and host of an address.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    url[host..].find('/').map_or(url, |at| &url[..host + at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_parts_stands_in_none() {
        assert_eq!(boundary(&[("file", b"x"), ("identity", b"")]), "begreb-0");
        assert_eq!(boundary(&[("file", b"begreb-0 begreb-1"), ("identity", b"begreb-2")]), "begreb-3");
    }

    #[test]
    fn addresses() {
        assert_eq!(encode("J1.4/ø å"), "J1.4%2F%C3%B8%20%C3%A5");
        assert_eq!(next_of("</a?cursor=1>; rel=\"next\", </a>; rel=\"first\"").as_deref(), Some("/a?cursor=1"));
        assert_eq!(next_of("</a>; rel=\"first\""), None);
        assert_eq!((origin("http://h:1/b/c"), origin("http://h")), ("http://h:1", "http://h"));
        for wrong in ["", "begreb.dk", "http://", "http://a b", "ftp://x"] {
            assert!(Server::new(wrong, Lang::Da).is_err(), "{wrong}");
        }
    }
}
