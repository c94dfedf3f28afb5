//! `begreb`: the server and the tools of the Begreb registry.
//!
//! The command translates: arguments into calls of the registry (or of a server's API), answers into text for
//! people or JSON for programs. No rule lives here.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser};

use crate::context::Context;
use crate::lang::Lang;
use crate::stop::Stop;

mod clock;
mod config;
mod context;
mod dice;
mod input;
mod lang;
mod print;
mod progress;
mod providers;
mod pull;
mod remote;
mod report;
mod source;
mod stop;
mod value;
mod verbs;

#[global_allocator]
static ALLOCATOR: begreb_meter::Meter = begreb_meter::Meter;

/// A terminology and classification registry for the Danish social sector.
#[derive(Parser, Debug)]
#[command(name = "begreb", version, arg_required_else_help = true, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: verbs::Verb,
}

const EXAMPLES: &str = "\
From KL's files to a served registry:
  begreb identity FSIII-2024-10-31.json -o fsiii-identity.csv
  begreb import --vocabulary fsiii --version 2023-06-22 --effective 2023-06-22 \\
    --identity fsiii-identity.csv FSIII-2023-06-22.json
  begreb import --vocabulary fsiii --version 2024-10-31 --effective 2024-10-31 FSIII-2024-10-31.json
  begreb diff --vocabulary fsiii 2023-06-22 2024-10-31
  begreb serve

Every option can also stand in the environment, as BEGREB_ and its name in capitals (--public-url is
BEGREB_PUBLIC_URL), and in a file (--config begreb.toml), at its top or in a table named after the verb:
  db = \"sqlite:/var/lib/begreb/begreb.db\"
  [serve]
  listen = \"0.0.0.0:8080\"
The command line comes before the environment, that before the file.

Exit codes: 0 fine, 1 refused with reasons, 2 the command was not understood.";

#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Options of every verb")]
struct Global {
    /// The database: sqlite:FILE or postgres://USER@HOST/DATABASE
    #[arg(
        long,
        global = true,
        env = "BEGREB_DB",
        hide_env_values = true,
        default_value = "sqlite:begreb.db",
        value_name = "ADDRESS"
    )]
    db: String,
    /// Ask a running server instead of the database (verbs that read)
    #[arg(long, global = true, env = "BEGREB_SERVER", value_name = "URL")]
    server: Option<String>,
    /// A file with options (TOML)
    #[arg(long, global = true, env = "BEGREB_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Answer in JSON, for programs
    #[arg(long, global = true)]
    json: bool,
    /// The language of texts [default: that of the environment (LANG), else en]
    #[arg(long, global = true, env = "BEGREB_LANGUAGE", value_name = "TAG", value_enum)]
    language: Option<Lang>,
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let spoken = config::scan(&arguments, "language").or_else(|| std::env::var_os("BEGREB_LANGUAGE"));
    let spoken = spoken.and_then(|l| <Lang as clap::ValueEnum>::from_str(l.to_str()?, true).ok());
    let lang = spoken.unwrap_or_else(|| Lang::of_environment(|name| std::env::var(name).ok()));
    let json = arguments.iter().any(|a| a == "--json");

    let configured = config::scan(&arguments, "config").or_else(|| std::env::var_os("BEGREB_CONFIG"));
    let configured = configured.filter(|path| !path.is_empty());
    let command = match configured {
        None => config::variables(Cli::command()),
        Some(path) => match configured_command(Path::new(&path), &arguments) {
            Ok(command) => command,
            Err(stop) => return stop.tell(lang, json),
        },
    };
    let parsed = command.try_get_matches_from(arguments).and_then(|m| Ok((Cli::from_arg_matches(&m)?, m)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        // Prints help and version too; ends with 0 for those and 2 for what was not understood.
        Err(error) => error.exit(),
    };
    let lang = cli.global.language.unwrap_or(lang);
    let json = cli.global.json || cli.verb.wants_json();
    let server = cli.global.server.filter(|url| !url.is_empty() && !database_is_nearer(&matches));
    let config = cli.global.config.filter(|path| !path.as_os_str().is_empty());
    let context = Context { db: cli.global.db, server, json, lang, config };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            print::err(&format!("begreb: {error}\n"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(cli.verb.run(&context)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => stop.tell(lang, json),
    }
}

fn configured_command(path: &Path, arguments: &[OsString]) -> Result<clap::Command, Stop> {
    let text = std::fs::read_to_string(path).map_err(|e| Stop::usage(stop::file(path, &e)))?;
    let command = config::variables(Cli::command());
    let verb = config::verb(&command, arguments);
    config::apply(command, verb.as_deref(), &text, path).map_err(Stop::usage)
}

/// Whether the database was named on the command line and the server was not: what stands nearer is meant.
fn database_is_nearer(matches: &ArgMatches) -> bool {
    let source = |name| matches.value_source(name);
    source("db") == Some(ValueSource::CommandLine) && source("server") != Some(ValueSource::CommandLine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_lawful() {
        config::variables(Cli::command()).debug_assert();
    }
}
