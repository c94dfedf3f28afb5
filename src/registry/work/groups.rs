//! Groups as those see them who work in them or beside them: what they are called, who is in them, what they are to do.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::super::Registry;
use super::super::permission::{Actor, Command, permit};
use super::meetings::{MandateAnswer, sits_in};
use super::none;
use crate::model::{Group, Name, Result};
use crate::store::People;
use crate::workflow::Work;

/// A group, as far as the one who looks may see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupSeen {
    /// The group; without its members where those are not for the eyes of the one who looks.
    pub group: Group,
    /// Its members by name, where they may be seen.
    pub members: Option<Vec<(Uuid, Name)>>,
    /// What it is to do, and was before.
    pub mandate: Option<MandateAnswer>,
}

impl Registry {
    /// The groups that somebody may see, by name: everybody those that are active and have a mandate, who works with
    /// drafts or people all of them, members their own.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn groups_seen(&self, actor: &Actor) -> Result<Vec<GroupSeen>> {
        let people = self.store.people().await?;
        let mut seen: Vec<GroupSeen> = people.groups.iter().filter_map(|g| self.seen(actor, g, &people)).collect();
        seen.sort_by(|a, b| (&a.group.name, a.group.uuid).cmp(&(&b.group.name, b.group.uuid)));
        Ok(seen)
    }

    /// A group.
    ///
    /// # Errors
    /// [`crate::model::Code::NotFound`], also for one that is not for the eyes of the one who asks.
    pub async fn group_seen(&self, actor: &Actor, uuid: Uuid) -> Result<GroupSeen> {
        let people = self.store.people().await?;
        let found = people.groups.iter().find(|g| g.uuid == uuid).and_then(|g| self.seen(actor, g, &people));
        found.ok_or_else(|| none(uuid))
    }

    /// What people are called, to those who work with them: all accounts for who may see people, else the members of
    /// the groups whose meetings one may read.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn names(&self, actor: &Actor) -> Result<BTreeMap<Uuid, Name>> {
        if matches!(actor, Actor::Public) {
            return Ok(BTreeMap::new());
        }
        let people = self.store.people().await?;
        let all = permit(actor, Command::ReadPeople, None).is_ok();
        let known: Vec<&Group> = people.groups.iter().filter(|g| self.attends(actor, g)).collect();
        let is_known = |account: Uuid| all || known.iter().any(|g| g.members.contains(&account));
        Ok(people.accounts.iter().filter(|a| is_known(a.uuid)).map(|a| (a.uuid, a.name.clone())).collect())
    }

    /// Whether somebody may read a group's meetings: its members, who may read drafts of some vocabulary, who
    /// administers.
    pub(super) fn attends(&self, actor: &Actor, group: &Group) -> bool {
        let snapshot = self.snapshot();
        let reads =
            || snapshot.planes().iter().any(|p| permit(actor, Command::ReadDrafts, Some(p.vocabulary())).is_ok());
        sits_in(actor, group) || permit(actor, Command::ManageGroups, None).is_ok() || reads()
    }

    fn seen(&self, actor: &Actor, group: &Group, people: &People) -> Option<GroupSeen> {
        let mandate = self.matter::<Work>(group.uuid).ok().and_then(|_| self.mandate(group.uuid).ok());
        let knows_people = permit(actor, Command::ReadPeople, None).is_ok();
        let inside = self.attends(actor, group) || knows_people;
        if !inside && (mandate.is_none() || !group.active) {
            return None;
        }
        let named = |uuid: &Uuid| Some((*uuid, people.accounts.iter().find(|a| a.uuid == *uuid)?.name.clone()));
        let mut members: Vec<(Uuid, Name)> = group.members.iter().filter_map(named).collect();
        members.sort_by(|a, b| (&a.1, a.0).cmp(&(&b.1, b.0)));
        let shown = if inside { group.members.clone() } else { Default::default() };
        Some(GroupSeen {
            group: Group { members: shown, ..group.clone() },
            members: inside.then_some(members),
            mandate,
        })
    }
}
