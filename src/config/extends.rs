//! Lays a file that says `extends = "built-in"` over the compiled-in one, and remembers what it says otherwise.
//!
//! Tables merge member by member, `[[transform]]` by its `name`; every other list, and a table that is one value, replaces.
//! `remove = true` takes an entry away. A value keeps the place of the file that it came from. A merged table has the
//! place of the file that lies over, since that is the file that can be changed.

use std::collections::BTreeMap;

use super::problem::{Origin, Problem, did_you_mean};
use super::reader::Effective;
use super::tree::{self, Data, Entry, Node};
use super::{BUILT_IN_NAME, DEFAULT_FILE};

/// The setting that makes a file lie over another.
pub(super) const KEY: &str = "extends";
/// The one file that others may lie over.
const BUILT_IN: &str = "built-in";
const REMOVE: &str = "remove";
const PROVIDERS: &str = "providers";
const TRANSFORM: &str = "transform";

/// Says how much of a file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All of it.
    Whole,
    /// `[server]` alone; faults of other sections are not told.
    Server,
}

/// Is a setting that differs from the compiled-in file's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayChange {
    /// The setting's path, `providers.virustotal.rate`; of a transform with its name, `transform.sandbox.input`.
    pub path: String,
    /// The compiled-in value; `None` where there is none.
    pub built_in: Option<String>,
    /// The value here, secrets masked; `None` where the entry is taken away.
    pub here: Option<String>,
    /// Where that is said.
    pub origin: Origin,
}

/// Is an entry that is taken away.
#[derive(Debug)]
struct Removal {
    path: Vec<String>,
    origin: Origin,
}

/// Is what a file does to the compiled-in one.
#[derive(Debug, Default)]
pub(super) struct Extension {
    pub(super) changes: Vec<OverlayChange>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
    removals: Vec<Removal>,
    /// Where compiled-in transforms are changed.
    changed: BTreeMap<String, Origin>,
    /// The line in which each compiled-in transform begins.
    begins: Vec<(usize, String)>,
}

/// Lays a file over the compiled-in one, if it says so; `None` where it is complete.
///
/// # Errors
/// Where the file names another than the compiled-in one. The tree then holds what the file itself says.
pub(super) fn lay_over(tree: &mut Node, scope: Scope) -> Result<Option<Extension>, Vec<Problem>> {
    let Data::Table(own) = &mut tree.data else {
        return Ok(None);
    };
    let Some(at) = own.iter().position(|entry| entry.name == KEY) else {
        return Ok(None);
    };
    let said = own.remove(at).node;
    if !matches!(&said.data, Data::Text(text) if text == BUILT_IN) {
        let message = format!("{KEY}: expected \"{BUILT_IN}\", found {}", said.shown());
        return Err(vec![Problem {
            origin: said.origin,
            message,
        }]);
    }
    let Data::Table(mut built_in) = tree::parse(BUILT_IN_NAME, DEFAULT_FILE)?.data else {
        return Ok(None);
    };
    let mut own = std::mem::take(own);
    let mut others = Vec::new();
    if scope == Scope::Server {
        built_in.retain(|entry| entry.name == "server");
        (own, others) = own.into_iter().partition(|entry| entry.name == "server");
    }
    let mut extension = Extension {
        begins: begins(&built_in),
        ..Extension::default()
    };
    let names = provider_names(&built_in);
    let mut merged = extension.table(&[], built_in, own);
    extension.without_providers(&names, &mut merged);
    merged.extend(others);
    tree.data = Data::Table(merged);
    Ok(Some(extension))
}

fn begins(entries: &[Entry]) -> Vec<(usize, String)> {
    let begin = |node: &Node| Some((node.origin.line(), name_of(node)?.0.to_owned()));
    list(entries, TRANSFORM).iter().filter_map(begin).collect()
}

fn provider_names(entries: &[Entry]) -> Vec<String> {
    let providers = entries.iter().find(|entry| entry.name == PROVIDERS);
    match providers.map(|entry| &entry.node.data) {
        Some(Data::Table(providers)) => providers.iter().map(|entry| entry.name.clone()).collect(),
        _ => Vec::new(),
    }
}

fn list<'a>(entries: &'a [Entry], key: &str) -> &'a [Node] {
    match entries
        .iter()
        .find(|entry| entry.name == key)
        .map(|entry| &entry.node.data)
    {
        Some(Data::List(nodes)) => nodes,
        _ => &[],
    }
}

/// Returns the name of a table, and where it stands.
fn name_of(node: &Node) -> Option<(&str, &Origin)> {
    let name = node.at(&["name"])?;
    match &name.data {
        Data::Text(text) => Some((text, &name.origin)),
        _ => None,
    }
}

/// Tells whether a table is one value, whose members mean nothing alone: the source of a secret, a rate, what a measure
/// means.
fn is_one_value(path: &[&str]) -> bool {
    match path {
        [PROVIDERS, _, key] => !matches!(*key, "ttl" | "origins" | "tenants"),
        [PROVIDERS, _, "tenants", _, _] => true,
        ["reputation", "sources", _, key] => *key != "context",
        _ => false,
    }
}

fn same(left: &Node, right: &Node) -> bool {
    match (&left.data, &right.data) {
        (Data::List(left), Data::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Data::Table(left), Data::Table(right)) => {
            let is_in = |entry: &Entry| {
                let other = right.iter().find(|other| other.name == entry.name);
                other.is_some_and(|other| same(&entry.node, &other.node))
            };
            left.len() == right.len() && left.iter().all(is_in)
        }
        (Data::List(_) | Data::Table(_), _) | (_, Data::List(_) | Data::Table(_)) => false,
        _ => left.shown() == right.shown(),
    }
}

impl Extension {
    /// Merges two tables, in the order of the compiled-in one; what only the other has follows.
    fn table(&mut self, path: &[&str], mut base: Vec<Entry>, own: Vec<Entry>) -> Vec<Entry> {
        for entry in own {
            let name = entry.name.clone();
            let below: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
            let at = base.iter().position(|known| known.name == name);
            match removes(&entry.node, &below, false) {
                Err(problem) => {
                    self.problems.push(problem);
                    continue;
                }
                Ok(true) => {
                    match at {
                        Some(at) => self.removed(&below, &base.remove(at).node, &entry.origin),
                        None => {
                            let names = base.iter().map(|known| known.name.as_str());
                            self.nothing_there(&below, &entry.origin, did_you_mean(&name, names).as_str());
                        }
                    }
                    continue;
                }
                Ok(false) => {}
            }
            match at.and_then(|at| base.get_mut(at)) {
                Some(known) => self.entry(&below, known, entry),
                None => {
                    let entry = self.added(&below, entry);
                    base.push(entry);
                }
            }
        }
        base
    }

    /// Lays one entry over the compiled-in one of its name.
    fn entry(&mut self, path: &[&str], known: &mut Entry, entry: Entry) {
        let is_whole = is_one_value(path);
        match (&mut known.node.data, entry.node.data) {
            (Data::Table(base), Data::Table(own)) if !is_whole => {
                *base = self.table(path, std::mem::take(base), own);
                known.origin = entry.origin;
                known.node.origin = entry.node.origin;
            }
            (Data::List(base), Data::List(own)) if path == [TRANSFORM] => {
                *base = self.transforms(std::mem::take(base), own);
                known.origin = entry.origin;
                known.node.origin = entry.node.origin;
            }
            (old, data) => {
                let node = Node { data, ..entry.node };
                // What is inherited by others stays, so that they are not told as faults, too.
                if let [section] = path {
                    let what = node.what();
                    let message = match old {
                        Data::List(_) => format!("{section}: expected [[{section}]] tables, found {what}"),
                        _ => format!("expected a table, found {what}"),
                    };
                    self.problem(&node.origin, message);
                    return;
                }
                if !same(&known.node, &node) {
                    self.changes.push(OverlayChange {
                        path: path.join("."),
                        built_in: Some(known.node.shown()),
                        here: Some(node.shown()),
                        origin: node.origin.clone(),
                    });
                }
                known.origin = entry.origin;
                known.node = node;
            }
        }
    }

    /// Takes an entry that the compiled-in file does not have.
    fn added(&mut self, path: &[&str], mut entry: Entry) -> Entry {
        match entry.node.data {
            Data::Table(own) if !is_one_value(path) => {
                entry.node.data = Data::Table(self.table(path, Vec::new(), own));
            }
            data => {
                entry.node.data = data;
                self.changes.push(OverlayChange {
                    path: path.join("."),
                    built_in: None,
                    here: Some(entry.node.shown()),
                    origin: entry.node.origin.clone(),
                });
            }
        }
        entry
    }

    /// Merges transforms by name, in the order of the compiled-in ones; new ones follow.
    fn transforms(&mut self, mut base: Vec<Node>, own: Vec<Node>) -> Vec<Node> {
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        let mut new = Vec::new();
        for node in own {
            let (name, named_at) = match name_of(&node) {
                Some((name, origin)) => (name.to_owned(), origin.clone()),
                None if node.at(&[REMOVE]).is_some() => {
                    self.problem(&node.origin, "\"name\" is missing".to_owned());
                    continue;
                }
                None => {
                    // The reader says what is wrong with it.
                    new.push(node);
                    continue;
                }
            };
            if let Some(line) = lines.get(&name) {
                let message = format!("name: \"{name}\" is already the name of the transform in line {line}");
                self.problem(&named_at, message);
                continue;
            }
            lines.insert(name.clone(), named_at.line());
            let path = [TRANSFORM, name.as_str()];
            let at = base
                .iter()
                .position(|known| name_of(known).is_some_and(|(known, _)| known == name));
            match removes(&node, &path, true) {
                Err(problem) => self.problems.push(problem),
                Ok(true) => match at {
                    Some(at) => self.removed(&path, &base.remove(at), &node.origin),
                    None => {
                        let names = base.iter().filter_map(|known| Some(name_of(known)?.0));
                        self.nothing_there(&path, &named_at, did_you_mean(&name, names).as_str());
                    }
                },
                Ok(false) => match at.and_then(|at| base.get_mut(at)) {
                    Some(known) => {
                        self.changed.insert(name.clone(), node.origin.clone());
                        if let (Data::Table(members), Data::Table(own)) = (&mut known.data, node.data) {
                            *members = self.table(&path, std::mem::take(members), own);
                        }
                        known.origin = node.origin;
                    }
                    None => {
                        self.changes.push(OverlayChange {
                            path: path.join("."),
                            built_in: None,
                            here: Some(title(&node)),
                            origin: node.origin.clone(),
                        });
                        new.push(node);
                    }
                },
            }
        }
        base.extend(new);
        base
    }

    /// Takes providers that are gone out of compiled-in transforms. A transform that asked no other goes as well, unless the
    /// file itself changes it: then it is refused, as one that names a provider without a table.
    fn without_providers(&mut self, names: &[String], entries: &mut [Entry]) {
        let mut gone: BTreeMap<String, Origin> = BTreeMap::new();
        for removal in &self.removals {
            match removal.path.as_slice() {
                [section] if section == PROVIDERS => {
                    gone.extend(names.iter().map(|name| (name.clone(), removal.origin.clone())));
                }
                [section, name] if section == PROVIDERS => {
                    gone.insert(name.clone(), removal.origin.clone());
                }
                _ => {}
            }
        }
        let transforms = entries.iter_mut().find(|entry| entry.name == TRANSFORM);
        let Some(Data::List(nodes)) = transforms.map(|entry| &mut entry.node.data) else {
            return;
        };
        let mut lost: BTreeMap<String, Vec<String>> = BTreeMap::new();
        nodes.retain_mut(|node| match self.less(&gone, node) {
            Some((name, provider)) => {
                lost.entry(provider).or_default().push(name);
                false
            }
            None => true,
        });
        for (provider, transforms) in lost {
            let Some(origin) = gone.get(&provider) else {
                continue;
            };
            let message = format!(
                "{PROVIDERS}.{provider} is taken away, and with it the transforms that ask no other provider: {}",
                transforms.join(", ")
            );
            self.warnings.push(Problem {
                origin: origin.clone(),
                message,
            });
        }
    }

    /// Takes providers that are gone out of a transform. Returns its name, and the provider, where none is left.
    fn less(&mut self, gone: &BTreeMap<String, Origin>, node: &mut Node) -> Option<(String, String)> {
        let name = name_of(node)?.0.to_owned();
        let shown = title(node);
        let Data::Table(members) = &mut node.data else {
            return None;
        };
        let provider = &mut members.iter_mut().find(|member| member.name == "provider")?.node;
        if !provider.origin.is_built_in() {
            return None;
        }
        let before = provider.shown();
        let is_gone = |node: &Node| match &node.data {
            Data::Text(name) => gone.get_key_value(name),
            _ => None,
        };
        let first = match &provider.data {
            Data::List(nodes) => nodes.iter().find_map(is_gone),
            _ => is_gone(provider),
        };
        let (first, origin) = first?;
        if let Data::List(nodes) = &mut provider.data
            && !nodes.iter().all(|node| is_gone(node).is_some())
        {
            nodes.retain(|node| is_gone(node).is_none());
            self.changes.push(OverlayChange {
                path: format!("{TRANSFORM}.{name}.provider"),
                built_in: Some(before),
                here: Some(provider.shown()),
                origin: origin.clone(),
            });
            return None;
        }
        if self.changed.contains_key(&name) {
            return None;
        }
        self.changes.push(OverlayChange {
            path: format!("{TRANSFORM}.{name}"),
            built_in: Some(shown),
            here: None,
            origin: origin.clone(),
        });
        Some((name, first.clone()))
    }

    fn removed(&mut self, path: &[&str], node: &Node, origin: &Origin) {
        self.changes.push(OverlayChange {
            path: path.join("."),
            built_in: Some(match (path, &node.data) {
                ([TRANSFORM, _], _) => title(node),
                ([TRANSFORM], Data::List(nodes)) => format!("{} transforms", nodes.len()),
                _ => node.shown(),
            }),
            here: None,
            origin: origin.clone(),
        });
        self.removals.push(Removal {
            path: path.iter().map(|&step| step.to_owned()).collect(),
            origin: origin.clone(),
        });
    }

    fn nothing_there(&mut self, path: &[&str], origin: &Origin, hint: &str) {
        let path = path.join(".");
        self.problem(origin, format!("{REMOVE}: the built-in file has no {path}{hint}"));
    }

    fn problem(&mut self, origin: &Origin, message: String) {
        self.problems.push(Problem {
            origin: origin.clone(),
            message,
        });
    }

    /// Says of a fault in an inherited value what brought it about.
    pub(super) fn explain(&self, problem: &mut Problem) {
        if !problem.origin.is_built_in() {
            return;
        }
        let line = problem.origin.line();
        let begun = self.begins.iter().take_while(|(begin, _)| *begin <= line).last();
        let is_named = |name: &String| {
            let quoted = |end: char| problem.message.contains(&format!("\"{name}{end}"));
            quoted('"') || quoted('.')
        };
        let removal = self
            .removals
            .iter()
            .find(|removal| removal.path.last().is_some_and(is_named));
        let heir = match begun {
            Some((_, name)) => format!("inherited by the transform \"{name}\""),
            None => "inherited".to_owned(),
        };
        let reason = match (removal, begun.and_then(|(_, name)| self.changed.get(name))) {
            (Some(removal), _) => format!("{heir}; {} takes {} away", removal.origin, removal.path.join(".")),
            (None, Some(origin)) => format!("{heir}, which {origin} changes"),
            (None, None) => heir,
        };
        problem.message = format!("{} ({reason})", problem.message);
    }

    /// Returns what differs, with effective values: these are masked, where they are secret.
    pub(super) fn into_changes(self, effective: &[Effective]) -> Vec<OverlayChange> {
        let mut changes: Vec<OverlayChange> = Vec::new();
        for mut change in self.changes {
            let mut steps = change.path.split('.');
            if !matches!(steps.next(), Some(TRANSFORM | "scales")) {
                settle(&mut change, effective);
            }
            if !changes.iter().any(|known| known.path == change.path) {
                changes.push(change);
            }
        }
        changes
    }
}

/// Replaces a value as it is written by the effective one, which is told by a path of its own or by one above.
fn settle(change: &mut OverlayChange, effective: &[Effective]) {
    if change.here.is_none() {
        return;
    }
    let mut path = change.path.as_str();
    loop {
        if let Some(known) = effective.iter().find(|known| known.path == path) {
            change.here = Some(known.value.clone());
            change.origin = known.origin.clone();
            change.path = path.to_owned();
            return;
        }
        match path.rsplit_once('.') {
            Some((above, _)) => path = above,
            None => break,
        }
    }
    change.here = Some("set".to_owned());
}

/// Tells whether a table takes the entry of its name away. `has_name` says that it names the entry itself.
fn removes(node: &Node, path: &[&str], has_name: bool) -> Result<bool, Problem> {
    let Data::Table(members) = &node.data else {
        return Ok(false);
    };
    let Some(remove) = members.iter().find(|member| member.name == REMOVE) else {
        return Ok(false);
    };
    if !matches!(remove.node.data, Data::Flag(true)) {
        return Err(Problem {
            origin: remove.node.origin.clone(),
            message: format!("{REMOVE}: expected true, found {}", remove.node.shown()),
        });
    }
    let is_other = |member: &&Entry| member.name != REMOVE && !(has_name && member.name == "name");
    match members.iter().find(is_other) {
        None => Ok(true),
        Some(other) => Err(Problem {
            origin: other.origin.clone(),
            message: format!(
                "\"{}\" cannot stand beside {REMOVE} = true, which takes {} away",
                other.name,
                path.join(".")
            ),
        }),
    }
}

/// Returns what a transform is called.
fn title(node: &Node) -> String {
    node.at(&["title"]).map_or_else(String::new, Node::shown)
}
