//! One server for each SQLite file. The server holds a lock on `FILE.lock` and writes there who it is; a
//! second one, or a command that wants to write, can tell its user.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::model::{Code, Refusal, Result};

/// The server's hold on its database; released when dropped, also by a crash.
pub struct Lock {
    _file: File,
}

/// What the holder of a database said of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder(pub String);

impl Lock {
    /// Takes the database for a server; `note` says who holds it.
    ///
    /// # Errors
    /// [`Code::DatabaseInUse`] with the holder's note; [`Code::File`].
    pub fn take(database: &Path, note: &str) -> Result<Self> {
        let mut file = open(database).map_err(|e| failed(database, &e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = read(&mut file);
                return Err(Refusal::new(
                    Code::DatabaseInUse,
                    format!("{} er åben i en anden proces: {holder}", database.display()),
                    format!("{} is open in another process: {holder}", database.display()),
                )
                .allowed(["stop the other process", "--server URL", "--db sqlite:OTHER-FILE"]));
            }
            Err(TryLockError::Error(e)) => return Err(failed(database, &e)),
        }
        let written = file.set_len(0).and_then(|()| file.write_all(note.as_bytes())).and_then(|()| file.flush());
        written.map_err(|e| failed(database, &e))?;
        Ok(Self { _file: file })
    }

    /// Who holds a database, if anyone.
    #[must_use]
    pub fn holder(database: &Path) -> Option<Holder> {
        let mut file = OpenOptions::new().read(true).write(true).open(path(database)).ok()?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Some(Holder(read(&mut file))),
            _ => None,
        }
    }
}

fn path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

fn open(database: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path(database))
}

fn read(file: &mut File) -> String {
    let mut note = String::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(1000).read_to_string(&mut note));
    if read.is_ok() { note } else { String::new() }
}

fn failed(database: &Path, error: &std::io::Error) -> Refusal {
    Refusal::new(
        Code::File,
        format!("kan ikke låse {}: {error}", database.display()),
        format!("cannot lock {}: {error}", database.display()),
    )
}
