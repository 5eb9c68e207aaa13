import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createCliOutput } from './cli-output.ts';
import { createDeferred } from './deferred.ts';
import { cut } from './testing-chunks.ts';
import { createUrlCatcher, findUrls, toOrigin, type CaughtUrl, type UrlSource } from './url-catcher.ts';

const URL_TEXT =
  'https://id.example/oauth/authorize?client_id=a&redirect_uri=http%3A%2F%2F127.0.0.1%3A1455&state=x.y-z_~';

function catchUrl(rules: { from?: UrlSource[]; pattern?: string; timeoutSeconds?: number } = {}, graceMs = 50) {
  const outcome = createDeferred<CaughtUrl | 'missing'>();
  const caught: CaughtUrl[] = [];
  const catcher = createUrlCatcher({
    rules: { from: ['browser_shim', 'output'], pattern: '^https?://', timeoutSeconds: 60, ...rules },
    graceMs,
    onUrl: (url) => {
      caught.push(url);
      outcome.resolve(url);
    },
    onMissing: () => outcome.resolve('missing'),
  });
  onTestFinished(catcher.close);
  return { catcher, outcome: outcome.promise, caught };
}

test('finds the printed URL whole, however the output is cut', () => {
  const output = Buffer.from(`Hällo, visit:\r\n\u001b[4m${URL_TEXT}\u001b[0m\r\nthen come back.\r\n`);
  fc.assert(
    fc.property(fc.infiniteStream(fc.integer({ min: 1, max: 40 })), (sizes) => {
      const found: string[] = [];
      const push = createCliOutput({ onText: () => undefined, onLine: (line) => found.push(...findUrls(line)) });
      for (const chunk of cut(output, sizes)) push(chunk);
      expect(found).toEqual([URL_TEXT]);
    }),
  );
});

test('does not take a URL from a line that has not ended', () => {
  const lines: string[] = [];
  const push = createCliOutput({ onText: () => undefined, onLine: (line) => lines.push(line) });
  push(Buffer.from('visit https://id.example/half'));
  expect(lines).toEqual([]);
});

test.each([
  ['Visit https://id.example/a.', 'https://id.example/a'],
  ['(see https://id.example/a?b=c)', 'https://id.example/a?b=c'],
  ['"https://id.example/a"', 'https://id.example/a'],
])('leaves the punctuation of the sentence: %s', (line, url) => {
  expect(findUrls(line)).toEqual([url]);
});

test('prefers the URL given to the browser to one printed shortly before', async () => {
  const { catcher, outcome, caught } = catchUrl({}, 5000);
  catcher.offerFromOutput('visit https://id.example/short');
  catcher.offerFromShim(URL_TEXT);
  await expect(outcome).resolves.toEqual({ url: URL_TEXT, from: 'browser_shim' });
  expect(caught).toHaveLength(1);
});

test('takes the printed URL when the CLI opens no browser', async () => {
  const { catcher, outcome } = catchUrl({}, 20);
  catcher.offerFromOutput(`visit ${URL_TEXT}`);
  await expect(outcome).resolves.toEqual({ url: URL_TEXT, from: 'output' });
});

test('tells of one URL only', async () => {
  const { catcher, outcome, caught } = catchUrl({}, 20);
  catcher.offerFromShim(URL_TEXT);
  catcher.offerFromShim('https://id.example/second');
  catcher.offerFromOutput('visit https://id.example/third');
  await outcome;
  await delay(60);
  expect(caught).toHaveLength(1);
});

test.each([
  'file:///etc/passwd',
  'javascript:alert(1)',
  '--remote-debugging-port=1',
  'https://id.example/a b',
  'https://',
])('never opens %s, whatever the pattern allows', (candidate) => {
  const { catcher, caught } = catchUrl({ pattern: '' });
  catcher.offerFromShim(candidate);
  expect(caught).toEqual([]);
});

test('ignores URLs that the definition does not name', () => {
  const { catcher, caught } = catchUrl({ pattern: '^https://id\\.example/' });
  catcher.offerFromShim('https://docs.example/help');
  expect(caught).toEqual([]);
});

test('ignores a place that the definition does not name', () => {
  const { catcher, caught } = catchUrl({ from: ['output'] });
  catcher.offerFromShim(URL_TEXT);
  expect(caught).toEqual([]);
});

test('says when no URL came in time', async () => {
  const { outcome } = catchUrl({ timeoutSeconds: 0.02 });
  await expect(outcome).resolves.toBe('missing');
});

test('keeps query and fragment to itself', () => {
  expect(toOrigin('https://id.example:8443/authorize?code=secret#token=secret')).toBe(
    'https://id.example:8443/authorize',
  );
});
