/**
 * What a domain may say in rules of its own, and that nothing it says opens anything: not by permitting, not by undoing a
 * refusal, not in another domain. Also what happens to sets on trial, and to a set that is read again and broken.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { answers, loadPolicies } from '#core/policy.ts';
import { policySource, readPurposes, readTexts } from '#functions/policies.ts';
import { type Case, cases, decide, GOVERNANCE, schema, texts } from './policy/cases.ts';

const rules = loadPolicies(schema, texts);
const withRule = (id: string, text: string) => loadPolicies(schema, { ...texts, [id]: text }, { trial: true });
const on = (action: string) => `action == Fairlead::Action::"${action}"`;
const domainOf = ({ resource: r }: Case) =>
	('product' in r ? r.product : 'request' in r ? r.request : '').split('.')[0] ?? '';

describe('a hostile rule of the lending domain opens nothing', () => {
	const hostile: Readonly<Record<string, string>> = {
		'permits every request': `@requires("owner") permit (principal, ${on('requestAccess')}, resource);`,
		'permits whoever is in no role': `@requires("privacy-officer") permit (principal, ${on('requestAccess')}, resource) unless { principal in resource.domain.members };`,
		'permits what a global rule forbids': `@requires("owner") @approvers("1") permit (principal, ${on('requestAccess')}, resource) when { context has asked && (context.asked.personal || context.asked.rank >= 3) };`,
		'approves everything by itself': `permit (principal, ${on('autoApprove')}, resource);`,
		'names another domain': `@requires("owner") permit (principal, ${on('requestAccess')}, resource) when { resource.domain == Fairlead::Domain::"customers" };`,
	};

	it.each(Object.entries(hostile))('it %s', (_, text) => {
		const set = withRule('lending/hostile', text);
		for (const one of cases) {
			const [was, is] = [decide(rules, one), decide(set, one)];
			const opened = is.allow && !was.allow && one.action !== 'autoApprove';
			expect([one.title, opened]).toEqual([one.title, false]);
			if (domainOf(one) !== 'lending') expect([one.title, is]).toEqual([one.title, was]);
			// The route is at least what it was.
			const route = [...(is.requires ?? [])];
			const missing = (was.requires ?? []).filter((role) => {
				const at = route.indexOf(role);
				if (at !== -1) route.splice(at, 1);
				return at === -1;
			});
			expect([one.title, is.allow ? missing : []]).toEqual([one.title, []]);
		}
	});

	it('and none approves by itself what is personal or restricted', () => {
		const set = withRule('customers/hostile', hostile['approves everything by itself'] ?? '');
		const sensitive = cases.filter((c) => c.policy === 'people-approve-sensitive-data' && !c.allow);
		expect(sensitive.length).toBeGreaterThan(1);
		for (const one of sensitive) expect([one.title, decide(set, one).allow]).toEqual([one.title, false]);
	});
});

describe('a rule of a domain', () => {
	const ofLending = cases.filter((c) => c.action === 'requestAccess' && c.allow && domainOf(c) === 'lending');
	const ofOthers = cases.filter((c) => c.action === 'requestAccess' && c.allow && domainOf(c) !== 'lending');

	it('requires more for its own products, and for no others', () => {
		const text = `@requires("owner") @approvers("3") permit (principal, ${on('requestAccess')}, resource);`;
		const set = withRule('lending/three', text);
		const owners = (one: Case) => decide(set, one).requires?.filter((r) => r === 'owner').length;
		expect(ofLending.length).toBeGreaterThan(5);
		expect(ofOthers.length).toBeGreaterThan(2);
		expect(new Set(ofLending.map(owners))).toEqual(new Set([3]));
		expect(ofOthers.map(owners)).toEqual(ofOthers.map((one) => one.requires.filter((r) => r === 'owner').length));
	});

	it('forbids for its own products, and for no others', () => {
		const set = withRule('lending/closed', `forbid (principal, ${on('requestAccess')}, resource);`);
		const closed = { allow: false, by: ['lending/closed'], code: 'not-permitted' };
		for (const one of ofLending) expect(decide(set, one)).toEqual(closed);
		for (const one of ofOthers) expect(decide(set, one).allow).toBe(true);
	});

	it('that cannot be evaluated refuses in its own domain, and harms no other', () => {
		const most = Number.MAX_SAFE_INTEGER;
		const overflow = `context has asked && context.asked.days * ${most} * ${most} == 0`;
		const set = withRule('lending/bad', `forbid (principal, ${on('requestAccess')}, resource) when { ${overflow} };`);
		const asked = (one: Case) => one.context.asked !== undefined;
		for (const one of ofLending.filter(asked))
			expect(decide(set, one)).toMatchObject({ allow: false, code: 'internal' });
		for (const one of ofOthers.filter(asked)) expect(decide(set, one).allow).toBe(true);
	});

	it.each([
		['of every action', 'forbid (principal, action, resource);'],
		['of an action that is not its to rule on', `forbid (principal, ${on('viewGrant')}, resource);`],
		['that registers domains', `permit (principal, ${on('registerDomain')}, resource);`],
		[
			'of one that is and one that is not',
			'forbid (principal, action in [Fairlead::Action::"decide", Fairlead::Action::"readLedger"], resource);',
		],
		['that lets people decide', `permit (principal, ${on('decide')}, resource);`],
		['that lets people publish', `permit (principal, ${on('publishContract')}, resource);`],
		['that permits requests and requires nothing', `permit (principal, ${on('requestAccess')}, resource);`],
		[
			'that requires a role in which nobody decides',
			`@requires("steward") permit (principal, ${on('requestAccess')}, resource);`,
		],
		[
			'that requires nobody',
			`@requires("owner") @approvers("0") permit (principal, ${on('requestAccess')}, resource);`,
		],
		['with a misspelt requirement', `@require("owner") permit (principal, ${on('requestAccess')}, resource);`],
		['that requires by forbidding', `@requires("owner") forbid (principal, ${on('requestAccess')}, resource);`],
		['that hides what there is', `@problem("not-found") forbid (principal, ${on('requestAccess')}, resource);`],
		[
			'with a number that its JSON form would change',
			`forbid (principal, ${on('requestAccess')}, resource) when { context has asked && context.asked.days == 9007199254740993 };`,
		],
		['with a slot', `forbid (principal == ?principal, ${on('requestAccess')}, resource);`],
	])('is not loaded: one %s', (_, text) => {
		expect(() => withRule('lending/refused', text)).toThrow(/^policies: /);
	});

	it.each(['Lending/x', '../x', 'lending/x/y', '/x', 'lending/'])('is not loaded under the id %s', (id) => {
		const text = `forbid (principal, ${on('requestAccess')}, resource);`;
		expect(() => withRule(id, text)).toThrow(/^policies: /);
	});
});

describe('sets on trial', () => {
	it('take turns in one place, and leave the set in force alone', () => {
		const [some] = cases.filter((c) => c.policy === 'owner-approves' && c.allow);
		if (some === undefined) throw new Error('no case');
		const closed = withRule('closed', `forbid (principal, ${on('requestAccess')}, resource);`);
		const open = withRule('open', `permit (principal, ${on('requestAccess')}, resource);`);
		for (let i = 0; i < 2; i += 1) {
			expect(decide(closed, some)).toMatchObject({ allow: false, by: ['closed'] });
			expect(decide(open, some)).toMatchObject({ allow: true, by: ['open', 'owner-approves'] });
			expect(decide(rules, some)).toMatchObject({ allow: true, by: ['owner-approves'] });
		}
	});

	it('a broken one leaves the one before it', () => {
		const [some] = cases.filter((c) => c.policy === 'owner-approves' && c.allow);
		if (some === undefined) throw new Error('no case');
		const closed = withRule('closed', `forbid (principal, ${on('requestAccess')}, resource);`);
		expect(() => withRule('broken', 'permit')).toThrow(/^policies: /);
		expect(decide(closed, some)).toMatchObject({ allow: false, by: ['closed'] });
	});
});

describe('a folder of policies', () => {
	const home = mkdtempSync(path.join(tmpdir(), 'fairlead-policies-'));
	afterAll(() => rmSync(home, { recursive: true, force: true }));
	let count = 0;
	const folder = () => {
		count += 1;
		const made = path.join(home, String(count));
		cpSync(fileURLToPath(new URL('../policies', import.meta.url)), made, { recursive: true });
		return made;
	};
	const put = (at: string, name: string, text: string) => {
		mkdirSync(path.dirname(path.join(at, name)), { recursive: true });
		writeFileSync(path.join(at, name), text);
	};
	const silent = () => {};
	const fine = `forbid (principal, ${on('requestAccess')}, resource);`;

	const deep = `forbid (principal, action, resource) when { ${'('.repeat(200)}1${')'.repeat(200)} == 1 };`;
	const deepSchema = `entity A { a: ${'{a: '.repeat(1000)}Long${'}'.repeat(1000)} };`;

	it('holds each policy by its id, those of domains by domain and name', () => {
		const at = folder();
		put(at, 'domains/lending/closed.cedar', fine);
		expect(readTexts(at).policies).toMatchObject({ ...texts, 'lending/closed': fine });
	});

	it.each([
		['with a policy that does not parse', 'global/broken.cedar', 'permit'],
		['with a policy under another ending', 'global/rule.cedar.bak', fine],
		['with a rule of no domain', 'domains/rule.cedar', fine],
		[
			'with a rule of a domain that reaches beyond it',
			'domains/lending/all.cedar',
			'forbid (principal, action, resource);',
		],
		['with a broken schema', 'schema.cedarschema', 'entity'],
		['with a rule deeper than the engine takes', 'global/deep.cedar', deep],
		['with a schema deeper than the engine takes', 'schema.cedarschema', deepSchema],
	])('%s starts nothing', (_, name, text) => {
		const at = folder();
		put(at, name, text);
		expect(() => policySource(at, silent)).toThrow(/^policies: /);
	});

	it('that is read again: a good set comes into force, a broken one does not, and that is told until it is mended', () => {
		const at = folder();
		const warned: string[] = [];
		const source = policySource(at, (message) => void warned.push(message));
		const first = source.current();
		put(at, 'global/closed.cedar', fine);
		expect(source.current()).toBe(first);
		expect(source.reload()).toBeNull();
		const second = source.current();
		expect([second.hash === first.hash, second.stale]).toEqual([false, false]);
		put(at, 'global/closed.cedar', 'forbid');
		expect(source.reload()).toMatch(/^policies: closed: /);
		expect(source.current()).toEqual({ ...second, stale: true });
		expect(warned).toHaveLength(1);
		put(at, 'global/closed.cedar', fine);
		expect(source.reload()).toBeNull();
		expect(source.current()).toEqual(second);
	});

	it.each([
		['global/deep.cedar', deep],
		['domains/lending/deep.cedar', deep],
		['schema.cedarschema', deepSchema],
	])('that is read again too deep in %s is not taken, and the set in force is still evaluated', (name, text) => {
		const at = folder();
		const source = policySource(at, silent);
		put(at, name, text);
		for (let i = 0; i < 5; i += 1) expect(source.reload()).toMatch(/^policies: .*has more than /);
		const [some] = cases.filter((c) => c.policy === 'owner-approves' && c.allow);
		if (some === undefined) throw new Error('no case');
		expect([decide(source.current(), some).allow, answers(source.current(), GOVERNANCE)]).toEqual([true, true]);
	});

	it('may hold what editors and file systems leave: it is passed over', () => {
		const at = folder();
		const before = readTexts(at);
		for (const name of [
			'.DS_Store',
			'global/.DS_Store',
			'global/.rule.cedar.swp',
			'global/rule.cedar~',
			'domains/.x',
		]) {
			put(at, name, 'none');
		}
		put(at, 'domains/lending~/rule.cedar', 'none');
		put(at, 'domains/customers/.rule.cedar', 'none');
		expect(readTexts(at)).toEqual(before);
	});

	const purposes = (text: string) => {
		const at = folder();
		put(at, 'purposes.yaml', text);
		return () => readPurposes(at);
	};
	const one = '- {id: x, name: X, retention: P1Y, legalBasis: L}\n';

	it.each([
		['no list', 'id: x'],
		['an entry without a name', '- {id: x, retention: P1Y}'],
		['an id that is none', one.replace('id: x', 'id: X Y')],
		['a retention that is no duration', one.replace('P1Y', 'forever')],
		['something more', one.replace('}', ', owner: me}')],
		['the same id twice', one + one],
	])('has a purpose list that starts nothing: %s', (_, text) => {
		expect(purposes(text)).toThrow(/^policies: purposes.yaml: /);
	});

	it.each(['- {id: x, name: X, retention: P1Y}', one.replace('L}', '}'), one.replace('L}', "'  '}")])(
		'may have a purpose without a legal basis: %s',
		(text) => {
			expect(purposes(text)()).toEqual([{ id: 'x', name: 'X', retention: 'P1Y', legalBasis: '' }]);
		},
	);
});
