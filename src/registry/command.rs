//! The commands: import an edition, publish one again.

use std::sync::Arc;

use uuid::Uuid;

use super::identity::Identity;
use super::permission::{Actor, Command, permit};
use super::plan::{Known, Plan, Wish, plan};
use super::report::{ImportReport, Verdict, already_there, report};
use super::{Registry, query};
use crate::exchange::{self, Format, Incoming, IncomingConcept, Key, ReadOptions};
use crate::model::{
    Code, Content, Digest, Instant, Label, Language, Origin, Place, Refusal, Result, Slug, State, Timeline, Version,
    Vocabulary, VocabularyFields,
};
use crate::store::{Act, StateRow, Write};

/// An edition to import and publish.
pub struct ImportRequest<'a> {
    /// The vocabulary; created when there is none of that slug.
    pub vocabulary: Slug,
    /// The format of the bytes.
    pub format: Format,
    /// The file.
    pub bytes: &'a [u8],
    /// The label of the version; needed unless it is a dry run.
    pub label: Option<Label>,
    /// From when it is in force; today when absent.
    pub effective: Option<Instant>,
    /// Who is who, where codes do not tell.
    pub identity: Identity,
    /// Whether concepts that look like vanishing ones are new all the same.
    pub accept_new: bool,
    /// Plan only.
    pub dry_run: bool,
    /// The language of texts that name none; the vocabulary's first when absent.
    pub language: Option<Language>,
    /// Who decided, and where that is written.
    pub decision: Option<String>,
    /// The frame of the vocabulary; made from the file when absent.
    pub frame: Option<VocabularyFields>,
}

/// A version to publish again under a new label.
pub struct PublishRequest {
    /// The vocabulary.
    pub vocabulary: Slug,
    /// The new label.
    pub label: Label,
    /// From when it is in force.
    pub effective: Instant,
    /// The version whose content it has; what is in force at `effective` when absent.
    pub from: Option<Label>,
    /// Who decided, and where that is written.
    pub decision: Option<String>,
    /// Plan only.
    pub dry_run: bool,
}

/// How long a command waits for the search index and the graphs; what takes longer follows by itself, and
/// `/health/ready` tells how far it is.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

impl Registry {
    /// Imports an edition: reads it, plans it and, unless it is a dry run, publishes it in one transaction.
    ///
    /// # Errors
    /// What the reader, the plan or the database refuses; [`Code::LabelTaken`] when the label exists with
    /// other content; [`Code::Governance`] when the vocabulary takes no import. Nothing is changed then.
    pub async fn import(&self, actor: &Actor, request: ImportRequest<'_>) -> Result<ImportReport> {
        let known = self.snapshot().by_slug(request.vocabulary.as_str()).map(|p| p.vocabulary().clone());
        // Asked before the file is read, and again under the lock.
        permit(actor, Command::Publish, known.as_deref())?;
        let language = request.language.clone().or_else(|| known.as_ref().map(|v| v.default_language().clone()));
        let options = ReadOptions {
            language: language.unwrap_or_else(Language::danish),
            namespace: known.as_ref().map(|v| v.fields().namespace.clone()),
        };
        let incoming = exchange::read(request.format, request.bytes, &options)?;
        let origin = Origin {
            format: request.format.name().into(),
            digest: Digest::of(request.bytes),
            bytes: request.bytes.len() as u64,
        };
        let effective = request.effective.unwrap_or_else(|| self.projections.today());
        if request.label.is_none() && !request.dry_run {
            return Err(Refusal::new(
                Code::InvalidParameter,
                "en import, der udgives, skal have en versionsbetegnelse",
                "an import that is published needs a version label",
            )
            .at(Place::field("version"))
            .allowed(["--version LABEL", "--dry-run"]));
        }
        let mut write = self.store.write(&actor.name(), self.clock.now()).await?;
        self.still(actor).await?;
        let vocabularies = write.vocabularies().await?;
        let existing = vocabularies.iter().find(|v| *v.slug() == request.vocabulary).cloned();
        permit(actor, Command::Publish, existing.as_ref())?;
        if existing.is_none() {
            permit(actor, Command::Frame, None)?;
        }
        let created = existing.is_none();
        let vocabulary = match existing {
            Some(vocabulary) => vocabulary,
            None => {
                let fields = match request.frame {
                    Some(fields) => fields,
                    None => self.frame(&request.vocabulary, &incoming.frame, &options.language),
                };
                let vocabulary = Vocabulary::new(fields)?;
                permit(actor, Command::Publish, Some(&vocabulary))?;
                if let Some(same) = vocabularies.iter().find(|v| v.uuid() == vocabulary.uuid()) {
                    let slug = same.slug();
                    return Err(Refusal::new(
                        Code::Exists,
                        format!("det ordforråd findes under kortnavnet {slug}"),
                        format!("that vocabulary exists under the slug {slug}"),
                    )
                    .at(Place::field("vocabulary"))
                    .allowed([slug.to_string()]));
                }
                write.create_vocabulary(&vocabulary).await?;
                vocabulary
            }
        };
        let known = known_of(&mut write, vocabulary.uuid()).await?;
        let edition =
            Edition { incoming, origin: Some(origin), identity: &request.identity, accept_new: request.accept_new };
        let naming = Naming {
            label: request.label,
            effective,
            decision: request.decision,
            dry_run: request.dry_run,
            expected: None,
        };
        self.publish_edition(write, &vocabulary, created, known, edition, naming).await
    }

    /// Publishes content that the registry has already under a new label, from a date: a return to an earlier
    /// version, or another date for the same content.
    ///
    /// # Errors
    /// [`Code::UnknownVocabulary`], [`Code::UnknownVersion`], [`Code::NothingInForce`], [`Code::LabelTaken`],
    /// [`Code::Governance`]. Nothing is changed then.
    pub async fn publish(&self, actor: &Actor, request: PublishRequest) -> Result<ImportReport> {
        let mut write = self.store.write(&actor.name(), self.clock.now()).await?;
        self.still(actor).await?;
        let vocabulary = write.vocabularies().await?.into_iter().find(|v| *v.slug() == request.vocabulary);
        let vocabulary = vocabulary.ok_or_else(|| query::unknown_vocabulary(request.vocabulary.as_str()))?;
        permit(actor, Command::Publish, Some(&vocabulary))?;
        let known = known_of(&mut write, vocabulary.uuid()).await?;
        let version = match &request.from {
            Some(label) => known.versions.iter().find(|v| v.label == *label),
            None => known
                .versions
                .iter()
                .filter(|v| v.effective <= request.effective)
                .max_by_key(|v| (v.effective, v.registered)),
        };
        let Some(version) = version else {
            let label = request.from.as_ref().map_or_else(|| request.effective.to_string(), ToString::to_string);
            return Err(query::unknown_version(&label, known.versions.iter().map(|v| v.label.to_string())));
        };
        let incoming = incoming_of(&known, version);
        let (origin, identity) = (version.manifest.source.clone(), Identity::default());
        let edition = Edition { incoming, origin, identity: &identity, accept_new: true };
        let naming = Naming {
            label: Some(request.label),
            effective: request.effective,
            decision: request.decision,
            dry_run: request.dry_run,
            expected: None,
        };
        self.publish_edition(write, &vocabulary, false, known, edition, naming).await
    }

    /// The one way to a published version: plan, compare with a version of that label, lay down, commit.
    pub(super) async fn publish_edition(
        &self,
        mut write: Write,
        vocabulary: &Vocabulary,
        created: bool,
        known: Known,
        edition: Edition<'_>,
        naming: Naming,
    ) -> Result<ImportReport> {
        let taken = naming.label.as_ref().and_then(|label| known.versions.iter().find(|v| v.label == *label)).cloned();
        let file = |origin: &Option<Origin>| origin.as_ref().map(|o| o.digest);
        if let Some(version) = &taken {
            if version.effective != naming.effective {
                let (da, en) =
                    (format!("gælder fra {}", version.effective), format!("is in force from {}", version.effective));
                return Err(label_taken(version, &da, &en));
            }
            if edition.origin.is_some() && file(&edition.origin) == file(&version.manifest.source) {
                return Ok(already_there(vocabulary, version));
            }
        }
        let wish = Wish {
            vocabulary: vocabulary.uuid(),
            effective: naming.effective,
            at: write.at(),
            identity: edition.identity,
            accept_new: edition.accept_new,
            origin: edition.origin,
        };
        let plan = plan(edition.incoming, &known, wish)?;
        if naming.expected.is_some_and(|digest| digest != plan.manifest.digest) {
            return Err(Refusal::new(
                Code::OtherContent,
                format!("det, der ville blive udgivet, er {} og ikke det besluttede", plan.manifest.digest),
                format!("what would be published is {} and not what was decided", plan.manifest.digest),
            ));
        }
        if let Some(version) = &taken {
            // Other bytes may still be the same content: another layout, another order of properties.
            let same = plan.manifest.digest == version.manifest.digest;
            let taken = || label_taken(version, "har andet indhold", "has other content");
            return if same { Ok(already_there(vocabulary, version)) } else { Err(taken()) };
        }
        let mut report = report(vocabulary, created, naming.label.clone(), naming.effective, &plan);
        if naming.dry_run {
            return Ok(report);
        }
        let Some(label) = naming.label else { return Ok(report) };
        self.refuse_foreign(&mut write, vocabulary.uuid(), &plan).await?;
        write.create_concepts(vocabulary.uuid(), &plan.created).await?;
        let none = Vec::new();
        let acts: Vec<Act<'_>> = plan
            .acts
            .iter()
            .map(|act| Act {
                concept: act.concept,
                valid: plan.valid,
                content: act.content.as_deref(),
                states: known.states.get(&act.concept).unwrap_or(&none),
                revision: &act.revision,
            })
            .collect();
        write.act(vocabulary.uuid(), &acts).await?;
        let version = Version {
            uuid: Uuid::new_v5(&vocabulary.uuid(), format!("version/{label}").as_bytes()),
            vocabulary: vocabulary.uuid(),
            label,
            effective: naming.effective,
            registered: write.at(),
            decision: naming.decision,
            manifest: plan.manifest,
            statements: plan.statements,
        };
        write.publish(&version).await?;
        let position = write.commit().await?;
        self.follower.catch_up().await?;
        // Who publishes finds it: in what is read, searched and queried.
        self.derived_passed(position, PATIENCE).await;
        report.verdict = Verdict::Published;
        report.position = Some(position);
        Ok(report)
    }

    /// A concept lives in one vocabulary: a uuid that another one owns is refused.
    async fn refuse_foreign(&self, write: &mut Write, vocabulary: Uuid, plan: &Plan) -> Result<()> {
        let owners = write.owners(&plan.created).await?;
        let foreign: Vec<String> =
            owners.iter().filter(|(_, v)| **v != vocabulary).map(|(c, _)| c.to_string()).collect();
        if foreign.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(
            Code::Exists,
            "filen har begreber, der hører til et andet ordforråd",
            "the file has concepts that belong to another vocabulary",
        )
        .items(foreign))
    }
}

/// What is to be published.
pub(super) struct Edition<'a> {
    pub(super) incoming: Incoming,
    pub(super) origin: Option<Origin>,
    pub(super) identity: &'a Identity,
    pub(super) accept_new: bool,
}

/// As what.
pub(super) struct Naming {
    pub(super) label: Option<Label>,
    pub(super) effective: Instant,
    pub(super) decision: Option<String>,
    pub(super) dry_run: bool,
    /// The digest that the content must have: what was decided on.
    pub(super) expected: Option<Digest>,
}

/// What the registry knows of a vocabulary, read within a write.
pub(super) async fn known_of(write: &mut Write, vocabulary: Uuid) -> Result<Known> {
    let mut known = Known { versions: write.versions(vocabulary).await?, ..Known::default() };
    let mut contents: std::collections::HashMap<Digest, Arc<Content>> = std::collections::HashMap::new();
    let each = |row: StateRow| {
        let content = match contents.get(&row.content) {
            Some(content) => content.clone(),
            None => {
                let content: Content = serde_json::from_str(&row.body).map_err(|e| {
                    let (da, en) = ("et gemt begreb kan ikke læses", "a stored concept cannot be read");
                    Refusal::new(Code::Corrupt, format!("{da}: {e}"), format!("{en}: {e}"))
                })?;
                contents.entry(row.content).or_insert(Arc::new(content)).clone()
            }
        };
        known.states.entry(row.concept).or_default().push(State::new(row.registered, row.valid, content));
        Ok(())
    };
    write.states(vocabulary, each).await?;
    Ok(known)
}

/// A version of the registry's own, told as a file would tell it.
fn incoming_of(known: &Known, version: &Version) -> Incoming {
    let mut held: Vec<(Uuid, Arc<Content>)> = Vec::new();
    for (uuid, states) in &known.states {
        let found = Timeline::from_states(states.clone()).ok();
        if let Some(state) = found.as_ref().and_then(|line| line.at(version.point())) {
            held.push((*uuid, state.content().clone()));
        }
    }
    held.sort_by_key(|(uuid, content)| (content.fields().rank, *uuid));
    let concepts = held.into_iter().map(|(uuid, content)| {
        let content = (*content).clone().into_fields().try_map_targets(|t| Ok(Key(t.to_string())));
        IncomingConcept {
            keys: vec![Key(uuid.to_string())],
            uuid: Some(uuid),
            content: content.unwrap_or_default(),
            place: Place::field(uuid.to_string()),
        }
    });
    Incoming { concepts: concepts.collect(), statements: version.statements.clone(), ..Incoming::default() }
}

fn label_taken(version: &Version, da: &str, en: &str) -> Refusal {
    let label = &version.label;
    Refusal::new(
        Code::LabelTaken,
        format!("versionen {label} findes og {da}; en rettelse er en ny version"),
        format!("the version {label} exists and {en}; a correction is a new version"),
    )
    .at(Place::field("version"))
}
