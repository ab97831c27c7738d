/** Signed notes, verifier keys, Ed25519 and cosignatures, with the vectors that others publish. */
import { sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ed25519Verifies } from '#verifier/ed25519.ts';
import { CannotVerify, Unverified } from '#verifier/error.ts';
import { parseNote, signatureLine, verifierKey, verifyNote, vkeyOf } from '#verifier/note.ts';
import { cosigned, flipped, isRefused, logKey, signed, vkey } from './reference.ts';

// C2SP signed-note, "Verifier keys", example.
const exampleKey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const exampleText = 'This is an example message.\n';
const example = `${exampleText}\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n`;

const key = logKey('example.com/log');
const keys = [verifierKey(vkey(key))];
const text = 'one\n\ntwo\n';
const note = `${text}\n${signed(key, text)}`;

describe('refused, as a note', () => {
	const cases: [string, string][] = [
		['nothing', ''],
		['a text without signatures', 'text\n'],
		['an empty list of signatures', 'text\n\n'],
		['a text that does not end in a newline before the empty line', `one\n${signed(key, 'one\n')}`],
		['no newline at the end', note.slice(0, -1)],
		['something after the signatures', `${note}\n`],
		['another dash', note.replace('—', '-')],
		['two spaces', note.replace('— ', '—  ')],
		['no name', note.replace(`— ${key.name} `, '—  ')],
		['a plus in a name', `${note}— a+b AAAAAAA=\n`],
		['a Unicode space in a name', `${note}— a\u2003b AAAAAAA=\n`],
		['base64 without padding', note.replaceAll('=', '')],
		['base64 with stray bits', note.replace(/.==?\n$/, (end) => `${end.startsWith('A') ? 'B' : 'h'}${end.slice(1)}`)],
		['base64 of the other alphabet', `${note}— b ${'-_'.repeat(4)}\n`],
		['a space after the signature', note.replace(/\n$/, ' \n')],
		['a signature of four bytes', `${note}— b AAAAAA==\n`],
		['a tab', note.replace('one', 'o\tne')],
		['a carriage return', note.replaceAll('\n', '\r\n')],
		['a zero byte', note.replace('one', 'o\0ne')],
		['half of a surrogate pair', note.replace('one', 'o\ud800ne')],
		['a byte order mark', `\ufeff${note}`],
		['65 signatures', text + `\n${signed(key, text).repeat(65)}`],
		['more bytes than a note has', `${'x'.repeat(300_000)}\n\n${signed(key, text)}`],
	];
	it.each(cases)('is %s', (_, wrong) => {
		expect(() => verifyNote(wrong, keys)).toThrow(Unverified);
	});

	it('are bytes that are not UTF-8', () => {
		for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]) {
			expect(() => parseNote(Buffer.concat([Buffer.from(bytes), Buffer.from(note)]))).toThrow(/UTF-8/);
		}
	});

	it('is one with any byte flipped', () => {
		const bytes = Buffer.from(note);
		for (let at = 0; at < bytes.length; at++) {
			for (const bits of [1, 0x20, 0x80]) {
				if (!isRefused(() => verifyNote(flipped(bytes, at, bits), keys))) expect.fail(`byte ${at} ^ ${bits}`);
			}
		}
	});

	it('is one that no known key signed: name and id must both be those of the key', () => {
		const [known] = keys;
		const other = logKey('example.com/other');
		const line = (name: string, id: number) => signatureLine(name, id, sign(null, Buffer.from(text), key.privateKey));
		const id = known?.id ?? 0;
		expect(() => verifyNote(`${text}\n${signed(other, text)}`, keys)).toThrow(/no key that was given/);
		expect(() => verifyNote(`${text}\n${line('example.com/other', id)}`, keys)).toThrow(/no key that was given/);
		expect(() => verifyNote(`${text}\n${line(key.name, (id + 1) % 2 ** 32)}`, keys)).toThrow(/no key that was given/);
		expect(() => verifyNote(note, [])).toThrow(/no key that was given/);
		expect(verifyNote(`${text}\n${line(key.name, id)}`, keys).text).toBe(text);
	});

	it('is one with a wrong signature of a known key, although a right one stands beside it', () => {
		const wrong = signed({ ...logKey(), name: key.name, publicKey: key.publicKey }, text);
		expect(() => verifyNote(`${text}\n${signed(key, text)}${wrong}`, keys)).toThrow(/is wrong/);
		expect(() => verifyNote(`${text}\n${wrong}${signed(key, text)}`, keys)).toThrow(/is wrong/);
	});
});

describe('a note', () => {
	it('is the example of the specification', () => {
		expect(verifyNote(example, [verifierKey(exampleKey)]).text).toBe(exampleText);
		expect(() => verifyNote(example.replace('an example', 'the example'), [verifierKey(exampleKey)])).toThrow(
			Unverified,
		);
	});

	it('is split at its last empty line, and read as text or as bytes', () => {
		expect(verifyNote(note, keys).text).toBe(text);
		expect(verifyNote(Buffer.from(note), keys).text).toBe(text);
	});

	it('may carry signatures of others, and a known one twice', () => {
		const more = `${signed(logKey('b'), text)}— c ${Buffer.alloc(5000).toString('base64')}\n${signed(key, text)}`;
		const { signedBy } = verifyNote(note + more, keys);
		expect(signedBy.map((s) => s.key.name)).toEqual([key.name]);
	});

	it('carries at least 16 signatures', () => {
		const others = Array.from({ length: 15 }, (_, i) => signed(logKey(`other${i}`), text)).join('');
		expect(verifyNote(note + others, keys).signedBy).toHaveLength(1);
	});
});

describe('refused, as a verifier key', () => {
	const [name = '', id = '', encoded = ''] = vkey(key).split(/\+(?=[0-9a-f]{8}\+)|(?<=\+[0-9a-f]{8})\+/);
	it.each([
		'',
		name,
		`${name}+${id}`,
		`${name}+${id}+`,
		`+${id}+${encoded}`,
		`${name}+${id}+${encoded}=`,
		`${name}+${id}+${encoded}\n`,
		` ${name}+${id}+${encoded}`,
		`a b+${id}+${encoded}`,
		`${name}+${id.slice(1)}+${encoded}`,
		`${name}+00000000+${encoded}`,
		`${name}x+${id}+${encoded}`,
		`${name}+${id}+${encoded.slice(0, -4)}`,
	])('is %j', (wrong) => {
		expect(() => verifierKey(wrong)).toThrow(Unverified);
	});

	// Points of order 1, 2, 4 and 8 with both signs, y not below 2^255 - 19, and a y that no point has.
	it.each([
		'01'.padEnd(64, '0'),
		`${'01'.padEnd(62, '0')}80`,
		`ec${'ff'.repeat(30)}7f`,
		`ec${'ff'.repeat(31)}`,
		'00'.repeat(32),
		`${'00'.repeat(31)}80`,
		'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
		'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
		'26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
		'26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
		`ed${'ff'.repeat(30)}7f`,
		`ee${'ff'.repeat(31)}`,
		'ff'.repeat(32),
		'02'.padEnd(64, '0'),
	])('is the Ed25519 key %s', (hex) => {
		expect(() => vkeyOf('a', Buffer.from(hex, 'hex'))).toThrow(/Ed25519/);
		expect(() => ed25519Verifies(Buffer.from(hex, 'hex'), Buffer.alloc(1), Buffer.alloc(64))).toThrow(Unverified);
	});

	it('is none of a type that is not read here, but cannot be verified', () => {
		const other = vkey(key, 6);
		expect(() => verifierKey(other)).toThrow(CannotVerify);
	});

	it('is nothing that was written here', () => {
		expect(vkeyOf(key.name, key.publicKey)).toBe(vkey(key));
		expect(vkeyOf(key.name, key.publicKey, 4)).toBe(vkey(key, 4));
	});
});

describe('Ed25519', () => {
	// RFC 8032 section 7.1, tests 1 to 3 and SHA(abc): key, message, signature.
	const vectors = [
		[
			'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
			'',
			'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
		],
		[
			'3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
			'72',
			'92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
		],
		[
			'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
			'af82',
			'6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
		],
		[
			'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
			'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
			'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
		],
	] as const;
	const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
	const parts = vectors.map((v) => v.map((hex) => Buffer.from(hex, 'hex')) as [Buffer, Buffer, Buffer]);

	it('refuses what RFC 8032 signed, made into another signature of the same', () => {
		for (const [publicKey, message, signature] of parts) {
			const s = BigInt(`0x${Buffer.from(signature.subarray(32).toReversed()).toString('hex')}`);
			for (const other of [s + ORDER, s + 2n * ORDER, (ORDER - s) % ORDER, s + 2n ** 255n]) {
				const bytes = Buffer.from(other.toString(16).padStart(64, '0'), 'hex').toReversed();
				const malleable = Buffer.concat([signature.subarray(0, 32), bytes]);
				expect(ed25519Verifies(publicKey, message, malleable)).toBe(false);
			}
			const zero = Buffer.alloc(32);
			for (const r of [zero, Buffer.from('01'.padEnd(64, '0'), 'hex'), Buffer.alloc(32, 0xff)]) {
				expect(ed25519Verifies(publicKey, message, Buffer.concat([r, zero]))).toBe(false);
			}
		}
	});

	it('refuses every signature with a byte flipped, and every other length', () => {
		for (const [publicKey, message, signature] of parts) {
			for (let at = 0; at < 64; at++) {
				const wrong = flipped(signature, at, 1 << (at % 8));
				expect(ed25519Verifies(publicKey, message, wrong)).toBe(false);
			}
			for (const wrong of [signature.subarray(0, 63), Buffer.concat([signature, Buffer.alloc(1)]), Buffer.alloc(0)]) {
				expect(ed25519Verifies(publicKey, message, wrong)).toBe(false);
			}
			expect(ed25519Verifies(publicKey, Buffer.concat([message, Buffer.alloc(1)]), signature)).toBe(false);
		}
	});

	it('verifies what RFC 8032 signed', () => {
		for (const [publicKey, message, signature] of parts) {
			expect(ed25519Verifies(publicKey, message, signature)).toBe(true);
		}
	});
});

describe('a cosignature', () => {
	const witness = logKey('witness.example/w1');
	const witnessKeys = [verifierKey(vkey(witness, 4))];

	it('is refused with another time, text or type', () => {
		const right = `${text}\n${cosigned(witness, text, 1679315147)}`;
		const bytes = Buffer.from(right);
		for (let at = 0; at < bytes.length; at++) {
			if (!isRefused(() => verifyNote(flipped(bytes, at), witnessKeys))) expect.fail(`byte ${at}`);
		}
		const [plain] = [verifierKey(vkey(witness))];
		expect(() => verifyNote(right, [plain])).toThrow(/no key that was given/);
		expect(() => verifyNote(`${text}\n${cosigned(witness, text, 2 ** 53)}`, witnessKeys)).toThrow(/time/);
	});

	it('tells its time, the later one of two', () => {
		const both = `${text}\n${cosigned(witness, text, 9)}${cosigned(witness, text, 1679315147)}${cosigned(witness, text, 8)}`;
		expect(verifyNote(both, witnessKeys).signedBy.map((s) => s.time)).toEqual([1679315147]);
	});
});
