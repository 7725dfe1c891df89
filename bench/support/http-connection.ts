/**
 * A keep-alive connection that posts prepared bytes and reads only as much of an answer as it must:
 * a load generator on the machine it measures has to be cheap. Answers need a Content-Length.
 */
import { connect, type Socket } from 'node:net';

export type Answer = {
  readonly status: number;
  /** From the header; 0 when absent. */
  readonly retryAfterSeconds: number;
  /** The first bytes of the body, which hold the counts. */
  readonly bodyStart: string;
};

export type HttpConnection = {
  /** Sends one request at a time; rejects when the connection breaks before the answer is whole. */
  post(request: Uint8Array): Promise<Answer>;
  close(): void;
};

const BODY_START_BYTES = 256;
const HEAD_END = '\r\n\r\n';

type Waiting = { resolve(answer: Answer): void; reject(error: Error): void };
type Open = { head: string; answer: Answer | undefined; missing: number };

export function openHttpConnection(host: string, port: number): HttpConnection {
  let socket: Socket | undefined;
  let waiting: Waiting | undefined;
  let open: Open = { head: '', answer: undefined, missing: 0 };

  const fail = (error: Error) => {
    socket?.destroy();
    socket = undefined;
    const { reject } = waiting ?? {};
    waiting = undefined;
    reject?.(error);
  };
  const receive = (chunk: Buffer) => {
    try {
      open = open.answer === undefined ? readHead(open, chunk) : skip(open, chunk.byteLength);
    } catch (error) {
      fail(error as Error);
      return;
    }
    if (open.answer === undefined || open.missing > 0) return;
    const { answer } = open;
    const { resolve } = waiting ?? {};
    open = { head: '', answer: undefined, missing: 0 };
    waiting = undefined;
    resolve?.(answer);
  };
  const dial = () => {
    const fresh = connect({ host, port, noDelay: true });
    open = { head: '', answer: undefined, missing: 0 };
    fresh.on('data', receive);
    fresh.on('error', fail);
    fresh.on('close', () => {
      if (socket === fresh) fail(new Error('the connection was closed'));
    });
    return fresh;
  };
  return {
    post: (request) =>
      new Promise((resolve, reject) => {
        socket ??= dial();
        waiting = { resolve, reject };
        socket.write(request);
      }),
    close: () => {
      const closing = socket;
      socket = undefined;
      closing?.destroy();
    },
  };
}

function readHead(open: Open, chunk: Buffer): Open {
  const text = open.head + chunk.toString('latin1');
  const end = text.indexOf(HEAD_END);
  if (end < 0) return { ...open, head: text };
  const head = text.slice(0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
  if (length === undefined || Number.isNaN(status)) throw new Error(`unexpected answer: ${head}`);
  const body = text.slice(end + HEAD_END.length);
  const retryAfter = Number(/\r\nretry-after: *(\d+)/i.exec(head)?.[1] ?? 0);
  const bodyStart = body.slice(0, BODY_START_BYTES);
  return {
    head,
    answer: { status, retryAfterSeconds: retryAfter, bodyStart },
    missing: Number(length) - body.length,
  };
}

function skip(open: Open, bytes: number): Open {
  open.missing -= bytes;
  return open;
}
