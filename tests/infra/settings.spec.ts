/** A stage's file with a fault deploys nothing, and the fault is named. */
import { describe, expect, it } from 'vitest';
import { parseSettings, readSettings } from '../../infra/settings.ts';
import { root } from './stack.ts';

const sample = () => structuredClone(readSettings(root, 'sample')) as Record<string, unknown>;
const logKey = `w.example/w+0a1b2c3d+A${'Ab1/'.repeat(11).slice(0, 43)}`;
const witness = { url: 'https://w.example/', vkey: logKey.replace('+AAb', '+BAb') };
const risk = { domain: 'risk', account: '210000000004' };

describe('settings are refused', () => {
	const faults: [string, Record<string, unknown>, RegExp][] = [
		['a wildcard as grantor role', { grantorRole: '*' }, /grantorRole must be/],
		['a wildcard in the prefix', { prefix: '*' }, /prefix must be/],
		['a wildcard as consumer role', { consumerRole: 'fairlead-*' }, /consumerRole must be/],
		['no consumer role', { consumerRole: undefined }, /consumerRole must be/],
		['one role for two things', { consumerRole: 'fairlead-grantor' }, /are three roles/],
		[
			'a consumer role that looks like a principal',
			{ consumerRole: 'fairlead-risk-consumer', consumers: [risk] },
			/fairlead-risk-consumer looks like a principal of risk/,
		],
		['an empty prefix', { prefix: '' }, /prefix must be/],
		['a wildcard as account', { consumers: [{ domain: 'risk', account: '*' }] }, /\[0\]\.account must be/],
		['a domain that is a pattern', { consumers: [{ domain: 'r*', account: '210000000004' }] }, /\[0\]\.domain must be/],
		['http instead of https', { issuer: 'http://login.bank.example/' }, /issuer must be an https address/],
		['HMAC tokens', { tokenAlgorithms: 'HS256' }, /tokenAlgorithms must be/],
		['unsigned tokens', { tokenAlgorithms: 'none' }, /tokenAlgorithms must be/],
		['queries without a bound', { maxBytesScanned: 0 }, /maxBytesScanned must be/],
		['no shard for what waits', { unsealedShards: 0 }, /unsealedShards must be/],
		['a witness over http', { logWitnesses: [{ ...witness, url: 'http://w.example/' }] }, /\[0\]\.url must be/],
		['the key of a log as a witness', { logWitnesses: [{ ...witness, vkey: logKey }] }, /\[0\]\.vkey must be/],
		['more cosignatures than witnesses', { logWitnesses: [witness], logWitnessQuorum: 2 }, /must not be more than/],
		['results kept for long', { resultDays: 365 }, /resultDays must be/],
		['a member that is no setting', { cursorKey: 'secret' }, /cursorKey is not a setting/],
		['a missing member', { region: undefined }, /region must be/],
		['a reminder after the end', { requestLapsesAfterDays: 3, remindBeforeDays: 3 }, /remindBeforeDays must be less/],
		['a domain listed twice', { consumers: [risk, { ...risk, account: '210000000005' }] }, /listed twice/],
		['two domains in one account', { consumers: [risk, { ...risk, domain: 'marketing' }] }, /cannot be told from/],
		[
			'a domain whose roles match those of another',
			{ consumers: [risk, { domain: 'risk-models', account: '210000000005' }] },
			/risk-models cannot be told from risk/,
		],
		[
			'a grantor that looks like a principal',
			{ grantorRole: 'fairlead-risk-grantor', consumers: [risk] },
			/fairlead-risk-grantor looks like a principal of risk/,
		],
		[
			'a deployer that looks like a principal',
			{ deployerRole: 'fairlead-risk-deployer', consumers: [risk] },
			/fairlead-risk-deployer looks like a principal of risk/,
		],
	];
	it.each(faults)('%s', (_, change, message) => {
		expect(() => parseSettings({ ...sample(), ...change })).toThrow(message);
	});

	it.each([null, 'text', []])('%j instead of an object', (value) => {
		expect(() => parseSettings(value)).toThrow(/must be an object/);
	});
});

describe('settings are taken', () => {
	it('as the sample stage has them', () => {
		expect(parseSettings(sample())).toEqual(sample());
	});

	it('without domain, organization, mail and token type', () => {
		const none = { domain: null, organization: null, alarmEmail: null, tokenType: null };
		expect(parseSettings({ ...sample(), ...none })).toMatchObject(none);
	});
});
