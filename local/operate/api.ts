/** Calls to a mesh that is running, here or anywhere, with one token. */
import { setTimeout as pause } from 'node:timers/promises';
import { askToken, LOCAL_ISSUER } from '../access-token.ts';
import { type Api, textOf, type Values } from './command.ts';

const LOCAL_API = 'http://127.0.0.1:8787';

export const where = {
	usage: `  --url URL      of the mesh (default ${LOCAL_API}, where npm start serves)
  --token TOKEN  access token; better in FAIRLEAD_TOKEN, which no other process sees
  --issuer URL   local issuer to ask for a token where none is given (default ${LOCAL_ISSUER})
  --as PERSON    whose token to ask for there (default oscar, who operates the sample mesh)`,
	options: {
		url: { type: 'string' },
		token: { type: 'string' },
		issuer: { type: 'string' },
		as: { type: 'string' },
	},
} as const;

export async function connect(values: Values, environment: NodeJS.ProcessEnv): Promise<Api> {
	const url = new URL(textOf(values, 'url') ?? LOCAL_API);
	const given = textOf(values, 'token') ?? environment['FAIRLEAD_TOKEN'];
	if (given === undefined && !isHere(url)) throw new Error('Give a token of this mesh: FAIRLEAD_TOKEN, or --token.');
	if (url.protocol !== 'https:' && !isHere(url))
		throw new Error('Give an https address: the token goes with each call.');
	const token = given ?? (await localToken(values, environment));
	return async (method, path, body) => {
		const content = body === undefined ? {} : { 'content-type': 'application/json' };
		const answer = await fetch(new URL(`/api/v1${path}`, url), {
			method,
			headers: { authorization: `Bearer ${token}`, ...content },
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		}).catch(() => {
			throw new Error(`no mesh answers at ${url.origin}; start one with npm start, or give --url`);
		});
		const received: unknown = await answer.json().catch(() => null);
		if (!answer.ok) throw new Error(refusal(answer.status, received));
		// It says when to ask again: whoever is given the answer may do so at once.
		if (answer.status === 202) await pause(waitMs(answer.headers.get('retry-after')));
		return received;
	};
}

const LONGEST_WAIT_S = 60;

/** RFC 9110 section 10.2.3, in seconds, as our API says it. */
function waitMs(retryAfter: string | null): number {
	const seconds = /^\d{1,9}$/.test(retryAfter ?? '') ? Number(retryAfter) : 0;
	return 1000 * Math.min(seconds, LONGEST_WAIT_S);
}

function localToken(values: Values, environment: NodeJS.ProcessEnv): Promise<string> {
	const issuer = textOf(values, 'issuer') ?? environment['FAIRLEAD_ISSUER'];
	return askToken(textOf(values, 'as') ?? 'oscar', issuer);
}

const isHere = ({ hostname }: URL) => ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);

function refusal(status: number, body: unknown): string {
	const { title, detail, traceId } = (body ?? {}) as Record<string, unknown>;
	const of = typeof traceId === 'string' ? ` (trace ${traceId})` : '';
	return `${status} ${typeof title === 'string' ? title : 'no answer of a mesh'}: ${typeof detail === 'string' ? detail : 'is this its address?'}${of}`;
}
