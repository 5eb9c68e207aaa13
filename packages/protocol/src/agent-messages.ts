/**
 * The link between the controller and the OAuth agent inside a browser VM: newline-delimited JSON, one message a line, both ways.
 * The controller dials (`connect(vmId, 'agent')`); the agent speaks first (`hello`). A new link fences the old one by its higher epoch:
 * the agent closes the older link and answers only the newest.
 *
 * Order: agent `hello` → controller `claim` (again at every new link, same session) → agent messages.
 * The agent repeats `handover` at every new link until the VM is destroyed, acknowledged or not.
 */
import * as z from 'zod';
import { capabilitySchema, evidenceSchema, modeSchema } from './session.ts';
import { failureCodeSchema } from './session-failure.ts';
import { answerKindSchema, offerSchema } from './offer.ts';
import { planParts } from './provider-definition.ts';

export const LINK_VERSION = 1;
/** A longer line ends the link. A credential's files together may hold 1 MiB. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;
export const MAX_CREDENTIAL_BYTES = 1024 * 1024;
export const MAX_ANSWER_CHARS = 8192;
/** Of one `output` message; all messages of a session together may hold `MAX_OUTPUT_CHARS`. */
export const MAX_OUTPUT_CHUNK_CHARS = 16 * 1024;
export const MAX_OUTPUT_CHARS = 256 * 1024;

export const credentialFilesSchema = z
  .array(z.strictObject({ path: z.string().min(1).max(300), contentBase64: z.base64() }))
  .min(1)
  .max(16);
export type CredentialFiles = z.infer<typeof credentialFilesSchema>;

const hello = z.object({
  type: z.literal('hello'),
  version: z.number().int(),
  vmId: z.string(),
  /** New at every start of the agent. */
  bootNonce: z.string().min(8).max(64),
  /** Hash of the agent's bundle; the controller compares it with the one it ships. */
  buildId: z.string().max(80),
  abilities: z.array(z.enum(['pipes', 'pty', 'vm_browser'])),
});

const capability = z.object({
  type: z.literal('capability'),
  name: capabilitySchema,
  ready: z.boolean(),
  /** Milliseconds since the agent started. */
  afterMs: z.number().nonnegative(),
  detail: z.string().max(300).optional(),
});

const urlOpened = z.object({
  type: z.literal('url_opened'),
  from: z.enum(['browser_shim', 'output']),
  /** Scheme, host and path only: the query may hold codes and state. */
  origin: z.string().max(300),
});

/** What the person needs for signing in outside the VM; replaces the one before. Sealed by the controller, shown to the person alone. */
const offer = z.object({ type: z.literal('offer'), offer: offerSchema });

/**
 * What the CLI wrote, as a terminal takes it (control sequences kept), secrets replaced by `[redacted]`. `n` counts from 1 within the VM,
 * without gaps; the same `n` is the same text.
 */
const output = z.object({
  type: z.literal('output'),
  n: z.number().int().positive(),
  text: z.string().max(MAX_OUTPUT_CHUNK_CHARS),
});

/** The CLI asks something that the dialogue does not know, and waits. Nobody answers it but the person. */
const promptShown = z.object({ type: z.literal('prompt_shown'), text: z.string().max(300) });

/** The answer was not given to the CLI and never will be; the words are for the person. */
const answerRefused = z.object({
  type: z.literal('answer_refused'),
  answerId: z.string(),
  words: z.string().max(300),
});

const cliExited = z.object({
  type: z.literal('cli_exited'),
  exitCode: z.number().int().nullable(),
  signal: z.string().nullable(),
});

const credentialIncomplete = z.object({
  type: z.literal('credential_incomplete'),
  path: z.string().max(300),
  problem: z.enum(['blank_field', 'unreadable', 'too_large', 'not_a_file']),
  detail: z.string().max(300),
});

const handover = z.object({
  type: z.literal('handover'),
  handoverId: z.uuid(),
  /** Hex SHA-256 over the canonical JSON of `files` (see `toHandoverHash`). */
  contentHash: z.string().regex(/^[0-9a-f]{64}$/),
  files: credentialFilesSchema,
  account: z.string().max(300).nullable(),
  /** When the access token ends, if the file says so. */
  expiresAt: z.iso.datetime({ offset: true }).nullable(),
  organization: z.string().max(300).nullish(),
  /** The account's plan, if a file says so: `pro`. */
  accountPlan: z.string().max(100).nullish(),
  evidence: z.array(evidenceSchema),
});

const signInFailed = z.object({
  type: z.literal('sign_in_failed'),
  code: failureCodeSchema,
  detail: z.string().max(300),
});

/** Answer to `settle`: everything the agent holds was sent before this line. */
const settled = z.object({ type: z.literal('settled'), settleId: z.string(), holding: z.boolean() });

const answerDelivered = z.object({ type: z.literal('answer_delivered'), answerId: z.string() });

export const agentMessageSchema = z.discriminatedUnion('type', [
  hello,
  capability,
  urlOpened,
  offer,
  output,
  promptShown,
  cliExited,
  credentialIncomplete,
  handover,
  signInFailed,
  settled,
  answerDelivered,
  answerRefused,
]);
export type AgentMessage = z.infer<typeof agentMessageSchema>;
export type Handover = z.infer<typeof handover>;
export type Hello = z.infer<typeof hello>;

export const loginPlanSchema = z.object({
  provider: z.string(),
  /** Absolute path, inside the VM, of the CLI's program. */
  program: z.string(),
  /** With what is otherwise for this way to sign in. */
  login: planParts.login,
  success: planParts.success,
  credential: planParts.credential,
  ways: planParts.ways.default({}),
  version: planParts.version,
  /** As pinned. */
  pinnedVersion: z.string().default(''),
  failures: z.array(planParts.failure).default([]),
});
export type LoginPlan = z.infer<typeof loginPlanSchema>;

const claim = z.object({
  type: z.literal('claim'),
  version: z.number().int(),
  epoch: z.number().int().positive(),
  sessionId: z.uuid(),
  remainingMs: z.number(),
  /** Counts the ways of this session from 1; a higher one than the agent has means that the person changed the way. */
  way: z.number().int().positive().default(1),
  mode: modeSchema.default('vm_browser'),
  plan: loginPlanSchema,
  /** The person agreed to a first harmless use of the login by the CLI itself. */
  mayUse: z.boolean().default(false),
});
/**
 * The person changed the way to sign in. Ignored when `way` is not higher than the present one, or when the login is there already.
 * When the CLI is run the same way, it runs on; else it is ended, the home is emptied, and it starts anew.
 */
const changeWay = z.object({
  type: z.literal('change_way'),
  way: z.number().int().positive(),
  mode: modeSchema,
  plan: loginPlanSchema,
});
const handoverAnswer = z.object({
  type: z.literal('handover_answer'),
  handoverId: z.uuid(),
  result: z.enum(['stored', 'refused']),
  reason: z.enum(['session_ended', 'invalid', 'too_large', 'already_stored_other']).optional(),
});
/** Ask what the agent holds; it looks at the files now, offers what is complete, then answers `settled`. */
const settle = z.object({ type: z.literal('settle'), settleId: z.string() });
/**
 * What the person gives; delivered once per `answerId`. `line`: a line for the CLI's input. `keys`: exactly these characters, for a terminal.
 * `callback`: the URL to which the sign-in page led, for exactly one request to the CLI's callback server. `code`: as a line, after the
 * state in `code#state` was checked. `token`: for the way `token`, with its kind.
 */
const answer = z.object({
  type: z.literal('answer'),
  answerId: z.string(),
  kind: answerKindSchema.default('line'),
  tokenKind: z.string().optional(),
  text: z.string().max(MAX_ANSWER_CHARS),
});
/** The session ended: close browser and display; the VM itself lives on until `shutdown`. */
const release = z.object({ type: z.literal('release') });
/** End everything; the agent, as the VM's first process, exits with 1 on purpose (see docs/decisions). */
const shutdown = z.object({ type: z.literal('shutdown') });

export const controllerMessageSchema = z.discriminatedUnion('type', [
  claim,
  handoverAnswer,
  settle,
  answer,
  changeWay,
  release,
  shutdown,
]);
export type ControllerMessage = z.infer<typeof controllerMessageSchema>;

/** The bytes a hand-over's hash is taken over: files sorted by path, as JSON. */
export function toHandoverBytes(files: CredentialFiles): string {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  return JSON.stringify(sorted.map((file) => [file.path, file.contentBase64]));
}
