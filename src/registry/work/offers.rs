//! What somebody who works on a draft has to know beside the draft itself: which commands they may give, what people,
//! groups and concepts are called, and which concepts there are.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::super::Registry;
use super::super::permission::{Actor, Command, RIGHTS, not_signed_in, permit, permit_in};
use super::show::Desk;
use crate::model::{ContentFields, Governance, Group, Result, Slug, Text};
use crate::workflow::Author;

/// The most edits and comments of a draft whose authors are looked up.
const AUTHORS: usize = 1_000;

/// What somebody is offered of a draft.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// The commands that they may give as far as the draft has come.
    pub commands: BTreeSet<Command>,
    /// How versions of the vocabulary come about.
    pub governance: Governance,
    /// Whether who writes a draft cannot publish it alone.
    pub four_eyes: bool,
}

/// What people and groups are called.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Called {
    /// The people who took part in the draft, by how they stand in its steps.
    pub people: BTreeMap<String, String>,
    /// The groups that work or decide.
    pub groups: Vec<Group>,
}

/// A concept as it is named in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedConcept {
    /// The concept.
    pub uuid: Uuid,
    /// The key that finds it in the draft: its notation, or its uuid where that finds another.
    pub key: String,
    /// Its preferred term.
    pub label: String,
    /// Whether the draft has it: it may retire it.
    pub there: bool,
}

/// The concepts that were looked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FoundConcepts {
    /// The first of them, in the order of the draft.
    pub concepts: Vec<NamedConcept>,
    /// How many there are.
    pub total: usize,
}

impl Registry {
    /// What somebody is offered of a draft.
    ///
    /// # Errors
    /// As [`Registry::draft`].
    pub fn offered(&self, actor: &Actor, uuid: Uuid) -> Result<Offer> {
        let draft = self.draft(actor, uuid)?;
        let vocabulary = self.vocabulary_by(draft.vocabulary)?;
        let phase = draft.phase(self.clock.now());
        let may = |command: &Command| permit_in(actor, *command, &vocabulary, phase).is_ok();
        let (governance, four_eyes) = (vocabulary.fields().governance, vocabulary.fields().four_eyes);
        Ok(Offer { commands: RIGHTS.iter().map(|r| r.command).filter(may).collect(), governance, four_eyes })
    }

    /// The vocabularies in which somebody may open a draft, with what they are called.
    #[must_use]
    pub fn openable(&self, actor: &Actor) -> Vec<(Slug, Vec<Text>)> {
        let snapshot = self.snapshot();
        let planes = snapshot.planes().iter().map(|p| p.vocabulary());
        let open = planes.filter(|v| {
            v.fields().governance != Governance::Mirror && permit(actor, Command::OpenDraft, Some(v)).is_ok()
        });
        open.map(|v| (v.slug().clone(), v.fields().titles.clone())).collect()
    }

    /// The groups that are active, for those who make versions: what they are called is no secret among them.
    ///
    /// # Errors
    /// `NotSignedIn`, `NotAllowed`, `Database`.
    pub async fn working_groups(&self, actor: &Actor) -> Result<Vec<Group>> {
        let snapshot = self.snapshot();
        let mut refused = Err(not_signed_in());
        for plane in snapshot.planes() {
            refused = permit(actor, Command::ReadDrafts, Some(plane.vocabulary()));
            if refused.is_ok() {
                break;
            }
        }
        refused?;
        let people = self.store.people().await?;
        Ok(people.groups.into_iter().filter(|g| g.active).collect())
    }

    /// What those are called who took part in a draft, and the groups: for those who may read the draft.
    ///
    /// # Errors
    /// As [`Registry::draft`]; `Database`.
    pub async fn draft_people(&self, actor: &Actor, uuid: Uuid) -> Result<Called> {
        let draft = self.draft(actor, uuid)?;
        let edits = draft.edits().iter().rev().take(AUTHORS).map(|e| &e.stamp.by);
        let threads = draft.threads().iter().rev().take(AUTHORS);
        let said = threads.flat_map(|t| t.comments.iter().map(|c| &c.stamp).chain(&t.settled)).map(|s| &s.by);
        let first: [&Author; 2] = [&draft.opened.by, &draft.last.by];
        let authors: BTreeSet<&Author> = first.into_iter().chain(edits).chain(said).collect();
        let people = self.store.people().await?;
        let named = authors.into_iter().filter_map(|author| {
            let Author::Account(account) = author else { return None };
            let found = people.accounts.iter().find(|a| a.uuid == *account)?;
            Some((author.to_string(), found.name.to_string()))
        });
        Ok(Called { people: named.collect(), groups: people.groups.iter().filter(|g| g.active).cloned().collect() })
    }

    /// The concepts of a draft whose notation begins with some text or whose terms have it, at most `most`; all of them
    /// where the text is empty.
    ///
    /// # Errors
    /// As [`Registry::draft`].
    pub fn find_in_draft(&self, actor: &Actor, uuid: Uuid, text: &str, most: usize) -> Result<FoundConcepts> {
        let draft = self.draft(actor, uuid)?;
        let desk = self.desk(&draft)?;
        let text = text.trim().to_lowercase();
        let hit = |f: &ContentFields| {
            text.is_empty()
                || f.notation.as_ref().is_some_and(|n| n.to_lowercase().starts_with(&text))
                || f.terms.iter().any(|t| t.value.to_lowercase().contains(&text))
        };
        let mut found = FoundConcepts::default();
        for (concept, content) in desk.edition() {
            if hit(content.fields()) {
                found.total += 1;
                if found.concepts.len() < most {
                    found.concepts.push(desk.named(concept));
                }
            }
        }
        Ok(found)
    }

    /// What concepts of a draft are called.
    ///
    /// # Errors
    /// As [`Registry::draft`].
    pub fn called_in_draft(
        &self,
        actor: &Actor,
        uuid: Uuid,
        concepts: impl IntoIterator<Item = Uuid>,
    ) -> Result<BTreeMap<Uuid, NamedConcept>> {
        let draft = self.draft(actor, uuid)?;
        let desk = self.desk(&draft)?;
        Ok(concepts.into_iter().map(|c| (c, desk.named(c))).collect())
    }
}

impl Desk<'_> {
    /// A concept as lists name it.
    fn named(&self, concept: Uuid) -> NamedConcept {
        let name = self.name(concept);
        let label = name.as_ref().map_or_else(|| concept.to_string(), |n| n.label.clone());
        let key = name.and_then(|n| n.notation).filter(|n| self.find(n) == Some(concept));
        let there = self.said(concept).is_some();
        NamedConcept { uuid: concept, key: key.unwrap_or_else(|| concept.to_string()), label, there }
    }
}
