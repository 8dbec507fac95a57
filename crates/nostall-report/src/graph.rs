//! Ways through a function as a tree of text, for Graphviz, for Mermaid.

use std::collections::BTreeSet;
use std::io::{self, Write};

use nostall_model::explain::{Edge, Graph, Node, NodeKind};

use crate::Options;
use crate::layout::Words;
use crate::paint::{Paint, Part};
use crate::words::printable;

/// A form of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphFormat {
    /// A tree for people.
    Text,
    /// Graphviz.
    Dot,
    /// Mermaid.
    Mermaid,
}

/// Writes a graph.
///
/// # Errors
/// Those of the writer.
pub fn render_graph(
    graph: &Graph,
    format: GraphFormat,
    options: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        GraphFormat::Text => text(graph, options, out),
        GraphFormat::Dot => dot(graph, out),
        GraphFormat::Mermaid => mermaid(graph, out),
    }
}

// ---- text

fn text(graph: &Graph, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint::new(options.color);
    let asked = graph
        .nodes
        .iter()
        .position(|node| node.kind == NodeKind::Asked)
        .unwrap_or(0);
    let Some(node) = graph.nodes.get(asked) else {
        return writeln!(out, "Nothing to show.");
    };
    writeln!(out, "{}", line(node, paint))?;
    for direction in [Direction::Up, Direction::Down] {
        writeln!(out, "\n{}", paint.on(Part::Title, direction.title()))?;
        let mut tree = Tree {
            graph,
            direction,
            paint,
            width: options.width,
            way: vec![asked],
            opened: BTreeSet::new(),
            out: &mut *out,
        };
        match &graph.entry {
            Some(entry) if direction == Direction::Up => {
                writeln!(out, "  it is async code itself: {}", printable(entry))?;
            }
            _ if tree.next_of(asked).is_empty() => writeln!(out, "  nothing that is known")?,
            _ => tree.branch(asked)?,
        }
    }
    if graph.left_out > 0 {
        writeln!(out, "\n{} more calls are not shown", graph.left_out)?;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl Direction {
    fn title(self) -> &'static str {
        match self {
            Self::Up => "reached from async code:",
            Self::Down => "blocks through:",
        }
    }

    fn arrow(self) -> &'static str {
        match self {
            Self::Up => "<-",
            Self::Down => "->",
        }
    }
}

/// Branches below this depth are not opened.
const DEEPEST: usize = 40;

struct Tree<'a> {
    graph: &'a Graph,
    direction: Direction,
    paint: Paint,
    width: usize,
    /// The nodes from the root to the current one.
    way: Vec<usize>,
    /// The nodes whose branches are written.
    opened: BTreeSet<usize>,
    out: &'a mut dyn Write,
}

impl<'a> Tree<'a> {
    fn branch(&mut self, node: usize) -> io::Result<()> {
        self.opened.insert(node);
        for (next, edges) in self.next_of(node) {
            let has_more = !self.next_of(next).is_empty();
            let again = self.way.contains(&next) || (has_more && self.opened.contains(&next));
            self.line(next, &edges, again)?;
            if !again && self.way.len() < DEEPEST {
                self.way.push(next);
                self.branch(next)?;
                self.way.pop();
            }
        }
        Ok(())
    }

    /// The nodes that follow one, each once, with all the calls that lead there.
    fn next_of(&self, node: usize) -> Vec<(usize, Vec<&'a Edge>)> {
        let mut found: Vec<(usize, Vec<&'a Edge>)> = Vec::new();
        for edge in &self.graph.edges {
            let (own, next) = match self.direction {
                Direction::Up => (edge.to, edge.from),
                Direction::Down => (edge.from, edge.to),
            };
            if own != node {
                continue;
            }
            match found.iter_mut().find(|(known, _)| *known == next) {
                Some((_, edges)) => edges.push(edge),
                None => found.push((next, vec![edge])),
            }
        }
        found
    }

    fn line(&mut self, next: usize, edges: &[&Edge], again: bool) -> io::Result<()> {
        let node = &self.graph.nodes[next];
        let mut words = Words::of(&node.path);
        if !node.note.is_empty() {
            words = words.text(&format!("({})", node.note));
        }
        words = words.text("at");
        for (index, edge) in edges.iter().enumerate() {
            let comma = if index + 1 < edges.len() { "," } else { "" };
            words = words.whole(&format!("{}{comma}", edge.at));
        }
        if edges.iter().all(|edge| edge.offloaded) {
            words = words.text("[off the executor]");
        }
        if again {
            words = words.text("(again)");
        }
        let indent = 2 * self.way.len();
        let arrow = self.paint.on(Part::Frame, self.direction.arrow());
        let text = words.hanging(self.width.saturating_sub(indent + 3), indent + 5);
        writeln!(self.out, "{}{arrow} {text}", " ".repeat(indent))
    }
}

fn line(node: &Node, paint: Paint) -> String {
    let path = paint.on(Part::Title, &printable(&node.path));
    if node.note.is_empty() {
        path
    } else {
        format!("{path} ({})", printable(&node.note))
    }
}

// ---- pictures

fn dot(graph: &Graph, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "digraph nostall {{\n  rankdir=LR;\n  node [shape=box];"
    )?;
    for (index, node) in graph.nodes.iter().enumerate() {
        let style = match node.kind {
            NodeKind::Entry => ", style=rounded",
            NodeKind::Function => "",
            NodeKind::Asked => ", penwidth=2",
            NodeKind::Api => ", shape=octagon",
        };
        let label = format!("{}\\n{}", quoted(&node.path), quoted(&node.note));
        writeln!(out, "  n{index} [label=\"{label}\"{style}];")?;
    }
    for edge in &graph.edges {
        writeln!(
            out,
            "  n{} -> n{} [label=\"{}\"{}];",
            edge.from,
            edge.to,
            quoted(&edge.at),
            if edge.offloaded { ", style=dashed" } else { "" }
        )?;
    }
    writeln!(out, "}}")
}

fn mermaid(graph: &Graph, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "flowchart LR")?;
    for (index, node) in graph.nodes.iter().enumerate() {
        let (open, close) = match node.kind {
            NodeKind::Entry => ("([", "])"),
            NodeKind::Function => ("[", "]"),
            NodeKind::Asked => ("[[", "]]"),
            NodeKind::Api => ("{{", "}}"),
        };
        let label = format!("{}<br/>{}", entities(&node.path), entities(&node.note));
        writeln!(out, "  n{index}{open}\"{label}\"{close}")?;
    }
    for edge in &graph.edges {
        writeln!(
            out,
            "  n{} {}|\"{}\"| n{}",
            edge.from,
            if edge.offloaded { "-.->" } else { "-->" },
            entities(&edge.at),
            edge.to
        )?;
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    printable(text).replace('\\', "\\\\").replace('"', "\\\"")
}

fn entities(text: &str) -> String {
    printable(text)
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('{', "&#123;")
        .replace('}', "&#125;")
        .replace('|', "&#124;")
}
