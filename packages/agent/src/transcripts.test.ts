/**
 * What real CLIs write while they sign somebody in, one file for a version and a way, read by everything that reads such output. In the
 * files secrets are replaced by letters of the same number, so that no line has another length.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createCliOutput } from './cli-output.ts';
import { createDeviceCodeCatcher, type DeviceCode } from './device-code-catcher.ts';
import { findCause } from './failure-classifier.ts';
import { findPrompt } from './prompt-watch.ts';
import { createSecrets } from './redaction.ts';
import { cut } from './testing-chunks.ts';
import { findUrls } from './url-catcher.ts';

const FOLDER = fileURLToPath(new URL('testing-transcripts/', import.meta.url));
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.txt'))
  .map((name) => name.slice(0, -'.txt'.length));

function read(name: string): { raw: string; text: string; lines: string[] } {
  const raw = readFileSync(`${FOLDER}${name}.txt`);
  const lines: string[] = [];
  let text = '';
  const push = createCliOutput({ onText: (more) => (text += more), onLine: (line) => lines.push(line) });
  // As a pipe might cut it.
  for (const chunk of cut(raw, sizes())) push(chunk);
  return { raw: raw.toString(), text, lines };
}

function* sizes(): Generator<number> {
  for (;;) yield* [7, 64, 1, 300];
}

/** Each recorded file whose name begins so and fits, with the rest of the row. */
function recorded<T extends unknown[]>(rows: [start: RegExp, ...rest: T][]): [name: string, ...rest: T][] {
  return rows.flatMap(([start, ...rest]) =>
    NAMES.filter((name) => start.test(name)).map((name): [string, ...T] => [name, ...rest]),
  );
}

test.each(
  recorded([
    [
      /^codex-.*-browser/,
      /^https:\/\/auth\.openai\.com\/oauth\/authorize\?.*redirect_uri=http%3A%2F%2F127\.0\.0\.1%3A145[57]%2F/,
    ],
    [/^claude_code-.*-browser/, /^https:\/\/claude\.(?:ai|com)\/(?:cai\/)?oauth\/authorize\?/],
  ]),
)('the link is found in %s, whole', (name, pattern) => {
  const { raw, lines } = read(name);
  const [link] = lines.flatMap(findUrls).filter((url) => pattern.test(url));
  expect(link).toBeDefined();
  expect(raw.split(/\s+/)).toContain(link);
});

test.each(
  recorded([
    [
      /^codex-.*-device(?:-denied)?$/,
      {
        codePattern: '^\\s*([A-Z0-9]{4,5}-[A-Z0-9]{4,6})\\s*$',
        urlPattern: '(https?://\\S+/codex/device)(?:\\s|$)',
      },
    ],
    [
      /^gh-.*-device(?:-denied)?$/,
      { codePattern: 'one-time code: ([A-Z0-9]{4}-[A-Z0-9]{4})', urlPattern: '(https?://\\S+/login/device)(?:\\s|$)' },
    ],
  ]),
)('code and link are found in %s', (name, rules) => {
  const found: DeviceCode[] = [];
  const onCode = (code: DeviceCode): void => void found.push(code);
  const catcher = createDeviceCodeCatcher({ rules, timeoutSeconds: 60, onCode, onMissing: () => undefined });
  for (const line of read(name).lines) catcher.offerLine(line);
  catcher.close();
  expect(found).toHaveLength(1);
  expect(found[0]?.code).toMatch(/^[A-Z0-9]{4,5}-[A-Z0-9]{4,6}$/);
});

test.each([
  ['gemini_cli-0.61.0-consent', /continue\? \[Y\/n\]:$/],
  ['gemini_cli-0.61.0-manual', /^Enter the authorization code:$/],
  ['claude_code-2.1.330-browser', /^Paste code here if prompted >$/],
])('the question at the end of %s is seen', (name, prompt) => {
  // What was recorded to its end waits no more.
  const text = read(name).text.replace(/(> ?)[^>]*$/, '$1');
  expect(findPrompt(text.split('\n'), false)).toMatch(prompt);
});

test.each([
  ['codex-0.169.0-browser-denied', 'sign_in_denied'],
  ['codex-0.169.0-device-denied', 'sign_in_denied'],
])('%s says why it failed', (name, code) => {
  if (!NAMES.includes(name)) return;
  const failures = [
    { pattern: 'Sign-in failed: |device auth failed with status 4\\d\\d', code: 'sign_in_denied' as const },
  ];
  const exit = { exitCode: 1, signal: null };
  const { text } = read(name);
  expect(findCause({ mode: 'vm_browser', failures, text, exit, wasOffered: true })?.code).toBe(code);
});

test.each(NAMES)('no state, challenge or token of %s is left in what leaves the VM', (name) => {
  const shown = createSecrets().redact(read(name).raw);
  expect(shown).not.toMatch(/(?:state|code_challenge|code|token)=(?!\[redacted\]|true)[^&\s]/);
});
