//! Tests that a jump of the clock is believed when it lasts, and not before.

use super::*;
use crate::clock::manual::ManualClock;
use crate::storage::redb::Store;

const HOUR: Duration = Duration::from_secs(3600);

fn day(text: &str) -> Timestamp {
    format!("{text}T12:00:00Z").parse().unwrap()
}

const fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

/// Is a server at work: its time, and the clock that the test moves.
struct Server {
    time: Arc<KnownTime>,
    clock: ManualClock,
}

impl Server {
    async fn start(folder: &std::path::Path, at: Timestamp) -> Self {
        let clock = ManualClock::new(at);
        let store = Arc::new(Store::open(folder, 1 << 20).unwrap());
        let time = KnownTime::open(store, Arc::new(clock.clone()), HOUR).await;
        Self { time, clock }
    }

    fn doubts(&self) -> bool {
        self.time.look().believed_at.is_some()
    }

    /// Stops as a server does that spent something: with its time on disk.
    async fn stop(self) {
        self.time.keep();
        self.time.store.close().await;
    }
}

#[tokio::test]
async fn a_jump_while_running_is_believed_when_it_has_lasted() {
    for jump in [days(500), days(-500), days(2), days(-2)] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), day("2026-11-21")).await;
        assert!(!server.doubts());
        server.clock.shift_wall(jump);
        let moment = server.time.look();
        assert_eq!(moment.known, day("2026-11-21"), "{jump}");
        assert_eq!(moment.times().count(), 2, "{jump}");
        server.clock.advance(HOUR / 2);
        let moment = server.time.look();
        assert_eq!(moment.known, after(day("2026-11-21"), HOUR / 2), "{jump}");
        assert_eq!(
            moment.believed_at,
            Some(after(moment.reading, HOUR / 2)),
            "{jump}"
        );
        server.clock.advance(HOUR / 2);
        let moment = server.time.look();
        assert_eq!(
            (moment.believed_at, moment.known),
            (None, moment.reading),
            "{jump}"
        );
    }
}

#[tokio::test]
async fn a_jump_that_ends_leaves_nothing_behind() {
    for jump in [days(500), days(-500)] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), day("2026-11-21")).await;
        server.clock.shift_wall(jump);
        assert!(server.doubts());
        server.clock.shift_wall(-jump);
        assert!(!server.doubts());
        // The next jump has to last anew.
        server.clock.advance(HOUR);
        server.clock.shift_wall(jump);
        assert!(server.doubts());
        assert_eq!(server.time.now(), after(day("2026-11-21"), HOUR));
    }
}

#[tokio::test]
async fn a_clock_that_jumps_again_and_again_is_never_believed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), day("2026-11-21")).await;
    for _ in 0..8 {
        server.clock.shift_wall(days(30));
        assert!(server.doubts());
        server.clock.advance(HOUR / 2);
        assert!(server.doubts());
    }
    assert_eq!(server.time.now(), after(day("2026-11-21"), HOUR * 4));
}

#[tokio::test]
async fn a_start_with_a_wrong_clock_changes_nothing_for_the_next() {
    for wrong in ["2028-04-04", "2025-01-01"] {
        let folder = tempfile::tempdir().unwrap();
        Server::start(folder.path(), day("2026-11-21")).await.stop().await;
        let server = Server::start(folder.path(), day(wrong)).await;
        assert!(server.doubts(), "{wrong}");
        assert_eq!(server.time.now(), day("2026-11-21"), "{wrong}");
        server.stop().await;
        let server = Server::start(folder.path(), after(day("2026-11-21"), HOUR)).await;
        assert!(!server.doubts(), "{wrong}");
        assert_eq!(server.time.now(), after(day("2026-11-21"), HOUR), "{wrong}");
        server.stop().await;
    }
}

#[tokio::test]
async fn a_pause_of_a_week_is_believed_by_commands_that_run_for_a_moment_each() {
    let folder = tempfile::tempdir().unwrap();
    Server::start(folder.path(), day("2026-11-21")).await.stop().await;
    let first = Server::start(folder.path(), day("2026-11-28")).await;
    assert!(first.doubts());
    first.stop().await;
    let soon = Server::start(folder.path(), after(day("2026-11-28"), HOUR / 2)).await;
    assert!(soon.doubts());
    soon.stop().await;
    let later = Server::start(folder.path(), after(day("2026-11-28"), HOUR)).await;
    assert!(!later.doubts());
    assert_eq!(later.time.now(), after(day("2026-11-28"), HOUR));
    later.stop().await;
}

#[tokio::test]
async fn an_operator_confirms_a_jump() {
    let folder = tempfile::tempdir().unwrap();
    Server::start(folder.path(), day("2026-11-21")).await.stop().await;
    let server = Server::start(folder.path(), day("2026-11-28")).await;
    assert!(server.doubts());
    let view = server.time.confirm();
    assert_eq!((view.known, view.believed_at), (day("2026-11-28"), None));
    server.stop().await;
    let server = Server::start(folder.path(), day("2026-11-28")).await;
    assert!(!server.doubts());
    server.stop().await;
}

#[tokio::test]
async fn a_store_that_knows_no_time_believes_the_clock_and_a_small_step_back_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), day("2026-11-21")).await;
    assert_eq!(server.time.now(), day("2026-11-21"));
    server.clock.shift_wall(SignedDuration::from_hours(-20));
    assert_eq!(server.time.now(), day("2026-11-21"));
    assert!(!server.doubts());
    // Small steps do not add up to a jump that is not noticed.
    server.clock.shift_wall(SignedDuration::from_hours(-20));
    assert!(server.doubts());
}
