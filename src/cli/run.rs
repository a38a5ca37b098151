//! `pivotd run`: a transform in the terminal, on values or on a graph.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::filters::Filters;
use super::follow::{self, Following};
use super::session::{Session, unexpected};
use super::table::{Column, csv, natural, render};
use super::{ConfigFile, Done, block_on, terminal};
use crate::ask::report::{EntityView, MessageView, Report};
use crate::control::{ControlReply, ControlRequest, RunRequest};
use crate::graph::news::{Before, News};
use crate::graph::{Graph, Node, to_dot, to_graphml};
use crate::maltego::types;

/// Run a transform in the terminal.
#[derive(Debug, clap::Args)]
pub(super) struct Run {
    /// The transform, such as domaintools.ip-history.
    transform: String,
    /// The values, defanged or not.
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
    #[arg(long)]
    demo: bool,
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
struct Ran {
    input: Node,
    report: Report,
    sample: bool,
}

/// Holds what came of a command: as many runs as there were, and why there were no more.
struct Runs {
    ran: Vec<Ran>,
    /// What is said of the choice of inputs.
    chosen: Option<String>,
    failed: Option<anyhow::Error>,
}

impl Run {
    pub(super) fn run(self) -> anyhow::Result<Done> {
        anyhow::ensure!(
            self.format != Format::Xml || self.values.len() == 1 || self.local().is_some(),
            "an answer in XML is one run's; give one value, and behind it the entity's properties as a client writes \
             them: name=value#name=value"
        );
        anyhow::ensure!(
            self.on.is_some() || self.filters.is_empty(),
            "filters choose entities of a graph; name one with --on"
        );
        let following = Following::of(self.graph.as_deref(), self.on.as_deref(), self.type_id.as_deref())?;
        let mut graph = match &following.target {
            Some(file) => follow::opened_or_new(file)?,
            None => Graph::default(),
        };
        let Runs { ran, chosen, failed } = block_on(self.ask(&following, &graph))??;
        if ran.is_empty()
            && let Some(error) = failed
        {
            return Err(error);
        }
        let before = Before::of(&graph);
        let mut done = Done::Well;
        if let Some(first) = ran.first() {
            graph.begin(&first.report.transform);
        }
        for one in &ran {
            if one.report.is_error() {
                done = Done::WithError;
            }
            let at = graph.give(one.input.clone());
            graph.found(at, &one.report.transform, one.report.entities.clone());
        }
        let news = News::of(&before, &graph);
        let mut step = None;
        if let Some(file) = following.target.as_deref().filter(|_| !ran.is_empty()) {
            follow::write(file, &graph)?;
            step = Some(Step {
                file,
                graph: &graph,
                news: &news,
                chosen: chosen.as_deref(),
            });
        }
        self.print(&ran, &graph, step.as_ref())?;
        failed.map_or(Ok(done), Err)
    }

    fn print(&self, ran: &[Ran], graph: &Graph, step: Option<&Step<'_>>) -> anyhow::Result<()> {
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
                Some(step) if self.on.is_some() => show_step(ran, step, &self.transform, width),
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
            Format::Json => match ran {
                [one] => terminal::print_data(&serde_json::to_string_pretty(&json(one, step)?)?),
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
        Ok(())
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

    /// Finds what to run on: the values, or entities of a graph.
    async fn inputs(
        &self,
        session: &Session,
        following: &Following,
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
        let takes = if following.types.is_empty() {
            let request = ControlRequest::Inputs {
                transform: self.transform.clone(),
            };
            match session.ask(request, "the transform").await? {
                ControlReply::Inputs(types) => types,
                _ => return Err(unexpected()),
            }
        } else {
            Vec::new()
        };
        following.inputs(graph, &self.filters, &takes)
    }

    async fn ask(&self, following: &Following, graph: &Graph) -> anyhow::Result<Runs> {
        let session = Session::of(self.file.config.as_deref(), self.demo).await?;
        let (inputs, chosen) = match self.inputs(&session, following, graph).await {
            Ok(inputs) => inputs,
            Err(error) => {
                session.close().await;
                return Err(error);
            }
        };
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
        Ok(Runs {
            ran: all,
            chosen,
            failed,
        })
    }
}

/// Holds what a step did to a graph.
struct Step<'a> {
    file: &'a Path,
    graph: &'a Graph,
    news: &'a News,
    chosen: Option<&'a str>,
}

impl Step<'_> {
    /// Says what was chosen and what it brought.
    fn lines(&self, transform: &str) -> Vec<String> {
        let chosen = self.chosen.map(|chosen| format!("runs on {chosen}"));
        let summary = follow::summary(self.file, transform, self.graph, self.news);
        chosen.into_iter().chain([summary]).collect()
    }

    fn is_new(&self, entity: &EntityView) -> bool {
        let at = self.graph.find(&Node::from(entity.clone()));
        at.is_some_and(|at| self.news.new.contains(&at))
    }
}

/// Prints what a step on a graph brought: in short first, then what is new, then what is said.
fn show_step(ran: &[Ran], step: &Step<'_>, transform: &str, width: usize) {
    for line in step.lines(transform) {
        terminal::print(&line);
    }
    let (new, more) = follow::new_entities(step.graph, step.news);
    if !new.is_empty() {
        let (table, one_source) = entities(&new, None, width);
        terminal::print(&format!("\n{table}"));
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
    let named = follow::named(corroborated);
    if !named.is_empty() {
        terminal::print(&format!("\nwith a further source now: {named}"));
    }
    let messages = ran.iter().flat_map(|one| {
        let value = one.input.value.as_str();
        one.report.messages.iter().map(move |message| (value, message))
    });
    for (kind, text) in follow::gathered(messages) {
        say(&MessageView { kind, text });
    }
}

/// Prints a message; errors go where errors go.
fn say(message: &MessageView) {
    match message.kind.as_str() {
        "Inform" | "Debug" => terminal::print(&message.text),
        _ => terminal::error(&message.text),
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

/// Prints entities and what is to be said of them; errors go where errors go.
fn show(ran: &Ran, named: bool, last: bool, step: Option<&Step<'_>>, width: usize) {
    let report = &ran.report;
    let mut from = None;
    if named {
        terminal::print(&format!("\n{}:", terminal::line(&ran.input.value)));
    }
    if !report.entities.is_empty() {
        let (table, one_source) = entities(&report.entities, step, width);
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
        say(message);
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

fn json(ran: &Ran, step: Option<&Step<'_>>) -> serde_json::Result<serde_json::Value> {
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

/// Lays out entities within `width`, with those marked that are new on a graph. Where that is narrow and all have one
/// source, it is returned instead of shown in each row.
fn entities(entities: &[EntityView], step: Option<&Step<'_>>, width: usize) -> (String, Option<String>) {
    let sources: Vec<String> = entities.iter().map(sources).collect();
    let one = sources
        .first()
        .filter(|first| !first.is_empty() && sources.iter().all(|other| other == *first))
        .cloned();
    let mut columns = columns(entities, step);
    if one.is_some() && natural(&columns) > width {
        columns.pop();
        return (render(columns, width), one);
    }
    (render(columns, width), None)
}

fn sources(entity: &EntityView) -> String {
    named(entity, ".source").join(", ")
}

/// Makes the columns of entities, the sources last.
fn columns(entities: &[EntityView], step: Option<&Step<'_>>) -> Vec<Column> {
    let is_new = |entity: &EntityView| step.is_some_and(|step| step.is_new(entity));
    vec![
        Column::fixed(
            "Type",
            entities.iter().map(|entity| short(&entity.type_id).to_owned()),
        ),
        Column::main("Value", entities.iter().map(|entity| entity.value.clone())),
        Column::fixed(
            "New",
            entities
                .iter()
                .map(|entity| if is_new(entity) { "new" } else { "" }.to_owned()),
        ),
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
        Column::flexible("Source", entities.iter().map(sources)),
    ]
}

/// Makes one table of all runs, with what each ran on.
fn table_of_all(ran: &[Ran], step: Option<&Step<'_>>) -> Vec<Column> {
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
            observations: Vec::new(),
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
