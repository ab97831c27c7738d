/** A map in the order of its keys: a list of short lists, so that nothing is moved or sorted as a whole. */

/** Where a list is split in two. */
const MOST = 512;

type Chunk<V> = { readonly keys: string[]; readonly values: V[] };

export class Sorted<V> {
	readonly #chunks: Chunk<V>[] = [{ keys: [], values: [] }];
	#size = 0;

	/** The same keys and the same values, apart from this one. */
	copy(): Sorted<V> {
		const other = new Sorted<V>();
		other.#chunks.length = 0;
		for (const { keys, values } of this.#chunks) other.#chunks.push({ keys: [...keys], values: [...values] });
		other.#size = this.#size;
		return other;
	}

	get size(): number {
		return this.#size;
	}

	get(key: string): V | undefined {
		const { chunk, at } = this.#find(key);
		return chunk.keys[at] === key ? chunk.values[at] : undefined;
	}

	set(key: string, value: V): void {
		const { chunk, at, index } = this.#find(key);
		if (chunk.keys[at] === key) {
			chunk.values[at] = value;
			return;
		}
		chunk.keys.splice(at, 0, key);
		chunk.values.splice(at, 0, value);
		this.#size += 1;
		if (chunk.keys.length <= MOST) return;
		const half = Math.floor(MOST / 2);
		this.#chunks.splice(index + 1, 0, { keys: chunk.keys.splice(half), values: chunk.values.splice(half) });
	}

	delete(key: string): void {
		const { chunk, at, index } = this.#find(key);
		if (chunk.keys[at] !== key) return;
		chunk.keys.splice(at, 1);
		chunk.values.splice(at, 1);
		this.#size -= 1;
		if (chunk.keys.length === 0 && this.#chunks.length > 1) this.#chunks.splice(index, 1);
	}

	/** From the first key that is not below `from` (with `back`, from the last that is not above it), in order. */
	*entries(from: string | null, back: boolean): Generator<[string, V]> {
		const begin = from === null ? null : this.#find(from);
		const last = this.#chunks.length - 1;
		let index = begin?.index ?? (back ? last : 0);
		let at = begin?.at ?? (back ? (this.#chunks[last]?.keys.length ?? 0) : 0);
		const exact = begin !== null && begin.chunk.keys[begin.at] === from;
		if (back && !exact) at -= 1;
		for (; index >= 0 && index <= last; index += back ? -1 : 1, at = back ? Infinity : 0) {
			const { keys, values } = this.#chunks[index] ?? { keys: [], values: [] };
			for (let i = Math.min(at, keys.length - (back ? 1 : 0)); i >= 0 && i < keys.length; i += back ? -1 : 1) {
				yield [keys[i] ?? '', values[i] as V];
			}
		}
	}

	/** The chunk where a key is or would be, and the place of the first key there that is not below it. */
	#find(key: string): { chunk: Chunk<V>; index: number; at: number } {
		let [low, high] = [1, this.#chunks.length];
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((this.#chunks[middle]?.keys[0] ?? '') > key) high = middle;
			else low = middle + 1;
		}
		const index = low - 1;
		const chunk = this.#chunks[index] as Chunk<V>;
		const { keys } = chunk;
		let [at, end] = [0, keys.length];
		while (at < end) {
			const middle = (at + end) >>> 1;
			if ((keys[middle] ?? '') >= key) end = middle;
			else at = middle + 1;
		}
		return { chunk, index, at };
	}
}
