/**
 * Prepared requests on their way to the sockets: read from their file in blocks, as a read of its own for each
 * single post costs the generator more than sending it.
 */
import type { FileHandle } from 'node:fs/promises';

const BLOCK_BYTES = 2 ** 20;

/** Gives a request by its index. They are asked for in order, though by many at a time. */
export function createRequestReader(
  handle: FileHandle,
  offsets: Float64Array,
  blockBytes = BLOCK_BYTES,
): (index: number) => Promise<Buffer> {
  let block: Buffer = Buffer.alloc(0);
  let blockFrom = 0;
  let loading: Promise<void> | undefined;
  const load = async (from: number, bytes: number) => {
    // A new one each time: what is being sent are views of the old one.
    const fresh = Buffer.allocUnsafe(Math.max(blockBytes, bytes));
    const { bytesRead } = await handle.read(fresh, 0, fresh.byteLength, from);
    if (bytesRead < bytes) throw new Error(`the file of requests ends before ${from + bytes}`);
    block = fresh.subarray(0, bytesRead);
    blockFrom = from;
    loading = undefined;
  };
  return async (index) => {
    const from = offsets[index] ?? 0;
    const to = offsets[index + 1] ?? 0;
    while (from < blockFrom || to > blockFrom + block.byteLength) {
      loading ??= load(from, to - from);
      await loading;
    }
    return block.subarray(from - blockFrom, to - blockFrom);
  };
}
