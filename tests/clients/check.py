"""Checks a running demo with parsers and validators that other people wrote.

Every check raises on the first thing that is wrong; the process then ends with code 1.
"""

import argparse
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from xml.sax.saxutils import escape, quoteattr

from lxml import etree
from openapi_schema_validator import OAS30ReadValidator, OAS31Validator
from openapi_spec_validator import validate as validate_openapi
from pymaltego.messages import TransformResponse

import demo

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Maltego's own limits of a classic client, as the slider's least position sends them.
LIMITS = '<Limits SoftLimit="12" HardLimit="12"/>'
SECONDS = 60


class Wrong(Exception):
    """Says what is wrong with an answer."""


def require(condition, text):
    if not condition:
        raise Wrong(text)


def exchange(address, method, path, body=None, headers=None):
    """Makes one exchange on a connection of its own; returns status, content type and body."""
    connection = http.client.HTTPConnection(address, timeout=SECONDS)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.getheader("content-type", ""), response.read()
    finally:
        connection.close()


def parse_xml(body):
    """Parses as a strict reader does: no recovery, no entities, no network."""
    parser = etree.XMLParser(recover=False, resolve_entities=False, no_network=True)
    try:
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise Wrong(f"no well-formed XML: {error}: {body[:300]!r}") from error


def read_response(status, content_type, body):
    """Reads a transform's answer with pymaltego, which insists on its shape."""
    require(status == 200, f"HTTP {status}: {body[:300]!r}")
    require(content_type.startswith(("text/xml", "application/xml")), f"content type {content_type!r}")
    try:
        return TransformResponse.from_node(parse_xml(body))
    except Wrong:
        raise
    except Exception as error:
        raise Wrong(f"pymaltego cannot read it: {error!r}: {body[:300]!r}") from error


def check_answer(response):
    """Asks for entities, or for a message that is no error; both complete."""
    errors = [message.value for message in response.ui_messages if message.message_type.endswith("Error")]
    require(response.entities or response.ui_messages, "neither an entity nor a message")
    require(response.entities or not errors, f"no entity, and: {'; '.join(errors)}")
    for entity in response.entities:
        require("." in entity.name, f"{entity.name!r} is no full type id")
        require(entity.value, f"an entity of type {entity.name} has no value")
    for message in response.ui_messages:
        require(message.value, f"a message of type {message.message_type} has no text")


def tds_request(type_id, value, query):
    """Makes a request as a distribution server sends it, genealogy and fields included."""
    fields = f"<Field Name={quoteattr(query)} DisplayName=\"Query\">{escape(value)}</Field>" if query else ""
    return (
        "<MaltegoMessage><MaltegoTransformRequestMessage><Entities>"
        f"<Entity Type={quoteattr(type_id)}>"
        f"<Genealogy><Type Name={quoteattr(type_id)} OldName=\"\"/></Genealogy>"
        f"<AdditionalFields>{fields}</AdditionalFields><Value>{escape(value)}</Value><Weight>0</Weight></Entity>"
        f"</Entities>{LIMITS}</MaltegoTransformRequestMessage></MaltegoMessage>"
    ).encode()


def canari_request(type_id, value):
    """Makes a request in the shape of canari's remote-transform client."""
    return (
        '<?xml version="1.0" encoding="utf-8" ?><MaltegoMessage><MaltegoTransformRequestMessage><Entities>'
        f"<Entity Type={quoteattr(type_id)}><AdditionalFields>"
        f'<Field Name="note" MatchingRule="strict">{escape("a & b < ü")}</Field>'
        f"</AdditionalFields><Value>{escape(value)}</Value><Weight>1</Weight></Entity></Entities>"
        '<TransformFields><Field Name="unknown.setting" MatchingRule="strict">x</Field></TransformFields>'
        '<Limits SoftLimit="500" HardLimit="10000" /></MaltegoTransformRequestMessage></MaltegoMessage>'
    ).encode()


def check_transforms(running):
    """Runs every transform with its example, through pymaltego."""
    known = list(demo.transforms())
    require({name for name, *_ in known} == set(running.examples), "the demo serves other transforms than the file")
    for name, type_id, query, example in known:
        answer = exchange(running.address, "POST", f"/run/{name}", tds_request(type_id, example, query))
        try:
            response = read_response(*answer)
            check_answer(response)
        except Wrong as wrong:
            raise Wrong(f"{name} of {example}: {wrong}") from wrong
        print(f"  {name}: {len(response.entities)} entities, {len(response.ui_messages)} messages")


def check_canari(running):
    """Sends what canari's client sends, and recorded bytes of it where PIVOTD_WIRE names a folder that has them."""
    headers = {"Content-Type": "application/xml", "Accept-Encoding": "identity"}
    sent = 0
    for name, type_id, query, example in demo.transforms():
        if query is None:
            answer = exchange(running.address, "POST", f"/run/{name}", canari_request(type_id, example), headers)
            try:
                check_answer(read_response(*answer))
            except Wrong as wrong:
                raise Wrong(f"canari's request to {name}: {wrong}") from wrong
            sent += 1
    print(f"  {sent} requests in its shape")
    folder = pathlib.Path(os.environ.get("PIVOTD_WIRE", os.devnull)) / "canari"
    recorded = sorted(folder.glob("*.req"))
    if "PIVOTD_WIRE" in os.environ:
        require(recorded, f"PIVOTD_WIRE is set, and {folder} holds no request")
    name = next(demo.transforms())[0]
    for path in recorded:
        body = path.read_bytes().split(b"\r\n\r\n", 1)[1]
        status, _, answer = exchange(running.address, "POST", f"/run/{name}", body, headers)
        require(status == 200, f"{path.name}: HTTP {status}")
        require(parse_xml(answer).tag == "MaltegoMessage", f"{path.name}: no Maltego message")
    print(f"  {len(recorded)} recorded requests")


def check_unknown(running):
    """Asks for what is not there: 404, and still XML, since the asker reads nothing else."""
    status, _, body = exchange(running.address, "POST", "/run/no.such-transform", canari_request("maltego.Phrase", "x"))
    require(status == 404, f"an unknown transform: HTTP {status}")
    require(parse_xml(body).find("MaltegoTransformExceptionMessage") is not None, "an unknown transform: no exception")


def check_openapi(running):
    """Validates the OpenAPI documents, and an answer and a problem against what they say of them."""
    documents = {}
    for path, edition in {"/openapi.json": "3.1", "/openapi-3.0.json": "3.0.3", "/swagger.json": "2.0"}.items():
        status, _, body = exchange(running.address, "GET", path)
        require(status == 200, f"{path}: HTTP {status}")
        documents[path] = json.loads(body)
        said = documents[path].get("openapi") or documents[path].get("swagger")
        require(said.startswith(edition), f"{path} is of edition {said}")
        validate_openapi(documents[path])
    document = documents["/openapi.json"]
    operations = {path: set(item) for path, item in document["paths"].items()}
    for path, other in documents.items():
        require({name: set(item) for name, item in other["paths"].items()} == operations, f"{path} lacks operations")
    validators = [(documents["/openapi.json"], OAS31Validator), (documents["/openapi-3.0.json"], OAS30ReadValidator)]
    cases = [
        ({"domain": "career-offers.example", "ip": "192.0.2.44", "email": "billing@career-offers.example"}, 200),
        ({"domain": ["not a domain"]}, 200),
        ({"domain": "career-offers.example", "threshold": 1000}, 400),
        ({}, 400),
    ]
    for alert, expected in cases:
        status, content_type, body = exchange(
            running.address, "POST", "/v1/alerts/score", json.dumps(alert), {"Content-Type": "application/json"}
        )
        require(status == expected, f"{alert}: HTTP {status}, not {expected}: {body[:300]!r}")
        for document, validator in validators:
            response = document["paths"]["/v1/alerts/score"]["post"]["responses"][str(status)]
            content = response["content"]
            require(content_type in content, f"{alert}: {content_type} came, the document says {', '.join(content)}")
            # What a reference leads to is written out: beside a reference 3.0 ignores everything.
            name = content[content_type]["schema"]["$ref"].rsplit("/", 1)[1]
            schema = {**document["components"]["schemas"][name], "components": document["components"]}
            faults = [f"{error.json_path}: {error.message}" for error in validator(schema).iter_errors(json.loads(body))]
            require(not faults, f"{alert}: the answer is not what {document['openapi']} says: {faults}")
    print(f"  {len(documents)} documents, {len(operations)} paths, {len(cases)} answers as described")


def check_fuzzed(running):
    """Lets schemathesis make requests from the document, with a fixed seed, and look at every answer."""
    document = json.loads(exchange(running.address, "GET", "/openapi.json")[2])
    # An answer that is asked to be slow is as slow as a client's patience.
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    parameters = [parameter for operation in operations for parameter in operation.get("parameters", [])]
    branches = [one["schema"]["enum"] for one in parameters if one["name"] == "X-Pivotd-Rehearse"]
    require(branches, "no operation describes X-Pivotd-Rehearse")
    for names in branches:
        names.remove("slow")
    command = [
        str(pathlib.Path(sys.executable).with_name("schemathesis")),
        "run",
        "openapi.json",
        f"--url={running.base}",
        "--phases=examples,coverage,fuzzing",
        "--max-examples=50",
        "--seed=1",
        # The demo asks for no token. No schema can say which texts are indicators, markings or sources; and more is
        # taken than is described, such as numbers as texts.
        "--checks=all",
        "--exclude-checks=ignored_auth,missing_required_header,positive_data_acceptance,negative_data_rejection",
        "--header=Authorization: Bearer demo",
        "--no-color",
    ]
    # It leaves files where it runs.
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "openapi.json").write_text(json.dumps(document))
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=5 * SECONDS)
    require(done.returncode == 0, f"schemathesis found faults\n{done.stdout}{done.stderr}")
    counted = re.search(r"\d+ generated, \d+ passed", done.stdout)
    require(counted, f"schemathesis made no request\n{done.stdout}")
    print(f"  {counted.group()}")


def check_checks():
    """Shows broken answers to the checks, each of which has to notice."""
    xml = "text/xml; charset=utf-8"
    whole = "<MaltegoMessage><MaltegoTransformResponseMessage>{}</MaltegoTransformResponseMessage></MaltegoMessage>"
    domain = '<Entity Type="maltego.Domain"><Value>example.com</Value></Entity>'
    error = '<UIMessage MessageType="PartialError">example.com: no</UIMessage>'
    broken = {
        "a page of an error": (500, "text/html", b"<h1>no</h1>"),
        "JSON": (200, "application/json", b"{}"),
        "cut": (200, xml, whole.format("<Entities/><UIMessages/>").encode()[:-9]),
        "no messages": (200, xml, whole.format("<Entities/>").encode()),
        "nothing": (200, xml, whole.format("<Entities/><UIMessages/>").encode()),
        "an error alone": (200, xml, whole.format(f"<Entities/><UIMessages>{error}</UIMessages>").encode()),
        "no value": (200, xml, whole.format(f"<Entities>{domain.replace('example.com', '')}</Entities><UIMessages/>").encode()),
        "a control character": (200, xml, whole.format("<Entities/><UIMessages>\x01</UIMessages>").encode()),
        "an exception": (200, xml, b"<MaltegoMessage><MaltegoTransformExceptionMessage/></MaltegoMessage>"),
    }
    check_answer(read_response(200, xml, whole.format(f"<Entities>{domain}</Entities><UIMessages/>").encode()))
    for name, answer in broken.items():
        try:
            check_answer(read_response(*answer))
        except Wrong:
            continue
        raise Wrong(f"the checks do not notice {name}")
    print(f"  {len(broken)} broken answers noticed")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--binary", required=True, type=pathlib.Path, help="the pivotd to check")
    binary = arguments.parse_args().binary
    checks = [
        ("transforms, read by pymaltego", check_transforms),
        ("requests of canari", check_canari),
        ("a transform that is not there", check_unknown),
        ("the OpenAPI documents", check_openapi),
        ("requests made from the OpenAPI document", check_fuzzed),
    ]
    try:
        print("the checks themselves")
        check_checks()
        with demo.running(binary) as running:
            for name, check in checks:
                print(name)
                check(running)
    except Wrong as wrong:
        sys.exit(f"tests/clients: {wrong}")
    print("all clients are content")


if __name__ == "__main__":
    main()
