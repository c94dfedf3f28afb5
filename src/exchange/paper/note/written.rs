//! The note as a document.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::figures::Summary;
use super::{ConceptHearing, HearingNote, PartyAnswer, Remark, Wording, disposition_name};
use crate::exchange::paper::Tongue;
use crate::exchange::paper::diff::{capitalised, legend};
use crate::exchange::paper::document::{Document, Run, Style, cell};
use crate::exchange::paper::moment::moment;

/// The note of a hearing, counted: what is sent as JSON, and what every other format is written from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct NotePaper {
    /// The figures.
    pub summary: Summary,
    /// The note.
    pub note: HearingNote,
}

impl From<HearingNote> for NotePaper {
    fn from(note: HearingNote) -> Self {
        Self { summary: Summary::of(&note), note }
    }
}

impl NotePaper {
    /// The note as a document.
    #[must_use]
    pub fn document(&self, tongue: Tongue) -> Document {
        let t = |da, en| tongue.choose(da, en);
        let mut d = Document::new(&self.note.title, tongue);
        d.numbered = true;
        self.head(&mut d);
        d.heading(1, t("Høringen", "The hearing"));
        self.period(&mut d);
        self.parties(&mut d);
        self.figures(&mut d);
        self.outcome(&mut d);
        d.heading(1, t("Bemærkninger", "Remarks"));
        self.general(&mut d);
        self.concepts(&mut d);
        if !self.note.letter.trim().is_empty() {
            d.heading(1, t("Bilag: Høringsbrev", "Annex: The letter"));
            let paragraphs = paragraphs(&self.note.letter);
            paragraphs.for_each(|p| d.text(p));
        }
        d
    }

    fn head(&self, d: &mut Document) {
        let (note, tongue) = (&self.note, d.tongue);
        let rows = [
            (("Begrebssystem", "Vocabulary"), Some(note.vocabulary.clone())),
            (("Udkast", "Draft"), Some(note.version.clone())),
            (("Myndighed", "Authority"), note.authority.clone()),
            (("Notat dannet", "Note made"), Some(moment(note.generated, tongue))),
        ];
        let mut runs = Vec::new();
        for ((da, en), text) in rows {
            let Some(text) = text else { continue };
            if !runs.is_empty() {
                runs.push(Run::plain("\n"));
            }
            runs.push(Run::new(Style::Label, format!("{}:", tongue.choose(da, en))));
            runs.push(Run::plain(format!(" {text}")));
        }
        d.paragraph(runs);
    }

    fn period(&self, d: &mut Document) {
        let (period, tongue) = (&self.note.period, d.tongue);
        let at = |instant| moment(instant, tongue);
        d.heading(2, tongue.choose("Høringsperiode", "Period"));
        let (opened, deadline) = (at(period.opened), at(period.deadline));
        d.text(match tongue {
            Tongue::Danish => format!("Udkastet blev sendt i høring {opened} med frist {deadline}."),
            Tongue::English => format!("The hearing was opened {opened}; the deadline was {deadline}."),
        });
        let items = period.extensions.iter().map(|e| {
            let (at, from, to, reason) = (at(e.at), at(e.from), at(e.to), e.reason.trim());
            vec![Run::plain(match tongue {
                Tongue::Danish => format!("{at}: Fristen blev udskudt fra {from} til {to}. Begrundelse: {reason}"),
                Tongue::English => format!("{at}: The deadline was put off from {from} to {to}. Reason: {reason}"),
            })]
        });
        d.list(items.collect());
        if let Some(closed) = period.closed.map(at) {
            d.text(match tongue {
                Tongue::Danish => format!("Høringen blev lukket {closed}."),
                Tongue::English => format!("The hearing was closed {closed}."),
            });
        }
    }

    fn parties(&self, d: &mut Document) {
        let tongue = d.tongue;
        let t = |da: &'static str, en: &'static str| tongue.choose(da, en);
        d.heading(2, t("Hørte parter", "Parties"));
        if self.note.parties.is_empty() {
            d.text(t("Ingen parter er indbudt.", "No party was invited."));
        }
        let rows = self.note.parties.iter().map(|p| {
            let submitted = p.submitted.map_or_else(|| "–".to_owned(), |at| moment(at, tongue));
            let late = if p.late { t(" (efter fristen)", " (after the deadline)") } else { "" };
            [
                cell(&p.organisation),
                cell(moment(p.invited, tongue)),
                cell(answer_name(p.answer, tongue)),
                cell(format!("{submitted}{late}")),
            ]
        });
        d.table(
            t("Parter, der er hørt, og om de har svaret", "Parties that were asked, and whether they answered"),
            [t("Part", "Party"), t("Inviteret", "Invited"), t("Har svaret", "Answered"), t("Modtaget", "Received")],
            rows,
        );
    }

    fn figures(&self, d: &mut Document) {
        let (s, tongue) = (&self.summary, d.tongue);
        let t = |da: &'static str, en: &'static str| tongue.choose(da, en);
        d.heading(2, t("Høringen i tal", "The hearing in figures"));
        let rows = [
            (t("Parter, der er hørt", "Parties that were asked"), s.parties),
            (t("Parter, der har svaret", "Parties that answered"), s.answered),
            (t("– heraf uden bemærkninger", "– of these without remarks"), s.no_remarks),
            (t("– heraf efter fristen", "– of these after the deadline"), s.late),
            (t("Parter, der ikke har svaret", "Parties that did not answer"), s.unanswered),
            (t("Generelle bemærkninger", "General remarks"), s.general),
            (t("Bemærkninger til begreber", "Remarks on concepts"), s.remarks),
            (t("Begreber med bemærkninger", "Concepts with remarks"), s.concepts),
            (t("Begreber, der er ændret efter høringen", "Concepts changed after the hearing"), s.changed),
        ];
        let caption = t("Svar og bemærkninger", "Answers and remarks");
        let rows = rows.map(|(what, count)| [cell(what), cell(count.to_string())]);
        d.table(caption, [t("Hvad", "What"), t("Antal", "Count")], rows);
    }

    /// Which points were met and which were not.
    fn outcome(&self, d: &mut Document) {
        let tongue = d.tongue;
        let t = |da: &'static str, en: &'static str| tongue.choose(da, en);
        d.heading(2, t("Hvad der er imødekommet", "What was accommodated"));
        if self.summary.dispositions.is_empty() {
            d.text(t("Ingen bemærkninger er vurderet.", "No remark has been settled."));
        }
        let rows = self.summary.dispositions.iter().map(|count| {
            let name = |(concept, remark): (Option<&ConceptHearing>, &Remark)| {
                let about = concept.map_or_else(|| t("generelt", "general").to_owned(), ConceptHearing::short);
                format!("{about} ({})", remark.party)
            };
            let mut about: Vec<String> = self.note.settled(count.disposition).map(name).collect();
            about.dedup();
            let disposition = capitalised(disposition_name(count.disposition, tongue));
            [cell(disposition), cell(count.count.to_string()), cell(about.join("; "))]
        });
        let caption = t("Vurdering af bemærkningerne", "What came of the remarks");
        d.table(caption, [t("Vurdering", "Disposition"), t("Antal", "Count"), t("Vedrører", "About")], rows);
    }

    fn general(&self, d: &mut Document) {
        let t = |da: &'static str, en: &'static str| d.tongue.choose(da, en);
        let (heading, none) = (
            t("Generelle bemærkninger", "General remarks"),
            t("Der er ingen generelle bemærkninger.", "There are no general remarks."),
        );
        d.heading(2, heading);
        if self.note.general.is_empty() {
            d.text(none);
        }
        self.note.general.iter().for_each(|r| r.tell(d));
    }

    fn concepts(&self, d: &mut Document) {
        let tongue = d.tongue;
        d.heading(2, tongue.choose("Bemærkninger til de enkelte begreber", "Remarks on single concepts"));
        if self.note.concepts.is_empty() {
            d.text(
                tongue.choose(
                    "Der er ingen bemærkninger til enkelte begreber.",
                    "There are no remarks on single concepts.",
                ),
            );
        } else if self.note.concepts.iter().any(|c| c.changed.is_some()) {
            d.paragraph(legend(tongue));
        }
        self.note.concepts.iter().for_each(|c| c.tell(d));
    }
}

fn answer_name(answer: PartyAnswer, tongue: Tongue) -> &'static str {
    let (da, en) = match answer {
        PartyAnswer::None => ("☐ Nej", "☐ No"),
        PartyAnswer::NoRemarks => ("☑ Ja, ingen bemærkninger", "☑ Yes, no remarks"),
        PartyAnswer::Remarks => ("☑ Ja, med bemærkninger", "☑ Yes, with remarks"),
    };
    tongue.choose(da, en)
}

/// Whether a party agrees.
pub(in crate::exchange::paper) fn agreement(agrees: Option<bool>, tongue: Tongue) -> &'static str {
    match agrees {
        Some(true) => tongue.choose("ja", "yes"),
        Some(false) => tongue.choose("nej", "no"),
        None => "–",
    }
}

/// The parts of a text between empty lines.
fn paragraphs(text: &str) -> impl Iterator<Item = String> {
    let mut lines = text.lines().map(str::trim_end).peekable();
    std::iter::from_fn(move || {
        while lines.next_if(|l| l.trim().is_empty()).is_some() {}
        let mut part: Vec<&str> = Vec::new();
        while let Some(line) = lines.next_if(|l| !l.trim().is_empty()) {
            part.push(line);
        }
        (!part.is_empty()).then(|| part.join("\n"))
    })
}

impl Remark {
    /// The comment, and what the authority says to it. Nothing where nothing was said but yes.
    fn tell(&self, d: &mut Document) {
        let tongue = d.tongue;
        let (comment, reason) = (self.comment.trim(), self.reason.trim());
        if !self.asks() && self.disposition.is_none() && reason.is_empty() {
            return;
        }
        let mut who = vec![Run::new(Style::Strong, &self.party)];
        if self.late {
            who.push(Run::plain(tongue.choose(" (modtaget efter fristen)", " (received after the deadline)")));
        }
        if comment.is_empty() {
            who.push(Run::plain(" – "));
            who.push(Run::plain(tongue.choose("ingen kommentar.", "no comment.")));
        }
        d.paragraph(who);
        paragraphs(comment).for_each(|p| d.quote(p));
        let mut answer = vec![
            Run::new(Style::Label, tongue.choose("Myndighedens bemærkning:", "The authority's remark:")),
            Run::plain(" "),
            Run::new(Style::Strong, format!("{}.", capitalised(disposition_name(self.disposition, tongue)))),
        ];
        if !reason.is_empty() {
            answer.push(Run::plain(format!(" {reason}")));
        }
        d.paragraph(answer);
    }
}

impl ConceptHearing {
    fn tell(&self, d: &mut Document) {
        let tongue = d.tongue;
        let t = |da: &'static str, en: &'static str| tongue.choose(da, en);
        d.heading(3, self.title());
        self.wordings(d);
        let rows = self.remarks.iter().map(|r| {
            let late = if r.late { t(" (efter fristen)", " (after the deadline)") } else { "" };
            let outcome =
                if r.asks() || r.disposition.is_some() { disposition_name(r.disposition, tongue) } else { "–" };
            [
                cell(format!("{}{late}", r.party)),
                cell(agreement(r.agrees_term, tongue)),
                cell(agreement(r.agrees_definition, tongue)),
                cell(outcome),
            ]
        });
        d.table(
            t("Svar", "Answers"),
            [
                t("Part", "Party"),
                t("Enig i termen", "Agrees to the term"),
                t("Enig i definitionen", "Agrees to the definition"),
                t("Vurdering", "Disposition"),
            ],
            rows,
        );
        self.remarks.iter().for_each(|r| r.tell(d));
        match &self.changed {
            Some(changed) if !changed.items.is_empty() => {
                let label = t("Ændret efter høringen:", "Changed after the hearing:");
                d.paragraph(vec![Run::new(Style::Label, label)]);
                changed.tell_items(d);
            }
            _ if self.before == self.after => {
                d.text(t("Begrebet er ikke ændret efter høringen.", "The concept was not changed after the hearing."));
            }
            _ => {}
        }
    }

    /// What was heard and what became of it.
    fn wordings(&self, d: &mut Document) {
        let t = |da: &'static str, en: &'static str| d.tongue.choose(da, en);
        let caption = t("Term og definition", "Term and definition");
        let header = [t("Del", "Part"), t("I høring", "As heard"), t("Efter høringen", "After the hearing")];
        let names = [t("Term", "Term"), t("Definition", "Definition")];
        let (same, gone) = (t("uændret", "unchanged"), t("udgået af udkastet", "taken out of the draft"));
        let (retiring, retires) = (t("foreslås udgået", "proposed to retire"), t("udgår", "retires"));
        // Where the draft retires a concept, what lay below is what was heard about.
        let below = self.retired.as_ref().filter(|_| self.before.is_none());
        let parts = |wording: Option<&Wording>| match wording {
            Some(w) => [Some(w.term.clone()), w.definition.clone()],
            None => [None, None],
        };
        let (before, after) = (parts(self.before.as_ref().or(below)), parts(self.after.as_ref()));
        let rows = names.into_iter().zip(before.into_iter().zip(after)).map(|(name, (before, after))| {
            let told = match after {
                _ if self.after.is_none() && below.is_some() => retires.to_owned(),
                _ if self.after.is_none() => gone.to_owned(),
                after if after == before && below.is_none() => same.to_owned(),
                after => after.unwrap_or_else(|| "–".to_owned()),
            };
            let heard = match before {
                Some(text) if below.is_some() => format!("{text} ({retiring})"),
                before => before.unwrap_or_else(|| "–".to_owned()),
            };
            [cell(name), cell(heard), cell(told)]
        });
        d.table(caption, header, rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_stand_between_empty_lines() {
        let parts: Vec<String> = paragraphs("\n\nKære part\nSvar senest i maj.\r\n \n\nHilsen\n").collect();
        assert_eq!(parts, ["Kære part\nSvar senest i maj.", "Hilsen"]);
        assert_eq!(paragraphs(" \n").count(), 0);
    }
}
