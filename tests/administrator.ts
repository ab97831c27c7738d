/**
 * The administrator of Lake Formation in an account of the sample bank, with a key of its own: who spoils and mends things
 * that Fairlead may not touch.
 */
import { IAMClient } from '@aws-sdk/client-iam';
import { LakeFormationClient } from '@aws-sdk/client-lakeformation';
import { type Bank, REGION } from '#local/bank.ts';

export function administratorOf({ aws }: Pick<Bank, 'aws'>) {
	const at = (account: string) => {
		const credentials = aws.issueKey(`arn:aws:iam::${account}:role/lake-admin`);
		return { region: REGION, endpoint: aws.endpoint, credentials };
	};
	return {
		lakeformation: (account: string) => new LakeFormationClient(at(account)),
		iam: (account: string) => new IAMClient(at(account)),
	};
}
