//! Tests which questions go together, and that none is left behind.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::*;
use crate::domain::Indicator;
use crate::engine::waiters::{AllWaiters, Priority};

/// Is a caller that waits until a second, and may leave.
#[derive(Default)]
struct Caller {
    until: u64,
    left: AtomicBool,
    given_up: AtomicBool,
}

impl Caller {
    fn until(until: u64) -> Arc<Self> {
        Arc::new(Self {
            until,
            ..Self::default()
        })
    }

    fn leave(&self) {
        self.left.store(true, Ordering::Relaxed);
    }
}

impl Waiters for Caller {
    fn deadline(&self) -> Duration {
        Duration::from_secs(self.until)
    }

    fn is_abandoned(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }

    fn gives_up(&self) -> bool {
        self.given_up.fetch_or(self.is_abandoned(), Ordering::Relaxed);
        self.is_abandoned()
    }

    fn all_gone(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn priority(&self) -> Priority {
        Priority::Batch
    }

    fn became_interactive(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

fn key(scope: &str) -> BatchKey {
    BatchKey {
        product: "many".into(),
        capability: Capability::Risk,
        kind: IndicatorKind::Domain,
        params: BTreeMap::new(),
        scope: scope.into(),
    }
}

fn member(name: &str, waiters: &Arc<Caller>) -> (Member, oneshot::Receiver<Result<Answer, Failure>>) {
    let indicator = Indicator::parse(IndicatorKind::Domain, name).unwrap();
    let (result, answer) = oneshot::channel();
    let member = Member {
        query: Query::new(Capability::Risk, indicator),
        spend: Spend {
            client: "soar".to_owned(),
            token: String::new(),
            claims: Default::default(),
            tenant: "default".to_owned(),
            face: "enrich".to_owned(),
            operation: "/v1/enrich/batch".to_owned(),
            question: format!("risk domain {name}"),
            request_id: String::new(),
        },
        waiters: Arc::<Caller>::clone(waiters),
        result,
    };
    (member, answer)
}

fn names(members: &[Member]) -> Vec<&str> {
    let names = members.iter().map(|member| member.query.indicator.value());
    names.collect()
}

#[test]
fn a_full_batch_is_left_to_those_in_it() {
    let queue = BatchQueue::default();
    let waits = Caller::until(1);
    let join = |name: &str, scope: &str| queue.join(&key(scope), member(name, &waits).0, 2);
    let (one, opened) = join("one.example", "server/a");
    assert!(opened);
    let (other, opened) = join("other.example", "server/b");
    assert!(
        opened && !Arc::ptr_eq(&one, &other),
        "another tenant pays for itself"
    );
    let (two, opened) = join("two.example", "server/a");
    assert!(!opened && Arc::ptr_eq(&one, &two));
    let (three, opened) = join("three.example", "server/a");
    assert!(opened && !Arc::ptr_eq(&one, &three), "the first was full");
    assert_eq!(queue.waiting(), 2, "who left does not wait");
    let close = |batch| {
        let opened = OpenBatch {
            queue: &queue,
            key: key("server/a"),
            batch,
        };
        opened.close()
    };
    // Closing one that was full leaves its successor open.
    assert_eq!(names(&close(one)), ["one.example", "two.example"]);
    assert!(!join("four.example", "server/a").1);
    assert_eq!(names(&close(three)), ["three.example", "four.example"]);
}

#[test]
fn a_batch_leaves_without_those_for_whom_nobody_waits() {
    let queue = BatchQueue::default();
    let (stays, leaves) = (Caller::until(1), Caller::until(9));
    let (batch, _) = queue.join(&key("s"), member("gone.example", &leaves).0, 9);
    queue.join(&key("s"), member("here.example", &stays).0, 9);
    leaves.leave();
    let opened = OpenBatch {
        queue: &queue,
        key: key("s"),
        batch,
    };
    assert_eq!(names(&opened.close()), ["here.example"]);
}

#[tokio::test]
async fn a_task_that_ends_early_takes_its_batch_along() {
    let queue = BatchQueue::default();
    let waits = Caller::until(1);
    let (first, answer) = member("one.example", &waits);
    let (batch, _) = queue.join(&key("s"), first, 9);
    drop(OpenBatch {
        queue: &queue,
        key: key("s"),
        batch,
    });
    assert!(answer.await.is_err(), "it is told at once");
    assert!(queue.join(&key("s"), member("two.example", &waits).0, 9).1);
}

#[test]
fn a_look_up_waits_for_the_last_of_its_members() {
    let (early, late) = (Caller::until(1), Caller::until(9));
    let together = AllWaiters(vec![Arc::<Caller>::clone(&early), Arc::<Caller>::clone(&late)]);
    assert_eq!(together.deadline(), Duration::from_secs(9));
    early.leave();
    assert!(!together.gives_up());
    assert!(
        !early.given_up.load(Ordering::Relaxed),
        "its answer comes, so whoever asks again may join"
    );
    late.leave();
    assert!(together.gives_up());
}
