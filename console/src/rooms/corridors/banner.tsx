/** Says on each page what is stopped or frozen. */
import { Link } from 'wouter';
import { useSwitches } from '../../api/switches.ts';
import { Time } from '../../parts/show.tsx';
import { isFreeze, nameOf } from './scopes.ts';

export function StoppedBanner() {
  const [first, ...others] = useSwitches().data?.items ?? [];
  if (first === undefined) return null;
  return (
    <p className="notice critical" role="status">
      {nameOf(first.scope)} is {isFreeze(first.scope) ? 'frozen' : 'stopped'} since{' '}
      <Time at={first.stopped_at} />
      {others.length === 0 ? '' : `, and ${others.length} more`}.{' '}
      <Link href="/switches">Switches</Link>
    </p>
  );
}
