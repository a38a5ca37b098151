//! The real process: killed at random points of paid calls, reloaded by SIGHUP, stopped by SIGTERM.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use pivotd::replay::{Fault, Gate, Matcher, Replay};
use pivotd::storage::LedgerStore as _;
use pivotd::storage::redb::Store;

use crate::support::{API_KEY, Entity, USERNAME, fixtures};

struct Process {
    child: Child,
    base: String,
    token: String,
}

fn write_config(folder: &Path, vendor: &str, extra: &str) -> PathBuf {
    let path = folder.join("transforms.toml");
    let key = folder.join("key");
    std::fs::write(&key, API_KEY).unwrap();
    let text = format!(
        r#"
[server]
listen = "127.0.0.1:0"
data = "{data}"
[log]
file = "{log}"
format = "json"
level = "trace"
[providers.domaintools]
base_url = "{vendor}"
username = "{USERNAME}"
api_key = {{ file = "{key}" }}
rate = [{{ limit = "1000000/s", burst = 1000000 }}]
concurrency = 16
{extra}
[[transform]]
name = "domaintools.ip-history"
title = "To historic IP addresses [DomainTools]"
about = "Every address the domain has had."
provider = "domaintools"
capability = "ip-history"
input = ["maltego.Domain"]
set = "Historic infrastructure"
example = "example.com"
[[transform.entity]]
value = "ip"
link = "{{first_seen}}[ to {{last_seen}}]"
"#,
        data = folder.join("data").display(),
        log = folder.join("log").display(),
        key = key.display(),
    );
    private(&key);
    std::fs::write(&path, text).unwrap();
    private(&path);
    path
}

/// Makes a pipe that holds as much as it can, so that a process that writes to it waits for a reader.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let (reader, mut writer) = std::io::pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    for piece in [4096, 1] {
        let bytes = vec![b'x'; piece];
        while writer.write(&bytes).is_ok() {}
    }
    fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

impl Process {
    /// Starts `pivotd serve` and reads where it listens from what it prints.
    fn serve(folder: &Path, config: &Path) -> Self {
        let token_file = folder.join("token");
        let token = "a-token-that-only-this-test-knows-0123456789".to_owned();
        std::fs::write(&token_file, &token).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_pivotd"))
            .args(["serve", "--config"])
            .arg(config)
            .env("PIVOTD_FIRST_TOKEN_FILE", &token_file)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let base = loop {
            let line = lines.next().expect("it says where it serves").unwrap();
            if let Some(base) = line.strip_prefix("pivotd serves on ") {
                break base.to_owned();
            }
        };
        // What else it prints is read to its end, so that it never waits for this test.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, base, token }
    }

    fn client(&self) -> reqwest::Client {
        reqwest::Client::builder().no_proxy().build().unwrap()
    }

    async fn ask(&self, client: &reqwest::Client, name: &str) -> Option<String> {
        let url = format!("{}/run/domaintools.ip-history", self.base);
        let request = client
            .post(url)
            .bearer_auth(&self.token)
            .body(Entity::domain(name).request());
        request.send().await.ok()?.text().await.ok()
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([&format!("-{name}"), &pid])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Calls in this month by the ledger on disk.
fn on_disk(folder: &Path) -> i64 {
    let store = Store::open(&folder.join("data"), 1 << 20).unwrap();
    let rows = store.spent_under("default|domaintools|");
    rows.iter()
        .filter(|(key, _)| key.contains("|*|calls|month"))
        .map(|(_, spent)| spent)
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_never_books_less_than_the_vendor_saw() {
    const CALLS: usize = 200;
    const KILLS: usize = 10;
    let folder = tempfile::tempdir().unwrap();
    let vendor = Replay::start(fixtures("domaintools")).await.unwrap();
    let config = write_config(folder.path(), &vendor.base_url(), "");
    let mut asked = 0;
    let mut killed_in_flight = 0;
    for round in 0..KILLS {
        let process = Process::serve(folder.path(), &config);
        let client = process.client();
        let names: Vec<String> = (0..CALLS / KILLS)
            .map(|n| format!("paid-{round}-{n}.example"))
            .collect();
        asked += names.len();
        let before = vendor.attempts();
        // The point of the kill differs from round to round: after this many attempts were seen.
        let point = before + (round as u64 * 7) % 19 + 1;
        {
            let questions =
                futures_util::future::join_all(names.iter().map(|name| process.ask(&client, name)));
            tokio::select! {
                _ = questions => {}
                () = vendor.wait_for_attempts(point) => {}
            }
        }
        process.signal("KILL");
        drop(process);
        // With the process gone nothing more is sent; what was on its way has been read or cut.
        let seen = i64::try_from(vendor.attempts()).unwrap();
        let booked = on_disk(folder.path());
        assert!(booked >= seen, "round {round}: {booked} booked, {seen} seen");
        let max = seen + i64::try_from(16 * (round + 1)).unwrap();
        assert!(
            booked <= max,
            "round {round}: {booked} booked, {seen} seen, 16 at once"
        );
        killed_in_flight += usize::from(booked > seen);
    }
    assert_eq!(asked, CALLS);
    // Whether a reservation was open at a kill is chance; that the books hold is not.
    let _ = killed_in_flight;
}

/// Asks for a score, and returns the decision's id where the answer arrived whole.
async fn decide(process: &Process, client: &reqwest::Client, name: &str) -> Option<String> {
    let request = client
        .post(format!("{}/v1/enrich", process.base))
        .bearer_auth(&process.token)
        .body(serde_json::json!({"indicator": name}).to_string());
    let answer = request.send().await.ok()?.text().await.ok()?;
    let answer: serde_json::Value = serde_json::from_str(&answer).ok()?;
    answer["decision_id"].as_str().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_while_it_writes_starts_again_and_has_every_decision_it_sent() {
    const ROUNDS: usize = 6;
    let folder = tempfile::tempdir().unwrap();
    let vendor = Replay::start(fixtures("domaintools")).await.unwrap();
    let config = write_config(folder.path(), &vendor.base_url(), "");
    let mut sent: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        let process = Process::serve(folder.path(), &config);
        let client = process.client();
        for id in &sent {
            let url = format!("{}/v1/decisions/{id}", process.base);
            let request = client.get(url).bearer_auth(&process.token);
            assert_eq!(request.send().await.unwrap().status(), 200, "round {round}: {id}");
        }
        let ready = client.get(format!("{}/readyz", process.base)).send().await;
        assert_eq!(ready.unwrap().status(), 200, "round {round}");
        let names: Vec<String> = (0..40).map(|n| format!("decided-{round}-{n}.example")).collect();
        let asked = names.iter().map(|name| decide(&process, &client, name));
        let mut answers = futures_util::stream::FuturesUnordered::from_iter(asked);
        // The point of the kill differs from round to round; the others are being written then.
        for _ in 0..=round * 5 {
            let answer = futures_util::StreamExt::next(&mut answers).await.flatten();
            sent.push(answer.expect("a decision"));
        }
        process.signal("KILL");
        drop(answers);
        drop(process);
    }
    assert!(sent.len() > ROUNDS, "{} sent", sent.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn hangup_reloads_a_good_file_and_keeps_the_old_one_where_the_new_is_bad() {
    let folder = tempfile::tempdir().unwrap();
    let vendor = Replay::start(fixtures("domaintools")).await.unwrap();
    let config = write_config(folder.path(), &vendor.base_url(), "");
    let process = Process::serve(folder.path(), &config);
    let client = process.client();
    let log = folder.path().join("log");
    std::fs::write(&config, "[server]\nlisten = 7\n").unwrap();
    process.signal("HUP");
    wait_for_line(&log, "the old one goes on");
    assert!(
        std::fs::read_to_string(&log)
            .unwrap()
            .contains("transforms.toml:2"),
        "it says where"
    );
    assert!(
        process
            .ask(&client, "example.com")
            .await
            .unwrap()
            .contains("<Entity ")
    );
    let path = write_config(folder.path(), &vendor.base_url(), "budget = [\"1/day\"]");
    assert_eq!(path, config);
    process.signal("HUP");
    wait_for_line(&log, "the configuration was reloaded");
    let answer = process.ask(&client, "example.org").await.unwrap();
    assert!(answer.contains("used up"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_entries_of_a_list_are_logged_at_a_reload_and_stop_no_server() {
    let folder = tempfile::tempdir().unwrap();
    let vendor = Replay::start(fixtures("domaintools")).await.unwrap();
    let config = write_config(folder.path(), &vendor.base_url(), "");
    let process = Process::serve(folder.path(), &config);
    let client = process.client();
    let log = folder.path().join("log");
    let list = folder.path().join("popular.txt");
    let mut entries: String = (0..99).map(|at| format!("name{at}.example\n")).collect();
    entries.push_str("marketingplatform.google....\n");
    std::fs::write(&list, entries).unwrap();
    let mut text = std::fs::read_to_string(&config).unwrap();
    text.push_str(&format!("[lists]\npopular = [\"{}\"]\n", list.display()));
    std::fs::write(&config, text).unwrap();
    process.signal("HUP");
    wait_for_line(&log, "1 odd entry is skipped: line 100");
    wait_for_line(&log, "the configuration was reloaded");
    let answer = process.ask(&client, "example.com").await.unwrap();
    assert!(answer.contains("<Entity "), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_goes_away_is_told_at_the_reload() {
    let folder = tempfile::tempdir().unwrap();
    let vendor = Replay::start(fixtures("domaintools")).await.unwrap();
    let config = write_config(folder.path(), &vendor.base_url(), "");
    let process = Process::serve(folder.path(), &config);
    let log = folder.path().join("log");
    std::fs::remove_file(folder.path().join("key")).unwrap();
    process.signal("HUP");
    wait_for_line(&log, "the configuration was reloaded");
    let logged = std::fs::read_to_string(&log).unwrap();
    let told = logged.lines().find(|line| line.contains("/key cannot be read"));
    assert!(
        told.is_some_and(|line| line.contains("\"level\":\"WARN\"")),
        "{logged}"
    );
    let ready = process.client().get(format!("{}/readyz", process.base)).send();
    let ready = ready.await.unwrap().text().await.unwrap();
    assert!(ready.contains("without domaintools"), "{ready}");
}

/// Waits until the log has a line with `part`: the log is a file, so its growth is looked at again and again.
fn wait_for_line(log: &Path, part: &str) {
    let mut file = loop {
        if let Ok(file) = std::fs::File::open(log) {
            break file;
        }
        std::thread::yield_now();
    };
    let mut text = String::new();
    while !text.contains(part) {
        file.read_to_string(&mut text).unwrap();
        std::thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn terminate_finishes_what_is_in_flight() {
    let folder = tempfile::tempdir().unwrap();
    let vendor = Replay::start(fixtures("domaintools")).await.unwrap();
    let config = write_config(folder.path(), &vendor.base_url(), "auth = \"open-key\"");
    let mut process = Process::serve(folder.path(), &config);
    let client = process.client();
    let gate = Gate::new();
    vendor.inject(Matcher::any(), Fault::Hold(gate.clone()), None);
    let stop = async {
        // The account call of the start and the question, in whichever order.
        vendor.wait_for_attempts(2).await;
        process.signal("TERM");
        gate.release();
    };
    let (answer, ()) = tokio::join!(process.ask(&client, "example.com"), stop);
    assert!(answer.unwrap().contains("<Entity "));
    assert!(process.child.wait().unwrap().success());
    let text = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(
        vendor
            .seen()
            .iter()
            .any(|request| format!("{request:?}").contains(API_KEY)),
        "the key went out in a path"
    );
    assert!(
        text.contains("\"TRACE\"") || text.contains("\"DEBUG\""),
        "the log is at its loudest"
    );
    assert!(!text.contains(API_KEY) && !text.contains(&process.token));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standard_error_that_nobody_reads_holds_up_neither_start_nor_end() {
    for format in ["text", "json"] {
        let folder = tempfile::tempdir().unwrap();
        let vendor = Replay::start(fixtures("domaintools")).await.unwrap();
        let config = write_config(folder.path(), &vendor.base_url(), "");
        let text = std::fs::read_to_string(&config).unwrap();
        let to_stderr = text.lines().filter(|line| !line.starts_with("file = "));
        let to_stderr: String = to_stderr.map(|line| format!("{line}\n")).collect();
        let to_stderr = to_stderr.replace("format = \"json\"", &format!("format = {format:?}"));
        std::fs::write(&config, to_stderr).unwrap();
        let (reader, writer) = full_pipe();
        let mut child = Command::new(env!("CARGO_BIN_EXE_pivotd"))
            .args(["serve", "--config"])
            .arg(&config)
            .stderr(writer)
            .spawn()
            .unwrap();
        let socket = folder.path().join("data/control.sock");
        while UnixStream::connect(&socket).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "it starts");
            tokio::task::yield_now().await;
        }
        let killed = Command::new("kill").arg(child.id().to_string()).status();
        assert!(killed.unwrap().success());
        assert!(child.wait().unwrap().success(), "{format}");
        drop(reader);
    }
}
