//! Laying a draft over another version: concept by concept, with both texts of what both sides changed.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use super::compared::{Differing, differing};
use super::fields::{field_name, told};
use super::form::{Refused, mends};
use super::sent::Sent;
use super::steps::made_of;
use super::{Answer, Head, say, see, uuid};
use crate::http::api::App;
use crate::http::negotiate::{Caller, reads_danish};
use crate::http::params::{Nothing, Params};
use crate::http::private::page;
use crate::http::problem::status;
use crate::http::who::Who;
use crate::model::{Code, ContentFields, Place, Refusal, Result};
use crate::registry::{Actor, NamedConcept, RebaseRequest, SettledConflict};
use crate::workflow::Choice;

/// What both sides changed, as the registry tells it.
#[derive(Deserialize)]
struct Told {
    concept: Uuid,
    fields: Vec<String>,
    base: Option<ContentFields<String>>,
    theirs: Option<ContentFields<String>>,
    ours: Option<ContentFields<String>>,
}

/// A conflict as the page shows it: what each side made of the version below.
struct Conflict {
    concept: NamedConcept,
    fields: Vec<&'static str>,
    theirs: Option<Vec<Differing>>,
    ours: Option<Vec<Differing>>,
    taken: String,
}

#[derive(Template)]
#[template(path = "draft-rebase.html")]
struct RebasePage {
    da: bool,
    head: Head,
    made: String,
    onto: String,
    reason: String,
    /// What was settled before, for conflicts that are not shown again.
    kept: Vec<(String, String)>,
    conflicts: Vec<Conflict>,
    refused: Option<Refused>,
}

impl RebasePage {
    fn has(&self, conflict: &Conflict, side: &str) -> bool {
        conflict.taken == side
    }

    fn marked(&self, name: &str) -> &'static str {
        let wrong = self.refused.as_ref().and_then(|r| r.wrong.as_ref());
        if wrong.is_some_and(|(at, _)| at == name) { " aria-invalid=\"true\" aria-describedby=\"problem\"" } else { "" }
    }
}

pub async fn form(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    let head = Head::of(&app, &actor, uuid(&draft)?, reads_danish(&headers)).await?;
    if !head.may_edit() {
        return Err(super::concept::may_not_edit().into());
    }
    Ok(page(StatusCode::OK, &shown(head, &Sent::default()))?)
}

fn shown(head: Head, sent: &Sent) -> RebasePage {
    let kept = sent.fields().iter().filter(|(name, side)| name.starts_with("take-") && !side.is_empty());
    RebasePage {
        da: head.da,
        made: head.tag(),
        onto: sent.field("onto").to_owned(),
        reason: sent.field("reason").to_owned(),
        kept: kept.cloned().collect(),
        conflicts: Vec::new(),
        refused: None,
        head,
    }
}

pub async fn lay(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (draft, da, sent) = (uuid(&draft)?, reads_danish(&headers), Sent::read(&bytes)?);
    match laid(&app, &actor, draft, &sent).await {
        Ok(()) => Ok(see(&format!("/drafts/{draft}"))),
        Err(refusal) if !mends(&refusal) => Err(refusal.into()),
        Err(refusal) => {
            let mut template = shown(Head::of(&app, &actor, draft, da).await?, &sent);
            if refusal.code == Code::Conflict {
                template.conflicts = conflicts(&app, &actor, draft, &refusal, da)?;
                let shown: Vec<String> =
                    template.conflicts.iter().map(|c| format!("take-{}", c.concept.uuid)).collect();
                template.kept.retain(|(name, _)| !shown.contains(name));
            }
            if refusal.place.field.as_deref() == Some("settled") {
                // It was settled for another version: what is in conflict now is asked anew.
                template.kept.clear();
            }
            // The concepts stand below, each with both texts.
            let told = Refusal { items: Vec::new(), ..refusal.clone() };
            let mut refused = Refused::new(&told, da, |field| called(field, da));
            if let [_] = template.conflicts[..] {
                let (danish, english) =
                    ("Ét begreb er ændret på begge sider.", "One concept was changed on both sides.");
                refused.text = format!(
                    "{} {}",
                    say(da, danish, english),
                    say(da, "Vælg, hvad der skal stå.", "Choose what is to stand.")
                );
            }
            template.refused = Some(refused);
            Ok(page(status(&refusal), &template)?)
        }
    }
}

fn called(field: &str, da: bool) -> Option<(String, String)> {
    let label = match field {
        "reason" => say(da, "Begrundelse", "Reason"),
        "onto" => "Version",
        _ => return None,
    };
    Some((field.to_owned(), label.to_owned()))
}

async fn laid(app: &App, actor: &Actor, draft: Uuid, sent: &Sent) -> Result<()> {
    let mut settled = Vec::new();
    for (name, side) in sent.fields() {
        let Some(concept) = name.strip_prefix("take-").and_then(|c| Uuid::try_parse(c).ok()) else { continue };
        let take = match side.as_str() {
            "ours" => Choice::Ours,
            "theirs" => Choice::Theirs,
            _ => continue,
        };
        settled.push(SettledConflict { concept, take: Some(take), content: None });
    }
    let onto = sent.said("onto").map(|_| sent.read_as("onto")).transpose()?;
    let request = RebaseRequest { onto, reason: sent.reason()?, settled };
    app.rebase_draft(actor, draft, request, &made_of(sent)).await.map(drop).map_err(|r| match r.code {
        Code::UnknownVersion => Refusal { place: Place::field("onto"), ..r },
        _ => r,
    })
}

fn conflicts(app: &App, actor: &Actor, draft: Uuid, refusal: &Refusal, da: bool) -> Result<Vec<Conflict>> {
    let told: Option<Vec<Told>> = refusal.conflict.as_deref().and_then(|c| serde_json::from_value(c.clone()).ok());
    let told = told.unwrap_or_default();
    let sides = |t: &Told| [t.base.clone(), t.theirs.clone(), t.ours.clone()];
    let targets = told.iter().flat_map(sides).flatten().flat_map(|f| f.relations).map(|r| r.target);
    let targets: Vec<Uuid> = targets.filter_map(|t| Uuid::try_parse(&t).ok()).collect();
    let named = told.iter().map(|t| t.concept).chain(targets);
    let names = app.called_in_draft(actor, draft, named.collect::<Vec<_>>())?;
    let name = |target: &String| {
        let found = Uuid::try_parse(target).ok().and_then(|u| names.get(&u));
        found.map_or_else(|| target.clone(), |n| format!("{} {}", n.key, n.label))
    };
    let side = |of: &Option<ContentFields<String>>| of.as_ref().map(|f| self::told(f, name, da));
    let conflict = |t: &Told| {
        let base = side(&t.base).unwrap_or_default();
        Some(Conflict {
            concept: names.get(&t.concept)?.clone(),
            fields: t.fields.iter().map(|f| field_name(f, da)).collect(),
            theirs: side(&t.theirs).map(|theirs| differing(&base, &theirs)),
            ours: side(&t.ours).map(|ours| differing(&base, &ours)),
            taken: String::new(),
        })
    };
    Ok(told.iter().filter_map(conflict).collect())
}
