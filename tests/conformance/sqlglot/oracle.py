"""What a query reads and where its columns come from, by sqlglot (PyPI, the pure-Python wheel): qualify, scopes, lineage.

Nothing of Fairlead is used here. Sub-queries of EXISTS read no column values, so that a star there is not expanded.
"""

from sqlglot import exp, parse_one
from sqlglot.lineage import to_node
from sqlglot.optimizer import build_scope, traverse_scope
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

DIALECT = "trino"


def open_schema(tables: dict[str, dict[str, str]]) -> MappingSchema:
    nested: dict = {}
    for name, columns in tables.items():
        *databases, table = name.split(".")
        place = nested
        for database in databases:
            place = place.setdefault(database, {})
        place[table] = columns
    return MappingSchema(nested, dialect=DIALECT)


def parse(sql: str) -> exp.Expression:
    return parse_one(sql, read=DIALECT)


def qualified(tree: exp.Expression, schema: MappingSchema) -> exp.Expression:
    for found in tree.find_all(exp.Exists):
        inner = found.this
        if isinstance(inner, exp.Select) and inner.is_star:
            inner.set("expressions", [exp.Literal.number(1)])
    return qualify(tree, schema=schema, dialect=DIALECT, identify=False)


def name_of(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts)


def source_of(column: exp.Column, scope) -> exp.Table | None:
    """The base table that a qualified column belongs to: of its own scope, or of one around it."""
    while scope is not None:
        source = scope.sources.get(column.table)
        if source is not None:
            return source if isinstance(source, exp.Table) else None
        scope = scope.parent
    return None


def tables_and_reads(tree: exp.Expression) -> tuple[list[str], list[str]]:
    tables: set[str] = set()
    reads: set[str] = set()
    for scope in traverse_scope(tree):
        tables.update(name_of(source) for source in scope.sources.values() if isinstance(source, exp.Table))
        for column in scope.columns:
            table = source_of(column, scope)
            if table is not None:
                reads.add(f"{name_of(table)}.{column.name}")
    return sorted(tables), sorted(reads)


def lineage(tree: exp.Expression, schema: MappingSchema) -> list[tuple[str, list[str]]]:
    """Name and base columns of each output, in order."""
    scope = build_scope(tree)
    cache: dict = {}
    meta: dict = {}
    found = []
    for index, select in enumerate(tree.selects):
        node = to_node(
            index, scope, DIALECT, trim_selects=False, schema=schema, _cache=cache, _scope_meta=meta
        )
        leaves = {
            f"{name_of(n.expression)}.{exp.to_column(n.name).name}"
            for n in node.walk()
            if isinstance(n.expression, exp.Table)
        }
        found.append((select.alias_or_name, sorted(leaves)))
    return found


def analyse(sql: str, schema: MappingSchema) -> dict:
    tree = qualified(parse(sql), schema)
    tables, reads = tables_and_reads(tree)
    outputs = [{"name": name, "sources": sources} for name, sources in lineage(tree, schema)]
    return {"tables": tables, "reads": reads, "outputs": outputs}
