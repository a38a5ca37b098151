//! What every implementation of the traits does: the same operations, at random, on each of them, against a model; crashes at
//! random points, and at every write of a commit; many callers at once.
//!
//! `subject` holds the implementations, `operations` makes operations, `run` does them on both sides, `model` knows what must be
//! seen. `crowd` lets many callers in at once, `crash` ends the process within a commit.

use proptest::prelude::*;
use tokio::runtime;

mod crash;
mod crowd;
mod model;
mod operations;
mod run;
mod spend;
mod subject;

use operations::operations;
use run::run;
use subject::{Embedded, Nodes};

const ROWS: [&str; 4] = ["soc|a|calls", "soc|a|records", "soc|b|calls", "lab|a|calls"];
const KEYS: [&str; 5] = ["1", "10", "2", "a|b", "ä"];
const META: [&str; 2] = ["latest", "other"];
/// Who spends.
const CLIENTS: [&str; 2] = ["soar", "analyst"];
/// What is leased.
const NAMES: [&str; 2] = ["flight", "sweep"];

fn block_on(future: impl Future<Output = ()>) {
    runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn the_embedded_store_does_what_the_model_says(operations in operations(60)) {
        block_on(run(&mut Embedded::new(1), operations));
    }

    #[test]
    fn two_handles_of_the_embedded_store_do_what_the_model_says(operations in operations(40)) {
        block_on(run(&mut Embedded::new(2), operations));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn memory_does_what_the_model_says(operations in operations(80)) {
        block_on(run(&mut Nodes::new(1), operations));
    }

    #[test]
    fn two_nodes_on_one_memory_do_what_the_model_says(operations in operations(80)) {
        block_on(run(&mut Nodes::new(2), operations));
    }
}
