"""Reads each facet into the classes of OpenLineage's own client, member by member, and writes it again: nothing is lost,
nothing is unknown, every transformation is one that the specification names."""

import json
import sys

from openlineage.client.facet_v2 import column_lineage_dataset as spec
from openlineage.client.serde import Serde

SUBTYPES = {
    "DIRECT": {"IDENTITY", "TRANSFORMATION", "AGGREGATION"},
    "INDIRECT": {"JOIN", "GROUP_BY", "FILTER", "SORT", "WINDOW", "CONDITIONAL"},
}


def transformation(given):
    read = spec.Transformation(**given)
    if read.subtype not in SUBTYPES[read.type]:
        raise ValueError(f"{read.type} has no {read.subtype}")
    return read


def inputs(given):
    return [
        spec.InputField(**{**field, "transformations": [transformation(t) for t in field["transformations"]]})
        for field in given
    ]


def facet(given):
    members = dict(given)
    if members.pop("_schemaURL") != spec.ColumnLineageDatasetFacet._get_schema():
        raise ValueError("the facet is of another version than the client's")
    return spec.ColumnLineageDatasetFacet(
        producer=members.pop("_producer"),
        fields={
            name: spec.Fields(**{**field, "inputFields": inputs(field["inputFields"])})
            for name, field in members.pop("fields").items()
        },
        dataset=inputs(members.pop("dataset")),
        **members,
    )


def written(given):
    """As the client sends it; members that have nothing to say are left out."""
    return json.loads(Serde.to_json(facet(given)))


def without_empty(value):
    if isinstance(value, dict):
        return {k: without_empty(v) for k, v in value.items() if v not in (None, "", [], {})}
    return [without_empty(v) for v in value] if isinstance(value, list) else value


def main():
    read = failed = outputs = 0
    for line in sys.stdin:
        case = json.loads(line)
        try:
            same = without_empty(written(case["facet"])) == without_empty(case["facet"])
            problem = None if same else "it is written otherwise than it was read"
        except (TypeError, ValueError, KeyError) as error:
            problem = f"{type(error).__name__}: {error}"
        read += 1
        outputs += len(case["facet"]["fields"])
        if problem is not None:
            failed += 1
            print(f"FAIL {case['id']}: {problem}")
    print(f"{read} facets, {outputs} outputs, {failed} failures")
    return 1 if failed or read == 0 or outputs == 0 else 0


sys.exit(main())
