/**
 * Publishing a contract version. In this order, and nothing is stored before all of it holds: the text is a contract,
 * it fits the product, the domain's catalogs and Glue, its version is new, and the rules of publication permit it.
 * A crash leaves at most a stored text that no entry names.
 */
import { actorOf, type Context } from '../context.ts';
import {
	type Contract,
	type ContractFault,
	type ContractTable,
	factsOf,
	invalid,
	isHigher,
	type Located,
	locateContract,
	pointer,
	sameType,
	templateMisfits,
} from '../contract.ts';
import { owns, type Places } from '../domains.ts';
import { BrokerError, isRefusal } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { authorize, Entity, type Permit } from '../policy.ts';
import { type Definition, readDefinition } from './definition.ts';
import { type GlueTable, glueTable } from './glue.ts';
import { keyOf, mentions } from './mentions.ts';
import { byTable, type Format, load, type Product, personalColumns, type ReadCtx } from './read.ts';
import { refOf } from './view.ts';

export type Publication = {
	readonly id: string;
	readonly text: string;
	readonly format: Format;
	/** The product's domain: where its tables may be. */
	readonly domain: Places;
	/** Looks at everything, and stores nothing. */
	readonly dryRun?: boolean;
};

/**
 * The same version with the same content changes nothing; other content needs a higher version. Throws
 * `contract-invalid`, `version-exists`, or `contract-refused` with the rules that refuse.
 */
export async function publish(
	ctx: Context,
	_: Permit<'publishContract'>,
	input: Publication,
): Promise<{ product: Product; created: boolean }> {
	const last = await Ledger.last(ctx, Ledger.stream.product(input.id), 'ContractPublished');
	const hash = Ledger.sha256(input.text);
	if (last?.body.contractHash === hash && last.body.format === input.format) {
		return { product: await load(ctx, last), created: false };
	}
	const located = locateContract(input.text, input.format);
	const { contract } = located;
	mustBeRecordable(contract);
	await mustFit(ctx, input, located);
	if (last !== null) mustBeNew(contract.version, last.body.version);
	const permit = permitted(ctx, input.id, located, await historyOf(ctx, input.id));
	if (input.dryRun === true) return { product: tried(ctx, input, contract, hash), created: false };
	await Ledger.putText(ctx, input.text);
	const recorded = await Ledger.append(ctx, {
		stream: Ledger.stream.product(input.id),
		after: last,
		actor: actorOf(ctx),
		body: {
			type: 'ContractPublished',
			product: input.id,
			domain: contract.domain,
			version: contract.version,
			contractHash: hash,
			format: input.format,
			classification: contract.classification,
			personal: contract.personal,
			tables: contract.tables.map(refOf),
			rules: permit.rules,
		},
	});
	return { product: await load(ctx, Ledger.as(recorded, 'ContractPublished')), created: true };
}

/** What the entry of a version says besides its tables: names, rules, hashes. */
const REST_BYTES = 8 * 1024;

function mustBeRecordable({ tables }: Contract): void {
	const { length } = Ledger.canonicalBytes(tables.map(refOf));
	const most = Ledger.MAX_ENTRY_BYTES - REST_BYTES;
	if (length <= most) return;
	const what = `The names of its ${tables.length} tables would take ${length} bytes of the record; at most ${most} fit.`;
	throw new BrokerError('too-large', `${what} Make several products of them.`);
}

/** As it would stand there: no entry tells of it. */
function tried({ now }: Context, { id, format }: Publication, contract: Contract, hash: string): Product {
	return { id, domain: contract.domain, contract, format, hash, leaf: '', createdAt: now.toISOString() };
}

function mustBeNew(version: string, last: string): void {
	if (version === last) {
		throw new BrokerError('version-exists', `Version ${version} has other content; publish a higher version.`);
	}
	if (!isHigher(version, last)) {
		throw new BrokerError('version-exists', `Version ${last} is published; publish a higher one.`);
	}
}

type History = { readonly before: Contract | null; readonly earlier: readonly Contract[] };

/** What was published before. The last version must be readable; an older one that is not has nothing to say. */
async function historyOf(ctx: ReadCtx, id: string): Promise<History> {
	const entries = await Ledger.read(ctx, Ledger.stream.product(id));
	const last = entries.at(-1);
	const before = last === undefined ? null : (await load(ctx, Ledger.as(last, 'ContractPublished'))).contract;
	const older = entries.slice(0, -1).map((e) => Ledger.readable(() => load(ctx, Ledger.as(e, 'ContractPublished'))));
	const earlier = (await Promise.all(older)).filter((product) => product !== null).map((product) => product.contract);
	return { before, earlier };
}

/** Asks the rules of publication. What they refuse is told with the policy, its advice, and each place it is about. */
function permitted(
	ctx: Context,
	id: string,
	{ contract, lineOf }: Located,
	{ before, earlier }: History,
): Permit<'publishContract'> {
	const { facts, places } = factsOf(contract, before, earlier);
	const { personal, classification, domain } = contract;
	const resource = Entity.product({ product: id, domain, personal, classification }, ctx.config.governance);
	try {
		return authorize(ctx, 'publishContract', resource, { contract: Entity.contract(facts) });
	} catch (error) {
		if (!(error instanceof BrokerError) || error.code !== 'contract-refused') throw error;
		const policies = (error.extensions['policies'] ?? []) as readonly string[];
		const errors = policies.flatMap((rule) => {
			const { about = '', advice = error.message } = ctx.policies.annotations[rule] ?? {};
			return (places[about] ?? [{ path: [] }]).map(({ path, says }): ContractFault => {
				const detail = says === undefined ? advice : `${says}: ${advice}`;
				return { pointer: pointer(path), detail, line: lineOf(path), rule };
			});
		});
		throw new BrokerError('contract-refused', `Refused by: ${policies.join(', ')}.`, { policies, errors });
	}
}

async function mustFit(ctx: PublishCtx, input: Publication, located: Located): Promise<void> {
	const { contract } = located;
	const tables = await Promise.all(contract.tables.map((t, i) => tableFaults(ctx, input, t, ['schema', i])));
	const purposes = ctx.config.purposes.map((p) => p.id);
	const ever = await personalColumns(ctx, input.id);
	const templates = await templateMisfits(ctx.parser, contract, purposes, (table) => ever(refOf(table)));
	const found = [...identityFaults(input, located), ...tables.flat(), ...templates];
	if (found.length === 0) return;
	throw invalid(
		found.map(({ path, detail, rule = 'fits-product-and-glue' }) => ({
			pointer: pointer(path),
			detail,
			line: located.lineOf(path),
			rule,
		})),
	);
}

type PublishCtx = ReadCtx & Pick<Context, 'parser'>;
type Misfit = { readonly path: readonly (string | number)[]; readonly detail: string; readonly rule?: string };

function identityFaults(input: Publication, { contract, glueServer }: Located): Misfit[] {
	const found: Misfit[] = [];
	if (contract.product !== input.id) {
		const detail = `domain and dataProduct give \`${contract.product}\`, the path says \`${input.id}\``;
		found.push({ path: ['dataProduct'], detail });
	}
	const foreign = contract.tables.find((t) => !isOwn(input, t));
	if (foreign !== undefined) found.push(misplaced(input, foreign, glueServer));
	return found;
}

const isOwn = ({ domain }: Publication, { account, database }: ContractTable) => owns(domain, account, database);

function misplaced({ domain }: Publication, { account, database }: ContractTable, server: Misfit['path']): Misfit {
	const shared = domain.catalogs.find((c) => c.account === account);
	if (shared !== undefined) {
		const detail = `in catalog ${account} the domain has the databases ${shared.databases.join(', ')}, not ${database}`;
		return { path: [...server, 'database'], detail };
	}
	const others = domain.catalogs.map((c) => c.account).join(', ');
	const detail = `must be the domain's account ${domain.account}${others === '' ? '' : ` or a catalog of it: ${others}`}`;
	return { path: [...server, 'account'], detail };
}

/** What the contract says of a table must be what Glue has, and no other product may stand for the table. */
async function tableFaults(
	ctx: PublishCtx,
	input: Publication,
	table: ContractTable,
	path: Misfit['path'],
): Promise<Misfit[]> {
	if (!isOwn(input, table)) return [];
	const [glue, owner] = await Promise.all([glueTable(ctx, refOf(table)), byTable(ctx, table.database, table.name)]);
	if (glue === null) {
		return [{ path, detail: `Glue has no table ${table.database}.${table.name} in account ${table.account}` }];
	}
	if (table.view !== (glue.view !== null)) {
		const detail = table.view
			? 'Glue has a table of this name, no view'
			: 'Glue has a view of this name: its physicalType is view';
		return [{ path: table.view ? [...path, 'physicalType'] : path, detail }];
	}
	const found = await definitionFaults(ctx, glue, table, path);
	found.push(...columnFaults(glue, table, path));
	if (owner !== null && owner.product.id !== input.id) {
		found.push({ path, detail: `${table.database}.${table.name} belongs to product ${owner.product.id}` });
	}
	return found;
}

/** A view is published only if it could be followed: to its own columns, through SQL that Fairlead reads. */
async function definitionFaults(
	ctx: PublishCtx,
	{ view }: GlueTable,
	table: ContractTable,
	path: Misfit['path'],
): Promise<Misfit[]> {
	if (view === null) return [];
	try {
		const definition = await readDefinition(ctx, view, table.database);
		const absent = table.columns.filter(({ name }) => !definition.columns.includes(name));
		const found = absent.map(({ name }) => ({ path, detail: `The definition of the view has no column ${name}` }));
		return [...found, ...(await readingFaults(ctx, definition, table, path))];
	} catch (error) {
		if (!isRefusal(error)) throw error;
		return [{ path, detail: error.message }];
	}
}

/** A view may read what its own account has, itself excepted. What no product publishes yet may be published later. */
async function readingFaults(
	ctx: PublishCtx,
	{ query }: Definition,
	view: ContractTable,
	path: Misfit['path'],
): Promise<Misfit[]> {
	const own = keyOf(refOf(view));
	const read = new Map(mentions(query).map((mention) => [keyOf(mention), mention]));
	const found: Misfit[] = read.has(own) ? [{ path, detail: 'The view reads itself' }] : [];
	for (const { database, table } of read.values()) {
		const known = await byTable(ctx, database, table);
		if (known === null || known.table.account === view.account) continue;
		const detail = `The view reads ${database}.${table}, which is of another account: ${known.table.account}`;
		found.push({ path, detail });
	}
	return found;
}

function columnFaults(glue: GlueTable, table: ContractTable, path: Misfit['path']): Misfit[] {
	const found = table.columns.flatMap((column, i): Misfit[] => {
		const type = glue.columns.get(column.name);
		const at = [...path, 'properties', i];
		if (type === undefined) return [{ path: at, detail: 'Glue has no such column' }];
		if (sameType(type, column.type)) return [];
		return [{ path: [...at, 'physicalType'], detail: `Glue has type ${type}, the contract ${column.type}` }];
	});
	for (const key of glue.partitionKeys) {
		if (table.columns.some((c) => c.name === key && c.partition)) continue;
		const detail = `partition key \`${key}\` must be in the contract and marked partitioned: it cannot be hidden`;
		found.push({ path, detail });
	}
	return found;
}
