//! A document as HTML: a page of its own, or a part of another page.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::document::{Block, Document, Run, Style};
use super::markup;

/// How a page of its own looks, on the screen and on paper.
const STYLE: &str = "\
:root { color-scheme: light; --ink: #1a1a1a; --soft: #57606a; --line: #8c959f; --link: #004d6e; }
body { margin: 0; font: 1rem/1.5 \"Source Sans 3\", \"Segoe UI\", system-ui, sans-serif; color: var(--ink); background: #fff; }
main { max-width: 48rem; margin: 0 auto; padding: 2rem 1rem 4rem; overflow-wrap: anywhere; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 1rem; padding-bottom: .5rem; border-bottom: 3px solid var(--link); }
h2 { font-size: 1.4rem; line-height: 1.25; margin: 2.25rem 0 .5rem; }
h3 { font-size: 1.15rem; line-height: 1.3; margin: 1.75rem 0 .5rem; }
h4, h5, h6 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
h2 .number, h3 .number, h4 .number, h5 .number { color: var(--link); padding-right: .35em; }
p, ul { margin: .5rem 0; }
a { color: var(--link); }
table { border-collapse: collapse; width: 100%; margin: .75rem 0 1.25rem; font-size: .95rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .25rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border: 1px solid var(--line); overflow-wrap: break-word; }
.short { white-space: nowrap; }
thead th { background: #eaf1f5; }
tbody th { font-weight: 600; }
blockquote { margin: .5rem 0; padding: .1rem 0 .1rem 1rem; border-left: 4px solid var(--line); }
del { color: #82071e; background: #ffebe9; } del + ins { margin-left: .2em; } ins { color: #0a4d1c; background: #dafbe1; }
@media print { main { max-width: none; padding: 0; } h2, h3, h4, caption { break-after: avoid; } tr { break-inside: avoid; } }
@page { size: A4; margin: 2.5cm 2cm; }";

impl Document {
    /// The document as a page of its own, which needs no other file.
    #[must_use]
    pub fn html_page(&self) -> String {
        let (tag, title) = (self.tongue.tag(), markup(&self.title));
        format!(
            "<!doctype html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>\n{STYLE}\n</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
            self.body(1, ID)
        )
    }

    /// The document as a part of another page; its title is a heading of the level given (1 to 6).
    #[must_use]
    pub fn html_fragment(&self, level: u8) -> String {
        self.html_part(level, ID)
    }

    /// As [`Document::html_fragment`], for a page with several of them: what anchors begin with is another word in each.
    #[must_use]
    pub fn html_part(&self, level: u8, id: &'static str) -> String {
        let body = self.body(level, id);
        format!("<section lang=\"{}\" aria-labelledby=\"{id}\">\n{body}</section>\n", self.tongue.tag())
    }

    fn body(&self, top: u8, id: &str) -> String {
        let top = top.clamp(1, 6);
        let mut out = format!("<h{top} id=\"{id}\">{}</h{top}>\n", text(&self.title));
        for (at, (block, number)) in self.blocks.iter().zip(self.numbers()).enumerate() {
            tell(block, &number, (id, at), top, &mut out);
        }
        out
    }
}

/// What the anchors of a paper begin with.
const ID: &str = "paper";

// Writing into a String cannot fail; `let _` says so.

fn tell(block: &Block, number: &str, (id, at): (&str, usize), top: u8, out: &mut String) {
    match block {
        Block::Heading { level, text: heading } => {
            let level = level.saturating_add(top).min(6);
            let number = match number {
                "" => String::new(),
                number => format!("<span class=\"number\">{number}</span> "),
            };
            let _ = writeln!(out, "<h{level} id=\"{id}-{at}\">{number}{}</h{level}>", text(heading));
        }
        Block::Paragraph(runs) => {
            let _ = writeln!(out, "<p>{}</p>", inline(runs));
        }
        Block::Quote(runs) => {
            let _ = writeln!(out, "<blockquote><p>{}</p></blockquote>", inline(runs));
        }
        Block::List(items) => {
            out.push_str("<ul>\n");
            for item in items {
                let _ = writeln!(out, "<li>{}</li>", inline(item));
            }
            out.push_str("</ul>\n");
        }
        Block::Table { caption, header, rows } => {
            let _ = write!(out, "<table>\n<caption>{}</caption>\n<thead>\n<tr>", text(caption));
            for heading in header {
                let _ = write!(out, "<th scope=\"col\">{}</th>", text(heading));
            }
            out.push_str("</tr>\n</thead>\n<tbody>\n");
            for row in rows {
                out.push_str("<tr>");
                for (i, cell) in row.iter().enumerate() {
                    let (open, close) = if i == 0 { ("th scope=\"row\"", "th") } else { ("td", "td") };
                    let class = if is_short(cell) { " class=\"short\"" } else { "" };
                    let _ = write!(out, "<{open}{class}>{}</{close}>", inline(cell));
                }
                out.push_str("</tr>\n");
            }
            out.push_str("</tbody>\n</table>\n");
        }
    }
}

/// Whether a cell is a date, a number or a word, which no line should end in.
fn is_short(cell: &[Run]) -> bool {
    cell.iter().map(|r| r.text.chars().count()).sum::<usize>() <= 12
}

fn inline(runs: &[Run]) -> String {
    let mut out = String::new();
    for run in runs.iter().filter(|r| !r.text.is_empty()) {
        let text = text(&run.text);
        let _ = match (run.style, run.address()) {
            (_, Some(address)) => write!(out, "<a href=\"{}\">{text}</a>", markup(address)),
            (Style::Plain, None) => write!(out, "{text}"),
            (Style::Label, None) => write!(out, "<b>{text}</b>"),
            (Style::Strong, None) => write!(out, "<strong>{text}</strong>"),
            (Style::Removed, None) => write!(out, "<del>{text}</del>"),
            (Style::Added, None) => write!(out, "<ins>{text}</ins>"),
        };
    }
    out
}

/// A text with its line feeds as such.
fn text(text: &str) -> Cow<'_, str> {
    match markup(text) {
        plain if plain.contains('\n') => Cow::Owned(plain.replace('\n', "<br>")),
        plain => plain,
    }
}
