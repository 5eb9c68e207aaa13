/**
 * Anthropic, as `claude` meets it. The link that the CLI prints is a short one: two characters for the scopes, then the PKCE challenge; it
 * carries no state, so the page that shows the code for it makes one up, and the CLI puts its own in its place.
 */
import { randomBytes } from 'node:crypto';
import { toEventStream, toHtml, toJson, type Answer, type Asked } from '../answer.ts';
import type { IssuedTokens } from '../grants.ts';
import { toCodePage } from '../pages.ts';
import { createSecret, type Mint } from '../tokens.ts';
import type { AnswerAsked, CreateAnswer, Vendor } from '../vendor.ts';

const CODE_PAGE = 'https://platform.claude.com/oauth/code/callback';
const CLIENT_ID = '9d1c250a-e61b-44d9-88ed-5944d1962f5e';
const SCOPE = 'org:create_api_key user:profile user:inference user:sessions:claude_code user:mcp_servers';
const ACCESS_TOKEN_SECONDS = 28_800;
const SHORT_QUERY = /^[\w-]{1,4}([\w-]{43})$/;

const mint: Mint = () => ({
  accessToken: createSecret('sk-ant-oat01-', 60),
  refreshToken: createSecret('sk-ant-ort01-', 60),
});

const createAnswer: CreateAnswer = ({ grants, behaviour, authorize, showSignIn }) => {
  const toTokenAnswer = (tokens: IssuedTokens | null): Answer => {
    if (!tokens) return toJson(400, { error: 'invalid_grant', error_description: 'The grant is used or unknown.' });
    const { user, email, organization } = tokens.person;
    return toJson(200, {
      token_type: 'Bearer',
      access_token: tokens.accessToken,
      refresh_token: behaviour().tokens === 'blank' ? '' : tokens.refreshToken,
      expires_in: ACCESS_TOKEN_SECONDS,
      scope: tokens.scope,
      organization: { uuid: toUuid(organization), name: organization },
      account: { uuid: toUuid(user), email_address: email },
    });
  };
  const token = (fields: URLSearchParams): Answer => {
    if (behaviour().tokens === 'unavailable') return toJson(503, { error: 'overloaded' });
    if (behaviour().tokens === 'refused') return toTokenAnswer(null);
    if (fields.get('grant_type') === 'refresh_token')
      return toTokenAnswer(grants.refresh(fields.get('refresh_token') ?? '', mint));
    return toTokenAnswer(grants.redeemCode(fields, mint));
  };
  const shortLink = (query: URLSearchParams): Answer => {
    const challenge = SHORT_QUERY.exec([...query.keys()][0] ?? '')?.[1];
    if (challenge === undefined) return authorize(query, { pkce: 'required', pages: [CODE_PAGE] });
    const state = randomBytes(24).toString('base64url');
    const request = { clientId: CLIENT_ID, redirectUri: CODE_PAGE, challenge, scope: SCOPE, state };
    return showSignIn(grants.beginRequest(request).requestId);
  };
  const pages = ({ method, path, query, fields }: Asked): Answer | null => {
    switch (`${method} ${path}`) {
      case 'GET /cai/oauth/authorize':
      case 'GET /oauth/authorize':
        return shortLink(query);
      case 'GET /oauth/code/callback': {
        const code = query.get('code');
        return toHtml(200, toCodePage(code === null ? 'The request was denied.' : `${code}#${query.get('state')}`));
      }
      case 'POST /v1/oauth/token':
        return token(fields);
      default:
        return null;
    }
  };
  const api = ({ method, path, bearer }: Asked): Answer | null => {
    if (path === '/api/hello') return toJson(200, { message: 'hello' });
    const person = grants.findPerson(bearer);
    if (person === null) return toJson(401, { type: 'error', error: { type: 'authentication_error', message: 'no' } });
    const { user, email, organization, plan } = person;
    switch (`${method} ${path}`) {
      case 'GET /api/oauth/profile':
        return toJson(200, {
          account: { uuid: toUuid(user), email, full_name: user, display_name: user, has_claude_pro: true },
          organization: {
            uuid: toUuid(organization),
            name: organization,
            organization_type: `claude_${plan}`,
            rate_limit_tier: 'default_claude_ai',
          },
        });
      case 'GET /api/oauth/claude_cli/roles':
        return toJson(200, {
          organization_role: 'admin',
          workspace_role: null,
          organization_uuid: toUuid(organization),
          organization_name: organization,
        });
      case 'POST /api/oauth/claude_cli/create_api_key': {
        const key = createSecret('sk-ant-api03-', 60);
        grants.accept(key, user);
        return toJson(200, { raw_key: key });
      }
      case 'POST /v1/messages':
        return toEventStream(REPLY.map((data) => ({ event: data.type, data })));
      default:
        return null;
    }
  };
  const answer: AnswerAsked = (asked) => (asked.host === 'api.anthropic.com' ? api(asked) : pages(asked));
  return answer;
};

/** One message, as the streaming API sends it. */
const REPLY = [
  {
    type: 'message_start',
    message: {
      id: 'msg_fake',
      type: 'message',
      role: 'assistant',
      model: 'fake',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 1, output_tokens: 1 },
    },
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello from the fake.' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 5 } },
  { type: 'message_stop' },
] as const;

/** The same name always gives the same one. */
function toUuid(name: string): string {
  const hex = Buffer.from(name.padEnd(16, '-')).toString('hex').slice(0, 32);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

export const anthropic: Vendor = {
  hosts: ['claude.ai', 'claude.com', 'platform.claude.com', 'api.anthropic.com'],
  createAnswer,
};
