//! Plain text for people: tables, wrapped text, dates, and colours where a terminal shows them.

use std::borrow::Cow;
use std::io::{ErrorKind, IsTerminal, Write};

/// Writes to stdout. A reader that has seen enough (`| head`) is no error.
pub fn out(text: &str) {
    let mut stdout = Stdout(std::io::stdout().lock());
    let text = if stdout.0.is_terminal() { harmless(text) } else { Cow::Borrowed(text) };
    if stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err() {
        std::process::exit(1);
    }
}

/// Writes to stderr; where nobody listens, nothing is said.
pub fn err(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let text = if stderr.is_terminal() { harmless(text) } else { Cow::Borrowed(text) };
    let _ = stderr.write_all(text.as_bytes());
}

/// The text without what steers a terminal: control characters but line breaks, tabs and our own colours, and characters
/// that turn the direction of writing. A server's texts are anybody's. A pipe gets them as they are.
fn harmless(text: &str) -> Cow<'_, str> {
    let steers = |c: char| {
        let turns =
            matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        (c.is_control() && c != '\n' && c != '\t') || turns
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while !rest.is_empty() {
        let colour = COLOURS.iter().find_map(|colour| Some((*colour, rest.strip_prefix(*colour)?)));
        rest = if let Some((colour, after)) = colour {
            kept.push_str(colour);
            after
        } else {
            let mut chars = rest.chars();
            kept.extend(chars.next().filter(|c| !steers(*c)));
            chars.as_str()
        };
    }
    Cow::Owned(kept)
}

/// What [`Paint`] writes. From elsewhere they can do no more than colour.
const COLOURS: [&str; 5] = ["\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m"];

/// Standard output that ends the process quietly when its reader has gone.
pub struct Stdout<W: Write>(pub W);

impl<W: Write> Stdout<W> {
    fn kept<T>(result: std::io::Result<T>) -> std::io::Result<T> {
        match result {
            Err(e) if e.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
            other => other,
        }
    }
}

impl<W: Write> Write for Stdout<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Self::kept(self.0.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Self::kept(self.0.flush())
    }
}

/// Colours, or none: on a pipe, with `NO_COLOR`, on a dumb terminal.
#[derive(Clone, Copy)]
pub struct Paint(bool);

impl Paint {
    /// For standard output.
    pub fn stdout() -> Self {
        Self(std::io::stdout().is_terminal() && wanted())
    }

    /// For standard error.
    pub fn stderr() -> Self {
        Self(std::io::stderr().is_terminal() && wanted())
    }

    /// No colours.
    #[cfg(test)]
    pub fn none() -> Self {
        Self(false)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// What is wrong or gone.
    pub fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    /// What is right or new.
    pub fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// What is changed.
    pub fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    /// What comes first.
    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// The sign of a line, in its colour.
    pub fn sign(self, sign: &str) -> String {
        match sign {
            "+" => self.green(sign),
            "-" => self.red(sign),
            "~" => self.yellow(sign),
            _ => sign.to_owned(),
        }
    }
}

fn wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) && std::env::var_os("TERM").is_none_or(|v| v != "dumb")
}

/// Aligned columns.
#[derive(Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
    right: Vec<usize>,
}

impl Table {
    /// A table with the columns at these places flush right.
    pub fn right(columns: impl IntoIterator<Item = usize>) -> Self {
        Self { rows: Vec::new(), right: columns.into_iter().collect() }
    }

    /// Adds a row.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines, each after `indent`, without white space at their ends.
    pub fn text(&self, indent: &str) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |c: usize| self.rows.iter().filter_map(|r| r.get(c)).map(|s| length(s)).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = indent.to_owned();
            for (c, cell) in row.iter().enumerate() {
                let gap = " ".repeat(widths[c] - length(cell));
                let parts = if self.right.contains(&c) { [gap.as_str(), cell] } else { [cell.as_str(), &gap] };
                if c > 0 {
                    line.push_str("  ");
                }
                parts.iter().for_each(|part| line.push_str(part));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// How many characters are seen: colours are not.
fn length(text: &str) -> usize {
    let (mut n, mut hidden) = (0, false);
    for c in text.chars() {
        match (hidden, c) {
            (false, '\x1b') => hidden = true,
            (true, 'm') => hidden = false,
            (true, _) => {}
            (false, _) => n += 1,
        }
    }
    n
}

/// The width that text is wrapped to: that of the terminal; no limit on a pipe.
pub fn width() -> usize {
    if !std::io::stdout().is_terminal() {
        return usize::MAX;
    }
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    columns.filter(|c| *c >= 40).unwrap_or(100)
}

/// Breaks a text at white space into lines of at most `width`; its own line breaks stay.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && length(&line).saturating_add(1 + length(word)) > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

/// An instant as people write it: the day alone when it is the beginning of one.
pub fn day(instant: &str) -> String {
    match instant {
        "infinity" | "-infinity" | "" => "—".into(),
        _ => match instant.strip_suffix("T00:00:00Z") {
            Some(day) => day.to_owned(),
            None => {
                let (day, time) = instant.split_once('T').unwrap_or((instant, ""));
                format!("{day} {}", time.split('.').next().unwrap_or_default().trim_end_matches('Z')).trim_end().into()
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        let mut table = Table::right([1]);
        table.row(["ny", "7", "x"]);
        table.row(["ændret", "12", ""]);
        table.row(["\x1b[31mud\x1b[0m", "100"]);
        assert_eq!(table.text("  "), "  ny        7  x\n  ændret   12\n  \x1b[31mud\x1b[0m      100\n");
    }

    #[test]
    fn texts_of_others_do_not_steer_the_terminal() {
        assert_eq!(harmless("a\tb\nc æ"), "a\tb\nc æ");
        assert_eq!(harmless("\x1b[31mud\x1b[0m"), "\x1b[31mud\x1b[0m");
        assert_eq!(harmless("a\x1b]0;x\x07b\x1b[2Jc\r\u{9b}d"), "a]0;xb[2Jcd");
        assert_eq!(harmless("kode\u{202e}edok\u{2066}\u{200f}"), "kodeedok");
    }

    #[test]
    fn text_is_wrapped_at_white_space() {
        assert_eq!(wrap("at være i stand til\nat gå", 10), ["at være i", "stand til", "at gå"]);
        assert_eq!(wrap("etmegetlangtord x", 5), ["etmegetlangtord", "x"]);
        assert_eq!(wrap("a b", usize::MAX), ["a b"]);
    }

    #[test]
    fn days_and_instants() {
        assert_eq!(day("2024-10-31T00:00:00Z"), "2024-10-31");
        assert_eq!(day("2024-10-31T12:34:56.789Z"), "2024-10-31 12:34:56");
        assert_eq!(day("infinity"), "—");
    }
}
