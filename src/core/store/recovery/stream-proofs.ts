/**
 * Proofs that streams are those that were last seen (src/core/stream/status/continuity.ts): one row each, kept for ever.
 */
import { textArray } from '../../../kit/database/binary-array.ts';
import type { Database } from '../../../kit/database/pool.ts';

type Queries = Pick<Database, 'query'>;

type Proof = { readonly token: string; readonly history: string };

const readStatement = {
  name: 'read-stream-proofs',
  text: 'select stream, token, history from market.stream_proofs',
};

/** Reads all proofs; each has the name of its stream as key. */
export async function readStreamProofs(database: Queries): Promise<ReadonlyMap<string, Proof>> {
  const rows = await database.query<Proof & { stream: string }>(readStatement);
  return new Map(rows.map(({ stream, ...proof }) => [stream, proof]));
}

const writeStatement = {
  name: 'write-stream-proofs',
  text: `insert into market.stream_proofs (stream, token, history)
         select * from unnest($1::text[], $2::text[], $3::text[])
             on conflict (stream) do update
                set token = excluded.token, history = excluded.history, proven_at = now()`,
};

export async function writeStreamProofs(
  database: Queries,
  proofs: ReadonlyMap<string, Proof>,
): Promise<void> {
  const values = [...proofs.values()];
  await database.query(writeStatement, [
    textArray([...proofs.keys()]),
    textArray(values.map(({ token }) => token)),
    textArray(values.map(({ history }) => history)),
  ]);
}
