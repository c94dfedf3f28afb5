//! What health and metrics tell of mail and of digests. It never makes the registry unready: what waits is sent later.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry as Metrics;
use serde_json::{Value, json};

use super::app::App;
use crate::registry::LetterState;

/// What is told of mail.
#[derive(Clone)]
pub struct MailGauges {
    letters: Family<StateLabels, Gauge>,
    behind: Gauge,
    oldest: Gauge,
    digests: Family<StandingLabels, Gauge>,
    digest_letters: Family<StandingLabels, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StandingLabels {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

impl MailGauges {
    /// Nothing told yet.
    pub fn new(metrics: &mut Metrics) -> Self {
        let (digests, digest_letters) = <(Family<_, Gauge>, Family<_, Gauge>)>::default();
        metrics.register("digests", "Digests that are delivered, and that are paused", digests.clone());
        metrics.register("digest_letters", "Letters of digests by how they fare", digest_letters.clone());
        let (letters, behind, oldest) = Default::default();
        let new = Self { letters, behind, oldest, digests, digest_letters };
        metrics.register("mail_letters", "Letters by where they stand", new.letters.clone());
        metrics.register("mail_behind", "Changes that were not read for letters yet", new.behind.clone());
        let oldest = "How long the letter that waits longest has been due";
        metrics.register("mail_oldest_due_seconds", oldest, new.oldest.clone());
        new
    }

    /// Reads how mail stands; what cannot be read stays as it was.
    pub async fn set(&self, app: &App) {
        let (Ok(status), Ok((_, head))) = (app.mail_status().await, app.progress().await) else { return };
        for state in LetterState::ALL {
            self.letters.get_or_create(&StateLabels { state: state.as_str() }).set(status.count(state));
        }
        self.behind.set(status.position.map_or(0, |position| (head.seq - position).max(0)));
        let due = status.oldest_due.map_or(0, |due| app.clock().now().micros() - due.micros());
        self.oldest.set(due.max(0) / 1_000_000);
        let Ok((standing, letters)) = app.digests_status().await else { return };
        for (state, n) in [("active", standing.active), ("paused", standing.paused)] {
            self.digests.get_or_create(&StandingLabels { state }).set(n);
        }
        for state in ["sent", "waiting", "failing", "held", "failed", "dropped"] {
            let n = letters.iter().find(|(s, _)| s == state).map_or(0, |(_, n)| *n);
            self.digest_letters.get_or_create(&StandingLabels { state }).set(n);
        }
    }
}

/// What `/health/ready` tells of mail; nothing while mail was never turned on.
pub async fn health(app: &App, head: i64) -> Option<Value> {
    let status = app.mail_status().await.ok()?;
    let position = status.position?;
    let count = |state| status.count(state);
    Some(json!({
        "position": position, "behind": (head - position).max(0),
        "queued": count(LetterState::Queued), "doubt": count(LetterState::Doubt),
    }))
}
