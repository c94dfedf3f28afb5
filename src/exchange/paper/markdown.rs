//! A document as Markdown, as GitHub reads it (GFM).
//!
//! A text can never become markup: what could is escaped. Struck and bold words need white space around them to be
//! read as such, so a change inside a word is told as the whole word before and after.

use super::document::{Block, Document, Run, Style};
use super::lawful;

impl Document {
    /// The document as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = format!("# {}\n", line(&self.title));
        for (block, number) in self.blocks.iter().zip(self.numbers()) {
            out.push('\n');
            tell(block, &number, &mut out);
        }
        out
    }
}

fn tell(block: &Block, number: &str, out: &mut String) {
    match block {
        Block::Heading { level, text } => {
            out.push_str(&"#".repeat(usize::from(*level + 1).min(6)));
            if !number.is_empty() {
                out.push(' ');
                out.push_str(number);
            }
            out.push(' ');
            out.push_str(&line(text));
            out.push('\n');
        }
        Block::Paragraph(runs) => {
            out.push_str(&inline(runs, "\\\n"));
            out.push('\n');
        }
        Block::Quote(runs) => {
            out.push_str("> ");
            out.push_str(&inline(runs, "\\\n> "));
            out.push('\n');
        }
        Block::List(items) => {
            for item in items {
                out.push_str("- ");
                out.push_str(&inline(item, "\\\n  "));
                out.push('\n');
            }
        }
        Block::Table { caption, header, rows } => table(caption, header, rows, out),
    }
}

fn table(caption: &str, header: &[String], rows: &[Vec<Vec<Run>>], out: &mut String) {
    out.push_str(&format!("{}:\n\n", line(caption)));
    let mut row = |cells: Vec<String>| {
        out.push_str("| ");
        out.push_str(&cells.join(" | "));
        out.push_str(" |\n");
    };
    row(header.iter().map(|h| line(h)).collect());
    row(header.iter().map(|_| "---".to_owned()).collect());
    rows.iter().for_each(|cells| row(cells.iter().map(|c| inline(c, "<br>")).collect()));
}

/// A text on one line.
fn line(text: &str) -> String {
    inline(&[Run::plain(text.split_whitespace().collect::<Vec<_>>().join(" "))], " ")
}

/// The runs with every change widened to the words it stands in.
fn widened(runs: &[Run]) -> Vec<Run> {
    let mut out = Vec::new();
    let mut group: Vec<(Style, &str)> = Vec::new();
    for run in runs {
        match run.style {
            Style::Removed | Style::Added => group.push((run.style, run.text.as_str())),
            Style::Plain if run.link.is_none() => {
                for chunk in chunks(&run.text) {
                    if chunk.starts_with(char::is_whitespace) {
                        settle(&mut group, &mut out);
                        out.push(Run::plain(chunk));
                    } else {
                        group.push((Style::Plain, chunk));
                    }
                }
            }
            _ => {
                settle(&mut group, &mut out);
                out.push(run.clone());
            }
        }
    }
    settle(&mut group, &mut out);
    out
}

/// Words and the white space between them, in turn.
fn chunks(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is_space = rest.chars().next()?.is_whitespace();
        let end = rest.find(|c: char| c.is_whitespace() != is_space).unwrap_or(rest.len());
        let (chunk, after) = rest.split_at(end);
        rest = after;
        Some(chunk)
    })
}

/// Ends a group of pieces that no white space parts: what it was and what it is, but for a first and a last word that
/// stand in both.
fn settle(group: &mut Vec<(Style, &str)>, out: &mut Vec<Run>) {
    let without = |style| group.iter().filter(|(s, _)| *s != style).map(|(_, text)| *text).collect::<String>();
    let (before, after) = (without(Style::Added), without(Style::Removed));
    let is_changed = group.iter().any(|(style, _)| *style != Style::Plain);
    group.clear();
    if !is_changed {
        if !after.is_empty() {
            out.push(Run::plain(after));
        }
        return;
    }
    let last = |text: &str| text.rsplit(char::is_whitespace).next().unwrap_or_default().to_owned();
    let end = Some(last(&after)).filter(|end| *end == last(&before)).unwrap_or_default();
    let (before, after) = (&before[..before.len() - end.len()], &after[..after.len() - end.len()]);
    let first = |text: &str| text.split(char::is_whitespace).next().unwrap_or_default().to_owned();
    let start = Some(first(after)).filter(|start| *start == first(before)).unwrap_or_default();
    let parts = [
        (Style::Plain, &*start),
        (Style::Removed, &before[start.len()..]),
        (Style::Added, &after[start.len()..]),
        (Style::Plain, &*end),
    ];
    for (style, text) in parts.into_iter().filter(|(_, text)| !text.is_empty()) {
        if out.last().is_some_and(|r| !r.text.ends_with(char::is_whitespace)) {
            out.push(Run::plain(" "));
        }
        out.push(Run::new(style, text));
    }
}

/// Runs as Markdown; `feed` begins a new line.
fn inline(runs: &[Run], feed: &str) -> String {
    let mut out = Inline { out: String::new(), feed, at_start: true, gap: false };
    for run in widened(runs) {
        let (open, close) = match (&run.style, run.address()) {
            (_, Some(_)) => ("[", "]"),
            (Style::Plain, None) => ("", ""),
            (Style::Label, None) => ("*", "*"),
            (Style::Strong | Style::Added, None) => ("**", "**"),
            (Style::Removed, None) => ("~~", "~~"),
        };
        let close = run.address().map_or_else(|| close.to_owned(), |a| format!("](<{}>)", address(a)));
        for (i, text) in run.text.split('\n').enumerate() {
            if i > 0 {
                out.feed();
            }
            out.line(text, open, &close);
        }
    }
    out.out
}

/// An address between angle brackets.
fn address(address: &str) -> String {
    let encode = |c: char| match c {
        '<' | '>' | '\\' | '&' => format!("%{:02X}", u32::from(c)),
        c if c.is_whitespace() || c.is_control() => "%20".to_owned(),
        c => c.to_string(),
    };
    address.chars().map(encode).collect()
}

struct Inline<'a> {
    out: String,
    feed: &'a str,
    at_start: bool,
    gap: bool,
}

impl Inline<'_> {
    /// A new line; nothing at the very start, where there is none to end.
    fn feed(&mut self) {
        if !self.out.is_empty() {
            self.out.push_str(self.feed);
            (self.at_start, self.gap) = (true, false);
        }
    }

    /// A text without line feeds, between marks that stand close to it.
    fn line(&mut self, text: &str, open: &str, close: &str) {
        let (words, end) = (text.trim(), text.ends_with(char::is_whitespace));
        self.gap |= text.starts_with(char::is_whitespace);
        if words.is_empty() {
            return;
        }
        if self.gap && !self.at_start {
            self.out.push(' ');
        }
        self.out.push_str(open);
        escape(words, self.at_start && open.is_empty(), &mut self.out);
        self.out.push_str(close);
        (self.at_start, self.gap) = (false, end);
    }
}

/// Writes the text so that none of it is markup.
fn escape(text: &str, at_start: bool, out: &mut String) {
    if at_start {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits > 0 && text[digits..].starts_with(['.', ')']) {
            out.push_str(&text[..digits]);
            out.push('\\');
            return escape(&text[digits..], false, out);
        }
        if text.starts_with(['-', '+', '=']) {
            out.push('\\');
        }
    }
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '~' | '|' | '$' | '#' => {
                out.push('\\');
                out.push(c);
            }
            '\u{2028}' | '\u{2029}' | '\t' | '\r' => out.push(' '),
            c => out.push(lawful(c)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::compare;
    use super::*;

    fn told(before: &str, after: &str) -> String {
        inline(&compare(before, after).iter().map(Run::from).collect::<Vec<_>>(), "<br>")
    }

    #[test]
    fn marks_stand_around_whole_words() {
        for (before, after, expected) in [
            ("at klare sig selv", "at klare alt selv", "at klare ~~sig~~ **alt** selv"),
            ("støtte til borger", "støtte til borger.", "støtte til ~~borger~~ **borger.**"),
            ("en voksen person", "en person", "en ~~voksen~~ person"),
            ("(gammel)", "(ny)", "~~(gammel)~~ **(ny)**"),
            ("", "ny tekst", "**ny tekst**"),
            ("a, b, c", "a; b; c", "~~a,~~ **a;** ~~b,~~ **b;** c"),
            ("en\nto", "en\ntre", "en<br>~~to~~ **tre**"),
            ("§ 83, stk. 1", "§ 83 a, stk. 1", "§ ~~83,~~ **83 a,** stk. 1"),
        ] {
            assert_eq!(told(before, after), expected, "{before:?} {after:?}");
        }
    }

    #[test]
    fn text_is_never_markup() {
        for (text, expected) in [
            ("1. punkt", "1\\. punkt"),
            ("- punkt", "\\- punkt"),
            ("# nr. 1 *x* _y_ `z`", "\\# nr. 1 \\*x\\* \\_y\\_ \\`z\\`"),
            ("a\n2) b", "a<br>2\\) b"),
            ("<b>&amp;|", "\\<b\\>\\&amp;\\|"),
            ("[x](javascript:y)", "\\[x\\](javascript:y)"),
        ] {
            assert_eq!(inline(&[Run::plain(text)], "<br>"), expected);
        }
        assert_eq!(inline(&[Run::link("a]b", "https://x.dk/<y>")], " "), "[a\\]b](<https://x.dk/%3Cy%3E>)");
        assert_eq!(inline(&[Run::link("a", "javascript:x")], " "), "a");
    }
}
