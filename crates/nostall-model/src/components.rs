//! Strongly connected parts of a graph, callees before callers.

/// Finds the strongly connected parts of a graph of `count` nodes. A part comes after all parts that it leads to.
/// Iterative: the depth of the graph does not matter.
#[must_use]
pub fn components(count: usize, edges: impl Fn(usize) -> Vec<usize>) -> Vec<Vec<usize>> {
    let mut search = Search {
        order: vec![UNSEEN; count],
        low: vec![0; count],
        on_stack: vec![false; count],
        stack: Vec::new(),
        next: 0,
        parts: Vec::new(),
    };
    for root in 0..count {
        if search.order[root] == UNSEEN {
            search.visit(root, &edges);
        }
    }
    search.parts
}

const UNSEEN: usize = usize::MAX;

/// Tarjan's algorithm with the calls kept on a list instead of the program's stack.
struct Search {
    order: Vec<usize>,
    low: Vec<usize>,
    on_stack: Vec<bool>,
    stack: Vec<usize>,
    next: usize,
    parts: Vec<Vec<usize>>,
}

impl Search {
    fn visit(&mut self, root: usize, edges: &impl Fn(usize) -> Vec<usize>) {
        self.enter(root);
        let mut work = vec![(root, edges(root).into_iter())];
        while let Some((node, rest)) = work.last_mut() {
            let node = *node;
            match rest.next() {
                Some(to) if self.order[to] == UNSEEN => {
                    self.enter(to);
                    work.push((to, edges(to).into_iter()));
                }
                Some(to) if self.on_stack[to] => {
                    self.low[node] = self.low[node].min(self.order[to]);
                }
                Some(_) => {}
                None => {
                    work.pop();
                    if let Some((caller, _)) = work.last() {
                        self.low[*caller] = self.low[*caller].min(self.low[node]);
                    }
                    self.leave(node);
                }
            }
        }
    }

    fn enter(&mut self, node: usize) {
        self.order[node] = self.next;
        self.low[node] = self.next;
        self.next += 1;
        self.stack.push(node);
        self.on_stack[node] = true;
    }

    fn leave(&mut self, node: usize) {
        if self.low[node] != self.order[node] {
            return;
        }
        let mut part = Vec::new();
        while let Some(member) = self.stack.pop() {
            self.on_stack[member] = false;
            part.push(member);
            if member == node {
                break;
            }
        }
        part.sort_unstable();
        self.parts.push(part);
    }
}

#[cfg(test)]
mod tests {
    use super::components;

    #[test]
    fn callees_come_first_and_cycles_are_one_part() {
        let edges = [vec![1], vec![2, 3], vec![1], vec![]];
        let parts = components(4, |node| edges[node].clone());
        assert_eq!(parts, [vec![3], vec![1, 2], vec![0]]);
    }

    #[test]
    fn a_deep_chain_does_not_overflow_the_stack() {
        let parts = components(200_000, |node| {
            if node + 1 < 200_000 {
                vec![node + 1]
            } else {
                Vec::new()
            }
        });
        assert_eq!(parts.len(), 200_000);
    }
}
