/** The health of a corridor: a score of five parts. Pure; docs/corridors.md has the same weights. */
import { z } from 'zod';

/** Time from receipt to score within which a decision is in time. */
export const SLO_MS = 2000;

/** Points that each part takes from 100 where it is 0. */
export const HEALTH_WEIGHTS = {
  availability: 40,
  backlog: 20,
  failures: 20,
  full_service: 10,
  open: 10,
} as const;
type Part = keyof typeof HEALTH_WEIGHTS;
const PARTS = Object.keys(HEALTH_WEIGHTS) as Part[];

/** A backlog of this age counts nothing. */
const BACKLOG_MS_MAX = 60_000;
/** Share of dead letters from which the part counts nothing. */
const FAILURES_MAX = 0.1;

export type HealthFacts = {
  /** Share scored in time; null where nothing was due. */
  readonly availability: number | null;
  readonly oldestAgeMs: number;
  /** Dead letters of the last hour, by what was due in it. */
  readonly failures: number;
  /** Level of degradation in this API process. */
  readonly degradation: number;
  /** Neither stopped nor frozen. */
  readonly isOpen: boolean;
};

const part = z.number().min(0).max(1);

const weights = Object.entries(HEALTH_WEIGHTS)
  .map(([part, weight]) => `${part} ${weight}`)
  .join(', ');

export const healthSchema = z
  .object({
    score: z.int().min(0).max(100).meta({ description: 'Weighted sum of the parts.' }),
    parts: z
      .object({ availability: part, backlog: part, failures: part, full_service: part, open: part })
      .meta({ description: 'Each from 0 (worst) to 1.' }),
  })
  .meta({ id: 'CorridorHealth', description: `From 0 to 100. Weights: ${weights}.` });

export function healthOf(facts: HealthFacts): z.output<typeof healthSchema> {
  const { availability, oldestAgeMs, failures, degradation, isOpen } = facts;
  const parts: Record<Part, number> = {
    availability: availability ?? 1,
    backlog: within((BACKLOG_MS_MAX - oldestAgeMs) / (BACKLOG_MS_MAX - SLO_MS)),
    failures: within(1 - failures / FAILURES_MAX),
    full_service: degradation === 0 ? 1 : 0,
    open: isOpen ? 1 : 0,
  };
  const score = PARTS.reduce((sum, part) => sum + HEALTH_WEIGHTS[part] * parts[part], 0);
  return { score: Math.round(score), parts };
}

const within = (share: number) => Math.min(1, Math.max(0, share));
