//! `pivotd run`: a transform in the terminal, on values or on a graph.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::session::{Session, unexpected};
use super::table::{Column, natural, render};
use super::{ConfigFile, Done, block_on, terminal};
use crate::ask::report::{EntityView, Report};
use crate::control::{ControlReply, ControlRequest, RunRequest};
use crate::graph::{Graph, Node, read_graphml, to_dot, to_graphml};
use crate::maltego::types;

/// Run a transform in the terminal.
#[derive(Debug, clap::Args)]
pub(super) struct Run {
    /// The transform, such as domaintools.ip-history.
    transform: String,
    /// The values, defanged or not.
    #[arg(required_unless_present = "on")]
    values: Vec<String>,
    /// The entity type, such as Domain; the first input that can read the value otherwise.
    #[arg(long = "type", value_name = "TYPE")]
    type_id: Option<String>,
    /// A setting, such as since=2013-01-01; can be repeated.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    /// The most entities.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// A graph to merge the answer into: a GraphML file, made if it is not there.
    #[arg(long, value_name = "FILE")]
    graph: Option<PathBuf>,
    /// Run on every entity of this type in the graph, such as Domain, instead of on values.
    #[arg(long, value_name = "TYPE", requires = "graph", conflicts_with = "values")]
    on: Option<String>,
    /// How the answer is printed; dot and graphml print the whole graph.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Ask replayed vendors: sample data, no key, no network, no server.
    #[arg(long)]
    demo: bool,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
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
struct Ran {
    input: Node,
    report: Report,
    sample: bool,
}

impl Run {
    pub(super) fn run(self) -> anyhow::Result<Done> {
        anyhow::ensure!(
            self.format != Format::Xml || self.values.len() == 1 || self.local().is_some(),
            "an answer in XML is one run's; give one value, and behind it the entity's properties as a client writes \
             them: name=value#name=value"
        );
        let mut graph = self
            .graph
            .as_deref()
            .map_or_else(|| Ok(Graph::default()), opened)?;
        let inputs = self.inputs(&graph)?;
        let ran = block_on(self.ask(inputs))??;
        let mut done = Done::Well;
        for one in &ran {
            if one.report.is_error() {
                done = Done::WithError;
            }
            let at = graph.add(one.input.clone());
            graph.found(at, &one.report.transform, one.report.entities.clone());
        }
        if let Some(file) = &self.graph {
            let text = to_graphml(&graph)?;
            std::fs::write(file, text).with_context(|| file.display().to_string())?;
        }
        match self.format {
            Format::Table => {
                let last = ran.len().saturating_sub(1);
                for (at, one) in ran.iter().enumerate() {
                    show(one, ran.len() > 1, at == last);
                }
            }
            Format::Json => match ran.as_slice() {
                [one] => terminal::print_data(&serde_json::to_string_pretty(&json(one)?)?),
                several => {
                    let all: Vec<_> = several.iter().map(json).collect::<Result<_, _>>()?;
                    terminal::print_data(&serde_json::to_string_pretty(&all)?);
                }
            },
            Format::Xml => ran.iter().for_each(|one| terminal::print_data(&one.report.xml)),
            Format::Dot => terminal::print_data(&to_dot(&graph)),
            Format::Graphml => terminal::print_data(&to_graphml(&graph)?),
        }
        Ok(done)
    }

    /// Reads what a Maltego client gives a local transform: a value, and the entity's properties behind it.
    fn local(&self) -> Option<Node> {
        let [value, properties] = self.values.as_slice() else {
            return None;
        };
        let properties = (self.format == Format::Xml)
            .then(|| super::local::properties(properties))
            .flatten()?;
        Some(Node {
            type_id: self.type_id.clone().unwrap_or_default(),
            value: value.clone(),
            properties,
            ..Node::default()
        })
    }

    /// Finds what to run on: the values, or entities of the graph.
    fn inputs(&self, graph: &Graph) -> anyhow::Result<Vec<Node>> {
        if let Some(local) = self.local() {
            return Ok(vec![local]);
        }
        let Some(on) = &self.on else {
            let named = |value: &String| Node {
                type_id: self.type_id.clone().unwrap_or_default(),
                value: value.clone(),
                ..Node::default()
            };
            return Ok(self.values.iter().map(named).collect());
        };
        let is_meant = |node: &&Node| {
            let last = node.type_id.rsplit('.').next().unwrap_or_default();
            node.type_id == *on || last.eq_ignore_ascii_case(on)
        };
        let found: Vec<Node> = graph.nodes().iter().filter(is_meant).cloned().collect();
        anyhow::ensure!(!found.is_empty(), "the graph has no entity of type {on}");
        Ok(found)
    }

    async fn ask(&self, inputs: Vec<Node>) -> anyhow::Result<Vec<Ran>> {
        let session = Session::of(self.file.config.as_deref(), self.demo).await?;
        let count = inputs.len();
        let mut all = Vec::new();
        let mut failed = None;
        for (at, mut input) in inputs.into_iter().enumerate() {
            let request = ControlRequest::Run(RunRequest {
                transform: self.transform.clone(),
                value: input.value.clone(),
                properties: input.properties.clone().into_iter().collect(),
                type_id: Some(input.type_id.clone()).filter(|id| !id.is_empty()),
                settings: self.settings.clone(),
                limit: self.limit,
            });
            let which = if count > 1 {
                format!(" ({} of {count})", at + 1)
            } else {
                String::new()
            };
            match session
                .ask(request, &format!("waiting for {}{which}", self.transform))
                .await
            {
                Ok(ControlReply::Ran { report, sample }) => {
                    complete(&mut input, &report);
                    all.push(Ran {
                        input,
                        report,
                        sample,
                    });
                }
                Ok(_) => failed = Some(unexpected()),
                Err(error) => failed = Some(error),
            }
            if failed.is_some() {
                break;
            }
        }
        session.close().await;
        match failed {
            Some(error) => Err(error),
            None => Ok(all),
        }
    }
}

/// Gives an input from the command line the type that it was run as, and its value property.
fn complete(input: &mut Node, report: &Report) {
    input.type_id.clone_from(&report.input_type);
    if let Some(name) = types::value_property(&input.type_id)
        && !input.properties.contains_key(name)
    {
        let is_strict = types::property(&input.type_id, name).is_some_and(|known| known.strict);
        input.properties.insert(name.to_owned(), input.value.clone());
        input.strict.extend(is_strict.then(|| name.to_owned()));
    }
}

/// Reads the graph of a file; a file that is not there yet is an empty graph.
fn opened(file: &Path) -> anyhow::Result<Graph> {
    match std::fs::read_to_string(file) {
        Ok(text) => read_graphml(&text).with_context(|| file.display().to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Graph::default()),
        Err(error) => Err(error).with_context(|| file.display().to_string()),
    }
}

/// Prints entities and what is to be said of them; errors go where errors go.
fn show(ran: &Ran, named: bool, last: bool) {
    let report = &ran.report;
    let mut from = None;
    if named {
        terminal::print(&format!("\n{}:", terminal::line(&ran.input.value)));
    }
    if !report.entities.is_empty() {
        let (table, one_source) = entities(&report.entities, terminal::width());
        terminal::print(&table);
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
        match message.kind.as_str() {
            "Inform" | "Debug" => terminal::print(&message.text),
            _ => terminal::error(&message.text),
        }
    }
}

/// Says where an answer came from, for people.
fn source(cache: &str) -> &str {
    match cache {
        "hit" => "from the cache",
        "stale" => "from the cache, past its time",
        "miss" | "joined" => "asked now",
        "local" => "nobody was asked",
        _ => "partly from the cache",
    }
}

fn json(ran: &Ran) -> serde_json::Result<serde_json::Value> {
    let mut value = serde_json::to_value(&ran.report)?;
    if let Some(fields) = value.as_object_mut() {
        // It has a format of its own.
        fields.remove("xml");
        if ran.sample {
            fields.insert("sample_data".to_owned(), true.into());
        }
    }
    Ok(value)
}

/// Lays out entities within `width`. Where that is narrow and all have one source, it is returned instead of shown
/// in each row.
fn entities(entities: &[EntityView], width: usize) -> (String, Option<String>) {
    let sources: Vec<String> = entities
        .iter()
        .map(|entity| named(entity, ".source").join(", "))
        .collect();
    let one = sources
        .first()
        .filter(|first| !first.is_empty() && sources.iter().all(|other| other == *first))
        .cloned();
    let mut columns = vec![
        Column::fixed(
            "Type",
            entities.iter().map(|entity| short(&entity.type_id).to_owned()),
        ),
        Column::main("Value", entities.iter().map(|entity| entity.value.clone())),
        Column::fixed(
            "First seen",
            entities.iter().map(|entity| date(entity, ".first_seen", false)),
        ),
        Column::fixed(
            "Last seen",
            entities.iter().map(|entity| date(entity, ".last_seen", true)),
        ),
        Column::flexible("Link", entities.iter().map(link)),
        Column::flexible("Details", entities.iter().map(details)),
        Column::flexible("Source", sources),
    ];
    if one.is_some() && natural(&columns) > width {
        columns.pop();
        return (render(columns, width), one);
    }
    (render(columns, width), None)
}

fn short(type_id: &str) -> &str {
    type_id.strip_prefix("maltego.").unwrap_or(type_id)
}

/// Returns the different values of properties whose id ends so; each provider has its own.
fn named<'a>(entity: &'a EntityView, end: &str) -> Vec<&'a str> {
    let values = entity.properties.iter().filter(|(name, _)| name.ends_with(end));
    values
        .map(|(_, value)| value.as_str())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// Returns the first or last of the dates that providers give.
fn date(entity: &EntityView, end: &str, last: bool) -> String {
    let dates = named(entity, end);
    let date = if last { dates.last() } else { dates.first() };
    date.map(|date| (*date).to_owned()).unwrap_or_default()
}

/// Returns the link's label, unless the dates beside it say the same.
fn link(entity: &EntityView) -> String {
    let Some(label) = &entity.link else {
        return String::new();
    };
    let mut rest = label.clone();
    for known in [
        date(entity, ".first_seen", false),
        date(entity, ".last_seen", true),
    ] {
        if !known.is_empty() {
            rest = rest.replace(&known, "");
        }
    }
    let says_nothing = rest
        .split_whitespace()
        .all(|word| matches!(word, "to" | "-" | "–" | "until" | "since"));
    if says_nothing {
        String::new()
    } else {
        label.clone()
    }
}

/// Returns what else the entity tells, without what is in other columns and what every entity of the type repeats.
fn details(entity: &EntityView) -> String {
    const ELSEWHERE: [&str; 5] = [".first_seen", ".last_seen", ".source", ".retrieved_at", ".sample"];
    let known = types::lookup(&entity.type_id);
    let is_value = |name: &str| known.is_some_and(|known| known.value_property == Some(name));
    let told = entity.properties.iter().filter(|(name, value)| {
        !ELSEWHERE.iter().any(|end| name.ends_with(end)) && !is_value(name) && **value != entity.value
    });
    let mut told: Vec<_> = told.collect();
    // Long texts are cut, so that short facts, such as a score, go before them.
    told.sort_by_key(|(_, value)| value.len());
    let last_part = |name: &str| name.rsplit_once('.').map_or(name, |(_, last)| last).to_owned();
    let marks = entity.marks.iter().map(|mark| format!("[{mark}]"));
    let told = told
        .into_iter()
        .map(|(name, value)| format!("{}: {value}", last_part(name)));
    marks.chain(told).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(link: &str, properties: &[(&str, &str)]) -> EntityView {
        EntityView {
            type_id: "maltego.IPv4Address".to_owned(),
            value: "192.0.2.7".to_owned(),
            strict: BTreeSet::new(),
            marks: BTreeSet::new(),
            properties: properties
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            link: Some(link.to_owned()),
        }
    }

    const DATES: [(&str, &str); 3] = [
        ("acme.first_seen", "2013-01-02"),
        ("acme.last_seen", "2014-03-04"),
        ("other.last_seen", "2015-05-06"),
    ];

    #[test]
    fn dates_of_several_providers_span_the_whole_period() {
        let entity = entity("", &DATES);
        assert_eq!(date(&entity, ".first_seen", false), "2013-01-02");
        assert_eq!(date(&entity, ".last_seen", true), "2015-05-06");
    }

    #[test]
    fn a_link_is_shown_only_where_it_says_more_than_the_dates() {
        assert_eq!(link(&entity("2013-01-02 to 2015-05-06", &DATES)), "");
        assert_eq!(link(&entity("Change 2013-01-02", &DATES)), "Change 2013-01-02");
    }

    #[test]
    fn details_leave_out_what_stands_elsewhere() {
        let entity = entity(
            "",
            &[
                ("acme.about", "a long text about it"),
                ("acme.score", "87"),
                ("acme.source", "Acme"),
                ("ipv4-address", "192.0.2.7"),
            ],
        );
        assert_eq!(details(&entity), "score: 87; about: a long text about it");
    }
}
