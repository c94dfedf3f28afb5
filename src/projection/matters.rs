//! Everything that is worked on: the steps of matters, folded in the order of the log.

use std::sync::Arc;

use uuid::Uuid;

use super::Map;
use crate::model::{Code, Refusal, Result};
use crate::store::StepRow;
use crate::workflow::{Certification, ChangeRequest, Draft, DraftStep, Matter, Stamp, Work, WorkStep};

/// The matters, as of one position of the log. A copy is cheap: it shares what has not changed.
#[derive(Clone, Default, Debug)]
pub struct Matters {
    drafts: Map<Uuid, Arc<Draft>>,
    work: Map<Uuid, Arc<Work>>,
    requests: Map<Uuid, Arc<ChangeRequest>>,
    certifications: Map<Uuid, Arc<Certification>>,
    /// The draft of a hearing or of a decision, the group of a meeting.
    parts: Map<Uuid, Uuid>,
}

/// A matter that is kept here.
pub trait Kept: Matter {
    /// Where.
    fn map(matters: &Matters) -> &Map<Uuid, Arc<Self>>;

    #[doc(hidden)]
    fn map_mut(matters: &mut Matters) -> &mut Map<Uuid, Arc<Self>>;

    /// What a step makes that has a uuid of its own.
    #[must_use]
    fn part(_step: &Self::Step) -> Option<Uuid> {
        None
    }
}

macro_rules! kept {
    ($($matter:ident in $field:ident $(, $part:expr)?;)*) => {
        $(impl Kept for $matter {
            fn map(matters: &Matters) -> &Map<Uuid, Arc<Self>> {
                &matters.$field
            }
            fn map_mut(matters: &mut Matters) -> &mut Map<Uuid, Arc<Self>> {
                &mut matters.$field
            }
            $(fn part(step: &Self::Step) -> Option<Uuid> {
                let part: fn(&Self::Step) -> Option<Uuid> = $part;
                part(step)
            })?
        })*
    };
}

kept! {
    Draft in drafts, |step| match step {
        DraftStep::HearingPlanned { hearing, .. } => Some(*hearing),
        DraftStep::Decided { decision } => Some(decision.uuid),
        _ => None,
    };
    Work in work, |step| match step {
        WorkStep::Called { meeting, .. } => Some(*meeting),
        _ => None,
    };
    ChangeRequest in requests;
    Certification in certifications;
}

impl Matters {
    /// A matter.
    #[must_use]
    pub fn get<M: Kept>(&self, uuid: Uuid) -> Option<&Arc<M>> {
        M::map(self).get(&uuid)
    }

    /// All matters of a kind, in no order.
    pub fn all<M: Kept>(&self) -> impl Iterator<Item = &Arc<M>> + '_ {
        M::map(self).values()
    }

    /// The matter of which something with a uuid of its own is a part: the draft of a hearing or of a decision, the
    /// group of a meeting.
    #[must_use]
    pub fn whole_of(&self, part: Uuid) -> Option<Uuid> {
        self.parts.get(&part).copied()
    }

    /// A matter that others have otherwise, or do not have. Where they have taken more steps, they are only ahead.
    #[must_use]
    pub fn unlike(&self, others: &Self) -> Option<Uuid> {
        fn one<M: Kept + PartialEq>(ours: &Matters, others: &Matters) -> Option<Uuid> {
            let differs = |(uuid, matter): &(&Uuid, &Arc<M>)| match others.get::<M>(**uuid) {
                Some(other) if other.steps() > matter.steps() => false,
                other => other != Some(*matter),
            };
            M::map(ours).iter().find(differs).map(|(uuid, _)| *uuid)
        }
        let parts = || self.parts.iter().find(|(part, whole)| others.parts.get(part) != Some(whole)).map(|(p, _)| *p);
        one::<Draft>(self, others)
            .or_else(|| one::<Work>(self, others))
            .or_else(|| one::<ChangeRequest>(self, others))
            .or_else(|| one::<Certification>(self, others))
            .or_else(parts)
    }

    /// Takes in the next step of the log.
    ///
    /// # Errors
    /// [`Code::Corrupt`] when it is not the next one, or one that the rules would have refused.
    pub fn take(&mut self, row: &StepRow) -> Result<()> {
        match row.kind.as_str() {
            Draft::KIND => self.fold::<Draft>(row),
            Work::KIND => self.fold::<Work>(row),
            ChangeRequest::KIND => self.fold::<ChangeRequest>(row),
            Certification::KIND => self.fold::<Certification>(row),
            _ => Err(wrong(row, &"its kind is unknown")),
        }
    }

    fn fold<M: Kept>(&mut self, row: &StepRow) -> Result<()> {
        let (stamp, step) = read::<M>(row)?;
        let part = M::part(&step);
        let map = M::map_mut(self);
        match map.get_mut(&row.matter) {
            Some(matter) if matter.steps() + 1 == row.number => {
                Arc::make_mut(matter).take(&stamp, step).map_err(|r| wrong(row, &r))?;
            }
            None if row.number == 1 => {
                let matter = M::begin(row.matter, &stamp, step).map_err(|r| wrong(row, &r))?;
                map.insert(row.matter, Arc::new(matter));
            }
            _ => return Err(wrong(row, &"it is not the next one")),
        }
        if let Some(part) = part {
            self.parts.insert(part, row.matter);
        }
        Ok(())
    }
}

/// A step as it lies on disk, with its stamp.
///
/// # Errors
/// [`Code::Corrupt`].
pub fn read<M: Matter>(row: &StepRow) -> Result<(Stamp, M::Step)> {
    let by = row.actor.parse().map_err(|r: Refusal| wrong(row, &r))?;
    let step = serde_json::from_str(&row.body).map_err(|e| wrong(row, &e))?;
    Ok((Stamp { at: row.at, by }, step))
}

fn wrong(row: &StepRow, why: &dyn std::fmt::Display) -> Refusal {
    let (matter, number) = (row.matter, row.number);
    Refusal::new(
        Code::Corrupt,
        format!("skridt {number} af {matter} kan ikke læses: {why}"),
        format!("step {number} of {matter} cannot be read: {why}"),
    )
}
