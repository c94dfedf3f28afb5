//! The map from one version of a vocabulary to another.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::check::instead;
use super::{Registry, View};
use crate::exchange::{Fate, Migration, MigrationEnd, MigrationLine, MigrationSide};
use crate::model::{ConceptChangeKind, Instant, Result, diff};
use crate::projection::Entry;

impl Registry {
    /// What each concept of one version, or of a day, is in another; `to` is today when absent. Who replaces whom is as
    /// known now, followed until somebody is in force there.
    ///
    /// # Errors
    /// [`crate::model::Code::UnknownVocabulary`], [`crate::model::Code::UnknownVersion`].
    pub fn migration(&self, slug: &str, from: &str, to: Option<&str>, language: &str) -> Result<Migration> {
        let plane = self.plane(slug)?;
        let before = self.edge(&plane, Some(from), Instant::FOREVER, "from")?;
        let after = self.edge(&plane, to, Instant::FOREVER, "to")?;
        let gone = before.edition.entries().filter(|e| after.edition.get(e.uuid()).is_none());
        let heirs: HashMap<Uuid, Vec<Uuid>> = gone
            .map(|e| {
                let all = instead(&plane, e.uuid(), after.at.valid, language).into_iter().map(|r| r.uuid);
                (e.uuid(), all.filter(|u| after.edition.get(*u).is_some()).collect())
            })
            .collect();
        let mut inherited: HashMap<Uuid, usize> = HashMap::new();
        for heir in heirs.values().flatten() {
            *inherited.entry(*heir).or_default() += 1;
        }
        let mut lines = Vec::with_capacity(before.edition.len());
        for entry in before.edition.entries() {
            let from = side(entry, language);
            lines.push(match after.edition.get(entry.uuid()) {
                Some(now) => {
                    let kinds = kinds(entry, now);
                    let redefined = kinds.contains(&ConceptChangeKind::Redefined);
                    let meaning = redefined.then(|| plane.meaning(entry.uuid(), before.at, after.at)).flatten();
                    MigrationLine { from, fate: kept(&kinds), kinds, meaning, to: vec![side(now, language)] }
                }
                None => {
                    let heirs = heirs.get(&entry.uuid()).map_or(&[][..], Vec::as_slice);
                    let (fate, kind) = match heirs {
                        [] => (Fate::Retired, ConceptChangeKind::Retired),
                        [one] if inherited[one] > 1 => (Fate::Merged, ConceptChangeKind::Merged),
                        [_] => (Fate::Replaced, ConceptChangeKind::Replaced),
                        _ => (Fate::Split, ConceptChangeKind::Split),
                    };
                    let to = heirs.iter().filter_map(|u| after.edition.get(*u)).map(|e| side(e, language)).collect();
                    MigrationLine { from, fate, kinds: vec![kind], meaning: None, to }
                }
            });
        }
        let mut counts = BTreeMap::new();
        for line in &lines {
            *counts.entry(line.fate).or_default() += 1;
        }
        let vocabulary = plane.vocabulary();
        let fields = vocabulary.fields();
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("from", from).extend_pairs(to.map(|to| ("to", to)));
        let root = self.settings().public_url.trim_end_matches('/');
        Ok(Migration {
            vocabulary: vocabulary.slug().clone(),
            namespace: fields.namespace.clone(),
            title: vocabulary.title(language).to_owned(),
            licence: fields.licence.clone(),
            address: format!("{root}/api/v1/vocabularies/{slug}/migration?{}", query.finish()),
            from: end(&before),
            to: end(&after),
            counts,
            lines,
        })
    }
}

fn side(entry: Entry<'_>, language: &str) -> MigrationSide {
    let said = entry.said();
    let code = said.notation.as_deref().map(ToOwned::to_owned);
    MigrationSide { uuid: entry.uuid(), code, label: said.label(language).to_owned() }
}

fn end(view: &View) -> MigrationEnd {
    let version = view.version.as_deref().map(|v| v.label.to_string());
    MigrationEnd { version, day: view.at.valid.date().map(|d| d.to_string()), concepts: view.edition.len() }
}

/// What happened to a concept that is on both sides.
fn kinds(before: Entry<'_>, after: Entry<'_>) -> Vec<ConceptChangeKind> {
    if before.said().digest == after.said().digest {
        return Vec::new();
    }
    let (b, a) = (before.said().content(), after.said().content());
    diff(&[(before.uuid(), Some(&b), Some(&a))]).pop().map(|change| change.kinds).unwrap_or_default()
}

fn kept(kinds: &[ConceptChangeKind]) -> Fate {
    let is = |kind| kinds.contains(&kind);
    if is(ConceptChangeKind::Redefined) {
        Fate::Redefined
    } else if is(ConceptChangeKind::Recoded) {
        Fate::Recoded
    } else if is(ConceptChangeKind::Renamed) {
        Fate::Renamed
    } else {
        Fate::Same
    }
}
