/** Says on each page what is refused. */
import { Link } from 'wouter';
import { useControls } from '../../api/controls.ts';
import { Time } from '../../parts/show.tsx';
import { nameOf } from './scopes.ts';

export function StoppedBanner() {
  const { data } = useControls();
  const states = new Map(data?.kinds.map(({ kind, state }) => [kind, state]));
  const [first, ...others] = data?.items.filter(({ kind }) => states.get(kind)) ?? [];
  if (first === undefined) return null;
  return (
    <p className="notice critical" role="status">
      {nameOf(first.scope)} is {states.get(first.kind)} since <Time at={first.set_at} />
      {others.length === 0 ? '' : `, and ${others.length} more`}.{' '}
      <Link href="/controls">Controls</Link>
    </p>
  );
}
