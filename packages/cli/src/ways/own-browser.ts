/**
 * The person's own browser on this machine: the CLI's callback port is listened on here, so that nothing has to be pasted; when that is
 * not possible, the address or code is pasted into the terminal.
 */
import type { Session } from '@vestibule/protocol/api';
import { AppError } from '@vestibule/protocol/errors';
import type { Offer } from '@vestibule/protocol/offer';
import { listenForCallback, type CallbackListener } from '../callback-listener.ts';
import type { CallbackOutcome } from '../callback-page.ts';
import { toCliError } from '../cli-error.ts';
import { toConnectedWords, toEndWords } from '../step-words.ts';
import { showLink, type RunningWay, type WayContext } from './way.ts';

/** How long the browser is kept waiting for the end of the session. */
const OUTCOME_MS = 20_000;
const DELIVERY_TRIES = 10;
const AGAIN_MS = 1000;

export async function startOwnBrowser(context: WayContext, offer: Offer): Promise<RunningWay> {
  const { report } = context;
  const stopped = new AbortController();
  const listener = await listen(context, offer, stopped.signal);
  if (listener !== null) {
    report.tell({ type: 'listening', addresses: listener.addresses }, null);
    showLink(context, offer.url ?? '');
    const paste = context.terminal.isInteractive
      ? ' If you sign in on another machine, paste the address that it ends at here.'
      : '';
    report.say(`Sign in there and come back: this command waits for your browser and passes the answer on.${paste}`);
  } else if (offer.accepts.length === 0) {
    showLink(context, offer.url ?? '');
    report.say('Sign in there. Nothing has to be brought back: this command waits for the end.');
  } else {
    showLink(context, offer.codeUrl ?? offer.url ?? '');
    report.tell({ type: 'paste_wanted', accepts: offer.accepts }, toPasteWords(offer));
  }
  return {
    takesPaste: offer.accepts.length > 0 && (listener === null || context.terminal.isInteractive),
    holdsTerminal: () => false,
    async stop() {
      stopped.abort();
      await listener?.close();
    },
  };
}

/** Null when the answer cannot come by itself. */
async function listen(context: WayContext, offer: Offer, stopped: AbortSignal): Promise<CallbackListener | null> {
  const { report } = context;
  const { callback } = offer;
  if (callback === null || !offer.accepts.includes('callback')) return null;
  const found = await listenForCallback({
    offer: { url: offer.url, callback },
    take: (address) => relay(context, address, stopped),
    onRefused: (words) => report.warn(`A request that does not belong to this sign-in was refused: ${words}`),
  });
  if (!('problem' in found)) return found;
  report.tell(
    { type: 'not_listening', port: callback.port, problem: found.problem },
    `${found.words} The answer cannot be taken by itself.`,
  );
  return null;
}

function toPasteWords({ accepts, codeUrl, callback }: Offer): string {
  if (codeUrl !== null && accepts.includes('code'))
    return 'Sign in there, then paste the code that you are shown here.';
  if (!accepts.includes('callback')) return 'Sign in there, then paste the code that you are shown here.';
  const begins = callback === null ? '' : ` (it begins with http://localhost:${callback.port}${callback.path})`;
  return `Sign in there. At the end your browser shows a page that cannot be opened${begins}: copy its whole address and paste it here.`;
}

/** Passes the one answer on and says how it went, waiting for the session's end. Never throws. */
async function relay(
  context: WayContext,
  address: string,
  stopped: AbortSignal,
): Promise<CallbackOutcome & { again?: boolean }> {
  const { report, provider, ended } = context;
  report.tell({ type: 'callback_received' }, 'Your browser came back with the answer; passing it on.');
  const refusal = await deliver(context, address, stopped);
  if (refusal !== null) {
    report.warn(refusal.words);
    return refusal;
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), OUTCOME_MS);
    if (stopped.aborted) resolve(null);
    stopped.addEventListener('abort', () => resolve(null), { once: true });
  });
  const session = await Promise.race([ended, late]);
  clearTimeout(timer);
  return toOutcome(session, provider?.name ?? session?.provider ?? '');
}

/** Null when it was passed on. Asked again when the server did not answer: the program takes the answer once, however often it comes. */
async function deliver(
  { client, sessionId, server }: WayContext,
  address: string,
  stopped: AbortSignal,
): Promise<(CallbackOutcome & { again?: boolean }) | null> {
  for (let tries = 1; ; tries += 1) {
    try {
      await client.answer(sessionId, { kind: 'callback', text: address });
      return null;
    } catch (error) {
      const code = error instanceof AppError ? error.code : null;
      if (stopped.aborted || code === 'session_ended' || (code === 'answer_refused' && tries > 1)) return null;
      if (code === 'not_ready' && tries < DELIVERY_TRIES) {
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
        continue;
      }
      return { isGood: false, title: 'Not taken', words: toCliError(error, server).message, again: true };
    }
  }
}

function toOutcome(session: Session | null, name: string): CallbackOutcome {
  if (session === null)
    return {
      isGood: true,
      title: 'Handed over',
      words: 'The program has your answer and is still working on it. The terminal shows how it ends.',
    };
  const isGood = session.status === 'completed';
  const title = isGood ? 'Connected' : session.status === 'cancelled' ? 'Cancelled' : 'Not connected';
  const words = isGood ? `${toConnectedWords(session, name)} You can close this tab.` : toEndWords(session, name);
  return { isGood, title, words };
}
