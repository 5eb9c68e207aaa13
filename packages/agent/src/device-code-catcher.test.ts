import { expect, onTestFinished, test, vi } from 'vitest';
import { createDeviceCodeCatcher, type DeviceCode } from './device-code-catcher.ts';

function catchCode(rules: Partial<{ codePattern: string; urlPattern: string }> = {}, timeoutSeconds = 60) {
  const found: DeviceCode[] = [];
  let missing = 0;
  const catcher = createDeviceCodeCatcher({
    rules: { codePattern: 'code: (\\S+)', urlPattern: 'https?://\\S+/device\\b', ...rules },
    timeoutSeconds,
    onCode: (code) => found.push(code),
    onMissing: () => (missing += 1),
  });
  onTestFinished(catcher.close);
  return { catcher, found, missing: () => missing };
}

test.each([
  [['First copy your one-time code: ABCD-1234', 'Open https://id.example/device in your browser.']],
  [['Open https://id.example/device.', 'Enter the code: ABCD-1234']],
  [['https://id.example/device?, code: ABCD-1234']],
])('finds code and link in either order: %j', (lines) => {
  const { catcher, found } = catchCode();
  for (const line of lines) catcher.offerLine(line);
  expect(found).toEqual([{ code: 'ABCD-1234', url: 'https://id.example/device' }]);
});

test('takes all that matches where the pattern has no group, and a link only if a browser would', () => {
  const { catcher, found } = catchCode({ codePattern: '^[A-Z]{4}-[A-Z]{4}$', urlPattern: '\\S+:\\S+' });
  catcher.offerLine('file:///etc/passwd');
  catcher.offerLine('WXYZ-ABCD');
  expect(found).toEqual([]);
  catcher.offerLine('at https://id.example/go');
  expect(found).toEqual([{ code: 'WXYZ-ABCD', url: 'https://id.example/go' }]);
});

test('tells once of a code, and again of another', () => {
  const { catcher, found } = catchCode();
  for (const code of ['AAAA', 'AAAA', 'BBBB']) catcher.offerLine(`https://id.example/device code: ${code}`);
  expect(found.map(({ code }) => code)).toEqual(['AAAA', 'BBBB']);
  catcher.close();
  catcher.offerLine('https://id.example/device code: CCCC');
  expect(found).toHaveLength(2);
});

test('says once that there was none in time', async () => {
  const { catcher, missing } = catchCode({}, 0.02);
  catcher.offerLine('code: ABCD');
  await vi.waitFor(() => expect(missing()).toBe(1));
});
