//! Reads protobuf field by field without building messages.
//!
//! A request of a few bytes an item would become a hundred times as much memory if it were decoded as a whole; walking
//! it needs none, so that only one record at a time is ever built. Never allocates, except for the text of an error.

use crate::observed::DecodeError;

/// A part of a body, and where in the body it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

/// One value as the wire tells it; what it means is up to the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(Part<'a>),
    Fixed32(u32),
}

impl<'a> Part<'a> {
    /// A whole body.
    pub(crate) const fn whole(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Its fields, in the order of the bytes.
    pub(crate) const fn fields(self) -> Fields<'a> {
        Fields { rest: self.bytes, at: self.at }
    }

    /// The text, if it is UTF-8.
    pub(crate) fn text(self) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.bytes)
            .map_err(|error| malformed("text that is no UTF-8", self.at + error.valid_up_to()))
    }
}

/// Where reading stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    /// The next field's number and value; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(u32, Value<'a>)>, DecodeError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let start = self.at;
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).ok().filter(|number| (1..1 << 29).contains(number));
        let number = number.ok_or_else(|| malformed("no field number", start))?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.fixed()?)),
            2 => Value::Bytes(self.bytes()?),
            5 => Value::Fixed32(u32::from_le_bytes(self.fixed()?)),
            // Groups (3 and 4) were dropped from the language before any of the protocols here were made.
            _ => return Err(malformed("an unknown wire type", start)),
        };
        Ok(Some((number, value)))
    }

    /// The next number of a packed list; `None` at the end.
    pub(crate) fn packed(&mut self) -> Result<Option<u64>, DecodeError> {
        if self.rest.is_empty() { Ok(None) } else { self.varint().map(Some) }
    }

    fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for (index, byte) in self.rest.iter().take(10).enumerate() {
            let bits = u64::from(byte & 0x7f);
            // The tenth byte holds the 64th bit alone.
            if index == 9 && bits > 1 {
                return Err(malformed("a number of more than 64 bits", self.at));
            }
            value |= bits << (7 * index);
            if byte & 0x80 == 0 {
                self.advance(index + 1);
                return Ok(value);
            }
        }
        Err(malformed("a number that does not end", self.at))
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let bytes = *self.rest.first_chunk::<N>().ok_or_else(|| malformed("a number that is cut short", self.at))?;
        self.advance(N);
        Ok(bytes)
    }

    fn bytes(&mut self) -> Result<Part<'a>, DecodeError> {
        let start = self.at;
        let length = self.varint()?;
        let bytes = usize::try_from(length).ok().and_then(|length| self.rest.get(..length));
        let bytes = bytes.ok_or_else(|| malformed("a length that goes beyond the end", start))?;
        let part = Part { bytes, at: self.at };
        self.advance(bytes.len());
        Ok(part)
    }

    fn advance(&mut self, by: usize) {
        self.rest = &self.rest[by..];
        self.at += by;
    }
}

#[cold]
fn malformed(what: &str, at: usize) -> DecodeError {
    DecodeError::Malformed { what: what.to_owned(), at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use prost::Message;

    #[derive(Clone, PartialEq, Message)]
    struct Sent {
        #[prost(uint64, tag = "1")]
        varint: u64,
        #[prost(double, tag = "2")]
        double: f64,
        #[prost(string, tag = "300")]
        text: String,
        #[prost(fixed32, tag = "4")]
        fixed: u32,
    }

    fn walk(bytes: &[u8]) -> Result<usize, DecodeError> {
        let mut fields = Part::whole(bytes).fields();
        let mut count = 0;
        while let Some((_, value)) = fields.next()? {
            count += 1;
            if let Value::Bytes(part) = value {
                assert_eq!(&bytes[part.at..part.at + part.bytes.len()], part.bytes);
            }
        }
        Ok(count)
    }

    #[test]
    fn broken_bytes_are_refused_at_their_place() {
        for (case, bytes, what, at) in [
            ("a length beyond the end", &[0x08, 1, 0x12, 5, 1][..], "a length that goes beyond the end", 3),
            (
                "the largest length",
                &[0x0a, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
                "a length that goes beyond the end",
                1,
            ),
            ("no end of a number", &[0x08, 0x80], "a number that does not end", 1),
            ("65 bits", &[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2], "a number of more than 64 bits", 1),
            ("field number 0", &[0x00, 1], "no field number", 0),
            ("a group", &[0x0b], "an unknown wire type", 0),
            ("half a double", &[0x11, 0, 0, 0], "a number that is cut short", 1),
        ] {
            assert_eq!(walk(bytes), Err(DecodeError::Malformed { what: what.to_owned(), at }), "{case}");
        }
        assert_eq!(walk(&[]), Ok(0));
    }

    proptest! {
        #[test]
        fn reads_what_another_encoder_wrote(varint in 1u64.., double in 0.1f64.., text in "\\PC{1,20}", fixed in 1u32..) {
            let sent = Sent { varint, double, text: text.clone(), fixed }.encode_to_vec();
            let mut fields = Part::whole(&sent).fields();
            prop_assert_eq!(fields.next().unwrap(), Some((1, Value::Varint(varint))));
            prop_assert_eq!(fields.next().unwrap(), Some((2, Value::Fixed64(double.to_bits()))));
            prop_assert_eq!(fields.next().unwrap(), Some((4, Value::Fixed32(fixed))));
            let Some((300, Value::Bytes(part))) = fields.next().unwrap() else { panic!("no text") };
            prop_assert_eq!(part.text().unwrap(), text);
            prop_assert_eq!(fields.next().unwrap(), None);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = walk(&bytes);
            let mut packed = Part::whole(&bytes).fields();
            while let Ok(Some(_)) = packed.packed() {}
        }
    }
}
