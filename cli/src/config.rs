//! Options that do not stand on the command line: in the environment as `BEGREB_OPTION`, or in the configuration
//! file as a key, at the top or in a table named after the verb.
//!
//! What the file says becomes the default of the option, so the order of precedence is clap's own: the command
//! line, then the environment, then the file, then the built-in default.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use begreb::model::{Code, Place, Refusal, Result};
use clap::builder::BoolishValueParser;
use clap::{Arg, ArgAction, Command};
use toml::de::{DeTable, DeValue};

/// The value of an option on a command line, before the command line is understood: the file must be known
/// first.
pub fn scan(arguments: &[OsString], long: &str) -> Option<OsString> {
    let mut rest = arguments.iter().skip(1);
    while let Some(argument) = rest.next() {
        let text = argument.to_string_lossy();
        match text.strip_prefix("--") {
            Some("") => return None,
            Some(name) if name == long => return rest.next().cloned(),
            Some(name) => {
                if let Some(value) = name.strip_prefix(long).and_then(|v| v.strip_prefix('=')) {
                    return Some(value.into());
                }
            }
            None => {}
        }
    }
    None
}

/// Gives every option of every verb a variable: `BEGREB_` and its name, unless it names one itself. A variable
/// that is empty says nothing.
pub fn variables(command: Command) -> Command {
    let variable = |arg: Arg| {
        let Some(long) = arg.get_long() else { return arg };
        let own = arg.get_env().map(OsString::from);
        let name = own.unwrap_or_else(|| format!("BEGREB_{}", long.to_uppercase().replace('-', "_")).into());
        if std::env::var_os(&name).is_some_and(|value| value.is_empty()) {
            return arg.env(None::<&'static str>);
        }
        // In a variable `1` and `yes` are as good as `true`.
        let arg = if is_flag(&arg) { arg.value_parser(BoolishValueParser::new()) } else { arg };
        arg.env(clap::builder::OsStr::from(name))
    };
    command.mut_args(variable).mut_subcommands(|verb| verb.mut_args(variable))
}

/// The verb of a command line that may be wrong in other ways.
pub fn verb(command: &Command, arguments: &[OsString]) -> Option<String> {
    let matches = command.clone().ignore_errors(true).try_get_matches_from(arguments).ok()?;
    matches.subcommand_name().map(ToOwned::to_owned)
}

/// What the file says of an option.
struct Given {
    value: String,
    line: u64,
}

/// Gives the options of a verb the defaults that the file says. Keys are checked for every verb.
///
/// # Errors
/// [`Code::Syntax`] when the file is not TOML, [`Code::UnknownParameter`] for a key that is no option,
/// [`Code::InvalidParameter`] for a value that the option does not take; each with the line.
pub fn apply(mut command: Command, verb: Option<&str>, text: &str, file: &Path) -> Result<Command> {
    let reader = Reader { text, file };
    let parsed = DeTable::parse(text).map_err(|e| {
        let why = e.message();
        let place = reader.place(e.span().map_or(0, |s| s.start));
        Refusal::new(Code::Syntax, format!("indstillingsfilen er ikke TOML: {why}"), format!("not TOML: {why}"))
            .at(place)
    })?;
    let mut given: BTreeMap<String, Given> = BTreeMap::new();
    let mut in_table: BTreeMap<String, Given> = BTreeMap::new();
    for (key, value) in parsed.get_ref() {
        let name = key.get_ref().as_ref();
        if let DeValue::Table(table) = value.get_ref() {
            let Some(owner) = command.find_subcommand(name) else {
                let verbs = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
                return Err(reader.unknown(name, key.span().start, "et ordre", "a command", verbs));
            };
            for (key, value) in table {
                let name = key.get_ref().as_ref();
                // No option, but tables of their own: see `providers`.
                if (owner.get_name(), name) == ("serve", "provider") {
                    continue;
                }
                let known = option(owner, name).or_else(|| global(&command, name));
                let Some(arg) = known else {
                    let mut names = names(options(owner));
                    names.extend(self::names(globals(&command)));
                    return Err(reader.unknown(name, key.span().start, "en indstilling her", "an option here", names));
                };
                let value = reader.given(arg, name, value.get_ref(), key.span().start)?;
                if verb == Some(owner.get_name()) {
                    in_table.insert(name.to_owned(), value);
                }
            }
            continue;
        }
        let owner = verb.and_then(|v| command.find_subcommand(v));
        let mine = owner.and_then(|o| option(o, name)).or_else(|| global(&command, name));
        if let Some(arg) = mine {
            given.insert(name.to_owned(), reader.given(arg, name, value.get_ref(), key.span().start)?);
        } else if !command.get_subcommands().any(|c| option(c, name).is_some()) {
            let mut all = names(globals(&command));
            all.extend(command.get_subcommands().flat_map(|c| names(options(c))));
            all.sort();
            all.dedup();
            all.extend(command.get_subcommands().map(|c| format!("[{}]", c.get_name())));
            return Err(reader.unknown(name, key.span().start, "en indstilling", "an option", all));
        }
    }
    given.append(&mut in_table);
    for (name, given) in given {
        command = reader.preset(command, verb, &name, &given)?;
    }
    Ok(command)
}

/// The options that a verb has of its own.
fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|a| a.get_long().is_some_and(|l| l != "help"))
}

/// The options that every verb has; `--config` itself cannot stand in the file.
fn globals(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|a| a.is_global_set() && a.get_long().is_some_and(|l| l != "config"))
}

fn option<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    options(command).find(|a| a.get_long() == Some(name))
}

fn global<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    globals(command).find(|a| a.get_long() == Some(name))
}

fn names<'a>(args: impl Iterator<Item = &'a Arg>) -> Vec<String> {
    args.filter_map(|a| a.get_long().map(ToOwned::to_owned)).collect()
}

fn is_flag(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

struct Reader<'a> {
    text: &'a str,
    file: &'a Path,
}

impl Reader<'_> {
    fn place(&self, at: usize) -> Place {
        let before = self.text.as_bytes().iter().take(at);
        let line = before.filter(|b| **b == b'\n').count() as u64 + 1;
        self.line(line)
    }

    fn line(&self, line: u64) -> Place {
        Place { name: Some(self.file.display().to_string()), line: Some(line), ..Place::default() }
    }

    fn unknown(&self, name: &str, at: usize, da: &str, en: &str, allowed: Vec<String>) -> Refusal {
        Refusal::new(Code::UnknownParameter, format!("»{name}« er ikke {da}"), format!("'{name}' is not {en}"))
            .at(self.place(at))
            .allowed(allowed)
    }

    /// The value as it would stand on the command line.
    fn given(&self, arg: &Arg, name: &str, value: &DeValue<'_>, at: usize) -> Result<Given> {
        let place = self.place(at);
        let line = place.line.unwrap_or_default();
        let refuse = |allowed: &[&str]| {
            let kind = value.type_str();
            let da = format!("»{name}« kan ikke være af typen {kind}");
            let en = format!("'{name}' cannot be a {kind}");
            Err(Refusal::new(Code::InvalidParameter, da, en).at(place.clone()).allowed(allowed.iter().copied()))
        };
        let value = match value {
            DeValue::Boolean(on) => on.to_string(),
            _ if is_flag(arg) => return refuse(&["true", "false"]),
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) if number.radix() == 10 => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Datetime(time) => time.to_string(),
            _ => return refuse(&["\"text\"", "1", "true"]),
        };
        Ok(Given { value, line })
    }

    fn preset(&self, command: Command, verb: Option<&str>, name: &str, given: &Given) -> Result<Command> {
        let own = verb.filter(|v| command.find_subcommand(v).is_some_and(|c| option(c, name).is_some()));
        let owner = own.and_then(|v| command.find_subcommand(v)).unwrap_or(&command);
        let Some(arg) = option(owner, name) else { return Ok(command) };
        self.check(owner, arg, name, given)?;
        let (id, value) = (arg.get_id().clone(), given.value.clone());
        let set = move |arg: Arg| {
            // A flag that the file sets can be taken back: `--json=false`.
            let arg = if is_flag(&arg) {
                arg.action(ArgAction::Set).num_args(0..=1).require_equals(true).default_missing_value("true")
            } else {
                arg
            };
            arg.required(false).default_value(value)
        };
        Ok(match own {
            Some(verb) => command.mut_subcommand(verb, |c| c.mut_arg(id, set)),
            None => command.mut_arg(id, set),
        })
    }

    /// Lets the option itself say whether it takes the value.
    fn check(&self, owner: &Command, arg: &Arg, name: &str, given: &Given) -> Result<()> {
        if is_flag(arg) {
            return Ok(());
        }
        let probe = owner.clone().subcommand_required(false).arg_required_else_help(false);
        let probe = probe.mut_args(|a| a.required(false).env(None::<&'static str>));
        let argument = format!("--{name}={}", given.value);
        let Err(error) = probe.try_get_matches_from(["begreb", &argument]) else { return Ok(()) };
        let why = error.to_string();
        let why = why.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let possible = arg.get_possible_values();
        Err(Refusal::new(
            Code::InvalidParameter,
            format!("»{}« kan ikke bruges som {name}: {why}", given.value),
            format!("'{}' cannot be used as {name}: {why}", given.value),
        )
        .at(self.line(given.line))
        .allowed(possible.iter().map(|p| p.get_name().to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::Cli;

    fn parsed(file: &str, arguments: &[&str]) -> Result<clap::ArgMatches> {
        let arguments: Vec<OsString> = std::iter::once(&"begreb").chain(arguments).map(OsString::from).collect();
        // Whatever the environment of the test is, it says nothing; `server` alone reads a variable that is there.
        let quiet = |a: Arg| a.env(None::<&'static str>);
        let mut command = Cli::command().mut_args(quiet).mut_subcommands(|c| c.mut_args(quiet));
        command = command.mut_arg("server", |a| a.env("CARGO_MANIFEST_DIR"));
        let verb = verb(&command, &arguments);
        let command = apply(command, verb.as_deref(), file, Path::new("begreb.toml"))?;
        Ok(command.try_get_matches_from(arguments).expect("the command line is lawful"))
    }

    fn text(matches: &clap::ArgMatches, name: &str) -> String {
        let matches = matches.subcommand().map_or(matches, |(_, m)| m);
        matches.get_one::<String>(name).cloned().unwrap_or_default()
    }

    #[test]
    fn flag_before_environment_before_file_before_default() {
        let show = ["show", "fsiii"];
        assert_eq!(text(&parsed("", &show).unwrap(), "db"), "sqlite:begreb.db");
        assert_eq!(text(&parsed("db = 'sqlite:x.db'", &show).unwrap(), "db"), "sqlite:x.db");
        let on_both = parsed("db = 'sqlite:x.db'", &["--db", "sqlite:y.db", "show", "fsiii"]).unwrap();
        assert_eq!(text(&on_both, "db"), "sqlite:y.db");
        let after_verb = parsed("db = 'sqlite:x.db'", &["show", "fsiii", "--db", "sqlite:y.db"]).unwrap();
        assert_eq!(text(&after_verb, "db"), "sqlite:y.db");
        // The environment is stronger than the file and weaker than the command line.
        let environment = std::env::var("CARGO_MANIFEST_DIR").unwrap();
        assert_eq!(text(&parsed("server = 'http://file'", &show).unwrap(), "server"), environment);
        let flag = parsed("server = 'http://file'", &["show", "fsiii", "--server", "http://flag"]).unwrap();
        assert_eq!(text(&flag, "server"), "http://flag");
    }

    #[test]
    fn every_option_has_a_variable() {
        let command = variables(Cli::command());
        for verb in command.get_subcommands() {
            for arg in options(verb).chain(globals(&command)) {
                let long = arg.get_long().unwrap_or_default();
                let name = format!("BEGREB_{}", long.to_uppercase().replace('-', "_"));
                assert_eq!(arg.get_env().and_then(|e| e.to_str()), Some(name.as_str()), "{} --{long}", verb.get_name());
            }
        }
    }

    #[test]
    fn a_table_is_for_its_verb_and_stronger_than_the_top() {
        let file = "vocabulary = 'ffb'\nversion = '1'\n[publish]\nvocabulary = 'fsiii'\ndb = 'sqlite:p.db'\neffective = 2024-10-31";
        let publish = parsed(file, &["publish"]).unwrap();
        assert_eq!(text(&publish, "vocabulary"), "fsiii");
        assert_eq!(text(&publish, "version"), "1");
        assert_eq!(text(&publish, "effective"), "2024-10-31");
        assert_eq!(text(&publish, "db"), "sqlite:p.db");
        let export = parsed(file, &["export", "--format", "csv"]).unwrap();
        assert_eq!(text(&export, "vocabulary"), "ffb");
        assert_eq!(text(&export, "db"), "sqlite:begreb.db");
    }

    #[test]
    fn a_flag_of_the_file_can_be_taken_back() {
        let json = |arguments: &[&str]| parsed("json = true", arguments).unwrap().get_flag("json");
        assert!(json(&["show"]));
        assert!(json(&["show", "--json"]));
        assert!(!json(&["show", "--json=false"]));
        assert!(!parsed("json = false", &["show"]).unwrap().get_flag("json"));
    }

    #[test]
    fn what_the_file_cannot_say_is_refused_with_its_line() {
        let refused = |file: &str| parsed(file, &["show", "fsiii"]).unwrap_err();
        let cases = [
            ("db = 'x'\nbd = 'y'", Code::UnknownParameter, 2),
            ("[show]\nversoin = '1'", Code::UnknownParameter, 2),
            ("\n[shwo]\nversion = '1'", Code::UnknownParameter, 2),
            ("config = 'x'", Code::UnknownParameter, 1),
            ("language = 'sv'", Code::InvalidParameter, 1),
            ("json = 'yes'", Code::InvalidParameter, 1),
            ("db = ['x']", Code::InvalidParameter, 1),
            ("db = 'x'\ndb = ", Code::Syntax, 2),
        ];
        for (file, code, line) in cases {
            let refusal = refused(file);
            assert_eq!((refusal.code, refusal.place.line), (code, Some(line)), "{file}");
        }
        assert!(refused("bd = 'y'").allowed.contains(&"db".to_owned()));
        assert!(refused("bd = 'y'").allowed.contains(&"[serve]".to_owned()));
        assert_eq!(refused("language = 'sv'").allowed, ["da", "en"]);
    }

    #[test]
    fn an_option_is_found_before_the_line_is_understood() {
        let scan = |arguments: &[&str]| {
            let arguments: Vec<OsString> = std::iter::once(&"begreb").chain(arguments).map(OsString::from).collect();
            scan(&arguments, "config").map(|v| v.into_string().unwrap())
        };
        assert_eq!(scan(&["show", "--config", "a.toml"]).as_deref(), Some("a.toml"));
        assert_eq!(scan(&["--config=a.toml", "show"]).as_deref(), Some("a.toml"));
        assert_eq!(scan(&["show", "--", "--config", "a.toml"]), None);
        assert_eq!(scan(&["show", "--configuration=a.toml"]), None);
    }
}
