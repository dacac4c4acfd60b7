//! How many files the process may have open; each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// What the database, the clones, the requests to outside and the terminal need at most.
const OTHERS: u64 = 256;

/// Asks the system for as many descriptors as so many connections need, and says how many connections there is room for.
///
/// Most systems start a process with 1 024 and let it have more for the asking.
pub(super) fn make_room(connections: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHERS);
    if current.is_none_or(|current| current >= wanted) {
        return connections;
    }
    let possible = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let had = match setrlimit(Resource::Nofile, Rlimit { current: Some(possible), maximum }) {
        Ok(()) => possible,
        Err(error) => {
            warn!(%error, "the limit on open files can not be raised");
            current.unwrap_or(possible)
        }
    };
    let room = room(had).min(connections);
    if room < connections {
        warn!(
            open_files = had,
            connections = room,
            "the limit on open files allows fewer connections than server.limits.connections"
        );
    }
    room
}

/// How many connections there is room for among so many descriptors; always for some.
fn room(descriptors: u64) -> usize {
    usize::try_from(descriptors.saturating_sub(OTHERS).max(descriptors / 2).max(1)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_connections_beside_the_rest_and_for_half_where_there_is_little() {
        for (descriptors, connections) in [(4_352, 4_096), (1_024, 768), (300, 150), (1, 1), (0, 1)] {
            assert_eq!(room(descriptors), connections, "{descriptors}");
        }
    }
}
