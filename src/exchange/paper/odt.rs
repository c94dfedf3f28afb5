//! A document as an OpenDocument text (ODF 1.3, ISO/IEC 26300): what word processors open and records systems keep.
//!
//! Headings have their outline levels and the numbers of the outline, tables their rows of headings, the document its
//! title and language: what a screen reader goes by.

use std::fmt::Write as _;
use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::document::{Block, Document, Run, Style};
use super::markup;
use crate::model::{Code, Instant, Refusal, Result};

/// What the file is: its media type, which is also the first entry of the archive, not compressed, so that it stands
/// at a known place.
pub const MEDIA_TYPE: &str = "application/vnd.oasis.opendocument.text";

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

const MANIFEST: &str = r#"<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3">
<manifest:file-entry manifest:full-path="/" manifest:version="1.3" manifest:media-type="application/vnd.oasis.opendocument.text"/>
<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>
<manifest:file-entry manifest:full-path="styles.xml" manifest:media-type="text/xml"/>
<manifest:file-entry manifest:full-path="meta.xml" manifest:media-type="text/xml"/>
</manifest:manifest>
"#;

/// The namespaces of content and styles.
const NAMESPACES: &str = concat!(
    r#" xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0""#,
    r#" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0""#,
    r#" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0""#,
    r#" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0""#,
    r#" xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0""#,
    r#" xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0""#,
    r#" xmlns:xlink="http://www.w3.org/1999/xlink""#,
    r#" office:version="1.3""#
);

/// The looks of words and cells that stand in the content.
const AUTOMATIC: &str = r##"<office:automatic-styles>
<style:style style:name="Removed" style:family="text"><style:text-properties fo:color="#82071e" style:text-line-through-style="solid" style:text-line-through-type="single"/></style:style>
<style:style style:name="Added" style:family="text"><style:text-properties fo:color="#0a4d1c" style:text-underline-style="solid" style:text-underline-width="auto" style:text-underline-color="font-color"/></style:style>
<style:style style:name="Bullets" style:family="paragraph" style:parent-style-name="Standard" style:list-style-name="List"/>
<style:style style:name="Cell" style:family="table-cell"><style:table-cell-properties fo:padding="0.12cm" fo:border="0.5pt solid #8c959f"/></style:style>
<style:style style:name="HeadCell" style:family="table-cell"><style:table-cell-properties fo:padding="0.12cm" fo:border="0.5pt solid #8c959f" fo:background-color="#eaf1f5"/></style:style>
<style:style style:name="Grid" style:family="table"><style:table-properties style:width="17cm" table:align="margins" fo:margin-bottom="0.4cm"/></style:style>
<style:style style:name="Row" style:family="table-row"><style:table-row-properties fo:keep-together="auto"/></style:style>
</office:automatic-styles>
"##;

impl Document {
    /// The document as an OpenDocument text, made at `at`.
    ///
    /// # Errors
    /// [`Code::File`] when the archive cannot be written: it holds more than four gigabytes.
    pub fn odt(&self, at: Instant) -> Result<Vec<u8>> {
        let failed =
            |e: String| Refusal::new(Code::File, format!("kan ikke skrive: {e}"), format!("cannot write: {e}"));
        self.archive(at).map_err(|e| failed(e.to_string()))
    }

    fn archive(&self, at: Instant) -> zip::result::ZipResult<Vec<u8>> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        let deflated = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        let parts = [
            ("mimetype", stored, MEDIA_TYPE.to_owned()),
            ("META-INF/manifest.xml", deflated, format!("{XML}{MANIFEST}")),
            ("meta.xml", deflated, self.meta(at)),
            ("styles.xml", deflated, self.styles()),
            ("content.xml", deflated, self.content()),
        ];
        for (name, options, bytes) in parts {
            zip.start_file(name, options)?;
            zip.write_all(bytes.as_bytes())?;
        }
        Ok(zip.finish()?.into_inner())
    }

    fn meta(&self, at: Instant) -> String {
        let made = match at.is_finite() {
            true => format!("<meta:creation-date>{at}</meta:creation-date><dc:date>{at}</dc:date>\n"),
            false => String::new(),
        };
        format!(
            "{XML}<office:document-meta xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
             xmlns:meta=\"urn:oasis:names:tc:opendocument:xmlns:meta:1.0\" \
             xmlns:dc=\"http://purl.org/dc/elements/1.1/\" office:version=\"1.3\">\n<office:meta>\n\
             <meta:generator>Begreb</meta:generator>\n<dc:title>{}</dc:title>\n<dc:language>{}</dc:language>\n\
             {made}</office:meta>\n</office:document-meta>\n",
            markup(&one_line(&self.title)),
            self.tongue.tag()
        )
    }

    fn styles(&self) -> String {
        let (language, country) = self.tongue.choose(("da", "DK"), ("en", "GB"));
        let headings: String = (1..=6).map(heading_style).collect();
        let outline: String = (1..=6).map(|level| self.outline_level(level)).collect();
        format!(
            r##"{XML}<office:document-styles{NAMESPACES}>
<office:font-face-decls><style:font-face style:name="Sans" svg:font-family="'Liberation Sans', Arial" style:font-family-generic="swiss"/></office:font-face-decls>
<office:styles>
<style:default-style style:family="paragraph"><style:paragraph-properties fo:orphans="2" fo:widows="2"/><style:text-properties style:font-name="Sans" fo:font-size="10.5pt" fo:language="{language}" fo:country="{country}"/></style:default-style>
<style:style style:name="Standard" style:family="paragraph" style:class="text"><style:paragraph-properties fo:margin-bottom="0.2cm" fo:line-height="120%"/></style:style>
<style:style style:name="Title" style:family="paragraph" style:parent-style-name="Standard" style:next-style-name="Standard" style:class="chapter"><style:paragraph-properties fo:margin-bottom="0.5cm" fo:line-height="110%" fo:padding-bottom="0.2cm" fo:border-bottom="1.5pt solid #004d6e"/><style:text-properties fo:font-size="20pt" fo:font-weight="bold"/></style:style>
<style:style style:name="Heading" style:family="paragraph" style:parent-style-name="Standard" style:next-style-name="Standard" style:class="text"><style:paragraph-properties fo:margin-top="0.5cm" fo:margin-bottom="0.15cm" fo:keep-with-next="always"/><style:text-properties fo:font-weight="bold"/></style:style>
{headings}<style:style style:name="Quotations" style:family="paragraph" style:parent-style-name="Standard" style:class="html"><style:paragraph-properties fo:margin-left="0.6cm" fo:padding-left="0.25cm" fo:border-left="2pt solid #8c959f"/></style:style>
<style:style style:name="Caption" style:family="paragraph" style:parent-style-name="Standard" style:class="extra"><style:paragraph-properties fo:margin-bottom="0.1cm" fo:keep-with-next="always"/><style:text-properties fo:color="#57606a" fo:font-size="9.5pt"/></style:style>
<style:style style:name="Table_20_Contents" style:display-name="Table Contents" style:family="paragraph" style:parent-style-name="Standard" style:class="extra"><style:paragraph-properties fo:margin-bottom="0cm"/><style:text-properties fo:font-size="9.5pt"/></style:style>
<style:style style:name="Table_20_Heading" style:display-name="Table Heading" style:family="paragraph" style:parent-style-name="Table_20_Contents" style:class="extra"><style:text-properties fo:font-weight="bold"/></style:style>
<style:style style:name="Strong_20_Emphasis" style:display-name="Strong Emphasis" style:family="text"><style:text-properties fo:font-weight="bold"/></style:style>
<style:style style:name="Internet_20_link" style:display-name="Internet link" style:family="text"><style:text-properties fo:color="#004d6e" style:text-underline-style="solid" style:text-underline-width="auto" style:text-underline-color="font-color"/></style:style>
<text:outline-style style:name="Outline">
{outline}</text:outline-style>
<text:list-style style:name="List"><text:list-level-style-bullet text:level="1" text:bullet-char="•"><style:list-level-properties text:list-level-position-and-space-mode="label-alignment"><style:list-level-label-alignment text:label-followed-by="listtab" text:list-tab-stop-position="0.6cm" fo:text-indent="-0.4cm" fo:margin-left="0.6cm"/></style:list-level-properties></text:list-level-style-bullet></text:list-style>
</office:styles>
<office:automatic-styles><style:style style:name="Foot" style:family="paragraph" style:parent-style-name="Standard"><style:paragraph-properties fo:text-align="end"/></style:style><style:page-layout style:name="A4"><style:page-layout-properties fo:page-width="21cm" fo:page-height="29.7cm" fo:margin-top="2.5cm" fo:margin-bottom="2cm" fo:margin-left="2cm" fo:margin-right="2cm"/><style:footer-style><style:header-footer-properties fo:min-height="0.6cm" fo:margin-top="0.4cm"/></style:footer-style></style:page-layout></office:automatic-styles>
<office:master-styles><style:master-page style:name="Standard" style:page-layout-name="A4"><style:footer><text:p text:style-name="Foot"><text:page-number text:select-page="current">1</text:page-number></text:p></style:footer></style:master-page></office:master-styles>
</office:document-styles>
"##
        )
    }

    /// How headings of a level are numbered.
    fn outline_level(&self, level: u8) -> String {
        let format = if self.numbered { "1" } else { "" };
        format!(
            "<text:outline-level-style text:level=\"{level}\" style:num-format=\"{format}\" \
             text:display-levels=\"{level}\" style:num-suffix=\"{}\"/>\n",
            if self.numbered { " " } else { "" }
        )
    }

    fn content(&self) -> String {
        let mut out = format!(
            "{XML}<office:document-content{NAMESPACES}>\n{AUTOMATIC}<office:body>\n<office:text>\n\
             <text:p text:style-name=\"Title\">{}</text:p>\n",
            text(&self.title)
        );
        for (at, block) in self.blocks.iter().enumerate() {
            tell(block, at, &mut out);
        }
        out.push_str("</office:text>\n</office:body>\n</office:document-content>\n");
        out
    }
}

fn heading_style(level: u8) -> String {
    let size = match level {
        1 => "15pt",
        2 => "12.5pt",
        3 => "11pt",
        _ => "10.5pt",
    };
    format!(
        "<style:style style:name=\"Heading_20_{level}\" style:display-name=\"Heading {level}\" \
         style:family=\"paragraph\" style:parent-style-name=\"Heading\" style:next-style-name=\"Standard\" \
         style:default-outline-level=\"{level}\" style:class=\"text\">\
         <style:text-properties fo:font-size=\"{size}\"/></style:style>\n"
    )
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

// Writing into a String cannot fail; `let _` says so.

fn tell(block: &Block, at: usize, out: &mut String) {
    match block {
        Block::Heading { level, text: heading } => {
            let level = (*level).clamp(1, 6);
            let _ = writeln!(
                out,
                "<text:h text:style-name=\"Heading_20_{level}\" text:outline-level=\"{level}\">{}</text:h>",
                text(heading)
            );
        }
        Block::Paragraph(runs) => paragraph("Standard", runs, out),
        Block::Quote(runs) => paragraph("Quotations", runs, out),
        Block::List(items) => {
            out.push_str("<text:list text:style-name=\"List\">\n");
            for item in items {
                out.push_str("<text:list-item>");
                paragraph("Bullets", item, out);
                out.push_str("</text:list-item>\n");
            }
            out.push_str("</text:list>\n");
        }
        Block::Table { caption, header, rows } => table(caption, header, rows, at, out),
    }
}

fn table(caption: &str, header: &[String], rows: &[Vec<Vec<Run>>], at: usize, out: &mut String) {
    paragraph("Caption", &[Run::plain(caption)], out);
    let _ = writeln!(
        out,
        "<table:table table:name=\"T{at}\" table:style-name=\"Grid\">\
         <table:table-column table:number-columns-repeated=\"{}\"/>",
        header.len()
    );
    let row = |cells: &[Vec<Run>], is_head: bool, out: &mut String| {
        let looks = if is_head { "HeadCell" } else { "Cell" };
        out.push_str("<table:table-row table:style-name=\"Row\">\n");
        for (i, cell) in cells.iter().enumerate() {
            let _ = write!(out, "<table:table-cell table:style-name=\"{looks}\" office:value-type=\"string\">");
            paragraph(if is_head || i == 0 { "Table_20_Heading" } else { "Table_20_Contents" }, cell, out);
            out.push_str("</table:table-cell>\n");
        }
        out.push_str("</table:table-row>\n");
    };
    out.push_str("<table:table-header-rows>");
    let headings: Vec<Vec<Run>> = header.iter().map(|h| vec![Run::plain(h)]).collect();
    row(&headings, true, out);
    out.push_str("</table:table-header-rows>\n");
    rows.iter().for_each(|cells| row(cells, false, out));
    out.push_str("</table:table>\n");
}

fn paragraph(style: &str, runs: &[Run], out: &mut String) {
    let _ = write!(out, "<text:p text:style-name=\"{style}\">");
    for run in runs.iter().filter(|r| !r.text.is_empty()) {
        let text = text(&run.text);
        let span = |style: &str| format!("<text:span text:style-name=\"{style}\">{text}</text:span>");
        out.push_str(&match (run.style, run.address()) {
            (_, Some(address)) => format!(
                "<text:a xlink:type=\"simple\" xlink:href=\"{}\" text:style-name=\"Internet_20_link\">{text}</text:a>",
                markup(address)
            ),
            (Style::Plain, None) => text,
            (Style::Label | Style::Strong, None) => span("Strong_20_Emphasis"),
            (Style::Removed, None) => span("Removed"),
            (Style::Added, None) => span("Added"),
        });
    }
    out.push_str("</text:p>\n");
}

/// A text with its line feeds, tabs and spaces as elements: in XML several would be one.
fn text(text: &str) -> String {
    let text = markup(text);
    let mut out = String::with_capacity(text.len());
    let mut after_space = true;
    for c in text.chars() {
        match c {
            '\n' => out.push_str("<text:line-break/>"),
            '\t' => out.push_str("<text:tab/>"),
            ' ' if after_space => out.push_str("<text:s/>"),
            c => out.push(c),
        }
        after_space = c == ' ';
    }
    out
}
