//! Where a file's async bodies are, for a tool that does not know async code from other code.
//!
//! A closure belongs to the body that it stands in, unless it is async itself: such a tool does not know either which
//! closures are offloaded.

use anyhow::{Result, anyhow};
use syn::spanned::Spanned as _;
use syn::visit::Visit;

/// A line and a column, both from 1.
pub(super) type Place = (u32, u32);

/// The bodies of a file that decide whether code is async.
#[derive(Default)]
pub(super) struct Bodies(Vec<Body>);

struct Body {
    begin: Place,
    end: Place,
    is_async: bool,
}

impl Bodies {
    /// Finds them in a source; none where it does not parse. The parser recurses, so it gets a large stack.
    pub(super) fn of(text: String) -> Result<Self> {
        let work = move || {
            let mut bodies = Self::default();
            if let Ok(file) = syn::parse_file(&text) {
                bodies.visit_file(&file);
            }
            bodies
        };
        let thread = std::thread::Builder::new()
            .stack_size(256 << 20)
            .spawn(work)?;
        thread.join().map_err(|_| anyhow!("the parser panicked"))
    }

    /// Says whether the innermost body at a place is async.
    pub(super) fn are_async_at(&self, place: Place) -> bool {
        self.0
            .iter()
            .filter(|body| body.begin <= place && place < body.end)
            .max_by_key(|body| body.begin)
            .is_some_and(|body| body.is_async)
    }

    fn add(&mut self, span: proc_macro2::Span, is_async: bool) {
        let place = |at: proc_macro2::LineColumn| (at.line as u32, at.column as u32 + 1);
        self.0.push(Body {
            begin: place(span.start()),
            end: place(span.end()),
            is_async,
        });
    }
}

impl<'ast> Visit<'ast> for Bodies {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.add(function.block.span(), function.sig.asyncness.is_some());
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.add(function.block.span(), function.sig.asyncness.is_some());
        syn::visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.add(block.span(), function.sig.asyncness.is_some());
        }
        syn::visit::visit_trait_item_fn(self, function);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.add(block.block.span(), true);
        syn::visit::visit_expr_async(self, block);
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        if closure.asyncness.is_some() {
            self.add(closure.body.span(), true);
        }
        syn::visit::visit_expr_closure(self, closure);
    }
}

#[cfg(test)]
mod tests {
    use super::Bodies;

    /// Each line must say whether the code at its end is async.
    fn check(text: &str) {
        let bodies = Bodies::of(text.to_owned()).expect("the text is read");
        for (number, line) in (1..).zip(text.lines()) {
            let Some(column) = line.find("here()") else {
                continue;
            };
            let found = bodies.are_async_at((number, column as u32 + 1));
            assert_eq!(found, line.ends_with("// async"), "line {number}: {line}");
        }
    }

    #[test]
    fn the_innermost_body_decides() {
        check(
            "async fn f() {
                here(); // async
                fn g() {
                    here();
                }
                spawn_blocking(|| here()); // async
            }
            fn h() {
                here();
                spawn(async { here() }); // async
                let _ = async || here(); // async
                let _ = || here();
            }",
        );
    }
}
