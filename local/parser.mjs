/** The parser's thread from its source: a thread does not have the loader of the process that starts it (Node 20). */
import { register } from 'tsx/esm/api';

register();
await import('../functions/parser.ts');
