//! What is told: an event of the log as the messages that MOX agents know. Pure.
//!
//! A message says in its headers what it says in its body, so that a receiver may read either; what it is about is
//! then read from the registry.

use serde_json::{Value, json};
use uuid::Uuid;

use super::command::Objekttype;
use super::settings::MoxSettings;
use crate::model::{Event, EventType, Instant, Slug};

/// What happens to the validity of what is said of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Update {
    /// It begins.
    Begins,
    /// It ends.
    Ends,
    /// One ends and another begins.
    Both,
}

impl Update {
    /// The number in a message.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Begins => 1,
            Self::Ends => 2,
            Self::Both => 3,
        }
    }
}

/// What a message tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// Something was registered of an object: its livscykluskode.
    Notification(&'static str),
    /// A day has come on which something that was said of an object takes effect.
    EffectUpdate(Update, Instant),
}

/// One message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The position of the event in the log.
    pub position: i64,
    /// When it was registered.
    pub at: Instant,
    /// The vocabulary.
    pub vocabulary: Slug,
    /// What kind of object it is about.
    pub objekttype: Objekttype,
    /// The object.
    pub objekt: Uuid,
    /// What it tells.
    pub what: What,
}

impl Message {
    /// The messages of an event: none when what it tells is nothing to OIO Klassifikation. `facets` are those of the
    /// vocabulary, `lifecycle` tells the livscykluskode of an object at the event.
    #[must_use]
    pub fn of(
        event: &Event,
        vocabulary: Uuid,
        facets: &[Uuid],
        lifecycle: impl Fn(Objekttype, Uuid) -> &'static str,
    ) -> Vec<Self> {
        let message = |objekttype, objekt, what| Self {
            position: event.position,
            at: event.at,
            vocabulary: event.vocabulary.clone(),
            objekttype,
            objekt,
            what,
        };
        match event.r#type {
            EventType::VocabularyCreated | EventType::VocabularyChanged | EventType::VersionPublished => {
                let facets = facets.iter().map(|facet| (Objekttype::Facet, *facet));
                let objects = std::iter::once((Objekttype::Klassifikation, vocabulary)).chain(facets);
                objects.map(|(kind, uuid)| message(kind, uuid, What::Notification(lifecycle(kind, uuid)))).collect()
            }
            EventType::ConceptStated | EventType::ConceptRetired | EventType::ConceptPassivated => {
                let what = What::Notification(lifecycle(Objekttype::Klasse, event.subject));
                vec![message(Objekttype::Klasse, event.subject, what)]
            }
            EventType::ConceptEffective => {
                let Some((change, at)) = event.concept.as_ref().zip(event.valid_from) else { return Vec::new() };
                let update = match (&change.before, &change.after) {
                    (None, Some(_)) => Update::Begins,
                    (Some(_), None) => Update::Ends,
                    _ => Update::Both,
                };
                vec![message(Objekttype::Klasse, event.subject, What::EffectUpdate(update, at))]
            }
            EventType::EditionEffective | EventType::HearingOpened | EventType::HearingClosed => Vec::new(),
        }
    }

    /// The beskedID: made of the object, the position and the time, so that the same message has the same each time
    /// that it is sent, and a receiver can see that two are one.
    #[must_use]
    pub fn id(&self) -> Uuid {
        Uuid::new_v5(&self.objekt, format!("mox/{}/{}", self.position, self.at).as_bytes())
    }

    /// The beskedtype in headers and in routing keys.
    #[must_use]
    pub fn beskedtype(&self) -> &'static str {
        match self.what {
            What::Notification(_) => "notification",
            What::EffectUpdate(..) => "effectupdate",
        }
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, Value)> {
        let mut headers = vec![
            ("beskedID", json!(self.id())),
            ("beskedversion", json!(1)),
            ("beskedtype", json!(self.beskedtype())),
            ("objektID", json!(self.objekt)),
            ("objekttype", json!(self.objekttype.name())),
        ];
        match self.what {
            What::Notification(code) => headers.push(("livscykluskode", json!(code))),
            What::EffectUpdate(update, at) => {
                headers.push(("updatetype", json!(update.number())));
                headers.push(("effecttime", json!(at)));
            }
        }
        headers.push(("begreb-position", json!(self.position)));
        headers.push(("begreb-vocabulary", json!(self.vocabulary)));
        headers.push(("begreb-registered", json!(self.at)));
        headers
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> Value {
        match self.what {
            What::Notification(code) => json!({
                // As running systems write it here, and otherwise in the header.
                "beskedtype": "Notification",
                "objektID": self.objekt,
                "objekttype": self.objekttype.name(),
                "livscykluskode": code,
            }),
            What::EffectUpdate(update, at) => json!({
                "beskedtype": "effectupdate",
                "objektID": self.objekt,
                "objekttype": self.objekttype.name(),
                "updatetype": update.number(),
                "effecttime": at,
            }),
        }
    }

    /// The routing key of this message.
    #[must_use]
    pub fn routing_key(&self, settings: &MoxSettings) -> String {
        let key = settings.routing_key.replace("{beskedtype}", self.beskedtype());
        let key = key.replace("{objekttype}", self.objekttype.name()).replace("{objektID}", &self.objekt.to_string());
        let key = key.replace("{vocabulary}", self.vocabulary.as_str());
        // A broker takes no longer one; with a slug of the longest kind twice in it, it could become so.
        key.char_indices().take_while(|(at, c)| at + c.len_utf8() <= 255).map(|(_, c)| c).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ConceptChange, Side};

    const VOCABULARY: Uuid = Uuid::from_u128(1);
    const CONCEPT: Uuid = Uuid::from_u128(2);
    const FACET: Uuid = Uuid::from_u128(3);

    fn brief() -> Side {
        serde_json::from_value(json!({ "notation": "A", "label": "a" })).unwrap()
    }

    fn event(r#type: EventType, sides: (bool, bool)) -> Event {
        let change = ConceptChange {
            uuid: CONCEPT,
            kinds: Vec::new(),
            meaning: None,
            before: sides.0.then(brief),
            after: sides.1.then(brief),
            replaced_by: Vec::new(),
            fields: Vec::new(),
        };
        Event {
            position: 7,
            at: "2026-11-22T12:00:00Z".parse().unwrap(),
            r#type,
            vocabulary: "fsiii".parse().unwrap(),
            subject: CONCEPT,
            version: None,
            valid_from: Some("2027-01-01T00:00:00Z".parse().unwrap()),
            valid_to: None,
            deleted: false,
            ends_transaction: false,
            concept: Some(change),
            hearing: None,
        }
    }

    fn told(event: &Event) -> Vec<Message> {
        Message::of(event, VOCABULARY, &[FACET], |kind, _| match kind {
            Objekttype::Klasse => "Rettet",
            _ => "Opstaaet",
        })
    }

    #[test]
    fn what_is_registered_is_a_notification_of_each_object() {
        let stated = told(&event(EventType::ConceptStated, (false, true)));
        let id = stated[0].id();
        assert_eq!(
            stated[0].body(),
            json!({ "beskedtype": "Notification", "objektID": CONCEPT, "objekttype": "klasse", "livscykluskode": "Rettet" })
        );
        let headers: serde_json::Map<_, _> = stated[0].headers().into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        assert_eq!(
            Value::Object(headers),
            json!({
                "beskedID": id, "beskedversion": 1, "beskedtype": "notification", "objektID": CONCEPT,
                "objekttype": "klasse", "livscykluskode": "Rettet", "begreb-position": 7,
                "begreb-vocabulary": "fsiii", "begreb-registered": "2026-11-22T12:00:00Z",
            })
        );
        let published = told(&event(EventType::VersionPublished, (false, false)));
        let objects: Vec<_> = published.iter().map(|m| (m.objekttype, m.objekt, m.what)).collect();
        let new = What::Notification("Opstaaet");
        assert_eq!(objects, [(Objekttype::Klassifikation, VOCABULARY, new), (Objekttype::Facet, FACET, new)]);
        assert_ne!(published[0].id(), published[1].id(), "one event, two messages");
        assert_eq!(told(&event(EventType::HearingOpened, (false, false))), []);
    }

    #[test]
    fn what_takes_effect_begins_or_ends_or_both() {
        for (sides, number) in [((false, true), 1), ((true, false), 2), ((true, true), 3)] {
            let effective = told(&event(EventType::ConceptEffective, sides));
            assert_eq!(
                effective[0].body(),
                json!({
                    "beskedtype": "effectupdate", "objektID": CONCEPT, "objekttype": "klasse",
                    "updatetype": number, "effecttime": "2027-01-01T00:00:00Z",
                })
            );
        }
    }

    #[test]
    fn a_message_has_the_same_id_each_time_and_no_other_has_it() {
        let one = told(&event(EventType::ConceptStated, (true, true)));
        let later = Event { position: 8, ..event(EventType::ConceptStated, (true, true)) };
        assert_eq!(one[0].id(), told(&event(EventType::ConceptStated, (true, true)))[0].id());
        assert_ne!(one[0].id(), told(&later)[0].id());
    }

    #[test]
    fn a_routing_key_is_filled_in() {
        let message = &told(&event(EventType::ConceptStated, (true, true)))[0];
        let key = |key: &str| message.routing_key(&MoxSettings { routing_key: key.into(), ..MoxSettings::default() });
        assert_eq!(key("begreb.{vocabulary}.{objekttype}.{beskedtype}"), "begreb.fsiii.klasse.notification");
        assert_eq!(key("{objektID}"), CONCEPT.to_string());
        assert!(key(&"{objektID}".repeat(15)).len() <= 255);
    }
}
