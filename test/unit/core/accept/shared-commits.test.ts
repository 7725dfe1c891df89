/** Posts that wait for their scores share commits that begin further apart than those of other posts. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createSharedCommits } from '../../../../src/core/accept/shared-commits.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Time between two commits of four posts of one client, of which two come at once. */
async function paceOf(replyTo: string | null): Promise<number> {
  const beganMs: number[] = [];
  const share = createSharedCommits<number, number>({
    store: async (_poster, posts) => {
      beganMs.push(Date.now());
      return posts;
    },
    ...{ commitsMax: 2, rowsMax: 64, rowsOf: () => 1, apartOf: () => undefined },
  });
  const submit = (posts: readonly number[]) =>
    Promise.all(posts.map((post) => share({ client: 'c', replyTo }, post)));
  const first = submit([1, 2]);
  await vi.advanceTimersByTimeAsync(0);
  const second = submit([3, 4]);
  await vi.advanceTimersByTimeAsync(100);
  expect(await Promise.all([first, second])).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect(beganMs).toHaveLength(2);
  return (beganMs[1] ?? 0) - (beganMs[0] ?? 0);
}

test('commits of posts that wait for their scores begin further apart', async () => {
  expect(await paceOf(null)).toBe(8);
  expect(await paceOf('api-1')).toBe(12);
});
