//! What is kept where several calls of a body do the same.

use super::{Effect, ParameterUse};

pub(super) fn same_use(left: &ParameterUse, right: &ParameterUse) -> bool {
    left.owner == right.owner && left.index == right.index && left.what == right.what
}

/// Keeps the better way to one sink: surer first, then shorter, then earlier.
pub(super) fn add_effect(effects: &mut Vec<Effect>, new: Effect) {
    let same = |effect: &&mut Effect| effect.sink == new.sink && effect.premise() == new.premise();
    match effects.iter_mut().find(same) {
        Some(known) => {
            let key = |effect: &Effect| {
                let placement = effect.placement;
                (
                    effect.confidence,
                    std::cmp::Reverse(effect.hops),
                    placement.loops + u8::from(placement.locked),
                )
            };
            if key(&new) > key(known) {
                *known = new;
            }
        }
        None => effects.push(new),
    }
}
