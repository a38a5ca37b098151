//! `pivotd run`: a transform in the terminal, on values or on a graph.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::filters::Filters;
use super::follow::{self, GraphFiles, Step};
use super::found::{columns, entities};
use super::session::{ServerElsewhere, Session};
use super::table::{Column, csv};
use super::{ConfigFile, ExitStatus, block_on, given, terminal};
use crate::ask::report::{EntityView, MessageView, Report};
use crate::graph::changes::{EarlierGraph, GraphChanges};
use crate::graph::{Graph, Node, to_dot, to_graphml};
use crate::http::transforms::{GetInputs, RunRequest, RunTransform, RunView};
use crate::maltego::response::write_exception;
use crate::maltego::{TransformException, types};

/// Run a transform in the terminal.
#[derive(Debug, clap::Args)]
pub(super) struct Run {
    /// The transform, such as domaintools.ip-history.
    transform: String,
    /// The values, defanged or not. `-` takes the lines of standard input.
    #[arg(required_unless_present = "on")]
    values: Vec<String>,
    /// The entity type, such as Domain; the first input that can read the value otherwise. With --on, only entities of
    /// these types, with commas between them; otherwise all that the transform takes as they are.
    #[arg(long = "type", value_name = "TYPE")]
    type_id: Option<String>,
    /// A setting, such as since=2013-01-01; can be repeated.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    /// The most entities.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// A graph to merge the answers into: a GraphML file, or JSON if it is called so; made if it is not there.
    #[arg(long, value_name = "FILE")]
    graph: Option<PathBuf>,
    /// Run on entities of a graph instead of on values: a file, into which the answers are merged, unless --graph names
    /// another; with --graph also a type of its entities, such as Domain.
    #[arg(long, value_name = "GRAPH", conflicts_with = "values")]
    on: Option<String>,
    /// Print every cell whole, however wide the table becomes.
    #[arg(long)]
    wide: bool,
    /// How the answer is printed; dot and graphml print the whole graph.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Ask replayed vendors: sample data, no key, no network, no server.
    #[arg(long, conflicts_with = "server")]
    demo: bool,
    #[command(flatten)]
    elsewhere: ServerElsewhere,
    #[command(flatten)]
    file: ConfigFile,
    // The last, since its heading is that of what follows.
    #[command(flatten)]
    filters: Filters,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
    /// As a Maltego client gets it.
    Xml,
    /// The graph, for Graphviz.
    Dot,
    /// The graph, for other tools.
    Graphml,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// Holds what came of one value.
pub(super) struct RunOfValue {
    pub(super) input: Node,
    pub(super) report: Report,
    sample: bool,
}

impl RunOfValue {
    /// Tells whether it is a step of a graph: a run that failed, or was refused, brings nothing to it.
    fn is_step(&self) -> bool {
        !self.report.is_error() || !self.report.entities.is_empty()
    }
}

/// Holds what came of a command: as many runs as there were, and why there were no more.
struct Runs {
    results: Vec<RunOfValue>,
    /// What is said of the choice of inputs.
    chosen: Option<String>,
    failed: Option<anyhow::Error>,
}

impl Run {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        let is_local_transform = self.local().is_some();
        let is_elsewhere = self.elsewhere.is_named();
        match self.done() {
            // A client reads the output of a local transform, whatever becomes of it, and shows no more than that.
            Err(error) if is_local_transform => {
                terminal::print_data(&exception(&format!("{error:#}")));
                terminal::error(&format!("{error:#}"));
                Ok(ExitStatus::Well)
            }
            // ... which holds for a run that failed, too.
            Ok(_) if is_local_transform && is_elsewhere => Ok(ExitStatus::Well),
            done => done,
        }
    }

    fn done(mut self) -> anyhow::Result<ExitStatus> {
        anyhow::ensure!(
            self.format != Format::Xml || self.values.len() == 1 || self.local().is_some(),
            "an answer in XML is one run's; give one value, and behind it the entity's properties as a client writes \
             them: name=value#name=value"
        );
        anyhow::ensure!(
            self.on.is_some() || self.filters.is_empty(),
            "filters choose entities of a graph; name one with --on"
        );
        if self.local().is_none() {
            let command = format!("pivotd run {}", terminal::line(&self.transform));
            self.values = given::values(self.values, &command)?;
        }
        let following = GraphFiles::of(self.graph.as_deref(), self.on.as_deref(), self.type_id.as_deref())?;
        let graph = following.opened()?;
        let Runs {
            results: ran,
            chosen,
            failed,
        } = block_on(self.ask(&following, &graph))??;
        if ran.is_empty()
            && let Some(error) = failed
        {
            return Err(error);
        }
        // Asking takes time, in which another run may have written the graph.
        let held = following.target.as_deref().map(follow::hold).transpose()?;
        let (graph, news) = merged(following.opened()?, &ran);
        let mut step = None;
        if let Some(file) = following
            .target
            .as_deref()
            .filter(|_| ran.iter().any(RunOfValue::is_step))
        {
            follow::write(file, &graph)?;
            step = Some(Step {
                file,
                graph: &graph,
                news: &news,
                chosen: chosen.as_deref(),
            });
        }
        drop(held);
        self.print(&ran, &graph, step.as_ref())?;
        let done = if ran.iter().any(|one| one.report.is_error()) {
            ExitStatus::WithError
        } else {
            ExitStatus::Well
        };
        failed.map_or(Ok(done), Err)
    }

    fn print(&self, ran: &[RunOfValue], graph: &Graph, step: Option<&Step<'_>>) -> anyhow::Result<()> {
        let width = if self.wide { usize::MAX } else { terminal::width() };
        if let Some(step) = step
            && self.format != Format::Table
        {
            step.lines(&self.transform)
                .iter()
                .for_each(|line| terminal::note(line));
        }
        match self.format {
            Format::Table => match step {
                Some(step) if self.on.is_some() => follow::show_step(ran, step, &self.transform, width),
                // Nothing was found, and all were asked the same.
                None if self.on.is_some() => follow::messages(ran).iter().for_each(say),
                _ => {
                    if let Some(step) = step {
                        step.lines(&self.transform)
                            .iter()
                            .for_each(|line| terminal::print(line));
                        terminal::print("");
                    }
                    let last = ran.len().saturating_sub(1);
                    for (at, one) in ran.iter().enumerate() {
                        show(one, ran.len() > 1, at == last, step, width);
                    }
                }
            },
            // One object for one value, however many were given otherwise.
            Format::Json => match ran {
                [one] if self.is_alone() => {
                    terminal::print_data(&serde_json::to_string_pretty(&json(one, step)?)?);
                }
                several => {
                    let all = several.iter().map(|one| json(one, step));
                    let all: Vec<_> = all.collect::<Result<_, _>>()?;
                    terminal::print_data(&serde_json::to_string_pretty(&all)?);
                }
            },
            Format::Csv => terminal::print_data(&csv(&table_of_all(ran, step))?),
            Format::Xml => ran.iter().for_each(|one| terminal::print_data(&one.report.xml)),
            Format::Dot => terminal::print_data(&to_dot(graph)),
            Format::Graphml => terminal::print_data(&to_graphml(graph)?),
        }
        if matches!(self.format, Format::Csv | Format::Dot | Format::Graphml) {
            // These have no place for messages.
            follow::messages(ran).iter().for_each(note);
        }
        Ok(())
    }

    /// Tells whether one value was given on the command line.
    fn is_alone(&self) -> bool {
        self.on.is_none() && (self.values.len() == 1 || self.local().is_some())
    }

    /// Reads what a Maltego client gives a local transform: a value, and the entity's properties behind it.
    fn local(&self) -> Option<Node> {
        let [value, properties] = self.values.as_slice() else {
            return None;
        };
        let read = || match properties.as_str() {
            "" => Some(BTreeMap::new()),
            // A client starts it so, and a second value would have no place in an answer in XML.
            given if self.elsewhere.is_named() => Some(super::local::readable(given)),
            given => super::local::properties(given),
        };
        let properties = (self.format == Format::Xml).then(read).flatten()?;
        Some(Node {
            type_id: self.type_id.clone().unwrap_or_default(),
            value: value.clone(),
            properties,
            ..Node::default()
        })
    }

    /// Finds what to run on: the values, or entities of a graph.
    async fn inputs(
        &self,
        session: &Session,
        following: &GraphFiles,
        graph: &Graph,
    ) -> anyhow::Result<(Vec<Node>, Option<String>)> {
        if let Some(local) = self.local() {
            return Ok((vec![local], None));
        }
        if following.source.is_none() {
            let named = |value: &String| Node {
                type_id: self.type_id.clone().unwrap_or_default(),
                value: value.clone(),
                ..Node::default()
            };
            return Ok((self.values.iter().map(named).collect(), None));
        }
        let inputs = GetInputs {
            transform: self.transform.clone(),
        };
        let takes = session.call(&inputs, "the transform").await?;
        following.inputs(graph, &self.filters, &takes)
    }

    async fn ask(&self, following: &GraphFiles, graph: &Graph) -> anyhow::Result<Runs> {
        let session = Session::of(self.file.config.as_deref(), self.demo, self.elsewhere.server()?).await?;
        let (inputs, chosen) = match self.inputs(&session, following, graph).await {
            Ok(inputs) => inputs,
            Err(error) => {
                session.close().await;
                return Err(error);
            }
        };
        let is_typed = following.source.is_none() && self.local().is_none();
        let count = inputs.len();
        let mut all = Vec::new();
        let mut failed = None;
        for (at, mut input) in inputs.into_iter().enumerate() {
            let run = RunTransform {
                transform: self.transform.clone(),
                request: RunRequest {
                    value: input.value.clone(),
                    properties: input.properties.clone(),
                    type_id: Some(input.type_id.clone()).filter(|id| !id.is_empty()),
                    settings: self.settings.iter().cloned().collect(),
                    limit: self.limit,
                },
            };
            let which = if count > 1 {
                format!(" ({} of {count})", at + 1)
            } else {
                String::new()
            };
            match session
                .call(&run, &format!("waiting for {}{which}", self.transform))
                .await
            {
                Ok(RunView { mut report, sample }) => {
                    complete(&mut input, &mut report, is_typed);
                    all.push(RunOfValue {
                        input,
                        report,
                        sample,
                    });
                }
                Err(error) => failed = Some(error),
            }
            if failed.is_some() {
                break;
            }
        }
        session.close().await;
        Ok(Runs {
            results: all,
            chosen,
            failed,
        })
    }
}

/// Writes why a local transform has no answer, as clients read it.
fn exception(text: &str) -> String {
    write_exception(&[TransformException {
        code: None,
        text: text.to_owned(),
    }])
}

/// Merges what runs found into a graph, and says what that brought.
fn merged(mut graph: Graph, ran: &[RunOfValue]) -> (Graph, GraphChanges) {
    let before = EarlierGraph::of(&graph);
    let mut answered = ran.iter().filter(|one| one.is_step()).peekable();
    if let Some(first) = answered.peek() {
        graph.begin(&first.report.transform);
    }
    for one in answered {
        let at = graph.give(one.input.clone());
        graph.found(at, &one.report.transform, one.report.entities.clone());
    }
    let news = GraphChanges::of(&before, &graph);
    (graph, news)
}

/// Prints a message; errors go where errors go.
pub(super) fn say(message: &MessageView) {
    match message.kind.as_str() {
        "Inform" | "Debug" => terminal::print(&message.text),
        _ => terminal::error(&message.text),
    }
}

/// Writes a message beside data on standard output.
fn note(message: &MessageView) {
    match message.kind.as_str() {
        "Inform" | "Debug" => terminal::note(&message.text),
        _ => terminal::error(&message.text),
    }
}

/// Gives an input from the command line the type that it was run as, and its value property. A value that was typed gets
/// the form in which entities have it, so that it merges with those that are found.
fn complete(input: &mut Node, report: &mut Report, is_typed: bool) {
    input.type_id.clone_from(&report.input_type);
    if is_typed {
        let value = report.input_value.clone();
        // The input with what was learnt of it has the value as it was typed.
        for entity in &mut report.entities {
            if entity.type_id == input.type_id && entity.value == input.value {
                let name = types::value_property(&entity.type_id);
                if let Some(said) = name.and_then(|name| entity.properties.get_mut(name)) {
                    said.clone_from(&value);
                }
                entity.value.clone_from(&value);
            }
        }
        input.value = value;
    }
    if let Some(name) = types::value_property(&input.type_id)
        && !input.properties.contains_key(name)
    {
        let is_strict = types::property(&input.type_id, name).is_some_and(|known| known.strict);
        input.properties.insert(name.to_owned(), input.value.clone());
        input.strict.extend(is_strict.then(|| name.to_owned()));
    }
}

/// Prints entities and what is to be said of them; errors go where errors go.
fn show(ran: &RunOfValue, named: bool, last: bool, step: Option<&Step<'_>>, width: usize) {
    let report = &ran.report;
    let mut from = None;
    if named {
        terminal::print(&format!("\n{}:", terminal::line(&ran.input.value)));
    }
    if !report.entities.is_empty() {
        let (table, one_source) = entities(&report.entities, step, width);
        terminal::print_lines(&table);
        terminal::print("");
        from = one_source;
    }
    let count = report.entities.len();
    let noun = if count == 1 { "entity" } else { "entities" };
    let from = from
        .map(|from| format!(" from {}", terminal::line(&from)))
        .unwrap_or_default();
    terminal::print(&format!(
        "{count} {noun}{from} ({}, {})",
        report.outcome,
        source(&report.cache)
    ));
    // What is said of all of them is said once, under the last.
    let of_all = |text: &str| ran.sample && text.starts_with("pivotd demo: ");
    for message in report
        .messages
        .iter()
        .filter(|message| last || !of_all(&message.text))
    {
        say(message);
    }
}

/// Says where an answer came from, for people.
fn source(cache: &str) -> &str {
    match cache {
        "hit" => "from the cache",
        "stale" => "from the cache, past its time",
        "miss" | "joined" => "asked now",
        "local" => "no provider was asked",
        _ => "partly from the cache",
    }
}

fn json(ran: &RunOfValue, step: Option<&Step<'_>>) -> serde_json::Result<serde_json::Value> {
    let mut value = serde_json::to_value(&ran.report)?;
    if let Some(fields) = value.as_object_mut() {
        // It has a format of its own.
        fields.remove("xml");
        if ran.sample {
            fields.insert("sample_data".to_owned(), true.into());
        }
        if let Some(step) = step {
            fields.insert("step".to_owned(), step.news.step.into());
            let shown = fields
                .get_mut("entities")
                .and_then(serde_json::Value::as_array_mut);
            for (shown, entity) in shown.into_iter().flatten().zip(&ran.report.entities) {
                if let Some(shown) = shown.as_object_mut() {
                    shown.insert("new".to_owned(), step.is_new(entity).into());
                }
            }
        }
    }
    Ok(value)
}

/// Makes one table of all runs, with what each ran on.
fn table_of_all(ran: &[RunOfValue], step: Option<&Step<'_>>) -> Vec<Column> {
    let mut all: Vec<EntityView> = Vec::new();
    let mut inputs: Vec<String> = Vec::new();
    for one in ran {
        all.extend(one.report.entities.iter().cloned());
        inputs.extend(one.report.entities.iter().map(|_| one.input.value.clone()));
    }
    let mut table = vec![Column::main("Input", inputs)];
    table.extend(columns(&all, step));
    table
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn entity(value: &str) -> EntityView {
        EntityView {
            type_id: "maltego.Domain".to_owned(),
            value: value.to_owned(),
            strict: BTreeSet::from(["fqdn".to_owned()]),
            marks: BTreeSet::new(),
            properties: BTreeMap::from([("fqdn".to_owned(), value.to_owned())]),
            link: None,
            observations: Vec::new(),
        }
    }

    /// Makes what came of a value that was typed: the entity itself with what was learnt, and another.
    fn ran(typed: &str, is_typed: bool) -> RunOfValue {
        let mut input = Node {
            value: typed.to_owned(),
            ..Node::default()
        };
        let mut report = Report {
            transform: "acme.neighbours".to_owned(),
            input_type: "maltego.Domain".to_owned(),
            input_value: "example.com".to_owned(),
            outcome: "found".to_owned(),
            cache: "miss".to_owned(),
            entities: vec![entity(typed), entity("example.net")],
            messages: Vec::new(),
            xml: String::new(),
        };
        complete(&mut input, &mut report, is_typed);
        RunOfValue {
            input,
            report,
            sample: false,
        }
    }

    #[test]
    fn a_typed_value_merges_with_the_entity_that_it_names() {
        let (graph, _) = merged(Graph::default(), &[ran("example.com", true)]);
        let (graph, news) = merged(graph, &[ran("EXAMPLE[.]com", true)]);
        let values: Vec<&str> = graph.nodes().iter().map(|node| node.value.as_str()).collect();
        assert_eq!(values, ["example.com", "example.net"]);
        assert!(news.new.is_empty(), "{news:?}");
        let (graph, _) = merged(graph, &[ran("EXAMPLE.com", false)]);
        assert_eq!(graph.nodes().len(), 3, "an entity of a graph stays as it is");
    }
}
