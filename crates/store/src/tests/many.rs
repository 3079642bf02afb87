//! Lists stay fast however much has been fired: every one goes by an index.

use super::Fixture;
use crate::db::{Arg, Db, Row, args};
use crate::firings::{TO_DO, statements};
use crate::{FiringClass, FiringScope, FiringState, FiringsQuery, TicketsQuery};
use std::time::{Duration, Instant};

/// Past firings of 100 rules and 20 services, one a minute; every 1,000th is still open. A tenth are tickets.
async fn fill(fixture: &Fixture, rows: i64) {
    let sql = "WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $1)
        INSERT INTO firings (id, rule, spec, class, service, series, series_key, condition_text, state, started_at,
        changed_at, resolved_at, times, value, threshold, told, escalation_level, owner, due_at, progress, notes)
        SELECT '00000000-0000-7000-8000-' || substr(CAST(1000000000000 + i AS TEXT), 2),
        'rule-' || CAST(i % 100 AS TEXT), 'spec', CASE WHEN i % 10 = 3 THEN 'ticket' ELSE 'alert' END,
        'service-' || CAST(i % 20 AS TEXT), '', 'key-' || CAST(i AS TEXT), 'errors.ratio above 1 %',
        CASE WHEN i % 1000 IN (3, 7) THEN 'open' ELSE 'resolved' END, i * 60000000, i * 60000000, i * 60000000, 1,
        '0.5', '0.1', 1, 0, 'web-team', i * 60000000,
        CASE WHEN i % 10 <> 3 THEN NULL WHEN i % 1000 = 3 THEN 'open' ELSE 'done' END, 0 FROM n";
    fixture.store.db.execute(sql, args![rows]).await.unwrap();
    if let Db::Postgres(pool) = &fixture.store.db {
        sqlx::raw_sql("ANALYZE firings").execute(pool).await.unwrap();
    }
}

async fn plan(db: &Db, sql: &'static str, args: Vec<Arg>) -> String {
    let (explain, column) = match db {
        Db::Sqlite { .. } => ("EXPLAIN QUERY PLAN", 3),
        Db::Postgres(_) => ("EXPLAIN", 0),
    };
    let sql: &'static str = Box::leak(format!("{explain} {sql}").into_boxed_str());
    let rows = db.fetch(sql, args).await.unwrap();
    rows.iter().map(|row: &Row| row.text(column).unwrap()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_list_goes_by_an_index_and_sorts_nothing() {
    for fixture in Fixture::all().await {
        fill(&fixture, 100_000).await;
        let db = &fixture.store.db;
        let (at, id) = (i64::MAX, "z");
        let mut plans = Vec::new();
        for (state, open) in [(None, false), (Some(FiringState::Open), true), (Some(FiringState::Resolved), false)] {
            let [class, service, rule] = statements(state);
            let index =
                |name: &str| if open { format!("firings_open_by_{name}") } else { format!("firings_by_{name}") };
            plans.push((index("class"), plan(db, class, args!["alert", at, id, 51_i64]).await));
            plans.push((index("service"), plan(db, service, args!["service-3", "ticket", at, id, 51_i64]).await));
            plans.push((index("rule"), plan(db, rule, args!["rule-3", at, id, 51_i64]).await));
        }
        let to_do = plan(db, TO_DO, args![i64::MIN, "", i64::MAX, 51_i64]).await;
        plans.push(("tickets_to_do".to_owned(), to_do));
        for (index, plan) in plans {
            // PostgreSQL knows how many rows there are of what, and may find another index as good.
            let named = if matches!(db, Db::Sqlite { .. }) { index.as_str() } else { "Index Scan" };
            assert!(plan.contains(named), "not by {index}:\n{plan}");
            assert!(!plan.contains("Seq Scan") && !plan.contains("TEMP B-TREE") && !plan.contains("Sort"), "{plan}");
        }
    }
}

/// The slowest of the first, a middle and the last page of every kind of list.
async fn slowest(fixture: &Fixture) -> Duration {
    let firings = fixture.store.firings();
    let service = "service-3".parse().unwrap();
    let mut slowest = Duration::ZERO;
    for scope in [
        FiringScope::Class(FiringClass::Alert),
        FiringScope::Class(FiringClass::Ticket),
        FiringScope::Service(FiringClass::Ticket, service),
        FiringScope::Rule("rule-3".to_owned()),
    ] {
        for state in [None, Some(FiringState::Open), Some(FiringState::Resolved)] {
            for page in [None, Some(500_000_i64), Some(1000)] {
                let page = page.map(|minute| format!("{}_00000000-0000-7000-8000-000000000000", minute * 60_000_000));
                let page = page.map(|page| page.parse().unwrap());
                let query = FiringsQuery { scope: scope.clone(), state, page, limit: 100 };
                let began = Instant::now();
                firings.list(&query).await.unwrap();
                slowest = slowest.max(began.elapsed());
            }
        }
    }
    for query in [TicketsQuery::ToDo, TicketsQuery::Overdue] {
        let began = Instant::now();
        assert_eq!(firings.tickets(query, None, 100).await.unwrap().firings.len(), 100);
        slowest = slowest.max(began.elapsed());
    }
    slowest
}

#[tokio::test]
#[ignore = "writes a million firings: cargo test -p store million -- --ignored"]
async fn a_million_past_firings_are_listed_within_200_ms() {
    for fixture in Fixture::all().await {
        fill(&fixture, 1_000_000).await;
        fixture.clock.set(base::Timestamp::from_seconds(100_000_000));
        let slowest = slowest(&fixture).await;
        println!("slowest page: {slowest:?}");
        assert!(slowest < Duration::from_millis(200), "{slowest:?}");
    }
}
