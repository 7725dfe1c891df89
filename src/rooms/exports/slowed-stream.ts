/** A body that goes out as fast as its reader takes it: one piece waits at most, and the writer waits for room. */
import { Failure } from '../../kit/words/failure.ts';

export type SlowedStream = {
  readonly body: ReadableStream<Uint8Array>;
  /** Resolves once there is room for more. Throws where nothing was taken for `idleMsMax`. */
  readonly send: (bytes: Uint8Array) => Promise<void>;
  readonly close: () => Promise<void>;
  /** Ends the body so that its reader sees that it is not whole. */
  readonly breakOff: (error: unknown) => Promise<void>;
  /** Aborted when the reader has gone. */
  readonly gone: AbortSignal;
};

export function createSlowedStream(idleMsMax: number): SlowedStream {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(
    undefined,
    { highWaterMark: 1 },
    { highWaterMark: 0 },
  );
  const writer = writable.getWriter();
  const gone = new AbortController();
  const leave = () => gone.abort(new Failure('unavailable', 'READER_GONE', 'the reader has gone'));
  writer.closed.catch(leave);
  const taken = async (work: Promise<void>) => {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const detail = `the reader took nothing for ${idleMsMax} ms`;
      late.reject(new Failure('unavailable', 'READER_IDLE', detail));
    }, idleMsMax);
    try {
      await Promise.race([work, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    body: readable,
    send: async (bytes) => {
      await taken(writer.ready);
      writer.write(bytes).catch(leave);
    },
    close: () => taken(writer.close()),
    breakOff: async (error) => {
      await writer.abort(error).catch(() => undefined);
    },
    gone: gone.signal,
  };
}
