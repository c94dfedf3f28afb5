//! Who asks: by a token in `Authorization`, or by the cookie of a session; and whether the request comes from a page
//! of ours. Only addresses that take this extractor look at either: public readings never do.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};

use super::app::App;
use super::peer::{TrustForwarded, client};
use super::problem::Failure;
use crate::model::{Code, Refusal, Result, Secret};
use crate::registry::{Actor, SignedIn, Visitor};

/// Who asks.
pub struct Who(pub Actor);

impl FromRequestParts<App> for Who {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        if let Some(value) = parts.headers.get(AUTHORIZATION) {
            // Whoever shows a token means it: a wrong one is not made good by a cookie.
            let token = value.to_str().ok().and_then(bearer);
            let token = token.ok_or_else(|| {
                let (da, en) = ("Authorization kan ikke læses", "Authorization cannot be read");
                Refusal::new(Code::NotSignedIn, da, en).allowed(["Authorization: Bearer TOKEN"])
            })?;
            return Ok(Self(app.by_token(&Secret::shown(token)).await?));
        }
        let Some(secret) = cookie(&parts.headers, &app.settings().public_url) else { return Ok(Self(Actor::Public)) };
        if !parts.method.is_safe() && origin(&parts.headers, &app.settings().public_url) != Origin::Ours {
            return Err(foreign().into());
        }
        Ok(Self(app.by_session(&Secret::shown(secret)).await?))
    }
}

/// Who comes to a hearing: as everywhere else, or a party by its personal link.
pub struct Visiting(pub Visitor);

/// What stands before the secret of every personal link.
const LINK: &str = "begreb_h_";

impl FromRequestParts<App> for Visiting {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let shown = parts.headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(bearer);
        if let Some(link) = shown.filter(|s| s.starts_with(LINK)) {
            return Ok(Self(Visitor::Guest(app.by_party_link(&Secret::shown(link)).await?)));
        }
        let Who(actor) = Who::from_request_parts(parts, app).await?;
        Ok(Self(actor.into()))
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The page that a request comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// One of ours, or what the user typed.
    Ours,
    /// Another.
    Foreign,
    /// It is not said: no browser, or a very old one.
    Unsaid,
}

/// Where a request comes from, as browsers say it; no page can make them say otherwise.
pub fn origin(headers: &HeaderMap, public_url: &str) -> Origin {
    let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return Origin::Foreign;
    }
    let Some(origin) = text(ORIGIN.as_str()) else {
        return if text("sec-fetch-site").is_some() { Origin::Ours } else { Origin::Unsaid };
    };
    let same_scheme = public_url.starts_with(scheme_of(origin));
    // Without TLS there is no name to rely on (a developer's machine has many): there the host that was asked is ours.
    let asked = text(HOST.as_str()).filter(|_| public_url.starts_with("http://"));
    let ours = |o: &str| same_scheme && (host_of(public_url) == Some(o) || asked == Some(o));
    if host_of(origin).is_some_and(ours) { Origin::Ours } else { Origin::Foreign }
}

/// Host and port of an address.
fn host_of(url: &str) -> Option<&str> {
    url.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or_default()).filter(|h| !h.is_empty())
}

fn scheme_of(url: &str) -> &str {
    url.find("://").map_or("?", |at| &url[..at + 3])
}

/// The refusal of what another site's page asks in the name of somebody who is signed in here.
pub fn foreign() -> Refusal {
    Refusal::new(
        Code::ForeignOrigin,
        "forespørgslen kommer ikke fra en side her",
        "the request does not come from a page of this site",
    )
    .allowed(["Origin", "Authorization: Bearer TOKEN"])
}

/// The name of the cookie. `__Host-` makes browsers hold us to Secure, to the whole site, and to no other host.
fn cookie_name(public_url: &str) -> &'static str {
    if public_url.starts_with("https://") { "__Host-begreb" } else { "begreb" }
}

/// The secret in the cookie.
fn cookie<'h>(headers: &'h HeaderMap, public_url: &str) -> Option<&'h str> {
    value_of(headers, cookie_name(public_url))
}

/// The secret of the session that asks.
pub fn session_secret(headers: &HeaderMap, public_url: &str) -> Option<Secret> {
    cookie(headers, public_url).map(Secret::shown)
}

/// The value of a cookie.
pub fn value_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let values = headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut pairs = values.flat_map(|v| v.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(n, v)| (n == name && !v.is_empty()).then_some(v))
}

/// `Set-Cookie` for a session; without one, the cookie is taken away.
pub fn set_cookie(public_url: &str, session: Option<&SignedIn>) -> Option<HeaderValue> {
    let (value, age) = session.map_or(("", 0), |s| (s.secret.expose(), s.seconds));
    let secure = if public_url.starts_with("https://") { "; Secure" } else { "" };
    let name = cookie_name(public_url);
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}");
    HeaderValue::try_from(text).ok()
}

/// Where a request comes from, as attempts to sign in are counted.
pub struct From(pub String);

impl<S: Sync> FromRequestParts<S> for From {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Self, Self::Rejection> {
        let trust = parts.extensions.get::<TrustForwarded>().copied().unwrap_or(TrustForwarded(false));
        let peer = client(&parts.extensions, &parts.headers, trust);
        Ok(Self(peer.map_or_else(String::new, neighbourhood)))
    }
}

/// An address as it is counted: of IPv6 the network, since whoever has one address has them all.
fn neighbourhood(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("{:x?}", &v6.segments()[..4]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (axum::http::HeaderName::from_static(n), v.parse().unwrap())).collect()
    }

    #[test]
    fn where_a_request_comes_from() {
        let url = "https://begreb.example.dk/sub";
        for (pairs, expected) in [
            (&[][..], Origin::Unsaid),
            (&[("origin", "https://begreb.example.dk")], Origin::Ours),
            (&[("origin", "http://begreb.example.dk")], Origin::Foreign),
            (&[("origin", "https://begreb.example.dk.evil.example")], Origin::Foreign),
            (&[("origin", "null")], Origin::Foreign),
            (&[("origin", "http://begreb.example.dk"), ("host", "begreb.example.dk")], Origin::Foreign),
            (&[("origin", "http://evil.example"), ("host", "evil.example")], Origin::Foreign),
            (&[("origin", "https://evil.example"), ("host", "evil.example")], Origin::Foreign),
            (&[("sec-fetch-site", "cross-site")], Origin::Foreign),
            (&[("sec-fetch-site", "same-site"), ("origin", "https://begreb.example.dk")], Origin::Foreign),
            (&[("sec-fetch-site", "same-origin")], Origin::Ours),
        ] {
            assert_eq!(origin(&headers(pairs), url), expected, "{pairs:?}");
        }
        let plain = |from, host| origin(&headers(&[("origin", from), ("host", host)]), "http://127.0.0.1:8080");
        assert_eq!(plain("http://localhost:8080", "localhost:8080"), Origin::Ours);
        assert_eq!(plain("http://127.0.0.1:9", "127.0.0.1:8080"), Origin::Foreign);
        assert_eq!(plain("https://127.0.0.1:8080", "127.0.0.1:8080"), Origin::Foreign);
    }

    #[test]
    fn cookies_and_tokens() {
        let many = headers(&[("cookie", "a=1; begreb=abc; __Host-begreb=def")]);
        assert_eq!(cookie(&many, "http://h"), Some("abc"));
        assert_eq!(cookie(&many, "https://h"), Some("def"));
        assert_eq!(cookie(&headers(&[("cookie", "xbegreb=abc; begreb=")]), "http://h"), None);
        assert_eq!((bearer("bEARER x"), bearer("Basic x"), bearer("x")), (Some("x"), None, None));
        let network = |a: &str| neighbourhood(a.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::2"));
        assert_eq!(network("::ffff:1.2.3.4"), "1.2.3.4");
    }
}
