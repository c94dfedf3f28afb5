//! The clock of the machine: the one place where time comes in.

use std::time::{SystemTime, UNIX_EPOCH};

use begreb::model::{Clock, Instant};

/// The clock of the machine.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the edge where time comes in; below it a clock is passed")]
    fn now(&self) -> Instant {
        let micros = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
        Instant::from_micros(i64::try_from(micros).unwrap_or(i64::MAX - 1))
    }
}
