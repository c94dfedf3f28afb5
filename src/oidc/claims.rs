//! What a provider says of a person: claims of a token and of the user info, read by the names that the settings give.

use std::fmt;

use serde_json::{Map, Value};

use super::settings::{MailProof, ProviderSettings};

/// Who signed in, as the provider has it. Personal data: not shown in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// The provider.
    pub issuer: String,
    /// Who it is there, for ever.
    pub subject: String,
    /// The mail address.
    pub mail: Option<String>,
    /// Whether the mail address is proven to be the person's.
    pub mail_is_proven: bool,
    /// What the person is called.
    pub name: Option<String>,
    /// The values of the claim of the organisation.
    pub organisations: Vec<String>,
    /// The values of the claim of the roles.
    pub roles: Vec<String>,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Person(… at {})", self.issuer)
    }
}

impl Person {
    /// Reads what the settings name.
    pub(super) fn read(settings: &ProviderSettings, issuer: String, subject: String, claims: &Claims) -> Self {
        let text = |name: &str| claims.find(name).and_then(Value::as_str).map(ToOwned::to_owned);
        let proven = match settings.mail_proof {
            // Some write the truth as a word.
            MailProof::Claim => claims.find("email_verified").is_some_and(|v| *v == Value::Bool(true) || v == "true"),
            MailProof::Trusted => true,
        };
        Self {
            issuer,
            subject,
            mail: text(&settings.mail_claim).filter(|t| !t.trim().is_empty()),
            mail_is_proven: proven,
            name: text(&settings.name_claim).filter(|t| !t.trim().is_empty()),
            organisations: settings.organisation.as_ref().map(|o| claims.all(&o.claim)).unwrap_or_default(),
            roles: settings.roles.as_ref().map(|r| claims.all(&r.claim)).unwrap_or_default(),
        }
    }
}

/// The claims of a token, and what the user info adds.
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    pub fn new(value: Value) -> Self {
        match value {
            Value::Object(map) => Self(map),
            _ => Self(Map::new()),
        }
    }

    /// Adds claims that are not there: what the signed token says goes before.
    pub fn add(&mut self, more: Self) {
        for (name, value) in more.0 {
            self.0.entry(name).or_insert(value);
        }
    }

    /// Whether every claim is there that the settings name.
    pub fn suffice(&self, settings: &ProviderSettings) -> bool {
        let mut names = vec![settings.mail_claim.as_str(), settings.name_claim.as_str()];
        names.extend((settings.mail_proof == MailProof::Claim).then_some("email_verified"));
        names.extend(settings.organisation.as_ref().map(|o| o.claim.as_str()));
        names.extend(settings.roles.as_ref().map(|r| r.claim.as_str()));
        names.iter().all(|name| self.find(name).is_some())
    }

    /// A claim: of that whole name, or, member by member, of a name with dots. Names may be addresses, with dots of
    /// their own: `https://example.dk/roles`.
    fn find(&self, name: &str) -> Option<&Value> {
        let found = match self.0.get(name) {
            Some(value) => Some(value),
            None => {
                let mut parts = name.split('.');
                let first = self.0.get(parts.next()?)?;
                parts.try_fold(first, |value, part| value.get(part))
            }
        };
        found.filter(|v| !v.is_null())
    }

    /// The values of a claim that has one or many.
    fn all(&self, name: &str) -> Vec<String> {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        match self.find(name) {
            Some(Value::Array(many)) => many.iter().filter_map(text).collect(),
            Some(one) => text(one).into_iter().collect(),
            None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_are_found_by_name_and_by_path() {
        let claims = Claims::new(json!({
            "email": "a@b.dk", "realm_access": { "roles": ["x", 7, null, { "y": 1 }] }, "gone": null,
            "https://example.dk/roles": "one", "a": { "b": { "c": "deep" } }, "a.b": "whole",
        }));
        assert_eq!(claims.all("realm_access.roles"), ["x", "7"]);
        assert_eq!(claims.all("https://example.dk/roles"), ["one"]);
        assert_eq!((claims.all("a.b.c"), claims.all("a.b")), (vec!["deep".to_owned()], vec!["whole".to_owned()]));
        for none in ["", ".", "a.", "a.b.d", "gone", "email.x", "realm_access"] {
            assert_eq!(claims.all(none), Vec::<String>::new(), "{none}");
        }
    }

    #[test]
    fn a_mail_address_is_proven_by_the_word_of_the_provider_alone() {
        let settings = super::super::settings::tests::lawful();
        let proven = |claims: Value, settings: &ProviderSettings| {
            Person::read(settings, "i".into(), "s".into(), &Claims::new(claims)).mail_is_proven
        };
        assert!(proven(json!({ "email_verified": true }), &settings));
        assert!(proven(json!({ "email_verified": "true" }), &settings));
        for no in [json!({}), json!({ "email_verified": false }), json!({ "email_verified": 1 }), json!([])] {
            assert!(!proven(no, &settings));
        }
        assert!(proven(json!({}), &ProviderSettings { mail_proof: MailProof::Trusted, ..settings }));
    }

    #[test]
    fn the_token_goes_before_the_user_info() {
        let mut claims = Claims::new(json!({ "email": "token@b.dk" }));
        claims.add(Claims::new(json!({ "email": "info@b.dk", "name": "N" })));
        assert_eq!((claims.all("email"), claims.all("name")), (vec!["token@b.dk".into()], vec!["N".into()]));
    }
}
