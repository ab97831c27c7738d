/** The thread that reads SQL, bundled once for all test files as the deployment does: its start is paid by each bank. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bundleParser } from '../infra/bundle.ts';

export async function setup(): Promise<() => void> {
	const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-parser-'));
	process.env['PARSER_FILE'] = await bundleParser(folder);
	return () => {
		rmSync(folder, { recursive: true });
	};
}
