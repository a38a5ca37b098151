//! Bounds the jobs that wait for the writer.

use std::sync::{Arc, mpsc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::job::Job;
use crate::storage::StoreError;

/// Takes jobs for the writer.
#[derive(Debug)]
pub(super) struct Queue {
    jobs: mpsc::Sender<QueuedJob>,
    room: Arc<Semaphore>,
}

/// Is a job that waits. It takes its place in the queue until the writer has taken it.
pub(super) struct QueuedJob {
    pub(super) job: Job,
    _place: Option<OwnedSemaphorePermit>,
}

impl Queue {
    /// Makes a queue for so many jobs; returns its other end, too.
    pub(super) fn new(max: usize) -> (Self, mpsc::Receiver<QueuedJob>) {
        let (jobs, queue) = mpsc::channel();
        let room = Arc::new(Semaphore::new(max));
        (Self { jobs, room }, queue)
    }

    /// Hands a job over, as soon as there is room. Jobs are taken in the order in which this was called.
    pub(super) async fn hand_over(&self, job: Job) -> Result<(), StoreError> {
        let place = Arc::clone(&self.room).acquire_owned().await;
        self.put(job, Some(place.map_err(|_| StoreError::Closed)?))
    }

    /// Hands a job over at once: one of which there are few by what it belongs to (a settlement to its reservation).
    pub(super) fn push(&self, job: Job) -> Result<(), StoreError> {
        self.put(job, None)
    }

    fn put(&self, job: Job, place: Option<OwnedSemaphorePermit>) -> Result<(), StoreError> {
        let queued = QueuedJob { job, _place: place };
        self.jobs.send(queued).map_err(|_| StoreError::Closed)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::future::pending;
    use tokio::select;

    use super::*;

    fn job() -> Job {
        Job::Mend
    }

    #[tokio::test]
    async fn a_full_queue_lets_jobs_wait_and_takes_those_that_end_others() {
        let (queue, other) = Queue::new(2);
        for _ in 0..2 {
            assert_eq!(queue.hand_over(job()).now_or_never(), Some(Ok(())));
        }
        let mut third = Box::pin(queue.hand_over(job()));
        select! {
            biased;
            _ = &mut third => panic!("there was no room"),
            () = tokio::task::yield_now() => {}
        }
        // What ends a reservation never waits.
        queue.push(job()).unwrap();
        assert_eq!(other.try_iter().count(), 3);
        assert_eq!(third.now_or_never(), Some(Ok(())));
    }

    #[tokio::test]
    async fn jobs_that_wait_are_refused_when_the_writer_ends() {
        let (queue, other) = Queue::new(1);
        queue.hand_over(job()).await.unwrap();
        let waiting = queue.hand_over(job());
        let end = async {
            drop(other);
            pending::<()>().await;
        };
        select! {
            biased;
            refused = waiting => assert_eq!(refused, Err(StoreError::Closed)),
            () = end => {}
        }
    }
}
