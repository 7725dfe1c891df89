/** A body that goes out as fast as its reader takes it: one piece waits at most, and the writer waits for room. */
import { settlesWithin } from '../../kit/process/settles-within.ts';
import { Failure } from '../../kit/words/failure.ts';

export type SlowedStream = {
  readonly body: ReadableStream<Uint8Array>;
  /** Resolves once there is room for more. Throws where nothing was taken for `idleMsMax`. */
  readonly send: (bytes: Uint8Array) => Promise<void>;
  /** Resolves once everything is taken. */
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
    if (await settlesWithin(work, idleMsMax)) return await work;
    const detail = `the reader took nothing for ${idleMsMax} ms`;
    throw new Failure('unavailable', 'READER_IDLE', detail);
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
