import { testBank, ledgerSize } from '#tests/fixtures.ts';
import { principalOf, ask, approve, query } from '#local/story/world.ts';
import { people } from '#local/people.ts';
process.on('uncaughtException', (e) => console.log('UNCAUGHT', String(e).slice(0, 200)));
const { world, bank, close } = await testBank();
const principal = principalOf(world, 'risk', 'credit-risk');
const P2 = 'arn:aws:iam::210000000004:role/fairlead-risk-service-improvement';
const post = (who: any, path: string, body?: any, headers?: any) => world.call({ who, method: 'POST', path: '/api/v1' + path, body, headers });
const show = async (name: string, p: Promise<any>) => { const a = await p; console.log(name.padEnd(40), a.status, a.body?.code, String(a.body?.detail ?? '').slice(0, 120), JSON.stringify(a.body?.errors ?? '').slice(0, 100)); return a; };
const member = (h: keyof typeof people, ...roles: string[]) => ({ issuer: bank.issuer.issuer, subject: people[h].subject, roles });
const dom = (id: string, members: any[], principals?: any[]) => { const d = world.domains.find((x) => x.id === id)!; return world.call({ who: 'stella', method: 'PUT', path: `/api/v1/domains/${id}`, body: { name: d.name, charter: d.charter, account: d.account, members, principals: principals ?? d.principals } }); };
const loans = { product: 'lending.loans', columns: ['loan_id', 'amount', 'status'], rowFilter: "status IN ('B','D')", purpose: 'credit-risk', duration: 'P1D' };
const g = await approve(world, await ask(world, loans));
console.log('grant', g.state);
// big literal
for (const n of [100_000, 150_000, 200_000, 250_000]) await show(`literal ${n}`, post('alice', '/queries', { sql: `select loan_id from lending.loans where status = '${'x'.repeat(n)}'`, principal }));
await show('sql surrogate', post('alice', '/queries', { sql: "select loan_id from lending.loans where status = '\ud800'", principal }));
await show('alias surrogate', post('alice', '/queries', { sql: 'select loan_id as "\ud800" from lending.loans', principal }));
await show('many outputs', post('alice', '/queries', { sql: `select ${Array(900).fill('loan_id').join(',')} from lending.loans`, principal }));
await show('revoke surrogate', post('alice', `/grants/${g.id}/revoke`, { reason: '\ud800' }));
await show('domain name surrogate', world.call({ who: 'stella', method: 'PUT', path: '/api/v1/domains/xx', body: { name: '\ud800', account: '999999999999', members: [], principals: [] } }));
// role lost then results
const q = await post('alice', '/queries', { sql: 'select loan_id, amount from lending.loans order by loan_id', principal });
const id = (q.body as any).id;
for (let i = 0; i < 20; i++) { const v = await world.call({ who: 'alice', path: `/api/v1/queries/${id}` }); if ((v.body as any).state !== 'running') break; await new Promise((r) => setTimeout(r, 50)); }
const page = await show('page1', world.call({ who: 'alice', path: `/api/v1/queries/${id}/results?pageSize=2` }));
console.log(JSON.stringify(page.body).slice(0, 300));
await show('alice no more consumer', dom('risk', [member('nick', 'consumer')]));
await show('results after role lost', world.call({ who: 'alice', path: `/api/v1/queries/${id}/results` }));
await show('me', world.call({ who: 'alice', path: `/api/v1/me` }));
await show('query after role lost', post('alice', '/queries', { sql: 'select loan_id from lending.loans', principal }));
await show('risk back', dom('risk', [member('alice', 'consumer'), member('nick', 'consumer')], [...world.domains.find((x) => x.id === 'risk')!.principals, { arn: P2, purpose: 'service-improvement' }]));
// officer
await show('customers', dom('customers', [member('peter', 'owner'), member('nick', 'privacy-officer')]));
const ra = await show('clients req', post('alice', '/requests', { product: 'customers.clients', tables: [{ table: 'clients', columns: ['client_id', 'district_id'] }], purpose: 'service-improvement', principal: P2, duration: 'P1D', justification: 'x' }));
console.log((ra.body as any).route);
const im = { 'if-match': ra.headers.get('etag') };
const path = `/requests/${(ra.body as any).id}/decisions`;
const d1 = await show('peter approves', post('peter', path, { verdict: 'approve' }, im)); console.log((d1.body as any).request?.state, (d1.body as any).request?.awaiting);
await show('peter again', post('peter', path, { verdict: 'approve' }, im));
const d2 = await show('nick approves', post('nick', path, { verdict: 'approve' }, im)); console.log((d2.body as any).request?.state, (d2.body as any).grant?.state);
await show('nick again', post('nick', path, { verdict: 'approve' }, im));
await show('peter again', post('peter', path, { verdict: 'approve' }, im));
// nick officer first
const rb = await show('clients req', post('alice', '/requests', { product: 'customers.clients', tables: [{ table: 'clients', columns: ['client_id', 'district_id'], rowFilter: 'district_id = 3' }], purpose: 'service-improvement', principal: P2, duration: 'P1D', justification: 'x' }));
const imb = { 'if-match': rb.headers.get('etag') };
const pathb = `/requests/${(rb.body as any).id}/decisions`;
await show('nick approves', post('nick', pathb, { verdict: 'approve' }, imb));
await show('nick again', post('nick', pathb, { verdict: 'approve' }, imb));
await show('nick rejects', post('nick', pathb, { verdict: 'reject' }, imb));
// both roles
await show('customers both', dom('customers', [member('peter', 'owner', 'privacy-officer'), member('nick', 'owner')]));
const rc = await show('clients req', post('alice', '/requests', { product: 'customers.clients', tables: [{ table: 'clients', columns: ['client_id', 'district_id'], rowFilter: 'district_id = 4' }], purpose: 'service-improvement', principal: P2, duration: 'P1D', justification: 'x' }));
const imc = { 'if-match': rc.headers.get('etag') };
const pathc = `/requests/${(rc.body as any).id}/decisions`;
await show('peter(both) approves', post('peter', pathc, { verdict: 'approve' }, imc));
await show('nick(owner) approves', post('nick', pathc, { verdict: 'approve' }, imc));
// approve/reject race
const rr = await ask(world, { ...loans, purpose: 'model-validation' });
const imr = { 'if-match': rr.headers.get('etag') };
const pr = `/requests/${(rr.body as any).id}/decisions`;
console.log((await Promise.all([post('olga', pr, { verdict: 'approve' }, imr), post('olga', pr, { verdict: 'reject' }, imr), post('olga', pr, { verdict: 'approve' }, imr)])).map((a) => [a.status, (a.body as any).code]));
console.log('size', await ledgerSize(world));
// corrupt entry then reports
const big = await post('rita', '/reports', { kind: 'flows', product: 'lending.loans' });
const { UpdateItemCommand } = await import('@aws-sdk/client-dynamodb');
await bank.platform.aws.dynamodb.send(new UpdateItemCommand({ TableName: 'fairlead-ledger', Key: { pk: { S: `F#${id}` }, sk: { S: 'V#0000000001' } }, UpdateExpression: 'SET b = :b', ExpressionAttributeValues: { ':b': { B: Buffer.from('{}') } } }));
for (const f of ['json', 'csv']) { try { const a = await world.call({ who: 'rita', path: `/api/v1/reports/${(big.body as any).id}/content?format=${f}` }); console.log(f, a.status, String(a.body).slice(-300)); } catch (e) { console.log(f, 'client:', String(e), String((e as any).cause)); } }
try { console.log('sweep', await bank.sweep()); } catch (e) { console.log('SWEEP FAILED', String(e)); }
await close();
