//! The parse tree in one piece: its nodes in the order of the text, each before those below it.
//!
//! tree-sitter's own nodes find their children by walking, field by field and name by name. Here it is walked once.

use std::ops::Range;
use std::sync::LazyLock;

use tree_sitter::Language;

/// A parsed text.
pub(super) struct Tree {
    nodes: Vec<Record>,
}

struct Record {
    kind: &'static str,
    field: Option<&'static str>,
    start: u32,
    end: u32,
    /// The number of the first node that is not below this one.
    after: u32,
    is_named: bool,
    is_extra: bool,
    is_missing: bool,
}

/// A node of a [`Tree`].
#[derive(Clone, Copy)]
pub(super) struct Node<'tree> {
    tree: &'tree Tree,
    index: u32,
}

/// What tree-sitter calls a part that it could not read.
const ERROR: &str = "ERROR";

/// The kinds of nodes and the fields of the grammar, by their numbers.
struct Words {
    kinds: Vec<(&'static str, bool)>,
    fields: Vec<Option<&'static str>>,
}

static LANGUAGE: LazyLock<Language> = LazyLock::new(|| tree_sitter_python::LANGUAGE.into());

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let language = &*LANGUAGE;
    let kind = |id: usize| {
        let id = u16::try_from(id).unwrap_or(u16::MAX);
        let name = language.node_kind_for_id(id).unwrap_or(ERROR);
        (name, language.node_kind_is_named(id))
    };
    Words {
        kinds: (0..language.node_kind_count()).map(kind).collect(),
        fields: (0..=language.field_count())
            .map(|id| language.field_name_for_id(u16::try_from(id).unwrap_or(0)))
            .collect(),
    }
});

impl Tree {
    /// Takes a tree of tree-sitter over.
    pub(super) fn new(parsed: &tree_sitter::Tree) -> Self {
        let mut nodes = Vec::with_capacity(parsed.root_node().descendant_count());
        let mut around: Vec<usize> = Vec::new();
        let mut cursor = parsed.walk();
        loop {
            nodes.push(record(&cursor));
            if cursor.goto_first_child() {
                around.push(nodes.len() - 1);
                continue;
            }
            loop {
                if cursor.goto_next_sibling() {
                    break;
                }
                if !cursor.goto_parent() {
                    set_ends(&mut nodes);
                    return Self { nodes };
                }
                if let Some(outer) = around.pop() {
                    nodes[outer].after = nodes.len() as u32;
                }
            }
        }
    }

    /// The node that stands for all.
    pub(super) fn root(&self) -> Node<'_> {
        Node {
            tree: self,
            index: 0,
        }
    }
}

/// Nodes without children end where the next one begins.
fn set_ends(nodes: &mut [Record]) {
    for (index, node) in nodes.iter_mut().enumerate() {
        if node.after == 0 {
            node.after = index as u32 + 1;
        }
    }
}

fn record(cursor: &tree_sitter::TreeCursor<'_>) -> Record {
    let node = cursor.node();
    let words = &*WORDS;
    let kind = words.kinds.get(usize::from(node.kind_id()));
    let (kind, is_named) = kind.copied().unwrap_or((ERROR, true));
    let field = cursor.field_id().map(|id| usize::from(id.get()));
    Record {
        kind,
        field: field.and_then(|id| *words.fields.get(id)?),
        start: node.start_byte() as u32,
        end: node.end_byte() as u32,
        after: 0,
        is_named,
        is_extra: node.is_extra(),
        is_missing: node.is_missing(),
    }
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.index == other.index
    }
}

impl<'tree> Node<'tree> {
    fn record(self) -> &'tree Record {
        &self.tree.nodes[self.index as usize]
    }

    /// Its number in the tree.
    pub(super) fn id(self) -> u32 {
        self.index
    }

    /// The number of the first node that is not below it.
    pub(super) fn after(self) -> u32 {
        self.record().after
    }

    /// The name of its kind in the grammar.
    pub(super) fn kind(self) -> &'static str {
        self.record().kind
    }

    /// Where it begins, in bytes.
    pub(super) fn start_byte(self) -> usize {
        self.record().start as usize
    }

    /// Where it ends, in bytes.
    pub(super) fn end_byte(self) -> usize {
        self.record().end as usize
    }

    /// Its bytes.
    pub(super) fn byte_range(self) -> Range<usize> {
        self.start_byte()..self.end_byte()
    }

    /// Says whether it is a rule of the grammar and not a word or sign.
    pub(super) fn is_named(self) -> bool {
        self.record().is_named
    }

    /// Says whether it may stand anywhere, as comments may.
    pub(super) fn is_extra(self) -> bool {
        self.record().is_extra
    }

    /// Says whether it is a part that could not be read.
    pub(super) fn is_error(self) -> bool {
        self.kind() == ERROR
    }

    /// Says whether it was put in because something is missing.
    pub(super) fn is_missing(self) -> bool {
        self.record().is_missing
    }

    /// The nodes directly below it.
    pub(super) fn children(self) -> impl Iterator<Item = Self> + use<'tree> {
        let Self { tree, index } = self;
        let end = self.after();
        let first = Some(index + 1).filter(|first| *first < end);
        std::iter::successors(first, move |last| {
            let next = tree.nodes[*last as usize].after;
            (next < end).then_some(next)
        })
        .map(move |index| Self { tree, index })
    }

    /// All nodes below it, each before those below it.
    pub(super) fn below(self) -> impl Iterator<Item = Self> + use<'tree> {
        let Self { tree, index } = self;
        (index + 1..self.after()).map(move |index| Self { tree, index })
    }

    /// The named nodes directly below it.
    pub(super) fn named_children(self) -> impl Iterator<Item = Self> + use<'tree> {
        self.children().filter(|child| child.is_named())
    }

    /// The children in a field.
    pub(super) fn in_field(self, name: &str) -> impl Iterator<Item = Self> + use<'tree, '_> {
        self.children()
            .filter(move |child| child.record().field == Some(name))
    }

    /// Child `index`, from 0.
    pub(super) fn child(self, index: usize) -> Option<Self> {
        self.children().nth(index)
    }

    /// Named child `index`, from 0.
    pub(super) fn named_child(self, index: usize) -> Option<Self> {
        self.named_children().nth(index)
    }

    /// How many children it has.
    pub(super) fn child_count(self) -> usize {
        self.children().count()
    }

    /// How many named children it has.
    pub(super) fn named_child_count(self) -> usize {
        self.named_children().count()
    }
}
