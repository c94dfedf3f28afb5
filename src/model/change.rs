//! The change log: one row for each committed fact, in one order, each row sealed with the hash of the row
//! before it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::canonical::Digest;
use super::time::Instant;

/// The hash before the first row: 64 zeros.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What a row of the change log tells.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
pub enum ChangeKind {
    /// A vocabulary was created.
    #[serde(rename = "vocabulary.created")]
    VocabularyCreated,
    /// The frame of a vocabulary was changed.
    #[serde(rename = "vocabulary.changed")]
    VocabularyChanged,
    /// A concept is said to be in force with some content over a period.
    #[serde(rename = "concept.stated")]
    ConceptStated,
    /// A concept is said not to be in force over a period.
    #[serde(rename = "concept.retired")]
    ConceptRetired,
    /// A concept is no longer kept up, by OIO Klassifikation; what is said of it stays.
    #[serde(rename = "concept.passivated")]
    ConceptPassivated,
    /// A version was published.
    #[serde(rename = "version.published")]
    VersionPublished,
    /// A day has come from which a concept is said to be otherwise, as it was said ahead.
    #[serde(rename = "concept.effective")]
    ConceptEffective,
    /// That day, told of the vocabulary, after its concepts.
    #[serde(rename = "edition.effective")]
    EditionEffective,
    /// An organisation was made known.
    #[serde(rename = "organisation.created")]
    OrganisationCreated,
    /// An organisation was changed.
    #[serde(rename = "organisation.changed")]
    OrganisationChanged,
    /// An account was created.
    #[serde(rename = "account.created")]
    AccountCreated,
    /// An account was changed, deactivated or activated again.
    #[serde(rename = "account.changed")]
    AccountChanged,
    /// Everything that is known of an account's person was erased.
    #[serde(rename = "account.erased")]
    AccountErased,
    /// Everything that is known of somebody without an account was erased.
    #[serde(rename = "contact.erased")]
    ContactErased,
    /// The password of an account was set.
    #[serde(rename = "password.set")]
    PasswordSet,
    /// A group was formed.
    #[serde(rename = "group.created")]
    GroupCreated,
    /// A group, or who is in it, was changed.
    #[serde(rename = "group.changed")]
    GroupChanged,
    /// Somebody was given a role.
    #[serde(rename = "grant.given")]
    GrantGiven,
    /// A role was taken back.
    #[serde(rename = "grant.taken")]
    GrantTaken,
    /// A token was made.
    #[serde(rename = "token.created")]
    TokenCreated,
    /// A token was given another name.
    #[serde(rename = "token.renamed")]
    TokenRenamed,
    /// A token was revoked.
    #[serde(rename = "token.revoked")]
    TokenRevoked,
    /// A link to set a password was handed out.
    #[serde(rename = "link.created")]
    LinkCreated,
    /// An account was linked to somebody at an OpenID provider.
    #[serde(rename = "identity.linked")]
    IdentityLinked,
    /// That link was undone.
    #[serde(rename = "identity.unlinked")]
    IdentityUnlinked,
    /// A subscription was made.
    #[serde(rename = "subscription.created")]
    SubscriptionCreated,
    /// What a subscription asks for was changed.
    #[serde(rename = "subscription.changed")]
    SubscriptionChanged,
    /// A subscription was paused: by its owner, or because its receiver said that it is gone.
    #[serde(rename = "subscription.paused")]
    SubscriptionPaused,
    /// A subscription that was paused goes on.
    #[serde(rename = "subscription.resumed")]
    SubscriptionResumed,
    /// A subscription was ended.
    #[serde(rename = "subscription.ended")]
    SubscriptionEnded,
    /// A draft was opened.
    #[serde(rename = "draft.opened")]
    DraftOpened,
    /// Title, purpose or group of a draft were changed.
    #[serde(rename = "draft.described")]
    DraftDescribed,
    /// Content of a draft was edited.
    #[serde(rename = "draft.edited")]
    DraftEdited,
    /// A draft was laid over another version.
    #[serde(rename = "draft.rebased")]
    DraftRebased,
    /// Something was said of a draft.
    #[serde(rename = "draft.commented")]
    DraftCommented,
    /// A draft went to another phase without a hearing, a recommendation or a decision.
    #[serde(rename = "draft.moved")]
    DraftMoved,
    /// A hearing was planned, or planned otherwise.
    #[serde(rename = "hearing.planned")]
    HearingPlanned,
    /// A hearing was called off.
    #[serde(rename = "hearing.cancelled")]
    HearingCancelled,
    /// A hearing has opened.
    #[serde(rename = "hearing.opened")]
    HearingOpened,
    /// A hearing has closed.
    #[serde(rename = "hearing.closed")]
    HearingClosed,
    /// Those who have not answered a hearing were reminded of the deadline.
    #[serde(rename = "hearing.reminded")]
    HearingReminded,
    /// Somebody without an account is asked whether a mail address is theirs.
    #[serde(rename = "address.asked")]
    AddressAsked,
    /// The deadline of a hearing was moved out.
    #[serde(rename = "hearing.extended")]
    HearingExtended,
    /// Somebody was asked to answer a hearing.
    #[serde(rename = "hearing.invited")]
    HearingInvited,
    /// A hearing was answered.
    #[serde(rename = "hearing.answered")]
    HearingAnswered,
    /// An answer was taken back.
    #[serde(rename = "answer.withdrawn")]
    AnswerWithdrawn,
    /// An item of an answer got its reply.
    #[serde(rename = "answer.disposed")]
    AnswerDisposed,
    /// Every item of the answers to a hearing has its reply.
    #[serde(rename = "hearing.completed")]
    HearingCompleted,
    /// A draft was laid before a committee.
    #[serde(rename = "draft.recommended")]
    DraftRecommended,
    /// A committee decided on a draft.
    #[serde(rename = "draft.decided")]
    DraftDecided,
    /// Somebody other than its authors let a draft be published.
    #[serde(rename = "draft.approved")]
    DraftApproved,
    /// A draft became a version.
    #[serde(rename = "draft.published")]
    DraftPublished,
    /// A group was given a mandate.
    #[serde(rename = "mandate.given")]
    GroupMandated,
    /// A meeting was called, changed, held or minuted.
    #[serde(rename = "meeting.changed")]
    MeetingChanged,
    /// Somebody without an account is to confirm something by a link that is sent by mail.
    #[serde(rename = "confirmation.asked")]
    ConfirmationAsked,
    /// Somebody asked for a change.
    #[serde(rename = "request.submitted")]
    RequestSubmitted,
    /// Somebody took a change request on.
    #[serde(rename = "request.assigned")]
    RequestAssigned,
    /// A change request became an edit of a draft.
    #[serde(rename = "request.accepted")]
    RequestAccepted,
    /// A change request was answered otherwise, or taken back.
    #[serde(rename = "request.closed")]
    RequestClosed,
    /// A version was submitted for certification.
    #[serde(rename = "certification.submitted")]
    CertificationSubmitted,
    /// Reviewers spoke on a version.
    #[serde(rename = "certification.judged")]
    CertificationJudged,
    /// A certification names other schema elements.
    #[serde(rename = "certification.linked")]
    CertificationLinked,
    /// A code set was registered, or the use of concepts declared.
    #[serde(rename = "usage.declared")]
    UsageDeclared,
    /// A code set or a declared use, its codes, or how far its changes were acknowledged, was changed.
    #[serde(rename = "usage.changed")]
    UsageChanged,
    /// A code set or a declared use was ended.
    #[serde(rename = "usage.ended")]
    UsageEnded,
    /// A use is not shown any more on the pages of a vocabulary.
    #[serde(rename = "hiding.begun")]
    HidingBegun,
    /// A use is shown again.
    #[serde(rename = "hiding.ended")]
    HidingEnded,
}

impl ChangeKind {
    /// The kind as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VocabularyCreated => "vocabulary.created",
            Self::VocabularyChanged => "vocabulary.changed",
            Self::ConceptStated => "concept.stated",
            Self::ConceptRetired => "concept.retired",
            Self::ConceptPassivated => "concept.passivated",
            Self::VersionPublished => "version.published",
            Self::ConceptEffective => "concept.effective",
            Self::EditionEffective => "edition.effective",
            Self::OrganisationCreated => "organisation.created",
            Self::OrganisationChanged => "organisation.changed",
            Self::AccountCreated => "account.created",
            Self::AccountChanged => "account.changed",
            Self::AccountErased => "account.erased",
            Self::ContactErased => "contact.erased",
            Self::PasswordSet => "password.set",
            Self::GroupCreated => "group.created",
            Self::GroupChanged => "group.changed",
            Self::GrantGiven => "grant.given",
            Self::GrantTaken => "grant.taken",
            Self::TokenCreated => "token.created",
            Self::TokenRenamed => "token.renamed",
            Self::TokenRevoked => "token.revoked",
            Self::LinkCreated => "link.created",
            Self::IdentityLinked => "identity.linked",
            Self::IdentityUnlinked => "identity.unlinked",
            Self::SubscriptionCreated => "subscription.created",
            Self::SubscriptionChanged => "subscription.changed",
            Self::SubscriptionPaused => "subscription.paused",
            Self::SubscriptionResumed => "subscription.resumed",
            Self::SubscriptionEnded => "subscription.ended",
            Self::DraftOpened => "draft.opened",
            Self::DraftDescribed => "draft.described",
            Self::DraftEdited => "draft.edited",
            Self::DraftRebased => "draft.rebased",
            Self::DraftCommented => "draft.commented",
            Self::DraftMoved => "draft.moved",
            Self::HearingPlanned => "hearing.planned",
            Self::HearingCancelled => "hearing.cancelled",
            Self::HearingOpened => "hearing.opened",
            Self::HearingClosed => "hearing.closed",
            Self::HearingReminded => "hearing.reminded",
            Self::AddressAsked => "address.asked",
            Self::HearingExtended => "hearing.extended",
            Self::HearingInvited => "hearing.invited",
            Self::HearingAnswered => "hearing.answered",
            Self::AnswerWithdrawn => "answer.withdrawn",
            Self::AnswerDisposed => "answer.disposed",
            Self::HearingCompleted => "hearing.completed",
            Self::DraftRecommended => "draft.recommended",
            Self::DraftDecided => "draft.decided",
            Self::DraftApproved => "draft.approved",
            Self::DraftPublished => "draft.published",
            Self::GroupMandated => "mandate.given",
            Self::MeetingChanged => "meeting.changed",
            Self::ConfirmationAsked => "confirmation.asked",
            Self::RequestSubmitted => "request.submitted",
            Self::RequestAssigned => "request.assigned",
            Self::RequestAccepted => "request.accepted",
            Self::RequestClosed => "request.closed",
            Self::CertificationSubmitted => "certification.submitted",
            Self::CertificationJudged => "certification.judged",
            Self::CertificationLinked => "certification.linked",
            Self::UsageDeclared => "usage.declared",
            Self::UsageChanged => "usage.changed",
            Self::UsageEnded => "usage.ended",
            Self::HidingBegun => "hiding.begun",
            Self::HidingEnded => "hiding.ended",
        }
    }
}

/// One row of the change log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Change {
    /// The position: 1, 2, 3, … without gaps, in the order of commits.
    pub seq: i64,
    /// When it was registered.
    pub at: Instant,
    /// Who did it.
    pub actor: String,
    /// What it tells.
    pub kind: String,
    /// The vocabulary it is about; the nil uuid when it is about people.
    pub vocabulary: Uuid,
    /// The concept, version, vocabulary, account, … it is about.
    pub subject: Uuid,
    /// The fact itself, canonical JSON.
    pub body: String,
    /// The seal of the row before.
    pub previous: String,
    /// The seal of this row.
    pub hash: String,
}

impl Change {
    /// Seals a fact into the log after `previous`.
    #[expect(clippy::too_many_arguments, reason = "a row has these columns, and each is given once")]
    #[must_use]
    pub fn seal(
        seq: i64,
        at: Instant,
        actor: &str,
        kind: ChangeKind,
        vocabulary: Uuid,
        subject: Uuid,
        body: String,
        previous: &str,
    ) -> Self {
        let mut change = Self {
            seq,
            at,
            actor: actor.to_owned(),
            kind: kind.as_str().to_owned(),
            vocabulary,
            subject,
            body,
            previous: previous.to_owned(),
            hash: String::new(),
        };
        change.hash = change.seal_of();
        change
    }

    /// What the seal must be: SHA-256 over the canonical JSON of the row without its `hash`.
    #[must_use]
    pub fn seal_of(&self) -> String {
        /// In the order of the names, so that writing it out is canonical.
        #[derive(Serialize)]
        struct Row<'a> {
            actor: &'a str,
            at: i64,
            body: &'a str,
            kind: &'a str,
            previous: &'a str,
            seq: i64,
            subject: Uuid,
            vocabulary: Uuid,
        }
        let Self { actor, body, kind, previous, seq, subject, vocabulary, .. } = self;
        let (seq, subject, vocabulary) = (*seq, *subject, *vocabulary);
        let row = Row { actor, at: self.at.micros(), body, kind, previous, seq, subject, vocabulary };
        Digest::of(serde_json::to_string(&row).unwrap_or_default()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_under_the_seal() {
        let at = Instant::from_micros(1);
        let row =
            Change::seal(1, at, "a", ChangeKind::VersionPublished, Uuid::nil(), Uuid::nil(), "{}".into(), GENESIS);
        assert_eq!(row.hash, row.seal_of());
        let spoils: [fn(&mut Change); 8] = [
            |c| c.seq = 2,
            |c| c.at = c.at.next(),
            |c| c.actor.push('x'),
            |c| c.kind.push('x'),
            |c| c.vocabulary = Uuid::max(),
            |c| c.subject = Uuid::max(),
            |c| c.body.push(' '),
            |c| c.previous.replace_range(0..1, "1"),
        ];
        for spoil in spoils {
            let mut spoiled = row.clone();
            spoil(&mut spoiled);
            assert_ne!(spoiled.hash, spoiled.seal_of());
        }
    }
}
