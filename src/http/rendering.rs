//! Writes large answers beside the workers: as many at once as there are cores, and no more waiting than that where nothing
//! is lost by asking again.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::web;
use tokio::sync::Semaphore;

/// Says why an answer was not written.
#[derive(Debug)]
pub enum Unwritten {
    /// Others wait already.
    Busy,
    /// What wrote it failed.
    Failed(String),
}

/// Bounds how many large answers are written at once.
#[derive(Debug)]
pub struct Rendering {
    places: Semaphore,
    waiting: AtomicUsize,
    most: usize,
}

impl Default for Rendering {
    fn default() -> Self {
        Self::of(std::thread::available_parallelism().map_or(2, NonZeroUsize::get))
    }
}

/// Counts one that waits for as long as it does.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Rendering {
    fn of(most: usize) -> Self {
        Self {
            places: Semaphore::new(most),
            waiting: AtomicUsize::new(0),
            most,
        }
    }

    /// Does work in its turn. One that may be refused is, where as many wait as work.
    ///
    /// # Errors
    /// [`Unwritten`] where it is refused, or panics.
    pub async fn write<T: Send + 'static>(
        &self,
        may_be_refused: bool,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unwritten> {
        let place = match self.places.try_acquire() {
            Ok(place) => place,
            Err(_) => {
                let before = self.waiting.fetch_add(1, Ordering::AcqRel);
                let _waiting = Waiting(&self.waiting);
                if may_be_refused && before >= self.most {
                    return Err(Unwritten::Busy);
                }
                let acquired = self.places.acquire().await;
                acquired.map_err(|error| Unwritten::Failed(error.to_string()))?
            }
        };
        let done = web::block(work).await;
        drop(place);
        done.map_err(|error| Unwritten::Failed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_util::FutureExt;

    use super::*;

    #[actix_web::test]
    async fn no_more_wait_than_work_and_what_must_be_written_is() {
        let rendering = Rendering::of(1);
        let (finish, finished) = mpsc::channel::<()>();
        let mut first = Box::pin(rendering.write(true, move || finished.recv().is_ok()));
        assert!(first.as_mut().now_or_never().is_none());
        let mut second = Box::pin(rendering.write(true, || 2));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(matches!(rendering.write(true, || 3).await, Err(Unwritten::Busy)));
        let mut bought = Box::pin(rendering.write(false, || 4));
        assert!(bought.as_mut().now_or_never().is_none());
        finish.send(()).unwrap();
        assert!(first.await.unwrap());
        assert_eq!((second.await.unwrap(), bought.await.unwrap()), (2, 4));
        assert_eq!(rendering.write(true, || 5).await.unwrap(), 5);
    }

    #[actix_web::test]
    async fn what_panics_or_is_given_up_leaves_its_place() {
        let rendering = Rendering::of(1);
        let failed = rendering.write(true, || panic!("a test stops here")).await;
        assert!(matches!(failed, Err(Unwritten::Failed(_))));
        let (finish, finished) = mpsc::channel::<()>();
        let mut first = Box::pin(rendering.write(true, move || finished.recv().is_ok()));
        assert!(first.as_mut().now_or_never().is_none());
        let mut given_up = Box::pin(rendering.write(true, || ()));
        assert!(given_up.as_mut().now_or_never().is_none());
        drop(given_up);
        let mut second = Box::pin(rendering.write(true, || 2));
        assert!(second.as_mut().now_or_never().is_none());
        finish.send(()).unwrap();
        assert!(first.await.unwrap());
        assert_eq!(second.await.unwrap(), 2);
    }
}
