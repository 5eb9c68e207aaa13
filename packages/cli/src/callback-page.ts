/**
 * The page that the person's browser shows after the sign-in: first that the answer is being handed over, then how it ended. Sent in two
 * parts over one answer, so that nothing is asked for a second time. Holds nothing of the sign-in itself.
 */
export type CallbackOutcome = {
  isGood: boolean;
  /** One or two words: `Connected`. */
  title: string;
  words: string;
};

const STYLE = `
:root { color-scheme: light dark; --ink: #1c1b19; --soft: #6b6862; --page: #f6f5f2; --card: #fff; --good: #1f7a4d; --bad: #b3402e; }
@media (prefers-color-scheme: dark) { :root { --ink: #f1efe9; --soft: #a8a49b; --page: #171614; --card: #22211e; --good: #5cc492; --bad: #ef8a77; } }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { box-sizing: border-box; width: min(28rem, calc(100vw - 2rem)); padding: 2.5rem 2rem; border-radius: 16px; background: var(--card); text-align: center; box-shadow: 0 1px 3px #0002, 0 12px 40px #0001; }
h1 { margin: .75rem 0 .25rem; font-size: 1.35rem; }
p { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
.mark { width: 3rem; height: 3rem; margin: 0 auto; border-radius: 50%; display: grid; place-items: center; font-size: 1.5rem; color: #fff; }
.good .mark { background: var(--good); } .bad .mark { background: var(--bad); }
.waiting .mark { border: 3px solid #8884; border-top-color: var(--soft); box-sizing: border-box; animation: turn 1s linear infinite; }
@keyframes turn { to { transform: rotate(1turn); } }
@media (prefers-reduced-motion: reduce) { .waiting .mark { animation: none; } }
`;

const HEAD = (nonce: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Vestibule</title><style nonce="${nonce}">${STYLE}</style></head><body>`;

/** The address holds a single-use code: it leaves the address bar and the history. */
const FORGET_ADDRESS = (nonce: string): string =>
  `<script nonce="${nonce}">history.replaceState(null, '', '/')</script>`;

export function toHeaders(nonce: string): Record<string, string> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    connection: 'close',
  };
}

/** Shown until `toLastPart` follows. */
export function toFirstPart(nonce: string): string {
  return `${HEAD(nonce)}${FORGET_ADDRESS(nonce)}<main class="waiting" id="waiting"><div class="mark"></div><h1>Almost there</h1><p>Your sign-in is being handed over and checked.</p></main>`;
}

export function toLastPart(nonce: string, outcome: CallbackOutcome): string {
  return `<style nonce="${nonce}">#waiting { display: none; }</style>${toCard(outcome)}</body></html>`;
}

export function toWholePage(nonce: string, outcome: CallbackOutcome): string {
  return `${HEAD(nonce)}${toCard(outcome)}</body></html>`;
}

function toCard({ isGood, title, words }: CallbackOutcome): string {
  const kind = isGood ? 'good' : 'bad';
  return `<main class="${kind}"><div class="mark">${isGood ? '✓' : '!'}</div><h1>${escape(title)}</h1><p>${escape(words)}</p></main>`;
}

function escape(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replaceAll(/[&<>"]/g, (character) => names[character] ?? '');
}
