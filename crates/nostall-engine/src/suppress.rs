//! Marks in the source that answer findings: `nostall: ignore[rule] reason`, and what other tools' marks say.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use nostall_model::facts::{ExprKind, FileFacts};
use nostall_model::finding::{Place, Problem, ProblemCode};
use nostall_model::{FileId, RuleId, Sources, Span};

use crate::rules::{self, RuleSet, UnknownRule};
use crate::settings::{FileSettings, Settings};

/// All marks of a program.
#[derive(Debug, Default)]
pub struct Suppressions {
    by_file: BTreeMap<FileId, Vec<Mark>>,
}

/// One mark.
#[derive(Debug)]
struct Mark {
    /// The rules that it answers; all without a list.
    rules: Option<RuleSet>,
    /// It names rules that do not exist, which is told elsewhere.
    misnamed: bool,
    /// The bytes in which it holds.
    covers: Cover,
    /// The comment.
    span: Span,
    /// Another tool's mark: nobody is told when it answers nothing.
    foreign: bool,
    used: AtomicBool,
}

/// Where a mark holds.
#[derive(Debug)]
enum Cover {
    /// Statements that share a line with these, from 1, the last included.
    Lines(u32, u32),
    /// An item.
    Item(Span),
    /// The whole file.
    File,
}

/// What flake8-async and ruff call what we find.
const FOREIGN_CODES: [(&str, &str); 12] = [
    ("ASYNC210", "blocking-http"),
    ("ASYNC211", "blocking-http"),
    ("ASYNC212", "blocking-http"),
    ("ASYNC220", "blocking-process"),
    ("ASYNC221", "blocking-process"),
    ("ASYNC222", "blocking-process"),
    ("ASYNC230", "blocking-fs"),
    ("ASYNC231", "blocking-fs"),
    ("ASYNC232", "blocking-fs"),
    ("ASYNC240", "blocking-fs"),
    ("ASYNC250", "blocking-console"),
    ("ASYNC251", "blocking-sleep"),
];

/// What clippy calls what we find.
const FOREIGN_LINTS: [(&str, &str); 2] = [
    ("clippy::await_holding_lock", "await-holding-lock"),
    ("clippy::await_holding_refcell_ref", "await-holding-lock"),
];

impl Suppressions {
    /// Finds all marks. Marks that name rules which do not exist are problems.
    #[must_use]
    pub fn collect(sources: &Sources, facts: &[(FileId, &FileFacts)]) -> (Self, Vec<Problem>) {
        let mut all = Self::default();
        let mut problems = Vec::new();
        for (file, facts) in facts {
            let reader = Reader {
                sources,
                file: *file,
                facts,
            };
            let mut marks: Vec<Mark> = facts
                .comments
                .iter()
                .filter_map(|comment| reader.mark(comment.span, &mut problems))
                .collect();
            marks.extend(reader.allowed());
            if !marks.is_empty() {
                all.by_file.insert(*file, marks);
            }
        }
        (all, problems)
    }

    /// Says whether a mark answers a rule at a statement, and remembers that the mark was of use.
    #[must_use]
    pub fn covers(&self, rule: RuleId, sources: &Sources, file: FileId, statement: Span) -> bool {
        let Some(marks) = self.by_file.get(&file) else {
            return false;
        };
        let lines = sources.lines(file);
        let (first, last) = (
            lines.line(statement.start),
            lines.line(statement.end.saturating_sub(1).max(statement.start)),
        );
        let mut covered = false;
        for mark in marks.iter().filter(|mark| mark.answers(rule)) {
            let here = match mark.covers {
                Cover::Lines(from, to) => from <= last && first <= to,
                Cover::Item(span) => span.contains(statement),
                Cover::File => true,
            };
            if here {
                mark.used.store(true, Ordering::Relaxed);
                covered = true;
            }
        }
        covered
    }

    /// Lists the marks that answered nothing, of rules that are on.
    #[must_use]
    pub fn unused(&self, sources: &Sources, settings: &Settings) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (file, marks) in &self.by_file {
            let settings = settings.of(*file);
            let unused = marks
                .iter()
                .filter(|mark| settings.unused_ignore && mark.is_unused(settings));
            problems.extend(unused.map(|mark| {
                let message = "this mark answers no finding".to_owned();
                problem(sources, *file, mark.span, message)
            }));
        }
        problems
    }
}

impl Mark {
    fn new(rules: Option<RuleSet>, covers: Cover, span: Span) -> Self {
        Self {
            rules,
            misnamed: false,
            covers,
            span,
            foreign: false,
            used: AtomicBool::new(false),
        }
    }

    fn foreign(rules: Option<RuleSet>, covers: Cover, span: Span) -> Self {
        Self {
            foreign: true,
            ..Self::new(rules, covers, span)
        }
    }

    fn answers(&self, rule: RuleId) -> bool {
        self.rules.as_ref().is_none_or(|rules| rules.contains(rule))
    }

    /// Of a mark for rules that are off nobody knows whether it is of use.
    fn is_unused(&self, settings: &FileSettings) -> bool {
        let all_on = rules::all()
            .filter(|rule| self.answers(rule.id))
            .all(|rule| settings.is_on(rule.id));
        !self.foreign && !self.misnamed && all_on && !self.used.load(Ordering::Relaxed)
    }
}

fn problem(sources: &Sources, file: FileId, span: Span, message: String) -> Problem {
    Problem {
        path: sources.get(file).path.clone(),
        place: Some(Place { file, span }),
        code: ProblemCode::UnusedIgnore,
        message,
    }
}

/// Reads the marks of one file.
struct Reader<'a> {
    sources: &'a Sources,
    file: FileId,
    facts: &'a FileFacts,
}

/// What a comment says.
struct Words<'c> {
    /// Holds in the whole file.
    file: bool,
    /// What stands in brackets.
    list: Option<&'c str>,
}

impl Reader<'_> {
    /// `#[allow(clippy::await_holding_lock)]` and its like on items.
    fn allowed(&self) -> Vec<Mark> {
        let facts = self.facts;
        let mut marks = Vec::new();
        for item in &facts.items {
            for attribute in facts.expr_list(item.attributes) {
                let ExprKind::Struct { path, fields } = facts.expr(*attribute).kind else {
                    continue;
                };
                if !matches!(facts.path_text(path, "::").as_str(), "allow" | "expect") {
                    continue;
                }
                let lints = facts.arguments[fields.range()].iter();
                let rules: Vec<&str> = lints
                    .filter_map(|lint| match facts.expr(lint.value).kind {
                        ExprKind::Path(lint) => Some(facts.path_text(lint, "::")),
                        _ => None,
                    })
                    .filter_map(|lint| {
                        let found = FOREIGN_LINTS.iter().find(|(name, _)| *name == lint);
                        found.map(|(_, rule)| *rule)
                    })
                    .collect();
                if let (false, Ok(rules)) = (rules.is_empty(), RuleSet::parse(&rules)) {
                    let span = facts.expr(*attribute).span;
                    marks.push(Mark::foreign(Some(rules), Cover::Item(item.span), span));
                }
            }
        }
        marks
    }

    fn mark(&self, span: Span, problems: &mut Vec<Problem>) -> Option<Mark> {
        let text = &self.sources.get(self.file).text[span.range()];
        if let Some(words) = own_words(text) {
            return Some(self.own_mark(span, &words, problems));
        }
        if let Some(message) = misspelt(text) {
            problems.push(problem(self.sources, self.file, span, message));
        }
        let rules = match foreign_rules(text)? {
            Some(rules) => Some(RuleSet::parse(&rules).ok()?),
            None => None,
        };
        let line = self.line(span.start);
        Some(Mark::foreign(rules, Cover::Lines(line, line), span))
    }

    fn own_mark(&self, span: Span, words: &Words<'_>, problems: &mut Vec<Problem>) -> Mark {
        let (rules, unknown) = match words.list {
            Some(list) => {
                let (rules, unknown) = listed(list);
                (Some(rules), unknown)
            }
            None => (None, Vec::new()),
        };
        let misnamed = !unknown.is_empty();
        problems.extend(
            unknown
                .into_iter()
                .map(|error| problem(self.sources, self.file, span, error.to_string())),
        );
        let covers = if words.file {
            Cover::File
        } else {
            self.cover(span)
        };
        Mark {
            misnamed,
            ..Mark::new(rules, covers, span)
        }
    }

    /// A mark beside code is for its line; one on lines of its own is for what follows: an item with its attributes, or the
    /// next line of code.
    fn cover(&self, span: Span) -> Cover {
        let line = self.line(span.start);
        if !self.is_alone(span, line) {
            return Cover::Lines(line, line);
        }
        let next = self.next_code_line(line);
        let begins_there = |whole: &Span| self.line(whole.start) == next;
        let attributed = self
            .facts
            .attribute_spans
            .iter()
            .find(|(whole, _)| begins_there(whole))
            .map(|(whole, _)| *whole);
        let plain = || {
            self.facts
                .items
                .iter()
                .map(|item| item.span)
                .find(|span| span.end > span.start && begins_there(span))
        };
        match attributed.or_else(plain) {
            Some(item) if self.line(item.end) > next => Cover::Item(item),
            _ => Cover::Lines(line, next),
        }
    }

    fn line(&self, offset: u32) -> u32 {
        self.sources.lines(self.file).line(offset)
    }

    fn line_text(&self, line: u32) -> &str {
        let text = &self.sources.get(self.file).text;
        self.sources
            .lines(self.file)
            .range(text, line)
            .map_or("", |span| &text[span.range()])
    }

    fn is_alone(&self, span: Span, line: u32) -> bool {
        let start = self
            .sources
            .lines(self.file)
            .start(line)
            .unwrap_or(span.start);
        self.sources.get(self.file).text[start as usize..span.start as usize]
            .trim()
            .is_empty()
    }

    /// The first line behind a comment that is neither empty nor a comment.
    fn next_code_line(&self, line: u32) -> u32 {
        let lines = self.sources.lines(self.file).count();
        let is_comment = |text: &str| {
            text.starts_with("//")
                || (text.starts_with('#') && !text.starts_with("#["))
                || text.starts_with('*')
        };
        let code = |line: &u32| {
            let text = self.line_text(*line).trim();
            !text.is_empty() && !is_comment(text)
        };
        (line + 1..=lines).find(code).unwrap_or(line)
    }
}

/// The rules and groups of a list, and what of it is neither.
fn listed(list: &str) -> (RuleSet, Vec<UnknownRule>) {
    let mut rules = RuleSet::none();
    let mut unknown = Vec::new();
    for word in list.split(',') {
        match RuleSet::parse(&[word]) {
            Ok(meant) => rules = rules.with(&meant),
            Err(error) => unknown.push(error),
        }
    }
    (rules, unknown)
}

/// What other tools call such marks, and what looks like ours.
const OTHER_VERBS: [&str; 10] = [
    "allow",
    "disable",
    "except",
    "expect",
    "ignore-file",
    "noqa",
    "off",
    "skip",
    "suppress",
    "skip-file",
];

/// A comment that means to be a mark and is none.
fn misspelt(comment: &str) -> Option<String> {
    let at = comment.to_ascii_lowercase().find("nostall:")?;
    let before = comment[..at].trim_end();
    // Marks begin a comment, or stand behind another mark; elsewhere it is prose.
    if !(before.is_empty() || before.ends_with(['#', '/', '*', '!'])) {
        return None;
    }
    let rest = comment[at + "nostall:".len()..].trim_start();
    let end = rest.find(|c: char| !(c.is_alphanumeric() || "-_".contains(c)));
    let verb = &rest[..end.unwrap_or(rest.len())];
    let written = verb.to_lowercase().replace('_', "-");
    let near = ["ignore", "file-ignore"]
        .iter()
        .any(|verb| strsim::jaro_winkler(verb, &written) > 0.9);
    let listed = rest[verb.len()..].starts_with('[') && !verb.is_empty();
    (near || listed || OTHER_VERBS.contains(&&*written)).then(|| {
        let name = &comment[at..at + "nostall:".len()];
        format!(
            "`{name} {verb}` is no mark: it is `nostall: ignore[rule] reason`, or `nostall: file-ignore[rule] reason` for the whole file"
        )
    })
}

/// `nostall: ignore[..] reason`, `nostall: file-ignore[..] reason`.
fn own_words(comment: &str) -> Option<Words<'_>> {
    let rest = comment.split_once("nostall:")?.1.trim_start();
    let (file, rest) = match rest.strip_prefix("file-ignore") {
        Some(rest) => (true, rest),
        None => (false, rest.strip_prefix("ignore")?),
    };
    let list = rest
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .map(|(list, _)| list);
    // `ignore-file` is a word of its own, `ignore - reason` and `ignore--` are not.
    let is_dash = rest.starts_with('-') && !rest[1..].starts_with(char::is_alphabetic);
    let ends = is_dash || rest.is_empty() || rest.starts_with(['[', ' ', '\t', ':']);
    ends.then_some(Words { file, list })
}

/// `# noqa`, `# noqa: ASYNC230`: the rules it speaks of, none for all; nothing where it is about other tools' rules only.
fn foreign_rules(comment: &str) -> Option<Option<Vec<&'static str>>> {
    if comment.starts_with("#[") {
        let named = FOREIGN_LINTS
            .iter()
            .filter(|(lint, _)| comment.contains(lint));
        let rules: Vec<&str> = named.map(|(_, rule)| *rule).collect();
        return (!rules.is_empty()).then_some(Some(rules));
    }
    let rest = comment.split_once("noqa")?.1;
    let Some(codes) = rest.trim_start().strip_prefix(':') else {
        return Some(None);
    };
    let words = codes.split([',', ' ']).map(str::trim);
    let known: Vec<&str> = words
        .filter_map(|word| FOREIGN_CODES.iter().find(|(code, _)| *code == word))
        .map(|(_, rule)| *rule)
        .collect();
    if known.is_empty() {
        None
    } else {
        Some(Some(known))
    }
}

#[cfg(test)]
mod tests {
    use super::{foreign_rules, listed, misspelt, own_words};
    use nostall_model::RuleId;

    #[test]
    fn own_marks_have_a_list_and_a_reason() {
        let words = own_words("// nostall: ignore[blocking-fs, blocking-net] start-up only")
            .expect("a mark");
        assert!(!words.file);
        assert_eq!(words.list, Some("blocking-fs, blocking-net"));
        assert!(own_words("# nostall: file-ignore").expect("a mark").file);
        assert!(own_words("// nostall: ignored by mistake").is_none());
        assert!(own_words("// see nostall").is_none());
    }

    #[test]
    fn lists_name_rules_and_groups() {
        let (rules, unknown) = listed("blocking, blocking-ffs");
        assert!(rules.contains(RuleId("blocking-fs")));
        let unknown: Vec<String> = unknown.iter().map(ToString::to_string).collect();
        assert_eq!(
            unknown,
            ["unknown rule `blocking-ffs`, did you mean `blocking-fs`?"]
        );
        assert!(listed("all").1.is_empty() && listed("practice").1.is_empty());
    }

    #[test]
    fn what_means_to_be_a_mark_and_is_none_is_told() {
        for comment in [
            "# nostall: allow[blocking-fs]",
            "# NOSTALL: ignore[blocking-fs]",
            "// nostall: off",
            "# nostall: ignore-file",
            "# nostall: file_ignore",
            "# type: ignore # nostall: ingore",
            "/* nostall: ignored[blocking-fs] */",
        ] {
            assert!(own_words(comment).is_none(), "{comment}");
            let told = misspelt(comment).unwrap_or_else(|| panic!("silent: {comment}"));
            assert!(told.contains("is no mark: it is `nostall: ignore[rule]"));
        }
        for comment in [
            "# see nostall: off by default",
            "# nostall: the checker of this project",
            "// nostall",
        ] {
            assert_eq!(misspelt(comment), None, "{comment}");
        }
    }

    #[test]
    fn foreign_marks_speak_of_our_rules_or_of_none() {
        assert_eq!(foreign_rules("# noqa"), Some(None));
        assert_eq!(
            foreign_rules("# noqa: E501, ASYNC230"),
            Some(Some(vec!["blocking-fs"]))
        );
        assert_eq!(foreign_rules("# noqa: E501"), None);
    }
}
