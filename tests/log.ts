/** What a log may hold: lines of a closed form, and nothing of a caller or of the data. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { codes } from '#core/error.ts';
import { type Bank, LOG_FILE } from '#local/bank.ts';
import { readTable } from '#local/lake.ts';
import { people } from '#local/people.ts';
import type { World } from '#local/story/world.ts';
import { operationsOf, readDocument } from './document.ts';

export const readLog = (bank: Bank) => readFileSync(path.join(bank.dataDir, LOG_FILE), 'utf8').trim().split('\n');

const about = { level: z.number(), time: z.iso.datetime(), service: z.literal('fairlead'), version: z.string() };
const trace = z.string().regex(/^[0-9a-f]{32}$/);

/** Each line parsed; throws on one that has anything but the members and forms that lines may have. */
export async function parseLog(lines: readonly string[]) {
	const routes = operationsOf(await readDocument()).map((o) => o.path.replaceAll(/\{(\w+)\}/g, ':$1'));
	const Request = z.strictObject({
		...about,
		message: z.literal('request'),
		trace,
		request: z.uuid(),
		method: z.enum(['GET', 'POST', 'PUT']),
		route: z.enum(['/api/v1/*', '/*', '/openapi.json', ...routes]),
		status: z.int().min(200).max(599),
		code: z.enum(Object.keys(codes) as [string, ...string[]]).optional(),
		caller: z
			.string()
			.regex(/^per_[0-9A-Z]{26}$/)
			.nullable(),
		ms: z.number().min(0),
	});
	const Warning = z.strictObject({
		...about,
		message: z.string().regex(/^[a-z]+: [a-z ]+$/),
		trace: trace.optional(),
		error: z.string().regex(/^[A-Za-z]{1,60}$/),
		code: z
			.string()
			.regex(/^[\w-]+$/)
			.optional(),
	});
	return lines.map((line) => z.union([Request, Warning]).parse(JSON.parse(line)));
}

/** What stands in the log and must not: names, tokens, keys, SQL, values of rows, and whatever else is named. */
export async function leaksOf(lines: readonly string[], { bank, contracts }: World, more: readonly string[] = []) {
	const named = Object.values(people).flatMap((p) => [p.subject, ...p.name.split(' ')]);
	const secrets = [bank.broker.secretAccessKey, bank.broker.accessKeyId, 'eyJ', 'Bearer', 'arn:aws'];
	const text = lines.join('\n');
	const told = [...named, ...secrets, "'B'", "'D'", 'SELECT', 'status =', ...more].filter((s) => text.includes(s));
	// Ids, times and durations are made at random or by the clock, and may look like any number.
	const said = JSON.stringify(
		lines.map((line) => ({ ...JSON.parse(line), trace: 0, request: 0, time: 0, caller: 0, ms: 0 })),
	);
	const own = new Set(lines.flatMap((line) => Object.keys(JSON.parse(line) as object)));
	const tables = await Promise.all(contracts.map(({ contract }) => readTable(bank.lakeDir, contract)));
	const cells = tables.flat().flatMap((row) => Object.values(row).map(String));
	const values = new Set(cells.filter((v) => v.length >= 5 && !own.has(v)));
	if (values.size < 200) throw new Error('too few values to tell anything');
	return [...told, ...[...values].filter((v) => said.includes(v))];
}
