//! What becomes of codes: in force, retired, going to be, changed ahead, or never there. Pure, over the planes: a file on
//! somebody's disk and a code set of the registry are looked at alike.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::answer::Reference;
use super::query::unknown_vocabulary;
use super::read::named;
use super::{At, Registry, View};
use crate::exchange::ListedCode;
use crate::model::{
    Code, ConceptChange, ConceptChangeKind, FieldChange, Instant, Label, Meaning, Place, Point, Refusal, Result, Side,
    Slug, today_in_denmark,
};
use crate::projection::{Plane, Said, Saying};

/// The farthest that can be looked ahead, in days.
const FARTHEST: i64 = 36_525;

/// For how many codes that never existed near ones are looked for.
const NEAR_FOR: usize = 100;

/// The most near codes of one. A kind of slip that leads to more says nothing: any sibling may have been meant.
const NEAR_MOST: usize = 3;

/// The shortest code of which another with one sign more, less or otherwise is near, in characters: of a shorter one too
/// much is another.
const SLIP_SHORTEST: usize = 3;

/// The longest code for which near ones are looked for, in characters.
const NEAR_LONGEST: usize = 40;

/// How codes are checked.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CheckRequest {
    /// The day on which the codes are used (`YYYY-MM-DD`); today when absent.
    #[param(example = "2024-10-31")]
    pub on: Option<String>,
    /// How many days are looked ahead from there; as far as anything is decided when absent.
    pub horizon: Option<i64>,
    /// The vocabulary of codes that name none: slug, uuid, IRI, OID or FHIR url.
    #[param(example = "fsiii")]
    pub vocabulary: Option<String>,
}

/// What becomes of a code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum CodeVerdict {
    /// It may be used, and nothing is decided that changes it.
    InForce,
    /// It may be used, and nothing is decided that changes it; but its concept is no longer kept up.
    Passive,
    /// It may be used, also later; but the concept is renamed, redefined, moved or otherwise changed ahead.
    Changing,
    /// It may be used until its concept is retired, which is decided.
    WillBeRetired,
    /// It may be used until its concept gets another code, which is decided.
    WillBeRecoded,
    /// Its concept comes into force later.
    Future,
    /// Its concept has another code by now.
    OtherCode,
    /// Its concept is no longer in force.
    Retired,
    /// No concept was ever called so; see `near`.
    NeverExisted,
    /// Several vocabularies have such a code, and none is named; see `near`.
    Ambiguous,
    /// There is no such vocabulary.
    UnknownVocabulary,
}

impl CodeVerdict {
    /// Whether something must be done about the code.
    #[must_use]
    pub fn is_trouble(self) -> bool {
        !matches!(self, Self::InForce | Self::Passive | Self::Changing)
    }
}

/// A concept named beside a code, with its vocabulary.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct NearCode {
    /// The vocabulary.
    #[schema(value_type = String)]
    pub vocabulary: Slug,
    /// The concept.
    #[serde(flatten)]
    pub concept: Reference,
}

/// A change that takes effect on a day.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComingChange {
    /// From when it is in force (UTC midnight of a Danish day).
    #[schema(value_type = String)]
    pub on: Instant,
    /// When it was registered.
    #[schema(value_type = String)]
    pub decided: Instant,
    /// The version that it came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub version: Option<Label>,
    /// What happens.
    pub kinds: Vec<ConceptChangeKind>,
    /// Of one that is redefined: whether it means something else, as those said who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<Meaning>,
    /// How the concept was called until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Side>,
    /// How it is called from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Side>,
    /// What replaces it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaced_by: Vec<Reference>,
}

/// What came of one code.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckedCode {
    /// The code as it was given.
    #[serde(flatten)]
    pub given: ListedCode,
    /// What becomes of it.
    pub verdict: CodeVerdict,
    /// The vocabulary that it is a code of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub vocabulary: Option<Slug>,
    /// The concept: as it is called on the day, or as it was called last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concept: Option<Reference>,
    /// Since when it is retired or called otherwise; from when it comes into force.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub since: Option<Instant>,
    /// Since when its concept is passive: nobody keeps it up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub passivated: Option<Instant>,
    /// What to use instead of a code that may not be used, or may not be used any longer from the day in `ahead`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaced_by: Vec<Reference>,
    /// What is decided and takes effect after the day.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ahead: Vec<ComingChange>,
    /// Codes that may have been meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<NearCode>,
}

/// What came of a list of codes.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct CheckReport {
    /// The day on which they are used.
    #[schema(value_type = String)]
    pub on: Instant,
    /// Until when was looked ahead; absent when as far as anything is decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub until: Option<Instant>,
    /// Whether nothing must be done about any of them.
    pub ok: bool,
    /// How many there are of each verdict.
    pub counts: BTreeMap<CodeVerdict, u64>,
    /// The codes, in the order given.
    pub codes: Vec<CheckedCode>,
}

/// What a code names.
pub(super) enum Leads<'p> {
    /// A concept, now or once.
    To(&'p Arc<Plane>, Uuid),
    /// Concepts of several vocabularies.
    Several(Vec<(&'p Arc<Plane>, Uuid)>),
    /// Nothing, in the one vocabulary that was asked or in all.
    Nowhere(Option<&'p Arc<Plane>>),
    /// There is no such vocabulary.
    NoVocabulary,
}

/// What a code leads to: of the one vocabulary, or of all. Who may be meant is decided by the day.
pub(super) fn leads<'p>(planes: &'p [Arc<Plane>], system: Option<&str>, code: &str, on: Instant) -> Leads<'p> {
    if let Some(system) = system {
        let Some(plane) = planes.iter().find(|p| p.vocabulary().is_called(system)) else { return Leads::NoVocabulary };
        return found(plane, code, on).map_or(Leads::Nowhere(Some(plane)), |uuid| Leads::To(plane, uuid));
    }
    let mut all: Vec<_> = planes.iter().filter_map(|p| Some((p, found(p, code, on)?))).collect();
    match (all.pop(), all.is_empty()) {
        (None, _) => Leads::Nowhere(None),
        (Some((plane, uuid)), true) => Leads::To(plane, uuid),
        (Some(last), false) => {
            all.push(last);
            Leads::Several(all)
        }
    }
}

/// The concept of a vocabulary that a code, an IRI or a uuid names: before all others the one that is called so on the
/// day, then the one that was called so last.
fn found(plane: &Plane, code: &str, on: Instant) -> Option<Uuid> {
    let namespace = plane.vocabulary().fields().namespace.as_str();
    let key = code.strip_prefix(namespace).or_else(|| code.strip_prefix("urn:uuid:")).unwrap_or(code);
    if let Some(uuid) = Uuid::try_parse(key).ok().filter(|u| !plane.sayings(*u).is_empty()) {
        return Some(uuid);
    }
    let candidates = match plane.called(key) {
        [] => plane.called(code),
        some => some,
    };
    candidates.iter().copied().max_by_key(|uuid| {
        let here = plane.says(*uuid, known(on));
        let own = here.is_some_and(|s| s.notation.as_deref() == Some(key));
        let alias = here.is_some_and(|s| s.is_called(key));
        let last = plane.nearest(*uuid, known(on)).map(|s| s.state.valid().from());
        (own, alias, here.is_some(), last, std::cmp::Reverse(*uuid))
    })
}

fn known(valid: Instant) -> Point {
    Point { valid, registered: Instant::FOREVER }
}

/// A day on which a concept becomes otherwise, and when that was registered last.
pub(super) struct Turn {
    pub(super) on: Instant,
    pub(super) decided: Instant,
}

/// The days after one and up to another on which a concept may become otherwise, as known now; in order.
pub(super) fn turns(plane: &Plane, concept: Uuid, after: Instant, until: Instant) -> Vec<Turn> {
    let sayings = plane.sayings(concept);
    let edges = |s: &Saying| [s.state.valid().from(), s.state.valid().to()];
    let days: BTreeSet<Instant> = sayings.iter().filter(|s| s.state.is_current()).flat_map(|s| edges(s)).collect();
    let days = days.into_iter().filter(|day| day.is_finite() && *day > after && *day <= until);
    days.map(|on| Turn { on, decided: decided(plane, concept, on) }).collect()
}

/// Since when it is said that a concept reads on a day, and before it, as it does now: what was closed and said again in
/// the same words was not decided again.
fn decided(plane: &Plane, concept: Uuid, on: Instant) -> Instant {
    let eve = Instant::from_micros(on.micros().saturating_sub(1));
    let reads = |registered| {
        let at = |valid| plane.says(concept, Point { valid, registered }).map(|said| said.digest);
        (at(eve), at(on))
    };
    let now = reads(Instant::FOREVER);
    let said: BTreeSet<Instant> = plane.sayings(concept).iter().map(|s| s.state.registered().from()).collect();
    said.into_iter().rev().take_while(|at| reads(*at) == now).last().unwrap_or(Instant::FOREVER)
}

/// What happens to a concept on such a day; nothing when it only stands elsewhere among its siblings, only replaces
/// another from then on, or reads the same.
pub(super) fn coming(plane: &Plane, concept: Uuid, turn: &Turn, language: &str) -> Option<ComingChange> {
    let change = plane.changed_on(concept, turn.on)?;
    // What it takes over is for those to know who use what it takes it over from.
    if change.kinds.iter().all(|k| *k == ConceptChangeKind::Reordered) || change.only_replaces().is_some() {
        return None;
    }
    let ConceptChange { kinds, meaning, before, after, .. } = change;
    let version = plane.versions().iter().find(|v| v.registered == turn.decided).map(|v| v.label.clone());
    let replaced_by = if after.is_none() { instead(plane, concept, turn.on, language) } else { Vec::new() };
    Some(ComingChange { on: turn.on, decided: turn.decided, version, kinds, meaning, before, after, replaced_by })
}

impl Registry {
    /// What happens to the definitions of a concept on a day, as known now; nothing when they stay as they are.
    #[must_use]
    pub fn redefined_on(&self, slug: &str, concept: Uuid, day: Instant) -> Option<FieldChange> {
        let change = self.plane(slug).ok()?.changed_on(concept, day)?;
        change.fields.into_iter().find(|field| field.field == "definitions")
    }
}

/// That a concept is no longer kept up, as something that happened on the day when it was said.
pub(super) fn passivation(plane: &Plane, concept: Uuid) -> Option<(Turn, ComingChange)> {
    let decided = plane.passive_since(concept)?;
    let on = Instant::from_date(today_in_denmark(decided));
    let said = plane.nearest(concept, known(on))?.state.content();
    let name = Side { notation: said.notation.as_deref().map(Into::into), label: said.label("da").into() };
    let change = ComingChange {
        on,
        decided,
        version: None,
        kinds: vec![ConceptChangeKind::Passivated],
        meaning: None,
        before: Some(name.clone()),
        after: Some(name),
        replaced_by: Vec::new(),
    };
    Some((Turn { on, decided }, change))
}

/// What to use instead of a concept that is not in force on a day: those who replace it, and where one of them is not
/// in force either, those who replace that one.
pub(super) fn instead(plane: &Plane, concept: Uuid, on: Instant, language: &str) -> Vec<Reference> {
    let (mut seen, mut found) = (BTreeSet::from([concept]), Vec::new());
    let mut next: Vec<Uuid> = plane.replaced_by(concept).to_vec();
    while let Some(uuid) = next.pop() {
        // What replaces so many is no answer any more.
        if !seen.insert(uuid) || seen.len() > 100 {
            continue;
        }
        let on_from_it = plane.replaced_by(uuid);
        if plane.says(uuid, known(on)).is_some() || on_from_it.is_empty() {
            found.extend(plane.nearest(uuid, known(on)).map(|s| named(s, language)));
        } else {
            next.extend(on_from_it);
        }
    }
    found.sort_by(|a, b| (&a.notation, a.uuid).cmp(&(&b.notation, b.uuid)));
    found
}

/// Whether a concept that reads so may be named by what was given: its code now, or what names it for ever.
fn answers_to(said: &Said, given: &str, concept: Uuid, namespace: &str) -> bool {
    let key = given.strip_prefix(namespace).or_else(|| given.strip_prefix("urn:uuid:")).unwrap_or(given);
    said.is_called(key) || said.is_called(given) || Uuid::try_parse(key).is_ok_and(|u| u == concept)
}

/// What becomes of a code that names a concept: on a day, and until another.
pub(super) fn judged(
    plane: &Plane,
    concept: Uuid,
    given: ListedCode,
    on: Instant,
    until: Instant,
    language: &str,
) -> CheckedCode {
    let namespace = plane.vocabulary().fields().namespace.as_str();
    let called = |said: &Said| answers_to(said, &given.code, concept, namespace);
    let ahead: Vec<ComingChange> =
        turns(plane, concept, on, until).iter().filter_map(|turn| coming(plane, concept, turn, language)).collect();
    let current = || plane.sayings(concept).iter().filter(|s| s.state.is_current());
    let (mut since, mut replaced_by) = (None, Vec::new());
    let passivated = plane.passive_since(concept).filter(|_| plane.says(concept, known(on)).is_some());
    let verdict;
    let mut shown = plane.nearest(concept, known(on)).map(|s| named(s, language));
    match plane.says(concept, known(on)) {
        Some(said) if called(said) => {
            let gone = ahead.iter().find(|c| c.after.is_none());
            let other = ahead.iter().find(|c| plane.says(concept, known(c.on)).is_some_and(|s| !called(s)));
            verdict = match (gone, other) {
                (Some(gone), other) if other.is_none_or(|o| gone.on < o.on) => {
                    replaced_by.clone_from(&gone.replaced_by);
                    CodeVerdict::WillBeRetired
                }
                (_, Some(other)) => {
                    let then = plane.sayings(concept).iter().find(|s| s.state.covers(known(other.on)));
                    replaced_by.extend(then.map(|s| named(s, language)));
                    CodeVerdict::WillBeRecoded
                }
                _ if ahead.is_empty() && passivated.is_some() => CodeVerdict::Passive,
                _ if ahead.is_empty() => CodeVerdict::InForce,
                _ => CodeVerdict::Changing,
            };
        }
        Some(_) => {
            verdict = CodeVerdict::OtherCode;
            since = current().filter(|s| called(s.state.content())).map(|s| s.state.valid().to()).max();
            since = since.filter(|t| *t <= on);
            replaced_by.extend(shown.clone());
        }
        None => {
            let ended = current().map(|s| s.state.valid().to()).filter(|to| *to <= on).max();
            let begins = current().map(|s| s.state.valid().from()).filter(|from| *from > on).min();
            match (ended, begins) {
                (None, Some(from)) => (verdict, since) = (CodeVerdict::Future, Some(from)),
                (ended, _) => {
                    (verdict, since) = (CodeVerdict::Retired, ended);
                    replaced_by = instead(plane, concept, on, language);
                }
            }
            // What is no longer said of any time was called something once.
            shown = shown.or_else(|| plane.sayings(concept).last().map(|s| named(s, language)));
        }
    }
    let vocabulary = Some(plane.vocabulary().slug().clone());
    let (concept, near) = (shown, Vec::new());
    CheckedCode { given, verdict, vocabulary, concept, since, passivated, replaced_by, ahead, near }
}

/// Checks codes. Codes that name no vocabulary are of `usual`, or of whichever vocabulary has them.
pub(super) fn check(
    planes: &[Arc<Plane>],
    codes: &[ListedCode],
    usual: Option<&str>,
    on: Instant,
    until: Instant,
    language: &str,
) -> Vec<CheckedCode> {
    let mut checked: Vec<CheckedCode> = Vec::with_capacity(codes.len());
    // What a system writes out has the same code many times over.
    let mut seen: HashMap<(Option<&str>, &str), usize> = HashMap::new();
    for given in codes {
        match seen.entry((given.system.as_deref(), &given.code)) {
            Entry::Occupied(there) => {
                let same = CheckedCode { given: given.clone(), ..checked[*there.get()].clone() };
                checked.push(same);
                continue;
            }
            Entry::Vacant(new) => drop(new.insert(checked.len())),
        }
        // An IRI says itself where it belongs.
        let system = given.system.as_deref().or(usual.filter(|_| !given.code.contains("://")));
        let nothing = |verdict, vocabulary, near| CheckedCode {
            given: given.clone(),
            verdict,
            vocabulary,
            concept: None,
            since: None,
            passivated: None,
            replaced_by: Vec::new(),
            ahead: Vec::new(),
            near,
        };
        checked.push(match leads(planes, system, &given.code, on) {
            Leads::To(plane, concept) => judged(plane, concept, given.clone(), on, until, language),
            Leads::Several(all) => {
                let named = all.iter().filter_map(|(p, u)| near_code(p, *u, on, language));
                nothing(CodeVerdict::Ambiguous, None, named.collect())
            }
            Leads::Nowhere(plane) => {
                let slug = plane.map(|p| p.vocabulary().slug().clone());
                nothing(CodeVerdict::NeverExisted, slug, Vec::new())
            }
            Leads::NoVocabulary => nothing(CodeVerdict::UnknownVocabulary, None, Vec::new()),
        });
    }
    with_near(planes, checked, on, language)
}

/// The codes with those that may have been meant by what never existed: of the same vocabulary. Where none is named, it is
/// one of those that the other codes are of.
fn with_near(planes: &[Arc<Plane>], mut checked: Vec<CheckedCode>, on: Instant, language: &str) -> Vec<CheckedCode> {
    let used: BTreeSet<Slug> = checked.iter().filter_map(|c| c.vocabulary.clone()).collect();
    let mut found: HashMap<(Option<Slug>, String), Vec<NearCode>> = HashMap::new();
    for code in checked.iter_mut().filter(|c| c.verdict == CodeVerdict::NeverExisted) {
        let wanted = |plane: &&Arc<Plane>| {
            let slug = plane.vocabulary().slug();
            code.vocabulary.as_ref().map_or_else(|| used.is_empty() || used.contains(slug), |own| own == slug)
        };
        let key = (code.vocabulary.clone(), code.given.code.clone());
        code.near = match found.get(&key) {
            Some(near) => near.clone(),
            None if found.len() == NEAR_FOR => continue,
            None => {
                let planes: Vec<&Arc<Plane>> = planes.iter().filter(wanted).collect();
                let near = near_codes(&planes, &code.given.code, on, language);
                found.insert(key, near.clone());
                near
            }
        };
    }
    checked
}

fn near_code(plane: &Plane, concept: Uuid, on: Instant, language: &str) -> Option<NearCode> {
    let concept = named(plane.nearest(concept, known(on))?, language);
    Some(NearCode { vocabulary: plane.vocabulary().slug().clone(), concept })
}

/// Codes that differ from one by how they are written, or by one slip of the hand: looked up, never looked for, so that
/// it takes the same time however many codes there are. The likeliest kind of slip that leads somewhere is taken.
fn near_codes(planes: &[&Arc<Plane>], code: &str, on: Instant, language: &str) -> Vec<NearCode> {
    if code.chars().nth(NEAR_LONGEST).is_some() {
        return Vec::new();
    }
    for variants in slips(code) {
        let mut found: Vec<NearCode> = Vec::new();
        for variant in variants {
            for plane in planes {
                for uuid in plane.called(&variant) {
                    let new = near_code(plane, *uuid, on, language)
                        .filter(|n| found.iter().all(|f| f.concept.uuid != n.concept.uuid));
                    found.extend(new);
                }
            }
            if found.len() > NEAR_MOST {
                break;
            }
        }
        if (1..=NEAR_MOST).contains(&found.len()) {
            return found;
        }
    }
    Vec::new()
}

/// How a code may have been meant, by kinds of slips, the likeliest first: written otherwise, two signs the wrong way
/// round, one too many, another one, one too few.
fn slips(code: &str) -> Vec<Vec<String>> {
    let letters: Vec<char> = code.chars().collect();
    let mut kinds = vec![writings(code)];
    if letters.len() >= SLIP_SHORTEST {
        let with = |at: usize, skip: usize, put: &[char]| -> String {
            letters[..at].iter().chain(put).chain(&letters[at + skip..]).collect()
        };
        kinds.push((1..letters.len()).map(|at| with(at - 1, 2, &[letters[at], letters[at - 1]])).collect());
        kinds.push((0..letters.len()).rev().map(|at| with(at, 1, &[])).collect());
        let alphabet: Vec<char> = ('0'..='9').chain('A'..='Z').chain('a'..='z').chain(".-æøåÆØÅ".chars()).collect();
        let signs = |at| alphabet.iter().map(move |sign| (at, *sign));
        // The last sign is the one that differs between siblings.
        kinds.push((0..letters.len()).rev().flat_map(signs).map(|(at, sign)| with(at, 1, &[sign])).collect());
        kinds.push((0..=letters.len()).rev().flat_map(signs).map(|(at, sign)| with(at, 0, &[sign])).collect());
    }
    for variants in &mut kinds {
        variants.retain(|variant| !variant.is_empty() && variant != code);
    }
    kinds
}

/// Other ways of writing a code: what keyboards, spreadsheets and other systems make of it.
fn writings(code: &str) -> Vec<String> {
    let squeezed: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let exchanged = |pairs: &[(char, char)]| -> String {
        let one = |c: char| pairs.iter().find(|(from, _)| *from == c).map_or(c, |(_, to)| *to);
        squeezed.to_uppercase().chars().map(one).collect()
    };
    let spelt = squeezed.to_uppercase().replace("AA", "Å").replace("AE", "Æ").replace("OE", "Ø");
    vec![
        squeezed.to_uppercase(),
        squeezed.to_lowercase(),
        squeezed.replace(',', ".").to_uppercase(),
        squeezed.replace(['-', '_', '/'], ".").to_uppercase(),
        squeezed.replace('.', "").to_uppercase(),
        squeezed.trim_end_matches('.').to_owned(),
        squeezed.trim_start_matches('0').to_owned(),
        format!("0{squeezed}"),
        exchanged(&[('O', '0'), ('I', '1'), ('L', '1')]),
        exchanged(&[('0', 'O'), ('1', 'I')]),
        spelt.to_lowercase(),
        spelt,
    ]
}

impl Registry {
    /// What is decided of a concept and takes effect after today, the next first; its beginning is no change.
    #[must_use]
    pub fn ahead(&self, view: &View, concept: Uuid, language: &str) -> Vec<ComingChange> {
        let turns = turns(&view.plane, concept, self.projections.today(), Instant::FOREVER);
        let all = turns.iter().filter_map(|turn| coming(&view.plane, concept, turn, language));
        all.filter(|change| change.before.is_some()).collect()
    }

    /// What becomes of codes on a day and after it.
    ///
    /// # Errors
    /// [`Code::InvalidDate`], [`Code::InvalidParameter`] for a horizon out of bounds, [`Code::UnknownVocabulary`].
    pub fn check_codes(&self, codes: &[ListedCode], asked: &CheckRequest, language: &str) -> Result<CheckReport> {
        let at = At { date: asked.on.clone(), ..At::default() };
        let on = self.point(&at).map_err(|r| r.at(Place::field("on")))?.0.valid;
        let until = match asked.horizon {
            None => Instant::FOREVER,
            Some(days) if (0..=FARTHEST).contains(&days) => later(on, days),
            Some(days) => {
                let (da, en) = (format!("horizon kan ikke være »{days}«"), format!("horizon cannot be '{days}'"));
                let refusal = Refusal::new(Code::InvalidParameter, da, en).at(Place::field("horizon"));
                return Err(refusal.allowed([format!("0..{FARTHEST}")]));
            }
        };
        let snapshot = self.snapshot();
        if let Some(usual) = &asked.vocabulary
            && snapshot.planes().iter().all(|p| !p.vocabulary().is_called(usual))
        {
            return Err(unknown_vocabulary(usual).at(Place::field("vocabulary")));
        }
        let codes = check(snapshot.planes(), codes, asked.vocabulary.as_deref(), on, until, language);
        let mut counts = BTreeMap::new();
        for code in &codes {
            *counts.entry(code.verdict).or_default() += 1;
        }
        let ok = codes.iter().all(|c| !c.verdict.is_trouble());
        Ok(CheckReport { on, until: Some(until).filter(|u| u.is_finite()), ok, counts, codes })
    }
}

/// A day so many days after another.
fn later(day: Instant, days: i64) -> Instant {
    Instant::from_micros(day.micros().saturating_add(days.saturating_mul(86_400_000_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_hand_are_bounded_and_lead_back() {
        for (given, meant, kind) in [
            ("j1,4", "J1.4", 0),
            ("J1.", "J1", 0),
            ("Jl.4", "J1.4", 0),
            ("aa1", "å1", 0),
            ("1J.4", "J1.4", 1),
            ("J1.44", "J1.4", 2),
            ("J9.4", "J1.4", 3),
            ("J14", "J1.4", 4),
        ] {
            assert!(slips(given)[kind].iter().any(|s| s == meant), "{given}");
        }
        let all = |code: &str| slips(code).into_iter().flatten().collect::<Vec<_>>();
        assert!(all(&"x".repeat(NEAR_LONGEST)).len() < 6_500);
        assert!(all("").iter().all(|s| !s.is_empty()));
        // Of a short code, no other letter is near.
        assert!(!all("J").iter().chain(&all("J1")).any(|s| s == "K" || s == "J2" || s == "K1"));
        assert!(all("j").contains(&"J".to_owned()));
    }
}
