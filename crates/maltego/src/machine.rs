//! Machines: transforms that a client runs one after the other, as the text that clients read.
//!
//! A machine is data: a tree of steps over the transforms of the default configuration. Its text is written for a listing, so
//! that it runs what the server offers and nothing else, with the names that a protocol gives to transforms.
//!
//! The language is the client's. Known of it: `start`, `run`, `paths`, `path`, `type`, `userFilter` with `title`, `heading`,
//! `description` and `proceedButtonText`, and comments. What the last step found goes into the next; the paths of `paths` each
//! get all of it. What a client does with options beyond these is not known here, so none is written.

mod table;

use crate::listing::{Listing, ListingEntry};
use crate::types;

/// Describes a machine.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// The id, in the client and, with `_` for `.`, of the file.
    pub id: &'static str,
    /// The name in the client's menu.
    pub title: &'static str,
    /// What it does.
    pub about: &'static str,
    /// The type of the entities that it starts from.
    pub input: &'static str,
    /// What it does, in order.
    steps: &'static [Step],
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Runs the first transform of these that is offered for the type.
    Run(&'static [&'static str], &'static str),
    /// Goes on with the entities of a type.
    Type(&'static str),
    /// Lets the analyst choose what to go on with: title and description.
    Choose(&'static str, &'static str),
    /// Goes several ways from here, those of which all transforms are offered.
    Paths(&'static [&'static [Step]]),
}

impl Machine {
    /// Lists the transforms that it runs where they are offered, each with the type of the entities that it runs on.
    #[must_use]
    pub fn candidates(&self) -> Vec<(&'static str, &'static str)> {
        let runs = runs(self.steps);
        let named = runs
            .iter()
            .flat_map(|(names, input)| names.iter().map(|name| (*name, *input)));
        named.collect()
    }

    /// Returns how many transforms it runs where all are offered.
    #[must_use]
    pub fn length(&self) -> usize {
        runs(self.steps).len()
    }

    /// Writes the text of the machine, or nothing where what it begins with is not offered.
    ///
    /// `name_of` says what a protocol calls the transform of an entry.
    #[must_use]
    pub fn code(&self, listing: &Listing, name_of: impl Fn(ListingEntry<'_>) -> String) -> Option<String> {
        let writer = Writer {
            listing,
            name_of: &name_of,
        };
        let steps = writer.steps(self.steps, 2).filter(|steps| !steps.is_empty())?;
        let mut code = format!("// {}\nmachine(", comment(self.about));
        push_string(&mut code, self.id);
        for (option, text) in [
            ("displayName", self.title),
            ("author", crate::listing::OWNER),
            ("description", self.about),
        ] {
            code.push_str(",\n    ");
            code.push_str(option);
            code.push(':');
            push_string(&mut code, text);
        }
        code.push_str(") {\n    start {\n");
        code.push_str(&steps);
        code.push_str("    }\n}\n");
        Some(code)
    }
}

/// Lists all machines.
pub fn machines() -> impl Iterator<Item = &'static Machine> {
    table::MACHINES.iter()
}

/// Lists the transforms of steps: those among which one is chosen, and the type.
fn runs(steps: &[Step]) -> Vec<(&'static [&'static str], &'static str)> {
    let of = |step: &Step| match step {
        Step::Run(names, input) => vec![(*names, *input)],
        Step::Paths(paths) => paths.iter().flat_map(|path| runs(path)).collect(),
        Step::Type(_) | Step::Choose(..) => Vec::new(),
    };
    steps.iter().flat_map(of).collect()
}

struct Writer<'a> {
    listing: &'a Listing,
    name_of: &'a dyn Fn(ListingEntry<'_>) -> String,
}

impl Writer<'_> {
    /// Writes steps, or nothing where one of them runs what is not offered.
    fn steps(&self, steps: &[Step], depth: usize) -> Option<String> {
        let mut out = String::new();
        for step in steps {
            let from = out.len();
            indent(&mut out, depth);
            match step {
                Step::Run(names, input) => {
                    let entry = names.iter().find_map(|name| self.entry(name, input))?;
                    out.push_str("run(");
                    push_string(&mut out, &(self.name_of)(entry));
                    out.push_str(")\n");
                }
                Step::Type(id) => {
                    out.push_str("type(");
                    push_string(&mut out, id);
                    out.push_str(")\n");
                }
                Step::Choose(title, description) => {
                    out.push_str("userFilter(title:");
                    push_string(&mut out, title);
                    out.push_str(", heading:");
                    push_string(&mut out, title);
                    out.push_str(", description:");
                    push_string(&mut out, description);
                    out.push_str(", proceedButtonText:\"Go on\")\n");
                }
                Step::Paths(paths) => {
                    let paths: Vec<String> = paths
                        .iter()
                        .filter_map(|path| self.steps(path, depth + 2))
                        .collect();
                    if paths.is_empty() {
                        out.truncate(from);
                        continue;
                    }
                    out.push_str("paths {\n");
                    for path in paths {
                        indent(&mut out, depth + 1);
                        out.push_str("path {\n");
                        out.push_str(&path);
                        indent(&mut out, depth + 1);
                        out.push_str("}\n");
                    }
                    indent(&mut out, depth);
                    out.push_str("}\n");
                }
            }
        }
        Some(out)
    }

    /// Finds the entry by which a transform that is offered takes entities of a type.
    fn entry(&self, name: &str, input: &str) -> Option<ListingEntry<'_>> {
        let takes =
            |entry: &ListingEntry<'_>| entry.transform.name == name && types::is_a(input, entry.input);
        self.listing.offered_entries().find(takes)
    }
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("    ");
    }
}

/// Appends a string of the language. What would end it, or begin an escape, is left out: how the language writes such
/// characters is not known.
fn push_string(out: &mut String, text: &str) {
    out.push('"');
    out.extend(
        text.chars()
            .filter(|c| !matches!(c, '"' | '\\' | '$') && !c.is_control()),
    );
    out.push('"');
}

/// Returns a text that stands in a comment of one line.
fn comment(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::ListedTransform;

    fn offered(name: &str, inputs: &[&str]) -> ListedTransform {
        ListedTransform {
            name: name.to_owned(),
            title: String::new(),
            about: String::new(),
            set: String::new(),
            constraint: None,
            inputs: inputs.iter().map(|&input| input.to_owned()).collect(),
            outputs: Vec::new(),
            settings: Vec::new(),
            is_offered: true,
        }
    }

    fn classic(entry: ListingEntry<'_>) -> String {
        format!("paterva.v2.{}", entry.name)
    }

    fn case() -> &'static Machine {
        machines().find(|one| one.id == "pivotd.FollowIncident").unwrap()
    }

    #[test]
    fn a_machine_runs_what_is_offered_and_nothing_else() {
        let listing = Listing::new(vec![
            offered("threatconnect.indicators", &["pivotd.Incident"]),
            offered("dnsdb.resolutions", &["maltego.Domain", "maltego.IPv4Address"]),
        ]);
        let code = case().code(&listing, classic).unwrap();
        let runs: Vec<&str> = code
            .lines()
            .filter_map(|line| line.trim().strip_prefix("run("))
            .collect();
        assert_eq!(
            runs,
            [
                "\"paterva.v2.threatconnect.indicators\")",
                "\"paterva.v2.dnsdb.resolutions\")",
                "\"paterva.v2.dnsdb.resolutions-ipv4address\")",
            ],
            "{code}"
        );
        assert_eq!(code.matches('{').count(), code.matches('}').count());
        assert!(!code.contains("paths {\n            }"), "{code}");
    }

    #[test]
    fn a_machine_that_cannot_begin_is_not_written() {
        let listing = Listing::new(vec![offered("resolutions", &["maltego.Domain"])]);
        assert_eq!(case().code(&listing, classic), None);
        let domain = machines().find(|one| one.id == "pivotd.FollowDomain").unwrap();
        assert_eq!(domain.code(&listing, classic), None);
        let both = offered("resolutions", &["maltego.Domain", "maltego.IPv4Address"]);
        assert!(domain.code(&Listing::new(vec![both]), classic).is_some());
        let mut unoffered = offered("threatconnect.indicators", &["pivotd.Incident"]);
        unoffered.is_offered = false;
        assert_eq!(case().code(&Listing::new(vec![unoffered]), classic), None);
    }

    #[test]
    fn a_string_cannot_end_early() {
        let mut out = String::new();
        push_string(&mut out, "a\" + b\\n${c}\nd");
        assert_eq!(out, "\"a + bn{c}d\"");
        assert_eq!(comment("a\nrun(\"x\")"), "arun(\"x\")");
    }
}
