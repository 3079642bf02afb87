//! MessagePack values, read where they lie.
//!
//! Never allocates by a length that the bytes claim, and never recurses to find the end of a value: nesting costs one
//! counter, so that a bomb of a million open lists is as cheap as a million numbers.

use rmp::Marker;

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The bytes end inside a value.
    Short,
    /// A byte that no value starts with (`0xc1`).
    Reserved,
}

/// One value; lists and maps are their head alone, and what they hold follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Nil,
    Bool(bool),
    Int(i64),
    Unsigned(u64),
    Single(f32),
    Double(f64),
    Text(&'a [u8]),
    Binary(&'a [u8]),
    Array(u64),
    /// Number of pairs.
    Map(u64),
    Extension(i8, &'a [u8]),
}

/// How many bytes a value's head and payload take, and how many values it holds.
struct Extent {
    length: usize,
    children: u64,
}

/// Big-endian bytes (at most 8) as a number.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// Big-endian two's complement of 1, 2, 4 or 8 bytes.
fn signed(bytes: &[u8]) -> i64 {
    let unused = 64 - 8 * bytes.len().clamp(1, 8);
    (number(bytes) << unused).cast_signed() >> unused
}

fn extent(rest: &[u8]) -> Result<Extent, Stop> {
    // A 32-bit length fits: nothing here is built for smaller machines.
    let claimed = |width: usize| Ok(number(rest.get(1..=width).ok_or(Stop::Short)?));
    let plain = |length: usize| Ok(Extent { length, children: 0 });
    let sized = |head: usize, width: usize| {
        let payload = usize::try_from(claimed(width)?).map_err(|_| Stop::Short)?;
        Ok(Extent { length: head + payload, children: 0 })
    };
    let listed = |width: usize, values: u64| Ok(Extent { length: 1 + width, children: claimed(width)? * values });
    match Marker::from_u8(*rest.first().ok_or(Stop::Short)?) {
        Marker::Null | Marker::True | Marker::False | Marker::FixPos(_) | Marker::FixNeg(_) => plain(1),
        Marker::U8 | Marker::I8 => plain(2),
        Marker::U16 | Marker::I16 | Marker::FixExt1 => plain(3),
        Marker::FixExt2 => plain(4),
        Marker::U32 | Marker::I32 | Marker::F32 => plain(5),
        Marker::U64 | Marker::I64 | Marker::F64 => plain(9),
        Marker::FixStr(size) => plain(1 + usize::from(size)),
        Marker::Str8 | Marker::Bin8 => sized(2, 1),
        Marker::Str16 | Marker::Bin16 => sized(3, 2),
        Marker::Str32 | Marker::Bin32 => sized(5, 4),
        Marker::FixArray(size) => Ok(Extent { length: 1, children: u64::from(size) }),
        Marker::FixMap(size) => Ok(Extent { length: 1, children: 2 * u64::from(size) }),
        Marker::Array16 => listed(2, 1),
        Marker::Array32 => listed(4, 1),
        Marker::Map16 => listed(2, 2),
        Marker::Map32 => listed(4, 2),
        Marker::FixExt4 => plain(6),
        Marker::FixExt8 => plain(10),
        Marker::FixExt16 => plain(18),
        Marker::Ext8 => sized(3, 1),
        Marker::Ext16 => sized(4, 2),
        Marker::Ext32 => sized(6, 4),
        Marker::Reserved => Err(Stop::Reserved),
    }
}

/// Finds the end of one value in bytes that arrive little by little; nothing that was walked is read again.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    at: usize,
    open: u64,
}

impl Default for Walk {
    fn default() -> Self {
        Self { at: 0, open: 1 }
    }
}

impl Walk {
    /// Goes on; `bytes` start where the value starts. Its length, when it is whole.
    pub(super) fn go(&mut self, bytes: &[u8]) -> Result<usize, Stop> {
        while self.open > 0 {
            let next = extent(bytes.get(self.at..).ok_or(Stop::Short)?)?;
            self.at = self.at.saturating_add(next.length);
            self.open = (self.open - 1).saturating_add(next.children);
        }
        if self.at > bytes.len() { Err(Stop::Short) } else { Ok(self.at) }
    }

    /// How far it came: behind the last head that was read, with its payload, which may not be there yet.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Forgets as many of these bytes as are not needed any more to find the end, and tells how many that are: the next
    /// bytes that it is given start behind them.
    pub(super) fn forget(&mut self, bytes: &[u8]) -> usize {
        let done = self.at.min(bytes.len());
        self.at -= done;
        done
    }

    /// The fewest bytes that the value can have, by what its lengths claim so far.
    pub(super) fn at_least(&self, bytes: &[u8]) -> u64 {
        if self.open == 0 {
            return self.at as u64;
        }
        let next = bytes.get(self.at..).and_then(|rest| extent(rest).ok());
        let (length, children) = next.map_or((1, 0), |next| (next.length as u64, next.children));
        (self.at as u64).saturating_add(self.open.saturating_sub(1)).saturating_add(length).saturating_add(children)
    }
}

/// Reads values one after the other.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next value; of a list or a map only its head.
    pub(super) fn next(&mut self) -> Result<Value<'a>, Stop> {
        let rest = self.rest();
        let whole = rest.get(..extent(rest)?.length).ok_or(Stop::Short)?;
        self.at += whole.len();
        let [first, tail @ ..] = whole else { return Err(Stop::Short) };
        let behind = |head: usize| tail.get(head..).unwrap_or_default();
        let kind = |at: usize| tail.get(at).map_or(0, |byte| byte.cast_signed());
        Ok(match Marker::from_u8(*first) {
            Marker::Null => Value::Nil,
            Marker::True => Value::Bool(true),
            Marker::False => Value::Bool(false),
            Marker::FixPos(small) => Value::Unsigned(u64::from(small)),
            Marker::FixNeg(small) => Value::Int(i64::from(small)),
            Marker::U8 | Marker::U16 | Marker::U32 | Marker::U64 => Value::Unsigned(number(tail)),
            Marker::I8 | Marker::I16 | Marker::I32 | Marker::I64 => Value::Int(signed(tail)),
            Marker::F32 => Value::Single(f32::from_be_bytes(tail.try_into().map_err(|_| Stop::Short)?)),
            Marker::F64 => Value::Double(f64::from_be_bytes(tail.try_into().map_err(|_| Stop::Short)?)),
            Marker::FixStr(_) => Value::Text(tail),
            Marker::Str8 => Value::Text(behind(1)),
            Marker::Str16 => Value::Text(behind(2)),
            Marker::Str32 => Value::Text(behind(4)),
            Marker::Bin8 => Value::Binary(behind(1)),
            Marker::Bin16 => Value::Binary(behind(2)),
            Marker::Bin32 => Value::Binary(behind(4)),
            Marker::FixArray(size) => Value::Array(u64::from(size)),
            Marker::FixMap(size) => Value::Map(u64::from(size)),
            Marker::Array16 | Marker::Array32 => Value::Array(number(tail)),
            Marker::Map16 | Marker::Map32 => Value::Map(number(tail)),
            Marker::FixExt1 | Marker::FixExt2 | Marker::FixExt4 | Marker::FixExt8 | Marker::FixExt16 => {
                Value::Extension(kind(0), behind(1))
            }
            Marker::Ext8 => Value::Extension(kind(1), behind(2)),
            Marker::Ext16 => Value::Extension(kind(2), behind(3)),
            Marker::Ext32 => Value::Extension(kind(4), behind(5)),
            Marker::Reserved => return Err(Stop::Reserved),
        })
    }

    /// Steps over one whole value; its bytes.
    pub(super) fn skip(&mut self) -> Result<&'a [u8], Stop> {
        let rest = self.rest();
        let length = Walk::default().go(rest)?;
        self.at += length;
        Ok(&rest[..length])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rmp::encode;

    #[test]
    fn every_kind_of_value_is_read_as_the_library_writes_it() {
        let long = vec![b'x'; 70_000];
        let mut bytes = Vec::new();
        for value in [0u64, 127, 128, 255, 256, 65_535, 65_536, u64::from(u32::MAX), u64::MAX] {
            encode::write_uint(&mut bytes, value).unwrap();
        }
        for value in [-1i64, -32, -33, -128, -129, -32_768, -32_769, i64::MIN] {
            encode::write_sint(&mut bytes, value).unwrap();
        }
        for size in [0, 31, 32, 255, 256, 65_535, 65_536] {
            encode::write_str(&mut bytes, std::str::from_utf8(&long[..size]).unwrap()).unwrap();
            encode::write_bin(&mut bytes, &long[..size]).unwrap();
        }
        for size in [1, 2, 4, 8, 16, 3, 300, 70_000] {
            encode::write_ext_meta(&mut bytes, u32::try_from(size).unwrap(), -5).unwrap();
            bytes.extend_from_slice(&long[..size]);
        }
        encode::write_f32(&mut bytes, 0.5).unwrap();
        encode::write_f64(&mut bytes, -2.25).unwrap();
        let mut reader = Reader::new(&bytes);
        for want in [0u64, 127, 128, 255, 256, 65_535, 65_536, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(reader.next(), Ok(Value::Unsigned(want)));
        }
        for want in [-1i64, -32, -33, -128, -129, -32_768, -32_769, i64::MIN] {
            assert_eq!(reader.next(), Ok(Value::Int(want)));
        }
        for size in [0, 31, 32, 255, 256, 65_535, 65_536] {
            assert_eq!(reader.next(), Ok(Value::Text(&long[..size])));
            assert_eq!(reader.next(), Ok(Value::Binary(&long[..size])));
        }
        for size in [1, 2, 4, 8, 16, 3, 300, 70_000] {
            assert_eq!(reader.next(), Ok(Value::Extension(-5, &long[..size])), "{size}");
        }
        assert_eq!(reader.next(), Ok(Value::Single(0.5)));
        assert_eq!(reader.next(), Ok(Value::Double(-2.25)));
        assert_eq!(reader.next(), Err(Stop::Short));
    }

    #[test]
    fn heads_of_lists_and_maps_tell_how_much_follows() {
        let mut bytes = Vec::new();
        for size in [0u32, 15, 16, 65_536] {
            encode::write_array_len(&mut bytes, size).unwrap();
            encode::write_map_len(&mut bytes, size).unwrap();
        }
        let mut reader = Reader::new(&bytes);
        for size in [0u64, 15, 16, 65_536] {
            assert_eq!(reader.next(), Ok(Value::Array(size)));
            assert_eq!(reader.next(), Ok(Value::Map(size)));
        }
        assert!(Reader::new(&[0x92, 0x01]).skip().is_err(), "one of two values is missing");
        assert_eq!(Reader::new(&[0x92, 0x01, 0x02, 0x03]).skip(), Ok(&[0x92, 0x01, 0x02][..]));
        assert_eq!(Reader::new(&[0xc1]).skip(), Err(Stop::Reserved));
    }

    #[test]
    fn a_claimed_length_is_known_before_its_bytes_come() {
        for (head, want) in [
            (&[0xc6, 0xff, 0xff, 0xff, 0xff][..], 5 + u64::from(u32::MAX)),
            (&[0xdd, 0xff, 0xff, 0xff, 0xff], 5 + u64::from(u32::MAX)),
            (&[0xdf, 0xff, 0xff, 0xff, 0xff], 5 + 2 * u64::from(u32::MAX)),
            (&[0x93, 0x01], 4),
            (&[], 1),
        ] {
            let mut walk = Walk::default();
            assert_eq!(walk.go(head), Err(Stop::Short));
            assert_eq!(walk.at_least(head), want, "{head:x?}");
        }
    }

    #[test]
    fn a_million_open_lists_are_walked_without_a_stack() {
        let mut bytes = vec![0x91; 1_000_000];
        bytes.push(0xc0);
        assert_eq!(Walk::default().go(&bytes), Ok(1_000_001));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader::new(&bytes);
            while reader.next().is_ok() {}
            prop_assert!(reader.at() <= bytes.len());
            let _ = Reader::new(&bytes).skip();
        }

        #[test]
        fn a_value_whose_start_is_forgotten_ends_where_the_whole_one_does(bytes in prop::collection::vec(any::<u8>(), 1..200), piece in 1usize..30) {
            let (mut walk, mut window, mut forgotten, mut found) = (Walk::default(), Vec::new(), 0, Err(Stop::Short));
            for part in bytes.chunks(piece) {
                window.extend_from_slice(part);
                found = walk.go(&window).map(|end| forgotten + end);
                if found != Err(Stop::Short) {
                    break;
                }
                let done = walk.forget(&window);
                prop_assert!(window.len() - done < 10, "only a head that is not whole is kept");
                window.drain(..done);
                forgotten += done;
            }
            prop_assert_eq!(found, Walk::default().go(&bytes));
        }

        #[test]
        fn a_value_in_pieces_ends_where_the_whole_one_does(bytes in prop::collection::vec(any::<u8>(), 1..200), cut in 0usize..200) {
            let whole = Walk::default().go(&bytes);
            let mut walk = Walk::default();
            let first = walk.go(&bytes[..cut.min(bytes.len())]);
            let then = match first { Err(Stop::Short) => walk.go(&bytes), done => done };
            prop_assert_eq!(then, whole);
        }
    }
}
