//! `begreb verify`.

use std::fmt::Write as _;

use begreb::registry::{Settings, Verification};

use crate::context::{Context, Missing, Opened};
use crate::lang::{Lang, say};
use crate::print::{self, Paint, Table};
use crate::progress::Progress;
use crate::source;
use crate::stop::Result;

const EXAMPLES: &str = "\
Is everything in the database still what was written there?
  begreb verify --db sqlite:/var/lib/begreb/begreb.db

It recomputes the chain of the change log from its first row, the digest of every content, and the digest of
every version, and holds vocabularies, concepts, states and versions against what the log tells. It changes
nothing. Exit code 1 with the first row that is wrong.

The digest of a version is of its concepts in their order: FSIII 2024-10-31 has the same one in every registry,
whatever was imported before it; compare by begreb show fsiii. The last seal covers all that was ever written,
and when: note it somewhere else.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Verify {}

impl Verify {
    pub async fn run(self, context: &Context) -> Result {
        context.needs_database("verify")?;
        let lang = context.lang;
        let work = async |opened: &Opened| {
            let progress = Progress::of(lang.say("Efterprøver registret", "Verifying the registry").into());
            let done = opened.registry.verify().await?;
            drop(progress);
            if context.json {
                print::out(&format!("{}\n", source::json(&done)?));
            } else {
                print::out(&text(&done, lang, Paint::stdout()));
            }
            Ok(())
        };
        context.with(Missing::Refused, Settings::default(), work).await
    }
}

/// What was checked, told to people.
pub fn text(done: &Verification, lang: Lang, paint: Paint) -> String {
    let mut table = Table::right([1]);
    let rows = [
        (
            lang.say("ændringslog", "change log"),
            done.changes.to_string(),
            lang.say("rækker; kæden er ubrudt", "rows; the chain is unbroken"),
        ),
        (
            lang.say("indhold", "contents"),
            done.contents.to_string(),
            lang.say("hvert har sin kontrolsum", "each has its digest"),
        ),
        (
            lang.say("tilstande", "states"),
            done.states.to_string(),
            lang.say("som ændringsloggen fortæller", "as the change log tells"),
        ),
        (
            lang.say("versioner", "versions"),
            done.versions.len().to_string(),
            lang.say("hver har den kontrolsum, den blev udgivet med", "each has the digest it was published with"),
        ),
    ];
    rows.into_iter().for_each(|(what, n, how)| table.row([what, n.as_str(), how]));
    let mut text = table.text("");
    let mut versions = Table::default();
    done.versions.iter().for_each(|v| {
        versions.row([v.vocabulary.to_string(), v.label.to_string(), v.digest.to_string()]);
    });
    if !versions.is_empty() {
        text.push('\n');
        text.push_str(&versions.text("  "));
    }
    let hash = &done.hash;
    let whole = paint.green(lang.say("Registret er helt.", "The registry is whole."));
    let seal = if done.changes > 0 { say!(lang, " Sidste segl: {hash}", " Last seal: {hash}") } else { String::new() };
    let _ = writeln!(text, "\n{whole}{seal}");
    text
}
