//! `use` trees, one import per name.

use nostall_model::facts::{ConditionId, Import, ImportKind, PathExpr, Run, Segment};
use nostall_model::{Name, Span};
use syn::UseTree;

use super::lower::Lower;

/// What the imports of one `use` share.
#[derive(Clone, Copy)]
struct Use {
    global: bool,
    public: bool,
    condition: Option<ConditionId>,
}

impl Lower<'_> {
    /// Lowers `use ..;`.
    pub(crate) fn use_(&mut self, node: &syn::ItemUse, condition: Option<ConditionId>) {
        let public = !matches!(node.vis, syn::Visibility::Inherited);
        let shared = Use {
            global: node.leading_colon.is_some(),
            public,
            condition,
        };
        self.use_tree(&node.tree, &mut Vec::new(), shared);
    }

    fn use_tree(&mut self, tree: &UseTree, before: &mut Vec<Name>, shared: Use) {
        match tree {
            UseTree::Path(path) => {
                before.push(self.name(&path.ident));
                self.use_tree(&path.tree, before, shared);
                before.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.use_tree(tree, before, shared);
                }
            }
            UseTree::Name(leaf) => self.use_name(&leaf.ident, &leaf.ident, before, shared),
            UseTree::Rename(leaf) => self.use_name(&leaf.ident, &leaf.rename, before, shared),
            UseTree::Glob(leaf) => {
                let span = self.token(leaf.star_token.spans[0]);
                self.import(before, ImportKind::Glob, span, shared);
            }
        }
    }

    /// `name` or `name as alias`. `self` at the end of a path means the path itself.
    fn use_name(
        &mut self,
        ident: &syn::Ident,
        alias: &syn::Ident,
        before: &mut Vec<Name>,
        shared: Use,
    ) {
        let span = self.token(ident.span()).to(self.token(alias.span()));
        let itself = ident == "self" && !before.is_empty();
        let kind = match before.last() {
            _ if alias == "_" => ImportKind::Anonymous,
            Some(last) if itself && ident == alias => ImportKind::Named(*last),
            _ => ImportKind::Named(self.name(alias)),
        };
        if itself {
            self.import(before, kind, span, shared);
            return;
        }
        before.push(self.name(ident));
        self.import(before, kind, span, shared);
        before.pop();
    }

    fn import(&mut self, names: &[Name], kind: ImportKind, span: Span, shared: Use) {
        let segments: Vec<Segment> = names
            .iter()
            .map(|name| Segment {
                name: *name,
                arguments: Run::default(),
            })
            .collect();
        let segments = self.builder.segments(&segments);
        let scope = self.scope;
        let Use {
            global,
            public,
            condition,
        } = shared;
        let path = self.builder.path(PathExpr {
            segments,
            global,
            qualified_self: None,
            trait_segments: 0,
            scope,
            span,
        });
        self.builder.import(Import {
            path,
            level: 0,
            kind,
            scope,
            condition,
            public,
            span,
        });
    }
}
