//! Functions whose results are kept: `@functools.cache` runs them once for what they are given, `@cached_property` once for an
//! object.

use nostall_catalog::{ApiId, Catalog, Effect, Times};
use nostall_model::facts::ParameterKind;
use nostall_model::program::{ProgramBody, TargetKind};
use rustc_hash::FxHashMap;

use crate::placement::Placement;
use crate::program::Program;

/// The bodies that a call hands to something that runs them once and keeps what they give, with what that says of their place.
pub(crate) fn find(program: &Program<'_>, catalog: &Catalog) -> FxHashMap<ProgramBody, Placement> {
    let mut kept = FxHashMap::default();
    for body in program.bodies() {
        for call in program.calls_of(body) {
            let keeps = program
                .targets(*call)
                .iter()
                .any(|target| match target.kind {
                    TargetKind::Api(api) => {
                        let api = catalog.api(ApiId(api));
                        api.effect == Effect::Constructs && api.times == Some(Times::Once)
                    }
                    _ => false,
                });
            if keeps {
                let passed = program.passed(*call).iter();
                kept.extend(passed.filter_map(|passed| match passed.target.kind {
                    TargetKind::Body(body) => Some((body, placement(program, body))),
                    _ => None,
                }));
            }
        }
    }
    kept
}

/// A method runs once for each object.
fn placement(program: &Program<'_>, body: ProgramBody) -> Placement {
    let parameters = program.body(body).parameters;
    let first = program.facts(body).parameters[parameters.range()].first();
    let is_method = first.is_some_and(|first| first.kind == ParameterKind::Receiver);
    Placement {
        once: !is_method,
        kept: is_method,
        ..Placement::default()
    }
}
