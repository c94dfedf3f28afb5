//! Everything that a user of the registry can do, by name: the one façade.
//!
//! Called by `http` and `cli`; calls `store`, `projection`, `exchange` and the model. Commands check the
//! caller's right ([`permission`]), plan with pure rules, and write in one transaction; queries read a
//! [`View`] of the projections and never touch the store.

mod answer;
mod catalog;
mod check;
mod command;
mod days;
mod digests;
mod effects;
mod events;
mod export;
mod feed;
mod frame;
mod identity;
mod list;
mod load;
mod lookup;
mod mail;
mod migration;
mod mox;
pub mod oio;
mod pages;
mod people;
mod permission;
mod plan;
mod query;
mod read;
mod report;
mod search;
mod sparql;
mod subscriptions;
mod usages;
mod verify;
mod work;

use std::sync::Arc;

pub use answer::{
    ConceptAnswer, ConceptDocument, HistoryAnswer, HistoryState, Reference, Status, VersionAnswer, VersionName,
    VocabularyAnswer,
};
pub use check::{CheckReport, CheckRequest, CheckedCode, CodeVerdict, ComingChange, NearCode};
pub use command::{ImportRequest, PublishRequest};
pub use days::{DayAnswer, DaysAnswer};
pub(crate) use digests::DigestSettings;
pub use digests::{DigestAnswer, DigestRequest, DigestsOf, KeptDigest};
pub use events::{BLOCK, Events};
pub use export::Telling;
pub use feed::{FeedAnswer, FeedFilter, StreamPage};
pub use frame::{FacetRequest, FrameRequest};
pub use identity::{Identity, identity};
pub use list::{Codes, ConceptFilter, Cursor, FIELDS, Page, Relatives};
pub use load::LoadReport;
pub use lookup::{Resolution, ValidateItem, Validation, ValidationCode};
pub use mox::{MoxCount, MoxCounts};
pub use pages::{Paged, Pages};
pub use people::{
    AccountChange, AccountRequest, Arrived, CameBack, Door, GiveRequest, GrantAnswer, GroupChange, GroupRequest,
    IdentityAnswer, Invited, Leaving, LinkFor, MadeToken, Me, MeAnswer, OrganisationChange, SessionAnswer, SignedIn,
    TokenAnswer, TokenRequest,
};
pub use permission::{
    About, Actor, By, Caller, Command, Guest, Held, RIGHTS, Right, Visitor, not_signed_in, permit, permit_in,
    rights_table,
};
pub use plan::{Matched, Outcome, Planned};
pub use query::{At, ChangesAnswer, Edge};
pub use report::{ImportReport, Verdict};
pub use search::{
    Correction, Match, MatchField, Piece, SearchAnswer, SearchFilter, SearchHit, SearchWhy, Sort, SuggestAnswer,
    Suggestion,
};
pub use sparql::{Answer, Question, SolutionFormat, Solved, SparqlLimits, Wanted};
pub use subscriptions::{
    DeadLetter, MadeSubscription, OwnerWish, ReplayAnswer, ReplayRequest, SecretRequest, SubscriptionAnswer,
    SubscriptionChange, SubscriptionRequest, TestAnswer, WebhookSettings,
};
pub use usages::{
    CodeRequest, CodesAnswer, CodesCommand, ConceptUsages, DraftUsage, HiddenIn, HideRequest, Task, TasksAnswer,
    UsageAnswer, UsageChange, UsageRequest, UserOfConcept,
};
pub use verify::{Verification, VerifiedVersion};
pub use work::{
    AcceptRequest, AcceptedAnswer, AskRequest, AskedAnswer, AssignRequest, AssignmentAnswer, ContactAnswer, FoundEdit,
    OutcomeAnswer, OutcomeRequest, RequestAnswer, RequestFilter, Submitted,
};
pub use work::{
    AnswerAnswer, AnswerItemAnswer, AnswerRequest, AnswerStage, DispositionAnswer, DispositionRequest, ExtensionAnswer,
    File, FileRequest, Heard, HeardAnswer, HearingAnswer, HearingRequest, HearingSummary, ItemEditAnswer,
    ItemEditRequest, LinkAnswer, PartyAnswer, PartyRequest, PendingAnswer, QuestionAnswer, Received, moment,
};
pub use work::{
    ApprovalAnswer, CommentAnswer, CommentRequest, ConflictAnswer, DecideRequest, DecisionAnswer, DraftAnswer,
    DraftChange, DraftFilter, DraftPublishRequest, DraftRequest, EditAnswer, EditRequest, EffectAnswer, ImportEdit,
    Made, MergedAnswer, Moment, OperationRequest, Paper, PartRequest, Precondition, ProposedAnswer, Reason,
    RebaseRequest, RebasedAnswer, RecommendRequest, RecommendationAnswer, RelationRequest, SettledConflict, Sides,
    SinceAnswer, StampAnswer, Steer, ThreadAnswer, TopicRequest,
};
pub(crate) use work::{CONFIRM_PREFIX, HearingNews, LINK_PREFIX, confirm_page, link_errand, party_page};
pub use work::{Called, FoundConcepts, NamedConcept, Offer};
pub use work::{
    CancelledAnswer, CertificationAnswer, CertificationRequest, CertifiedAnswer, DecidedConcept, GivenMandate,
    GroupSeen, ItemAnswer, MandateAnswer, MeetingAnswer, MeetingChange, MeetingCommand, MeetingRequest, MinutesAnswer,
    VerdictAnswer, VerdictRequest,
};

use crate::model::{Clock, Code, Refusal, Result};
pub use crate::oidc::ProviderSettings;
pub use crate::projection::View;
use crate::projection::rdf::Graphs;
use crate::projection::search::Search;
use crate::projection::{Derived, Follower, Projections, Snapshot};
pub use crate::store::{DeliveryRow, LetterRow, LetterState, MailStatus, SubscriptionsStatus};
use crate::store::{Head, Store, Write};

/// How a registry is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the addresses of the registry begin with, without a final slash; IRIs of new vocabularies are
    /// made of it.
    pub public_url: String,
    /// How many concepts the editions kept beside the current ones may hold together.
    pub edition_budget: u64,
    /// What SPARQL queries may take.
    pub sparql: SparqlLimits,
    /// Whether webhooks may go to addresses that are not public, and by http: for tests, and inside one's own network.
    pub webhooks_allow_private: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8080".into(),
            edition_budget: 4_000_000,
            sparql: SparqlLimits::default(),
            webhooks_allow_private: false,
        }
    }
}

/// A registry: facts, projections, and what can be done with them.
pub struct Registry {
    store: Store,
    projections: Arc<Projections>,
    follower: Arc<Follower>,
    search: Arc<Derived<Search>>,
    /// The indexes whose pages are being read.
    paged: search::Paged,
    rdf: Arc<Derived<Graphs<Telling>>>,
    queries: sparql::Pool,
    clock: Arc<dyn Clock>,
    settings: Settings,
    doorkeeper: people::Doorkeeper,
    effects_told: effects::Told,
    event_blocks: events::Blocks,
    codeset_filters: usages::Filters,
    /// What is made of the planes for OIO Klassifikation.
    oio: oio::Makings,
    mox_counts: MoxCounts,
}

impl Registry {
    /// Opens the registry of a database; its projections are built from the facts.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn open(store: Store, clock: Arc<dyn Clock>, settings: Settings) -> Result<Self> {
        let projections = Arc::new(Projections::new(clock.clone(), settings.edition_budget));
        let follower = Arc::new(Follower::new(store.clone(), projections.clone()));
        follower.catch_up().await?;
        let (rdf, search, queries) = (Arc::default(), Arc::default(), sparql::Pool::new(&settings.sparql));
        let (paged, doorkeeper, event_blocks, codeset_filters) = Default::default();
        let (mox_counts, oio) = Default::default();
        let effects_told = effects::Told::new((0, crate::model::Instant::BEGINNING));
        Ok(Self {
            store,
            projections,
            follower,
            search,
            paged,
            rdf,
            queries,
            clock,
            settings,
            doorkeeper,
            effects_told,
            event_blocks,
            codeset_filters,
            oio,
            mox_counts,
        })
    }

    /// Follows what other processes write, until the task is dropped.
    pub async fn follow(&self) {
        let search = self.search.clone().follow(self.projections.clone());
        let rdf = self.rdf.clone().follow(self.projections.clone());
        tokio::join!(self.follower.clone().run(), search, rdf);
    }

    /// Commits a write, and lets readers of this process see it. What has begun is carried through, also when whoever
    /// asked is gone: until here nothing is written, from here on all of it is.
    async fn commit(&self, write: Write) -> Result<i64> {
        let follower = self.follower.clone();
        let done = tokio::spawn(async move {
            let position = write.commit().await?;
            follower.catch_up().await?;
            Ok(position)
        });
        done.await.map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))?
    }

    /// Waits until what is built of the snapshot has passed a position of the log, if somebody follows; at most
    /// `limit`. Answers whether it has.
    pub async fn derived_passed(&self, position: i64, limit: std::time::Duration) -> bool {
        let both = tokio::join!(self.search.passed(position, limit), self.rdf.passed(position, limit));
        both.0 && both.1
    }

    /// How far the projections have read the change log, and where it ends.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`] when the database does not answer.
    pub async fn progress(&self) -> Result<(i64, Head)> {
        Ok((self.projections.snapshot().position, self.store.head().await?))
    }

    /// Why the projections could not follow the log at the last turn, if they could not.
    #[must_use]
    pub fn failing(&self) -> Option<String> {
        self.follower.failing()
    }

    /// The projections that are made of the snapshot: their names, the positions they have passed (-1 while one is
    /// being built for the first time), and why one failed at its last turn, if it did.
    #[must_use]
    pub fn derived(&self) -> Vec<(&'static str, i64, Option<String>)> {
        let search = ("search", self.search.position(), self.search.failing());
        vec![search, ("rdf", self.rdf.position(), self.rdf.failing())]
    }

    /// Whether something that readers ask for is still being built for the first time.
    #[must_use]
    pub fn is_building(&self) -> bool {
        self.search.is_building() || self.rdf.is_building()
    }

    /// The snapshot that queries read.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.projections.snapshot()
    }

    /// How many editions are kept beside the current ones, and how many concepts they hold together.
    #[must_use]
    pub fn editions_kept(&self) -> (u64, u64) {
        self.projections.kept()
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Waits until readings have passed a position of the log: of those who read the log themselves.
    ///
    /// # Errors
    /// [`Code::Database`], [`Code::Corrupt`].
    pub(crate) async fn reach(&self, position: i64) -> Result<()> {
        if self.snapshot().position < position {
            self.follower.catch_up().await?;
        }
        Ok(())
    }

    /// The facts on disk, for the rooms that follow the log.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Where "now" comes from.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Writes everything to a backup. See [`Store::backup`].
    ///
    /// # Errors
    /// As there.
    pub async fn backup(&self, out: impl std::io::Write) -> Result<crate::store::BackupSummary> {
        self.store.backup(out).await
    }

    /// Closes the database.
    pub async fn close(&self) {
        self.store.close().await;
    }
}
