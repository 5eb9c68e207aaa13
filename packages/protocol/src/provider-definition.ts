/**
 * What a provider definition file may say. Data only: how to install a CLI, how its sign-in is run, which files are the credential.
 * Unknown keys are refused; every problem is reported at once.
 */
import * as z from 'zod';

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

const install = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('npm'),
    package: z.string().min(1),
    version: pinnedVersion,
    bin: z.string().min(1),
  }),
  z.strictObject({
    kind: z.literal('bundled'),
    /** A folder beside the definition file, copied as it is. */
    folder: z.string().regex(/^[\w.-]+$/),
    version: pinnedVersion,
    bin: z.string().min(1),
  }),
]);

const credentialFile = z.strictObject({
  path: homePath,
  format: z.enum(['json', 'toml', 'yaml', 'ini', 'text']),
  /** Fields that must be present and non-empty; for `text` the file itself must be non-empty. */
  required: z.array(fieldPath).default([]),
});

const dialogueStep = z.strictObject({
  /** Text that must appear in the CLI's output (ANSI removed) before `send` is written. */
  expect: z.string().min(1),
  send: z.string(),
});

export const providerDefinitionSchema = z.strictObject({
  id,
  aliases: z.array(id).default([]),
  name: z.string().min(1).max(60),
  /** One sentence for the card. */
  description: z.string().min(1).max(200),
  homepage: z.url().optional(),
  install,
  login: z.strictObject({
    /** Arguments after the CLI itself. */
    args: z.array(z.string()).default([]),
    io: z.enum(['pipes', 'pty']).default('pipes'),
    environment: environment.default({}),
    /** Files written into the empty home before the CLI starts. */
    files: z.array(z.strictObject({ path: homePath, content: z.string() })).default([]),
    dialogue: z.array(dialogueStep).default([]),
    url: z
      .strictObject({
        /** Where the URL may be taken from, best first. */
        from: z
          .array(z.enum(['browser_shim', 'output']))
          .min(1)
          .default(['browser_shim', 'output']),
        /** Only URLs that match are opened (a regular expression on the whole URL). */
        pattern: z.string().default('^https?://'),
        timeoutSeconds: z.number().int().min(5).max(600).default(60),
      })
      .prefault({}),
    /** A port the CLI always listens on for the callback; leave out when it is random. */
    callbackPort: z.number().int().min(1).max(65535).optional(),
  }),
  modes: z
    .array(z.enum(['vm_browser', 'own_browser', 'device_code']))
    .min(1)
    .default(['vm_browser']),
  success: z
    .strictObject({
      /** `exit_zero`: files complete and the CLI ended with 0. `files`: files complete and settled suffice. */
      when: z.enum(['exit_zero', 'files']).default('exit_zero'),
      /** The CLI's own word; run in the VM; exit code 0 means signed in. Leave out when it has none that works offline. */
      confirm: z.strictObject({ args: argv, timeoutSeconds: z.number().int().min(1).max(60).default(15) }).optional(),
    })
    .prefault({}),
  credential: z.strictObject({
    files: z.array(credentialFile).min(1).max(16),
    /** Where account and expiry stand: `file path#field`. */
    account: z.strictObject({ file: homePath, field: fieldPath }).optional(),
    expiresAt: z
      .strictObject({ file: homePath, field: fieldPath, unit: z.enum(['seconds', 'milliseconds', 'iso8601']) })
      .optional(),
  }),
});
export type ProviderDefinition = z.infer<typeof providerDefinitionSchema>;
