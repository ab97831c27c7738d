/** Another process of the same deployment: an app of its own on the same store, with a clock of its own. */
import path from 'node:path';
import type { Platform } from '#core/context.ts';
import { makeAuthenticate } from '#core/identity.ts';
import { makeApp } from '#functions/app.ts';
import { makeLog } from '#functions/log.ts';
import { AUDIENCE, type Bank } from '#local/bank.ts';

export type Request = {
	readonly token: string;
	readonly method?: string;
	readonly body?: string;
	readonly headers?: Readonly<Record<string, string>>;
};

export function anotherInstance(bank: Bank, callsPerMinute: number, more: Partial<Platform> = {}) {
	const { issuer, jwksUri } = bank.issuer;
	const app = makeApp({
		platform: { ...bank.platform, ...more },
		authenticate: makeAuthenticate({
			issuer,
			audience: AUDIENCE,
			jwksUri,
			algorithms: ['ES256'],
			tokenType: 'at+jwt',
			maxTokenAgeSeconds: 3600,
		}),
		site: {
			url: bank.api,
			version: 'test',
			issuer,
			callsPerMinute,
			sealedWaitMs: 0,
			startsAhead: false,
			docs: bank.dataDir,
			log: makeLog('test', path.join(bank.dataDir, 'another.log')),
		},
	});
	return async (at: string, { token, method = 'GET', body, headers = {} }: Request) => {
		const answer = await app.request(`/api/v1${at}`, {
			method,
			headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
			...(body === undefined ? {} : { body }),
		});
		const text = await answer.text();
		return { status: answer.status, headers: answer.headers, text, code: codeOf(answer, text) };
	};
}

function codeOf(answer: Response, text: string): string | null {
	return answer.ok ? null : (JSON.parse(text) as { code: string }).code;
}
