//! Steps as they are written: what is read back is what was taken.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::random::{run, tries};
use super::*;
use crate::model::ContentFields;

fn round<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(step: &T) -> Value {
    let text = serde_json::to_string(step).unwrap();
    let back: T = serde_json::from_str(&text).unwrap();
    assert_eq!(&back, step, "{text}");
    assert_eq!(serde_json::to_string(&back).unwrap(), text);
    serde_json::from_str(&text).unwrap()
}

proptest! {
    #[test]
    fn steps_of_drafts(tries in tries(40)) {
        run(&tries, |_, stamp, step, _, _| {
            let written = round(step);
            assert!(written["step"].is_string());
            round(stamp);
        });
    }

    #[test]
    fn authors(name in "\\PC{0,20}", n in any::<u128>()) {
        for author in [Author::Operator(name.as_str().into()), Author::Account(id(n)), Author::Contact(id(n)), Author::Clock] {
            prop_assert_eq!(author.to_string().parse::<Author>().unwrap(), author.clone());
            round(&author);
        }
    }
}

#[test]
fn steps_of_the_other_matters() {
    let draft = Some(id(0xd));
    let item = AgendaItem { kind: ItemKind::Decision, title: line("Punkt"), text: Some(prose("a\nb")), draft };
    let due = Due { what: line("Kladde"), by: t(1) };
    let mandate = |deadlines: Vec<Due>, given_by: Option<Uuid>| Mandate {
        purpose: prose("formål"),
        scope: prose("omfang"),
        text: prose("tekst"),
        given: given_by.map(|_| t(0)),
        given_by,
        deadlines,
        vocabularies: vec![],
    };
    let meeting = id(0xee);
    let called =
        WorkStep::Called { group: id(1), meeting, at: t(1), place: Some(line("Her")), agenda: vec![item.clone()] };
    let works = [
        WorkStep::Mandated { group: id(1), mandate: mandate(vec![due], Some(id(2))) },
        WorkStep::Mandated { group: id(1), mandate: mandate(vec![], None) },
        called,
        WorkStep::Recalled { meeting, at: t(2), place: None, agenda: vec![] },
        WorkStep::Cancelled { meeting, reason: prose("aflyst") },
        WorkStep::Held { meeting, attendance: vec![Attendance { member: id(3), present: true }] },
        WorkStep::Minuted { meeting, minutes: prose("referat") },
    ];
    let kinds: BTreeSet<String> = works.iter().map(|s| round(s)["step"].to_string()).collect();
    assert_eq!(kinds.len(), 6);

    let proposal: ContentFields = (*content(1).unwrap()).clone().into_fields();
    let submitted = |proposal: Option<Box<ContentFields>>| RequestStep::Submitted {
        vocabulary: id(1),
        concept: proposal.as_ref().map(|_| id(7)),
        title: line("Ønske"),
        text: prose("tekst"),
        organisation: proposal.as_ref().map(|_| line("Kommunen")),
        proposal,
    };
    let ranked = ContentFields { rank: Some(i64::MIN), ..proposal };
    let requests = [
        submitted(None),
        submitted(Some(Box::new(ranked))),
        RequestStep::Assigned { track: Track::Secretariat, reason: prose("a") },
        RequestStep::Assigned { track: Track::Group(id(4)), reason: prose("b") },
        RequestStep::Accepted { draft: id(0xd), edit: 3, reason: prose("ja") },
        RequestStep::Closed { outcome: RequestOutcome::Duplicate, reason: prose("nej"), duplicate_of: Some(id(5)) },
        RequestStep::Closed { outcome: RequestOutcome::OutOfScope, reason: prose("nej"), duplicate_of: None },
        RequestStep::Withdrawn,
    ];
    let kinds: BTreeSet<String> = requests.iter().map(|s| round(s)["step"].to_string()).collect();
    assert_eq!(kinds.len(), 5);

    let link = |concept| SchemaLink { concept, element: line("urn:x#e") };
    let certifications = [
        CertificationStep::Submitted {
            vocabulary: id(1),
            version: id(2),
            reviewer: line("OIO"),
            reference: Some(line("S-1")),
            links: vec![link(Some(id(7))), link(None)],
        },
        CertificationStep::Judged { verdict: CertificationVerdict::Conditional, reasons: prose("ret det") },
        CertificationStep::Linked { links: vec![] },
    ];
    for step in &certifications {
        round(step);
    }
}

#[test]
fn a_step_with_what_nobody_knows_is_refused() {
    let mut written = round(&edited(7, 1, 2));
    written["unknown"] = Value::Bool(true);
    assert!(serde_json::from_value::<DraftStep>(written).is_err());
    assert!(serde_json::from_str::<DraftStep>(r#"{"step":"burnt"}"#).is_err());
}

#[test]
fn a_certification_is_judged_until_it_is_certified_or_rejected() {
    use CertificationVerdict::{Certified, Conditional, Rejected};
    let submitted = CertificationStep::Submitted {
        vocabulary: id(1),
        version: id(2),
        reviewer: line("OIO"),
        reference: None,
        links: vec![],
    };
    let judged = |verdict| CertificationStep::Judged { verdict, reasons: prose("fordi") };
    for (first, more) in [(Certified, false), (Rejected, false), (Conditional, true)] {
        let mut one = Certification::begin(id(9), &by(0, 1), submitted.clone()).unwrap();
        assert!(Certification::begin(id(9), &by(0, 1), judged(first)).is_err());
        one.take(&by(1, 1), judged(first)).unwrap();
        let before = one.clone();
        assert_eq!(one.take(&by(2, 1), judged(Certified)).is_ok(), more);
        assert!(more || one == before, "a refused step changed it");
        assert!(one.take(&by(3, 1), submitted.clone()).is_err());
        one.take(&by(3, 1), CertificationStep::Linked { links: vec![] }).unwrap();
    }
}
