/** Transaction ids in 16 bytes each: a replay remembers the id of every accepted row. */
export type IdList = {
  readonly size: () => number;
  /** Adds an id in its canonical text form. */
  add(id: string): void;
  /** The ids as buffers, each a whole number of ids. */
  chunks(): Iterable<Buffer>;
};

const ID_BYTES = 16;
const CHUNK_IDS = 65_536;

export function createIdList(): IdList {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    size: () => size,
    add(id) {
      const at = size % CHUNK_IDS;
      if (at === 0) chunks.push(Buffer.allocUnsafeSlow(CHUNK_IDS * ID_BYTES));
      const written = chunks.at(-1)?.write(id.replaceAll('-', ''), at * ID_BYTES, ID_BYTES, 'hex');
      if (written !== ID_BYTES) throw new Error(`'${id}' is not a UUID`);
      size++;
    },
    *chunks() {
      for (const [index, chunk] of chunks.entries()) {
        const ids = Math.min(CHUNK_IDS, size - index * CHUNK_IDS);
        yield chunk.subarray(0, ids * ID_BYTES);
      }
    },
  };
}
