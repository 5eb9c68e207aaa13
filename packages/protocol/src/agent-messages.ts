/**
 * The link between the controller and the OAuth agent inside a browser VM: newline-delimited JSON, one message a line, both ways.
 * The controller dials (`connect(vmId, 'agent')`); the agent speaks first (`hello`). A new link fences the old one by its higher epoch:
 * the agent closes the older link and answers only the newest.
 *
 * Order: agent `hello` → controller `claim` (again at every new link, same session) → agent messages.
 * The agent repeats `handover` at every new link until the VM is destroyed, acknowledged or not.
 */
import * as z from 'zod';
import { capabilitySchema } from './session.ts';
import { failureCodeSchema } from './session-failure.ts';
import { providerDefinitionSchema } from './provider-definition.ts';

export const LINK_VERSION = 1;
/** A longer line ends the link. A credential's files together may hold 1 MiB. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;
export const MAX_CREDENTIAL_BYTES = 1024 * 1024;
export const MAX_ANSWER_CHARS = 8192;

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
  evidence: z.array(z.enum(['files_complete', 'cli_exit_zero', 'cli_confirmed'])),
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
  cliExited,
  credentialIncomplete,
  handover,
  signInFailed,
  settled,
  answerDelivered,
]);
export type AgentMessage = z.infer<typeof agentMessageSchema>;
export type Handover = z.infer<typeof handover>;
export type Hello = z.infer<typeof hello>;

export const loginPlanSchema = z.object({
  provider: z.string(),
  /** Absolute path, inside the VM, of the CLI's program. */
  program: z.string(),
  login: providerDefinitionSchema.shape.login,
  success: providerDefinitionSchema.shape.success,
  credential: providerDefinitionSchema.shape.credential,
});
export type LoginPlan = z.infer<typeof loginPlanSchema>;

const claim = z.object({
  type: z.literal('claim'),
  version: z.number().int(),
  epoch: z.number().int().positive(),
  sessionId: z.uuid(),
  remainingMs: z.number(),
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
/** A line for the CLI's stdin; delivered once per `answerId`. */
const answer = z.object({ type: z.literal('answer'), answerId: z.string(), text: z.string().max(MAX_ANSWER_CHARS) });
/** The session ended: close browser and display; the VM itself lives on until `shutdown`. */
const release = z.object({ type: z.literal('release') });
/** End everything; the agent, as the VM's first process, exits with 1 on purpose (see docs/decisions). */
const shutdown = z.object({ type: z.literal('shutdown') });

export const controllerMessageSchema = z.discriminatedUnion('type', [
  claim,
  handoverAnswer,
  settle,
  answer,
  release,
  shutdown,
]);
export type ControllerMessage = z.infer<typeof controllerMessageSchema>;

/** The bytes a hand-over's hash is taken over: files sorted by path, as JSON. */
export function toHandoverBytes(files: CredentialFiles): string {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  return JSON.stringify(sorted.map((file) => [file.path, file.contentBase64]));
}
