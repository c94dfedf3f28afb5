//! Who uses which concepts: code sets that systems register, uses that are declared, what of them must be acted on, and
//! what those are told who are about to change a concept.
//!
//! Whoever has an account may keep some. Their codes are kept as they were given, each with the concept that it named
//! then: a concept is the same for ever, whatever it is called.

mod filter;
mod hiding;
mod register;
mod tasks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) use filter::Filters;
use hiding::answered_for;
pub use hiding::{HiddenIn, HideRequest};
pub use register::{ConceptUsages, DraftUsage, UserOfConcept};
pub use tasks::{Task, TasksAnswer};

use super::check::{self, CheckedCode, CodeVerdict, Leads};
use super::permission::{Actor, permit};
use super::{Paged, Pages, Registry};
use crate::exchange::{ListedCode, MOST_CODES};
use crate::model::{
    ChangeKind, Code, Command, Instant, Link, Name, Place, Refusal, Result, Usage, UsageForm, UsageKind, UsedCode,
    Visibility, new_uuid,
};
use crate::projection::{Plane, Snapshot, Using};
use crate::store::{CodesToWrite, UsageRow, Write};

/// How many uses an account may keep.
const MOST_OWN: usize = 200;

/// How many codes of an upload are told one by one, and how many that name nothing.
const TOLD: usize = 1_000;

/// How often codes are compared anew with a set that others change meanwhile.
const TRIES: u32 = 10;

/// What uses concepts, to be registered.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UsageRequest {
    /// What it is called.
    pub name: Name,
    /// What it is; a system when absent.
    #[serde(default)]
    pub kind: Option<UsageKind>,
    /// Where more is told.
    #[serde(default)]
    pub link: Option<Link>,
    /// Who answers for it: shown to its keepers alone.
    #[serde(default)]
    pub contact: Option<Name>,
    /// Who is told that it uses its concepts. A code set is shown to those who make versions, a declaration to everybody
    /// when it is absent.
    #[serde(default)]
    pub visibility: Option<Visibility>,
    /// The vocabulary of codes that name none.
    #[serde(default)]
    pub vocabulary: Option<String>,
    /// The codes, IRIs or uuids of its concepts. Of a declaration, each must name one.
    #[serde(default)]
    pub codes: Vec<CodeRequest>,
}

/// A code.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum CodeRequest {
    /// The code alone.
    Plain(String),
    /// The code with its vocabulary.
    Of {
        /// The vocabulary.
        #[serde(alias = "vocabulary")]
        system: Option<String>,
        /// The code, IRI or uuid.
        code: String,
    },
}

/// What to change of a use; what is absent stays, and `null` takes it away.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UsageChange {
    /// What it is called.
    pub name: Option<Name>,
    /// What it is.
    pub kind: Option<UsageKind>,
    /// Where more is told.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub link: Option<Option<Link>>,
    /// Who answers for it.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub contact: Option<Option<Name>>,
    /// Who is told of it.
    pub visibility: Option<Visibility>,
}

/// What is there, be it `null`, was said; what is absent was not.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// A use, for those who keep it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageAnswer {
    /// The use itself.
    pub uuid: Uuid,
    /// How it is known.
    pub form: UsageForm,
    /// What it is called.
    pub name: Name,
    /// What it is.
    pub kind: UsageKind,
    /// Where more is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Name>,
    /// Who is told of it.
    pub visibility: Visibility,
    /// The account that registered it.
    pub owner: Uuid,
    /// The organisation whose accounts keep it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Uuid>,
    /// The vocabularies on whose pages it is not shown, as those who publish them have it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<HiddenIn>,
    /// How many concepts it uses.
    pub concepts: usize,
    /// The position of the change log up to which its changes have been dealt with.
    pub acknowledged: i64,
    /// When it was registered.
    #[schema(value_type = String)]
    pub created: Instant,
}

/// What came of codes that were put into a set.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CodesAnswer {
    /// The set.
    pub usage: UsageAnswer,
    /// How many codes it has now.
    pub codes: usize,
    /// How many of them name no concept.
    pub unresolved: usize,
    /// How many codes of the upload there are of each verdict, as of today.
    pub counts: BTreeMap<CodeVerdict, u64>,
    /// The codes of the upload about which something must be done, line by line; the first 1 000.
    pub attention: Vec<CheckedCode>,
}

/// What is to be done with codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodesCommand {
    /// They are all codes from now on.
    Replace,
    /// They are there too.
    Add,
    /// They are there no longer.
    Remove,
}

impl Registry {
    /// Registers a code set or declares a use.
    ///
    /// # Errors
    /// [`Code::NotSignedIn`]; [`Code::NotAllowed`] for what everybody is to see and no organisation answers for;
    /// [`Code::TooLarge`] for too many codes, [`Code::TooManyUsages`] for too many uses of one account; of a declaration
    /// [`Code::UnknownTarget`] for what names no concept; [`Code::Database`].
    pub async fn declare(&self, actor: &Actor, form: UsageForm, request: UsageRequest) -> Result<CodesAnswer> {
        permit(actor, Command::OwnCodeSets, None)?;
        let owner = actor.account()?.account;
        let organisation = self.store.account(owner).await?.and_then(|a| a.organisation);
        let usual = match (form, organisation) {
            (UsageForm::Declaration, Some(_)) => Visibility::Public,
            _ => Visibility::Makers,
        };
        let visibility = request.visibility.unwrap_or(usual);
        answered_for(visibility, organisation)?;
        let mut taken = self.resolved(listed(&request.codes)?, request.vocabulary, form).await?;
        taken.added(self.beginning_now().await?);
        let uuid = new_uuid(self.dice())?;
        let (taken, codes) = apart(move || {
            let codes = CodesToWrite::new(uuid, &[], &taken.codes);
            (taken, codes)
        })
        .await?;
        let (mut write, _) = self.lock(actor).await?;
        let head = write.facts().head().await?;
        if self.snapshot().usages.all().filter(|u| u.usage.owner == owner).count() >= MOST_OWN {
            let (da, en) = ("kontoen har 200 kodesæt og erklæringer", "the account has 200 code sets and declarations");
            return Err(Refusal::new(Code::TooManyUsages, da, en).allowed([MOST_OWN.to_string()]));
        }
        let usage = Usage {
            uuid,
            form,
            kind: request.kind.unwrap_or(UsageKind::System),
            name: request.name,
            link: request.link,
            contact: request.contact,
            visibility,
            owner,
            organisation,
            acknowledged: (head.seq, head.at),
            created: write.at(),
        };
        write.put_usage(ChangeKind::UsageDeclared, &usage, codes).await?;
        self.commit(write).await?;
        let unresolved = unresolved(&taken.codes);
        let (usage, codes) = (self.described(&usage)?, taken.codes.len());
        Ok(CodesAnswer { usage, codes, unresolved, counts: taken.counts, attention: taken.attention })
    }

    /// The uses of one form that somebody keeps, oldest first; all of them for who administers.
    ///
    /// # Errors
    /// [`Code::NotSignedIn`], [`Code::InvalidCursor`], [`Code::Database`].
    pub async fn usages(&self, actor: &Actor, form: UsageForm, pages: &Pages) -> Result<Paged<UsageAnswer>> {
        let keeper = self.keeper(actor).await?;
        let snapshot = self.snapshot();
        let kept = snapshot.usages.all().filter(|u| u.usage.form == form && keeper.keeps(&u.usage));
        pages.since(kept.map(|u| answer(&snapshot, u)).collect(), |u| (u.created, u.uuid))
    }

    /// A use, for those who keep it.
    ///
    /// # Errors
    /// [`Code::NotSignedIn`]; [`Code::NotFound`], also when it is somebody else's; [`Code::Database`].
    pub async fn usage(&self, actor: &Actor, form: UsageForm, uuid: Uuid) -> Result<UsageAnswer> {
        let using = self.kept(actor, form, uuid).await?;
        let contact = self.store.facts().await?.usage(uuid).await?.and_then(|u| u.contact);
        Ok(UsageAnswer { contact, ..answer(&self.snapshot(), &using) })
    }

    /// The codes of a use, those that have been there longest first; all, or those alone that name no concept.
    ///
    /// # Errors
    /// As [`Registry::usage`]; [`Code::InvalidCursor`].
    pub async fn usage_codes(
        &self,
        actor: &Actor,
        form: UsageForm,
        uuid: Uuid,
        unresolved: bool,
        pages: &Pages,
    ) -> Result<Paged<UsedCode>> {
        self.kept(actor, form, uuid).await?;
        let (mut codes, pages) = (self.store.usage_codes(uuid).await?, pages.clone());
        codes.retain(|code| !unresolved || code.concept.is_none());
        let key = |c: &UsedCode| {
            let name = format!("{}\n{}", c.system, c.code);
            (c.added, Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()))
        };
        apart(move || pages.since(codes, key)).await?
    }

    /// Changes what is said of a use.
    ///
    /// # Errors
    /// As [`Registry::usage`].
    pub async fn change_usage(
        &self,
        actor: &Actor,
        form: UsageForm,
        uuid: Uuid,
        change: UsageChange,
    ) -> Result<UsageAnswer> {
        let (mut write, old) = self.begin_usage(actor, form, uuid).await?;
        let new = Usage {
            name: change.name.unwrap_or_else(|| old.name.clone()),
            kind: change.kind.unwrap_or(old.kind),
            link: change.link.unwrap_or_else(|| old.link.clone()),
            contact: change.contact.unwrap_or_else(|| old.contact.clone()),
            visibility: change.visibility.unwrap_or(old.visibility),
            ..old.clone()
        };
        if new.visibility != old.visibility {
            answered_for(new.visibility, new.organisation)?;
        }
        if new != old {
            write.describe_usage(&new).await?;
            self.commit(write).await?;
        }
        self.described(&new)
    }

    /// Puts codes into a use, takes some out, or says which they are.
    ///
    /// # Errors
    /// As [`Registry::declare`] and [`Registry::usage`].
    pub async fn change_codes(
        &self,
        actor: &Actor,
        form: UsageForm,
        uuid: Uuid,
        command: CodesCommand,
        listed: Vec<ListedCode>,
        usual: Option<String>,
    ) -> Result<CodesAnswer> {
        self.kept(actor, form, uuid).await?;
        let must = if command == CodesCommand::Remove { UsageForm::CodeSet } else { form };
        let mut taken = self.resolved(listed, usual, must).await?;
        taken.added(self.beginning_now().await?);
        let taken = Arc::new(taken);
        for _ in 0..TRIES {
            // What becomes of the codes is found out before the lock is taken, and holds if nobody has changed the set.
            let (row, old) = self.codes_as_they_are(uuid).await?;
            let named = taken.clone();
            let Planned { write: codes, count, unresolved } =
                apart(move || Planned::new(uuid, command, &named.codes, &old)).await??;
            let (mut write, usage) = self.begin_usage(actor, form, uuid).await?;
            if write.facts().usage_row(uuid).await?.is_none_or(|now| now.change != row.change) {
                continue;
            }
            if let Some(codes) = codes {
                write.put_usage(ChangeKind::UsageChanged, &usage, codes).await?;
                self.commit(write).await?;
            }
            let (counts, attention) = match command {
                CodesCommand::Remove => Default::default(),
                _ => (taken.counts.clone(), taken.attention.clone()),
            };
            return Ok(CodesAnswer { usage: self.described(&usage)?, codes: count, unresolved, counts, attention });
        }
        let (da, en) = ("andre ændrer kodesættet hele tiden", "others change the code set all the time");
        Err(Refusal::new(Code::Conflict, da, en).at(Place::field("uuid")))
    }

    /// Ends a use: its codes and what it was called are forgotten. Webhooks that go by it are paused.
    ///
    /// # Errors
    /// As [`Registry::usage`].
    pub async fn end_usage(&self, actor: &Actor, form: UsageForm, uuid: Uuid) -> Result<()> {
        let (mut write, usage) = self.begin_usage(actor, form, uuid).await?;
        self.pause_those_of_set(&mut write, uuid).await?;
        write.end_usage(&usage).await?;
        self.commit(write).await.map(drop)
    }

    /// A use with its codes at one moment.
    async fn codes_as_they_are(&self, uuid: Uuid) -> Result<(UsageRow, Vec<UsedCode>)> {
        let mut facts = self.store.facts().await?;
        let row = facts.usage_row(uuid).await?.ok_or_else(|| none(uuid))?;
        let codes = facts.usage_codes(uuid).await?;
        Ok((row, codes))
    }

    /// When what is written next is registered, or a moment before.
    async fn beginning_now(&self) -> Result<Instant> {
        Ok(self.store.head().await?.next(self.clock.now()))
    }

    /// A use that was just written, for those who keep it.
    fn described(&self, usage: &Usage) -> Result<UsageAnswer> {
        let snapshot = self.snapshot();
        let using = snapshot.usages.get(usage.uuid).ok_or_else(|| none(usage.uuid))?;
        let contact = usage.contact.clone();
        Ok(UsageAnswer { contact, ..answer(&snapshot, using) })
    }

    /// Begins to change a use, as it is under the lock.
    async fn begin_usage(&self, actor: &Actor, form: UsageForm, uuid: Uuid) -> Result<(Write, Usage)> {
        self.keeper(actor).await?;
        let (mut write, _) = self.lock(actor).await?;
        let keeper = self.keeper(actor).await?;
        let usage = write.facts().usage(uuid).await?.filter(|u| u.form == form && keeper.keeps(u));
        let usage = usage.ok_or_else(|| none(uuid))?;
        Ok((write, usage))
    }

    /// A use that somebody keeps.
    async fn kept(&self, actor: &Actor, form: UsageForm, uuid: Uuid) -> Result<Arc<Using>> {
        let keeper = self.keeper(actor).await?;
        let using = self.snapshot().usages.get(uuid).cloned();
        using.filter(|u| u.usage.form == form && keeper.keeps(&u.usage)).ok_or_else(|| none(uuid))
    }

    async fn keeper(&self, actor: &Actor) -> Result<Keeper> {
        if permit(actor, Command::ManageCodeSets, None).is_ok() {
            return Ok(Keeper::OfAll);
        }
        permit(actor, Command::OwnCodeSets, None)?;
        let account = actor.account()?.account;
        let organisation = self.store.account(account).await?.and_then(|a| a.organisation);
        Ok(Keeper::Account(account, organisation))
    }

    /// The codes of a list with the concepts that they name: found where it holds up nobody, before the lock is taken.
    async fn resolved(&self, listed: Vec<ListedCode>, usual: Option<String>, form: UsageForm) -> Result<TakenCodes> {
        let (snapshot, today) = (self.snapshot(), self.projections.today());
        apart(move || resolve(snapshot.planes(), &listed, usual.as_deref(), today, form)).await?
    }
}

/// Works where it holds up nobody.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))
}

/// The codes of a list with the concepts that they name, each once.
fn resolve(
    planes: &[Arc<Plane>],
    listed: &[ListedCode],
    usual: Option<&str>,
    today: Instant,
    form: UsageForm,
) -> Result<TakenCodes> {
    if let Some(usual) = usual
        && planes.iter().all(|p| !p.vocabulary().is_called(usual))
    {
        return Err(super::query::unknown_vocabulary(usual).at(Place::field("vocabulary")));
    }
    let mut codes: BTreeMap<(String, String), UsedCode> = BTreeMap::new();
    for given in listed {
        let named = given.system.as_deref().or(usual.filter(|_| !given.code.contains("://")));
        let (system, concept) = match check::leads(planes, named, &given.code, today) {
            Leads::To(plane, concept) => (plane.vocabulary().slug().to_string(), Some(concept)),
            Leads::Nowhere(Some(plane)) => (plane.vocabulary().slug().to_string(), None),
            _ => (named.unwrap_or_default().to_owned(), None),
        };
        let (code, added) = (given.code.clone(), Instant::BEGINNING);
        codes.insert((system.clone(), code.clone()), UsedCode { system, code, concept, added });
    }
    let mut attention = check::check(planes, listed, usual, today, Instant::FOREVER, "da");
    let mut counts = BTreeMap::new();
    for code in &attention {
        *counts.entry(code.verdict).or_default() += 1;
    }
    attention.retain(|c| c.verdict.is_trouble());
    let mut nothing = attention.iter().filter(|c| c.concept.is_none()).peekable();
    if form == UsageForm::Declaration && nothing.peek().is_some() {
        let (da, en) = ("noget af det nævner ikke ét begreb", "something of it does not name one concept");
        let mut refusal = Refusal::new(Code::UnknownTarget, da, en).at(Place::field("codes"));
        refusal.items = nothing.take(50).map(|c| format!("{}: {}", c.given.line, c.given.code)).collect();
        return Err(refusal);
    }
    attention.truncate(TOLD);
    Ok(TakenCodes { codes: codes.into_values().collect(), counts, attention })
}

/// What a command makes of the codes of a use.
struct Planned {
    /// What is to be written, if anything is.
    write: Option<CodesToWrite>,
    /// How many codes there are then.
    count: usize,
    /// How many of them name no concept.
    unresolved: usize,
}

impl Planned {
    fn new(uuid: Uuid, command: CodesCommand, taken: &[UsedCode], old: &[UsedCode]) -> Result<Self> {
        fn key(code: &UsedCode) -> (&str, &str) {
            (&code.system, &code.code)
        }
        let named: BTreeSet<_> = taken.iter().map(key).collect();
        let before: BTreeMap<_, &UsedCode> = old.iter().map(|c| (key(c), c)).collect();
        // A code that was there already is there since then, unless it names another concept now.
        let kept = taken.iter().map(|c| match before.get(&key(c)) {
            Some(was) if was.concept == c.concept => (*was).clone(),
            _ => c.clone(),
        });
        let others = old.iter().filter(|c| !named.contains(&key(c))).cloned();
        let codes: Vec<UsedCode> = match command {
            CodesCommand::Replace => kept.collect(),
            CodesCommand::Add => others.chain(kept).collect(),
            CodesCommand::Remove => others.collect(),
        };
        if codes.len() > MOST_CODES {
            let (da, en) = ("der ville blive flere end 100 000 koder", "there would be more than 100 000 codes");
            return Err(Refusal::new(Code::TooLarge, da, en).at(Place::field("codes")));
        }
        let same = codes.len() == old.len() && codes.iter().all(|c| before.get(&key(c)) == Some(&c));
        let write = (!same).then(|| CodesToWrite::new(uuid, old, &codes));
        Ok(Self { write, count: codes.len(), unresolved: unresolved(&codes) })
    }
}

fn unresolved(codes: &[UsedCode]) -> usize {
    codes.iter().filter(|c| c.concept.is_none()).count()
}

/// Codes that were taken in, and what there is to say of them.
struct TakenCodes {
    codes: Vec<UsedCode>,
    counts: BTreeMap<CodeVerdict, u64>,
    attention: Vec<CheckedCode>,
}

impl TakenCodes {
    /// Says when they were put in.
    fn added(&mut self, at: Instant) {
        self.codes.iter_mut().for_each(|code| code.added = at);
    }
}

/// Who keeps uses.
enum Keeper {
    /// Who administers.
    OfAll,
    /// An account, for itself and with its organisation.
    Account(Uuid, Option<Uuid>),
}

impl Keeper {
    fn keeps(&self, usage: &Usage) -> bool {
        match self {
            Self::OfAll => true,
            Self::Account(account, organisation) => {
                usage.owner == *account || (organisation.is_some() && usage.organisation == *organisation)
            }
        }
    }
}

/// The codes of a request, with their numbers.
fn listed(codes: &[CodeRequest]) -> Result<Vec<ListedCode>> {
    if codes.len() > MOST_CODES {
        let (da, en) = ("der er flere end 100 000 koder", "there are more than 100 000 codes");
        return Err(Refusal::new(Code::TooLarge, da, en).at(Place::field("codes")));
    }
    let parts = codes.iter().map(|code| match code {
        CodeRequest::Plain(code) => (None, code),
        CodeRequest::Of { system, code } => (system.clone(), code),
    });
    (1..).zip(parts).map(|(line, (system, code))| ListedCode::new(line, system.as_deref(), code)).collect()
}

fn answer(snapshot: &Snapshot, using: &Using) -> UsageAnswer {
    let Usage { uuid, form, kind, name, link, contact, visibility, owner, organisation, acknowledged, created } =
        using.usage.clone();
    let (hidden, concepts) = (HiddenIn::all(snapshot, using), using.concepts.len());
    let acknowledged = acknowledged.0;
    UsageAnswer {
        uuid,
        form,
        name,
        kind,
        link,
        contact,
        visibility,
        owner,
        organisation,
        hidden,
        concepts,
        acknowledged,
        created,
    }
}

fn none(uuid: Uuid) -> Refusal {
    let (da, en) = (format!("der er ingen {uuid}"), format!("there is no {uuid}"));
    Refusal::new(Code::NotFound, da, en).at(Place::field("uuid"))
}
