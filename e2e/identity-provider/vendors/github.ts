/** GitHub, as `gh` meets it: a code for another device, then the account's name. */
import { toHtml, toJson, type Answer, type Asked } from '../answer.ts';
import { toDeviceCodePage } from '../pages.ts';
import { createWord, type Mint } from '../tokens.ts';
import type { AnswerAsked, CreateAnswer, Vendor } from '../vendor.ts';

const SCOPES = 'gist, read:org, repo, workflow';
const DEVICE_SECONDS = 899;

const mint: Mint = () => ({ accessToken: createWord('gho_'), refreshToken: createWord('ghr_') });

const createAnswer: CreateAnswer = ({ grants, deviceCodes, behaviour, showSignIn }) => {
  const deviceCode = (fields: URLSearchParams): Answer => {
    if (behaviour().deviceCodes === 'refused') return toJson(400, { error: 'device_flow_disabled' });
    const grant = deviceCodes.create(fields.get('client_id') ?? '', fields.get('scope') ?? '', [4, 4]);
    return toForm({
      device_code: grant.deviceId,
      user_code: grant.userCode,
      verification_uri: 'https://github.com/login/device',
      expires_in: String(DEVICE_SECONDS),
      interval: '1',
    });
  };
  const accessToken = (fields: URLSearchParams): Answer => {
    const grant = deviceCodes.find(fields.get('device_code') ?? '');
    if (behaviour().deviceCodes === 'expired' || grant === undefined) return toForm({ error: 'expired_token' });
    if (grant.state === 'pending') return toForm({ error: 'authorization_pending' });
    deviceCodes.take(grant.deviceId);
    if (grant.state === 'denied') return toForm({ error: 'access_denied' });
    const tokens = grants.issue('device_code', { user: grant.state.user, scope: grant.scope }, mint);
    return toForm({ access_token: tokens.accessToken, token_type: 'bearer', scope: grant.scope });
  };
  const api = ({ path, bearer }: Asked): Answer | null => {
    const person = grants.findPerson(bearer);
    if (person === null) return toJson(401, { message: 'Bad credentials' });
    const headers = { 'x-oauth-scopes': SCOPES };
    if (path === '/graphql') return toJson(200, { data: { viewer: { login: person.user } } }, headers);
    return toJson(200, path === '/user' ? { login: person.user, id: 1, email: person.email } : {}, headers);
  };
  const answer: AnswerAsked = (asked) => {
    if (asked.host === 'api.github.com') return api(asked);
    switch (`${asked.method} ${asked.path}`) {
      case 'POST /login/device/code':
        return deviceCode(asked.fields);
      case 'POST /login/oauth/access_token':
        return accessToken(asked.fields);
      case 'GET /login/device':
        return toHtml(200, toDeviceCodePage(false));
      case 'POST /login/device': {
        const begun = deviceCodes.begin(asked.fields.get('code') ?? '');
        return begun === null ? toHtml(400, toDeviceCodePage(true)) : showSignIn(begun.requestId);
      }
      default:
        return null;
    }
  };
  return answer;
};

/** As GitHub answers unless it is asked for JSON. */
function toForm(fields: Readonly<Record<string, string>>): Answer {
  return { status: 200, type: 'application/x-www-form-urlencoded', body: new URLSearchParams(fields).toString() };
}

export const github: Vendor = { hosts: ['github.com', 'api.github.com'], createAnswer };
