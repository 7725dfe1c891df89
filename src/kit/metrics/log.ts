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

/** Bytes of lines that wait while standard error takes none, as on a full disk. Larger: memory; smaller: more lines are lost. */
const WAITING_BYTES_MAX = 1024 * 1024;

/** A line that cannot be written waits or is lost: without a listener its error would end the process. */
function openStandardError(): DestinationStream {
  const stream = pino.destination({ dest: 2, sync: true, maxLength: WAITING_BYTES_MAX });
  stream.on('error', () => undefined);
  return stream;
}

/** A logger of one role, to standard error by default: standard output belongs to commands. */
export function createLog(role: string, level: string, destination?: DestinationStream): Log {
  return pino(
    {
      level,
      base: { role, pid: process.pid },
      redact: REDACTED,
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    destination ?? openStandardError(),
  );
}
