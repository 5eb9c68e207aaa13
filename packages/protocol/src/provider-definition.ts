/**
 * What a provider definition file may say. Data only: how to install a CLI, how its sign-in is run, which ways to sign in it offers, which
 * files are the credential, how it is delivered. Unknown keys are refused; every problem is reported at once. docs/providers.md explains
 * each key with examples.
 */
import * as z from 'zod';
import { failureCodeSchema } from './session-failure.ts';
import { modeSchema } from './session.ts';

const id = z
  .string()
  .regex(/^[a-z][a-z0-9_]{1,39}$/, 'use lower-case letters, digits and underscores, starting with a letter');
const pinnedVersion = z
  .string()
  .regex(/^\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.-]+)?$/, 'pin one exact version, such as 4.86.0');
const homePath = z
  .string()
  .min(1)
  .regex(
    /^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))[\w.@/+-]+$/,
    'give a path below the home folder, without "..": .config/tool/auth.json',
  );
const argv = z.array(z.string().min(1)).min(1);
const environment = z.record(z.string().regex(/^[A-Za-z_]\w*$/, 'not a name of an environment variable'), z.string());
/** Keys from the file's top level down, joined by dots: `tokens.access_token`. */
const fieldPath = z.string().min(1).max(200);
/** One line for a person. */
const words = z.string().min(1).max(300);

function isRegularExpression(text: string): boolean {
  try {
    new RegExp(text).test('');
    return true;
  } catch {
    return false;
  }
}
const pattern = z.string().min(1).max(1000).refine(isRegularExpression, 'not a regular expression');

const npmInstall = z.strictObject({
  kind: z.literal('npm'),
  package: z.string().min(1),
  version: pinnedVersion,
  /** One of npm's, or a path below `node_modules`, in which `${arch}` is Node's word for the processor: no install script is run. */
  bin: z.string().min(1),
});
const install = z.discriminatedUnion('kind', [
  npmInstall,
  z.strictObject({
    kind: z.literal('bundled'),
    /** A folder beside the definition file, copied as it is. */
    folder: z.string().regex(/^[\w.-]+$/),
    version: pinnedVersion,
    bin: z.string().min(1),
  }),
  z.strictObject({
    kind: z.literal('debian'),
    /** A package of the machine's own Debian archive, unpacked without what it depends on. */
    package: z.string().regex(/^[a-z0-9][a-z0-9.+-]+$/, 'not the name of a Debian package'),
    version: z.string().regex(/^[0-9][0-9A-Za-z.+:~-]*$/, 'pin one exact Debian version, such as 2.23.0+dfsg1-1'),
    /** Below the root of the package: `usr/bin/gh`. */
    bin: homePath,
  }),
]);

const credentialFile = z.strictObject({
  path: homePath,
  format: z.enum(['json', 'toml', 'yaml', 'ini', 'text']),
  /** Fields that must be present and non-empty; for `text` the file itself must be non-empty. */
  required: z.array(fieldPath).default([]),
});

/** A value in any file of the home, read when the login is complete; a file that is not there has none. */
const fieldReference = z.strictObject({
  file: homePath,
  /** Default: that of the credential file of the same path, else by the name's ending. */
  format: credentialFile.shape.format.optional(),
  field: fieldPath,
  /** The field holds a JSON Web Token; read this claim of it (keys joined by dots). Its signature is not checked. */
  claim: fieldPath.optional(),
});

const credential = z.strictObject({
  files: z.array(credentialFile).min(1).max(16),
  account: fieldReference.optional(),
  organization: fieldReference.optional(),
  /** Such as `pro`; shown to the person. */
  plan: fieldReference.optional(),
  expiresAt: fieldReference.extend({ unit: z.enum(['seconds', 'milliseconds', 'iso8601']) }).optional(),
});

const dialogueStep = z.strictObject({
  /** Text that must appear in the CLI's output (ANSI removed) before `send` is written. */
  expect: z.string().min(1),
  send: z.string(),
});

const preparedFile = z.strictObject({ path: homePath, content: z.string() });

/** Where the sign-in link is found. */
const url = z.strictObject({
  /** Where the URL may be taken from, best first. */
  from: z
    .array(z.enum(['browser_shim', 'output']))
    .min(1)
    .default(['browser_shim', 'output']),
  /** Only URLs that match are opened (a regular expression on the whole URL). */
  pattern: pattern.default('^https?://'),
  timeoutSeconds: z.number().int().min(5).max(600).default(60),
});

const loginParts = {
  /** Arguments after the CLI itself. */
  args: z.array(z.string()),
  /** `json_rpc`: JSON-RPC 2.0 over pipes, one message a line (`rpc`). */
  io: z.enum(['pipes', 'pty', 'json_rpc']),
  /** Each is sent after the result of the one before; the result of the last one is the CLI's word that it is signed in. */
  rpc: z.array(z.strictObject({ method: z.string().min(1), params: z.unknown().optional() })),
  environment,
  /** Files written into the empty home before the CLI starts. */
  files: z.array(preparedFile),
  dialogue: z.array(dialogueStep),
  url,
  /** A port the CLI always listens on for the callback; leave out when it is random. */
  callbackPort: z.number().int().min(1).max(65535),
};

const login = z.strictObject({
  args: loginParts.args.default([]),
  io: loginParts.io.default('pipes'),
  rpc: loginParts.rpc.default([]),
  environment: loginParts.environment.default({}),
  files: loginParts.files.default([]),
  dialogue: loginParts.dialogue.default([]),
  url: loginParts.url.prefault({}),
  callbackPort: loginParts.callbackPort.optional(),
});

/** What of `login` is otherwise for one way to sign in: each key given takes the place of the whole key there. */
const otherLogin = z.strictObject(loginParts).partial();

const success = z.strictObject({
  /**
   * `exit_zero`: files complete and the CLI ended with 0. `files`: files complete and settled suffice.
   * `rpc`: files complete and the last `rpc` request was answered with a result.
   */
  when: z.enum(['exit_zero', 'files', 'rpc']).default('exit_zero'),
  /**
   * The CLI's own word; run in the VM; exit code 0 means signed in. A veto only: status commands believe junk, so it never raises the
   * evidence. Leave out when it has none that works offline.
   */
  confirm: z.strictObject({ args: argv, timeoutSeconds: z.number().int().min(1).max(60).default(15) }).optional(),
  /** A first harmless use that the provider must accept: only where the person agreed. Exit code 0 means accepted. */
  use: z
    .strictObject({
      args: argv,
      timeoutSeconds: z.number().int().min(1).max(120).default(60),
      environment: environment.default({}),
      /** What it does, for the person who is asked. */
      description: words,
    })
    .optional(),
});

/** `${home}`, `${cwd}`, `${account}` and `${organization}` are filled in; a line or value that needs a missing one is left out. */
const deliveredFile = z.strictObject({
  path: homePath,
  format: z.enum(['json', 'toml', 'text']),
  /** For `json`, an object that is merged into one that is there; else text. */
  content: z.unknown(),
});
const delivery = z.strictObject({
  /** Set for the CLI in the sandbox. */
  environment: environment.default({}),
  /** Variables whose value is a field of the credential, for CLIs that take their login from there. */
  secretEnvironment: z
    .record(environment.keyType, z.strictObject({ file: homePath, field: fieldPath.optional() }))
    .default({}),
  /** Files beside the credential: no first-run wizard shows. */
  files: z.array(deliveredFile).default([]),
  /** The CLI's own restriction to the account or organization that the session was restricted to. */
  restriction: z.array(deliveredFile).default([]),
});

/** `${token}` stands for what the person gave. */
const tokenKind = z.strictObject({
  id,
  name: z.string().min(1).max(60),
  /** Where to get one. */
  hint: words,
  /** What such a token looks like; another is refused before the CLI sees it. */
  pattern: pattern.optional(),
  /** `stdin`: one line to the CLI, whose input then ends. `files`: written into `files`, and the CLI is run only when `login` is given. */
  input: z.enum(['stdin', 'files']),
  files: z.array(preparedFile).default([]),
  /** What of `login` is otherwise. */
  login: otherLogin.optional(),
  success: success.optional(),
  credential: credential.optional(),
  delivery: delivery.optional(),
});

const ways = z.strictObject({
  vm_browser: z.strictObject({ hint: words.optional() }).optional(),
  own_browser: z
    .strictObject({
      hint: words.optional(),
      /**
       * What the person may give back: the callback's URL, a code (also `code#state`) that the CLI reads as a line; nothing, when the CLI
       * asks its service by itself. Default: what the link asks for.
       */
      accepts: z.array(z.enum(['callback', 'code'])).optional(),
      /** A second link, printed by the CLI, that ends on a page with a code instead of at the callback. */
      codeUrlPattern: pattern.optional(),
    })
    .optional(),
  device_code: z
    .strictObject({
      hint: words.optional(),
      /** What of `login` is otherwise. */
      login: otherLogin.optional(),
      /** The code in a line of the CLI's output; the first group, or all that matches. */
      codePattern: pattern,
      /** The link in a line of the CLI's output; the first group, or all that matches. */
      urlPattern: pattern,
      validSeconds: z.number().int().min(30).max(3600).default(900),
    })
    .optional(),
  token: z.strictObject({ hint: words.optional(), kinds: z.array(tokenKind).min(1).max(6) }).optional(),
});

const failure = z.strictObject({
  /** In the CLI's output, control sequences removed. */
  pattern,
  code: failureCodeSchema,
  /** Only for these ways to sign in. */
  modes: z.array(modeSchema).optional(),
});

export const providerDefinitionSchema = z
  .strictObject({
    id,
    aliases: z.array(id).default([]),
    name: z.string().min(1).max(60),
    /** One sentence for the card. */
    description: z.string().min(1).max(200),
    homepage: z.url().optional(),
    /** Whose program it is, for the person who signs in to it. */
    vendor: z.string().min(1).max(60).optional(),
    /** For whom the sign-in works, when not for everybody; shown on the card. */
    audience: words.optional(),
    /** Nobody has run it yet; the card says so. */
    untested: z.boolean().default(false),
    /** Must be read and accepted once by the operator before the provider is offered; a changed text must be accepted anew. */
    notice: z.strictObject({ title: z.string().min(1).max(120), text: z.string().min(1).max(4000) }).optional(),
    install,
    /** How the CLI tells its version; asked when a sign-in failed, so that a wrong version is named as the cause. */
    version: z.strictObject({ args: argv, pattern }).optional(),
    login,
    /** Offered ways to sign in; the one most likely to work comes first. */
    modes: z.array(modeSchema).min(1).default(['vm_browser']),
    ways: ways.prefault({}),
    success: success.prefault({}),
    credential,
    delivery: delivery.prefault({}),
    /** What a refreshed login looks like: these fields change. `singleUse`: the old refresh token is dead then. */
    rotation: z
      .strictObject({
        fields: z.array(z.strictObject({ file: homePath, field: fieldPath })).min(1),
        singleUse: z.boolean(),
      })
      .optional(),
    failures: z.array(failure).max(40).default([]),
  })
  .superRefine(checkTogether, { when: ({ value }) => typeof value === 'object' && value !== null });

type Parts = Partial<{ modes: unknown; ways: unknown; login: unknown; success: unknown }>;

/** What no key alone can say. Runs also when keys have problems of their own, so that all are told at once: any part may be anything. */
function checkTogether(definition: Parts, context: z.RefinementCtx): void {
  const modes: readonly unknown[] = Array.isArray(definition.modes) ? definition.modes : [];
  const [ways, login, success] = [toBlock(definition.ways), toBlock(definition.login), toBlock(definition.success)];
  for (const mode of ['device_code', 'token'] as const)
    if (modes.includes(mode) && ways[mode] === undefined)
      context.addIssue({ code: 'custom', path: ['modes'], message: `"${mode}" needs a block ways.${mode}` });
  for (const mode of modeSchema.options)
    if (ways[mode] !== undefined && !modes.includes(mode))
      context.addIssue({ code: 'custom', path: ['ways', mode], message: `add "${mode}" to modes, or leave this out` });
  if (login['io'] === 'json_rpc' && (!Array.isArray(login['rpc']) || login['rpc'].length === 0))
    context.addIssue({ code: 'custom', path: ['login', 'io'], message: '"json_rpc" needs requests in login.rpc' });
  if (success['when'] === 'rpc' && login['io'] !== 'json_rpc')
    context.addIssue({ code: 'custom', path: ['success', 'when'], message: '"rpc" needs login.io "json_rpc"' });
}

function toBlock(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

export type ProviderDefinition = z.infer<typeof providerDefinitionSchema>;
export type TokenKind = z.infer<typeof tokenKind>;
export type CredentialSpec = z.infer<typeof credential>;
export type FieldReference = z.infer<typeof fieldReference>;
export type Delivery = z.infer<typeof delivery>;

/** What a login plan is made of, for the agent. */
export const planParts = { login, success, credential, failure, ways, version: providerDefinitionSchema.shape.version };
