//! Requests to providers: bounded in time and size, by https, and never led elsewhere.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use openidconnect::url::Url;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};

use super::settings::may_be_asked;

/// How long a request may take, from the look-up of the name to the last byte.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer that is read, in bytes.
const LARGEST: usize = 1 << 20;

/// Why an answer could not be had.
#[derive(Debug)]
pub struct Unanswered(String);

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Unanswered {}

/// What asks.
pub struct Outside(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Outside {
    /// Trusts the authorities that browsers trust.
    pub fn new() -> Result<Self, Unanswered> {
        let provider = rustls::crypto::ring::default_provider();
        let connector = HttpsConnectorBuilder::new().with_provider_and_webpki_roots(provider);
        let connector = connector.map_err(|e| Unanswered(e.to_string()))?.https_or_http().enable_http1().build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, Unanswered> {
        let address = request.uri().to_string();
        // Addresses come from a document of the provider: they are held to the same rule as its own.
        if !Url::parse(&address).is_ok_and(|url| may_be_asked(&url)) {
            return Err(Unanswered(format!("{address} is no https address")));
        }
        let asking = async {
            let response = self.0.request(request.map(|body| Full::new(Bytes::from(body)))).await.map_err(told)?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, LARGEST).collect().await.map_err(|e| Unanswered(chain(&*e)))?;
            Ok(http::Response::from_parts(head, body.to_bytes().to_vec()))
        };
        let answered = tokio::time::timeout(PATIENCE, asking).await;
        let late = |_| Err(Unanswered(format!("no answer within {} seconds", PATIENCE.as_secs())));
        answered.unwrap_or_else(late)
    }
}

impl<'c> AsyncHttpClient<'c> for Outside {
    type Error = Unanswered;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Unanswered>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

fn told(error: hyper_util::client::legacy::Error) -> Unanswered {
    Unanswered(chain(&error))
}

/// An error with all that it came of.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text.chars().take(500).collect()
}
