//! The outbox on disk: letters that wait, what became of them, and how far the log was read for them.
//!
//! Letters are laid down in a transaction of their own, which does not need the lock of the log: it reads rows that
//! are committed and never change, and writes none. What it needs is that nobody else lays down the letters of the
//! same rows, and that nobody is erased between the reading of an address and its writing; the row of
//! `mail_position` is the lock for both. A writer of facts is never held up by mail.

use std::str::FromStr;

use sqlx::Row;
use uuid::Uuid;

use super::facts::{Facts, Tx};
use super::letters::{Claimed, Laid, LetterRow, LetterState, MailStatus, Settled};
use super::work::Errand;
use super::write::Write;
use super::{Db, Link, Store, broken, corrupt, run, sql, uuid};
use crate::model::{Digest, Instant, Refusal, Result};

/// A transaction that lays down letters, with what belongs to them. Dropped without [`Outbox::commit`], it leaves
/// nothing.
pub struct Outbox {
    pub(super) tx: Facts,
    pub(super) read_at: i64,
    pub(super) now: Instant,
}

impl Outbox {
    /// Lays a letter down; whether it was. It is not when it lies there already, and when its recipient was erased
    /// after the facts were read.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn lay(&mut self, letter: &Laid<'_>) -> Result<bool> {
        run!(self.tx.link(), sql::LETTER_LAY, |q, c| {
            let query = sqlx::query(q).bind(letter.uuid().to_string()).bind(letter.change);
            let query = query.bind(letter.recipient.to_string()).bind(letter.kind.to_owned()).bind(self.now.micros());
            let query = query.bind(letter.mail.to_string()).bind(letter.name.map(ToString::to_string));
            let query = query.bind(letter.language.to_owned()).bind(letter.subject.to_owned());
            let query = query.bind(letter.text.to_owned()).bind(i64::from(letter.secret)).bind(self.read_at);
            let query = query.bind(letter.unsubscribe.map(str::to_owned));
            Ok(query.execute(c).await.map_err(broken)?.rows_affected() > 0)
        })
    }

    /// Lays down the digest of a one-time link to an account's password, beside those that there are.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn add_link(&mut self, account: Uuid, digest: Digest, expires: Instant) -> Result<()> {
        run!(self.tx.link(), sql::LINK_MAKE, |q, c| {
            let query = sqlx::query(q).bind(digest.to_string()).bind(account.to_string()).bind(expires.micros());
            query.execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    /// Lays down an errand with the digest of the secret that leads to it, beside those that there are.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn add_errand(&mut self, errand: &Errand, digest: Digest) -> Result<()> {
        run!(self.tx.link(), sql::ERRAND_PUT, |q, c| {
            let query = sqlx::query(q).bind(errand.uuid.to_string()).bind(errand.kind.as_str());
            let query = query.bind(errand.matter.to_string()).bind(errand.subject.to_string());
            let query = query.bind(errand.contact.map(|c| c.to_string())).bind(Some(digest.to_string()));
            query.bind(errand.body.clone()).bind(errand.expires.micros()).execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    /// Lays down the digest of the link that an errand is run by, unless it has one.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn link_errand(&mut self, errand: Uuid, digest: Digest) -> Result<()> {
        run!(self.tx.link(), sql::ERRAND_LINK, |q, c| {
            let query = sqlx::query(q).bind(errand.to_string()).bind(digest.to_string());
            query.execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    /// Commits the letters, and that the log has been read up to `position`.
    ///
    /// # Errors
    /// [`Code::Database`]: then nothing was committed.
    pub async fn commit(mut self, position: i64) -> Result<()> {
        run!(self.tx.link(), sql::MAIL_POSITION_MOVE, |q, c| {
            sqlx::query(q).bind(position).execute(c).await.map_err(broken)?;
        });
        self.tx.end().await
    }
}

impl Facts {
    /// Commits a transaction that wrote beside the log.
    pub(super) async fn end(self) -> Result<()> {
        match self.0 {
            Tx::Lite(tx) => tx.commit().await.map_err(broken),
            Tx::Pg(tx) => tx.commit().await.map_err(broken),
        }
    }
}

impl Write {
    /// Empties the letters to somebody who is erased, and drops those that wait. Whoever lays letters down waits, or
    /// sees that the person is gone.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn empty_letters(&mut self, recipient: Uuid) -> Result<()> {
        let now = self.at();
        run!(self.tx.link(), sql::MAIL_POSITION_LOCK, |q, c| {
            sqlx::query(q).fetch_optional(c).await.map_err(broken)?;
        });
        run!(self.tx.link(), sql::LETTERS_EMPTY, |q, c| {
            let query = sqlx::query(q).bind(recipient.to_string()).bind(now.micros());
            query.execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    /// Lets the letters that wait for a digest that goes on be tried at once, and for as long as new ones.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn retry_letters(&mut self, recipient: Uuid, now: Instant) -> Result<()> {
        run!(self.tx.link(), sql::LETTERS_RETRY, |q, c| {
            let query = sqlx::query(q).bind(recipient.to_string()).bind(now.micros());
            query.execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    /// Forgets how far the log was read for letters: what a backup holds happened long ago.
    pub(super) async fn forget_mail(&mut self) -> Result<()> {
        run!(self.tx.link(), sql::MAIL_FORGET, |q, c| {
            sqlx::query(q).execute(c).await.map_err(broken)?;
        });
        Ok(())
    }
}

impl Store {
    /// A transaction without the lock of the log.
    pub(super) async fn own_tx(&self) -> Result<Facts> {
        Ok(Facts(match &self.db {
            Db::Lite { write, .. } => Tx::Lite(write.begin_with("BEGIN IMMEDIATE").await.map_err(broken)?),
            Db::Pg(pool) => Tx::Pg(pool.begin().await.map_err(broken)?),
        }))
    }

    /// Turns mail on: from now on the log is read for letters, unless it is already.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn start_mail(&self) -> Result<()> {
        let mut tx = self.own_tx().await?;
        run!(tx.link(), sql::MAIL_START, |q, c| {
            sqlx::query(q).execute(c).await.map_err(broken)?;
        });
        tx.end().await
    }

    /// How far the log has been read for letters; none while mail was never turned on.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn mail_position(&self) -> Result<Option<i64>> {
        position(self.take().await?.link(), sql::MAIL_POSITION).await
    }

    /// Begins to lay down the letters of the rows after `position`, for facts that were read when the log ended at
    /// `read_at`. Nothing when somebody else has done so by now.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn outbox(&self, position: i64, read_at: i64, now: Instant) -> Result<Option<Outbox>> {
        let mut tx = self.own_tx().await?;
        let there = self::position(tx.link(), sql::MAIL_POSITION_LOCK).await?;
        Ok((there == Some(position)).then_some(Outbox { tx, read_at, now }))
    }

    /// Takes the letter that has been due longest, and puts the attempt on record. Until `until` it is this sender's;
    /// after that it is in doubt.
    ///
    /// # Errors
    /// [`Code::Database`], [`Code::Corrupt`].
    pub async fn claim_letter(&self, now: Instant, until: Instant) -> Result<Option<Claimed>> {
        let mut tx = self.own_tx().await?;
        let claimed = run!(tx.link(), sql::LETTER_CLAIM, |q, c| {
            let query = sqlx::query(q).bind(now.micros()).bind(until.micros());
            let row = query.fetch_optional(c).await.map_err(broken)?;
            row.map(|r| {
                let name: Option<&str> = r.get(8);
                Ok(Claimed {
                    uuid: uuid(r.get(0))?,
                    change: r.get(1),
                    kind: r.get(2),
                    attempt: r.get(3),
                    tries: r.get(4),
                    created: Instant::from_micros(r.get(5)),
                    since: Instant::from_micros(r.get(6)),
                    mail: stored(r.get(7))?,
                    name: name.map(stored).transpose()?,
                    language: r.get(9),
                    subject: r.get(10),
                    text: r.get(11),
                    unsubscribe: r.get(12),
                    recipient: uuid(r.get(13))?,
                })
            })
            .transpose()?
        });
        tx.end().await?;
        Ok(claimed)
    }

    /// Puts on record how an attempt ended, with the (short) answer of the mail server. An older attempt changes
    /// nothing any more, but that the letter is sent is always taken in.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn settle_letter(&self, letter: &Claimed, settled: &Settled, answer: &str, now: Instant) -> Result<()> {
        let (state, due) = match settled {
            Settled::As(state) => (*state, now),
            Settled::Later(due) | Settled::Uncounted(due) => (LetterState::Queued, *due),
        };
        let anew = i64::from(matches!(settled, Settled::Uncounted(_)));
        let mut tx = self.own_tx().await?;
        run!(tx.link(), sql::LETTER_SETTLE, |q, c| {
            let query = sqlx::query(q).bind(letter.uuid.to_string()).bind(letter.attempt).bind(state.as_str());
            let query = query.bind(now.micros()).bind(due.micros()).bind(answer.to_owned()).bind(anew);
            query.execute(c).await.map_err(broken)?;
        });
        tx.end().await
    }

    /// Puts in doubt what was begun and never settled, or to be tried again where it is a digest, and empties what came
    /// to rest before `kept_since`. Answers how many came into doubt.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn sweep_letters(&self, now: Instant, kept_since: Instant) -> Result<u64> {
        let mut tx = self.own_tx().await?;
        let mut changed = [0; 3];
        let steps = [(sql::LETTERS_AGAIN, now), (sql::LETTERS_DOUBT, now), (sql::LETTERS_FORGET, kept_since)];
        for ((statement, at), changed) in steps.into_iter().zip(&mut changed) {
            run!(tx.link(), statement, |q, c| {
                *changed = sqlx::query(q).bind(at.micros()).execute(c).await.map_err(broken)?.rows_affected();
            });
        }
        tx.end().await?;
        Ok(changed[1])
    }

    /// Lets a letter be sent once more; whether it could be.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn resend_letter(&self, letter: Uuid, now: Instant) -> Result<bool> {
        self.change_letter(sql::LETTER_RESEND, letter, now).await
    }

    /// Empties a letter and lets it not be sent any more; whether it could be.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn drop_letter(&self, letter: Uuid, now: Instant) -> Result<bool> {
        self.change_letter(sql::LETTER_DROP, letter, now).await
    }

    async fn change_letter(&self, statement: sql::Sql, letter: Uuid, now: Instant) -> Result<bool> {
        let mut tx = self.own_tx().await?;
        let changed = run!(tx.link(), statement, |q, c| {
            let query = sqlx::query(q).bind(letter.to_string()).bind(now.micros());
            query.execute(c).await.map_err(broken)?.rows_affected()
        });
        tx.end().await?;
        Ok(changed > 0)
    }

    /// Where a letter stands, if there is one.
    ///
    /// # Errors
    /// [`Code::Database`], [`Code::Corrupt`].
    pub async fn letter_state(&self, letter: Uuid) -> Result<Option<LetterState>> {
        run!(self.take().await?.link(), sql::LETTER_STATE, |q, c| {
            let row = sqlx::query(q).bind(letter.to_string()).fetch_optional(c).await.map_err(broken)?;
            row.map(|r| stored(r.get(0))).transpose()
        })
    }

    /// The newest letters, of one state or of all.
    ///
    /// # Errors
    /// [`Code::Database`], [`Code::Corrupt`].
    pub async fn letters(&self, state: Option<LetterState>, limit: i64) -> Result<Vec<LetterRow>> {
        let wanted = state.map_or("", LetterState::as_str);
        run!(self.take().await?.link(), sql::LETTERS_LIST, |q, c| {
            let rows = sqlx::query(q).bind(wanted).bind(limit).fetch_all(c).await.map_err(broken)?;
            rows.iter()
                .map(|r| {
                    let state: LetterState = stored(r.get(4))?;
                    let done: Option<i64> = r.get(8);
                    Ok(LetterRow {
                        uuid: uuid(r.get(0))?,
                        change: r.get(1),
                        recipient: uuid(r.get(2))?,
                        kind: r.get(3),
                        state,
                        attempts: r.get(5),
                        created: Instant::from_micros(r.get(6)),
                        due: (state == LetterState::Queued).then(|| Instant::from_micros(r.get(7))),
                        done: done.map(Instant::from_micros),
                        answer: r.get(9),
                        mail: r.get(10),
                        subject: r.get(11),
                    })
                })
                .collect()
        })
    }

    /// How mail stands.
    ///
    /// # Errors
    /// [`Code::Database`], [`Code::Corrupt`].
    pub async fn mail_status(&self) -> Result<MailStatus> {
        let mut taken = self.take().await?;
        let mut status =
            MailStatus { position: position(taken.link(), sql::MAIL_POSITION).await?, ..Default::default() };
        run!(taken.link(), sql::LETTERS_COUNT, |q, c| {
            for r in sqlx::query(q).fetch_all(c).await.map_err(broken)? {
                let (state, due): (LetterState, Option<i64>) = (stored(r.get(0))?, r.get(2));
                status.letters.push((state, r.get(1)));
                if state == LetterState::Queued {
                    status.oldest_due = due.map(Instant::from_micros);
                }
            }
        });
        status.letters.sort_unstable();
        Ok(status)
    }

    /// A letter that tells of a row of the log that the log does not have, if there is one.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn letter_beyond(&self, position: i64) -> Result<Option<String>> {
        run!(self.take().await?.link(), sql::LETTERS_BEYOND, |q, c| {
            let row = sqlx::query(q).bind(position).fetch_optional(c).await.map_err(broken)?;
            Ok(row.map(|r| r.get(0)))
        })
    }
}

pub(super) async fn position(link: Link<'_>, statement: sql::Sql) -> Result<Option<i64>> {
    run!(link, statement, |q, c| {
        let row = sqlx::query(q).fetch_optional(c).await.map_err(broken)?;
        row.map(|r| r.get(0)).ok_or_else(|| corrupt("mail_position: its row is missing"))
    })
}

/// A stored word; what stands there was lawful when it was written.
fn stored<T: FromStr<Err = Refusal>>(text: &str) -> Result<T> {
    text.parse().map_err(|r: Refusal| corrupt(&r.en))
}
