use super::*;
use crate::ledger::{NotNew, admit};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// A receiver that keeps lines and marks in one step, and refuses what is not new.
#[derive(Default)]
struct Book {
    marks: HashMap<String, String>,
    lines: Vec<String>,
    too_long: u64,
}

impl Book {
    fn take(&mut self, chunk: &Chunk) -> Result<(), NotNew> {
        let stored = self.marks.get(&chunk.mark_key).map(String::as_str);
        let next = admit(stored, &chunk.mark_value, chunk.from, chunk.to)?;
        self.marks.insert(chunk.mark_key.clone(), next);
        let text = String::from_utf8(chunk.bytes.to_vec()).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "a chunk ends with a newline");
        self.lines.extend(text.lines().map(str::to_owned));
        self.too_long += chunk.too_long;
        Ok(())
    }
}

/// A follower with the receiver that survives it, and a clock moved by hand.
struct World {
    folder: tempfile::TempDir,
    book: Book,
    follower: Option<Follower>,
    now: Instant,
    start: StartAt,
    pattern: &'static str,
}

impl World {
    fn new(start: StartAt) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, book: Book::default(), follower: None, now: Instant::now(), start, pattern: "access.log" }
    }

    fn log(&self) -> PathBuf {
        self.path("access.log")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn append(&self, text: &str) {
        let mut file = File::options().append(true).create(true).open(self.log()).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn start(&mut self) {
        let spec = SourceSpec {
            id: SourceId("test".to_owned()),
            service: "shop".parse().unwrap(),
            path: self.path(self.pattern),
            start: self.start,
        };
        self.follower = Some(Follower::new(spec, Timing::default()));
    }

    fn restart(&mut self) {
        self.follower = None;
        self.start();
    }

    /// One look; false when there was nothing.
    fn poll(&mut self, deliver: bool) -> bool {
        let Some(follower) = self.follower.as_mut() else { return false };
        let marks = &self.book.marks;
        let Some(chunk) = follower.next(&|key| marks.get(key).cloned(), self.now) else { return false };
        if deliver {
            match self.book.take(&chunk) {
                // As receivers do: it is acknowledged, and nothing of it is stored again.
                Ok(()) | Err(NotNew::Covered) => {}
                Err(error) => panic!("{error}: {chunk:?}"),
            }
            follower.delivered(Timestamp::from_seconds(1));
        }
        true
    }

    fn drain(&mut self) {
        for _ in 0..10_000 {
            if !self.poll(true) {
                return;
            }
        }
        panic!("there is no end of chunks");
    }

    fn wait_for_grace(&mut self) {
        self.drain();
        self.now += Timing::default().grace + Duration::from_secs(1);
        self.drain();
    }

    fn take_lines(&mut self) -> Vec<String> {
        self.drain();
        std::mem::take(&mut self.book.lines)
    }
}

#[test]
fn the_past_of_a_discovered_file_is_left_for_an_import() {
    let mut world = World::new(StartAt::End);
    world.append("old 1\nold 2\nhalf");
    world.start();
    assert_eq!(world.take_lines(), [""; 0]);
    world.append(" done\nnew\n");
    assert_eq!(world.take_lines(), ["half done", "new"]);
    world.restart();
    assert_eq!(world.take_lines(), Vec::<String>::new());
}

#[test]
fn what_was_written_while_away_is_read_after_a_restart() {
    let mut world = World::new(StartAt::End);
    world.append("old\n");
    world.start();
    world.drain();
    world.follower = None;
    world.append("while away\n");
    world.start();
    assert_eq!(world.take_lines(), ["while away"]);
}

#[test]
fn a_file_that_was_empty_when_found_is_read_whole_even_after_a_restart() {
    let mut world = World::new(StartAt::End);
    world.append("");
    world.start();
    world.drain();
    world.follower = None;
    world.append("first\n");
    world.start();
    assert_eq!(world.take_lines(), ["first"]);
}

#[test]
fn a_configured_file_can_be_read_from_its_beginning() {
    let mut world = World::new(StartAt::Beginning);
    world.append("old\n");
    world.start();
    assert_eq!(world.take_lines(), ["old"]);
}

#[test]
fn an_unfinished_line_is_never_delivered_in_parts() {
    let mut world = World::new(StartAt::Beginning);
    world.start();
    for part in ["GET ", "/ite", "ms"] {
        world.append(part);
        assert_eq!(world.take_lines(), Vec::<String>::new());
    }
    world.append(" 200\n");
    assert_eq!(world.take_lines(), ["GET /items 200"]);
}

#[test]
fn a_renamed_file_is_read_to_its_end_before_the_new_one() {
    let mut world = World::new(StartAt::Beginning);
    world.append("a 1\n");
    world.start();
    world.drain();
    let mut writer = File::options().append(true).open(world.log()).unwrap();
    writer.write_all(b"a 2\n").unwrap();
    fs::rename(world.log(), world.path("access.log.1")).unwrap();
    writer.write_all(b"a 3\n").unwrap();
    world.append("b 1\n");
    writer.write_all(b"a 4").unwrap();
    assert_eq!(world.take_lines(), ["a 1", "a 2", "a 3", "b 1"]);
    world.wait_for_grace();
    assert_eq!(world.take_lines(), ["a 4"], "complete once nobody writes to it any more");
    world.restart();
    world.wait_for_grace();
    assert_eq!(world.take_lines(), Vec::<String>::new());
}

#[test]
fn a_truncated_copy_gives_what_was_not_read_before() {
    let mut world = World::new(StartAt::Beginning);
    world.append("a 1\n");
    world.start();
    world.drain();
    world.append("a 2\n");
    fs::copy(world.log(), world.path("access.log.1")).unwrap();
    File::options().write(true).truncate(true).open(world.log()).unwrap();
    world.append("b 1 which is longer than all that was there before\n");
    assert_eq!(world.take_lines(), ["a 1", "a 2", "b 1 which is longer than all that was there before"]);
}

#[test]
fn a_file_that_is_deleted_and_written_anew_is_followed() {
    let mut world = World::new(StartAt::Beginning);
    world.append("a 1\n");
    world.start();
    world.drain();
    fs::remove_file(world.log()).unwrap();
    world.drain();
    assert_eq!(world.follower.as_ref().unwrap().status()[0].state, FileState::Waiting);
    world.append("b 1\n");
    assert_eq!(world.take_lines(), ["a 1", "b 1"]);
    assert_eq!(world.follower.as_ref().unwrap().status()[0].state, FileState::Following);
}

#[test]
fn a_new_content_that_starts_like_the_old_gets_its_own_ledger() {
    let mut world = World::new(StartAt::Beginning);
    world.append("same\nsame\nsame\n");
    world.start();
    world.drain();
    File::options().write(true).truncate(true).open(world.log()).unwrap();
    world.append("same\n");
    assert_eq!(world.take_lines().len(), 4);
    world.append("same\n");
    assert_eq!(world.take_lines().len(), 1);
}

#[test]
fn what_was_packed_while_away_is_found() {
    let mut world = World::new(StartAt::End);
    world.append("old\n");
    world.start();
    world.drain();
    world.append("a 1\n");
    world.drain();
    world.follower = None;
    world.append("a 2\n");
    let content = fs::read(world.log()).unwrap();
    fs::write(world.path("access.log.2.gz"), gzip(&content)).unwrap();
    fs::remove_file(world.log()).unwrap();
    fs::write(world.path("access.log.1"), "b 1\n").unwrap();
    // File times order older files.
    let newer = std::time::SystemTime::now() + Duration::from_secs(1);
    File::options().write(true).open(world.path("access.log.1")).unwrap().set_modified(newer).unwrap();
    world.append("c 1\n");
    world.start();
    assert_eq!(world.take_lines(), ["a 1", "a 2", "b 1", "c 1"]);
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(content).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_file_cut_by_a_power_failure_goes_on_in_a_ledger_of_its_own() {
    let mut world = World::new(StartAt::Beginning);
    world.start();
    for n in 0..200 {
        world.append(&format!("line {n} {}\n", "x".repeat(50)));
        world.drain();
    }
    world.follower = None;
    let size = fs::metadata(world.log()).unwrap().len();
    File::options().write(true).open(world.log()).unwrap().set_len(size - 10).unwrap();
    world.start();
    let lines = world.take_lines();
    world.append("\nafter\n");
    let again = lines.len() + world.take_lines().len() - 200;
    assert!(again < 40, "{again} lines came twice or were cut");
}

#[test]
fn a_pattern_finds_files_as_they_come_and_leaves_rotated_ones() {
    let mut world = World::new(StartAt::End);
    world.pattern = "*access*";
    world.append("old\n");
    fs::write(world.path("access.log.1"), "older\n").unwrap();
    fs::write(world.path("access.log.2.gz"), gzip(b"oldest\n")).unwrap();
    world.start();
    world.drain();
    fs::write(world.path("shop-access.log"), "new file\n").unwrap();
    world.now += Duration::from_secs(6);
    world.append("new\n");
    let mut lines = world.take_lines();
    lines.sort();
    assert_eq!(lines, ["new", "new file"]);
    assert_eq!(world.follower.as_ref().unwrap().status().len(), 2);
}

#[test]
fn a_line_beyond_the_limit_is_counted() {
    let mut world = World::new(StartAt::Beginning);
    world.append("a\n");
    world.append(&"x".repeat(crate::lines::MAX_LINE + 5));
    world.append("\nb\n");
    world.start();
    assert_eq!(world.take_lines(), ["a", "b"]);
    assert_eq!(world.book.too_long, 1);
    world.restart();
    assert_eq!(world.take_lines(), Vec::<String>::new());
}

#[test]
fn what_is_no_file_is_told_not_opened() {
    let mut world = World::new(StartAt::Beginning);
    fs::create_dir(world.log()).unwrap();
    world.start();
    world.drain();
    let status = world.follower.as_ref().unwrap().status();
    assert!(matches!(&status[0].state, FileState::Failed { reason } if reason.contains("regular file")), "{status:?}");
}

/// What can happen to a log, in any order.
#[derive(Debug, Clone)]
enum Event {
    Write(u8),
    WriteHalf,
    Rename,
    Reopen,
    CopyTruncate,
    Pack,
    Poll,
    Drain,
    /// The process dies between taking a chunk and hearing that it was stored.
    DieUndelivered,
    Die,
    Start,
    Grace,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (1u8..30).prop_map(Event::Write),
        2 => Just(Event::WriteHalf),
        1 => Just(Event::Rename),
        1 => Just(Event::Reopen),
        1 => Just(Event::CopyTruncate),
        1 => Just(Event::Pack),
        4 => Just(Event::Poll),
        2 => Just(Event::Drain),
        1 => Just(Event::DieUndelivered),
        1 => Just(Event::Die),
        3 => Just(Event::Start),
        1 => Just(Event::Grace),
    ]
}

/// A program that writes a log, and the rotation around it.
struct Writer {
    file: File,
    generation: usize,
    count: usize,
    half: bool,
    /// Still writing to a renamed file.
    detached: bool,
    written: Vec<String>,
    /// Orders file times, which decide what is older.
    tick: u64,
    epoch: std::time::SystemTime,
}

impl Writer {
    fn line(&mut self) -> String {
        self.count += 1;
        let line = format!("{} {} {}", self.generation, self.count, "x".repeat(self.count * 7 % 60));
        self.written.push(line.clone());
        line
    }

    fn write(&mut self, text: &str) {
        self.file.write_all(text.as_bytes()).unwrap();
        self.tick += 1;
        let at = self.epoch + Duration::from_secs(self.tick);
        self.file.set_modified(at).unwrap();
    }

    fn finish_half(&mut self) {
        if std::mem::take(&mut self.half) {
            self.write("\n");
        }
    }

    fn next_generation(&mut self) {
        self.generation += 1;
        self.count = 0;
    }
}

fn append_to(path: &Path) -> File {
    File::options().append(true).create(true).open(path).unwrap()
}

fn shift(world: &World) {
    for n in (1..20).rev() {
        for extension in ["", ".gz"] {
            let from = world.path(&format!("access.log.{n}{extension}"));
            if from.exists() {
                fs::rename(from, world.path(&format!("access.log.{}{extension}", n + 1))).unwrap();
            }
        }
    }
}

fn apply(world: &mut World, writer: &mut Writer, event: &Event) {
    match event {
        Event::Write(n) => {
            writer.finish_half();
            for _ in 0..*n {
                let line = writer.line();
                writer.write(&format!("{line}\n"));
            }
        }
        Event::WriteHalf => {
            writer.finish_half();
            let line = writer.line();
            writer.write(&line);
            writer.half = true;
        }
        Event::Rename if !writer.detached && writer.generation < 15 => {
            shift(world);
            fs::rename(world.log(), world.path("access.log.1")).unwrap();
            writer.detached = true;
        }
        Event::Reopen if writer.detached => {
            writer.half = false; // the last line of a finished file may lack its newline
            writer.file = append_to(&world.log());
            writer.next_generation();
            writer.detached = false;
        }
        Event::CopyTruncate if !writer.detached && writer.generation < 15 => {
            writer.finish_half(); // a line torn by the truncation is torn for everybody
            world.poll(true);
            if world.follower.is_some() {
                world.poll(true);
            }
            shift(world);
            let copy = world.path("access.log.1");
            fs::copy(world.log(), &copy).unwrap();
            let times = fs::metadata(world.log()).unwrap().modified().unwrap();
            File::options().write(true).open(copy).unwrap().set_modified(times).unwrap();
            writer.file.set_len(0).unwrap();
            writer.next_generation();
            writer.write("");
        }
        Event::Pack => {
            let plain = world.path("access.log.2");
            // Packed before its last line was complete, and a crash in the same half minute: that line is lost.
            if let Some(content) = fs::read(&plain).ok().filter(|content| content.ends_with(b"\n")) {
                let packed = world.path("access.log.2.gz");
                let times = fs::metadata(&plain).unwrap().modified().unwrap();
                fs::write(&packed, gzip(&content)).unwrap();
                File::options().write(true).open(packed).unwrap().set_modified(times).unwrap();
                fs::remove_file(plain).unwrap();
            }
        }
        Event::Poll => drop(world.poll(true)),
        Event::Drain => world.drain(),
        Event::DieUndelivered => {
            world.poll(false);
            world.follower = None;
        }
        Event::Die => world.follower = None,
        Event::Start if world.follower.is_none() => world.start(),
        Event::Grace if !writer.detached && world.follower.is_some() => world.wait_for_grace(),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_line_comes_once_and_in_order_whatever_happens(events in prop::collection::vec(event(), 1..60)) {
        let mut world = World::new(StartAt::Beginning);
        let mut writer = Writer {
            file: append_to(&world.log()),
            generation: 0,
            count: 0,
            half: false,
            detached: false,
            written: Vec::new(),
            tick: 0,
            epoch: std::time::SystemTime::now() + Duration::from_secs(10),
        };
        world.start();
        world.drain();
        for event in &events {
            apply(&mut world, &mut writer, event);
        }
        for event in [Event::Start, Event::Reopen, Event::Write(1), Event::Grace, Event::Die, Event::Start, Event::Grace] {
            apply(&mut world, &mut writer, &event);
        }
        let mut by_generation: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for line in &world.book.lines {
            let mut parts = line.split(' ');
            let generation = parts.next().unwrap().to_owned();
            by_generation.entry(generation).or_default().push(parts.next().unwrap().parse().unwrap());
        }
        for (generation, counts) in &by_generation {
            prop_assert!(counts.is_sorted(), "generation {} came out of order: {:?}", generation, counts);
        }
        let mut got = world.book.lines.clone();
        got.sort();
        let mut want = writer.written.clone();
        want.sort();
        prop_assert_eq!(got, want);
    }
}
