//! Parses each request and writes each entity by hand: what an actix-web server costs that does the least for the answer of
//! `domaintools.ip-history`.
//!
//! `floor ADDRESS FILE DOMAIN`; used by `benches/compare/run`. The file is an answer of pivotd, from which the records are read at
//! start. A request about a name below the domain is answered with the same entities and a message, as pivotd does.

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use jiff::civil::Date;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Holds what the server knows of an address.
#[derive(Default)]
struct Row {
    address: String,
    action: String,
    first_seen: Option<Date>,
    last_seen: Option<Date>,
}

/// Holds all that is answered.
#[derive(Default)]
struct Rows {
    domain: String,
    source: String,
    retrieved_at: String,
    blind: String,
    rows: Vec<Row>,
}

/// Holds what a request says.
#[derive(Default)]
struct Request {
    type_id: String,
    value: String,
    weight: u32,
    genealogy: Vec<String>,
    fields: Vec<(String, String)>,
    settings: Vec<(String, String)>,
    limit: usize,
}

type Failed = Box<dyn std::error::Error>;

fn attribute(element: &BytesStart<'_>, name: &str) -> Result<String, Failed> {
    for attribute in element.attributes() {
        let attribute = attribute?;
        if attribute.key.as_ref() == name {
            return Ok(quick_xml::escape::unescape(&attribute.value)?.into_owned());
        }
    }
    Ok(String::new())
}

/// Walks elements: each with its start and its text.
fn each(
    xml: &[u8],
    mut visit: impl FnMut(&BytesStart<'_>, &str) -> Result<(), Failed>,
) -> Result<(), Failed> {
    let mut reader = Reader::from_str(std::str::from_utf8(xml)?);
    let mut open: Option<BytesStart<'_>> = None;
    let mut text = String::new();
    loop {
        match reader.read_event()? {
            Event::Start(start) => {
                if let Some(outer) = open.replace(start) {
                    visit(&outer, "")?;
                }
                text.clear();
            }
            Event::Empty(element) => visit(&element, "")?,
            Event::Text(part) => text.push_str(&part),
            Event::GeneralRef(name) => match name.resolve_char_ref()? {
                Some(c) => text.push(c),
                None => {
                    text.push_str(quick_xml::escape::resolve_predefined_entity(&name).unwrap_or_default());
                }
            },
            Event::End(_) => {
                if let Some(start) = open.take() {
                    visit(&start, &text)?;
                }
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn parse(xml: &[u8]) -> Result<Request, Failed> {
    let mut request = Request::default();
    let mut in_settings = false;
    each(xml, |start, text| {
        match start.name().as_ref() {
            "Entity" => request.type_id = attribute(start, "Type")?,
            "Type" => request.genealogy.push(attribute(start, "Name")?),
            "TransformFields" => in_settings = true,
            "Field" => {
                let field = (attribute(start, "Name")?, text.to_owned());
                if in_settings {
                    request.settings.push(field);
                } else {
                    request.fields.push(field);
                }
            }
            "Value" => text.clone_into(&mut request.value),
            "Weight" => request.weight = text.parse()?,
            "Limits" => request.limit = attribute(start, "SoftLimit")?.parse()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(request)
}

/// Reads the records out of an answer.
fn rows(xml: &[u8]) -> Result<Rows, Failed> {
    let mut all = Rows::default();
    each(xml, |start, text| {
        match start.name().as_ref() {
            "Entity" => all.rows.push(Row::default()),
            "Value" => {
                if let Some(row) = all.rows.last_mut() {
                    text.clone_into(&mut row.address);
                }
            }
            "Field" => {
                let Some(row) = all.rows.last_mut() else {
                    return Ok(());
                };
                let place = match attribute(start, "Name")?.as_str() {
                    "domaintools.action" => &mut row.action,
                    "domaintools.first_seen" => {
                        row.first_seen = Some(text.parse()?);
                        return Ok(());
                    }
                    "domaintools.last_seen" => {
                        row.last_seen = Some(text.parse()?);
                        return Ok(());
                    }
                    "domaintools.source" => &mut all.source,
                    "domaintools.retrieved_at" => &mut all.retrieved_at,
                    "domaintools.blind" => &mut all.blind,
                    _ => return Ok(()),
                };
                text.clone_into(place);
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(all)
}

fn push(out: &mut String, text: &str) {
    if text.bytes().any(|byte| matches!(byte, b'&' | b'<' | b'>')) {
        for c in text.chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                other => out.push(other),
            }
        }
    } else {
        out.push_str(text);
    }
}

fn field(out: &mut String, start: &str, text: &str) {
    if !text.is_empty() {
        out.push_str(start);
        push(out, text);
        out.push_str("</Field>");
    }
}

fn write_row(out: &mut String, all: &Rows, row: &Row) {
    out.push_str("<Entity Type=\"maltego.IPv4Address\"><Value>");
    push(out, &row.address);
    out.push_str(
        "</Value><Weight>100</Weight><DisplayInformation><Label Name=\"To historic IP addresses [DomainTools]\" \
         Type=\"text/html\">&lt;table&gt;&lt;tr&gt;&lt;td&gt;&lt;b&gt;Action&lt;/b&gt;&lt;/td&gt;&lt;td&gt;",
    );
    push(out, &row.action);
    out.push_str("&lt;/td&gt;&lt;/tr&gt;&lt;/table&gt;</Label></DisplayInformation><AdditionalFields>");
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    let (first, last) = (&day(row.first_seen), &day(row.last_seen));
    field(
        out,
        "<Field Name=\"ipv4-address\" DisplayName=\"IP Address\" MatchingRule=\"strict\">",
        &row.address,
    );
    field(
        out,
        "<Field Name=\"domaintools.action\" DisplayName=\"Action\" MatchingRule=\"loose\">",
        &row.action,
    );
    field(
        out,
        "<Field Name=\"domaintools.first_seen\" DisplayName=\"First seen (domaintools)\" MatchingRule=\"loose\">",
        first,
    );
    field(
        out,
        "<Field Name=\"domaintools.last_seen\" DisplayName=\"Last seen (domaintools)\" MatchingRule=\"loose\">",
        last,
    );
    field(
        out,
        "<Field Name=\"domaintools.source\" DisplayName=\"Source (domaintools)\" MatchingRule=\"loose\">",
        &all.source,
    );
    field(
        out,
        "<Field Name=\"domaintools.retrieved_at\" DisplayName=\"Retrieved at (domaintools)\" MatchingRule=\"loose\">",
        &all.retrieved_at,
    );
    field(
        out,
        "<Field Name=\"domaintools.blind\" DisplayName=\"Not covered (domaintools)\" MatchingRule=\"loose\">",
        &all.blind,
    );
    out.push_str("<Field Name=\"link#maltego.link.label\" DisplayName=\"Label\" MatchingRule=\"loose\">");
    push(out, first);
    if !last.is_empty() {
        out.push_str(" to ");
        push(out, last);
    }
    out.push_str("</Field>");
    field(
        out,
        "<Field Name=\"link#domaintools.first_seen\" DisplayName=\"First seen (domaintools)\" MatchingRule=\"loose\">",
        first,
    );
    field(
        out,
        "<Field Name=\"link#domaintools.last_seen\" DisplayName=\"Last seen (domaintools)\" MatchingRule=\"loose\">",
        last,
    );
    out.push_str("</AdditionalFields></Entity>");
}

fn write(all: &Rows, request: &Request) -> String {
    let mut out = String::with_capacity(256 + 1600 * all.rows.len());
    out.push_str("<MaltegoMessage><MaltegoTransformResponseMessage><Entities>");
    for row in all.rows.iter().take(request.limit) {
        write_row(&mut out, all, row);
    }
    out.push_str("</Entities><UIMessages>");
    if request.value != all.domain {
        out.push_str("<UIMessage MessageType=\"Inform\">");
        push(&mut out, &request.value);
        out.push_str(": asked for ");
        push(&mut out, &all.domain);
        out.push_str(", its registrable domain</UIMessage>");
    }
    out.push_str("</UIMessages></MaltegoTransformResponseMessage></MaltegoMessage>");
    out
}

async fn run(all: Data<Rows>, body: Bytes) -> HttpResponse {
    match parse(&body) {
        Ok(request) => HttpResponse::Ok()
            .content_type("text/xml; charset=utf-8")
            .body(write(&all, &request)),
        Err(error) => HttpResponse::BadRequest().body(error.to_string()),
    }
}

#[actix_web::main]
async fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(file), Some(domain)) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: floor ADDRESS FILE DOMAIN".into());
    };
    let all = Data::new(Rows {
        domain,
        ..rows(&std::fs::read(file)?)?
    });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::clone(&all))
            .route("/run/{transform}", web::post().to(run))
    });
    server.workers(1).bind(address)?.run().await?;
    Ok(())
}
