/** `npm run -s token -- <person>`: an access token from the local issuer, alone on stdout. */
import { askToken } from './access-token.ts';
import { people } from './people.ts';

const [person, issuer = process.env['FAIRLEAD_ISSUER']] = process.argv.slice(2);

async function main(): Promise<void> {
	if (person === undefined) {
		const names = Object.keys(people).join(', ');
		throw new Error(`usage: npm run -s token -- <person> [issuer address]; people: ${names}`);
	}
	process.stdout.write(`${await askToken(person, issuer)}\n`);
}

try {
	await main();
} catch (error) {
	process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
	process.exitCode = 1;
}
