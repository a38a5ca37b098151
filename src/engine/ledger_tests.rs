//! Tests that money is kept in millionths, and told in hundredths as before, and how reservations are named.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::*;
use crate::clock::Clock as _;
use crate::clock::manual::ManualClock;
use crate::storage::Upkeep as _;
use crate::storage::redb::Store;

const WINDOW: &str = "month 2026-11-01T00:00:00";

fn resets() -> Resets {
    Resets {
        day: 1,
        time: jiff::civil::time(0, 0, 0, 0),
        zone: TimeZone::UTC,
    }
}

fn budget() -> Budget {
    Budget {
        product: Some("reverse-whois".to_owned()),
        limit: 2000,
        unit: BudgetUnit::Cents,
        currency: Some("USD".to_owned()),
        window: BudgetWindow::Month,
        max_price: None,
        label: "20/month USD of reverse-whois".to_owned(),
    }
}

fn account() -> Account {
    Account {
        tenant: "soc".to_owned(),
        provider: "domaintools".to_owned(),
        account: "team".to_owned(),
    }
}

fn spend() -> Spend {
    Spend {
        client: "analyst".to_owned(),
        token: String::new(),
        claims: Default::default(),
        tenant: "soc".to_owned(),
        face: "maltego".to_owned(),
        operation: "reverse-whois".to_owned(),
        question: "whois-reverse example".to_owned(),
        request_id: "1".to_owned(),
    }
}

fn cents(cents: i64) -> Cost {
    Cost {
        calls: 1,
        records: 0,
        cents,
    }
}

/// Asks for a purchase.
async fn reserve(ledger: &Ledger, cost: Cost) -> Result<Reservation, Refusal> {
    let (account, budgets, resets) = (account(), [budget()], resets());
    let charge = ChargeRequest {
        account: &account,
        accounts: vec![ChargedAccount {
            account: &account,
            budgets: &budgets,
            vendor: VendorUsage::default(),
        }],
        resets: &resets,
        reserve: 0,
        product: "reverse-whois",
        cost,
        currency: Name::new("USD"),
        priority: Priority::Interactive,
    };
    let checked = ledger.check(&charge);
    let reserved = ledger.reserve(&charge, &spend()).await;
    assert_eq!(
        checked.err(),
        reserved.as_ref().err().cloned(),
        "both say the same"
    );
    reserved
}

async fn open(folder: &std::path::Path) -> (Ledger, Arc<Store>, ManualClock) {
    let clock = ManualClock::new("2026-11-21T12:00:00Z".parse().unwrap());
    let store = Arc::new(Store::open(folder, 1 << 20).unwrap());
    let time = KnownTime::open(
        Arc::clone(&store) as _,
        Arc::new(clock.clone()),
        Duration::from_secs(3600),
    );
    (Ledger::new(Arc::clone(&store) as _, time.await), store, clock)
}

#[tokio::test]
async fn money_is_kept_in_millionths_and_told_in_hundredths() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, store, _) = open(folder.path()).await;
    let key = |unit: &str| format!("soc|domaintools|team|reverse-whois|{unit}|{WINDOW}");
    let left = || {
        let (account, budget) = (account(), budget());
        ledger.money_left([(&account, &budget)].into_iter(), &resets(), "reverse-whois")
    };
    let reservation = reserve(&ledger, cents(1800)).await.unwrap();
    assert_eq!(store.spent(&key("micros")), 18_000_000);
    assert_eq!(store.spent(&key("calls")), 1, "calls are counted as they are");
    assert_eq!(ledger.used(&account(), &resets(), &budget()), 1800);
    assert_eq!(left(), Some(200));
    let refused = reserve(&ledger, cents(201)).await.unwrap_err();
    let Refusal::Exhausted { used, .. } = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(used, 1800);
    ledger.settle(reservation, cents(500), "good");
    store.settled().await;
    assert_eq!(store.spent(&key("micros")), 5_000_000);
    assert_eq!(left(), Some(1500));
    // All of what is left, to the last hundredth.
    drop(reserve(&ledger, cents(1500)).await.unwrap());
    let rows = ledger.usage().into_iter();
    let rows = rows.filter(|row| row.product == "reverse-whois" && row.window == WINDOW);
    let rows: Vec<_> = rows.map(|row| (row.unit, row.used)).collect();
    assert_eq!(rows, [("calls".to_owned(), 2), ("cents".to_owned(), 2000)]);
    let audit = store.audit(10).await.unwrap();
    assert_eq!(
        audit[0]["cost"],
        serde_json::json!({"calls": 1, "records": 0, "cents": 500})
    );
}

#[tokio::test]
async fn reservations_are_named_by_the_time_that_spending_goes_by_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, _, clock) = open(folder.path()).await;
    let mut last = Uuid::nil();
    for step in 0..4 {
        let now = clock.now().as_millisecond();
        for _ in 0..100 {
            let id = reserve(&ledger, cents(0)).await.unwrap().id;
            assert!(id > last, "ids of one millisecond are in order, too");
            last = id;
            assert_eq!(id.get_version_num(), 7);
            let (seconds, nanos) = id.get_timestamp().unwrap().to_unix();
            let millis = seconds as i64 * 1000 + i64::from(nanos / 1_000_000);
            assert_eq!(millis, now, "in step {step}");
        }
        clock.advance(Duration::from_millis(1 << (step * 4)));
    }
}
