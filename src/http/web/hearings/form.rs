//! The form by which a hearing is answered: its questions, and what was written so far.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use uuid::Uuid;

use super::{Answer, Followed, by_link, told, uuid, visitor};
use crate::exchange::paper::{Piece, PieceKind, compare};
use crate::http::api::App;
use crate::http::negotiate::reads_danish;
use crate::http::params::Params;
use crate::http::private::page;
use crate::model::{Code, ContentFields, Result};
use crate::registry::{AnswerAnswer, HearingAnswer, Visitor};
use crate::workflow::HearingStage;

/// A concept that is asked about, with its words marked.
pub struct Question {
    pub uuid: Uuid,
    pub name: String,
    pub term: Vec<Piece>,
    pub definition: Vec<Piece>,
    pub is_new: bool,
    pub retires: bool,
}

#[derive(Template)]
#[template(path = "answer.html")]
pub struct AnswerPage {
    pub da: bool,
    pub hearing: HearingAnswer,
    pub questions: Vec<Question>,
    pub link: String,
    pub stranger: bool,
    /// Whether somebody unknown would wait for a letter that never comes.
    pub mailless: bool,
    pub standing: Option<AnswerAnswer>,
    pub written: Option<AnswerAnswer>,
    pub fields: BTreeMap<String, String>,
    pub refused: Option<String>,
    /// Whether what was written is kept all the same.
    pub saved: bool,
    /// The field that was wrong: its id, and what it is called.
    pub wrong: Option<(String, String)>,
    pub done: Option<&'static str>,
}

impl AnswerPage {
    fn is_open(&self) -> bool {
        self.hearing.summary.stage == HearingStage::Open
    }

    fn can_write(&self) -> bool {
        matches!(self.hearing.summary.stage, HearingStage::Open | HearingStage::Closed) && !self.mailless
    }

    fn by_link(&self) -> String {
        by_link(&self.link)
    }

    /// What becomes of the concept as a whole.
    fn fate(&self, question: &Question) -> Option<&'static str> {
        match (question.is_new, question.retires, self.da) {
            (true, _, da) => Some(if da { "nyt begreb" } else { "new concept" }),
            (_, true, da) => Some(if da { "foreslås udgået" } else { "proposed to retire" }),
            _ => None,
        }
    }

    /// What tells those who do not see it that a field is the one that was wrong.
    fn marked(&self, field: impl AsRef<str>) -> &'static str {
        let wrong = self.wrong.as_ref().is_some_and(|(id, _)| id == field.as_ref());
        if wrong { " aria-invalid=\"true\" aria-describedby=\"problem\"" } else { "" }
    }

    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map(String::as_str).unwrap_or_default()
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.field(name) == value
    }

    fn asked(&self, concept: &Uuid) -> [(String, &'static str); 2] {
        let (term, definition) = if self.da {
            ("Er I enige i termen?", "Er I enige i definitionen?")
        } else {
            ("Do you agree to the term?", "Do you agree to the definition?")
        };
        [(format!("term-{concept}"), term), (format!("definition-{concept}"), definition)]
    }

    fn choices(&self) -> [(&'static str, &'static str); 3] {
        if self.da {
            [("yes", "Ja"), ("no", "Nej"), ("", "Ikke besvaret")]
        } else {
            [("yes", "Yes"), ("no", "No"), ("", "Not answered")]
        }
    }

    /// A piece of text as HTML.
    fn piece(&self, piece: &Piece) -> String {
        let mut text = String::new();
        for c in piece.text.chars() {
            match c {
                '<' => text.push_str("&lt;"),
                '>' => text.push_str("&gt;"),
                '&' => text.push_str("&amp;"),
                c => text.push(c),
            }
        }
        match piece.kind {
            PieceKind::Same => text,
            PieceKind::Added => format!("<ins>{text}</ins>"),
            PieceKind::Removed => format!("<del>{text}</del>"),
        }
    }
}

/// What an answer says, as the fields of the form.
fn fields(answer: &AnswerAnswer) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let word = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    for item in &answer.items {
        let Some(concept) = item.concept else {
            fields.insert("general".into(), item.comment.clone().unwrap_or_default());
            continue;
        };
        fields.extend(item.agree_term.map(|y| (format!("term-{concept}"), word(y))));
        fields.extend(item.agree_definition.map(|y| (format!("definition-{concept}"), word(y))));
        fields.extend(item.comment.clone().map(|c| (format!("comment-{concept}"), c)));
    }
    fields
}

fn question(heard: &crate::registry::HeardAnswer) -> Question {
    let term = |f: &Option<ContentFields>| {
        let f = f.as_ref()?;
        let danish =
            f.terms.iter().find(|t| t.status == crate::model::TermStatus::Preferred && t.language.as_str() == "da");
        danish.or(f.terms.first()).map(|t| t.value.clone())
    };
    let definition = |f: &Option<ContentFields>| {
        let f = f.as_ref()?;
        f.definitions.iter().find(|d| d.language.as_str() == "da").or(f.definitions.first()).map(|d| d.text.clone())
    };
    let marked = |of: &dyn Fn(&Option<ContentFields>) -> Option<String>| {
        compare(&of(&heard.before).unwrap_or_default(), &of(&heard.after).unwrap_or_default())
    };
    Question {
        uuid: heard.uuid,
        name: heard.name.clone(),
        term: marked(&term),
        definition: marked(&definition),
        is_new: heard.before.is_none(),
        retires: heard.after.is_none(),
    }
}

/// Puts the form together.
pub async fn shown(app: &App, visitor: &Visitor, of: Uuid, link: &str, da: bool) -> Result<AnswerPage> {
    let hearing = app.hearing(visitor, of)?;
    let stranger = match app.may_answer(visitor, of) {
        Ok(()) => false,
        // Where everybody is asked, somebody unknown confirms a mail address.
        Err(r)
            if matches!(r.code, Code::NotSignedIn | Code::NotAllowed)
                && hearing.summary.audience == crate::workflow::Audience::Public =>
        {
            true
        }
        Err(r) if r.code == Code::Phase => false,
        Err(refusal) => return Err(refusal),
    };
    let (standing, written) = app.own_answers(visitor, of).await?;
    let mailless = match app.needs_mail().await {
        Err(r) if r.code == Code::NotSignedIn => stranger,
        needed => needed.map(|()| false)?,
    };
    Ok(AnswerPage {
        da,
        questions: hearing.heard.iter().map(question).collect(),
        hearing,
        link: link.to_owned(),
        stranger,
        mailless,
        standing,
        fields: written.as_ref().map(fields).unwrap_or_default(),
        written,
        refused: None,
        saved: false,
        wrong: None,
        done: None,
    })
}

pub async fn form(
    State(app): State<App>,
    Path(of): Path<String>,
    Params(followed, ..): Params<Followed>,
    mut parts: Parts,
) -> Answer {
    let da = reads_danish(&parts.headers);
    told(form_page(&app, &of, followed, &mut parts).await, da)
}

async fn form_page(app: &App, of: &str, followed: Followed, parts: &mut Parts) -> Answer {
    let link = followed.link.unwrap_or_default();
    let visitor = visitor(app, &link, parts).await?;
    let mut form = shown(app, &visitor, uuid(of)?, &link, reads_danish(&parts.headers)).await?;
    form.done = match followed.done.as_deref() {
        Some("saved") => Some(("Svaret er gemt, men ikke sendt.", "The answer is saved, but not submitted.")),
        Some("submitted") => Some(("Tak. Svaret er modtaget.", "Thank you. The answer is received.")),
        Some("withdrawn") => Some(("Svaret er trukket tilbage.", "The answer was taken back.")),
        Some("pending") => Some((
            "Tak. Vi har sendt et link til din mailadresse; svaret tæller, når du har fulgt det.",
            "Thank you. We have sent a link to your mail address; the answer counts when you have followed it.",
        )),
        _ => None,
    }
    .map(|(danish, english)| if form.da { danish } else { english });
    Ok(page(StatusCode::OK, &form)?)
}
