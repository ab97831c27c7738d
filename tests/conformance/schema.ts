/** Schemas of the OpenAPI document, compiled by ajv as JSON Schema 2020-12: as they stand, or closed to unknown members. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Document, Json } from '#tests/document.ts';

const ID = 'https://fairlead.example/openapi.json';

/** A compiler of the schema at a path of the document. With `closed`, objects take no members that they do not name. */
export function compiler(document: Document, closed = true): (at: readonly string[]) => ValidateFunction {
	const ajv = new Ajv2020({
		strict: true,
		strictTypes: false,
		strictRequired: false,
		allErrors: true,
		allowUnionTypes: true,
	});
	// Annotations of OpenAPI 3.1, not for validation.
	ajv.addVocabulary(['example', 'discriminator', 'xml', 'externalDocs']);
	addFormats.default(ajv);
	for (const word of containers(document)) ajv.addKeyword(word);
	ajv.addSchema({ ...(closed ? (close(document) as Document) : document), $id: ID });
	const made = new Map<string, ValidateFunction>();
	return (at) => {
		const pointer = at
			.map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`)
			.join('');
		const validate = made.get(pointer) ?? ajv.compile({ $ref: `${ID}#${pointer}` });
		made.set(pointer, validate);
		return validate;
	};
}

/** The document's own members, which JSON Schema knows nothing of. */
const containers = (document: Document) => Object.keys(document);

/** An object with members of its own, and nothing said of others, takes no others. */
function close(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(close);
	if (typeof value !== 'object' || value === null) return value;
	const closed = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, close(inner)]));
	const { type, properties, additionalProperties } = value as Json;
	const open = type === 'object' && typeof properties === 'object' && additionalProperties === undefined;
	return open ? { ...closed, additionalProperties: false } : closed;
}
