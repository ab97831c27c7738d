/** An access token for one of the sample people, asked of a local issuer that is running. */

import { PERSON_GRANT } from './issuer.ts';
import { people } from './people.ts';

export const LOCAL_ISSUER = 'http://127.0.0.1:8789';

export async function askToken(person: string, issuer: string = LOCAL_ISSUER): Promise<string> {
	const answer = await fetch(`${issuer}/token`, {
		method: 'POST',
		headers: { 'content-type': 'application/x-www-form-urlencoded' },
		body: new URLSearchParams({ grant_type: PERSON_GRANT, person }),
	}).catch(() => {
		throw new Error(`no issuer answers at ${issuer}; start one with npm start`);
	});
	const body = (await answer.json()) as { access_token?: string; error_description?: string };
	if (body.access_token !== undefined) return body.access_token;
	throw new Error(`${body.error_description ?? 'no token'}; people: ${Object.keys(people).join(', ')}`);
}
