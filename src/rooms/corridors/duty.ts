/** Figures of corridors as metrics: one worker reads them for all, from the newest rows, and no transaction waits for it. */
import { freezeOf, stopOf } from '../../core/domain/switch.ts';
import type { Worker } from '../../core/room.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import { readHealth } from './corridor-health.ts';
import { healthOf } from './health.ts';
import { createCorridorMetrics } from './metrics.ts';
import { readVolumes } from './volumes.ts';

/** Shorter: the readings, of some 0.2 s of a processor, are felt; longer: dashboards lag, also after another worker has the lead. */
const EVERY_MS = 30_000;

export function bindCorridorFigures(worker: Worker): Duty {
  const { database, leadership } = worker;
  const gauges = createCorridorMetrics(worker.metrics.make);
  const lead = leadership.of('care');
  const report = async () => {
    const corridors = [...worker.switches.current().settings.keys()];
    const health = await readFacts(corridors, worker);
    const volumes = await readVolumes(database, Date.now());
    clear();
    for (const { corridor, score, parts, availability, activeAccounts } of health) {
      gauges.health.set({ corridor }, score);
      for (const [part, ratio] of Object.entries(parts)) {
        gauges.healthParts.set({ corridor, part }, ratio);
      }
      if (availability !== null) gauges.availability.set({ corridor }, availability);
      gauges.activeAccounts.set({ corridor }, activeAccounts);
    }
    for (const { perSecond, ...labels } of volumes) gauges.volume.set(labels, perSecond);
  };
  const clear = () => {
    for (const gauge of Object.values(gauges)) gauge.reset();
  };
  return {
    name: 'corridor-figures',
    everyMs: EVERY_MS,
    run: async () => {
      let isTold = false;
      try {
        isTold = await lead.run(report);
      } finally {
        // Another worker leads, or the figures could not be read: what this worker saw last is out of date.
        if (!isTold) clear();
      }
    },
  };
}

async function readFacts(corridors: readonly string[], worker: Worker) {
  const { config, database, redis, guards, switches, readKafka } = worker;
  const { layout } = switches;
  const parts = { database, redis, guards, market: config.RISK_MARKET, layout, readKafka };
  const read = await readHealth(corridors, { ...parts, nowMs: Date.now() });
  const now = switches.current();
  return read.map(({ corridor, activeAccounts, facts }) => {
    const isOpen = stopOf(now, corridor) === undefined && freezeOf(now, corridor) === undefined;
    const { availability } = facts;
    return { corridor, activeAccounts, availability, ...healthOf({ ...facts, isOpen }) };
  });
}
