//! `BegrebUdvidelse`: the whole content of a concept, writer and reader side by side.

use std::io;

use uuid::Uuid;

use super::tree::{Element, Losses};
use super::xml::Xml;
use crate::model::{
    Alias, ContentFields, Definition, LegalBasis, Mapping, Note, Relation, Result, Statement, Term, Text,
};

/// Writes the content. `rank` is left out: the order of the file says it.
pub(super) fn write(x: &mut Xml<'_>, f: &ContentFields) -> io::Result<()> {
    x.element("BegrebUdvidelse", |x| {
        x.optional("NotationTekst", f.notation.as_ref())?;
        x.list("AliasListe", "Alias", &f.aliases, write_alias)?;
        x.optional("FacetKodeTekst", f.facet.as_ref())?;
        x.list("TermListe", "Term", &f.terms, write_term)?;
        x.list("DefinitionListe", "Definition", &f.definitions, write_definition)?;
        x.list("NoteListe", "Note", &f.notes, write_note)?;
        x.list("RetsgrundlagListe", "Retsgrundlag", &f.legal_basis, write_legal_basis)?;
        x.texts("EmneomraadeListe", &f.subject_fields)?;
        x.list("RelationListe", "Relation", &f.relations, write_relation)?;
        x.list("MapningListe", "Mapning", &f.mappings, write_mapping)?;
        write_statements(x, &f.statements)
    })
}

/// Reads the content.
pub(super) fn read(mut e: Element, losses: &mut Losses) -> Result<ContentFields> {
    let fields = ContentFields {
        notation: e.text("NotationTekst")?,
        aliases: e.list("AliasListe", "Alias", losses, read_alias)?,
        facet: e.text("FacetKodeTekst")?,
        oio: None,
        rank: None,
        terms: e.list("TermListe", "Term", losses, read_term)?,
        definitions: e.list("DefinitionListe", "Definition", losses, read_definition)?,
        notes: e.list("NoteListe", "Note", losses, read_note)?,
        legal_basis: e.list("RetsgrundlagListe", "Retsgrundlag", losses, read_legal_basis)?,
        subject_fields: read_texts(&mut e, "EmneomraadeListe", losses)?,
        relations: e.list("RelationListe", "Relation", losses, read_relation)?,
        mappings: e.list("MapningListe", "Mapning", losses, read_mapping)?,
        statements: read_statements(&mut e, losses)?,
    };
    e.finish(losses);
    Ok(fields)
}

fn write_alias(x: &mut Xml<'_>, alias: &Alias) -> io::Result<()> {
    x.text("VaerdiTekst", &alias.value)?;
    x.optional("SystemIdentifikator", alias.system.as_ref())?;
    x.instant("FraDatoTid", alias.from)?;
    x.instant("TilDatoTid", alias.to)
}

fn read_alias(e: &mut Element, _: &mut Losses) -> Result<Alias> {
    Ok(Alias {
        value: e.need("VaerdiTekst")?,
        system: e.text("SystemIdentifikator")?,
        from: e.parse("FraDatoTid")?,
        to: e.parse("TilDatoTid")?,
    })
}

fn write_term(x: &mut Xml<'_>, term: &Term) -> io::Result<()> {
    x.leaf("SprogKode", term.language.as_str())?;
    x.code("TermStatusKode", Some(term.status))?;
    x.text("VaerdiTekst", &term.value)?;
    x.code("TermFormKode", term.form)?;
    x.optional("KildeTekst", term.source.as_ref())?;
    x.optional("BegrundelseTekst", term.reason.as_ref())?;
    x.optional("ErstatningTekst", term.use_instead.as_ref())
}

fn read_term(e: &mut Element, _: &mut Losses) -> Result<Term> {
    Ok(Term {
        language: e.need_parsed("SprogKode")?,
        status: e.need_code("TermStatusKode")?,
        value: e.need("VaerdiTekst")?,
        form: e.code("TermFormKode")?,
        source: e.text("KildeTekst")?,
        reason: e.text("BegrundelseTekst")?,
        use_instead: e.text("ErstatningTekst")?,
    })
}

fn write_definition(x: &mut Xml<'_>, definition: &Definition) -> io::Result<()> {
    x.leaf("SprogKode", definition.language.as_str())?;
    x.optional("MaalgruppeTekst", definition.audience.as_ref())?;
    x.text("IndholdTekst", &definition.text)?;
    x.optional("KildeTekst", definition.source.as_ref())?;
    x.code("KildeRelationKode", definition.source_relation)
}

fn read_definition(e: &mut Element, _: &mut Losses) -> Result<Definition> {
    Ok(Definition {
        language: e.need_parsed("SprogKode")?,
        audience: e.text("MaalgruppeTekst")?,
        text: e.need("IndholdTekst")?,
        source: e.text("KildeTekst")?,
        source_relation: e.code("KildeRelationKode")?,
    })
}

fn write_note(x: &mut Xml<'_>, note: &Note) -> io::Result<()> {
    x.code("NoteTypeKode", Some(note.kind))?;
    x.leaf("SprogKode", note.language.as_str())?;
    x.text("IndholdTekst", &note.text)
}

fn read_note(e: &mut Element, _: &mut Losses) -> Result<Note> {
    Ok(Note {
        kind: e.need_code("NoteTypeKode")?,
        language: e.need_parsed("SprogKode")?,
        text: e.need("IndholdTekst")?,
    })
}

fn write_legal_basis(x: &mut Xml<'_>, basis: &LegalBasis) -> io::Result<()> {
    x.text("LovTekst", &basis.law)?;
    x.optional("ParagrafTekst", basis.paragraph.as_ref())?;
    x.optional("EliIdentifikator", basis.eli.as_ref())?;
    x.instant("FraDatoTid", basis.from)?;
    x.instant("TilDatoTid", basis.to)
}

fn read_legal_basis(e: &mut Element, _: &mut Losses) -> Result<LegalBasis> {
    Ok(LegalBasis {
        law: e.need("LovTekst")?,
        paragraph: e.text("ParagrafTekst")?,
        eli: e.text("EliIdentifikator")?,
        from: e.parse("FraDatoTid")?,
        to: e.parse("TilDatoTid")?,
    })
}

fn write_relation(x: &mut Xml<'_>, relation: &Relation) -> io::Result<()> {
    x.code("RelationTypeKode", Some(relation.kind))?;
    x.leaf("sd:UUIDIdentifikator", &relation.target.to_string())?;
    x.texts("InddelingskriteriumListe", &relation.criterion)?;
    x.texts("RolleListe", &relation.role)
}

fn read_relation(e: &mut Element, losses: &mut Losses) -> Result<Relation<Uuid>> {
    Ok(Relation {
        kind: e.need_code("RelationTypeKode")?,
        target: e.need_uuid()?,
        criterion: read_texts(e, "InddelingskriteriumListe", losses)?,
        role: read_texts(e, "RolleListe", losses)?,
    })
}

fn write_mapping(x: &mut Xml<'_>, mapping: &Mapping) -> io::Result<()> {
    x.code("MapningTypeKode", Some(mapping.kind))?;
    x.text("MaalIdentifikator", &mapping.target)
}

fn read_mapping(e: &mut Element, _: &mut Losses) -> Result<Mapping> {
    Ok(Mapping { kind: e.need_code("MapningTypeKode")?, target: e.need("MaalIdentifikator")? })
}

/// Writes statements; the header has them too.
pub(super) fn write_statements(x: &mut Xml<'_>, statements: &[Statement]) -> io::Result<()> {
    x.list("UdsagnListe", "Udsagn", statements, |x, s| {
        x.optional("SubjektTekst", s.subject.as_ref())?;
        x.text("PraedikatTekst", &s.predicate)?;
        x.text("ObjektTekst", &s.object)
    })
}

/// Reads statements.
pub(super) fn read_statements(e: &mut Element, losses: &mut Losses) -> Result<Vec<Statement>> {
    e.list("UdsagnListe", "Udsagn", losses, |e, _| {
        Ok(Statement {
            subject: e.text("SubjektTekst")?,
            predicate: e.need("PraedikatTekst")?,
            object: e.need("ObjektTekst")?,
        })
    })
}

/// Reads texts in languages.
pub(super) fn read_texts(e: &mut Element, list: &str, losses: &mut Losses) -> Result<Vec<Text>> {
    e.list(list, "SprogligTekst", losses, |e, _| {
        Ok(Text { language: e.need_parsed("SprogKode")?, text: e.need("IndholdTekst")? })
    })
}
