//! What a group of errors was grouped by, worked out again from a stored error.
//!
//! The stored stack tells which frames are the application's own, not which are a library's, and a sender's own
//! grouping is not stored. So each way in which the error may have been told is tried, and only one that leads to the
//! very same group is given as its explanation: nothing is guessed.

use signal::fingerprint::{ErrorTraits, Fingerprinter, Place};

/// Why an error is in its group.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Grouping {
    /// Version of the grouping.
    pub version: String,
    /// Whether the inputs lead to this very group. If not, the sender asked for a grouping of its own, or the stored
    /// error was shortened; then the inputs are what we would have taken.
    pub proven: bool,
    /// What was compared, in its order.
    pub inputs: Vec<GroupingInput>,
}

/// One thing that was compared.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct GroupingInput {
    /// `type`, `message` or `frame`.
    pub name: String,
    /// As a person reads it.
    pub text: String,
}

/// What is known of frames that are not marked as the application's own.
const OTHERS: [fn(&str) -> Option<bool>; 3] =
    [|_| None, |file| protocols::is_library(file).then_some(false), |_| Some(false)];

/// The explanation of an error's group.
pub fn explain(
    fingerprinter: &Fingerprinter,
    group_id: &str,
    kind: &str,
    message: &str,
    stack: Option<&str>,
) -> Grouping {
    let frames: Vec<StoredFrame<'_>> = stack.unwrap_or_default().lines().filter_map(StoredFrame::parse).collect();
    let as_told = |own_of_others: fn(&str) -> Option<bool>| {
        let places: Vec<Place<'_>> = frames.iter().map(|frame| frame.place(own_of_others)).collect();
        fingerprinter.of(&ErrorTraits { kind, message, places: &places, grouping: &[] })
    };
    let ways: Vec<_> = OTHERS.into_iter().map(as_told).collect();
    let proven = ways.iter().find(|way| way.group_id == group_id);
    let inputs = proven.or(ways.first()).map(|way| way.inputs.as_slice()).unwrap_or_default();
    Grouping {
        version: group_id.split('-').next().unwrap_or_default().to_owned(),
        proven: proven.is_some(),
        inputs: inputs
            .iter()
            .map(|input| GroupingInput { name: input.name().to_owned(), text: input.text() })
            .collect(),
    }
}

/// A frame as it is stored: `function (file:line)`, followed by ` *` when it is the application's own.
#[derive(Debug, PartialEq, Eq)]
struct StoredFrame<'a> {
    function: &'a str,
    file: &'a str,
    own: bool,
}

impl<'a> StoredFrame<'a> {
    fn place(&self, own_of_others: fn(&str) -> Option<bool>) -> Place<'a> {
        let own = if self.own { Some(true) } else { own_of_others(self.file) };
        Place { function: self.function, file: self.file, own }
    }

    fn parse(line: &'a str) -> Option<Self> {
        let (rest, own) = line.strip_suffix(" *").map_or((line, false), |rest| (rest, true));
        let (function, place) = rest.strip_suffix(')')?.rsplit_once(" (")?;
        let file = match place.rsplit_once(':') {
            Some((file, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => file,
            _ => place,
        };
        Some(Self { function, file, own })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAY: Place<'_> = Place { function: "block (2 levels)", file: "app/pay.rb", own: None };
    const RACK: Place<'_> = Place { function: "call", file: "/srv/gems/rack/server.rb", own: Some(false) };
    const OTHER: Place<'_> = Place { function: "run", file: "puma.rb", own: Some(false) };

    fn stored(places: &[Place<'_>]) -> String {
        let line = |place: &Place<'_>| {
            let own = if place.own == Some(true) { " *" } else { "" };
            format!("{} ({}:12){own}\n", place.function, place.file)
        };
        places.iter().map(line).collect()
    }

    #[test]
    fn the_inputs_are_found_again_however_frames_were_told() {
        let fingerprinter = Fingerprinter::new();
        let own = Place { own: Some(true), ..PAY };
        for (case, places, frames) in [
            ("no frames", vec![], 0),
            ("own frames are marked", vec![own, RACK], 1),
            ("a library's by its place", vec![PAY, RACK], 1),
            ("the sender says that all are a library's", vec![OTHER, RACK], 2),
            ("nothing is known", vec![PAY, Place { own: None, ..OTHER }], 2),
        ] {
            let traits =
                ErrorTraits { kind: "PaymentError", message: "order 7 failed", places: &places, grouping: &[] };
            let group = fingerprinter.of(&traits);
            let stack = stored(&places);
            let found = explain(&fingerprinter, &group.group_id, "PaymentError", "order 7 failed", Some(&stack));
            assert!(found.proven, "{case}");
            assert_eq!(found.version, "v1", "{case}");
            let names: Vec<&str> = found.inputs.iter().map(|input| input.name.as_str()).collect();
            assert_eq!(names.iter().filter(|name| **name == "frame").count(), frames, "{case}");
            assert_eq!(found.inputs[1].text, "order <n> failed", "{case}");
        }
    }

    #[test]
    fn a_grouping_of_the_senders_own_is_not_explained_away() {
        let fingerprinter = Fingerprinter::new();
        let traits = ErrorTraits { kind: "A", message: "b", places: &[], grouping: &["mine"] };
        let group = fingerprinter.of(&traits).group_id;
        let found = explain(&fingerprinter, &group, "A", "b", None);
        assert!(!found.proven);
        assert_eq!(found.inputs.len(), 2);
    }

    #[test]
    fn frames_are_read_as_they_are_stored() {
        for (line, want) in [
            ("pay (app/pay.rb:12) *", Some(("pay", "app/pay.rb", true))),
            ("block (2 levels) (app/pay.rb)", Some(("block (2 levels)", "app/pay.rb", false))),
            (" (node:events:1)", Some(("", "node:events", false))),
            ("f (C:\\shop\\x.dll)", Some(("f", "C:\\shop\\x.dll", false))),
            ("nonsense", None),
        ] {
            let found = StoredFrame::parse(line).map(|frame| (frame.function, frame.file, frame.own));
            assert_eq!(found, want, "{line}");
        }
    }
}
