/** A service that a test may stop, pause, kill and start again at the same address. */
import { rmSync } from 'node:fs';
import type { RunningService } from '../../src/tools/start/services/service-process.ts';

export type ServiceControl = {
  /** The service's own address, without a proxy; it stays the same over restarts. */
  readonly url: string;
  pid(): number;
  /** Sends a signal and waits until the process has ended. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again at the same address, with its data. */
  start(): Promise<void>;
  /** Like `start`, but without its data. */
  startEmpty(): Promise<void>;
  /** SIGSTOP: it answers nothing and closes nothing. */
  pause(): void;
  resume(): void;
};

export type TestService = ServiceControl &
  AsyncDisposable & {
    /** Shuts down in good order; no effect when it is down. */
    stop(): Promise<void>;
    kill(): Promise<void>;
    /** The last lines that it wrote. */
    logTail(): string;
  };

/** Names the port that the first launch chose. */
type At = Partial<Pick<RunningService, 'port'>>;
type Launch = (at: At) => Promise<Omit<RunningService, 'port'> & At>;

/** @param lastSignal ends it when it is disposed, at once: nobody needs its data any more */
export async function control(
  dataFolder: string,
  launch: Launch,
  lastSignal: NodeJS.Signals = 'SIGKILL',
): Promise<TestService> {
  let running = await launch({});
  const { url, port } = running;
  const send = (signal: NodeJS.Signals) => {
    if (!running.service.hasEnded()) process.kill(running.service.pid, signal);
  };
  const start = async () => {
    if (running.service.hasEnded()) running = await launch(port === undefined ? {} : { port });
  };
  const end = async (signal: NodeJS.Signals) => {
    send(signal);
    await running.service.ended;
  };
  return {
    ...{ url, start, end },
    pid: () => running.service.pid,
    stop: async () => {
      send('SIGCONT');
      await running.service.stop();
    },
    kill: () => end('SIGKILL'),
    startEmpty: async () => {
      rmSync(dataFolder, { recursive: true, force: true });
      await start();
    },
    pause: () => send('SIGSTOP'),
    resume: () => send('SIGCONT'),
    logTail: () => running.service.logTail(),
    [Symbol.asyncDispose]: async () => {
      send(lastSignal);
      send('SIGCONT');
      await running.service.ended;
    },
  };
}
