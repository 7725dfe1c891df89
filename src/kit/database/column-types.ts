/** Parsers of columns. The driver reads a time that it does not understand as null, and a key without a time has no end. */
import pg from 'pg';
import { Failure } from '../words/failure.ts';

const { DATE, TIMESTAMP, TIMESTAMPTZ } = pg.types.builtins;
const TIMES = new Set<number>([DATE, TIMESTAMP, TIMESTAMPTZ]);

export const COLUMN_TYPES: pg.CustomTypesConfig = {
  getTypeParser(type: number, format?: 'text' | 'binary') {
    const parse: (text: string) => unknown = pg.types.getTypeParser(type, format ?? 'text');
    return TIMES.has(type) ? (text: string) => required(parse(text), text) : parse;
  },
};

/** @throws Failure for a time that is not read, and for a time outside of the range of a Date */
function required(time: unknown, text: string): unknown {
  if (time !== null && !Number.isNaN(Number(time))) return time;
  const why = `Postgres has answered the time ${text}, which the engine cannot read (datestyle, timezone)`;
  throw new Failure('unavailable', 'TIME_UNREADABLE', why);
}
