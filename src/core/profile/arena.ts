/**
 * Memory for the lists of profiles. A batch uses as many profiles as it has transactions, for milliseconds:
 * they share one arena that is reused, as a buffer per list would be external memory for the garbage collector
 * to track.
 */

/** Gives this many bytes, of any content. */
export type TakeBytes = (bytes: number) => DataView<ArrayBuffer>;

export type Arena = {
  readonly take: TakeBytes;
  readonly reset: () => void;
};

/** A buffer of its own, with the lifetime of its list. */
export const takeOwn: TakeBytes = (bytes) => new DataView(new ArrayBuffer(bytes));

/** Gives the bytes of a buffer from `begin` on; once these are used up, buffers of their own. */
export function createArena(buffer: ArrayBuffer, begin: number): Arena {
  let at = begin;
  return {
    take(bytes) {
      if (at + bytes > buffer.byteLength) return takeOwn(bytes);
      const view = new DataView(buffer, at, bytes);
      at += bytes;
      return view;
    },
    reset() {
      at = begin;
    },
  };
}
