//! Who may do what.

use super::{AdminCommand, Binding, Denied, Grants, Permission, Reach, Role, TenantScope};

fn bound(texts: &[&str]) -> Grants {
    let mut grants = Grants::default();
    for text in texts {
        grants.bind(&text.parse::<Binding>().unwrap());
    }
    grants
}

#[test]
fn roles_hold_what_the_table_says() {
    use Permission::{Ask, Audit, Keys, Manage, Metrics, Operate, Raise, Spend, State};
    let held = |role: Role| -> Vec<Permission> {
        Permission::ALL
            .into_iter()
            .filter(|one| role.holds(*one))
            .collect()
    };
    assert_eq!(held(Role::Viewer), [State]);
    assert_eq!(held(Role::Analyst), [State, Ask]);
    assert_eq!(held(Role::Operator), [State, Ask, Spend, Operate, Raise, Metrics]);
    assert_eq!(
        held(Role::Admin),
        [State, Ask, Spend, Operate, Raise, Manage, Keys, Audit, Metrics]
    );
    assert_eq!(held(Role::Auditor), [State, Spend, Audit]);
}

#[test]
fn a_binding_is_read_as_it_is_written() {
    for text in ["admin@*", "operator@team-b", "viewer@default"] {
        let binding: Binding = text.parse().unwrap();
        assert_eq!(binding.to_string(), text);
        let json = serde_json::to_string(&binding).unwrap();
        assert_eq!(serde_json::from_str::<Binding>(&json).unwrap(), binding);
    }
    for text in ["admin", "root@*", "admin@", "admin@a b", "@*", "admin@*@*"] {
        assert!(text.parse::<Binding>().is_err(), "{text}");
    }
}

#[test]
fn a_command_reaches_the_tenants_of_the_bindings_that_hold_its_permission() {
    let none = Grants::default();
    assert_eq!(
        none.reach(AdminCommand::ListTokens),
        Err(Denied::Missing(Permission::Operate))
    );
    let one = bound(&["operator@team-b", "viewer@team-c"]);
    let team_b = Reach::Some(["team-b".to_owned()].into());
    assert_eq!(one.reach(AdminCommand::ListTokens), Ok(team_b));
    assert_eq!(
        one.reach(AdminCommand::CreateToken),
        Err(Denied::Missing(Permission::Manage))
    );
    assert_eq!(
        one.reach(AdminCommand::PurgeAnswers),
        Err(Denied::NotForAll(Permission::Operate)),
        "stored answers are shared"
    );
    let both = Reach::Some(["team-b".to_owned(), "team-c".to_owned()].into());
    assert_eq!(one.reach(AdminCommand::ShowMe), Ok(both));
    let all = bound(&["admin@*"]);
    for command in AdminCommand::ALL {
        let is_of_machine = command.spec().permission == Some(Permission::Machine);
        let expected = match is_of_machine {
            true => Err(Denied::Missing(Permission::Machine)),
            false => Ok(Reach::All),
        };
        assert_eq!(all.reach(*command), expected, "{command:?}");
        assert_eq!(Grants::everything().reach(*command), Ok(Reach::All));
    }
}

#[test]
fn nothing_is_given_that_is_not_held() {
    let admin_b = bound(&["admin@team-b"]);
    assert!(admin_b.cover(&bound(&["operator@team-b", "auditor@team-b"])));
    assert!(admin_b.cover(&Grants::default()));
    assert!(!admin_b.cover(&bound(&["viewer@team-c"])));
    assert!(!admin_b.cover(&bound(&["viewer@*"])));
    assert!(!bound(&["operator@*"]).cover(&bound(&["admin@team-b"])));
    assert!(
        !bound(&["admin@*"]).cover(&Grants::everything()),
        "the machine is its operator's"
    );
    let mut metrics = Grants::default();
    metrics.add(Permission::Metrics, TenantScope::All);
    assert!(!admin_b.cover(&metrics));
}

#[test]
fn each_command_has_a_route_of_its_own() {
    let mut routes: Vec<_> = AdminCommand::ALL
        .iter()
        .map(|command| (command.spec().method, command.spec().path))
        .collect();
    routes.sort_unstable();
    let count = routes.len();
    routes.dedup();
    assert_eq!(routes.len(), count);
    for command in AdminCommand::ALL {
        let spec = command.spec();
        assert_eq!(AdminCommand::of(spec.method, spec.path), Some(*command));
        assert!(spec.path.starts_with("/v1/admin/"), "{command:?}");
    }
    assert_eq!(
        AdminCommand::of("HEAD", "/v1/admin/me"),
        Some(AdminCommand::ShowMe)
    );
    assert_eq!(AdminCommand::of("PUT", "/v1/admin/me"), None);
}
