//! Functions whose results are kept: `@functools.cache` runs them once for what they are given.

use nostall_catalog::{ApiId, Catalog, Effect, Times};
use nostall_model::program::{ProgramBody, TargetKind};
use rustc_hash::FxHashSet;

use crate::program::Program;

/// The bodies that a call hands to something that runs them once and keeps what they give.
pub(crate) fn find(program: &Program<'_>, catalog: &Catalog) -> FxHashSet<ProgramBody> {
    let mut kept = FxHashSet::default();
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
                    TargetKind::Body(body) => Some(body),
                    _ => None,
                }));
            }
        }
    }
    kept
}
