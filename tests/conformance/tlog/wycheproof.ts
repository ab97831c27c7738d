/**
 * Project Wycheproof's vectors for Ed25519, each asked of our verifier: it must take what is valid and refuse the rest, be it
 * by its answer or because nobody can have such a key. The file is the first argument.
 */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { ed25519Verifies } from '#verifier/ed25519.ts';
import { Unverified } from '#verifier/error.ts';

const Vectors = z.object({
	algorithm: z.literal('EDDSA'),
	numberOfTests: z.int(),
	testGroups: z.array(
		z.object({
			publicKey: z.object({ curve: z.literal('edwards25519'), pk: z.string() }),
			tests: z.array(
				z.object({
					tcId: z.int(),
					comment: z.string(),
					flags: z.array(z.string()),
					msg: z.string(),
					sig: z.string(),
					result: z.enum(['valid', 'invalid']),
				}),
			),
		}),
	),
});

/** So many there are at least: a file with fewer is not the one that is meant. */
const LEAST = 100;

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));

function verdict(key: string, message: string, signature: string): 'valid' | 'invalid' {
	try {
		return ed25519Verifies(bytes(key), bytes(message), bytes(signature)) ? 'valid' : 'invalid';
	} catch (error) {
		if (error instanceof Unverified) return 'invalid';
		throw error;
	}
}

const { numberOfTests, testGroups } = Vectors.parse(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')));
const asked = testGroups.flatMap(({ publicKey, tests }) => tests.map((test) => ({ ...test, key: publicKey.pk })));
const wrong = asked.filter(({ key, msg, sig, result }) => verdict(key, msg, sig) !== result);
for (const { tcId, comment, flags, result } of wrong) {
	console.error(`vector ${tcId} (${flags.join(', ')}) ${comment}: it is ${result}, and our verifier says otherwise`);
}
const valid = asked.filter(({ result }) => result === 'valid').length;
console.log(`Wycheproof: ${asked.length} vectors, ${valid} of them valid; ${wrong.length} not as expected`);
if (wrong.length > 0 || asked.length !== numberOfTests || asked.length < LEAST || valid === 0) process.exitCode = 1;
