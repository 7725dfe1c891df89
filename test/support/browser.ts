/** Asks the API as a page of the console does: by the cookie of a session. */
import { expect } from 'vitest';
import { RUNNING_API_KEY } from './running-api.ts';
import { answerOf } from './submit.ts';

export type Login = { readonly cookie: string; readonly id: string };

export type Browser = ReturnType<typeof openBrowser>;

export function openBrowser(url: string) {
  /** A request of a page of the API itself. */
  const ask = (cookie: string, path = '/v1/me', method = 'GET', headers: object = {}) =>
    fetch(url + path, {
      method,
      headers: { Cookie: cookie, Origin: url, 'X-Risk-Console': '1', ...headers },
    });
  return {
    ask,
    logIn: async (key = RUNNING_API_KEY): Promise<Login> => {
      const answer = await fetch(`${url}/v1/sessions`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${key}` },
      });
      const cookie = answer.headers.get('set-cookie') ?? '';
      const { status, body } = await answerOf(answer);
      expect(status).toBe(201);
      return { cookie: cookie.split(';')[0] ?? '', id: body.session_id };
    },
    /** 200 while the session is open. */
    statusOf: async (cookie: string) => {
      const answer = await ask(cookie);
      await answer.arrayBuffer();
      return answer.status;
    },
  };
}
