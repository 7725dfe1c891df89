/** The token of everything that is committed now: for the answer to a write whose statements do not say their own number. */
import { answerWithin } from '../../process/settles-within.ts';
import { encodeToken, UNKNOWN_SYSTEM } from '../../words/consistency-token.ts';
import { isUnavailable } from '../../words/failure.ts';
import type { Database } from '../pool.ts';
import { readSnapshotBound } from './replica-position.ts';

/** Milliseconds that the answer to a write waits for its token. */
const TOKEN_MS_MAX = 1000;

/** Sends reads to the primary: the write is committed, but Postgres gave no token for it. */
const PRIMARY_TOKEN = encodeToken({ system: UNKNOWN_SYSTEM, xid: '0', isBound: true });

/** @param system system identifier of the database cluster of the primary */
export async function readBoundToken(
  primary: Pick<Database, 'query'>,
  system: string,
): Promise<string> {
  try {
    const xid = await answerWithin(readSnapshotBound(primary), TOKEN_MS_MAX);
    return encodeToken({ system, xid, isBound: true });
  } catch (error) {
    if (isUnavailable(error)) return PRIMARY_TOKEN;
    throw error;
  }
}
