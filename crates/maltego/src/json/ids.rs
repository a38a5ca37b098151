//! Ids of what a run finds.

/// Makes ids of entities and links: 64 bits to the base 36, from a number that is drawn for the run. No two are equal.
#[derive(Debug, Clone)]
pub struct Ids(u64);

impl Ids {
    /// Begins at a number that is drawn.
    #[must_use]
    pub fn new(drawn: u64) -> Self {
        Self(drawn)
    }

    /// Makes the next id.
    pub fn make(&mut self) -> String {
        // The mixing of SplitMix64, by which each number gives another one.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let mut digits = Vec::with_capacity(13);
        loop {
            let digit = u32::try_from(mixed % 36).unwrap_or(0);
            digits.push(char::from_digit(digit, 36).unwrap_or('0'));
            mixed /= 36;
            if mixed == 0 {
                break;
            }
        }
        digits.iter().rev().collect()
    }
}
