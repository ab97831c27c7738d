/** The thread that reads SQL: the grammar behind a port. `core/parser.ts` starts it. */
import { parentPort } from 'node:worker_threads';
import { serveParser } from '#core/parser.ts';
import { parseExpression, parseQuery, warm } from '#core/syntax.ts';

if (parentPort === null) throw new Error('this module runs as a worker thread');
serveParser(parentPort, { query: parseQuery, expression: parseExpression, warm });
