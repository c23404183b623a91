//! What a failed request tells of the network.

use crate::event::Reach;
use crate::fetch::Failure;

/// Whether the host was reached.
pub(super) fn reach(failure: &Failure) -> Reach {
    match failure {
        Failure::Dns(_) | Failure::Transport(_) | Failure::Unreachable(_) | Failure::Timeout { .. } => {
            Reach::Cut
        }
        Failure::Tls(_) => Reach::Insecure,
        Failure::Status { .. }
        | Failure::Challenge { .. }
        | Failure::TooSlow { .. }
        | Failure::Swollen { .. }
        | Failure::TooLarge { .. }
        | Failure::NotAPage { .. }
        | Failure::Redirect(_)
        | Failure::Robots { .. } => Reach::Answered,
        Failure::NoRobots { .. }
        | Failure::Refused { .. }
        | Failure::Held { .. }
        | Failure::Resting { .. }
        | Failure::Setup(_) => Reach::Untried,
    }
}
