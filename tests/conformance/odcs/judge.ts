/**
 * Writes what Fairlead says of each contract, one JSON object a line, for the standard's own schema to be asked, too:
 * `odcs` is whether Fairlead finds the standard broken, `rules` are the needs of its own that it finds unmet.
 * Arguments: files of contracts, which must be taken.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseContract } from '#core/contract.ts';
import { BrokerError } from '#core/error.ts';
import { changes, samples, whole } from './corpus.ts';

function judged(document: unknown): string[] {
	try {
		parseContract(JSON.stringify(document), 'json');
		return [];
	} catch (error) {
		if (!(error instanceof BrokerError) || error.code !== 'contract-invalid') throw error;
		return [...new Set((error.extensions.errors ?? []).map((fault) => (fault as { rule?: string }).rule ?? ''))];
	}
}

const seen = new Set<string>();

function tell(name: string, document: unknown, mustPass: boolean): void {
	const hash = createHash('sha256').update(JSON.stringify(document)).digest('base64');
	if (seen.has(hash)) return;
	seen.add(hash);
	const found = judged(document);
	const rules = found.filter((rule) => rule !== 'odcs');
	process.stdout.write(`${JSON.stringify({ name, document, mustPass, odcs: found.includes('odcs'), rules })}\n`);
}

for (const file of process.argv.slice(2)) {
	const { document } = parseContract(readFileSync(file, 'utf8'), file.endsWith('.json') ? 'json' : 'yaml');
	tell(file, document, true);
}
tell('all members', whole(), true);
for (const { name, document } of samples()) {
	tell(name, document, true);
	for (const change of changes(document)) tell(`${name}: ${change.name}`, change.document, false);
}
