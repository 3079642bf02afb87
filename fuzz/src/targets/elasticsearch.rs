//! Elasticsearch: one item in the answer for each action, and one record or one refusal for each item.

use super::twice;
use base::Timestamp;
use protocols::elasticsearch::{Arrival, Item, Outcome, bulk_answer, decode_bulk, decode_document, document_answer};

const ARRIVAL: Arrival<'static> = Arrival { index: Some("logs-shop"), at: Timestamp::from_seconds(1_795_000_000) };

pub fn bulk(body: &[u8]) {
    let (items, seen) = twice(|seen| decode_bulk(body, ARRIVAL, &mut new_id, seen));
    let Ok(items) = items else {
        assert_eq!((seen.taken(), seen.refused), (0, 0), "something of a body that was refused whole");
        return;
    };
    let created = items.iter().filter(|item| item.outcome == Outcome::Created).count() as u64;
    assert_eq!((seen.logs, seen.refused), (created, items.len() as u64 - created));
    let answer: serde_json::Value = serde_json::from_slice(&bulk_answer(&items, 1)).expect("the answer is JSON");
    assert_eq!(answer["items"].as_array().map(Vec::len), Some(items.len()));
    assert_eq!(answer["errors"], seen.refused > 0);
}

pub fn document(document: &[u8]) {
    let (item, seen): (Item<'_>, _) = twice(|seen| decode_document(document, Some("id"), ARRIVAL, &mut new_id, seen));
    match item.outcome {
        Outcome::Created => assert_eq!((seen.logs, seen.refused), (1, 0)),
        Outcome::Refused(_) => assert_eq!((seen.taken(), seen.refused), (0, 1)),
        Outcome::Busy => panic!("a decoder knows nothing of room"),
    }
    assert!(document_answer(&item).is_object());
}

fn new_id() -> String {
    "made up".to_owned()
}
