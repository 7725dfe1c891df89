import { Failure } from '../../../kit/words/failure.ts';

/** @throws Failure where the file exists with other bytes */
export function requireSame(name: string, there: Buffer, bytes: Buffer): void {
  if (there.equals(bytes)) return;
  const why = `${name} exists with other bytes, and files of an archive are written once: give --anew to begin another archive`;
  throw new Failure('conflict', 'PLACE_TAKEN', why);
}
