//! Replaces a file as a whole: readers see the old content or the new, never a part.

use std::io::Write;

use cap_std::fs::{Dir, Metadata, Permissions};
use cap_tempfile::TempFile;

use super::error::at;
use super::options::FilesOptions;
use super::path::{Place, Step, Target, enter, make, make_durable, sync_folder};
use crate::error::Cause;

/// Writes a new file beside the old one, and gives it the name when it is whole.
pub(super) fn write(
    root: &Dir,
    target: &Target,
    content: &[u8],
    options: &FilesOptions,
) -> Result<(), Cause> {
    let place = target.place_by(root, step(options))?;
    let replaced = replaced(&place)?;
    write_beside(&place, content, replaced.as_ref(), options.durable)?;
    if options.durable {
        sync_folder(place.dir()).map_err(at(target.path()))?;
    }
    Ok(())
}

/// How folders on the way to something that is written are opened.
pub(super) fn step(options: &FilesOptions) -> Step {
    match (options.create_parents, options.durable) {
        (false, _) => enter,
        (true, false) => make,
        (true, true) => make_durable,
    }
}

/// The regular file that will be replaced, if there is one.
fn replaced(place: &Place<'_>) -> Result<Option<Metadata>, Cause> {
    let metadata = place.metadata()?;
    if let Some(metadata) = &metadata {
        place.regular(metadata)?;
    }
    Ok(metadata)
}

/// A failure on the way drops the temporary file, which removes it.
fn write_beside(
    place: &Place<'_>,
    content: &[u8],
    replaced: Option<&Metadata>,
    durable: bool,
) -> Result<(), Cause> {
    let mut file = TempFile::new(place.dir()).map_err(at(place.path))?;
    file.write_all(content).map_err(at(place.path))?;
    if let Some(replaced) = replaced {
        let kept = plain(&replaced.permissions());
        file.as_file()
            .set_permissions(kept)
            .map_err(at(place.path))?;
    }
    if durable {
        file.as_file().sync_all().map_err(at(place.path))?;
    }
    file.replace(place.name).map_err(at(place.path))
}

/// Writing into a file in place takes the set-user-ID bits off it, and so does this.
#[cfg(unix)]
fn plain(permissions: &Permissions) -> Permissions {
    use cap_std::fs::PermissionsExt;
    Permissions::from_mode(permissions.mode() & 0o777)
}

#[cfg(not(unix))]
fn plain(permissions: &Permissions) -> Permissions {
    permissions.clone()
}
