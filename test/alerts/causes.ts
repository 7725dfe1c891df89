/** The causes: each is made for real, and ended. */
import { setTimeout as delay } from 'node:timers/promises';
import { putModelInForce } from '../../bench/support/model-in-force.ts';
import { streamKeys } from '../../src/core/stream/keys.ts';
import { toMemory } from '../../src/core/stream/memory/memory.ts';
import { MARKET } from '../chaos/support/streams.ts';
import {
  BURST,
  confine,
  floodWithErrors,
  labelOfScored,
  mustPost,
  onReplica,
  postBursts,
  removeWebhook,
  type Scene,
  signalAll,
  webhook,
} from './harm.ts';
import { POISONED } from './rig.ts';

export type Cause = {
  readonly what: string;
  /** Alerts that it makes fire, each with all its rules or with one. */
  readonly fires: readonly string[];
  /** Seconds within which they must fire. */
  readonly within: number;
  /** @returns what ends it */
  readonly begin: (scene: Scene) => Promise<() => Promise<unknown>>;
  /** Alerts that fire only once it has ended, as the work that waited is done late. */
  readonly after?: readonly string[];
};

const US = streamKeys(MARKET, 'US-EG', 0);
const BURSTS = 13;
/** Fewer: the worker is through before the alert fires. */
const MANY_BURSTS = 60;
const SESSIONS = `select pid from pg_stat_activity where application_name like 'risk-%'`;

export const CAUSES: readonly Cause[] = [
  {
    what: 'nothing waits for a worker',
    fires: ['LowQueueDepth'],
    within: 60,
    begin: async ({ traffic }) => {
      traffic.pause.isOn = true;
      return async () => {
        traffic.pause.isOn = false;
      };
    },
  },
  {
    what: `the worker is frozen (SIGSTOP) while ${BURST * BURSTS} transactions come at once`,
    fires: ['HighQueueDepth', 'HighQueueAge', 'NoWorkers', 'ProcessSilent', 'BudgetBurns lag'],
    within: 150,
    begin: async ({ engine, traffic }) => {
      const { pid } = engine.process('worker-1');
      process.kill(pid, 'SIGSTOP');
      await postBursts(traffic, BURSTS);
      return async () => process.kill(pid, 'SIGCONT');
    },
    after: ['CorridorLatency', 'RegionLatency', 'CorridorAvailability', 'BudgetBurns scores'],
  },
  {
    what: 'the only API is killed',
    fires: ['NoAPI', 'ProcessSilent'],
    within: 20,
    begin: async ({ engine }) => {
      await engine.kill('api-1');
      return () => engine.start('api', 'api-1');
    },
  },
  {
    what: 'scoring throws for one account (poison)',
    fires: ['DeadLetters', 'CorridorErrors', 'RegionErrors'],
    within: 30,
    begin: async ({ traffic }) => {
      const batch = traffic.batches(200, 'GB-NG').next().value?.body ?? '';
      await mustPost(
        traffic,
        batch.replaceAll(/"account_id":"[^"]*"/g, `"account_id":"${POISONED}"`),
      );
      return async () => undefined;
    },
  },
  {
    what: 'entries of another version wait in a stream',
    fires: ['UnreadEntries'],
    within: 60,
    begin: async ({ services: { client } }) => {
      const id = await client.xadd(US.transactions, '*', 'v', '99', 'n', '1', 'd', 'x');
      return async () => void (await client.xdel(US.transactions, id ?? ''));
    },
  },
  {
    what: 'Redis is frozen (SIGSTOP) for a minute and more, and labels are posted',
    fires: ['BreakerOpen', 'BreakerOpened', 'AppendFailures', 'WorkerDeaf', 'OutboxLate'],
    within: 100,
    begin: async (scene) => {
      const { redis } = scene.services;
      const label = await labelOfScored(scene);
      redis.pause();
      // The breaker is open by then, so that the answer does not wait for Redis.
      await delay(3000);
      const answer = await scene.traffic.ask('/v1/labels', JSON.stringify({ labels: [label] }));
      // 503 says that the label is stored, and that profiles do not know of it yet.
      if (answer?.status !== 503) throw new Error(`not left untold: ${answer?.text}`);
      return async () => redis.resume();
    },
  },
  {
    what: 'Redis uses 0.9 of its memory: transactions are appended, and events give way',
    fires: ['RedisCrowded'],
    within: 30,
    begin: async ({ services: { client } }) => {
      const { usedBytes } = toMemory(await client.info('memory'));
      await client.config('SET', 'maxmemory', String(Math.round(usedBytes / 0.9)));
      return () => client.config('SET', 'maxmemory', '268435456');
    },
  },
  {
    what: "a string stands at the key of a corridor's stream",
    fires: ['CorridorBreakerOpen'],
    within: 40,
    begin: async ({ services: { client } }) => {
      await client.rename(US.transactions, `${US.transactions}:away`);
      await client.set(US.transactions, 'no stream');
      return () => client.rename(`${US.transactions}:away`, US.transactions);
    },
  },
  // A login takes six packets one after the other: with 250 ms each it is longer than RISK_CONNECT_TIMEOUT_MS, so a breaker
  // refuses everything at once and no request is slow.
  {
    what: 'each packet to Postgres takes 120 ms, and few requests come',
    fires: ['HighAPILatency warning api up', 'BudgetBurns reads'],
    within: 90,
    begin: async ({ proxy, traffic }) => {
      Object.assign(traffic.rates, { posts: 4, reads: 8 });
      proxy.inflict({ kind: 'latency', ms: 120 });
      return async () => {
        proxy.heal();
        Object.assign(traffic.rates, { posts: 25, reads: 25 });
      };
    },
  },
  {
    what: 'each packet to Postgres takes 200 ms',
    fires: [
      'HighAPILatency warning',
      'HighAPILatency critical',
      'HighGlobalLatency',
      'Connections',
      'CrowdedAPI',
      'Shedding',
      'Degraded warning',
    ],
    within: 60,
    begin: async ({ proxy, traffic }) => {
      // Fewer posts: admission settles where only now and then one is refused.
      Object.assign(traffic.rates, { posts: 60, reads: 80 });
      proxy.inflict({ kind: 'latency', ms: 200 });
      return async () => {
        proxy.heal();
        Object.assign(traffic.rates, { posts: 25, reads: 25 });
      };
    },
  },
  {
    what: 'Postgres is frozen (SIGSTOP of all its processes), and the worker has batches to score',
    fires: [
      'ServerErrors',
      'BreakerOpen',
      'Degraded',
      'WorkerPaused',
      'BudgetBurns requests',
      'BudgetLow requests',
      'WatchStale',
    ],
    within: 60,
    begin: async ({ services: { query, postgres }, engine, traffic }) => {
      const worker = [engine.process('worker-1').pid];
      signalAll(worker, 'SIGSTOP');
      await postBursts(traffic, 2);
      const sessions = await query<{ pid: number }>(SESSIONS);
      const pids = [postgres.pid(), ...sessions.map(({ pid }) => pid)];
      signalAll(pids, 'SIGSTOP');
      signalAll(worker, 'SIGCONT');
      return async () => signalAll(pids, 'SIGCONT');
    },
  },
  {
    what: 'replay of the replica is paused',
    fires: ['ReplicaBehind'],
    within: 90,
    begin: async (scene) => {
      await onReplica(scene, 'pause');
      return () => onReplica(scene, 'resume');
    },
  },
  {
    what: 'the replica is stopped',
    fires: ['ReplicaDown', 'BreakerOpened'],
    within: 30,
    begin: async ({ services: { replica } }) => {
      await replica?.end('SIGINT');
      return async () => replica?.start();
    },
  },
  {
    what: 'the receiver of a webhook answers 410',
    fires: ['WebhooksDisabled'],
    within: 30,
    begin: async (scene) => {
      const { id } = await webhook(scene, 410);
      return () => removeWebhook(scene, id);
    },
  },
  {
    what: 'the receiver of a webhook answers nothing',
    fires: ['WebhooksLate'],
    within: 60,
    begin: async (scene) => {
      const { id, close } = await webhook(scene, null);
      return async () => {
        close();
        await removeWebhook(scene, id);
      };
    },
  },
  {
    what: 'the API has a seventh of a processor and 192 MB, and eight connections post batches with an error',
    fires: ['BusyAPI', 'LargeAPI'],
    within: 60,
    begin: async (scene) => {
      const { pause } = scene.traffic;
      // Requests that come anyway would pile up, and the API answer the scraper too late.
      pause.isOn = true;
      const restore = await confine(scene, 'api', { cores: 0.15, mebibytes: 192 });
      const end = floodWithErrors(scene, 8);
      return async () => {
        await end();
        await restore();
        pause.isOn = false;
      };
    },
  },
  {
    what: `${BURST * MANY_BURSTS} transactions wait for a worker that has a fifth of a processor`,
    fires: ['BusyWorkers'],
    within: 60,
    begin: async (scene) => {
      // A worker that reads meanwhile would answer the scraper too late, as senders need the processors.
      await scene.engine.drain('worker-1');
      await postBursts(scene.traffic, MANY_BURSTS);
      return confine(scene, 'worker', { cores: 0.2 });
    },
  },
  {
    what: 'a model comes into force whose golden margins are not its own',
    fires: ['DeterminismFails', 'ModelOut'],
    within: 30,
    begin: async ({ services: { query, databaseUrl } }) => {
      await query(`create function spoil() returns trigger language plpgsql as
        $$ begin new.golden_margins := (select array_agg(margin + 1) from unnest(new.golden_margins) margin); return new; end $$`);
      await query(
        'create trigger spoil before insert on models for each row execute function spoil()',
      );
      await putModelInForce(databaseUrl, { trees: 10 });
      return async () => undefined;
    },
  },
  {
    what: 'a case is opened without a rate, and a case is older than its deadline (by SQL)',
    fires: ['ReviewUnrated', 'ReviewLate warning'],
    within: 60,
    begin: async ({ services: { query }, traffic }) => {
      const batch = traffic.batches(3, 'US-EG').next().value?.body ?? '';
      const posted = await traffic.post(
        batch
          .replaceAll(/"currency":"[^"]*"/g, '"currency":"JPY"')
          .replaceAll(/"amount":"(\d+)[^"]*"/g, '"amount":"$1"'),
      );
      const { results } = JSON.parse(posted?.text ?? '{"results":[]}') as {
        results: { transaction_id: string }[];
      };
      for (let tries = 0; tries < 50; tries++) {
        const answer = await traffic.ask(
          '/v1/reviews',
          JSON.stringify({ transaction_id: results[0]?.transaction_id }),
        );
        if (answer?.status === 201) break;
        await delay(200);
      }
      await query(
        "update review_cases set due_at = now() - interval '1 hour' where state <> 'closed'",
      );
      return () =>
        query("update review_cases set due_at = now() + interval '1 day' where state <> 'closed'");
    },
  },
];
