/** How an answer says that a replica gave it. */
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { sayAge } from '../../../../../src/kit/http/answers/age.ts';
import type { AppEnv } from '../../../../../src/kit/http/app-env.ts';

test.each([
  [undefined, null],
  [0.2, '1'],
  [1000, '1'],
  [1001, '2'],
])(
  'an answer of a replica %d ms behind has Age %s: whole seconds, never too few',
  async (ageMs, age) => {
    const app = new Hono<AppEnv>();
    app.get('/', (c) => c.json(sayAge(c, { answer: { known: true }, ageMs })));
    const response = await app.request('/');
    expect(response.headers.get('age')).toBe(age);
    expect(await response.json()).toEqual({ known: true });
  },
);
