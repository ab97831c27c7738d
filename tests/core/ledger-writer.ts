/** Appends to many streams until it is killed; says which appends were acknowledged, one JSON line each. */
import * as Ledger from '#core/ledger.ts';
import { domain, openLedger } from './ledger-context.ts';

const [dataDir = '', writers = '4'] = process.argv.slice(2);
const { ctx } = await openLedger(dataDir);

async function write(writer: number): Promise<void> {
	const stream = Ledger.stream.domain(`writer-${writer}`);
	let after: Ledger.Recorded | null = null;
	for (;;) {
		const body = domain(`writer-${writer}`, 'x'.repeat(300));
		after = await Ledger.append(ctx, { stream, after, actor: 'system', body, pii: { n: writer } });
		process.stdout.write(`${JSON.stringify({ stream, ver: after.ver, leaf: after.leaf })}\n`);
	}
}

await Promise.all(Array.from({ length: Number(writers) }, (_, i) => write(i)));
