/**
 * A CLI for tests, written for Node: it opens a browser on a sign-in page that leads back to its own callback server. The server is one-shot,
 * as those of real CLIs are: the first request of any kind is the only one. Each request is noted in `~/requests`.
 */
import { CREDENTIAL_PATH } from './testing-plan.ts';

export const STATE = 'state-of-this-sign-in';

/** Shell, for `writeProgram`. With `${'$'}CODE_LINE` set, a line of the input is a code, too. */
export const CALLBACK_CLI = `exec node - 3<&0 <<'END'
const http = require('node:http'), fs = require('node:fs'), { spawn } = require('node:child_process');
const home = process.env.HOME;
const finish = (code) => {
  if (!code) { console.error('Error: OAuth state mismatch'); process.exit(1); }
  fs.mkdirSync(home + '/.tool', { recursive: true });
  fs.writeFileSync(home + '/${CREDENTIAL_PATH}', JSON.stringify({ token: 'token-for-' + code }));
  console.log('Signed in.');
  process.exit(0);
};
fs.appendFileSync(home + '/starts', 'start\\n');
const server = http.createServer((request, response) => {
  fs.appendFileSync(home + '/requests', request.headers.host + ' ' + request.url + '\\n');
  const { searchParams } = new URL(request.url, 'http://x');
  response.writeHead(302, { location: 'http://127.0.0.1:' + server.address().port + '/done' }).end(() => {
    server.close();
    finish(searchParams.get('state') === '${STATE}' ? searchParams.get('code') : null);
  });
});
server.listen(0, '127.0.0.1', () => {
  const link = new URL('https://id.example/authorize');
  link.searchParams.set('redirect_uri', 'http://localhost:' + server.address().port + '/callback');
  link.searchParams.set('state', '${STATE}');
  spawn(process.env.BROWSER, [link.href]);
  console.log('If your browser did not open, visit: https://id.example/manual?state=${STATE}');
  if (process.env.CODE_LINE) process.stdout.write('Paste code here > ');
});
let line = '';
new (require('node:net').Socket)({ fd: 3 }).on('data', (chunk) => {
  line += chunk;
  if (line.includes('\\n')) finish(line.trim());
});
END`;

export const CALLBACK_CODE = 'code-of-the-person-1';

/** What the person's browser ended at. */
export function toCallback(port: number | undefined, { code = CALLBACK_CODE, state = STATE } = {}): string {
  return `http://localhost:${port}/callback?code=${code}&state=${state}`;
}
