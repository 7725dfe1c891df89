/** A checked configuration for tests: the defaults, a silent log, and what a test sets over them. */
import { type Config, readConfig } from '../../src/kit/config/config.ts';
import { createLog, type Log } from '../../src/kit/metrics/log.ts';

export function testConfig(environment: Readonly<Record<string, string>> = {}): Config {
  const usual = { LOG_LEVEL: 'silent', PORT: '0', RISK_SHUTDOWN_GRACE_MS: '0' };
  const result = readConfig({ ...usual, ...environment });
  if ('problems' in result) throw new Error(result.problems.join('; '));
  return result.config;
}

export function silentLog(): Log {
  return createLog('test', 'silent');
}
