//! The series of one kind, by name. To look one up takes no lock and counts no reference: that is done with each operation, by all
//! threads at once.

use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustc_hash::FxBuildHasher;

use super::series::Series;
use super::{MAX_NAMES, OTHER_NAMES};
use crate::error::Name;

/// Twice as many as there are names: a search soon comes to a free one.
const SLOTS: usize = 2 * MAX_NAMES;

/// A hash table that only grows. A name is in the first slot from its hash on that was free when it came.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Made when the kind is first used.
    slots: OnceLock<Box<[Slot]>>,
    /// Made when no slot may be taken any more.
    other: Slot,
    /// How many slots are taken. Held while one is added, so that no name is added twice.
    taken: Mutex<usize>,
}

type Slot = OnceLock<Arc<Series>>;

impl Names {
    /// The series of a name, made if there is none; that of all other names when there are [`MAX_NAMES`].
    pub(super) fn get_or_add(
        &self,
        name: &Name,
        make: impl FnOnce(Name) -> Arc<Series>,
    ) -> &Arc<Series> {
        match (self.find(name), self.other.get()) {
            (Ok(series), _) | (Err(_), Some(series)) => series,
            (Err(_), None) => self.add(name, make),
        }
    }

    /// All series, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Series>> {
        let slots = self.slots.get().into_iter().flatten();
        slots.chain([&self.other]).filter_map(Slot::get)
    }

    /// The series of a name, or the slot that it would have.
    fn find(&self, name: &Name) -> Result<&Arc<Series>, &Slot> {
        let empty = || (0..SLOTS).map(|_| Slot::new()).collect();
        let slots = self.slots.get_or_init(empty);
        let hash = FxBuildHasher.hash_one(name.as_ref()) as usize;
        for step in 0..SLOTS {
            let slot = &slots[hash.wrapping_add(step) % SLOTS];
            match slot.get() {
                Some(series) if series.name() == name => return Ok(series),
                Some(_) => {}
                None => return Err(slot),
            }
        }
        unreachable!("half of the slots stay free")
    }

    fn add(&self, name: &Name, make: impl FnOnce(Name) -> Arc<Series>) -> &Arc<Series> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match self.find(name) {
            // Somebody else was faster.
            Ok(series) => series,
            Err(_) if *taken == MAX_NAMES => {
                self.other.get_or_init(|| make(Name::Borrowed(OTHER_NAMES)))
            }
            Err(slot) => {
                *taken += 1;
                slot.get_or_init(|| make(name.clone()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    fn make(name: Name) -> Arc<Series> {
        Series::new(Kind::Own, name, Arc::default())
    }

    #[test]
    fn threads_that_add_the_same_names_get_the_same_series() {
        let names = Names::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..MAX_NAMES {
                        let name = Name::Owned(format!("name {number}"));
                        let series = names.get_or_add(&name, make);
                        assert_eq!(series.name(), &name);
                        assert!(Arc::ptr_eq(series, names.get_or_add(&name, make)));
                    }
                });
            }
        });
        assert_eq!(names.iter().count(), MAX_NAMES);
        for number in 0..10 {
            let series = names.get_or_add(&Name::Owned(format!("more {number}")), make);
            assert_eq!(series.name(), OTHER_NAMES);
        }
        assert_eq!(names.iter().count(), MAX_NAMES + 1);
    }
}
