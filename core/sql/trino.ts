/** The Trino dialect: the common form as it is. This text is what Athena runs. */
import { printResolved } from './print-resolved.ts';
import type { Resolved } from './resolved.ts';

export function printTrino(resolved: Resolved): string {
	return printResolved(resolved, { expression: () => null });
}
