//! Forms of a few fields: one template for all of them. Each comes back with what was written when it is refused.

use askama::Template;
use axum::http::StatusCode;

use super::sent::Sent;
use super::{Answer, Head};
use crate::http::private::{page, sentence};
use crate::http::problem::status;
use crate::model::{Category, Refusal, Result};

/// A form.
#[derive(Template)]
#[template(path = "draft-form.html")]
pub struct FormPage {
    da: bool,
    /// The draft that it is about.
    head: Option<Head>,
    title: String,
    /// What is to be known before it is filled in, as HTML of our own making.
    intro: String,
    action: String,
    fields: Vec<Field>,
    hidden: Vec<(&'static str, String)>,
    buttons: Vec<(&'static str, &'static str)>,
    refused: Option<Refused>,
}

/// What was wrong with a form.
pub struct Refused {
    /// What.
    pub text: String,
    /// One by one.
    pub items: Vec<String>,
    /// The field, and what it is called.
    pub wrong: Option<(String, String)>,
}

impl Refused {
    /// A refusal as a form tells it; `called` tells what a field is called on the page.
    pub fn new(refusal: &Refusal, da: bool, called: impl Fn(&str) -> Option<(String, String)>) -> Self {
        let mut text = sentence(if da { &refusal.da } else { &refusal.en });
        if !refusal.allowed.is_empty() && refusal.code.category() != Category::Conflict {
            text.push_str(&format!(" ({})", refusal.allowed.join(", ")));
        }
        text.push('.');
        let wrong = refusal.place.field.as_deref().and_then(called);
        Self { text, items: refusal.items.clone(), wrong }
    }
}

/// What a field is.
pub enum Input {
    /// One line.
    Line,
    /// Several lines.
    Text,
    /// A day.
    Day,
    /// Yes or no.
    Tick,
    /// One of some values, each with what it is called.
    Choice(Vec<(String, String)>),
    /// A concept, with those that it may be.
    Concept(Vec<(String, String)>),
    /// Several concepts, one a line.
    Concepts,
}

/// A field.
pub struct Field {
    /// Its name, which is its id as well.
    pub name: String,
    /// What it is called.
    pub label: String,
    /// What it is.
    pub input: Input,
    /// What it says.
    pub value: String,
    /// Whether the form is refused without it.
    pub required: bool,
    /// The heading above it, where a part of the form begins.
    pub begins: Option<String>,
}

impl Field {
    /// A field that is empty.
    pub fn new(name: impl Into<String>, label: impl Into<String>, input: Input) -> Self {
        let (name, label) = (name.into(), label.into());
        Self { name, label, input, value: String::new(), required: false, begins: None }
    }

    /// The field, with something in it.
    pub fn with(self, value: impl Into<String>) -> Self {
        Self { value: value.into(), ..self }
    }

    /// The field, which must be filled in.
    pub fn needed(self) -> Self {
        Self { required: true, ..self }
    }

    /// The field, under a heading.
    pub fn under(self, heading: impl Into<String>) -> Self {
        Self { begins: Some(heading.into()), ..self }
    }

    fn is_choice(&self, value: &str) -> bool {
        self.value == value
    }
}

impl FormPage {
    /// A form that leads to an address.
    pub fn new(da: bool, head: Option<Head>, title: impl Into<String>, action: impl Into<String>) -> Self {
        Self {
            da,
            head,
            title: title.into(),
            intro: String::new(),
            action: action.into(),
            fields: Vec::new(),
            hidden: Vec::new(),
            buttons: Vec::new(),
            refused: None,
        }
    }

    /// The form with fields.
    pub fn fields(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.fields.extend(fields);
        self
    }

    /// The form with something that it sends along.
    pub fn hidden(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.hidden.push((name, value.into()));
        self
    }

    /// The form with a button; the first is what Enter does.
    pub fn button(mut self, does: &'static str, label: &'static str) -> Self {
        self.buttons.push((does, label));
        self
    }

    /// The form with what is to be known before it is filled in. It is HTML.
    pub fn intro(mut self, html: impl Into<String>) -> Self {
        self.intro = html.into();
        self
    }

    /// The form filled in as it was sent.
    pub fn filled(mut self, sent: &Sent) -> Self {
        for field in &mut self.fields {
            field.value = sent.field(&field.name).to_owned();
        }
        for (name, value) in &mut self.hidden {
            if let Some(said) = sent.said(name) {
                *value = said.to_owned();
            }
        }
        self
    }

    /// The form as it is sent to a reader.
    pub fn shown(self) -> Answer {
        Ok(page(StatusCode::OK, &self)?)
    }

    /// The form with what was wrong. What no change of the form would help is handed on.
    pub fn refused(mut self, refusal: Refusal) -> Answer {
        if !mends(&refusal) {
            return Err(refusal.into());
        }
        let called = |name: &str| {
            let field = self.fields.iter().find(|f| f.name == name)?;
            Some((field.name.clone(), field.label.clone()))
        };
        self.refused = Some(Refused::new(&refusal, self.da, called));
        Ok(page(status(&refusal), &self)?)
    }

    fn marked(&self, field: &Field) -> &'static str {
        let wrong = self.refused.as_ref().and_then(|r| r.wrong.as_ref());
        if wrong.is_some_and(|(name, _)| *name == field.name) {
            " aria-invalid=\"true\" aria-describedby=\"problem\""
        } else {
            ""
        }
    }
}

/// Whether one who sees the form again can do something about the refusal.
pub fn mends(refusal: &Refusal) -> bool {
    !matches!(
        refusal.code.category(),
        Category::Unknown | Category::Forbidden | Category::Broken | Category::Busy | Category::TooOften
    )
}

/// A text of a vocabulary or of people as it may stand in HTML of our own making.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// What to do with a form: shown anew with what was wrong, or on to where the work is seen.
pub async fn settle(done: Result<String>, form: impl AsyncFnOnce() -> Result<FormPage>) -> Answer {
    match done {
        Ok(place) => Ok(super::see(&place)),
        Err(refusal) if !mends(&refusal) => Err(refusal.into()),
        Err(refusal) => form().await?.refused(refusal),
    }
}
