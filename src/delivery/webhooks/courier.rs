//! One request to a receiver: bounded in time and size, to an address that was looked at first, and never led
//! elsewhere. No proxy is asked: what was looked at is what is connected to.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant as Stopwatch, timeout};
use tokio_rustls::TlsConnector;

use crate::model::{Code, Instant, Refusal, Result, Target, may_be_reached};

/// How long an attempt may take, from the look-up of the name to the last byte of the answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long one address may take to be connected to, so that another can be tried.
const CONNECTING: Duration = Duration::from_secs(5);
/// How many addresses of a name are tried.
const ADDRESSES: usize = 4;
/// How much of an answer is kept, and how much of it is read at all.
const KEPT: usize = 1024;
const READ: usize = 64 << 10;
/// The longest that a receiver may ask us to wait, in seconds.
const LONGEST_WAIT: i64 = 86_400;

/// What came of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answered {
    /// The status, if there was an answer.
    pub status: Option<u16>,
    /// How the answer began, or why there was none.
    pub answer: String,
    /// How many seconds the receiver asked us to wait.
    pub wait: Option<u32>,
    /// How long it took.
    pub took: Duration,
}

/// A message, signed, on its way.
pub struct Signed<'m> {
    /// What `webhook-id` says.
    pub id: &'m str,
    /// What `webhook-timestamp` says.
    pub second: i64,
    /// What `webhook-signature` says.
    pub signature: String,
    /// The body.
    pub body: Bytes,
}

/// A connection that may be used once more.
pub struct Line {
    address: SocketAddr,
    requests: http1::SendRequest<Full<Bytes>>,
    driver: tokio::task::JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Why there was no answer.
struct Unanswered(String);

/// What asks.
pub struct Courier {
    tls: TlsConnector,
    allow_private: bool,
    patience: Duration,
}

impl Courier {
    /// Trusts the authorities that browsers trust. With `allow_private` it also goes to addresses that are not public.
    ///
    /// # Errors
    /// [`Code::Internal`] when TLS cannot be set up.
    pub fn new(allow_private: bool) -> Result<Self> {
        Self::with_roots(RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()), allow_private)
    }

    /// As [`Courier::new`], and trusts the authorities of a PEM file as well.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] when there is no certificate in it; [`Code::Internal`].
    pub fn trusting(pem: &[u8], allow_private: bool) -> Result<Self> {
        let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let found: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().unwrap_or_default();
        let (added, _) = roots.add_parsable_certificates(found);
        if added == 0 {
            let (da, en) = ("der er intet certifikat (PEM) i filen", "there is no certificate (PEM) in the file");
            return Err(Refusal::new(Code::InvalidParameter, da, en));
        }
        Self::with_roots(roots, allow_private)
    }

    fn with_roots(roots: RootCertStore, allow_private: bool) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), allow_private, patience: PATIENCE })
    }

    /// The same, with another patience.
    #[must_use]
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sends a message and waits for the answer. The line is used again if it leads to an address that the name still
    /// has, and that may still be reached.
    pub async fn send(&self, line: &mut Option<Line>, target: &Target, message: &Signed<'_>, now: Instant) -> Answered {
        let begun = Stopwatch::now();
        let sent = timeout(self.patience, self.try_send(line, target, message)).await;
        let sent = sent.unwrap_or_else(|_| {
            *line = None;
            Err(Unanswered(format!("no answer within {} seconds", self.patience.as_secs())))
        });
        let took = begun.elapsed();
        match sent {
            Ok((status, headers, answer)) => Answered { status: Some(status), answer, wait: wait(&headers, now), took },
            Err(Unanswered(why)) => Answered { status: None, answer: why, wait: None, took },
        }
    }

    async fn try_send(
        &self,
        line: &mut Option<Line>,
        target: &Target,
        message: &Signed<'_>,
    ) -> Result<(u16, HeaderMap, String), Unanswered> {
        let addresses = self.addresses(target).await?;
        let used = line.take().filter(|l| addresses.contains(&l.address) && !l.requests.is_closed());
        let was_used = used.is_some();
        let mut now = match used {
            Some(used) => used,
            None => self.connect(target, &addresses).await?,
        };
        let asked = match ask(&mut now, target, message).await {
            // A receiver may close a line that rested just as it is used.
            Err(_) if was_used => {
                now = self.connect(target, &addresses).await?;
                ask(&mut now, target, message).await
            }
            asked => asked,
        };
        let response = asked?;
        let (head, body) = response.into_parts();
        let (answer, whole) = beginning(body).await?;
        if whole {
            *line = Some(now);
        }
        Ok((head.status.as_u16(), head.headers, answer))
    }

    /// The addresses of a host that may be reached. A name may have both kinds: then the others are passed over.
    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, Unanswered> {
        let (host, port) = (target.host(), target.port());
        let found: Vec<SocketAddr> = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => {
                let found = lookup_host((host.as_str(), port)).await;
                found.map_err(|e| Unanswered(format!("the name cannot be resolved: {e}")))?.collect()
            }
        };
        let allowed: Vec<SocketAddr> =
            found.iter().copied().filter(|a| self.allow_private || may_be_reached(a.ip())).take(ADDRESSES).collect();
        match allowed.is_empty() {
            false => Ok(allowed),
            true if found.is_empty() => Err(Unanswered("the name has no address".into())),
            true => Err(Unanswered("refused: the name leads to an address that is not public".into())),
        }
    }

    async fn connect(&self, target: &Target, addresses: &[SocketAddr]) -> Result<Line, Unanswered> {
        let mut why = Unanswered("the name has no address".into());
        for address in addresses {
            match timeout(CONNECTING, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return self.shake_hands(target, *address, stream).await,
                Ok(Err(error)) => why = Unanswered(format!("it cannot be connected to: {error}")),
                Err(_) => why = Unanswered("it cannot be connected to: no answer".into()),
            }
        }
        Err(why)
    }

    async fn shake_hands(&self, target: &Target, address: SocketAddr, stream: TcpStream) -> Result<Line, Unanswered> {
        let _ = stream.set_nodelay(true);
        if !target.is_secure() {
            return speak(address, stream).await;
        }
        let name = ServerName::try_from(target.host()).map_err(|e| Unanswered(e.to_string()))?;
        let stream = self.tls.connect(name, stream).await.map_err(|e: io::Error| Unanswered(format!("TLS: {e}")))?;
        speak(address, stream).await
    }
}

async fn speak<S>(address: SocketAddr, stream: S) -> Result<Line, Unanswered>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (requests, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| unanswered(&e))?;
    // What ends the connection is told to who asks.
    let driver = tokio::spawn(async move { drop(connection.await) });
    Ok(Line { address, requests, driver })
}

async fn ask(
    line: &mut Line,
    target: &Target,
    message: &Signed<'_>,
) -> Result<axum::http::Response<Incoming>, Unanswered> {
    let mut request = Request::new(Full::new(message.body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = target.path().parse().map_err(|_| Unanswered("the address cannot be asked".into()))?;
    let fixed = |text: &'static str| Ok(HeaderValue::from_static(text));
    let headers = [
        (HOST, HeaderValue::try_from(target.authority())),
        (CONTENT_TYPE, fixed("application/json")),
        (USER_AGENT, fixed(concat!("Begreb/", env!("CARGO_PKG_VERSION")))),
        (HeaderName::from_static("webhook-id"), HeaderValue::try_from(message.id)),
        (HeaderName::from_static("webhook-timestamp"), Ok(HeaderValue::from(message.second))),
        (HeaderName::from_static("webhook-signature"), HeaderValue::try_from(&message.signature)),
    ];
    for (name, value) in headers {
        request.headers_mut().insert(name, value.map_err(|_| Unanswered("the address cannot be asked".into()))?);
    }
    line.requests.ready().await.map_err(|e| unanswered(&e))?;
    line.requests.send_request(request).await.map_err(|e| unanswered(&e))
}

/// How an answer begins, and whether that was all of it.
async fn beginning(mut body: Incoming) -> Result<(String, bool), Unanswered> {
    let (mut kept, mut read) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| unanswered(&e))?;
        let Ok(data) = frame.into_data() else { continue };
        read += data.len();
        kept.extend_from_slice(&data[..data.len().min(KEPT - kept.len())]);
        if read > READ {
            return Ok((text(&kept), false));
        }
    }
    Ok((text(&kept), true))
}

/// Bytes from outside as text that can be stored and shown.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

/// For how many seconds `Retry-After` asks us to wait: a number, or a date.
fn wait(headers: &HeaderMap, now: Instant) -> Option<u32> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = match value.parse::<i64>() {
        Ok(seconds) => seconds,
        Err(_) => jiff::fmt::rfc2822::parse(value).ok()?.timestamp().as_second() - now.micros() / 1_000_000,
    };
    u32::try_from(seconds.clamp(0, LONGEST_WAIT)).ok()
}

/// An error of the connection, with all that it came of.
fn unanswered(error: &hyper::Error) -> Unanswered {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    Unanswered(text.chars().take(KEPT / 4).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_may_ask_us_to_wait() {
        let now: Instant = "2026-11-22T12:00:00Z".parse().unwrap();
        for (value, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("-5", Some(0)),
            ("99999999", Some(86_400)),
            ("Sun, 22 Nov 2026 12:01:40 GMT", Some(100)),
            ("Sun, 22 Nov 2026 11:00:00 GMT", Some(0)),
            ("soon", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
            assert_eq!(wait(&headers, now), expected, "{value}");
        }
    }

    #[tokio::test]
    async fn a_name_is_looked_at_before_it_is_connected_to() {
        let closed = Courier::new(false).unwrap();
        // What the parser of addresses lets through when it was allowed once is looked at again at each attempt.
        for url in ["http://127.0.0.1:9/", "http://localhost:9/", "http://[::1]:9/", "http://[::ffff:127.0.0.1]:9/"] {
            let target = Target::new(url, true).unwrap();
            let message = Signed { id: "msg_1", second: 0, signature: String::new(), body: Bytes::new() };
            let answered = closed.send(&mut None, &target, &message, Instant::from_micros(0)).await;
            assert_eq!(answered.status, None);
            assert!(answered.answer.starts_with("refused: "), "{url}: {}", answered.answer);
        }
    }

    #[test]
    fn an_answer_is_kept_as_text() {
        assert_eq!(text(b"ok\x00\x1b[31m\n\xff"), "ok  [31m\n\u{fffd}");
    }
}
