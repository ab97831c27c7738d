/** Relationships of the standard: foreign keys, of a table as a whole or of one column. */
import * as z from 'zod';
import { by, customProperties, like, oneOf } from './common.ts';

const word = '[A-Za-z_][A-Za-z0-9_]*';
const step = `${word}/[A-Za-z0-9_-]+`;

/** `table.column`, or the way to it by the ids of its parts, which may lead into another contract. */
const reference = like(
	new RegExp(String.raw`^(?:${word}\.${word}|(?:(?:https?://)?[A-Za-z0-9._\-/]+\.yaml#)?/?${step}(?:/${step})*)$`),
	'must be table.column, or a path of kinds and ids such as schema/loans/properties/amount',
);
const references = z.array(reference).min(1, 'at least one column');
const end = by((value) => (Array.isArray(value) ? references : reference));

const base = { type: oneOf('foreignKey').optional(), to: end, customProperties };

/** `from` is the column that it stands at. */
export const columnRelationships = z.array(z.strictObject(base)).optional();

export const tableRelationships = z
	.array(
		z
			.strictObject({ ...base, from: end })
			.refine(
				({ from, to }) => Array.isArray(from) === Array.isArray(to),
				'from and to: both one column, or both lists',
			),
	)
	.optional();
