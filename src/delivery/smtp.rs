//! The way out: one letter to one mail server, and what became of it.

use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use tokio::time::timeout;

use crate::model::{Code, Refusal, Result};
use crate::store::Claimed;

/// The most characters of a server's answer that are kept.
const ANSWER: usize = 300;

/// How what is said to the mail server is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protection {
    /// TLS from the first byte.
    Tls,
    /// STARTTLS, or nothing is sent.
    StartTls,
    /// None: to a server on the same machine, or where the operator says so.
    None,
}

/// From whom the letters are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sender(Mailbox);

impl Sender {
    /// An address, with or without a name: `Begreb <begreb@example.dk>`.
    ///
    /// # Errors
    /// [`Code::InvalidMail`].
    pub fn new(text: &str) -> Result<Self> {
        let lawful = !text.chars().any(char::is_control);
        text.parse().ok().filter(|_| lawful).map(Self).ok_or_else(|| {
            Refusal::new(Code::InvalidMail, "det er ikke en afsender", "that is not a sender")
                .allowed(["begreb@example.dk", "Begreb <begreb@example.dk>"])
        })
    }
}

/// What became of an attempt. Each has what the server said, or why nothing was said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The server has taken it.
    Sent(String),
    /// The server does not take it now, but may later.
    Later(String),
    /// The server cannot be reached, or does not let us in: other letters would fare no better.
    Unreachable(String),
    /// The server does not take it.
    Refused(String),
    /// It was handed over and nothing was heard after that.
    Doubt(String),
}

/// A mail server, and how it is spoken to.
#[derive(Clone)]
pub struct Smtp {
    host: String,
    port: u16,
    protection: Protection,
    login: Option<Credentials>,
    authority: Option<Certificate>,
    from: Mailbox,
    hello: ClientId,
    /// How long everything before the letter itself may take.
    pub patience: Duration,
    /// How long the server may take to say that it has the letter. RFC 5321 asks for ten minutes; half must do.
    pub patience_after: Duration,
}

impl Smtp {
    /// A mail server of an address, `smtp://[USER@]HOST[:PORT]` or `smtps://…`; `plain` gives up protection where it
    /// would be required: with `smtp`, to another machine.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`].
    pub fn new(address: &str, password: Option<&str>, plain: bool, from: Sender) -> Result<Self> {
        let wrong = |da: &str, en: &str| {
            Err(Refusal::new(Code::InvalidParameter, da, en).allowed([
                "smtp://HOST:PORT",
                "smtp://USER@HOST:PORT",
                "smtps://USER@HOST:PORT",
            ]))
        };
        let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, place) = rest.rsplit_once('@').map_or((None, rest), |(user, place)| (Some(user), place));
        if user.is_some_and(|u| u.contains(':')) {
            let da = "en adgangskode står ikke i adressen: læg den i en fil";
            return wrong(da, "a password does not stand in the address: put it into a file");
        }
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => match port.parse() {
                Ok(port) => (host, port),
                Err(_) => return wrong("porten er ikke et tal", "the port is not a number"),
            },
            _ => (
                place,
                if scheme == "smtps" {
                    465
                } else if user.is_some() {
                    587
                } else {
                    25
                },
            ),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains(['/', '?', '#']) || host.chars().any(char::is_whitespace) {
            return wrong("adressen navngiver ingen mailserver", "the address names no mail server");
        }
        let near = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let protection = match scheme {
            "smtps" => Protection::Tls,
            "smtp" if near || plain => Protection::None,
            "smtp" => Protection::StartTls,
            _ => return wrong("det er ikke en mailservers adresse", "that is not the address of a mail server"),
        };
        let login = match (user, password) {
            (Some(user), Some(password)) => Some(Credentials::new(user.to_owned(), password.to_owned())),
            (None, _) => None,
            (Some(_), None) => {
                let da = "der er et brugernavn og ingen adgangskode";
                return wrong(da, "there is a user name and no password");
            }
        };
        let from = from.0;
        let (host, hello) = (host.to_owned(), ClientId::default());
        let (patience, patience_after) = (Duration::from_secs(60), Duration::from_secs(300));
        Ok(Self { host, port, protection, login, authority: None, from, hello, patience, patience_after })
    }

    /// The same server, whose certificate is signed by one (PEM) that the world does not know.
    ///
    /// # Errors
    /// [`Code::Syntax`].
    pub fn trusting(mut self, certificate: &[u8]) -> Result<Self> {
        self.authority = Some(Certificate::from_pem(certificate).map_err(|e| {
            Refusal::new(Code::Syntax, format!("det er ikke et certifikat: {e}"), format!("not a certificate: {e}"))
        })?);
        Ok(self)
    }

    /// The same server, greeted in the name of a machine: the one in the registry's public address, when it has a
    /// name.
    #[must_use]
    pub fn greeted_as(mut self, url: &str) -> Self {
        let host = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = host.split(['/', ':', '[']).next().unwrap_or_default();
        let named = host.contains('.') && host.parse::<IpAddr>().is_err();
        if named && host.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-') {
            self.hello = ClientId::Domain(host.to_owned());
        }
        self
    }

    /// The same server with another protection.
    #[must_use]
    pub fn protected(mut self, protection: Protection) -> Self {
        self.protection = protection;
        self
    }

    /// How what is said is protected.
    #[must_use]
    pub fn protection(&self) -> Protection {
        self.protection
    }

    /// Hands a letter over. Before the letter itself is sent, whatever goes wrong leaves it unsent; after that, only
    /// an answer of the server tells.
    pub async fn send(&self, letter: &Claimed) -> Outcome {
        let message = match self.message(letter) {
            Ok(message) => message,
            Err(why) => return Outcome::Refused(short(&why)),
        };
        let mut connection = match timeout(self.patience, self.connect()).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return Outcome::Unreachable(short(&error)),
            Err(_) => return Outcome::Unreachable("no answer in time".into()),
        };
        let outcome = match timeout(self.patience, announce(&mut connection, message.envelope())).await {
            Ok(Ok(())) => match timeout(self.patience_after, connection.message(&message.formatted())).await {
                Ok(Ok(response)) => Outcome::Sent(short(&response.message().collect::<Vec<_>>().join(" "))),
                Ok(Err(error)) if error.is_transient() => Outcome::Later(short(&error)),
                Ok(Err(error)) if error.is_permanent() => Outcome::Refused(short(&error)),
                Ok(Err(error)) => Outcome::Doubt(short(&error)),
                Err(_) => Outcome::Doubt("no answer in time, after the letter was handed over".into()),
            },
            Ok(Err(outcome)) => outcome,
            Err(_) => Outcome::Unreachable("no answer in time".into()),
        };
        // What became of the letter is known; parting politely must not hold that up.
        tokio::spawn(async move { timeout(Duration::from_secs(5), connection.abort()).await });
        outcome
    }

    async fn connect(&self) -> std::result::Result<AsyncSmtpConnection, lettre::transport::smtp::Error> {
        let place = (self.host.as_str(), self.port);
        let each = Some(Duration::from_secs(10).min(self.patience));
        let wrapped = (self.protection == Protection::Tls).then(|| self.tls()).transpose()?;
        let mut connection = AsyncSmtpConnection::connect_tokio1(place, each, &self.hello, wrapped, None).await?;
        if self.protection == Protection::StartTls {
            connection.starttls(self.tls()?, &self.hello).await?;
        }
        if let Some(login) = &self.login {
            connection.auth(DEFAULT_MECHANISMS, login).await?;
        }
        Ok(connection)
    }

    fn tls(&self) -> std::result::Result<TlsParameters, lettre::transport::smtp::Error> {
        let mut tls = TlsParameters::builder(self.host.clone());
        if let Some(authority) = &self.authority {
            tls = tls.add_root_certificate(authority.clone());
        }
        tls.build()
    }

    /// The message. What stands in its headers is encoded by `lettre`, so that no text can end a header.
    fn message(&self, letter: &Claimed) -> std::result::Result<Message, Box<dyn std::error::Error + Send + Sync>> {
        let name = letter.name.as_ref().map(ToString::to_string);
        let to = Mailbox::new(name, letter.mail.as_str().parse()?);
        let at = UNIX_EPOCH + Duration::from_micros(letter.created.micros().max(0).unsigned_abs());
        let raw = |name, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned());
        let id = format!("<{}.{}@{}>", letter.change, letter.uuid.simple(), self.from.email.domain());
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(letter.subject.as_str())
            .date(at)
            .message_id(Some(id))
            .raw_header(raw("Auto-Submitted", "auto-generated"))
            .raw_header(raw("Content-Language", &letter.language))
            .raw_header(raw("MIME-Version", "1.0"));
        if let Some(address) = &letter.unsubscribe {
            let one_click = raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
            message = message.raw_header(raw("List-Unsubscribe", &format!("<{address}>"))).raw_header(one_click);
        }
        let message = message.header(ContentType::TEXT_PLAIN);
        // The end of the letter is the end of its last line.
        Ok(message.body(letter.text.trim_end_matches('\n').to_owned())?)
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Smtp({}:{}, {:?})", self.host, self.port, self.protection)
    }
}

/// Everything before the letter itself: from whom, to whom, and that it comes now.
async fn announce(connection: &mut AsyncSmtpConnection, envelope: &Envelope) -> std::result::Result<(), Outcome> {
    let mut parameters = Vec::new();
    if envelope.to().iter().chain(envelope.from()).any(|a| !AsRef::<str>::as_ref(a).is_ascii()) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(Outcome::Refused("the mail server does not take addresses with other letters than a-z".into()));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    connection.command(Mail::new(envelope.from().cloned(), parameters)).await.map_err(said)?;
    for to in envelope.to() {
        connection.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(said)?;
    }
    connection.command(Data).await.map_err(said)?;
    Ok(())
}

/// What an answer before the letter means.
fn said(error: lettre::transport::smtp::Error) -> Outcome {
    let answer = short(&error);
    match error.status().map(u16::from) {
        // 530, 534, 535, 538: we are not let in, which says nothing about the letter. 421: the server goes away.
        Some(421 | 530..=539) | None => Outcome::Unreachable(answer),
        Some(400..=499) => Outcome::Later(answer),
        Some(_) => Outcome::Refused(answer),
    }
}

/// A server's answer on one line, cut.
fn short(text: &impl ToString) -> String {
    let text = text.to_string();
    let line = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty());
    line.collect::<Vec<_>>().join(" ").chars().take(ANSWER).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smtp(address: &str, password: Option<&str>, plain: bool) -> Result<Smtp> {
        Smtp::new(address, password, plain, Sender::new("Begreb <begreb@example.dk>").unwrap())
    }

    #[test]
    fn addresses_of_mail_servers() {
        let read = |address, password, plain| {
            let s = smtp(address, password, plain).unwrap();
            (s.host, s.port, s.protection, s.login.is_some())
        };
        let cases = [
            ("smtp://mail.example.dk", None, false, ("mail.example.dk", 25, Protection::StartTls, false)),
            ("smtp://mail.example.dk", None, true, ("mail.example.dk", 25, Protection::None, false)),
            ("smtp://127.0.0.1:1025", None, false, ("127.0.0.1", 1025, Protection::None, false)),
            ("smtp://[::1]", None, false, ("::1", 25, Protection::None, false)),
            ("smtp://[2001:db8::1]:26", None, false, ("2001:db8::1", 26, Protection::StartTls, false)),
            ("smtp://a@b.dk@mail.example.dk", Some("x"), false, ("mail.example.dk", 587, Protection::StartTls, true)),
            ("smtps://anne@mail.example.dk/", Some("x"), true, ("mail.example.dk", 465, Protection::Tls, true)),
        ];
        for (address, password, plain, (host, port, protection, login)) in cases {
            assert_eq!(read(address, password, plain), (host.to_owned(), port, protection, login), "{address}");
        }
        for wrong in
            ["", "mail.example.dk", "http://x", "smtp://", "smtp://x:y", "smtp://a:b@x", "smtp://a@x", "smtp://x y"]
        {
            assert_eq!(smtp(wrong, None, false).unwrap_err().code, Code::InvalidParameter, "{wrong}");
        }
        for wrong in ["", "Begreb", "a@b.dk\r\nBcc: c@d.dk"] {
            assert_eq!(Sender::new(wrong).unwrap_err().code, Code::InvalidMail, "{wrong:?}");
        }
        let shown = format!("{:?}", smtp("smtp://anne@mail.example.dk", Some("hemmeligt"), false).unwrap());
        assert!(!shown.contains("hemmeligt") && !shown.contains("anne"), "{shown}");
    }

    #[test]
    fn no_text_ends_a_header() {
        let smtp = smtp("smtp://localhost", None, false).unwrap();
        for evil in ["x\r\nBcc: evil@example.dk", "x\nBcc: evil@example.dk", "x\rBcc: evil@example.dk", "\r\n\r\nbody"]
        {
            let letter = Claimed {
                uuid: uuid::Uuid::nil(),
                change: 7,
                kind: "test".into(),
                recipient: uuid::Uuid::nil(),
                attempt: 1,
                tries: 1,
                created: crate::model::Instant::from_micros(0),
                since: crate::model::Instant::from_micros(0),
                mail: "anne@example.dk".parse().unwrap(),
                name: Some("\"Anne\" <evil@example.dk>, Ærlig".parse().unwrap()),
                language: "da".into(),
                subject: evil.into(),
                text: "Kære Anne\n.\nHej\n".into(),
                unsubscribe: None,
            };
            let message = smtp.message(&letter).unwrap();
            let (text, envelope) = (String::from_utf8(message.formatted()).unwrap(), message.envelope());
            assert_eq!(envelope.to().len(), 1);
            assert_eq!(envelope.to()[0].to_string(), "anne@example.dk");
            let head = text.split_once("\r\n\r\n").unwrap().0;
            let names: Vec<&str> = head
                .split("\r\n")
                .filter(|l| !l.starts_with([' ', '\t']))
                .map(|l| l.split(':').next().unwrap())
                .collect();
            let expected = [
                "From",
                "To",
                "Subject",
                "Date",
                "Message-ID",
                "Auto-Submitted",
                "Content-Language",
                "MIME-Version",
                "Content-Type",
                "Content-Transfer-Encoding",
            ];
            assert_eq!(names, expected, "{text}");
            assert!(!head.replace("\r\n", "").contains(['\r', '\n']), "{head:?}");
        }
    }
}
