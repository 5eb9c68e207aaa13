/**
 * What a person needs for signing in outside the VM, and what they may give back. Knows how to tell the one from the other: a callback's
 * URL, a code, a code with its state. The link holds a state, so it is sealed at rest and shown to the person of the session alone.
 */
import * as z from 'zod';
import { modeSchema } from './session.ts';

export const ANSWER_KINDS = ['line', 'keys', 'callback', 'code', 'token'] as const;
export const answerKindSchema = z.enum(ANSWER_KINDS);
export type AnswerKind = z.infer<typeof answerKindSchema>;

export const offerSchema = z.object({
  mode: modeSchema,
  /** The sign-in page, exactly as the CLI made it; for `device_code`, the page that asks for the code. Null for `token`. */
  url: z.url().max(8192).nullable(),
  /** Another link of the CLI's that ends on a page with a code to copy. */
  codeUrl: z.url().max(8192).nullable(),
  /** Where the sign-in page leads at the end, when that is the CLI's own server: from the link's `redirect_uri`. */
  callback: z.object({ port: z.number().int(), path: z.string().max(300) }).nullable(),
  /** What may be given back. */
  accepts: z.array(z.enum(['callback', 'code', 'token'])),
  deviceCode: z.string().max(60).nullable(),
  /** Time left for the device code when this was sent; null when there is none. */
  validForMs: z.number().int().nonnegative().nullable(),
});
export type Offer = z.infer<typeof offerSchema>;

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** The CLI's own callback server, by the link's `redirect_uri`; null when the link leads elsewhere. RFC 8252, section 7.3. */
export function findCallback(link: string): Offer['callback'] {
  if (!URL.canParse(link)) return null;
  const redirect = new URL(link).searchParams.get('redirect_uri');
  if (redirect === null || !URL.canParse(redirect)) return null;
  const { protocol, hostname, port, pathname } = new URL(redirect);
  if (protocol !== 'http:' || !LOOPBACK.has(hostname)) return null;
  return { port: port === '' ? 80 : Number(port), path: pathname };
}

/** The link is a page of the program's own machine (rclone): a browser elsewhere cannot open it. */
export function isOnItsOwnMachine(link: string): boolean {
  return URL.canParse(link) && LOOPBACK.has(new URL(link).hostname);
}

export type RecognizedAnswer =
  | { kind: 'callback'; text: string }
  | { kind: 'code'; text: string }
  /** Words for the person: what was given instead, and what to do. */
  | { kind: 'problem'; words: string };

/** What is looked at to tell an answer: the whole offer, or as much of it as there is. */
export type Answerable = Pick<Offer, 'url' | 'callback' | 'accepts'> & Partial<Pick<Offer, 'codeUrl'>>;

/** The state that the link carries, or null. */
function findState(link: string | null): string | null {
  return link !== null && URL.canParse(link) ? new URL(link).searchParams.get('state') : null;
}

/**
 * What the person gave back, by its form: a URL, with or without its scheme, or the address line of a page that failed to load; else a code.
 * A state that is not the link's is a problem, for the answer belongs to another sign-in.
 */
export function recognizeAnswer(given: string, offer: Answerable): RecognizedAnswer {
  const text = given.trim().replaceAll(/^["'<]+|["'>]+$/g, '');
  if (text === '')
    return { kind: 'problem', words: 'Nothing was given. Paste the address or the code that you were shown.' };
  const state = findState(offer.url);
  const url = toUrl(text);
  if (url !== null) return recognizeCallback(url, offer, state);
  if (/\s/.test(text))
    return { kind: 'problem', words: 'That is neither an address nor a code: it has blanks in it. Copy it once more.' };
  if (!offer.accepts.includes('code'))
    return {
      kind: 'problem',
      words: 'That looks like a code. This program wants the whole address of the page, from http:// to its end.',
    };
  const itsState = /#(.+)$/.exec(text)?.[1];
  if (itsState !== undefined && !couldBeStateOf(itsState, offer))
    return {
      kind: 'problem',
      words: 'That code belongs to another sign-in. Open the link on this page and copy the new code.',
    };
  return { kind: 'code', text };
}

/** A code comes from either link. One that carries no state (claude 2.1.330) is given one by its page, which nobody here can know. */
function couldBeStateOf(state: string, { url, codeUrl = null }: Answerable): boolean {
  const links = [url, codeUrl].filter((link) => link !== null);
  return links.length === 0 || links.some((link) => [null, state].includes(findState(link)));
}

function toUrl(text: string): URL | null {
  if (/^https?:\/\//i.test(text)) return URL.canParse(text) ? new URL(text) : null;
  if (/^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?\//i.test(text)) return new URL(`http://${text}`);
  return null;
}

/**
 * The code in the address of the page that shows it, with its state as that page writes both. Null for any other address, also for the
 * sign-in links themselves, which may have a parameter of that name (claude: `code=true`).
 */
function findCodeInAddress(address: URL, { url, codeUrl = null, accepts }: Answerable): string | null {
  const isLink = [url, codeUrl].some(
    (link) => link !== null && new URL(link).origin + new URL(link).pathname === address.origin + address.pathname,
  );
  const code = address.searchParams.get('code');
  if (isLink || code === null || !accepts.includes('code') || LOOPBACK.has(address.hostname)) return null;
  const state = address.searchParams.get('state');
  return state === null ? code : `${code}#${state}`;
}

function recognizeCallback(url: URL, offer: Answerable, state: string | null): RecognizedAnswer {
  const { callback, accepts } = offer;
  const problem = (words: string): RecognizedAnswer => ({ kind: 'problem', words });
  const code = findCodeInAddress(url, offer);
  if (code !== null) return recognizeAnswer(code, offer);
  if (!accepts.includes('callback') || callback === null)
    return problem('This program does not take an address. Copy the code that the page shows.');
  if (!LOOPBACK.has(url.hostname) || url.pathname !== callback.path)
    return problem(
      `That is not the address the sign-in ends at. Sign in first; the right one begins with http://localhost:${callback.port}${callback.path}`,
    );
  if (!url.searchParams.has('code') && !url.searchParams.has('error'))
    return problem(
      'That address holds no answer of the sign-in service. Copy it whole, with all that follows the question mark.',
    );
  if (state !== null && url.searchParams.get('state') !== state)
    return problem('That address belongs to another sign-in. Open the link on this page and sign in once more.');
  return { kind: 'callback', text: `http://127.0.0.1:${callback.port}${callback.path}${url.search}` };
}
