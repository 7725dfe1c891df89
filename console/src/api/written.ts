/** The newest write of this page. Reads carry its token, so that a replica of Postgres that lacks the write does not answer them. */

const HEADER = 'Consistency-Token';
/** A replica that lags more is not read: RISK_REPLICA_LAG_MS_MAX is at most 120 s. */
const CARRIED_MS = 120_000;

let token: string | null = null;
let writtenMs = 0;

/** Answers arrive in any order: the token of an older write replaces none. */
export function noteToken(answer: Headers): void {
  const given = answer.get(HEADER);
  if (given === null) return;
  writtenMs = performance.now();
  if (token === null || !isOlder(given, token)) token = given;
}

export function carryToken(request: Headers): void {
  if (token === null || performance.now() - writtenMs > CARRIED_MS) return;
  request.set(HEADER, token);
}

/** Numbers of database transactions compare within one cluster (src/kit/words/consistency-token.ts). */
function isOlder(one: string, other: string): boolean {
  const [a, b] = [read(one), read(other)];
  return a.system === b.system && a.xid < b.xid;
}

function read(text: string) {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const view = new DataView(Uint8Array.from(binary, (byte) => byte.charCodeAt(0)).buffer);
  return { system: view.getBigUint64(0), xid: view.getBigUint64(8) };
}
