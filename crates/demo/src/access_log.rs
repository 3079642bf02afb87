//! The shop's access log, as nginx would write it.
//!
//! Each line is one append to a file that all workers share, so lines never mix. A line which can't be written (a full
//! disk) is counted and given up: the log never stops a request.

use base::Timestamp;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The `log_format` which makes nginx write the same lines.
pub const LOG_FORMAT: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time "$cookie_sid""#;

/// What is worth knowing about [`LOG_FORMAT`] before reading such lines.
pub const LOG_FORMAT_NOTE: &str = "nginx combined, then $request_time (seconds, three decimals), then the cookie `sid` \
    in double quotes (\"-\" before the first answer has set it). Bytes outside printable ASCII, the double quote and \
    the backslash are written as \\xHH, as nginx does.";

/// The same as a pattern with named groups, for a reader which is told the format instead of finding it out.
pub const LOG_PATTERN: &str = r#"^(?P<remote_addr>\S+) - (?P<remote_user>\S+) \[(?P<time_local>[^\]]+)\] "(?P<request>[^"]*)" (?P<status>\d{3}) (?P<body_bytes_sent>\d+) "(?P<http_referer>[^"]*)" "(?P<http_user_agent>[^"]*)" (?P<request_time>\d+\.\d{3}) "(?P<user>[^"]*)"$"#;

/// Longer addresses and agent names are cut, so that a line stays one write.
const LONGEST_FIELD: usize = 1_024;
/// How often a worker looks whether the log was renamed under it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One answered request.
pub(crate) struct Entry<'a> {
    pub remote: IpAddr,
    pub at: Timestamp,
    pub method: &'a str,
    pub uri: &'a str,
    pub status: u16,
    pub bytes: u64,
    pub referer: Option<&'a str>,
    pub agent: Option<&'a str>,
    pub took: Duration,
    pub sid: Option<&'a str>,
}

impl Entry<'_> {
    /// The line with its end.
    pub(crate) fn line(&self, zone: &jiff::tz::TimeZone) -> String {
        let at = jiff::Timestamp::from_microsecond(self.at.micros()).unwrap_or_default().to_zoned(zone.clone());
        let took_ms = self.took.as_millis();
        format!(
            "{} - - [{}] \"{} {} HTTP/1.1\" {} {} \"{}\" \"{}\" {}.{:03} \"{}\"\n",
            self.remote,
            at.strftime("%d/%b/%Y:%H:%M:%S %z"),
            escaped(Some(self.method)),
            escaped(Some(self.uri)),
            self.status,
            self.bytes,
            escaped(self.referer),
            escaped(self.agent),
            took_ms / 1_000,
            took_ms % 1_000,
            escaped(self.sid),
        )
    }
}

/// A value as nginx writes it; a missing one is `-`.
fn escaped(value: Option<&str>) -> String {
    let Some(value) = value.filter(|v| !v.is_empty()) else { return "-".to_owned() };
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes().take(LONGEST_FIELD) {
        match byte {
            b'"' | b'\\' | 0..=31 | 127.. => {
                let _ = write!(out, "\\x{byte:02X}");
            }
            _ => out.push(char::from(byte)),
        }
    }
    out
}

/// The open log of one worker.
#[derive(Debug)]
pub(crate) struct AccessLog {
    path: PathBuf,
    open: Option<File>,
    looked: Instant,
    /// The last write stopped in the middle of a line.
    is_torn: bool,
    lost: u64,
}

impl AccessLog {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, open: None, looked: Instant::now(), is_torn: false, lost: 0 }
    }

    /// Appends one line in one write. On a failure the line is lost and counted; the first loss returns the cause.
    pub(crate) fn write(&mut self, line: &str) -> io::Result<()> {
        let Err(error) = self.try_write(line) else { return Ok(()) };
        self.open = None;
        self.lost += 1;
        if self.lost == 1 { Err(error) } else { Ok(()) }
    }

    /// Lines that could not be written.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }

    fn try_write(&mut self, line: &str) -> io::Result<()> {
        if self.looked.elapsed() >= LOOK_EVERY {
            self.looked = Instant::now();
            self.open = self.open.take().filter(|file| is_still_at(file, &self.path));
        }
        let file = match &mut self.open {
            Some(file) => file,
            closed @ None => closed.insert(open_append(&self.path)?),
        };
        let torn;
        let whole = if self.is_torn {
            torn = format!("\n{line}");
            &torn
        } else {
            line
        };
        let written = file.write(whole.as_bytes())?;
        self.is_torn = written < whole.len();
        if self.is_torn { Err(io::Error::from(io::ErrorKind::WriteZero)) } else { Ok(()) }
    }
}

fn open_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn is_still_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Appends one line to a file that is not kept open.
pub(crate) fn append(path: &Path, line: &str) -> io::Result<()> {
    open_append(path)?.write_all(line.as_bytes())
}

/// Renames the file to `.1` (and `.1` to `.2`, up to `kept`) once it has reached `at_bytes`. Says whether it did.
pub(crate) fn rotate(path: &Path, at_bytes: u64, kept: u32) -> io::Result<bool> {
    match std::fs::metadata(path) {
        Ok(meta) if meta.len() >= at_bytes.max(1) => {}
        Ok(_) => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    }
    let older = |n: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{n}"));
        PathBuf::from(name)
    };
    for n in (1..kept).rev() {
        match std::fs::rename(older(n), older(n + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    std::fs::rename(path, older(1)).map(|()| true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::read_to_string;

    fn entry<'a>() -> Entry<'a> {
        Entry {
            remote: IpAddr::from([127, 0, 0, 9]),
            at: "2026-01-31T09:00:05Z".parse().unwrap(),
            method: "GET",
            uri: "/search?q=%E8%8C%B6",
            status: 200,
            bytes: 512,
            referer: None,
            agent: Some("Mozilla/5.0"),
            took: Duration::from_micros(1_234_567),
            sid: Some("abc"),
        }
    }

    #[test]
    fn a_line_is_what_nginx_would_write() {
        let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(9));
        let want = "127.0.0.9 - - [31/Jan/2026:18:00:05 +0900] \"GET /search?q=%E8%8C%B6 HTTP/1.1\" 200 512 \"-\" \
                    \"Mozilla/5.0\" 1.234 \"abc\"\n";
        assert_eq!(entry().line(&zone), want);
    }

    #[test]
    fn what_a_client_sends_cannot_break_out_of_its_field() {
        let mut nasty = entry();
        nasty.agent = Some("a\"b\\c\nd\u{8336}");
        nasty.sid = None;
        let line = nasty.line(&jiff::tz::TimeZone::UTC);
        assert!(line.contains(r#""a\x22b\x5Cc\x0Ad\xE8\x8C\xB6" 1.234 "-""#), "{line}");
        assert_eq!(line.matches('\n').count(), 1);
    }

    #[test]
    fn rotation_keeps_two_and_a_writer_follows_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("access.log");
        let mut log = AccessLog::new(path.clone());
        assert!(!rotate(&path, 5, 2).unwrap(), "nothing there yet");
        for (n, line) in ["first\n", "second\n", "third\n", "fourth\n"].iter().enumerate() {
            log.looked = log.looked.checked_sub(LOOK_EVERY).unwrap();
            log.write(line).unwrap();
            assert!(!rotate(&path, 100, 2).unwrap(), "too small");
            assert!(rotate(&path, 5, 2).unwrap(), "line {n}");
        }
        assert_eq!(read_to_string(dir.path().join("access.log.1")).unwrap(), "fourth\n");
        assert_eq!(read_to_string(dir.path().join("access.log.2")).unwrap(), "third\n");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_full_disk_is_said_once_and_counted() {
        let mut log = AccessLog::new(PathBuf::from("/dev/full"));
        assert!(log.write("one\n").is_err());
        assert!(log.write("two\n").is_ok());
        assert_eq!(log.lost(), 2);
    }
}
