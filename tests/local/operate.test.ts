/** The operator's commands against a running bank: what they print, and what their exit code says to a script. */
import { GrantPermissionsCommand } from '@aws-sdk/client-lakeformation';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Examination } from '#core/doctor.ts';
import { run } from '#local/operate/run.ts';
import { contractOf } from '#local/story/world.ts';
import { administratorOf } from '#tests/administrator.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';

let test: TestBank;

beforeAll(async () => {
	test = await testBank();
});

afterAll(() => test.close());

async function ran(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
	const said = { out: [] as string[], err: [] as string[] };
	const output = { out: (text: string) => void said.out.push(text), err: (text: string) => void said.err.push(text) };
	return { code: await run(args, output, environment), out: said.out.join('\n'), err: said.err.join('\n') };
}

const here = () => ['--url', test.bank.api, '--issuer', new URL(test.bank.issuer.tokenEndpoint).origin];

it('a command that is not there, an option that is none, and no mesh: exit code 2, and what to do instead', async () => {
	expect(await ran([])).toMatchObject({ code: 2, err: expect.stringMatching(/^commands: .*doctor/) });
	expect(await ran(['toString'])).toMatchObject({ code: 2, out: '' });
	expect(await ran(['doctor', '--fix'])).toMatchObject({ code: 2, err: expect.stringContaining('--fix') });
	const nobody = ['doctor', '--url', 'http://127.0.0.1:1', '--token', 'x'];
	expect(await ran(nobody)).toMatchObject({ code: 2, err: expect.stringContaining('no mesh answers') });
});

it('a token goes nowhere but to https or to this machine, and none is made up for another one', async () => {
	const plain = ['doctor', '--url', 'http://fairlead.example'];
	expect(await ran(plain, { FAIRLEAD_TOKEN: 'x' })).toMatchObject({ code: 2, err: expect.stringContaining('https') });
	const elsewhere = ['doctor', '--url', 'https://fairlead.example'];
	expect(await ran(elsewhere)).toMatchObject({ code: 2, err: expect.stringContaining('FAIRLEAD_TOKEN') });
});

it('who may not ask is told the rule, with exit code 2', async () => {
	const refused = await ran(['doctor', ...here(), '--as', 'alice']);
	expect(refused).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/^403 .*governance-examines/) });
	const wrong = await ran(['doctor', ...here()], { FAIRLEAD_TOKEN: 'wrong' });
	expect(wrong).toMatchObject({ code: 2, err: expect.stringMatching(/^401 /) });
});

it('doctor: 0 where nothing blocks, 1 where something does, with what, why and the fix', async () => {
	const token = await test.bank.issuer.token('olga');
	expect(await ran(['doctor', ...here()])).toMatchObject({
		code: 0,
		out: expect.stringContaining('Nothing was found.'),
	});
	const [loans] = contractOf(test.world, 'lending.loans').tables;
	const { account: CatalogId = '', database: DatabaseName, name: Name } = loans ?? {};
	await administratorOf(test.bank)
		.lakeformation(CatalogId)
		.send(
			new GrantPermissionsCommand({
				Principal: { DataLakePrincipalIdentifier: 'IAM_ALLOWED_PRINCIPALS' },
				Resource: { Table: { CatalogId, DatabaseName, Name } },
				Permissions: ['ALL'],
			}),
		);
	const told = await ran(['doctor', ...here()]);
	expect(told.code).toBe(1);
	expect(told.out).toMatch(
		/1 block grants:\n.*iam-allowed-principals.*\n.*holds rights on lending\.loans\n.*why: .*\n.*fix: .*revoke-permissions/,
	);
	const own = await ran(['doctor', ...here(), '--domain', 'lending', '--json'], { FAIRLEAD_TOKEN: token });
	expect(own.code).toBe(1);
	expect(Examination.parse(JSON.parse(own.out)).counts).toEqual({ blocks: 1, warns: 0, drift: 0 });
	expect(await ran(['doctor', ...here(), '--product', 'lending.accounts'])).toMatchObject({ code: 0 });
});
