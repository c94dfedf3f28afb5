//! Where a search looks: the names of a filter, resolved or refused with what is allowed.

use std::sync::Arc;

use uuid::Uuid;

use super::answer::SearchFilter;
use crate::model::{Code, Kind, Language, Place, Point, Refusal, Result};
use crate::projection::search::{Search, Standing};
use crate::projection::{Found, Plane};
use crate::registry::answer::Status;
use crate::registry::query::{unknown_version, unknown_vocabulary};
use crate::registry::read::unknown_concept;
use crate::registry::{At, Registry};

/// Where a search looks: its filter, resolved.
pub(super) struct Where {
    pub(super) at: Point,
    pub(super) vocabularies: Vec<Uuid>,
    pub(super) standings: Vec<Standing>,
    pub(super) language: Option<String>,
    pub(super) mapping: Option<String>,
    /// The concept to stay below, by vocabulary.
    pub(super) under: Option<(Arc<Plane>, Uuid)>,
}

impl Registry {
    /// Resolves the names of a filter.
    pub(super) fn place(&self, search: &Search, filter: &SearchFilter, at: &At) -> Result<Where> {
        let snapshot = self.snapshot();
        let slugs: Vec<String> = snapshot.planes().iter().map(|p| p.vocabulary().slug().to_string()).collect();
        // A list with nothing in it is a mistake of the program that asks: it would find everything.
        let lists: [(_, _, Vec<&str>); 3] = [
            ("vocabulary", &filter.vocabulary, slugs.iter().map(String::as_str).collect()),
            ("kind", &filter.kind, KINDS.to_vec()),
            ("status", &filter.status, STATUSES.to_vec()),
        ];
        for (field, value, allowed) in lists {
            if let Some(value) = value.as_deref().filter(|value| list(Some(value)).next().is_none()) {
                return Err(unusable(field, value).allowed(allowed));
            }
        }
        let mut planes: Vec<Arc<Plane>> = Vec::new();
        for slug in list(filter.vocabulary.as_deref()) {
            let refuse = || unknown_vocabulary(slug).at(Place::field("vocabulary")).allowed(slugs.clone());
            planes.push(snapshot.by_slug(slug).cloned().ok_or_else(refuse)?);
        }
        let mut restricted = !planes.is_empty();
        let kinds = list(filter.kind.as_deref()).map(|name| one_of::<Kind>("kind", name, &KINDS));
        let kinds = kinds.collect::<Result<Vec<_>>>()?;
        if !kinds.is_empty() {
            if !restricted {
                planes = snapshot.planes().to_vec();
            }
            planes.retain(|p| kinds.contains(&p.vocabulary().fields().kind));
            restricted = true;
        }
        let standing = |name| Ok(standing(one_of::<Status>("status", name, &STATUSES)?));
        let mut standings = list(filter.status.as_deref()).map(standing).collect::<Result<Vec<_>>>()?;
        // Of what no concept can be, nothing is searched: a kind without a vocabulary, a version's retired concepts.
        let mut nothing = restricted && planes.is_empty();
        let point = match &at.version {
            None => self.point(at)?.0,
            Some(label) => {
                let [plane] = &planes[..] else { return Err(one_vocabulary("version")) };
                let known = plane.versions().iter().map(|v| v.label.to_string());
                let version = plane.version(label).ok_or_else(|| unknown_version(label, known))?;
                if at.date.is_some() || at.registered.is_some() {
                    // The refusal of both together is the view's.
                    self.view(plane.vocabulary().slug().as_str(), at)?;
                }
                if !standings.is_empty() && !standings.contains(&Standing::InForce) {
                    nothing = true;
                }
                standings = vec![Standing::InForce];
                version.point()
            }
        };
        let under = match &filter.under {
            None => None,
            Some(key) => {
                let [plane] = &planes[..] else { return Err(one_vocabulary("under")) };
                let view = self.projections.view(plane, point, false, false);
                match view.find(key) {
                    Found::Here(entry) => Some((plane.clone(), entry.uuid())),
                    _ => return Err(unknown_concept(&view, key).at(Place::field("under"))),
                }
            }
        };
        if let Some(facet) = &filter.facet {
            let searched = if restricted { &planes[..] } else { snapshot.planes() };
            let facets: Vec<&str> =
                searched.iter().flat_map(|p| &p.vocabulary().fields().facets).map(|f| &*f.code).collect();
            if !facets.contains(&facet.as_str()) {
                return Err(unusable("facet", facet).allowed(facets));
            }
        }
        if filter.level == Some(0) {
            return Err(unusable("level", "0").allowed(["1..1000"]));
        }
        let mapping = filter.mapping.as_ref().map(|to| match snapshot.by_slug(to) {
            Some(plane) => plane.vocabulary().fields().namespace.clone(),
            None => to.clone(),
        });
        if let Some(to) = &mapping
            && !to.contains(':')
        {
            let known = snapshot.planes().iter().map(|p| p.vocabulary().slug().to_string());
            return Err(unusable("mapping", to).allowed(known.chain(["an IRI".to_owned()])));
        }
        let vocabularies: Vec<Uuid> = match nothing {
            true => vec![Uuid::nil()],
            false => planes.iter().map(|p| p.vocabulary().uuid()).collect(),
        };
        let language = language_of(search, filter.language.as_deref())?;
        Ok(Where { at: point, vocabularies, standings, language, mapping, under })
    }
}

/// The names of statuses, as they are written in JSON.
const STATUSES: [&str; 3] = ["inForce", "future", "retired"];
/// The names of kinds.
const KINDS: [&str; 4] = ["terminology", "classification", "codeList", "legalBasis"];

pub(super) fn status(standing: Standing) -> Status {
    match standing {
        Standing::InForce => Status::InForce,
        Standing::Future => Status::Future,
        Standing::Retired => Status::Retired,
    }
}

fn standing(status: Status) -> Standing {
    match status {
        Status::InForce => Standing::InForce,
        Status::Future => Standing::Future,
        Status::Retired => Standing::Retired,
    }
}

pub(super) fn status_name(standing: Standing) -> &'static str {
    STATUSES[standing as usize]
}

/// The elements of a list with commas between.
fn list(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.into_iter().flat_map(|t| t.split(',')).map(str::trim).filter(|t| !t.is_empty())
}

fn one_of<T: serde::de::DeserializeOwned>(field: &'static str, name: &str, allowed: &[&str]) -> Result<T> {
    let read = serde_json::from_value(serde_json::Value::String(name.to_owned()));
    read.map_err(|_| unusable(field, name).allowed(allowed.iter().copied()))
}

fn language_of(search: &Search, language: Option<&str>) -> Result<Option<String>> {
    let Some(tag) = language else { return Ok(None) };
    let known = || search.languages().map(ToOwned::to_owned).collect::<Vec<_>>();
    let refuse = |r: Refusal| Refusal { allowed: known(), ..r }.at(Place::field("language"));
    let language: Language = tag.parse().map_err(refuse)?;
    let primary = language.primary();
    if !search.languages().any(|l| l == primary) {
        return Err(unusable("language", tag).allowed(known()));
    }
    Ok(Some(primary.to_owned()))
}

fn unusable(field: &'static str, value: &str) -> Refusal {
    let value: String = value.chars().take(80).collect();
    let (da, en) = (format!("{field} kan ikke være »{value}«"), format!("{field} cannot be '{value}'"));
    Refusal::new(Code::InvalidParameter, da, en).at(Place::field(field))
}

fn one_vocabulary(field: &'static str) -> Refusal {
    let (da, en) = (
        format!("{field} kræver, at der søges i netop ét ordforråd"),
        format!("{field} takes a search in just one vocabulary"),
    );
    Refusal::new(Code::InvalidParameter, da, en).at(Place::field(field)).allowed(["vocabulary=SLUG"])
}
