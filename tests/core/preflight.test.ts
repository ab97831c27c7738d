/**
 * Preflight as a pure judgement: a table where everything is right has no finding, and each way of being wrong has one
 * of its own, with where, why and what to do.
 */
import { describe, expect, it } from 'vitest';
import type { AccountFacts, TableFacts } from '#core/preflight/facts.ts';
import { covering, type Settings } from '#core/preflight/governance.ts';
import { judgeTable, type Subject } from '#core/preflight/judge.ts';
import {
	judgeAccount,
	judgeDatabase,
	judgePrincipal,
	questionsOfAccount,
	questionsOfPrincipal,
	questionsOfTable,
	unansweredOf,
} from '#core/preflight/judge-rest.ts';
import { known } from '#core/preflight/known.ts';
import { checks, type Finding, whys } from '#core/preflight.ts';
import type { RowFilter } from '#core/rowfilter.ts';
import {
	CONSUMER,
	FAIRLEAD,
	GRANTOR,
	glueWith,
	held,
	OTHER,
	ROLE,
	reader,
	right,
	rightPrincipal,
	scope,
	table,
} from './preflight/facts.ts';

const judged = (spoilt: Partial<TableFacts>, subjects: readonly Subject[] = [reader], admins: readonly string[] = []) =>
	judgeTable({ ...right, ...spoilt }, subjects, admins);
const brief = (findings: readonly Finding[]) => findings.map((f) => `${f.check} ${f.severity}`);
const filter = (i: number, holder = ROLE, name = `theirs-${i}`) =>
	held(holder, ['SELECT'], { kind: 'filter', table, name });
const filters = (count: number) => Array.from({ length: count }, (_, i) => filter(i));
const compared: RowFilter = { op: 'compare', column: 'status', operator: '=', value: { type: 'string', value: 'A' } };

describe('a table where everything is right', () => {
	it('has no finding, for a principal that is to be granted a scope and for none', () => {
		expect(judged({})).toEqual([]);
		expect(judged({}, [])).toEqual([]);
		expect(judgePrincipal(rightPrincipal, [FAIRLEAD])).toEqual([]);
		expect(unansweredOf([...questionsOfTable(right), ...questionsOfPrincipal(rightPrincipal)])).toEqual([]);
	});
});

describe('what blocks a grant', () => {
	const cases: readonly [string, string, Partial<TableFacts>, Subject?][] = [
		['the table is gone', 'table-gone', { glue: { value: null } }],
		['a column of the scope is gone', 'table-gone', glueOf({ types: new Map([['loan_id', 'bigint']]) })],
		['IAMAllowedPrincipals holds ALL', 'iam-allowed-principals', rightsOf(held('IAM_ALLOWED_PRINCIPALS', ['ALL']))],
		[
			'IAMAllowedPrincipals holds rights on all tables',
			'iam-allowed-principals',
			rightsOf(held('IAM_ALLOWED_PRINCIPALS', ['SELECT'], { kind: 'all-tables', ...table })),
		],
		['the location is not registered', 'location-not-registered', glueOf({ registered: false })],
		['no registration above it is in sight', 'location-not-registered', { registrations: { value: [] } }],
		['nobody opted in on a hybrid location', 'hybrid-without-opt-in', hybrid([])],
		['another principal opted in', 'hybrid-without-opt-in', hybrid([OTHER])],
		['LF-Tags stand on the database', 'lf-tags', tagsOf({ database: ['zone'] })],
		['LF-Tags stand on the table', 'lf-tags', tagsOf({ table: ['zone'] })],
		['LF-Tags stand on a column', 'lf-tags', tagsOf({ columns: ['status'] })],
		...['ALTER', 'INSERT', 'DELETE', 'DROP', 'ALL'].map((p): [string, string, Partial<TableFacts>] => [
			`the principal holds ${p}`,
			'writer',
			rightsOf(held(ROLE, [p])),
		]),
		[
			'the principal may insert in all tables',
			'writer',
			rightsOf(held(ROLE, ['INSERT'], { kind: 'all-tables', ...table })),
		],
		['all principals of its account may alter', 'writer', rightsOf(held(`${CONSUMER}:IAMPrincipals`, ['ALTER']))],
		[
			'a partition key is not asked for',
			'hidden-partition-key',
			glueOf({ types: new Map([...types(), ['day', 'string']]), partitionKeys: ['day'] }),
		],
		[
			'the row filter compares a date',
			'filter-type',
			glueOf({
				types: new Map([
					['loan_id', 'bigint'],
					['status', 'date'],
				]),
			}),
			{ principal: ROLE, scope: { ...scope, rowFilter: compared } },
		],
		['99 filters of others', 'filter-quota', rightsOf(...filters(99))],
		[
			'the expression is longer than 2047 characters',
			'expression-length',
			{},
			{ principal: ROLE, scope: { ...scope, rowFilter: { op: 'like', column: 'status', pattern: 'x'.repeat(2047) } } },
		],
	];

	it.each(cases)('%s: %s', (_, check, spoilt, subject = reader) => {
		const findings = judged(spoilt, [subject]);
		expect(brief(findings)).toEqual([`${check} blocks`]);
		for (const f of findings) {
			expect(f.where).toMatchObject({ account: table.account, database: 'lending' });
			expect(f.why).toMatch(/https:\/\/docs\.aws\.amazon\.com\//);
			expect(f.found.length * f.fix.length).toBeGreaterThan(0);
		}
	});
});

describe('what only warns', () => {
	it('another writer, and no administrator: he may do anything by nature', () => {
		const rights = rightsOf(held(OTHER, ['INSERT', 'SELECT']));
		expect(brief(judged(rights))).toEqual(['writer warns']);
		expect(judged(rights)[0]?.where.principal).toBe(OTHER);
		expect(judged(rights, [reader], [OTHER])).toEqual([]);
	});

	it('an administrator who is to be granted a scope is a writer like any other', () => {
		expect(brief(judged(rightsOf(held(ROLE, ['ALL'])), [reader], [ROLE]))).toEqual(['writer blocks']);
	});

	it('a type that no row filter supports, beside the filter and not in it', () => {
		const facts = glueOf({ types: new Map([...types(), ['opened', 'date'], ['home', 'struct<city:string>']]) });
		const filtered = { principal: ROLE, scope: { ...scope, rowFilter: compared } };
		expect(brief(judged(facts, [filtered]))).toEqual(['filter-type warns']);
		expect(judged(facts, [filtered])[0]?.found).toContain('`opened` (date)');
		expect(judged(facts, [filtered])[0]?.found).not.toContain('home');
		expect(judged(facts)).toEqual([]);
	});

	it('a hybrid location on which nobody is to be granted anything yet', () => {
		expect(brief(judged(hybrid([]), []))).toEqual(['hybrid-without-opt-in warns']);
	});

	it('defaults that are not cleared, of the account and of the database', () => {
		const settings = { databaseDefaults: ['IAM_ALLOWED_PRINCIPALS'], tableDefaults: ['x'] };
		expect(brief(accountWith(settings))).toEqual(['default-permissions warns', 'default-permissions warns']);
		expect(accountWith({})).toEqual([]);
		expect(accountWith(settings, 'consumer')).toEqual([]);
		const { account, database } = table;
		expect(brief(judgeDatabase({ account, database, defaults: { value: ['x'] } }))).toEqual([
			'default-permissions warns',
		]);
		expect(judgeDatabase({ account, database, defaults: { value: [] } })).toEqual([]);
	});

	it('a database `default` that the principal may not describe', () => {
		const about = (describers: readonly string[]) =>
			brief(judgePrincipal({ ...rightPrincipal, describers: { value: describers } }, [FAIRLEAD]));
		expect(about([])).toEqual(['describe-default warns']);
		expect(about([OTHER])).toEqual(['describe-default warns']);
		expect(about([ROLE])).toEqual([]);
		expect(about([`${CONSUMER}:IAMPrincipals`])).toEqual([]);
		expect(about(['IAM_ALLOWED_PRINCIPALS'])).toEqual([]);
	});
});

describe('what others hold', () => {
	const blind = { readOnlyAdmins: [], admins: [OTHER] };

	it('must be seen by the grantor: it blocks while he is no administrator, and none that only reads', () => {
		const [found, ...more] = accountWith(blind);
		expect(found).toMatchObject({ check: 'hidden-rights', severity: 'blocks', where: { principal: GRANTOR } });
		expect(more).toEqual([]);
		expect(accountWith({ readOnlyAdmins: [OTHER, GRANTOR] })).toEqual([]);
		expect(accountWith({ admins: [OTHER, GRANTOR], readOnlyAdmins: [] })).toEqual([]);
	});

	it("should be seen by Fairlead's role in a consuming account: it warns", () => {
		expect(brief(accountWith(blind, 'consumer'))).toEqual(['hidden-rights warns']);
	});

	it('is not known to be seen where the settings are not told', () => {
		const facts = (as: 'grantor' | 'consumer'): AccountFacts => ({
			account: table.account,
			as,
			role: GRANTOR,
			settings: { unknown: 'denied', error: 'AccessDeniedException' },
		});
		for (const [as, severity] of [['grantor', 'blocks'] as const, ['consumer', 'warns'] as const]) {
			expect(judgeAccount(facts(as))).toEqual([]);
			const [open] = unansweredOf(questionsOfAccount(facts(as)));
			expect(open).toMatchObject({ check: 'not-checked', severity });
			expect(open?.found).toContain('hidden-rights');
		}
	});
});

describe('what is allowed', () => {
	it('an opt-in of the principal, or of all principals of its account', () => {
		expect(judged(hybrid([ROLE]))).toEqual([]);
		expect(judged(hybrid([`${CONSUMER}:IAMPrincipals`]))).toEqual([]);
	});

	it('98 filters of others, and any number of its own that come and go', () => {
		const own = Array.from({ length: 5 }, (_, i) => filter(i, ROLE, `fl_${'0'.repeat(24)}_${i}`));
		expect(judged(rightsOf(...filters(98), ...own))).toEqual([]);
		expect(judged(rightsOf(...Array.from({ length: 200 }, (_, i) => filter(i, OTHER))))).toEqual([]);
	});

	it('partition keys that are asked for', () => {
		expect(judged(glueOf({ partitionKeys: ['status'] }))).toEqual([]);
	});

	it('a registration of the bucket or of any folder above, with or without a slash, and of no namesake', () => {
		const arns = ['lake', 'lake/', 'lake/lending', 'lake/lending/loans/', 'lake/lend', 'other', 'lake/lending/loans/x'];
		const all = arns.map((arn) => ({ arn: `arn:aws:s3:::${arn}`, hybrid: false }));
		expect(covering('s3://lake/lending/loans', all).map(({ arn }) => arn.slice('arn:aws:s3:::'.length))).toEqual(
			arns.slice(0, 4),
		);
	});
});

describe('trust', () => {
	const trust = (...trusted: string[]) =>
		brief(judgePrincipal({ ...rightPrincipal, trusted: { value: trusted } }, [FAIRLEAD]));

	it.each([
		'*',
		'arn:aws:*',
		'arn:aws:iam::*:role/*',
		'arn:aws:iam::999999999999:role/*',
		'arn:aws:iam::219999999999:root',
		'219999999999',
		'arn:aws:iam::210000000000:root',
		'arn:aws:iam::210000000000:role/fairlead-*',
		`arn:aws:iam::${CONSUMER}:root`,
		`arn:aws:iam::${CONSUMER}:saml-provider/bank`,
		'accounts.google.com',
		'lambda.amazonaws.com',
	])('blocks where more than one identity may be the principal: %s', (id) => {
		expect(trust(id)).toEqual(['trust-policy blocks']);
		expect(trust(FAIRLEAD, id)).toEqual(['trust-policy blocks']);
	});

	it('blocks where there is no such role: whoever makes it holds what was granted to its name', () => {
		expect(brief(judgePrincipal({ ...rightPrincipal, trusted: { value: null } }, [FAIRLEAD]))).toEqual([
			'trust-policy blocks',
		]);
	});

	it('warns of one other identity that it names', () => {
		expect(trust(FAIRLEAD, OTHER)).toEqual(['trust-policy warns']);
		expect(trust(`arn:aws:iam::${CONSUMER}:user/somebody`)).toEqual(['trust-policy warns']);
	});

	it('is right where it admits some of the roles of Fairlead, or nobody', () => {
		expect(trust(FAIRLEAD)).toEqual([]);
		expect(trust()).toEqual([]);
	});
});

describe('what could not be looked at', () => {
	const denied = { unknown: 'denied', error: 'AccessDeniedException' } as const;

	it.each(['glue', 'rights', 'registrations', 'optIns', 'tags'] as const)('blocks: %s', (question) => {
		const facts = { ...right, [question]: denied };
		const open = unansweredOf(questionsOfTable(facts));
		expect(brief([...judgeTable(facts, [reader]), ...open])).toEqual(['not-checked blocks']);
		expect(open[0]?.found).toContain('AccessDeniedException');
	});

	it('does not matter of a table that is gone', () => {
		const facts: TableFacts = { ...right, glue: { value: null }, tags: denied, rights: denied };
		const all = [...judgeTable(facts, [reader]), ...unansweredOf(questionsOfTable(facts))];
		expect(brief(all)).toEqual(['table-gone blocks']);
	});

	it('blocks where the trust is not known, and warns where only `default` is not', () => {
		const facts = { ...rightPrincipal, trusted: denied, describers: denied };
		expect(brief([...judgePrincipal(facts, [FAIRLEAD]), ...unansweredOf(questionsOfPrincipal(facts))])).toEqual([
			'not-checked blocks',
			'not-checked warns',
		]);
	});

	it('tells a refusal, which somebody must lift, from silence, which may pass', async () => {
		const thrown = (name: string) =>
			known(() => Promise.reject(Object.assign(new Error('no'), { name }))).then((k) => k.unknown);
		expect(await Promise.all(['AccessDeniedException', 'AccessDenied'].map(thrown))).toEqual(['denied', 'denied']);
		expect(await Promise.all(['ThrottlingException', 'TimeoutError', 'EntityNotFoundException'].map(thrown))).toEqual([
			'unanswered',
			'unanswered',
			'unanswered',
		]);
		expect(await known(async () => 7)).toEqual({ value: 7 });
	});
});

describe('the list of checks', () => {
	it('has a reason for each, and nothing besides', () => {
		expect(Object.keys(whys).toSorted()).toEqual(checks.toSorted());
	});
});

function accountWith(spoilt: Partial<Settings>, as: 'grantor' | 'consumer' = 'grantor'): Finding[] {
	const value = { admins: [], readOnlyAdmins: [GRANTOR], databaseDefaults: [], tableDefaults: [], ...spoilt };
	return judgeAccount({ account: table.account, as, role: GRANTOR, settings: { value } });
}

function types(): [string, string][] {
	return [
		['loan_id', 'bigint'],
		['status', 'varchar(1)'],
	];
}

function glueOf(spoilt: Parameters<typeof glueWith>[0]): Partial<TableFacts> {
	return { glue: glueWith(spoilt) };
}

function rightsOf(...value: ReturnType<typeof held>[]): Partial<TableFacts> {
	return { rights: { value } };
}

function tagsOf(found: { database?: string[]; table?: string[]; columns?: string[] }): Partial<TableFacts> {
	return { tags: { value: { database: [], table: [], columns: [], ...found } } };
}

function hybrid(optIns: readonly string[]): Partial<TableFacts> {
	return {
		registrations: { value: [{ arn: 'arn:aws:s3:::lake', hybrid: true }] },
		optIns: { value: optIns },
	};
}
