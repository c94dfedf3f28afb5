//! The mail of `begreb serve`: its options, and the task that sends it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use begreb::delivery::{
    Composer, DigestLetters, Digests, HearingLetters, Post, Protection, RequestLetters, SecurityNotices, Sender, Smtp,
};
use begreb::model::{Code, Refusal};
use begreb::registry::Registry;

use crate::stop::{Result, Stop, file, named};

#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Mail")]
pub struct MailOptions {
    /// The mail server: smtp://[USER@]HOST[:PORT] (with STARTTLS) or smtps://…; no mail is sent without one
    #[arg(long, value_name = "URL", requires = "mail_from")]
    smtp: Option<String>,
    /// Whom mail is from: "Begreb <begreb@example.dk>"
    #[arg(long, value_name = "SENDER", requires = "smtp")]
    mail_from: Option<String>,
    /// A file with the password of USER [default: what BEGREB_SMTP_PASSWORD says]
    #[arg(long, value_name = "FILE", requires = "smtp")]
    smtp_password_file: Option<PathBuf>,
    /// A file with the certificate (PEM) that the mail server's is signed by, if the world does not know it
    #[arg(long, value_name = "FILE", requires = "smtp")]
    smtp_ca: Option<PathBuf>,
    /// Speak to a mail server on another machine without TLS
    #[arg(long)]
    smtp_plain: bool,
}

impl MailOptions {
    /// The mail server, if one is named.
    pub fn server(&self, public_url: &str) -> Result<Option<Smtp>> {
        let (Some(address), Some(from)) = (&self.smtp, &self.mail_from) else { return Ok(None) };
        let at = |name: &'static str| move |r: Refusal| Stop::usage(r.at(named(name)));
        let from = Sender::new(from).map_err(at("--mail-from"))?;
        let password = self.password()?;
        let smtp = Smtp::new(address, password.as_deref(), self.smtp_plain, from).map_err(at("--smtp"))?;
        let smtp = match &self.smtp_ca {
            Some(path) => {
                let certificate = std::fs::read(path).map_err(|e| Stop::usage(file(path, &e)))?;
                smtp.trusting(&certificate).map_err(at("--smtp-ca"))?
            }
            None => smtp,
        };
        Ok(Some(smtp.greeted_as(public_url)))
    }

    /// The password: the one line of its file, or what the environment says. Never an option: others can see those.
    fn password(&self) -> Result<Option<String>> {
        let Some(path) = &self.smtp_password_file else {
            return Ok(std::env::var("BEGREB_SMTP_PASSWORD").ok().filter(|p| !p.is_empty()));
        };
        let text = std::fs::read_to_string(path).map_err(|e| Stop::usage(file(path, &e)))?;
        let line = text.trim_end_matches(['\r', '\n']);
        if line.is_empty() || line.contains(['\r', '\n']) {
            let (da, en) = ("der står ikke én adgangskode i filen", "the file does not hold one password");
            let refusal = Refusal::new(Code::InvalidParameter, da, en).at(named("--smtp-password-file"));
            return Err(Stop::usage(refusal.allowed(["one line"])));
        }
        Ok(Some(line.to_owned()))
    }
}

/// The task that reads the log for letters and digests, and sends them.
pub struct Running(tokio::task::JoinHandle<()>, tokio::sync::watch::Sender<bool>);

/// Starts it.
pub fn start(registry: &Arc<Registry>, smtp: Smtp) -> Running {
    match smtp.protection() {
        Protection::None => tracing::warn!(?smtp, "mail is sent without TLS"),
        _ => tracing::info!(?smtp, "mail is sent"),
    }
    let composers: Vec<Box<dyn Composer>> =
        vec![Box::new(SecurityNotices), Box::new(RequestLetters), Box::new(HearingLetters), Box::new(DigestLetters)];
    let (post, digests) = (Post::new(registry.clone(), composers, smtp), Digests::new(registry.clone()));
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let run = async move {
        tokio::join!(post.run(stopping.clone()), digests.run(stopping));
    };
    Running(tokio::spawn(run), stop)
}

impl Running {
    /// Lets the letter under way come to its end, so that it is not in doubt; not for long.
    pub async fn stop(self) {
        let Self(mut task, stop) = self;
        stop.send_replace(true);
        if tokio::time::timeout(Duration::from_secs(10), &mut task).await.is_err() {
            tracing::warn!("a letter under way was cut off; it is in doubt");
            task.abort();
        }
    }
}
