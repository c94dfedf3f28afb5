//! What is shown of uses on public pages, and by whom: an organisation answers for what everybody sees, those who publish
//! a vocabulary answer for its pages, and what nobody keeps any more ends.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Registry;
use super::super::permission::{Actor, Command, permit};
use super::none;
use crate::model::{Code, Hiding, Instant, Place, Refusal, Result, Usage, Visibility, Vocabulary};
use crate::projection::{Snapshot, Using};
use crate::store::Write;
use crate::workflow::Line;

/// Why a use is not to be shown.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HideRequest {
    /// The reason, for those who keep the use and those who make versions.
    pub reason: Line,
}

/// Where a use is not shown, for those who keep it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct HiddenIn {
    /// The vocabulary.
    pub vocabulary: String,
    /// Why.
    pub reason: String,
    /// Since when.
    #[schema(value_type = String)]
    pub since: Instant,
}

impl HiddenIn {
    /// Where a use is not shown.
    pub(super) fn all(snapshot: &Snapshot, using: &Using) -> Vec<Self> {
        let slug =
            |of: Uuid| snapshot.by_uuid(of).map_or_else(|| of.to_string(), |p| p.vocabulary().slug().to_string());
        let one = |h: &Hiding| Self { vocabulary: slug(h.vocabulary), reason: h.reason.clone(), since: h.at };
        using.hidden.iter().map(one).collect()
    }
}

impl Registry {
    /// Says that a use is not shown to everybody on the pages of a vocabulary any more, and why. Those who make versions
    /// see it still, with the reason, and so do its keepers.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::UnknownVocabulary`]; [`Code::NotFound`] for a use that is not shown there;
    /// [`Code::Database`].
    pub async fn hide_usage(&self, actor: &Actor, vocabulary: &str, usage: Uuid, request: HideRequest) -> Result<()> {
        let of = self.may_hide(actor, vocabulary)?;
        let (mut write, _) = self.lock(actor).await?;
        self.may_hide(actor, vocabulary)?;
        let shown = write.facts().usage(usage).await?.filter(is_public).ok_or_else(|| none(usage))?;
        let codes = write.facts().usage_codes(shown.uuid).await?;
        if codes.iter().all(|code| code.system != of.slug().as_str()) {
            return Err(none(usage));
        }
        let reason = request.reason.to_string();
        if self.hiding(&mut write, usage, of.uuid()).await?.is_some_and(|there| there.reason == reason) {
            return Ok(());
        }
        let hiding = Hiding { usage, vocabulary: of.uuid(), reason, at: write.at() };
        write.hide_usage(&hiding).await?;
        self.commit(write).await.map(drop)
    }

    /// Shows a use again that was hidden. Nothing is written when it was not.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::UnknownVocabulary`]; [`Code::NotFound`]; [`Code::Database`].
    pub async fn show_usage(&self, actor: &Actor, vocabulary: &str, usage: Uuid) -> Result<()> {
        let of = self.may_hide(actor, vocabulary)?;
        let (mut write, _) = self.lock(actor).await?;
        self.may_hide(actor, vocabulary)?;
        write.facts().usage(usage).await?.ok_or_else(|| none(usage))?;
        let Some(hiding) = self.hiding(&mut write, usage, of.uuid()).await? else { return Ok(()) };
        write.show_usage(&hiding).await?;
        self.commit(write).await.map(drop)
    }

    fn may_hide(&self, actor: &Actor, vocabulary: &str) -> Result<std::sync::Arc<Vocabulary>> {
        let snapshot = self.snapshot();
        let plane = snapshot.planes().iter().find(|p| p.vocabulary().is_called(vocabulary));
        let of = plane.ok_or_else(|| super::super::query::unknown_vocabulary(vocabulary))?.vocabulary().clone();
        permit(actor, Command::HideUsages, Some(&of))?;
        Ok(of)
    }

    async fn hiding(&self, write: &mut Write, usage: Uuid, vocabulary: Uuid) -> Result<Option<Hiding>> {
        Ok(write.facts().usage_hidden(usage).await?.into_iter().find(|h| h.vocabulary == vocabulary))
    }

    /// Ends what an account kept alone: nobody would answer for it any more. What it kept with its organisation stays.
    pub(in crate::registry) async fn end_usages_of(&self, write: &mut Write, account: Uuid) -> Result<()> {
        let rows = write.facts().usages().await?;
        let own = |usage: &Usage| usage.owner == account && usage.organisation.is_none();
        for usage in rows.into_iter().filter_map(|row| row.usage).filter(own) {
            self.pause_those_of_set(write, usage.uuid).await?;
            write.end_usage(&usage).await?;
        }
        Ok(())
    }
}

/// Whether everybody is told of a use, where it is not hidden. Of what was declared before an organisation had to answer
/// for it, those who make versions are told.
pub(super) fn is_public(usage: &Usage) -> bool {
    usage.visibility == Visibility::Public && usage.organisation.is_some()
}

/// Refuses to show everybody what no organisation answers for.
pub(super) fn answered_for(visibility: Visibility, organisation: Option<Uuid>) -> Result<()> {
    if visibility != Visibility::Public || organisation.is_some() {
        return Ok(());
    }
    let (da, en) = (
        "kun det, en organisation står inde for, vises for alle; din konto hører ikke til en",
        "only what an organisation answers for is shown to everybody; your account belongs to none",
    );
    let allowed = [Visibility::Makers, Visibility::Hidden].map(Visibility::as_str);
    Err(Refusal::new(Code::NotAllowed, da, en).at(Place::field("visibility")).allowed(allowed))
}
