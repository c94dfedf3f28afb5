//! The doors over HTTP: thin. Each handler translates a request into a call of the registry and its answer
//! into bytes; no rule lives here.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::registry::Registry;

/// How the doors are set up.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// The largest body that is taken in, in bytes.
    pub body_limit: usize,
    /// How long a request may take.
    pub timeout: Duration,
    /// How many requests are worked on at once; more are told to come back.
    pub concurrency: usize,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self { body_limit: 16 << 20, timeout: Duration::from_secs(60), concurrency: 1024 }
    }
}

/// Serves until `stop` completes, then lets requests under way finish.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    registry: Arc<Registry>,
    options: HttpOptions,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(registry, &options)).with_graceful_shutdown(stop).await
}

/// The router of every door.
pub fn router(registry: Arc<Registry>, options: &HttpOptions) -> axum::Router {
    let _ = (registry, options);
    axum::Router::new()
}
