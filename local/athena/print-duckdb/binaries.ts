/** Binary functions: https://trino.io/docs/current/functions/binary.html. Hashes are of bytes and are bytes. */
import { type Named, type Rule, same, takes, text, varbinary, varchar } from './rule.ts';

function hash(name: string): Rule {
	return {
		type: (types) => (takes(types, ['varbinary']) ? varbinary : null),
		text: ([value]) => `unhex(${name}(${value}))`,
	};
}

const fromHex: Rule = {
	type: (types) => (takes(types, text) ? varbinary : null),
	text: ([value]) =>
		`(CASE WHEN length(${value}) % 2 = 1 THEN error('half a byte is missing') ELSE unhex(${value}) END)`,
};

/** The alphabet that is safe in addresses. */
const toUrl: Rule = {
	type: (types) => (takes(types, ['varbinary']) ? varchar : null),
	text: ([value]) => `translate(to_base64(${value}), '+/', '-_')`,
};

const full = "'([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?'";

/** Texts with all their padding only: DuckDB reads no others. */
function decoded(translated: (value: string) => string): Rule {
	return {
		type: (types) => (takes(types, text) ? varbinary : null),
		text: ([value = '']) => {
			const standard = translated(value);
			return (
				`(CASE WHEN NOT regexp_full_match(${standard}, ${full}) THEN error('this text is no base64') ` +
				`ELSE "from_base64"(${standard}) END)`
			);
		},
	};
}

export const binaries: Named = [
	['md5', hash('md5')],
	['sha1', hash('sha1')],
	['sha256', hash('sha256')],
	['to_hex', same([['varbinary']], varchar, 'hex')],
	['from_hex', fromHex],
	['to_base64', same([['varbinary']], varchar)],
	['to_base64url', toUrl],
	['from_base64', decoded((value) => value)],
	['from_base64url', decoded((value) => `translate(${value}, '-_', '+/')`)],
];
