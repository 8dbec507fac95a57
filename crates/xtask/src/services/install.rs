//! Installs servers from Debian's packages, without letting the packages start any.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use nix::unistd::geteuid;

use super::Server;
use super::kind::{Kind, program};

/// Asked by every package before it starts a service; 101 means no. Whoever finds it left behind should know why.
const NO_SERVICES: (&str, &str) = (
    "/usr/sbin/policy-rc.d",
    "#!/bin/sh\n# Made by `cargo xtask services up` while it installs packages; remove it if that is over.\nexit 101\n",
);

/// Keeps PostgreSQL's package from making a cluster that nobody asked for.
const NO_CLUSTER: (&str, &str) = (
    "/etc/postgresql-common/createcluster.d/nostall.conf",
    "create_main_cluster = false\n",
);

/// Installs those of the servers that are missing.
pub(super) fn install_missing(servers: &[Server]) -> Result<()> {
    let missing = missing(servers);
    if missing.is_empty() {
        return Ok(());
    }
    ensure!(
        geteuid().is_root() && program(&["apt-get"]).is_some(),
        "not installed: {}. Only root on Debian or its kin can have them installed here: install the packages {} \
         (named as in Debian), or start the others alone with --only",
        names(&missing),
        packages(&missing).join(" ")
    );
    install(&packages(&missing))?;
    let missing = self::missing(servers);
    ensure!(
        missing.is_empty(),
        "installed, but still not found: {}",
        names(&missing)
    );
    Ok(())
}

fn missing(servers: &[Server]) -> Vec<&'static Kind> {
    let kinds = servers.iter().map(|server| server.kind());
    kinds.filter(|kind| !kind.is_installed()).collect()
}

fn names(kinds: &[&Kind]) -> String {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
    names.join(", ")
}

fn packages(kinds: &[&'static Kind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.package).collect()
}

fn install(packages: &[&str]) -> Result<()> {
    let _no_services = TemporaryFile::make(NO_SERVICES, 0o755)?;
    let _no_cluster = TemporaryFile::make(NO_CLUSTER, 0o644)?;
    crate::run("apt-get", &["update"])?;
    let mut words = vec!["DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y"];
    words.push("--no-install-recommends");
    words.extend(packages);
    crate::run("env", &words)
}

/// A file that goes when this goes, unless somebody else had put one there.
struct TemporaryFile(Option<PathBuf>);

impl TemporaryFile {
    fn make((path, text): (&str, &str), mode: u32) -> Result<Self> {
        let file = Path::new(path);
        // One with our text was left by a call that was interrupted.
        if file.exists() && fs::read_to_string(file).ok().as_deref() != Some(text) {
            return Ok(Self(None));
        }
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        }
        fs::write(file, text).with_context(|| format!("write {path}"))?;
        fs::set_permissions(file, Permissions::from_mode(mode))
            .with_context(|| format!("set the mode of {path}"))?;
        Ok(Self(Some(file.to_owned())))
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if let Some(file) = &self.0
            && let Err(error) = fs::remove_file(file)
        {
            println!("remove {} by hand: {error}", file.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_file_spares_what_was_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("sub/policy");
        let path = file.to_str().expect("a plain path");
        drop(TemporaryFile::make((path, "ours"), 0o755).expect("makes it"));
        assert!(!file.exists());
        fs::write(&file, "theirs").expect("writes");
        drop(TemporaryFile::make((path, "ours"), 0o755).expect("leaves it"));
        assert_eq!(fs::read_to_string(&file).expect("still there"), "theirs");
    }
}
