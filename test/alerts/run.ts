/**
 * `npm run deploy:alerts`: makes the cause of each alert for real and says when Prometheus and Alertmanager told it, with all
 * times of the rules at a sixtieth. It takes a quarter of an hour, and is no part of `npm test`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createOutput, type Row } from '../../src/kit/command/output.ts';
import { readAlerts, readRules, ruleKey } from '../support/alerts/rules.ts';
import { CAUSES, type Cause } from './causes.ts';
import type { Scene } from './harm.ts';
import { startRig } from './rig.ts';
import { startTraffic } from './traffic.ts';

const NOT_FIRED: Readonly<Record<string, string>> = {
  RuleFails: 'only code of a rule can throw, and no such code is shipped',
  RolledBack: 'needs a model or a rule set that fails in force',
  ModelLatency: 'needs a model whose call takes 100 ms, and none of that size is allowed',
  CacheMisses: 'needs Redis without profiles while most accounts are known',
  ModelDrift: 'needs thousands of scores beside a training',
  ModelInputsMissing: 'as ModelDrift',
  ModelOutcomes: 'as ModelDrift, with labels of a week',
  ModelWorse: 'looks a week back, which is 2.8 hours at a sixtieth',
  LabelsLate: 'as ModelWorse',
  KafkaDown: 'needs a Kafka beside the engine',
  KafkaTrimmed: 'as KafkaDown, with a retention of seconds',
  KeysUnfiltered: 'needs sealed slices of keys, which take weeks',
  EvidenceRefused: 'needs a log that was published, and a backup from before',
  EvidenceLate: 'needs keys, and a folder that cannot be written for minutes',
  RegionQueueAge: 'as HighQueueAge, whose worker tells the region, which a minute forgets here',
  ReviewOverflows: 'needs a policy with an overflow rule that is met',
};

const USAGE =
  'npm run deploy:alerts [-- TEXT…]   runs the causes whose description has one of the texts; all without';
const END_SECONDS_MAX = 40;
/** Alerts on work that is done late fire after their cause has ended. */
const LATE_SECONDS_MAX = 2 * END_SECONDS_MAX;
/** The longest of the short windows of budgets has six minutes. */
const REST_SECONDS_MAX = 400;
const POLL_MS = 200;

const output = createOutput({ json: false });
const controller = new AbortController();
process.once('SIGINT', () => controller.abort());
process.once('SIGTERM', () => controller.abort());
const { signal } = controller;
const alerts = readAlerts();
const objectives = new Set(readRules().map(({ labels }) => labels?.['slo']));

/** `NAME`, `NAME OBJECTIVE` or `NAME RULE` as the keys of all rules that are meant. */
function keysOf(named: string): string[] {
  const [name = '', ...rest] = named.split(' ');
  const alert = alerts.find((one) => one.name === name);
  if (alert === undefined) throw new Error(`${name} is no alert`);
  const slo = objectives.has(rest[0]) ? rest[0] : undefined;
  const wanted = slo === undefined ? rest.join(' ') : '';
  return alert.rules
    .map(ruleKey)
    .filter((key) => wanted === '' || key === wanted)
    .map((key) => [name, slo ?? [], key].flat().join(' '));
}

type Seen = {
  readonly key: string;
  readonly cause: string;
  readonly beganMs: number;
  endedMs: number;
  readonly isOld: boolean;
};

async function until(isSo: () => boolean, seconds: number): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!isSo() && performance.now() < deadline) await delay(POLL_MS, undefined, { signal });
}

async function make(cause: Cause, scene: Scene): Promise<Seen[]> {
  const { watch } = scene;
  const expect = (names: readonly string[], what: string): Seen[] =>
    names.flatMap(keysOf).map((key) => ({
      key,
      cause: what,
      beganMs: performance.now(),
      endedMs: Number.POSITIVE_INFINITY,
      isOld: watch.isFiring(key),
    }));
  const hasFired = ({ key, beganMs }: Seen) =>
    watch.changes.some((one) => one.key === key && one.fires && one.atMs >= beganMs) ||
    watch.isFiring(key);
  const seen = expect(cause.fires, cause.what);
  const end = await cause.begin(scene);
  try {
    await until(() => seen.every(hasFired), cause.within);
  } finally {
    for (const one of seen) one.endedMs = performance.now();
    await end();
  }
  const late = expect(cause.after ?? [], `${cause.what}; then it goes on`);
  for (const one of late) one.endedMs = one.beganMs;
  await until(() => late.every(hasFired), END_SECONDS_MAX);
  const all = [...seen, ...late];
  // Alerts on budgets end later, while other causes are made.
  const quick = all.filter(({ key }) => !key.startsWith('Budget') && !key.startsWith('LowQueue'));
  await until(() => quick.every(({ key }) => !watch.isFiring(key)), END_SECONDS_MAX);
  for (const one of all) output.line(`  ${hasFired(one) ? 'fired    ' : 'NOT FIRED'} ${one.key}`);
  return all;
}

function toRow({ key, cause, beganMs, endedMs, isOld }: Seen, { watch, pager }: Scene): Row {
  // An alert that fires much later has another cause.
  const untilMs = endedMs + LATE_SECONDS_MAX * 1000;
  const fired = watch.changes.find(
    (one) => one.key === key && one.fires && one.atMs >= beganMs && one.atMs <= untilMs,
  );
  const ended =
    fired &&
    watch.changes.find(
      (one) => one.key === key && !one.fires && one.atMs >= Math.max(endedMs, fired.atMs),
    );
  const seconds = (toMs: number | undefined, fromMs: number) =>
    toMs === undefined ? '' : ((toMs - fromMs) / 1000).toFixed(1);
  return {
    alert: key,
    cause,
    fires_s: fired === undefined && isOld ? 'fired before' : seconds(fired?.atMs, beganMs),
    ends_s: seconds(ended?.atMs, endedMs),
    received_by: pager.receiversOf(key).join(', '),
  };
}

const texts = process.argv.slice(2);
if (texts.some((text) => text.startsWith('-'))) {
  output.line(USAGE);
  process.exit(texts.includes('--help') ? 0 : 2);
}
const causes = CAUSES.filter(
  ({ what }) => texts.length === 0 || texts.some((text) => what.includes(text)),
);
await using rig = await startRig(signal);
const over = new AbortController();
const traffic = startTraffic(
  rig.engine.apiUrls[0] ?? '',
  rig.engine.apiKey,
  AbortSignal.any([signal, over.signal]),
);
const scene: Scene = { ...rig, traffic };
const seen: Seen[] = [];
for (const cause of causes) {
  output.line(cause.what);
  seen.push(
    ...(await make(cause, scene).catch((error: unknown) => {
      signal.throwIfAborted();
      output.error(`  broken: ${error instanceof Error ? error.stack : error}`);
      return [];
    })),
  );
}
await until(
  () => seen.every(({ key }) => key.startsWith('LowQueue') || !rig.watch.isFiring(key)),
  REST_SECONDS_MAX,
);
over.abort();
const rows = seen.map((one) => toRow(one, scene));
output.line();
output.table(
  [
    { field: 'alert' },
    { field: 'fires_s', align: 'right' },
    { field: 'ends_s', align: 'right' },
    { field: 'received_by' },
    { field: 'cause' },
  ],
  rows,
);
output.line();
output.table(
  [{ field: 'not fired' }, { field: 'why' }],
  Object.entries(NOT_FIRED).map(([name, why]) => ({ 'not fired': name, why })),
);
process.exitCode = rows.every(({ fires_s: fires }) => fires !== '') ? 0 : 1;
