/**
 * Room for a few at once, shared fairly: of those that wait, the lane with the fewest inside comes next, and among equals
 * the one that was let in longest ago. However many wait in one lane, another one's first waits for one place only.
 */
export type Lanes = {
	/** Resolves to true once there is room, to false if the signal comes first. */
	readonly take: (lane: string, signal: AbortSignal) => Promise<boolean>;
	/** Gives the place back. */
	readonly give: (lane: string) => void;
};

export function openLanes(most: number): Lanes {
	/** Of each lane that is in use: how many are inside, and when one was let in last. */
	const inside = new Map<string, { readonly count: number; readonly last: number }>();
	const waiting = new Map<string, Set<() => void>>();
	let taken = 0;
	let turn = 0;

	const enter = (lane: string) => {
		inside.set(lane, { count: (inside.get(lane)?.count ?? 0) + 1, last: ++turn });
		taken++;
	};
	const leave = (lane: string) => {
		const { count = 0, last = 0 } = inside.get(lane) ?? {};
		inside.set(lane, { count: count - 1, last });
		taken--;
	};
	const forget = (lane: string) => {
		if (!waiting.has(lane) && inside.get(lane)?.count === 0) inside.delete(lane);
	};
	const comesBefore = (lane: string, other: string) => {
		const [a, b] = [inside.get(lane), inside.get(other)];
		const fewer = (a?.count ?? 0) - (b?.count ?? 0);
		return fewer === 0 ? (a?.last ?? 0) < (b?.last ?? 0) : fewer < 0;
	};
	const stopWaiting = (lane: string, one: () => void) => {
		const queue = waiting.get(lane);
		queue?.delete(one);
		if (queue?.size === 0) waiting.delete(lane);
	};
	const letIn = () => {
		let next: string | undefined;
		for (const lane of waiting.keys()) if (next === undefined || comesBefore(lane, next)) next = lane;
		const [first] = (next === undefined ? undefined : waiting.get(next)) ?? [];
		if (next === undefined || first === undefined) return;
		stopWaiting(next, first);
		enter(next);
		first();
	};

	return {
		take: (lane, signal) =>
			new Promise((resolve) => {
				if (signal.aborted) return resolve(false);
				if (taken < most) {
					enter(lane);
					return resolve(true);
				}
				const onRoom = () => {
					signal.removeEventListener('abort', onAbort);
					resolve(true);
				};
				const onAbort = () => {
					stopWaiting(lane, onRoom);
					forget(lane);
					resolve(false);
				};
				waiting.set(lane, (waiting.get(lane) ?? new Set()).add(onRoom));
				signal.addEventListener('abort', onAbort, { once: true });
				return undefined;
			}),
		give(lane) {
			leave(lane);
			letIn();
			forget(lane);
		},
	};
}
