/** Serves a bank from its settings, given as JSON in the environment, until it is killed; says where. */
import { startInstance } from './instance.ts';

const { api } = await startInstance(JSON.parse(process.env['BANK_SETTINGS'] ?? '') as Record<string, string>);
process.stdout.write(`${api}\n`);
