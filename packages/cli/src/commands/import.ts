/** `vestibule import PROVIDER`: takes over a login that exists on this machine. Reads the CLI's own files; never prints what is in them. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_CREDENTIAL_BYTES } from '@vestibule/protocol/agent-messages';
import type { ImportBody, ProviderFiles } from '@vestibule/protocol/api';
import { AppError } from '@vestibule/protocol/errors';
import { CliError, type Exit } from '../cli-error.ts';
import { connectTo, type Cli } from '../cli.ts';
import { toUnknownProvider } from '../provider-choice.ts';
import { GRADE_WORDS } from '../step-words.ts';
import { askYes } from '../terminal.ts';

export type ImportFlags = { user: string; home?: string | undefined; yes?: boolean | undefined };

export async function importLogin(cli: Cli, name: string, flags: ImportFlags): Promise<Exit> {
  const { report, terminal, config } = cli;
  const { client, server } = connectTo(cli);
  const wanted = await client.getProviderFiles(name).catch(async (error: unknown) => {
    if (!(error instanceof AppError && error.code === 'unknown_provider')) throw error;
    throw toUnknownProvider(await client.listProviders(), name);
  });
  const home = flags.home ?? config.home;
  const files = readLogin(wanted, home);
  const paths = wanted.files.map(({ path }) => join(home, path));
  report.tell({ type: 'found', provider: wanted.provider, paths }, toWarning(wanted.name, paths, server));
  if (flags.yes !== true && !(await isAgreed(cli, `Store this login for ${flags.user} on ${server}?`))) {
    report.warn('Nothing was stored.');
    return 'failed';
  }
  const credential = await client.importCredential(flags.user, wanted.provider, { files });
  const account = credential.account === null ? '' : ` as ${credential.account}`;
  report.tell(
    { type: 'end', credential },
    `Stored: ${wanted.name}${account}, version ${credential.version} for ${flags.user} (${GRADE_WORDS[credential.grade]}).`,
  );
  const toRemove = `Remove the old copy now, without signing out of it (that could end the stored login too):\n\n${paths.map((path) => `  rm ${quote(path)}`).join('\n')}\n`;
  if (!terminal.isInteractive || flags.yes === true || (await askYes(terminal, 'Show how to remove the old copy?')))
    report.say(toRemove);
  return 'done';
}

function toWarning(name: string, paths: readonly string[], server: string): string {
  const list = paths.map((path) => `  ${path}`).join('\n');
  return [
    `This is the login of ${name} on this machine:\n\n${list}\n`,
    `It is sent to ${server} and stored there, encrypted; whoever runs that server can use it.`,
    'After that this copy must not be used any more: a login is renewed by replacing it, so the first of two copies that renews it ends the other.',
    'Sign in anew on this machine if you go on using the program here.\n',
  ].join('\n');
}

async function isAgreed({ terminal, report }: Cli, question: string): Promise<boolean> {
  if (!terminal.isInteractive || report.isJson)
    throw new CliError('no_answer', 'Somebody must agree to that: run it at a terminal, or say --yes.');
  return askYes(terminal, question);
}

/** Every file, as the definition names them. Throws `CliError` naming all that are missing. */
function readLogin({ name, files }: ProviderFiles, home: string): ImportBody['files'] {
  const read = files.map(({ path }) => ({ path, found: readFile(join(home, path)) }));
  const problems = read.flatMap(({ path, found }) =>
    typeof found === 'string' ? [`${join(home, path)} ${found}`] : [],
  );
  if (problems.length > 0)
    throw new CliError(
      'failed',
      `There is no whole login of ${name} below ${home}:\n${problems.map((line) => `  ${line}`).join('\n')}\nSign in with the program first, or name another home with --home.`,
    );
  return read.map(({ path, found }) => ({ path, contentBase64: Buffer.from(found).toString('base64') }));
}

/** Its bytes, or what is wrong in words. */
function readFile(path: string): Buffer | string {
  try {
    const info = statSync(path);
    if (!info.isFile()) return 'is no file';
    if (info.size > MAX_CREDENTIAL_BYTES) return 'is too large for a login';
    return readFileSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`;
  }
}

/** For a POSIX shell. */
function quote(path: string): string {
  return /^[\w./@+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
