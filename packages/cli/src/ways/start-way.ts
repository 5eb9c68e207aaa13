/** Starts what an offer needs on this machine, by its way to sign in. */
import type { Offer } from '@vestibule/protocol/offer';
import { startDeviceCode } from './device-code.ts';
import { startOwnBrowser } from './own-browser.ts';
import { startToken } from './token.ts';
import type { RunningWay, WayContext } from './way.ts';

export async function startWay(context: WayContext, offer: Offer, fail: (error: unknown) => void): Promise<RunningWay> {
  switch (offer.mode) {
    case 'own_browser':
      return startOwnBrowser(context, offer);
    case 'device_code':
      return startDeviceCode(context, offer);
    case 'token':
      return startToken(context, fail);
    case 'vm_browser': {
      const page = context.toPage(context.sessionId);
      context.report.tell({ type: 'live_view', url: page }, `Sign in on this page, in the live view:\n\n  ${page}\n`);
      return { takesPaste: false, holdsTerminal: () => false, stop: async () => undefined };
    }
  }
}
