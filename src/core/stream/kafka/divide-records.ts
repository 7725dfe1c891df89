/** Divides records so that no batch is too large: what one call sends to a partition is a batch, which a broker takes or refuses whole. */
import { nameOfPartition } from './claim.ts';

export type LogRecord = {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
};

/** Bytes of a batch: brokers take 1 MiB as they are shipped, and a fetch brings as much of a partition. */
export const BATCH_BYTES_MAX = 256 * 1024;
/** Lengths, time and offset of a record, and lengths of each header. */
const [RECORD_BYTES, HEADER_BYTES] = [32, 8];

/** Parts to send one after the other; records of a partition stay in their order, and a larger one is alone. */
export function divideRecords(records: readonly LogRecord[]): LogRecord[][] {
  const parts: LogRecord[][] = [];
  const filled = new Map<string, { readonly part: number; readonly bytes: number }>();
  for (const record of records) {
    const name = nameOfPartition(record.topic, record.partition);
    const { part, bytes } = filled.get(name) ?? { part: 0, bytes: 0 };
    const own = bytesOf(record);
    const isFull = bytes > 0 && bytes + own > BATCH_BYTES_MAX;
    const to = isFull ? part + 1 : part;
    filled.set(name, { part: to, bytes: isFull ? own : bytes + own });
    const group = parts[to];
    if (group === undefined) parts.push([record]);
    else group.push(record);
  }
  return parts;
}

function bytesOf({ key, value, headers }: LogRecord): number {
  return Object.entries(headers).reduce(
    (sum, [name, text]) => sum + name.length + Buffer.byteLength(text) + HEADER_BYTES,
    RECORD_BYTES + Buffer.byteLength(key) + value.length,
  );
}
