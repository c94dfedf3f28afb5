//! The papers as a whole: a realistic note in every format, any text in any field.

use std::io::{Cursor, Read as _};

use calamine::{Data, Reader as _, Xlsx};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::model::{
    Content, ContentFields, Definition, Instant, Language, LegalBasis, Note, NoteKind, Relation, RelationKind, Side,
    Term, TermStatus, diff,
};

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn side(notation: &str, label: &str) -> Side {
    Side { notation: Some(notation.into()), label: label.into() }
}

fn name(of: Uuid) -> Side {
    match of.as_u128() {
        9 => side("J", "Praktiske opgaver i hjemmet"),
        8 => side("K", "Egenomsorg"),
        4 => side("J2.1", "Indkøb af varer"),
        _ => side("X", "Andet"),
    }
}

fn content(notation: &str, term: &str, definition: &str, change: impl FnOnce(&mut ContentFields)) -> Content {
    let mut f = ContentFields {
        notation: Some(notation.into()),
        terms: vec![Term::plain(Language::danish(), TermStatus::Preferred, term)],
        definitions: vec![Definition::plain(Language::danish(), definition)],
        relations: vec![Relation::plain(RelationKind::Generic, uuid(9))],
        ..ContentFields::default()
    };
    change(&mut f);
    Content::new(f).unwrap()
}

const HEARD: &str = "indsats, hvor en person får hjælp til at gøre rent i egen bolig";
const DECIDED: &str = "indsats, hvor en borger får hjælp eller støtte til at gøre rent i egen bolig";

fn law(paragraph: &str) -> LegalBasis {
    LegalBasis { law: "Serviceloven".into(), paragraph: Some(paragraph.into()), ..LegalBasis::default() }
}

fn cleaning() -> (Content, Content) {
    let synonym = |text: &str| Term::plain(Language::danish(), TermStatus::Admitted, text);
    let note = |text: &str| Note { kind: NoteKind::Scope, language: Language::danish(), text: text.into() };
    let before = content("J1", "Rengøring", HEARD, |f| {
        f.terms.extend([synonym("rengøringshjælp"), synonym("hjælp til rengøring")]);
        f.notes = vec![note("Omfatter ikke vinduespudsning.")];
        f.legal_basis = vec![law("§ 83, stk. 1")];
    });
    let after = content("J1", "Hjælp til rengøring", DECIDED, |f| {
        f.terms.push(synonym("rengøringshjælp i hjemmet"));
        f.notes = vec![note("Omfatter også vinduespudsning.")];
        f.legal_basis = vec![law("§ 83 a, stk. 1")];
        f.relations = vec![Relation::plain(RelationKind::Generic, uuid(8))];
        f.rank = Some(2);
    });
    (before, after)
}

fn diff_paper() -> DiffPaper {
    let (before, after) = cleaning();
    let shopping = content("J2", "Indkøb", "at købe <varer> *ind*", |_| {});
    let goods = content("J2.1", "Indkøb af varer", "at købe varer ind", |f| {
        f.relations = vec![Relation::plain(RelationKind::Replaces, uuid(2))];
    });
    let pairs =
        [(uuid(1), Some(&before), Some(&after)), (uuid(2), Some(&shopping), None), (uuid(4), None, Some(&goods))];
    let changes = diff(&pairs);
    let changed: Vec<Changed<'_>> = changes
        .iter()
        .zip(&pairs)
        .map(|(change, (_, before, after))| Changed { change, before: *before, after: *after })
        .collect();
    let reading = |label: &str, day: &str| Reading { at: at(day), label: Some(label.into()) };
    let (old, new) = (reading("2023-06-22", "2023-06-22"), reading("udkast 4", "2024-05-01T08:30:00Z"));
    DiffPaper::new("Fælles Sprog III", old, new, &changed, &name)
}

fn changed_concept() -> ConceptPaper {
    diff_paper().concepts.into_iter().find(|c| c.uuid == uuid(1)).unwrap()
}

fn remark(party: &str, agrees: [Option<bool>; 2], comment: &str) -> Remark {
    Remark {
        party: party.into(),
        agrees_term: agrees[0],
        agrees_definition: agrees[1],
        comment: comment.into(),
        late: false,
        disposition: None,
        reason: String::new(),
    }
}

fn note() -> HearingNote {
    let party = |organisation: &str, answer, submitted: Option<&str>| HearingParty {
        organisation: organisation.into(),
        invited: at("2026-08-17"),
        answer,
        submitted: submitted.map(at),
        late: false,
    };
    let wording =
        |term: &str, definition: &str| Some(Wording { term: term.into(), definition: Some(definition.into()) });
    let settled = |mut remark: Remark, disposition, reason: &str| {
        remark.disposition = Some(disposition);
        remark.reason = reason.into();
        remark
    };
    let aarhus = "Termen er for bred: »rengøring« kan også være borgerens egen.\n\n\
                  Vi foreslår:\n- Hjælp til rengøring\n- *Rengøringshjælp*";
    let late = Remark {
        late: true,
        ..remark("Dansk Socialrådgiverforening", [Some(true), Some(false)], "Skriv »borger« i stedet for »person«.")
    };
    HearingNote {
        title: "Høringsnotat: Indsatser efter serviceloven".into(),
        vocabulary: "Fælles Sprog III".into(),
        version: "udkast 4".into(),
        authority: Some("Social- og Boligstyrelsen".into()),
        generated: at("2026-10-20T09:15:00Z"),
        period: HearingPeriod {
            opened: at("2026-08-17"),
            deadline: at("2026-09-28"),
            extensions: vec![Extension {
                at: at("2026-09-10"),
                from: at("2026-09-14"),
                to: at("2026-09-28"),
                reason: "Flere kommuner bad om mere tid efter sommerferien.".into(),
            }],
            closed: Some(at("2026-10-05T10:00:00Z")),
        },
        letter:
            "Til høringsparterne\n\nHermed sendes udkast til begreber i høring.\nSvar bedes sendt senest ved fristen."
                .into(),
        parties: vec![
            party("Aarhus Kommune", PartyAnswer::Remarks, Some("2026-09-20T11:02:00Z")),
            HearingParty {
                late: true,
                ..party("Dansk Socialrådgiverforening", PartyAnswer::Remarks, Some("2026-10-01T07:45:00Z"))
            },
            party("KL", PartyAnswer::NoRemarks, Some("2026-09-01")),
            party("Danske Handicaporganisationer", PartyAnswer::None, None),
        ],
        general: vec![settled(
            remark("Aarhus Kommune", [None, None], "Kommunen bemærker, at finansieringen bør drøftes."),
            Disposition::OutOfScope,
            "Finansiering indgår ikke i begrebsarbejdet.",
        )],
        concepts: vec![
            ConceptHearing {
                uuid: uuid(1),
                notation: Some("J1".into()),
                before: wording("Rengøring", HEARD),
                retired: None,
                after: wording("Hjælp til rengøring", DECIDED),
                remarks: vec![
                    settled(
                        remark("Aarhus Kommune", [Some(false), Some(true)], aarhus),
                        Disposition::Accommodated,
                        "Termen er ændret til »Hjælp til rengøring«.",
                    ),
                    settled(late, Disposition::Partly, "»Borger« er indsat; »støtte« er tilføjet efter § 83."),
                ],
                changed: Some(changed_concept()),
            },
            ConceptHearing {
                uuid: uuid(4),
                notation: Some("J2.1".into()),
                before: wording("Indkøb af varer", "at købe varer ind"),
                retired: None,
                after: wording("Indkøb af varer", "at købe varer ind"),
                remarks: vec![remark("Aarhus Kommune", [Some(true), Some(true)], "")],
                changed: None,
            },
        ],
    }
}

fn answers() -> Answers {
    let item = |party: &str, comment: &str| AnswerItem {
        hearing: "Høring 2026".into(),
        party: party.into(),
        organisation: party.into(),
        submitted: Some(at("2026-09-20T11:02:00Z")),
        notation: Some("J1".into()),
        term: Some("Rengøring".into()),
        agrees_term: Some(false),
        agrees_definition: Some(true),
        comment: comment.into(),
        disposition: Some(Disposition::Accommodated),
        ..AnswerItem::default()
    };
    let party = AnswerParty {
        hearing: "Høring 2026".into(),
        party: "KL".into(),
        organisation: "KL".into(),
        invited: at("2026-08-17"),
        answer: PartyAnswer::NoRemarks,
        submitted: None,
        late: true,
    };
    let items = ["=1+1", "+45 12345678", "-x", "@SUM(A1)", "to\nlinjer"].map(|c| item("Aarhus Kommune", c));
    Answers { title: "Svar".into(), generated: at("2026-10-20"), items: items.to_vec(), parties: vec![party] }
}

/// The text of an entry of an archive.
fn entry(archive: &[u8], name: &str) -> String {
    let mut zip = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut text = String::new();
    zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// The character data of an XML document, its elements spaces; fails for what is no XML.
fn characters(xml: &str) -> String {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let mut out = String::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return out,
            Event::Text(text) => out.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().unwrap() {
                Some(c) => out.push(c),
                None => out.push_str(quick_xml::escape::resolve_predefined_entity(&reference).unwrap()),
            },
            // Pieces of one text stand in spans without a space between them.
            Event::Start(e) if e.name().as_ref() == "text:span" => {}
            Event::End(e) if e.name().as_ref() == "text:span" => {}
            _ => out.push(' '),
        }
    }
}

fn rows(xlsx: &[u8], sheet: &str) -> Vec<Vec<String>> {
    let mut book = Xlsx::new(Cursor::new(xlsx)).unwrap();
    let range = book.worksheet_range(sheet).unwrap();
    let text = |cell: &Data| match cell {
        Data::String(text) => text.clone(),
        Data::Empty => String::new(),
        other => panic!("a cell that is no text: {other:?}"),
    };
    range.rows().map(|row| row.iter().map(text).collect()).collect()
}

#[test]
fn a_diff_in_every_format() {
    let paper = diff_paper();
    insta::assert_json_snapshot!("diff_json", paper);
    let document = paper.document(Tongue::Danish);
    insta::assert_snapshot!("diff_markdown", document.markdown());
    insta::assert_snapshot!("diff_html", document.html_fragment(2));
    insta::assert_snapshot!("diff_english", paper.document(Tongue::English).markdown());
    let json = serde_json::to_string(&paper).unwrap();
    assert_eq!(serde_json::from_str::<DiffPaper>(&json).unwrap(), paper);
}

#[test]
fn no_uuid_is_shown() {
    for text in [diff_paper().document(Tongue::Danish).markdown(), diff_paper().document(Tongue::English).html_page()] {
        assert!(!text.contains("00000000-"), "{text}");
    }
}

#[test]
fn a_note_in_every_format() {
    let paper = NotePaper::from(note());
    insta::assert_json_snapshot!("note_summary", paper.summary);
    let document = paper.document(Tongue::Danish);
    insta::assert_snapshot!("note_markdown", document.markdown());
    insta::assert_snapshot!("note_html", document.html_page());
    insta::assert_snapshot!("note_english", paper.document(Tongue::English).markdown());
    let odt = document.odt(paper.note.generated).unwrap();
    insta::assert_snapshot!("note_odt_content", entry(&odt, "content.xml"));
    insta::assert_snapshot!("note_odt_meta", entry(&odt, "meta.xml"));
    let json = serde_json::to_string(&paper).unwrap();
    assert_eq!(serde_json::from_str::<NotePaper>(&json).unwrap(), paper);
    // To be looked at in a browser and in a word processor.
    if let Some(folder) = std::env::var_os("BEGREB_TEST_PAPERS") {
        let folder = std::path::Path::new(&folder);
        std::fs::write(folder.join("note.html"), document.html_page()).unwrap();
        std::fs::write(folder.join("note.odt"), odt).unwrap();
        std::fs::write(folder.join("diff.html"), diff_paper().document(Tongue::Danish).html_page()).unwrap();
        std::fs::write(folder.join("answers.xlsx"), answers().xlsx(Tongue::Danish).unwrap()).unwrap();
    }
}

#[test]
fn an_odt_is_an_open_document() {
    let odt = NotePaper::from(note()).document(Tongue::Danish).odt(at("2026-10-20")).unwrap();
    // ODF 1.3 part 2, 3.3: the media type stands uncompressed at byte 38, so that it can be known by its first bytes.
    assert_eq!(&odt[30..38], b"mimetype");
    assert_eq!(&odt[38..38 + ODT.len()], ODT.as_bytes());
    let manifest = entry(&odt, "META-INF/manifest.xml");
    for name in ["META-INF/manifest.xml", "meta.xml", "styles.xml", "content.xml"] {
        characters(&entry(&odt, name));
        assert!(name.starts_with("META-INF") || manifest.contains(&format!("full-path=\"{name}\"")), "{name}");
    }
    assert!(entry(&odt, "meta.xml").contains("<dc:language>da</dc:language>"));
    assert!(entry(&odt, "styles.xml").contains("fo:language=\"da\""));
    let content = entry(&odt, "content.xml");
    assert_eq!(content.matches("<table:table ").count(), content.matches("<table:table-header-rows>").count());
    let again = NotePaper::from(note()).document(Tongue::Danish).odt(at("2026-10-20")).unwrap();
    assert_eq!(odt, again, "the same note is the same bytes");
}

#[test]
fn a_spreadsheet_holds_texts_and_no_formulas() {
    let xlsx = answers().xlsx(Tongue::Danish).unwrap();
    let sheet = entry(&xlsx, "xl/worksheets/sheet1.xml");
    assert!(!sheet.contains("<f>") && sheet.contains("<autoFilter") && sheet.contains("state=\"frozen\""));
    let rows = rows(&xlsx, "Svar");
    assert_eq!(rows[0][9], "Kommentar");
    let comments: Vec<&str> = rows[1..].iter().map(|r| r[9].as_str()).collect();
    assert_eq!(comments, ["=1+1", "+45 12345678", "-x", "@SUM(A1)", "to\nlinjer"]);
    assert_eq!(rows[1][3..9], ["2026-09-20 kl. 13.02", "", "J1", "Rengøring", "nej", "ja"]);
    assert_eq!(super::tests::rows(&xlsx, "Parter")[1][4..7], ["ja, ingen bemærkninger", "", "ja"]);
    assert_eq!(answers().xlsx(Tongue::English).unwrap(), answers().xlsx(Tongue::English).unwrap());
}

#[test]
fn a_long_comment_goes_on_in_the_next_row() {
    let mut answers = answers();
    answers.items.truncate(1);
    answers.items[0].comment = "blåbærgrød ".repeat(7000);
    let rows = rows(&answers.xlsx(Tongue::English).unwrap(), "Answers");
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[1..].iter().map(|r| r[9].clone()).collect::<String>(), answers.items[0].comment);
    for (row, (part, agrees)) in rows[1..].iter().zip([("1/3", "no"), ("2/3", ""), ("3/3", "")]) {
        assert_eq!((&*row[1], &*row[5], &*row[13], &*row[7]), ("Aarhus Kommune", "J1", part, agrees));
    }
}

/// The words of a text, as every format can hold them.
fn words(text: &str) -> Vec<String> {
    let text: String = text.chars().map(|c| if c == '\r' { ' ' } else { lawful(c) }).collect();
    text.split_whitespace().map(str::to_owned).collect()
}

/// Markdown without its escapes.
fn unescaped(markdown: &str) -> String {
    let mut out = String::new();
    let mut chars = markdown.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek() {
            Some(next) if c == '\\' && next.is_ascii_punctuation() => out.extend(chars.next()),
            Some('\n') if c == '\\' => {}
            _ => out.push(c),
        }
    }
    out
}

fn html_text(html: &str) -> String {
    let mut out = String::new();
    for part in html.replace("<br>", " ").split('<') {
        out.push_str(part.split_once('>').map_or(part, |(_, text)| text));
    }
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "(?s).{0,40}",
        "[-=+@*_~`|<>&\\\\\\[\\]#$ .)\n\r\t0-9a-cæ]{0,40}",
        "[\u{0}-\u{20}\u{7f}-\u{a0}\u{fdd0}\u{fffe}\u{ffff}a]{0,20}",
        "(<!--|-->|]]>|&#0;|\\*\\*|~~|_x0041_|\n\n|\n- |1\\. |a| ){0,8}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_text_in_any_field(texts in prop::array::uniform8(any_text())) {
        let [title, comment, reason, letter, party, term, definition, general] = texts;
        let mut note = note();
        note.title = title.clone();
        note.letter = letter.clone();
        note.parties[0].organisation = party.clone();
        note.general[0].comment = general.clone();
        let concept = &mut note.concepts[0];
        concept.remarks[0].comment = comment.clone();
        concept.remarks[0].reason = reason.clone();
        concept.after = Some(Wording { term: term.clone(), definition: Some(definition.clone()) });
        if let Some(changed) = &mut concept.changed {
            changed.items[0].pieces = compare(&term, &definition);
        }
        let document = NotePaper::from(note).document(Tongue::Danish);
        let (markdown, html) = (document.markdown(), document.html_page());
        let content = entry(&document.odt(at("2026-10-20")).unwrap(), "content.xml");
        prop_assert!(content.chars().all(is_lawful) && html.chars().all(is_lawful));
        let told = [unescaped(&markdown).replace("<br>", " "), html_text(&html), characters(&content)];
        for text in [&title, &comment, &reason, &letter, &party, &term, &definition, &general] {
            for word in words(text) {
                for (format, told) in ["markdown", "html", "odt"].iter().zip(&told) {
                    prop_assert!(told.contains(&word), "{format} lost {word:?} of {text:?}");
                }
            }
        }
        // As many blocks as without any text: no text makes markup.
        prop_assert_eq!(html.matches("<tr>").count(), html.matches("</tr>").count());
        prop_assert_eq!(html.matches("<script").count(), 0);
        prop_assert!(markdown.lines().filter(|l| l.starts_with('#')).count() <= 12, "{}", markdown);
    }

    #[test]
    fn any_text_in_any_cell(texts in prop::array::uniform5(any_text())) {
        let [hearing, party, term, comment, edit] = texts;
        let mut answers = answers();
        answers.title = hearing.clone();
        let item = &mut answers.items[0];
        (item.hearing, item.party, item.term) = (hearing, party, Some(term));
        (item.comment, item.edit) = (comment.clone(), edit.clone());
        let xlsx = answers.xlsx(Tongue::Danish).unwrap();
        for part in ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "docProps/core.xml"] {
            characters(&entry(&xlsx, part));
        }
        prop_assert!(!entry(&xlsx, "xl/worksheets/sheet1.xml").contains("<f>"));
        let row = &rows(&xlsx, "Svar")[1];
        prop_assert_eq!(words(&row[9]), words(&comment));
        prop_assert_eq!(words(&row[12]), words(&edit));
    }
}

#[test]
fn two_thousand_answers_are_written() {
    let mut answers = answers();
    let comment = "Vi er enige i definitionen, men foreslår en anden term. ".repeat(10);
    answers.items = vec![AnswerItem { comment: comment.clone(), ..answers.items[0].clone() }; 2000];
    assert_eq!(rows(&answers.xlsx(Tongue::Danish).unwrap(), "Svar").len(), 2001);
    let mut note = note();
    let mut concept = note.concepts[0].clone();
    concept.remarks = vec![Remark { comment, ..concept.remarks[0].clone() }; 20];
    note.concepts = vec![concept; 100];
    let document = NotePaper::from(note).document(Tongue::Danish);
    assert!(document.odt(at("2026-10-20")).unwrap().len() < 1 << 20);
    assert!(document.markdown().len() > 1 << 20 && document.html_page().len() > 1 << 20);
}
