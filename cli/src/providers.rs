//! The OpenID providers of the configuration file: `[[serve.provider]]`. They are no options: each is a table of its own,
//! and none of it can stand on a command line, where secrets would be read by everyone on the machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use begreb::model::{Code, Place, Refusal, Role, Secret, Slug};
use begreb::oidc::{MailProof, OrganisationMap, OrganisationTarget, ProviderSettings, RoleMap, RoleTarget};
use serde::Deserialize;
use toml::Spanned;

use crate::stop::{Result, Stop, file};

/// The part of the file that is read here; the rest is `config`'s.
#[derive(Deserialize)]
struct File {
    serve: Option<Serve>,
}

#[derive(Deserialize)]
struct Serve {
    #[serde(default)]
    provider: Vec<Spanned<Table>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    name: String,
    title: Title,
    issuer: String,
    client_id: String,
    client_secret_file: Option<PathBuf>,
    client_secret_env: Option<String>,
    #[serde(default = "scopes")]
    scopes: Vec<String>,
    #[serde(default = "mail")]
    mail_claim: String,
    #[serde(default = "name")]
    name_claim: String,
    #[serde(default)]
    mail_verified: Verified,
    #[serde(default = "yes")]
    create: bool,
    organisation: Option<Organisations>,
    roles: Option<Roles>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Title {
    da: String,
    en: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Verified {
    #[default]
    Claim,
    Trusted,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Organisations {
    claim: String,
    map: BTreeMap<String, Organisation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
enum Organisation {
    Name(String),
    Uuid(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Roles {
    claim: String,
    map: Vec<RoleRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleRow {
    value: String,
    role: String,
    vocabulary: Option<String>,
}

fn scopes() -> Vec<String> {
    ["profile", "email"].map(Into::into).into()
}

fn mail() -> String {
    "email".into()
}

fn name() -> String {
    "name".into()
}

fn yes() -> bool {
    true
}

/// The providers of the file; none without one.
pub fn read(path: Option<&Path>) -> Result<Vec<ProviderSettings>> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let text = std::fs::read_to_string(path).map_err(|e| Stop::usage(file(path, &e)))?;
    parse(&text, path, &|name| std::env::var(name).ok()).map_err(Stop::usage)
}

fn parse(
    text: &str,
    path: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> begreb::model::Result<Vec<ProviderSettings>> {
    let place = |at: usize| {
        let line = text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count() as u64 + 1;
        Place { name: Some(path.display().to_string()), line: Some(line), ..Place::default() }
    };
    let parsed: File = toml::from_str(text).map_err(|e| {
        let why = e.message();
        let (da, en) = (format!("udbyderen kan ikke læses: {why}"), format!("the provider cannot be read: {why}"));
        Refusal::new(Code::InvalidParameter, da, en).at(place(e.span().map_or(0, |s| s.start)))
    })?;
    let mut providers: Vec<ProviderSettings> = Vec::new();
    for table in parsed.serve.map(|s| s.provider).unwrap_or_default() {
        let at = place(table.span().start);
        let settings = settings(table.into_inner(), path, variable).and_then(|s| s.check().map(|_| s));
        let settings = settings.map_err(|r| r.at(at.clone()))?;
        if providers.iter().any(|p| p.name == settings.name) {
            let name = &settings.name;
            let (da, en) = (format!("der er to udbydere »{name}«"), format!("there are two providers '{name}'"));
            return Err(Refusal::new(Code::InvalidParameter, da, en).at(at));
        }
        providers.push(settings);
    }
    Ok(providers)
}

fn settings(
    table: Table,
    path: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> begreb::model::Result<ProviderSettings> {
    let field = |name: &'static str| move |r: Refusal| r.at(Place::field(name));
    let client_secret = secret(&table, path, variable)?;
    let organisation = table.organisation.map(|o| {
        let target = |(value, target)| Ok((value, organisation(target).map_err(field("organisation"))?));
        let values = o.map.into_iter().map(target).collect::<begreb::model::Result<_>>()?;
        Ok(OrganisationMap { claim: o.claim, values })
    });
    let roles = table.roles.map(|r| {
        let row = |row: RoleRow| {
            let role: Role = row.role.parse().map_err(field("roles"))?;
            let vocabulary = row.vocabulary.map(|v| v.parse::<Slug>()).transpose().map_err(field("roles"))?;
            Ok((row.value, RoleTarget { role, vocabulary }))
        };
        let values = r.map.into_iter().map(row).collect::<begreb::model::Result<_>>()?;
        Ok(RoleMap { claim: r.claim, values })
    });
    Ok(ProviderSettings {
        name: table.name.parse().map_err(field("name"))?,
        da: table.title.da.parse().map_err(field("title.da"))?,
        en: table.title.en.parse().map_err(field("title.en"))?,
        issuer: table.issuer,
        client_id: table.client_id,
        client_secret,
        scopes: table.scopes,
        mail_claim: table.mail_claim,
        name_claim: table.name_claim,
        mail_proof: match table.mail_verified {
            Verified::Claim => MailProof::Claim,
            Verified::Trusted => MailProof::Trusted,
        },
        create: table.create,
        organisation: organisation.transpose()?,
        roles: roles.transpose()?,
    })
}

fn organisation(target: Organisation) -> begreb::model::Result<OrganisationTarget> {
    match target {
        Organisation::Name(name) => Ok(OrganisationTarget::Name(name.parse()?)),
        Organisation::Uuid(text) => text.parse().map(OrganisationTarget::Uuid).map_err(|_| {
            let (da, en) = (format!("»{text}« er ikke en uuid"), format!("'{text}' is not a uuid"));
            Refusal::new(Code::InvalidIdentifier, da, en)
        }),
    }
}

/// What we are recognised by, from a file (named beside the configuration file) or from the environment.
fn secret(
    table: &Table,
    path: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> begreb::model::Result<Option<Secret>> {
    let wrong = |name: &'static str, da: String, en: String| {
        Err(Refusal::new(Code::InvalidParameter, da, en).at(Place::field(name)))
    };
    match (&table.client_secret_file, &table.client_secret_env) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => wrong(
            "client-secret-file",
            "angiv en fil eller en variabel, ikke begge".into(),
            "give a file or a variable, not both".into(),
        ),
        (Some(named), None) => {
            let named = path.parent().map_or_else(|| named.clone(), |folder| folder.join(named));
            match std::fs::read_to_string(&named) {
                Ok(text) => Ok(Some(Secret::shown(text.trim()))),
                Err(e) => {
                    let shown = named.display();
                    wrong(
                        "client-secret-file",
                        format!("{shown} kan ikke læses: {e}"),
                        format!("cannot read {shown}: {e}"),
                    )
                }
            }
        }
        (None, Some(name)) => match variable(name).filter(|v| !v.is_empty()) {
            Some(value) => Ok(Some(Secret::shown(&value))),
            None => wrong(
                "client-secret-env",
                format!("variablen {name} er ikke sat"),
                format!("the variable {name} is not set"),
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "[[serve.provider]]\nname = 'ki'\ntitle = { da = 'Kommunen', en = 'Municipality' }\n\
        issuer = 'https://login.example.dk/realms/a'\nclient-id = 'begreb'\n";

    fn parsed(text: &str) -> begreb::model::Result<Vec<ProviderSettings>> {
        let variable = |name: &str| (name == "SECRET").then(|| "of the test".to_owned());
        parse(text, Path::new("begreb.toml"), &variable)
    }

    #[test]
    fn what_is_left_out_is_the_safe_choice() {
        let all = parsed(&format!("db = 'sqlite:x'\n[serve]\nlisten = ':0'\n{LEAST}")).unwrap();
        let one = &all[0];
        assert_eq!((one.mail_claim.as_str(), one.name_claim.as_str()), ("email", "name"));
        assert_eq!((one.mail_proof, one.create), (MailProof::Claim, true));
        assert!(one.client_secret.is_none() && one.roles.is_none() && one.organisation.is_none());
        assert!(parsed("db = 'x'").unwrap().is_empty());
    }

    #[test]
    fn everything_that_can_be_said() {
        let text = format!(
            "{LEAST}client-secret-env = 'SECRET'\nscopes = ['email']\nmail-claim = 'upn'\nname-claim = 'display'\n\
             mail-verified = 'trusted'\ncreate = false\n[serve.provider.organisation]\nclaim = 'org'\n\
             [serve.provider.organisation.map]\n'751' = {{ name = 'Aarhus Kommune' }}\n\
             '101' = {{ uuid = '00000000-0000-4000-8000-000000000000' }}\n[serve.provider.roles]\n\
             claim = 'realm_access.roles'\n[[serve.provider.roles.map]]\nvalue = 'editors'\nrole = 'publisher'\n\
             vocabulary = 'fsiii'\n[[serve.provider.roles.map]]\nvalue = 'admins'\nrole = 'administrator'\n"
        );
        let one = parsed(&text).unwrap().remove(0);
        assert_eq!(one.client_secret.as_ref().map(Secret::expose), Some("of the test"));
        assert!(!format!("{one:?}").contains("of the test"));
        assert_eq!((one.mail_proof, one.create), (MailProof::Trusted, false));
        assert_eq!(one.organisation.unwrap().values.len(), 2);
        let roles = one.roles.unwrap();
        assert_eq!(roles.values[0].1.vocabulary.as_ref().map(Slug::as_str), Some("fsiii"));
        assert_eq!(roles.values[1].1.role, Role::Administrator);
    }

    #[test]
    fn what_cannot_be_is_refused_with_file_and_line() {
        let roles = "[serve.provider.roles]\nclaim = 'r'\n[[serve.provider.roles.map]]\nvalue = 'v'\nrole = ";
        for (text, field, line) in [
            (LEAST.replace("https:", "http:"), Some("issuer"), 1),
            (LEAST.replace("'ki'", "'K I'"), Some("name"), 1),
            (format!("{LEAST}client-secret = 'x'\n"), None, 6),
            (format!("{LEAST}client-secret-env = 'NONE'\n"), Some("client-secret-env"), 1),
            (format!("{LEAST}client-secret-file = 'nowhere'\n"), Some("client-secret-file"), 1),
            (format!("{LEAST}mail-verified = 'maybe'\n"), None, 6),
            (format!("{LEAST}{roles}'boss'"), Some("roles"), 1),
            (format!("{LEAST}{roles}'administrator'\nvocabulary = 'fsiii'"), Some("roles"), 1),
            (format!("\n{LEAST}{LEAST}"), None, 7),
            (LEAST.replace("issuer", "isuer"), None, 4),
        ] {
            let refusal = parsed(&text).unwrap_err();
            assert_eq!((refusal.place.field.as_deref(), refusal.place.line), (field, Some(line)), "{text}: {refusal}");
        }
    }
}
