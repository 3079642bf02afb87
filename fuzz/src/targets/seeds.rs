//! Good bytes to start from: `fixtures/`, and a few that nobody captured.

use std::fs;
use std::path::PathBuf;

/// The folder `fixtures/`.
#[derive(Debug, Clone)]
pub struct Fixtures(PathBuf);

impl Fixtures {
    /// Of the checkout that the program was built from.
    pub fn of(checkout: impl Into<PathBuf>) -> Self {
        Self(checkout.into().join("fixtures"))
    }

    /// The files of a folder whose names fit, each one input: `otlp/*_logs.pb`.
    pub fn files(&self, wanted: &str) -> Vec<Vec<u8>> {
        let (folder, name) = wanted.split_once('/').expect("a folder and a name");
        let (start, end) = name.split_once('*').expect("a name with a star");
        let folder = self.0.join(folder);
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("a folder can be read").path()).collect();
        paths.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(start) && name.ends_with(end)
        });
        assert!(!paths.is_empty(), "no seeds: nothing in fixtures/ is called {wanted}");
        paths.sort();
        paths.iter().map(|path| fs::read(path).expect("a fixture can be read")).collect()
    }

    /// The same, with several inputs in a file, or the input inside something else.
    pub fn parts(&self, wanted: &str, parts: fn(&[u8]) -> Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        self.files(wanted).iter().flat_map(|file| parts(file)).collect()
    }

    /// Bodies of Loki's clients that are no protobuf.
    pub fn json_of_loki(&self) -> Vec<Vec<u8>> {
        let mut bodies = self.files("loki/*.body");
        bodies.retain(|body| body.starts_with(b"{"));
        bodies
    }

    /// What broke a target once.
    pub fn crashers(&self, target: &str) -> Vec<Vec<u8>> {
        let folder = format!("crashers/{target}");
        if self.0.join(&folder).is_dir() { self.files_of(&folder) } else { Vec::new() }
    }

    fn files_of(&self, folder: &str) -> Vec<Vec<u8>> {
        let entries = fs::read_dir(self.0.join(folder)).expect("it is a folder");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("a folder can be read").path()).collect();
        paths.sort();
        paths.iter().map(|path| fs::read(path).expect("a fixture can be read")).collect()
    }
}

/// Each line by itself.
pub fn lines(file: &[u8]) -> Vec<Vec<u8>> {
    file.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

/// Datagrams, each a JSON string on its line.
pub fn json_lines(file: &[u8]) -> Vec<Vec<u8>> {
    let datagram = |line: &Vec<u8>| serde_json::from_slice::<String>(line).expect("a JSON string").into_bytes();
    lines(file).iter().map(datagram).collect()
}

/// What a snappy block holds.
pub fn without_snappy(file: &[u8]) -> Vec<Vec<u8>> {
    vec![snap::raw::Decoder::new().decompress_vec(file).expect("a fixture is a snappy block")]
}

/// The entries of `[tag, entries, options]`.
pub fn packed_entries(file: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = file;
    rmp::decode::read_array_len(&mut rest).expect("a list");
    let tag = rmp::decode::read_str_len(&mut rest).expect("a tag");
    rest = &rest[tag as usize..];
    let length = rmp::decode::read_bin_len(&mut rest).expect("packed entries");
    vec![rest[..length as usize].to_vec()]
}

/// Pings: address, then body.
pub fn pings() -> Vec<Vec<u8>> {
    [
        "nightly_backup\n",
        "backup?status=down&msg=disk+full%3A+1&ping=12.5\n",
        "0b7a0d5c-5d0f-4b3e-9a54-0f5d2f1c9a11/3?rid=9c2d3c9e\ncopied 7 files\npassword: hunter2\n",
    ]
    .map(|ping| ping.as_bytes().to_vec())
    .to_vec()
}

/// Deliveries of GitHub: the event, then the body.
pub fn github() -> Vec<Vec<u8>> {
    let repository =
        r#""repository":{"name":"shop","full_name":"acme/shop","default_branch":"main"},"sender":{"login":"taro"}"#;
    [
        format!(
            r#"push
{{"ref":"refs/heads/main","after":"abc","compare":"https://github.com/c","head_commit":{{"message":"Pay faster\n\nBecause.","timestamp":"2026-02-03T13:05:06+09:00","author":{{"name":"Hanako"}}}},{repository}}}"#
        ),
        format!(
            r#"deployment_status
{{"deployment":{{"sha":"abc","ref":"main","environment":"production","created_at":"2026-02-03T04:05:06Z"}},"deployment_status":{{"state":"failure","log_url":"https://ci.example/7"}},{repository}}}"#
        ),
        format!(
            r#"release
{{"action":"published","release":{{"tag_name":"v1","name":"","html_url":"https://github.com/r"}},{repository}}}"#
        ),
    ]
    .map(String::into_bytes)
    .to_vec()
}

/// Filters as people write them.
pub fn filters() -> Vec<Vec<u8>> {
    [r#"status>=500 route:"POST /cart" duration>1s"#, r#"(host=a OR host!=b\*) -bytes<4KiB NOT user:* "two words""#]
        .map(|filter| filter.as_bytes().to_vec())
        .to_vec()
}

/// Encoded sketches.
pub fn sketches() -> Vec<Vec<u8>> {
    let mut sketch = signal::LatencySketch::default();
    let mut encoded = Vec::new();
    for duration_us in [0, 1, 250, 1_000_000, u64::MAX] {
        sketch.add(duration_us);
        sketch.encode(&mut encoded);
    }
    let mut last = Vec::new();
    sketch.encode(&mut last);
    vec![last, encoded]
}

/// Remote write 2.0, of which there is no capture: one series with a sample, an exemplar and a native histogram.
pub fn remote_write_2() -> Vec<Vec<u8>> {
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u8::try_from(bytes.len()).expect("a seed is short");
        assert!(length < 0x80, "a longer length has two bytes");
        [&[number << 3 | 2, length], bytes].concat()
    }
    let symbols = ["", "__name__", "up", "instance", "web-1:9100"].map(|symbol| field(4, symbol.as_bytes()));
    let moment = [0x10, 0x80, 0xd8, 0x8e, 0xa4, 0x9e, 0x34];
    let sample = [&[0x09][..], &1.5_f64.to_le_bytes(), &moment].concat();
    let buckets = [field(11, &[0x08, 0x02, 0x10, 0x02]), field(12, &[0x02, 0x01])].concat();
    let histogram = [&[0x08, 0x07, 0x19][..], &18.4_f64.to_le_bytes(), &[0x20, 0x06], &buckets, &[0x78], &moment[1..]];
    let series =
        [field(1, &[1, 2, 3, 4]), field(2, &sample), field(4, &field(1, &[3, 4])), field(3, &histogram.concat())];
    vec![[symbols.concat(), field(5, &series.concat())].concat()]
}
