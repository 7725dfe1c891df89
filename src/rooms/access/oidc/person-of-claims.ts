/** Reads the name and the roles of a person from the claims of a provider. */
import type { MappedRoles } from '../../../kit/config/oidc-settings.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { plainText } from '../../../kit/words/plain-text.ts';
import type { Role } from '../../../kit/words/principal.ts';
import type { Claims } from './provider.ts';

const NAME_CHARS_MAX = 64;
const NAME = plainText(NAME_CHARS_MAX);

export type ClaimNames = { readonly name: string; readonly roles: string };

/** @throws Failure where the claim has no valid name */
export function personOf(
  claims: Claims,
  { name: nameClaim, roles: rolesClaim }: ClaimNames,
  mapped: MappedRoles,
): { readonly name: string; readonly roles: readonly Role[] } {
  const name = NAME.safeParse(claims[nameClaim]);
  const isUnverified = nameClaim === 'email' && claims['email_verified'] === false;
  if (!name.success || isUnverified) {
    const why = `the claim ${nameClaim} is no verified name of at most ${NAME_CHARS_MAX} characters`;
    throw new Failure('conflict', 'NO_NAME', why);
  }
  const values = [claims[rolesClaim]].flat();
  const roles = values.flatMap((value) =>
    typeof value === 'string' ? (mapped.get(value) ?? []) : [],
  );
  return { name: name.data, roles: [...new Set(roles)] };
}
