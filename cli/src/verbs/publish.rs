//! `begreb publish`.

use begreb::model::{Label, Refusal, Slug};
use begreb::registry::{PublishRequest, Settings};

use super::import::{effective, tell, tell_there};
use crate::context::{Context, Missing, Opened, operator};
use crate::lang::say;
use crate::progress::Progress;
use crate::remote::Server;
use crate::report::Lines;
use crate::stop::{Result, Stop, named};

const EXAMPLES: &str = "\
An edition turned out wrong: from 2024-12-01 the content of 2024-05-30 shall be in force again. See it first:
  begreb publish --vocabulary fsiii --version 2024-05-30-igen --from 2024-05-30 --effective 2024-12-01 --dry-run
  begreb publish --vocabulary fsiii --version 2024-05-30-igen --from 2024-05-30 --effective 2024-12-01 \\
    --decision \"Begrebsstyregruppen, 14. november 2024, punkt 3\"

Without --from it is the content that is in force on that day.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Publish {
    /// The vocabulary: fsiii
    #[arg(long, value_name = "SLUG")]
    vocabulary: String,
    /// The label of the new version
    #[arg(long, value_name = "LABEL")]
    version: String,
    /// From which day it is in force (YYYY-MM-DD)
    #[arg(long, value_name = "DATE")]
    effective: String,
    /// The version whose content it has [default: the one in force on that day]
    #[arg(long, value_name = "LABEL")]
    from: Option<String>,
    /// Who decided, and where that is written
    #[arg(long, value_name = "TEXT")]
    decision: Option<String>,
    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// With --server: the token of an account that may publish there
    #[arg(long, env = "BEGREB_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
}

impl Publish {
    pub async fn run(self, context: &Context) -> Result {
        if let Some(url) = &context.server {
            let server = Server::new(url, context.lang).map_err(Stop::usage)?;
            let slug: Slug = self.vocabulary.parse().map_err(|r: Refusal| r.at(named("--vocabulary")))?;
            let mut query = vec![("version", self.version.as_str()), ("effective", self.effective.as_str())];
            let texts = [("from", &self.from), ("decision", &self.decision)];
            query.extend(texts.iter().filter_map(|(name, value)| value.as_deref().map(|v| (*name, v))));
            if self.dry_run {
                query.push(("dryRun", "true"));
            }
            let path = format!("/api/v1/vocabularies/{slug}/publish");
            tell_there(context, &server.send(&path, &query, self.token.as_deref(), &[])?);
            return Ok(());
        }
        let label = |text: &str, option: &str| text.parse::<Label>().map_err(|r| r.at(named(option)));
        let request = PublishRequest {
            vocabulary: self.vocabulary.parse::<Slug>().map_err(|r: Refusal| r.at(named("--vocabulary")))?,
            label: label(&self.version, "--version")?,
            effective: effective(&self.effective, "--effective")?,
            from: self.from.as_deref().map(|from| label(from, "--from")).transpose()?,
            decision: self.decision,
            dry_run: self.dry_run,
        };
        let lines = if self.dry_run { Lines::Different } else { Lines::None };
        let what = self.from.unwrap_or_else(|| self.effective.clone());
        let what = format!("{} {what}", self.vocabulary);
        let work = async |opened: &Opened| {
            let progress = Progress::of(say!(context.lang, "Udgiver {what}", "Publishing {what}"));
            let done = opened.registry.publish(&operator(), request).await?;
            drop(progress);
            tell(context, opened, &done, &what, lines)
        };
        context.with(Missing::Refused, Settings::default(), work).await
    }
}
