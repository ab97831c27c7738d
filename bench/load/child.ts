/**
 * A client as light as can be: requests of one text over kept connections, answers read by their content-length. Any
 * heavier one would be what is measured.
 */
import { connect, type Socket } from 'node:net';
import { endWithParent } from '../child.ts';
import type { Found, Run } from '../load.ts';

type Connection = { readonly exchange: () => Promise<number>; readonly end: () => void };

/** Each exchange gives the status of the answer. */
async function open(run: Run): Promise<Connection> {
	const { hostname, port } = new URL(run.url);
	const headers = Object.entries({ host: hostname, ...run.headers }).map(([name, value]) => `${name}: ${value}\r\n`);
	const request = `GET ${run.path} HTTP/1.1\r\n${headers.join('')}\r\n`;
	const socket = connect({ host: hostname, port: Number(port), noDelay: true });
	await new Promise<void>((resolve, reject) => {
		socket.once('connect', resolve);
		socket.once('error', reject);
	});
	return { exchange: () => exchange(socket, request), end: () => socket.destroy() };
}

function exchange(socket: Socket, request: string): Promise<number> {
	return new Promise((resolve, reject) => {
		let received = '';
		const onData = (chunk: Buffer) => {
			received += chunk.toString('latin1');
			const head = received.indexOf('\r\n\r\n');
			if (head === -1) return;
			const length = Number(/\r\ncontent-length: (\d+)/i.exec(received.slice(0, head))?.[1]);
			if (received.length < head + 4 + length) return;
			settle();
			resolve(Number(received.slice(9, 12)));
		};
		const onClose = () => {
			settle();
			reject(new Error('the server closed the connection'));
		};
		const settle = () => {
			socket.off('data', onData);
			socket.off('close', onClose);
		};
		socket.on('data', onData);
		socket.on('close', onClose);
		socket.write(request);
	});
}

async function measure(run: Run): Promise<Found> {
	const connections = await Promise.all(Array.from({ length: run.connections }, () => open(run)));
	const latencies: number[] = [];
	let other = 0;
	const started = performance.now();
	const end = started + run.seconds * 1000;
	await Promise.all(
		connections.map(async (connection) => {
			while (performance.now() < end) {
				const sent = performance.now();
				if ((await connection.exchange()) !== 200) other += 1;
				latencies.push(performance.now() - sent);
			}
		}),
	);
	const seconds = (performance.now() - started) / 1000;
	for (const connection of connections) connection.end();
	return { perSecond: latencies.length / seconds, latencies, other };
}

endWithParent();
process.on('message', (run: Run) => {
	measure(run).then(
		(found) => process.send?.(found),
		(error: unknown) => {
			process.stderr.write(`${String(error)}\n`);
			process.exit(1);
		},
	);
});
process.send?.({ ready: true });
