//! What can be said of people in one word each: roles, kinds of groups, and the commands that take a right.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::refusal::{Code, Refusal, Result};

/// An enum of words: each has one spelling, in the log, the API and the command line.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $da:literal, $en:literal, { $($(#[$each:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
        pub enum $name { $($(#[$each])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every one, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word as it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $text,)* } }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.as_str()) }
        }

        impl FromStr for $name {
            type Err = Refusal;

            fn from_str(text: &str) -> Result<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text).ok_or_else(|| {
                    let text: String = text.chars().take(80).collect();
                    Refusal::new(Code::InvalidParameter, format!($da, text), format!($en, text))
                        .allowed(Self::ALL.iter().map(|one| one.as_str()))
                })
            }
        }
    };
}

pub(in crate::model) use words;

words!(
    /// What somebody may be to a vocabulary, or to all of them.
    Role, "»{}« er ikke en rolle", "'{}' is not a role", {
        /// Reads. What is public needs no role.
        Reader = "reader",
        /// Drafts.
        Contributor = "contributor",
        /// Runs the work: drafts, hearings, their answers.
        Secretary = "secretary",
        /// Answers hearings.
        HearingParty = "hearingParty",
        /// Takes part in decisions.
        CommitteeMember = "committeeMember",
        /// Chairs the committee.
        Chair = "chair",
        /// Publishes.
        Publisher = "publisher",
        /// Administers people and rights; always of the whole registry.
        Administrator = "administrator",
    }
);

words!(
    /// What a group is.
    GroupKind, "»{}« er ikke en slags gruppe", "'{}' is not a kind of group", {
        /// Drafts under a mandate.
        WorkingGroup = "workingGroup",
        /// Decides.
        Committee = "committee",
        /// Runs the work.
        Secretariat = "secretariat",
        /// Is heard.
        HearingParties = "hearingParties",
    }
);

words!(
    /// What can be asked for that takes a right. Who has it is written in one table, in `registry/permission/`.
    Command, "»{}« er ikke en kommando", "'{}' is not a command", {
        /// Create a vocabulary or change its frame.
        Frame = "frame",
        /// Change how the versions of a vocabulary come to be: its governance, and the rule of four eyes.
        Govern = "govern",
        /// Publish a version without the decision of a committee.
        Publish = "publish",
        /// See drafts with their comments, hearings before they open, and change requests.
        ReadDrafts = "read-drafts",
        /// Open a draft.
        OpenDraft = "open-draft",
        /// Add, change, retire, replace, split, merge and move concepts in a draft, take edits back, lay the draft over
        /// another version.
        EditDraft = "edit-draft",
        /// Comment on a draft, settle threads.
        Comment = "comment",
        /// Describe a draft, send it to review, let it rest, take it up again, withdraw it, recall a recommendation.
        SteerDraft = "steer-draft",
        /// Plan, call off and extend hearings, invite parties, complete hearings.
        HoldHearing = "hold-hearing",
        /// Answer a public hearing. Parties answer by their link.
        AnswerHearing = "answer-hearing",
        /// Reply to the items of answers.
        Dispose = "dispose",
        /// Lay a draft before a committee.
        Recommend = "recommend",
        /// Give a group its mandate.
        Mandate = "mandate",
        /// Call meetings, write agendas, attendance and minutes.
        CallMeeting = "call-meeting",
        /// Record the decision of a committee.
        Decide = "decide",
        /// Let a draft be published that one has not written: the second pair of eyes.
        Approve = "approve",
        /// Publish a draft that was adopted, or, where no decision is needed, one that is finished.
        PublishDraft = "publish-draft",
        /// Assign, accept and close change requests.
        HandleRequests = "handle-requests",
        /// Keep the record of certifications.
        Certify = "certify",
        /// See organisations, accounts, groups and grants.
        ReadPeople = "read-people",
        /// Create, change and deactivate organisations.
        ManageOrganisations = "manage-organisations",
        /// Create, change, deactivate and erase accounts, and hand out links to set a password.
        ManageAccounts = "manage-accounts",
        /// Create, change and deactivate groups, and say who is in them.
        ManageGroups = "manage-groups",
        /// Give and take roles.
        Grant = "grant",
        /// See and revoke the tokens and sessions of others.
        RevokeTokens = "revoke-tokens",
        /// See oneself, change one's own password, and see and end one's own sessions.
        OwnAccount = "own-account",
        /// Create, see and revoke one's own tokens.
        OwnTokens = "own-tokens",
        /// Make, see, change and end one's own subscriptions, and those of one's organisation.
        OwnSubscriptions = "own-subscriptions",
        /// See, change and end the subscriptions of others.
        ManageSubscriptions = "manage-subscriptions",
        /// Keep code sets, declare what uses concepts, and see what one has kept and declared.
        OwnCodeSets = "own-code-sets",
        /// See and end the code sets and declarations of others.
        ManageCodeSets = "manage-code-sets",
        /// Say that a use is not shown on the pages of a vocabulary, or is shown again.
        HideUsages = "hide-usages",
    }
);
