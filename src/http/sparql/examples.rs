//! Queries that are worth running, over the vocabularies that are there.

use crate::registry::{Registry, VocabularyAnswer};

/// A query of the page.
pub struct Example {
    /// What it answers, in Danish.
    pub da: &'static str,
    /// In English.
    pub en: &'static str,
    /// The text.
    pub query: String,
}

const SKOS: &str = "PREFIX skos: <http://www.w3.org/2004/02/skos/core#>\n";
const DCT: &str = "PREFIX dct: <http://purl.org/dc/terms/>\n";

/// The queries; those on a vocabulary only where it is.
pub fn examples(app: &Registry) -> Vec<Example> {
    let vocabularies = app.vocabularies();
    let find = |slug: &str| vocabularies.iter().find(|v| v.vocabulary.slug.as_str() == slug);
    let mut list = vec![Example {
        da: "Hvilke ordforråd er der, og hvor mange begreber har de?",
        en: "Which vocabularies are there, and how many concepts do they have?",
        query: format!(
            "{SKOS}{DCT}SELECT ?ordforråd ?titel (COUNT(?begreb) AS ?begreber)\nWHERE {{\n  ?begreb skos:inScheme ?ordforråd .\n  ?ordforråd dct:title ?titel\n  FILTER(LANG(?titel) = \"da\")\n}}\nGROUP BY ?ordforråd ?titel\nORDER BY DESC(?begreber)"
        ),
    }];
    if let Some(paragraphs) = find("serviceparagraffer") {
        of_paragraphs(app, paragraphs, &mut list);
    }
    if let Some(fsiii) = find("fsiii") {
        of_fsiii(fsiii, &mut list);
    }
    list.push(Example {
        da: "Hvilke ord bruges i mere end ét ordforråd?",
        en: "Which words are used in more than one vocabulary?",
        query: format!(
            "{SKOS}SELECT ?ord (COUNT(DISTINCT ?graf) AS ?ordforråd) (GROUP_CONCAT(?kode; SEPARATOR=\", \") AS ?koder)\nWHERE {{\n  GRAPH ?graf {{ ?begreb skos:prefLabel ?navn ; skos:notation ?kode }}\n  BIND(LCASE(STR(?navn)) AS ?ord)\n}}\nGROUP BY ?ord\nHAVING(COUNT(DISTINCT ?graf) > 1)\nORDER BY ?ord LIMIT 100"
        ),
    });
    list.push(Example {
        da: "Hvilke egenskaber bruger graferne, og hvor tit?",
        en: "Which properties do the graphs use, and how often?",
        query: "SELECT ?egenskab (COUNT(*) AS ?antal)\nWHERE { ?begreb ?egenskab ?værdi }\nGROUP BY ?egenskab\nORDER BY DESC(?antal)".into(),
    });
    list
}

fn of_paragraphs(app: &Registry, vocabulary: &VocabularyAnswer, list: &mut Vec<Example>) {
    let graph = &vocabulary.iri;
    list.push(Example {
        da: "Bestemmelserne i barnets lov, med hvad de handler om",
        en: "The provisions of the Children's Act, with what they are about",
        query: format!(
            "{SKOS}SELECT ?bestemmelse ?kode ?navn ?definition\nFROM <{graph}>\nWHERE {{\n  ?lov skos:notation \"BL\" .\n  ?bestemmelse skos:broader+ ?lov ;\n    skos:notation ?kode ; skos:prefLabel ?navn .\n  OPTIONAL {{ ?bestemmelse skos:definition ?definition FILTER(LANG(?definition) = \"da\") }}\n  FILTER(LANG(?navn) = \"da\")\n}}\nORDER BY ?kode"
        ),
    });
    list.push(Example {
        da: "Hvad afløste hvad, da barnets lov trådte i kraft?",
        en: "What replaced what when the Children's Act took effect?",
        query: format!(
            "{SKOS}{DCT}SELECT ?ny ?kode ?navn ?gammel\nFROM <{graph}>\nWHERE {{\n  ?ny dct:replaces ?gammel ;\n    skos:notation ?kode ; skos:prefLabel ?navn\n  FILTER(LANG(?navn) = \"da\")\n}}\nORDER BY ?kode"
        ),
    });
    let slug = vocabulary.vocabulary.slug.as_str();
    let versions = app.versions(slug).unwrap_or_default();
    if let (Some(last), Some(first)) = (versions.first(), versions.last())
        && last.label != first.label
    {
        list.push(Example {
            da: "Hvilke bestemmelser i den første version er der ikke i den sidste?",
            en: "Which provisions of the first version are not in the last?",
            query: format!(
                "{SKOS}SELECT ?begreb ?kode ?navn\nWHERE {{\n  GRAPH <{}> {{\n    ?begreb skos:notation ?kode ; skos:prefLabel ?navn\n    FILTER(LANG(?navn) = \"da\")\n  }}\n  FILTER NOT EXISTS {{ GRAPH <{}> {{ ?begreb a skos:Concept }} }}\n}}\nORDER BY ?kode",
                first.iri, last.iri
            ),
        });
    }
    list.push(Example {
        da: "Alt om botilbud: begreberne som en graf",
        en: "All about housing services: the concepts as a graph",
        query: format!(
            "{SKOS}CONSTRUCT {{ ?begreb a skos:Concept ; skos:prefLabel ?navn ; skos:broader ?over }}\nFROM <{graph}>\nWHERE {{\n  ?begreb skos:prefLabel ?navn ; skos:broader ?over\n  FILTER(CONTAINS(LCASE(?navn), \"bo\"))\n}}"
        ),
    });
}

fn of_fsiii(vocabulary: &VocabularyAnswer, list: &mut Vec<Example>) {
    let graph = &vocabulary.iri;
    list.push(Example {
        da: "Fælles Sprog III: hvor mange begreber er der på hvert øverste område?",
        en: "Fælles Sprog III: how many concepts are there in each top area?",
        query: format!(
            "{SKOS}SELECT ?kode ?område (COUNT(?begreb) AS ?antal)\nFROM <{graph}>\nWHERE {{\n  ?top skos:topConceptOf ?ordforråd ; skos:notation ?kode ; skos:prefLabel ?område .\n  ?begreb skos:broader* ?top\n}}\nGROUP BY ?kode ?område\nORDER BY ?kode"
        ),
    });
    list.push(Example {
        da: "Fælles Sprog III: indsatser, der har med ernæring at gøre",
        en: "Fælles Sprog III: what has to do with nutrition",
        query: format!(
            "{SKOS}SELECT ?begreb ?kode ?navn ?over\nFROM <{graph}>\nWHERE {{\n  ?begreb skos:prefLabel ?navn ; skos:notation ?kode .\n  OPTIONAL {{ ?begreb skos:broader/skos:prefLabel ?over }}\n  FILTER(REGEX(?navn, \"ernæring|kost|måltid\", \"i\"))\n}}\nORDER BY ?kode"
        ),
    });
}
