//! OIO certification: versions that were submitted to reviewers, and what they said. Everybody may read it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Registry;
use super::super::permission::{Actor, Command, permit};
use super::answers::StampAnswer;
use super::{Under, begin, unlawful};
use crate::model::{Instant, Label, Result, Slug, Version, new_uuid};
use crate::workflow::{Certification, CertificationStep, CertificationVerdict, Line, Prose, SchemaLink, Stamp};

/// A version to submit.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificationRequest {
    /// Who looks at it.
    pub reviewer: Line,
    /// What the reviewers call the submission.
    #[serde(default)]
    pub reference: Option<Line>,
    /// The schema elements that stand for concepts of the version.
    #[serde(default)]
    pub links: Vec<SchemaLink>,
}

/// What reviewers said.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerdictRequest {
    /// The verdict. After a conditional one there may be another.
    pub verdict: CertificationVerdict,
    /// Why.
    pub reasons: Prose,
}

/// A certification.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct CertificationAnswer {
    /// For ever.
    pub uuid: Uuid,
    /// The slug of the vocabulary.
    pub vocabulary: Slug,
    /// The label of the version.
    #[schema(value_type = String)]
    pub version: Label,
    /// Who looks at it.
    pub reviewer: Line,
    /// What the reviewers call the submission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Line>,
    /// When, and by whom, it was submitted.
    pub submitted: StampAnswer,
    /// What was said, the last first; the last one counts.
    pub verdicts: Vec<VerdictAnswer>,
    /// The schema elements.
    pub links: Vec<SchemaLink>,
}

/// A verdict.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct VerdictAnswer {
    /// When, and by whom, it was put on record.
    #[serde(flatten)]
    pub stamp: StampAnswer,
    /// The verdict.
    pub verdict: CertificationVerdict,
    /// Why.
    pub reasons: String,
}

/// What a version is told of its certification: the verdict that was given last.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct CertifiedAnswer {
    /// The certification.
    pub uuid: Uuid,
    /// The verdict.
    pub verdict: CertificationVerdict,
    /// When it was put on record.
    #[schema(value_type = String)]
    pub at: Instant,
}

impl Registry {
    /// The certifications of a version, the last first.
    ///
    /// # Errors
    /// [`crate::model::Code::UnknownVocabulary`], [`crate::model::Code::UnknownVersion`].
    pub fn certifications(&self, slug: &str, label: &str) -> Result<Vec<CertificationAnswer>> {
        let version = self.version_of(slug, label)?;
        let snapshot = self.snapshot();
        let mut found: Vec<_> = snapshot.matters.all::<Certification>().filter(|c| c.version == version.uuid).collect();
        found.sort_by_key(|c| (std::cmp::Reverse(c.submitted.at), c.uuid));
        found.into_iter().map(|c| self.certification_answer(c)).collect()
    }

    /// A certification.
    ///
    /// # Errors
    /// [`crate::model::Code::NotFound`].
    pub fn certification(&self, uuid: Uuid) -> Result<CertificationAnswer> {
        self.certification_answer(&*self.matter::<Certification>(uuid)?)
    }

    /// The verdict that was given last on each version of a vocabulary that has one.
    pub(in crate::registry) fn certified(&self, vocabulary: Uuid) -> std::collections::HashMap<Uuid, CertifiedAnswer> {
        let snapshot = self.snapshot();
        let mut last: std::collections::HashMap<Uuid, CertifiedAnswer> = Default::default();
        for certification in snapshot.matters.all::<Certification>().filter(|c| c.vocabulary == vocabulary) {
            let Some((stamp, verdict, _)) = certification.verdicts.last() else { continue };
            let answer = CertifiedAnswer { uuid: certification.uuid, verdict: *verdict, at: stamp.at };
            let known = last.entry(certification.version).or_insert_with(|| answer.clone());
            if (known.at, known.uuid) < (answer.at, answer.uuid) {
                *known = answer;
            }
        }
        last
    }

    /// Puts on record that a version was submitted.
    ///
    /// # Errors
    /// [`crate::model::Code::NotAllowed`], [`crate::model::Code::UnknownVersion`], [`crate::model::Code::Unlawful`] for links that are not about the version.
    pub async fn submit_certification(
        &self,
        actor: &Actor,
        slug: &str,
        label: &str,
        request: CertificationRequest,
    ) -> Result<CertificationAnswer> {
        let version = self.version_of(slug, label)?;
        permit(actor, Command::Certify, Some(&*self.vocabulary_by(version.vocabulary)?))?;
        self.lawful_links(&version, &request.links)?;
        let (mut write, stamp) = self.lock(actor).await?;
        let CertificationRequest { reviewer, reference, links } = request;
        let (vocabulary, version) = (version.vocabulary, version.uuid);
        let step = CertificationStep::Submitted { vocabulary, version, reviewer, reference, links };
        let made: Certification = begin(&mut write, new_uuid(self.dice())?, &stamp, step).await?;
        self.settle(write).await?;
        self.certification_answer(&made)
    }

    /// Puts on record what the reviewers said.
    ///
    /// # Errors
    /// [`crate::model::Code::NotAllowed`], [`crate::model::Code::NotFound`], [`crate::model::Code::Phase`] when there is a final verdict.
    pub async fn judge(&self, actor: &Actor, uuid: Uuid, request: VerdictRequest) -> Result<CertificationAnswer> {
        let mut under = self.certification_for(actor, uuid).await?;
        let VerdictRequest { verdict, reasons } = request;
        under.step(CertificationStep::Judged { verdict, reasons }).await?;
        self.settle(under.write).await?;
        self.certification_answer(&under.matter)
    }

    /// Names the schema elements anew, all of them.
    ///
    /// # Errors
    /// As [`Registry::submit_certification`].
    pub async fn link_certification(
        &self,
        actor: &Actor,
        uuid: Uuid,
        links: Vec<SchemaLink>,
    ) -> Result<CertificationAnswer> {
        let mut under = self.certification_for(actor, uuid).await?;
        let version = self.version_by(under.matter.vocabulary, under.matter.version)?;
        self.lawful_links(&version, &links)?;
        if links != under.matter.links {
            under.step(CertificationStep::Linked { links }).await?;
            self.settle(under.write).await?;
        }
        self.certification_answer(&under.matter)
    }

    async fn certification_for(&self, actor: &Actor, uuid: Uuid) -> Result<Under<Certification>> {
        if matches!(actor, Actor::Public) {
            return Err(super::super::permission::not_signed_in());
        }
        let under = self.under::<Certification>(actor, uuid).await?;
        permit(actor, Command::Certify, Some(&*self.vocabulary_by(under.matter.vocabulary)?))?;
        Ok(under)
    }

    fn version_of(&self, slug: &str, label: &str) -> Result<Version> {
        let plane = self.plane(slug)?;
        let known = || plane.versions().iter().map(|v| v.label.to_string());
        let found = plane.version(label).ok_or_else(|| super::super::query::unknown_version(label, known()))?;
        Ok((**found).clone())
    }

    fn version_by(&self, vocabulary: Uuid, version: Uuid) -> Result<Version> {
        let snapshot = self.snapshot();
        let plane = snapshot.by_uuid(vocabulary).ok_or_else(|| super::none(vocabulary))?;
        let found = plane.versions().iter().find(|v| v.uuid == version).ok_or_else(|| super::none(version))?;
        Ok((**found).clone())
    }

    /// Refuses links of concepts that are not in the version.
    fn lawful_links(&self, version: &Version, links: &[SchemaLink]) -> Result<()> {
        let snapshot = self.snapshot();
        let plane = snapshot.by_uuid(version.vocabulary).ok_or_else(|| super::none(version.vocabulary))?;
        let edition = self.projections.edition(plane, version.point());
        match links.iter().position(|l| l.concept.is_some_and(|c| edition.get(c).is_none())) {
            None => Ok(()),
            Some(at) => {
                let (da, en) = ("begrebet er ikke i den version", "the concept is not in that version");
                Err(unlawful(&format!("links[{at}].concept"), da, en))
            }
        }
    }

    fn certification_answer(&self, of: &Certification) -> Result<CertificationAnswer> {
        let verdict = |(stamp, verdict, reasons): &(Stamp, CertificationVerdict, Prose)| VerdictAnswer {
            stamp: stamp.into(),
            verdict: *verdict,
            reasons: reasons.to_string(),
        };
        Ok(CertificationAnswer {
            uuid: of.uuid,
            vocabulary: self.vocabulary_by(of.vocabulary)?.slug().clone(),
            version: self.version_by(of.vocabulary, of.version)?.label,
            reviewer: of.reviewer.clone(),
            reference: of.reference.clone(),
            submitted: (&of.submitted).into(),
            verdicts: of.verdicts.iter().rev().map(verdict).collect(),
            links: of.links.clone(),
        })
    }
}
