//! placeholder
use super::{Incoming, ReadOptions};
use crate::model::Result;
pub(super) fn read(format: super::Format, bytes: &[u8], options: &ReadOptions) -> Result<Incoming> {
    let _ = (format, bytes, options);
    Ok(Incoming::default())
}
pub(super) fn write(
    format: super::Format,
    edition: super::Outgoing<'_>,
    out: &mut dyn std::io::Write,
) -> std::io::Result<()> {
    let _ = (format, edition, out);
    Ok(())
}
