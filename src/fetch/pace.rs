//! How long a server may take over what.

use std::time::Duration;

/// What a server that is slow, silent or not there is given. The limit of a whole request is the config's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Longest wait for a connection, TLS included.
    pub connect_max: Duration,
    /// Longest silence, before the first byte and between two.
    pub silence_max: Duration,
    /// From when on a body must come fast enough.
    pub grace: Duration,
    /// How fast a body must have come on average by then: a server that drips its bytes would hold its host's turn for
    /// the whole time limit.
    pub bytes_per_second_min: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            connect_max: Duration::from_secs(10),
            silence_max: Duration::from_secs(30),
            grace: Duration::from_secs(10),
            bytes_per_second_min: 100,
        }
    }
}
