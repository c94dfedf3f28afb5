//! What who runs the registry sees of its mail, and may do about it.

use uuid::Uuid;

use super::Registry;
use super::permission::Actor;
use super::verify::wrong;
use crate::model::{Code, Refusal, Result};
use crate::store::{Head, LetterRow, LetterState, MailStatus};

impl Registry {
    /// How mail stands: how far the log has been read for letters, and how many there are in each state.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn mail_status(&self) -> Result<MailStatus> {
        self.store.mail_status().await
    }

    /// The newest letters, of one state or of all; with their addresses, as long as those are kept.
    ///
    /// # Errors
    /// [`Code::NotAllowed`] for all but the operator; [`Code::Database`].
    pub async fn letters(&self, actor: &Actor, state: Option<LetterState>, limit: u32) -> Result<Vec<LetterRow>> {
        operator_only(actor)?;
        self.store.letters(state, limit.into()).await
    }

    /// Sends a letter once more that is in doubt, was refused, or was given up.
    ///
    /// # Errors
    /// [`Code::NotAllowed`] for all but the operator; [`Code::NotFound`]; [`Code::Unlawful`] for a letter that waits,
    /// was sent or was emptied; [`Code::Database`].
    pub async fn resend_letter(&self, actor: &Actor, letter: Uuid) -> Result<()> {
        operator_only(actor)?;
        let done = self.store.resend_letter(letter, self.clock.now()).await?;
        if done { Ok(()) } else { Err(self.not_so(letter, ["doubt", "refused", "givenUp"]).await?) }
    }

    /// Empties a letter, and lets it not be sent any more.
    ///
    /// # Errors
    /// [`Code::NotAllowed`] for all but the operator; [`Code::NotFound`]; [`Code::Unlawful`] for a letter that is
    /// being sent, was sent or was dropped; [`Code::Database`].
    pub async fn drop_letter(&self, actor: &Actor, letter: Uuid) -> Result<()> {
        operator_only(actor)?;
        let done = self.store.drop_letter(letter, self.clock.now()).await?;
        if done { Ok(()) } else { Err(self.not_so(letter, ["queued", "doubt", "refused", "givenUp"]).await?) }
    }

    /// Why a letter cannot be treated so.
    async fn not_so<const N: usize>(&self, letter: Uuid, allowed: [&str; N]) -> Result<Refusal> {
        let Some(state) = self.store.letter_state(letter).await? else {
            let (da, en) = (format!("der er intet brev {letter}"), format!("there is no letter {letter}"));
            return Ok(Refusal::new(Code::NotFound, da, en).allowed(["begreb mail list"]));
        };
        let (da, en) = (
            format!("det kan ikke gøres ved et brev, der er {state}, eller hvis tekst er slettet"),
            format!("that cannot be done with a letter that is {state}, or whose text has been erased"),
        );
        Ok(Refusal::new(Code::Unlawful, da, en).allowed(allowed))
    }

    /// Letters tell of rows that the log has, and it has been read for them no further than it goes.
    pub(super) async fn compare_mail(&self, head: &Head) -> Result<()> {
        // What was written since the log was read is not wrong.
        let end = head.seq.max(self.store.head().await?.seq);
        if let Some(position) = self.store.mail_position().await?.filter(|p| *p > end) {
            return Err(wrong(&format!("mail_position: {position} is beyond the end of the log")));
        }
        match self.store.letter_beyond(end).await? {
            Some(letter) => Err(wrong(&format!("letter {letter}: the log does not have its row"))),
            None => Ok(()),
        }
    }
}

fn operator_only(actor: &Actor) -> Result<()> {
    if matches!(actor, Actor::Operator(_)) {
        return Ok(());
    }
    let (da, en) = ("breve er driftens sag", "letters are the matter of who runs the registry");
    Err(Refusal::new(Code::NotAllowed, da, en).allowed(["begreb mail"]))
}
