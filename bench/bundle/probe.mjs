/** One new process: imports the bundle that it is given and asks it twice, and a query of it if it can. Prints the times. */
const [, , file, reads] = process.argv;

const before = process.cpuUsage();
const started = performance.now();
const { handler } = await import(file);
const imported = performance.now() - started;
const { user, system } = process.cpuUsage(before);

function event(path, method = 'GET', body) {
	return {
		version: '2.0',
		routeKey: '$default',
		rawPath: path,
		rawQueryString: '',
		headers: {
			host: 'api.fairlead.example',
			authorization: process.env.BENCH_TOKEN,
			'content-type': 'application/json',
		},
		requestContext: {
			domainName: 'api.fairlead.example',
			http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'bench' },
		},
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
		isBase64Encoded: false,
	};
}

async function ask(status, ...args) {
	const sent = performance.now();
	const answer = await handler(event(...args), {});
	if (answer.statusCode !== status) throw new Error(`${args[0]} answered ${answer.statusCode}: ${answer.body}`);
	return performance.now() - sent;
}

const first = await ask(200, '/healthz');
const authorised = await ask(200, reads);
const sql = 'SELECT loan_id FROM lending.loans WHERE amount > 100000 ORDER BY loan_id LIMIT 10';
const body = { sql, principal: process.env.BENCH_PRINCIPAL };
const query = reads.startsWith('/api/') ? await ask(202, '/api/v1/queries', 'POST', body) : 0;
const rss = process.memoryUsage().rss / 1024 ** 2;
const found = { imported, first, authorised, query, cpu: (user + system) / 1000, rss };
process.stdout.write(`\n${JSON.stringify(found)}\n`, () => process.exit(0));
