//! `begreb mail`.

use begreb::model::{Code, Refusal};
use begreb::registry::{LetterState, Registry};
use serde_json::{Map, json};

use super::account::tell;
use crate::context::{Context, operator};
use crate::lang::{Lang, say};
use crate::print::Table;
use crate::stop::{Result, named};

const EXAMPLES: &str = "\
How far mail is, and how many letters stand where:
  begreb mail status

What nobody knows the end of, and one of them sent once more: perhaps it arrives twice, and you answer for that:
  begreb mail list --state doubt
  begreb mail resend 0b6c8a1e-6d0f-5c43-9a39-3a8f0d9f3c11

A letter that is not to be sent any more; its address and text are erased:
  begreb mail drop 0b6c8a1e-6d0f-5c43-9a39-3a8f0d9f3c11

It works on the database itself, also while a server runs. How mail works: docs/mail.md.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Mail {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// Tell how far mail is, and how many letters stand where
    Status,
    /// List the newest letters
    List {
        /// Only those that stand so: queued, begun, doubt, sent, refused, givenUp, dropped
        #[arg(long)]
        state: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: u32,
    },
    /// Send a letter once more that is in doubt, was refused, or was given up
    Resend {
        /// The letter
        id: String,
    },
    /// Let a letter not be sent, and erase its address and text
    Drop {
        /// The letter
        id: String,
    },
}

impl Mail {
    pub async fn run(self, context: &Context) -> Result {
        context.on_database("mail", async |registry: &Registry| self.what.run(context, registry).await).await
    }
}

impl What {
    async fn run(self, context: &Context, registry: &Registry) -> Result {
        let (lang, actor) = (context.lang, operator());
        match self {
            Self::Status => status(context, registry).await,
            Self::List { state, limit } => {
                let state = state.map(|s| s.parse::<LetterState>()).transpose().map_err(|r| r.at(named("--state")))?;
                let letters = registry.letters(&actor, state, limit).await?;
                tell(context, &letters, || {
                    let mut table = Table::right([]);
                    for l in &letters {
                        let when = l.due.or(l.done).map(|at| at.to_string()).unwrap_or_default();
                        let mail = l.mail.clone().unwrap_or_else(|| l.recipient.to_string());
                        let answer = l.answer.clone().unwrap_or_default();
                        let id = l.uuid.to_string();
                        table.row([id, word(lang, l.state).to_owned(), when, l.kind.clone(), mail, answer]);
                    }
                    table.text("")
                })
            }
            Self::Resend { id } => {
                let letter = letter(&id)?;
                registry.resend_letter(&actor, letter).await?;
                tell(context, &json!({ "queued": letter }), || {
                    say!(lang, "{letter} sendes igen.\n", "{letter} is sent again.\n")
                })
            }
            Self::Drop { id } => {
                let letter = letter(&id)?;
                registry.drop_letter(&actor, letter).await?;
                tell(context, &json!({ "dropped": letter }), || {
                    say!(lang, "{letter} sendes ikke.\n", "{letter} is not sent.\n")
                })
            }
        }
    }
}

async fn status(context: &Context, registry: &Registry) -> Result {
    let (status, lang) = (registry.mail_status().await?, context.lang);
    let head = registry.progress().await?.1.seq;
    let behind = status.position.map(|position| (head - position).max(0));
    let letters: Map<_, _> =
        LetterState::ALL.iter().map(|s| (s.as_str().to_owned(), json!(status.count(*s)))).collect();
    let answer = json!({
        "position": status.position, "behind": behind, "letters": letters, "oldestDue": status.oldest_due,
    });
    tell(context, &answer, || {
        let mut text = match behind {
            None => lang.say("Mail har ikke været slået til.\n", "Mail has not been turned on.\n").to_owned(),
            Some(n) => say!(lang, "{n} ændringer er ikke læst endnu.\n", "{n} changes have not been read yet.\n"),
        };
        let mut table = Table::right([1]);
        for (state, n) in &status.letters {
            table.row([word(lang, *state).to_owned(), n.to_string()]);
        }
        text.push_str(&table.text(""));
        if let Some(due) = status.oldest_due {
            text.push_str(&say!(lang, "Det ældste, der venter: {due}\n", "The oldest that waits: {due}\n"));
        }
        text
    })
}

fn letter(id: &str) -> std::result::Result<uuid::Uuid, Refusal> {
    id.parse().map_err(|_| {
        let (da, en) = ("det er ikke et brevs uuid", "that is not the uuid of a letter");
        Refusal::new(Code::InvalidIdentifier, da, en).at(named(id)).allowed(["begreb mail list"])
    })
}

fn word(lang: Lang, state: LetterState) -> &'static str {
    let (da, en) = match state {
        LetterState::Queued => ("venter", "queued"),
        LetterState::Begun => ("sendes", "begun"),
        LetterState::Doubt => ("uvist", "in doubt"),
        LetterState::Sent => ("sendt", "sent"),
        LetterState::Refused => ("afvist", "refused"),
        LetterState::GivenUp => ("opgivet", "given up"),
        LetterState::Dropped => ("droppet", "dropped"),
    };
    lang.say(da, en)
}
