//! What the keeper of a code set must do, and before when.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::check::{self, ComingChange};
use super::super::permission::Actor;
use super::super::{Events, Reference, Registry, read};
use super::{TOLD, UsageAnswer, answer, apart};
use crate::model::{Code, Instant, Place, Point, Refusal, Result, Slug, Usage, UsageForm, UsedCode, parse_date};
use crate::projection::{Snapshot, Using};

/// A change that touches a code.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// The vocabulary.
    #[schema(value_type = String)]
    pub vocabulary: Slug,
    /// The codes of the set that name the concept, as they were given.
    pub codes: Vec<String>,
    /// The concept, as it is called now.
    pub concept: Reference,
    /// What happens, and from when.
    #[serde(flatten)]
    pub change: ComingChange,
    /// Whether it was decided before what was acknowledged.
    pub acknowledged: bool,
}

/// What must be done.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TasksAnswer {
    /// The set.
    pub usage: UsageAnswer,
    /// The day before which was asked; absent when everything that is decided was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub before: Option<Instant>,
    /// The position of the change log that this answer knows: acknowledge up to here when it is done.
    pub position: i64,
    /// What takes effect later, the next first.
    pub coming: Vec<Task>,
    /// What has taken effect and was not acknowledged, oldest first.
    pub past: Vec<Task>,
    /// How many codes name no concept.
    pub unresolved_count: usize,
    /// Those codes; the first 1 000. All of them are had, page by page, as `codes?unresolved=true`.
    pub unresolved: Vec<UsedCode>,
}

impl Registry {
    /// What the keeper of a code set must do before a day: what takes effect until it begins, and what has and is not
    /// acknowledged. Of the codes that name no concept some are told, after those that are passed over.
    ///
    /// # Errors
    /// As [`Registry::usage`]; [`Code::InvalidDate`].
    pub async fn tasks(
        &self,
        actor: &Actor,
        uuid: Uuid,
        before: Option<&str>,
        language: &str,
        passed_over: usize,
    ) -> Result<TasksAnswer> {
        let before = before.map(parse_date).transpose().map_err(|r| r.at(Place::field("before")))?;
        let before = before.map(Instant::from_date);
        let using = self.kept(actor, UsageForm::CodeSet, uuid).await?;
        let codes = self.store.usage_codes(uuid).await?;
        let (snapshot, today, language) = (self.snapshot(), self.projections.today(), language.to_owned());
        let (position, usage) = (snapshot.position, answer(&snapshot, &using));
        let ((coming, past), codes) =
            apart(move || (sorted(&snapshot, &using, &codes, today, before, &language), codes)).await?;
        let unresolved_count = super::unresolved(&codes);
        let unresolved = codes.into_iter().filter(|c| c.concept.is_none());
        let unresolved = unresolved.skip(passed_over).take(TOLD).collect();
        Ok(TasksAnswer { usage, before, position, coming, past, unresolved_count, unresolved })
    }

    /// Says that what happened up to a position of the change log has been dealt with. An earlier position than before
    /// changes nothing.
    ///
    /// # Errors
    /// As [`Registry::usage`]; [`Code::InvalidParameter`] for a position that the log does not have.
    pub async fn acknowledge(&self, actor: &Actor, uuid: Uuid, position: i64) -> Result<UsageAnswer> {
        let (mut write, usage) = self.begin_usage(actor, UsageForm::CodeSet, uuid).await?;
        let head = write.facts().head().await?.seq;
        if !(0..=head).contains(&position) {
            let (da, en) =
                (format!("loggen har ingen plads {position}"), format!("the log has no position {position}"));
            let refusal = Refusal::new(Code::InvalidParameter, da, en).at(Place::field("position"));
            return Err(refusal.allowed([format!("0..{head}")]));
        }
        if position <= usage.acknowledged.0 {
            return self.described(&usage);
        }
        let row = write.facts().changes(position - 1, 1).await?;
        let at = row.first().map_or(usage.acknowledged.1, |row| row.at);
        let usage = Usage { acknowledged: (position, at), ..usage };
        write.describe_usage(&usage).await?;
        self.commit(write).await?;
        self.described(&usage)
    }

    /// The events that touch the concepts of a code set, and those that replace them.
    ///
    /// # Errors
    /// As [`Registry::usage`].
    pub async fn code_set_events(&self, actor: &Actor, uuid: Uuid, after: i64, limit: usize) -> Result<Events> {
        self.kept(actor, UsageForm::CodeSet, uuid).await?;
        self.events(after, limit, &*self.codeset_filter(uuid)?).await
    }
}

/// What is coming, and what is past.
fn sorted(
    snapshot: &Snapshot,
    using: &Using,
    codes: &[UsedCode],
    today: Instant,
    before: Option<Instant>,
    language: &str,
) -> (Vec<Task>, Vec<Task>) {
    // What takes effect with a day must be done before it.
    let until = before.unwrap_or(Instant::FOREVER);
    let acknowledged = using.usage.acknowledged.1;
    let mut named: BTreeMap<Uuid, (Instant, Vec<String>)> = BTreeMap::new();
    for code in codes {
        let Some(concept) = code.concept else { continue };
        let entry = named.entry(concept).or_insert_with(|| (code.added, Vec::new()));
        entry.0 = entry.0.min(code.added);
        entry.1.push(code.code.clone());
    }
    let (mut coming, mut past) = (Vec::new(), Vec::new());
    for (concept, (added, codes)) in named {
        let owner = snapshot.planes().iter().find(|p| !p.sayings(concept).is_empty());
        let Some(plane) = owner else { continue };
        let passivation = check::passivation(plane, concept).filter(|(turn, _)| turn.on <= until);
        let turns = check::turns(plane, concept, Instant::BEGINNING, until).into_iter().map(|turn| (turn, None));
        for (turn, told) in turns.chain(passivation.map(|(turn, change)| (turn, Some(change)))) {
            // What has been so since before it was acknowledged, or before the code was there, is no news; but a
            // code that was retired already when it was put in must not be used.
            let news = turn.decided.max(turn.on);
            let gone = || {
                let at = Point { valid: turn.on, registered: Instant::FOREVER };
                plane.says(concept, at).is_none()
            };
            let due = turn.on > today || news.max(added) > acknowledged && (news >= added || gone());
            if !due {
                continue;
            }
            let Some(change) = told.or_else(|| check::coming(plane, concept, &turn, language)) else { continue };
            let now = Point { valid: today, registered: Instant::FOREVER };
            let Some(nearest) = plane.nearest(concept, now) else { continue };
            let list = if turn.on > today { &mut coming } else { &mut past };
            list.push(Task {
                vocabulary: plane.vocabulary().slug().clone(),
                codes: codes.clone(),
                concept: read::named(nearest, language),
                acknowledged: turn.decided <= acknowledged,
                change,
            });
        }
    }
    for list in [&mut coming, &mut past] {
        list.sort_by(|a, b| (a.change.on, &a.vocabulary, &a.codes).cmp(&(b.change.on, &b.vocabulary, &b.codes)));
    }
    (coming, past)
}
