//! How often somebody may try to sign in: a few times at once, then with a pause that doubles. Counted for an account
//! tried from one address, for an address, and far more generously for an account from everywhere: whoever knows a mail
//! address cannot lock its person out with it. Kept in memory, never more than a fixed number of each.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::model::{Code, Digest, Instant, Refusal, Result};

/// How attempts of one kind are slowed down.
#[derive(Clone, Copy)]
struct Rule {
    /// How many attempts come without a pause.
    free: u32,
    /// The longest pause, in seconds.
    longest: i64,
}

/// On one account from one address: somebody who has forgotten, or who guesses.
const PAIR: Rule = Rule { free: 5, longest: 900 };
/// From one address, on any account: an office may share it.
const PEER: Rule = Rule { free: 20, longest: 900 };
/// On one account from anywhere: many machines that guess together. Two guesses a minute find no password of twelve
/// characters, and half a minute keeps nobody out.
const ACCOUNT: Rule = Rule { free: 200, longest: 30 };
/// From one address on the way to a provider: an office may share it, and most of those who set out arrive.
const LEAVING: Rule = Rule { free: 100, longest: 60 };
/// How long after its pause an address or account is remembered, in seconds.
const MEMORY: i64 = 3600;
/// How long an account is known at an address where it signed in, in seconds: 30 days.
const KNOWN: i64 = 30 * 86_400;
/// How many of each are remembered.
const MOST: usize = 10_000;

const SECOND: i64 = 1_000_000;

/// Counts attempts.
#[derive(Default)]
pub struct Throttle(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    pairs: HashMap<Digest, Tries>,
    peers: HashMap<Digest, Tries>,
    accounts: HashMap<Digest, Tries>,
    /// Accounts at the addresses where they signed in, and until when that is remembered: those are not slowed down
    /// by what others try elsewhere.
    known: HashMap<Digest, i64>,
}

#[derive(Clone, Copy)]
struct Tries {
    count: u32,
    /// In microseconds: not before then.
    until: i64,
}

/// An account at an address. The length keeps two pairs apart that are written alike.
fn pair(account: &str, peer: &str) -> Digest {
    Digest::of(format!("{} {account} {peer}", account.len()))
}

impl Throttle {
    /// Counts an attempt before it is made, so that many at once do not slip through. Whether there is such an
    /// account makes no difference.
    pub fn begin(&self, now: Instant, account: &str, peer: &str) -> Result<()> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (pair, account, peer, now) = (pair(account, peer), Digest::of(account), Digest::of(peer), now.micros());
        let is_known = counted.known.get(&pair).is_some_and(|until| *until > now);
        let wait = |tries: Option<&Tries>| tries.map_or(0, |t| t.until.saturating_sub(now));
        let mut longest = wait(counted.pairs.get(&pair)).max(wait(counted.peers.get(&peer)));
        if !is_known {
            longest = longest.max(wait(counted.accounts.get(&account)));
        }
        slow(longest)?;
        count(&mut counted.pairs, pair, PAIR, now);
        count(&mut counted.peers, peer, PEER, now);
        if !is_known {
            count(&mut counted.accounts, account, ACCOUNT, now);
        }
        Ok(())
    }

    /// Counts somebody who sets out, by where they are alone: who they are is not known yet.
    pub fn knock(&self, now: Instant, peer: &str) -> Result<()> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (peer, now) = (Digest::of(peer), now.micros());
        slow(counted.peers.get(&peer).map_or(0, |t| t.until.saturating_sub(now)))?;
        count(&mut counted.peers, peer, LEAVING, now);
        Ok(())
    }

    /// One who set out and arrived: that is not counted.
    pub fn arrived(&self, now: Instant, peer: &str) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tries) = counted.peers.get_mut(&Digest::of(peer)) {
            tries.count = tries.count.saturating_sub(1);
            tries.until = now.micros();
        }
    }

    /// An attempt that succeeded: the account begins anew from there and is known there, and the attempt is not
    /// counted otherwise.
    pub fn succeeded(&self, now: Instant, account: &str, peer: &str) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (pair, now) = (pair(account, peer), now.micros());
        counted.pairs.remove(&pair);
        let Counted { peers, accounts, known, .. } = &mut *counted;
        for tries in [peers.get_mut(&Digest::of(peer)), accounts.get_mut(&Digest::of(account))].into_iter().flatten() {
            tries.count = tries.count.saturating_sub(1);
            tries.until = now;
        }
        if known.len() >= MOST && !known.contains_key(&pair) {
            let oldest = known.iter().min_by_key(|(_, until)| **until).map(|(known, _)| *known);
            oldest.map(|oldest| known.remove(&oldest));
        }
        known.insert(pair, now.saturating_add(KNOWN * SECOND));
    }
}

/// Refuses who must wait so many microseconds more.
fn slow(wait: i64) -> Result<()> {
    if wait <= 0 {
        return Ok(());
    }
    let seconds = u64::try_from(wait.saturating_add(SECOND - 1) / SECOND).unwrap_or(1);
    Err(Refusal::new(
        Code::TooManyAttempts,
        "for mange forsøg på at logge ind; prøv igen senere",
        "too many attempts to sign in; try again later",
    )
    .retry_after(seconds))
}

fn count(map: &mut HashMap<Digest, Tries>, key: Digest, rule: Rule, now: i64) {
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
    let pause = match tries.count.checked_sub(rule.free) {
        None => 0,
        Some(beyond) => 1_i64.checked_shl(beyond.min(62)).unwrap_or(rule.longest).min(rule.longest),
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
        for _ in 0..PAIR.free {
            throttle.begin(at(100), "a", "p").unwrap();
        }
        assert_eq!(throttle.begin(at(100), "a", "p").unwrap_err().retry_after, Some(1));
        throttle.begin(at(100), "b", "p").unwrap();
        throttle.begin(at(101), "a", "p").unwrap();
        assert_eq!(throttle.begin(at(101), "a", "p").unwrap_err().retry_after, Some(2));
        let mut now = 101;
        for _ in 0..20 {
            now += i64::try_from(throttle.begin(at(now), "a", "p").unwrap_err().retry_after.unwrap()).unwrap();
            throttle.begin(at(now), "a", "p").unwrap();
        }
        assert_eq!(throttle.begin(at(now), "a", "p").unwrap_err().retry_after, Some(900));
        now += 900 + MEMORY + 1;
        for _ in 0..PAIR.free {
            throttle.begin(at(now), "a", "p").unwrap();
        }
        throttle.succeeded(at(now), "a", "p");
        throttle.begin(at(now), "a", "p").unwrap();
    }

    #[test]
    fn a_stranger_locks_nobody_out() {
        let throttle = Throttle::default();
        throttle.begin(at(0), "victim", "home").unwrap();
        throttle.succeeded(at(0), "victim", "home");
        let (mut now, mut guesses) = (1, 0);
        // Thousands of machines guess for a day, each as fast as it is let.
        while now < 86_400 {
            for n in 0..4 {
                guesses += u32::from(throttle.begin(at(now), "victim", &format!("{now}-{n}")).is_ok());
            }
            now += 1;
        }
        assert!(guesses < 200 + 2 * 60 * 24 + 10, "{guesses}");
        // From where the person signed in before, nothing of that is felt.
        throttle.begin(at(now), "victim", "home").unwrap();
        // From elsewhere it takes half a minute at most.
        let wait = throttle.begin(at(now), "victim", "elsewhere").map_or_else(|r| r.retry_after.unwrap(), |()| 0);
        assert!(wait <= 30, "{wait}");
        // One machine alone locks out itself.
        let throttle = Throttle::default();
        for _ in 0..100 {
            let _ = throttle.begin(at(0), "victim", "evil");
        }
        assert!(throttle.begin(at(0), "victim", "evil").is_err());
        throttle.begin(at(0), "victim", "elsewhere").unwrap();
    }

    #[test]
    fn one_peer_cannot_try_many_accounts() {
        let throttle = Throttle::default();
        for n in 0..PEER.free {
            throttle.begin(at(0), &n.to_string(), "p").unwrap();
        }
        assert!(throttle.begin(at(0), "another", "p").is_err());
        assert!(throttle.begin(at(0), "another", "q").is_ok());
    }

    #[test]
    fn an_office_that_arrives_is_not_slowed_down() {
        let throttle = Throttle::default();
        for _ in 0..1_000 {
            throttle.knock(at(0), "office").unwrap();
            throttle.arrived(at(0), "office");
        }
        for _ in 0..LEAVING.free {
            throttle.knock(at(0), "office").unwrap();
        }
        assert_eq!(throttle.knock(at(0), "office").unwrap_err().retry_after, Some(1));
        throttle.knock(at(0), "elsewhere").unwrap();
        throttle.knock(at(1), "office").unwrap();
        throttle.arrived(at(1), "office");
        throttle.knock(at(1), "office").unwrap();
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let throttle = Throttle::default();
        for _ in 0..8 {
            let _ = throttle.begin(at(0), "victim", "first");
        }
        for n in 0..MOST + 50 {
            throttle.begin(at(0), &n.to_string(), &n.to_string()).unwrap();
            throttle.succeeded(at(0), &n.to_string(), &n.to_string());
            throttle.begin(at(0), &n.to_string(), &n.to_string()).unwrap();
        }
        let counted = throttle.0.lock().unwrap();
        let sizes = [counted.pairs.len(), counted.accounts.len(), counted.peers.len(), counted.known.len()];
        assert!(sizes.iter().all(|size| *size <= MOST), "{sizes:?}");
        assert!(counted.pairs.contains_key(&pair("victim", "first")), "those that wait longest go last");
    }
}
