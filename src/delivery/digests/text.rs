//! A digest in words: Danish or English, plain text, bounded.

use std::fmt::Write as _;

use super::news::{Group, Key, News, Stage};
use crate::exchange::paper::{Tongue, counted_name, told_kinds};
use crate::model::{
    ConceptChange, ConceptChangeKind, Date, DigestLanguage, Event, EventType, Frequency, Instant, Side,
    clock_in_denmark, today_in_denmark,
};
use crate::registry::{DigestSettings, Registry};

/// After how many bytes nothing more is listed; what ends a letter has room beyond.
const LONGEST: usize = 80_000;
/// How much of a term or title stands in a letter, and of a definition; in characters.
const MOST: usize = 150;
const MOST_OF_TEXT: usize = 400;

const MONTHS: [(&str, &str); 12] = [
    ("januar", "January"),
    ("februar", "February"),
    ("marts", "March"),
    ("april", "April"),
    ("maj", "May"),
    ("juni", "June"),
    ("juli", "July"),
    ("august", "August"),
    ("september", "September"),
    ("oktober", "October"),
    ("november", "November"),
    ("december", "December"),
];

/// Who writes, and in which language.
struct Pen<'r> {
    registry: &'r Registry,
    da: bool,
    out: String,
    full: bool,
}

/// Subject and text of a letter.
pub(super) fn written(
    registry: &Registry,
    news: &News,
    settings: &DigestSettings,
    link: &str,
    now: Instant,
) -> (String, String) {
    let da = settings.language == DigestLanguage::Da;
    let mut pen = Pen { registry, da, out: String::new(), full: false };
    let today = Instant::from_date(today_in_denmark(now));
    let subject = pen.subject(news, settings, today);
    let greeting = pen.choose("Hej\n\nDet er sket siden sidst", "Hello\n\nThis has happened since last time");
    pen.out.push_str(greeting);
    if let Some(name) = pen.code_set(settings) {
        let told = if da { format!(" med koder i »{name}«") } else { format!(" to codes in “{name}”") };
        pen.out.push_str(&told);
    }
    pen.out.push_str(":\n");
    for (key, group) in news.groups(today) {
        pen.group(key, group, today);
    }
    for event in news.hearings() {
        pen.hearing(event);
    }
    for event in news.frames() {
        pen.frame(event);
    }
    pen.end(news, settings.every, link);
    (subject, pen.out)
}

impl Pen<'_> {
    fn choose<'t>(&self, da: &'t str, en: &'t str) -> &'t str {
        if self.da { da } else { en }
    }

    fn tongue(&self) -> Tongue {
        if self.da { Tongue::Danish } else { Tongue::English }
    }

    fn subject(&self, news: &News, settings: &DigestSettings, today: Instant) -> String {
        let slugs = news.vocabularies();
        let named = slugs.iter().take(2).map(|slug| self.title(slug.as_str())).collect::<Vec<_>>().join(", ");
        let more = match slugs.len() {
            0..=2 => String::new(),
            n if self.da => format!(" og {} til", n - 2),
            n => format!(" and {} more", n - 2),
        };
        let set = self.code_set(settings).map_or_else(String::new, |name| format!(" ({name})"));
        let day = self.first_day(news, today).map_or_else(String::new, |day| format!(" – {day}"));
        cut(&format!("{} {named}{more}{set}{day}", self.choose("Nyt om", "News about")), MOST)
    }

    /// The first of the days that a letter tells of.
    fn first_day(&self, news: &News, today: Instant) -> Option<String> {
        let days = news.groups(today).into_iter().filter_map(|(key, _)| key.from.date());
        days.min().map(|day| self.day(day))
    }

    /// What its keeper calls the code set that a letter is about.
    fn code_set(&self, settings: &DigestSettings) -> Option<String> {
        let snapshot = self.registry.snapshot();
        let using = snapshot.usages.get(settings.code_set?)?;
        Some(cut(&using.usage.name.to_string(), MOST / 3))
    }

    /// What a vocabulary is called.
    fn title(&self, slug: &str) -> String {
        let snapshot = self.registry.snapshot();
        let language = self.choose("da", "en");
        let title = snapshot.by_slug(slug).map(|p| p.vocabulary().title(language).to_owned());
        cut(&title.filter(|t| !t.is_empty()).unwrap_or_else(|| slug.to_owned()), MOST / 3)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.registry.settings().public_url)
    }

    /// Writes a piece, unless the letter is full.
    fn say(&mut self, text: &str) -> bool {
        self.full |= self.out.len() + text.len() > LONGEST;
        if !self.full {
            self.out.push_str(text);
        }
        !self.full
    }

    fn group(&mut self, key: &Key, group: &Group, today: Instant) {
        let slug = key.vocabulary.as_str();
        let version = key.version.as_ref().map_or_else(String::new, |v| format!(", version {v}"));
        let day = key.from.date().map(|date| self.day(date));
        let when = match (day, key.stage) {
            (None, _) => self.choose("Gælder uden startdag", "In force without a first day").to_owned(),
            (Some(day), Stage::Effective) => format!("{} {day}", self.choose("Trådt i kraft", "In force since")),
            (Some(day), Stage::Decided) if key.from > today => {
                format!("{} {day}", self.choose("Gælder fra", "In force from"))
            }
            (Some(day), Stage::Decided) => {
                let already = self.choose("(allerede i kraft)", "(already)");
                format!("{} {day} {already}", self.choose("Gælder fra", "In force from"))
            }
        };
        let head = format!("{}{version}", self.title(slug));
        let rule = "=".repeat(head.chars().count());
        let whole = match &key.version {
            Some(version) => self.url(&format!("/id/{slug}/versions/{}", encoded(version.as_str()))),
            None => self.url(&format!("/id/{slug}")),
        };
        let counts = self.counts(group);
        if !self.say(&format!("\n{head}\n{rule}\n{when}{counts}\n{whole}\n")) {
            return;
        }
        let told = group.named().filter(|event| self.concept(key, event)).count();
        let rest = group.count() - told;
        if rest > 0 {
            let text = if self.da {
                format!("\n… og {rest} til; se dem alle her: {whole}\n")
            } else {
                format!("\n… and {rest} more; see all of them here: {whole}\n")
            };
            self.say(&text);
        }
    }

    /// How many concepts there are, by what happened to them.
    fn counts(&self, group: &Group) -> String {
        let count = group.count();
        if count == 0 {
            return String::new();
        }
        let noun = match (count, self.da) {
            (1, true) => "begreb",
            (_, true) => "begreber",
            (1, false) => "concept",
            (_, false) => "concepts",
        };
        let named = |kind, n: usize| counted_name(kind, u64::try_from(n).unwrap_or(u64::MAX), self.tongue());
        let kinds: Vec<_> = group.kinds.iter().map(|(kind, n)| format!("{n} {}", named(*kind, *n))).collect();
        format!("\n{count} {noun}: {}", kinds.join(", "))
    }

    /// What happened to a concept; whether there was room for it.
    fn concept(&mut self, key: &Key, event: &Event) -> bool {
        let Some(change) = &event.concept else { return true };
        let kinds = told_kinds(&change.kinds, change.meaning, self.tongue());
        let called = match (&change.before, &change.after) {
            (Some(before), Some(after)) if before != after => format!("{} → {}", name(before), name(after)),
            (Some(side), _) | (None, Some(side)) => name(side),
            (None, None) => change.uuid.to_string(),
        };
        let mut text = format!("\n- {called}: {}", kinds.join(", "));
        if let Some(to) = event.valid_to.and_then(Instant::date) {
            let _ = write!(text, " ({} {})", self.choose("indtil", "until"), self.day(to));
        }
        text.push('\n');
        if !change.replaced_by.is_empty() {
            let instead: Vec<_> = change.replaced_by.iter().take(5).map(|other| cut(&other.text(), MOST)).collect();
            let _ = writeln!(text, "  {} {}", self.choose("Brug i stedet:", "Use instead:"), instead.join("; "));
        }
        if change.kinds.contains(&ConceptChangeKind::Redefined) {
            self.definitions(change, &mut text);
        }
        let slug = key.vocabulary.as_str();
        // What is to come has its page in its version; what is gone has it where it says so.
        let place = match (&key.version, &change.after) {
            (Some(version), Some(_)) => format!("/id/{slug}/versions/{}/{}", encoded(version.as_str()), change.uuid),
            _ => format!("/id/{slug}/{}", change.uuid),
        };
        let _ = writeln!(text, "  {}", self.url(&place));
        self.say(&text)
    }

    /// The words of a definition before and after.
    fn definitions(&self, change: &ConceptChange, text: &mut String) {
        let Some(field) = change.fields.iter().find(|field| field.field == "definitions") else { return };
        let sides = [(self.choose("Før", "Before"), &field.before), (self.choose("Nu", "Now"), &field.after)];
        for (word, values) in sides {
            for value in values.iter().take(3) {
                if let Some(words) = value["text"].as_str() {
                    let _ = writeln!(text, "  {word}: {}", cut(words, MOST_OF_TEXT));
                }
            }
        }
    }

    fn hearing(&mut self, event: &Event) {
        let Some(hearing) = &event.hearing else { return };
        let (title, vocabulary) = (cut(&hearing.title, MOST), self.title(event.vocabulary.as_str()));
        let url = self.url(&format!("/hearings/{}", hearing.uuid));
        let until = moment(hearing.deadline, self.da);
        let text = match (event.r#type == EventType::HearingOpened, self.da) {
            (true, true) => format!("\nHøring om {vocabulary} er åben indtil {until}: {title}\n{url}\n"),
            (true, false) => format!("\nA hearing about {vocabulary} is open until {until}: {title}\n{url}\n"),
            (false, true) => format!("\nHøring om {vocabulary} er lukket: {title}\n{url}\n"),
            (false, false) => format!("\nA hearing about {vocabulary} has closed: {title}\n{url}\n"),
        };
        self.say(&text);
    }

    fn frame(&mut self, event: &Event) {
        let (title, url) = (self.title(event.vocabulary.as_str()), self.url(&format!("/id/{}", event.vocabulary)));
        let text = match (event.r#type == EventType::VocabularyCreated, self.da) {
            (true, true) => format!("\nNyt ordforråd: {title}\n{url}\n"),
            (true, false) => format!("\nA new vocabulary: {title}\n{url}\n"),
            (false, true) => format!("\nOplysningerne om {title} er ændret.\n{url}\n"),
            (false, false) => format!("\nWhat is said of {title} was changed.\n{url}\n"),
        };
        self.say(&text);
    }

    fn end(&mut self, news: &News, every: Frequency, link: &str) {
        if self.full || news.beyond() > 0 {
            let feed = self.url("/api/v1/changes.atom");
            let text = if self.da {
                format!("\nDer er sket mere, end der er plads til her: {feed}\n")
            } else {
                format!("\nMore has happened than there is room for here: {feed}\n")
            };
            self.out.push_str(&text);
        }
        let often = match (every, self.da) {
            (Frequency::AtOnce, true) => "når der sker noget",
            (Frequency::Daily, true) => "hver morgen, når der er sket noget",
            (Frequency::Weekly, true) => "hver mandag, når der er sket noget",
            (Frequency::AtOnce, false) => "when something happens",
            (Frequency::Daily, false) => "each morning when something has happened",
            (Frequency::Weekly, false) => "each Monday when something has happened",
        };
        let text = if self.da {
            format!(
                "\n-- \nDu får brev {often}, fordi du har bedt om det. Se hvad du har bedt om, eller afmeld:\n{link}\n"
            )
        } else {
            format!(
                "\n-- \nYou get a letter {often}, because you asked for it. See what you asked for, or end it:\n{link}\n"
            )
        };
        self.out.push_str(&text);
    }

    fn day(&self, date: Date) -> String {
        day(date, self.da)
    }
}

fn day(date: Date, da: bool) -> String {
    let month = usize::try_from(date.month() - 1).ok().and_then(|m| MONTHS.get(m)).copied().unwrap_or_default();
    let (day, year) = (date.day(), date.year());
    if da { format!("{day}. {} {year}", month.0) } else { format!("{day} {} {year}", month.1) }
}

/// A day and an hour, as a Danish clock shows it.
pub(super) fn moment(at: Instant, da: bool) -> String {
    let (day, clock) = (day(today_in_denmark(at), da), clock_in_denmark(at));
    let hour = clock.split_once('T').map(|(_, hour)| hour).unwrap_or_default();
    if da { format!("{day} kl. {}", hour.replace(':', ".")) } else { format!("{day} at {hour} (Danish time)") }
}

fn name(side: &Side) -> String {
    let notation = side.notation.as_deref().unwrap_or_default();
    cut(&format!("{notation} {}", side.label), MOST)
}

/// One line of a text, cut.
fn cut(text: &str, most: usize) -> String {
    let plain = |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c };
    let line = text.trim().chars().map(plain);
    let mut cut: String = line.clone().take(most).collect();
    if line.count() > most {
        cut.push('…');
    }
    cut
}

/// A segment of a path.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(b)),
            b => {
                let _ = write!(out, "%{b:02X}");
            }
        }
    }
    out
}
