/** A whole sign-in to the demo, by hand, to *Connected*. */
import type { Page } from '@playwright/test';
import { DEMO_LOOK, signInByHand } from './live-view.ts';
import { connectProvider, expectConnected } from './sign-in-pages.ts';
import type { VestibuleServer } from './vestibule-server.ts';

/** Returns the session, whose page is open and says Connected. */
export async function signInToDemo(page: Page, server: VestibuleServer, userId: string): Promise<string> {
  const sessionId = await connectProvider(page, server, 'Demo', userId);
  await signInByHand(page, DEMO_LOOK, { user: 'demo', password: 'demo' });
  await expectConnected(page);
  return sessionId;
}
