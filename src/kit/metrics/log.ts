/** JSON lines by pino. Secrets never reach a line: the list below is redacted wherever it appears. */
import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Logger;

const REDACTED = [
  'authorization',
  'key',
  'password',
  'DATABASE_URL',
  'REDIS_URL',
  'KAFKA_URL',
  '*.authorization',
  '*.key',
  '*.password',
];

/** A logger of one role, to standard error by default: standard output belongs to commands. */
export function createLog(role: string, level: string, destination?: DestinationStream): Log {
  return pino(
    {
      level,
      base: { role, pid: process.pid },
      redact: REDACTED,
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    destination ?? pino.destination({ dest: 2, sync: true }),
  );
}
