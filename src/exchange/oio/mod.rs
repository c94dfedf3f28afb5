//! OIO Klassifikation as the services of the field speak it over REST: klassifikation, facet and klasse as JSON, by the
//! conventions of the 2019 implementation (docs/oio.md).
//!
//! An [`Objekt`] has registreringer; each tells the whole object, every element of it with its own virkning. What a
//! concept says as a klasse is decided by [`super::oioxml`]'s view of it and by nothing else: [`part`] takes it from
//! there, and JSON and XML are written of the same objects. Pure: knows no store, no clock and no HTTP.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::{Instant, Period};

pub mod apply;
pub mod extras;
pub mod incoming;
mod json;
pub mod merge;
pub mod part;
pub mod schema;
pub mod time;

pub use super::oioxml::klasse::Reference;
/// The same objects in the answers of KOMBIT's operations, as XML.
pub use super::oioxml::operation as xml;

/// Who has registered what nobody signed in for: the uuid that the 2019 implementation gives the anonymous.
pub const ANONYMOUS: Uuid = Uuid::from_u128(0x42c4_32e8_9c4a_11e6_9f62_873c_f34a_735f);

/// The kinds of objects.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A classification system: a vocabulary.
    Klassifikation,
    /// A dimension of one: a facet of a vocabulary, or the one that stands for a vocabulary without any.
    Facet,
    /// A class: a concept.
    Klasse,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Klassifikation, Self::Facet, Self::Klasse];

    /// The kind of a name in an address.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }

    /// The name in addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Klassifikation => "klassifikation",
            Self::Facet => "facet",
            Self::Klasse => "klasse",
        }
    }

    /// The name in messages, and as an `objekttype`.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Klassifikation => "Klassifikation",
            Self::Facet => "Facet",
            Self::Klasse => "Klasse",
        }
    }

    /// The name of the group of attributes.
    #[must_use]
    pub fn egenskaber(self) -> &'static str {
        match self {
            Self::Klassifikation => "klassifikationegenskaber",
            Self::Facet => "facetegenskaber",
            Self::Klasse => "klasseegenskaber",
        }
    }

    /// The name of the state.
    #[must_use]
    pub fn publiceret(self) -> &'static str {
        match self {
            Self::Klassifikation => "klassifikationpubliceret",
            Self::Facet => "facetpubliceret",
            Self::Klasse => "klassepubliceret",
        }
    }

    /// The names of the attributes that are texts, in their order; the mandatory ones come first. A klasse has
    /// `soegeord` beside them.
    #[must_use]
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Klassifikation => &["brugervendtnoegle", "beskrivelse", "kaldenavn", "ophavsret", "integrationsdata"],
            Self::Facet => &[
                "brugervendtnoegle",
                "beskrivelse",
                "opbygning",
                "ophavsret",
                "plan",
                "supplement",
                "retskilde",
                "integrationsdata",
            ],
            Self::Klasse => &[
                "brugervendtnoegle",
                "titel",
                "beskrivelse",
                "eksempel",
                "omfang",
                "retskilde",
                "aendringsnotat",
                "integrationsdata",
            ],
        }
    }

    /// The names of the attributes that must be there.
    #[must_use]
    pub fn mandatory(self) -> &'static [&'static str] {
        match self {
            Self::Klassifikation | Self::Facet => &self.fields()[..1],
            Self::Klasse => &self.fields()[..2],
        }
    }

    /// The names of the relations of which there is at most one at a time.
    #[must_use]
    pub fn single(self) -> &'static [&'static str] {
        match self {
            Self::Klassifikation => &["ansvarlig", "ejer"],
            Self::Facet => &["ansvarlig", "ejer", "facettilhoerer"],
            Self::Klasse => &["ansvarlig", "ejer", "facet", "overordnetklasse"],
        }
    }

    /// The names of the relations of which there may be several.
    #[must_use]
    pub fn several(self) -> &'static [&'static str] {
        match self {
            Self::Klassifikation => &[],
            Self::Facet => &["redaktoerer"],
            Self::Klasse => {
                &["erstatter", "lovligekombinationer", "mapninger", "redaktoerer", "sideordnede", "tilfoejelser"]
            }
        }
    }

    /// The names of all relations.
    pub fn relations(self) -> impl Iterator<Item = &'static str> {
        self.single().iter().chain(self.several()).copied()
    }
}

/// What happened to an object at a registrering.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Livscykluskode {
    /// It came to be here.
    Opstaaet,
    /// It came from elsewhere, or came again.
    Importeret,
    /// Something else is said of it.
    Rettet,
    /// It is no longer kept up.
    Passiveret,
    /// Nothing is said of it any longer.
    Slettet,
}

impl Livscykluskode {
    /// Every code.
    pub const ALL: [Self; 5] = [Self::Opstaaet, Self::Importeret, Self::Rettet, Self::Passiveret, Self::Slettet];

    /// The code as it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Opstaaet => "Opstaaet",
            Self::Importeret => "Importeret",
            Self::Rettet => "Rettet",
            Self::Passiveret => "Passiveret",
            Self::Slettet => "Slettet",
        }
    }
}

/// Whether an object is published, in the order in which running servers show them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the standard's own")]
pub enum Publiceret {
    Publiceret,
    IkkePubliceret,
}

impl Publiceret {
    /// Every state.
    pub const ALL: [Self; 2] = [Self::Publiceret, Self::IkkePubliceret];

    /// The state as it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Publiceret => "Publiceret",
            Self::IkkePubliceret => "IkkePubliceret",
        }
    }
}

/// What asserts something.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the standard's own")]
pub enum Aktoertype {
    Organisation,
    OrganisationEnhed,
    OrganisationFunktion,
    Bruger,
    ItSystem,
    Interessefaellesskab,
}

impl Aktoertype {
    /// Every type.
    pub const ALL: [Self; 6] = [
        Self::Organisation,
        Self::OrganisationEnhed,
        Self::OrganisationFunktion,
        Self::Bruger,
        Self::ItSystem,
        Self::Interessefaellesskab,
    ];

    /// The type as it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Organisation => "Organisation",
            Self::OrganisationEnhed => "OrganisationEnhed",
            Self::OrganisationFunktion => "OrganisationFunktion",
            Self::Bruger => "Bruger",
            Self::ItSystem => "ItSystem",
            Self::Interessefaellesskab => "Interessefaellesskab",
        }
    }
}

/// When something holds, and who says so.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Virkning {
    /// The period; half-open, never empty.
    pub period: Period,
    /// Who asserts it.
    pub aktoerref: Option<Uuid>,
    /// What that is.
    pub aktoertypekode: Option<Aktoertype>,
    /// A note on it.
    pub notetekst: Option<String>,
}

impl From<Period> for Virkning {
    fn from(period: Period) -> Self {
        Self { period, aktoerref: None, aktoertypekode: None, notetekst: None }
    }
}

/// An index word of a klasse.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Soegeord {
    /// The word.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub soegeordidentifikator: String,
    /// What it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub beskrivelse: String,
    /// Its category.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub soegeordskategori: String,
}

/// Attributes over a period.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Egenskab {
    /// The texts, by the names of [`Kind::fields`]; none is empty.
    pub fields: BTreeMap<&'static str, String>,
    /// The index words, sorted; only of a klasse.
    pub soegeord: Vec<Soegeord>,
    /// When they hold.
    pub virkning: Virkning,
}

/// The state over a period.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Tilstand {
    /// The state.
    pub publiceret: Publiceret,
    /// When it holds.
    pub virkning: Virkning,
}

/// A relation over a period.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Relation {
    /// The target.
    pub til: Reference,
    /// What the target is.
    pub objekttype: Option<String>,
    /// When it holds.
    pub virkning: Virkning,
}

/// What a registrering says of an object.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Indhold {
    /// The attributes; no two overlap.
    pub attributter: Vec<Egenskab>,
    /// The states; no two overlap.
    pub tilstande: Vec<Tilstand>,
    /// The relations, by the names of [`Kind::relations`]; of those of [`Kind::single`] no two overlap.
    pub relationer: BTreeMap<&'static str, Vec<Relation>>,
}

/// What the registry said of an object over a period of registered time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registrering {
    /// When it said so; open while it still does.
    pub registered: Period,
    /// What happened.
    pub livscykluskode: Livscykluskode,
    /// Who did it: an account, else [`ANONYMOUS`].
    pub brugerref: Uuid,
    /// Why.
    pub note: Option<String>,
    /// What is said.
    pub indhold: Indhold,
}

/// An object with some of its registreringer, newest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Objekt {
    /// Its kind.
    pub kind: Kind,
    /// Its uuid.
    pub uuid: Uuid,
    /// The registreringer.
    pub registreringer: Vec<Registrering>,
}

impl Indhold {
    /// In the order in which running servers show elements: attributes by value, states by value, relations by
    /// target, then by virkning.
    pub fn sort(&mut self, kind: Kind) {
        for egenskab in &mut self.attributter {
            egenskab.soegeord.sort();
            egenskab.soegeord.dedup();
        }
        let value = |e: &Egenskab| kind.fields().iter().map(|f| e.fields.get(f).cloned()).collect::<Vec<_>>();
        self.attributter.sort_by_cached_key(|e| (value(e), e.virkning.clone()));
        self.tilstande.sort();
        self.relationer.values_mut().for_each(|list| list.sort());
        self.relationer.retain(|_, list| !list.is_empty());
    }

    /// Only what holds at some time of a period.
    #[must_use]
    pub fn within(mut self, period: Period) -> Self {
        self.attributter.retain(|e| e.virkning.period.overlaps(period));
        self.tilstande.retain(|t| t.virkning.period.overlaps(period));
        self.relationer.values_mut().for_each(|list| list.retain(|r| r.virkning.period.overlaps(period)));
        self.relationer.retain(|_, list| !list.is_empty());
        self
    }

    /// Neighbours in time that say the same, as one (`konsolider`).
    #[must_use]
    pub fn consolidated(mut self) -> Self {
        self.attributter = joined(self.attributter);
        self.tilstande = joined(self.tilstande);
        for list in self.relationer.values_mut() {
            *list = joined(std::mem::take(list));
        }
        self
    }
}

/// What holds over a period: attributes, a state, a relation.
pub trait Element: Sized {
    /// When it holds.
    fn virkning(&self) -> &Virkning;

    /// The same over another period.
    #[must_use]
    fn over(self, virkning: Virkning) -> Self;

    /// Whether both say the same, whenever they hold.
    fn says_as(&self, other: &Self) -> bool;
}

impl Element for Egenskab {
    fn virkning(&self) -> &Virkning {
        &self.virkning
    }

    fn over(self, virkning: Virkning) -> Self {
        Self { virkning, ..self }
    }

    fn says_as(&self, other: &Self) -> bool {
        self.fields == other.fields && self.soegeord == other.soegeord
    }
}

impl Element for Tilstand {
    fn virkning(&self) -> &Virkning {
        &self.virkning
    }

    fn over(self, virkning: Virkning) -> Self {
        Self { virkning, ..self }
    }

    fn says_as(&self, other: &Self) -> bool {
        self.publiceret == other.publiceret
    }
}

impl Element for Relation {
    fn virkning(&self) -> &Virkning {
        &self.virkning
    }

    fn over(self, virkning: Virkning) -> Self {
        Self { virkning, ..self }
    }

    fn says_as(&self, other: &Self) -> bool {
        self.til == other.til && self.objekttype == other.objekttype
    }
}

/// Elements that say the same over periods that meet, asserted by the same, as one element.
fn joined<E: Element>(mut all: Vec<E>) -> Vec<E> {
    all.sort_by_key(|e| e.virkning().period);
    let mut out: Vec<E> = Vec::with_capacity(all.len());
    for element in all {
        let (virkning, period) = (element.virkning(), element.virkning().period);
        let meets = |e: &E| e.virkning().period.to() >= period.from() && e.says_as(&element);
        let same_hand = |e: &E| Virkning { period, ..e.virkning().clone() } == *virkning;
        let Some(i) = out.iter().rposition(|e| meets(e) && same_hand(e)) else {
            out.push(element);
            continue;
        };
        let known = out.swap_remove(i);
        let whole = Period::between(known.virkning().period.from(), known.virkning().period.to().max(period.to()));
        let virkning = Virkning { period: whole.unwrap_or(period), ..virkning.clone() };
        out.push(known.over(virkning));
    }
    out.sort_by_key(|e| e.virkning().period);
    out
}

impl Registrering {
    /// When it was registered.
    #[must_use]
    pub fn at(&self) -> Instant {
        self.registered.from()
    }
}

impl std::ops::AddAssign for Indhold {
    fn add_assign(&mut self, other: Self) {
        self.attributter.extend(other.attributter);
        self.tilstande.extend(other.tilstande);
        for (name, list) in other.relationer {
            self.relationer.entry(name).or_default().extend(list);
        }
    }
}
