"""Holds what Fairlead says of contracts against the JSON schema of the Open Data Contract Standard v3.1.0.

The schema is the one inside the PyPI package open-data-contract-standard 3.1.x. Reads the lines of odcs/judge.ts.
Fails when a contract that must pass does not, when the two disagree on whether the standard is broken, when Fairlead
refuses for something that is not one of its named needs, or when a member of the standard is in no contract.
"""

import collections
import importlib.metadata
import importlib.resources
import json
import re
import sys

from jsonschema import Draft201909Validator, FormatChecker
from jsonschema.validators import extend
from rfc3986_validator import validate_rfc3986

formats = FormatChecker(formats=("date", "date-time"))


@formats.checks("uri")
def is_uri(value: object) -> bool:
    """A location may be a URI template (RFC 6570): the standard's users write {model} in it."""
    if not isinstance(value, str):
        return True
    return bool(validate_rfc3986(re.sub(r"\{[^{}\s]*\}", "x", value), rule="URI"))


def members(schema: object, place: str = "") -> dict[int, tuple[str, dict]]:
    """Every `properties` of the schema, save for those that a condition only looks at."""
    found = {}
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "properties":
                found[id(value)] = (place, value)
                for name, below in value.items():
                    found.update(members(below, f"{place}/{name}"))
            elif key not in ("if", "not"):
                found.update(members(value, f"{place}/{key}"))
    elif isinstance(schema, list):
        for i, value in enumerate(schema):
            found.update(members(value, f"{place}/{i}"))
    return found


def main() -> int:
    package = importlib.metadata.version("open-data-contract-standard")
    if not package.startswith("3.1."):
        raise SystemExit(f"open-data-contract-standard is {package}, not 3.1.x")
    text = importlib.resources.files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8")
    schema = json.loads(text)
    used: set[tuple[int, str]] = set()
    plain = Draft201909Validator.VALIDATORS["properties"]

    def properties(validator, subschemas, instance, whole):
        if isinstance(instance, dict):
            used.update((id(subschemas), name) for name in subschemas if name in instance)
        yield from plain(validator, subschemas, instance, whole)

    official = Draft201909Validator(schema, format_checker=formats)
    watching = extend(Draft201909Validator, {"properties": properties})(schema, format_checker=formats)
    counts: collections.Counter[str] = collections.Counter()
    failures = []
    needs: collections.Counter[str] = collections.Counter()
    for line in sys.stdin:
        case = json.loads(line)
        error = next((watching if case["mustPass"] else official).iter_errors(case["document"]), None)
        says = None if error is None else f"{error.json_path}: {error.message[:160]}"
        counts["refused by the standard" if error else "taken by the standard"] += 1
        if case["mustPass"] and (says or case["odcs"] or case["rules"]):
            failures.append(f"{case['name']}: must pass; the schema: {says}; ours: {case['rules']}")
        if case["odcs"] != (error is not None):
            failures.append(f"{case['name']}: the schema: {says}; ours finds the standard broken: {case['odcs']}")
        if "text" in case["rules"] or "" in case["rules"]:
            failures.append(f"{case['name']}: refused without a need: {case['rules']}")
        if error is None:
            needs.update(case["rules"])
    unused = [
        f"{place}/{name}"
        for key, (place, subschemas) in members(schema).items()
        for name in subschemas
        if (key, name) not in used
    ]
    failures += [f"member in no contract: {place}" for place in unused]
    print(f"open-data-contract-standard {package}: {dict(counts)}")
    print(f"refused beyond the standard, by need: {dict(sorted(needs.items()))}")
    for failure in failures[:40]:
        print("FAIL", failure)
    print(f"{len(failures)} failures")
    return 1 if failures or sum(counts.values()) < 1000 else 0


sys.exit(main())
