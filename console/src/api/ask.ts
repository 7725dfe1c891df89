/** Asks the API: an operation by its name in the document, with the types that follow from it. */
import type { Operations, Problem } from '../../../src/kit/client/api-types.ts';
import { noteServerDate } from './server-time.ts';
import { noteWrite, preferPrimary } from './written.ts';

/** A refusal, in the API's own words. */
export class Refusal extends Error {
  readonly status: number;
  readonly problem: Problem | undefined;

  constructor(status: number, problem: Problem | undefined) {
    super(problem?.detail ?? `The API answered ${status}.`);
    this.name = 'Refusal';
    this.status = status;
    this.problem = problem;
  }
}

/** Deadline of an action, because a frozen API accepts requests and never answers. Shorter: slow actions are reported as unanswered. */
const ANSWER_MS_MAX = 10_000;
export const deadline = () => AbortSignal.timeout(ANSWER_MS_MAX);

type Call = {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: object;
  /** Sent in place of the session. */
  readonly token?: string;
  /** The tag of what a change was made from: the API refuses the change where there is a newer one. */
  readonly ifMatch?: string;
  /** Why a clear value is read. */
  readonly reason?: string;
};

/** Shows the API that a page of its own makes the request. */
export const CONSOLE_HEADER = { 'X-Risk-Console': '1' } as const;

/** @throws Refusal for an answer of 400 or more; TypeError where there is no answer */
export async function ask<Name extends keyof Operations>(
  name: Name,
  call: Operations[Name]['call'] & Pick<Call, 'token' | 'ifMatch' | 'reason'>,
  signal?: AbortSignal,
): Promise<Operations[Name]['answer']> {
  const { path: names = {}, query = {}, body, token, ifMatch, reason }: Call = call;
  const [method = 'GET', pattern = ''] = name.split(' ');
  const path = pattern.replaceAll(/\{(\w+)\}/g, (_, field) =>
    encodeURIComponent(names[field] ?? ''),
  );
  const headers = new Headers(CONSOLE_HEADER);
  if (body !== undefined) headers.set('Content-Type', 'application/json');
  if (token !== undefined) headers.set('Authorization', `Bearer ${token}`);
  if (ifMatch !== undefined) headers.set('If-Match', ifMatch);
  if (reason !== undefined) headers.set('Risk-Reason', reason);
  if (method === 'GET') preferPrimary(headers);
  const askedAtMs = Date.now();
  const answer = await fetch(path + queryString(query), {
    method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
  noteServerDate(answer.headers.get('date'), askedAtMs);
  if (method !== 'GET') noteWrite();
  const text = await answer.text();
  if (!answer.ok) throw new Refusal(answer.status, parse<Problem>(text));
  return parse(text) as Operations[Name]['answer'];
}

/** Undefined for what is not JSON: an answer without a body, or of a proxy. */
function parse<Answer>(text: string): Answer | undefined {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return undefined;
  }
}

function queryString(parameters: Readonly<Record<string, unknown>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') query.append(name, String(value));
  }
  return query.size === 0 ? '' : `?${query}`;
}
