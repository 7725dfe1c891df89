/** Goal: nobody stops a market or all of them by a slip. Method: an address at which no engine answers. */
import { expect, test } from 'vitest';
import { UsageError, usageOf } from '../../../../src/kit/command/command.ts';
import { command } from '../../../../src/rooms/corridors/controls-command.ts';
import { runCommand } from '../../../support/run-command.ts';

const stop = (...args: string[]) =>
  runCommand(command, { RISK_URL: 'http://127.0.0.1:9' }, [
    'set',
    'stop',
    '--reason',
    'a test',
    ...args,
  ]);

test('stopping all or market says what it stops and needs --yes; a corridor does not', async () => {
  await expect(stop('all')).rejects.toThrow(UsageError);
  await expect(stop('all')).rejects.toThrow('refuses submissions to each market in this database');
  await expect(stop('market')).rejects.toThrow('refuses submissions to the market of this API');
  for (const args of [['all', '--yes'], ['market', '--yes'], ['corridor:US-EG'], ['client:shop']])
    await expect(stop(...args)).rejects.toThrow('http://127.0.0.1:9');
  expect(await usageOf(command)).toMatch(/^ {2}--yes +set: It is meant$/m);
});
