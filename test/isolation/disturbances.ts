/** Disturbances of a neighbour: one thing at a time, from `begin` until `end` of each disturbed window. */
import pg from 'pg';
import { putModelInForce } from '../../bench/support/model-in-force.ts';
import { rolledBack } from './rolled-back.ts';
import {
  NEIGHBOUR,
  NEIGHBOUR_CORRIDORS,
  type Neighbour,
  type NeighbourLoad,
  USUAL_LOAD,
} from './support/neighbour.ts';

export type Disturbance = {
  readonly name: string;
  readonly what: string;
  /** Settings of all processes. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Traffic in disturbed windows, as far as it differs from the usual. */
  readonly load?: Partial<NeighbourLoad>;
  /** Runs once, before the first window. */
  readonly prepare?: (neighbour: Neighbour, isQuick: boolean) => Promise<void>;
  readonly begin?: (neighbour: Neighbour) => Promise<void>;
  readonly end?: (neighbour: Neighbour) => Promise<void>;
  /** Runs once, after the last window. */
  readonly finish?: (neighbour: Neighbour) => Promise<void>;
};

const TIMES_OVER_LIMIT = 10;

const overLimit: Disturbance = {
  name: 'over-limit',
  what: `the neighbour gets ${TIMES_OVER_LIMIT} times its limit`,
  load: { rate: USUAL_LOAD.rate * TIMES_OVER_LIMIT },
  prepare: (neighbour) =>
    neighbour.request('PUT', '/v1/controls/limit-transactions/market', {
      in_force: true,
      rate_per_second: USUAL_LOAD.rate,
      burst: USUAL_LOAD.rate,
      reason: 'a proof',
    }),
};

const fraudWave: Disturbance = {
  name: 'fraud-wave',
  what: 'every transaction of the neighbour looks like fraud',
  load: { fraudRate: 1 },
};

const POISONED = { RISK_TEST_POISON: 'throw:', RISK_RETRY_BASE_MS: '200' };

const poisonedCorridor: Disturbance = {
  name: 'poisoned-corridor',
  what: "scoring throws for every transaction of the neighbour's second corridor",
  load: { corridor: NEIGHBOUR_CORRIDORS[1] },
  async begin(neighbour) {
    await neighbour.drainWorker();
    await neighbour.startWorker(POISONED);
  },
  async end(neighbour) {
    await neighbour.drainWorker();
    await neighbour.startWorker();
  },
};

/** The most that a model may have: a call of a batch of 20 takes about 50 ms. */
const SLOW_TREES = 5000;

/** Puts a model in force in the neighbour's second corridor alone. */
const putModel = ({ stage }: Neighbour, trees?: number) =>
  putModelInForce(stage.services.databaseUrl, {
    market: NEIGHBOUR,
    corridors: [NEIGHBOUR_CORRIDORS[1]],
    ...(trees === undefined ? {} : { trees }),
  });

const slowModel: Disturbance = {
  name: 'slow-model',
  what: `a model of ${SLOW_TREES} trees decides in the neighbour's second corridor`,
  load: { corridor: NEIGHBOUR_CORRIDORS[1] },
  async prepare(neighbour) {
    await putModel(neighbour, SLOW_TREES);
  },
};

const failingModel: Disturbance = {
  name: 'failing-model',
  what: "the model of the neighbour's second corridor fails the proof that precedes its use",
  load: { corridor: NEIGHBOUR_CORRIDORS[1] },
  async prepare(neighbour) {
    await neighbour.drainWorker();
    await putModel(neighbour);
    // A trigger refuses changes of models.
    await neighbour.stage.services.query(
      `alter table ${NEIGHBOUR}.models disable trigger user;
       update ${NEIGHBOUR}.models set golden_margins = array(select margin + 1 from unnest(golden_margins) margin);
       alter table ${NEIGHBOUR}.models enable trigger user`,
    );
    await neighbour.startWorker();
  },
};

const SCANNED = 1000;

const flushed: Disturbance = {
  name: 'keys-flushed',
  what: "the neighbour's keys in Redis are deleted",
  begin: deleteKeys,
  end: deleteKeys,
};

async function deleteKeys({ stage }: Neighbour): Promise<void> {
  const { client } = stage.services;
  for (const pattern of [`{${NEIGHBOUR}:*`, `${NEIGHBOUR}:*`]) {
    let cursor = '0';
    do {
      const [next, keys] = await client.scan(cursor, 'MATCH', pattern, 'COUNT', SCANNED);
      await Promise.all(keys.map((key) => client.unlink(key)));
      cursor = next;
    } while (cursor !== '0');
  }
}

const killed: Disturbance = {
  name: 'workers-killed',
  what: "the neighbour's worker is killed, and started again afterwards",
  begin: (neighbour) => neighbour.killWorker(),
  end: (neighbour) => neighbour.startWorker(),
};

const LOCKED_TABLES = ['transactions', 'scores', 'open_rows'];
let locks: pg.Client | undefined;

const locked: Disturbance = {
  name: 'tables-locked',
  what: "a session holds exclusive locks on the neighbour's tables",
  async begin({ stage }) {
    locks = new pg.Client({ connectionString: stage.services.databaseUrl });
    await locks.connect();
    const tables = LOCKED_TABLES.map((table) => `${NEIGHBOUR}.${table}`);
    await locks.query(`begin; lock table ${tables.join(', ')} in access exclusive mode`);
  },
  async end() {
    await locks?.end();
  },
};

const dropped: Disturbance = {
  name: 'schema-dropped',
  what: "the neighbour's schema is dropped under its processes, and made again afterwards",
  async begin({ stage }) {
    await stage.services.query(`drop schema ${NEIGHBOUR} cascade`);
  },
  end: (neighbour) => neighbour.migrate(),
};

const BACKLOG = 500_000;
const BACKLOG_QUICK = 50_000;

const [USUAL_CORRIDOR, BACKLOG_CORRIDOR] = NEIGHBOUR_CORRIDORS;

/**
 * The worker is ended and started, as one that is stopped in the middle of a database transaction would hold back the cleaning of
 * both markets' tables.
 */
async function restartWorker(neighbour: Neighbour, corridors: readonly string[]): Promise<void> {
  await neighbour.drainWorker();
  await neighbour.startWorker({ RISK_WORKER_CORRIDORS: corridors.join(',') });
}

const backlog: Disturbance = {
  name: 'backlog',
  what: `the neighbour's worker drains a backlog of ${BACKLOG} of its second corridor`,
  load: { rate: 500 },
  async prepare(neighbour, isQuick) {
    neighbour.stage.happened('backlog');
    await restartWorker(neighbour, [USUAL_CORRIDOR]);
    const go = await neighbour.traffic(
      { ...USUAL_LOAD, corridor: BACKLOG_CORRIDOR, rate: 0, batch: 1000 },
      { transactions: isQuick ? BACKLOG_QUICK : BACKLOG },
    );
    await go();
  },
  begin: (neighbour) => restartWorker(neighbour, NEIGHBOUR_CORRIDORS),
  end: (neighbour) => restartWorker(neighbour, [USUAL_CORRIDOR]),
  finish: (neighbour) => restartWorker(neighbour, NEIGHBOUR_CORRIDORS),
};

export const DISTURBANCES: readonly Disturbance[] = [
  overLimit,
  fraudWave,
  poisonedCorridor,
  slowModel,
  failingModel,
  flushed,
  killed,
  locked,
  dropped,
  rolledBack,
  backlog,
];
