//! `begreb serve`.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use begreb::http::{self, HttpOptions};
use begreb::model::{Code, Refusal};
use begreb::registry::{Actor, Registry, Settings, SparqlLimits};
use begreb::store::Lock;
use tokio::net::{TcpListener, TcpSocket, lookup_host};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use super::import::note_local;
use super::serve_mail::MailOptions;
use super::serve_mox::{self, MoxOptions};
use super::serve_webhooks::WebhookOptions;
use crate::clock::SystemClock;
use crate::context::{Context, Missing};
use crate::dice::SystemDice;
use crate::input;
use crate::lang::say;
use crate::print;
use crate::progress::Progress;
use crate::providers;
use crate::stop::{Result, Stop, named};

const EXAMPLES: &str = "\
Serve the database begreb.db of this folder, and open http://127.0.0.1:8080/:
  begreb serve

Serve to everyone, begin with our own vocabularies, log for machines:
  begreb serve --db sqlite:/var/lib/begreb/begreb.db --listen 0.0.0.0:8080 \\
    --public-url https://begreb.example.dk --load vocabularies --log-format json

While it runs, import the next edition from another terminal; it is served within a second:
  begreb import --vocabulary fsiii --version 2024-10-31 --effective 2024-10-31 FSIII-2024-10-31.json

Ctrl-C (or SIGTERM) stops it: requests under way finish first; a second one stops at once.";

/// The form of log lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(super) enum LogFormat {
    // No documentation here: it would make --help three times as long.
    Text,
    Json,
}

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Serve {
    /// Where to listen; port 0 takes a free one
    #[arg(long, env = "BEGREB_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDR:PORT")]
    listen: String,
    /// Bring the vocabularies of a folder into the registry first; versions that are there already stay
    #[arg(long, env = "BEGREB_LOAD", value_name = "DIR")]
    load: Option<PathBuf>,
    /// What the addresses of the registry begin with [default: http://ADDR:PORT]
    #[arg(long, env = "BEGREB_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// The largest request body (16777216, 16MiB)
    #[arg(long, env = "BEGREB_BODY_LIMIT", default_value = "16MiB", value_name = "SIZE", value_parser = input::size)]
    body_limit: usize,
    /// How long what waits may take: the digest of an export, and a validation with its body
    #[arg(long, env = "BEGREB_TIMEOUT", default_value_t = 60, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    /// How many requests are worked on at once
    #[arg(long, env = "BEGREB_CONCURRENCY", default_value_t = 1024, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..))]
    concurrency: u32,
    /// How many concepts past versions may hold in memory together
    #[arg(long, env = "BEGREB_EDITION_BUDGET", default_value_t = Settings::default().edition_budget, value_name = "N")]
    edition_budget: u64,
    /// How long a SPARQL query may run
    #[arg(long, env = "BEGREB_SPARQL_SECONDS", default_value_t = 10, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..))]
    sparql_seconds: u64,
    /// How much memory a SPARQL query may hold, its answer included
    #[arg(long, env = "BEGREB_SPARQL_MEMORY", default_value = "256MiB", value_name = "SIZE",
        value_parser = input::size)]
    sparql_memory: usize,
    /// How many rows or triples the answer to a SPARQL query may have
    #[arg(long, env = "BEGREB_SPARQL_ROWS", default_value_t = 100_000, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..))]
    sparql_rows: u32,
    /// How many SPARQL queries run at once
    #[arg(long, env = "BEGREB_SPARQL_CONCURRENCY", default_value_t = 4, value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=256))]
    sparql_concurrency: u16,
    /// How many SPARQL queries of one client run at once
    #[arg(long, env = "BEGREB_SPARQL_PER_CLIENT", default_value_t = 2, value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..))]
    sparql_per_client: u16,
    /// Take the client of a query or a sign-in from the last entry of X-Forwarded-For; only behind a proxy that sets it
    #[arg(long, env = "BEGREB_TRUST_FORWARDED")]
    trust_forwarded: bool,
    /// Let nobody sign in by mail address and password: the OpenID providers of the configuration tell who people are
    #[arg(long, env = "BEGREB_NO_LOCAL_SIGN_IN")]
    no_local_sign_in: bool,
    #[command(flatten)]
    mail: MailOptions,
    #[command(flatten)]
    mox: MoxOptions,
    #[command(flatten)]
    webhooks: WebhookOptions,
    /// The form of log lines, on stderr: for people, or one JSON object each
    #[arg(long, env = "BEGREB_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// What is logged: error, warn, info, debug, trace, or by module (info,begreb::http=debug)
    #[arg(long, env = "BEGREB_LOG_LEVEL", default_value = "info", value_name = "LEVEL")]
    log_level: String,
}

impl Serve {
    pub async fn run(self, context: &Context) -> Result {
        context.needs_database("serve")?;
        start_log(self.log_format, &self.log_level)?;
        let socket = self.bind().await?;
        let address = socket.local_addr().map_err(|e| self.cannot_listen(&e))?;
        let store = context.store(Missing::Made).await?;
        let closing = store.clone();
        let done = self.serve(context, socket, address, store).await;
        closing.close().await;
        done
    }

    /// From the lock on the database to the last answer.
    async fn serve(
        self,
        context: &Context,
        socket: TcpSocket,
        address: SocketAddr,
        store: begreb::store::Store,
    ) -> Result {
        let note = format!("begreb serve, pid {}, http://{address}", std::process::id());
        let _lock = store.file().map(|file| Lock::take(file, &note)).transpose()?;
        let providers = providers::read(context.config.as_deref())?;
        if self.no_local_sign_in && providers.is_empty() {
            let (da, en) =
                ("så kunne ingen logge ind: der er ingen udbyder", "nobody could sign in: there is no provider");
            let refusal = Refusal::new(Code::InvalidParameter, da, en).at(named("--no-local-sign-in"));
            return Err(Stop::usage(refusal.allowed(["[[serve.provider]] in --config FILE"])));
        }
        let public_url = self.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        let smtp = self.mail.server(&public_url)?;
        let agent = self.mox.agent()?;
        let courier = self.webhooks.courier()?;
        let settings = Settings {
            public_url: public_url.trim_end_matches('/').into(),
            edition_budget: self.edition_budget,
            sparql: SparqlLimits {
                time: Duration::from_secs(self.sparql_seconds),
                memory: self.sparql_memory,
                rows: self.sparql_rows as usize,
                versions: SparqlLimits::default().versions,
                concurrency: self.sparql_concurrency.into(),
                per_client: self.sparql_per_client.into(),
            },
            webhooks_allow_private: self.webhooks.webhook_allow_private,
        };
        let progress = Progress::of(context.lang.say("Åbner registret", "Opening the registry").into());
        let registry = Registry::open(store, Arc::new(SystemClock), settings).await?.with_dice(Arc::new(SystemDice));
        let registry = registry.with_providers(providers)?;
        let registry = if self.no_local_sign_in { registry.without_local_sign_in() } else { registry };
        drop(progress);
        if let Some(folder) = &self.load {
            let progress = Progress::of(context.lang.say("Lægger ordforråd ind", "Loading vocabularies").into());
            let report = registry.load(&Actor::Operator("serve".into()), folder).await?;
            drop(progress);
            if self.public_url.is_none() {
                note_local(context.lang, &registry, &report.published);
            }
            for one in &report.published {
                let label = one.label.as_ref().map(ToString::to_string).unwrap_or_default();
                tracing::info!(vocabulary = %one.vocabulary, version = %label, concepts = one.manifest.concepts, "loaded");
            }
            tracing::info!(published = report.published.len(), already_there = report.already_there, "folder loaded");
        }
        if let Some(link) = registry.first_link(&Actor::Operator("serve".into())).await? {
            // A secret in the log, on purpose: whoever reads the log of the machine may begin; it works once.
            tracing::warn!(%link, "nobody administers the registry yet; within 24 hours this link makes one who does");
        }
        let registry = Arc::new(registry);
        // From here on connections are taken in.
        let listener: TcpListener = socket.listen(1024).map_err(|e| self.cannot_listen(&e))?;
        let following = registry.clone();
        let follower = tokio::spawn(async move { following.follow().await });
        let keeping = registry.clone();
        let timekeeper = tokio::spawn(async move { keeping.keep_time().await });
        let post = smtp.map(|smtp| super::serve_mail::start(&registry, smtp));
        let webhooks = courier.map(|courier| super::serve_webhooks::start(&registry, courier));
        let mut options = HttpOptions::default();
        self.set(&mut options);
        let mox = agent.map(|agent| serve_mox::start(&registry, &options, agent)).transpose()?;

        let (stop, mut stopping) = watch::channel(false);
        let mut stopped = stop.subscribe();
        let signals = Signals::new().map_err(|e| self.cannot_listen(&e))?;
        tokio::spawn(until_stopped(signals, stop));
        let told = async move {
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        self.tell_ready(context, &registry, address);
        let serving = http::serve(listener, registry.clone(), options, told);
        // A request that takes longer than it may is not waited for.
        let patience = Duration::from_secs(self.timeout) + Duration::from_secs(5);
        let impatient = async {
            let _ = stopped.wait_for(|stop| *stop).await;
            tokio::time::sleep(patience).await;
        };
        let served = tokio::select! {
            served = serving => served,
            () = impatient => {
                tracing::warn!("requests under way were cut off");
                Ok(())
            }
        };
        follower.abort();
        timekeeper.abort();
        let (post, webhooks) = (post.map(|p| p.stop()), webhooks.map(|w| w.stop()));
        tokio::join!(ended(post), ended(webhooks), ended(mox.map(|m| m.stop())));
        served.map_err(|e| self.cannot_listen(&e))?;
        tracing::info!("stopped");
        Ok(())
    }

    fn set(&self, options: &mut HttpOptions) {
        options.body_limit = self.body_limit;
        options.timeout = Duration::from_secs(self.timeout);
        options.concurrency = self.concurrency as usize;
        options.trust_forwarded = self.trust_forwarded;
    }

    fn tell_ready(&self, context: &Context, registry: &Registry, address: SocketAddr) {
        let (lang, n) = (context.lang, registry.snapshot().planes().len());
        if context.json {
            let ready = serde_json::json!({ "ready": format!("http://{address}"), "vocabularies": n });
            print::out(&format!("{ready}\n"));
            return;
        }
        let vocabularies = match n {
            1 => lang.say("1 ordforråd".to_owned(), "1 vocabulary".to_owned()),
            _ => say!(lang, "{n} ordforråd", "{n} vocabularies"),
        };
        print::out(&say!(
            lang,
            "Begreb er klar på http://{address} ({vocabularies})\n",
            "Begreb is ready at http://{address} ({vocabularies})\n"
        ));
    }

    /// Reserves the address, so that one that is taken is told at once; nobody is let in yet.
    async fn bind(&self) -> Result<TcpSocket> {
        let found = lookup_host(&self.listen).await.ok().and_then(|mut found| found.next());
        let Some(address) = found else {
            let refusal = Refusal::new(
                Code::InvalidParameter,
                format!("»{}« er ikke en adresse og en port", self.listen),
                format!("'{}' is not an address and a port", self.listen),
            );
            return Err(Stop::usage(refusal.at(named("--listen")).allowed([
                "127.0.0.1:8080",
                "0.0.0.0:8080",
                "[::]:8080",
            ])));
        };
        let bound = || {
            let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            // As `TcpListener::bind` does: a restart need not wait for old connections to be forgotten.
            #[cfg(unix)]
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            Ok(socket)
        };
        Ok(bound().map_err(|e| self.cannot_listen(&e))?)
    }

    fn cannot_listen(&self, error: &std::io::Error) -> Refusal {
        let listen = &self.listen;
        let (da, en) = match error.kind() {
            std::io::ErrorKind::AddrInUse => (
                format!("porten er optaget: et andet program lytter på {listen}"),
                format!("the port is in use: another program listens on {listen}"),
            ),
            _ => (format!("kan ikke lytte på {listen}: {error}"), format!("cannot listen on {listen}: {error}")),
        };
        Refusal::new(Code::Busy, da, en)
            .at(named("--listen"))
            .allowed(["--listen 127.0.0.1:8081", "--listen 127.0.0.1:0"])
    }
}

/// Starts the log of the machine, on stderr.
pub(super) fn start_log(format: LogFormat, level: &str) -> Result {
    let filter = EnvFilter::try_new(level).map_err(|e| {
        let refusal = Refusal::new(
            Code::InvalidParameter,
            format!("»{level}« er ikke et logniveau: {e}"),
            format!("'{level}' is not a log level: {e}"),
        );
        let levels = ["error", "warn", "info", "debug", "trace", "info,begreb::http=debug"];
        Stop::usage(refusal.at(named("--log-level")).allowed(levels))
    })?;
    let terminal = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(terminal);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}

/// What is to be waited for, if there is anything.
async fn ended(one: Option<impl Future<Output = ()>>) {
    if let Some(one) = one {
        one.await;
    }
}

/// The signals that ask for an end: Ctrl-C, and SIGTERM where there is one.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// The first signal lets requests finish, the second does not.
pub(super) async fn until_stopped(mut signals: Signals, stop: watch::Sender<bool>) {
    signals.next().await;
    tracing::info!("stopping: requests under way finish; a second signal ends at once");
    stop.send_replace(true);
    signals.next().await;
    std::process::exit(130);
}
