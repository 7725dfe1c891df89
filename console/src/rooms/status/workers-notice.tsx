/** Says that no worker lives, or that some are missing, and where to look. */
import { Link } from 'wouter';
import type { Me, Status } from '../../../../src/kit/client/api-types.ts';
import { has } from '../../api/me.ts';

type Props = { readonly workers: Status['workers']; readonly me: Me };

export function WorkersNotice({ workers, me }: Props) {
  if (workers === null || (workers.live > 0 && workers.missing === 0)) return null;
  const isDead = workers.live === 0;
  return (
    <p className={`notice ${isDead ? 'critical' : 'warning'}`} role="status">
      {isDead
        ? 'No worker has reported for 10 s: what is accepted waits. '
        : `${workers.missing === 1 ? 'A worker is' : `${workers.missing} workers are`} missing. `}
      {has(me, 'operator') ? (
        <>
          <Link href="/workers">Workers</Link>{' '}
        </>
      ) : null}
      <a
        href={`/docs/runbooks#${isDead ? 'noworkers' : 'workerdeaf'}`}
        target="_blank"
        rel="noreferrer"
      >
        Runbook
      </a>
    </p>
  );
}
