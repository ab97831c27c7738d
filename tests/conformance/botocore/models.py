"""Strict reading of requests and answers by botocore's service models.

botocore's parsers forgive: a member that the model lacks is dropped, a value of another type is passed on. What stands on
the wire is therefore walked by the shapes here, and parsed by botocore as well. Patterns are not checked: they are Java's.
"""

import json
import math
import re
import xml.etree.ElementTree as ElementTree
from urllib.parse import parse_qsl

import botocore.session
from botocore.parsers import ResponseParserFactory
from botocore.validate import ParamValidator

_session = botocore.session.Session()
_parsers = ResponseParserFactory()
_models = {}


def model_of(service: str):
    if service not in _models:
        _models[service] = _session.get_service_model(service)
    return _models[service]


def protocol_of(service: str) -> str:
    return model_of(service).protocol


# --- values ---------------------------------------------------------------------------------------------------------


def faults_of(value, shape, at: str = "") -> list[str]:
    """Where a JSON value is not of this shape."""
    check = _CHECKS.get(shape.type_name, _scalar)
    return check(value, shape, at or shape.name)


def _structure(value, shape, at):
    if not isinstance(value, dict):
        return [f"{at}: not an object"]
    if shape.is_document_type:
        return []
    # The AWS services leave out what has no value; an SDK drops a null.
    given = {name: inner for name, inner in value.items() if inner is not None}
    members = {member.serialization.get("name", name): member for name, member in shape.members.items()}
    found = [f"{at}.{name}: not in the model" for name in given if name not in members]
    required = [shape.members[name].serialization.get("name", name) for name in shape.required_members]
    found += [f"{at}.{name}: required and not there" for name in required if name not in given]
    if getattr(shape, "is_tagged_union", False) and len(given) != 1:
        found.append(f"{at}: exactly one of {sorted(members)}")
    for name, inner in given.items():
        if name in members:
            found += faults_of(inner, members[name], f"{at}.{name}")
    return found


def _list(value, shape, at):
    if not isinstance(value, list):
        return [f"{at}: not a list"]
    found = _bounds(len(value), shape, at, "entries")
    for number, inner in enumerate(value):
        found += faults_of(inner, shape.member, f"{at}[{number}]")
    return found


def _map(value, shape, at):
    if not isinstance(value, dict):
        return [f"{at}: not a map"]
    found = _bounds(len(value), shape, at, "entries")
    for key, inner in value.items():
        found += faults_of(key, shape.key, f"{at} key") + faults_of(inner, shape.value, f"{at}[{key}]")
    return found


def _string(value, shape, at):
    if not isinstance(value, str):
        return [f"{at}: not a string"]
    if shape.enum and value not in shape.enum:
        return [f"{at}: {value!r} is not one of {shape.enum}"]
    return _bounds(len(value), shape, at, "characters")


def _number(value, shape, at):
    whole = shape.type_name in ("integer", "long")
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        return [f"{at}: not a number of type {shape.type_name}"]
    if isinstance(value, float) and not math.isfinite(value):
        return [f"{at}: not finite"]
    if shape.type_name == "integer" and not -(2**31) <= value < 2**31:
        return [f"{at}: more than 32 bits"]
    return _bounds(value, shape, at, "as value")


def _boolean(value, _shape, at):
    return [] if isinstance(value, bool) else [f"{at}: not a boolean"]


def _timestamp(value, _shape, at):
    fine = isinstance(value, (int, float)) and not isinstance(value, bool)
    return [] if fine else [f"{at}: not a timestamp as a number"]


def _blob(value, _shape, at):
    fine = isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", value) is not None
    return [] if fine else [f"{at}: not base64"]


def _scalar(_value, shape, at):
    return [f"{at}: of a type that this check does not know, {shape.type_name}"]


def _bounds(size, shape, at, unit):
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if (low is not None and size < low) or (high is not None and size > high):
        return [f"{at}: {size} {unit}, the model says {low} to {high}"]
    return []


_CHECKS = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "character": _string,
    "integer": _number,
    "long": _number,
    "float": _number,
    "double": _number,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "blob": _blob,
}


# --- requests -------------------------------------------------------------------------------------------------------


def request_of(service: str, operation, body: str):
    """What a request says, as JSON has it."""
    if protocol_of(service) != "query":
        return json.loads(body or "{}")
    flat = {name: value for name, value in parse_qsl(body, keep_blank_values=True) if name not in ("Action", "Version")}
    tree: dict = {}
    for name, value in flat.items():
        *path, last = name.split(".")
        inner = tree
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return _from_text(tree, operation.input_shape) if operation.input_shape else tree


def _from_text(value, shape):
    """A form's texts as values of the shape; what does not fit stays a text, and is found later."""
    if shape.type_name == "structure" and isinstance(value, dict):
        return {name: _from_text(inner, shape.members[name]) if name in shape.members else inner for name, inner in value.items()}
    if shape.type_name == "list" and isinstance(value, dict):
        entries = value.get("member", value) if not shape.serialization.get("flattened") else value
        return [_from_text(entries[key], shape.member) for key in sorted(entries, key=int)] if isinstance(entries, dict) else []
    if shape.type_name in ("integer", "long") and re.fullmatch(r"-?\d+", str(value)):
        return int(value)
    if shape.type_name == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


def request_faults(service: str, operation, body: str) -> list[str]:
    try:
        value = request_of(service, operation, body)
    except ValueError as error:
        return [f"the request cannot be read: {error}"]
    shape = operation.input_shape
    if shape is None:
        return [f"a request with members, {value}" for _ in [1] if value]
    # botocore's own check knows no enums and no upper bounds of lengths.
    report = ParamValidator().validate({k: v for k, v in value.items() if v is not None}, shape)
    return faults_of(value, shape) + ([report.generate_report()] if report.has_errors() else [])


# --- answers --------------------------------------------------------------------------------------------------------


def parse(service: str, operation, response: dict) -> dict:
    """The answer as botocore reads it."""
    parser = _parsers.create_parser(protocol_of(service))
    raw = {"status_code": response["status"], "headers": response["headers"], "body": response["body"].encode()}
    return parser.parse(raw, operation.output_shape)


def answer_faults(service: str, operation, response: dict) -> list[str]:
    shape = operation.output_shape
    try:
        parsed = parse(service, operation, response)
    except Exception as error:  # noqa: BLE001 - whatever botocore makes of it is the finding
        return [f"botocore cannot read the answer: {type(error).__name__}: {error}"]
    if "Error" in parsed:
        return [f"botocore reads an error in a success: {parsed['Error']}"]
    if protocol_of(service) == "query":
        return _xml_faults(operation, response["body"])
    value = json.loads(response["body"] or "{}")
    if shape is None:
        return [f"an answer with members, {sorted(value)}"] if value else []
    return faults_of(value, shape)


def _xml_faults(operation, body: str) -> list[str]:
    root = ElementTree.fromstring(body)
    namespace = operation.service_model.metadata["xmlNamespace"]
    spaces = {element.tag.split("}")[0].lstrip("{") for element in root.iter()}
    found = [] if spaces == {namespace} else [f"the namespace is {sorted(spaces)}"]
    if _local(root) != f"{operation.name}Response":
        found.append(f"the root is {_local(root)}")
    shape = operation.output_shape
    names = [_local(child) for child in root]
    if shape is None:
        return found + ([] if names == ["ResponseMetadata"] else [f"the root holds {names}"])
    wrapper = shape.serialization.get("resultWrapper")
    if names != [wrapper, "ResponseMetadata"]:
        return [*found, f"the root holds {names}"]
    return found + faults_of(_xml_value(root[0], shape), shape)


def _xml_value(element, shape):
    """An element as JSON would have it; an element that the model lacks keeps its name, and is found later."""
    if shape is not None and shape.type_name == "structure":
        by_wire = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        value = {}
        for child in element:
            name, member = by_wire.get(_local(child), (_local(child), None))
            value[member.serialization.get("name", name) if member is not None else name] = _xml_value(child, member)
        return value
    if shape is not None and shape.type_name == "list":
        return [_xml_value(child, shape.member) for child in element]
    text = element.text or ""
    if shape is None or shape.type_name in ("string", "blob"):
        return text
    if shape.type_name in ("integer", "long") and re.fullmatch(r"-?\d+", text):
        return int(text)
    if shape.type_name == "boolean" and text in ("true", "false"):
        return text == "true"
    if shape.type_name == "timestamp" and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text):
        return 0
    return text


def _local(element) -> str:
    return element.tag.split("}")[-1]


# --- refusals -------------------------------------------------------------------------------------------------------


def error_faults(service: str, operation, response: dict) -> tuple[str, bool, list[str]]:
    """(its code, whether the model has it for this operation, what is wrong with its form)."""
    try:
        parsed = parse(service, operation, response)
    except Exception as error:  # noqa: BLE001
        return "?", False, [f"botocore cannot read the error: {type(error).__name__}: {error}"]
    error = parsed.get("Error", {})
    code = error.get("Code", "?")
    found = [] if error.get("Message") else ["an error without a message"]
    shapes = {shape.error_code: shape for shape in operation.error_shapes} | {s.name: s for s in operation.error_shapes}
    shape = shapes.get(code)
    if shape is not None and protocol_of(service) != "query":
        body = json.loads(response["body"])
        known = {member.lower() for member in shape.members} | {"__type", "message"}
        found += [f"{code}.{name}: not in the model" for name in body if name.lower() not in known]
        for name, member in shape.members.items():
            if body.get(name) is not None:
                found += faults_of(body[name], member, f"{code}.{name}")
    return code, shape is not None, found
