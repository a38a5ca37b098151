//! Tests which key is used for which tenant, which account pays, and what stays over a reload.

use std::sync::LazyLock;

use jiff::Timestamp;
use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::clock::manual::ManualClock;
use crate::config::read;
use crate::config::tests::vendor;
use crate::providers::ReplyClass;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

static HASHER: LazyLock<Arc<KeyHasher>> = LazyLock::new(|| Arc::new(KeyHasher::new(&[7; 32])));

/// Makes the keyring of a provider with these settings.
fn keyring(text: &str, previous: Option<&Keyring>) -> Keyring {
    let text = format!("[providers.domaintools]\n{text}");
    let loaded = read("my.toml", &text, false, &[], &vendor::ALL).unwrap();
    let settings = &loaded.settings.providers["domaintools"];
    let clock: SharedClock = Arc::new(ManualClock::new(NOW));
    Keyring::new(&vendor::DESCRIPTOR, settings, previous, &HASHER, &clock)
}

const SERVER: &str = "username = \"server-user\"\napi_key = \"server-key\"\nbudget = \"100/day\"\n";

fn tenant(name: &str, settings: &str) -> String {
    format!("[providers.domaintools.tenants.{name}]\n{settings}\n")
}

fn own_key(name: &str) -> String {
    tenant(
        name,
        &format!("username = \"{name}-user\"\napi_key = \"{name}-key\""),
    )
}

fn user_key(text: &str) -> Arc<Key> {
    let part = |name: &str, value: &str| (name.to_owned(), SecretString::from(value));
    Arc::new(Key::from([part("username", "jane"), part("api_key", text)]))
}

fn secret(credential: &Credential) -> &str {
    credential.key["api_key"].expose_secret()
}

/// Returns tenant, name of the account, and limits of what a call is charged to.
fn accounts(credential: &Credential) -> Vec<(&str, &str, Vec<&str>)> {
    let accounts = credential.accounts("whois").into_iter();
    accounts
        .map(|charged| {
            let labels = charged.budgets.iter().map(|budget| budget.label.as_str());
            (
                charged.account.tenant.as_str(),
                charged.account.account.as_str(),
                labels.collect(),
            )
        })
        .collect()
}

#[test]
fn a_users_key_goes_before_the_tenants_and_that_before_the_servers() {
    let keys = keyring(&format!("{SERVER}{}", own_key("acme")), None);
    let user = user_key("user-key");
    for (tenant, user, key, owner) in [
        ("default", None, "server-key", KeyOwner::Server),
        ("elsewhere", None, "server-key", KeyOwner::Server),
        ("acme", None, "acme-key", KeyOwner::Tenant),
        ("acme", Some(&user), "user-key", KeyOwner::User),
        ("default", Some(&user), "user-key", KeyOwner::User),
    ] {
        let credential = keys.resolve(tenant, user).unwrap();
        assert_eq!(
            (secret(&credential), credential.owner()),
            (key, owner),
            "{tenant}"
        );
    }
}

#[test]
fn a_tenant_without_a_table_shares_the_servers_account_and_no_answers() {
    let keys = keyring(SERVER, None);
    let [one, other] = ["default", "elsewhere"].map(|tenant| keys.resolve(tenant, None).unwrap());
    assert!(Arc::ptr_eq(&one.account, &other.account));
    assert_eq!(
        (one.scope.as_str(), other.scope.as_str()),
        ("server/default", "server/elsewhere")
    );
    for credential in [one, other] {
        assert_eq!(
            accounts(&credential),
            [("default", "server-user", vec!["100/day calls"])]
        );
    }
}

#[test]
fn a_key_of_a_tenants_own_has_an_account_of_its_own_with_its_budgets_or_the_providers() {
    let settings = [
        SERVER.to_owned(),
        own_key("acme"),
        own_key("globex") + "budget = \"7/day\"\n",
        own_key("initech") + "budget = []\n",
    ];
    let keys = keyring(&settings.concat(), None);
    let server = keys.resolve(DEFAULT_TENANT, None).unwrap();
    for (tenant, labels) in [
        ("acme", vec!["100/day calls for tenant acme"]),
        ("globex", vec!["7/day calls for tenant globex"]),
        ("initech", vec![]),
    ] {
        let credential = keys.resolve(tenant, None).unwrap();
        let account = format!("{tenant}-user");
        assert_eq!(accounts(&credential), [(tenant, account.as_str(), labels)]);
        assert!(!Arc::ptr_eq(&credential.account, &server.account));
        assert_eq!(credential.scope, format!("server/{tenant}"));
    }
    assert_eq!(keys.credentials().count(), 4);
}

#[test]
fn a_share_of_the_servers_key_is_charged_twice_and_bounded_by_both() {
    let settings = tenant("acme", "budget = \"5/day\"\nrate = \"9/min\"");
    let keys = keyring(&format!("{SERVER}{settings}"), None);
    let [server, acme] = ["default", "acme"].map(|tenant| keys.resolve(tenant, None).unwrap());
    assert!(Arc::ptr_eq(&acme.account, &server.account));
    assert_eq!(
        accounts(&acme),
        [
            ("acme", "server-user", vec!["5/day calls for tenant acme"]),
            ("default", "server-user", vec!["100/day calls"]),
        ]
    );
    assert_eq!(
        (server.limiters("whois").count(), acme.limiters("whois").count()),
        (1, 2)
    );
    let own: Vec<_> = acme.own_budgets().map(|(_, budget)| &budget.label).collect();
    assert_eq!(own, ["5/day calls for tenant acme"]);
    assert_eq!(keys.credentials().count(), 1, "one key, one account call");
}

#[test]
fn a_tenant_whose_own_key_is_incomplete_never_uses_the_servers() {
    let keys = keyring(&format!("{SERVER}{}", tenant("acme", "api_key = \"k\"")), None);
    let none = keys.resolve("acme", None).unwrap_err();
    assert_eq!(none.scope, "server/acme");
    let failure = none.failure("domaintools");
    assert_eq!(failure.kind, FailureKind::Denied(Denial::NoKey));
    assert!(
        failure.message.contains("tenant acme cannot be read"),
        "{}",
        failure.message
    );
    assert!(keys.is_configured("acme") && keys.is_configured("default"));
    assert!(keys.resolve("acme", Some(&user_key("u"))).is_ok());
}

#[test]
fn without_a_key_of_the_server_only_tenants_with_their_own_have_one() {
    let keys = keyring(&own_key("acme"), None);
    assert!(keys.resolve("acme", None).is_ok());
    for tenant in ["default", "elsewhere"] {
        let none = keys.resolve(tenant, None).unwrap_err();
        assert_eq!(none.scope, tenant_scope(tenant));
        assert!(!keys.is_configured(tenant));
    }
    assert!(keys.has_key() && keys.server_account().is_none());
}

#[test]
fn a_reload_keeps_what_is_known_of_a_key_that_stays_and_forgets_one_that_changed() {
    let share = tenant("globex", "rate = \"9/min\"");
    let before = keyring(&format!("{SERVER}{}{share}", own_key("acme")), None);
    let other = tenant("acme", "username = \"acme-user\"\napi_key = \"another\"");
    let same = keyring(
        &format!("{SERVER}{}{share}budget = \"3/day\"\n", own_key("acme")),
        Some(&before),
    );
    let changed = keyring(&format!("{SERVER}{other}{share}"), Some(&before));
    let account = |keys: &Keyring, tenant: &str| keys.resolve(tenant, None).unwrap().account;
    let is_kept = |keys: &Keyring, tenant| Arc::ptr_eq(&account(keys, tenant), &account(&before, tenant));
    assert!(is_kept(&same, "acme") && is_kept(&same, "default"));
    assert!(!is_kept(&changed, "acme") && is_kept(&changed, "default"));
    let limiter = |keys: &Keyring| keys.resolve("globex", None).unwrap().share_limiter().unwrap();
    assert!(
        Arc::ptr_eq(&limiter(&same), &limiter(&before)),
        "its rate is the same"
    );
    // From a share to a key of its own, and back: the account is another one.
    let alone = keyring(&format!("{SERVER}{}", own_key("globex")), Some(&before));
    assert!(!is_kept(&alone, "globex"));
    let fingerprints = |keys: &Keyring| keys.fingerprints().collect::<BTreeMap<_, _>>();
    let (old, new) = (fingerprints(&before), fingerprints(&changed));
    assert_eq!(
        old.keys().collect::<Vec<_>>(),
        ["providers.domaintools", "providers.domaintools.tenants.acme"]
    );
    let differ = old.iter().filter(|(path, mark)| new.get(*path) != Some(*mark));
    assert_eq!(differ.count(), 1);
}

#[test]
fn only_users_keys_are_counted_as_refused() {
    let keys = keyring(&format!("{SERVER}{}", own_key("acme")), None);
    let refused = ReplyClass::KeyRefused("no".to_owned());
    for (user, is_blocked) in [(None, false), (Some(user_key("u")), true)] {
        let credential = keys.resolve("acme", user.as_ref()).unwrap();
        assert!(credential.check_client("anna", NOW).is_ok());
        credential.learn("anna", &refused, 403, NOW);
        assert_eq!(credential.check_client("anna", NOW).is_err(), is_blocked);
        let clock: SharedClock = Arc::new(ManualClock::new(NOW));
        let is_untried = credential.untried_limiter("https://a.example/", &clock).is_some();
        assert_eq!(is_untried, is_blocked);
    }
}

proptest! {
    /// Whatever tenants and keys are called: no scope and no account of two tenants are the same unless the account is
    /// shared, and neither says anything of a key.
    #[test]
    fn no_tenant_has_the_scope_of_another(
        one in "[a-z][a-z0-9_-]{0,9}",
        other in "[a-z][a-z0-9_-]{0,9}",
        key in "[A-Za-z0-9]{12,24}",
    ) {
        prop_assume!(one != other && one != DEFAULT_TENANT && other != DEFAULT_TENANT);
        let settings = [SERVER.to_owned(), own_key(&one)].concat();
        let keys = keyring(&settings, None);
        let user = user_key(&key);
        let all = [
            keys.resolve(&one, None).unwrap(),
            keys.resolve(&other, None).unwrap(),
            keys.resolve(DEFAULT_TENANT, None).unwrap(),
            keys.resolve(&one, Some(&user)).unwrap(),
            keys.resolve(&other, Some(&user)).unwrap(),
        ];
        let scopes: Vec<&str> = all.iter().map(|credential| credential.scope.as_str()).collect();
        prop_assert_eq!(scopes[0], format!("server/{one}"));
        prop_assert_eq!(scopes[1], format!("server/{other}"));
        prop_assert_eq!(scopes[3], scopes[4], "who pays with the same key has paid for the answer");
        for (at, scope) in scopes.iter().take(4).enumerate() {
            prop_assert!(!scopes.iter().take(at).any(|before| before == scope), "{:?}", scopes);
        }
        let accounts: Vec<&Account> = all.iter().map(|credential| &credential.account.account).collect();
        prop_assert_eq!(accounts[1], accounts[2]);
        for at in [0, 3, 4] {
            let others = accounts.iter().enumerate().filter(|(other, _)| *other != at);
            prop_assert!(others.map(|(_, account)| account).all(|account| *account != accounts[at]));
        }
        let shown = format!("{all:?} {keys:?} {accounts:?} {scopes:?}");
        prop_assert!(!shown.contains(&key) && !shown.contains("server-key"), "{}", shown);
    }
}
