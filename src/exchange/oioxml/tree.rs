//! An element that has been read, to be taken apart by name. What is not taken is left over, and what is left
//! over is a [`Loss`]; so nothing is dropped silently.

use std::collections::BTreeMap;
use std::str::FromStr;

use quick_xml::name::{Namespace, ResolveResult};
use uuid::Uuid;

use super::codes::Coded;
use super::{BEGREB, FACET, KLASSE, KLASSIFIKATION, SAGDOK, chars};
use crate::exchange::Loss;
use crate::model::{Code, Place, Refusal, Result};

/// The most kinds of loss that are told apart.
const KINDS: usize = 200;

/// The namespaces that mean something here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ns {
    Begreb,
    Klassifikation,
    Facet,
    Klasse,
    Sagdok,
    Other,
}

impl Ns {
    /// What a name was resolved to; nothing when its prefix is not bound.
    pub fn of(resolved: &ResolveResult<'_>) -> Option<Self> {
        match resolved {
            ResolveResult::Bound(Namespace(BEGREB)) => Some(Self::Begreb),
            ResolveResult::Bound(Namespace(KLASSIFIKATION)) => Some(Self::Klassifikation),
            ResolveResult::Bound(Namespace(FACET)) => Some(Self::Facet),
            ResolveResult::Bound(Namespace(KLASSE)) => Some(Self::Klasse),
            ResolveResult::Bound(Namespace(SAGDOK)) => Some(Self::Sagdok),
            ResolveResult::Bound(_) | ResolveResult::Unbound => Some(Self::Other),
            ResolveResult::Unknown(_) => None,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Begreb => "",
            Self::Klassifikation => "klassifikation:",
            Self::Facet => "facet:",
            Self::Klasse => "klasse:",
            Self::Sagdok => "sd:",
            Self::Other => "?:",
        }
    }
}

/// What could not be taken over, counted.
#[derive(Default)]
pub(in crate::exchange) struct Losses(BTreeMap<(String, &'static str), u64>);

impl Losses {
    /// One more.
    pub fn add(&mut self, what: impl Into<String>, why: &'static str) {
        let mut key = (what.into(), why);
        if self.0.len() >= KINDS && !self.0.contains_key(&key) {
            key = ("other elements and attributes".to_owned(), "the format has no place for it");
        }
        *self.0.entry(key).or_default() += 1;
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<Loss> {
        self.0.into_iter().map(|((what, why), count)| Loss { what, why: why.to_owned(), count }).collect()
    }
}

/// An element with all that is in it.
#[derive(Debug)]
pub(super) struct Element {
    ns: Ns,
    name: Box<str>,
    /// Whether its text is written with [`chars::escape`].
    pub escaped: bool,
    /// Its own text, that of its children left out.
    pub text: String,
    /// The elements in it that have not been taken.
    pub children: Vec<Element>,
    line: u64,
    column: u64,
}

impl Element {
    /// An empty element at a line and column.
    pub fn new(ns: Ns, name: &str, line: u64, column: u64) -> Self {
        let (text, children) = (String::new(), Vec::new());
        Self { ns, name: name.into(), escaped: false, text, children, line, column }
    }

    /// Whether it is the element of that name.
    pub fn is(&self, ns: Ns, name: &str) -> bool {
        self.ns == ns && *self.name == *name
    }

    /// Where it stands.
    pub fn place(&self) -> Place {
        Place { field: Some(self.shown()), ..Place::line(self.line, self.column) }
    }

    /// The name as it is shown, by the usual prefix and not very long.
    pub fn shown(&self) -> String {
        self.ns.prefix().chars().chain(self.name.chars().take(80)).collect()
    }

    /// Takes the first child of that name.
    pub fn take(&mut self, ns: Ns, name: &str) -> Option<Self> {
        let at = self.children.iter().position(|c| c.is(ns, name))?;
        Some(self.children.remove(at))
    }

    /// Takes every child of that name.
    pub fn take_all(&mut self, ns: Ns, name: &str) -> Vec<Self> {
        self.children.extract_if(.., |c| c.is(ns, name)).collect()
    }

    /// Gives children to another element to account for.
    pub fn leave_to(self, other: &mut Self) {
        other.children.extend(self.children);
    }

    /// Counts what is left over.
    pub fn finish(self, losses: &mut Losses) {
        if !self.text.trim().is_empty() {
            losses.add(format!("text in '{}'", self.shown()), "there is no text between elements");
        }
        for child in &self.children {
            losses.add(format!("element '{}/{}'", self.shown(), child.shown()), "the format has no place for it");
        }
    }

    /// Takes the text of a child in a namespace, exactly as it stands.
    pub fn text_in(&mut self, ns: Ns, name: &str) -> Result<Option<String>> {
        let Some(mut leaf) = self.take(ns, name) else { return Ok(None) };
        let text = leaf.own_text()?;
        leaf.leave_to(self);
        Ok(Some(text))
    }

    /// Takes its own text.
    pub fn own_text(&mut self) -> Result<String> {
        let text = std::mem::take(&mut self.text);
        if !self.escaped {
            return Ok(text);
        }
        chars::unescape(&text).ok_or_else(|| {
            self.refuse(Code::Syntax, "teksten er ikke escapet, som den siger", "the text is not escaped as it says")
        })
    }

    /// Takes the text of a child of ours.
    pub fn text(&mut self, name: &str) -> Result<Option<String>> {
        self.text_in(Ns::Begreb, name)
    }

    /// The same; it must be there.
    pub fn need(&mut self, name: &str) -> Result<String> {
        self.text(name)?.ok_or_else(|| self.lacks(name))
    }

    /// Takes the value of a child of ours.
    pub fn parse<T: FromStr<Err = Refusal>>(&mut self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let place = Place { field: Some(format!("{}/{name}", self.shown())), ..self.place() };
        text.trim().parse().map(Some).map_err(|r: Refusal| r.at(place))
    }

    /// The same; it must be there.
    pub fn need_parsed<T: FromStr<Err = Refusal>>(&mut self, name: &str) -> Result<T> {
        self.parse(name)?.ok_or_else(|| self.lacks(name))
    }

    /// Takes the code of a child of ours.
    pub fn code<T: Coded>(&mut self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let known = T::CODES.iter().find(|(code, _)| *code == text.trim());
        known.map(|(_, value)| Some(*value)).ok_or_else(|| {
            let shown: String = text.chars().take(80).collect();
            self.refuse(
                Code::InvalidParameter,
                format!("»{shown}« er ikke en {name}"),
                format!("'{shown}' is not a {name}"),
            )
            .allowed(T::CODES.iter().map(|(code, _)| *code))
        })
    }

    /// The same; it must be there.
    pub fn need_code<T: Coded>(&mut self, name: &str) -> Result<T> {
        self.code(name)?.ok_or_else(|| self.lacks(name))
    }

    /// Takes the `sd:UUIDIdentifikator`; it must be there.
    pub fn need_uuid(&mut self) -> Result<Uuid> {
        let text = self.text_in(Ns::Sagdok, "UUIDIdentifikator")?.ok_or_else(|| self.lacks("UUIDIdentifikator"))?;
        self.uuid(&text)
    }

    /// A text of this element as a uuid, in the one form that the schema allows.
    pub fn uuid(&self, text: &str) -> Result<Uuid> {
        let text = text.trim();
        let hyphened = text.len() == 36;
        Uuid::try_parse(text).ok().filter(|_| hyphened).ok_or_else(|| {
            let shown: String = text.chars().take(80).collect();
            self.refuse(
                Code::InvalidIdentifier,
                format!("»{shown}« er ikke en uuid"),
                format!("'{shown}' is not a uuid"),
            )
        })
    }

    /// Takes the items of a `Liste` of ours.
    pub fn list<T>(
        &mut self,
        list: &str,
        item: &str,
        losses: &mut Losses,
        mut read: impl FnMut(&mut Self, &mut Losses) -> Result<T>,
    ) -> Result<Vec<T>> {
        let Some(mut list) = self.take(Ns::Begreb, list) else { return Ok(Vec::new()) };
        let items = list.take_all(Ns::Begreb, item);
        list.finish(losses);
        let mut read_one = |mut item: Self| {
            let value = read(&mut item, losses)?;
            item.finish(losses);
            Ok(value)
        };
        items.into_iter().map(&mut read_one).collect()
    }

    /// A refusal of something in the element.
    pub fn refuse(&self, code: Code, da: impl Into<String>, en: impl Into<String>) -> Refusal {
        Refusal::new(code, da, en).at(self.place())
    }

    /// A refusal because something is not there.
    pub fn lacks(&self, name: &str) -> Refusal {
        self.refuse(Code::Incomplete, format!("{name} mangler"), format!("{name} is missing"))
    }
}
