//! Whole vocabularies, streamed.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::IntoParams;

use super::App;
use crate::exchange::Format;
use crate::http::negotiate::Caller;
use crate::http::params::{Params, not_one_of};
use crate::http::problem::{Failure, Refused};
use crate::http::reply::{cache, is_known};
use crate::model::{Code, Refusal, Result};
use crate::registry::{At, View};

/// How many bytes are handed on at a time.
const CHUNK: usize = 64 << 10;

/// The format of an export.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportParams {
    /// `ttl`, `nt`, `rdf`, `jsonld`, `csv`, `json` or `oioxml`.
    #[param(required = true, example = "ttl")]
    format: Option<String>,
}

/// A whole vocabulary at a point of the two times, with the SHA-256 of its bytes in `Content-Digest` (RFC 9530).
#[utoipa::path(get, path = "/vocabularies/{vocabulary}/export", operation_id = "export", tag = "vocabularies",
    params(("vocabulary" = String, Path, description = "The slug"), At, ExportParams),
    responses(
        (status = 200, headers(("content-digest" = String)), content(
            (String = "text/turtle"), (String = "application/n-triples"), (String = "application/rdf+xml"),
            (String = "application/ld+json"), (String = "text/csv"), (String = "application/json"),
            (String = "application/xml"))), Refused<400>, Refused<404>))]
pub async fn whole(
    State(app): State<App>,
    Path(vocabulary): Path<String>,
    Params(at, params, _): Params<At, ExportParams>,
    Caller(headers): Caller,
) -> Result<Response, Failure> {
    let view = app.view(&vocabulary, &at)?;
    let format = format(params.format.as_deref().unwrap_or_default())?;
    // The digest goes before the bytes, so the edition is written twice: once to be digested, once to be sent.
    let digest = digest(app.clone(), view.clone(), format).await?;
    let tag = format!("W/\"{}\"", STANDARD.encode(&digest[..16]));
    let mut response = Response::new(Body::empty());
    if is_known(&headers, &tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        let label = view.version.as_ref().map_or_else(|| "latest".to_owned(), |v| v.label.to_string());
        let name = format!("attachment; filename=\"{vocabulary}-{label}.{}\"", format.extension());
        let sum = format!("sha-256=:{}:", STANDARD.encode(digest));
        *response.body_mut() = stream(app, view.clone(), format);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
        for (header, value) in [(CONTENT_DISPOSITION, name), ("content-digest".parse().expect("a name"), sum)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(header, value);
            }
        }
    }
    cache(response.headers_mut(), &tag, view.pinned);
    Ok(response)
}

fn format(name: &str) -> Result<Format> {
    let known = Format::WRITTEN.map(Format::name);
    Format::WRITTEN.into_iter().find(|f| f.name() == name).ok_or_else(|| not_one_of("format", name, &known))
}

async fn digest(app: App, view: View, format: Format) -> Result<[u8; 32]> {
    let work = move || {
        let mut sink = Digesting(Sha256::new());
        app.export(&view, format, &mut std::io::BufWriter::with_capacity(CHUNK, &mut sink))?;
        Ok(sink.0.finalize().into())
    };
    let failed = |e| Refusal::new(Code::Internal, format!("udtrækket fejlede: {e}"), format!("the export failed: {e}"));
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

struct Digesting(Sha256);

impl std::io::Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The bytes of an export as they are made; a slow reader slows the writer down, a lost one stops it.
fn stream(app: App, view: View, format: Format) -> Body {
    let (sender, receiver) = mpsc::channel::<std::io::Result<Bytes>>(4);
    tokio::task::spawn_blocking(move || {
        let mut out = std::io::BufWriter::with_capacity(CHUNK, Sending(sender.clone()));
        let done = app.export(&view, format, &mut out);
        let flushed = std::io::Write::flush(&mut out);
        if let Err(refusal) = done {
            // The status is long sent: only a broken body can still tell.
            let _ = sender.blocking_send(Err(std::io::Error::other(refusal.en)));
        } else if let Err(error) = flushed {
            tracing::debug!(%error, "the reader of an export went away");
        }
    });
    Body::from_stream(ReceiverStream::new(receiver))
}

struct Sending(mpsc::Sender<std::io::Result<Bytes>>);

impl std::io::Write for Sending {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
