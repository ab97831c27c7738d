/**
 * Random requests that fit the schema, made from the schema itself: for each action and the types it applies to, one
 * flat list of slots (each attribute of each entity, each field of the context, each set of parents). Flat, so that one
 * slot can be exchanged for another request's: that is how requests come about that a given policy decides.
 */
import { type CedarValueJson, type EntityJson, schemaToJson, type TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import fc from 'fast-check';
import type { Request } from '../policy/evaluator.ts';
import type { Literals } from './literals.ts';

/** A type as the schema's JSON form has it, and an attribute, which may be optional. */
type Shape = {
	readonly type: string;
	readonly name?: string;
	readonly element?: Shape;
	readonly attributes?: Readonly<Record<string, Shape & { readonly required?: boolean }>>;
};
type EntityType = {
	readonly memberOfTypes?: readonly string[];
	readonly shape?: Shape;
	readonly enum?: readonly string[];
};
type Applies = { readonly principalTypes: string[]; readonly resourceTypes: string[]; readonly context?: Shape };
type Namespace = {
	readonly commonTypes?: Readonly<Record<string, Shape>>;
	readonly entityTypes: Readonly<Record<string, EntityType>>;
	readonly actions: Readonly<Record<string, { readonly appliesTo?: Applies; readonly memberOf?: readonly unknown[] }>>;
};

export type Flat = Readonly<Record<string, unknown>>;

/** An action with the types of a principal and a resource that it applies to. */
export type Environment = {
	readonly name: string;
	readonly slots: Readonly<Record<string, fc.Arbitrary<unknown>>>;
	readonly assemble: (flat: Flat) => Request;
};

const EMPTY: Shape = { type: 'Record', attributes: {} };

const IDS = ['a', 'b', 'c', 'd', 'e'];
/** As few entities as make most questions come out either way, besides those that policies name. Of the rest one each. */
const POPULATION: Readonly<Record<string, number>> = { Role: 4, Person: 3, Domain: 1 };

export function environmentsOf(schema: string, literals: Literals): Environment[] {
	const answer = schemaToJson(schema);
	if (answer.type === 'failure') throw new Error(answer.errors.map((e) => e.message).join('; '));
	const [[namespace, definition] = ['', null], ...others] = Object.entries(answer.json);
	if (definition === null || others.length > 0) throw new Error('the generators know schemas of one namespace');
	const declared: Namespace = definition;
	const types = makeTypes(namespace, declared, literals);
	return Object.entries(declared.actions).flatMap(([action, { appliesTo, memberOf }]) => {
		if (memberOf !== undefined && memberOf.length > 0) throw new Error('the generators know no groups of actions');
		const { principalTypes = [], resourceTypes = [], context = EMPTY } = appliesTo ?? {};
		return principalTypes.flatMap((p) => resourceTypes.map((r) => environment(types, action, p, r, context)));
	});
}

type Types = ReturnType<typeof makeTypes>;

function makeTypes(namespace: string, { commonTypes = {}, entityTypes }: Namespace, literals: Literals) {
	const local = (name: string) => name.replace(`${namespace}::`, '').replace('__cedar::', '');
	const resolved = new Map<Shape, Shape>();
	const resolve = (shape: Shape): Shape => {
		const known = resolved.get(shape);
		if (known !== undefined) return known;
		const name = local(shape.type === 'EntityOrCommon' || shape.type === 'Entity' ? (shape.name ?? '') : shape.type);
		const common = Object.hasOwn(commonTypes, name) ? commonTypes[name] : undefined;
		const plain =
			name in entityTypes ? { type: 'Entity', name } : { ...shape, type: name === 'Bool' ? 'Boolean' : name };
		const answer = common === undefined ? plain : resolve(common);
		resolved.set(shape, answer);
		return answer;
	};
	const uidsOf = (type: string): TypeAndId[] => {
		const full = `${namespace}::${type}`;
		const unnamed = entityTypes[type]?.enum ?? IDS.slice(0, POPULATION[type] ?? 1);
		const ids = new Set([...literals.entities.filter((e) => e.type === full).map((e) => e.id), ...unnamed]);
		return [...ids].map((id) => ({ type: full, id }));
	};
	/** The values of a leaf: those that policies name for its attribute among them. */
	const valuesOf = (shape: Shape, name: string): readonly CedarValueJson[] => {
		const { type, name: entity = '' } = resolve(shape);
		if (type === 'Boolean') return [false, true];
		if (type === 'String') return [...literals.of(name).strings, 'this', 'that'];
		if (type === 'Long') return [...literals.of(name).longs, 0];
		if (type === 'Entity') return uidsOf(entity).map((uid) => ({ __entity: uid }));
		throw new Error(`the generators know no type ${JSON.stringify(shape)}`);
	};
	const shapeOf = (type: string) => resolve(entityTypes[type]?.shape ?? EMPTY);
	const parentsOf = (type: string) => (entityTypes[type]?.memberOfTypes ?? []).map(local).flatMap(uidsOf);
	return { action: `${namespace}::Action`, local, resolve, uidsOf, valuesOf, shapeOf, parentsOf };
}

function environment(types: Types, action: string, principal: string, resource: string, context: Shape): Environment {
	const slots: Slots = {
		principal: fc.constantFrom(...types.uidsOf(types.local(principal))),
		resource: fc.constantFrom(...types.uidsOf(types.local(resource))),
		// Now and then an entity that policies speak of is not there: then some of them fail.
		absent: fc.oneof({ weight: 7, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.nat(7) }),
	};
	const contextFrom = recordOf(types, 'context', context, slots);
	const entitiesFrom = new Map<string, FromFlat<EntityJson>>();
	for (const uid of within(types, [principal, resource], context).flatMap(types.uidsOf)) {
		entitiesFrom.set(keyOf(uid), entityOf(types, uid, slots));
	}
	const assemble = (flat: Flat): Request => {
		const given = { principal: flat['principal'] as TypeAndId, resource: flat['resource'] as TypeAndId };
		const context = contextFrom(flat);
		const entities = reachable([given.principal, given.resource, ...uidsIn(context)], entitiesFrom, flat);
		const known = entities.filter((_, at) => at !== flat['absent']);
		return { ...given, action: { type: types.action, id: action }, context, entities: known };
	};
	return { name: `${action} on ${resource}`, slots, assemble };
}

const keyOf = ({ type, id }: TypeAndId) => `${type}::${id}`;

/** Types of entities that a policy may come to from these and from the context. */
function within(types: Types, first: readonly string[], context: Shape): string[] {
	const named = (shape: Shape): string[] => {
		const { type, name = '', element, attributes = {} } = types.resolve(shape);
		if (type === 'Entity') return [name];
		return [...(element === undefined ? [] : [element]), ...Object.values(attributes)].flatMap(named);
	};
	const reached = new Set([...first.map(types.local), ...named(context)]);
	for (const type of reached) {
		const parents = types.parentsOf(type).map((uid) => types.local(uid.type));
		for (const next of [...parents, ...named(types.shapeOf(type))]) reached.add(next);
	}
	return [...reached];
}

type FromFlat<T> = (flat: Flat) => T;
type Fields = Record<string, CedarValueJson>;
type Slots = Record<string, fc.Arbitrary<unknown>>;

/** Adds the slots of a record, and tells how to make one of them. */
function recordOf(types: Types, path: string, record: Shape, slots: Slots): FromFlat<Fields> {
	const fields = Object.entries(types.resolve(record).attributes ?? {}).map(([name, shape]) => {
		const at = `${path}.${name}`;
		const present = `${at}?`;
		// More often than not: most rules speak of what is there.
		if (shape.required === false) slots[present] = fc.constantFrom(true, true, false);
		if (types.resolve(shape).type === 'Record') return { name, present, from: recordOf(types, at, shape, slots) };
		slots[at] = leaf(types, name, shape);
		return { name, present, from: (flat: Flat) => flat[at] as CedarValueJson };
	});
	return (flat) => {
		const made: Fields = {};
		for (const { name, present, from } of fields) if (flat[present] !== false) made[name] = from(flat);
		return made;
	};
}

function entityOf(types: Types, uid: TypeAndId, slots: Slots): FromFlat<EntityJson> {
	const type = types.local(uid.type);
	const attributes = recordOf(types, keyOf(uid), types.shapeOf(type), slots);
	const parents = types.parentsOf(type);
	const at = `${keyOf(uid)} in`;
	if (parents.length === 0) return (flat) => ({ uid, attrs: attributes(flat), parents: [] });
	slots[at] = fc.subarray(parents, { maxLength: 3 });
	return (flat) => ({ uid, attrs: attributes(flat), parents: flat[at] as TypeAndId[] });
}

function leaf(types: Types, name: string, shape: Shape): fc.Arbitrary<unknown> {
	const { type, element } = types.resolve(shape);
	if (type !== 'Set' || element === undefined) return fc.constantFrom(...types.valuesOf(shape, name));
	return fc.subarray([...types.valuesOf(element, name)]);
}

/** Entities that the first ones lead to, each once; those that have nothing of their own are not told of. */
function reachable(first: readonly TypeAndId[], made: ReadonlyMap<string, FromFlat<EntityJson>>, flat: Flat) {
	const found = new Set(first.map(keyOf));
	const entities: EntityJson[] = [];
	for (const key of found) {
		const entity = made.get(key)?.(flat);
		if (entity === undefined) throw new Error(`the generators made no ${key}`);
		const next = [...(entity.parents as TypeAndId[]), ...uidsIn(entity.attrs)];
		for (const uid of next) found.add(keyOf(uid));
		if (next.length > 0 || Object.keys(entity.attrs).length > 0) entities.push(entity);
	}
	return entities;
}

function uidsIn(value: CedarValueJson): TypeAndId[] {
	if (typeof value !== 'object' || value === null) return [];
	if ('__entity' in value) return [value['__entity'] as TypeAndId];
	return Object.values(value).flatMap((v) => uidsIn(v));
}
