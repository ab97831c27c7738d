/**
 * Witnesses of the log over HTTP: `<address>add-checkpoint` (C2SP tlog-witness). The addresses are those of the settings:
 * https, or http on this machine alone; nothing that answers leads anywhere else. Each request has a limit to its time, each
 * answer one to its size.
 */
import type { Witness, Witnesses } from '#core/context.ts';
import { hexOf } from '#verifier/encoding.ts';
import { COSIGNATURE, verifierKey } from '#verifier/note.ts';
import { ADD_CHECKPOINT, MAX_ANSWER_BYTES } from '#verifier/witness.ts';

const TIMEOUT_MS = 5000;
/** With our own signature, a note of at least so many must be read by everybody (C2SP signed-note). */
const MOST = 15;
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Reads the list: address and verifier key in turn, between blanks. Without a `quorum` all of them must cosign: whoever
 * names a witness relies on it, and that fewer are enough is for somebody to decide. With half of them or fewer, two
 * histories can be cosigned by different ones, none of which lies (docs/ledger.md). Throws, saying what is wrong.
 */
export function witnessesOf(list: string, quorum: number | undefined, vkey: string): Witnesses {
	const words = list.split(/\s+/).filter((word) => word !== '');
	if (words.length % 2 !== 0) throw new Error('must be an address and a verifier key for each witness');
	const all = Array.from({ length: words.length / 2 }, (_, i) => witnessOf(words[2 * i] ?? '', words[2 * i + 1] ?? ''));
	if (all.length > MOST) throw new Error(`must be ${MOST} witnesses at most`);
	// By the bytes of the key: one that stands there under two names is one witness, and the log's own is none.
	const keys = new Set([vkey, ...all.map((w) => w.vkey)].map((key) => hexOf(verifierKey(key).publicKey)));
	if (keys.size !== all.length + 1) throw new Error('must be of different keys, none of them that of the log');
	const enough = quorum ?? all.length;
	if (enough > all.length) throw new Error(`has ${all.length} witnesses, which is less than the quorum`);
	return Object.freeze({ all: Object.freeze(all), quorum: enough });
}

function witnessOf(address: string, vkey: string): Witness {
	const url = addressOf(address);
	const key = verifierKey(vkey);
	if (key.algorithm !== COSIGNATURE) throw new Error(`the key of ${key.name} is not that of a witness`);
	return { vkey, ask: (request) => ask(url, request) };
}

function addressOf(address: string): URL {
	const base = URL.canParse(address) ? new URL(address) : null;
	const safe = base?.protocol === 'https:' || (base?.protocol === 'http:' && LOOPBACK.includes(base.hostname));
	if (base === null || !safe) throw new Error('must begin with https://');
	if (base.username !== '' || base.password !== '' || base.search !== '' || base.hash !== '') {
		throw new Error('must have no user, query or fragment');
	}
	if (!base.pathname.endsWith('/')) base.pathname += '/';
	return new URL(ADD_CHECKPOINT, base);
}

async function ask(url: URL, request: string): Promise<{ status: number; body: string }> {
	const response = await fetch(url, {
		method: 'POST',
		body: request,
		headers: { 'content-type': 'text/plain; charset=utf-8' },
		// A redirect is an answer like any other that is not the one that was asked for.
		redirect: 'manual',
		signal: AbortSignal.timeout(TIMEOUT_MS),
	});
	const chunks: Uint8Array[] = [];
	let length = 0;
	for await (const chunk of response.body ?? []) {
		length += chunk.length;
		if (length > MAX_ANSWER_BYTES) throw new Error('The answer of a witness is too long.');
		chunks.push(chunk);
	}
	return { status: response.status, body: Buffer.concat(chunks).toString() };
}
