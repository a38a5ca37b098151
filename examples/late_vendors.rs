//! Plays vendors from `fixtures/`, each of which takes its time: `late_vendors dnsdb=500 circl=600` (milliseconds).
//!
//! Prints a line for each, its name and base URL, and serves until it is stopped; used by `benches/compare/run`.

use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use pivotd::replay::{Fault, Matcher, Replay, Vendor};

fn read(argument: &str) -> Option<(&str, Duration)> {
    let (name, millis) = argument.split_once('=')?;
    Some((name, Duration::from_millis(millis.parse().ok()?)))
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut vendors = Vec::new();
    for argument in std::env::args().skip(1) {
        let (name, late) =
            read(&argument).ok_or_else(|| io::Error::other("usage: late_vendors NAME=MILLISECONDS..."))?;
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
        let replay = Replay::start(Vendor::from_path(fixtures).map_err(io::Error::other)?).await?;
        replay.inject(Matcher::any(), Fault::Late(late), None);
        writeln!(io::stdout(), "{name} {}", replay.base_url())?;
        vendors.push(replay);
    }
    tokio::signal::ctrl_c().await
}
