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
	'row-scope': 'must be a list of at least one { column, attribute }, without other members',
	'row-scope-column': 'rowScope must name a column of this table, and each once',
	'row-scope-type': 'rowScope must name a column by which Lake Formation can filter: text, a number or a boolean',
	'row-scope-attribute':
		'must name an attribute of domains: lower-case letters, digits, - or _, starting with a letter',
	'row-scope-view': 'a view has no row scope: no grant opens one, so give it to the tables that it reads',
	residency: 'must be a list of at least one jurisdiction, each once, in letters, digits, - or _',
	template:
		'must be a list of { id, name, description, tables, purpose, duration }, and tables one of { table, columns, rowFilter }, without other members',
	'template-id': 'must be lower-case letters, digits, - or _, starting with a letter, as purposes are',
	'template-size': 'is more than an access template takes',
	'template-once': 'another access template has this id',
	'template-table': 'an access template must name tables of this contract that are no views, each once',
	'template-column': 'an access template must name columns of its table, each once',
	'template-partition': 'an access template must list the partition keys of its table: they are always visible',
	'template-purpose': 'an access template must name a purpose of this contract',
	'template-duration': 'must be an ISO 8601 duration of at most P366D, such as P30D',
	'template-filter': 'must be a row filter that Lake Formation takes',
	'template-personal':
		'must compare no column that is personal, or was in any version: whoever sees the contract would see the value',
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
