/** Memory use of the nodes of Redis, by their limits. */
import type { Redis } from 'ioredis';
import { infoField } from './info-field.ts';

type NodeMemory = {
  /** The memory that counts against the limit: without buffers of replicas and of the append-only file. */
  readonly usedBytes: number;
  /** maxmemory; infinite without one. */
  readonly maxBytes: number;
};

export async function readMemory(node: Redis): Promise<NodeMemory> {
  const info = await node.info('memory');
  const field = (name: string) => Number(infoField(info, name) ?? 0);
  return {
    usedBytes: field('used_memory') - field('mem_not_counted_for_evict'),
    maxBytes: field('maxmemory') || Number.POSITIVE_INFINITY,
  };
}

/** 0 without a limit. */
export function usedShare({ usedBytes, maxBytes }: NodeMemory): number {
  return usedBytes / maxBytes;
}
