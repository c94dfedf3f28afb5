//! What came of many turns, written together: whoever comes while the database is busy waits, and is written with all
//! the others who came. So a writer of facts never waits for more than one transaction of ours.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Mutex as Turn, oneshot};

use crate::model::{Code, Refusal, Result};
use crate::store::{Settlement, Standing, Store};

/// Answers how the subscription of a settlement stands; nothing when its claim does not stand any more.
type Tell = oneshot::Sender<Result<Option<Standing>>>;

/// What waits to be written.
#[derive(Default)]
pub struct Ledger {
    waiting: Mutex<Vec<(Settlement, Tell)>>,
    writing: Turn<()>,
}

impl Ledger {
    /// Writes a settlement, perhaps with others.
    ///
    /// # Errors
    /// [`Code::Database`]: then it is not written.
    pub async fn settle(&self, store: &Store, settlement: Settlement) -> Result<Option<Standing>> {
        let (tell, told) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((settlement, tell));
        {
            let _turn = self.writing.lock().await;
            let taken = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            // Perhaps whoever was before has written ours already.
            if !taken.is_empty() {
                let (settlements, tells): (Vec<_>, Vec<_>) = taken.into_iter().unzip();
                let done = store.settle_deliveries(&settlements).await;
                for (settlement, tell) in settlements.iter().zip(tells) {
                    let answer = done.as_ref().map(|standing| standing.get(&settlement.uuid).copied());
                    // Who was waiting may be gone.
                    let _ = tell.send(answer.map_err(Clone::clone));
                }
            }
        }
        told.await.unwrap_or_else(|_| {
            let (da, en) = ("en levering blev ikke skrevet ned", "a delivery was not put on record");
            Err(Refusal::new(Code::Internal, da, en))
        })
    }
}
