import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ownAccount } from '../../../../../src/tools/start/services/account.ts';
import {
  type ServiceProcess,
  startOnPort,
  startService,
} from '../../../../../src/tools/start/services/service-process.ts';
import { supervise } from '../../../../../src/tools/start/services/supervise.ts';
import { temporaryFolder } from '../../../../support/temporary-folder.ts';
import { waitUntil } from '../../../../support/wait-until.ts';

const PATIENCE_MS = 30_000;

test('a process that ends is started again after growing waits, and given up after the fifth end', async () => {
  const folder = temporaryFolder();
  const starts: ServiceProcess[] = [];
  const start = async () => {
    const started = await startService({
      ...{ name: 'part', program: '/bin/sh', args: ['-c', 'echo last words; exec sleep 600'] },
      ...{ account: ownAccount(), cwd: '/', logFile: join(folder, 'part.log') },
    });
    starts.push(started);
    return started;
  };
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  try {
    const { promise: givenUp, resolve: giveUp } = Promise.withResolvers<string>();
    supervise('part', await start(), start, { say, giveUp });
    for (let end = 1; end <= 5; end++) {
      // A process that is back is watched.
      const isBack = () => lines.filter((line) => line.endsWith('part is back')).length === end - 1;
      await waitUntil(isBack, PATIENCE_MS, `start ${end}`);
      const running = starts.at(-1);
      await waitUntil(() => running?.logTail().includes('words'), PATIENCE_MS, 'its last words');
      process.kill(running?.pid ?? 0, 'SIGKILL');
    }
    expect(await givenUp).toMatch(
      /^part keeps ending: SIGKILL; log in \S+part\.log\n(last words\n?)+$/,
    );
    expect(starts).toHaveLength(5);
    const waits = lines.map((line) => /ended by itself \(SIGKILL\).* in (\S+) s/.exec(line)?.[1]);
    expect(waits.filter((wait) => wait !== undefined)).toEqual(['0.25', '0.5', '1', '2']);
  } finally {
    await Promise.all(starts.map((one) => one.stop()));
  }
});

test('a service that says in its own language that its port is taken starts on another', async () => {
  await using server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: taken } = server.address() as AddressInfo;
  const ports = [taken];
  const choose = async () => ports.shift() ?? 1;
  const { port, service } = await startOnPort(
    choose,
    (port) => ({
      ...{ name: 'part', program: '/bin/sh', account: ownAccount(), cwd: '/' },
      args: ['-c', port === taken ? 'echo Adresse wird bereits benutzt; exit 1' : 'sleep 600'],
      ...{ logFile: join(temporaryFolder(), 'part.log'), timeoutMs: PATIENCE_MS },
      isReady: () => port !== taken,
    }),
    new AbortController().signal,
  );
  await service.stop();
  expect(port).toBe(1);
});
