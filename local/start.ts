/**
 * `npm start`: a bank on this machine, the story told live, then the API served until Ctrl-C.
 * `--once` ends after the story: exit 0 only if every step held.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { warm } from '#core/syntax.ts';
import { type Bank, LOG_FILE, type Ports, startBank } from './bank.ts';
import { generateLake, sampleContracts } from './lake.ts';
import { people } from './people.ts';
import { steps, type Told, tellStory } from './story.ts';

const USAGE = `npm start -- [options]
  --once             tell the story and stop; exit 0 only if every step held
  --json             print as the last line {"steps":[...],"ok":...}
  --lake DIR         CSV or Parquet files to use instead of the generated lake; needs --contracts
  --contracts DIR    domains.yaml and contracts/ for it
  --data DIR         keep state here and come back to it; a bank found there is served without the story
  --port N           first of three ports on 127.0.0.1: API, AWS, issuer (default 8787; 0: any)
  --seed N           seed of the generated lake (default 1)`;

const SEAL_MS = 1000;
const SWEEP_MS = 60_000;
const RECONCILE_MS = 15 * 60_000;

// The SDK's notice on Node 20 belongs to operators of a deployment.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

type Options = {
	readonly once: boolean;
	readonly json: boolean;
	readonly lake: string | undefined;
	readonly contracts: string | undefined;
	readonly data: string | undefined;
	readonly port: number;
	readonly seed: number;
};

function readOptions(): Options {
	const { values } = parseArgs({
		options: {
			once: { type: 'boolean', default: false },
			json: { type: 'boolean', default: false },
			lake: { type: 'string' },
			contracts: { type: 'string' },
			data: { type: 'string' },
			port: { type: 'string', default: '8787' },
			seed: { type: 'string', default: '1' },
			help: { type: 'boolean', default: false },
		},
	});
	if (values.help) usage(0);
	const { once, json, lake, contracts, data } = values;
	if ((lake === undefined) !== (contracts === undefined)) throw new Error('--lake and --contracts go together');
	return {
		once,
		json,
		lake,
		contracts,
		data,
		port: wholeNumber('port', values.port, 65_533),
		seed: wholeNumber('seed', values.seed, 2 ** 31),
	};
}

function wholeNumber(name: string, text: string, most: number): number {
	const n = Number(text);
	if (!/^\d+$/.test(text) || n > most) throw new Error(`--${name} must be a whole number up to ${most}`);
	return n;
}

function usage(code: number): never {
	process.stdout.write(`${USAGE}\n`);
	process.exit(code);
}

/** Talk goes to stderr when stdout carries JSON. */
function talker(json: boolean): (line?: string) => void {
	const out = json ? process.stderr : process.stdout;
	return (line = '') => void out.write(`${line}\n`);
}

async function main(): Promise<number> {
	const options = readOptions();
	const say = talker(options.json);
	const temporary = options.data === undefined;
	const home = options.data ?? mkdtempSync(path.join(tmpdir(), 'fairlead-'));
	const returning = existsSync(path.join(home, 'bank'));
	mkdirSync(home, { recursive: true });
	const started = performance.now();
	warm();
	const bank = await open(options, home, (fault) => say(fault ?? 'policies: the changed set is in force'));
	await bank.platform.parser.warm();
	try {
		say(`Fairlead on ${bank.api}, ready in ${seconds(started)}\n`);
		const told = returning && !options.once ? [] : await tellStory(bank, (step) => show(say, step));
		const ok = told.every((s) => s.ok) && (told.length === steps.length || told.length === 0);
		if (told.length > 0) say(`\n${told.filter((s) => s.ok).length} of ${steps.length} steps held, ${seconds(started)}`);
		if (options.json)
			process.stdout.write(`${JSON.stringify({ steps: told.map(({ name, ok, ms }) => ({ name, ok, ms })), ok })}\n`);
		if (options.once) return ok ? 0 : 1;
		await serve(bank, say, home);
		return 0;
	} finally {
		await bank.close();
		if (temporary) rmSync(home, { recursive: true, force: true });
	}
}

async function open(options: Options, home: string, onPolicies: (fault: string | null) => void): Promise<Bank> {
	const lakeDir = options.lake ?? path.join(home, 'lake');
	if (options.lake === undefined && !existsSync(lakeDir)) await generateLake(lakeDir, { seed: options.seed });
	const at = (offset: number) =>
		options.port === 0 || (options.once && options.port === 8787) ? 0 : options.port + offset;
	const ports: Ports = { api: at(0), aws: at(1), issuer: at(2) };
	return startBank({
		dataDir: path.join(home, 'bank'),
		lakeDir: path.resolve(lakeDir),
		contractsDir: path.resolve(options.contracts ?? sampleContracts),
		ports,
		witness: true,
		onPolicies,
	});
}

function show(say: (line: string) => void, step: Told): void {
	const mark = step.ok ? styleText('green', 'ok  ') : styleText('red', 'FAIL');
	say(`${mark} ${styleText('bold', step.name.padEnd(22))} ${String(step.ms).padStart(6)} ms  ${step.tells}`);
	say(`     ${step.note}`);
	if (step.curl !== '') say(styleText('dim', `     ${step.curl}`));
}

async function serve(bank: Bank, say: (line?: string) => void, home: string): Promise<void> {
	say(`
The API goes on at ${bank.api}/api/v1 (to read: ${bank.api}/docs). Ctrl-C stops it.
A token:  npm run -s token -- alice      people: ${Object.keys(people).join(', ')}
Try:      curl -s ${bank.api}/api/v1/me -H "authorization: Bearer $(npm run -s token -- alice)"
AWS:      ${bank.aws.endpoint}   issuer: ${bank.issuer.issuer}   state: ${home}, log: ${path.join(home, 'bank', LOG_FILE)}`);
	const reconcile = () =>
		bank.reconcile().catch((error: unknown) => bank.platform.warn('reconcile: a pass failed', error));
	const erase = () => bank.erase().catch((error: unknown) => bank.platform.warn('erasure: a pass failed', error));
	const timers = [
		setInterval(oneAtATime(bank.sealWaiting), SEAL_MS),
		setInterval(() => void bank.sweep(), SWEEP_MS),
		setInterval(() => void erase(), SWEEP_MS),
		setInterval(() => void reconcile(), RECONCILE_MS),
	];
	await new Promise((resolve) => {
		process.once('SIGINT', resolve);
		process.once('SIGTERM', resolve);
	});
	for (const timer of timers) clearInterval(timer);
}

/** What stops the sealer is in the log. */
function oneAtATime(work: () => Promise<unknown>): () => void {
	let underway = false;
	return () => {
		if (underway) return;
		underway = true;
		void work()
			.catch(() => {})
			.finally(() => {
				underway = false;
			});
	};
}

const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

try {
	process.exitCode = await main();
} catch (error) {
	process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
	process.exitCode = 2;
}
