/** A secret that one answer alone has: it is shown once, to be copied, and kept nowhere. */
import type { ReactNode } from 'react';
import { Id } from './show.tsx';

export function Secret({
  secret,
  children,
}: {
  readonly secret: string;
  /** The use of the secret. */
  readonly children: ReactNode;
}) {
  return (
    <>
      <p>
        <strong>Copy it now: it is not shown again.</strong> {children}
      </p>
      <p className="secret">
        <Id id={secret} />
      </p>
    </>
  );
}
