/** Steps 1 to 6: from contracts to a grant that Lake Formation shows. */
import assert from 'node:assert/strict';
import * as z from 'zod';
import * as Access from '#core/access.ts';
import * as Catalog from '#core/catalog.ts';
import * as Domains from '#core/domains.ts';
import * as Grants from '#core/grants.ts';
import { registrationOf } from '#local/lake.ts';
import { lakeFormation } from './aws.ts';
import {
	approve,
	ask,
	contractOf,
	expectBody,
	expectProblem,
	ownerOf,
	principalOf,
	type Step,
	type World,
} from './world.ts';

export const LOANS = 'lending.loans';
export const ACCOUNTS = 'lending.accounts';
export const COLUMNS = ['loan_id', 'account_id', 'amount', 'status'];
export const ROW_FILTER = "status IN ('B','D')";

export const register: Step = {
	name: 'register',
	tells: 'domains enter the registry; owners publish their data products with ODCS contracts',
	async run(world) {
		for (const domain of world.domains) {
			const body = registrationOf(domain, world.bank.issuer.issuer);
			const answer = await world.call({ who: 'stella', method: 'PUT', path: `/api/v1/domains/${domain.id}`, body });
			assert.equal(expectBody(answer, 201, Domains.Domain).account, domain.account);
			world.show(answer.curl);
		}
		for (const { contract, text } of world.contracts) {
			const path = `/api/v1/dataproducts/${contract.product}`;
			const answer = await world.call({ who: ownerOf(world, contract.domain), method: 'PUT', path, body: text });
			const product = expectBody(answer, 201, Catalog.ProductView);
			assert.deepEqual(
				product.contract.tables.map((t) => t.columns.length),
				contract.tables.map((t) => t.columns.length),
			);
		}
		const clients = await world.call({ who: 'alice', path: '/api/v1/dataproducts/customers.clients' });
		assert.equal(expectBody(clients, 200, Catalog.ProductView).personal, true);
		world.say(`${world.domains.length} domains, ${world.contracts.length} data products`);
	},
};

const Found = z.object({ dataproducts: z.array(Catalog.ProductSummary), nextPageToken: z.string().nullable() });

export const discover: Step = {
	name: 'discover',
	tells: 'a consumer finds the product by text, domain and classification, without access to its data',
	async run(world) {
		const { classification } = contractOf(world, LOANS);
		for (const search of [`text=loan`, `domain=lending`, `classification=${classification}`]) {
			const answer = await world.call({ who: 'alice', path: `/api/v1/dataproducts?${search}` });
			const ids = expectBody(answer, 200, Found).dataproducts.map((p) => p.id);
			assert.ok(ids.includes(LOANS), `${search} found ${ids.join(', ')}`);
		}
		const none = await world.call({ who: 'alice', path: '/api/v1/dataproducts?text=loan&domain=payments' });
		assert.deepEqual(expectBody(none, 200, Found).dataproducts, []);
		const product = expectBody(
			await world.call({ who: 'alice', path: `/api/v1/dataproducts/${LOANS}` }),
			200,
			Catalog.ProductView,
		);
		world.say(`${product.displayName} of ${product.owner}, ${product.contract.tables[0]?.columns.length} columns`);
	},
};

export const request: Step = {
	name: 'request',
	tells: 'she asks for four columns and the rows in arrears, for one purpose, for 30 days',
	async run(world) {
		const asked = await ask(world, {
			product: LOANS,
			columns: COLUMNS,
			rowFilter: ROW_FILTER,
			purpose: 'credit-risk',
			duration: 'P30D',
		});
		const view = expectBody(asked, 201, Access.RequestView);
		assert.equal(view.state, 'pending');
		assert.deepEqual(view.route, ['owner']);
		assert.deepEqual(view.tables[0]?.columns.toSorted(), COLUMNS.toSorted());
		assert.equal(view.tables[0]?.rowFilter, `"status" IN ('B', 'D')`);
		assert.equal(asked.headers.get('etag'), `"${view.contentHash}"`);
		world.made.request = asked;
		world.say(`${view.id}: ${view.tables[0]?.rowFilter}`);
	},
};

function requested(world: World) {
	assert.ok(world.made.request, 'the step `request` did not run');
	return { asked: world.made.request, view: Access.RequestView.parse(world.made.request.body) };
}

export const selfApprovalRefused: Step = {
	name: 'self-approval-refused',
	tells: 'who asked cannot decide',
	async run(world) {
		const { asked, view } = requested(world);
		const answer = await world.call({
			who: 'alice',
			method: 'POST',
			path: `/api/v1/requests/${view.id}/decisions`,
			body: { verdict: 'approve' },
			headers: { 'if-match': asked.headers.get('etag') ?? '' },
		});
		world.say(expectProblem(answer, 403, 'self-approval').detail);
	},
};

export const foreignOwner404: Step = {
	name: 'foreign-owner-404',
	tells: "another domain's owner gets what an unknown id gets",
	async run(world) {
		const { view } = requested(world);
		const foreign = ownerOf(world, 'payments');
		assert.notEqual(foreign, ownerOf(world, 'lending'));
		const unknown = await world.call({ who: foreign, path: `/api/v1/requests/req_${'0'.repeat(26)}` });
		const hidden = await world.call({ who: foreign, path: `/api/v1/requests/${view.id}` });
		expectProblem(hidden, 404, 'not-found');
		const comparable = (body: unknown) => ({ ...(body as object), instance: '', traceId: '' });
		assert.equal(unknown.status, hidden.status);
		assert.deepEqual(comparable(hidden.body), comparable(unknown.body));
		world.say('the same 404');
	},
};

export const approveStep: Step = {
	name: 'approve',
	tells: 'the owner approves the version she saw',
	async run(world) {
		const { asked, view } = requested(world);
		const path = `/api/v1/requests/${view.id}`;
		const owner = ownerOf(world, 'lending');
		const verdict = { who: owner, method: 'POST' as const, path: `${path}/decisions`, body: { verdict: 'approve' } };
		expectProblem(await world.call(verdict), 428, 'precondition-required');
		expectProblem(await world.call({ ...verdict, headers: { 'if-match': '"another version"' } }), 412, 'stale');
		const grant = await approve(world, asked);
		const after = expectBody(await world.call({ who: 'alice', path }), 200, Access.RequestView);
		assert.deepEqual([after.state, after.grant], ['approved', grant.id]);
		const accounts = {
			product: ACCOUNTS,
			columns: ['account_id', 'district_id'],
			purpose: 'credit-risk',
			duration: 'P30D',
		};
		await approve(world, await ask(world, accounts));
		world.say(`${grant.id} until ${grant.until}`);
	},
};

export const lfReadback: Step = {
	name: 'lf-readback',
	tells: 'the approval is one data cells filter, and SELECT on it for the principal; only then `granted`',
	async run(world) {
		const [loans] = world.made.grants;
		assert.ok(loans, 'the step `approve` did not run');
		const answer = await world.call({ who: 'alice', path: `/api/v1/grants/${loans.id}` });
		const grant = expectBody(answer, 200, Grants.GrantView);
		assert.equal(grant.state, 'granted');
		const table = contractOf(world, LOANS).tables[0];
		assert.ok(table);
		const lf = lakeFormation(world.bank, table.account);
		const filters = await lf.filters(table);
		assert.equal(filters.length, 1);
		const [filter] = filters;
		assert.equal(filter?.Name, grant.tables[0]?.filter);
		assert.deepEqual(filter?.ColumnNames?.toSorted(), COLUMNS.toSorted());
		assert.equal(filter?.RowFilter?.FilterExpression, `"status" IN ('B', 'D')`);
		const holders = await lf.holders(table, filter?.Name ?? '');
		assert.deepEqual(holders, [{ principal: principalOf(world, 'risk', 'credit-risk'), permissions: ['SELECT'] }]);
		world.say(`${filter?.Name}, read back from Lake Formation`);
	},
};
