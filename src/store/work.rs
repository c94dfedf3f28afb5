//! What is worked on, on disk: the steps of matters, the people without accounts who take part, what waits for them,
//! and the files that belong to answers.

use serde_json::json;
use sqlx::Row;
use uuid::Uuid;

use super::facts::Facts;
use super::write::Write;
use super::{Link, Store, Taken, broken, corrupt, run, sql, uuid};
use crate::model::{ChangeKind, Digest, Instant, Mail, Name, Result, canonical_json};

/// A row of a step, from either driver.
macro_rules! step_row {
    ($r:expr) => {{
        let r = $r;
        Ok(StepRow {
            matter: uuid(r.get(0))?,
            number: r.get(1),
            kind: r.get(2),
            vocabulary: uuid(r.get(3))?,
            at: Instant::from_micros(r.get(4)),
            actor: r.get(5),
            body: r.get(6),
            change: r.get(7),
        })
    }};
}

macro_rules! errand_row {
    ($r:expr) => {{
        let r = $r;
        let contact: Option<&str> = r.get(4);
        Ok(Errand {
            uuid: uuid(r.get(0))?,
            kind: ErrandKind::of(r.get(1))?,
            matter: uuid(r.get(2))?,
            subject: uuid(r.get(3))?,
            contact: contact.map(uuid).transpose()?,
            body: r.get(5),
            expires: Instant::from_micros(r.get(6)),
        })
    }};
}

macro_rules! contact_row {
    ($r:expr) => {{
        let r = $r;
        let (name, mail): (&str, &str) = (r.get(1), r.get(2));
        Ok(Contact { uuid: uuid(r.get(0))?, name: name.parse()?, mail: mail.parse()?, organisation: r.get(3) })
    }};
}

/// A step, as it lies on disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepRow {
    /// The matter.
    pub matter: Uuid,
    /// The number of the step in it, from 1.
    pub number: i64,
    /// What kind of matter it is.
    pub kind: String,
    /// The vocabulary; nil for none.
    pub vocabulary: Uuid,
    /// When.
    pub at: Instant,
    /// Who.
    pub actor: String,
    /// The step, JSON.
    pub body: String,
    /// The position of its row in the log.
    pub change: i64,
}

impl StepRow {
    /// What a row of the log that was written at an instant, by an actor, tells of this step.
    #[must_use]
    pub fn told(&self, at: Instant, actor: &str) -> String {
        let mut told = json!({ "matter": self.kind, "number": self.number, "step": Digest::of(&self.body) });
        if self.at != at {
            told["at"] = json!(self.at);
        }
        if self.actor != actor {
            told["by"] = json!(self.actor);
        }
        canonical_json(&told)
    }
}

/// Somebody without an account who is written to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contact {
    /// For ever; steps know a contact by it alone.
    pub uuid: Uuid,
    /// What the person is called.
    pub name: Name,
    /// Where mail goes.
    pub mail: Mail,
    /// Where the person works.
    pub organisation: Option<String>,
}

/// What an errand is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrandKind {
    /// The link by which a party answers a hearing.
    PartyLink,
    /// An answer that is being written.
    AnswerDraft,
    /// An answer that waits for its mail address to be confirmed.
    PendingAnswer,
    /// A change request that waits for its mail address to be confirmed.
    PendingRequest,
    /// A mail digest that waits for its mail address to be confirmed.
    PendingDigest,
}

impl ErrandKind {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PartyLink => "party-link",
            Self::AnswerDraft => "answer-draft",
            Self::PendingAnswer => "pending-answer",
            Self::PendingRequest => "pending-request",
            Self::PendingDigest => "pending-digest",
        }
    }

    fn of(text: &str) -> Result<Self> {
        let all = [Self::PartyLink, Self::AnswerDraft, Self::PendingAnswer, Self::PendingRequest, Self::PendingDigest];
        all.into_iter().find(|k| k.as_str() == text).ok_or_else(|| corrupt(&format!("errand: kind {text}")))
    }
}

/// Something that waits for somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Errand {
    /// The errand itself.
    pub uuid: Uuid,
    /// What it is for.
    pub kind: ErrandKind,
    /// The draft, or the request.
    pub matter: Uuid,
    /// The party, the hearing, or the account.
    pub subject: Uuid,
    /// Who is written to.
    pub contact: Option<Uuid>,
    /// What is kept of it, JSON.
    pub body: String,
    /// From when it is worth nothing.
    pub expires: Instant,
}

impl Store {
    /// The steps of all matters after one position of the log and up to another, in order.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn steps(&self, after: i64, to: i64, limit: i64) -> Result<Vec<StepRow>> {
        steps(self.take().await?.link(), after, to, limit).await
    }

    /// A contact.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn contact(&self, of: Uuid) -> Result<Option<Contact>> {
        contact(self.take().await?.link(), of).await
    }

    /// Every contact.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn contacts(&self) -> Result<Vec<Contact>> {
        let mut taken = self.take().await?;
        run!(taken.link(), sql::CONTACTS, |q, c| {
            let rows = sqlx::query(q).fetch_all(c).await.map_err(broken)?;
            rows.iter().map(|r| contact_row!(r)).collect()
        })
    }

    /// An errand, run out or not.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn errand_by(&self, of: Uuid) -> Result<Option<Errand>> {
        errand_by(self.take().await?.link(), of).await
    }

    /// Whether an errand has run out and waits to be swept.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn has_stale_errands(&self, now: Instant) -> Result<bool> {
        let mut taken = self.take().await?;
        run!(taken.link(), sql::ERRANDS_RUN_OUT, |q, c| {
            let row = sqlx::query(q).bind(now.micros()).fetch_one(c).await.map_err(broken)?;
            let count: i64 = row.get(0);
            Ok(count > 0)
        })
    }

    /// The errand of a secret's digest, run out or not.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn errand(&self, digest: Digest) -> Result<Option<Errand>> {
        errand(self.take().await?.link(), digest).await
    }

    /// The errands of a kind about a subject.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn errands(&self, matter: Uuid, subject: Uuid, kind: ErrandKind) -> Result<Vec<Errand>> {
        let mut taken = self.take().await?;
        run!(taken.link(), sql::ERRANDS_OF, |q, c| {
            let query = sqlx::query(q).bind(matter.to_string()).bind(subject.to_string()).bind(kind.as_str());
            let rows = query.fetch_all(c).await.map_err(broken)?;
            rows.iter().map(|r| errand_row!(r)).collect()
        })
    }

    /// A file: its owner and its bytes in base64.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn attachment(&self, of: Uuid) -> Result<Option<(Uuid, String)>> {
        let mut taken: Taken = self.take().await?;
        run!(taken.link(), sql::ATTACHMENT, |q, c| {
            let row = sqlx::query(q).bind(of.to_string()).fetch_optional(c).await.map_err(broken)?;
            row.map(|r| Ok((uuid(r.get(2))?, r.get(3)))).transpose()
        })
    }
}

async fn steps(link: Link<'_>, after: i64, to: i64, limit: i64) -> Result<Vec<StepRow>> {
    run!(link, sql::STEPS_AFTER, |q, c| {
        let rows = sqlx::query(q).bind(after).bind(to).bind(limit).fetch_all(c).await.map_err(broken)?;
        rows.iter().map(|r| step_row!(r)).collect()
    })
}

async fn contact(link: Link<'_>, of: Uuid) -> Result<Option<Contact>> {
    run!(link, sql::CONTACT, |q, c| {
        let row = sqlx::query(q).bind(of.to_string()).fetch_optional(c).await.map_err(broken)?;
        row.map(|r| contact_row!(&r)).transpose()
    })
}

async fn errand_by(link: Link<'_>, of: Uuid) -> Result<Option<Errand>> {
    run!(link, sql::ERRAND, |q, c| {
        let row = sqlx::query(q).bind(of.to_string()).fetch_optional(c).await.map_err(broken)?;
        row.map(|r| errand_row!(&r)).transpose()
    })
}

async fn errand(link: Link<'_>, digest: Digest) -> Result<Option<Errand>> {
    run!(link, sql::ERRAND_BY_DIGEST, |q, c| {
        let row = sqlx::query(q).bind(digest.to_string()).fetch_optional(c).await.map_err(broken)?;
        row.map(|r| errand_row!(&r)).transpose()
    })
}

impl Facts {
    /// The steps of all matters after one position of the log and up to another, in order.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn all_steps(&mut self, after: i64, to: i64, limit: i64) -> Result<Vec<StepRow>> {
        steps(self.link(), after, to, limit).await
    }
}

impl Write {
    /// The steps of a matter after a number, as this write sees them.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn steps(&mut self, matter: Uuid, after: i64) -> Result<Vec<StepRow>> {
        run!(self.tx.link(), sql::STEPS_OF, |q, c| {
            let rows = sqlx::query(q).bind(matter.to_string()).bind(after).fetch_all(c).await.map_err(broken)?;
            rows.iter().map(|r| step_row!(r)).collect()
        })
    }

    /// Lays a step down: its row in the log names the matter, the number and the digest of the step, not its text, which
    /// may be somebody's who does not want it in every feed. Who took it and when stand there too where they are not
    /// those of the row: what the clock did, say.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], also when there is a step of that number.
    pub async fn step(&mut self, what: ChangeKind, row: &StepRow) -> Result<i64> {
        let told = row.told(self.at(), self.actor());
        let change = self.record(what, row.vocabulary, row.matter, told);
        self.flush().await?;
        let row =
            json!([row.matter, row.number, row.kind, row.vocabulary, row.at.micros(), row.actor, row.body, change]);
        self.batches(sql::STEPS_INSERT, std::iter::once(row)).await?;
        Ok(change)
    }

    /// Writes a contact, or writes it otherwise.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn put_contact(&mut self, contact: &Contact) -> Result<()> {
        run!(self.tx.link(), sql::CONTACT_PUT, |q, c| {
            let query = sqlx::query(q).bind(contact.uuid.to_string()).bind(contact.name.as_str());
            let query = query.bind(contact.mail.as_str()).bind(contact.organisation.clone());
            query.execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    /// Erases a contact, with what waits for it and the letters to it; what it did stays, under its uuid alone.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn erase_contact(&mut self, contact: Uuid) -> Result<()> {
        self.told(ChangeKind::ContactErased, contact, &json!({})).await?;
        for statement in [sql::CONTACT_ATTACHMENTS, sql::CONTACT_ERRANDS, sql::CONTACT_ERASE] {
            self.by(statement, &contact.to_string()).await?;
        }
        self.empty_letters(contact).await
    }

    /// Writes an errand; of one that is there, body and time are written anew.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn put_errand(&mut self, errand: &Errand, digest: Option<Digest>) -> Result<()> {
        run!(self.tx.link(), sql::ERRAND_PUT, |q, c| {
            let query = sqlx::query(q).bind(errand.uuid.to_string()).bind(errand.kind.as_str());
            let query = query.bind(errand.matter.to_string()).bind(errand.subject.to_string());
            let query = query.bind(errand.contact.map(|c| c.to_string())).bind(digest.map(|d| d.to_string()));
            query.bind(errand.body.clone()).bind(errand.expires.micros()).execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    /// The errand of a secret's digest, as this write sees it.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn errand(&mut self, digest: Digest) -> Result<Option<Errand>> {
        errand(self.tx.link(), digest).await
    }

    /// An errand, as this write sees it.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn errand_by(&mut self, of: Uuid) -> Result<Option<Errand>> {
        errand_by(self.tx.link(), of).await
    }

    /// A contact, as this write sees it.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn contact(&mut self, of: Uuid) -> Result<Option<Contact>> {
        contact(self.tx.link(), of).await
    }

    /// How many errands of a kind there are about a subject.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn errands_about(&mut self, matter: Uuid, subject: Uuid, kind: ErrandKind) -> Result<i64> {
        run!(self.tx.link(), sql::ERRANDS_COUNT_OF, |q, c| {
            let query = sqlx::query(q).bind(matter.to_string()).bind(subject.to_string()).bind(kind.as_str());
            Ok(query.fetch_one(c).await.map_err(broken)?.get(0))
        })
    }

    /// Drops the errands of a kind about a subject.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn drop_errands(&mut self, matter: Uuid, subject: Uuid, kind: ErrandKind) -> Result<()> {
        run!(self.tx.link(), sql::ERRANDS_DROP_OF, |q, c| {
            let query = sqlx::query(q).bind(matter.to_string()).bind(subject.to_string()).bind(kind.as_str());
            query.execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    /// Lets the log tell that somebody is asked whether a mail address is theirs: by the errand alone.
    pub fn ask_address(&mut self, vocabulary: Uuid, errand: &Errand) {
        let told = json!({ "errand": errand.kind.as_str(), "matter": errand.matter });
        self.record(ChangeKind::AddressAsked, vocabulary, errand.uuid, canonical_json(&told));
    }

    /// How many errands of a kind there are.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn errands_of(&mut self, kind: ErrandKind) -> Result<i64> {
        run!(self.tx.link(), sql::ERRANDS_COUNT, |q, c| {
            let row = sqlx::query(q).bind(kind.as_str()).fetch_one(c).await.map_err(broken)?;
            Ok(row.get(0))
        })
    }

    /// How many errands of a kind wait for one mail address.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn errands_for(&mut self, kind: ErrandKind, mail: &Mail) -> Result<i64> {
        run!(self.tx.link(), sql::ERRANDS_FOR_MAIL, |q, c| {
            let query = sqlx::query(q).bind(kind.as_str()).bind(mail.as_str());
            Ok(query.fetch_one(c).await.map_err(broken)?.get(0))
        })
    }

    /// Tells in the log that somebody without an account is to confirm something by a link: the mail follows from it.
    /// The row names the errand alone.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn ask_confirmation(&mut self, vocabulary: Uuid, errand: Uuid) -> Result<()> {
        self.record(ChangeKind::ConfirmationAsked, vocabulary, errand, "{}".to_owned());
        self.flush().await
    }

    /// Drops an errand: it has been run, or is no longer wanted.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn drop_errand(&mut self, errand: Uuid) -> Result<()> {
        self.by(sql::ERRAND_DROP, &errand.to_string()).await
    }

    /// Drops what has run out, with the contacts that it led nowhere.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn sweep_errands(&mut self) -> Result<()> {
        let at = self.at().micros();
        for statement in [sql::ATTACHMENTS_SWEEP, sql::CONTACTS_SWEEP, sql::ERRANDS_SWEEP] {
            run!(self.tx.link(), statement, |q, c| {
                sqlx::query(q).bind(at).execute(c).await.map_err(broken)?;
            });
        }
        Ok(())
    }

    /// Keeps the bytes of a file, in base64.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn put_attachment(&mut self, uuid: Uuid, matter: Uuid, owner: Uuid, base64: &str) -> Result<()> {
        let at = self.at().micros();
        run!(self.tx.link(), sql::ATTACHMENT_PUT, |q, c| {
            let query = sqlx::query(q).bind(uuid.to_string()).bind(matter.to_string()).bind(owner.to_string());
            query.bind(base64.to_owned()).bind(at).execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    /// Drops a file of an answer that was never submitted.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn drop_attachment(&mut self, uuid: Uuid, owner: Uuid) -> Result<()> {
        run!(self.tx.link(), sql::ATTACHMENT_DROP, |q, c| {
            sqlx::query(q).bind(uuid.to_string()).bind(owner.to_string()).execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    async fn by(&mut self, statement: sql::Sql, key: &str) -> Result<()> {
        run!(self.tx.link(), statement, |q, c| {
            sqlx::query(q).bind(key.to_owned()).execute(c).await.map_err(broken)?;
        });
        Ok(())
    }
}
