/** A new release replaces an older one process by process, works beside it, and is rolled back. */
import { readCounter } from '../chaos/support/told.ts';
import { type DrillStage, drill } from './support/drill.ts';
import { MIGRATION, openReleases } from './support/releases.ts';

const [FIRST, SECOND] = ['worker-1', 'worker-2'] as const;
const NAMES = [FIRST, SECOND, 'api-1', 'api-2'] as const;
const SCORED = 'risk_transactions_scored_total';

/** Replaces a process by one of another release. */
async function replace({ engine }: DrillStage, name: string, launcher: string): Promise<void> {
  const { role } = engine.process(name);
  await engine.drain(name);
  await engine.start(role, name, { launcher });
}

const countScored = ({ engine }: DrillStage, name: string) =>
  readCounter(engine, engine.process(name).url, SCORED);

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
    await replace(stage, FIRST, site.launcher);
    await scoreBeside(stage);
    for (const name of NAMES.slice(1)) await replace(stage, name, site.launcher);
    const asked = { RISK_URL: engine.apiUrls[0] ?? '', RISK_API_KEY: engine.apiKey };
    await site.runPage('upgrade.md', 'Upgrade', 1, asked);
  },
  restore: async (stage) => {
    for (const name of NAMES) await replace(stage, name, stage.site.firstLauncher);
  },
  resume: async () => undefined,
});
