//! `pivotd tokens`: who may ask.

use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;

use super::session::{Administered, STORE};
use super::table::{Column, WIDER, csv, render};
use super::{ExitStatus, Format, block_on, terminal};
use crate::admin::Binding;
use crate::clock::SystemClock;
use crate::config::values;
use crate::http::admin::me::{GetMe, PermissionView};
use crate::http::admin::tokens::{
    ChangeToken, CreatedToken, ListTokens, RevokeTokens, RotateToken, ShowToken, TokenView,
};
use crate::tokens::{LastUse, NewToken, Scope, TokenChange, TokenState};

/// Make, list, change, replace and revoke the tokens of clients and administrators.
#[derive(Debug, clap::Args)]
pub(super) struct Tokens {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a token; it, or with --maltego the URL that holds it, is printed once, alone on standard output.
    Create(Box<Create>),
    /// List tokens, without the tokens themselves.
    List {
        /// Those that were revoked, too.
        #[arg(long)]
        all: bool,
        /// How the answer is printed.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
        #[command(flatten)]
        at: Administered,
    },
    /// Say who asks, and what they may do: the local operator, or with --server the token.
    Whoami {
        #[command(flatten)]
        at: Administered,
    },
    /// Show a token: what it may do, who made it, when and from where it was last used.
    Show {
        /// The id.
        id: String,
        #[command(flatten)]
        at: Administered,
    },
    /// Change what a token may do, from where, and until when.
    Change(Box<Change>),
    /// Put another token in the place of one, which can be used meanwhile; the new one is printed once.
    Rotate {
        /// The id.
        id: String,
        /// For how long the old one can be used beside the new one; 0s ends it at once.
        #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = values::duration)]
        overlap: Duration,
        #[command(flatten)]
        at: Administered,
    },
    /// Revoke the tokens of a name, or the one of an id.
    Revoke {
        /// A name or an id.
        which: String,
        #[command(flatten)]
        at: Administered,
    },
}

#[derive(Debug, clap::Args)]
struct Create {
    /// Who it is for; ledger and log name it.
    name: String,
    /// The tenant, whose stored answers, decisions and feedback are its own; keys and budgets are shared unless the
    /// configuration gives the tenant its own.
    #[arg(long, default_value = "default")]
    tenant: String,
    /// What it may do: transforms, enrich, buy, refresh, feedback, rehearse, delegate, metrics, admin.read, admin.write,
    /// keys.write, audit.read, admin; can be repeated [default: transforms enrich, unless there is a role].
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<Scope>,
    /// A role and its tenant, such as operator@team-b, or admin@* for all tenants: viewer, analyst, operator, admin, auditor; can be
    /// repeated.
    #[arg(long = "role", value_name = "ROLE@TENANT")]
    roles: Vec<Binding>,
    /// A network from which it may be used, such as 10.0.0.0/8; can be repeated; from everywhere otherwise.
    #[arg(long = "network", value_name = "NETWORK", value_parser = values::network)]
    networks: Vec<IpNet>,
    /// Who answers for it.
    #[arg(long)]
    owner: Option<String>,
    /// What its spend is counted under beside its name; can be repeated.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
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
    at: Administered,
}

#[derive(Debug, clap::Args)]
struct Change {
    /// The id.
    id: String,
    /// What it may do from now on; can be repeated.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<Scope>,
    /// The roles that it has from now on; can be repeated.
    #[arg(long = "role", value_name = "ROLE@TENANT")]
    roles: Vec<Binding>,
    /// From where it may be used from now on; can be repeated.
    #[arg(long = "network", value_name = "NETWORK", value_parser = values::network)]
    networks: Vec<IpNet>,
    /// Who answers for it from now on.
    #[arg(long)]
    owner: Option<String>,
    /// What its spend is counted under from now on; can be repeated.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Indicators a minute from now on.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = per_minute)]
    rate: Option<NonZeroU32>,
    /// How long it lives from now on, for example 90d.
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    expires: Option<Duration>,
    #[command(flatten)]
    at: Administered,
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
            Command::Create(create) => create.run()?,
            Command::List { all, format, at } => {
                let tokens = block_on(at.once(&ListTokens { all }, STORE))??;
                match format {
                    Format::Json => terminal::print_data(&serde_json::to_string_pretty(&tokens)?),
                    Format::Csv => terminal::print_data(&csv(&columns(&tokens))?),
                    Format::Table if tokens.is_empty() => {
                        let create = terminal::command("tokens create NAME", at.config());
                        terminal::note(&format!("there is no token yet; `{create}` makes one"));
                    }
                    Format::Table => {
                        terminal::print_lines(&render(columns(&tokens), terminal::width(), WIDER));
                    }
                }
            }
            Command::Whoami { at } => {
                let me = block_on(at.once(&GetMe, STORE))??;
                terminal::print(&format!("{} of the tenant {}", me.client, me.tenant));
                for PermissionView { permission, tenants } in me.permissions {
                    terminal::print(&format!("  {permission}: {}", tenants.join(", ")));
                }
            }
            Command::Show { id, at } => {
                let token = block_on(at.once(&ShowToken(id), STORE))??;
                terminal::print_data(&serde_json::to_string_pretty(&token)?);
            }
            Command::Change(change) => change.run()?,
            Command::Rotate { id, overlap, at } => {
                let rotate = RotateToken {
                    id,
                    overlap_s: overlap.as_secs(),
                };
                let made = block_on(at.once(&rotate, STORE))??;
                terminal::print(&made.token.0);
                let text = format!(
                    "made token {} for {}; it cannot be shown again. Token {} can be used for {} more",
                    made.record.id,
                    made.record.name,
                    rotate.id,
                    values::show_duration(overlap)
                );
                terminal::note(&text);
            }
            Command::Revoke { which, at } => {
                let revoked = block_on(at.once(&RevokeTokens(which), STORE))??;
                for token in revoked {
                    terminal::print(&format!("revoked token {} of {}", token.id, token.name));
                }
            }
        }
        Ok(ExitStatus::Well)
    }
}

impl Create {
    fn run(mut self) -> anyhow::Result<()> {
        if self.scopes.is_empty() && (self.roles.is_empty() || self.maltego) {
            self.scopes = vec![Scope::Transforms];
            if !self.maltego {
                self.scopes.push(Scope::Enrich);
            }
        }
        anyhow::ensure!(
            !self.maltego || self.scopes.contains(&Scope::Transforms),
            "a Maltego client runs transforms, so its token needs the scope `transforms`: add --scope transforms"
        );
        self.scopes.sort();
        self.scopes.dedup();
        let new = NewToken {
            name: self.name,
            tenant: self.tenant,
            scopes: self.scopes,
            roles: self.roles,
            per_minute: self.rate,
            lifetime_s: self.expires.map(|lifetime| lifetime.as_secs()),
            networks: self.networks,
            owner: self.owner,
            tags: self.tags.into_iter().collect(),
        };
        let made = block_on(self.at.once(&new, STORE))??;
        if self.maltego {
            print_url(&made);
        } else {
            terminal::print(&made.token.0);
        }
        let text = format!(
            "made token {} for {}; it cannot be shown again",
            made.record.id, made.record.name
        );
        terminal::note(&text);
        Ok(())
    }
}

impl Change {
    fn run(self) -> anyhow::Result<()> {
        let given = |all: Vec<_>| (!all.is_empty()).then_some(all);
        let end = |lifetime: Duration| SystemClock::shared().now().checked_add(lifetime).ok();
        let change = TokenChange {
            scopes: (!self.scopes.is_empty()).then_some(self.scopes),
            roles: (!self.roles.is_empty()).then_some(self.roles),
            per_minute: self.rate.map(Some),
            networks: given(self.networks),
            owner: self.owner.map(Some),
            tags: (!self.tags.is_empty()).then(|| self.tags.into_iter().collect()),
            expires: self.expires.map(end),
        };
        anyhow::ensure!(
            change != TokenChange::default(),
            "nothing to change was given; --help shows what can be"
        );
        let (id, at) = (self.id, self.at);
        let changed = block_on(async {
            let seen = at.once(&ShowToken(id.clone()), STORE).await?;
            let revision = seen.revision;
            at.once(&ChangeToken { id, revision, change }, STORE).await
        })??;
        terminal::print_lines(&render(columns(&[changed]), terminal::width(), WIDER));
        Ok(())
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

fn columns(tokens: &[TokenView]) -> Vec<Column> {
    let may = |token: &TokenView| {
        let scopes = token.scopes.iter().map(|scope| scope.name().to_owned());
        let roles = token.roles.iter().map(ToString::to_string);
        scopes.chain(roles).collect::<Vec<_>>().join(" ")
    };
    let day = |time: jiff::Timestamp| time.strftime("%Y-%m-%d").to_string();
    let ends = |token: &TokenView| match (token.state, token.revoked, token.expires) {
        (TokenState::Revoked, Some(revoked), _) => format!("{} (revoked)", day(revoked)),
        (TokenState::Expired, _, Some(expires)) => format!("{} (expired)", day(expires)),
        (TokenState::Rotating, _, Some(expires)) => format!("{} (replaced)", day(expires)),
        (_, _, expires) => expires.map(day).unwrap_or_default(),
    };
    let used = |token: &TokenView| match token.last_used {
        None => "never".to_owned(),
        Some(LastUse { at, network: None }) => day(at),
        Some(LastUse {
            at,
            network: Some(network),
        }) => format!("{} {network}", day(at)),
    };
    let tags = |token: &TokenView| {
        let owner = token.owner.iter().map(String::as_str);
        owner
            .chain(token.tags.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut columns = vec![
        Column::fixed("Id", tokens.iter().map(|token| token.id.clone())),
        Column::flexible("Name", tokens.iter().map(|token| token.name.clone())),
        Column::flexible("Tenant", tokens.iter().map(|token| token.tenant.clone())),
        Column::words("May", tokens.iter().map(may)),
        Column::fixed(
            "A minute",
            tokens
                .iter()
                .map(|token| token.per_minute.map(|n| n.to_string()).unwrap_or_default()),
        ),
        Column::words("Last used", tokens.iter().map(used)),
        Column::fixed("Made", tokens.iter().map(|token| day(token.created))),
        Column::words("Ends", tokens.iter().map(ends)),
    ];
    if tokens
        .iter()
        .any(|token| token.owner.is_some() || !token.tags.is_empty())
    {
        columns.push(Column::words("Owner, tags", tokens.iter().map(tags)));
    }
    columns
}
