/**
 * Tokens in the forms of eight providers, as their documentation shows the forms. A provider may leave the claim of roles out, and
 * some say of an address that it is not verified.
 */
import type { ProviderForm } from '../support/identity-provider.ts';

type ProviderTokens = {
  readonly provider: string;
  /** Pages that show the metadata and the claims. */
  readonly documented: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  readonly form: ProviderForm;
  readonly owner: string;
  /** Claims of a person whose roles the provider does not name. */
  readonly leftOut: Pick<ProviderForm, 'idToken' | 'info'>;
  /** Claims of a person whose name the provider has not verified. */
  readonly unverified: Pick<ProviderForm, 'idToken' | 'info'>;
};

const ANN = 'ann@corp.example';
const GUID = '0ce8ff8a-2f1d-4d6a-a1b0-2a7d4ed6a5f0';
const methods = (...names: string[]) => ({ token_endpoint_auth_methods_supported: names });

export const PROVIDER_TOKENS: readonly ProviderTokens[] = [
  {
    provider: 'Google',
    documented: ['https://developers.google.com/identity/openid-connect/reference'],
    settings: { RISK_OIDC_CLAIM: 'hd', RISK_OIDC_ROLES: 'corp.example=analyst' },
    form: {
      metadata: methods('client_secret_post', 'client_secret_basic'),
      idToken: {
        azp: 'risk-engine',
        at_hash: 'HK6E_P6Dh8Y93mRNtsDB1Q',
        email: ANN,
        email_verified: true,
        hd: 'corp.example',
      },
      info: {
        email: ANN,
        email_verified: true,
        hd: 'corp.example',
        picture: 'https://x.example/p',
      },
    },
    owner: ANN,
    // A private account has no hosted domain.
    leftOut: { idToken: { hd: undefined }, info: { hd: undefined } },
    unverified: { idToken: { email_verified: false } },
  },
  {
    provider: 'Entra ID',
    documented: [
      'https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference',
      'https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference#groups-overage-claim',
      'https://learn.microsoft.com/en-us/entra/identity-platform/optional-claims-reference',
    ],
    settings: { RISK_OIDC_ROLES: `${GUID}=analyst` },
    form: {
      path: '/11111111-2222-3333-4444-555555555555/v2.0',
      metadata: methods('client_secret_post', 'private_key_jwt', 'client_secret_basic'),
      idToken: {
        ver: '2.0',
        tid: '11111111-2222-3333-4444-555555555555',
        oid: '22222222-2222-3333-4444-555555555555',
        preferred_username: ANN,
        email: ANN,
        // The documentation says that the claim is a Boolean; tokens have this text as well.
        xms_edov: '1',
        groups: [GUID, '33333333-2222-3333-4444-555555555555'],
      },
      info: { name: 'Ann', picture: 'https://graph.microsoft.com/v1.0/me/photo/$value' },
    },
    owner: ANN,
    leftOut: {
      idToken: {
        groups: undefined,
        _claim_names: { groups: 'src1' },
        _claim_sources: {
          src1: { endpoint: 'https://graph.microsoft.com/v1.0/users/222/getMemberObjects' },
        },
      },
    },
    unverified: { idToken: { xms_edov: false } },
  },
  {
    provider: 'Okta',
    documented: [
      'https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/CustomAS',
      'https://developer.okta.com/docs/guides/customize-tokens-groups-claim/add-groups-claim-custom-as/',
    ],
    settings: { RISK_OIDC_SCOPES: 'openid email profile groups' },
    form: {
      path: '/oauth2/default',
      metadata: methods('client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'none'),
      idToken: {
        ver: 1,
        amr: ['pwd', 'mfa'],
        idp: '00o1',
        preferred_username: ANN,
        auth_time: 1_449_696_330,
        groups: ['Everyone', 'risk-analysts'],
      },
      info: { email: ANN, email_verified: true, zoneinfo: 'America/Los_Angeles', updated_at: 1 },
    },
    owner: ANN,
    leftOut: { idToken: { groups: undefined } },
    unverified: { info: { email_verified: false } },
  },
  {
    provider: 'Keycloak',
    documented: [
      'https://www.keycloak.org/docs/latest/server_admin/index.html#protocol-mappers',
      'https://www.keycloak.org/docs-api/26.2.0/javadocs/org/keycloak/protocol/oidc/mappers/GroupMembershipMapper.html',
    ],
    settings: { RISK_OIDC_CLAIM: 'resource_access.risk.engine.roles' },
    form: {
      path: '/realms/corp',
      algorithm: 'ES256',
      metadata: {
        ...methods(
          'private_key_jwt',
          'client_secret_basic',
          'client_secret_post',
          'tls_client_auth',
        ),
        authorization_response_iss_parameter_supported: true,
      },
      idToken: {
        aud: ['risk-engine', 'account'],
        azp: 'risk-engine',
        typ: 'ID',
        acr: '1',
        realm_access: { roles: ['offline_access', 'uma_authorization'] },
        resource_access: { 'risk.engine': { roles: ['risk-analysts'] } },
        email_verified: true,
        preferred_username: 'ann',
        email: ANN,
      },
      info: { email_verified: true, preferred_username: 'ann', email: ANN },
    },
    owner: ANN,
    leftOut: { idToken: { resource_access: { account: { roles: ['manage-account'] } } } },
    unverified: { idToken: { email_verified: false }, info: { email_verified: false } },
  },
  {
    provider: 'Auth0',
    documented: [
      'https://auth0.com/docs/secure/tokens/id-tokens/id-token-structure',
      'https://auth0.com/docs/secure/tokens/json-web-tokens/create-custom-claims',
      'https://auth0.com/docs/get-started/applications/credentials',
    ],
    settings: { RISK_OIDC_CLAIM: 'https://risk.example/roles' },
    form: {
      path: '/',
      algorithm: 'PS256',
      metadata: methods('client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'),
      // Auth0 takes the secret of a web application in the body, unless the application says otherwise.
      client: { id: 'risk-engine', secret: 'a-secret', method: 'client_secret_post' },
      idToken: {
        nickname: 'ann',
        updated_at: '2026-11-29T10:00:00.000Z',
        email: ANN,
        email_verified: true,
        'https://risk.example/roles': ['risk-analysts'],
      },
      info: { email: ANN, email_verified: true, 'https://risk.example/roles': ['risk-analysts'] },
    },
    owner: ANN,
    leftOut: {
      idToken: { 'https://risk.example/roles': undefined },
      info: { 'https://risk.example/roles': undefined },
    },
    unverified: { idToken: { email_verified: false } },
  },
  {
    provider: 'PingFederate',
    documented: [
      'https://docs.pingidentity.com/pingfederate/latest/developers_reference_guide/pf_openid_provider_config_endpoint.html',
      'https://docs.pingidentity.com/r/en-us/pingfederate-120/pf_create_oidc_policy',
    ],
    settings: { RISK_OIDC_CLAIM: 'memberOf', RISK_OIDC_NAME_CLAIM: 'phone_number' },
    form: {
      metadata: methods('client_secret_basic', 'client_secret_post', 'private_key_jwt'),
      idToken: { 'pi.sri': 'kHV3', auth_time: 1_449_696_330 },
      // A person in one group has a text in the place of a list.
      info: { memberOf: 'risk-analysts', phone_number: '+1 555', phone_number_verified: 'true' },
    },
    owner: '+1 555',
    leftOut: { info: { memberOf: undefined } },
    unverified: { info: { phone_number_verified: 'false' } },
  },
  {
    provider: 'Cognito',
    documented: [
      'https://docs.aws.amazon.com/cognito/latest/developerguide/userinfo-endpoint.html',
      'https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html',
    ],
    settings: { RISK_OIDC_CLAIM: 'cognito:groups' },
    form: {
      path: '/eu-west-1_EXAMPLE',
      metadata: methods('client_secret_basic', 'client_secret_post'),
      idToken: { token_use: 'id', 'cognito:username': 'ann', 'cognito:groups': ['risk-analysts'] },
      info: { username: 'ann', email: ANN, email_verified: 'true' },
    },
    owner: ANN,
    leftOut: { idToken: { 'cognito:groups': undefined } },
    unverified: { info: { email_verified: 'false' } },
  },
  {
    provider: 'ZITADEL',
    documented: ['https://zitadel.com/docs/guides/integrate/retrieve-user-roles'],
    settings: { RISK_OIDC_CLAIM: 'urn:zitadel:iam:org:project:roles' },
    form: {
      algorithm: 'EdDSA',
      metadata: methods('none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'),
      idToken: {
        'urn:zitadel:iam:org:project:roles': { 'risk-analysts': { '170086824411201793': 'corp' } },
      },
      info: { email: ANN, email_verified: true },
    },
    owner: ANN,
    leftOut: { idToken: { 'urn:zitadel:iam:org:project:roles': undefined } },
    unverified: { info: { email_verified: false } },
  },
];
