/** Flags: optional capabilities that people turn off. A flag that is off is a scope in the row of switches. */
import { EMERGENCY } from './level.ts';
import type { Stop, Switches } from './switch.ts';

/** Each flag has a name that stays, and a sentence about what is off without the flag. */
export const FLAGS = {
  'what-if': '`POST /v1/evaluate` and what-ifs of scored transactions are answered.',
  exports: 'Searches are exported as files; an export that runs breaks off without it.',
  webhooks: 'Events are delivered; without it they wait, and no attempt is counted.',
  shadows: 'Models in shadow are asked; without it no opinion of theirs is stored.',
  'live-figures': 'Figures are sent as they change; without it the console asks for them.',
  totals: 'Searches count what matches; without it `total` is null.',
} as const satisfies Readonly<Record<string, string>>;

export type Flag = keyof typeof FLAGS;
export const FLAG_NAMES = Object.keys(FLAGS) as Flag[];

const FLAG = 'flag:';
export const flagScope = (flag: Flag) => FLAG + flag;
export const isFlagScope = (scope: string) => scope.startsWith(FLAG);

export type Off = { readonly scope: string; readonly stop: Stop };

/** The stop that turns a flag off; undefined while the flag is on. */
export function offOf({ stopped }: Switches, flag: Flag): Off | undefined {
  if (stopped.size === 0) return undefined;
  for (const scope of [EMERGENCY, flagScope(flag)]) {
    const stop = stopped.get(scope);
    if (stop !== undefined) return { scope, stop };
  }
  return undefined;
}
