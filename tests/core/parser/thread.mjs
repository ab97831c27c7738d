/** A parser's thread that does what the text says. */
import { parentPort } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
const { serveParser } = await import('../../../core/parser.ts');
const { BrokerError } = await import('../../../core/error.ts');

function query(text) {
	if (text === 'hang') for (;;);
	if (text === 'fill') for (const all = []; ; ) all.push(Array.from({ length: 100_000 }, () => ({})));
	if (text === 'break') throw new TypeError('broken');
	if (text === 'refuse') throw new BrokerError('unsupported', 'Not this.', { line: 3, column: 4 });
	return { kind: 'query', text, limit: 2n ** 63n - 1n };
}

serveParser(parentPort, { query, expression: (text) => ({ kind: 'string', value: text }), warm() {} });
