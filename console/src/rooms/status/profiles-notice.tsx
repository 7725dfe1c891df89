/** Says that Redis has no room for the profiles of all parties, and what more memory would bring. */
import type { Status } from '../../../../src/kit/client/api-types.ts';
import { count } from '../../format.ts';

const MEBIBYTE = 2 ** 20;

export function ProfilesNotice({ profiles }: { readonly profiles: Status['profiles'] }) {
  if (profiles === null || profiles.parties_without_room === 0) return null;
  const { parties_without_room: without, maxmemory_bytes_for_all: bytes } = profiles;
  return (
    <p className="notice warning" role="status">
      Redis has no room for the profiles of about {count(without)} parties of the last ten minutes.
      {bytes === null
        ? null
        : ` With a maxmemory of ${count(Math.ceil(bytes / MEBIBYTE))} MiB all would fit.`}{' '}
      <a href="/docs/runbooks#rediscrowded" target="_blank" rel="noreferrer">
        Runbook
      </a>
    </p>
  );
}
