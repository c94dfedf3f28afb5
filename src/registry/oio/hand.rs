//! What can be told of a criterion from what is at hand in memory, before the content of a state is read.

use std::cell::OnceCell;

use uuid::Uuid;

use super::pattern::Pattern;
use super::search::Criterion;
use crate::exchange::oio::part::{CATEGORIES, Framed};
use crate::exchange::oio::{Publiceret, Reference};
use crate::projection::Said;

/// A state that is looked at.
pub(super) struct Hand<'s> {
    uuid: Uuid,
    said: &'s Said,
    /// The content as it is stored, in lower case.
    lower: OnceCell<String>,
}

impl<'s> Hand<'s> {
    /// What is said of a concept.
    pub(super) fn of(uuid: Uuid, said: &'s Said) -> Self {
        Self { uuid, said, lower: OnceCell::new() }
    }

    /// Whether it has what is demanded; nothing when the content has to be read.
    pub(super) fn tells(&self, framed: &Framed, criterion: &Criterion) -> Option<bool> {
        // What came by OIO Klassifikation may say otherwise of anything.
        if self.said.has_oio {
            return None;
        }
        match criterion {
            Criterion::Text(Some("brugervendtnoegle"), pattern) => Some(self.has_key(pattern)),
            Criterion::Text(name, pattern) if self.may_say(*name, pattern) => None,
            Criterion::Text(..) => Some(false),
            Criterion::State(state) => Some(*state == Publiceret::Publiceret),
            Criterion::Related(name, target, objekttype) => {
                let may_be = self.may_name(framed, *name, target);
                let sure = matches!(name, Some("facet" | "ansvarlig" | "ejer")) && objekttype.is_none();
                if may_be && !sure { None } else { Some(may_be) }
            }
        }
    }

    fn has_key(&self, pattern: &Pattern) -> bool {
        match &self.said.notation {
            Some(notation) => pattern.fits(notation),
            None => pattern.fits(&self.uuid.to_string()),
        }
    }

    /// Whether a text may be in an attribute of a name, or in any.
    fn may_say(&self, name: Option<&str>, pattern: &Pattern) -> bool {
        match name {
            // The title is one of the preferred terms.
            Some("titel") => self.said.labels().any(|(_, label)| pattern.fits(label)),
            Some("integrationsdata") => !self.said.aliases.is_empty(),
            Some("soegeord") => self.may_hold(pattern) || CATEGORIES.iter().any(|c| pattern.fits(c)),
            Some(_) => self.may_hold(pattern),
            None => {
                self.may_hold(pattern)
                    || !self.said.aliases.is_empty()
                    || self.has_key(pattern)
                    || CATEGORIES.iter().any(|c| pattern.fits(c))
            }
        }
    }

    /// Whether the words of a pattern are in the content, in any order. Texts are joined of several and escaped where
    /// they are stored, so only what can stand in the middle of one is looked for.
    fn may_hold(&self, pattern: &Pattern) -> bool {
        let breaks = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | '"' | '\\');
        let mut words = pattern.parts().flat_map(|part| part.split(breaks)).filter(|word| !word.is_empty());
        words.all(|word| {
            let lower = self.lower.get_or_init(|| self.said.json.to_lowercase());
            memchr::memmem::find(lower.as_bytes(), word.as_bytes()).is_some()
        })
    }

    fn may_name(&self, framed: &Framed, name: Option<&str>, target: &Reference) -> bool {
        let of_facet = || framed.facet(self.said.facet.as_deref()).is_some_and(|f| *target == Reference::Uuid(f));
        let of_owner = || framed.owner() == Some(target);
        let in_content = || match target {
            Reference::Uuid(uuid) => self.holds(&uuid.to_string()),
            Reference::Urn(_) => self.holds("\"mappings\":"),
        };
        match name {
            Some("facet") => of_facet(),
            Some("ansvarlig" | "ejer") => of_owner(),
            Some(_) => in_content(),
            None => of_facet() || of_owner() || in_content(),
        }
    }

    fn holds(&self, text: &str) -> bool {
        memchr::memmem::find(self.said.json.as_bytes(), text.as_bytes()).is_some()
    }
}
