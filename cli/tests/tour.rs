//! The tour of `docs/workflow.md`, run as it is written against a real server.

use std::path::Path;
use std::process::Command;

#[test]
fn the_tour_runs_as_it_is_written() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/tour.sh");
    let output = Command::new(script).arg(env!("CARGO_BIN_EXE_begreb")).output().expect("bash is there");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
}
