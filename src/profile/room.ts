/**
 * Where the lists of profiles have their bytes. A batch touches as many profiles as it has entries and is done
 * with them in milliseconds: one stretch of memory for all of them, used again, where each list with a buffer of
 * its own would be memory outside the heap for the collector to follow.
 */

/** Gives so many bytes, of any content. */
export type TakeRoom = (bytes: number) => DataView<ArrayBuffer>;

export type Room = {
  readonly take: TakeRoom;
  /** Whatever was taken may be given out again. */
  readonly reset: () => void;
};

/** A buffer of its own, which lasts as long as its list. */
export const takeOwn: TakeRoom = (bytes) => new DataView(new ArrayBuffer(bytes));

/** The bytes of a buffer from `begin` on; when they are used up, buffers of their own. */
export function createRoom(buffer: ArrayBuffer, begin: number): Room {
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
