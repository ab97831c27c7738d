"""Holds what the embedded AWS was asked and what it answered against botocore's models of the services.

usage: check.py RECORDING ROOT. An accepted request must be one that AWS's model allows; an answer holds no member that the
model lacks, and each in the model's type, values and lengths; a refusal is one that the model has for the operation, or
stands in exceptions.json with the reason. An operation that is served, or that core uses, and was not answered once with
success fails, and so does an exception that no answer needed.
"""

import collections
import importlib.metadata
import json
import pathlib
import re
import sys

import models
import prove

HERE = pathlib.Path(__file__).parent
SERVICES = ["athena", "cloudtrail", "dynamodb", "glue", "iam", "lakeformation", "sts"]
CLIENT = re.compile(r"import\s*(?:type\s*)?\{([^}]*)\}\s*from '@aws-sdk/client-(\w+)'")


def used_by_core(root: pathlib.Path) -> set[tuple[str, str]]:
    """Every operation that a command of core's sends, also through a paginator, and what STS clients send by themselves."""
    used = {("sts", "AssumeRole")}
    for file in root.glob("core/**/*.ts"):
        for names, service in CLIENT.findall(file.read_text()):
            for name in re.findall(r"\b(\w+)Command\b", names):
                used.add((service, name))
            for name in re.findall(r"\bpaginate(\w+)\b", names):
                used.add((service, name))
    return used


def query_actions(root: pathlib.Path) -> set[tuple[str, str]]:
    """Services of the Query protocol have no table of operations: every name of their models that their files spell."""
    served = set()
    for service in ("sts", "iam"):
        for file in [root / f"local/aws/{service}.ts", *root.glob(f"local/aws/{service}/**/*.ts")]:
            text = file.read_text() if file.exists() else ""
            names = models.model_of(service).operation_names
            served |= {(service, name) for name in names if re.search(rf"['\"]{name}['\"]|^\t*{name}[:,(]", text, re.M)}
    return served


def whole(line: str) -> dict | None:
    """A line of the recording; None for an empty one, and for one that a killed process left unfinished."""
    try:
        return json.loads(line) if line.strip() else None
    except ValueError:
        if line.rstrip().endswith("}}"):
            raise
        return None


class Exceptions:
    def __init__(self, entries: list[dict]):
        self.entries = entries
        self.uses = [0] * len(entries)

    def covers(self, service: str, operation: str, kind: str, what: str) -> bool:
        for number, entry in enumerate(self.entries):
            if entry["kind"] != kind or entry["service"] not in ("*", service):
                continue
            if operation in entry.get("operations", [operation]) and re.fullmatch(entry["what"], what):
                self.uses[number] += 1
                return True
        return False

    def idle(self) -> list[dict]:
        return [entry for entry, uses in zip(self.entries, self.uses) if uses == 0]


def judge(exchange: dict, exceptions: Exceptions) -> tuple[str, list[str]]:
    """Whether it went well or was refused, and what is wrong with it."""
    service, name = exchange["service"], exchange["operation"]
    response = exchange["response"]
    model = models.model_of(service)
    if name not in model.operation_names:
        # A name that is none: the refusal is all there is to say.
        return "unknown", [f"an answer to {name}, which is no operation"] if response["status"] < 300 else []
    operation = model.operation_model(name)
    if response["status"] < 300:
        found = [("request", fault) for fault in models.request_faults(service, operation, exchange["request"]["body"])]
        found += [("answer", fault) for fault in models.answer_faults(service, operation, response)]
        kept = [f"{kind}: {fault}" for kind, fault in found if not exceptions.covers(service, name, kind, fault)]
        return "answered", kept
    code, modelled, found = models.error_faults(service, operation, response)
    if code == "UnknownOperationException" or (code == "InvalidAction" and models.protocol_of(service) == "query"):
        return "unknown", []
    kept = [f"error: {fault}" for fault in found if not exceptions.covers(service, name, "error", fault)]
    if not modelled and not exceptions.covers(service, name, "code", code):
        kept.append(f"error: {code} is not in the model of this operation")
    return "refused", kept


def main(recording: str, root: str) -> int:
    missed = prove.unfound()
    if missed:
        print("the check itself does not find:", *missed, sep="\n")
        return 1
    exceptions = Exceptions(json.loads((HERE / "exceptions.json").read_text()))
    counts: dict = collections.defaultdict(collections.Counter)
    faults: dict = collections.Counter()
    expected = used_by_core(pathlib.Path(root)) | query_actions(pathlib.Path(root))
    with open(recording, encoding="utf-8") as lines:
        for line in lines:
            entry = whole(line)
            if entry is None:
                continue
            if "served" in entry:
                expected |= {(entry["served"]["service"], name) for name in entry["served"]["operations"]}
                continue
            if entry["service"] not in SERVICES:
                continue
            outcome, found = judge(entry, exceptions)
            counts[(entry["service"], entry["operation"])][outcome] += 1
            for fault in found:
                faults[f"{entry['service']}.{entry['operation']}: {fault}"] += 1
    return report(counts, faults, expected, exceptions)


def report(counts, faults, expected, exceptions) -> int:
    for (service, name), tally in sorted(counts.items()):
        if (service, name) in expected or tally["answered"]:
            print(f"{service:14} {name:32} {tally['answered']:6} answered {tally['refused']:6} refused")
    for fault, times in faults.most_common():
        print(f"{times} x {fault}")
    silent = sorted(key for key in expected if counts[key]["answered"] == 0)
    for service, name in silent:
        print(f"{service}.{name} is served or used, and was never answered with success in the recording")
    idle = exceptions.idle()
    for entry in idle:
        print(f"no answer needed the exception {entry['service']} {entry['kind']} {entry['what']}")
    total = sum(sum(tally.values()) for tally in counts.values())
    version = importlib.metadata.version("botocore")
    wrong = len(faults) + len(silent) + len(idle)
    print(f"botocore {version}: {total} exchanges, {len(expected)} operations, {len(exceptions.entries)} exceptions, {wrong} findings")
    return 1 if wrong or total == 0 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
