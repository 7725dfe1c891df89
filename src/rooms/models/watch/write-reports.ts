/** From samples of scores to one report per model that decided, and one of the rules where they did. */
import type { ScoreOutcome, ScoreWindow } from '../../../core/store/scores/score-window.ts';
import { DAY_MS } from '../../../kit/words/utc-bucket.ts';
import type { ModelReference } from '../model-reference.ts';
import { RULES, type WatchReport } from '../watch-report.ts';
import { measureDrift, type WatchedScore } from './measure-drift.ts';
import { measureOutcomes } from './measure-outcomes.ts';

const WEEK_MS = 7 * DAY_MS;

/** @param maturityDays how long the label of a transaction may take */
export function windowsAt(atMs: number, maturityDays: number) {
  const window = (toMs: number, lengthMs: number) => ({ fromMs: toMs - lengthMs, toMs });
  return {
    atMs,
    /** The scores that are compared. */
    recent: window(atMs, DAY_MS),
    /** The scores that `recent` is compared with where there is no training. */
    before: window(atMs - DAY_MS, WEEK_MS),
    /** The scores that are judged by labels: recent enough to be relevant, old enough to have labels. */
    matured: window(atMs - maturityDays * DAY_MS, WEEK_MS),
  };
}

/** Null: the rules decided alone. */
type ByModel = { readonly model: string | null };

export type WatchSamples = {
  readonly recent: readonly (ByModel & WatchedScore)[];
  readonly before: readonly (ByModel & WatchedScore)[];
  readonly matured: readonly ScoreOutcome[];
};

/** Most models of one time that are reported, those with the most scores first: bounds rows and metrics. */
export const SUBJECTS_MAX = 8;

/** `RULES` and names of models that a report would be about. */
export function listSubjects({ recent, matured }: WatchSamples): string[] {
  const counts = new Map<string, number>();
  for (const { model } of [...recent, ...matured]) {
    counts.set(model ?? RULES, (counts.get(model ?? RULES) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a, rows], [b, others]) => others - rows || (a < b ? -1 : 1))
    .slice(0, SUBJECTS_MAX)
    .map(([subject]) => subject);
}

/** @param names of the features, in the order of vectors */
export async function writeReport(
  subject: string,
  samples: WatchSamples,
  windows: ReturnType<typeof windowsAt>,
  names: readonly string[],
  reference: ModelReference | undefined,
): Promise<WatchReport> {
  const own = <Row extends ByModel>(rows: readonly Row[]) =>
    rows.filter(({ model }) => (model ?? RULES) === subject);
  const recent = own(samples.recent);
  const { level, score, features } = await measureDrift(
    recent,
    own(samples.before),
    names,
    reference,
  );
  return {
    watched_at: new Date(windows.atMs).toISOString(),
    model: subject,
    compared_with: reference === undefined ? 'week-before' : 'training',
    window: toJson(windows.recent),
    rows: recent.length,
    level,
    score,
    features: [...features],
    outcomes: { window: toJson(windows.matured), ...measureOutcomes(own(samples.matured)) },
  };
}

function toJson({ fromMs, toMs }: ScoreWindow): WatchReport['window'] {
  return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
}
