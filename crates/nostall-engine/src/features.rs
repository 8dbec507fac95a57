//! Which features of libraries a program's own code shows to be on: what it calls must be there, whoever asks for it.

use std::collections::BTreeSet;

use nostall_catalog::{ApiId, Catalog};
use nostall_model::program::TargetKind;
use rustc_hash::FxHashSet;

use crate::program::Program;

/// Features that are on, by library and name.
pub(crate) type Features = BTreeSet<(String, String)>;

/// Finds the features without which calls outside of tests would not build.
pub(crate) fn used(program: &Program<'_>, catalog: &Catalog) -> Features {
    let mut features = Features::new();
    let mut seen: FxHashSet<u32> = FxHashSet::default();
    let bodies = program
        .bodies()
        .filter(|body| program.is_present(*body, false));
    for body in bodies {
        let language = program.facts(body).language;
        let calls = program.calls_of(body);
        for target in calls.iter().flat_map(|call| program.targets(*call)) {
            let path = match &target.kind {
                TargetKind::Api(id) if seen.insert(*id) => &catalog.api(ApiId(*id)).path,
                TargetKind::External(path) => &**path,
                _ => continue,
            };
            let needed = catalog.features_of(language, path, None);
            features.extend(needed.map(|entry| (entry.library.clone(), entry.name.clone())));
        }
    }
    features
}
