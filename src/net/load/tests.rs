use proptest::prelude::*;

use super::*;

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Is a worker that takes as long for each request as it is told.
struct Worker {
    gate: LoadPolicy,
    now: Duration,
    /// How long it takes to refuse one.
    refusal: Duration,
    taken_unknown: usize,
    /// How long each request took that was taken, from when it came.
    took: Vec<Duration>,
    refused: usize,
    refused_unknown: usize,
}

impl Worker {
    fn new() -> Self {
        Self {
            gate: LoadPolicy::new(ms(250)),
            now: Duration::ZERO,
            refusal: Duration::ZERO,
            taken_unknown: 0,
            took: Vec::new(),
            refused: 0,
            refused_unknown: 0,
        }
    }

    /// Answers requests of known clients that come at these times until all are answered.
    fn answer(&mut self, comes: Vec<Duration>, cost: Duration) {
        self.answer_all(comes.into_iter().map(|came| (came, true)).collect(), cost);
    }

    /// Answers requests that come at these times, of known clients or not.
    fn answer_all(&mut self, mut comes: Vec<(Duration, bool)>, cost: Duration) {
        comes.sort_unstable();
        let mut comes = std::collections::VecDeque::from(comes);
        while let Some((first, _)) = comes.front().copied() {
            self.now = self.now.max(first);
            self.gate.wake(self.now);
            loop {
                // What is there when a turn begins is looked at in it.
                let began = self.now;
                while let Some((came, is_known)) = comes.pop_front_if(|(came, _)| *came <= began) {
                    if self.gate.request(self.now, is_known) {
                        self.now += cost;
                        self.gate.worked(cost);
                        self.took.push(self.now - came);
                        self.taken_unknown += usize::from(!is_known);
                        continue;
                    }
                    self.now += self.refusal;
                    if is_known {
                        self.refused += 1;
                    } else {
                        self.refused_unknown += 1;
                    }
                }
                if !self.gate.turn(self.now) {
                    break;
                }
            }
        }
    }
}

/// Spreads requests evenly over a time.
fn evenly(from: Duration, lasting: Duration, every: Duration) -> Vec<Duration> {
    let count = u32::try_from(lasting.as_nanos() / every.as_nanos()).unwrap();
    (0..count).map(|at| from + every * at).collect()
}

/// Mixes requests of known clients with a thousand a second of others, for twenty seconds.
fn beside_masses(known_every: Duration) -> Vec<(Duration, bool)> {
    let of = |every, is_known| {
        let times = evenly(ms(0), ms(20_000), every);
        times.into_iter().map(move |came| (came, is_known))
    };
    of(known_every, true).chain(of(ms(1), false)).collect()
}

#[test]
fn a_worker_that_keeps_up_refuses_nothing() {
    let mut worker = Worker::new();
    worker.answer(evenly(ms(0), ms(10_000), ms(10)), ms(9));
    assert_eq!(worker.refused, 0);
    // Nor where many come at once now and then.
    for at in 2..20 {
        worker.answer(vec![ms(at * 10_000); 20], ms(9));
    }
    assert_eq!(worker.refused, 0);
}

#[test]
fn beyond_what_it_can_answer_it_refuses_and_the_others_wait_no_longer_than_for_one() {
    let mut worker = Worker::new();
    worker.answer(evenly(ms(0), ms(60_000), ms(1)), ms(10));
    let count = worker.took.len();
    assert!(count > 4_500, "{count} of some 6,000 that it could answer");
    let mut took = worker.took.clone();
    took.sort_unstable();
    let p99 = took[count * 99 / 100];
    assert!(p99 <= ms(20), "{p99:?}");
    assert!(
        took[count - 1] <= ms(600),
        "before it knew: {:?}",
        took[count - 1]
    );
    // Two seconds later it takes what it can answer again.
    let refused = worker.refused;
    let from = worker.now + ms(2_000);
    worker.answer(evenly(worker.now, ms(2_000), ms(20)), ms(10));
    let meanwhile = worker.refused;
    worker.answer(evenly(from.max(worker.now), ms(5_000), ms(20)), ms(10));
    assert_eq!(worker.refused, meanwhile);
    assert!(meanwhile - refused < 30, "{}", meanwhile - refused);
}

#[test]
fn clients_that_wait_for_their_answers_are_all_answered() {
    let mut worker = Worker::new();
    // Sixty at once, and all of them again when the last one has its answer.
    for _ in 0..500 {
        worker.answer(vec![worker.now; 60], ms(1));
    }
    assert_eq!((worker.refused, worker.took.len()), (0, 30_000));
}

#[test]
fn known_clients_are_answered_where_others_come_in_masses() {
    let mut worker = Worker::new();
    worker.answer_all(beside_masses(ms(50)), ms(10));
    assert_eq!(worker.refused, 0);
    assert!(worker.refused_unknown > 15_000, "{}", worker.refused_unknown);
}

#[test]
fn known_clients_are_refused_where_they_alone_are_too_many() {
    let mut worker = Worker::new();
    worker.answer_all(beside_masses(ms(4)), ms(10));
    assert!(worker.refused > 2_000, "{}", worker.refused);
    let mut took = worker.took.clone();
    took.sort_unstable();
    let max = took[took.len() - 1];
    assert!(max <= ms(2_000), "{max:?}");
}

#[test]
fn refusals_cost_known_clients_nothing() {
    // Two clients send two thousand requests ahead, again and again; refusing one takes 20 µs.
    let burst = |at: u64| std::iter::repeat_n((ms(at * 100), false), 4000);
    let mut comes: Vec<(Duration, bool)> = (0..200).flat_map(burst).collect();
    let known = evenly(ms(0), ms(20_000), ms(50));
    comes.extend(known.iter().map(|came| (*came, true)));
    let mut worker = Worker::new();
    worker.refusal = Duration::from_micros(20);
    worker.answer_all(comes, ms(10));
    assert_eq!(worker.refused, 0);
    assert!(worker.refused_unknown > 700_000, "{}", worker.refused_unknown);
}

#[test]
fn known_clients_are_not_refused_for_others_however_many_they_are_themselves() {
    // What is known comes to 56 % of the time and to more than half of the requests.
    let mut comes: Vec<(Duration, bool)> = Vec::new();
    for (every, is_known) in [(18, true), (20, false)] {
        let times = evenly(ms(0), ms(20_000), ms(every));
        comes.extend(times.into_iter().map(|came| (came, is_known)));
    }
    let mut worker = Worker::new();
    worker.answer_all(comes, ms(10));
    assert_eq!(worker.refused, 0);
    assert!(worker.refused_unknown > 0);
}

#[test]
fn known_clients_that_are_too_many_have_most_of_the_time() {
    let mut worker = Worker::new();
    worker.answer_all(beside_masses(ms(5)), ms(10));
    let (all, unknown) = (worker.took.len(), worker.taken_unknown);
    assert!(all > 1_200, "{all}");
    assert!(unknown * 5 < all, "{unknown} of {all}");
}

#[test]
fn few_requests_are_no_overload_however_long_they_wait() {
    let mut worker = Worker::new();
    worker.answer(evenly(ms(0), ms(10_000), ms(200)), ms(190));
    worker.answer(vec![worker.now; 18], ms(150));
    assert_eq!(worker.refused, 0);
}

#[test]
fn the_gate_sleeps_where_nothing_comes() {
    let mut gate = LoadPolicy::new(ms(250));
    assert!(gate.wake(ms(0)));
    assert!(!gate.wake(ms(0)));
    assert!(gate.request(ms(0), true));
    assert!(gate.turn(ms(5)), "what came meanwhile is looked at");
    assert!(!gate.turn(ms(5)));
    assert!(gate.wake(ms(9)));
}

proptest! {
    #[test]
    fn whatever_comes_a_worker_goes_on(gaps in prop::collection::vec(0_u64..40, 1..400), cost in 0_u64..60) {
        let mut at = 0;
        let comes: Vec<Duration> = gaps.iter().map(|gap| { at += gap; ms(at) }).collect();
        let mut worker = Worker::new();
        worker.answer(comes.clone(), ms(cost));
        prop_assert_eq!(worker.took.len() + worker.refused, comes.len());
        prop_assert!(!worker.took.is_empty());
        // However it was, a while later it takes what comes alone.
        let later = worker.now + ms(2_000);
        let refused = worker.refused;
        worker.answer(evenly(later, ms(1_000), ms(500)), ms(cost));
        prop_assert_eq!(worker.refused, refused);
    }
}
