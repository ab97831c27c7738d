/** Rules in plain words, and the bounds on the text of rules that are tried: whatever passes them, the engine survives. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { policyToJson, schemaToJson } from '@cedar-policy/cedar-wasm/nodejs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DEPTH, MAX_QUOTED, MAX_TOKENS, sizeOf } from '#core/policy/guard.ts';
import { authorize, Entity, loadPolicies } from '#core/policy.ts';
import { MAX_BYTES, MAX_RULES, mustBeSmall } from '#core/why/guard.ts';
import { domainOf, headOf } from '#core/why/rules.ts';
import { tried } from '#core/why/trial.ts';
import { verdictOf } from '#core/why/verdict.ts';
import { somebody } from '#core/why/who.ts';
import * as Why from '#core/why.ts';

const folder = fileURLToPath(new URL('../../policies/', import.meta.url));
const schema = readFileSync(`${folder}/schema.cedarschema`, 'utf8');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.cedar'));
const texts = Object.fromEntries(
	files.map((f) => [
		f.replace(/^(global|domains)\//, '').replace('.cedar', ''),
		readFileSync(`${folder}/${f}`, 'utf8'),
	]),
);
const base = loadPolicies(schema, texts);
const forbid = (condition: string) => `forbid (principal, action, resource) when { ${condition} };`;

/** What a set says of what everybody may do. */
const asked = ({ policies }: { policies: typeof base }) =>
	verdictOf(policies, () => {
		const permit = authorize({ policies, caller: somebody([]) }, 'viewMe', Entity.mesh('governance'));
		return { permit, auto: null };
	});

describe('the head of a text', () => {
	it.each([
		['// One line.\npermit', 'One line.'],
		['// Two\n//   lines.\r\n\n// And more.\n@requires("x") // not this\n// nor this\npermit', 'Two lines. And more.'],
		['\n\t// After a blank.\npermit', 'After a blank.'],
		['permit (principal, action, resource); // at the end', null],
		['@advice("// no comment")\npermit', null],
		['', null],
	])('of %j is %j', (text, head) => {
		expect(headOf(text)).toBe(head);
	});

	it('is there, for every rule', () => {
		expect(Object.keys(texts).filter((id) => headOf(texts[id] ?? '') === null)).toEqual([]);
	});

	it('tells nothing of whose rule it is; the id does', () => {
		expect(['owner-approves', 'customers/campaigns'].map(domainOf)).toEqual([null, 'customers']);
	});
});

describe('what may be asked', () => {
	it('is every action, but those on what is its owner’s alone and what rules do by themselves', () => {
		const answer = schemaToJson(schema);
		const actions = answer.type === 'failure' ? [] : Object.keys(answer.json['Fairlead']?.actions ?? {});
		const { onAsk, onDecision, onDomain, onEither, onGrant, onMesh, onProduct, onRequest } = Why;
		const asked = [onAsk, onDecision, onDomain, onEither, onGrant, onMesh, onProduct, onRequest].flat();
		expect(
			[...asked, 'viewQuery', 'viewReport', 'autoApprove', 'delegate', 'viewDelegation', 'endDelegation'].toSorted(),
		).toEqual(actions.toSorted());
	});
});

describe('the size of a text', () => {
	it.each([
		['', { tokens: 0, depth: 0, quoted: 0 }],
		['a // b (((\nc', { tokens: 2, depth: 0, quoted: 0 }],
		['"(((\\"((" like "x"', { tokens: 3, depth: 1, quoted: 7 }],
		['((a))', { tokens: 5, depth: 4, quoted: 0 }],
		['a && b && c', { tokens: 5, depth: 2, quoted: 0 }],
		['a.b.c == d.e && f.g == h', { tokens: 15, depth: 4, quoted: 0 }],
		['[a.b, c.d.e, f]', { tokens: 13, depth: 5, quoted: 0 }],
		['a["b"]["c"].d == e', { tokens: 11, depth: 6, quoted: 1 }],
		['a["b"][c["d"]["e"]]', { tokens: 13, depth: 8, quoted: 1 }],
		['a "bc', { tokens: 2, depth: 0, quoted: 1 }],
		[`"${'\\"'.repeat(32_000)}`, { tokens: 1, depth: 0, quoted: 63_999 }],
		[`"${'\\"'.repeat(32_000)}\\`, { tokens: 1, depth: 0, quoted: 64_000 }],
		['('.repeat(60_000), { tokens: MAX_TOKENS + 1, depth: 2 * MAX_TOKENS, quoted: 0 }],
		['if a then b else if c then d else e', { tokens: 11, depth: 6, quoted: 0 }],
		['!!!a', { tokens: 4, depth: 3, quoted: 0 }],
		['))) (', { tokens: 4, depth: 6, quoted: 0 }],
	] as const)('case %#: %o', (text, size) => {
		expect(sizeOf(text)).toEqual(size);
	});

	it('of every rule that there is leaves room for more', () => {
		for (const text of Object.values(texts)) {
			const { tokens, depth, quoted } = sizeOf(text);
			expect([tokens < MAX_TOKENS / 2, depth < MAX_DEPTH / 2, quoted < MAX_QUOTED]).toEqual([true, true, true]);
		}
	});
});

describe('texts are refused unread', () => {
	const bracketed = (count: number, open: string, close: string) =>
		forbid(`${open.repeat(count)}1${close.repeat(count)} == 1`);
	it.each<[string, Record<string, string>]>([
		['of too many rules', Object.fromEntries(Array.from({ length: MAX_RULES + 1 }, (_, i) => [`r${i}`, '']))],
		['of too many bytes', { a: `//${'é'.repeat(MAX_BYTES / 2)}` }],
		['with brackets within each other', { a: bracketed(24, '(', ')') }],
		['with sets within each other', { a: bracketed(24, '[', ']') }],
		['with records within each other', { a: bracketed(24, '{a: ', '}') }],
		['with a long chain of conditions', { a: forbid(Array(50).fill('true').join(' || ')) }],
		['with a long sum', { a: forbid(`${Array(50).fill('1').join(' + ')} == 2`) }],
		['with a long way to an attribute', { a: forbid(`principal${'.self'.repeat(50)} == principal`) }],
		['with a long way to an attribute by its name', { a: forbid(`principal${'["self"]'.repeat(50)} == principal`) }],
		['with both by turns', { a: forbid(`principal${'["self"].self'.repeat(25)} == principal`) }],
		['with conditions within each other', { a: forbid(`${'if true then '.repeat(17)}true${' else true'.repeat(17)}`) }],
		['with a condition upon the other', { a: forbid(`${'if false then true else '.repeat(17)}true`) }],
		['with many conditions', { a: `forbid (principal, action, resource) ${'unless { true } '.repeat(50)};` }],
		['with a long set', { a: forbid(`[${'1, '.repeat(250)}1] == []`) }],
		['with a long text', { a: forbid(`"${'a'.repeat(MAX_QUOTED + 1)}" like "*a"`) }],
	])('%s', (_, policies) => {
		expect(() => mustBeSmall(policies)).toThrow(expect.objectContaining({ code: 'too-large' }));
	});
});

describe('whatever is within the bounds', () => {
	const leaf = fc.constantFrom<string>(
		'principal.service',
		'1 == 1',
		`principal${'["self"]'.repeat(8)} == principal`,
		'true',
		'resource is Fairlead::Mesh',
		'principal == resource',
		'"a" like "*a*"',
		'context has asked',
	);
	const wrap = fc.constantFrom<(inner: string, other: string) => string>(
		(a) => `(${a})`,
		(a) => `!(${a})`,
		(a, b) => `${a} && ${b}`,
		(a, b) => `${b} || ${a}`,
		(a, b) => `if ${b} then ${a} else ${b}`,
		(a, b) => `[${a}].contains(${b})`,
		(a) => `{a: ${a}}.a`,
		(a) => `{a: ${a}}["a"]`,
		(a, b) => `[${b}, ${a}] == [${b}]`,
	);
	const rule = fc
		.tuple(leaf, fc.array(fc.tuple(wrap, leaf), { minLength: 10, maxLength: 50 }))
		.map(([first, layers]) => forbid(layers.reduce<string>((inner, [layer, other]) => layer(inner, other), first)));
	it('the longest way to an attribute is evaluated', () => {
		for (const step of ['.self', '["self"]']) {
			const text = forbid(`principal${step.repeat(MAX_DEPTH - 6)} == principal`);
			expect(asked({ policies: tried(base, { a: text }) }).rules).toEqual(['a']);
		}
	});

	const small = rule.filter((text) => {
		const { tokens, depth } = sizeOf(text);
		return tokens <= MAX_TOKENS && depth <= MAX_DEPTH;
	});

	it('is read or refused with its fault, and the engine still reads what follows', () => {
		let taken = 0;
		fc.assert(
			fc.property(small, (text) => {
				try {
					const set = tried(base, { a: text });
					expect(set.texts['a']).toBe(text);
					expect(asked({ policies: set }).code).not.toBe('internal');
					taken += 1;
				} catch (error) {
					const errors = [{ pointer: '/policies/a', detail: expect.stringMatching(/.{5}/) }];
					expect(error).toMatchObject({ code: 'validation', extensions: { errors } });
				}
				expect(policyToJson('permit (principal, action, resource);').type).toBe('success');
			}),
			{ seed: 20_261_121, numRuns: 25 },
		);
		expect(taken).toBeGreaterThan(5);
	}, 60_000);
});

describe('a rule that cannot be evaluated', () => {
	const overflows = forbid('9223372036854775807 + 1 > 0');
	const detail = 'This rule could not be evaluated, so the answer is no.';

	it('refuses, and is named to who asks why', () => {
		const policies = tried(base, { overflows, 'over-again': overflows });
		expect(asked({ policies })).toEqual({
			allowed: false,
			code: 'internal',
			rules: ['over-again', 'overflows'],
			route: [],
			auto: null,
			advice: [
				{ rule: 'over-again', pointer: null, detail },
				{ rule: 'overflows', pointer: null, detail },
			],
		});
	});

	it('is not named in the refusal itself', () => {
		const policies = tried(base, { overflows });
		const ask = () => authorize({ policies, caller: somebody([]) }, 'viewMe', Entity.mesh('governance'));
		expect(ask).toThrow(expect.objectContaining({ code: 'internal', extensions: {} }));
	});
});

describe('a set on trial', () => {
	it('is refused with the faults of all its rules, each at its place', () => {
		const change = { b: 'forbid', a: forbid('resource'), nosuch: null, c: `@nosuch("x") ${forbid('true == true')}` };
		const told = (changes: Record<string, string | null>) => {
			try {
				return tried(base, changes).id;
			} catch (error) {
				return (error as { extensions: { errors: { pointer: string }[] } }).extensions.errors.map((e) => e.pointer);
			}
		};
		expect(told(change)).toEqual(['/policies/nosuch', '/policies/b', '/policies/c']);
		expect(new Set(told({ a: change.a, 'owner-approves': null }))).toEqual(new Set(['/policies/a']));
	});

	it('is the set in force with the change, which stays as it is', () => {
		const added = forbid('principal.service');
		const set = tried(base, { added, 'owner-approves': null });
		expect(Object.keys(set.texts)).toEqual(
			[...Object.keys(texts).filter((id) => id !== 'owner-approves'), 'added'].toSorted(
				(a, b) => Object.keys(set.texts).indexOf(a) - Object.keys(set.texts).indexOf(b),
			),
		);
		expect(set.id).not.toBe(base.id);
		expect(base.texts).toEqual(texts);
	});

	it('under the same texts is the same set, whatever was tried between', () => {
		const change = { added: forbid('principal.service') };
		const one = tried(base, change);
		const other = tried(base, { added: forbid('!principal.service') });
		expect([tried(base, change).hash, other.hash === one.hash]).toEqual([one.hash, false]);
	});
});
