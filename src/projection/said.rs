//! What was said of a concept, kept as the bytes that are sent and the few parts that reads turn on.

use std::sync::Arc;

use uuid::Uuid;

use crate::model::{Alias, Content, Digest, Language, RelationKind, Result, State, TermStatus};

/// The content of a state, shared by every edition in which it holds.
#[derive(Debug)]
pub struct Said {
    /// The digest of the content.
    pub digest: Digest,
    /// The content, canonical JSON: an object with at least one member.
    pub json: Box<str>,
    /// The notation.
    pub notation: Option<Box<str>>,
    /// Other identifiers.
    pub aliases: Box<[Alias]>,
    /// The facet.
    pub facet: Option<Box<str>>,
    /// The place among siblings.
    pub rank: i64,
    /// The concepts directly above.
    pub parents: Box<[Uuid]>,
    /// The concepts that it replaces.
    pub replaces: Box<[Uuid]>,
    /// Whether readers of editions see it.
    pub is_published: bool,
    /// Whether OIO Klassifikation says something of it that it has no field for.
    pub has_oio: bool,
    labels: Box<[(Language, Box<str>)]>,
}

impl Said {
    /// Takes in content as it is stored.
    ///
    /// # Errors
    /// [`crate::model::Code::Corrupt`] when it is not lawful content.
    pub fn new(digest: Digest, json: Box<str>) -> Result<Self> {
        let content = parse(&json)?;
        let fields = content.fields();
        let preferred = fields.terms.iter().filter(|t| t.status == TermStatus::Preferred);
        Ok(Self {
            digest,
            notation: fields.notation.as_deref().map(Into::into),
            facet: fields.facet.as_deref().map(Into::into),
            rank: fields.rank.unwrap_or(i64::MAX),
            parents: content.parents().collect(),
            is_published: content.is_published(),
            has_oio: fields.oio.is_some(),
            replaces: content.targets(RelationKind::Replaces).collect(),
            labels: preferred.map(|t| (t.language.clone(), t.value.as_str().into())).collect(),
            aliases: content.into_fields().aliases.into(),
            json,
        })
    }

    /// The whole content.
    ///
    /// # Panics
    /// Never: the JSON was read once in [`Said::new`].
    #[must_use]
    pub fn content(&self) -> Content {
        parse(&self.json).expect("it was read when it was taken in")
    }

    /// The preferred term for a reader of `language`: in that language, else in Danish, else the first.
    #[must_use]
    pub fn label(&self, language: &str) -> &str {
        let of = |wanted: &str| self.labels.iter().find(|(l, _)| l.primary() == wanted);
        of(language).or_else(|| of("da")).or_else(|| self.labels.first()).map_or("", |(_, label)| label)
    }

    /// The preferred terms, with their languages.
    pub fn labels(&self) -> impl Iterator<Item = (&Language, &str)> {
        self.labels.iter().map(|(language, label)| (language, &**label))
    }

    /// Whether a code of the vocabulary names the concept here: its notation or an alias.
    #[must_use]
    pub fn is_called(&self, key: &str) -> bool {
        self.notation.as_deref() == Some(key) || self.aliases.iter().any(|a| a.value == key)
    }
}

fn parse(json: &str) -> Result<Content> {
    serde_json::from_str(json).map_err(|e| {
        crate::model::Refusal::new(
            crate::model::Code::Corrupt,
            format!("et gemt begreb kan ikke læses: {e}"),
            format!("a stored concept cannot be read: {e}"),
        )
    })
}

/// A state in memory.
#[derive(Debug)]
pub struct Saying {
    /// The concept.
    pub concept: Uuid,
    /// The rectangle and what it says.
    pub state: State<Arc<Said>>,
}
