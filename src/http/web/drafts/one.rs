//! The page of a draft: where it stands, what is doubtful about it, and what it changes.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Answer, Head, ROWS, say, segment, used_by, uuid};
use crate::exchange::paper::{Tongue, told_kinds};
use crate::http::api::{App, aside, tongue};
use crate::http::negotiate::{Caller, reads_danish};
use crate::http::params::Params;
use crate::http::private::page;
use crate::http::who::Who;
use crate::model::{Place, Refusal, Result};
use crate::quality::{Finding, Weight};
use crate::registry::{Actor, Command, HearingSummary, Moment, NamedConcept};
use crate::workflow::{HearingStage, Phase};

/// The most concepts of which the differences are told on the page without being asked for.
const TOLD: usize = 100;

/// Which moments are compared.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Compared {
    /// The moment before.
    from: Option<String>,
    /// The moment after.
    to: Option<String>,
    /// `yes` for all concepts, however many.
    all: Option<String>,
}

/// A concept that the draft changes.
struct Changed {
    concept: NamedConcept,
    kinds: Vec<String>,
    /// What uses it.
    used: Option<String>,
}

#[derive(Template)]
#[template(path = "draft-page.html")]
struct DraftPage {
    da: bool,
    head: Head,
    changed: Vec<Changed>,
    changes: usize,
    findings: Vec<Finding>,
    names: BTreeMap<Uuid, NamedConcept>,
    hearings: Vec<HearingSummary>,
    from: String,
    to: String,
    diff: Option<String>,
    /// Why there is no diff.
    refused: Option<String>,
    /// Whether its digest can be approved: the one that is looked at now.
    digest: Option<String>,
}

impl DraftPage {
    fn at(&self, concept: &NamedConcept) -> String {
        format!("/drafts/{}/concepts/{}", self.head.draft.uuid, segment(&concept.key))
    }

    fn is_error(&self, finding: &Finding) -> bool {
        finding.weight == Weight::Error
    }

    fn about(&self, finding: &Finding) -> Option<&NamedConcept> {
        self.names.get(&finding.concept?)
    }

    /// The moments that can be compared.
    fn moments(&self) -> Vec<(String, String)> {
        let mut moments: Vec<(String, String)> = Vec::new();
        let base = self.head.draft.base.as_ref();
        let below = base.map_or_else(
            || say(self.da, "begyndelsen", "the beginning").to_owned(),
            |b| format!("version {}", b.label),
        );
        moments.push(("base".into(), below));
        if self.head.draft.overtaken {
            moments.push(("in-force".into(), say(self.da, "den gældende version", "the version in force").into()));
        }
        if self.hearings.iter().any(|h| !matches!(h.stage, HearingStage::Planned | HearingStage::Cancelled)) {
            moments.push(("hearing".into(), say(self.da, "det, der blev hørt", "what was heard").into()));
        }
        let edits = self.head.draft.edits;
        // Of a long draft the last edits; an address takes any.
        let first = edits.saturating_sub(ROWS);
        moments.extend((first..edits).filter(|n| *n > 0).map(|n| {
            let name = say(self.da, "efter rettelse", "after edit");
            (n.to_string(), format!("{name} {n}"))
        }));
        moments.push(("now".into(), say(self.da, "nu", "now").into()));
        moments
    }

    /// The steps that the reader may take, with where they are taken.
    fn steps(&self) -> Vec<(String, &'static str)> {
        let (head, da) = (&self.head, self.da);
        let (phase, base) = (head.draft.phase, format!("/drafts/{}", head.draft.uuid));
        let mut steps = Vec::new();
        let mut offer = |is: bool, place: &str, danish, english| {
            if is {
                steps.push((format!("{base}/{place}"), say(da, danish, english)));
            }
        };
        let (steer, open) = (head.may(Command::SteerDraft), phase.is_open());
        offer(steer && phase == Phase::Drafting, "phase/review", "Send til kvalitetssikring", "Send to review");
        let planned = self.hearings.iter().any(|h| h.stage == HearingStage::Planned);
        let between = self.hearings.iter().any(|h| matches!(h.stage, HearingStage::Open | HearingStage::Closed));
        offer(head.may(Command::HoldHearing) && !planned && !between, "hearing", "Send i høring", "Hold a hearing");
        offer(
            head.may(Command::Recommend) && !head.draft.overtaken && !between,
            "recommend",
            "Indstil til beslutning",
            "Recommend",
        );
        let adopted = phase == Phase::Adopted || head.offer.governance.publishes_without_decision();
        offer(head.may(Command::PublishDraft) && adopted, "publish", "Udgiv som version", "Publish as a version");
        offer(head.may_edit() && head.draft.overtaken, "rebase", "Læg over den gældende version", "Rebase");
        offer(steer && phase == Phase::Recommended, "phase/recall", "Kald indstillingen tilbage", "Recall");
        offer(steer && phase.is_editable() && !planned, "phase/hold", "Sæt i bero", "Put on hold");
        offer(steer && phase == Phase::OnHold, "phase/resume", "Genoptag", "Resume");
        offer(
            steer && open && !planned && phase != Phase::InHearing,
            "phase/withdraw",
            "Træk kladden",
            "Withdraw the draft",
        );
        offer(steer, "describe", "Ret titel, formål og gruppe", "Change title, purpose and group");
        steps
    }
}

pub async fn one(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Params(compared, ..): Params<Compared>,
    Caller(headers): Caller,
) -> Answer {
    let (draft, da) = (uuid(&draft)?, reads_danish(&headers));
    let head = Head::of(&app, &actor, draft, da).await?;
    let hearings = app.hearings(&actor.clone().into(), Some(draft), &super::list::whole(100))?.items;
    let (from, to) = (compared.from.unwrap_or_else(|| "base".into()), compared.to.unwrap_or_else(|| "now".into()));
    let all = compared.all.as_deref() == Some("yes");
    let moments = moment_of(&from, "from").and_then(|f| Ok((f, moment_of(&to, "to")?)));
    let may_approve = head.may(Command::Approve) && head.offer.four_eyes;
    let (told, tongue) = ((app.clone(), actor), tongue(&headers));
    let (looked, diff) = aside(async move {
        let (app, actor) = told;
        let looked = looked(&app, &actor, draft, (may_approve, da))?;
        let diff = moments.and_then(|(from, to)| {
            let paper = app.draft_diff_first(&actor, draft, from, to, if all { usize::MAX } else { TOLD })?;
            let few = paper.concepts.len() == paper.count;
            Ok(few.then(|| paper.document(tongue).html_fragment(2)))
        });
        Ok((looked, diff))
    })
    .await?;
    let (diff, refused) = match diff {
        Ok(diff) => (diff, None),
        Err(refusal) => (None, Some(crate::http::private::sentence(if da { &refusal.da } else { &refusal.en }))),
    };
    let status = if refused.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let Looked { changed, changes, findings, names, digest } = looked;
    let template = DraftPage { da, head, changed, changes, findings, names, hearings, from, to, diff, refused, digest };
    Ok(page(status, &template)?)
}

fn moment_of(text: &str, field: &'static str) -> Result<Moment> {
    text.parse().map_err(|r: Refusal| r.at(Place::field(field)))
}

/// What is found out about a draft where it holds up nobody.
struct Looked {
    changed: Vec<Changed>,
    changes: usize,
    findings: Vec<Finding>,
    names: BTreeMap<Uuid, NamedConcept>,
    digest: Option<String>,
}

fn looked(app: &App, actor: &Actor, draft: Uuid, (may_approve, da): (bool, bool)) -> Result<Looked> {
    let concepts = app.draft_concepts(actor, draft, &super::list::whole(ROWS))?;
    let mut findings = app.draft_findings(actor, draft, false)?;
    findings.truncate(ROWS);
    let named = concepts.items.iter().map(|c| c.uuid).chain(findings.iter().filter_map(|f| f.concept));
    let names = app.called_in_draft(actor, draft, named)?;
    let changes = concepts.total;
    let used = app.draft_usages(actor, draft)?.into_iter();
    let used: BTreeMap<Uuid, String> = used.filter_map(|u| Some((u.concept, used_by(&u.used, da)?))).collect();
    let tongue = if da { Tongue::Danish } else { Tongue::English };
    let mut changed: Vec<Changed> = concepts
        .items
        .into_iter()
        .filter_map(|c| {
            let (concept, used) = (names.get(&c.uuid)?.clone(), used.get(&c.uuid).cloned());
            let kinds = told_kinds(&c.kinds, c.meaning, tongue);
            Some(Changed { concept, kinds, used })
        })
        .collect();
    changed.sort_by(|a, b| (&a.concept.key, &a.concept.label).cmp(&(&b.concept.key, &b.concept.label)));
    // Of a draft that cannot be published there is nothing to approve; of one that was adopted, what was decided on.
    let matter = app.draft(actor, draft)?;
    let digest = || match matter.adopted() {
        Some(decision) => Some(decision.digest),
        None => app.draft_preview(actor, draft).ok().map(|report| report.manifest.digest),
    };
    let digest = may_approve.then(digest).flatten().map(|digest| digest.to_string());
    Ok(Looked { changed, changes, findings, names, digest })
}
