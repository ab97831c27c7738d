/**
 * What the embedded AWS tells of itself, as EventBridge would hand it on: Athena's state changes and CloudTrail's records,
 * one JSON object a line in the order of their delivery. A killed process keeps every line that was delivered (a power
 * cut may lose the last ones); a line cut short is dropped at the next start. Delivery is best effort, as documented
 * for Athena's events (Athena user guide, "athena-events"): a test can have events doubled, lost and delayed.
 */
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import path from 'node:path';
import { anySeed, dice } from './chance.ts';

export type Delivered = { readonly position: number; readonly event: object };

export type Delivery = {
	/** Chance of an event to come twice, from 0 to 1. */
	readonly duplicate?: number;
	/** Chance of an event never to come. */
	readonly drop?: number;
	/** Events come so many milliseconds late; others overtake them. */
	readonly delayMs?: number;
	/** Chance of being late where `delayMs` is set; without it all are. */
	readonly late?: number;
	readonly seed?: number;
};

export type Events = {
	readonly emit: (event: object) => void;
	/** Those after a position, oldest first; 0 or nothing: from the first. */
	readonly read: (options?: { readonly after?: number; readonly limit?: number }) => Delivered[];
	/** `{}`: each event once, at once. */
	readonly deliver: (delivery: Delivery) => void;
	/** What is late comes now. */
	readonly close: () => void;
};

const PAGE = 1000;
const NEW_LINE = 0x0a;

export function openEvents(dataDir: string, onEvent: (event: object) => void = () => {}): Events {
	mkdirSync(dataDir, { recursive: true });
	const file = openSync(path.join(dataDir, 'events.jsonl'), 'a+', 0o600);
	/** Where each event's line ends. */
	const ends = lineEnds(file);
	let delivery: Delivery = {};
	let roll = dice(0);
	const late = new Map<NodeJS.Timeout, object>();
	let closed = false;

	const append = (event: object) => {
		const line = Buffer.from(`${JSON.stringify(event)}\n`);
		writeSync(file, line);
		ends.push((ends.at(-1) ?? 0) + line.length);
		onEvent(event);
	};
	const deliverOnce = (event: object) => {
		if (delivery.delayMs === undefined || roll() >= (delivery.late ?? 1)) {
			append(event);
			return;
		}
		const timer = setTimeout(() => {
			late.delete(timer);
			append(event);
		}, delivery.delayMs);
		late.set(timer, event);
	};

	return {
		emit(event) {
			if (closed || roll() < (delivery.drop ?? 0)) return;
			deliverOnce(event);
			if (roll() < (delivery.duplicate ?? 0)) deliverOnce(event);
		},
		read({ after = 0, limit = PAGE } = {}) {
			return ends.slice(after, after + limit).map((end, index) => {
				const start = ends[after + index - 1] ?? 0;
				const line = Buffer.alloc(end - start - 1);
				readSync(file, line, 0, line.length, start);
				return { position: after + index + 1, event: JSON.parse(line.toString()) as object };
			});
		},
		deliver(next) {
			delivery = next;
			roll = dice(next.seed ?? anySeed());
		},
		close() {
			for (const [timer, event] of late) {
				clearTimeout(timer);
				append(event);
			}
			late.clear();
			closed = true;
			closeSync(file);
		},
	};
}

/** The ends of the whole lines in the file; what a crash cut short after them is taken off. */
function lineEnds(file: number): number[] {
	const text = Buffer.alloc(fstatSync(file).size);
	readSync(file, text, 0, text.length, 0);
	const ends: number[] = [];
	for (let at = text.indexOf(NEW_LINE); at >= 0; at = text.indexOf(NEW_LINE, at + 1)) ends.push(at + 1);
	const whole = ends.at(-1) ?? 0;
	if (whole < text.length) ftruncateSync(file, whole);
	return ends;
}
