/** Parts of the process that the routes of the review need. */
import type { Context } from 'hono';
import type { Database } from '../../../kit/database/pool.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import type { ReviewMetrics } from '../metrics.ts';

export type Parts = {
  /** The primary: a case that somebody has claimed must not look free. */
  readonly database: Pick<Database, 'query' | 'transaction'>;
  readonly metrics: ReviewMetrics;
  /** Answers the status, once or live. */
  readonly answerStatus: (c: Context<AppEnv>) => Promise<Response>;
};

export const REVIEWERS = ['analyst', 'risk_officer'] as const;
export const OFFICERS = ['risk_officer'] as const;
