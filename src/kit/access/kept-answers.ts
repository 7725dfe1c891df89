/** The table of kept answers to writes with an idempotency key. The HTTP edge derives and encrypts the columns. */
import type { Database } from '../database/pool.ts';
import { firstOf, rowsOf } from '../database/statement.ts';
import type { Log } from '../metrics/log.ts';
import { toError } from '../words/failure.ts';

/** Least time that an answer is kept. Shorter: a retry after a night is carried out twice; longer: more rows. */
export const ANSWER_KEPT_HOURS = 24;

/** The row of an earlier request with the key. */
export type EarlierRequest = {
  readonly fingerprint: Buffer;
  /** Null while the request runs, and where its process died. */
  readonly answer: Buffer | null;
  readonly ageMs: number;
};

const insert = rowsOf<object, [digest: Buffer, fingerprint: Buffer]>(
  'claim-answer',
  `insert into market.kept_answers (digest, fingerprint) values ($1, $2)
       on conflict (digest) do nothing returning digest`,
);
const find = firstOf<EarlierRequest, [digest: Buffer]>(
  'find-answer',
  `select fingerprint, answer, (extract(epoch from now() - claimed_at) * 1000)::float8 as "ageMs"
     from market.kept_answers where digest = $1`,
);
const update = rowsOf<object, [digest: Buffer, answer: Buffer]>(
  'store-answer',
  'update market.kept_answers set answer = $2 where digest = $1',
);
const remove = rowsOf<object, [digest: Buffer]>(
  'release-answer',
  'delete from market.kept_answers where digest = $1 and answer is null',
);

export type KeptAnswers = ReturnType<typeof createKeptAnswers>;

export function createKeptAnswers(
  { query, write }: Pick<Database, 'query' | 'write'>,
  log: Pick<Log, 'warn'>,
) {
  const settle = async (writing: Promise<object[]>) => {
    await writing.catch((error: unknown) => {
      log.warn({ err: toError(error) }, 'the answer of an idempotency key was not kept');
    });
  };
  return {
    /** Claims a key in a commit of its own. @returns the earlier request that has the key, if any */
    claim: async (digest: Buffer, fingerprint: Buffer): Promise<EarlierRequest | undefined> => {
      if ((await insert(write, digest, fingerprint)).length > 0) return undefined;
      // The earlier request may have released the key since: an age of 0 asks the caller to try again.
      return (await find(query, digest)) ?? { fingerprint, answer: null, ageMs: 0 };
    },
    /** Keeps the answer. Never rejects, as the request is done even where the row cannot be written. */
    store: (digest: Buffer, answer: Buffer) => settle(update(write, digest, answer)),
    /** Frees the key of a request that has stored nothing; never rejects. */
    release: (digest: Buffer) => settle(remove(write, digest)),
  };
}
