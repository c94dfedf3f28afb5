//! Chance from the machine: the one place where secrets come in.

use begreb::model::{Code, Dice, Refusal, Result};

/// The dice of the operating system.
pub struct SystemDice;

impl Dice for SystemDice {
    fn throw(&self) -> Result<[u8; 32]> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|e| {
            Refusal::new(
                Code::Internal,
                format!("maskinen giver ingen tilfældige tal: {e}"),
                format!("the machine gives no random numbers: {e}"),
            )
        })?;
        Ok(bytes)
    }
}
