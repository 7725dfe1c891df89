/** Usage of `risk dead-letters`: what is refused before any request to the API. */
import { expect, test } from 'vitest';
import { UsageError } from '../../../../src/kit/command/command.ts';
import { createOutput } from '../../../../src/kit/command/output.ts';
import { command } from '../../../../src/rooms/dead-letters/commands.ts';
import { silentLog, testConfig } from '../../../support/config.ts';

/** Nothing listens on the discard port, so a command that asked would fail otherwise. */
const context = {
  config: testConfig({ RISK_URL: 'http://127.0.0.1:9' }),
  environment: {},
  output: createOutput({ json: true }),
  log: silentLog(),
  signal: new AbortController().signal,
};

test.each([
  [['explode'], "the action must be one of show, list, groups, replay, purge, not 'explode'"],
  [['toString'], "replay, purge, not 'toString'"],
  [['purge', '--corridor', 'US-EG'], 'purge needs --yes'],
  [['purge', '--all'], 'purge --all needs --yes'],
  [['replay', '--all'], 'replay --all needs --yes'],
  [['replay'], 'replay takes ids'],
  [['replay', 'x', '--corridor', 'US-EG'], 'replay takes ids'],
  [['replay', '--all', '--corridor', 'US-EG', '--yes'], 'replay takes ids'],
  [['replay', 'x', '--rate', 'fast'], '--rate must be a whole number'],
])('risk dead-letters %j is a usage error', async (args, message) => {
  const run = command.run(args, context);
  await expect(run).rejects.toThrow(UsageError);
  await expect(run).rejects.toThrow(message);
});
