/** What contracts say of grants in force and of requests, each as its text was sent: ends, purposes, classes, templates. */
import { cellsOf, type Scope } from './cells.ts';
import { columnsRead, covers, nameOf, resolved, rolesFor, type TableScope } from './chain.ts';
import { lengthOf } from './emergencies.ts';
import { type Book, columnOf, type Entry, grantOf, hasColumn, is, of, streamsOf, termOf } from './record.ts';
import type { Tables } from './tables.ts';

type Open = { readonly grant: string; readonly until: string };

/** What is held under a contract that does not bear it any more. */
export function outOfTerms(record: Book, { grant, until }: Open, scope: TableScope, now: string): string[] {
	const [opened] = of(grantOf(record, grant), 'GrantOpened');
	if (opened === undefined) return [];
	const { product, contract, purpose } = opened.body;
	const published = of(record.streams.get(`A#product#${product}`) ?? [], 'ContractPublished');
	const since = published.slice(published.findIndex(({ leaf }) => leaf === contract.leaf));
	const outlived = since.filter((version) => until > lastOf(record, version));
	const present = since.at(-1)?.body.contractHash ?? '';
	const purposes = termOf(record, present, 'purposes');
	const columns = columnsRead({ tables: [scope] });
	const faults =
		until <= now
			? []
			: [
					...columns.flatMap(([table, name]) =>
						hasColumn(record, present, table, name) ? [] : [`has ${name}, which is gone`],
					),
					...(Array.isArray(purposes) && purposes.includes(purpose) ? [] : [`is for ${purpose}, which is not allowed`]),
					...unapproved(record, opened, present, columns),
				];
	return [...outlived.map(({ body }) => `goes on when ${product} ${body.version} has retired`), ...faults].map(
		(what) => `${grant} ${what}`,
	);
}

/** How long a call that publishes may take. */
const CALL_MS = 60_000;

/** When access under a version ends at the latest: what had retired when it was published ends in that call. */
function lastOf(record: Book, { at, body }: Entry<'ContractPublished'>): string {
	const retires = termOf(record, body.contractHash, 'retiresAt');
	if (typeof retires !== 'string') return '9999';
	const end = new Date(retires).toISOString();
	const then = new Date(Date.parse(at) + CALL_MS).toISOString();
	return end > at ? end : then;
}

/** Whether all would have approved it who would have to now. */
function unapproved(
	record: Book,
	{ body }: Entry<'GrantOpened'>,
	present: string,
	columns: ReturnType<typeof columnsRead>,
): string[] {
	const entries = record.streams.get(`A#request#${body.request}`) ?? [];
	const decided = of(entries, 'AccessDecided').find(({ leaf }) => leaf === body.decisionLeaf);
	const said = entries.findLast((e) => is(e, 'AccessRequested') || is(e, 'AccessEdited'))?.body;
	if (decided === undefined || said === undefined || !('route' in said) || decided.body.as === 'break-glass') return [];
	if (decided.body.as === 'policy') {
		const open = columns.every(([table, name]) => columnOf(record, present, table, name).classification === 'public');
		return open ? [] : ['was approved by a rule, and is not public any more'];
	}
	const need = rolesFor(record, present, body.productDomain, body.purpose, columns);
	return covers(said.route, need) ? [] : [`needs ${need.join()} now, and was approved by ${said.route.join()}`];
}

type Template = {
	readonly id: string;
	readonly tables: readonly {
		readonly table: string;
		readonly columns: readonly string[];
		readonly rowFilter?: string;
	}[];
	readonly purpose?: string;
	readonly duration?: string;
};

/** Entries that were held against their template: neither ever changes. */
const compared = new Set<string>();

/** What was asked by a template and is not what that says. */
export async function otherThanTemplate(record: Book, tables: Tables): Promise<string[]> {
	const found: string[] = [];
	for (const [id, entries] of streamsOf(record, 'A#request#')) {
		for (const entry of entries) {
			if (!is(entry, 'AccessRequested') && !is(entry, 'AccessEdited')) continue;
			if (entry.body.template === undefined || compared.has(entry.leaf)) continue;
			const faults = await differing(record, tables, entry);
			found.push(...faults.map((what) => `${id}: ${what}`));
			if (faults.length === 0) compared.add(entry.leaf);
		}
	}
	return found;
}

async function differing(
	record: Book,
	tables: Tables,
	{ body, pii }: Entry<'AccessRequested'> | Entry<'AccessEdited'>,
): Promise<string[]> {
	const known = (termOf(record, body.contract.hash, 'accessTemplates') ?? []) as readonly Template[];
	const template = known.find(({ id }) => id === body.template);
	if (template === undefined) return ['asked by a template that its contract does not have'];
	const scopes = resolved(body.tables, pii);
	const faults = scopes.length === template.tables.length ? [] : ['asked for other tables than its template has'];
	for (const scope of scopes) {
		const spelled = template.tables.find(({ table }) => table === scope.table.table);
		const columns = spelled?.columns.toSorted().join();
		if (columns !== scope.columns.toSorted().join()) faults.push('asked for other columns than its template has');
		const rows = await tables.where(nameOf(scope.table), spelled?.rowFilter ?? null);
		const asked = cellsOf({ ...scope, columns: ['#'] } satisfies Scope, tables.rows(nameOf(scope.table)));
		if (rows.some((seen, i) => seen !== asked.has(`${i}.#`))) faults.push('asked for other rows than its template has');
	}
	if (body.type === 'AccessEdited') return faults;
	const { purpose = body.purpose, duration = body.duration } = template;
	return [
		...faults,
		...(purpose === body.purpose ? [] : ['asked for another purpose than its template has']),
		...(lengthOf(body.duration) <= lengthOf(duration) ? [] : ['asked for longer than its template does']),
	];
}
