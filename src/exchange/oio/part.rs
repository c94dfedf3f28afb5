//! What the registry's own objects say as OIO's, over a period.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Egenskab, Indhold, Kind, Publiceret, Reference, Relation, Soegeord, Tilstand};
use crate::exchange::oioxml::facets::{Facets, told};
use crate::exchange::oioxml::klasse::{self, IndexWord, Klasse};
use crate::model::{Alias, ContentFields, Instant, OioObject, Period, Text, Vocabulary};

/// The categories of the index words that are made of terms.
pub const CATEGORIES: [&str; 4] = klasse::CATEGORIES;

/// What is said of an object at one time, without the times.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Part {
    fields: BTreeMap<&'static str, String>,
    soegeord: Vec<Soegeord>,
    /// The relations: name, target and what that is.
    relationer: Vec<(&'static str, Reference, &'static str)>,
}

impl Part {
    fn over(self, period: Period) -> Indhold {
        let mut indhold = Indhold::default();
        indhold.attributter.push(Egenskab { fields: self.fields, soegeord: self.soegeord, virkning: period.into() });
        for (name, til, objekttype) in self.relationer {
            let objekttype = Some(objekttype.to_owned());
            indhold.relationer.entry(name).or_default().push(Relation { til, objekttype, virkning: period.into() });
        }
        indhold
    }
}

/// A vocabulary as OIO sees it: the klassifikation, its facets, and what they give to every klasse.
#[derive(Clone, Debug)]
pub struct Framed {
    klassifikation: Uuid,
    owner: Option<Reference>,
    facets: Facets,
    is_deleted: bool,
    parts: Vec<(Kind, Uuid, Part)>,
    /// What was written by OIO itself, with its periods.
    written: Vec<(Kind, Uuid, Indhold)>,
}

impl Framed {
    /// A vocabulary.
    #[must_use]
    pub fn of(vocabulary: &Vocabulary) -> Self {
        let f = vocabulary.fields();
        let owner = f.owner.as_deref().and_then(Reference::to_organisation);
        let facets = Facets::of(vocabulary);
        let (is_deleted, parts, written) = (vocabulary.is_deleted(), Vec::new(), Vec::new());
        let mut framed = Self { klassifikation: f.uuid, owner, facets, is_deleted, parts, written };
        let written =
            |kind, uuid, oio: &Option<OioObject>| Some((kind, uuid, super::extras::indhold(kind, oio.as_ref()?)));
        framed.written.extend(written(Kind::Klassifikation, f.uuid, &f.oio));
        framed.written.extend(f.facets.iter().filter_map(|facet| written(Kind::Facet, facet.uuid, &facet.oio)));
        let mut part = Self::part([
            ("brugervendtnoegle", Some(f.slug.to_string())),
            ("beskrivelse", Text::choose(&f.descriptions, "da").map(ToOwned::to_owned)),
            ("kaldenavn", Some(vocabulary.title("da").to_owned())),
            ("ophavsret", f.licence.clone()),
            ("integrationsdata", foreign("identifiers", &f.identifiers)),
        ]);
        framed.owned(&mut part);
        framed.parts.push((Kind::Klassifikation, f.uuid, part));
        for facet in told(f) {
            let title = Text::choose(&facet.titles, "da").map(ToOwned::to_owned);
            let mut part = Self::part([("brugervendtnoegle", Some(facet.code.clone())), ("beskrivelse", title)]);
            framed.owned(&mut part);
            let target = Reference::Uuid(f.uuid);
            part.relationer.push(("facettilhoerer", target, Kind::Klassifikation.title()));
            framed.parts.push((Kind::Facet, facet.uuid, part));
        }
        framed
    }

    /// The uuid of the klassifikation.
    #[must_use]
    pub fn klassifikation(&self) -> Uuid {
        self.klassifikation
    }

    /// The klassifikation and the facets.
    pub fn objects(&self) -> impl Iterator<Item = (Kind, Uuid)> {
        self.parts.iter().map(|(kind, uuid, _)| (*kind, *uuid))
    }

    /// What is said of the klassifikation or of a facet. The frame of a vocabulary has no valid time: what it says
    /// holds always. It is published from the day on which its first version takes effect.
    #[must_use]
    pub fn object(&self, kind: Kind, uuid: Uuid, published: Option<Instant>) -> Option<Indhold> {
        if let Some((.., written)) = self.written.iter().find(|(k, u, _)| (*k, *u) == (kind, uuid)) {
            return Some(written.clone());
        }
        let (.., part) = self.parts.iter().find(|(k, u, _)| (*k, *u) == (kind, uuid))?;
        let mut indhold = part.clone().over(Period::ALWAYS);
        let published = published.unwrap_or(Instant::FOREVER);
        let before = Period::between(Instant::BEGINNING, published).map(|p| (Publiceret::IkkePubliceret, p));
        let after = Period::between(published, Instant::FOREVER).map(|p| (Publiceret::Publiceret, p));
        let state = |(publiceret, period): (_, Period)| Tilstand { publiceret, virkning: period.into() };
        indhold.tilstande = before.into_iter().chain(after).map(state).collect();
        Some(indhold)
    }

    /// The code of a facet, also of a deleted one: nothing inside for the one that stands for a vocabulary without any,
    /// nothing at all where there never was such a facet.
    #[must_use]
    pub fn facet_code(&self, uuid: Uuid) -> Option<Option<&str>> {
        if self.facets.stand_in == Some(uuid) { Some(None) } else { self.facets.code(uuid).map(Some) }
    }

    /// The codes of the klasser that are in a facet, an empty one for those without; nothing when it may be any.
    #[must_use]
    pub fn codes_in(&self, facet: Uuid) -> Option<Vec<&str>> {
        self.facets.codes_in(facet)
    }

    /// Whether there is such a facet: klasser may be put into it.
    #[must_use]
    pub fn has_facet(&self, uuid: Uuid) -> bool {
        self.facets.has(uuid)
    }

    /// Whether the klassifikation was deleted.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.is_deleted
    }

    /// Who owns it, and everything in it.
    #[must_use]
    pub fn owner(&self) -> Option<&Reference> {
        self.owner.as_ref()
    }

    /// The uuid of the facet that a klasse with this code belongs to.
    #[must_use]
    pub fn facet(&self, code: Option<&str>) -> Option<Uuid> {
        self.facets.uuid(code)
    }

    /// Whether every klasse gets the same from both: the owner, and the uuids of facets.
    #[must_use]
    pub fn gives_as(&self, other: &Self) -> bool {
        self.owner == other.owner && self.facets == other.facets
    }

    /// What a concept says as a klasse, over the period in which its content holds: then it is published.
    #[must_use]
    pub fn klasse(&self, uuid: Uuid, content: &ContentFields, period: Period) -> Indhold {
        let k = Klasse::of(uuid, content, &self.facets);
        let aliases: Vec<&str> = content.aliases.iter().map(|a: &Alias| a.value.as_str()).collect();
        let mut part = Self::part([
            ("brugervendtnoegle", Some(k.key)),
            ("titel", k.title),
            ("beskrivelse", k.description),
            ("eksempel", k.example),
            ("omfang", k.scope),
            ("retskilde", k.legal_source),
            ("aendringsnotat", k.change_note),
            ("integrationsdata", foreign("aliases", &aliases)),
        ]);
        part.soegeord = k.index_words.into_iter().map(soegeord).collect();
        self.owned(&mut part);
        let relations = [
            ("erstatter", k.replaces, Kind::Klasse),
            ("facet", k.facet.into_iter().collect(), Kind::Facet),
            ("lovligekombinationer", k.combinations, Kind::Klasse),
            ("mapninger", k.mappings, Kind::Klasse),
            ("overordnetklasse", k.parent.into_iter().collect(), Kind::Klasse),
            ("sideordnede", k.see_also, Kind::Klasse),
        ];
        for (name, targets, kind) in relations {
            part.relationer.extend(targets.into_iter().map(|target| (name, target, kind.title())));
        }
        let mut indhold = part.over(period);
        indhold.tilstande.push(Tilstand { publiceret: Publiceret::Publiceret, virkning: period.into() });
        super::extras::overlay(&mut indhold, content, period);
        indhold
    }

    fn part<const N: usize>(fields: [(&'static str, Option<String>); N]) -> Part {
        let fields = fields.into_iter().filter_map(|(name, text)| Some((name, text.filter(|t| !t.is_empty())?)));
        Part { fields: fields.collect(), ..Part::default() }
    }

    /// The owner, who is responsible too: the registry knows only one.
    fn owned(&self, part: &mut Part) {
        for name in ["ansvarlig", "ejer"] {
            part.relationer.extend(self.owner.clone().map(|owner| (name, owner, "Organisation")));
        }
    }
}

pub(super) fn soegeord(word: IndexWord) -> Soegeord {
    Soegeord {
        soegeordidentifikator: word.identifier,
        beskrivelse: word.description.unwrap_or_default(),
        soegeordskategori: word.category.unwrap_or_default(),
    }
}

/// What others call it, as `integrationsdata`: a JSON object of one list.
fn foreign<T: serde::Serialize>(name: &str, names: &[T]) -> Option<String> {
    (!names.is_empty()).then(|| serde_json::json!({ name: names }).to_string())
}
