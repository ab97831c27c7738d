/**
 * A second evaluator of Cedar policies, for tests only: written from Cedar's documentation, to be held against its engine.
 *
 * Sources: docs.cedarpolicy.com, "JSON policy format" (what is read), "Operators and functions" (what each yields and
 * when it fails), "How Cedar authorization works" (matching, skip on error, forbid over permit). An operator that it does
 * not know ends the reading of a policy, even where evaluation would never come to it.
 */
import type { CedarValueJson, EntityJson, EntityUidJson, PolicyJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';

export type Request = {
	readonly principal: TypeAndId;
	readonly action: TypeAndId;
	readonly resource: TypeAndId;
	readonly context: Record<string, CedarValueJson>;
	readonly entities: readonly EntityJson[];
};

export type Answer = { readonly decision: 'allow' | 'deny'; readonly reasons: string[]; readonly errors: string[] };

export type Outcome = 'satisfied' | 'unsatisfied' | 'error';

type EntityValue = { __entity: TypeAndId };
type Value = boolean | number | string | EntityValue | Value[] | { [key: string]: Value };
type Fields = Readonly<Record<string, Value>>;

/** What a policy is evaluated on: the request, with its entities by their keys. */
export type Facts = {
	readonly vars: Fields;
	readonly entities: ReadonlyMap<string, { readonly attributes: Fields; readonly parents: readonly string[] }>;
};

export type Policy = {
	readonly effect: 'permit' | 'forbid';
	/** Whether its head is of such a request. */
	readonly matches: (facts: Facts) => boolean;
	readonly evaluate: (facts: Facts) => Outcome;
};

/** One key: the operator. Its operands are a value, a list or names with more expressions. */
type Expr = { readonly [operator: string]: unknown };
type Operands = Readonly<Record<'arg' | 'left' | 'right' | 'if' | 'then' | 'else', Expr>> & {
	readonly attr: string | readonly string[];
	readonly pattern: readonly ('Wildcard' | { readonly Literal: string })[];
	readonly entity_type: string;
	readonly in?: Expr;
};
type Run = (facts: Facts) => Value;

/** Evaluation of a policy came to nothing: Cedar skips the policy and lists it. Which one is all that is told. */
const failure = new Error('This cannot be evaluated.');

const named = (uid: EntityUidJson): TypeAndId => ('__entity' in uid ? uid.__entity : uid);
/** No type has a quotation mark in it. */
const keyOf = ({ type, id }: TypeAndId) => `${type}::"${id}"`;

export function factsOf({ entities, context, ...uids }: Request): Facts {
	const { principal, action, resource } = uids;
	const known = entities.map(({ uid, attrs, parents }) => {
		const entity = { attributes: fieldsOf(attrs), parents: parents.map((p) => keyOf(named(p))) };
		return [keyOf(named(uid)), entity] as const;
	});
	const bound = Object.entries({ principal, action, resource }).map(([name, uid]) => [name, { __entity: uid }]);
	return { vars: { ...Object.fromEntries(bound), context: fieldsOf(context) }, entities: new Map(known) };
}

/** A forbid that is satisfied decides; else a permit that is; else nothing does, and the answer is no. */
export function decide(policies: Readonly<Record<string, Policy>>, facts: Facts): Answer {
	const outcomes = Object.entries(policies).map(([id, p]) => ({ id, effect: p.effect, outcome: p.evaluate(facts) }));
	const ids = (outcome: Outcome, effects: readonly string[]) =>
		outcomes.flatMap((o) => (o.outcome === outcome && effects.includes(o.effect) ? o.id : [])).toSorted();
	const forbids = ids('satisfied', ['forbid']);
	const permits = ids('satisfied', ['permit']);
	const errors = ids('error', ['permit', 'forbid']);
	if (forbids.length > 0) return { decision: 'deny', reasons: forbids, errors };
	return { decision: permits.length > 0 ? 'allow' : 'deny', reasons: permits, errors };
}

/** Reads one policy. Throws on whatever it does not know. */
export function policyOf(json: PolicyJson): Policy {
	const heads = [head('principal', json.principal), head('action', json.action), head('resource', json.resource)];
	const runs = heads.map(compile);
	const conditions = json.conditions.map(({ kind, body }) => ({ wanted: kind === 'when', run: compile(body) }));
	const matches = (facts: Facts) => runs.every((run) => bool(run(facts)));
	const satisfied = (facts: Facts) => conditions.every(({ wanted, run }) => bool(run(facts)) === wanted);
	const evaluate = (facts: Facts): Outcome => {
		try {
			return matches(facts) && satisfied(facts) ? 'satisfied' : 'unsatisfied';
		} catch (error) {
			if (error === failure) return 'error';
			throw error;
		}
	};
	return { effect: json.effect, matches, evaluate };
}

/** The head of a policy says what an expression could say. */
function head(name: string, json: PolicyJson['principal' | 'action']): Expr {
	const left = { Var: name };
	const literal = (uid: EntityUidJson) => ({ Value: { __entity: named(uid) } });
	if (json.op === 'All') return { Value: true };
	if ('entities' in json) return { in: { left, right: { Set: json.entities.map(literal) } } };
	if ('entity' in json) return { [json.op]: { left, right: literal(json.entity) } };
	if (!('entity_type' in json) || (json.in !== undefined && 'slot' in json.in)) throw unknown(json);
	const group = json.in === undefined ? {} : { in: literal(json.in.entity) };
	return { is: { left, entity_type: json.entity_type, ...group } };
}

const unknown = (what: unknown) => new Error(`The oracle does not know ${JSON.stringify(what)}.`);

function compile(expr: Expr): Run {
	const [operator = '', ...more] = Object.keys(expr);
	const operands = expr[operator];
	if (operator === 'Value') return always(valueOf(operands as CedarValueJson));
	if (operator === 'Set') return setOf((operands as Expr[]).map(compile));
	if (operator === 'Var') return ({ vars }) => vars[String(operands)] ?? fail();
	const read = operators.get(operator);
	if (read === undefined || more.length > 0) throw unknown(expr);
	return read(operands as Operands);
}

const always = (value: Value) => () => value;
const setOf = (elements: readonly Run[]) => (facts: Facts) => elements.map((run) => run(facts));

const ofOne = (apply: (value: Value, operands: Operands, facts: Facts) => Value) => (operands: Operands) => {
	const run = compile(operands.arg ?? operands.left);
	return (facts: Facts) => apply(run(facts), operands, facts);
};

const ofTwo = (apply: (left: Value, right: Value, facts: Facts) => Value) => (operands: Operands) => {
	const [left, right] = [compile(operands.left), compile(operands.right)];
	return (facts: Facts) => apply(left(facts), right(facts), facts);
};

/** `&&` and `||` look at their right side only where the left one does not settle it. */
const settledBy = (settles: boolean) => (operands: Operands) => {
	const [left, right] = [compile(operands.left), compile(operands.right)];
	return (facts: Facts) => (bool(left(facts)) === settles ? settles : bool(right(facts)));
};

const operators = new Map<string, (operands: Operands) => Run>([
	['!', ofOne((v) => !bool(v))],
	['&&', settledBy(false)],
	['||', settledBy(true)],
	['==', ofTwo((l, r) => same(l, r))],
	['!=', ofTwo((l, r) => !same(l, r))],
	['<', ofTwo((l, r) => long(l) < long(r))],
	['<=', ofTwo((l, r) => long(l) <= long(r))],
	['>', ofTwo((l, r) => long(l) > long(r))],
	['>=', ofTwo((l, r) => long(l) >= long(r))],
	['in', ofTwo(isIn)],
	['is', kind],
	['isEmpty', ofOne((v) => set(v).length === 0)],
	['contains', ofTwo((l, r) => holds(set(l), r))],
	['containsAll', ofTwo((l, r) => containsAll(set(l), set(r)))],
	['containsAny', ofTwo((l, r) => containsAny(set(l), set(r)))],
	['.', ofOne((v, { attr }, facts) => field(v, String(attr), facts) ?? fail())],
	['has', ofOne((v, { attr }, facts) => has(v, [attr].flat(), facts))],
	['like', ofOne((v, { pattern }) => like(v, pattern))],
	['if-then-else', choice],
]);

/** Reflexive and transitive. An entity that nothing is known of is in itself alone. */
function isIn(left: Value, right: Value, { entities }: Facts): boolean {
	const groups = (Array.isArray(right) ? right.map(entity) : [entity(right)]).map(keyOf);
	const reached = new Set([keyOf(entity(left))]);
	for (const key of reached) {
		if (groups.includes(key)) return true;
		for (const parent of entities.get(key)?.parents ?? []) reached.add(parent);
	}
	return false;
}

/** `a is T in b` is `a is T && a in b`. */
function kind({ left, entity_type, in: group }: Operands): Run {
	const [run, within] = [compile(left), group === undefined ? null : compile(group)];
	return (facts) => {
		const value = run(facts);
		return entity(value).type === entity_type && (within === null || isIn(value, within(facts), facts));
	};
}

function choice(operands: Operands): Run {
	const [condition, yes, no] = [compile(operands.if), compile(operands.then), compile(operands.else)];
	return (facts) => (bool(condition(facts)) ? yes(facts) : no(facts));
}

/** Of an entity or a record; an entity that nothing is known of has no attributes. */
function field(value: Value, name: string, { entities }: Facts): Value | undefined {
	if (typeof value !== 'object' || Array.isArray(value)) return fail();
	const fields = isEntity(value) ? entities.get(keyOf(value.__entity))?.attributes : value;
	return fields !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** `a has b.c` is `a has b && a.b has c`. */
function has(value: Value, [name = '', ...deeper]: readonly string[], facts: Facts): boolean {
	const found = field(value, name, facts);
	return found !== undefined && (deeper.length === 0 || has(found, deeper, facts));
}

function like(value: Value, pattern: Operands['pattern']): boolean {
	const literal = (text: string) => text.replaceAll(/\W/g, String.raw`\$&`);
	const regex = pattern.map((part) => (part === 'Wildcard' ? '[^]*' : literal(part.Literal))).join('');
	return typeof value === 'string' ? new RegExp(`^${regex}$`).test(value) : fail();
}

const holds = (elements: readonly Value[], value: Value) => elements.some((e) => same(e, value));
const containsAll = (all: readonly Value[], some: readonly Value[]) => some.every((v) => holds(all, v));
const containsAny = (all: readonly Value[], some: readonly Value[]) => some.some((v) => holds(all, v));

/** Of the same type and the same value; a set has no order and holds nothing twice. */
function same(left: Value, right: Value): boolean {
	if (typeof left !== 'object' || typeof right !== 'object') return left === right;
	if (Array.isArray(left) || Array.isArray(right)) {
		return Array.isArray(left) && Array.isArray(right) && containsAll(left, right) && containsAll(right, left);
	}
	if (isEntity(left) || isEntity(right)) {
		return isEntity(left) && isEntity(right) && keyOf(left.__entity) === keyOf(right.__entity);
	}
	const names = new Set([...Object.keys(left), ...Object.keys(right)]);
	return [...names].every(
		(n) => Object.hasOwn(left, n) && Object.hasOwn(right, n) && same(left[n] ?? 0, right[n] ?? 0),
	);
}

const isEntity = (value: object): value is EntityValue => '__entity' in value;

const fail = (): never => {
	throw failure;
};
const bool = (value: Value): boolean => (typeof value === 'boolean' ? value : fail());
const long = (value: Value): number => (typeof value === 'number' ? value : fail());
const set = (value: Value): readonly Value[] => (Array.isArray(value) ? value : fail());
const entity = (value: Value): TypeAndId => (typeof value === 'object' && isEntity(value) ? value.__entity : fail());

/** A value as given. Extensions and longs beyond 2^53 are not known here. */
function valueOf(json: CedarValueJson): Value {
	if (Array.isArray(json)) return json.map(valueOf);
	if (typeof json === 'boolean' || typeof json === 'string') return json;
	if (typeof json === 'number' && Number.isSafeInteger(json)) return json;
	if (typeof json !== 'object' || json === null || '__extn' in json) throw unknown(json);
	return '__entity' in json ? { __entity: (json as EntityValue).__entity } : fieldsOf(json);
}

const fieldsOf = (record: Readonly<Record<string, CedarValueJson>>): { [key: string]: Value } =>
	Object.fromEntries(Object.entries(record).map(([name, value]) => [name, valueOf(value)]));
