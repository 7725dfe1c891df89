/**
 * Goal: a corridor whose commits are held up rises to level 3 alone and falls back by itself; others are answered as before, and
 * find a session. Method: an API on real stores, and a trigger that holds up the rows of one corridor.
 */
import { beforeEach, expect, test } from 'vitest';
import { holdOpen } from '../support/hold-open.ts';
import { openRunningApi } from '../support/running-api.ts';
import { type Answer, answerOf, input, postBatch, postOne } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

const SLOW = 'US-EG';
const OTHER = 'US-MX';
/** Two looks raise the level. */
const RISE_MS = 15_000;
/** A trial after 5 s, three successes, and eight better looks; the rest is for a busy machine. */
const FALL_MS = 40_000;
const LOCK = 7041;
const POST_EVERY_MS = 150;
const LATE_MS = 1000;

const api = await openRunningApi();

const delayBy = (statement: string) =>
  api.testDatabase.sql(
    `create or replace function delay() returns trigger language plpgsql as $$ begin perform ${statement}; return new; end $$`,
  );

const levelOf = async (corridor: string) => {
  const { body } = await answerOf(await api.request('/v1/degradation'));
  return body.items?.find((one: { scope: string }) => one.scope === `corridor:${corridor}`);
};
const post = (corridor: string) => postOne(api, input({ corridor }));

/** Posts of one corridor at a rate, however long answers take, until the end of the block. */
function postEvery(everyMs: number, corridor: string) {
  const posts: Promise<Answer & { readonly tookMs: number }>[] = [];
  const timer = setInterval(() => {
    const startedAt = performance.now();
    const took = (answer: Answer) => ({ ...answer, tookMs: performance.now() - startedAt });
    posts.push(post(corridor).then(took));
  }, everyMs);
  const ended = async () => {
    clearInterval(timer);
    return await Promise.all(posts);
  };
  return {
    ended,
    posted: () => posts.length,
    [Symbol.asyncDispose]: async () => void (await ended()),
  };
}

/** Holds up the rows of a corridor until somebody lets go. */
async function holdUp() {
  const held = await holdOpen(api.database, `select pg_advisory_xact_lock(${LOCK})`);
  await delayBy(`pg_advisory_xact_lock_shared(${LOCK})`);
  const letGo = async () => {
    await delayBy('null');
    await held.letGo();
  };
  return { letGo, [Symbol.asyncDispose]: letGo };
}

// The months of the rows exist before a trigger holds them up.
for (const corridor of [SLOW, OTHER]) await post(corridor);
await delayBy('null');
await api.testDatabase.sql(
  `create trigger delay before insert on transactions for each row when (new.corridor = '${SLOW}') execute function delay()`,
);
beforeEach(async () => {
  // A breaker that is open closes by posts alone.
  const isWell = async () =>
    (await post(SLOW)).status === 201 && (await levelOf(SLOW))?.level === 0;
  await waitUntil(isWell, FALL_MS, 'level 0');
});

test('commits held up: level 3 refuses posts of the corridor at once, others are answered, and back', async () => {
  const before = await post(SLOW);
  await using others = postEvery(POST_EVERY_MS, OTHER);
  await using held = await holdUp();
  let sharing: number;
  {
    await using own = postEvery(POST_EVERY_MS, SLOW);
    await waitUntil(async () => (await levelOf(SLOW))?.level === 3, RISE_MS, 'level 3');
    sharing = others.posted();
    const details = (await own.ended()).map(({ body }) => body.detail);
    expect(details).toContainEqual(expect.stringMatching(/US-EG cannot be committed now/));
  }
  const refused = await waitUntil(
    async () => {
      const answer = await post(SLOW);
      return answer.body.detail?.startsWith('This request stored nothing') === true
        ? answer
        : undefined;
    },
    RISE_MS,
    'a refusal at once',
  );
  expect([refused.status, refused.headers.get('x-risk-degradation'), refused.body]).toEqual([
    503,
    '3',
    expect.objectContaining({
      type: 'urn:risk:problem:unavailable',
      detail:
        'This request stored nothing: the corridor US-EG is at degradation level 3: its transactions could not be committed, and one at a time tries again.',
    }),
  ]);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  const { causes, sentence } = await levelOf(SLOW);
  // A busy machine has a level of its own, beside that of the corridor.
  expect([causes, sentence]).toEqual([
    expect.arrayContaining([expect.stringMatching(/^writes:US-EG:(open|half-open)$/)]),
    'New transactions and other changes are refused; reads are answered.',
  ]);
  expect((await api.risk('degradation', 'list')).stdout).toMatch(
    /^corridor:US-EG +3 +\S*writes:US-EG/m,
  );
  const mixed = await postBatch(api, [input({ corridor: OTHER }), input({ corridor: SLOW })]);
  expect([mixed.status, mixed.headers.get('x-risk-degradation')]).toEqual([503, '3']);
  // An accepted transaction is read; a busy machine does not answer each read.
  const read = async (path: string) => {
    const answer = await api.request(`/v1/transactions${path}`);
    return answer.status === 200 ? answer : undefined;
  };
  await waitUntil(() => read(`/${before.body.transaction_id}`), RISE_MS, 'the transaction');
  const found = await waitUntil(() => read(`?corridor=${SLOW}&limit=1`), RISE_MS, 'a list');
  expect(found.headers.get('x-risk-degradation')).toBe('3');
  expect((await levelOf(OTHER)).level).toBeLessThan(3);
  expect((await levelOf('GB-NG')).level).toBeLessThan(3);
  await held.letGo();
  await waitUntil(async () => (await post(SLOW)).status === 201, FALL_MS, 'a post to be accepted');
  await waitUntil(
    async () => (await post(SLOW)).status === 201 && (await levelOf(SLOW))?.level === 0,
    FALL_MS,
    'level 0',
  );
  const answered = await others.ended();
  const isGood = ({ status, tookMs }: (typeof answered)[number]) =>
    status === 201 && tookMs <= LATE_MS;
  // Posts that shared a commit with the corridor before it committed apart wait for the end of that commit, and a busy machine is late.
  expect(answered.slice(0, sharing).filter(isGood).length).toBeGreaterThan(sharing / 2);
  const later = answered.slice(sharing).filter(({ status }) => status !== 201);
  expect(later.map(({ body }) => body.detail)).toEqual([]);
});
