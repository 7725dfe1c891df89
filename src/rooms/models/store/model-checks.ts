/** The record of which process proved or refused which model. Append-only. */
import type { Database } from '../../../kit/database/pool.ts';

const DETAIL_CHARS_MAX = 1024;

type ModelCheck = {
  readonly modelId: string;
  /** Name of the process in its log. */
  readonly process: string;
  readonly nodeVersion: string;
  /** Null: the model passed. */
  readonly detail: string | null;
};

const insertStatement = {
  name: 'insert-model-check',
  text: `insert into market.model_checks (model_id, process, node_version, passed, detail)
         values ($1, $2, $3, $4, $5)`,
};

export async function insertModelCheck(
  database: Pick<Database, 'query'>,
  { modelId, process, nodeVersion, detail }: ModelCheck,
): Promise<void> {
  await database.query(insertStatement, [
    ...[modelId, process, nodeVersion, detail === null],
    detail?.slice(0, DETAIL_CHARS_MAX) ?? null,
  ]);
}
