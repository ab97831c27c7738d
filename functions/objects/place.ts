/** Where the files of the log lie, and which of them come and go. */
import { fileURLToPath } from 'node:url';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import type { Objects } from '#core/context.ts';

export type Reading = Pick<Objects, 'get'>;
export type Bucket = { readonly bucket: string; readonly prefix: string };
export type Place =
	| { readonly folder: string }
	| { readonly fixed: Bucket; readonly moving: Bucket; readonly client: S3ClientConfig };

/** Where that is. Throws, saying what is wrong with it. */
export function placeOf(addresses: string, client: S3ClientConfig): Place {
	const urls = addresses.trim().split(/\s+/).map(urlOf);
	const [first, second = first, ...more] = urls;
	if (first === undefined || second === undefined || more.length > 0) throw new Error('must be one address, or two');
	if (first.protocol === 'file:' && urls.length === 1 && first.host === '') return { folder: fileURLToPath(first) };
	return { fixed: bucketOf(first), moving: bucketOf(second), client };
}

function urlOf(address: string): URL {
	const url = URL.canParse(address) ? new URL(address) : null;
	if (url === null || url.search !== '' || url.hash !== '')
		throw new Error('must be file:///folder or s3://bucket/prefix');
	return url;
}

function bucketOf({ protocol, host, pathname }: URL): Bucket {
	const prefix = pathname.replace(/^\//, '').replace(/\/$/, '');
	const known = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(host) && /^([\w.-]+(\/[\w.-]+)*)?$/.test(prefix);
	if (protocol !== 's3:' || !known) throw new Error('must be file:///folder or s3://bucket/prefix');
	return { bucket: host, prefix: prefix === '' ? '' : `${prefix}/` };
}

/** What comes and goes. All else is written once and stays. */
export const isMoving = (key: string) => key === 'checkpoint' || key.startsWith('staging/') || key.includes('.p/');

/**
 * What may be taken away: what is staged, and the folder of the partial ones of a tile or bundle. Of that, the full one is
 * named, which must be there; null for what is staged.
 */
export function removable(key: string): { readonly full: string } | null {
	if (key.startsWith('staging/')) return null;
	if (!/^tile\/[a-z0-9]+\/(x[0-9]{3}\/)*[0-9]{3}\.p$/.test(key)) {
		throw new Error('only what is staged is taken away, and partial tiles');
	}
	return { full: key.slice(0, -'.p'.length) };
}

export const notFull = () => new Error('partial tiles stay until the full one is there');
