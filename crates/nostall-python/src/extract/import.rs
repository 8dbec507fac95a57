//! Imports: one entry for each imported name.

use nostall_model::Span;
use nostall_model::facts::{DefinitionKind, Import, ImportId, ImportKind, PathId};

use super::lower::{Lower, children, field, fields, span};
use super::tree::Node;

impl<'a> Lower<'a> {
    pub(super) fn import_statement(&mut self, node: Node<'_>) {
        let module = field(node, "module_name");
        let is_from = node.kind() != "import_statement";
        let mut prefix = module.map(|module| self.dotted(module)).unwrap_or_default();
        if node.kind() == "future_import_statement" {
            prefix.push("__future__");
        }
        let level = module.map_or(0, |module| self.level(module));
        for name in fields(node, "name") {
            self.imported_name(name, &prefix, level, is_from);
        }
        if children(node)
            .iter()
            .any(|child| child.kind() == "wildcard_import")
        {
            let path = self
                .builder
                .plain_path(&prefix, self.scope, span(module.unwrap_or(node)));
            self.add_import(path, level, ImportKind::Glob, span(node));
        }
    }

    /// How many dots a module's name begins with.
    fn level(&self, module: Node<'_>) -> u16 {
        let dots = self
            .text(module)
            .bytes()
            .take_while(|byte| matches!(byte, b'.' | b' '))
            .filter(|byte| *byte == b'.');
        u16::try_from(dots.count()).unwrap_or(u16::MAX)
    }

    fn imported_name(&mut self, node: Node<'_>, prefix: &[&str], level: u16, is_from: bool) {
        let alias = field(node, "alias");
        let imported = field(node, "name").unwrap_or(node);
        let written = self.dotted(imported);
        let Some(root) = imported
            .named_child(0)
            .filter(|root| root.start_byte() < root.end_byte())
        else {
            return;
        };
        let segments: Vec<&str> = prefix
            .iter()
            .copied()
            .chain(written.iter().copied())
            .collect();
        let path = self
            .builder
            .plain_path(&segments, self.scope, span(imported));
        let bound = alias.unwrap_or(root);
        let name = self.name(bound);
        let kind = match alias {
            None if !is_from && written.len() > 1 => ImportKind::Root(name),
            _ => ImportKind::Named(name),
        };
        let import = self.add_import(path, level, kind, span(node));
        self.define(bound, DefinitionKind::Import(import));
    }

    fn add_import(&mut self, path: PathId, level: u16, kind: ImportKind, span: Span) -> ImportId {
        let condition = self.condition();
        self.builder.import(Import {
            path,
            level,
            kind,
            scope: self.scope,
            condition,
            public: true,
            span,
        })
    }

    /// The names of a dotted name, without the dots that it may begin with.
    fn dotted(&self, node: Node<'_>) -> Vec<&'a str> {
        let mut names = Vec::new();
        for child in children(node) {
            match child.kind() {
                "identifier" => names.push(&self.text[child.byte_range()]),
                "dotted_name" => names.extend(self.dotted(child)),
                _ => {}
            }
        }
        names
    }
}
