/** `npm run -s token -- <person>`: an access token from the local issuer, alone on stdout. */
import { PERSON_GRANT } from './issuer.ts';
import { people } from './people.ts';

const [person, issuer = process.env['FAIRLEAD_ISSUER'] ?? 'http://127.0.0.1:8789'] = process.argv.slice(2);
const names = Object.keys(people).join(', ');

async function main(): Promise<void> {
	if (person === undefined) throw new Error(`usage: npm run -s token -- <person> [issuer address]; people: ${names}`);
	const answer = await fetch(`${issuer}/token`, {
		method: 'POST',
		headers: { 'content-type': 'application/x-www-form-urlencoded' },
		body: new URLSearchParams({ grant_type: PERSON_GRANT, person }),
	}).catch(() => {
		throw new Error(`no issuer answers at ${issuer}; start one with npm start`);
	});
	const body = (await answer.json()) as { access_token?: string; error_description?: string };
	if (body.access_token === undefined) throw new Error(`${body.error_description ?? 'no token'}; people: ${names}`);
	process.stdout.write(`${body.access_token}\n`);
}

try {
	await main();
} catch (error) {
	process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
	process.exitCode = 1;
}
