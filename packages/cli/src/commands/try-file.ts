/**
 * `vestibule providers try FILE`: one sign-in with a definition, in the real product, telling what was seen at each step. For whoever
 * writes a definition.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Provider, ProvidersAnswer, Session } from '@vestibule/protocol/api';
import type { Client } from '@vestibule/protocol/client';
import { isTerminal, type Mode } from '@vestibule/protocol/session';
import { openBrowser } from '../browser-opener.ts';
import { CliError, type Exit } from '../cli-error.ts';
import { toConnection, type Cli } from '../cli.ts';
import { toPlainText } from '../plain-text.ts';
import { chooseMode } from '../provider-choice.ts';
import { followSession } from '../session-pushes.ts';
import type { Report } from '../report.ts';
import { runSignIn } from '../sign-in.ts';
import { GRADE_WORDS, MODE_WORDS, toEndWords } from '../step-words.ts';
import type { ServerAccess } from '../server-access.ts';
import { startThrowawayServer } from '../throwaway-server.ts';
import { checkFiles } from './check-files.ts';
import { toNoticeText } from './providers.ts';

const USER = 'try';
/** For the browser machine to be cleared away before its server is stopped. */
const CLEAR_UP_MS = 30_000;
const OUTPUT_LINES = 60;

export type TryFlags = {
  mode?: Mode | undefined;
  open: boolean;
  mayUse?: boolean | undefined;
  tokenKind?: string | undefined;
  runtime: string;
};

export async function tryFile(cli: Cli, given: string, flags: TryFlags): Promise<Exit> {
  const { report, config, interrupts } = cli;
  const file = resolve(given);
  if ((await checkFiles(cli, [file])) !== 'done') return 'failed';
  const id = findId(file);
  let isStopped = false;
  // A folder and a server are left to be removed, whenever Ctrl-C comes.
  const release = interrupts.onFirst(() => {
    isStopped = true;
    report.say('Stopping… (Ctrl-C once more leaves at once, and leaves behind what there is)');
  });
  try {
    const server = await startThrowawayServer({
      file,
      env: config.programEnvironment,
      runtime: flags.runtime,
      say: report.say,
    });
    try {
      return isStopped ? 'interrupted' : await trySignIn(cli, server, id, flags);
    } finally {
      report.say('Removing the server of this trial and all that it made…');
      await server.remove();
    }
  } finally {
    release();
  }
}

/** The file was checked: it has one. */
function findId(file: string): string {
  if (!existsSync(file)) throw new CliError('usage', `There is no file ${file}.`);
  const id = /^id:\s*['"]?([a-z][a-z0-9_]*)/m.exec(readFileSync(file, 'utf8'))?.[1];
  if (id === undefined) throw new CliError('failed', `Write the id of ${file} as a line of its own: id: my_tool`);
  return id;
}

/** On a server that is there already. */
export async function trySignIn(cli: Cli, access: ServerAccess, id: string, flags: TryFlags): Promise<Exit> {
  const { report, terminal, interrupts } = cli;
  const { client, server } = toConnection(access);
  const provider = await prepare(cli, client, id);
  // Unlike at a person's terminal, the live view is as good as any other: the first way of the definition.
  const mode = chooseMode(provider, flags.mode ?? provider.modes.find(({ available }) => available)?.mode);
  report.say(`Signing in ${MODE_WORDS[mode]} (${mode}).`);
  const body = { userId: USER, provider: id, mode };
  const created = await client.createSession(flags.mayUse === true ? { ...body, mayUse: true } : body);
  let ended: Session | null = null;
  try {
    ended = await runSignIn(created, {
      client,
      server,
      provider,
      report,
      terminal,
      interrupts,
      openBrowser: flags.open ? openBrowser : null,
      tokenKind: flags.tokenKind ?? null,
      withDetails: true,
      // The page of this server has no other way to know who is there; browsers send the part after # nowhere.
      toPage: (sessionId) => `${server}/sessions/${sessionId}#token=${access.token.reveal()}`,
    });
    await tellEnd(cli, client, ended, provider);
    return ended.status === 'completed' ? 'done' : 'failed';
  } finally {
    await clearUp(client, created.sessionId, ended);
  }
}

/** Tells what the server makes of the definition, and accepts its notice. Throws `CliError` when it cannot be tried. */
async function prepare({ report }: Cli, client: Client, id: string): Promise<Provider> {
  const listed = await client.listProviders();
  const provider = getTried(listed, id);
  const { name, version, notice, audience } = provider;
  const ways = provider.modes.map(
    ({ mode, available, reason }) => `${mode}${available ? '' : ` (not now: ${reason ?? ''})`}`,
  );
  report.tell(
    { type: 'definition', provider },
    `The definition is read: ${name}, version ${version}. Ways: ${ways.join(', ')}.`,
  );
  if (audience !== null) report.say(audience);
  if (notice === null) return requireAvailable(listed, provider);
  report.say(`Its notice, which this trial accepts for itself:\n\n${toNoticeText(provider)}`);
  await client.acceptNotice(id, notice.hash);
  const accepted = await client.listProviders();
  return requireAvailable(accepted, getTried(accepted, id));
}

function getTried({ providers, fileProblems }: ProvidersAnswer, id: string): Provider {
  const found = providers.find((provider) => provider.id === id);
  if (found !== undefined) return found;
  const problems = fileProblems.flatMap((file) => file.problems).map((line) => `\n  ${line}`);
  throw new CliError('failed', `The server cannot use the definition ${id}.${problems.join('')}`);
}

function requireAvailable({ requirements }: ProvidersAnswer, provider: Provider): Provider {
  if (provider.available) return provider;
  const missing = requirements.filter(({ severity }) => severity === 'missing');
  const list = missing.map(({ title, hint }) => `\n  ${title}: ${hint}`).join('');
  throw new CliError('failed', `${provider.reason ?? `${provider.name} cannot be used on this machine.`}${list}`);
}

async function tellEnd({ report }: Cli, client: Client, ended: Session, provider: Provider): Promise<void> {
  const [stored] = await client.listCredentials(USER);
  const words = toEndWords(ended, provider.name);
  if (ended.status !== 'completed') await tellFailure(report, client, ended, words);
  report.tell({ type: 'end', session: ended, credential: stored ?? null }, stored === undefined ? null : words);
  if (stored === undefined) return;
  const { account, expiresAt, grade } = stored;
  report.say(`  account   ${account ?? 'not told by the files'}`);
  report.say(`  expires   ${expiresAt ?? 'not told by the files'}`);
  report.say(`  evidence  ${GRADE_WORDS[grade]}`);
}

async function tellFailure(report: Report, client: Client, ended: Session, words: string): Promise<void> {
  report.warn(`It ended as ${ended.status}${ended.errorCode === null ? '' : ` (${ended.errorCode})`}: ${words}`);
  const chunks = await client.readOutput(ended.sessionId);
  const written = toPlainText(chunks.map(({ text }) => text).join(''));
  const lines = written.trimEnd().split('\n').slice(-OUTPUT_LINES);
  if (ended.errorCode === 'cli_no_url') report.warn(toLinkWords(written));
  if (written.trim() === '') report.warn('The program wrote nothing.');
  else report.warn(`The program wrote:\n${lines.map((line) => `  | ${line}`).join('\n')}`);
}

/** Why no link was taken: the most frequent fault of a new definition. */
function toLinkWords(written: string): string {
  const links = new Set(written.match(/https?:\/\/[^\s"'<>]+/g));
  if (links.size === 0)
    return 'No link was seen, neither in a browser that the program opened nor in its output. Look at login.args, login.dialogue and login.environment.';
  const list = [...links].map((link) => `\n  ${link}`).join('');
  return `These links were in its output, and login.url.pattern matches none of them, or login.url.from does not name the output:${list}`;
}

/** Ends what still goes on, and waits until the browser machine is gone, so that the server leaves nothing behind. */
async function clearUp(client: Client, sessionId: string, ended: Session | null): Promise<void> {
  const left = AbortSignal.timeout(CLEAR_UP_MS);
  try {
    if (ended === null || !isTerminal(ended.status)) await client.cancelSession(sessionId);
  } catch {
    // It ended meanwhile, or the server is away already.
  }
  const quiet = { warn: () => undefined, say: () => undefined };
  try {
    for await (const { session } of followSession(client, sessionId, quiet, left))
      if (session.vm === null || session.vm.state === 'gone') return;
  } catch {
    // The server is away; its next start would find what is left, but its folder goes with it.
  }
}
