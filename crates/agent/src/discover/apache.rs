//! Reads as much of Apache's configuration as says where access logs are and what their lines look like.
//!
//! Never runs Apache or a shell: of `envvars` it understands plain assignments.

use super::{Budget, Declared, LogTarget};
use crate::glob;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

const MAX_DEPTH: usize = 8;
const COMMON: &str = r#"%h %l %u %t "%r" %>s %b"#;

/// Access logs declared below `root`, from `main` (an absolute path inside it).
pub(super) fn declared(root: &Path, main: &Path, budget: &mut Budget) -> Vec<Declared> {
    let folder = main.parent().unwrap_or(main).to_owned();
    let mut variables = HashMap::new();
    if let Some(text) = budget.read(root, &folder.join("envvars")) {
        read_variables(&text, &mut variables);
    }
    // /etc/httpd/conf/httpd.conf belongs to the server root /etc/httpd.
    let server_root = match folder.file_name() {
        Some(name) if name == "conf" => folder.parent().unwrap_or(&folder).to_owned(),
        _ => folder,
    };
    let formats = HashMap::from([("common".to_owned(), COMMON.to_owned())]);
    let mut reader = Reader { root, server_root, budget, variables, formats, server_name: None, found: Vec::new() };
    reader.file(main, 0);
    let Reader { formats, found, .. } = reader;
    let with_format = |(mut log, format): (Declared, String)| {
        log.format = if format.contains('%') { Some(format) } else { formats.get(&format).cloned() };
        log
    };
    found.into_iter().map(with_format).collect()
}

fn read_variables(text: &str, variables: &mut HashMap<String, String>) {
    for line in text.lines().take(1000) {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=') else { continue };
        if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let value = expand(value.trim().trim_matches(['"', '\'']), variables, true);
            variables.insert(name.to_owned(), value.unwrap_or_default());
        }
    }
}

/// Puts variables in. In a shell an unknown one is empty; in Apache it is an error.
fn expand(text: &str, variables: &HashMap<String, String>, shell: bool) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let bare = || {
            let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
            shell.then(|| after.split_at(end)).filter(|(name, _)| !name.is_empty())
        };
        let Some((name, left)) = braced.or_else(bare) else {
            out.push('$');
            rest = after;
            continue;
        };
        match variables.get(name) {
            Some(value) => out.push_str(value),
            None if shell => {}
            None => return None,
        }
        rest = left;
    }
    out.push_str(rest);
    Some(out)
}

struct Reader<'a> {
    root: &'a Path,
    server_root: PathBuf,
    budget: &'a mut Budget,
    variables: HashMap<String, String>,
    formats: HashMap<String, String>,
    server_name: Option<String>,
    found: Vec<(Declared, String)>,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, depth: usize) {
        let Some(text) = self.budget.read(self.root, path) else { return };
        let text = text.replace("\\\n", " ");
        let lines: Vec<Vec<String>> = text.lines().map(words).collect();
        for (at, words) in lines.iter().enumerate() {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let Some((name, arguments)) = words.split_first() else { continue };
            match (name.to_ascii_lowercase().as_str(), arguments) {
                // The name may stand behind the log in its block.
                ("<virtualhost", _) => self.server_name = server_name(&lines[at + 1..]),
                ("</virtualhost>", _) => self.server_name = None,
                ("serverroot", [root, ..]) => self.server_root = PathBuf::from(root),
                ("define", [name, value, ..]) => {
                    let value = self.expanded(value).unwrap_or_default();
                    self.variables.insert((*name).to_owned(), value);
                }
                ("logformat", [format, name]) => drop(self.formats.insert((*name).to_owned(), (*format).to_owned())),
                ("include" | "includeoptional", [pattern]) if depth < MAX_DEPTH => {
                    for path in self.included(pattern) {
                        self.file(&path, depth + 1);
                    }
                }
                ("customlog" | "globallog", [path, rest @ ..]) => {
                    self.log(path, rest.first().copied().unwrap_or("common"));
                }
                ("transferlog", [path]) => self.log(path, "common"),
                _ => {}
            }
        }
    }

    fn expanded(&self, text: &str) -> Option<String> {
        expand(text, &self.variables, false)
    }

    fn log(&mut self, path: &str, format: &str) {
        let skipped = |reason| LogTarget::Skipped { text: path.to_owned(), reason };
        let target = if path.starts_with('|') {
            skipped("written to a program; configure the file which that writes")
        } else if path.starts_with("syslog") {
            skipped("written to syslog; let it send to the syslog port instead")
        } else {
            match self.expanded(path) {
                Some(path) => LogTarget::File(self.server_root.join(path)),
                None => skipped("the path has variables that are not known; configure the full path"),
            }
        };
        let log = Declared { target, server_name: self.server_name.clone(), format: None, by: "Apache configuration" };
        if self.budget.take_log() {
            self.found.push((log, format.to_owned()));
        }
    }

    fn included(&self, pattern: &str) -> Vec<PathBuf> {
        let Some(pattern) = self.expanded(pattern) else { return Vec::new() };
        let absolute = self.server_root.join(pattern);
        let below = self.root.join(absolute.strip_prefix("/").unwrap_or(&absolute));
        let mut found = Vec::new();
        for path in glob::expand(&below, 512) {
            // A folder means all files in it.
            let inside = if path.is_dir() { glob::expand(&path.join("*"), 512) } else { vec![path] };
            found.extend(inside.into_iter().filter_map(|p| Some(Path::new("/").join(p.strip_prefix(self.root).ok()?))));
        }
        found
    }
}

fn server_name(lines: &[Vec<String>]) -> Option<String> {
    let block =
        lines.iter().take_while(|words| !words.first().is_some_and(|w| w.eq_ignore_ascii_case("</virtualhost>")));
    let name = block.into_iter().find_map(|words| match words.as_slice() {
        [directive, name, ..] if directive.eq_ignore_ascii_case("servername") => Some(name.clone()),
        _ => None,
    })?;
    let host = name.rsplit_once("://").map_or(name.as_str(), |(_, host)| host);
    Some(host.split(':').next().unwrap_or(host).to_owned())
}

fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut chars = line.trim().chars().peekable();
    if chars.peek() == Some(&'#') {
        return words;
    }
    while let Some(&c) = chars.peek() {
        if c.is_whitespace() {
            chars.next();
            continue;
        }
        let mut word = String::new();
        if c == '"' || c == '\'' {
            chars.next();
            while let Some(next) = chars.next() {
                match next {
                    '\\' if matches!(chars.peek(), Some('"' | '\\' | '\'')) => word.extend(chars.next()),
                    end if end == c => break,
                    other => word.push(other),
                }
            }
        } else {
            while let Some(&next) = chars.peek().filter(|next| !next.is_whitespace()) {
                word.push(next);
                chars.next();
            }
        }
        words.push(word);
    }
    words
}
