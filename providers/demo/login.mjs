/**
 * The demo CLI's sign-in: an OAuth 2.1 code flow as real CLIs do it, with PKCE (RFC 7636), state, and a callback on a random loopback port
 * (RFC 8252). Its identity provider is started here too, and could as well be somewhere else: the two speak HTTP only.
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { writeCredentials } from './credentials.mjs';
import { startIdentityProvider } from './identity-provider.mjs';
import { toResultPage } from './pages.mjs';

const CLIENT_ID = 'vestibule-demo-cli';

/** Resolves with the exit code. */
export async function login() {
  const provider = await startIdentityProvider({ clientId: CLIENT_ID });
  const verifier = toRandom();
  const state = toRandom();
  const callback = await listenForCallback(state);
  const url = new URL(provider.authorizeUrl);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: CLIENT_ID,
    redirect_uri: callback.url,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    scope: 'profile offline_access',
    state,
  }).toString();
  process.stdout.write(`Opening your browser to sign in. If it does not open, visit:\n${url.href}\n`);
  openBrowser(url.href);

  try {
    const { code, error, answer } = await callback.received;
    if (error) {
      await answer(400, toResultPage('Sign-in was denied', 'Nothing was saved. You can close this page.'));
      process.stderr.write('Sign-in was denied\n');
      return 1;
    }
    const tokens = await exchange(provider.tokenUrl, { code, verifier, redirectUri: callback.url });
    await writeCredentials({
      account: tokens.account,
      access_token: tokens.access_token,
      refresh_token: tokens.refresh_token,
      expires_at: new Date(Date.now() + tokens.expires_in * 1000).toISOString(),
    });
    await answer(200, toResultPage('You are signed in', 'The demo CLI has your login. You can close this page.'));
    process.stdout.write(`Signed in as ${tokens.account}\n`);
    return 0;
  } finally {
    callback.close();
    provider.close();
  }
}

/** `received` resolves with the first callback whose state is ours; others are refused and do not count. */
async function listenForCallback(state) {
  let receive;
  const received = new Promise((resolve) => (receive = resolve));
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    const answer = (status, page) =>
      new Promise((resolve) => {
        response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', connection: 'close' });
        response.end(page, resolve);
      });
    if (url.pathname !== '/callback') return void answer(404, toResultPage('Nothing here', ''));
    if (url.searchParams.get('state') !== state) {
      return void answer(400, toResultPage('This is not the sign-in that was started', ''));
    }
    receive({ code: url.searchParams.get('code'), error: url.searchParams.get('error'), answer });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/callback`,
    received,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function exchange(tokenUrl, { code, verifier, redirectUri }) {
  const response = await fetch(tokenUrl, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: CLIENT_ID,
      code,
      code_verifier: verifier,
      redirect_uri: redirectUri,
    }),
  });
  if (!response.ok) throw new Error(`the identity provider refused the code (${response.status})`);
  return response.json();
}

/** `$BROWSER`, else `xdg-open`; without either the person uses the printed address. */
function openBrowser(url) {
  const child = spawn(process.env.BROWSER || 'xdg-open', [url], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}

function toRandom() {
  return randomBytes(32).toString('base64url');
}
