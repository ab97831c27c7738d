/**
 * One suite, two judges: the embedded AWS, or moto's server when FAIRLEAD_MOTO_ENDPOINT names one. A case in which moto is
 * known to answer otherwise stands in DEVIATIONS with the reason: there it must fail, so that nothing stands in the list
 * that moto does right, and its reason is part of what the run prints.
 */
import type { AthenaClient } from '@aws-sdk/client-athena';
import { AthenaClient as Athena } from '@aws-sdk/client-athena';
import { LakeFormationClient } from '@aws-sdk/client-lakeformation';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { test } from 'vitest';
import { GRANTOR, openLake, REGION, RISK_ROLE } from '#tests/local/harness.ts';

export type Lane = {
	/** As the data lake administrator of the account that has the tables. */
	readonly admin: LakeFormationClient;
	/** As a principal of the consuming account. */
	readonly athena: AthenaClient;
	readonly close: () => Promise<void>;
};

const endpoint = process.env['FAIRLEAD_MOTO_ENDPOINT'];

/** An empty bookkeeping, beside the databases and tables of the harness. */
export async function openLane(): Promise<Lane> {
	return endpoint === undefined ? await embedded() : await moto(endpoint);
}

async function embedded(): Promise<Lane> {
	const lake = await openLake();
	return { admin: await lake.lakeformation(GRANTOR), athena: await lake.athena(RISK_ROLE), close: lake.close };
}

async function moto(address: string): Promise<Lane> {
	await fetch(new URL('/moto-api/reset', address), { method: 'POST' });
	const settings = { region: REGION, endpoint: address, maxAttempts: 1 };
	const sts = new STSClient({ ...settings, credentials: { accessKeyId: 'fairlead', secretAccessKey: 'fairlead' } });
	// moto takes the account of the role that the key was given out for.
	const as = async (RoleArn: string) => {
		const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'fairlead' }));
		const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
		const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
		return { ...settings, credentials };
	};
	const [admin, athena] = [new LakeFormationClient(await as(GRANTOR)), new Athena(await as(RISK_ROLE))];
	return {
		admin,
		athena,
		async close() {
			for (const client of [sts, admin, athena]) client.destroy();
		},
	};
}

/** Titles of cases that moto answers otherwise than AWS is known to, and how. */
export const DEVIATIONS: Readonly<Record<string, string>> = {
	'that was never granted cannot be revoked': 'it answers that it succeeded',
	'on a table that is not there cannot be granted': 'it grants on any name',
	'on some columns of a table is listed by the table': 'it compares rows of the same kind of resource only',
	'carries the grant option of its entries': 'it reads the option under a key that the model lacks',
	'tells of an entry that could not be granted, and grants the others': 'it never returns a failure',
	'ends where it is told to, and goes on from there': 'it has no pages',
	'that is not there is refused': 'it answers without a work group',
	'is changed in what was named': 'it has no UpdateWorkGroup',
};

/** A case of the suite: one that moto is known to fail must fail there. */
export function shared(title: string, run: () => Promise<void>): void {
	const reason = DEVIATIONS[title];
	if (endpoint === undefined || reason === undefined) test(title, run);
	else test.fails(`${title} [moto deviates: ${reason}]`, run);
}
