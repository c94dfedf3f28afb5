//! All answers of hearings as a spreadsheet (Office Open XML, ISO/IEC 29500).
//!
//! Every cell is a text, never a formula, whatever it begins with. A cell holds at most 32 767 characters; what is
//! longer goes on in the row below, which repeats what the row is about, says which part it is, and counts nothing
//! twice: verdicts and dispositions stand in the first row alone.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::moment::moment;
use super::note::{Disposition, PartyAnswer, agreement};
use super::{Tongue, lawful};
use crate::model::{Code, Instant, Refusal, Result};

/// The media type of the file.
pub const MEDIA_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// The most that a cell holds, in units of UTF-16, which is what the programs count.
const LONGEST: usize = 32_767;

/// All answers, to be written as a spreadsheet.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Answers {
    /// The title of the document.
    pub title: String,
    /// When it was made.
    #[schema(value_type = String)]
    pub generated: Instant,
    /// What was answered.
    pub items: Vec<AnswerItem>,
    /// Who was asked.
    pub parties: Vec<AnswerParty>,
}

/// What a party answered on one concept, or on the draft as a whole.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AnswerItem {
    /// The hearing.
    pub hearing: String,
    /// The party.
    pub party: String,
    /// Its organisation.
    pub organisation: String,
    /// When it answered.
    #[schema(value_type = Option<String>)]
    pub submitted: Option<Instant>,
    /// Whether that was after the deadline.
    pub late: bool,
    /// The notation of the concept; absent on the draft as a whole.
    pub notation: Option<String>,
    /// The term of the concept; absent on the draft as a whole.
    pub term: Option<String>,
    /// Whether the party agrees to the term.
    pub agrees_term: Option<bool>,
    /// Whether it agrees to the definition.
    pub agrees_definition: Option<bool>,
    /// The comment.
    pub comment: String,
    /// What came of it.
    pub disposition: Option<Disposition>,
    /// Why.
    pub reason: String,
    /// What was changed.
    pub edit: String,
}

/// A party that was asked.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct AnswerParty {
    /// The hearing.
    pub hearing: String,
    /// The party.
    pub party: String,
    /// Its organisation.
    pub organisation: String,
    /// When it was asked.
    #[schema(value_type = String)]
    pub invited: Instant,
    /// Whether it answered.
    pub answer: PartyAnswer,
    /// When it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub submitted: Option<Instant>,
    /// Whether that was after the deadline.
    #[serde(default)]
    pub late: bool,
}

/// A column: its heading in two languages, its width, and whether rows that go on repeat it.
struct Column(&'static str, &'static str, f64, Repeat);

/// What a row that goes on says in a column.
#[derive(Clone, Copy, PartialEq)]
enum Repeat {
    /// The same again: what the row is about.
    Again,
    /// The rest of the text, or nothing.
    Rest,
}

use Repeat::{Again, Rest};

const ITEMS: [Column; 14] = [
    Column("Høring", "Hearing", 24.0, Again),
    Column("Part", "Party", 24.0, Again),
    Column("Organisation", "Organisation", 24.0, Again),
    Column("Modtaget", "Received", 20.0, Again),
    Column("Efter fristen", "Late", 12.0, Again),
    Column("Kode", "Notation", 12.0, Again),
    Column("Term", "Term", 24.0, Again),
    Column("Enig i termen", "Agrees to the term", 12.0, Rest),
    Column("Enig i definitionen", "Agrees to the definition", 12.0, Rest),
    Column("Kommentar", "Comment", 60.0, Rest),
    Column("Vurdering", "Disposition", 20.0, Rest),
    Column("Begrundelse", "Reason", 50.0, Rest),
    Column("Ændring", "Edit", 50.0, Rest),
    Column("Del", "Part of row", 8.0, Rest),
];

const PARTIES: [Column; 8] = [
    Column("Høring", "Hearing", 24.0, Again),
    Column("Part", "Party", 24.0, Again),
    Column("Organisation", "Organisation", 30.0, Again),
    Column("Inviteret", "Invited", 20.0, Again),
    Column("Har svaret", "Answered", 24.0, Again),
    Column("Modtaget", "Received", 20.0, Again),
    Column("Efter fristen", "Late", 12.0, Again),
    Column("Del", "Part of row", 8.0, Rest),
];

impl Answers {
    /// The spreadsheet: one sheet of answers, one of parties.
    ///
    /// # Errors
    /// [`Code::TooLarge`] when a sheet needs more rows than the format has, which is 1 048 576.
    pub fn xlsx(&self, tongue: Tongue) -> Result<Vec<u8>> {
        self.workbook(tongue).map_err(|e| match e {
            XlsxError::RowColumnLimitError => Refusal::new(
                Code::TooLarge,
                "der er flere svar, end et regneark har rækker",
                "there are more answers than a spreadsheet has rows",
            )
            .allowed(["1048575"]),
            e => Refusal::new(Code::File, format!("kan ikke skrive: {e}"), format!("cannot write: {e}")),
        })
    }

    fn workbook(&self, tongue: Tongue) -> Result<Vec<u8>, XlsxError> {
        let mut book = Workbook::new();
        // Without a time of its own the writer would ask the machine's clock.
        let seconds = self.generated.micros().div_euclid(1_000_000);
        let made = ExcelDateTime::from_timestamp(seconds).or_else(|_| ExcelDateTime::from_timestamp(0))?;
        book.set_properties(&DocProperties::new().set_title(lawful_text(&self.title)).set_creation_datetime(&made));
        let items = self.items.iter().map(|i| i.cells(tongue));
        write(book.add_worksheet(), tongue.choose("Svar", "Answers"), &ITEMS, items, tongue)?;
        let parties = self.parties.iter().map(|p| p.cells(tongue));
        write(book.add_worksheet(), tongue.choose("Parter", "Parties"), &PARTIES, parties, tongue)?;
        book.save_to_buffer()
    }
}

impl AnswerItem {
    fn cells(&self, tongue: Tongue) -> [String; 14] {
        let said = |agrees: Option<bool>| match agrees {
            None => String::new(),
            agrees => agreement(agrees, tongue).to_owned(),
        };
        [
            self.hearing.clone(),
            self.party.clone(),
            self.organisation.clone(),
            time(self.submitted, tongue),
            yes(self.late, tongue),
            self.notation.clone().unwrap_or_default(),
            self.term.clone().unwrap_or_default(),
            said(self.agrees_term),
            said(self.agrees_definition),
            self.comment.clone(),
            self.disposition.map_or_else(String::new, |d| d.name(tongue).to_owned()),
            self.reason.clone(),
            self.edit.clone(),
            String::new(),
        ]
    }
}

impl AnswerParty {
    fn cells(&self, tongue: Tongue) -> [String; 8] {
        let answer = match self.answer {
            PartyAnswer::None => tongue.choose("nej", "no"),
            PartyAnswer::NoRemarks => tongue.choose("ja, ingen bemærkninger", "yes, no remarks"),
            PartyAnswer::Remarks => tongue.choose("ja, med bemærkninger", "yes, with remarks"),
        };
        [
            self.hearing.clone(),
            self.party.clone(),
            self.organisation.clone(),
            time(Some(self.invited), tongue),
            answer.to_owned(),
            time(self.submitted, tongue),
            yes(self.late, tongue),
            String::new(),
        ]
    }
}

fn time(at: Option<Instant>, tongue: Tongue) -> String {
    at.map_or_else(String::new, |at| moment(at, tongue))
}

fn yes(is_so: bool, tongue: Tongue) -> String {
    if is_so { tongue.choose("ja", "yes").to_owned() } else { String::new() }
}

/// A sheet of rows, each with as many cells as there are columns; the last is for the number of the part.
fn write<const N: usize>(
    sheet: &mut Worksheet,
    name: &str,
    columns: &[Column; N],
    rows: impl Iterator<Item = [String; N]>,
    tongue: Tongue,
) -> Result<(), XlsxError> {
    sheet.set_name(name)?;
    let head = Format::new().set_bold().set_text_wrap().set_background_color(0x00EA_F1F5);
    let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    for (column, Column(da, en, width, _)) in (0u16..).zip(columns) {
        sheet.set_column_width(column, *width)?;
        sheet.set_column_format(column, &wrapped)?;
        sheet.write_string_with_format(0, column, tongue.choose(*da, *en), &head)?;
    }
    let mut at = 0;
    for cells in rows {
        let parts = cells.each_ref().map(|cell| parts(cell));
        let count = parts.iter().map(Vec::len).max().unwrap_or(1).max(1);
        for part in 0..count {
            at += 1;
            for ((column, of), texts) in (0u16..).zip(columns).zip(&parts) {
                let again = || texts.first().filter(|_| of.3 == Again);
                if let Some(text) = texts.get(part).or_else(again).filter(|t| !t.is_empty()) {
                    sheet.write_string_with_format(at, column, text, &wrapped)?;
                }
            }
            if count > 1 {
                let number = format!("{}/{count}", part + 1);
                sheet.write_string_with_format(at, (N - 1) as u16, number, &wrapped)?;
            }
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet.autofilter(0, 0, at, (N - 1) as u16)?;
    sheet.set_landscape().set_repeat_rows(0, 0)?;
    Ok(())
}

/// The text as XML can hold it. A carriage return would be read as a line feed: it is one already, or it is none.
fn lawful_text(text: &str) -> String {
    text.replace("\r\n", "\n").chars().map(|c| if c == '\r' { '\n' } else { lawful(c) }).collect()
}

/// The text in parts that a cell can hold, cut between words where there is a place for that.
fn parts(text: &str) -> Vec<String> {
    let text = lawful_text(text);
    let mut out = Vec::new();
    let mut rest = &*text;
    while !rest.is_empty() {
        let (part, after) = rest.split_at(cut(rest));
        out.push(part.to_owned());
        rest = after;
    }
    out
}

/// Where the first part of a text ends, in bytes.
fn cut(text: &str) -> usize {
    let (mut units, mut space) = (0, 0);
    for (at, c) in text.char_indices() {
        units += c.len_utf16();
        if units > LONGEST {
            return if space > 0 { space } else { at };
        }
        if c.is_whitespace() {
            space = at + c.len_utf8();
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_words() {
        let text = "blåbær 𝄞 ".repeat(9000);
        let parts = parts(&text);
        assert_eq!(parts.len(), 3);
        assert!(parts.iter().all(|p| p.encode_utf16().count() <= LONGEST && p.ends_with(' ')));
        assert_eq!(parts.concat(), text);
        let one = super::parts(&"å".repeat(LONGEST + 1));
        assert_eq!(one.iter().map(|p| p.chars().count()).collect::<Vec<_>>(), [LONGEST, 1]);
        assert!(super::parts("").is_empty());
        assert_eq!(super::parts("a\r\nb\rc\u{1}\u{fffe}"), ["a\nb\nc\u{fffd}\u{fffd}"]);
    }
}
