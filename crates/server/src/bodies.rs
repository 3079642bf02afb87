//! Request bodies, read into memory that all of them share.
//!
//! A body takes room as its bytes arrive and as they are unpacked, never as much as was announced: whoever announces a
//! lot and sends nothing holds nothing. A body that finds no room in time is given up, which frees what it held, so that
//! bodies can't wait for each other for ever. Even a pool smaller than one body takes one, when it is alone.

use crate::problem::ApiError;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Largest body, before and after decompression.
pub const MAX_BODY: usize = 64 << 20;
/// So much of a body that is too large is read and thrown away, so that its sender hears why.
const MAX_DISCARDED: usize = 4 * MAX_BODY;
/// A body must arrive within this time.
const BODY_TIMEOUT: Duration = Duration::from_mins(1);
/// How long a body waits for room, all its waits together: bodies that wait for each other hold everybody else up.
const WAIT_FOR_ROOM: Duration = Duration::from_secs(10);
/// What is counted.
const UNIT: usize = 64 * 1024;
/// What a brotli decoder reads at a time.
const BROTLI_BUFFER: usize = 16 * 1024;
/// How far back a zstd frame may refer, as a power of two: 8 MiB, which every decoder must be able to hold (RFC 8878,
/// 3.1.1.1.2), and which senders stay within unless they are told to pack with all their might.
const ZSTD_WINDOW_LOG: u32 = 23;
/// Most that is unpacked at a time.
const STEP: usize = 1 << 20;

/// The memory that all bodies share.
#[derive(Debug, Clone)]
pub struct Bodies {
    free: Arc<Semaphore>,
    units: usize,
    wait: Duration,
}

impl Bodies {
    /// Room for so many bytes.
    pub fn new(bytes: u64) -> Self {
        let most = u64::try_from(Semaphore::MAX_PERMITS.min(u32::MAX as usize)).unwrap_or(u64::from(u32::MAX));
        let units = usize::try_from((bytes / UNIT as u64).clamp(1, most)).unwrap_or(1);
        Self { free: Arc::new(Semaphore::new(units)), units, wait: WAIT_FOR_ROOM }
    }

    /// Room for bytes that come in another way; nothing is held yet.
    pub fn room(&self) -> Room {
        Room { pool: self.clone(), held: None, patience: self.wait }
    }

    /// Reads a body within the limits of size, time and of all bodies together, decompressed. The room is to be kept
    /// as long as the bytes are.
    pub async fn read(&self, request: Request) -> Result<(Bytes, Room), ApiError> {
        let encoding = content_encoding(request.headers())?;
        let announced = request.headers().get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        let mut body = request.into_body();
        if let Some(length) = announced.filter(|length| *length > MAX_BODY) {
            if length <= MAX_DISCARDED {
                let _ = tokio::time::timeout(BODY_TIMEOUT, discard(&mut body, MAX_DISCARDED)).await;
            }
            return Err(too_large());
        }
        let mut room = self.room();
        let raw = in_time(body, &mut room, BODY_TIMEOUT).await?;
        let bytes = match unpacker(raw.clone(), encoding)? {
            None => raw,
            Some(unpacker) => unpack(unpacker, raw.len(), &mut room).await?,
        };
        room.shrink_to(bytes.len());
        Ok((bytes, room))
    }

    /// Reads the one message of a gRPC call within the same limits, decompressed by the encoding that the call names.
    pub async fn read_message(&self, encoding: Option<&str>, body: Body) -> Result<(Bytes, Room), ApiError> {
        let mut room = self.room();
        let mut message = in_time(body, &mut room, BODY_TIMEOUT).await?;
        let wrong = || ApiError::bad_request("a call has one whole message");
        // One byte says whether it is packed, four say how long it is.
        let [flag, length @ ..] = *message.first_chunk::<5>().ok_or_else(wrong)?;
        let _ = message.split_to(5);
        if u32::from_be_bytes(length) as usize != message.len() {
            return Err(wrong());
        }
        let encoding = match (flag, encoding) {
            (0, _) => Encoding::Plain,
            (1, Some("gzip")) => Encoding::Gzip,
            (1, Some("zstd")) => Encoding::Zstd,
            (1, other) => {
                let known = "is not known; use gzip or zstd";
                return Err(ApiError::unsupported(format!("encoding {:?} {known}", other.unwrap_or("identity"))));
            }
            _ => return Err(wrong()),
        };
        let packed = message.len();
        if let Some(unpacker) = unpacker(message.clone(), encoding)? {
            message = unpack(unpacker, packed, &mut room).await?;
        }
        room.shrink_to(message.len());
        Ok((message, room))
    }
}

/// What one body holds of the shared memory.
#[derive(Debug)]
pub struct Room {
    pool: Bodies,
    held: Option<OwnedSemaphorePermit>,
    /// How long it will still wait for more.
    patience: Duration,
}

impl Room {
    fn units(&self) -> usize {
        self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// Takes what is missing for so many bytes; whoever holds the whole pool may go on without more.
    pub async fn grow_to(&mut self, bytes: usize) -> Result<(), ApiError> {
        let missing = bytes.div_ceil(UNIT).min(self.pool.units).saturating_sub(self.units());
        if missing == 0 {
            return Ok(());
        }
        let busy = || ApiError::unavailable("too many bodies are being received", Duration::from_secs(1));
        let more = Arc::clone(&self.pool.free).acquire_many_owned(u32::try_from(missing).unwrap_or(u32::MAX));
        let begun = Instant::now();
        let more = tokio::time::timeout(self.patience, more).await;
        self.patience = self.patience.saturating_sub(begun.elapsed());
        let more = more.map_err(|_| busy())?.map_err(|_| busy())?;
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
        Ok(())
    }

    fn shrink_to(&mut self, bytes: usize) {
        let spare = self.units().saturating_sub(bytes.div_ceil(UNIT));
        if let Some(held) = &mut self.held {
            drop(held.split(spare));
        }
    }
}

async fn in_time(body: Body, room: &mut Room, limit: Duration) -> Result<Bytes, ApiError> {
    let late = |_| {
        let why = format!("the body did not arrive within {} s; send it again", limit.as_secs());
        ApiError::unavailable(why, Duration::from_secs(1))
    };
    tokio::time::timeout(limit, collect(body, room)).await.map_err(late)?
}

async fn collect(mut body: Body, room: &mut Room) -> Result<Bytes, ApiError> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ApiError::bad_request(format!("the body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > MAX_BODY {
            discard(&mut body, MAX_DISCARDED).await;
            return Err(too_large());
        }
        room.grow_to(bytes.len() + data.len()).await?;
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

/// Reads on without keeping anything: most clients read no answer before their body is sent.
async fn discard(body: &mut Body, most: usize) {
    let mut seen = 0;
    while let Some(Ok(frame)) = body.frame().await {
        seen += frame.data_ref().map_or(0, Bytes::len);
        if seen > most {
            return;
        }
    }
}

fn too_large() -> ApiError {
    ApiError::too_large("a body has at most 64 MiB, also after decompression; send smaller batches")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Plain,
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

fn content_encoding(headers: &HeaderMap) -> Result<Encoding, ApiError> {
    match headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?")) {
        None | Some("" | "identity") => Ok(Encoding::Plain),
        Some("gzip" | "x-gzip") => Ok(Encoding::Gzip),
        Some("deflate") => Ok(Encoding::Deflate),
        Some("br") => Ok(Encoding::Brotli),
        Some("zstd") => Ok(Encoding::Zstd),
        Some(other) => Err(ApiError::unsupported(format!(
            "content encoding {other:?} is not known; use gzip, deflate, br or zstd"
        ))),
    }
}

type Unpacker = Box<dyn Read + Send>;

fn unpacker(raw: Bytes, encoding: Encoding) -> Result<Option<Unpacker>, ApiError> {
    let raw = std::io::Cursor::new(raw);
    Ok(match encoding {
        Encoding::Plain => None,
        Encoding::Gzip => Some(Box::new(flate2::bufread::MultiGzDecoder::new(raw))),
        Encoding::Deflate => Some(Box::new(flate2::bufread::ZlibDecoder::new(raw))),
        Encoding::Brotli => Some(Box::new(brotli_decompressor::Decompressor::new(raw, BROTLI_BUFFER))),
        Encoding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(raw).map_err(|error| broken(&error))?;
            decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(|error| broken(&error))?;
            Some(Box::new(decoder))
        }
    })
}

fn broken(error: &std::io::Error) -> ApiError {
    ApiError::bad_request(format!("the body can't be decompressed: {error}"))
}

/// Unpacks step by step, so that no thread waits while there is no room.
async fn unpack(mut unpacker: Unpacker, packed: usize, room: &mut Room) -> Result<Bytes, ApiError> {
    let mut out = Vec::new();
    loop {
        let step = out.len().clamp(UNIT, STEP).min(MAX_BODY + 1 - out.len());
        room.grow_to(packed + out.len() + step).await?;
        let read = tokio::task::spawn_blocking(move || {
            let read = unpacker.by_ref().take(step as u64).read_to_end(&mut out);
            read.map(|length| (unpacker, out, length))
        });
        let (back, all, length) = read.await.map_err(ApiError::internal)?.map_err(|error| broken(&error))?;
        (unpacker, out) = (back, all);
        if out.len() > MAX_BODY {
            return Err(too_large());
        }
        if length < step {
            return Ok(out.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;
    use std::io::Write;

    fn pool(bytes: u64) -> Bodies {
        Bodies { wait: Duration::from_millis(200), ..Bodies::new(bytes) }
    }

    fn gzip(length: usize) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let zeros = vec![0; 1 << 20];
        for _ in 0..length / zeros.len() {
            gzip.write_all(&zeros).unwrap();
        }
        gzip.write_all(&zeros[..length % zeros.len()]).unwrap();
        gzip.finish().unwrap()
    }

    /// 64 MiB and one byte, all of them 0, as brotli packs them in 106 bytes.
    const BROTLI_BOMB: &[u8] =
        b"\xcb\xff\xff\x3f\x00\x24\x00\xe2\xb1\x40\x72\xef\xff\xf8\xff\xff\x07\x80\x04\x40\x1c\x16\x80\xee\
        \xfd\x1f\xff\xff\xff\x00\x90\x00\x88\xc3\x02\xd0\xbd\xff\xe3\xff\xff\x1f\x00\x12\x00\x71\x58\x00\
        \xba\xf7\x7f\xfc\xff\xff\x03\x40\x02\x20\x0e\x0b\x40\xf7\xfe\x8f\xff\xff\x7f\x00\x48\x00\xc4\x61\
        \x01\xe8\xde\xff\xf1\xff\xff\x0f\x00\x09\x80\x38\x2c\x00\xdd\xfb\x3f\xfe\xff\xff\x01\x20\x01\x10\
        \x87\x05\xa0\x7b\xff\x07\x00\x80\x00\x03";

    fn deflate(length: usize) -> Vec<u8> {
        let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        deflate.write_all(&vec![0; length]).unwrap();
        deflate.finish().unwrap()
    }

    /// Zeros that may refer back so far. Written in parts, so that zstd can't know that there is less to refer to.
    fn zstd_of(length: usize, window_log: u32) -> Vec<u8> {
        let mut zstd = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        zstd.window_log(window_log).unwrap();
        zstd.write_all(&vec![0; length]).unwrap();
        zstd.flush().unwrap();
        zstd.finish().unwrap()
    }

    fn request(encoding: &str, body: impl Into<Body>) -> Request {
        Request::builder().header("content-encoding", encoding).body(body.into()).unwrap()
    }

    #[tokio::test]
    async fn a_body_is_unpacked_and_a_bomb_is_refused_at_the_limit() {
        let bodies = pool(1 << 30);
        let zstd = zstd::encode_all(&b"a\n"[..], 1).unwrap();
        for (case, encoding, body, want) in [
            ("plain", "identity", b"a\n".to_vec(), Ok(2)),
            ("zstd", "zstd", zstd, Ok(2)),
            ("gzip", "gzip", gzip(3_000_000), Ok(3_000_000)),
            ("as large as may be", "gzip", gzip(MAX_BODY), Ok(MAX_BODY)),
            ("a bomb", "gzip", gzip(MAX_BODY + 1), Err(too_large())),
            ("a bomb of two members", "gzip", [gzip(MAX_BODY), gzip(1)].concat(), Err(too_large())),
            ("a zstd bomb", "zstd", zstd_of(MAX_BODY + 1, ZSTD_WINDOW_LOG), Err(too_large())),
            ("a brotli bomb", "br", BROTLI_BOMB.to_vec(), Err(too_large())),
            ("a deflate bomb", "deflate", deflate(MAX_BODY + 1), Err(too_large())),
        ] {
            let read = bodies.read(request(encoding, body)).await;
            assert_eq!(read.map(|(bytes, _room)| bytes.len()), want, "{case}");
        }
        assert!(bodies.read(request("zstd", "nonsense")).await.is_err());
        // A few bytes would have 16 MiB set aside for them.
        let far_back = bodies.read(request("zstd", zstd_of(1, ZSTD_WINDOW_LOG + 1))).await.map(|_| ());
        let message = far_back.unwrap_err().detail().to_owned();
        assert!(message.contains("requires too much memory"), "{message}");
        assert_eq!(bodies.free.available_permits(), bodies.units, "everything was given back");
    }

    #[tokio::test]
    async fn a_call_has_one_whole_message_which_is_unpacked_within_the_same_limits() {
        let bodies = pool(1 << 30);
        let framed = |flag: u8, message: &[u8]| {
            [&[flag][..], &u32::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
        };
        let whole = framed(0, b"ab");
        let unsupported =
            |name: &str| ApiError::unsupported(format!("encoding {name:?} is not known; use gzip or zstd"));
        let wrong = || ApiError::bad_request("a call has one whole message");
        for (case, encoding, body, want) in [
            ("plain", None, whole.clone(), Ok(2)),
            ("plain among packed ones", Some("gzip"), whole.clone(), Ok(2)),
            ("nothing said", None, framed(0, b""), Ok(0)),
            ("gzip", Some("gzip"), framed(1, &gzip(3_000_000)), Ok(3_000_000)),
            ("zstd", Some("zstd"), framed(1, &zstd_of(9, ZSTD_WINDOW_LOG)), Ok(9)),
            ("a bomb", Some("gzip"), framed(1, &gzip(MAX_BODY + 1)), Err(too_large())),
            ("unknown", Some("snappy"), framed(1, b"ab"), Err(unsupported("snappy"))),
            ("packed by nothing", None, framed(1, b"ab"), Err(unsupported("identity"))),
            ("cut short", None, whole[..6].to_vec(), Err(wrong())),
            ("two", None, [whole.clone(), whole.clone()].concat(), Err(wrong())),
            ("no message", None, vec![0; 4], Err(wrong())),
            ("another flag", None, framed(2, b"ab"), Err(wrong())),
        ] {
            let read = bodies.read_message(encoding, body.into()).await;
            assert_eq!(read.map(|(bytes, _room)| bytes.len()), want, "{case}");
        }
        assert_eq!(bodies.free.available_permits(), bodies.units, "everything was given back");
    }

    #[tokio::test]
    async fn a_body_waits_for_room_once_and_not_again_at_every_step() {
        let bodies = pool(2 << 20);
        let (mut first, mut second) = (bodies.room(), bodies.room());
        first.grow_to(1 << 20).await.unwrap();
        second.grow_to(1 << 20).await.unwrap();
        assert!(first.grow_to(2 << 20).await.is_err(), "each holds what the other wants");
        // Its time is over: it asks, and goes without.
        let again = tokio::time::timeout(bodies.wait / 2, first.grow_to(2 << 20)).await;
        assert!(again.expect("it does not wait anew").is_err());
        drop(first);
        second.grow_to(2 << 20).await.unwrap();
    }

    #[tokio::test]
    async fn a_slow_body_is_to_be_sent_again() {
        let bodies = pool(1 << 30);
        let first = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"a"))]);
        let never_ends = Body::from_stream(futures::StreamExt::chain(first, futures::stream::pending()));
        let mut room = bodies.room();
        let late = in_time(never_ends, &mut room, Duration::from_millis(20)).await.unwrap_err();
        // Senders drop what is broken, and send again what was only late.
        assert_eq!(
            (late.status(), late.retry_after()),
            (axum::http::StatusCode::SERVICE_UNAVAILABLE, Some(Duration::from_secs(1)))
        );
    }

    #[tokio::test]
    async fn room_is_taken_for_what_is_there_and_not_for_what_was_announced() {
        let bodies = pool(4 << 20);
        let packed = gzip(3 << 20);
        let (_bytes, room) = bodies.read(request("gzip", packed)).await.unwrap();
        assert_eq!(room.units(), (3 << 20) / UNIT, "unpacked bytes count, not the packed ones");
        let silent = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
        let mut announced = request("identity", silent);
        announced.headers_mut().insert(header::CONTENT_LENGTH, MAX_BODY.into());
        let silent = tokio::spawn({
            let bodies = bodies.clone();
            async move { bodies.read(announced).await.map(|_| ()) }
        });
        tokio::task::yield_now().await;
        assert!(bodies.read(request("identity", vec![b'a'; 1 << 20])).await.is_ok(), "the silent one holds nothing");
        silent.abort();
        let refused = bodies.read(request("gzip", gzip(2 << 20))).await.map(|_| ());
        assert_eq!(refused, Err(ApiError::unavailable("too many bodies are being received", Duration::from_secs(1))));
        drop(room);
        assert_eq!(bodies.free.available_permits(), bodies.units);
    }

    #[tokio::test]
    async fn a_pool_smaller_than_one_body_takes_one_body() {
        let bodies = pool(2 * UNIT as u64);
        let whole = bodies.read(request("gzip", gzip(8 << 20))).await;
        assert_eq!(whole.map(|(bytes, _room)| bytes.len()), Ok(8 << 20));
        let slowly = futures::stream::repeat(Bytes::from(vec![b'a'; UNIT])).take(20).map(Ok::<_, std::io::Error>);
        let whole = bodies.read(request("identity", Body::from_stream(slowly))).await;
        assert_eq!(whole.map(|(bytes, _room)| bytes.len()), Ok(20 * UNIT));
    }
}
