//! Tests of runs.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::run::PromptOutcome;
use super::*;
use crate::clock::Clock;
use crate::clock::manual::ManualClock;
use crate::maltego::Entity;
use crate::maltego::json::event::{Event, MessageType, StatusMessage};
use crate::maltego::json::run::{PromptAnswer, State};

fn runs() -> (Runs, ManualClock) {
    let clock = ManualClock::new("2026-11-21T00:00:00Z".parse().unwrap());
    (Runs::new(Arc::new(clock.clone())), clock)
}

fn owner(client: &str) -> Owner {
    Owner {
        client: client.into(),
        bound_to: Some(client.into()),
    }
}

fn create(runs: &Runs, client: &str) -> Result<Arc<Run>, NoRoom> {
    runs.create(Uuid::now_v7(), &"acme.t".into(), owner(client))
}

fn message(text: &str) -> Event<'_> {
    Event::Message(StatusMessage {
        kind: MessageType::Info,
        state: State::Running,
        text,
        progress: 0.5,
    })
}

fn events(run: &Run, pointer: i64, limit: usize) -> Vec<Value> {
    let page: Value = serde_json::from_slice(&run.page(pointer, limit).body).unwrap();
    page["result"]["events"].as_array().unwrap().clone()
}

#[tokio::test]
async fn pages_hold_the_events_from_a_place_on() {
    let (runs, _) = runs();
    let run = create(&runs, "anna").unwrap();
    let texts = ["a", "b", "c", "d"];
    for text in texts {
        assert!(run.add(&message(text)));
    }
    let told = |pointer, limit| -> String {
        let events = events(&run, pointer, limit);
        events
            .iter()
            .map(|event| event["data"]["statusMessage"]["text"].as_str().unwrap())
            .collect()
    };
    for (pointer, limit, expected) in [
        (0, 50, "abcd"),
        (0, 2, "ab"),
        (2, 50, "cd"),
        (4, 50, ""),
        (9, 50, ""),
        (-1, 50, "d"),
        (-9, 3, "abc"),
        (1, 0, ""),
    ] {
        assert_eq!(told(pointer, limit), expected, "{pointer} {limit}");
    }
    assert_eq!((runs.bytes() > 200, run.progress()), (true, 0.5));
    runs.remove(&run.id);
    drop(run);
    assert_eq!(runs.bytes(), 0);
}

#[tokio::test]
async fn the_first_end_counts_and_comes_with_its_words() {
    let (runs, _) = runs();
    let run = create(&runs, "anna").unwrap();
    run.begin();
    assert_eq!(run.state(), State::Running);
    run.time_out("too long");
    run.fail("something else");
    run.end(State::Completed, &[]);
    assert!(!run.add(&message("late")));
    let page = run.page(0, 50);
    assert_eq!(page.state, State::TimedOut);
    let body: Value = serde_json::from_slice(&page.body).unwrap();
    assert_eq!(body["result"]["state"], "FAILED");
    let [last] = body["result"]["events"].as_array().unwrap().as_slice() else {
        panic!("{body}")
    };
    assert_eq!(last["data"]["statusMessage"]["text"], "too long");
    run.canceled_after_all();
    assert_eq!(run.summary().state, State::Canceled);
}

#[tokio::test]
async fn a_run_is_found_by_its_client_and_its_transform() {
    let (runs, _) = runs();
    let run = create(&runs, "anna").unwrap();
    assert!(runs.find(&run.id, "acme.t", Some("anna")).is_some());
    for (transform, client) in [
        ("acme.t", Some("bert")),
        ("acme.t", None),
        ("acme.u", Some("anna")),
    ] {
        assert!(
            runs.find(&run.id, transform, client).is_none(),
            "{transform} {client:?}"
        );
    }
    let unbound = Owner {
        bound_to: None,
        ..owner("anna")
    };
    let open = runs.create(Uuid::now_v7(), &"acme.t".into(), unbound).unwrap();
    assert!(runs.find(&open.id, "acme.t", None).is_some());
}

#[tokio::test]
async fn a_client_with_too_many_loses_those_that_it_read() {
    let (runs, clock) = runs();
    let all: Vec<_> = (0..MOST_OF_CLIENT)
        .map(|_| create(&runs, "anna").unwrap())
        .collect();
    assert_eq!(
        create(&runs, "anna").unwrap_err(),
        NoRoom::OfClient(MOST_OF_CLIENT)
    );
    create(&runs, "bert").unwrap();
    // One that ended and was not read stays; one that was read makes room.
    all[3].add(&message("a"));
    all[3].end(State::Completed, &[]);
    assert!(create(&runs, "anna").is_err());
    clock.advance(Duration::from_millis(1));
    assert!(!events(&all[3], 0, 50).is_empty());
    create(&runs, "anna").unwrap();
    assert!(runs.find(&all[3].id, "acme.t", Some("anna")).is_none());
    runs.remove(&all[0].id);
    create(&runs, "anna").unwrap();
    for _ in runs.len()..MOST_RUNS {
        create(&runs, &format!("client-{}", runs.len())).unwrap();
    }
    assert_eq!(create(&runs, "one more").unwrap_err(), NoRoom::OfAll);
}

#[tokio::test]
async fn a_run_holds_no_more_than_it_may_and_says_so() {
    let (runs, _) = runs();
    let run = create(&runs, "anna").unwrap();
    let mut entity = Entity::new("maltego.Phrase", "x");
    entity.notes = Some("n".repeat(1 << 20));
    let mut held = 0;
    while run.add(&Event::Found("id", &entity)) {
        held += 1;
    }
    assert_eq!(held, 7);
    assert!(run.add(&message("that was all")), "there is room for words");
    assert_eq!(run.summary().added["maltego.Phrase"], held);
}

#[tokio::test]
async fn what_is_forgotten_ends_and_goes() {
    let (runs, clock) = runs();
    let run = create(&runs, "anna").unwrap();
    run.begin();
    let answered = run.ask("p".to_owned());
    let step = |by: Duration| {
        clock.advance(by);
        runs.0.sweep(clock.elapsed())
    };
    assert!(step(IDLE * 2).is_some());
    assert_eq!(run.state(), State::Running, "a user is asked");
    let answer = PromptAnswer {
        is_chosen: true,
        chosen: vec!["buy".to_owned()],
    };
    assert_eq!(
        run.answer("other", answer.clone()),
        PromptOutcome::Taken(State::Running)
    );
    assert_eq!(
        run.answer("p", answer.clone()),
        PromptOutcome::Taken(State::Running)
    );
    assert_eq!(answered.await, Ok(answer.clone()));
    step(IDLE - Duration::from_secs(1));
    assert_eq!(run.state(), State::Running);
    assert_eq!(run.page(0, 50).state, State::Running);
    step(IDLE - Duration::from_secs(1));
    assert_eq!(run.state(), State::Running, "its client asked");
    step(Duration::from_secs(1));
    assert_eq!(run.state(), State::TimedOut);
    assert_eq!(run.answer("p", answer), PromptOutcome::Expired);
    let words = events(&run, 0, 50);
    assert_eq!(words[0]["data"]["statusMessage"]["type"], json!("ERROR"));
    assert_eq!(runs.len(), 1);
    step(IDLE * 2);
    assert!(runs.is_empty());
}

#[tokio::test]
async fn a_client_that_holds_much_takes_no_room_of_others() {
    let (runs, _) = runs();
    let mut entity = Entity::new("maltego.Phrase", "x");
    entity.notes = Some("n".repeat(1 << 20));
    let mut held = Vec::new();
    // Runs that were created while they were small grow no further than their client's share.
    for _ in 0..40 {
        held.push(create(&runs, "anna").unwrap());
    }
    for run in &held {
        while run.add(&Event::Found("id", &entity)) {}
    }
    assert!(runs.bytes() <= memory::MOST_OF_CLIENT, "{}", runs.bytes());
    assert!(
        held[39].add(&message("there is no room")),
        "messages have room beyond"
    );
    while held.iter().any(|run| run.add(&message(&"m".repeat(60_000)))) {}
    assert!(runs.bytes() <= memory::MOST_OF_CLIENT + memory::MOST_OF_CLIENT / 8);
    assert_eq!(create(&runs, "anna").unwrap_err(), NoRoom::BytesOfClient);
    let others = create(&runs, "bert").unwrap();
    assert!(others.add(&Event::Found("id", &entity)));
    // What was read to its end makes room, and gives all of it back.
    held[0].end(State::Completed, &[]);
    while !held[0].is_read() {
        events(&held[0], 0, 1_000_000);
    }
    let before = runs.bytes();
    held.remove(0);
    create(&runs, "anna").unwrap();
    assert!(runs.bytes() < before);
    for run in held.drain(..) {
        runs.remove(&run.id);
    }
    runs.remove(&others.id);
}

#[tokio::test]
async fn a_prompt_that_is_open_keeps_no_other_run_past_its_time() {
    let (runs, clock) = runs();
    let asked = create(&runs, "anna").unwrap();
    asked.begin();
    let _answered = asked.ask("p".to_owned());
    // The task looks, and waits for the time that it knows.
    tokio::task::yield_now().await;
    let other = create(&runs, "bert").unwrap();
    other.begin();
    let mut waited = Duration::ZERO;
    while runs.find(&other.id, "acme.t", Some("bert")).is_some() {
        clock.advance(Duration::from_secs(1));
        waited += Duration::from_secs(1);
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        assert!(waited <= IDLE * 3 + LOOKED_FOR * 2, "{waited:?}");
    }
    assert_eq!(other.state(), State::TimedOut);
    assert_eq!(asked.state(), State::Running, "a user has time to answer");
}

#[tokio::test]
async fn a_client_that_has_nothing_finds_room_whatever_others_hold() {
    let (runs, _) = runs();
    let mut entity = Entity::new("maltego.Phrase", "x");
    entity.notes = Some("n".repeat(64 << 10));
    let mut held: Vec<Arc<Run>> = Vec::new();
    // Each takes as much as it can, one after the other.
    let clients: Vec<String> = (0..8).map(|number| format!("greedy-{number}")).collect();
    let mut shares = Vec::new();
    for client in &clients {
        let before = runs.bytes();
        while let Ok(run) = create(&runs, client) {
            let is_first = held.last().is_none_or(|last| *last.owner.client != **client);
            let mut count = 0;
            while run.add(&Event::Found("id", &entity)) {
                count += 1;
            }
            assert!(count > 0 || !is_first, "{client} has none");
            held.push(run);
        }
        shares.push(runs.bytes() - before);
        assert!(held.iter().any(|run| *run.owner.client == **client), "{client}");
    }
    assert!(runs.bytes() < memory::MOST_OF_ALL, "{}", runs.bytes());
    assert!(shares.iter().all(|share| *share <= memory::MOST_OF_CLIENT));
    assert!(shares.is_sorted_by(|one, other| one >= other), "{shares:?}");
    assert!(shares[3] > 24 << 20 && shares[7] > 1 << 20, "{shares:?}");
    // What one gives back, others can take.
    let before = runs.bytes();
    held.retain(|run| {
        let is_other = *run.owner.client != *clients[0];
        if !is_other {
            runs.remove(&run.id);
        }
        is_other
    });
    assert!(runs.bytes() + memory::MOST_OF_CLIENT / 2 < before);
    let last = held.last().unwrap();
    assert!(last.add(&Event::Found("id", &entity)) || create(&runs, &clients[7]).is_ok());
    for run in held.drain(..) {
        runs.remove(&run.id);
    }
}

#[tokio::test]
async fn clients_with_many_runs_leave_some_to_others() {
    let (runs, _) = runs();
    let mut client = 0;
    while runs.len() + 1 < MOST_RUNS && client < 40 {
        while create(&runs, &format!("greedy-{client}")).is_ok() {}
        client += 1;
    }
    assert!(runs.len() < MOST_RUNS, "{}", runs.len());
    create(&runs, "newcomer").unwrap();
    assert!(matches!(
        create(&runs, "greedy-0").unwrap_err(),
        NoRoom::OfClient(MOST_OF_CLIENT)
    ));
    let states = runs.by_state();
    assert_eq!(states["INITIALIZED"], runs.len());
    assert_eq!((states["RUNNING"], states.len()), (0, 6));
}

#[tokio::test]
async fn an_entity_is_told_with_its_link_or_not_at_all() {
    let (runs, _) = runs();
    let run = create(&runs, "anna").unwrap();
    let mut entity = Entity::new("maltego.Phrase", "x");
    let told = |run: &Run, entity: &Entity| {
        run.add_whole(&[
            Event::Found("id", entity),
            Event::Linked("link", "e0", "id", &entity.link),
        ])
    };
    // Ever smaller ones come to every place at which the room can end.
    for size in [1 << 20, 1 << 14, 1 << 8, 1 << 4, 1] {
        entity.notes = Some("n".repeat(size));
        while told(&run, &entity) {}
    }
    let all = events(&run, 0, usize::MAX);
    let count = |kind: &str| {
        all.iter()
            .filter(|event| event["data"]["inputType"] == kind)
            .count()
    };
    assert!(count("ENTITY") > 8);
    assert_eq!(count("ENTITY"), count("LINK"));
    while run.add(&message(&"m".repeat(100))) {}
    run.end(State::Completed, &[message("the last words have room")]);
    let last = events(&run, -1, 1);
    assert_eq!(
        last[0]["data"]["statusMessage"]["text"],
        "the last words have room"
    );
}
