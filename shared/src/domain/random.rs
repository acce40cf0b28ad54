//! Randomness as a parameter: the one place that asks the machine for it.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// The source of randomness failed. Nothing may be issued without it, so every caller refuses.
#[derive(Debug, Clone, Copy)]
pub struct RandomnessUnavailable;

/// The source of random bytes. A trait so that tests can repeat a draw.
pub trait Random: Send + Sync {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// If the source fails; `bytes` must then not be used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable>;
}

/// The operating system's generator, through the cryptographic library.
#[derive(Debug)]
pub struct SystemRandomness(SystemRandom);

impl SystemRandomness {
    /// A handle on the system's generator; draws nothing yet.
    #[expect(clippy::new_without_default, reason = "a default source of randomness would be one that nobody chose")]
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Random for SystemRandomness {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
        self.0.fill(bytes).map_err(|_| RandomnessUnavailable)
    }
}

/// `N` random bytes.
///
/// # Errors
/// If the source of randomness fails.
pub fn draw<const N: usize>(random: &dyn Random) -> Result<[u8; N], RandomnessUnavailable> {
    let mut bytes = [0; N];
    random.fill(&mut bytes)?;
    Ok(bytes)
}
