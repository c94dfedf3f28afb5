//! The differences between two readings of a vocabulary as a paper: what was said and what is said, word by word.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::document::{Document, Run, Style, cell};
use super::moment::moment;
use super::words::{Bag, Piece, PieceKind, compare, one_sided};
use super::{Tongue, called, change_name, told_kinds};
use crate::model::{
    Alias, ConceptChange, ConceptChangeKind, Content, Definition, Instant, Language, LegalBasis, Mapping, MappingKind,
    Meaning, Note, NoteKind, Reference, Relation, RelationKind, Side, SourceRelation, Term, TermForm, TermStatus, Text,
};

/// The most pairs among which the best match is looked for; above that, items are paired in their order.
const MOST_PAIRS: usize = 400;

/// One of the two readings that are compared.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Reading {
    /// The moment at which it is read.
    #[schema(value_type = String)]
    pub at: Instant,
    /// The label of the version, or the name of the draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// A concept that differs, with its content on both sides.
#[derive(Clone, Copy, Debug)]
pub struct Changed<'a> {
    /// What happened to it.
    pub change: &'a ConceptChange,
    /// What was said of it.
    pub before: Option<&'a Content>,
    /// What is said of it.
    pub after: Option<&'a Content>,
}

/// How many concepts had a type of change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct KindCount {
    /// The type of change.
    pub kind: ConceptChangeKind,
    /// How many concepts; one with several types is counted in each.
    pub count: usize,
}

/// A diff, ready to be read.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct DiffPaper {
    /// The title of the vocabulary.
    pub vocabulary: String,
    /// The reading before.
    pub before: Reading,
    /// The reading after.
    pub after: Reading,
    /// How many concepts differ.
    pub count: usize,
    /// How many had which type of change; types that none had are left out.
    pub counts: Vec<KindCount>,
    /// The concepts, by their first type of change; of a bounded paper, the first of them.
    pub concepts: Vec<ConceptPaper>,
}

/// What happened to one concept.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConceptPaper {
    /// The concept.
    pub uuid: Uuid,
    /// What happened, most important first.
    pub kinds: Vec<ConceptChangeKind>,
    /// Of one that is redefined: whether it means something else, as those said who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<Meaning>,
    /// How it was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Side>,
    /// How it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Side>,
    /// What replaces it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced_by: Vec<Reference>,
    /// Whether it was changed after the hearing of the draft; absent when not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub since_hearing: bool,
    /// What uses it; for those who make versions, and absent when nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_by: Option<UsedBy>,
    /// What is not the same on both sides.
    pub items: Vec<ItemChange>,
}

/// What uses a concept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct UsedBy {
    /// Those that say who they are.
    pub names: Vec<String>,
    /// How many there are beside.
    pub hidden: u64,
}

impl UsedBy {
    /// In words.
    #[must_use]
    pub fn text(&self, tongue: Tongue) -> String {
        let hidden = match self.hidden {
            0 => None,
            n if self.names.is_empty() => Some(format!("{n} {}", tongue.choose("uden navn", "without a name"))),
            n => Some(format!("{n} {}", tongue.choose("mere uden navn", "more without a name"))),
        };
        self.names.iter().cloned().chain(hidden).collect::<Vec<_>>().join("; ")
    }
}

/// What of a concept an item is; items of one name are compared with each other.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "field", rename_all = "camelCase")]
pub enum ItemName {
    /// The notation.
    Notation,
    /// A term.
    Term {
        /// Its language.
        language: Language,
        /// How it is looked upon.
        status: TermStatus,
    },
    /// A definition.
    Definition {
        /// Its language.
        language: Language,
        /// For whom it is written; everyone when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        audience: Option<String>,
    },
    /// A note.
    Note {
        /// What it is for.
        kind: NoteKind,
        /// Its language.
        language: Language,
    },
    /// The law it rests on.
    LegalBasis {
        /// The law.
        law: String,
    },
    /// A relation; its text is the name of the other concept.
    Relation {
        /// The kind.
        kind: RelationKind,
        /// The other concept.
        target: Uuid,
    },
    /// A subject field.
    SubjectField {
        /// Its language.
        language: Language,
    },
    /// The facet.
    Facet,
    /// Another identifier.
    Alias {
        /// Whose identifier it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        system: Option<String>,
    },
    /// A mapping to another vocabulary.
    Mapping {
        /// How well it matches.
        kind: MappingKind,
    },
    /// A triple without a field of its own.
    Statement {
        /// The subject; the concept itself when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<String>,
        /// The predicate.
        predicate: String,
    },
    /// Its place among its siblings: another one; the number means nothing and is not told.
    Rank,
}

/// What happened to an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ItemChangeKind {
    /// It was not there before.
    Added,
    /// It is there no longer.
    Removed,
    /// It says something else.
    Changed,
}

/// An item that is not the same on both sides.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ItemChange {
    /// What happened to it.
    pub change: ItemChangeKind,
    /// What is said beside its text, where something of it is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<ItemDetail>,
    /// What it is.
    pub item: ItemName,
    /// Its text, in pieces.
    pub pieces: Vec<Piece>,
}

/// What is said of an item beside its text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum DetailName {
    /// Where it is taken from.
    Source,
    /// How a definition relates to its source.
    SourceRelation,
    /// The form of a term.
    Form,
    /// Why a term is deprecated.
    Reason,
    /// What to use instead.
    UseInstead,
    /// From when it holds.
    From,
    /// Until when it holds.
    To,
    /// The European Legislation Identifier.
    Eli,
    /// The subdivision criterion of a relation.
    Criterion,
    /// The role of the other concept.
    Role,
}

/// A detail of an item, in pieces.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ItemDetail {
    /// What it is.
    pub name: DetailName,
    /// Its text.
    pub pieces: Vec<Piece>,
}

/// The types of change in the order in which a paper tells them.
const ORDER: [ConceptChangeKind; 13] = [
    ConceptChangeKind::Added,
    ConceptChangeKind::Retired,
    ConceptChangeKind::Replaced,
    ConceptChangeKind::Split,
    ConceptChangeKind::Merged,
    ConceptChangeKind::Renamed,
    ConceptChangeKind::Redefined,
    ConceptChangeKind::Moved,
    ConceptChangeKind::Recoded,
    ConceptChangeKind::Remapped,
    ConceptChangeKind::Edited,
    ConceptChangeKind::Reordered,
    ConceptChangeKind::Passivated,
];

/// Where a concept stands in the paper.
fn place(kinds: &[ConceptChangeKind]) -> usize {
    let of = |kind: &ConceptChangeKind| ORDER.iter().position(|k| k == kind);
    kinds.iter().filter_map(of).min().unwrap_or(ORDER.len())
}

impl DiffPaper {
    /// The paper of what differs. `name` tells how any concept is called that a relation or a replacement points to.
    #[must_use]
    pub fn new(
        vocabulary: impl Into<String>,
        before: Reading,
        after: Reading,
        changes: &[Changed<'_>],
        name: &dyn Fn(Uuid) -> Side,
    ) -> Self {
        Self::first(vocabulary, before, after, changes, name, usize::MAX)
    }

    /// As [`DiffPaper::new`], with no more than the first so many concepts compared; all are counted.
    #[must_use]
    pub fn first(
        vocabulary: impl Into<String>,
        before: Reading,
        after: Reading,
        changes: &[Changed<'_>],
        name: &dyn Fn(Uuid) -> Side,
        most: usize,
    ) -> Self {
        let mut ordered: Vec<&Changed<'_>> = changes.iter().collect();
        ordered.sort_by_key(|c| place(&c.change.kinds));
        let concepts = ordered.iter().take(most).map(|c| ConceptPaper::new(c, name)).collect();
        let count = |kind| changes.iter().filter(|c| c.change.kinds.contains(&kind)).count();
        let counts = ORDER.map(|kind| KindCount { kind, count: count(kind) });
        Self {
            vocabulary: vocabulary.into(),
            before,
            after,
            count: changes.len(),
            counts: counts.into_iter().filter(|c| c.count > 0).collect(),
            concepts,
        }
    }

    /// The paper, with what uses its concepts.
    #[must_use]
    pub fn used(mut self, by: impl Fn(Uuid) -> Option<UsedBy>) -> Self {
        for concept in &mut self.concepts {
            concept.used_by = by(concept.uuid);
        }
        self
    }

    /// The paper, with what was changed after the hearing marked.
    #[must_use]
    pub fn marked(mut self, since_hearing: &BTreeSet<Uuid>) -> Self {
        for concept in &mut self.concepts {
            concept.since_hearing = since_hearing.contains(&concept.uuid);
        }
        self
    }

    /// The paper as a document.
    #[must_use]
    pub fn document(&self, tongue: Tongue) -> Document {
        self.document_with(tongue, None)
    }

    /// The paper as a document that, where it does not tell of all concepts, says where they are told.
    #[must_use]
    pub fn document_with(&self, tongue: Tongue, whole: Option<&str>) -> Document {
        let t = |da, en| tongue.choose(da, en);
        let title = format!("{} {}", t("Ændringer i", "Changes of"), self.vocabulary);
        let mut d = Document::new(title, tongue);
        d.paragraph(vec![
            Run::new(Style::Label, t("Før:", "Before:")),
            Run::plain(format!(" {}\n", reading(&self.before, tongue))),
            Run::new(Style::Label, t("Efter:", "After:")),
            Run::plain(format!(" {}", reading(&self.after, tongue))),
        ]);
        if self.concepts.is_empty() {
            d.text(t("Der er ingen forskelle.", "There are no differences."));
            return d;
        }
        d.heading(1, t("Overblik", "Overview"));
        let rows = self.counts.iter().map(|c| [cell(change_name(c.kind, tongue)), cell(c.count.to_string())]);
        let total = [cell(t("begreber i alt", "concepts in all")), cell(self.count.to_string())];
        let caption = t(
            "Antal begreber med hver type ændring; et begreb kan have flere",
            "Concepts with each type of change; a concept may have several",
        );
        d.table(caption, [t("Ændring", "Change"), t("Antal", "Count")], rows.chain([total]));
        d.paragraph(legend(tongue));
        for concepts in self.concepts.chunk_by(|a, b| place(&a.kinds) == place(&b.kinds)) {
            let kind = ORDER.get(place(&concepts[0].kinds)).map_or("–", |kind| change_name(*kind, tongue));
            // Where not all are told, the overview alone says how many there are.
            let count = if self.concepts.len() < self.count { String::new() } else { format!(" ({})", concepts.len()) };
            d.heading(1, format!("{}{count}", capitalised(kind)));
            concepts.iter().for_each(|c| c.tell(&mut d, 2));
        }
        if self.concepts.len() < self.count {
            let (shown, all) = (self.concepts.len(), self.count);
            let mut runs = vec![Run::plain(match tongue {
                Tongue::Danish => format!("De første {shown} af {all} begreber er vist. "),
                Tongue::English => format!("The first {shown} of {all} concepts are shown. "),
            })];
            runs.extend(whole.map(|address| Run::link(t("Se dem alle", "See all of them"), address)));
            d.paragraph(runs);
        }
        d
    }
}

/// How to read what is marked.
pub(super) fn legend(tongue: Tongue) -> Vec<Run> {
    let t = |da: &str, en: &str| tongue.choose(da, en).to_owned();
    vec![
        Run::plain(t("Sådan vises ændringer:", "How changes are shown:")),
        Run::plain(" "),
        Run::new(Style::Removed, t("udgår", "removed")),
        Run::plain(" "),
        Run::new(Style::Added, t("kommer til", "added")),
    ]
}

fn reading(reading: &Reading, tongue: Tongue) -> String {
    let at = moment(reading.at, tongue);
    match &reading.label {
        Some(label) if *label == at => at,
        Some(label) => format!("{label} ({at})"),
        None => at,
    }
}

pub(super) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

impl ConceptPaper {
    /// What happened to a concept.
    #[must_use]
    pub fn new(changed: &Changed<'_>, name: &dyn Fn(Uuid) -> Side) -> Self {
        let items = |content: Option<&Content>| content.map_or_else(Vec::new, |c| items(c, name));
        let mut differences = compare_items(items(changed.before), items(changed.after));
        if let (Some(before), Some(after)) = (changed.before, changed.after)
            && before.fields().rank != after.fields().rank
        {
            let change = ItemChangeKind::Changed;
            differences.push(ItemChange { change, details: Vec::new(), item: ItemName::Rank, pieces: Vec::new() });
        }
        let change = changed.change;
        Self {
            uuid: change.uuid,
            kinds: change.kinds.clone(),
            meaning: change.meaning,
            before: change.before.clone(),
            after: change.after.clone(),
            replaced_by: change.replaced_by.clone(),
            since_hearing: false,
            used_by: None,
            items: differences,
        }
    }

    /// The concept alone as a document: what differs, and how to read it.
    #[must_use]
    pub fn document(&self, title: impl Into<String>, tongue: Tongue) -> Document {
        let mut d = Document::new(title, tongue);
        if self.items.is_empty() {
            d.text(tongue.choose("Der er ingen forskelle.", "There are no differences."));
            return d;
        }
        d.paragraph(legend(tongue));
        self.tell_items(&mut d);
        d
    }

    /// How the concept is called, and how it was called where that is something else.
    fn title(&self) -> String {
        match (&self.before, &self.after) {
            (Some(b), Some(a)) if b != a => format!("{} → {}", called(b), called(a)),
            (_, Some(side)) | (Some(side), None) => called(side),
            (None, None) => "–".to_owned(),
        }
    }

    fn tell(&self, d: &mut Document, level: u8) {
        let tongue = d.tongue;
        d.heading(level, self.title());
        let kinds = told_kinds(&self.kinds, self.meaning, tongue);
        let mut runs = vec![Run::plain(capitalised(&kinds.join(", ")))];
        if !self.replaced_by.is_empty() {
            let names: Vec<String> = self.replaced_by.iter().map(Reference::text).collect();
            runs.push(Run::plain(format!("; {} {}", tongue.choose("erstattet af", "replaced by"), names.join("; "))));
        }
        if self.since_hearing {
            runs.push(Run::plain(tongue.choose("; ændret efter høringen", "; changed after the hearing")));
        }
        d.paragraph(runs);
        if let Some(used) = &self.used_by {
            let label = Run::new(Style::Label, tongue.choose("Bruges af:", "Used by:"));
            d.paragraph(vec![label, Run::plain(format!(" {}", used.text(tongue)))]);
        }
        self.tell_items(d);
    }

    /// Adds the list of what differs.
    pub(super) fn tell_items(&self, d: &mut Document) {
        let items = self.items.iter().map(|i| i.runs(d.tongue)).collect();
        d.list(items);
    }
}

impl ItemChange {
    fn runs(&self, tongue: Tongue) -> Vec<Run> {
        let label = capitalised(&item_name(&self.item, tongue));
        if self.item == ItemName::Rank {
            return vec![Run::plain(label)];
        }
        let mut runs = vec![Run::new(Style::Label, format!("{label}:")), Run::plain(" ")];
        runs.extend(self.pieces.iter().map(Run::from));
        for detail in &self.details {
            runs.push(Run::plain(" · "));
            runs.push(Run::new(Style::Label, format!("{}:", detail_name(detail.name, tongue))));
            runs.push(Run::plain(" "));
            runs.extend(detail.pieces.iter().map(Run::from));
        }
        runs
    }
}

/// An item of a concept, told as text.
#[derive(PartialEq)]
struct Item {
    name: ItemName,
    text: String,
    details: BTreeMap<DetailName, String>,
}

impl Item {
    fn new<const N: usize>(name: ItemName, text: &str, details: [(DetailName, Option<String>); N]) -> Self {
        let details = details.into_iter().filter_map(|(name, text)| Some((name, text.filter(|t| !t.is_empty())?)));
        Self { name, text: text.to_owned(), details: details.collect() }
    }

    /// All of it, added or removed.
    fn alone(self, change: ItemChangeKind, kind: PieceKind) -> ItemChange {
        let details = self.details.iter().map(|(name, text)| ItemDetail { name: *name, pieces: one_sided(kind, text) });
        ItemChange { change, details: details.collect(), pieces: one_sided(kind, &self.text), item: self.name }
    }

    /// It and what it became. Details are told where they differ.
    fn became(self, after: &Self) -> ItemChange {
        let mut names: Vec<DetailName> = self.details.keys().chain(after.details.keys()).copied().collect();
        names.sort();
        names.dedup();
        let text = |item: &Self, name| item.details.get(&name).cloned().unwrap_or_default();
        let details = names.into_iter().filter_map(|name| {
            let (before, after) = (text(&self, name), text(after, name));
            (before != after).then(|| ItemDetail { name, pieces: compare(&before, &after) })
        });
        let (details, pieces) = (details.collect(), compare(&self.text, &after.text));
        ItemChange { change: ItemChangeKind::Changed, details, item: self.name, pieces }
    }
}

/// All items of a content.
fn items(content: &Content, name: &dyn Fn(Uuid) -> Side) -> Vec<Item> {
    let f = content.fields();
    let plain = |name: ItemName, text: &String| Item::new(name, text, []);
    let mut out: Vec<Item> = Vec::new();
    out.extend(f.notation.iter().map(|n| plain(ItemName::Notation, n)));
    out.extend(f.terms.iter().map(term));
    out.extend(f.definitions.iter().map(definition));
    out.extend(f.notes.iter().map(note));
    out.extend(f.legal_basis.iter().map(legal_basis));
    out.extend(f.relations.iter().map(|r| relation(r, name)));
    out.extend(
        f.subject_fields.iter().map(|t| plain(ItemName::SubjectField { language: t.language.clone() }, &t.text)),
    );
    out.extend(f.facet.iter().map(|code| plain(ItemName::Facet, code)));
    out.extend(f.aliases.iter().map(alias));
    out.extend(f.mappings.iter().map(|Mapping { kind, target }| plain(ItemName::Mapping { kind: *kind }, target)));
    out.extend(f.statements.iter().map(|s| {
        let name = ItemName::Statement { subject: s.subject.clone(), predicate: s.predicate.clone() };
        plain(name, &s.object)
    }));
    out
}

fn term(t: &Term) -> Item {
    let name = ItemName::Term { language: t.language.clone(), status: t.status };
    let form = t.form.map(|f| term_form(f).to_owned());
    let details = [
        (DetailName::Form, form),
        (DetailName::Source, t.source.clone()),
        (DetailName::Reason, t.reason.clone()),
        (DetailName::UseInstead, t.use_instead.clone()),
    ];
    Item::new(name, &t.value, details)
}

fn definition(d: &Definition) -> Item {
    let name = ItemName::Definition { language: d.language.clone(), audience: d.audience.clone() };
    let relation = d.source_relation.map(|r| source_relation(r).to_owned());
    Item::new(name, &d.text, [(DetailName::Source, d.source.clone()), (DetailName::SourceRelation, relation)])
}

fn note(n: &Note) -> Item {
    Item::new(ItemName::Note { kind: n.kind, language: n.language.clone() }, &n.text, [])
}

fn legal_basis(l: &LegalBasis) -> Item {
    let paragraph = l.paragraph.as_deref().unwrap_or_default();
    let text = format!("{} {paragraph}", l.law);
    let details = [
        (DetailName::Eli, l.eli.clone()),
        (DetailName::From, l.from.map(super::moment::day)),
        (DetailName::To, l.to.map(super::moment::day)),
    ];
    Item::new(ItemName::LegalBasis { law: l.law.clone() }, text.trim(), details)
}

fn relation(r: &Relation, name: &dyn Fn(Uuid) -> Side) -> Item {
    let texts = |texts: &[Text]| {
        let one = |t: &Text| format!("{} ({})", t.text, t.language);
        (!texts.is_empty()).then(|| texts.iter().map(one).collect::<Vec<_>>().join("; "))
    };
    let details = [(DetailName::Criterion, texts(&r.criterion)), (DetailName::Role, texts(&r.role))];
    Item::new(ItemName::Relation { kind: r.kind, target: r.target }, &called(&name(r.target)), details)
}

fn alias(a: &Alias) -> Item {
    let details = [(DetailName::From, a.from.map(super::moment::day)), (DetailName::To, a.to.map(super::moment::day))];
    Item::new(ItemName::Alias { system: a.system.clone() }, &a.value, details)
}

/// What of two lists is not in both, those of one name paired with each other.
fn compare_items(before: Vec<Item>, after: Vec<Item>) -> Vec<ItemChange> {
    let mut named: BTreeMap<ItemName, (Vec<Item>, Vec<Item>)> = BTreeMap::new();
    for item in before {
        named.entry(item.name.clone()).or_default().0.push(item);
    }
    for item in after {
        let (before, after) = named.entry(item.name.clone()).or_default();
        match before.iter().position(|b| *b == item) {
            Some(at) => drop(before.remove(at)),
            None => after.push(item),
        }
    }
    named.into_values().flat_map(|(before, after)| pair(before, after)).collect()
}

/// Pairs what was there with what is there: the two that have most in common first.
fn pair(before: Vec<Item>, after: Vec<Item>) -> Vec<ItemChange> {
    let pairs = pairs(&before, &after);
    let mut before: Vec<Option<Item>> = before.into_iter().map(Some).collect();
    let mut after: Vec<Option<Item>> = after.into_iter().map(Some).collect();
    let mut out = Vec::new();
    for (b, a) in pairs {
        if before[b].is_some()
            && let Some(after) = after[a].take()
        {
            out.extend(before[b].take().map(|before| before.became(&after)));
        }
    }
    out.extend(before.into_iter().flatten().map(|i| i.alone(ItemChangeKind::Removed, PieceKind::Removed)));
    out.extend(after.into_iter().flatten().map(|i| i.alone(ItemChangeKind::Added, PieceKind::Added)));
    out
}

/// All pairs, those that have most in common first; in their order where there are too many to tell.
fn pairs(before: &[Item], after: &[Item]) -> Vec<(usize, usize)> {
    if before.len() * after.len() > MOST_PAIRS {
        return (0..before.len().min(after.len())).map(|i| (i, i)).collect();
    }
    let bags = |items: &[Item]| -> Vec<Bag> { items.iter().map(|i| Bag::of(&i.text)).collect() };
    let (before, after) = (bags(before), bags(after));
    let all = |b: usize| (0..after.len()).map(move |a| (b, a));
    let mut pairs: Vec<(usize, usize)> = (0..before.len()).flat_map(all).collect();
    pairs.sort_by_cached_key(|&(b, a)| Reverse(before[b].likeness(&after[a])));
    pairs
}

/// What an item is called.
fn item_name(item: &ItemName, tongue: Tongue) -> String {
    let t = |da: &'static str, en: &'static str| tongue.choose(da, en).to_owned();
    match item {
        ItemName::Notation => t("kode", "notation"),
        ItemName::Term { language, status } => format!("{} ({language})", term_status(*status, tongue)),
        ItemName::Definition { language, audience: None } => format!("definition ({language})"),
        ItemName::Definition { language, audience: Some(audience) } => {
            format!("definition ({language}, {} {audience})", t("til", "for"))
        }
        ItemName::Note { kind, language } => format!("{} ({language})", note_kind(*kind, tongue)),
        ItemName::LegalBasis { .. } => t("retsgrundlag", "legal basis"),
        ItemName::Relation { kind, .. } => relation_kind(*kind, tongue).to_owned(),
        ItemName::SubjectField { language } => format!("{} ({language})", t("emneområde", "subject field")),
        ItemName::Facet => t("facet", "facet"),
        ItemName::Alias { system: None } => t("anden kode", "other code"),
        ItemName::Alias { system: Some(system) } => format!("{} ({system})", t("anden kode", "other code")),
        ItemName::Mapping { kind } => mapping_kind(*kind, tongue).to_owned(),
        ItemName::Statement { subject: None, predicate } => format!("{} {predicate}", t("udsagn", "statement")),
        ItemName::Statement { subject: Some(subject), predicate } => {
            format!("{} {subject} {predicate}", t("udsagn", "statement"))
        }
        ItemName::Rank => t("anden plads blandt sine søskende", "another place among its siblings"),
    }
}

fn term_status(status: TermStatus, tongue: Tongue) -> &'static str {
    let (da, en) = match status {
        TermStatus::Preferred => ("foretrukken term", "preferred term"),
        TermStatus::Admitted => ("accepteret term", "admitted term"),
        TermStatus::Deprecated => ("frarådet term", "deprecated term"),
        TermStatus::Hidden => ("søgeord", "search word"),
    };
    tongue.choose(da, en)
}

fn note_kind(kind: NoteKind, tongue: Tongue) -> &'static str {
    let (da, en) = match kind {
        NoteKind::Scope => ("omfang", "scope"),
        NoteKind::Example => ("eksempel", "example"),
        NoteKind::Application => ("anvendelse", "application"),
        NoteKind::History => ("historik", "history"),
        NoteKind::Editorial => ("redaktionel note", "editorial note"),
        NoteKind::Change => ("ændringsnotat", "change note"),
        NoteKind::General => ("kommentar", "comment"),
    };
    tongue.choose(da, en)
}

fn relation_kind(kind: RelationKind, tongue: Tongue) -> &'static str {
    let (da, en) = match kind {
        RelationKind::Generic => ("overbegreb", "broader concept"),
        RelationKind::Partitive => ("del af", "part of"),
        RelationKind::Associative => ("knyttet til", "associated with"),
        RelationKind::SeeAlso => ("se også", "see also"),
        RelationKind::LegalCombination => ("kan kombineres med", "may be combined with"),
        RelationKind::Replaces => ("erstatter", "replaces"),
    };
    tongue.choose(da, en)
}

fn mapping_kind(kind: MappingKind, tongue: Tongue) -> &'static str {
    let (da, en) = match kind {
        MappingKind::Exact => ("svarer præcis til", "exact match"),
        MappingKind::Close => ("svarer næsten til", "close match"),
        MappingKind::Broad => ("snævrere end", "broad match"),
        MappingKind::Narrow => ("bredere end", "narrow match"),
        MappingKind::Related => ("beslægtet med", "related match"),
    };
    tongue.choose(da, en)
}

fn detail_name(name: DetailName, tongue: Tongue) -> &'static str {
    let (da, en) = match name {
        DetailName::Source => ("kilde", "source"),
        DetailName::SourceRelation => ("forhold til kilden", "relation to the source"),
        DetailName::Form => ("form", "form"),
        DetailName::Reason => ("begrundelse", "reason"),
        DetailName::UseInstead => ("brug i stedet", "use instead"),
        DetailName::From => ("fra", "from"),
        DetailName::To => ("til", "until"),
        DetailName::Eli => ("ELI", "ELI"),
        DetailName::Criterion => ("inddelingskriterium", "criterion"),
        DetailName::Role => ("rolle", "role"),
    };
    tongue.choose(da, en)
}

// The values of these two are pieces of JSON and of pages in both languages: they are ISO's and the API's own words.

fn term_form(form: TermForm) -> &'static str {
    match form {
        TermForm::FullForm => "fullForm",
        TermForm::ShortForm => "shortForm",
        TermForm::Abbreviation => "abbreviation",
        TermForm::Acronym => "acronym",
        TermForm::Symbol => "symbol",
        TermForm::Variant => "variant",
    }
}

fn source_relation(relation: SourceRelation) -> &'static str {
    match relation {
        SourceRelation::Own => "own",
        SourceRelation::BasedOn => "basedOn",
        SourceRelation::Quoted => "quoted",
    }
}
