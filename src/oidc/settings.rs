//! How a provider is set up, and what its claims mean here.

use std::collections::BTreeMap;

use openidconnect::url::{Host, Url};
use uuid::Uuid;

use crate::model::{Code, Name, Place, Refusal, Result, Role, Secret, Slug};

/// An OpenID provider that people may sign in at.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// Its short name, in addresses and as the origin of grants.
    pub name: Slug,
    /// What stands on its button, in Danish.
    pub da: Name,
    /// The same in English.
    pub en: Name,
    /// Its issuer, as it stands in its tokens; the discovery document is found by it.
    pub issuer: String,
    /// What we are called there.
    pub client_id: String,
    /// What we are recognised by there; `None` for a client that is trusted by PKCE alone.
    pub client_secret: Option<Secret>,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim that is the mail address.
    pub mail_claim: String,
    /// The claim that is the person's name.
    pub name_claim: String,
    /// When the mail address is believed.
    pub mail_proof: MailProof,
    /// Whether an account is made for somebody who has none.
    pub create: bool,
    /// Where the person works.
    pub organisation: Option<OrganisationMap>,
    /// What the person is given.
    pub roles: Option<RoleMap>,
}

/// When the mail address that a provider names is believed to be the person's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MailProof {
    /// When the claim `email_verified` is true.
    Claim,
    /// Always: the addresses are the provider's own, and nobody can choose theirs.
    Trusted,
}

/// Which organisation the values of a claim mean.
#[derive(Clone, Debug)]
pub struct OrganisationMap {
    /// The claim.
    pub claim: String,
    /// What its values mean; a value that is not here means nothing.
    pub values: BTreeMap<String, OrganisationTarget>,
}

/// An organisation that a claim means.
#[derive(Clone, Debug)]
pub enum OrganisationTarget {
    /// One that there is.
    Uuid(Uuid),
    /// The one of that name; it is created when there is none.
    Name(Name),
}

/// Which roles the values of a claim mean.
#[derive(Clone, Debug)]
pub struct RoleMap {
    /// The claim.
    pub claim: String,
    /// What its values mean; a value that is not here means nothing.
    pub values: Vec<(String, RoleTarget)>,
}

/// A role that a claim means.
#[derive(Clone, Debug)]
pub struct RoleTarget {
    /// The role.
    pub role: Role,
    /// The one vocabulary; all when `None`.
    pub vocabulary: Option<Slug>,
}

impl ProviderSettings {
    /// Whether a provider can be set up so; the issuer as an address.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] with the field.
    pub fn check(&self) -> Result<Url> {
        let wrong =
            |field: &str, da: &str, en: &str| Refusal::new(Code::InvalidParameter, da, en).at(Place::field(field));
        let issuer = Url::parse(&self.issuer).map_err(|e| {
            wrong("issuer", &format!("det er ikke en adresse: {e}"), &format!("that is not an address: {e}"))
        })?;
        if !may_be_asked(&issuer) {
            let (da, en) = ("udstederen skal være en https-adresse", "the issuer must be an https address");
            return Err(wrong("issuer", da, en).allowed(["https://login.example.dk/…", "http://127.0.0.1:PORT/…"]));
        }
        let bare = issuer.query().is_none() && issuer.fragment().is_none() && issuer.username().is_empty();
        if !bare || issuer.password().is_some() {
            let (da, en) = (
                "udstederens adresse kan ikke have forespørgsel, fragment eller bruger",
                "the address of an issuer has no query, no fragment and no user",
            );
            return Err(wrong("issuer", da, en));
        }
        let (da, en) = ("må ikke være tom", "must not be empty");
        for (field, text) in
            [("client-id", &self.client_id), ("mail-claim", &self.mail_claim), ("name-claim", &self.name_claim)]
        {
            if text.trim().is_empty() {
                return Err(wrong(field, da, en));
            }
        }
        if self.client_secret.as_ref().is_some_and(|s| s.expose().is_empty()) {
            return Err(wrong("client-secret", da, en));
        }
        let word = |s: &String| !s.is_empty() && s.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
        if let Some(scope) = self.scopes.iter().find(|s| !word(s)) {
            let (da, en) = (format!("»{scope}« er ikke et scope"), format!("'{scope}' is not a scope"));
            return Err(wrong("scopes", &da, &en).allowed(["profile", "email"]));
        }
        let (da, en) = ("kortet er tomt", "the map is empty");
        if self.organisation.as_ref().is_some_and(|o| o.claim.is_empty() || o.values.is_empty()) {
            return Err(wrong("organisation", da, en));
        }
        let Some(roles) = &self.roles else { return Ok(issuer) };
        if roles.claim.is_empty() || roles.values.is_empty() {
            return Err(wrong("roles", da, en));
        }
        if roles.values.iter().any(|(_, t)| t.role == Role::Administrator && t.vocabulary.is_some()) {
            let (da, en) = (
                "en administrator er det for hele registret og ikke for ét ordforråd",
                "an administrator is one of the whole registry and not of one vocabulary",
            );
            return Err(wrong("roles", da, en));
        }
        Ok(issuer)
    }
}

/// Whether an address may be asked: by https, or on this machine itself.
pub(super) fn may_be_asked(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Domain(name))) => name == "localhost",
        ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A provider that can be set up.
    pub fn lawful() -> ProviderSettings {
        ProviderSettings {
            name: "test".parse().unwrap(),
            da: "Log ind".parse().unwrap(),
            en: "Sign in".parse().unwrap(),
            issuer: "https://login.example.dk/realms/a".into(),
            client_id: "begreb".into(),
            client_secret: None,
            scopes: vec!["email".into()],
            mail_claim: "email".into(),
            name_claim: "name".into(),
            mail_proof: MailProof::Claim,
            create: true,
            organisation: None,
            roles: None,
        }
    }

    #[test]
    fn only_https_and_this_machine_are_asked() {
        for (issuer, is) in [
            ("https://login.example.dk", true),
            ("https://login.example.dk/realms/a", true),
            ("http://127.0.0.1:9/x", true),
            ("http://[::1]:9", true),
            ("http://localhost:9", true),
            ("http://login.example.dk", false),
            ("http://127.0.0.1.example.dk", false),
            ("http://localhost.example.dk", false),
            ("http://10.0.0.1", false),
            ("ftp://login.example.dk", false),
            ("file:///etc/passwd", false),
            ("https://a:b@login.example.dk", false),
            ("https://login.example.dk?x", false),
            ("https://login.example.dk#x", false),
            ("login.example.dk", false),
        ] {
            let settings = ProviderSettings { issuer: issuer.into(), ..lawful() };
            let checked = settings.check();
            assert_eq!(checked.is_ok(), is, "{issuer}");
            if let Err(refusal) = checked {
                assert_eq!(refusal.place.field.as_deref(), Some("issuer"));
            }
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_field() {
        let admin = RoleTarget { role: Role::Administrator, vocabulary: Some("fsiii".parse().unwrap()) };
        type Spoil = fn(&mut ProviderSettings);
        let cases: [(&str, Spoil); 5] = [
            ("client-id", |s| s.client_id.clear()),
            ("client-secret", |s| s.client_secret = Some(Secret::shown(""))),
            ("scopes", |s| s.scopes.push("a b".into())),
            ("mail-claim", |s| s.mail_claim = " ".into()),
            ("roles", |s| s.roles = Some(RoleMap { claim: "roles".into(), values: Vec::new() })),
        ];
        for (field, spoil) in cases {
            let mut settings = lawful();
            spoil(&mut settings);
            assert_eq!(settings.check().unwrap_err().place.field.as_deref(), Some(field));
        }
        let roles = RoleMap { claim: "roles".into(), values: vec![("admin".into(), admin)] };
        assert!(ProviderSettings { roles: Some(roles), ..lawful() }.check().is_err());
    }
}
