//! A folder of vocabularies, each with a manifest, brought into the registry: what is there already stays,
//! versions that are missing are published. Used at every start, so it must change nothing the second time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::identity::Identity;
use super::permission::Actor;
use super::{ImportReport, ImportRequest, Registry, Verdict};
use crate::exchange::{self, Format};
use crate::model::{
    Code, Facet, Governance, Instant, Kind, Label, Language, Place, Refusal, Result, Slug, Text, VocabularyFields,
    parse_date,
};

/// `manifest.toml`. See `vocabularies/README.md`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    slug: Slug,
    uuid: Uuid,
    kind: Kind,
    governance: Governance,
    #[serde(default)]
    four_eyes: bool,
    languages: Vec<Language>,
    titles: BTreeMap<Language, String>,
    #[serde(default)]
    descriptions: BTreeMap<Language, String>,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    identifiers: Vec<String>,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    contact: Option<String>,
    #[serde(default)]
    licence: Option<String>,
    #[serde(default)]
    facets: Vec<ManifestFacet>,
    versions: Vec<ManifestVersion>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestFacet {
    code: String,
    uuid: Uuid,
    titles: BTreeMap<Language, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestVersion {
    label: Label,
    effective: String,
    file: PathBuf,
    #[serde(default)]
    decision: Option<String>,
}

/// What a load did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LoadReport {
    /// The reports of versions that were published.
    pub published: Vec<ImportReport>,
    /// How many versions were there already.
    pub already_there: usize,
}

impl Registry {
    /// Loads every vocabulary folder in a directory.
    ///
    /// # Errors
    /// [`Code::File`], [`Code::Syntax`] with the manifest and line, or what [`Registry::import`] refuses. What
    /// was published before the refusal stays.
    pub async fn load(&self, actor: &Actor, directory: &Path) -> Result<LoadReport> {
        let mut report = LoadReport::default();
        let entries = std::fs::read_dir(directory).map_err(|e| unreadable(directory, &e))?;
        let mut folders: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
        folders.sort();
        for folder in folders.into_iter().filter(|f| f.join("manifest.toml").is_file()) {
            self.load_one(actor, &folder, &mut report).await?;
        }
        Ok(report)
    }

    async fn load_one(&self, actor: &Actor, folder: &Path, report: &mut LoadReport) -> Result<()> {
        let path = folder.join("manifest.toml");
        let text = std::fs::read_to_string(&path).map_err(|e| unreadable(&path, &e))?;
        let manifest: Manifest = toml::from_str(&text).map_err(|e| {
            let line = e.span().map(|s| text[..s.start.min(text.len())].lines().count().max(1) as u64);
            let place = Place { name: Some(path.display().to_string()), line, ..Place::default() };
            let why = e.message();
            let (da, en) = (format!("manifestet kan ikke læses: {why}"), format!("the manifest cannot be read: {why}"));
            Refusal::new(Code::Syntax, da, en).at(place)
        })?;
        let named = |path: &Path| Place { name: Some(path.display().to_string()), ..Place::default() };
        let frame = self.frame_of(&manifest).map_err(|r| r.at(named(&path)))?;
        self.set_frame(actor, frame.clone()).await.map_err(|r| r.at(named(&path)))?;
        for version in &manifest.versions {
            let file = folder.join(&version.file);
            let at_file = |r: Refusal| r.at(named(&file));
            let effective = parse_date(&version.effective).map_err(|r| r.at(named(&path)))?;
            let mut source = std::fs::File::open(&file).map_err(|e| unreadable(&file, &e))?;
            let bytes = exchange::read_bytes(&mut source, &file.display().to_string())?;
            let request = ImportRequest {
                meaning: None,
                vocabulary: manifest.slug.clone(),
                format: Format::of_file(&file)?,
                bytes: &bytes,
                label: Some(version.label.clone()),
                effective: Some(Instant::from_date(effective)),
                identity: Identity::default(),
                accept_new: true,
                dry_run: false,
                language: None,
                decision: version.decision.clone(),
                frame: Some(frame.clone()),
            };
            let done = self.import(actor, request).await.map_err(at_file)?;
            if done.verdict == Verdict::AlreadyThere { report.already_there += 1 } else { report.published.push(done) }
        }
        Ok(())
    }

    fn frame_of(&self, manifest: &Manifest) -> Result<VocabularyFields> {
        let texts = |map: &BTreeMap<Language, String>| {
            map.iter().map(|(language, text)| Text::new(language.clone(), text)).collect::<Result<Vec<_>>>()
        };
        let facet =
            |f: &ManifestFacet| Ok(Facet { uuid: f.uuid, code: f.code.clone(), oio: None, titles: texts(&f.titles)? });
        let namespace = format!("{}/id/{}/", self.settings.public_url, manifest.slug);
        Ok(VocabularyFields {
            uuid: manifest.uuid,
            slug: manifest.slug.clone(),
            titles: texts(&manifest.titles)?,
            descriptions: texts(&manifest.descriptions)?,
            kind: manifest.kind,
            governance: manifest.governance,
            four_eyes: manifest.four_eyes,
            namespace: manifest.namespace.clone().unwrap_or(namespace),
            identifiers: manifest.identifiers.clone(),
            owner: manifest.owner.clone(),
            contact: manifest.contact.clone(),
            licence: manifest.licence.clone(),
            languages: manifest.languages.clone(),
            facets: manifest.facets.iter().map(facet).collect::<Result<_>>()?,
            oio: None,
            deleted_facets: Vec::new(),
        })
    }
}

impl Format {
    /// The format that a file's name says.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] when the ending tells no format.
    pub fn of_file(path: &Path) -> Result<Self> {
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        let named = if ending == "xml" { "oioxml" } else { ending };
        named.parse().map_err(|r: Refusal| r.at(Place { name: Some(path.display().to_string()), ..Place::default() }))
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Refusal {
    let path = path.display();
    Refusal::new(Code::File, format!("kan ikke læse {path}: {error}"), format!("cannot read {path}: {error}"))
}
