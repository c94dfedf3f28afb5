//! `begreb restore`.

use std::io::BufReader;
use std::path::PathBuf;

use begreb::model::Refusal;
use begreb::registry::Settings;

use super::verify;
use crate::context::{Context, Missing, Opened};
use crate::lang::say;
use crate::print::{self, Paint};
use crate::progress::Progress;
use crate::stop::{self, Result, named};

const EXAMPLES: &str = "\
Into a new SQLite file, then see that FSIII is there:
  begreb restore --db sqlite:ny.db begreb-2024-11-01.backup
  begreb show --db sqlite:ny.db fsiii

All of it is restored or nothing; afterwards the whole registry is verified. A database that is not empty is
refused.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Restore {
    /// The backup
    file: PathBuf,
}

impl Restore {
    pub async fn run(self, context: &Context) -> Result {
        context.needs_database("restore")?;
        let lang = context.lang;
        let file = self.file.display();
        let source = std::fs::File::open(&self.file).map_err(|e| stop::file(&self.file, &e))?;
        let store = context.store(Missing::Made).await?;
        let progress = Progress::of(say!(lang, "Indlæser {file}", "Restoring {file}"));
        let restored = store.restore(BufReader::new(source)).await;
        drop(progress);
        store.close().await;
        let summary = restored.map_err(|r: Refusal| if r.place.line.is_some() { r.at(named(&file)) } else { r })?;
        let work = async |opened: &Opened| {
            let progress = Progress::of(lang.say("Efterprøver registret", "Verifying the registry").into());
            let done = opened.registry.verify().await?;
            drop(progress);
            if context.json {
                let answer = serde_json::json!({ "restored": summary, "verified": done });
                print::out(&format!("{answer}\n"));
                return Ok(());
            }
            let rows = summary.rows;
            print::out(&say!(lang, "{file}: {rows} rækker lagt ind.\n\n", "{file}: {rows} rows restored.\n\n"));
            print::out(&verify::text(&done, lang, Paint::stdout()));
            Ok(())
        };
        context.with(Missing::Made, Settings::default(), work).await
    }
}
