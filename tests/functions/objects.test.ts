/** The log's files in a folder, the key in a file, and what the settings of both may say. */
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import {
	existsSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { placeOf, readObjects, writeObjects } from '#functions/objects.ts';
import { signerOf } from '#functions/signer.ts';
import { storesObjects } from './objects.ts';

const home = mkdtempSync(path.join(tmpdir(), 'fairlead-objects-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

let count = 0;
function newFolder() {
	count += 1;
	const folder = path.join(home, String(count), 'log');
	return { folder, place: placeOf(pathToFileURL(folder).href, {}) };
}
const bytes = (text: string) => new TextEncoder().encode(text);

storesObjects('a folder', async () => {
	const { place } = newFolder();
	return () => writeObjects(place);
});

describe('a folder', () => {
	it.each(['../x', 'tile/../../x', '/etc/passwd', 'tile//0', '', '.', 'a\\b', 'tile/\0', '.checkpoint/000000000001'])(
		'is not left by the key %j',
		async (key) => {
			const { place, folder } = newFolder();
			const store = writeObjects(place);
			await expect(store.get(key)).rejects.toThrow(/not the key/);
			await expect(store.create(key, bytes('x'))).rejects.toThrow(/not the key/);
			await expect(store.remove(`staging/${key}`)).rejects.toThrow(/not the key/);
			expect(existsSync(path.join(folder, '..', 'x'))).toBe(false);
		},
	);

	it('has files that nobody writes again, and leaves nothing else behind', async () => {
		const { place, folder } = newFolder();
		const store = writeObjects(place);
		await store.create('tile/0/000', bytes('a'));
		await store.replace('checkpoint', bytes('1'), null);
		await expect(store.create('tile/0/000', bytes('b'))).rejects.toThrow();
		for (const file of ['tile/0/000', 'checkpoint']) expect(statSync(path.join(folder, file)).mode & 0o222).toBe(0);
		const left = readdirSync(folder, { recursive: true, encoding: 'utf8' });
		expect(left.filter((name) => name.endsWith('.tmp'))).toEqual([]);
	});

	it('shows the last checkpoint as a file, also after a crash before it was copied', async () => {
		const { place, folder } = newFolder();
		const store = writeObjects(place);
		await store.replace('checkpoint', bytes('1'), null);
		for (let i = 1; i < 80; i++) expect(await store.replace('checkpoint', bytes(`${i + 1}`), bytes(`${i}`))).toBe(true);
		const shown = () => readFileSync(path.join(folder, 'checkpoint'), 'utf8');
		expect([shown(), readdirSync(path.join(folder, '.checkpoint')).length]).toEqual(['80', 65]);
		writeFileSync(path.join(folder, '.checkpoint', '000000000081'), '81');
		expect(new TextDecoder().decode((await readObjects(place).get('checkpoint')) ?? bytes(''))).toBe('81');
		await writeObjects(place).get('tile/0/000');
		expect(shown()).toBe('81');
	});

	it('that was copied from elsewhere is read without its turns', async () => {
		const { place, folder } = newFolder();
		await writeObjects(place).replace('checkpoint', bytes('1'), null);
		rmSync(path.join(folder, '.checkpoint'), { recursive: true });
		expect(await readObjects(place).get('checkpoint')).toEqual(bytes('1'));
		expect(await writeObjects(place).replace('checkpoint', bytes('2'), bytes('1'))).toBe(true);
		expect(await readObjects(place).get('checkpoint')).toEqual(bytes('2'));
	});

	it('that cannot be read says so, which is another thing than nothing', async () => {
		const { place, folder } = newFolder();
		await writeObjects(place).create('tile/0/000', bytes('a'));
		symlinkSync('tile', path.join(folder, 'loop'));
		rmSync(path.join(folder, 'tile/0/000'), { force: true });
		symlinkSync('000', path.join(folder, 'tile/0/000'));
		await expect(readObjects(place).get('tile/0/000')).rejects.toMatchObject({ code: 'unavailable' });
	});
});

describe('whoever only reads', () => {
	it('writes nothing and takes nothing away', async () => {
		const { place, folder } = newFolder();
		const store = readObjects(place);
		await expect(store.create('tile/0/000', bytes('a'))).rejects.toThrow();
		await expect(store.replace('checkpoint', bytes('a'), null)).rejects.toThrow();
		await expect(store.remove('staging/1-ab')).rejects.toThrow();
		expect(existsSync(folder)).toBe(false);
	});
});

describe('the address of a store', () => {
	it.each([
		'',
		'/var/log',
		'file://host/folder',
		'file:///a file:///b',
		'https://bucket/prefix',
		's3://',
		's3://Bucket/prefix',
		's3://bucket/a?b',
		's3://bucket/a%20b',
		's3://a-bucket s3://b-bucket s3://c-bucket',
		's3://a-bucket file:///b',
	])('is refused: %j', (address) => {
		expect(() => placeOf(address, {})).toThrow();
	});

	it('may name one bucket, or another for what comes and goes', () => {
		const one = { bucket: 'a-bucket', prefix: '' };
		expect(placeOf('s3://a-bucket', {})).toEqual({ fixed: one, moving: one, client: {} });
		expect(placeOf('s3://a-bucket/x/y/ s3://b-bucket/z', {})).toEqual({
			fixed: { bucket: 'a-bucket', prefix: 'x/y/' },
			moving: { bucket: 'b-bucket', prefix: 'z/' },
			client: {},
		});
	});
});

describe('a key in a file', () => {
	const keyFile = (pem: string) => {
		const file = path.join(home, `${(count += 1)}.pem`);
		writeFileSync(file, pem, { mode: 0o600 });
		return pathToFileURL(file).href;
	};

	it('signs what it is given', async () => {
		const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
			privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
			publicKeyEncoding: { type: 'spki', format: 'pem' },
		});
		const signer = signerOf(keyFile(privateKey), 'the-vkey', {});
		const signature = await signer.sign(bytes('a message'));
		expect([signer.vkey, signature.length]).toEqual(['the-vkey', 64]);
		expect(verify(null, bytes('a message'), createPublicKey(publicKey), signature)).toBe(true);
	});

	it('of another kind signs nothing', async () => {
		const { privateKey } = generateKeyPairSync('ec', {
			namedCurve: 'P-256',
			privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
			publicKeyEncoding: { type: 'spki', format: 'pem' },
		});
		await expect(signerOf(keyFile(privateKey), 'v', {}).sign(bytes('x'))).rejects.toThrow(/no Ed25519 key/);
		await expect(signerOf('file:///nosuch.pem', 'v', {}).sign(bytes('x'))).rejects.toThrow();
	});

	it.each(['', 'key.pem', 'https://x/key.pem', 'arn:aws:s3:::bucket', 'arn:aws:kms:eu-central-1:1:key/x'])(
		'is not at %j',
		(address) => {
			expect(() => signerOf(address, 'v', {})).toThrow();
		},
	);
});
