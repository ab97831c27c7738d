/** A row filter's text read at once: the embedded AWS waits for no thread. */
import { type FilterColumn, invalidAsFilter, type RowFilter, rowFilterOf } from '#core/rowfilter.ts';
import { parseExpression } from '#core/syntax.ts';

/** As `readRowFilter` of core. */
export function parseRowFilter(written: string, columns: readonly FilterColumn[]): RowFilter {
	return rowFilterOf(read(written), columns);
}

function read(written: string) {
	try {
		return parseExpression(written);
	} catch (error) {
		return invalidAsFilter(error);
	}
}
