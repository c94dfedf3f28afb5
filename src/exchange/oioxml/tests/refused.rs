//! What is broken is refused, with a code and a place, and nothing panics.

use proptest::prelude::*;

use super::*;
use crate::model::{Code, Refusal};

fn refusal(bytes: &[u8]) -> Refusal {
    read(Format::Oioxml, bytes, &options()).unwrap_err()
}

/// An envelope of ours around some XML, which begins on line 2.
fn envelope(body: &str) -> String {
    format!(
        "<KlassifikationUdtraek xmlns=\"http://begreb.dk/xml/schemas/2026/11/22/\" xmlns:sd=\"urn:oio:sagdok:3.0.0\" \
         xmlns:klasse=\"http://stoettesystemerne.dk/klassifikation/klasse/6/\">\n{body}</KlassifikationUdtraek>\n"
    )
}

/// Where that XML begins.
fn start() -> usize {
    envelope("").find('\n').map_or(0, |at| at + 1)
}

fn class(body: &str) -> String {
    envelope(&format!("<KlasseUdtraek>\n{body}</KlasseUdtraek>"))
}

fn told(body: &str) -> String {
    class(&format!("<klasse:Klasse/><BegrebUdvidelse>{body}</BegrebUdvidelse>"))
}

#[test]
fn bad_files_are_refused_in_place() {
    let many = envelope(&format!("<KlasseUdtraek {}/>", (0..70).map(|i| format!("a{i}='' ")).collect::<String>()));
    let deep = envelope(&format!("<KlasseUdtraek>{}", "<a>".repeat(100_000)));
    let klasse = |body: &str| class(&format!("<klasse:Klasse>{body}</klasse:Klasse>"));
    let uuid = "<sd:UUIDIdentifikator>22222222-2222-4222-8222-222222222222</sd:UUIDIdentifikator>";
    let registered = |body: &str| klasse(&format!("{uuid}\n<klasse:Registrering>{body}</klasse:Registrering>"));
    // What it is, the file, the code, the line and, where it matters, the column.
    type Case = (&'static str, Vec<u8>, Code, (u64, Option<u64>));
    let cases: Vec<Case> = vec![
        ("nothing", b"".to_vec(), Code::Syntax, (1, Some(1))),
        ("blank", b" \n ".to_vec(), Code::Syntax, (2, Some(2))),
        ("no XML", b"hej".to_vec(), Code::Syntax, (1, Some(1))),
        ("another root", b"<?xml version='1.0'?>\n<a/>".to_vec(), Code::Syntax, (2, Some(1))),
        ("JSON", b"{}".to_vec(), Code::Syntax, (1, Some(1))),
        ("Latin-1", b"<a>\n\xe6</a>".to_vec(), Code::Encoding, (2, None)),
        ("UTF-16", b"\xff\xfe<\0a\0".to_vec(), Code::Encoding, (1, None)),
        ("says Latin-1", b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>".to_vec(), Code::Encoding, (1, Some(1))),
        ("XML 1.1", b"<?xml version='1.1'?><a/>".to_vec(), Code::Syntax, (1, Some(1))),
        ("late declaration", b"\n<?xml version='1.0'?><a/>".to_vec(), Code::Syntax, (2, Some(1))),
        ("DTD", b"\n<!DOCTYPE a [<!ENTITY x 'y'>]>\n<a>&x;</a>".to_vec(), Code::Forbidden, (2, Some(1))),
        ("open DTD", b"\n\n <!DOCTYPE a [".to_vec(), Code::Forbidden, (3, Some(2))),
        ("nameless DTD", b"<!DOCTYPE>".to_vec(), Code::Forbidden, (1, None)),
        ("DTD inside", envelope("<!DOCTYPE a>").into(), Code::Forbidden, (2, Some(1))),
        ("a NUL", envelope("\0").into(), Code::Syntax, (2, Some(1))),
        ("a control character", envelope(" <a>\u{1}</a>").into(), Code::Syntax, (2, Some(5))),
        ("a reference to one", envelope("<a>&#1;</a>").into(), Code::Syntax, (2, Some(4))),
        ("an entity", envelope("<a>æ&nbsp;</a>").into(), Code::Syntax, (2, Some(5))),
        ("a bare &", envelope("<a>&</a>").into(), Code::Syntax, (2, Some(4))),
        ("cut in an element", envelope("<KlasseUdtraek>\n")[..start() + 12].into(), Code::Syntax, (2, None)),
        ("wrong end", envelope("<a>\n</b>").into(), Code::Syntax, (3, Some(1))),
        ("no prefix", envelope("<x:a/>").into(), Code::Syntax, (2, Some(1))),
        ("an attribute twice", envelope("<a b='' b=''/>").into(), Code::Syntax, (2, Some(1))),
        ("too many attributes", many.into(), Code::TooLarge, (2, Some(1))),
        ("too deep", deep.into(), Code::TooDeep, (2, None)),
        ("a second root", format!("{}<a/>", envelope("")).into(), Code::Syntax, (3, Some(1))),
        ("no klasse", class("").into(), Code::Incomplete, (2, Some(1))),
        ("no uuid", klasse("").into(), Code::Incomplete, (3, Some(1))),
        ("no registrering", klasse(uuid).into(), Code::Incomplete, (3, Some(1))),
        ("no attributes", registered("").into(), Code::Incomplete, (4, Some(1))),
        ("no time", registered("<sd:Tidspunkt>i går</sd:Tidspunkt>").into(), Code::InvalidTime, (4, Some(1))),
        (
            "no uuid at all",
            klasse("<sd:UUIDIdentifikator>x</sd:UUIDIdentifikator>").into(),
            Code::InvalidIdentifier,
            (3, Some(1)),
        ),
        ("no language", told("<TermListe><Term/></TermListe>").into(), Code::Incomplete, (3, Some(45))),
        (
            "a wrong language",
            told("<TermListe>\n<Term><SprogKode>da_DK</SprogKode></Term></TermListe>").into(),
            Code::InvalidLanguage,
            (4, Some(1)),
        ),
        (
            "a wrong code",
            told("<NoteListe>\n<Note><NoteTypeKode>x</NoteTypeKode></Note></NoteListe>").into(),
            Code::InvalidParameter,
            (4, Some(1)),
        ),
        (
            "a wrong time",
            told("<AliasListe>\n<Alias><VaerdiTekst>a</VaerdiTekst><FraDatoTid>x</FraDatoTid></Alias></AliasListe>")
                .into(),
            Code::InvalidTime,
            (4, Some(1)),
        ),
        (
            "a wrong escape",
            told("\n<NotationTekst escapet='true'>\\x</NotationTekst>").into(),
            Code::Syntax,
            (4, Some(1)),
        ),
        (
            "fewer classes than promised",
            envelope(&format!("<UdtraekHoved><KlasseAntalKvantitet>1</KlasseAntalKvantitet>{uuid}</UdtraekHoved>"))
                .into(),
            Code::Incomplete,
            (2, Some(1)),
        ),
        (
            "a promise that is no number",
            envelope("<UdtraekHoved><KlasseAntalKvantitet>en</KlasseAntalKvantitet></UdtraekHoved>").into(),
            Code::Syntax,
            (2, Some(1)),
        ),
    ];
    for (name, bytes, code, (line, column)) in cases {
        let refusal = refusal(&bytes);
        assert_eq!((refusal.code, refusal.place.line), (code, Some(line)), "{name}: {refusal}");
        assert!(column.is_none() || refusal.place.column == column, "{name}: {refusal}");
        assert!(!refusal.da.is_empty() && !refusal.en.is_empty(), "{name}");
    }
}

#[test]
fn a_deep_or_wide_file_is_refused_without_building_it() {
    let wide = envelope(&format!("<KlasseUdtraek>{}</KlasseUdtraek>", "<a/>".repeat(1_000_001)));
    assert_eq!(refusal(wide.as_bytes()).code, Code::TooLarge);
}

fn no_panic(bytes: &[u8]) {
    if let Err(refusal) = read(Format::Oioxml, bytes, &options()) {
        assert!(!refusal.place.is_empty(), "{refusal}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        no_panic(&bytes);
        let mut inside = envelope("").into_bytes();
        inside.splice(start()..start(), bytes);
        no_panic(&inside);
    }

    #[test]
    fn a_truncated_file_is_refused(cut in any::<prop::sample::Index>()) {
        let file = rich_file();
        let end = file.trim_end().len();
        let cut = cut.index(end);
        let refusal = refusal(&file.as_bytes()[..cut]);
        prop_assert!(matches!(refusal.code, Code::Syntax | Code::Encoding), "{}", refusal);
        prop_assert!(refusal.place.line.is_some(), "{}", refusal);
    }

    #[test]
    fn a_spoilt_file_is_survived(
        spots in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), Just(b'<'), Just(b'>')]), 1..4),
    ) {
        let mut file = rich_file().into_bytes();
        let length = file.len();
        for (spot, byte) in spots {
            file[spot.index(length)] = byte;
        }
        no_panic(&file);
    }
}
