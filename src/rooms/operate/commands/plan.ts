/** `risk plan`: what a load takes and costs, computed from the calibration of a machine. */
import { join } from 'node:path';
import { UsageError } from '../../../kit/command/command.ts';
import { readDataFile } from '../../../kit/command/data-file.ts';
import { decimal, needed, whole } from '../../../kit/command/options.ts';
import { commandOf, written } from '../../../kit/command/rows.ts';
import { countConnections } from '../../../kit/database/open-database.ts';
import { DESCRIBED, issueText } from '../../../kit/words/describe-issue.ts';
import { Failure } from '../../../kit/words/failure.ts';
import {
  CALIBRATION_BYTES_MAX,
  CALIBRATION_FILE,
  type Calibration,
  type Connections,
  type Cost,
  calibrationSchema,
  type Demand,
  fleetFor,
  type Plan,
  planCapacity,
  postgresMemoryGb,
  priceOf,
} from '../plan/plan.ts';
import { PRICES } from '../plan/prices.ts';
import { TRIGGERS } from '../scaling/triggers.ts';

/** As docker-compose.yml, render.yaml and deploy/kubernetes limit a process. */
const CORES_EACH = 0.5;
const CORES = { min: 0.1, max: 64 };
const UTILISATION = TRIGGERS.find(({ name }) => name === 'BusyWorkers')?.threshold ?? 1;
const MONTHS_MAX = 120;
const PARTIES_MAX = 10_000_000_000;
const LOADS_MAX = 20;
const SHARE = { min: 0.01, max: 1 };

const PARTIES = { min: 0, max: PARTIES_MAX };
const FACTOR = { min: 1, max: 100 };

const OPTIONS = {
  '--tps N[,N…]': {
    says: "Transactions a second at today's peak; several with commas; needed",
    read: (flag: string, text: string | undefined) => {
      const loads = needed('').read(flag, text, []).split(',');
      if (loads.length > LOADS_MAX)
        throw new UsageError(`${flag} takes at most ${LOADS_MAX} loads`);
      return loads.map((load) => decimal('', { min: 0.01, max: 1e7 }, 0).read(flag, load, []));
    },
  },
  '--growth N': decimal('Growth a month: 0.08 is 8 %', { min: -0.5, max: 10 }, 0),
  '--months N': whole('Months ahead', { min: 0, max: MONTHS_MAX }, 0),
  '--seasonal N': decimal('Factor of the busiest season', FACTOR, 1),
  '--interaction N': decimal('Factor of features that call for more work', FACTOR, 1),
  '--safety N': decimal('Factor for what nobody knows, usually 2 to 3', FACTOR, 2.5),
  '--mean N': decimal('Mean of a day as a share of its peak, for rows and money', SHARE, 0.5),
  '--accounts N': whole('Accounts in use within RISK_PROFILE_TTL_SECONDS', PARTIES, 100_000),
  '--merchants N': whole('Merchants in use (as many an account as measured)', PARTIES, undefined),
  '--cores N': decimal('Of each process; a role uses one at most', CORES, CORES_EACH),
  '--calibration FILE': `What risk calibrate wrote (${CALIBRATION_FILE} in RISK_DATA_DIR)`,
} as const;

const COMPUTES =
  'Prints what a load takes at its peak, tps × (1 + growth)^months × seasonal × interaction × safety: processes, connections, memory of Redis and Postgres, rows and disk by month, officers, and list prices by tier and corridor';
const plan = written('', COMPUTES, OPTIONS, async ({ values }, { config, output }) => {
  const { tps: loads, cores, calibration, merchants: asked, ...shared } = values;
  const path = calibration ?? join(config.RISK_DATA_DIR, CALIBRATION_FILE);
  const measured = await readCalibration(path);
  const merchants = asked ?? Math.ceil(shared.accounts * measured.merchants_per_account);
  const each = countConnections(config);
  const rows = loads.map((tps) => planOf({ ...shared, tps, merchants }, measured, each, cores));
  const [only] = rows;
  if (rows.length === 1 && only !== undefined) output.value(only.json, only.lines());
  else if (output.json)
    output.value(
      rows.map(({ json }) => json),
      [],
    );
  else
    output.table(
      Object.keys(only?.row ?? {}),
      rows.map(({ row }) => row),
    );
});

export const command = commandOf({
  name: 'plan',
  summary: 'What a load takes and costs, from measured figures.',
  notes: `Computes with what risk calibrate measured on this machine; several N give a table with a line each.

Example: risk plan --tps 1000 --growth 0.08 --months 12 --seasonal 2 --interaction 1.3 --safety 2.5`,
  actions: { '': plan },
});

async function readCalibration(path: string): Promise<Calibration> {
  const value = await readDataFile(path, CALIBRATION_BYTES_MAX).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    const how = `${error.message}\nrisk calibrate makes the file while the engine works`;
    throw new Failure('invalid', error.code, how);
  });
  const { data, error } = calibrationSchema.safeParse(value, DESCRIBED);
  if (data !== undefined) return data;
  const lines = error.issues.map((issue) => `${path}: ${issue.path.join('.')} ${issueText(issue)}`);
  throw new Failure('invalid', 'CALIBRATION_INVALID', lines.join('\n'));
}

function planOf(demand: Demand, measured: Calibration, each: Connections, cores: number) {
  const made = planCapacity(demand, measured, UTILISATION);
  const fleet = fleetFor(made, { api: cores, worker: cores }, each);
  const postgresGb = postgresMemoryGb(made, measured, fleet.connections);
  const costs = PRICES.tiers.map((tier) => priceOf(tier, made, measured, each));
  const json = {
    demand,
    peak_tps: made.peakTps,
    cores: made.cores,
    cores_each: cores,
    utilisation: UTILISATION,
    api_processes: fleet.api,
    worker_processes: fleet.worker,
    connections: fleet.connections,
    max_connections: fleet.connectionsMax,
    redis_maxmemory_gb: made.redis.maxmemoryGb,
    redis_profiles_gb: made.redis.profilesGb,
    redis_waiting_gb: made.redis.waitingGb,
    postgres_memory_gb: postgresGb,
    postgres_disk_gb: made.diskGb,
    months: made.months,
    reviews_a_day: made.reviewsADay,
    officers: made.officers,
    prices_as_of: PRICES.asOf,
    costs,
    measured_at: measured.measured_at,
  };
  const usd = (name: Cost['tier']) => costs.find(({ tier }) => tier === name)?.usdAMonth ?? null;
  const row = {
    tps: demand.tps,
    peak: Math.ceil(made.peakTps),
    api: fleet.api,
    workers: fleet.worker,
    connections: fleet.connections,
    postgres_cores: made.cores.postgres === null ? null : Number(made.cores.postgres.toFixed(2)),
    redis_gb: Number(made.redis.maxmemoryGb.toFixed(2)),
    disk_gb: Math.ceil(made.diskGb),
    officers: made.officers,
    starter_usd: rounded(usd('starter')),
    pro_usd: rounded(usd('pro')),
  };
  return { json, row, lines: () => linesOf(demand, measured, made, json) };
}

const rounded = (value: number | null) => (value === null ? null : Math.round(value));
const figure = (value: number) => value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
const ceiling = (value: number) => Math.ceil(value).toLocaleString('en-US');

function linesOf(
  demand: Demand,
  measured: Calibration,
  { peakTps, cores, redis, months, rowsAMonth, diskGb, reviewsADay, officers }: Plan,
  json: ReturnType<typeof planOf>['json'],
): string[] {
  const { tps, growth, months: ahead, seasonal, interaction, safety } = demand;
  const formula = `${tps} × (1 + ${growth})^${ahead} × ${seasonal} × ${interaction} × ${safety}`;
  const server = (value: number | null, us: number | null) =>
    value === null ? 'not measured' : `${figure(value)} cores (${figure(us ?? 0)} µs each)`;
  const process = (count: number, us: number) => `${count} (${figure(us)} µs a transaction)`;
  const step = Math.max(1, Math.ceil(months.length / 12));
  return [
    `peak         ${formula} = ${ceiling(peakTps)} transactions a second`,
    `measured     ${measured.measured_at.slice(0, 10)}, ${measured.machine}; ${figure(measured.transactions_per_request)} transactions a request`,
    `API          ${process(json.api_processes, measured.api_us)}, each ${json.cores_each} cores, ${UTILISATION * 100} % used`,
    `workers      ${process(json.worker_processes, measured.worker_us)}`,
    `connections  ${json.connections}, so max_connections from ${json.max_connections} on`,
    `Postgres     ${server(cores.postgres, measured.postgres_us)}, ${figure(json.postgres_memory_gb)} GB of memory, ${ceiling(diskGb)} GB of disk`,
    `Redis        ${server(cores.redis, measured.redis_us)}, maxmemory ${figure(redis.maxmemoryGb)} GB: profiles ${figure(redis.profilesGb)}, waiting ${figure(redis.waitingGb)}${(cores.redis ?? 0) > 1 ? '; more than its one thread, so a cluster' : ''}`,
    `officers     ${officers} for ${ceiling(reviewsADay)} reviews a day`,
    '',
    'month           rows  disk GB',
    ...months
      .filter(({ month }) => month % step === 0 || month === ahead)
      .map(
        (month) =>
          `${String(month.month).padStart(5)}  ${ceiling(month.rows).padStart(14)}  ${ceiling(month.diskGb).padStart(7)}`,
      ),
    '',
    `cost a month and a million transactions, of ${ceiling(rowsAMonth)} rows in month ${ahead}; list prices of Render, ${json.prices_as_of}`,
    ...json.costs.flatMap(costLines),
  ];
}

function costLines({ tier, lacks, usdAMonth, usdAMillion, corridors, ...parts }: Cost): string[] {
  if (usdAMonth === null) return [`${tier.padEnd(9)} does not carry it, for want of ${lacks}`];
  const { api, worker, postgres, redis, connections } = parts;
  const fleet = `API ${api}, worker ${worker}, Postgres ${postgres}, Redis ${redis}, ${connections} connections`;
  const shares = Object.entries(corridors ?? {}).map(([name, usd]) => `${name} $${usd.toFixed(2)}`);
  return [
    `${tier.padEnd(9)} $${usdAMonth.toFixed(2)} a month, $${usdAMillion?.toFixed(2)} a million: ${fleet}`,
    ...(shares.length > 0 ? [`${' '.repeat(10)}${shares.join(', ')}`] : []),
  ];
}
