//! Runs a provider's step machine: makes the calls of each step and goes on with their replies.

use futures_util::future::join_all;

use super::call::CallExecutor;
use crate::domain::{Answer, Denial, Failure, FailureKind};
use crate::providers::{Offer, ProductId, ProviderError, Step};

impl CallExecutor {
    /// Turns a machine's error into what the callers are told.
    pub(super) fn provider_failure(&self, product: &str, error: ProviderError) -> Failure {
        let name = &self.call.runtime.settings.name;
        match error {
            ProviderError::Failed(failure) => failure,
            ProviderError::Unsupported(message) => {
                Failure::new(FailureKind::Refused, name, message).of(product)
            }
            ProviderError::Malformed(message) => {
                Failure::new(FailureKind::Malformed, name, message).of(product)
            }
            ProviderError::TooExpensive { message } => {
                Failure::new(FailureKind::Denied(Denial::Price), name, message).of(product)
            }
        }
    }

    /// Runs the provider's step machine to its end.
    pub(super) async fn run(
        &self,
        start: Step,
        offer: &Offer,
        product: &ProductId,
    ) -> Result<Vec<Answer>, Failure> {
        let malformed = |message: String| self.provider_failure(product, ProviderError::Malformed(message));
        let mut made = 0;
        let mut step = start;
        loop {
            match step {
                Step::Done(answers) if answers.is_empty() => {
                    return Err(malformed("the look-up ended without an answer".to_owned()));
                }
                Step::Done(answers) => return Ok(answers),
                Step::Calls { calls, then } => {
                    made += calls.len();
                    if made > offer.max_calls || calls.is_empty() {
                        return Err(malformed(format!(
                            "the look-up needs more than {} calls",
                            offer.max_calls
                        )));
                    }
                    let replies = join_all(calls.iter().map(|call| self.make(call))).await;
                    step = then(replies).map_err(|error| self.provider_failure(product, error))?;
                }
            }
        }
    }
}
