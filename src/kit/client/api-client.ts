/**
 * The HTTP client of a replay: keep-alive connections, a deadline for each request, whole answers. A network
 * failure is thrown as an `unavailable` Failure; any status is an answer.
 */
import http from 'node:http';
import https from 'node:https';
import { Failure } from '../words/failure.ts';
import type { Problem } from './api-types.ts';

export type ApiRequest = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
};

export type ApiAnswer = {
  readonly status: number;
  /** From Retry-After; null when the answer has none. */
  readonly retryAfterMs: number | null;
  readonly text: string;
};

export type ApiClient = {
  send(request: ApiRequest): Promise<ApiAnswer>;
  [Symbol.dispose](): void;
};

type ApiClientOptions = {
  readonly url: string;
  readonly key: string | undefined;
  /** Consistency token of the write that reads have to include. */
  readonly token?: string | undefined;
  readonly connections: number;
  readonly signal: AbortSignal;
};

/** Longer than the API's own deadline of a request, so that its answer arrives first. */
const REQUEST_TIMEOUT_MS = 30_000;
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

export function createApiClient(options: ApiClientOptions): ApiClient {
  const base = new URL(options.url);
  const { request, Agent } = base.protocol === 'https:' ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  const headers: Record<string, string> = {
    ...(options.key !== undefined && { authorization: `Bearer ${options.key}` }),
    ...(options.token !== undefined && { 'consistency-token': options.token }),
  };
  const send = ({ method, path, body, contentType }: ApiRequest) =>
    new Promise<ApiAnswer>((resolve, reject) => {
      const fail = (error: Error) => {
        reject(options.signal.aborted ? error : unreachable(base, error));
      };
      const sent = request(
        new URL(path, base),
        {
          method,
          agent,
          signal: options.signal,
          headers:
            body === undefined
              ? headers
              : {
                  ...headers,
                  'content-type': contentType ?? 'application/json',
                  'content-length': Buffer.byteLength(body),
                },
        },
        (response) => {
          collect(response, resolve, fail);
        },
      );
      sent.setTimeout(REQUEST_TIMEOUT_MS, () => {
        sent.destroy(new Error(`no answer within ${REQUEST_TIMEOUT_MS} ms`));
      });
      sent.on('error', fail);
      sent.end(body);
    });
  return {
    send,
    [Symbol.dispose]: () => {
      agent.destroy();
    },
  };
}

function collect(
  response: http.IncomingMessage,
  resolve: (answer: ApiAnswer) => void,
  fail: (error: Error) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) response.destroy(new Error('the answer is too large'));
    else chunks.push(chunk);
  });
  response.on('error', fail);
  response.on('end', () => {
    resolve({
      status: response.statusCode ?? 0,
      retryAfterMs: retryAfterMs(response.headers['retry-after']),
      text: Buffer.concat(chunks).toString(),
    });
  });
}

/** Seconds only: our API never sends a date. */
function retryAfterMs(header: string | undefined): number | null {
  const seconds = Number(header);
  return header === undefined || !(seconds >= 0) ? null : seconds * 1000;
}

function unreachable(base: URL, error: Error): Failure {
  return new Failure('unavailable', 'API_UNREACHABLE', `${base.origin}: ${error.message}`, {
    cause: error,
  });
}

/** A refusal that retrying does not change, as a Failure with the API's own text. */
export function refusal(answer: ApiAnswer): Failure {
  const problem = parseJson<Problem>(answer.text);
  const words = [problem.title, problem.detail].filter((part) => typeof part === 'string');
  return new Failure(
    'invalid',
    `API_${answer.status}`,
    `the API answered ${answer.status}${words.length > 0 ? `: ${words.join(': ')}` : ''}`,
  );
}

/** An answer that is not from this API. */
export function notTheContract(): Failure {
  return new Failure(
    'invalid',
    'API_ANSWER_UNKNOWN',
    'the answer is not of this API: wrong --url?',
  );
}

/** The answer's object as the document has it, of which anything may be missing; empty when it is not one. */
export function parseJson<Answer extends object>(text: string): Partial<Answer> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
