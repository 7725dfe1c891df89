/** The HTTP client of the commands: a deadline for each request, whole answers, and one error for what may pass. */

import { setTimeout as wait } from 'node:timers/promises';
import { parseJson } from '../words/cursor.ts';
import { Failure, isUnavailable, reasonOf } from '../words/failure.ts';
import { isPathStep, NO_SEGMENT } from '../words/plain-text.ts';
import type { Operations, Problem } from './api-types.ts';

type ApiRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
};

export type ApiAnswer = {
  readonly status: number;
  /** The object of a JSON answer; undefined for any other text. */
  readonly body: object | undefined;
};

export type ApiClient = {
  /** @throws ApiUnavailable where the same request may be answered later */
  send(request: ApiRequest): Promise<ApiAnswer>;
};

export type ApiOptions = {
  readonly url: string;
  readonly key: string | undefined;
  /** The market that answers, where the API serves several. */
  readonly market?: string | undefined;
  /** Called before each request. */
  readonly onRequest?: (() => void) | undefined;
  readonly signal: AbortSignal;
};

/** Longer than the API's own deadline of a request, so that its answer arrives first. */
const REQUEST_TIMEOUT_MS = 30_000;
/** A larger answer would fill the memory of the command; the API's own answers are a hundredth of that. */
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;
/** Statuses after which the same request may have another answer. */
const PASSING = new Set([408, 409, 425, 429, 500, 502, 503, 504]);
/** Statuses of requests of which nothing was carried out. */
const UNTOUCHED = new Set([425, 429]);

/** Codes of a connection that was never made: nothing of a request was sent. */
const NOT_REACHED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);

/** The API does not answer, or not now. */
export class ApiUnavailable extends Failure {
  /** From Retry-After; null when the answer has none. */
  readonly retryAfterMs: number | null;
  /** True where the API may have carried the request out. */
  readonly mayBeDone: boolean;

  constructor(why: string, how: { retryAfterMs?: number | null; mayBeDone?: boolean } = {}) {
    super('unavailable', 'API_UNAVAILABLE', why);
    this.retryAfterMs = how.retryAfterMs ?? null;
    this.mayBeDone = how.mayBeDone ?? true;
  }
}

/** Resolves to the value of the first try that succeeds; a try calls `progressed` where a part of it has. */
export type Retries = <T>(attempt: (progressed: () => void) => Promise<T>) => Promise<T>;

export type RetryOptions = {
  readonly outageMsMax: number;
  readonly signal: AbortSignal;
  /** Called once an outage. */
  readonly onWaiting: (reason: string) => void;
};

const FIRST_WAIT_MS = 100;
const WAIT_MS_MAX = 5_000;
const RETRY_AFTER_MS_MAX = 60_000;

/** First tries fail often and are not reported. */
const REPORTED_FROM_TRY = 3;

type OperationName = keyof Operations & `${ApiRequest['method']} ${string}`;

/** @throws Failure for a refusal, with the API's own words */
export type AskApi = <Name extends OperationName>(
  name: Name,
  call: Operations[Name]['call'],
) => Promise<Operations[Name]['answer']>;

export type Call = {
  readonly path?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
};

export function createApiClient(options: ApiOptions): ApiClient {
  return {
    send: async ({ method, path, headers, body }) => {
      const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
      const response = await fetchApi(options, path, {
        method,
        signal: AbortSignal.any([options.signal, timeout]),
        headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
      });
      return await readAnswer(options, response);
    },
  };
}

/** Makes a request with the key. @throws ApiUnavailable without an answer, or for a refusal that may pass */
export async function fetchApi(
  { url, key, market, onRequest, signal }: ApiOptions,
  path: string,
  request: RequestInit,
): Promise<Response> {
  onRequest?.();
  const headers = new Headers(request.headers);
  if (key !== undefined) headers.set('authorization', `Bearer ${key}`);
  if (market !== undefined) headers.set('risk-market', market);
  const response = await fetch(new URL(path, url), { signal, ...request, headers }).catch(
    unlessAborted(url, signal),
  );
  const { status } = response;
  if (!PASSING.has(status)) return response;
  const answer = await readAnswer({ url, key, signal }, response);
  // The API sends seconds, never a date.
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  throw new ApiUnavailable(refusal(answer).message, {
    retryAfterMs: seconds >= 0 ? seconds * 1000 : null,
    mayBeDone: !UNTOUCHED.has(status),
  });
}

/** Throws what a request or its answer broke off with: as it is where the caller ended it. */
export function unlessAborted(url: string, signal: AbortSignal): (error: unknown) => never {
  return (error) => {
    if (signal.aborted || !(error instanceof Error)) throw error;
    const { origin } = new URL(url);
    const code = String(Reflect.get(Object(error.cause), 'code'));
    const why =
      error.name === 'TimeoutError'
        ? `no answer within ${REQUEST_TIMEOUT_MS} ms`
        : reasonOf(error) || code;
    throw new ApiUnavailable(
      NOT_REACHED.has(code)
        ? `no engine answers at ${origin} (${why}): run \`npm start\`, or set RISK_URL to the engine's address`
        : `${origin}: ${why}`,
    );
  };
}

/** @throws ApiUnavailable where the answer breaks off */
export async function readAnswer(
  { url, signal }: ApiOptions,
  response: Response,
): Promise<ApiAnswer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) throw new Error('the answer is too large');
      chunks.push(chunk);
    }
  } catch (error) {
    unlessAborted(url, signal)(error);
  }
  const value = parseJson(Buffer.concat(chunks).toString());
  return {
    status: response.status,
    body: typeof value === 'object' ? (value ?? undefined) : undefined,
  };
}

/** A refusal that retrying does not change, as a Failure with the API's own text. */
export function refusal({ status, body }: ApiAnswer): Failure {
  const { title, detail }: Partial<Problem> = body ?? {};
  const cure =
    status === 401
      ? 'export RISK_API_KEY, which `bin/risk keys create` prints and `npm start` keeps in .data/api-key'
      : undefined;
  const words = [title, detail, cure].filter((part) => typeof part === 'string');
  const said = `the API answered ${status}${words.length > 0 ? `: ${words.join(': ')}` : ''}`;
  return new Failure('invalid', `API_${status}`, said);
}

export const isRefusal = (error: unknown): boolean =>
  error instanceof Failure && !(error instanceof ApiUnavailable) && /^API_\d/.test(error.code);

/** An answer that is not from this API. */
export function notTheContract(): Failure {
  return new Failure(
    'invalid',
    'API_ANSWER_UNKNOWN',
    'the answer is not of this API: wrong --url?',
  );
}

/** Repeats what the API does not answer now, with growing waits, until nothing has succeeded for too long. */
export function createRetries({ outageMsMax, signal, onWaiting }: RetryOptions): Retries {
  let lastSuccessMs = performance.now();
  let isReported = false;
  const succeeded = () => {
    lastSuccessMs = performance.now();
    isReported = false;
  };
  return async (attempt) => {
    for (let tries = 1; ; tries++) {
      try {
        const value = await attempt(() => {
          succeeded();
          tries = 1;
        });
        succeeded();
        return value;
      } catch (error) {
        if (!(error instanceof Failure) || !isUnavailable(error)) throw error;
        const silentMs = performance.now() - lastSuccessMs;
        if (silentMs > outageMsMax) {
          const why = `${error.message}; nothing succeeded for ${Math.round(silentMs / 1000)} s`;
          throw new Failure('unavailable', error.code, why, { cause: error });
        }
        if (tries >= REPORTED_FROM_TRY && !isReported) {
          isReported = true;
          onWaiting(error.message);
        }
        await wait(waitMs(tries, error), undefined, { signal });
      }
    }
  };
}

/** As Retry-After says; else twice the wait before, with jitter. */
function waitMs(tries: number, error: Failure): number {
  if (error instanceof ApiUnavailable && error.retryAfterMs !== null) {
    return Math.min(error.retryAfterMs, RETRY_AFTER_MS_MAX);
  }
  const backoffMs = Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * 2 ** Math.min(tries - 1, 10));
  return backoffMs * (0.5 + Math.random() / 2);
}

/** How commands ask a running API: an operation by its name in the document, with the types that follow from it. */
export function createAsk(client: Pick<ApiClient, 'send'>): AskApi {
  return async <Name extends OperationName>(name: Name, call: Operations[Name]['call']) => {
    const [method, path = ''] = name.split(' ');
    // The tests of the API compare its answers with the document, of which the type is made.
    return (await callApi(
      client,
      { method: methodOf(method), path },
      call,
    )) as Operations[Name]['answer'];
  };
}

const NO_CONTENT = 204;

const methodOf = (word = ''): ApiRequest['method'] =>
  word === 'POST' || word === 'PUT' || word === 'DELETE' ? word : 'GET';

/** @returns the object of the answer; undefined where the answer has none. @throws Failure for a refusal */
export async function callApi(
  client: Pick<ApiClient, 'send'>,
  { method, path: pattern }: Pick<ApiRequest, 'method' | 'path'>,
  { path: names = {}, query = {}, headers = {}, body }: Call,
): Promise<unknown> {
  const path = pattern.replaceAll(/\{(\w+)\}/g, (_, field) =>
    segmentOf(field, String(names[field] ?? '')),
  );
  const answer = await client.send({
    method,
    headers,
    path: path + queryString(query),
    ...(body && { body }),
  });
  if (answer.status >= 400) throw refusal(answer);
  if (answer.body === undefined && answer.status !== NO_CONTENT) throw notTheContract();
  return answer.body;
}

/** @throws Failure for a name that every client takes out of the path, which would then be another operation's */
function segmentOf(field: string, name: string): string {
  if (!isPathStep(name)) return encodeURIComponent(name);
  throw new Failure('invalid', 'NO_SEGMENT', `${field} ${NO_SEGMENT}, not '${name}'`);
}

/** `?a=1&b=2` of the parameters that are given. */
function queryString(parameters: Readonly<Record<string, unknown>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.append(name, String(value));
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}
