//! OIO certification: a version is submitted to reviewers, and what they say stays on record.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Line, Matter, Prose, Stamp, capped, out_of_turn};
use crate::model::{ChangeKind, Code, Place, Refusal, Result};

/// What reviewers say.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum CertificationVerdict {
    /// It is certified.
    Certified,
    /// It is certified when some things are done.
    Conditional,
    /// It is not.
    Rejected,
}

/// A concept and the element of a schema that stands for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SchemaLink {
    /// The concept; the whole version when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concept: Option<Uuid>,
    /// The IRI of the element.
    pub element: Line,
}

/// A step of a certification.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is the one of the state that it sets")]
pub enum CertificationStep {
    /// A version is submitted.
    Submitted {
        vocabulary: Uuid,
        version: Uuid,
        reviewer: Line,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Line>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        links: Vec<SchemaLink>,
    },
    /// The reviewers have spoken.
    Judged { verdict: CertificationVerdict, reasons: Prose },
    /// Other links to schema elements.
    Linked { links: Vec<SchemaLink> },
}

/// A certification as its steps have made it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certification {
    /// For ever.
    pub uuid: Uuid,
    /// The vocabulary.
    pub vocabulary: Uuid,
    /// The version.
    pub version: Uuid,
    /// Who looks at it.
    pub reviewer: Line,
    /// What the reviewers call the submission.
    pub reference: Option<Line>,
    /// The schema elements.
    pub links: Vec<SchemaLink>,
    /// When it was submitted, and by whom.
    pub submitted: Stamp,
    /// What was said: when, what, why. The last one counts.
    pub verdicts: Vec<(Stamp, CertificationVerdict, Prose)>,
    /// The last step.
    pub last: Stamp,
    steps: i64,
}

impl Matter for Certification {
    type Step = CertificationStep;

    const KIND: &'static str = "certification";

    fn begin(uuid: Uuid, stamp: &Stamp, step: CertificationStep) -> Result<Self> {
        let CertificationStep::Submitted { vocabulary, version, reviewer, reference, links } = step else {
            return Err(out_of_turn("der er ikke indstillet noget", "nothing has been submitted"));
        };
        lawful(&links)?;
        let (submitted, last, verdicts) = (stamp.clone(), stamp.clone(), Vec::new());
        Ok(Self { uuid, vocabulary, version, reviewer, reference, links, submitted, verdicts, last, steps: 1 })
    }

    fn take(&mut self, stamp: &Stamp, step: CertificationStep) -> Result<()> {
        match step {
            CertificationStep::Submitted { .. } => {
                return Err(out_of_turn("det er indstillet", "it has been submitted"));
            }
            CertificationStep::Judged { verdict, reasons } => {
                let done = |v: &CertificationVerdict| *v != CertificationVerdict::Conditional;
                if self.verdicts.last().is_some_and(|(_, v, _)| done(v)) {
                    return Err(out_of_turn(
                        "der er truffet afgørelse; en ny indstilling er vejen",
                        "there is a verdict; a new submission is the way",
                    ));
                }
                self.verdicts.push((stamp.clone(), verdict, reasons));
            }
            CertificationStep::Linked { links } => {
                lawful(&links)?;
                self.links = links;
            }
        }
        self.last = stamp.clone();
        self.steps += 1;
        Ok(())
    }

    fn kind(step: &CertificationStep) -> ChangeKind {
        match step {
            CertificationStep::Submitted { .. } => ChangeKind::CertificationSubmitted,
            CertificationStep::Judged { .. } => ChangeKind::CertificationJudged,
            CertificationStep::Linked { .. } => ChangeKind::CertificationLinked,
        }
    }

    fn steps(&self) -> i64 {
        self.steps
    }

    fn vocabulary(&self) -> Uuid {
        self.vocabulary
    }
}

/// The most schema elements of a certification.
const MOST_LINKS: usize = 10_000;

fn lawful(links: &[SchemaLink]) -> Result<()> {
    let iri = |l: &SchemaLink| l.element.as_str().contains(':') && !l.element.as_str().contains(char::is_whitespace);
    match links.iter().position(|l| !iri(l)) {
        _ if links.len() > MOST_LINKS => capped("links", links.len(), MOST_LINKS),
        Some(at) => Err(Refusal::new(Code::Unlawful, "et element er en IRI", "an element is an IRI")
            .at(Place::field(format!("links[{at}].element")))),
        None => Ok(()),
    }
}
