/** A person with a key, who sends requests to the API of a pipeline. */
import { setTimeout as delay } from 'node:timers/promises';
import { insertPersonKey } from '../../test/support/people.ts';
import type { Pipeline } from './pipeline.ts';
import type { Services } from './services.ts';

export type Answer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };
export type Person = (method: string, path: string, body?: object) => Promise<Answer>;

const AGAIN_MS = 100;

/** Statements with the columns that the caller names. */
export function sqlOf({ database }: Pick<Services, 'database'>) {
  return async <R extends object>(text: string, values: readonly unknown[] = []): Promise<R[]> =>
    (await database.query(text, [...values])).rows as R[];
}

/** A risk officer, who sends again what was refused for a while: beside much traffic any request may be. */
export async function openPerson(
  { services, apiPort }: Pipeline,
  name: string,
  signal: AbortSignal,
): Promise<Person> {
  const key = await insertPersonKey({ sql: sqlOf(services) }, name, ['risk_officer']);
  return async (method, path, body) => {
    for (;;) {
      const response = await fetch(`http://127.0.0.1:${apiPort}${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal,
      });
      const answer = { status: response.status, body: (await response.json()) as Answer['body'] };
      if (answer.status !== 429 && answer.status !== 503) return answer;
      await delay(AGAIN_MS, undefined, { signal });
    }
  };
}

/** The body of an answer that was no refusal. */
export function taken({ status, body }: Answer): Answer['body'] {
  if (status < 300) return body;
  throw new Error(`${status} ${JSON.stringify(body)}`);
}
