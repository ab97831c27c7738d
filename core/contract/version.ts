/** Contract versions: the order and the parts of Semantic Versioning 2.0.0 (https://semver.org/#spec-item-11). */

export const bumps = ['none', 'patch', 'minor', 'major'] as const;
export type Bump = (typeof bumps)[number];

type Version = { readonly numbers: readonly number[]; readonly pre: readonly string[] };

function read(version: string): Version {
	const [core = '', pre = ''] = (version.split('+')[0] ?? '').split(/-(.*)/s);
	return { numbers: core.split('.').map(Number), pre: pre === '' ? [] : pre.split('.') };
}

/** `a` comes after `b`. Build metadata has no say. */
export function isHigher(a: string, b: string): boolean {
	const [x, y] = [read(a), read(b)];
	const differs = [0, 1, 2].find((i) => x.numbers[i] !== y.numbers[i]);
	if (differs !== undefined) return (x.numbers[differs] ?? 0) > (y.numbers[differs] ?? 0);
	if (x.pre.length === 0 || y.pre.length === 0) return y.pre.length > 0 && x.pre.length === 0;
	return isLater(x.pre, y.pre);
}

function isLater(a: readonly string[], b: readonly string[]): boolean {
	const i = a.findIndex((part, at) => part !== b[at]);
	const [x, y] = [a[i], b[i]];
	if (i === -1 || x === undefined || y === undefined) return a.length > b.length;
	const [m, n] = [x, y].map((part) => (/^\d+$/.test(part) ? Number(part) : null));
	if (m != null && n != null) return m > n;
	if (m != null || n != null) return n != null;
	return x > y;
}

/** The highest part in which `to` is above `from`; `none` where it is not above it at all. */
export function bumpOf(from: string, to: string): Bump {
	if (!isHigher(to, from)) return 'none';
	const [x, y] = [read(from).numbers, read(to).numbers];
	return (['major', 'minor'] as const).find((_, i) => x[i] !== y[i]) ?? 'patch';
}
