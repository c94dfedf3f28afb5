//! The CodeSystem as the file tells it, before anything is made of it. The elements of an object may come
//! in any order (the code of a concept after its children, the language after the concepts), so everything
//! is read first and understood afterwards.

use super::losses::{Losses, NO_FIELD, property_name};
use super::pull::Pull;
use super::rules::{MEANINGS, checked, incomplete, is_oid, language, not_a_code_system, shown, unknown_meaning};
use crate::exchange::DEEPEST;
use crate::model::{Code, Language, Place, Refusal, Result};

/// Concepts deeper than this keep their line and column but not their path: paths of a thousand levels for
/// each of a million concepts would be larger than the file by far.
const PATH_KEPT: usize = 16;

/// A CodeSystem.
#[derive(Default)]
pub(super) struct Resource {
    /// Its URL.
    pub(super) url: Option<String>,
    /// The version that it claims to be.
    pub(super) version: Option<String>,
    /// Its name for programs.
    pub(super) name: Option<String>,
    /// Its name for people.
    pub(super) title: Option<String>,
    /// What it is about.
    pub(super) description: Option<String>,
    /// The language of texts that name none.
    pub(super) language: Option<Language>,
    /// How many concepts it claims to have.
    pub(super) count: Option<String>,
    /// Other identifiers.
    pub(super) identifiers: Vec<String>,
    /// Whether nesting means part and whole.
    pub(super) part_of: bool,
    /// The concepts in preorder.
    pub(super) drafts: Vec<Draft>,
    /// What could not be taken over.
    pub(super) losses: Losses,
    said_type: bool,
    said_content: bool,
}

/// A concept.
pub(super) struct Draft {
    /// Where it stands in the file.
    pub(super) place: Place,
    /// The position of the concept that it is nested in.
    pub(super) parent: Option<usize>,
    /// The code; never empty.
    pub(super) code: String,
    /// What is shown for it.
    pub(super) display: Option<String>,
    /// The definition.
    pub(super) definition: Option<String>,
    /// Other things it is called; none of them empty.
    pub(super) designations: Vec<Designation>,
    /// The properties that name other concepts, and whom they name.
    pub(super) properties: Vec<(Property, String)>,
}

/// A designation of a concept.
#[derive(Default)]
pub(super) struct Designation {
    /// The language, when it names one.
    pub(super) language: Option<Language>,
    /// The code of its use.
    pub(super) role: Option<String>,
    /// The text.
    pub(super) value: String,
}

/// The properties that name other concepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Property {
    /// The other is above this.
    Parent,
    /// The other is below this.
    Child,
    /// The other is used instead of this; holds the name of the property.
    Successor(&'static str),
}

/// Where one is in the nesting of concepts.
enum Level {
    /// In an array of concepts.
    List { mark: usize, next: usize },
    /// In a concept.
    Concept { mark: usize, index: usize, start: Place, seen: Seen },
}

/// The known elements that an object has had, one bit each.
#[derive(Default)]
struct Seen(u32);

impl Seen {
    /// Which of the known elements a key names, if any; one that comes twice is refused.
    fn known(&mut self, pull: &mut Pull<'_>, names: &[&'static str], key: &str) -> Result<&'static str> {
        let Some(position) = names.iter().position(|n| *n == key) else { return Ok("") };
        let bit = 1 << position;
        if self.0 & bit != 0 {
            return Err(pull.refuse(
                Code::Syntax,
                format!("elementet »{key}« er der to gange"),
                format!("the element '{key}' is there twice"),
            ));
        }
        self.0 |= bit;
        Ok(names[position])
    }
}

/// Reads a CodeSystem.
pub(super) fn read(text: &str) -> Result<Resource> {
    let mut pull = Pull::new(text);
    let mut resource = Resource::default();
    let mut seen = Seen::default();
    pull.object()?;
    pull.each_key(|pull, key| resource.element(pull, key, &mut seen))?;
    pull.end()?;
    match (resource.said_type, resource.said_content) {
        (false, _) => Err(not_a_code_system(None).at(Place::field("resourceType"))),
        (_, false) => Err(incomplete(None).at(Place::field("content"))),
        _ => Ok(resource),
    }
}

impl Resource {
    fn element(&mut self, pull: &mut Pull<'_>, key: &str, seen: &mut Seen) -> Result<()> {
        const NAMES: [&str; 12] = [
            "resourceType",
            "content",
            "hierarchyMeaning",
            "url",
            "version",
            "name",
            "title",
            "description",
            "language",
            "count",
            "identifier",
            "concept",
        ];
        match seen.known(pull, &NAMES, key)? {
            "resourceType" => {
                self.said_type = checked(pull, &["CodeSystem"], |t| not_a_code_system(Some(t)))?.is_some()
            }
            "content" => self.said_content = checked(pull, &["complete"], |t| incomplete(Some(t)))?.is_some(),
            "hierarchyMeaning" => self.part_of = checked(pull, &MEANINGS, unknown_meaning)? == Some("part-of"),
            "url" => self.url = Some(pull.text()?),
            "version" => self.version = Some(pull.text()?),
            "name" => self.name = Some(pull.text()?),
            "title" => self.title = Some(pull.text()?),
            "description" => self.description = Some(pull.text()?),
            "language" => self.language = Some(language(pull)?),
            "count" => self.count = Some(pull.number()?),
            "identifier" => pull.each_object(|pull| self.identifier(pull))?,
            "concept" => self.concepts(pull)?,
            _ => self.lose(pull, "", key)?,
        }
        Ok(())
    }

    fn identifier(&mut self, pull: &mut Pull<'_>) -> Result<()> {
        let mut seen = Seen::default();
        let (mut system, mut value) = (None, None);
        pull.each_key(|pull, key| {
            match seen.known(pull, &["system", "value"], key)? {
                "system" => system = Some(pull.text()?),
                "value" => value = Some(pull.text()?),
                _ => self.lose(pull, "identifier.", key)?,
            }
            Ok(())
        })?;
        let of_uri = matches!(system.as_deref(), Some("urn:oid" | "urn:ietf:rfc:3986"));
        if system.is_some() && !of_uri {
            self.losses.add("element 'identifier.system'", NO_FIELD);
        }
        match value {
            Some(value) if of_uri && is_oid(&value) => self.identifiers.push(format!("urn:oid:{value}")),
            Some(value) if !value.trim().is_empty() => self.identifiers.push(value),
            _ => self.losses.add("element 'identifier'", "it has no value"),
        }
        Ok(())
    }

    /// Reads the hierarchy. It keeps its own stack, so that no depth can exhaust that of the machine.
    fn concepts(&mut self, pull: &mut Pull<'_>) -> Result<()> {
        pull.array()?;
        let mut stack = vec![Level::List { mark: pull.mark(), next: 0 }];
        while let Some(level) = stack.last_mut() {
            match level {
                Level::List { mark, next } => {
                    let mark = *mark;
                    pull.leave(mark);
                    pull.enter_index(*next);
                    *next += 1;
                    if pull.object_or_end()? {
                        let concept = self.open(pull, &stack)?;
                        stack.push(concept);
                    } else {
                        pull.leave(mark);
                        stack.pop();
                    }
                }
                Level::Concept { mark, index, start, seen } => {
                    pull.leave(*mark);
                    let Some(key) = pull.key()? else {
                        self.close(pull, *index, start)?;
                        stack.pop();
                        continue;
                    };
                    pull.enter(&key);
                    if self.concept_element(pull, *index, &key, seen)? {
                        pull.array()?;
                        stack.push(Level::List { mark: pull.mark(), next: 0 });
                    }
                }
            }
        }
        Ok(())
    }

    /// Begins a concept; `stack` is what it is nested in.
    fn open(&mut self, pull: &mut Pull<'_>, stack: &[Level]) -> Result<Level> {
        let depth = stack.len().div_ceil(2);
        if depth > DEEPEST {
            return Err(pull.too_deep());
        }
        let parent = stack.iter().rev().find_map(|level| match level {
            Level::Concept { index, .. } => Some(*index),
            Level::List { .. } => None,
        });
        let start = pull.position();
        let field = (depth <= PATH_KEPT).then(|| pull.path().to_owned());
        let place = Place { field, ..start.clone() };
        let index = self.drafts.len();
        self.drafts.push(Draft {
            place,
            parent,
            code: String::new(),
            display: None,
            definition: None,
            designations: Vec::new(),
            properties: Vec::new(),
        });
        Ok(Level::Concept { mark: pull.mark(), index, start, seen: Seen::default() })
    }

    /// Ends a concept.
    fn close(&mut self, pull: &mut Pull<'_>, index: usize, start: &Place) -> Result<()> {
        if !self.drafts[index].code.is_empty() {
            return Ok(());
        }
        pull.enter("code");
        let refusal = Refusal::new(Code::Incomplete, "begrebet har ingen kode", "the concept has no code");
        Err(pull.here(refusal.at(start.clone())))
    }

    /// Reads an element of a concept; whether it is the one that holds the concepts below it, which is left
    /// to the caller.
    fn concept_element(&mut self, pull: &mut Pull<'_>, index: usize, key: &str, seen: &mut Seen) -> Result<bool> {
        const NAMES: [&str; 6] = ["code", "display", "definition", "designation", "property", "concept"];
        match seen.known(pull, &NAMES, key)? {
            "code" => self.drafts[index].code = pull.text()?.trim().to_owned(),
            "display" => self.drafts[index].display = Some(pull.text()?),
            "definition" => self.drafts[index].definition = Some(pull.text()?),
            "designation" => pull.each_object(|pull| self.designation(pull, index))?,
            "property" => pull.each_object(|pull| self.property(pull, index))?,
            "concept" => return Ok(true),
            _ => self.lose(pull, "concept.", key)?,
        }
        Ok(false)
    }

    fn designation(&mut self, pull: &mut Pull<'_>, index: usize) -> Result<()> {
        let mut seen = Seen::default();
        let mut designation = Designation::default();
        pull.each_key(|pull, key| {
            match seen.known(pull, &["language", "use", "value"], key)? {
                "language" => designation.language = Some(language(pull)?),
                "use" => designation.role = self.role(pull)?,
                "value" => designation.value = pull.text()?,
                _ => self.lose(pull, "concept.designation.", key)?,
            }
            Ok(())
        })?;
        if designation.value.trim().is_empty() {
            self.losses.add("element 'concept.designation'", "it is empty");
        } else {
            self.drafts[index].designations.push(designation);
        }
        Ok(())
    }

    /// The code of a designation's use.
    fn role(&mut self, pull: &mut Pull<'_>) -> Result<Option<String>> {
        let mut seen = Seen::default();
        let mut code = None;
        pull.object()?;
        pull.each_key(|pull, key| {
            match seen.known(pull, &["code"], key)? {
                "code" => code = Some(pull.text()?),
                _ => self.lose(pull, "concept.designation.use.", key)?,
            }
            Ok(())
        })?;
        Ok(code)
    }

    fn property(&mut self, pull: &mut Pull<'_>, index: usize) -> Result<()> {
        let mut seen = Seen::default();
        let (mut code, mut target) = (None, None);
        pull.each_key(|pull, key| {
            match seen.known(pull, &["code", "valueCode"], key)? {
                "code" => code = Some(pull.text()?),
                "valueCode" => target = Some(pull.text()?.trim().to_owned()),
                // Another kind of value goes with its property, which is counted below.
                _ if key.starts_with("value") => pull.skip()?,
                _ => self.lose(pull, "concept.property.", key)?,
            }
            Ok(())
        })?;
        let kind = match code.as_deref() {
            Some("parent") => Some(Property::Parent),
            Some("child") => Some(Property::Child),
            Some("replacedBy") => Some(Property::Successor("replacedBy")),
            Some("successor") => Some(Property::Successor("successor")),
            _ => None,
        };
        match (kind, target.filter(|t| !t.is_empty())) {
            (Some(kind), Some(target)) => self.drafts[index].properties.push((kind, target)),
            (Some(_), None) => self.losses.add(property_name(code.as_deref()), "it names no code"),
            (None, _) => self.losses.add(property_name(code.as_deref()), NO_FIELD),
        }
        Ok(())
    }

    /// Passes over an element and counts it.
    fn lose(&mut self, pull: &mut Pull<'_>, within: &str, key: &str) -> Result<()> {
        self.losses.add(format!("element '{within}{}'", shown(key)), NO_FIELD);
        pull.skip()
    }
}
