/** Limits of inference: who is asked where they do not suffice. */
import { expect, test } from 'vitest';
import type { JudgingModel } from '../../../../../src/core/score/judge.ts';
import { createMetrics } from '../../../../../src/kit/metrics/metrics.ts';
import type { Questions } from '../../../../../src/rooms/models/judge/judge-batch.ts';
import { limitQuestions } from '../../../../../src/rooms/models/judge/open-judge.ts';

const model = { name: 'a@1', isFree: false } as JudgingModel;
const free = { name: 'b@1', isFree: true } as JudgingModel;
const questions = (
  corridor: string,
  rows: number,
  role: Questions['role'] = 'deciding',
  line: Questions['line'] = [model],
): Questions => ({ corridor, role, line, indexes: [...Array(rows).keys()], asked: rows });

function open(units: Readonly<Record<string, number>>) {
  const left = { ...units };
  const metrics = createMetrics();
  const limiter = {
    async takeSome(_kind: string, scopes: readonly string[], n: number) {
      const some = Math.min(n, ...scopes.map((scope) => left[scope] ?? n));
      for (const scope of scopes) if (scope in left) left[scope] = (left[scope] ?? 0) - some;
      return some;
    },
  };
  const ask = async (...plan: Questions[]) =>
    (await limitQuestions(limiter, metrics, plan)).map(({ asked }) => asked);
  const refused = async () =>
    (await metrics.inferenceRefused.get()).values
      .filter(({ value }) => value > 0)
      .map(({ labels, value }) => [`${labels.corridor} ${labels.role}`, value]);
  return { ask, refused };
}

test('shadows get what the deciding models leave, and what nobody gets is counted', async () => {
  const { ask, refused } = open({ market: 10 });
  const plan = [questions('A', 4), questions('B', 3), questions('A', 4, 'shadow')];
  expect(await ask(...plan)).toEqual([4, 3, 3]);
  expect(await ask(...plan)).toEqual([0, 0, 0]);
  expect(await refused()).toEqual([
    ['A shadow', 5],
    ['A deciding', 4],
    ['B deciding', 3],
  ]);
});

test('a model that is free takes no unit, and the model behind it none either', async () => {
  const { ask, refused } = open({ market: 1 });
  const freeFirst = questions('A', 4, 'deciding', [null, free, model]);
  expect(await ask(freeFirst, questions('A', 4, 'deciding', [null, model, free]))).toEqual([4, 1]);
  expect(await refused()).toEqual([['A deciding', 3]]);
});
