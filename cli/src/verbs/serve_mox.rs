//! The MOX agent of `begreb serve` and `begreb mox`: its options, and the task that it runs in.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use begreb::delivery::mox::{Broker, CommandSettings, ExchangeType, Mox, MoxSettings, Unroutable};
use begreb::http::{Doors, HttpOptions};
use begreb::model::{Code, Refusal};
use begreb::registry::Registry;

use crate::stop::{Result, Stop, file, named};

#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Messages (MOX, AMQP 0-9-1)")]
pub struct MoxOptions {
    /// The broker: amqp://[USER@]HOST[:PORT][/VHOST] or amqps://…; nothing is told by message without one
    #[arg(long, value_name = "URL")]
    amqp: Option<String>,
    /// A file with the password of USER [default: what BEGREB_AMQP_PASSWORD says]
    #[arg(long, value_name = "FILE", requires = "amqp")]
    amqp_password_file: Option<PathBuf>,
    /// A file with the certificate (PEM) that the broker's is signed by, if the world does not know it
    #[arg(long, value_name = "FILE", requires = "amqp")]
    amqp_ca: Option<PathBuf>,
    /// Speak to a broker on another machine without TLS
    #[arg(long)]
    amqp_plain: bool,
    /// The exchange that messages go to [default: the broker's own, where the routing key is a queue]
    #[arg(long, value_name = "NAME", requires = "amqp", alias = "exchange")]
    amqp_exchange: Option<String>,
    /// What that exchange is: direct, fanout, topic, headers
    #[arg(long, value_name = "TYPE", default_value = "topic")]
    amqp_exchange_type: String,
    /// The routing key; {beskedtype}, {objekttype}, {objektID} and {vocabulary} are filled in
    #[arg(long, value_name = "KEY", default_value = "mox.notifications")]
    amqp_routing_key: String,
    /// A queue to make and bind for messages [default: without an exchange, that of the routing key]
    #[arg(long, value_name = "NAME", requires = "amqp", alias = "queue")]
    amqp_queue: Option<String>,
    /// The queue that commands come from; none are taken in without one
    #[arg(long, value_name = "QUEUE", requires = "amqp")]
    amqp_commands: Option<String>,
    /// An exchange (fanout) to bind that queue to
    #[arg(long, value_name = "NAME", requires = "amqp_commands")]
    amqp_commands_exchange: Option<String>,
    /// The name that the position in the log is kept under: one for each place that is told
    #[arg(long, value_name = "NAME", default_value = "mox")]
    amqp_name: String,
    /// After which position of the log to begin when the name is new; 0 tells everything [default: the end]
    #[arg(long, value_name = "POSITION", requires = "amqp", value_parser = clap::value_parser!(i64).range(0..))]
    amqp_after: Option<i64>,
    /// What becomes of a message that no queue takes: hold (it is tried again, and what follows waits) or drop
    #[arg(long, value_name = "WHAT", default_value = "hold")]
    amqp_unroutable: String,
    /// How many messages may be under way: sent, and not confirmed yet, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 64)]
    amqp_window: usize,
    /// Let the broker keep messages in memory only
    #[arg(long)]
    amqp_transient: bool,
    /// The content type of messages and answers
    #[arg(long, value_name = "TYPE", default_value = "application/json")]
    amqp_content_type: String,
    /// Make no exchange and no queue: they are there
    #[arg(long)]
    amqp_no_declare: bool,
}

impl MoxOptions {
    /// The broker and what is told there, if one is named.
    pub fn agent(&self) -> Result<Option<(Broker, MoxSettings)>> {
        let Some(address) = &self.amqp else { return Ok(None) };
        let at = |name: &'static str| move |r: Refusal| Stop::usage(r.at(named(name)));
        let password = self.password()?;
        let broker = Broker::new(address, password.as_deref(), self.amqp_plain).map_err(at("--amqp"))?;
        let broker = match &self.amqp_ca {
            Some(path) => {
                let certificate = std::fs::read(path).map_err(|e| Stop::usage(file(path, &e)))?;
                broker.trusting(&certificate).map_err(at("--amqp-ca"))?
            }
            None => broker,
        };
        let commands = self.amqp_commands.clone().map(|queue| {
            let exchange = self.amqp_commands_exchange.clone();
            CommandSettings { queue, exchange }
        });
        let settings = MoxSettings {
            name: self.amqp_name.clone(),
            after: self.amqp_after,
            exchange: self.amqp_exchange.clone().unwrap_or_default(),
            exchange_type: self.amqp_exchange_type.parse::<ExchangeType>().map_err(at("--amqp-exchange-type"))?,
            routing_key: self.amqp_routing_key.clone(),
            queue: self.amqp_queue.clone(),
            persistent: !self.amqp_transient,
            content_type: self.amqp_content_type.clone(),
            unroutable: self.amqp_unroutable.parse::<Unroutable>().map_err(at("--amqp-unroutable"))?,
            window: self.amqp_window,
            declare: !self.amqp_no_declare,
            commands,
        };
        Ok(Some((broker, settings.checked().map_err(at("--amqp-…"))?)))
    }

    /// The password: the one line of its file, or what the environment says. Never an option: others can see those.
    fn password(&self) -> Result<Option<String>> {
        let Some(path) = &self.amqp_password_file else {
            return Ok(std::env::var("BEGREB_AMQP_PASSWORD").ok().filter(|p| !p.is_empty()));
        };
        let text = std::fs::read_to_string(path).map_err(|e| Stop::usage(file(path, &e)))?;
        let line = text.trim_end_matches(['\r', '\n']);
        if line.is_empty() || line.contains(['\r', '\n']) {
            let (da, en) = ("der står ikke én adgangskode i filen", "the file does not hold one password");
            let refusal = Refusal::new(Code::InvalidParameter, da, en).at(named("--amqp-password-file"));
            return Err(Stop::usage(refusal.allowed(["one line"])));
        }
        Ok(Some(line.to_owned()))
    }
}

/// The task that tells and answers.
pub struct Running(tokio::task::JoinHandle<()>, tokio::sync::watch::Sender<bool>);

/// Starts it. Commands go through doors of their own, with the limits of those over HTTP.
pub fn start(
    registry: &Arc<Registry>,
    options: &HttpOptions,
    (broker, settings): (Broker, MoxSettings),
) -> Result<Running> {
    match broker.is_protected() {
        false => tracing::warn!(?broker, "messages are sent without TLS"),
        true => tracing::info!(?broker, "messages are sent"),
    }
    let doors = Arc::new(Doors::of(registry, options));
    let mox = Mox::new(registry.clone(), broker, settings, doors)?;
    let (stop, stopping) = tokio::sync::watch::channel(false);
    Ok(Running(tokio::spawn(async move { mox.run(stopping).await }), stop))
}

impl Running {
    /// Lets what is under way come to its end; not for long. What is cut off is told again, or taken again.
    pub async fn stop(self) {
        let Self(mut task, stop) = self;
        stop.send_replace(true);
        if tokio::time::timeout(Duration::from_secs(10), &mut task).await.is_err() {
            tracing::warn!("a message under way was cut off");
            task.abort();
        }
    }
}
