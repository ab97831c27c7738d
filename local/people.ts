/**
 * The sample people: who can get a token from the local issuer. Subjects are opaque, as a real issuer's are;
 * what each person may do stands in the domain registry alone.
 */

export const people = {
	/** Consumer in the risk domain. */
	alice: { subject: 'u-7f3a91c4', name: 'Alice Novak' },
	/** Another consumer in the risk domain. */
	carl: { subject: 'u-c3917e5b', name: 'Carl Bergman' },
	/** A program that works for alice in the risk domain: its nights are hers. */
	robot: { subject: 'u-3e8a70bd', name: 'Nightly risk run' },
	/** Consumer in the marketing domain. */
	mia: { subject: 'u-2c85e0d7', name: 'Mia Keller' },
	/** Owner of the lending domain. */
	olga: { subject: 'u-b41d6f28', name: 'Olga Svobodova' },
	/** Olga's account as a consumer in the risk domain: another identity, the same person. */
	olgaAsConsumer: { subject: 'u-d2764f1e', name: 'Olga Svobodova (risk)' },
	/** Owner of the payments and customers domains. */
	peter: { subject: 'u-90ee3a5b', name: 'Peter Horvath' },
	/** The other owner of the customers domain. */
	petra: { subject: 'u-6bc05d93', name: 'Petra Kovacova' },
	/** Privacy officer of the customers domain, which holds the personal data, of the payments domain and of the mesh. */
	paula: { subject: 'u-47d2b06e', name: 'Paula Ferreira' },
	/** Risk officer of the risk domain, and a consumer there: in an emergency she need not wait for approvers. */
	ruth: { subject: 'u-a85f12c9', name: 'Ruth Okafor' },
	/** Regulator. */
	rita: { subject: 'u-5d17c8f2', name: 'Rita Lindqvist' },
	/** Steward of the federated governance. */
	stella: { subject: 'u-e6a20b93', name: 'Stella Moreau' },
	/** Operator of the mesh. */
	oscar: { subject: 'u-0b6ed834', name: 'Oscar Lind' },
	/** Known to the issuer, registered nowhere: no rights at all. */
	nick: { subject: 'u-18fb47da', name: 'Nick Andersen' },
} as const satisfies Record<string, Person>;

export type Person = { readonly subject: string; readonly name: string };
export type Handle = keyof typeof people;

export function isHandle(text: string): text is Handle {
	return Object.hasOwn(people, text);
}
