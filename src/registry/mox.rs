//! What who runs the registry sees of its messages.

use super::Registry;
use super::verify::wrong;
use crate::model::Result;
use crate::store::Head;

impl Registry {
    /// How far the log was told by message, by the name that it is told under.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn mox_positions(&self) -> Result<Vec<(String, i64)>> {
        self.store.mox_positions().await
    }

    /// The log was told no further than it goes.
    pub(super) async fn compare_mox(&self, head: &Head) -> Result<()> {
        // What was written since the log was read is not wrong.
        let end = head.seq.max(self.store.head().await?.seq);
        match self.store.mox_positions().await?.into_iter().find(|(_, position)| *position > end) {
            Some((name, position)) => {
                Err(wrong(&format!("mox_position {name}: {position} is beyond the end of the log")))
            }
            None => Ok(()),
        }
    }
}
