/** The story's HTTP client: one call, its answer, and the curl line that repeats it. */
import type { Bank } from '#local/bank.ts';
import type { Handle } from '#local/people.ts';

export type Answer = {
	readonly status: number;
	readonly headers: Headers;
	/** Parsed JSON where the answer is JSON, else the text. */
	readonly body: unknown;
	readonly curl: string;
};

export type Call = {
	readonly who: Handle;
	readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH';
	readonly path: string;
	/** A string is sent as YAML, anything else as JSON. */
	readonly body?: unknown;
	readonly headers?: Readonly<Record<string, string>>;
};

export async function call(
	bank: Pick<Bank, 'api' | 'issuer'>,
	{ who, method = 'GET', path, body, headers }: Call,
): Promise<Answer> {
	const yaml = typeof body === 'string';
	const content = body === undefined ? {} : { 'content-type': yaml ? 'application/yaml' : 'application/json' };
	const text = body === undefined ? undefined : yaml ? body : JSON.stringify(body);
	const sent = { ...content, ...headers };
	const answer = await fetch(`${bank.api}${path}`, {
		method,
		headers: { authorization: `Bearer ${await bank.issuer.token(who)}`, ...sent },
		...(text === undefined ? {} : { body: text }),
	});
	const received = await answer.text();
	const isJson = /json/.test(answer.headers.get('content-type') ?? '');
	return {
		status: answer.status,
		headers: answer.headers,
		body: isJson ? JSON.parse(received) : received,
		curl: curlOf(bank.api, { who, method, path }, sent, text),
	};
}

function curlOf(
	api: string,
	{ who, method, path }: Required<Pick<Call, 'who' | 'method' | 'path'>>,
	headers: Readonly<Record<string, string>>,
	text: string | undefined,
): string {
	const quote = (value: string) => `'${value.replaceAll("'", `'\\''`)}'`;
	const parts = ['curl', '-s', ...(method === 'GET' ? [] : ['-X', method]), quote(`${api}${path}`)];
	parts.push('-H', `"authorization: Bearer $(npm run -s token -- ${who})"`);
	for (const [name, value] of Object.entries(headers)) parts.push('-H', quote(`${name}: ${value}`));
	if (text !== undefined) parts.push('--data-binary', quote(text));
	return parts.join(' ');
}
