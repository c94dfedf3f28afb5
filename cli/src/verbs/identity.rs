//! `begreb identity`.

use std::io::Write;
use std::path::PathBuf;

use begreb::exchange::{self, Format, ReadOptions};
use begreb::model::{Code, Language, Refusal};
use begreb::registry::identity;

use super::formats;
use crate::context::Context;
use crate::input::{self, Whole};
use crate::lang::say;
use crate::print;
use crate::stop::{Result, file, named};

const EXAMPLES: &str = "\
KL's edition of 2024-10-31 has every concept of FSIII twice: once by its code, once by its uuid. Earlier
editions have only the one or the other. Pair them, then let the pairs tell who is who:
  begreb identity FSIII-2024-10-31.json -o fsiii-identity.csv
  begreb import --vocabulary fsiii --version 2023-06-22 --effective 2023-06-22 \\
    --identity fsiii-identity.csv FSIII-2023-06-22.json

The file has two columns, code and uuid; it may be edited by hand. What cannot be paired without doubt is
refused with the list of it.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct MakeIdentity {
    /// The file; - is standard input
    file: PathBuf,
    /// The format [default: by the ending of the name; .json is looked into]
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    format: Option<Format>,
    /// Write here instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl MakeIdentity {
    pub fn run(self, context: &Context) -> Result {
        let lang = context.lang;
        let bytes = input::read(&self.file)?;
        let format = match self.format {
            Some(format) => format,
            None => input::guess(&self.file, &bytes)?,
        };
        let at_file = |r: Refusal| r.at(named(self.file.display()));
        let options = ReadOptions { language: Language::danish(), namespace: None };
        let incoming = exchange::read(format, &bytes, &options).map_err(at_file)?;
        let identity = identity(&incoming).map_err(at_file)?;
        if identity.is_empty() {
            return Err(at_file(Refusal::new(
                Code::Incomplete,
                "intet begreb står der to gange, med kode og med uuid; der er ingen par at skrive",
                "no concept stands there twice, by code and by uuid; there are no pairs to write",
            ))
            .into());
        }
        let n = identity.len();
        if let Some(output) = &self.output {
            let mut out = Whole::begin(output)?;
            out.write_all(identity.write().as_bytes()).map_err(|e| file(output, &e))?;
            out.finish()?;
            let output = output.display();
            if context.json {
                let done = serde_json::json!({ "file": output.to_string(), "pairs": n });
                print::out(&format!("{done}\n"));
            } else {
                print::out(&say!(lang, "{n} par skrevet i {output}\n", "{n} pairs written to {output}\n"));
            }
        } else if context.json {
            let codes = incoming.concepts.iter().flat_map(|c| &c.keys).filter_map(|k| {
                let uuid = identity.get(&k.0)?;
                Some((k.0.clone(), uuid.to_string().into()))
            });
            let pairs: serde_json::Map<String, serde_json::Value> = codes.collect();
            print::out(&format!("{}\n", serde_json::Value::Object(pairs)));
        } else {
            print::out(&identity.write());
        }
        Ok(())
    }
}
