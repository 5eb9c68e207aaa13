import { offerSchema } from '@vestibule/protocol/offer';
import { expect, test } from 'vitest';
import { toBrowserOffer, toDeviceOffer, toTokenOffer } from './offer-maker.ts';

const LOOPBACK = 'https://id.example/a?redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fcb&state=s';
const ELSEWHERE = 'https://id.example/a?redirect_uri=https%3A%2F%2Fid.example%2Fcode';

type Accepts = ('callback' | 'code')[] | undefined;

test.each<[string, string, Accepts, Accepts]>([
  ['the address, where the link leads back to the CLI', LOOPBACK, undefined, ['callback']],
  ['a code, where it does not', ELSEWHERE, undefined, ['code']],
  ['what the definition says', LOOPBACK, ['code', 'callback'], ['code', 'callback']],
  ['nothing, where the definition says so', LOOPBACK, [], []],
  ['no address that cannot be', ELSEWHERE, ['callback', 'code'], ['code']],
])('takes back %s', (_what, url, accepts, expected) => {
  const offer = toBrowserOffer('own_browser', { url, codeUrl: null }, { own_browser: { accepts } });
  expect(offer.accepts).toEqual(expected);
  expect(offerSchema.parse(offer)).toEqual(offer);
});

test('each way has its offer', () => {
  expect(toDeviceOffer({ code: 'ABCD', url: 'https://id.example/device' }, 60)).toMatchObject({ validForMs: 60_000 });
  for (const offer of [toDeviceOffer({ code: 'ABCD', url: 'https://id.example/device' }, 60), toTokenOffer()])
    expect(offerSchema.parse(offer)).toEqual(offer);
});

test('a link too long to be told leaves the live view as it is', () => {
  const url = `https://id.example/a?x=${'y'.repeat(9000)}`;
  expect(toBrowserOffer('vm_browser', { url, codeUrl: null }, {}).url).toBeNull();
});
