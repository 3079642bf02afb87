//! Live rows as server-sent events: `GET /api/v1/logs/tail`.

use super::Query;
use super::explore::{RowView, filter};
use crate::auth::MayRead;
use crate::parts::Parts;
use crate::problem::ApiError;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use serde::Deserialize;
use signal::filter::{Filter, records};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Rows that are sent of one batch; people can't read more, and the rest is counted as dropped.
const ROWS_OF_A_BATCH: usize = 200;

/// Which rows.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TailParams {
    /// A filter.
    q: Option<String>,
    /// Only this service.
    service: Option<String>,
}

type Batches = Receiver<(signal::Table, lake::arrow::array::RecordBatch)>;

/// `GET /api/v1/logs/tail`
#[utoipa::path(
    get,
    path = "/api/v1/logs/tail",
    operation_id = "tail_records",
    params(TailParams),
    responses((status = 200, body = String, content_type = "text/event-stream"))
)]
pub async fn tail(
    State(parts): State<Parts>,
    _: MayRead,
    Query(params): Query<TailParams>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let filter = filter(params.q.as_deref())?;
    let events = follow(parts.lake.tail(), filter, params.service);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(10))))
}

fn follow(
    mut batches: Batches,
    filter: Option<Filter>,
    service: Option<String>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    async_stream::stream! {
        loop {
            match batches.recv().await {
                Ok((signal::Table::Requests, batch)) => {
                    let wanted = |record: &signal::filter::RequestRecord| {
                        service.as_deref().is_none_or(|service| service == record.service)
                            && filter.as_ref().is_none_or(|filter| filter.matches(record))
                    };
                    let found: Vec<_> = records(&batch).into_iter().filter(wanted).collect();
                    let dropped = found.len().saturating_sub(ROWS_OF_A_BATCH);
                    for record in found.into_iter().skip(dropped) {
                        if let Ok(event) = Event::default().event("row").json_data(RowView::from(record)) {
                            yield Ok(event);
                        }
                    }
                    if dropped > 0 {
                        yield Ok(dropped_event(dropped as u64));
                    }
                }
                Ok(_) => {}
                // Batches, not rows, were missed: how many rows they held nobody knows any more.
                Err(RecvError::Lagged(batches)) => yield Ok(dropped_event(batches)),
                Err(RecvError::Closed) => return,
            }
        }
    }
}

fn dropped_event(count: u64) -> Event {
    Event::default().event("dropped").data(format!("{{\"count\":{count}}}"))
}
