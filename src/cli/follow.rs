//! Runs on graphs: which entities a transform is run on, what is new after it, and what is said of it.

use std::collections::BTreeMap;
use std::fs::TryLockError;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::filters::{Filters, left_out};
use super::found::entities;
use super::run::{RunOfValue, say};
use super::terminal;
use crate::ask::message::head;
use crate::ask::report::{EntityView, MessageView, Observation};
use crate::config::problem::did_you_mean;
use crate::graph::changes::GraphChanges;
use crate::graph::select::is_type;
use crate::graph::{Graph, Node, read, to_graphml, to_json};
use crate::maltego::types;

/// The most new entities that are shown; `pivotd graph show --new` shows all.
const MOST_SHOWN: usize = 40;
/// The most values that are named in a line.
const MOST_NAMED: usize = 10;

/// Says which graph a run reads and which it writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct GraphFiles {
    /// The graph with the entities to run on; none where values are given.
    pub(super) source: Option<PathBuf>,
    /// The graph into which answers are merged.
    pub(super) target: Option<PathBuf>,
    /// The types to run on; empty for those that the transform takes.
    pub(super) types: Vec<String>,
}

impl GraphFiles {
    /// Takes `--graph`, `--on` and `--type` together: what `--on` names is a graph, or a type in the graph of `--graph`.
    pub(super) fn of(graph: Option<&Path>, on: Option<&str>, type_id: Option<&str>) -> anyhow::Result<Self> {
        let target = graph.map(Path::to_path_buf);
        let Some(on) = on else {
            return Ok(Self {
                target,
                ..Self::default()
            });
        };
        let split = |text: &str| {
            text.split(',')
                .map(|one| one.trim().to_owned())
                .collect::<Vec<_>>()
        };
        if looks_like_file(on) {
            let source = PathBuf::from(on);
            anyhow::ensure!(source.is_file(), "there is no graph {on}");
            return Ok(Self {
                target: target.or_else(|| Some(source.clone())),
                source: Some(source),
                types: type_id.map(split).unwrap_or_default(),
            });
        }
        anyhow::ensure!(
            target.is_some(),
            "{on} is no file; name a graph, as in --on case.graphml --type {on}"
        );
        anyhow::ensure!(
            type_id.is_none(),
            "--on {on} and --type say the same; name the graph with --on, and the type with --type"
        );
        Ok(Self {
            source: target.clone(),
            target,
            types: split(on),
        })
    }

    /// Reads the graph into which answers are merged; without one, an empty graph.
    pub(super) fn opened(&self) -> anyhow::Result<Graph> {
        match &self.target {
            Some(file) => opened_or_new(file),
            None => Ok(Graph::default()),
        }
    }

    /// Chooses what to run on, and says what was left out. `takes` are the types of the transform.
    pub(super) fn inputs(
        &self,
        target: &Graph,
        filters: &Filters,
        takes: &[String],
    ) -> anyhow::Result<(Vec<Node>, Option<String>)> {
        let is_same = self.source == self.target;
        let other = match &self.source {
            Some(source) if !is_same => Some(opened(source)?),
            _ => None,
        };
        let graph = other.as_ref().unwrap_or(target);
        let types = if self.types.is_empty() {
            types_on(graph, takes)
        } else {
            known_types(graph, &self.types)?;
            self.types.clone()
        };
        let named = if self.types.is_empty() { takes } else { &self.types };
        let named = named.join(" or ");
        anyhow::ensure!(!types.is_empty(), "the graph has no entity of type {named}");
        let selected = filters.choose(graph, types)?;
        anyhow::ensure!(selected.of_type > 0, "the graph has no entity of type {named}");
        let said = left_out(graph, &selected);
        anyhow::ensure!(
            !selected.chosen.is_empty(),
            "there is nothing to run on: {}",
            said.unwrap_or_default()
        );
        let chosen = selected.chosen.iter().filter_map(|at| graph.nodes().get(*at));
        let inputs = chosen.cloned().map(|mut node| {
            if !is_same {
                forget(&mut node);
            }
            node
        });
        Ok((inputs.collect(), said))
    }
}

/// Takes off a node what another graph says of it: who saw it and when, and what that graph's steps did.
fn forget(node: &mut Node) {
    let sources: Vec<String> = node
        .properties
        .keys()
        .filter_map(|name| Observation::source_of(name))
        .map(str::to_owned)
        .collect();
    for source in sources {
        for what in ["source", "first_seen", "last_seen", "retrieved_at"] {
            node.properties.remove(&format!("{source}.{what}"));
        }
    }
    node.observations.clear();
    node.steps.clear();
    node.given = false;
}

/// Makes sure that each named type is one that a graph has, or one that there is.
pub(super) fn known_types(graph: &Graph, named: &[String]) -> anyhow::Result<()> {
    for one in named {
        let is_there = graph.nodes().iter().any(|node| is_type(node, one));
        anyhow::ensure!(
            is_there || one.contains('.') || types::by_any_name(one).is_some(),
            "there is no entity type {}{}",
            terminal::line(one),
            did_you_mean(one, types::all().map(types::EntityType::short))
        );
    }
    Ok(())
}

/// Tells whether a text names a file rather than a type.
fn looks_like_file(text: &str) -> bool {
    let path = Path::new(text);
    let extension = path.extension().and_then(std::ffi::OsStr::to_str);
    path.is_file()
        || text.contains(['/', '\\'])
        || extension
            .is_some_and(|one| matches!(one.to_ascii_lowercase().as_str(), "graphml" | "json" | "xml"))
}

/// Lists the types on a graph that a transform takes, by itself or by an ancestor.
fn types_on(graph: &Graph, takes: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for node in graph.nodes() {
        let is_taken = takes.iter().any(|one| types::is_a(&node.type_id, one));
        if is_taken && !all.contains(&node.type_id) {
            all.push(node.type_id.clone());
        }
    }
    all
}

/// Reads the graph of a file.
pub(super) fn opened(file: &Path) -> anyhow::Result<Graph> {
    let text = std::fs::read_to_string(file).map_err(|reason| {
        let shown = file.display().to_string();
        if reason.kind() == std::io::ErrorKind::NotFound {
            let named = terminal::quoted(&shown);
            anyhow::anyhow!(
                "there is no graph {shown}; `pivotd run TRANSFORM VALUE --graph {named}` makes one"
            )
        } else {
            anyhow::Error::new(reason).context(shown)
        }
    })?;
    read(&text).with_context(|| file.display().to_string())
}

/// Reads the graph of a file; a file that is not there yet is an empty graph.
pub(super) fn opened_or_new(file: &Path) -> anyhow::Result<Graph> {
    if file.exists() {
        opened(file)
    } else {
        Ok(Graph::default())
    }
}

/// Keeps other runs from writing the graph of a file until it is dropped: each reads what the one before it wrote. The
/// folder is locked, since the file itself is replaced.
pub(super) fn hold(file: &Path) -> anyhow::Result<Option<std::fs::File>> {
    let place = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf());
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let held = match std::fs::File::open(folder) {
        Ok(held) => held,
        // A folder that may be passed and not read: a graph in it can be written all the same.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => return Err(error).with_context(|| folder.display().to_string()),
    };
    let locked = match held.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            let _waits =
                terminal::Progress::start("waiting for another run that writes a graph in this folder");
            held.lock()
        }
        Err(TryLockError::Error(error)) => Err(error),
    };
    match locked {
        // Some file systems of a network have no locks.
        Err(error) if error.kind() != std::io::ErrorKind::Unsupported => {
            Err(error).with_context(|| folder.display().to_string())
        }
        _ => Ok(Some(held)),
    }
}

/// Writes a graph: as JSON where the file is called so, else as GraphML. The file is replaced as a whole, so that a
/// graph is never lost half written.
pub(super) fn write(file: &Path, graph: &Graph) -> anyhow::Result<()> {
    let is_json = file
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let text = if is_json {
        to_json(graph)?
    } else {
        to_graphml(graph)?
    };
    // Behind a symbolic link, the file that it names is replaced, not the link.
    let place = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf());
    let is_plain = std::fs::symlink_metadata(&place).is_ok_and(|known| known.is_file());
    let replaced = if is_plain {
        replace(&place, &text)
    } else {
        Ok(false)
    };
    // A new file, a device and a file in a folder of others cannot be replaced.
    let written = replaced.and_then(|done| {
        if done {
            Ok(())
        } else {
            std::fs::write(&place, &text)
        }
    });
    written.with_context(|| file.display().to_string())
}

/// Replaces a file by a new one that is whole on disk before; `false` where the folder permits no new file. The file
/// stays as it is unless this gives `true`.
fn replace(file: &Path, text: &str) -> std::io::Result<bool> {
    let refused = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => Ok(false),
        _ => Err(error),
    };
    let mut new = match tempfile::NamedTempFile::new_in(file.parent().unwrap_or(Path::new("."))) {
        Ok(new) => new,
        Err(error) => return refused(error),
    };
    new.write_all(text.as_bytes())?;
    if let Err(error) = std::fs::set_permissions(new.path(), std::fs::metadata(file)?.permissions()) {
        return refused(error);
    }
    new.as_file().sync_all()?;
    match new.persist(file) {
        Ok(_) => Ok(true),
        Err(error) => refused(error.error),
    }
}

/// Holds what a step did to a graph.
pub(super) struct Step<'a> {
    pub(super) file: &'a Path,
    pub(super) graph: &'a Graph,
    pub(super) news: &'a GraphChanges,
    pub(super) chosen: Option<&'a str>,
}

impl Step<'_> {
    /// Says what was chosen and what it brought.
    pub(super) fn lines(&self, transform: &str) -> Vec<String> {
        let chosen = self.chosen.map(|chosen| format!("runs on {chosen}"));
        let summary = summary(self.file, transform, self.graph, self.news);
        chosen.into_iter().chain([summary]).collect()
    }

    pub(super) fn is_new(&self, entity: &EntityView) -> bool {
        let at = self.graph.find(&Node::from(entity.clone()));
        at.is_some_and(|at| self.news.new.contains(&at))
    }
}

/// Prints what a step on a graph brought: in short first, then what is new, then what is said.
pub(super) fn show_step(result: &[RunOfValue], step: &Step<'_>, transform: &str, width: usize) {
    for line in step.lines(transform) {
        terminal::print(&line);
    }
    let (new, more) = new_entities(step.graph, step.news);
    if !new.is_empty() {
        let (table, one_source) = entities(&new, None, width);
        terminal::print_lines(&format!("\n{table}"));
        if let Some(source) = one_source {
            terminal::print(&format!("\nall from {}", terminal::line(&source)));
        }
    }
    if more > 0 {
        let file = step.file.display();
        terminal::print(&format!("… and {more} more: pivotd graph show {file} --new"));
    }
    let corroborated = step.news.corroborated.iter();
    let corroborated = corroborated.filter_map(|at| Some(step.graph.nodes().get(*at)?.value.as_str()));
    let named = named(corroborated);
    if !named.is_empty() {
        terminal::print(&format!("\nwith a further source now: {named}"));
    }
    for message in messages(result) {
        say(&message);
    }
}

/// Returns the messages of all runs; what is said of several inputs is said once.
pub(super) fn messages(result: &[RunOfValue]) -> Vec<MessageView> {
    let all = result.iter().flat_map(|one| {
        let value = one.input.value.as_str();
        one.report.messages.iter().map(move |message| (value, message))
    });
    let all = gathered(all).into_iter();
    all.map(|(kind, text)| MessageView { kind, text }).collect()
}

/// Says in one line what a step brought.
fn summary(file: &Path, transform: &str, graph: &Graph, news: &GraphChanges) -> String {
    format!(
        "{}, step {} ({transform}): {}",
        file.display(),
        news.step,
        news.text(graph)
    )
}

/// Returns new entities as a run shows them, with the dates of the whole graph, and how many are not shown.
fn new_entities(graph: &Graph, news: &GraphChanges) -> (Vec<EntityView>, usize) {
    let shown = news.new.iter().take(MOST_SHOWN);
    let views = shown.filter_map(|at| graph.nodes().get(*at)).map(view);
    (views.collect(), news.new.len().saturating_sub(MOST_SHOWN))
}

/// Shows a node as a run shows what it found.
fn view(node: &Node) -> EntityView {
    EntityView {
        type_id: node.type_id.clone(),
        value: node.value.clone(),
        properties: node.properties.clone(),
        strict: node.strict.clone(),
        marks: node.marks.clone(),
        link: None,
        observations: node.observations.iter().cloned().collect(),
    }
}

/// Names the first of several values.
pub(super) fn named<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let all: Vec<String> = values.into_iter().map(terminal::line).collect();
    let mut text = all
        .iter()
        .take(MOST_NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if all.len() > MOST_NAMED {
        text.push_str(&format!(" and {} more", all.len() - MOST_NAMED));
    }
    text
}

/// Puts messages together that say the same of several inputs. Each begins with its input's value.
fn gathered<'a>(messages: impl IntoIterator<Item = (&'a str, &'a MessageView)>) -> Vec<(String, String)> {
    let mut order: Vec<(&str, &str)> = Vec::new();
    let mut inputs: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (value, message) in messages {
        let rest = message.text.strip_prefix(&head(value));
        let rest = rest.and_then(|rest| rest.strip_prefix(": "));
        let key = (message.kind.as_str(), rest.unwrap_or(&message.text));
        let of = inputs.entry(key).or_insert_with(|| {
            order.push(key);
            Vec::new()
        });
        of.extend(rest.is_some().then_some(value));
    }
    let texts = order.into_iter().map(|(kind, rest)| {
        let of = inputs.remove(&(kind, rest)).unwrap_or_default();
        let text = match of.as_slice() {
            [] => rest.to_owned(),
            [one] => format!("{one}: {rest}"),
            several => format!(
                "{rest}: {} ({} entities)",
                named(several.iter().copied()),
                several.len()
            ),
        };
        (kind.to_owned(), text)
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_many_is_said_once() {
        let message = |value: &str, text: &str| MessageView {
            kind: "Inform".to_owned(),
            text: format!("{value}: {text}"),
        };
        let all = [
            ("a.example", message("a.example", "nothing is known")),
            ("b.example", message("b.example", "3 of 9 shown")),
            ("c.example", message("c.example", "nothing is known")),
        ];
        let texts = gathered(all.iter().map(|(value, message)| (*value, message)));
        let texts: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "nothing is known: a.example, c.example (2 entities)",
                "b.example: 3 of 9 shown"
            ]
        );
    }

    #[test]
    fn what_is_said_of_long_values_is_said_once() {
        let values = ["a", "b"].map(|start| format!("{start}{}", "x".repeat(300)));
        let all = values.each_ref().map(|value| MessageView {
            kind: "Inform".to_owned(),
            text: format!("{}: nothing is known", head(value)),
        });
        let texts = gathered(values.iter().map(String::as_str).zip(&all));
        assert_eq!(texts.len(), 1, "{texts:?}");
        assert!(texts[0].1.starts_with("nothing is known: a"), "{texts:?}");
    }

    #[test]
    fn an_entity_of_another_graph_comes_without_what_that_graph_says_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let [source, target] = ["source.json", "target.json"].map(|name| folder.path().join(name));
        let properties = ["acme.source", "acme.first_seen", "acme.last_seen", "acme.score"];
        let node = Node {
            type_id: "maltego.Domain".to_owned(),
            value: "example.com".to_owned(),
            properties: properties
                .map(|name| (name.to_owned(), "2013-01-02".to_owned()))
                .into(),
            ..Node::default()
        };
        let mut graph = Graph::default();
        graph.begin("acme.whois");
        graph.give(node);
        write(&source, &graph).unwrap();
        let following = GraphFiles::of(Some(&target), source.to_str(), Some("Domain")).unwrap();
        let filters = Filters::default();
        let (inputs, _) = following.inputs(&Graph::default(), &filters, &[]).unwrap();
        let [input] = inputs.as_slice() else {
            panic!("{inputs:?}")
        };
        assert!(!input.given && input.steps.is_empty());
        let left: Vec<&String> = input.properties.keys().collect();
        assert_eq!(left, ["acme.score"]);
    }

    #[cfg(unix)]
    #[test]
    fn the_file_behind_a_link_is_replaced_and_never_cut_short() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let [file, link] = ["case.json", "link.json"].map(|name| folder.path().join(name));
        write(&file, &Graph::default()).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let before = std::fs::metadata(&file).unwrap().ino();
        write(&link, &Graph::default()).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_ne!(std::fs::metadata(&file).unwrap().ino(), before, "a new file");
        assert!(
            replace(&folder.path().join("gone"), "").is_err(),
            "an error is no leave to write"
        );
    }

    #[test]
    fn on_names_a_graph_or_a_type_in_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("case.graphml");
        std::fs::write(&file, "<graphml/>").unwrap();
        let name = file.to_str().unwrap();
        let graph = GraphFiles::of(None, Some(name), Some("Domain,URL")).unwrap();
        assert_eq!(graph.source, graph.target);
        assert_eq!(graph.types, ["Domain", "URL"]);
        let in_graph = GraphFiles::of(Some(&file), Some("Domain"), None).unwrap();
        assert_eq!(
            (&in_graph.source, &in_graph.target),
            (&graph.source, &graph.target)
        );
        let other = folder.path().join("other.graphml");
        let into = GraphFiles::of(Some(&other), Some(name), None).unwrap();
        assert_eq!(into.target, Some(other));
        assert!(into.types.is_empty(), "those of the transform");
        assert!(
            GraphFiles::of(None, Some("Domain"), None).is_err(),
            "in which graph?"
        );
        assert!(GraphFiles::of(None, Some("missing.graphml"), None).is_err());
        assert!(GraphFiles::of(Some(&file), Some("Domain"), Some("URL")).is_err());
    }

    #[test]
    fn a_graph_is_replaced_as_a_whole_in_the_format_of_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let mut graph = Graph::default();
        graph.give(Node {
            type_id: "maltego.Domain".to_owned(),
            value: "example.com".to_owned(),
            ..Node::default()
        });
        for name in ["case.graphml", "case.json", "case"] {
            let file = folder.path().join(name);
            for _ in 0..2 {
                write(&file, &graph).unwrap();
                assert_eq!(opened(&file).unwrap(), graph, "{name}");
            }
            let text = std::fs::read_to_string(&file).unwrap();
            assert_eq!(text.starts_with('{'), name == "case.json");
        }
        assert!(opened(&folder.path().join("missing")).is_err());
        assert_eq!(
            opened_or_new(&folder.path().join("missing")).unwrap(),
            Graph::default()
        );
    }
}
