//! Files without our extension, or changed by someone who does not know it.

use super::*;

/// The file without any element of that name.
fn without(file: &str, name: &str) -> String {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut parts = file.split(&open);
    let head = parts.next().unwrap().to_owned();
    parts.fold(head, |kept, part| kept + part.split_once(&close).unwrap().1)
}

fn losses(incoming: &Incoming) -> Vec<(&str, u64)> {
    incoming.losses.iter().map(|l| (l.what.as_str(), l.count)).collect()
}

#[test]
fn a_klasse_alone_tells_what_it_can() {
    let file = without(&without(&rich_file(), "BegrebUdvidelse"), "UdtraekHoved");
    let incoming = reading(&file).unwrap();
    let frame = &incoming.frame;
    assert_eq!(frame.iri.as_deref(), Some(format!("urn:uuid:{}", uuid(900)).as_str()));
    assert_eq!(frame.identifiers, ["sociale-begreber"]);
    assert!(frame.titles[0].text.starts_with("Sociale begreber"));
    assert_eq!(frame.facets[0], ("ydelse".to_owned(), vec![da("Ydelse & <støtte>")]));
    let owners = ["facet", "klasse", "klassifikation"].map(|o| format!("element '{o}:RelationListe/sd:Ejer'"));
    let counted = losses(&incoming);
    assert_eq!(counted.len(), 6, "owner and responsible of three kinds: {counted:?}");
    for (owner, count) in owners.iter().zip([2, 6, 1]) {
        assert!(counted.contains(&(owner, count)), "{counted:?}");
    }

    let concepts = by_uuid(&incoming);
    let simple = &concepts[&uuid(1)].content;
    assert_eq!(simple.notation.as_deref(), Some("1"));
    assert_eq!(simple.terms, [Term::plain(Language::danish(), TermStatus::Preferred, "ydelse")]);
    assert_eq!(concepts[&uuid(3)].content.notation, None);

    let rich = concepts[&uuid(6)];
    assert_eq!(rich.keys, [Key(uuid(6).to_string())]);
    let f = &rich.content;
    assert_eq!((f.notation.as_ref(), f.facet.as_deref()), (None, Some("ydelse")));
    assert_eq!(f.terms[0].value, "døgn\u{fffd}ophold <&> ]]> \"'");
    assert_eq!(f.definitions, [Definition::plain(Language::danish(), "ophold \\u0041 \u{fffd} døgnet rundt")]);
    assert_eq!(
        f.legal_basis.iter().map(|l| l.law.as_str()).collect::<Vec<_>>(),
        ["Barnets lov", "Serviceloven, § 66, stk. 1"]
    );
    let related =
        |kind| f.relations.iter().filter(move |r| r.kind == kind).map(|r| r.target.0.clone()).collect::<Vec<_>>();
    assert_eq!(related(RelationKind::Generic), [uuid(1).to_string()]);
    assert_eq!(related(RelationKind::SeeAlso), [uuid(1).to_string()]);
    assert_eq!(related(RelationKind::LegalCombination), [uuid(2).to_string()]);
    assert_eq!(related(RelationKind::Replaces), [uuid(3).to_string()]);
    let targets: Vec<&str> = f.mappings.iter().map(|m| m.target.as_str()).collect();
    assert_eq!(targets, ["http://snomed.info/id/225337009?æ#ø", "urn:oid:1.2.3"]);
    let scope = f.notes.iter().find(|n| n.kind == NoteKind::Scope).unwrap();
    assert!(scope.text.chars().count() == 1024 && scope.text.ends_with('…'));

    let term = |value: &str| f.terms.iter().find(|t| t.value == value).unwrap();
    let deprecated = term("anbringelse uden for hjemmet");
    assert_eq!(
        (deprecated.status, deprecated.reason.as_deref()),
        (TermStatus::Deprecated, Some("forældet, siden 2014"))
    );
    assert_eq!(term("DØ").status, TermStatus::Admitted);
    assert_eq!(term("placment").status, TermStatus::Hidden);
    assert_eq!(term("residential\r\nplacement\rand\ttabs").language.as_str(), "und");
    assert!(f.terms.iter().any(|t| t.value.chars().count() > 1900));
}

#[test]
fn what_a_klasse_alone_tells_is_lawful() {
    let file = without(&rich_file(), "BegrebUdvidelse");
    for concept in reading(&file).unwrap().concepts {
        let fields = concept.content.try_map_targets(|key| Ok(Uuid::try_parse(&key.0).unwrap())).unwrap();
        Content::new(fields).unwrap();
    }
}

#[test]
fn the_facet_that_stands_in_is_read_as_none() {
    let file = written(&vocabulary(&[]), None, &[concept(1, simple("1", "ydelse"))]);
    let incoming = reading(&without(&without(&file, "BegrebUdvidelse"), "UdtraekHoved")).unwrap();
    assert_eq!((incoming.frame.facets.len(), incoming.concepts[0].content.facet.as_ref()), (0, None));
}

#[test]
fn a_klasse_that_was_changed_beside_its_extension_is_reported() {
    let file = rich_file().replacen("<sd:TitelTekst>ophold</sd:TitelTekst>", "<sd:TitelTekst>andet</sd:TitelTekst>", 1);
    let incoming = reading(&file).unwrap();
    assert_eq!(losses(&incoming), [("element 'klasse:Klasse'", 1)]);
    assert_eq!(by_uuid(&incoming)[&uuid(2)].content.terms[0].value, "ophold");
}

#[test]
fn what_has_no_place_is_counted() {
    let file = rich_file()
        .replace("<BegrebUdvidelse>", "<!-- note --><BegrebUdvidelse mærke=\"x\">løs tekst<Ny/><sd:TitelTekst/>")
        .replacen("<KlasseUdtraek>", "<?pi?><Helt><Nyt/></Helt><KlasseUdtraek>", 1)
        .replacen("<klasse:RelationListe>", "<klasse:RelationListe><sd:Redaktoerer/>", 1);
    let incoming = reading(&file).unwrap();
    assert_eq!(
        losses(&incoming),
        [
            ("attribute 'BegrebUdvidelse/@mærke'", 6),
            ("element 'BegrebUdvidelse/Ny'", 6),
            ("element 'BegrebUdvidelse/sd:TitelTekst'", 6),
            ("element 'Helt'", 1),
            ("element 'klasse:RelationListe/sd:Redaktoerer'", 1),
            ("processing instruction", 1),
            ("text in 'BegrebUdvidelse'", 6),
        ]
    );
    assert_eq!(incoming.concepts.len(), 6);
}

#[test]
fn a_history_is_read_as_its_newest_edition() {
    let effect = |to: &str| format!("<sd:Virkning><sd:TilTidspunkt>{to}</sd:TilTidspunkt></sd:Virkning>");
    let (ended, open) = (
        effect("<sd:TidsstempelDatoTid>2020-01-01T00:00:00</sd:TidsstempelDatoTid>"),
        effect("<sd:GraenseIndikator>true</sd:GraenseIndikator>"),
    );
    let registration = |at: &str, life: &str, title: &str| {
        let parent = |effect: &str, n| {
            let reference = format!("<sd:UUIDIdentifikator>{}</sd:UUIDIdentifikator>", uuid(n));
            format!("<sd:OverordnetKlasse>{effect}<sd:ReferenceID>{reference}</sd:ReferenceID></sd:OverordnetKlasse>")
        };
        format!(
            "<klasse:Registrering><sd:Tidspunkt>{at}</sd:Tidspunkt><sd:LivscyklusKode>{life}</sd:LivscyklusKode>\
             <klasse:AttributListe><klasse:Egenskab>{open}<sd:TitelTekst>{title}</sd:TitelTekst></klasse:Egenskab>\
             <klasse:Egenskab>{ended}<sd:TitelTekst>før</sd:TitelTekst></klasse:Egenskab></klasse:AttributListe>\
             <klasse:TilstandListe><klasse:PubliceretStatus><sd:ErPubliceretIndikator>false</sd:ErPubliceretIndikator>\
             </klasse:PubliceretStatus></klasse:TilstandListe>\
             <klasse:RelationListe>{}{}</klasse:RelationListe></klasse:Registrering>",
            parent(&ended, 1),
            parent(&open, 2)
        )
    };
    let klasse = |n, registrations: &str| {
        format!(
            "<KlasseUdtraek><klasse:Klasse><sd:UUIDIdentifikator>{}</sd:UUIDIdentifikator>{registrations}</klasse:Klasse>\
             </KlasseUdtraek>",
            uuid(n)
        )
    };
    let two = registration("2026-01-01T00:00:00+01:00", "Opstaaet", "nu")
        + &registration("2025-01-01T00:00:00", "Opstaaet", "engang");
    let file = format!(
        "<KlassifikationUdtraek xmlns=\"http://begreb.dk/xml/schemas/2026/11/22/\" xmlns:sd=\"urn:oio:sagdok:3.0.0\" \
         xmlns:klasse=\"http://stoettesystemerne.dk/klassifikation/klasse/6/\">{}{}</KlassifikationUdtraek>",
        klasse(10, &two),
        klasse(11, &registration("2026-01-01T00:00:00Z", "Slettet", "borte")),
    );
    let incoming = reading(&file).unwrap();
    assert_eq!(incoming.concepts.len(), 1);
    let f = &incoming.concepts[0].content;
    assert_eq!(f.terms[0].value, "nu");
    assert_eq!(f.relations, [Relation::plain(RelationKind::Generic, Key(uuid(2).to_string()))]);
    assert_eq!(
        losses(&incoming),
        [
            ("element 'klasse:Egenskab'", 1),
            ("element 'klasse:PubliceretStatus'", 1),
            ("element 'klasse:Registrering'", 1),
            ("element 'sd:OverordnetKlasse'", 1),
            ("klasse:Klasse", 1),
        ]
    );
}
