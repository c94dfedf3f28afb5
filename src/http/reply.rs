//! Answers with what caches need: an entity tag, how long they keep, what they vary by.

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LINK, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Our pages run nothing and load nothing: whatever a concept's text holds stays text. Forms go to ourselves only:
/// every page has the search box.
const PAGES: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
);

/// An answer whose bytes are known.
pub struct Reply {
    /// The bytes.
    pub bytes: Bytes,
    /// The media type.
    pub media: &'static str,
    /// Whether the bytes at this address can never change.
    pub pinned: bool,
    /// Where the next page is.
    pub link: Option<String>,
    /// How many there are on all pages.
    pub total: Option<usize>,
    /// The entity tag, when something shorter than the bytes tells them apart.
    pub tag: Option<String>,
}

impl Reply {
    /// JSON.
    ///
    /// # Panics
    /// Never for the answers of the registry, which are JSON.
    pub fn json<T: Serialize + ?Sized>(value: &T, pinned: bool) -> Self {
        Self::bytes(serde_json::to_vec(value).expect("answers are JSON"), "application/json", pinned)
    }

    /// Bytes of a media type.
    pub fn bytes(bytes: impl Into<Bytes>, media: &'static str, pinned: bool) -> Self {
        Self { bytes: bytes.into(), media, pinned, link: None, total: None, tag: None }
    }

    /// The response: 304 without a body when the caller has these bytes already.
    pub fn respond(self, request: &HeaderMap) -> Response {
        let tag = self.tag.unwrap_or_else(|| tag(&self.bytes));
        let has = is_known(request, &tag);
        let mut response = Response::new(if has { Body::empty() } else { Body::from(self.bytes) });
        // Room for all headers at once: those set here, at the edge, and by the server.
        *response.headers_mut() = HeaderMap::with_capacity(16);
        if has {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(self.media));
            if self.media.starts_with("text/html") {
                response.headers_mut().insert(CONTENT_SECURITY_POLICY, PAGES);
            }
        }
        let headers = response.headers_mut();
        cache(headers, &tag, self.pinned);
        if let Some(link) = self.link.and_then(|l| HeaderValue::try_from(l).ok()) {
            headers.insert(LINK, link);
        }
        if let Some(total) = self.total {
            headers.insert("x-total-count", HeaderValue::from(total));
        }
        response
    }
}

/// The headers that caches go by.
pub fn cache(headers: &mut HeaderMap, tag: &str, pinned: bool) {
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    let control = if pinned { "public, max-age=31536000, immutable" } else { "public, no-cache" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(control));
    headers.insert(VARY, HeaderValue::from_static("accept, accept-language, accept-encoding"));
}

/// The entity tag of some bytes. Weak, because the same answer may be sent compressed (RFC 9110, 8.8.1).
pub fn tag(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let mut tag = String::with_capacity(40);
    tag.push_str("W/\"");
    for byte in &digest[..16] {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        tag.push(char::from(HEX[usize::from(byte >> 4)]));
        tag.push(char::from(HEX[usize::from(byte & 15)]));
    }
    tag.push('"');
    tag
}

/// Whether the caller's `If-None-Match` names a tag; compared weakly (RFC 9110, 13.1.2).
pub fn is_known(request: &HeaderMap, tag: &str) -> bool {
    let opaque = |t: &str| t.trim().trim_start_matches("W/").to_owned();
    let values = request.get_all(IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok());
    values.flat_map(|v| v.split(',')).any(|t| t.trim() == "*" || opaque(t) == opaque(tag))
}

/// The `Link` to the page that begins at a cursor.
pub fn next_link(uri: &Uri, cursor: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let old = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    query.extend_pairs(old.filter(|(name, _)| name != "cursor")).append_pair("cursor", cursor);
    format!("<{}?{}>; rel=\"next\"", uri.path(), query.finish())
}
