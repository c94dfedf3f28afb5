//! What is written of the house is true of it: the rooms call only whom they may, and every path and page that is named
//! is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The files below a folder that end so.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What stands in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// A room of the map: where it is, how it is called from elsewhere in it, and whom it may call.
struct Room {
    folder: PathBuf,
    prefix: &'static str,
    may: BTreeSet<String>,
}

/// The rooms of the map: whom each may call stands in backticks in the last cell of its row.
fn rooms(map: &str) -> BTreeMap<String, Room> {
    let src = root().join("src");
    let is_room = |name: &str| name == "cli/" || (!name.contains('/') && src.join(name).is_dir());
    let mut rooms: BTreeMap<String, Room> = BTreeMap::new();
    for row in map.lines().filter(|l| l.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        let Some(name) = quoted(cells[0]).first().copied().filter(|n| is_room(n)) else { continue };
        let last = cells.last().expect("a cell");
        let may = match last.contains("those above") {
            true => rooms.keys().cloned().collect(),
            false => quoted(last).iter().filter_map(|n| n.split("::").next()).map(ToOwned::to_owned).collect(),
        };
        let (folder, prefix) =
            if name == "cli/" { (root().join("cli/src"), "begreb::") } else { (src.join(name), "crate::") };
        rooms.insert(name.to_owned(), Room { folder, prefix, may });
    }
    let there = std::fs::read_dir(&src).expect("a folder").map(|e| e.expect("an entry").path()).filter(|p| p.is_dir());
    assert_eq!(rooms.len(), there.count() + 1, "the map has every room");
    rooms
}

#[test]
fn the_rooms_call_only_whom_they_may() {
    let (mut wrong, mut calls) = (Vec::new(), 0);
    for (name, room) in rooms(&read("ARCHITECTURE.md")) {
        for file in files(&room.folder, ".rs") {
            // What tests call is not the room's.
            if file.ends_with("tests.rs") || file.components().any(|c| c.as_os_str() == "tests") {
                continue;
            }
            let text = std::fs::read_to_string(&file).expect("a file");
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            for called in code.split(room.prefix).skip(1) {
                let called: String = called.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                let is_room = called != name && root().join("src").join(&called).is_dir() && !called.is_empty();
                calls += usize::from(is_room);
                if is_room && !room.may.contains(&called) {
                    wrong.push(format!("{} calls {called}", file.display()));
                }
            }
        }
    }
    assert!(calls > 500, "{calls} calls were looked at");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a name in backticks is a path of the project, and no address, pattern or command.
fn is_path(name: &str) -> bool {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    let ends = [".rs", ".md", ".sh", ".toml", ".sql", ".html", "/"].iter().any(|e| name.ends_with(e));
    plain && ends && !name.starts_with(['/', '.']) && (name.contains('/') || name.ends_with(".md"))
}

#[test]
fn every_path_that_the_maps_name_is_there() {
    let mut missing = Vec::new();
    let mut named = 0;
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md", "migrations/README.md"] {
        let text = read(page);
        for path in quoted(&text).into_iter().filter(|q| is_path(q)) {
            // The places of a new format or migration have names of their own.
            if path.contains("NAME") || path.contains("000N") || path.contains("shared/") {
                continue;
            }
            named += 1;
            let folder = Path::new(page).parent().expect("a folder");
            let places = [root().join(path), root().join("src").join(path), root().join(folder).join(path)];
            if !places.iter().any(|p| p.exists()) {
                missing.push(format!("{page} names {path}"));
            }
        }
    }
    assert!(named > 20, "{named} paths were looked at");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_link_leads_somewhere_and_every_page_is_linked() {
    let pages = files(&root().join("docs"), ".md");
    let mut wrong = Vec::new();
    let readme = read("README.md");
    for page in &pages {
        let name = format!("(docs/{})", page.file_name().expect("a name").to_string_lossy());
        if !readme.contains(&name) {
            wrong.push(format!("README.md has no link to {name}"));
        }
    }
    let maps = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "migrations/README.md"];
    for page in maps.iter().map(|p| root().join(p)).chain(pages) {
        let text = std::fs::read_to_string(&page).expect("a page");
        for link in text.split("](").skip(1).filter_map(|l| l.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") || path.starts_with('/') || path.contains(' ') {
                continue;
            }
            if !page.parent().expect("a folder").join(path).exists() {
                wrong.push(format!("{} links to {link}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
