/**
 * Consistency tokens: the answer to a write has one, and a read that carries it finds what was written, whichever Postgres
 * answers it. To a client a token is opaque: 17 bytes as base64url, which are the database cluster (u64, big-endian), the
 * number of the database transaction (u64, big-endian) and whether smaller numbers count as well (0 or 1).
 */

/** Names a commit without a question after it: Postgres numbers its database transactions before they commit. */
export type WriteMark = {
  /** Number of a database transaction, as Postgres' xid8. */
  readonly xid: string;
  /** True where the rows may be of any database transaction with a smaller number, and not of this one. */
  readonly isBound: boolean;
};

export type ConsistencyToken = WriteMark & {
  /** System identifier of the database cluster: numbers of two clusters do not compare. */
  readonly system: string;
};

/** System identifier of no cluster: a read that carries its token is answered by the primary. */
export const UNKNOWN_SYSTEM = '0';

const BYTES = 17;
/** Every token, and some texts that are none. */
export const TOKEN = /^[A-Za-z0-9_-]{23}$/;

export function encodeToken({ system, xid, isBound }: ConsistencyToken): string {
  const bytes = Buffer.alloc(BYTES);
  bytes.writeBigUInt64BE(BigInt(system), 0);
  bytes.writeBigUInt64BE(BigInt(xid), 8);
  bytes.writeUInt8(isBound ? 1 : 0, 16);
  return bytes.toString('base64url');
}

/** Reads a token; undefined for a text that the engine did not make. */
export function decodeToken(text: string): ConsistencyToken | undefined {
  if (!TOKEN.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  const token = {
    system: String(bytes.readBigUInt64BE(0)),
    xid: String(bytes.readBigUInt64BE(8)),
    isBound: bytes.readUInt8(16) === 1,
  };
  return encodeToken(token) === text ? token : undefined;
}
