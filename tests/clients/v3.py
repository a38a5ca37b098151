"""Checks what a running demo answers by Maltego's protocol v3, with the models of the vendor's own SDK.

Each answer is read by the model of its kind, which takes no unknown member, and written again: what comes out has to be what
came in, so that no member is missing either. The SDK's models call some members required that its server leaves out where they
are null; those may be missing here, too.
"""

import argparse
import http.client
import json
import pathlib
import sys
import time
import typing

import maltego.entities
import pydantic
from maltego.protocol.v3 import discovery
from maltego.protocol.v3.discovery.capability import V3SupportedCapabilitiesResponse
from maltego.protocol.v3.discovery.entity import V3EntityDefinition
from maltego.protocol.v3.discovery.hub_item import V3HubItemResponse
from maltego.protocol.v3.discovery.icon import V3IconDefinition
from maltego.protocol.v3.discovery.machine import V3MachineDefinition
from maltego.protocol.v3.discovery.status import V3StatusResponse
from maltego.protocol.v3.discovery.transform import V3TransformDefinition, V3Transforms
from maltego.protocol.v3.discovery.transform_set import V3TransformSetDefinition
from maltego.protocol.v3.execution import transform_run

import demo

SECONDS = 60
AGENT = "Maltego Desktop/4.10.0 (Maltego One Eval; Mac OS X; 14.3; 0)"
ENDS = {"COMPLETED", "FAILED", "CANCELED"}


class Wrong(Exception):
    """Says what is wrong with an answer."""


def require(condition, text):
    if not condition:
        raise Wrong(text)


def strict(model, known={}):
    """Makes a model of one of the SDK's, and of all within it, that takes no unknown member."""
    if model not in known:
        # Models within models are replaced where they are named; some are named before they are made.
        model.model_rebuild(force=True, _types_namespace=vars(sys.modules[model.__module__]))
        made = {}
        for name, field in model.model_fields.items():
            default = field.default if not field.is_required() else ...
            annotation = replaced(field.annotation)
            if field.is_required() and type(None) in typing.get_args(annotation):
                default = None
            extra = {"discriminator": field.discriminator} if field.discriminator else {}
            made[name] = (annotation, pydantic.Field(default, **extra))
        config = pydantic.ConfigDict(**{**model.model_config, "extra": "forbid"})
        known[model] = pydantic.create_model(f"Strict{model.__name__}", __config__=config, **made)
    return known[model]


def replaced(annotation):
    """Replaces the SDK's models in the type of a member."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return strict(annotation)
    arguments = typing.get_args(annotation)
    if not arguments or typing.get_origin(annotation) is typing.Literal:
        return annotation
    origin = typing.get_origin(annotation)
    arguments = tuple(argument if argument is type(None) else replaced(argument) for argument in arguments)
    if origin is typing.Union or str(origin) == "<class 'types.UnionType'>":
        return typing.Union[arguments]
    return origin[arguments]


def parse(model, value, where, nulls=False, alias=True):
    """Reads a value with a model, and compares it with what the model writes."""
    try:
        read = strict(model).model_validate(value)
    except pydantic.ValidationError as error:
        raise Wrong(f"{where}: {error}") from error
    written = read.model_dump(mode="json", by_alias=alias, exclude_none=not nulls)
    require(written == value, f"{where}: {difference(written, value)}")
    return read


def difference(one, other, path=""):
    """Says where two values differ first."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() | other.keys():
            if name not in one or name not in other:
                return f"{path}.{name} is {'unknown' if name not in one else 'missing'}"
            if one[name] != other[name]:
                return difference(one[name], other[name], f"{path}.{name}")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for at, (left, right) in enumerate(zip(one, other)):
            if left != right:
                return difference(left, right, f"{path}[{at}]")
    return f"{path}: {other!r} came, {one!r} was expected"


class Client:
    """Speaks protocol v3 to a demo, over one connection."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=SECONDS)

    def send(self, method, path, body=None, headers=None):
        headers = {"User-Agent": AGENT, "Accept": "application/json", **(headers or {})}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        data = response.read()
        value = json.loads(data) if data else None
        return response.status, {name.lower(): value for name, value in response.getheaders()}, value

    def get(self, path):
        status, headers, value = self.send("GET", path)
        require(status == 200, f"{path}: HTTP {status}: {value}")
        require(headers["content-type"] == "application/json", f"{path}: {headers['content-type']}")
        return headers, value


def run_request(type_id, value, value_ref, properties=(), settings=(), limit=12):
    """Makes the body of a run on one entity."""
    own = {"name": value_ref, "value": value, "type": "STRING", "displayName": value_ref, "matchingRule": "strict"}
    entity = {
        "id": "e1",
        "type": type_id,
        "valueRef": value_ref,
        "weight": 100,
        "properties": [own, *properties],
        "displayInformation": [],
        "bookmark": -1,
        "overlays": [],
        "note": "",
        "baseEntities": [],
    }
    counts = {"entitiesTotalCount": 1, "linksTotalCount": 0, "rootEntitiesCount": 1}
    request = {
        "input": {
            "metadata": {"entitiesTypesStat": {type_id: 1}, **counts},
            "graph": {"entities": [entity], "links": []},
        },
        "transformSettings": list(settings),
        "limit": limit,
    }
    # What is sent is what the SDK takes.
    transform_run.TransformRunRequest.model_validate(request)
    return request


def run(client, transform, request):
    """Runs a transform to its end, page by page; returns its last answer, its events and the summary."""
    path = f"/api/v3/transforms/{transform}/run"
    status, headers, value = client.send("POST", path, request)
    require(status == 201, f"{transform}: HTTP {status}: {value}")
    created = parse(transform_run.TransformRunResponse, value, f"{transform}: created")
    require(headers.get("maltego-run-state"), f"{transform}: no state in the headers")
    events, run_id, until = [], created.result.run_id, time.monotonic() + SECONDS
    while True:
        headers, value = client.get(f"{path}/{run_id}/results?eventPointer={len(events)}&eventLimit=50")
        page = parse(transform_run.TransformRunResponse, value, f"{transform}: results").result
        events.extend(page.events)
        for prompt in (event.data for event in page.events if event.data.input_type == "CHOICE_PROMPT"):
            answer = {"reason": "COMPLETED", "result": {prompt.id: prompt.options[0].id}}
            status, _, value = client.send("POST", f"{path}/{run_id}/prompts/{prompt.id}", answer)
            require(status == 204, f"{transform}: the answer to a prompt: HTTP {status}: {value}")
        if page.state in ENDS and len(events) >= page.event_count:
            break
        require(time.monotonic() < until, f"{transform}: the run does not end")
        time.sleep(0 if page.events else 0.01)
    status, headers, value = client.send("DELETE", f"{path}/{run_id}")
    require(status == 200, f"{transform}: DELETE: HTTP {status}")
    summary = parse(transform_run.TransformRunResultSummary, value, f"{transform}: summary")
    added = json.loads(headers["maltego-entities-added"])
    require(added == summary.entities.added, f"{transform}: the headers and the summary differ")
    return page, events, summary


def check_events(transform, events, known):
    """Looks at what events say together: each link leads from the input to an entity that was added before."""
    ids, texts = {"e1"}, []
    for event in events:
        data = event.data
        if data.input_type == "ENTITY" and data.event_type == "ADD":
            entity = data.entity
            require(entity.id not in ids, f"{transform}: {entity.id} is added twice")
            ids.add(entity.id)
            require(entity.type in known, f"{transform}: the type {entity.type} is unknown")
            value = [one.value for one in entity.properties if one.name == entity.value_ref]
            require(value and value[0] not in ("", None), f"{transform}: a {entity.type} has no value")
            names = [one.name for one in entity.properties]
            require(len(names) == len(set(names)), f"{transform}: a {entity.type} repeats a property")
        elif data.input_type == "ENTITY":
            require(data.entity.id in ids, f"{transform}: an event of an entity that is not there")
        elif data.input_type == "LINK" and data.event_type == "ADD":
            ends = {data.link.source_id, data.link.target_id}
            require(ends <= ids, f"{transform}: a link of an entity that is not there")
        elif data.input_type == "STATUS_MESSAGE":
            require(0 <= data.status_message.progress <= 1, f"{transform}: progress {data.status_message.progress}")
            texts.append(data.status_message.text)
    require(len(ids) > 1 or texts or events, f"{transform}: neither an entity nor a message")
    return len(ids) - 1, texts


def standard_types():
    """Lists the types of the standard entities."""
    classes = [one for one in vars(maltego.entities).values() if isinstance(one, type)]
    names = {getattr(one, "TYPE_NAME", None) for one in classes}
    return {name: None for name in names if isinstance(name, str)}


def check_documents(client):
    """Reads all documents that a client discovers."""
    parse(V3StatusResponse, client.get("/api/v3/status")[1], "status")
    parse(V3HubItemResponse, client.get("/hub_item")[1], "hub item", nulls=True)
    parse(V3SupportedCapabilitiesResponse, client.get("/.well-known/supported_capabilities")[1], "capabilities", alias=False)
    headers, listing = client.get("/transforms")
    # The members of dictionaries that are null stay.
    listed = parse(V3Transforms, listing, "transforms")
    status, _, _ = client.send("GET", "/transforms", headers={"If-None-Match": headers["etag"]})
    require(status == 304, f"a listing that the client has: HTTP {status}")
    for one in listed.transforms:
        parse(V3TransformDefinition, client.get(f"/transforms/{one.name}")[1], one.name)
    print(f"  {len(listed.transforms)} transforms")
    return listed.transforms


def check_assets(client):
    """Reads the assets, as a whole and one by one."""
    status, _, whole = client.send("GET", "/assets")
    if status == 404:
        print("  no assets yet")
        return {}
    parse(discovery.V3AssetResponse, whole, "assets")
    for path, member, model in [
        ("entities", "entities", V3EntityDefinition),
        ("icons", "icons", V3IconDefinition),
        ("machines", "machines", V3MachineDefinition),
        ("sets", "transformSets", V3TransformSetDefinition),
    ]:
        part = client.get(f"/assets/{path}")[1]
        require(part == whole[member], f"/assets/{path} differs from the whole")
        for one in part:
            parse(model, one, path)
    for one in client.get("/assets/machines?include_refs=true")[1]:
        parse(V3MachineDefinition, one, "machines with references")
    require(client.get("/assets/oauthservice")[1] == [], "an OAuth service")
    print(f"  {len(whole['entities'])} entities, {len(whole['icons'])} icons, {len(whole['machines'])} machines")
    return {one["id"]: one for one in whole["entities"]}


def check_runs(client, running, listed, own):
    """Runs every transform that is listed with its example."""
    known = {**standard_types(), **own}
    examples = {name: (type_id, query, example) for name, type_id, query, example in demo.transforms()}
    require(len(known) > 200, f"only {len(known)} entity types are known")
    total = 0
    for transform in listed:
        name = transform.name
        type_id, query, example = examples.get(name) or examples[name.removeprefix("pivotd.")]
        require(type_id in transform.input.type_ids, f"{name}: {type_id} is no listed input")
        request = run_request(type_id, example, query or "value")
        page, events, _ = run(client, name, request)
        count, texts = check_events(name, events, known if own else AnyType())
        require(page.state == "COMPLETED", f"{name} of {example}: {page.state}: {texts}")
        total += count
        print(f"  {name}: {count} entities, {len(texts)} messages")
    print(f"  {total} entities in all")


class AnyType:
    """Holds every type."""

    def __contains__(self, name):
        return True


def check_refusals(client, listed):
    """Sends what is malformed: the statuses are those of the SDK's server."""
    name = listed[0].name
    path = f"/transforms/{name}/run"
    whole = run_request("maltego.Domain", "example.org", "fqdn")

    def changed(change):
        request = json.loads(json.dumps(whole))
        change(request)
        return request

    entity = lambda request: request["input"]["graph"]["entities"][0]  # noqa: E731
    cases = {
        "an empty object": ({"input": {}}, 422),
        "a list": ([], 422),
        "no settings": (changed(lambda one: one.pop("transformSettings")), 422),
        "an id that is a number": (changed(lambda one: entity(one).update(id=5)), 422),
        "no id": (changed(lambda one: entity(one).pop("id")), 422),
        "a bookmark of 9": (changed(lambda one: entity(one).update(bookmark=9)), 422),
        "a limit that is no number": (changed(lambda one: one.update(limit="abc")), 422),
        "two of one id": (changed(lambda one: one["input"]["graph"]["entities"].append(entity(one))), 400),
        "a link without ends": (changed(lambda one: one["input"]["graph"]["links"].append({"id": "l"})), 400),
        "no entity": (changed(lambda one: one["input"]["graph"].update(entities=[])), 400),
    }
    for case, (request, expected) in cases.items():
        status, headers, value = client.send("POST", path, request)
        require(status == expected, f"{case}: HTTP {status}, not {expected}: {value}")
        require("detail" in value, f"{case}: no detail")
    status, _, value = client.send("GET", f"{path}/00000000-0000-0000-0000-000000000000/results")
    require(status == 404 and value == {"detail": "Transform run not found"}, f"an unknown run: {status} {value}")
    print(f"  {len(cases) + 1} refusals")


def check_checks():
    """Shows broken answers to the checks, each of which has to notice."""
    whole = {
        "result": {
            "eventPointer": 0,
            "eventCount": 1,
            "atomicEntityCount": 1,
            "compositeEntityCount": 0,
            "incompleteCompositeEntity": False,
            "events": [
                {
                    "timestamp": "2026-11-21 22:22:46.643674",
                    "data": {
                        "eventType": "ADD",
                        "entity": {"id": "a", "valueRef": "fqdn", "weight": 100, "type": "maltego.Domain", "overlays": []},
                        "inputType": "ENTITY",
                    },
                }
            ],
            "runId": "28460bcc-bd09-4969-8c66-bd33a1e7be8f",
            "state": "COMPLETED",
            "startTime": "2026-11-21 22:22:46.637693",
            "updateTime": "2026-11-21 22:22:46.639370",
        },
        "status": {"uiMessages": [], "code": 200},
    }
    parse(transform_run.TransformRunResponse, whole, "whole")
    entity = ("result", "events", 0, "data", "entity")
    broken = {
        "an unknown member": (("result",), "more", 1),
        "an unknown member deep inside": (entity, "colour", "red"),
        "a number as a text": (("result",), "eventCount", "1"),
        "an unknown state": (("result",), "state", "DONE"),
        "an unknown bookmark": (entity, "bookmark", 9),
        "a missing member": (("result",), "runId", None),
        "a missing member that has a default": (entity, "overlays", None),
    }
    for name, (way, member, value) in broken.items():
        answer = json.loads(json.dumps(whole))
        place = answer
        for step in way:
            place = place[step]
        if value is None:
            del place[member]
        else:
            place[member] = value
        try:
            parse(transform_run.TransformRunResponse, answer, name)
        except Wrong:
            continue
        raise Wrong(f"the checks do not notice {name}")
    print(f"  {len(broken)} broken answers noticed")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--binary", required=True, type=pathlib.Path, help="the pivotd to check")
    binary = arguments.parse_args().binary
    try:
        print("the checks themselves")
        check_checks()
        with demo.running(binary) as running:
            client = Client(running.address)
            print("documents of protocol v3, read by the vendor's models")
            listed = check_documents(client)
            print("assets")
            own = check_assets(client)
            print("malformed requests")
            check_refusals(client, listed)
            print("runs of every transform")
            check_runs(client, running, listed, own)
    except Wrong as wrong:
        sys.exit(f"tests/clients/v3: {wrong}")
    print("the vendor's models are content")


if __name__ == "__main__":
    main()
