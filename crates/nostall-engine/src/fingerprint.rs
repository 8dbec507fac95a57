//! Fingerprints: what names a finding across runs. They survive moved lines, and tell equal calls of a function apart.

use std::collections::BTreeMap;
use std::path::Path;

use nostall_model::{Finding, Sources};

/// Gives each finding its fingerprint. The findings are in the order of their places.
pub(crate) fn number(findings: &mut [Finding], sources: &Sources, root: &Path, current_dir: &Path) {
    let mut ordinals: BTreeMap<(String, String, String, String), u32> = BTreeMap::new();
    for finding in findings {
        let path = relative(&sources.get(finding.place.file).path, root, current_dir);
        let key = (
            finding.rule.id.0.to_owned(),
            path,
            finding.function.clone(),
            finding.call().to_owned(),
        );
        let ordinal = ordinals.entry(key.clone()).or_insert(0);
        *ordinal += 1;
        let (rule, path, function, call) = key;
        let text = format!("{rule}\0{path}\0{function}\0{call}\0{ordinal}");
        finding.fingerprint = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(text.as_bytes()));
    }
}

/// The path from the project's root, wherever the run was started.
fn relative(path: &str, root: &Path, current_dir: &Path) -> String {
    let absolute = current_dir.join(path);
    let relative = absolute.strip_prefix(root).map_or_else(
        |_| path.to_owned(),
        |rest| rest.to_string_lossy().into_owned(),
    );
    relative.replace('\\', "/")
}
