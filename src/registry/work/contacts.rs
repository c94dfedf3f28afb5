//! People without an account who were written to: what is known of them can be erased.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::super::Registry;
use super::super::permission::{Actor, Command, permit};
use super::none;
use crate::model::Result;
use crate::workflow::{Author, ChangeRequest, Draft};

impl Registry {
    /// Erases what is known of somebody without an account: name and mail address, the letters, and what waited for
    /// them. What was said stays, under the name of the organisation. It is for those who manage accounts, and for
    /// the secretary of the vocabularies in which the person had a part.
    ///
    /// # Errors
    /// What `permit` refuses; [`crate::model::Code::NotFound`], [`crate::model::Code::Database`].
    pub async fn erase_contact(&self, actor: &Actor, contact: Uuid) -> Result<()> {
        self.may_erase(actor, contact)?;
        let (mut write, _) = self.lock(actor).await?;
        if write.contact(contact).await?.is_none() {
            return Err(none(contact));
        }
        self.end_digests_of(&mut write, contact).await?;
        write.erase_contact(contact).await?;
        self.settle(write).await.map(drop)
    }

    fn may_erase(&self, actor: &Actor, contact: Uuid) -> Result<()> {
        let refused = match permit(actor, Command::ManageAccounts, None) {
            Ok(()) => return Ok(()),
            Err(refusal) => refusal,
        };
        let parts = self.parts_of(contact);
        let mut steered = !parts.is_empty();
        for (vocabulary, command) in parts {
            steered &= permit(actor, command, Some(&*self.vocabulary_by(vocabulary)?)).is_ok();
        }
        if steered { Ok(()) } else { Err(refused) }
    }

    /// The vocabularies in which somebody had a part, each with the command of those who have to do with them.
    fn parts_of(&self, contact: Uuid) -> BTreeSet<(Uuid, Command)> {
        let (snapshot, author) = (self.snapshot(), Author::Contact(contact));
        let heard = snapshot.matters.all::<Draft>().filter(|d| {
            d.hearings().iter().any(|h| {
                h.parties.iter().any(|(p, _)| p.contact == contact) || h.answers.iter().any(|a| a.stamp.by == author)
            })
        });
        let asked = snapshot.matters.all::<ChangeRequest>().filter(|r| r.submitted.by == author);
        let heard = heard.map(|d| (d.vocabulary, Command::HoldHearing));
        heard.chain(asked.map(|r| (r.vocabulary, Command::HandleRequests))).collect()
    }
}
