/** Which codes each operation names and no test of this run has met: printed at its end, if CONFORMANCE_TABLE is set. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Met } from './check.ts';

export function setup(): (() => Promise<void>) | undefined {
	if (process.env['CONFORMANCE_TABLE'] === undefined) return undefined;
	const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-conformance-'));
	const file = path.join(folder, 'met.jsonl');
	writeFileSync(file, '');
	process.env['CONFORMANCE_FILE'] = file;
	return async () => {
		const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
		rmSync(folder, { recursive: true });
		await print(lines.map((line) => JSON.parse(line) as Met));
	};
}

async function print(met: readonly Met[]): Promise<void> {
	// Only now: this takes the whole app.
	const { operationsOf, readDocument } = await import('#tests/document.ts');
	const named = operationsOf(await readDocument());
	for (const { operation } of named) {
		const own = met.filter((m) => m.operation === operation.operationId);
		const statuses = [...new Set(own.map((m) => m.status))].toSorted((a, b) => a - b).join(' ');
		const codes = Object.values(operation.responses).flatMap((r) =>
			Object.keys(r.content?.['application/problem+json']?.examples ?? {}),
		);
		const missing = codes.filter((code) => !own.some((m) => m.code === code));
		console.log(`${operation.operationId}: met ${statuses || 'nothing'}; never ${missing.join(', ') || '-'}`);
	}
}
