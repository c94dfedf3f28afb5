//! What metrics tell of webhooks.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry as Metrics;

use super::api::App;

/// What is told of webhooks.
#[derive(Clone)]
pub struct WebhookGauges {
    subscriptions: Family<StateLabels, Gauge>,
    dead: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

impl WebhookGauges {
    /// Nothing told yet.
    pub fn new(metrics: &mut Metrics) -> Self {
        let new = Self { subscriptions: Family::default(), dead: Gauge::default() };
        let states = "Webhooks that are delivered, that failed at the last attempt, and that are paused";
        metrics.register("webhooks", states, new.subscriptions.clone());
        metrics.register("webhooks_dead_letters", "Messages that were given up", new.dead.clone());
        new
    }

    /// Reads how webhooks stand; what cannot be read stays as it was.
    pub async fn set(&self, app: &App) {
        let Ok(status) = app.webhooks_status().await else { return };
        let well = status.active - status.failing;
        for (state, n) in [("well", well), ("failing", status.failing), ("paused", status.paused)] {
            self.subscriptions.get_or_create(&StateLabels { state }).set(n);
        }
        self.dead.set(status.dead);
    }
}
