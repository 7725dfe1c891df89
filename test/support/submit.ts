/** Submitted transactions for tests, and the answers to them as the contract has them. */
import type { RunningApi } from './running-api.ts';
import { waitUntil } from './wait-until.ts';

export type Input = Record<string, unknown>;

let made = 0;

/** A valid transaction with an unused key. */
export function input(fields: Input = {}): Input {
  made += 1;
  return {
    idempotency_key: `key-${process.pid}-${made}`,
    account_id: 'acc_17',
    merchant_id: 'm_9',
    amount: '125.50',
    currency: 'USD',
    corridor: 'US-EG',
    ...fields,
  };
}

/** A valid label without the name of its transaction. */
export function labelInput(fields: Input = {}): Input {
  return {
    label: 'fraud',
    labelled_at: new Date().toISOString(),
    source: 'chargeback',
    ...fields,
  };
}

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of a body it states field by field
  readonly body: any;
};

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== '' && !text.includes('}\n{') ? JSON.parse(text) : text,
  };
}

/** Sends JSON by a key, or by RUNNING_API_KEY, and reads the answer. */
export async function send(
  api: Pick<RunningApi, 'request'>,
  method: string,
  path: string,
  body?: unknown,
  key?: string,
): Promise<Answer> {
  const headers = new Headers({ 'Content-Type': 'application/json' });
  if (key !== undefined) headers.set('Authorization', `Bearer ${key}`);
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  return await answerOf(await api.request(path, { method, headers, ...sent }));
}

/** Any bytes as the body of a submission, as JSON unless the headers say otherwise. */
export async function postJson(
  api: RunningApi,
  body: string | Uint8Array<ArrayBuffer>,
  path = '/v1/transactions',
  headers: Record<string, string> = {},
): Promise<Response> {
  return await api.request(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body,
  });
}

export async function postOne(api: RunningApi, body: Input, headers: Record<string, string> = {}) {
  return await answerOf(await postJson(api, JSON.stringify(body), undefined, headers));
}

export async function postBatch(api: RunningApi, transactions: readonly Input[]) {
  return await answerOf(await api.post('/v1/transactions/batch', { transactions }));
}

/** A batch that is repeated while a busy machine sheds it: nothing of a request that is shed was carried out. */
export async function insistOnBatch(api: RunningApi, transactions: readonly Input[]) {
  return await waitUntil(
    async () => {
      const answer = await postBatch(api, transactions);
      return answer.status === 503 ? undefined : answer;
    },
    20_000,
    'the batch to be taken',
  );
}

export async function postLabels(api: RunningApi, labels: readonly unknown[]) {
  return await answerOf(await api.post('/v1/labels', { labels }));
}

/** Rows of a table of the market, by a condition. */
export async function count(api: RunningApi, from: string): Promise<number> {
  const [row] = await api.testDatabase.sql<{ rows: number }>(
    `select count(*)::int as rows from ${from}`,
  );
  return row?.rows ?? 0;
}
