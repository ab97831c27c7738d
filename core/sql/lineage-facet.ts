/**
 * The lineage of a result as OpenLineage's ColumnLineageDatasetFacet, 1-2-0
 * (https://openlineage.io/docs/spec/facets/dataset-facets/column_lineage_facet): what feeds or decides each column under
 * its name; what decides on the rows, and so on every column, once under `dataset`.
 */
import { uniqueNames } from './analysis.ts';
import { keyOf } from './lineage.ts';
import type { DirectSource, IndirectSource, Resolved } from './resolved.ts';

const schema =
	'https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet';

type Transformation = {
	readonly type: 'DIRECT' | 'INDIRECT';
	readonly subtype:
		| 'IDENTITY'
		| 'TRANSFORMATION'
		| 'AGGREGATION'
		| 'JOIN'
		| 'GROUP_BY'
		| 'FILTER'
		| 'SORT'
		| 'WINDOW'
		| 'CONDITIONAL';
	readonly description: string;
	readonly masking: boolean;
};

type InputField = {
	readonly namespace: string;
	readonly name: string;
	readonly field: string;
	readonly transformations: readonly Transformation[];
};

export type ColumnLineageFacet = {
	readonly _producer: string;
	readonly _schemaURL: string;
	readonly fields: { readonly [output: string]: { readonly inputFields: readonly InputField[] } };
	readonly dataset: readonly InputField[];
};

/** How a table, by its id, is named as a dataset. */
type DatasetName = (table: string) => { readonly namespace: string; readonly name: string };

/** `producer`: the URI of the installation that says so. */
export function lineageFacet(
	resolved: Pick<Resolved, 'outputs' | 'rows'>,
	name: DatasetName,
	producer: string,
): ColumnLineageFacet {
	const { outputs, rows } = resolved;
	const names = uniqueNames(outputs.map((output) => output.name));
	const fields = outputs.map(
		({ sources, indirect }, index) =>
			[names[index] ?? '', { inputFields: inputFields(sources, indirect, name) }] as const,
	);
	return {
		_producer: producer,
		_schemaURL: schema,
		fields: Object.fromEntries(fields),
		dataset: inputFields([], rows, name),
	};
}

const direct = { identity: 'IDENTITY', transformation: 'TRANSFORMATION', aggregation: 'AGGREGATION' } as const;

const indirect = {
	filter: 'FILTER',
	join: 'JOIN',
	group: 'GROUP_BY',
	sort: 'SORT',
	window: 'WINDOW',
	conditional: 'CONDITIONAL',
} as const;

/** One for each base column, with all it does. */
function inputFields(
	sources: readonly DirectSource[],
	influences: readonly IndirectSource[],
	name: DatasetName,
): readonly InputField[] {
	const found = new Map<string, InputField & { transformations: Transformation[] }>();
	const add = (table: string, column: string, how: Pick<Transformation, 'type' | 'subtype'>) => {
		const id = keyOf(table, column);
		const field = found.get(id) ?? { ...name(table), field: column, transformations: [] };
		field.transformations.push({ ...how, description: '', masking: false });
		found.set(id, field);
	};
	for (const { table, column, kind } of sources) add(table, column, { type: 'DIRECT', subtype: direct[kind] });
	for (const { table, column, use } of influences) add(table, column, { type: 'INDIRECT', subtype: indirect[use] });
	return [...found.values()];
}
