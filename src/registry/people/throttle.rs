//! How often somebody may try to sign in: a few times at once, then with a pause that doubles. Kept in memory, by
//! account and by the address of the peer, never more than a fixed number of either.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::model::{Code, Digest, Instant, Refusal, Result};

/// How many attempts on one account come without a pause.
const FREE_ACCOUNT: u32 = 5;
/// How many from one address: an office may share it.
const FREE_PEER: u32 = 20;
/// The longest pause, in seconds.
const LONGEST: i64 = 900;
/// How long after its pause an address or account is remembered, in seconds.
const MEMORY: i64 = 3600;
/// How many of each are remembered.
const MOST: usize = 10_000;

const SECOND: i64 = 1_000_000;

/// Counts attempts.
#[derive(Default)]
pub struct Throttle(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    accounts: HashMap<Digest, Tries>,
    peers: HashMap<Digest, Tries>,
}

#[derive(Clone, Copy)]
struct Tries {
    count: u32,
    /// In microseconds: not before then.
    until: i64,
}

impl Throttle {
    /// Counts an attempt before it is made, so that many at once do not slip through. Whether there is such an
    /// account makes no difference.
    pub fn begin(&self, now: Instant, account: &str, peer: &str) -> Result<()> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (account, peer, now) = (Digest::of(account), Digest::of(peer), now.micros());
        let wait = |tries: Option<&Tries>| tries.map_or(0, |t| t.until.saturating_sub(now));
        let wait = wait(counted.accounts.get(&account)).max(wait(counted.peers.get(&peer)));
        if wait > 0 {
            let seconds = u64::try_from(wait.saturating_add(SECOND - 1) / SECOND).unwrap_or(1);
            return Err(Refusal::new(
                Code::TooManyAttempts,
                "for mange forsøg på at logge ind; prøv igen senere",
                "too many attempts to sign in; try again later",
            )
            .retry_after(seconds));
        }
        count(&mut counted.accounts, account, FREE_ACCOUNT, now);
        count(&mut counted.peers, peer, FREE_PEER, now);
        Ok(())
    }

    /// An attempt that succeeded: the account begins anew, and the peer's attempt is not counted.
    pub fn succeeded(&self, account: &str, peer: &str) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.accounts.remove(&Digest::of(account));
        if let Some(tries) = counted.peers.get_mut(&Digest::of(peer)) {
            tries.count = tries.count.saturating_sub(1);
            tries.until = i64::MIN;
        }
    }
}

fn count(map: &mut HashMap<Digest, Tries>, key: Digest, free: u32, now: i64) {
    if map.len() >= MOST && !map.contains_key(&key) {
        map.retain(|_, tries| !forgotten(tries, now));
        if map.len() >= MOST
            && let Some(least) = map.iter().min_by_key(|(_, t)| (t.until, t.count)).map(|(k, _)| *k)
        {
            map.remove(&least);
        }
    }
    let tries = map.entry(key).or_insert(Tries { count: 0, until: now });
    if forgotten(tries, now) {
        tries.count = 0;
    }
    tries.count = tries.count.saturating_add(1);
    let pause = match tries.count.checked_sub(free) {
        None => 0,
        Some(beyond) => 1_i64.checked_shl(beyond.min(62)).unwrap_or(LONGEST).min(LONGEST),
    };
    tries.until = now.saturating_add(pause * SECOND);
}

fn forgotten(tries: &Tries, now: i64) -> bool {
    now.saturating_sub(tries.until.max(0)) > MEMORY * SECOND && tries.until > i64::MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::from_micros(seconds * SECOND)
    }

    #[test]
    fn the_pause_doubles_and_is_forgotten() {
        let throttle = Throttle::default();
        for _ in 0..FREE_ACCOUNT {
            throttle.begin(at(100), "a", "p").unwrap();
        }
        assert_eq!(throttle.begin(at(100), "a", "p").unwrap_err().retry_after, Some(1));
        throttle.begin(at(100), "b", "p").unwrap();
        throttle.begin(at(101), "a", "p").unwrap();
        assert_eq!(throttle.begin(at(101), "a", "p").unwrap_err().retry_after, Some(2));
        let mut now = 101;
        for _ in 0..20 {
            now += i64::try_from(throttle.begin(at(now), "a", &now.to_string()).unwrap_err().retry_after.unwrap())
                .unwrap();
            throttle.begin(at(now), "a", &now.to_string()).unwrap();
        }
        assert_eq!(throttle.begin(at(now), "a", "q").unwrap_err().retry_after, Some(900));
        now += 900 + MEMORY + 1;
        for _ in 0..FREE_ACCOUNT {
            throttle.begin(at(now), "a", "q").unwrap();
        }
        throttle.succeeded("a", "q");
        throttle.begin(at(now), "a", "q").unwrap();
    }

    #[test]
    fn one_peer_cannot_try_many_accounts() {
        let throttle = Throttle::default();
        for n in 0..FREE_PEER {
            throttle.begin(at(0), &n.to_string(), "p").unwrap();
        }
        assert!(throttle.begin(at(0), "another", "p").is_err());
        assert!(throttle.begin(at(0), "another", "q").is_ok());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let throttle = Throttle::default();
        for _ in 0..8 {
            let _ = throttle.begin(at(0), "victim", "first");
        }
        for n in 0..MOST + 50 {
            throttle.begin(at(0), &n.to_string(), &n.to_string()).unwrap();
        }
        let counted = throttle.0.lock().unwrap();
        assert!(counted.accounts.len() <= MOST && counted.peers.len() <= MOST);
        assert!(counted.accounts.contains_key(&Digest::of("victim")), "those that wait longest go last");
    }
}
