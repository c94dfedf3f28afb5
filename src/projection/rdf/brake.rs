//! What stops a query, wherever it is.
//!
//! The evaluator asks nobody while it sorts, joins or counts; but it cannot do any of that without copying, comparing
//! or looking up the terms that we gave it. So the brake sits in those: once in a while they look whether the query
//! has passed its limits, and if so they unwind the evaluator's stack, without a message, to where the query began.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// How many steps are made between two looks at the clock: the longest of them (a text of the largest size is
/// copied) takes a fraction of a millisecond.
const STEPS: u32 = 16;

thread_local! {
    static LEFT: Cell<u32> = const { Cell::new(STEPS) };
    static BRAKE: RefCell<Option<Brake>> = const { RefCell::new(None) };
}

/// When a query is stopped.
#[derive(Clone, Debug)]
pub struct Brake {
    /// When its time is over.
    pub deadline: Instant,
    /// How many bytes it may hold.
    pub memory: usize,
    /// Set when nobody waits for the answer any more.
    pub abandoned: Arc<AtomicBool>,
}

/// Why a query was stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// Its time was over.
    Time,
    /// It held more memory than it may.
    Memory,
    /// It made a text that is larger than it may be.
    Size,
    /// It searches a text for a pattern, and the two are larger than they may be together.
    Pattern,
    /// Nobody waits for its answer.
    Abandoned,
}

/// Why work under a brake did not end by itself.
pub enum Ended {
    /// It was stopped.
    Stopped(Stopped),
    /// It panicked.
    Panicked(Box<dyn Any + Send>),
}

/// Works on this thread until it is done or stopped. Memory is counted where the program has installed
/// [`begreb_meter::Meter`].
///
/// # Errors
/// Why it was stopped.
pub fn under<R>(brake: Brake, work: impl FnOnce() -> R) -> Result<R, Ended> {
    begreb_meter::start(brake.memory);
    BRAKE.set(Some(brake));
    // What the work leaves behind is dropped and never looked at again.
    let done = catch_unwind(AssertUnwindSafe(work));
    BRAKE.set(None);
    begreb_meter::stop();
    done.map_err(|payload| match payload.downcast::<Stopped>() {
        Ok(stopped) => Ended::Stopped(*stopped),
        Err(payload) => Ended::Panicked(payload),
    })
}

/// Counts a step of a query; does not return when the query has to stop.
#[inline]
pub fn count_down() {
    if begreb_meter::is_over() {
        stop_for(Stopped::Memory);
    }
    let left = LEFT.get();
    if left == 0 {
        look();
    } else {
        LEFT.set(left - 1);
    }
}

/// Looks at the clock at once: for after what took longer than a step. Does not return when the query has to stop.
#[cold]
pub fn look() {
    LEFT.set(STEPS);
    let stopped = BRAKE.with_borrow(|brake| {
        let brake = brake.as_ref()?;
        if brake.abandoned.load(Ordering::Relaxed) {
            Some(Stopped::Abandoned)
        } else {
            (Instant::now() >= brake.deadline).then_some(Stopped::Time)
        }
    });
    if let Some(stopped) = stopped {
        stop_for(stopped);
    }
}

/// Stops the query on this thread, if there is one under a brake.
#[cold]
pub fn stop_for(why: Stopped) {
    // What is dropped while the stack unwinds passes here again and must not unwind once more.
    if !std::thread::panicking() && BRAKE.with_borrow(Option::is_some) {
        resume_unwind(Box::new(why));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn brake(after: Duration) -> Brake {
        Brake { deadline: Instant::now() + after, memory: usize::MAX, abandoned: Arc::default() }
    }

    #[test]
    fn endless_work_ends() {
        let ended = under(brake(Duration::from_millis(20)), || {
            loop {
                count_down();
            }
        });
        let never: Result<(), Ended> = ended;
        assert!(matches!(never, Err(Ended::Stopped(Stopped::Time))));
        let abandoned = brake(Duration::from_secs(60));
        abandoned.abandoned.store(true, Ordering::Relaxed);
        let never: Result<(), Ended> = under(abandoned, || {
            loop {
                count_down();
            }
        });
        assert!(matches!(never, Err(Ended::Stopped(Stopped::Abandoned))));
    }

    #[test]
    fn without_a_brake_nothing_stops() {
        (0..1000).for_each(|_| count_down());
        stop_for(Stopped::Size);
        assert!(matches!(under(brake(Duration::from_secs(60)), || 7), Ok(7)));
    }
}
