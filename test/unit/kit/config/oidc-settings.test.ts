/** Goal: settings of logins by a provider are whole, safe and told at once where they are not. */
import { expect, test } from 'vitest';
import { readConfig } from '../../../../src/kit/config/config.ts';

const WHOLE = {
  RISK_OIDC_ISSUER: 'https://idp.example/realms/corp',
  RISK_OIDC_CLIENT_ID: 'risk',
  RISK_OIDC_URL: 'https://risk.example/',
  RISK_OIDC_ROLES: '/risk/a=b=analyst,ops=operator, ops=analyst',
};
const problemsOf = (environment: Record<string, string>) => {
  const read = readConfig(environment);
  return 'problems' in read ? read.problems : [];
};

test('what is missing beside others, open to listeners or no role is told', () => {
  expect(problemsOf({ RISK_OIDC_ISSUER: WHOLE.RISK_OIDC_ISSUER })).toEqual(
    ['CLIENT_ID', 'URL', 'ROLES'].map(
      (name) => `RISK_OIDC_${name}: is needed beside RISK_OIDC_ISSUER`,
    ),
  );
  const wrong = {
    RISK_OIDC_ISSUER: 'http://idp.example',
    RISK_OIDC_ROLES: 'ops=boss',
    RISK_OIDC_SCOPES: 'email',
  };
  const problems = problemsOf({ ...WHOLE, ...wrong });
  expect(problems).toEqual([
    'RISK_OIDC_ISSUER: must be a URL of https, or of http on this machine itself',
    expect.stringMatching(/^RISK_OIDC_ROLES: must be VALUE=ROLE .*, not 'ops=boss'$/),
    'RISK_OIDC_SCOPES: must have openid among its words',
  ]);
  expect(problemsOf({ ...WHOLE, RISK_OIDC_ISSUER: 'http://127.0.0.1:8443' })).toEqual([]);
});
