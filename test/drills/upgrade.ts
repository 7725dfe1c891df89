/**
 * A new release replaces an older one process by process, works beside it, and is rolled back. Neither reads the stream entries of
 * the other one: beside each other both score their own, and what is left of the other one is scored from Postgres.
 */
import { readMetrics } from '../../bench/support/metrics.ts';
import { GROUP } from '../../src/core/stream/keys.ts';
import { UNREAD_MS } from '../../src/core/stream/status/heads.ts';
import { allStreams } from '../chaos/support/streams.ts';
import { type DrillStage, drill } from './support/drill.ts';
import { MIGRATION, NEWER_VERSION, openReleases } from './support/releases.ts';

const [FIRST, SECOND] = ['worker-1', 'worker-2'] as const;
/** Beside each other each release has an API and a worker. */
const [EARLY, LATE] = [[FIRST, 'api-1'] as const, [SECOND, 'api-2'] as const];
const SCORED = 'risk_transactions_scored_total';

/** Replaces a process by one of another release. */
async function replace({ engine }: DrillStage, name: string, launcher: string): Promise<void> {
  const { role } = engine.process(name);
  await engine.drain(name);
  await engine.start(role, name, { launcher });
}

const countScored = async ({ engine, signal }: DrillStage, name: string) =>
  (await readMetrics(engine.process(name), signal)).sum(SCORED);

/** Waits until the workers of both releases have scored something beside each other. */
async function scoreBeside(stage: DrillStage): Promise<void> {
  const before = await countScored(stage, SECOND);
  const [byNew, byOld] = [`scored by the new release`, `scored by the old one beside it`];
  const count = async () => ({
    [byNew]: await countScored(stage, FIRST),
    [byOld]: (await countScored(stage, SECOND)) - before,
  });
  const isBoth = async () => Object.values(await count()).every((scored) => scored > 0);
  await stage.until('both releases score', isBoth).catch(() => undefined);
  for (const [what, scored] of Object.entries(await count()))
    stage.bar(what, scored, { atLeast: 1 });
}

const OLD = 'the old release';
const leftOf = (whose: string) => `entries of ${whose} that are left`;
/** Name of the bar that a mutant breaks. */
export const LEFT_OF_OLD = leftOf(OLD);

/** Entries that are in streams, and that workers of the release which runs do not read. */
async function listUnread({ site }: DrillStage, isNewer: boolean) {
  const streams = await allStreams(site);
  const found = streams.map(async ({ transactions }) => {
    const entries = await site.client.xrange(transactions, '-', '+');
    const unread = entries.filter(([, fields]) => (fields[1] === NEWER_VERSION) !== isNewer);
    return unread.map(([id]) => ({ transactions, id }));
  });
  return (await Promise.all(found)).flat();
}

/** Tells Redis that time has passed since workers met the entries of the release that runs no more, until none is left. */
async function outwaitUnread(stage: DrillStage, isNewer: boolean): Promise<void> {
  const { site } = stage;
  const met = new Set<string>();
  const areGone = async () => {
    const unread = await listUnread(stage, isNewer);
    for (const { transactions, id } of unread) {
      const claim = [transactions, GROUP, 'drill', 0, id, 'IDLE', UNREAD_MS, 'JUSTID'];
      const claimed = (await site.client.call('XCLAIM', claim)) as readonly string[];
      if (claimed.length > 0) met.add(`${transactions} ${id}`);
    }
    return unread.length === 0;
  };
  const whose = isNewer ? OLD : 'the new release';
  await stage.until(`no entry of ${whose}`, areGone).catch(() => undefined);
  stage.bar(`entries of ${whose} that no worker read`, met.size, { atLeast: 1 });
  const left = await listUnread(stage, isNewer);
  stage.bar(leftOf(whose), left.length, { exactly: 0 });
}

export const upgrade = drill({
  name: 'upgrade',
  what: 'a release is upgraded, and rolled back',
  setup: { apis: 2, workers: 2 },
  mayLose: false,
  openReleases,
  strike: async (stage) => {
    const { engine, site } = stage;
    const printed = await site.runPage('upgrade.md', 'Upgrade', 0);
    stage.bar('migrations of the new release', printed.split(MIGRATION).length - 1, { exactly: 1 });
    for (const name of EARLY) await replace(stage, name, site.launcher);
    await scoreBeside(stage);
    for (const name of LATE) await replace(stage, name, site.launcher);
    await outwaitUnread(stage, true);
    const asked = { RISK_URL: engine.apiUrls[0] ?? '', RISK_API_KEY: engine.apiKey };
    await site.runPage('upgrade.md', 'Upgrade', 1, asked);
  },
  restore: async (stage) => {
    for (const name of [...EARLY, ...LATE]) {
      await replace(stage, name, stage.site.firstLauncher);
    }
    await outwaitUnread(stage, false);
  },
  resume: async () => undefined,
});
