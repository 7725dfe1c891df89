/** Claims about a person as providers write them: where a claim stands, whether it is verified, and which values it has. */
import type { MappedRoles } from '../../../kit/config/oidc-settings.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Role } from '../../../kit/words/principal.ts';

type ClaimSet = Readonly<Record<string, unknown>>;
export type Claims = ClaimSet & { readonly sub: string };

/** Entra ID says by this claim whether the domain of an address belongs to the tenant. */
const DOMAIN_MARK = 'xms_edov';
/** Separators of a list that a provider has written as one text. */
const SEPARATORS = /[\s,;|"[\]]+/;

const isClaimSet = (value: unknown): value is ClaimSet =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads a claim by its name, or by names with dots between them (`realm_access.roles`); names may have dots themselves. */
export function readClaim(claims: unknown, path: string): unknown {
  if (!isClaimSet(claims)) return undefined;
  if (Object.hasOwn(claims, path)) return claims[path];
  for (let dot = path.indexOf('.'); dot > 0; dot = path.indexOf('.', dot + 1)) {
    const name = path.slice(0, dot);
    const inner = Object.hasOwn(claims, name) ? claims[name] : undefined;
    const found = readClaim(inner, path.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

const isMark = (name: string) => name === DOMAIN_MARK || /verified/i.test(name);

/** Entra ID writes its mark as a number, too. */
const isVerified = (mark: string, value: unknown) =>
  value === true || value === 'true' || (mark === DOMAIN_MARK && (value === 1 || value === '1'));

/**
 * The claims that may say whether a claim is verified, as OpenID Connect and older answers about users spell the names. Such a
 * claim stands beside the claim that it verifies, in the same object or namespace.
 */
function marksOf(claim: string): string[] {
  const [, prefix = '', name = ''] = /^(.*[./:])?(.*)$/.exec(claim) ?? [];
  const marks = [`${name}_verified`, `verified_${name}`, `is_${name}_verified`, `${name}Verified`];
  return [...marks.map((mark) => prefix + mark), ...(claim === 'email' ? [DOMAIN_MARK] : [])];
}

/** Says which claim says that a claim is not verified; undefined where none says so. */
export function unverifiedBy(claims: ClaimSet, claim: string): string | undefined {
  const marks = marksOf(claim).map((mark) => ({ mark, value: readClaim(claims, mark) }));
  const found = marks.find(({ mark, value }) => value !== undefined && !isVerified(mark, value));
  return found && `${found.mark} is ${given(found.value)} and not true`;
}

/**
 * Claims of the ID token go before claims of the answer about the user. A null is no claim, unless the null stands in place
 * of a verification; "not verified" counts from either source. Objects that both sources have are merged likewise.
 */
export const mergeClaims = (info: ClaimSet, idToken: Claims): Claims => ({
  ...mergeSets(info, idToken),
  sub: idToken.sub,
});

function mergeSets(info: ClaimSet, idToken: ClaimSet): ClaimSet {
  const all = [info, idToken].flatMap((source) => Object.entries(source));
  const said = all.filter(([name, value]) => value !== null || isMark(name));
  const unverified = all.filter(([name, value]) => isMark(name) && !isVerified(name, value));
  const inBoth = Object.entries(info).flatMap(([name, value]) => {
    const own = Object.hasOwn(idToken, name) ? idToken[name] : undefined;
    return isClaimSet(value) && isClaimSet(own) ? [[name, mergeSets(value, own)] as const] : [];
  });
  return Object.fromEntries([...said, ...unverified, ...inBoth]);
}

/**
 * Reads the roles of a person: from a text, a list of texts, or an object whose keys are roles.
 * @throws Failure where the claim is absent or unreadable, which says nothing about the groups of the person
 */
export function rolesOf(claims: ClaimSet, claim: string, mapped: MappedRoles): readonly Role[] {
  const said = readClaim(claims, claim);
  const values: readonly unknown[] = isClaimSet(said) ? Object.keys(said) : [said].flat();
  const roles = values.flatMap((value) =>
    typeof value === 'string' ? (mapped.get(value) ?? []) : [],
  );
  const isMapped = (part: string) => mapped.has(part);
  const isElsewhere = roles.length === 0 && isLeftOut(claims, claim);
  if (said === undefined || said === null || said === '' || isElsewhere) {
    const why = isElsewhere ? ', as it leaves the claim out for people in many groups' : '';
    throw new Failure('conflict', 'NO_CLAIM', `the provider sent no claim ${claim}${why}`);
  }
  const isOneText = values.length === 1 && String(values[0]).split(SEPARATORS).some(isMapped);
  const isUnread = roles.length === 0 && (isClaimSet(said) || isOneText);
  if (isUnread || values.some((value) => typeof value !== 'string')) {
    const why = `the claim ${claim} must be a text or a list of texts, not ${given(said)}`;
    throw new Failure('conflict', 'CLAIM_UNREADABLE', why);
  }
  return [...new Set(roles)];
}

/** Whether the provider names another place where the values are, as Entra ID does for people in more than 200 groups. */
const isLeftOut = (claims: ClaimSet, claim: string) =>
  readClaim(claims['_claim_names'], claim) !== undefined ||
  Object.hasOwn(claims, `${claim}:src1`) ||
  String(claims[`has${claim}`]) === 'true';
