import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mustMatch } from '#core/etag.ts';

const detail = 'Not what you saw.';
const check = (ifMatch: string, current: string | null) => () => mustMatch(ifMatch, current, detail);

describe('If-Match', () => {
	it.each([
		['another tag', '"2"'],
		['a weak tag', 'W/"1"'],
		['a weak tag among others', '"2", W/"1"'],
		['a tag without quotes', '1'],
		['nothing', ''],
		['empty elements alone', ' , ,'],
		['a tag that only contains it', '"x,"1""'],
		['a list that is broken after it', '"1", x'],
		['a list that is broken before it', 'x, "1"'],
		['two tags without a comma', '"2" "1"'],
		['it beside a star', '"1", *'],
	])('is refused for %s', (_, ifMatch) => {
		expect(check(ifMatch, '"1"')).toThrow(expect.objectContaining({ code: 'stale', message: detail }));
	});

	it('is refused where there is nothing to match', () => {
		expect(check('"1"', null)).toThrow(expect.objectContaining({ code: 'stale', message: detail }));
	});

	it.each(['*', ' * '])('is refused for %j by a detail of its own, whatever there is', (star) => {
		for (const current of ['"1"', null]) {
			expect(check(star, current)).toThrow(
				expect.objectContaining({ code: 'stale', message: expect.stringContaining('`ETag`') }),
			);
		}
	});

	it.each(['"1"', ' "1"\t', '"2", "1"', '"1","2"', 'W/"1", "1"', ',"2",,"1",'])('takes %j', (ifMatch) => {
		expect(check(ifMatch, '"1"')).not.toThrow();
	});

	it('matches just if one of the strong tags equals, whatever they hold', () => {
		const opaque = fc.stringMatching(/^[\x21\x23-\x7e]{0,4}$/);
		const tag = fc.record({ weak: fc.boolean(), text: opaque });
		fc.assert(
			fc.property(fc.array(tag, { maxLength: 5 }), opaque, (tags, now) => {
				const header = tags.map(({ weak, text }) => `${weak ? 'W/' : ''}"${text}"`).join(', ');
				const matches = tags.some(({ weak, text }) => !weak && text === now);
				if (matches) expect(check(header, `"${now}"`)).not.toThrow();
				else expect(check(header, `"${now}"`)).toThrow(detail);
			}),
		);
	});
});
