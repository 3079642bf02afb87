//! Sentry: an item is read or refused, and an envelope that can't be cut shows nothing.

use super::twice;
use base::Timestamp;
use protocols::sentry::auth::Auth;
use protocols::sentry::{Project, decode_envelope, decode_store};

const PROJECT: Project<'static> = Project { service: "shop", arrived: Timestamp::from_seconds(1_795_000_000) };
/// Most items of one envelope.
const MAX_ITEMS: usize = 1_000;

pub fn envelope(body: &[u8]) {
    let (taken, seen) = twice(|seen| decode_envelope(body, PROJECT, seen));
    match taken {
        Ok(taken) => {
            assert!(taken.items + taken.refused <= MAX_ITEMS);
            assert!(seen.refused >= taken.refused as u64, "{seen:?} of {taken:?}");
            assert!(taken.items > 0 || seen.taken() == 0, "{seen:?} of {taken:?}");
        }
        Err(_) => assert_eq!((seen.taken(), seen.refused), (0, 0), "something of an envelope that was refused whole"),
    }
    let text = String::from_utf8_lossy(body);
    for auth in [Auth::from_header(&text), Auth::from_query(&text), Auth::from_envelope(body)].into_iter().flatten() {
        assert!(auth.key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
    }
}

pub fn store(body: &[u8]) {
    let (taken, seen) = twice(|seen| decode_store(body, PROJECT, seen));
    match taken {
        Ok(taken) => assert_eq!((taken.items, taken.refused), (1, 0)),
        Err(_) => assert_eq!((seen.taken(), seen.refused), (0, 1)),
    }
}
