"""Holds the bulk tool's answers against sqlglot: tables, column reads, and the sources of each output column.

usage: compare.py SCHEMA CORPUS ANSWERS DIFFERENCES. Each difference must stand in DIFFERENCES, exactly as it is and with the
reason; one that is not there fails, and so does one that is there and was not found. Our printed Trino text is analysed by
sqlglot as well: whoever reads it must find the same in it as in the statement that was given.
"""

import importlib.metadata
import json
import pathlib
import sys

import oracle
from sqlglot.errors import SqlglotError


def differences_of(ours: dict, theirs: dict):
    """(what, only here, only there) of one query."""

    def sides(what: str, here: list[str], there: list[str]):
        if set(here) != set(there):
            yield what, sorted(set(here) - set(there)), sorted(set(there) - set(here))

    yield from sides("tables", ours["tables"], theirs["tables"])
    yield from sides("reads", ours["reads"], theirs["reads"])
    if len(ours["outputs"]) != len(theirs["outputs"]):
        yield "outputs", [str(o["name"]) for o in ours["outputs"]], [o["name"] for o in theirs["outputs"]]
        return
    for number, (here, there) in enumerate(zip(ours["outputs"], theirs["outputs"]), 1):
        name = here["name"] or "?"
        # Without an alias sqlglot names an output itself.
        if here["name"] is not None and here["name"] != there["name"]:
            yield f"name of output {number}", [name], [there["name"]]
        yield from sides(f"sources of output {number}, {name}", here["sources"], there["sources"])


def found_by_sqlglot(sql: str, schema) -> dict | str:
    try:
        return oracle.analyse(sql, schema)
    except (SqlglotError, ValueError) as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


def compare(statement: dict, answer: dict, schema):
    """Every difference of one query as (what, only here, only there)."""
    if answer["id"] != statement["id"] or not answer["ok"]:
        yield "refused here", [f"{answer.get('code')}: {answer.get('message')}"], []
        return
    theirs = found_by_sqlglot(statement["sql"], schema)
    if isinstance(theirs, str):
        yield "refused by sqlglot", [], [theirs]
        return
    yield from differences_of(answer, theirs)


def compare_printed(answer: dict, schema):
    if not answer["ok"]:
        return
    theirs = found_by_sqlglot(answer["trino"], schema)
    if isinstance(theirs, str):
        yield "printed: refused by sqlglot", [], [theirs]
        return
    for what, here, there in differences_of(answer, theirs):
        yield f"printed: {what}", here, there


def lines(file: str) -> list[dict]:
    return [json.loads(line) for line in pathlib.Path(file).read_text("utf-8").splitlines()]


def main() -> int:
    schema_file, corpus_file, answers_file, differences_file = sys.argv[1:]
    schema = oracle.open_schema(json.loads(pathlib.Path(schema_file).read_text("utf-8")))
    corpus, answers = lines(corpus_file), lines(answers_file)
    explained = json.loads(pathlib.Path(differences_file).read_text("utf-8"))
    key = lambda d: json.dumps([d["id"], d["what"], d["onlyHere"], d["onlySqlglot"]])
    expected = {key(d): d for d in explained}
    found: dict[str, dict] = {}
    for statement, answer in zip(corpus, answers, strict=True):
        for what, here, there in [*compare(statement, answer, schema), *compare_printed(answer, schema)]:
            one = {"id": statement["id"], "what": what, "onlyHere": here, "onlySqlglot": there}
            found[key(one)] = one
    failures = [f"not explained: {k}" for k in found if k not in expected]
    failures += [f"explained, but not there: {k}" for k in expected if k not in found]
    failures += [f"explained without a reason: {d['id']}" for d in explained if not d.get("why")]
    answered = [a for a in answers if a["ok"]]
    outputs = sum(len(a["outputs"]) for a in answered)
    reads = sum(len(a["reads"]) for a in answered)
    local = sum(a["duckdb"] is not None for a in answered)
    print(f"sqlglot {importlib.metadata.version('sqlglot')}: {len(corpus)} queries, {len(answered)} read here")
    print(f"{reads} column reads, {outputs} outputs; {local} print for DuckDB; {len(found)} differences")
    for failure in failures:
        print("FAIL", failure)
    if len(corpus) < 120:
        failures.append("fewer than 120 queries")
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
