//! The commands of administration: the route of each, the permission that it needs, and its name in the terminal.

use super::Permission;

/// Says how a command is given, and what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandSpec {
    /// The HTTP method.
    pub method: &'static str,
    /// The pattern of the path.
    pub path: &'static str,
    /// What the one who gives it needs; none for what says only who they are.
    pub permission: Option<Permission>,
    /// Whether it is about what all tenants share, so that the permission is needed for all of them.
    pub is_shared: bool,
    /// Whether it may take long.
    pub takes_long: bool,
    /// The command of the terminal, without `pivotd`; none where it is only a part of one.
    pub terminal: Option<&'static str>,
}

/// Declares the commands with what each needs.
macro_rules! commands {
    ($($(#[$meta:meta])* $name:ident: $method:ident $path:literal, $permission:expr, $reach:ident, $time:ident, $terminal:expr;)*) => {
        /// Is a command of administration.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum AdminCommand {
            $($(#[$meta])* $name,)*
        }

        impl AdminCommand {
            /// Lists every command.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns how it is given, and what it needs.
            #[must_use]
            pub const fn spec(self) -> CommandSpec {
                match self {
                    $(Self::$name => CommandSpec {
                        method: stringify!($method),
                        path: $path,
                        permission: $permission,
                        is_shared: commands!(@reach $reach),
                        takes_long: commands!(@time $time),
                        terminal: $terminal,
                    },)*
                }
            }
        }
    };
    (@reach shared) => { true };
    (@reach tenants) => { false };
    (@time quick) => { false };
    (@time long) => { true };
}

commands! {
    /// Says who asks, and what they may do.
    ShowMe: GET "/v1/admin/me", None, tenants, quick, Some("tokens whoami");
    /// Says which version serves.
    ShowServer: GET "/v1/admin/server", Some(Permission::State), tenants, quick, None;
    /// Says how the server stands.
    ShowState: GET "/v1/admin/state", Some(Permission::State), shared, quick, None;
    /// Reads the configuration again.
    Reload: POST "/v1/admin/reload", Some(Permission::Manage), shared, quick, Some("reload");
    /// Shows what is thought of the clock.
    ShowClock: GET "/v1/admin/clock", Some(Permission::State), shared, quick, Some("clock");
    /// Believes the clock.
    ConfirmClock: POST "/v1/admin/clock", Some(Permission::Operate), shared, quick, Some("clock");
    /// Lists tokens.
    ListTokens: GET "/v1/admin/tokens", Some(Permission::Operate), tenants, quick, Some("tokens list");
    /// Makes a token.
    CreateToken: POST "/v1/admin/tokens", Some(Permission::Manage), tenants, quick, Some("tokens create");
    /// Shows a token.
    ShowToken: GET "/v1/admin/tokens/{which}", Some(Permission::Operate), tenants, quick, Some("tokens show");
    /// Changes a token.
    ChangeToken: PATCH "/v1/admin/tokens/{which}", Some(Permission::Manage), tenants, quick, Some("tokens change");
    /// Puts another token in the place of one.
    RotateToken: POST "/v1/admin/tokens/{which}/rotate", Some(Permission::Manage), tenants, quick, Some("tokens rotate");
    /// Revokes tokens.
    RevokeTokens: DELETE "/v1/admin/tokens/{which}", Some(Permission::Operate), tenants, quick, Some("tokens revoke");
    /// Tests keys of providers.
    TestKeys: POST "/v1/admin/keys/test", Some(Permission::Operate), shared, long, Some("keys test");
    /// Counts stored answers.
    CountAnswers: GET "/v1/admin/cache", Some(Permission::Operate), shared, long, Some("cache stats");
    /// Shows stored answers.
    ShowAnswers: GET "/v1/admin/cache/answers", Some(Permission::Operate), shared, long, Some("cache show");
    /// Removes stored answers.
    PurgeAnswers: POST "/v1/admin/cache/purge", Some(Permission::Operate), shared, long, Some("cache purge");
    /// Reports what was spent.
    ReportSpend: GET "/v1/admin/spend", Some(Permission::Spend), tenants, long, Some("spend");
    /// Says who used the windows of a provider's budgets.
    ShowSpenders: GET "/v1/admin/spend/who", Some(Permission::Spend), shared, long, Some("spend who");
    /// Compares what was spent with what the vendors count.
    Reconcile: GET "/v1/admin/reconciliation", Some(Permission::Spend), shared, long, Some("spend reconcile");
    /// Writes a copy of the store.
    WriteBackup: POST "/v1/admin/backup", Some(Permission::Machine), shared, long, Some("backup");
    /// Finds decisions.
    FindDecisions: GET "/v1/admin/decisions", Some(Permission::Spend), tenants, long, Some("decisions list");
    /// Explains a decision.
    ExplainDecision: GET "/v1/admin/decisions/{decision}/explain", Some(Permission::Spend), tenants, long, Some("decisions explain");
    /// Says what decisions would come to under a policy.
    ReplayDecisions: POST "/v1/admin/decisions/replay", Some(Permission::Manage), shared, long, Some("decisions replay");
    /// Counts decisions.
    CountDecisions: GET "/v1/admin/decisions/stats", Some(Permission::Spend), shared, long, Some("decisions stats");
    /// Removes decisions.
    RemoveDecisions: POST "/v1/admin/decisions/remove", Some(Permission::Manage), shared, long, Some("decisions remove");
}

impl AdminCommand {
    /// Finds the command that a method and the pattern of a path mean.
    #[must_use]
    pub fn of(method: &str, pattern: &str) -> Option<Self> {
        // What is asked by HEAD is answered as by GET.
        let method = if method == "HEAD" { "GET" } else { method };
        let is = |command: &&Self| {
            let spec = command.spec();
            spec.method == method && spec.path == pattern
        };
        Self::ALL.iter().find(is).copied()
    }

    /// Lists the paths with the commands of each, in the order of the commands.
    #[must_use]
    pub fn by_path() -> Vec<(&'static str, Vec<Self>)> {
        let mut paths: Vec<(&'static str, Vec<Self>)> = Vec::new();
        for command in Self::ALL {
            let path = command.spec().path;
            match paths.iter_mut().find(|(known, _)| *known == path) {
                Some((_, commands)) => commands.push(*command),
                None => paths.push((path, vec![*command])),
            }
        }
        paths
    }
}
