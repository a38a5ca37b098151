//! `pivotd healthcheck`: asks a running server whether it is well; for containers without other tools.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use url::{Host, Url};

use super::serve::load;
use super::{ConfigFile, ExitStatus, block_on, terminal};
use crate::config;
use crate::config::settings::ServerSettings;

/// How long a server that is well takes.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ask a running server whether it is well; for containers.
#[derive(Debug, clap::Args)]
pub(super) struct Healthcheck {
    /// The server; the configured listen address otherwise.
    #[arg(long)]
    url: Option<Url>,
    #[command(flatten)]
    file: ConfigFile,
}

impl Healthcheck {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        let base = match self.url {
            Some(url) => url,
            None => configured(&self.server()?)?,
        };
        block_on(ask(&base))??;
        terminal::print("ready");
        Ok(ExitStatus::Well)
    }
}

impl Healthcheck {
    /// Reads where the server is. A fault elsewhere in the file on disk says nothing of a server that runs.
    fn server(&self) -> anyhow::Result<ServerSettings> {
        let file = self.file.config.as_deref();
        load(file)
            .map(|loaded| loaded.settings.server)
            .or_else(|error| config::server(file, &config::environment()).ok_or(error))
    }
}

/// Returns where this machine reaches the configured server.
fn configured(server: &ServerSettings) -> anyhow::Result<Url> {
    let scheme = if server.tls.is_some() { "https" } else { "http" };
    Ok(Url::parse(&format!("{scheme}://{}/", reachable(server.listen)))?)
}

/// Listening everywhere includes loopback, which is where to ask.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

async fn ask(base: &Url) -> anyhow::Result<()> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        // No host can stand between this machine and itself, and certificates name no loopback address.
        .tls_danger_accept_invalid_certs(is_loopback(base))
        .build()?;
    for path in ["/healthz", "/readyz"] {
        let url = base.join(path)?;
        let hint =
            || format!("{url} does not answer; is the server running, and is this where it listens (--url)?");
        let mut reply = client.get(url.clone()).send().await.with_context(hint)?;
        let status = reply.status();
        let first = reply.chunk().await.ok().flatten().unwrap_or_default();
        let said: String = String::from_utf8_lossy(&first).chars().take(200).collect();
        anyhow::ensure!(
            status.is_success(),
            "{url} says {status}: {}",
            terminal::line(said.trim())
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_asked_on_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("192.0.2.7:8443", "192.0.2.7:8443"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }

    #[test]
    fn certificates_go_unverified_on_loopback_only() {
        for (url, loopback) in [
            ("https://127.0.0.1:1/", true),
            ("https://[::1]/", true),
            ("https://localhost/", true),
            ("https://localhost.example/", false),
            ("https://192.0.2.7/", false),
        ] {
            assert_eq!(is_loopback(&url.parse().unwrap()), loopback, "{url}");
        }
    }
}
