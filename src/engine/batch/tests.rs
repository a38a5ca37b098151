//! Tests who goes together, and that nobody is left behind.

use std::sync::atomic::AtomicBool;

use super::*;
use crate::domain::Indicator;

/// Is somebody who waits until a second, and may leave.
#[derive(Default)]
struct Somebody {
    until: u64,
    left: AtomicBool,
    given_up: AtomicBool,
}

impl Somebody {
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

impl Passengers for Somebody {
    fn deadline(&self) -> Duration {
        Duration::from_secs(self.until)
    }

    fn abandoned(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }

    fn gone(&self) -> bool {
        self.given_up.fetch_or(self.abandoned(), Ordering::Relaxed);
        self.abandoned()
    }

    fn left(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn priority(&self) -> Priority {
        Priority::Batch
    }

    fn hurried(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

fn shape(scope: &str) -> Shape {
    Shape {
        product: "many".into(),
        capability: Capability::Risk,
        kind: IndicatorKind::Domain,
        params: BTreeMap::new(),
        scope: scope.to_owned(),
    }
}

fn member(name: &str, passengers: &Arc<Somebody>) -> (Member, oneshot::Receiver<Told>) {
    let indicator = Indicator::parse(IndicatorKind::Domain, name).unwrap();
    let (told, answer) = oneshot::channel();
    let member = Member {
        query: Query::new(Capability::Risk, indicator),
        spend: Spend {
            client: "soar".to_owned(),
            tenant: "default".to_owned(),
            face: "enrich".to_owned(),
            operation: "/v1/enrich/batch".to_owned(),
            question: format!("risk domain {name}"),
            request_id: String::new(),
        },
        passengers: Arc::<Somebody>::clone(passengers),
        told,
    };
    (member, answer)
}

fn names(members: &[Member]) -> Vec<&str> {
    let names = members.iter().map(|member| member.query.indicator.value());
    names.collect()
}

#[test]
fn a_full_gathering_is_left_to_those_in_it() {
    let gatherings = Gatherings::default();
    let waits = Somebody::until(1);
    let join = |name: &str, scope: &str| gatherings.join(&shape(scope), member(name, &waits).0, 2);
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
    assert_eq!(gatherings.waiting(), 2, "who left does not wait");
    let close = |gathering| {
        let opened = Opened {
            gatherings: &gatherings,
            shape: shape("server/a"),
            gathering,
        };
        opened.close()
    };
    // Closing one that was full leaves its successor open.
    assert_eq!(names(&close(one)), ["one.example", "two.example"]);
    assert!(!join("four.example", "server/a").1);
    assert_eq!(names(&close(three)), ["three.example", "four.example"]);
}

#[test]
fn a_gathering_leaves_without_those_for_whom_nobody_waits() {
    let gatherings = Gatherings::default();
    let (stays, leaves) = (Somebody::until(1), Somebody::until(9));
    let (gathering, _) = gatherings.join(&shape("s"), member("gone.example", &leaves).0, 9);
    gatherings.join(&shape("s"), member("here.example", &stays).0, 9);
    leaves.leave();
    let opened = Opened {
        gatherings: &gatherings,
        shape: shape("s"),
        gathering,
    };
    assert_eq!(names(&opened.close()), ["here.example"]);
}

#[tokio::test]
async fn a_task_that_ends_early_takes_its_gathering_along() {
    let gatherings = Gatherings::default();
    let waits = Somebody::until(1);
    let (first, answer) = member("one.example", &waits);
    let (gathering, _) = gatherings.join(&shape("s"), first, 9);
    drop(Opened {
        gatherings: &gatherings,
        shape: shape("s"),
        gathering,
    });
    assert!(answer.await.is_err(), "it is told at once");
    assert!(gatherings.join(&shape("s"), member("two.example", &waits).0, 9).1);
}

#[test]
fn a_look_up_waits_for_the_last_of_its_members() {
    let (early, late) = (Somebody::until(1), Somebody::until(9));
    let together = Together(vec![
        Arc::<Somebody>::clone(&early),
        Arc::<Somebody>::clone(&late),
    ]);
    assert_eq!(together.deadline(), Duration::from_secs(9));
    early.leave();
    assert!(!together.gone());
    assert!(
        !early.given_up.load(Ordering::Relaxed),
        "its answer comes, so whoever asks again may join"
    );
    late.leave();
    assert!(together.gone());
}
