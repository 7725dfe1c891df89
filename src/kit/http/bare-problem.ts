/** Problems of requests that never reach the application, with the headers that it gives every answer. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PROBLEM_CONTENT_TYPE, type Problem, problemJson } from './answers/problem.ts';
import { requestIdFor, USUAL_HEADERS } from './edge.ts';

type BareProblem = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export function bareProblem(problem: Problem, requestId: string = randomUUID()): BareProblem {
  const json = problemJson(problem, requestId);
  const body = JSON.stringify(json);
  const headers = {
    ...Object.fromEntries(USUAL_HEADERS),
    ...problem.headers,
    'Content-Type': PROBLEM_CONTENT_TYPE,
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Request-Id': requestId,
  };
  return { status: json.status, headers, body };
}

export function writeProblem(
  request: IncomingMessage,
  response: ServerResponse,
  problem: Problem,
): void {
  const requestId = requestIdFor(request.headers['x-request-id']);
  const { status, headers, body } = bareProblem(problem, requestId);
  response.writeHead(status, headers).end(body);
}
