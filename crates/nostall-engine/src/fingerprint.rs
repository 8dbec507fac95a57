//! Fingerprints: what names a finding across runs. They survive moved lines, and tell equal calls of a function apart.

use std::collections::BTreeMap;

use nostall_model::Finding;

/// Gives each finding its fingerprint. The findings are in the order of their places; the paths start from the project's
/// root, wherever the run was started.
pub(crate) fn number(findings: &mut [Finding], paths: &[&str]) {
    let mut ordinals: BTreeMap<(&str, &str, String, String), u32> = BTreeMap::new();
    for finding in findings {
        let key = (
            finding.rule.id.0,
            paths[finding.place.file.index()],
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
