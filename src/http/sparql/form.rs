//! The parameters of a query, wherever they stand.

use crate::model::{Code, Place, Refusal, Result};

/// What was asked, not yet looked at.
#[derive(Debug, Default)]
pub struct Form {
    /// The text of the query.
    pub query: Option<String>,
    /// `default-graph-uri`.
    pub default_graphs: Vec<String>,
    /// `named-graph-uri`.
    pub named_graphs: Vec<String>,
    /// `format`.
    pub format: Option<String>,
}

/// The parameters that there are.
const KNOWN: [&str; 4] = ["default-graph-uri", "format", "named-graph-uri", "query"];
const FORM: &str = "application/x-www-form-urlencoded";
const QUERY: &str = "application/sparql-query";
const UPDATE: &str = "application/sparql-update";
/// The most graphs that are named at once.
const MOST: usize = 100;

impl Form {
    /// The parameters of an address.
    ///
    /// # Errors
    /// [`Code::UnknownParameter`], [`Code::InvalidParameter`], [`Code::Encoding`], [`Code::UpdateRefused`].
    pub fn of_address(query: &str) -> Result<Self> {
        let mut form = Self::default();
        form.add(query.as_bytes())?;
        Ok(form)
    }

    /// The parameters of an address and a body.
    ///
    /// # Errors
    /// As [`Form::of_address`], and [`Code::UnsupportedType`].
    pub fn of_body(query: &str, media: &str, body: &[u8]) -> Result<Self> {
        let mut form = Self::of_address(query)?;
        let (kind, parameters) = media.split_once(';').unwrap_or((media, ""));
        let charset = parameters
            .split(';')
            .filter_map(|p| p.trim().split_once('='))
            .find(|p| p.0.eq_ignore_ascii_case("charset"));
        let utf8 = charset.is_none_or(|(_, name)| name.trim_matches('"').eq_ignore_ascii_case("utf-8"));
        let kind = kind.trim().to_ascii_lowercase();
        match kind.as_str() {
            UPDATE => return Err(update()),
            FORM if utf8 => form.add(body)?,
            QUERY if utf8 => {
                let text = std::str::from_utf8(body).map_err(|e| not_utf8().at(place(body, e.valid_up_to())))?;
                form.put("query", text.strip_prefix('\u{feff}').unwrap_or(text).to_owned())?;
            }
            _ => {
                let media: String = media.chars().take(80).collect();
                return Err(Refusal::new(
                    Code::UnsupportedType,
                    format!("kroppen kan ikke være »{media}«"),
                    format!("the body cannot be '{media}'"),
                )
                .at(Place::field("content-type"))
                .allowed([QUERY, FORM]));
            }
        }
        if form.query.is_none() {
            let (da, en) = ("der mangler en forespørgsel", "there is no query");
            return Err(Refusal::new(Code::InvalidParameter, da, en).at(Place::field("query")));
        }
        Ok(form)
    }

    fn add(&mut self, encoded: &[u8]) -> Result<()> {
        let own = std::str::from_utf8(encoded).is_ok();
        for (name, value) in form_urlencoded::parse(encoded) {
            // The sign that stands for bytes which are no text; who means the sign itself has to write it.
            if !own || (value.contains('\u{fffd}') && !has_replacement(encoded)) {
                return Err(not_utf8().at(Place::field(name.chars().take(80).collect::<String>())));
            }
            self.put(&name, value.into_owned())?;
        }
        Ok(())
    }

    fn put(&mut self, name: &str, value: String) -> Result<()> {
        let slot = match name {
            "query" => &mut self.query,
            "format" => &mut self.format,
            "default-graph-uri" | "named-graph-uri" => {
                let list = if name.starts_with('d') { &mut self.default_graphs } else { &mut self.named_graphs };
                if list.len() == MOST {
                    let (da, en) = ("flere end 100 grafer på en gang", "more than 100 graphs at once");
                    return Err(Refusal::new(Code::TooLarge, da, en).at(Place::field(name)));
                }
                list.push(value);
                return Ok(());
            }
            "update" | "using-graph-uri" | "using-named-graph-uri" => return Err(update()),
            _ => {
                let name: String = name.chars().take(80).collect();
                return Err(Refusal::new(
                    Code::UnknownParameter,
                    format!("adressen tager ikke parameteren »{name}«"),
                    format!("the address does not take the parameter '{name}'"),
                )
                .at(Place::field(name))
                .allowed(KNOWN));
            }
        };
        if slot.replace(value).is_some() {
            return Err(Refusal::new(
                Code::InvalidParameter,
                format!("parameteren {name} er der to gange"),
                format!("the parameter {name} is there twice"),
            )
            .at(Place::field(name)));
        }
        Ok(())
    }
}

fn has_replacement(encoded: &[u8]) -> bool {
    let lower = encoded.to_ascii_lowercase();
    ["%ef%bf%bd", "\u{fffd}"].iter().any(|sign| memchr::memmem::find(&lower, sign.as_bytes()).is_some())
}

fn place(bytes: &[u8], at: usize) -> Place {
    let line = bytes[..at].iter().filter(|b| **b == b'\n').count() as u64 + 1;
    Place { line: Some(line), ..Place::default() }
}

fn not_utf8() -> Refusal {
    Refusal::new(Code::Encoding, "forespørgslen er ikke UTF-8", "the query is not UTF-8").allowed(["UTF-8"])
}

fn update() -> Refusal {
    let (da, en) =
        ("endepunktet kan kun spørges; det ændrer intet", "the endpoint answers queries only; it changes nothing");
    Refusal::new(Code::UpdateRefused, da, en).allowed(["query"])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..80), address in "[ -~]{0,60}") {
            for media in [FORM, QUERY, UPDATE, "", "text/plain; charset=\"", "application/sparql-query;charset=latin1"] {
                let _ = Form::of_body(&address, media, &bytes);
            }
            let _ = Form::of_address(&address);
        }
    }
}
