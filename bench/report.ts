/** What a section found, and its one written form: Markdown, on the terminal and in docs/performance.md alike. */
import { cpus, totalmem } from 'node:os';
import { p50, p95, type Samples } from './measure.ts';

export type Table = { readonly title: string; readonly head: readonly string[]; readonly rows: readonly Row[] };
type Row = readonly string[];

/** A bar that was set, and what this run found. */
export type Aim = { readonly what: string; readonly aim: string; readonly found: string; readonly met: boolean };

export type Section = {
	readonly title: string;
	/** What was compared, of what size, how often. */
	readonly about: string;
	readonly aims: readonly Aim[];
	readonly tables: readonly Table[];
};

export const ms = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2));
export const ratio = (value: number): string => `${value >= 10 ? value.toFixed(1) : value.toFixed(2)}x`;
export const kilobytes = (bytes: number): string => (bytes / 1024).toFixed(0);
/** The two columns that every timed row has. */
export const times = (samples: Samples): [string, string] => [ms(p50(samples)), ms(p95(samples))];

/** `found` against an aim of at most `most`. */
export function atMost(what: string, most: number, found: number, print: (value: number) => string): Aim {
	return { what, aim: `at most ${print(most)}`, found: print(found), met: found <= most };
}

/** `found` against an aim of at least `least`. */
export function atLeast(what: string, least: number, found: number, print: (value: number) => string): Aim {
	return { what, aim: `at least ${print(least)}`, found: print(found), met: found >= least };
}

export function machine(): string {
	const processors = cpus();
	const memory = (totalmem() / 1024 ** 3).toFixed(0);
	const model = processors[0]?.model.trim() ?? 'unknown processor';
	return `${processors.length} x ${model}, ${memory} GB, ${process.platform} ${process.arch}, Node ${process.versions.node}`;
}

export function renderSection({ title, about, aims, tables }: Section): string {
	const parts = [`## ${title}`, about, ...tables.map((t) => `${t.title}:\n\n${grid(t.head, t.rows)}`)];
	if (aims.length > 0) parts.splice(2, 0, aimsTable(aims));
	return parts.join('\n\n');
}

const HEADING = '## ';

/** The document with what was found now: a section of the same title is replaced, a new one comes last. */
export function renderDocument(before: string, found: readonly Section[], day: string): string {
	const old = before.split(`\n${HEADING}`).slice(1);
	const sections = new Map(old.map((text) => [text.slice(0, text.indexOf('\n')), `${HEADING}${text.trim()}`]));
	for (const section of found) {
		const [title = '', ...rest] = renderSection(section).split('\n\n');
		sections.set(section.title, [title, `Measured ${day}: ${machine()}.`, ...rest].join('\n\n'));
	}
	return `${[INTRODUCTION, ...sections.values()].join('\n\n')}\n`;
}

const INTRODUCTION = [
	'# Performance',
	'Written by `npm run bench`; do not edit. With names of sections (`npm run bench -- decide`) only those are measured anew.',
	[
		'Everything runs on one machine, against the embedded AWS: its DynamoDB answers in one to four milliseconds, its Athena',
		'is DuckDB. So absolute times are not those of a deployment; ratios and differences are, as far as the store is alike.',
		'Each comparison is of one run, its sides taken in turns. Times are in milliseconds.',
	].join('\n'),
].join('\n\n');

function aimsTable(aims: readonly Aim[]): string {
	return grid(
		['aim', 'at', 'found', ''],
		aims.map(({ what, aim, found, met }) => [what, aim, found, met ? 'met' : '**missed**']),
	);
}

function grid(head: Row, rows: readonly Row[]): string {
	const line = (cells: Row) => `| ${cells.join(' | ')} |`;
	const rule = head.map((_, i) => (i === 0 ? '---' : '---:'));
	return [line(head), line(rule), ...rows.map(line)].join('\n');
}
