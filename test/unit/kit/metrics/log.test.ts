/** Goal: a log has what its level asks for, and no secret. */
import { expect, test } from 'vitest';
import { createLog } from '../../../../src/kit/metrics/log.ts';

test('a line below the level is left out, and secrets are blackened', () => {
  const lines: string[] = [];
  const log = createLog('test', 'warn', { write: (line) => lines.push(line) });
  log.info('not worth a line');
  const of = { authorization: 'Bearer secret', key: 'risk_secret', password: 'secret' };
  const url = 'x://u:secret@h';
  log.warn({ ...of, DATABASE_URL: url, REDIS_URL: url, KAFKA_URL: url, of }, 'worth one');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('worth one');
  expect(lines[0]).not.toContain('secret');
});
