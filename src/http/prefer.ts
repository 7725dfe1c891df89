/** RFC 7240 `Prefer`: the preferences this API knows. It ignores what it cannot read, as the RFC requires. */

export type Preferences = {
  /** 0 when the caller does not wait. */
  readonly waitMs: number;
  readonly isMinimal: boolean;
};

const WAIT = /^wait\s*=\s*"?(\d+(?:\.\d+)?)"?$/i;
const MINIMAL = /^return\s*=\s*"?minimal"?$/i;

export function readPreferences(header: string | undefined, waitMsMax: number): Preferences {
  let waitMs = 0;
  let isMinimal = false;
  for (const preference of (header ?? '').split(',')) {
    const [name = ''] = preference.split(';');
    const wait = WAIT.exec(name.trim())?.[1];
    if (wait !== undefined) waitMs ||= Math.min(Math.round(Number(wait) * 1000), waitMsMax);
    isMinimal ||= MINIMAL.test(name.trim());
  }
  return { waitMs, isMinimal };
}

/** `Preference-Applied` of a wait: in seconds, after the cut to the maximum. */
export function waitApplied(waitMs: number): string {
  return `wait=${waitMs / 1000}`;
}
