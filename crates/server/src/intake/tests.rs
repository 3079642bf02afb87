//! Deliveries from end to end: what is booked, what is refused, what a name costs.

use super::*;
use crate::problem::ApiError;
use agent::ledger::Check;
use axum::response::IntoResponse;
use lake::LakeOptions;
use tempfile::TempDir;

struct Place {
    intake: Arc<Intake>,
    _dir: TempDir,
}

async fn place() -> Place {
    let dir = TempDir::new().unwrap();
    let lake = Lake::open(LakeOptions::new(dir.path())).await.unwrap();
    let key = Identifier::new([0; 32]);
    let intake =
        Intake::new(lake, Arc::default(), key, Clock::System, HashMap::new(), crate::intake::Readings::default());
    Place { intake: Arc::new(intake), _dir: dir }
}

const LINE: &str = "{\"time\":\"2026-01-01T00:00:00Z\",\"method\":\"GET\",\"uri\":\"/\",\"status\":200}\n";

fn name(raw: &str) -> ServiceName {
    raw.parse().unwrap()
}

fn sent(service: &str, lines: String, format: Option<Format>) -> Delivery {
    Delivery {
        service: name(service),
        source: SourceName { kind: SourceKind::Http, name: "http".into() },
        bytes: lines.into(),
        format,
        pattern: None,
        position: None,
        peer: None,
        too_long: 0,
    }
}

fn key(service: &str) -> String {
    format!("{}0123456789abcdef", file_keys(&name(service)))
}

/// A part of a file that begins at an offset.
fn part(service: &str, from: u64, lines: String, format: Option<Format>) -> Delivery {
    let to = from + lines.len() as u64;
    let mut mark = agent::ledger::Coverage::default();
    mark.extend(from, to, Check::of(format!("line before {to}\n").as_bytes()));
    let position = Position { key: key(service), mark: mark.to_string(), from, to };
    let source = SourceName { kind: SourceKind::Import, name: "a.log".into() };
    Delivery { source, position: Some(position), ..sent(service, lines, format) }
}

#[tokio::test]
async fn an_import_in_the_wrong_format_is_refused_and_can_be_repeated_in_the_right_one() {
    let place = place().await;
    let intake = &place.intake;
    let lines = LINE.repeat(3);
    let wrong = intake.deliver(part("shop", 0, lines.clone(), Some(Format::Ltsv))).await;
    assert!(matches!(wrong, Err(IntakeError::UnknownFormat)), "{wrong:?}");
    assert_eq!(intake.mark(&key("shop")), None, "nothing was booked");
    assert_eq!(intake.deliver(part("shop", 0, lines.clone(), None)).await.unwrap().tally.parsed(), 3);
    assert!(intake.deliver(part("shop", 0, lines.clone(), None)).await.unwrap().already);

    let end = lines.len() as u64;
    let damaged = intake.deliver(part("shop", end, "damage\n".repeat(3), None)).await.unwrap();
    assert_eq!(damaged.tally.rejected(), 3, "a few bad lines in a good file are counted, and it goes on");
    let other = intake.deliver(part("shop", end + 21, "another file\n".repeat(200), None)).await;
    assert!(matches!(other, Err(IntakeError::UnknownFormat)), "{other:?}");
}

#[tokio::test]
async fn a_deleted_service_may_import_its_files_again_and_another_one_may_import_them_too() {
    let place = place().await;
    let intake = &place.intake;
    for service in ["shop", "shop-2"] {
        assert_eq!(intake.deliver(part(service, 0, LINE.repeat(3), None)).await.unwrap().tally.parsed(), 3);
    }
    intake.delete_service(&name("shop")).await.unwrap();
    assert_eq!(intake.mark(&key("shop")), None);
    assert!(intake.mark(&key("shop-2")).is_some(), "the other service's ledger stays");
    assert_eq!(intake.deliver(part("shop", 0, LINE.repeat(3), None)).await.unwrap().tally.parsed(), 3);
}

#[tokio::test]
async fn a_service_exists_once_a_row_of_it_was_stored() {
    let place = place().await;
    let intake = &place.intake;
    let nonsense = intake.deliver(sent("typo", "nonsense\n".into(), Some(Format::Json))).await.unwrap();
    assert_eq!((nonsense.tally.rejected(), intake.services().len()), (1, 0));
    intake.deliver(sent("shop", LINE.into(), Some(Format::Json))).await.unwrap();
    assert!(intake.find("shop").is_some() && intake.find("typo").is_none());

    for number in 1..MAX_SERVICES {
        intake.remember(&name(&format!("s{number}")), [], None);
    }
    assert_eq!(intake.services_full(), None);
    let refused = intake.deliver(sent("one-more", LINE.into(), None)).await.unwrap_err();
    assert!(intake.services_full().is_some());
    let answer = ApiError::from(refused).into_response();
    assert_eq!(answer.status(), 409, "trying again can't help");
    let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert!(body["detail"].as_str().unwrap().contains("delete one"), "{body}");
    assert!(body["stale"].is_null(), "a ledger that was overtaken is another conflict: {body}");
    assert_eq!(intake.deliver(sent("shop", LINE.into(), None)).await.unwrap().tally.parsed(), 1, "known ones go on");
}

#[tokio::test]
async fn a_sender_is_known_by_its_bytes_its_clock_and_the_fields_it_lost() {
    use protocols::observed::{LogRecord, Observer};
    let place = place().await;
    let now = Timestamp::from_seconds(1_700_000_000);
    let source = SourceName { kind: SourceKind::Otlp, name: "web-1".into() };
    let origin = Origin { way: SourceKind::Otlp, service: None, now };
    let log = move |service: &'static str, after_s: i64, fields: usize| LogRecord {
        ts: Some(now.plus_seconds(after_s)),
        service: Some(service.into()),
        body: "hello".into(),
        fields: (0..fields).map(|number| (number.to_string().into(), "value".into())).collect(),
        ..LogRecord::default()
    };
    let all =
        [log("shop", -300, MAX_FIELDS), log("shop", -240, MAX_FIELDS + 1), log("shop", -999, 0), log("mail", 5, 0)];
    let work = move |collector: &mut Collector<'_>| {
        for record in all {
            collector.log(record);
        }
        Ok(())
    };
    place.intake.store(Arrived { origin, source, bytes: 400 }, work).await.unwrap();
    let told = |(key, source): (crate::sources::SourceKey, crate::sources::Source)| {
        (key.service.unwrap().to_string(), (source.bytes, source.skew_us().unwrap(), source.counts.shortened))
    };
    let known: BTreeMap<_, _> = place.intake.sources.list().into_iter().map(told).collect();
    let want = [("mail".to_owned(), (100, 5_000_000, 0)), ("shop".to_owned(), (300, -240_000_000, 1))];
    assert_eq!(known, BTreeMap::from(want), "the freshest record tells a clock");
}

#[tokio::test]
async fn what_a_service_says_first_is_told_once_also_by_a_sender_that_says_something_new_again_and_again() {
    let place = place().await;
    let intake = &place.intake;
    let shop = name("shop");
    assert!(intake.is_first(&shop, "release 1").await.unwrap());
    assert!(!intake.is_first(&shop, "release 1").await.unwrap());
    assert!(intake.is_first(&name("mail"), "release 1").await.unwrap(), "each service for itself");
    let mut believed = 1;
    for number in 2..100 {
        believed += usize::from(intake.is_first(&shop, &format!("release {number}")).await.unwrap());
    }
    assert_eq!(believed, MAX_FIRSTS_OF_HOUR);
    intake.delete_service(&shop).await.unwrap();
    assert!(intake.is_first(&shop, "release 1").await.unwrap(), "a service that was deleted begins anew");
    assert!(!intake.is_first(&name("mail"), "release 1").await.unwrap());
}
