//! Who is connected over HTTP, and who has to leave when there are too many.
//!
//! A connection that only waits for its sender's next request can be closed without harm: senders open another one. So
//! when there is no room, the one that has waited longest makes it, of the same address first: whoever opens connections
//! and says nothing, or very slowly, keeps nobody out. One whose request is being answered is never closed for that.

use axum::body::Body;
use bytes::Bytes;
use foldhash::HashMap;
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio_util::sync::CancellationToken;

/// Connections at the same time.
pub const MAX_CONNECTIONS: usize = 2048;
/// Connections from one address at the same time; a proxy on this machine and all senders on it share one.
pub const MAX_OF_ADDRESS: usize = 1024;

/// The connections of one listener.
#[derive(Debug, Clone, Default)]
pub struct Places {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    guests: HashMap<u64, Guest>,
    /// Counts connections, and the times at which one began to wait.
    count: u64,
}

#[derive(Debug)]
struct Guest {
    address: IpAddr,
    /// The order in which it began to wait for a request; `None` while one is answered.
    waits_since: Option<u64>,
    leave: CancellationToken,
}

/// What became of a connection that was accepted.
#[derive(Debug)]
pub enum Admission {
    /// It has a place.
    Admitted(Place),
    /// Its address has all that one may have, and all of them are being answered.
    AddressFull,
    /// All places are taken, and all of them are being answered.
    Full,
}

/// A place among the connections, free again when dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    id: u64,
    leave: CancellationToken,
}

impl Inner {
    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// Closes the connection that has waited longest, of this address or of any; `false` when none waits.
    fn make_room(&mut self, of: Option<IpAddr>) -> bool {
        let waiting = self.guests.iter().filter(|(_, guest)| of.is_none_or(|address| guest.address == address));
        let longest = waiting.filter_map(|(id, guest)| Some((guest.waits_since?, *id))).min();
        let Some(guest) = longest.and_then(|(_, id)| self.guests.remove(&id)) else { return false };
        guest.leave.cancel();
        true
    }
}

impl Places {
    /// A place for a connection from this address, for which another one may have to leave.
    pub fn admit(&self, address: IpAddr) -> Admission {
        let mut inner = self.inner.lock();
        let of_address = inner.guests.values().filter(|guest| guest.address == address).count();
        if of_address >= MAX_OF_ADDRESS {
            if !inner.make_room(Some(address)) {
                return Admission::AddressFull;
            }
        } else if inner.guests.len() >= MAX_CONNECTIONS && !inner.make_room(None) {
            return Admission::Full;
        }
        let (id, leave) = (inner.next(), CancellationToken::new());
        inner.guests.insert(id, Guest { address, waits_since: Some(id), leave: leave.clone() });
        drop(inner);
        Admission::Admitted(Place { places: self.clone(), id, leave })
    }
}

impl Place {
    /// Ends when the connection has to make room for another one.
    pub async fn left(&self) {
        self.leave.cancelled().await;
    }

    /// The connection is not closed for others while this is held.
    pub fn answering(&self) -> Answering {
        if let Some(guest) = self.places.inner.lock().guests.get_mut(&self.id) {
            guest.waits_since = None;
        }
        Answering { places: self.places.clone(), id: self.id }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.inner.lock().guests.remove(&self.id);
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub struct Answering {
    places: Places,
    id: u64,
}

impl Drop for Answering {
    fn drop(&mut self) {
        let mut inner = self.places.inner.lock();
        let now = inner.next();
        if let Some(guest) = inner.guests.get_mut(&self.id) {
            guest.waits_since = Some(now);
        }
    }
}

/// The body of an answer, which is being answered until all of it is handed over.
#[derive(Debug)]
pub struct Answered {
    body: Body,
    _answering: Answering,
}

impl Answered {
    /// The body of what is being answered.
    pub fn new(body: Body, answering: Answering) -> Self {
        Self { body, _answering: answering }
    }
}

impl hyper::body::Body for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(places: &Places, address: &str) -> Option<Place> {
        match places.admit(address.parse().unwrap()) {
            Admission::Admitted(place) => Some(place),
            Admission::AddressFull | Admission::Full => None,
        }
    }

    #[test]
    fn who_waits_longest_makes_room_of_the_same_address_first() {
        let places = Places::default();
        let other = admitted(&places, "192.0.2.2").unwrap();
        let greedy: Vec<Place> = (0..MAX_OF_ADDRESS).map(|_| admitted(&places, "192.0.2.1").unwrap()).collect();
        let busy = greedy[0].answering();
        let newest = admitted(&places, "192.0.2.1").unwrap();
        let gone: Vec<usize> = (0..greedy.len()).filter(|at| greedy[*at].leave.is_cancelled()).collect();
        assert_eq!(gone, [1], "the first is being answered, the second waits longest");
        assert!(!other.leave.is_cancelled() && !newest.leave.is_cancelled());
        drop(busy);
        drop(newest.answering());
        for _ in 0..MAX_OF_ADDRESS - 1 {
            drop(admitted(&places, "192.0.2.1"));
        }
        assert!(!greedy[0].leave.is_cancelled(), "it waits anew since it was answered");
    }

    #[test]
    fn one_address_can_not_take_all_places_and_who_is_answered_stays() {
        let places = Places::default();
        let take = |address: &str| {
            let places: Vec<Place> = (0..MAX_OF_ADDRESS).map(|_| admitted(&places, address).unwrap()).collect();
            places.into_iter().map(|place| (place.answering(), place)).collect::<Vec<_>>()
        };
        let first = take("192.0.2.1");
        assert!(matches!(places.admit("192.0.2.1".parse().unwrap()), Admission::AddressFull));
        let mut second = take("192.0.2.2");
        assert!(matches!(places.admit("192.0.2.3".parse().unwrap()), Admission::Full));
        // The answer ends before its connection does.
        let (answer, place) = second.pop().unwrap();
        drop(answer);
        assert!(admitted(&places, "192.0.2.3").is_some() && place.leave.is_cancelled());
        drop((first, second, place));
        assert!(places.inner.lock().guests.is_empty());
    }
}
