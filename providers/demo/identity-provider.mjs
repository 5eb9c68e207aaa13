/**
 * The demo's identity provider: an OAuth 2.1 authorization server with one user, on the VM's loopback. Requests, codes and refresh tokens
 * are single-use; PKCE S256 is required.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { toConsentPage, toResultPage, toSignInPage } from './pages.mjs';

const USER = 'demo';
const PASSWORD = 'demo';
const ACCOUNT = 'demo@vestibule.example';
const TOKEN_SECONDS = 3600;
const MAX_BODY_BYTES = 16 * 1024;

export async function startIdentityProvider({ clientId }) {
  /** What a CLI asked for, by the id that the forms carry; then the codes given for it. */
  const requests = new Map();
  const codes = new Map();
  const refreshTokens = new Set();

  function authorize({ query, html }) {
    const request = Object.fromEntries(query);
    const valid =
      request.client_id === clientId &&
      request.response_type === 'code' &&
      request.code_challenge_method === 'S256' &&
      request.code_challenge &&
      /^http:\/\/127\.0\.0\.1:\d+\/callback$/.test(request.redirect_uri ?? '');
    if (!valid) return html(400, toResultPage('This sign-in link is not valid', 'Start again from the program.'));
    const id = toToken('req');
    requests.set(id, { ...request, signedIn: false });
    return html(200, toSignInPage({ request: id }));
  }

  function signIn({ form, html }) {
    const request = requests.get(form.get('request'));
    if (!request) return html(400, toResultPage('This sign-in is over', 'Start again from the program.'));
    const user = form.get('user') ?? '';
    if (user !== USER || form.get('password') !== PASSWORD) {
      return html(401, toSignInPage({ request: form.get('request'), user, wrong: true }));
    }
    request.signedIn = true;
    return html(200, toConsentPage({ request: form.get('request'), account: ACCOUNT }));
  }

  function consent({ form, html, redirect }) {
    const id = form.get('request');
    const request = requests.get(id);
    if (!request?.signedIn) return html(400, toResultPage('This sign-in is over', 'Start again from the program.'));
    requests.delete(id);
    const target = new URL(request.redirect_uri);
    if (form.get('decision') === 'allow') {
      const code = toToken('code');
      codes.set(code, request);
      target.searchParams.set('code', code);
    } else target.searchParams.set('error', 'access_denied');
    if (request.state) target.searchParams.set('state', request.state);
    return redirect(target.href);
  }

  function token({ form, json }) {
    const grant = form.get('grant_type');
    if (grant === 'authorization_code' && takeCode(form)) return json(200, issue());
    if (grant === 'refresh_token' && refreshTokens.delete(form.get('refresh_token'))) return json(200, issue());
    return json(400, { error: 'invalid_grant' });
  }

  function takeCode(form) {
    const request = codes.get(form.get('code'));
    codes.delete(form.get('code'));
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    return request?.code_challenge === challenge && request.redirect_uri === form.get('redirect_uri');
  }

  function issue() {
    const refreshToken = toToken('demo_refresh');
    refreshTokens.add(refreshToken);
    return {
      token_type: 'bearer',
      account: ACCOUNT,
      access_token: toToken('demo_access'),
      refresh_token: refreshToken,
      expires_in: TOKEN_SECONDS,
    };
  }

  const routes = {
    'GET /authorize': authorize,
    'POST /sign-in': signIn,
    'POST /consent': consent,
    'POST /token': token,
  };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    const send = (status, type, body, headers = {}) =>
      response
        .writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store', ...headers })
        .end(body);
    const html = (status, page) => send(status, 'text/html', page);
    const route = routes[`${request.method} ${url.pathname}`];
    if (!route) return html(404, toResultPage('Nothing here', ''));
    const form = request.method === 'POST' ? await readForm(request) : null;
    if (request.method === 'POST' && !form) return html(413, toResultPage('Too much', ''));
    return route({
      query: url.searchParams,
      form,
      html,
      json: (status, value) => send(status, 'application/json', JSON.stringify(value)),
      redirect: (location) => send(303, 'text/plain', '', { location }),
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${server.address().port}`;
  return {
    authorizeUrl: `${base}/authorize`,
    tokenUrl: `${base}/token`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function readForm(request) {
  let body = '';
  for await (const chunk of request) {
    body += chunk;
    if (body.length > MAX_BODY_BYTES) return null;
  }
  return new URLSearchParams(body);
}

function toToken(kind) {
  return `${kind}_${randomBytes(24).toString('base64url')}`;
}
