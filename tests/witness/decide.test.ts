/** What a witness says, by C2SP tlog-witness: each refusal before what it lets through. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cosigned, flipped, logKey, signed, signedCheckpoint, vkey } from '#tests/verifier/reference.ts';
import { Unverified } from '#verifier/error.ts';
import { EMPTY_ROOT } from '#verifier/merkle.ts';
import {
	type Asked,
	askedIn,
	decide,
	type Kept,
	logsOf,
	REPEAT_SECONDS,
	seenIn,
	type Verdict,
} from '#witness/decide.ts';
import { logOf, ORIGIN, requestOf } from './arrange.ts';

const key = logKey(ORIGIN);
const log = logOf(key);
const other = logOf(key, 40, 'another');
const logs = logsOf([vkey(key)]);
const NOW = 1_770_000_000;

const kept = (size: number, of = log, time = NOW - 60): Kept => ({ note: of.checkpoint(size), time });

function verdict(request: string | Uint8Array, before: Kept | null = null, now = NOW): Verdict {
	const asked = askedIn(request, logs);
	return 'status' in asked ? asked : decide(asked, before, now);
}
/** Of a checkpoint, by somebody who is not the log. */
function strangers(size: number): string {
	return cosigned(logKey('w'), seenIn(log.checkpoint(size)).text, 4);
}
const statusOf = (...asked: Parameters<typeof verdict>) => verdict(...asked).status;

describe('a request is refused with 400', () => {
	const note = log.checkpoint(5);
	const hash = Buffer.alloc(32, 1).toString('base64');
	const hashes = (count: number) => `${hash}\n`.repeat(count);
	it.each([
		['that is empty', ''],
		['without a checkpoint', 'old 0\n'],
		['without an old size', `\n${note}`],
		['with another word', `older 0\n\n${note}`],
		['with leading zeros', `old 00\n\n${note}`],
		['with a sign', `old -1\n\n${note}`],
		['with a size that is no number', `old 1e3\n\n${note}`],
		['with a size beyond 2^53', `old 9007199254740992\n\n${note}`],
		['with two blanks', `old  0\n\n${note}`],
		['with a carriage return', `old 0\r\n\r\n${note}`],
		['with a short hash', `old 0\n${Buffer.alloc(31).toString('base64')}\n\n${note}`],
		['with stray bits in a hash', `old 0\n${hash.slice(0, -2)}F=\n\n${note}`],
		['with 64 hashes', `old 0\n${hashes(64)}\n${note}`],
		['with a note without signatures', `old 0\n\n${note.slice(0, note.indexOf('—'))}`],
		['with a checkpoint of two lines', `old 0\n\n${signedText(`${ORIGIN}\n5\n`)}`],
		[
			'with a size with leading zeros',
			`old 0\n\n${signedText(note.slice(0, note.indexOf('\n\n') + 1).replace('\n5\n', '\n05\n'))}`,
		],
		['that is longer than anybody needs', `old 0\n\n${note}${'— x eA==\n'.repeat(40_000)}`],
		['that is no UTF-8', Buffer.concat([Buffer.from(`old 0\n\n${note}`), Buffer.from([0xff])])],
		[
			'of a text that KMS cannot sign',
			`old 0\n\n${signedText(`${note.slice(0, note.indexOf('\n\n') + 1)}${'x'.repeat(4096)}\n`)}`,
		],
		['of an old size above that of the checkpoint', requestOf(6, [], note)],
	])('%s', (_, request) => {
		expect(statusOf(request)).toBe(400);
	});
	function signedText(text: string) {
		return `${text}\n${signed(key, text)}`;
	}

	it('but 63 hashes are read', () => {
		expect(statusOf(`old 0\n${hashes(63)}\n${note}`)).toBe(422);
	});
});

describe('a request is refused with', () => {
	it('404 where the log is not known, whoever signed it', () => {
		expect(statusOf(requestOf(0, [], signedCheckpoint(key, 5, log.tree.root(5), 'example.com/other')))).toBe(404);
		expect(statusOf(requestOf(0, [], signedCheckpoint(logKey('b'), 5, log.tree.root(5))))).toBe(404);
	});

	it('403 where no key of the log signed it, or a signature of it is wrong', () => {
		const note = log.checkpoint(5);
		const text = note.slice(0, note.indexOf('\n\n') + 1);
		const stranger = signed(logKey(ORIGIN), text);
		expect(statusOf(requestOf(0, [], `${text}\n${stranger}`))).toBe(403);
		expect(statusOf(requestOf(0, [], note.replace('\n5\n', '\n6\n')))).toBe(403);
		expect(statusOf(requestOf(0, [], `${note}${signed(key, `${text}x\n`)}`))).toBe(403);
		// The log's own key as a witness is another key.
		expect(statusOf(requestOf(0, [], `${text}\n${cosigned(key, text, 5)}`))).toBe(403);
		expect(statusOf(requestOf(0, [], `${note}${stranger}`))).toBe(200);
	});

	it('403 before 400, 409 and 422, as nobody but the log is told of its state', () => {
		const forged = signedCheckpoint(logKey(ORIGIN), 5, log.tree.root(5));
		expect(statusOf(requestOf(6, [], forged))).toBe(403);
		expect(statusOf(requestOf(3, [], forged), kept(4))).toBe(403);
	});

	it('409 and the size, where the old size is another than that cosigned last', () => {
		expect(verdict(log.request(0, 9), kept(5))).toEqual({ status: 409, size: 5 });
		expect(verdict(log.request(4, 9), kept(5))).toEqual({ status: 409, size: 5 });
		expect(verdict(log.request(3, 9))).toEqual({ status: 409, size: 0 });
	});

	it('409 where the checkpoint is older than that cosigned last: never backwards', () => {
		for (const old of [0, 1, 4, 5]) expect(statusOf(log.request(old, 5), kept(9))).toBe(409);
		expect(statusOf(requestOf(9, [], log.checkpoint(5)), kept(9))).toBe(400);
	});

	it('422 where the proof is wrong, missing, too long, or of another tree', () => {
		const before = kept(5);
		const proof = log.proof(5, 9);
		const wrong = [[], proof.slice(1), [...proof, EMPTY_ROOT], proof.toReversed(), proof.map((h) => flipped(h, 3))];
		for (const hashes of wrong) {
			const answer = verdict(requestOf(5, hashes, log.checkpoint(9)), before);
			expect(answer).toMatchObject({ status: 422, notice: { kind: 'inconsistent', kept: before.note } });
		}
		expect(statusOf(other.request(5, 9), before)).toBe(422);
		expect(statusOf(requestOf(5, log.proof(5, 9), other.checkpoint(9)), before)).toBe(422);
	});

	it('422 where there is a proof from nothing, or from a tree to itself', () => {
		expect(statusOf(requestOf(0, [EMPTY_ROOT], log.checkpoint(9)))).toBe(422);
		expect(statusOf(requestOf(9, [EMPTY_ROOT], log.checkpoint(9)), kept(9))).toBe(422);
	});

	it('422 where a tree without entries has a root', () => {
		expect(statusOf(requestOf(0, [], signedCheckpoint(key, 0, log.tree.root(1))))).toBe(422);
		expect(statusOf(requestOf(0, [], signedCheckpoint(key, 0, EMPTY_ROOT)))).toBe(200);
	});

	it('422 and no word of a fork, where anybody sends what the log published with a proof of nothing', () => {
		const before = kept(5);
		for (const size of [6, 9, 40]) {
			const answer = verdict(requestOf(5, [EMPTY_ROOT], log.checkpoint(size)), before);
			expect(answer).toMatchObject({ status: 422, notice: { kind: 'inconsistent' } });
		}
		expect(verdict(requestOf(5, [EMPTY_ROOT], log.checkpoint(5)), before)).toMatchObject({
			status: 422,
			notice: { kind: 'inconsistent' },
		});
	});

	it('422 and both notes where the log signed another tree of that size', () => {
		const before = kept(9);
		const answer = verdict(requestOf(9, [], other.checkpoint(9)), before);
		const notice = { kind: 'forked', note: other.checkpoint(9), kept: before.note };
		expect(answer).toMatchObject({ status: 422, notice });
	});

	it('409 and the same two notes, where that came with another old size', () => {
		expect(verdict(other.request(5, 9), kept(9))).toMatchObject({ status: 409, size: 9, notice: { kind: 'forked' } });
		expect(verdict(other.request(5, 8), kept(9))).toEqual({ status: 409, size: 9 });
	});
});

describe('a checkpoint is cosigned', () => {
	it('where it goes on from the last one, for each pair of sizes, and by no other proof', () => {
		for (let old = 1; old <= 20; old++) {
			for (let size = old; size <= 20; size++) {
				expect(statusOf(log.request(old, size), kept(old))).toBe(200);
				if (size > old) expect(statusOf(other.request(old, size), kept(old))).toBe(422);
			}
		}
	});

	it('the first time whatever its size, and again at the same size', () => {
		expect(verdict(log.request(0, 9))).toMatchObject({ status: 200, next: { note: log.checkpoint(9), time: NOW } });
		expect(verdict(log.request(9, 9), kept(9))).toMatchObject({ status: 200, next: { time: NOW } });
	});

	it('at the time that is kept, where it is sent again at once, whatever else signed it; so there is nothing to keep', () => {
		for (const later of [0, 1, REPEAT_SECONDS - 1]) {
			const before = kept(9);
			expect(verdict(log.request(9, 9), before, before.time + later)).toMatchObject({ status: 200, next: before });
			const answer = verdict(requestOf(9, [], `${log.checkpoint(9)}${strangers(9)}`), before, before.time + later);
			expect(answer.status === 200 && answer.next === before).toBe(true);
		}
	});

	it('at a new time, where it is sent again later, or where it has another text or another size', () => {
		const before = kept(9);
		const { time } = before;
		expect(verdict(log.request(9, 9), before, time + REPEAT_SECONDS)).toMatchObject({
			next: { time: time + REPEAT_SECONDS },
		});
		expect(verdict(log.request(9, 12), before, time)).toMatchObject({ next: { note: log.checkpoint(12), time } });
		const text = `${seenIn(before.note).text}more\n`;
		const note = `${text}\n${signed(key, text)}`;
		expect(verdict(requestOf(9, [], note), before, time + 1)).toMatchObject({ text, next: { note, time: time + 1 } });
	});

	it('never at an earlier time than before', () => {
		expect(verdict(log.request(9, 9), kept(9, log, NOW + 7))).toMatchObject({ next: { time: NOW + 7 } });
	});

	it('and kept with the signatures of its log alone', () => {
		const note = log.checkpoint(9);
		const text = note.slice(0, note.indexOf('\n\n') + 1);
		const more = `${note}${cosigned(logKey('w'), text, 4)}${signed(logKey(ORIGIN), text)}${signed(key, text)}`;
		expect(verdict(requestOf(0, [], more))).toMatchObject({ status: 200, next: { note } });
	});

	it('by any of the keys of its log', () => {
		const second = logKey(ORIGIN);
		const asked = askedIn(
			requestOf(0, [], signedCheckpoint(second, 3, log.tree.root(3))),
			logsOf([vkey(key), vkey(second)]),
		);
		expect(asked).toMatchObject({ size: 3 });
	});
});

it('the key of a witness is not that of a log', () => {
	expect(() => logsOf([vkey(key, 4)])).toThrow(Unverified);
});

it('whatever it is asked, what it cosigns goes on from all that it cosigned', () => {
	const move = fc.record({
		old: fc.integer({ min: 0, max: 12 }),
		size: fc.integer({ min: 0, max: 12 }),
		fork: fc.boolean(),
	});
	fc.assert(
		fc.property(fc.array(move, { maxLength: 30 }), (moves) => {
			let before: Kept | null = null;
			let [last, fork] = [0, null as boolean | null];
			for (const [i, asked] of moves.entries()) {
				const of = asked.fork ? other : log;
				const answer = verdict(of.request(Math.min(asked.old, 12), asked.size), before, NOW + i);
				if (answer.status !== 200) continue;
				// One history alone, from the first tree with an entry on; and never back.
				if (asked.size > 0) fork ??= asked.fork;
				expect([asked.size >= last, asked.size === 0 || fork === asked.fork]).toEqual([true, true]);
				last = asked.size;
				before = answer.next;
			}
		}),
		{ numRuns: 300 },
	);
});

it('any byte changed in a request gets no cosignature for another tree', () => {
	const request = Buffer.from(log.request(5, 9));
	const text = seenIn(log.checkpoint(9)).text;
	for (let at = 0; at < request.length; at++) {
		const asked: Asked | { status: number } = askedIn(flipped(request, at), logs);
		if ('status' in asked) continue;
		const answer = decide(asked, kept(5), NOW);
		if (answer.status === 200) expect(answer.text).toBe(text);
	}
});
