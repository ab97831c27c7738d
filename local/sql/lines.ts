/**
 * Lines of a stream of UTF-8, in constant memory. Only a line feed ends a line, as in JSON lines: the readline module of Node
 * also ends one at U+2028 and U+2029, which JSON text may have in a string.
 */

/** Far more than the longest statement that is read, with every character escaped. */
const MAX_LINE = 4 * 1024 * 1024;

/** Each line, or null for one that is too long. What follows the last line feed is a line if there is anything. */
export async function* linesOf(input: AsyncIterable<Uint8Array>, maxLine = MAX_LINE): AsyncGenerator<string | null> {
	const decoder = new TextDecoder();
	let begun = '';
	let tooLong = false;
	const close = (): string | null => {
		const line = tooLong ? null : begun.replace(/\r$/, '');
		begun = '';
		tooLong = false;
		return line;
	};
	const add = (part: string) => {
		tooLong ||= begun.length + part.length > maxLine;
		begun = tooLong ? '' : begun + part;
	};
	for await (const chunk of input) {
		const parts = decoder.decode(chunk, { stream: true }).split('\n');
		for (const [i, part] of parts.entries()) {
			if (i > 0) yield close();
			add(part);
		}
	}
	add(decoder.decode());
	if (tooLong || begun !== '') yield close();
}
