/**
 * What the rules say of a request as it is asked: whether it may be asked at all, by which route it is approved, and
 * whether a rule approves it by itself. Facts are gathered here; the judgement is the policies' (policies/). A refusal
 * names each rule that forbids, the place in the request that it is about, and its advice. Reads nothing, stores nothing.
 */
import * as Catalog from '../catalog.ts';
import type { Context } from '../context.ts';
import { type Column, classifications, rawColumnsOf } from '../contract.ts';
import type { Domain } from '../domains.ts';
import { BrokerError, type Fault } from '../error.ts';
import { authorize, Entity, type Permit, permits, requirements, unevaluatedIn } from '../policy.ts';
import { columnsOf } from '../rowfilter.ts';
import { type Personal, tableKey } from '../scope.ts';
import type { Past } from './breakglass-past.ts';
import { type RequestedScope, until } from './request.ts';

export type Asking = {
	readonly product: Catalog.Product;
	/** The domain that the principal belongs to, and the one purpose that it is registered for. */
	readonly serving: { readonly domain: Domain; readonly purpose: string };
	/** In the order in which the tables were asked for. */
	readonly scopes: readonly RequestedScope[];
	readonly purpose: string;
	/** ISO 8601. */
	readonly duration: string;
	/** As {@link Catalog.personalColumns} tells it. */
	readonly personal: (table: RequestedScope['table']) => Personal;
};

export type Judged = {
	/** `requires` is the route, with repetition: a role that stands twice needs two people. */
	readonly permit: Permit<'requestAccess'>;
	/** Set where rules approve this by themselves. */
	readonly auto: Permit<'autoApprove'> | null;
};

type Ctx = Pick<Context, 'policies' | 'caller' | 'config' | 'now'>;

/** A refusal, and the rule that it comes from. */
type RuleFault = Fault & { readonly rule: string };

/**
 * Throws `request-refused`, or what a rule that forbids names as its problem, with `policies` and `errors`; and
 * `not-permitted` for whoever may not ask at all.
 */
export function judge(ctx: Ctx, asking: Asking): Judged {
	const { resource, context, read } = posed(ctx, asking);
	try {
		const permit = authorize(ctx, 'requestAccess', resource, context);
		return { permit, auto: isOwners(permit.requires) ? permits(ctx, 'autoApprove', resource, context) : null };
	} catch (error) {
		throw explained(ctx, error, asking, read);
	}
}

/** A rule speaks for the product's owner, where nobody else has a say, and for nobody else. */
const isOwners = (route: readonly string[]) => route.length === 1 && route[0] === 'owner';

/** What the rules say of a request, as a value. */
export type Ruled = {
	readonly allowed: boolean;
	/** Rules that refuse it, or could not be evaluated. */
	readonly refusing: readonly string[];
	/** Whether one could not be evaluated: the answer is no, and nothing else can be told from it. */
	readonly unsure: boolean;
	/** Roles that must approve, with repetition, whether or not something forbids it. */
	readonly route: readonly string[];
	/** Whether a rule approves it by itself. */
	readonly auto: boolean;
};

/** As {@link judge}, of what may be refused. Throws where the rules cannot be asked at all. */
export function ruled(ctx: Ctx, asking: Asking): Ruled {
	const { resource, context } = posed(ctx, asking);
	try {
		const { refusing, permit } = answered(() => authorize(ctx, 'requestAccess', resource, context));
		const route = permit?.requires ?? requirements(ctx, 'requestAccess', resource, context);
		const auto = isOwners(route) && permits(ctx, 'autoApprove', resource, context) !== null;
		return { allowed: permit !== null, refusing, unsure: false, route, auto };
	} catch (error) {
		const failed = unevaluatedIn(error);
		if (failed.length === 0) throw error;
		return { allowed: false, refusing: failed, unsure: true, route: [], auto: false };
	}
}

function answered<P>(ask: () => P): { readonly permit: P | null; readonly refusing: readonly string[] } {
	try {
		return { permit: ask(), refusing: [] };
	} catch (error) {
		const refusing: unknown = error instanceof BrokerError ? error.extensions['policies'] : null;
		if (!Array.isArray(refusing)) throw error;
		return { permit: null, refusing: refusing as readonly string[] };
	}
}

/**
 * Whether the caller, of whom this is known, may take without approvers what {@link judge} lets him ask for. Throws as
 * that does.
 */
export function judgeTaking(ctx: Ctx, asking: Asking, { unreviewed, condemned }: Past): Permit<'breakGlass'> {
	const { resource, context, read } = posed(ctx, asking);
	const minutes = Math.ceil(longestMs(asking.duration, ctx.now) / MINUTE_MS);
	try {
		return authorize(ctx, 'breakGlass', resource, { ...context, minutes, unreviewed, condemned });
	} catch (error) {
		throw explained(ctx, error, asking, read);
	}
}

/** The question that the rules are asked. */
function posed(ctx: Ctx, asking: Asking) {
	const consumer = asking.serving.domain.id;
	const product = Entity.product(Catalog.factsOf(asking.product), ctx.config.governance);
	const resource = Entity.along(product, Entity.domain(consumer));
	const read = columnsRead(asking);
	const context = { consumer: Entity.domainRef(consumer), asked: Entity.asked(factsOf(ctx, asking, read)) };
	return { resource, context, read };
}

/** A column that the request shows or chooses rows by, and the place of its table in the request. */
type Read = {
	readonly at: number;
	readonly name: string;
	readonly classification: Column['classification'];
	readonly personal: boolean;
	readonly raw: boolean;
};

function columnsRead({ product, serving, scopes, personal }: Asking): Read[] {
	const foreign = serving.domain.id !== product.domain;
	return scopes.flatMap(({ table, columns, rowFilter }, at) => {
		const described = product.contract.tables.find((t) => tableKey(Catalog.refOf(t)) === tableKey(table));
		const raw = described === undefined ? new Set<string>() : rawColumnsOf(described);
		const isPersonal = personal(table);
		// What the contract forces on other domains was nobody's choice, and leaves one value to choose by.
		const forced = new Set(foreign ? described?.rowScope.map((s) => s.column) : []);
		const filtered = rowFilter === null ? [] : columnsOf(rowFilter).filter((c) => !forced.has(c));
		return [...new Set([...columns, ...filtered])].map((name) => {
			const column = described?.columns.find((c) => c.name === name);
			return {
				at,
				name: `${table.table}.${name}`,
				// What the contract no longer has is judged as the strictest.
				classification: column?.classification ?? 'restricted',
				personal: isPersonal.has(name) || (column?.personal ?? true),
				raw: raw.has(name),
			};
		});
	});
}

const rankOf = ({ classification }: Read) => classifications.indexOf(classification);

function factsOf(ctx: Ctx, asking: Asking, read: readonly Read[]): Entity.AskedFacts {
	const { product, serving, purpose, duration } = asking;
	const { jurisdiction } = serving.domain.attributes;
	const rank = Math.max(...read.map(rankOf));
	return {
		purpose,
		allowed: product.contract.purposes,
		served: serving.purpose,
		lawful: (ctx.config.purposes.find((p) => p.id === purpose)?.legalBasis ?? '').trim() !== '',
		classification: classifications[rank] ?? 'restricted',
		rank,
		personal: read.some((c) => c.personal),
		raw: [...new Set(read.filter((c) => c.raw).map((c) => c.name))].toSorted(),
		days: longestDays(duration, ctx.now),
		sameDomain: serving.domain.id === product.domain,
		residency: product.contract.residency,
		...(jurisdiction === undefined ? {} : { jurisdiction }),
	};
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export function longestDays(duration: string, now: Date): number {
	return Math.ceil(longestMs(duration, now) / DAY_MS);
}

/**
 * How long a duration lasts at most. A month or a year is as long as where it begins, which is at the last decision:
 * the longest of four years' beginnings of months is as long as it gets.
 */
function longestMs(duration: string, now: Date): number {
	const year = now.getUTCFullYear();
	const starts = Array.from({ length: 48 }, (_, month) => new Date(Date.UTC(year, month, 1)));
	const lengths = [now, ...starts].map((from) => until(duration, from).getTime() - from.getTime());
	return Math.max(...lengths);
}

type Place = { readonly pointer: string; readonly says?: string };

/** Where in the request each fact that a rule may be about stands. */
function placesOf({ scopes }: Asking, read: readonly Read[]): Readonly<Record<string, readonly Place[]>> {
	const columns = (wanted: (column: Read) => boolean): Place[] =>
		read.filter(wanted).map(({ at, name }) => ({ pointer: `/tables/${at}/columns`, says: name }));
	const highest = Math.max(...read.map(rankOf));
	return {
		purpose: [{ pointer: '/purpose' }],
		duration: [{ pointer: '/duration' }],
		principal: [{ pointer: '/principal' }],
		tables: scopes.map((_, at) => ({ pointer: `/tables/${at}` })),
		raw: columns((c) => c.raw),
		personal: columns((c) => c.personal),
		classification: columns((c) => rankOf(c) === highest),
		caller: [{ pointer: '' }],
	};
}

/** What `@about` of a rule of requestAccess may name, and of one of breakGlass: `caller` is what he took before. */
export const abouts = [
	'purpose',
	'duration',
	'principal',
	'tables',
	'raw',
	'personal',
	'classification',
	'caller',
] as const;

/** A refusal by rules that forbid, told rule by rule; anything else as it is. */
function explained(ctx: Ctx, error: unknown, asking: Asking, read: readonly Read[]): unknown {
	if (!(error instanceof BrokerError)) return error;
	const policies = (error.extensions['policies'] ?? []) as readonly string[];
	if (policies.length === 0) return error;
	const rules = policies.map((rule) => ({ rule, said: ctx.policies.annotations[rule] ?? {} }));
	const whoAsks = rules.every(({ said }) => said['about'] === undefined && said['problem'] === undefined);
	if (whoAsks) return error;
	const places = placesOf(asking, read);
	const errors = rules.flatMap(({ rule, said: { about = '', advice = 'This rule forbids it.' } }) =>
		(places[about] ?? [{ pointer: '' }]).map(({ pointer, says }): RuleFault => {
			return { pointer, detail: says === undefined ? advice : `${says}: ${advice}`, rule };
		}),
	);
	const code = error.code === 'not-permitted' ? 'request-refused' : error.code;
	return new BrokerError(code, `Refused by: ${policies.join(', ')}.`, { policies, errors });
}
