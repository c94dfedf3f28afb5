//! The namespaces, and of each the terms that are read or written.

macro_rules! namespace {
    ($(#[$doc:meta])* $module:ident = $iri:literal { $($(#[$about:meta])* $name:ident = $local:literal,)* }) => {
        $(#[$doc])*
        pub(super) mod $module {
            /// What the IRIs of the namespace begin with.
            #[expect(clippy::allow_attributes, reason = "not every namespace is declared as a prefix")]
            #[allow(dead_code, reason = "not every namespace is declared as a prefix")]
            pub(in super::super) const NS: &str = $iri;
            $($(#[$about])* pub(in super::super) const $name: &str = concat!($iri, $local);)*
        }
    };
}

namespace! {
    /// RDF itself.
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#" {
        TYPE = "type",
        VALUE = "value",
    }
}

namespace! {
    /// RDF Schema.
    rdfs = "http://www.w3.org/2000/01/rdf-schema#" {
        LABEL = "label",
    }
}

namespace! {
    /// SKOS Reference, W3C 2009.
    skos = "http://www.w3.org/2004/02/skos/core#" {
        CONCEPT = "Concept",
        CONCEPT_SCHEME = "ConceptScheme",
        COLLECTION = "Collection",
        IN_SCHEME = "inScheme",
        TOP_CONCEPT_OF = "topConceptOf",
        HAS_TOP_CONCEPT = "hasTopConcept",
        PREF_LABEL = "prefLabel",
        ALT_LABEL = "altLabel",
        HIDDEN_LABEL = "hiddenLabel",
        NOTATION = "notation",
        DEFINITION = "definition",
        NOTE = "note",
        SCOPE_NOTE = "scopeNote",
        EXAMPLE = "example",
        HISTORY_NOTE = "historyNote",
        EDITORIAL_NOTE = "editorialNote",
        CHANGE_NOTE = "changeNote",
        BROADER = "broader",
        NARROWER = "narrower",
        RELATED = "related",
        BROADER_TRANSITIVE = "broaderTransitive",
        NARROWER_TRANSITIVE = "narrowerTransitive",
        SEMANTIC_RELATION = "semanticRelation",
        EXACT_MATCH = "exactMatch",
        CLOSE_MATCH = "closeMatch",
        BROAD_MATCH = "broadMatch",
        NARROW_MATCH = "narrowMatch",
        RELATED_MATCH = "relatedMatch",
    }
}

namespace! {
    /// SKOS-XL, labels as resources.
    skosxl = "http://www.w3.org/2008/05/skos-xl#" {
        LABEL = "Label",
        PREF_LABEL = "prefLabel",
        ALT_LABEL = "altLabel",
        HIDDEN_LABEL = "hiddenLabel",
        LITERAL_FORM = "literalForm",
    }
}

namespace! {
    /// DCMI Metadata Terms.
    dct = "http://purl.org/dc/terms/" {
        TITLE = "title",
        DESCRIPTION = "description",
        LICENSE = "license",
        PUBLISHER = "publisher",
        IDENTIFIER = "identifier",
        ISSUED = "issued",
        SUBJECT = "subject",
        SOURCE = "source",
        AUDIENCE = "audience",
        IS_PART_OF = "isPartOf",
        HAS_PART = "hasPart",
        REPLACES = "replaces",
        IS_REPLACED_BY = "isReplacedBy",
        CREATED = "created",
        IS_VERSION_OF = "isVersionOf",
    }
}

namespace! {
    /// XKOS, statistical classifications.
    xkos = "http://rdf-vocabulary.ddialliance.org/xkos#" {
        IS_PART_OF = "isPartOf",
        HAS_PART = "hasPart",
    }
}

namespace! {
    /// ADMS, assets of interoperability.
    adms = "http://www.w3.org/ns/adms#" {
        IDENTIFIER = "identifier",
        IDENTIFIER_CLASS = "Identifier",
        VERSION_NOTES = "versionNotes",
    }
}

namespace! {
    /// EuroVoc's extension of SKOS.
    euvoc = "http://publications.europa.eu/ontology/euvoc#" {
        XL_DEFINITION = "xlDefinition",
        XL_NOTE = "XlNote",
        START_DATE = "startDate",
        END_DATE = "endDate",
    }
}

namespace! {
    /// SKOS-AP-NO-Begrep: relations between concepts as nodes.
    skosno = "https://data.norge.no/vocabulary/skosno#" {
        GENERIC_RELATION = "GenericConceptRelation",
        PARTITIVE_RELATION = "PartitiveConceptRelation",
        ASSOCIATIVE_RELATION = "AssociativeConceptRelation",
        HAS_GENERIC_RELATION = "hasGenericConceptRelation",
        HAS_PARTITIVE_RELATION = "hasPartitiveConceptRelation",
        IS_FROM_CONCEPT_IN = "isFromConceptIn",
        IS_TO_CONCEPT_IN = "isToConceptIn",
        HAS_GENERIC = "hasGenericConcept",
        HAS_SPECIFIC = "hasSpecificConcept",
        HAS_COMPREHENSIVE = "hasComprehensiveConcept",
        HAS_PARTITIVE = "hasPartitiveConcept",
        HAS_FROM = "hasFromConcept",
        HAS_TO = "hasToConcept",
        RELATION_ROLE = "relationRole",
        RELATIONSHIP_WITH_SOURCE = "relationshipWithSource",
    }
}

namespace! {
    /// The Norwegian list of how a definition relates to its source.
    source_type = "https://data.norge.no/vocabulary/relationship-with-source-type#" {
        SELF_COMPOSED = "self-composed",
        DERIVED = "derived-from-source",
        DIRECT = "direct-from-source",
    }
}

namespace! {
    /// The Danish core model for models (modelkatalog).
    mdl = "https://data.gov.dk/model/core/modelling#" {
        DEPRECATED_LABEL = "deprecatedLabel",
        APPLICATION_NOTE = "applicationNote",
        LEGAL_SOURCE = "legalSource",
    }
}

namespace! {
    /// OWL.
    owl = "http://www.w3.org/2002/07/owl#" {
        DEPRECATED = "deprecated",
        VERSION_INFO = "versionInfo",
    }
}

namespace! {
    /// XML Schema datatypes.
    xsd = "http://www.w3.org/2001/XMLSchema#" {
        STRING = "string",
    }
}

namespace! {
    /// DCAT.
    dcat = "http://www.w3.org/ns/dcat#" {}
}

namespace! {
    /// Our own, for what no standard has.
    begreb = "https://begreb.dk/ns#" {
        /// From a concept to the SKOS-XL label of a deprecated term. (`skosxl:altLabel` would entail that the
        /// term is admitted.)
        DEPRECATED_XL_LABEL = "deprecatedXlLabel",
        /// Of a SKOS-XL label: the form of the term, one of the model's names (`abbreviation`, …).
        FORM = "form",
        /// Of the label of a deprecated term: why it is deprecated.
        REASON = "reason",
        /// Of the label of a deprecated term: what to use instead.
        USE_INSTEAD = "useInstead",
        /// From a concept to the code of its facet, a literal.
        FACET = "facet",
        /// The class of the `skos:Collection`s that are facets of the vocabulary; `skos:notation` is the code.
        FACET_CLASS = "Facet",
        /// The target may lawfully be combined with the class (OIO: lovligekombinationer).
        LEGAL_COMBINATION = "legalCombination",
        /// See also, where `skos:related` is forbidden because the target is above or below the concept.
        SEE_ALSO = "seeAlso",
        /// From a concept to a relation node of a kind that skosno has no class for.
        RELATION = "relation",
        /// The class of such a node.
        RELATION_CLASS = "Relation",
        /// Of such a node: its kind, one of the model's names (`seeAlso`, `replaces`, `legalCombination`).
        KIND = "kind",
        /// Of such a node: the target.
        TO = "to",
        /// The class of the nodes that `mdl:legalSource` points to when a literal does not do.
        LEGAL_BASIS_CLASS = "LegalBasis",
        /// Of a legal basis: the law as it is cited.
        LAW = "law",
        /// Of a legal basis: the paragraph.
        PARAGRAPH = "paragraph",
        /// Of a legal basis: the European Legislation Identifier.
        ELI = "eli",
        /// Of an `adms:Identifier`: whose identifier it is.
        SYSTEM = "system",
        /// Of a scheme: where to write.
        CONTACT = "contact",
        /// Of a scheme: the instant in valid time that the file shows. Tells the reader that the file is ours.
        POINT_VALID = "pointValid",
        /// Of a scheme: the instant in registered time that the file shows.
        POINT_REGISTERED = "pointRegistered",
        /// Of a concept, `true`: its `euvoc` dates came from its source and are no dates of the registry.
        KEEPS_DATES = "keepsDates",
        /// Of a member of an event stream: its position in the change log.
        POSITION = "position",
        /// From a member of an event stream to what was registered together with it.
        TRANSACTION = "transaction",
        /// Of a member of an event stream, `true`: it is the last of its transaction.
        ENDS_TRANSACTION = "endsTransaction",
        /// Of a member of an event stream that redefines a concept: whether it means something else, one of the model's
        /// names (`changed`, `kept`).
        MEANING = "meaning",
    }
}

namespace! {
    /// Linked Data Event Streams.
    ldes = "https://w3id.org/ldes#" {
        EVENT_STREAM = "EventStream",
        TIMESTAMP_PATH = "timestampPath",
        SEQUENCE_PATH = "sequencePath",
        VERSION_OF_PATH = "versionOfPath",
        VERSION_CREATE_PATH = "versionCreatePath",
        VERSION_CREATE_OBJECT = "versionCreateObject",
        VERSION_UPDATE_PATH = "versionUpdatePath",
        VERSION_UPDATE_OBJECT = "versionUpdateObject",
        VERSION_DELETE_PATH = "versionDeletePath",
        VERSION_DELETE_OBJECT = "versionDeleteObject",
        TRANSACTION_PATH = "transactionPath",
        TRANSACTION_FINALIZED_PATH = "transactionFinalizedPath",
        TRANSACTION_FINALIZED_OBJECT = "transactionFinalizedObject",
    }
}

namespace! {
    /// TREE, how a collection is laid out in pages.
    tree = "https://w3id.org/tree#" {
        NODE = "Node",
        VIEW = "view",
        MEMBER = "member",
        RELATION = "relation",
        TO_NODE = "node",
        PATH = "path",
        VALUE = "value",
        ANY_RELATION = "Relation",
        GREATER_OR_EQUAL = "GreaterThanOrEqualToRelation",
    }
}

namespace! {
    /// Activity Streams: what happened to what a member is a version of.
    activity = "https://www.w3.org/ns/activitystreams#" {
        CREATE = "Create",
        UPDATE = "Update",
        DELETE = "Delete",
    }
}

/// The prefixes that are declared in Turtle and RDF/XML.
pub const PREFIXES: [(&str, &str); 12] = [
    ("skos", skos::NS),
    ("skosxl", skosxl::NS),
    ("dct", dct::NS),
    ("xkos", xkos::NS),
    ("adms", adms::NS),
    ("euvoc", euvoc::NS),
    ("skosno", skosno::NS),
    ("mdl", mdl::NS),
    ("owl", owl::NS),
    ("xsd", xsd::NS),
    ("dcat", dcat::NS),
    ("begreb", begreb::NS),
];
