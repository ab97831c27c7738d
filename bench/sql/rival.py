"""The same with sqlglot, in milliseconds of every query, once for each line read: [parse, qualify, lineage, documented].

Parsed and qualified once, with one scope and one cache for the lineage of all outputs; and as its documentation has it,
`lineage(column, sql, schema)` for each output, which parses and qualifies each time.

usage: rival.py WORK ORACLE: the schema and the corpus, and the folder of the module that names the calls.
"""

import json
import pathlib
import sys
from time import perf_counter

started = perf_counter()
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[2])
import oracle  # noqa: E402
import sqlglot  # noqa: E402
from sqlglot.lineage import lineage  # noqa: E402

imported = perf_counter() - started
work = json.loads(pathlib.Path(sys.argv[1]).read_text("utf-8"))
schema = oracle.open_schema(work["schema"])


def run(sql: str) -> list[float] | None:
    """None: sqlglot cannot read it."""
    begun = perf_counter()
    try:
        tree = oracle.parse(sql)
        parsed = perf_counter()
        tree = oracle.qualified(tree, schema)
        qualified = perf_counter()
        oracle.lineage(tree, schema)
        traced = perf_counter()
        for select in tree.selects:
            lineage(select.alias_or_name, sql, schema=schema, dialect=oracle.DIALECT)
    except (sqlglot.errors.SqlglotError, ValueError):
        return None
    times = [parsed - begun, qualified - parsed, traced - qualified, perf_counter() - traced]
    return [1000 * time for time in times]


def say(value: object) -> None:
    print(json.dumps(value), flush=True)


version = f"sqlglot {sqlglot.__version__} on Python {sys.version.split()[0]}"
say({"imported": 1000 * imported, "first": run(work["corpus"][0]["sql"]), "version": version})
for _ in sys.stdin:
    say([run(statement["sql"]) for statement in work["corpus"]])
