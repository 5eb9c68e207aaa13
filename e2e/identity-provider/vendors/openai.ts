/** OpenAI, as `codex` meets it: browser sign-in, device codes, tokens as JSON Web Tokens with the account's claims. */
import { createHash, randomBytes } from 'node:crypto';
import { toJson, toHtml, type Answer } from '../answer.ts';
import type { IssuedTokens } from '../grants.ts';
import { toDeviceCodePage } from '../pages.ts';
import { createJwt, createSecret, type Mint } from '../tokens.ts';
import type { AnswerAsked, CreateAnswer, Vendor } from '../vendor.ts';

const ISSUER = 'https://auth.openai.com';
const DEVICE_REDIRECT = `${ISSUER}/deviceauth/callback`;
const DEVICE_SECONDS = 900;
const ACCESS_TOKEN_SECONDS = 3600;

const mint: Mint = ({ user, email, plan, organization }) => {
  const exp = Math.floor(Date.now() / 1000) + ACCESS_TOKEN_SECONDS;
  const claims = {
    'https://api.openai.com/auth': {
      chatgpt_account_id: organization,
      chatgpt_plan_type: plan,
      chatgpt_user_id: `user-${user}`,
    },
    iss: ISSUER,
    sub: `auth0|${user}`,
    exp,
    // Two at once must differ: a token works once.
    jti: randomBytes(8).toString('hex'),
  };
  return {
    accessToken: createJwt({ ...claims, aud: ['https://api.openai.com/v1'] }),
    refreshToken: createSecret('rt_'),
    more: { id_token: createJwt({ ...claims, email, email_verified: true }) },
  };
};

const createAnswer: CreateAnswer = (surroundings) => {
  const { grants, deviceCodes, behaviour, authorize, showSignIn } = surroundings;

  const toTokenAnswer = (tokens: IssuedTokens | null): Answer => {
    if (!tokens) return toJson(400, { error: { code: 'invalid_grant', message: 'The grant is used or unknown.' } });
    return toJson(200, {
      token_type: 'Bearer',
      access_token: tokens.accessToken,
      refresh_token: behaviour().tokens === 'blank' ? '' : tokens.refreshToken,
      expires_in: ACCESS_TOKEN_SECONDS,
      scope: tokens.scope,
      ...tokens.more,
    });
  };
  const token = (fields: URLSearchParams): Answer => {
    if (behaviour().tokens === 'unavailable') return toJson(503, { error: { message: 'Try again later.' } });
    switch (fields.get('grant_type')) {
      case 'authorization_code':
        return toTokenAnswer(behaviour().tokens === 'refused' ? null : grants.redeemCode(fields, mint));
      case 'refresh_token':
        return toTokenAnswer(grants.refresh(fields.get('refresh_token') ?? '', mint));
      default:
        // The exchange for an API key: an account without a platform organization is refused it, and the CLI goes on.
        return toJson(400, { error: { code: 'invalid_request', message: 'no organization' } });
    }
  };
  const userCode = (fields: URLSearchParams): Answer => {
    if (behaviour().deviceCodes === 'refused') return toJson(404, { error: { message: 'not enabled' } });
    const grant = deviceCodes.create(fields.get('client_id') ?? '', 'openid profile email', [4, 5]);
    return toJson(200, {
      device_auth_id: grant.deviceId,
      user_code: grant.userCode,
      interval: '1',
      expires_at: new Date(Date.now() + DEVICE_SECONDS * 1000).toISOString(),
    });
  };
  const poll = (fields: URLSearchParams): Answer => {
    const grant = deviceCodes.find(fields.get('device_auth_id') ?? '');
    if (behaviour().deviceCodes === 'expired' || grant === undefined)
      return toJson(400, { error: { code: 'expired_token', message: 'The device code has expired.' } });
    if (grant.state === 'pending') return toJson(403, { error: { code: 'authorization_pending' } });
    deviceCodes.take(grant.deviceId);
    if (grant.state === 'denied')
      return toJson(400, { error: { code: 'access_denied', message: 'The person denied the request.' } });
    const verifier = randomBytes(32).toString('base64url');
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const request = { ...grant, redirectUri: DEVICE_REDIRECT, challenge, state: null };
    return toJson(200, {
      authorization_code: grants.createCode(request, grant.state.user),
      code_challenge: challenge,
      code_verifier: verifier,
    });
  };

  const answer: AnswerAsked = ({ method, path, query, fields }) => {
    switch (`${method} ${path}`) {
      case 'GET /oauth/authorize':
        return authorize(query, { pkce: 'required' });
      case 'POST /oauth/token':
        return token(fields);
      case 'POST /oauth/revoke':
        grants.revoke(fields.get('token') ?? '');
        return toJson(200, {});
      case 'POST /api/accounts/deviceauth/usercode':
        return userCode(fields);
      case 'POST /api/accounts/deviceauth/token':
        return poll(fields);
      case 'GET /codex/device':
        return toHtml(200, toDeviceCodePage(false));
      case 'POST /codex/device': {
        const begun = deviceCodes.begin(fields.get('code') ?? '');
        return begun === null ? toHtml(400, toDeviceCodePage(true)) : showSignIn(begun.requestId);
      }
      default:
        return null;
    }
  };
  return answer;
};

export const openai: Vendor = { hosts: ['auth.openai.com', 'chatgpt.com', 'api.openai.com'], createAnswer };
