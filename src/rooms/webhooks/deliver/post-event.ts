/** Sends one event: a POST that follows no redirect, ends in time and drops the body of the answer. */
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { shortText } from '../../../kit/words/describe-issue.ts';
import { Failure, toError } from '../../../kit/words/failure.ts';
import type { Targets } from './target.ts';

export type Post = {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
};

export type Outcome = {
  /** Null where no answer came. */
  readonly status: number | null;
  /** Cause of a failure; null where an answer came. */
  readonly error: string | null;
  readonly retryAfterMs: number | null;
};

export type PostEvent = Disposable & { readonly post: (post: Post) => Promise<Outcome> };

/** From the beginning of the connection to the end of the answer. */
export const POST_TIMEOUT_MS = 15_000;
/** The rest of a longer answer is not read, and its connection ends. */
const ANSWER_BYTES_MAX = 64 * 1024;
const IDLE_CONNECTION_MS = 5000;
const ERROR_CHARS_MAX = 200;

export function createPostEvent(
  targets: Pick<Targets, 'lookup' | 'refuseAddress'>,
  timeoutMs: number = POST_TIMEOUT_MS,
): PostEvent {
  const options = { keepAlive: true, timeout: IDLE_CONNECTION_MS, lookup: targets.lookup };
  const agents = { 'http:': new http.Agent(options), 'https:': new https.Agent(options) };
  const send = ({ url: text, body, headers }: Post, isAgain: boolean): Promise<Outcome> => {
    const url = new URL(text);
    targets.refuseAddress(url);
    const isPlain = url.protocol === 'http:';
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    const request = (isPlain ? http : https).request(url, {
      method: 'POST',
      agent: agents[isPlain ? 'http:' : 'https:'],
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    });
    const timer = setTimeout(() => {
      request.destroy(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    let answer: Outcome | undefined;
    let isStale = false;
    request.on('response', (response) => {
      answer = outcomeOf(response);
      discard(response);
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      // The receiver closed an idle connection just as the event was sent.
      isStale = request.reusedSocket && error.code === 'ECONNRESET' && !isAgain;
      if (isStale) send({ url: text, body, headers }, true).then(resolve, reject);
      else if (answer === undefined) reject(error);
    });
    request.on('close', () => {
      clearTimeout(timer);
      if (answer !== undefined) resolve(answer);
      else if (!isStale) reject(new Error('the connection closed without an answer'));
    });
    request.end(body);
    return promise;
  };
  return {
    post: async (post) => {
      try {
        return await send(post, false);
      } catch (thrown) {
        return { status: null, error: describe(toError(thrown)), retryAfterMs: null };
      }
    },
    [Symbol.dispose]: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

function discard(response: IncomingMessage): void {
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) response.destroy();
  });
  // The status alone counts, and it has come.
  response.on('error', () => undefined);
}

function outcomeOf({ statusCode = 0, headers }: IncomingMessage): Outcome {
  const isBusy = statusCode === 429 || statusCode === 503;
  const retryAfterMs = isBusy ? readRetryAfter(headers['retry-after']) : null;
  return { status: statusCode, error: null, retryAfterMs };
}

/** Seconds, or a date by this machine's clock. */
function readRetryAfter(header: string | undefined): number | null {
  if (header === undefined) return null;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return ms > 0 ? ms : null;
}

function describe(error: NodeJS.ErrnoException): string {
  const isKnown = error instanceof Failure || error.code === undefined;
  return shortText(isKnown ? error.message : `${error.code}: ${error.message}`, ERROR_CHARS_MAX);
}
