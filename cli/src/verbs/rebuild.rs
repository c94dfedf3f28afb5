//! `begreb rebuild`.

use std::time::Instant;

use begreb::registry::Settings;

use crate::context::{Context, Missing, Opened};
use crate::lang::say;
use crate::print::{self, Paint};
use crate::progress::Progress;
use crate::stop::Result;

const EXAMPLES: &str = "\
Does what readers get follow from the facts, and how long does a start take?
  begreb rebuild --db sqlite:/var/lib/begreb/begreb.db

Everything that is read (every version of fsiii, of ffb, …) is built anew from the facts, and each version is
compared with the digest it was published with. The facts are not touched. A server builds the same when it
starts, so a running one need not be told.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Rebuild {}

impl Rebuild {
    pub async fn run(self, context: &Context) -> Result {
        context.needs_database("rebuild")?;
        let lang = context.lang;
        let begun = Instant::now();
        let work = async |opened: &Opened| {
            let built = begun.elapsed().as_secs_f64();
            let progress = Progress::of(lang.say("Efterprøver", "Verifying").into());
            let done = opened.registry.verify().await?;
            drop(progress);
            let verified = begun.elapsed().as_secs_f64() - built;
            let vocabularies = opened.registry.vocabularies();
            let (n, concepts) = (vocabularies.len(), vocabularies.iter().map(|v| v.concepts).sum::<usize>());
            let (versions, states) = (done.versions.len(), done.states);
            if context.json {
                let answer = serde_json::json!({
                    "vocabularies": n, "versions": versions, "concepts": concepts, "states": states,
                    "secondsToBuild": built, "secondsToVerify": verified, "position": done.changes, "hash": done.hash,
                });
                print::out(&format!("{answer}\n"));
            } else {
                let good = Paint::stdout().green(lang.say("Bygget på ny", "Built anew"));
                print::out(&say!(
                    lang,
                    "{good} på {built:.2} s: {n} ordforråd, {versions} versioner, {states} tilstande, {concepts} begreber gældende i dag.\nHver version har den kontrolsum, den blev udgivet med (efterprøvet på {verified:.2} s).\n",
                    "{good} in {built:.2} s: {n} vocabularies, {versions} versions, {states} states, {concepts} concepts in force today.\nEvery version has the digest it was published with (verified in {verified:.2} s).\n"
                ));
            }
            Ok(())
        };
        context.with(Missing::Refused, Settings::default(), work).await
    }
}
