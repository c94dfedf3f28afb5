//! A file that is sent in: as the whole body, or in a form (beside a table of who is who, where that is wanted).

use axum::body::{Body, Bytes};
use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::problem::Failure;
use crate::model::{Code, Place, Refusal, Result};
use crate::registry::Identity;

/// A file, and the codes whose uuids are known.
pub struct Upload {
    /// The bytes of the file.
    pub file: Bytes,
    /// Who is who, where codes do not tell.
    pub identity: Identity,
}

/// A list that is sent in: the whole body, or the one file of a form, whatever it is called there.
pub struct List(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for List {
    type Rejection = Failure;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, Failure> {
        let headers = request.headers();
        let header = |name| {
            let value = headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
            value.trim().to_ascii_lowercase()
        };
        let (encoding, media) = (header(CONTENT_ENCODING), header(CONTENT_TYPE));
        if !matches!(encoding.as_str(), "" | "identity") {
            let (da, en) = ("send listen, som den er, og ikke pakket", "send the list as it is, and not compressed");
            let refusal = Refusal::new(Code::Encoding, da, en).at(Place::field("content-encoding"));
            return Err(refusal.allowed(["identity"]).into());
        }
        if !media.starts_with("multipart/form-data") {
            let list = Bytes::from_request(request, state).await.map_err(|e| unreadable(e.status()))?;
            return Ok(Self(list));
        }
        let form = Multipart::from_request(request, state).await;
        Ok(Self(the_one(form.map_err(|_| unreadable(StatusCode::BAD_REQUEST))?).await?))
    }
}

/// The one part of a form.
async fn the_one(mut form: Multipart) -> Result<Bytes> {
    let wrong = |e: MultipartError| unreadable(e.status());
    let mut one = None;
    while let Some(part) = form.next_field().await.map_err(wrong)? {
        let bytes = part.bytes().await.map_err(wrong)?;
        if one.replace(bytes).is_some() {
            let (da, en) = ("formularen har mere end den ene fil", "the form has more than the one file");
            return Err(Refusal::new(Code::InvalidBody, da, en));
        }
    }
    one.ok_or_else(|| Refusal::new(Code::InvalidBody, "filen mangler", "the file is missing"))
}

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Failure;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, Failure> {
        let media = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if !media.trim_start().to_ascii_lowercase().starts_with("multipart/form-data") {
            let file = Bytes::from_request(request, state).await.map_err(|e| unreadable(e.status()))?;
            return Ok(Self { file, identity: Identity::default() });
        }
        let form = Multipart::from_request(request, state).await;
        Ok(Self::of(form.map_err(|_| unreadable(StatusCode::BAD_REQUEST))?).await?)
    }
}

impl Upload {
    async fn of(mut form: Multipart) -> Result<Self> {
        let wrong = |e: MultipartError| unreadable(e.status());
        let (mut file, mut identity) = (None, None);
        while let Some(part) = form.next_field().await.map_err(wrong)? {
            let name = part.name().unwrap_or_default().to_owned();
            let slot = match name.as_str() {
                "file" => &mut file,
                "identity" => &mut identity,
                _ => return Err(unknown(&name)),
            };
            let bytes = part.bytes().await.map_err(wrong)?;
            if slot.replace(bytes).is_some() {
                return Err(unknown(&name));
            }
        }
        let file = file.ok_or_else(|| {
            let (da, en) = ("filen mangler", "the file is missing");
            Refusal::new(Code::InvalidBody, da, en).at(Place::field("file")).allowed(["file", "identity"])
        })?;
        let identity = identity.map_or_else(|| Ok(Identity::default()), |bytes| read(&bytes))?;
        Ok(Self { file, identity })
    }
}

/// The table of who is who.
fn read(bytes: &[u8]) -> Result<Identity> {
    let at = |r: Refusal| r.at(Place::field("identity"));
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes)
        .map_err(|_| at(Refusal::new(Code::Encoding, "filen er ikke UTF-8", "the file is not UTF-8")))?;
    Identity::read(text).map_err(at)
}

fn unknown(name: &str) -> Refusal {
    let name: String = name.chars().take(80).collect();
    let (da, en) = (format!("formularen har »{name}« for meget"), format!("the form has '{name}' too much"));
    Refusal::new(Code::InvalidBody, da, en).at(Place::field(name)).allowed(["file", "identity"])
}

fn unreadable(status: StatusCode) -> Refusal {
    let code = if status == StatusCode::PAYLOAD_TOO_LARGE { Code::TooLarge } else { Code::InvalidBody };
    Refusal::new(code, "kroppen kan ikke læses", "the body cannot be read")
}
