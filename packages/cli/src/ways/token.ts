/** A key or token that the person has: read without echo, given to the CLI's own input, and kept nowhere here. */
import type { Provider } from '@vestibule/protocol/api';
import { AppError } from '@vestibule/protocol/errors';
import { CliError } from '../cli-error.ts';
import type { RunningWay, WayContext } from './way.ts';

type Kind = Provider['tokenKinds'][number];

/** `fail` ends the whole command: without a token nothing can go on. */
export function startToken(context: WayContext, fail: (error: unknown) => void): RunningWay {
  const stopped = new AbortController();
  let isAsking = true;
  const asking = askToken(context, stopped.signal)
    .catch((error: unknown) => {
      if (!stopped.signal.aborted) fail(error);
    })
    .finally(() => (isAsking = false));
  return {
    takesPaste: false,
    holdsTerminal: () => isAsking,
    async stop() {
      stopped.abort();
      await asking;
    },
  };
}

async function askToken(context: WayContext, signal: AbortSignal): Promise<void> {
  const { client, sessionId, report, terminal } = context;
  const kind = await chooseKind(context, signal);
  if (signal.aborted) return;
  report.tell({ type: 'token_wanted', tokenKind: kind.id }, `${kind.name}: ${kind.hint}`);
  for (;;) {
    const given = await terminal.readSecret(terminal.isInteractive ? `${kind.name} (not shown): ` : '', signal);
    if (signal.aborted) return;
    if (given === null)
      throw new CliError('no_answer', `No ${kind.name} was given. Give it on the standard input, one line.`);
    const problem = findProblem(given.trim(), kind) ?? (await give(given.trim(), kind));
    if (problem === null) return;
    if (!terminal.isInteractive) throw new CliError('failed', problem);
    report.warn(problem);
  }

  async function give(text: string, { id }: Kind): Promise<string | null> {
    try {
      await client.answer(sessionId, { kind: 'token', tokenKind: id, text });
      report.tell({ type: 'token_given', tokenKind: id }, null);
      return null;
    } catch (error) {
      if (error instanceof AppError && error.code === 'answer_refused') return error.message;
      // It has ended otherwise; that is told by its end.
      if (error instanceof AppError && error.code === 'session_ended') return null;
      throw error;
    }
  }
}

function findProblem(text: string, { name, hint, pattern }: Kind): string | null {
  if (text === '') return `Nothing was given. ${hint}`;
  const isOther = pattern !== null && !new RegExp(pattern).test(text);
  return isOther ? `That does not look like what is asked for: ${name}. ${hint}` : null;
}

async function chooseKind({ provider, tokenKind, terminal }: WayContext, signal: AbortSignal): Promise<Kind> {
  const kinds = provider?.tokenKinds ?? [];
  const names = kinds.map(({ id }) => id).join(', ');
  const [only] = kinds;
  if (tokenKind !== null) {
    const named = kinds.find(({ id }) => id === tokenKind);
    if (named !== undefined) return named;
    throw new CliError('usage', `There is no kind of token called ${tokenKind} here; there is ${names || 'none'}.`);
  }
  if (only === undefined) throw new CliError('not_offered', 'The server names no kind of token for this provider.');
  if (kinds.length === 1) return only;
  if (!terminal.isInteractive) throw new CliError('usage', `Say with --token-kind which you give: ${names}.`);
  const list = kinds.map(({ name }, index) => `  ${index + 1}  ${name}`).join('\n');
  for (;;) {
    const given = await terminal.readLine(`Which do you have?\n${list}\nNumber: `, signal);
    if (given === null) throw new CliError('no_answer', 'No kind of token was chosen.');
    const chosen = kinds[Number(given.trim()) - 1];
    if (chosen !== undefined) return chosen;
  }
}
