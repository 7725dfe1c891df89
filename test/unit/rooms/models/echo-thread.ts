/** A thread for tests of `openAside`. */
import { Failure } from '../../../../src/kit/words/failure.ts';
import { answerAside } from '../../../../src/rooms/models/registry/aside.ts';

export type Piece =
  | { readonly say: string }
  | { readonly refuse: string }
  /** Holds the thread until the flag is set, and says whether another piece ran meanwhile. */
  | { readonly held: Int32Array }
  /** Ends the thread. */
  | { readonly end: true };

answerAside((piece: Piece) => {
  if ('say' in piece) return piece.say;
  if ('refuse' in piece) throw new Failure('invalid', 'REFUSED', piece.refuse);
  // A function cannot be sent, which ends the thread.
  if ('end' in piece) return () => undefined;
  Atomics.store(piece.held, 1, 1);
  while (Atomics.load(piece.held, 0) === 0);
  return 'let go';
});
