//! The parameters of Læs, List and Søg: names in any case, except what stands after a colon.

use std::collections::BTreeSet;

use axum::http::Uri;
use uuid::Uuid;

use crate::exchange::oio::{Kind, Livscykluskode, Publiceret, Reference, time};
use crate::model::{Code, Instant, Period, Place, Refusal, Result};
use crate::registry::oio::{Criterion, Pattern, Search, Window, at};

/// The parameters that say when.
const TIMES: [&str; 6] =
    ["virkningstid", "virkningfra", "virkningtil", "registreringstid", "registreretfra", "registrerettil"];

/// What a request for several objects asks for.
pub enum Asked {
    /// Objects by their uuids.
    List(Vec<Uuid>, Window),
    /// Objects by what is said of them; whether whole ones are wanted.
    Soeg(Box<Search>, bool),
}

/// A parameter: its name in lower case, what stood after a colon in it, its value.
struct Given {
    name: String,
    of: Option<String>,
    value: String,
}

/// The window of Læs, which takes nothing else.
///
/// # Errors
/// [`Code::UnknownParameter`], [`Code::InvalidParameter`], [`Code::InvalidTime`], [`Code::EmptyPeriod`].
pub fn window_alone(uri: &Uri, now: Instant) -> Result<Window> {
    let given = read(uri);
    refuse_others(&given, |g| TIMES.contains(&g.name.as_str()) || g.name == "konsolider")?;
    window(&given, now)
}

/// What a request for several objects asks for.
///
/// # Errors
/// As [`window_alone`].
pub fn asked(kind: Kind, uri: &Uri, now: Instant) -> Result<Asked> {
    let given = read(uri);
    refuse_others(&given, |g| is_known(kind, g))?;
    let window = window(&given, now)?;
    let for_list = |g: &Given| TIMES.contains(&g.name.as_str()) || g.name == "konsolider" || g.name == "uuid";
    let uuids = || given.iter().filter(|g| g.name == "uuid");
    if given.iter().all(for_list) {
        let mut seen = BTreeSet::new();
        let uuids = uuids().map(|g| uuid("uuid", &g.value)).collect::<Result<Vec<_>>>()?;
        return Ok(Asked::List(uuids.into_iter().filter(|uuid| seen.insert(*uuid)).collect(), window));
    }
    if uuids().count() > 1 {
        let en = "Multiple uuid parameters passed to search operation. Only one uuid parameter is supported.";
        return Err(Refusal::new(Code::InvalidParameter, "en søgning tager højst én uuid", en).at(Place::field("uuid")));
    }
    let mut search = Search::new(window);
    for given in &given {
        take(kind, &mut search, given)?;
    }
    Ok(Asked::Soeg(Box::new(search), given.iter().any(|g| g.name == "list")))
}

fn read(uri: &Uri) -> Vec<Given> {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs
        .map(|(name, value)| {
            let (name, of) = match name.split_once(':') {
                Some((name, of)) => (name, Some(of.to_owned())),
                None => (&*name, None),
            };
            let name = name.to_lowercase();
            let name = if name == "bvn" { "brugervendtnoegle".to_owned() } else { name };
            Given { name, of, value: value.into_owned() }
        })
        .collect()
}

fn is_known(kind: Kind, given: &Given) -> bool {
    let name = given.name.as_str();
    if given.of.is_some() {
        return name == "vilkaarligrel" || kind.relations().any(|r| r == name);
    }
    const OTHERS: [&str; 12] = [
        "uuid",
        "publiceret",
        "vilkaarligattr",
        "vilkaarligrel",
        "livscykluskode",
        "brugerref",
        "notetekst",
        "foersteresultat",
        "maximalantalresultater",
        "list",
        "konsolider",
        "soegeord",
    ];
    (OTHERS.contains(&name) && (name != "soegeord" || kind == Kind::Klasse))
        || TIMES.contains(&name)
        || kind.fields().contains(&name)
        || kind.relations().any(|r| r == name)
}

fn refuse_others(given: &[Given], is_known: impl Fn(&Given) -> bool) -> Result<()> {
    let others: BTreeSet<String> = given
        .iter()
        .filter(|g| !is_known(g))
        .map(|g| match &g.of {
            Some(of) => format!("{}:{of}", g.name),
            None => g.name.clone(),
        })
        .map(|name| name.chars().take(80).collect())
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    let names = others.into_iter().take(20).collect::<Vec<_>>().join(", ");
    Err(Refusal::new(
        Code::UnknownParameter,
        format!("adressen tager ikke {names}"),
        format!("Unsupported argument(s): {names}"),
    ))
}

/// When what is asked for must hold and be registered: usually now, and in the current registrering.
fn window(given: &[Given], now: Instant) -> Result<Window> {
    let virkning = period(given, ["virkningstid", "virkningfra", "virkningtil"])?;
    let registrering = period(given, ["registreringstid", "registreretfra", "registrerettil"])?;
    let konsolider = given.iter().any(|g| g.name == "konsolider");
    Ok(Window { virkning: virkning.unwrap_or_else(|| at(now)), registrering, konsolider })
}

/// The period of a snapshot, or of two ends of which one may be open; nothing when neither is given.
fn period(given: &[Given], [snapshot, from, to]: [&str; 3]) -> Result<Option<Period>> {
    let one = |name: &str| {
        let mut values = given.iter().filter(|g| g.name == name);
        let first = values.next().map(|g| time::parse(&g.value).map_err(|r| r.at(Place::field(name)))).transpose()?;
        match values.next() {
            None => Ok(first),
            Some(_) => Err(Refusal::new(
                Code::InvalidParameter,
                format!("{name} er der to gange"),
                format!("'{name}' is there twice"),
            )
            .at(Place::field(name))),
        }
    };
    let (snapshot_at, begins, ends) = (one(snapshot)?, one(from)?, one(to)?);
    match (snapshot_at, begins, ends) {
        (None, None, None) => Ok(None),
        (Some(instant), None, None) => Ok(Some(at(instant))),
        (Some(_), ..) => Err(Refusal::new(
            Code::InvalidParameter,
            format!("{from} og {to} kan ikke stå sammen med {snapshot}"),
            format!("'{from}'/'{to}' conflict with '{snapshot}'"),
        )
        .at(Place::field(snapshot))),
        (None, begins, ends) => {
            let (begins, ends) = (begins.unwrap_or(Instant::BEGINNING), ends.unwrap_or(Instant::FOREVER));
            Period::new(begins, ends).map(Some).map_err(|r| r.at(Place::field(to)))
        }
    }
}

fn take(kind: Kind, search: &mut Search, given: &Given) -> Result<()> {
    let Given { name, of, value } = given;
    let field = |r: Refusal| r.at(Place::field(name.as_str()));
    match name.as_str() {
        "uuid" => search.uuid = Some(uuid(name, value)?),
        "publiceret" => {
            let state = Publiceret::ALL.into_iter().find(|p| p.name() == value);
            let state = state.ok_or_else(|| no_code("publiceret", value, &Publiceret::ALL.map(Publiceret::name)))?;
            search.demand(Criterion::State(state))?;
        }
        "vilkaarligattr" => search.demand(Criterion::Text(None, Pattern::parse(value).map_err(field)?))?,
        "vilkaarligrel" => search.demand(Criterion::Related(None, reference(name, value)?, of.clone()))?,
        "livscykluskode" => {
            let codes = Livscykluskode::ALL;
            let code = codes.into_iter().find(|c| c.name() == value);
            search.livscykluskode = Some(code.ok_or_else(|| no_code(name, value, &codes.map(Livscykluskode::name)))?);
        }
        "brugerref" => search.brugerref = Some(uuid(name, value)?),
        "notetekst" => search.notetekst.push(Pattern::parse(value).map_err(field)?),
        "foersteresultat" => search.first = number(name, value)?,
        "maximalantalresultater" => search.most = Some(number(name, value)?),
        "soegeord" => search.demand(Criterion::Text(Some("soegeord"), Pattern::parse(value).map_err(field)?))?,
        name => {
            if let Some(field_name) = kind.fields().iter().find(|f| **f == name) {
                search.demand(Criterion::Text(Some(field_name), Pattern::parse(value).map_err(field)?))?;
            } else if let Some(relation) = kind.relations().find(|r| *r == name) {
                search.demand(Criterion::Related(Some(relation), reference(name, value)?, of.clone()))?;
            }
        }
    }
    Ok(())
}

fn uuid(name: &str, value: &str) -> Result<Uuid> {
    let hyphened = value.len() == 36;
    Uuid::try_parse(value).ok().filter(|_| hyphened).ok_or_else(|| {
        let shown: String = value.chars().take(80).collect();
        Refusal::new(
            Code::InvalidParameter,
            format!("»{shown}« er ingen uuid"),
            format!("invalid input syntax for type uuid: \"{shown}\""),
        )
        .at(Place::field(name))
        .allowed(["22222222-2222-4222-8222-222222222222"])
    })
}

/// A target: a uuid or a URN.
fn reference(name: &str, value: &str) -> Result<Reference> {
    if value.len() > 4 && value.starts_with("urn:") {
        return Ok(Reference::to_iri(value));
    }
    let wrong = |r: Refusal| r.allowed(["22222222-2222-4222-8222-222222222222", "urn:…"]);
    uuid(name, value).map(Reference::Uuid).map_err(wrong)
}

fn number(name: &str, value: &str) -> Result<usize> {
    value.parse::<u32>().ok().and_then(|n| usize::try_from(n).ok()).ok_or_else(|| {
        let shown: String = value.chars().take(80).collect();
        Refusal::new(
            Code::InvalidParameter,
            format!("»{shown}« er intet antal"),
            format!("invalid input syntax for type integer: \"{shown}\""),
        )
        .at(Place::field(name))
        .allowed(["0..4294967295"])
    })
}

fn no_code(name: &str, value: &str, allowed: &[&str]) -> Refusal {
    let shown: String = value.chars().take(80).collect();
    Refusal::new(
        Code::InvalidParameter,
        format!("{name} kan ikke være »{shown}«"),
        format!("invalid input value for enum {name}: \"{shown}\""),
    )
    .at(Place::field(name))
    .allowed(allowed.iter().copied())
}
