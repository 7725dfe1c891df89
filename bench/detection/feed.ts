/** Posts payments, and later their labels, to a running API, as an integrator would. */
import pLimit from 'p-limit';
import { type ApiClient, type Retries, refusal } from '../../src/kit/client/api-client.ts';
import { Failure } from '../../src/kit/words/failure.ts';
import type { Payment } from './published-days.ts';

export type Target = { readonly client: ApiClient; readonly retries: Retries };

const BATCH = 1000;
/** Requests under way: enough to keep the API busy, few enough that they hardly overtake each other. */
const TRANSACTION_REQUESTS = 2;
const LABEL_REQUESTS = 4;

/** @returns the engine's id of each payment */
export async function postPayments(
  target: Target,
  payments: readonly Payment[],
): Promise<string[]> {
  const answers = await inBatches(payments, TRANSACTION_REQUESTS, async (batch) => {
    const transactions = batch.map((payment) => ({
      idempotency_key: payment.id,
      account_id: payment.customer,
      merchant_id: payment.terminal,
      amount: payment.amount,
      currency: 'USD',
      corridor: 'US-US',
      created_at: payment.createdAt,
      ...payment.members,
    }));
    const answer = await post(target, '/v1/transactions/batch', { transactions });
    const { results } = answer as { results: { transaction_id: string }[] };
    return results.map((result) => result.transaction_id);
  });
  return answers.flat();
}

/** @param delayMs from a payment to when its label is known */
export async function postLabels(
  target: Target,
  payments: readonly Payment[],
  delayMs: number,
): Promise<void> {
  await inBatches(payments, LABEL_REQUESTS, async (batch) => {
    const labels = batch.map(({ id, createdAt, isFraud }) => ({
      idempotency_key: id,
      label: isFraud ? 'fraud' : 'legitimate',
      labelled_at: new Date(Date.parse(createdAt) + delayMs).toISOString(),
      source: 'published',
    }));
    await post(target, '/v1/labels', { labels });
  });
}

async function inBatches<T>(
  payments: readonly Payment[],
  requests: number,
  work: (batch: readonly Payment[]) => Promise<T>,
): Promise<T[]> {
  const limit = pLimit(requests);
  const batches = Array.from({ length: Math.ceil(payments.length / BATCH) }, (_, index) =>
    payments.slice(index * BATCH, (index + 1) * BATCH),
  );
  return await Promise.all(batches.map((batch) => limit(() => work(batch))));
}

async function post({ client, retries }: Target, path: string, body: object): Promise<unknown> {
  const answer = await retries(() => client.send({ method: 'POST', path, body }));
  if (answer.status >= 400) throw refusal(answer);
  if (answer.status === 200) return answer.body;
  throw new Failure('invalid', 'API_ANSWER', `${path} answered ${answer.status}`);
}
