/** Cloudflare, as `wrangler` meets it, and the same at a test's own name over plain HTTP. */
import { toJson, type Answer, type Asked } from '../answer.ts';
import type { IssuedTokens } from '../grants.ts';
import type { CreateAnswer, Vendor } from '../vendor.ts';

const ACCESS_TOKEN_SECONDS = 3600;

const createAnswer: CreateAnswer = ({ grants, authorize }) => {
  const token = (fields: URLSearchParams): Answer => {
    const grant = fields.get('grant_type');
    if (grant === 'authorization_code') return toTokenAnswer(grants.redeemCode(fields, grants.mintPlain));
    if (grant === 'refresh_token')
      return toTokenAnswer(grants.refresh(fields.get('refresh_token') ?? '', grants.mintPlain));
    return toJson(400, { error: 'unsupported_grant_type' });
  };
  const api = ({ path, bearer }: Asked): Answer | null => {
    const person = grants.findPerson(bearer);
    if (person === null) return toApi(false, null);
    const account = { id: 'a'.repeat(32), name: person.organization };
    switch (path) {
      case '/client/v4/user':
        return toApi(true, { id: 'u'.repeat(32), email: person.email });
      case '/client/v4/accounts':
        return toApi(true, [account]);
      case '/client/v4/memberships':
        return toApi(true, [{ id: 'm'.repeat(32), status: 'accepted', roles: ['Administrator'], account }]);
      default:
        return null;
    }
  };
  return (asked) => {
    if (asked.host === 'api.cloudflare.com') return api(asked);
    switch (`${asked.method} ${asked.path}`) {
      case 'GET /oauth2/auth':
        return authorize(asked.query, { pkce: 'required' });
      case 'POST /oauth2/token':
        return token(asked.fields);
      case 'POST /oauth2/revoke':
        grants.revoke(asked.fields.get('token') ?? '');
        return toJson(200, {});
      default:
        return null;
    }
  };
};

function toTokenAnswer(tokens: IssuedTokens | null): Answer {
  if (!tokens) return toJson(400, { error: 'invalid_grant' });
  return toJson(200, {
    token_type: 'bearer',
    access_token: tokens.accessToken,
    refresh_token: tokens.refreshToken,
    expires_in: ACCESS_TOKEN_SECONDS,
    scope: tokens.scope,
  });
}

function toApi(success: boolean, result: unknown): Answer {
  const errors = success ? [] : [{ code: 10_000, message: 'Authentication error' }];
  const list = Array.isArray(result)
    ? { result_info: { page: 1, per_page: 50, total_pages: 1, count: result.length } }
    : {};
  return toJson(success ? 200 : 401, { success, errors, messages: [], result, ...list });
}

export const cloudflare: Vendor = {
  hosts: ['dash.cloudflare.com', 'api.cloudflare.com', 'welcome.developers.workers.dev', 'idp.vestibule.test'],
  createAnswer,
};
