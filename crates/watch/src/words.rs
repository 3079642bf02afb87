//! The word that was meant.

/// The known word nearest to what was written, if it is near enough to be meant.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written: String = written.chars().take(64).collect::<String>().to_lowercase().replace('-', "_");
    let allowed = written.chars().count().div_ceil(3);
    let ranked = known.into_iter().map(|word| (distance(&written, word), word));
    ranked.filter(|(far, _)| *far <= allowed).min().map(|(_, word)| word)
}

/// `did you mean ...? known here: ...`, as every message about an unknown word ends.
pub(crate) fn suggestion(written: &str, known: &[&str]) -> String {
    let all = known.join(", ");
    match nearest(written, known.iter().copied()) {
        Some(word) => format!("did you mean `{word}`? known here: {all}"),
        None => format!("known here: {all}"),
    }
}

/// Edits (insert, delete, replace) that lead from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in to.iter().enumerate() {
            let best = (diagonal + usize::from(a != *b)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_meant_and_a_far_one_is_not() {
        let known = ["status", "duration_ms", "path"];
        for (written, want) in
            [("statu", Some("status")), ("duration", Some("duration_ms")), ("Status", Some("status")), ("user", None)]
        {
            assert_eq!(nearest(written, known), want, "{written}");
        }
    }
}
