//! Reading the envelope: what it says of itself and of the vocabulary, then its classes.

use uuid::Uuid;

use super::facets::{Facets, stand_in};
use super::klasse::Klasse;
use super::parser::Parser;
use super::tree::{Element, Losses, Ns};
use super::{extension, object};
use crate::exchange::{Frame, Incoming, IncomingConcept, Key, ReadOptions};
use crate::model::{Code, ContentFields, Language, Place, Refusal, Result, Text};

/// Reads all of it.
pub(super) fn envelope(text: &str, options: &ReadOptions) -> Result<Incoming> {
    let mut losses = Losses::default();
    let mut parser = Parser::new(text)?;
    parser.open("KlassifikationUdtraek", &mut losses)?;
    let mut reading = Reading::new(options);
    while let Some(element) = parser.child(&mut losses)? {
        reading.child(element, &mut losses)?;
    }
    reading.done(losses)
}

struct Reading<'a> {
    options: &'a ReadOptions,
    incoming: Incoming,
    facets: Facets,
    /// The uuid of the klassifikation, when there is no header.
    klassifikation: Option<Uuid>,
    has_header: bool,
    /// How many classes the header promises, and where.
    promised: Option<(u64, Place)>,
    classes: u64,
}

impl<'a> Reading<'a> {
    fn new(options: &'a ReadOptions) -> Self {
        Self {
            options,
            incoming: Incoming::default(),
            facets: Facets::default(),
            klassifikation: None,
            has_header: false,
            promised: None,
            classes: 0,
        }
    }

    fn child(&mut self, e: Element, losses: &mut Losses) -> Result<()> {
        if e.is(Ns::Begreb, "UdtraekHoved") && !self.has_header {
            self.has_header = true;
            self.header(e, losses)
        } else if e.is(Ns::Klassifikation, "Klassifikation") {
            self.classification(e, losses)
        } else if e.is(Ns::Facet, "Facet") {
            self.facet(e, losses)
        } else if e.is(Ns::Begreb, "KlasseUdtraek") {
            self.class(e, losses)
        } else {
            losses.add(format!("element '{}'", e.shown()), "the format has no place for it");
            Ok(())
        }
    }

    fn header(&mut self, mut e: Element, losses: &mut Losses) -> Result<()> {
        self.promised = promised(&mut e)?;
        let vocabulary = e.need_uuid()?;
        let slug = e.text("KortnavnIdentifikator")?.unwrap_or_default();
        let read_facet = |e: &mut Element, losses: &mut Losses| {
            let titles = extension::read_texts(e, "TitelListe", losses)?;
            Ok((e.need_uuid()?, e.need("FacetKodeTekst")?, titles))
        };
        self.incoming.frame = Frame {
            iri: e.text("NavnerumIdentifikator")?,
            titles: extension::read_texts(&mut e, "TitelListe", losses)?,
            descriptions: extension::read_texts(&mut e, "BeskrivelseListe", losses)?,
            identifiers: texts(&mut e, "FremmedListe", "FremmedIdentifikator", losses)?,
            claimed_version: e.text("VersionIdentifikator")?,
            licence: e.text("LicensIdentifikator")?,
            languages: languages(&mut e, losses)?,
            facets: Vec::new(),
        };
        let facets = e.list("FacetListe", "FacetBetegnelse", losses, read_facet)?;
        // Of a vocabulary with facets it is one of them where it once stood for all; what is in it has no other.
        let stand_in = stand_in(vocabulary, &slug);
        let stands = facets.is_empty() || facets.iter().any(|(uuid, ..)| *uuid == stand_in);
        for (uuid, code, titles) in facets {
            self.facets.add(uuid, &code);
            self.incoming.frame.facets.push((code, titles));
        }
        self.facets.stand_in = Some(stand_in).filter(|_| stands);
        self.incoming.statements = extension::read_statements(&mut e, losses)?;
        // What the edition was where it came from; the registry makes its own.
        for claim in ["IndholdAftrykIdentifikator", "VirkningDatoTid", "RegistreringDatoTid", "EjerTekst"] {
            e.take(Ns::Begreb, claim);
        }
        e.finish(losses);
        Ok(())
    }

    /// The klassifikation says nothing that the header does not say better.
    fn classification(&mut self, e: Element, losses: &mut Losses) -> Result<()> {
        if self.has_header {
            return Ok(());
        }
        let Some(mut o) = object::read(e, Ns::Klassifikation, losses)? else { return Ok(()) };
        let text = |text: String| Text::new(self.options.language.clone(), &text).ok();
        let title = o.text("TitelTekst")?.or(o.text("KaldenavnTekst")?).and_then(text);
        let frame = &mut self.incoming.frame;
        frame.iri = Some(format!("urn:uuid:{}", o.uuid));
        frame.descriptions = o.text("BeskrivelseTekst")?.and_then(text).into_iter().collect();
        frame.titles = title.into_iter().collect();
        frame.languages = vec![self.options.language.clone()];
        frame.identifiers = o.text("BrugervendtNoegleTekst")?.into_iter().collect();
        match o.text("OphavsretTekst")? {
            Some(iri) if iri.contains(':') && !iri.contains(char::is_whitespace) => frame.licence = Some(iri),
            Some(_) => losses.add("element 'sd:OphavsretTekst'", "a licence is an IRI"),
            None => {}
        }
        self.klassifikation = Some(o.uuid);
        o.finish(losses);
        Ok(())
    }

    /// A facet; the header says it better.
    fn facet(&mut self, e: Element, losses: &mut Losses) -> Result<()> {
        if self.has_header {
            return Ok(());
        }
        let Some(mut o) = object::read(e, Ns::Facet, losses)? else { return Ok(()) };
        let uuid = o.uuid;
        let code = o.text("BrugervendtNoegleTekst")?.unwrap_or_else(|| uuid.to_string());
        let title = o.text("TitelTekst")?.and_then(|t| Text::new(self.options.language.clone(), &t).ok());
        o.take("FacetTilhoerer", losses)?;
        o.finish(losses);
        if self.klassifikation.is_some_and(|k| stand_in(k, &code) == uuid) {
            self.facets.stand_in = Some(uuid);
        } else {
            self.facets.add(uuid, &code);
            self.incoming.frame.facets.push((code, title.into_iter().collect()));
        }
        Ok(())
    }

    fn class(&mut self, mut e: Element, losses: &mut Losses) -> Result<()> {
        self.classes += 1;
        let place = e.place();
        let klasse = e.take(Ns::Klasse, "Klasse").ok_or_else(|| e.lacks("klasse:Klasse"))?;
        let told = e.take(Ns::Begreb, "BegrebUdvidelse").map(|e| extension::read(e, losses)).transpose()?;
        e.finish(losses);
        let Some(klasse) = object::read_klasse(klasse, told.is_some(), losses)? else { return Ok(()) };
        let uuid = klasse.uuid;
        let content = match told {
            Some(told) => self.whole(klasse, told, losses)?,
            None => klasse.into_content(&self.facets, &self.options.language, losses),
        };
        let mut keys: Vec<Key> = content.notation.iter().cloned().map(Key).collect();
        keys.push(Key(uuid.to_string()));
        self.incoming.concepts.push(IncomingConcept { keys, uuid: Some(uuid), content, place });
        Ok(())
    }

    /// The content that the extension tells. A klasse that says otherwise has been changed by someone who did
    /// not know the extension; that must not go unnoticed.
    fn whole(&self, klasse: Klasse, told: ContentFields, losses: &mut Losses) -> Result<ContentFields<Key>> {
        if Klasse::of(klasse.uuid, &told, &self.facets).fitted() != klasse {
            losses.add("element 'klasse:Klasse'", "it differs from the BegrebUdvidelse beside it, which was taken");
        }
        told.try_map_targets(|uuid| Ok(Key(uuid.to_string())))
    }

    fn done(mut self, losses: Losses) -> Result<Incoming> {
        if let Some((promised, place)) = self.promised
            && promised != self.classes
        {
            let da = format!("filen har {} klasser, men lover {promised}", self.classes);
            let en = format!("the file has {} classes but promises {promised}", self.classes);
            return Err(Refusal::new(Code::Incomplete, da, en).at(place));
        }
        self.incoming.losses = losses.into_vec();
        Ok(self.incoming)
    }
}

fn promised(e: &mut Element) -> Result<Option<(u64, Place)>> {
    let Some(text) = e.text("KlasseAntalKvantitet")? else { return Ok(None) };
    match text.trim().parse() {
        Ok(count) => Ok(Some((count, e.place()))),
        Err(_) => Err(e.refuse(Code::Syntax, "antallet af klasser er intet tal", "the number of classes is no number")),
    }
}

fn texts(e: &mut Element, list: &str, item: &str, losses: &mut Losses) -> Result<Vec<String>> {
    e.list(list, item, losses, |e, _| e.own_text())
}

fn languages(e: &mut Element, losses: &mut Losses) -> Result<Vec<Language>> {
    let place = e.place();
    let tags = texts(e, "SprogListe", "SprogKode", losses)?;
    tags.iter().map(|tag| tag.trim().parse().map_err(|r: Refusal| r.at(place.clone()))).collect()
}
