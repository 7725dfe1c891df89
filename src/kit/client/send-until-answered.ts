/** Sends a request that may be repeated until it has a final answer. */
import { Failure, isUnavailable } from '../words/failure.ts';
import { type ApiAnswer, type ApiClient, type ApiRequest, refusal } from './api-client.ts';
import type { RetryPolicy } from './retry-policy.ts';

/** Answers after which the same request is sent again. */
const RETRIED = new Set([408, 409, 425, 429, 500, 502, 503, 504]);
/** Answers that guarantee that nothing was stored. */
const NOTHING_STORED = new Set([425, 429]);

/** @returns `repeated`: an earlier try may be the one that was carried out */
export async function sendUntilAnswered(
  { client, retryPolicy }: { readonly client: ApiClient; readonly retryPolicy: RetryPolicy },
  request: Omit<ApiRequest, 'method'>,
): Promise<{ answer: ApiAnswer; repeated: boolean }> {
  let repeated = false;
  for (let attempt = 1; ; attempt++) {
    const answer = await client.send({ method: 'POST', ...request }).catch(unavailableOnly);
    if ('status' in answer && !RETRIED.has(answer.status)) {
      retryPolicy.succeeded();
      return { answer, repeated };
    }
    if (!('status' in answer)) {
      repeated = true;
      await retryPolicy.beforeRetry(attempt, null, answer);
      continue;
    }
    repeated ||= !NOTHING_STORED.has(answer.status);
    await retryPolicy.beforeRetry(attempt, answer.retryAfterMs, refusal(answer));
  }
}

function unavailableOnly(error: unknown): Failure {
  if (error instanceof Failure && isUnavailable(error)) return error;
  throw error;
}
