/** The connections of a server: which of them are in use, whose reader takes nothing, and how they end. */
import type { Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setTimeout as delay, setImmediate as turnOfLoop } from 'node:timers/promises';
import type { Log } from '../metrics/log.ts';

const SWEEP_MS = 50;
/**
 * How long a request whose headers have begun may take while the server closes, and a reader take nothing of an answer. Longer: a
 * stranger delays a drain.
 */
const LAST_MS = 1000;
/** Turns of the event loop in which a listener waits for a quiet turn; a flood of connections has none. */
const TURNS_MAX = 1000;
const QUIET_TURN_MS = 0.2;

/** The newest answer of each connection. */
export type Answers = WeakMap<Socket, ServerResponse>;

export function watchConnections(
  server: Server,
  opened: 'connection' | 'secureConnection',
): ReadonlySet<Socket> {
  const connections = new Set<Socket>();
  server.on(opened, (connection: Socket) => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
  });
  return connections;
}

/** Idle connections stay to the last: a balancer that is refused takes the server out, and then leaves these alone. */
export async function retire(server: Server, graceMs: number): Promise<void> {
  await delay(graceMs);
  await quietTurn(server);
  // The method of an http server would end idle connections at once.
  NetServer.prototype.close.call(server);
  await delay(LAST_MS);
}

/** Resolves in a turn of the loop that found no connection waiting: the kernel resets those that wait while a listener closes. */
async function quietTurn(server: Server): Promise<void> {
  let came = true;
  const note = () => {
    came = true;
  };
  server.on('connection', note);
  for (let turn = 0; came && turn < TURNS_MAX; turn += 1) {
    came = false;
    const beganMs = performance.now();
    await turnOfLoop();
    came ||= performance.now() - beganMs > QUIET_TURN_MS;
  }
  server.off('connection', note);
}

/** A connection; libuv's queue shrinks within a piece, which Node counts as written at its end alone. */
type Queued = Socket & { readonly _handle?: { readonly writeQueueSize?: number } | null };

/** @returns looks at all readers, and ends connections whose reader took nothing between so many looks: a stall of this process is one look */
export function watchReaders(
  connections: ReadonlySet<Queued>,
  log: Pick<Log, 'warn'> | undefined,
): (looksMax: number) => void {
  const seen = new WeakMap<Socket, { readonly mark: string; readonly looks: number }>();
  return (looksMax) => {
    for (const connection of connections) {
      const { bytesWritten, writableLength, _handle } = connection;
      // An answer that waits for nobody has no bytes here.
      const mark =
        writableLength > 0 ? `${bytesWritten - writableLength} ${_handle?.writeQueueSize}` : '';
      const last = seen.get(connection);
      const looks = mark === '' || last?.mark !== mark ? 0 : last.looks + 1;
      seen.set(connection, { mark, looks });
      if (looks < looksMax) continue;
      log?.warn('a reader took nothing of an answer: its connection ends');
      connection.destroy();
    }
  };
}

export async function close(
  server: Server,
  connections: ReadonlySet<Socket>,
  answers: Answers,
  endUntaken: (looksMax: number) => void,
): Promise<void> {
  const closed = Promise.withResolvers<void>();
  const lateMs = performance.now() + LAST_MS;
  server.close(() => closed.resolve());
  const closeUnused = () => {
    server.closeIdleConnections();
    endUntaken(LAST_MS / SWEEP_MS);
    const isLate = performance.now() >= lateMs;
    // To Node a connection is busy on which no request, or half of one, has come, and once a server closes no time-out of headers ends it.
    for (const connection of connections) {
      if (connection.bytesRead === 0 || (isLate && !isBusy(answers.get(connection))))
        connection.destroy();
    }
  };
  // Ends connections that are idle now, and others after their last answer.
  const sweep = setInterval(closeUnused, SWEEP_MS);
  closeUnused();
  await closed.promise;
  clearInterval(sweep);
}

/** Whether a request is being answered, or its body read. */
const isBusy = (answer: ServerResponse | undefined) =>
  answer !== undefined && !(answer.writableFinished && answer.req.complete);
