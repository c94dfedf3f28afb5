//! `begreb mox`.

use std::sync::Arc;

use begreb::http::HttpOptions;
use begreb::model::{Code, Refusal};
use begreb::registry::{Registry, Settings};
use tokio::sync::watch;

use super::serve::{LogFormat, Signals, start_log, until_stopped};
use super::serve_mox::{self, MoxOptions};
use crate::clock::SystemClock;
use crate::context::{Context, Missing};
use crate::dice::SystemDice;
use crate::print;
use crate::progress::Progress;
use crate::stop::{Result, Stop, named};

const EXAMPLES: &str = "\
Tell what changes in a registry to the queue mox.notifications of a broker on this machine:
  begreb mox --db postgres://begreb@db.example.dk/begreb --amqp amqp://localhost

To a topic exchange, with the vocabulary in the routing key, and carry out commands from the queue incoming:
  begreb mox --amqp amqps://begreb@mq.example.dk --amqp-password-file /etc/begreb/amqp-password \\
    --exchange begreb --amqp-routing-key begreb.{vocabulary}.{objekttype} \\
    --amqp-commands incoming --amqp-commands-exchange mox.incoming

begreb serve takes the same options and does the same beside serving. How it works: docs/mox.md.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct MoxVerb {
    #[command(flatten)]
    mox: MoxOptions,
    /// What the addresses of the registry begin with
    #[arg(long, env = "BEGREB_PUBLIC_URL", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    public_url: String,
    /// The form of log lines, on stderr: for people, or one JSON object each
    #[arg(long, env = "BEGREB_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// What is logged: error, warn, info, debug, trace, or by module (info,begreb::http=debug)
    #[arg(long, env = "BEGREB_LOG_LEVEL", default_value = "info", value_name = "LEVEL")]
    log_level: String,
}

impl MoxVerb {
    pub async fn run(self, context: &Context) -> Result {
        context.needs_database("mox")?;
        let Some(agent) = self.mox.agent()? else {
            let (da, en) = ("der er ikke sagt, hvilken broker", "which broker is not said");
            let refusal = Refusal::new(Code::InvalidParameter, da, en).at(named("--amqp, BEGREB_AMQP"));
            return Err(Stop::usage(refusal.allowed(["amqp://HOST:PORT/VHOST", "amqps://USER@HOST:PORT"])));
        };
        start_log(self.log_format, &self.log_level)?;
        let store = context.store(Missing::Refused).await?;
        let closing = store.clone();
        let settings = Settings { public_url: self.public_url.trim_end_matches('/').into(), ..Settings::default() };
        let progress = Progress::of(context.lang.say("Åbner registret", "Opening the registry").into());
        let registry = Registry::open(store, Arc::new(SystemClock), settings).await?.with_dice(Arc::new(SystemDice));
        drop(progress);
        let registry = Arc::new(registry);
        let following = registry.clone();
        let follower = tokio::spawn(async move { following.follow().await });
        // Days that come are told here as well: whoever does it first, it is told once.
        let keeping = registry.clone();
        let timekeeper = tokio::spawn(async move { keeping.keep_time().await });
        let running = serve_mox::start(&registry, &HttpOptions::default(), agent)?;
        let (stop, mut stopping) = watch::channel(false);
        let signals = Signals::new().map_err(|e| {
            Refusal::new(Code::Internal, format!("signaler kan ikke modtages: {e}"), format!("no signals: {e}"))
        })?;
        tokio::spawn(until_stopped(signals, stop));
        if context.json {
            print::out("{\"ready\":true}\n");
        } else {
            print::out(context.lang.say("Beskeder sendes\n", "Messages are sent\n"));
        }
        let _ = stopping.wait_for(|stop| *stop).await;
        running.stop().await;
        follower.abort();
        timekeeper.abort();
        closing.close().await;
        tracing::info!("stopped");
        Ok(())
    }
}
