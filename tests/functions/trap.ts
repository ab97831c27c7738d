/**
 * A process of its own, for nothing in it can be asked afterwards: brings the engine to trap, and tells what becomes of
 * a set in force. Writes JSON.
 */
import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import { BrokerError } from '#core/error.ts';
import { engine } from '#core/policy/engine.ts';
import { answers, authorize, Entity, loadPolicies } from '#core/policy.ts';
import { schema, texts } from '#tests/policy/cases.ts';

const policies = loadPolicies(schema, texts);
const before = answers(policies, 'governance');
const deep = `permit (principal, action, resource) when { ${'('.repeat(400)}1${')'.repeat(400)} == 1 };`;
const answersAtAll = () => {
	try {
		return policyToJson('permit (principal, action, resource);').type === 'success';
	} catch {
		return false;
	}
};
let afterOne: boolean | null = null;
for (let i = 0; i < 100 && answersAtAll(); i += 1) {
	try {
		engine(() => policyToJson(deep));
	} catch {
		afterOne ??= answers(policies, 'governance');
	}
}
const codes = new Set<string>();
for (let i = 0; i < 5; i += 1) {
	try {
		const caller = { issuer: '', subject: '', person: null, roles: [] };
		authorize({ policies, caller }, 'viewMe', Entity.mesh('governance'));
	} catch (error) {
		codes.add(error instanceof BrokerError ? error.code : String(error));
	}
}
process.stdout.write(JSON.stringify({ before, afterOne, codes: [...codes], after: answers(policies, 'governance') }));
