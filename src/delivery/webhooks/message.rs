//! What a webhook says: an event, or a batch of them, in the form of the Standard Webhooks scheme.

use std::sync::Arc;

use axum::body::Bytes;
use serde_json::json;
use uuid::Uuid;

use crate::model::{Code, Event, Instant, Refusal, Result};

/// The largest body of a batch of more than one event, in bytes.
const LARGEST: usize = 256 << 10;

/// A message: the same for the same events at each attempt, its id too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// What `webhook-id` says.
    pub id: String,
    /// The body.
    pub body: Bytes,
    /// The positions of the events in it.
    pub positions: Vec<i64>,
}

impl Message {
    /// A message of the first of some events: of one, or with `batch` of as many as it may hold. Nothing of none.
    ///
    /// # Errors
    /// [`Code::Internal`] when an event cannot be written.
    pub fn of(subscription: Uuid, batch: bool, events: &[Arc<Event>]) -> Result<Option<Self>> {
        let (mut texts, mut size): (Vec<String>, _) = (Vec::new(), 0);
        for event in events.iter().take(if batch { usize::MAX } else { 1 }) {
            let text = serde_json::to_string(event.as_ref())
                .map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))?;
            size += text.len();
            if size > LARGEST && !texts.is_empty() {
                break;
            }
            texts.push(text);
        }
        let events = &events[..texts.len()];
        let Some(last) = events.last() else { return Ok(None) };
        let (r#type, data) = match batch {
            true => ("begreb.batch", format!(r#"{{"events":[{}]}}"#, texts.join(","))),
            false => (last.r#type.as_str(), texts.concat()),
        };
        let positions: Vec<i64> = events.iter().map(|e| e.position).collect();
        Ok(Some(Self { id: id(subscription, &positions), body: body(r#type, last.at, &data), positions }))
    }

    /// A test: it tells of nothing.
    #[must_use]
    pub fn test(id: &str, subscription: Uuid, asked: Instant) -> Self {
        let data = json!({ "subscription": subscription }).to_string();
        Self { id: id.to_owned(), body: body("begreb.test", asked, &data), positions: Vec::new() }
    }

    /// The first and the last position; zeros for a test.
    #[must_use]
    pub fn rows(&self) -> (i64, i64) {
        let of = |position: Option<&i64>| position.copied().unwrap_or_default();
        (of(self.positions.first()), of(self.positions.last()))
    }
}

/// The id of a message: made of what is in it, so that a receiver knows it again.
fn id(subscription: Uuid, positions: &[i64]) -> String {
    let name: Vec<String> = positions.iter().map(ToString::to_string).collect();
    format!("msg_{}", Uuid::new_v5(&subscription, format!("events/{}", name.join(",")).as_bytes()).simple())
}

fn body(r#type: &str, at: Instant, data: &str) -> Bytes {
    format!(r#"{{"type":"{type}","timestamp":"{at}","data":{data}}}"#).into()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::model::EventType;

    fn event(position: i64, title: &str) -> Arc<Event> {
        Arc::new(Event {
            position,
            at: "2026-11-22T12:00:00Z".parse().unwrap(),
            r#type: EventType::HearingOpened,
            vocabulary: "fsiii".parse().unwrap(),
            subject: Uuid::nil(),
            version: None,
            valid_from: None,
            valid_to: None,
            deleted: false,
            ends_transaction: false,
            concept: None,
            hearing: Some(crate::model::HearingEvent {
                uuid: Uuid::nil(),
                title: title.into(),
                deadline: Instant::from_micros(0),
            }),
        })
    }

    #[test]
    fn the_same_events_make_the_same_message() {
        let (subscription, events) = (Uuid::from_u128(1), [event(3, "\"a\""), event(7, "b")]);
        let one = Message::of(subscription, false, &events).unwrap().unwrap();
        assert_eq!((one.positions.clone(), one.rows()), (vec![3], (3, 3)));
        let told: Value = serde_json::from_slice(&one.body).unwrap();
        assert_eq!((&told["type"], &told["data"]["position"]), (&json!("hearing.opened"), &json!(3)));
        assert_eq!(told["timestamp"], "2026-11-22T12:00:00Z");
        let both = Message::of(subscription, true, &events).unwrap().unwrap();
        assert_eq!((both.positions.clone(), both.rows()), (vec![3, 7], (3, 7)));
        let told: Value = serde_json::from_slice(&both.body).unwrap();
        assert_eq!((&told["type"], &told["data"]["events"][1]["position"]), (&json!("begreb.batch"), &json!(7)));
        assert_eq!(Message::of(subscription, true, &events).unwrap().unwrap(), both);
        assert_ne!(Message::of(Uuid::from_u128(2), true, &events).unwrap().unwrap().id, both.id);
        assert_ne!(one.id, both.id);
        assert_eq!(Message::of(subscription, true, &[]).unwrap(), None);
    }

    #[test]
    fn a_batch_is_no_larger_than_it_may_be_and_never_empty() {
        let long = "x".repeat(LARGEST / 2);
        let events = [event(1, &long), event(2, &long), event(3, "c")];
        assert_eq!(Message::of(Uuid::nil(), true, &events).unwrap().unwrap().positions, [1]);
        let longer = "x".repeat(LARGEST * 2);
        assert_eq!(Message::of(Uuid::nil(), true, &[event(1, &longer)]).unwrap().unwrap().positions, [1]);
    }
}
