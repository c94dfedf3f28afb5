//! The webhooks of `begreb serve`: their options, and the task that sends them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use begreb::delivery::{Courier, Webhooks};
use begreb::model::Refusal;
use begreb::registry::Registry;

use crate::stop::{Result, Stop, file, named};

#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Webhooks")]
pub struct WebhookOptions {
    /// Let webhooks go to addresses that are not public, and by http; for tests, or inside a network of one's own
    #[arg(long)]
    pub webhook_allow_private: bool,
    /// A file with the certificate (PEM) that receivers' are signed by, if the world does not know it
    #[arg(long, value_name = "FILE")]
    webhook_ca: Option<PathBuf>,
    /// Send no webhooks from here: another node does, or none is to
    #[arg(long)]
    no_webhooks: bool,
}

impl WebhookOptions {
    /// What sends, unless nothing is to be sent.
    pub fn courier(&self) -> Result<Option<Courier>> {
        if self.no_webhooks {
            return Ok(None);
        }
        let courier = match &self.webhook_ca {
            None => Courier::new(self.webhook_allow_private)?,
            Some(path) => {
                let pem = std::fs::read(path).map_err(|e| Stop::usage(file(path, &e)))?;
                let trusting = Courier::trusting(&pem, self.webhook_allow_private);
                trusting.map_err(|r: Refusal| Stop::usage(r.at(named("--webhook-ca"))))?
            }
        };
        Ok(Some(courier))
    }
}

/// The task that sends them.
pub struct Running(tokio::task::JoinHandle<()>, tokio::sync::watch::Sender<bool>);

/// Starts it.
pub fn start(registry: &Arc<Registry>, courier: Courier) -> Running {
    if registry.settings().webhooks_allow_private {
        tracing::warn!("webhooks may go to addresses that are not public");
    }
    let webhooks = Arc::new(Webhooks::new(registry.clone(), courier));
    let (stop, stopping) = tokio::sync::watch::channel(false);
    Running(tokio::spawn(webhooks.run(stopping)), stop)
}

impl Running {
    /// Lets what is under way come to its end, so that it is not sent twice; not for long.
    pub async fn stop(self) {
        let Self(mut task, stop) = self;
        stop.send_replace(true);
        if tokio::time::timeout(Duration::from_secs(10), &mut task).await.is_err() {
            tracing::warn!("webhooks under way were cut off; they are sent once more");
            task.abort();
        }
    }
}
