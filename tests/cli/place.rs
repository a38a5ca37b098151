//! Sets the scene: data directories, replayed vendors, servers as child processes.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use pivotd::providers::Providers;
use pivotd::replay::demo::{API_KEY, DemoVendors, USERNAME};
use serde_json::Value;

/// Holds a data directory and replayed vendors that a configured pivotd reaches.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) vendors: DemoVendors,
}

impl Place {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let vendors = runtime
            .block_on(DemoVendors::start(&Providers::built_in()))
            .unwrap();
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
            runtime,
            vendors,
        };
        // As a server leaves it: commands make none.
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(place.data())
            .unwrap();
        place
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.data().join("control.sock")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let base_url = self.vendors.vendor("domaintools").unwrap().base_url();
        let mut command = bare(arguments);
        command
            .current_dir(self.folder.path())
            .env("PIVOTD__SERVER__LISTEN", "127.0.0.1:0")
            .env("PIVOTD__SERVER__DATA", self.data())
            .env("PIVOTD__PROVIDERS__DOMAINTOOLS__BASE_URL", base_url)
            .env("DOMAINTOOLS_USERNAME", USERNAME)
            .env("DOMAINTOOLS_API_KEY", API_KEY);
        for provider in &Providers::built_in() {
            let name = &provider.descriptor().name;
            if name != "domaintools" {
                // Nobody plays it here, and the real one is never asked.
                command.env(
                    format!("PIVOTD__PROVIDERS__{}__ENABLED", name.to_uppercase()),
                    "false",
                );
            }
        }
        command
    }

    /// Runs a command that must end well; returns its standard output.
    pub(crate) fn good(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that must end with code 1; returns its standard error.
    pub(crate) fn bad(&self, arguments: &[&str]) -> String {
        fails(self.command(arguments).output().unwrap(), 1)
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.good(arguments)).unwrap()
    }

    /// Questions that the vendor saw; what a server asks of its account at start is none.
    pub(crate) fn vendor_calls(&self) -> u64 {
        let seen = self.vendors.vendor("domaintools").unwrap().seen();
        seen.iter()
            .filter(|request| request.path != "/v1/account")
            .count() as u64
    }

    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    pub(crate) fn serve_with(&self, arguments: &[&str]) -> Server {
        let mut command = self.command(&["serve"]);
        command.args(arguments);
        self.spawn(command)
    }

    /// Starts a server and waits until it serves.
    #[expect(clippy::unused_self, reason = "what a place holds must outlive the server")]
    pub(crate) fn spawn(&self, mut command: Command) -> Server {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let url = lines
            .find_map(|line| Some(line.split_once("serves on ")?.1.to_owned()))
            .unwrap();
        // Read on, so that the server is never held up by a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Server { child, url }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _guard = self.runtime.enter();
    }
}

/// Is a running server; it ends with the test.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) url: String,
}

impl Server {
    /// Ends it as an administrator does, and waits.
    pub(crate) fn stop(mut self) {
        let killed = Command::new("kill")
            .arg(self.child.id().to_string())
            .status()
            .unwrap();
        assert!(killed.success());
        assert!(self.child.wait().unwrap().success());
    }

    /// Ends it as a crash does.
    pub(crate) fn crash(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs commands on the demo in a folder of their own.
pub(crate) struct Desk {
    pub(crate) folder: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn command(&self, line: &str) -> std::process::Output {
        let arguments: Vec<&str> = line.split('|').collect();
        bare(&arguments).current_dir(self.folder.path()).output().unwrap()
    }

    /// Runs a command, its arguments parted by `|`, that must end well.
    pub(crate) fn good(&self, line: &str) -> String {
        let output = self.command(line);
        assert_eq!(output.status.code(), Some(0), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn bad(&self, line: &str) -> String {
        fails(self.command(line), 1)
    }

    pub(crate) fn json(&self, line: &str) -> serde_json::Value {
        serde_json::from_str(&self.good(line)).unwrap()
    }
}

pub(crate) fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pivotd"));
    command
        .args(arguments)
        .env_remove("PIVOTD_CONFIG")
        .env("COLUMNS", "100")
        .stdin(Stdio::null());
    command
}

pub(crate) fn fails(output: Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Runs a test alone, and again beside a running server.
pub(crate) fn both_ways(test: impl Fn(&Place)) {
    let alone = Place::new();
    test(&alone);
    assert!(!alone.socket().exists());
    let served = Place::new();
    let server = served.serve();
    test(&served);
    assert!(served.socket().exists());
    server.stop();
    assert!(!served.socket().exists(), "the socket goes with the server");
}
