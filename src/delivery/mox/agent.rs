//! The agent: its two tasks, each begun anew when it comes to an end.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::Instant as Stopwatch;
use uuid::Uuid;

use super::broker::{Broker, Trouble};
use super::port::Port;
use super::settings::MoxSettings;
use crate::model::{Instant, Result, new_uuid};
use crate::registry::Registry;

/// The first wait after something went wrong; it doubles with each.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(60);

/// The registry as a MOX agent. Several may work on one database.
pub struct Mox {
    pub(super) registry: Arc<Registry>,
    pub(super) broker: Broker,
    pub(super) settings: MoxSettings,
    pub(super) port: Arc<dyn Port>,
    /// Who holds a name: this process.
    pub(super) owner: Uuid,
}

impl Mox {
    /// An agent at a broker. Commands are carried out by `port`.
    ///
    /// # Errors
    /// [`crate::model::Code::InvalidParameter`] for settings that a broker could not do with,
    /// [`crate::model::Code::Internal`] without chance.
    pub fn new(registry: Arc<Registry>, broker: Broker, settings: MoxSettings, port: Arc<dyn Port>) -> Result<Self> {
        let owner = new_uuid(registry.dice())?;
        Ok(Self { registry, broker, settings: settings.checked()?, port, owner })
    }

    /// Tells and answers until `stop` says so; what is under way is brought to its end. What fails begins anew, later
    /// each time.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        let telling = self.keep("notifications", stop.clone(), |stop| Box::pin(self.tell(stop)));
        let answering = async {
            if let Some(commands) = &self.settings.commands {
                self.keep("commands", stop.clone(), |stop| Box::pin(self.serve(commands, stop))).await;
            }
        };
        tokio::join!(telling, answering);
    }

    /// Does a task again and again.
    async fn keep<'a>(
        &'a self,
        what: &'static str,
        mut stop: watch::Receiver<bool>,
        task: impl Fn(watch::Receiver<bool>) -> BoxFuture<'a, Result<(), Trouble>>,
    ) {
        let mut failures = 0_u32;
        while !*stop.borrow() {
            let begun = Stopwatch::now();
            match task(stop.clone()).await {
                Ok(()) => failures = 0,
                Err(trouble) => {
                    // What went well for a while begins with a short wait.
                    failures = if begun.elapsed() > LONGEST { 1 } else { failures.saturating_add(1) };
                    tracing::warn!(%trouble, what, failures, "MOX begins anew");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(self.wait(failures)) => {}
                // Also when nobody is left who could say so.
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// How long to wait after so many failures: from three quarters to five quarters of it, so that several agents do
    /// not come back all at once.
    fn wait(&self, failures: u32) -> Duration {
        let wait = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LONGEST);
        let chance = self.registry.dice().throw().map_or(128, |thrown| thrown[0]);
        wait.mul_f64(0.75 + f64::from(chance) / 512.0)
    }

    pub(super) fn now(&self) -> Instant {
        self.registry.clock().now()
    }

    /// So long from now.
    pub(super) fn later(&self, wait: Duration) -> Instant {
        let wait = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
        Instant::from_micros(self.now().micros().saturating_add(wait))
    }
}
