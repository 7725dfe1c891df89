/** The form of every error: RFC 9457, with the request's id and no internals. */
import { expect } from 'vitest';
import { type Answer, answerOf } from './submit.ts';

export async function expectProblem(response: Response, status: number): Promise<Answer> {
  const answer = await answerOf(response);
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.body).toMatchObject({
    type: expect.stringMatching(/^urn:risk:problem:/),
    title: expect.any(String),
    status,
    detail: expect.any(String),
    instance: answer.headers.get('x-request-id'),
    help: answer.body.type.replace('urn:risk:problem:', '/docs/problems#'),
  });
  expect(JSON.stringify(answer.body)).not.toMatch(/at \S+:\d+|select |insert |postgres/i);
  return answer;
}
