//! `begreb backup`.

use std::path::PathBuf;

use begreb::model::{Code, Refusal};

use crate::context::{Context, Missing};
use crate::input::Whole;
use crate::lang::say;
use crate::print;
use crate::progress::Progress;
use crate::stop::{Result, named};

const EXAMPLES: &str = "\
Everything, with FSIII in all its versions, to one file; a server may go on writing meanwhile:
  begreb backup --db sqlite:/var/lib/begreb/begreb.db begreb-2024-11-01.backup

The file can be restored into SQLite and into PostgreSQL, wherever it came from:
  begreb restore --db postgres://begreb@db/begreb begreb-2024-11-01.backup";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Backup {
    /// The file; it appears when it is whole
    file: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

impl Backup {
    pub async fn run(self, context: &Context) -> Result {
        context.needs_database("backup")?;
        let lang = context.lang;
        let file = self.file.display();
        if self.file.exists() && !self.force {
            let refusal = Refusal::new(Code::Exists, "filen findes allerede", "the file exists already");
            return Err(refusal.at(named(&file)).allowed(["--force"]).into());
        }
        // Not the whole registry: a backup reads the facts alone.
        let store = context.store(Missing::Refused).await?;
        let progress = Progress::bytes(say!(lang, "Skriver {file}", "Writing {file}"));
        let write = async {
            // It holds people, and passwords and tokens as they are stored.
            let mut whole = Whole::begin_private(&self.file)?;
            let mut out = progress.counting(&mut whole);
            let summary = store.backup(&mut out).await?;
            let written = out.written;
            whole.finish()?;
            Ok((summary, written))
        };
        let done: Result<_> = write.await;
        drop(progress);
        store.close().await;
        let (summary, bytes) = done?;
        if context.json {
            let answer = serde_json::json!({
                "file": file.to_string(), "bytes": bytes, "rows": summary.rows,
                "position": summary.position, "hash": summary.hash, "digest": summary.digest,
            });
            print::out(&format!("{answer}\n"));
        } else {
            let (rows, position) = (summary.rows, summary.position);
            print::out(&say!(
                lang,
                "{file} er skrevet: {rows} rækker til og med række {position} i ændringsloggen, {bytes} byte.\n",
                "{file} is written: {rows} rows up to row {position} of the change log, {bytes} bytes.\n"
            ));
        }
        Ok(())
    }
}
