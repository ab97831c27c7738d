/** The column lineage facet of each query of the sqlglot corpus, one JSON object per line. */
import { lineageFacet, resolve } from '#core/sql.ts';
import { parseQuery } from '#core/syntax.ts';
import { readSchema } from '#local/sql/schema.ts';
import { readCorpus, schemaFile } from '#tests/conformance/sqlglot/corpus.ts';

const lookup = readSchema(schemaFile);
const dataset = (table: string) => ({
	namespace: 'arn:aws:glue:eu-central-1:210000000001',
	name: `table/bank/${table}`,
});

for (const { id, sql } of readCorpus()) {
	const facet = lineageFacet(resolve(parseQuery(sql), lookup), dataset, 'https://fairlead.example');
	process.stdout.write(`${JSON.stringify({ id, facet })}\n`);
}
