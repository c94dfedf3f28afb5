//! What is done to a concept as a whole: retired, replaced, split, merged, moved.

use axum::body::Bytes;
use axum::extract::{Path, State};
use uuid::Uuid;

use super::fields::kinds_above;
use super::form::{Field, FormPage, Input, html, settle};
use super::sent::Sent;
use super::steps::made_of;
use super::{Answer, Head, say, segment, uuid};
use crate::http::api::App;
use crate::http::negotiate::{Caller, reads_danish};
use crate::http::params::{Nothing, Params};
use crate::http::who::Who;
use crate::model::{
    Code, ContentFields, Definition, Language, Place, Refusal, Relation, RelationKind, Result, Term, TermStatus,
};
use crate::registry::{
    Actor, EditRequest, NamedConcept, OperationRequest, PartRequest, ProposedAnswer, RelationRequest,
};

/// How many concepts one is split into at most on a page, and how many concepts above it may have there.
const PARTS: usize = 6;
const ABOVE: usize = 4;

/// A concept that something is to be done to.
struct Subject {
    head: Head,
    named: NamedConcept,
    proposed: ProposedAnswer,
    content: ContentFields,
    above: Vec<(RelationKind, String)>,
    offered: Vec<(String, String)>,
    language: Language,
}

impl Subject {
    async fn of(app: &App, actor: &Actor, draft: Uuid, key: &str, da: bool) -> Result<Self> {
        let head = Head::of(app, actor, draft, da).await?;
        let proposed = app.draft_concept(actor, draft, key)?;
        let content = proposed.content.clone().ok_or_else(|| {
            let (da, en) = ("kladden lader begrebet udgå", "the draft retires the concept");
            Refusal::new(Code::UnknownConcept, da, en)
        })?;
        let targets = content.relations.iter().map(|r| r.target).chain([proposed.uuid]);
        let mut names = app.called_in_draft(actor, draft, targets.collect::<Vec<_>>())?;
        let named = names.remove(&proposed.uuid).ok_or_else(super::concept::may_not_edit)?;
        let upwards = content.relations.iter().filter(|r| is_above(r.kind));
        let above = upwards.filter_map(|r| Some((r.kind, names.get(&r.target)?.key.clone()))).collect();
        let offered = app.find_in_draft(actor, draft, "", 300)?;
        let few = offered.concepts.len() == offered.total;
        let offered = if few { offered.concepts } else { Vec::new() };
        let offered = offered.into_iter().map(|c| (c.key, c.label)).collect();
        let vocabulary = app.vocabulary(head.draft.vocabulary.as_str())?.vocabulary;
        let language = vocabulary.languages.first().cloned().unwrap_or_else(Language::danish);
        Ok(Self { head, named, proposed, content, above, offered, language })
    }

    /// The content of a new concept: where the old one stands, with other words.
    fn part(&self, sent: &Sent, number: usize) -> Result<PartRequest> {
        let field = |name: &str| format!("{name}-{number}");
        let relations = self.content.relations.iter().filter(|r| is_above(r.kind)).cloned();
        let relations = relations.map(|r| Relation {
            kind: r.kind,
            target: r.target.to_string(),
            criterion: r.criterion,
            role: r.role,
        });
        let term = sent.said(&field("term")).ok_or_else(|| {
            let (da, en) = ("skriv begrebets term", "write the term of the concept");
            Refusal::new(Code::Unlawful, da, en).at(Place::field(field("term")))
        })?;
        let notation = sent.said(&field("notation")).map(ToOwned::to_owned);
        let definition = sent.said(&field("definition"));
        let content = ContentFields {
            notation: notation.clone(),
            terms: vec![Term::plain(self.language.clone(), TermStatus::Preferred, term)],
            definitions: definition.map(|d| Definition::plain(self.language.clone(), d)).into_iter().collect(),
            relations: relations.collect(),
            ..ContentFields::default()
        };
        Ok(PartRequest { concept: notation, content })
    }
}

fn is_above(kind: RelationKind) -> bool {
    matches!(kind, RelationKind::Generic | RelationKind::Partitive)
}

pub async fn form(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, key, operation)): Path<(String, String, String)>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    let subject = Subject::of(&app, &actor, uuid(&draft)?, &key, reads_danish(&headers)).await?;
    if !subject.head.may_edit() {
        return Err(super::concept::may_not_edit().into());
    }
    asked(subject, &operation, None)?.shown()
}

pub async fn carry_out(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, key, operation)): Path<(String, String, String)>,
    Caller(headers): Caller,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (draft, da, sent) = (uuid(&draft)?, reads_danish(&headers), Sent::read(&bytes)?);
    let done = done(&app, &actor, (draft, &key), &operation, &sent, da).await;
    settle(done, async || asked(Subject::of(&app, &actor, draft, &key, da).await?, &operation, Some(&sent))).await
}

fn no_operation() -> Refusal {
    Refusal::new(Code::NotFound, "der er intet på denne adresse", "there is nothing at this address")
}

/// Does what a form asks for; where the work is seen.
async fn done(
    app: &App,
    actor: &Actor,
    (draft, key): (Uuid, &str),
    operation: &str,
    sent: &Sent,
    da: bool,
) -> Result<String> {
    let subject = Subject::of(app, actor, draft, key, da).await?;
    let concept = subject.proposed.uuid;
    let request = EditRequest { reason: sent.reason()?, because: None, meaning: None };
    let key = concept.to_string();
    let wanted = match operation {
        "retire" => {
            app.retire_concept(actor, draft, &key, &made_of(sent), request).await?;
            return Ok(format!("/drafts/{draft}/concepts/{concept}"));
        }
        "replace" => OperationRequest::Replace { old: key, new: subject.part(sent, 1)? },
        "split" => {
            let named =
                |n: &usize| ["notation", "term", "definition"].iter().any(|f| sent.said(&format!("{f}-{n}")).is_some());
            let into = (1..=PARTS).filter(named).map(|n| subject.part(sent, n)).collect::<Result<_>>()?;
            OperationRequest::Split { old: key, into }
        }
        "merge" => merged(app, actor, draft, &subject, sent)?,
        "move" => OperationRequest::Move { concept: key, under: above(app, actor, draft, &subject, sent)?, rank: None },
        _ => return Err(no_operation()),
    };
    let edit = app.edit_draft(actor, draft, wanted, &made_of(sent), request).await?;
    let stays = edit.effects.iter().rev().find(|e| e.after.is_some()).map_or(concept, |e| e.concept);
    Ok(match operation {
        "split" => format!("/drafts/{draft}/edits"),
        _ => format!("/drafts/{draft}/concepts/{stays}"),
    })
}

/// One concept instead of several: one that is there keeps its words, a new one has those of the form.
fn merged(app: &App, actor: &Actor, draft: Uuid, subject: &Subject, sent: &Sent) -> Result<OperationRequest> {
    let others = sent.field("others").lines().map(str::trim).filter(|l| !l.is_empty()).map(ToOwned::to_owned);
    let old: Vec<String> = [subject.proposed.uuid.to_string()].into_iter().chain(others).collect();
    if old.len() < 2 {
        let (da, en) = ("skriv koden på mindst ét begreb mere", "write the code of at least one more concept");
        return Err(Refusal::new(Code::Unlawful, da, en).at(Place::field("others")));
    }
    let there = sent.said("notation-1").and_then(|k| app.draft_concept(actor, draft, k).ok()?.content.map(|c| (k, c)));
    let Some((key, content)) = there else {
        return Ok(OperationRequest::Merge { old, into: subject.part(sent, 1)? });
    };
    let mut content = content.try_map_targets(|t| Ok(t.to_string()))?;
    if let Some(term) = sent.said("term-1") {
        let preferred = |t: &&mut Term| t.status == TermStatus::Preferred && t.language == subject.language;
        match content.terms.iter_mut().find(preferred) {
            Some(old) => old.value = term.to_owned(),
            None => content.terms.push(Term::plain(subject.language.clone(), TermStatus::Preferred, term)),
        }
    }
    if let Some(text) = sent.said("definition-1") {
        let everyone = |d: &&mut Definition| d.audience.is_none() && d.language == subject.language;
        match content.definitions.iter_mut().find(everyone) {
            Some(old) => old.text = text.to_owned(),
            None => content.definitions.push(Definition::plain(subject.language.clone(), text)),
        }
    }
    Ok(OperationRequest::Merge { old, into: PartRequest { concept: Some(key.to_owned()), content } })
}

/// The concepts above, as the form names them; a relation that stays keeps its subdivision criterion.
fn above(app: &App, actor: &Actor, draft: Uuid, subject: &Subject, sent: &Sent) -> Result<Vec<RelationRequest>> {
    let mut above = Vec::new();
    for number in 1..=ABOVE {
        let Some(target) = sent.said(&format!("target-{number}")) else { continue };
        let kind = match sent.field(&format!("kind-{number}")) {
            "partitive" => RelationKind::Partitive,
            _ => RelationKind::Generic,
        };
        let found = app.draft_concept(actor, draft, target);
        let found = found.map_err(|r| r.at(Place::field(format!("target-{number}"))))?.uuid;
        let known = subject.content.relations.iter().find(|r| r.kind == kind && r.target == found);
        let criterion = known.map(|r| r.criterion.clone()).unwrap_or_default();
        above.push(RelationRequest { kind, target: found.to_string(), criterion });
    }
    Ok(above)
}

/// The form of an operation. Its tag is always that of what there is now: who sees the form again has seen that.
fn asked(subject: Subject, operation: &str, sent: Option<&Sent>) -> Result<FormPage> {
    let (da, name) = (subject.head.da, format!("{} {}", subject.named.key, subject.named.label));
    let named = |danish, english| say(da, danish, english);
    let title = match operation {
        "retire" => named("Lad begrebet udgå", "Retire the concept"),
        "replace" => named("Erstat begrebet med et nyt", "Replace the concept by a new one"),
        "split" => named("Del begrebet i flere", "Split the concept"),
        "merge" => named("Læg begrebet sammen med andre", "Merge the concept with others"),
        "move" => named("Flyt begrebet", "Move the concept"),
        _ => return Err(no_operation()),
    };
    let draft = subject.head.draft.uuid;
    let action = format!("/drafts/{draft}/concepts/{}/{operation}", segment(&subject.proposed.uuid.to_string()));
    let tag = match operation {
        "retire" => subject.proposed.etag.clone().unwrap_or_default(),
        _ => subject.head.tag(),
    };
    let fields = operation_fields(&subject, operation, da);
    let intro =
        format!("<p><a href=\"/drafts/{draft}/concepts/{}\">{}</a></p>", segment(&subject.named.key), html(&name));
    let form = FormPage::new(da, Some(subject.head), title, action)
        .intro(intro)
        .fields(fields)
        .fields([Field::new("reason", named("Begrundelse", "Reason"), Input::Text).needed()])
        .button("save", title);
    let form = match sent {
        Some(sent) => form.filled(sent),
        None => form,
    };
    Ok(form.hidden("made", tag))
}

fn operation_fields(subject: &Subject, operation: &str, da: bool) -> Vec<Field> {
    let named = |danish, english| say(da, danish, english);
    let part = |number: usize, needed: bool| {
        let field = |name: &str, label: &str, input| Field::new(format!("{name}-{number}"), label, input);
        let term = field("term", named("Foretrukken term", "Preferred term"), Input::Line);
        [
            field("notation", named("Kode", "Code"), Input::Line),
            if needed { term.needed() } else { term },
            field("definition", "Definition", Input::Text),
        ]
    };
    match operation {
        "replace" => {
            let [notation, term, definition] = part(1, true);
            let language = &subject.language;
            let now =
                subject.content.terms.iter().find(|t| t.status == TermStatus::Preferred && t.language == *language);
            let text = subject.content.definitions.iter().find(|d| d.audience.is_none() && d.language == *language);
            vec![
                notation.under(named("Det nye begreb", "The new concept")),
                term.with(now.map(|t| t.value.clone()).unwrap_or_default()),
                definition.with(text.map(|d| d.text.clone()).unwrap_or_default()),
            ]
        }
        "split" => (1..=PARTS)
            .flat_map(|number| {
                let [notation, term, definition] = part(number, number <= 2);
                let heading = format!("{} {number}", named("Begreb", "Concept"));
                let optional = if number > 2 { named(" (kan udelades)", " (optional)") } else { "" };
                [notation.under(format!("{heading}{optional}")), term, definition]
            })
            .collect(),
        "merge" => {
            let [_, term, definition] = part(1, false);
            let others = named("De andre begreber: koder, én på hver linje", "The other concepts: codes, one a line");
            let into = named(
                "Kode på det begreb, der bliver tilbage: et af dem, et andet, der findes, eller en ny kode",
                "Code of the concept that stays: one of these, another that is there, or a new one",
            );
            vec![
                Field::new("others", others, Input::Concepts).needed(),
                Field::new("notation-1", into, Input::Concept(subject.offered.clone()))
                    .under(named("Det samlede begreb", "The merged concept"))
                    .with(subject.named.key.clone()),
                Field {
                    label: named(
                        "Foretrukken term; den, der er, når feltet er tomt",
                        "Preferred term; the present one when empty",
                    )
                    .into(),
                    ..term
                },
                Field {
                    label: named(
                        "Definition; den, der er, når feltet er tomt",
                        "Definition; the present one when empty",
                    )
                    .into(),
                    ..definition
                },
            ]
        }
        "move" => (1..=ABOVE)
            .flat_map(|number| {
                let (kind, target) =
                    subject.above.get(number - 1).cloned().unwrap_or((RelationKind::Generic, String::new()));
                let kind = if kind == RelationKind::Partitive { "partitive" } else { "generic" };
                [
                    Field::new(
                        format!("target-{number}"),
                        named("Kode", "Code"),
                        Input::Concept(subject.offered.clone()),
                    )
                    .under(format!("{} {number}", named("Overbegreb", "Concept above")))
                    .with(target),
                    Field::new(format!("kind-{number}"), named("Slags", "Kind"), Input::Choice(kinds_above(da)))
                        .with(kind),
                ]
            })
            .collect(),
        _ => Vec::new(),
    }
}
