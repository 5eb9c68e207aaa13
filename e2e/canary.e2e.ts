/**
 * I7, over a whole sign-in: a secret stands in no log line, event, answer, page, column, argv or file. What is expected is the exact list
 * of places where each secret belongs, so the search also shows each time that it finds.
 *
 * Not looked for: the `state` in the address at which a CLI begins its sign-in. It stands in the argv of the VM's own programs, works once
 * and gives no access. The code that ends the sign-in carries the canary like the tokens do.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { loadLocalKeyFile } from '../packages/controller/src/vault/local-key-file.ts';
import { watchArgv } from './support/canary-argv.ts';
import { recordPage } from './support/canary-page.ts';
import { followEvents, readDatabase, readFiles, readRoutes, toLogPlaces } from './support/canary-places.ts';
import { createSearch, KINDS, toForms, type Finding, type Place, type Sought } from './support/canary-search.ts';
import { findVmId } from './support/browser-vm.ts';
import { IDENTITY_PROVIDER_LOOK, signInByHand } from './support/live-view.ts';
import { skipUnlessRoot } from './support/requirements.ts';
import { connectProvider, expectConnected } from './support/sign-in-pages.ts';
import { startVestibule, type VestibuleOptions, type VestibuleServer } from './support/vestibule-server.ts';
import { createWorld } from './support/world.ts';

const PROVIDER = 'Cloudflare Wrangler';

function createCanary(what: string): string {
  return `CANARY${what}${randomBytes(6).toString('hex')}`;
}

type Run = { sessionId: string; vmId: string; dataDir: string; secrets: Sought[]; places: () => Iterable<Place> };

/**
 * Signs in on a Vestibule of its own and gathers every place until its VM is gone and the server has stopped.
 * @param signIn what a person does in the live view
 * @param inspect gets it all while the files are there
 */
async function observeSignIn(
  page: Page,
  options: VestibuleOptions & { userId: string; signIn: () => Promise<void> },
  inspect: (run: Run) => Promise<void>,
): Promise<void> {
  const { userId } = options;
  const endArgv = watchArgv();
  let server: VestibuleServer | null = null;
  try {
    const env = { VESTIBULE_GRACE_SECONDS: '2', VESTIBULE_LOG_LEVEL: 'trace', ...options.env };
    server = await startVestibule({ ...options, env });
    const { dataDir } = server;
    const record = await recordPage(page);
    const sessionId = await connectProvider(page, server, PROVIDER, userId);
    const [events] = await Promise.all([
      followEvents(server, sessionId),
      options.signIn().then(() => expectConnected(page)),
    ]);
    const gathered = [events, ...endArgv(), ...(await record.places())];
    const routes = await readRoutes(server, { sessionId, userId, provider: 'wrangler' });
    gathered.push(...routes, ...(await readDatabase(dataDir)));
    const vmId = await findVmId(dataDir, sessionId);
    const cookies = await page.context().cookies();
    const masterKey = await loadLocalKeyFile(join(dataDir, 'master-key'), false);
    const secrets = [
      { name: 'operator token', value: server.token },
      { name: 'master key', value: masterKey.reveal() },
      // Its value is `expiry.mac`, and the mac alone is secret.
      ...cookies.map(({ value }) => ({ name: 'sign-in cookie', value: value.split('.')[1] ?? '' })),
      ...record.tickets.map((value) => ({ name: 'live-view ticket', value })),
    ];
    await server.stop();
    gathered.push(...toLogPlaces(server.output()));
    function* places(): Generator<Place> {
      yield* gathered;
      yield* readFiles(dataDir);
    }
    await inspect({ sessionId, vmId, dataDir, secrets, places });
  } finally {
    endArgv();
    await server?.remove();
  }
}

/** In which kinds of places something was found; the ready line alone is no log. */
function toKinds(findings: readonly Finding[]): string[] {
  return KINDS.filter((kind) => findings.some((found) => found.kind === kind && found.place !== 'the ready line'));
}

test('the search finds a canary in every kind of place, and in every encoding', async ({ page }) => {
  const canary = createCanary('');
  const awkward = `a "${createCanary('')}"\\/?% é`;
  // The user's id reaches all but the log and argv by itself; those two carry the name of the data folder.
  const dataDir = mkdtempSync(join(tmpdir(), `vestibule-${canary}-`));
  const env = { VESTIBULE_RUNTIME: 'fake', VESTIBULE_FAKE_SCRIPT: 'auto' };
  await observeSignIn(page, { dataDir, env, userId: canary, signIn: async () => {} }, async ({ places }) => {
    expect(toKinds(createSearch([{ name: 'canary', value: canary }])(places()))).toEqual(KINDS);

    const forms = Object.entries(toForms(awkward));
    for (const [encoding, form] of forms) writeFileSync(join(dataDir, `planted ${encoding}`), `x${form}y`, 'latin1');
    // As an encoder would write them, whatever stands before.
    for (const before of ['', '1', '12']) {
      for (const encoding of ['base64', 'base64url'] as const) {
        const text = Buffer.from(`${before}${awkward}after`).toString(encoding);
        writeFileSync(join(dataDir, `planted in ${encoding} after ${before.length}`), text);
      }
    }
    const planted = createSearch([{ name: 'canary', value: awkward }])(places()).map(({ place }) => place);
    expect(planted.filter((place) => place.startsWith('planted'))).toHaveLength(forms.length + 6);
  });
});

test('a sign-in leaves its secrets nowhere but where each belongs', async ({ page }) => {
  skipUnlessRoot('a browser VM gets a network of its own');
  const marker = createCanary('token');
  const password = `${createCanary('password')} "\\/%`;
  const userId = `seen-${randomBytes(6).toString('hex')}`;
  const world = await createWorld({ users: { ada: password }, tokenPrefix: marker });
  try {
    const signIn = (): Promise<void> => signInByHand(page, IDENTITY_PROVIDER_LOOK, { user: 'ada', password });
    await observeSignIn(page, { env: world.env, userId, signIn }, async (run) => {
      const { sessionId, vmId, dataDir } = run;
      const marked = [
        { name: 'token or code', value: marker },
        { name: 'password', value: password },
      ];
      const known = [userId, sessionId, vmId].map((value) => ({ name: 'no secret', value }));
      const findings = createSearch([...marked, ...run.secrets, ...known])(run.places());

      await test.step('every kind of place tells of this very sign-in', () => {
        expect(toKinds(findings.filter(({ what }) => what === 'no secret'))).toEqual(KINDS);
        expect(statSync(join(dataDir, 'logs', 'vms', `${vmId}.log`)).size).toBeGreaterThan(0);
        const [issued] = world.issued();
        expect(
          [issued?.accessToken, issued?.refreshToken, issued?.code].every((text) => text?.startsWith(marker)),
        ).toBe(true);
      });
      await test.step('each secret is found where it belongs, and nowhere else', () => {
        const found = findings
          .filter(({ what }) => what !== 'no secret')
          .map(({ what, kind, place }) => `${what}, ${kind}: ${place}`);
        expect(found.toSorted()).toEqual([
          'live-view ticket, answer: POST /v1/auth-sessions/{id}/live-view-tickets: body',
          'master key, file: master-key',
          'operator token, file: operator-token',
          'operator token, log: the ready line',
          'sign-in cookie, answer: POST /v1/operator-session: set-cookie',
        ]);
      });
    });
  } finally {
    await world.close();
  }
});
