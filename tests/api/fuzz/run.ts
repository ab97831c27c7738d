/**
 * Sends one case and judges it: never a 5xx, always what the document says (tests/conformance.ts looks at every
 * answer), and taken only if the input is what the document's own schema allows.
 */

import { ScanCommand } from '@aws-sdk/client-dynamodb';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { compiler } from '#tests/conformance/schema.ts';
import type { Document, Operation } from '#tests/document.ts';
import type { TestBank } from '#tests/fixtures.ts';
import type { Fuzzed } from './arrange.ts';

export type Target = { readonly method: string; readonly path: string; readonly operation: Operation };

export type Case = {
	/** Where, and with what, for the report of a failure. */
	readonly label: string;
	/** Percent-encoded already, in place of the valid ones. */
	readonly params?: Readonly<Record<string, string>>;
	readonly search?: string;
	readonly headers?: Readonly<Record<string, string>>;
	/** Bytes as they are sent; undefined leaves the valid body. */
	readonly raw?: string | Uint8Array<ArrayBuffer>;
	/** Whether the document allows it; undefined where it does not say. */
	readonly valid?: boolean;
};

export type Outcome = { readonly status: number; readonly fault: string | null };

/** Everything that a refusal leaves as it was. */
export async function footprint({ bank }: TestBank): Promise<unknown> {
	const { dynamodb } = bank.platform.aws;
	const { ledger, payloads, projections } = bank.platform.config.tables;
	const counts = await Promise.all(
		[ledger, payloads, projections].map(async (TableName) => {
			let count = 0;
			let start: Record<string, never> | undefined;
			do {
				const page = await dynamodb.send(
					new ScanCommand({
						TableName,
						Select: 'COUNT',
						// That a supervisor learned something by a refusal is recorded.
						FilterExpression: 'NOT begins_with(pk, :reading)',
						ExpressionAttributeValues: { ':reading': { S: 'A#reading#' } },
						ConsistentRead: true,
						...(start === undefined ? {} : { ExclusiveStartKey: start }),
					}),
				);
				count += page.Count ?? 0;
				start = page.LastEvaluatedKey as Record<string, never> | undefined;
			} while (start !== undefined);
			return count;
		}),
	);
	return { counts, lakeFormation: bank.aws.lakeFormationState() };
}

export async function send(test: TestBank, { method, path }: Target, valid: Fuzzed, tried: Case): Promise<Outcome> {
	const params = { ...valid.params, ...tried.params };
	const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? '');
	const token = valid.who === null ? {} : { authorization: `Bearer ${await test.bank.issuer.token(valid.who)}` };
	const body = tried.raw ?? (valid.body === undefined ? undefined : JSON.stringify(valid.body));
	const answer = await fetch(`${test.bank.api}${address}${tried.search ?? ''}`, {
		method: method.toUpperCase(),
		headers: {
			...token,
			...(body === undefined ? {} : { 'content-type': 'application/json' }),
			...valid.headers,
			...tried.headers,
		},
		...(body === undefined ? {} : { body }),
	}).catch((error: Error) => error);
	if (answer instanceof Error) return { status: 0, fault: `${tried.label}: ${answer.message}` };
	const text = await answer.text();
	const { status } = answer;
	if (status >= 500) return { status, fault: `${tried.label}: ${status} ${text}` };
	if (status < 400 && tried.valid === false) return { status, fault: `${tried.label}: ${status}, though not valid` };
	return { status, fault: null };
}

/** Whether the document allows a body, or the text of a parameter. */
export function oracle(document: Document) {
	const validatorOf = compiler(document, false);
	const holds = (at: readonly string[], value: unknown): boolean => {
		const validate: ValidateFunction = validatorOf(at);
		return validate(value);
	};
	return {
		body: ({ method, path }: Target, value: unknown) =>
			holds(['paths', path, method, 'requestBody', 'content', 'application/json', 'schema'], value),
		parameter: ({ method, path, operation }: Target, index: number, text: string) => {
			const integer = operation.parameters?.[index]?.schema?.['type'] === 'integer';
			const value = integer && /^[0-9]+$/.test(text) ? Number(text) : text;
			return holds(['paths', path, method, 'parameters', String(index), 'schema'], value);
		},
	};
}
