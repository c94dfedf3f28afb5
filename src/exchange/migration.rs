//! A map from one version of a vocabulary to another: what each code of the first is in the second. As a table, as JSON,
//! and as SSSOM (Simple Standard for Sharing Ontological Mappings, TSV with its metadata in the heading).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ::csv::WriterBuilder;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::model::{Code, ConceptChangeKind, Meaning, Refusal, Result, Slug};

/// How a map is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MigrationFormat {
    /// A table.
    Csv,
    /// Our own JSON.
    Json,
    /// SSSOM.
    Sssom,
}

impl MigrationFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Json, Self::Sssom];

    /// The name in `?format=`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Sssom => "sssom",
        }
    }

    /// The media type that is sent.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Sssom => "text/tab-separated-values; charset=utf-8",
        }
    }
}

impl std::str::FromStr for MigrationFormat {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|f| f.name() == text).ok_or_else(|| {
            let text: String = text.chars().take(80).collect();
            let (da, en) = (format!("»{text}« er ikke et format"), format!("'{text}' is not a format"));
            Refusal::new(Code::InvalidParameter, da, en).allowed(Self::ALL.map(Self::name))
        })
    }
}

/// What a code of the first version is in the second.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Fate {
    /// The same, by the same code and name, with the same definition; it may stand elsewhere.
    Same,
    /// The same under another code.
    Recoded,
    /// The same under another name.
    Renamed,
    /// Another definition, and perhaps another name.
    Redefined,
    /// One other alone.
    Replaced,
    /// Several others.
    Split,
    /// One other, together with others.
    Merged,
    /// Nothing.
    Retired,
}

impl Fate {
    fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Recoded => "recoded",
            Self::Renamed => "renamed",
            Self::Redefined => "redefined",
            Self::Replaced => "replaced",
            Self::Split => "split",
            Self::Merged => "merged",
            Self::Retired => "retired",
        }
    }

    /// How the concepts on both sides relate, as SSSOM says it.
    fn predicate(self) -> &'static str {
        match self {
            Self::Same | Self::Recoded | Self::Renamed | Self::Retired => "skos:exactMatch",
            Self::Redefined => "skos:closeMatch",
            Self::Replaced => "IAO:0100001",
            Self::Split => "skos:narrowMatch",
            Self::Merged => "skos:broadMatch",
        }
    }
}

/// A concept on one side of a map.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MigrationSide {
    /// The concept.
    pub uuid: Uuid,
    /// Its code there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Its preferred term there.
    pub label: String,
}

/// A line of a map.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MigrationLine {
    /// What it was in the first version.
    pub from: MigrationSide,
    /// What became of it, in one word.
    pub fate: Fate,
    /// All that happened to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<ConceptChangeKind>,
    /// Of one that is redefined: whether it means something else, as those said who wrote what lies between. Absent when
    /// something of it was left unsaid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<Meaning>,
    /// What it is in the second version; none when nothing replaces it.
    pub to: Vec<MigrationSide>,
}

/// A version, or a day, at one end of a map.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct MigrationEnd {
    /// The label of the version in force there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// How many concepts there are.
    pub concepts: usize,
}

impl MigrationLine {
    /// How the concepts on both sides relate: one whose words alone are others is the same.
    fn predicate(&self) -> &'static str {
        match (self.fate, self.meaning) {
            (Fate::Redefined, Some(Meaning::Kept)) => Fate::Same.predicate(),
            (fate, _) => fate.predicate(),
        }
    }

    /// What became of it, in words.
    fn comment(&self) -> String {
        match self.meaning {
            Some(meaning) => format!("{}; meaning {meaning}", self.fate.name()),
            None => self.fate.name().to_owned(),
        }
    }
}

impl MigrationEnd {
    /// The version, or else the day.
    fn name(&self) -> String {
        self.version.clone().or_else(|| self.day.clone()).unwrap_or_default()
    }
}

/// A map from one version of a vocabulary to another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Migration {
    /// The vocabulary.
    #[schema(value_type = String)]
    pub vocabulary: Slug,
    /// What its concepts' IRIs begin with.
    pub namespace: String,
    /// Its title.
    pub title: String,
    /// Its licence, an IRI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// The address of the map.
    pub address: String,
    /// From where.
    pub from: MigrationEnd,
    /// To where.
    pub to: MigrationEnd,
    /// How many lines there are of each fate.
    pub counts: BTreeMap<Fate, u64>,
    /// What became of each concept of the first version, in its order.
    pub lines: Vec<MigrationLine>,
}

impl Migration {
    /// The map in a format.
    ///
    /// # Errors
    /// [`Code::Internal`] when it cannot be written.
    pub fn write(&self, format: MigrationFormat) -> Result<Vec<u8>> {
        match format {
            MigrationFormat::Csv => self.csv(),
            MigrationFormat::Json => serde_json::to_vec(self).map_err(|e| failed(&e)),
            MigrationFormat::Sssom => Ok(self.sssom().into_bytes()),
        }
    }

    /// One row for each target. A cell that a spreadsheet would take for a formula has a `'` before it.
    fn csv(&self) -> Result<Vec<u8>> {
        let mut writer = WriterBuilder::new().from_writer(Vec::new());
        let heading =
            ["from_code", "from_label", "from_uuid", "fate", "kinds", "meaning", "to_code", "to_label", "to_uuid"];
        writer.write_record(heading).map_err(|e| failed(&e))?;
        for line in &self.lines {
            let kinds: Vec<String> = line.kinds.iter().filter_map(word).collect();
            let from = cells(Some(&line.from));
            for to in targets(line) {
                let to = cells(to);
                let (fate, kinds) = (line.fate.name(), kinds.join("|"));
                let meaning = line.meaning.map_or("", Meaning::as_str);
                let row: [&str; 9] = [&from[0], &from[1], &from[2], fate, &kinds, meaning, &to[0], &to[1], &to[2]];
                writer.write_record(row).map_err(|e| failed(&e))?;
            }
        }
        writer.into_inner().map_err(|e| failed(&e))
    }

    fn sssom(&self) -> String {
        let (from, to) = (self.from.name(), self.to.name());
        let mut text = String::new();
        let mut head = |name: &str, value: &str| {
            let _ = writeln!(text, "#{name}: {}", quoted(value));
        };
        head("sssom_version", "1.1");
        head("mapping_set_id", &self.address);
        head("mapping_set_title", &format!("{}: {from} → {to}", self.title));
        head("mapping_set_version", &format!("{from}..{to}"));
        // SSSOM demands a licence; of one who says none nothing may be assumed.
        head("license", self.licence.as_deref().unwrap_or("https://w3id.org/sssom/license/unspecified"));
        let source = self.namespace.trim_end_matches(['/', '#']);
        head("subject_source", source);
        head("subject_source_version", &from);
        head("object_source", source);
        head("object_source_version", &to);
        if let Some(day) = &self.to.day {
            head("mapping_date", day);
        }
        text.push_str("#curie_map:\n");
        for (prefix, iri) in [
            ("IAO", "http://purl.obolibrary.org/obo/IAO_"),
            ("c", &*self.namespace),
            ("semapv", "https://w3id.org/semapv/vocab/"),
            ("skos", "http://www.w3.org/2004/02/skos/core#"),
            ("sssom", "https://w3id.org/sssom/"),
            ("xsd", "http://www.w3.org/2001/XMLSchema#"),
        ] {
            let _ = writeln!(text, "#  {prefix}: {}", quoted(iri));
        }
        text.push_str("#extension_definitions:\n");
        for slot in ["ext_subject_code", "ext_object_code"] {
            let _ = writeln!(text, "#  - slot_name: {slot}");
            let _ = writeln!(text, "#    property: skos:notation\n#    type_hint: xsd:string");
        }
        text.push_str(
            "subject_id\tsubject_label\tpredicate_id\tobject_id\tobject_label\tmapping_justification\tcomment\t\
             ext_subject_code\text_object_code\n",
        );
        for line in &self.lines {
            for to in targets(line) {
                let object = to.map_or_else(|| "sssom:NoTermFound".to_owned(), |t| format!("c:{}", t.uuid));
                let label = to.map_or("", |t| &t.label);
                let code = to.and_then(|t| t.code.as_deref()).unwrap_or_default();
                let cells: [&str; 9] = [
                    &format!("c:{}", line.from.uuid),
                    &tsv(&line.from.label),
                    line.predicate(),
                    &object,
                    &tsv(label),
                    "semapv:ManualMappingCuration",
                    &line.comment(),
                    &tsv(line.from.code.as_deref().unwrap_or_default()),
                    &tsv(code),
                ];
                let _ = writeln!(text, "{}", cells.join("\t"));
            }
        }
        text
    }
}

/// The targets of a line, each in a row of its own; one row also when there are none.
fn targets(line: &MigrationLine) -> Vec<Option<&MigrationSide>> {
    if line.to.is_empty() { vec![None] } else { line.to.iter().map(Some).collect() }
}

fn cells(side: Option<&MigrationSide>) -> [String; 3] {
    let Some(side) = side else { return Default::default() };
    [harmless(side.code.as_deref().unwrap_or_default()), harmless(&side.label), side.uuid.to_string()]
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{text}") } else { text.to_owned() }
}

/// A cell of TSV: a table between tabs knows neither tabs nor line breaks, and quotes only around a whole cell.
fn tsv(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.contains('"') { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// A text as YAML: between quotes it means itself, as in JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn word(kind: &ConceptChangeKind) -> Option<String> {
    serde_json::to_value(kind).ok()?.as_str().map(ToOwned::to_owned)
}

fn failed(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(Code::Internal, error.to_string(), error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(n: u128, code: &str, label: &str) -> MigrationSide {
        MigrationSide { uuid: Uuid::from_u128(n), code: Some(code.into()), label: label.into() }
    }

    fn map() -> Migration {
        let line = |from, fate, kinds, to| MigrationLine { from, fate, kinds, meaning: None, to };
        let end = |label: &str| MigrationEnd { version: Some(label.into()), day: None, concepts: 2 };
        Migration {
            vocabulary: "v".parse().unwrap(),
            namespace: "https://x.dk/id/v/".into(),
            title: "V \"1\"".into(),
            licence: None,
            address: "https://x.dk/m".into(),
            from: end("1"),
            to: end("2"),
            counts: BTreeMap::new(),
            lines: vec![
                line(
                    side(1, "=A", "a\tb"),
                    Fate::Split,
                    vec![ConceptChangeKind::Split],
                    vec![side(2, "B", "-b"), side(3, "C", "c \"d\"")],
                ),
                line(side(4, "D", "d"), Fate::Retired, vec![], vec![]),
            ],
        }
    }

    #[test]
    fn a_table_runs_nothing() {
        let text = String::from_utf8(map().write(MigrationFormat::Csv).unwrap()).unwrap();
        let expected = "from_code,from_label,from_uuid,fate,kinds,meaning,to_code,to_label,to_uuid\n\
            '=A,a\tb,00000000-0000-0000-0000-000000000001,split,split,,B,'-b,00000000-0000-0000-0000-000000000002\n\
            '=A,a\tb,00000000-0000-0000-0000-000000000001,split,split,,C,\"c \"\"d\"\"\",00000000-0000-0000-0000-000000000003\n\
            D,d,00000000-0000-0000-0000-000000000004,retired,,,,,\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn sssom_has_its_metadata_and_as_many_cells_in_each_row() {
        let text = String::from_utf8(map().write(MigrationFormat::Sssom).unwrap()).unwrap();
        let (head, rows): (Vec<&str>, Vec<&str>) = text.lines().partition(|l| l.starts_with('#'));
        for line in ["#mapping_set_title: \"V \\\"1\\\": 1 → 2\"", "#  c: \"https://x.dk/id/v/\"", "#curie_map:"] {
            assert!(head.contains(&line), "{line}\n{text}");
        }
        assert!(rows.iter().all(|r| r.split('\t').count() == 9), "{text}");
        assert_eq!(rows.len(), 4);
        assert!(rows[1].contains("\tskos:narrowMatch\tc:00000000-0000-0000-0000-000000000002\t"));
        assert!(rows[3].contains("\tskos:exactMatch\tsssom:NoTermFound\t"));
    }
}
