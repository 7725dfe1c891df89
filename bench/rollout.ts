/**
 * How soon do all workers follow people who put a rule set in force and take it back, while transactions flow? Two workers; every
 * step is a request: a draft, its submission, a thousand approvals at once, a shadow, a canary before and after a restart of the
 * workers, all accounts, and the way back. The stored scores say who decided when.
 */
import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import { always } from '../test/support/rooms/rules/officers.ts';
import type { Bench, BenchContext, BenchReport, Settings } from './support/bench.ts';
import {
  LIVE_LOAD,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  readLoad,
  readSettings,
  startLoad,
} from './support/load.ts';
import { warmUp } from './support/load-run.ts';
import { readMetrics } from './support/metrics.ts';
import { readOptions } from './support/options.ts';
import { openPerson, type Person, taken } from './support/person.ts';
import { type Pipeline, startPipeline } from './support/pipeline.ts';
import { readStored, storedBreaches } from './support/stored.ts';

const USAGE = `--seconds N        of traffic; the steps take some 50 of them (70)
--batch N          transactions a request (100)
${LOAD_USAGE}
By default 5,000 a second of 20,000 accounts in turn, over 16 connections; --transactions is what rate and time make it.`;

const NAME = 'rolled@1';
const RULE_SET = `/v1/rule-sets/${NAME}`;
/** The promised time until every worker decides by what people decided. */
const FOLLOWED_SECONDS_MAX = 2;
/** Scores of so long after a decision are looked at. */
const LOOKED_AT_MS = 5000;
const PERCENT = 5;
const PERCENT_OFF_MAX = 0.5;
const APPROVALS = 1000;
const APPROVALS_AT_ONCE = 50;
const UNMEASURED_SECONDS = 5;
const SETTLED_MS_MAX = 120_000;
const POLL_MS = 250;

/** Ann writes and submits it, and all three approve it as often as each other. @returns who was answered that it is approved */
async function write(people: readonly [Person, Person, Person]) {
  const [ann] = people;
  taken(await ann('POST', '/v1/rule-sets', always(NAME, 0.1)));
  taken(await ann('POST', `${RULE_SET}/submit`));
  const own = await ann('POST', `${RULE_SET}/approve`);
  const limit = pLimit(APPROVALS_AT_ONCE);
  const approve = async (nth: number) => {
    const by = nth % people.length;
    const { status } = await (people[by] as Person)('POST', `${RULE_SET}/approve`);
    return { by, isApproved: status === 200 };
  };
  const tried = await Promise.all(
    Array.from({ length: APPROVALS }, (_, nth) => limit(() => approve(nth))),
  );
  const approved = tried.filter(({ isApproved }) => isApproved);
  return {
    ownStatus: own.status,
    approved: approved.length,
    byAuthor: approved.filter(({ by }) => by === 0).length,
  };
}

/** Ann proposes, is refused to approve her own proposal, and Bob approves. @returns the status of the refusal */
async function rollOut([ann, bob]: readonly Person[], to: string): Promise<number> {
  if (ann === undefined || bob === undefined) throw new Error('two people were expected');
  const asked = { corridor: 'all', to, override: 'a bench does not wait' };
  taken(await ann('POST', `${RULE_SET}/rollout`, asked));
  const { status } = await ann('POST', `${RULE_SET}/rollout`, asked);
  taken(await bob('POST', `${RULE_SET}/rollout`, asked));
  return status;
}

/** All steps, each as long as scores of it are looked at. */
async function decide(pipeline: Pipeline, load: Load, { signal, output }: BenchContext) {
  const open = (name: string) => openPerson(pipeline, name, signal);
  const people = [await open('Ann'), await open('Bob'), await open('Cy')] as const;
  const pause = (ms: number) => delay(ms, undefined, { signal });
  output.note('a draft and a thousand approvals');
  const written = await write(people);
  output.note('a shadow');
  const ownStatuses = [written.ownStatus, await rollOut(people, 'shadow')];
  await pause(LOOKED_AT_MS);
  output.note(`a canary of ${PERCENT} %`);
  ownStatuses.push(await rollOut(people, `canary:${PERCENT}`));
  const turnMs = (load.accounts * 1500) / load.rate;
  await pause(LOOKED_AT_MS + turnMs);
  const restartedMs = Date.now();
  await pipeline.stopWorkers();
  await pipeline.startWorkers(2);
  await pause(LOOKED_AT_MS + turnMs);
  output.note('all accounts, and back');
  const scoredBefore = await scoredBy(pipeline, signal);
  ownStatuses.push(await rollOut(people, 'active'));
  await pause(LOOKED_AT_MS);
  taken(await people[1]('POST', `${RULE_SET}/rollback`, { corridor: 'all' }));
  await pause(LOOKED_AT_MS);
  const scored = (await scoredBy(pipeline, signal)).map(
    (count, nth) => count - (scoredBefore[nth] ?? 0),
  );
  return {
    ...written,
    ownStatuses,
    restartedMs,
    idleWorkers: scored.filter((n) => n === 0).length,
  };
}

const scoredBy = ({ workers }: Pipeline, signal: AbortSignal) =>
  Promise.all(
    workers.map(async (one) =>
      (await readMetrics(one, signal)).sum('risk_transactions_scored_total'),
    ),
  );

const DECIDED = `select state, extract(epoch from min(created_at))::float8 * 1000 as at
  from rollouts where rule_set = $1 group by 1 order by 2`;
/** Scores after the first time; those by others than wanted, and the last of these. */
const FOLLOWED = `
  select count(*) filter (where scored_at > to_timestamp($1::float8 / 1000) + interval '${FOLLOWED_SECONDS_MAX} s')::int as later,
         coalesce(max(extract(epoch from scored_at)) filter (where (rule_set = $2) <> $3) - $1::float8 / 1000, 0)::float8 as seconds
    from scores where scored_at between to_timestamp($1::float8 / 1000) and to_timestamp(($1::float8 + ${LOOKED_AT_MS}) / 1000)`;
/** Accounts with scores before and after the restart, while the canary was in every worker. */
const SIDES = `
  select count(*)::int as accounts, count(*) filter (where drawn)::int as drawn,
         count(*) filter (where drawn and other)::int as both
    from (select account_id, bool_or(rule_set = $1) as drawn, bool_or(rule_set <> $1) as other,
                 bool_or(scored_at < to_timestamp($4::float8 / 1000)) and bool_or(scored_at > to_timestamp($4::float8 / 1000)) as is_whole
            from scores
           where scored_at between to_timestamp($2::float8 / 1000) + interval '${FOLLOWED_SECONDS_MAX} s' and to_timestamp($3::float8 / 1000)
           group by 1) sides where is_whole`;
const COUNTED = `
  select (select count(*)::int from audit_log where subject = $1 and action = 'rule-set.approve') as approvals,
         (select count(*)::int from scores where degradation <> 0) as degraded`;

async function readRollouts({ services: { database } }: Pipeline, restartedMs: number) {
  const one = async <R extends object>(text: string, values: readonly unknown[]): Promise<R> =>
    (await database.query(text, [...values])).rows[0] as R;
  const { rows } = await database.query<{ state: string; at: number }>(DECIDED, [NAME]);
  const at = (state: string) => rows.find((row) => row.state === state)?.at ?? Number.NaN;
  const follow = (state: string, isOwn: boolean) =>
    one<{ later: number; seconds: number }>(FOLLOWED, [at(state), NAME, isOwn]);
  return {
    active: await follow('active', true),
    back: await follow('deprecated', false),
    sides: await one<{ accounts: number; drawn: number; both: number }>(SIDES, [
      ...[NAME, at('canary'), at('active'), restartedMs],
    ]),
    ...(await one<{ approvals: number; degraded: number }>(COUNTED, [NAME])),
  };
}

/** Waits until each accepted transaction has its end. */
async function untilSettled({ services: { database } }: Pipeline, signal: AbortSignal) {
  const deadlineMs = Date.now() + SETTLED_MS_MAX;
  for (;;) {
    const stored = await readStored(database);
    if (stored.lost === 0 || Date.now() > deadlineMs) return stored;
    await delay(POLL_MS, undefined, { signal });
  }
}

async function measure(
  load: Load,
  settings: Settings,
  context: BenchContext,
): Promise<BenchReport> {
  const { signal } = context;
  await using pipeline = await startPipeline({ workers: 2, settings }, context);
  await warmUp(pipeline, load, context);
  using generator = await startLoad(pipeline, load, signal);
  const flowing = generator.go();
  // A failure is thrown where the traffic is awaited.
  flowing.catch(() => undefined);
  const steps = await decide(pipeline, load, context);
  const endedMs = Date.now();
  const posted = await flowing;
  const stored = await untilSettled(pipeline, signal);
  const { active, back, sides, approvals, degraded } = await readRollouts(
    pipeline,
    steps.restartedMs,
  );
  const percent = (100 * sides.drawn) / sides.accounts;
  const refused = posted.requests - (posted.byStatus[200] ?? 0);
  const seconds = (posted.lastAnswerMs - posted.firstRequestMs) / 1000;
  return {
    caseName: `${load.rate} a second`,
    inputs: { ...load, workers: 2, ...pipeline.services.settings },
    settings,
    versions: pipeline.services.versions,
    perSecond: posted.accepted / seconds,
    figures: {
      accepted_per_second: posted.accepted / seconds,
      active_followed_seconds: active.seconds,
      rollback_followed_seconds: back.seconds,
      ...{ canary_percent: percent, canary_accounts: sides.accounts },
      accounts_on_both_sides: sides.both,
      ...{ approvals_tried: APPROVALS, approved: steps.approved, approvals_on_record: approvals },
      ...{ scores: stored.scores, degraded, dead_letters: stored.dead_letters },
      ...{ resent: posted.resent, lost: stored.lost, doubled: stored.doubled },
    },
    ceilings: [],
    tables: [],
    breaches: [
      ...storedBreaches(stored),
      ...unless(stored.dead_letters === 0, `${stored.dead_letters} dead letters`),
      ...unless(refused === 0, `${refused} requests failed`),
      ...unless(endedMs < posted.lastAnswerMs, 'the traffic ended before the steps'),
      ...unless(steps.idleWorkers === 0, `${steps.idleWorkers} workers scored nothing`),
      ...unless(
        steps.ownStatuses.every((status) => status === 409),
        `approvals of their own were answered ${steps.ownStatuses.join(', ')}`,
      ),
      ...unless(
        steps.approved === 1 && approvals === 1 && steps.byAuthor === 0,
        `${steps.approved} approvals, ${approvals} on record, ${steps.byAuthor} by the author`,
      ),
      ...followBreaches('active', active),
      ...followBreaches('the rollback', back),
      ...unless(sides.both === 0, `${sides.both} accounts were on both sides`),
      ...unless(
        Math.abs(percent - PERCENT) <= PERCENT_OFF_MAX && sides.accounts >= load.accounts * 0.99,
        `${percent.toFixed(2)} % of ${sides.accounts} accounts`,
      ),
    ],
  };
}

const unless = (isSo: boolean, breach: string) => (isSo ? [] : [breach]);

const followBreaches = (what: string, { later, seconds }: { later: number; seconds: number }) => [
  ...unless(later > 0, `no score came after ${what}`),
  ...unless(seconds < FOLLOWED_SECONDS_MAX, `${what} took ${seconds.toFixed(2)} s to be followed`),
];

export const bench: Bench = {
  name: 'rollout',
  question: 'How soon do all workers follow a rollout of a rule set while transactions flow?',
  onlyByName: 'it takes two minutes',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = { seconds: { or: 70, min: 30, max: 3600 }, batch: { or: 100, max: 1000 } };
    const { values, numbers } = readOptions(args, wholes, LOAD_OPTIONS);
    const { seconds, batch } = numbers;
    const asked = readLoad(values, { ...LIVE_LOAD, connections: 16, rate: 5000, unmeasured: 0 });
    const { rate } = asked;
    yield await measure(
      {
        ...asked,
        ...{ batch, live: true, accountsInTurn: true },
        ...{ transactions: rate * seconds, unmeasured: rate * UNMEASURED_SECONDS },
      },
      readSettings(values.set),
      context,
    );
  },
};
