/** The columns of the role matrix: somebody without a token, then every sample person with the roles he has. */
import { type Handle, isHandle, people } from '#local/people.ts';
import type { World } from '#local/story/world.ts';

/** Without a token. */
export const NOBODY = 'nobody';
export type Column = Handle | typeof NOBODY;

export const columns: readonly Column[] = [NOBODY, ...Object.keys(people).filter(isHandle)];

/** What each column stands for, as the domains file says it. */
export function describeColumns({ domains }: Pick<World, 'domains'>): Record<string, string> {
	const described = columns.map((column): [string, string] => {
		if (column === NOBODY) return [column, 'without a token'];
		const held = domains.flatMap(({ id, members }) =>
			members
				.filter((m) => m.person === column)
				.flatMap(({ roles, actsFor, service }) => [
					...roles.map((role) => `${role} of ${id}`),
					...(service === true ? ['a program'] : []),
					...(actsFor === undefined ? [] : [`acting for ${actsFor}`]),
				]),
		);
		return [column, held.join(', ') || 'registered nowhere'];
	});
	return Object.fromEntries(described);
}
