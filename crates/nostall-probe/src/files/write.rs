//! Replaces a file as a whole: readers see the old content or the new, never a part.

use std::io::{self, Write};

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
    let mut file = temporary(place.dir()).map_err(at(place.path))?;
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

/// Makes the file without a name. In a folder that was removed meanwhile some file systems (ext4) refuse it as not permitted.
fn temporary(dir: &Dir) -> io::Result<TempFile<'_>> {
    TempFile::new(dir).map_err(|error| {
        if is_removed(dir) {
            return io::Error::new(io::ErrorKind::NotFound, Removed(error));
        }
        error
    })
}

/// The folder of a file that is to be written is gone.
#[derive(Debug, thiserror::Error)]
#[error("the folder was removed meanwhile: {0}")]
struct Removed(#[source] io::Error);

/// A folder without a name is one that was opened and then removed.
#[cfg(unix)]
fn is_removed(dir: &Dir) -> bool {
    use cap_std::fs::MetadataExt;
    dir.dir_metadata()
        .is_ok_and(|metadata| metadata.nlink() == 0)
}

/// Other systems do not remove a folder that is open.
#[cfg(not(unix))]
fn is_removed(_dir: &Dir) -> bool {
    false
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

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_folder_removed_meanwhile_is_not_found() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("a")).unwrap();
        let root = Dir::open_ambient_dir(folder.path(), cap_std::ambient_authority()).unwrap();
        let target = Target::judge("a/file".into()).unwrap();
        let place = target.place(&root).unwrap();
        std::fs::remove_dir(folder.path().join("a")).unwrap();
        let Err(Cause::Io(error)) = write_beside(&place, b"x", None, false) else {
            panic!("written into a folder that is gone");
        };
        assert_eq!(error.kind(), io::ErrorKind::NotFound, "{error}");
    }
}
