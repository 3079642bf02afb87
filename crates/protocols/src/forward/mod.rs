//! fluentd's forward protocol, version 1: a connection's bytes to messages, messages to log records.
//!
//! [`Cutter`] finds where a message ends, [`decode`] hands its events over, [`encode_ack`] says that they are safe;
//! [`Hello`] and [`Ping`] are the handshake. Never opens a socket, never allocates by a length that the bytes claim, and
//! never unpacks more than [`MAX_UNPACKED`] bytes of a message.
//!
//! A record that can't be read is refused alone: the events beside it are handed over. A message that can't be cut into
//! events is a [`DecodeError`]; what was handed over before the damage must then be dropped and the message must not be
//! acknowledged, so that the sender keeps it.

mod cut;
mod handshake;
mod pack;
mod record;
mod text;
mod time;

#[cfg(test)]
mod tests;

pub use cut::{Cutter, MAX_MESSAGE, Step};
pub use handshake::{Denied, Hello, Ping};

use crate::access::WithRequests;
use crate::observed::{DecodeError, LogRecord, MAX_RECORD, MAX_RECORDS, Observer, Refusal};
use flate2::read::MultiGzDecoder;
use pack::{Reader, Stop, Value, Walk};
use record::{read_entry, read_event};
use std::borrow::Cow;
use std::io::Read;

/// Most bytes that a compressed message unpacks to.
pub const MAX_UNPACKED: usize = 64 << 20;

/// A heartbeat over UDP, which is answered with the same byte.
pub const UDP_HEARTBEAT: [u8; 1] = [0];

/// How much is unpacked at a time.
const UNPACK_STEP: usize = 64 << 10;

/// What a message was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// Nothing but a sign of life.
    Heartbeat,
    /// Events, now handed over.
    Events(Events<'a>),
}

/// What a message with events says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events<'a> {
    /// What the sender calls its stream; events carry it as their service.
    pub tag: Cow<'a, str>,
    /// Set when the sender waits for [`encode_ack`].
    pub chunk: Option<Chunk<'a>>,
    /// Events that were handed over.
    pub taken: usize,
    /// Events that were refused.
    pub refused: usize,
    /// The option `size`. Some senders count entries in it and some bytes, so nothing is concluded from it.
    pub size: Option<u64>,
}

/// The sender's name of a message: the same one is the same message, sent again. Most write base64 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Chunk<'a> {
    /// Sent as text.
    Text(&'a [u8]),
    /// Sent as binary.
    Binary(&'a [u8]),
}

impl<'a> Chunk<'a> {
    /// The bytes as given.
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes,
        }
    }
}

/// `{"ack": chunk}`, in the form in which the chunk came.
pub fn encode_ack(chunk: Chunk<'_>) -> Vec<u8> {
    use rmp::encode::{write_bin, write_map_len, write_str, write_str_len};
    let mut out = Vec::with_capacity(chunk.bytes().len() + 12);
    let written = write_map_len(&mut out, 1).and_then(|_| write_str(&mut out, "ack")).and_then(|()| match chunk {
        // By hand, because a text that is no UTF-8 goes back as it came.
        Chunk::Text(bytes) => {
            let size = u32::try_from(bytes.len()).expect("a chunk lies within a message of 64 MiB");
            write_str_len(&mut out, size).map(|_| out.extend_from_slice(bytes))
        }
        Chunk::Binary(bytes) => write_bin(&mut out, bytes),
    });
    written.expect("writing to memory does not fail");
    out
}

/// Hands over the events of one whole message (see [`Cutter`]), in any of the modes Message, Forward, PackedForward and
/// CompressedPackedForward. Those that tell of a request are requests as well.
pub fn decode<'a>(message: &'a [u8], observer: &mut dyn Observer) -> Result<Message<'a>, DecodeError> {
    let mut reader = Reader::new(message);
    let size = match reader.next() {
        Ok(Value::Nil) => return Ok(Message::Heartbeat),
        Ok(Value::Array(size @ 2..=4)) => size,
        Ok(_) => return Err(damage("no list of 2 to 4 values", 0)),
        Err(stop) => return Err(stopped(stop, 0)),
    };
    let tag = match reader.next() {
        Ok(Value::Text(bytes) | Value::Binary(bytes)) => String::from_utf8_lossy(bytes),
        _ => return Err(damage("no tag", 1)),
    };
    let at = reader.at();
    let content = reader.clone();
    let (values, mode) = match reader.clone().next().map_err(|stop| stopped(stop, at))? {
        Value::Array(_) => (1, Mode::Forward),
        Value::Text(_) | Value::Binary(_) => (1, Mode::Packed),
        _ => (2, Mode::Message),
    };
    if size < 1 + values {
        return Err(damage("no record behind the time", at));
    }
    for _ in 0..values {
        reader.skip().map_err(|stop| stopped(stop, at))?;
    }
    let event = &content.rest()[..reader.at() - at];
    let options = if size > 1 + values { read_options(&mut reader)? } else { Options::default() };
    let observer = &mut WithRequests::new(observer);
    let mut counter = Counter { tag: &tag, at, taken: 0, refused: 0, observer };
    match mode {
        Mode::Message => counter.count(event, read_event(&tag, event))?,
        Mode::Forward => counter.listed(content)?,
        Mode::Packed => counter.packed(content, options.gzip)?,
    }
    let (taken, refused) = (counter.taken, counter.refused);
    Ok(Message::Events(Events { chunk: options.chunk, size: options.size, taken, refused, tag }))
}

/// How a message carries its events.
enum Mode {
    /// One, in the message itself.
    Message,
    /// In a list.
    Forward,
    /// One behind the other in a text or binary.
    Packed,
}

#[derive(Default)]
struct Options<'a> {
    chunk: Option<Chunk<'a>>,
    size: Option<u64>,
    gzip: bool,
}

fn read_options<'a>(reader: &mut Reader<'a>) -> Result<Options<'a>, DecodeError> {
    let at = reader.at();
    let mut options = Options::default();
    let pairs = match reader.next().map_err(|stop| stopped(stop, at))? {
        Value::Map(pairs) => pairs,
        Value::Nil => 0,
        _ => return Err(damage("options that are no map", at)),
    };
    for _ in 0..pairs {
        let name = reader.skip().map_err(|stop| stopped(stop, at))?;
        let value = reader.skip().map_err(|stop| stopped(stop, at))?;
        let Ok(Value::Text(name) | Value::Binary(name)) = Reader::new(name).next() else { continue };
        let value = Reader::new(value).next().map_err(|stop| stopped(stop, at))?;
        match (name, value) {
            (b"chunk", Value::Text(bytes)) => options.chunk = Some(Chunk::Text(bytes)),
            (b"chunk", Value::Binary(bytes)) => options.chunk = Some(Chunk::Binary(bytes)),
            (b"size", Value::Unsigned(size)) => options.size = Some(size),
            (b"compressed", Value::Text(b"gzip") | Value::Binary(b"gzip")) => options.gzip = true,
            // The logger of Node.js says `text` of what is not compressed.
            (b"compressed", Value::Text(b"text" | b"")) => {}
            (b"compressed", Value::Text(other)) => {
                return Err(DecodeError::Unsupported(format!("compression {:?}", String::from_utf8_lossy(other))));
            }
            // Fluent Bit sends metrics (1) and traces (2) in a form of its own.
            (b"fluent_signal", Value::Unsigned(1..)) => {
                return Err(DecodeError::Unsupported("a fluent_signal other than logs".to_owned()));
            }
            _ => {}
        }
    }
    Ok(options)
}

/// Hands events over and counts them.
struct Counter<'o, 't> {
    tag: &'t str,
    /// Where the events start in the message, for errors.
    at: usize,
    taken: usize,
    refused: usize,
    observer: &'o mut dyn Observer,
}

impl Counter<'_, '_> {
    fn count(&mut self, event: &[u8], read: Result<LogRecord<'_>, Refusal>) -> Result<(), DecodeError> {
        if self.taken + self.refused >= MAX_RECORDS {
            return Err(DecodeError::TooMany { what: "events in a message", limit: MAX_RECORDS });
        }
        match read {
            Ok(record) => {
                self.taken += 1;
                self.observer.log(record);
            }
            Err(why) => {
                self.refused += 1;
                self.observer.refuse(why, event);
            }
        }
        Ok(())
    }

    fn listed(&mut self, mut reader: Reader<'_>) -> Result<(), DecodeError> {
        let Ok(Value::Array(size)) = reader.next() else { return Err(damage("no list of events", self.at)) };
        for _ in 0..size {
            let entry = reader.skip().map_err(|stop| stopped(stop, reader.at()))?;
            self.count(entry, read_entry(self.tag, entry))?;
        }
        Ok(())
    }

    fn packed(&mut self, mut reader: Reader<'_>, gzip: bool) -> Result<(), DecodeError> {
        let Ok(Value::Text(bytes) | Value::Binary(bytes)) = reader.next() else {
            return Err(damage("no packed events", self.at));
        };
        if gzip {
            return self.unpacked(bytes);
        }
        let mut reader = Reader::new(bytes);
        while !reader.rest().is_empty() {
            let entry = reader.skip().map_err(|stop| stopped(stop, self.at + reader.at()))?;
            self.count(entry, read_entry(self.tag, entry))?;
        }
        Ok(())
    }

    /// Unpacks and reads in turn: held at a time are one step and the event that is not whole yet, unless that is too
    /// long to be read.
    fn unpacked(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        let mut source = MultiGzDecoder::new(bytes).take(MAX_UNPACKED as u64 + 1);
        let (mut window, mut walk, mut total, mut skipping) = (Vec::new(), Walk::default(), 0, false);
        loop {
            let held = window.len();
            window.resize(held + UNPACK_STEP, 0);
            let got = source.read(&mut window[held..]).map_err(|error| damage(&format!("gzip: {error}"), self.at))?;
            window.truncate(held + got);
            total += got;
            if total > MAX_UNPACKED {
                return Err(DecodeError::TooMany { what: "bytes after decompression", limit: MAX_UNPACKED });
            }
            if got == 0 {
                break;
            }
            let mut start = 0;
            loop {
                match walk.go(&window[start..]) {
                    Ok(length) => {
                        let entry = &window[start..start + length];
                        if !skipping {
                            self.count(entry, read_entry(self.tag, entry))?;
                        }
                        start += length;
                        (walk, skipping) = (Walk::default(), false);
                    }
                    Err(Stop::Short) => {
                        let entry = &window[start..];
                        if !skipping && entry.len() > MAX_RECORD + UNPACK_STEP {
                            self.count(entry, Err(Refusal::TooLong))?;
                            skipping = true;
                        }
                        if skipping {
                            start += walk.forget(entry);
                        }
                        break;
                    }
                    Err(stop) => return Err(stopped(stop, self.at)),
                }
            }
            window.drain(..start);
        }
        if window.is_empty() && !skipping { Ok(()) } else { Err(stopped(Stop::Short, self.at)) }
    }
}

fn damage(what: &str, at: usize) -> DecodeError {
    DecodeError::Malformed { what: what.to_owned(), at }
}

fn stopped(stop: Stop, at: usize) -> DecodeError {
    match stop {
        Stop::Short => damage("an event is cut short", at),
        Stop::Reserved => damage("a byte that starts no value", at),
    }
}
