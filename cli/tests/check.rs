//! `begreb check` as a vendor runs it: on the files that offices have, by hand and in a script.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

/// A folder of its own with a registry in it, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("begreb-cli-check-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        let folder = Self(path);
        folder.write("1.csv", b"notation,preferred.da\nA1,a\nB1,b\nC1,c\n");
        folder.write("2.csv", b"notation,preferred.da\nA1,a\nC1,bedre c\n");
        for (label, day) in [("1", "2020-01-01"), ("2", "2999-01-01")] {
            let file = format!("{label}.csv");
            let import = ["import", "--vocabulary", "koder", &file, "--version", label, "--effective", day];
            let done = folder.run(&import);
            assert!(done.status.success(), "{}", text(&done.stderr));
        }
        folder
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.join(name), bytes).expect("a file");
    }

    fn begreb(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_begreb"));
        command.current_dir(&self.0).args(arguments).env_remove("BEGREB_DB").env("LANG", "da_DK.UTF-8");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.begreb(arguments).output().expect("begreb runs")
    }

    /// Checks a file: the exit code, and what was said.
    fn check(&self, more: &[&str]) -> (Option<i32>, String, String) {
        let output = self.run(&[&["check", "--vocabulary", "koder"], more].concat());
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_exit_code_says_whether_all_is_well_something_is_not_or_nothing_is_known() {
    let f = Folder::new("exit");
    f.write("fine.csv", b"A1\nC1\n");
    f.write("gone.csv", b"A1\nB1\n");
    f.write("none.csv", b"A1\nQ9\n");
    f.write("bad.csv", b"a;kode\n1;\x07\n");
    let (code, said, _) = f.check(&["fine.csv"]);
    assert_eq!(code, Some(0), "a change of the name is told, and is no trouble");
    assert!(said.contains("nyt navn fra 2999-01-01 → bedre c"), "{said}");
    let (code, said, _) = f.check(&["gone.csv"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("2:") && said.contains("udgår 2999-01-01"), "{said}");
    assert_eq!(f.check(&["none.csv"]).0, Some(1));
    for more in [
        &["findes-ikke.csv"][..],
        &["bad.csv"],
        &["fine.csv", "--column", "9"],
        &["fine.csv", "--on", "i morgen"],
        &["fine.csv", "--server", "http://127.0.0.1:9"],
    ] {
        let (code, out, err) = f.check(more);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{more:?}: {err}");
        assert!(err.contains("Afvist:"), "{more:?}: {err}");
        // A program reads the same.
        for json in [["--format", "json"].as_slice(), &["--json"]] {
            let (code, out, _) = f.check(&[more, json].concat());
            let refused: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{more:?}: {e}: {out}"));
            assert_eq!((code, refused["code"].is_string()), (Some(2), true), "{more:?}: {refused}");
        }
    }
    assert_eq!(f.run(&["check", "fine.csv", "--vocabulary", "andre"]).status.code(), Some(2), "no such vocabulary");
    let empty = Folder(f.0.join("tom"));
    std::fs::create_dir_all(&empty.0).expect("a folder");
    empty.write("fine.csv", b"A1\n");
    assert_eq!(empty.run(&["check", "fine.csv"]).status.code(), Some(2), "there is no registry");
}

#[test]
fn files_are_read_as_they_are() {
    let f = Folder::new("files");
    let rows = "Borger;\"Ydelse (æøå)\";Ydelseskode\r\n\"1; 2\";\"\"\"x\"\"\";A1\r\n2;ø;B1\r\n";
    let latin: Vec<u8> = rows.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
    let unicode: Vec<u8> = [0xff, 0xfe].into_iter().chain(rows.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    f.write("latin.csv", &latin);
    f.write("unicode.txt", &unicode);
    f.write("bom.csv", format!("\u{feff}{rows}").as_bytes());
    f.write("bare.tsv", b"x\tA1\ny\tB1\n");
    f.write("liste.json", br#"["A1", {"system": "koder", "code": "B1"}]"#);
    f.write("felter.json", br#"{"codes": [{"Ydelseskode": "A1"}, {"Ydelseskode": "B1"}]}"#);
    let json = |more: &[&str]| -> Value {
        let (code, out, err) = f.check(&[more, &["--format", "json"]].concat());
        assert_eq!(code, Some(1), "{more:?}: {out}{err}");
        serde_json::from_str(&out).expect("JSON")
    };
    for more in [
        &["latin.csv", "--column", "Ydelseskode"][..],
        &["unicode.txt", "--column", "ydelseskode"],
        &["bom.csv", "--column", "3", "--heading"],
        &["bare.tsv", "--column", "2"],
        &["liste.json"],
        &["felter.json", "--column", "Ydelseskode"],
    ] {
        let report = json(more);
        let verdicts: Vec<_> =
            report["codes"].as_array().expect("codes").iter().map(|c| (&c["code"], &c["verdict"])).collect();
        assert_eq!(verdicts, [(&json!("A1"), &json!("inForce")), (&json!("B1"), &json!("willBeRetired"))], "{more:?}");
    }
    // From a pipe.
    let mut child = f
        .begreb(&["check", "--vocabulary", "koder", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("begreb runs");
    child.stdin.take().expect("a pipe").write_all(b"A1\r\nC1\r\n").expect("it is read");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    // What cannot be read is told with where it is, in both languages.
    f.write("bok.xlsx", b"PK\x03\x04\x14\0\x06\0");
    let (code, _, said) = f.check(&["bok.xlsx"]);
    assert!(code == Some(2) && said.contains("gem arket som CSV"), "{said}");
    let english = f.begreb(&["check", "bok.xlsx", "--language", "en"]).output().expect("begreb runs");
    assert!(text(&english.stderr).contains("save the sheet as CSV"), "{}", text(&english.stderr));
    f.write("rows.csv", "kode;navn\nA1;x\nB\u{7}1;y\nC\u{8}1;z\n".as_bytes());
    let (_, _, said) = f.check(&["rows.csv"]);
    assert!(said.contains("3:1: B\u{fffd}1") && said.contains("4:1: C\u{fffd}1"), "{said}");
    let (_, _, said) = f.check(&["latin.csv"]);
    assert!(said.contains("--column"), "{said}");
}

#[test]
fn what_may_have_been_meant_is_named() {
    let f = Folder::new("near");
    f.write("slips.csv", b"a1\nAl\nQ\nB 1\n");
    let (code, said, _) = f.check(&["slips.csv"]);
    assert_eq!(code, Some(1));
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].contains("menes koder A1 a?"), "{said}");
    assert!(lines[1].contains("menes koder A1 a?"), "{said}");
    assert!(!lines[2].contains("menes"), "{said}");
    assert!(lines[3].contains("menes koder B1 b?"), "{said}");
}
