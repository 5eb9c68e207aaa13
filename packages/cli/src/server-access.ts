/** Which server is asked, and with which token. A token never leaves this machine unencrypted, nor goes to a server it is not for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Secret } from '@vestibule/protocol/secret';
import { CliError } from './cli-error.ts';
import type { CliConfig } from './config.ts';

export type ServerAccess = { server: string; token: Secret<string> };
export type ServerFlags = { server?: string | undefined; tokenFile?: string | undefined };

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** @throws CliError */
export function findServerAccess(config: CliConfig, flags: ServerFlags): ServerAccess {
  const given = flags.server ?? config.server;
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new CliError('usage', `The server must be an address such as http://127.0.0.1:7080, and this is ${given}.`);
  const isHere = LOOPBACK.test(url.hostname);
  if (url.protocol === 'http:' && !isHere)
    throw new CliError(
      'usage',
      `${url.origin} would be told the token unencrypted. Use its https address, or reach it through a tunnel: ssh -L 7080:127.0.0.1:7080 ${url.hostname}`,
    );
  return { server: url.origin, token: findToken(config, flags.tokenFile, url.origin, isHere) };
}

function findToken(config: CliConfig, tokenFile: string | undefined, server: string, isHere: boolean): Secret<string> {
  if (tokenFile !== undefined) return readToken(tokenFile);
  if (config.token !== null) return checkToken(config.token.reveal(), 'VESTIBULE_TOKEN');
  const file = join(config.dataDir, 'operator-token');
  if (isHere) {
    try {
      return checkToken(readFileSync(file, 'utf8').trim(), file);
    } catch (error) {
      if (error instanceof CliError) throw error;
    }
  }
  const where = isHere ? ` ${file} cannot be read; if the server runs on another machine, name it with --server.` : '';
  throw new CliError(
    'token_refused',
    `No token for ${server}.${where} The operator's token is in the file operator-token of the server's data folder: name a copy with --token-file, or give it as VESTIBULE_TOKEN.`,
  );
}

function readToken(file: string): Secret<string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new CliError('token_refused', `The token file ${file} cannot be read (${code}).`);
  }
  return checkToken(text, file);
}

/** Also what a header cannot hold is told by its source, never shown. */
function checkToken(text: string, source: string): Secret<string> {
  if (/^[\w-]{32,200}$/.test(text)) return new Secret(text);
  throw new CliError('token_refused', `${source} holds no token: one is 32 to 200 letters, digits, - or _.`);
}
