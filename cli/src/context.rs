//! What every verb is given: where the registry is, how to speak, and how to get at it.

use std::path::PathBuf;
use std::sync::Arc;

use begreb::model::{Code, Refusal};
use begreb::registry::{Actor, Registry, Settings};
use begreb::store::{Lock, Store};

use crate::clock::SystemClock;
use crate::dice::SystemDice;
use crate::lang::Lang;
use crate::progress::Progress;
use crate::remote::Server;
use crate::source::Source;
use crate::stop::{Result, Stop, named};

/// What every verb is given.
pub struct Context {
    /// The address of the database.
    pub db: String,
    /// The address of a running server, when that is asked instead.
    pub server: Option<String>,
    /// Whether programs read the answer.
    pub json: bool,
    /// The language of texts for people.
    pub lang: Lang,
    /// The file with options.
    pub config: Option<std::path::PathBuf>,
}

/// Whether a database that is not there is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// It is refused: there is nothing to read.
    Refused,
    /// It is made.
    Made,
    /// An empty one in memory stands in: only a plan is asked for.
    Imagined,
}

/// A database that is open.
pub struct Opened {
    /// The registry in it.
    pub registry: Registry,
    /// Its file, for SQLite.
    pub file: Option<PathBuf>,
}

impl Opened {
    /// Who else serves the file.
    pub fn holder(&self) -> Option<String> {
        self.file.as_deref().and_then(Lock::holder).map(|holder| holder.0)
    }
}

impl Context {
    /// Refuses a verb that only the database itself can answer.
    pub fn needs_database(&self, verb: &str) -> Result {
        if self.server.is_none() {
            return Ok(());
        }
        let refusal = Refusal::new(
            Code::InvalidParameter,
            format!("begreb {verb} skal bruge selve databasen og kan ikke gå gennem en server"),
            format!("begreb {verb} needs the database itself and cannot go through a server"),
        );
        Err(Stop::usage(
            refusal.at(named("--server, BEGREB_SERVER")).allowed(["--db sqlite:FILE", "--db postgres://…"]),
        ))
    }

    /// Opens the database.
    pub async fn store(&self, missing: Missing) -> Result<Store> {
        let absent = sqlite_file(&self.db).filter(|file| !file.exists());
        let address = match (absent, missing) {
            (Some(_), Missing::Imagined) => "sqlite::memory:",
            (Some(file), Missing::Refused) => {
                let refusal = Refusal::new(
                    Code::File,
                    "der er ingen database dér; begreb import og begreb serve laver en",
                    "there is no database there; begreb import and begreb serve make one",
                );
                return Err(refusal.at(named(file.display())).allowed(["--db sqlite:FILE", "--server URL"]).into());
            }
            _ => &self.db,
        };
        Ok(Store::open(address).await?)
    }

    /// Opens the database, works on its registry, and closes it however the work ended.
    pub async fn with<T>(
        &self,
        missing: Missing,
        settings: Settings,
        work: impl AsyncFnOnce(&Opened) -> Result<T>,
    ) -> Result<T> {
        let store = self.store(missing).await?;
        let closing = store.clone();
        let file = store.file().cloned();
        let progress = Progress::of(self.lang.say("Åbner registret", "Opening the registry").into());
        let opened = Registry::open(store, Arc::new(SystemClock), settings).await;
        drop(progress);
        let done = match opened {
            Ok(registry) => work(&Opened { registry: registry.with_dice(Arc::new(SystemDice)), file }).await,
            Err(refusal) => Err(refusal.into()),
        };
        closing.close().await;
        done
    }

    /// Works on the registry of a database that is there, for a verb that only the database itself can answer.
    pub async fn on_database<T>(&self, verb: &str, work: impl AsyncFnOnce(&Registry) -> Result<T>) -> Result<T> {
        self.needs_database(verb)?;
        let work = async |opened: &Opened| work(&opened.registry).await;
        self.with(Missing::Refused, Settings::default(), work).await
    }

    /// Reads from the server, or from the database.
    pub async fn reading<T>(&self, work: impl AsyncFnOnce(&Source<'_>) -> Result<T>) -> Result<T> {
        match &self.server {
            Some(url) => work(&Source::There(Server::new(url, self.lang).map_err(Stop::usage)?)).await,
            None => {
                let lang = self.lang;
                let here = async |opened: &Opened| work(&Source::Here(&opened.registry, lang)).await;
                self.with(Missing::Refused, Settings::default(), here).await
            }
        }
    }
}

/// The user of the machine: the name that the change log gets.
pub fn operator() -> Actor {
    let user =
        ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|n| std::env::var(n).ok().filter(|v| !v.is_empty()));
    Actor::Operator(user.unwrap_or_else(|| "cli".into()))
}

/// The file of an SQLite address that names one plainly.
fn sqlite_file(address: &str) -> Option<PathBuf> {
    let rest = address.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let name = rest.split('?').next().unwrap_or_default();
    (!name.is_empty() && !address.contains(":memory:") && !name.contains('%')).then(|| PathBuf::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_an_address() {
        let file = |address| sqlite_file(address).map(|f| f.display().to_string());
        assert_eq!(file("sqlite:begreb.db").as_deref(), Some("begreb.db"));
        assert_eq!(file("sqlite:///var/b.db?mode=ro").as_deref(), Some("/var/b.db"));
        assert_eq!(file("sqlite::memory:"), None);
        assert_eq!(file("postgres://h/d"), None);
    }
}
