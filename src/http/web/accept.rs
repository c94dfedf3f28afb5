//! A change request becomes an edit: as it was proposed, or in other words; over what a draft says by now, both texts are
//! shown before anything is overwritten.

use uuid::Uuid;

use super::form::{Form, Sent, uuid};
use super::requests::Subject;
use crate::exchange::paper::{Changed, ConceptPaper};
use crate::http::api::App;
use crate::model::{
    Code, Content, ContentFields, Definition, Language, Meaning, Place, Refusal, Result, Side, Term, TermStatus, diff,
};
use crate::registry::{AcceptRequest, Precondition, RequestAnswer};

/// The words of a concept that people ask about: its term and its definition, and of a new one its notation.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Words {
    /// The notation of a new concept.
    pub notation: String,
    /// The preferred term in the language of the vocabulary.
    pub term: String,
    /// The definition for everyone.
    pub definition: String,
}

impl Words {
    /// The words of a content.
    pub fn of<T>(content: &ContentFields<T>, language: &Language) -> Self {
        let term = content.terms.iter().find(|t| t.status == TermStatus::Preferred && t.language == *language);
        let definition = content.definitions.iter().find(|d| d.audience.is_none() && d.language == *language);
        Self {
            notation: content.notation.clone().unwrap_or_default(),
            term: term.map(|t| t.value.clone()).unwrap_or_default(),
            definition: definition.map(|d| d.text.clone()).unwrap_or_default(),
        }
    }

    /// The words that were typed.
    pub fn typed(form: &Form) -> Self {
        let text = |name| form.field(name).replace("\r\n", "\n");
        Self { notation: text("notation"), term: text("term"), definition: text("definition") }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.term.is_empty() && self.definition.is_empty()
    }

    /// These words, and others where there are none.
    pub fn or(&self, others: &Self) -> Self {
        let one = |ours: &String, others: &String| if ours.is_empty() { others.clone() } else { ours.clone() };
        Self {
            notation: others.notation.clone(),
            term: one(&self.term, &others.term),
            definition: one(&self.definition, &others.definition),
        }
    }

    /// A content with these words in the place of its own; all else in it stays.
    pub fn within<T>(&self, mut content: ContentFields<T>, language: &Language) -> ContentFields<T> {
        let preferred = |t: &&mut Term| t.status == TermStatus::Preferred && t.language == *language;
        match content.terms.iter_mut().find(preferred) {
            Some(term) => term.value.clone_from(&self.term),
            None if self.term.is_empty() => {}
            None => content.terms.push(Term::plain(language.clone(), TermStatus::Preferred, self.term.as_str())),
        }
        let for_all = |d: &&mut Definition| d.audience.is_none() && d.language == *language;
        match content.definitions.iter_mut().find(for_all) {
            Some(definition) => definition.text.clone_from(&self.definition),
            None if self.definition.is_empty() => {}
            None => content.definitions.push(Definition::plain(language.clone(), self.definition.as_str())),
        }
        content
    }

    /// The content of a new concept.
    ///
    /// # Errors
    /// [`Code::Unlawful`] without a term.
    pub fn new_content(&self, language: &Language) -> Result<ContentFields<String>> {
        if self.term.is_empty() {
            let (da, en) = ("et nyt begreb skal have en term", "a new concept must have a term");
            return Err(Refusal::new(Code::Unlawful, da, en).at(Place::field("term")));
        }
        let notation = Some(self.notation.clone()).filter(|n| !n.is_empty());
        Ok(self.within(ContentFields { notation, ..ContentFields::default() }, language))
    }
}

/// A content as a request names it.
///
/// # Errors
/// None: a uuid can always be written.
pub fn keyed(content: ContentFields) -> Result<ContentFields<String>> {
    content.try_map_targets(|target| Ok(target.to_string()))
}

/// What a draft says by now, and what would stand there instead.
pub struct Clash {
    /// The tag of what it says; `none` where it says nothing any more.
    pub seen: String,
    /// Both texts, words marked.
    pub paper: String,
}

/// Why a request did not become an edit.
pub struct No {
    /// Why.
    pub refusal: Refusal,
    /// Both texts, where there are two.
    pub clash: Option<Clash>,
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, clash: None }
    }
}

/// What is to be done: the content, where it is not just what was proposed, and what it was made of.
struct Wanted {
    /// What a draft says of the concept now, with its tag.
    now: Option<(ContentFields, String)>,
    content: Option<ContentFields<String>>,
    /// What would stand there.
    yours: Option<ContentFields>,
}

/// Makes an edit of a request, as the form says.
///
/// # Errors
/// What the registry refuses; where a draft says something else by now, with both texts.
pub async fn taken_over(app: &App, of: &str, sent: &Sent) -> Result<(), No> {
    let (of, form, actor) = (uuid(of)?, &sent.form, &sent.reader.actor);
    let request = app.change_request(actor, of).await?;
    let draft = match form.field("draft") {
        "new" => None,
        _ => Some(form.uuid("draft")?),
    };
    let reason = form.prose("accept-reason")?;
    let meaning = form.said("meaning").map(|said| said.parse::<Meaning>());
    let meaning = meaning.transpose().map_err(|r| r.at(Place::field("meaning")))?;
    let wanted = wanted(app, sent, &request, draft)?;
    let matches = match (form.said("seen"), &wanted.content) {
        (Some("none"), _) => Precondition::Absent,
        (Some(tag), _) => Precondition::Tags(vec![tag.to_owned()]),
        // The form has the words of what is in force: they were made of that.
        (None, Some(_)) if request.concept.is_some() => Precondition::Tags(vec![form.field("tag").to_owned()]),
        (None, _) => Precondition::Unsaid,
    };
    let accept = AcceptRequest { draft, reason, content: wanted.content, operation: None, meaning };
    match app.accept_request(actor, of, accept, &matches).await {
        Ok(_) => Ok(()),
        Err(refusal) if matches!(refusal.code, Code::PreconditionFailed | Code::PreconditionRequired) => {
            Err(clash(wanted.now, wanted.yours, sent.reader.da))
        }
        Err(refusal) => Err(refusal.into()),
    }
}

fn wanted(app: &App, sent: &Sent, request: &RequestAnswer, draft: Option<Uuid>) -> Result<Wanted> {
    let language = app.plane(request.vocabulary.as_str())?.vocabulary().default_language().clone();
    let as_proposed = sent.form.field("what") == "proposal";
    let typed = Words::typed(&sent.form);
    let Some(concept) = request.concept else {
        let content = if as_proposed { None } else { Some(typed.new_content(&language)?) };
        return Ok(Wanted { now: None, content, yours: None });
    };
    let name = concept.to_string();
    let now = match draft {
        Some(draft) => {
            let said = app.draft_concept(&sent.reader.actor, draft, &name)?;
            said.content.zip(said.etag)
        }
        None => {
            let content = Subject::find(app, request.vocabulary.as_str(), &name, sent.reader.da)?.answer.said.content();
            let tag = format!("\"{}\"", content.digest());
            Some((content.into_fields(), tag))
        }
    };
    if as_proposed {
        return Ok(Wanted { now, content: None, yours: request.proposal.clone() });
    }
    if typed.term.is_empty() {
        let (da, en) = ("termen mangler", "the term is missing");
        return Err(Refusal::new(Code::Unlawful, da, en).at(Place::field("term")));
    }
    let below = now.as_ref().map(|(content, _)| content.clone()).unwrap_or_default();
    let mut yours = typed.within(below, &language);
    yours.definitions.retain(|d| !d.text.is_empty());
    Ok(Wanted { now, content: Some(keyed(yours.clone())?), yours: Some(yours) })
}

/// Both texts, so that nobody's words are overwritten unseen.
fn clash(now: Option<(ContentFields, String)>, yours: Option<ContentFields>, da: bool) -> No {
    let (text, en) = (
        "kladden siger noget andet om begrebet end det, ønsket er skrevet over; se forskellen, og gem igen, hvis det er det, der skal stå",
        "the draft says something else of the concept than the request was written over; look at the difference, and save again if that is what is to stand",
    );
    let refusal = Refusal::new(Code::PreconditionFailed, text, en);
    let seen = now.as_ref().map_or_else(|| "none".to_owned(), |(_, tag)| tag.clone());
    let lawful = |fields: Option<ContentFields>| fields.and_then(|f| Content::new(f).ok());
    let (before, after) = (lawful(now.map(|(content, _)| content)), lawful(yours));
    let changes = diff(&[(Uuid::nil(), before.as_ref(), after.as_ref())]);
    let name = |of: Uuid| Side { notation: None, label: of.to_string() };
    let title = if da { "Kladden nu, og det, du vil skrive" } else { "The draft now, and what you would write" };
    let paper = changes.first().map(|change| {
        let changed = Changed { change, before: before.as_ref(), after: after.as_ref() };
        ConceptPaper::new(&changed, &name).document(title, super::tongue(da)).html_part(3, "clash")
    });
    No { refusal, clash: Some(Clash { seen, paper: paper.unwrap_or_default() }) }
}
