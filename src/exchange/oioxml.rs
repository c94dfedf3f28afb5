//! placeholder
use super::{Incoming, ReadOptions};
use crate::model::Result;
pub(super) fn read(bytes: &[u8], options: &ReadOptions) -> Result<Incoming> {
    let _ = (bytes, options);
    Ok(Incoming::default())
}
pub(super) fn write(edition: super::Outgoing<'_>, out: &mut dyn std::io::Write) -> std::io::Result<()> {
    let _ = (edition, out);
    Ok(())
}
