/**
 * What must hold after each step of a history: every grant is founded, what a principal holds is the cells that were
 * approved for it, no more and no less; and after a sweep Lake Formation shows just that.
 */
import * as Ledger from '#core/ledger.ts';
import type { Filter } from '#local/aws/state.ts';
import { beyond, type Cells, cells, cellsOf, type Scope, together } from './cells.ts';
import { keyOf, nameOf, resolved, type TableScope, unfounded, wider } from './chain.ts';
import { reviewedWrongly } from './emergencies.ts';
import { liftedWrongly } from './keepers.ts';
import { endOf, leftWrongly, staying } from './leavers.ts';
import { decidedWrongly, delegatedWrongly } from './mandates.ts';
import type { Mesh } from './mesh.ts';
import { type Book, type Entry, grantOf, isOver, of, readRecord } from './record.ts';
import type { Tables } from './tables.ts';
import { otherThanTemplate, outOfTerms } from './terms.ts';

export async function faults(mesh: Mesh, tables: Tables, swept: boolean): Promise<string[]> {
	const record = await readRecord(mesh.platform);
	const now = mesh.platform.clock().toISOString();
	const damage = (await Ledger.verifyAll(mesh.platform)).findings.map((f) => JSON.stringify(f));
	const held = entitlementsOf(record);
	return [
		...damage,
		...grantsOf(record).flatMap((grant) => unfounded(record, tables, grant).map((what) => `${grant}: ${what}`)),
		...decidedWrongly(record),
		...delegatedWrongly(record),
		...reviewedWrongly(record, now),
		...leftWrongly(record),
		...liftedWrongly(record),
		...(await otherThanTemplate(record, tables)),
		...held.flatMap((one) => heldWrongly(record, tables, one, now)),
		...notHeld(record, held, now),
		...(swept ? await shownWrongly(mesh, tables, record, held, now) : []),
	];
}

export type Holding = Ledger.BodyOf<'EntitlementChanged'>['grants'][number];
type Held = Entry<'EntitlementChanged'>;

export const grantsOf = ({ streams }: Book): string[] =>
	[...streams.keys()].flatMap((name) => (name.startsWith('A#grant#') ? [name.slice('A#grant#'.length)] : []));

export const entitlementsOf = ({ streams }: Book): Held[] =>
	[...streams.values()].flatMap((entries) => of(entries, 'EntitlementChanged').slice(-1));

/** What a grant opens on a table, by what was approved and taken away since; null where that is nothing. */
export function approved(record: Book, grant: string, table: Ledger.TableRef): TableScope | null {
	const entries = grantOf(record, grant);
	const said = [...of(entries, 'GrantOpened'), ...of(entries, 'GrantNarrowed')];
	const scopes = said.flatMap(({ body, pii }) => resolved(body.tables, pii));
	return scopes.findLast((scope) => keyOf(scope.table) === keyOf(table)) ?? null;
}

/** In force as far as its own stream tells. */
export function isLive(record: Book, grant: string): boolean {
	const changes: readonly string[] = ['GrantSuspending', 'GrantHeld', 'GrantResuming'];
	const last = grantOf(record, grant).findLast(({ body }) => changes.includes(body.type))?.body.type;
	return !isOver(record, grant) && (last === undefined || last === 'GrantResuming');
}

function heldWrongly(record: Book, tables: Tables, held: Held, now: string): string[] {
	const { body, pii } = held;
	const apart = (pii?.['rowFilters'] ?? {}) as { readonly [of: string]: Scope['rowFilter'] };
	const rows = tables.rows(nameOf(body.table));
	const read = (stored: { columns: string[]; rowFilter: unknown }, key: string): Cells =>
		cellsOf({ columns: stored.columns, rowFilter: apart[key] ?? (stored.rowFilter as Scope['rowFilter']) }, rows);
	const live = body.grants.filter((g) => g.ended === null);
	const each = live.map((holding) => {
		const scope = approved(record, holding.grant, body.table);
		return { holding, scope, cells: scope === null ? new Set<string>() : cellsOf(scope, rows) };
	});
	const sum = together(each.map((one) => one.cells));
	const seen = body.scope === null ? new Set<string>() : read(body.scope, 'scope');
	const where = `${body.principal} on ${nameOf(body.table)}`;
	return [
		...beyond(seen, sum).map((cell) => `${where} sees ${cell}, which nobody approved`),
		...beyond(sum, seen).map((cell) => `${where} does not see ${cell}, which was approved`),
		...each.flatMap(({ holding, scope, cells: own }) => [
			...heldAs(record, held, holding),
			...(scope === null ? [] : outOfTerms(record, holding, scope, now)),
			...beyond(read(holding, holding.grant), own).map((cell) => `${holding.grant} holds ${cell} besides`),
		]),
		...live.flatMap(({ grant }) => narrowedWrongly(record, tables, grant)),
	];
}

function heldAs(record: Book, { body }: Held, holding: Holding): string[] {
	const { grant } = holding;
	const [opened] = of(grantOf(record, grant), 'GrantOpened');
	const { principal, purpose, from } = opened?.body ?? {};
	// Who benefits only becomes fewer, and the end only comes sooner.
	const is = [body.principal, holding.purpose, holding.from, holding.until, holding.beneficiaries, holding.leaf];
	const was = [principal, purpose, from, endOf(record, grant), staying(record, grant), opened?.leaf];
	return [
		...(JSON.stringify(is) === JSON.stringify(was) ? [] : [`${holding.grant} is held otherwise than it was opened`]),
		...(isLive(record, holding.grant) ? [] : [`${holding.grant} is over or held back, and open`]),
	];
}

function narrowedWrongly(record: Book, tables: Tables, grant: string): string[] {
	const entries = grantOf(record, grant);
	const said = [...of(entries, 'GrantOpened'), ...of(entries, 'GrantNarrowed')];
	const steps = said.map(({ body, pii }) => resolved(body.tables, pii));
	return steps.slice(1).flatMap((less, i) =>
		wider(
			less,
			steps
				.slice(0, i + 1)
				.flat()
				.toReversed(),
			tables,
		),
	);
}

/** What was told to be granted and is not over is held. */
function notHeld(record: Book, held: readonly Held[], now: string): string[] {
	return grantsOf(record).flatMap((grant) => {
		const entries = grantOf(record, grant);
		const [opened] = of(entries, 'GrantOpened');
		const last = entries.at(-1)?.body;
		if (opened === undefined || last?.type !== 'GrantSettled' || last.state !== 'granted') return [];
		if (endOf(record, grant) <= now) return [];
		return opened.body.tables.flatMap((table) => {
			const of = held.find(
				({ body }) => body.principal === opened.body.principal && keyOf(body.table) === keyOf(table),
			);
			const listed = of?.body.grants.some((g) => g.grant === grant && g.ended === null && g.proven);
			return listed === true ? [] : [`${grant} is granted, and does not stand in the entitlement`];
		});
	});
}

/** Lake Formation against what is approved and inside its window, filter by filter as it was told. */
async function shownWrongly(
	{ test }: Mesh,
	tables: Tables,
	record: Book,
	held: readonly Held[],
	now: string,
): Promise<string[]> {
	const { filters, permissions } = test.bank.aws.lakeFormationState();
	const ours = filters.filter(({ name }) => name.startsWith('fl_'));
	const shown = permissions.flatMap(({ principal, resource, permissions: rights }) => {
		if (resource.kind !== 'filter') return [];
		const filter = ours.find((f) => f.name === resource.name && keyOf(f) === keyOf(resource));
		return filter === undefined ? [] : [{ principal, filter, rights }];
	});
	const found: string[] = ours
		.filter((filter) => !shown.some((one) => one.filter === filter))
		.map(({ name }) => `${name} is granted to nobody`);
	const known = new Set<Filter>();
	for (const { body } of held) {
		const rows = tables.rows(nameOf(body.table));
		const live = body.grants.filter((g) => g.ended === null && g.until > now);
		const scopes = live.map(({ grant }) => approved(record, grant, body.table));
		const sum = together(scopes.map((scope) => (scope === null ? new Set<string>() : cellsOf(scope, rows))));
		const its = shown.filter((one) => one.principal === body.principal && keyOf(one.filter) === keyOf(body.table));
		for (const { filter } of its) known.add(filter);
		const seen = together(await Promise.all(its.map(({ filter }) => cellsShown(tables, filter))));
		const where = `${body.principal} on ${nameOf(body.table)}`;
		if (its.length !== (live.length === 0 ? 0 : 1)) found.push(`${where} is granted ${its.length} filters`);
		if (its.some(({ rights }) => rights.join() !== 'SELECT')) found.push(`${where} is granted more than SELECT`);
		found.push(...beyond(seen, sum).map((cell) => `Lake Formation shows ${where} ${cell}, which nobody approved`));
		found.push(...beyond(sum, seen).map((cell) => `Lake Formation hides ${cell} from ${where}`));
	}
	const strange = shown.filter(({ filter }) => !known.has(filter));
	return [...found, ...strange.map(({ filter, principal }) => `${principal} holds ${filter.name} of nobody`)];
}

async function cellsShown(tables: Tables, filter: Filter): Promise<Cells> {
	if (filter.columns === null) return new Set(['every column']);
	return cells(filter.columns, await tables.where(nameOf(filter), filter.expression));
}
