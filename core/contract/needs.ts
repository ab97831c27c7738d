/**
 * What Fairlead needs of a contract beyond the standard, by name: without it, no grant could be made of the document.
 * Each is told as the `rule` of a fault; `odcs` names the standard itself, `text` what keeps the text from being read
 * at all. What a bank merely wants of its contracts is not here but in policies/.
 */
export const needs = {
	required: 'is required',
	'not-blank': 'must not be blank',
	'api-version': 'must be v3.x.y, such as v3.1.0',
	'semantic-version': 'must be a semantic version, such as 1.0.0',
	'product-id': 'must be lower-case letters, digits, - or _, starting with a letter',
	purposes: 'property `purposes` is required: the ids of at least one governed purpose',
	'purpose-id': 'must be the id of a purpose: lower-case letters, digits, - or _, starting with a letter',
	'one-glue-server': 'exactly one server of type glue is required',
	'account-id': 'must be a 12-digit AWS account id',
	'glue-name': 'must be lower-case letters, digits and _, as Glue has it',
	'glue-name-or-physical-name': 'must be lower-case letters, digits and _, as Glue has it; or give a physicalName',
	's3-location': 'must be s3://<bucket>/<key>',
	tables: 'at least one table',
	columns: 'at least one column',
	'athena-type': 'must be a type that Athena has, such as bigint or decimal(10,2)',
	classification: 'must be one of public, internal, confidential, restricted',
	'regulatory-class': 'must be one of none, personal-data',
	'token-of': 'tokenOf must name another column of this table',
	'unpartitioned-column': 'at least one column must not be a partition key',
	'distinct-table': 'another table has this name',
	'distinct-column': 'another column has this name',
	'custom-property-once': 'a custom property that Fairlead reads stands here twice',
	'text-value': 'must be text',
	instant: 'must be an ISO 8601 date or date-time',
	'source-url': 'must be a URL',
	'retires-after-deprecation': 'retiresAt must come after deprecatedFrom',
} as const;

export type Need = keyof typeof needs;

const byMessage = new Map<string, Need>(Object.entries(needs).map(([need, message]) => [message, need as Need]));

/** The need that a message tells of. */
export function needOf(message: string): Need {
	return byMessage.get(message) ?? 'required';
}
