//! The threads that queries run on, and whose turn it is.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::SparqlLimits;
use crate::model::{Code, Refusal, Result};

/// How long a query waits for its turn.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many may wait.
const WAITING: usize = 64;
/// Parser, optimiser and evaluator descend once for each step of a chain; the system gives memory only to what is
/// used of it.
const STACK: usize = 256 << 20;

/// Work for a thread.
pub type Job = Box<dyn FnOnce() + Send>;

/// A fixed number of threads, and turns for as many queries.
pub struct Pool {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    size: usize,
    per_client: usize,
    all: Arc<Semaphore>,
    clients: Mutex<HashMap<IpAddr, Weak<Semaphore>>>,
    waiting: AtomicUsize,
}

/// The right to run a query; it ends with the thread's work, not with the caller's patience.
pub struct Turn {
    _all: OwnedSemaphorePermit,
    _client: Option<OwnedSemaphorePermit>,
}

impl Pool {
    /// A pool; its threads begin with the first query.
    #[must_use]
    pub fn new(limits: &SparqlLimits) -> Self {
        Self {
            jobs: Mutex::default(),
            size: limits.concurrency.max(1),
            per_client: limits.per_client.max(1),
            all: Arc::new(Semaphore::new(limits.concurrency.max(1))),
            clients: Mutex::default(),
            waiting: AtomicUsize::new(0),
        }
    }

    /// How many queries are running.
    #[must_use]
    pub fn running(&self) -> usize {
        self.size - self.all.available_permits()
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`Code::TooManyQueries`], [`Code::Busy`].
    pub async fn turn(&self, client: Option<IpAddr>) -> Result<Turn> {
        let waits = Waits::new(&self.waiting);
        if waits.before >= WAITING {
            return Err(busy());
        }
        let until = tokio::time::Instant::now() + PATIENCE;
        let client = match client.map(|address| self.client(address)) {
            None => None,
            Some(own) => match tokio::time::timeout_at(until, own.acquire_owned()).await {
                Ok(Ok(permit)) => Some(permit),
                _ => {
                    let (da, en) = (
                        format!("du har allerede {} forespørgsler i gang", self.per_client),
                        format!("you have {} queries running already", self.per_client),
                    );
                    return Err(Refusal::new(Code::TooManyQueries, da, en));
                }
            },
        };
        match tokio::time::timeout_at(until, self.all.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Turn { _all: permit, _client: client }),
            _ => Err(busy()),
        }
    }

    fn client(&self, address: IpAddr) -> Arc<Semaphore> {
        // A network of one house is one client.
        let address = match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & (u128::MAX << 64)).into()),
            v4 => v4,
        };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() > 1000 {
            clients.retain(|_, semaphore| semaphore.strong_count() > 0);
        }
        let known = clients.get(&address).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let new = Arc::new(Semaphore::new(self.per_client));
            clients.insert(address, Arc::downgrade(&new));
            new
        })
    }

    /// Hands work to a thread. Who has a turn finds one free.
    ///
    /// # Errors
    /// [`Code::Internal`] when no thread can be started.
    pub fn run(&self, job: Job) -> Result<()> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.is_none() {
            let (sender, receiver) = mpsc::channel::<Job>();
            let receiver = Arc::new(Mutex::new(receiver));
            for n in 0..self.size {
                let receiver = receiver.clone();
                let thread = std::thread::Builder::new().name(format!("sparql-{n}")).stack_size(STACK);
                let work = move || {
                    loop {
                        let job = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        match job {
                            Ok(job) => job(),
                            Err(_) => return,
                        }
                    }
                };
                thread.spawn(work).map_err(|e| {
                    Refusal::new(
                        Code::Internal,
                        format!("en tråd kan ikke startes: {e}"),
                        format!("a thread cannot be started: {e}"),
                    )
                })?;
            }
            *jobs = Some(sender);
        }
        if let Some(sender) = &*jobs {
            // The threads end only when the sender is gone.
            let _ = sender.send(job);
        }
        Ok(())
    }
}

/// One among those that wait.
struct Waits<'p> {
    waiting: &'p AtomicUsize,
    before: usize,
}

impl<'p> Waits<'p> {
    fn new(waiting: &'p AtomicUsize) -> Self {
        Self { before: waiting.fetch_add(1, Ordering::Relaxed), waiting }
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn busy() -> Refusal {
    Refusal::new(Code::Busy, "for mange forespørgsler på en gang", "too many queries at once")
}
