/** Backtests on the wire: what is asked for, and what is answered. */
import { z } from 'zod';
import { createdAtMsOf } from '../../core/domain/transaction.ts';
import type { OpinionBands } from '../../core/score/opinion.ts';
import { SCORECARD } from '../../core/score/scorecard/judge-by-table.ts';
import { corridorParameter, idParameter } from '../../kit/words/list-parameters.ts';
import { findEmpty, refuseEmpty, TIMES } from '../../kit/words/range.ts';
import { dayOrTime } from '../../kit/words/wire-time.ts';
import { reportSchema } from './count/report-schema.ts';

/** A rule set by corridor, beside a model. */
export type Version = {
  /** Where no corridor differs. */
  readonly rule_set: string;
  readonly sha256: string;
  readonly corridors: Readonly<Record<string, { readonly rule_set: string; sha256: string }>>;
  /** Null: the model that judged the row, if any did. `scorecard`: the margin that was stored with the row. */
  readonly model: string | null;
  /** Bands of the scorecard; absent: the bands of the rule set apply. */
  readonly bands?: OpinionBands;
};

/** Everything that a report depends on beside the rows. */
export type Question = {
  readonly from: string;
  readonly to: string;
  readonly known_by: string;
  readonly corridor: string | null;
  readonly subject: Version;
  readonly against: Version;
};

const time = dayOrTime.meta({ example: '2026-11-01T00:00:00.000Z', override: { type: 'string' } });
const name = idParameter;
const leastRisk = z.number().gt(0).max(1);
export const BACKTEST_ID = '5f2a1c9e-7d0b-4a36-9c58-0d6f1e2b3a47';

export const newBacktestSchema = z
  .strictObject({
    from: time.meta({ description: 'First created_at; a day is its start in UTC.' }),
    to: time.meta({ description: 'Exclusive.' }),
    known_by: time.optional().meta({
      description:
        'Scores and labels that were stored by then count. A minute ago without it, and at the latest.',
    }),
    corridor: corridorParameter.optional().meta({ description: 'This corridor alone.' }),
    rule_set: name.optional().meta({
      description: '`name@version`, a draft too. Without it, and without a source, those in force.',
    }),
    source: z.record(z.string(), z.unknown()).optional().meta({
      description: 'A rule set that is stored nowhere, in place of `rule_set`.',
    }),
    model: name.optional().meta({
      description:
        'A registered model, or `scorecard`: the margins by the tables of then. Without it the model that judged each row.',
    }),
    review_from: leastRisk.optional().meta({
      description: 'Least risk that the scorecard reviews; absent: bands of the rule set.',
    }),
    decline_from: leastRisk.optional().meta({ description: 'Least risk that it declines.' }),
    against_rule_set: name.optional().meta({
      description: 'What it is compared with; those in force without it.',
    }),
    against_model: name.optional(),
  })
  .superRefine(
    ({ from, to, rule_set, source, model: named, review_from, decline_from }, context) => {
      const times = { from: Date.parse(from), to: Date.parse(to) };
      refuseEmpty(context, findEmpty(times, 'from', 'to', TIMES));
      const say = (path: string, message: string, input?: unknown) =>
        context.addIssue({ code: 'custom', path: [path], message, input });
      if (rule_set !== undefined && source !== undefined) {
        say('source', 'must be absent where rule_set is given');
      }
      if (rule_set === undefined && source === undefined && named === undefined) {
        say('rule_set', 'must be given, or source, or model');
      }
      if (review_from === undefined && decline_from === undefined) return;
      if (named !== SCORECARD) say('model', `must be ${SCORECARD} where bands are given`, named);
      if (review_from === undefined) say('review_from', 'must be given with decline_from');
      if (decline_from === undefined) say('decline_from', 'must be given with review_from');
      else if (review_from !== undefined && review_from > decline_from)
        say('review_from', `must be at most decline_from, ${decline_from}`);
    },
  )
  .meta({ id: 'NewBacktest' });
export type NewBacktest = z.output<typeof newBacktestSchema>;

export const backtestSchema = z
  .object({
    backtest_id: z.uuid().meta({ example: BACKTEST_ID }),
    state: z.enum(['queued', 'running', 'done', 'cancelled', 'failed']),
    from: z.string(),
    to: z.string().meta({ example: '2026-11-08T00:00:00.000Z' }),
    known_by: z.string().meta({ example: '2026-11-20T09:29:00.000Z' }),
    corridor: z.string().nullable(),
    version: z.string().meta({
      description: 'The rule set, and the model if one was named.',
      example: 'careful@1',
    }),
    against: z.string().meta({ example: 'default@4' }),
    progress: z.number().meta({ description: 'From 0 to 1, by time.' }),
    rows_read: z.int(),
    problem: z.string().nullable().meta({ description: 'Why it failed.' }),
    requested_by: z.string(),
    requested_at: z.iso.datetime(),
    ended_at: z.iso.datetime().nullable(),
    cancelled_by: z.string().nullable().meta({ description: 'Who ended it before its end.' }),
    report_sha256: z.string().nullable().meta({
      description:
        'Of the canonical JSON of the report: equal questions of equal rows have equal ones.',
    }),
  })
  .meta({ id: 'Backtest' });
export type BacktestJson = z.infer<typeof backtestSchema>;

/** A row: a question as JSON in place of its members. */
export type StoredBacktest = Omit<BacktestJson, keyof Question | 'version' | 'progress'> & {
  readonly question: string;
  readonly cursor: string | null;
  readonly sources?: string;
  readonly report?: string | null;
};

export const backtestWithReportSchema = backtestSchema
  .extend({ report: reportSchema.nullable().meta({ description: 'Null until it is done.' }) })
  .meta({ id: 'BacktestWithReport' });

/** `default@4, careful@1 in US-EG, beside xgb@4` */
export function versionText({ rule_set, corridors, model: named }: Version): string {
  const differing = Object.entries(corridors).map(
    ([corridor, own]) => `${own.rule_set} in ${corridor}`,
  );
  return [rule_set, ...differing, ...(named === null ? [] : [`beside ${named}`])].join(', ');
}

export function toBacktestJson(whole: StoredBacktest): BacktestJson {
  const { question, cursor, sources: _, report: __, ...stored } = whole;
  const { subject, against, ...about } = JSON.parse(question) as Question;
  return {
    ...stored,
    ...about,
    version: versionText(subject),
    against: versionText(against),
    progress: stored.state === 'done' ? 1 : progressOf(about, cursor),
  };
}

function progressOf({ from, to }: Pick<Question, 'from' | 'to'>, cursor: string | null): number {
  const atMs = cursor === null ? undefined : createdAtMsOf(cursor);
  if (atMs === undefined) return 0;
  const share = (atMs - Date.parse(from)) / (Date.parse(to) - Date.parse(from));
  return Math.round(share * 1000) / 1000;
}
