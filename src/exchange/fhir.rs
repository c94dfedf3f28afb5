//! placeholder
use super::{Incoming, ReadOptions};
use crate::model::Result;
pub(super) fn read(bytes: &[u8], options: &ReadOptions) -> Result<Incoming> {
    let _ = (bytes, options);
    Ok(Incoming::default())
}
