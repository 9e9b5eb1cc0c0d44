//! Who reads too slowly: the worst few by name, for the line that sums up what was dropped.

use crate::{
    config::plan::human,
    hub::{Ending, LAGGARDS_MAX, Laggard},
};
use std::{fmt, net::IpAddr};

/// The worst few, each with its address.
#[derive(Debug, Default)]
pub(super) struct Laggards(heapless::Vec<(IpAddr, Laggard), LAGGARDS_MAX>);

impl Laggards {
    /// Keeps one more, in the place of one that is not as bad if need be.
    pub(super) fn note(&mut self, address: IpAddr, laggard: Laggard) {
        let rank = laggard.rank();
        let place = self.0.iter().position(|(_, other)| other.rank() < rank).unwrap_or(self.0.len());
        if place < LAGGARDS_MAX {
            self.0.truncate(LAGGARDS_MAX - 1);
            // Room was made.
            let _ = self.0.insert(place, (address, laggard));
        }
    }
}

/// Nothing if there are none; else what goes on in the line: a name may hold anything that can be
/// printed, so it is quoted.
impl fmt::Display for Laggards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (address, laggard)) in self.0.iter().enumerate() {
            f.write_str(if number == 0 { "; slowest: " } else { ", " })?;
            let Laggard { name, missed, behind_messages, behind_bytes, silent_ms, .. } = laggard;
            write!(f, "{:?} at {address} (", name.as_str())?;
            match laggard.ending {
                None => {}
                Some(Ending::By(code, _)) => write!(f, "ended with {}, ", code.code())?,
                Some(Ending::Said(_) | Ending::Lost) => f.write_str("gone, ")?,
            }
            let (bytes, heard_s) = (human(*behind_bytes), silent_ms / 1_000);
            write!(f, "{missed} dropped, {behind_messages} behind, {bytes} waiting, heard {heard_s} s ago)")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{hub::ClientId, protocol::frame::CloseCode};

    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn laggard(name: &str, missed: u64, ending: Option<Ending>) -> Laggard {
        let name = name.try_into().unwrap();
        let id = ClientId::from_bits(0);
        Laggard { id, name, ending, missed, behind_messages: 7, behind_bytes: 2_048, silent_ms: 3_999 }
    }

    fn names(laggards: &Laggards) -> Vec<&str> {
        laggards.0.iter().map(|(_, laggard)| laggard.name.as_str()).collect()
    }

    #[test]
    fn the_worst_three_are_kept_and_those_that_were_ended_for_it_come_first() {
        let mut laggards = Laggards::default();
        let ended = Some(Ending::By(CloseCode::NotReadable, ""));
        let rows = [("b", 2, None), ("d", 4, None), ("c", 3, None), ("a", 1, None), ("x", 0, ended)];
        for (name, missed, ending) in rows {
            laggards.note(ADDRESS, laggard(name, missed, ending));
        }
        assert_eq!(names(&laggards), ["x", "d", "c"]);
        laggards.note(ADDRESS, laggard("late", 3, None));
        assert_eq!(names(&laggards), ["x", "d", "c"], "the first to come stays");
    }

    #[test]
    fn each_is_shown_with_its_lag_and_its_name_is_quoted() {
        let mut laggards = Laggards::default();
        assert_eq!(laggards.to_string(), "");
        laggards.note(ADDRESS, laggard("a\"; b", 5, None));
        laggards.note(ADDRESS, laggard("c", 4, Some(Ending::Lost)));
        laggards.note(ADDRESS, laggard("d", 0, Some(Ending::By(CloseCode::NoSignOfLife, ""))));
        let rest = "7 behind, 2.0 KiB waiting, heard 3 s ago)";
        assert_eq!(
            laggards.to_string(),
            format!(
                "; slowest: \"d\" at 192.0.2.1 (ended with 4003, 0 dropped, {rest}, \
                \"a\\\"; b\" at 192.0.2.1 (5 dropped, {rest}, \"c\" at 192.0.2.1 (gone, 4 dropped, {rest}"
            )
        );
    }
}
