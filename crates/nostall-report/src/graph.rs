//! Ways through a function as a tree of text, for Graphviz, for Mermaid.

use std::io::{self, Write};

use nostall_model::explain::{Graph, Node, NodeKind};

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
pub fn render_graph(graph: &Graph, format: GraphFormat, out: &mut dyn Write) -> io::Result<()> {
    match format {
        GraphFormat::Text => text(graph, out),
        GraphFormat::Dot => dot(graph, out),
        GraphFormat::Mermaid => mermaid(graph, out),
    }
}

// ---- text

fn text(graph: &Graph, out: &mut dyn Write) -> io::Result<()> {
    let asked = graph
        .nodes
        .iter()
        .position(|node| node.kind == NodeKind::Asked)
        .unwrap_or(0);
    let Some(node) = graph.nodes.get(asked) else {
        return writeln!(out, "Nothing to show.");
    };
    writeln!(out, "{}", line(node))?;
    let into = graph.edges.iter().any(|edge| edge.to == asked);
    let onwards = graph.edges.iter().any(|edge| edge.from == asked);
    writeln!(out, "\nreached from async code:")?;
    if let Some(entry) = &graph.entry {
        writeln!(out, "  it is async code itself: {}", printable(entry))?;
    } else if into {
        branch(graph, asked, Direction::Up, 1, &mut vec![asked], out)?;
    } else {
        writeln!(out, "  nothing that is known")?;
    }
    writeln!(out, "\nblocks through:")?;
    if onwards {
        branch(graph, asked, Direction::Down, 1, &mut vec![asked], out)?;
    } else {
        writeln!(out, "  nothing that is known")?;
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

fn branch(
    graph: &Graph,
    node: usize,
    direction: Direction,
    depth: usize,
    way: &mut Vec<usize>,
    out: &mut dyn Write,
) -> io::Result<()> {
    for edge in &graph.edges {
        let (own, next) = match direction {
            Direction::Up => (edge.to, edge.from),
            Direction::Down => (edge.from, edge.to),
        };
        if own != node {
            continue;
        }
        let again = way.contains(&next);
        let indent = "  ".repeat(depth);
        let arrow = if direction == Direction::Up {
            "<-"
        } else {
            "->"
        };
        let mark = if again { " (again)" } else { "" };
        writeln!(
            out,
            "{indent}{arrow} {} at {}{mark}",
            line(&graph.nodes[next]),
            printable(&edge.at)
        )?;
        if !again && depth < 40 {
            way.push(next);
            branch(graph, next, direction, depth + 1, way, out)?;
        }
    }
    Ok(())
}

fn line(node: &Node) -> String {
    if node.note.is_empty() {
        printable(&node.path).into_owned()
    } else {
        format!("{} ({})", printable(&node.path), printable(&node.note))
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
            "  n{} -> n{} [label=\"{}\"];",
            edge.from,
            edge.to,
            quoted(&edge.at)
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
            "  n{} -->|\"{}\"| n{}",
            edge.from,
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
