//! What decides whether a branch runs: conditions and patterns, as tests of values.
//!
//! Only what the engine can use is kept: variables, calls, and whether either is `Ok` or `Some`.

use nostall_model::facts::{BranchTest, ExprId, ExprKind, RegionKind, Shown};
use nostall_model::{Name, Span};
use syn::{BinOp, Expr, Pat, UnOp};

use super::lower::Lower;

/// How many early exits of one block are kept: each of them makes the rest one region deeper.
const MOST_EXITS: usize = 8;

/// Conditions are looked into as deep as this.
const DEEPEST: u32 = 8;

/// What a pattern asks of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Whether it is `Ok` or `Some`, so many within each other.
    Success {
        layers: u8,
        holds: bool,
    },
    Literal(bool),
    /// Whether it is this variant of an enum, and whether that alone decides.
    Variant {
        name: Name,
        alone: bool,
    },
    /// Nothing: it takes any value.
    Anything,
    Other,
}

/// The early exits of a block that is being lowered.
#[derive(Default)]
pub(crate) struct Exits(usize);

impl Lower<'_> {
    // ---- conditions

    /// The place in the facts from which on the values of a condition will stand.
    pub(crate) fn mark(&self) -> usize {
        self.builder.facts.exprs.len()
    }

    /// The tests that hold where a condition does, or does not. Its values were lowered since a mark.
    pub(crate) fn tests_of(
        &mut self,
        condition: &Expr,
        holds: bool,
        mark: usize,
    ) -> Vec<BranchTest> {
        let mut found = Vec::new();
        self.collect_tests(condition, holds, mark, DEEPEST, &mut found);
        found
    }

    fn collect_tests(
        &mut self,
        condition: &Expr,
        holds: bool,
        mark: usize,
        budget: u32,
        found: &mut Vec<BranchTest>,
    ) {
        let Some(budget) = budget.checked_sub(1) else {
            return;
        };
        match condition {
            Expr::Paren(node) => self.collect_tests(&node.expr, holds, mark, budget, found),
            Expr::Unary(node) if matches!(node.op, UnOp::Not(_)) => {
                self.collect_tests(&node.expr, !holds, mark, budget, found);
            }
            Expr::Binary(node) => {
                let first = found.len();
                let (and, or) = (
                    matches!(node.op, BinOp::And(_)),
                    matches!(node.op, BinOp::Or(_)),
                );
                // Where one of several holds, nothing is known of any.
                if and || or && !holds {
                    self.collect_tests(&node.left, holds, mark, budget, found);
                    self.collect_tests(&node.right, holds, mark, budget, found);
                }
                if let Some(equal) = equality(node.op) {
                    found.extend(self.equality_test(node, equal == holds, mark));
                }
                if and && !holds {
                    let refused = found.split_off(first);
                    found.extend(refused.into_iter().filter_map(in_doubt));
                }
            }
            Expr::Let(node) => {
                let value = self.value_at(self.span(without_reference(&node.expr)), mark);
                let asked = self.asked(&node.pat);
                found.extend(value.and_then(|value| test(value, asked, holds)));
            }
            Expr::MethodCall(node) => match success_method(node) {
                Some((success, alone)) => {
                    let value = self.value_at(self.span(&*node.receiver), mark);
                    let asked = Asked::Success {
                        layers: 1,
                        holds: success,
                    };
                    let made = value.and_then(|value| test(value, asked, holds));
                    found.extend(made.and_then(|it| match alone || it.holds {
                        true => Some(it),
                        false => in_doubt(it),
                    }));
                }
                None => found.extend(self.plain_test(condition, holds, mark)),
            },
            Expr::Path(_) | Expr::Call(_) | Expr::Try(_) => {
                found.extend(self.plain_test(condition, holds, mark));
            }
            _ => {}
        }
    }

    fn plain_test(&self, condition: &Expr, holds: bool, mark: usize) -> Option<BranchTest> {
        let value = self.value_at(self.span(condition), mark)?;
        Some(BranchTest {
            value,
            shown: Shown::True,
            holds,
        })
    }

    /// `mode == Mode::Fast`: a test for a variant.
    fn equality_test(
        &mut self,
        node: &syn::ExprBinary,
        holds: bool,
        mark: usize,
    ) -> Option<BranchTest> {
        let Expr::Path(variant) = without_reference(&node.right) else {
            return None;
        };
        let value = self.value_at(self.span(without_reference(&node.left)), mark)?;
        test(value, self.named_variant(&variant.path, true), holds)
    }

    /// The value that code gives, a variable or a call, among those that were lowered since a mark.
    fn value_at(&self, span: Span, mark: usize) -> Option<ExprId> {
        let facts = &self.builder.facts;
        let is_meant = |id: &ExprId| {
            let expr = facts.expr(*id);
            let usable = matches!(
                expr.kind,
                ExprKind::Use { .. } | ExprKind::Call(_) | ExprKind::Try(_)
            );
            expr.span == span && usable
        };
        (mark..facts.exprs.len()).map(ExprId::new).find(is_meant)
    }

    // ---- patterns

    /// The tests that hold where the arm of a pattern runs, after the patterns that were tried before.
    pub(crate) fn tests_of_arm(
        &mut self,
        value: ExprId,
        pattern: &Pat,
        before: &[&Pat],
    ) -> Vec<BranchTest> {
        let asked = self.asked(pattern);
        if asked != Asked::Anything {
            return test(value, asked, true).into_iter().collect();
        }
        let refused = before.iter().filter_map(|earlier| {
            let made = test(value, self.asked(earlier), false)?;
            if matches!(earlier, Pat::Guard(_)) {
                in_doubt(made)
            } else {
                Some(made)
            }
        });
        refused.collect()
    }

    /// The tests that hold where a pattern does not fit.
    pub(crate) fn tests_of_refusal(&mut self, value: ExprId, pattern: &Pat) -> Vec<BranchTest> {
        let asked = self.asked(pattern);
        test(value, asked, false).into_iter().collect()
    }

    fn asked(&mut self, pattern: &Pat) -> Asked {
        match pattern {
            Pat::Paren(node) => self.asked(&node.pat),
            Pat::Guard(node) => self.asked(&node.pat),
            Pat::Reference(node) => self.asked(&node.pat),
            Pat::Wild(_) | Pat::Rest(_) => Asked::Anything,
            Pat::Ident(node) if node.subpat.is_none() => match node.ident.to_string().as_str() {
                "None" => failure(),
                name if name.starts_with(char::is_lowercase) || name.starts_with('_') => {
                    Asked::Anything
                }
                _ => Asked::Other,
            },
            Pat::Path(node) if is_last(&node.path, "None") => failure(),
            Pat::Path(node) => self.named_variant(&node.path, true),
            Pat::Lit(node) => match &node.lit {
                syn::Lit::Bool(literal) => Asked::Literal(literal.value),
                _ => Asked::Other,
            },
            Pat::TupleStruct(node) if is_last(&node.path, "Err") => failure(),
            Pat::TupleStruct(node) if is_last(&node.path, "Ok") || is_last(&node.path, "Some") => {
                match node.elems.first().map(|inner| self.asked(inner)) {
                    Some(Asked::Success { layers, holds }) => Asked::Success {
                        layers: layers.saturating_add(1),
                        holds,
                    },
                    Some(Asked::Anything) | None => Asked::Success {
                        layers: 1,
                        holds: true,
                    },
                    Some(_) => Asked::Other,
                }
            }
            Pat::TupleStruct(node) => {
                let parts = node.elems.iter();
                let open = parts.filter(|part| self.asked(part) != Asked::Anything);
                let alone = open.count() == 0;
                self.named_variant(&node.path, alone)
            }
            Pat::Struct(node) => {
                let parts = node.fields.iter();
                let open = parts.filter(|part| self.asked(&part.pat) != Asked::Anything);
                let alone = open.count() == 0;
                self.named_variant(&node.path, alone)
            }
            _ => Asked::Other,
        }
    }

    /// The variant that a path names, by how the language writes them: `Mode::Fast`, where a constant is `Mode::FAST`.
    fn named_variant(&mut self, path: &syn::Path, alone: bool) -> Asked {
        let mut last = path.segments.iter().rev();
        let (Some(last), Some(parent)) = (last.next(), last.next()) else {
            return Asked::Other;
        };
        if !is_camel(&parent.ident) || !is_camel(&last.ident) {
            return Asked::Other;
        }
        let name = self.name(&last.ident);
        Asked::Variant { name, alone }
    }

    // ---- what follows

    /// After a statement whose other ways leave the block, the rest of the block runs only where its tests hold.
    pub(crate) fn open_rest(&mut self, exits: &mut Exits, rest: Span) {
        let tests = std::mem::take(&mut self.left_unless);
        if !tests.is_empty() && exits.0 < MOST_EXITS {
            self.builder.open_region(RegionKind::Inner, rest);
            self.builder.decide(&tests);
            // What is declared in the rest is dropped there.
            self.variables.open();
            exits.0 += 1;
        }
    }

    pub(crate) fn close_rest(&mut self, exits: &Exits) {
        for _ in 0..exits.0 {
            self.end_scope();
            self.builder.close_region();
        }
    }
}

/// What is left of a refusal where something else may have failed instead.
fn in_doubt(test: BranchTest) -> Option<BranchTest> {
    let Shown::Success { layers, .. } = test.shown else {
        return None;
    };
    let shown = Shown::Success {
        layers,
        alone: false,
    };
    (!test.holds).then_some(BranchTest { shown, ..test })
}

fn test(value: ExprId, asked: Asked, holds: bool) -> Option<BranchTest> {
    let (shown, answer) = match asked {
        // Where `Ok(Some(_))` is refused, either may be missing.
        Asked::Success {
            layers: 2..,
            holds: true,
        } if !holds => return None,
        Asked::Success { layers, holds } => (
            Shown::Success {
                layers,
                alone: true,
            },
            holds,
        ),
        Asked::Literal(answer) => (Shown::True, answer),
        Asked::Variant { alone: false, .. } if !holds => return None,
        Asked::Variant { name, .. } => (Shown::Variant(name), true),
        Asked::Anything | Asked::Other => return None,
    };
    Some(BranchTest {
        value,
        shown,
        holds: answer == holds,
    })
}

fn failure() -> Asked {
    Asked::Success {
        layers: 1,
        holds: false,
    }
}

fn is_camel(name: &syn::Ident) -> bool {
    let name = name.to_string();
    name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase)
}

/// Whether an operator asks that both sides are equal, or that they are not.
fn equality(operator: BinOp) -> Option<bool> {
    match operator {
        BinOp::Eq(_) => Some(true),
        BinOp::Ne(_) => Some(false),
        _ => None,
    }
}

/// The place that is borrowed or looked at through a reference.
fn without_reference(expr: &Expr) -> &Expr {
    match expr {
        Expr::Reference(node) => without_reference(&node.expr),
        Expr::Paren(node) => without_reference(&node.expr),
        Expr::Unary(node) if matches!(node.op, UnOp::Deref(_)) => without_reference(&node.expr),
        other => other,
    }
}

fn is_last(path: &syn::Path, name: &str) -> bool {
    path.segments
        .last()
        .is_some_and(|segment| segment.ident == name)
}

/// The methods of `Result` and `Option` that ask for the variant: whether for `Ok` or `Some`, and whether for that alone.
fn success_method(node: &syn::ExprMethodCall) -> Option<(bool, bool)> {
    match (node.method.to_string().as_str(), node.args.len()) {
        ("is_ok" | "is_some", 0) => Some((true, true)),
        ("is_err" | "is_none", 0) => Some((false, true)),
        ("is_ok_and" | "is_some_and", 1) => Some((true, false)),
        _ => None,
    }
}
