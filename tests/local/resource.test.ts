import { describe, expect, test } from 'vitest';
import { mustExist } from '#local/aws/resource.ts';
import { emptyState, put, registrationKey, type State } from '#local/aws/state.ts';

const OWNER = '210000000001';
const OTHER = '210000000004';

function registered(...arns: string[]): State {
	return arns.reduce((state, arn) => {
		const registration = {
			account: OWNER,
			arn,
			roleArn: 'arn:aws:iam::210000000001:role/r',
			modified: 0,
			hybrid: false,
		};
		return { ...state, registrations: put(state.registrations, registrationKey(registration), registration) };
	}, emptyState('eu-central-1'));
}

const check = (account: string, path: string, state: State) => () =>
	mustExist(state, { kind: 'location', account, arn: `arn:aws:s3:::${path}` });

describe('a data location', () => {
	const state = registered('arn:aws:s3:::lake/loans', 'arn:aws:s3:::archive/');

	test.each([
		['beside the registered one, with a name that begins alike', OWNER, 'lake/loans2'],
		['in a bucket whose name begins alike', OWNER, 'archive2/loans'],
		['above the registered one', OWNER, 'lake'],
		['that another account registered', OTHER, 'lake/loans'],
		['below one that another account registered', OTHER, 'lake/loans/2020'],
	])('%s is refused', (_name, account, path) => {
		expect(check(account, path, state)).toThrow('register the S3 path');
	});

	test.each(['lake/loans', 'lake/loans/2020', 'archive/', 'archive/loans'])('%s is there', (path) => {
		expect(check(OWNER, path, state)).not.toThrow();
	});
});
