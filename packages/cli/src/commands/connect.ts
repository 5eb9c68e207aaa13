/** `vestibule connect PROVIDER`: signs in from this machine, with the person's own browser, a code, or a token. */
import { isDeepStrictEqual } from 'node:util';
import type { CreateSessionBody, Provider, ProvidersAnswer, Restriction, Session } from '@vestibule/protocol/api';
import type { Client } from '@vestibule/protocol/client';
import { AppError } from '@vestibule/protocol/errors';
import type { Mode } from '@vestibule/protocol/session';
import { openBrowser } from '../browser-opener.ts';
import { CliError, type Exit } from '../cli-error.ts';
import { connectTo, type Cli } from '../cli.ts';
import { chooseMode, findProvider, requireUsable, toUnknownProvider } from '../provider-choice.ts';
import { runSignIn } from '../sign-in.ts';
import { toEndWords } from '../step-words.ts';

export type ConnectFlags = Restriction & {
  user: string;
  mode?: Mode | undefined;
  open: boolean;
  tokenKind?: string | undefined;
  supersede?: boolean | undefined;
  mayUse?: boolean | undefined;
};

export async function connect(cli: Cli, name: string, flags: ConnectFlags): Promise<Exit> {
  const { report, terminal, interrupts } = cli;
  const { client, server } = connectTo(cli);
  const listed = await client.listProviders(flags.user);
  const named = findProvider(listed, name);
  if (named !== null) requireUsable(named);
  const mode = named === null ? (flags.mode ?? 'own_browser') : chooseMode(named, flags.mode);
  if (named !== null) tellWhat(cli, named, server, mode);
  const session = await start(client, listed, { name, mode, flags });
  const provider = named ?? findProvider(listed, session.provider);
  report.tell({ type: 'session', session }, null);
  const toPage = (sessionId: string): string => `${server}/sessions/${sessionId}`;
  const ended = await runSignIn(session, {
    client,
    server,
    provider,
    report,
    terminal,
    interrupts,
    openBrowser: flags.open ? openBrowser : null,
    tokenKind: flags.tokenKind ?? null,
    withDetails: false,
    toPage,
  });
  const words = toEndWords(ended, provider?.name ?? ended.provider);
  const isDone = ended.status === 'completed';
  if (!isDone) report.warn(`${words}\nWhat happened, and what the program wrote: ${toPage(ended.sessionId)}`);
  report.tell({ type: 'end', session: ended }, isDone ? words : null);
  return isDone ? 'done' : 'failed';
}

/** Before anything is typed: whose program it is, where what is typed goes, and who can use the login afterwards. */
function tellWhat({ report }: Cli, provider: Provider, server: string, mode: Mode): void {
  const { id, name, vendor, audience, untested, useDescription } = provider;
  const whose = vendor === null ? name : `${name}, a program of ${vendor}`;
  const typed =
    mode === 'own_browser' || mode === 'device_code'
      ? 'What you type goes from your browser to the provider alone; the answer to it passes through the server.'
      : 'What you type passes through the server.';
  const lines = [
    `You sign in to ${whose}, which runs on ${server}.`,
    typed,
    'The login is stored there, encrypted; whoever runs that server can use it.',
  ];
  if (audience !== null) lines.push(audience);
  if (untested) lines.push('Nobody has tried this definition yet.');
  report.tell({ type: 'about', provider: id, vendor, audience, untested, useDescription }, `${lines.join('\n')}\n`);
}

type Start = { name: string; mode: Mode; flags: ConnectFlags };

/** Begins, or goes on with the sign-in that is under way for this person, by the way asked for. */
async function start(client: Client, listed: ProvidersAnswer, { name, mode, flags }: Start): Promise<Session> {
  const restriction = toRestriction(flags);
  const body: CreateSessionBody = { userId: flags.user, provider: name, mode, ...restriction };
  if (flags.supersede === true) body.supersede = true;
  if (flags.mayUse === true) body.mayUse = true;
  try {
    const session = await client.createSession(body);
    if (!isDeepStrictEqual(session.restriction, restriction))
      throw new CliError(
        'failed',
        `A sign-in of ${flags.user} to ${name} is under way already, restricted to another account than asked for. End it first, or take its place with --supersede.`,
      );
    return session.mode === mode ? session : await client.changeMode(session.sessionId, mode);
  } catch (error) {
    if (error instanceof AppError && error.code === 'unknown_provider') throw toUnknownProvider(listed, name);
    throw error;
  }
}

function toRestriction({ expectedAccount, allowedDomains, organization }: Restriction): Restriction {
  return {
    ...(expectedAccount === undefined ? {} : { expectedAccount }),
    ...(allowedDomains === undefined ? {} : { allowedDomains }),
    ...(organization === undefined ? {} : { organization }),
  };
}
