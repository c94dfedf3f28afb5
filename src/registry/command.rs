//! The commands: import an edition, publish one again.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;

use super::identity::Identity;
use super::permission::{Actor, Command, permit};
use super::plan::{Known, Plan, Planned, Wish, plan};
use super::report::{ImportReport, Verdict, already_there, report};
use super::{Registry, query};
use crate::exchange::{self, Format, Incoming, IncomingConcept, Key, ReadOptions};
use crate::model::{
    Code, ConceptChangeKind, Content, Digest, Instant, Label, Language, Meaning, Origin, Place, Refusal, Result, Slug,
    State, Timeline, Version, Vocabulary, VocabularyFields, unprintable,
};
use crate::store::{Act, Facts, StateRow, Write};

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
    /// Whether the concepts that it redefines mean something else: said of all of them, or not at all.
    pub meaning: Option<Meaning>,
    /// The frame of the vocabulary; made from the file when absent.
    pub frame: Option<VocabularyFields>,
}

impl ImportRequest<'_> {
    /// Where the edition comes from. A large file takes a while: asked when it was read, and is none that is refused.
    fn origin(&self) -> Origin {
        Origin { format: self.format.name().into(), digest: Digest::of(self.bytes), bytes: self.bytes.len() as u64 }
    }
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

/// How often a plan is made anew because others changed the vocabulary meanwhile, before they have to wait for it.
const TRIES: usize = 3;

impl Registry {
    /// Imports an edition: reads it, plans it and, unless it is a dry run, publishes it in one transaction.
    ///
    /// # Errors
    /// What the reader, the plan or the database refuses; [`Code::LabelTaken`] when the label exists with
    /// other content; [`Code::Governance`] when the vocabulary takes no import. Nothing is changed then.
    pub async fn import(&self, actor: &Actor, request: ImportRequest<'_>) -> Result<ImportReport> {
        let known = self.snapshot().by_slug(request.vocabulary.as_str()).map(|p| p.vocabulary().clone());
        // Asked before the file is read, and again of the facts.
        permit(actor, Command::Publish, known.as_deref())?;
        if request.label.is_none() && !request.dry_run {
            return Err(Refusal::new(
                Code::InvalidParameter,
                "en import, der udgives, skal have en versionsbetegnelse",
                "an import that is published needs a version label",
            )
            .at(Place::field("version"))
            .allowed(["--version LABEL", "--dry-run"]));
        }
        let naming = Naming {
            label: request.label.clone(),
            effective: request.effective.unwrap_or_else(|| self.projections.today()),
            decision: request.decision.clone(),
            dry_run: request.dry_run,
            expected: None,
            meanings: Meanings::All(request.meaning),
        };
        self.publish_edition(actor, Source::File(&request), naming).await
    }

    /// Publishes content that the registry has already under a new label, from a date: a return to an earlier
    /// version, or another date for the same content.
    ///
    /// # Errors
    /// [`Code::UnknownVocabulary`], [`Code::UnknownVersion`], [`Code::NothingInForce`], [`Code::LabelTaken`],
    /// [`Code::Governance`]. Nothing is changed then.
    pub async fn publish(&self, actor: &Actor, request: PublishRequest) -> Result<ImportReport> {
        let naming = Naming {
            label: Some(request.label.clone()),
            effective: request.effective,
            decision: request.decision.clone(),
            dry_run: request.dry_run,
            expected: None,
            meanings: Meanings::All(None),
        };
        self.publish_edition(actor, Source::Again(&request), naming).await
    }

    /// The one way to a published version: read, plan, compare with a version of that label, lay down, commit. It is
    /// planned on the facts of one moment while others go on writing; only what is laid down takes the writers' lock.
    async fn publish_edition(&self, actor: &Actor, source: Source<'_>, naming: Naming) -> Result<ImportReport> {
        lawful_decision(naming.decision.as_deref())?;
        for _ in 0..TRIES {
            let incoming = self.read(&source)?;
            let mut facts = self.store.facts().await?;
            let ready = self.ready(actor, &mut facts, &source, incoming, &naming).await?;
            drop(facts);
            let ready = match ready {
                Ready::Told(report) => return Ok(*report),
                Ready::ToWrite(ready) => ready,
            };
            let mut write = self.store.write(&actor.name(), self.clock.now()).await?;
            self.still(actor).await?;
            if ready.holds(write.facts()).await? {
                return self.lay_down(write, *ready, naming).await;
            }
        }
        // Others were faster each time: now they wait.
        let incoming = self.read(&source)?;
        let mut write = self.store.write(&actor.name(), self.clock.now()).await?;
        self.still(actor).await?;
        match self.ready(actor, write.facts(), &source, incoming, &naming).await? {
            Ready::Told(report) => Ok(*report),
            Ready::ToWrite(ready) => self.lay_down(write, *ready, naming).await,
        }
    }

    /// The file, if there is one.
    fn read(&self, source: &Source<'_>) -> Result<Option<Incoming>> {
        let Source::File(request) = source else { return Ok(None) };
        exchange::read(request.format, request.bytes, &self.read_options(request)).map(Some)
    }

    fn read_options(&self, request: &ImportRequest<'_>) -> ReadOptions {
        let known = self.snapshot().by_slug(request.vocabulary.as_str()).map(|p| p.vocabulary().clone());
        let language = request.language.clone().or_else(|| known.as_ref().map(|v| v.default_language().clone()));
        ReadOptions {
            language: language.unwrap_or_else(Language::danish),
            namespace: known.as_ref().map(|v| v.fields().namespace.clone()),
        }
    }

    /// Plans a version on the facts of one moment.
    pub(super) async fn ready(
        &self,
        actor: &Actor,
        facts: &mut Facts,
        source: &Source<'_>,
        incoming: Option<Incoming>,
        naming: &Naming,
    ) -> Result<Ready> {
        let head = facts.head().await?;
        let (vocabulary, created) = self.vocabulary_for(actor, facts, source, incoming.as_ref()).await?;
        let known = known_of(facts, vocabulary.uuid()).await?;
        let edition = source.edition(incoming, &known, naming)?;
        let taken = naming.label.as_ref().and_then(|label| known.versions.iter().find(|v| v.label == *label));
        let file = |origin: &Option<Origin>| origin.as_ref().map(|o| o.digest);
        if let Some(version) = taken {
            if version.effective != naming.effective {
                let (da, en) =
                    (format!("gælder fra {}", version.effective), format!("is in force from {}", version.effective));
                return Err(label_taken(version, &da, &en));
            }
            if edition.origin.is_some() && file(&edition.origin) == file(&version.manifest.source) {
                return Ok(Ready::Told(Box::new(already_there(&vocabulary, version))));
            }
        }
        let wish = Wish {
            vocabulary: vocabulary.uuid(),
            effective: naming.effective,
            // At the earliest: what is laid down is registered when it is written.
            at: head.next(self.clock.now()),
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
        if let Some(version) = taken {
            // Other bytes may still be the same content: another layout, another order of properties.
            if plan.manifest.digest != version.manifest.digest {
                return Err(label_taken(version, "har andet indhold", "has other content"));
            }
            return Ok(Ready::Told(Box::new(already_there(&vocabulary, version))));
        }
        let report = report(&vocabulary, created, naming.label.clone(), naming.effective, &plan);
        Ok(match naming.label.clone().filter(|_| !naming.dry_run) {
            None => Ready::Told(Box::new(report)),
            Some(label) => {
                Ready::ToWrite(Box::new(ToWrite { seen: head.seq, vocabulary, created, known, plan, label, report }))
            }
        })
    }

    /// The vocabulary of a version; a file may bring a new one. Whether it is new.
    async fn vocabulary_for(
        &self,
        actor: &Actor,
        facts: &mut Facts,
        source: &Source<'_>,
        incoming: Option<&Incoming>,
    ) -> Result<(Vocabulary, bool)> {
        let vocabularies = facts.vocabularies().await?;
        if let Some(vocabulary) = vocabularies.iter().find(|v| v.slug() == source.vocabulary()) {
            permit(actor, source.command(), Some(vocabulary))?;
            return Ok((vocabulary.clone(), false));
        }
        let (Source::File(request), Some(incoming)) = (source, incoming) else {
            return Err(query::unknown_vocabulary(source.vocabulary().as_str()));
        };
        permit(actor, Command::Publish, None)?;
        permit(actor, Command::Frame, None)?;
        let fields = request
            .frame
            .clone()
            .unwrap_or_else(|| self.frame(&request.vocabulary, &incoming.frame, &self.read_options(request).language));
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
        Ok((vocabulary, true))
    }

    /// Lays down what was planned, and commits.
    pub(super) async fn lay_down(&self, mut write: Write, ready: ToWrite, naming: Naming) -> Result<ImportReport> {
        let ToWrite { vocabulary, created, known, plan, label, mut report, .. } = ready;
        if created {
            write.create_vocabulary(&vocabulary).await?;
        }
        self.refuse_foreign(&mut write, vocabulary.uuid(), &plan).await?;
        write.create_concepts(vocabulary.uuid(), &plan.created).await?;
        let none = Vec::new();
        let redefined = |p: &&Planned| p.kinds.contains(&ConceptChangeKind::Redefined);
        let redefined: HashSet<Uuid> = plan.concepts.iter().filter(redefined).map(|p| p.uuid).collect();
        let parts: Vec<_> = plan.acts.iter().map(|act| (plan.valid, act.content.clone())).collect();
        let acts: Vec<Act<'_>> = plan
            .acts
            .iter()
            .zip(&parts)
            .map(|(act, part)| Act {
                concept: act.concept,
                parts: std::slice::from_ref(part),
                oio: None,
                meaning: naming.meanings.of(act.concept).filter(|_| redefined.contains(&act.concept)),
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
        let position = self.commit(write).await?;
        // Who publishes finds it: in what is read, searched and queried.
        self.derived_passed(position, PATIENCE).await;
        report.verdict = Verdict::Published;
        report.position = Some(position);
        Ok(report)
    }

    /// A concept lives in one vocabulary: a uuid that another one owns is refused.
    async fn refuse_foreign(&self, write: &mut Write, vocabulary: Uuid, plan: &Plan) -> Result<()> {
        let owners = write.facts().owners(&plan.created).await?;
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

/// Where the content of a version comes from.
pub(super) enum Source<'a> {
    /// A file.
    File(&'a ImportRequest<'a>),
    /// What the registry has already.
    Again(&'a PublishRequest),
    /// A draft, that lies over a version: the vocabulary, that version, and what the draft makes of it.
    Draft(Slug, Option<Uuid>, Box<Incoming>),
}

impl<'a> Source<'a> {
    fn vocabulary(&self) -> &Slug {
        match self {
            Self::File(request) => &request.vocabulary,
            Self::Again(request) => &request.vocabulary,
            Self::Draft(vocabulary, ..) => vocabulary,
        }
    }

    /// The right that it takes.
    fn command(&self) -> Command {
        match self {
            Self::File(_) | Self::Again(_) => Command::Publish,
            Self::Draft(..) => Command::PublishDraft,
        }
    }

    /// The content, given what is known: `incoming` is what was read of a file.
    fn edition(&self, incoming: Option<Incoming>, known: &Known, naming: &Naming) -> Result<Edition<'a>> {
        const NOBODY: &Identity = &Identity::none();
        match self {
            Self::File(request) => Ok(Edition {
                incoming: incoming.unwrap_or_default(),
                origin: Some(request.origin()),
                identity: &request.identity,
                accept_new: request.accept_new,
            }),
            Self::Again(request) => {
                let version = wanted(known, request.from.as_ref(), naming.effective)?;
                let (incoming, origin) = (incoming_of(known, version), version.manifest.source.clone());
                Ok(Edition { incoming, origin, identity: NOBODY, accept_new: true })
            }
            Self::Draft(_, base, incoming) => {
                let there = known.versions.iter().filter(|v| v.effective <= naming.effective);
                let there = there.max_by_key(|v| (v.effective, v.registered));
                if there.map(|v| v.uuid) != *base {
                    return Err(super::work::overtaken());
                }
                // What a draft makes is a version of its own, also when it is like another.
                if let Some(taken) = known.versions.iter().find(|v| Some(&v.label) == naming.label.as_ref()) {
                    return Err(label_taken(taken, "er en anden", "is another"));
                }
                Ok(Edition { incoming: (**incoming).clone(), origin: None, identity: NOBODY, accept_new: true })
            }
        }
    }
}

struct Edition<'a> {
    incoming: Incoming,
    origin: Option<Origin>,
    identity: &'a Identity,
    accept_new: bool,
}

/// What came of planning.
pub(super) enum Ready {
    /// There is nothing to write: it is there already, or only the plan was wanted.
    Told(Box<ImportReport>),
    /// It can be laid down.
    ToWrite(Box<ToWrite>),
}

/// A version that can be laid down, as long as what it was planned on holds.
pub(super) struct ToWrite {
    /// The position of the log that it was planned on.
    seen: i64,
    vocabulary: Vocabulary,
    created: bool,
    known: Known,
    pub(super) plan: Plan,
    label: Label,
    report: ImportReport,
}

impl ToWrite {
    /// Whether nothing was written since that the plan rests on: about the vocabulary, and where it is new, about any.
    pub(super) async fn holds(&self, facts: &mut Facts) -> Result<bool> {
        let now = facts.head().await?.seq;
        let changed = facts.changed_vocabularies(self.seen, now).await?;
        Ok(!changed.iter().any(|v| *v == self.vocabulary.uuid() || (self.created && !v.is_nil())))
    }
}

/// As what.
pub(super) struct Naming {
    pub(super) label: Option<Label>,
    pub(super) effective: Instant,
    pub(super) decision: Option<String>,
    pub(super) dry_run: bool,
    /// The digest that the content must have: what was decided on.
    pub(super) expected: Option<Digest>,
    /// What is said of the meaning of what is redefined.
    pub(super) meanings: Meanings,
}

/// What is said of the meaning of what a version redefines.
pub(super) enum Meanings {
    /// The same of all; nothing when none.
    All(Option<Meaning>),
    /// Of each what was said of it.
    Each(BTreeMap<Uuid, Meaning>),
}

impl Meanings {
    fn of(&self, concept: Uuid) -> Option<Meaning> {
        match self {
            Self::All(meaning) => *meaning,
            Self::Each(said) => said.get(&concept).copied(),
        }
    }
}

/// Who decided is told in a few lines of the log and of pages: so much, and nothing that cannot be seen.
fn lawful_decision(text: Option<&str>) -> Result<()> {
    let Some(text) = text else { return Ok(()) };
    let lawful = !text.trim().is_empty() && text.chars().count() <= 2000 && !text.chars().any(unprintable);
    let (da, en) = ("beslutningen kan ikke skrives sådan", "the decision cannot be written like that");
    let refusal = || Refusal::new(Code::InvalidText, da, en).at(Place::field("decision"));
    if lawful { Ok(()) } else { Err(refusal().allowed(["one line of 1 to 2000 characters"])) }
}

/// The version that is published again: the one that is named, or what is in force on that day.
fn wanted<'k>(known: &'k Known, from: Option<&Label>, effective: Instant) -> Result<&'k Version> {
    let versions = &known.versions;
    let found = match from {
        Some(label) => versions.iter().find(|v| v.label == *label),
        None => versions.iter().filter(|v| v.effective <= effective).max_by_key(|v| (v.effective, v.registered)),
    };
    found.ok_or_else(|| {
        let label = from.map_or_else(|| effective.to_string(), ToString::to_string);
        query::unknown_version(&label, versions.iter().map(|v| v.label.to_string()))
    })
}

/// What the registry knows of a vocabulary at one moment.
async fn known_of(facts: &mut Facts, vocabulary: Uuid) -> Result<Known> {
    let mut known = Known { versions: facts.versions(vocabulary).await?, ..Known::default() };
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
    facts.states(vocabulary, each).await?;
    Ok(known)
}

/// A version of the registry's own, told as a file would tell it.
fn incoming_of(known: &Known, version: &Version) -> Incoming {
    let mut held: Vec<(Uuid, Arc<Content>)> = Vec::new();
    for (uuid, states) in &known.states {
        let found = Timeline::from_states(states.clone()).ok();
        let state = found.as_ref().and_then(|line| line.at(version.point()));
        if let Some(state) = state.filter(|s| s.content().is_published()) {
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
