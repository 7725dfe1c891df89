/**
 * `risk supervise`: runs a trainer and as many workers on this machine as the triggers of scaling/triggers.ts ask for. One change is made
 * at a time, and a worker that goes has drained before the next decision.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type CommandContext, EXIT, UsageError } from '../../../kit/command/command.ts';
import { whole } from '../../../kit/command/options.ts';
import { commandOf, written } from '../../../kit/command/rows.ts';
import { neededUrl, openCommandDatabase, openCommandRedis } from '../../../kit/command/stores.ts';
import { type Environment, EXIT_BAD_CONFIGURATION } from '../../../kit/config/config.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import { Failure, toError } from '../../../kit/words/failure.ts';
import {
  createProcessorReader,
  createScaler,
  openQueueReader,
  type Reading,
} from '../scaling/scaler.ts';
import { TRIGGERS } from '../scaling/triggers.ts';

/** Becomes the role by exec, under the memory bounds of a role: the process id stays. */
const LAUNCHER = fileURLToPath(new URL('../../../../bin/risk', import.meta.url));
/** Exit codes that another start would end with as well. */
const INCURABLE: readonly number[] = [EXIT_BAD_CONFIGURATION, EXIT.impossibleHere];
/** Time after which earlier ends are forgotten. Shorter: a worker that keeps ending is started without pause. */
const STEADY_MS = 10_000;
const [WAIT_MS_MIN, WAIT_MS_MAX] = [250, 30_000];
/** A worker ends by force itself when its drain takes too long; then it needs so much longer at most. */
const GRACE_MS = 5000;
/** Time from the start in which a refused configuration ends the supervisor. Later the fleet has run with it, and what is wrong may pass. */
const REFUSED_MS = 60_000;
/** Time without a sign of life after which a worker that gave one is killed: far longer than `/livez` lets pass. */
const DEAF_MS = 60_000;
const LOOKS = 12;

type SupervisedOptions = {
  readonly role: 'worker' | 'trainer';
  readonly environment: Environment;
  /** Longest drain of a worker. */
  readonly drainMs: number;
  readonly deafMs: number;
  readonly log: Log;
  /** Asked when a role found its configuration bad; true where the role is not to be started again. */
  readonly isRefusal: () => boolean;
};

/** Starts a role, again and again until `stop`. */
export function superviseRole(options: SupervisedOptions) {
  const { role, environment, drainMs, deafMs, log, isRefusal } = options;
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  const runOnce = async () => {
    const started = startRole(role, environment);
    child = started;
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    started.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    started.once('error', (error) => resolve(error.message));
    let silentLooks = Number.NEGATIVE_INFINITY;
    started.on('message', () => {
      silentLooks = 0;
    });
    // Looks are counted, as this process may have stood still itself.
    const looking = setInterval(() => {
      silentLooks += 1;
      if (silentLooks !== LOOKS || stopping.signal.aborted) return;
      log.error({ pid: started.pid, deafMs }, `${role} gives no sign of life: it is killed`);
      started.kill('SIGKILL');
    }, deafMs / LOOKS);
    const how = await ended;
    clearInterval(looking);
    child = undefined;
    return { how, code: started.exitCode };
  };
  const repeat = async () => {
    for (let ends = 0; ; ) {
      const startedMs = performance.now();
      const notStarted = (error: unknown) => ({ how: toError(error).message, code: null });
      const { how, code } = await runOnce().catch(notStarted);
      if (stopping.signal.aborted) return;
      if (code !== null && INCURABLE.includes(code) && isRefusal()) return;
      ends = performance.now() - startedMs < STEADY_MS ? ends + 1 : 1;
      const waitMs = Math.min(WAIT_MS_MIN * 2 ** (ends - 1), WAIT_MS_MAX);
      log.warn({ how, waitMs }, `${role} ended by itself: starting it again`);
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
    }
  };
  const repeated = repeat();
  return {
    /** Undefined while none runs. */
    pid: () => child?.pid,
    /** Resolves once the worker has drained and ended. */
    async stop() {
      stopping.abort();
      const running = child;
      running?.kill('SIGTERM');
      const force = setTimeout(() => running?.kill('SIGKILL'), drainMs + GRACE_MS);
      await repeated;
      clearTimeout(force);
    },
  };
}

/**
 * A session of its own keeps Ctrl-C from the role, which would take the SIGTERM after it for a demand to end at once. The
 * channel closes when this process dies, whatever ends it, and the role then drains.
 */
function startRole(role: string, environment: Environment): ChildProcess {
  return spawn('/bin/sh', [LAUNCHER, role], {
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
}

const WORKERS = '1..4';
/** More than the processors of any machine that this runs on. */
const WORKERS_MAX = 64;
/** The means of triggers reach back a minute: they are wholly of the new number of workers after twice that. */
const COOL_DOWN_SECONDS = 120;
const COOL_DOWN_BOUNDS = { min: 60, max: 86_400 };
const PORT_MAX = 65_535;
/** Longer: means of a minute come from few readings. Shorter: Postgres and Redis are asked more often. */
const EVERY_MS = 5000;
/** Tests and benches let the minutes of triggers and of the cool-down pass so many times as fast. */
const TIME_FACTOR_VARIABLE = 'RISK_TEST_TIME_FACTOR';

/** @returns the least and the largest number of workers */
export function readRange(flag: string, text = WORKERS): readonly [min: number, max: number] {
  const [, min, max] = /^(\d{1,3})\.\.(\d{1,3})$/.exec(text) ?? [];
  const range = [Number(min), Number(max)] as const;
  if (range[0] >= 1 && range[0] <= range[1] && range[1] <= WORKERS_MAX) return range;
  const shape = `MIN..MAX with 1 ≤ MIN ≤ MAX ≤ ${WORKERS_MAX}, such as ${WORKERS}`;
  throw new UsageError(`${flag} must be ${shape}, not '${text}'`);
}

const OPTIONS = {
  '--workers MIN..MAX': { says: `Never fewer, never more (${WORKERS})`, read: readRange },
  '--cool-down SECONDS': whole('Between two changes', COOL_DOWN_BOUNDS, COOL_DOWN_SECONDS),
} as const;

const RUNS =
  'Runs a trainer, and workers, on this machine and adds or removes one at a time: it adds one where transactions wait (more than 1,000, or one for 30 s) or workers are busy (70 % for 5 minutes), and removes one after 30 minutes with fewer than 10 that wait, unless the others would then be busy';
const supervise = written('', RUNS, OPTIONS, async ({ values }, context) => {
  const {
    workers: [min, max],
    'cool-down': coolDown,
  } = values;
  const { config, environment, log } = context;
  if (config.RISK_WORKER_CORRIDORS !== undefined) {
    log.fatal('RISK_WORKER_CORRIDORS must not be set: the supervisor measures all corridors');
    return EXIT_BAD_CONFIGURATION;
  }
  const portMax = PORT_MAX + 1 - max;
  if (config.RISK_WORKER_PORT > portMax) {
    log.fatal(`RISK_WORKER_PORT must be at most ${portMax}: ${max} workers take a port each`);
    return EXIT_BAD_CONFIGURATION;
  }
  const factor = Number(environment[TIME_FACTOR_VARIABLE] ?? 1);
  await using database = openCommandDatabase(context, 'supervise');
  using connection = await openCommandRedis(context);
  const triggers = TRIGGERS.filter(({ role }) => role === 'worker');
  const scaler = createScaler({ triggers, min, max, coolDownMs: coolDown * 1000 });
  const nowMs = () => performance.now() * factor;
  const readProcessors = createProcessorReader(() => performance.now());
  await using stack = new AsyncDisposableStack();
  const { redis } = connection;
  const readQueue = openQueueReader(stack, { config, database, redis, log });
  await using fleet = openFleet(context);
  while (fleet.size() < min) fleet.add();
  log.info({ workers: min, max }, 'supervisor starts');
  let isUnknown = false;
  const read = async (): Promise<Reading> => {
    const own = readProcessors(fleet.pids());
    try {
      const queue = await readQueue();
      isUnknown = false;
      return { ...own, ...queue };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (!isUnknown) log.warn({ err: error.message }, 'the backlog is unknown: workers stay');
      isUnknown = true;
      return own;
    }
  };
  while (!fleet.over.aborted) {
    const step = scaler.next(nowMs(), fleet.size(), await read());
    if (step !== undefined && !fleet.over.aborted) {
      const { name: trigger, measure } = step.trigger;
      const fields = { trigger, measure, mean: Number(step.mean.toFixed(2)), from: fleet.size() };
      log.info(fields, step.change > 0 ? 'more' : 'fewer');
      if (step.change > 0) fleet.add();
      else await fleet.remove();
      scaler.changed(nowMs());
    }
    await delay(EVERY_MS / factor, undefined, { signal: fleet.over }).catch(() => undefined);
  }
  return fleet.refused() ? EXIT_BAD_CONFIGURATION : EXIT.fine;
});

export const command = commandOf({
  name: 'supervise',
  summary: 'Runs more and fewer workers here, as the backlog asks.',
  needs: ['DATABASE_URL', 'REDIS_URL'],
  notes: `Transactions on hold do not count. A worker that goes drains first; one that crashes, or gives no sign of life for a minute, is started again. SIGTERM drains all. Logs of
the workers pass through. With RISK_WORKER_PORT the second worker answers /metrics on the next port, and so on; the trainer has none.
Needs DATABASE_URL and REDIS_URL.

Example: risk supervise --workers 1..4`,
  actions: { '': supervise },
});

/** A trainer, and workers from the oldest on; the newest goes first. Disposing the fleet drains all. */
function openFleet({ config, environment, log, signal }: CommandContext) {
  const workers: ReturnType<typeof superviseRole>[] = [];
  let leaving: Promise<void> | undefined;
  const refused = new AbortController();
  const beganMs = performance.now();
  const isRefusal = () => {
    if (performance.now() - beganMs < REFUSED_MS) refused.abort();
    return refused.signal.aborted;
  };
  const over = AbortSignal.any([signal, refused.signal]);
  const { RISK_WORKER_PORT: port, RISK_SHUTDOWN_TIMEOUT_MS: drainMs } = config;
  const start = (role: 'worker' | 'trainer', ownPort: number, ordinal?: number) =>
    superviseRole({
      role,
      environment: {
        ...environment,
        DATABASE_URL: neededUrl(config, 'DATABASE_URL'),
        REDIS_URL: neededUrl(config, 'REDIS_URL'),
        RISK_WORKER_PORT: String(ownPort),
      },
      ...{ drainMs, deafMs: DEAF_MS, isRefusal },
      log: log.child({ ordinal }),
    });
  const trainer = start('trainer', 0);
  return {
    size: () => workers.length,
    pids: () => workers.flatMap((worker) => worker.pid() ?? []),
    refused: () => refused.signal.aborted,
    /** Aborted when the supervisor is to end. */
    over,
    add() {
      const ordinal = workers.length;
      workers.push(start('worker', port > 0 ? port + ordinal : 0, ordinal));
    },
    /** Resolves once the newest has drained, or all are to end. */
    async remove() {
      leaving = workers.pop()?.stop();
      await Promise.race([leaving, once(over, 'abort')]);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([leaving, ...[trainer, ...workers.splice(0)].map((role) => role.stop())]);
    },
  };
}
