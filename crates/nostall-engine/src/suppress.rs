//! Marks in the source that answer findings: `nostall: ignore[rule] reason`, and what other tools' marks say.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use nostall_model::facts::{ExprKind, FileFacts};
use nostall_model::finding::{Place, Problem, ProblemCode};
use nostall_model::{FileId, RuleId, Sources, Span};

use crate::rules::{self, UnknownRule};

/// All marks of a program.
#[derive(Debug, Default)]
pub struct Suppressions {
    by_file: BTreeMap<FileId, Vec<Mark>>,
}

/// One mark.
#[derive(Debug)]
struct Mark {
    /// The rules that it answers; all without a list.
    rules: Option<Vec<String>>,
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
    pub fn unused(&self, sources: &Sources, is_on: &dyn Fn(RuleId) -> bool) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (file, marks) in &self.by_file {
            for mark in marks
                .iter()
                .filter(|mark| !mark.foreign && !mark.used.load(Ordering::Relaxed))
            {
                if mark.is_on(is_on) && sources.get(*file).role == nostall_model::Role::Report {
                    problems.push(problem(
                        sources,
                        *file,
                        mark.span,
                        ProblemCode::UnusedIgnore,
                        "this mark answers no finding".to_owned(),
                    ));
                }
            }
        }
        problems
    }
}

impl Mark {
    fn answers(&self, rule: RuleId) -> bool {
        self.rules
            .as_ref()
            .is_none_or(|rules| rules.iter().any(|known| known == rule.0))
    }

    /// A mark for rules that are all on; one without a list is for all rules.
    fn is_on(&self, is_on: &dyn Fn(RuleId) -> bool) -> bool {
        match &self.rules {
            None => rules::all().all(|rule| is_on(rule.id)),
            Some(names) => names
                .iter()
                .all(|name| rules::by_id(name).is_some_and(|rule| is_on(rule.id))),
        }
    }
}

fn problem(
    sources: &Sources,
    file: FileId,
    span: Span,
    code: ProblemCode,
    message: String,
) -> Problem {
    Problem {
        path: sources.get(file).path.clone(),
        place: Some(Place { file, span }),
        code,
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
                let rules: Vec<String> = lints
                    .filter_map(|lint| match facts.expr(lint.value).kind {
                        ExprKind::Path(lint) => Some(facts.path_text(lint, "::")),
                        _ => None,
                    })
                    .filter_map(|lint| {
                        let found = FOREIGN_LINTS.iter().find(|(name, _)| *name == lint);
                        found.map(|(_, rule)| (*rule).to_owned())
                    })
                    .collect();
                if !rules.is_empty() {
                    marks.push(Mark {
                        rules: Some(rules),
                        covers: Cover::Item(item.span),
                        span: facts.expr(*attribute).span,
                        foreign: true,
                        used: AtomicBool::new(false),
                    });
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
        let rules = foreign_rules(text)?;
        let line = self.line(span.start);
        Some(Mark {
            rules,
            covers: Cover::Lines(line, line),
            span,
            foreign: true,
            used: AtomicBool::new(false),
        })
    }

    fn own_mark(&self, span: Span, words: &Words<'_>, problems: &mut Vec<Problem>) -> Mark {
        let rules = words.list.map(|list| {
            list.split(',')
                .map(|rule| rule.trim().to_owned())
                .collect::<Vec<_>>()
        });
        for unknown in rules
            .iter()
            .flatten()
            .filter(|rule| rules::by_id(rule).is_none())
        {
            let message = UnknownRule::new(unknown).to_string();
            problems.push(problem(
                self.sources,
                self.file,
                span,
                ProblemCode::UnusedIgnore,
                message,
            ));
        }
        let covers = if words.file {
            Cover::File
        } else {
            self.cover(span)
        };
        Mark {
            rules,
            covers,
            span,
            foreign: false,
            used: AtomicBool::new(false),
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
    let ends = rest.is_empty() || rest.starts_with(['[', ' ', '\t', ':', '-']);
    ends.then_some(Words { file, list })
}

/// `# noqa`, `# noqa: ASYNC230`: the rules it speaks of, none for all; nothing where it is about other tools' rules only.
fn foreign_rules(comment: &str) -> Option<Option<Vec<String>>> {
    if comment.starts_with("#[") {
        let named = FOREIGN_LINTS
            .iter()
            .filter(|(lint, _)| comment.contains(lint));
        let rules: Vec<String> = named.map(|(_, rule)| (*rule).to_owned()).collect();
        return (!rules.is_empty()).then_some(Some(rules));
    }
    let rest = comment.split_once("noqa")?.1;
    let Some(codes) = rest.trim_start().strip_prefix(':') else {
        return Some(None);
    };
    let words = codes.split([',', ' ']).map(str::trim);
    let known: Vec<String> = words
        .filter_map(|word| FOREIGN_CODES.iter().find(|(code, _)| *code == word))
        .map(|(_, rule)| (*rule).to_owned())
        .collect();
    if known.is_empty() {
        None
    } else {
        Some(Some(known))
    }
}

#[cfg(test)]
mod tests {
    use super::{foreign_rules, own_words};

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
    fn foreign_marks_speak_of_our_rules_or_of_none() {
        assert_eq!(foreign_rules("# noqa"), Some(None));
        assert_eq!(
            foreign_rules("# noqa: E501, ASYNC230"),
            Some(Some(vec!["blocking-fs".to_owned()]))
        );
        assert_eq!(foreign_rules("# noqa: E501"), None);
    }
}
