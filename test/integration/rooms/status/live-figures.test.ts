/**
 * Goal: live figures come to who may see them, for as long as they may. Method: an API process, and requests as a page of the
 * console sends them.
 */
import { expect, test } from 'vitest';
import { openBrowser } from '../../../support/browser.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { openRunningApi, RUNNING_API_KEY } from '../../../support/running-api.ts';

const api = await openRunningApi();
const browser = openBrowser(api.url);

/** The oldest point of the first event. */
async function historyOf(path: string): Promise<unknown> {
  const abort = new AbortController();
  const headers = { Accept: 'text/event-stream', Authorization: `Bearer ${RUNNING_API_KEY}` };
  const answer = await fetch(`${api.url}${path}`, { headers, signal: abort.signal });
  const first = await answer.body?.getReader().read();
  abort.abort();
  const [, history = ''] =
    /^event: history\ndata: (.+)/.exec(new TextDecoder().decode(first?.value)) ?? [];
  return JSON.parse(history)[0];
}

test('live figures end when the key of the session loses the roles that see them', async () => {
  const key = await insertPersonKey(api.testDatabase, 'Ann', ['analyst', 'risk_officer']);
  const { cookie } = await browser.logIn(key);
  const answer = await browser.ask(cookie, '/v1/live', 'GET', { Accept: 'text/event-stream' });
  expect(answer.status).toBe(200);
  await api.testDatabase.sql(`update api_keys set roles = '{risk_officer}' where identity = 'Ann'`);
  for await (const _ of answer.body ?? []) {
    // Reads on until the server ends it.
  }
  // The session itself is still open.
  expect(await browser.statusOf(cookie)).toBe(200);
});

const figuresOf = (text: string) =>
  JSON.parse(/event: figures\ndata: (.+)/.exec(text)?.[1] ?? '{}');
/** All events up to the end of the session, which comes after the first figures. */
const listen = async (path: string) => {
  const { cookie, id } = await browser.logIn();
  const answer = await browser.ask(cookie, path, 'GET', { Accept: 'text/event-stream' });
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  const decoder = new TextDecoder();
  let text = '';
  let isOver = false;
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (!isOver && text.includes('event: figures')) {
      isOver = true;
      await browser.ask(cookie, `/v1/sessions/${id}`, 'DELETE');
    }
  }
  expect(text).toMatch(/^event: history\ndata: \[/);
  return text;
};

test('live figures come as events until the session ends', async () => {
  const figures = figuresOf(await listen('/v1/live'));
  expect(figures.status.totals).toMatchObject({ accepted: 0 });
  expect(figures.signals).toHaveLength(5);
  expect(await historyOf('/v1/live')).toMatchObject({ accepted: 0, scored: 0, pending: 0 });
});

test('live figures of the review come as events, too, and a new listener gets the figures of before', async () => {
  expect(figuresOf(await listen('/v1/reviews/status'))).toMatchObject({ waiting: [] });
  expect(await historyOf('/v1/reviews/status')).toMatchObject({
    waiting: [0, 0, 0, 0, 0, 0],
    missed: 0,
  });
});
