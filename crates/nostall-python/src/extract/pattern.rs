//! `match`: its cases, and what their patterns take out of the subject.

use nostall_model::build::Narrowed;
use nostall_model::facts::{DefinitionKind, ExprId, Narrowing, Part, PathId, RegionKind};

use super::lower::{Lower, children, field, fields, has_token, head, span};
use super::tree::Node;

impl Lower<'_> {
    pub(super) fn match_statement(&mut self, node: Node<'_>) {
        let subjects: Vec<ExprId> = fields(node, "subject")
            .into_iter()
            .map(|subject| self.expression(subject))
            .collect();
        let subject = match subjects[..] {
            [subject] => subject,
            _ => self.tuple(&subjects, span(node)),
        };
        self.stored(subject);
        let clauses = field(node, "body").map(children).unwrap_or_default();
        self.builder.fork();
        let mut exhaustive = false;
        for clause in clauses {
            if clause.kind() != "case_clause" {
                self.stray(clause);
                continue;
            }
            exhaustive |= is_irrefutable(clause);
            self.case_clause(clause, subject);
        }
        self.builder.join(exhaustive);
    }

    /// Something else between the cases: only broken code has it.
    fn stray(&mut self, node: Node<'_>) {
        self.builder.open_arm(RegionKind::Branch, span(node));
        self.statement(node);
        self.builder.close_arm();
    }

    fn case_clause(&mut self, clause: Node<'_>, subject: ExprId) {
        if self.too_deep.contains(&clause.id()) {
            return;
        }
        self.builder.statement = head(clause);
        self.builder.open_arm(RegionKind::Branch, span(clause));
        let patterns: Vec<Node<'_>> = children(clause)
            .into_iter()
            .filter(|child| child.kind() == "case_pattern")
            .collect();
        self.patterns(&patterns, has_token(clause, ","), subject);
        let narrowed = self.narrow_subject(&patterns, subject);
        if let Some(guard) = field(clause, "guard").and_then(|guard| guard.named_child(0)) {
            self.condition_value(guard);
        }
        self.block_of(clause, "consequence");
        if let Some(narrowed) = narrowed {
            self.builder.widen(narrowed);
        }
        self.builder.close_arm();
    }

    /// In `case Class():` the subject, where it is a variable, is one of that class.
    fn narrow_subject(&mut self, patterns: &[Node<'_>], subject: ExprId) -> Option<Narrowed> {
        let [pattern] = patterns else { return None };
        let class = Some(*pattern)
            .into_iter()
            .chain(pattern.named_child(0))
            .find(|node| node.kind() == "class_pattern")?;
        let (as_class, _) = self.class_of_pattern(class, subject)?;
        self.builder.narrow(subject, Narrowing::Pattern(as_class))
    }

    // ---- patterns

    /// The patterns of one case; several with commas are a sequence.
    pub(super) fn patterns(&mut self, patterns: &[Node<'_>], is_sequence: bool, subject: ExprId) {
        match patterns {
            [pattern] if !is_sequence => self.pattern(*pattern, subject),
            _ => self.sequence(patterns, subject),
        }
    }

    fn pattern(&mut self, node: Node<'_>, subject: ExprId) {
        let inner = children(node);
        match node.kind() {
            "dotted_name" if inner.len() == 1 => self.capture(inner[0], subject),
            "identifier" => self.capture(node, subject),
            "list_pattern" => self.sequence(&inner, subject),
            "tuple_pattern" => self.patterns(&inner, has_token(node, ","), subject),
            "class_pattern" => {
                self.class_pattern(node, subject);
            }
            "dict_pattern" => self.mapping(&inner, subject),
            "as_pattern" => self.named_pattern(&inner, subject),
            "case_pattern" | "union_pattern" => inner
                .into_iter()
                .for_each(|inner| self.pattern(inner, subject)),
            "splat_pattern" => inner.into_iter().for_each(|inner| {
                let rest = self.project(subject, Part::Rest, inner);
                self.pattern(inner, rest);
            }),
            // Literals and dotted names are compared, not bound.
            _ => {}
        }
    }

    fn capture(&mut self, name: Node<'_>, subject: ExprId) {
        if self.text(name) != "_" {
            self.define(name, DefinitionKind::Value(subject));
        }
    }

    fn sequence(&mut self, patterns: &[Node<'_>], subject: ExprId) {
        let mut starred = false;
        for (index, pattern) in patterns.iter().enumerate() {
            let splat = pattern.kind() == "splat_pattern"
                || pattern
                    .named_child(0)
                    .is_some_and(|inner| inner.kind() == "splat_pattern");
            if splat {
                starred = true;
                self.pattern(*pattern, subject);
                continue;
            }
            let part = if starred {
                Part::Item
            } else {
                Part::Element(u16::try_from(index).unwrap_or(u16::MAX))
            };
            let element = self.project(subject, part, *pattern);
            self.pattern(*pattern, element);
        }
    }

    /// `Class(x, name=y)`; answers the subject as a value of that class.
    fn class_pattern(&mut self, node: Node<'_>, subject: ExprId) -> ExprId {
        let inner = children(node);
        let Some((base, path)) = self.class_of_pattern(node, subject) else {
            return subject;
        };
        let patterns = inner.get(1..).unwrap_or_default();
        for (index, pattern) in patterns.iter().enumerate() {
            let keyword = pattern
                .named_child(0)
                .filter(|inner| inner.kind() == "keyword_pattern");
            let parts = keyword.map(children).unwrap_or_default();
            match parts[..] {
                [name, ref values @ ..] if !values.is_empty() => {
                    let name = self.name(name);
                    let value = self.project(base, Part::Field { path, name }, *pattern);
                    values
                        .iter()
                        .for_each(|pattern| self.pattern(*pattern, value));
                }
                _ => {
                    let part = Part::Element(u16::try_from(index).unwrap_or(u16::MAX));
                    let value = self.project(base, part, *pattern);
                    self.pattern(*pattern, value);
                }
            }
        }
        base
    }

    /// The subject as a value of the class that a pattern asks for.
    fn class_of_pattern(&mut self, node: Node<'_>, subject: ExprId) -> Option<(ExprId, PathId)> {
        let class = node.named_child(0)?;
        let text = self.text;
        let names: Vec<&str> = children(class)
            .into_iter()
            .map(|name| &text[name.byte_range()])
            .collect();
        let path = self.builder.plain_path(&names, self.scope, span(class));
        Some((self.project(subject, Part::Class(path), node), path))
    }

    /// Keys are compared; what stands behind them is taken out.
    fn mapping(&mut self, inner: &[Node<'_>], subject: ExprId) {
        for pattern in inner {
            match pattern.kind() {
                "case_pattern" => {
                    let value = self.project(subject, Part::Item, *pattern);
                    self.pattern(*pattern, value);
                }
                "splat_pattern" => self.pattern(*pattern, subject),
                _ => {}
            }
        }
    }

    /// `pattern as name`: the name has the class that the pattern asks for.
    fn named_pattern(&mut self, inner: &[Node<'_>], subject: ExprId) {
        let [pattern, .., name] = inner else { return };
        let is_class = |node: &Node<'_>| node.kind() == "class_pattern";
        let class = pattern
            .named_child(0)
            .filter(is_class)
            .or(Some(*pattern).filter(is_class));
        let value = match class {
            Some(class) => self.class_pattern(class, subject),
            None => {
                self.pattern(*pattern, subject);
                subject
            }
        };
        self.capture(*name, value);
    }
}

/// Says whether a case takes every subject: a lone name or `_`, without a guard.
fn is_irrefutable(clause: Node<'_>) -> bool {
    let patterns = children(clause);
    let Some(pattern) = patterns
        .first()
        .filter(|pattern| pattern.kind() == "case_pattern")
    else {
        return false;
    };
    let is_name = match pattern.named_child(0) {
        None => has_token(*pattern, "_"),
        Some(name) => name.kind() == "dotted_name" && name.named_child_count() == 1,
    };
    is_name && field(clause, "guard").is_none() && !has_token(clause, ",")
}
