/** Google, as `gemini` and `rclone` meet it: a loopback sign-in without PKCE or a code to paste with it, the account's address, a model that answers. */
import { toEventStream, toHtml, toJson, type Answer, type Asked } from '../answer.ts';
import type { IssuedTokens } from '../grants.ts';
import { toCodePage } from '../pages.ts';
import { createJwt, createSecret, type Mint } from '../tokens.ts';
import type { AnswerAsked, CreateAnswer, Vendor } from '../vendor.ts';

const CODE_PAGE = 'https://codeassist.google.com/authcode';
/** `gemini` uses the newer one, `rclone` the older one. */
const AUTHORIZATION_PATHS = new Set(['/o/oauth2/v2/auth', '/o/oauth2/auth']);
const ACCESS_TOKEN_SECONDS = 3599;
const TIER = { id: 'standard-tier', name: 'Gemini Code Assist', description: 'fake', isDefault: true };
const toReply = (text: string): Record<string, unknown> => ({
  candidates: [{ index: 0, content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 5, totalTokenCount: 6 },
  modelVersion: 'fake',
});
const REPLY = toReply('Hello from the fake.');
/** Before it answers, the CLI asks which model is to do it; it goes on asking until it is given an object. */
const CHOICE = toReply(
  JSON.stringify({ reasoning: '-', model_choice: 'flash', complexity_reasoning: '-', complexity_score: 1 }),
);

const mint: Mint = ({ user, email }) => ({
  accessToken: createSecret('ya29.', 60),
  refreshToken: createSecret('1//', 40),
  more: { id_token: createJwt({ iss: 'https://accounts.google.com', sub: user, email, email_verified: true }) },
});

const createAnswer: CreateAnswer = ({ grants, behaviour, authorize }) => {
  const toTokenAnswer = (tokens: IssuedTokens | null): Answer => {
    if (!tokens) return toJson(400, { error: 'invalid_grant', error_description: 'Bad Request' });
    return toJson(200, {
      access_token: tokens.accessToken,
      refresh_token: behaviour().tokens === 'blank' ? '' : tokens.refreshToken,
      expires_in: ACCESS_TOKEN_SECONDS,
      token_type: 'Bearer',
      scope: tokens.scope,
      ...tokens.more,
    });
  };
  const oauth = ({ path, query, fields, bearer }: Asked): Answer | null => {
    if (path === '/token') {
      if (behaviour().tokens === 'unavailable') return toJson(503, { error: 'backend_error' });
      if (behaviour().tokens === 'refused') return toTokenAnswer(null);
      const isRefresh = fields.get('grant_type') === 'refresh_token';
      return toTokenAnswer(
        isRefresh ? grants.refresh(fields.get('refresh_token') ?? '', mint) : grants.redeemCode(fields, mint),
      );
    }
    if (path === '/tokeninfo') {
      const token = fields.get('access_token') ?? query.get('access_token') ?? bearer;
      const person = grants.findPerson(token);
      if (person === null) return toJson(400, { error: 'invalid_token' });
      return toJson(200, { email: person.email, expires_in: ACCESS_TOKEN_SECONDS, scope: 'openid', aud: 'fake' });
    }
    if (path !== '/revoke') return null;
    grants.revoke(fields.get('token') ?? query.get('token') ?? '');
    return toJson(200, {});
  };
  const codeAssist = ({ path, query, bearer }: Asked): Answer | null => {
    if (grants.findPerson(bearer) === null) return toJson(401, { error: { code: 401, status: 'UNAUTHENTICATED' } });
    switch (path) {
      case '/v1internal:loadCodeAssist':
        return toJson(200, { currentTier: TIER, allowedTiers: [TIER], cloudaicompanionProject: 'fake-project' });
      case '/v1internal:onboardUser':
        return toJson(200, { done: true, response: { cloudaicompanionProject: { id: 'fake-project' } } });
      case '/v1internal:generateContent':
        return toJson(200, { response: CHOICE, traceId: 'fake' });
      case '/v1internal:streamGenerateContent':
        return query.get('alt') === 'sse'
          ? toEventStream([{ data: { response: REPLY, traceId: 'fake' } }])
          : toJson(200, [{ response: REPLY }]);
      case '/v1internal:countTokens':
        return toJson(200, { totalTokens: 1 });
      default:
        return toJson(200, {});
    }
  };
  /** The API that takes a key. */
  const models = ({ path }: Asked): Answer => {
    if (path.endsWith(':streamGenerateContent')) return toEventStream([{ data: REPLY }]);
    if (path.endsWith(':generateContent')) return toJson(200, CHOICE);
    return toJson(200, path.endsWith(':countTokens') ? { totalTokens: 1 } : {});
  };
  const answer: AnswerAsked = (asked) => {
    switch (asked.host) {
      case 'accounts.google.com':
        return AUTHORIZATION_PATHS.has(asked.path)
          ? authorize(asked.query, { pkce: 'optional', pages: [CODE_PAGE] })
          : null;
      case 'oauth2.googleapis.com':
        return oauth(asked);
      case 'www.googleapis.com': {
        const person = grants.findPerson(asked.bearer);
        if (asked.path !== '/oauth2/v2/userinfo' || person === null) return toJson(401, { error: { code: 401 } });
        return toJson(200, { id: person.user, email: person.email, verified_email: true });
      }
      case 'cloudcode-pa.googleapis.com':
        return codeAssist(asked);
      case 'generativelanguage.googleapis.com':
        return models(asked);
      case 'codeassist.google.com':
        return asked.path === '/authcode' ? toHtml(200, toCodePage(asked.query.get('code') ?? 'Denied')) : null;
      default:
        return asked.host === 'play.googleapis.com' ? toJson(200, {}) : null;
    }
  };
  return answer;
};

export const google: Vendor = {
  hosts: [
    'accounts.google.com',
    'oauth2.googleapis.com',
    'www.googleapis.com',
    'cloudcode-pa.googleapis.com',
    'generativelanguage.googleapis.com',
    'codeassist.google.com',
    'developers.google.com',
    'play.googleapis.com',
  ],
  createAnswer,
};
