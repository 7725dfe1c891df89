/** Transactions that their bank disputes, scored by the engine: each has a case of priority P0. */
import { answerOf, input, labelInput, postBatch, postLabels } from '../../support/submit.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { Engine } from './engine.ts';

const WITHIN_MS = 120_000;

/** @param transactions fields beside the usual ones @returns the ids in order */
export async function openDisputes(
  { api }: Engine,
  transactions: readonly Readonly<Record<string, unknown>>[],
): Promise<string[]> {
  const { body } = await postBatch(
    api,
    transactions.map((fields) => input(fields)),
  );
  const ids: string[] = body.results.map((one: { transaction_id: string }) => one.transaction_id);
  const read = async (path: string) => await answerOf(await api.request(path));
  const areAll = async (path: (id: string) => string) => {
    const answers = await Promise.all(ids.map((id) => read(path(id))));
    return answers.every(({ status }) => status === 200);
  };
  await waitUntil(() => areAll((id) => `/v1/scores/${id}`), WITHIN_MS, 'scores');
  const labels = ids.map((id) => labelInput({ transaction_id: id, source: 'bank' }));
  const answer = await postLabels(api, labels);
  if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
  await waitUntil(() => areAll((id) => `/v1/reviews/${id}`), WITHIN_MS, 'cases');
  return ids;
}
