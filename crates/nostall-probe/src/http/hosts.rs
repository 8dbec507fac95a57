//! Places per host and port.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use super::address::origin;
use crate::policy::Places;

/// So many hosts are known before the first look for idle ones.
const FIRST_SWEEP: usize = 64;

/// The places of all hosts that are in use. Those of idle hosts are forgotten, so that a crawler does not fill the memory.
#[derive(Debug)]
pub(super) struct Hosts {
    limit: usize,
    home: String,
    home_places: Arc<Places>,
    others: Mutex<Others>,
}

#[derive(Debug)]
struct Others {
    places: HashMap<Box<str>, Arc<Places>>,
    sweep_at: usize,
}

impl Hosts {
    /// Makes `limit` places per host; the host of `base`, which most requests go to, is found without a lock.
    pub(super) fn new(limit: usize, base: &Url) -> Self {
        Self {
            limit,
            home: origin(base).to_owned(),
            home_places: Arc::new(Places::new(limit)),
            others: Mutex::new(Others {
                places: HashMap::new(),
                sweep_at: FIRST_SWEEP,
            }),
        }
    }

    /// The places of the host that the URL leads to. The host counts as in use as long as the answer is held.
    pub(super) fn places(&self, url: &Url) -> Arc<Places> {
        let origin = origin(url);
        if origin == self.home {
            return Arc::clone(&self.home_places);
        }
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = others.places.get(origin) {
            return Arc::clone(places);
        }
        others.sweep();
        let places = Arc::new(Places::new(self.limit));
        others.places.insert(origin.into(), Arc::clone(&places));
        places
    }
}

impl Others {
    /// Forgets idle hosts each time that the number of hosts has doubled, which costs little per request.
    fn sweep(&mut self) {
        if self.places.len() < self.sweep_at {
            return;
        }
        // Clones are only made under the lock, so nobody can take one between the look and the removal.
        self.places
            .retain(|_, places| Arc::strong_count(places) > 1);
        self.places.shrink_to(FIRST_SWEEP);
        self.sweep_at = FIRST_SWEEP.max(2 * self.places.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn one_set_of_places_per_host_and_port() {
        let hosts = Hosts::new(3, &url("http://home/api/"));
        let same = |a, b| Arc::ptr_eq(&hosts.places(&url(a)), &hosts.places(&url(b)));
        assert!(same("http://home/x", "http://home:80/y?z"));
        assert!(same("http://away:81/x", "http://away:81/y"));
        assert!(!same("http://home/", "http://home:81/"));
        assert!(!same("http://away/", "http://away:81/"));
        assert!(!same("http://away/", "https://away/"));
    }

    #[test]
    fn idle_hosts_are_forgotten_and_busy_ones_are_not() {
        let hosts = Hosts::new(3, &url("http://home/"));
        let busy: Vec<_> = (0..100)
            .map(|n| hosts.places(&url(&format!("http://busy{n}/"))))
            .collect();
        for n in 0..10_000 {
            hosts.places(&url(&format!("http://idle{n}/")));
        }
        let known = hosts.others.lock().unwrap().places.len();
        assert!((100..=200).contains(&known), "{known} hosts are kept");
        for (n, places) in busy.iter().enumerate() {
            let found = hosts.places(&url(&format!("http://busy{n}/")));
            assert!(Arc::ptr_eq(places, &found));
        }
    }
}
