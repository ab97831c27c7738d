/**
 * Checks checkpoints and proofs by @sigstore/verify: a line for each case, by tabs: its id, `verifies`, `refuses` or
 * `skip`, and why. Ends with 1 where a verdict is not the expected one.
 *
 * Its public entry takes a Sigstore bundle, whose certificates and signatures a ledger has none of; what is asked here is
 * the part of it that checks a log entry, by its path in the package, which is why that is pinned. It has no entry point
 * for a whole log, nor for two checkpoints. Usage: sigstore.ts FOLDER PACKAGES
 */
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { type ToldCase, type ToldProof, textOf } from './told.ts';

type Sigstore = {
	verifyTLogInclusion(
		entry: {
			canonicalizedBody: Buffer;
			inclusionProof: { logIndex: string; hashes: Buffer[]; checkpoint: { envelope: string } };
		},
		logs: readonly { logID: Buffer; baseURL: string; publicKey: ReturnType<typeof createPublicKey> }[],
	): void;
};

const [folder = '', packages = ''] = process.argv.slice(2);
const read = (...names: string[]): string => readFileSync(path.join(folder, ...names), 'utf8');
const sigstore = createRequire(path.resolve(packages, 'x.js'))(
	path.resolve(packages, 'node_modules/@sigstore/verify/dist/tlog/index.js'),
) as Sigstore;

const [name = '', id = '', ...encoded] = read('vkey').trim().split('+');
const der = Buffer.concat([
	Buffer.from('302a300506032b6570032100', 'hex'),
	Buffer.from(encoded.join('+'), 'base64').subarray(1),
]);
const log = {
	logID: Buffer.from(id, 'hex'),
	baseURL: `https://${name}`,
	publicKey: createPublicKey({ key: der, format: 'der', type: 'spki' }),
};

/** A C2SP tlog-proof, read by nothing of ours. */
function verify({ text, entry }: ToldProof): void {
	const [head = '', ...rest] = text.split('\n\n');
	const [, index = '', ...hashes] = head.split('\n');
	sigstore.verifyTLogInclusion(
		{
			canonicalizedBody: Buffer.from(entry, 'base64'),
			inclusionProof: {
				logIndex: index.replace('index ', ''),
				hashes: hashes.map((hash) => Buffer.from(hash, 'base64')),
				checkpoint: { envelope: rest.join('\n\n') },
			},
		},
		[log],
	);
}

function judge(proofs: readonly ToldProof[], of: string): readonly [string, string] {
	if (proofs.length === 0) return ['skip', of];
	try {
		for (const proof of proofs) verify(proof);
		return ['verifies', ''];
	} catch (cause) {
		return ['refuses', textOf(cause)];
	}
}

for (const one of JSON.parse(read('cases.json')) as ToldCase[]) {
	const nothing = one.log
		? 'no entry is in it, and it has no entry point for a checkpoint alone'
		: 'it has no check of consistency';
	const [verdict, why] = judge(JSON.parse(read(one.id, 'proofs.json')) as ToldProof[], nothing);
	process.stdout.write(`${one.id}\t${verdict}\t${why}\n`);
	if (verdict !== (one.expected.sigstore === 'blind' ? 'verifies' : one.expected.sigstore)) process.exitCode = 1;
}
