//! Courier: carries loads out of the owner, which never waits for it.

use crate::engine::AttemptId;

use super::load::Load;

/// Carries loads on. Every load ends with signals to the owner: one for the whole, or one for each
/// part.
pub(super) trait Courier: Send + 'static {
    fn start(&mut self, load: Load);

    /// Nobody waits any more for this part.
    fn withdraw(&mut self, attempt: AttemptId, part: usize);

    /// The attempt ended; nothing of it is kept.
    fn ended(&mut self, attempt: AttemptId);

    /// Stops the attempt where it can be stopped.
    fn abort(&mut self, attempt: AttemptId);
}
