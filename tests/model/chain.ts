/**
 * From a grant back to what was asked for, read off the ledger's entries: each decision binds exactly what stood there,
 * and whoever approved were enough, different people, in roles that they held, and gained nothing from it. Nothing of
 * core's reading of a request is used.
 */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type * as Ledger from '#core/ledger.ts';
import { beyond, cellsOf, type Scope } from './cells.ts';
import { lengthOf, takenAtOnce } from './emergencies.ts';
import { mandated } from './mandates.ts';
import { type Book, columnOf, type Entry, grantOf, is, isOver, of, type Registry, registryAt } from './record.ts';
import type { Tables } from './tables.ts';

type Stored = Ledger.BodyOf<'AccessRequested'>['tables'];
export type TableScope = Scope & { readonly table: Ledger.TableRef };

/** What is asked for as it stands after an entry. */
type Content = {
	readonly hash: string;
	readonly tables: readonly TableScope[];
	readonly said: Entry<'AccessRequested'> | Entry<'AccessEdited'>;
	/** Every one that was said of it. */
	readonly durations: readonly string[];
};

/** A decision that completed a route, with all that led there. */
export type Completion = {
	readonly decided: Entry<'AccessDecided'>;
	readonly content: Content;
	readonly approvals: readonly Entry<'AccessDecided'>[];
	readonly editors: readonly string[];
};

export const keyOf = (t: Ledger.TableRef) => `${t.account}.${t.database}.${t.table}`;
export const nameOf = (t: Ledger.TableRef) => `${t.database}.${t.table}`;

/** Scopes as they are enforced: what compares with personal columns lies apart. */
export function resolved(tables: Stored, pii: Entry['pii']): TableScope[] {
	const apart = (pii?.['rowFilters'] ?? {}) as { readonly [table: string]: Scope['rowFilter'] };
	return tables.map(({ columns, rowFilter, account, database, table }) => {
		const ref = { account, database, table };
		return { table: ref, columns, rowFilter: apart[keyOf(ref)] ?? (rowFilter as Scope['rowFilter']) };
	});
}

/** Everything that is wrong with how a grant came to be; of one that is in force, also what became of it since. */
export function unfounded(record: Book, tables: Tables, grant: string): string[] {
	const [opened] = of(grantOf(record, grant), 'GrantOpened');
	if (opened === undefined) return ['was never opened'];
	const entries = record.streams.get(`A#request#${opened.body.request}`) ?? [];
	const { completions, faults } = walk(entries, tables);
	const completion = completions.find(({ decided }) => decided.leaf === opened.body.decisionLeaf);
	if (completion === undefined) return [...faults, 'no decision completed it'];
	const { decision, as, grant: named } = completion.decided.body;
	const taken = of(entries, 'AccessReopened').some(({ body }) => body.decision === decision);
	const proof = Object.hasOwn(proofs, as) ? proofs[as] : byPeople;
	return [
		...faults,
		...(named === grant ? [] : ['its decision brought another grant into being']),
		...(taken && !isOver(record, grant) ? ['its decision was taken back'] : []),
		...openedAs(opened, completion, entries),
		...(proof?.(record, completion, opened, entries) ?? []),
	];
}

function walk(entries: readonly Entry[], tables: Tables): { completions: Completion[]; faults: string[] } {
	const faults: string[] = [];
	const completions: Completion[] = [];
	let content: Content | null = null;
	let approvals: Entry<'AccessDecided'>[] = [];
	const editors: string[] = [];
	for (const entry of entries) {
		if (is(entry, 'AccessRequested') || is(entry, 'AccessEdited')) {
			const { body } = entry;
			const scopes = resolved(body.tables, entry.pii);
			content = { hash: body.contentHash, tables: scopes, said: entry, durations: [body.duration] };
			approvals = [];
			if (is(entry, 'AccessEdited')) editors.push(entry.actor);
			if (hashOf(entries, content, entry.pii, body.duration) !== body.contentHash)
				faults.push('a hash is of something else');
		}
		if (!is(entry, 'AccessDecided') || content === null) continue;
		const { verdict, outcome, contentHash, narrowed } = entry.body;
		if (contentHash !== content.hash) faults.push(`${entry.actor} decided on something else than what stood there`);
		if (verdict === 'approve') approvals.push(entry);
		if (narrowed !== undefined) {
			const less: Content = {
				...content,
				hash: narrowed.contentHash,
				tables: resolved(narrowed.tables, entry.pii),
				durations: [...content.durations, narrowed.duration],
			};
			faults.push(...wider(less.tables, content.tables, tables));
			if (hashOf(entries, less, entry.pii, narrowed.duration) !== less.hash) faults.push('a hash is of something else');
			content = less;
		}
		if (outcome === 'approved')
			completions.push({ decided: entry, content, approvals: [...approvals], editors: [...editors] });
	}
	return { completions, faults };
}

/** Cells that scopes have and those that they are to be part of have not. */
export function wider(less: readonly TableScope[], whole: readonly TableScope[], tables: Tables): string[] {
	return less.flatMap((scope) => {
		const rows = tables.rows(nameOf(scope.table));
		const before = whole.find(({ table }) => keyOf(table) === keyOf(scope.table));
		const more = before === undefined ? ['all'] : beyond(cellsOf(scope, rows), cellsOf(before, rows));
		return more.map((cell) => `${nameOf(scope.table)} ${cell} was not asked for`);
	});
}

/** RFC 8785 over everything that an approver is shown, and a nonce. */
function hashOf(entries: readonly Entry[], { said, tables }: Content, pii: Entry['pii'], duration: string): string {
	const { request, principal, purpose, beneficiaries, contract } = said.body;
	const [filed] = of(entries, 'AccessRequested');
	const shown = {
		id: request,
		product: filed?.body.product,
		contract: contract.hash,
		principal,
		purpose,
		beneficiaries,
		duration,
		justification: said.pii?.['justification'],
		scopes: tables.map(({ table, columns, rowFilter }) => ({ table, columns, rowFilter })),
		nonce: pii?.['nonce'],
	};
	return createHash('sha256')
		.update(canonicalize(shown) ?? '')
		.digest('hex');
}

const same = (a: unknown, b: unknown) => canonicalize(a) === canonicalize(b);

/** What was opened is what stood there when the route was complete, for no longer than anybody said. */
function openedAs(opened: Entry<'GrantOpened'>, completion: Completion, entries: readonly Entry[]): string[] {
	const { body } = opened;
	const { content, decided } = completion;
	const { said } = content;
	const [filed] = of(entries, 'AccessRequested');
	const most = Math.min(...content.durations.map(lengthOf));
	const differs: [what: string, is: unknown, was: unknown][] = [
		['tables', resolved(body.tables, opened.pii), content.tables],
		['principal', body.principal, said.body.principal],
		['purpose', body.purpose, said.body.purpose],
		['beneficiaries', body.beneficiaries, said.body.beneficiaries],
		['contract', body.contract, said.body.contract],
		['product', body.product, filed?.body.product],
		['window', [body.from, body.until], [decided.body.from, decided.body.until]],
	];
	const lasts = Date.parse(body.until) - Date.parse(body.from);
	return [
		...differs.flatMap(([what, is, was]) => (same(is, was) ? [] : [`opened with another ${what} than was approved`])),
		...(lasts <= most ? [] : ['lasts longer than was approved']),
		...(body.from <= decided.at ? [] : ['begins after its decision']),
	];
}

/** What is wrong with how a completion came about. */
export type Proof = (
	record: Book,
	completion: Completion,
	opened: Entry<'GrantOpened'>,
	entries: readonly Entry[],
) => string[];

/** What stands in the place of people's approvals, by what the decision says it was made as. */
const proofs: Readonly<{ [as: string]: Proof }> = {
	policy: (record, completion, _, entries) => {
		const { decided } = completion;
		const need = needed(record, completion.content, entries);
		return [
			...(decided.actor === 'system' ? [] : ['somebody decided as a rule']),
			...(decided.body.rules.policies.length > 0 ? [] : ['no rule approved it']),
			...(need.join() === 'owner' ? [] : [`a rule approved what ${need.join()} must`]),
			...(completion.approvals.length === 1 ? [] : ['a rule approved what people had begun to decide on']),
			...(columnsRead(completion.content).every(
				([table, name]) =>
					columnOf(record, completion.content.said.body.contract.hash, table, name).classification === 'public',
			)
				? []
				: ['a rule approved what is not public']),
		];
	},
	'break-glass': takenAtOnce,
};

function byPeople(
	record: Book,
	{ content, decided, approvals, editors }: Completion,
	opened: Entry<'GrantOpened'>,
	entries: readonly Entry[],
): string[] {
	const [filed] = of(entries, 'AccessRequested');
	if (filed === undefined) return ['was never asked for'];
	const domain = filed.body.productDomain;
	const then = registryAt(record, decided.at);
	const late = registryAt(record, opened.at);
	const involved = [filed.actor, filed.body.requester, ...editors, ...content.said.body.beneficiaries];
	const isParty = (person: string) =>
		[then, late].some((at) => involved.some((one) => one === person || at.self(one) === at.self(person)));
	const counted = approvals.filter((approval) => {
		const { actor, at, body } = approval;
		const holder = body.delegation?.giver ?? actor;
		const may = (registry: Registry) =>
			registry.holds(holder, domain, body.as) &&
			voices(approval).every((one) => registry.isKnown(one) && !registry.isProgram(one) && !registry.isRegulator(one));
		return (
			may(registryAt(record, at)) &&
			may(late) &&
			mandated(record, approval, domain).length === 0 &&
			!voices(approval).some(isParty)
		);
	});
	const persons = counted.map((approval) => ({ selves: voices(approval).map(late.self), as: approval.body.as }));
	const { route } = content.said.body;
	return [
		...(canFill(route, persons) ? [] : [`${route.join()} was filled by ${JSON.stringify(persons)} alone`]),
		...(covers(route, needed(record, content, entries)) ? [] : [`the route is ${route.join()} only`]),
	];
}

/** Whose word a decision is: who said it and, by delegation, in whose place. */
export const voices = ({ actor, body }: Entry<'AccessDecided'>): string[] =>
	body.delegation === undefined ? [actor] : [actor, body.delegation.giver];

/** Whether each role of the route can be given to another person; whoever speaks for one is the same as he. */
function canFill(route: readonly string[], persons: readonly { selves: readonly string[]; as: string }[]): boolean {
	const [role, ...rest] = route;
	if (role === undefined) return true;
	return persons.some(
		(one) =>
			one.as === role &&
			canFill(
				rest,
				persons.filter((p) => !p.selves.some((self) => one.selves.includes(self))),
			),
	);
}

export function covers(route: readonly string[], need: readonly string[]): boolean {
	const count = (list: readonly string[], role: string) => list.filter((r) => r === role).length;
	return need.every((role) => count(route, role) >= count(need, role));
}

export const columnsRead = ({ tables }: Pick<Content, 'tables'>): [table: string, column: string][] =>
	tables.flatMap(({ table, columns, rowFilter }) =>
		[...columns, ...filtered(rowFilter)].map((name): [string, string] => [table.table, name]),
	);

function filtered(filter: Scope['rowFilter']): string[] {
	if (filter === null) return [];
	if ('operands' in filter) return filter.operands.flatMap(filtered);
	return 'operand' in filter ? filtered(filter.operand) : [filter.column];
}

function needed(record: Book, content: Content, entries: readonly Entry[]): string[] {
	const [filed] = of(entries, 'AccessRequested');
	const { contract, purpose } = content.said.body;
	return rolesFor(record, contract.hash, filed?.body.productDomain, purpose, columnsRead(content));
}

/** The roles that must approve, by what policies/ says in words; the rule of domain `customers` on campaigns, too. */
export function rolesFor(
	record: Book,
	contract: string,
	domain: string | undefined,
	purpose: string,
	columns: readonly [table: string, column: string][],
): string[] {
	const read = columns.map(([table, name]) => columnOf(record, contract, table, name));
	const campaign = domain === 'customers' && purpose === 'campaign-planning';
	return [
		'owner',
		...(read.some((c) => c.classification === 'restricted') ? ['owner'] : []),
		...(read.some((c) => c.personal) || campaign ? ['privacy-officer'] : []),
	];
}
