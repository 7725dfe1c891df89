/**
 * A drill: an engine under steady load, an incident at a moment, the recovery by the commands of the documents, and figures of what
 * was gone and for how long nothing was accepted or scored. The runner and the checker of `npm run chaos` judge the rest.
 */
import type { Plan, Scenario, Setup, Stage } from '../../chaos/support/scenario.ts';
import type { Releases } from './releases.ts';
import { type Site, startSite } from './site.ts';

export type DrillStage = Stage & { readonly site: Site };

export type Drill = {
  readonly name: string;
  /** The incident in a few words. */
  readonly what: string;
  readonly setup?: Partial<Setup>;
  /** Whether answered transactions may be gone. Their client then posts them again. */
  readonly mayLose: boolean;
  /** Makes the releases between which the drill goes to and fro; absent: it has the engine under test alone. */
  readonly openReleases?: (folder: string, launcher: string) => Promise<Releases>;
  /** Does what was done long before the incident. */
  readonly prepare?: (stage: DrillStage) => Promise<void>;
  readonly strike: (stage: DrillStage) => Promise<void>;
  /** Brings Postgres back; it ends before a process of the engine writes what it did not have before. */
  readonly restore: (stage: DrillStage) => Promise<void>;
  /** Brings the engine back. */
  readonly resume: (stage: DrillStage) => Promise<void>;
};

/** Row B10 of the requirements: five minutes and half an hour. */
export const TARGETS = { rpoSeconds: 300, rtoSeconds: 1800 } as const;
export const RPO = 'seconds of answered writes that were gone';
export const UNACCEPTED = 'seconds in which nothing was accepted';
export const UNSCORED = 'seconds in which nothing was scored';

const RATE = 300;
const BATCH = 50;
/** Share of the transactions that are posted before anything is done, and afterwards. */
const SHARE = 1 / 4;
const POSTED_MS_MAX = 120_000;
const ENDED = 'engine recovered';

export function drill(of: Drill): Scenario {
  // The runner starts the services of a scenario before it runs the plan, one scenario at a time.
  let site: Site | undefined;
  return {
    ...{ name: of.name, what: of.what },
    setup: { countersExact: false, rate: RATE, batch: BATCH, ...of.setup },
    startServices: async (options) => {
      const releases = await of.openReleases?.(options.folder, options.launcher);
      site = await startSite(options, releases);
      return site;
    },
    plan: () => planOf(of, () => site),
  };
}

function planOf(of: Drill, siteNow: () => Site | undefined): Plan {
  let incidentMs = Number.NaN;
  let goneSeconds = Number.NaN;
  const at = (stage: Stage): DrillStage => {
    const site = siteNow();
    if (site === undefined) throw new Error('the services were not started');
    return { ...stage, site };
  };
  return {
    schedule: [of.what, 'recovery'],
    faults: [of.what, ENDED],
    run: async (plain) => {
      const stage = at(plain);
      await untilPosted(stage);
      await of.prepare?.(stage);
      await untilPosted(stage);
      incidentMs = Date.now();
      await of.strike(stage);
      stage.happened(of.what);
      await of.restore(stage);
      const gone = await rewind(stage);
      goneSeconds = secondsOf(gone.answeredMs, incidentMs);
      await of.resume(stage);
      stage.happened(ENDED);
      await stage.load.repeat(gone.keys);
      await untilPosted(stage);
      stage.remark(`${gone.keys.size} answered transactions were gone, and posted again`);
    },
    judge: async (plain) => {
      const stage = at(plain);
      const { rpoSeconds, rtoSeconds: atMost } = TARGETS;
      stage.bar(RPO, round(goneSeconds), of.mayLose ? { atMost: rpoSeconds } : { exactly: 0 });
      const answers = [...stage.ledger.answeredMs.values()];
      stage.bar(UNACCEPTED, round(longestPause(answers, incidentMs)), { atMost });
      stage.bar(UNSCORED, round(await longestUnscored(stage, incidentMs)), { atMost });
      await check(stage);
    },
  };
}

/** Waits for a share of the transactions. */
async function untilPosted({ ledger, transactions, until }: DrillStage): Promise<void> {
  const goal = ledger.counts.acknowledged + Math.ceil(SHARE * transactions);
  await until(`${goal} accepted`, () => ledger.counts.acknowledged >= goal, POSTED_MS_MAX);
}

const MISSING = `
  select id::text from unnest($1::uuid[]) id
   where not exists (select from transactions t where t.transaction_id = id)`;
const UNSCORED_NOW = `
  select id::text from unnest($1::uuid[]) id
   where not exists (select from scores s where s.transaction_id = id)`;

type Gone = { readonly keys: ReadonlySet<string>; readonly answeredMs: readonly number[] };

/** Has the ledger forget what Postgres does not have any more, as its client does that posts again. */
async function rewind({ ledger, site }: DrillStage): Promise<Gone> {
  const read = async (sql: string, ids: readonly string[]) =>
    new Set((await site.query<{ id: string }>(sql, [ids])).map(({ id }) => id));
  const missing = await read(MISSING, [...ledger.entries.values()]);
  const unscored = [...(await read(UNSCORED_NOW, [...ledger.seen.keys()]))];
  const keys = [...ledger.entries].flatMap(([key, id]) => (missing.has(id) ? [key] : []));
  const answeredMs = keys.map((key) => ledger.answeredMs.get(key) ?? Number.NaN);
  ledger.note({ kind: 'rewound', keys, unscored });
  return { keys: new Set(keys), answeredMs };
}

/** @returns seconds from the first answer that is gone until the incident, or until the last such answer */
export function secondsOf(goneMs: readonly number[], incidentMs: number): number {
  if (goneMs.length === 0) return 0;
  return (Math.max(incidentMs, ...goneMs) - Math.min(...goneMs)) / 1000;
}

/** @returns seconds of the longest pause after the incident, be it between the incident and the first of the times */
export function longestPause(times: readonly number[], incidentMs: number): number {
  const after = times.filter((ms) => ms > incidentMs).toSorted((a, b) => a - b);
  if (after.length === 0) return Number.NaN;
  return Math.max(...after.map((ms, at) => ms - (after[at - 1] ?? incidentMs))) / 1000;
}

async function longestUnscored({ site }: DrillStage, incidentMs: number): Promise<number> {
  const sql = 'select (extract(epoch from scored_at) * 1000)::float8 as ms from scores';
  const rows = await site.query<{ ms: number }>(sql);
  return longestPause(
    rows.map(({ ms }) => ms),
    incidentMs,
  );
}

const round = (seconds: number) => Math.round(seconds * 10) / 10;

/** The commands by which an operator sees that all is well; each that fails ends the drill. */
async function check({ engine, site, remark }: DrillStage): Promise<void> {
  const asked = { RISK_URL: engine.apiUrls[0] ?? '', RISK_API_KEY: engine.apiKey };
  const printed = await site.runPage('backup.md', 'Check', 0, asked);
  remark(
    printed
      .split('\n')
      .filter((line) => /different=/.test(line))
      .join('; '),
  );
}
