/** Column lineage as the API tells it: by our own names of tables, and as OpenLineage's facet. */
import * as z from 'zod';
import type { Config } from '../context.ts';
import { BrokerError } from '../error.ts';
import type { TableRef } from '../ledger.ts';
import { type ColumnLineageFacet, type IndirectSource, lineageFacet, type Resolved } from '../sql.ts';

const source = { table: z.string(), column: z.string() };
const Direct = z.object({ ...source, kind: z.enum(['identity', 'transformation', 'aggregation']) });
const Indirect = z.object({
	...source,
	use: z.enum(['filter', 'join', 'group', 'sort', 'window', 'conditional']),
});

const InputField = z.object({
	namespace: z.string(),
	name: z.string(),
	field: z.string(),
	transformations: z.array(
		z.object({
			type: z.enum(['DIRECT', 'INDIRECT']),
			subtype: z.enum([
				'IDENTITY',
				'TRANSFORMATION',
				'AGGREGATION',
				'JOIN',
				'GROUP_BY',
				'FILTER',
				'SORT',
				'WINDOW',
				'CONDITIONAL',
			]),
			description: z.string(),
			masking: z.boolean(),
		}),
	),
});

const Facet = z.object({
	_producer: z.url(),
	_schemaURL: z.url(),
	fields: z
		.record(z.string(), z.object({ inputFields: z.array(InputField) }))
		.meta({ description: 'What feeds or decides each column of the result' }),
	dataset: z.array(InputField).meta({ description: 'What decides which rows there are' }),
});

export const LineageView = z.object({
	outputs: z
		.array(
			z.object({
				name: z.string().nullable(),
				sources: z.array(Direct).meta({ description: 'Columns whose values are in it' }),
				indirect: z.array(Indirect).meta({ description: 'Columns that its own expression decides by' }),
			}),
		)
		.meta({ description: 'The columns of the result' }),
	rows: z.array(Indirect).meta({ description: 'Columns that decide which rows there are, for every output' }),
	columnLineage: Facet.meta({
		description: "The same as OpenLineage's ColumnLineageDatasetFacet; datasets are named by Glue ARN",
	}),
});
export type LineageView = z.infer<typeof LineageView>;

/** `tables`: where each table really is, by the key that the resolver knows it by. */
export function viewLineage(
	{ region, producer }: Pick<Config, 'region' | 'producer'>,
	resolved: Resolved,
	tables: ReadonlyMap<string, TableRef>,
): LineageView {
	return {
		outputs: resolved.outputs.map((o) => ({
			name: o.name,
			sources: o.sources.map((s) => ({ ...s })),
			indirect: o.indirect.map(influenceOf),
		})),
		rows: resolved.rows.map(influenceOf),
		columnLineage: facetOf(lineageFacet(resolved, (id) => datasetOf(region, tables.get(id)), producer)),
	};
}

function facetOf({ fields, dataset, ...named }: ColumnLineageFacet): LineageView['columnLineage'] {
	const inputs = (list: ColumnLineageFacet['dataset']) =>
		list.map((input) => ({ ...input, transformations: [...input.transformations] }));
	const outputs = Object.entries(fields).map(([name, { inputFields }]) => [name, { inputFields: inputs(inputFields) }]);
	return { ...named, fields: Object.fromEntries(outputs), dataset: inputs(dataset) };
}

export const influenceOf = ({ table, column, use }: IndirectSource) => ({ table, column, use });

/** https://openlineage.io/docs/spec/naming, "AWS Glue" */
function datasetOf(region: string, ref: TableRef | undefined) {
	if (ref === undefined) throw new BrokerError('internal', 'A table of the query has no place.');
	return { namespace: `arn:aws:glue:${region}:${ref.account}`, name: `table/${ref.database}/${ref.table}` };
}
