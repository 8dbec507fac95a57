//! One pass over the whole tree before it is lowered, without recursion: what is too deep, what is broken, which comments
//! speak to tools, which names are declared `global` or `nonlocal` somewhere.

use nostall_model::Span;
use nostall_model::facts::{Comment, SourceProblem};
use nostall_model::finding::ProblemCode;
use rustc_hash::FxHashSet;

use super::tree::{Node, Tree};
use super::{MAX_DEPTH, MAX_PROBLEMS};

/// What the survey found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Statements to leave out, by the ids of their nodes.
    pub(super) too_deep: FxHashSet<u32>,
    /// The first problems of each kind.
    pub(super) problems: Vec<SourceProblem>,
    /// Comments that mention a mark.
    pub(super) comments: Vec<Comment>,
    /// Names in `global` statements.
    pub(super) globals: FxHashSet<String>,
    /// Names in `nonlocal` statements.
    pub(super) nonlocals: FxHashSet<String>,
}

/// Looks at each node of a tree once.
pub(super) fn survey(tree: &Tree, text: &str) -> Survey {
    let mut walk = Walk {
        survey: Survey::default(),
        text,
        around: Vec::new(),
        statements: Vec::new(),
    };
    let root = tree.root();
    let mut skipped = 0;
    for node in std::iter::once(root).chain(root.below()) {
        if node.id() >= skipped && !walk.visit(node) {
            skipped = node.after();
        }
    }
    walk.survey
}

struct Walk<'a, 'tree> {
    survey: Survey,
    text: &'a str,
    /// Where the nodes around the current one end.
    around: Vec<u32>,
    /// The statements around the current node.
    statements: Vec<Node<'tree>>,
}

impl<'tree> Walk<'_, 'tree> {
    /// Looks at a node and says whether to look below it.
    fn visit(&mut self, node: Node<'tree>) -> bool {
        while self.around.pop_if(|end| *end <= node.id()).is_some() {}
        while self
            .statements
            .pop_if(|outer| outer.after() <= node.id())
            .is_some()
        {}
        if self.around.len() > MAX_DEPTH {
            self.too_deep();
            return false;
        }
        self.around.push(node.after());
        if node.is_missing() {
            self.missing(node);
            return false;
        }
        match node.kind() {
            "ERROR" => self.error(node),
            "comment" => self.comment(node),
            "global_statement" => self.declaration(node, true),
            "nonlocal_statement" => self.declaration(node, false),
            _ => {}
        }
        if is_statement(node) {
            self.statements.push(node);
        }
        true
    }

    fn too_deep(&mut self) {
        // Without a statement around it, an error took the whole file; the root then stands for it.
        let Some(statement) = self.statements.last() else {
            return;
        };
        if self.survey.too_deep.insert(statement.id()) {
            let message = "this statement is nested too deeply, it was left out".to_owned();
            let span = Span::new(statement.start_byte(), statement.end_byte());
            self.problem(SourceProblem {
                span,
                code: ProblemCode::TooDeep,
                message,
            });
        }
    }

    fn missing(&mut self, node: Node<'tree>) {
        let message = format!("`{}` is missing here", node.kind());
        self.syntax(node, message);
    }

    fn error(&mut self, node: Node<'tree>) {
        self.syntax(node, "this part cannot be read".to_owned());
    }

    fn syntax(&mut self, node: Node<'tree>, message: String) {
        let span = Span::new(node.start_byte(), node.end_byte());
        let covered = self
            .survey
            .problems
            .last()
            .is_some_and(|last| last.span.contains(span));
        if !covered {
            self.problem(SourceProblem {
                span,
                code: ProblemCode::Syntax,
                message,
            });
        }
    }

    fn problem(&mut self, problem: SourceProblem) {
        if self.survey.problems.len() < MAX_PROBLEMS {
            self.survey.problems.push(problem);
        }
    }

    fn comment(&mut self, node: Node<'tree>) {
        let text = &self.text[node.byte_range()];
        if mentions(text, "nostall") || mentions(text, "noqa") {
            let end = node.start_byte() + text.trim_end().len();
            self.survey.comments.push(Comment {
                span: Span::new(node.start_byte(), end),
            });
        }
    }

    fn declaration(&mut self, node: Node<'tree>, global: bool) {
        let names = if global {
            &mut self.survey.globals
        } else {
            &mut self.survey.nonlocals
        };
        for child in node
            .named_children()
            .filter(|child| child.kind() == "identifier")
        {
            names.insert(self.text[child.byte_range()].to_owned());
        }
    }
}

fn mentions(text: &str, word: &str) -> bool {
    text.as_bytes()
        .windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

/// Says whether a node is a whole statement, or an error in the place of one.
fn is_statement(node: Node<'_>) -> bool {
    let kind = node.kind();
    kind.ends_with("_statement")
        || matches!(kind, "function_definition" | "class_definition" | "ERROR")
}
