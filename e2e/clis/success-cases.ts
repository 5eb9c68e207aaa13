/** Every way to sign in that each CLI offers: each ends completed, and the stored login signs the CLI in elsewhere. */
import type { Mode } from '@vestibule/protocol/session';
import type { Case } from './case.ts';
import { CLI_CHECKS } from './cli-checks.ts';
import { requireCompleted, requireStillCompleted } from './completed.ts';
import { requireSignedIn } from './delivered.ts';
import {
  connectFromTerminal,
  giveToken,
  signInInLiveView,
  signInInOwnBrowser,
  signInWithCode,
  signInWithDeviceCode,
} from './sign-ins.ts';
import { KEYS, type TestBed } from './test-bed.ts';

type SignIn = (bed: TestBed, sessionId: string) => Promise<void>;

async function prove(bed: TestBed, sessionId: string): Promise<string> {
  const session = await requireCompleted(bed, sessionId);
  const check = CLI_CHECKS[session.provider];
  if (check === undefined) throw new Error(`nothing is known of ${session.provider} to ask`);
  const said = await requireSignedIn(bed, session, check);
  await requireStillCompleted(bed, session);
  return `${session.grade}; ${said}; machine ended with 1, still completed`;
}

function inPage(cli: string, way: string, mode: Mode, signIn: SignIn): Case {
  return {
    cli,
    way,
    run: async (bed) => {
      const { sessionId } = await bed.begin(cli, mode, bed.createUser());
      await bed.show(sessionId);
      await signIn(bed, sessionId);
      return prove(bed, sessionId);
    },
  };
}

/** The person agreed to a first use by the CLI itself, in the VM: the highest grade. */
const withFirstUse = (cli: string, mode: Mode, signIn: SignIn): Case => ({
  cli,
  way: `${mode}, first use agreed to`,
  run: async (bed) => {
    const { sessionId } = await bed.begin(cli, mode, bed.createUser(), { mayUse: true });
    await bed.show(sessionId);
    await signIn(bed, sessionId);
    const { grade } = await requireCompleted(bed, sessionId);
    if (grade !== 'provider_accepted') throw new Error(`the grade is ${grade}: ${await bed.readOutput(sessionId)}`);
    return grade;
  },
});

const inLiveView = (cli: string): Case => inPage(cli, 'vm_browser', 'vm_browser', (bed) => signInInLiveView(bed));
const inOwnBrowser = (cli: string): Case =>
  inPage(cli, 'own_browser', 'own_browser', (bed, id) => signInInOwnBrowser(bed, id));
const withDeviceCode = (cli: string): Case =>
  inPage(cli, 'device_code', 'device_code', (bed, id) => signInWithDeviceCode(bed, id));
const withToken = (cli: string, kind: string, name: string, token: string): Case =>
  inPage(cli, `token ${kind}`, 'token', (bed) => giveToken(bed, name, token));
const inTerminal = (cli: string): Case => ({
  cli,
  way: 'own_browser connect',
  run: async (bed) => prove(bed, await connectFromTerminal(bed, cli, bed.createUser())),
});

export const SUCCESS_CASES: readonly Case[] = [
  inLiveView('claude_code'),
  inOwnBrowser('claude_code'),
  inPage('claude_code', 'own_browser code', 'own_browser', signInWithCode),
  inTerminal('claude_code'),
  withToken('claude_code', 'setup_token', 'Setup token', KEYS.claude_setup),
  withToken('claude_code', 'api_key', 'API key', KEYS.claude_key),
  inLiveView('codex'),
  inOwnBrowser('codex'),
  inTerminal('codex'),
  withDeviceCode('codex'),
  withToken('codex', 'api_key', 'API key', KEYS.codex),
  inLiveView('gemini_cli'),
  inOwnBrowser('gemini_cli'),
  inTerminal('gemini_cli'),
  withToken('gemini_cli', 'api_key', 'Gemini API key', KEYS.gemini),
  inLiveView('wrangler'),
  inOwnBrowser('wrangler'),
  inTerminal('wrangler'),
  withDeviceCode('gh'),
  withToken('gh', 'personal_access_token', 'Personal access token', KEYS.gh),
  inLiveView('npm'),
  inOwnBrowser('npm'),
  withFirstUse('claude_code', 'own_browser', (bed, id) => signInInOwnBrowser(bed, id)),
  withFirstUse('gemini_cli', 'own_browser', (bed, id) => signInInOwnBrowser(bed, id)),
  withFirstUse('gh', 'device_code', (bed, id) => signInWithDeviceCode(bed, id)),
  withFirstUse('npm', 'own_browser', (bed, id) => signInInOwnBrowser(bed, id)),
  withToken('npm', 'access_token', 'Access token', KEYS.npm),
];
