//! Reads large requests and writes large answers beside the workers: as many at once as there are cores, and no more waiting
//! than that where nothing is lost by asking again.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::web;
use tokio::sync::Semaphore;

/// Says why work was not done.
#[derive(Debug)]
pub enum RenderingError {
    /// Others wait already.
    Busy,
    /// It failed.
    Failed(String),
}

/// Bounds how much large work is done at once.
#[derive(Debug)]
pub struct Rendering {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    max: usize,
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
    fn of(max: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(max)),
            waiting: AtomicUsize::new(0),
            max,
        }
    }

    /// Does work in its turn. One that may be refused is, where as many wait as work. Work that has begun keeps its place to its
    /// end, also where no request waits for it any more.
    ///
    /// # Errors
    /// [`RenderingError`] where it is refused, or panics.
    pub async fn write<T: Send + 'static>(
        &self,
        may_be_refused: bool,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, RenderingError> {
        let place = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => {
                let before = self.waiting.fetch_add(1, Ordering::AcqRel);
                let _waiting = Waiting(&self.waiting);
                if may_be_refused && before >= self.max {
                    return Err(RenderingError::Busy);
                }
                let acquired = Arc::clone(&self.places).acquire_owned().await;
                acquired.map_err(|error| RenderingError::Failed(error.to_string()))?
            }
        };
        let done = web::block(move || {
            let _place = place;
            work()
        })
        .await;
        done.map_err(|error| RenderingError::Failed(error.to_string()))
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
        assert!(matches!(
            rendering.write(true, || 3).await,
            Err(RenderingError::Busy)
        ));
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
        assert!(matches!(failed, Err(RenderingError::Failed(_))));
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

    #[actix_web::test]
    async fn work_that_nobody_waits_for_keeps_its_place_to_its_end() {
        let rendering = Rendering::of(1);
        let (finish, finished) = mpsc::channel::<()>();
        let mut left = Box::pin(rendering.write(false, move || finished.recv().is_ok()));
        assert!(left.as_mut().now_or_never().is_none());
        drop(left);
        let mut next = Box::pin(rendering.write(false, || 2));
        assert!(next.as_mut().now_or_never().is_none());
        assert_eq!(rendering.places.available_permits(), 0);
        finish.send(()).unwrap();
        assert_eq!(next.await.unwrap(), 2);
    }
}
