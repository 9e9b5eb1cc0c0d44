//! Enough file descriptors for every connection that the settings allow.

use std::fmt;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Settings;

/// Beside connections: standard streams, listeners, the runtime, signals, the journal, and reserve.
const OTHERS: u64 = 32;

/// The system grants fewer descriptors than the settings need.
#[derive(Debug, PartialEq, Eq)]
pub struct TooFew {
    needed: u64,
    granted: u64,
}

impl fmt::Display for TooFew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "file descriptors: {} are granted, clients + handshakes + {OTHERS} need {needed}; raise \
             LimitNOFILE= in the unit (ulimit -n in a shell) to {needed}, or lower clients or handshakes",
            self.granted,
            needed = self.needed,
        )
    }
}

impl std::error::Error for TooFew {}

/// Descriptors that these settings need.
pub fn needed(settings: &Settings) -> u64 {
    settings.clients as u64 + settings.handshakes as u64 + OTHERS
}

/// Raises the soft limit towards the hard one if it is too low.
///
/// # Errors
/// The hard limit is too low as well.
pub fn ensure(settings: &Settings) -> Result<(), TooFew> {
    let needed = needed(settings);
    if let Some(raised) = raise(needed, getrlimit(Resource::Nofile))? {
        // A sandbox may forbid even this.
        let granted = || getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        setrlimit(Resource::Nofile, raised).map_err(|_| TooFew { needed, granted: granted() })?;
    }
    Ok(())
}

/// The limits to set so that `needed` are granted; `None` if they are already.
fn raise(needed: u64, limits: Rlimit) -> Result<Option<Rlimit>, TooFew> {
    let (current, maximum) = (limits.current.unwrap_or(u64::MAX), limits.maximum.unwrap_or(u64::MAX));
    if current >= needed {
        Ok(None)
    } else if maximum >= needed {
        Ok(Some(Rlimit { current: Some(needed), ..limits }))
    } else {
        Err(TooFew { needed, granted: maximum })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(current: u64, maximum: u64) -> Rlimit {
        Rlimit { current: Some(current), maximum: Some(maximum) }
    }

    #[test]
    fn the_soft_limit_is_raised_only_when_it_is_below_what_is_needed() {
        assert_eq!(raise(100, limits(99, 100)), Ok(Some(limits(100, 100))));
        assert_eq!(raise(100, limits(100, 100)), Ok(None));
        assert_eq!(raise(100, limits(101, 101)), Ok(None));
        assert_eq!(raise(100, Rlimit { current: None, maximum: None }), Ok(None));
    }

    #[test]
    fn a_hard_limit_one_too_low_is_refused() {
        assert_eq!(raise(100, limits(50, 99)), Err(TooFew { needed: 100, granted: 99 }));
        assert!(raise(100, Rlimit { current: Some(50), maximum: None }).is_ok());
    }
}
