//! How often each address tries to get in, in a table of fixed size.
//!
//! Strangers choose the addresses, so it cannot hold them all. It keeps those of which it has most to
//! remember: an address that has tried often is forgotten last, and one that is forgotten may try anew.

use super::refusal::Refusal;
use crate::{
    hub::{Allowance, Now},
    limits::{ATTEMPTS_BURST, ATTEMPTS_PER_SECOND},
};
use std::{
    hash::{BuildHasher as _, RandomState},
    net::{IpAddr, Ipv4Addr},
    sync::{Mutex, PoisonError},
};

/// Addresses that are remembered.
const ADDRESSES_MAX: usize = 1_024;
/// Places that an address can have.
const PLACES: usize = 8;
const _: () = assert!(ADDRESSES_MAX.is_multiple_of(PLACES), "the table has no half rows");

/// What each address has left.
#[derive(Debug)]
pub(super) struct Attempts {
    burst: u32,
    /// Keyed: nobody can choose addresses that share their places with another one.
    hasher: RandomState,
    entries: Mutex<Box<[Entry]>>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    address: IpAddr,
    left: Allowance,
}

impl Attempts {
    /// For addresses of which each may have so many connections; 0 is no limit for either.
    pub(super) fn new(connections_per_address: usize) -> Self {
        let connections = u32::try_from(connections_per_address).unwrap_or(u32::MAX);
        let burst = if connections == 0 { 0 } else { ATTEMPTS_BURST.max(connections.saturating_mul(2)) };
        // Has never tried: the first to be forgotten.
        let nobody = Entry { address: Ipv4Addr::UNSPECIFIED.into(), left: Allowance::full(burst, 0) };
        Self { burst, hasher: RandomState::new(), entries: Mutex::new(vec![nobody; ADDRESSES_MAX].into()) }
    }

    /// Counts one more attempt, if the address may have one more.
    pub(super) fn count(&self, address: IpAddr, now: Now) -> Result<(), Refusal> {
        if self.burst == 0 {
            return Ok(());
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        // A hash has 64 bits wherever this runs; a row has few.
        let row = self.hasher.hash_one(address) % (entries.len() / PLACES) as u64;
        let row = usize::try_from(row).unwrap_or_default();
        let places = &mut entries[row * PLACES..][..PLACES];
        let left = |entry: &Entry| entry.left.at(ATTEMPTS_PER_SECOND, self.burst, now.ms);
        let known = places.iter().position(|entry| entry.address == address);
        let place = known.unwrap_or_else(|| {
            let place = (0..PLACES).max_by_key(|&place| left(&places[place])).unwrap_or_default();
            places[place] = Entry { address, left: Allowance::full(self.burst, now.ms) };
            place
        });
        let allowed = places[place].left.take(ATTEMPTS_PER_SECOND, self.burst, now.ms);
        if allowed { Ok(()) } else { Err(Refusal::Attempts) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AKI: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    const fn at(ms: u64) -> Now {
        Now { ms, unix_s: 0 }
    }

    fn allowed(attempts: &Attempts, address: IpAddr, tries: u32, now: Now) -> u32 {
        (0..tries).map(|_| u32::from(attempts.count(address, now).is_ok())).sum()
    }

    #[test]
    fn a_burst_of_attempts_is_allowed_and_one_more_only_when_its_time_has_come() {
        let attempts = Attempts::new(1);
        assert_eq!(allowed(&attempts, AKI, ATTEMPTS_BURST, at(0)), ATTEMPTS_BURST);
        assert_eq!(attempts.count(AKI, at(0)), Err(Refusal::Attempts));
        let next = u64::from(1_000 / ATTEMPTS_PER_SECOND);
        assert_eq!(attempts.count(AKI, at(next - 1)), Err(Refusal::Attempts));
        assert_eq!(attempts.count(AKI, at(next)), Ok(()));
        assert_eq!(attempts.count(AKI, at(next)), Err(Refusal::Attempts));
        assert_eq!(attempts.count(IpAddr::from([192, 0, 2, 2]), at(0)), Ok(()), "nobody else feels it");
    }

    #[test]
    fn all_clients_behind_an_address_can_come_back_together() {
        for (connections, burst) in [(512, 1_024), (513, 1_026), (1_000, 2_000)] {
            assert_eq!(allowed(&Attempts::new(connections), AKI, 9_999, at(0)), burst);
        }
        assert_eq!(allowed(&Attempts::new(0), AKI, 9_999, at(0)), 9_999, "switched off");
    }

    #[test]
    fn a_flood_of_addresses_takes_no_memory_and_frees_nobody_who_is_over_the_limit() {
        let attempts = Attempts::new(1);
        allowed(&attempts, AKI, ATTEMPTS_BURST, at(0));
        for number in 0..100_000_u32 {
            let stranger = IpAddr::from((0xC633_6400 + number).to_be_bytes());
            assert_eq!(attempts.count(stranger, at(0)), Ok(()));
        }
        assert_eq!(attempts.count(AKI, at(0)), Err(Refusal::Attempts));
    }

    #[test]
    fn many_who_are_over_the_limit_do_not_push_each_other_out() {
        let attempts = Attempts::new(1);
        let addresses = || (0..64).map(|last| IpAddr::from([192, 0, 2, last]));
        for address in addresses() {
            allowed(&attempts, address, ATTEMPTS_BURST, at(0));
        }
        assert_eq!(addresses().filter(|&address| attempts.count(address, at(0)).is_ok()).count(), 0);
    }
}
