/** The head of the OpenAPI document; the operations are added by their routes. */
import type { Tag } from './api/operation.ts';

const tags: Record<Tag, string> = {
	Mesh: 'Who you are, why data may be read, and the registry of domains.',
	'Data products': 'What domains publish, each with its contract (ODCS v3.1).',
	Requests: 'Asking for access, and the decisions on it.',
	Grants: 'Access in force and past, and ending it.',
	Queries: 'Reading in place, as far as grants reach.',
	Reports: 'Who read what, why, and by whose leave.',
	Ledger: 'The record behind it all, with the bytes to check.',
	Service: 'Health, version and sign-in; no token needed.',
};

const description = `Access and lineage broker for a bank's data mesh on AWS.

Nothing is guessed. A query parameter that an operation does not name, or one that is given twice, is refused
(422 \`validation\`), as is an unknown member of a body; a body of another media type or coding is refused (415).

Refusals are problems (RFC 9457). Each operation lists its codes by status; \`type\` leads to a page that says what to do.
A thing that you may not see answers like one that does not exist.

Lists give \`nextPageToken\` and a \`Link\` to the next page; a token is good for the same caller and the same query.`;

export const document = {
	openapi: '3.1.0',
	info: {
		title: 'Fairlead',
		version: '0.1.0',
		description,
		license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
	},
	servers: [{ url: '/', description: 'This origin' }],
	security: [{ bearer: [] }],
	tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
};
