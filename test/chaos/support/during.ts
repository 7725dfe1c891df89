/** Scenarios of one shape: the harm is done at a drawn moment under load, lasts for a drawn while, and ends. */
import { integerBetween } from '../../../src/kit/random.ts';
import type { Plan, Scenario, Stage } from './scenario.ts';

/** Injects the fault and returns what ends it. */
export type Harm = (stage: Stage, round: number) => Promise<() => Promise<unknown>>;

export type During = {
  readonly name: string;
  readonly what: string;
  /** Faults that must have happened, each at least once. */
  readonly faults: readonly string[];
  /** Shortest and longest, milliseconds. */
  readonly forMs: readonly [number, number];
  readonly harm: Harm;
  readonly setup?: Scenario['setup'];
  readonly judge?: Plan['judge'];
};

const ROUNDS = 2;
const AFTER_MS = [800, 2000] as const;
const RECOVERY_SECONDS_MAX = 15;

export function during({ name, what, faults, forMs, harm, setup, judge }: During): Scenario {
  return {
    ...{ name, what, setup: { recoverSecondsMax: RECOVERY_SECONDS_MAX, ...setup } },
    plan: (random): Plan => {
      const spells = Array.from({ length: ROUNDS }, () => ({
        afterMs: integerBetween(random, ...AFTER_MS),
        lastsMs: integerBetween(random, ...forMs),
      }));
      return {
        schedule: spells.map(({ afterMs, lastsMs }) => `after ${afterMs} ms, for ${lastsMs} ms`),
        faults,
        run: async (stage) => {
          for (const [round, { afterMs, lastsMs }] of spells.entries()) {
            await stage.pause(afterMs);
            const heal = await harm(stage, round);
            try {
              await stage.pause(lastsMs);
            } finally {
              await heal();
            }
          }
        },
        ...(judge === undefined ? {} : { judge }),
      };
    },
  };
}

const WAY_MS = [2000, 4000] as const;
const FAULTS = {
  slow: { what: 'takes long', said: 'packets delayed' },
  reset: { what: 'is reset', said: 'connections reset' },
  silent: { what: 'goes silent without closing', said: 'packets lost' },
} as const;
/** No signal tells a client that its route is gone: it waits out its own deadlines, twice in some places. */
const SILENT_RECOVERY_SECONDS_MAX = 30;

/** The route between the engine and a service is slow, reset, or silent. */
export function onTheWay(
  service: 'postgres' | 'redis',
  latencyMs: number,
  judge?: Plan['judge'],
): Scenario[] {
  const scenario = (name: keyof typeof FAULTS): Scenario => {
    const { what, said } = FAULTS[name];
    return during({
      name: `${service}-way-${name}`,
      what: `the way to ${service} ${what}${name === 'slow' ? `, ${latencyMs} ms a packet` : ''}`,
      faults: [said],
      forMs: WAY_MS,
      setup: {
        proxied: [service],
        countersExact: service !== 'postgres',
        ...(name === 'silent' ? { recoverSecondsMax: SILENT_RECOVERY_SECONDS_MAX } : {}),
      },
      ...(judge === undefined ? {} : { judge }),
      harm: async ({ proxies, happened }) => {
        const proxy = proxies[service];
        if (proxy === undefined) throw new Error(`${service} stands behind no proxy`);
        if (name === 'slow') proxy.inflict({ kind: 'latency', ms: latencyMs });
        else proxy.inflict({ kind: name === 'reset' ? 'reset' : 'silence' });
        return async () => {
          happened(said, proxy.effects());
          proxy.heal();
        };
      },
    });
  };
  return [scenario('slow'), scenario('reset'), scenario('silent')];
}
