//! `begreb export`.

use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use begreb::exchange::Format;
use begreb::model::{Code, Refusal};

use super::{Reading, formats};
use crate::context::Context;
use crate::input::{Whole, is_pipe};
use crate::lang::say;
use crate::print::{self, Stdout};
use crate::progress::Progress;
use crate::source::Source;
use crate::stop::{Result, file, named};

const EXAMPLES: &str = "\
What is in force today, as a table:
  begreb export --vocabulary fsiii -o fsiii.csv

Exactly what a version holds, as SKOS in Turtle, from a running server:
  begreb export --vocabulary fsiii --version 2024-10-31 --format ttl \\
    --server https://begreb.example.dk -o fsiii-2024-10-31.ttl

What was in force on a day, down a pipe:
  begreb export --vocabulary fsiii --date 2023-07-01 --format csv | cut -d, -f1,2";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Export {
    /// The vocabulary: fsiii
    #[arg(long, value_name = "SLUG")]
    vocabulary: String,
    /// The format [default: by the ending of the file that is written]
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    format: Option<Format>,
    #[command(flatten)]
    reading: Reading,
    /// Write here instead of to standard output; the file appears when it is whole
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    pub async fn run(self, context: &Context) -> Result {
        let output = self.output.filter(|path| !is_pipe(path));
        let format = match (self.format, &output) {
            (Some(format), _) => format,
            (None, Some(path)) => Format::of_file(path)?,
            (None, None) => {
                let refusal = Refusal::new(
                    Code::InvalidParameter,
                    "angiv formatet med --format, eller en fil med -o",
                    "give the format with --format, or a file with -o",
                );
                return Err(refusal.at(named("--format")).allowed(Format::WRITTEN.map(Format::name)).into());
            }
        };
        let (slug, at) = (self.vocabulary, self.reading.at());
        let work = async |source: &Source<'_>| match &output {
            Some(path) => {
                let progress = Progress::bytes(say!(context.lang, "Skriver {slug}", "Writing {slug}"));
                let mut whole = Whole::begin(path)?;
                let mut out = progress.counting(&mut whole);
                source.export(&slug, &at, format, &mut out)?;
                let written = out.written;
                whole.finish()?;
                drop(progress);
                tell(context, path, format, written);
                Ok(())
            }
            None => {
                let quiet = std::io::stdout().is_terminal();
                let text = say!(context.lang, "Skriver {slug}", "Writing {slug}");
                let progress = if quiet { Progress::none() } else { Progress::bytes(text) };
                let stdout = Stdout(BufWriter::with_capacity(1 << 16, std::io::stdout().lock()));
                let mut out = progress.counting(stdout);
                source.export(&slug, &at, format, &mut out)?;
                Ok(out.flush().map_err(|e| file(Path::new("stdout"), &e))?)
            }
        };
        context.reading(work).await
    }
}

fn tell(context: &Context, path: &Path, format: Format, written: u64) {
    let (path, format, lang) = (path.display(), format.name(), context.lang);
    if context.json {
        let done = serde_json::json!({ "file": path.to_string(), "format": format, "bytes": written });
        print::out(&format!("{done}\n"));
    } else {
        print::out(&say!(
            lang,
            "{path} er skrevet ({format}, {written} byte)\n",
            "{path} is written ({format}, {written} bytes)\n"
        ));
    }
}
