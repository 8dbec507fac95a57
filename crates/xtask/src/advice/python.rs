//! Python: whether advice is an expression of names that are bound where it would stand.

use std::collections::BTreeSet;

use tree_sitter::{Node, Parser, Tree};

use super::Fault;
use super::entry::Entry;

/// What is wrong with a piece of advice for a call at a byte of a file.
pub(super) fn fault(entry: &Entry, offset: usize, text: &str) -> Option<Fault> {
    let expression = entry.expression()?;
    let wrapped = format!("async def f():\n    return {expression}\n");
    let Some(parsed) = parse(&wrapped).filter(|tree| !tree.root_node().has_error()) else {
        return Some(Fault::Syntax("a syntax error".to_owned()));
    };
    // Only code has to find its names: a path says where a function is.
    entry.code.as_ref()?;
    let mut names = Names {
        text: &wrapped,
        used: BTreeSet::new(),
        bound: BTreeSet::new(),
    };
    names.collect(parsed.root_node());
    let mut known = names.bound;
    known.extend(entry.import.as_deref().map(imported));
    let source = parse(text)?;
    add_scope(&source, offset, text, &mut known);
    let unknown = names.used.into_iter().find(|name| {
        !known.contains(name) && !known.contains("*") && !BUILTINS.contains(&name.as_str())
    })?;
    Some(Fault::Name(unknown))
}

fn parse(text: &str) -> Option<Tree> {
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_python::LANGUAGE.into())
        .ok()?;
    parser.parse(text, None)
}

/// The name that an import binds.
fn imported(import: &str) -> String {
    let last = import.rsplit(' ').next().unwrap_or(import);
    let dotted = last.split('.').next().unwrap_or(last);
    dotted.to_owned()
}

/// The names that an expression uses, and those that it binds itself.
struct Names<'a> {
    text: &'a str,
    used: BTreeSet<String>,
    bound: BTreeSet<String>,
}

impl Names<'_> {
    fn collect(&mut self, node: Node<'_>) {
        let text = || {
            self.text
                .get(node.byte_range())
                .unwrap_or_default()
                .to_owned()
        };
        let parent = node.parent();
        let is_field =
            |name: &str| parent.and_then(|parent| parent.child_by_field_name(name)) == Some(node);
        match (node.kind(), parent.map_or("", |parent| parent.kind())) {
            ("identifier", "attribute") if is_field("attribute") => {}
            ("identifier", "keyword_argument" | "function_definition") if is_field("name") => {}
            ("identifier", "lambda_parameters" | "named_expression") => {
                self.bound.insert(text());
            }
            ("identifier", _) => {
                self.used.insert(text());
            }
            _ => {}
        }
        if node.kind() == "for_in_clause"
            && let Some(left) = node.child_by_field_name("left")
        {
            bound_in(left, self.text, &mut self.bound);
        }
        if matches!(node.kind(), "default_parameter" | "list_splat_pattern") {
            bound_in(node, self.text, &mut self.bound);
        }
        for child in children(node) {
            self.collect(child);
        }
    }
}

/// Adds what is bound around a byte of a file: in the module, the functions around, and the class body that it stands in.
fn add_scope(tree: &Tree, offset: usize, text: &str, known: &mut BTreeSet<String>) {
    let mut around = tree.root_node().descendant_for_byte_range(offset, offset);
    let mut is_innermost = true;
    while let Some(node) = around {
        let is_scope = match node.kind() {
            "class_definition" => is_innermost,
            "function_definition" | "lambda" | "module" => true,
            kind => kind.ends_with("_comprehension") || kind == "generator_expression",
        };
        if is_scope {
            add_bindings(node, text, known);
        }
        is_innermost &= !matches!(node.kind(), "function_definition" | "class_definition");
        around = node.parent();
    }
}

/// What a scope binds, without the scopes inside of it.
fn add_bindings(scope: Node<'_>, text: &str, known: &mut BTreeSet<String>) {
    let mut open: Vec<Node<'_>> = children(scope);
    while let Some(node) = open.pop() {
        let field = |name: &str| node.child_by_field_name(name);
        match node.kind() {
            "function_definition" | "class_definition" => {
                bind(field("name"), text, known);
                continue;
            }
            "lambda" => continue,
            "assignment" | "augmented_assignment" | "for_statement" | "for_in_clause" => {
                bind(field("left"), text, known);
            }
            "named_expression" => bind(field("name"), text, known),
            "parameters" | "lambda_parameters" | "as_pattern_target" | "case_pattern" => {
                bind(Some(node), text, known);
            }
            "import_statement" | "import_from_statement" => add_imports(node, text, known),
            "wildcard_import" => {
                known.insert("*".to_owned());
            }
            _ => {}
        }
        open.extend(children(node));
    }
}

fn add_imports(statement: Node<'_>, text: &str, known: &mut BTreeSet<String>) {
    let module = statement.child_by_field_name("module_name");
    for name in children(statement)
        .into_iter()
        .filter(|name| Some(*name) != module)
    {
        let own = name.child_by_field_name("alias").unwrap_or(name);
        if matches!(name.kind(), "aliased_import" | "dotted_name") {
            let text = text.get(own.byte_range()).unwrap_or_default();
            known.insert(imported(text));
        }
    }
}

fn bind(node: Option<Node<'_>>, text: &str, known: &mut BTreeSet<String>) {
    if let Some(node) = node {
        bound_in(node, text, known);
    }
}

fn bound_in(node: Node<'_>, text: &str, bound: &mut BTreeSet<String>) {
    if node.kind() == "identifier" {
        bound.insert(text.get(node.byte_range()).unwrap_or_default().to_owned());
    }
    if !matches!(node.kind(), "attribute" | "subscript" | "type") {
        for child in children(node) {
            bound_in(child, text, bound);
        }
    }
}

fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.children(&mut cursor).collect()
}

/// Functions and constants that are never imported.
const BUILTINS: [&str; 65] = [
    "abs",
    "all",
    "any",
    "bool",
    "bytearray",
    "bytes",
    "callable",
    "chr",
    "dict",
    "dir",
    "divmod",
    "enumerate",
    "filter",
    "float",
    "format",
    "frozenset",
    "getattr",
    "globals",
    "hasattr",
    "hash",
    "hex",
    "id",
    "input",
    "int",
    "isinstance",
    "issubclass",
    "iter",
    "len",
    "list",
    "locals",
    "map",
    "max",
    "min",
    "next",
    "object",
    "oct",
    "open",
    "ord",
    "pow",
    "print",
    "property",
    "range",
    "repr",
    "reversed",
    "round",
    "set",
    "setattr",
    "slice",
    "sorted",
    "str",
    "sum",
    "super",
    "tuple",
    "type",
    "vars",
    "zip",
    "Exception",
    "OSError",
    "KeyError",
    "ValueError",
    "RuntimeError",
    "ImportError",
    "__file__",
    "__name__",
    "__import__",
];
