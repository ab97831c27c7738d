/** The contracts of a lake, read from its folder: the text as it would be sent over HTTP, and what it says. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Contract, type ContractFault, parseContract } from '#core/contract.ts';
import { BrokerError } from '#core/error.ts';

export type ContractFile = {
	readonly file: string;
	readonly text: string;
	readonly format: 'yaml' | 'json';
	readonly contract: Contract;
};

/** In order of file name. Throws with the file and line of every fault of the first file that has any. */
export function readContracts(folder: string): ContractFile[] {
	const names = readdirSync(folder).filter((name) => /\.(ya?ml|json)$/.test(name));
	if (names.length === 0) throw new Error(`There is no contract (.yaml or .json) in ${folder}`);
	return names.toSorted().map((name) => {
		const file = path.join(folder, name);
		const text = readFileSync(file, 'utf8');
		const format = name.endsWith('.json') ? 'json' : 'yaml';
		return { file, text, format, contract: parse(file, text, format) };
	});
}

function parse(file: string, text: string, format: 'yaml' | 'json'): Contract {
	try {
		return parseContract(text, format);
	} catch (cause) {
		if (!(cause instanceof BrokerError)) throw cause;
		const faults: readonly ContractFault[] = cause.extensions.errors ?? [];
		const lines = faults.map(({ pointer, detail, line }) => `${file}:${line ?? 1} ${pointer} ${detail}`);
		throw new Error([cause.message, ...lines].join('\n'), { cause });
	}
}
