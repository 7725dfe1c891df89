/** A finding of `risk doctor`: what a check says of this machine or a store. */
export type Finding = {
  readonly check: string;
  /** `warn` works but is not recommended; `fail` must be mended. */
  readonly state: 'ok' | 'warn' | 'fail';
  readonly detail: string;
};

export function finding(
  check: string,
  isFine: boolean,
  detail: string,
  otherwise: Finding['state'] = 'fail',
): Finding {
  return { check, state: isFine ? 'ok' : otherwise, detail };
}
