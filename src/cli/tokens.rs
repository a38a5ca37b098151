//! `pivotd tokens`: who may ask.

use std::num::NonZeroU32;
use std::time::Duration;

use super::session::{STORE, once};
use super::table::{Column, WIDER, render};
use super::{ConfigFile, ExitStatus, block_on, terminal};
use crate::clock::SystemClock;
use crate::config::values;
use crate::http::admin::tokens::{CreatedToken, ListTokens, RevokeTokens, TokenView};
use crate::tokens::{NewToken, Scope};

/// Make, list and revoke the tokens of clients.
#[derive(Debug, clap::Args)]
pub(super) struct Tokens {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a token; it, or with --maltego the URL that holds it, is printed once, alone on standard output.
    Create {
        /// Who it is for; ledger and log name it.
        name: String,
        /// The tenant, whose stored answers, decisions and feedback are its own; keys and budgets are shared unless the
        /// configuration gives the tenant its own.
        #[arg(long, default_value = "default")]
        tenant: String,
        /// What it may do: transforms, enrich, buy, refresh, feedback, rehearse, delegate, admin; can be repeated [default: transforms enrich].
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<Scope>,
        /// Indicators a minute: each of an alert or a batch counts, and a transform run counts one; no limit otherwise.
        #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = per_minute)]
        rate: Option<NonZeroU32>,
        /// For an analyst with a Maltego client: print the URL to paste into the client, with the token in it. The token may run
        /// transforms, and in the URL nothing else.
        #[arg(long)]
        maltego: bool,
        /// How long it lives, for example 90d; for ever otherwise.
        #[arg(long, value_name = "DURATION", value_parser = lifetime)]
        expires: Option<Duration>,
        #[command(flatten)]
        file: ConfigFile,
    },
    /// List tokens, without the tokens themselves.
    List {
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Revoke the tokens of a name, or the one of an id.
    Revoke {
        /// A name or an id.
        which: String,
        #[command(flatten)]
        file: ConfigFile,
    },
}

/// Reads a number a minute, as a configuration writes it or alone.
fn per_minute(text: &str) -> Result<NonZeroU32, String> {
    let number = text.strip_suffix("/min").unwrap_or(text).trim();
    number.parse().map_err(|_| {
        "expected a whole number of indicators a minute, 1 or more, such as 60 or 60/min".to_owned()
    })
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = values::duration(text)?;
    if lifetime.is_zero() {
        Err("a token that has expired is of no use".to_owned())
    } else {
        Ok(lifetime)
    }
}

impl Tokens {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        match self.command {
            Command::Create {
                name,
                tenant,
                mut scopes,
                rate,
                maltego,
                expires,
                file,
            } => {
                if scopes.is_empty() {
                    scopes = vec![Scope::Transforms];
                    if !maltego {
                        scopes.push(Scope::Enrich);
                    }
                }
                anyhow::ensure!(
                    !maltego || scopes.contains(&Scope::Transforms),
                    "a Maltego client runs transforms, so its token needs the scope `transforms`: add --scope transforms"
                );
                scopes.sort();
                scopes.dedup();
                let new = NewToken {
                    name,
                    tenant,
                    scopes,
                    per_minute: rate,
                    lifetime_s: expires.map(|lifetime| lifetime.as_secs()),
                };
                let made = block_on(once(file.config.as_deref(), &new, STORE))??;
                if maltego {
                    print_url(&made);
                } else {
                    terminal::print(&made.token.0);
                }
                let text = format!(
                    "made token {} for {}; it cannot be shown again",
                    made.record.id, made.record.name
                );
                terminal::note(&text);
            }
            Command::List { file } => {
                let tokens = block_on(once(file.config.as_deref(), &ListTokens, STORE))??;
                if tokens.is_empty() {
                    let create = terminal::command("tokens create NAME", file.config.as_deref());
                    terminal::note(&format!("there is no token yet; `{create}` makes one"));
                } else {
                    terminal::print_lines(&list(&tokens));
                }
            }
            Command::Revoke { which, file } => {
                let revoked = block_on(once(file.config.as_deref(), &RevokeTokens(which), STORE))??;
                for token in revoked {
                    terminal::print(&format!("revoked token {} of {}", token.id, token.name));
                }
            }
        }
        Ok(ExitStatus::Well)
    }
}

/// Prints the URL that an analyst pastes into a Maltego client, and says what to do with it.
fn print_url(made: &CreatedToken) {
    let base_url = made.base_url.as_deref().unwrap_or("https://<what clients call>");
    let below = format!("{base_url}/t/{}", made.token.0);
    terminal::print_lines(&format!("{below}/seed"));
    if made.base_url.is_none() {
        terminal::note(
            "server.public_url is not set, so the URL's beginning is for you to fill in: what clients call this server",
        );
    }
    terminal::note(
        "paste it into the client's Data Hub (formerly Transform Hub): add a transform server of your own, by this URL. Keep it as you \
         would keep a password. The same as a configuration file to import:",
    );
    terminal::note_line(&format!("  curl -o pivotd.mtz '{below}/runner?Command=_CONFIG'"));
}

fn list(tokens: &[TokenView]) -> String {
    let scopes = |token: &TokenView| {
        token
            .scopes
            .iter()
            .map(|scope| scope.name())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let day = |time: jiff::Timestamp| time.strftime("%Y-%m-%d").to_string();
    let now = SystemClock::shared().now();
    let expires = |time: jiff::Timestamp| {
        let note = if time <= now { " (expired)" } else { "" };
        format!("{}{note}", day(time))
    };
    let columns = vec![
        Column::fixed("Id", tokens.iter().map(|token| token.id.clone())),
        Column::flexible("Name", tokens.iter().map(|token| token.name.clone())),
        Column::flexible("Tenant", tokens.iter().map(|token| token.tenant.clone())),
        Column::words("Scopes", tokens.iter().map(scopes)),
        Column::fixed(
            "A minute",
            tokens
                .iter()
                .map(|token| token.per_minute.map(|n| n.to_string()).unwrap_or_default()),
        ),
        Column::fixed("Made", tokens.iter().map(|token| day(token.created))),
        Column::fixed(
            "Expires",
            tokens
                .iter()
                .map(|token| token.expires.map(expires).unwrap_or_default()),
        ),
    ];
    render(columns, terminal::width(), WIDER)
}
