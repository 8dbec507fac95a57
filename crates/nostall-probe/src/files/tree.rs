//! Changes names: removes, renames, makes folders.

use cap_std::fs::{Dir, Metadata};

use super::error::at;
use super::options::FilesOptions;
use super::path::{Place, Target, make, make_durable, sync_folder};
use super::write::step;
use crate::error::Cause;

/// Removes a regular file.
pub(super) fn remove(root: &Dir, target: &Target, durable: bool) -> Result<(), Cause> {
    let place = target.place(root)?;
    place.regular(&existing(&place)?)?;
    let removed = place.dir().remove_file(place.name);
    removed.map_err(at(target.path()))?;
    if durable {
        sync_folder(place.dir()).map_err(at(target.path()))?;
    }
    Ok(())
}

/// Makes a folder and those on the way to it.
pub(super) fn create_dir_all(root: &Dir, target: &Target, durable: bool) -> Result<(), Cause> {
    let step = if durable { make_durable } else { make };
    target.folder_by(root, step).map(|_| ())
}

/// Gives a file or folder another name.
pub(super) fn rename(
    root: &Dir,
    from: &Target,
    to: &Target,
    options: &FilesOptions,
) -> Result<(), Cause> {
    let old = from.place(root)?;
    existing(&old)?;
    let new = to.place_by(root, step(options))?;
    new.metadata()?;
    let renamed = old.dir().rename(old.name, new.dir(), new.name);
    renamed.map_err(at(from.path()))?;
    if options.durable {
        sync_folder(new.dir()).map_err(at(to.path()))?;
        sync_folder(old.dir()).map_err(at(from.path()))?;
    }
    Ok(())
}

/// What is there, which must be something.
fn existing(place: &Place<'_>) -> Result<Metadata, Cause> {
    let found = place.metadata()?;
    found.ok_or_else(|| at(place.path)(std::io::ErrorKind::NotFound.into()))
}
