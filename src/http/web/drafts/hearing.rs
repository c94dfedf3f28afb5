//! The form by which a hearing of a draft is planned, with those who are asked.

use axum::body::Bytes;
use axum::extract::{Path, State};
use uuid::Uuid;

use super::form::{Field, FormPage, Input, settle};
use super::sent::Sent;
use super::{Answer, Head, say, uuid};
use crate::http::api::App;
use crate::http::negotiate::{Caller, reads_danish};
use crate::http::params::{Nothing, Params};
use crate::http::who::Who;
use crate::model::{Code, Place, Refusal, Result};
use crate::registry::{Actor, HearingRequest, PartyRequest};
use crate::workflow::{Audience, Readable};

pub async fn form(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    planned(&app, &actor, uuid(&draft)?, reads_danish(&headers)).await?.shown()
}

pub async fn plan(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (draft, da, sent) = (uuid(&draft)?, reads_danish(&headers), Sent::read(&bytes)?);
    let done = sent_out(&app, &actor, draft, &sent).await;
    settle(done, async || Ok(planned(&app, &actor, draft, da).await?.filled(&sent))).await
}

/// Plans the hearing and asks the parties; all of the form is read before anything is done.
async fn sent_out(app: &App, actor: &Actor, draft: Uuid, sent: &Sent) -> Result<String> {
    let said = |name| sent.said(name).map(ToOwned::to_owned);
    let codes = sent.field("concepts").lines().map(str::trim).filter(|l| !l.is_empty());
    let request = HearingRequest {
        title: sent.read_as("title")?,
        letter: sent.read_as("letter")?,
        audience: if sent.field("audience") == "invited" { Audience::Invited } else { Audience::Public },
        readable: Some(if sent.field("readable") == "atOnce" { Readable::AtOnce } else { Readable::AfterDeadline }),
        opens: said("opens"),
        deadline: said("deadline"),
        concepts: codes.map(ToOwned::to_owned).collect(),
    };
    let parties = parties(sent)?;
    let hearing = app.plan_hearing(actor, draft, request).await?.summary.uuid;
    for party in parties {
        app.invite_party(actor, hearing, party).await?;
    }
    Ok(format!("/hearings/{hearing}"))
}

/// Who is asked: one a line, `organisation; name; mail address`, each once.
fn parties(sent: &Sent) -> Result<Vec<PartyRequest>> {
    let mut parties: Vec<PartyRequest> = Vec::new();
    for (number, line) in sent.field("parties").lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let at = |mut r: Refusal| {
            r.da = format!("linje {}: {}", number + 1, r.da);
            r.en = format!("line {}: {}", number + 1, r.en);
            r.at(Place::field("parties"))
        };
        let parts: Vec<&str> = line.split(';').map(str::trim).collect();
        let [organisation, name, mail] = parts[..] else {
            let (da, en) = ("skriv organisation; navn; mailadresse", "write organisation; name; mail address");
            return Err(at(Refusal::new(Code::InvalidText, da, en)));
        };
        let party = PartyRequest {
            organisation: organisation.parse().map_err(at)?,
            name: name.parse().map_err(at)?,
            mail: mail.parse().map_err(at)?,
        };
        if !parties.iter().any(|p| p.organisation == party.organisation && p.mail == party.mail) {
            parties.push(party);
        }
    }
    Ok(parties)
}

async fn planned(app: &App, actor: &Actor, draft: Uuid, da: bool) -> Result<FormPage> {
    let head = Head::of(app, actor, draft, da).await?;
    let named = |danish, english| say(da, danish, english);
    let pairs = |pairs: [(&str, &str); 2]| pairs.map(|(v, n)| (v.to_owned(), n.to_owned())).to_vec();
    let audience =
        pairs([("public", named("alle", "everybody")), ("invited", named("kun de inviterede", "those invited"))]);
    let readable = pairs([
        ("afterDeadline", named("når fristen er gået", "after the deadline")),
        ("atOnce", named("straks", "at once")),
    ]);
    let title = head.draft.title.clone();
    Ok(FormPage::new(da, Some(head), named("Send i høring", "Hold a hearing"), format!("/drafts/{draft}/hearing"))
        .intro(format!(
            "<p>{}</p>",
            named(
                "Høringen åbner og lukker af sig selv. Fra den åbner, til fristen er gået, kan kladden ikke rettes.",
                "The hearing opens and closes by itself. From when it opens until the deadline the draft cannot be edited."
            )
        ))
        .fields([
            Field::new("title", named("Titel", "Title"), Input::Line).with(title).needed(),
            Field::new("letter", named("Høringsbrev", "Hearing letter"), Input::Text).needed(),
            Field::new("audience", named("Hvem kan svare", "Who may answer"), Input::Choice(audience)).with("public"),
            Field::new("readable", named("Svar kan læses af alle", "Answers can be read by all"), Input::Choice(readable))
                .with("afterDeadline"),
            Field::new("opens", named("Åbner; straks, når feltet er tomt", "Opens; at once when empty"), Input::Day),
            Field::new(
                "deadline",
                named(
                    "Svar skal være modtaget før; fire uger, når feltet er tomt",
                    "Answers must be received before; four weeks when empty",
                ),
                Input::Day,
            ),
            Field::new(
                "concepts",
                named(
                    "Begreber, der spørges til: koder, én på hver linje; alle, kladden ændrer, når feltet er tomt",
                    "Concepts that are asked about: codes, one a line; all that the draft changes when empty",
                ),
                Input::Concepts,
            ),
            Field::new(
                "parties",
                named(
                    "Høringsparter: organisation; navn; mailadresse – én på hver linje (kan udelades)",
                    "Parties: organisation; name; mail address – one a line (optional)",
                ),
                Input::Concepts,
            ),
        ])
        .button("plan", named("Planlæg høringen", "Plan the hearing")))
}
