//! Writes the document as a page for people: no script, nothing from elsewhere.

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::words::{described, escaped, kind, prose};
use super::{elements, example, members, operations, resolve, text};

/// Stands in the page for what clients call the server.
pub const PLACE: &str = "https://pivot.example.org";

const STYLE: &str = include_str!("page.css");

/// Returns the style's hash, as a content security policy takes it.
#[must_use]
pub fn style_hash() -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(STYLE)))
}

/// Writes an OpenAPI 3.1 document as one HTML page. Every word of the document is escaped. `links` are addresses, each
/// with its title; `asks_token` says whether the examples send a token.
#[must_use]
pub fn page(document: &Value, links: &[(&str, &str)], asks_token: bool) -> String {
    let mut page = Page {
        document,
        asks_token,
        html: String::new(),
    };
    page.whole(links);
    page.html
}

struct Page<'a> {
    document: &'a Value,
    asks_token: bool,
    html: String,
}

impl Page<'_> {
    fn put(&mut self, html: &str) {
        self.html.push_str(html);
        self.html.push('\n');
    }

    fn whole(&mut self, links: &[(&str, &str)]) {
        let info = self.document.get("info").unwrap_or(&Value::Null);
        let (title, version) = (escaped(text(info, "title")), escaped(text(info, "version")));
        self.put("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">");
        self.put("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        self.put(&format!(
            "<title>{title} {version}: the API</title>\n<style>{STYLE}</style>\n</head>\n<body>"
        ));
        self.put(&format!("<header>\n<h1>{title} <small>{version}</small></h1>"));
        self.prose(text(info, "description"));
        self.put("<p class=\"links\">");
        for (address, title) in links {
            self.put(&format!(
                "<a href=\"{}\">{}</a>",
                escaped(address),
                escaped(title)
            ));
        }
        self.put("</p>");
        self.contents();
        self.put("</header>\n<main>");
        self.authentication();
        self.put("<section aria-labelledby=\"questions\">\n<h2 id=\"questions\">Questions</h2>");
        for (path, method, operation) in operations(self.document) {
            self.operation(path, method, operation);
        }
        self.put("</section>\n<section aria-labelledby=\"schemas\">\n<h2 id=\"schemas\">Schemas</h2>");
        let components = self.document.get("components").unwrap_or(&Value::Null);
        for (name, schema) in members(components, "schemas") {
            self.schema(name, schema);
        }
        self.put("</section>\n</main>\n<footer>Made from the code that answers. It loads nothing from elsewhere.</footer>");
        self.put("</body>\n</html>");
    }

    fn contents(&mut self) {
        self.put("<nav aria-label=\"Questions\">\n<ul>");
        for (path, method, operation) in operations(self.document) {
            let operation = Value::Object(operation.clone());
            let summary = escaped(text(&operation, "summary").trim_end_matches('.'));
            let id = escaped(text(&operation, "operationId"));
            let (method, path) = (method_mark(method), escaped(path));
            self.put(&format!(
                "<li>{method} <a href=\"#{id}\"><code>{path}</code></a> <span>{summary}</span></li>"
            ));
        }
        self.put("</ul>\n</nav>");
    }

    fn authentication(&mut self) {
        let components = self.document.get("components").unwrap_or(&Value::Null);
        let mut schemes = members(components, "securitySchemes").peekable();
        if schemes.peek().is_none() {
            return;
        }
        self.put("<section aria-labelledby=\"token\">\n<h2 id=\"token\">Authentication</h2>");
        for (_, scheme) in schemes {
            self.prose(text(scheme, "description"));
        }
        self.put(if self.asks_token {
            "<p>The examples take the token from the environment variable <code>PIVOTD_TOKEN</code>.</p>\n</section>"
        } else {
            "<p>This server is a demo and asks for no token.</p>\n</section>"
        });
    }

    fn operation(&mut self, path: &str, method: &str, operation: &Map<String, Value>) {
        let whole = Value::Object(operation.clone());
        let id = escaped(text(&whole, "operationId"));
        self.put(&format!(
            "<article aria-labelledby=\"{id}\">\n<h3 id=\"{id}\">{} <code>{}</code></h3>",
            method_mark(method),
            escaped(path)
        ));
        self.prose(text(&whole, "summary"));
        self.prose(text(&whole, "description"));
        let item = self
            .document
            .get("paths")
            .and_then(|paths| paths.get(path))
            .unwrap_or(&Value::Null);
        let parameters: Vec<&Value> = elements(item, "parameters")
            .chain(elements(&whole, "parameters"))
            .map(|one| resolve(self.document, one))
            .collect();
        if !parameters.is_empty() {
            self.put("<h4>Parameters</h4>");
            self.head("", ["name", "type", "meaning"]);
            for parameter in parameters {
                let demanded = parameter.get("required") == Some(&Value::Bool(true));
                let place = match (text(parameter, "in"), demanded) {
                    ("path", _) => "in the path".to_owned(),
                    (place, true) => format!("in the {place}, required"),
                    (place, false) => format!("in the {place}"),
                };
                let name = escaped(text(parameter, "name"));
                let schema = parameter.get("schema").unwrap_or(&Value::Null);
                self.row(
                    &format!(
                        "<code>{name}</code><br><span class=\"note\">{}</span>",
                        escaped(&place)
                    ),
                    &kind(schema),
                    &prose(text(parameter, "description")),
                );
            }
            self.put("</tbody></table></div>");
        }
        if let Some(body) = operation.get("requestBody") {
            let contents = members(resolve(self.document, body), "content").map(|(media, content)| {
                let schema = content.get("schema").unwrap_or(&Value::Null);
                format!("{} as <code>{}</code>", kind(schema), escaped(media))
            });
            let contents: Vec<String> = contents.collect();
            self.put(&format!("<h4>Body</h4>\n<p>{}</p>", contents.join(", or ")));
        }
        if let Some(request) = example::request(self.document, path, operation) {
            self.put(&format!(
                "<h4>Example</h4>\n<pre tabindex=\"0\">{}</pre>",
                escaped(&curl(method, &request, self.asks_token))
            ));
        }
        self.put("<h4>Answers</h4>");
        self.head(" class=\"answers\"", ["status", "body", "meaning"]);
        for (status, response) in members(&whole, "responses") {
            let response = resolve(self.document, response);
            let bodies = members(response, "content").map(|(media, content)| {
                let schema = content.get("schema").unwrap_or(&Value::Null);
                let media = escaped(media).replace('/', "/<wbr>");
                format!("{}<br><span class=\"note\">{media}</span>", kind(schema))
            });
            let bodies: Vec<String> = bodies.collect();
            let status = format!("<code>{}</code>", escaped(status));
            self.row(
                &status,
                &bodies.join("<br>"),
                &prose(text(response, "description")),
            );
        }
        self.put("</tbody></table></div>");
        self.answer(&whole);
        self.put("</article>");
    }

    /// Writes the example of an answer that is good.
    fn answer(&mut self, operation: &Value) {
        let good = members(operation, "responses").find(|(status, _)| status.starts_with('2'));
        let example = good.and_then(|(_, response)| {
            let response = resolve(self.document, response);
            members(response, "content").find_map(|(_, media)| example::given(media))
        });
        if let Some(example) = example
            && let Ok(text) = serde_json::to_string_pretty(&example)
        {
            self.put(&format!(
                "<details><summary>Example of an answer</summary>\n<pre tabindex=\"0\">{}</pre></details>",
                escaped(&text)
            ));
        }
    }

    fn schema(&mut self, name: &str, schema: &Value) {
        let name = escaped(name);
        self.put(&format!(
            "<article aria-labelledby=\"schema-{name}\">\n<h3 id=\"schema-{name}\">{name}</h3>"
        ));
        self.prose(text(schema, "description"));
        let parts: Vec<&Value> = elements(schema, "allOf").collect();
        let whole: Vec<String> = parts
            .iter()
            .filter(|part| part.get("$ref").is_some())
            .map(|part| kind(part))
            .collect();
        if !whole.is_empty() {
            self.put(&format!("<p>Everything of {}, and:</p>", whole.join(" and ")));
        }
        let objects: Vec<&Value> = std::iter::once(schema)
            .chain(parts)
            .filter(|part| part.get("properties").is_some())
            .collect();
        if objects.is_empty() && whole.is_empty() {
            self.put(&format!("<p>{}</p>", kind(schema)));
        }
        if !objects.is_empty() {
            self.head("", ["member", "type", "meaning"]);
            for object in objects {
                let required: Vec<&str> = elements(object, "required").filter_map(Value::as_str).collect();
                for (member, property) in members(object, "properties") {
                    let note = if required.contains(&member) {
                        ""
                    } else {
                        "<br><span class=\"note\">may be missing</span>"
                    };
                    self.row(
                        &format!("<code>{}</code>{note}", escaped(member)),
                        &kind(property),
                        &prose(described(property)),
                    );
                }
            }
            self.put("</tbody></table></div>");
        }
        self.put("</article>");
    }

    fn prose(&mut self, words: &str) {
        for paragraph in words.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
            self.put(&format!("<p>{}</p>", prose(paragraph)));
        }
    }

    fn head(&mut self, class: &str, columns: [&str; 3]) {
        let [first, second, third] = columns;
        self.put(&format!(
            "<div class=\"table\"><table{class}><thead><tr><th scope=\"col\">{first}</th><th scope=\"col\">{second}</th>\
             <th scope=\"col\">{third}</th></tr></thead><tbody>"
        ));
    }

    fn row(&mut self, first: &str, second: &str, third: &str) {
        self.put(&format!(
            "<tr><td>{first}</td><td>{second}</td><td>{third}</td></tr>"
        ));
    }
}

fn method_mark(method: &str) -> String {
    let class = match method {
        "get" => " get",
        "post" => " post",
        _ => "",
    };
    format!(
        "<code class=\"method{class}\">{}</code>",
        escaped(&method.to_ascii_uppercase())
    )
}

fn curl(method: &str, request: &example::Request, asks_token: bool) -> String {
    let mut command = format!("curl -s \"{PLACE}{}\"", request.target);
    if asks_token {
        command.push_str(" \\\n  -H \"Authorization: Bearer $PIVOTD_TOKEN\"");
    }
    if !matches!(method, "get" | "post") {
        _ = write!(command, " -X {}", method.to_ascii_uppercase());
    }
    if let Some(body) = &request.body {
        let body = body.to_string().replace('\'', "'\\''");
        _ = write!(
            command,
            " \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'"
        );
    }
    command
}
