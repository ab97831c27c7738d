/**
 * The rules, each by cases that say who may what and which policy decided (policy/*.json), and the engine's promise to
 * refuse whatever it cannot evaluate.
 */
import { describe, expect, it } from 'vitest';
import { abouts } from '#core/access/rules.ts';
import { BrokerError } from '#core/error.ts';
import { authorize, Entity, loadPolicies, may, permits, type Resource, reveal } from '#core/policy.ts';
import {
	Asked,
	type Case,
	Contract,
	callerOf,
	cases,
	decide,
	facts,
	GOVERNANCE,
	schema,
	texts,
} from './policy/cases.ts';

const rules = loadPolicies(schema, texts);
const asIs = (annotation: string) => Object.entries(rules.annotations).filter(([, a]) => a[annotation] !== undefined);

describe.each([false, true])('the rules allow: %s', (allow) => {
	it.each(cases.filter((c) => c.allow === allow).map((c) => [c.policy, c.title, c] as const))(
		'%s: %s',
		(_, __, one) => {
			const { by, requires, code } = one;
			expect(decide(rules, one)).toEqual(allow ? { allow, by, requires } : { allow, by, code });
		},
	);
});

describe('the cases', () => {
	it('have for each policy one that it decides and one that it does not', () => {
		const without = (wanted: (one: Case) => boolean) =>
			Object.keys(texts).filter((policy) => !cases.some((c) => c.policy === policy && wanted(c)));
		expect(without((c) => c.allow)).toEqual([]);
		expect(without((c) => !c.allow)).toEqual([]);
		expect(without((c) => c.by.includes(c.policy))).toEqual([]);
	});

	it('name only policies and actions that there are', () => {
		expect(cases.filter((c) => !(c.policy in texts) || c.by.some((p) => !(p in texts)))).toEqual([]);
		expect(cases.filter((c) => !new RegExp(`\\b${c.action}\\b`).test(schema))).toEqual([]);
	});

	it('have every action that the schema has', () => {
		const declared = [...schema.matchAll(/action ([\w, \n]+?)\s+appliesTo/g)].flatMap(([, names = '']) =>
			names.split(/,\s*/),
		);
		expect([...new Set(cases.map((c) => c.action))].toSorted()).toEqual(declared.toSorted());
	});

	it('are each needed: without its policy, a case of it comes out otherwise', () => {
		for (const policy of Object.keys(texts)) {
			const own = cases.filter((c) => c.policy === policy);
			const asked = new Set(own.map((c) => `"${c.action}"`));
			const others = Object.entries(texts).filter(([id]) => id !== policy);
			const rest = others.filter(([, text], i) => i === 0 || [...asked].some((action) => text.includes(action)));
			const less = loadPolicies(schema, Object.fromEntries(rest), { trial: true });
			const changed = own.filter((c) => JSON.stringify(decide(less, c)) !== JSON.stringify(decide(rules, c)));
			expect([policy, changed.length > 0]).toEqual([policy, true]);
		}
	});
});

describe('whatever a rule is about', () => {
	it('it says in a sentence what to change', () => {
		expect(asIs('about').length).toBeGreaterThan(15);
		for (const [id, { advice }] of asIs('about')) {
			expect([id, advice]).toEqual([id, expect.stringMatching(/^[A-Z][^\n]{20,160}\.$/)]);
		}
	});

	it('it has its words at the head of its file', () => {
		for (const [id, text] of Object.entries(texts)) {
			expect([id, text]).toEqual([id, expect.stringMatching(/^\/\/ [A-Z][^\n]{20,120}\.\n(@|permit|forbid)/)]);
		}
	});

	it('of a request, it is a part of one', () => {
		const ofRequests = asIs('about').filter(([id]) => texts[id]?.includes('Action::"requestAccess"'));
		expect(ofRequests.length).toBeGreaterThan(6);
		expect(ofRequests.filter(([, { about }]) => !abouts.some((known) => known === about))).toEqual([]);
	});
});

describe('a rule of requests', () => {
	it('has nothing to say of who may ask before what he asks is looked at, but for regulators', () => {
		const asked = cases.filter((c) => c.action === 'requestAccess' && c.context.asked === undefined);
		expect(asked.some((c) => c.allow)).toBe(true);
		expect(new Set(asked.flatMap((c) => c.by))).toEqual(new Set(['owner-approves', 'regulators-only-read']));
	});

	it('looks at each fact of what is asked for', () => {
		const whole = Object.values(texts).join('\n');
		const facts = Object.keys(Asked.shape).filter((fact) => fact !== 'classification');
		expect(facts.filter((fact) => !whole.includes(`context.asked.${fact}`))).toEqual([]);
	});
});

describe('what regulators are let read', () => {
	it('is recorded: each permit that names them, of actions that only read, says so', () => {
		const reading = /^[^;]*\bpermit \([^;]*Action::"(view|read|verify|preview|examine)/m;
		const theirs = Object.keys(texts).filter(
			(id) => reading.test(texts[id] ?? '') && /\.regulators\b/.test(texts[id] ?? ''),
		);
		// The last one leaves them out.
		expect(theirs.filter((id) => rules.annotations[id]?.['recorded'] === undefined)).toEqual(['own-reports-only']);
		expect(theirs.length).toBeGreaterThan(4);
	});
});

describe('a rule of publication', () => {
	const facts = new Set(Object.keys(Contract.shape));
	const refusing = Object.entries(rules.annotations).filter(([, a]) => a['problem'] === 'contract-refused');

	it.each(refusing)('%s says which fact it is about', (_, { about }) => {
		expect(facts).toContain(about);
	});

	it('has nothing to say before the contract is read: who may publish is asked first', () => {
		const asked = cases.filter((c) => c.action === 'publishContract' && c.context.contract === undefined);
		expect(asked.some((c) => c.allow)).toBe(true);
		expect(asked.flatMap((c) => c.by).filter((policy) => refusing.some(([id]) => id === policy))).toEqual([]);
		expect(refusing.length).toBeGreaterThan(6);
	});
});

it('the same texts are one set, read once, in whatever order they come; any other text makes another', () => {
	const turned = Object.fromEntries(Object.entries(texts).toReversed());
	expect(loadPolicies(schema, turned)).toBe(rules);
	const more = loadPolicies(schema, {
		...texts,
		more: 'forbid (principal, action == Fairlead::Action::"decide", resource);',
	});
	const other = loadPolicies(schema, {
		...texts,
		more: 'permit (principal, action == Fairlead::Action::"decide", resource);',
	});
	const spaced = loadPolicies(`${schema}\n`, texts);
	expect(new Set([rules, more, other, spaced].map(({ id }) => id)).size).toBe(4);
	expect(loadPolicies(schema, texts, { trial: true })).not.toBe(rules);
});

describe('a policy set is not loaded', () => {
	const loading = (more: Record<string, string>) => () => loadPolicies(schema, { ...texts, ...more });

	it.each([
		['that is empty', () => loadPolicies(schema, {})],
		['with a text that is no policy', loading({ broken: 'permit (principal, action, resource' })],
		['with an empty text', loading({ broken: '' })],
		['with two policies in one text', loading({ broken: 'permit (principal, action, resource);'.repeat(2) })],
		[
			'with an unknown attribute',
			loading({ broken: 'permit (principal, action, resource) when { resource.nosuch };' }),
		],
		[
			'with an unknown action',
			loading({ broken: 'permit (principal, action == Fairlead::Action::"nosuch", resource);' }),
		],
		['with an unknown type', loading({ broken: 'permit (principal is Nosuch, action, resource);' })],
		['with a rule that can never apply', loading({ broken: 'permit (principal, action, resource) when { false };' })],
		['with a schema that is none', () => loadPolicies('entity', texts)],
	])('%s', (_, load) => {
		expect(load).toThrow(/^policies: /);
	});

	it.each([
		'@recorded("reading") forbid (principal, action == Fairlead::Action::"viewGrant", resource);',
		'@recorded("reading") permit (principal, action == Fairlead::Action::"revokeGrant", resource);',
		'@recorded("reading") permit (principal, action, resource);',
		'@recorded permit (principal, action == Fairlead::Action::"viewGrant", resource);',
		'@recorded("writing") permit (principal, action == Fairlead::Action::"viewGrant", resource);',
	])('with %s', (broken) => {
		expect(loading({ broken })).toThrow(/@recorded\("reading"\) belongs to a permit of actions that only read/);
	});
});

describe('what cannot be evaluated is refused', () => {
	const steward = callerOf('stella', [{ domain: 'governance', role: 'steward' }]);
	const ctx = { policies: rules, caller: steward };
	const product = Entity.product(facts('lending.loans', false), GOVERNANCE);
	const without = (type: string): Resource => ({
		...product,
		entities: product.entities.filter((e) => !('type' in e.uid && e.uid.type === `Fairlead::${type}`)),
	});

	it.each(['Product', 'Mesh', 'Domain'])('a missing entity: %s', (type) => {
		const resource = without(type);
		expect(() => authorize(ctx, 'requestReport', resource)).toThrow(BrokerError);
		expect(() => authorize(ctx, 'requestReport', resource)).toThrow(/could not be evaluated/);
		expect(() => may(ctx, 'requestReport', resource)).toThrow(/could not be evaluated/);
		expect(() => reveal(ctx, 'requestReport', resource)).toThrow(/could not be evaluated/);
	});

	it('a missing or wrong context', () => {
		for (const context of [{}, { consumer: 'risk' }, { consumer: Entity.roleRef('risk', 'consumer') }]) {
			expect(() => authorize(ctx, 'requestAccess', product, context)).toThrow(/could not be evaluated/);
		}
	});

	it('a resource of the wrong kind', () => {
		expect(() => authorize(ctx, 'registerDomain', product)).toThrow(/could not be evaluated/);
	});

	it('a forbid that fails, though a permit stands: Cedar alone would skip it', () => {
		const forbid =
			'forbid (principal, action == Fairlead::Action::"viewProduct", resource) when { resource.mesh.operators == resource.domain.owners };';
		const stricter = loadPolicies(schema, { ...texts, forbid });
		const open = without('Domain');
		expect(may(ctx, 'viewProduct', open)).toBe(true);
		expect(() => may({ ...ctx, policies: stricter }, 'viewProduct', open)).toThrow(/could not be evaluated/);
	});

	it('a question that would only narrow a view', () => {
		expect(() => permits(ctx, 'requestReport', without('Mesh'))).toThrow(/could not be evaluated/);
		expect(permits(ctx, 'requestReport', product)).toBeNull();
	});

	it('a policy set that is not loaded', () => {
		const unknown = { ...rules, id: 'nosuch' };
		expect(() => may({ ...ctx, policies: unknown }, 'viewProduct', product)).toThrow(/could not be evaluated/);
	});
});
