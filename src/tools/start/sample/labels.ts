/** Imports the labels that are known by now. An investigation takes days, so the newest transactions have none. */
import type { LabelInput } from '../../../kit/client/api-types.ts';
import type { AskApi } from '../../../kit/client/ask.ts';
import type { RowBody } from '../../../kit/client/fields.ts';
import { openSource } from '../../../kit/client/rows.ts';
import { EACH_COLUMN } from './transactions.ts';

const BATCH_ROWS = 1_000;

/** @returns the number of labels of the file that the engine has; a repeated import changes nothing */
export async function importLabels(ask: AskApi, file: string, nowMs: number): Promise<number> {
  const source = await openSource(file, EACH_COLUMN);
  let known = 0;
  for await (const { rows } of source.batches(BATCH_ROWS, 0)) {
    const labels = rows
      .map(({ body }) => labelOf(body))
      .filter(({ labelled_at: at }) => Date.parse(at) <= nowMs);
    if (labels.length === 0) continue;
    const { accepted, unchanged } = await ask('POST /v1/labels', { body: { labels } });
    known += accepted + unchanged;
  }
  return known;
}

const labelOf = (body: RowBody): LabelInput => ({
  idempotency_key: String(body['idempotency_key']),
  label: body['label'] === 'fraud' ? 'fraud' : 'legitimate',
  labelled_at: String(body['labelled_at']),
  source: String(body['source']),
});
