/** The header of answers that were read from files of an archive. */
import type { Context } from 'hono';
import type { ColdMonths } from '../../core/store/cold-rows/cold-rows.ts';
import { answerHeaders } from '../../kit/http/answers/answer-headers.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';

export const coldHeaders = answerHeaders('Risk-Cold-Month');

/** Reads of one request, whose answer then names the month. */
export const sayCold = (c: Context<AppEnv>, cold: ColdMonths): ColdMonths => ({
  read: async (table, id) => {
    const found = await cold.read(table, id);
    if (found !== undefined && found.rows > 0) c.header('Risk-Cold-Month', found.month);
    return found;
  },
});
