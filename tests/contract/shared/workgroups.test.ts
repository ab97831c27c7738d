/** Athena's work groups, as far as moto keeps them too. */
import {
	CreateWorkGroupCommand,
	DeleteWorkGroupCommand,
	GetWorkGroupCommand,
	ListWorkGroupsCommand,
	UpdateWorkGroupCommand,
} from '@aws-sdk/client-athena';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { refusal } from '#tests/local/harness.ts';
import { type Lane, openLane, shared } from './lane.ts';

let lane: Lane;
beforeEach(async () => {
	lane = await openLane();
});
afterEach(async () => {
	await lane.close();
});

const Name = 'reporting';
const OutputLocation = 's3://results/reporting/';
const Configuration = { ResultConfiguration: { OutputLocation }, EnforceWorkGroupConfiguration: true };
const create = (more: object = {}) =>
	lane.athena.send(new CreateWorkGroupCommand({ Name, Description: 'for reports', Configuration, ...more }));
const get = async () => (await lane.athena.send(new GetWorkGroupCommand({ WorkGroup: Name }))).WorkGroup;
const listed = async () =>
	(await lane.athena.send(new ListWorkGroupsCommand({}))).WorkGroups?.map((group) => group.Name);

describe('a work group', () => {
	shared('is read as it was made, and is enabled', async () => {
		await create();
		expect(await get()).toMatchObject({ Name, Description: 'for reports', State: 'ENABLED', Configuration });
	});

	shared('has engine version 3 where it names none', async () => {
		await create();
		expect((await get())?.Configuration?.EngineVersion?.EffectiveEngineVersion).toBe('Athena engine version 3');
	});

	shared('is listed', async () => {
		expect(await listed()).not.toContain(Name);
		await create();
		expect(await listed()).toContain(Name);
	});

	shared('is made once', async () => {
		await create();
		expect((await refusal(create())).name).toBe('InvalidRequestException');
	});

	shared('that was deleted is gone, and may be made again', async () => {
		await create();
		await lane.athena.send(new DeleteWorkGroupCommand({ WorkGroup: Name }));
		expect(await listed()).not.toContain(Name);
		await create({ Description: 'again' });
		expect(await get()).toMatchObject({ Description: 'again' });
	});

	shared('that is not there is refused', async () => {
		expect((await refusal(get())).name).toBe('InvalidRequestException');
	});

	shared('is changed in what was named', async () => {
		await create();
		await lane.athena.send(new UpdateWorkGroupCommand({ WorkGroup: Name, Description: 'changed' }));
		expect(await get()).toMatchObject({ Description: 'changed', Configuration });
	});
});
